"""What an attacker knows beside a release: totals of others, and the releases before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from candidate_reading import opened, run_to_exact_figures
from region_factory import (
    AREAS,
    NORTH,
    NOT_PLACED,
    OPENED,
    SOUTH,
    make_workspace,
    region_content,
)

from governance.disclosure.attacker.system import UNBOUNDED
from governance.disclosure.known.joint import Derived
from governance.disclosure.known.ledger_tables import LedgerTables, empty_tables
from publishing.protection.candidate import (
    Candidate,
    RowKey,
    Span,
    definition_id,
    exact_sums,
)
from publishing.protection.knowledge import Known, earlier_releases, public_totals
from publishing.protection.past_releases import ledger_of
from publishing.release import ReleaseOutcome
from warehouse.workspace import Workspace

ONE, TWO, THREE, FOUR, FIVE, SIX = AREAS
Make = Callable[..., Workspace]
QUARTER = ("2026-01-01", "2026-03-31")
MINISTRY = {
    "id": "ministry", "title": "Cases by district", "publisher": "A ministry (synthetic)",
    "measures": ["cases_opened"],
}  # fmt: skip
TOTAL = {
    NORTH: sum(OPENED[a] for a in (ONE, TWO, THREE)),
    SOUTH: sum(OPENED[a] for a in (FOUR, FIVE, SIX)) + NOT_PLACED,
}


@pytest.fixture
def ready(tmp_path: Path) -> Make:
    """Make the region with totals of others, up to its exact figures."""

    def make(*totals: dict[str, Any], leave_out: tuple[str, ...] = ()) -> Workspace:
        content = region_content(public_totals=[*totals])
        workspace = make_workspace(tmp_path, content, leave_out=leave_out)
        run_to_exact_figures(workspace)
        return workspace

    return make


def told(workspace: Workspace, *changes: str) -> dict[str, float]:
    """What others say of each area, its counts changed by SQL; every claim is exact."""
    with opened(workspace) as (connection, candidate):
        for change in changes:
            connection.execute(f"UPDATE counts SET value = NULL WHERE {change}")
        known = public_totals(workspace.declared, candidate, connection, "areas")
    assert all(claim.lower == claim.upper for claim in known.claims)
    assert all(claim.definition_id in known.definitions for claim in known.claims)
    return {claim.area_code: claim.lower for claim in known.claims}


class TestPublicTotals:
    def test_a_district_is_told_exactly_with_those_who_have_no_place(self, ready: Make) -> None:
        assert told(ready(MINISTRY)) == TOTAL

    def test_a_total_of_a_published_figure_is_the_same_sum(self, ready: Make) -> None:
        workspace = ready(MINISTRY)
        with opened(workspace) as (connection, candidate):
            known = public_totals(workspace.declared, candidate, connection, "areas")
            name = candidate.definition_of[Span("T01", *QUARTER, "lad24"), "numerator"]
            assert {*known.definitions} == {name}
            assert known.definitions[name] == candidate.definitions[name]

    def test_a_district_whose_delivery_is_missing_is_not_told(self, ready: Make) -> None:
        assert told(ready(MINISTRY, leave_out=("south_cases",))) == {NORTH: TOTAL[NORTH]}

    def test_without_any_delivery_nothing_is_told(self, ready: Make) -> None:
        assert told(ready(MINISTRY, leave_out=("north_cases", "south_cases"))) == {}

    def test_a_count_that_came_hidden_tells_nothing_of_its_district(self, ready: Make) -> None:
        assert told(ready(MINISTRY), f"lsoa21cd = '{FIVE}'") == {NORTH: TOTAL[NORTH]}

    def test_nor_does_one_that_came_hidden_without_a_place(self, ready: Make) -> None:
        unplaced = f"lsoa21cd IS NULL AND lad24cd = '{SOUTH}'"
        assert told(ready(MINISTRY), unplaced) == {NORTH: TOTAL[NORTH]}

    def test_totals_of_one_category(self, ready: Make) -> None:
        # Every third case of a neighbourhood is one of support, the first among them.
        support = {
            NORTH: sum(-(-OPENED[a] // 3) for a in (ONE, TWO, THREE)),
            SOUTH: sum(-(-OPENED[a] // 3) for a in (FOUR, FIVE, SIX)),
        }
        assert told(ready({**MINISTRY, "categories": ["SUPP*"]})) == support

    def test_totals_of_neighbourhoods(self, ready: Make) -> None:
        assert told(ready({**MINISTRY, "level": "lsoa21"})) == OPENED

    def test_totals_of_msoas(self, ready: Make) -> None:
        sums: dict[str, int] = defaultdict(int)
        for area, (_, msoa, _) in AREAS.items():
            sums[msoa] += OPENED[area]
        assert told(ready({**MINISTRY, "level": "msoa21"})) == sums

    def test_a_year_that_was_not_delivered_whole_is_not_told(self, ready: Make) -> None:
        assert told(ready({**MINISTRY, "window": "year"})) == {}

    def test_no_totals_are_declared(self, ready: Make) -> None:
        assert told(ready()) == {}


@pytest.fixture(scope="module")
def known(exposed: tuple[Workspace, ReleaseOutcome]) -> Known:
    workspace, _ = exposed
    return earlier_releases(workspace, [e.release_id for e in ledger_of(workspace).releases()])


@pytest.fixture(scope="module")
def candidate(exposed: tuple[Workspace, ReleaseOutcome]) -> Candidate:
    with opened(exposed[0]) as (_, found):
        return found


class TestEarlierReleases:
    def test_a_release_that_does_not_count_said_nothing(self, exposed: Any) -> None:
        known = earlier_releases(exposed[0], [])
        assert (dict(known.definitions), [*known.claims], dict(known.members)) == ({}, [], {})

    def test_the_definitions_are_those_of_the_candidate(
        self, known: Known, candidate: Candidate
    ) -> None:
        own = {name: known.definitions[name] for name in candidate.definitions}
        assert own == dict(candidate.definitions)

    def test_the_tokens_are_those_of_the_candidate(
        self, known: Known, candidate: Candidate
    ) -> None:
        assert {k: dict(v) for k, v in known.tokens.items()} == dict(candidate.tokens)

    def test_every_true_count_lies_within_what_was_said_of_it(
        self, exposed: Any, known: Known
    ) -> None:
        claims = [c for c in known.claims if c.geography_type != "combined"]
        with opened(exposed[0]) as (connection, _):
            derived = [
                Derived(c.geography_type, c.area_code, known.definitions[c.definition_id], n)
                for n, c in enumerate(claims)
            ]
            exact = exact_sums(connection, "areas", derived)
        assert len(claims) > len(AREAS)
        for number, claim in enumerate(claims):
            assert claim.lower <= exact[number] <= claim.upper

    def test_areas_taken_together_are_known_by_their_members(self, known: Known) -> None:
        (area,) = {c.area_code for c in known.claims if c.geography_type == "combined"}
        assert {*known.members[area]} == {FOUR, FIVE}

    def test_what_was_withheld_is_said_to_be_anything(
        self, known: Known, candidate: Candidate
    ) -> None:
        name = candidate.definition_of[Span("T01", *QUARTER, "lsoa21"), "numerator"]
        said = {c.area_code: (c.lower, c.upper) for c in known.claims if c.definition_id == name}
        assert said[FOUR] == said[FIVE] == (0, UNBOUNDED)
        # 13 cases are shown as 15, which stands for 13 to 17.
        assert said[TWO] == (13, 17)

    def test_what_could_be_small_is_named_with_its_profile(
        self, known: Known, candidate: Candidate
    ) -> None:
        name = candidate.definition_of[Span("T01", *QUARTER, "lsoa21"), "numerator"]
        small = {c.area_code: p.name for c, p in known.could_be_small if c.definition_id == name}
        assert small == dict.fromkeys((ONE, THREE, FOUR, FIVE, SIX), "hide0-r5")
        bounds = {(c.lower, c.upper) for c, _ in known.could_be_small}
        # Hidden, or withheld for another's sake: both may be small.
        assert bounds == {(0, 4), (0, UNBOUNDED)}

    def test_a_definition_keeps_its_identifier(self, known: Known, candidate: Candidate) -> None:
        for (span, _), name in candidate.definition_of.items():
            assert definition_id(known.definitions[name], span.geography_type) == name
        assert candidate.rows[RowKey("T01", *QUARTER, "lsoa21", TWO)].numerator == OPENED[TWO]

    def test_an_msoa_that_stands_for_its_neighbourhoods_is_still_the_msoa(
        self, make_mere: Make
    ) -> None:
        """Neighbourhoods shown as their MSOA have its code; other figures of it have it as well."""
        workspace = make_mere()
        names = {"own figure": "msoa21", "stands for": "combined"}
        ledger_of(workspace).append("r1", tables_of(names, "E02990001", [ONE, TWO]))

        found = earlier_releases(workspace, ["r1"])

        said = {claim.definition_id: claim.area_code for claim in found.claims}
        assert said["own figure"] == "E02990001"
        assert said["stands for"] != "E02990001"
        assert {*found.members[said["stands for"]]} == {ONE, TWO}


def tables_of(definitions: dict[str, str], area: str, members: list[str]) -> LedgerTables:
    """What a release says of one area, by definitions of one delivery at several levels."""
    given: dict[str, list[dict[str, Any]]] = {
        "definitions": [
            {"definition_id": name, "indicator_id": "T01", "term": "numerator",
             "geography_type": level, "period_start": QUARTER[0], "period_end": QUARTER[1]}
            for name, level in definitions.items()
        ],
        "definition_parts": [
            {"definition_id": name, "source_id": "north_cases", "measure": "cases_opened",
             "category": "advice", "period": "2026-03", "state": "s"}
            for name in definitions
        ],
        "cells": [
            {"definition_id": name, "area_code": area, "lower": 8, "upper": 12,
             "profile": "hide0-r5", "status": "published"}
            for name in definitions
        ],
        "members": [{"area_code": area, "lsoa21cd": lsoa} for lsoa in members],
    }  # fmt: skip
    made = {name: pa.Table.from_pylist(rows) for name, rows in given.items()}
    return LedgerTables(**made, tokens=empty_tables().tokens)
