"""Which area each point is in: exact, one area per point, the same answer every time.

Belongs here: point in polygon, and the nearest area of a point just outside. Does not belong here:
the grid that makes it fast (`point_grid`), reading boundaries (`boundaries`), or what is done with
a point in no area (`placement`).

A point is in an area if it is inside it or on its border (`intersects`); a point on a border is in
every area it touches and is given to the smallest code: a rule, not chance. The grid settles nearly
all points; those on a border, or where areas overlap, are settled by the exact predicate of GEOS.
Geometries that are `prepare`d corrupt the heap when threads share them; this locator never prepares
its own, so that one locator may serve several threads.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from declarations.errors import GeographyError
from geography.coordinates import coordinate_pair, require_supported_crs
from geography.point_grid import NOWHERE, UNDECIDED, PointGrid

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import ArrayLike, NDArray

CHUNK = 500_000
"""Points turned into codes, or settled by the exact predicate, at a time."""


FARTHEST = 1e9
"""Largest coordinate that can be meant, in metres or degrees."""


class PointLocator:
    """Finds the area of points given in the areas' own coordinate system.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        One row per area; polygons.
    code : str, default "lsoa21cd"
        The column of the areas' codes, unique.
    tolerance : float, default 0
        How far outside every area a point may lie and still be given to the nearest one by
        `locate_or_snap`, in units of the coordinate system. For boundaries clipped to the coast;
        the areas must then include those beyond the region's other edges.

    Attributes
    ----------
    bounds : tuple of four float
        Left, bottom, right, top.
    epsg : int or None
        Coordinate system of the areas, None if they do not say.
    codes : ndarray of object, shape (n,)
        The areas' codes in order; `positions` refers to it.

    Raises
    ------
    GeographyError
        If there is no area, a code is missing or repeated, a geometry is missing, empty, invalid or
        no polygon or out of this world, the areas are in an Irish grid, or the tolerance is
        negative.
    """

    def __init__(
        self, areas: geopandas.GeoDataFrame, code: str = "lsoa21cd", tolerance: float = 0.0
    ) -> None:
        import shapely  # noqa: PLC0415 (heavy)

        if list(areas.columns).count(code) != 1:
            raise GeographyError(f"The areas have no column {code}", "Name the column of codes")
        if getattr(areas, "_geometry_column_name", None) not in areas.columns:
            raise GeographyError("The areas have no geometry", "Give a GeoDataFrame of polygons")
        codes = areas[code]
        names = codes.astype(str).to_numpy(dtype=object)
        if len(areas) == 0 or codes.isna().any() or len(set(names)) < len(names):
            raise GeographyError(
                f"The areas are none at all, or the column {code} has missing or repeated codes",
                "Read the boundaries with geography.boundaries.read_boundaries",
            )
        geometry = np.asarray(areas.geometry.values, dtype=object)
        if (
            shapely.is_missing(geometry)
            | shapely.is_empty(geometry)
            | (shapely.get_dimensions(geometry) != 2)
            | ~shapely.is_valid(geometry)
        ).any():
            raise GeographyError(
                "Some areas have a geometry that is missing, empty, invalid or no polygon",
                "Read the boundaries with geography.boundaries.read_boundaries, which repairs them",
            )
        if not (np.isfinite(tolerance) and tolerance >= 0):
            raise GeographyError("The tolerance of a locator is negative", "Give metres from 0 up")
        order = np.argsort(names.astype(str), kind="stable")
        self.code = code
        self.tolerance = float(tolerance)
        self.epsg: int | None = areas.crs.to_epsg() if areas.crs is not None else None
        if self.epsg is not None:
            require_supported_crs(self.epsg)
        self.codes: NDArray[np.object_] = names[order]
        self._polygons = geometry[order]
        left, bottom, right, top = shapely.total_bounds(self._polygons)
        self.bounds = (float(left), float(bottom), float(right), float(top))
        if max(abs(side) for side in self.bounds) > FARTHEST:
            raise GeographyError(
                "The coordinates of the areas are larger than any place on Earth has",
                "Correct the boundaries, or name their coordinate system",
            )
        self._grid = PointGrid(self._polygons)
        # The last entry is what position -1, nowhere, stands for.
        self._codes_or_none: NDArray[np.object_] = np.append(self.codes, [None])
        self._tree_made: Any = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def nbytes(self) -> int:
        """Memory of the index in bytes."""
        return self._grid.nbytes

    def locate(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.object_]:
        """Code of the area of each point.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Coordinates in the areas' coordinate system; NaN and infinity are in no area.

        Returns
        -------
        ndarray of object, shape (n,)
            Codes, None where a point is in no area. A point on a border has the smallest code.

        Raises
        ------
        GeographyError
            If the arrays differ in length.
        """
        return self._codes_or_none[self.positions(x, y)]

    def positions(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.int32]:
        """Position in `codes` of the area of each point: as `locate`, in less memory.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            As for `locate`.

        Returns
        -------
        ndarray of int32, shape (n,)
            -1 where a point is in no area.

        Raises
        ------
        GeographyError
            If the arrays differ in length.
        """
        xs, ys = coordinate_pair(x, y)
        found = self._grid.locate(xs, ys)
        undecided = np.flatnonzero(found == UNDECIDED)
        for start in range(0, len(undecided), CHUNK):
            part = undecided[start : start + CHUNK]
            found[part] = self._exactly(xs[part], ys[part])
        return found

    def locate_or_snap(
        self, x: ArrayLike, y: ArrayLike
    ) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Code of the area of each point, or of the nearest one within the tolerance.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            As for `locate`.

        Returns
        -------
        tuple of ndarray of object and ndarray of bool, shape (n,)
            Codes as `locate` gives them, and whether the point was outside every area and has the
            nearest one instead; of several equally near, the smallest code.

        Raises
        ------
        GeographyError
            If the arrays differ in length.
        """
        xs, ys = coordinate_pair(x, y)
        found = self.positions(xs, ys)
        snapped = np.zeros(len(xs), dtype=bool)
        if self.tolerance > 0:
            left, bottom, right, top = self.bounds
            t = self.tolerance
            close = (xs >= left - t) & (xs <= right + t) & (ys >= bottom - t) & (ys <= top + t)
            outside = np.flatnonzero((found == NOWHERE) & close)
            for start in range(0, len(outside), CHUNK):
                part = outside[start : start + CHUNK]
                found[part] = self._nearest(xs[part], ys[part])
            snapped[outside] = found[outside] != NOWHERE
        return self._codes_or_none[found], snapped

    def _exactly(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int32]:
        import shapely  # noqa: PLC0415 (heavy)

        point, area = self._tree().query(shapely.points(x, y), predicate="intersects")
        return self._smallest(len(x), point, area)

    def _nearest(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int32]:
        import shapely  # noqa: PLC0415 (heavy)

        point, area = self._tree().query_nearest(
            shapely.points(x, y), max_distance=self.tolerance, all_matches=True
        )
        return self._smallest(len(x), point, area)

    def _smallest(
        self, count: int, point: NDArray[np.int64], area: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        # Areas stand in the order of their codes, so the smallest position is the smallest code.
        found = np.full(count, len(self.codes), dtype=np.int32)
        np.minimum.at(found, point, area.astype(np.int32))
        found[found == len(self.codes)] = NOWHERE
        return found

    def _tree(self) -> Any:
        """Return the index of the exact predicate, made when it is first needed."""
        import shapely  # noqa: PLC0415 (heavy)

        with self._lock:
            if self._tree_made is None:
                tree = shapely.STRtree(self._polygons)
                # An index is laid out at its first question; threads must not ask that together.
                tree.query(shapely.box(*self.bounds).centroid)
                self._tree_made = tree
            return self._tree_made
