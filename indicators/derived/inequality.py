"""The table ``inequality``: how much a figure changes from the least to the most deprived.

Columns: ``indicator_id, period_start, period_end, period_label``; ``geography_type``: region or
lad24; ``geography_code``: the region's identifier or the district's code; ``deprivation_id``: the
indicator the neighbourhoods were ordered by; ``groups``: 10 (tenths) or 5 (fifths); ``areas``:
neighbourhoods used; ``areas_hidden``: those of them whose count is hidden; ``sii, sii_lower,
sii_upper``: slope index, the difference between the most and the least deprived person, in the
indicator's unit; ``rii, rii_lower, rii_upper``: relative index, their ratio; ``value_status``;
``unit``.

Neighbourhoods are ordered by deprivation and put into tenths (with 100 of them or more) or fifths
(20 or more) of the indicator's denominator; a line through the groups' rates, weighted by that
denominator, gives the indices. A positive SII and an RII above 1 mean: more among the more
deprived.

Hidden counts are not left out, which would make the least deprived groups look worse than they
are: each group's rate takes every count as lying where its profile puts it, a hidden one between 0
and 4 (``statistics/pooling.py``), and its variance grows by what that leaves open. ``[z]`` marks
places with fewer than 20 neighbourhoods that have both figures; ``[c]`` where a group shows no
count at all; ``[u]`` where more than half of the counts are hidden: the figures are given, but rest
on few.

The relative index is NULL where its limits lie more than tenfold apart, since the line nearly
reaches 0 at one end: the slope index is then to be used.

Belongs here: which neighbourhoods make which group. Does not belong here: the indices
(``statistics/inequality.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from indicators.derived.reading import (
    Figures,
    published,
    ratios,
    spans,
    within_of,
    written,
)
from indicators.rates import HIDDEN, LOW_RELIABILITY, NOT_APPLICABLE
from indicators.statistics.inequality import Slope, ridits, slope_index, weighted_groups
from indicators.statistics.pooling import pooled_rates, pooled_shares
from indicators.statistics.protected import Within

if TYPE_CHECKING:
    import duckdb

    from declarations.base import IndicatorIdentifier
    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator

FOR_TENTHS = 100
FOR_FIFTHS = 20
"""Neighbourhoods needed, so that a group has several."""

MOSTLY = 0.5

WIDEST_RATIO = 10
"""Between the limits of a relative index that is given."""

_INDICES = ("sii", "sii_lower", "sii_upper", "rii", "rii_lower", "rii_upper")

SCHEMA = pa.schema(
    [
        ("indicator_id", pa.string()),
        ("period_start", pa.date32()),
        ("period_end", pa.date32()),
        ("period_label", pa.string()),
        ("geography_type", pa.string()),
        ("geography_code", pa.string()),
        ("deprivation_id", pa.string()),
        ("groups", pa.int64()),
        ("areas", pa.int64()),
        ("areas_hidden", pa.int64()),
        *((name, pa.float64()) for name in _INDICES),
        ("value_status", pa.string()),
        ("unit", pa.string()),
    ]
)


def inequality_table(
    con: duckdb.DuckDBPyConnection,
    shown: str,
    areas: str,
    declarations: RegionDeclarations,
    deprivation: IndicatorIdentifier,
) -> pa.Table:
    """Return the inequality of every rate and share that is published for LSOAs.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        Table of published figures.
    areas : str
        Not read: figures name their district.
    declarations : RegionDeclarations
    deprivation : str
        Indicator whose last published value for each LSOA orders them; a high one is the more
        deprived end. It may be missing from the region: then there are no rows.

    Returns
    -------
    pyarrow.Table
        Columns of the module's docstring; for each indicator and period the region, then each
        district.
    """
    scores = _last_scores(published(con, shown, [deprivation], "lsoa21"))
    wanted = {k: i for k, i in ratios(declarations).items() if k != deprivation}
    rows: list[dict[str, Any]] = []
    for span in spans(published(con, shown, wanted, "lsoa21")) if scores else ():
        indicator, figures = wanted[span.indicator_id], span.figures
        within = within_of(indicator, figures)
        score = np.array([scores.get(c, np.nan) for c in figures.listed("geography_code")])
        districts = np.array(figures.listed("lad24cd"), dtype=object)
        places: list[tuple[str, str, np.ndarray]] = [
            ("region", declarations.region.id, np.arange(len(figures)))
        ]
        places += [("lad24", d, np.flatnonzero(districts == d)) for d in sorted(set(districts))]
        for kind, code, mine in places:
            part = Within(within.lowest[mine], within.highest[mine])
            rows.append(
                {
                    "indicator_id": indicator.id,
                    "period_start": figures.start,
                    "period_end": figures.end,
                    "period_label": figures.listed("period_label")[0],
                    "geography_type": kind,
                    "geography_code": code,
                    "deprivation_id": deprivation,
                    "unit": indicator.unit,
                    **_inequality(figures.take(mine), score[mine], part, indicator),
                }
            )
    columns: dict[str, Any] = {
        name: np.array([r[name] for r in rows], dtype=np.float64)
        if name in _INDICES
        else [r[name] for r in rows]
        for name in SCHEMA.names
    }
    return written(columns, SCHEMA)


def _last_scores(figures: Figures) -> dict[str, float]:
    rows = zip(
        figures.listed("period_end"),
        figures.listed("geography_code"),
        figures.numbers("value").tolist(),
        strict=True,
    )
    # Rows come in order of the period, so that a later score takes the place of an earlier one.
    return {code: score for _, code, score in rows if not np.isnan(score)}


def _inequality(
    figures: Figures, score: np.ndarray, within: Within, indicator: Indicator
) -> dict[str, Any]:
    x, n = figures.numbers("numerator"), figures.numbers("denominator")
    if indicator.kind == "share":
        x = np.minimum(x, n)
    used = within.known & ~np.isnan(score) & (n > 0)
    hidden = used & np.isnan(x)
    size = int(used.sum())
    groups = 10 if size >= FOR_TENTHS else 5
    found: dict[str, Any] = {
        "groups": groups,
        "areas": size,
        "areas_hidden": int(hidden.sum()),
        **dict.fromkeys(_INDICES, np.nan),
        "value_status": NOT_APPLICABLE,
    }
    if size < FOR_FIFTHS:
        return {**found, "groups": None}
    kept = Within(within.lowest[used], within.highest[used])
    x, n, marks = x[used], n[used], score[used]
    group = weighted_groups(marks, n, groups)
    if np.unique(group).size < 2:
        # All people live at one score, or nearly: there is no line to draw.
        return found
    pool = (pooled_shares if indicator.kind == "share" else pooled_rates)(x, n, group, within=kept)
    if np.isnan(pool.value + pool.variance).any():
        return {**found, "value_status": HIDDEN}
    people = np.bincount(np.unique(group, return_inverse=True)[1], weights=n)
    line = slope_index(ridits(np.unique(group), people), people, pool.value, pool.variance)
    found |= _scaled(line, indicator.multiplier)
    found["value_status"] = LOW_RELIABILITY if hidden.sum() > MOSTLY * size else None
    if not found["rii_upper"] <= WIDEST_RATIO * found["rii_lower"]:
        found |= dict.fromkeys(("rii", "rii_lower", "rii_upper"), np.nan)
    return found


def _scaled(line: Slope, multiplier: float) -> dict[str, float]:
    differences = [multiplier * float(v) for v in line[:3]]
    return dict(zip(_INDICES, [*differences, *(float(v) for v in line[3:])], strict=True))
