"""The quality table of the plausibility checks, on the made-up region with a check of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from region_factory import region_content, run_to_protection

from indicators.plausibility.stage import build_plausibility, plausibility_found
from publishing.release_tables import release_tables
from warehouse.workspace import Workspace

CHECK: dict[str, Any] = {
    "id": "cases_against_people", "title": "Cases opened against people supported",
    "description": "Made up for tests: every case is a person's.",
    "left": {"title": "Cases opened", "counts": "cases_opened"},
    "right": {"title": "People supported", "counts": "people_supported"},
    "level": "region", "period": "same_month",
    "tolerance": {"relation": "ratio", "lower": 0.1, "upper": 50, "reason": "Made up."},
    "meaning": {"left_larger": "Too many cases.", "left_smaller": "Too few cases."},
    "owner": "team:tests",
}  # fmt: skip


@pytest.fixture
def checked(make_mere: Callable[..., Workspace]) -> Callable[..., Workspace]:
    def make(**changes: Any) -> Workspace:
        content = region_content()
        content["plausibility/cases_against_people.yaml"] = {**CHECK, **changes}
        mere = make_mere(content)
        run_to_protection(mere)
        return mere

    return make


def outcomes(mere: Workspace) -> list[tuple[str, str]]:
    return [(r["check_id"], r["outcome"]) for r in plausibility_found(mere)]


def test_the_table_is_written_and_left_alone_while_nothing_changes(
    checked: Callable[..., Workspace],
) -> None:
    mere = checked()

    assert plausibility_found(mere) == []
    assert build_plausibility(mere).outcome == "built"
    assert ("cases_against_people", "passed") in outcomes(mere)
    assert build_plausibility(mere).outcome == "current"


def test_a_check_out_of_tolerance_fails_and_no_count_of_it_is_published(
    checked: Callable[..., Workspace],
) -> None:
    tight = {"relation": "ratio", "lower": 0.1, "upper": 0.2, "reason": "Made up."}
    mere = checked(tolerance=tight)
    build_plausibility(mere)

    assert ("cases_against_people", "failed") in outcomes(mere)
    exact = [r for r in plausibility_found(mere) if r["outcome"] == "failed"]
    assert all(r["left"] > 0 and r["right"] > 0 for r in exact)
    told = release_tables(mere)["plausibility"].to_pylist()
    assert {r["outcome"] for r in told if r["check_id"] == "cases_against_people"} == {
        "not_published"
    }
    assert all((r["left"], r["right"], r["ratio"]) == (None, None, None) for r in told)
