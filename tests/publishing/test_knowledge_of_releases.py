"""What an attacker knows beside a release: totals of others, and the releases before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from region_factory import (
    AREAS,
    NORTH,
    NOT_PLACED,
    OPENED,
    SOUTH,
    each,
    make_workspace,
    region_content,
    run_to_location,
)

from governance.disclosure.joint import Derived
from governance.disclosure.system import UNBOUNDED
from indicators.counting import count_source
from indicators.tables import AREAS as REGION_AREAS
from indicators.tables import RATE_COLUMNS, build_theme, theme_table, themes
from intake.location import located_table
from publishing.protection.candidate import (
    Candidate,
    RowKey,
    Span,
    definition_id,
    exact_sums,
    read_candidate,
)
from publishing.protection.knowledge import Known, earlier_releases, ledger_of, public_totals
from publishing.release import ReleaseOutcome
from warehouse.workspace import Workspace

ONE, TWO, THREE, FOUR, FIVE, SIX = AREAS
QUARTER = ("2026-01-01", "2026-03-31")
MINISTRY = {
    "id": "ministry", "title": "Cases by district", "publisher": "A ministry (synthetic)",
    "measures": ["cases_opened"],
}  # fmt: skip
TOTAL = {
    NORTH: sum(OPENED[a] for a in (ONE, TWO, THREE)),
    SOUTH: sum(OPENED[a] for a in (FOUR, FIVE, SIX)) + NOT_PLACED,
}

Ready = tuple[Workspace, duckdb.DuckDBPyConnection, Candidate]


@contextmanager
def opened(workspace: Workspace) -> Iterator[Ready]:
    """A candidate, with the connection that holds its counts and areas."""
    with workspace.connect() as connection:
        areas = workspace.lake.scan(REGION_AREAS)
        connection.execute(f"CREATE TABLE areas AS SELECT * EXCLUDE (geometry) FROM {areas}")
        scans = [s for n in themes(workspace) if (s := workspace.lake.scan(theme_table(n)))]
        union = " UNION ALL ".join(f"SELECT {RATE_COLUMNS} FROM {s}" for s in scans)
        connection.execute(f"CREATE TABLE exact_rows AS {union}")
        yield workspace, connection, read_candidate(workspace, connection, "exact_rows", "areas")


@pytest.fixture
def ready(tmp_path: Path) -> Callable[..., Any]:
    """Make the region with totals of others, up to its exact figures, and open its candidate."""

    def make(*totals: dict[str, Any], leave_out: tuple[str, ...] = ()) -> Any:
        content = region_content(public_totals=[*totals])
        workspace = make_workspace(tmp_path, content, leave_out=leave_out)
        run_to_location(workspace)
        for source, period in each(workspace, "records", "values", "statistics"):
            count_source(workspace, source, period, located_table(source))
        for theme in themes(workspace):
            build_theme(workspace, theme)
        return opened(workspace)

    return make


def told(ready: Ready) -> dict[str, float]:
    """What others say of each area; every claim is exact."""
    workspace, connection, candidate = ready
    known = public_totals(workspace.declared, candidate, connection, "areas")
    assert all(claim.lower == claim.upper for claim in known.claims)
    assert all(claim.definition_id in known.definitions for claim in known.claims)
    return {claim.area_code: claim.lower for claim in known.claims}


class TestPublicTotals:
    def test_a_district_is_told_exactly_with_those_who_have_no_place(
        self, ready: Callable[..., Any]
    ) -> None:
        with ready(MINISTRY) as found:
            assert told(found) == TOTAL

    def test_a_total_of_what_is_published_is_the_same_sum(self, ready: Callable[..., Any]) -> None:
        with ready(MINISTRY) as (workspace, connection, candidate):
            known = public_totals(workspace.declared, candidate, connection, "areas")
            name = candidate.definition_of[Span("T01", *QUARTER, "lad24"), "numerator"]
            assert {*known.definitions} == {name}
            assert known.definitions[name] == candidate.definitions[name]

    def test_a_district_whose_delivery_is_missing_is_not_told(
        self, ready: Callable[..., Any]
    ) -> None:
        with ready(MINISTRY, leave_out=("south_cases",)) as found:
            assert told(found) == {NORTH: TOTAL[NORTH]}

    def test_without_any_delivery_nothing_is_told(self, ready: Callable[..., Any]) -> None:
        with ready(MINISTRY, leave_out=("north_cases", "south_cases")) as found:
            assert told(found) == {}

    def test_a_count_that_came_hidden_tells_nothing_of_its_district(
        self, ready: Callable[..., Any]
    ) -> None:
        with ready(MINISTRY) as found:
            found[1].execute("UPDATE counts SET value = NULL WHERE lsoa21cd = ?", [FIVE])
            assert told(found) == {NORTH: TOTAL[NORTH]}

    def test_nor_does_one_that_came_hidden_without_a_place(self, ready: Callable[..., Any]) -> None:
        with ready(MINISTRY) as found:
            found[1].execute(
                "UPDATE counts SET value = NULL WHERE lsoa21cd IS NULL AND lad24cd = ?", [SOUTH]
            )
            assert told(found) == {NORTH: TOTAL[NORTH]}

    def test_totals_of_one_category(self, ready: Callable[..., Any]) -> None:
        # Every third case of a neighbourhood is one of support, the first among them.
        support = {
            NORTH: sum(-(-OPENED[a] // 3) for a in (ONE, TWO, THREE)),
            SOUTH: sum(-(-OPENED[a] // 3) for a in (FOUR, FIVE, SIX)),
        }
        with ready({**MINISTRY, "categories": ["SUPP*"]}) as found:
            assert told(found) == support

    def test_totals_of_neighbourhoods(self, ready: Callable[..., Any]) -> None:
        with ready({**MINISTRY, "level": "lsoa21"}) as found:
            assert told(found) == OPENED

    def test_totals_of_msoas(self, ready: Callable[..., Any]) -> None:
        sums: dict[str, int] = defaultdict(int)
        for area, (_, msoa, _) in AREAS.items():
            sums[msoa] += OPENED[area]
        with ready({**MINISTRY, "level": "msoa21"}) as found:
            assert told(found) == sums

    def test_a_year_that_was_not_delivered_whole_is_not_told(
        self, ready: Callable[..., Any]
    ) -> None:
        with ready({**MINISTRY, "window": "year"}) as found:
            assert told(found) == {}

    def test_no_totals_are_declared(self, ready: Callable[..., Any]) -> None:
        with ready() as found:
            assert told(found) == {}


class TestEarlierReleases:
    @pytest.fixture(scope="class")
    def known(self, exposed: tuple[Workspace, ReleaseOutcome]) -> Known:
        workspace, _ = exposed
        return earlier_releases(workspace, [e.release_id for e in ledger_of(workspace).releases()])

    @pytest.fixture(scope="class")
    def candidate(self, exposed: tuple[Workspace, ReleaseOutcome]) -> Candidate:
        with opened(exposed[0]) as (_, _, found):
            return found

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
        with opened(exposed[0]) as (_, connection, _):
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

    def test_what_was_hidden_is_named_with_its_profile(
        self, known: Known, candidate: Candidate
    ) -> None:
        name = candidate.definition_of[Span("T01", *QUARTER, "lsoa21"), "numerator"]
        hidden = {c.area_code: p.name for c, p in known.hidden if c.definition_id == name}
        assert hidden == dict.fromkeys((ONE, THREE, SIX), "hide0-r5")
        assert all((c.lower, c.upper) == (0, 4) for c, _ in known.hidden)

    def test_a_definition_keeps_its_identifier(self, known: Known, candidate: Candidate) -> None:
        for (span, _), name in candidate.definition_of.items():
            assert definition_id(known.definitions[name], span.geography_type) == name
        assert candidate.rows[RowKey("T01", *QUARTER, "lsoa21", TWO)].numerator == OPENED[TWO]
