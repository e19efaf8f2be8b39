"""Published figures of Testshire written inline, and a region that declares their indicators.

Everything here describes synthetic people.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
from testshire import make_contract, make_indicator, make_region, make_source

from declarations.declared import RegionDeclarations
from declarations.indicators import Indicator
from indicators.rates import add_rates

NORTH, SOUTH = "E08990001", "E08990002"
Y2025 = "2025-01", "2025-12"

SCHEMA = pa.schema(
    [
        ("indicator_id", pa.string()),
        ("period_start", pa.date32()),
        ("period_end", pa.date32()),
        ("period_label", pa.string()),
        ("geography_type", pa.string()),
        ("geography_code", pa.string()),
        ("lad24cd", pa.string()),
        ("numerator", pa.int64()),
        ("denominator", pa.int64()),
        ("estimated", pa.bool_()),
        ("note_id", pa.string()),
        ("missing", pa.bool_()),
    ]
)


def days(first: str, last: str) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a stretch of months."""
    year, month = int(last[:4]), int(last[5:])
    end = dt.date(year, month, calendar.monthrange(year, month)[1])
    return dt.date(int(first[:4]), int(first[5:]), 1), end


def row(
    area: str,
    numerator: int | None,
    denominator: int | None,
    *,
    of: str = "T01",
    level: str = "lsoa21",
    district: str = NORTH,
    months: tuple[str, str] = Y2025,
    missing: bool = False,
    estimated: bool = False,
    note: str | None = None,
) -> dict[str, Any]:
    """Return one published figure's terms; a numerator of None that is not missing is hidden."""
    start, end = days(*months)
    return {
        "indicator_id": of, "period_start": start, "period_end": end,
        "period_label": f"{months[0]} to {months[1]}", "geography_type": level,
        "geography_code": area, "lad24cd": area if level == "lad24" else district,
        "numerator": numerator, "denominator": denominator, "estimated": estimated,
        "note_id": note, "missing": missing,
    }  # fmt: skip


def show(
    con: duckdb.DuckDBPyConnection,
    rows: Iterable[dict[str, Any]],
    declared: RegionDeclarations,
    scores: dict[str, float] | None = None,
) -> None:
    """Write the table ``shown`` with values, intervals and markers as they are published."""
    terms = pa.Table.from_pylist(list(rows), schema=SCHEMA)
    con.register("terms_given", terms)
    con.execute("CREATE OR REPLACE TABLE terms AS SELECT * FROM terms_given")
    add_rates(con, "terms", declared.indicators.values()).create("rated")
    con.execute("CREATE OR REPLACE TABLE shown AS SELECT * FROM rated")
    con.execute("DROP TABLE rated")
    for code, score in (scores or {}).items():
        con.execute(
            "INSERT INTO shown BY NAME SELECT 'C03' AS indicator_id, DATE '2025-10-01' AS "
            "period_start, DATE '2025-10-31' AS period_end, 'October 2025' AS period_label, "
            "'lsoa21' AS geography_type, $1 AS geography_code, $2 AS lad24cd, false AS estimated, "
            "false AS missing, $3 AS value, 'none' AS ci_method, 'score' AS unit",
            [code, NORTH, score],
        )


def declare(*indicators: Indicator) -> RegionDeclarations:
    """Return Testshire with some indicators."""
    return make_region([], [], list(indicators))


def declare_open(*indicators: Indicator) -> RegionDeclarations:
    """Return Testshire with some indicators whose counts come under an open licence."""
    contract = make_contract("counted", {"cases": "flow", "households": "stock"})
    open_licence: Any = SimpleNamespace(kind="open_licence")
    return replace(
        declare(*indicators),
        contracts={"counted": contract},
        sources={"counted": make_source("counted", "counted", "monthly")},
        agreements={"DSA-TEST": open_licence},
    )


def unrounded(indicator: Indicator) -> Indicator:
    """Return an indicator whose shown counts are what they say, for sums done by hand.

    No such profile can be declared: every published count is rounded, one of open data too.
    """
    return indicator.model_copy(update={"profile": "suppress"})


def share(**changes: Any) -> Indicator:
    """Return a share of cases in per cent, changed as asked."""
    return make_indicator(
        **{"kind": "share", "interval": "wilson", "multiplier": 100, "unit": "%", **changes}
    )


def as_rows(table: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    """Return some columns of a table, numbers to six decimals."""
    return [
        tuple(round(v, 6) if isinstance(v, float) else v for v in values)
        for values in zip(*(table.column(c).to_pylist() for c in columns), strict=True)
    ]


def same_bytes(con: duckdb.DuckDBPyConnection, make: Any) -> bool:
    """Whether a table comes out the same to the byte from the rows in another order."""
    tables = []
    for order in ("geography_code, period_start", "hash(geography_code), period_end DESC"):
        con.execute(f"CREATE OR REPLACE TABLE shown AS SELECT * FROM shown ORDER BY {order}")
        sink = pa.BufferOutputStream()
        made = make()
        with pa.ipc.new_stream(sink, made.schema) as writer:
            writer.write_table(made.combine_chunks())
        tables.append(sink.getvalue().to_pybytes())
    return tables[0] == tables[1]
