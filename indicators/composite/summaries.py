"""What many draws of an index have in common: ranks, intervals, probabilities and classes.

Belongs here: the ranks of each draw, and the figures of each area over all draws. Does not belong
here: making the draws (``draws.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indicators.composite.prepared import PLACE_BITS, PLACES, Singles, sortable
from indicators.intervals import Floats

SCORE_TAILS = (0.025, 0.975)
RANK_TAILS = (0.05, 0.95)
WORST_PART = 5
"""A worst fifth."""

LEAST_RANKED = 5
"""With fewer areas none of them is a fifth, and nothing is said of it."""

CLEARLY, CLEARLY_NOT = 0.9, 0.1
IN_WORST_FIFTH, MAY_BE, NOT_IN_WORST_FIFTH = (
    "clearly worst fifth", "may be in the worst fifth", "clearly not in the worst fifth",
)  # fmt: skip


@dataclass(frozen=True)
class Simulated:
    """What the draws say; every array has one element an area, NaN where it has no score.

    Attributes
    ----------
    score_low, score_high : ndarray of float
        95 % of the draws under the declared normalisation lie between.
    rank_low, rank_high : ndarray of float
        90 % of all draws; 1 is the worst.
    p_worst_fifth : ndarray of float
        Part of the draws that put the area among the worst fifth. Areas that are alike in a draw
        share the places that are left among themselves. NaN with fewer than ``LEAST_RANKED`` areas.
    """

    score_low: Floats
    score_high: Floats
    rank_low: Floats
    rank_high: Floats
    p_worst_fifth: Floats

    @property
    def classes(self) -> list[str | None]:
        """The class of each area in words; None without a score."""
        return [class_of(p) for p in self.p_worst_fifth.tolist()]


def class_of(probability: float) -> str | None:
    """Return what a probability of being in the worst fifth allows to be said, in words."""
    if np.isnan(probability):
        return None
    if probability >= CLEARLY:
        return IN_WORST_FIFTH
    return NOT_IN_WORST_FIFTH if probability <= CLEARLY_NOT else MAY_BE


def ranks_of(scores: Singles, *, ties: bool = True) -> npt.NDArray[np.int32]:
    """Return the rank of each area in each draw, 1 for the highest.

    Parameters
    ----------
    scores : ndarray of float32, one row a draw, one column an area
    ties : bool
        Whether areas may be alike in all that is drawn. They then share the mean of their ranks, a
        half taken down. Otherwise scores that are equal by chance are ranked as they come.
    """
    size, areas = scores.shape
    # Taken from 0, as a negated 0 would differ from a plain one.
    keys = sortable(0 - scores)
    keys += np.arange(areas)
    keys.sort(axis=1)
    value = keys >> PLACE_BITS if ties else None
    keys &= PLACES
    keys += np.arange(0, size * areas, max(areas, 1))[:, None]
    ranks = np.empty(size * areas, dtype=np.int32)
    ranks[keys] = np.arange(1, areas + 1, dtype=np.int32)
    if value is not None:
        _share(ranks, keys, value)
    return ranks.reshape(size, areas)


def _share(
    ranks: npt.NDArray[np.int32], places: npt.NDArray[np.int64], value: npt.NDArray[np.int64]
) -> None:
    """Give areas of one value the mean of their ranks."""
    same = value[:, 1:] == value[:, :-1]
    for row in np.flatnonzero(same.any(axis=1)):
        tied = np.flatnonzero(same[row])
        first = tied[np.insert(np.diff(tied) > 1, 0, True)]
        last = tied[np.append(np.diff(tied) > 1, True)] + 1
        lengths = last - first + 1
        inside = np.repeat(first, lengths) + _counted(lengths)
        ranks[places[row, inside]] = np.repeat((first + last + 2) // 2, lengths)


def _counted(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return 0, 1, … for each length, one after the other."""
    counted: npt.NDArray[np.int64] = np.arange(lengths.sum()) - np.repeat(
        np.cumsum(lengths) - lengths, lengths
    )
    return counted


def worst_places(areas: int) -> int:
    """Return how many of some areas are the worst fifth, one at least."""
    return -(-areas // WORST_PART)


@dataclass(frozen=True)
class Edges:
    """The last rank that is in the worst fifth, of each draw.

    Attributes
    ----------
    rank : ndarray of int, one a draw
        Areas with a smaller rank are in it, with a larger one are not.
    part : ndarray of float, one a draw
        Places left for the areas of that rank, for each of them: 1 unless several are alike.
    """

    rank: npt.NDArray[np.int32]
    part: Singles


def edges_of(ranks: npt.NDArray[np.int32], *, ties: bool) -> Edges:
    """Return where the worst fifth ends in each draw.

    Parameters
    ----------
    ranks : ndarray of int, one row a draw, one column an area
    ties : bool
        Whether areas may share a rank.
    """
    draws, areas = ranks.shape
    places = worst_places(areas)
    if not ties or not areas:
        return Edges(np.full(draws, places, np.int32), np.ones(draws, np.float32))
    rank = np.partition(ranks, places - 1, axis=1)[:, places - 1]
    before = np.count_nonzero(ranks < rank[:, None], axis=1)
    alike = np.count_nonzero(ranks == rank[:, None], axis=1)
    return Edges(rank, ((places - before) / alike).astype(np.float32))


def summary_of(
    all_scores: Singles, all_ranks: npt.NDArray[np.integer], edges: Edges, areas: int
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return the five figures of some areas.

    Parameters
    ----------
    all_scores, all_ranks : ndarray, one row a draw, one column an area
    edges : Edges
        Of all areas.
    areas : int
        How many areas are ranked in all.

    Returns
    -------
    tuple of ndarray of float
        In the order of :class:`Simulated`.
    """
    scores = np.sort(all_scores.T, axis=1)
    ranks = np.ascontiguousarray(all_ranks.T)
    inside = np.count_nonzero(ranks < edges.rank, axis=1)
    worst = (inside + (ranks == edges.rank) @ edges.part.astype(np.float64)) / ranks.shape[1]
    if areas < LEAST_RANKED:
        worst = np.full(worst.shape, np.nan)
    ranks.sort(axis=1)
    return (*_tails(scores, SCORE_TAILS), *_tails(ranks, RANK_TAILS), worst)


def _tails(ordered: np.ndarray, tails: tuple[float, float]) -> tuple[Floats, Floats]:
    last = ordered.shape[1] - 1
    low, high = int(np.floor(tails[0] * last)), int(np.ceil(tails[1] * last))
    return ordered[:, low].astype(np.float64), ordered[:, high].astype(np.float64)
