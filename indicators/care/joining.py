"""Deliveries joined: one row an event, with the end it really had.

Belongs here: which of several rows of one event is kept, when an event ended, and since when either
is known. Does not belong here: what an event means for a count.

DHSC's rule of keeping: the latest delivery, then no end or the later end, then the outcome first in
the order. What is still equal is kept by its values, so that the order of rows decides nothing.
Rows without a person or a start, and rows that end before they start, are no events.

Columns that the steps after this read and no count: ``known_from`` (since when the event is known),
``funded_from`` (the same, and not as one that the person pays for), ``ended_from`` (since when it
is known to have ended) and ``first_end`` (the end that it was then known to have).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from declarations.base import last_day
from declarations.events import FROM_INTAKE, PERSON, READ, ClientLevelData
from geography.sql import columns_of
from indicators.care.known import FAR, known_from
from indicators.care.phrases import ranked, within
from indicators.care.span import Span
from warehouse.connection import run
from warehouse.sql import ident, literal

if TYPE_CHECKING:
    import duckdb

JOINED, UNIQUE, KNOWN = "care_joined", "care_unique", "care_known"
PLACE = {"lsoa21cd": "text", "lad24cd": "text", "geo_reason": "text"}
SQL_TYPES = {"text": "VARCHAR", "date": "DATE", "boolean": "BOOLEAN"}
UNKNOWN_AGE = "Unknown"
KNOWN_SINCE = ("known_from", "funded_from", "first_end", "ended_from")


def join_deliveries(
    connection: duckdb.DuckDBPyConnection,
    deliveries: Mapping[str, str],
    rules: ClientLevelData,
    span: Span,
) -> None:
    """Make the table of events as they are known at the end of the latest delivery.

    Parameters
    ----------
    deliveries : mapping of str to str
        Table or view of each delivery's placed records, by its month.
    """
    _put_together(connection, deliveries, span)
    _keep_one_row_an_event(connection, rules, len(deliveries))
    _end_events(connection, max(deliveries))


def _put_together(
    connection: duckdb.DuckDBPyConnection, deliveries: Mapping[str, str], span: Span
) -> None:
    """Put the deliveries under each other: the columns that events have, and no other.

    Whatever a delivery holds besides, and costs above all, is never in the joined table.
    """
    parts = []
    for nth, (period, table) in enumerate(sorted(deliveries.items())):
        there = set(columns_of(connection, table))
        wanted = {**READ, **FROM_INTAKE, **PLACE}
        columns = [
            ident(name) if name in there else f"CAST(NULL AS {SQL_TYPES[kind]}) AS {ident(name)}"
            for name, kind in wanted.items()
        ]
        parts.append(
            f"SELECT {literal(period)} AS delivery, DATE '{last_day(period)}' AS delivered_to, "
            f"{nth} AS nth, {known_from(period, deliveries, span)} AS known_from, "
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


def _keep_one_row_an_event(
    connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, deliveries: int
) -> None:
    """Keep the row of each event, and since when it is known, has an end, or was first left out."""
    keys = " ".join(
        f"WHEN {literal(kind)} THEN [{', '.join(f'CAST({ident(c)} AS VARCHAR)' for c in key)}]"
        for kind, key in rules.unique_keys.items()
    )
    # By its values, not by its place in the file; cheaper than to sort by each of them.
    rest = f"hash({', '.join(ident(c) for c in (*READ, *FROM_INTAKE, *PLACE))})"
    order = ranked("event_outcome", rules.outcome_order)
    own_money = within("event_outcome", rules.self_funded)
    kept = "event_end_date DESC NULLS FIRST, outcome_rank, mark"
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {UNIQUE} AS
        WITH told AS (
            SELECT rowid AS row, event_type, CASE event_type {keys} END AS same, nth,
                   delivered_to, event_end_date, known_from,
                   {order} AS outcome_rank, {rest} AS mark, {own_money} AS own_money
            FROM {JOINED}
        ), as_delivered AS (
            SELECT event_type, same, nth, delivered_to, known_from,
                   first({{'row': row, 'own_money': own_money, 'ended': event_end_date}}
                         ORDER BY {kept}) AS kept
            FROM told GROUP BY event_type, same, nth, delivered_to, known_from
        ), followed AS (
            SELECT *, event_type = 'Service' AND kept.ended IS NULL AND nth < {deliveries - 1}
                      AND nth + 1 < coalesce(next, {deliveries}) AS left_out
            FROM (SELECT *, lead(nth) OVER (PARTITION BY event_type, same ORDER BY nth) AS next
                  FROM as_delivered)
        ), events AS (
            SELECT arg_max(kept.row, nth) AS row, min(known_from) AS known_from,
                   min(known_from) FILTER (NOT kept.own_money) AS funded_from,
                   arg_min(kept.ended, nth) FILTER (kept.ended IS NOT NULL) AS own_end,
                   min(known_from) FILTER (kept.ended IS NOT NULL) AS own_from,
                   min(delivered_to) FILTER (left_out) AS left_out_after
            FROM followed GROUP BY event_type, same
        )
        SELECT j.* EXCLUDE (known_from, nth), e.* EXCLUDE (row)
        FROM {JOINED} j JOIN events e ON j.rowid = e.row
        """,
        table=UNIQUE,
    )


def _end_events(connection: duckdb.DuckDBPyConnection, latest: str) -> None:
    """Say when each event ended: by its own end, by cropping, or by the person's death.

    The person's death is what the latest delivery that has the person says. The end an event was
    first known to have is that which was told first: its own, that it was left out, or the death.
    """
    gone = f"event_type = 'Service' AND event_end_date IS NULL AND delivery < {literal(latest)}"
    everything = ", ".join(ident(c) for c in ("event_start_date", PERSON, *READ, *PLACE))
    by_absence = f"left_out_after < coalesce(own_from, {FAR})"
    by_death = f"died IS NOT NULL AND died_from < coalesce(told_from, {FAR})"
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {KNOWN} AS
        WITH deaths AS (
            SELECT {PERSON}, min(known_from) AS died_from
            FROM {JOINED} WHERE date_of_death IS NOT NULL GROUP BY {PERSON}
        ), dated AS (
            SELECT u.*, {gone} AS cropped,
                   first_value(date_of_death) OVER (
                       PARTITION BY {PERSON} ORDER BY delivery DESC, date_of_death DESC NULLS LAST
                   ) AS died, died_from
            FROM {UNIQUE} u LEFT JOIN deaths USING ({PERSON})
        ), ended AS (
            SELECT *, least(
                       CASE WHEN cropped THEN delivered_to ELSE event_end_date END, died
                   ) AS derived_end_date,
                   CASE WHEN {by_absence} THEN left_out_after ELSE own_end END AS told_end,
                   CASE WHEN {by_absence} THEN left_out_after + 1 ELSE own_from END AS told_from
            FROM dated
        )
        SELECT row_number() OVER (ORDER BY {everything}) AS event_id,
               * EXCLUDE (own_end, own_from, left_out_after, died, died_from, told_end, told_from),
               CASE WHEN derived_end_date IS NOT NULL THEN greatest(
                   event_start_date,
                   CASE WHEN {by_death} THEN died
                        WHEN died_from = told_from THEN least(told_end, died)
                        ELSE told_end END
               ) END AS first_end,
               CASE WHEN derived_end_date IS NOT NULL
                    THEN CASE WHEN {by_death} THEN died_from ELSE told_from END END AS ended_from
        FROM ended
        WHERE derived_end_date IS NULL OR derived_end_date >= event_start_date
        """,
        table=KNOWN,
    )
