"""Observed against expected use, from published figures to published rows."""

from __future__ import annotations

import duckdb
import pytest
from need_world import QUARTERS, count_people, expected, figure, made, place, publish, world

from declarations.errors import ConfigurationError
from declarations.indicators import Indicator
from indicators.derived.expected import expected_table

NORTH, SOUTH = "E08990001", "E08990002"
A, B, C = "E02990001", "E02990002", "E02990003"
PLACES = [("E01990001", A, NORTH), ("E01990002", A, NORTH), ("E01990003", B, NORTH),
          ("E01990004", C, SOUTH)]  # fmt: skip
PEOPLE = [
    # lsoa21cd, measure, category, people: A 1,000 and 200; B 2,000 and 100; C 3,000 and 300
    ("E01990001", "residents_18_64", "all", 600), ("E01990001", "residents_65_plus", "all", 150),
    ("E01990002", "residents_18_64", "all", 400), ("E01990002", "residents_65_plus", "all", 50),
    ("E01990003", "residents_18_64", "all", 2000), ("E01990003", "residents_65_plus", "all", 100),
    ("E01990004", "residents_18_64", "all", 3000), ("E01990004", "residents_65_plus", "all", 300),
]  # fmt: skip
RATES = [
    # Region: 60 of 6,000 adults under 65, 30 of 600 older ones.
    figure("T81", "lad24", NORTH, 40, 3000), figure("T81", "lad24", SOUTH, 20, 3000),
    figure("T82", "lad24", NORTH, 20, 300), figure("T82", "lad24", SOUTH, 10, 300),
]  # fmt: skip
USE = [
    figure("T80", "msoa21", A, 5), figure("T80", "msoa21", B, 65), figure("T80", "msoa21", C, 45),
]  # fmt: skip
YEARLY = [{"level": "msoa21", "window": "year"}]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    place(connection, PLACES)
    count_people(connection, PEOPLE)
    publish(connection, [*RATES, *USE])
    return connection


def rows(con: duckdb.DuckDBPyConnection, indicator: Indicator | None = None) -> list[dict]:
    indicator = indicator or expected(outputs=YEARLY)
    return expected_table(
        con, indicator, "shown", "areas", "open_counts", world(indicator)
    ).to_pylist()


def by_area(con: duckdb.DuckDBPyConnection, indicator: Indicator | None = None) -> dict[str, dict]:
    return {row["geography_code"]: row for row in rows(con, indicator)}


def test_the_specification(con: duckdb.DuckDBPyConnection) -> None:
    """Rates 1 in 100 and 5 in 100.

    area  under 65  older  expected      observed  ratio
    A     1,000     200    10 + 10 = 20   5         0.25
    B     2,000     100    20 +  5 = 25  65         2.60
    C     3,000     300    30 + 15 = 45  45         1.00

    Limits of 5 and 65 events as in the published vectors: 1.6235, 11.6683; 50.16, 82.85.
    """
    found = by_area(con)

    assert list(found) == [A, B, C]
    assert [found[c]["value"] for c in (A, B, C)] == pytest.approx([0.25, 2.6, 1.0])
    assert found[A]["lower_ci"] == pytest.approx(1.6235 / 20, abs=1e-4)
    assert found[A]["upper_ci"] == pytest.approx(11.6683 / 20, abs=1e-4)
    assert found[B]["lower_ci"] == pytest.approx(50.16 / 25, abs=1e-3)
    assert found[B]["upper_ci"] == pytest.approx(82.85 / 25, abs=1e-3)
    assert [found[c]["numerator"] for c in (A, B, C)] == [5, 65, 45]
    assert {r["denominator"] for r in found.values()} == {None}
    assert {r["value_status"] for r in found.values()} == {None}
    assert {r["ci_method"] for r in found.values()} == {"byar"}
    assert {r["lad24cd"] for r in (found[A], found[B])} == {NORTH}
    assert found[C]["period_label"] == "January to December 2025"


def test_the_multiplier_scales_ratio_and_limits(con: duckdb.DuckDBPyConnection) -> None:
    plain, scaled = by_area(con), by_area(con, expected(outputs=YEARLY, multiplier=100.0))

    for key in ("value", "lower_ci", "upper_ci"):
        assert scaled[A][key] == pytest.approx(100 * plain[A][key], abs=1e-3)


def test_a_hidden_count_has_no_ratio(con: duckdb.DuckDBPyConnection) -> None:
    publish(con, [*RATES, figure("T80", "msoa21", A, None, status="[c]"), *USE[1:]])

    found = by_area(con)[A]

    assert (found["value"], found["value_status"], found["missing"]) == (None, "[c]", False)
    assert found["ci_method"] == "none"


def test_a_missing_count_has_no_ratio(con: duckdb.DuckDBPyConnection) -> None:
    publish(con, [*RATES, figure("T80", "msoa21", A, None, status="[x]"), *USE[1:]])

    found = by_area(con)

    assert (found[A]["value"], found[A]["value_status"], found[A]["missing"]) == (None, "[x]", True)
    assert found[B]["value"] == pytest.approx(2.6)


def test_a_hidden_district_leaves_the_group_unknown(con: duckdb.DuckDBPyConnection) -> None:
    publish(con, [*RATES[:3], figure("T82", "lad24", SOUTH, None, 300, status="[c]"), *USE])

    assert {(r["value"], r["value_status"]) for r in rows(con)} == {(None, "[c]")}


def test_a_district_whose_delivery_is_missing_leaves_the_group_unknown(
    con: duckdb.DuckDBPyConnection,
) -> None:
    late = figure("T82", "lad24", SOUTH, None, None, status="[x]", note="incomplete")
    publish(con, [*RATES[:3], late, *USE])
    assert {(r["value"], r["value_status"]) for r in rows(con)} == {(None, "[x]")}

    publish(con, [*RATES[:3], *USE])
    assert {(r["value"], r["value_status"]) for r in rows(con)} == {(None, "[x]")}


def test_a_district_nobody_supplies_stays_outside(con: duckdb.DuckDBPyConnection) -> None:
    """Only North runs the service: 40 of 3,000 and 20 of 300. A: 1,000 and 200 people.

    Expected of A: 13.333 + 13.333.
    """
    outside = {"status": "[x]", "note": "not_supplied"}
    publish(con, [
        RATES[0], RATES[2], *USE[:2],
        figure("T81", "lad24", SOUTH, None, None, **outside),
        figure("T82", "lad24", SOUTH, None, None, **outside),
        figure("T80", "msoa21", C, None, None, **outside),
    ])  # fmt: skip

    found = by_area(con)

    assert found[A]["value"] == pytest.approx(5 / (80 / 3), abs=1e-6)
    assert (found[C]["value"], found[C]["value_status"]) == (None, "[x]")
    assert found[C]["note_id"] == "not_supplied"
    assert found[A]["note_id"] is None


def test_quarters_of_the_districts_stand_for_the_year(con: duckdb.DuckDBPyConnection) -> None:
    """60 events of 6,000 in the year, 15 in each quarter; the people are counted once."""
    quarterly = [
        figure(rate, "lad24", lad, events, people, period=quarter)
        for quarter in QUARTERS
        for rate, lad, events, people in (
            ("T81", NORTH, 10, 3000), ("T81", SOUTH, 5, 3000),
            ("T82", NORTH, 5, 300), ("T82", SOUTH, 2, 300),
        )
    ]  # fmt: skip
    publish(con, [*quarterly, *USE])

    found = by_area(con)

    # 1 in 100, and 28 of 600.
    assert found[A]["value"] == pytest.approx(5 / (10 + 200 * 28 / 600), abs=1e-6)
    assert found[A]["note_id"] is None


def test_three_quarters_do_not_stand_for_a_year(con: duckdb.DuckDBPyConnection) -> None:
    quarterly = [
        figure(rate, "lad24", lad, 10, 3000, period=quarter)
        for quarter in QUARTERS[:3] for rate in ("T81", "T82") for lad in (NORTH, SOUTH)
    ]  # fmt: skip
    publish(con, [*quarterly, *USE])

    assert {r["value_status"] for r in rows(con)} == {"[x]"}


def test_a_stock_is_taken_at_the_end_of_the_year(con: duckdb.DuckDBPyConnection) -> None:
    indicator = expected(outputs=YEARLY)
    declared = world(indicator, made("T81", additivity="stock"), made("T82", additivity="stock"))
    quarterly = [
        figure(rate, "lad24", lad, events, 300, period=quarter)
        for quarter, events in zip(QUARTERS, (100, 100, 100, 30), strict=True)
        for rate in ("T81", "T82")
        for lad in (NORTH, SOUTH)
    ]
    publish(con, [*quarterly, *USE])

    found = expected_table(con, indicator, "shown", "areas", "open_counts", declared).to_pylist()

    # 60 of 600 of either group, not 660 of 600: of A's 1,200 people 120.
    assert found[0]["value"] == pytest.approx(5 / 120, abs=1e-6)


def test_too_few_people_at_risk_give_no_ratio(con: duckdb.DuckDBPyConnection) -> None:
    found = by_area(con, expected(outputs=YEARLY, minimum_denominator=1201))

    assert (found[A]["value"], found[A]["value_status"]) == (None, "[u]")
    assert found[B]["value"] == pytest.approx(2.6)
    assert by_area(con, expected(outputs=YEARLY, minimum_denominator=1200))[A]["value"] is not None


def test_where_nobody_is_at_risk_nothing_is_expected(con: duckdb.DuckDBPyConnection) -> None:
    count_people(con, [row for row in PEOPLE if row[0] != "E01990003"])

    assert (by_area(con)[B]["value"], by_area(con)[B]["value_status"]) == (None, "[z]")


def test_people_nobody_counts_are_unknown_not_none(con: duckdb.DuckDBPyConnection) -> None:
    count_people(con, [row for row in PEOPLE if row[1] == "residents_18_64"])
    assert {(r["value"], r["value_status"]) for r in rows(con)} == {(None, "[x]")}

    count_people(con, [*PEOPLE[:-1], ("E01990004", "residents_65_plus", "all", None)])
    assert by_area(con)[C]["value_status"] == "[x]"
    assert by_area(con)[A]["value"] == 0.25


def test_only_the_categories_named_are_people_at_risk(con: duckdb.DuckDBPyConnection) -> None:
    strata = [("T81", "residents_18_64[Alone*, with carer]"), ("T82", "residents_65_plus")]
    split = [
        ("E01990001", "residents_18_64", "alone, ill", 300),
        ("E01990001", "residents_18_64", "With carer", 100),
        ("E01990001", "residents_18_64", "other", 600),
        *PEOPLE[1:],
    ]
    count_people(con, [row for row in split if row[0] != "E01990002"])
    indicator = expected(outputs=YEARLY).model_copy(
        update={"expected": expected(strata=strata).expected}
    )

    # (300 + 100) / 100 and 150 / 20.
    assert by_area(con, indicator)[A]["value"] == pytest.approx(5 / 11.5, abs=1e-6)


def test_estimated_use_is_marked(con: duckdb.DuckDBPyConnection) -> None:
    publish(con, [*RATES, figure("T80", "msoa21", A, 5, estimated=True), *USE[1:]])

    assert by_area(con)[A]["value_status"] == "[e]"
    assert by_area(con)[A]["estimated"] is True


def test_notes_of_use_and_rates_are_carried(con: duckdb.DuckDBPyConnection) -> None:
    noted = figure("T81", "lad24", NORTH, 40, 3000, note="includes_not_placed")
    publish(con, [noted, *RATES[1:], *USE])

    assert {r["note_id"] for r in rows(con)} == {"includes_not_placed"}


def test_districts_are_compared_with_the_region(con: duckdb.DuckDBPyConnection) -> None:
    """North: 3,000 and 300 people, 30 + 15 expected; South the same."""
    publish(con, [*RATES, figure("T80", "lad24", NORTH, 90), figure("T80", "lad24", SOUTH, 45)])

    found = by_area(con, expected(outputs=[{"level": "lad24", "window": "year"}]))

    assert {k: v["value"] for k, v in found.items()} == {NORTH: 2.0, SOUTH: 1.0}


def test_latest_takes_the_last_period(con: duckdb.DuckDBPyConnection) -> None:
    later = [
        figure("T80", "msoa21", A, 30, period=QUARTERS[0]),
        figure("T80", "msoa21", A, 10, period=QUARTERS[1]),
        *(figure(rate, "lad24", lad, 30, 3000, period=QUARTERS[1])
          for rate in ("T81", "T82") for lad in (NORTH, SOUTH)),
    ]  # fmt: skip
    publish(con, later)

    found = by_area(con, expected(outputs=[{"level": "msoa21", "window": "latest"}]))

    assert found[A]["period_label"] == "April to June 2025"
    assert found[A]["value"] == pytest.approx(10 / 12)
    assert found[B]["value_status"] == "[x]"


def test_the_order_of_rows_does_not_matter(con: duckdb.DuckDBPyConnection) -> None:
    straight = rows(con)
    publish(con, reversed([*RATES, *USE]))
    place(con, reversed(PLACES))
    count_people(con, reversed(PEOPLE))

    assert rows(con) == straight


def test_nothing_published_gives_no_rows(con: duckdb.DuckDBPyConnection) -> None:
    publish(con, [])

    assert rows(con) == []


def test_another_kind_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ConfigurationError, match="no expected use"):
        expected_table(con, made("T80"), "shown", "areas", "open_counts", world())


def test_only_areas_can_be_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    """A file that names persons is refused; were it let through, the arithmetic would refuse it."""
    with pytest.raises(ValueError, match="lsoa21"):
        expected(outputs=[{"level": "person", "window": "year"}])

    whole = expected()
    person = whole.outputs[0].model_copy(update={"level": "person"})
    with pytest.raises(ConfigurationError, match="never a person"):
        rows(con, whole.model_copy(update={"outputs": [person]}))
