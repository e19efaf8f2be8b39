"""Bring the tables of a release to their declared columns, types and order, or refuse them.

Belongs here: the last look at a table before it is written, and at a candidate before anybody
approves it: only declared columns, unique keys, nothing shown that is marked hidden, no identifier.
Does not belong here: protecting (``governance/``).
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from declarations.errors import DisclosureError, StorageError
from governance.leaks import published_leaks
from publishing.dictionary import RELEASE_TABLES
from publishing.dictionary_model import Table

if TYPE_CHECKING:
    import pyarrow as pa

HIDDEN_COLUMNS = {
    "observations": ("value_status", ("value", "lower_ci", "upper_ci")),
    "combined_observations": ("value_status", ("value", "lower_ci", "upper_ci")),
    "accounting": ("amount_status", ("amount",)),
}


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a declared table."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    types = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
    }
    return pa.schema([pa.field(c.name, types[c.type]) for c in table.columns])


def conform(data: pa.Table, table: Table) -> pa.Table:
    """Return ``data`` with exactly the declared columns and types, sorted by its key.

    Raises
    ------
    StorageError
        If a column is missing, cannot take its declared type, or the key is null or repeated.
    DisclosureError
        If a column is not declared, or a figure marked ``[c]`` is filled in.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    missing = [c for c in table.column_names if c not in data.column_names]
    if missing:
        raise StorageError(
            f"Table {table.name} of the release lacks {', '.join(missing)}",
            "Correct the step that makes the table",
        )
    undeclared = sorted(set(data.column_names) - set(table.column_names))
    if undeclared:
        raise DisclosureError(
            f"Table {table.name} of the release holds {len(undeclared)} undeclared column(s)",
            "Publish only what publishing/dictionary.py declares",
        )
    try:
        shaped = data.select(table.column_names).cast(arrow_schema(table)).combine_chunks()
    except pa.ArrowInvalid:
        # Arrow's own text quotes the cell, so it goes no further.
        raise StorageError(
            f"Table {table.name} of the release has a column of the wrong type",
            "Correct the step that makes the table",
        ) from None
    if not table.repeats:
        _check_key(shaped, table)
    _check_hidden(shaped, table)
    return shaped.sort_by([(k, "ascending") for k in table.key])


def _check_key(data: pa.Table, table: Table) -> None:
    empty = [k for k in table.key if data.column(k).null_count]
    if empty:
        raise StorageError(
            f"Table {table.name} of the release has rows without {', '.join(empty)}",
            "Correct the step that makes the table",
        )
    distinct = data.group_by(list(table.key)).aggregate([]).num_rows
    if distinct != data.num_rows:
        raise StorageError(
            f"Table {table.name} of the release has {data.num_rows - distinct} row(s) whose key "
            f"({', '.join(table.key)}) is repeated",
            "Correct the step that makes the table",
        )


def _check_hidden(data: pa.Table, table: Table) -> None:
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    if table.name not in HIDDEN_COLUMNS:
        return
    status, columns = HIDDEN_COLUMNS[table.name]
    hidden = data.filter(pc.match_substring(data.column(status), "[c]"))
    shown = [c for c in columns if hidden.column(c).null_count < hidden.num_rows]
    if shown:
        raise DisclosureError(
            f"Table {table.name} fills {', '.join(shown)} in rows that {status} marks as hidden",
            "Apply the disclosure profile again; nothing was published",
        )


def conform_all(
    tables: Mapping[str, pa.Table], declared: Mapping[str, Table] = RELEASE_TABLES
) -> dict[str, pa.Table]:
    """Conform every declared table, in the dictionary's order.

    Raises
    ------
    StorageError
        If a table is missing.
    """
    missing = [name for name in declared if name not in tables]
    if missing:
        raise StorageError(
            f"The release lacks the table(s) {', '.join(missing)}",
            "Run the steps that make them",
        )
    return {name: conform(tables[name], table) for name, table in declared.items()}


def refuse_identifiers(candidate: Path, today: dt.date) -> None:
    """Stop if a column of a candidate holds what looks like identifiers of people or addresses.

    Raises
    ------
    DisclosureError
        Naming table, column and kind. The candidate is removed: nobody is to approve it.
    """
    leaks = published_leaks(candidate, today=today)
    if leaks:
        shutil.rmtree(candidate)
        raise DisclosureError(
            f"The release was not made: {leaks[0].in_words()}",
            "Correct the declaration or the source the column comes from, and run again",
        )
