"""Profile hide0-r5 at its boundaries, in Python and in SQL."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import DisclosureError
from governance.disclosure import HIDE_BELOW, ROUND_TO, protect_count, protect_sql

#    exact count, as published (None: hidden as [c])
TABLE = [
    (0, None), (1, None), (2, None), (3, None), (4, None),
    (5, 5), (6, 5), (7, 5), (8, 10), (9, 10), (10, 10), (11, 10), (12, 10), (13, 15),
    (22, 20), (23, 25), (1_000_002, 1_000_000), (1_000_003, 1_000_005),
]  # fmt: skip


def in_sql(values: list[int | None]) -> list[tuple[int | None, bool]]:
    con = duckdb.connect()
    try:
        return con.execute(
            f"SELECT {protect_sql('n')}, n IS NOT NULL AND ({protect_sql('n')}) IS NULL "
            "FROM (SELECT unnest(?::BIGINT[]) AS n, generate_subscripts(?::BIGINT[], 1) AS i) "
            "ORDER BY i",
            [values, values],
        ).fetchall()
    finally:
        con.close()


@pytest.mark.parametrize(("exact", "published"), TABLE)
def test_the_profile(exact: int, published: int | None) -> None:
    assert protect_count(exact) == published


def test_sql_follows_the_same_table() -> None:
    found = in_sql([exact for exact, _ in TABLE])

    assert found == [(published, published is None) for _, published in TABLE]


def test_the_policy_is_five_and_five() -> None:
    assert (HIDE_BELOW, ROUND_TO) == (5, 5)


def test_missing_stays_missing_and_is_not_called_hidden() -> None:
    assert protect_count(None) is None
    assert in_sql([None]) == [(None, False)]


@pytest.mark.parametrize("count", [-1, -5, -1000])
def test_a_negative_number_is_no_count(count: int) -> None:
    with pytest.raises(DisclosureError, match="negative") as raised:
        protect_count(count)

    assert str(count) not in str(raised.value)
    assert in_sql([count]) == [(None, True)]


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(st.none() | st.integers(0, 10**12), min_size=1, max_size=40))
def test_python_and_sql_agree_and_nothing_small_is_left(values: list[int | None]) -> None:
    expected = [protect_count(v) for v in values]

    assert [shown for shown, _ in in_sql(values)] == expected
    for exact, shown in zip(values, expected, strict=True):
        if shown is None:
            assert exact is None or exact < 5
        else:
            assert shown % 5 == 0
            assert shown >= 5
            assert exact is not None
            assert abs(shown - exact) <= 2


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(0, 10**9))
def test_protecting_twice_changes_nothing_more(count: int) -> None:
    once = protect_count(count)

    assert protect_count(once) == once
