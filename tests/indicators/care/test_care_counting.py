"""Counts of social care through a whole region: returns joined, looked back into, disposed of."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from agency_factory import prepare_hub
from care_samples import contract
from region_factory import make_workspace, put, region_content, rows_of

from governance.lifecycle.marks import leave_mark
from indicators.counting import count_source, counts_table
from intake.admission import admit
from intake.arrival import receive_source
from intake.location import locate, located_table
from warehouse.lake import TableRef
from warehouse.workspace import Built, Workspace

CARE, DECEMBER, MARCH, JUNE = "north_care", "2025-12", "2026-03", "2026-06"
HEADER = ["person_id", "client_type", "event_type", "event_start_date", "event_end_date",
          "event_outcome", "service_type", "service_component", "date_of_death", "postcode",
          "date_of_birth", "unit_cost"]  # fmt: skip
STAY = ["Service User", "Service"]
HOME = ["Long term support: Residential care", "Residential care"]
OPEN = ["A", *STAY, "2025-02-01", "", "", *HOME, "", "TM1 1AA", "1940-01-01", "900"]
ENDED = ["B", *STAY, "2024-05-01", "2025-03-20", "", *HOME, "", "TM1 1AA", "1940-01-01", "900"]
AGAIN = ["B", *STAY, "2026-02-01", "", "", *HOME, "", "TM1 1AB", "1940-01-01", "900"]
FIRST = ["C", *STAY, "2026-02-02", "", "", *HOME, "", "TM1 1AB", "1940-01-01", "900"]

KEPT_BY_EVENTS = ["client_type", "primary_support_reason", "accommodation_status", "date_of_death",
                  "event_type", "event_start_date", "event_end_date", "event_outcome",
                  "request_route_of_access", "service_type", "service_component",
                  "delivery_mechanism"]  # fmt: skip


def content() -> dict[str, dict[str, Any]]:
    """Return the made-up region with a council's quarterly social care."""
    made = region_content(first_period="2025-03", last_period="2026-06", as_of=dt.date(2026, 7, 10))
    said = contract().model_dump(mode="json", exclude_defaults=True, by_alias=True)
    made["contracts/cld_events.yaml"] = {**said, "health_or_care": False}
    made[f"sources/{CARE}.yaml"] = {
        **made["sources/north_cases.yaml"], "id": CARE, "contract": "cld_events",
        "theme": "social_care", "files": "care_{period}.csv", "first_period": "2025-03",
        "cadence": "quarterly",
    }  # fmt: skip
    columns = [{"name": n, "class": "measure", "action": "keep"} for n in KEPT_BY_EVENTS]
    columns += [
        {"name": "person_id", "class": "direct_identifier", "action": "pseudonymise"},
        {"name": "postcode", "class": "quasi_identifier", "action": "generalise"},
        {"name": "date_of_birth", "class": "direct_identifier", "action": "generalise",
         "to": "age_band"},
        {"name": "nhs_number", "class": "direct_identifier", "action": "generalise",
         "to": "presence"},
        {"name": "unit_cost", "class": "measure", "action": "drop"},
    ]  # fmt: skip
    agreement = made["agreements/DSA-TM-001.yaml"]
    agreement["sources"] = [*agreement["sources"], {"id": CARE, "columns": columns}]
    return made


def deliver(workspace: Workspace, month: str, rows: list[list[str]], **more: Any) -> None:
    said = ["la_code", "reporting_period_start_date", "reporting_period_end_date"]
    lines = [",".join([*said, *HEADER])]
    lines += [",".join(f'"{cell}"' for cell in ["E08990001", "", "", *row]) for row in rows]
    put(workspace.landing, CARE, f"care_{month}.csv", lines, **more)
    source = workspace.declared.sources[CARE]
    receive_source(workspace, source)
    admit(workspace, source, month)
    locate(workspace, source, month)


def count(workspace: Workspace, month: str) -> Built:
    source = workspace.declared.sources[CARE]
    return count_source(workspace, source, month, located_table(source))


def admissions(workspace: Workspace, month: str) -> int:
    source = workspace.declared.sources[CARE]
    rows = rows_of(workspace, counts_table(source), month)
    return sum(r["value"] for r in rows if r["measure"] == "residential_admissions")


@pytest.fixture
def region(tmp_path: Path) -> Workspace:
    """A region with the returns of two quarters; B had been in a home in the year before."""
    workspace = make_workspace(tmp_path, content())
    prepare_hub(workspace)
    deliver(workspace, DECEMBER, [OPEN, ENDED])
    deliver(workspace, MARCH, [OPEN, AGAIN, FIRST])
    return workspace


def test_an_earlier_return_is_looked_back_into(region: Workspace) -> None:
    built = count(region, MARCH)

    assert built.outcome == "built"
    assert admissions(region, MARCH) == 1  # C alone: B's earlier stay stands in December's return
    rows = rows_of(region, counts_table(region.declared.sources[CARE]), MARCH)
    ages = {r["category"] for r in rows if r["measure"] == "long_term_support_clients"}
    assert ages == {"85-94"}
    assert {r["lsoa21cd"] for r in rows if r["measure"] == "residential_admissions"} == {
        "E01990002"
    }


def test_one_return_alone_cannot_know_what_it_does_not_hold(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, content())
    prepare_hub(workspace)
    deliver(workspace, MARCH, [OPEN, AGAIN, FIRST])

    count(workspace, MARCH)

    assert admissions(workspace, MARCH) == 2


def test_what_the_next_return_is_the_first_to_have_is_counted_there(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, content())
    prepare_hub(workspace)
    deliver(workspace, MARCH, [OPEN])
    deliver(workspace, JUNE, [OPEN, FIRST])  # admitted in February
    count(workspace, MARCH)
    count(workspace, JUNE)
    assert (admissions(workspace, MARCH), admissions(workspace, JUNE)) == (0, 1)

    deliver(workspace, MARCH, [OPEN, FIRST], day=dt.date(2026, 7, 1))  # March is delivered again
    count(workspace, MARCH)
    count(workspace, JUNE)
    assert (admissions(workspace, MARCH), admissions(workspace, JUNE)) == (1, 0)


def test_counts_are_made_again_when_an_earlier_return_changes(region: Workspace) -> None:
    count(region, MARCH)
    assert count(region, MARCH).outcome == "current"

    deliver(region, DECEMBER, [OPEN])

    assert count(region, MARCH).outcome == "built"
    assert admissions(region, MARCH) == 2


def test_no_cost_and_no_birth_is_stored(region: Workspace) -> None:
    rows = rows_of(region, located_table(region.declared.sources[CARE]), MARCH)

    assert not {"unit_cost", "date_of_birth", "nhs_number"} & set(rows[0])
    assert {r["age_band"] for r in rows} == {"85-94"}


def dispose_of(region: Workspace, month: str, day: str) -> None:
    """Do what disposal does to a month's record-level tables: remove them and leave word."""
    source = region.declared.sources[CARE]
    for table in (located_table(source), TableRef("restricted", f"admitted_{CARE}")):
        region.lake.path(table, month).unlink()
    leave_mark(
        region.root,
        {"kind": "partition", "zone": "restricted", "source_id": CARE, "period": month,
         "version": 1, "on": day, "agreements": ["DSA-TM-001"], "id": "disposal-1", "files": []},
    )  # fmt: skip


def test_counts_made_with_a_return_disposed_of_since_stay(region: Workspace) -> None:
    count(region, MARCH)

    dispose_of(region, DECEMBER, "2026-05-01")

    assert count(region, MARCH).outcome == "current"
    assert admissions(region, MARCH) == 1


def test_a_later_return_of_the_month_itself_is_counted_with_what_there_is(
    region: Workspace,
) -> None:
    count(region, MARCH)
    dispose_of(region, DECEMBER, "2026-05-01")

    deliver(region, MARCH, [OPEN, AGAIN], day=dt.date(2026, 6, 1))

    assert count(region, MARCH).outcome == "built"
    assert admissions(region, MARCH) == 1  # B, whose earlier stay nobody holds any more


def test_a_return_with_pseudonyms_of_another_key_is_not_joined(
    region: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = region.declared.sources[CARE]
    state = region.lake.state
    older = located_table(source)

    def renamed(table: TableRef, period: str = "all") -> Any:
        found = state(table, period)
        if found is not None and (table, period) == (older, DECEMBER):
            return type(found)(**{**found.__dict__, "pseudonyms": "another"})
        return found

    monkeypatch.setattr(region.lake, "state", renamed)

    count(region, MARCH)

    assert admissions(region, MARCH) == 2
