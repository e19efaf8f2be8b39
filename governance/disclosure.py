"""Profile ``hide0-r5``: the rule every published count goes through.

Counts of 0 to 4 carry one marker, ``[c]``, so that a true zero cannot be told from a small count;
counts of 5 and more are rounded to the nearest 5. Source: domain dossier, sections 3.3 and 3.6 (of
the rules measured there, the one with the fewest recoveries).
Does not belong here: rates (they are recomputed afterwards, from the protected counts).
"""

from __future__ import annotations

from declarations.errors import DisclosureError
from warehouse.sql import ident

HIDE_BELOW = 5
"""Counts below this are hidden, zero included."""

ROUND_TO = 5
"""Counts that are shown are rounded to the nearest multiple of this."""

CONFIDENTIAL = "[c]"


def protect_count(count: int | None) -> int | None:
    """Return a count as it may be published, or None where it is hidden or missing.

    Raises
    ------
    DisclosureError
        If the count is negative: then it is no count, and rounding would not protect it.
    """
    if count is None:
        return None
    if count < 0:
        raise DisclosureError("A negative number came where a count was expected")
    if count < HIDE_BELOW:
        return None
    return (count + ROUND_TO // 2) // ROUND_TO * ROUND_TO


def protect_sql(column: str) -> str:
    """Return the SQL twin of `protect_count` for an integer column."""
    name = ident(column)
    return (
        f"CASE WHEN {name} >= {HIDE_BELOW} "
        f"THEN ({name} + {ROUND_TO // 2}) // {ROUND_TO} * {ROUND_TO} END"
    )
