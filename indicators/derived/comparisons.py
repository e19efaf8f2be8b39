"""The table ``comparisons``: each figure against its district's and the region's.

Columns: ``indicator_id, period_start, period_end, period_label, geography_type, geography_code,
lad24cd``, ``value, lower_ci, upper_ci`` as in the published figures; ``benchmark``: district or
region; ``benchmark_value``; ``benchmark_start, benchmark_end``: the days it covers; ``result``:
better, similar or worse (higher, similar or lower where the indicator has no polarity), by whether
the interval contains the benchmark; ``funnel``: within, or the direction and the limit (95 % or
99.8 %) of a funnel around the benchmark that the figure passes; ``value_status``; ``unit``.

The benchmark of a district is its own published figure for the same period; where it is published
for shorter periods, the sum of those that end within this one, if together they are as long (a
stock: the last that ends within the twelve months to its end). They may so begin and end up to two
months earlier than the figure itself: ``benchmark_start`` and ``benchmark_end`` say so.
The region's is the sum of its districts' published numerators and denominators. Both contain the
area itself, and people who are in no neighbourhood, so that neighbourhoods lie slightly below them
on average. ``result`` and ``funnel`` are NULL where the area has no value or no interval, with its
marker; where the benchmark is missing ``[x]`` and where it is hidden ``[c]`` is given.

Rounding to the nearest 5 moves a numerator by at most 2. A figure of 5 can so be put beyond a
limit, or within it, that its exact count would not pass; on counts below 20 or so ``result`` is
best read with the interval. Read many areas with the funnel: of 1,000 areas that differ by chance
alone, 50 are beyond the limits of 95 %.

Belongs here: which benchmark each figure has. Does not belong here: the comparison
(``statistics/comparison.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from geography.sql import ident
from indicators.columns import Floats
from indicators.derived.reading import (
    LEADING,
    Figures,
    Span,
    leading,
    months_in,
    published,
    ratios,
    spans,
    stacked,
    written,
)
from indicators.rates import HIDDEN, MISSING
from indicators.statistics.comparison import (
    FUNNEL_LEVELS,
    against_benchmark,
    funnel_class,
    funnel_proportions,
    funnel_rates,
)

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator

SCHEMA = pa.schema(
    [
        *LEADING,
        ("value", pa.float64()),
        ("lower_ci", pa.float64()),
        ("upper_ci", pa.float64()),
        ("benchmark", pa.string()),
        ("benchmark_value", pa.float64()),
        ("benchmark_start", pa.date32()),
        ("benchmark_end", pa.date32()),
        ("result", pa.string()),
        ("funnel", pa.string()),
        ("value_status", pa.string()),
        ("unit", pa.string()),
    ]
)


STOCK_LOOKBACK = 12
"""A district's stock may be this many months old and still be the benchmark of a later one."""


@dataclass(frozen=True)
class Ratio:
    """A benchmark's counts; NaN with the marker that says why there are none."""

    numerator: float = np.nan
    denominator: float = np.nan
    marker: str | None = MISSING
    start: dt.date | None = None
    end: dt.date | None = None


@dataclass(frozen=True)
class _Piece:
    start: dt.date
    end: dt.date
    ratio: Ratio


def comparisons_table(
    con: duckdb.DuckDBPyConnection, shown: str, areas: str, declarations: RegionDeclarations
) -> pa.Table:
    """Return every rate and share beside its benchmarks.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        Table of published figures.
    areas : str
        Table ``lsoa21cd, msoa21cd, lad24cd``: the region's districts are those it names.
    declarations : RegionDeclarations

    Returns
    -------
    pyarrow.Table
        Columns of the module's docstring: for LSOAs and MSOAs two rows each (district, region),
        for districts one (region); ordered by indicator, level, period, benchmark and area.
        Indicators that are not published for districts have no benchmark and no rows.
    """
    wanted = ratios(declarations)
    districts = [
        str(row[0])
        for row in con.execute(f"SELECT DISTINCT lad24cd FROM {ident(areas)} ORDER BY 1").fetchall()
    ]
    figures = published(con, shown, wanted)
    pieces = _pieces(figures)
    tables = []
    for span in spans(figures):
        if not pieces.get(span.indicator_id):
            continue
        indicator = wanted[span.indicator_id]
        sums = _sums_denominators(indicator, declarations)
        of = {d: _ratio(pieces[indicator.id].get(d, []), span, indicator, sums) for d in districts}
        if span.level != "lad24":
            own = [of.get(d, Ratio()) for d in span.figures.listed("lad24cd")]
            tables.append(_compared(span, indicator, "district", own))
        region = _whole([of[d] for d in districts])
        tables.append(_compared(span, indicator, "region", [region] * len(span.figures)))
    return stacked(tables, SCHEMA)


def _pieces(figures: Figures) -> dict[str, dict[str, list[_Piece]]]:
    """Return the published figures of each district, by indicator."""
    found: dict[str, dict[str, list[_Piece]]] = defaultdict(lambda: defaultdict(list))
    for span in spans(figures):
        if span.level != "lad24":
            continue
        rows = zip(
            span.figures.listed("geography_code"),
            span.figures.numbers("numerator").tolist(),
            span.figures.numbers("denominator").tolist(),
            span.figures.listed("missing"),
            strict=True,
        )
        for code, x, n, missing in rows:
            lost = np.isnan(x + n)
            marker = None if not lost else MISSING if missing else HIDDEN
            days = span.figures.start, span.figures.end
            ratio = Ratio(np.nan, np.nan, marker, *days) if lost else Ratio(x, n, None, *days)
            found[span.indicator_id][code].append(_Piece(*days, ratio))
    return found


def _ratio(pieces: list[_Piece], span: Span, indicator: Indicator, sums: bool) -> Ratio:
    """Return a district's figure for a span's period, from shorter periods where need be."""
    start, end = span.figures.start, span.figures.end
    for piece in pieces:
        if (piece.start, piece.end) == (start, end):
            return piece.ratio
    if indicator.additivity == "stock":
        last = [p for p in pieces if p.end <= end and months_in(p.end, end) <= STOCK_LOOKBACK]
        return max(last, key=lambda p: (p.end, p.start)).ratio if last else Ratio()
    by_length: dict[int, list[_Piece]] = defaultdict(list)
    for piece in pieces:
        if start <= piece.end <= end:
            by_length[months_in(piece.start, piece.end)].append(piece)
    for length in sorted(by_length, reverse=True):
        parts = sorted(by_length[length], key=lambda p: p.start)
        if length * len(parts) == months_in(start, end):
            return _joined([p.ratio for p in parts], sums)
    return Ratio()


def _joined(parts: list[Ratio], sums: bool) -> Ratio:
    whole = _whole(parts)
    if whole.marker is not None or sums:
        return whole
    return replace(whole, denominator=whole.denominator / len(parts))


def _whole(parts: list[Ratio]) -> Ratio:
    markers = {p.marker for p in parts if p.marker is not None}
    if markers or not parts:
        return Ratio(marker=HIDDEN if markers == {HIDDEN} else MISSING)
    starts = [p.start for p in parts if p.start]
    ends = [p.end for p in parts if p.end]
    return Ratio(
        sum(p.numerator for p in parts), sum(p.denominator for p in parts), None,
        min(starts, default=None), max(ends, default=None),
    )  # fmt: skip


def _sums_denominators(indicator: Indicator, declarations: RegionDeclarations) -> bool:
    """Whether denominators of consecutive periods add up: cases do, residents do not."""
    flows = [
        count.additivity == "flow" and source.cadence != "once"
        for measure in (indicator.denominator.measures if indicator.denominator else [])
        for source in declarations.suppliers_of(measure)
        for count in declarations.contract_of(source).counts
        if count.measure == measure
    ]
    return all(flows) if flows else indicator.kind == "share"


def _compared(span: Span, indicator: Indicator, benchmark: str, against: list[Ratio]) -> pa.Table:
    figures = span.figures
    x, n = figures.numbers("numerator"), figures.numbers("denominator")
    top = np.array([r.numerator for r in against], dtype=np.float64)
    bottom = np.array([r.denominator for r in against], dtype=np.float64)
    theta = top / np.where(bottom > 0, bottom, np.nan)
    share = indicator.kind == "share"
    if share:
        # Separate rounding can take a share above the whole; it is published as the whole.
        x, theta = np.minimum(x, n), np.minimum(theta, 1.0)
    mark = indicator.multiplier * theta
    value = figures.numbers("value")
    ratio: Floats = np.where(np.isnan(value), np.nan, x / np.where(n > 0, n, np.nan))
    limits = [(funnel_proportions if share else funnel_rates)(n, theta, v) for v in FUNNEL_LEVELS]
    inner, outer = limits
    status = [
        own or (r.marker if np.isnan(m) else None)
        for own, r, m in zip(figures.listed("value_status"), against, mark.tolist(), strict=True)
    ]
    return written(
        {
            **leading(figures),
            "value": value,
            "lower_ci": figures.numbers("lower_ci"),
            "upper_ci": figures.numbers("upper_ci"),
            "benchmark": [benchmark] * len(figures),
            "benchmark_value": mark,
            "benchmark_start": [r.start for r in against],
            "benchmark_end": [r.end for r in against],
            "result": against_benchmark(
                figures.numbers("lower_ci"), figures.numbers("upper_ci"), mark, indicator.polarity
            ),
            "funnel": funnel_class(ratio, inner, outer, indicator.polarity),
            "value_status": status,
            "unit": [indicator.unit] * len(figures),
        },
        SCHEMA,
    )
