"""Polygons taken apart: every side once, whose it is, and nothing between two rings."""

import numpy as np
import shapely

from geography.segments import segments_of


def test_rings_of_outlines_and_holes_are_taken_apart():
    ring = shapely.box(0, 0, 10, 10) - shapely.box(4, 4, 6, 6)
    islands = shapely.MultiPolygon([shapely.box(20, 0, 21, 1), shapely.box(30, 0, 31, 1)])

    found = segments_of(np.array([ring, islands], dtype=object))

    assert len(found.ax) == 4 * 4
    assert found.outer.tolist() == [True, False, True, True]
    assert found.polygon.tolist() == [0, 0, 1, 1]
    assert np.bincount(found.ring).tolist() == [4, 4, 4, 4]
    length = np.hypot(found.bx - found.ax, found.by - found.ay)
    assert np.bincount(found.ring, weights=length).tolist() == [40, 8, 4, 4]


def test_a_corner_given_twice_makes_no_segment():
    square = shapely.Polygon([(0, 0), (1, 0), (1, 0), (1, 1), (0, 1)])

    found = segments_of(np.array([square], dtype=object))

    assert (found.ax.tolist(), found.ay.tolist()) == ([0, 1, 1, 0], [0, 0, 1, 1])
    assert (found.bx.tolist(), found.by.tolist()) == ([1, 1, 0, 0], [0, 1, 1, 0])


def test_nothing_has_no_segments():
    assert len(segments_of(np.zeros(0, dtype=object)).ax) == 0
