"""``lsoalink purge``: disposal of what is due."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from pipelines.commands.options import DataDir, RegionName

AsOf = Annotated[
    dt.datetime | None,
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"],
        help="Another day than the region's, YYYY-MM-DD. Synthetic regions only.",
    ),
]  # fmt: skip


def purge(
    region: RegionName,
    by: Annotated[str, typer.Option(help="Your name, for the certificates.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is due, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_of: AsOf = None,
    data_dir: DataDir = None,
) -> None:
    """Dispose of what has had its days under its agreement, and certify that it is gone.

    Originals, record-level tables, counts, releases and quarantines each have a clock of their own,
    set by the agreement's retention. What a legal hold covers stays. A certificate for each thing
    is written to DATA_DIR/REGION/governance/certificates, as JSON and as a page to print.
    """
    from pipelines.disposing import purge_region
    from pipelines.running import settings_for

    purge_region(
        region, settings_for(data_dir, None), by=by, dry_run=dry_run, yes=yes,
        as_of=as_of.date() if as_of else None,
    )  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples:  lsoalink purge my-region --dry-run   ·   lsoalink purge my-region --yes "
        "--by 'Ann Example'   ·   lsoalink purge arden --as-of 2028-01-01 --dry-run"
    )(purge)
