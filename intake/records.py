"""What each stage found about a delivery: decisions, checks and accounting, beside the data.

Belongs here: one small JSON file a source and period, written whole, read by the quality report.
Never a value of a record: names of columns, counts, reasons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from warehouse.lake import write_atomically
from warehouse.workspace import Workspace

Kind = Literal["decisions", "accounting", "outlines"]
"""``outlines`` is what was repaired or left out of the shapes of an admitted boundary file."""


def _path(workspace: Workspace, kind: Kind, source_id: str, period: str) -> Path:
    return workspace.root / "quality" / "records" / kind / source_id / f"{period}.json"


def write_record(
    workspace: Workspace, kind: Kind, source_id: str, period: str, content: dict[str, Any]
) -> None:
    """Write what a stage found about one source and period."""
    text = json.dumps(content, indent=1, sort_keys=True, default=str)
    write_atomically(_path(workspace, kind, source_id, period), text.encode(), durable=False)


def remove_record(workspace: Workspace, kind: Kind, source_id: str, period: str) -> None:
    """Remove a record that no longer stands for anything."""
    _path(workspace, kind, source_id, period).unlink(missing_ok=True)


def read_record(
    workspace: Workspace, kind: Kind, source_id: str, period: str
) -> dict[str, Any] | None:
    """Return what a stage found, or None."""
    path = _path(workspace, kind, source_id, period)
    if not path.exists():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def decided_versions(root: Path, source_id: str, period: str) -> set[int]:
    """Return the versions of a delivery the gate has decided on, by the region's data folder."""
    path = root / "quality" / "records" / "decisions" / source_id / f"{period}.json"
    if not path.exists():
        return set()
    return {row["version"] for row in json.loads(path.read_text(encoding="utf-8"))["decisions"]}


def all_records(workspace: Workspace, kind: Kind) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield source, period and content of every record of a kind, for declared sources."""
    root = workspace.root / "quality" / "records" / kind
    for source_id in workspace.declared.sources:
        for path in sorted((root / source_id).glob("*.json")):
            yield source_id, path.stem, json.loads(path.read_text(encoding="utf-8"))
