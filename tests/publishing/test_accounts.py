"""The wide accounts: sums a reader can check by eye."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from publishing.accounts import accounts_sql
from publishing.dictionary import ACCOUNTING
from publishing.views import VIEWS

Row = tuple[str, str, int | None]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return an empty table of accounts."""
    columns = ", ".join(f"{c.name} {c.type}" for c in ACCOUNTING.columns)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE accounting ({columns})")
        yield connection


def wide(con: duckdb.DuckDBPyConnection, rows: list[Row], *, protected: bool) -> dict[str, Any]:
    con.executemany(
        "INSERT INTO accounting VALUES ('s', 'Council', '2026-03', 'rows', ?, ?, ?, ?, ?)",
        [(*row, "[c]" if row[2] is None else None, protected) for row in rows],
    )
    (found,) = con.execute(accounts_sql()).to_arrow_table().to_pylist()
    return dict(found)


def test_open_data_closes_exactly(con: duckdb.DuckDBPyConnection) -> None:
    rows: list[Row] = [
        ("received", "all", 100), ("placed", "lsoa_code", 50), ("placed", "point", 20),
        ("apportioned", "lsoa11_code", 12), ("out of region", "out_of_region", 18),
    ]  # fmt: skip

    assert wide(con, rows, protected=False) == {
        "source_id": "s", "agency": "Council", "period": "2026-03", "quantity": "rows",
        "received": 100, "placed": 70, "apportioned": 12, "out_of_region": 18, "not_placed": 0,
        "closes": True, "hidden": 0,
    }  # fmt: skip


def test_what_does_not_close_is_said(con: duckdb.DuckDBPyConnection) -> None:
    found = wide(con, [("received", "all", 100), ("placed", "point", 99)], protected=False)

    assert found["closes"] is False


def test_protected_amounts_are_summed_as_shown_and_not_judged(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rows: list[Row] = [
        ("received", "all", 30), ("placed", "postcode_exact", 25),
        ("placed", "postcode_terminated", None), ("out of region", "all", None),
        ("not placed", "all", 5),
    ]  # fmt: skip

    found = wide(con, rows, protected=True)

    assert (found["received"], found["placed"], found["not_placed"]) == (30, 25, 5)
    # Hidden is not 0; where no row is, nothing can have been.
    assert (found["out_of_region"], found["apportioned"]) == (None, 0)
    assert (found["closes"], found["hidden"]) == (None, 2)


def test_accounts_are_kept_apart(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        INSERT INTO accounting VALUES
        ('s', 'Council', '2026-03', 'rows', 'received', 'all', 5, NULL, false),
        ('s', 'Council', '2026-04', 'rows', 'received', 'all', 6, NULL, false),
        ('s', 'Council', '2026-03', 'visits', 'received', 'all', 7, NULL, false),
        ('r', 'Council', '2026-03', 'rows', 'received', 'all', 8, NULL, false)""")

    rows = con.execute(f"SELECT received, closes FROM ({accounts_sql()})").fetchall()

    assert rows == [(8, False), (5, False), (7, False), (6, False)]


def test_the_view_describes_exactly_its_columns(con: duckdb.DuckDBPyConnection) -> None:
    view = VIEWS["v_accounting"]

    found = con.execute(view.sql).description or []

    assert [d[0] for d in found] == [name for name, _ in view.columns]
