"""The part of placing that needs geometry: distinct coordinates out of DuckDB, codes back in.

Belongs here: the look-up table of points, and the points of postcodes known by a split area of 2011
alone. Does not belong here: point in polygon itself (`points`), or the choice of keys (`choice`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geography.coordinates import KINDS, classify, to_bng
from geography.sql import ident, one_row

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from geography.placement.scratch import Scratch
    from geography.points import PointLocator

LOST_DIGITS = ((10, 10), (100, 100), (1000, 1000), (10, 1), (1, 10), (100, 1), (1, 100))
"""By how much easting and northing may be too small where digits were cut off."""
FEWER_DIGITS = 130_000
"""Largest northing of Great Britain, metres, with a digit cut off; eastings are smaller."""

POINTS_AT_A_TIME = 1_000_000
"""Distinct coordinates taken out of DuckDB at a time."""


def locate_points(
    locator: PointLocator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.bool_]]:
    """Area or reason of each coordinate pair, each read in its own coordinate system.

    Parameters
    ----------
    locator : PointLocator
        Areas in EPSG:27700; its tolerance says how far outside every area a point may lie.
    x, y : ndarray of float64, shape (n,)
        Easting and northing, or longitude and latitude.

    Returns
    -------
    tuple of ndarray of object, ndarray of object and ndarray of bool, shape (n,)
        Code or None; reason or None: point_missing, point_swapped, point_truncated, point_outside;
        whether the point has the nearest area because it is just outside all of them. Exchanged
        coordinates are reported and not put right: the file's columns need its owner.
    """
    kinds = classify(x, y)
    codes: NDArray[np.object_] = np.full(len(x), None, dtype=object)
    snapped = np.zeros(len(x), dtype=bool)
    reasons: NDArray[np.object_] = np.full(len(x), "point_outside", dtype=object)
    grid = kinds == KINDS.index("bng")
    codes[grid], snapped[grid] = locator.locate_or_snap(x[grid], y[grid])
    degrees = kinds == KINDS.index("wgs84")
    if degrees.any():
        projected = to_bng(x[degrees], y[degrees])
        codes[degrees], snapped[degrees] = locator.locate_or_snap(*projected)
    # Ranges alone cannot tell: what an exchange or a lost digit would make of a pair decides.
    in_metres = np.isin(kinds, [KINDS.index(k) for k in ("bng", "truncated", "unknown")])
    lost = np.flatnonzero(in_metres & ~_found(codes))
    truncated = lost[_is_truncated(locator, x[lost], y[lost])]
    swapped = lost[_found(locator.locate(y[lost], x[lost]))]
    reasons[kinds == KINDS.index("truncated")] = "point_truncated"
    reasons[truncated] = "point_truncated"
    reasons[swapped] = "point_swapped"
    reasons[kinds == KINDS.index("wgs84_swapped")] = "point_swapped"
    reasons[kinds == KINDS.index("missing")] = "point_missing"
    reasons[_found(codes)] = None
    return codes, reasons, snapped


def _is_truncated(
    locator: PointLocator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether a pair in no area would be in one if either or both had a digit or two more."""
    found = np.zeros(len(x), dtype=bool)
    for more_x, more_y in LOST_DIGITS:
        small = (more_x == 1) | (np.abs(x) < FEWER_DIGITS)
        small &= (more_y == 1) | (np.abs(y) < FEWER_DIGITS)
        tried = np.flatnonzero(small & ~found)
        found[tried] = _found(locator.locate(x[tried] * more_x, y[tried] * more_y))
    return found


def look_up_points(
    con: duckdb.DuckDBPyConnection,
    scratch: Scratch,
    records: str,
    columns: tuple[str, str],
    locator: PointLocator,
    areas: str,
) -> str:
    """Make the look-up table of the records' distinct coordinates.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the records and the areas.
    scratch : Scratch
        Takes the table.
    records : str
        Table with the coordinate columns.
    columns : tuple of two str
        x and y.
    locator : PointLocator
        Areas in EPSG:27700.
    areas : str
        Table of the region's areas with lsoa21cd.

    Returns
    -------
    str
        Name of a table like those of `lookups`, with x and y in place of raw. A point in an area of
        the locator that is not in `areas` is out_of_region.
    """
    import pyarrow as pa  # noqa: PLC0415 (heavy)

    distinct = scratch.table("points_distinct", _distinct_points_sql(records, *columns))
    found = scratch.table(
        "points_found",
        "SELECT 0.0::DOUBLE AS x, 0.0::DOUBLE AS y, '' AS lsoa21cd, '' AS reason,"
        " false AS snapped WHERE false",
    )
    (total,) = one_row(con, f"SELECT count(*) FROM {ident(distinct)}")
    for start in range(0, total, POINTS_AT_A_TIME):
        chunk = con.execute(
            f"SELECT x, y FROM {ident(distinct)} WHERE pid > ? AND pid <= ?",
            [start, start + POINTS_AT_A_TIME],
        ).fetchnumpy()
        x, y = np.ma.getdata(chunk["x"]), np.ma.getdata(chunk["y"])
        codes, reasons, snapped = locate_points(locator, x, y)
        columns_found = {
            "x": x,
            "y": y,
            "lsoa21cd": pa.array(codes, pa.string()),
            "reason": pa.array(reasons, pa.string()),
            "snapped": snapped,
        }
        scratch.insert(found, pa.table(columns_found))
    return scratch.table("point", _points_sql(found, areas))


def look_up_split_postcodes(
    con: duckdb.DuckDBPyConnection,
    scratch: Scratch,
    matches: str,
    conversions: str,
    locator: PointLocator | None,
) -> str:
    """Place by their own point the postcodes of which only a split area of 2011 is known.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the tables.
    scratch : Scratch
        Takes the table.
    matches : str
        Table made by `lookups.postcode_matches_sql`.
    conversions : str
        Table made by `vintages.conversions_sql`.
    locator : PointLocator or None
        Areas in EPSG:27700; without it the table is empty.

    Returns
    -------
    str
        Name of a table raw, lsoa21cd (NULL where the point is in no area).
    """
    import pyarrow as pa  # noqa: PLC0415 (heavy)

    located = scratch.table("postcode_located", "SELECT '' AS raw, '' AS lsoa21cd WHERE false")
    if locator is None:
        return located
    found = con.execute(_split_postcodes_sql(matches, conversions)).to_arrow_table()
    codes = locator.locate(
        found.column("easting").to_numpy(zero_copy_only=False),
        found.column("northing").to_numpy(zero_copy_only=False),
    )
    scratch.insert(
        located,
        pa.table({"raw": found.column("raw"), "lsoa21cd": pa.array(codes, pa.string())}),
    )
    return located


def _distinct_points_sql(records: str, x: str, y: str) -> str:
    return f"""
WITH pairs AS (
    SELECT DISTINCT TRY_CAST({ident(x)} AS DOUBLE) AS x, TRY_CAST({ident(y)} AS DOUBLE) AS y
    FROM {ident(records)}
)
SELECT x, y, row_number() OVER () AS pid FROM pairs WHERE x IS NOT NULL AND y IS NOT NULL
"""


def _points_sql(found: str, areas: str) -> str:
    return f"""
SELECT f.x, f.y, a.lsoa21cd AS area, CAST(NULL AS VARCHAR) AS split_key, 'point' AS method,
    CASE WHEN a.lsoa21cd IS NULL THEN coalesce(f.reason, 'out_of_region') END AS reason,
    CASE WHEN f.snapped AND a.lsoa21cd IS NOT NULL THEN 'point_snapped' END AS flag,
    'none' AS conversion
FROM {ident(found)} f LEFT JOIN {ident(areas)} a ON a.lsoa21cd = f.lsoa21cd
"""


def _split_postcodes_sql(matches: str, conversions: str) -> str:
    return f"""
SELECT m.raw, m.easting, m.northing
FROM {ident(matches)} m JOIN {ident(conversions)} c ON c.lsoa11cd = m.lsoa11cd
WHERE m.lsoa21cd IS NULL AND c.target IS NULL
    AND m.easting IS NOT NULL AND m.northing IS NOT NULL
"""


def _found(codes: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([code is not None for code in codes], dtype=bool)
