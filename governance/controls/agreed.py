"""Checks of what was agreed against what was let in.

Belongs here: dates, purposes, evidence, and the gate's own records. Does not belong here: files of
data (``stored.py``) or releases (``published.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from declarations.agreements import Agreement
from governance.controls.model import Verdict, failed, few, passed, shared_sources, unable
from governance.lifecycle.holdings import deliveries, partitions, read_json
from governance.lifecycle.withdrawal import withdrawn
from governance.policy import policy
from warehouse.lake import TableRef
from warehouse.workspace import Workspace

LET_IN = frozenset({"admitted", "trimmed"})
OWN_COLUMNS = frozenset({"record_id", "lsoa21cd", "lad24cd"})
"""Columns the platform adds to record-level tables; with them, those that start ``geo_``."""


def decisions(workspace: Workspace, source_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield period and row of every decision the gate recorded on a source."""
    folder = workspace.root / "quality" / "records" / "decisions" / source_id
    for path in sorted(folder.glob("*.json")):
        for row in (read_json(path) or {}).get("decisions", []):
            yield path.stem, row


def agreements_in_force(workspace: Workspace) -> Verdict:
    """Every delivery let in arrived while its agreement was in force, and none is withdrawn."""
    gone = withdrawn(workspace.root)
    looked, wrong = 0, []
    for source, agreement, _ in shared_sources(workspace):
        arrived = {(d.period, d.version): d.arrived_on for d in deliveries(
            workspace.root, source.id)}  # fmt: skip
        for period, row in decisions(workspace, source.id):
            day = arrived.get((period, int(row.get("version", 0))))
            if row.get("decision") not in LET_IN or day is None:
                continue
            looked += 1
            if row.get("agreement_id") != agreement.id or not agreement.in_force(day):
                wrong.append(f"{source.id} {period}")
        if agreement.id in gone and partitions(workspace.root, source.id):
            wrong.append(f"{source.id} (tables under {agreement.id}, which is withdrawn)")
    if wrong:
        return failed(f"outside the dates of their agreement: {few(wrong)}")
    if not looked:
        return unable("no delivery has been let in yet")
    return passed(f"all {looked:,} deliveries arrived while their agreement was in force")


def agreements_reviewed(workspace: Workspace) -> Verdict:
    """No agreement that still has sources is past its day of review."""
    today = workspace.today()
    return _of_each_agreement(
        workspace, lambda a: a.review_date is not None and a.review_date >= today,
        wrong="review overdue or without a day:",
        right=lambda n: f"none of {n} agreements is past its review",
    )  # fmt: skip


def purposes_agreed(workspace: Workspace) -> Verdict:
    """Every agreement lists the purpose the region runs for."""
    purpose = workspace.declared.region.purpose
    return _of_each_agreement(
        workspace, lambda a: purpose in a.purposes,
        wrong="the region's purpose is not agreed by",
        right=lambda n: f"all {n} agreements list the purpose {purpose}",
    )  # fmt: skip


def _of_each_agreement(
    workspace: Workspace, holds: Callable[[Agreement], bool], *, wrong: str,
    right: Callable[[int], str],
) -> Verdict:  # fmt: skip
    """Return the verdict on what must hold of each agreement that has sources.

    Parameters
    ----------
    wrong : str
        The reason where it does not; names of agreements follow it.
    right : callable
        Returns the reason where it does, given how many agreements there are.
    """
    looked = _agreements(workspace)
    failing = [a.id for a in looked.values() if not holds(a)]
    if not looked:
        return unable("the region has no data sharing agreement")
    if failing:
        return failed(f"{wrong} {few(failing)}")
    return passed(right(len(looked)))


def _agreements(workspace: Workspace) -> dict[str, Agreement]:
    return {a.id: a for _, a, _ in shared_sources(workspace)}


def every_delivery_decided(workspace: Workspace) -> Verdict:
    """No record-level table or count exists without the gate's recorded consent."""
    looked, wrong = 0, []
    for source, _, _ in shared_sources(workspace):
        let_in = {p for p, row in decisions(workspace, source.id) if row.get("decision") in LET_IN}
        for partition in partitions(workspace.root, source.id):
            looked += 1
            if partition.period not in let_in:
                wrong.append(f"{partition.table} {partition.period}")
    if wrong:
        return failed(f"tables without a decision of the gate: {few(wrong)}")
    if not looked:
        return unable("there are no tables yet")
    return passed(f"each of {looked:,} tables rests on a recorded decision")


def undeclared_columns_dropped(workspace: Workspace) -> Verdict:
    """No record-level table holds a column that its agreement drops or does not name."""
    looked, wrong = 0, []
    with workspace.connect(encryption=True) as connection:
        for source, _, agreed in shared_sources(workspace):
            stored = {c.name for c in agreed.columns if c.action != "drop"} if agreed else set()
            coarse = {c.name for c in agreed.columns if c.to} if agreed else set()
            contract = workspace.declared.contract_of(source)
            made = {c.coarsen.into for c in contract.columns if c.coarsen and c.name in coarse}
            stored = (stored - coarse) | made
            for prefix in ("admitted_", "located_"):
                table = TableRef("restricted", f"{prefix}{source.id}")
                periods = [p.period for p in partitions(workspace.root, source.id)
                           if p.table == table.name]  # fmt: skip
                scan = workspace.lake.scan(table, periods[-1:])
                if scan is None:
                    continue
                looked += 1
                described = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
                names = {str(row[0]) for row in described}
                extra = sorted(
                    n for n in names - stored - OWN_COLUMNS if not n.startswith("geo_")
                )  # fmt: skip
                wrong += [f"{table.name}.{name}" for name in extra]
    if wrong:
        return failed(f"columns nobody agreed to are stored: {few(wrong)}")
    if not looked:
        return unable("there are no record-level tables yet")
    return passed(f"{looked} record-level tables hold agreed columns only")


def opt_out_evidenced(workspace: Workspace) -> Verdict:
    """For each source of health or care records there is evidence on the National Data Opt-out."""
    looked, wrong = 0, []
    for source, agreement, agreed in shared_sources(workspace):
        if agreed is None or not agreed.health_or_care:
            continue
        looked += 1
        evidence = agreement.opt_out
        if evidence is None:
            wrong.append(source.id)
            continue
        first = min((d.arrived_on for d in deliveries(workspace.root, source.id)), default=None)
        if evidence.date is not None and first is not None and evidence.date > first:
            wrong.append(f"{source.id} (deliveries before it was applied)")
    if wrong:
        return failed(f"no evidence on the National Data Opt-out for {few(wrong)}")
    if not looked:
        return unable("no source holds health or care records")
    return passed(f"evidence is on file for all {looked} sources of health or care records")


def dspt_in_date(workspace: Workspace) -> Verdict:
    """Each agency that sends health or care records has met the DSPT, and its status is in date."""
    today, looked, wrong = workspace.today(), 0, []
    for source, agreement, agreed in shared_sources(workspace):
        if agreed is None or not agreed.health_or_care:
            continue
        looked += 1
        status = next((d for d in agreement.dspt if d.organisation == source.agency), None)
        if status is None:
            wrong.append(f"{source.agency} (none)")
        elif status.status not in policy().gate.dspt_accepted:
            wrong.append(f"{source.agency} (not met)")
        elif status.expires < today:
            wrong.append(f"{source.agency} (out of date)")
    if wrong:
        return failed(f"Data Security and Protection Toolkit: {few(sorted(set(wrong)))}")
    if not looked:
        return unable("no source holds health or care records")
    return passed(f"the suppliers of all {looked} sources have a status in date")


def privacy_notice_given(workspace: Workspace) -> Verdict:
    """Every agreement names where people can read of the sharing and how they can complain."""
    return _of_each_agreement(
        workspace, lambda a: bool(a.privacy_notice and a.complaints),
        wrong="no privacy notice or way to complain in",
        right=lambda n: f"all {n} agreements name a privacy notice and a way to complain",
    )  # fmt: skip


def signed_text_unchanged(workspace: Workspace) -> Verdict:
    """Every agreement still says what was signed."""
    looked = _agreements(workspace)
    bound = {
        a.id: [s.signed_sha256 for s in a.signatories if s.signed_sha256] for a in looked.values()
    }
    wrong = [key for key, marks in bound.items()
             if any(mark != looked[key].text_sha256() for mark in marks)]  # fmt: skip
    unsigned = [key for key, marks in bound.items() if not marks]
    if wrong:
        return failed(f"another text was signed than the one in force: {few(wrong)}")
    if unsigned or not looked:
        return unable(f"no signature is bound to the text of {few(unsigned) or 'any agreement'}")
    return passed(f"the signatures of {len(looked)} agreements fit their texts")
