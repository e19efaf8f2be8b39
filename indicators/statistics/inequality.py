"""How much an indicator changes from the least to the most deprived.

Belongs here: population-weighted quantile groups, ridit ranks, and the slope and relative index of
inequality with their intervals. Does not belong here: which areas and which deprivation score
(``indicators/derived/inequality.py``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from declarations.errors import LsoalinkError
from indicators.columns import Column, Floats, counts, floats, same_shape
from indicators.intervals import tail


class Slope(NamedTuple):
    """Slope and relative index of inequality, each with the limits of its interval."""

    sii: Floats
    sii_lower: Floats
    sii_upper: Floats
    rii: Floats
    rii_lower: Floats
    rii_upper: Floats


def ridits(score: Column, population: Column) -> Floats:
    """Return for each area the share of people in areas with a lower score, its own half counted.

    Parameters
    ----------
    score : Column, shape (areas,)
        What the areas are ordered by, for example deprivation.
    population : Column, shape (areas,)
        People of each area.

    Returns
    -------
    ndarray of float, shape (areas,)
        Above 0 and below 1, rising with the score. Areas with one score share the middle of their
        people's ranks, whatever the order of the rows. NaN where an input is missing; such an area
        counts for no other.

    Raises
    ------
    LsoalinkError
        If the shapes differ or a population is negative.
    """
    marks, people = same_shape(
        score=floats(score, "the score"), population=counts(population, "the population")
    )
    if marks.ndim != 1:
        raise LsoalinkError(
            f"score has shape {marks.shape}, not one axis", "Give one score for each area"
        )
    used = ~np.isnan(marks + people)
    found = np.full(marks.shape, np.nan)
    distinct, place = np.unique(marks[used], return_inverse=True)
    tied = np.bincount(place, weights=people[used], minlength=distinct.size)
    if tied.sum() > 0:
        middle = (np.cumsum(tied) - tied / 2) / tied.sum()
        found[used] = middle[place]
    return found


def weighted_groups(score: Column, population: Column, groups: int) -> npt.NDArray[np.int64]:
    """Put areas into groups of nearly equal population by their score.

    Parameters
    ----------
    score, population : Column, shape (areas,)
    groups : int
        5 for fifths, 10 for tenths.

    Returns
    -------
    ndarray of int, shape (areas,)
        1 for the lowest scores up to ``groups`` for the highest; 0 where an input is missing. An
        area is where the middle of its people is; areas with one score are never parted.

    Raises
    ------
    LsoalinkError
        If there are fewer than 2 groups, or as for :func:`ridits`.
    """
    if groups < 2:
        raise LsoalinkError("Fewer than two groups were asked for", "Use 5 or 10")
    rank = ridits(score, population)
    placed = np.minimum(np.floor(np.nan_to_num(rank) * groups), groups - 1).astype(np.int64) + 1
    return np.where(np.isnan(rank), 0, placed)


def slope_index(
    rank: Column,
    population: Column,
    values: Column,
    variances: Column,
    *,
    confidence: float = 0.95,
) -> Slope:
    """Return the slope and the relative index of inequality.

    The line ``value = a + b rank`` is fitted by least squares weighted by population, as OHID do
    (PHE 2019 onwards). ``SII = b``: the difference between the most and the least deprived person.
    ``RII = (a + b)/a``: their ratio. The interval of ``b`` follows without simulation, since ``b``
    is a sum of the values, each with its sampling variance: ``var b = Σ c² v``. That is what
    OHID's simulation of normal values converges to. The interval of the RII is made on the log
    scale by the delta method.

    Parameters
    ----------
    rank : Column, shape (groups,)
        Ridits of the groups, from the least deprived (:func:`ridits`).
    population : Column, shape (groups,)
    values, variances : Column, shape (..., groups)
        Rate of each group and its sampling variance; several lines can be fitted at once.

    Returns
    -------
    Slope
        In the unit of the values; the RII has none. NaN where a group is missing, and the RII also
        where the line reaches 0 or less at either end: then no ratio describes it.

    Raises
    ------
    LsoalinkError
        If the shapes do not fit, there are fewer than 2 different ranks, or a variance or
        population is negative.
    """
    order, people = same_shape(
        rank=floats(rank, "the rank"), population=counts(population, "the population")
    )
    rates, spread = same_shape(
        values=floats(values, "the values"), variances=counts(variances, "the variances")
    )
    if order.ndim != 1 or rates.shape[-1:] != order.shape:
        raise LsoalinkError(
            f"rank {order.shape} and values {rates.shape} differ in their groups",
            "Give the groups on the last axis, and one rank for each",
        )
    if np.isnan(order + people).any() or np.unique(order[people > 0]).size < 2:
        raise LsoalinkError(
            "A line needs at least two groups with people and different ranks",
            "Leave out the groups without a rank, or use fewer areas",
        )
    weight = people / people.sum()
    middle = np.sum(weight * order)
    across = np.sum(weight * (order - middle) ** 2)
    # Slope and level at rank 0 are sums of the values with these coefficients.
    of_slope = weight * (order - middle) / across
    of_start = weight - middle * of_slope
    slope, start = rates @ of_slope, rates @ of_start
    z = ndtri(1 - tail(confidence))
    error = np.sqrt(spread @ of_slope**2)
    finish = start + slope
    positive = (start > 0) & (finish > 0)
    low, high = (np.where(positive, side, np.nan) for side in (start, finish))
    # d ln RII = d finish / finish - d start / start
    log_error = np.sqrt(
        np.sum(
            spread * ((of_start + of_slope) / high[..., None] - of_start / low[..., None]) ** 2,
            axis=-1,
        )
    )
    ratio = high / low
    return Slope(
        slope, slope - z * error, slope + z * error,
        ratio, ratio * np.exp(-z * log_error), ratio * np.exp(z * log_error),
    )  # fmt: skip
