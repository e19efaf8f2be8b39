"""Controlled rounding: additive everywhere, next to the truth, and the least that is possible."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from disclosure_tables import areas_alone, areas_by_reason, cell, gathering
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import DisclosureError
from governance.disclosure.tables.controlled_rounding import (
    controlled_rounding,
    existence_intervals,
)

TRIANGLE = {"one": ["A", "A", None], "two": ["B", None, "B"], "three": [None, "C", "C"]}
"""Three pairs of three areas: base 2 and counts of one leave no rounding to adjacent multiples."""


def check(table, rounded, base):
    """What every rounding must keep."""
    assert not (table.A.astype(int) @ rounded.values).any()
    assert not (rounded.values % base).any()
    assert (rounded.values >= 0).all()
    low, high = existence_intervals(rounded.values, base, rounded.reach)
    assert ((low <= table.counts) & (table.counts <= high)).all()
    assert not rounded.values[table.counts == 0].any()
    plain = rounded.reach == 1
    adjacent = np.abs(rounded.values - table.counts) < base
    assert adjacent[plain].all()
    multiples = plain & (table.counts % base == 0)
    assert (rounded.values[multiples] == table.counts[multiples]).all()
    assert rounded.change == np.abs(rounded.values - table.counts).sum()


@given(
    st.lists(st.integers(0, 23), min_size=24, max_size=24),
    st.lists(st.sampled_from(["W1", "W2", "W3"]), min_size=6, max_size=6),
    st.sampled_from([2, 3, 5]),
)
@settings(max_examples=40, deadline=None)
def test_linked_tables_stay_additive_and_near(counts, wards, base):
    groups = {"msoa21cd": ["M1", "M1", "M2", "M2", "M3", "M3"], "wd24cd": wards}
    table = areas_by_reason(np.reshape(counts, (6, 4)), groups)
    check(table, controlled_rounding(table, base), base)


@given(st.lists(st.integers(0, 14), min_size=6, max_size=6), st.sampled_from([3, 5]))
@settings(max_examples=40, deadline=None)
def test_the_least_is_changed(counts, base):
    table = areas_by_reason(np.reshape(counts, (3, 2)))
    places = itertools.product(range(3), range(2))
    leaves = [cell(table, level="lsoa21cd", area=f"E0100000{i}", reason=f"r{j}") for i, j in places]
    sums = gathering(table, leaves)
    choices = [sorted({c // base * base, -(-c // base) * base}) for c in counts]
    tables = np.array(list(itertools.product(*choices))) @ sums.T
    off = np.abs(tables - table.counts)
    allowed = (off < base).all(axis=1)
    assert controlled_rounding(table, base).change == off[allowed].sum(axis=1).min()


def test_a_nested_table_of_areas_by_reason_needs_no_relaxation():
    counts = np.random.default_rng(5).poisson(3, (150, 6))
    table = areas_by_reason(counts, {"msoa21cd": [f"M{i // 5:02}" for i in range(150)]})
    rounded = controlled_rounding(table)
    check(table, rounded, 5)
    assert (rounded.reach == 1).all()
    assert "not always the nearer." in rounded.statement


def test_where_no_adjacent_rounding_adds_up_the_result_says_so():
    table = areas_alone([1, 1, 1], TRIANGLE)
    rounded = controlled_rounding(table, 2)
    check(table, rounded, 2)
    assert (rounded.reach == 2).all()
    assert rounded.relaxed.any()
    assert "no such rounding adds up" in rounded.statement
    assert "differ by up to 3" in rounded.statement


def test_only_the_part_that_needs_it_is_relaxed():
    groups = {name: [*codes, None, None] for name, codes in TRIANGLE.items()}
    groups["other"] = [None, None, None, "D", "D"]
    table = areas_alone([1, 1, 1, 3, 4], groups, total=None)
    rounded = controlled_rounding(table, 2)
    check(table, rounded, 2)
    assert (rounded.reach[table.where(level="other", area="D")] == 1).all()
    assert (rounded.reach[table.where(level="one", area="A")] == 2).all()


def test_multiples_and_zeros_stay():
    table = areas_by_reason([[5, 10], [0, 15]])
    rounded = controlled_rounding(table)
    assert (rounded.values == table.counts).all()
    assert rounded.change == 0


def test_missing_cells_stay_missing_and_the_rest_adds_up():
    groups = {"msoa21cd": ["M1", "M1", "M2", "M2"]}
    table = areas_alone(pa.array([1, None, 3, 8]), groups)
    rounded = controlled_rounding(table)
    assert (rounded.missing == table.missing).all()
    middle = cell(table, level="msoa21cd", area="M2")
    parts = [cell(table, level="lsoa21cd", area=f"E0100000{i}") for i in (2, 3)]
    assert rounded.values[middle] == rounded.values[parts].sum()


def test_existence_intervals_follow_the_handbook():
    low, high = existence_intervals([0, 5, 20], 5)
    assert low.tolist() == [0, 1, 16]
    assert high.tolist() == [4, 9, 24]


def test_a_base_of_one_is_refused():
    with pytest.raises(DisclosureError, match="base 1"):
        controlled_rounding(areas_alone([1, 2]), 1)
