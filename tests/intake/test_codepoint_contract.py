"""The library's contract of Code-Point Open, on rows in its layout."""

from __future__ import annotations

from pathlib import Path

import duckdb
from intake_samples import make_source

from declarations.contracts import Contract
from declarations.loader import read_declaration
from intake.attempt import contract_report

CONTRACT = read_declaration(
    Path(__file__).parents[2] / "expectations" / "contracts" / "codepoint_open.yaml", Contract
)
HEADER = (
    "Postcode,Positional_quality_indicator,Eastings,Northings,Country_code,NHS_regional_HA_code,"
    "NHS_HA_code,Admin_county_code,Admin_district_code,Admin_ward_code\n"
)


def report(con: duckdb.DuckDBPyConnection, tmp_path: Path, *rows: str) -> list[str]:
    path = tmp_path / "codepoint_open.csv"
    path.write_text(HEADER + "".join(f"{row},E92000001,,,,E08990001,\n" for row in rows))
    source = make_source(contract=CONTRACT.id, cadence="once", files=path.name, period="2025-05")
    read, _, outcome = contract_report(con, path, CONTRACT, source)
    assert read.rows_out == len(rows)
    return [c.column_name for c in outcome.checks if c.outcome == "failed"]


def test_a_postcode_without_a_point_is_not_put_at_the_origin(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert report(con, tmp_path, "QX1 1AA,10,406523,286448", "QX1 1AB,90,0,0") == []
    found = con.execute("SELECT postcode, easting, northing FROM delivery_typed ORDER BY 1")
    assert found.fetchall() == [("QX1 1AA", 406523.0, 286448.0), ("QX1 1AB", None, None)]


def test_a_quality_that_does_not_exist_is_found(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert report(con, tmp_path, "QX1 1AA,5,406523,286448") == ["quality"]
