"""Retention: each zone's clock, from the day before it ends to the day after."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from region_factory import region_content

from declarations.agreements import Agreement
from governance.audit import AuditChain
from governance.lifecycle import holds
from governance.lifecycle.retention import Due, clocks, due, earliest
from indicators.counting import counts_table, statistics_table
from indicators.tables import theme_table
from intake.admission import admitted_table
from intake.arrival import store_of
from intake.location import located_table

if TYPE_CHECKING:
    from conftest import Finished

    from warehouse.workspace import Workspace

ARRIVED = dt.date(2026, 4, 20)


def agreement(**retention: int) -> Agreement:
    content: dict[str, Any] = region_content()["agreements/DSA-TM-001.yaml"]
    days = {"received_days": 90, "restricted_days": 365, "linked_days": 730, **retention}
    return Agreement.model_validate({**content, "retention": days})


@pytest.mark.parametrize(
    ("zone", "expiry", "due_on", "clause"),
    [
        ("received", "2027-12-31", "2026-07-19", "retention.received_days"),
        ("restricted", "2027-12-31", "2027-04-20", "retention.restricted_days"),
        ("linked", "2027-12-31", "2028-04-19", "retention.linked_days"),
        # The agreement ended: whatever is record level is gone 30 days later, however young.
        ("received", "2026-06-01", "2026-07-01", "retention.after_end_days"),
        ("restricted", "2026-06-01", "2026-07-01", "retention.after_end_days"),
        ("restricted", "2027-03-20", "2027-04-19", "retention.after_end_days"),
        ("restricted", "2027-03-21", "2027-04-20", "retention.restricted_days"),
        # Counts have their own days, whatever became of the agreement.
        ("linked", "2026-06-01", "2028-04-19", "retention.linked_days"),
    ],
)
def test_the_clocks(zone: str, expiry: str, due_on: str, clause: str) -> None:
    signed = agreement().model_copy(update={"expiry_date": dt.date.fromisoformat(expiry)})
    assert signed.retention is not None

    found = earliest(signed, signed.retention, zone, ARRIVED)
    assert found == (dt.date.fromisoformat(due_on), clause)


def due_in(workspace: Workspace, day: str) -> list[Due]:
    return due(
        workspace.declared, workspace.root, dt.date.fromisoformat(day), landing=workspace.landing
    )


def test_nothing_is_due_the_day_before_and_everything_on_the_day(finished: Finished) -> None:
    workspace = finished.workspace

    assert due_in(workspace, "2026-07-18") == []
    for day in ("2026-07-19", "2026-07-20"):
        assert {(i.zone, i.source_id) for i in due_in(workspace, day)} == {
            ("received", "north_cases"), ("received", "south_cases"), ("received", "north_visits")
        }  # fmt: skip


def test_an_original_is_due_with_its_landed_copy(finished: Finished) -> None:
    workspace = finished.workspace
    (item,) = [i for i in due_in(workspace, "2026-07-19") if i.source_id == "south_cases"]

    assert item.landed == (workspace.landing / "south_cases" / "cases_2026-03.csv",)
    assert (item.period, item.version, item.rows) == ("2026-03", 1, 29)
    assert item.agreements == ("DSA-TM-002",)


def test_open_data_has_no_clock(finished: Finished) -> None:
    sources = {i.source_id for i in clocks(finished.workspace.declared, finished.workspace.root)}

    assert sources == {"north_cases", "south_cases", "north_visits", ""}


def test_the_names_on_the_disk_are_those_of_the_rooms(finished: Finished) -> None:
    workspace = finished.workspace
    found = {p for i in clocks(workspace.declared, workspace.root) for p in i.files}
    store = store_of(workspace)
    for source_id in ("north_cases", "south_cases", "north_visits"):
        source = workspace.declared.sources[source_id]
        for period in workspace.expected_periods(source):
            for table in (admitted_table(source), located_table(source), counts_table(source)):
                assert workspace.lake.path(table, period) in found
            (delivery,) = [d for d in store.deliveries(source) if d.period == period]
            assert store.stored_path(delivery) in found
    assert workspace.lake.path(theme_table("social_care")) in found
    assert statistics_table(source).name == "statistics_north_visits"


def test_the_clock_of_a_table_is_that_of_the_delivery_behind_it(finished_copy: Workspace) -> None:
    """A second version that was held back does not start the clock again."""
    root = finished_copy.root
    (first,) = (root / "received" / "north_cases" / "2026-03").glob("v001-*")
    second = first.with_name("v002-abcdefabcdef")
    shutil.copytree(first, second)
    record = json.loads((second / "delivery.json").read_text())
    (second / "delivery.json").chmod(0o600)
    record |= {"version": 2, "sha256": "abcdefabcdef" + "0" * 52, "arrived_on": "2026-09-01"}
    (second / "delivery.json").write_text(json.dumps(record))

    def day_of_table() -> dt.date:
        items = clocks(finished_copy.declared, root)
        return next(i.due_on for i in items if i.what == "admitted_north_cases 2026-03")

    assert day_of_table() == dt.date(2027, 4, 20)
    decisions = root / "quality" / "records" / "decisions" / "north_cases" / "2026-03.json"
    content = json.loads(decisions.read_text())
    content["decisions"] = [{**content["decisions"][0], "version": 2}]
    decisions.write_text(json.dumps(content))
    assert day_of_table() == dt.date(2027, 9, 1)


def test_the_same_bytes_sent_twice_have_one_clock(finished_copy: Workspace) -> None:
    root = finished_copy.root
    (first,) = (root / "received" / "north_visits" / "2026-01").glob("v001-*")
    twin = root / "received" / "north_visits" / "2026-02" / "v002-abcdefabcdef"
    shutil.copytree(first, twin)
    record = json.loads((twin / "delivery.json").read_text())
    (twin / "delivery.json").chmod(0o600)
    record |= {"version": 2, "period": "2026-02", "arrived_on": "2026-05-01"}
    (twin / "delivery.json").write_text(json.dumps(record))

    days = {
        (i.period, i.version): i.due_on
        for i in clocks(finished_copy.declared, root)
        if i.source_id == "north_visits" and i.zone == "received"
    }
    assert days["2026-02", 2] == days["2026-01", 1] == dt.date(2026, 7, 19)


def test_a_release_is_due_by_the_strictest_agreement_behind_it(finished: Finished) -> None:
    workspace = finished.workspace
    agreements = dict(workspace.declared.agreements)
    for name, days in (("DSA-TM-001", 400), ("DSA-TM-003", 300)):
        retention = agreements[name].retention
        assert retention is not None
        kept = retention.model_copy(update={"published_days": days})
        agreements[name] = agreements[name].model_copy(update={"retention": kept})
    declared = replace(workspace.declared, agreements=agreements)

    (item,) = [i for i in clocks(declared, workspace.root) if i.zone == "published"]
    # The release stands at 10 May 2026, the region's own day.
    assert item.due_on == dt.date(2026, 5, 10) + dt.timedelta(days=300)
    assert item.agreements == ("DSA-TM-003",)
    assert [i for i in clocks(workspace.declared, workspace.root) if i.zone == "published"] == []


@pytest.mark.parametrize(
    ("on", "held"),
    [
        ({"agreement": "DSA-TM-001", "source": None, "period": None}, {"north_cases"}),
        ({"agreement": None, "source": "south_cases", "period": None}, {"south_cases"}),
        ({"agreement": None, "source": "south_cases", "period": "2026-03"}, {"south_cases"}),
        ({"agreement": None, "source": "south_cases", "period": "2026-02"}, set()),
    ],
)
def test_what_a_hold_covers_shows_it(
    finished_copy: Workspace, on: dict[str, str | None], held: set[str]
) -> None:
    chain = AuditChain(finished_copy.root / "audit")
    hold = holds.add(
        finished_copy.root, chain, reason="complaint", by="Sam Example",
        day=dt.date(2026, 5, 10), **on,  # type: ignore[arg-type]
    )  # fmt: skip

    items = due_in(finished_copy, "2026-07-19")
    assert {i.source_id for i in items if i.hold is not None} == held
    assert {i.hold.id for i in items if i.hold is not None} <= {hold.id}
