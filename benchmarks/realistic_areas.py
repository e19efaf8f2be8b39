"""Made-up areas and points of a nation's size and shape, for the benchmarks of geography.

Nothing here is a real place. Areas are the Voronoi cells of centres that crowd in towns as people
do, with borders that wander like fractal lines, the same line for both neighbours; so they form a
coverage, with small areas where many live. Points fall on areas with equal chances, as residents
do, or evenly over the extent.
"""

from __future__ import annotations

import geopandas
import numpy as np
import shapely
from scipy.spatial import Voronoi

EXTENT = (80_000.0, 5_000.0, 656_000.0, 658_000.0)
"""Left, bottom, right, top of England and Wales, metres of the British National Grid."""
TOWNS = 150


def centres(areas, rng):
    """Draw centres: nine tenths in towns of very different sizes, the rest anywhere."""
    left, bottom, right, top = EXTENT
    size = rng.pareto(1.1, TOWNS) + 0.2
    middle = np.column_stack([rng.uniform(left + 4e4, right - 4e4, TOWNS),
                              rng.uniform(bottom + 4e4, top - 4e4, TOWNS)])  # fmt: skip
    in_towns = int(areas * 0.9)
    town = rng.choice(TOWNS, in_towns, p=size / size.sum())
    spread = 3_000 * np.sqrt(size / size.mean())
    around = middle[town] + rng.standard_t(4, (in_towns, 2)) * spread[town, None]
    anywhere = np.column_stack([rng.uniform(left, right, areas - in_towns),
                                rng.uniform(bottom, top, areas - in_towns)])  # fmt: skip
    found = np.vstack([around, anywhere])
    return np.clip(found, (left, bottom), (right, top)) + rng.uniform(0, 1, (areas, 2))


def _wander(a, b, p, q, steps, rng):
    """Points between a and b on a fractal line that stays within the triangles to p and to q."""
    t = np.arange(1, steps) / steps
    line = a[:, None, :] + t[None, :, None] * (b - a)[:, None, :]
    along = b - a
    length = np.hypot(along[:, 0], along[:, 1])
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(length, 1e-9)[:, None]
    reach = np.minimum(*(np.abs(((c - a) * normal).sum(1)) for c in (p, q)))
    shape = np.zeros((len(a), len(t)))
    for octave in range(1, 6):
        phase = rng.uniform(0, 2 * np.pi, (len(a), 1))
        shape += np.sin(2**octave * np.pi * t[None, :] + phase) / 2 ** (0.8 * octave)
    room = np.minimum(np.minimum(t, 1 - t)[None, :] * 2 * reach[:, None], 0.3 * length[:, None])
    return line + (0.35 * room * shape)[..., None] * normal[:, None, :]


def make_areas(areas=35_672, vertices=150, seed=1):
    """Make a coverage of so many areas with about so many vertices each, in EPSG:27700."""
    rng = np.random.default_rng(seed)
    left, bottom, right, top = EXTENT
    # Some more than wanted: cells at the very edge that do not close are left out.
    wanted, areas = areas, int(areas * 1.03) + 10
    inner = centres(areas, rng)
    # A frame of centres far out closes the cells at the edge.
    wide, high = (right - left) * 0.02, (top - bottom) * 0.02
    n = 400
    across, upward = np.linspace(left, right, n), np.linspace(bottom, top, n)
    frame = np.vstack([
        *(np.column_stack([across, np.full(n, y)]) for y in (bottom - high, top + high)),
        *(np.column_stack([np.full(n, x), upward]) for x in (left - wide, right + wide)),
    ])  # fmt: skip
    seeds = np.vstack([inner, frame])
    diagram = Voronoi(seeds)
    ridge = np.array(diagram.ridge_vertices)
    owners = diagram.ridge_points
    keep = (ridge >= 0).all(1) & (owners < areas).any(1)
    ridge, owners = ridge[keep], owners[keep]
    corner = np.round(diagram.vertices, 3)
    steps = max(2, round(vertices / (2 * len(ridge) / areas)))
    bends = np.round(_wander(corner[ridge[:, 0]], corner[ridge[:, 1]], seeds[owners[:, 0]],
                             seeds[owners[:, 1]], steps, rng), 3)  # fmt: skip
    start, end = corner[ridge[:, 0]][:, None], corner[ridge[:, 1]][:, None]
    lines = shapely.linestrings(np.concatenate([start, bends, end], axis=1))
    by_area = np.concatenate([owners[:, 0], owners[:, 1]])
    which = np.concatenate([np.arange(len(ridge))] * 2)
    inside = by_area < areas
    order = np.argsort(by_area[inside], kind="stable")
    area, line = by_area[inside][order], which[inside][order]
    groups = np.split(lines[line], np.flatnonzero(np.diff(area)) + 1)
    closed = [shapely.get_geometry(shapely.polygonize(group), 0) for group in groups]
    shapes = np.array([shape for shape in closed if shape is not None and shape.is_valid])
    shapes = shapes[:wanted]
    codes = [f"E01{90_000 + i:06d}" for i in range(len(shapes))]
    return geopandas.GeoDataFrame({"lsoa21cd": codes}, geometry=shapes, crs=27700)


def points_of_residents(areas, count, seed=2):
    """Draw points with equal chances for every area, within its bounds and mostly inside it."""
    rng = np.random.default_rng(seed)
    centre = shapely.get_coordinates(shapely.centroid(areas.geometry.values))
    bounds = shapely.bounds(areas.geometry.values)
    half = (bounds[:, 2:] - bounds[:, :2]) / 2
    chosen = rng.integers(0, len(areas), count)
    spread = rng.uniform(-0.7, 0.7, (count, 2))
    found = centre[chosen] + spread * half[chosen]
    return found[:, 0].copy(), found[:, 1].copy()


def points_anywhere(count, seed=3):
    """Draw points evenly over the extent."""
    rng = np.random.default_rng(seed)
    left, bottom, right, top = EXTENT
    return rng.uniform(left, right, count), rng.uniform(bottom, top, count)
