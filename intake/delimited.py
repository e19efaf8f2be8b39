"""Reading a delimited text file with DuckDB, counting every row that does not fit.

Belongs here: encoding, delimiter, width, the one statement that reads, what was rejected.
Does not belong here: headings (``headings``), what rows are kept (``reading``).

DuckDB's own error texts quote the file, so none is ever passed on.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from declarations.contracts import Column, Contract, Source
from intake.cells import clean_sql
from intake.encodings import DELIMITERS, TextFacts, rewrite_as_utf8, rows_of_sample, text_facts
from intake.errors import ReadError
from intake.headings import Layout, find_layout
from warehouse.private import plain_folder
from warehouse.sql import file_literal, ident, literal

if TYPE_CHECKING:
    import duckdb

SAMPLE_ROWS = 1000
NOTES_EXAMINED = 1000
LINE_ENDS = "\r\n"
LINE_KEPT = 10_000
"""Characters of a rejected line that DuckDB keeps."""


@dataclass(frozen=True)
class Delimited:
    """How a delimited file was read.

    Attributes
    ----------
    layout : Layout
    encoding : str
    bom : bool
    delimiter : str
    rows_broken : int
        Lines with too few or too many fields, or that no quoting rule can read.
    rows_noted : int
        Short lines that are notes by the contract's ``drop_rows_without``.
    """

    layout: Layout
    encoding: str
    bom: bool
    delimiter: str
    rows_broken: int
    rows_noted: int


def load_delimited_rows(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    source: Source,
    into: str,
    file_name: str,
    work: Path | None = None,
) -> Delimited:
    """Load the declared columns of a text file into a table of clean texts, in file order.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    path : Path
        A plain file, inspected.
    contract, source : Contract, Source
    into : str
        A quoted name: a temporary table with one VARCHAR column per column present is made.
    file_name : str
        For the messages.
    work : Path, optional
        Folder for the short-lived copy of a file that is not in UTF-8.

    Returns
    -------
    Delimited

    Raises
    ------
    ReadError
        ``not_utf8_or_cp1252``, ``header_only``, ``unreadable_file``, or as
        `intake.headings.find_layout`.
    """
    facts = text_facts(path)
    if facts.encoding is None:
        raise ReadError(
            "not_utf8_or_cp1252", f"{file_name} is not a text file", "Export it as CSV in UTF-8"
        )
    layout, delimiter, rows = _layout(facts, contract, source, file_name)
    width = _width(rows, layout)
    with plain_folder(work) as folder:
        if facts.encoding == "utf-8":
            readable = path
        else:
            readable = folder / "utf8.csv"
            rewrite_as_utf8(path, readable, facts.encoding)
        columns = {c.name: c for c in contract.columns if c.name in layout.positions}
        reader = _Reader(con, readable, delimiter, width, layout, columns, into)
        try:
            reader.read(strict=True, file_name=file_name)
            broken, noted = reader.rejected(contract, facts.lines)
        finally:
            reader.forget()
    return Delimited(layout, facts.encoding, facts.bom, delimiter, broken, noted)


def _layout(
    facts: TextFacts, contract: Contract, source: Source, file_name: str
) -> tuple[Layout, str, list[list[str]]]:
    """Find the headings, first with the declared delimiter, then with the usual others."""
    declared = contract.format.delimiter
    others = [d for d in DELIMITERS if d != declared] if contract.format.header else []
    refusal: ReadError | None = None
    for delimiter in (declared, *others):
        rows = rows_of_sample(facts, delimiter, SAMPLE_ROWS)
        try:
            return find_layout(rows, contract, source, file_name), delimiter, rows
        except ReadError as error:
            refusal = refusal or error
            if error.reason != "missing_column":
                raise
    raise refusal or ReadError("header_only", f"{file_name} holds no rows")


def _width(rows: Sequence[Sequence[str]], layout: Layout) -> int:
    """Return how many fields a row of data has.

    Usually as many as there are headings. Some systems end every row, but not the heading row,
    with blank fields, or the other way round: then what most rows have decides.
    """
    data = rows[layout.header_row :]
    counts = Counter(len(row) for row in data if row)
    if not counts:
        return layout.width
    usual = counts.most_common(1)[0][0]
    if not layout.header_row or usual == len(rows[layout.header_row - 1]):
        return usual
    beyond = (c for row in data if len(row) == usual for c in row[layout.width :])
    return usual if usual > layout.width and not any(map(str.strip, beyond)) else layout.width


class _Reader:
    """One reading of one file, with the tables in which DuckDB keeps what it rejected."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        path: Path,
        delimiter: str,
        width: int,
        layout: Layout,
        columns: dict[str, Column],
        into: str,
    ) -> None:
        self._con = con
        self._path = path
        self._delimiter = delimiter
        self._width = width
        self._layout = layout
        self._columns = columns
        self._into = into
        mark = uuid4().hex
        self._errors, self._scans = f"intake_errors_{mark}", f"intake_scans_{mark}"

    def read(self, *, strict: bool, file_name: str) -> None:
        """Make the table; once more without strictness where line ends are mixed."""
        import duckdb  # noqa: PLC0415 - heavy

        try:
            self._con.execute(self._sql(strict=strict))
        except duckdb.Error:
            self.forget()
            if strict:
                self.read(strict=False, file_name=file_name)
                return
            raise ReadError(
                "unreadable_file",
                f"{file_name} cannot be read as delimited text",
                "Export it again as CSV, with quotes around fields that hold commas",
            ) from None

    def _sql(self, *, strict: bool) -> str:
        columns = ", ".join(f"'f{i}': 'VARCHAR'" for i in range(self._width))
        kept = ", ".join(
            f"{clean_sql(self._columns[name], f'f{place}')} AS {ident(name)}"
            for name, place in self._layout.positions.items()
        )
        return (
            f"CREATE TEMP TABLE {self._into} AS SELECT {kept} FROM read_csv("
            f"{file_literal(self._path)}, auto_detect=false, header=false, "
            f"skip={self._layout.header_row}, delim={literal(self._delimiter)}, quote='\"', "
            f"escape='\"', columns={{{columns}}}, nullstr='\x01', strict_mode={strict}, "
            f"compression='none', store_rejects=true, rejects_table='{self._errors}', "
            f"rejects_scan='{self._scans}', rejects_limit=0)"
        )

    def rejected(self, contract: Contract, lines: int) -> tuple[int, int]:
        """Return how many lines were broken, and how many short lines are notes.

        A reject counts as many lines as it swallowed: a quote that nobody closed must not hide
        the rows behind it.
        """
        line = f"trim(csv_line, {literal(LINE_ENDS)})"
        rejects, broken, too_long = self._con.execute(
            "SELECT count(*), coalesce(sum(swallowed), 0), coalesce(bool_or(too_long), false) "
            f"FROM (SELECT max(1 + length({line}) - length(replace({line}, chr(10), ''))) "
            "AS swallowed, bool_or(error_type = 'LINE SIZE OVER MAXIMUM' "
            f"OR length(csv_line) >= {LINE_KEPT}) AS too_long "
            f"FROM {self._errors} GROUP BY scan_id, file_id, line)"
        ).fetchall()[0]
        if too_long:
            # DuckDB keeps only the start of what an open quote swallowed: the lines decide.
            read = self._con.execute(f"SELECT count(*) FROM {self._into}").fetchall()[0][0]
            broken = max(broken, lines - self._layout.header_row - read)
        notes = self._notes(contract) if rejects else 0
        return int(broken) - notes, notes

    def _notes(self, contract: Contract) -> int:
        """Count the short lines without a value in the column that every row of data has."""
        column = contract.format.drop_rows_without
        if column is None or column not in self._layout.positions:
            return 0
        place = self._layout.positions[column]
        short = self._con.execute(
            f"SELECT any_value(csv_line) FROM {self._errors} GROUP BY scan_id, file_id, line "
            f"HAVING bool_and(error_type = 'MISSING COLUMNS') LIMIT {NOTES_EXAMINED}"
        ).fetchall()
        notes = 0
        for (line,) in short:
            text = line.strip(LINE_ENDS)
            fields = next(csv.reader([text], delimiter=self._delimiter), [])
            notes += "\n" not in text and (len(fields) <= place or not fields[place].strip())
        return notes

    def forget(self) -> None:
        """Drop DuckDB's tables of rejects, which hold rows of the file."""
        for table in (self._errors, self._scans):
            self._con.execute(f"DROP TABLE IF EXISTS {table}")
