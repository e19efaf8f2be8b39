"""Borders become paths that still show the same land."""

import re

import numpy as np
import pytest
import shapely

from publishing.map_geometry import (
    dissolve,
    label_point,
    svg_path,
    to_units,
    view_of,
)


def parsed(path: str) -> list[np.ndarray]:
    """Read the rings of a path of the form M x y l dx dy ... z."""
    rings = []
    for ring in re.findall(r"M([^z]*)z", path):
        start, steps = ring.split("l")
        first = [int(n) for n in re.findall(r"-?\d+", start)]
        deltas = np.array([int(n) for n in re.findall(r"-?\d+", steps)]).reshape(-1, 2)
        rings.append(np.vstack([first, first + np.cumsum(deltas, axis=0)]))
    return rings


def area_in_metres(path: str, metres: float) -> float:
    """Area of an even-odd path whose holes do not overlap each other."""
    polygons = sorted((shapely.Polygon(r) for r in parsed(path)), key=lambda p: -p.area)
    total = polygons[0].area
    for other in polygons[1:]:
        total += -other.area if polygons[0].contains(other) else other.area
    return total * metres**2


def test_north_is_up():
    view = view_of([400_000, 280_000, 420_000, 290_000])
    south, north = to_units(np.array([[410_000.0, 281_000.0], [410_000.0, 289_000.0]]), view)
    assert north[1] < south[1]
    assert north[0] == south[0]


def test_the_view_box_holds_everything_in_proportion():
    view = view_of([400_000, 280_000, 420_000, 290_000])
    corners = to_units(np.array([[400_000.0, 280_000.0], [420_000.0, 290_000.0]]), view)
    assert corners.min() > 0
    assert corners[1][0] < view.width
    assert corners[0][1] < view.height
    assert view.width > view.height


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(400_000, 280_000, 404_000, 283_000),
        shapely.box(400_000, 280_000, 410_000, 290_000).difference(
            shapely.box(403_000, 283_000, 406_000, 286_000)
        ),
        shapely.MultiPolygon(
            [
                shapely.box(400_000, 280_000, 402_000, 282_000),
                shapely.box(405_000, 285_000, 409_000, 288_000),
            ]
        ),
    ],
    ids=["plain", "with a hole", "in two parts"],
)
def test_a_path_covers_the_area_of_its_shape(shape):
    view = view_of(shape.bounds)
    found = area_in_metres(svg_path(shape, view), view.metres)
    assert found == pytest.approx(shape.area, rel=0.01)


def test_an_area_too_small_to_draw_is_still_marked():
    view = view_of([0, 0, 50_000, 50_000])
    path = svg_path(shapely.box(10_000, 10_000, 10_001, 10_001), view)
    assert len(parsed(path)) == 1


def test_dissolved_groups_keep_their_land(borders):
    groups = ["a" if i % 3 else "b" for i in range(len(borders))]
    merged = dissolve(borders.geometry.to_numpy(), groups)
    assert list(merged) == ["a", "b"]
    for group in merged:
        members = borders.geometry[[g == group for g in groups]]
        assert merged[group].area == pytest.approx(members.area.sum())


def test_overlapping_borders_are_dissolved_too():
    shapes = np.array([shapely.box(0, 0, 100, 100), shapely.box(60, 0, 160, 100)], dtype=object)
    assert dissolve(shapes, ["a", "a"])["a"].area == pytest.approx(16_000)


def test_a_label_lies_inside_its_crescent():
    crescent = shapely.Point(5_000, 5_000).buffer(4_000) - shapely.Point(6_500, 5_000).buffer(3_800)
    view = view_of(crescent.bounds)
    x, y = label_point(crescent, view)
    place = shapely.Point(view.west + x * view.metres, view.north - y * view.metres)
    assert crescent.contains(place)
