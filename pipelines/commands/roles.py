"""``lsoalink roles`` and ``lsoalink grant``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DataDir, RegionName


class RoleOption(StrEnum):
    """The roles that agreements may name."""

    DATA_ENGINEER = "data_engineer"
    ANALYST = "analyst"
    GOVERNANCE_OFFICER = "governance_officer"
    SUPPLIER = "supplier"
    PUBLIC = "public"


Agency = Annotated[str | None, typer.Option(help="For a supplier: the agency's name.")]


def roles(region: RegionName = "arden", agency: Agency = None) -> None:
    """Show what each role may read, as the agreements say."""
    from pipelines.granting import print_roles

    print_roles(region, agency)


def grant(
    region: RegionName,
    role: Annotated[RoleOption, typer.Option(help="Who is to read.")],
    to: Annotated[Path, typer.Option(help="A folder that is not there yet.")],
    by: Annotated[str, typer.Option(help="Your name, for the audit chain.")],
    agency: Agency = None,
    data_dir: DataDir = None,
) -> None:
    """Write into a folder what a role may read: files, and for a data engineer its keys.

    What is handed over is what can be read. Give the folder to the people of that role by the
    operating system's permissions; the platform has no login of its own.
    """
    from pipelines.granting import write_grant
    from pipelines.running import settings_for

    write_grant(region, settings_for(data_dir, None), role.value, to, agency=agency, by=by)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: lsoalink roles arden")(roles)
    app.command(
        epilog="Example: lsoalink grant arden --role analyst --to for-analysts --by 'Ann Example'"
    )(grant)
