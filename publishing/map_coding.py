"""How the map page writes columns in few bytes: numbers rounded, texts as one character an area.

Belongs here: the two encodings, which the page's script and the tests undo. Does not belong here:
which columns the page knows (``map_page.py``, ``map_derived.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from declarations.errors import StorageError

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Codes:
    """Gives each different text a character; '.' stands for none."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def character(self, text: object) -> str:
        """Return the character of a text, a new one when it is met for the first time."""
        if not isinstance(text, str) or not text:
            return "."
        if text not in self.texts:
            if len(self.texts) == len(ALPHABET):
                raise StorageError(
                    f"The release uses more than {len(ALPHABET)} different notes",
                    "Use fewer notes or combinations of markers",
                )
            self.texts.append(text)
        return ALPHABET[self.texts.index(text)]


def rounded(values: Iterable[Any], decimals: int) -> list[float | int | None]:
    """Return numbers rounded for the page; None for a missing one."""
    numbers: list[float | int | None] = []
    for value in values:
        if value is None or value != value:  # noqa: PLR0124 - NaN is unequal to itself
            numbers.append(None)
        else:
            number = round(float(value), decimals)
            numbers.append(int(number) if number.is_integer() else number)
    return numbers
