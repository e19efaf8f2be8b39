"""The areas of the made-up region, and a way to write its counts inline."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from testshire import AREAS, CountRow, Fill


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE areas (lsoa21cd VARCHAR, msoa21cd VARCHAR, lad24cd VARCHAR)")
    connection.executemany("INSERT INTO areas VALUES (?, ?, ?)", AREAS)
    yield connection
    connection.close()


@pytest.fixture
def fill(con: duckdb.DuckDBPyConnection) -> Fill:
    """Write the tables ``counts`` and ``admitted`` as given."""

    def write(rows: list[CountRow], admitted: list[tuple[str, str]]) -> None:
        con.execute(
            "CREATE OR REPLACE TABLE counts (source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR, "
            "lad24cd VARCHAR, measure VARCHAR, category VARCHAR, value BIGINT, "
            "estimated BOOLEAN DEFAULT false, geo_reason VARCHAR)"
        )
        if rows:
            con.executemany(
                "INSERT INTO counts (source_id, period, lsoa21cd, lad24cd, measure, category, "
                "value) VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
        con.execute("CREATE OR REPLACE TABLE admitted (source_id VARCHAR, period VARCHAR)")
        if admitted:
            con.executemany("INSERT INTO admitted VALUES (?, ?)", admitted)

    return write
