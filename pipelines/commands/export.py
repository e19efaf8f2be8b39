"""``lsoalink export``: the records a governance officer must keep, made from the declarations."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DataDir, OpenData, RegionName


class Record(StrEnum):
    """Records that can be made."""

    ROPA = "ropa"
    DPIA = "dpia"
    ATRS = "atrs"
    PRIVACY_NOTICE = "privacy-notice"
    FOI_LOG = "foi-log"
    ALL = "all"


def export(
    region: RegionName,
    which: Annotated[
        Record,
        typer.Argument(metavar="RECORD", help="ropa, dpia, atrs, privacy-notice, foi-log or all."),
    ],
    to: Annotated[
        Path | None,
        typer.Option(help="Folder. Default: DATA_DIR/REGION/governance/exports"),
    ] = None,
    data_dir: DataDir = None,
    open_data: OpenData = None,
) -> None:
    """Write a record of governance: pages, and CSV for machines.

    ropa: record of processing activities (Article 30). dpia: register of risks, each mitigation
    held to live checks, which are run now: a red one reopens its risk. atrs: a draft transparency
    record for each index. privacy-notice: the text for the public. foi-log: every release, what was
    hidden and why, who approved it. None of them carries a person's data.
    """
    from pipelines.exports import export as write_records
    from pipelines.running import settings_for

    write_records(region, which.value, settings_for(data_dir, open_data), to)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(
        "export",
        epilog="Examples:  lsoalink export arden all   ·   lsoalink export arden dpia --to records",
    )(export)
