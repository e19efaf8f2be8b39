"""Checks of the files on the disk: encryption, permissions, retention, what was left behind.

Belongs here: checks that read bytes and mode bits. Does not belong here: releases
(``published.py``).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from declarations.agreements import Agreement
from governance.controls.model import Verdict, failed, few, passed, shared_sources, unable
from governance.lifecycle.holdings import Known, deliveries
from governance.lifecycle.retention import clocks
from warehouse.leftovers import SPILL_PREFIX, TEMPORARY_PREFIX
from warehouse.private import PLAIN_PREFIX
from warehouse.sealed import MAGIC
from warehouse.workspace import OFFICERS_ZONE, PRIVATE_ZONES, Workspace

PARQUET_PLAIN, PARQUET_ENCRYPTED = b"PAR1", b"PARE"
"""What a Parquet file starts and ends with, by whether its footer is encrypted."""


def _held(workspace: Workspace) -> Iterator[tuple[Known, Agreement]]:
    for source, agreement, _ in shared_sources(workspace):
        for known in deliveries(workspace.root, source.id):
            if known.original is not None:
                yield known, agreement


def originals_encrypted(workspace: Workspace) -> Verdict:
    """Every original that came under an agreement lies encrypted on the disk."""
    looked, plain = 0, []
    for known, _ in _held(workspace):
        if known.original is None:
            continue
        looked += 1
        with known.original.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                plain.append(f"{known.source_id} {known.period}")
    if plain:
        return failed(f"{len(plain):,} of {looked:,} originals are plain files: {few(plain)}")
    if not looked:
        return unable("no original is held")
    return passed(f"all {looked:,} originals are encrypted")


def restricted_tables_encrypted(workspace: Workspace) -> Verdict:
    """Every record-level table lies encrypted on the disk, its footer too."""
    looked, plain = 0, []
    for path in sorted((workspace.root / "restricted").rglob("*.parquet")):
        looked += 1
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(-4, os.SEEK_END)
            if (head, file.read(4)) != (PARQUET_ENCRYPTED, PARQUET_ENCRYPTED):
                plain.append(f"{path.parent.name} {path.stem}")
    if plain:
        return failed(f"{len(plain):,} of {looked:,} record-level tables are plain: {few(plain)}")
    if not looked:
        return unable("there are no record-level tables yet")
    return passed(f"all {looked:,} record-level tables are encrypted")


def file_permissions_tight(workspace: Workspace) -> Verdict:
    """Only the platform's own account may enter the private folders, or read originals and keys."""
    root, wrong, looked = workspace.root, [], 0
    for zone in (*PRIVATE_ZONES, "quarantine", "governance"):
        folder = root / zone
        if not folder.is_dir():
            continue
        looked += 1
        allowed = 0o750 if zone == OFFICERS_ZONE else 0o700
        if _mode(folder) & ~allowed:
            wrong.append(f"{zone} ({_mode(folder):04o})")
    for known, _ in _held(workspace):
        if known.original is not None and _mode(known.original) & 0o077:
            wrong.append(f"original of {known.source_id} {known.period}")
    for key in sorted((workspace.data_dir / ".keys").glob("*")):
        looked += 1
        if _mode(key) & 0o077:
            wrong.append(f"key file {key.name} ({_mode(key):04o})")
    if wrong:
        return failed(f"open to others: {few(wrong)}")
    if not looked:
        return unable("there is no data folder yet")
    return passed(f"{looked} folders and key files are closed to others")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def no_leftovers(workspace: Workspace) -> Verdict:
    """No interrupted run left plain copies, spill or half-written tables behind."""
    root, looked, left = workspace.root, 0, []
    for zone in ("received", "restricted", "linked"):
        folder = root / zone
        if not folder.is_dir():
            continue
        looked += 1
        for prefix in (SPILL_PREFIX, TEMPORARY_PREFIX, PLAIN_PREFIX):
            for path in folder.rglob(f"{prefix}*"):
                number = path.name.removeprefix(prefix).split("-")[0]
                if not (number.isdigit() and Path("/proc", number).exists()):
                    left.append(zone)
    if left:
        return failed(f"{len(left)} leftovers of interrupted runs in {few(sorted(set(left)))}")
    if not looked:
        return unable("there is no data folder yet")
    return passed("no interrupted run left anything behind")


def retention_nothing_overdue(workspace: Workspace) -> Verdict:
    """Nothing is kept beyond the days of its agreement, unless a legal hold keeps it."""
    today = workspace.today()
    counted = clocks(
        workspace.declared, workspace.root, landing=workspace.landing, keys=workspace.keys
    )
    late = [item for item in counted if item.due_on < today and item.hold is None]
    held = sum(item.due_on < today and item.hold is not None for item in counted)
    kept = f"; {held:,} on legal hold" if held else ""
    if late:
        names = few([f"{i.what} ({(today - i.due_on).days:,} days)" for i in late])
        return failed(f"{len(late):,} of {len(counted):,} are overdue for disposal: {names}{kept}")
    if not counted:
        return unable("nothing is held under a data sharing agreement")
    return passed(f"none of {len(counted):,} originals, tables and releases is overdue{kept}")
