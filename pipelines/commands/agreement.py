"""``lsoalink agreement``: agreements checked, compared, read and listed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DataDir, RegionName

agreement_app = typer.Typer(
    no_args_is_help=True, help="Data sharing agreements: check, compare, read, list."
)


class Format(StrEnum):
    """Ways to write a page."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


class Findings(StrEnum):
    """Ways to write findings."""

    TEXT = "text"
    JSON = "json"


Output = Annotated[Format, typer.Option("--format", help="How to write it.")]
To = Annotated[Path | None, typer.Option("--to", help="Write it to this file.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file.")]


@agreement_app.command(
    "lint",
    epilog="Examples:  lsoalink agreement lint arden   ·   "
    "lsoalink agreement lint my-region/agreements/DSA-START-001.yaml --strict",
)
def agreement_lint(
    target: Annotated[
        str, typer.Argument(metavar="REGION|FILE", help="A region, or one agreement's file.")
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail on warnings too (exit code 6).")
    ] = False,
    output: Annotated[Findings, typer.Option("--format", help="How to write it.")] = Findings.TEXT,
) -> None:
    """Name every fault (file, line, key, fix), and what an officer would object to.

    A fault keeps the agreement from being used and ends with exit code 6. A warning does not: it
    names what is missing, about to end, or says less than it seems to.
    """
    from pipelines.agreements import lint

    lint(target, strict=strict, output=output.value)


@agreement_app.command(
    "diff",
    epilog="Examples:  lsoalink agreement diff old.yaml new.yaml   ·   "
    "lsoalink agreement diff old.yaml new.yaml --format html --to changes.html   ·   "
    "lsoalink agreement diff my-region DSA-START-001 --against old.yaml",
)
def agreement_diff(
    old: Annotated[str, typer.Argument(metavar="OLD|REGION", help="The older file; or a region.")],
    new: Annotated[str, typer.Argument(metavar="NEW|ID", help="The newer file; or an id.")],
    against: Annotated[
        Path | None,
        typer.Option(help="With REGION and ID: the file of the older version."),
    ] = None,
    output: Output = Format.TEXT,
    to: To = None,
    force: Force = False,
) -> None:
    """Say in words what changed, one sentence a change, the weightiest first.

    Each change is called widening (more may be done, by more people, for longer, or with less
    protection), narrowing, or neutral. The HTML page has room for two signatures.
    """
    from pipelines.agreements import diff

    diff(old, new, against=against, output=output.value, to=to, force=force)


@agreement_app.command(
    "show",
    epilog="Examples:  lsoalink agreement show arden DSA-ARD-002   ·   "
    "lsoalink agreement show arden DSA-ARD-002 --format html --to DSA-ARD-002.html",
)
def agreement_show(
    region: RegionName,
    agreement_id: Annotated[str, typer.Argument(metavar="ID", help="Its id.")],
    output: Output = Format.TEXT,
    to: To = None,
    force: Force = False,
    data_dir: DataDir = None,
) -> None:
    """Read an agreement in plain words: each column's fate, who reads what, what depends on it.

    It ends with the fingerprint of the text, which each signatory puts beside the signature.
    """
    from pipelines.agreements import show
    from pipelines.running import settings_for

    settings = settings_for(data_dir, None)
    show(region, agreement_id, settings, output=output.value, to=to, force=force)


@agreement_app.command(
    "register", epilog="Example: lsoalink agreement register arden --to register"
)
def agreement_register(
    region: RegionName,
    to: Annotated[
        Path | None,
        typer.Option(help="Folder. Default: DATA_DIR/REGION/governance/exports"),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the register: every source and its agreement, what is due in the next 24 months.

    A page, a CSV and a calendar file (.ics) that calendar programs read.
    """
    from pipelines.agreements import register as write_register
    from pipelines.running import settings_for

    write_register(region, settings_for(data_dir, None), to)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(agreement_app, name="agreement")
