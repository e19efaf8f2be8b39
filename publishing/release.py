"""The last stage: a candidate is built whole, approved by its hash, and only then published.

Belongs here: the order build, approve, publish, and the last look at what the gate recorded.
Does not belong here: the tables (``release_tables.py``) or the files (``bundle.py``).

A candidate stands in ``candidates/<release id>``; publishing renames it into
``published/<release id>``. A release is never changed afterwards; ``published/latest`` is moved to
the newest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from declarations.attribution import attributions
from declarations.declared import digest
from declarations.errors import AgreementError, ApprovalError
from governance import approvals
from governance.audit import chain_of
from indicators.counting import counts_table, statistics_table
from indicators.plausibility.stage import PLAUSIBILITY, plausibility_found
from indicators.tables import AREAS
from intake.area_lookups import AREA_LOOKUPS
from intake.arrival import store_of
from intake.borders import borders_of
from intake.neighbours import NEIGHBOURS
from intake.quality import as_arrow, due_on, quality_rows, quality_table
from intake.records import read_record
from publishing.bundle import about_release, write_bundle
from publishing.conform import refuse_identifiers
from publishing.derived import DERIVED_OBSERVATIONS
from publishing.dictionary import RELEASE_TABLES
from publishing.facts import (
    ApprovalFact,
    ExpectedDelivery,
    InputFact,
    ReleaseFacts,
    SourceFact,
    synthetic_words,
)
from publishing.manifest import (
    MANIFEST_NAME,
    hash_file,
    write_manifest,
)
from publishing.protection.findings import read_statements, refuse_unless_attacked
from publishing.protection.past_releases import whole_ledger
from publishing.quality_page import QualityFacts, quality_page
from publishing.release_certificate import certificate_files
from publishing.release_tables import (
    admitted_delivery,
    lineage_table,
    period_words,
    plausibility_table,
    release_tables,
    with_release_id,
)
from publishing.trust import audited, candidate_hash
from publishing.withdrawn import PUBLISHED, notices, point_latest
from warehouse.lake import UNPARTITIONED, write_atomically
from warehouse.leftovers import temporary_beside
from warehouse.provenance import fingerprint
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

STATE_NAME = "state.json"
QUALITY_PAGE = "quality.html"


@dataclass(frozen=True)
class ReleaseOutcome:
    """What became of a release.

    Attributes
    ----------
    release_id : str
    candidate_hash : str
        What approvals are bound to: every file of the bundle but its manifest.
    outcome : {"published", "current", "awaiting_approval", "withdrawn"}
        ``withdrawn``: exactly these figures were published and taken back; they stay back.
    folder : Path
        Where it stands: under ``published`` or ``candidates``.
    lacking : str
        Which approval it still needs; empty otherwise.
    """

    release_id: str
    candidate_hash: str
    outcome: Literal["published", "current", "awaiting_approval", "withdrawn"]
    folder: Path
    lacking: str = ""


def check_decisions(workspace: Workspace) -> None:
    """Stop unless every count rests on a delivery that the gate let in.

    A blocking check holds back only its own run; so what the gate recorded is looked at again
    here, and anything that is not there in so many words stops the release.

    Raises
    ------
    AgreementError
    """
    store = store_of(workspace)
    for source in workspace.declared.sources_of_kind("records", "values", "statistics"):
        for period in workspace.expected_periods(source):
            tables = (counts_table(source), statistics_table(source))
            if not any(workspace.lake.path(t, period).is_file() for t in tables):
                continue
            if admitted_delivery(workspace, source, period, store) is None:
                raise AgreementError(
                    f"The counts of {source.id} {period} rest on no admitted delivery; nothing was "
                    "published",
                    f"Run 'lsoalink run {workspace.declared.root.name}' again, or see 'lsoalink "
                    "status'",
                )
            record = read_record(workspace, "decisions", source.id, period) or {}
            agreement = workspace.declared.agreement_of(source)
            if record["decisions"][-1]["agreement_id"] != agreement.id:
                raise AgreementError(
                    f"{source.id} {period} was admitted under another agreement than the one it "
                    "is declared under",
                    "Run the region again",
                )


def release_fingerprint(workspace: Workspace) -> str:
    """Return the fingerprint over everything that reaches a release."""
    declared = workspace.declared
    records = workspace.root / "quality" / "records"
    return fingerprint(
        ["release", workspace.code_version, digest(declared.region)],
        [digest(*declared.sources.values(), *declared.agreements.values())],
        [workspace.state_of(DERIVED_OBSERVATIONS), workspace.today().isoformat()[:7]],
        [workspace.state_of(AREA_LOOKUPS), workspace.state_of(NEIGHBOURS)],
        [workspace.state_of(quality_table("boundaries")), workspace.state_of(PLAUSIBILITY)],
        [f"{p.relative_to(records)}:{hash_file(p)}" for p in sorted(records.rglob("*.json"))],
        [f"{d.source_id}/{d.period}/{d.version}/{d.sha256}/{d.outcome}/{d.file_name}"
         for d in store_of(workspace).deliveries()],
    )  # fmt: skip


def build_release(workspace: Workspace) -> ReleaseOutcome:
    """Build the candidate of what stands in the lake, and publish it if it is approved.

    Returns
    -------
    ReleaseOutcome
        ``awaiting_approval`` where two people still have to approve: that is no error.

    Raises
    ------
    AgreementError, DisclosureError, StorageError
        If anything about the release is not as it must be; then nothing is published.
    """
    check_decisions(workspace)
    wanted = release_fingerprint(workspace)
    state = candidate_state(workspace)
    if state and state["fingerprint"] == wanted:
        outcome = _resume(workspace, state)
        if outcome is not None:
            return outcome
    tables = release_tables(workspace)
    facts = _facts(workspace, tables)
    published = workspace.root / "published" / facts.release_id
    if facts.release_id in notices(workspace.root):
        return ReleaseOutcome(facts.release_id, "", "withdrawn", published)
    if (published / MANIFEST_NAME).is_file():
        # The same figures by the same code are the same release: it is never written twice.
        state = {"fingerprint": wanted, "release_id": facts.release_id,
                 "candidate_hash": candidate_hash(published)}  # fmt: skip
        _write_state(workspace, state)
        _finish(workspace, facts.release_id, state["candidate_hash"])
        return ReleaseOutcome(facts.release_id, state["candidate_hash"], "current", published)
    folder = _build_candidate(workspace, tables, facts)
    refuse_identifiers(folder, workspace.today())
    hashed = candidate_hash(folder)
    _write_state(
        workspace,
        {"fingerprint": wanted, "release_id": facts.release_id, "candidate_hash": hashed},
    )
    chain_of(workspace).append("candidate_built", release=facts.release_id, candidate_hash=hashed)
    return publish(workspace, facts.release_id, hashed, facts, tables["lineage"])


def _resume(workspace: Workspace, state: dict[str, str]) -> ReleaseOutcome | None:
    """Return the outcome where the same release was built before, or None to build it again."""
    release_id, hashed = state["release_id"], state["candidate_hash"]
    published = workspace.root / "published" / release_id
    if (published / MANIFEST_NAME).is_file():
        _finish(workspace, release_id, hashed)
        return ReleaseOutcome(release_id, hashed, "current", published)
    candidate = workspace.root / "candidates" / release_id
    if not (candidate / MANIFEST_NAME).is_file() or candidate_hash(candidate) != hashed:
        return None
    tables = release_tables(workspace)
    facts = _facts(workspace, tables)
    return publish(workspace, release_id, hashed, facts, tables["lineage"])


def publish(
    workspace: Workspace, release_id: str, hashed: str, facts: ReleaseFacts, lineage: pa.Table
) -> ReleaseOutcome:
    """Publish a candidate if two different people approved exactly these bytes.

    Raises
    ------
    ApprovalError
        If the candidate changed after its hash was taken.
    """
    candidate = workspace.root / "candidates" / release_id
    if candidate_hash(candidate) != hashed:
        raise ApprovalError(
            f"The candidate {release_id} changed after it was built; its approvals are void",
            "Remove the folder and run the region again",
        )
    given = valid_approvals(workspace, hashed)
    lacking = approvals.missing(given, hashed)
    if lacking:
        return ReleaseOutcome(release_id, hashed, "awaiting_approval", candidate, lacking)
    approvals.require(given, hashed)
    refuse_identifiers(candidate, workspace.today())
    refuse_unless_attacked(workspace)
    # Before anybody can read it: what the ledger has and nobody read only makes us more careful.
    ledger = whole_ledger(workspace).append(release_id, read_statements(workspace))
    audit = chain_of(workspace)
    head = audit.append(
        "release_approved", release=release_id, candidate_hash=hashed,
        people=[f"{a.role}: {a.person}" for a in given], ledger_head=ledger.head,
    )  # fmt: skip
    final = replace(
        facts,
        candidate_hash=hashed,
        approvals=tuple(_approval_fact(workspace, a) for a in given),
    )
    _write_manifest(workspace, candidate, final, lineage, head)
    target = workspace.root / "published" / release_id
    target.parent.mkdir(parents=True, exist_ok=True)
    candidate.replace(target)
    _finish(workspace, release_id, hashed)
    return ReleaseOutcome(release_id, hashed, "published", target)


def _finish(workspace: Workspace, release_id: str, hashed: str) -> None:
    """Do what follows once an approved release stands in its place; done again, it does nothing.

    A run killed between two of these steps leaves the rest to the next one. The chain is told of a
    publication only where it knows the approval of exactly these bytes.
    """
    _lock_files(workspace.root / "published" / release_id)
    _point_latest(workspace, release_id)
    audit = chain_of(workspace)
    known = audited(audit, release_id)
    approved, published = (
        known.get(event, {}).get("candidate_hash") for event in ("release_approved", PUBLISHED)
    )
    if approved == hashed and published != hashed:
        audit.append(PUBLISHED, release=release_id, candidate_hash=hashed)


def approve(
    workspace: Workspace, release_id: str, hashed: str, role: approvals.Role, person: str
) -> approvals.Approval:
    """Record a person's word on a candidate, in its own file and in the audit chain.

    Raises
    ------
    ApprovalError
        If the same person already signed in the other role, or the name will not do.
    """
    audit = chain_of(workspace)
    approval = approvals.record(
        workspace.root / "approvals", hashed, role, person, audit_head=audit.head()
    )
    audit.append(
        "approval", release=release_id, candidate_hash=hashed, role=role, person=approval.person,
        account=approval.account,
    )  # fmt: skip
    return approval


def valid_approvals(workspace: Workspace, hashed: str) -> list[approvals.Approval]:
    """Return the approvals of a candidate that the audit chain knows, and standing ones.

    A line written into the file of approvals by hand has no entry in the chain, and does not count;
    nor does an entry that no key of the platform sealed.
    """
    audit = chain_of(workspace)
    known = {
        (e.get("candidate_hash"), e.get("role"), e.get("person"))
        for e in audit.entries()
        if e.get("event") == "approval" and audit.believes(e)
    }
    given = approvals.recorded(workspace.root / "approvals", hashed)
    given = [a for a in given if (a.candidate_hash, a.role, a.person) in known]
    return given + approvals.standing(workspace.declared.region, hashed)


def _approval_fact(workspace: Workspace, approval: approvals.Approval) -> ApprovalFact:
    standing = workspace.declared.region.standing_approval
    if approval.standing:
        day, reason = workspace.today(), standing.reason if standing else ""
    else:
        day, reason = dt.datetime.fromisoformat(approval.at).date(), ""
    return ApprovalFact(approval.role, approval.person, "approved", day, reason)


def _write_manifest(
    workspace: Workspace, folder: Path, facts: ReleaseFacts, lineage: pa.Table, audit_head: str
) -> None:
    synthetic = about_release(workspace.declared.region, facts)["synthetic"]
    write_manifest(folder, facts, lineage, synthetic, audit_head=audit_head)


def _build_candidate(
    workspace: Workspace, tables: dict[str, pa.Table], facts: ReleaseFacts
) -> Path:
    folder = workspace.root / "candidates" / facts.release_id
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    temporary = temporary_beside(folder)
    borders = borders_of(workspace.lake.path(AREAS))
    certificate = certificate_files(workspace, tables, borders, facts)
    write_bundle(temporary, tables, borders, workspace.declared.region, facts, certificate)
    temporary.replace(folder)
    return folder


def _facts(workspace: Workspace, tables: dict[str, pa.Table]) -> ReleaseFacts:
    region = workspace.declared.region
    lineage = tables["lineage"].to_pylist()
    inputs = sorted({(r["source_id"], r["period"], r["sha256"]) for r in lineage})
    # Areas and places come from open sources, too, that no indicator is made from.
    owed = {a.words for a in attributions(workspace.declared)}
    attribution = sorted(owed | {r["attribution"] for r in lineage if r["attribution"]})
    facts = ReleaseFacts(
        release_id="",
        region_id=region.id,
        title=region.title,
        period_label=period_words(workspace),
        code_version=workspace.code_version,
        profile=region.publication.profile,
        candidate_hash="",
        as_of=workspace.today(),
        licence=region.publication.licence,
        inputs=tuple(InputFact(*row) for row in inputs),
        attribution=tuple(attribution),
        sources=source_facts(workspace),
    )
    content = _content_hash(tables, facts)
    release_id = f"{workspace.calendar()[-1]}-{content[:10]}"
    tables["observations"] = with_release_id(tables["observations"], release_id)
    return replace(facts, release_id=release_id, content_hash=content)


def _content_hash(tables: dict[str, pa.Table], facts: ReleaseFacts) -> str:
    """Return the hash a release is named by: its figures, its inputs and its code.

    Neither the time of the run nor any key enters, so the same inputs give the same release.
    """
    hasher = hashlib.sha256(f"{facts.region_id}|{facts.code_version}|{facts.profile}".encode())
    for name in RELEASE_TABLES:
        table = tables[name].combine_chunks()
        hasher.update(name.encode())
        for column in table.column_names:
            hasher.update(column.encode())
            hasher.update(json.dumps(table.column(column).to_pylist(), default=str).encode())
    return hasher.hexdigest()


def source_facts(workspace: Workspace) -> tuple[SourceFact, ...]:
    """Return every source with the deliveries the calendar asks of it."""
    facts = []
    for source in workspace.declared.sources.values():
        expected = tuple(
            ExpectedDelivery("", workspace.today())
            if period == UNPARTITIONED
            else ExpectedDelivery(period, due_on(workspace, source, period))
            for period in workspace.expected_periods(source)
        )
        facts.append(
            SourceFact(
                source.id, source.title, source.agency, source.cadence, source.synthetic, expected
            )
        )
    return tuple(facts)


def write_internal_quality_page(workspace: Workspace) -> Path:
    """Write the exact quality page of the data team and the officer, under ``quality/``."""
    region = workspace.declared.region
    tables = {name: as_arrow(name, rows) for name, rows in quality_rows(workspace).items()}
    facts = QualityFacts(
        title=region.title,
        region_title=region.title,
        as_of=workspace.today(),
        code_version=workspace.code_version,
        contact=region.publication.contact,
        synthetic=synthetic_words(region),
        sources=source_facts(workspace),
        districts={d.lad24cd: d.name for d in region.districts},
    )
    tables["plausibility"] = plausibility_table(plausibility_found(workspace))
    text = quality_page({**tables, "lineage": lineage_table(workspace)}, facts, published=False)
    path = workspace.root / "quality" / QUALITY_PAGE
    write_atomically(path, text.encode())
    return path


def candidate_state(workspace: Workspace) -> dict[str, str] | None:
    """Return fingerprint, release id and hash of the newest candidate, or None."""
    path = workspace.root / "candidates" / STATE_NAME
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {key: str(content[key]) for key in ("fingerprint", "release_id", "candidate_hash")}
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _write_state(workspace: Workspace, state: dict[str, str]) -> None:
    write_atomically(
        workspace.root / "candidates" / STATE_NAME, json.dumps(state, sort_keys=True).encode()
    )


def _lock_files(folder: Path) -> None:
    """Take away the right to write into the files of a release."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)


def _point_latest(workspace: Workspace, release_id: str) -> None:
    """Move ``published/latest`` to a release in one step."""
    point_latest(workspace.root, release_id)
