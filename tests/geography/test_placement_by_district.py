"""What is known by its district alone, as tables: the record, and where it counts."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from declarations.errors import GeographyError
from geography.placement import PlacementKeys, Reference, place

A, B, ELSEWHERE = "E01990001", "E01990002", "E01000001"
NORTH, SOUTH = "E08990001", "E08990002"
REFERENCE = Reference(areas="areas", known_lsoa21="known")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE areas AS SELECT * FROM (VALUES ('{A}', '{NORTH}'), ('{B}', '{SOUTH}')) "
            "t(lsoa21cd, lad24cd)"
        )
        connection.execute(
            f"CREATE TABLE known AS SELECT unnest(['{A}', '{B}', '{ELSEWHERE}']) AS lsoa21cd"
        )
        yield connection


def placed(
    con: duckdb.DuckDBPyConnection, rows: list[tuple[str | None, str | None, int]], by: str
) -> list[tuple[str | None, str | None, str | None]]:
    con.execute(
        "CREATE TABLE records (record_id BIGINT, area VARCHAR, district VARCHAR, n INTEGER)"
    )
    con.executemany(
        "INSERT INTO records VALUES (?, ?, ?, ?)", [(i, *row) for i, row in enumerate(rows)]
    )
    keys = PlacementKeys(by=tuple(by.split()), lsoa="area", district="district", values=("n",))
    report = place(con, "records", keys, REFERENCE, "placed")
    assert report.values_received == {"n": sum(row[2] for row in rows)}
    return con.execute(
        "SELECT lsoa21cd, lad24cd, geo_reason FROM placed ORDER BY record_id"
    ).fetchall()


#  district as delivered    its district    why it is in no neighbourhood
DISTRICT_ALONE = [
    (NORTH,                 NORTH,          "district_only"),
    (" e08990002 ",         SOUTH,          "district_only"),
    ("E06000001",           None,           "out_of_region"),
    ("Northshire",          None,           "district_unknown"),
    ("E08",                 None,           "district_unknown"),
    ("",                    None,           "district_missing"),
    (None,                  None,           "district_missing"),
]  # fmt: skip


def test_a_district_gives_no_neighbourhood(con: duckdb.DuckDBPyConnection) -> None:
    rows = [(None, district, 5) for district, _, _ in DISTRICT_ALONE]

    found = placed(con, rows, "district")

    assert found == [(None, lad, reason) for _, lad, reason in DISTRICT_ALONE]


#  area        district    placed in    its district    why not
BESIDE_AN_AREA = [
    (A,         SOUTH,      A,           NORTH,          None),
    (None,      SOUTH,      None,        SOUTH,          "district_only"),
    ("CLOSED",  SOUTH,      None,        SOUTH,          "district_only"),
    # Known to lie elsewhere: the district named beside it does not bring it back.
    (ELSEWHERE, SOUTH,      None,        None,           "out_of_region"),
]  # fmt: skip


def test_the_area_decides_where_there_is_one(con: duckdb.DuckDBPyConnection) -> None:
    rows = [(area, district, 1) for area, district, *_ in BESIDE_AN_AREA]

    assert placed(con, rows, "lsoa district") == [row[2:] for row in BESIDE_AN_AREA]


def test_the_column_must_be_named(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE records (record_id BIGINT, district VARCHAR)")

    with pytest.raises(GeographyError, match="its column is not named"):
        place(con, "records", PlacementKeys(by=("district",)), REFERENCE, "placed")
