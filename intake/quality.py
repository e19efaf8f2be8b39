"""The quality tables: what arrived, what was decided, what failed, what was placed.

Belongs here: gathering what the stages recorded into Parquet tables, so that quality itself can be
queried. Exact, for the data team and the officer; no value of a record is in them.
Does not belong here: the pages made from them (``publishing/``), or measuring boundaries
(``boundary_quality.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from declarations.base import last_day
from declarations.contracts import Source
from declarations.declared import digest
from intake.accounting import differences
from intake.arrival import store_of
from intake.boundary_quality import boundaries_fingerprint, boundary_rows
from intake.records import all_records, read_record
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

TABLES = ("deliveries", "decisions", "checks", "accounting", "vintages")
"""Those made from what the stages recorded; ``boundaries`` is measured."""

INTEGERS = frozenset(
    {"version", "bytes", "days_late", "rows_read", "rows_filtered", "rows_broken", "rows_formula",
     "rows_duplicate", "rows_kept", "rows_checked", "rows_failed", "amount", "checked", "faults",
     "outside", "left_out", "only_2011", "only_2021", "both", "unknown"}
)  # fmt: skip
BOOLEANS = frozenset({"protected"})
DOUBLES = frozenset({"share", "lower_ci", "upper_ci", "area_m2", "width_m", "confidence"})
COLUMNS = {
    "deliveries": ("source_id", "period", "version", "file_name", "sha256", "bytes", "arrived_on",
                   "outcome", "reason", "message", "days_late"),
    "decisions": ("source_id", "period", "version", "decision", "reasons", "message", "clause",
                  "agreement_id", "agreement_version", "columns_kept", "columns_dropped",
                  "columns_redacted", "columns_undeclared", "rows_read", "rows_filtered",
                  "rows_broken", "rows_formula", "rows_duplicate", "rows_kept"),
    "checks": ("source_id", "period", "version", "check_id", "expectation", "column_name",
               "severity", "outcome", "rows_checked", "rows_failed", "meaning"),
    "accounting": ("source_id", "agency", "period", "quantity", "outcome", "detail", "amount",
                   "amount_status", "protected"),
    "vintages": ("source_id", "period", "vintage", "confidence", "only_2011", "only_2021", "both",
                 "unknown"),
    "boundaries": ("source_id", "check_id", "area_code", "area_name", "other_code", "outcome",
                   "checked", "faults", "outside", "left_out", "share", "lower_ci", "upper_ci",
                   "area_m2", "width_m", "meaning"),
}  # fmt: skip


def quality_table(name: str) -> TableRef:
    """Return one of the quality tables."""
    return TableRef("quality", f"quality_{name}")


def vintage_rows(workspace: Workspace) -> list[dict[str, Any]]:
    """Return of which census year the codes of each delivery are, as the stages recorded it."""
    return _vintages(all_records(workspace, "accounting"))


def _vintages(recorded: Iterable[tuple[str, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [
        {"source_id": source_id, "period": period, **record["vintage"]}
        for source_id, period, record in recorded
        if record["vintage"] is not None
    ]


def quality_rows(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the tables, as the stages recorded them and the boundaries measured."""
    declared = workspace.declared.sources
    deliveries = [d.as_row() for d in store_of(workspace).deliveries() if d.source_id in declared]
    decisions: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    for _, _, record in all_records(workspace, "decisions"):
        decisions.extend(record["decisions"])
        checks.extend(record["checks"])
    accounting: list[dict[str, Any]] = []
    recorded = list(all_records(workspace, "accounting"))
    for _, _, record in recorded:
        accounting.extend(record["rows"])
    return {
        "deliveries": deliveries, "decisions": decisions, "checks": checks,
        "accounting": accounting, "vintages": _vintages(recorded),
        "boundaries": _measured_boundaries(workspace),
    }  # fmt: skip


def _measured_boundaries(workspace: Workspace) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = workspace.lake.path(quality_table("boundaries"))
    return pq.read_table(path).to_pylist() if path.is_file() else []


def as_arrow(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows as a typed Arrow table, sorted, with exactly the table's columns."""
    import pyarrow as pa  # noqa: PLC0415

    fields = []
    for column in COLUMNS[name]:
        if column in INTEGERS:
            kind = pa.int64()
        elif column in DOUBLES:
            kind = pa.float64()
        elif column in BOOLEANS:
            kind = pa.bool_()
        elif column == "arrived_on":
            kind = pa.date32()
        else:
            kind = pa.string()
        fields.append(pa.field(column, kind))
    table = pa.table(
        {c: [row.get(c) for row in rows] for c in COLUMNS[name]}, schema=pa.schema(fields)
    )
    keys = [c for c in COLUMNS[name] if c not in INTEGERS and c != "message"]
    return table.sort_by([(c, "ascending") for c in keys])


def build_quality(workspace: Workspace) -> list[Built]:
    """Write the quality tables, those that changed."""
    built = [_build_boundaries(workspace)]
    found = quality_rows(workspace)
    for name in TABLES:
        table = as_arrow(name, found[name])
        content = fingerprint(
            ["quality", name, workspace.code_version, digest(workspace.declared.region)],
            [repr(row) for row in table.to_pylist()],
        )

        def produce(connection: duckdb.DuckDBPyConnection, rows: pa.Table = table) -> str:
            connection.register("quality_rows", rows)
            return "SELECT * FROM quality_rows"

        built.append(workspace.build(quality_table(name), fingerprint=content, produce=produce))
    return built


def _build_boundaries(workspace: Workspace) -> Built:
    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        rows = boundary_rows(workspace, connection)
        if rows is None:
            return Absent("the region has no areas yet")
        connection.register("boundary_rows", as_arrow("boundaries", rows))
        return "SELECT * FROM boundary_rows"

    return workspace.build(
        quality_table("boundaries"), fingerprint=boundaries_fingerprint(workspace), produce=produce
    )


def due_on(workspace: Workspace, source: Source, period: str) -> dt.date:
    """Return the day a delivery is due: ``due_days`` after the last day of its period."""
    return last_day(period) + dt.timedelta(days=source.due_days)


def missing_periods(workspace: Workspace, source: Source) -> list[str]:
    """Return the periods whose delivery is overdue and never arrived."""
    today = workspace.today()
    arrived = {d.period for d in store_of(workspace).deliveries(source) if d.outcome == "accepted"}
    if source.cadence == "once":
        return [] if arrived else ["all"]
    return [
        p
        for p in workspace.expected_periods(source)
        if p not in arrived and due_on(workspace, source, p) < today
    ]


def open_accounts(
    workspace: Workspace, source: Source, periods: list[str]
) -> tuple[int, list[str]]:
    """Return how many accounts a source has, and those in which the sums do not close.

    An account is one period and quantity, see ``accounting.py``.
    """
    count = 0
    unclosed: list[str] = []
    for period in periods:
        record = read_record(workspace, "accounting", source.id, period)
        found = differences(record["rows"] if record else [])
        count += len(found)
        unclosed.extend(
            f"{period} {quantity}" for (_, _, quantity), rest in sorted(found.items()) if rest
        )
    return count, unclosed
