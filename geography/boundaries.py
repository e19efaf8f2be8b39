"""Reading, repairing and simplifying the boundaries of areas.

Belongs here: boundary files in any of the usual formats, made fit for point in polygon and for
maps. Does not belong here: locating points (`points`), drawing (`publishing`).

Facts. GeoJSON and GeoParquet that name no coordinate system are to be taken as longitude and
latitude by their standards, and files on the National Grid without a name are common: coordinates
too large for degrees are refused unless the caller says what they are. The generalised BSC
boundaries (200 m) put only about 87 % of postcodes in their official LSOA; the BGC ones (20 m)
about 99.4 %: never geocode with BSC. Column names differ in case between releases.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from declarations.errors import GeographyError
from geography.coordinates import BNG, WGS84, require_supported_crs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas
    import numpy as np
    from numpy.typing import NDArray

GEOPARQUET = frozenset({".parquet", ".geoparquet"})
GEOJSON = frozenset({".geojson", ".json"})
VECTOR = frozenset({".gpkg", ".shp", ".fgb"}) | GEOJSON

DEGREES = (180.0, 90.0)
"""Largest longitude and latitude; anything beyond is not in degrees."""


@dataclass(frozen=True)
class BoundaryReport:
    """What was found in a boundary file, and what was done about it.

    Attributes
    ----------
    read, kept : int
        Rows in the file and areas in the result.
    empty : int
        Rows left out for want of a geometry with an area.
    without_code : int
        Rows left out for want of a code.
    duplicates : int
        Further rows of a code already seen, united with the first.
    repaired : int
        Invalid geometries made valid, of which only the polygons were kept.
    epsg_read : int
        Coordinate system of the file; the result is in EPSG:27700.
    """

    read: int
    kept: int
    empty: int
    without_code: int
    duplicates: int
    repaired: int
    epsg_read: int


@dataclass(frozen=True)
class CoverageReport:
    """Whether areas meet without gaps and overlaps.

    Attributes
    ----------
    valid : bool
        No two polygons overlap and shared borders are the same line, vertex by vertex.
    faulty : tuple of int
        Row positions of polygons with an edge that does not match its neighbour's.
    overlap_area : float
        Sum of the areas minus the area of their union, square metres; near zero without overlaps.
    """

    valid: bool
    faulty: tuple[int, ...]
    overlap_area: float


def read_boundaries(
    path: Path,
    columns: Mapping[str, str],
    crs: int | None = None,
    layer: str | None = None,
) -> tuple[geopandas.GeoDataFrame, BoundaryReport]:
    """Read boundaries, repair them, and bring them to the National Grid.

    Parameters
    ----------
    path : pathlib.Path
        GeoJSON, GeoPackage, Shapefile, FlatGeobuf or GeoParquet, told by its suffix.
    columns : mapping of str to str
        Our name to the file's heading, which is matched in any case. The first is the code.
    crs : int, optional
        EPSG code of the file, where the file does not say; it may not contradict the file.
    layer : str, optional
        Layer of a file that has several.

    Returns
    -------
    tuple of geopandas.GeoDataFrame and BoundaryReport
        One row per code, in the order of the codes: the named columns and valid (Multi)Polygons in
        EPSG:27700.

    Raises
    ------
    GeographyError
        If the file cannot be read, lacks a column, has no or a contradicted coordinate system,
        holds coordinates that cannot be in it, or holds no area.
    """
    if not columns:
        raise GeographyError("No column of the boundaries is named", "Name the column of codes")
    frame = _load(path, layer)
    read = len(frame)
    frame = _named(frame, columns, path)
    epsg = _settle_crs(frame, path, crs)
    frame = frame.set_crs(epsg, allow_override=True)
    code = next(iter(columns))
    without_code = int(frame[code].isna().sum())
    frame = frame[frame[code].notna()]
    if epsg != BNG:
        frame = frame.to_crs(BNG)
    frame, repaired = _repair(frame)
    bare = frame.geometry.is_empty | frame.geometry.isna()
    empty = int(bare.sum())
    frame = frame[~bare]
    duplicates = int(frame[code].duplicated().sum())
    if duplicates:
        frame = frame.dissolve(by=code, as_index=False, aggfunc="first")
    if len(frame) == 0:
        raise GeographyError(f"The boundaries {path.name} hold no area", "Ask for the file again")
    frame = frame.sort_values(code).reset_index(drop=True)[[*columns, "geometry"]]
    report = BoundaryReport(read, len(frame), empty, without_code, duplicates, repaired, epsg)
    return frame, report


def check_coverage(areas: geopandas.GeoDataFrame) -> CoverageReport:
    """Check that areas form a coverage: no overlap, shared borders identical.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        Polygons in a projected coordinate system.

    Returns
    -------
    CoverageReport
        Gaps inside the region are not faults by themselves; lakes and holes exist.
    """
    import shapely  # noqa: PLC0415 (heavy)

    geometry = _geometry(areas)
    edges = shapely.coverage_invalid_edges(geometry)
    faulty = tuple(int(i) for i, edge in enumerate(edges) if not shapely.is_empty(edge))
    overlap = float(shapely.area(geometry).sum() - shapely.area(shapely.union_all(geometry)))
    return CoverageReport(not faulty, faulty, max(overlap, 0.0))


def simplify_for_map(areas: geopandas.GeoDataFrame, tolerance: float) -> geopandas.GeoDataFrame:
    """Simplify boundaries so that neighbours still share their borders.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        A coverage of polygons.
    tolerance : float
        About the largest shift of a border, in units of the coordinate system; 0 leaves all as it
        is.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows with simpler geometry. For maps alone: no point is to be placed with it.

    Raises
    ------
    GeographyError
        If the tolerance is negative, or an area vanishes.
    """
    import shapely  # noqa: PLC0415 (heavy)

    if tolerance < 0:
        raise GeographyError("The tolerance of simplifying is negative", "Give metres from 0 up")
    simple = shapely.coverage_simplify(_geometry(areas), tolerance)
    if shapely.is_empty(simple).any():
        raise GeographyError(
            "Simplifying made areas vanish", "Use a tolerance below the size of the smallest area"
        )
    return areas.set_geometry(simple, crs=areas.crs)


def _load(path: Path, layer: str | None) -> geopandas.GeoDataFrame:
    import geopandas  # noqa: PLC0415 (heavy)
    import pyogrio.errors  # noqa: PLC0415 (heavy)

    suffix = path.suffix.lower()
    if suffix not in VECTOR | GEOPARQUET:
        raise GeographyError(
            f"The boundaries {path.name} are in a format that is not read",
            "Give GeoJSON, GeoPackage, Shapefile, FlatGeobuf or GeoParquet",
        )
    if not path.is_file():
        raise GeographyError(f"The boundaries {path.name} are not there", "Put the file in place")
    try:
        if suffix in GEOPARQUET:
            return geopandas.read_parquet(path)
        return geopandas.read_file(path, layer=layer, engine="pyogrio")
    except (ValueError, OSError, pyogrio.errors.DataSourceError) as error:
        raise GeographyError(
            f"The boundaries {path.name} cannot be read as geometry", "Ask for the file again"
        ) from error


def _named(
    frame: geopandas.GeoDataFrame, columns: Mapping[str, str], path: Path
) -> geopandas.GeoDataFrame:
    present = {str(name).lower(): name for name in frame.columns}
    absent = [heading for heading in columns.values() if heading.lower() not in present]
    if absent:
        raise GeographyError(
            f"The boundaries {path.name} have no column {', '.join(absent)}",
            "Name the columns as the file's own headings do",
        )
    chosen = frame[[present[h.lower()] for h in columns.values()] + [frame.geometry.name]]
    named = chosen.set_axis([*columns, "geometry"], axis=1)
    return named.set_geometry("geometry", crs=frame.crs)


def _settle_crs(frame: geopandas.GeoDataFrame, path: Path, crs: int | None) -> int:
    """EPSG code of the file, from the file and the caller, or an error."""
    read = _epsg(frame)
    if crs is not None and read is not None and crs != read and _names_crs(path):
        raise GeographyError(
            f"The boundaries {path.name} say EPSG:{read} and their declaration EPSG:{crs}",
            "Correct the declaration, or ask for the file again",
        )
    epsg = crs or read
    if epsg is None:
        raise GeographyError(
            f"The boundaries {path.name} do not say their coordinate system",
            "Declare it, for instance crs: 27700",
        )
    _check_extent(frame, path, epsg)
    return require_supported_crs(epsg)


def _epsg(frame: geopandas.GeoDataFrame) -> int | None:
    if frame.crs is None:
        return None
    if frame.crs.to_authority() == ("OGC", "CRS84"):
        # WGS84 with longitude first, which is the order of every file read here.
        return WGS84
    code: int | None = frame.crs.to_epsg()
    return code


def _names_crs(path: Path) -> bool:
    """Whether the file itself names its coordinate system, rather than a reader's default."""
    if path.suffix.lower() in GEOJSON:
        with path.open(encoding="utf-8-sig") as file:
            head = file.read(100_000)
            return '"crs"' in head or '"crs"' in file.read()
    if path.suffix.lower() in GEOPARQUET:
        import pyarrow.parquet as pq  # noqa: PLC0415 (heavy)

        metadata = pq.read_schema(path).metadata or {}
        geo: dict[str, Any] = json.loads(metadata.get(b"geo", b"{}"))
        return any("crs" in column for column in geo.get("columns", {}).values())
    return True


def _check_extent(frame: geopandas.GeoDataFrame, path: Path, epsg: int) -> None:
    from pyproj import CRS  # noqa: PLC0415 (heavy)

    left, bottom, right, top = frame.total_bounds
    in_degrees = max(-left, right) <= DEGREES[0] and max(-bottom, top) <= DEGREES[1]
    if CRS.from_epsg(epsg).is_geographic and not in_degrees:
        raise GeographyError(
            f"The boundaries {path.name} are taken as degrees, and their coordinates are too large",
            "Declare their coordinate system, for the National Grid crs: 27700",
        )
    if not CRS.from_epsg(epsg).is_geographic and in_degrees:
        raise GeographyError(
            f"The boundaries {path.name} are taken as metres, and their coordinates are degrees",
            "Declare their coordinate system, for longitude and latitude crs: 4326",
        )


def _repair(frame: geopandas.GeoDataFrame) -> tuple[geopandas.GeoDataFrame, int]:
    import shapely  # noqa: PLC0415 (heavy)

    geometry = shapely.force_2d(_geometry(frame))
    present = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    invalid = present & ~shapely.is_valid(geometry)
    unfit = present & (invalid | (shapely.get_dimensions(geometry) != 2) | _is_collection(geometry))
    geometry[unfit] = [_polygons_of(g) for g in geometry[unfit]]
    return frame.set_geometry(geometry, crs=frame.crs), int(invalid.sum())


def _is_collection(geometry: NDArray[np.object_]) -> NDArray[np.bool_]:
    import shapely  # noqa: PLC0415 (heavy)

    found: NDArray[np.bool_] = (
        shapely.get_type_id(geometry) == shapely.GeometryType.GEOMETRYCOLLECTION
    )
    return found


def _polygons_of(geometry: Any) -> Any:
    """Polygons of a made-valid geometry; lines and points that repair leaves are dropped."""
    import shapely  # noqa: PLC0415 (heavy)

    valid = shapely.make_valid(geometry)
    parts = shapely.get_parts(shapely.get_parts(valid))
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _geometry(areas: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    import numpy as np  # noqa: PLC0415 (only here, with the heavy ones)

    return np.array(areas.geometry.values, dtype=object)
