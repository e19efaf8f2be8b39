"""From numerators and denominators to published values, intervals and status markers.

Belongs here: the one function that does so. It is the same before protection (for the data team's
own look) and after it (for what is published): a published value is computed from the protected
counts, so that anyone can recompute it and nothing more exact shines through.
Does not belong here: the formulas of the intervals (``intervals.py``), protection (``governance``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from declarations.errors import ConfigurationError, LsoalinkError
from declarations.indicators import Indicator
from geography.sql import ident
from governance.disclosure.profiles import profile
from indicators.intervals import Floats, byar, wilson
from indicators.notes import SEPARATOR, WITHHELD_NOTES, joined

if TYPE_CHECKING:
    import duckdb

MISSING = "[x]"
HIDDEN = "[c]"
NOT_APPLICABLE = "[z]"
LOW_RELIABILITY = "[u]"
ESTIMATED = "[e]"
"""Markers of the Government Analysis Function's shorthand, as listed in the release's notes."""


def add_rates(
    con: duckdb.DuckDBPyConnection,
    table: str,
    indicators: Indicator | Iterable[Indicator] | Mapping[str, Indicator],
) -> duckdb.DuckDBPyRelation:
    """Add value, interval and status to rows of numerators and denominators.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    table : str
        Table with the columns of ``indicator_table``, for one or several indicators, before or
        after protection. Further columns are passed through. A numerator or denominator that is
        NULL although ``missing`` is false is one that protection has hidden.
    indicators : Indicator, or several
        The declarations of the table's counts, rates and shares; others are ignored.

    Returns
    -------
    duckdb.DuckDBPyRelation
        The rows of ``table`` in its order with ``value DOUBLE, lower_ci DOUBLE, upper_ci DOUBLE,
        ci_method VARCHAR, value_status VARCHAR, unit VARCHAR`` appended.
        ``value`` is multiplier * numerator / denominator, of a count multiplier * numerator,
        with a Wilson interval for shares and Byar's (the denominator taken as known) for rates. A
        share above the whole is capped at the whole and noted ``capped``: separate rounding of
        numerator and denominator to 5 makes such rows, and a value withheld there would itself tell
        that the two are close.
        ``value`` is NULL with status, the first that applies: ``[x]`` missing, ``[c]`` hidden by
        protection, ``[z]`` denominator 0, ``[u]`` denominator below the indicator's
        ``minimum_denominator`` (the counts stay, the ratio is too unreliable to show).
        ``[e]`` marks a value of which a part is estimated. ``ci_method`` is ``none`` where there
        is no interval.

    Raises
    ------
    ConfigurationError
        If the table holds an indicator that is not among ``indicators``, or that is not counted.
    """
    declared = _by_id(indicators)
    rows = con.sql(f"FROM {ident(table)}").to_arrow_table()
    ids = np.array(rows.column("indicator_id").to_pylist(), dtype=object)
    unknown = sorted({str(i) for i in ids} - set(declared))
    if unknown:
        raise ConfigurationError(
            f"Table {table} holds {', '.join(unknown)}, which no counted indicator declares",
            "Pass the declarations of all its indicators",
        )
    return con.from_arrow(_with_rates(rows, ids, declared))


def _by_id(
    indicators: Indicator | Iterable[Indicator] | Mapping[str, Indicator],
) -> dict[str, Indicator]:
    if isinstance(indicators, Indicator):
        found: Iterable[Indicator] = [indicators]
    elif isinstance(indicators, Mapping):
        found = indicators.values()
    else:
        found = indicators
    return {i.id: i for i in found if i.counted}


def _floats(rows: pa.Table, name: str) -> Floats:
    values = [np.nan if v is None else v for v in rows.column(name).to_pylist()]
    return np.array(values, dtype=np.float64)


def _booleans(rows: pa.Table, name: str) -> np.ndarray:
    return np.array([bool(v) for v in rows.column(name).to_pylist()], dtype=bool)


def _with_rates(rows: pa.Table, ids: np.ndarray, declared: Mapping[str, Indicator]) -> pa.Table:
    numerator, denominator = _floats(rows, "numerator"), _floats(rows, "denominator")
    missing, estimated = _booleans(rows, "missing"), _booleans(rows, "estimated")
    size = len(ids)
    value, lower, upper = (np.full(size, np.nan) for _ in range(3))
    status = np.full(size, None, dtype=object)
    method = np.full(size, "none", dtype=object)
    unit = np.full(size, None, dtype=object)
    capped = np.zeros(size, dtype=bool)
    notes = np.array(rows.column("note_id").to_pylist(), dtype=object)
    for key, indicator in declared.items():
        mine = np.flatnonzero(ids == key)
        x = numerator[mine]
        # A count stands for itself: as if it were divided by one.
        n = np.ones(mine.size) if indicator.kind == "count" else denominator[mine]
        least = 0 if indicator.kind == "count" else indicator.minimum_denominator
        status[mine] = value_status(x, n, missing[mine], least)
        status[mine] = _as_marked(status[mine], notes[mine], indicator)
        usable = np.array([s is None for s in status[mine]], dtype=bool)
        shown, x, n = mine[usable], x[usable], n[usable]
        if indicator.kind == "share":
            capped[shown] = x > n
            x = np.minimum(x, n)
        value[shown] = indicator.multiplier * x / n
        lower[shown], upper[shown] = interval(x, n, indicator)
        method[shown] = indicator.interval
        unit[mine] = indicator.unit
        status[shown[estimated[shown]]] = ESTIMATED
    noted = [
        joined([*(n.split(SEPARATOR) if n else ()), "capped"]) if c else n
        for n, c in zip(notes.tolist(), capped, strict=True)
    ]
    rows = rows.set_column(
        rows.column_names.index("note_id"), "note_id", pa.array(noted, pa.string())
    )
    for name, numbers in (("value", value), ("lower_ci", lower), ("upper_ci", upper)):
        rows = rows.append_column(name, pa.array(numbers, pa.float64(), from_pandas=True))
    for name, texts in (("ci_method", method), ("value_status", status), ("unit", unit)):
        rows = rows.append_column(name, pa.array(texts.tolist(), pa.string()))
    return rows


def _as_marked(status: np.ndarray, notes: np.ndarray, indicator: Indicator) -> np.ndarray:
    """Give what the profile hides the profile's own marker; what is withheld stays ``[c]``."""
    marker = profile(indicator.profile).small.marker or HIDDEN
    withheld = [bool(WITHHELD_NOTES.intersection((n or "").split(SEPARATOR))) for n in notes]
    marked = [marker if s == HIDDEN and not w else s for s, w in zip(status, withheld, strict=True)]
    return np.array(marked, dtype=object)


def value_status(
    numerator: Floats, denominator: Floats, missing: np.ndarray, minimum_denominator: int
) -> np.ndarray:
    """Return why each row can have no value, or None where it can.

    Parameters
    ----------
    numerator, denominator : ndarray of float
        NaN where there is none.
    missing : ndarray of bool
        Whether a delivery the row needs is missing.
    minimum_denominator : int
        The smallest denominator with a reliable ratio.

    Returns
    -------
    ndarray of object
        A marker or None, in the order of precedence given by :func:`add_rates`.
    """
    status = np.full(numerator.shape, None, dtype=object)
    # The weakest reason first, so that a stronger one overwrites it.
    status[denominator < minimum_denominator] = LOW_RELIABILITY
    status[denominator == 0] = NOT_APPLICABLE
    status[np.isnan(numerator) | np.isnan(denominator)] = HIDDEN
    status[missing] = MISSING
    return status


def interval(x: Floats, n: Floats, indicator: Indicator) -> tuple[Floats, Floats]:
    """Return the interval of ``multiplier * x / n`` that an indicator declares, NaN for ``none``.

    Parameters
    ----------
    x, n : ndarray of float
        Numerators and denominators above 0; for Wilson ``x`` is at most ``n``.
    indicator : Indicator
        Gives interval and multiplier.

    Returns
    -------
    lower, upper : ndarray of float
        In the indicator's unit.
    """
    if indicator.interval == "wilson":
        lower, upper = wilson(x, n)
        return indicator.multiplier * lower, indicator.multiplier * upper
    if indicator.interval == "byar":
        lower, upper = byar(x)
        return indicator.multiplier * lower / n, indicator.multiplier * upper / n
    if indicator.interval == "none":
        return np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    raise LsoalinkError(
        f"Indicator {indicator.id} names an interval nobody computes", "Use wilson, byar or none"
    )
