"""Reading the directories of postcodes and of UPRNs, under the headings they were published with.

Belongs here: which heading is which column of ours, in which vintage, and one query that gives any
of the directories one layout. Does not belong here: what a typed postcode means (`postcodes`), or
how a record is placed by an entry (`placement`).

==============  ====================================================================================
onspd           ONS Postcode Directory and National Statistics Postcode Lookup (both have the same
                headings but for ``oscty, oslaua, osward`` / ``cty, laua, ward``): old names to
                February 2025 (``pcd, pcd2, pcds, oseast1m, osgrdind, lsoa21``), vintaged names from
                May 2025 (``pcd7, pcds, east1m, gridind, lsoa21cd, lad25cd``)
oa_lookup       ONS postcode to OA, LSOA, MSOA and LAD: no positions, no quality; the issue of May
                2022 has areas of 2011
codepoint       OS Code-Point Open: positions and their quality, no LSOA; its files have no headings
                of their own, they are in ``Code-Point_Open_Column_Headers.csv``, short ones in the
                first row and long ones in the second
uprn            ONS UPRN Directory and National Statistics UPRN Lookup
==============  ====================================================================================

Two scales of quality are kept apart. `quality` is that of ONS (``osgrdind``, later ``gridind``): 1
within the building of the matched address nearest the postcode's mean, up to 6; 8 the mean of the
sector or of a terminated postcode, 9 no position; 6 and better will do for a map. `point_quality`
is that of Code-Point Open: 10 the best, 60 of the sector, 90 none.

Postcodes of Northern Ireland (BT) have positions on the Irish grid, which this project does not
read: theirs are missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from declarations.errors import GeographyError
from geography.postal.postcodes import normalise_sql
from geography.postal.uprns import twelve_digits_sql
from geography.sql import columns_of, ident

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

DirectoryKind = Literal["onspd", "oa_lookup", "codepoint", "uprn"]

COLUMN_ALIASES: dict[str, tuple[str, ...]] = {
    "uprn": ("uprn",),
    "pcds": ("pcds", "pcd8", "pcd2", "pcd7", "pcd", "postcode", "pc"),
    "dointr": ("dointr",),
    "doterm": ("doterm",),
    "easting": ("east1m", "oseast1m", "eastings", "ea", "gridgb1e", "easting"),
    "northing": ("north1m", "osnrth1m", "northings", "no", "gridgb1n", "northing"),
    "latitude": ("lat", "latitude"),
    "longitude": ("long", "longitude"),
    "quality": ("gridind", "osgrdind", "quality"),
    "point_quality": ("positional_quality_indicator", "pq"),
    "oa11cd": ("oa11cd", "oa11"),
    "oa21cd": ("oa21cd", "oa21"),
    "lsoa11cd": ("lsoa11cd", "lsoa11"),
    "lsoa21cd": ("lsoa21cd", "lsoa21"),
    "msoa11cd": ("msoa11cd", "msoa11"),
    "msoa21cd": ("msoa21cd", "msoa21"),
}
"""Our column to the headings it is published under, lower case, the first found counting. Our own
names are last, for a directory that has been through admission."""

UNVINTAGED_ALIASES: dict[str, tuple[str, ...]] = {
    "lad": ("oslaua", "laua", "ladcd"),
    "wd": ("osward", "ward"),
    "cty": ("oscty", "cty"),
    "ced": ("ced",),
    "ctry": ("ctry",),
    "rgn": ("rgn",),
    "icb": ("icb", "stp"),
    "sicbl": ("sicbl", "ccg"),
    "nhser": ("nhser",),
    "pcon": ("pcon",),
    "pfa": ("pfa",),
    "ttwa": ("ttwa",),
    "itl": ("itl", "nuts"),
}
"""Kind of area to its old headings, which do not say of which year its codes are."""

VINTAGED = re.compile(
    r"(lad|icb|sicbl|ctry|rgn|wd|cty|ced|nhser|pcon|pfa|ttwa|itl|bua|npark|parncp|lep)(\d{2})cd"
)
"""A heading since May 2025: kind of area and year of its codes."""

MISSING_LATITUDE = 99.0
"""Latitudes from here on (published: 99.999999, with longitude 0) mean that there is none."""

DIRECTORY_COLUMNS = (
    ("pcds", "VARCHAR"),
    ("dointr", "VARCHAR"),
    ("doterm", "VARCHAR"),
    ("easting", "DOUBLE"),
    ("northing", "DOUBLE"),
    ("latitude", "DOUBLE"),
    ("longitude", "DOUBLE"),
    ("quality", "INTEGER"),
    ("point_quality", "INTEGER"),
    ("oa11cd", "VARCHAR"),
    ("oa21cd", "VARCHAR"),
    ("lsoa11cd", "VARCHAR"),
    ("lsoa21cd", "VARCHAR"),
    ("msoa11cd", "VARCHAR"),
    ("msoa21cd", "VARCHAR"),
)
"""What `select_directory_sql` gives, and types; UPRN directories have `uprn` before these."""


@dataclass(frozen=True)
class DirectoryLayout:
    """Which heading of a directory is which column.

    Attributes
    ----------
    kind : str
        onspd, oa_lookup, codepoint or uprn.
    columns : dict of str to str
        Our name to the heading as it stands in the file. Areas beyond those of `COLUMN_ALIASES` are
        named with their vintage (lad25cd), or without where the heading has none (ladcd).
    vintages : dict of str to int or None
        Kind of area (lad, wd, icb, …) to the year of its codes; None where the heading does not
        say.
    """

    kind: DirectoryKind
    columns: dict[str, str]
    vintages: dict[str, int | None] = field(default_factory=dict)


def directory_columns(headings: Sequence[str]) -> DirectoryLayout:
    """Recognise a directory by its headings.

    Parameters
    ----------
    headings : sequence of str
        As in the file, in any case; blanks around them and a byte order mark do not count.

    Returns
    -------
    DirectoryLayout

    Raises
    ------
    GeographyError
        If there is no column of postcodes or UPRNs, or nothing that says where they are; naming
        what is missing.
    """
    found: dict[str, str] = {}
    for heading in headings:
        found.setdefault(heading.replace("\ufeff", "").strip().lower(), heading)
    columns = {
        ours: found[alias]
        for ours, aliases in COLUMN_ALIASES.items()
        for alias in [next((a for a in aliases if a in found), "")]
        if alias
    }
    vintages: dict[str, int | None] = {}
    for plain, heading in found.items():
        match = VINTAGED.fullmatch(plain)
        if match is not None:
            columns[plain] = heading
            vintages[match[1]] = 2000 + int(match[2])
    for base, aliases in UNVINTAGED_ALIASES.items():
        alias = next((a for a in aliases if a in found), None)
        if alias is not None and base not in vintages:
            columns[f"{base}cd"] = found[alias]
            vintages[base] = None
    return DirectoryLayout(_kind_of(columns), columns, vintages)


def select_directory_sql(
    con: duckdb.DuckDBPyConnection, table: str, headings: Sequence[str] | None = None
) -> str:
    """SQL that gives a directory as published our columns, types and idea of missing.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        The connection that holds `table`.
    table : str
        The directory as read.
    headings : sequence of str, optional
        Headings of its columns in order, where the file had none (Code-Point Open).

    Returns
    -------
    str
        A query for `DIRECTORY_COLUMNS`, NULL where the directory has no such column; before them
        uprn, twelve digits, if it is a directory of UPRNs. Postcodes are in normal form; positions
        that mean "none" (latitude 99.999999, easting or northing 0) and those on the Irish grid
        (BT) are NULL.

    Raises
    ------
    GeographyError
        If the layout is not known, or there are more headings than columns.
    """
    there = list(columns_of(con, table))
    given = list(headings) if headings is not None else there
    if len(given) > len(there):
        raise GeographyError(
            f"The directory {table} has {len(there)} columns and {len(given)} headings",
            "Take the file of headings that came with it",
        )
    actual = dict(zip(given, there, strict=False))
    try:
        layout = directory_columns(given)
    except GeographyError as error:
        raise GeographyError(f"{table}: {error.problem}", error.fix) from None
    taken = {ours: ident(actual[heading]) for ours, heading in layout.columns.items()}
    selected = [
        f"{_value_sql(ours, kind, taken)} AS {ours}"
        for ours, kind in DIRECTORY_COLUMNS
    ]  # fmt: skip
    if layout.kind == "uprn":
        selected.insert(0, f"{twelve_digits_sql(taken['uprn'])} AS uprn")
    return f"SELECT {', '.join(selected)} FROM {ident(table)}"


def _kind_of(columns: dict[str, str]) -> DirectoryKind:
    areas = {"oa11cd", "oa21cd", "lsoa11cd", "lsoa21cd"} & columns.keys()
    if "uprn" in columns:
        _require(bool(areas), columns, "an output area or LSOA of each UPRN")
        return "uprn"
    _require("pcds" in columns, columns, "the postcode", *COLUMN_ALIASES["pcds"])
    position = {"easting", "northing"} <= columns.keys()
    if not areas:
        _require(position, columns, "an LSOA, an output area or a position of each postcode")
        _require("point_quality" in columns, columns, "an LSOA or output area of each postcode")
        return "codepoint"
    _require(
        {"dointr", "doterm"} <= columns.keys(),
        columns,
        "when a postcode was introduced and terminated",
        "dointr",
        "doterm",
    )
    return "onspd" if position or "latitude" in columns else "oa_lookup"


def _require(there: bool, columns: dict[str, str], what: str, *headings: str) -> None:
    if there:
        return
    known = ", ".join(sorted(columns)) or "none"
    one_of = f" ({', '.join(headings)})" if headings else ""
    raise GeographyError(
        f"The directory has no column for {what}{one_of}; of the columns known it has: {known}",
        "Use ONSPD, NSPL, the ONS postcode to LSOA lookup, Code-Point Open with its file of "
        "headings, ONSUD or NSUL, with the headings they were published with",
    )


def _value_sql(ours: str, kind: str, taken: dict[str, str]) -> str:
    if ours not in taken:
        return f"CAST(NULL AS {kind})"
    text = f"nullif(trim(CAST({taken[ours]} AS VARCHAR)), '')"
    if ours == "pcds":
        return normalise_sql(taken[ours])
    if ours.endswith("cd"):
        return f"upper({text})"
    if kind == "VARCHAR":
        return text
    number = f"TRY_CAST({text} AS {kind})"
    if ours in ("easting", "northing"):
        irish = "false"
        if "pcds" in taken:
            irish = f"starts_with(upper(trim(CAST({taken['pcds']} AS VARCHAR))), 'BT')"
        return f"CASE WHEN NOT coalesce({irish}, false) THEN nullif({number}, 0) END"
    if ours in ("latitude", "longitude") and "latitude" in taken:
        latitude = f"TRY_CAST(trim(CAST({taken['latitude']} AS VARCHAR)) AS DOUBLE)"
        return f"CASE WHEN {latitude} < {MISSING_LATITUDE} THEN {number} END"
    return number
