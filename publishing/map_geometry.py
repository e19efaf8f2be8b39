"""Borders as SVG paths.

Belongs here: the view box, the path text and the union of areas. Does not belong here: simplifying
(``geography/boundaries/coverage.py``), colours, values or anything the page computes.

Coordinates are British National Grid metres (EPSG:27700) turned into whole numbers of the view box:
x grows east, y is flipped because SVG counts downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shapely import Geometry

VIEW_UNITS = 8000
"""Longer side of the view box; at 55 km a unit is about 7 m."""

TOLERANCES = (15.0, 30.0, 60.0, 120.0, 240.0)
"""Simplification steps in metres; a page that would be too large takes the next one."""


@dataclass(frozen=True)
class View:
    """The view box: origin in metres (west, north), metres in a unit, size in units."""

    west: float
    north: float
    metres: float
    width: int
    height: int


def view_of(bounds: Sequence[float]) -> View:
    """Return the view box of bounds (west, south, east, north) in metres, with a small margin."""
    west, south, east, north = bounds
    longest = max(east - west, north - south)
    margin = longest * 0.02
    metres = (longest + 2 * margin) / VIEW_UNITS
    return View(
        west=west - margin,
        north=north + margin,
        metres=metres,
        width=round((east - west + 2 * margin) / metres),
        height=round((north - south + 2 * margin) / metres),
    )


def to_units(coordinates: np.ndarray, view: View) -> np.ndarray:
    """Turn metres, shape (n, 2), into whole view-box units, y pointing down."""
    x = (coordinates[:, 0] - view.west) / view.metres
    y = (view.north - coordinates[:, 1]) / view.metres
    return np.rint(np.column_stack([x, y])).astype(np.int64)


def _ring_path(coordinates: np.ndarray, view: View) -> str:
    points = to_units(coordinates, view)
    kept = np.ones(len(points), dtype=bool)
    kept[1:] = np.any(np.diff(points, axis=0) != 0, axis=1)
    points = points[kept]
    if len(points) > 1 and np.array_equal(points[0], points[-1]):
        points = points[:-1]
    if len(points) < 3:
        return ""
    steps = np.diff(points, axis=0)
    # A minus sign separates as well as a blank does.
    pieces = [f"{dx}{dy}" if dy < 0 else f"{dx} {dy}" for dx, dy in steps.tolist()]
    text = pieces[0] + "".join(p if p[0] == "-" else f" {p}" for p in pieces[1:])
    return f"M{points[0][0]} {points[0][1]}l{text}z"


def svg_path(geometry: Geometry, view: View) -> str:
    """Return the path of a polygon or multipolygon, for ``fill-rule: evenodd``.

    A ring that shrinks to fewer than three different points is left out, unless nothing would
    remain: then a three-unit triangle marks the place, so that no area vanishes.
    """
    import shapely  # noqa: PLC0415 - heavy

    rings = []
    for polygon in shapely.get_parts(geometry):
        if polygon.geom_type != "Polygon" or polygon.is_empty:
            continue
        for ring in (polygon.exterior, *polygon.interiors):
            path = _ring_path(shapely.get_coordinates(ring), view)
            if path:
                rings.append(path)
    if rings:
        return "".join(rings)
    x, y = to_units(shapely.get_coordinates(shapely.point_on_surface(geometry)), view)[0].tolist()
    return f"M{x - 1} {y + 1}l3 0-1-3z"


def dissolve(borders: Any, groups: Sequence[str]) -> dict[str, Any]:
    """Merge simplified borders by group.

    Returns
    -------
    dict of str to shapely.Geometry
        Sorted by group.
    """
    import shapely  # noqa: PLC0415 - heavy

    keys = np.asarray(groups, dtype=object)
    merged = {}
    for key in sorted(set(groups)):
        members = borders[keys == key]
        if shapely.coverage_is_valid(members):
            merged[key] = shapely.coverage_union_all(members)
        else:
            # Published borders may overlap by metres, which a coverage union would count twice.
            merged[key] = shapely.union_all(shapely.make_valid(members), grid_size=1.0)
    return merged


def label_point(geometry: Geometry, view: View) -> list[int]:
    """Return a point well inside a geometry, in view-box units."""
    import shapely  # noqa: PLC0415 - heavy

    parts = shapely.get_parts(geometry)
    largest = parts[int(np.argmax(shapely.area(parts)))]
    circle = shapely.maximum_inscribed_circle(largest, tolerance=50.0)
    inside = shapely.get_coordinates(circle)[:1]
    x, y = to_units(inside, view)[0].tolist()
    return [x, y]
