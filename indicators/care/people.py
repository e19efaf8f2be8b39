"""What is so of a person at the end of the period, whichever event is looked at.

Belongs here: the latest known accommodation, and how community support is arranged. Does not belong
here: anything that goes into a figure of a person: these are columns that areas are counted by.

Accommodation is ASCOF 2E (the latest known status; unknown stays in the denominator); how support
is arranged is ASCOF 3D parts 1a and 2a (people in residential or nursing care are not counted).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.events import INVALID, PERSON, ClientLevelData
from indicators.care.joining import KNOWN
from indicators.care.phrases import within
from indicators.care.quality import clean
from indicators.care.support import LONG_TERM
from warehouse.connection import run
from warehouse.sql import literal

if TYPE_CHECKING:
    import duckdb

    from declarations.contracts import Contract

HOMES, ARRANGED = "care_homes", "care_arranged"
SETTLED, NOT_SETTLED, NOT_KNOWN = "settled", "not settled", "not known"
DIRECT, MANAGED, OTHER = "direct payment", "managed personal budget", "other"


def make_people(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rules: ClientLevelData
) -> None:
    """Make the tables of people's accommodation and of how their support is arranged."""
    _homes(connection, contract, rules)
    _arranged(connection, rules)


def _homes(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rules: ClientLevelData
) -> None:
    """Take the accommodation of the latest delivery and event that knows one."""
    status = clean(contract, "accommodation_status")
    unknown = within(status, [*rules.unknown_accommodation, INVALID])
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {HOMES} AS
        WITH homes AS (
            SELECT {PERSON}, first({status} ORDER BY delivery DESC, event_start_date DESC, {status})
                       FILTER ({status} IS NOT NULL AND NOT {unknown}) AS accommodation_now
            FROM {KNOWN} GROUP BY {PERSON}
        )
        SELECT *, CASE WHEN {within("accommodation_now", rules.settled)} THEN {literal(SETTLED)}
                       WHEN accommodation_now IS NULL THEN {literal(NOT_KNOWN)}
                       ELSE {literal(NOT_SETTLED)} END AS settled
        FROM homes
        """,
        table=HOMES,
    )


def _arranged(connection: duckdb.DuckDBPyConnection, rules: ClientLevelData) -> None:
    direct = (
        f"({within('delivery_mechanism', rules.direct_payment)} "
        f"OR {within('service_component', rules.direct_payment)})"
    )
    managed = within("delivery_mechanism", rules.managed_budget)
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {ARRANGED} AS
        SELECT {PERSON},
               CASE WHEN bool_or(is_community AND {direct}) THEN {literal(DIRECT)}
                    WHEN bool_or(is_community AND {managed}) THEN {literal(MANAGED)}
                    ELSE {literal(OTHER)} END AS self_directed
        FROM {LONG_TERM} WHERE long_term_at_year_end
        GROUP BY {PERSON} HAVING bool_or(is_community) AND NOT bool_or(is_residential)
        """,
        table=ARRANGED,
    )
