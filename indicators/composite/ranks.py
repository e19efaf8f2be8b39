"""Ranks, and the exponential transformation of them.

Belongs here: exact ranks with ties, and the transformation of the English Indices of Deprivation.
Does not belong here: the fast ranks of draws (``draws.py``).
"""

from __future__ import annotations

import numpy as np

from declarations.errors import ConfigurationError
from indicators.columns import Column, Floats, floats, same_shape

EXPONENTIAL_SCALE = 23
"""Puts a tenth of the areas above a score of 50 (Indices of Deprivation, technical report)."""


def average_ranks(values: Column) -> Floats:
    """Rank values from 1 for the smallest; ties share the mean of the ranks they take up.

    Parameters
    ----------
    values : Column, one dimension
        Arrow, DuckDB, pandas or NumPy; null where missing: such an element has no rank and does
        not count.

    Returns
    -------
    ndarray of float
        Ranks, NaN where missing. They do not depend on the order of the elements.
    """
    array = floats(values, "the values")
    ranks = np.full(array.shape, np.nan)
    known = ~np.isnan(array)
    _, where, sizes = np.unique(array[known], return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks[known] = (last - (sizes - 1) / 2)[where]
    return ranks


def rank_exponential(rank: Column, n: Column) -> Floats:
    """Return the exponential transformation of ranks: 0 to 100, steep at the worse end.

    ``-23 ln(1 - R(1 - exp(-100/23)))`` with ``R = rank / n``; Indices of Deprivation.

    Parameters
    ----------
    rank : Column
        Arrow, DuckDB, pandas or NumPy; 1 is the **least** deprived area and ``n`` the most
        deprived, so that R lies in (0, 1]. Null where missing.
    n : int, or Column in the shape of ``rank``
        How many areas are ranked.

    Returns
    -------
    ndarray of float
        Above 0, and 100 for rank ``n``.

    Raises
    ------
    ConfigurationError
        If a rank lies outside 1 to ``n``.
    LsoalinkError
        If the shapes do not fit, or a column holds other things than numbers.
    """
    ranks, whole = floats(rank, "rank"), floats(n, "n")
    if whole.ndim:
        ranks, whole = same_shape(rank=ranks, n=whole)
    if np.any((ranks < 1) | (ranks > whole)):
        among = f"{whole:g}" if whole.ndim == 0 else "the number of areas"
        raise ConfigurationError(f"A rank lies outside 1 to {among}", "Rank the areas from 1")
    share = np.divide(ranks, whole, out=np.full(ranks.shape, np.nan), where=whole > 0)
    return -EXPONENTIAL_SCALE * np.log(1 - share * (1 - np.exp(-100 / EXPONENTIAL_SCALE)))
