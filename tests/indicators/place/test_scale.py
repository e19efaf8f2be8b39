"""Ranks of small areas against those of the larger ones they lie in."""

from __future__ import annotations

import datetime as dt
import math

import duckdb
import numpy as np
import pytest
from region_factory import INDICATORS

from declarations.indicators import Indicator
from indicators.place.scale import rank_correlation, scale_table

RATE = Indicator.model_validate(INDICATORS["T01"])
START, END = dt.date(2025, 1, 1), dt.date(2025, 12, 31)


def table(
    small: list[float | None], large: list[float | None], each: int
) -> list[dict[str, object]]:
    """Compare small areas, so many of them in each large one."""
    with duckdb.connect() as con:
        con.execute("CREATE TABLE areas (lsoa21cd VARCHAR, msoa21cd VARCHAR)")
        con.execute(
            "CREATE TABLE shown (indicator_id VARCHAR, period_start DATE, period_end DATE, "
            "geography_type VARCHAR, geography_code VARCHAR, value DOUBLE)"
        )
        con.executemany(
            "INSERT INTO areas VALUES (?, ?)",
            [(f"L{i}", f"M{i // each}") for i in range(len(small))],
        )
        rows = [("lsoa21", f"L{i}", v) for i, v in enumerate(small)]
        rows += [("msoa21", f"M{i}", v) for i, v in enumerate(large)]
        con.executemany(
            "INSERT INTO shown VALUES ('T01', ?, ?, ?, ?, ?)", [(START, END, *r) for r in rows]
        )
        return scale_table(con, "shown", "areas", [RATE]).to_pylist()


def test_ranks_are_correlated_by_hand() -> None:
    # Twelve areas in four larger ones, whose order is that of the small ones: 1 to 12 against mean
    # ranks 2, 5, 8, 11, three of each. Differences -1, 0, 1 in each, so that both vary as
    # sum (1..12 - 6.5)^2 = 143 and 3 x (4.5^2 + 1.5^2) x 2 = 135, and together as 135.
    expected = 135 / math.sqrt(143 * 135)

    assert table([float(i) for i in range(12)], [1.0, 2.0, 3.0, 4.0], 3) == [
        {"indicator_id": "T01", "period_start": START, "period_end": END, "areas": 12,
         "rank_correlation": round(expected, 3)}
    ]  # fmt: skip


def test_what_has_no_figure_on_either_side_is_left_out() -> None:
    found = table([None, *(float(i) for i in range(1, 24))], [3.0, 1.0, None, 4.0], 6)

    assert found[0]["areas"] == 17


@pytest.mark.parametrize("large", [[None, None], [2.0, 2.0]])
def test_where_nothing_can_be_compared_there_is_no_row(large: list[float | None]) -> None:
    assert table([float(i) for i in range(12)], large, 6) == []


def test_too_few_pairs_have_no_correlation() -> None:
    assert math.isnan(rank_correlation(np.arange(9.0), np.arange(9.0)))
    assert rank_correlation(np.arange(10.0), -np.arange(10.0)) == pytest.approx(-1)
