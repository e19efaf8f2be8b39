"""Ranks, and the exponential transformation of them.

Belongs here: exact ranks with ties, and the transformation of the English Indices of Deprivation.
Does not belong here: the fast ranks of draws (``draws.py``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from declarations.errors import ConfigurationError
from indicators.intervals import Floats

EXPONENTIAL_SCALE = 23
"""Puts a tenth of the areas above a score of 50 (Indices of Deprivation, technical report)."""


def average_ranks(values: npt.ArrayLike) -> Floats:
    """Rank values from 1 for the smallest; ties share the mean of the ranks they take up.

    Parameters
    ----------
    values : array_like of float, one dimension
        NaN where missing: such an element has no rank and does not count.

    Returns
    -------
    ndarray of float
        Ranks, NaN where missing. They do not depend on the order of the elements.
    """
    array = np.asarray(values, dtype=np.float64)
    ranks = np.full(array.shape, np.nan)
    known = ~np.isnan(array)
    _, where, sizes = np.unique(array[known], return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks[known] = (last - (sizes - 1) / 2)[where]
    return ranks


def rank_exponential(rank: npt.ArrayLike, n: npt.ArrayLike) -> Floats:
    """Return the exponential transformation of ranks: 0 to 100, steep at the worse end.

    ``-23 ln(1 - R(1 - exp(-100/23)))`` with ``R = rank / n``; Indices of Deprivation.

    Parameters
    ----------
    rank : array_like of float
        1 is the **least** deprived area and ``n`` the most deprived, so that R lies in (0, 1].
        NaN where missing.
    n : int, or array_like of int in the shape of ``rank``
        How many areas are ranked.

    Returns
    -------
    ndarray of float
        Above 0, and 100 for rank ``n``.

    Raises
    ------
    ConfigurationError
        If a rank lies outside 1 to ``n``.
    """
    ranks, whole = np.asarray(rank, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if np.any((ranks < 1) | (ranks > whole)):
        among = f"{whole:g}" if whole.ndim == 0 else "the number of areas"
        raise ConfigurationError(f"A rank lies outside 1 to {among}", "Rank the areas from 1")
    share = np.divide(ranks, whole, out=np.full(ranks.shape, np.nan), where=whole > 0)
    return -EXPONENTIAL_SCALE * np.log(1 - share * (1 - np.exp(-100 / EXPONENTIAL_SCALE)))
