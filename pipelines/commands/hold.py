"""``lsoalink hold``: legal holds."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.options import DataDir, RegionName

hold_app = typer.Typer(
    no_args_is_help=True,
    help="Legal holds: what must not be disposed of, whatever its clock says.",
)


@hold_app.command(
    "add",
    epilog="Examples:  lsoalink hold add my-region --agreement DSA-COV-007 --reason 'complaint "
    "2026/14' --by 'Sam Example'   ·   lsoalink hold add my-region --source coventry_homelessness "
    "--period 2026-03 --reason 'court order' --by 'Sam Example'",
)
def hold_add(
    region: RegionName,
    reason: Annotated[str, typer.Option(help="Why, in words; it stands in the audit chain.")],
    by: Annotated[str, typer.Option(help="Your name.")],
    agreement: Annotated[
        str | None, typer.Option(help="Everything under this agreement, releases too.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Everything of this source.")] = None,
    period: Annotated[str | None, typer.Option(help="Only this month of it, YYYY-MM.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Stop disposal of an agreement's or a source's data, also after a withdrawal."""
    from pipelines.disposing import add_hold
    from pipelines.running import settings_for

    add_hold(
        region, settings_for(data_dir, None), agreement=agreement, source=source, period=period,
        reason=reason, by=by,
    )  # fmt: skip


@hold_app.command(
    "lift",
    epilog="Example: lsoalink hold lift my-region H-20260401-a1b2c3 --reason 'case closed' --by "
    "'Sam Example'",
)
def hold_lift(
    region: RegionName,
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="The hold's id, see 'hold list'.")],
    reason: Annotated[str, typer.Option(help="Why it ends.")],
    by: Annotated[str, typer.Option(help="Your name.")],
    data_dir: DataDir = None,
) -> None:
    """End a hold: what is due then goes at the next purge."""
    from pipelines.disposing import lift_hold
    from pipelines.running import settings_for

    lift_hold(region, settings_for(data_dir, None), hold_id, reason=reason, by=by)


@hold_app.command("list", epilog="Example: lsoalink hold list my-region")
def hold_list(region: RegionName, data_dir: DataDir = None) -> None:
    """List every hold there ever was, with its reason and its end."""
    from pipelines.disposing import list_holds
    from pipelines.running import settings_for

    list_holds(region, settings_for(data_dir, None))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(hold_app, name="hold")
