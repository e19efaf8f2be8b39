"""On the whole synthetic region: the bounds of every area hold its exact, unpublished sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Arden

pytestmark = pytest.mark.end_to_end

SUMS = """
    ATTACH '{release}' AS r (READ_ONLY);
    USE r;
    WITH exact AS (
        SELECT indicator_id, period_start, period_end, geography_code, missing,
               unnest(['numerator', 'denominator']) AS measure,
               unnest([numerator, denominator]) AS amount
        FROM read_parquet('{linked}/indicator_*/all.parquet', union_by_name = true)
        WHERE geography_type = 'lsoa21'
    ), sums AS (
        SELECT l.level, l.area_code, e.indicator_id, e.measure, e.period_start, e.period_end,
               sum(e.amount) AS exact, count(e.amount) AS counted
        FROM exact AS e JOIN area_lookups AS l ON l.lsoa21cd = e.geography_code
        GROUP BY ALL
    )
    SELECT v.level, v.indicator_id, v.lower, v.upper, v.lsoas, v.lsoas_missing, s.exact, s.counted
    FROM v_area_counts AS v
    JOIN sums AS s USING (level, area_code, indicator_id, measure, period_start, period_end)
"""


@pytest.fixture(scope="module")
def sums(arden: Arden) -> list[dict[str, Any]]:
    release = (arden.root / "published" / "latest").resolve() / "lsoalink.duckdb"
    return arden.query(SUMS.replace("{release}", str(release)))


def test_every_level_is_there(sums: list[dict[str, Any]]) -> None:
    assert {row["level"] for row in sums} == {"msoa21", "lad24", "wd24", "custom"}
    assert len({row["indicator_id"] for row in sums}) > 10


def test_the_exact_sum_is_within_the_bounds(sums: list[dict[str, Any]]) -> None:
    # Of an area with a withheld figure there is no upper bound.
    whole = [row for row in sums if not row["lsoas_missing"] and row["upper"] is not None]

    assert len(whole) > 1000
    assert [row for row in whole if not row["lower"] <= row["exact"] <= row["upper"]] == []
    open_above = [row for row in sums if not row["lsoas_missing"] and row["upper"] is None]
    assert [row for row in open_above if not row["lower"] <= row["exact"]] == []


def test_an_incomplete_sum_says_so_and_still_has_a_lower_bound(
    sums: list[dict[str, Any]],
) -> None:
    part = [row for row in sums if row["lsoas_missing"]]

    assert part
    assert all(row["upper"] is None for row in part)
    assert all(row["lower"] <= (row["exact"] or 0) for row in part)
