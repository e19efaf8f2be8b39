"""The table of trends, from inline published figures."""

from __future__ import annotations

import datetime as dt

import pytest
from shown_figures import NORTH, SOUTH, as_rows, declare, row, same_bytes, share, show, unrounded
from testshire import make_indicator

from indicators.derived.trends import SCHEMA, trends_table

YEARLY = [{"level": "lad24", "window": "year"}]


def years(area, counts, *, first=2019, denominator=100_000, **more):
    """Return one figure a year from ``first`` on."""
    return [
        row(area, x, denominator, level="lad24", months=(f"{y}-01", f"{y}-12"), **more)
        for y, x in enumerate(counts, first)
    ]


def told(con, declared, *columns):
    return as_rows(trends_table(con, "shown", "areas", declared), *columns)


def test_a_fifth_more_each_year_and_a_fifth_less(con):
    declared = declare(unrounded(make_indicator(outputs=YEARLY)))
    rising, falling = [1000, 1200, 1440, 1728, 2074], [2000, 1600, 1280, 1024, 819]
    show(con, [*years(NORTH, rising), *years(SOUTH, falling)], declared)
    table = trends_table(con, "shown", "areas", declared)
    assert table.schema == SCHEMA
    assert as_rows(table, "geography_code", "points", "direction", "change_unit") == [
        (NORTH, 5, "rising", "% per year"),
        (SOUTH, 5, "falling", "% per year"),
    ]
    assert table.column("change_per_year").to_pylist() == pytest.approx([20, -20], abs=0.1)
    assert table.column("months").to_pylist() == [12, 12]
    assert table.column("last_period_end").to_pylist() == [dt.date(2023, 12, 31)] * 2
    assert table.column("value_status").to_pylist() == [None, None]


def test_shares_change_in_points(con):
    declared = declare(unrounded(share(outputs=YEARLY)))
    show(con, years(NORTH, [40_000, 42_000, 44_000, 46_000]), declared)
    (got,) = told(con, declared, "change_per_year", "change_unit", "direction")
    # A leap year is a little longer than the others.
    assert got[0] == pytest.approx(2, abs=0.01)
    assert got[1:] == ("percentage points per year", "rising")


def test_three_years_are_no_series_and_four_are(con):
    declared = declare(unrounded(make_indicator(outputs=YEARLY)))
    show(con, years(NORTH, [1000, 1200, 1440]), declared)
    assert told(con, declared, "points", "direction") == []
    show(con, years(NORTH, [1000, 1200, 1440, 1728]), declared)
    assert told(con, declared, "points", "direction") == [(4, "rising")]


def test_hidden_points_are_counted_and_too_many_silence_the_trend(con):
    declared = declare(make_indicator(outputs=YEARLY))
    one, two = [100, 80, 60, 40, None], [100, 80, 60, 40, None, None]
    show(con, [*years(NORTH, [*one, 20]), *years(SOUTH, two)], declared)
    assert told(con, declared, "points", "points_hidden", "direction", "value_status") == [
        (5, 1, "falling", None),
        (4, 2, "too few points", "[z]"),
    ]


def test_a_break_starts_the_series_again_and_is_told(con):
    breaks = [
        {"period": "2018-01", "reason": "Older still."},
        {"period": "2021-01", "reason": "New definition."},
        {"period": "2030-01", "reason": "Not yet."},
    ]
    declared = declare(unrounded(make_indicator(outputs=YEARLY, breaks=breaks)))
    # Falling until 2020, rising after.
    show(con, years(NORTH, [9000, 5000, 1000, 1200, 1440, 1728], first=2019), declared)
    columns = "points", "first_period_start", "direction", "break_reason", "value_status"
    assert told(con, declared, *columns) == [
        (4, dt.date(2021, 1, 1), "rising", "New definition.", "[b]")
    ]


def test_a_period_with_a_break_inside_it_does_not_count(con):
    breaks = [{"period": "2020-07", "reason": "New definition."}]
    declared = declare(unrounded(make_indicator(outputs=YEARLY, breaks=breaks)))
    show(con, years(NORTH, [1000] * 5, first=2019), declared)
    assert told(con, declared, "points") == []
    show(con, years(NORTH, [1000] * 6, first=2019), declared)
    assert told(con, declared, "points", "direction", "break_start", "value_status") == [
        (4, "no clear change", dt.date(2020, 7, 1), "[b]")
    ]


def test_only_periods_of_the_declared_length(con):
    quarters = [{"level": "lad24", "window": "quarter"}, {"level": "lsoa21", "window": "latest"}]
    declared = declare(unrounded(make_indicator(outputs=quarters)))
    rows = [
        row(NORTH, x, 100_000, level="lad24", months=(f"2025-{m:02d}", f"2025-{m + 2:02d}"))
        for m, x in ((1, 1000), (4, 1050), (7, 1100), (10, 1160))
    ]
    yearly = row(NORTH, 4310, 100_000, level="lad24")
    show(con, [*rows, yearly, row("E01990001", 50, 900)], declared)
    (got,) = told(con, declared, "months", "points", "direction", "change_per_year")
    assert got[:3] == (3, 4, "rising")
    # 5 % a quarter is about 1.05⁴ - 1 = 21.6 % a year.
    assert got[3] == pytest.approx(21.6, abs=1)


def test_rounded_counts_are_less_sure_than_exact_ones(con):
    counts = [20, 25, 15, 20, 25, 30]
    width = []
    rounded = make_indicator(outputs=YEARLY)
    for indicator in (unrounded(rounded), rounded):
        declared = declare(indicator)
        show(con, years(NORTH, counts, denominator=5000), declared)
        ((low, high),) = told(con, declared, "lower_ci", "upper_ci")
        width.append(high - low)
    assert width[1] > width[0]


def test_the_order_of_rows_changes_no_byte(con):
    declared = declare(make_indicator(outputs=YEARLY))
    rows = [r for a in (NORTH, SOUTH) for r in years(a, [100, 90, 95, 70, None, 60])]
    show(con, rows, declared)
    assert same_bytes(con, lambda: trends_table(con, "shown", "areas", declared))


def test_nothing_published_gives_an_empty_table(con):
    declared = declare(make_indicator(outputs=YEARLY))
    show(con, [], declared)
    assert trends_table(con, "shown", "areas", declared).num_rows == 0


def test_the_change_of_a_stock_is_told_and_not_judged(con):
    """Most people who are there one year are there the next: the points are not independent."""
    declared = declare(unrounded(make_indicator(outputs=YEARLY, additivity="stock")))
    show(con, years(NORTH, [1000, 1200, 1440, 1728, 2074]), declared)
    ((change, lower, upper, direction, status),) = told(
        con, declared, "change_per_year", "lower_ci", "upper_ci", "direction", "value_status"
    )
    assert change == pytest.approx(20, abs=0.1)
    assert (lower, upper, direction, status) == (None, None, "not judged", "[u]")


def test_the_change_of_an_estimate_is_not_judged_either(con):
    declared = declare(unrounded(make_indicator(outputs=YEARLY)))
    show(con, years(NORTH, [1000, 1200, 1440, 1728], estimated=True), declared)
    assert told(con, declared, "direction", "value_status") == [("not judged", "[u]")]
