"""Regular expressions that mean the same in Python (GX's pandas engine) and in RE2 (DuckDB).

Belongs here: rewriting a pattern so that both engines agree, and refusing what they cannot share.
Does not belong here: which column has a pattern (`suites`).

The two differ in what RE2 leaves out (look-around, back-references) and in three details: ``\\d``,
``\\w`` and ``\\s`` are Unicode in Python and ASCII in RE2; ``$`` matches before a last newline in
Python only; ``\\Z`` is written ``\\z`` in RE2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_ASCII_CLASSES: Mapping[str, str] = MappingProxyType(
    {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r\f\v"}
)
_UNICODE_CLASSES: Mapping[str, str] = MappingProxyType(
    {"d": r"\p{Nd}", "w": r"\p{L}\p{N}_", "s": r" \t-\r\x1c-\x1f\x{85}\p{Z}"}
)
_SAME_LETTERS = frozenset("ntrfvax")
_PLAIN_GROUPS = ("(?:", "(?P<", "(?i:")


class UnsupportedPatternError(ValueError):
    """A pattern uses something that Python and RE2 do not share."""


def portable(pattern: str) -> str:
    """Return a pattern for the whole cell that means the same in Python and in RE2.

    Parameters
    ----------
    pattern : str
        A contract's pattern; with or without ``^`` and ``$``. A leading ``(?i)`` is understood.
        ``\\d``, ``\\w`` and ``\\s`` mean ASCII characters.

    Returns
    -------
    str
        ``^(?:...)$`` with the classes written out.

    Raises
    ------
    UnsupportedPatternError
        If it is no Python pattern or uses what RE2 does not have.
    """
    flag, body = ("(?i)", pattern[4:]) if pattern.startswith("(?i)") else ("", pattern)
    rewritten = _rewrite(body, _ASCII_CLASSES, end="$", last="\\Z")
    text = f"{flag}^(?:{rewritten})$"
    try:
        re.compile(text)
    except re.error as error:
        raise UnsupportedPatternError(f"not a regular expression ({error.msg})") from None
    return text


def for_re2(pattern: str) -> str:
    """Return the RE2 text of a Python pattern, as DuckDB's ``regexp_matches`` searches it.

    Raises
    ------
    UnsupportedPatternError
        If the pattern uses what RE2 does not have.
    """
    flag, body = ("(?i)", pattern[4:]) if pattern.startswith("(?i)") else ("", pattern)
    return flag + _rewrite(body, _UNICODE_CLASSES, end=r"(?:\n?\z)", last=r"\z")


def list_of(codes: list[str], separator: str) -> str:
    """Return a portable pattern of one or more codes with a separator between them.

    Blanks around a separator are allowed; an empty part is not.
    """
    one = "|".join(re.escape(code) for code in sorted(codes, key=len, reverse=True))
    between = re.escape(separator.strip()) if separator.strip() else " "
    return portable(f" *(?:{one}) *(?:{between} *(?:{one}) *)*")


def _rewrite(pattern: str, classes: Mapping[str, str], *, end: str, last: str) -> str:
    pieces: list[str] = []
    bracket_at: int | None = None
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        size = 1
        if letter == "\\":
            size = 2
            pieces.append(_escape(pattern[position + 1 : position + 2], bracket_at, classes, last))
        elif bracket_at is not None:
            first = pattern[bracket_at + 1 : position] in ("", "^")
            pieces.append(letter)
            if letter == "]" and not first:
                bracket_at = None
        elif letter == "$":
            pieces.append(end)
        else:
            if letter == "[":
                bracket_at = position
            elif pattern.startswith("(?", position):
                _refuse_special_group(pattern[position:])
            elif letter == "+" and pieces and pieces[-1] in tuple("+*?}"):
                raise UnsupportedPatternError("possessive repeats are not in RE2")
            pieces.append(letter)
        position += size
    return "".join(pieces)


def _escape(letter: str, bracket_at: int | None, classes: Mapping[str, str], last: str) -> str:
    kind = letter.lower()
    if kind in classes and letter:
        if bracket_at is not None:
            if letter.isupper():
                raise UnsupportedPatternError(f"\\{letter} inside [] is not in RE2")
            return classes[kind]
        return f"[{'^' if letter.isupper() else ''}{classes[kind]}]"
    if letter == "Z" and bracket_at is None:
        return last
    if letter == "A" and bracket_at is None:
        return r"\A"
    if letter in _SAME_LETTERS or (letter and letter.isascii() and not letter.isalnum()):
        return f"\\{letter}"
    raise UnsupportedPatternError(f"the escape \\{letter} is not shared by Python and RE2")


def _refuse_special_group(rest: str) -> None:
    if not rest.startswith(_PLAIN_GROUPS):
        raise UnsupportedPatternError(
            "look-around, back-references and inline flags are not shared by Python and RE2"
        )
