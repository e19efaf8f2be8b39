"""Directly standardised rates as rows of published figures.

Columns: those of the published figures. ``numerator`` and ``denominator`` are the sums over the
groups, ``value`` is the rate with the standard population's ages, ``lower_ci`` and ``upper_ci`` are
Dobson's interval.

Made from the published rates of the groups for the same area and period. A group that is hidden
hides the rate: ``[c]``; one that is missing makes it ``[x]``; one without people ``[z]``. With
fewer than 10 events in all groups it is ``[u]`` without a value, though the sums stay. ``[e]``
marks a rate of which a group is estimated.

Rounding to the nearest 5 moves each group's count by at most 2, with a variance of 2 beside the
group's own. The interval does not allow for it: it is too narrow by about a fiftieth where the
groups have 50 events each, and by a fifth where they have 5.

Belongs here: joining the groups. Does not belong here: the rate (``indicators/intervals.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from indicators.derived.parts import gathered, notes_of, parts_of
from indicators.derived.reading import RATE_SCHEMA, leading, stacked, written
from indicators.intervals import LEAST_STANDARDISED, dobson
from indicators.rates import ESTIMATED, HIDDEN, LOW_RELIABILITY, MISSING, NOT_APPLICABLE

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator


def standardised_table(
    con: duckdb.DuckDBPyConnection, shown: str, areas: str, declarations: RegionDeclarations
) -> pa.Table:
    """Return the rows of every indicator of kind standardised.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        Table of published figures, with the rates of the groups.
    areas : str
        Not read: the groups' figures name their areas.
    declarations : RegionDeclarations

    Returns
    -------
    pyarrow.Table
        Columns of published figures, ordered by indicator, level, period and area; a row for each
        area and period of its levels for which any group has a row.

    Raises
    ------
    ConfigurationError
        If a group is no rate, or none the region declares.
    """
    wanted = [i for _, i in sorted(declarations.indicators.items()) if i.standardised]
    tables = [_rows(con, shown, indicator, declarations) for indicator in wanted]
    return stacked(tables, RATE_SCHEMA)


def _rows(
    con: duckdb.DuckDBPyConnection,
    shown: str,
    indicator: Indicator,
    declarations: RegionDeclarations,
) -> pa.Table:
    strata = indicator.standardised.strata if indicator.standardised else []
    names = [s.indicator for s in strata]
    figures, parts, places = parts_of(con, shown, indicator, names, "rate", declarations)
    if not len(figures):
        return RATE_SCHEMA.empty_table()
    x, n = gathered(parts, places, "numerator"), gathered(parts, places, "denominator")
    absent = gathered(parts, places, "missing")
    missing = np.array([[a is None or bool(a) for a in row] for row in absent]).any(axis=1)
    estimated = (gathered(parts, places, "estimated") == True).any(axis=1)  # noqa: E712
    rate = dobson(x, n, [s.weight for s in strata], multiplier=indicator.multiplier)
    total = x.sum(axis=1)
    status = np.full(len(figures), None, dtype=object)
    status[estimated] = ESTIMATED
    # The weakest reason first, so that a stronger one overwrites it.
    status[total < LEAST_STANDARDISED] = LOW_RELIABILITY
    status[(n == 0).any(axis=1)] = NOT_APPLICABLE
    status[np.isnan(x + n).any(axis=1)] = HIDDEN
    status[missing] = MISSING
    size = len(figures)
    told = ~np.isnan(rate.value)
    return written(
        {
            **leading(figures),
            "indicator_id": [indicator.id] * size,
            "numerator": total,
            "denominator": n.sum(axis=1),
            "estimated": estimated,
            "note_id": notes_of(gathered(parts, places, "note_id")),
            "missing": missing,
            "value": rate.value,
            "lower_ci": rate.lower,
            "upper_ci": rate.upper,
            "ci_method": np.where(told, "dobson", "none"),
            "value_status": status,
            "unit": [indicator.unit] * size,
        },
        RATE_SCHEMA,
    )
