"""Composite indices: from several inputs per area to one score.

Belongs here: ranks, the exponential transformation, weighting, what happens to missing inputs. Pure
functions of arrays, one element an area.
Does not belong here: which figures are the inputs and from which period (``index.py``).

The method is that of the English Indices of Deprivation (rank, exponential transformation, weighted
mean), so that a very bad input is not cancelled out by a good one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from declarations.errors import ConfigurationError
from declarations.indicators import Component
from indicators.intervals import Floats

EXPONENTIAL_SCALE = 23
"""Puts a tenth of the areas above a score of 50 (Indices of Deprivation, technical report)."""

LEAST_WEIGHT_PRESENT = 0.5
"""An area with less than this part of the index's weight present gets no score."""


@dataclass(frozen=True)
class CompositeScores:
    """What :func:`composite` returns; every array has one element an area.

    Attributes
    ----------
    scores : ndarray of float
        0 to 100, higher is worse; NaN where too little is known.
    ranks : ndarray of float
        1 is the worst area; ties share the mean of their ranks; NaN where there is no score.
    component_scores : dict of str to ndarray of float
        The score of each component alone, on the same scale.
    weight_present : ndarray of float
        Part of the weight, 0 to 1, whose inputs are known.
    """

    scores: Floats
    ranks: Floats
    component_scores: dict[str, Floats]
    weight_present: Floats


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


def rank_exponential(rank: npt.ArrayLike, n: int) -> Floats:
    """Return the exponential transformation of ranks: 0 to 100, steep at the worse end.

    ``-23 ln(1 - R(1 - exp(-100/23)))`` with ``R = rank / n``; Indices of Deprivation.

    Parameters
    ----------
    rank : array_like of float
        1 is the **least** deprived area and ``n`` the most deprived, so that R lies in (0, 1].
        NaN where missing.
    n : int
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
    ranks = np.asarray(rank, dtype=np.float64)
    if np.any((ranks < 1) | (ranks > n)):
        raise ConfigurationError(f"A rank lies outside 1 to {n}", "Rank the areas from 1")
    share = ranks / n
    return -EXPONENTIAL_SCALE * np.log(1 - share * (1 - np.exp(-100 / EXPONENTIAL_SCALE)))


def composite(
    values: Mapping[str, npt.ArrayLike], components: Sequence[Component]
) -> CompositeScores:
    """Combine inputs to an index.

    Each input is ranked with its worse end high and transformed exponentially; a component's score
    is the weighted mean of its inputs, the index the weighted mean of its components, a component
    weighing as much as its inputs together. Weights of inputs an area lacks are spread over those
    it has, in proportion.

    Parameters
    ----------
    values : mapping of str to array_like of float
        The input of each indicator, one element an area in the same order; NaN where missing.
    components : sequence of Component
        Inputs with component, weight and worse end.

    Returns
    -------
    CompositeScores

    Raises
    ------
    ConfigurationError
        If an input is absent, none is declared, or the arrays differ in length.
    """
    names = [c.indicator for c in components]
    absent = sorted(set(names) - set(values))
    if absent or not components:
        raise ConfigurationError(
            f"The index lacks its inputs {', '.join(absent) or '(none declared)'}",
            "Give an array for every component",
        )
    inputs = {name: np.asarray(values[name], dtype=np.float64) for name in names}
    if len({a.shape for a in inputs.values()}) > 1:
        raise ConfigurationError(
            "The inputs of the index differ in length", "Give every input for the same areas"
        )
    transformed = np.stack([_transformed(inputs[c.indicator], c.worse) for c in components])
    weights = np.array([c.weight for c in components], dtype=np.float64)
    scores, present = _weighted(transformed, weights)
    scores = np.where(present < LEAST_WEIGHT_PRESENT, np.nan, scores)
    component_scores = {}
    for name in dict.fromkeys(c.component for c in components):
        mine = np.array([c.component == name for c in components])
        component_scores[name] = _weighted(transformed[mine], weights[mine])[0]
    return CompositeScores(scores, average_ranks(-scores), component_scores, present)


def _transformed(values: Floats, worse: str) -> Floats:
    ranks = average_ranks(values if worse == "high" else -values)
    return rank_exponential(ranks, int(np.sum(~np.isnan(ranks))))


def _weighted(scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the mean over known rows of ``scores`` and the part of the weight that is known."""
    known = np.where(np.isnan(scores), 0.0, weights[:, None])
    total = known.sum(axis=0)
    sums = (known * np.nan_to_num(scores)).sum(axis=0)
    mean = np.divide(sums, total, out=np.full(total.shape, np.nan), where=total > 0)
    # Without rounding, a part of exactly one half could come out a hair below it.
    return mean, np.round(total / weights.sum(), 12)
