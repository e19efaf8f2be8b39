"""Which coordinate system a boundary file is in: what it says, what was declared, what can be.

Belongs here: settling one EPSG code for a file, or refusing it. Does not belong here: reading the
shapes (`files`), or the kinds of coordinates a column of numbers can hold (`coordinates`).

Facts. GeoJSON without a `crs` member (RFC 7946) and GeoParquet without a `crs` key are longitude
and latitude by their standards, and files on the National Grid without a name are common. A member
that is null, or that no reader understands, says that the system is not known, though the reading
library then answers with degrees. GeoPackage has two numbers for "undefined", 0 and -1. A `.prj`
may describe a system by its parameters alone, without its code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from declarations.errors import GeographyError
from geography.coordinates import WGS84, require_supported_crs

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas
    from pyproj import CRS

GEOPARQUET = frozenset({".parquet", ".geoparquet"})
GEOJSON = frozenset({".geojson", ".json"})

DEGREES = (180.0, 90.0)
"""Largest longitude and latitude; anything beyond is not in degrees."""

SAME_METRES, SAME_DEGREES = 10.0, 1e-4
"""How far a system without a code may lie from the declared one and still be the same."""


@dataclass(frozen=True)
class Statement:
    """What a file says of its coordinate system.

    Attributes
    ----------
    epsg : int or None
        The code; None where it says nothing, or nothing that has a code.
    by_name : bool
        Whether the file itself names the system, rather than the standard of its format.
    """

    epsg: int | None
    by_name: bool


def settle_crs(frame: geopandas.GeoDataFrame, path: Path, declared: int | None, noun: str) -> int:
    """Settle the coordinate system of a file, from the file and its declaration.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        As read, one row or more.
    path : pathlib.Path
        The file.
    declared : int, optional
        EPSG code from whoever knows; it may not contradict the file.
    noun : str
        What the file holds, in the plural, for the message: ``boundaries``.

    Returns
    -------
    int
        EPSG code.

    Raises
    ------
    GeographyError
        If nobody says the system, file and declaration contradict each other, it is an Irish grid,
        or the coordinates cannot be in it.
    """
    said = _statement(frame, path)
    if declared is not None and said.by_name and declared != said.epsg:
        system = "another coordinate system" if said.epsg is None else f"EPSG:{said.epsg}"
        if said.epsg is not None or not _same_places(frame, declared):
            raise GeographyError(
                f"The {noun} {path.name} say {system} and their declaration EPSG:{declared}",
                "Correct the declaration, or ask for the file again",
            )
    epsg = declared or said.epsg
    if epsg is None:
        problem = (
            "name a coordinate system without an EPSG code"
            if said.by_name
            else "do not say their coordinate system"
        )
        raise GeographyError(
            f"The {noun} {path.name} {problem}", "Declare it, for instance crs: 27700"
        )
    require_supported_crs(epsg)
    _check_extent(frame, path, epsg, noun)
    return epsg


def _statement(frame: geopandas.GeoDataFrame, path: Path) -> Statement:
    suffix = path.suffix.lower()
    if suffix in GEOJSON:
        return _geojson_statement(path, frame.crs)
    if suffix in GEOPARQUET:
        return Statement(_epsg(frame.crs), frame.crs is not None and _geoparquet_names(path))
    if frame.crs is None or frame.crs.name.lower().startswith("undefined"):
        return Statement(None, by_name=False)
    return Statement(_epsg(frame.crs), by_name=True)


def _epsg(crs: CRS | None) -> int | None:
    if crs is None:
        return None
    if crs.to_authority() == ("OGC", "CRS84"):
        # WGS84 with longitude first, which is the order of every file read here.
        return WGS84
    code: int | None = crs.to_epsg()
    return code


def _geojson_statement(path: Path, read: CRS | None) -> Statement:
    from pyproj import CRS  # noqa: PLC0415 (heavy)
    from pyproj.exceptions import CRSError  # noqa: PLC0415 (heavy)

    content = _top_level(path)
    if "crs" not in content:
        # Esri's JSON has its own member, which the reading library understands.
        epsg = _epsg(read)
        return Statement(epsg, by_name=epsg != WGS84)
    member = content["crs"] if isinstance(content["crs"], dict) else {}
    properties = member.get("properties")
    said = properties if isinstance(properties, dict) else {}
    name = said.get("name") or said.get("code")
    try:
        return Statement(_epsg(CRS.from_user_input(name)), by_name=True)
    except CRSError:
        return Statement(None, by_name=False)


def _top_level(path: Path) -> dict[str, Any]:
    """Members of a GeoJSON object that may name its system, without reading all its shapes."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if '"crs"' not in text:
        return {}
    head, _, rest = text.partition('"features"')
    for part in (head.rstrip().removesuffix(",") + "}", text):
        try:
            content = json.loads(part)
        except ValueError:
            continue
        if "crs" in content or '"crs"' not in rest:
            return dict(content)
    return content if isinstance(content, dict) else {"crs": None}


def _geoparquet_names(path: Path) -> bool:
    import pyarrow.parquet as pq  # noqa: PLC0415 (heavy)

    metadata = pq.read_schema(path).metadata or {}
    geo: dict[str, Any] = json.loads(metadata.get(b"geo", b"{}"))
    return "crs" in geo.get("columns", {}).get(geo.get("primary_column"), {})


def _same_places(frame: geopandas.GeoDataFrame, declared: int) -> bool:
    """Whether a system without a code puts the corners of the file where the declared one does."""
    from pyproj import CRS, Transformer  # noqa: PLC0415 (heavy)
    from pyproj.exceptions import ProjError  # noqa: PLC0415 (heavy)

    left, bottom, right, top = frame.total_bounds
    x, y = np.array([left, left, right, right]), np.array([bottom, top, bottom, top])
    target = CRS.from_epsg(declared)
    try:
        moved = Transformer.from_crs(frame.crs, target, always_xy=True).transform(x, y)
    except ProjError:
        return False
    shift = np.hypot(moved[0] - x, moved[1] - y)
    return bool((shift <= (SAME_DEGREES if target.is_geographic else SAME_METRES)).all())


def _check_extent(frame: geopandas.GeoDataFrame, path: Path, epsg: int, noun: str) -> None:
    from pyproj import CRS  # noqa: PLC0415 (heavy)
    from pyproj.exceptions import CRSError  # noqa: PLC0415 (heavy)

    try:
        geographic = CRS.from_epsg(epsg).is_geographic
    except CRSError:
        raise GeographyError(
            f"The {noun} {path.name} are declared as EPSG:{epsg}, which does not exist",
            "Declare a coordinate system that does, for instance crs: 27700",
        ) from None
    left, bottom, right, top = frame.total_bounds
    if not np.isfinite([left, bottom, right, top]).all():
        return
    in_degrees = max(-left, right) <= DEGREES[0] and max(-bottom, top) <= DEGREES[1]
    if geographic and not in_degrees:
        raise GeographyError(
            f"The {noun} {path.name} are taken as degrees, and their coordinates are too large",
            "Declare their coordinate system, for the National Grid crs: 27700",
        )
    if not geographic and in_degrees:
        raise GeographyError(
            f"The {noun} {path.name} are taken as metres, and their coordinates are degrees",
            "Declare their coordinate system, for longitude and latitude crs: 4326",
        )
