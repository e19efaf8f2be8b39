"""Plain text and CSV: every character is seen, so every character is examined.

Belongs here: decoding, paragraphs, cells with their quoting. Does not belong here: guessing rarer
encodings; a file that is neither UTF-8 nor Windows-1252 is refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from governance.redaction.documents.model import (
    Block,
    Cuts,
    DocumentError,
    Notice,
    visible,
    without,
)

MOST_OF_A_BLOCK = 4_000
_PARAGRAPH = re.compile(r"(?:\n[ \t]*){2,}")
_UNDEFINED_IN_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_DELIMITERS = ",;\t|"


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """Return a file's text and its encoding: ``utf-8``, ``utf-8-sig`` or ``cp1252``.

    Raises
    ------
    DocumentError
        Not text in one of these.
    """
    encoding = "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
        text = "" if _UNDEFINED_IN_1252.search(content) else content.decode(encoding)
    if not text or "\x00" in text or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DocumentError(
            f"{name} is not text in UTF-8 or Windows-1252",
            "Save it as UTF-8 and try that",
        )
    return text, encoding


def encoded(text: str, encoding: str) -> bytes:
    """Return a text in the encoding it came in; what that cannot hold becomes a question mark."""
    return text.encode(encoding, errors="replace")


class TextDocument:
    """A TXT file: paragraphs between empty lines.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    """

    kind = "txt"

    def __init__(self, content: bytes, name: str) -> None:
        self._text, self._end, self._encoding, self.notices = _readable(content, name)
        self._places = list(_paragraphs(self._text))
        self.blocks: Sequence[Block] = [
            Block(f"t{n}", f"paragraph {n}", self._text[start:end])
            for n, (start, end) in enumerate(self._places, start=1)
        ]

    def written(self, cuts: Cuts) -> bytes:
        """Return the text with its own line ends and encoding."""
        parts, at = [], 0
        for block, (start, end) in zip(self.blocks, self._places, strict=True):
            parts += [self._text[at:start], without(block.text, cuts.get(block.id, ()))]
            at = end
        whole = "".join([*parts, self._text[at:]])
        return encoded(whole.replace("\n", self._end), self._encoding)


def _readable(content: bytes, name: str) -> tuple[str, str, str, list[Notice]]:
    """Return a file's text as it is seen, the line end and encoding it has, and what was left out.

    The text has one sign a line's end, so that an identifier over two lines has one sign between.
    """
    text, encoding = decoded(content, name)
    text = text.lstrip("\ufeff")
    shown = visible(text)
    hidden = len(text) - len(shown)
    notices = [Notice("characters that nobody sees removed", hidden)] if hidden else []
    return shown.replace("\r\n", "\n").replace("\r", "\n"), _line_end(text), encoding, notices


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r"


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for gap in [*_PARAGRAPH.finditer(text), None]:
        end = gap.start() if gap else len(text)
        while end - at > MOST_OF_A_BLOCK:
            # At a line's end if there is one, so that an identifier is not torn.
            line = text.rfind("\n", at + 1, at + MOST_OF_A_BLOCK)
            space = text.rfind(" ", at + 1, at + MOST_OF_A_BLOCK)
            place = max(line, space) + 1 or at + MOST_OF_A_BLOCK
            yield at, place
            at = place
        if text[at:end].strip():
            yield at, end
        at = gap.end() if gap else end


@dataclass
class _Cell:
    text: str
    quoted: bool


class CsvDocument:
    """A CSV file: every cell a block, with its column's heading as a hint.

    Delimiter, quotation marks, line ends and encoding stay as they are.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    """

    kind = "csv"

    def __init__(self, content: bytes, name: str) -> None:
        clean, self._end, self._encoding, self.notices = _readable(content, name)
        self._last = clean.endswith("\n")
        self._delimiter = _delimiter(clean)
        self._rows = list(_rows(clean, self._delimiter))
        if not self._rows:
            raise DocumentError(f"{name} holds no row", "Check that it is the right file")
        headings = [cell.text.strip() for cell in self._rows[0]]
        self.blocks: Sequence[Block] = [
            Block(
                f"r{r}c{c}", f"row {r}, column {c}", cell.text, row=f"row {r}",
                hint=headings[c - 1] if r > 1 and c <= len(headings) else "",
            )
            for r, row in enumerate(self._rows, start=1)
            for c, cell in enumerate(row, start=1)
            if cell.text.strip()
        ]  # fmt: skip

    def written(self, cuts: Cuts) -> bytes:
        """Return the table as it was but for the cuts."""
        lines = []
        for r, row in enumerate(self._rows, start=1):
            cells = []
            for c, cell in enumerate(row, start=1):
                text = without(cell.text, cuts.get(f"r{r}c{c}", ()))
                needs = any(mark in text for mark in (self._delimiter, '"', "\n"))
                escaped = text.replace('"', '""')
                cells.append(f'"{escaped}"' if cell.quoted or needs else text)
            lines.append(self._delimiter.join(cells))
        whole = "\n".join(lines) + ("\n" if self._last else "")
        return encoded(whole.replace("\n", self._end), self._encoding)


def _delimiter(text: str) -> str:
    try:
        return str(csv.Sniffer().sniff(text[:20_000], delimiters=_DELIMITERS).delimiter)
    except csv.Error:
        first = text.split("\n", 1)[0]
        return max(_DELIMITERS, key=first.count)


def _rows(text: str, delimiter: str) -> Iterator[list[_Cell]]:
    """Yield rows with each cell's quoting, which the standard reader forgets."""
    row: list[_Cell] = []
    at = 0
    while at < len(text):
        cell, at = _cell(text, at, delimiter)
        row.append(cell)
        if at < len(text) and text[at] == delimiter:
            at += 1
            if at < len(text):
                continue
            row.append(_Cell("", quoted=False))
        elif at < len(text):
            at += 1
        yield row
        row = []


def _cell(text: str, at: int, delimiter: str) -> tuple[_Cell, int]:
    parts: list[str] = []
    quoted = text[at] == '"'
    if quoted:
        at += 1
        while at < len(text):
            end = text.find('"', at)
            end = len(text) if end < 0 else end
            parts.append(text[at:end])
            at = end + 1
            if not text.startswith('"', at):
                break
            parts.append('"')
            at += 1
        at = min(at, len(text))
    end = at
    while end < len(text) and text[end] not in (delimiter, "\n"):
        end += 1
    return _Cell("".join([*parts, text[at:end]]), quoted), end
