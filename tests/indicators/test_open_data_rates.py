"""The ministry's own district rates come out of its counts and households through our rates.

Table A1 gives households owed a prevention and a relief duty per 1,000 households, table TA1
households in temporary accommodation per 1,000, each with the counts and the households (in
thousands, to three decimals) it is made from.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from testshire import make_indicator

from indicators.rates import add_rates

OPEN_DATA = Path(
    os.environ.get("LSOALINK_OPEN_DATA")
    or Path(__file__).resolve().parents[2].parent / "shared" / "open-data"
)
WORKBOOK = (
    OPEN_DATA / "homelessness" / "Statutory_Homelessness_Detailed_Local_Authority_Data_202512.xlsx"
)
DISTRICTS = {
    "E08000025": "Birmingham", "E08000026": "Coventry", "E08000027": "Dudley",
    "E08000028": "Sandwell", "E08000029": "Solihull", "E08000030": "Walsall",
    "E08000031": "Wolverhampton",
}  # fmt: skip
DECIMALS = 2
"""As the workbook shows its rates."""

#   rate, sheet, and the columns (from 0) of its count, its households in thousands and itself
RATES = {
    "T01": ("A1", 7, 15, 16),  # prevention duty owed
    "T02": ("A1", 9, 15, 17),  # relief duty owed
    "T03": ("TA1", 4, 5, 6),  # in temporary accommodation on 31 December 2025
}
OWED, TOTAL_OWED, PARTS = "T04", 6, ("T01", "T02")


@pytest.fixture(scope="module")
def sheets() -> dict[str, dict[str, tuple[Any, ...]]]:
    if not WORKBOOK.exists():
        pytest.skip(
            "the open-data folder with the workbook of October to December 2025 is not here"
        )
    from openpyxl import load_workbook

    with WORKBOOK.open("rb") as stream:
        book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        return {
            name: {r[0]: r for r in book[name].iter_rows(values_only=True) if r[0] in DISTRICTS}
            for name in ("A1", "TA1")
        }


def rated(rows: list[tuple[str, str, int, int]]) -> dict[tuple[str, str], float]:
    """Return the value of each indicator and district, from counts and households."""
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE terms (indicator_id VARCHAR, geography_code VARCHAR, numerator BIGINT, "
            "denominator BIGINT, estimated BOOLEAN DEFAULT false, note_id VARCHAR, "
            "missing BOOLEAN DEFAULT false)"
        )
        con.executemany(
            "INSERT INTO terms (indicator_id, geography_code, numerator, denominator) "
            "VALUES (?, ?, ?, ?)",
            rows,
        )
        declared = [
            make_indicator(id=key, name=f"rate_{key.lower()}", interval="none")
            for key in (*RATES, OWED)
        ]
        found = add_rates(con, "terms", declared)
        return {
            (key, district): value
            for key, district, value in found.select(
                "indicator_id, geography_code, value"
            ).fetchall()
        }


@pytest.mark.open_data
@pytest.mark.parametrize("rate", RATES)
def test_published_district_rates(sheets: Any, rate: str) -> None:
    sheet, count, households, published = RATES[rate]
    rows = sheets[sheet]
    assert set(rows) == set(DISTRICTS)

    values = rated(
        [(rate, code, row[count], round(1000 * row[households])) for code, row in rows.items()]
    )

    for code, row in rows.items():
        assert round(values[rate, code], DECIMALS) == round(row[published], DECIMALS), code


@pytest.mark.open_data
def test_owed_is_prevention_and_relief_together(sheets: Any) -> None:
    rows = sheets["A1"]
    values = rated(
        [(OWED, code, row[TOTAL_OWED], round(1000 * row[15])) for code, row in rows.items()]
    )
    for code, row in rows.items():
        assert row[TOTAL_OWED] == sum(row[RATES[part][1]] for part in PARTS)
        together = sum(row[RATES[part][3]] for part in PARTS)
        assert round(values[OWED, code], DECIMALS) == round(together, DECIMALS), code


@pytest.mark.open_data
def test_the_workbook_is_the_one_the_figures_are_quoted_from(sheets: Any) -> None:
    # Read off the published tables by eye: Birmingham, 5,151 households, 11.80 per 1,000.
    birmingham = sheets["TA1"]["E08000025"]
    assert (birmingham[1], birmingham[4], round(birmingham[6], DECIMALS)) == (
        "Birmingham",
        5151,
        11.8,
    )
