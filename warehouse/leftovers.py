"""What a killed process leaves half written: how it is named, and how it is swept away.

Belongs here: the names of temporary files and folders, which carry the number of the process that
writes them, and the sweep. Does not belong here: what is written.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from warehouse.private import PLAIN_PREFIX, wipe_folder

TEMPORARY_PREFIX = ".writing-"
SPILL_PREFIX = "spill-"


def temporary_beside(path: Path) -> Path:
    """Return a name in the same folder to write under until one rename puts it in place."""
    return path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")


def sweep(root: Path) -> None:
    """Remove, at any depth, what processes that are gone were still writing or spilling.

    Plain copies of records are overwritten first.
    """
    for prefix in (TEMPORARY_PREFIX, SPILL_PREFIX, PLAIN_PREFIX):
        for leftover in sorted(root.rglob(f"{prefix}*")):
            if not _is_gone(leftover.name.removeprefix(prefix).split("-")[0]):
                continue
            if prefix == PLAIN_PREFIX:
                wipe_folder(leftover)
            elif leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _is_gone(process: str) -> bool:
    return process.isdigit() and Path("/proc/self").exists() and not Path("/proc", process).exists()
