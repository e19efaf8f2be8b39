"""What the ministry published about homelessness in a district, read from its workbook.

Belongs here: the places of the figures in the detailed local authority tables of October to
December 2025, sheets A1 and TA1, and what a missing figure means. Does not belong here: any case
made from them, which is ``calibrated``.

The sheets have no usable heading row: headings are merged over several rows and carry note numbers,
so columns are known by their place. The words above each place are checked before it is read.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from declarations.errors import ConfigurationError
from synthetic.code_lists import TA_TYPES

QUARTER = "2025-12"
TITLE_ROWS = 7
NOT_PUBLISHED = ("", "-", "..")

ASSESSED = (4, "total initial assessments")
DUTY_PLACES = {
    "prevention": (7, "prevention duty owed"),
    "relief": (9, "relief duty owed"),
    "none": (11, "not homeless nor threatened"),
    "withdrew": (12, "withdrew application"),
    "ineligible": (13, "not eligible"),
}
"""Duty to its place in a row of A1, from 0, and words that stand above it."""

STOCK = (4, "total number of households in ta")
TYPE_PLACES = dict(
    zip(
        TA_TYPES,
        (
            (10, "bed and breakfast"),
            (16, "nightly paid"),
            (19, "hostels"),
            (22, "private sector accommodation leased"),
            (25, "housing association"),
            (28, "any other type"),
        ),
        strict=True,
    )
)
"""Type of temporary accommodation to its place in a row of TA1, and words above it."""

OTHER_TYPE = list(TA_TYPES)[-1]


@dataclass(frozen=True)
class DistrictTotals:
    """The published figures of one district.

    Attributes
    ----------
    name : str
        The district's name in the workbook.
    duties : dict of str to int
        Households assessed in the quarter, by duty (table A1).
    stock : int
        Households in temporary accommodation on the quarter's last day (table TA1).
    types : dict of str to int or None
        The same by type; None where the ministry did not publish it.
    """

    name: str
    duties: dict[str, int]
    stock: int
    types: dict[str, int | None]

    @property
    def assessed(self) -> int:
        """Households assessed, over all duties."""
        return sum(self.duties.values())


def read_totals(workbook: Path, districts: Collection[str]) -> dict[str, DistrictTotals]:
    """Read the totals of some districts.

    Parameters
    ----------
    workbook : pathlib.Path
        MHCLG, "Statutory homelessness: detailed local authority data", October to December 2025.
    districts : collection of str
        GSS codes.

    Returns
    -------
    dict of str to DistrictTotals

    Raises
    ------
    ConfigurationError
        If the file is not that workbook, a district is not in it, or a figure the cases need was
        not published or does not add up.
    """
    from openpyxl import load_workbook  # noqa: PLC0415 - heavy

    try:
        with workbook.open("rb") as stream:
            book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                sheets = {name: _rows(book[name], districts) for name in ("A1", "TA1")}
            finally:
                book.close()
    except (BadZipFile, ParseError, zlib.error, KeyError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{workbook.name} is not the ministry's workbook of detailed local authority tables",
            "Use the file of October to December 2025 with the sheets A1 and TA1",
        ) from error
    _check_headings(sheets["A1"][0], [ASSESSED, *DUTY_PLACES.values()], workbook, "A1")
    _check_headings(sheets["TA1"][0], [STOCK, *TYPE_PLACES.values()], workbook, "TA1")
    return {code: _district(sheets, code, workbook) for code in sorted(districts)}


Sheet = tuple[list[tuple[Any, ...]], dict[str, tuple[Any, ...]]]


def _rows(sheet: Any, districts: Collection[str]) -> Sheet:
    titles: list[tuple[Any, ...]] = []
    found: dict[str, tuple[Any, ...]] = {}
    for number, row in enumerate(sheet.iter_rows(values_only=True)):
        if number < TITLE_ROWS:
            titles.append(row)
        elif row and row[0] in districts:
            found[str(row[0])] = row
    return titles, found


def _check_headings(
    titles: list[tuple[Any, ...]], places: list[tuple[int, str]], workbook: Path, sheet: str
) -> None:
    for place, words in places:
        above = " ".join(str(row[place] or "") for row in titles if place < len(row))
        if words not in " ".join(above.lower().split()):
            raise ConfigurationError(
                f"Sheet {sheet} of {workbook.name} has no column '{words}' in place {place + 1}",
                "Use the workbook of October to December 2025",
            )


def _district(sheets: Mapping[str, Sheet], code: str, workbook: Path) -> DistrictTotals:
    for sheet, (_, rows) in sheets.items():
        if code not in rows:
            raise ConfigurationError(
                f"Sheet {sheet} of {workbook.name} has no district {code}",
                "Correct the district's code, or use the workbook of October to December 2025",
            )
    a1, ta1 = sheets["A1"][1][code], sheets["TA1"][1][code]
    duties = {duty: figure(a1[place]) for duty, (place, _) in DUTY_PLACES.items()}
    published = {duty: count for duty, count in duties.items() if count is not None}
    assessed, stock = figure(a1[ASSESSED[0]]), figure(ta1[STOCK[0]])
    if assessed is None or stock is None or len(published) < len(duties):
        raise ConfigurationError(
            f"{workbook.name} does not publish every duty, or the households in temporary "
            f"accommodation, of {code}",
            "Cases can be made only for districts with these figures",
        )
    types = {kind: figure(ta1[place]) for kind, (place, _) in TYPE_PLACES.items()}
    known = sum(count for count in types.values() if count is not None)
    complete = None not in types.values()
    if sum(published.values()) != assessed or known > stock or (complete and known != stock):
        raise ConfigurationError(
            f"The figures of {code} in {workbook.name} do not add up to their totals",
            "Use the workbook as it was published",
        )
    return DistrictTotals(str(a1[1]), published, stock, types)


def figure(cell: object) -> int | None:
    """Return a cell's count, or None where a dash or two dots say that it is not published.

    Raises
    ------
    ConfigurationError
        If the cell holds anything else.
    """
    text = "" if cell is None else str(cell).strip()
    if text in NOT_PUBLISHED:
        return None
    if not text.isdecimal():
        raise ConfigurationError(
            "A figure of the ministry's workbook is no whole number", "Use it as it was published"
        )
    return int(text)
