"""The locator by which a region's records are placed from coordinates.

Belongs here: from the reference tables to a `PointLocator`, kept for the process. Does not belong
here: point in polygon (``geography/points.py``).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from declarations.errors import ConfigurationError
from intake.admission import admitted_table
from intake.borders import borders_in, borders_of
from intake.reference import AREAS
from warehouse.connection import run
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import geopandas

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
    import shapely  # noqa: PLC0415

    from geography.points import PointLocator  # noqa: PLC0415

    areas = borders_of(workspace.lake.path(AREAS))
    if tolerance > 0:
        extent = shapely.buffer(shapely.box(*areas.total_bounds), tolerance)
        areas = _boundaries(workspace)
        areas = areas[areas.intersects(extent)].reset_index(drop=True)
    return PointLocator(areas, code="lsoa21cd", tolerance=tolerance)


def _boundaries(workspace: Workspace) -> geopandas.GeoDataFrame:
    """Return every area of the boundary file, in the region or not."""
    source = workspace.declared.reference_source("areas")
    scan = workspace.lake.scan(admitted_table(source)) if source else None
    if source is None or scan is None:
        raise ConfigurationError("The region has no boundaries to place points by")
    with workspace.connect(encryption=True) as connection:
        rows = run(connection, f"SELECT lsoa21cd, geometry FROM {scan}", table=source.id)
        return borders_in(rows.to_arrow_table())
