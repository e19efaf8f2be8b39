"""Contiguous groups of cells of about one size.

Belongs here: cutting a map of touching cells into districts, MSOAs and wards. Does not belong
here: what the groups are called, which is ``areas``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Neighbours = Sequence[set[int]]

HANDICAP_ROUNDS = 60
HANDICAP_STEP = 0.05
# Directions of a cut, in half turns from the longer side.
TURNS = (0, 1, 0.15, 1.15, -0.15, 0.85, 0.5, 1.5)


def connected(members: Iterable[int], neighbours: Neighbours) -> bool:
    """Whether the cells hang together through shared edges."""
    left = set(members)
    if not left:
        return True
    front = [left.pop()]
    while front:
        reached = neighbours[front.pop()] & left
        left -= reached
        front.extend(reached)
    return not left


def balanced_groups(
    centres: Floats, seeds: Floats, neighbours: Neighbours, smallest: int
) -> NDArray[np.int64]:
    """Give each cell to the nearest seed, handicapping seeds until no group is tiny.

    Parameters
    ----------
    centres : (n, 2) array
    seeds : (g, 2) array
    neighbours : sequence of set of int
    smallest : int
        Fewest cells a group should have; at least 0.7 of the mean is aimed at too.

    Returns
    -------
    (n,) array of int
        The seed's index; every group hangs together where the map does.
    """
    distance = ((centres[:, None, :] - seeds[None, :, :]) ** 2).sum(axis=2)
    mean = len(centres) / len(seeds)
    floor = max(smallest, 0.7 * mean)
    handicap = np.zeros(len(seeds))
    group = _joined_up(distance.argmin(axis=1), neighbours)
    for _ in range(HANDICAP_ROUNDS):
        size = np.bincount(group, minlength=len(seeds))
        if size.min() >= floor:
            break
        handicap += HANDICAP_STEP * distance.mean() * (size - mean) / mean
        group = _joined_up((distance + handicap).argmin(axis=1), neighbours)
    return group


def _joined_up(group: NDArray[np.int64], neighbours: Neighbours) -> NDArray[np.int64]:
    """Hand cut-off cells to the group around them."""
    for seed in np.unique(group).tolist():
        pieces = _pieces(set(np.flatnonzero(group == seed).tolist()), neighbours)
        for piece in pieces[1:]:
            around = [
                int(group[other])
                for cell in sorted(piece)
                for other in sorted(neighbours[cell])
                if group[other] != seed
            ]
            if around:
                group[list(piece)] = max(sorted(set(around)), key=around.count)
    return group


def _pieces(members: set[int], neighbours: Neighbours) -> list[set[int]]:
    pieces = []
    left = set(members)
    while left:
        piece = {min(left)}
        front = list(piece)
        while front:
            reached = (neighbours[front.pop()] & left) - piece
            piece |= reached
            front.extend(reached)
        left -= piece
        pieces.append(piece)
    return sorted(pieces, key=lambda piece: (-len(piece), min(piece)))


def contiguous_groups(
    members: Sequence[int], centres: Floats, neighbours: Neighbours, smallest: int, largest: int
) -> list[list[int]]:
    """Cut a connected set of cells into connected groups by halving it along its longer side.

    Parameters
    ----------
    members : sequence of int
    centres : (n, 2) array
    neighbours : sequence of set of int
    smallest, largest : int
        Sizes aimed at. A group is larger only where no cut into connected parts of these sizes
        exists.

    Returns
    -------
    list of list of int
        Groups that together hold each member once.
    """
    cells = sorted(members)
    if len(cells) <= largest:
        return [cells]
    cut = _best_cut(cells, centres, neighbours, smallest, largest)
    if cut is None:
        return [cells]
    parts = (sorted(cut), sorted(set(cells) - cut))
    return [
        group
        for part in parts
        for group in contiguous_groups(part, centres, neighbours, smallest, largest)
    ]


def _reachable(size: int, smallest: int, largest: int) -> bool:
    """Whether a sum of whole numbers from smallest to largest makes the size."""
    return any(
        parts * smallest <= size <= parts * largest for parts in range(1, size // smallest + 1)
    )


def _best_cut(
    cells: list[int], centres: Floats, neighbours: Neighbours, smallest: int, largest: int
) -> set[int] | None:
    points = centres[cells] - centres[cells].mean(axis=0)
    _, axes = np.linalg.eigh(points.T @ points)
    everything = set(cells)
    best: tuple[float, set[int]] | None = None
    for turn, half_turns in enumerate(TURNS):
        angle = np.pi * half_turns
        axis = np.cos(angle) * axes[:, 1] + np.sin(angle) * axes[:, 0]
        rank = dict(zip(cells, points @ axis, strict=True))
        for part in _sweep(everything, rank, neighbours):
            size, rest = len(part), len(everything) - len(part)
            if not (_reachable(size, smallest, largest) and _reachable(rest, smallest, largest)):
                continue
            # A cut across the longer side (the first turns) makes rounder parts.
            badness = abs(size - rest) + (turn // 2) * len(cells) / 4
            if best is None or badness < best[0]:
                best = (badness, set(part))
    return None if best is None else best[1]


def _sweep(
    everything: set[int], rank: dict[int, float], neighbours: Neighbours
) -> Iterable[set[int]]:
    """Grow a part from one end, cell by cell, both sides staying connected."""
    start = min(everything, key=lambda cell: rank[cell])
    part: set[int] = set()
    edge = {start}
    while len(part) < len(everything) - 1:
        for cell in sorted(edge, key=lambda cell: rank[cell]):
            if connected(everything - part - {cell}, neighbours):
                break
        else:
            return
        part.add(cell)
        edge = (edge | (neighbours[cell] & everything)) - part
        yield set(part)
