"""Tables whose inputs were disposed of, as agreed: when they stay as they stand.

Belongs here: the one rule by which a stage neither makes such a table again nor counts it as
absent. Does not belong here: disposal itself (``governance/lifecycle/disposal.py``).
"""

from __future__ import annotations

from declarations.contracts import Source
from governance.lifecycle.marks import disposed, words
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


def _refused(workspace: Workspace, source: Source, period: str) -> bool:
    record = read_record(workspace, "decisions", source.id, period) or {}
    taken = [row["decision"] for row in record.get("decisions", [])]
    return "refused" in taken and not {"admitted", "trimmed"} & set(taken)
