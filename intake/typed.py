"""From a table of texts to a typed table: casts, code spellings, duplicates, formula cells.

Belongs here: what a text means as a date, month, number or yes/no, and which rows cannot be used.
Does not belong here: whether a value that was read is plausible (``expectations``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from declarations.contracts import Column, Contract
from declarations.errors import ConfigurationError
from geography.sql import columns_of
from intake.cells import BLANKS
from warehouse.sql import ident, literal

if TYPE_CHECKING:
    import duckdb

SQL_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "month": "VARCHAR",
    "boolean": "BOOLEAN",
}

DIGITS = r"(\d+|\d{1,3}(,\d{3})+)"
PLAIN_INTEGER = r"[+-]?\d{1,18}"
INTEGER = rf"[+-]?{DIGITS}(\.0*)?"
PLAIN_DECIMAL = r"[+-]?\d{1,18}(\.\d{1,18})?"
NUMBER = rf"[+-]?£?({DIGITS}(\.\d*)?|\.\d+)([eE][+-]?\d{{1,3}})?"
FORMULA_STARTS = "=+-@\t\r"
FORMULA = r"[=+@\t\r-]\s*[^\s].*"
PLAIN_NUMBER = r"[+-]?[\d\s().,/-]*\d[\d\s().,/-]*%?"
ISO_DATE = r"\d{4}-\d{2}-\d{2}([ T]00:00(:00(\.0+)?)?)?"
MONTH_FORMATS = ("%Y-%m", "%d%b%Y")
YEARS = (1850, 2199)

DIRECTIVES = {
    "%d": r"\d{1,2}",
    "%-d": r"\d{1,2}",
    "%m": r"\d{1,2}",
    "%-m": r"\d{1,2}",
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]{3,9}",
    "%H": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
}
"""What each strptime directive may look like. DuckDB alone would read '1/2/24' as the year 24."""


@dataclass(frozen=True)
class TypeReport:
    """What became of every row of a table of texts.

    ``rows_in == rows_out + rows_formula + rows_duplicate + rows_excluded``.

    Attributes
    ----------
    rows_in : int
    rows_formula : int
        Rows with a text cell that a spreadsheet would run (reason ``formula_cell``). Excluded.
    rows_duplicate : int
        Rows equal to an earlier one in every declared column. Excluded.
    rows_unreadable : int
        Rows with at least one cell that is not of its column's type.
    rows_excluded : int
        ``rows_unreadable`` where their share is allowed, and so they are left out; else 0: then
        they stay, NULL in those cells and FALSE in ``<column>__readable``.
    rows_out : int
    unreadable : dict of str to int
        Unreadable cells by column, for columns that have any.
    broken_share : float
        Unreadable rows, and rows that the file reader could not split, of all rows read; 0 to 1.
    too_broken : bool
        Whether that share exceeds the contract's ``broken_rows_allowed``.
    """

    rows_in: int
    rows_formula: int
    rows_duplicate: int
    rows_unreadable: int
    rows_excluded: int
    rows_out: int
    unreadable: dict[str, int] = field(default_factory=dict)
    broken_share: float = 0.0
    too_broken: bool = False


def type_table(
    con: duckdb.DuckDBPyConnection,
    raw: str,
    contract: Contract,
    keep: set[str],
    into: str,
    *,
    rows_broken: int = 0,
) -> TypeReport:
    """Make the typed table of a delivery.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    raw : str
        Table made by `intake.reading.read_table`.
    contract : Contract
    keep : set of str
        Columns that may be stored. Others are never written to ``into``.
    into : str
        Name of the table to make: ``record_id`` BIGINT; every kept column with its type (month is
        VARCHAR ``YYYY-MM``), all NULL where the file did not have it; and for each that is not
        text a BOOLEAN ``<column>__readable``.
    rows_broken : int, default 0
        ``ReadReport.rows_broken``: counts towards the share of broken rows.

    Returns
    -------
    TypeReport

    Raises
    ------
    ConfigurationError
        If ``keep`` names a column the contract does not declare, or a date format cannot be read.
    """
    unknown = keep - {c.name for c in contract.columns}
    if unknown:
        raise ConfigurationError(
            f"Contract {contract.id} has no column {', '.join(sorted(unknown))}",
            "Name the contract's own columns in the agreement",
        )
    there = columns_of(con, raw)
    columns = [c for c in contract.columns if c.name in keep]
    excluded_ids = ident(f"intake_excluded_{uuid4().hex}")
    rows_in, suspects = _suspects(con, raw, [c for c in columns if c.name in there])
    formula = _formula_sql(suspects, contract)
    try:
        con.execute(
            f"CREATE TEMP TABLE {excluded_ids} AS SELECT record_id FROM {ident(raw)} "
            f"WHERE {formula}"
        )
        rows_formula = _count(con, excluded_ids)
        con.execute(_duplicates_sql(raw, contract, there, excluded_ids))
        rows_duplicate = _count(con, excluded_ids) - rows_formula
        con.execute(_typed_sql(raw, contract, columns, set(there), excluded_ids, into))
    finally:
        con.execute(f"DROP TABLE IF EXISTS {excluded_ids}")
    unreadable, rows_unreadable = _count_unreadable(con, columns, into)
    total = rows_in + rows_broken
    share = (rows_unreadable + rows_broken) / total if total else 0.0
    too_broken = share > contract.format.broken_rows_allowed
    excluded = 0 if too_broken else rows_unreadable
    if excluded:
        con.execute(f"DELETE FROM {ident(into)} WHERE {_any_unreadable_sql(columns)}")
    return TypeReport(
        rows_in=rows_in,
        rows_formula=rows_formula,
        rows_duplicate=rows_duplicate,
        rows_unreadable=rows_unreadable,
        rows_excluded=excluded,
        rows_out=rows_in - rows_formula - rows_duplicate - excluded,
        unreadable=unreadable,
        broken_share=share,
        too_broken=too_broken,
    )


def readable_name(column: str) -> str:
    """Return the name of the column that says whether a cell could be read."""
    return f"{column}__readable"


def _suspects(
    con: duckdb.DuckDBPyConnection, raw: str, columns: Sequence[Column]
) -> tuple[int, list[Column]]:
    """Return how many rows there are, and the text columns in which a cell may hold a formula.

    Regular expressions for every column of a wide table would cost more than reading it.
    """
    texts = [c for c in columns if c.type == "text"]
    counts = "".join(f", count(*) FILTER ({_suspect_sql(c)})" for c in texts)
    rows, *found = con.execute(f"SELECT count(*){counts} FROM {ident(raw)}").fetchall()[0]
    return rows, [c for c, count in zip(texts, found, strict=True) if count]


def _suspect_sql(column: Column) -> str:
    starts = ", ".join(str(ord(c)) for c in FORMULA_STARTS)
    return f"ascii({ident(column.name)}) IN ({starts})"


def _formula_sql(columns: Sequence[Column], contract: Contract) -> str:
    """SQL condition: a text cell starts as a formula and is neither a number nor a code."""
    tests = []
    for column in columns:
        cell = ident(column.name)
        test = (
            f"regexp_full_match({cell}, {literal(FORMULA)}, 's') "
            f"AND NOT regexp_full_match({cell}, {literal(PLAIN_NUMBER)})"
        )
        codes = [c for c in contract.codes_of(column) or [] if re.match(r"[=+@-]", c)]
        if codes:
            listed = ", ".join(literal(c.lower()) for c in codes)
            test += f" AND lower({cell}) NOT IN ({listed})"
        tests.append(f"CASE WHEN {_suspect_sql(column)} THEN {test} ELSE false END")
    return " OR ".join(tests) or "false"


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _duplicates_sql(raw: str, contract: Contract, there: Collection[str], excluded: str) -> str:
    """Return the statement that adds the ``record_id`` of every repeated row to a table.

    Only rows that the contract's key can name: two anonymous incidents at one place are two.
    """
    everything = ", ".join(ident(c.name) for c in contract.columns if c.name in there)
    key = [ident(name) for name in contract.key if name in there]
    if not key:
        return f"INSERT INTO {excluded} SELECT record_id FROM {ident(raw)} WHERE false"
    # The hash is cheap and nearly always unique; only rows that share one are compared in full.
    return (
        f"INSERT INTO {excluded} WITH hashed AS ("
        f"SELECT record_id, hash({everything}) AS mark FROM {ident(raw)} "
        f"WHERE coalesce({', '.join(key)}) IS NOT NULL "
        f"AND record_id NOT IN (SELECT record_id FROM {excluded})), "
        "shared AS (SELECT mark FROM hashed GROUP BY mark HAVING count(*) > 1), "
        "suspects AS (SELECT record_id FROM hashed WHERE mark IN (SELECT mark FROM shared)) "
        f"SELECT record_id FROM (SELECT record_id, row_number() OVER "
        f"(PARTITION BY {everything} ORDER BY record_id) AS nth FROM {ident(raw)} "
        "WHERE record_id IN (SELECT record_id FROM suspects)) WHERE nth > 1"
    )


def _typed_sql(
    raw: str,
    contract: Contract,
    columns: Sequence[Column],
    there: set[str],
    excluded: str,
    into: str,
) -> str:
    """Return the statement that makes the typed table."""
    texts, values, chosen = ["record_id"], ["record_id"], ["record_id"]
    for column in columns:
        name, readable = ident(column.name), ident(readable_name(column.name))
        if column.name not in there:
            chosen.append(f"CAST(NULL AS {SQL_TYPES[column.type]}) AS {name}")
            if column.type != "text":
                chosen.append(f"true AS {readable}")
        elif column.type == "text":
            texts.append(f"{_code_sql(column, contract)} AS {name}")
            values.append(name)
            chosen.append(name)
        else:
            value = ident(f"{column.name}__value")
            # Reading leaves tab and carriage return at a cell's start, for the formula test.
            texts.append(
                f"CASE WHEN ascii({name}) IN (9, 13) THEN trim({name}, {literal(BLANKS)}) "
                f"ELSE {name} END AS {name}"
            )
            values.append(f"{name}, {_cast_sql(column)} AS {value}")
            chosen.append(f"{value} AS {name}")
            chosen.append(f"({value} IS NOT NULL OR {name} IS NULL) AS {readable}")
    return (
        f"CREATE TABLE {ident(into)} AS SELECT {', '.join(chosen)} FROM ("
        f"SELECT {', '.join(values)} FROM (SELECT {', '.join(texts)} FROM {ident(raw)} "
        f"WHERE record_id NOT IN (SELECT record_id FROM {excluded})))"
    )


def _count_unreadable(
    con: duckdb.DuckDBPyConnection, columns: Sequence[Column], into: str
) -> tuple[dict[str, int], int]:
    names = [c.name for c in columns if c.type != "text"]
    if not names:
        return {}, 0
    cells = ", ".join(f"count(*) FILTER (NOT {ident(readable_name(n))})" for n in names)
    *by_column, rows = con.execute(
        f"SELECT {cells}, count(*) FILTER ({_any_unreadable_sql(columns)}) FROM {ident(into)}"
    ).fetchall()[0]
    return {n: c for n, c in zip(names, by_column, strict=True) if c}, rows


def _any_unreadable_sql(columns: Sequence[Column]) -> str:
    tests = [f"NOT {ident(readable_name(c.name))}" for c in columns if c.type != "text"]
    return " OR ".join(tests) or "false"


def _code_sql(column: Column, contract: Contract) -> str:
    """SQL of a text cell, a code in another case changed to the spelling declared."""
    cell = ident(column.name)
    codes = contract.codes_of(column)
    if not codes:
        return cell
    lowered = [c.lower() for c in codes]
    spellings = {c.lower(): c for c in codes if lowered.count(c.lower()) == 1}
    listed = ", ".join(literal(c) for c in codes)
    whens = " ".join(f"WHEN {literal(k)} THEN {literal(v)}" for k, v in spellings.items())

    def spell(part: str) -> str:
        if not whens:
            return part
        return (
            f"CASE WHEN {part} IN ({listed}) THEN {part} "
            f"ELSE CASE lower({part}) {whens} ELSE {part} END END"
        )

    if column.separator is None:
        return spell(cell)
    split = literal(column.separator.strip() or column.separator)
    join = literal(column.separator)
    parts = f"list_transform(string_split({cell}, {split}), lambda part: trim(part))"
    return f"array_to_string(list_transform({parts}, lambda code: {spell('code')}), {join})"


LARGEST_COUNT = 1_000_000_000_000
"""A count above this is a mistake; sums of a million of them still fit 64 bits."""


def _cast_sql(column: Column) -> str:
    """SQL of a cell as its column's type; NULL where it cannot be read.

    A count below zero or absurdly large is as unreadable as a word: it must not be summed.
    """
    sql = _plain_cast_sql(column)
    if not column.additive:
        return sql
    return f"CASE WHEN ({sql}) BETWEEN 0 AND {LARGEST_COUNT} THEN ({sql}) END"


def _plain_cast_sql(column: Column) -> str:
    cell = ident(column.name)
    if column.type == "integer":
        digits = f"replace(regexp_replace({cell}, '\\.0*$', ''), ',', '')"
        return (
            f"CASE WHEN regexp_full_match({cell}, {literal(PLAIN_INTEGER)}) "
            f"THEN TRY_CAST({cell} AS BIGINT) "
            f"WHEN regexp_full_match({cell}, {literal(INTEGER)}) "
            f"THEN TRY_CAST({digits} AS BIGINT) END"
        )
    if column.type == "number":
        value = f"TRY_CAST(replace(replace({cell}, ',', ''), '£', '') AS DOUBLE)"
        return (
            f"CASE WHEN regexp_full_match({cell}, {literal(PLAIN_DECIMAL)}) "
            f"THEN TRY_CAST({cell} AS DOUBLE) "
            f"WHEN regexp_full_match({cell}, {literal(NUMBER)}) AND isfinite({value}) "
            f"THEN {value} END"
        )
    if column.type == "boolean":
        yes = ", ".join(literal(v.lower()) for v in column.true_values)
        no = ", ".join(literal(v.lower()) for v in column.false_values)
        return (
            f"CASE WHEN lower({cell}) IN ({yes}) THEN true "
            f"WHEN lower({cell}) IN ({no}) THEN false END"
        )
    iso = (
        f"CASE WHEN regexp_full_match({cell}, {literal(ISO_DATE)}) "
        f"THEN TRY_CAST(left({cell}, 10) AS DATE) END"
    )
    declared = [column.date_format] if column.date_format else []
    others = MONTH_FORMATS if column.type == "month" else ()
    tries = [_format_sql(cell, f, column) for f in (*declared, *others)]
    tries.insert(len(declared), iso)
    first, last = YEARS
    date = f"coalesce({', '.join(tries)})" if len(tries) > 1 else tries[0]
    checked = f"CASE WHEN year({date}) BETWEEN {first} AND {last} THEN {date} END"
    return f"strftime({checked}, '%Y-%m')" if column.type == "month" else checked


def _format_sql(cell: str, date_format: str, column: Column) -> str:
    """SQL of a cell read by one strptime format, and by nothing more lenient than it."""
    pattern = ""
    for piece in re.split(r"(%-?[A-Za-z])", date_format):
        if piece.startswith("%"):
            if piece not in DIRECTIVES:
                raise ConfigurationError(
                    f"Column {column.name}: date_format holds {piece}, which cannot be read",
                    f"Use {', '.join(DIRECTIVES)}",
                )
            pattern += DIRECTIVES[piece]
        else:
            pattern += re.escape(piece)
    return (
        f"CASE WHEN regexp_full_match({cell}, {literal(pattern)}) "
        f"THEN CAST(try_strptime({cell}, {literal(date_format)}) AS DATE) END"
    )
