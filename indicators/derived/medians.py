"""Medians as rows of published figures, from published shares of cases up to several limits.

Columns: those of the published figures. ``numerator`` is NULL, ``denominator`` the published number
of cases of the longest limit with a figure, ``value`` the median, ``lower_ci`` and ``upper_ci``
where the Wilson limits of the shares reach a half.

Cases are taken to be spread evenly between two limits: the further apart they are, the rougher the
median. Where fewer than half of the cases end by the last limit the median is longer than that:
NULL, ``[z]`` and the note ``median_beyond``. A limit whose share is hidden is passed over (note
``fewer_limits``), unless the half could be reached there: then ``[c]``. A limit of which a delivery
is missing makes it ``[x]``; no cases ``[z]``; fewer than the indicator's ``minimum_denominator``
``[u]``. The upper limit of the interval is NULL where it lies beyond the last limit, with the note
``interval_beyond``.

Rounding to the nearest 5 moves a share of 50 cases by at most 4 points, and the median by as much
of the distance between two limits as that is of their shares' difference.

Belongs here: joining the shares. Does not belong here: the median (``statistics/medians.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from indicators.derived.parts import gathered, notes_of, parts_of
from indicators.derived.reading import (
    RATE_SCHEMA,
    Figures,
    leading,
    stacked,
    within_of,
    written,
)
from indicators.notes import SEPARATOR, joined
from indicators.rates import ESTIMATED, HIDDEN, LOW_RELIABILITY, MISSING, NOT_APPLICABLE
from indicators.statistics.medians import HALF, median_from_shares

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator

BEYOND, INTERVAL_BEYOND, FEWER = "median_beyond", "interval_beyond", "fewer_limits"


def medians_table(
    con: duckdb.DuckDBPyConnection, shown: str, areas: str, declarations: RegionDeclarations
) -> pa.Table:
    """Return the rows of every indicator of kind median.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        Table of published figures, with the shares.
    areas : str
        Not read: the shares' figures name their areas.
    declarations : RegionDeclarations

    Returns
    -------
    pyarrow.Table
        Columns of published figures, ordered by indicator, level, period and area.

    Raises
    ------
    ConfigurationError
        If a share is none the region declares.
    """
    wanted = [i for _, i in sorted(declarations.indicators.items()) if i.median]
    return stacked([_rows(con, shown, i, declarations) for i in wanted], RATE_SCHEMA)


def _rows(
    con: duckdb.DuckDBPyConnection,
    shown: str,
    indicator: Indicator,
    declarations: RegionDeclarations,
) -> pa.Table:
    shares = indicator.median.shares if indicator.median else []
    names = [s.indicator for s in shares]
    figures, parts, places = parts_of(con, shown, indicator, names, "share", declarations)
    if not len(figures):
        return RATE_SCHEMA.empty_table()
    size = len(figures)
    x, n = gathered(parts, places, "numerator"), gathered(parts, places, "denominator")
    absent = gathered(parts, places, "missing")
    missing = np.array([[a is None or bool(a) for a in row] for row in absent]).any(axis=1)
    estimated = (gathered(parts, places, "estimated") == True).any(axis=1)  # noqa: E712
    median = median_from_shares(x, n, [s.upper for s in shares])
    known = ~np.isnan(x + n)
    cases = _last_known(n, known)
    empty = (n == 0).any(axis=1)
    few = cases < indicator.minimum_denominator
    most = _most(parts, places, [declarations.indicators[s.indicator] for s in shares])
    unclear = _could_be_hidden(x, n, most)
    beyond = np.isnan(median.value) & ~empty & ~unclear & ~missing & ~few
    status = np.full(size, None, dtype=object)
    status[estimated] = ESTIMATED
    # The weakest reason first, so that a stronger one overwrites it.
    status[few] = LOW_RELIABILITY
    status[beyond | empty] = NOT_APPLICABLE
    status[unclear] = HIDDEN
    status[missing] = MISSING
    told = np.array([s in (None, ESTIMATED) for s in status], dtype=bool)
    interval = indicator.interval == "wilson"
    open_end = told & interval & np.isnan(median.upper)
    reasons = (
        (BEYOND, beyond), (INTERVAL_BEYOND, open_end), (FEWER, told & ~known.all(axis=1)),
    )  # fmt: skip
    notes = [
        joined([*(n.split(SEPARATOR) if n else ()), *(name for name, at in reasons if at[i])])
        for i, n in enumerate(notes_of(gathered(parts, places, "note_id")))
    ]
    shown_limits = told & interval
    return written(
        {
            **leading(figures),
            "indicator_id": [indicator.id] * size,
            "numerator": np.full(size, np.nan),
            "denominator": cases,
            "estimated": estimated,
            "note_id": notes,
            "missing": missing,
            "value": np.where(told, median.value, np.nan),
            "lower_ci": np.where(shown_limits, median.lower, np.nan),
            "upper_ci": np.where(shown_limits, median.upper, np.nan),
            "ci_method": np.where(shown_limits, "wilson", "none"),
            "value_status": status,
            "unit": [indicator.unit] * size,
        },
        RATE_SCHEMA,
    )


def _last_known(n: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the number of cases beside the longest limit that has one; NaN where none has."""
    reverse = known[:, ::-1]
    place = n.shape[1] - 1 - reverse.argmax(axis=1)
    return np.where(known.any(axis=1), n[np.arange(len(n)), place], np.nan)


def _most(
    parts: list[Figures],
    places: np.ndarray,
    shares: list[Indicator],
) -> np.ndarray:
    """Return the largest count that each numerator can stand for; infinite where nothing says."""
    sides = []
    for part, place, share in zip(parts, places.T, shares, strict=True):
        highest = within_of(share, part).highest
        sides.append(np.append(np.where(np.isnan(highest), np.inf, highest), np.inf)[place])
    return np.stack(sides, axis=-1)


def _could_be_hidden(x: np.ndarray, n: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Whether half of the cases could be reached at a limit whose share is hidden.

    A hidden limit does no harm where its count is known to be too small for the half, where a
    later shown one leaves the half unreached, or after the one where it is reached.
    """
    known = ~np.isnan(x + n)
    share = np.where(known & (n > 0), x / np.where(n > 0, n, 1), np.nan)
    possible = ~known & ~(most < HALF * n)
    unclear, waiting, done = (np.zeros(len(x), dtype=bool) for _ in range(3))
    for place in range(x.shape[1]):
        reached = ~done & (share[:, place] >= HALF)
        unclear |= reached & waiting
        done |= reached
        waiting = (waiting | possible[:, place]) & ~(share[:, place] < HALF)
    return unclear | (~done & waiting)
