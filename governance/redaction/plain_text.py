"""One plain spelling of a text to search in, with the way back to the text as given.

Belongs here: what people and programs do to characters that hides an identifier from a pattern:
zero-width characters, full-width digits, non-breaking blanks, dashes, curly quotes, accents. Does
not belong here: what an identifier looks like (`recognisers`).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_SAME = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u02b9\u0060\u00b4\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e", '"'),
    **dict.fromkeys("\u2028\u2029\u0085", "\n"),
    **dict.fromkeys("\u00b7\u2022\u2024\u2027", "."),
    **dict(zip("\u0141\u0142\u00d8\u00f8\u0130\u0131\u0110\u0111", "LlOoIiDd", strict=True)),
    "\u2044": "/",
    "\u2215": "/",
}
"""Look-alikes that compatibility normalisation leaves apart."""

_DROPPED = frozenset(("Cf", "Mn", "Me", "Cc"))
"""Unicode categories without a width: formats (zero-width, soft hyphen), marks, controls."""


@dataclass(frozen=True)
class PlainText:
    """A text as it is searched.

    Attributes
    ----------
    text : str
        The plain spelling.
    origins : tuple of int or None
        For each plain character the place of the given one it comes from; None if they agree.
    """

    text: str
    origins: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of the given text for one of the plain text, ends exclusive."""
        if self.origins is None or start >= end:
            return start, end
        return self.origins[start], self.origins[end - 1] + 1


def plain(text: str) -> PlainText:
    """Spell a text plainly.

    Parameters
    ----------
    text : str

    Returns
    -------
    PlainText
        Letters without accents, ASCII digits, one kind of blank, dash and quote, nothing without a
        width; line breaks are kept. Letters of other scripts stay as they are.
    """
    if text.isascii() and (text.isprintable() or not _has_controls(text)):
        return PlainText(text, None)
    letters: list[str] = []
    origins: list[int] = []
    for place, letter in enumerate(text):
        for piece in _spelling(letter):
            letters.append(piece)
            origins.append(place)
    return PlainText("".join(letters), tuple(origins))


def _has_controls(text: str) -> bool:
    return any(letter not in "\t\n\r\f\v" and not letter.isprintable() for letter in text)


def _spelling(letter: str) -> str:
    if letter.isascii() and (letter.isprintable() or letter.isspace()):
        return letter
    if letter in _SAME:
        return _SAME[letter]
    if letter.isspace():
        return " "
    if unicodedata.category(letter) == "Cs":
        return "\ufffd"
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    return "".join(
        _SAME.get(piece, piece)
        for piece in unicodedata.normalize("NFKD", letter)
        if unicodedata.category(piece) not in _DROPPED
    )
