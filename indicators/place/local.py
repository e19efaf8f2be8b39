"""Local Moran's I and Getis-Ord's Gi*, and the classes made of them.

Belongs here: the statistics of one set of figures. Does not belong here: the test of chance
(``permutations.py``), or which figures are looked at (``indicators/derived/hotspots.py``).

The statistics are esda's, over weights of libpysal (both BSD-3). A rate is standardised first as
Assuncao and Reis (1999) have it: its distance from the mean rate, in units of the spread expected
of a rate with its denominator. So a high rate among few people does not make a hot spot by itself.
Gi* is taken of the same standardised figures.

Both statistics are made in the order of the codes, in one thread and without esda's own
permutations: those set the seed of NumPy for the whole process.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from declarations.errors import LsoalinkError
from indicators.place.permutations import (
    DISCOVERY_RATE,
    PERMUTATIONS,
    SEED,
    conditional_permutation,
    discoveries,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indicators.place.links import Links

Method = Literal["local_moran", "gi_star"]
METHODS: tuple[Method, ...] = ("local_moran", "gi_star")

NOT_SIGNIFICANT = "not significant"
HIGH_HIGH, LOW_LOW = "high among high", "low among low"
HIGH_LOW, LOW_HIGH = "high among low", "low among high"
HOT, COLD = "hot spot", "cold spot"

CLASSES: dict[Method, tuple[str, ...]] = {
    "local_moran": (HIGH_HIGH, LOW_LOW, HIGH_LOW, LOW_HIGH, NOT_SIGNIFICANT),
    "gi_star": (HOT, COLD, NOT_SIGNIFICANT),
}

LEAST_AREAS = 30
"""With fewer areas there are too few others to say what chance would give."""


@dataclass(frozen=True)
class Hotspots:
    """What was found for each area, in the order of the links' codes.

    Attributes
    ----------
    moran, gi_star : ndarray of float, shape (n,)
        Local Moran's I; the z-score of Gi*. NaN where there is no class.
    p : ndarray of float, shape (n,)
        Two-sided pseudo p-value, the same for both.
    moran_class, gi_class : ndarray of object, shape (n,)
        A class in words, or None.
    """

    moran: NDArray[np.float64]
    gi_star: NDArray[np.float64]
    p: NDArray[np.float64]
    moran_class: NDArray[np.object_]
    gi_class: NDArray[np.object_]

    def of(self, method: Method) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
        """Return statistic and class of one method."""
        if method == "local_moran":
            return self.moran, self.moran_class
        return self.gi_star, self.gi_class


def hotspots(
    links: Links,
    *,
    values: NDArray[np.float64] | None = None,
    events: NDArray[np.float64] | None = None,
    people: NDArray[np.float64] | None = None,
    tested: NDArray[np.bool_] | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = SEED,
    rate: float = DISCOVERY_RATE,
) -> Hotspots:
    """Find the areas whose neighbours are high or low beyond chance.

    Parameters
    ----------
    links : Links
        The areas that have a figure.
    values : ndarray of float, shape (n,), optional
        Plain figures: statistics, scores.
    events, people : ndarray of float, shape (n,), optional
        Numerator and denominator of a rate, in place of ``values``.
    tested : ndarray of bool, shape (n,), optional
        Areas that get a class, and among which false discoveries are bounded; all when left out.
        Others serve as neighbours only, and are compared with like the rest.
    permutations, seed, rate
        As in ``permutations.py``.

    Returns
    -------
    Hotspots
        An area without neighbours has no class; no area has one where there are fewer than
        ``LEAST_AREAS``, or their figures do not differ. A class other than ``not significant``
        needs neighbours beyond chance on one side and, on the same side of the mean, the sum of
        their figures (local Moran) or of theirs and the area's own (Gi*).

    Raises
    ------
    LsoalinkError
        If the shapes differ, a figure is missing, or a denominator is not above 0.
    """
    figures = _figures(links, values, events, people)
    size = len(links.codes)
    wanted = np.ones(size, dtype=bool) if tested is None else tested
    if wanted.shape != (size,):
        raise LsoalinkError(f"{size} areas, and {wanted.size} marks which of them are tested")
    p = np.full(size, np.nan)
    if size < LEAST_AREAS or not np.isfinite(figures).all():
        return no_classes(size)
    p, side = conditional_permutation(figures, links, permutations=permutations, seed=seed)
    p = np.where(wanted, p, np.nan)
    if np.isnan(p).all():
        return no_classes(size)
    significant = discoveries(p, rate)
    moran, high, lag_high = _local_moran(links, figures, events, people)
    gi = _gi_star(links, figures)
    classed = ~np.isnan(p)
    moran_class = np.full(size, None, dtype=object)
    gi_class = np.full(size, None, dtype=object)
    moran_class[classed], gi_class[classed] = NOT_SIGNIFICANT, NOT_SIGNIFICANT
    up, down = significant & (side > 0), significant & (side < 0)
    moran_class[up & lag_high & high] = HIGH_HIGH
    moran_class[up & lag_high & ~high] = LOW_HIGH
    moran_class[down & ~lag_high & high] = HIGH_LOW
    moran_class[down & ~lag_high & ~high] = LOW_LOW
    gi_class[up & (gi > 0)] = HOT
    gi_class[down & (gi < 0)] = COLD
    moran[~classed], gi[~classed] = np.nan, np.nan
    return Hotspots(moran, gi, p, moran_class, gi_class)


def standardised_rates(
    events: NDArray[np.float64], people: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return rates as distances from the mean rate, in units of their expected spread.

    Parameters
    ----------
    events, people : ndarray of float, shape (n,)

    Returns
    -------
    ndarray of float, shape (n,)
        ``(x / n - b) / sqrt(a + b / n)`` with b the rate of all areas together and a the variance
        between areas beyond chance; where that sum is negative, ``b / n`` alone stands under the
        root (Assuncao and Reis 1999). NaN for all where there are no events.
    """
    from esda.smoothing import assuncao_rate  # noqa: PLC0415 (heavy)

    if not events.sum() > 0:
        return np.full(events.shape, np.nan)
    found: NDArray[np.float64] = assuncao_rate(events, people)
    return found


def no_classes(size: int) -> Hotspots:
    """Return what is found where nothing can be."""
    numbers = [np.full(size, np.nan) for _ in range(3)]
    classes = [np.full(size, None, dtype=object) for _ in range(2)]
    return Hotspots(*numbers, *classes)


def _figures(
    links: Links,
    values: NDArray[np.float64] | None,
    events: NDArray[np.float64] | None,
    people: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    given = [a for a in (values, events, people) if a is not None]
    if len(given) != (1 if values is not None else 2):
        raise LsoalinkError("Give either values, or events and people")
    for array in given:
        if array.shape != links.codes.shape or not np.isfinite(array).all():
            raise LsoalinkError(
                f"{len(links.codes)} areas need as many figures, none of them missing",
                "Leave areas without a figure out of the links",
            )
    if values is not None:
        return values
    if events is None or people is None or (people <= 0).any() or (events < 0).any():
        raise LsoalinkError("A denominator is not above 0, or a numerator is below it")
    return standardised_rates(events, people)


def _local_moran(
    links: Links,
    figures: NDArray[np.float64],
    events: NDArray[np.float64] | None,
    people: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return Moran's I, which areas are above the mean, and which have neighbours above it."""
    from esda.moran import Moran_Local, Moran_Local_Rate  # noqa: PLC0415 (heavy)

    graph = links.graph()
    # esda sets a filter of warnings and leaves it so.
    with warnings.catch_warnings():
        if events is None or people is None:
            found = Moran_Local(figures, graph, transformation="r", permutations=0)
        else:
            found = Moran_Local_Rate(events, people, graph, transformation="r", permutations=0)
    # esda's quadrants: 1 high among high, 2 low among high, 3 low among low, 4 high among low.
    return found.Is, np.isin(found.q, (1, 4)), np.isin(found.q, (1, 2))


def _gi_star(links: Links, figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the z-score of Gi* of each area."""
    from esda.getisord import G_Local  # noqa: PLC0415 (heavy)

    # Gi* is a share of the sum of all figures, so they must be positive; its z-score does not
    # change with what is added to all of them. esda's variance is that of binary weights.
    positive = figures - figures.min() + figures.std()
    found = G_Local(positive, links.graph(), transform="b", star=True, permutations=0)
    scores: NDArray[np.float64] = found.Zs
    return scores
