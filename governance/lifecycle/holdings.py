"""Where the data of each source lies on the disk, a region's folder through.

Belongs here: the one map from a source to its originals, landed copies, tables and the releases
made from it, read from the disk alone. Stop button and disposal both rest on it.
Does not belong here: when something is due (``retention.py``) or what is done with it.

Names and layout are those of ``intake/``, ``indicators/`` and ``publishing/``, which come after
this room; a test holds both together.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from declarations.indicators import DERIVED
from warehouse.lake import UNPARTITIONED

RECORD, GONE = "delivery.json", ".gone.json"
"""What is known of a delivery, and the mark that its original is no longer beside it."""

ONCE = "once"
QUARANTINE = "quarantine"
MANIFEST = "manifest.json"
_ADMITTED = frozenset({"admitted", "trimmed"})
_TABLES = {
    "restricted": ("admitted_", "located_"),
    "linked": ("counts_", "statistics_"),
}


@dataclass(frozen=True)
class Known:
    """One accepted delivery as its record tells, whether or not its original is still there.

    Attributes
    ----------
    folder : Path
        ``received/<source>/<period or once>/v<NNN>-<sha12>``.
    period : str
        ``YYYY-MM``, or ``all`` for a source delivered once.
    original : Path or None
        None once it was disposed of or quarantined.
    """

    folder: Path
    source_id: str
    period: str
    version: int
    sha256: str
    bytes: int
    arrived_on: dt.date
    file_name: str
    original: Path | None


@dataclass(frozen=True)
class Partition:
    """One file of the lake: zone, table, period, rows if its state tells them."""

    path: Path
    zone: str
    table: str
    source_id: str
    period: str
    rows: int | None


@dataclass(frozen=True)
class Published:
    """A release folder and what its manifest says it was made from."""

    folder: Path
    as_of: dt.date | None
    lineage: frozenset[tuple[str, str, str]] = field(default_factory=frozenset)

    @property
    def agreements(self) -> frozenset[str]:
        """Every agreement behind the release."""
        return frozenset(agreement for agreement, _, _ in self.lineage)

    @property
    def sources(self) -> frozenset[str]:
        """Every source behind the release."""
        return frozenset(source for _, source, _ in self.lineage)


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a small record says, or None where it is gone or no record."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def records_in(folder: Path, suffix: str = ".json") -> list[Path]:
    """Return the records in a folder, in order; what a killed writer left half written is none."""
    return sorted(p for p in folder.glob(f"*{suffix}") if not p.name.startswith("."))


def deliveries(root: Path, source_id: str) -> list[Known]:
    """Return every accepted delivery of a source, oldest version first."""
    found = []
    for record in sorted((root / "received" / source_id).glob(f"*/v*/{RECORD}")):
        content = read_json(record)
        if content is None or content.get("outcome") != "accepted":
            continue
        others = [p for p in record.parent.iterdir() if p.name not in (RECORD, GONE)]
        others = [p for p in others if not p.name.startswith(".") and not p.is_dir()]
        found.append(
            Known(
                folder=record.parent,
                source_id=source_id,
                period=str(content["period"]) or UNPARTITIONED,
                version=int(content["version"]),
                sha256=str(content["sha256"]),
                bytes=int(content["bytes"]),
                arrived_on=dt.date.fromisoformat(str(content["arrived_on"])),
                file_name=str(content["file_name"]),
                original=others[0] if others else None,
            )
        )
    return sorted(found, key=lambda d: (d.period, d.version))


def landed(landing: Path | None, source: Source) -> list[Path]:
    """Return every file in the landing folder of a source; published files are nobody's to move."""
    if landing is None or source.open_data is not None:
        return []
    folder = landing / source.id
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def landed_copies(landing: Path | None, source: Source, sha256: str, size: int) -> list[Path]:
    """Return the files in a source's landing folder that hold exactly these bytes."""
    same = [p for p in landed(landing, source) if p.stat().st_size == size]
    return [p for p in same if hash_of(p) == sha256]


def partitions(root: Path, source_id: str) -> list[Partition]:
    """Return every table file of a source that is there: record level, then counts."""
    found = []
    for zone, prefixes in _TABLES.items():
        for prefix in prefixes:
            table = f"{prefix}{source_id}"
            for path in sorted((root / zone / table).glob("*.parquet")):
                if not path.name.startswith("."):
                    found.append(partition_at(path, zone, table, source_id))
    return found


def partition_at(path: Path, zone: str, table: str, source_id: str) -> Partition:
    """Return one table file with the rows its state tells."""
    state = read_json(path.with_suffix(".json")) or {}
    rows = state.get("rows")
    return Partition(path, zone, table, source_id, path.stem, int(rows) if rows else None)


def derived_tables(declared: RegionDeclarations, root: Path, source_ids: set[str]) -> list[Path]:
    """Return the files of exact tables that are made from several sources, these among them.

    The themes' tables of indicators, reference tables made from a reference source, and, where any
    of the sources is counted, the quality table that holds counts of one against another's.
    """
    themes = {
        i.theme
        for i in declared.indicators.values()
        if i.kind not in DERIVED and {s.id for s in declared.sources_behind(i)} & source_ids
    }
    folders = [root / "linked" / f"indicator_{theme}" for theme in sorted(themes)]
    contracts = [declared.contract_of(s) for s in declared.sources.values() if s.id in source_ids]
    folders += [root / "reference" / f"reference_{c.role}" for c in contracts if c.role is not None]
    if any(c.counts for c in contracts):
        folders.append(root / "quality" / "quality_plausibility")
    return [p for folder in folders for p in sorted(folder.glob("*.parquet")) if p.name[0] != "."]


def version_behind(root: Path, source_id: str, period: str) -> int | None:
    """Return the version of the delivery whose rows were admitted, by the gate's own record."""
    path = root / "quality" / "records" / "decisions" / source_id / f"{period}.json"
    rows = (read_json(path) or {}).get("decisions", [])
    versions = [int(r["version"]) for r in rows if r.get("decision") in _ADMITTED]
    return max(versions) if versions else None


def rows_read(root: Path, source_id: str, period: str, version: int) -> int | None:
    """Return how many rows the gate read of a delivery, or None where it read none."""
    path = root / "quality" / "records" / "decisions" / source_id / f"{period}.json"
    rows = (read_json(path) or {}).get("decisions", [])
    return next((int(r["rows_read"]) for r in rows if r.get("version") == version), None)


def releases(root: Path) -> list[Published]:
    """Return every published release that is there, in order of name."""
    folder = root / "published"
    found = []
    for path in sorted(folder.glob("*")):
        if path.is_symlink() or not path.is_dir() or path.name.startswith("."):
            continue
        found.append(release_at(path))
    return found


def release_at(folder: Path) -> Published:
    """Return what a release's manifest says of it."""
    manifest = read_json(folder / MANIFEST) or {}
    as_of = (manifest.get("release") or {}).get("as_of")
    lineage = frozenset(
        (str(r.get("agreement_id")), str(r.get("source_id")), str(r.get("period") or UNPARTITIONED))
        for r in manifest.get("lineage", [])
    )
    return Published(folder, dt.date.fromisoformat(as_of) if as_of else None, lineage)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, links not followed."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path
