"""What becomes of an index when a part is left out or weighs more.

Belongs here: one change at a time, against the index as declared. Does not belong here: many
changes at once (``draws.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

from indicators.composite.ranks import average_ranks
from indicators.composite.recipe import Recipe
from indicators.composite.scoring import compose
from indicators.composite.summaries import worst_places
from indicators.intervals import Floats

Kind = Literal["input", "weight", "leave_one_out"]


@dataclass(frozen=True)
class Sensitivity:
    """What one change does.

    Attributes
    ----------
    kind : {'input', 'weight', 'leave_one_out'}
        An input left out, its weight doubled, or a whole component left out.
    name : str
        The input or component.
    mean_rank_change : float
        Mean number of places an area moves; NaN with fewer than two areas that have a score both
        ways.
    worst_fifth_changed : float
        Part, 0 to 1, of the worst fifth that is no longer in it.
    kendall_tau : float
        Kendall's tau-b of the scores before and after: 1 for the same order, 0 for no agreement.
    areas : int
        How many areas have a score both ways; they alone are compared.
    """

    kind: Kind
    name: str
    mean_rank_change: float
    worst_fifth_changed: float
    kendall_tau: float
    areas: int


def sensitivity(
    recipe: Recipe, values: Mapping[str, npt.ArrayLike], groups: npt.ArrayLike | None = None
) -> list[Sensitivity]:
    """Return what each change does, inputs first, then weights, then components.

    Parameters
    ----------
    recipe : Recipe
    values : mapping of str to array_like of float
        As for :func:`indicators.composite.compose`.
    groups : array_like of int, optional

    Returns
    -------
    list of Sensitivity
        An only input or an only component is not left out.
    """
    whole = compose(recipe, values, groups).scores
    return [
        _compared(kind, name, whole, compose(changed, values, groups).scores)
        for kind, name, changed in _changes(recipe)
    ]


def _changes(recipe: Recipe) -> Iterator[tuple[Kind, str, Recipe]]:
    several = len(recipe.inputs) > 1
    for name in recipe.names if several else ():
        yield "input", name, recipe.without_input(name)
    for name in recipe.names if several else ():
        yield "weight", name, recipe.with_weight_doubled(name)
    for name in recipe.component_names if len(recipe.components) > 1 else ():
        yield "leave_one_out", name, recipe.without_component(name)


def _compared(kind: Kind, name: str, before: Floats, after: Floats) -> Sensitivity:
    both = ~np.isnan(before) & ~np.isnan(after)
    areas = int(np.count_nonzero(both))
    if areas <= 1:
        return Sensitivity(kind, name, np.nan, np.nan, np.nan, areas)
    first, second = average_ranks(-before[both]), average_ranks(-after[both])
    limit = worst_places(areas)
    worst = first <= limit
    changed = float(np.mean(second[worst] > limit)) if worst.any() else np.nan
    tau = float(kendalltau(first, second).statistic)
    return Sensitivity(kind, name, float(np.mean(np.abs(second - first))), changed, tau, areas)
