"""Marks that something is gone on purpose: later runs neither make it again nor miss it.

Belongs here: leaving and reading them. One file a source and month below ``governance/disposed``,
and one beside the record of each delivery whose original is gone. Does not belong here: the removal
(``disposal.py``, ``withdrawal.py``), or what a stage makes of a mark (``intake/keeping.py``).
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from governance.lifecycle.holdings import GONE, ONCE, read_json, version_behind
from warehouse.lake import UNPARTITIONED, write_atomically


def disposed(root: Path, source_id: str, period: str) -> frozenset[str]:
    """Return the zones of a source's month that were disposed of: received, restricted, linked.

    Parameters
    ----------
    period : str
        ``YYYY-MM``, or ``all`` for a source delivered once.

    Returns
    -------
    frozenset of str
        A zone counts until a later delivery of the month was admitted: that one has a clock of its
        own.
    """
    zones = _marks(root, source_id, period)
    if not zones:
        return frozenset()
    admitted = version_behind(root, source_id, period) or 0
    return frozenset(z for z, mark in zones.items() if int(mark["version"]) >= admitted)


def disposed_on(root: Path, source_id: str, period: str, zone: str) -> dt.date | None:
    """Return the day a zone of a source's month was disposed of; None if it was not."""
    if zone not in disposed(root, source_id, period):
        return None
    return dt.date.fromisoformat(_marks(root, source_id, period)[zone]["on"])


def may_read(root: Path, source_id: str, period: str, version: int) -> bool:
    """Whether a delivery may still be read: neither its original nor its records were disposed of.

    Where the record-level table went first, its original must not be read to make it again.
    """
    home = root / "received" / source_id / (ONCE if period == UNPARTITIONED else period)
    if any(True for _ in home.glob(f"v{version:03d}-*/{GONE}")):
        return False
    mark = _marks(root, source_id, period).get("restricted")
    return mark is None or version > int(mark["version"])


def words(root: Path, source_id: str, period: str) -> str:
    """Say when and under what a source's month was disposed of, for whoever wonders."""
    marks = _marks(root, source_id, period)
    said = [f"{zone} on {m['on']} under {m['agreement']}" for zone, m in sorted(marks.items())]
    return f"disposed of: {', '.join(said)}" if said else "its original is no longer held"


def mark_gone(folder: Path, why: str, ident: str, day: dt.date, agreement: str) -> None:
    """Leave word beside a delivery's record that its original is no longer there, and why."""
    content = {"why": why, "id": ident, "on": day.isoformat(), "agreement": agreement}
    text = json.dumps(content, sort_keys=True)
    write_atomically(folder / GONE, text.encode(), mode=0o600)


def leave_mark(root: Path, intent: dict[str, Any]) -> None:
    """Note what a disposal takes away: an original, or one month of a table."""
    day = dt.date.fromisoformat(intent["on"])
    agreement = str(intent["agreements"][0])
    if intent["kind"] == "original":
        folder = (root / intent["files"][0]["path"]).parent
        mark_gone(folder, "disposed", intent["id"], day, agreement)
    if intent["kind"] not in ("original", "partition"):
        return
    path = _marks_path(root, intent["source_id"], intent["period"])
    marks = _marks(root, intent["source_id"], intent["period"])
    known = int(marks.get(intent["zone"], {}).get("version", 0))
    if intent["zone"] == "received" or known <= int(intent["version"]):
        marks[intent["zone"]] = {
            "id": intent["id"], "on": intent["on"], "agreement": agreement,
            "version": max(known, int(intent["version"])),
        }  # fmt: skip
        write_atomically(path, json.dumps(marks, sort_keys=True).encode(), mode=0o600)


def _marks_path(root: Path, source_id: str, period: str) -> Path:
    return root / "governance" / "disposed" / source_id / f"{period}.json"


def _marks(root: Path, source_id: str, period: str) -> dict[str, dict[str, Any]]:
    return read_json(_marks_path(root, source_id, period)) or {}


def is_marked(root: Path, intent: dict[str, Any]) -> bool:
    """Whether the mark of this very disposal was left: its removal had begun."""
    marks = _marks(root, str(intent["source_id"]), str(intent["period"]))
    return any(mark["id"] == intent["id"] for mark in marks.values())
