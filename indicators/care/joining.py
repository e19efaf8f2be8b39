"""Deliveries joined: one row an event, with the end it really had.

Belongs here: which of several rows of one event is kept, and when an event ended. Does not belong
here: what an event means for a count.

DHSC's rule of keeping: the latest delivery, then no end or the later end, then the outcome first in
the order. What is still equal is kept by its values, so that the order of rows decides nothing.
Rows without a person or a start, and rows that end before they start, are no events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from declarations.base import last_day
from declarations.events import FROM_INTAKE, PERSON, READ, ClientLevelData
from geography.sql import columns_of
from indicators.care.phrases import ranked
from warehouse.connection import run
from warehouse.sql import ident, literal

if TYPE_CHECKING:
    import duckdb

JOINED, UNIQUE, KNOWN = "care_joined", "care_unique", "care_known"
PLACE = {"lsoa21cd": "text", "lad24cd": "text", "geo_reason": "text"}
SQL_TYPES = {"text": "VARCHAR", "date": "DATE", "boolean": "BOOLEAN"}
UNKNOWN_AGE = "Unknown"


def join_deliveries(
    connection: duckdb.DuckDBPyConnection, deliveries: Mapping[str, str], rules: ClientLevelData
) -> None:
    """Make the table of events as they are known at the end of the latest delivery.

    Parameters
    ----------
    deliveries : mapping of str to str
        Table or view of each delivery's placed records, by its month.
    """
    _put_together(connection, deliveries)
    _keep_one_row_an_event(connection, rules)
    _end_events(connection, max(deliveries))


def _put_together(connection: duckdb.DuckDBPyConnection, deliveries: Mapping[str, str]) -> None:
    """Put the deliveries under each other: the columns that events have, and no other.

    Whatever a delivery holds besides, and costs above all, is never in the joined table.
    """
    parts = []
    for period, table in sorted(deliveries.items()):
        there = set(columns_of(connection, table))
        wanted = {**READ, **FROM_INTAKE, **PLACE}
        columns = [
            ident(name) if name in there else f"CAST(NULL AS {SQL_TYPES[kind]}) AS {ident(name)}"
            for name, kind in wanted.items()
        ]
        parts.append(
            f"SELECT {literal(period)} AS delivery, DATE '{last_day(period)}' AS delivered_to, "
            f"{', '.join(columns)} FROM {ident(table)}"
        )
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE {JOINED} AS "
        f"SELECT * REPLACE (coalesce(age_band, '{UNKNOWN_AGE}') AS age_band) "
        f"FROM ({' UNION ALL '.join(parts)}) "
        f"WHERE {PERSON} IS NOT NULL AND event_start_date IS NOT NULL",
        table=JOINED,
    )


def _keep_one_row_an_event(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData) -> None:
    keys = " ".join(
        f"WHEN {literal(kind)} THEN [{', '.join(f'CAST({ident(c)} AS VARCHAR)' for c in key)}]"
        for kind, key in rules.unique_keys.items()
    )
    # By its values, not by its place in the file; cheaper than to sort by each of them.
    rest = f"hash({', '.join(ident(c) for c in (*READ, *FROM_INTAKE, *PLACE))})"
    order = ranked("event_outcome", rules.outcome_order)
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {UNIQUE} AS
        SELECT j.* FROM {JOINED} j SEMI JOIN (
            SELECT row FROM (
                SELECT rowid AS row, event_type, CASE event_type {keys} END AS same, delivery,
                       event_end_date, {order} AS outcome_rank, {rest} AS mark
                FROM {JOINED}
            )
            QUALIFY row_number() OVER (
                PARTITION BY event_type, same
                ORDER BY delivery DESC, event_end_date DESC NULLS FIRST, outcome_rank, mark
            ) = 1
        ) kept ON j.rowid = kept.row
        """,
        table=UNIQUE,
    )


def _end_events(connection: duckdb.DuckDBPyConnection, latest: str) -> None:
    """Say when each event ended: by its own end, by cropping, or by the person's death.

    The person's death is what the latest delivery that has the person says.
    """
    gone = f"event_type = 'Service' AND event_end_date IS NULL AND delivery < {literal(latest)}"
    everything = ", ".join(ident(c) for c in ("event_start_date", PERSON, *READ, *PLACE))
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {KNOWN} AS
        WITH dated AS (
            SELECT *, {gone} AS cropped,
                   first_value(date_of_death) OVER (
                       PARTITION BY {PERSON} ORDER BY delivery DESC, date_of_death DESC NULLS LAST
                   ) AS died
            FROM {UNIQUE}
        ), ended AS (
            SELECT *, least(
                       CASE WHEN cropped THEN delivered_to ELSE event_end_date END, died
                   ) AS derived_end_date
            FROM dated
        )
        SELECT row_number() OVER (ORDER BY {everything}) AS event_id, *
        FROM ended
        WHERE derived_end_date IS NULL OR derived_end_date >= event_start_date
        """,
        table=KNOWN,
    )
