"""What lies in the landing folder, taken in once and dated rightly."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from intake_samples import make_source
from region_factory import ARRIVED, put, region_content

from declarations.errors import ConfigurationError, StorageError
from intake.arrival import accepted, arrival_date, earlier_twin, receive_source, store_of
from intake.landing import Found
from intake.received import Delivery, ReceivedStore
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]
LINES = ["lsoa,visits,visits_online", "E01990001,60,31"]
OTHER = ["lsoa,visits,visits_online", "E01990001,61,32"]


def visits(mere: Workspace) -> Any:
    return mere.declared.sources["north_visits"]


def test_every_new_file_is_taken_in_and_none_twice(mere: Workspace) -> None:
    first = receive_source(mere, visits(mere))
    again = receive_source(mere, visits(mere))

    assert [(d.period, d.version, d.outcome) for d in first.new] == [
        ("2026-01", 1, "accepted"), ("2026-02", 1, "accepted"), ("2026-03", 1, "accepted"),
    ]  # fmt: skip
    assert first.known == 0
    assert (again.new, again.known) == ((), 3)


def test_a_source_that_delivered_nothing_is_no_error(make_mere: Make) -> None:
    mere = make_mere(leave_out=("north_visits",))

    assert receive_source(mere, visits(mere)).new == ()
    assert accepted(store_of(mere), visits(mere), "2026-01") == []


def test_versions_come_newest_first_and_only_accepted_ones(mere: Workspace) -> None:
    put(mere.landing, "north_visits", "visits_2026-01 (1).csv", OTHER, day=dt.date(2026, 4, 22))
    put(mere.landing, "north_visits", "visits_2026-01-empty.csv", [], day=dt.date(2026, 4, 23))
    (mere.landing / "north_visits" / "visits_2026-01-empty.csv").write_bytes(b"")
    receive_source(mere, visits(mere))

    found = accepted(store_of(mere), visits(mere), "2026-01")

    assert [d.version for d in found] == [2, 1]
    assert {d.outcome for d in store_of(mere).deliveries("north_visits")} == {"accepted", "refused"}


def test_a_file_of_a_source_delivered_once_has_no_period(mere: Workspace) -> None:
    residents = mere.declared.sources["residents"]
    receive_source(mere, residents)

    (found,) = accepted(store_of(mere), residents, "all")

    assert (found.period, found.days_late) == ("", None)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("visits_2026-07.csv", "future_period"),
        ("visits_2025-12.csv", "out_of_calendar"),
        ("visits_2026-04.csv", "out_of_calendar"),
        ("visitors.csv", "unknown_name"),
    ],
)
def test_a_file_outside_pattern_or_calendar_is_refused(
    mere: Workspace, name: str, reason: str
) -> None:
    put(mere.landing, "north_visits", name, LINES)

    found = receive_source(mere, visits(mere))

    assert [d.reason for d in found.new if d.outcome == "refused"] == [reason]
    assert len([d for d in found.new if d.outcome == "accepted"]) == 3


def test_in_a_synthetic_region_the_file_says_when_it_came(mere: Workspace) -> None:
    path = put(mere.landing, "north_visits", "visits_2026-01.csv", LINES, day=dt.date(2026, 3, 5))

    assert arrival_date(mere, path) == dt.date(2026, 3, 5)


def test_a_file_from_the_future_came_at_the_latest_today(mere: Workspace) -> None:
    path = put(mere.landing, "north_visits", "visits_2026-01.csv", LINES, day=dt.date(2031, 1, 1))

    assert arrival_date(mere, path) == mere.today()


def test_in_a_region_on_the_system_clock_the_files_own_date_is_not_believed(
    make_mere: Make,
) -> None:
    mere = make_mere(region_content(clock="system", as_of="2026-05-10"))
    path = mere.landing / "north_visits" / "visits_2026-01.csv"

    assert dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC).date() == ARRIVED
    assert arrival_date(mere, path) == dt.date(2026, 5, 10)


def test_lateness_is_counted_from_the_day_it_was_due(make_mere: Make) -> None:
    content = region_content()
    content["sources/north_visits.yaml"]["due_days"] = 30
    mere = make_mere(content)

    late = {d.period: d.days_late for d in receive_source(mere, visits(mere)).new}

    # Due 2 March, 30 March and 30 April; arrived on 20 April.
    assert late == {"2026-01": 49, "2026-02": 21, "2026-03": 0}


def test_open_data_needs_its_folder(make_mere: Make, tmp_path: Path) -> None:
    content = region_content()
    content["sources/residents.yaml"]["open_data"] = "census"
    mere = make_mere(content)
    residents = mere.declared.sources["residents"]
    with pytest.raises(ConfigurationError, match="open-data"):
        receive_source(mere, residents)

    folder = tmp_path / "open"
    put(folder, "census", "residents.csv", ["lsoa,residents", "E01990001,1403"])
    put(folder, "census", "somebody-elses.csv", ["a,b", "1,2"])
    found = receive_source(dataclasses.replace(mere, open_data=folder), residents)

    assert [d.outcome for d in found.new] == ["accepted"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_store_that_cannot_be_written_is_named(mere: Workspace) -> None:
    mere.root.mkdir(parents=True)
    mere.root.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            receive_source(mere, visits(mere))
    finally:
        mere.root.chmod(0o700)


def test_a_store_in_place_of_which_a_file_stands_is_named(mere: Workspace) -> None:
    mere.root.mkdir(parents=True)
    (mere.root / "received").write_text("in the way")

    with pytest.raises(StorageError, match="cannot be written"):
        receive_source(mere, visits(mere))


def test_the_same_bytes_under_another_months_name_are_found(tmp_path: Path) -> None:
    store = ReceivedStore(tmp_path / "received")
    source = make_source(cadence="quarterly", files="cases_{period}.csv")
    landing = tmp_path / "landing"
    landing.mkdir()

    def deliver(period: str, content: bytes) -> Delivery:
        path = landing / f"cases_{period}.csv"
        path.write_bytes(content)
        return store.receive(Found(path, period), source, dt.date(2026, 4, 20))

    first = deliver("2025-12", b"a,b\n1,2\n")
    again = deliver("2026-03", b"a,b\n1,2\n")
    assert (earlier_twin(store, first), earlier_twin(store, again)) == (None, "2025-12")
    # Once the earlier month is put right, the file is free to be of the later one.
    deliver("2025-12", b"a,b\n3,4\n")
    assert earlier_twin(store, again) is None


def landed(mere: Workspace) -> list[str]:
    return sorted(p.name for p in (mere.landing / "north_visits").iterdir())


def test_a_region_that_removes_what_is_safe_leaves_only_what_was_refused(make_mere: Make) -> None:
    mere = make_mere(region_content(landing_after_receipt="remove"))
    put(mere.landing, "north_visits", "visits_2026-03 (1).csv", [])
    (mere.landing / "north_visits" / "visits_2026-03 (1).csv").write_bytes(b"")

    first, again = (receive_source(mere, visits(mere)) for _ in range(2))

    assert [d.outcome for d in first.new] == ["accepted", "accepted", "accepted", "refused"]
    assert landed(mere) == ["visits_2026-03 (1).csv"]
    assert (again.new, again.known) == ((), 1)


def test_what_was_left_before_the_region_began_to_remove_it_goes_without_a_second_delivery(
    mere: Workspace,
) -> None:
    receive_source(mere, visits(mere))
    assert len(landed(mere)) == 3

    later = receive_source(mere, visits(mere), remove_landed=True)

    assert (later.new, later.known, landed(mere)) == ((), 3, [])
    assert [d.outcome for d in store_of(mere).deliveries("north_visits")] == ["accepted"] * 3


def test_a_link_in_the_landing_folder_is_left_alone(mere: Workspace, tmp_path: Path) -> None:
    path = mere.landing / "north_visits" / "visits_2026-01.csv"
    elsewhere = tmp_path / "elsewhere.csv"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)

    receive_source(mere, visits(mere), remove_landed=True)

    assert elsewhere.exists()
    assert landed(mere) == ["visits_2026-01.csv"]
