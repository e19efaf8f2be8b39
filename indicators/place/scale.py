"""Whether the picture changes with the size of the areas: figures of LSOAs against their MSOAs'.

Belongs here: the rank correlation that says so. Does not belong here: a reason for it.

What is high among small areas need not be among the larger ones they make up (the modifiable areal
unit problem). The correlation of an area's rank with the rank of the larger area it lies in says
how much of the order stays; near 0, a map of either is no guide to the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from geography.sql import ident

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from declarations.indicators import Indicator

LEAST_AREAS = 10

SCHEMA = pa.schema(
    [
        ("indicator_id", pa.string()),
        ("period_start", pa.date32()),
        ("period_end", pa.date32()),
        ("areas", pa.int64()),
        ("rank_correlation", pa.float64()),
    ]
)


def rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation, equal figures sharing their mean rank.

    Parameters
    ----------
    one, other : ndarray of float, shape (n,)
        Pairs with a NaN are left out.

    Returns
    -------
    float
        -1 to 1; NaN with fewer than ten pairs, or where all figures on one side are equal.
    """
    from scipy.stats import rankdata  # noqa: PLC0415 (heavy)

    both = ~(np.isnan(one) | np.isnan(other))
    if int(both.sum()) < LEAST_AREAS:
        return float("nan")
    ranks = [rankdata(a[both]) for a in (one, other)]
    if any(r.min() == r.max() for r in ranks):
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def scale_table(
    con: duckdb.DuckDBPyConnection, shown: str, areas: str, indicators: Iterable[Indicator]
) -> pa.Table:
    """Correlate the ranks of LSOAs with those of the MSOAs they lie in.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        The published figures: the columns of ``RATE_COLUMNS``.
    areas : str
        ``lsoa21cd, msoa21cd``.
    indicators : iterable of Indicator

    Returns
    -------
    pyarrow.Table
        ``indicator_id, period_start, period_end, areas`` (LSOAs compared), ``rank_correlation`` (3
        decimals), for the last period in which an indicator has figures at both levels. Indicators
        without such a period, or with fewer than ten areas, have no row.
    """
    found: list[dict[str, object]] = []
    for indicator in sorted(indicators, key=lambda i: i.id):
        rows = con.execute(
            f"""
SELECT l.period_start, l.period_end, l.value, m.value
FROM {ident(shown)} AS l
JOIN {ident(areas)} AS a ON a.lsoa21cd = l.geography_code
JOIN {ident(shown)} AS m
  ON m.indicator_id = l.indicator_id AND m.geography_type = 'msoa21'
 AND m.geography_code = a.msoa21cd
 AND m.period_start = l.period_start AND m.period_end = l.period_end
WHERE l.indicator_id = ? AND l.geography_type = 'lsoa21'
  AND l.value IS NOT NULL AND m.value IS NOT NULL
QUALIFY rank() OVER (ORDER BY l.period_end DESC, l.period_start) = 1
ORDER BY l.geography_code
""",
            [indicator.id],
        ).fetchall()
        one, other = (np.array([row[i] for row in rows], dtype=np.float64) for i in (2, 3))
        correlation = rank_correlation(one, other)
        if not np.isnan(correlation):
            found.append(
                {
                    "indicator_id": indicator.id, "period_start": rows[0][0],
                    "period_end": rows[0][1], "areas": len(rows),
                    "rank_correlation": round(correlation, 3),
                }
            )  # fmt: skip
    return pa.Table.from_pylist(found, schema=SCHEMA)
