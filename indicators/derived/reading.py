"""Published figures as columns of numbers, and columns of numbers as rows of a table.

Belongs here: reading the figures of some indicators in one order, cutting them into spans (one
indicator, level and period), what a published numerator can stand for, and writing NaN as NULL.
Does not belong here: what any table makes of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geography.sql import ident, require_columns
from governance.disclosure.counts import bounds as bounds_of_count
from governance.disclosure.counts import could_be_shown, marked_bounds
from governance.disclosure.profiles import profile
from indicators.columns import Floats, floats
from indicators.notes import SEPARATOR, WITHHELD_NOTES
from indicators.statistics.protected import Within

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator

LEADING = (
    ("indicator_id", pa.string()),
    ("period_start", pa.date32()),
    ("period_end", pa.date32()),
    ("period_label", pa.string()),
    ("geography_type", pa.string()),
    ("geography_code", pa.string()),
    ("lad24cd", pa.string()),
)
"""The columns by which a derived row is told from others, as in the published figures."""

RATE_SCHEMA = pa.schema(
    [
        *LEADING,
        ("numerator", pa.int64()),
        ("denominator", pa.int64()),
        ("estimated", pa.bool_()),
        ("note_id", pa.string()),
        ("missing", pa.bool_()),
        ("value", pa.float64()),
        ("lower_ci", pa.float64()),
        ("upper_ci", pa.float64()),
        ("ci_method", pa.string()),
        ("value_status", pa.string()),
        ("unit", pa.string()),
    ]
)
"""Columns of published figures, in order."""

COLUMNS = tuple(RATE_SCHEMA.names)

DIGITS = 9
"""Decimals of derived numbers: far more than they are good for, and few enough that the last bits
of a sum, which differ from one processor to another, do not show."""


@dataclass(frozen=True)
class Figures:
    """Rows of published figures in one order, by column."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def listed(self, column: str) -> list[Any]:
        """Return a column as Python values, None where NULL."""
        return list(self.table.column(column).to_pylist())

    def numbers(self, column: str) -> Floats:
        """Return a column as float64, NaN where NULL."""
        return floats(self.table.column(column), column)

    def take(self, rows: np.ndarray) -> Figures:
        """Return some of the rows, in the order asked for."""
        return Figures(self.table.take(pa.array(rows)))

    @cached_property
    def start(self) -> dt.date:
        """First day of the period of its first row."""
        day: dt.date = self.table.column("period_start")[0].as_py()
        return day

    @cached_property
    def end(self) -> dt.date:
        """Last day of the period of its first row."""
        day: dt.date = self.table.column("period_end")[0].as_py()
        return day


@dataclass(frozen=True)
class Span:
    """The figures of one indicator at one level and for one period."""

    indicator_id: str
    level: str
    figures: Figures


def published(
    con: duckdb.DuckDBPyConnection, shown: str, indicators: Iterable[str], level: str | None = None
) -> Figures:
    """Return the published figures of some indicators, ordered by indicator, level, period, area.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        Table of published figures.
    indicators : iterable of str
    level : str, optional
        Only this geography type.

    Raises
    ------
    GeographyError
        If the table lacks a column of published figures.
    """
    require_columns(con, shown, COLUMNS)
    rows = con.execute(
        f"SELECT {', '.join(COLUMNS)} FROM {ident(shown)} "
        "WHERE list_contains($indicators::VARCHAR[], indicator_id) "
        "AND ($level::VARCHAR IS NULL OR geography_type = $level) "
        "ORDER BY indicator_id, geography_type, period_start, period_end, geography_code",
        {"indicators": sorted(indicators), "level": level},
    )
    return Figures(rows.to_arrow_table())


def spans(figures: Figures) -> Iterator[Span]:
    """Cut ordered figures into spans."""
    keys = list(
        zip(
            *(
                figures.listed(c)
                for c in ("indicator_id", "geography_type", "period_start", "period_end")
            ),
            strict=True,
        )
    )
    starts = [i for i, key in enumerate(keys) if not i or key != keys[i - 1]]
    for first, end in pairwise([*starts, len(keys)]):
        rows = Figures(figures.table.slice(first, end - first))
        yield Span(keys[first][0], keys[first][1], rows)


def ratios(declarations: RegionDeclarations) -> dict[str, Indicator]:
    """Return the region's rates and shares, by identifier."""
    found = declarations.indicators
    return {key: found[key] for key in sorted(found) if found[key].kind in ("rate", "share")}


def within_of(indicator: Indicator, figures: Figures) -> Within:
    """Return between which numbers each published numerator lies, by the indicator's profile.

    Counts of open data are protected like any others before they are published, so that nothing
    here asks where a count came from. A shown numerator stands for every count that the profile
    shows so, the profile's marker for every count it hides. Nothing is known (NaN) of a count that
    is missing, or that was withheld because others gave it away: such a count can be of any size.
    """
    x = figures.numbers("numerator")
    rule = profile(indicator.profile)
    ends: dict[float, tuple[float, float]] = {}
    for value in np.unique(x[~np.isnan(x)]).tolist():
        whole = int(value)
        ends[value] = (
            bounds_of_count(whole, None, rule) if could_be_shown(whole, rule) else (value, value)
        )
    lowest, highest = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for value, (low, high) in ends.items():
        lowest[x == value], highest[x == value] = low, high
    hidden = _hidden_by_marker(figures, rule.small.marker)
    if hidden.any():
        low, high = marked_bounds(rule)
        if np.isfinite(high):
            lowest[hidden], highest[hidden] = low, high
    return Within(lowest, highest)


def _hidden_by_marker(figures: Figures, marker: str | None) -> np.ndarray:
    if marker is None:
        return np.zeros(len(figures), dtype=bool)
    rows = zip(
        figures.listed("numerator"),
        figures.listed("value_status"),
        figures.listed("note_id"),
        strict=True,
    )
    return np.array(
        [
            x is None
            and marker in (status or "")
            and not WITHHELD_NOTES.intersection((note or "").split(SEPARATOR))
            for x, status, note in rows
        ],
        dtype=bool,
    )


def with_marker(status: str | None, marker: str) -> str:
    """Return a status with one more marker, once."""
    return status if status and marker in status else (status or "") + marker


def day_number(day: dt.date) -> float:
    """Return a day in years, so that differences of two are years between them."""
    return day.toordinal() / 365.25


def months_in(start: dt.date, end: dt.date) -> int:
    """Return how many months a period of whole months has."""
    return (end.year - start.year) * 12 + end.month - start.month + 1


def written(columns: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """Return columns as a table, NaN as NULL and numbers to ``DIGITS`` decimals."""
    arrays = []
    for field in schema:
        values = columns[field.name]
        if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            # Adding 0 turns a negative zero into a plain one.
            values = np.round(values, DIGITS) + 0.0
            if pa.types.is_integer(field.type):
                values = [None if np.isnan(v) else int(v) for v in values.tolist()]
        elif isinstance(values, np.ndarray):
            values = values.tolist()
        whole = isinstance(values, pa.Array)
        arrays.append(
            values.cast(field.type) if whole else pa.array(values, field.type, from_pandas=True)
        )
    return pa.table(arrays, schema=schema)


def leading(figures: Figures) -> dict[str, Any]:
    """Return the columns by which rows are told apart, as they are in the figures."""
    return {name: figures.table.column(name).combine_chunks() for name, _ in LEADING}


def stacked(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    """Return tables below each other; an empty one of the schema where there are none."""
    return pa.concat_tables(tables) if tables else schema.empty_table()
