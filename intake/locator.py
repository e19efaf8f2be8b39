"""The locator by which a region's records are placed from coordinates.

Belongs here: from the reference tables to a `PointLocator`, kept for the process. Does not belong
here: point in polygon (``geography/points.py``).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from declarations.errors import ConfigurationError
from intake.admission import admitted_table
from intake.reference import AREAS
from warehouse.connection import run
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from geography.points import PointLocator

KEPT = 2
"""Locators kept in memory."""
_lock = threading.Lock()
_kept: dict[tuple[str, str, float], PointLocator] = {}


def point_locator(workspace: Workspace) -> PointLocator:
    """Return the locator of the region's areas; made once a process for the same areas.

    Where the region declares a coast tolerance, it also holds the areas of the boundary file just
    beyond the region's edge: a point there must not be drawn back into the region.
    """
    tolerance = workspace.declared.region.coast_tolerance
    key = (str(workspace.lake.path(AREAS)), workspace.state_of(AREAS), tolerance)
    with _lock:
        if key not in _kept:
            while len(_kept) >= KEPT:
                del _kept[next(iter(_kept))]
            _kept[key] = _made(workspace, tolerance)
        return _kept[key]


def _made(workspace: Workspace, tolerance: float) -> PointLocator:
    import geopandas  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    from geography.points import PointLocator  # noqa: PLC0415

    areas = pq.read_table(workspace.lake.path(AREAS), columns=["lsoa21cd", "geometry"])
    codes, shapes = _taken_apart(areas)
    if tolerance > 0:
        extent = shapely.buffer(shapely.box(*shapely.total_bounds(shapes)), tolerance)
        codes, shapes = _taken_apart(_boundaries(workspace))
        near = shapely.intersects(shapes, extent)
        codes, shapes = codes[near], shapes[near]
    frame = geopandas.GeoDataFrame({"lsoa21cd": codes}, geometry=shapes, crs=27700)
    return PointLocator(frame, code="lsoa21cd", tolerance=tolerance)


def _taken_apart(areas: pa.Table) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    import shapely  # noqa: PLC0415

    codes, shapes = (
        areas.column(name).to_numpy(zero_copy_only=False) for name in ("lsoa21cd", "geometry")
    )
    return codes, shapely.from_wkb(shapes)


def _boundaries(workspace: Workspace) -> pa.Table:
    """Return every area of the boundary file, in the region or not."""
    source = workspace.declared.reference_source("areas")
    scan = workspace.lake.scan(admitted_table(source)) if source else None
    if source is None or scan is None:
        raise ConfigurationError("The region has no boundaries to place points by")
    with workspace.connect(encryption=True) as connection:
        return run(
            connection, f"SELECT lsoa21cd, geometry FROM {scan}", table=source.id
        ).to_arrow_table()
