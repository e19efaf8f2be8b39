"""What is looked at in a delivery's values before any of them is stored: free text, identifiers.

Belongs here: carrying out what the gate decided about free text, and holding back a column that
turns out to hold identifiers. Does not belong here: the rules (``governance/redaction/``,
``governance/leaks.py``), or the order of the steps (``admission.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.agreements import Agreement
from declarations.contracts import Contract, Source
from governance.gate import GateDecision, without_redaction
from governance.leaks import find_leaks
from warehouse.connection import run
from warehouse.sql import ident

if TYPE_CHECKING:
    import datetime as dt

    import duckdb


def redact_free_text(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    decision: GateDecision,
    agreement: Agreement,
    source: Source,
) -> tuple[GateDecision, dict[str, int]]:
    """Redact every column of free text that the gate let in, in the table itself.

    A column whose identifiers are not found as surely as the agreement asks for is dropped.

    Parameters
    ----------
    table : str
        Name of the table of the delivery, typed and not yet stored.

    Returns
    -------
    GateDecision
        With the columns dropped that could not be redacted well enough.
    dict of str to int
        Identifiers taken out, by column.
    """
    if not decision.redact:
        return decision, {}
    from governance.redaction.columns import decide_free_text, redact_table_column  # noqa: PLC0415
    from governance.redaction.engine import Redactor  # noqa: PLC0415 - heavy

    agreed = agreement.source(source.id)
    asked = {c.name: c.redaction for c in agreed.columns} if agreed else {}
    redactor = Redactor()
    taken: dict[str, int] = {}
    for column in decision.redact:
        redaction = asked.get(column)
        verdict = decide_free_text(redaction.minimum_recall if redaction else 1.0)
        if verdict.action == "drop":
            decision = without_redaction(decision, column, verdict.reason)
            run(connection, f"ALTER TABLE {ident(table)} DROP COLUMN {ident(column)}", table=table)
            continue
        report = redact_table_column(connection, table, column, redactor)
        taken[column] = sum(report.findings.values())
    return decision, taken


def identifiers_found(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    decision: GateDecision,
    agreement: Agreement,
    contract: Contract,
    *,
    today: dt.date,
) -> tuple[str, ...]:
    """Say which columns about to be stored hold what looks like identifiers.

    Columns that place a record are let in by the agreement and gone from the next table on. In a
    category that is counted one identifier is too many: its values stand in the exact counts.
    Published data and reference tables are not looked at: a directory of postcodes is one.

    Returns
    -------
    tuple of str
        In words, by column and kind; never a value. Empty if there is none.
    """
    if agreement.kind == "open_licence" or contract.kind == "reference":
        return ()
    leaks = find_leaks(
        connection, ident(table), contract.id, exempt={"record_id", *decision.generalise},
        strict={c.category for c in contract.counts if c.category}, today=today,
    )  # fmt: skip
    return tuple(leak.in_words() for leak in leaks)
