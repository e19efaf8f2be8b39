"""Exact splitting of whole counts by whole weights: the largest-remainder method.

Belongs here: the arithmetic, in SQL and in numpy. Does not belong here: which weights are right
(`vintages`, `placement`), or any rate: a rate is recomputed from its parts, never apportioned.

Each part is floor(value x weight / total weight); the units left over go one each to the parts with
the largest remainders, ties to the smaller code (Hamilton's method, also called Hare-Niemeyer). All
of it is integer arithmetic, in 128 bits in DuckDB, so that no result depends on the order in which
floats are added. The parts of a row always sum to the row. A missing value is never split: every
part of it is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from declarations.errors import GeographyError
from geography.sql import ident

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

REASON_KEY_UNKNOWN = "key_unknown"
REASON_VALUE_MISSING = "value_missing"


_LARGEST = int(np.iinfo(np.int64).max)
_EXACT = 2**53


def _whole(numbers: ArrayLike, name: str) -> NDArray[np.int64]:
    given = np.asarray(numbers)
    whole = given.size == 0 or given.dtype.kind in "iu"
    if given.dtype.kind == "f":
        whole = bool((np.isfinite(given) & (given == np.floor(given))).all())
    elif given.dtype.kind == "O":
        whole = all(isinstance(n, int | np.integer) for n in given.ravel().tolist())
    if not whole or given.ndim != 1:
        raise GeographyError(
            f"A {name} is not a whole number", f"Give a list with every {name} as a whole number"
        )
    # The smallest number of 64 bits has no absolute value in them.
    if given.size and (given.max() > _LARGEST or given.min() < -_LARGEST):
        raise GeographyError(
            f"A {name} does not fit into 63 bits", "Split smaller numbers, or split in DuckDB"
        )
    if given.dtype.kind == "f" and given.size and np.abs(given).max() > _EXACT:
        raise GeographyError(
            f"A {name} is a float beyond 2 to the power of 53, and not exact", "Give integers"
        )
    return given.astype(np.int64)


def largest_remainder(values: ArrayLike, weights: ArrayLike) -> NDArray[np.int64]:
    """Split whole values over whole weights.

    Parameters
    ----------
    values : array_like of int, shape (n,)
        What is split; negative values are split like their absolute value.
    weights : array_like of int, shape (m,)
        Non-negative, in the order that breaks ties, not all zero.

    Returns
    -------
    ndarray of int64, shape (n, m)
        Row sums equal `values`.

    Raises
    ------
    GeographyError
        If a value or weight is not a whole number or beyond 63 bits, a weight is negative, all are
        zero, or the sum of the weights or the products pass 63 bits.
    """
    counts, shares = _whole(values, "value"), _whole(weights, "weight")
    total = sum(shares.tolist())
    if total > _LARGEST:
        raise GeographyError(
            "The weights to split by are too large to be added up", "Give counts of residents"
        )
    if (shares < 0).any() or total <= 0:
        raise GeographyError(
            "The weights to split by are negative or all zero", "Give counts of residents"
        )
    largest = int(np.abs(counts).max(initial=0))
    if largest * int(shares.max()) > _LARGEST:
        raise GeographyError(
            "A value and its weights are too large to be multiplied", "Split in DuckDB instead"
        )
    product = np.abs(counts)[:, None] * shares[None, :]
    parts, remainders = np.divmod(product, total)
    left = np.abs(counts) - parts.sum(axis=1)
    order = np.argsort(-remainders, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(shares))[None, :], axis=1)
    result: NDArray[Any] = np.sign(counts)[:, None] * (parts + (rank < left[:, None]))
    return result.astype(np.int64)


def apportion_sql(
    rows: str,
    key: str,
    target: str,
    weight: str,
    values: Sequence[str],
    weights_table: str,
    row_id: str = "record_id",
) -> str:
    """SQL that splits each row's values over the targets of its key.

    Parameters
    ----------
    rows : str
        Table with `row_id` (unique), `key` and the value columns (integers).
    key : str
        Column both tables share.
    target, weight : str
        Columns of `weights_table`: the receiving area and a whole weight. Weights that are NULL,
        zero or below take no part; several rows for one pair are added up.
    values : sequence of str
        The additive columns to split, at least one.
    weights_table : str
        Table with `key`, `target`, `weight`.
    row_id : str, default "record_id"
        The column that tells rows apart.

    Returns
    -------
    str
        One row per input row and target: row_id, target, the value columns as BIGINT, and
        apportion_reason. A row without weights is kept whole with target NULL and reason
        `key_unknown`; a row all of whose values are NULL, and which has more than one target, is
        kept with target NULL and reason `value_missing`.
    """
    quotient = ", ".join(
        f"abs(CAST(r.{ident(v)} AS HUGEINT)) * w.share // w.total AS q{i},"
        f" abs(CAST(r.{ident(v)} AS HUGEINT)) * w.share % w.total AS m{i},"
        f" r.{ident(v)} AS v{i}"
        for i, v in enumerate(values)
    )
    ranked = ", ".join(
        f"row_number() OVER by{i} AS k{i},"
        f" abs(CAST(v{i} AS HUGEINT)) - sum(q{i}) OVER (by{i} ROWS BETWEEN UNBOUNDED PRECEDING"
        f" AND UNBOUNDED FOLLOWING) AS left{i}"
        for i, _ in enumerate(values)
    )
    # One order for the rank and for the sum, so that the rows of a column are sorted only once.
    orders = ", ".join(
        f"by{i} AS (PARTITION BY row_id ORDER BY m{i} DESC, part)" for i, _ in enumerate(values)
    )
    split = ", ".join(
        f"TRY_CAST(sign(v{i}) * (q{i} + CAST(k{i} <= left{i} AS HUGEINT)) AS BIGINT) AS {ident(v)}"
        for i, v in enumerate(values)
    )
    whole = ", ".join(f"TRY_CAST(r.{ident(v)} AS BIGINT) AS {ident(v)}" for v in values)
    missing = " AND ".join(f"r.{ident(v)} IS NULL" for v in values)
    return f"""
WITH shares AS (
    SELECT {ident(key)} AS key, {ident(target)} AS part,
        sum(CAST({ident(weight)} AS HUGEINT)) AS share
    FROM {ident(weights_table)}
    WHERE {ident(weight)} > 0 AND {ident(target)} IS NOT NULL
    GROUP BY ALL
), totals AS (
    SELECT key, CAST(sum(share) AS HUGEINT) AS total, count(*) AS parts
    FROM shares
    GROUP BY key
), weighted AS (
    SELECT s.key, s.part, CAST(s.share AS HUGEINT) AS share, t.total, t.parts
    FROM shares s JOIN totals t ON t.key = s.key
), shared AS (
    SELECT r.{ident(row_id)} AS row_id, w.part, {quotient}
    FROM {ident(rows)} r JOIN weighted w ON w.key = r.{ident(key)}
    WHERE NOT ({missing}) OR w.parts = 1
), ranked AS (
    SELECT *, {ranked}
    FROM shared
    WINDOW {orders}
)
SELECT row_id AS {ident(row_id)}, part AS {ident(target)}, {split},
    CAST(NULL AS VARCHAR) AS apportion_reason
FROM ranked
UNION ALL
SELECT r.{ident(row_id)}, NULL, {whole},
    CASE WHEN t.key IS NULL THEN '{REASON_KEY_UNKNOWN}' ELSE '{REASON_VALUE_MISSING}' END
FROM {ident(rows)} r LEFT JOIN totals t ON t.key = r.{ident(key)}
WHERE t.key IS NULL OR (({missing}) AND t.parts > 1)
"""


def first_of_two_sql(value: str, first: str, total: str, *, wide: bool = True) -> str:
    """SQL expression: what the first of two parts gets of a value; the second gets the rest.

    With two parts the largest-remainder method comes to rounding the first share to the nearest
    whole number, halves up: the one unit left over goes to the first part if its remainder is at
    least half the total, and a tie goes to the smaller code. So no window is needed, and most split
    areas have two parts.

    Parameters
    ----------
    value : str
        Expression of the whole number to split.
    first, total : str
        Expressions of the weight of the part with the smaller code, and of both, above zero.
    wide : bool, default True
        Whether to reckon in 128 bits. In 64 it is several times as fast, and right as long as twice
        a value times the total, and the total, together stay below 2 to the power of 63.

    Returns
    -------
    str
        A BIGINT, NULL for NULL.
    """
    kind = "HUGEINT" if wide else "BIGINT"
    whole = f"CAST({total} AS {kind})"
    return (
        f"CAST(sign({value}) * ((2 * abs(CAST({value} AS {kind})) * CAST({first} AS {kind})"
        f" + {whole}) // (2 * {whole})) AS BIGINT)"
    )
