"""Plausibility across sources: each bundled check passing, failing and not to be run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from region_factory import region_content, write_region
from testshire import AREAS, NORTH, SOUTH, CountRow, Fill, make_contract, make_region, make_source

from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from declarations.loader import load_region, parse_declaration, read_checks
from declarations.plausibility import PlausibilityCheck
from indicators.plausibility import (
    COLUMNS,
    NOT_PUBLISHED,
    PUBLIC_COLUMNS,
    checks_of,
    not_applicable,
    plausibility_rows,
    public_rows,
    sources_needed,
)
from indicators.plausibility.results import STAYS_INSIDE

N1, N2, S1 = AREAS[0][0], AREAS[1][0], AREAS[3][0]

MEASURES = {
    "temporary_accommodation": "stock", "clients_in_temporary_accommodation": "stock",
    "no_fixed_abode_registrations": "stock", "council_tax_support": "stock",
    "claimants": "stock", "patients": "stock", "residents": "stock", "calls": "flow",
    "visits": "flow",
}  # fmt: skip

BUNDLED = {
    # check: left, right, counts that pass, counts that fail and on which side left lies
    "temporary_accommodation_against_care_clients": (
        "north_ta", "north_care", (900, 30), (900, 2), "larger"),
    "temporary_accommodation_against_no_fixed_abode": (
        "north_ta", "nfa", (900, 300), (20, 400), "smaller"),
    "temporary_accommodation_against_quarter_before": (
        "north_ta", "north_ta", (900, 880), (900, 450), "larger"),
    "council_tax_support_against_claimants": (
        "north_tax", "claimants", (1500, 1000), (300, 1000), "smaller"),
    "gp_patients_against_population": ("gp", "census", (1080, 1000), (1300, 1000), "larger"),
}  # fmt: skip


def declared(
    *, without: Iterable[str] = (), own: dict[str, PlausibilityCheck] | None = None
) -> RegionDeclarations:
    """Return a region that counts everything the bundled checks look at."""
    contracts = [make_contract(f"c_{m}", {m: a}) for m, a in MEASURES.items() if m not in without]
    sources = [
        make_source("north_ta", "c_temporary_accommodation", "quarterly", lad24cd=NORTH),
        make_source("south_ta", "c_temporary_accommodation", "quarterly", lad24cd=SOUTH),
        make_source("north_care", "c_clients_in_temporary_accommodation", "quarterly",
                    lad24cd=NORTH),
        make_source("nfa", "c_no_fixed_abode_registrations", "quarterly"),
        make_source("north_tax", "c_council_tax_support", "quarterly", lad24cd=NORTH),
        make_source("claimants", "c_claimants", "monthly"),
        make_source("gp", "c_patients", "quarterly"),
        make_source("census", "c_residents", "once", period="2021-03"),
        make_source("calls", "c_calls", "monthly"),
        make_source("visits", "c_visits", "monthly"),
        make_source("visits_quarterly", "c_visits", "quarterly", lad24cd=SOUTH),
    ]  # fmt: skip
    known = {c.id for c in contracts}
    region = make_region(contracts, [s for s in sources if s.contract in known])
    return replace(region, plausibility=own or {})


def count(source: str, period: str, value: int | None, lsoa: str | None = N1, **more: Any) -> Any:
    """Return one row of counts."""
    measure = declared().contract_of(declared().sources[source]).counts[0].measure
    category = more.pop("category", "working_age" if source == "north_tax" else "all")
    lad = more.pop("lad24cd", None)
    return (source, period, lsoa, lad, measure, category, value)


def outcomes(
    con: duckdb.DuckDBPyConnection, check: PlausibilityCheck | str, **more: Any
) -> dict[str | None, dict[str, Any]]:
    region = more.pop("region", declared())
    chosen = checks_of(region)[check] if isinstance(check, str) else check
    rows = plausibility_rows(con, region, {chosen.id: chosen})
    assert all(tuple(row) == COLUMNS for row in rows)
    return {row["lad24cd"]: row for row in rows}


def two(left: str, right: str, values: tuple[int, int]) -> tuple[list[CountRow], list[Any]]:
    """Return the counts of both sides, and what was admitted: the right one a quarter earlier."""
    earlier = "2025-03" if left == right else "2025-06"
    return (
        [count(left, "2025-06", values[0]), count(right, earlier, values[1])],
        [(left, "2025-06"), (right, earlier)],
    )


@pytest.mark.parametrize("check_id", BUNDLED)
def test_each_bundled_check_can_pass(
    check_id: str, con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    left, right, good, _, _ = BUNDLED[check_id]
    fill(*two(left, right, good))

    row = outcomes(con, check_id)[NORTH]

    assert (row["outcome"], row["left"], row["right"]) == ("passed", *good)
    assert row["ratio"] == pytest.approx(good[0] / good[1])
    assert row["lower"] <= row["ratio"] <= row["upper"]
    assert row["period"] == ("2025-06")


@pytest.mark.parametrize("check_id", BUNDLED)
def test_each_bundled_check_can_fail(
    check_id: str, con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    left, right, _, bad, side = BUNDLED[check_id]
    fill(*two(left, right, bad))

    row = outcomes(con, check_id)[NORTH]

    assert row["outcome"] == "failed"
    meaning = checks_of(declared())[check_id].meaning
    assert row["meaning"] == (meaning.left_larger if side == "larger" else meaning.left_smaller)


@pytest.mark.parametrize("check_id", BUNDLED)
def test_each_bundled_check_cannot_run_without_a_delivery(
    check_id: str, con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    left, right, good, _, _ = BUNDLED[check_id]
    counts, admitted = two(left, right, good)
    fill(counts, admitted[:1])

    row = outcomes(con, check_id)[NORTH]

    assert row["outcome"] == "could_not_run"
    assert (row["left"], row["right"], row["ratio"], row["period"]) == (None, None, None, None)
    assert "delivery" in row["meaning"]


def test_every_bundled_check_is_in_the_table_above() -> None:
    assert set(checks_of(declared())) == set(BUNDLED)


def test_temporary_accommodation_delivered_twice_is_found(
    con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    """Planted: the rows of North's quarter are there twice. South's are not."""
    quarter = [count("north_ta", "2025-06", 130, N1), count("north_ta", "2025-06", 70, N2)]
    fill(
        [*quarter, *quarter, count("north_ta", "2025-03", 190), count("south_ta", "2025-06", 95),
         count("south_ta", "2025-03", 100)],
        [(f"{who}_ta", period) for who in ("north", "south") for period in ("2025-03", "2025-06")],
    )  # fmt: skip

    found = outcomes(con, "temporary_accommodation_against_quarter_before")

    assert (found[NORTH]["outcome"], found[NORTH]["left"]) == ("failed", 400)
    assert "delivered twice" in found[NORTH]["meaning"]
    assert found[SOUTH]["outcome"] == "passed"

    fill(
        [*quarter, count("north_ta", "2025-03", 190)],
        [("north_ta", "2025-03"), ("north_ta", "2025-06")],
    )
    single = outcomes(con, "temporary_accommodation_against_quarter_before")[NORTH]
    assert single["outcome"] == "passed"


def check(**changes: Any) -> PlausibilityCheck:
    """Return a check of temporary accommodation against care clients, changed as asked."""
    return PlausibilityCheck.model_validate(
        {
            "id": "made_up", "title": "Made up", "description": "Made up.",
            "left": {"title": "TA", "counts": "temporary_accommodation"},
            "right": {"title": "Care", "counts": "clients_in_temporary_accommodation"},
            "tolerance": {"relation": "ratio", "lower": 0.5, "upper": 2, "reason": "Made up."},
            "meaning": {"left_larger": "Left is larger.", "left_smaller": "Left is smaller."},
            "owner": "team:tests", **changes,
        }
    )  # fmt: skip


def test_the_limits_themselves_are_within(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    for left, right, outcome in (
        (50, 100, "passed"), (200, 100, "passed"), (49, 100, "failed"), (201, 100, "failed"),
    ):  # fmt: skip
        fill(*two("north_ta", "north_care", (left, right)))
        assert outcomes(con, check())[NORTH]["outcome"] == outcome


def test_something_against_nothing_fails(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    fill(*two("north_ta", "north_care", (50, 0)))
    row = outcomes(con, check())[NORTH]
    assert (row["outcome"], row["ratio"], row["meaning"]) == ("failed", None, "Left is larger.")

    # The care records were delivered, and nobody in them is in temporary accommodation.
    fill([count("north_ta", "2025-06", 50)], [("north_ta", "2025-06"), ("north_care", "2025-06")])
    assert outcomes(con, check())[NORTH]["outcome"] == "failed"


@pytest.mark.parametrize(("largest", "outcome"), [(9, "could_not_run"), (10, "failed")])
def test_small_counts_are_not_compared(
    con: duckdb.DuckDBPyConnection, fill: Fill, largest: int, outcome: str
) -> None:
    fill(*two("north_ta", "north_care", (largest, 1)))

    assert outcomes(con, check())[NORTH]["outcome"] == outcome


def test_a_difference_may_be_what_is_limited(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    limited = check(
        tolerance={"relation": "difference", "lower": -5, "upper": 20, "reason": "Made up."}
    )
    for left, outcome in ((120, "passed"), (121, "failed"), (95, "passed"), (94, "failed")):
        fill(*two("north_ta", "north_care", (left, 100)))
        assert outcomes(con, limited)[NORTH]["outcome"] == outcome


def test_a_hidden_count_cannot_be_compared(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    counts, admitted = two("north_ta", "north_care", (100, 100))
    fill([*counts, count("north_ta", "2025-06", None, N2)], admitted)

    row = outcomes(con, check())[NORTH]

    assert (row["outcome"], row["left"]) == ("could_not_run", None)
    assert "hidden" in row["meaning"]


def test_counts_of_a_delivery_that_was_not_admitted_are_left_out(
    con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    counts, admitted = two("north_ta", "north_care", (100, 100))
    later = [count("north_ta", "2025-09", 999), count("north_care", "2025-09", 1)]
    fill([*counts, *later], [*admitted, ("north_ta", "2025-09")])

    assert outcomes(con, check())[NORTH]["period"] == "2025-06"
    assert outcomes(con, check())[NORTH]["outcome"] == "passed"


def test_the_last_month_both_tell_of_is_compared(
    con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    fill(
        [count("north_ta", p, v) for p, v in (("2025-03", 10), ("2025-06", 20), ("2025-09", 90))]
        + [count("north_care", p, 20) for p in ("2025-03", "2025-06")],
        [("north_ta", p) for p in ("2025-03", "2025-06", "2025-09")]
        + [("north_care", p) for p in ("2025-03", "2025-06")],
    )

    assert outcomes(con, check())[NORTH]["period"] == "2025-06"
    assert outcomes(con, check())[NORTH]["left"] == 20
    # Three months apart are allowed: then the last quarter of the one meets what the other has.
    apart = outcomes(con, check(months_apart=3))[NORTH]
    assert (apart["period"], apart["left"], apart["right"]) == ("2025-09", 90, 20)


def test_a_councils_own_source_counts_wherever_its_records_lie(
    con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    """North's cases that applied from South, from beyond the region, or of no fixed abode."""
    fill(
        [count("north_ta", "2025-06", 40, S1), count("north_ta", "2025-06", 30, "E01000001"),
         count("north_ta", "2025-06", 30, None), count("north_care", "2025-06", 100)],
        [("north_ta", "2025-06"), ("north_care", "2025-06")],
    )  # fmt: skip

    assert outcomes(con, check())[NORTH]["left"] == 100


def test_a_national_source_counts_by_place(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    fill(
        [count("gp", "2025-06", 500, N1), count("gp", "2025-06", 70, None, lad24cd=NORTH),
         count("gp", "2025-06", 900, S1), count("gp", "2025-06", 4000, "E01000001"),
         count("census", "2021-03", 500, N1), count("census", "2021-03", 900, S1)],
        [("gp", "2025-06"), ("census", "2021-03")],
    )  # fmt: skip

    found = outcomes(con, "gp_patients_against_population")

    assert [found[lad]["left"] for lad in (NORTH, SOUTH)] == [570, 900]
    assert [found[lad]["right"] for lad in (NORTH, SOUTH)] == [500, 900]


def test_a_region_is_compared_as_a_whole(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    """Only North has care records: South's temporary accommodation is left out of the sum."""
    fill(
        [count("north_ta", "2025-06", 100), count("south_ta", "2025-06", 900),
         count("north_care", "2025-06", 100)],
        [("north_ta", "2025-06"), ("south_ta", "2025-06"), ("north_care", "2025-06")],
    )  # fmt: skip

    (row,) = outcomes(con, check(level="region")).values()

    assert (row["lad24cd"], row["left"], row["outcome"]) == (None, 100, "passed")


def test_a_district_without_a_source_cannot_be_compared(
    con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    fill(*two("north_ta", "north_care", (100, 100)))

    row = outcomes(con, check())[SOUTH]

    assert row["outcome"] == "could_not_run"
    assert "No source of this district" in row["meaning"]


FLOWS = {
    "left": {"title": "Calls", "counts": "calls"},
    "right": {"title": "Visits", "counts": "visits", "sources": ["visits"]},
    "period": "same_month",
}  # fmt: skip


def test_flows_are_compared_month_by_month(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    fill(
        [count("calls", "2025-01", 100), count("calls", "2025-02", 100),
         count("calls", "2025-03", 100), count("visits", "2025-01", 90),
         count("visits", "2025-02", 900)],
        [(s, p) for s in ("calls", "visits") for p in ("2025-01", "2025-02")]
        + [("calls", "2025-03")],
    )  # fmt: skip

    rows = plausibility_rows(con, declared(), {"made_up": check(**FLOWS)})

    assert [(r["period"], r["outcome"]) for r in rows if r["lad24cd"] == NORTH] == [
        ("2025-01", "passed"), ("2025-02", "failed"),
    ]  # fmt: skip


def test_a_quarter_is_not_held_against_a_month(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    quarterly = FLOWS | {
        "right": {"title": "Visits", "counts": "visits", "sources": ["visits_quarterly"]}
    }
    fill([], [(s, "2025-03") for s in ("calls", "visits_quarterly")])

    row = outcomes(con, check(**quarterly))[SOUTH]

    assert row["outcome"] == "could_not_run"
    assert "months of different number" in row["meaning"]


def test_categories_narrow_a_side(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    narrow = check(left={"title": "Hotels", "counts": 'temporary_accommodation["Hotels, B&B*"]'})
    fill(
        [count("north_ta", "2025-06", 100, category="Hotels, B&B (shared)"),
         count("north_ta", "2025-06", 900, category="Leased"),
         count("north_care", "2025-06", 100)],
        [("north_ta", "2025-06"), ("north_care", "2025-06")],
    )  # fmt: skip

    assert outcomes(con, narrow)[NORTH]["left"] == 100


def test_the_order_of_rows_does_not_matter(con: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    counts = [count("gp", "2025-06", 10 + n, lsoa) for n, (lsoa, _, _) in enumerate(AREAS)]
    counts += [count("census", "2021-03", 10, lsoa) for lsoa, _, _ in AREAS]
    admitted = [("gp", "2025-06"), ("census", "2021-03")]
    fill(counts, admitted)
    straight = outcomes(con, "gp_patients_against_population")
    fill(counts[::-1], admitted[::-1])

    assert outcomes(con, "gp_patients_against_population") == straight


# What does not apply


def test_a_check_whose_counts_a_region_lacks_does_not_apply(
    con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    region = declared(without=["claimants", "no_fixed_abode_registrations"])
    fill([], [])
    checks = checks_of(region)

    listed = {row["check_id"]: row["meaning"] for row in not_applicable(region, checks)}
    ran = {row["check_id"] for row in plausibility_rows(con, region, checks)}

    assert set(listed) == {
        "council_tax_support_against_claimants", "temporary_accommodation_against_no_fixed_abode",
    }  # fmt: skip
    assert "claimants" in listed["council_tax_support_against_claimants"]
    assert ran == set(BUNDLED) - set(listed)


def test_where_nothing_was_delivered_nothing_passes(
    con: duckdb.DuckDBPyConnection, fill: Fill
) -> None:
    fill([], [])

    rows = plausibility_rows(con, declared(), checks_of(declared()))

    assert len(rows) == 2 * len(BUNDLED)
    assert {row["outcome"] for row in rows} == {"could_not_run"}


def test_only_the_sources_behind_the_checks_are_needed() -> None:
    region = declared(without=["claimants"])

    found = [s.id for s in sources_needed(region, checks_of(region))]

    assert found == ["census", "gp", "nfa", "north_care", "north_ta", "south_ta"]


# What may be published


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say which sources are open data; the others come under a sharing agreement."""

    def say(*names: str) -> None:
        monkeypatch.setattr(
            RegionDeclarations, "is_open", property(lambda d: {s: s in names for s in d.sources})
        )

    return say


def test_of_open_data_the_outcome_is_published_without_counts(
    con: duckdb.DuckDBPyConnection, fill: Fill, opened: Callable[..., None]
) -> None:
    opened("north_ta", "south_ta", "north_care")
    fill(*two("north_ta", "north_care", (5151, 4321)))
    rows = outcomes(con, check()).values()

    found = public_rows(rows, declared(), {check().id: check()})

    assert all(tuple(row) == PUBLIC_COLUMNS for row in found)
    assert found[0]["outcome"] == "passed"
    assert not any(number in str(found) for number in ("5151", "4321", "1.19"))


@pytest.mark.parametrize("counted", [(5151, 4321), (500, 12), (500, 1), (3, 1), (0, 0), None])
def test_of_counts_under_an_agreement_nothing_that_was_found_is_published(
    con: duckdb.DuckDBPyConnection,
    fill: Fill,
    opened: Callable[..., None],
    counted: tuple[int, int] | None,
) -> None:
    """Whatever the counts, and whether there are any: the same row, with no place and no month."""
    opened("north_ta", "south_ta")
    fill(*(two("north_ta", "north_care", counted) if counted else ([], [])))
    rows = outcomes(con, check()).values()

    (found,) = public_rows(rows, declared(), {check().id: check()})

    assert found["outcome"] == NOT_PUBLISHED
    assert (found["lad24cd"], found["period"]) == (None, None)
    assert found["meaning"] == STAYS_INSIDE


# Declarations


def test_a_region_adds_and_replaces_checks(tmp_path: Path) -> None:
    for name, body in (
        ("own", check(id="own_check")),
        ("same", check(id="gp_patients_against_population", title="Ours")),
    ):
        (tmp_path / f"{name}.yaml").write_text(body.model_dump_json(), encoding="utf-8")
    # JSON is YAML; an expression written out as summands is accepted, too.

    found = checks_of(declared(own=read_checks(tmp_path)))

    assert set(found) == {*BUNDLED, "own_check"}
    assert found["gp_patients_against_population"].title == "Ours"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"left": {"title": "T", "counts": "calls"}}, "is a flow"),
        ({"left": {"title": "T", "counts": "temporary_accommodation", "sources": ["nobody"]}},
         "no source nobody"),
    ],
)  # fmt: skip
def test_unsound_checks_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        checks_of(declared(own={"own": check(**changes)}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tolerance": {"relation": "ratio", "lower": 2, "upper": 2, "reason": "x"}}, "less than"),
        ({"tolerance": {"relation": "ratio", "lower": -1, "upper": 2, "reason": "x"}}, "below 0"),
        ({"right": {"title": "Other", "counts": "temporary_accommodation"}}, "same counts"),
        ({"period": "same_month", "months_apart": 1}, "latest_common"),
        ({"tolerance": {"relation": "ratio", "lower": 1, "upper": 2}}, "reason"),
        ({"threshold": 3}, "extra"),
        ({"level": "lsoa21"}, "lad24"),
    ],
)  # fmt: skip
def test_a_malformed_check_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(**changes)


def test_an_error_names_the_file_and_the_key() -> None:
    with pytest.raises(ConfigurationError, match=r"own\.yaml: .*title: is missing"):
        parse_declaration("{id: own}", Path("plausibility/own.yaml"), PlausibilityCheck)


def test_a_malformed_file_is_found_when_the_region_is_loaded(tmp_path: Path) -> None:
    whole = region_content()
    good = check().model_dump(mode="json")
    folder = write_region(tmp_path / "r", whole | {"plausibility/own.yaml": good})
    assert load_region(folder).files["plausibility/made_up"].name == "own.yaml"

    folder = write_region(folder, whole | {"plausibility/own.yaml": good | {"limit": 3}})
    with pytest.raises(ConfigurationError, match=r"own\.yaml: limit: is not a key"):
        load_region(folder)
