"""Tables of text and how they are written as CSV.

Belongs here: turning arrays into text cells, and text cells into bytes. Does not belong here: file
names, folders and times, which are ``delivery``. Written here rather than by pandas because the
council tax files alone have millions of cells and every byte must be the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[Any]
Table = dict[str, Cells]
NEVER = np.datetime64("NaT", "D")


def take(labels: tuple[str, ...] | list[str], codes: NDArray[np.integer[Any]]) -> Cells:
    """Return the label of each code, an object array."""
    return np.array(labels, dtype=object)[codes]


def numbers(values: NDArray[Any], decimals: int | None = None) -> Cells:
    """Write numbers as text; NaN becomes an empty cell.

    Parameters
    ----------
    values : array
    decimals : int, optional
        Places after the point; whole numbers if left out.
    """
    if decimals is None:
        return np.array(np.asarray(values).astype(np.int64).astype(str), dtype=object)
    return np.array(
        ["" if value != value else f"{value:.{decimals}f}" for value in values.tolist()],  # noqa: PLR0124 - NaN
        dtype=object,
    )


def dates(values: NDArray[Any], pattern: str = "%Y-%m-%d") -> Cells:
    """Write days as text; NaT becomes an empty cell."""
    days = values.astype("datetime64[D]")
    texts = np.full(days.size, "", dtype=object)
    known = ~np.isnat(days)
    unique, place = np.unique(days[known], return_inverse=True)
    texts[known] = np.array([day.strftime(pattern) for day in unique.tolist()], dtype=object)[place]
    return texts


def blanked(cells: Cells, chosen: NDArray[np.bool_], value: str | None = "") -> Cells:
    """Return the cells with another value, by default none, where chosen."""
    changed = cells.copy()
    changed[chosen] = value
    return changed


def rows(table: Mapping[str, Cells]) -> int:
    """Count the rows of a table."""
    return len(next(iter(table.values()))) if table else 0


def select(table: Mapping[str, Cells], chosen: NDArray[Any]) -> Table:
    """Return the chosen rows of a table, by mask or by index."""
    return {name: cells[chosen] for name, cells in table.items()}


def stacked(first: Mapping[str, Cells], second: Mapping[str, Cells]) -> Table:
    """Return the rows of two tables with the same columns, one under the other."""
    return {name: np.concatenate([cells, second[name]]) for name, cells in first.items()}


def csv_text(table: Mapping[str, Cells], *, header: bool = True, quote_all: bool = False) -> str:
    """Write a table as CSV text with ``\\n`` line ends (RFC 4180 quoting).

    Parameters
    ----------
    table : mapping of str to object array of str
    header : bool, optional
        Whether the first line names the columns.
    quote_all : bool, optional
        Whether cells that need no quotes get them too.
    """
    columns = [_quoted(cells.tolist(), quote_all) for cells in table.values()]
    lines = [",".join(_quoted(list(table), quote_all))] if header else []
    lines += map(",".join, zip(*columns, strict=True))
    return "\n".join(lines) + "\n"


def _quoted(cells: list[str], quote_all: bool) -> list[str]:
    if not quote_all:
        # One look at the whole column is far cheaper than one look at each cell.
        whole = "".join(cells)
        if not any(mark in whole for mark in ',"\r\n'):
            return cells
    return [
        '"' + cell.replace('"', '""') + '"'
        if quote_all or any(mark in cell for mark in ',"\r\n')
        else cell
        for cell in cells
    ]
