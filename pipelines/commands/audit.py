"""``lsoalink audit``: the audit chain."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DataDir, RegionName

audit_app = typer.Typer(
    no_args_is_help=True, help="The audit chain: check it, read it, take it elsewhere."
)

Event = Annotated[
    str | None, typer.Option(help="Only entries of this kind, e.g. gate_decision, disposed.")
]
AgreementId = Annotated[str | None, typer.Option(help="Only entries about this agreement.")]
Since = Annotated[
    dt.datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Only entries from this day on, YYYY-MM-DD."),
]


@audit_app.command("verify", epilog="Example: lsoalink audit verify arden")
def audit_verify(region: RegionName, data_dir: DataDir = None) -> None:
    """Check every link of the audit chain; an edit, a gap, a reordering, a cut end is named.

    The chain is held to its anchor, and to the entries that releases, certificates and approvals
    name; each certificate is compared with what the chain says of it.
    """
    from pipelines.inspecting import verify_audit
    from pipelines.running import settings_for

    verify_audit(region, settings_for(data_dir, None))


@audit_app.command(
    "show", epilog="Example: lsoalink audit show arden --event disposed --since 2026-01-01"
)
def audit_show(
    region: RegionName,
    event: Event = None,
    agreement: AgreementId = None,
    since: Since = None,
    data_dir: DataDir = None,
) -> None:
    """Show entries of the audit chain, oldest first."""
    from pipelines.disposing import show_audit
    from pipelines.running import settings_for

    show_audit(
        region, settings_for(data_dir, None), event=event, agreement=agreement,
        since=since.date() if since else None,
    )  # fmt: skip


@audit_app.command("export", epilog="Example: lsoalink audit export arden --csv audit.csv")
def audit_export(
    region: RegionName,
    csv: Annotated[Path, typer.Option("--csv", help="The file to write; '-' for the screen.")],
    event: Event = None,
    agreement: AgreementId = None,
    since: Since = None,
    data_dir: DataDir = None,
) -> None:
    """Write entries of the audit chain as CSV, one line an entry, with their hashes."""
    from pipelines.disposing import export_audit
    from pipelines.running import settings_for

    export_audit(
        region, settings_for(data_dir, None), csv, event=event, agreement=agreement,
        since=since.date() if since else None,
    )  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(audit_app, name="audit")
