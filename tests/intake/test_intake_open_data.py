"""The readers meet the files that publishers really send."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from intake_samples import make_contract, make_source

from intake.reading import ReadReport, read_table
from intake.safety import inspect_file
from intake.typed import TypeReport, type_table

ROOT = Path(
    os.environ.get("LSOALINK_OPEN_DATA", Path(__file__).parents[3] / "shared" / "open-data")
)

pytestmark = [
    pytest.mark.open_data,
    pytest.mark.skipif(not ROOT.is_dir(), reason="the folder of real open data is not here"),
]


def load(
    con: duckdb.DuckDBPyConnection, file: str, columns: list[dict[str, Any]], **changes: Any
) -> tuple[ReadReport, TypeReport]:
    path = ROOT / file
    contract = make_contract(
        kind="reference", role="areas", key=[], columns=columns, locate=None, counts=[], **changes
    )
    assert inspect_file(path).ok
    report = read_table(con, path, contract, make_source(), "raw")
    typed = type_table(con, "raw", contract, {c["name"] for c in columns}, "typed")
    return report, typed


def number(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    return con.execute(query).fetchall()[0][0]


def test_nomis_residents_with_notes_below(con: duckdb.DuckDBPyConnection) -> None:
    columns = [
        {"name": "residents", "headers": ["total"], "type": "integer"},
        {"name": "lsoa21cd", "headers": ["mnemonic"]},
    ]
    report, typed = load(
        con,
        "census/TS001_usual_residents_LSOA2021_nomis.csv",
        columns,
        format={"drop_rows_without": "lsoa21cd"},
    )
    # Both figures are those of the catalogue.
    assert (report.rows_out, typed.rows_out) == (35_672, 35_672)
    assert number(con, "SELECT sum(residents) FROM typed") == 59_597_601
    assert report.rows_broken == 0


def test_nomis_ages_with_a_preamble(con: duckdb.DuckDBPyConnection) -> None:
    columns = [
        {"name": "area", "headers": ["2021 super output area - lower layer"]},
        {"name": "total", "type": "integer"},
    ]
    report, typed = load(
        con,
        "census/DERI_v2_Census2021_RM121_older_age_lsoa21.csv",
        columns,
        format={"drop_rows_without": "area"},
    )
    assert (report.header_row, typed.rows_out, report.rows_broken) == (8, 35_672, 0)


def test_street_crime_without_a_key_keeps_equal_rows(con: duckdb.DuckDBPyConnection) -> None:
    columns = [
        {"name": "crime_id", "headers": ["Crime ID"]},
        {"name": "month", "type": "month"},
        {"name": "longitude", "type": "number"},
        {"name": "lsoa21cd", "headers": ["LSOA code"]},
    ]
    report, typed = load(con, "police/2024-05-surrey-street.csv", columns)
    assert (report.rows_out, typed.rows_out) == (7_896, 7_896)
    assert number(con, "SELECT count(*) FILTER (lsoa21cd IS NULL) FROM typed") == 103
    assert number(con, "SELECT count(*) FILTER (crime_id IS NULL) FROM typed") == 1_389
    assert number(con, "SELECT DISTINCT month FROM typed") == "2024-05"


def test_practices_without_headings(con: duckdb.DuckDBPyConnection) -> None:
    columns = [{"name": "practice", "position": 1}, {"name": "postcode", "position": 10}]
    report, typed = load(
        con, "nhs/epraccur_wm7_stockport_no_header.csv", columns, format={"header": False}
    )
    assert (report.rows_out, typed.rows_out, report.columns_unnamed) == (1_046, 1_046, 25)


def test_patients_online_with_text_null(con: duckdb.DuckDBPyConnection) -> None:
    columns = [
        {"name": "practice", "headers": ["GPPracticeCode"]},
        {"name": "enabled", "headers": ["PatientsEnabled"], "type": "integer",
         "null_values": ["NULL"]},
        {"name": "starts", "headers": ["PeriodStart"], "type": "date", "date_format": "%d/%m/%Y"},
    ]  # fmt: skip
    report, typed = load(con, "nhs/pomi_test_extract_nhsuk_pomi-data-etl.csv", columns)
    assert (report.rows_out, typed.rows_unreadable) == (99, 0)
    assert number(con, "SELECT DISTINCT CAST(starts AS VARCHAR) FROM typed") == "2015-04-01"
    assert number(con, "SELECT count(*) FILTER (enabled IS NULL) FROM typed") > 0


def test_a_compressed_postcode_file(con: duckdb.DuckDBPyConnection) -> None:
    columns = [
        {"name": "pcds"},
        {"name": "dointr", "type": "month", "date_format": "%Y%m"},
        {"name": "doterm", "type": "month", "date_format": "%Y%m"},
    ]
    report, typed = load(con, "postcodes/PCD_OA_LSOA_MSOA_LAD_MAY22_wm7_stockport.csv.gz", columns)
    assert (report.rows_out, typed.rows_unreadable) == (96_278, 0)
    assert number(con, "SELECT count(*) FILTER (doterm IS NULL) FROM typed") == 64_827


def test_a_workbook_of_many_sheets(con: duckdb.DuckDBPyConnection) -> None:
    path = ROOT / "homelessness/Statutory_Homelessness_Detailed_Local_Authority_Data_202512.xlsx"
    assert inspect_file(path).ok
