"""A made-up service for the made-up region: published figures and open counts, written inline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import duckdb
from testshire import make_contract, make_region, make_source

from declarations.declared import RegionDeclarations
from declarations.indicators import Indicator

YEAR = (dt.date(2025, 1, 1), dt.date(2025, 12, 31), "January to December 2025")
QUARTERS = [
    (dt.date(2025, 1, 1), dt.date(2025, 3, 31), "January to March 2025"),
    (dt.date(2025, 4, 1), dt.date(2025, 6, 30), "April to June 2025"),
    (dt.date(2025, 7, 1), dt.date(2025, 9, 30), "July to September 2025"),
    (dt.date(2025, 10, 1), dt.date(2025, 12, 31), "October to December 2025"),
]

SHOWN = (
    "indicator_id VARCHAR, period_start DATE, period_end DATE, period_label VARCHAR, "
    "geography_type VARCHAR, geography_code VARCHAR, lad24cd VARCHAR, numerator BIGINT, "
    "denominator BIGINT, estimated BOOLEAN, note_id VARCHAR, missing BOOLEAN, value DOUBLE, "
    "lower_ci DOUBLE, upper_ci DOUBLE, ci_method VARCHAR, value_status VARCHAR, unit VARCHAR"
)


def made(identifier: str, **more: Any) -> Indicator:
    """Return an indicator of the world, a yearly rate unless told otherwise."""
    kind = more.pop("kind", "rate")
    counted = {
        "numerator": "cases", "denominator": "residents_18_64", "additivity": "flow",
        "interval": "byar",
    }  # fmt: skip
    derived = {"additivity": "none", "interval": "byar", "standardisation": "indirect"}
    return Indicator.model_validate(
        {
            "id": identifier, "name": f"made_{identifier.lower()}", "title": identifier,
            "description": "Made up.", "rationale": "Made up.", "theme": "social_care",
            "kind": kind, "unit": "per 1,000", "basis": "registered", "polarity": "none",
            "minimum_denominator": 0, "sources": ["Made up for tests"], "purposes": ["tests"],
            "owner": "team:tests", "version": "1.0",
            "outputs": [{"level": "msoa21", "window": "year"}],
            **(counted if kind == "rate" else derived), **more,
        }
    )  # fmt: skip


def expected(
    identifier: str = "T90",
    *,
    predictors: Iterable[dict[str, Any]] = (),
    strata: Iterable[tuple[str, str]] = (("T81", "residents_18_64"), ("T82", "residents_65_plus")),
    coverage: str | None = None,
    **more: Any,
) -> Indicator:
    """Return observed use T80 against what the strata's rates give."""
    return made(
        identifier, kind="expected", unit="ratio",
        expected={
            "observed": "T80",
            "strata": [{"title": p, "rate": r, "population": p} for r, p in strata],
            "predictors": [{"rationale": "Made up.", **p} for p in predictors],
            "coverage": coverage,
        },
        **more,
    )  # fmt: skip


def world(*indicators: Indicator) -> RegionDeclarations:
    """Return the declarations, with the rates T80 to T84 beside the indicators given."""
    contracts = [
        make_contract("census", {"residents_18_64": "stock", "residents_65_plus": "stock"},
                      kind="values"),
        make_contract("cases", {"cases": "flow"}),
    ]  # fmt: skip
    sources = [
        make_source("census", "census", "once", period="2021-03"),
        make_source("cases", "cases", "monthly"),
    ]
    rates = [made(f"T8{n}") for n in range(5)]
    return make_region(contracts, sources, [*rates, *indicators])


def figure(
    indicator_id: str,
    level: str,
    code: str,
    numerator: int | None,
    denominator: int | None = None,
    *,
    period: tuple[dt.date, dt.date, str] = YEAR,
    value: float | None = None,
    status: str | None = None,
    note: str | None = None,
    estimated: bool = False,
    lad24cd: str = "",
    unit: str = "per 1,000",
) -> tuple[Any, ...]:
    """Return one row of the published figures."""
    missing = bool(status and status.startswith("[x]"))
    return (
        indicator_id, *period, level, code, lad24cd, numerator, denominator, estimated, note,
        missing, value, None, None, "none", status, unit,
    )  # fmt: skip


def publish(con: duckdb.DuckDBPyConnection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write the table ``shown``."""
    con.execute(f"CREATE OR REPLACE TABLE shown ({SHOWN})")
    found = list(rows)
    if found:
        con.executemany(f"INSERT INTO shown VALUES ({', '.join('?' * 18)})", found)


def place(con: duckdb.DuckDBPyConnection, rows: Iterable[tuple[str, str, str]]) -> None:
    """Write the table ``areas``."""
    con.execute(
        "CREATE OR REPLACE TABLE areas (lsoa21cd VARCHAR, msoa21cd VARCHAR, lad24cd VARCHAR)"
    )
    con.executemany("INSERT INTO areas VALUES (?, ?, ?)", list(rows))


def count_people(
    con: duckdb.DuckDBPyConnection, rows: Iterable[tuple[str, str, str, int | None]]
) -> None:
    """Write the table ``open_counts``: lsoa21cd, measure, category, value."""
    con.execute(
        "CREATE OR REPLACE TABLE open_counts "
        "(lsoa21cd VARCHAR, measure VARCHAR, category VARCHAR, value BIGINT)"
    )
    found = list(rows)
    if found:
        con.executemany("INSERT INTO open_counts VALUES (?, ?, ?, ?)", found)
