"""Need against service: the table ``need_and_service``.

Columns
-------
indicator_id, period_start, period_end, period_label, geography_type, geography_code, lad24cd
observed : BIGINT
    Events or people as published; NULL where hidden or missing.
expected_age, expected_need : DOUBLE
    Expected from the groups' rates in the region (age groups, or others the indicator names), and
    with the adjustment for need; NULL where there is none.
ratio, lower, upper : DOUBLE
    Observed over expected (``expected_need`` where there is one), with Byar's 95 % interval, which
    holds the chance of a Poisson count and nothing else.
need_score, need_lower, need_upper : DOUBLE
    Expected use for each person at risk as a ratio to the region's, 1 being the region; NULL where
    neither groups nor predictors tell areas apart.
need_clearly_high, use_clearly_low, use_clearly_high : BOOLEAN
    Beyond chance: the interval does not reach 1, whatever count was rounded to the published one.
    Of use it is wider than ``lower`` to ``upper``: by as much as counts of areas with like need
    vary more than chance has them, and by what is unsure in the expected number.
class : VARCHAR
    ``unmet need candidate`` (need clearly high and use clearly low), ``less use than expected``,
    ``use as expected``, ``more use than expected`` or ``cannot be said``.
coverage, coverage_unit
    The service's reach, where the indicator names one.
adjusted_for : VARCHAR
    Indicators of need in use, comma separated; NULL where there are none.
not_adjusted : VARCHAR
    Why there are none, in words.
value_status : VARCHAR
    Of ``ratio``, as in ``expected.py``.

Belongs here: the layout. Does not belong here: the arithmetic (``indicators/service/``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from indicators.derived.expected import scaled
from indicators.derived.reading import LEADING
from indicators.service.assessment import ADJUSTMENTS, assess
from indicators.service.figures import Tables

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator
    from indicators.service.assessment import Assessment

SCHEMA = pa.schema(
    [
        *LEADING,
        ("observed", pa.int64()),
        ("expected_age", pa.float64()),
        ("expected_need", pa.float64()),
        ("ratio", pa.float64()),
        ("lower", pa.float64()),
        ("upper", pa.float64()),
        ("need_score", pa.float64()),
        ("need_lower", pa.float64()),
        ("need_upper", pa.float64()),
        ("need_clearly_high", pa.bool_()),
        ("use_clearly_low", pa.bool_()),
        ("use_clearly_high", pa.bool_()),
        ("class", pa.string()),
        ("coverage", pa.float64()),
        ("coverage_unit", pa.string()),
        ("adjusted_for", pa.string()),
        ("not_adjusted", pa.string()),
        ("value_status", pa.string()),
    ]
)


def need_table(
    con: duckdb.DuckDBPyConnection,
    shown: str,
    areas: str,
    open_counts: str,
    declarations: RegionDeclarations,
) -> pa.Table:
    """Return need against service for every indicator of kind expected.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown, areas, open_counts : str
        As for ``expected_table``.
    declarations : RegionDeclarations

    Returns
    -------
    pyarrow.Table
        The columns above, in order of indicator, level, period and area; no rows where the region
        has no such indicator.
    """
    tables = Tables(con, shown, areas, open_counts)
    rows = [
        _row(indicator, found)
        for _, indicator in sorted(declarations.indicators.items())
        if indicator.kind == "expected"
        for found in assess(tables, indicator, declarations)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(indicator: Indicator, a: Assessment) -> dict[str, object]:
    return {
        "indicator_id": indicator.id,
        "period_start": a.period.start,
        "period_end": a.period.end,
        "period_label": a.label,
        "geography_type": a.level,
        "geography_code": a.code,
        "lad24cd": a.lad24cd,
        "observed": a.observed,
        "expected_age": scaled(a.expected_groups),
        "expected_need": scaled(a.expected_need),
        "ratio": scaled(a.ratio),
        "lower": scaled(a.lower),
        "upper": scaled(a.upper),
        "need_score": scaled(a.need),
        "need_lower": scaled(a.need_lower),
        "need_upper": scaled(a.need_upper),
        "need_clearly_high": a.need_high,
        "use_clearly_low": a.use_low,
        "use_clearly_high": a.use_high,
        "class": a.word,
        "coverage": a.coverage,
        "coverage_unit": a.coverage_unit,
        "adjusted_for": ", ".join(a.adjusted_for) or None,
        "not_adjusted": ADJUSTMENTS[a.not_adjusted] if a.not_adjusted else None,
        "value_status": a.status,
    }
