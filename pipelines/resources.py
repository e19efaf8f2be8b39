"""The resource assets work through: it opens a region's workspace.

Belongs here: bringing settings and declarations together at run time, never at load time.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from declarations.declared import RegionDeclarations
from pipelines.regions import landing_of
from warehouse.keys import open_key_ring
from warehouse.workspace import Workspace


def open_workspace(
    declared: RegionDeclarations, data_dir: Path, open_data: Path | None = None
) -> Workspace:
    """Return the workspace of a region; makes the master key on the first run."""
    return Workspace(
        declared=declared,
        data_dir=data_dir,
        landing=landing_of(declared, data_dir),
        keys=open_key_ring(data_dir),
        open_data=open_data,
    )


class Workspaces(dg.ConfigurableResource[None]):
    """Opens workspaces below one data folder.

    Parameters
    ----------
    data_dir : str
        Where every region's data goes.
    open_data : str, optional
        Folder of published files; empty for none.
    """

    data_dir: str
    open_data: str = ""

    def open(self, declared: RegionDeclarations) -> Workspace:
        """Return the workspace of a region."""
        folder = Path(self.open_data) if self.open_data else None
        workspace = open_workspace(declared, Path(self.data_dir), folder)
        workspace.prepare()
        return workspace
