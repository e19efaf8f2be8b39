"""Text that is one to a reader and many pieces to the file: runs of Word, elements of a page.

Belongs here: cutting a passage out of the pieces it lies in. Does not belong here: which pieces
belong together; each type of file knows that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from governance.redaction.documents.model import REDACTED, Cut, merged


@dataclass(frozen=True)
class Piece:
    """A part of a text as it lies in the file.

    Attributes
    ----------
    text : str
    write : callable
        Puts another text in its place.
    """

    text: str
    write: Callable[[str], None]


def joined(pieces: Sequence[Piece]) -> str:
    """Return the text a reader sees."""
    return "".join(piece.text for piece in pieces)


def cut_pieces(pieces: Sequence[Piece], cuts: Sequence[Cut]) -> None:
    """Cut passages out of every piece they lie in; the first of them shows the replacement."""
    ordered, at = merged(cuts), 0
    for piece in pieces:
        start, end = at, at + len(piece.text)
        at = end
        kept, place = [], start
        for cut in ordered:
            if cut.end <= start or cut.start >= end:
                continue
            kept.append(piece.text[place - start : max(cut.start, start) - start])
            if cut.start >= start:
                kept.append(REDACTED)
            place = min(cut.end, end)
        if place > start or kept:
            kept.append(piece.text[place - start :])
            piece.write("".join(kept))
