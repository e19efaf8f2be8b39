"""What single equations say of single counts: bounds narrowed until nothing moves.

Belongs here: interval arithmetic over all equations at once. Does not belong here: what only
several equations together say (``search.py``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.attacker.knowns import Knowns, contradiction, inward

ROUNDS = 200
"""Bounds of thousands can creep inward by one a round; the solver takes over what is left."""


class Narrowed(NamedTuple):
    """Narrowed bounds, and whether nothing more can follow from single equations."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    settled: bool


def propagate(knowns: Knowns, rounds: int = ROUNDS) -> Narrowed:
    """Narrow every count to what each equation leaves it, given the bounds of its other counts.

    For ``sum a_j x_j = b`` and ``a_i > 0``: ``x_i <= (b - sum of the least of the others) / a_i``,
    rounded down, and likewise from below. All equations are taken at once, again and again, until
    no bound moves or ``rounds`` are over. Every bound is valid whenever it stops; where the
    equations of a component form a tree with coefficients of one, the settled bounds are the
    tightest there are (each value between them is part of a table that fits).

    Returns
    -------
    Narrowed
        New arrays of shape (n,).

    Raises
    ------
    DisclosureError
        If a count is left without a value.
    """
    lower, upper = knowns.lower.copy(), knowns.upper.copy()
    A, b = knowns.A, knowns.b
    if A.nnz == 0:
        return Narrowed(lower, upper, True)
    column, a = A.indices, A.data
    row = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    rises = a > 0
    total = b[row]
    for _ in range(rounds):
        low, high = lower[column], upper[column]
        least, most = np.where(rises, low, high) * a, np.where(rises, high, low) * a
        # What the other counts of the equation leave for this one, before dividing by its factor.
        above = total - _of_others(least, row, A.shape[0], -np.inf)
        below = total - _of_others(most, row, A.shape[0], np.inf)
        new_low, new_high = inward(
            np.where(rises, below, above) / a, np.where(rises, above, below) / a
        )
        tighter_low, tighter_high = new_low > low, new_high < high
        if not (tighter_low.any() or tighter_high.any()):
            return Narrowed(lower, upper, True)
        np.maximum.at(lower, column[tighter_low], new_low[tighter_low])
        np.minimum.at(upper, column[tighter_high], new_high[tighter_high])
        if (lower > upper).any():
            raise contradiction()
    return Narrowed(lower, upper, False)


def _of_others(
    parts: NDArray[np.float64], row: NDArray[np.int64], rows: int, endless: float
) -> NDArray[np.float64]:
    """Return, for each entry, the sum of the other entries of its row; ``endless`` if one is."""
    infinite = ~np.isfinite(parts)
    finite = np.where(infinite, 0.0, parts)
    sums = np.bincount(row, weights=finite, minlength=rows)
    others = sums[row] - finite
    if infinite.any():
        many = np.bincount(row, weights=infinite, minlength=rows)
        others[many[row] - infinite > 0] = endless
    return np.asarray(others, dtype=np.float64)
