"""What is proposed in a document, what a person decided, and the cuts that follow.

Belongs here: proposals, the decisions file and how the two meet. Does not belong here: what is an
identifier (the redactor is handed in) or how a cut is made (each type of file).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from governance.redaction.documents.model import (
    BY_HAND,
    CORRESPONDENT,
    PICTURE,
    Block,
    Cut,
    Document,
    DocumentError,
)
from governance.redaction.documents.repeats import known_words, repeats
from governance.redaction.findings import KINDS, Finding
from governance.redaction.recognisers import date_alone, years_before

FORMAT = "lsoalink redaction decisions 1"
_BATCH = 64
_REPEAT_SCORE, _PART_SCORE = 0.5, 0.4
OLD_ENOUGH = 16
"""Years since a date that alone in a cell may be a birth: of adults, and few events are kept."""

_WORDS = {
    **KINDS,
    PICTURE: "picture",
    CORRESPONDENT: "sender or recipient",
    BY_HAND: "marked by hand",
}


class Finder(Protocol):
    """Whatever finds what identifies people in a text."""

    def find(self, text: str) -> list[Finding]:
        """Return what was found, in order."""
        ...


@dataclass(frozen=True)
class Proposal:
    """One passage that may be removed.

    Attributes
    ----------
    block : str
        Id of its block.
    start, end : int
        Characters of the block's text.
    kind : str
    score : float
        Between 0 and 1.
    why : str
        Recogniser.
    redact : bool
        What becomes of it if nobody decides.
    """

    block: str
    start: int
    end: int
    kind: str
    score: float
    why: str
    redact: bool = True


def kind_in_words(kind: str) -> str:
    """Return what a kind is called for an officer."""
    return _WORDS.get(kind, kind.replace("_", " ").lower())


def propose(
    document: Document, finder: Finder, progress: Callable[[int, int], None] | None = None
) -> list[Proposal]:
    """Look at every block of a document.

    What is found once is proposed everywhere the same words stand, and a date at least
    `OLD_ENOUGH` years past that fills a cell is proposed whatever its heading says.

    Parameters
    ----------
    document : Document
    finder : Finder
    progress : callable, optional
        Is told how many different texts of how many have been looked at.
    """
    texts = list(dict.fromkeys(_asked(b) for b in document.blocks if b.suspect != PICTURE))
    found: dict[tuple[str, str], list[Finding]] = {}
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        found.update(zip(batch, _find_many(finder, batch), strict=True))
        if progress is not None:
            progress(min(start + _BATCH, len(texts)), len(texts))
    out: list[Proposal] = []
    for block in document.blocks:
        if block.suspect:
            whole = Proposal(
                block.id, 0, len(block.text), block.suspect, 1.0, "whole of it",
                redact=not block.kept_unless_cut,
            )  # fmt: skip
            out.append(whole)
            continue
        out += [
            Proposal(block.id, f.start, f.end, f.kind, f.score, f.recogniser)
            for f in found[_asked(block)]
        ]
        out += _aged_dates(block, found[_asked(block)])
    hidden = [
        (block.text[f.start : f.end], f.kind, f.score)
        for block in document.blocks
        if block.suspect and block.suspect != PICTURE
        for f in found[_asked(block)]
    ]
    return [*out, *_repeats(document.blocks, out, hidden)]


def _asked(block: Block) -> tuple[str, str]:
    return block.hint, block.text


def _find_many(finder: Finder, asked: Sequence[tuple[str, str]]) -> list[list[Finding]]:
    """Ask with the heading before the text, which tells what a bare number or day is."""
    lead = [f"{hint}: " if hint else "" for hint, _ in asked]
    texts = [before + text for before, (_, text) in zip(lead, asked, strict=True)]
    many = getattr(finder, "find_many", None)
    answers = many(texts) if many is not None else [finder.find(text) for text in texts]
    return [
        [
            replace(f, start=max(f.start - len(before), 0), end=f.end - len(before))
            for f in answer
            if f.end > len(before)
        ]
        for before, answer in zip(lead, answers, strict=True)
    ]


def _aged_dates(block: Block, found: Sequence[Finding]) -> list[Proposal]:
    """Propose a date long past that fills a cell: its heading may not say that it is a birth."""
    if not block.row:
        return []
    taken = [(f.start, f.end) for f in found]
    return [
        Proposal(block.id, start, end, "DATE_OF_BIRTH", hit.score, "old date alone in a cell")
        for hit in date_alone(block.text, latest=years_before(dt.date.today(), OLD_ENOUGH))
        for start, end in _uncovered(block.text, hit.start, hit.end, taken)
    ]


def _repeats(
    blocks: Sequence[Block],
    found: Sequence[Proposal],
    hidden: Iterable[tuple[str, str, float]],
) -> Iterable[Proposal]:
    """Propose the same words elsewhere; `hidden` are texts of wholly proposed headers."""
    texts = {block.id: block.text for block in blocks}
    taken: dict[str, list[tuple[int, int]]] = {}
    for p in found:
        taken.setdefault(p.block, []).append((p.start, p.end))
    known = known_words(
        [
            *((texts[p.block][p.start : p.end], p.kind, p.score) for p in found
              if p.kind not in (PICTURE, CORRESPONDENT)),
            *hidden,
        ]
    )  # fmt: skip
    for block in blocks:
        if block.suspect:
            continue
        for each in repeats(block.text, known):
            why = "part of a name elsewhere" if each.part else "same words elsewhere"
            score = _PART_SCORE if each.part else _REPEAT_SCORE
            for start, end in _uncovered(block.text, each.start, each.end, taken.get(block.id, ())):
                yield Proposal(block.id, start, end, each.kind, score, why)


def _uncovered(
    text: str, start: int, end: int, taken: Iterable[tuple[int, int]]
) -> Iterable[tuple[int, int]]:
    """Yield what of a passage is not proposed yet, without rests of one or two letters."""
    at = start
    for first, last in [*sorted(t for t in taken if t[0] < end and start < t[1]), (end, end)]:
        if at < first and sum(letter.isalnum() for letter in text[at:first]) > 2:
            yield at, first
        at = max(at, last)


class Decision(BaseModel):
    """What a person decided about one passage; its text is never here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    block: str = Field(max_length=80)
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    kind: str = Field(pattern=r"^[A-Z_]{1,40}$")
    decision: Literal["redact", "keep"]
    by_hand: bool = False
    looked_at: bool = False
    score: float = Field(default=1.0, ge=0, le=1)


class Decisions(BaseModel):
    """The file that the review page saves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["lsoalink redaction decisions 1"]
    file_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    blocks_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    decisions: list[Decision] = Field(max_length=500_000)


def blocks_hash(blocks: Iterable[Block]) -> str:
    """Return a hash over ids and texts: equal, and places in blocks mean the same."""
    hasher = hashlib.sha256()
    for block in blocks:
        for text in (block.id, block.text):
            hasher.update(len(text.encode()).to_bytes(8, "big"))
            hasher.update(text.encode())
    return hasher.hexdigest()


def read_decisions(content: bytes, name: str) -> Decisions:
    """Read a decisions file.

    Raises
    ------
    DocumentError
        It is none, or was edited so that it is none any more.
    """
    try:
        held: Any = json.loads(content)
        return Decisions.model_validate(held)
    except (ValueError, ValidationError, RecursionError):
        raise DocumentError(
            f"{name} is not a decisions file as the review page saves it",
            "Open the page again and press 'Save decisions'",
        ) from None


def settled(
    decisions: Decisions, document: Document, proposals: Iterable[Proposal], sha256: str, name: str
) -> list[Decision]:
    """Hold decisions against the document and what is found in it now.

    A passage that is found and that the decisions say nothing of is redacted: it may come from a
    newer version of the recognisers, or from a file that someone edited.

    Raises
    ------
    DocumentError
        The file or its reading is not the one that was reviewed, or a place does not exist.
    """
    if decisions.file_sha256 != sha256:
        raise DocumentError(
            f"{name} has changed since its review page was made, or the decisions are for another "
            "file",
            "Make a new review page with 'lsoalink redact FILE' and decide again",
        )
    if decisions.blocks_sha256 != blocks_hash(document.blocks):
        raise DocumentError(
            f"{name} is read in another way than when its review page was made",
            "Make a new review page with 'lsoalink redact FILE' and decide again",
        )
    lengths = {block.id: len(block.text) for block in document.blocks}
    for each in decisions.decisions:
        if each.start >= each.end or each.end > lengths.get(each.block, -1):
            raise DocumentError(
                f"The decisions for {name} name a place that it does not have",
                "Open the page again and press 'Save decisions'",
            )
    by_block: dict[str, list[Decision]] = {}
    for each in decisions.decisions:
        by_block.setdefault(each.block, []).append(each)
    missing = [
        p for p in proposals
        if not _all_decided(p, by_block.get(p.block, ()))
    ]  # fmt: skip
    return [*decisions.decisions, *default_decisions(missing)]


def _all_decided(proposal: Proposal, decisions: Iterable[Decision]) -> bool:
    at = proposal.start
    for each in sorted(decisions, key=lambda d: d.start):
        if each.start <= at < each.end:
            at = each.end
    return at >= proposal.end


def default_decisions(proposals: Iterable[Proposal], *, everything: bool = False) -> list[Decision]:
    """Decide as nobody did: redact, and keep pictures unless everything goes."""
    return [
        Decision(
            block=p.block, start=p.start, end=p.end, kind=p.kind, score=p.score,
            decision="redact" if p.redact or everything else "keep",
        )
        for p in proposals
    ]  # fmt: skip


def cuts_of(decisions: Iterable[Decision]) -> Mapping[str, list[Cut]]:
    """Return what is cut: where redact and keep overlap, redact wins."""
    cuts: dict[str, list[Cut]] = {}
    for each in decisions:
        if each.decision == "redact":
            cuts.setdefault(each.block, []).append(Cut(each.start, each.end))
    return cuts
