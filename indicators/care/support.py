"""Support received: long-term in the year and at its end, new admissions, and what followed ST-Max.

Belongs here: the tables of rows that are such support, one row an event. Does not belong here: what
is so of a person whatever the event (``people.py``).

Long-term support is NHS England's LTS001a and LTS001b; admissions are ASCOF 2B and 2C; ST-Max is
ASCOF 2A. Where this departs: an admission is new if no residential or nursing care ended within the
declared days before it, the day itself included (the published script leaves that one day out); an
ST-Max episode is counted once all that can follow it has been seen, `sequel_days` after its end.
ASCOF 2B and 2C are of support the council arranges: a stay the person pays for, or under the twelve
weeks' disregard, is no admission, and does not stand in the way of a later one either. What is
recorded late is counted when it becomes known (``known.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.events import PERSON, ClientLevelData
from indicators.care.chains import cluster_sql, make_chains
from indicators.care.joining import KNOWN
from indicators.care.known import counted_on, settled_sql
from indicators.care.phrases import ranked, services, within
from warehouse.connection import run

if TYPE_CHECKING:
    import duckdb

    from indicators.care.span import Span

LONG_TERM, ADMISSIONS = "care_long_term", "care_admissions"
EPISODES, NEW_EPISODES, EPISODE_CHAIN = "care_st_max", "care_st_max_new", "care_st_max_chain"
RECEIVED, SHORT_TERM = "care_st_max_received", "care_short_term"
ONGOING, NO_ONGOING, LEFT_OUT = "ongoing support", "no ongoing support", "left out"


def make_support(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, span: Span) -> None:
    """Make the tables of long-term support, of new admissions and of ST-Max."""
    _long_term(connection, rules, span)
    _admissions(connection, rules, span)
    _episodes(connection, rules)
    _new_clients(connection, rules)
    make_chains(
        connection, NEW_EPISODES, EPISODE_CHAIN,
        follows=f"NOT ({services(rules.short_term_max, rules.clients)})",
        first_days=rules.short_term_sequel_days, related_days=rules.related_days,
    )  # fmt: skip
    _outcomes(connection, rules, span)


def _long_term(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, span: Span) -> None:
    at_end = (
        f"event_start_date <= DATE '{span.ends}' "
        f"AND coalesce(derived_end_date >= DATE '{span.ends}', true)"
    )
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {LONG_TERM} AS
        SELECT event_id, {PERSON}, service_component, delivery_mechanism,
               {within("service_type", rules.residential)} AS is_residential,
               {within("service_type", rules.community)} AS is_community,
               event_start_date <= DATE '{span.ends}'
                   AND coalesce(derived_end_date >= DATE '{span.starts}', true)
                   AS long_term_in_year,
               {at_end} AS long_term_at_year_end
        FROM {KNOWN} WHERE {services(rules.long_term, rules.clients)}
        """,
        table=LONG_TERM,
    )


def _admissions(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, span: Span) -> None:
    """Find the stays before which there was none for the declared days; one row a day.

    Of these, those that the delivery's own months count. A stay before others that were known
    earlier is counted when the first of them was: one of them stood for the admission then.
    """
    counted = counted_on("t.began", "t.known_from", span)
    look_back = rules.residential_look_back_days
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {ADMISSIONS} AS
        WITH stays AS (
            SELECT event_id, {PERSON}, event_start_date AS began, derived_end_date AS ended,
                   funded_from AS known_from
            FROM {KNOWN}
            WHERE {services(rules.residential, rules.clients)}
              AND NOT {within("event_outcome", rules.self_funded)}
        ), admitted AS (
            SELECT * FROM stays s
            WHERE NOT EXISTS (
                SELECT 1 FROM stays e
                WHERE e.{PERSON} = s.{PERSON} AND e.began < s.began
                  AND (e.ended IS NULL OR s.began - e.ended <= {look_back})
            )
            QUALIFY row_number() OVER (PARTITION BY {PERSON}, began ORDER BY event_id) = 1
        )
        SELECT a.event_id FROM admitted a JOIN stays t
          ON t.{PERSON} = a.{PERSON} AND t.began >= a.began
         AND (a.ended IS NULL OR t.began - a.ended <= {look_back})
        GROUP BY a.event_id HAVING {span.counts_sql(f"min({counted})")}
        """,
        table=ADMISSIONS,
    )


def _episodes(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData) -> None:
    """Put ST-Max services with hardly a gap between them together; those still open do not count.

    Where services of an episode end on the same day, the outcome first in the order is its own.
    """
    received = services(rules.short_term_max, rules.clients)
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE {RECEIVED} AS "
        f"{cluster_sql(received, rules.short_term_gap_days)}",
        table=RECEIVED,
    )
    last = f"ends DESC, {ranked('event_outcome', rules.outcome_order)}, event_id"
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {EPISODES} AS
        SELECT *, lead(starts) OVER (PARTITION BY {PERSON} ORDER BY cluster) AS until
        FROM (
            SELECT {PERSON}, cluster, min(event_start_date) AS starts, max(ends) AS ends,
                   bool_or(derived_end_date IS NULL) AS still_open,
                   first(event_id ORDER BY event_start_date, ends, event_id) AS starter_id,
                   first(event_outcome ORDER BY {last}) AS outcome
            FROM {RECEIVED} GROUP BY ALL
        )
        """,
        table=EPISODES,
    )


def _new_clients(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData) -> None:
    """Keep the episodes that have ended, of people with no long-term support for so long before."""
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {NEW_EPISODES} AS
        SELECT * FROM {EPISODES} s WHERE NOT still_open AND NOT EXISTS (
            SELECT 1 FROM {KNOWN} e
            WHERE {services(rules.long_term, rules.clients)} AND e.{PERSON} = s.{PERSON}
              AND e.event_start_date < s.starts
              AND (e.derived_end_date IS NULL
                   OR s.starts - e.derived_end_date < {rules.new_client_days})
        )
        """,
        table=NEW_EPISODES,
    )


def _outcomes(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, span: Span) -> None:
    """Say what followed each episode: a service, or the outcome of what else followed, or its own.

    Low-level and other short-term services count as no ongoing support, as in ASCOF 2A.
    """
    lasting = services(rules.long_term, rules.clients)
    other = services(rules.sequel_order, rules.clients)
    versions = (
        f"SELECT {PERSON}, cluster, known_from AS level, 1 AS opens, CAST(NULL AS DATE) AS ends "
        f"FROM {RECEIVED} UNION ALL "
        f"SELECT {PERSON}, cluster, ended_from, -1, first_end FROM {RECEIVED} "
        "WHERE derived_end_date IS NOT NULL"
    )
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {SHORT_TERM} AS
        WITH followed AS (
            SELECT starter_id, bool_or({lasting}) AS lasting, bool_or({other}) AS other,
                   first(event_outcome ORDER BY derived_end_date DESC NULLS LAST,
                         {ranked("event_outcome", rules.outcome_order)}, event_id)
                       FILTER ({within("event_outcome", rules.no_progress)}) AS outcome
            FROM {EPISODE_CHAIN} GROUP BY starter_id
        ), settled AS ({settled_sql(versions, rules.sequel_days, span)})
        SELECT n.starter_id AS event_id, k.settled_on AS short_term_known_on,
               CASE WHEN f.lasting THEN '{ONGOING}'
                    WHEN f.other THEN '{NO_ONGOING}'
                    WHEN {within("coalesce(f.outcome, n.outcome)", rules.no_ongoing)}
                    THEN '{NO_ONGOING}' ELSE '{LEFT_OUT}' END AS short_term_sequel
        FROM {NEW_EPISODES} n JOIN settled k USING ({PERSON}, cluster)
        LEFT JOIN followed f USING (starter_id)
        """,
        table=SHORT_TERM,
    )
