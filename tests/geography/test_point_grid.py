"""The grid settles points as the exact predicate does, or leaves them open; never otherwise."""

import geopandas
import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from geography.point_grid import NOWHERE, UNDECIDED, PointGrid, edges_of, unite
from geography.points import PointLocator


def exactly(polygons, x, y):
    """Position of the first area of all that meet each point, by GEOS alone."""
    point, area = shapely.STRtree(polygons).query(shapely.points(x, y), predicate="intersects")
    found = np.full(len(x), len(polygons))
    np.minimum.at(found, point, area)
    return np.where(found == len(polygons), NOWHERE, found)


def locate(polygons, x, y):
    """Positions by the locator, whose areas are in their given order."""
    codes = [f"E01{i:06d}" for i in range(len(polygons))]
    return PointLocator(geopandas.GeoDataFrame({"lsoa21cd": codes}, geometry=polygons)).positions(
        x, y
    )


def coverage(rng, count, size=1_000.0, origin=(400_000.0, 300_000.0)):
    """Areas that meet without gaps, of very different sizes."""
    seeds = rng.uniform(0, 1, (count, 2)) ** 2
    cells = shapely.voronoi_polygons(
        shapely.multipoints(seeds * size + origin), extend_to=shapely.box(0, 0, 1, 1)
    )
    frame = shapely.box(*origin, origin[0] + size, origin[1] + size)
    return shapely.get_parts(shapely.intersection(shapely.get_parts(cells), frame))


def hard_points(polygons, rng, count):
    """Points on vertices, on edges, and a millimetre or a nanometre off them."""
    edges = edges_of(polygons)
    pick = rng.integers(0, len(edges), count)
    along = rng.choice([0.0, 1.0, 0.5, -1.0], count)
    along = np.where(along < 0, rng.uniform(0, 1, count), along)
    off = rng.choice([0.0, 1e-3, 1e-9], (count, 2)) * rng.choice([-1, 1], (count, 2))
    x = edges.ax[pick] + along * (edges.bx[pick] - edges.ax[pick]) + off[:, 0]
    y = edges.ay[pick] + along * (edges.by[pick] - edges.ay[pick]) + off[:, 1]
    return x, y


def anywhere(polygons, rng, count):
    """Points over the extent and a little beyond."""
    left, bottom, right, top = shapely.total_bounds(polygons)
    dx, dy = (right - left) / 10, (top - bottom) / 10
    return rng.uniform(left - dx, right + dx, count), rng.uniform(bottom - dy, top + dy, count)


KINDS = ("coverage", "ragged", "overlapping", "holed", "rounded")


def areas_of(kind, rng):
    """Areas that are clean, or wrong in one of the ways of real files."""
    if kind == "coverage":
        return coverage(rng, 80)
    if kind == "ragged":
        # Neighbours whose borders are millimetres apart: slivers that are gaps or overlaps.
        cells = coverage(rng, 60)
        return np.array([
            shapely.affinity.translate(cell, *rng.normal(0, 1e-3, 2)) for cell in cells
        ])  # fmt: skip
    if kind == "overlapping":
        return shapely.buffer(coverage(rng, 40), 15.0, quad_segs=2)
    if kind == "holed":
        cells = coverage(rng, 40)
        islands = shapely.buffer(shapely.point_on_surface(cells), 8.0, quad_segs=3)
        inside = shapely.contains_properly(cells, islands)
        holed = np.where(inside, shapely.difference(cells, islands), cells)
        # The islands of every other hole are an area; the rest are nobody's.
        return np.concatenate([holed, [shapely.union_all(islands[inside][::2])]])
    # Everything on whole metres, so that borders are level and upright and points lie on them.
    squares = [shapely.box(x, y, x + 10, y + 10) for x in range(0, 60, 10) for y in (0, 10, 20)]
    return np.array(squares, dtype=object)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_as_the_exact_predicate(kind, seed):
    rng = np.random.default_rng(seed)
    polygons = areas_of(kind, rng)
    polygons = polygons[shapely.is_valid(polygons)]
    for x, y in (anywhere(polygons, rng, 3_000), hard_points(polygons, rng, 3_000)):
        assert locate(polygons, x, y).tolist() == exactly(polygons, x, y).tolist()


@pytest.mark.parametrize("cells_per_edge", [0.01, 0.5, 40.0])
def test_the_number_of_cells_makes_no_difference(cells_per_edge):
    rng = np.random.default_rng(9)
    polygons = coverage(rng, 100)
    x, y = anywhere(polygons, rng, 5_000)
    found = PointGrid(polygons, cells_per_edge).locate(x, y)
    expected = exactly(polygons, x, y)
    settled = found != UNDECIDED
    assert settled.mean() > 0.99
    assert found[settled].tolist() == expected[settled].tolist()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(1e-3, 1e6),
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
)
def test_at_any_place_and_scale(seed, size, left, bottom):
    rng = np.random.default_rng(seed)
    polygons = coverage(rng, 12, size, (left, bottom))
    polygons = polygons[shapely.is_valid(polygons) & (shapely.get_dimensions(polygons) == 2)]
    if len(polygons) == 0:
        return
    for x, y in (anywhere(polygons, rng, 200), hard_points(polygons, rng, 200)):
        assert locate(polygons, x, y).tolist() == exactly(polygons, x, y).tolist()


def test_what_is_settled_by_the_grid_is_nearly_everything():
    rng = np.random.default_rng(3)
    polygons = coverage(rng, 300)
    found = PointGrid(polygons).locate(*anywhere(polygons, rng, 20_000))
    assert (found == UNDECIDED).mean() < 0.001


def test_points_on_borders_and_in_overlaps_are_left_open():
    squares = np.array([shapely.box(0, 0, 10, 10), shapely.box(8, 0, 20, 10)], dtype=object)
    found = PointGrid(squares).locate(np.array([9.0, 20.0, 3.0, 15.0]), np.array([5.0, 5, 3, 3]))
    assert found.tolist() == [UNDECIDED, UNDECIDED, 0, 1]


def sides(edges):
    """Every edge as from its lower left end to the other, with its weight."""
    found = {}
    columns = (edges.ax, edges.ay, edges.bx, edges.by, edges.weight)
    for ax, ay, bx, by, weight in zip(*(c.tolist() for c in columns), strict=True):
        turned = (ax, ay) > (bx, by)
        ends = (bx, by, ax, ay) if turned else (ax, ay, bx, by)
        found[ends] = found.get(ends, 0) + (-weight if turned else weight)
    return {ends: weight for ends, weight in found.items() if weight}


def test_shared_borders_are_one_edge_and_its_sides_are_told_apart():
    squares = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], dtype=object)
    edges = edges_of(squares)
    united = unite(edges, np.zeros(len(edges), dtype=np.int64))
    assert len(united) == 7
    # Upwards, the first square is to the left and the second to the right.
    assert sides(united)[(1.0, 0.0, 1.0, 1.0)] == 1 - 2


@pytest.mark.parametrize("copies", [1, 2, 3, 5])
def test_uniting_edges_changes_no_sum(copies):
    rng = np.random.default_rng(5)
    polygons = np.tile(coverage(rng, 30), copies)
    edges = edges_of(polygons)
    united = unite(edges, np.zeros(len(edges), dtype=np.int64))
    assert sides(united) == sides(edges)
    assert len(united) == len(sides(edges))


def test_beyond_the_extent_and_what_is_no_number_is_nowhere():
    square = np.array([shapely.box(0, 0, 10, 10)], dtype=object)
    x = np.array([np.nan, np.inf, -np.inf, 5.0, 1e300, -1e300, 5.0])
    y = np.array([5.0, 5.0, 5.0, np.nan, 5.0, 5.0, 5.0])
    assert PointGrid(square).locate(x, y).tolist() == [NOWHERE] * 6 + [0]
