"""Executable specification: counts in, numerators and denominators out.

Each table can be read without knowing the code: the rows delivered, the deliveries admitted, and
the rows that must come out.
"""

from __future__ import annotations

import duckdb
import pytest
from testshire import (
    NORTH,
    SOUTH,
    Fill,
    make_contract,
    make_indicator,
    make_region,
    make_source,
)

from declarations.errors import ConfigurationError
from declarations.expressions import Term
from indicators.compute import indicator_table

QUARTERS = ["2025-03", "2025-06", "2025-09", "2025-12"]
HOUSEHOLDS = [
    ("census", "2021-03", "E01990001", NORTH, "households", "all", 600),
    ("census", "2021-03", "E01990002", NORTH, "households", "all", 700),
    ("census", "2021-03", "E01990003", NORTH, "households", "all", 500),
    ("census", "2021-03", "E01990004", SOUTH, "households", "all", 400),
    ("census", "2021-03", "E01990005", SOUTH, "households", "all", 800),
]
CENSUS = make_contract("census_table", {"households": "stock"}, kind="values")
CENSUS_SOURCE = make_source("census", "census_table", "once", period="2021-03")
OUTPUT_COLUMNS = {
    "indicator_id": "VARCHAR",
    "period_start": "DATE",
    "period_end": "DATE",
    "period_label": "VARCHAR",
    "geography_type": "VARCHAR",
    "geography_code": "VARCHAR",
    "lad24cd": "VARCHAR",
    "numerator": "BIGINT",
    "denominator": "BIGINT",
    "estimated": "BOOLEAN",
    "note_id": "VARCHAR",
    "missing": "BOOLEAN",
}


def region(additivity="flow", cadence="quarterly", **more):
    return make_region(
        [make_contract("case_list", {"cases": additivity}), CENSUS],
        [
            make_source("north_cases", "case_list", cadence, lad24cd=NORTH),
            make_source("south_cases", "case_list", cadence, lad24cd=SOUTH),
            CENSUS_SOURCE,
        ],
        **more,
    )


def all_admitted(periods=QUARTERS):
    both = [(s, p) for s in ("north_cases", "south_cases") for p in periods]
    return [*both, ("census", "")]


def case(source, period, lsoa, value, *, lad=None, category="all"):
    return (source, period, lsoa, lad, "cases", category, value)


def rows(con, declarations, *, level="lsoa21", window="year", **changes):
    """The output as {(label, code): (numerator, denominator, note, missing)}."""
    indicator = make_indicator(outputs=[{"level": level, "window": window}], **changes)
    relation = indicator_table(con, indicator, declarations, "counts", "areas", "admitted")
    found = {}
    for row in relation.fetchall():
        record = dict(zip(relation.columns, row, strict=True))
        key = (record["period_label"], record["geography_code"])
        assert key not in found
        found[key] = tuple(record[c] for c in ("numerator", "denominator", "note_id", "missing"))
    return found


def test_columns_and_types_are_those_the_other_rooms_read(con, fill: Fill):
    fill(HOUSEHOLDS, all_admitted())
    relation = indicator_table(con, make_indicator(), region(), "counts", "areas", "admitted")
    assert dict(zip(relation.columns, map(str, relation.types), strict=True)) == OUTPUT_COLUMNS


def test_a_flow_is_summed_over_the_window_and_no_cases_is_a_true_zero(con, fill: Fill):
    fill(
        [
            *HOUSEHOLDS,
            case("north_cases", "2025-03", "E01990001", 2),
            case("north_cases", "2025-06", "E01990001", 3),
            case("south_cases", "2025-12", "E01990004", 7),
        ],
        all_admitted(),
    )
    year = "January to December 2025"
    assert rows(con, region()) == {
        (year, "E01990001"): (5, 600, None, False),
        (year, "E01990002"): (0, 700, None, False),
        (year, "E01990003"): (0, 500, None, False),
        (year, "E01990004"): (7, 400, None, False),
        (year, "E01990005"): (0, 800, None, False),
    }


def test_a_missing_delivery_makes_its_own_district_missing_and_no_other(con, fill: Fill):
    admitted = [a for a in all_admitted() if a != ("south_cases", "2025-06")]
    fill(
        [
            *HOUSEHOLDS,
            case("north_cases", "2025-03", "E01990001", 2),
            case("south_cases", "2025-12", "E01990004", 7),
        ],
        admitted,
    )
    found = rows(con, region())
    year = "January to December 2025"
    assert found[year, "E01990001"] == (2, 600, None, False)
    assert found[year, "E01990004"] == (None, 400, "incomplete", True)
    assert found[year, "E01990005"] == (None, 800, "incomplete", True)


def test_counts_of_a_delivery_that_was_not_admitted_are_left_out(con, fill: Fill):
    fill(
        [
            *HOUSEHOLDS,
            case("north_cases", "2025-03", "E01990001", 2),
            case("north_cases", "2025-04", "E01990001", 50),
            ("stranger", "2025-03", "E01990001", NORTH, "cases", "all", 90),
        ],
        all_admitted(),
    )
    assert rows(con, region())["January to December 2025", "E01990001"][0] == 2


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("lsoa21", {"E01990001": 5, "E01990002": 1, "E01990003": 4, "E01990004": 0}),
        ("msoa21", {"E02990001": 6, "E02990002": 4, "E02990003": 0}),
        ("lad24", {NORTH: 13, SOUTH: 2}),
    ],
)
def test_districts_add_records_that_could_not_be_placed(con, fill: Fill, level, expected):
    fill(
        [
            *HOUSEHOLDS,
            case("north_cases", "2025-03", "E01990001", 5),
            case("north_cases", "2025-03", "E01990002", 1),
            case("north_cases", "2025-03", "E01990003", 4),
            case("north_cases", "2025-03", None, 3, lad=NORTH),
            case("south_cases", "2025-03", None, 2, lad=SOUTH),
            case("south_cases", "2025-03", None, 9, lad=None),
            case("south_cases", "2025-03", None, 9, lad="E08999999"),
        ],
        all_admitted(),
    )
    found = rows(con, region(), level=level)
    for code, numerator in expected.items():
        value, _, note, missing = found["January to December 2025", code]
        assert (value, missing) == (numerator, False)
        assert note == ("includes_not_placed" if level == "lad24" else None)


def test_denominators_roll_up_with_the_areas(con, fill: Fill):
    fill(HOUSEHOLDS, all_admitted())
    year = "January to December 2025"
    msoas = rows(con, region(), level="msoa21")
    assert msoas[year, "E02990001"][:2] == (0, 600 + 700)
    lads = rows(con, region(), level="lad24")
    assert lads[year, NORTH] == (0, 600 + 700 + 500, None, False)
    assert lads[year, SOUTH] == (0, 400 + 800, None, False)


def test_a_stock_takes_the_last_period_and_says_when_it_is_an_earlier_one(con, fill: Fill):
    admitted = [a for a in all_admitted() if a != ("south_cases", "2025-12")]
    fill(
        [
            *HOUSEHOLDS,
            *[case("north_cases", q, "E01990001", n) for n, q in enumerate(QUARTERS, start=10)],
            *[case("south_cases", q, "E01990004", n) for n, q in enumerate(QUARTERS, start=20)],
        ],
        admitted,
    )
    year = "January to December 2025"
    found = rows(con, region("stock"))
    assert found[year, "E01990001"] == (13, 600, None, False)
    assert found[year, "E01990004"] == (22, 400, "stock_earlier", False)
    quarters = rows(con, region("stock"), window="quarter")
    assert quarters["January to March 2025", "E01990001"] == (10, 600, None, False)
    assert quarters["October to December 2025", "E01990004"] == (None, 400, "incomplete", True)


def test_latest_is_the_last_period_with_any_delivery(con, fill: Fill):
    admitted = [a for a in all_admitted() if a != ("south_cases", "2025-12")]
    fill(
        [
            *HOUSEHOLDS,
            case("north_cases", "2025-12", "E01990001", 8),
            case("south_cases", "2025-09", "E01990004", 6),
        ],
        admitted,
    )
    assert {k[0] for k in rows(con, region("stock"), window="latest")} == {"December 2025"}
    stock = rows(con, region("stock"), window="latest")
    assert stock["December 2025", "E01990001"] == (8, 600, None, False)
    assert stock["December 2025", "E01990004"] == (6, 400, "stock_earlier", False)
    flow = rows(con, region("flow"), window="latest")
    assert flow["October to December 2025", "E01990001"] == (8, 600, None, False)
    assert flow["October to December 2025", "E01990004"] == (None, 400, "incomplete", True)


def test_a_monthly_measure_needs_every_month_of_the_quarter(con, fill: Fill):
    months = [f"2025-{m:02d}" for m in range(1, 7)]
    admitted = [a for a in all_admitted(months) if a != ("north_cases", "2025-05")]
    fill(
        [
            *HOUSEHOLDS,
            *[case("north_cases", m, "E01990001", 10) for m in months],
            *[case("south_cases", m, "E01990004", 1) for m in months],
        ],
        admitted,
    )
    found = rows(con, region("flow", "monthly", last_period="2025-06"), window="quarter")
    assert found["January to March 2025", "E01990001"] == (30, 600, None, False)
    assert found["April to June 2025", "E01990001"] == (None, 600, "incomplete", True)
    assert found["April to June 2025", "E01990004"] == (3, 400, None, False)


def test_quarters_that_end_in_a_year_but_start_before_it_are_noted(con, fill: Fill):
    quarters = ["2024-12", "2025-03", "2025-06", "2025-09"]
    fill(
        [*HOUSEHOLDS, *[case("north_cases", q, "E01990001", 1) for q in quarters]],
        all_admitted(quarters),
    )
    declared = region(first_period="2024-11", last_period="2025-10", release_month=10)
    found = rows(con, declared)
    year = "November 2024 to October 2025"
    assert found[year, "E01990001"] == (4, 600, "period_offset", False)


def test_categories_choose_by_whole_name_or_by_beginning_whatever_the_case(con, fill: Fill):
    fill(
        [
            *HOUSEHOLDS,
            case("north_cases", "2025-03", "E01990001", 4, category="Secured 6+ months: stayed"),
            case("north_cases", "2025-03", "E01990001", 2, category="secured 6+ months: moved"),
            case("north_cases", "2025-03", "E01990001", 1, category="unsecured 6+ months"),
            case("north_cases", "2025-03", "E01990001", 16, category="100%_lost"),
        ],
        all_admitted(),
    )
    key = ("January to December 2025", "E01990001")

    def ended(categories):
        return rows(con, region(), numerator=Term.of(["cases"], categories))[key]

    assert ended(["secured 6+ months*"])[0] == 6
    assert ended(["Secured 6+ months: moved"])[0] == 2
    assert ended(["unsecured 6+ months", "100%_lost"])[0] == 17
    assert ended(["100_*"])[0] == 0


def test_one_measure_may_stand_above_and_below_the_line(con, fill: Fill):
    fill(
        [
            *HOUSEHOLDS,
            case("north_cases", "2025-03", "E01990001", 3, category="web"),
            case("north_cases", "2025-03", "E01990001", 5, category="phone"),
        ],
        all_admitted(),
    )
    found = rows(
        con,
        region(),
        kind="share",
        interval="wilson",
        numerator="cases[web]",
        denominator="cases",
    )
    assert found["January to December 2025", "E01990001"][:2] == (3, 8)


def test_a_district_nobody_supplies_is_missing_even_if_a_neighbour_counted_there(con, fill: Fill):
    declared = make_region(
        [make_contract("case_list", {"cases": "flow"}), CENSUS],
        [make_source("north_cases", "case_list", "quarterly", lad24cd=NORTH), CENSUS_SOURCE],
    )
    fill(
        [*HOUSEHOLDS, case("north_cases", "2025-03", "E01990004", 6)],
        all_admitted(),
    )
    found = rows(con, declared)
    year = "January to December 2025"
    assert found[year, "E01990004"] == (None, 400, "not_supplied", True)
    assert found[year, "E01990001"] == (0, 600, None, False)


def test_a_national_source_supplies_every_district(con, fill: Fill):
    declared = make_region(
        [make_contract("case_list", {"cases": "flow"}), CENSUS],
        [make_source("police", "case_list", "quarterly"), CENSUS_SOURCE],
    )
    counted = [*HOUSEHOLDS, case("police", "2025-03", "E01990005", 6)]
    fill(counted, [*[("police", q) for q in QUARTERS], ("census", "")])
    assert rows(con, declared)["January to December 2025", "E01990005"][0] == 6
    fill(counted, [*[("police", q) for q in QUARTERS[1:]], ("census", "")])
    assert {v[0] for v in rows(con, declared).values()} == {None}


def test_without_the_census_there_is_no_denominator(con, fill: Fill):
    fill(HOUSEHOLDS, [a for a in all_admitted() if a[0] != "census"])
    assert set(rows(con, region()).values()) == {(0, None, "incomplete", True)}


def test_a_modelled_measure_is_marked_estimated_everywhere(con, fill: Fill):
    declared = make_region(
        [make_contract("case_list", {"cases": "flow"}, estimated=True), CENSUS],
        [make_source("north_cases", "case_list", "quarterly"), CENSUS_SOURCE],
    )
    fill(HOUSEHOLDS, all_admitted())
    relation = indicator_table(con, make_indicator(), declared, "counts", "areas", "admitted")
    assert relation.aggregate("bool_and(estimated)").fetchone() == (True,)


def test_an_estimated_count_marks_its_area_only(con, fill: Fill):
    fill([*HOUSEHOLDS, case("north_cases", "2025-03", "E01990001", 3)], all_admitted())
    con.execute("UPDATE counts SET estimated = true WHERE measure = 'cases'")
    relation = indicator_table(con, make_indicator(), region(), "counts", "areas", "admitted")
    marked = relation.filter("estimated").select("geography_code").fetchall()
    assert marked == [("E01990001",)]


def test_the_order_of_the_counts_does_not_matter(con, fill: Fill):
    counted = [
        *HOUSEHOLDS,
        *[case("north_cases", q, f"E0199000{n}", n) for q in QUARTERS for n in (1, 2, 3)],
        case("north_cases", "2025-03", None, 3, lad=NORTH),
    ]
    fill(counted, all_admitted())
    forwards = rows(con, region(), level="lad24")
    fill(counted[::-1], all_admitted())
    assert rows(con, region(), level="lad24") == forwards


def test_district_sums_close(con, fill: Fill):
    """What is counted in a district is what its LSOAs show plus what was not placed."""
    counted = [
        *HOUSEHOLDS,
        *[case("north_cases", q, f"E0199000{n}", n) for q in QUARTERS for n in (1, 2, 3)],
        *[case("north_cases", q, None, 4, lad=NORTH) for q in QUARTERS],
    ]
    fill(counted, all_admitted())
    lsoas = sum(v[0] for v in rows(con, region()).values())
    districts = sum(v[0] for v in rows(con, region(), level="lad24").values())
    delivered = sum(r[6] for r in counted if r[4] == "cases")
    assert districts == delivered
    assert districts - lsoas == 4 * len(QUARTERS)


def test_the_result_outlives_the_tables_it_came_from(con, fill: Fill):
    fill(HOUSEHOLDS, all_admitted())
    relation = indicator_table(con, make_indicator(), region(), "counts", "areas", "admitted")
    con.execute("DROP TABLE counts")
    assert len(relation.fetchall()) == 5


def test_an_indicator_without_counts_is_refused(con, fill: Fill):
    fill([], [])
    statistic = make_indicator(
        kind="statistic",
        numerator=None,
        denominator=None,
        statistic="score",
        interval="none",
        additivity="none",
    )
    with pytest.raises(ConfigurationError, match="T01"):
        indicator_table(con, statistic, region(), "counts", "areas", "admitted")


def test_nothing_admitted_gives_a_missing_row_for_every_area(con: duckdb.DuckDBPyConnection, fill):
    fill([], [])
    found = rows(con, region(), window="latest")
    assert len(found) == 5
    assert set(found.values()) == {(None, None, "incomplete", True)}
