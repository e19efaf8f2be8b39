"""Tables whose inputs were disposed of, as agreed: when they stay as they stand.

Belongs here: the one rule by which a stage neither makes such a table again nor counts it as
absent. Does not belong here: disposal itself (``governance/lifecycle/disposal.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

from declarations.contracts import Source
from governance.lifecycle.holdings import version_behind
from governance.lifecycle.marks import disposed, disposed_on, words
from intake.arrival import accepted, store_of
from intake.records import read_record
from warehouse.lake import TableRef
from warehouse.workspace import Kept, Workspace


def kept_after_disposal(
    workspace: Workspace, table: TableRef, made_from: TableRef, source: Source, period: str
) -> Kept | None:
    """Return why a table stays as it stands, or None where it is made as ever.

    Parameters
    ----------
    table : TableRef
        What is to be made: of the zone restricted or linked.
    made_from : TableRef
        The record-level table it is made from.

    Notes
    -----
    It stays where its input was disposed of, so that it cannot be made again, or where it was
    disposed of itself, so that it must not be; until a later delivery of the month is admitted. A
    refusal of the gate goes before: then nothing stays.
    """
    gone = disposed(workspace.root, source.id, period)
    if table.zone not in gone and "restricted" not in gone:
        return None
    if table.zone not in gone and workspace.lake.path(made_from, period).is_file():
        return None
    if _refused(workspace, source, period):
        return None
    return Kept(words(workspace.root, source.id, period))


def kept_with_earlier_gone(
    workspace: Workspace, table: TableRef, source: Source, period: str, earlier: Iterable[str]
) -> Kept | None:
    """Return why counts stay that were made with an earlier month whose records are gone.

    Made again they would be made with less. So they stay, until a delivery of their own month is
    admitted that arrived after the disposal: those counts are made with what there is.

    Parameters
    ----------
    table : TableRef
        The counts.
    earlier : iterable of str
        Months whose records they are made with, where they are there.
    """
    if not workspace.lake.path(table, period).is_file() or _refused(workspace, source, period):
        return None
    gone = {p: disposed_on(workspace.root, source.id, p, "restricted") for p in earlier}
    days = {p: day for p, day in gone.items() if day is not None}
    if not days:
        return None
    version = version_behind(workspace.root, source.id, period)
    arrived = [
        d.arrived_on for d in accepted(store_of(workspace), source, period) if d.version == version
    ]
    if not arrived or arrived[0] > max(days.values()):
        return None
    return Kept(words(workspace.root, source.id, max(days)))


def _refused(workspace: Workspace, source: Source, period: str) -> bool:
    record = read_record(workspace, "decisions", source.id, period) or {}
    taken = [row["decision"] for row in record.get("decisions", [])]
    return "refused" in taken and not {"admitted", "trimmed"} & set(taken)
