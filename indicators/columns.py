"""One way from a column of any kind to an array of numbers.

Belongs here: turning DuckDB, Arrow, pandas and NumPy columns, lists and single numbers into arrays
of float64, with a missing cell as NaN, and checking that columns used together fit together.
Does not belong here: any statistic. No message repeats a value: it names the column and counts.
"""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from declarations.errors import LsoalinkError

Floats = npt.NDArray[np.float64]

Column = Any
"""A DuckDB relation or Arrow table of one column, an Arrow array, a pandas Series, a NumPy array,
a list or a single number. A missing cell is NULL, None, NA or NaN."""


def floats(column: Column, name: str) -> Floats:
    """Return a column as float64, a missing cell as NaN.

    Parameters
    ----------
    column : Column
    name : str
        What the column is, for the message: ``the numerator``.

    Returns
    -------
    ndarray of float
        Shape of the column; a single number gives shape ``()``. Whole numbers above 2**53 lose
        their last digits.

    Raises
    ------
    LsoalinkError
        If the column holds anything but numbers, an infinite number, or is a table of several
        columns.
    """
    array = _array(column, name)
    infinite = int(np.count_nonzero(np.isinf(array)))
    if infinite:
        raise LsoalinkError(
            f"{infinite} values of {name} are infinite", "Give a missing value as NULL or NaN"
        )
    return array


def counts(column: Column, name: str) -> Floats:
    """Return a column of counts as float64, refusing any below zero.

    Raises
    ------
    LsoalinkError
        As for :func:`floats`, and if a count is negative.
    """
    array = floats(column, name)
    negative = int(np.count_nonzero(array < 0))
    if negative:
        raise LsoalinkError(
            f"{negative} values of {name} are below zero", "A count is never negative"
        )
    return array


def same_shape(**columns: Floats) -> tuple[Floats, ...]:
    """Return arrays of one shape; a single number is repeated for all the others.

    Parameters
    ----------
    **columns : ndarray of float
        By the name the caller knows them by.

    Returns
    -------
    tuple of ndarray
        In the order given.

    Raises
    ------
    LsoalinkError
        If two that are not single numbers differ in shape; both are named, with their shapes.
    """
    shaped = [(name, array) for name, array in columns.items() if array.ndim]
    for name, array in shaped[1:]:
        first, model = shaped[0]
        if array.shape != model.shape:
            raise LsoalinkError(
                f"{first} {model.shape} and {name} {array.shape} differ in shape",
                f"Give one value of {name} for each value of {first}",
            )
    shape = shaped[0][1].shape if shaped else ()
    return tuple(np.broadcast_to(a, shape) if a.shape != shape else a for a in columns.values())


def labels(column: Column, name: str, size: int) -> npt.NDArray[np.int64]:
    """Return the groups of a column as numbers from 0, in the order of the sorted labels.

    Parameters
    ----------
    column : Column
        One text or number for each row; none may be missing.
    name : str
    size : int
        How many rows there must be.

    Returns
    -------
    ndarray of int, shape (size,)

    Raises
    ------
    LsoalinkError
        If a label is missing or their number differs from ``size``.
    """
    values = _listed(column, name)
    if len(values) != size:
        raise LsoalinkError(
            f"{name} has {len(values)} rows and the figures have {size}",
            f"Give one {name} for each figure",
        )
    missing = sum(v is None or _is_na(v) or (isinstance(v, float) and np.isnan(v)) for v in values)
    if missing:
        raise LsoalinkError(f"{missing} rows have no {name}", "Every row belongs to one group")
    order = {label: place for place, label in enumerate(sorted(set(values)))}
    return np.array([order[v] for v in values], dtype=np.int64)


def _listed(column: Column, name: str) -> list[Any]:
    arrow = _arrow(column, name)
    if arrow is not None:
        return list(arrow.to_pylist())
    return list(column.tolist()) if hasattr(column, "tolist") else list(column)


def _arrow(column: Column, name: str) -> pa.Array | pa.ChunkedArray | None:
    """Return what DuckDB or Arrow holds, and None for a column of another kind."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column
    table = column
    # A relation is known by what it can do, so that DuckDB need not be imported for a NumPy array.
    if hasattr(column, "to_arrow_table"):
        table = column.to_arrow_table()
    if not isinstance(table, pa.Table):
        return None
    if table.num_columns != 1:
        raise LsoalinkError(
            f"{name} is a table of {table.num_columns} columns", "Select the one column meant"
        )
    return table.column(0)


def _array(column: Column, name: str) -> Floats:
    arrow = _arrow(column, name)
    if arrow is not None:
        return _from_arrow(arrow, name)
    if isinstance(column, np.ma.MaskedArray):
        column = np.ma.filled(column.astype(np.float64), np.nan)
    elif hasattr(column, "isna") and hasattr(column, "to_numpy"):
        # Masked pandas columns hold their own NA, which NumPy cannot read as a number.
        column = column.astype(object).where(~column.isna(), None).to_numpy()
    try:
        raw = np.asarray(column)
    except ValueError as uneven:
        raise LsoalinkError(
            f"{name} has rows of different length", "Give an array with equal rows"
        ) from uneven
    if raw.dtype.kind in "biuf":
        return raw.astype(np.float64)
    if raw.dtype.kind == "O":
        wrong = sum(not (v is None or isinstance(v, Real | Decimal) or _is_na(v)) for v in raw.flat)
        if not wrong:
            known = [np.nan if v is None or _is_na(v) else float(v) for v in raw.flat]
            return np.array(known, dtype=np.float64).reshape(raw.shape)
        raise LsoalinkError(f"{wrong} values of {name} are no numbers", "Give numbers or NULL")
    raise LsoalinkError(f"{name} holds {raw.dtype.name}, not numbers", "Give a column of numbers")


def _is_na(value: object) -> bool:
    return type(value).__name__ == "NAType"


def _from_arrow(column: pa.Array | pa.ChunkedArray, name: str) -> Floats:
    kind = column.type
    numeric = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )
    if not numeric:
        raise LsoalinkError(f"{name} holds {kind}, not numbers", "Give a column of numbers")
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    values = column.cast(pa.float64(), safe=False)
    return np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
