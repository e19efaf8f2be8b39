"""Counting very many records by LSOA from their postcodes, without writing one row a record.

Belongs here: the short way to the numbers that placing every record and counting would give. Does
not belong here: what a postcode means (`geography.placement`), which alone decides every outcome.

How it works. Postcodes that the directory describes alike (same area, live or not, same quality)
have one outcome. One pass over the records joins them to the directory as they are typed, and once
more without blanks and in upper case, and counts them by that description; texts that are in
neither form are kept. Of those, the ones that no reading makes a postcode of the directory are
alike too. Then one postcode of each description, one text of each kind of unknown ones, and each
other text that was kept goes through `placement.place` with its number of records. So the result is
that of placing, and the costly rules are applied to some ten thousand texts instead of fifty
million.

Texts that match nothing are gathered in memory, which is right for the few in a hundred of an
ordinary extract. If DuckDB's memory limit does not allow it, the pass is made again in a way that
can spill to disk, half as slow again.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from declarations.errors import GeographyError
from geography.placement.choice import OUTPUT_COLUMNS
from geography.placement.inputs import PlacementKeys, Reference, check_not_overwritten
from geography.placement.lookups import typed_postcodes_sql
from geography.placement.placing import place
from geography.placement.scratch import Scratch
from geography.postal.postcodes import PSEUDO_OUTWARD, VALID
from geography.sql import columns_of, ident, one_row, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = (*OUTPUT_COLUMNS, "records")
"""What `count_by_lsoa` writes: the outcome, and how many records had it."""

DESCRIPTION = ("lsoa21cd", "lsoa11cd", "ended", "quality")
"""Postcodes with the same of these have one outcome; lsoa11cd only where there is no lsoa21cd."""

PERFECT_HASH_BITS = 20
"""DuckDB counts by a whole number below 2**20 in a plain array rather than a hash table."""


@dataclass(frozen=True)
class CountReport:
    """What became of the records of one table.

    Attributes
    ----------
    received, placed : int
        Records.
    by_method, by_reason, by_flag : dict of str to int
        Records by `geo_method`, `geo_reason` and `geo_flag`, those without left out.
    texts : int
        Different texts that had to be read one by one.
    """

    received: int
    placed: int
    by_method: dict[str, int]
    by_reason: dict[str, int]
    by_flag: dict[str, int]
    texts: int

    @property
    def not_placed(self) -> int:
        """Records that are in no area."""
        return self.received - self.placed


def count_by_lsoa(
    con: duckdb.DuckDBPyConnection,
    records: str,
    postcode: str,
    reference: Reference,
    into: str,
    *,
    date: str | None = None,
) -> CountReport:
    """Count records by the LSOA of their postcode, and by how they were placed or why not.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the records and the reference tables, and takes the result.
    records : str
        Table or view, for instance of Parquet files. It needs no `record_id`.
    postcode : str
        Its column of postcodes as typed.
    reference : Reference
        As for `placement.place`; `postcodes` is needed.
    into : str
        Table to create or replace: `COLUMNS`, one row for each outcome. It is what
        ``place(...)`` and ``SELECT <outcome>, count(*) GROUP BY ALL`` give.
    date : str, optional
        DATE column that says when a record happened, as for `placement.place`.

    Returns
    -------
    CountReport
        Checked: its counts add up to the records received.

    Raises
    ------
    GeographyError
        If columns or reference tables do not fit together, the result would be written over one of
        them, or the counts do not add up.
    """
    if reference.postcodes is None:
        raise GeographyError(
            "There is no reference table for placing by postcode",
            "Add a postcode directory to the region",
        )
    check_not_overwritten(records, reference, into)
    require_columns(con, records, [postcode, *([date] if date else [])])
    require_columns(con, reference.postcodes, ("pcds", "doterm"))
    with Scratch(con, f"counting_{into}") as scratch:
        alike, known = _described(con, scratch, reference, dated=date is not None)
        tally = _tally(con, scratch, records, postcode, date, known)
        tallied = _tallied(scratch, tally, alike, reference.postcodes)
        standing = scratch.table("standing", _standing_sql(tallied))
        keys = PlacementKeys(
            by=("postcode",), postcode="raw", date="happened" if date is not None else None
        )
        (texts,) = one_row(con, f"SELECT count(*) FROM {ident(standing)}")
        with _placed(con, standing, keys, reference, into) as placed:
            con.execute(f"CREATE OR REPLACE TABLE {ident(into)} AS {_counted_sql(placed, tallied)}")
    return _report(con, records, into, texts)


@contextmanager
def _placed(
    con: duckdb.DuckDBPyConnection,
    standing: str,
    keys: PlacementKeys,
    reference: Reference,
    into: str,
) -> Iterator[str]:
    """Place the texts that stand for all records; the table is gone afterwards."""
    name = f"_counting_{into}_placed"
    try:
        place(con, standing, keys, reference, name)
        yield name
    finally:
        con.execute(f"DROP TABLE IF EXISTS {ident(name)}")


def _described(
    con: duckdb.DuckDBPyConnection, scratch: Scratch, reference: Reference, *, dated: bool
) -> tuple[str, str]:
    """Make the tables of descriptions, and of the postcodes whose outcome follows from theirs.

    Others are read one by one: those with several entries, those that have ended where it depends
    on the date of the record, those known by nothing that gives an area by itself, and the
    pseudo-postcodes, which are in no area whatever the directory says.

    Returns
    -------
    tuple of str
        Name of a table id, quality, example (one postcode of those that differ in nothing but
        quality); and of a table id, pcds, compact (the postcode without its space).
    """
    entries = _entries_sql(con, scratch, reference, dated=dated)
    sound = f"regexp_full_match(pcds, '{VALID}')"
    described = scratch.table(
        "described",
        f"""
SELECT CAST(row_number() OVER () AS INTEGER) AS id, *
FROM (
    SELECT {", ".join(DESCRIPTION)}, min(pcds) FILTER ({sound}) AS first,
        bool_and({sound}) AS all_sound
    FROM ({entries}) GROUP BY ALL
)
""",
    )
    (all_sound,) = one_row(
        con, f"SELECT coalesce(bool_and(all_sound), true) FROM {ident(described)}"
    )
    same = " AND ".join(f"d.{name} IS NOT DISTINCT FROM e.{name}" for name in DESCRIPTION)
    known = scratch.table(
        "known",
        f"""
SELECT d.id, e.pcds, replace(e.pcds, ' ', '') AS compact
FROM ({entries}) e JOIN {ident(described)} d ON {same}
WHERE {"true" if all_sound else sound}
""",
    )
    alike = scratch.table(
        "alike",
        "SELECT id, quality, min(first) OVER (PARTITION BY lsoa21cd, lsoa11cd, ended)"
        f" AS example FROM {ident(described)} WHERE first IS NOT NULL",
    )
    return alike, known


def _entries_sql(
    con: duckdb.DuckDBPyConnection, scratch: Scratch, reference: Reference, *, dated: bool
) -> str:
    """SQL: the entries of the directory that can be described: pcds and `DESCRIPTION`."""
    postcodes = str(reference.postcodes)
    present = columns_of(con, postcodes)

    def text(name: str) -> str:
        value = f"nullif(trim(CAST(p.{ident(name)} AS VARCHAR)), '')"
        return f"CAST({value if name in present else 'NULL'} AS VARCHAR)"

    quality = "p.quality" if "quality" in present else "NULL"
    conditions = [f"NOT starts_with(pcds, '{PSEUDO_OUTWARD}')"]
    if dated:
        conditions.append("NOT ended")
    # Hashes are cheaper to compare than texts, and two equal postcodes have equal ones.
    filled = f"FROM {ident(postcodes)} WHERE pcds IS NOT NULL"
    if one_row(con, f"SELECT count(*) > count(DISTINCT hash(pcds)) {filled}") != (False,):
        repeated = scratch.table("repeated", f"SELECT pcds {filled} GROUP BY 1 HAVING count(*) > 1")
        conditions.append(f"pcds NOT IN (FROM {ident(repeated)})")
    settled = "lsoa21cd IS NOT NULL"
    if "lsoa11cd" in present and reference.changes is not None:
        kept = scratch.table("one_to_one", _one_to_one_sql(reference.changes))
        settled = f"({settled} OR lsoa11cd IN (FROM {ident(kept)}))"
    return f"""
    SELECT pcds, lsoa21cd, CASE WHEN lsoa21cd IS NULL THEN lsoa11cd END AS lsoa11cd, ended, quality
    FROM (
        SELECT p.pcds, {text("lsoa21cd")} AS lsoa21cd, {text("lsoa11cd")} AS lsoa11cd,
            {text("doterm")} IS NOT NULL AS ended, TRY_CAST({quality} AS INTEGER) AS quality
        FROM {ident(postcodes)} p
    )
    WHERE {settled} AND {" AND ".join(conditions)}"""


def _one_to_one_sql(changes: str) -> str:
    return f"SELECT lsoa11cd FROM {ident(changes)} GROUP BY 1 HAVING bool_and(chgind IN ('U', 'M'))"


def _matched_sql(records: str, postcode: str, date: str | None, known: str) -> str:
    """SQL: for each record the number of its description, else its text and date."""
    happened = f"TRY_CAST({ident(date)} AS DATE)" if date is not None else "CAST(NULL AS DATE)"
    # Only ASCII is put into upper case, since the upper case of some foreign letters is ASCII and
    # would make a postcode of a text that is none.
    return f"""
SELECT coalesce(s.id, t.id) AS id, s.raw, s.happened
FROM (
    SELECT r.raw, r.happened, k.id,
        CASE WHEN k.id IS NULL AND strlen(r.raw) = length(r.raw)
            THEN upper(replace(r.raw, ' ', '')) END AS compact
    FROM (
        SELECT CAST({ident(postcode)} AS VARCHAR) AS raw, {happened} AS happened
        FROM {ident(records)}
    ) r LEFT JOIN {ident(known)} k ON k.pcds = r.raw
) s LEFT JOIN {ident(known)} t ON t.compact = s.compact
"""


def _tally(
    con: duckdb.DuckDBPyConnection,
    scratch: Scratch,
    records: str,
    postcode: str,
    date: str | None,
    known: str,
) -> str:
    """Count the records by description, and the others by text; the one pass over them.

    Returns
    -------
    str
        Name of a table id, raw, happened, n; id is NULL for texts without a description.
    """
    matched = _matched_sql(records, postcode, date, known)
    (bits,) = one_row(con, "SELECT current_setting('perfect_ht_threshold')")
    con.execute(f"SET perfect_ht_threshold = {PERFECT_HASH_BITS}")
    try:
        gathered = scratch.table("gathered", _gathered_sql(matched, dated=date is not None))
    except duckdb.OutOfMemoryException:
        return scratch.table("tally", _grouped_sql(matched))
    finally:
        con.execute(f"SET perfect_ht_threshold = {int(bits)}")
    return scratch.table("tally", _ungathered_sql(gathered, dated=date is not None))


def _gathered_sql(matched: str, *, dated: bool) -> str:
    # Grouping by the number alone is what DuckDB does fastest; a text beside it in the key would
    # cost half as much again, although it is NULL for nearly every record.
    kept = "{'raw': raw, 'happened': happened}" if dated else "raw"
    return f"""
SELECT id, count(*) AS n, list({kept}) FILTER (id IS NULL) AS kept FROM ({matched}) GROUP BY id
"""


def _ungathered_sql(gathered: str, *, dated: bool) -> str:
    columns = "text.raw, text.happened" if dated else "text AS raw, CAST(NULL AS DATE) AS happened"
    return f"""
SELECT id, CAST(NULL AS VARCHAR) AS raw, CAST(NULL AS DATE) AS happened, n
FROM {ident(gathered)} WHERE id IS NOT NULL
UNION ALL
SELECT CAST(NULL AS INTEGER) AS id, {columns}, count(*) AS n
FROM (SELECT unnest(kept) AS text FROM {ident(gathered)} WHERE id IS NULL) GROUP BY ALL
"""


def _grouped_sql(matched: str) -> str:
    return f"""
SELECT id, CASE WHEN id IS NULL THEN raw END AS raw,
    CASE WHEN id IS NULL THEN happened END AS happened, count(*) AS n
FROM ({matched}) GROUP BY ALL
"""


def _tallied(scratch: Scratch, tally: str, alike: str, postcodes: str) -> str:
    """Make the table of the texts that stand for all records, with their numbers.

    Returns
    -------
    str
        Name of a table raw, happened, described, quality (of the description), n.
    """
    texts = scratch.table(
        "texts", f"SELECT DISTINCT raw FROM {ident(tally)} WHERE id IS NULL AND raw IS NOT NULL"
    )
    typed = scratch.table("typed", typed_postcodes_sql(texts))
    strangers = scratch.table("strangers", _strangers_sql(typed, postcodes))
    return scratch.table("tallied", _tallied_sql(tally, alike, strangers))


def _strangers_sql(typed: str, postcodes: str) -> str:
    """SQL: the texts that no reading makes a postcode of the directory, with one for each kind."""
    read = "coalesce(pcds0, pcds1)"
    return f"""
WITH met AS (
    SELECT DISTINCT pcds FROM {ident(postcodes)}
    WHERE pcds IN (
        SELECT pcds0 FROM {ident(typed)} WHERE pcds0 IS NOT NULL
        UNION SELECT pcds1 FROM {ident(typed)} WHERE pcds1 IS NOT NULL
    )
)
SELECT raw, min(raw) OVER (PARTITION BY pcds0 IS NULL) AS example
FROM {ident(typed)} t
WHERE trim(raw) <> '' AND NOT coalesce(starts_with({read}, '{PSEUDO_OUTWARD}'), false)
    AND NOT EXISTS (FROM met WHERE met.pcds = t.pcds0)
    AND NOT EXISTS (FROM met WHERE met.pcds = t.pcds1)
"""


def _tallied_sql(tally: str, alike: str, strangers: str) -> str:
    return f"""
SELECT a.example AS raw, CAST(NULL AS DATE) AS happened, true AS described, a.quality, t.n
FROM {ident(tally)} t JOIN {ident(alike)} a ON a.id = t.id
UNION ALL
SELECT coalesce(s.example, t.raw) AS raw,
    CASE WHEN s.example IS NULL THEN t.happened END AS happened,
    false AS described, CAST(NULL AS INTEGER) AS quality, CAST(sum(t.n) AS BIGINT) AS n
FROM {ident(tally)} t LEFT JOIN {ident(strangers)} s ON s.raw = t.raw
WHERE t.id IS NULL GROUP BY 1, 2
"""


def _standing_sql(tallied: str) -> str:
    """SQL: the table of records for `place`."""
    return f"""
SELECT row_number() OVER () AS record_id, raw, happened
FROM (SELECT DISTINCT raw, happened FROM {ident(tallied)})
"""


def _counted_sql(placed: str, tallied: str) -> str:
    """SQL: the result, from the outcome of each text and what it stands for."""
    outcome = ", ".join(
        "CASE WHEN t.described THEN t.quality ELSE p.geo_quality END AS geo_quality"
        if name == "geo_quality"
        else f"p.{name}"
        for name in OUTPUT_COLUMNS
    )
    return f"""
SELECT {outcome}, CAST(sum(t.n) AS BIGINT) AS records
FROM {ident(tallied)} t JOIN {ident(placed)} p
    ON p.raw IS NOT DISTINCT FROM t.raw AND p.happened IS NOT DISTINCT FROM t.happened
GROUP BY ALL ORDER BY ALL
"""


def _report(con: duckdb.DuckDBPyConnection, records: str, into: str, texts: int) -> CountReport:
    (received,) = one_row(con, f"SELECT count(*) FROM {ident(records)}")
    counted, placed = one_row(
        con,
        "SELECT coalesce(sum(records), 0), coalesce(sum(records) FILTER (lsoa21cd IS NOT NULL), 0)"
        f" FROM {ident(into)}",
    )
    if counted != received:
        con.execute(f"DROP TABLE {ident(into)}")
        raise GeographyError(
            f"Counting {records} changed the number of records; nothing of it may be used",
            "Report this fault with the declaration of the source",
        )
    return CountReport(
        received=received,
        placed=int(placed),
        by_method=_sums(con, into, "geo_method"),
        by_reason=_sums(con, into, "geo_reason"),
        by_flag=_sums(con, into, "geo_flag"),
        texts=texts,
    )


def _sums(con: duckdb.DuckDBPyConnection, table: str, column: str) -> dict[str, int]:
    found = con.execute(
        f"SELECT {ident(column)}, CAST(sum(records) AS BIGINT) FROM {ident(table)}"
        f" WHERE {ident(column)} IS NOT NULL GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return dict(found)
