"""How rarely chance gives an area neighbours like its own: conditional permutations, and the rate
of false discoveries among many such tests.

Belongs here: the draws, the p-values and the rule by Benjamini and Hochberg. Does not belong here:
the statistics that are tested (``local.py``).

The area's own figure stays, its neighbours' are drawn without replacement from all other areas
(Anselin 1995). Of what is drawn, local Moran's I and Getis-Ord's Gi* depend on the sum of the
neighbours' figures alone, so one test serves both.

As in esda the same draws serve all areas. Each draw is one place longer than the most neighbours;
where it holds the area itself, the place after the last takes over. So the sums of a draw are made
once, not once for each area, and 99,999 draws cost less than 999 made area by area. They are
needed: with 999 draws no two-sided p-value is below 0.002, and of 1,719 areas 69 would have to
reach that before one of them could be told from chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from declarations.errors import LsoalinkError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from indicators.place.links import Links

PERMUTATIONS = 99_999
SEED = 20261116
DISCOVERY_RATE = 0.05
"""Share of false ones tolerated among the areas that are classed."""

FINENESS = 2.0**32
"""Figures, in standard deviations, are added up as whole multiples of this part of one. Each is
then wrong by at most a half, so sums no further apart than they have parts count as equal: whether
they are cannot depend on the order of addition, or on the last bit of a figure."""


def draws(size: int, length: int, permutations: int, seed: int) -> NDArray[np.int64]:
    """Draw positions without replacement.

    Parameters
    ----------
    size : int
        Positions to draw from.
    length : int
        How many each draw takes, at most ``size``.
    permutations : int
    seed : int

    Returns
    -------
    ndarray of int64, shape (permutations, length)
        Every ordered choice of different positions is equally likely.
    """
    rng = np.random.default_rng(seed)
    drawn = np.empty((permutations, length), dtype=np.int64)
    for place in range(length):
        # The number of one of the positions left; each smaller one taken before moves it up.
        found = rng.integers(0, size - place, size=permutations)
        before = np.sort(drawn[:, :place], axis=1)
        for taken in range(place):
            found += found >= before[:, taken]
        drawn[:, place] = found
    return drawn


def conditional_permutation(
    values: NDArray[np.float64],
    links: Links,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = SEED,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Test for each area whether its neighbours' figures are high or low beyond chance.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        In the order of ``links.codes``, none missing.
    links : Links
    permutations : int
    seed : int

    Returns
    -------
    p : ndarray of float, shape (n,)
        Two-sided: twice the smaller tail, ``2 (r + 1) / (permutations + 1)``, at most 1, with r the
        draws whose sum is at least (at most) as high as the neighbours'. NaN for an area without
        neighbours, and for all where the figures do not differ.
    side : ndarray of int, shape (n,)
        1 where the neighbours are high, -1 where they are low, 0 where p is NaN.

    Raises
    ------
    LsoalinkError
        If the figures do not fit the links, or one is missing.
    """
    size, number = len(links.codes), links.number
    if values.shape != (size,) or not np.isfinite(values).all():
        raise LsoalinkError(
            f"{size} areas need {size} figures, none of them missing",
            "Leave areas without a figure out of the links",
        )
    p, side = np.full(size, np.nan), np.zeros(size, dtype=np.int64)
    spread = values.std() if size else 0.0
    if not len(links.first) or spread <= np.finfo(float).eps * np.abs(values).max():
        return p, side
    whole = np.rint((values - values.mean()) / spread * FINENESS).astype(np.int64)
    own = np.zeros(size, dtype=np.int64)
    np.add.at(own, links.first, whole[links.second])
    drawn = draws(size, int(number.max()) + 1, permutations, seed)
    sums = np.cumsum(whole[drawn], axis=1)
    above, below = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for count in np.unique(number[number > 0]):
        areas = np.flatnonzero(number == count)
        ordered = np.sort(sums[:, count - 1])
        above[areas] = permutations - np.searchsorted(ordered, own[areas] - count, side="left")
        below[areas] = np.searchsorted(ordered, own[areas] + count, side="right")
    _without_themselves(above, below, whole, own, number, drawn, sums)
    rarer = np.minimum(above, below)
    tested = number > 0
    p[tested] = np.minimum(1.0, 2.0 * (rarer[tested] + 1) / (permutations + 1))
    side[tested] = np.where(above[tested] <= below[tested], 1, -1)
    return p, side


def _without_themselves(
    above: NDArray[np.int64],
    below: NDArray[np.int64],
    whole: NDArray[np.int64],
    own: NDArray[np.int64],
    number: NDArray[np.int64],
    drawn: NDArray[np.int64],
    sums: NDArray[np.int64],
) -> None:
    """Correct the counts for the draws in which an area was given itself as a neighbour."""
    for place in range(drawn.shape[1]):
        area = drawn[:, place]
        which = np.flatnonzero(number[area] > place)
        area = area[which]
        count = number[area]
        was = sums[which, count - 1]
        now = sums[which, count] - whole[area]
        least, most = own[area] - count, own[area] + count
        np.add.at(above, area, (now >= least).astype(np.int64) - (was >= least))
        np.add.at(below, area, (now <= most).astype(np.int64) - (was <= most))


def discoveries(p: ArrayLike, rate: float = DISCOVERY_RATE) -> NDArray[np.bool_]:
    """Say which of many tests stand, by the rule of Benjamini and Hochberg (1995).

    Parameters
    ----------
    p : array_like of float, shape (n,)
        NaN is no test, and does not count as one.
    rate : float, default 0.05
        Share of false ones tolerated, on average, among those that stand.

    Returns
    -------
    ndarray of bool, shape (n,)
        Those up to the largest p-value, the k-th of m in order, that is at most ``rate k / m``.

    Raises
    ------
    LsoalinkError
        If a p-value is not between 0 and 1.
    """
    given = np.asarray(p, dtype=np.float64)
    tests = given[~np.isnan(given)]
    if ((tests < 0) | (tests > 1)).any():
        raise LsoalinkError("A p-value is not between 0 and 1")
    ordered = np.sort(tests)
    stands = np.flatnonzero(ordered <= rate * np.arange(1, len(tests) + 1) / max(len(tests), 1))
    if not len(stands):
        return np.zeros(given.shape, dtype=bool)
    found: NDArray[np.bool_] = given <= ordered[stands[-1]]
    return found
