"""What all types of document share: blocks of text, cuts in them, and notices about the rest.

Belongs here: the vocabulary. Does not belong here: any type of file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from declarations.errors import LsoalinkError

REDACTED = "[redacted]"
"""What stands in place of a passage: always the same, so that not even its length is told."""

PICTURE = "PICTURE"
"""Kind of the proposal to remove a picture: a person must look at it, nothing reads it."""

CORRESPONDENT = "CORRESPONDENT"
"""Kind of the proposal to remove a whole header of an e-mail that names people."""

BY_HAND = "BY_HAND"
"""Kind of a passage that a person marked."""

_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class DocumentError(LsoalinkError):
    """A document cannot be redacted safely: whoever holds it must act."""

    exit_code = 4
    who = "whoever holds the document"


@dataclass(frozen=True)
class Cut:
    """A passage to remove: characters ``start`` up to, not including, ``end`` of a block."""

    start: int
    end: int


Cuts = Mapping[str, Sequence[Cut]]
"""Passages to remove by the id of their block."""


@dataclass(frozen=True)
class Block:
    """One text of a document that is looked at by itself.

    Attributes
    ----------
    id : str
        The same each time the same bytes are read.
    where : str
        Place in words, for example ``page 3`` or ``sheet 2, cell B4``. Never a text of the file.
    text : str
    row : str
        Blocks one after another of the same row are shown side by side; empty for a line alone.
    hint : str
        Words that tell what the text is, for example its column's heading.
    suspect : str
        Kind under which the whole block is proposed whatever the engine says; empty for none.
    kept_unless_cut : bool
        A suspect block that stays unless a person removes it: a picture.
    picture : bytes
        A PNG to show in place of the text.
    """

    id: str
    where: str
    text: str
    row: str = ""
    hint: str = ""
    suspect: str = ""
    kept_unless_cut: bool = False
    picture: bytes = b""


@dataclass(frozen=True)
class Notice:
    """What is removed, or changed, or cannot be read, whatever is decided. No text of the file."""

    what: str
    count: int = 1


class Document(Protocol):
    """A document that has been read.

    Attributes
    ----------
    kind : str
        Its type, for example ``docx``.
    blocks : sequence of Block
    notices : sequence of Notice
    """

    kind: str

    @property
    def blocks(self) -> Sequence[Block]:
        """Every text that is looked at, in reading order."""
        ...

    @property
    def notices(self) -> Sequence[Notice]:
        """What goes, changes or cannot be read whatever is decided."""
        ...

    def written(self, cuts: Cuts) -> bytes:
        """Return the same type of file without the passages and without all that was not examined.

        Called once: a document may change itself while it writes.
        """
        ...


def visible(text: str) -> str:
    """Return a text without characters that nobody sees and that could split an identifier."""
    return _CONTROL.sub(" ", _INVISIBLE.sub("", text))


def merged(cuts: Iterable[Cut]) -> list[Cut]:
    """Return cuts in order, those that overlap or touch made one."""
    out: list[Cut] = []
    for cut in sorted(cuts, key=lambda c: (c.start, c.end)):
        if out and cut.start <= out[-1].end:
            out[-1] = Cut(out[-1].start, max(out[-1].end, cut.end))
        else:
            out.append(cut)
    return out


def without(text: str, cuts: Iterable[Cut]) -> str:
    """Return a text with each cut replaced by :data:`REDACTED`."""
    parts, at = [], 0
    for cut in merged(cuts):
        parts += [text[at : cut.start], REDACTED]
        at = cut.end
    return "".join([*parts, text[at:]])


def counted(notices: Iterable[str]) -> list[Notice]:
    """Return each different notice once with how often it was said, in the order of the first."""
    counts: dict[str, int] = {}
    for what in notices:
        counts[what] = counts.get(what, 0) + 1
    return [Notice(what, count) for what, count in counts.items()]
