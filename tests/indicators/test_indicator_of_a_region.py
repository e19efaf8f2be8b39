"""A region adds an indicator of its own by writing a file, without a line of code."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from testshire import AREAS, NORTH

from declarations.errors import ConfigurationError
from declarations.loader import load_region
from indicators.compute import indicator_table
from indicators.library import CATALOGUE

REPOSITORY = Path(__file__).parents[2]
ARDEN = REPOSITORY / "pipelines" / "regions" / "arden"
CONTRACTS = REPOSITORY / "expectations" / "contracts"
HOSTELS = """
id: H90
name: hostel_households
title: Households in hostels per 1,000 households
description: Households in hostels on the last day of the period.
rationale: Hostels are to close in this region.
theme: homelessness
kind: rate
numerator: 'temporary_accommodation["Hostels*"]'
denominator: households
multiplier: 1000
unit: per 1,000 households
additivity: stock
outputs:
  - {level: lad24, window: quarter}
basis: applied_from
interval: byar
polarity: lower_is_better
minimum_denominator: 0
sources: [Written by the region]
purposes: [neighbourhood-indicators]
owner: team:regional-data
version: '1.0'
"""
PERMIT = "  - {indicator: H90, geography: lad24, frequency: quarterly}\n"
COUNTS = [
    #  source, period, area, district, measure, category, value
    ("northwood_homelessness", "2026-09", "E01990001", NORTH, "temporary_accommodation",
     "Hostels (including reception centres, emergency units and refuges)", 6),
    ("northwood_homelessness", "2026-09", "E01990002", NORTH, "temporary_accommodation",
     "Local authority or Housing association (LA/HA) stock", 40),
    ("northwood_homelessness", "2026-09", None, NORTH, "temporary_accommodation",
     "Hostels (including reception centres, emergency units and refuges)", 1),
    ("census_households", "2021-03", "E01990001", NORTH, "households", "all", 600),
    ("census_households", "2021-03", "E01990002", NORTH, "households", "all", 400),
]  # fmt: skip


@pytest.fixture
def arden(tmp_path: Path) -> Path:
    for path in ARDEN.rglob("*"):
        if path.suffix in (".yaml", ".geojson") and "landing" not in path.parts:
            target = tmp_path / "arden" / path.relative_to(ARDEN)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    folder = tmp_path / "arden" / "indicators"
    folder.mkdir(exist_ok=True)
    (folder / "H90_hostel_households.yaml").write_text(HOSTELS, encoding="utf-8")
    return tmp_path / "arden"


def permit(arden: Path) -> None:
    path = arden / "agreements" / "DSA-ARD-001.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("permitted_outputs:\n", f"permitted_outputs:\n{PERMIT}"), "utf-8")


def test_it_is_counted(arden: Path) -> None:
    permit(arden)
    declared = load_region(arden, contract_library=CONTRACTS, indicator_library=CATALOGUE)
    with duckdb.connect() as con:
        con.execute("CREATE TABLE areas (lsoa21cd VARCHAR, msoa21cd VARCHAR, lad24cd VARCHAR)")
        con.executemany("INSERT INTO areas VALUES (?, ?, ?)", AREAS)
        con.execute(
            "CREATE TABLE counts (source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR, "
            "lad24cd VARCHAR, measure VARCHAR, category VARCHAR, value BIGINT, "
            "estimated BOOLEAN DEFAULT false)"
        )
        con.executemany(
            "INSERT INTO counts (source_id, period, lsoa21cd, lad24cd, measure, category, value) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            COUNTS,
        )
        con.execute("CREATE TABLE admitted AS SELECT DISTINCT source_id, period FROM counts")
        found = indicator_table(
            con, declared.indicators["H90"], declared, "counts", "areas", "admitted"
        )
        rows = found.filter(
            f"geography_code = '{NORTH}' AND period_end = DATE '2026-09-30'"
        ).select("numerator, denominator").fetchall()  # fmt: skip

    # Six of a neighbourhood and one without an address; the council's own stock is no hostel.
    assert rows == [(7, 1000)]


def test_it_needs_the_agreement_behind_its_counts(arden: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"H90 cannot be published.*DSA-ARD-001"):
        load_region(arden, contract_library=CONTRACTS, indicator_library=CATALOGUE)


def test_a_measure_nobody_counts_is_refused(arden: Path) -> None:
    permit(arden)
    path = arden / "indicators" / "H90_hostel_households.yaml"
    path.write_text(HOSTELS.replace('temporary_accommodation["Hostels*"]', "hostels"), "utf-8")

    with pytest.raises(ConfigurationError, match="no source of this region counts hostels"):
        load_region(arden, contract_library=CONTRACTS, indicator_library=CATALOGUE)
