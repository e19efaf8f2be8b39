"""The table of comparisons, from inline published figures."""

from __future__ import annotations

import datetime as dt

import pytest
from shown_figures import NORTH, SOUTH, as_rows, declare, row, same_bytes, share, show
from testshire import make_indicator

from indicators.derived.comparisons import SCHEMA, comparisons_table

BOTH = [{"level": "lsoa21", "window": "year"}, {"level": "lad24", "window": "year"}]
QUARTERS = [("2025-01", "2025-03"), ("2025-04", "2025-06"), ("2025-07", "2025-09"),
            ("2025-10", "2025-12")]  # fmt: skip
COLUMNS = "geography_code", "benchmark", "benchmark_value", "result", "funnel", "value_status"


def lad(code, x, n, **more):
    return row(code, x, n, level="lad24", **more)


def test_neighbourhoods_against_their_district_and_the_region(con):
    """North has 20 cases per 1,000 households and South 40, so that the region has 30."""
    declared = declare(make_indicator(outputs=BOTH, polarity="lower_is_better"))
    show(
        con,
        [
            lad(NORTH, 200, 10_000),
            lad(SOUTH, 400, 10_000),
            row("E01990001", 50, 1000),  # 37 to 66 per 1,000; worse than both
            row("E01990002", 20, 1000),  # 12 to 31 per 1,000; as its district, as the region
            row("E01990003", None, 1000),  # hidden
            row("E01990004", 15, 1000, district=SOUTH),  # 8 to 25 per 1,000; better than both
        ],
        declared,
    )
    got = comparisons_table(con, "shown", "areas", declared)
    assert got.schema == SCHEMA
    assert as_rows(got, *COLUMNS) == [
        # The limits of 99.8 % around 30 per 1,000 of 10,000 households are about 30 ∓ 5.4.
        (NORTH, "region", 30.0, "better", "better (99.8 %)", None),
        (SOUTH, "region", 30.0, "worse", "worse (99.8 %)", None),
        # Around 20 expected events they are 8 and 36, those of 95 % 12 and 29.
        ("E01990001", "district", 20.0, "worse", "worse (99.8 %)", None),
        ("E01990002", "district", 20.0, "similar", "within", None),
        ("E01990003", "district", 20.0, None, None, "[c]"),
        # Around 40: 22 and 61.
        ("E01990004", "district", 40.0, "better", "better (99.8 %)", None),
        # Around 30: 15 and 48, those of 95 % 20 and 41.
        ("E01990001", "region", 30.0, "worse", "worse (99.8 %)", None),
        ("E01990002", "region", 30.0, "similar", "within", None),
        ("E01990003", "region", 30.0, None, None, "[c]"),
        ("E01990004", "region", 30.0, "better", "better (95 %)", None),
    ]


def test_without_polarity_the_words_are_higher_and_lower(con):
    declared = declare(make_indicator(outputs=BOTH, polarity="none"))
    show(con, [lad(NORTH, 200, 10_000), lad(SOUTH, 400, 10_000)], declared)
    got = comparisons_table(con, "shown", "areas", declared)
    assert got.column("result").to_pylist() == ["lower", "higher"]


def test_a_year_is_compared_with_the_districts_quarters_added_up(con):
    """Cases of the quarters add up, 40 + 60 + 50 + 50; households are the same people."""
    outputs = [{"level": "lsoa21", "window": "year"}, {"level": "lad24", "window": "quarter"}]
    declared = declare(make_indicator(outputs=outputs))
    quarters = [
        lad(code, x, 10_000, months=q)
        for code in (NORTH, SOUTH)
        for x, q in zip((40, 60, 50, 50), QUARTERS, strict=True)
    ]
    show(con, [*quarters, row("E01990001", 50, 1000)], declared)
    got = comparisons_table(con, "shown", "areas", declared)
    yearly = [r for r in as_rows(got, *COLUMNS) if r[0] == "E01990001"]
    assert [r[1:3] for r in yearly] == [("district", 20.0), ("region", 20.0)]
    # With a quarter missing there is nothing to add up.
    show(con, [*quarters[1:], row("E01990001", 50, 1000)], declared)
    got = comparisons_table(con, "shown", "areas", declared)
    yearly = [r for r in as_rows(got, *COLUMNS) if r[0] == "E01990001"]
    assert [r[1:] for r in yearly] == [
        ("district", None, None, None, "[x]"),
        ("region", None, None, None, "[x]"),
    ]


def test_the_cases_a_share_is_of_add_up_too(con):
    outputs = [{"level": "lsoa21", "window": "year"}, {"level": "lad24", "window": "quarter"}]
    declared = declare(share(outputs=outputs))
    quarters = [
        lad(code, x, n, months=q)
        for code in (NORTH, SOUTH)
        for (x, n), q in zip(((10, 100), (30, 100), (50, 100), (10, 200)), QUARTERS, strict=True)
    ]
    show(con, [*quarters, row("E01990001", 50, 100)], declared)
    got = comparisons_table(con, "shown", "areas", declared)
    yearly = [r for r in as_rows(got, *COLUMNS) if r[0] == "E01990001"]
    assert [r[1:4] for r in yearly] == [("district", 20.0, "higher"), ("region", 20.0, "higher")]


def test_a_stock_is_compared_with_the_last_quarters(con):
    outputs = [{"level": "lsoa21", "window": "year"}, {"level": "lad24", "window": "quarter"}]
    declared = declare(make_indicator(outputs=outputs, additivity="stock"))
    quarters = [
        lad(code, x, 10_000, months=q)
        for code in (NORTH, SOUTH)
        for x, q in zip((900, 900, 900, 100), QUARTERS, strict=True)
    ]
    show(con, [*quarters, row("E01990001", 50, 1000)], declared)
    got = comparisons_table(con, "shown", "areas", declared)
    yearly = [r for r in as_rows(got, *COLUMNS) if r[0] == "E01990001"]
    assert [r[2] for r in yearly] == [10.0, 10.0]


@pytest.mark.parametrize(
    ("south", "marker"),
    [(("hidden", None, 10_000), "[c]"), (("missing", None, None), "[x]"), (None, "[x]")],
)
def test_a_region_with_a_district_unknown_has_no_figure(con, south, marker):
    declared = declare(make_indicator(outputs=BOTH))
    rows = [lad(NORTH, 200, 10_000), row("E01990001", 50, 1000)]
    if south:
        rows.append(lad(SOUTH, south[1], south[2], missing=south[0] == "missing"))
    show(con, rows, declared)
    got = as_rows(comparisons_table(con, "shown", "areas", declared), *COLUMNS)
    lsoa = [r for r in got if r[0] == "E01990001"]
    assert lsoa[0][1:4] == ("district", 20.0, "higher")
    assert lsoa[1][1:] == ("region", None, None, None, marker)


def test_indicators_without_district_figures_have_no_rows(con):
    declared = declare(make_indicator())
    show(con, [row("E01990001", 50, 1000)], declared)
    assert comparisons_table(con, "shown", "areas", declared).num_rows == 0


def test_the_order_of_rows_changes_no_byte(con):
    declared = declare(make_indicator(outputs=BOTH))
    rows = [lad(NORTH, 200, 10_000), lad(SOUTH, 400, 10_000)]
    rows += [row(f"E0199{i:04d}", 5 * i, 900 + i) for i in range(1, 60)]
    show(con, rows, declared)
    assert same_bytes(con, lambda: comparisons_table(con, "shown", "areas", declared))


def test_quarters_that_end_within_a_year_of_another_calendar_stand_for_it(con):
    """A year from November to October is held against the quarters from October to September."""
    outputs = [{"level": "lsoa21", "window": "year"}, {"level": "lad24", "window": "quarter"}]
    declared = declare(make_indicator(outputs=outputs))
    quarters = [("2024-10", "2024-12"), *QUARTERS[:3]]
    year = ("2024-11", "2025-10")
    rows = [lad(code, 25, 10_000, months=q) for code in (NORTH, SOUTH) for q in quarters]
    show(con, [*rows, row("E01990001", 50, 1000, months=year)], declared)
    table = comparisons_table(con, "shown", "areas", declared)
    got = [
        found
        for found in as_rows(
            table, "geography_code", "benchmark", "benchmark_value", "benchmark_start",
            "benchmark_end",
        )
        if found[0] == "E01990001"
    ]  # fmt: skip
    days = (dt.date(2024, 10, 1), dt.date(2025, 9, 30))
    # Four quarters of 25 among 10,000 households: 10 per 1,000 in the year.
    assert got == [("E01990001", "district", 10.0, *days), ("E01990001", "region", 10.0, *days)]


def test_three_of_four_quarters_are_no_benchmark(con):
    outputs = [{"level": "lsoa21", "window": "year"}, {"level": "lad24", "window": "quarter"}]
    declared = declare(make_indicator(outputs=outputs))
    rows = [lad(code, 25, 10_000, months=q) for code in (NORTH, SOUTH) for q in QUARTERS[:3]]
    show(con, [*rows, row("E01990001", 50, 1000, months=("2025-01", "2025-12"))], declared)
    table = comparisons_table(con, "shown", "areas", declared)
    got = as_rows(table, "geography_code", "benchmark_value", "value_status")
    assert [g for g in got if g[0] == "E01990001"] == [("E01990001", None, "[x]")] * 2
