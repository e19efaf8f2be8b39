"""The table of events that a contract's counts are made from.

Belongs here: the order of the steps, and putting their columns beside each event. Does not belong
here: any rule, which is the steps' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from declarations.contracts import Contract
from declarations.events import PERSON, ClientLevelData
from indicators.care.joining import KNOWN, KNOWN_SINCE, join_deliveries
from indicators.care.people import ARRANGED, HOMES, make_people
from indicators.care.phrases import services, within
from indicators.care.quality import checked_sql, clean
from indicators.care.requests import REQUESTS, make_requests
from indicators.care.span import Span
from indicators.care.support import ADMISSIONS, LONG_TERM, SHORT_TERM, make_support
from warehouse.connection import run
from warehouse.sql import ident

if TYPE_CHECKING:
    import duckdb

EVENTS = "care_events"


def make_events(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rules: ClientLevelData,
    deliveries: Mapping[str, str],
    months: int,
) -> None:
    """Make the temporary table `EVENTS`: one row an event, as known at the end of a delivery.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    contract : Contract
        Whose code lists say which values are valid.
    rules : ClientLevelData
        ``contract.events``.
    deliveries : mapping of str to str
        Table or view of the placed records of each delivery, by its month; the latest is the one
        whose counts are made, the others are looked back into. With one alone only what that
        delivery holds is known: an admission then counts as new unless an earlier stay reaches into
        the months it covers, no service is cropped, and nothing is known to be recorded late.
    months : int
        Months to its end that a delivery is counted for; 0 for a source delivered once.
    """
    span = Span(max(deliveries), rules.covers_months, months)
    join_deliveries(connection, deliveries, rules, span)
    make_requests(connection, rules, span)
    make_support(connection, rules, span)
    make_people(connection, contract, rules)
    _beside_each_other(connection, contract, rules, span)


def _beside_each_other(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rules: ClientLevelData,
    span: Span,
) -> None:
    checked, invalid = checked_sql(contract, rules)
    cleaned = "".join(f", {clean(contract, c)} AS {ident(c + '_clean')}" for c in rules.cleaned)
    in_year = (
        f"event_start_date <= DATE '{span.ends}' "
        f"AND coalesce(derived_end_date >= DATE '{span.starts}', true)"
    )
    long_term = services(rules.long_term, rules.clients)
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {EVENTS} AS
        SELECT k.* EXCLUDE (delivered_to, {", ".join(KNOWN_SINCE)}),
               r.event_id IS NOT NULL AS new_request, r.* EXCLUDE (event_id),
               coalesce(l.long_term_in_year, false) AS long_term_in_year,
               coalesce(l.long_term_at_year_end, false) AS long_term_at_year_end,
               coalesce(l.long_term_at_year_end AND l.is_community, false)
                   AND a.{PERSON} IS NOT NULL AS community_at_year_end,
               a.self_directed,
               d.event_id IS NOT NULL AS new_admission,
               t.short_term_known_on, t.short_term_sequel,
               {within("primary_support_reason", rules.learning_disability)}
                   AND {long_term} AS learning_disability,
               {within("age_band", rules.working_age)} AS working_age,
               h.settled, h.accommodation_now, {in_year} AS known_in_year,
               {checked} AS values_checked, {invalid} AS values_invalid{cleaned}
        FROM {KNOWN} k
        LEFT JOIN {REQUESTS} r USING (event_id)
        LEFT JOIN (SELECT * EXCLUDE ({PERSON}, service_component, delivery_mechanism)
                   FROM {LONG_TERM}) l USING (event_id)
        LEFT JOIN {ADMISSIONS} d USING (event_id)
        LEFT JOIN {SHORT_TERM} t USING (event_id)
        LEFT JOIN {HOMES} h ON h.{PERSON} = k.{PERSON}
        LEFT JOIN {ARRANGED} a ON a.{PERSON} = k.{PERSON}
        """,
        table=EVENTS,
    )
