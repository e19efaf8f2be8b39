"""The accounting, one row per source, period and quantity: the SQL of the view ``v_accounting``.

Belongs here: laying the outcomes side by side, and what may be said of sums of protected amounts.
Does not belong here: the outcomes themselves (``intake/accounting.py``), or protecting.
"""

from __future__ import annotations

from intake.accounting import ACCOUNTED, RECEIVED
from warehouse.sql import ident, literal


def accounts_sql(table: str = "accounting") -> str:
    """Return the SELECT of the wide accounts.

    Parameters
    ----------
    table : str, default "accounting"
        Table in the columns of the dictionary's ``accounting``.

    Returns
    -------
    str
        source_id, agency, period, quantity, a BIGINT column for what was received and one for each
        outcome, ``closes`` (NULL where amounts are protected), ``hidden`` (how many amounts are).
        An outcome of which there is no row is 0; one of which all rows are hidden is NULL.
    """
    columns = ", ".join(
        f"{_amount_sql(outcome)} AS {outcome.replace(' ', '_')}" for outcome in ACCOUNTED
    )
    sums = " + ".join(outcome.replace(" ", "_") for outcome in ACCOUNTED)
    return f"""
    SELECT * EXCLUDE (any_protected, hidden),
           CASE WHEN NOT any_protected THEN received = {sums} END AS closes, hidden
    FROM (
        SELECT source_id, agency, period, quantity,
               CAST(sum(amount) FILTER (outcome = {literal(RECEIVED)}) AS BIGINT) AS received,
               {columns}, bool_or(protected) AS any_protected,
               count(*) FILTER (amount IS NULL) AS hidden
        FROM {ident(table)}
        GROUP BY source_id, agency, period, quantity
    )
    ORDER BY source_id, period, quantity
    """


def _amount_sql(outcome: str) -> str:
    """Sum the amounts that are shown."""
    rows = f"FILTER (outcome = {literal(outcome)})"
    return f"CASE WHEN count(*) {rows} = 0 THEN 0 ELSE CAST(sum(amount) {rows} AS BIGINT) END"
