"""Whether the equations of a component are those of flows in a network.

Belongs here: the test, which is sufficient and exact. Does not belong here: what follows from it
(``insider.py``).

A matrix is that of a network if every column has at most two entries, each 1 or -1, and some
equations can be turned round so that two entries of a column always differ in sign. Then every
vertex of ``A x = b, l <= x <= u`` is whole whenever ``b``, ``l`` and ``u`` are, for any bounds
(Heller and Tompkins 1956; Hoffman and Kruskal 1956). Tables with one hierarchy of areas and one
flat breakdown are networks once the equations that follow from the others are left out: districts
of MSOAs of LSOAs by category are, two hierarchies of areas that do not nest are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_SETS = 1000
"""Unknowns above which finding the equations that follow from others would cost too much."""

ZERO = 1e-7


def is_network(A: csr_matrix) -> bool:
    """Say whether equations are proven to be those of a network; False where that stays open.

    Parameters
    ----------
    A : (m, n) csr_matrix
        Without stored zeros.
    """
    if not A.nnz or (np.abs(A.data) != 1).any():
        return not A.nnz
    if (A.getnnz(axis=0) > 2).any():
        # Whether the long or the short ones should go depends on which of them sum up the others.
        return any(
            kept is not None and _signs_agree(A[kept])
            for kept in (_without_redundant(A, short_first) for short_first in (True, False))
        )
    return _signs_agree(A)


def _without_redundant(A: csr_matrix, short_first: bool) -> NDArray[np.int64] | None:
    """Return equations that imply all others, no count in more than two of them, or None.

    A vector ``y`` with ``y A = 0`` and ``y_r = 1`` shows that equation ``r`` follows from the
    others in ``y``. All such vectors are found in floating point, rounded, and checked exactly.
    """
    basis = _dependencies(A)
    if basis is None:
        return None
    columns = A.tocsc()
    count = A.getnnz(axis=0)
    full = count > 2
    # Those that stand wholly among counts of too many equations come first.
    share = np.asarray(A.astype(bool) @ full.astype(float)) / A.getnnz(axis=1)
    dropped: list[int] = []
    length = A.getnnz(axis=1) * (1 if short_first else -1)
    for row in np.lexsort((length, -share)).tolist():
        members = A.indices[A.indptr[row] : A.indptr[row + 1]]
        used = len(dropped)
        if used == len(basis) or not (count[members] > 2).any():
            continue
        pivot = used + int(np.argmax(np.abs(basis[used:, row])))
        if abs(basis[pivot, row]) < ZERO:
            continue
        basis[[used, pivot]] = basis[[pivot, used]]
        basis[used] /= basis[used, row]
        others = np.arange(len(basis)) != used
        basis[others] -= np.outer(basis[others, row], basis[used])
        count[members] -= 1
        dropped.append(row)
    combinations = np.rint(basis[: len(dropped)])
    if (count > 2).any() or not np.array_equal(combinations[:, dropped], np.eye(len(dropped))):
        return None
    if (combinations @ columns != 0).any():
        return None
    return np.setdiff1d(np.arange(A.shape[0]), dropped)


def _dependencies(A: csr_matrix) -> NDArray[np.float64] | None:
    """Return a basis of all ``y`` with ``y A = 0``, one a row; None where that is too much work.

    A count in two equations makes their entries of ``y`` equal or opposite, so that only few
    unknowns are left, one for every set of equations so joined.
    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - heavy

    rows = A.shape[0]
    label = _joined(A)
    free = np.flatnonzero(label[:rows] != label[rows:])
    # Each set comes twice, as it is and turned round; the first equation's side stands for it.
    least = np.minimum(label[:rows], label[rows:])[free]
    sign = np.where(label[:rows][free] == least, 1.0, -1.0)
    sets, number = np.unique(least, return_inverse=True)
    if len(sets) > MOST_SETS:
        return None
    spread = csr_matrix((sign, (number, free)), shape=(len(sets), rows))
    left = spread @ A
    values, vectors = np.linalg.eigh((left @ left.T).toarray())
    if not len(values):
        return np.empty((0, rows))
    zero = values < ZERO * max(1.0, values[-1])
    return np.asarray(spread.T @ vectors[:, zero]).T.copy()


def _signs_agree(A: csr_matrix) -> bool:
    """Say whether equations can be turned round so that two entries of a column differ in sign."""
    rows = A.shape[0]
    label = _joined(A)
    return bool((label[:rows] != label[rows:]).all())


def _joined(A: csr_matrix) -> NDArray[np.int32]:
    """Join equations that hold a count together that is in no third.

    Returns
    -------
    (2 m,) int
        The set to which each equation belongs as it is, and then to which it belongs turned round;
        in one set the two entries of a column always differ in sign.
    """
    from scipy.sparse import coo_matrix  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - heavy

    rows = A.shape[0]
    columns = A.tocsc()
    twice = np.flatnonzero(np.diff(columns.indptr) == 2)
    at = columns.indptr[twice]
    one, other = columns.indices[at], columns.indices[at + 1]
    same = columns.data[at] == columns.data[at + 1]
    from_ = np.concatenate([one, one + rows])
    to = np.concatenate([other + rows * same, other + rows * ~same])
    graph = coo_matrix((np.ones(len(from_)), (from_, to)), shape=(2 * rows, 2 * rows))
    return connected_components(graph, directed=False)[1]
