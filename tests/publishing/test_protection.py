"""The one place where exact figures become publishable ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from region_factory import AREAS, OPENED, RESIDENTS, rows_of

from governance.disclosure import protect_count
from indicators.tables import theme_table, themes
from publishing.derived import DERIVED_OBSERVATIONS
from publishing.protection import PROTECTED, protect_themes
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]
NAMED = ("indicator_id", "period_start", "period_end", "geography_type", "geography_code")


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in NAMED)


@pytest.fixture
def exact(finished: Any) -> dict[tuple[Any, ...], dict[str, Any]]:
    mere = finished.workspace
    return {key(r): r for theme in themes(mere) for r in rows_of(mere, theme_table(theme))}


@pytest.fixture
def shown(finished: Any) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {key(r): r for r in rows_of(finished.workspace, PROTECTED)}


Rows = dict[tuple[Any, ...], dict[str, Any]]


def test_every_count_went_through_the_profile(exact: Rows, shown: Rows) -> None:
    assert {r["numerator"] for r in exact.values()} & {1, 2, 3, 4}  # there is something to hide
    for name, row in exact.items():
        assert shown[name]["numerator"] == protect_count(row["numerator"])
        assert shown[name]["denominator"] == protect_count(row["denominator"])


def test_a_hidden_count_has_no_rate_and_no_interval(exact: Rows, shown: Rows) -> None:
    hidden = [n for n, r in exact.items() if r["numerator"] is not None and r["numerator"] < 5]

    assert {exact[n]["numerator"] for n in hidden} >= {0, 1, 3, 4}
    for name in hidden:
        row = shown[name]
        assert (row["value"], row["lower_ci"], row["upper_ci"]) == (None, None, None)
        assert row["value_status"] == "[c]"


def test_a_hidden_zero_cannot_be_told_from_a_hidden_four(shown: Rows) -> None:
    def look(lsoa: str) -> list[Any]:
        (row,) = [r for n, r in shown.items() if n[0] == "T01" and n[4] == lsoa]
        return [v for k, v in row.items() if k not in (*NAMED, "denominator", "lad24cd")]

    assert (OPENED["E01990003"], OPENED["E01990004"]) == (0, 4)
    assert look("E01990003") == look("E01990004")


def test_a_shown_rate_is_that_of_the_protected_counts(finished: Any, shown: Rows) -> None:
    declared = finished.workspace.declared.indicators
    seen = 0
    for row in shown.values():
        if row["value"] is None:
            continue
        ratio = min(
            row["numerator"] / row["denominator"], 1.0 if row["indicator_id"] == "T03" else 9
        )
        assert row["value"] == pytest.approx(declared[row["indicator_id"]].multiplier * ratio)
        seen += 1
    assert seen
    exact = 1000 * OPENED["E01990002"] / RESIDENTS["E01990002"]
    assert all(r["value"] != exact for r in shown.values())


def test_an_index_is_made_of_what_is_published(finished: Any) -> None:
    derived = rows_of(finished.workspace, DERIVED_OBSERVATIONS)
    index = {r["geography_code"]: r for r in derived if r["indicator_id"] == "T04"}

    assert set(index) == set(AREAS)
    # Need hidden and no visits supplied: nothing is known, and nothing is said.
    assert (index["E01990004"]["value"], index["E01990004"]["value_status"]) == (None, "[x]")
    # Need hidden, visits known: the hidden input takes no part.
    assert index["E01990001"]["note_id"] == "fewer_inputs"
    assert index["E01990002"]["value"] is not None
    assert all(r["numerator"] is None for r in index.values())


def test_protection_is_made_again_only_when_a_theme_changes(finished_copy: Workspace) -> None:
    assert protect_themes(finished_copy).outcome == "current"
    finished_copy.lake.mark_absent(
        theme_table("digital_inclusion"), "all", fingerprint="gone", reason="withdrawn"
    )

    assert protect_themes(finished_copy).outcome == "built"
    assert {r["indicator_id"] for r in rows_of(finished_copy, PROTECTED)} >= {"T01", "T02"}


def test_without_any_indicator_there_is_nothing_to_protect(mere: Workspace) -> None:
    built = protect_themes(mere)

    assert (built.outcome, built.reason) == ("absent", "no indicator could be made")
