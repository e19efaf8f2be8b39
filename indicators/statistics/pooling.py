"""What several areas have in common: mean and variance of their rates, protected counts taken in.

Belongs here: sums over groups and neighbours, the moments of Marshall's estimator, and the rate or
share of each group with its variance. Does not belong here: drawing an area to such a mean
(``shrinkage.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from declarations.errors import LsoalinkError
from indicators.columns import Column, Floats, counts, labels, same_shape
from indicators.statistics.protected import (
    Within,
    binomial_moments,
    exactly,
    gamma_poisson_moments,
)

Places = npt.NDArray[np.int64]

ROUNDS = 1000
CLOSE = 1e-9


class Pooled(NamedTuple):
    """Rate or share of each group and its sampling variance."""

    value: Floats
    variance: Floats


@dataclass(frozen=True)
class Circle:
    """Adds up, for every area, the figures of the areas it is compared with, itself included."""

    of: Places
    over: Places
    size: int

    def total(self, values: Floats) -> Floats:
        """Return the sum of one value of each area, for every circle."""
        sums: Floats = np.bincount(self.of, weights=values[self.over], minlength=self.size).astype(
            np.float64
        )
        return sums


def grouped(places: Places) -> tuple[Circle, Places]:
    """Return sums by group, and for every area the place of its group among them."""
    size = int(places.max()) + 1 if places.size else 0
    return Circle(places, np.arange(places.size), size), places


def surrounded(size: int, pairs: tuple[Column, Column]) -> tuple[Circle, Places]:
    """Return sums over every area and its neighbours, and the places of the areas among them.

    Parameters
    ----------
    size : int
        How many areas there are.
    pairs : pair of Column of int
        Places, from 0, of areas and of their neighbours.

    Raises
    ------
    LsoalinkError
        If the two differ in shape or a place is outside the areas.
    """
    own = np.arange(size)
    of, over = (np.asarray(side, dtype=np.int64) for side in pairs)
    if of.shape != over.shape or of.ndim != 1:
        raise LsoalinkError(
            f"areas {of.shape} and neighbours {over.shape} differ in shape",
            "Give the place of one neighbour for the place of each area",
        )
    outside = int(np.sum((of < 0) | (of >= size) | (over < 0) | (over >= size)))
    if outside:
        raise LsoalinkError(
            f"{outside} pairs of neighbours name a place outside the {size} areas",
            "Give places from 0, in the order of the figures",
        )
    # An area is one of its own surroundings, once, however often the pairs say so.
    keys = np.unique(np.concatenate([own * size + own, of * size + over]))
    return Circle(keys // size, keys % size, size), own


def checked(x: Column, n: Column, within: Within | None) -> tuple[Floats, Floats, Within]:
    """Return counts, denominators (0 as NaN) and ranges of one shape with one axis.

    Raises
    ------
    LsoalinkError
        If the shapes do not fit, or a count is negative.
    """
    events, people = same_shape(
        numerator=counts(x, "the numerator"), denominator=counts(n, "the denominator")
    )
    if events.ndim != 1:
        raise LsoalinkError(
            f"numerator has shape {events.shape}, not one axis", "Give one figure for each area"
        )
    within = within or exactly(events)
    if within.lowest.shape != events.shape:
        raise LsoalinkError(
            f"within {within.lowest.shape} and numerator {events.shape} differ in shape",
            "Give one range for each figure",
        )
    return events, np.where(people == 0, np.nan, people), within


def places_of(groups: Column | None, size: int) -> Places:
    """Return the number of each area's group; all are in one group where there are none."""
    return np.zeros(size, dtype=np.int64) if groups is None else labels(groups, "groups", size)


def gamma_poisson(
    events: Floats, people: Floats, within: Within, circle: Circle, place: Places
) -> tuple[Floats, Floats]:
    """Return mean and variance of the true rates of each group, all known counts taken in."""
    first = (within.lowest + within.highest) / 2
    mean, between = marshall_moments(first, first**2, people, circle)
    # A group that shows nothing has only its hidden counts, which cannot say how small they are.
    shown = circle.total((~np.isnan(events) & ~np.isnan(people)).astype(np.float64))
    mean = np.where(shown == 0, np.nan, mean)
    exact = np.array_equal(within.lowest, within.highest, equal_nan=True)
    for _ in range(0 if exact else ROUNDS):
        expected = gamma_poisson_moments(people, mean[place], between[place], within)
        last = mean, between
        mean, between = marshall_moments(expected.mean, expected.square, people, circle)
        if _settled(mean, last[0]) and _settled(between, last[1]):
            break
    return mean, between


def _settled(now: Floats, before: Floats) -> bool:
    largest = np.nanmax(np.abs(now), initial=0)
    return bool(np.nanmax(np.abs(now - before), initial=0) <= CLOSE * largest)


def marshall_moments(
    first: Floats, square: Floats, people: Floats, circle: Circle
) -> tuple[Floats, Floats]:
    """Return ``m`` and ``a`` of :func:`indicators.statistics.shrinkage.marshall` for each circle.

    Parameters
    ----------
    first, square : ndarray of float, shape (areas,)
        Each count and its square, or what is expected of them.
    people : ndarray of float, shape (areas,)
    circle : Circle
    """
    used = ~np.isnan(first) & ~np.isnan(people)
    whole = circle.total(np.where(used, people, 0))
    size = circle.total(used.astype(np.float64))
    squares = circle.total(np.where(used, square / people, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = circle.total(np.where(used, first, 0)) / whole
        varied = squares / whole - mean**2
        # People per area, so that m / average is the variance a Poisson count alone would give.
        chance = mean * size / whole
    return mean, np.maximum(varied - chance, 0)


def expected_parts(people: Floats, within: Within, circle: Circle, place: Places) -> Floats:
    """Return numerators as they are expected to be within their ranges, from the group's share."""
    within = Within(np.minimum(within.lowest, people), np.minimum(within.highest, people))
    parts = (within.lowest + within.highest) / 2
    if np.array_equal(within.lowest, within.highest, equal_nan=True):
        return parts
    used = ~np.isnan(parts)
    whole = circle.total(np.where(used, people, 0))
    for _ in range(ROUNDS):
        with np.errstate(divide="ignore", invalid="ignore"):
            share = circle.total(np.where(used, parts, 0)) / whole
        last = parts
        parts = binomial_moments(people, share[place], within).mean
        if _settled(parts, last):
            break
    return parts


def pooled_rates(x: Column, n: Column, groups: Column, *, within: Within | None = None) -> Pooled:
    """Return the rate of each group, hidden and rounded counts taken in.

    The mean of :func:`gamma_poisson`. Its variance is that of a Poisson count, grown by what
    protection hides: ``m² / (m Σn - Σv)`` with ``v`` the variance of each count within its range
    (the information of the whole less that of the missing part; Louis 1982).

    Parameters
    ----------
    x, n, groups : Column, shape (areas,)
    within : Within, optional

    Returns
    -------
    Pooled
        Shape (groups,), in the order of the sorted labels; NaN where a group shows no count, or
        where protection hides all that it could say.
    """
    events, people, within = checked(x, n, within)
    circle, place = grouped(places_of(groups, events.size))
    mean, between = gamma_poisson(events, people, within, circle, place)
    expected = gamma_poisson_moments(people, mean[place], between[place], within)
    unknown = np.maximum(expected.square - expected.mean**2, 0)
    used = ~np.isnan(people) & within.known
    known = mean * circle.total(np.where(used, people, 0))
    return Pooled(mean, _with_less(mean, known, circle.total(np.where(used, unknown, 0))))


def pooled_shares(x: Column, n: Column, groups: Column, *, within: Within | None = None) -> Pooled:
    """Return the share of each group, hidden and rounded numerators taken in.

    As :func:`pooled_rates`, with binomial numerators: the variance is
    ``q² / (q Σn - Σv)`` with ``q = p (1 - p)``.
    """
    events, people, within = checked(x, n, within)
    circle, place = grouped(places_of(groups, events.size))
    parts = expected_parts(people, within, circle, place)
    used = ~np.isnan(parts) & ~np.isnan(people)
    whole = circle.total(np.where(used, people, 0))
    shown = circle.total((~np.isnan(events) & ~np.isnan(people)).astype(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(shown == 0, np.nan, circle.total(np.where(used, parts, 0)) / whole)
    held = Within(np.minimum(within.lowest, people), np.minimum(within.highest, people))
    expected = binomial_moments(people, share[place], held)
    unknown = np.maximum(expected.square - expected.mean**2, 0)
    spread = share * (1 - share)
    unseen = circle.total(np.where(used & ~np.isnan(unknown), unknown, 0))
    return Pooled(share, _with_less(spread, spread * whole, unseen))


def _with_less(spread: Floats, known: Floats, unknown: Floats) -> Floats:
    left = known - unknown
    enough = (left > 0) | (spread == 0)
    safe = np.where(left > 0, left, 1)
    return np.where(enough, spread**2 / safe, np.nan)
