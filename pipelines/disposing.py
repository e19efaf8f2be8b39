"""What ``purge``, ``hold``, ``agreement withdraw`` and ``audit`` show, ask and do.

Belongs here: the table of what is due or depends on an agreement, the question before it, and the
lock. Does not belong here: the work (``stewardship.py``).
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from declarations.errors import AgreementError, ConfigurationError
from pipelines.console import say, show_table
from pipelines.inspecting import workspace_of
from pipelines.regions import open_region
from pipelines.running import region_lock
from pipelines.settings import Settings

if TYPE_CHECKING:
    from governance.lifecycle.disposal import Disposals
    from governance.lifecycle.retention import Due
    from governance.lifecycle.withdrawal import Dependents
    from warehouse.workspace import Workspace

AUDIT_COLUMNS = ("n", "at", "event", "agreement", "facts", "hash")
_NOT_FACTS = frozenset(
    {"n", "at", "event", "agreement", "previous", "hash", "anchor", "anchored", "mac"}
)


def purge_region(
    name: str, settings: Settings, *, by: str, dry_run: bool, yes: bool, as_of: dt.date | None
) -> None:
    """Show what is due, ask, dispose of it, and say where the certificates are.

    Raises
    ------
    ConfigurationError
        If nobody says who disposes.
    StorageError
        If anything that is due is not gone.
    """
    from governance.lifecycle.disposal import require_done  # noqa: PLC0415
    from governance.lifecycle.holds import required  # noqa: PLC0415
    from pipelines.stewardship import (  # noqa: PLC0415
        complete_begun,
        complete_withdrawals,
        day_of,
        purge,
        what_is_due,
    )

    workspace = workspace_of(open_region(name), settings)
    day = day_of(workspace, as_of)
    if dry_run:
        _show_due(what_is_due(workspace, as_of), day)
        return
    with region_lock(workspace):
        complete_withdrawals(workspace)
        items = what_is_due(workspace, as_of)
        _show_due(items, day)
        free = [item for item in items if item.hold is None]
        if not free:
            failures = complete_begun(workspace)
            say("There is nothing to dispose of.")
            _stop_at(failures)
            return
        required(by, "--by")
        if not yes and not typer.confirm(f"Dispose of {len(free)} thing(s) for good?"):
            say("Nothing was done.")
            return
        outcome = purge(workspace, items, by=by.strip(), as_of=as_of)
    _say_disposals(workspace, outcome)
    require_done(outcome)


def _stop_at(failures: list[str]) -> None:
    from governance.lifecycle.disposal import Disposals, require_done  # noqa: PLC0415

    require_done(Disposals(failures=failures))


def _show_due(items: list[Due], day: dt.date) -> None:
    if not items:
        say(f"Nothing is due on {day:%d %B %Y}.")
        return
    show_table(
        f"Due on {day:%d %B %Y}",
        ("what", "agreement", "zone", "clause", "due since", "bytes", "rows", "legal hold"),
        [
            (
                item.what, ", ".join(item.agreements), item.zone, item.clause,
                item.due_on.isoformat(), f"{item.bytes:,}",
                "-" if item.rows is None else f"{item.rows:,}",
                item.hold.words() if item.hold else "-",
            )
            for item in items
        ],
    )  # fmt: skip


def _say_disposals(workspace: Workspace, outcome: Disposals) -> None:
    folder = workspace.root / "governance" / "certificates"
    if outcome.certificates:
        say(f"{len(outcome.certificates)} thing(s) disposed of; certificates in {folder}")
    for line in outcome.held:
        say(f"Stopped by a legal hold: {line}")


def add_hold(
    name: str, settings: Settings, *, agreement: str | None, source: str | None,
    period: str | None, reason: str, by: str,
) -> None:  # fmt: skip
    """Put a legal hold on an agreement or a source of a region.

    Raises
    ------
    ConfigurationError
        If the region has no such agreement or source.
    """
    from governance.audit import chain_of  # noqa: PLC0415
    from governance.lifecycle.holds import add  # noqa: PLC0415
    from governance.lifecycle.withdrawal import withdrawn  # noqa: PLC0415

    declared = open_region(name)
    workspace = workspace_of(declared, settings)
    known = {*declared.agreements, *withdrawn(workspace.root)}
    if agreement is not None and agreement not in known:
        raise ConfigurationError(
            f"{declared.region.id} has no agreement {agreement}", f"It has {', '.join(known)}"
        )
    if source is not None and source not in declared.sources:
        raise ConfigurationError(
            f"{declared.region.id} has no source {source}", "'lsoalink status' lists them"
        )
    hold = add(
        workspace.root, chain_of(workspace), agreement=agreement, source=source, period=period,
        reason=reason, by=by, day=workspace.today(),
    )  # fmt: skip
    say(f"{hold.id}: {agreement or source}{f' {period}' if period else ''} is held.")


def lift_hold(name: str, settings: Settings, hold_id: str, *, reason: str, by: str) -> None:
    """End a legal hold."""
    from governance.audit import chain_of  # noqa: PLC0415
    from governance.lifecycle.holds import lift  # noqa: PLC0415

    workspace = workspace_of(open_region(name), settings)
    lift(workspace.root, chain_of(workspace), hold_id, reason=reason, by=by, day=workspace.today())
    say(f"{hold_id} is lifted. 'lsoalink purge {name} --dry-run' shows what is due.")


def list_holds(name: str, settings: Settings) -> None:
    """List every legal hold of a region."""
    from governance.lifecycle.holds import all_holds  # noqa: PLC0415

    workspace = workspace_of(open_region(name), settings)
    holds = all_holds(workspace.root, workspace.keys)
    if not holds:
        say("There is no legal hold.")
        return
    show_table(
        "",
        ("hold", "on", "month", "since", "by", "reason", "lifted"),
        [
            (h.id, h.agreement or h.source, h.period or "all", h.day.isoformat(), h.by, h.reason,
             h.lifted or "-")
            for h in holds
        ],
    )  # fmt: skip


def withdraw_agreement(
    agreement_id: str, name: str, settings: Settings, *, reason: str, by: str, dry_run: bool,
    yes: bool,
) -> None:  # fmt: skip
    """Show what depends on an agreement, ask, and withdraw it.

    Raises
    ------
    ConfigurationError
        If there is no such agreement, or no reason or name.
    AgreementError
        If it was withdrawn before.
    """
    from governance.lifecycle.holds import required  # noqa: PLC0415
    from governance.lifecycle.withdrawal import withdrawn  # noqa: PLC0415
    from pipelines.stewardship import (  # noqa: PLC0415
        complete_withdrawals,
        dependents_of,
        withdraw,
    )

    workspace = workspace_of(open_region(name), settings)
    required(reason, "--reason")
    required(by, "--by")
    _show_dependents(dependents_of(workspace, agreement_id))
    if dry_run:
        return
    if not yes and agreement_id not in withdrawn(workspace.root):
        say("No command undoes this: sharing again takes a new agreement with an id of its own.")
        if not typer.confirm(f"Withdraw {agreement_id} for good?"):
            say("Nothing was done.")
            return
    with region_lock(workspace):
        complete_withdrawals(workspace)
        known = withdrawn(workspace.root).get(agreement_id)
        if known is not None:
            raise AgreementError(
                f"{known.sentence().rstrip('.')}, by {known.by}",
                "What depends on it is in quarantine; sharing again takes a new agreement",
            )
        record = withdraw(workspace, agreement_id, reason=reason, by=by)
    say(
        f"{agreement_id} is withdrawn. Everything that rests on it is in quarantine, and due to be "
        f"disposed of on {record.dispose_on:%d %B %Y}."
    )
    say(f"Certificate: {workspace.root / 'governance' / 'certificates'}")
    say(f"Run 'lsoalink run {name}' for tables and a release without it.")


def _show_dependents(found: Dependents) -> None:
    say(f"{found.agreement} covers {', '.join(found.sources) or 'no source'}.")
    say(f"Indicators that rest on it: {', '.join(found.indicators) or 'none'}.")
    rows: list[tuple[object, ...]] = [
        ("original", f"{d.source_id} {d.period} version {d.version}", f"{d.bytes:,}")
        for d in found.originals
    ]
    rows += [("landed file", source, f"{p.stat().st_size:,}") for source, p in found.landed]
    rows += [
        (p.zone, f"{p.table} {p.period}", f"{p.path.stat().st_size:,}") for p in found.partitions
    ]
    rows += [("of several sources", p.parent.name, f"{p.stat().st_size:,}") for p in found.derived]
    rows += [("candidate", p.name, "") for p in found.candidates if p.is_dir()]
    rows += [("release", r.folder.name, "") for r in found.releases]
    if rows:
        show_table("What depends on it", ("zone", "what", "bytes"), rows)
    else:
        say("Nothing on the disk depends on it.")


def audit_rows(entries: Iterable[dict[str, Any]]) -> Iterator[tuple[object, ...]]:
    """Yield the columns of `AUDIT_COLUMNS` for each entry; what else it says as JSON."""
    for entry in entries:
        facts = {k: v for k, v in sorted(entry.items()) if k not in _NOT_FACTS}
        yield (
            entry.get("n"), entry.get("at"), entry.get("event"), entry.get("agreement") or "",
            json.dumps(facts, ensure_ascii=False), entry.get("hash"),
        )  # fmt: skip


def show_audit(
    name: str, settings: Settings, *, event: str | None, agreement: str | None,
    since: dt.date | None,
) -> None:  # fmt: skip
    """Show entries of the audit chain."""
    from governance.audit import chain_of  # noqa: PLC0415

    workspace = workspace_of(open_region(name), settings)
    found = chain_of(workspace).find(event=event, agreement=agreement, since=since)
    rows = [(*row[:-1], str(row[-1])[:12]) for row in audit_rows(found)]
    if not rows:
        say("The chain has no such entry.")
        return
    show_table("", AUDIT_COLUMNS, rows)


def export_audit(
    name: str, settings: Settings, target: Path, *, event: str | None, agreement: str | None,
    since: dt.date | None,
) -> None:  # fmt: skip
    """Write entries of the audit chain as CSV."""
    from governance.audit import chain_of  # noqa: PLC0415
    from governance.reports.csv_text import csv_text  # noqa: PLC0415
    from warehouse.lake import write_atomically  # noqa: PLC0415

    workspace = workspace_of(open_region(name), settings)
    chain = chain_of(workspace)
    rows = list(audit_rows(chain.find(event=event, agreement=agreement, since=since)))
    chain.accessed("audit chain", entries=len(rows))
    text = csv_text(AUDIT_COLUMNS, rows)
    if str(target) == "-":
        sys.stdout.write(text)
        return
    write_atomically(target, text.encode(), mode=0o600)
    say(f"Wrote {len(rows):,} entries to {target}")
