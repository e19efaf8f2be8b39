"""Reading and repairing the boundaries of areas.

Belongs here: boundary files in any of the usual formats, made fit for point in polygon and for
maps. Does not belong here: opening a file (`files`), expanding a compressed one
(``intake/containers.py``), which coordinate system a file is in (`crs`), whether areas meet
(`coverage`), how well they place addresses (`accuracy`), locating points (`geography.points`).

Facts. The generalised BSC boundaries (200 m) put only about 87 % of postcodes in their official
LSOA; the BGC ones (20 m) more than 99 %: never geocode with BSC. Column names differ in case
between releases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from declarations.errors import GeographyError
from geography.boundaries.crs import settle_crs
from geography.boundaries.files import load_shapes
from geography.coordinates import BNG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas
    from numpy.typing import NDArray

NOUN = "boundaries"

GREAT_BRITAIN = (0.0, 0.0, 700_000.0, 1_300_000.0)
"""Where the National Grid has land: left, bottom, right, top in metres."""


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
        GeoJSON, GeoPackage, Shapefile, FlatGeobuf or GeoParquet, told by its suffix; not
        compressed.
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
    if not path.is_file():
        raise GeographyError(f"The boundaries {path.name} are not there", "Put the file in place")
    frame = load_shapes(path, NOUN, layer)
    read = len(frame)
    if read == 0:
        raise _no_area(path)
    frame = _named(frame, columns, path)
    epsg = settle_crs(frame, path, crs, NOUN)
    frame = frame.set_crs(epsg, allow_override=True)
    code = next(iter(columns))
    frame[code] = _stripped(frame[code])
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
        raise _no_area(path)
    _check_place(frame, path)
    frame = frame.sort_values(code).reset_index(drop=True)[[*columns, "geometry"]]
    report = BoundaryReport(read, len(frame), empty, without_code, duplicates, repaired, epsg)
    return frame, report


def _no_area(path: Path) -> GeographyError:
    return GeographyError(f"The boundaries {path.name} hold no area", "Ask for the file again")


def _stripped(codes: Any) -> Any:
    from pandas.api.types import is_string_dtype  # noqa: PLC0415 (heavy)

    if not is_string_dtype(codes):
        return codes
    bare = codes.str.strip()
    return bare.where(bare != "")


def _check_place(frame: geopandas.GeoDataFrame, path: Path) -> None:
    left, bottom, right, top = frame.total_bounds
    west, south, east, north = GREAT_BRITAIN
    if right < west or left > east or top < south or bottom > north:
        raise GeographyError(
            f"The boundaries {path.name} lie outside Great Britain",
            "See whether longitude and latitude are exchanged, or declare the coordinate system",
        )


def _named(
    frame: geopandas.GeoDataFrame, columns: Mapping[str, str], path: Path
) -> geopandas.GeoDataFrame:
    present = {str(name).lower(): name for name in frame.columns}
    # A heading that is there letter by letter comes before one that differs in case alone.
    present |= {heading.lower(): heading for heading in columns.values() if heading in frame}
    absent = [heading for heading in columns.values() if heading.lower() not in present]
    if absent:
        raise GeographyError(
            f"The boundaries {path.name} have no column {', '.join(absent)}",
            "Name the columns as the file's own headings do",
        )
    chosen = frame[[present[h.lower()] for h in columns.values()] + [frame.geometry.name]]
    named = chosen.set_axis([*columns, "geometry"], axis=1)
    return named.set_geometry("geometry", crs=frame.crs)


def _repair(frame: geopandas.GeoDataFrame) -> tuple[geopandas.GeoDataFrame, int]:
    import shapely  # noqa: PLC0415 (heavy)

    geometry = shapely.force_2d(np.array(frame.geometry.values, dtype=object))
    at, owner = shapely.get_coordinates(geometry, return_index=True)
    # Nothing can be repaired of a shape one of whose corners is nowhere.
    geometry[owner[~np.isfinite(at).all(axis=1)]] = None
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
