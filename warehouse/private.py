"""Folders and files for the platform's own account alone, and plain copies that do not stay.

Belongs here: modes that no umask loosens, and overwriting what held records before it is removed.
Does not belong here: encryption (``sealed.py``), or what the folders are for.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
PLAIN_PREFIX = "plain-"
"""Marks a folder of plain copies, with the number of the process that made it."""

_BLOCK = bytes(1 << 20)


def private_folder(path: Path, mode: int = FOLDER_MODE) -> Path:
    """Make a folder and the missing ones above it, each with exactly this mode."""
    missing = []
    for folder in (path, *path.parents):
        if folder.is_dir():
            break
        missing.append(folder)
    for folder in reversed(missing):
        folder.mkdir(mode=mode, exist_ok=True)
        folder.chmod(mode)
    return path


@contextmanager
def plain_folder(parent: Path | None) -> Iterator[Path]:
    """Give a private folder for plain copies; what is in it is wiped when the block ends.

    A killed process leaves it behind; ``leftovers.sweep`` wipes it at the next run.

    Parameters
    ----------
    parent : Path or None
        For record-level files one inside the restricted zone; None for the system's own.
    """
    above = Path(tempfile.gettempdir()) if parent is None else private_folder(parent)
    folder = above / f"{PLAIN_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
    folder.mkdir(mode=FOLDER_MODE)
    folder.chmod(FOLDER_MODE)
    try:
        yield folder
    finally:
        wipe_folder(folder)


def open_private(path: Path, flags: int = os.O_EXCL) -> int:
    """Create a file for writing that only its owner can read; return its descriptor."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)
    return descriptor


def wipe(path: Path) -> None:
    """Overwrite a file once with zeros, wait until they are on the disk, and remove it.

    What this is worth: on a magnetic disk with a file system that writes in place, the old bytes
    are gone. A solid-state disk writes elsewhere and keeps the old cells until it reuses them, and
    so does a file system that copies on write (btrfs, ZFS, APFS), keeps snapshots or journals data;
    there the bytes may be recovered from the device. Only disk encryption of the volume helps
    against somebody who takes the device away. A link is removed, never followed.
    """
    if not path.is_symlink() and path.is_file():
        path.chmod(FILE_MODE)
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            left = os.fstat(file.fileno()).st_size
            while left > 0:
                left -= file.write(_BLOCK[:left]) or 0
            os.fdatasync(file.fileno())
    path.unlink(missing_ok=True)


def wipe_folder(folder: Path) -> None:
    """Wipe every file in a folder, at any depth, and remove it."""
    if not folder.is_dir() or folder.is_symlink():
        wipe(folder)
        return
    for entry in list(folder.iterdir()):
        wipe_folder(entry)
    folder.rmdir()
