"""One table of exact rates for each theme: what it needs, what it holds, when it is made again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from region_factory import (
    AREAS,
    NORTH,
    NOT_PLACED,
    OPENED,
    RESIDENTS,
    SOUTH,
    region_content,
    rows_of,
)

from indicators.counting import counts_table
from indicators.tables import build_theme, of_theme, sources_needed, theme_table, themes
from warehouse.lake import TableRef
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]


def test_themes_are_those_of_counted_indicators(finished: Any) -> None:
    mere = finished.workspace

    assert themes(mere) == ["digital_inclusion", "social_care"]
    assert [i.id for i in of_theme(mere, "social_care")] == ["T01", "T02"]
    assert of_theme(mere, "homelessness") == []


def test_a_theme_needs_the_sources_that_count_its_terms(finished: Any) -> None:
    needed = [s.id for s in sources_needed(finished.workspace, "social_care")]

    assert needed == ["north_cases", "residents", "south_cases"]
    assert [s.id for s in sources_needed(finished.workspace, "digital_inclusion")] == [
        "north_visits"
    ]
    assert sources_needed(finished.workspace, "homelessness") == []


def rates(mere: Workspace, indicator: str, level: str) -> dict[str, dict[str, Any]]:
    return {
        r["geography_code"]: r
        for theme in themes(mere)
        for r in rows_of(mere, theme_table(theme))
        if r["indicator_id"] == indicator and r["geography_type"] == level
    }


def test_exact_rates_of_every_area(finished: Any) -> None:
    found = rates(finished.workspace, "T01", "lsoa21")

    assert {code: (r["numerator"], r["denominator"]) for code, r in found.items()} == {
        code: (OPENED[code], RESIDENTS[code]) for code in AREAS
    }
    for code, row in found.items():
        assert row["value"] == pytest.approx(1000 * OPENED[code] / RESIDENTS[code])
        assert row["lower_ci"] <= row["value"] <= row["upper_ci"]


def test_a_district_counts_its_people_without_an_area_too(finished: Any) -> None:
    found = rates(finished.workspace, "T01", "lad24")

    for lad, more in ((NORTH, 0), (SOUTH, NOT_PLACED)):
        inside = sum(n for code, n in OPENED.items() if AREAS[code][2] == lad)
        assert found[lad]["numerator"] == inside + more
        # On both districts alike: a note must not tell which of them has such a record.
        assert found[lad]["note_id"] == "includes_not_placed"


def test_a_district_without_a_supplier_is_missing_not_zero(finished: Any) -> None:
    found = [
        r
        for r in rows_of(finished.workspace, theme_table("digital_inclusion"))
        if r["lad24cd"] == SOUTH
    ]

    assert found
    assert {(r["numerator"], r["value"], r["value_status"]) for r in found} == {(None, None, "[x]")}


def test_a_theme_is_made_again_only_when_its_counts_change(finished_copy: Workspace) -> None:
    assert build_theme(finished_copy, "social_care").outcome == "current"
    source = finished_copy.declared.sources["north_cases"]
    finished_copy.lake.mark_absent(
        counts_table(source), "2026-03", fingerprint="gone", reason="withdrawn"
    )

    assert build_theme(finished_copy, "social_care").outcome == "built"
    assert build_theme(finished_copy, "digital_inclusion").outcome == "current"
    found = rates(finished_copy, "T01", "lad24")
    assert (found[NORTH]["value_status"], found[NORTH]["note_id"]) == ("[x]", "incomplete")
    assert found[SOUTH]["value_status"] is None


def test_a_region_without_areas_has_no_themes_table(make_mere: Make) -> None:
    built = build_theme(make_mere(region_content()), "social_care")

    assert (built.outcome, built.reason) == ("absent", "the region has no areas")
    assert built.table == TableRef("linked", "indicator_social_care")
