"""Places every row of a DuckDB table in a 2021 LSOA of the region, or says why it cannot.

Belongs here: the order of the work, and the proof that nothing was lost. Does not belong here: what
must be told (`inputs`), what one key means (`lookups`), how a key is chosen (`choice`), how a count
is split (`changes.apportionment`).

Two modes. In *records* mode each row is one record and is in at most one area. In *values* mode a
row carries additive counts and may be split over areas: a practice over the LSOAs of its patients,
a 2011 area over its 2021 children. Both end with a check: what was placed and what was not add up
to what was received.

Everything works on the distinct values of the key columns, in DuckDB; Python sees only the distinct
coordinates of the records that no earlier key decides, in chunks. The vintage of LSOA codes is
detected, never believed.

What comes out, beside the columns of the records:

==============  ====================================================================================
lsoa21cd        the area, NULL if not placed
lad24cd         its local authority; without an area, the one the record names, if any
geo_method      uprn, postcode_exact, postcode_terminated, oa_bestfit (a postcode by its output
                area), point, lsoa_code, lsoa11_code, output_area, practice_apportioned; none if not
                placed
geo_reason      NULL if placed; else no_location, out_of_region, zz99_no_fixed_abode and the other
                zz99 kinds, postcode_missing, postcode_invalid, postcode_unknown, postcode_no_area,
                uprn_missing, uprn_invalid, uprn_unknown, point_missing, point_outside,
                point_swapped, point_truncated, lsoa_missing, lsoa_pseudo, lsoa_unknown,
                lsoa11_split, lsoa11_complex, output_area_missing, output_area_unknown,
                practice_missing, practice_unknown, district_only (known by its district alone),
                district_missing, district_unknown, value_missing
geo_conversion  none, merged, split_weighted, complex; NULL if not placed
geo_flag        postcode_repaired, uprn_repaired, vintage_2011, or NULL
geo_quality     where the postcode decided: the quality of its grid reference, ONS scale: 1 within
                the building of the matched address, up to 6; 8 of the sector or terminated, 9 none;
                NULL where another key decided or the directory does not say
==============  ====================================================================================
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from declarations.errors import GeographyError
from geography.changes.apportionment import apportion_sql
from geography.changes.vintages import conversions_sql
from geography.codes import VintageDetection, decide_vintage, vintage_counts_sql
from geography.placement import choice, lookups
from geography.placement.inputs import PlacementKeys, Reference, check_inputs
from geography.placement.point_lookup import look_up_points, look_up_split_postcodes
from geography.placement.scratch import Scratch
from geography.sql import columns_of, ident, one_row

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class PlacementReport:
    """What became of the rows and values of one table.

    Attributes
    ----------
    received, placed : int
        Records; in values mode a record counts as placed if any part of it is.
    rows : int
        Rows written: as many as received in records mode, more where records were split.
    by_method, by_reason, by_flag : dict of str to int
        Rows written by `geo_method`, `geo_reason` and `geo_flag`, those without left out.
    vintage : VintageDetection or None
        Of the LSOA column, where there is one.
    values_received, values_placed, values_not_placed : dict of str to int
        Totals by value column.
    """

    received: int
    placed: int
    rows: int
    by_method: dict[str, int]
    by_reason: dict[str, int]
    by_flag: dict[str, int]
    vintage: VintageDetection | None = None
    values_received: dict[str, int] = field(default_factory=dict)
    values_placed: dict[str, int] = field(default_factory=dict)
    values_not_placed: dict[str, int] = field(default_factory=dict)

    @property
    def not_placed(self) -> int:
        """Records of which no part is in an area."""
        return self.received - self.placed

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, for metadata and JSON; no value of any record."""
        return asdict(self) | {"not_placed": self.not_placed}


def place(
    con: duckdb.DuckDBPyConnection,
    records: str,
    keys: PlacementKeys,
    reference: Reference,
    into: str,
) -> PlacementReport:
    """Place every row of a table, and write the result as a new table.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the records and the reference tables, and takes the result.
    records : str
        Table or view with a unique BIGINT `record_id`.
    keys : PlacementKeys
        Where its columns say the records are.
    reference : Reference
        What is known about areas.
    into : str
        Name of the table to create or replace.

    Returns
    -------
    PlacementReport
        Counts and totals, checked: placed and not placed make up what was received.

    Raises
    ------
    GeographyError
        If keys, columns or reference tables do not fit together, `record_id` or the areas repeat,
        or the totals do not agree.
    """
    check_inputs(con, records, keys, reference, into)
    with Scratch(con, into) as scratch:
        known = _KnownAreas.prepare(con, scratch, reference)
        vintage = _detect_vintage(con, records, keys, reference)
        tried: list[choice.Lookup] = []
        for key in keys.by:
            if key == "point":
                look_up = _look_up_points(con, scratch, records, keys, reference, tried)
            else:
                look_up = _look_up(con, scratch, key, records, keys, reference, known, vintage)
            tried.append(look_up)
        chosen = scratch.table("chosen", choice.chosen_sql(records, tried, keys.date))
        parts = None
        if keys.values:
            parts = _split(con, scratch, records, chosen, keys, reference, known)
        district = keys.district if "district" in keys.by else None
        result = choice.placed_sql(records, chosen, reference.areas, keys.values, parts, district)
        con.execute(f"CREATE OR REPLACE TABLE {ident(into)} AS {result}")
    return _report(con, records, into, keys, vintage)


@dataclass(frozen=True)
class _KnownAreas:
    """Names of the prepared tables that several keys need; empty where nothing is known."""

    changes: str
    conversions: str
    lsoa21: str
    weighted: bool

    @classmethod
    def prepare(
        cls, con: duckdb.DuckDBPyConnection, scratch: Scratch, reference: Reference
    ) -> _KnownAreas:
        if reference.changes is None:
            changes = scratch.table("changes", _no_changes_sql())
            weighted = False
        else:
            changes = reference.changes
            weighted = "weight" in columns_of(con, changes)
        sources = [reference.areas, changes]
        if reference.known_lsoa21 is not None:
            sources.append(reference.known_lsoa21)
        return cls(
            changes,
            scratch.table(
                "conversions", conversions_sql(changes, reference.areas, weighted=weighted)
            ),
            scratch.table("known", _known_lsoa21_sql(sources)),
            weighted,
        )


def _no_changes_sql() -> str:
    return """
SELECT '' AS lsoa11cd, '' AS lsoa21cd, '' AS chgind WHERE false
"""


def _no_output_areas_sql() -> str:
    return "SELECT '' AS oa21cd, '' AS lsoa21cd WHERE false"


def _known_lsoa21_sql(tables: list[str]) -> str:
    selects = (f"SELECT lsoa21cd FROM {ident(t)} WHERE lsoa21cd IS NOT NULL" for t in tables)
    return " UNION ".join(selects)


def _detect_vintage(
    con: duckdb.DuckDBPyConnection, records: str, keys: PlacementKeys, reference: Reference
) -> VintageDetection | None:
    if "lsoa" not in keys.by or keys.lsoa is None:
        return None
    if reference.changes is None:
        return VintageDetection("unknown", 0.0, 0, 0, 0, 0)
    counts = one_row(con, vintage_counts_sql(records, keys.lsoa, reference.changes))
    return decide_vintage(*(int(n) for n in counts))


def _look_up(
    con: duckdb.DuckDBPyConnection,
    scratch: Scratch,
    key: str,
    records: str,
    keys: PlacementKeys,
    reference: Reference,
    known: _KnownAreas,
    vintage: VintageDetection | None,
) -> choice.Lookup:
    """Make the look-up table of one key."""
    columns = keys.columns(key)
    areas = reference.areas
    raw = scratch.table(f"{key}_raw", lookups.raw_values_sql(records, columns[0]))
    if key == "postcode":
        query = _postcode_query(con, scratch, raw, keys, reference, known)
    elif key == "lsoa":
        query = lookups.lsoa_sql(
            raw,
            areas,
            known.conversions,
            known.lsoa21,
            file_is_2011=vintage is not None and vintage.vintage == "2011",
            with_values=bool(keys.values),
        )
    elif key == "uprn":
        query = lookups.uprn_sql(raw, str(reference.uprns), areas)
    elif key == "output_area":
        query = lookups.output_area_sql(raw, str(reference.output_areas), areas)
    elif key == "district":
        query = lookups.district_sql(raw, areas)
    else:
        query = lookups.practice_sql(raw, str(reference.practice_weights))
    return choice.Lookup(key, scratch.table(key, query), columns)


def _look_up_points(
    con: duckdb.DuckDBPyConnection,
    scratch: Scratch,
    records: str,
    keys: PlacementKeys,
    reference: Reference,
    before: list[choice.Lookup],
) -> choice.Lookup:
    """Make the look-up table of the points of the records that no earlier key has decided."""
    x, y = keys.columns("point")
    if reference.locator is None:
        raise GeographyError("There is no locator for placing by point")
    open_records = records
    if before:
        query = choice.undecided_sql(records, before, (x, y), keys.date)
        open_records = scratch.table("points_open", query)
    table = look_up_points(con, scratch, open_records, (x, y), reference.locator, reference.areas)
    return choice.Lookup("point", table, (x, y))


def _postcode_query(
    con: duckdb.DuckDBPyConnection,
    scratch: Scratch,
    raw: str,
    keys: PlacementKeys,
    reference: Reference,
    known: _KnownAreas,
) -> str:
    postcodes = str(reference.postcodes)
    typed = scratch.table("postcode_typed", lookups.typed_postcodes_sql(raw))
    output_areas = reference.output_areas or scratch.table("output_areas", _no_output_areas_sql())
    entries = scratch.table(
        "postcode_entries",
        lookups.postcode_entries_sql(
            typed,
            postcodes,
            output_areas,
            columns=frozenset(columns_of(con, postcodes)),
            dated=keys.date is not None,
        ),
    )
    located = look_up_split_postcodes(con, scratch, entries, known.conversions, reference.locator)
    return lookups.postcode_sql(
        typed,
        entries,
        reference.areas,
        known.conversions,
        known.changes,
        located,
        with_values=bool(keys.values),
    )


def _split(
    con: duckdb.DuckDBPyConnection,
    scratch: Scratch,
    records: str,
    chosen: str,
    keys: PlacementKeys,
    reference: Reference,
    known: _KnownAreas,
) -> str | None:
    """Split what must be split; None where nothing must."""
    rows = scratch.table("split_rows", choice.split_rows_sql(records, chosen, keys.values))
    (count,) = one_row(con, f"SELECT count(*) FROM {ident(rows)}")
    if not count:
        return None
    practices = reference.practice_weights if "practice" in keys.by else None
    weights = scratch.table(
        "split_weights", _weights_sql(known.changes if known.weighted else None, practices)
    )
    parts = scratch.table(
        "split_parts",
        apportion_sql(rows, "split_key", "lsoa21cd", "weight", keys.values, weights),
    )
    return scratch.table("split_areas", choice.split_parts_sql(parts, reference.areas, keys.values))


def _weights_sql(changes: str | None, practices: str | None) -> str:
    selects = []
    if changes is not None:
        selects.append(
            f"SELECT '{lookups.SPLIT_LSOA11}' || lsoa11cd AS split_key, lsoa21cd, weight"
            f" FROM {ident(changes)}"
        )
    if practices is not None:
        selects.append(
            f"SELECT '{lookups.SPLIT_PRACTICE}' || practice_code AS split_key, lsoa21cd,"
            f" patients AS weight FROM {ident(practices)}"
        )
    return " UNION ALL ".join(selects)


def _report(
    con: duckdb.DuckDBPyConnection,
    records: str,
    into: str,
    keys: PlacementKeys,
    vintage: VintageDetection | None,
) -> PlacementReport:
    received, *before = one_row(con, _received_sql(records, keys.values))
    rows, seen, placed, *after = one_row(con, _outcome_sql(into, keys.values))
    values_received = dict(zip(keys.values, map(int, before), strict=True))
    values_placed = dict(zip(keys.values, map(int, after[::2]), strict=True))
    values_not_placed = dict(zip(keys.values, map(int, after[1::2]), strict=True))
    lost = [
        name
        for name, total in values_received.items()
        if values_placed[name] + values_not_placed[name] != total
    ]
    if seen != received or (not keys.values and rows != received) or lost:
        what = f"the totals of {', '.join(lost)}" if lost else "the number of records"
        raise GeographyError(
            f"Placing {records} changed {what}; nothing of it may be used",
            "Report this fault with the declaration of the source",
        )
    return PlacementReport(
        received=received,
        placed=placed,
        rows=rows,
        by_method=_counts(con, into, "geo_method"),
        by_reason=_counts(con, into, "geo_reason"),
        by_flag=_counts(con, into, "geo_flag"),
        vintage=vintage,
        values_received=values_received,
        values_placed=values_placed,
        values_not_placed=values_not_placed,
    )


def _received_sql(records: str, values: tuple[str, ...]) -> str:
    sums = "".join(f", coalesce(sum({ident(v)}), 0)" for v in values)
    return f"SELECT count(*){sums} FROM {ident(records)}"


def _outcome_sql(into: str, values: tuple[str, ...]) -> str:
    sums = "".join(
        f", coalesce(sum({ident(v)}) FILTER (lsoa21cd IS NOT NULL), 0)"
        f", coalesce(sum({ident(v)}) FILTER (lsoa21cd IS NULL), 0)"
        for v in values
    )
    return (
        "SELECT count(*), count(DISTINCT record_id),"
        f" count(DISTINCT record_id) FILTER (lsoa21cd IS NOT NULL){sums} FROM {ident(into)}"
    )


def _counts(con: duckdb.DuckDBPyConnection, table: str, column: str) -> dict[str, int]:
    found = con.execute(
        f"SELECT {ident(column)}, count(*) FROM {ident(table)}"
        f" WHERE {ident(column)} IS NOT NULL GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return dict(Counter(dict(found)))
