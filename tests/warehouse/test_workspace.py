"""The region's calendar, and tables that are made once and only when something changed."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from region_factory import region_content

from declarations.contracts import Source
from declarations.errors import ConfigurationError
from warehouse.connection import Limits
from warehouse.lake import TableRef
from warehouse.provenance import code_version, fingerprint
from warehouse.workspace import Absent, Built, Workspace

TABLE = TableRef("linked", "counts_mere")
Make = Callable[..., Workspace]


def source(**keys: Any) -> Source:
    whole = {
        "id": "some_source", "title": "s", "agency": "a", "agreement": "OGL-TM-OPEN",
        "theme": "context",
        "contract": "mere_cases", "cadence": "monthly", "files": "f_{period}.csv", **keys,
    }  # fmt: skip
    return Source.model_validate(whole)


@pytest.mark.parametrize(
    ("last", "as_of", "expected"),
    [
        ("2026-02", "2026-05-10", ["2025-12", "2026-01", "2026-02"]),
        (None, "2026-02-01", ["2025-12", "2026-01"]),
        (None, "2026-01-31", ["2025-12"]),
        (None, "2025-12-31", []),
    ],
)
def test_the_calendar_ends_where_declared_or_with_the_last_whole_month(
    make_mere: Make, last: str | None, as_of: str, expected: list[str]
) -> None:
    content = region_content(first_period="2025-12", last_period=last, as_of=as_of)

    assert make_mere(content).calendar() == expected


CALENDAR: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04"]),
    ({"first_period": "2026-02"}, ["2026-02", "2026-03", "2026-04"]),
    ({"last_period": "2026-01"}, ["2025-12", "2026-01"]),
    ({"first_period": "2026-04", "last_period": "2026-09"}, ["2026-04"]),
    ({"cadence": "quarterly"}, ["2025-12", "2026-03"]),
    ({"cadence": "quarterly", "first_period": "2026-01"}, ["2026-01", "2026-04"]),
    ({"cadence": "quarterly", "first_period": "2025-11"}, ["2026-02"]),
    ({"cadence": "yearly"}, ["2025-12"]),
    ({"cadence": "yearly", "first_period": "2025-04"}, ["2026-04"]),
    ({"cadence": "once", "files": "f.csv"}, ["all"]),
]


@pytest.mark.parametrize(("keys", "expected"), CALENDAR)
def test_a_source_is_expected_at_its_cadence(
    make_mere: Make, keys: dict[str, Any], expected: list[str]
) -> None:
    mere = make_mere(region_content(first_period="2025-12", last_period="2026-04"))

    assert mere.expected_periods(source(**keys)) == expected


def test_the_day_of_a_synthetic_region_stands_still(mere: Workspace) -> None:
    assert mere.today().isoformat() == "2026-05-10"


def test_a_source_of_open_data_needs_the_folder(mere: Workspace, tmp_path: Path) -> None:
    national = source(cadence="once", files="f.csv", open_data="ons/areas")
    with pytest.raises(ConfigurationError, match="open-data"):
        mere.folder_of(national)

    given = dataclasses.replace(mere, open_data=tmp_path)

    assert given.folder_of(national) == tmp_path / "ons/areas"
    assert given.folder_of(mere.declared.sources["areas"]) == given.landing / "areas"


def make(
    mere: Workspace, mark: str, produce: Callable[[duckdb.DuckDBPyConnection], str | Absent]
) -> Built:
    return mere.build(TABLE, period="2026-01", fingerprint=mark, produce=produce)


def test_a_table_is_made_once_and_again_only_when_its_inputs_change(mere: Workspace) -> None:
    calls: list[str] = []

    def produce(_: duckdb.DuckDBPyConnection) -> str:
        calls.append("made")
        return "SELECT 1 AS n"

    outcomes = [make(mere, mark, produce).outcome for mark in ("a", "a", "b", "b", "a")]

    assert outcomes == ["built", "current", "built", "current", "built"]
    assert len(calls) == 3
    assert mere.state_of(TABLE, "2026-01") == "a"
    assert mere.state_of(TABLE, "2026-02") == "missing"


def test_nothing_to_write_is_remembered_with_its_reason(mere: Workspace) -> None:
    calls: list[str] = []

    def produce(_: duckdb.DuckDBPyConnection) -> Absent:
        calls.append("asked")
        return Absent("nothing was delivered")

    first, second = make(mere, "a", produce), make(mere, "a", produce)

    assert (first.outcome, second.outcome) == ("absent", "absent")
    assert first.reason == second.reason == "nothing was delivered"
    assert len(calls) == 1


def test_a_failing_producer_leaves_what_was_there(mere: Workspace) -> None:
    make(mere, "a", lambda _: "SELECT 1 AS n")

    def fail(_: duckdb.DuckDBPyConnection) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make(mere, "b", fail)

    assert mere.state_of(TABLE, "2026-01") == "a"


def test_work_on_several_periods_returns_in_their_order(mere: Workspace) -> None:
    several = dataclasses.replace(mere, limits=Limits("500MB", 2))
    meeting = threading.Barrier(2, timeout=10)

    def work(given: Workspace, period: str) -> Built:
        meeting.wait()  # passes only if two run side by side
        assert given.limits == Limits("500MB", 1)
        return Built(TABLE, period, "built", 0, "f")

    periods = ["2026-01", "2026-02", "2026-03", "2026-04"]

    assert [b.period for b in several.for_each(periods, work)] == periods
    assert [
        b.period for b in mere.for_each(periods[:1], lambda w, p: Built(TABLE, p, "built", 0, "f"))
    ] == periods[:1]
    assert mere.for_each([], work) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_on_one_period_is_raised(mere: Workspace, threads: int) -> None:
    several = dataclasses.replace(mere, limits=Limits("500MB", threads))
    done: list[str] = []

    def work(_: Workspace, period: str) -> Built:
        if period == "2026-02":
            raise ConfigurationError("February fails")
        done.append(period)
        return Built(TABLE, period, "built", 0, "f")

    with pytest.raises(ConfigurationError, match="February"):
        several.for_each(["2026-01", "2026-02"], work)

    assert "2026-01" in done


def test_periods_made_side_by_side_are_all_there(mere: Workspace) -> None:
    several = dataclasses.replace(mere, limits=Limits("500MB", 2))
    periods = [f"2026-{n:02d}" for n in range(1, 9)]

    def work(given: Workspace, period: str) -> Built:
        sql = f"SELECT '{period}' AS period"
        return given.build(TABLE, period=period, fingerprint="f", produce=lambda _: sql)

    several.for_each(periods, work)

    with several.connect() as con:
        rows = con.execute(f"SELECT period FROM {several.lake.scan(TABLE, periods)} ORDER BY 1")
        assert [r[0] for r in rows.fetchall()] == periods


def test_the_workspace_does_not_show_its_keys(mere: Workspace) -> None:
    assert "KeyRing" not in repr(mere)


def test_a_fingerprint_depends_on_every_text_and_on_its_place() -> None:
    different = [
        fingerprint("ab", "c"), fingerprint("a", "bc"), fingerprint("abc"),
        fingerprint(["ab", "c"]), fingerprint(["ab"], ["c"], []), fingerprint("c", "ab"),
    ]  # fmt: skip

    assert len(set(different)) == len(different)
    assert fingerprint(["a", "b"]) == fingerprint(iter(["a", "b"]))
    assert code_version() == code_version()
