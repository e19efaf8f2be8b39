"""Files as they land: their names, bytes and times of arrival.

Belongs here: what an extract is, when it would plausibly arrive, and the atomic write. Does not
belong here: what the file says, which is its topic's, or what is wrong with it, which is
``faults``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd

from synthetic.months import first_day, last_day
from synthetic.tables import Table, csv_text, rows

ONCE = datetime(2024, 11, 1, 9, 0, tzinfo=UTC)


@dataclass
class Extract:
    """One file on its way to the landing folder.

    Attributes
    ----------
    source_id : str
    period : str or None
        ``YYYY-MM``; None for a file delivered once.
    file : str
        The file's name.
    table : dict of str to object array
        Cells of text. Empty where ``body`` holds the content.
    arrived : datetime.datetime
        UTC.
    body : bytes or None
        Content that is not a table.
    tail : str
        Text after the last row, such as the notes of a Nomis file.
    encoding, newline : str
    header : bool
    quote_all : bool
    truth : dict of str to pandas.DataFrame
        What the generator knows the file to say, by the name of the truth table.
    """

    source_id: str
    period: str | None
    file: str
    table: Table = field(default_factory=dict)
    arrived: datetime = ONCE
    body: bytes | None = None
    tail: str = ""
    encoding: str = "utf-8"
    newline: str = "\n"
    header: bool = True
    quote_all: bool = False
    truth: dict[str, pd.DataFrame] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return the bytes of the file."""
        if self.body is not None:
            return self.body
        text = csv_text(self.table, header=self.header, quote_all=self.quote_all) + self.tail
        if self.newline != "\n":
            text = text.replace("\n", self.newline)
        return text.encode(self.encoding)

    def rows(self) -> int:
        """Count the rows of the table."""
        return rows(self.table)


def _moment(day: date, name: str, as_of: date) -> datetime:
    # The time of day is made from the name, so that no file's time depends on another file.
    minute = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big") % 540
    at = time(8 + minute // 60, minute % 60, tzinfo=UTC)
    return datetime.combine(min(day, as_of), at)


def _spread(name: str, lowest: int, highest: int) -> int:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[2:4], "big")
    return lowest + number % (highest - lowest + 1)


def monthly_arrival(source_id: str, period: str, as_of: date) -> datetime:
    """Return when a monthly file arrives: the 6th to the 12th of the following month."""
    name = f"{source_id}/{period}"
    return _moment(last_day(period) + timedelta(days=_spread(name, 6, 12)), name, as_of)


def quarterly_arrival(source_id: str, period: str, as_of: date) -> datetime:
    """Return when a quarterly file arrives: 20 to 35 days after the quarter ends."""
    name = f"{source_id}/{period}"
    return _moment(last_day(period) + timedelta(days=_spread(name, 20, 35)), name, as_of)


def within_month_arrival(source_id: str, period: str, as_of: date) -> datetime:
    """Return when a file about the first of a month arrives: the 10th to the 16th of it."""
    name = f"{source_id}/{period}"
    return _moment(first_day(period) + timedelta(days=_spread(name, 9, 15)), name, as_of)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and then move it there in one step.

    Parameters
    ----------
    path : pathlib.Path
        The file to make; its folder is made too.
    write : callable
        Called with the temporary path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        write(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def land(extract: Extract, landing: Path) -> Path:
    """Write one extract under ``landing/<source_id>/`` and set its time of arrival.

    Returns
    -------
    pathlib.Path
        The file written.
    """
    path = landing / extract.source_id / extract.file
    content = extract.content()

    def write(beside: Path) -> None:
        beside.write_bytes(content)
        moment = int(extract.arrived.timestamp())
        os.utime(beside, (moment, moment))

    write_atomically(path, write)
    return path
