"""The record of processing activities, after Article 30(1)(a) to (g) UK GDPR.

Belongs here: one row a source under a data sharing agreement, as CSV and as a page. Does not belong
here: processing of open data, which is no personal data.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from declarations.agreements import AgreedSource, Agreement
from governance.agreement_text.words import CLASSES, KEPT_AS, day_words, listed, phrase
from governance.reports.csv_text import csv_text
from governance.reports.pages import Cell, Facts, Light, Page, Section, Text, html_page
from governance.reports.register import Entry, Register

MISSING = "NOT STATED IN THE AGREEMENT"


@dataclass(frozen=True)
class Activity:
    """One processing activity: the columns of the CSV."""

    id: str
    controller: str
    joint_controllers: str
    controller_contact: str
    other_parties: str
    purpose: str
    lawful_basis: str
    statute: str
    special_condition: str
    criminal_condition: str
    subjects: str
    categories: str
    special_categories: str
    recipients: str
    transfers: str
    retention: str
    retention_days: int | None
    disposal_method: str
    security_measures: str
    dpia_id: str
    dsa_id: str
    dsa_version: str
    owner: str
    last_review: str
    next_review: str
    in_force: str


def activities(register: Register) -> list[Activity]:
    """Return every processing activity of a region, a source each."""
    return [
        _activity(register, entry)
        for entry in register.entries
        if entry.agreement.kind != "open_licence"
    ]


def _activity(register: Register, entry: Entry) -> Activity:
    agreement, source = entry.agreement, entry.source
    agreed = agreement.source(source.id)
    own = (agreed.controller if agreed else None) or _own_controller(agreement, source.agency)
    others = [c for c in agreement.controllers if c != own]
    kept = agreement.retention
    impact = [a.id for a in register.declared.assessments.values() if agreement.id in a.agreements]
    return Activity(
        id=f"{agreement.id}/{source.id}",
        controller=own or listed(agreement.controllers),
        joint_controllers="; ".join(others if own else []),
        controller_contact=agreement.contact or MISSING,
        other_parties="; ".join(p for p in agreement.parties if p not in agreement.controllers),
        purpose="; ".join([*agreement.purposes, *([agreement.aims] if agreement.aims else [])]),
        lawful_basis=agreement.lawful_basis or MISSING,
        statute=agreement.statute or "",
        special_condition=agreement.special_condition or "",
        criminal_condition=agreement.criminal_condition or "",
        subjects=(agreed.subjects if agreed else None) or MISSING,
        categories=categories(agreed) if agreed else MISSING,
        special_categories="; ".join(
            c.name for c in (agreed.columns if agreed else [])
            if c.class_ == "special" and c.action != "drop"
        ),
        recipients="; ".join(agreement.recipients) or MISSING,
        transfers=agreement.transfers,
        retention=_retention(agreement),
        retention_days=kept.restricted_days if kept else None,
        disposal_method=agreement.disposal,
        security_measures=agreement.security_measures or MISSING,
        dpia_id="; ".join(impact) or "NONE ON FILE",
        dsa_id=agreement.id,
        dsa_version=agreement.version,
        owner="; ".join(entry.owners),
        last_review=_last_review(agreement),
        next_review=agreement.review_date.isoformat() if agreement.review_date else MISSING,
        in_force=entry.force.words,
    )  # fmt: skip


def _own_controller(agreement: Agreement, agency: str) -> str | None:
    return agency if agency in agreement.controllers else None


def categories(agreed: AgreedSource) -> str:
    """Return the categories of personal data taken in, with the columns and what becomes of them.

    A column that is dropped is read by nobody and is no part of it.
    """
    by: dict[tuple[str, str], list[str]] = {}
    for column in agreed.columns:
        if column.action != "drop":
            by.setdefault((column.class_, column.action), []).append(column.name)
    return "; ".join(
        f"{phrase(CLASSES, class_)}, {phrase(KEPT_AS, action)}: {', '.join(names)}"
        for (class_, action), names in by.items()
    )


def _retention(agreement: Agreement) -> str:
    kept = agreement.retention
    if kept is None:
        return MISSING
    releases = "for good" if kept.published_days is None else f"{kept.published_days} days"
    return (
        f"originals {kept.received_days} days; record-level tables {kept.restricted_days} days; "
        f"exact counts {kept.linked_days} days; releases {releases}"
    )


def _last_review(agreement: Agreement) -> str:
    days = [a.date for a in agreement.amendments] or [s.date for s in agreement.signatories]
    return max(days).isoformat() if days else ""


def ropa_files(register: Register) -> dict[str, str]:
    """Return the record of processing as ``ropa.csv`` and ``ropa.html``."""
    found = activities(register)
    headings = [f.name for f in fields(Activity)]
    return {
        "ropa.csv": csv_text(headings, (astuple(a) for a in found)),
        "ropa.html": html_page(_page(register, found)),
    }


def _page(register: Register, found: list[Activity]) -> Page:
    sections = []
    for agreement_id in sorted({a.dsa_id for a in found}):
        ours = [a for a in found if a.dsa_id == agreement_id]
        first, agreement = ours[0], register.declared.agreements[agreement_id]
        sections.append(
            Section(
                f"a-{agreement_id.lower()}", f"{agreement_id} {agreement.title}",
                (_shared(first, agreement), *_each(ours)),
            )
        )  # fmt: skip
    if not sections:
        sections = [Section("none", "Nothing to record", (Text("No personal data is processed."),))]
    return Page(
        title=f"Record of processing activities: {register.declared.region.title}",
        eyebrow="Article 30(1) UK GDPR",
        lead=f"As of {day_words(register.today)}. Made from the agreements in force.",
        banner=register.synthetic,
        sections=tuple(sections),
        foot=(("The same for machines", "ropa.csv, a row for each source"),),
    )


def _said(text: str) -> Cell:
    return Light("bad", "Not stated in the agreement") if text == MISSING else text or "none"


def _shared(first: Activity, agreement: Agreement) -> Facts:
    return Facts(
        (
            ("(a) Controllers", listed(agreement.controllers)),
            ("(a) Data protection contact", _said(first.controller_contact)),
            ("Other parties", first.other_parties or "none"),
            ("(b) Purposes", first.purpose),
            ("Lawful basis", _said(first.lawful_basis)),
            ("Statute", first.statute or "none named"),
            ("Special categories (Article 9)", first.special_condition or "none relied on"),
            ("Criminal offences (Article 10)", first.criminal_condition or "none relied on"),
            ("(d) Recipients", _said(first.recipients)),
            ("(e) Transfers out of the UK", first.transfers),
            ("(f) Time limits for erasure", _said(first.retention)),
            ("Disposal", first.disposal_method),
            ("(g) Security measures", _said(first.security_measures)),
            ("Impact assessment", first.dpia_id),
            ("Last review", first.last_review or "none recorded"),
            ("Next review", _said(first.next_review)),
            ("In force", first.in_force),
        )
    )


def _each(ours: list[Activity]) -> list[Text | Facts]:
    blocks: list[Text | Facts] = []
    # Agencies that send the same layout under the same terms are shown together.
    groups: dict[tuple[str, str], list[Activity]] = {}
    for activity in ours:
        groups.setdefault((activity.subjects, activity.categories), []).append(activity)
    for (subjects, data), members in groups.items():
        blocks.append(
            Facts(
                (
                    ("Sources", listed(a.id.split("/")[1] for a in members)),
                    ("Their controllers", listed(dict.fromkeys(a.controller for a in members))),
                    ("(c) Data subjects", _said(subjects)),
                    ("(c) Personal data", _said(data)),
                )
            )
        )
    return blocks
