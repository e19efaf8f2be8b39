"""Linked tables: all cells, their names, their equations."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from disclosure_tables import areas_alone, areas_by_reason, cell
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import DisclosureError
from governance.disclosure.attacker.system import SystemBuilder
from governance.disclosure.tables.linked import Cell, join, linked_table

NESTED = {"msoa21cd": ["M1", "M1", "M2"]}


def test_every_level_and_category_margin_becomes_a_cell():
    table = areas_by_reason([[1, 2], [3, 4], [5, 6]], NESTED)
    # Three areas, two middle areas, the total; two reasons and their margin.
    assert len(table) == 6 * 3
    assert table.counts[cell(table)] == 21
    assert table.counts[cell(table, level="msoa21cd", area="M1")] == 10
    assert table.counts[cell(table, level="msoa21cd", area="M1", reason="r1")] == 6
    assert table.counts[cell(table, level="lsoa21cd", area="E01000002", reason="r0")] == 5


def test_each_equation_is_a_whole_less_its_parts():
    table = areas_by_reason([[1, 2], [3, 4], [5, 6]], NESTED)
    rows = table.A.toarray()
    assert ((rows == 1).sum(axis=1) == 1).all()
    assert set(np.unique(rows)) == {-1.0, 0.0, 1.0}
    row = np.zeros(len(table))
    row[cell(table, level="msoa21cd", area="M1", reason="r0")] = 1
    for area in ("E01000000", "E01000001"):
        row[cell(table, level="lsoa21cd", area=area, reason="r0")] = -1
    assert (rows == row).all(axis=1).sum() == 1


@given(
    st.lists(st.lists(st.integers(0, 30), min_size=2, max_size=2), min_size=4, max_size=4),
    st.lists(st.sampled_from(["W1", "W2", None]), min_size=4, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_true_counts_meet_every_equation(counts, wards):
    table = areas_by_reason(counts, {"msoa21cd": ["M1", "M1", "M2", "M2"], "wd24cd": wards})
    assert not (table.A @ table.counts).any()
    assert table.counts[cell(table)] == np.sum(counts)


def test_areas_that_do_not_nest_share_the_finest_cells():
    table = areas_alone([1, 2, 3], NESTED | {"wd24cd": ["W1", "W2", "W2"]})
    assert table.counts[cell(table, level="wd24cd", area="W2")] == 5
    assert len(table.where(level="lsoa21cd")) == 3
    # Middle areas, wards, and the total from each of the two.
    assert table.A.shape[0] == 2 + 2 + 2


def test_areas_of_no_custom_area_are_left_out_of_it():
    table = areas_alone([1, 2, 3], NESTED | {"custom": ["C1", None, None]})
    assert table.counts[cell(table, level="custom", area="C1")] == 1
    whole = table.A[:, cell(table)].toarray().ravel() > 0
    # The total is the sum of the middle areas; a custom area of one place adds nothing to that.
    assert whole.sum() == 1


def test_an_area_without_a_middle_area_lies_under_the_next_above():
    frame = pd.DataFrame(
        {
            "lsoa21cd": ["E1", "E2", "W1"],
            "msoa21cd": ["M1", "M1", None],
            "lad24cd": ["L1", "L1", "L1"],
            "n": [1, 2, 4],
        }
    )
    table = linked_table(frame, count="n", hierarchies=[["lsoa21cd", "msoa21cd", "lad24cd"]])
    assert table.counts[cell(table, level="lad24cd", area="L1")] == 7
    assert not (table.A @ table.counts).any()


def test_a_hierarchy_that_does_not_nest_is_refused_by_name():
    frame = pa.table(
        {
            "lsoa21cd": ["E1", "E2"],
            "wd24cd": ["W1", "W1"],
            "msoa21cd": ["M1", "M2"],
            "n": [1, 2],
        }
    )
    with pytest.raises(
        DisclosureError, match=r"'wd24cd' lie in more than one area of .*'msoa21cd'"
    ):
        linked_table(frame, count="n", hierarchies=[["lsoa21cd", "wd24cd", "msoa21cd"]])


def test_categories_may_be_grouped():
    frame = pa.table(
        {
            "lsoa21cd": ["E1", "E1", "E1"],
            "age": ["0-4", "5-9", "10-14"],
            "age_band": ["young", "young", "old"],
            "n": [1, 2, 4],
        }
    )
    table = linked_table(
        frame, count="n", hierarchies=[["lsoa21cd"], ["age", "age_band"]], categories=["age"]
    )
    area = {"level": "lsoa21cd", "area": "E1"}
    assert table.counts[cell(table, **area, age_band="young")] == 3
    assert table.counts[cell(table, **area, age="10-14")] == 4
    assert not (table.A @ table.counts).any()


def test_two_categories_make_their_product():
    frame = pa.table({"a": ["x", "y"], "b": ["u", "v"], "n": [1, 2]})
    table = linked_table(frame, count="n", categories=["a", "b"])
    assert len(table) == 3 * 3
    assert table.counts[cell(table, a="x")] == 1
    assert table.counts[cell(table, a="x", b="v")] == 0


def test_absent_combinations_are_zero_or_missing_as_declared():
    frame = pa.table({"lsoa21cd": ["E1", "E2"], "reason": ["x", "y"], "n": [1, 2]})
    wanted = {"count": "n", "hierarchies": [["lsoa21cd"]], "categories": ["reason"]}
    zero, unknown = (
        linked_table(frame, **wanted),
        linked_table(frame, **wanted, absent_is_zero=False),
    )
    assert not zero.missing.any()
    assert unknown.missing[cell(unknown, level="lsoa21cd", area="E1", reason="y")]
    assert not unknown.missing[cell(unknown, level="lsoa21cd", area="E1", reason="x")]


def test_a_missing_count_makes_its_sums_missing_and_frees_them():
    table = areas_alone(pa.array([1, None, 3]), NESTED)
    assert table.missing[cell(table, level="msoa21cd", area="M1")]
    assert table.missing[cell(table)]
    assert not table.missing[cell(table, level="msoa21cd", area="M2")]
    system = table.system(table.counts, table.counts)
    assert system.upper[cell(table)] == np.inf
    assert system.upper[cell(table, level="msoa21cd", area="M2")] == 3


def test_margins_of_tables_by_different_categories_bear_one_name():
    first = areas_by_reason([[1, 2], [3, 4]])
    frame = pa.table({"lsoa21cd": ["E01000000", "E01000001"], "age": ["a", "a"], "n": [3, 7]})
    second = linked_table(frame, count="n", hierarchies=[["lsoa21cd"]], categories=["age"])
    assert Cell("count", "lsoa21cd", "E01000000", ()) in set(first.keys()) & set(second.keys())
    both = join([first, second])
    # The second adds only its cells by age; the margins are there already.
    assert len(both) == len(first) + 3
    assert not (both.A @ both.counts).any()
    assert both.counts[cell(both, level="lsoa21cd", area="E01000001", age="a")] == 7


def test_joined_tables_say_each_thing_once():
    table = areas_by_reason([[1, 2], [3, 4]])
    again = join([table, table])
    assert (again.counts == table.counts).all()
    assert again.A.shape == table.A.shape


def test_tables_that_disagree_are_not_joined():
    with pytest.raises(DisclosureError, match="disagree on 2 cells"):
        join([areas_alone([1, 2]), areas_alone([1, 3])])
    other = join([areas_alone([1, 2]), areas_alone([1, 3], measure="other")])
    assert len(other) == 6


def test_keys_are_one_to_one_and_in_order():
    table = areas_by_reason([[1, 2], [3, 4]], {"msoa21cd": ["M1", "M1"]})
    keys = list(table.keys())
    assert len(set(keys)) == len(table)
    number = cell(table, level="msoa21cd", area="M1", reason="r1")
    assert keys[number] == Cell("count", "msoa21cd", "M1", (("reason", "r1"),))


def test_a_builder_is_told_what_the_system_says():
    table = areas_by_reason([[1, 2], [3, 4]])
    builder = SystemBuilder()
    numbers = table.tell(builder, table.counts, table.counts + 1)
    told, direct = builder.build(), table.system(table.counts, table.counts + 1)
    assert (told.lower[numbers] == direct.lower).all()
    assert (told.upper[numbers] == direct.upper).all()
    assert (told.A.toarray()[:, numbers] == direct.A.toarray()).all()


def test_the_frame_names_cells_without_their_counts():
    table = areas_by_reason([[1, 2], [3, 4]])
    assert table.frame().column_names == ["measure", "level", "area", "reason"]
    assert table.frame().num_rows == len(table)


@pytest.mark.parametrize(
    ("columns", "wanted", "message"),
    [
        ({"n": [1]}, {"categories": ["reason"]}, "no column 'reason'"),
        ({"n": [-1], "reason": ["x"]}, {"categories": ["reason"]}, "1 negative"),
        ({"n": [0.5], "reason": ["x"]}, {"categories": ["reason"]}, "whole numbers"),
        ({"n": [1], "reason": ["all"]}, {"categories": ["reason"]}, "name of its margin"),
        ({"n": [1], "reason": [None]}, {"categories": ["reason"]}, "empty in 1 rows"),
        ({"n": [1], "level": ["x"]}, {"categories": ["level"]}, "themselves"),
        ({"n": [1], "a": ["x"], "b": ["y"]}, {"hierarchies": [["a"], ["b"]]}, "all begin with"),
    ],
)
def test_what_is_no_table_of_counts_is_refused(columns, wanted, message):
    with pytest.raises(DisclosureError, match=message):
        linked_table(pa.table(columns), count="n", **wanted)
