"""The register of agreements: every source, under what it comes, and what is due when.

Belongs here: gathering it from the declarations and the state of governance on the disk, and its
CSV. Does not belong here: the page (``register_page.py``) or the calendar (``due_dates.py``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from declarations.agreements import Agreement
from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from governance.agreement_text.lights import (
    dspt_light,
    force_light,
    opt_out_light,
    review_light,
)
from governance.lifecycle import holds
from governance.lifecycle.holds import Hold
from governance.lifecycle.retention import clocks
from governance.lifecycle.withdrawal import Withdrawal, withdrawn
from governance.reports.csv_text import csv_text
from governance.reports.due_dates import DueDay, due_days
from governance.reports.pages import Light

SYNTHETIC = {
    "wholly": "Synthetic: every body, agreement and record in this region is invented.",
    "records": "Synthetic records: every record about a person in this region is invented, and no "
    "real body has agreed to or signed anything here.",
    "no": "",
}
"""What a page says of a synthetic region."""


@dataclass(frozen=True)
class Entry:
    """One source in the register.

    Attributes
    ----------
    source : Source
    agreement : Agreement
    owners : tuple of str
    force, review, dspt, opt_out : Light
    withdrawal : Withdrawal or None
    hold : Hold or None
    """

    source: Source
    agreement: Agreement
    owners: tuple[str, ...]
    force: Light
    review: Light
    dspt: Light
    opt_out: Light
    withdrawal: Withdrawal | None
    hold: Hold | None

    @property
    def lights(self) -> tuple[Light, ...]:
        """Every light of the entry."""
        return (self.force, self.review, self.dspt, self.opt_out)


@dataclass(frozen=True)
class Register:
    """Everything the register says on a day.

    Attributes
    ----------
    declared : RegionDeclarations
    today : datetime.date
    entries : tuple of Entry
        A source each, in order of agreement and source.
    days : tuple of DueDay
        Past ones too, in order.
    withdrawals : dict
        By agreement.
    """

    declared: RegionDeclarations
    today: dt.date
    entries: tuple[Entry, ...]
    days: tuple[DueDay, ...]
    withdrawals: dict[str, Withdrawal]

    @property
    def synthetic(self) -> str:
        """The words that mark a synthetic region; empty for a real one."""
        return SYNTHETIC[self.declared.region.synthetic]


def read_register(
    declared: RegionDeclarations, root: Path, today: dt.date, *, landing: Path | None = None
) -> Register:
    """Gather the register. A region that was never run has one too.

    Parameters
    ----------
    root : Path
        The region's data folder, which need not be there.
    """
    gone = withdrawn(root)
    standing = holds.active(root)
    entries = [
        _entry(declared, source, today, gone, standing) for source in declared.sources.values()
    ]
    return Register(
        declared, today,
        tuple(sorted(entries, key=lambda e: (e.agreement.kind, e.agreement.id, e.source.id))),
        tuple(due_days(declared, clocks(declared, root, landing=landing))),
        gone,
    )  # fmt: skip


def _entry(
    declared: RegionDeclarations,
    source: Source,
    today: dt.date,
    gone: dict[str, Withdrawal],
    standing: list[Hold],
) -> Entry:
    agreement = declared.agreement_of(source)
    agreed = agreement.source(source.id)
    record = gone.get(agreement.id)
    # Other sources of the agreement may need evidence that this one does not.
    own = agreement.model_copy(update={"sources": [agreed] if agreed else []})
    force = force_light(agreement, today, record.day if record else None)
    if agreed is None:
        force = Light("bad", "The agreement does not cover this source")
    return Entry(
        source=source,
        agreement=agreement,
        owners=tuple(source.owners or declared.region.owners),
        force=force,
        review=review_light(agreement, today),
        dspt=dspt_light(own, today, [source.agency]),
        opt_out=opt_out_light(own, today),
        withdrawal=record,
        hold=holds.covering(standing, {agreement.id}, {source.id}),
    )


HEADINGS = (
    "source_id", "source_title", "agency", "owners", "agreement_id", "agreement_version",
    "agreement_title", "kind", "controllers", "purposes", "lawful_basis", "statute",
    "special_condition", "criminal_condition", "confidentiality_basis", "dea_gateway", "licence",
    "start_date", "expiry_date", "in_force_state", "in_force", "dspt_state", "dspt",
    "opt_out_state", "opt_out", "review_date", "review_state", "review", "minimum_geography",
    "received_days", "restricted_days", "linked_days", "privacy_notice", "withdrawn_on",
    "withdrawn_because", "on_legal_hold", "text_sha256", "synthetic",
)  # fmt: skip


def register_csv(register: Register) -> str:
    """Return the register as CSV, a source a row."""
    return csv_text(HEADINGS, (_row(entry) for entry in register.entries))


def _row(entry: Entry) -> tuple[object, ...]:
    source, agreement, kept = entry.source, entry.agreement, entry.agreement.retention
    agreed, record = agreement.source(source.id), entry.withdrawal
    return (
        source.id, source.title, source.agency, "; ".join(entry.owners), agreement.id,
        agreement.version, agreement.title, agreement.kind, "; ".join(agreement.controllers),
        "; ".join(agreement.purposes), agreement.lawful_basis, agreement.statute,
        agreement.special_condition, agreement.criminal_condition, agreement.confidentiality_basis,
        agreement.dea_gateway, agreement.licence, agreement.start_date, agreement.expiry_date,
        entry.force.state, entry.force.words, entry.dspt.state, entry.dspt.words,
        entry.opt_out.state, entry.opt_out.words, agreement.review_date, entry.review.state,
        entry.review.words, agreed.minimum_geography if agreed else None,
        kept.received_days if kept else None, kept.restricted_days if kept else None,
        kept.linked_days if kept else None, agreement.privacy_notice,
        record.day if record else None, record.reason if record else None,
        entry.hold.words() if entry.hold else None, agreement.text_sha256(),
        str(source.synthetic).lower(),
    )  # fmt: skip
