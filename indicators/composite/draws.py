"""How far scores and ranks can be relied on: many draws of the whole index.

Belongs here: drawing inputs, weights and normalisations together, and what the draws say of each
area. Does not belong here: the posteriors themselves (``posteriors.py``), leaving inputs out
(``sensitivity.py``).

Draws are made in blocks of one normalisation each. Every block has its own stream of random
numbers, and areas are taken in order of their code: so the result has the same bytes whatever the
number of threads and the order of the rows. Memory grows with 2 bytes (4 beyond 65,000 areas) for
each area and draw, 4 more for the draws under the declared normalisation, and nothing else.

Random numbers are 16 bits each, looked up in a table of normal quantiles; ranks come from one sort
of whole numbers that hold value and place together. Both are far finer than what the draws vary.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from declarations.errors import ConfigurationError
from declarations.indices import Uncertainty
from indicators.composite.normalising import NORMALISATIONS
from indicators.composite.prepared import Fixed, PreparedInput, Singles, prepare
from indicators.composite.recipe import Recipe
from indicators.composite.scoring import GEOMETRIC_FLOOR, CompositeScores, spread_weights
from indicators.composite.summaries import Edges, Simulated, edges_of, ranks_of, summary_of
from indicators.intervals import Floats

NUMBERS_A_BLOCK = 1 << 17
DRAWS_A_BLOCK = 100
AREAS_A_PART = 2048

_ALL_BITS = (1 << 64) - 1
_QUANTILES: Singles = ndtri((np.arange(1 << 16) + 0.5) / (1 << 16)).astype(np.float32)


@dataclass(frozen=True)
class DrawInput:
    """One input as it is drawn.

    Attributes
    ----------
    values : ndarray of float, one an area
        What the score is made of; NaN where missing.
    curve : ndarray of float, shape (4, units), optional
        Posterior of each unit (``posteriors.py``); None for what is taken as it stands.
    unit : ndarray of int, one an area, optional
        Place of its unit in ``curve``, -1 where missing. Several areas may share a unit, as the
        neighbourhoods of an MSOA share its figure: they are drawn together.
    """

    values: Floats
    curve: Floats | None = None
    unit: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True)
class _Block:
    number: int
    normalisation: int
    first: int
    last: int


class _Plan:
    """All that the blocks share and none of them changes, and the arrays they fill."""

    def __init__(
        self,
        recipe: Recipe,
        inputs: list[PreparedInput | Fixed],
        present: npt.NDArray[np.bool_],
        scored: npt.NDArray[np.int64],
        uncertainty: Uncertainty,
        *,
        ties: bool,
    ) -> None:
        self.recipe, self.inputs, self.scored, self.ties = recipe, inputs, scored, ties
        self.seed = uncertainty.seed
        self.areas = present.shape[1]
        patterns, which = np.unique(present.T, axis=0, return_inverse=True)
        which = which.reshape(-1)
        # Most areas lack the same inputs, mostly none: they share their weights.
        self.patterns, self.base = patterns, int(np.bincount(which).argmax())
        self.rest = np.flatnonzero(which != self.base)
        self.rest_which = which[self.rest]
        declared = NORMALISATIONS.index(recipe.normalisation)
        others = [i for i in range(len(NORMALISATIONS)) if i != declared]
        kinds = [declared, *(others if uncertainty.vary_normalisation else ())]
        self.declared = declared
        # Each normalisation has its equal part of the draws, the declared one first.
        bounds = np.ceil(np.linspace(0, uncertainty.draws, len(kinds) + 1)).astype(int)
        size = int(np.clip(NUMBERS_A_BLOCK // max(self.areas, 1), 1, DRAWS_A_BLOCK))
        spans = [
            (kind, first, min(first + size, bounds[k + 1]))
            for k, kind in enumerate(kinds)
            for first in range(bounds[k], bounds[k + 1], size)
        ]
        self.blocks = [_Block(number, *span) for number, span in enumerate(spans)]
        self.inner, self.outer = _drawn_weights(recipe, uncertainty)
        small = scored.size <= np.iinfo(np.uint16).max
        self.ranks = np.empty(
            (uncertainty.draws, scored.size), dtype=np.uint16 if small else np.int32
        )
        self.edge_rank = np.empty(uncertainty.draws, dtype=np.int32)
        self.edge_part = np.empty(uncertainty.draws, dtype=np.float32)
        self.scores = np.empty((bounds[1], scored.size), dtype=np.float32)


def simulate(
    recipe: Recipe,
    inputs: Mapping[str, DrawInput],
    uncertainty: Uncertainty,
    codes: npt.ArrayLike,
    point: CompositeScores,
    *,
    groups: npt.ArrayLike | None = None,
    threads: int = 1,
) -> Simulated:
    """Draw an index again and again, and say what the draws have in common.

    In each draw every input is drawn from its posterior; the weights of the components, and of the
    inputs within each, from Dirichlet distributions around the declared ones; and, if so declared,
    the normalisation is one of the three, each in a third of the draws.

    Parameters
    ----------
    recipe : Recipe
    inputs : mapping of str to DrawInput
        By the recipe's names.
    uncertainty : Uncertainty
    codes : array_like of str
        Codes of the areas, each once.
    point : CompositeScores
        The index itself. Its areas without a score have none in any draw; an interval is widened
        to the area's own score or rank where all draws lie to one side of it, as they may for the
        most extreme areas.
    groups : array_like of int, optional
        Number of each area's district.
    threads : int
        How many to use; the result does not depend on it.

    Returns
    -------
    Simulated

    Raises
    ------
    ConfigurationError
        If the index is made of given ranks, or an area stands twice.
    """
    if recipe.normalisation == "given_ranks":
        raise ConfigurationError(
            "An index made of given ranks cannot be drawn", "Give the inputs behind the ranks"
        )
    labels = np.asarray(codes)
    districts = np.zeros(labels.size, np.int64) if groups is None else np.asarray(groups)
    order = np.argsort(labels, kind="stable")
    if labels.size and np.any(labels[order][1:] == labels[order][:-1]):
        raise ConfigurationError("An area stands twice in the index", "Give each area once")
    sorted_districts = districts[order]
    inside = sorted_districts if recipe.within_district else None
    ordered = [_ordered(inputs[p.name], order) for p in recipe.inputs]
    prepared = [
        prepare(
            d.values,
            recipe.scale,
            inside,
            curve=d.curve,
            unit=d.unit,
            worse_is_low=p.worse == "low",
        )
        for d, p in zip(ordered, recipe.inputs, strict=True)
    ]
    present = np.stack([~np.isnan(d.values) for d in ordered])
    scored = np.flatnonzero(~np.isnan(point.scores[order]))
    empty = [np.full(labels.size, np.nan) for _ in range(5)]
    if scored.size == 0:
        return Simulated(*empty)
    ties = not _drawn_alone(ordered)[scored].all()
    plan = _Plan(recipe, prepared, present, scored, uncertainty, ties=ties)
    parts = [slice(i, i + AREAS_A_PART) for i in range(0, scored.size, AREAS_A_PART)]
    with ThreadPoolExecutor(max_workers=max(threads, 1)) as pool:
        for _ in pool.map(lambda block: _run(plan, block), plan.blocks):
            pass
        edges = Edges(plan.edge_rank, plan.edge_part)
        found = list(
            pool.map(
                lambda part: summary_of(
                    plan.scores[:, part], plan.ranks[:, part], edges, scored.size
                ),
                parts,
            )
        )
    places = order[scored]
    for target, column in zip(empty, zip(*found, strict=True), strict=True):
        target[places] = np.concatenate(column)
    low, high, best, worst, probability = empty
    return Simulated(
        np.fmin(low, point.scores), np.fmax(high, point.scores),
        np.where(np.isnan(best), np.nan, np.fmin(best, np.floor(point.ranks))),
        np.where(np.isnan(worst), np.nan, np.fmax(worst, np.ceil(point.ranks))), probability,
    )  # fmt: skip


def _ordered(drawn: DrawInput, order: npt.NDArray[np.int64]) -> DrawInput:
    """Put the areas of an input in order, and number its units by their first area."""
    values = drawn.values[order]
    if drawn.curve is None or drawn.unit is None:
        return DrawInput(values)
    unit = drawn.unit[order]
    known = unit >= 0
    used, first, again = np.unique(unit[known], return_index=True, return_inverse=True)
    by_first = np.argsort(first, kind="stable")
    place = np.empty(used.size, dtype=np.int64)
    place[by_first] = np.arange(used.size)
    unit[known] = place[again.reshape(-1)]
    return DrawInput(values, drawn.curve[:, used[by_first]], unit)


def _drawn_alone(inputs: list[DrawInput]) -> npt.NDArray[np.bool_]:
    """Return which areas have a unit of their own: no other has their score but by chance."""
    alone = np.zeros(inputs[0].values.size, dtype=bool)
    for drawn in inputs:
        if drawn.unit is not None:
            known = drawn.unit >= 0
            alone[known] |= np.bincount(drawn.unit[known])[drawn.unit[known]] == 1
    return alone


def _drawn_weights(recipe: Recipe, uncertainty: Uncertainty) -> tuple[Floats, Floats]:
    """Return the weights of inputs and components in every draw."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([uncertainty.seed])))
    k, of = uncertainty.weight_concentration, recipe.component_of
    outer = rng.dirichlet(k * recipe.component_weights, uncertainty.draws)
    inner = np.empty((uncertainty.draws, len(recipe.inputs)))
    for number in range(len(recipe.components)):
        mine = np.flatnonzero(of == number)
        inner[:, mine] = rng.dirichlet(k * recipe.input_weights[mine], uncertainty.draws)
    return inner, outer


def _run(plan: _Plan, block: _Block) -> None:
    """Make the draws of one block and note their scores and ranks."""
    recipe, rows = plan.recipe, slice(block.first, block.last)
    size = block.last - block.first
    stream = np.random.Generator(np.random.SFC64(np.random.SeedSequence([plan.seed, block.number])))
    of = recipe.component_of
    inner, outer, _ = spread_weights(
        plan.patterns, of, plan.inner[rows][:, None, :], plan.outer[rows][:, None, :]
    )
    sums = _Sums(plan, size)
    geometric = recipe.aggregation == "geometric"
    for number in range(len(recipe.components)):
        component = _Sums(plan, size) if geometric else sums
        for i in np.flatnonzero(of == number):
            weight = inner[:, :, i] if geometric else inner[:, :, i] * outer[:, :, number]
            component.add(
                weight,
                plan.inputs[i].drawn(block.normalisation, size, lambda n: _normals(stream, n)),
            )
        if geometric:
            floor = np.float32(GEOMETRIC_FLOOR * recipe.scale)
            sums.add(outer[:, :, number], np.log(np.maximum(component.total(), floor)))
    total = np.exp(sums.total()) if geometric else sums.total()
    scores = total if plan.scored.size == plan.areas else total.take(plan.scored, axis=1)
    scores *= np.float32(recipe.factor)
    ranks = ranks_of(scores, ties=plan.ties)
    edges = edges_of(ranks, ties=plan.ties)
    plan.ranks[rows], plan.edge_rank[rows], plan.edge_part[rows] = ranks, edges.rank, edges.part
    if block.normalisation == plan.declared:
        plan.scores[rows] = scores


class _Sums:
    """Weighted sums by draw and area, with the weights of each area's pattern."""

    def __init__(self, plan: _Plan, size: int) -> None:
        self.plan = plan
        self.all = np.zeros((size, plan.areas), dtype=np.float32)
        self.rest = np.zeros((size, plan.rest.size), dtype=np.float32)

    def add(self, weight: Floats, score: Singles) -> None:
        """Add a score, weighted by draw and pattern."""
        single = weight.astype(np.float32)
        self.all += single[:, self.plan.base, None] * score
        if self.plan.rest.size:
            self.rest += single.take(self.plan.rest_which, axis=1) * score.take(
                self.plan.rest, axis=1
            )

    def total(self) -> Singles:
        """Return the sums of every area."""
        self.all[:, self.plan.rest] = self.rest
        return self.all


def _normals(stream: np.random.Generator, shape: tuple[int, int]) -> Singles:
    count = shape[0] * shape[1]
    # Unlike the bit generator's own method, this lets the other threads go on.
    raw = stream.integers(0, _ALL_BITS, -(-count // 4), np.uint64, endpoint=True)
    raw = raw.astype("<u8", copy=False).view("<u2")[:count]
    return _QUANTILES.take(raw, mode="wrap").reshape(shape)
