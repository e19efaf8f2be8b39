"""Taking the attacker's knowledge apart into pieces that say nothing about each other.

Belongs here: connected components, and which of them need no solver. Does not belong here: solving.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.attacker.knowns import WHOLE, Knowns, contradiction


class Component(NamedTuple):
    """Counts that hang together, with their equations.

    Attributes
    ----------
    columns : (c,) int
        Places of the counts in the whole system, in order.
    knowns : Knowns
        Bounds and equations of these counts alone.
    """

    columns: NDArray[np.int64]
    knowns: Knowns


class Parts(NamedTuple):
    """A system taken apart.

    Attributes
    ----------
    label : (n,) int
        Component of each count; -1 where the count is known and so connects nothing.
    tree : (c,) bool
        Components whose equations form a tree with coefficients of one: settled bounds are exact.
    knowns : Knowns
        Without the known counts, which are subtracted from the totals; counts and equations in the
        order of their components.
    columns : (f,) int
        Place in the whole system of each count that is left.
    column_starts, row_starts : (c + 1,) int
        Where the counts and equations of each component begin in ``knowns``.
    """

    label: NDArray[np.int64]
    tree: NDArray[np.bool_]
    knowns: Knowns
    columns: NDArray[np.int64]
    column_starts: NDArray[np.int64]
    row_starts: NDArray[np.int64]

    def component(self, number: int) -> Component:
        """Return one component."""
        first, last = self.column_starts[number : number + 2]
        top, end = self.row_starts[number : number + 2]
        whole = self.knowns
        knowns = Knowns(
            whole.lower[first:last],
            whole.upper[first:last],
            whole.A[top:end, first:last],
            whole.b[top:end],
        )
        return Component(self.columns[first:last], knowns)

    def __len__(self) -> int:
        return len(self.tree)


def take_apart(knowns: Knowns) -> Parts:
    """Split a system into connected components, after putting in every count that is known.

    Counts hang together if an equation holds both; a count whose bounds meet is known, is put into
    its equations and connects nothing. So exact district totals make each district its own piece,
    and a nation costs as much as its districts one by one.

    Raises
    ------
    DisclosureError
        If an equation of known counts alone does not hold.
    """
    from scipy.sparse import bmat  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - heavy

    known = knowns.lower == knowns.upper
    free = np.flatnonzero(~known)
    A, b = knowns.A[:, free], knowns.b
    if known.any():
        b = b - knowns.A @ np.where(known, knowns.lower, 0.0)
    empty = np.diff(A.indptr) == 0
    if (np.abs(b[empty]) > WHOLE).any():
        raise contradiction()
    A, b = A[~empty], b[~empty]
    rows, counts = A.shape
    label = np.full(len(known), -1, dtype=np.int64)
    if not counts:
        nothing = np.zeros(1, dtype=np.int64)
        left = Knowns(knowns.lower[free], knowns.upper[free], A, b)
        return Parts(label, np.empty(0, dtype=bool), left, free, nothing, nothing)
    number, of_node = connected_components(bmat([[None, A], [A.T, None]]) if rows else A.T @ A)
    of_row, of_column = of_node[:rows], of_node[rows:]
    by_column, by_row = np.argsort(of_column, kind="stable"), np.argsort(of_row, kind="stable")
    entries_row = np.repeat(of_row, np.diff(A.indptr))
    entries = np.bincount(entries_row, minlength=number)
    odd = np.bincount(entries_row, weights=np.abs(A.data) != 1, minlength=number)
    in_columns = np.bincount(of_column, minlength=number)
    in_rows = np.bincount(of_row, minlength=number)
    label[free] = of_column
    # A connected graph with one edge fewer than nodes is a tree.
    tree = (odd == 0) & (entries == in_columns + in_rows - 1)
    ordered = free[by_column]
    left = Knowns(
        knowns.lower[ordered], knowns.upper[ordered], A[by_row][:, by_column].tocsr(), b[by_row]
    )
    left.A.sort_indices()
    return Parts(
        label,
        tree,
        left,
        ordered,
        np.concatenate(([0], np.cumsum(in_columns))),
        np.concatenate(([0], np.cumsum(in_rows))),
    )
