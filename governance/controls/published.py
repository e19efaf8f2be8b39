"""Checks of releases: small counts, identifiers, approvals, outputs, and the audit chain.

Belongs here: checks that read what was published and what the chain says of it. Does not belong
here: making a release (``publishing/``).
"""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path
from typing import Any

from declarations.permission import LEVELS
from governance.approvals import Approval, missing
from governance.audit import AuditChain
from governance.controls.model import Verdict, failed, few, passed, unable
from governance.disclosure.counts import could_be_shown
from governance.disclosure.profiles import Profile, default_profile, profiles
from governance.lifecycle.certificates import certificate_faults, certificate_heads
from governance.lifecycle.holdings import MANIFEST, hash_of, read_json, releases
from warehouse.workspace import Workspace


def _folders(workspace: Workspace) -> list[Path]:
    return [release.folder for release in releases(workspace.root)]


def _manifest(folder: Path) -> dict[str, Any]:
    return read_json(folder / MANIFEST) or {}


def small_counts_protected(workspace: Workspace) -> Verdict:
    """No published count is small or exact: each is one its profile would give."""
    looked, bare, other = 0, 0, []
    counted_by = default_profile()
    folders = _folders(workspace)
    for folder in folders:
        rules = _profiles_of(folder)
        if rules is None:
            other.append(folder.name)
            continue
        for row in _rows(folder / "csv" / "observations.csv"):
            profile = rules.get(str(row.get("indicator_id")), rules[""])
            top, below = row.get("numerator"), row.get("denominator")
            looked += 1
            bare += any(c and not could_be_shown(int(float(c)), profile) for c in (top, below))
            bare += bool(below) and not top and bool(row.get("value"))
        for row in _rows(folder / "csv" / "accounting.csv"):
            amount = row.get("amount")
            if row.get("protected") == "true" and amount:
                looked += 1
                bare += not could_be_shown(int(float(amount)), counted_by)
    if other:
        return failed(f"published under no disclosure profile there is: {few(other)}")
    if bare:
        return failed(f"{bare:,} of {looked:,} published figures show a small or exact count")
    if not looked:
        return unable("nothing has been published yet")
    return passed(f"{looked:,} published figures of {len(folders)} releases hold no small count")


def _profiles_of(folder: Path) -> dict[str, Profile] | None:
    """Return the profile of each indicator of a release, and under "" that of the release.

    None where one of them is no profile there is.
    """
    names = {"": str((_manifest(folder).get("release") or {}).get("profile"))}
    for row in _rows(folder / "csv" / "indicators.csv"):
        if row.get("profile"):
            names[str(row.get("indicator_id"))] = row["profile"]
    known = profiles()
    if not set(names.values()) <= set(known):
        return None
    return {indicator: known[name] for indicator, name in names.items()}


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def no_identifier_published(workspace: Workspace) -> Verdict:
    """No column of a release holds values that look like identifiers of people or addresses."""
    try:
        from governance.leaks import published_leaks  # noqa: PLC0415
    except ImportError:
        return unable("the leak detector is not installed")
    folders = _folders(workspace)
    found = []
    for folder in folders:
        found += [leak.in_words() for leak in published_leaks(folder, today=workspace.today())]
    if found:
        return failed(few(sorted(set(found))))
    if not folders:
        return unable("nothing has been published yet")
    return passed(f"no column of {len(folders)} releases looks like identifiers")


def releases_two_people(workspace: Workspace) -> Verdict:
    """Two different people approved each release, and the audit chain knows it."""
    known: dict[str, dict[str, dict[str, Any]]] = {}
    audit = AuditChain(workspace.root / "audit", workspace.keys)
    for entry in filter(audit.believes, audit.entries()):
        known.setdefault(str(entry.get("release")), {})[str(entry.get("event"))] = entry
    wrong, folders = [], _folders(workspace)
    for folder in folders:
        manifest = _manifest(folder)
        given = manifest.get("approvals") or []
        hashed = str((manifest.get("release") or {}).get("candidate_hash"))
        said = [Approval(hashed, a["role"], a["person"], "", "") for a in given]
        approved = known.get(folder.name, {}).get("release_approved", {})
        people = [f"{a['role']}: {a['person']}" for a in given]
        if (
            missing(said, hashed)
            or approved.get("candidate_hash") != hashed
            or approved.get("people") != people
        ):
            wrong.append(folder.name)
    if wrong:
        return failed(f"without the approval of two people in the audit log: {few(wrong)}")
    if not folders:
        return unable("nothing has been published yet")
    return passed(f"two people approved each of {len(folders)} releases")


def releases_unchanged(workspace: Workspace) -> Verdict:
    """Every file of every release is as it was published."""
    wrong, looked = [], 0
    for folder in _folders(workspace):
        files = _manifest(folder).get("files")
        if not isinstance(files, dict) or not files:
            wrong.append(f"{folder.name} (no manifest)")
            continue
        for name, facts in files.items():
            looked += 1
            path = folder / name
            if not path.is_file() or hash_of(path) != facts.get("sha256"):
                wrong.append(f"{folder.name}/{name}")
    if wrong:
        return failed(f"changed since they were published: {few(wrong)}")
    if not looked:
        return unable("nothing has been published yet")
    return passed(f"all {looked:,} published files are as they were approved")


def audit_chain_holds(workspace: Workspace) -> Verdict:
    """The audit log was neither edited, cut nor reordered, and certificates agree with it."""
    chain = AuditChain(workspace.root / "audit", workspace.keys)
    heads = certificate_heads(workspace.root)
    for folder in _folders(workspace):
        head = _manifest(folder).get("audit_head")
        if head:
            heads[folder.name] = str(head)
    report = chain.verify(heads)
    faults = [*report.faults, *certificate_faults(workspace.root, chain)]
    if faults:
        return failed(few(faults))
    if not report.entries:
        return unable("the audit log is empty")
    return passed(f"all {report.entries:,} entries of the audit log hold together")


def _lineage(folder: Path) -> dict[str, set[str]]:
    """Return, for each published indicator, the agreements behind it."""
    behind: dict[str, set[str]] = {}
    for row in _manifest(folder).get("lineage") or []:
        behind.setdefault(str(row.get("indicator_id")), set()).add(str(row.get("agreement_id")))
    return behind


def outputs_agreed(workspace: Workspace) -> Verdict:
    """Every published indicator is among the outputs that each agreement behind it permits."""
    agreements, looked, wrong = workspace.declared.agreements, 0, []
    for folder in _folders(workspace):
        for indicator, names in _lineage(folder).items():
            for name in sorted(names):
                agreement = agreements.get(name)
                if agreement is None:
                    wrong.append(f"{indicator} ({name} is not declared)")
                elif agreement.kind != "open_licence" and agreement.output(indicator) is None:
                    wrong.append(f"{indicator} under {name}")
                looked += 1
    if wrong:
        return failed(f"published without being agreed: {few(sorted(set(wrong)))}")
    if not looked:
        return unable("nothing has been published yet")
    return passed("every published indicator is agreed by each agreement behind it")


def linkages_agreed(workspace: Workspace) -> Verdict:
    """Data of two agreements meets in an indicator only where both permit it."""
    agreements, looked, wrong = workspace.declared.agreements, 0, []
    for folder in _folders(workspace):
        for indicator, names in _lineage(folder).items():
            looked += 1
            shared = [agreements[n] for n in sorted(names)
                      if n in agreements and agreements[n].kind != "open_licence"]  # fmt: skip
            for one, two in combinations(shared, 2):
                if not (
                    one.permits_linkage(two.id, "area") and two.permits_linkage(one.id, "area")
                ):
                    wrong.append(f"{indicator} ({one.id} with {two.id})")
    if wrong:
        return failed(f"combined without both agreeing: {few(sorted(set(wrong)))}")
    if not looked:
        return unable("nothing has been published yet")
    return passed("data of two agreements meets only where both permit it")


def minimum_geography_kept(workspace: Workspace) -> Verdict:
    """No indicator is published finer than the agreements behind it allow."""
    agreements, looked, wrong = workspace.declared.agreements, 0, []
    for folder in _folders(workspace):
        behind = _lineage(folder)
        levels = {(r["indicator_id"], r["geography_type"]) for r in _rows(
            folder / "csv" / "observations.csv")}  # fmt: skip
        for indicator, level in sorted(levels):
            looked += 1
            for name in sorted(behind.get(indicator, set())):
                agreement = agreements.get(name)
                output = agreement.output(indicator) if agreement else None
                finest = output.geography if output else "lsoa21"
                if level not in LEVELS or LEVELS.index(level) < LEVELS.index(finest):
                    wrong.append(f"{indicator} at {level}")
    if wrong:
        return failed(f"finer than agreed: {few(sorted(set(wrong)))}")
    if not looked:
        return unable("nothing has been published yet")
    return passed(f"{looked} indicators and levels are no finer than agreed")
