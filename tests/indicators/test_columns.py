"""Columns of any kind become the same numbers, and what is no column of numbers is refused."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import LsoalinkError
from indicators.columns import counts, floats, labels, same_shape
from indicators.intervals import byar, exact_poisson, wilson

SAME = {
    "list": [5, None, 65],
    "numpy": np.array([5.0, np.nan, 65.0]),
    "masked numpy": np.ma.array([5, 7, 65], mask=[False, True, False]),
    "arrow": pa.array([5, None, 65]),
    "arrow in chunks": pa.chunked_array([[5], [None, 65]], pa.int32()),
    "arrow decimals": pa.array([Decimal("5.0"), None, Decimal("65.0")]),
    "arrow table": pa.table({"n": [5, None, 65]}),
    "pandas float": pd.Series([5.0, np.nan, 65.0]),
    "pandas integer with NA": pd.Series([5, None, 65], dtype="Int64"),
    "pandas from arrow": pd.Series([5, None, 65], dtype="int64[pyarrow]"),
    "list with NA": [5, pd.NA, 65],
    "list of decimals": [Decimal(5), None, Decimal(65)],
}


@pytest.mark.parametrize("kind", SAME)
def test_every_kind_of_column_is_the_same_numbers(kind):
    np.testing.assert_array_equal(floats(SAME[kind], "the count"), [5, np.nan, 65])


@pytest.mark.parametrize("kind", SAME)
def test_intervals_take_every_kind_of_column(kind):
    plain = [5.0, np.nan, 65.0]
    whole = [100, 100, 100]
    for function, arguments in ((byar, ()), (exact_poisson, ()), (wilson, (whole,))):
        for got, expected in zip(
            function(SAME[kind], *arguments), function(plain, *arguments), strict=True
        ):
            np.testing.assert_array_equal(got, expected)


def test_a_column_of_a_duckdb_relation():
    con = duckdb.connect(":memory:")
    relation = con.sql("SELECT * FROM (VALUES (5), (NULL), (65)) AS t (n)")
    np.testing.assert_array_equal(floats(relation, "the count"), [5, np.nan, 65])
    with pytest.raises(LsoalinkError, match="the count is a table of 2 columns"):
        floats(con.sql("SELECT 1 AS a, 2 AS b"), "the count")


def test_one_number_serves_all_and_stays_one_number():
    lower, upper = wilson(pa.array([65, None]), 100)
    assert lower[0] == pytest.approx(0.5525, abs=1e-4)
    assert np.isnan(upper[1])
    single = wilson(65, 100)
    assert np.shape(single[0]) == ()
    assert float(single[1]) == pytest.approx(0.7364, abs=1e-4)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["5", "65"], "the count holds str"),
        ([5, "sixty-five"], "the count holds|1 values of the count are no numbers"),
        ([5, object()], "1 values of the count are no numbers"),
        (pa.array(["5"]), "the count holds string"),
        (pd.Series(["5"]), "1 values of the count are no numbers"),
        (np.array(["2025-01-01"], dtype="datetime64[D]"), "the count holds datetime64"),
        ([1.0, np.inf], "1 values of the count are infinite"),
        ([[1, 2], [3]], "rows of different length"),
    ],
)
def test_what_is_no_column_of_numbers_is_refused_without_telling_it(column, words):
    with pytest.raises(LsoalinkError, match=words) as caught:
        floats(column, "the count")
    assert "sixty" not in str(caught.value)


def test_shapes_must_agree_and_the_message_names_both():
    with pytest.raises(LsoalinkError, match=r"x \(2,\) and n \(3,\) differ in shape"):
        same_shape(x=np.zeros(2), n=np.zeros(3))
    x, n, m = same_shape(x=np.zeros(()), n=np.ones((2, 3)), m=np.ones((2, 3)))
    assert x.shape == n.shape == m.shape == (2, 3)


def test_counts_below_zero_are_refused():
    with pytest.raises(LsoalinkError, match="2 values of the count are below zero"):
        counts([-1, -7, 3], "the count")


def test_empty_columns_stay_empty():
    for empty in ([], pa.array([], pa.int64()), pd.Series([], dtype=float), np.array([])):
        assert floats(empty, "the count").shape == (0,)
        assert byar(empty)[0].shape == (0,)


def test_labels_are_numbered_in_their_own_order():
    assert labels(pa.array(["b", "a", "b"]), "district", 3).tolist() == [1, 0, 1]
    with pytest.raises(LsoalinkError, match="1 rows have no district"):
        labels(["a", None], "district", 2)
    with pytest.raises(LsoalinkError, match="district has 1 rows and the figures have 2"):
        labels(["a"], "district", 2)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 10**6)), max_size=30))
def test_arrow_pandas_and_lists_agree(values):
    expected = floats(values, "n")
    for column in (pa.array(values, pa.int64()), pd.Series(values, dtype="Int64")):
        np.testing.assert_array_equal(floats(column, "n"), expected)
