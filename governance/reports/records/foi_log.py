"""The disclosure log: every release, what it shows, how it was protected, who approved it.

Belongs here: reading releases' manifests and the audit chain for what may be told to anybody who
asks. Does not belong here: any figure of a release.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from governance.agreement_text.words import count_words, day_words, listed
from governance.audit import AuditChain
from governance.disclosure.profiles import profiles
from governance.lifecycle.holdings import MANIFEST, read_json
from governance.reports.csv_text import csv_text
from governance.reports.pages import Cell, Facts, Light, Page, Section, Text, html_page
from governance.reports.register import Register

EXEMPTION = (
    "Rates are made again from what is left. A small number about a neighbourhood can identify a "
    "person to those who know the neighbourhood: it is then personal data, and the exemption for "
    "personal data (section 40 of the Freedom of Information Act 2000) applies to it."
)
"""Why hidden figures are hidden, in words for an answer to a request."""


@dataclass(frozen=True)
class Disclosure:
    """One release: the columns of the CSV."""

    release_id: str
    published_at: str
    period: str
    indicators: str
    geographies: str
    figures: int
    hidden_cells: int
    unreliable_cells: int
    not_available_cells: int
    profile: str
    reasoning: str
    requested_by: str
    approved_by: str
    agreements: str
    agencies: str
    licence: str
    status: str
    status_reason: str
    candidate_hash: str
    audit_entry: str


def disclosures(register: Register, root: Path) -> list[Disclosure]:
    """Return every release the disk or the audit chain knows of, the newest first."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in AuditChain(root / "audit").entries():
        if entry.get("release"):
            told.setdefault(str(entry["release"]), {})[str(entry.get("event"))] = entry
    names = {name for name, events in told.items() if "release_published" in events}
    published = root / "published"
    names |= {
        p.name
        for p in published.glob("*")
        if p.is_dir() and not p.is_symlink() and not p.name.startswith(".")
    }
    found = [_disclosure(register, published / n, told.get(n, {})) for n in sorted(names)]
    return sorted(found, key=lambda d: (d.published_at, d.release_id), reverse=True)


def _disclosure(register: Register, folder: Path, events: dict[str, dict[str, Any]]) -> Disclosure:
    manifest = read_json(folder / MANIFEST) or {}
    release, lineage = manifest.get("release") or {}, manifest.get("lineage") or []
    counts, levels = _cells(folder / "csv" / "observations.csv")
    people = {a.get("role"): a.get("person") for a in manifest.get("approvals") or []}
    if not people:
        given = events.get("release_approved", {}).get("people") or []
        people = dict(str(p).split(": ", 1) for p in given if ": " in str(p))
    agreements = sorted({str(r.get("agreement_id")) for r in lineage})
    status, reason = _status(register, folder, agreements, events)
    entry = events.get("release_published", {})
    return Disclosure(
        release_id=folder.name,
        published_at=str(entry.get("at", ""))[:10],
        period=str(release.get("period_label", "")),
        indicators="; ".join(sorted({str(r.get("indicator_id")) for r in lineage})),
        geographies="; ".join(levels),
        figures=sum(counts.values()),
        hidden_cells=counts["c"],
        unreliable_cells=counts["u"],
        not_available_cells=counts["x"],
        profile=str(release.get("profile", "")),
        reasoning=_reasoning(str(release.get("profile", ""))),
        requested_by=str(people.get("requester", "")),
        approved_by=str(people.get("approver", "")),
        agreements="; ".join(agreements),
        agencies="; ".join(sorted({str(r.get("agency")) for r in lineage})),
        licence=str(release.get("licence", "")),
        status=status,
        status_reason=reason,
        candidate_hash=str(release.get("candidate_hash") or entry.get("candidate_hash") or ""),
        audit_entry=str(entry.get("hash", "")),
    )


def _cells(path: Path) -> tuple[Counter[str], list[str]]:
    """Return how many figures are plain or marked, by first marker, and the levels there are."""
    counts: Counter[str] = Counter()
    levels: set[str] = set()
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                status = row.get("value_status") or ""
                marked = next((m for m in ("c", "u", "x") if f"[{m}]" in status), "plain")
                counts[marked] += 1
                levels.add(row["geography_type"])
    return counts, sorted(levels)


def _status(
    register: Register, folder: Path, agreements: list[str], events: dict[str, dict[str, Any]]
) -> tuple[str, str]:
    gone = [register.withdrawals[a] for a in agreements if a in register.withdrawals]
    if gone:
        return "withdrawn", listed(f"{w.agreement} was withdrawn: {w.reason}" for w in gone)
    marked = next((e for name, e in events.items() if "withdraw" in name), None)
    if marked is not None:
        status = "taken down" if marked.get("kind") == "retention" else "withdrawn"
        return status, str(marked.get("reason") or "see the audit log")
    if not (folder / MANIFEST).is_file():
        return "withdrawn", "its files are no longer published"
    if "release_published" not in events:
        return "not in the audit log", "the audit log does not know of its publication"
    latest = folder.parent / "latest"
    if latest.is_symlink() and latest.resolve() != folder.resolve():
        return "superseded", "a later release replaced it"
    return "published", ""


def foi_files(register: Register, root: Path) -> dict[str, str]:
    """Return the disclosure log as ``disclosure-log.csv`` and ``disclosure-log.html``."""
    found = disclosures(register, root)
    headings = [f.name for f in fields(Disclosure)]
    return {
        "disclosure-log.csv": csv_text(headings, (astuple(d) for d in found)),
        "disclosure-log.html": html_page(_page(register, found)),
    }


def _reasoning(name: str) -> str:
    """Return what a profile does, in the words the officer signed, and the ground for it."""
    profile = profiles().get(name)
    return f"{profile.in_words} {EXEMPTION}" if profile else EXEMPTION


def _page(register: Register, found: list[Disclosure]) -> Page:
    names = [d.profile for d in found] or [register.declared.region.publication.profile]
    reasons = dict.fromkeys(_reasoning(name) for name in names)
    sections = [
        Section("why", "Why some figures are hidden", tuple(map(Text, reasons))),
        *(Section(f"r-{n}", f"Release {d.release_id}", (_facts(d),)) for n, d in enumerate(found)),
    ]
    if not found:
        sections.append(Section("none", "Releases", (Text("Nothing has been published yet."),)))
    return Page(
        title=f"Disclosure log: {register.declared.region.title}",
        eyebrow="Freedom of Information",
        lead=f"{count_words(len(found), 'release')}, as of {day_words(register.today)}.",
        banner=register.synthetic,
        sections=tuple(sections),
        foot=(
            ("The same for machines", "disclosure-log.csv"),
            ("Questions and complaints", register.declared.region.publication.contact),
        ),
    )


def _facts(d: Disclosure) -> Facts:
    state: Cell = Light("good", "Published")
    if d.status == "superseded":
        state = Light("none", "Superseded by a later release")
    elif d.status != "published":
        state = Light("bad", f"{d.status.capitalize()}: {d.status_reason}")
    return Facts(
        (
            ("Status", state),
            ("Published on", d.published_at or "not known"),
            ("Period", d.period or "not known"),
            ("Indicators", d.indicators.replace(";", ",") or "not known"),
            ("Levels", d.geographies.replace(";", ",") or "none"),
            ("Figures", f"{d.figures:,}"),
            ("Hidden to protect people [c]", f"{d.hidden_cells:,}"),
            ("Withheld as unreliable [u]", f"{d.unreliable_cells:,}"),
            ("Not available [x]", f"{d.not_available_cells:,}"),
            ("Disclosure profile", d.profile or "not known"),
            ("Asked for by", d.requested_by or "not known"),
            ("Approved by", d.approved_by or "not known"),
            ("Agreements behind it", d.agreements.replace(";", ",") or "not known"),
            ("Agencies", d.agencies.replace(";", ",") or "not known"),
            ("Licence", d.licence or "not known"),
            ("Hash approved", d.candidate_hash or "not known"),
            ("Audit entry", d.audit_entry or "none"),
        )
    )
