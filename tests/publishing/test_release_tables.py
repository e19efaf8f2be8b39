"""The tables of a release: only protected or public figures, and where each of them comes from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from region_factory import AREAS, RESIDENTS

from declarations.errors import StorageError
from geography.placement import KEYS, placing
from indicators.notes import NOTES
from intake.accounting import SPLIT_METHODS
from intake.quality import quality_rows
from intake.records import read_record, write_record
from publishing.conform import conform_all
from publishing.dictionary import RELEASE_TABLES
from publishing.release_tables import (
    METHODS_OF,
    _accounting,
    admitted_delivery,
    lineage_table,
    period_words,
    release_tables,
    with_release_id,
)
from warehouse.workspace import Workspace

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def tables(finished: Any) -> dict[str, Any]:
    return release_tables(finished.workspace)


@pytest.fixture
def rows(tables: dict[str, Any]) -> Rows:
    return {name: table.to_pylist() for name, table in tables.items()}


def test_the_tables_are_those_the_dictionary_declares(tables: dict[str, Any]) -> None:
    named = {**tables, "observations": with_release_id(tables["observations"], "2026-03-r")}

    ready = conform_all(named)

    assert set(ready) == set(RELEASE_TABLES)


def test_areas_carry_public_census_figures_as_published(rows: Rows) -> None:
    assert [r["lsoa21cd"] for r in rows["areas"]] == sorted(AREAS)
    assert {r["lsoa21cd"]: r["residents"] for r in rows["areas"]} == RESIDENTS
    assert {r["households"] for r in rows["areas"]} == {None}
    assert {r["area_hectares"] for r in rows["areas"]} == {100.0}
    assert all(r["synthetic"] for r in rows["areas"])


def test_every_observation_names_its_area_and_vintage(rows: Rows) -> None:
    vintages = {(r["geography_type"], r["geography_vintage"]) for r in rows["observations"]}

    assert vintages == {("lsoa21", "2021"), ("msoa21", "2021"), ("lad24", "2024")}
    assert all(r["geography_name"] for r in rows["observations"])
    assert all(r["numerator"] is None or r["numerator"] >= 5 for r in rows["observations"])


def test_only_notes_that_are_used_are_explained(rows: Rows) -> None:
    used = {n for r in rows["observations"] for n in (r["note_id"] or "").split(",")} - {""}

    assert {r["note_id"] for r in rows["notes"]} == used
    assert {r["note_id"]: r["text"] for r in rows["notes"]} == {n: NOTES[n] for n in used}
    assert "includes_not_placed" in used


def test_accounting_is_protected_under_an_agreement_and_exact_for_open_data(rows: Rows) -> None:
    amounts = {
        (r["source_id"], r["quantity"], r["outcome"], r["detail"]): (
            r["amount"],
            r["amount_status"],
        )
        for r in rows["accounting"]
        if r["period"] in ("", "2026-03")
    }

    assert amounts["south_cases", "rows", "received", "all"] == (30, None)  # 29 exactly
    assert amounts["south_cases", "rows", "placed", "postcode_exact"] == (30, None)  # 28
    # Reasons are taken together, and every row is there whatever was counted.
    assert amounts["south_cases", "rows", "not placed", "all"] == (None, "[c]")
    assert amounts["south_cases", "rows", "placed", "postcode_terminated"] == (None, "[c]")
    assert {k[3] for k in amounts if k[:3] == ("south_cases", "rows", "not placed")} == {"all"}
    assert amounts["south_cases", "rows", "out of region", "all"] == (None, "[c]")
    # A case is in one area; visits are counts, which may be split.
    assert ("south_cases", "rows", "apportioned", "all") not in amounts
    assert amounts["north_visits", "visits", "apportioned", "all"] == (None, "[c]")
    protected = {r["source_id"]: r["protected"] for r in rows["accounting"]}
    assert protected == {
        "north_cases": True, "south_cases": True, "north_visits": True, "residents": False,
    }  # fmt: skip
    assert amounts["residents", "residents", "received", "all"] == (sum(RESIDENTS.values()), None)
    assert amounts["residents", "rows", "received", "all"] == (len(AREAS), None)


def test_a_method_no_key_allows_is_refused_rather_than_lost(finished: Any) -> None:
    row = {
        "source_id": "south_cases", "period": "2026-03", "quantity": "rows", "outcome": "placed",
        "detail": "uprn", "amount": 40,
    }  # fmt: skip

    with pytest.raises(StorageError, match=r"south_cases .* placed \(uprn\)"):
        list(_accounting(finished.workspace, {"accounting": [row]}))


def test_every_method_of_placing_belongs_to_a_key() -> None:
    listed = [m for methods in METHODS_OF.values() for m in methods]
    documented = placing.__doc__ or ""

    assert set(METHODS_OF) == set(KEYS)
    assert len(listed) == len(set(listed))
    named = documented[documented.index("geo_method") : documented.index("geo_reason")]
    words = set(re.findall(r"[a-z0-9_]+", named))
    assert set(listed) | set(SPLIT_METHODS) <= words
    assert {w for w in words if "_" in w} - {"geo_method"} <= set(listed) | set(SPLIT_METHODS)


def test_lineage_names_file_agreement_and_licence(rows: Rows) -> None:
    found = [r for r in rows["lineage"] if r["indicator_id"] == "T01"]

    assert {r["source_id"] for r in found} == {"north_cases", "south_cases", "residents"}
    (north,) = [r for r in found if r["source_id"] == "north_cases"]
    assert (north["agreement_id"], north["period"], north["file_name"]) == (
        "DSA-TM-001", "2026-03", "cases_2026-03.csv",
    )  # fmt: skip
    assert len(north["sha256"]) == 64
    assert north["synthetic"] is True
    (census,) = [r for r in found if r["source_id"] == "residents"]
    assert (census["period"], census["licence"]) == ("", "Open Government Licence v3.0")
    index = {r["source_id"] for r in rows["lineage"] if r["indicator_id"] == "T04"}
    assert index == {"north_cases", "south_cases", "residents", "north_visits"}


def test_a_delivery_that_was_not_admitted_is_not_in_the_lineage(finished_copy: Workspace) -> None:
    from intake.arrival import store_of

    source = finished_copy.declared.sources["north_cases"]
    record = read_record(finished_copy, "decisions", "north_cases", "2026-03")
    assert record is not None
    assert admitted_delivery(finished_copy, source, "2026-03", store_of(finished_copy)) is not None
    record["decisions"][-1]["decision"] = "quarantined"
    write_record(finished_copy, "decisions", "north_cases", "2026-03", record)

    assert admitted_delivery(finished_copy, source, "2026-03", store_of(finished_copy)) is None
    assert "north_cases" not in {r["source_id"] for r in lineage_table(finished_copy).to_pylist()}


def test_the_period_is_said_in_words(make_mere: Callable[..., Workspace]) -> None:
    assert period_words(make_mere()) == "January to March 2026"


def test_census_years_of_codes_are_published_for_open_sources_only(
    finished: Any, rows: Rows
) -> None:
    internal = {r["source_id"] for r in quality_rows(finished.workspace)["vintages"]}
    is_open = finished.workspace.declared.is_open
    assert {is_open[s] for s in internal} == {True, False}
    assert {r["source_id"] for r in rows["vintages"]} == {s for s in internal if is_open[s]}
