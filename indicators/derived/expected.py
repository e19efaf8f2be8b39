"""Observed against expected use as rows of published figures.

Columns: those of ``RATE_COLUMNS`` in ``indicators/tables.py``. ``numerator`` is the observed count
as published, ``denominator`` is NULL, ``value`` is observed over expected times the indicator's
multiplier, ``lower_ci`` and ``upper_ci`` are Byar's interval of the published count over the same
expected count.

What rounding does: a count of 5 stands for 5 to 7 and any larger one is at most 2 away, so that a
ratio of small counts moves in steps of 5 over the expected number and its interval is a little too
narrow. Nor does the interval hold that counts vary more than chance has them (by two to four times
is common), or that the expected number is unsure. The classes in the table ``need_and_service``
allow for all three.

Belongs here: the layout. Does not belong here: the arithmetic (``indicators/service/``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from indicators.derived.reading import RATE_SCHEMA
from indicators.notes import joined
from indicators.service.assessment import assess
from indicators.service.figures import Tables

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator
    from indicators.service.assessment import Assessment


def expected_table(
    con: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    shown: str,
    areas: str,
    open_counts: str,
    declarations: RegionDeclarations,
) -> pa.Table:
    """Return an indicator of observed against expected use for its areas and periods.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    indicator : Indicator
        Of kind expected.
    shown : str
        Published figures with the columns of ``RATE_COLUMNS``: those of the indicators it is made
        of, districts' included.
    areas : str
        Table ``lsoa21cd, msoa21cd, lad24cd``.
    open_counts : str
        Table ``lsoa21cd, measure, category, value``: counts under an open licence, for the people
        at risk.
    declarations : RegionDeclarations

    Returns
    -------
    pyarrow.Table
        One row for each area and period in which its observed use is published, in order of level,
        period and area. Without a ratio ``value_status`` says why: ``[c]`` the count or a
        district's rate is hidden, ``[x]`` something did not arrive, ``[u]`` fewer people at risk
        than ``minimum_denominator``, ``[z]`` nothing is expected.

    Raises
    ------
    ConfigurationError
        If the indicator is of another kind.
    """
    found = assess(Tables(con, shown, areas, open_counts), indicator, declarations)
    return pa.Table.from_pylist([_row(indicator, a) for a in found], schema=RATE_SCHEMA)


def _row(indicator: Indicator, a: Assessment) -> dict[str, object]:
    return {
        "indicator_id": indicator.id,
        "period_start": a.period.start,
        "period_end": a.period.end,
        "period_label": a.label,
        "geography_type": a.level,
        "geography_code": a.code,
        "lad24cd": a.lad24cd,
        "numerator": a.observed,
        "denominator": None,
        "estimated": a.estimated,
        "note_id": joined(a.notes),
        "missing": a.missing,
        "value": scaled(a.ratio, indicator.multiplier),
        "lower_ci": scaled(a.lower, indicator.multiplier),
        "upper_ci": scaled(a.upper, indicator.multiplier),
        "ci_method": "none" if a.ratio is None else "byar",
        "value_status": a.status,
        "unit": indicator.unit,
    }


def scaled(ratio: float | None, multiplier: float = 1.0) -> float | None:
    """Return a ratio times a multiplier, to six decimals.

    The adjustment's last digits depend on the machine's linear algebra; these would not be the same
    bytes everywhere.
    """
    return None if ratio is None else round(ratio * multiplier, 6)
