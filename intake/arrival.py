"""The first stage: what lies in the landing folder is taken into the store of originals.

Belongs here: which day a delivery is said to have arrived, and the walk over a source's folder.
Does not belong here: the store itself (``intake/received.py``) or any reading of content.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from declarations.contracts import Source
from intake.landing import discover
from intake.received import Delivery, ReceivedStore
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Arrivals:
    """What one look into a source's folder found.

    Attributes
    ----------
    new : tuple of Delivery
        Taken in, found to be duplicates, or refused, now.
    known : int
        Files that had been dealt with before.
    """

    new: tuple[Delivery, ...]
    known: int


def store_of(workspace: Workspace) -> ReceivedStore:
    """Return the region's store of originals."""
    return ReceivedStore(workspace.root / "received")


def arrival_date(workspace: Workspace, path: Path) -> dt.date:
    """Return the day a file counts as delivered.

    The day it is received; in a synthetic region with ``clock: file-times`` the file's own date,
    at most the region's today.
    """
    today = workspace.today()
    if workspace.declared.region.clock == "system":
        return today
    changed = dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC).date()
    return min(changed, today)


def receive_source(
    workspace: Workspace, source: Source, store: ReceivedStore | None = None
) -> Arrivals:
    """Take in everything new in a source's folder.

    Returns
    -------
    Arrivals

    Raises
    ------
    StorageError
        If the store cannot be written.
    ConfigurationError
        If the source reads from the open-data folder and none was given.
    """
    store = store or store_of(workspace)
    region = workspace.declared.region
    ends = [p for p in (region.last_period, source.last_period) if p is not None]
    found = discover(
        workspace.folder_of(source),
        source,
        region.first_period,
        min(ends, default=None),
        workspace.today(),
        workspace.declared.contract_of(source),
        shared=source.open_data is not None,
    )
    new, known = [], 0
    for file in found:
        if store.is_known(file, source):
            known += 1
        else:
            new.append(store.receive(file, source, arrival_date(workspace, file.path)))
    return Arrivals(tuple(new), known)


def accepted(store: ReceivedStore, source: Source, period: str) -> list[Delivery]:
    """Return the accepted deliveries of a source and period, newest version first.

    Parameters
    ----------
    period : str
        ``YYYY-MM``, or ``all`` for a source delivered once.
    """
    wanted = "" if source.cadence == "once" else period
    return sorted(
        (d for d in store.deliveries(source) if d.outcome == "accepted" and d.period == wanted),
        key=lambda d: -d.version,
    )


def earlier_twin(store: ReceivedStore, delivery: Delivery) -> str | None:
    """Return the earlier month whose newest delivery holds the same bytes, or None.

    A month's file sent again under another month's name must not be counted twice.
    """
    newest: dict[str, Delivery] = {}
    for other in store.deliveries(delivery.source_id):
        if other.outcome == "accepted" and other.period < delivery.period:
            known = newest.get(other.period)
            if known is None or known.version < other.version:
                newest[other.period] = other
    twins = [period for period, other in newest.items() if other.sha256 == delivery.sha256]
    return min(twins) if twins else None
