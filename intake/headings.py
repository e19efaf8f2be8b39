"""Which heading of a file is which column of its contract.

Belongs here: finding the heading row, matching headings, and deciding which headings may be named.
Does not belong here: reading rows. A heading that is not declared may be a person's name in a file
that has lost its heading row, so only headings that look like headings are ever named.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from declarations.contracts import Column, Contract, Source
from intake.errors import ReadError

ROWS_SEARCHED = 30
NAME_LIKE = re.compile(r"^[A-Za-z][A-Za-z0-9 _\-.()/%]{0,59}$")
MOST_DIGITS = 4
NUMBER = re.compile(r"[-+]?[£]?\d[\d,]*(?:\.\d+)?%?")
DATE = re.compile(
    r"(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/ ](?:\d{1,2}|[A-Za-z]{3,9})[-/ ]\d{2,4})\b"
)


@dataclass(frozen=True)
class Layout:
    """Where each column of a contract stands in a file.

    Attributes
    ----------
    header_row : int
        Number of the heading row, from 1; 0 for a file without one.
    positions : dict of str to int
        Our column name to the field's place, from 0.
    headings : dict of str to str
        Our column name to the heading in the file.
    undeclared : tuple of str
        Headings that the contract does not name and that look like names.
    undeclared_types : tuple of str
        What the first rows under each of them look like: see `looks_like`.
    unnamed : int
        How many further headings the contract does not name.
    width : int
        Fields in the heading row, blank ones at its end left out.
    """

    header_row: int
    positions: dict[str, int]
    headings: dict[str, str] = field(default_factory=dict)
    undeclared: tuple[str, ...] = ()
    undeclared_types: tuple[str, ...] = ()
    unnamed: int = 0
    width: int = 0


def normalise(heading: str) -> str:
    """Return a heading without case, blanks and byte order mark."""
    text = unicodedata.normalize("NFKC", heading).replace("\ufeff", "")
    return "".join(text.split()).casefold()


def may_be_named(heading: str) -> bool:
    """Whether a heading nobody declared looks like a heading and not like a value."""
    digits = sum(c.isdigit() for c in heading)
    return bool(NAME_LIKE.match(heading)) and digits <= MOST_DIGITS


def looks_like(values: Sequence[str]) -> str:
    """Return the type that a column's first values look like, by which it is reported unread.

    Returns
    -------
    str
        ``empty``, ``number``, ``date`` or ``text``; never anything of the values.
    """
    filled = [value.strip() for value in values if value.strip()]
    if not filled:
        return "empty"
    if all(NUMBER.fullmatch(value) for value in filled):
        return "number"
    return "date" if all(DATE.match(value) for value in filled) else "text"


def accepted_headings(column: Column, source: Source) -> list[str]:
    """Every heading by which a source may name a column, ours first."""
    return [*column.accepted_headers, *source.headers.get(column.name, [])]


def find_layout(
    rows: Sequence[Sequence[str]], contract: Contract, source: Source, file_name: str
) -> Layout:
    """Find the heading row among the first rows of a file.

    Parameters
    ----------
    rows : sequence of sequences of str
        The first rows of the file, in order, blank rows included.
    contract : Contract
    source : Source
        Its own headings are accepted besides the contract's.
    file_name : str
        For the messages.

    Returns
    -------
    Layout
        Of the first of 30 rows that holds every required heading.

    Raises
    ------
    ReadError
        ``missing_column`` if no row holds them all, naming what the best row lacks;
        ``two_headers`` if two headings of that row name one column.
    """
    if not contract.format.header:
        return _by_position(rows, contract, file_name)
    columns: dict[str, str] = {}
    for column in contract.columns:
        for heading in accepted_headings(column, source):
            columns.setdefault(normalise(heading), column.name)
    required = {c.name for c in contract.columns if c.required}
    best: set[str] = set()
    for number, row in enumerate(rows[:ROWS_SEARCHED], start=1):
        found = {columns[key] for key in map(normalise, row) if key in columns}
        if found and required <= found:
            return _layout_of(number, row, columns, file_name, rows[number:])
        if len(found & required) > len(best & required):
            best = found
    missing = [c for c in contract.columns if c.required and c.name not in best]
    raise ReadError(
        "missing_column",
        f"{file_name} has no heading row with {_describe(missing, source)}"
        if best
        else f"{file_name} has no heading row: none of its first {ROWS_SEARCHED} rows holds "
        f"{_describe(missing, source)}",
        "Send the file with the headings of its contract in one row",
    )


def _by_position(rows: Sequence[Sequence[str]], contract: Contract, file_name: str) -> Layout:
    width = max((len(row) for row in rows), default=0)
    positions = {
        c.name: c.position - 1
        for c in contract.columns
        if c.position is not None and c.position <= width
    }
    missing = [c.name for c in contract.columns if c.required and c.name not in positions]
    if missing and width:
        raise ReadError(
            "missing_column",
            f"{file_name} has {width} fields in a row, too few for {', '.join(missing)}",
            "Send the file with every field of its contract, in order",
        )
    return Layout(header_row=0, positions=positions, unnamed=width - len(positions), width=width)


def _layout_of(
    number: int,
    row: Sequence[str],
    columns: dict[str, str],
    file_name: str,
    sample: Sequence[Sequence[str]],
) -> Layout:
    positions: dict[str, int] = {}
    headings: dict[str, str] = {}
    undeclared: list[str] = []
    types: list[str] = []
    unnamed = 0
    doubled: set[str] = set()
    for place, cell in enumerate(row):
        heading = cell.replace("\ufeff", "").strip()
        name = columns.get(normalise(heading))
        if name is not None:
            if name in positions:
                doubled.add(name)
            positions.setdefault(name, place)
            headings.setdefault(name, heading)
        elif heading and may_be_named(heading):
            undeclared.append(heading)
            types.append(looks_like([below[place] for below in sample if place < len(below)]))
        elif heading:
            unnamed += 1
    if doubled:
        raise ReadError(
            "two_headers",
            f"{file_name} has two headings for {', '.join(sorted(doubled))}",
            "Send each column once",
        )
    filled = [place for place, cell in enumerate(row) if cell.strip()]
    return Layout(
        number, positions, headings, tuple(undeclared), tuple(types), unnamed, filled[-1] + 1
    )


def _describe(missing: Sequence[Column], source: Source) -> str:
    parts = []
    for column in missing:
        others = accepted_headings(column, source)[1:]
        also = f" (or {', '.join(repr(h) for h in others)})" if others else ""
        parts.append(f"{column.name}{also}")
    return ", ".join(parts)
