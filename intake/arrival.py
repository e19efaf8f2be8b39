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
from intake.originals import Sealing
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
    """Return the region's store of originals: sealed, except those of an open licence."""
    declared = workspace.declared
    sealing = Sealing(
        workspace.keys,
        workspace.spill,
        declared.region.id,
        {source.id: source.agreement for source in declared.sources.values()},
        frozenset(source for source, is_open in declared.is_open.items() if is_open),
    )
    return ReceivedStore(workspace.root / "received", sealing=sealing)


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
    workspace: Workspace,
    source: Source,
    store: ReceivedStore | None = None,
    *,
    remove_landed: bool | None = None,
) -> Arrivals:
    """Take in everything new in a source's folder.

    Parameters
    ----------
    remove_landed : bool, optional
        Remove from the landing folder what is safe in the store; by default as the region declares
        with ``landing_after_receipt``. Published files are never removed.

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
    if remove_landed is None:
        remove_landed = region.landing_after_receipt == "remove"
    remove_landed = remove_landed and source.open_data is None
    store.seal_plain(source)
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
        is_known = store.is_known(file, source)
        # What was taken in before the region began to remove it is looked at once more, and goes.
        left_over = remove_landed and not file.path.is_symlink()
        if is_known and not (left_over and not store.stays(file, source)):
            known += 1
            continue
        arrived_on = arrival_date(workspace, file.path)
        delivery = store.receive(file, source, arrived_on, remove_landed=remove_landed)
        if is_known:
            known += 1
        else:
            new.append(delivery)
    return Arrivals(tuple(new), known)


def accepted(store: ReceivedStore, source: Source, period: str) -> list[Delivery]:
    """Return the accepted deliveries of a source and period, newest version first.

    Parameters
    ----------
    period : str
        ``YYYY-MM``, or ``all`` for a source delivered once.
    """
    wanted = "" if source.cadence == "once" else period
    return store.versions(source, wanted)[::-1]


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
