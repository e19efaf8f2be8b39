import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from declarations.errors import GeographyError
from geography.changes.apportionment import apportion_sql, first_of_two_sql, largest_remainder


def split(con, rows, weights, values=("n",)):
    con.execute("CREATE OR REPLACE TABLE r (record_id BIGINT, k VARCHAR)")
    for name in values:
        con.execute(f"ALTER TABLE r ADD COLUMN {name} BIGINT")
    con.execute("CREATE OR REPLACE TABLE w (k VARCHAR, area VARCHAR, weight BIGINT)")
    marks = ", ".join("?" * (2 + len(values)))
    if rows:
        con.executemany(f"INSERT INTO r VALUES ({marks})", rows)
    if weights:
        con.executemany("INSERT INTO w VALUES (?, ?, ?)", weights)
    query = apportion_sql("r", "k", "area", "weight", values, "w")
    return con.execute(f"FROM ({query}) ORDER BY record_id, area").fetchall()


@pytest.mark.parametrize(
    ("values", "weights", "parts"),
    [
        # 10 over 1:2 is 3.33 and 6.67: the unit left goes to the larger remainder.
        ([10], [1, 2], [[3, 7]]),
        # A tie goes to the first.
        ([1], [1, 1], [[1, 0]]),
        ([5], [1, 1, 1], [[2, 2, 1]]),
        ([0], [3, 4], [[0, 0]]),
        ([-5], [1, 1, 1], [[-2, -2, -1]]),
        ([7], [0, 1], [[0, 7]]),
    ],
)
def test_units_left_over_go_to_the_largest_remainders(values, weights, parts):
    assert largest_remainder(values, weights).tolist() == parts


@pytest.mark.parametrize("weights", [[-1, 2], [0, 0], []])
def test_weights_that_cannot_split_are_refused(weights):
    with pytest.raises(GeographyError):
        largest_remainder([1], weights)


@pytest.mark.parametrize(
    ("values", "weights", "message"),
    [
        ([2.7], [1, 1], "value is not a whole"),
        ([float("nan")], [1, 1], "value is not a whole"),
        ([float("inf")], [1, 1], "value is not a whole"),
        ([None], [1, 1], "value is not a whole"),
        (["7"], [1, 1], "value is not a whole"),
        ([[1, 2]], [1, 1], "value is not a whole"),
        ([1], [0.5, 0.5], "weight is not a whole"),
        ([-(2**63)], [1, 1], "value does not fit"),
        ([2**63], [1, 1], "value does not fit"),
        ([2**70], [1, 1], "value does not fit"),
        ([1], [2**63, 1], "weight does not fit|not exact"),
        ([float(2**60)], [1, 1], "not exact"),
        ([1], [2**62, 2**62, 2**62, 2**62, 1], "too large to be added"),
    ],
)
def test_what_cannot_be_split_exactly_is_refused(values, weights, message):
    with pytest.raises(GeographyError, match=message):
        largest_remainder(values, weights)


def test_whole_floats_and_the_largest_values_are_split():
    assert largest_remainder([7.0], [1, 1]).tolist() == [[4, 3]]
    assert largest_remainder([-(2**63 - 1)], [1]).tolist() == [[-(2**63 - 1)]]
    assert largest_remainder([], [1, 1]).shape == (0, 2)


def test_values_too_large_for_the_twin_are_refused():
    with pytest.raises(GeographyError):
        largest_remainder([2**40], [2**40])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(
    values=st.lists(
        st.tuples(st.none() | st.integers(-1000, 10**6), st.none() | st.integers(0, 50)),
        min_size=1,
        max_size=6,
    ),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(any),
)
def test_sql_conserves_every_row_and_equals_the_twin(con, values, weights):
    rows = [(i, "k", a, b) for i, (a, b) in enumerate(values)]
    table = [("k", f"E{j}", w) for j, w in enumerate(weights)]
    got = split(con, rows, table, ("n", "m"))
    used = [w for w in weights if w]
    for i, *_, n, m in rows:
        parts = [row for row in got if row[0] == i]
        for value, column in ((n, 2), (m, 3)):
            found = [row[column] for row in parts]
            if value is None:
                assert set(found) == {None}
            else:
                assert sum(found) == value
                assert found == largest_remainder([value], used)[0].tolist()


def test_the_order_of_the_weights_does_not_matter(con):
    weights = [("k", f"E{j}", w) for j, w in enumerate([7, 7, 3, 11, 7])]
    rows = [(i, "k", i * 13 + 1) for i in range(20)]
    assert split(con, rows, weights) == split(con, rows[::-1], weights[::-1])


def test_a_row_without_weights_is_kept_whole(con):
    got = split(con, [(1, "other", 5), (2, None, 6)], [("k", "E1", 1)])
    assert got == [(1, None, 5, "key_unknown"), (2, None, 6, "key_unknown")]
    assert split(con, [(1, "k", 5)], [("k", "E1", 0)]) == [(1, None, 5, "key_unknown")]


def test_a_missing_value_is_never_split(con):
    two = [("k", "E1", 1), ("k", "E2", 1)]
    assert split(con, [(1, "k", None)], two) == [(1, None, None, "value_missing")]
    assert split(con, [(1, "k", None)], two[:1]) == [(1, "E1", None, None)]
    assert split(con, [(1, "k", None, 4)], two, ("n", "m")) == [
        (1, "E1", None, 2, None),
        (1, "E2", None, 2, None),
    ]


def test_repeated_weights_of_a_pair_add_up(con):
    weights = [("k", "E1", 1), ("k", "E1", 1), ("k", "E2", 1)]
    assert split(con, [(1, "k", 3)], weights) == [(1, "E1", 2, None), (1, "E2", 1, None)]


def test_sql_is_exact_beyond_the_reach_of_floats(con):
    big = 2**53 + 1
    got = split(con, [(1, "k", big)], [("k", "E1", 1), ("k", "E2", 1)])
    assert [row[2] for row in got] == [2**52 + 1, 2**52]


def test_twin_takes_many_values():
    parts = largest_remainder(np.arange(100), [3, 1, 4, 1, 5])
    assert parts.sum(axis=1).tolist() == list(range(100))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(
    value=st.none() | st.integers(-(10**6), 10**6) | st.integers(-1, 7),
    first=st.integers(0, 10**6) | st.integers(0, 3),
    second=st.integers(1, 10**6) | st.integers(1, 3),
)
def test_two_parts_are_split_as_by_largest_remainder(con, value, first, second):
    narrow, wide = (first_of_two_sql("v", "w", "t", wide=wide) for wide in (False, True))
    query = f"SELECT {narrow}, {wide} FROM (SELECT ?::BIGINT v, ? w, ? t)"
    got, same = con.execute(query, [value, first, first + second]).fetchone()
    assert got == same
    want = None if value is None else largest_remainder([value], [first, second])[0][0]
    assert got == want


def test_two_parts_are_split_exactly_beyond_64_bits(con):
    big = 2**62 + 1
    query = f"SELECT {first_of_two_sql('v', 'w', 't')} FROM (SELECT ?::BIGINT v, ? w, ? t)"
    assert con.execute(query, [big, 1, 2]).fetchone() == (2**61 + 1,)
