"""From a delivered file to a DuckDB table of texts: the declared columns, and nothing else.

Belongs here: choosing the reader, blank cells and 'missing' texts, repeated headings, notes and
rows that the contract leaves out, and the report that accounts for every row.
Does not belong here: types (``typed``), whether values are good (``expectations``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from declarations.contracts import Contract, Source
from intake.cells import clean_sql
from intake.containers import expanded
from intake.delimited import load_delimited_rows
from intake.errors import ReadError
from intake.headings import Layout, find_layout
from intake.naming import names_somebody, shown_name
from intake.workbooks import load_workbook_rows
from warehouse.sql import ident, literal

if TYPE_CHECKING:
    import duckdb

SHAPES = ("geometry", "geom", "wkb_geometry")
"""Columns in which GeoParquet keeps shapes: no column that somebody forgot to declare."""


@dataclass(frozen=True)
class ReadReport:
    """What became of every row and every heading of a file.

    ``rows_read == rows_out + rows_broken + rows_filtered``; headings, notes and blank rows are not
    rows of data.

    Attributes
    ----------
    encoding : str
        ``utf-8``, ``utf-16-le``, ``utf-16-be``, ``cp1252``, ``xlsx``, ``parquet`` or ``layer``.
    bom : bool
    header_row : int
        From 1; 0 for a file without headings.
    rows_read : int
        Rows of data in the file.
    rows_broken : int
        Rows with too few or too many fields, or whose quotes do not close. Not in the table.
    rows_filtered : int
        Rows left out by the contract's ``keep_rows``.
    rows_noted : int
        Notes: rows left out by the contract's ``drop_rows_without``.
    rows_blank : int
        Rows with nothing in any declared column (of a CSV; a workbook's are not counted).
    repeated_headers : int
        Heading rows found again among the data.
    rows_out : int
        Rows of the table made.
    columns_present : tuple of str
        Our names, in the order of the contract.
    columns_missing : tuple of str
        Declared columns that the file does not have, none of them required.
    columns_undeclared : tuple of str
        Headings nobody declared, where they look like headings. Never loaded.
    undeclared_types : tuple of str
        What each of these looks like: ``number``, ``date``, ``text`` or ``empty``.
    columns_unnamed : int
        How many further columns nobody declared.
    heading_map : dict of str to str
        Our name to the heading in the file.
    delimiter : str or None
    """

    encoding: str
    bom: bool
    header_row: int
    rows_read: int
    rows_broken: int
    rows_filtered: int
    rows_noted: int
    rows_blank: int
    repeated_headers: int
    rows_out: int
    columns_present: tuple[str, ...]
    columns_missing: tuple[str, ...]
    columns_undeclared: tuple[str, ...]
    undeclared_types: tuple[str, ...]
    columns_unnamed: int
    heading_map: dict[str, str] = field(default_factory=dict)
    delimiter: str | None = None

    @property
    def undeclared_in_words(self) -> list[str]:
        """Headings nobody declared, each with its type, for example ``favourite (text)``."""
        pairs = zip(self.columns_undeclared, self.undeclared_types, strict=True)
        return [f"{heading} ({kind})" for heading, kind in pairs]

    def without_people(self) -> ReadReport:
        """Return the report with headings that may name somebody counted and no longer named."""
        kept = [
            pair
            for pair in zip(self.columns_undeclared, self.undeclared_types, strict=True)
            if not names_somebody(pair[0])
        ]
        return replace(
            self,
            columns_undeclared=tuple(heading for heading, _ in kept),
            undeclared_types=tuple(kind for _, kind in kept),
            columns_unnamed=self.columns_unnamed + len(self.columns_undeclared) - len(kept),
        )


@dataclass(frozen=True)
class _Staged:
    """A file's declared columns in a temporary table, before any row is left out."""

    layout: Layout
    encoding: str
    bom: bool = False
    delimiter: str | None = None
    rows_broken: int = 0
    rows_noted: int = 0


def read_table(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    source: Source,
    into: str,
    *,
    work: Path | None = None,
    name: str | None = None,
) -> ReadReport:
    """Read a delivered file into a table of texts.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    path : Path
        A file that `intake.safety.inspect_file` found good: CSV, XLSX, Parquet or, for a contract
        of boundaries, a layer whose attributes are read; bare, ``.gz`` or ``.zip``.
    contract : Contract
    source : Source
    into : str
        Name of the table to make: ``record_id`` BIGINT, 1 to n in file order, and every declared
        column of the file as VARCHAR, trimmed, NULL where empty or one of its ``null_values``.
    work : Path, optional
        Folder for short-lived copies (expanded, or in UTF-8); default the system's.
    name : str, optional
        Name of the file in messages, where it is not that of ``path``.

    Returns
    -------
    ReadReport

    Raises
    ------
    ReadError
        With ``reason``: ``missing_column``, ``two_headers``, ``header_only``, ``missing_sheet``,
        ``not_utf8_or_cp1252`` or ``unreadable_file``.
    UnsafeFileError
        If a compressed file turns out unsafe while it is expanded.
    """
    file_name = shown_name(name or path.name)
    stage = ident(f"intake_stage_{uuid4().hex}")
    with _in_file_order(con):
        try:
            with expanded(path, work) as plain:
                staged = _stage(con, plain, contract, source, stage, file_name, work)
            return _keep_rows(con, staged, contract, stage, into, file_name)
        finally:
            con.execute(f"DROP TABLE IF EXISTS {stage}")


@contextmanager
def _in_file_order(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Hold DuckDB to the order of the file, on which ``record_id`` rests."""
    held = con.execute("SELECT current_setting('preserve_insertion_order')").fetchall()[0][0]
    if not held:
        con.execute("SET preserve_insertion_order = true")
    try:
        yield
    finally:
        if not held:
            con.execute("SET preserve_insertion_order = false")


def _stage(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    source: Source,
    stage: str,
    file_name: str,
    work: Path | None,
) -> _Staged:
    with path.open("rb") as stream:
        first = stream.read(4)
    if first == b"PAR1":
        return _stage_parquet(con, path, contract, source, stage, file_name)
    if contract.format.type == "boundaries":
        return _stage_layer(con, path, contract, source, stage, file_name)
    if first == b"PK\x03\x04":
        layout = load_workbook_rows(con, path, contract, source, stage, file_name)
        return _Staged(layout, "xlsx")
    read = load_delimited_rows(con, path, contract, source, stage, file_name, work)
    return _Staged(
        read.layout, read.encoding, read.bom, read.delimiter, read.rows_broken, read.rows_noted
    )


def _stage_parquet(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    source: Source,
    stage: str,
    file_name: str,
) -> _Staged:
    import duckdb  # noqa: PLC0415 - heavy
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    try:
        schema = pq.read_schema(path)
        headings = schema.names
        layout = find_layout([headings], contract, source, file_name)
        if contract.format.type == "boundaries":
            named = tuple(h for h in layout.undeclared if h.lower() not in SHAPES)
            layout = replace(layout, undeclared=named)
        layout = _typed(layout, {f.name.strip(): str(f.type) for f in schema})
        chosen = ", ".join(
            clean_sql(contract.column(name), f"CAST({_quoted(headings[place])} AS VARCHAR)")
            + f" AS {ident(name)}"
            for name, place in layout.positions.items()
        )
        con.execute(
            f"CREATE TEMP TABLE {stage} AS SELECT {chosen} FROM read_parquet(?)", [str(path)]
        )
    except (duckdb.Error, pa.ArrowException, OSError):
        raise ReadError(
            "unreadable_file", f"{file_name} cannot be read as Parquet", "Export it again"
        ) from None
    return _Staged(layout, "parquet")


def _typed(layout: Layout, types: dict[str, str]) -> Layout:
    """Return the layout with the undeclared columns' types as the file itself gives them."""
    words = (("int", "number"), ("float", "number"), ("double", "number"), ("decimal", "number"),
             ("date", "date"), ("timestamp", "date"))  # fmt: skip
    said = (types.get(heading, "").lower() for heading in layout.undeclared)
    found = (next((w for part, w in words if part in name), "text") for name in said)
    return replace(layout, undeclared_types=tuple(found))


def _quoted(heading: str) -> str:
    return '"' + heading.replace('"', '""') + '"'


def _stage_layer(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    source: Source,
    stage: str,
    file_name: str,
) -> _Staged:
    """Read the attributes of a boundary file; its shapes are the geography room's to read."""
    import pyogrio  # noqa: PLC0415 - heavy
    from pyogrio.errors import DataSourceError  # noqa: PLC0415 - heavy

    try:
        info = pyogrio.read_info(path)
        headings = list(info["fields"])
        layout = find_layout([headings], contract, source, file_name)
        types = map(str, info["dtypes"])
        layout = _typed(layout, dict(zip((h.strip() for h in headings), types, strict=True)))
        wanted = [headings[place] for place in layout.positions.values()]
        frame = pyogrio.read_dataframe(path, columns=wanted, read_geometry=False)
    except (DataSourceError, ValueError):
        raise ReadError(
            "unreadable_file", f"{file_name} cannot be read as boundaries", "Export it again"
        ) from None
    frame = frame[wanted].rename(columns=dict(zip(wanted, layout.positions, strict=True)))
    con.register("intake_layer", frame)
    chosen = ", ".join(
        f"{clean_sql(contract.column(n), f'CAST({ident(n)} AS VARCHAR)')} AS {ident(n)}"
        for n in layout.positions
    )
    con.execute(f"CREATE TEMP TABLE {stage} AS SELECT {chosen} FROM intake_layer")
    con.unregister("intake_layer")
    return _Staged(layout, "layer")


def _fates(contract: Contract, layout: Layout) -> dict[str, str]:
    """SQL conditions for rows that are no data, or data left out; the first that holds decides."""
    names = list(layout.positions)
    fates = {"blank": f"coalesce({', '.join(map(ident, names))}) IS NULL"}
    if layout.headings:
        same = (f"lower({ident(n)}) = {literal(layout.headings[n].lower())}" for n in names)
        fates["heading"] = " AND ".join(same)
    needed = contract.format.drop_rows_without
    if needed is not None and needed in layout.positions:
        fates["note"] = f"{ident(needed)} IS NULL"
    wanted = [
        f"coalesce(lower({ident(n)}), '') IN ({', '.join(literal(v.lower()) for v in values)})"
        for n, values in contract.format.keep_rows.items()
        if n in layout.positions
    ]
    if wanted:
        fates["filtered"] = f"NOT ({' AND '.join(wanted)})"
    return fates


def _keep_rows(
    con: duckdb.DuckDBPyConnection,
    staged: _Staged,
    contract: Contract,
    stage: str,
    into: str,
    file_name: str,
) -> ReadReport:
    """Make the final table of the rows that are data, and account for all others."""
    layout = staged.layout
    cases = " ".join(f"WHEN {sql} THEN '{fate}'" for fate, sql in _fates(contract, layout).items())
    fate = f"CASE {cases} ELSE 'row' END"
    counts = dict(
        con.execute(f"SELECT {fate} AS fate, count(*) FROM {stage} GROUP BY 1").fetchall()
    )
    rows_out, filtered = counts.get("row", 0), counts.get("filtered", 0)
    if not rows_out + filtered + staged.rows_broken:
        raise ReadError(
            "header_only",
            f"{file_name} holds its headings but no rows",
            "If nothing happened in the period, say so; else export it again",
        )
    columns = [c.name for c in contract.columns if c.name in layout.positions]
    where = "" if set(counts) == {"row"} else f" WHERE {fate} = 'row'"
    con.execute(
        f"CREATE TABLE {ident(into)} AS SELECT row_number() OVER () AS record_id, "
        f"{', '.join(map(ident, columns))} FROM {stage}{where}"
    )
    return ReadReport(
        encoding=staged.encoding,
        bom=staged.bom,
        header_row=layout.header_row,
        rows_read=rows_out + filtered + staged.rows_broken,
        rows_broken=staged.rows_broken,
        rows_filtered=filtered,
        rows_noted=counts.get("note", 0) + staged.rows_noted,
        rows_blank=counts.get("blank", 0),
        repeated_headers=counts.get("heading", 0),
        rows_out=rows_out,
        columns_present=tuple(columns),
        columns_missing=tuple(c.name for c in contract.columns if c.name not in layout.positions),
        columns_undeclared=layout.undeclared,
        undeclared_types=layout.undeclared_types,
        columns_unnamed=layout.unnamed,
        heading_map=layout.headings,
        delimiter=staged.delimiter,
    )
