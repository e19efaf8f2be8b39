"""Drawing unsure figures of small areas towards the mean of a larger one.

Belongs here: Marshall's empirical Bayes for rates, and the binomial shrinkage on logits of the
Indices of Deprivation for shares; each over all areas, within groups (districts) or over
neighbours. Does not belong here: rows of a table (``indicators/derived/smoothing.py``).

Every result comes with its weight: the part of the shrunk figure that is the area's own. Below
``LOW_WEIGHT`` it is mostly the mean of the larger area.

Sources: Marshall (1991), Mapping disease and mortality rates using empirical Bayes estimators;
Indices of Deprivation, technical reports, appendix on shrinkage. Smoothing protects nobody: it is
made from protected figures.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from indicators.columns import Column, Floats, counts
from indicators.statistics.pooling import (
    Circle,
    Places,
    checked,
    expected_parts,
    gamma_poisson,
    grouped,
    marshall_moments,
    places_of,
    surrounded,
)
from indicators.statistics.protected import Within, gamma_poisson_moments

LOW_WEIGHT = 0.3
"""Below this weight a figure is mostly the mean it was drawn to, and is marked as unreliable."""


class Shrunk(NamedTuple):
    """Shrunk figures, the weight of each area's own figure, and the mean it was drawn to."""

    value: Floats
    weight: Floats
    prior: Floats


def low_weight(weight: Column) -> npt.NDArray[np.bool_]:
    """Return where a weight says that the figure is mostly the mean it was drawn to."""
    return counts(weight, "the weight") < LOW_WEIGHT


def marshall(
    x: Column, n: Column, groups: Column | None = None, *, within: Within | None = None
) -> Shrunk:
    """Return rates drawn to the mean rate of all areas, or of each area's group.

    ``m = Σx/Σn``, ``S² = Σ n (r - m)² / Σn``, ``a = max(0, S² - m / (Σn/k))``,
    ``w = a / (a + m/n)`` and ``m + w (r - m)``; Marshall (1991).

    Parameters
    ----------
    x, n : Column, shape (areas,)
        Events and people; NULL or NaN where missing.
    groups : Column, shape (areas,), optional
        The district, or other group, of each area.
    within : Within, optional
        Between which numbers each count lies, where counts are rounded or hidden. ``Σx`` and
        ``S²`` are then made of what is expected of each count within its range if true rates vary
        as a Gamma with mean ``m`` and variance ``a``, found together by iteration: so neither is
        biased by small counts being hidden or by rounding. ``m/n`` grows by the rounding's
        variance. Without this every count is taken as it stands and a hidden one as missing.

    Returns
    -------
    Shrunk
        Events per person, before any multiplier. ``value`` and ``weight`` are NaN where the count
        is missing or hidden or nobody lives there; ``prior`` is NaN where a group shows no count.

    Raises
    ------
    LsoalinkError
        If the shapes do not fit, or a count is negative.
    """
    events, people, within = checked(x, n, within)
    circle, place = grouped(places_of(groups, events.size))
    mean, between = gamma_poisson(events, people, within, circle, place)
    return _drawn(events, people, within, mean[place], between[place])


def marshall_neighbours(
    x: Column,
    n: Column,
    neighbours: tuple[Column, Column],
    groups: Column | None = None,
    *,
    within: Within | None = None,
) -> Shrunk:
    """Return rates drawn to the mean rate of each area and its neighbours.

    The formulas of :func:`marshall`, with sums over an area and its neighbours; an area that varies
    no more from its neighbours than chance would have it gets their common mean.

    Parameters
    ----------
    x, n : Column, shape (areas,)
    neighbours : pair of Column of int, shape (pairs,)
        Places (from 0) of areas and of their neighbours.
    groups : Column, optional
        Groups (districts) by whose mean and variance a count is expected within its range; all
        areas when left out.
    within : Within, optional
        As for :func:`marshall`.

    Returns
    -------
    Shrunk
        As for :func:`marshall`.
    """
    events, people, within = checked(x, n, within)
    circle, place = grouped(places_of(groups, events.size))
    mean, between = gamma_poisson(events, people, within, circle, place)
    expected = gamma_poisson_moments(people, mean[place], between[place], within)
    around, own = surrounded(events.size, neighbours)
    mean, between = marshall_moments(expected.mean, expected.square, people, around)
    return _drawn(events, people, within, mean[own], between[own])


def _drawn(events: Floats, people: Floats, within: Within, mean: Floats, between: Floats) -> Shrunk:
    chance = mean / people + within.rounding_variance / people**2
    either = between + chance
    weight = np.where(either > 0, between / np.where(either > 0, either, 1), 0.0)
    weight = np.where(np.isnan(events / people) | np.isnan(mean), np.nan, weight)
    return Shrunk(mean + weight * (events / people - mean), weight, mean)


def logit(
    x: Column, n: Column, groups: Column | None = None, *, within: Within | None = None
) -> Shrunk:
    """Return shares drawn to the share of all areas, or of each area's group, on the logit scale.

    ``z = ln((r + ½)/(n - r + ½))``, ``s² = 1/(r + ½) + 1/(n - r + ½)``,
    ``w = (1/s²)/(1/s² + 1/t²)`` and ``w z + (1 - w) Z``, with ``Z`` the logit of the group's whole
    count and ``t²`` the variance of ``z`` over the group's areas (divided by their number less
    one); the shrinkage of the Indices of Deprivation.

    Parameters
    ----------
    x, n : Column, shape (areas,)
        Numerators and denominators; a numerator above its denominator, as rounding makes it, is
        taken as equal to it.
    groups : Column, optional
    within : Within, optional
        Between which numbers each numerator lies, where they are rounded or hidden. ``Z`` is made
        of what is expected of each within its range at the group's share; ``s²`` grows by the
        rounding's variance. Hidden ones do not enter ``t²``: it is then somewhat too small, and the
        shrinkage too strong.

    Returns
    -------
    Shrunk
        Proportions. An area that is alone in its group keeps weight 1.

    Raises
    ------
    LsoalinkError
        If the shapes do not fit, or a count is negative.
    """
    events, people, within = checked(x, n, within)
    circle, place = grouped(places_of(groups, events.size))
    expected = expected_parts(people, within, circle, place)
    return _logit_drawn(events, people, expected, within, circle, place)


def logit_neighbours(
    x: Column,
    n: Column,
    neighbours: tuple[Column, Column],
    groups: Column | None = None,
    *,
    within: Within | None = None,
) -> Shrunk:
    """Return shares drawn to the share of each area and its neighbours, on the logit scale.

    The formulas of :func:`logit`; the parameters of :func:`marshall_neighbours`. An area without a
    neighbour that shows a figure has no variance to be judged by and keeps weight 1.
    """
    events, people, within = checked(x, n, within)
    circle, place = grouped(places_of(groups, events.size))
    expected = expected_parts(people, within, circle, place)
    around, own = surrounded(events.size, neighbours)
    return _logit_drawn(events, people, expected, within, around, own)


def _logit_drawn(
    events: Floats,
    people: Floats,
    expected: Floats,
    within: Within,
    circle: Circle,
    place: Places,
) -> Shrunk:
    events = np.minimum(events, people)
    up, down = events + 0.5, people - events + 0.5
    own = np.log(up / down)
    used = ~np.isnan(own)
    size = circle.total(used.astype(np.float64))
    counted = ~np.isnan(expected) & ~np.isnan(people)
    part = circle.total(np.where(counted, expected, 0))
    whole = circle.total(np.where(counted, people, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        larger = np.where(size > 0, np.log((part + 0.5) / (whole - part + 0.5)), np.nan)
        middle = circle.total(np.where(used, own, 0)) / size
        # Twice over the areas, as the sum of squares less a square would cancel.
        squares = np.bincount(
            circle.of,
            weights=np.where(used[circle.over], (own[circle.over] - middle[circle.of]) ** 2, 0),
            minlength=circle.size,
        )
        between = squares / (size - 1)
        chance = 1 / up + 1 / down + within.rounding_variance * (1 / up + 1 / down) ** 2
        weight = between[place] / (between[place] + chance)
    weight = np.where(size[place] <= 1, 1.0, weight)
    prior = larger[place]
    weight = np.where(np.isnan(own) | np.isnan(prior), np.nan, weight)
    return Shrunk(expit(weight * own + (1 - weight) * prior), weight, expit(prior))
