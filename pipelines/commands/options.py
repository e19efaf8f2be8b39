"""Options that several commands share, each with one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", envvar="LSOALINK_DATA_DIR", help="Where data goes. Default: ./data",
        show_default=False,
    ),
]  # fmt: skip
OpenData = Annotated[
    Path | None,
    typer.Option(
        "--open-data", envvar="LSOALINK_OPEN_DATA", help="Folder of published files.",
        show_default=False,
    ),
]  # fmt: skip
RegionName = Annotated[
    str, typer.Argument(metavar="REGION", help="A bundled region, or a folder with a region.yaml.")
]
RegionOption = Annotated[
    str, typer.Option("--region", "-r", help="A bundled region, or a region's folder.")
]
