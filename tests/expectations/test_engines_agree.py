"""The compiled pass and GX's own pandas engine give the same outcomes and counts."""

from __future__ import annotations

import datetime as dt

import duckdb
import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from declarations.errors import ConfigurationError
from expectations.execution import run_suite
from expectations.reference import run_with_gx

ROW_RULES = ("all_values_are_missing", "any_value_is_missing", "never")
PAIR_RULES = ("both_values_are_missing", "either_value_is_missing", "neither")
BOUNDS = ((0, 5), (None, 3), (2, None))


def every_type():
    """Expectations of every type and setting the compiler knows, loose and strict."""
    made = [gxe.ExpectColumnToExist(column="t"), gxe.ExpectColumnToExist(column="absent")]
    for mostly in (1.0, 0.6, 0.0):
        made += [
            gxe.ExpectColumnValuesToNotBeNull(column="t", mostly=mostly),
            gxe.ExpectColumnValuesToNotBeNull(column="f", mostly=mostly),
            gxe.ExpectColumnValuesToBeInSet(column="t", value_set=["a", "b"], mostly=mostly),
            gxe.ExpectColumnValuesToBeInSet(column="n", value_set=[1, 2], mostly=mostly),
            gxe.ExpectColumnValuesToBeInSet(column="f", value_set=[0.5], mostly=mostly),
            gxe.ExpectColumnValuesToBeInSet(column="r", value_set=[True], mostly=mostly),
            gxe.ExpectColumnValuesToBeInSet(column="t", value_set=[], mostly=mostly),
            gxe.ExpectColumnValuesToMatchRegex(column="t", regex=r"^[ab]\w?$", mostly=mostly),
            gxe.ExpectColumnValuesToBeUnique(column="t", mostly=mostly),
            gxe.ExpectColumnValuesToBeUnique(column="f", mostly=mostly),
            gxe.ExpectColumnValuesToBeUnique(column="d", mostly=mostly),
        ]
    for low, high in BOUNDS:
        for strict in (False, True):
            edges = {"min_value": low, "max_value": high}
            edges |= {"strict_min": strict, "strict_max": strict}
            made += [
                gxe.ExpectColumnValuesToBeBetween(column="n", **edges),
                gxe.ExpectColumnValuesToBeBetween(column="f", **edges, mostly=0.5),
                gxe.ExpectTableRowCountToBeBetween(**edges),
            ]
    made += [
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["t", "n", "d"], ignore_row_if=rule)
        for rule in ROW_RULES
    ]
    for rule in PAIR_RULES:
        for equal in (False, True):
            how = {"ignore_row_if": rule, "or_equal": equal}
            made += [
                gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="n", column_B="f", **how),
                gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                    column_A="d", column_B="e", mostly=0.5, **how
                ),
            ]
    return gx.ExpectationSuite(name="every_type", expectations=made)


SUITE = every_type()
DAYS = st.none() | st.dates(pd.Timestamp("2026-01-01").date(), pd.Timestamp("2026-01-04").date())
ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["a", "b", "ab", "A", "", "é", "a\n", "a "]),
        st.none() | st.integers(-1, 6),
        st.none() | st.sampled_from([0.5, 2.0, 5.0, float("nan"), -1.0, float("inf")]),
        st.booleans(),
        DAYS,
        DAYS,
    ),
    max_size=12,
)


def table_of(rows):
    con = duckdb.connect()
    con.execute("SET threads = 1")
    con.execute("CREATE TABLE x (t VARCHAR, n BIGINT, f DOUBLE, r BOOLEAN, d DATE, e DATE)")
    if rows:
        con.executemany("INSERT INTO x VALUES (?, ?, ?, ?, ?, ?)", rows)
    return con


def facts(outcome):
    return [
        (c.check_id, c.column_name, c.severity, c.outcome, c.rows_checked, c.rows_failed)
        for c in outcome.checks
    ]


# A run of GX takes half a second: few tables, and none spent on shrinking.
@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(rows=ROWS)
def test_outcomes_and_counts_agree_on_any_table(rows):
    with table_of(rows) as con:
        ours = run_suite(con, "x", SUITE)
        theirs = run_with_gx(con.table("x").df(), SUITE)
    assert facts(ours) == facts(theirs)
    assert [r.result for r in ours.gx_result.results] == [
        r.result for r in theirs.gx_result.results
    ]
    assert ours.gx_result.statistics == theirs.gx_result.statistics
    assert not [c for c in ours.checks if c.outcome == "could_not_run"]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(None, None, None, True, None, None)] * 3,
        [("a", 1, 0.5, True, None, None), ("a", 1, 0.5, False, None, None)],
        [
            ("a", 1, None, True, None, dt.date(2026, 1, 2)),
            ("a", None, 2.0, False, dt.date(2026, 1, 2), None),
            ("a\n", 3, float("nan"), False, dt.date(2026, 1, 2), dt.date(2026, 1, 2)),
            (None, None, float("nan"), False, dt.date(2026, 1, 1), dt.date(2026, 1, 2)),
        ],
    ],
    ids=["no rows", "only missing", "repeated", "half missing"],
)
def test_they_agree_at_the_edges(rows):
    with table_of(rows) as con:
        ours = facts(run_suite(con, "x", SUITE))
        assert ours == facts(run_with_gx(con.table("x").df(), SUITE))


@pytest.mark.parametrize(
    "spoil",
    [
        None,
        "UPDATE delivery SET case_ref = NULL WHERE case_ref = 'r2'",
        "UPDATE delivery SET kind = 'C'",
        "UPDATE delivery SET needs = 'X;Z' WHERE case_ref = 'r1'",
        "UPDATE delivery SET postcode = 'nowhere' WHERE case_ref = 'r1'",
        "UPDATE delivery SET age = 130 WHERE case_ref = 'r1'",
        "UPDATE delivery SET age__readable = FALSE WHERE case_ref = 'r1'",
        "UPDATE delivery SET end_on = DATE '2020-01-01'",
        "UPDATE delivery SET case_ref = 'r1', start_on = DATE '2026-01-05'",
        "DELETE FROM delivery",
        "ALTER TABLE delivery DROP kind",
        "ALTER TABLE delivery DROP end_on",
    ],
)
def test_they_agree_on_a_contract_and_a_spoilt_delivery(con, delivery, suite, spoil):
    if spoil:
        con.execute(spoil)
    ours = run_suite(con, delivery, suite)
    theirs = run_with_gx(con.table(delivery).df(), suite)
    assert facts(ours) == facts(theirs)
    assert ours.as_rows() == theirs.as_rows()


def test_neither_engine_passes_an_empty_suite(con, delivery):
    empty = gx.ExpectationSuite(name="empty")
    with pytest.raises(ConfigurationError, match="empty"):
        run_suite(con, delivery, empty)
    with pytest.raises(ConfigurationError, match="empty"):
        run_with_gx(con.table(delivery).df(), empty)
