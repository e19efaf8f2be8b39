"""A finished region as the commands of governance find it, and what must hold after them.

Belongs here: copying it, fast enough to kill a command at every step, and questions asked of a
region's folder. Does not belong here: the commands.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from region_factory import workspace_of

from governance.audit import chain_of
from governance.lifecycle.certificates import certificate_faults
from pipelines.stewardship import known_heads, signs_of_work

if TYPE_CHECKING:
    from conftest import Finished

    from warehouse.workspace import Workspace

NORTH = "north_cases"
AGREEMENT = "DSA-TM-001"


def slim_copy(finished: Finished, folder: Path) -> Workspace:
    """Copy the finished region with only the manifest of its release."""
    big = {"lsoalink.duckdb", "lsoalink.gpkg", "csv", "parquet", "map.html", "quality.html"}

    def leave_out(path: str, names: list[str]) -> set[str]:
        return big & set(names) if Path(path).parent.name == "published" else set()

    shutil.copytree(finished.folder / "landing", folder / "landing")
    shutil.copytree(finished.folder / "data", folder / "data", symlinks=True, ignore=leave_out)
    return workspace_of(folder, finished.workspace.declared, folder / "landing")


def again(workspace: Workspace, folder: Path) -> Workspace:
    """Copy a slim copy."""
    for part in ("landing", "data"):
        shutil.copytree(workspace.data_dir.parent / part, folder / part, symlinks=True)
    return workspace_of(folder, workspace.declared, folder / "landing")


def faults(workspace: Workspace) -> list[str]:
    """Return whatever ``audit verify`` would find."""
    chain = chain_of(workspace)
    report = chain.verify(known_heads(workspace), expected=signs_of_work(workspace.root))
    return [*report.faults, *certificate_faults(workspace.root, chain)]


def standing(workspace: Workspace, source_id: str) -> list[str]:
    """Return what still holds data of a source outside quarantine."""
    root = workspace.root
    found = [
        *root.glob(f"restricted/*_{source_id}/*.parquet"),
        *root.glob(f"linked/*_{source_id}/*.parquet"),
        *root.glob(f"received/{source_id}/*/v*/*.sealed"),
        *root.glob(f"received/{source_id}/*/v*/*.csv"),
        *workspace.landing.glob(f"{source_id}/*"),
        *workspace.data_dir.parent.rglob(".disposing-*"),
    ]
    return sorted(p.name for p in found)
