"""What each figure of a candidate is a sum of, and its exact value."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from candidate_reading import opened, run_to_exact_figures
from exposed_region import deliver
from hypothesis import given, settings
from hypothesis import strategies as st
from region_factory import (
    AREAS,
    NORTH,
    NOT_PLACED,
    OPENED,
    SOUTH,
    make_workspace,
)

from declarations.declared import RegionDeclarations
from declarations.expressions import Term
from declarations.indicators import Indicator
from governance.disclosure.known.joint import Derived, Part
from indicators.compute import indicator_table
from indicators.plan import plan
from publishing.protection.candidate import (
    ONCE,
    Candidate,
    RowKey,
    Span,
    definition_id,
    exact_sums,
    parts_of_term,
)
from warehouse.keys import KeyRing

ONE, TWO, THREE, FOUR, FIVE, SIX = AREAS
QUARTER = ("2026-01-01", "2026-03-31")
COUNT_COLUMNS = (
    "source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR, lad24cd VARCHAR, measure VARCHAR, "
    "category VARCHAR, value BIGINT, estimated BOOLEAN"
)


@pytest.fixture(scope="module")
def candidate(finished: Any) -> Candidate:
    with opened(finished.workspace) as (_, found):
        return found


@pytest.fixture
def made(tmp_path: Path, keys: KeyRing) -> Callable[..., Candidate]:
    """Make a region whose southern deliveries differ, with one key ring, and read its candidate."""
    seen = 0

    def make(changes: dict[str, int], **more: Any) -> Candidate:
        nonlocal seen
        seen += 1
        workspace = make_workspace(tmp_path / str(seen), keys=keys)
        deliver(workspace.landing, changes, **more)
        run_to_exact_figures(workspace)
        with opened(workspace) as (_, found):
            return found

    return make


@pytest.fixture(scope="module")
def keys(finished: Any) -> KeyRing:
    return finished.workspace.keys


class TestDefinitions:
    def test_a_figure_sums_the_deliveries_of_its_window(self, candidate: Candidate) -> None:
        name = candidate.definition_of[Span("T01", *QUARTER, "lsoa21"), "numerator"]
        named = {part[:4] for part in candidate.definitions[name]}
        assert named == {
            (source, "cases_opened", category, "2026-03")
            for source in ("north_cases", "south_cases") for category in ("advice", "support")
        }  # fmt: skip

    def test_what_is_open_leaves_none(self, candidate: Candidate) -> None:
        terms = {(span.indicator_id, term) for span, term in candidate.definition_of}
        assert ("T01", "denominator") not in terms
        assert {("T01", "numerator"), ("T03", "denominator")} <= terms
        parts = {p.source_id for ps in candidate.definitions.values() for p in ps}
        assert parts == {"north_cases", "south_cases", "north_visits"}

    def test_levels_have_definitions_of_their_own(self, candidate: Candidate) -> None:
        levels = ("lsoa21", "msoa21", "lad24")
        names = [candidate.definition_of[Span("T01", *QUARTER, t), "numerator"] for t in levels]
        assert len(set(names)) == len(levels)
        assert len({candidate.definitions[name] for name in names}) == 1

    def test_the_exact_terms_are_those_counted(self, candidate: Candidate) -> None:
        found = {
            key.geography_code: row.numerator
            for key, row in candidate.rows.items()
            if key[:4] == ("T01", *QUARTER, "lsoa21")
        }
        assert found == OPENED
        district = candidate.rows[RowKey("T01", *QUARTER, "lad24", SOUTH)]
        assert district.numerator == sum(OPENED[a] for a in (FOUR, FIVE, SIX)) + NOT_PLACED

    def test_several_areas_have_the_sum_of_their_terms(self, candidate: Candidate) -> None:
        both = candidate.combined_terms(Span("T01", *QUARTER, "lsoa21"), (FOUR, SIX))
        assert both["numerator"] == OPENED[FOUR] + OPENED[SIX]

    def test_and_none_where_one_of_them_has_none(self, candidate: Candidate) -> None:
        months = next(s for s, _ in candidate.definition_of if s.indicator_id == "T03")
        assert candidate.combined_terms(months, (ONE, FOUR))["numerator"] is None

    def test_reading_again_finds_the_same(self, finished: Any, candidate: Candidate) -> None:
        with opened(finished.workspace) as (_, again):
            assert again == candidate


PARTS = st.frozensets(
    st.builds(Part, *(st.text("ab\t\n\"',", max_size=3) for _ in Part._fields)), max_size=4
)


class TestIdentifiers:
    @given(PARTS, st.integers())
    def test_the_order_of_the_parts_does_not_matter(
        self, parts: frozenset[Part], seed: int
    ) -> None:
        shuffled = sorted(parts)
        random.Random(seed).shuffle(shuffled)
        assert definition_id(shuffled, "lsoa21") == definition_id(sorted(parts), "lsoa21")

    @given(PARTS, PARTS)
    def test_other_parts_have_another(self, one: frozenset[Part], two: frozenset[Part]) -> None:
        same = definition_id(one, "lsoa21") == definition_id(two, "lsoa21")
        assert same == (one == two)

    def test_so_has_another_level(self) -> None:
        parts = [Part("s", "m", "c", "p", "v")]
        assert definition_id(parts, "lsoa21") != definition_id(parts, "msoa21")

    def test_no_category_passes_for_two_parts(self) -> None:
        two = [Part("s", "m", "a", "p", "v"), Part("s", "m", "b", "p", "v")]
        one = [Part("s", "m", "a\tp\tv\ns\tm\tb", "p", "v")]
        assert definition_id(one, "lsoa21") != definition_id(two, "lsoa21")


CATEGORIES = st.text("aAbBäÄß\N{LATIN SMALL LETTER DOTLESS I}İΣς* %_", max_size=3)


def taken_by_sums(
    declared: RegionDeclarations, held: Sequence[str], wanted: list[str] | None
) -> set[str]:
    """The categories that the counting of an indicator sums, from powers of two."""
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE counts ({COUNT_COLUMNS})")
        con.executemany(
            "INSERT INTO counts VALUES ('north_cases','2026-03',?,?,'cases_opened',?,?,false)",
            [(ONE, NORTH, category, 2**n) for n, category in enumerate(held)],
        )
        con.execute("CREATE TABLE areas (lsoa21cd TEXT, msoa21cd TEXT, lad24cd TEXT)")
        con.execute("INSERT INTO areas VALUES (?, 'M', ?)", [ONE, NORTH])
        con.execute("CREATE TABLE admitted AS SELECT 'north_cases' source_id, '2026-03' period")
        chosen = choosing(declared, wanted)
        rows = indicator_table(con, chosen, declared, "counts", "areas", "admitted")
        levels = dict(rows.select("geography_type, numerator").fetchall())
    return {category for n, category in enumerate(held) if levels["lsoa21"] >> n & 1}


def named_by_definition(
    declared: RegionDeclarations, held: Sequence[str], wanted: list[str] | None
) -> set[str]:
    """The categories that the definition of the same indicator names."""
    chosen = choosing(declared, wanted)
    layout = plan(chosen, declared, {"north_cases": {"2026-03"}})
    categories = {("north_cases", "2026-03", "cases_opened"): held}
    states = {("north_cases", "2026-03"): "v"}
    found = parts_of_term(declared, chosen, layout, categories, states)
    return {part.category for parts in found.values() for part in parts}


def choosing(declared: RegionDeclarations, wanted: list[str] | None) -> Indicator:
    """An indicator that counts only some categories."""
    term = Term.of(["cases_opened"], wanted)
    return declared.indicators["T01"].model_copy(update={"numerator": term})


class TestCategories:
    """Which categories a term takes: as the sums themselves take them."""

    def test_definitions_name_what_the_sums_take(self, finished: Any) -> None:
        declared = finished.workspace.declared

        @settings(max_examples=60, deadline=None)
        @given(
            st.lists(CATEGORIES, min_size=1, max_size=6, unique=True),
            st.none() | st.lists(CATEGORIES, min_size=1, max_size=3),
        )
        def agree(held: list[str], wanted: list[str] | None) -> None:
            named = named_by_definition(declared, held, wanted)
            assert named == taken_by_sums(declared, held, wanted)

        agree()

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (None, {"Rent", "rent arrears", "all"}),
            (["RENT"], {"Rent"}),
            (["rent*"], {"Rent", "rent arrears"}),
            (["*"], {"Rent", "rent arrears", "all"}),
            (["arrears"], set()),
            (["all"], {"all"}),
        ],
    )
    def test_categories_by_name_and_by_beginning(
        self, finished: Any, wanted: list[str] | None, found: set[str]
    ) -> None:
        held = ["Rent", "rent arrears", "all"]
        assert named_by_definition(finished.workspace.declared, held, wanted) == found

    @pytest.mark.parametrize("wanted", ["İ", "aΣ", "ΑΣ*", "ǅ", "ß"])
    def test_letters_that_languages_lower_differently(self, finished: Any, wanted: str) -> None:
        declared, held = finished.workspace.declared, ["İ", "aΣ", "i", "aς", "ς", "ǆ", "SS"]
        named = named_by_definition(declared, held, [wanted])
        assert named == taken_by_sums(declared, held, [wanted])

    def test_counts_without_a_category_are_called_all(self, candidate: Candidate) -> None:
        assert candidate.categories["north_visits", "2026-01", "visits"] == ["all"]


class TestExactSums:
    """Sums that nobody publishes, from a table of counts small enough to add up by hand."""

    ROWS = (
        ("s", "q1", ONE, NORTH, "m", "a", 3), ("s", "q1", ONE, NORTH, "m", "b", 5),
        ("s", "q1", TWO, NORTH, "m", "a", 7), ("s", "q1", None, NORTH, "m", "a", 11),
        ("s", "q2", ONE, NORTH, "m", "a", 13), ("s", "q1", ONE, NORTH, "other", "a", 17),
        ("s", "q1", FOUR, SOUTH, "m", "a", 19), ("s", "q1", FIVE, SOUTH, "m", "a", None),
        ("s", "q1", None, None, "m", "a", 23), ("s", "q1", "E01999999", NORTH, "m", "a", 29),
        ("t", ONCE, ONE, NORTH, "m", None, 31),
    )  # fmt: skip

    def sums(self, *wanted: tuple[str, str, str]) -> list[int | None]:
        """The sums of parts named by letters, at a level and in an area."""
        parts = {
            "a": Part("s", "m", "a", "q1", "v"), "b": Part("s", "m", "b", "q1", "v"),
            "c": Part("s", "m", "a", "q2", "v"), "all": Part("t", "m", "all", ONCE, "v"),
            "none": Part("s", "m", "never counted", "q1", "v"),
        }  # fmt: skip
        derived = [
            Derived(level, area, frozenset(parts[name] for name in names.split("+")), number)
            for number, (names, level, area) in enumerate(wanted)
        ]
        with duckdb.connect() as con:
            con.execute(f"CREATE TABLE counts ({COUNT_COLUMNS})")
            con.executemany("INSERT INTO counts VALUES (?,?,?,?,?,?,?,false)", self.ROWS)
            con.execute("CREATE TABLE areas (lsoa21cd TEXT, msoa21cd TEXT, lad24cd TEXT)")
            con.executemany(
                "INSERT INTO areas VALUES (?,?,?)", [(a, *row[1:]) for a, row in AREAS.items()]
            )
            found = exact_sums(con, "areas", derived)
        return [found[number] for number in range(len(wanted))]

    def test_of_a_neighbourhood(self) -> None:
        wanted = [("a", "lsoa21", ONE), ("a+b", "lsoa21", ONE), ("a+b+c", "lsoa21", ONE)]
        assert self.sums(*wanted) == [3, 3 + 5, 3 + 5 + 13]

    def test_of_an_msoa(self) -> None:
        assert self.sums(("a", "msoa21", AREAS[ONE][1])) == [3 + 7]

    def test_a_district_holds_those_without_a_place_and_nobody_from_elsewhere(self) -> None:
        assert self.sums(("a", "lad24", NORTH)) == [3 + 7 + 11]

    def test_a_hidden_count_hides_every_sum_it_is_in(self) -> None:
        wanted = [("a", "lsoa21", FIVE), ("a", "lad24", SOUTH), ("a", "lsoa21", FOUR)]
        assert self.sums(*wanted) == [None, None, 19]

    def test_what_was_not_counted_is_zero(self) -> None:
        assert self.sums(("none", "lsoa21", ONE), ("a", "lsoa21", SIX)) == [0, 0]

    def test_counts_without_category_and_period(self) -> None:
        assert self.sums(("all", "lsoa21", ONE)) == [31]

    def test_of_no_sum_nothing_is_asked(self) -> None:
        assert self.sums() == []

    def test_they_are_the_figures_where_those_are_published(self, finished: Any) -> None:
        with opened(finished.workspace) as (connection, candidate):
            rows = [*candidate.rows.values()]
            derived = [
                Derived(
                    row.key.geography_type, row.key.geography_code,
                    candidate.definitions[candidate.definition_of[Span(*row.key[:4]), "numerator"]],
                    number,
                )
                for number, row in enumerate(rows) if row.numerator is not None
            ]  # fmt: skip
            found = exact_sums(connection, "areas", derived)
        assert {n: rows[n].numerator for n in found} == found
        assert len(found) > len(AREAS)


class TestTokens:
    def test_each_delivery_has_one_for_every_place(self, candidate: Candidate) -> None:
        deliveries = {key[:2]: places for key, places in candidate.tokens.items()}
        assert set(deliveries) == {
            ("north_cases", "2026-03"), ("south_cases", "2026-03"),
            *(("north_visits", f"2026-0{n}") for n in (1, 2, 3)),
        }  # fmt: skip
        assert set(deliveries["north_cases", "2026-03"]) == set(AREAS)
        assert set(deliveries["south_cases", "2026-03"]) == {*AREAS, SOUTH}

    def test_they_change_exactly_where_the_counts_do(self, made: Callable[..., Candidate]) -> None:
        before, after = made({}), made({FIVE: OPENED[FIVE] + 1})
        assert self.changed(before, after) == {"south_cases": {FIVE}}

    def test_records_without_a_place_have_their_own(self, made: Callable[..., Candidate]) -> None:
        before, after = made({}), made({}, not_placed=NOT_PLACED + 1)
        assert self.changed(before, after) == {"south_cases": {SOUTH}}

    def test_equal_counts_are_the_same_version(self, made: Callable[..., Candidate]) -> None:
        before, after = made({}), made({})
        assert before.tokens == after.tokens
        assert before.definitions == after.definitions

    def changed(self, before: Candidate, after: Candidate) -> dict[str, set[str]]:
        """The places whose tokens differ, of deliveries that are another version."""
        new = {key[:2]: (key[2], places) for key, places in after.tokens.items()}
        found = {}
        for (source, period, state), places in before.tokens.items():
            state_now, now = new[source, period]
            differing = {p for p in places.keys() | now.keys() if places.get(p) != now.get(p)}
            assert bool(differing) == (state != state_now)
            if differing:
                found[source] = differing
        return found
