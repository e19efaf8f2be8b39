"""The table ``trends``: does each area's figure rise or fall from year to year, beyond chance?

Columns: ``indicator_id``; ``geography_type, geography_code, lad24cd``; ``months``: length of the
periods compared; ``first_period_start, last_period_end``: the stretch the trend describes;
``points``: periods used; ``points_hidden``: periods in that stretch without a figure;
``change_per_year, lower_ci, upper_ci``; ``change_unit``: per cent per year for rates, percentage
points per year for shares; ``direction``: rising, falling, no clear change, too few points, or not
judged;
``break_start``: first day after the last break in series, ``break_reason``; ``value_status``.

Only periods after the last declared break count; a period the break falls into does not. ``[b]``
marks a trend that starts at a break, ``[z]`` one with fewer than four points or of which more than
a quarter is hidden or missing: only small figures are hidden, so that a falling series would lose
its last points and look level.

Of a stock it is not judged whether a change is beyond chance: most of those who are there on one
day are there on the next, so that its points are not apart from each other, as the models take
them to be. The change is given without an interval, marked ``[u]``; so is that of an estimate.

Rounding to the nearest 5 gives each count a further variance of 2, which the interval allows for;
points just above the hidden range are on average one event higher than they are shown. A series of
quarters has its seasons: with fewer than two years a season can look like a trend.

Belongs here: which points make a series. Does not belong here: the models
(``statistics/trends.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from declarations.base import first_day
from indicators.derived.reading import (
    Figures,
    day_number,
    months_in,
    published,
    ratios,
    stacked,
    within_of,
    written,
)
from indicators.rates import LOW_RELIABILITY, NOT_APPLICABLE
from indicators.statistics.trends import LEAST_POINTS, TOO_FEW, rate_trend, share_trend
from indicators.windows import MONTHS_IN

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Break, Indicator

BREAK = "[b]"
"""Marker of a series that cannot be compared with earlier figures."""

NOT_JUDGED = "not judged"

MOST_HIDDEN = 0.25
"""With a larger part of the points hidden or missing no trend is told."""

SCHEMA = pa.schema(
    [
        ("indicator_id", pa.string()),
        ("geography_type", pa.string()),
        ("geography_code", pa.string()),
        ("lad24cd", pa.string()),
        ("months", pa.int64()),
        ("first_period_start", pa.date32()),
        ("last_period_end", pa.date32()),
        ("points", pa.int64()),
        ("points_hidden", pa.int64()),
        ("change_per_year", pa.float64()),
        ("lower_ci", pa.float64()),
        ("upper_ci", pa.float64()),
        ("change_unit", pa.string()),
        ("direction", pa.string()),
        ("break_start", pa.date32()),
        ("break_reason", pa.string()),
        ("value_status", pa.string()),
    ]
)

CHANGE_UNIT = {"rate": "% per year", "share": "percentage points per year"}


def trends_table(
    con: duckdb.DuckDBPyConnection, shown: str, areas: str, declarations: RegionDeclarations
) -> pa.Table:
    """Return the trend of every rate and share at each level with periods of one length.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        Table of published figures.
    areas : str
        Not read: figures name their district.
    declarations : RegionDeclarations
        Gives the length of the periods at each level; ``latest`` is no series.

    Returns
    -------
    pyarrow.Table
        Columns of the module's docstring, one row for each indicator, level, length of period and
        area, in that order, where there are periods enough for a trend after the last break.
    """
    tables = []
    for key, indicator in ratios(declarations).items():
        for level, months in _series_of(indicator):
            figures = published(con, shown, [key], level)
            table = _level_trends(figures, indicator, level, months)
            if table is not None:
                tables.append(table)
    return stacked(tables, SCHEMA)


def _series_of(indicator: Indicator) -> list[tuple[str, int]]:
    regular = (o for o in indicator.outputs if o.window != "latest")
    return sorted({(o.level, MONTHS_IN[o.window]) for o in regular})


def _last_break(indicator: Indicator, last_end: dt.date) -> Break | None:
    before = [b for b in indicator.breaks if first_day(b.period) <= last_end]
    return max(before, key=lambda b: b.period, default=None)


def _level_trends(
    figures: Figures,
    indicator: Indicator,
    level: str,
    months: int,
) -> pa.Table | None:
    starts, ends = figures.listed("period_start"), figures.listed("period_end")
    regular = [
        i for i, (s, e) in enumerate(zip(starts, ends, strict=True)) if months_in(s, e) == months
    ]
    if not regular:
        return None
    last = _last_break(indicator, max(ends[i] for i in regular))
    since = first_day(last.period) if last else None
    kept = [i for i in regular if since is None or starts[i] >= since]
    periods = sorted({(starts[i], ends[i]) for i in kept})
    if len(periods) < LEAST_POINTS:
        return None
    chosen = figures.take(np.array(kept, dtype=np.int64))
    codes = chosen.listed("geography_code")
    districts = dict(zip(codes, chosen.listed("lad24cd"), strict=True))
    areas = sorted(districts)
    row = {code: i for i, code in enumerate(areas)}
    column = {period: i for i, period in enumerate(periods)}
    at = (
        np.array([row[c] for c in codes]),
        np.array([column[starts[i], ends[i]] for i in kept]),
    )
    x, n = (np.full((len(areas), len(periods)), np.nan) for _ in range(2))
    x[at], n[at] = chosen.numbers("numerator"), chosen.numbers("denominator")
    x[np.isnan(n)], n[np.isnan(x)] = np.nan, np.nan
    middles = np.array([(day_number(s) + day_number(e)) / 2 for s, e in periods])
    spread = within_of(indicator, chosen).rounding_variance
    shown = ~np.isnan(chosen.numbers("numerator"))
    # Rounding is the same for every larger count; the narrower ranges of the smallest are not.
    rounding = float(np.max(spread[shown], initial=0.0))
    fit = rate_trend if indicator.kind == "rate" else share_trend
    trend = fit(x, n, middles, rounding_variance=rounding)
    hidden = len(periods) - trend.points
    told = (trend.direction != TOO_FEW) & (hidden <= MOST_HIDDEN * len(periods))
    estimated = any(chosen.listed("estimated"))
    judged = told & (indicator.additivity == "flow" and not estimated)
    size = len(areas)
    columns: dict[str, Any] = {
        "indicator_id": [indicator.id] * size,
        "geography_type": [level] * size,
        "geography_code": areas,
        "lad24cd": [districts[a] for a in areas],
        "months": [months] * size,
        "first_period_start": [periods[0][0]] * size,
        "last_period_end": [periods[-1][1]] * size,
        "points": trend.points,
        "points_hidden": hidden,
        "change_per_year": np.where(told, trend.change, np.nan),
        "lower_ci": np.where(judged, trend.lower, np.nan),
        "upper_ci": np.where(judged, trend.upper, np.nan),
        "change_unit": [CHANGE_UNIT[indicator.kind]] * size,
        "direction": np.where(told, np.where(judged, trend.direction, NOT_JUDGED), TOO_FEW),
        "break_start": [since] * size,
        "break_reason": [last.reason if last else None] * size,
        "value_status": [
            _status(t, j, last is not None)
            for t, j in zip(told.tolist(), judged.tolist(), strict=True)
        ],
    }
    return written(columns, SCHEMA)


def _status(told: bool, judged: bool, broken: bool) -> str | None:
    known = "" if judged else LOW_RELIABILITY if told else NOT_APPLICABLE
    return (known + (BREAK if broken else "")) or None
