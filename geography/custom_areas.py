"""Areas a region draws itself: which 2021 LSOAs a list or a polygon means.

Belongs here: holding a list of codes to what the region has, reading a polygon, and the three rules
by which LSOAs belong to one. Does not belong here: the declaration (`declarations.areas`), or the
sums over an area (`hierarchies`).

A custom area is always made of whole LSOAs, because figures are published by LSOA: a list is the
area exactly, a polygon only as well as its LSOAs fit it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from declarations.errors import GeographyError
from geography.boundaries.crs import settle_crs
from geography.coordinates import BNG

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import geopandas

    from declarations.areas import Rule

SLIVER_SHARE = 0.01
"""Rule ``any``: an LSOA touched by no more than this share of its area is touched by a sliver,
which two ways of drawing the same border make."""

HALF = 0.5

POLYGONS = ("Polygon", "MultiPolygon", "GeometryCollection")
SURFACE = 2
"""Dimensions of a polygon; what repair leaves of fewer is a spike or a point."""

LARGEST_POLYGON_FILE = 20_000_000
"""Bytes; a border in more detail than that is no border of a neighbourhood."""

MANY_UNKNOWN = "The codes of 2021 are in the table areas of a release"


@dataclass(frozen=True)
class PolygonMatch:
    """The LSOAs of a polygon.

    Attributes
    ----------
    codes : tuple of str
        In order.
    outside_share : float
        Share of the polygon's area in none of the region's LSOAs, 0 to 1.
    """

    codes: tuple[str, ...]
    outside_share: float


def check_codes(
    codes: Sequence[str],
    region: Collection[str],
    where: str,
    *,
    known: Collection[str] = (),
    known_2011: Collection[str] = (),
) -> tuple[str, ...]:
    """Return a list's codes in order, if all are LSOAs of the region.

    Parameters
    ----------
    codes : sequence of str
        As declared.
    region : collection of str
        Every 2021 LSOA of the region.
    where : str
        The file, for the message.
    known, known_2011 : collection of str
        Further codes of 2021, and all of 2011, as far as anything lists them.

    Raises
    ------
    GeographyError
        Saying how many codes are of 2011, outside the region, or unknown.
    """
    if not codes:
        raise GeographyError(f"{where} names no LSOA", "List at least one")
    strange = set(codes) - set(region)
    elsewhere = strange & set(known)
    old = (strange - elsewhere) & set(known_2011)
    if old:
        raise GeographyError(
            f"{len(old)} of the {len(codes)} codes in {where} are of 2011 and no more of 2021",
            "Use the codes of 2021; the ONS lookup of 2011 to 2021 LSOAs says what each became",
        )
    if elsewhere:
        raise GeographyError(
            f"{len(elsewhere)} of the {len(codes)} codes in {where} lie outside the region",
            "Leave them out, or add their district to region.yaml",
        )
    if strange:
        raise GeographyError(
            f"{len(strange)} of the {len(codes)} codes in {where} are no 2021 LSOA of the region",
            MANY_UNKNOWN,
        )
    return tuple(sorted(codes))


def read_polygon(path: Path, crs: int | None = None) -> Any:
    """Read the border of one area and bring it to the National Grid.

    Parameters
    ----------
    path : pathlib.Path
        GeoJSON, GeoPackage, FlatGeobuf or GeoParquet. All its polygons together are the area.
    crs : int, optional
        EPSG code, where the file does not say; the rules are those of `boundaries`: GeoJSON without
        a name is longitude and latitude, and coordinates too large for that are refused.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Valid, in EPSG:27700.

    Raises
    ------
    GeographyError
        If the file is not there, too large, unreadable, in a coordinate system that is not used
        here or not declared, or holds no polygon.
    """
    import shapely  # noqa: PLC0415 (heavy)

    if not path.is_file():
        raise GeographyError(f"The polygon {path.name} is not there", "Name a file that is")
    if path.stat().st_size > LARGEST_POLYGON_FILE:
        raise GeographyError(
            f"{path.name} is larger than {LARGEST_POLYGON_FILE // 1_000_000} MB",
            "Simplify the border first; an area follows whole LSOAs anyway",
        )
    frame = _load(path)
    frame = frame[frame.geom_type.isin(POLYGONS)]
    if not len(frame):
        raise GeographyError(
            f"{path.name} holds no polygon", "Draw the border as a closed polygon, not as a line"
        )
    epsg = settle_crs(frame, path, crs)
    frame = frame.set_crs(epsg, allow_override=True)
    if epsg != BNG:
        frame = frame.to_crs(BNG)
    shapes = shapely.get_parts(shapely.make_valid(shapely.force_2d(frame.geometry.to_numpy())))
    border = shapely.union_all(shapes[shapely.get_dimensions(shapes) == SURFACE])
    if shapely.is_empty(border) or not shapely.area(border) > 0:
        raise GeographyError(f"{path.name} holds no polygon with an area", "Draw it again")
    return border


def _load(path: Path) -> geopandas.GeoDataFrame:
    import geopandas  # noqa: PLC0415 (heavy)
    from pyogrio.errors import DataLayerError, DataSourceError  # noqa: PLC0415 (heavy)
    from shapely.errors import ShapelyError  # noqa: PLC0415 (heavy)

    parquet = path.suffix.lower() in (".parquet", ".geoparquet")
    try:
        frame = geopandas.read_parquet(path) if parquet else geopandas.read_file(path)
    except (
        ValueError, OSError, LookupError, TypeError, DataLayerError, DataSourceError, ShapelyError
    ) as error:  # fmt: skip
        raise GeographyError(
            f"The polygon {path.name} cannot be read as geometry",
            "Give GeoJSON, GeoPackage, FlatGeobuf or GeoParquet",
        ) from error
    if not isinstance(frame, geopandas.GeoDataFrame) or frame.geometry.isna().all():
        raise GeographyError(f"{path.name} holds no polygon", "Draw the border as a polygon")
    return frame[[frame.geometry.name]]


def match_polygon(
    border: Any, areas: geopandas.GeoDataFrame, rule: Rule, where: str, code: str = "lsoa21cd"
) -> PolygonMatch:
    """Return the LSOAs that belong to a polygon.

    Parameters
    ----------
    border : shapely.Polygon or shapely.MultiPolygon
        Valid, in the areas' coordinate system.
    areas : geopandas.GeoDataFrame
        ``code`` and the polygons of every LSOA of the region, in a projected system.
    rule : {"most", "centre", "any"}
        ``most``: more than half of the LSOA's area lies in the polygon. ``centre``: a point on the
        LSOA's surface does, on the border included. ``any``: more than 1 % of the LSOA's area.
    where : str
        The file, for the message.

    Returns
    -------
    PolygonMatch

    Raises
    ------
    GeographyError
        If no LSOA belongs to it.
    """
    import numpy as np  # noqa: PLC0415 (only here, with the heavy ones)
    import shapely  # noqa: PLC0415 (heavy)

    shapes = np.asarray(areas.geometry.to_numpy(), dtype=object)
    shapely.prepare(border)
    near = np.flatnonzero(shapely.intersects(border, shapes))
    inside = shapely.area(shapely.intersection(shapes[near], border))
    size = shapely.area(border)
    outside = max(0.0, 1.0 - float(inside.sum()) / float(size))
    if rule == "centre":
        belongs = shapely.intersects(border, shapely.point_on_surface(shapes[near]))
    else:
        belongs = inside / shapely.area(shapes[near]) > (HALF if rule == "most" else SLIVER_SHARE)
    codes = tuple(sorted(areas[code].to_numpy()[near[belongs]].tolist()))
    if not codes:
        touched = f"touches {near.size} and, by the rule {rule}, holds none" if near.size else (
            "lies outside all"
        )  # fmt: skip
        raise GeographyError(
            f"The polygon of {where} {touched} of the region's LSOAs",
            "Check its coordinates and their system, or use another rule (any, centre, most)",
        )
    return PolygonMatch(codes, outside)
