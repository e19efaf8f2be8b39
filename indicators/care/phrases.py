"""Pieces of SQL that several steps need.

Belongs here: a list of declared values as a condition or as an order. Does not belong here: any
table.
"""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.sql import literal


def within(column: str, values: Sequence[str]) -> str:
    """Return the condition that a column has one of the values; false where it has none."""
    if not values:
        return "false"
    return f"coalesce({column} IN ({', '.join(map(literal, values))}), false)"


def ranked(column: str, values: Sequence[str]) -> str:
    """Return the place of a column's value in an order, from 1; one more than all if not in it."""
    whens = " ".join(f"WHEN {literal(v)} THEN {n}" for n, v in enumerate(values, start=1))
    return f"CASE {column} {whens} ELSE {len(values) + 1} END"


def services(types: Sequence[str], clients: Sequence[str]) -> str:
    """Return the condition of a service of one of the types that a client receives."""
    return (
        f"event_type = 'Service' AND {within('client_type', clients)} "
        f"AND {within('service_type', types)}"
    )
