"""The analyst's DuckDB file: the release tables with a comment on every table, view and column.

Belongs here: building the file under a temporary name and putting it in place whole.
Does not belong here: the engine's working connections (``warehouse/``): this file is written once
and from then on only opened read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from publishing.dictionary import RELEASE_TABLES
from publishing.dictionary_model import Column, Table
from publishing.views import VIEWS
from warehouse.connection import STORAGE_VERSION
from warehouse.sql import ident, literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ABOUT_COLUMNS = (("fact", "Name of the fact."), ("value", "What it is."))


def _column_comment(column: Column) -> str:
    return f"{column.description} Unit: {column.unit}." if column.unit else column.description


def _create(con: duckdb.DuckDBPyConnection, table: Table, mark: str) -> None:
    columns = ", ".join(
        f"{ident(c.name)} {c.type}{' NOT NULL' if c.name in table.key else ''}"
        for c in table.columns
    )
    name = ident(table.name)
    con.execute(f"CREATE TABLE {name} ({columns})")
    con.execute(f"COMMENT ON TABLE {name} IS {literal(table.description + mark)}")
    for column in table.columns:
        con.execute(
            f"COMMENT ON COLUMN {name}.{ident(column.name)} IS {literal(_column_comment(column))}"
        )


def _create_view(
    con: duckdb.DuckDBPyConnection,
    name: str,
    sql: str,
    description: str,
    columns: tuple[tuple[str, str], ...],
) -> None:
    con.execute(f"CREATE VIEW {ident(name)} AS {sql}")
    con.execute(f"COMMENT ON VIEW {ident(name)} IS {literal(description)}")
    for column, text in columns:
        con.execute(f"COMMENT ON COLUMN {ident(name)}.{ident(column)} IS {literal(text)}")


def write_duckdb(
    path: Path, tables: Mapping[str, pa.Table], about: Mapping[str, str], synthetic: str
) -> None:
    """Write the DuckDB file of a release.

    Parameters
    ----------
    path : Path
        The file; it appears only when it is whole.
    tables : mapping of str to pyarrow.Table
        Conformed tables by name; rows are stored in their order.
    about : mapping of str to str
        Facts of the release, shown by the view ``about``.
    synthetic : str
        Words that mark synthetic data, added to every table's comment; '' for real data.
    """
    import duckdb  # noqa: PLC0415 - heavy

    mark = f" {synthetic}" if synthetic else ""
    building = path.with_name(f".{path.name}.building")
    building.unlink(missing_ok=True)
    # One thread, so that rows lie in the order given.
    with duckdb.connect(
        ":memory:",
        config={"threads": 1, "autoinstall_known_extensions": False},
    ) as con:
        con.execute(
            f"ATTACH {literal(str(building))} AS release (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        con.execute("USE release")
        for name, data in tables.items():
            _create(con, RELEASE_TABLES[name], mark)
            con.register("incoming", data)
            con.execute(f"INSERT INTO {ident(name)} SELECT * FROM incoming")
            con.unregister("incoming")
        for view in VIEWS.values():
            _create_view(con, view.name, view.sql, view.description + mark, view.columns)
        facts = ", ".join(f"({literal(k)}, {literal(v)})" for k, v in about.items())
        _create_view(
            con,
            "about",
            f"SELECT * FROM (VALUES {facts}) AS facts(fact, value)",
            f"What this release is and where it comes from.{mark}",
            ABOUT_COLUMNS,
        )
        con.execute("CHECKPOINT release")
        con.execute("USE memory")
        con.execute("DETACH release")
    building.replace(path)
