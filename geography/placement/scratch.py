"""Temporary tables that are gone when the work is done.

Belongs here: making, filling and dropping them. Does not belong here: what is in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geography.sql import ident

if TYPE_CHECKING:
    from types import TracebackType

    import duckdb


class Scratch:
    """Temporary tables of one call, dropped at its end whatever happens.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Where they are made.
    name : str
        Part of their names, so that two calls on one connection keep apart.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        self._con = con
        self._prefix = f"_placing_{name}_"
        self._made: list[str] = []

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in self._made:
            self._con.execute(f"DROP TABLE IF EXISTS {ident(name)}")

    def table(self, name: str, query: str) -> str:
        """Make a temporary table from a query; return its name."""
        full = self._prefix + name
        self._made.append(full)
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE {ident(full)} AS {query}")
        return full

    def insert(self, table: str, batch: Any) -> None:
        """Append an Arrow table, column by position, to one of the temporary tables."""
        name = f"{table}_batch"
        self._con.register(name, batch)
        try:
            self._con.execute(f"INSERT INTO {ident(table)} SELECT * FROM {ident(name)}")
        finally:
            self._con.unregister(name)
