"""Irregular polygons that tile a region without gaps or overlaps.

Belongs here: where the cells' centres lie, their Voronoi cells and the wiggle of their shared
edges. Does not belong here: codes, names and hierarchies of areas, which are ``areas``.

Each edge lies between the centres of the two cells it parts. It is bent only inside the two
triangles it forms with those centres; the triangles of different edges do not overlap, so bent
edges cannot cross, and because an edge is bent once and used by both cells, neighbours coincide
exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.random import Generator
from numpy.typing import NDArray

from declarations.errors import GeographyError

Floats = NDArray[np.float64]

CENTRE = (410_000.0, 270_000.0)
MEAN_AREA_M2 = 1.6e6
DECIMETRE = 1
LARGEST_BEND = 0.34
ATTEMPTS = 8


@dataclass(frozen=True)
class Tessellation:
    """Cells of a region and how they touch.

    Attributes
    ----------
    centres : (n, 2) array
        A point inside each cell, metres, EPSG:27700.
    polygons : (n,) object array of shapely.Polygon
        The cells; a valid coverage, coordinates in whole decimetres.
    corners : list of (k, 2) arrays
        The points of each cell's border at which three areas meet.
    neighbours : list of set of int
        Cells that share an edge.
    shared_edges : dict of (int, int) to (m, 2) array
        The border of each pair of neighbours, the lower index first.
    towns : (t, 2) array
        The town centres, the first of each district first.
    radius : float
        Radius of the region, metres.
    """

    centres: Floats
    polygons: NDArray[Any]
    corners: list[Floats]
    neighbours: list[set[int]]
    shared_edges: dict[tuple[int, int], Floats]
    towns: Floats
    radius: float


def tessellate(rng: Generator, cells: int, districts: int) -> Tessellation:
    """Make a region of irregular cells, small in its towns and large at its rural edge.

    Parameters
    ----------
    rng : numpy.random.Generator
    cells : int
        Number of cells to make.
    districts : int
        Number of main towns.

    Raises
    ------
    GeographyError
        If no attempt gives cells that form a valid coverage.
    """
    radius = float(np.sqrt(cells * MEAN_AREA_M2 / np.pi))
    for _ in range(ATTEMPTS):
        outline = _Outline(rng, radius)
        towns = _towns(rng, outline, districts, radius)
        inside = _scatter(rng, outline, towns, cells, radius)
        outside = _surround(rng, outline, cells, radius)
        points = _relax(np.vstack([inside, outside]), cells, rounds=2)
        edges = _bent_edges(rng, _voronoi(points), points, cells)
        polygons = _assemble(edges, cells)
        # Rounding to decimetres can, rarely, fold a very thin corner.
        if polygons is not None and bool(shapely.coverage_is_valid(polygons)):
            return _described(points[:cells], polygons, edges, towns, radius)
    raise GeographyError("The synthetic cells do not tile the region", "Choose another seed")


class _Outline:
    """A closed wiggly curve around the region's centre."""

    def __init__(self, rng: Generator, radius: float) -> None:
        orders = np.arange(2, 8)
        self._orders = orders
        self._sizes = radius * rng.normal(0, 0.16, orders.size) / np.sqrt(orders)
        self._phases = rng.uniform(0, 2 * np.pi, orders.size)
        self._radius = radius

    def reach(self, angle: Floats) -> Floats:
        """Distance from the centre to the curve, metres, at each angle in radians."""
        waves = self._sizes * np.cos(np.outer(angle, self._orders) + self._phases)
        return np.clip(self._radius + waves.sum(axis=1), 0.6 * self._radius, 1.4 * self._radius)

    def holds(self, xy: Floats) -> NDArray[np.bool_]:
        """Whether each point lies inside the curve."""
        offset = xy - np.asarray(CENTRE)
        angle = np.arctan2(offset[:, 1], offset[:, 0])
        return np.hypot(offset[:, 0], offset[:, 1]) < self.reach(angle)


def _towns(rng: Generator, outline: _Outline, districts: int, radius: float) -> Floats:
    start = rng.uniform(0, 2 * np.pi)
    ring = districts - 1 if districts > 3 else districts
    angle = start + 2 * np.pi * (np.arange(ring) + rng.uniform(-0.18, 0.18, ring)) / max(ring, 1)
    reach = outline.reach(angle) * rng.uniform(0.50, 0.66, ring)
    around = np.asarray(CENTRE) + np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None]
    middle = np.asarray(CENTRE) + rng.normal(0, 0.05 * radius, (districts - ring, 2))
    main = np.vstack([middle, around])
    smaller = main[rng.integers(0, districts, districts)] + rng.normal(
        0, 0.24 * radius, (districts, 2)
    )
    return np.vstack([main, smaller[outline.holds(smaller)]])


def _scatter(rng: Generator, outline: _Outline, towns: Floats, cells: int, radius: float) -> Floats:
    kept = np.empty((0, 2))
    # A main town draws as many points as it is large; a smaller town a quarter of that.
    weight = np.linspace(1.0, 0.3, len(towns))
    weight /= weight.sum()
    while len(kept) < cells:
        draw = 4 * cells
        town = rng.choice(len(towns), draw, p=weight)
        spread = radius * rng.gamma(2.0, 0.085, draw)
        near = towns[town] + rng.normal(0, 1, (draw, 2)) * spread[:, None]
        wide = np.asarray(CENTRE) + rng.uniform(-1.4, 1.4, (draw, 2)) * radius
        points = np.where((rng.random(draw) < 0.8)[:, None], near, wide)
        kept = np.vstack([kept, points[outline.holds(points)]])
    return kept[:cells]


def _surround(rng: Generator, outline: _Outline, cells: int, radius: float) -> Floats:
    # Cells outside the curve are dropped: the region's border is theirs with the cells inside.
    spacing = radius * np.sqrt(np.pi / cells) * 1.25
    rings = []
    for ring in range(1, 6):
        count = int(2 * np.pi * radius * 1.15 / spacing)
        angle = 2 * np.pi * (np.arange(count) + rng.uniform(-0.35, 0.35, count)) / count
        reach = outline.reach(angle) + spacing * (ring - 0.45 + rng.uniform(-0.3, 0.3, count))
        rings.append(np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None])
    return np.asarray(CENTRE) + np.vstack(rings)


def _voronoi(points: Floats) -> Any:
    from scipy.spatial import Voronoi  # noqa: PLC0415 - scipy.spatial is slow to import

    return Voronoi(points)


def _relax(points: Floats, cells: int, rounds: int) -> Floats:
    # Lloyd's step, half-way: full steps would make honeycombs.
    for _ in range(rounds):
        diagram = _voronoi(points)
        moved = points.copy()
        for index in range(cells):
            ring = diagram.vertices[diagram.regions[diagram.point_region[index]]]
            middle = shapely.Polygon(ring).centroid
            moved[index] = (points[index] + (middle.x, middle.y)) / 2
        points = moved
    return points


def _bent_edges(
    rng: Generator, diagram: Any, points: Floats, cells: int
) -> dict[tuple[int, int], Floats]:
    edges: dict[tuple[int, int], Floats] = {}
    ridges = sorted(
        (min(pair), max(pair), tuple(ends))
        for pair, ends in zip(diagram.ridge_points.tolist(), diagram.ridge_vertices, strict=True)
        if min(pair) < cells
    )
    for left, right, (start, end) in ridges:
        edges[left, right] = _bend(
            rng, diagram.vertices[start], diagram.vertices[end], points[left], points[right]
        )
    return edges


def _bend(rng: Generator, start: Floats, end: Floats, left: Floats, right: Floats) -> Floats:
    length = float(np.hypot(*(end - start)))
    spacing = float(np.hypot(*(right - left)))
    if length < 0.08 * spacing:
        return _rounded(np.vstack([start, end]))
    depth = 3 if length < 0.5 * spacing else 4
    pull: Floats = np.zeros(2)
    size = 0.5 * LARGEST_BEND * min(1.0, length / spacing)
    for _ in range(depth):
        middle = (pull[:-1] + pull[1:]) / 2 + rng.normal(0, size, pull.size - 1)
        finer = np.empty(pull.size * 2 - 1, dtype=np.float64)
        finer[::2], finer[1::2] = pull, middle
        pull, size = finer, size * 0.55
    pull = np.clip(pull, -LARGEST_BEND, LARGEST_BEND)
    along = np.linspace(0, 1, pull.size)
    # A point on the straight edge wherever the curve changes sides keeps it inside the triangles.
    swap = np.flatnonzero(pull[:-1] * pull[1:] < 0)
    cross = along[swap] + (along[swap + 1] - along[swap]) * pull[swap] / (
        pull[swap] - pull[swap + 1]
    )
    order = np.argsort(np.concatenate([along, cross]), kind="stable")
    along = np.concatenate([along, cross])[order]
    pull = np.concatenate([pull, np.zeros(cross.size)])[order]
    base = start + along[:, None] * (end - start)
    towards = np.where((pull > 0)[:, None], left, right)
    curve = base + np.abs(pull)[:, None] * (towards - base)
    return _rounded(curve)


def _rounded(points: Floats) -> Floats:
    return np.asarray(np.round(points, DECIMETRE), dtype=np.float64)


def _assemble(edges: dict[tuple[int, int], Floats], cells: int) -> NDArray[Any] | None:
    pieces: list[list[Floats]] = [[] for _ in range(cells)]
    for (left, right), curve in edges.items():
        pieces[left].append(curve)
        if right < cells:
            pieces[right].append(curve)
    polygons = np.empty(cells, dtype=object)
    for index, curves in enumerate(pieces):
        ring = _joined(curves)
        if ring is None:
            return None
        polygon = shapely.Polygon(ring)
        polygons[index] = shapely.orient_polygons(polygon, exterior_cw=False)
    return polygons if bool(shapely.is_valid(polygons).all()) else None


def _joined(curves: list[Floats]) -> Floats | None:
    """Chain the edges of one cell into a ring; None where they do not close."""
    left = dict(enumerate(curves))
    ring = [left.pop(0)]
    while left:
        tip = tuple(ring[-1][-1])
        for index, curve in left.items():
            if tuple(curve[0]) == tip:
                ring.append(left.pop(index))
                break
            if tuple(curve[-1]) == tip:
                ring.append(left.pop(index)[::-1])
                break
        else:
            return None
    joined = np.vstack([curve[:-1] for curve in ring])
    return joined[np.any(joined != np.roll(joined, 1, axis=0), axis=1)]


def _described(
    centres: Floats,
    polygons: NDArray[Any],
    edges: dict[tuple[int, int], Floats],
    towns: Floats,
    radius: float,
) -> Tessellation:
    cells = len(centres)
    neighbours: list[set[int]] = [set() for _ in range(cells)]
    ends: list[set[tuple[float, float]]] = [set() for _ in range(cells)]
    inner = {}
    for (left, right), curve in edges.items():
        for cell in (left, right):
            if cell < cells:
                ends[cell].update((tuple(curve[0]), tuple(curve[-1])))
        if right < cells and len(curve) > 2:
            neighbours[left].add(right)
            neighbours[right].add(left)
            inner[left, right] = curve
    corners = [np.array(sorted(points)) for points in ends]
    return Tessellation(
        np.round(centres, DECIMETRE), polygons, corners, neighbours, inner, towns, radius
    )
