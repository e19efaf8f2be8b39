"""Where else in a document the words stand that were proposed somewhere in it.

Belongs here: what counts as the same words, however they are cased, spaced or joined: a surname in
the name of a sheet, a number without its blanks in the name of an attachment. Does not belong here:
what identifies somebody in the first place (the redactor), or what becomes of a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from governance.redaction.name_rules import is_place, may_be_name
from governance.redaction.plain_text import plain

SHORTEST = 4
"""Characters a passage must have: shorter ones stand everywhere by chance."""
LONGEST = 300
"""Characters beyond which a passage is no identifier or name but a text."""

_JOINED_SHORTEST = 8
_LOWER_SHORTEST = 7
_SURE_NAME = 0.6
_WORD = re.compile(r"[^\W_]+")
_GAP = re.compile(r"[\W_]{1,3}|\s+")
_PART = re.compile(r"[A-Z][^\W\d_]*(?:['-][^\W\d_]+)*")


@dataclass(frozen=True)
class Repeat:
    """Words that stand again: characters ``start`` up to, not including, ``end``.

    Attributes
    ----------
    start, end : int
    kind : str
        As the first of these words.
    part : bool
        One word of a name that has several.
    """

    start: int
    end: int
    kind: str
    part: bool


@dataclass
class Known:
    """Words that were proposed, by their letters and digits without what stands between.

    Attributes
    ----------
    kinds : dict of str to str
    spellings : dict of str to set of tuple
        The words that one spelling joins.
    lower : set of str
        Those that were once found in small letters.
    parts : set of str
        Single words of longer names.
    starts : set of str
        Every beginning of any of them, to stop looking early.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    spellings: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    lower: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    starts: set[str] = field(default_factory=set)

    def add(self, text: str, kind: str) -> str:
        """Take in a passage; return its letters and digits."""
        words = tuple(word.casefold() for word in _WORD.findall(text))
        joined = "".join(words)
        if joined:
            self.kinds.setdefault(joined, kind)
            self.spellings.setdefault(joined, set()).add(words)
            self.starts.update(joined[:end] for end in range(1, len(joined) + 1))
            if text.islower():
                self.lower.add(joined)
        return joined


def known_words(passages: Iterable[tuple[str, str, float]]) -> Known:
    """Gather what to look for.

    Parameters
    ----------
    passages : iterable of tuple of str, str and float
        Text, kind and score of each proposal. Of a name that is likely one, its single words are
        looked for too: who is "Ann Example" in one place is "Mrs Example" in another.
    """
    known = Known()
    parts: list[str] = []
    for text, kind, score in passages:
        words = plain(text).text.split()
        if SHORTEST <= len(" ".join(words)) <= LONGEST:
            known.add(" ".join(words), kind)
        if kind == "NAME" and score >= _SURE_NAME and len(words) > 1:
            parts += [word.strip(".,;:()") for word in words]
    for part in parts:
        telling = len(part) >= SHORTEST and _PART.fullmatch(part) and may_be_name(part.title())
        # A word that is a whole name somewhere is no mere part.
        if telling and "".join(_WORD.findall(part)).casefold() not in known.kinds:
            known.parts.add(known.add(part, "NAME"))
    return known


def repeats(text: str, known: Known) -> Iterator[Repeat]:
    """Yield where known words stand in a text, in order, the longest at each place.

    Parameters
    ----------
    text : str
    known : Known
    """
    searched = plain(text)
    words = list(_WORD.finditer(searched.text))
    at = 0
    while at < len(words):
        last = _longest(searched.text, words, at, known)
        if last is None:
            at += 1
            continue
        joined = "".join(word.group().casefold() for word in words[at : last + 1])
        start, end = searched.span(words[at].start(), words[last].end())
        yield Repeat(start, end, known.kinds[joined], joined in known.parts)
        at = last + 1


def _longest(text: str, words: list[re.Match[str]], first: int, known: Known) -> int | None:
    spelling: tuple[str, ...] = ()
    joined, longest = "", None
    for last in range(first, len(words)):
        if last > first and not _GAP.fullmatch(text, words[last - 1].end(), words[last].start()):
            break
        spelling = (*spelling, words[last].group().casefold())
        joined += spelling[-1]
        if joined not in known.starts:
            break
        if joined in known.kinds and _same(
            text, words[first].start(), words[last].end(), spelling, known
        ):
            longest = last
    return longest


def _same(text: str, start: int, end: int, spelling: tuple[str, ...], known: Known) -> bool:
    joined = "".join(spelling)
    # "a man" is not the name "Aman", but ten digits are a number in whatever groups they stand.
    regrouped = spelling not in known.spellings[joined]
    if regrouped and (
        len(joined) < _JOINED_SHORTEST or not (joined.isdigit() or len(spelling) == 1)
    ):
        return False
    if known.kinds[joined] != "NAME":
        return True
    if joined in known.parts and is_place(text, start, end):
        return False
    # "will" and "grace" are words of every text; a name of two words in small letters is rare.
    small = text[start:end].islower() and joined not in known.lower and len(spelling) == 1
    return not small or (len(joined) >= _LOWER_SHORTEST and joined not in known.parts)
