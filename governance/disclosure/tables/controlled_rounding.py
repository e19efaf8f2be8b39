"""Rounding a whole table so that its margins still add up.

Belongs here: choosing for each cell one of the multiples of the base next to it so that every
equation of the linked table holds between the rounded counts (zero-restricted controlled rounding,
Fischetti and Salazar, Mathematical Programming 84, 1999), and what a reader can infer from one.
Does not belong here: rounding cell by cell (``counts.py``).

In two dimensions, one of them nested, such a rounding always exists and the linear programme finds
it. In linked tables there may be none; then cells of that part of the table may go one multiple
further, and the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError
from governance.disclosure.tables.linked import LinkedTable

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FURTHEST = 4
"""Multiples from its count to which a cell may go before the table is refused."""

_WHOLE = 1e-6


@dataclass(frozen=True)
class ControlledRounding:
    """A rounded table.

    Attributes
    ----------
    values : (n,) int64
        Rounded counts, multiples of the base; 0 where ``missing``.
    missing : (n,) bool
        Cells that have no count and are not published.
    reach : (n,) int64
        1 where all cells of that part of the table are rounded to an adjacent multiple, 2 where
        some go one further, and so on. It is the same for a whole part, so that it may be
        published: a reader must know it to know what the values mean.
    relaxed : (n,) bool
        The cells that do go further. Not to be published.
    change : int
        Sum of the absolute changes.
    statement : str
        Plain words for the reader.
    """

    values: NDArray[np.int64]
    missing: NDArray[np.bool_]
    reach: NDArray[np.int64]
    relaxed: NDArray[np.bool_]
    change: int
    statement: str


def existence_intervals(
    values: ArrayLike, base: int, reach: ArrayLike = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the counts that rounded values may stand for: lowest and highest, (n,) each.

    A value ``a`` of base ``b`` stands for ``a - b + 1`` to ``a + b - 1``, and 0 for 0 to ``b - 1``.

    Parameters
    ----------
    values : (n,) array-like of int
    base : int
    reach : int or (n,) array-like of int
        As in `ControlledRounding`.
    """
    shown = np.asarray(values, dtype=np.int64)
    slack = np.asarray(reach, dtype=np.int64) * base - 1
    return np.maximum(shown - slack, 0), shown + slack


def controlled_rounding(
    table: LinkedTable, base: int = 5, *, time_limit: float = 120.0
) -> ControlledRounding:
    """Round every cell to a multiple so that all equations hold and the least is changed.

    Multiples stay as they are and zeros stay zero. Equations with a missing cell bind nobody: their
    whole is not published either.

    Parameters
    ----------
    table : LinkedTable
    base : int
        2 or more.
    time_limit : float
        Most seconds for one part of the table.

    Raises
    ------
    DisclosureError
        If the base is no base, or a part of the table has no such rounding within `FURTHEST`
        multiples or in the time given.
    """
    if base < 2:
        raise DisclosureError(
            f"Counts cannot be rounded to base {base}", "Give a base of 2 or more"
        )
    known = ~table.missing
    complete = np.flatnonzero(abs(table.A) @ table.missing.astype(float) == 0)
    A = table.A[complete]
    down = table.counts // base
    steps = np.zeros(len(table), dtype=np.int64)
    reach = np.ones(len(table), dtype=np.int64)
    stuck: list[NDArray[np.int64]] = []
    for cells, rows in _parts(A, known & (table.counts % base > 0)):
        found = _solve(A[rows], table.counts, cells, base, 1, time_limit)
        if found is None:
            stuck.append(cells)
        else:
            steps[cells] = found
    if stuck:
        blocked = np.concatenate(stuck)
        for cells, rows in _parts(A, known & (table.counts > 0)):
            if np.isin(blocked, cells).any():
                steps[cells], reach[cells] = _further(
                    A[rows], table.counts, cells, base, time_limit
                )
    values = np.where(known, (down + steps) * base, 0)
    _require_additive(A, values)
    off = np.abs(values - table.counts)
    relaxed = known & (off >= base)
    relaxed |= known & (table.counts % base == 0) & (off > 0)
    return ControlledRounding(
        values=values,
        missing=table.missing,
        reach=reach,
        relaxed=relaxed,
        change=int(off[known].sum()),
        statement=_statement(base, reach, int(known.sum())),
    )


def _parts(
    A: csr_matrix, movable: NDArray[np.bool_]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the groups of movable cells that equations tie together, and those equations."""
    from scipy.sparse import bmat, csr_matrix  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - heavy

    cells = np.flatnonzero(movable)
    if not len(cells):
        return []
    inside = abs(A[:, cells])
    square = bmat([[csr_matrix((len(cells), len(cells))), None], [inside, None]], format="csr")
    square.resize((len(cells) + A.shape[0],) * 2)
    count, labels = connected_components(square, directed=False)
    of_cell, of_row = labels[: len(cells)], labels[len(cells) :]
    by_cell = np.argsort(of_cell, kind="stable")
    by_row = np.argsort(of_row, kind="stable")
    edges = np.arange(1, count)
    groups = np.split(cells[by_cell], np.searchsorted(of_cell[by_cell], edges))
    rows = np.split(by_row, np.searchsorted(of_row[by_row], edges))
    return [(group, row) for group, row in zip(groups, rows, strict=True) if len(group)]


def _solve(
    A: csr_matrix,
    counts: NDArray[np.int64],
    cells: NDArray[np.int64],
    base: int,
    reach: int,
    time_limit: float,
) -> NDArray[np.int64] | None:
    """Return how many multiples each cell goes above the one below it; None if impossible.

    With a reach above 1 as few multiples as possible are left out between a cell and its count.
    """
    rest = counts[cells] % base
    down = counts // base
    right = -(A @ down.astype(float))
    if not A.shape[0]:
        return (2 * rest > base).astype(np.int64)
    inside = A[:, cells]
    if reach == 1:
        costs = (base - 2 * rest).astype(float)
        return _programme(inside, right, costs, np.ones(len(cells)), time_limit)
    from scipy.sparse import hstack  # noqa: PLC0415 - heavy

    # One column for the adjacent multiple, one each for going further up and down, at a price that
    # no saving elsewhere outweighs.
    price = float(2 * base * base)
    adjacent = (rest > 0).astype(float)
    costs = np.concatenate(
        ((base - 2.0 * rest) * adjacent, np.full(len(cells), price), np.full(len(cells), price))
    )
    further = np.full(len(cells), reach - 1.0)
    most = np.concatenate((adjacent, further, np.minimum(further, down[cells])))
    matrix = hstack([inside, inside, -inside], format="csr")
    steps = _programme(matrix, right, costs, most, time_limit)
    if steps is None:
        return None
    near, above, below = np.split(steps, 3)
    return near + above - below


def _programme(
    matrix: csr_matrix,
    right: NDArray[np.float64],
    costs: NDArray[np.float64],
    most: NDArray[np.float64],
    time_limit: float,
) -> NDArray[np.int64] | None:
    """Solve the linear programme, and the whole-number one where that gives fractions."""
    from scipy.optimize import Bounds, LinearConstraint, linprog, milp  # noqa: PLC0415 - heavy

    relaxed: Any = linprog(
        costs, A_eq=matrix, b_eq=right, bounds=np.column_stack((np.zeros(len(most)), most))
    )
    if relaxed.status == 2:
        return None
    if relaxed.status == 0 and np.abs(relaxed.x - np.round(relaxed.x)).max() < _WHOLE:
        return np.round(relaxed.x).astype(np.int64)
    whole: Any = milp(
        costs,
        integrality=np.ones(len(most)),
        bounds=Bounds(0, most),
        constraints=LinearConstraint(matrix, right, right),
        options={"time_limit": time_limit, "mip_rel_gap": 0.0},
    )
    if whole.x is not None:
        return np.round(whole.x).astype(np.int64)
    if whole.status == 2:
        return None
    raise DisclosureError(
        f"No rounding of a part of {matrix.shape[1]} cells was found in {time_limit:g} seconds",
        "Give more time, or round cell by cell where sums need not hold",
    )


def _further(
    A: csr_matrix,
    counts: NDArray[np.int64],
    cells: NDArray[np.int64],
    base: int,
    time_limit: float,
) -> tuple[NDArray[np.int64], int]:
    for reach in range(2, FURTHEST + 1):
        found = _solve(A, counts, cells, base, reach, time_limit)
        if found is not None:
            return found, reach
    raise DisclosureError(
        f"A part of {len(cells)} cells has no additive rounding to base {base} within {FURTHEST} "
        "multiples",
        "Publish fewer overlapping areas, or round cell by cell where sums need not hold",
    )


def _require_additive(A: csr_matrix, values: NDArray[np.int64]) -> None:
    broken = int((A.astype(np.int64) @ values != 0).sum())
    if broken:
        raise DisclosureError(
            f"{broken} margins of the rounded table do not add up",
            "Do not publish this table; report how it was made",
        )


def _statement(base: int, reach: NDArray[np.int64], cells: int) -> str:
    words = (
        f"Counts are rounded to multiples of {base} so that all totals add up; each is one of the "
        "two multiples next to the true count, not always the nearer"
    )
    wider = int((reach > 1).sum())
    if not wider:
        return words + "."
    return (
        f"{words}. In a part of the table ({wider} of {cells} cells) no such rounding adds up; "
        f"there a count may differ by up to {int(reach.max()) * base - 1}."
    )
