"""The attacker's knowledge, checked and brought into one form before anything is solved.

Belongs here: reading bounds and equations from whatever arrays they come in, refusing what is no
number, rounding bounds inward, dividing equations by their common factor.
Does not belong here: what follows from the equations (``propagation.py``, ``search.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WHOLE = 1e-6
"""A number this near to a whole one is taken for it; nothing else is ever rounded outward."""

LARGEST = 2.0**53
"""Beyond this, neighbouring whole numbers are one floating-point number."""


class Knowns(NamedTuple):
    """Counts ``x`` between bounds, with ``A x = b``.

    Attributes
    ----------
    lower, upper : (n,) float64
        Whole numbers, ``lower <= upper``, or infinite.
    A : (m, n) csr_matrix
        Sorted, no stored zeros, no entry twice.
    b : (m,) float64
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    A: csr_matrix
    b: NDArray[np.float64]


def contradiction() -> DisclosureError:
    """Return the error for statements that no table of whole counts satisfies."""
    return DisclosureError(
        "No table of counts fits all that is said to be published: the bounds and sums "
        "contradict each other",
        "Look for two versions of one table, a sum that counts a cell twice, or the wrong profile "
        "named for a file",
    )


def inward(
    lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Round bounds to the whole numbers within them."""
    # Zero is added so that none is negative.
    return np.ceil(lower - WHOLE) + 0.0, np.floor(upper + WHOLE) + 0.0


def read_knowns(lower: ArrayLike, upper: ArrayLike, A: object, b: ArrayLike) -> Knowns:
    """Check the attacker's knowledge and bring it into one form.

    Parameters
    ----------
    lower, upper : (n,) array-like
        Bounds of the counts; rounded inward to whole numbers. Either may be infinite.
    A : (m, n) array-like or scipy sparse matrix or array, of any format
    b : (m,) array-like

    Raises
    ------
    DisclosureError
        If shapes do not fit, something is not a number, or a single statement already cannot hold
        (a lower bound above its upper one, ``0 = 1``, ``2 x + 4 y = 5``).
    """
    low, high = inward(_numbers(lower, "lower bounds"), _numbers(upper, "upper bounds"))
    totals = _numbers(b, "totals")
    matrix = _matrix(A, len(low))
    if low.shape != high.shape or matrix.shape != (len(totals), len(low)):
        raise DisclosureError(
            f"{len(low)} lower bounds, {len(high)} upper bounds, {len(totals)} totals and a matrix "
            f"of {matrix.shape[0]} by {matrix.shape[1]} do not belong together",
            "Give one bound a count, one total an equation, and a matrix of equations by counts",
        )
    finite = np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)], totals, matrix.data])
    if not np.isfinite(totals).all() or (np.abs(finite) > LARGEST).any():
        raise DisclosureError(
            "A total, a bound or a coefficient is too large to be a count",
            "Leave out the bound where none is known, and the equation where its total is not",
        )
    if (low > high).any() or (low == np.inf).any() or (high == -np.inf).any():
        raise contradiction()
    return _without_common_factors(Knowns(low, high, matrix, totals))


def read_targets(targets: ArrayLike, counts: int) -> NDArray[np.int64]:
    """Check the numbers of the counts to attack; repeated and empty lists are allowed.

    Raises
    ------
    DisclosureError
        If a number is not that of a count.
    """
    given = np.asarray(targets)
    if given.size == 0:
        return np.empty(0, dtype=np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iuf" or (given != np.floor(given)).any():
        raise DisclosureError(
            "The cells to attack are not a list of whole numbers",
            "Name each by its place among the bounds, counted from 0",
        )
    if given.min() < 0 or given.max() >= counts:
        raise DisclosureError(
            f"A cell to attack is not among the {counts} counts",
            "Name each by its place among the bounds, counted from 0",
        )
    return given.astype(np.int64)


def _numbers(given: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        array = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DisclosureError(f"The {name} are not all numbers") from error
    array = array.reshape(-1) if array.size == 0 else array
    if array.ndim != 1:
        raise DisclosureError(f"The {name} are not one row of numbers")
    if np.isnan(array).any():
        raise DisclosureError(
            f"Among the {name} is an entry that is not a number",
            "Leave a bound infinite, or an equation out, where nothing is known",
        )
    return array


def _matrix(given: object, counts: int) -> csr_matrix:
    from scipy.sparse import csr_matrix, issparse  # noqa: PLC0415 - heavy

    try:
        if issparse(given):
            matrix = csr_matrix(given, dtype=np.float64, copy=True)
        else:
            dense = np.array(given, dtype=np.float64)
            if dense.size == 0:
                dense = dense.reshape(dense.shape[0] if dense.ndim == 2 else 0, counts)
            matrix = csr_matrix(dense)
    except (TypeError, ValueError) as error:
        raise DisclosureError("The equations are not a matrix of numbers") from error
    if not np.isfinite(matrix.data).all():
        raise DisclosureError("A coefficient of an equation is not a finite number")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _without_common_factors(knowns: Knowns) -> Knowns:
    """Divide each equation by its common factor; refuse it where that does not divide the total.

    This alone finds that ``2 x + 4 y = 5`` has no solution, which no linear programme does.
    """
    A, b = knowns.A, knowns.b.copy()
    lengths = np.diff(A.indptr)
    if (np.abs(b[lengths == 0]) > WHOLE).any():
        raise contradiction()
    keep = np.flatnonzero(lengths)
    if not len(keep):
        return Knowns(knowns.lower, knowns.upper, A[keep], b[keep])
    A, b, lengths = A[keep], b[keep], lengths[keep]
    whole = np.rint(A.data)
    starts = A.indptr[:-1]
    of_whole = np.logical_and.reduceat(np.abs(A.data - whole) <= WHOLE * 1e-3, starts)
    of_whole &= np.logical_and.reduceat(whole != 0, starts)
    entry_whole = np.repeat(of_whole, lengths)
    A.data[entry_whole] = whole[entry_whole]
    factor = np.ones(len(keep))
    common = np.gcd.reduceat(np.where(entry_whole, np.abs(whole), 1).astype(np.int64), starts)
    factor[of_whole] = common[of_whole]
    A.data /= np.repeat(factor, lengths)
    b /= factor
    nearest = np.rint(b)
    # A total is given to WHOLE as it stands, so to a part of that once divided.
    if (of_whole & (np.abs(b - nearest) * factor > WHOLE)).any():
        raise contradiction()
    b[of_whole] = nearest[of_whole]
    return Knowns(knowns.lower, knowns.upper, A, b)
