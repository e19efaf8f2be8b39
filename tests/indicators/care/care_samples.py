"""Events of made-up people written as short rows, and what is counted of them.

A row reads: person, what, start, end, outcome. ``what`` is a short name of `WHAT`. Everything here
describes synthetic people.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

import expectations
from declarations.contracts import Contract, Count, Source
from indicators.care import EVENTS, make_events
from indicators.counting import count_sql

PERIOD = "2026-03"
"""The return of January to March 2026: it covers 1 April 2025 to 31 March 2026."""
HERE = "E01990001"

WHAT: dict[str, dict[str, str]] = {
    "request": {"event_type": "Request"},
    "assessment": {"event_type": "Assessment"},
    "review": {"event_type": "Review"},
    "home care": {
        "event_type": "Service", "service_type": "Long term support: Community",
        "service_component": "Home support or domiciliary care",
    },
    "direct payment": {
        "event_type": "Service", "service_type": "Long term support: Community",
        "service_component": "Direct payment", "delivery_mechanism": "Direct Payment",
    },
    "care home": {
        "event_type": "Service", "service_type": "Long term support: Residential care",
        "service_component": "Residential care",
    },
    "nursing home": {
        "event_type": "Service", "service_type": "Long term support: Nursing care",
        "service_component": "Nursing care",
    },
    "reablement": {
        "event_type": "Service", "service_type": "Short term support: ST-Max",
        "service_component": "Reablement",
    },
    "low level": {
        "event_type": "Service", "service_type": "Short term support: Ongoing low level",
    },
    "carer support": {
        "event_type": "Service", "client_type": "Carer",
        "service_type": "Unpaid carer support: Direct to unpaid carer",
    },
    "carer request": {"event_type": "Request", "client_type": "Carer"},
    "carer assessment": {"event_type": "Assessment", "client_type": "Carer"},
}  # fmt: skip

OUTCOMES = {
    "": None,
    "assess": "Progress to assessment, review or reassessment",
    "services": "Progress to support planning or services",
    "advice": "NFA: Information and advice or signposting",
    "self-funded": "NFA: Self-funded client or under 12wk disregard",
    "as planned": "NFA: Support ended as planned",
    "died": "NFA: Deceased",
    "declined": "NFA: Support declined",
    "hospital": "Admitted to hospital",
}

COLUMNS = {
    "person_id": "VARCHAR", "client_type": "VARCHAR", "primary_support_reason": "VARCHAR",
    "accommodation_status": "VARCHAR", "date_of_death": "DATE", "event_type": "VARCHAR",
    "event_start_date": "DATE", "event_end_date": "DATE", "event_outcome": "VARCHAR",
    "request_route_of_access": "VARCHAR", "service_type": "VARCHAR",
    "service_component": "VARCHAR", "delivery_mechanism": "VARCHAR", "age_band": "VARCHAR",
    "has_nhs_number": "BOOLEAN", "lsoa21cd": "VARCHAR", "lad24cd": "VARCHAR",
    "geo_reason": "VARCHAR", "record_id": "BIGINT",
}  # fmt: skip

Row = tuple[Any, ...]
Event = dict[str, Any]


@cache
def contract() -> Contract:
    """Return the contract as it is bundled."""
    path = Path(str(expectations.__file__)).parent / "contracts" / "cld_events.yaml"
    return Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


SOURCE = Source.model_validate(
    {
        "id": "here_care", "title": "Care", "agency": "A council", "agreement": "DSA-TEST",
        "contract": "cld_events", "theme": "social_care", "cadence": "quarterly",
        "files": "cld_{period}.csv", "lad24cd": "E08990001", "synthetic": True,
    }
)  # fmt: skip


def event(
    person: str, what: str, start: str, end: str = "", outcome: str = "", **more: Any
) -> Event:
    """Return one row of a return."""
    whole: Event = dict.fromkeys(COLUMNS) | {
        "person_id": person, "client_type": "Service User", "age_band": "75-84",
        "event_start_date": start, "event_end_date": end or None, "lsoa21cd": HERE,
        "lad24cd": "E08990001", "event_outcome": OUTCOMES.get(outcome, outcome), **WHAT[what],
    }  # fmt: skip
    return whole | more


def rows(*told: Row) -> list[Event]:
    """Return the rows of a return, each told as person, what, start, end, outcome."""
    return [event(*map(str, row)) for row in told]


def joined(deliveries: Mapping[str, Sequence[Event]], **changes: Any) -> duckdb.DuckDBPyConnection:
    """Return a connection with the events made of deliveries, by month.

    Parameters
    ----------
    changes : optional
        Values of the rules that are not those of the contract.
    """
    con = duckdb.connect()
    declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    marks = ", ".join("?" for _ in COLUMNS)
    tables = {}
    for month, events in deliveries.items():
        tables[month] = f"delivered_{month}"
        con.execute(f'CREATE TABLE "{tables[month]}" ({declared})')
        numbered = [{**e, "record_id": n} for n, e in enumerate(events)]
        if numbered:
            con.executemany(
                f'INSERT INTO "{tables[month]}" VALUES ({marks})',
                [tuple(e[c] for c in COLUMNS) for e in numbered],
            )
    rules = contract().events
    if rules is None:
        raise AssertionError("the contract says nothing of events")
    make_events(con, contract(), rules.model_copy(update=changes), tables, SOURCE.months)
    return con


def told(con: duckdb.DuckDBPyConnection, columns: str, where: str = "true") -> list[Row]:
    """Return some columns of the events, in order."""
    return con.execute(f"SELECT {columns} FROM {EVENTS} WHERE {where} ORDER BY ALL").fetchall()


def counted(con: duckdb.DuckDBPyConnection, measure: str, period: str = PERIOD) -> dict[str, int]:
    """Return a measure by category, over all areas; categories without anything are left out."""
    count: Count = next(c for c in contract().counts if c.measure == measure)
    sql, parameters = count_sql(contract(), count, SOURCE, period, EVENTS)
    found = con.execute(
        f"SELECT category, CAST(sum(value) AS BIGINT) FROM ({sql}) GROUP BY 1", parameters
    ).fetchall()
    return {str(category): int(value) for category, value in found if value}


def total(con: duckdb.DuckDBPyConnection, measure: str, period: str = PERIOD) -> int:
    """Return a measure, whatever the category and area."""
    return sum(counted(con, measure, period).values())


def days_after(day: str, days: int) -> str:
    """Return a day so many days after another."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=days)).isoformat()
