"""From an input's own unit to a score that can be added to others.

Belongs here: the three normalisations, over the whole region or within each district. Does not
belong here: weights (``scoring.py``).

All three put the worst area high and keep within 0 and ``scale``:

``rank_exponential``
    Ranks, transformed so that a very bad rank is not cancelled by a good one; the worst area has
    ``scale``. Ties share the mean of their ranks.
``min_max``
    ``scale (x - min) / (max - min)``.
``z_score``
    ``scale (1/2 + z/6)`` with z the standard score, cut at 3 standard deviations either way: so
    that it lies on the same scale as the others and one outlier cannot outweigh all else.

An input that is the same everywhere tells no area from another: ``min_max`` and ``z_score`` then
give half the scale, ranks the mean rank, to every area alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from declarations.indices import Normalisation
from indicators.composite.ranks import average_ranks, rank_exponential
from indicators.intervals import Floats

CUT = 3.0
"""Standard scores beyond this count as this."""

NORMALISATIONS: tuple[Normalisation, ...] = ("rank_exponential", "min_max", "z_score")


def normalise(
    values: Floats,
    normalisation: Normalisation,
    scale: float,
    groups: npt.NDArray[np.int64] | None = None,
) -> Floats:
    """Return the score of one input for each area.

    Parameters
    ----------
    values : ndarray of float
        Higher is worse; NaN where missing.
    normalisation : {'rank_exponential', 'min_max', 'z_score'}
    scale : float
        Score of the worst area.
    groups : ndarray of int, optional
        Number of each area's district: areas are compared within it only.

    Returns
    -------
    ndarray of float
        0 to ``scale``, NaN where missing. Independent of the order of the areas, to the last bit.
    """
    if groups is None:
        return _one(values, normalisation, scale)
    scores = np.full(values.shape, np.nan)
    for group in np.unique(groups):
        mine = groups == group
        scores[mine] = _one(values[mine], normalisation, scale)
    return scores


def _one(values: Floats, normalisation: Normalisation, scale: float) -> Floats:
    # Sorted, so that sums do not depend on the order of the areas.
    known = np.sort(values[~np.isnan(values)])
    if known.size == 0:
        return np.full(values.shape, np.nan)
    if normalisation == "rank_exponential":
        return scale / 100 * rank_exponential(average_ranks(values), known.size)
    if known[0] == known[-1]:
        return np.where(np.isnan(values), np.nan, scale / 2)
    if normalisation == "min_max":
        return scale * (values - known[0]) / (known[-1] - known[0])
    standard = (values - known.mean()) / known.std()
    return scale * (0.5 + np.clip(standard, -CUT, CUT) / (2 * CUT))
