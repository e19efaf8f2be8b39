"""Retention, disposal, legal holds and the stop button, a whole region through.

Belongs here: the order of the steps that need several rooms, under the region's lock, and what is
completed at the start of each run. Does not belong here: the steps themselves (``governance/``,
``publishing/withdrawn.py``), or printing beyond a table of what is found.
"""

from __future__ import annotations

import datetime as dt
import getpass
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.errors import ConfigurationError, StorageError
from governance.audit import chain_of

if TYPE_CHECKING:
    from governance.audit import AuditChain
    from governance.lifecycle.disposal import Disposals
    from governance.lifecycle.retention import Due
    from governance.lifecycle.withdrawal import Dependents, Withdrawal
    from warehouse.workspace import Workspace

SCHEDULE = "daily schedule"
WITHDRAWAL_PREFIX = "W-"


def day_of(workspace: Workspace, as_of: dt.date | None) -> dt.date:
    """Return the day of the region's calendar, or another one asked for.

    Raises
    ------
    ConfigurationError
        If another day is asked for in a region of real records: nothing real goes early.
    """
    if as_of is None:
        return workspace.today()
    region = workspace.declared.region
    if region.synthetic == "no":
        raise ConfigurationError(
            f"{region.id} holds real records, which are disposed of on their day alone",
            "Leave --as-of away",
        )
    return as_of


def complete_begun(workspace: Workspace) -> list[str]:
    """Bring to its end what a killed command began: withdrawals, then disposals.

    What has arrived since under a withdrawn agreement goes into quarantine too.

    Returns
    -------
    list of str
        What could not be removed, in sentences; it is tried again the next time.
    """
    complete_withdrawals(workspace)
    return complete_started(workspace).failures


def complete_started(workspace: Workspace) -> Disposals:
    """Bring every disposal that was begun to its end."""
    from governance.lifecycle.disposal import complete_started as complete  # noqa: PLC0415

    return complete(
        workspace.root, chain_of(workspace), landing=workspace.landing,
        on_release=lambda release, intent: _take_down(workspace, release, intent),
    )  # fmt: skip


def what_is_due(workspace: Workspace, as_of: dt.date | None = None) -> list[Due]:
    """Return what is due on a day; nothing is changed."""
    from governance.lifecycle.retention import due  # noqa: PLC0415

    day = day_of(workspace, as_of)
    return due(
        workspace.declared, workspace.root, day, landing=workspace.landing, keys=workspace.keys
    )


def purge(
    workspace: Workspace, items: list[Due], *, by: str, as_of: dt.date | None = None
) -> Disposals:
    """Dispose of what is due, certify it, and end what was begun before. Needs the region's lock.

    Raises
    ------
    ConfigurationError
        If another day than the region's is asked for in a region of real records.
    """
    from governance.lifecycle.disposal import dispose  # noqa: PLC0415
    from publishing.facts import synthetic_words  # noqa: PLC0415

    return dispose(
        workspace.root, items, chain=chain_of(workspace), day=day_of(workspace, as_of), by=by,
        landing=workspace.landing, synthetic=synthetic_words(workspace.declared.region),
        on_release=lambda release, intent: _take_down(workspace, release, intent),
    )  # fmt: skip


def dispose_daily(workspace: Workspace) -> Disposals:
    """Do what the daily schedule does: complete what was begun, and dispose of what is due.

    Raises
    ------
    StorageError
        If anything that is due is not gone.
    """
    from governance.lifecycle.disposal import require_done  # noqa: PLC0415

    complete_withdrawals(workspace)
    outcome = purge(workspace, what_is_due(workspace), by=SCHEDULE)
    require_done(outcome)
    return outcome


def _take_down(workspace: Workspace, release: str, intent: dict[str, Any]) -> None:
    """Leave word in the place of a release whose days are over, and point elsewhere."""
    from publishing.withdrawn import Notice, leave_notice, repoint_latest  # noqa: PLC0415

    chain = chain_of(workspace)
    notice = Notice(
        release=release, agreement=str(intent["agreements"][0]), on=str(intent["on"]),
        reason=str(intent["clause"]), kind="retention",
    )  # fmt: skip
    leave_notice(workspace.root, chain, notice)
    repoint_latest(workspace.root, chain)


def dependents_of(workspace: Workspace, agreement_id: str) -> Dependents:
    """Return everything that rests on an agreement; nothing is changed.

    Raises
    ------
    ConfigurationError
        If the region declares no such agreement.
    """
    from governance.lifecycle.withdrawal import dependents, sources_of  # noqa: PLC0415

    declared = workspace.declared
    if agreement_id not in declared.agreements:
        raise ConfigurationError(
            f"{declared.region.id} declares no agreement {agreement_id}",
            f"It has {', '.join(sorted(declared.agreements))}",
        )
    return dependents(
        declared, workspace.root, workspace.landing, agreement_id,
        sources_of(declared, agreement_id),
    )  # fmt: skip


def withdraw(workspace: Workspace, agreement_id: str, *, reason: str, by: str) -> Withdrawal:
    """Withdraw an agreement for good: refuse, quarantine, take releases back, certify.

    Needs the region's lock. Killed anywhere after its first step, the next run ends it.

    Raises
    ------
    ConfigurationError
        If there is no such agreement, it was withdrawn before, or reason or name are missing.
    """
    from governance.lifecycle.withdrawal import begin, sources_of  # noqa: PLC0415

    declared = workspace.declared
    dependents_of(workspace, agreement_id)
    record = begin(
        workspace.root, chain_of(workspace), declared.agreements[agreement_id],
        sources_of(declared, agreement_id), reason=reason, by=by, day=workspace.today(),
    )  # fmt: skip
    return _complete(workspace, record)


def complete_withdrawals(workspace: Workspace) -> list[Withdrawal]:
    """Quarantine whatever still stands under a withdrawn agreement; cheap where nothing does."""
    from governance.lifecycle.withdrawal import withdrawn  # noqa: PLC0415

    return [_complete(workspace, record) for record in withdrawn(workspace.root).values()]


def _complete(workspace: Workspace, record: Withdrawal) -> Withdrawal:
    from governance.lifecycle import withdrawal  # noqa: PLC0415
    from publishing.withdrawn import Notice, leave_notice, repoint_latest  # noqa: PLC0415

    root, chain = workspace.root, chain_of(workspace)
    found = withdrawal.dependents(
        workspace.declared, root, workspace.landing, record.agreement,
        withdrawal.sources_of(workspace.declared, record),
    )  # fmt: skip
    if record.state == "done":
        # Tables of several sources have been made again since, without this agreement.
        found = replace(found, derived=(), candidates=())
        if not found.anything:
            return record
    withdrawal.write_record(root, replace(record, state="started"))
    withdrawal.tell_chain(root, chain, record)
    for release in found.releases:
        notice = Notice(
            release.folder.name, record.agreement, record.day.isoformat(), record.reason
        )
        leave_notice(root, chain, notice)
    repoint_latest(root, chain)
    try:
        withdrawal.quarantine(root, found, record)
    except OSError as error:
        raise StorageError(
            f"Not everything under {record.agreement} could be put into quarantine "
            f"({error.strerror or type(error).__name__}); the gate refuses it all the same",
            "Correct the permissions and run the command again",
        ) from None
    _certify(workspace, record, chain)
    return withdrawal.finished(root, record)


def _certify(workspace: Workspace, record: Withdrawal, chain: AuditChain) -> None:
    """Write the certificate of a withdrawal; a new one where more came into quarantine since."""
    from governance.lifecycle.certificates import (  # noqa: PLC0415
        FOLDER,
        HEAD,
        statement_hash,
        write_certificate,
    )
    from governance.lifecycle.holdings import read_json  # noqa: PLC0415
    from governance.lifecycle.withdrawal import COMPLETED, quarantined  # noqa: PLC0415
    from publishing.facts import synthetic_words  # noqa: PLC0415
    from publishing.withdrawn import notices  # noqa: PLC0415

    root = workspace.root
    files = quarantined(root, record.agreement)
    taken_back = sorted(
        n.release for n in notices(root).values() if n.agreement == record.agreement
    )
    said: dict[str, Any] = {
        "agreement": record.agreement, "version": record.version, "reason": record.reason,
        "by": record.by, "account": record.account, "withdrawn_at": record.at,
        "day": record.day.isoformat(), "dispose_on": record.dispose_on.isoformat(),
        "sources": list(record.sources), "releases": taken_back, "files": files,
        "bytes": sum(int(f["bytes"]) for f in files),
        "synthetic": synthetic_words(workspace.declared.region),
    }  # fmt: skip
    told = [e for e in chain.find(event=COMPLETED) if e.get("agreement") == record.agreement]
    name = f"{WITHDRAWAL_PREFIX}{record.agreement}"
    if told:
        name = str(told[-1]["certificate"])
        if told[-1].get("statement") == statement_hash({**said, "certificate": name}):
            if read_json(root / FOLDER / f"{name}.json") is None:
                content = {**said, "certificate": name, HEAD: str(told[-1]["hash"])}
                write_certificate(
                    root, name, content, title="Certificate of withdrawal", rows=_rows(content)
                )
            return
        name = f"{WITHDRAWAL_PREFIX}{record.agreement}-{len(told) + 1}"
    said["certificate"] = name
    head = chain.append(
        COMPLETED, agreement=record.agreement, certificate=name, statement=statement_hash(said),
        files=len(files), bytes=int(said["bytes"]), releases=taken_back, by=record.by,
        account=getpass.getuser(), dispose_on=record.dispose_on.isoformat(),
    )  # fmt: skip
    content = {**said, HEAD: head}
    write_certificate(root, name, content, title="Certificate of withdrawal", rows=_rows(content))


def _rows(said: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Certificate", str(said["certificate"])),
        ("Agreement", f"{said['agreement']}, version {said['version']}"),
        ("Withdrawn on", str(said["day"])),
        ("Reason", str(said["reason"])),
        ("By", f"{said['by']} (account {said['account']})"),
        ("Sources", ", ".join(said["sources"]) or "none"),
        ("Releases taken back", ", ".join(said["releases"]) or "none"),
        ("In quarantine", f"{len(said['files']):,} files, {said['bytes']:,} bytes"),
        ("To be disposed of on", str(said["dispose_on"])),
        ("Audit head", str(said["audit_head"])),
    ]


def withdrawn_words(workspace: Workspace) -> list[str]:
    """Return a sentence for each withdrawn agreement and each release taken back."""
    from governance.lifecycle.withdrawal import withdrawn  # noqa: PLC0415
    from publishing.withdrawn import notices  # noqa: PLC0415

    agreements = withdrawn(workspace.root)
    said = [agreements[name].sentence() for name in sorted(agreements)]
    left = notices(workspace.root)
    return said + [left[name].sentence() for name in sorted(left)]


def no_release(workspace: Workspace) -> StorageError:
    """Return the error that says why there is no release in force."""
    region = workspace.declared.region.id
    taken_back = [line for line in withdrawn_words(workspace) if line.startswith("The release")]
    if taken_back:
        return StorageError(
            f"{region} has no release in force: {taken_back[-1].rstrip('.')}",
            f"Run 'lsoalink run {region}' for one without it, or ask with --internal",
        )
    return StorageError(
        f"{region} has no published release yet",
        f"Run 'lsoalink run {region}', or ask with --internal",
    )


def known_heads(workspace: Workspace) -> dict[str, str]:
    """Return every head of the audit chain that something else names.

    Releases, also those in quarantine, certificates and approvals.
    """
    from governance.approvals import heads  # noqa: PLC0415
    from governance.lifecycle.certificates import certificate_heads  # noqa: PLC0415
    from publishing.manifest import read_manifest  # noqa: PLC0415

    found: dict[str, str] = {}
    folders = [
        *(workspace.root / "published").glob("*"),
        *(workspace.root / "quarantine").glob("*/published/*"),
    ]
    for folder in sorted(folders):
        if folder.is_dir() and not folder.is_symlink() and (folder / "manifest.json").is_file():
            head = read_manifest(folder).get("audit_head")
            if head:
                found[f"release {folder.name}"] = str(head)
    found |= certificate_heads(workspace.root)
    return found | heads(workspace.root / "approvals")


def signs_of_work(root: Path) -> list[str]:
    """Return what a region holds that its audit chain must know of, in words."""
    signs = {
        "decisions of the gate": "quality/records/decisions/*/*.json",
        "certificates": "governance/certificates/*.json",
        "withdrawals": "governance/withdrawals/*.json",
        "approvals": "approvals/*.jsonl",
        "releases": "published/*/manifest.json",
    }
    return [what for what, pattern in signs.items() if any(True for _ in root.glob(pattern))]
