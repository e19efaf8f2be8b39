"""Records that leave an agency pseudonymised: which columns travel, and the file they travel in.

Belongs here: what became of each column, and writing the data file from the tables the agency's own
run made. Does not belong here: the gate, the reading and the pseudonyms, which are those of
``admission.py``; or the package around the file (``packing.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from declarations.agreements import Agreement
from declarations.contracts import Contract, Source
from declarations.errors import StorageError
from intake.admission import admitted_table
from intake.location import located_table
from intake.packages import (
    KEPT,
    LEFT_BEHIND,
    PLACE_COLUMNS,
    PLACED_BY,
    PSEUDONYMISED,
    REDACTED,
    ROW_COLUMN,
    TRAVELLING,
)
from warehouse.connection import run
from warehouse.sql import ident, literal
from warehouse.workspace import Workspace


def fates_of(
    contract: Contract,
    agreement: Agreement,
    source: Source,
    decided: Mapping[str, Any],
    *,
    placed: bool,
) -> dict[str, str]:
    """Return what became of each column of the contract, and of what columns were coarsened to.

    Parameters
    ----------
    decided : mapping
        The delivery's row of the table ``decisions``.
    placed : bool
        The columns a record is placed by stay behind; its neighbourhood travels instead.
    """
    agreed = agreement.source(source.id)
    actions = {c.name: c.action for c in agreed.columns} if agreed else {}
    stored = set(str(decided["columns_kept"]).split(", "))
    where = contract.locate.columns if contract.locate else set()
    fates = {}
    for column in contract.columns:
        action = actions.get(column.name, "drop")
        if column.name not in stored or action == "drop":
            fates[column.name] = LEFT_BEHIND
        elif placed and column.name in where:
            fates[column.name] = PLACED_BY
        else:
            named = {"pseudonymise": PSEUDONYMISED, "redact": REDACTED}
            fates[column.name] = named.get(action, KEPT)
        if column.coarsen and column.coarsen.into in stored:
            fates[column.coarsen.into] = KEPT
    return fates


def write_records(
    workspace: Workspace,
    source: Source,
    period: str,
    fates: Mapping[str, str],
    into: Path,
    *,
    placed: bool,
) -> int:
    """Write the data file of a package of records; return how many rows it has.

    Parameters
    ----------
    period : str
        ``YYYY-MM``, or ``all`` for a source delivered once.
    fates : mapping
        From `fates_of`.

    Raises
    ------
    StorageError
        If the tables it is made from are not there.
    """
    table = located_table(source) if placed else admitted_table(source)
    names = [name for name, fate in fates.items() if fate in TRAVELLING]
    names += PLACE_COLUMNS if placed else []
    with workspace.connect(encryption=True) as connection:
        scan = workspace.lake.scan(table, [period])
        if scan is None:
            raise StorageError(f"The table {table.name} was not made", "Run the command again")
        order = "record_id, lsoa21cd" if placed else "record_id"
        chosen = ", ".join(map(ident, names))
        rows = run(
            connection,
            f"COPY (SELECT row_number() OVER (ORDER BY {order}) AS {ident(ROW_COLUMN)}, {chosen} "
            f"FROM {scan} ORDER BY 1) TO {literal(into)} (FORMAT csv, HEADER, NULLSTR '')",
            table=table.name,
        ).fetchone()
    return int(rows[0]) if rows else 0
