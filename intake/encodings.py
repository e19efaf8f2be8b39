"""What a delivered text file is written in, found by reading it once as bytes.

Belongs here: the encoding, the byte order mark, line ends, and signs that a text was cut short.
Does not belong here: headings and fields (``headings``), what is done about a fault (``safety``).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
SAMPLE = 1 << 20
TAIL = 1 << 14
CONTROLS = bytes(c for c in range(32) if c not in (9, 10, 12, 13, 26))
CONTROLS_ALLOWED = 0.005
NOT_IN_CP1252 = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
DELIMITERS = ",;\t|"
UTF16_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True)
class TextFacts:
    """What one pass over a text file's bytes shows.

    Attributes
    ----------
    encoding : str or None
        ``utf-8``, ``utf-16-le``, ``utf-16-be`` or ``cp1252``; None where it is none of them.
    bom : bool
        Whether the file opens with a byte order mark.
    lines : int
        Line ends, and one more where the last line has none.
    mixed_line_ends : bool
        Whether lines end in more than one way.
    cut_short : bool
        Whether the file ends within a character, a quoted field or a row.
    sample : str
        The first 1 MiB, decoded, without the byte order mark. Holds records: never shown.
    whole : bool
        Whether ``sample`` is the whole file.
    """

    encoding: str | None
    bom: bool
    lines: int
    mixed_line_ends: bool
    cut_short: bool
    sample: str
    whole: bool


class TextScan:
    """Gathers `TextFacts` from chunks of bytes, in order, holding no more than a sample."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._size = 0
        self._feeds = self._returns = self._pairs = self._quotes = self._nuls = 0
        self._ends_with_return = False
        self._odd_bytes = self._ascii = True
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = self._is_cp1252 = True

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        if not chunk:
            return
        if len(self._head) < SAMPLE:
            self._head += chunk[: SAMPLE - len(self._head)]
        self._size += len(chunk)
        self._tail = (self._tail + chunk[-TAIL:])[-TAIL:]
        self._feeds += chunk.count(b"\n")
        self._returns += chunk.count(b"\r")
        self._pairs += chunk.count(b"\r\n") + (self._ends_with_return and chunk[:1] == b"\n")
        self._ends_with_return = chunk[-1:] == b"\r"
        self._quotes += chunk.count(b'"')
        self._nuls += chunk.count(b"\x00")
        if chunk.isascii() and not self._utf8.getstate()[0]:
            return
        self._ascii = False
        if self._is_utf8:
            try:
                self._utf8.decode(chunk)
            except UnicodeDecodeError:
                self._is_utf8 = False
        if self._is_cp1252:
            self._is_cp1252 = not any(byte in chunk for byte in NOT_IN_CP1252)

    def finish(self) -> TextFacts:
        """Return what was found, once every chunk was fed."""
        encoding, bom, half_character = self._encoding()
        sample = self._head.decode(encoding, errors="replace") if encoding else ""
        wide = encoding is not None and encoding.startswith("utf-16")
        feeds = sample.count("\n") if wide else self._feeds
        line_ends = (self._feeds - self._pairs > 0) + (self._pairs > 0)
        lonely_returns = self._returns - self._pairs
        line_ends += lonely_returns > 0 and not self._feeds
        last = self._tail[-2:].strip(b"\x00") if wide else self._tail[-1:]
        open_end = last not in (b"\n", b"\r")
        lines = feeds if self._feeds else lonely_returns
        return TextFacts(
            encoding=encoding,
            bom=bom,
            lines=lines + open_end,
            mixed_line_ends=not wide and line_ends > 1,
            cut_short=half_character or (not wide and open_end and self._ends_in_a_row()),
            sample=sample.removeprefix("\ufeff"),
            whole=self._size <= len(self._head),
        )

    def _encoding(self) -> tuple[str | None, bool, bool]:
        """Return the encoding, whether there is a byte order mark, whether a character is cut."""
        for bom, name in UTF16_BOMS.items():
            if self._head.startswith(bom):
                return name, True, self._size % 2 == 1
        if self._nuls:
            return self._wide_without_bom(), False, self._size % 2 == 1
        bom8 = self._head.startswith(codecs.BOM_UTF8)
        first = self._head[: 1 << 16]
        junk = len(first) - len(first.translate(None, CONTROLS))
        if junk > CONTROLS_ALLOWED * len(first):
            return None, False, False
        if self._is_utf8:
            return "utf-8", bom8, bool(self._utf8.getstate()[0])
        return ("cp1252" if self._is_cp1252 else None), False, False

    def _wide_without_bom(self) -> str | None:
        """Latin text in UTF-16 has a NUL in every second byte; anything else with NULs is junk."""
        first = self._head[: 1 << 16]
        half = len(first) // 2
        for name, zeros, letters in (
            ("utf-16-le", first[1::2], first[::2]),
            ("utf-16-be", first[::2], first[1::2]),
        ):
            junk = len(letters) - len(letters.translate(None, CONTROLS))
            if zeros.count(0) > 0.9 * half and junk <= CONTROLS_ALLOWED * half:
                return name
        return None

    def _ends_in_a_row(self) -> bool:
        """Whether the last line, which has no line end, is shorter than the one before it."""
        if self._quotes % 2:
            return True
        lines = self._tail.splitlines()
        if len(lines) < 3 or b'"' in lines[-1] or b'"' in lines[-2]:
            return False
        counts = {d: lines[-2].count(d.encode()) for d in DELIMITERS}
        delimiter = max(counts, key=lambda d: counts[d]).encode()
        return 0 < lines[-1].count(delimiter) < lines[-2].count(delimiter)


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a binary stream in pieces of 1 MiB."""
    while chunk := stream.read(CHUNK):
        yield chunk


def text_facts(path: Path) -> TextFacts:
    """Read a file once and return what its bytes show.

    Parameters
    ----------
    path : Path
        A plain file, not compressed.
    """
    scan = TextScan()
    with path.open("rb") as stream:
        for chunk in chunks_of(stream):
            scan.feed(chunk)
    return scan.finish()


def rows_of_sample(facts: TextFacts, delimiter: str, limit: int) -> list[list[str]]:
    """Return the first rows of a text, split into fields.

    A row that the end of the sample cuts is left out. Blank lines are empty lists, so that the
    position of a row is its number in the file.
    """
    reader = csv.reader(io.StringIO(facts.sample, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if len(rows) > limit:
                break
    except csv.Error:
        return rows
    if not facts.whole and len(rows) <= limit:
        rows = rows[:-1]
    return rows[:limit]


def rewrite_as_utf8(path: Path, target: Path, encoding: str) -> None:
    """Write a text again in UTF-8, a piece at a time, without its byte order mark.

    A byte that cannot be decoded becomes U+FFFD: the row stays and can be counted.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    with path.open("rb") as source, target.open("wb") as sink:
        first = True
        for chunk in chunks_of(source):
            text = decoder.decode(chunk)
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            sink.write(text.encode("utf-8", errors="replace"))
        sink.write(decoder.decode(b"", final=True).encode("utf-8", errors="replace"))
