"""What became of everything a source sent: one table whose sums always close.

Belongs here: the outcomes, counting them from the placed records, and the proof that for each
quantity received = placed + apportioned + out of region + not placed.
Does not belong here: placing (``geography/``), or what of it may be published
(``publishing/release_tables.py``).

==============  ====================================================================================
received        everything the file held; detail is 'all'
placed          in one area of the region as a whole; detail is the method
apportioned     split over areas by weights: a practice over the areas of its patients, an area of
                2011 over those of 2021; detail is the method. What of it falls outside the region
                is under 'out of region', or under 'not placed' if its area is not known
out of region   the area is known and is not one of the region's; detail is the reason
not placed      no area could be found; detail is the reason. Rows of the file that never became
                records (broken, duplicate, a formula in a cell) are here
==============  ====================================================================================

A row counts once: as apportioned if any part of it is in the region.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from declarations.errors import GeographyError
from geography.placement import PlacementReport
from geography.sql import ident

if TYPE_CHECKING:
    import duckdb

RECEIVED = "received"
PLACED = "placed"
APPORTIONED = "apportioned"
OUT_OF_REGION = "out of region"
NOT_PLACED = "not placed"
ACCOUNTED = (PLACED, APPORTIONED, OUT_OF_REGION, NOT_PLACED)
"""The outcomes that make up what was received, in the order in which they are shown."""

ROWS = "rows"
"""The quantity that every source has; the others are its additive columns."""
ALL = "all"

SPLIT_METHODS = ("practice_apportioned",)
SPLIT_CONVERSIONS = ("split_weighted", "complex")
OUTSIDE_REASONS = ("out_of_region",)

Line = tuple[str, str, str, int]
"""Quantity, outcome, detail, amount."""


def account(
    connection: duckdb.DuckDBPyConnection,
    placed: str,
    report: PlacementReport,
    excluded: Mapping[str, int],
) -> list[Line]:
    """Count what became of the rows and of each additive quantity.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the placed records.
    placed : str
        Table made by `geography.placement.place`.
    report : PlacementReport
        What placing received, counted before anything was placed.
    excluded : mapping of str to int
        Rows of the file that were never given to placing, by reason.

    Returns
    -------
    list of Line
    """
    found: list[Line] = [
        (ROWS, RECEIVED, ALL, report.received + sum(excluded.values())),
        *((ROWS, NOT_PLACED, reason, n) for reason, n in excluded.items() if n),
        *((ROWS, *line) for line in connection.execute(_rows_sql(placed)).fetchall()),
    ]
    for column, total in sorted(report.values_received.items()):
        found.append((column, RECEIVED, ALL, int(total)))
        lines = connection.execute(_values_sql(placed, column)).fetchall()
        found.extend((column, *line) for line in lines)
    return found


def check_closes(lines: Iterable[Line], source_id: str, period: str) -> None:
    """Stop unless every quantity of a delivery is accounted for to the last unit.

    Raises
    ------
    GeographyError
        If what became of a quantity does not add up to what was received.
    """
    received: Counter[str] = Counter()
    accounted: Counter[str] = Counter()
    for quantity, outcome, _, amount in lines:
        (received if outcome == RECEIVED else accounted)[quantity] += amount
    for quantity in sorted({*received, *accounted}):
        rest = received[quantity] - accounted[quantity]
        if rest:
            raise GeographyError(
                f"The accounting of {source_id} for {period} does not close: of {quantity} "
                f"{received[quantity]:,} were received and {accounted[quantity]:,} are accounted "
                f"for, a difference of {rest:,}",
                "Use nothing of this delivery, and report the fault with the source's declaration",
            )


def differences(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], int]:
    """Return the difference of every account: source, period and quantity; 0 where it closes.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of the table ``accounting``. An account with protected amounts cannot be judged and is
        left out: it closed at the agency, before its amounts were rounded or hidden.
    """
    rest: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if row.get("protected"):
            continue
        account_of = (row["source_id"], row["period"], row["quantity"])
        sign = 1 if row["outcome"] == RECEIVED else -1
        rest[account_of] = rest.get(account_of, 0) + sign * row["amount"]
    return rest


def totals(rows: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Return the rows of each source by outcome, over all its periods; hidden ones left out."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        if row["quantity"] == ROWS and row["amount"] is not None:
            found.setdefault(row["source_id"], Counter())[row["outcome"]] += row["amount"]
    return found


def _outcome_sql(area: str, method: str, conversion: str, reason: str) -> str:
    def one_of(values: tuple[str, ...]) -> str:
        return ", ".join(f"'{v}'" for v in values)

    return f"""
    CASE WHEN {area} AND ({method} IN ({one_of(SPLIT_METHODS)})
                          OR {conversion} IN ({one_of(SPLIT_CONVERSIONS)})) THEN '{APPORTIONED}'
         WHEN {area} THEN '{PLACED}'
         WHEN {reason} IN ({one_of(OUTSIDE_REASONS)}) THEN '{OUT_OF_REGION}'
         ELSE '{NOT_PLACED}' END"""


def _rows_sql(placed: str) -> str:
    """Count records by outcome and by method or reason; all parts of one have the same method."""
    outcome = _outcome_sql("method IS NOT NULL", "method", "conversion", "reason")
    return f"""
    SELECT {outcome} AS outcome, coalesce(method, reason) AS detail, count(*) AS amount
    FROM (SELECT min(geo_method) FILTER (lsoa21cd IS NOT NULL) AS method,
                 min(geo_conversion) FILTER (lsoa21cd IS NOT NULL) AS conversion,
                 min(geo_reason) AS reason
          FROM {ident(placed)} GROUP BY record_id)
    GROUP BY ALL ORDER BY ALL
    """


def _values_sql(placed: str, column: str) -> str:
    """Sum an additive column by outcome and by method or reason."""
    outcome = _outcome_sql("lsoa21cd IS NOT NULL", "geo_method", "geo_conversion", "geo_reason")
    return f"""
    SELECT {outcome} AS outcome,
           CASE WHEN lsoa21cd IS NOT NULL THEN geo_method ELSE geo_reason END AS detail,
           CAST(coalesce(sum({ident(column)}), 0) AS BIGINT) AS amount
    FROM {ident(placed)} GROUP BY ALL ORDER BY ALL
    """
