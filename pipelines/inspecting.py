"""Commands that look at a region: status, summary, queries, a file's check, approvals, proofs.

Belongs here: what these commands gather and print. Does not belong here: a run (``running.py``).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.declared import RegionDeclarations
from declarations.errors import (
    ApprovalError,
    ConfigurationError,
    ContractError,
    DeliveryError,
    DisclosureError,
    StorageError,
)
from governance.audit import chain_of
from pipelines.console import say, show_table
from pipelines.regions import open_region
from pipelines.running import current_release, region_lock, waiting_approval
from pipelines.settings import Settings
from pipelines.stewardship import known_heads, signs_of_work, withdrawn_words

if TYPE_CHECKING:
    from warehouse.workspace import Workspace


def workspace_of(declared: RegionDeclarations, settings: Settings) -> Workspace:
    """Return the workspace of a region that has been run before."""
    from pipelines.resources import open_workspace  # noqa: PLC0415

    if not (settings.data_dir / declared.region.id).is_dir():
        raise StorageError(
            f"There is no data of {declared.region.id} in {settings.data_dir}",
            f"Run 'lsoalink run {declared.root.name}' first",
        )
    return open_workspace(declared, settings.data_dir, settings.open_data)


def print_summary(name: str, settings: Settings, *, seconds: float | None) -> None:
    """Write the paths of a run's results and a five-line summary."""
    from intake.accounting import ACCOUNTED, RECEIVED, totals  # noqa: PLC0415
    from intake.quality import quality_rows  # noqa: PLC0415

    declared = open_region(name)
    workspace = workspace_of(declared, settings)
    release_id, folder = current_release(workspace)
    quality = quality_rows(workspace)
    outcomes = Counter(d["outcome"] for d in quality["deliveries"])
    decisions = Counter(d["decision"] for d in quality["decisions"])
    rows = sum(totals(quality["accounting"]).values(), Counter[str]())
    facts = _release_facts(folder)
    show_table(
        "",
        ("", ""),
        [
            ("deliveries", f"{outcomes['accepted']:,} accepted, {outcomes['duplicate']} duplicate, "
             f"{outcomes['refused']} refused on arrival"),
            ("gate", f"{decisions['admitted']:,} admitted, {decisions['trimmed']} trimmed, "
             f"{decisions['refused']} refused, {decisions['quarantined']} quarantined"),
            ("rows", f"{rows[RECEIVED]:,} received = "
             + " + ".join(f"{rows[outcome]:,} {outcome}" for outcome in ACCOUNTED)),
            ("published", f"{facts.get('areas', 0):,} LSOAs, {facts.get('indicators', 0)} "
             f"indicators, {facts.get('observations', 0):,} figures, "
             f"{facts.get('hidden', 0):,} of them hidden"),
            ("release", (release_id or "none yet") + (f" in {seconds:.1f} s" if seconds else "")),
        ],
    )  # fmt: skip
    if folder is not None:
        latest = workspace.root / "published" / "latest"
        say("")
        for what, path in (
            ("DuckDB file", latest / "lsoalink.duckdb"),
            ("map", latest / "map.html"),
            ("certificate", latest / "certificate.html"),
            ("quality report", workspace.root / "quality" / "quality.html"),
            ("release folder", folder),
        ):
            say(f"{what + ':':16}{_shown(path)}")
    if declared.region.synthetic != "no":
        say("")
        say(
            "Everything in this region is synthetic."
            if declared.region.synthetic == "wholly"
            else "Every record about a person in this region is synthetic; open data is real."
        )


def _shown(path: Path) -> str:
    """Return a path below the working folder as it would be typed there."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path.absolute())


def _release_facts(folder: Path | None) -> dict[str, int]:
    if folder is None:
        return {}
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(folder / "lsoalink.duckdb"), read_only=True) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM areas), (SELECT count(*) FROM indicators), "
            "(SELECT count(*) FROM observations), "
            "(SELECT count(*) FROM observations WHERE value_status LIKE '%[c]%')"
        ).fetchone()
    names = ("areas", "indicators", "observations", "hidden")
    return dict(zip(names, row or (0, 0, 0, 0), strict=True))


def print_status(name: str, settings: Settings) -> None:
    """Write what arrived, what was held back and why, what is missing, and the release."""
    from intake.quality import missing_periods, quality_rows  # noqa: PLC0415

    declared = open_region(name)
    workspace = workspace_of(declared, settings)
    quality = quality_rows(workspace)
    accepted = Counter(d["source_id"] for d in quality["deliveries"] if d["outcome"] == "accepted")
    last = {
        d["source_id"]: max(str(d["period"]), "")
        for d in quality["deliveries"]
        if d["outcome"] == "accepted"
    }
    decided: dict[str, Counter[str]] = {}
    for row in quality["decisions"]:
        decided.setdefault(row["source_id"], Counter())[row["decision"]] += 1
    missing = {s.id: missing_periods(workspace, s) for s in declared.sources.values()}
    show_table(
        f"{declared.region.title}, {workspace.today():%d %B %Y}",
        ("source", "agreement", "accepted", "last", "admitted", "trimmed", "held back", "missing"),
        [
            (
                s.id, s.agreement, accepted[s.id], last.get(s.id) or "-",
                decided.get(s.id, Counter())["admitted"], decided.get(s.id, Counter())["trimmed"],
                decided.get(s.id, Counter())["refused"]
                + decided.get(s.id, Counter())["quarantined"],
                ", ".join(missing[s.id]) or "-",
            )
            for s in declared.sources.values()
        ],
    )  # fmt: skip
    _print_accounts(quality["accounting"])
    _print_problems(quality)
    release_id, folder = current_release(workspace)
    say("")
    say(f"Release in force: {release_id or 'none'}" + (f" ({_shown(folder)})" if folder else ""))
    for sentence in withdrawn_words(workspace):
        say(sentence)
    lacking = waiting_approval(workspace)
    if lacking:
        say(f"A candidate waits for {lacking}: {_shown(workspace.root / 'candidates')}")


def _print_accounts(accounting: list[dict[str, Any]]) -> None:
    """Write one line a source: what became of its rows over all periods, and whether all closes."""
    from intake.accounting import ACCOUNTED, RECEIVED, differences, totals  # noqa: PLC0415

    unclosed: dict[str, list[str]] = {}
    for (source, period, quantity), rest in sorted(differences(accounting).items()):
        if rest:
            unclosed.setdefault(source, []).append(f"{period} {quantity} by {rest:,}")
    lines = [
        (
            source, *(f"{rows[outcome]:,}" for outcome in (RECEIVED, *ACCOUNTED)),
            "NO: " + ", ".join(unclosed[source]) if source in unclosed else "yes",
        )
        for source, rows in sorted(totals(accounting).items())
    ]  # fmt: skip
    if lines:
        say("")
        show_table(
            "What became of the rows", ("source", RECEIVED, *ACCOUNTED, "all sums close"), lines
        )


def _print_problems(quality: dict[str, list[dict[str, Any]]]) -> None:
    held = [
        (d["source_id"], d["period"] or "once", d["decision"], d["message"])
        for d in quality["decisions"]
        if d["decision"] != "admitted"
    ]
    held += [
        (d["source_id"], d["period"] or "once", d["outcome"], d["message"])
        for d in quality["deliveries"]
        if d["outcome"] != "accepted"
    ]
    if held:
        say("")
        show_table("What to look at", ("source", "period", "outcome", "why, and the fix"), held)


def check_file(file: Path, source_id: str, name: str, *, only_problems: bool) -> None:
    """Hold a file to the contract of a source and write the report.

    Raises
    ------
    DeliveryError, ContractError
        If the file would be refused or quarantined.
    """
    from expectations.reports import text_report  # noqa: PLC0415
    from intake.attempt import contract_report  # noqa: PLC0415
    from intake.safety import inspect_file  # noqa: PLC0415
    from warehouse.connection import connect  # noqa: PLC0415

    declared = open_region(name)
    source = declared.sources.get(source_id)
    if source is None:
        near = ", ".join(sorted(declared.sources)[:8])
        raise ConfigurationError(
            f"The region {declared.region.id} has no source {source_id}",
            f"Use one of its sources, for example {near}",
        )
    inspection = inspect_file(file)
    if not inspection.ok:
        raise DeliveryError(inspection.message or f"{file.name} cannot be accepted")
    contract = declared.contract_of(source)
    with connect() as connection:
        read, typed, outcome = contract_report(connection, file, contract, source)
    say(f"{file.name} as {source.id} ({contract.title}), encoding {read.encoding}")
    broken = read.rows_broken + typed.rows_unreadable
    good = typed.rows_out - (typed.rows_unreadable if typed.too_broken else 0)
    say(
        f"{read.rows_read:,} rows: {good:,} good, {broken:,} broken, "
        f"{typed.rows_duplicate:,} duplicate, {typed.rows_formula:,} with a formula, "
        f"{read.rows_filtered:,} not asked for"
    )
    agreed = declared.agreement_of(source).source(source.id)
    actions = {c.name: c.action for c in agreed.columns} if agreed else {}
    dropped = [c for c in read.columns_present if actions.get(c, "drop") == "drop"]
    if dropped:
        say(f"Not needed, and dropped on arrival: {', '.join(dropped)}. Better leave them out.")
    if read.columns_undeclared or read.columns_unnamed:
        more = [*read.columns_undeclared]
        if read.columns_unnamed:
            more.append(f"{read.columns_unnamed} without a readable heading")
        say(f"Outside the agreement, and never read: {', '.join(more)}. Leave them out.")
    for line in text_report(outcome, only_problems=only_problems):
        say(line)
    if typed.too_broken or not outcome.admissible:
        raise ContractError(
            f"{file.name} would be held back", "Correct what failed above and check it again"
        )


def approve_candidate(name: str, settings: Settings, role: str, person: str) -> None:
    """Record an approval of the waiting candidate; publish it if that was the second."""
    declared = open_region(name)
    workspace = workspace_of(declared, settings)
    with region_lock(workspace):
        _approve(workspace, role, person)


def _approve(workspace: Workspace, role: str, person: str) -> None:
    from publishing.release import approve, build_release, candidate_state  # noqa: PLC0415

    declared = workspace.declared
    state = candidate_state(workspace)
    if state is None or (workspace.root / "published" / state["release_id"]).is_dir():
        raise ApprovalError(
            f"No candidate of {declared.region.id} waits for approval", "Run the region first"
        )
    if role not in ("requester", "approver"):
        raise ConfigurationError(f"There is no role {role}", "Use requester or approver")
    approve(
        workspace,
        state["release_id"],
        state["candidate_hash"],
        "requester" if role == "requester" else "approver",
        person,
    )
    outcome = build_release(workspace)
    if outcome.outcome == "awaiting_approval":
        say(f"Recorded. {outcome.release_id} still needs {outcome.lacking}.")
    else:
        say(f"Published {outcome.release_id} in {_shown(outcome.folder)}")


def verify_releases(name: str, settings: Settings) -> None:
    """Compare every release with its manifest.

    Raises
    ------
    ApprovalError
        If any file differs.
    """
    from publishing.protection.past_releases import ledger_faults  # noqa: PLC0415
    from publishing.trust import release_faults  # noqa: PLC0415

    workspace = workspace_of(open_region(name), settings)
    published = workspace.root / "published"
    folders = sorted(p for p in published.glob("*") if p.is_dir() and not p.is_symlink())
    changed = 0
    for folder in folders:
        differences = release_faults(workspace, folder)
        changed += len(differences)
        say(f"{folder.name}: {'as published' if not differences else 'CHANGED'}")
        for line in differences:
            say(f"  {line}")
    for sentence in withdrawn_words(workspace):
        say(sentence)
    forgotten = ledger_faults(workspace)
    for sentence in forgotten:
        say(sentence)
    if forgotten:
        raise DisclosureError(
            f"The ledger of releases has {len(forgotten)} fault(s)",
            "Restore its folder from a copy: the next release is attacked with what it says",
        )
    if changed:
        raise ApprovalError(
            f"{changed} file(s) are not as they were approved", "Restore them, or publish again"
        )
    if not folders:
        say("Nothing has been published yet.")


def verify_audit(name: str, settings: Settings) -> None:
    """Check the audit chain, its anchor, and the heads that releases and certificates name.

    Raises
    ------
    ApprovalError
        If a link is broken, the end was cut off, or a certificate was changed.
    """
    from governance.lifecycle.certificates import certificate_faults  # noqa: PLC0415

    workspace = workspace_of(open_region(name), settings)
    chain = chain_of(workspace)
    report = chain.verify(known_heads(workspace), expected=signs_of_work(workspace.root))
    faults = [*report.faults, *certificate_faults(workspace.root, chain)]
    if faults:
        for fault in faults:
            say(fault)
        raise ApprovalError(
            f"The audit chain is broken in {len(faults)} place(s)",
            "Find out who changed audit.jsonl, head.json or a certificate; restore it from a copy",
        )
    ahead = report.entries - (report.anchored or 0)
    note = f"; {ahead:,} not anchored yet" if ahead and report.anchored is not None else ""
    say(f"{report.entries:,} entries, all links hold; head {report.head[:12]}{note}")
