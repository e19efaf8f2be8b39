"""Directly standardised rates, from inline published rates of two age groups."""

from __future__ import annotations

import pytest
from shown_figures import NORTH, SOUTH, as_rows, declare, row, same_bytes, show
from testshire import make_indicator

from declarations.errors import ConfigurationError
from indicators.derived.standardised import standardised_table
from indicators.intervals import dobson
from indicators.tables import RATE_COLUMNS

LAD = [{"level": "lad24", "window": "year"}]
YOUNG = make_indicator(id="T01", outputs=LAD)
OLD = make_indicator(id="T02", outputs=LAD)
WHOLE = make_indicator(
    id="T03",
    kind="standardised",
    standardisation="direct",
    interval="dobson",
    numerator=None,
    denominator=None,
    additivity="none",
    multiplier=1000,
    outputs=LAD,
    standardised={
        "standard": "made up",
        "strata": [
            {"title": "Under 65", "indicator": "T01", "weight": 75},
            {"title": "65 and over", "indicator": "T02", "weight": 25},
        ],
    },
)


def made(con, young, old):
    declared = declare(YOUNG, OLD, WHOLE)
    rows = [row(*given, of="T01", level="lad24") for given in young]
    rows += [row(*given, of="T02", level="lad24") for given in old]
    show(con, rows, declared)
    return standardised_table(con, "shown", "areas", declared)


def test_three_quarters_of_one_rate_and_a_quarter_of_the_other(con):
    """North: 10 per 1,000 of the young and 50 of the old: 0.75 * 10 + 0.25 * 50 = 20."""
    got = made(con, [(NORTH, 100, 10_000), (SOUTH, 90, 9_000)], [(NORTH, 50, 1_000)])
    assert got.column_names == RATE_COLUMNS.split(", ")
    columns = "indicator_id", "geography_code", "numerator", "denominator", "value", "ci_method"
    assert as_rows(got, *columns, "value_status") == [
        ("T03", NORTH, 150, 11_000, 20.0, "dobson", None),
        ("T03", SOUTH, None, None, None, "none", "[x]"),
    ]
    expected = dobson([100, 50], [10_000, 1_000], [75, 25], multiplier=1000)
    (limits, _) = as_rows(got, "lower_ci", "upper_ci")
    assert limits == pytest.approx((float(expected.lower), float(expected.upper)), abs=1e-6)


@pytest.mark.parametrize(
    ("young", "old", "numerator", "status"),
    [
        ((100, 10_000), (None, 1_000), None, "[c]"),  # a hidden group hides the rate
        ((100, 10_000), (50, 0), 150, "[z]"),  # nobody to divide by
        ((5, 10_000), (0, 1_000), 5, "[u]"),  # fewer than ten events
    ],
)
def test_why_there_is_no_rate(con, young, old, numerator, status):
    got = made(con, [(NORTH, *young)], [(NORTH, *old)])
    assert as_rows(got, "numerator", "value", "value_status") == [(numerator, None, status)]


def test_missing_outranks_hidden_and_estimates_are_told(con):
    declared = declare(YOUNG, OLD, WHOLE)
    rows = [
        row(NORTH, None, None, of="T01", level="lad24", missing=True, note="incomplete"),
        row(NORTH, None, 500, of="T02", level="lad24"),
        row(SOUTH, 50, 5000, of="T01", level="lad24", estimated=True),
        row(SOUTH, 50, 500, of="T02", level="lad24"),
    ]
    show(con, rows, declared)
    got = standardised_table(con, "shown", "areas", declared)
    assert as_rows(got, "value_status", "missing", "estimated", "note_id") == [
        ("[x]", True, False, "incomplete"),
        ("[e]", False, True, None),
    ]


def test_levels_that_are_not_declared_are_left_out(con):
    declared = declare(YOUNG, OLD, WHOLE)
    show(con, [row("E01990001", 50, 500), row("E01990001", 50, 500, of="T02")], declared)
    assert standardised_table(con, "shown", "areas", declared).num_rows == 0


def test_a_group_the_region_does_not_declare_is_refused(con):
    declared = declare(YOUNG, WHOLE)
    show(con, [], declared)
    with pytest.raises(ConfigurationError, match="T02"):
        standardised_table(con, "shown", "areas", declared)


def test_the_order_of_rows_changes_no_byte(con):
    made(con, [(NORTH, 100, 10_000), (SOUTH, 90, 900)], [(SOUTH, 5, 50), (NORTH, 50, 1_000)])
    declared = declare(YOUNG, OLD, WHOLE)
    assert same_bytes(con, lambda: standardised_table(con, "shown", "areas", declared))
