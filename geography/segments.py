"""Taking polygons apart into the segments of their rings.

Belongs here: from shapes to arrays of numbers. Does not belong here: what a segment is used for,
which is for the grid over areas (`point_grid`) and for neighbours (`boundaries.neighbours`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Segments:
    """The segments of all rings, in the order in which the rings run.

    Attributes
    ----------
    ax, ay, bx, by : ndarray of float64, shape (s,)
        From a to b; none is of no length.
    ring : ndarray of int64, shape (s,)
        Position of each segment's ring in the following.
    rings : ndarray of object, shape (r,)
        The rings as shapes.
    polygon : ndarray of int64, shape (r,)
        Position of each ring's polygon among those given.
    outer : ndarray of bool, shape (r,)
        Whether the ring is an outline rather than a hole.
    """

    ax: NDArray[np.float64]
    ay: NDArray[np.float64]
    bx: NDArray[np.float64]
    by: NDArray[np.float64]
    ring: NDArray[np.int64]
    rings: NDArray[np.object_]
    polygon: NDArray[np.int64]
    outer: NDArray[np.bool_]


def segments_of(polygons: NDArray[np.object_]) -> Segments:
    """Take polygons apart.

    Parameters
    ----------
    polygons : ndarray of object, shape (n,)
        Polygons and multipolygons.

    Returns
    -------
    Segments
    """
    import shapely  # noqa: PLC0415 (heavy)

    parts, polygon = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    outer = np.ones(len(rings), dtype=bool)
    outer[1:] = part[1:] != part[:-1]
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    x, y = np.ascontiguousarray(coordinates.T)
    kept = np.flatnonzero((ring[1:] == ring[:-1]) & ((x[1:] != x[:-1]) | (y[1:] != y[:-1])))
    return Segments(
        x[kept], y[kept], x[kept + 1], y[kept + 1], ring[kept], rings, polygon[part], outer
    )
