"""What placing needs to be told, and the checks that it fits together.

Belongs here: the keys of the records, the reference tables, and their checks. Does not belong
here: the placing itself (`placement`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from declarations.errors import GeographyError
from geography.coordinates import BNG
from geography.placement.choice import OUTPUT_COLUMNS
from geography.sql import columns_of, ident, one_row, require_columns

if TYPE_CHECKING:
    import duckdb

    from geography.points import PointLocator

KEYS = ("uprn", "postcode", "point", "lsoa", "output_area", "practice", "district")
"""The keys a record can be placed by."""


@dataclass(frozen=True)
class PlacementKeys:
    """Which columns of the records say where they are.

    Attributes
    ----------
    by : tuple of str
        Order of precedence, out of `KEYS`.
    uprn, postcode, x, y, lsoa, output_area, practice, district : str or None
        Column names, None where the source has none. `x` and `y` are easting and northing
        (EPSG:27700) or longitude and latitude (WGS84), told apart row by row. `district` names the
        local authority of a record without an area; it never gives an area.
    date : str or None
        DATE column that says when the record happened; a postcode terminated later was live then.
    values : tuple of str
        Additive integer columns; empty in records mode.
    """

    by: tuple[str, ...]
    uprn: str | None = None
    postcode: str | None = None
    x: str | None = None
    y: str | None = None
    lsoa: str | None = None
    output_area: str | None = None
    practice: str | None = None
    district: str | None = None
    date: str | None = None
    values: tuple[str, ...] = ()

    def columns(self, key: str) -> tuple[str, ...]:
        """Columns of one key.

        Parameters
        ----------
        key : str
            One of `KEYS`.

        Returns
        -------
        tuple of str
            One name, or x and y.

        Raises
        ------
        GeographyError
            If a column is not given.
        """
        names = (self.x, self.y) if key == "point" else (getattr(self, key),)
        given = tuple(name for name in names if name is not None)
        if len(given) != len(names):
            raise GeographyError(
                f"Records are to be placed by {key}, but its column is not named",
                f"Name the column of {key} in the declaration, or take {key} out of the order",
            )
        return given


@dataclass(frozen=True)
class Reference:
    """Names of the reference tables or views on the same connection, None where absent.

    Attributes
    ----------
    areas : str
        lsoa21cd (unique), lad24cd: the region's areas.
    changes : str or None
        lsoa11cd, lsoa21cd, chgind, and weight BIGINT (`vintages.weighted_changes_sql`).
    known_lsoa21 : str or None
        lsoa21cd: all codes known nationally.
    postcodes : str or None
        pcds, doterm (VARCHAR YYYYMM, NULL = live), at least one of lsoa21cd, lsoa11cd, oa21cd;
        dointr (YYYYMM) where a postcode may have had several lives; quality (INTEGER, ONS scale 1
        to 9); easting and northing (EPSG:27700) if entries known by 2011 area alone are to be
        placed by their point.
    uprns : str or None
        uprn VARCHAR, lsoa21cd.
    output_areas : str or None
        oa21cd, lsoa21cd; also for postcodes of which only the output area is known.
    practice_weights : str or None
        practice_code, lsoa21cd, patients BIGINT.
    locator : PointLocator or None
        Areas in EPSG:27700 by lsoa21cd.
    """

    areas: str
    changes: str | None = None
    known_lsoa21: str | None = None
    postcodes: str | None = None
    uprns: str | None = None
    output_areas: str | None = None
    practice_weights: str | None = None
    locator: PointLocator | None = None


def check_inputs(
    con: duckdb.DuckDBPyConnection,
    records: str,
    keys: PlacementKeys,
    reference: Reference,
    into: str,
) -> None:
    """Refuse what cannot be placed, before anything is written.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the records and the reference tables.
    records, keys, reference, into
        As for `placement.place`.

    Raises
    ------
    GeographyError
        If keys, columns or reference tables do not fit together, or an identifier repeats.
    """
    _check_keys(keys, reference)
    check_not_overwritten(records, reference, into)
    wanted = ["record_id", *(name for key in keys.by for name in keys.columns(key))]
    if keys.date is not None:
        wanted.append(keys.date)
    require_columns(con, records, wanted)
    require_columns(con, records, keys.values, integer=True)
    if keys.date is not None:
        kind = columns_of(con, records)[keys.date.lower()]
        if kind != "DATE" and not kind.startswith("TIMESTAMP"):
            raise GeographyError(
                f"The column {keys.date} of {records} is to say when a record happened, and is no "
                "date",
                "Declare it as a date in the contract of the source",
            )
    clash = sorted(set(columns_of(con, records)) & set(OUTPUT_COLUMNS))
    if clash:
        raise GeographyError(
            f"The records {records} already have a column {', '.join(clash)}, which placing writes",
            "Rename the delivered column in the declaration of the source, for instance to lsoa",
        )
    _check_reference(con, keys, reference)
    _check_unique(con, records, "record_id")
    _check_unique(con, reference.areas, "lsoa21cd")


def check_not_overwritten(records: str, reference: Reference, into: str) -> None:
    """Refuse to write a result over a table that it is made from.

    Parameters
    ----------
    records : str
        The table of records.
    reference : Reference
    into : str
        Name of the table to write. DuckDB's names are the same in any case.

    Raises
    ------
    GeographyError
        If it is the name of the records or of a reference table.
    """
    read = [records, *(value for value in vars(reference).values() if isinstance(value, str))]
    if into.lower() in (name.lower() for name in read):
        raise GeographyError(
            f"The table {into} would be overwritten by a result that is made from it",
            "Give the result another name",
        )


def _check_keys(keys: PlacementKeys, reference: Reference) -> None:
    unknown = sorted(set(keys.by) - set(KEYS))
    if not keys.by or unknown or len(set(keys.by)) != len(keys.by):
        raise GeographyError(
            "The order of keys is empty, repeats a key or names one that does not exist",
            f"Use each of {', '.join(KEYS)} at most once",
        )
    if "practice" in keys.by and not keys.values:
        raise GeographyError(
            "Records without value columns cannot be placed by practice, which covers many areas",
            "Name the additive columns, or place the records by another key",
        )
    needed = {
        "uprn": reference.uprns,
        "postcode": reference.postcodes,
        "point": reference.locator,
        "output_area": reference.output_areas,
        "practice": reference.practice_weights,
    }
    absent = [key for key in keys.by if key in needed and needed[key] is None]
    if absent:
        raise GeographyError(
            f"There is no reference table for placing by {', '.join(absent)}",
            "Add the reference source to the region, or take the key out of the order",
        )


def _check_reference(
    con: duckdb.DuckDBPyConnection, keys: PlacementKeys, reference: Reference
) -> None:
    _check_locator(keys, reference)
    require_columns(con, reference.areas, ("lsoa21cd", "lad24cd"))
    if reference.changes is not None:
        require_columns(con, reference.changes, ("lsoa11cd", "lsoa21cd", "chgind"))
        if "weight" in columns_of(con, reference.changes):
            require_columns(con, reference.changes, ("weight",), integer=True)
    if reference.known_lsoa21 is not None:
        require_columns(con, reference.known_lsoa21, ("lsoa21cd",))
    if "uprn" in keys.by and reference.uprns is not None:
        require_columns(con, reference.uprns, ("uprn", "lsoa21cd"))
    if {"output_area", "postcode"} & set(keys.by) and reference.output_areas is not None:
        require_columns(con, reference.output_areas, ("oa21cd", "lsoa21cd"))
    if "practice" in keys.by and reference.practice_weights is not None:
        require_columns(con, reference.practice_weights, ("practice_code", "lsoa21cd"))
        require_columns(con, reference.practice_weights, ("patients",), integer=True)
    if "postcode" in keys.by and reference.postcodes is not None:
        require_columns(con, reference.postcodes, ("pcds", "doterm"))
        known = {"lsoa21cd", "lsoa11cd"} | ({"oa21cd"} if reference.output_areas else set())
        if not known & set(columns_of(con, reference.postcodes)):
            require_columns(con, reference.postcodes, ("lsoa21cd",))


def _check_locator(keys: PlacementKeys, reference: Reference) -> None:
    locator = reference.locator
    if locator is None or not {"point", "postcode"} & set(keys.by):
        return
    if locator.epsg != BNG:
        given = "no known system" if locator.epsg is None else f"EPSG:{locator.epsg}"
        raise GeographyError(
            f"The areas for placing by point are in {given}",
            "Read them with geography.boundaries.read_boundaries, which brings them to EPSG:27700",
        )


def _check_unique(con: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
    rows, distinct = one_row(
        con, f"SELECT count(*), count(DISTINCT {ident(column)}) FROM {ident(table)}"
    )
    if rows != distinct:
        raise GeographyError(
            f"The column {column} of {table} is missing or repeated in {rows - distinct} rows",
            f"Give every row of {table} its own {column}",
        )
