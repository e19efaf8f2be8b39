"""What follows something: a chain of events each of which begins soon after the last has ended.

Belongs here: the one rule by which the sequel of a request and that of an ST-Max episode are found.
Does not belong here: what a sequel counts as.

NHS England's rule (STS001, ASCOF 2A): the first event begins no later than so many days after the
end, each further one no later than so many days after the end of those before it; a longer gap ends
the chain. An event that began earlier and is still open at the end belongs to it, as in ASCOF 2A.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.events import PERSON
from indicators.care.joining import KNOWN
from indicators.care.known import FAR
from warehouse.connection import run

if TYPE_CHECKING:
    import duckdb


def make_chains(
    connection: duckdb.DuckDBPyConnection,
    starters: str,
    into: str,
    *,
    follows: str,
    first_days: int,
    related_days: int,
) -> None:
    """Make the table of the events that follow each starter: ``starter_id`` and the event.

    Parameters
    ----------
    starters : str
        Table with ``starter_id``, the person, ``starts``, ``ends`` and ``until``: the start of
        what takes its place, from which on nothing belongs to it, or NULL.
    into : str
        Name of the table to make: ``starter_id, nth`` and the columns of the event.
    follows : str
        SQL condition of the events that may follow.
    first_days, related_days : int
    """
    order = "e.event_start_date, e.derived_end_date NULLS LAST, e.event_id"
    before = f"PARTITION BY s.starter_id ORDER BY {order}"
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {into} AS
        WITH onward AS (
            SELECT s.starter_id, e.*, row_number() OVER ({before}) AS nth,
                   e.event_start_date - s.ends AS after_end,
                   e.event_start_date - greatest(s.ends, max(coalesce(e.derived_end_date, {FAR}))
                       OVER ({before} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS gap
            FROM {starters} s JOIN {KNOWN} e USING ({PERSON})
            WHERE ({follows}) AND e.event_start_date >= s.starts
              AND (e.event_start_date >= s.ends
                   OR e.derived_end_date IS NULL OR e.derived_end_date >= s.ends)
              AND (s.until IS NULL OR e.event_start_date < s.until)
        ), linked AS (
            SELECT *, bool_and(CASE WHEN nth = 1 THEN after_end <= {first_days}
                                    ELSE gap <= {related_days} END)
                          OVER (PARTITION BY starter_id ORDER BY nth
                                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS in_chain
            FROM onward
        )
        SELECT * EXCLUDE (after_end, gap, in_chain) FROM linked WHERE in_chain
        """,
        table=into,
    )


def cluster_sql(condition: str, gap_days: int) -> str:
    """Return the SELECT of a person's events of one kind with the number of their cluster.

    Parameters
    ----------
    condition : str
        SQL condition of the events.
    gap_days : int
        Longest gap between the end of what came before and the next start within a cluster.
        Nothing begins after an event that is still open.
    """
    before = f"PARTITION BY {PERSON} ORDER BY event_start_date, ends, event_id"
    return f"""
        SELECT *, sum(CASE WHEN begins THEN 1 ELSE 0 END) OVER ({before}) AS cluster
        FROM (
            SELECT *, coalesce(event_start_date - max(ends) OVER (
                       {before} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                   ) > {gap_days}, true) AS begins
            FROM (SELECT *, coalesce(derived_end_date, {FAR}) AS ends
                  FROM {KNOWN} WHERE {condition})
        )"""
