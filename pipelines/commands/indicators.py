"""``lsoalink indicators``: what a region publishes, and what it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import RegionName


def indicators(
    region: RegionName = "arden",
    page: Annotated[
        Path | None,
        typer.Option(help="Write the region's catalogue, every definition in full, as Markdown."),
    ] = None,
) -> None:
    """List the indicators of a region: what each is, where it is shown, what holds others back."""
    from pipelines.cataloguing import list_indicators, write_catalogue

    if page is None:
        list_indicators(region)
    else:
        write_catalogue(region, page)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(
        epilog="Examples:  lsoalink indicators arden   ·   lsoalink indicators my-region --page "
        "indicators.md"
    )(indicators)
