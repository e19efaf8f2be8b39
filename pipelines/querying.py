"""``lsoalink sql``: one reading question to the release or to the exact tables, and its log entry.

Belongs here: opening what may be asked so that nothing can be changed and no other file reached.
Does not belong here: what the tables are.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from declarations.errors import ConfigurationError
from governance.access import record_query
from governance.audit import AuditChain
from pipelines.console import out, say, show_table
from pipelines.inspecting import workspace_of
from pipelines.regions import open_region
from pipelines.running import current_release
from pipelines.settings import Settings
from pipelines.stewardship import no_release

if TYPE_CHECKING:
    import duckdb

    from warehouse.workspace import Workspace

INTERNAL_ZONES = ("linked", "quality", "reference")
"""Zones the data team may query; record-level tables are never among them."""
MAX_ROWS_SHOWN = 200


def run_query(query: str, name: str, settings: Settings, *, internal: bool, output: str) -> None:
    """Run a reading query on the release in force, or on the internal tables, and write it."""
    import duckdb  # noqa: PLC0415

    declared = open_region(name)
    workspace = workspace_of(declared, settings)
    with _open_for_reading(workspace, internal) as connection:
        try:
            statements = connection.extract_statements(query)
            if [s.type for s in statements] != [duckdb.StatementType.SELECT]:
                # Anything else might write: COPY may do so wherever reading is allowed.
                _log_query(workspace, query, internal=internal, refused="not a reading statement")
                raise ConfigurationError(
                    "The query could not be run: it is not one statement that only reads",
                    "Write one SELECT; a PIVOT needs its values listed with IN",
                )
            tables = _tables_of(connection, query)
            result = connection.execute(statements[0])
            headings = [column[0] for column in result.description or ()]
            rows = result.fetchall()
        except duckdb.Error as error:
            # What DuckDB says of a value it could not use quotes the value.
            quotes = isinstance(error, (duckdb.DataError, duckdb.OutOfRangeException))
            text = type(error).__name__ if quotes else str(error).splitlines()[0]
            _log_query(workspace, query, internal=internal, refused=type(error).__name__)
            raise ConfigurationError(
                f"The query could not be run: {text}",
                "'lsoalink sql \"SHOW ALL TABLES\"' lists what can be asked",
            ) from None
    _log_query(workspace, query, internal=internal, tables=tables, rows=len(rows))
    if output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(headings)
        writer.writerows(rows)
    elif output == "json":
        records = [dict(zip(headings, row, strict=True)) for row in rows]
        out.print_json(json.dumps(records, default=str))
    else:
        show_table("", headings, rows[:MAX_ROWS_SHOWN])
        if len(rows) > MAX_ROWS_SHOWN:
            say(f"… {len(rows) - MAX_ROWS_SHOWN:,} more rows; use --format csv for all of them")


def _tables_of(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    """Return the tables and views a query names, as it names them; none where it is no SELECT."""
    row = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    return set(_named(json.loads(row[0]))) if row else set()


def _named(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and node.get("table_name"):
            yield str(node["table_name"])
        for inner in node.values():
            yield from _named(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _named(inner)


def _log_query(
    workspace: Workspace,
    query: str,
    *,
    internal: bool,
    tables: Iterable[str] = (),
    rows: int | None = None,
    refused: str | None = None,
) -> None:
    """Enter a question into the audit chain; without an entry the exact tables give no answer.

    Somebody who may only read the release may not write the chain either: then the release is
    answered all the same, for it holds nothing that is not published.
    """
    try:
        record_query(
            AuditChain(workspace.root / "audit", workspace.keys), query, internal=internal,
            tables=tables, rows=rows, refused=refused,
        )  # fmt: skip
    except PermissionError:
        if internal:
            raise


def _open_for_reading(workspace: Workspace, internal: bool) -> duckdb.DuckDBPyConnection:
    """Open what may be asked; neither writing nor reading any other file is possible through it."""
    import duckdb  # noqa: PLC0415

    from warehouse.sql import file_literal, ident, literal  # noqa: PLC0415

    if not internal:
        _, folder = current_release(workspace)
        if folder is None:
            raise no_release(workspace)
        connection = duckdb.connect(
            str(folder / "lsoalink.duckdb"), read_only=True, config=_reading_config()
        )
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection
    connection = duckdb.connect(":memory:", config=_reading_config())
    counts: list[str] = []
    for zone in INTERNAL_ZONES:
        for folder in sorted((workspace.root / zone).glob("*")):
            if not any(folder.glob("*.parquet")):
                continue
            files = ", ".join(file_literal(f) for f in sorted(folder.glob("*.parquet")))
            scan = f"read_parquet([{files}])"
            connection.execute(f"CREATE VIEW {ident(folder.name)} AS SELECT * FROM {scan}")
            if folder.name.startswith("counts_"):
                counts.append(folder.name)
    if counts:
        union = " UNION ALL ".join(f"FROM {ident(name)}" for name in counts)
        connection.execute(f"CREATE VIEW counts AS {union}")
    zones = ", ".join(literal(f"{(workspace.root / z).absolute()}/") for z in INTERNAL_ZONES)
    connection.execute(f"SET allowed_directories = [{zones}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _reading_config() -> dict[str, str | bool | int | float | list[str]]:
    """Bound what a query may use: no spilling, no extension from outside, the usual memory."""
    from warehouse.connection import limits_from_environment  # noqa: PLC0415

    limits = limits_from_environment()
    return {
        "memory_limit": limits.memory,
        "threads": limits.threads,
        "temp_directory": "",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
