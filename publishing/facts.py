"""What is said about a release besides its tables: who, what, when, from which files.

Belongs here: the frozen records that the writer of a bundle is given, and the words that mark
synthetic data. Does not belong here: how they are shown (the pages) or stored (``manifest.py``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from declarations.region import Region

WHOLLY_SYNTHETIC = (
    "Synthetic data. Every area, boundary, record and figure here is invented. "
    "Nothing describes a real place or a real person."
)
SYNTHETIC_RECORDS = (
    "Synthetic records. Boundaries and open data are real; every record about a person, and every "
    "figure made from such records, is invented and describes nobody."
)


@dataclass(frozen=True)
class InputFact:
    """One delivery that went into a release."""

    source_id: str
    period: str
    sha256: str


@dataclass(frozen=True)
class ApprovalFact:
    """One person's decision on a release, by role."""

    role: str
    person: str
    decision: str
    decided_on: dt.date
    reason: str = ""


@dataclass(frozen=True)
class ExpectedDelivery:
    """A delivery the calendar asks for: its month (``YYYY-MM``, '' for once) and its due day."""

    period: str
    due_on: dt.date


@dataclass(frozen=True)
class SourceFact:
    """One source as the quality page shows it."""

    source_id: str
    title: str
    agency: str
    cadence: str
    synthetic: bool = False
    expected: tuple[ExpectedDelivery, ...] = ()


@dataclass(frozen=True)
class ReleaseFacts:
    """What the bundle says about itself.

    Parameters
    ----------
    release_id, region_id, title, period_label, code_version : str
        Names of the release; ``period_label`` is in words, for example
        "November 2024 to October 2026".
    profile : str
        Disclosure profile the tables were protected with, for example "hide0-r5".
    candidate_hash : str
        Hash the approvals are bound to.
    as_of : datetime.date
        Day the release stands at. It is the only date written into any file, so that equal tables
        give equal files.
    approvals, inputs, attribution, sources : tuple
        ``attribution`` is the union of the licences' own words over all that was used.
        ``sources`` feeds the calendar of the quality page and may be left empty.
    licence : str
        Licence of the published figures.
    content_hash : str
        Hash of the release's tables, by which it is named.
    synthetic_wording : str, optional
        Words shown on everything; by default those that follow from ``region.synthetic``.
    """

    release_id: str
    region_id: str
    title: str
    period_label: str
    code_version: str
    profile: str
    candidate_hash: str
    as_of: dt.date
    licence: str
    approvals: tuple[ApprovalFact, ...] = ()
    inputs: tuple[InputFact, ...] = ()
    attribution: tuple[str, ...] = ()
    sources: tuple[SourceFact, ...] = ()
    synthetic_wording: str | None = None
    content_hash: str = ""


def synthetic_words(region: Region, release: ReleaseFacts | None = None) -> str:
    """Return the sentence every synthetic file carries, or '' for a region of real records."""
    if release is not None and release.synthetic_wording:
        return release.synthetic_wording
    return {"wholly": WHOLLY_SYNTHETIC, "records": SYNTHETIC_RECORDS, "no": ""}[region.synthetic]
