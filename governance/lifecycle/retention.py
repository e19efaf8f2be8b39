"""What is due to be disposed of, by the clocks each agreement sets.

Belongs here: the clocks, read from declarations and disk; nothing is changed here. Does not belong
here: the disposal (``disposal.py``), or where things lie (``holdings.py``).

=============  =====================================================================================
received       the original: its arrival + ``received_days``; and every landed copy of it
restricted     a record-level table: arrival of the delivery behind it + ``restricted_days``
both           at the latest the agreement's last day + ``after_end_days``
linked         exact counts: the same arrival + ``linked_days``; tables of indicators made from what
               is due go with it, and are made again without it
published      a release: the day it stands at + ``published_days`` of the strictest agreement
quarantine     everything of a withdrawn agreement: day of withdrawal + ``after_withdrawal_days``
=============  =====================================================================================

What is due on a day is to be gone that day. Open licences set no clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from declarations.agreements import Agreement, Retention
from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from governance.lifecycle.holdings import (
    QUARANTINE,
    Known,
    Partition,
    deliveries,
    derived_tables,
    files_below,
    landed_copies,
    partitions,
    release_at,
    releases,
    rows_read,
    version_behind,
)
from governance.lifecycle.holds import Hold, active, covering
from governance.lifecycle.withdrawal import Withdrawal, withdrawn
from warehouse.key_ring import KeyRing

Kind = Literal["original", "landing", "partition", "derived", "release", "quarantine"]
_PREFIXES = ("admitted_", "located_", "counts_", "statistics_")


@dataclass(frozen=True)
class Due:
    """One thing that is due, or will be.

    Attributes
    ----------
    kind : {"original", "landing", "partition", "derived", "release", "quarantine"}
    what : str
        In words: table, or original, with its month.
    zone : str
        Zone of the agreement's retention, or ``quarantine``.
    agreements : tuple of str
        Under which it was held.
    clause : str
        The key of the agreement that decides.
    source_id, period : str
        Empty where it is of several.
    version : int
        Of the delivery behind it; 0 where there is none.
    due_on : datetime.date
    files : tuple of Path
        What is to go, below the region's folder.
    landed : tuple of Path
        Copies in the landing folder, which may lie elsewhere.
    bytes : int
    rows : int or None
        None where nobody counted them.
    as_sent : str
        SHA-256 of the delivery as it was sent; empty for anything but an original.
    hold : Hold or None
        The legal hold that stops it.
    """

    kind: Kind
    what: str
    zone: str
    agreements: tuple[str, ...]
    clause: str
    source_id: str
    period: str
    version: int
    due_on: dt.date
    files: tuple[Path, ...]
    landed: tuple[Path, ...] = ()
    bytes: int = 0
    rows: int | None = None
    as_sent: str = ""
    sent_bytes: int = 0
    hold: Hold | None = None


def due(
    declared: RegionDeclarations, root: Path, today: dt.date, *, landing: Path | None = None,
    keys: KeyRing | None = None,
) -> list[Due]:  # fmt: skip
    """Return everything that is due on a day, the oldest first.

    Parameters
    ----------
    root : Path
        The region's data folder.
    today : datetime.date
        The day of the region's calendar.
    landing : Path, optional
        The landing folder, to find plain copies of what is due.
    keys : KeyRing, optional
        To tell whether a hold was lifted by the platform; needed by whoever disposes of anything.
    """
    found = clocks(declared, root, landing=landing, keys=keys)
    return [item for item in found if item.due_on <= today]


def clocks(
    declared: RegionDeclarations, root: Path, *, landing: Path | None = None,
    keys: KeyRing | None = None,
) -> list[Due]:  # fmt: skip
    """Return everything that has a clock, with the day on which it is due, the oldest first."""
    gone = withdrawn(root)
    found: list[Due] = []
    for source in declared.sources.values():
        agreement = declared.agreement_of(source)
        if agreement.retention is not None and agreement.id not in gone:
            found.extend(_of_source(root, source, agreement, agreement.retention, landing))
    found = _twins_together(found)
    found.extend(_derived(declared, root, found))
    found.extend(_releases(declared, root, gone))
    for record in gone.values():
        found.extend(_quarantine(root, record))
    holds = active(root, keys)
    held = [replace(item, hold=_hold_on(item, holds, declared, root)) for item in found]
    return sorted(held, key=lambda d: (d.due_on, d.zone, d.what))


def earliest(agreement: Agreement, retention: Retention, zone: str, arrived: dt.date) -> tuple[
    dt.date, str
]:  # fmt: skip
    """Return when something of a zone is due and the clause that decides.

    Parameters
    ----------
    zone : {"received", "restricted", "linked"}
    arrived : datetime.date
        Arrival of the delivery behind it.
    """
    days = {
        "received": retention.received_days,
        "restricted": retention.restricted_days,
        "linked": retention.linked_days,
    }[zone]
    own = arrived + dt.timedelta(days=days)
    if zone == "linked" or agreement.expiry_date is None:
        return own, f"retention.{zone}_days"
    end = agreement.expiry_date + dt.timedelta(days=retention.after_end_days)
    return (end, "retention.after_end_days") if end < own else (own, f"retention.{zone}_days")


def _of_source(
    root: Path, source: Source, agreement: Agreement, retention: Retention, landing: Path | None
) -> Iterator[Due]:
    known = deliveries(root, source.id)
    for delivery in known:
        day, clause = earliest(agreement, retention, "received", delivery.arrived_on)
        copies = tuple(landed_copies(landing, source, delivery.sha256, delivery.bytes))
        files = (delivery.original,) if delivery.original is not None else ()
        if not files and not copies:
            continue
        name = f"original of {source.id} {delivery.period} version {delivery.version}"
        yield Due(
            kind="original" if files else "landing",
            what=name if files else f"landed copy of the {name}",
            zone="received",
            agreements=(agreement.id,),
            clause=clause,
            source_id=source.id,
            period=delivery.period,
            version=delivery.version,
            due_on=day,
            files=files,
            landed=copies,
            bytes=_size(files) + _size(copies),
            rows=rows_read(root, source.id, delivery.period, delivery.version),
            as_sent=delivery.sha256,
            sent_bytes=delivery.bytes,
        )
    for partition in partitions(root, source.id):
        behind = _behind(root, partition, known)
        day, clause = earliest(agreement, retention, partition.zone, behind[1])
        yield Due(
            kind="partition",
            what=f"{partition.table} {partition.period}",
            zone=partition.zone,
            agreements=(agreement.id,),
            clause=clause,
            source_id=source.id,
            period=partition.period,
            version=behind[0],
            due_on=day,
            files=(partition.path,),
            bytes=_size((partition.path,)),
            rows=partition.rows,
        )


def _behind(root: Path, partition: Partition, known: list[Known]) -> tuple[int, dt.date]:
    """Return version and arrival of the newest delivery behind a table's month.

    Where no record tells, the newest accepted one; and where there is none either, the day the
    file was written.
    """
    of_month = [d for d in known if d.period == partition.period]
    version = version_behind(root, partition.source_id, partition.period)
    chosen = [d for d in of_month if d.version == version] or of_month[-1:]
    if chosen:
        return chosen[0].version, chosen[0].arrived_on
    written = dt.datetime.fromtimestamp(partition.path.stat().st_mtime, tz=dt.UTC).date()
    return 0, written


def _twins_together(found: list[Due]) -> list[Due]:
    """Give the same bytes, sent twice under one agreement, one clock: the one that ends first."""
    first: dict[tuple[tuple[str, ...], str], Due] = {}
    for item in found:
        key = (item.agreements, item.as_sent)
        if item.as_sent and (key not in first or item.due_on < first[key].due_on):
            first[key] = item
    return [
        replace(item, due_on=first[item.agreements, item.as_sent].due_on) if item.as_sent else item
        for item in found
    ]


def _derived(declared: RegionDeclarations, root: Path, found: list[Due]) -> Iterator[Due]:
    """Yield the tables of indicators, each due with the first of the counts it was made from."""
    linked: dict[str, Due] = {}
    for item in found:
        earlier = linked.get(item.source_id)
        if item.zone == "linked" and (earlier is None or item.due_on < earlier.due_on):
            linked[item.source_id] = item
    tables: dict[Path, list[Due]] = {}
    for source_id, item in linked.items():
        for path in derived_tables(declared, root, {source_id}):
            tables.setdefault(path, []).append(item)
    for path, items in sorted(tables.items()):
        first = min(items, key=lambda d: d.due_on)
        yield Due(
            kind="derived",
            what=f"{path.parent.name} (made again without what is due)",
            zone=path.relative_to(root).parts[0],
            agreements=tuple(sorted({a for i in items for a in i.agreements})),
            clause=first.clause,
            source_id="",
            period=path.stem,
            version=0,
            due_on=first.due_on,
            files=(path,),
            bytes=_size((path,)),
        )


def _releases(
    declared: RegionDeclarations, root: Path, gone: dict[str, Withdrawal]
) -> Iterator[Due]:
    for release in releases(root):
        days = {
            a: declared.agreements[a].retention.published_days  # type: ignore[union-attr]
            for a in release.agreements
            if a in declared.agreements
            and a not in gone
            and declared.agreements[a].retention is not None
        }
        limits = {a: d for a, d in days.items() if d is not None}
        if not limits or release.as_of is None:
            continue
        strictest = min(limits, key=lambda a: limits[a])
        files = tuple(files_below(release.folder))
        yield Due(
            kind="release",
            what=f"release {release.folder.name}",
            zone="published",
            agreements=(strictest,),
            clause="retention.published_days",
            source_id="",
            period="",
            version=0,
            due_on=release.as_of + dt.timedelta(days=limits[strictest]),
            files=files,
            bytes=_size(files),
        )


def _quarantine(root: Path, record: Withdrawal) -> Iterator[Due]:
    """Yield what a withdrawn agreement left, by source, and what was made from several as one."""
    home = root / QUARANTINE / record.agreement
    groups: dict[str, list[Path]] = {}
    for path in files_below(home) if home.is_dir() else ():
        groups.setdefault(_source_in(path.relative_to(home).parts), []).append(path)
    for source_id, files in sorted(groups.items()):
        of = source_id or "tables, candidates and releases made from it"
        yield Due(
            kind="quarantine",
            what=f"quarantine of {record.agreement}: {of}",
            zone=QUARANTINE,
            agreements=(record.agreement,),
            clause="retention.after_withdrawal_days",
            source_id=source_id,
            period="",
            version=0,
            due_on=record.dispose_on,
            files=tuple(files),
            bytes=_size(files),
        )


def _source_in(parts: tuple[str, ...]) -> str:
    """Return the source a quarantined file is of, by its place; '' where it is of several."""
    if parts[0] in ("received", "landing"):
        return parts[1]
    prefix = next((p for p in _PREFIXES if len(parts) > 1 and parts[1].startswith(p)), "")
    return parts[1].removeprefix(prefix) if prefix else ""


def _hold_on(item: Due, holds: list[Hold], declared: RegionDeclarations, root: Path) -> Hold | None:
    if not holds or item.kind == "derived":
        # What is made from counts that are held is made again from them.
        return None
    if item.kind == "release":
        lineage = release_at(root / "published" / item.what.removeprefix("release ")).lineage
        return next(
            (h for a, s, p in sorted(lineage) if (h := covering(holds, (a,), (s,), (p,)))), None
        )
    sources = [item.source_id]
    if item.kind == "quarantine" and not item.source_id:
        sources = [s.id for s in declared.sources.values() if s.agreement in item.agreements]
    return covering(holds, item.agreements, sources, (item.period,) if item.period else ())


def _size(files: Iterable[Path]) -> int:
    return sum(path.lstat().st_size for path in files)
