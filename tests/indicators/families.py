"""From an inline table of delivered rows to the numbers behind an indicator, by the real way.

What a delivery holds is written as a table of text, one column a field of the real contract. It is
counted by the contract's own counts and summed by the catalogue's own definition of the indicator;
nothing in between is made for the tests. Everything here describes synthetic people.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from testshire import AREAS, NORTH, make_region, make_source

from declarations.contracts import Column, Contract, Source
from declarations.declared import RegionDeclarations
from declarations.indicators import Indicator
from declarations.loader import read_declaration
from geography.sql import ident
from indicators.compute import indicator_table
from indicators.counting import PLACED, count_sql, data_period
from indicators.library import CATALOGUE
from warehouse.lake import UNPARTITIONED

CONTRACTS = Path(__file__).parents[2] / "expectations" / "contracts"
TYPES = {
    "text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE", "month": "VARCHAR",
    "boolean": "BOOLEAN",
}  # fmt: skip
OF_ONE_COUNCIL = (
    "hclic_cases", "council_tax_households", "digital_contacts", "library_sessions",
    "digital_skills",
)  # fmt: skip
"""Contracts of which the delivery here is North's; all other files are the whole region's."""
DISTRICT_OF = {lsoa: lad for lsoa, _, lad in AREAS}
AREA, DISTRICT, REASON = "area", "district of", "not placed because"
"""Columns that say where geography put the row; the others are fields of the contract."""

Terms = dict[str, tuple[int | None, int | None]]
"""Numerator and denominator by area."""


def table(text: str) -> list[dict[str, str]]:
    """Read a table written as text, with ``|`` between columns and the headings in its first line.

    A line that begins with ``#`` is a remark; so is what follows the last heading, ``why``.
    """
    lines = [line for line in text.strip().splitlines() if not line.strip().startswith("#")]
    headings, *rows = ([cell.strip() for cell in line.split("|")] for line in lines)
    return [{h: c for h, c in zip(headings, row, strict=True) if h != "why" and c} for row in rows]


@cache
def contract(name: str) -> Contract:
    """Return a contract of the library."""
    return read_declaration(CONTRACTS / f"{name}.yaml", Contract)


@cache
def indicator(name: str) -> Indicator:
    """Return an indicator of the catalogue."""
    (path,) = CATALOGUE.glob(f"{name}_*.yaml")
    return read_declaration(path, Indicator)


class Deliveries:
    """A made-up region, and what was delivered to it: it counts and sums as the platform does."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute("CREATE TABLE areas (lsoa21cd VARCHAR, msoa21cd VARCHAR, lad24cd VARCHAR)")
        self.con.executemany("INSERT INTO areas VALUES (?, ?, ?)", AREAS)
        self.con.execute("CREATE TABLE admitted (source_id VARCHAR, period VARCHAR)")
        self.con.execute(
            "CREATE TABLE counts (source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR, "
            "lad24cd VARCHAR, measure VARCHAR, category VARCHAR, value BIGINT, estimated BOOLEAN, "
            "geo_reason VARCHAR, value_status VARCHAR)"
        )
        self.sources: dict[str, Source] = {}

    def add(
        self, name: str, text: str, *, period: str = "2025-12", cadence: str = "quarterly"
    ) -> Deliveries:
        """Deliver a table of the contract ``name`` for a period; ``once`` describes that month.

        Of the year's other months or quarters an empty file is delivered, so that a year is whole.
        """
        settings: dict[str, Any] = {"period": period} if cadence == "once" else {}
        if name in OF_ONE_COUNCIL:
            settings["lad24cd"] = NORTH
        source = make_source(f"source_of_{name}", name, cadence, **settings)
        self.sources[source.id] = source
        rows = table(text)
        if cadence == "once":
            self._count(source, UNPARTITIONED, rows)
            return self
        step = {"monthly": 1, "quarterly": 3, "yearly": 12}[cadence]
        for month in range(step, 13, step):
            other = f"2025-{month:02d}"
            self._count(source, other, rows if other == period else [])
        return self

    def declared(self) -> RegionDeclarations:
        """Return the declarations of the region with what was delivered."""
        contracts = [contract(s.contract) for s in self.sources.values()]
        return make_region(contracts, list(self.sources.values()))

    def terms(self, name: str, level: str, window: str) -> Terms:
        """Return an indicator's exact terms in the last period of a window, by area."""
        wanted = indicator(name)
        assert (level, window) in [(o.level, o.window) for o in wanted.outputs]
        found = indicator_table(
            self.con, wanted, self.declared(), "counts", "areas", "admitted"
        ).filter(f"geography_type = '{level}'")
        rows = found.select(
            "geography_code, period_end, period_start, numerator, denominator"
        ).fetchall()
        months = {"month": 1, "quarter": 3, "year": 12}.get(window)
        last = max(end for _, end, *_ in rows)
        return {
            code: (x, n)
            for code, end, start, x, n in rows
            if end == last and (months is None or _months(start, end) == months)
        }

    def _count(self, source: Source, period: str, rows: list[dict[str, str]]) -> None:
        wanted = contract(source.contract)
        self.con.execute("DROP TABLE IF EXISTS " + PLACED)
        fields = ", ".join(f"{ident(c.name)} {TYPES[c.type]}" for c in wanted.columns)
        self.con.execute(
            f"CREATE TABLE {PLACED} ({fields}, lsoa21cd VARCHAR, lad24cd VARCHAR, "
            "geo_reason VARCHAR)"
        )
        for row in rows:
            self._insert(wanted, row)
        for count in wanted.counts:
            sql, parameters = count_sql(wanted, count, source, period)
            self.con.execute(f"INSERT INTO counts {sql}", parameters)
        self.con.execute(
            "INSERT INTO admitted VALUES (?, ?)", [source.id, data_period(source, period)]
        )

    def _insert(self, wanted: Contract, row: dict[str, str]) -> None:
        names = {c.name: c for c in wanted.columns}
        values: dict[str, Any] = {
            names[key].name: _typed(names[key], cell)
            for key, cell in row.items()
            if key not in (AREA, DISTRICT, REASON)
        }
        values["lsoa21cd"] = row.get(AREA)
        values["lad24cd"] = row.get(DISTRICT) or DISTRICT_OF.get(row.get(AREA, ""))
        values["geo_reason"] = row.get(REASON)
        columns = ", ".join(ident(name) for name in values)
        marks = ", ".join("?" for _ in values)
        self.con.execute(
            f"INSERT INTO {PLACED} ({columns}) VALUES ({marks})", list(values.values())
        )


def _typed(column: Column, cell: str) -> object:
    if column.type == "date":
        return dt.date.fromisoformat(cell)
    if column.type == "boolean":
        return cell == "yes"
    if column.type == "integer":
        return int(cell)
    return cell


def _months(start: dt.date, end: dt.date) -> int:
    return 12 * (end.year - start.year) + end.month - start.month + 1


def check(deliveries: Deliveries, expected: str) -> None:
    """Hold the numbers behind indicators to a table of what they must be.

    Its columns: ``indicator``, ``level``, ``window``, ``area``, ``of`` (the numerator), ``out of``
    (the denominator; empty for a count) and ``why``.
    """
    for row in table(expected):
        found = deliveries.terms(row["indicator"], row["level"], row["window"])[row["area"]]
        below = int(row["out of"]) if "out of" in row else None
        assert found == (int(row["of"]), below), row
