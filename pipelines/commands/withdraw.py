"""``lsoalink agreement withdraw``: the stop button."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.options import DataDir, RegionOption


def withdraw(
    agreement: Annotated[str, typer.Argument(metavar="ID", help="The agreement's id.")],
    reason: Annotated[
        str, typer.Option(help="Why; it stands in the audit chain and on every release taken back.")
    ],
    by: Annotated[str, typer.Option(help="Your name.")],
    region: RegionOption,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what depends on it, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Withdraw an agreement for good: everything that rests on it stops.

    Its files and tables go into quarantine and are disposed of after the days the agreement sets;
    releases made from it are taken back, with a notice in their place. No command undoes this, and
    no run brings it back: sharing again takes a new agreement with an id of its own.
    """
    from pipelines.disposing import withdraw_agreement
    from pipelines.running import settings_for

    withdraw_agreement(
        agreement, region, settings_for(data_dir, None), reason=reason, by=by, dry_run=dry_run,
        yes=yes,
    )  # fmt: skip


def register_withdraw(agreement_app: typer.Typer) -> None:
    """Add the command to the group ``lsoalink agreement``."""
    agreement_app.command(
        epilog="Example: lsoalink agreement withdraw DSA-COV-007 --region my-region --reason "
        "'the council asked for it' --by 'Sam Example'"
    )(withdraw)
