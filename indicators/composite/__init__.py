"""Composite indices: from several inputs per area to one score, with how far it can be relied on.

Belongs here: ranks and other normalisations, weights, aggregation, missing inputs, the reference
methods, draws and sensitivity. Pure functions of arrays, one element an area.
Does not belong here: which figures are the inputs and from which period (``derived/indices.py``).
"""

from indicators.composite.ranks import EXPONENTIAL_SCALE, average_ranks, rank_exponential
from indicators.composite.recipe import Part, Recipe, recipe_of
from indicators.composite.scoring import CompositeScores, compose

__all__ = [
    "EXPONENTIAL_SCALE",
    "CompositeScores",
    "Part",
    "Recipe",
    "average_ranks",
    "compose",
    "rank_exponential",
    "recipe_of",
]
