"""XLSX: a new workbook of the cells that were examined, with their look and nothing else.

Belongs here: which things of a workbook are read and written again. Everything of the old file that
is not copied (pivot caches, links, names, charts, properties, formulas, phonetic text) cannot
survive. Does not belong here: what a column means.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from governance.redaction.documents.model import (
    REDACTED,
    Block,
    Cuts,
    DocumentError,
    Notice,
    counted,
    visible,
    without,
)
from governance.redaction.documents.packages import (
    damaged,
    packed,
    read_xml,
    unpacked,
)

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

_WHAT = "an Excel workbook"
MOST_CELLS = 300_000
MOST_MERGED = 500_000
_ORDINARY_FORMAT = re.compile(r"[\[\]$\-+#0?.,:;/\\ %_()*@dmyhsAMPGenralE£€]*")
_LOST = {
    "xl/pivotCache": "pivot tables and their caches removed",
    "xl/pivotTables": "",
    "xl/externalLinks": "links to other workbooks removed",
    "xl/connections": "connections to databases removed",
    "xl/queryTables": "connections to databases removed",
    "xl/charts": "charts removed",
    "xl/chartsheets": "chart sheets removed",
    "xl/drawings": "drawings and pictures removed",
    "xl/media": "",
    "xl/embeddings": "embedded files removed",
    "xl/ctrlProps": "controls removed",
    "xl/activeX": "controls removed",
    "xl/printerSettings": "printer settings removed",
    "xl/persons": "list of authors removed",
    "xl/threadedComments": "threads of comments turned into plain comments",
    "xl/tables": "tables turned into plain cells",
    "xl/slicer": "slicers removed",
    "xl/model": "data models removed",
    "xl/revisions": "history of changes removed",
    "xl/calcChain": "",
    "xl/metadata": "",
    "xl/richData": "linked data removed",
    "customXml": "custom XML removed",
    "docProps": "document properties removed",
    "docMetadata": "document properties removed",
}
_KNOWN = ("xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "xl/theme", "xl/worksheets/",
          "xl/comments", "xl/_rels", "_rels", "[Content_Types]")  # fmt: skip
_HEADS = ("oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter")


class XlsxDocument:
    """An XLSX file.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    """

    kind = "xlsx"

    def __init__(self, content: bytes, name: str) -> None:
        self._name = name
        parts = unpacked(content, name, _WHAT)
        self._refuse_hostile(parts)
        self._said: list[str] = []
        self._blocks: list[Block] = []
        self._writers: dict[str, Callable[[Sequence], None]] = {}
        self._titles: list[str] = []
        shown, computed = self._load(parts, values=True), self._load(parts, values=False)
        self._say_what_is_lost(parts, computed)
        self._new = Workbook()
        self._new.remove(self._new.worksheets[0])
        self._cells = 0
        for number, sheet in enumerate(shown.worksheets, start=1):
            self._sheet(number, sheet, computed.worksheets[number - 1])
        if not self._new.worksheets:
            raise DocumentError(
                f"{name} holds no sheet of cells", "Check that it is the right file"
            )
        self.blocks: Sequence[Block] = self._blocks
        self.notices: list[Notice] = counted(self._said)

    def _refuse_hostile(self, parts: dict[str, bytes]) -> None:
        lowered = [part.lower() for part in parts]
        if any("vbaproject" in part or "macrosheets" in part for part in lowered):
            raise DocumentError(
                f"{self._name} holds macros", "Save it as XLSX without macros and redact that"
            )
        merged = 0
        for part, body in parts.items():
            if not part.endswith((".xml", ".rels")):
                continue
            root = read_xml(body, self._name, _WHAT)
            for node in root.iter("{*}mergeCell"):
                merged += _cells_in(node.get("ref", ""))
            if merged > MOST_MERGED:
                raise DocumentError(
                    f"{self._name} merges more cells than any sheet that is read",
                    "Undo the merging and redact that",
                )

    def _load(self, parts: dict[str, bytes], *, values: bool) -> Workbook:
        # Drawings are not copied, so they are not even given to the library.
        kept = {
            part: body for part, body in parts.items()
            if not part.startswith(("xl/media", "xl/embeddings", "xl/printerSettings"))
        }  # fmt: skip
        try:
            return load_workbook(io.BytesIO(packed(kept)), data_only=values, keep_links=False)
        except (
            InvalidFileException, KeyError, ValueError, TypeError, AttributeError, IndexError,
            OverflowError, OSError, zipfile.BadZipFile,
        ):  # fmt: skip
            # The library has no error of its own for a workbook that does not hold together.
            raise damaged(self._name, _WHAT) from None

    def _say_what_is_lost(self, parts: dict[str, bytes], workbook: Workbook) -> None:
        for start, words in _LOST.items():
            if words and any(part.startswith(start) for part in parts):
                self._said.append(words)
        known = (*_LOST, *_KNOWN)
        self._said += ["other parts of the file removed"] * sum(
            1 for part in parts if not part.startswith(known)
        )
        named = len(workbook.defined_names) + sum(len(s.defined_names) for s in workbook.worksheets)
        self._said += ["defined names removed"] * named

    def _add(
        self, where: str, text: str, write: Callable[[Sequence], None], row: str = "",
        hint: str = "",
    ) -> None:  # fmt: skip
        number = f"x{len(self._blocks) + 1}"
        self._blocks.append(Block(number, where, text, row=row, hint=hint))
        self._writers[number] = write

    def _sheet(self, number: int, sheet: Worksheet, formulas: Worksheet) -> None:
        new = self._new.create_sheet(f"Sheet {number}")
        title = visible(sheet.title)
        self._titles.append(title)
        place = f"sheet {number}"
        if sheet.sheet_state != "visible":
            self._said.append("hidden sheets shown")
            place += " (was hidden)"

        def rename(cuts: Sequence) -> None:
            # Excel allows no brackets in the name of a sheet, so it is not "[redacted]".
            self._titles[number - 1] = "" if cuts else title

        self._add(f"{place}, its name", title, rename)
        self._look(sheet, new)
        self._heads(place, sheet, new)
        headings: dict[int, str] = {}
        # Only the cells that are there: one stray cell far out makes a sheet of billions.
        for _, cell in sorted(sheet._cells.items()):
            self._cell(place, cell, formulas, new, headings)
        for merge in sheet.merged_cells.ranges:
            new.merge_cells(merge.coord)
        if sheet.data_validations and sheet.data_validations.dataValidation:
            count = len(sheet.data_validations.dataValidation)
            self._said += ["rules for entering data removed"] * count
        if len(sheet.conditional_formatting):
            self._said.append("conditional formats removed")

    def _look(self, sheet: Worksheet, new: Worksheet) -> None:
        for letter, column in sheet.column_dimensions.items():
            if column.hidden:
                self._said.append("hidden columns shown")
            new.column_dimensions[letter].width = column.width
        for index, row in sheet.row_dimensions.items():
            if row.hidden:
                self._said.append("hidden rows shown")
            if row.height:
                new.row_dimensions[index].height = row.height
        new.freeze_panes = sheet.freeze_panes
        new.page_setup.orientation = sheet.page_setup.orientation
        if sheet.auto_filter and sheet.auto_filter.ref:
            self._said.append("filters removed, all rows shown")

    def _heads(self, place: str, sheet: Worksheet, new: Worksheet) -> None:
        for head in _HEADS:
            for side in ("left", "center", "right"):
                text = visible(getattr(getattr(sheet, head), side).text or "")
                if not text.strip():
                    continue

                def write(cuts: Sequence, head: str = head, side: str = side,
                          text: str = text) -> None:  # fmt: skip
                    getattr(getattr(new, head), side).text = without(text, cuts)

                write(())
                self._add(f"{place}, page header or footer", text, write)

    def _cell(
        self, place: str, cell: Any, formulas: Worksheet, new: Worksheet, headings: dict[int, str]
    ) -> None:
        target: Any = new.cell(cell.row, cell.column)
        _copy_look(cell, target)
        coordinate = f"{get_column_letter(cell.column)}{cell.row}"
        where = f"{place}, cell {coordinate}"
        row = f"{place} row {cell.row}"
        if cell.comment is not None:
            self._comment(where, cell, target)
        if cell.hyperlink is not None:
            self._link(where, cell, target)
        if formulas[coordinate].data_type == "f":
            self._said.append("formulas turned into the values they last showed"
                              if cell.value is not None
                              else "formulas without a stored value removed")  # fmt: skip
        if cell.value is None:
            return
        self._cells += 1
        if self._cells > MOST_CELLS:
            raise DocumentError(
                f"{self._name} holds more than {MOST_CELLS:,} filled cells, too many for a person "
                "to review",
                "Give away counts, or use 'lsoalink pseudonymise' on the table",
            )
        text = visible(_shown(cell))
        hint = headings.get(cell.column, "")
        if isinstance(cell.value, str):
            headings.setdefault(cell.column, text.strip()[:60])
        _put(target, text if isinstance(cell.value, str) else cell.value)

        def write(cuts: Sequence) -> None:
            if isinstance(cell.value, str):
                _put(target, without(text, cuts))
            elif cuts:
                target.number_format = "General"
                _put(target, REDACTED)

        if text.strip():
            self._add(where, text, write, row=row, hint=hint)

    def _comment(self, where: str, cell: Cell, target: Cell) -> None:
        text = visible(cell.comment.text or "")  # type: ignore[union-attr]
        if not text.strip():
            return

        def write(cuts: Sequence) -> None:
            target.comment = Comment(without(text, cuts), "")

        write(())
        self._said.append("authors of comments removed")
        self._add(f"{where}, comment", text, write)

    def _link(self, where: str, cell: Cell, target: Cell) -> None:
        link = cell.hyperlink
        address = visible(str(link.target or "")) if link is not None else ""
        if link is not None and (link.tooltip or link.display or link.location):
            self._said.append("tips and places of links removed")
        if not re.match(r"(?:https?|mailto|tel):", address, re.IGNORECASE):
            self._said.append("links to files or places removed")
            return

        def write(cuts: Sequence) -> None:
            target.hyperlink = None if cuts else address

        value = target.value
        write(())
        target.value = value
        self._add(f"{where}, link target", address, write)

    def written(self, cuts: Cuts) -> bytes:
        """Return a workbook that was never the old file."""
        for key, write in self._writers.items():
            if cuts.get(key):
                write(cuts[key])
        for sheet in self._new.worksheets:
            sheet.title = f"lsoalink {self._new.worksheets.index(sheet)} being named"
        for sheet, title in zip(self._new.worksheets, _free_titles(self._titles), strict=True):
            sheet.title = title
        self._new.active = 0
        self._new.properties.creator = None
        epoch = dt.datetime(2000, 1, 1)
        self._new.properties.created = self._new.properties.modified = epoch
        buffer = io.BytesIO()
        self._new.save(buffer)
        parts = unpacked(buffer.getvalue(), self._name, _WHAT)
        return packed(parts)


def _free_titles(titles: Sequence[str]) -> list[str]:
    """Name the sheets without a title after their number, and none as one that keeps its own."""
    taken = {title.casefold() for title in titles}
    out = []
    for number, title in enumerate(titles, start=1):
        free = title or f"Redacted {number}"
        while not title and free.casefold() in taken:
            free += " again"
        taken.add(free.casefold())
        out.append(free)
    return out


def _shown(cell: Any) -> str:
    """Return a cell as people read it: a day with its month in the middle, a number in full."""
    value = cell.value
    if isinstance(value, dt.datetime):
        clock = (value.hour, value.minute, value.second) != (0, 0, 0)
        return value.strftime("%d/%m/%Y %H:%M" if clock else "%d/%m/%Y")
    if isinstance(value, dt.date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        digits = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    else:
        digits = str(value)
    zeros = re.fullmatch(r"0+", cell.number_format or "")
    return digits.zfill(len(zeros[0])) if zeros and digits.isdigit() else digits


def _cells_in(reference: str) -> int:
    try:
        left, top, right, bottom = range_boundaries(reference)
    except (ValueError, TypeError):
        return 0
    if None in (left, top, right, bottom):
        return MOST_MERGED + 1
    return int((right - left + 1) * (bottom - top + 1))  # type: ignore[operator]


def _put(target: Any, value: object) -> None:
    target.value = value
    if isinstance(value, str):
        # A text that begins like a formula stays a text.
        target.data_type = "s"


def _copy_look(cell: Any, target: Any) -> None:
    if not cell.has_style:
        return
    target.font, target.fill = copy(cell.font), copy(cell.fill)
    target.border, target.alignment = copy(cell.border), copy(cell.alignment)
    fmt = cell.number_format or "General"
    target.number_format = fmt if _ORDINARY_FORMAT.fullmatch(fmt) else "General"
