from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from intake_samples import make_contract, make_source

from declarations.contracts import Contract, Source
from intake.landing import Found, discover

TODAY = dt.date(2026, 11, 16)


def look(folder: Path, source: Source, contract: Contract, **changes: Any) -> list[Found]:
    calendar: dict[str, Any] = {"first_period": "2024-11", "last_period": None, "today": TODAY}
    return discover(folder, source, contract=contract, **{**calendar, **changes})


@pytest.mark.parametrize(
    ("name", "period", "reason"),
    [
        ("library_sessions_2026-10.csv", "2026-10", None),
        ("LIBRARY_Sessions_2026-10.CSV", "2026-10", None),
        ("library_sessions_2026-10.csv.gz", "2026-10", None),
        ("library_sessions_2026-10.csv.ZIP", "2026-10", None),
        ("library_sessions_2026-01 (1).csv", "2026-01", None),
        ("library_sessions_2026-01 - Copy.csv", "2026-01", None),
        ("library_sessions_2026-11.csv", "2026-11", None),
        ("library_sessions_2026-12.csv", "2026-12", "future_period"),
        ("library_sessions_2024-10.csv", "2024-10", "out_of_calendar"),
        ("library_sessions_2026-13.csv", None, "unknown_name"),
        ("library_sessions_2026-10.xlsx", None, "unknown_name"),
        ("library_sessionsX2026-10.csv", None, "unknown_name"),
        ("old_library_sessions_2026-10.csv", None, "unknown_name"),
        ("notes.txt", None, "unknown_name"),
    ],
)
def test_a_name_gives_the_period_or_the_reason(
    tmp_path: Path, source: Source, contract: Contract, name: str, period: str, reason: str
) -> None:
    (tmp_path / name).write_text("x")
    assert look(tmp_path, source, contract) == [Found(tmp_path / name, period, reason)]


def test_in_a_shared_folder_other_sources_files_are_left_alone(
    tmp_path: Path, source: Source, contract: Contract
) -> None:
    names = ("library_sessions_2026-10.csv", "library_sessions_2026-12.csv", "TS001.csv")
    for name in names:
        (tmp_path / name).write_text("x")
    found = look(tmp_path, source, contract, shared=True)
    # A name of the source's own pattern is still held to the calendar.
    assert [(f.path.name, f.reason) for f in found] == [
        (names[0], None),
        (names[1], "future_period"),
    ]
    assert [f.reason for f in look(tmp_path, source, contract)] == [
        "unknown_name",
        None,
        "future_period",
    ]


def test_a_closed_region_takes_nothing_after_its_last_period(
    tmp_path: Path, source: Source, contract: Contract
) -> None:
    for period in ("2026-03", "2026-04"):
        (tmp_path / f"library_sessions_{period}.csv").write_text("x")
    found = look(tmp_path, source, contract, last_period="2026-03")
    assert [(f.period, f.reason) for f in found] == [
        ("2026-03", None),
        ("2026-04", "out_of_calendar"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "library_sessions_2026-10.csv.part",
        "library_sessions_2026-10.csv.tmp",
        ".library_sessions_2026-10.csv",
        "~$library_sessions_2026-10.csv",
        "Thumbs.db",
    ],
)
def test_files_still_being_written_are_not_seen(
    tmp_path: Path, source: Source, contract: Contract, name: str
) -> None:
    (tmp_path / name).write_text("x")
    (tmp_path / "subfolder").mkdir()
    assert look(tmp_path, source, contract) == []


def test_a_wildcard_stands_for_anything_but_only_with_a_suffix_of_the_format(
    tmp_path: Path,
) -> None:
    source = make_source(files="{period}-*-street*")
    for name in ("2026-10-arden-street.csv", "2026-10-arden-street.pdf"):
        (tmp_path / name).write_text("x")
    found = look(tmp_path, source, make_contract())
    assert [(f.path.name, f.reason) for f in found] == [
        ("2026-10-arden-street.pdf", "unknown_name"),
        ("2026-10-arden-street.csv", None),
    ]


def test_versions_come_in_order_of_their_last_change_then_name(
    tmp_path: Path, source: Source, contract: Contract
) -> None:
    times = {
        "library_sessions_2026-01.csv": 300,
        "library_sessions_2026-01 (1).csv": 200,
        "library_sessions_2026-01 (2).csv": 300,
        "library_sessions_2025-12.csv": 900,
    }
    for name, seconds in times.items():
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (seconds, seconds))
    assert [f.path.name for f in look(tmp_path, source, contract)] == [
        "library_sessions_2025-12.csv",
        "library_sessions_2026-01 (1).csv",
        "library_sessions_2026-01 (2).csv",
        "library_sessions_2026-01.csv",
    ]


def test_a_source_delivered_once_may_be_one_file(tmp_path: Path, contract: Contract) -> None:
    source = make_source(cadence="once", files="TS001*.csv", period="2021-03")
    path = tmp_path / "TS001_residents.csv"
    path.write_text("x")
    (tmp_path / "other.csv").write_text("x")
    assert look(path, source, contract) == [Found(path, None, None)]
    assert look(tmp_path / "absent", source, contract) == []
