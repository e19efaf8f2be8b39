"""The plan: which deliveries a window needs, uses and lacks."""

from __future__ import annotations

import pytest
from testshire import NORTH, SOUTH, make_contract, make_indicator, make_region, make_source

from indicators.plan import calendar_end, owed_periods, plan
from indicators.windows import window_of

CENSUS = make_contract("census_table", {"households": "stock"}, kind="values")
CENSUS_SOURCE = make_source("census", "census_table", "once", period="2021-03")


def region(additivity="flow", cadence="monthly", **more):
    return make_region(
        [make_contract("case_list", {"cases": additivity}), CENSUS],
        [make_source("cases_list", "case_list", cadence, lad24cd=NORTH), CENSUS_SOURCE],
        **more,
    )


def months(*numbers, year=2025):
    return {f"{year}-{m:02d}" for m in numbers}


@pytest.mark.parametrize(
    ("cadence", "first", "last", "delivered", "expected"),
    [
        ("monthly", "2025-01", "2025-03", [], ["2025-01", "2025-02", "2025-03"]),
        ("quarterly", "2025-01", "2025-06", [], ["2025-03", "2025-06"]),
        ("quarterly", "2025-01", "2025-06", ["2024-10"], ["2025-01", "2025-04"]),
        ("quarterly", "2025-01", "2025-03", ["2024-12", "2024-09", "2024-10"], ["2025-03"]),
        ("quarterly", "2025-01", "2025-02", [], []),
        ("yearly", "2025-01", "2025-12", [], ["2025-10"]),
        ("yearly", "2025-01", "2025-12", ["2024-07"], ["2025-07"]),
    ],
)  # fmt: skip
def test_owed_deliveries_follow_the_suppliers_own_calendar(
    cadence, first, last, delivered, expected
):
    source = make_source("cases_list", "case_list", cadence)
    assert owed_periods(source, window_of(first, last), delivered, 10) == expected


@pytest.mark.parametrize(
    ("asked", "declared", "admitted", "expected"),
    [
        ("2025-06", "2025-12", {"cases_list": {"2025-09"}}, "2025-06"),
        (None, "2025-12", {"cases_list": {"2025-09"}}, "2025-12"),
        (None, None, {"cases_list": {"2025-09", "2025-08"}, "census": {""}}, "2025-09"),
        (None, None, {}, "2025-01"),
    ],
)
def test_where_the_calendar_ends(asked, declared, admitted, expected):
    assert calendar_end(region(last_period=declared), admitted, asked) == expected


def test_windows_from_before_the_first_delivery_are_left_out():
    indicator = make_indicator(outputs=[{"level": "lad24", "window": "quarter"}])
    layout = plan(indicator, region(), {"cases_list": months(5, 6, 7, 8, 9), "census": {""}})
    labels = [s.window.label for s in layout.stretches]
    assert labels == ["April to June 2025", "July to September 2025", "October to December 2025"]
    lacking = {labels[c.stretch]: c.numerator_missing for c in layout.covers if c.lad24cd == NORTH}
    assert lacking == dict(zip(labels, [True, False, True], strict=True))


def ended_region(*last_periods):
    sources = [
        make_source(f"{name}_cases", "case_list", "monthly", lad24cd=lad, last_period=last)
        for (name, lad), last in zip(
            (("north", NORTH), ("south", SOUTH)), last_periods, strict=False
        )
    ]
    contracts = [make_contract("case_list", {"cases": "flow"}), CENSUS]
    return make_region(contracts, [*sources, CENSUS_SOURCE])


@pytest.mark.parametrize(
    ("last_periods", "last_label"),
    [
        (("2025-06", "2025-05"), "April to June 2025"),
        (("2025-06", "2025-07"), "July to September 2025"),
        (("2025-06", None), "October to December 2025"),
    ],
)
def test_windows_after_every_supplier_has_ended_are_left_out(last_periods, last_label):
    indicator = make_indicator(outputs=[{"level": "lad24", "window": "quarter"}])
    admitted = {"north_cases": months(4, 5, 6), "south_cases": months(4, 5), "census": {""}}
    layout = plan(indicator, ended_region(*last_periods), admitted)
    assert layout.stretches[0].window.label == "April to June 2025"
    assert layout.stretches[-1].window.label == last_label


def test_a_quarterly_delivery_of_the_first_month_covers_the_quarter_it_ends():
    indicator = make_indicator(outputs=[{"level": "lad24", "window": "quarter"}])
    declared = region(cadence="quarterly", first_period="2024-11", last_period="2025-03")
    layout = plan(indicator, declared, {"cases_list": {"2024-12", "2025-03"}, "census": {""}})
    labels = [s.window.label for s in layout.stretches]
    assert labels == ["October to December 2024", "January to March 2025"]
    months = {"cases_list": {"2025-01", "2025-02", "2025-03"}, "census": {""}}
    monthly = plan(indicator, region(first_period="2024-11", last_period="2025-03"), months)
    assert [s.window.label for s in monthly.stretches] == ["January to March 2025"]


def test_what_nobody_ever_delivered_fills_no_release_with_missing_rows():
    indicator = make_indicator(outputs=[{"level": "lad24", "window": "quarter"}])
    declared = region(first_period="2024-11", last_period="2025-03")
    assert plan(indicator, declared, {"census": {""}}).stretches == ()


def test_a_yearly_count_is_not_a_quarters_count():
    indicator = make_indicator(outputs=[{"level": "lad24", "window": "quarter"}])
    layout = plan(indicator, region(cadence="yearly"), {"cases_list": {"2025-06"}, "census": {""}})
    assert all(c.numerator_missing for c in layout.covers)


def test_every_stretch_and_district_is_covered_once():
    indicator = make_indicator(
        outputs=[
            {"level": "lsoa21", "window": "year"},
            {"level": "msoa21", "window": "quarter"},
            {"level": "lad24", "window": "month"},
        ]
    )
    layout = plan(indicator, region(), {"cases_list": months(*range(1, 13)), "census": {""}})
    assert len(layout.stretches) == 1 + 4 + 12
    keys = [(c.stretch, c.lad24cd) for c in layout.covers]
    assert sorted(keys) == sorted({(s.number, d) for s in layout.stretches for d in (NORTH, SOUTH)})
    notes = {c.lad24cd: c.notes for c in layout.covers}
    assert notes == {NORTH: None, SOUTH: "not_supplied"}


def test_windows_that_are_the_same_months_are_one_stretch():
    indicator = make_indicator(
        outputs=[{"level": "lad24", "window": "quarter"}, {"level": "lad24", "window": "latest"}]
    )
    declared = region("stock", last_period="2025-06")
    layout = plan(indicator, declared, {"cases_list": {"2025-06"}, "census": {""}})
    labels = [s.window.label for s in layout.stretches]
    assert labels == ["April to June 2025", "June 2025"]
    same = make_indicator(
        outputs=[{"level": "lad24", "window": "month"}, {"level": "lad24", "window": "latest"}]
    )
    admitted = {"cases_list": {"2025-06"}}
    assert [s.window.label for s in plan(same, declared, admitted).stretches] == ["June 2025"]


@pytest.mark.parametrize(("age", "missing"), [(11, False), (12, True)])
def test_an_old_stock_stands_for_the_latest_for_a_year_at_most(age, missing):
    contracts = [make_contract("case_list", {"cases": "stock"}), CENSUS]
    sources = [
        make_source("north_cases", "case_list", "monthly", lad24cd=NORTH),
        make_source("south_cases", "case_list", "monthly", lad24cd=SOUTH),
        CENSUS_SOURCE,
    ]
    declared = make_region(contracts, sources, first_period="2024-01")
    old = {11: "2025-01", 12: "2024-12"}[age]
    admitted = {"north_cases": {"2025-12"}, "south_cases": {old}, "census": {""}}
    indicator = make_indicator(outputs=[{"level": "lad24", "window": "latest"}])
    covers = {c.lad24cd: c for c in plan(indicator, declared, admitted).covers}
    assert covers[SOUTH].numerator_missing == missing
    assert covers[SOUTH].notes == ("incomplete" if missing else "stock_earlier")
    assert covers[NORTH].notes is None


def test_a_census_figure_is_dated_by_its_census():
    indicator = make_indicator(
        kind="count", numerator="households", denominator=None, interval="none",
        outputs=[{"level": "lad24", "window": "latest"}],
    )  # fmt: skip
    (stretch,) = plan(indicator, region(), {"census": {""}}).stretches
    assert stretch.window.label == "March 2021"
