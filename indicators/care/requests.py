"""Requests for support: which are one, which are new, what they led to, how long it took.

Belongs here: the table of new requests, one row each. Does not belong here: the events that follow
in general (``chains.py``).

Clusters and new clients are NHS England's STS001. Waits are DHSC's provisional method 1.1: the
time from a new request that was to lead to something to the first assessment or service, and to
the first service, by the date of these; a request made while an earlier one still waits starts no
wait of its own. A request has an end in DHSC's specification (only services may have none): one
without is left out until it has one. Where this departs: a request is dated by the day the first of
its cluster was completed rather than the last, so that a cluster that goes on is counted in one
quarter only; long term support counts as open at a request from the day before it (a service that
starts on the day of the request is its answer); whether an assessment showed progress is not looked
at. What is recorded late is counted when it becomes known (``known.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.events import PERSON, ClientLevelData
from indicators.care.chains import cluster_sql, make_chains
from indicators.care.joining import KNOWN
from indicators.care.known import counted_on, settled_sql
from indicators.care.phrases import ranked, services, within
from warehouse.connection import run
from warehouse.sql import literal

if TYPE_CHECKING:
    import duckdb

    from indicators.care.span import Span

ASKED = "care_requests_asked"
CLUSTERS, STARTERS, CHAIN = "care_request_clusters", "care_request_starters", "care_request_chain"
SEQUELS, WAITS, REQUESTS = "care_request_sequels", "care_request_waits", "care_requests"
NO_SERVICE = "No service"


def make_requests(
    connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, span: Span
) -> None:
    """Make the table of new requests: ``event_id`` of the first row of each, and what follows."""
    _cluster(connection, rules, span)
    _new_ones(connection, rules)
    make_chains(
        connection, STARTERS, CHAIN, follows="e.event_type <> 'Request'",
        first_days=rules.sequel_days, related_days=rules.related_days,
    )  # fmt: skip
    _sequels(connection, rules)
    _waits(connection, rules, span)
    _together(connection, rules, span)


def _cluster(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, span: Span) -> None:
    asked = (
        f"event_type = 'Request' AND {within('client_type', rules.clients)} "
        "AND derived_end_date IS NOT NULL"
    )
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE {ASKED} AS {cluster_sql(asked, rules.request_gap_days)}",
        table=ASKED,
    )
    last = f"ends DESC, {ranked('event_outcome', rules.outcome_order)}, event_id"
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS
        SELECT {PERSON}, cluster, min(event_start_date) AS starts, max(ends) AS ends,
               min({counted_on("first_end", "ended_from", span)}) AS completed_on,
               min(ended_from) AS known_from,
               first(event_id ORDER BY event_start_date, ends, event_id) AS starter_id,
               first(event_outcome ORDER BY {last}) AS outcome
        FROM {ASKED} GROUP BY ALL
        """,
        table=CLUSTERS,
    )


def _new_ones(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData) -> None:
    """Keep the requests at whose start the person had no long-term support."""
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {STARTERS} AS
        WITH supported AS (
            SELECT {PERSON}, event_start_date AS began, derived_end_date AS ended
            FROM {KNOWN} WHERE {services(rules.long_term, rules.clients)}
        ), following AS (
            SELECT *, lead(starts) OVER (PARTITION BY {PERSON} ORDER BY cluster) AS until
            FROM {CLUSTERS}
        )
        SELECT * FROM following c
        WHERE NOT EXISTS (
            SELECT 1 FROM supported s
            WHERE s.{PERSON} = c.{PERSON} AND s.began < c.starts
              AND (s.ended IS NULL OR s.ended >= c.starts)
        )
        """,
        table=STARTERS,
    )


def _sequels(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData) -> None:
    """Take the weightiest service of each chain."""
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {SEQUELS} AS
        SELECT starter_id,
               first(service_type ORDER BY {ranked("service_type", rules.sequel_order)},
                     event_id) AS sequel
        FROM {CHAIN} WHERE {services(rules.sequel_order, rules.clients)} GROUP BY starter_id
        """,
        table=SEQUELS,
    )


def _waits(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, span: Span) -> None:
    """Find the first answers to each new request that was to lead to something.

    A wait is counted once the request and any answer to it are known: an earlier answer that is
    recorded later still makes it shorter, but not another wait.
    """
    counted = counted_on("a.began", "greatest(a.known_from, s.known_from)", span)
    service = services(rules.sequel_order, rules.clients)
    answer = f"(event_type = 'Assessment' AND {within('client_type', rules.clients)})"
    order = f"PARTITION BY {PERSON} ORDER BY starts, starter_id"
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {WAITS} AS
        WITH answers AS (
            SELECT {PERSON}, event_start_date AS began, known_from, ({service}) AS is_service
            FROM {KNOWN} WHERE {answer} OR ({service})
        ), answered AS (
            SELECT s.starter_id, s.{PERSON}, s.starts, min(a.began) AS response_on,
                   min(a.began) FILTER (a.is_service) AS service_on,
                   min({counted}) AS response_counted_on,
                   min({counted}) FILTER (a.is_service) AS service_counted_on
            FROM {STARTERS} s
            LEFT JOIN answers a ON a.{PERSON} = s.{PERSON} AND a.began >= s.starts
            WHERE NOT {within("s.outcome", rules.no_progress)}
            GROUP BY ALL
        ), held AS (
            SELECT *, coalesce(max(greatest(response_on, service_on)) OVER (
                       {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                   ) >= starts, false) AS waits_already
            FROM answered
        )
        SELECT starter_id,
               response_counted_on AS response_on, response_on - starts AS response_days,
               service_counted_on AS service_on, service_on - starts AS service_days
        FROM held WHERE NOT waits_already
        """,
        table=WAITS,
    )


def _together(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData, span: Span) -> None:
    versions = (
        f"SELECT {PERSON}, cluster, ended_from AS level, 0 AS opens, first_end AS ends FROM {ASKED}"
    )
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {REQUESTS} AS
        WITH settled AS ({settled_sql(versions, rules.sequel_days, span)})
        SELECT s.starter_id AS event_id, s.completed_on AS request_completed_on,
               coalesce(q.sequel, '{NO_SERVICE}') AS request_sequel,
               k.settled_on AS sequel_known_on,
               w.response_on, {_band("w.response_days", rules)} AS response_wait,
               w.service_on, {_band("w.service_days", rules)} AS service_wait
        FROM {STARTERS} s JOIN settled k USING ({PERSON}, cluster)
        LEFT JOIN {SEQUELS} q USING (starter_id)
        LEFT JOIN {WAITS} w USING (starter_id)
        """,
        table=REQUESTS,
    )


def _band(days: str, rules: ClientLevelData) -> str:
    """Return the SQL of the band of a number of days; NULL where there is none."""
    limits = zip(rules.wait_limits, rules.wait_bands, strict=False)
    whens = " ".join(f"WHEN {days} <= {limit} THEN {literal(name)}" for limit, name in limits)
    return f"CASE {whens} WHEN {days} IS NOT NULL THEN {literal(rules.wait_bands[-1])} END"
