"""Reading an XLSX workbook as rows of text.

Belongs here: sheets, cell values as text. Formulas are never evaluated: their stored result is
read. Does not belong here: which column is which (``headings``), types (``typed``).
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from declarations.contracts import Contract, Source
from geography.sql import ident
from intake.cells import clean_sql
from intake.errors import ReadError
from intake.headings import ROWS_SEARCHED, Layout, find_layout

if TYPE_CHECKING:
    import duckdb

BATCH = 20_000


def cell_text(value: object) -> str:
    """Return a cell's value as the text a CSV export would hold; empty for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def load_workbook_rows(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    source: Source,
    into: str,
    file_name: str,
) -> Layout:
    """Load the declared columns of a workbook's sheet into a table of texts.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    path : Path
        An inspected workbook.
    contract, source : Contract, Source
    into : str
        A quoted name: a table with one VARCHAR column per column present, by our names, is made.
    file_name : str
        For the messages.

    Returns
    -------
    Layout
        Of the sheet the contract names, else of the first sheet with every required heading.

    Raises
    ------
    ReadError
        ``missing_sheet``, ``unreadable_file``, or as `intake.headings.find_layout`.
    """
    from openpyxl import load_workbook  # noqa: PLC0415 - heavy

    try:
        with path.open("rb") as stream:
            book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                return _first_fitting_sheet(con, book, contract, source, into, file_name)
            finally:
                book.close()
    except (BadZipFile, ParseError, zlib.error, KeyError, ValueError, OSError):
        raise ReadError(
            "unreadable_file",
            f"{file_name} is not a workbook that can be read",
            "Save it again as XLSX",
        ) from None


def _first_fitting_sheet(
    con: duckdb.DuckDBPyConnection,
    book: Any,
    contract: Contract,
    source: Source,
    into: str,
    file_name: str,
) -> Layout:
    refusal: ReadError | None = None
    for sheet in _sheets(book, contract, file_name):
        sheet.reset_dimensions()
        first = [
            [cell_text(v) for v in row]
            for row in islice(sheet.iter_rows(values_only=True), ROWS_SEARCHED)
        ]
        try:
            layout = find_layout(first, contract, source, file_name)
        except ReadError as error:
            refusal = refusal or error
            continue
        _insert(con, sheet, layout, contract, into)
        return layout
    raise refusal or ReadError("header_only", f"{file_name} holds no sheet with rows")


def _sheets(book: Any, contract: Contract, file_name: str) -> list[Any]:
    wanted = contract.format.sheet
    if wanted is None:
        return list(book.worksheets)
    sheets = [s for s in book.worksheets if s.title.strip().casefold() == wanted.casefold()]
    if not sheets:
        raise ReadError(
            "missing_sheet",
            f"{file_name} has no sheet {wanted}",
            "Name the sheet as its contract says",
        )
    return sheets


def _batches(sheet: Any, layout: Layout) -> Iterator[list[list[str]]]:
    places = list(layout.positions.values())
    batch: list[list[str]] = []
    for row in sheet.iter_rows(min_row=layout.header_row + 1, values_only=True):
        cells = [cell_text(row[p]) if p < len(row) else "" for p in places]
        # Formatting alone makes a million blank rows: they are not worth a table.
        if any(cells):
            batch.append(cells)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    yield batch


def _insert(
    con: duckdb.DuckDBPyConnection, sheet: Any, layout: Layout, contract: Contract, into: str
) -> None:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    names = list(layout.positions)
    schema = pa.schema([(name, pa.string()) for name in names])
    declared = ", ".join(f"{ident(name)} VARCHAR" for name in names)
    clean = ", ".join(clean_sql(contract.column(name), ident(name)) for name in names)
    con.execute(f"CREATE TEMP TABLE {into} ({declared})")
    for batch in _batches(sheet, layout):
        columns = list(zip(*batch, strict=True)) or [()] * len(names)
        table = pa.table([pa.array(c, pa.string()) for c in columns], schema=schema)
        con.register("intake_batch", table)
        con.execute(f"INSERT INTO {into} SELECT {clean} FROM intake_batch")
        con.unregister("intake_batch")
