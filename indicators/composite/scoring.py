"""Scores of an index and of its components, from its inputs.

Belongs here: weights, aggregation, and what missing inputs do. Does not belong here: normalisation
(``normalising.py``), uncertainty (``draws.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from declarations.errors import ConfigurationError
from indicators.composite.normalising import normalise
from indicators.composite.ranks import average_ranks, rank_exponential
from indicators.composite.recipe import Recipe
from indicators.intervals import Floats

GEOMETRIC_FLOOR = 0.01
"""Part of the scale that a component counts as at least under geometric aggregation: a component
at 0 would otherwise make the whole score 0, however bad all the others are."""


@dataclass(frozen=True)
class CompositeScores:
    """What :func:`compose` returns; every array has one element an area.

    Attributes
    ----------
    scores : ndarray of float
        0 to the scale of the index, higher is worse; NaN where too little is known.
    ranks : ndarray of float
        1 is the worst area; ties share the mean of their ranks; NaN where there is no score.
    component_scores : dict of str to ndarray of float
        The score of each component alone, on the same scale; NaN where it has no input.
    weight_present : ndarray of float
        Part of the weight, 0 to 1, whose inputs are known.
    """

    scores: Floats
    ranks: Floats
    component_scores: dict[str, Floats]
    weight_present: Floats


def compose(
    recipe: Recipe, values: Mapping[str, npt.ArrayLike], groups: npt.ArrayLike | None = None
) -> CompositeScores:
    """Combine inputs to an index.

    Each input is normalised with its worse end high. A component's score is the weighted mean of
    those of its inputs an area has. The index is the weighted mean of the components the area has,
    arithmetic or geometric: so it can be recomputed from the component scores. The weight of what
    an area lacks goes to the rest, in proportion, first within the component.

    Parameters
    ----------
    recipe : Recipe
    values : mapping of str to array_like of float
        The input of each name, one element an area in the same order; NaN where missing.
    groups : array_like of int, optional
        Number of each area's district; needed where the recipe compares within districts.

    Returns
    -------
    CompositeScores

    Raises
    ------
    ConfigurationError
        If an input is absent, the arrays differ in length, or districts are needed and not given.
    """
    normalised = normalised_inputs(recipe, values, groups)
    present = np.stack([~np.isnan(row) for row in normalised])
    return _weighted(recipe, np.nan_to_num(normalised), present)


def normalised_inputs(
    recipe: Recipe, values: Mapping[str, npt.ArrayLike], groups: npt.ArrayLike | None = None
) -> Floats:
    """Return the score of each input, worst high: one row an input, one column an area.

    Raises
    ------
    ConfigurationError
        As :func:`compose`.
    """
    absent = sorted(set(recipe.names) - set(values))
    if absent:
        raise ConfigurationError(
            f"The index lacks its inputs {', '.join(absent)}", "Give an array for every input"
        )
    arrays = [np.asarray(values[p.name], dtype=np.float64) for p in recipe.inputs]
    if len({a.shape for a in arrays}) > 1:
        raise ConfigurationError(
            "The inputs of the index differ in length", "Give every input for the same areas"
        )
    inside = None if groups is None else np.asarray(groups)
    if recipe.within_district and (inside is None or inside.shape != arrays[0].shape):
        raise ConfigurationError(
            "The index compares areas within their district, and not every area has one",
            "Give the district of each area",
        )
    rows = []
    for part, array in zip(recipe.inputs, arrays, strict=True):
        oriented = array if part.worse == "high" else -array
        if recipe.normalisation == "given_ranks":
            rows.append(_from_ranks(array, recipe.scale))
        else:
            rows.append(
                normalise(
                    oriented,
                    recipe.normalisation,
                    recipe.scale,
                    inside if recipe.within_district else None,
                )
            )
    return np.stack(rows)


def _from_ranks(ranks: Floats, scale: float) -> Floats:
    """Transform ranks that have 1 for the worst area, as they stand."""
    areas = int(np.count_nonzero(~np.isnan(ranks)))
    return scale / 100 * rank_exponential(areas + 1 - ranks, areas)


def spread_weights(
    patterns: np.ndarray, component_of: np.ndarray, inputs: Floats, components: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return how much counts for areas that lack the same inputs.

    Parameters
    ----------
    patterns : ndarray of bool, shape (patterns, inputs)
        Which inputs are present.
    component_of : ndarray of int, shape (inputs,)
        Place of each input's component.
    inputs : ndarray of float, shape (..., 1, inputs) or (inputs,)
        Weights of the inputs, of which those of one component add up to 1.
    components : ndarray of float, shape (..., 1, components) or (components,)
        Weights of the components, adding up to 1.

    Returns
    -------
    inner : ndarray of float, shape (..., patterns, inputs)
        Weight of an input within its component, 0 where it is missing.
    outer : ndarray of float, shape (..., patterns, components)
        Weight of a component within the index, 0 where it has no input.
    present : ndarray of float, shape (..., patterns)
        Part of the whole weight that is there.
    """
    membership = component_of[:, None] == np.arange(components.shape[-1])
    kept = patterns * inputs
    inside = kept @ membership.astype(np.float64)
    inner = np.divide(kept, inside[..., component_of], out=np.zeros_like(kept), where=kept > 0)
    left = (inside > 0) * components
    whole = np.broadcast_to(left.sum(axis=-1, keepdims=True), left.shape)
    outer = np.divide(left, whole, out=np.zeros_like(left), where=left > 0)
    # Without rounding, a part of exactly one half could come out a hair below it.
    return inner, outer, np.round((inside * components).sum(axis=-1), 12)


def _weighted(recipe: Recipe, normalised: Floats, present: np.ndarray) -> CompositeScores:
    patterns, which = np.unique(present.T, axis=0, return_inverse=True)
    which = which.reshape(-1)
    of = recipe.component_of
    inner, outer, part = spread_weights(
        patterns, of, recipe.input_weights, recipe.component_weights
    )
    scores = np.zeros(normalised.shape[1])
    components: dict[str, Floats] = {}
    for number, name in enumerate(recipe.components):
        score = np.zeros(normalised.shape[1])
        for i in np.flatnonzero(of == number):
            score += inner[which, i] * normalised[i]
        weight = outer[which, number]
        components[name] = np.where(weight > 0, score, np.nan)
        if recipe.aggregation == "geometric":
            scores += weight * np.log(np.maximum(score, GEOMETRIC_FLOOR * recipe.scale))
        else:
            scores += weight * score
    if recipe.aggregation == "geometric":
        scores = np.exp(scores)
    scores = np.where(part[which] < recipe.least_weight, np.nan, recipe.factor * scores)
    return CompositeScores(scores, average_ranks(-scores), components, part[which])
