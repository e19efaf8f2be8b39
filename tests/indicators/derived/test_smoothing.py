"""The table of smoothed figures, from inline published figures."""

from __future__ import annotations

import numpy as np
import pytest
from shown_figures import NORTH, SOUTH, as_rows, declare, row, same_bytes, share, show, unrounded
from testshire import make_indicator

from indicators.derived.smoothing import SCHEMA, smoothed_table
from indicators.statistics.protected import Within
from indicators.statistics.shrinkage import marshall

COLUMNS = "geography_code", "value", "smoothed", "weight", "prior", "value_status"


def test_two_neighbourhoods_by_hand(con):
    """Rates of 10 and 30 per 1,000; the mean is 20, and 0.8 of each figure is its own."""
    declared = declare(unrounded(make_indicator(smoothing="district")))
    show(con, [row("E01990001", 10, 1000), row("E01990002", 30, 1000)], declared)
    got = smoothed_table(con, "shown", "areas", declared)
    assert got.schema == SCHEMA
    assert as_rows(got, *COLUMNS) == [
        ("E01990001", 10.0, 12.0, 0.8, 20.0, None),
        ("E01990002", 30.0, 28.0, 0.8, 20.0, None),
    ]
    assert set(got.column("prior_area").to_pylist()) == {"district"}


def test_hidden_and_missing_neighbourhoods_get_no_smoothed_value(con):
    declared = declare(make_indicator(smoothing="district"))
    show(
        con,
        [
            row("E01990001", 10, 1000),
            row("E01990002", 40, 1000),
            row("E01990003", None, 1000),
            row("E01990004", None, None, missing=True, district=SOUTH),
            row("E01990005", 0, 0, district=SOUTH),
        ],
        declared,
    )
    got = as_rows(smoothed_table(con, "shown", "areas", declared), *COLUMNS)
    told = {code: (value, smoothed, status) for code, value, smoothed, _, _, status in got}
    assert told["E01990003"] == (None, None, "[c]")
    assert told["E01990004"] == (None, None, "[x]")
    assert told["E01990005"] == (None, None, "[z]")
    assert told["E01990001"][2] is None
    assert 10 < told["E01990001"][1] < told["E01990002"][1] < 40


def test_a_hidden_neighbourhood_lowers_the_mean_it_is_not_left_out_of(con):
    declared = declare(make_indicator(smoothing="region"))
    shown = [row("E01990001", 10, 1000), row("E01990002", 10, 1000)]
    show(con, shown, declared)
    before = smoothed_table(con, "shown", "areas", declared).column("prior")[0].as_py()
    show(con, [*shown, row("E01990003", None, 1000)], declared)
    after = smoothed_table(con, "shown", "areas", declared)
    assert after.column("prior")[0].as_py() < before
    # The estimator is told what a reader knows: 8 to 12, 8 to 12, 0 to 4.
    within = Within(np.array([8.0, 8.0, 0.0]), np.array([12.0, 12.0, 4.0]))
    expected = marshall([10, 10, None], [1000] * 3, within=within)
    assert after.column("prior")[0].as_py() == pytest.approx(1000 * expected.prior[0])
    # One withheld for another reason can be of any size: it says nothing.
    show(con, [*shown, row("E01990003", None, 1000, note="withheld")], declared)
    withheld = smoothed_table(con, "shown", "areas", declared)
    assert withheld.column("prior")[0].as_py() == pytest.approx(before)
    assert withheld.column("value_status").to_pylist()[2] == "[c]"


def test_figures_that_are_mostly_the_mean_are_marked(con):
    """19 and 21 of 1,000 differ by no more than chance: both are the mean, with weight 0."""
    declared = declare(unrounded(make_indicator(smoothing="region")))
    rows = [row("E01990001", 19, 1000), row("E01990002", 21, 1000, estimated=True)]
    show(con, rows, declared)
    got = as_rows(smoothed_table(con, "shown", "areas", declared), *COLUMNS)
    assert [(r[2], r[3], r[5]) for r in got] == [(20.0, 0.0, "[u]"), (20.0, 0.0, "[e][u]")]


def test_a_denominator_too_small_for_a_value_still_has_a_smoothed_one(con):
    indicator = make_indicator(smoothing="region", minimum_denominator=500)
    declared = declare(unrounded(indicator))
    rows = [row("E01990001", 10, 1000), row("E01990002", 30, 1000), row("E01990003", 6, 100)]
    show(con, rows, declared)
    got = as_rows(smoothed_table(con, "shown", "areas", declared), *COLUMNS)
    assert (got[2][1], got[2][5]) == (None, "[u]")
    assert 20 < got[2][2] < 60


def test_shares_are_drawn_on_the_logit_scale(con):
    """By hand for 10 and 30 of 100: ln(10.5/90.5) and ln(30.5/70.5), the whole ln(40.5/160.5)."""
    declared = declare(unrounded(share(smoothing="district")))
    show(con, [row("E01990001", 10, 100), row("E01990002", 30, 100)], declared)
    z = np.log([10.5 / 90.5, 30.5 / 70.5])
    whole = np.log(40.5 / 160.5)
    within = 1 / np.array([10.5, 30.5]) + 1 / np.array([90.5, 70.5])
    between = (z[0] - z[1]) ** 2 / 2
    weight = between / (between + within)
    expected = 100 / (1 + np.exp(-(weight * z + (1 - weight) * whole)))
    got = smoothed_table(con, "shown", "areas", declared)
    assert got.column("smoothed").to_pylist() == pytest.approx(expected.tolist())
    assert got.column("weight").to_pylist() == pytest.approx(weight.tolist())


def test_neighbours_and_what_stands_in_for_them(con):
    declared = declare(unrounded(make_indicator(smoothing="neighbours")))
    rows = [
        row("E01990001", 10, 1000),
        row("E01990002", 30, 1000),
        row("E01990003", 500, 1000),
    ]
    show(con, rows, declared)
    con.execute("CREATE TABLE beside (lsoa21cd VARCHAR, neighbour_lsoa21cd VARCHAR)")
    con.executemany(
        "INSERT INTO beside VALUES (?, ?)",
        [("E01990001", "E01990002"), ("E01990002", "E01990001"), ("E01990001", "E01999999")],
    )
    got = smoothed_table(con, "shown", "areas", declared, "beside")
    assert as_rows(got, "smoothed", "prior_area")[:2] == [
        (12.0, "neighbours"),
        (28.0, "neighbours"),
    ]
    without = smoothed_table(con, "shown", "areas", declared)
    assert set(without.column("prior_area").to_pylist()) == {"district"}
    assert without.column("prior")[0].as_py() == pytest.approx(180)


def test_districts_are_drawn_to_the_region(con):
    indicator = make_indicator(smoothing="district", outputs=[{"level": "lad24", "window": "year"}])
    declared = declare(unrounded(indicator))
    show(con, [row(NORTH, 10, 1000, level="lad24"), row(SOUTH, 30, 1000, level="lad24")], declared)
    got = smoothed_table(con, "shown", "areas", declared)
    assert as_rows(got, "smoothed", "prior_area") == [(12.0, "region"), (28.0, "region")]


def test_only_what_declares_it_and_each_period_by_itself(con):
    declared = declare(
        unrounded(make_indicator(smoothing="district")), unrounded(make_indicator(id="T02"))
    )
    earlier = ("2024-01", "2024-12")
    rows = [
        row("E01990001", 10, 1000),
        row("E01990002", 30, 1000),
        row("E01990001", 100, 1000, months=earlier),
        row("E01990002", 300, 1000, months=earlier),
        row("E01990001", 10, 1000, of="T02"),
    ]
    show(con, rows, declared)
    got = smoothed_table(con, "shown", "areas", declared)
    assert got.column("indicator_id").to_pylist() == ["T01"] * 4
    assert got.column("prior").to_pylist() == pytest.approx([200, 200, 20, 20])


def test_nothing_published_gives_an_empty_table(con):
    declared = declare(make_indicator(smoothing="district"))
    show(con, [], declared)
    assert smoothed_table(con, "shown", "areas", declared).num_rows == 0


def test_the_order_of_rows_changes_no_byte(con):
    declared = declare(make_indicator(smoothing="district"))
    draws = np.random.default_rng(20261116)
    counts = draws.poisson(9, 200)
    rows = [
        row(f"E0199{i:04d}", int((x + 2) // 5 * 5) if x >= 5 else None, 900 + i)
        for i, x in enumerate(counts)
    ]
    show(con, rows, declared)
    assert same_bytes(con, lambda: smoothed_table(con, "shown", "areas", declared))
