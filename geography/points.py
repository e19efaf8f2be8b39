"""Which area each point is in: exact, one area per point, the same answer every time.

Belongs here: point in polygon. Does not belong here: reading boundaries (`boundaries`), or what is
done with a point in no area (`placement`).

Points are indexed in chunks and asked by each polygon, which measured faster than indexing polygons
(2.0-2.2 s against 3.5-3.8 s for a million points in 35,000 areas) and keeps memory bounded. The
predicate is `intersects`, so a point on a border is in every area it touches and is given to the
smallest code: a rule, not chance. Geometries that are `prepare`d corrupt the heap when threads
share them; this locator never prepares its own, so that one locator may serve several threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from declarations.errors import GeographyError

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import ArrayLike, NDArray

CHUNK = 500_000
"""Points indexed at a time; about 100 MB of geometry."""


class PointLocator:
    """Finds the area of points given in the areas' own coordinate system.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        One row per area; polygons.
    code : str, default "lsoa21cd"
        The column of the areas' codes, unique.
    chunk : int, default 500,000
        Points handled at a time.

    Attributes
    ----------
    bounds : tuple of four float
        Left, bottom, right, top.
    epsg : int or None
        Coordinate system of the areas, None if they do not say.

    Raises
    ------
    GeographyError
        If there is no area, a code is missing or repeated, or a geometry is missing, empty or
        invalid.
    """

    def __init__(
        self, areas: geopandas.GeoDataFrame, code: str = "lsoa21cd", chunk: int = CHUNK
    ) -> None:
        import shapely  # noqa: PLC0415 (heavy)

        if code not in areas.columns:
            raise GeographyError(f"The areas have no column {code}", "Name the column of codes")
        codes = areas[code]
        if len(areas) == 0 or codes.isna().any() or codes.duplicated().any():
            raise GeographyError(
                f"The areas are none at all, or the column {code} has missing or repeated codes",
                "Read the boundaries with geography.boundaries.read_boundaries",
            )
        geometry = np.asarray(areas.geometry.values, dtype=object)
        if (
            shapely.is_missing(geometry) | shapely.is_empty(geometry) | ~shapely.is_valid(geometry)
        ).any():
            raise GeographyError(
                "Some areas have a missing, empty or invalid geometry",
                "Read the boundaries with geography.boundaries.read_boundaries, which repairs them",
            )
        if chunk < 1:
            raise GeographyError("A locator needs to handle at least one point at a time")
        names = codes.astype(str).to_numpy(dtype=object)
        order = np.argsort(names.astype(str), kind="stable")
        self.code = code
        self.epsg: int | None = areas.crs.to_epsg() if areas.crs is not None else None
        self._codes: NDArray[np.object_] = names[order]
        self._polygons = geometry[order]
        self._chunk = chunk
        left, bottom, right, top = shapely.total_bounds(self._polygons)
        self.bounds = (float(left), float(bottom), float(right), float(top))

    def __len__(self) -> int:
        return len(self._codes)

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
        xs = np.atleast_1d(np.asarray(x, dtype=np.float64))
        ys = np.atleast_1d(np.asarray(y, dtype=np.float64))
        if xs.shape != ys.shape:
            raise GeographyError("The two coordinate columns have different lengths")
        result = np.full(len(xs), None, dtype=object)
        for start in range(0, len(xs), self._chunk):
            part = slice(start, start + self._chunk)
            found = self._positions(xs[part], ys[part])
            inside = found < len(self._codes)
            result[part][inside] = self._codes[found[inside]]
        return result

    def _positions(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.intp]:
        import shapely  # noqa: PLC0415 (heavy)

        nowhere = len(self._codes)
        positions = np.full(len(x), nowhere, dtype=np.intp)
        left, bottom, right, top = self.bounds
        near = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
        if not len(near):
            return positions
        tree = shapely.STRtree(shapely.points(x[near], y[near]))
        area, point = tree.query(self._polygons, predicate="intersects")
        # Areas stand in the order of their codes, so the smallest position is the smallest code.
        np.minimum.at(positions, near[point], area)
        return positions
