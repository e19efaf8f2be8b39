"""Medians, from inline published shares of cases up to 14, 28 and 84 days."""

from __future__ import annotations

import pytest
from shown_figures import NORTH, SOUTH, as_rows, declare, row, same_bytes, share, show
from testshire import make_indicator

from declarations.errors import ConfigurationError
from indicators.derived.medians import medians_table
from indicators.tables import RATE_COLUMNS

LAD = [{"level": "lad24", "window": "year"}]
LIMITS = {"T01": 14, "T02": 28, "T03": 84}
SHARES = [share(id=key, outputs=LAD) for key in LIMITS]
MEDIAN = make_indicator(
    id="T09",
    kind="median",
    interval="wilson",
    numerator=None,
    denominator=None,
    additivity="none",
    unit="days",
    outputs=LAD,
    minimum_denominator=20,
    median={"shares": [{"indicator": key, "upper": days} for key, days in LIMITS.items()]},
)


def made(con, cases, n=100, *, shares=SHARES, area=NORTH, missing=()):
    declared = declare(*shares, MEDIAN)
    rows = [
        row(area, None if key in missing else x, None if key in missing else n,
            of=key, level="lad24", missing=key in missing)
        for key, x in zip(LIMITS, cases, strict=True)
    ]  # fmt: skip
    show(con, rows, declared)
    return medians_table(con, "shown", "areas", declared)


COLUMNS = "value", "value_status", "note_id"


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        # 20 of 100 within 14 days and 60 within 28: the 50th is 30/40 of the way.
        ((20, 60, 90), (24.5, None, None)),
        ((80, 90, 95), (8.75, None, None)),
        # 40 within 84 days: longer than that.
        ((10, 20, 40), (None, "[z]", "median_beyond")),
        # Hidden means 0 to 4 of 100: the half is not there, and 14 days are passed over.
        ((None, 20, 70), (28 + 56 * 30 / 50, None, "fewer_limits")),
        ((None, None, 70), (84 * 50 / 70, None, "fewer_limits")),
        ((None, None, None), (None, "[z]", "median_beyond")),
    ],
)
def test_waits_of_a_hundred_cases(con, cases, told):
    got = made(con, cases)
    assert got.column_names == RATE_COLUMNS.split(", ")
    assert as_rows(got, *COLUMNS) == [
        (told[0] if told[0] is None else round(told[0], 6), *told[1:])
    ]


def test_the_interval_and_what_stands_beside_it(con):
    got = made(con, (20, 60, 90))
    columns = "indicator_id", "numerator", "denominator", "ci_method", "unit"
    assert as_rows(got, *columns) == [("T09", None, 100, "wilson", "days")]
    ((low, value, high),) = as_rows(got, "lower_ci", "value", "upper_ci")
    assert 14 < low < value < high <= 28.0 + 1
    ((value, high, note),) = as_rows(made(con, (5, 20, 25), 45), "value", "upper_ci", "note_id")
    assert value is not None
    assert (high, note) == (None, "interval_beyond")


def test_a_limit_withheld_for_another_reason_can_be_of_any_size(con):
    declared = declare(*SHARES, MEDIAN)
    rows = [
        row(NORTH, None, 100, of="T01", level="lad24", note="withheld"),
        row(NORTH, 60, 100, of="T02", level="lad24"),
        row(NORTH, 90, 100, of="T03", level="lad24"),
        row(SOUTH, 20, 100, of="T01", level="lad24"),
        row(SOUTH, 60, 100, of="T02", level="lad24"),
        row(SOUTH, None, None, of="T03", level="lad24", note="withheld"),
    ]
    show(con, rows, declared)
    got = medians_table(con, "shown", "areas", declared)
    # In the North the half could have been reached within 14 days; in the South it was within 28.
    assert as_rows(got, "value", "value_status") == [(None, "[c]"), (24.5, None)]


def test_missing_empty_and_few(con):
    assert as_rows(made(con, (20, 60, 90), missing=("T02",)), *COLUMNS)[0][:2] == (None, "[x]")
    assert as_rows(made(con, (0, 0, 0), 0), *COLUMNS)[0][:2] == (None, "[z]")
    assert as_rows(made(con, (5, 10, 15), 15), *COLUMNS)[0][:2] == (None, "[u]")


def test_shares_the_region_does_not_declare_are_refused(con):
    with pytest.raises(ConfigurationError, match="T03"):
        made(con, (20, 60, 90), shares=[*SHARES[:2], make_indicator(id="T03", outputs=LAD)])


def test_the_order_of_rows_changes_no_byte(con):
    made(con, (20, 60, 90))
    declared = declare(*SHARES, MEDIAN)
    assert same_bytes(con, lambda: medians_table(con, "shown", "areas", declared))


def test_nothing_published_gives_an_empty_table(con):
    declared = declare(*SHARES, MEDIAN)
    show(con, [], declared)
    assert medians_table(con, "shown", "areas", declared).num_rows == 0
