"""One change of an agreement, and how lists of entries with names of their own are compared.

Belongs here: the record of a change, its effect, and the pairing of entries. Does not belong here:
the words for a particular field (``diff.py``, ``diff_sources.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from governance.agreement_text.words import day_words, listed

Effect = Literal["widening", "narrowing", "neutral"]
EFFECTS: dict[Effect, str] = {
    "widening": "More may be done, by more people, for longer, or with less protection.",
    "narrowing": "Less may be done, or with more protection.",
    "neutral": "Neither, or it cannot be said without reading it.",
}
Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Change:
    """One change, in one sentence.

    Attributes
    ----------
    weight : int
        How much it matters, 0 to 100; changes are shown the weightiest first.
    effect : {"widening", "narrowing", "neutral"}
    sentence : str
        Lower case and without a full stop, as in a list after "The new version".
    key : str
        Where it stands in the file, for example ``sources.x.columns.y.action``.
    place : str
        Source it is said of; the sentence then ends before "source ...".
    """

    weight: int
    effect: Effect
    sentence: str
    key: str
    place: str = ""


@dataclass(frozen=True)
class Paired(Generic[Entry]):
    """Two lists of entries, matched by name.

    Attributes
    ----------
    added, removed : list
    pairs : list of (old, new)
    reordered : bool
        The entries that both have stand in another order.
    """

    added: list[Entry]
    removed: list[Entry]
    pairs: list[tuple[Entry, Entry]]
    reordered: bool


def paired(
    old: Sequence[Entry], new: Sequence[Entry], name: Callable[[Entry], Hashable]
) -> Paired[Entry]:
    """Match the entries of two lists by name; of two with one name, the first meets the first."""
    before, after = _numbered(old, name), _numbered(new, name)
    common = [key for key in before if key in after]
    return Paired(
        added=[entry for key, entry in after.items() if key not in before],
        removed=[entry for key, entry in before.items() if key not in after],
        pairs=[(before[key], after[key]) for key in common],
        reordered=common != [key for key in after if key in before],
    )


def _numbered(
    entries: Sequence[Entry], name: Callable[[Entry], Hashable]
) -> dict[tuple[Hashable, int], Entry]:
    seen: Counter[Hashable] = Counter()
    found = {}
    for entry in entries:
        key = name(entry)
        found[key, seen[key]] = entry
        seen[key] += 1
    return found


def direction(rank_before: float, rank_after: float) -> Effect:
    """Return the effect of a rank that rises with what is allowed."""
    if rank_after == rank_before:
        return "neutral"
    return "widening" if rank_after > rank_before else "narrowing"


def presence(before: object, after: object, *, appears: Effect, goes: Effect) -> Effect:
    """Return the effect of a text that appears, goes, or is only written differently."""
    if not before:
        return appears
    return goes if not after else "neutral"


def shown(value: object) -> str:
    """Return any value of a declaration as it may stand in a sentence."""
    if value is None or value in ("", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.date):
        return day_words(value)
    if isinstance(value, list):
        return listed(str(item) for item in value)
    return f'"{value}"' if isinstance(value, str) and " " in value else str(value)
