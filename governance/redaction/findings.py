"""What a recogniser found in a text, and what each kind is called for people.

Belongs here: `Finding`, `KINDS`, and how overlapping findings become one list. Does not belong
here: how anything is found (`recognisers`, `names`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "NHS_NUMBER": "NHS number",
        "NINO": "National Insurance number",
        "UPRN": "UPRN",
        "POSTCODE": "postcode",
        "EMAIL": "e-mail address",
        "PHONE": "phone number",
        "DATE_OF_BIRTH": "date of birth",
        "VEHICLE": "vehicle registration",
        "BANK_ACCOUNT": "bank details",
        "ADDRESS": "street address",
        "NAME": "name",
    }
)
"""Kind to its words for an officer; the words stand in square brackets in a redacted text."""


@dataclass(frozen=True)
class Finding:
    """One stretch of a text that identifies a person.

    Attributes
    ----------
    start, end : int
        Characters of the text as given, the end exclusive.
    kind : str
        A key of `KINDS`.
    score : float
        Between 0 and 1: 1 for a check digit that fits, less for a form alone.
    recogniser : str
        Which rule or model found it.
    """

    start: int
    end: int
    kind: str
    score: float
    recogniser: str


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in order of place, of which no two overlap.

    Of two that overlap the one with the higher score stands, then the longer, then the earlier.
    What a removed finding covers beyond the one that stands is kept under its own kind, so that
    settling an overlap never uncovers a character.

    Parameters
    ----------
    findings : iterable of Finding

    Returns
    -------
    list of Finding
    """
    ranked = sorted(findings, key=lambda f: (-f.score, -(f.end - f.start), f.start, f.kind))
    kept: list[Finding] = []
    for finding in ranked:
        kept.extend(_left_over(finding, kept))
    return sorted(kept, key=lambda f: f.start)


def _left_over(finding: Finding, kept: list[Finding]) -> list[Finding]:
    """Return the parts of a finding that no kept one covers."""
    parts = [(finding.start, finding.end)]
    for other in kept:
        if other.kind == finding.kind and other.start <= finding.start <= finding.end <= other.end:
            return []
        parts = [
            piece
            for start, end in parts
            for piece in ((start, min(end, other.start)), (max(start, other.end), end))
            if piece[0] < piece[1]
        ]
    return [
        Finding(start, end, finding.kind, finding.score, finding.recogniser) for start, end in parts
    ]
