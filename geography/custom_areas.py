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

import numpy as np

from declarations.errors import GeographyError
from geography.boundaries.crs import settle_crs
from geography.boundaries.files import load_shapes
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

WIDEST_DEGREES, WIDEST_METRES = 30.0, 2_000_000.0
"""Extent of what is no area of a region: Great Britain has 10 degrees and 1,300 km."""

EXCHANGED = "See whether longitude and latitude are exchanged, and which system they are in"
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
        EPSG code, where the file does not say; the rules are those of `boundaries.crs`: GeoJSON
        without a name is longitude and latitude, and coordinates too large for that are refused.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Valid, in EPSG:27700.

    Raises
    ------
    GeographyError
        If the file is not there, too large, unreadable, in a coordinate system that is not used
        here or not declared, or holds no polygon; if a corner is no number, or the polygon covers
        far more than a region.
    """
    import shapely  # noqa: PLC0415 (heavy)
    from shapely.errors import GEOSException  # noqa: PLC0415 (heavy)

    if not path.is_file():
        raise GeographyError(
            f"The polygon {path.name} is not there",
            "Put the file in place, or give the area another with 'lsoalink area add --force'",
        )
    if path.stat().st_size > LARGEST_POLYGON_FILE:
        raise GeographyError(
            f"{path.name} is larger than {LARGEST_POLYGON_FILE // 1_000_000} MB",
            "Simplify the border first; an area follows whole LSOAs anyway",
        )
    frame = load_shapes(path, "polygon")
    frame = frame[frame.geom_type.isin(POLYGONS)]
    if not len(frame):
        raise GeographyError(
            f"{path.name} holds no polygon", "Draw the border as a closed polygon, not as a line"
        )
    with np.errstate(invalid="ignore"):
        _check_numbers(frame, path)
        epsg = settle_crs(frame, path, crs, "corners of the polygon")
        frame = frame.set_crs(epsg, allow_override=True)
        _check_extent(frame, path, WIDEST_DEGREES if frame.crs.is_geographic else WIDEST_METRES)
        if epsg != BNG:
            frame = frame.to_crs(BNG)
        if not np.isfinite(frame.total_bounds).all():
            raise GeographyError(f"The polygon {path.name} lies outside Great Britain", EXCHANGED)
        try:
            valid = shapely.make_valid(shapely.force_2d(frame.geometry.to_numpy()))
            shapes = shapely.get_parts(valid)
            border = shapely.union_all(shapes[shapely.get_dimensions(shapes) == SURFACE])
        except GEOSException:
            raise GeographyError(
                f"The polygon {path.name} cannot be repaired", "Draw it again"
            ) from None
    if shapely.is_empty(border) or not shapely.area(border) > 0:
        raise GeographyError(f"{path.name} holds no polygon with an area", "Draw it again")
    return border


def _check_numbers(frame: geopandas.GeoDataFrame, path: Path) -> None:
    import shapely  # noqa: PLC0415 (heavy)

    corners = shapely.get_coordinates(frame.geometry.to_numpy())
    wrong = int((~np.isfinite(corners).all(axis=1)).sum())
    if wrong:
        raise GeographyError(
            f"The polygon {path.name} has {wrong} corners whose coordinates are no numbers",
            "Draw it again",
        )


def _check_extent(frame: geopandas.GeoDataFrame, path: Path, widest: float) -> None:
    left, bottom, right, top = frame.total_bounds
    if max(right - left, top - bottom) > widest:
        raise GeographyError(
            f"The polygon {path.name} covers far more than the region",
            "Draw the border of the area alone",
        )


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
        if not near.size:
            raise GeographyError(
                f"The polygon of {where} lies outside all of the region's LSOAs", EXCHANGED
            )
        raise GeographyError(
            f"The polygon of {where} touches {near.size} and, by the rule {rule}, holds none of "
            "the region's LSOAs",
            "Check its coordinates and their system, or use another rule (any, centre, most)",
        )
    return PolygonMatch(codes, outside)
