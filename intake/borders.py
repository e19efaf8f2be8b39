"""The areas of a table and their polygons, as they are worked with.

Belongs here: from the code and WKB that a table of areas holds to shapes with a coordinate system.
Does not belong here: reading a delivered file of boundaries (``geography/boundaries``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geography.coordinates import BNG

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas
    import pyarrow as pa

COLUMNS = ["lsoa21cd", "geometry"]


def borders_of(path: Path) -> geopandas.GeoDataFrame:
    """Return ``lsoa21cd`` and the polygons of the table of areas at ``path``, EPSG:27700."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    return borders_in(pq.read_table(path, columns=COLUMNS))


def borders_in(rows: pa.Table) -> geopandas.GeoDataFrame:
    """Return ``lsoa21cd`` and the polygons of rows with ``geometry`` as WKB, EPSG:27700.

    Parameters
    ----------
    rows : pyarrow.Table
        lsoa21cd, geometry; further columns are left out.

    Returns
    -------
    geopandas.GeoDataFrame
        lsoa21cd, geometry, in the order of the rows.
    """
    import geopandas  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    codes, shapes = (rows.column(name).to_numpy(zero_copy_only=False) for name in COLUMNS)
    return geopandas.GeoDataFrame({"lsoa21cd": codes}, geometry=shapely.from_wkb(shapes), crs=BNG)
