"""The table ``smoothed_figures``: unsure figures of small areas, drawn to a mean.

Columns: ``indicator_id, period_start, period_end, period_label, geography_type, geography_code,
lad24cd`` as in the published figures; ``value`` as published; ``smoothed``: the value drawn to the
prior; ``weight``: the part, 0 to 1, of the smoothed value that is the area's own; ``prior``: the
mean it was drawn to; ``prior_area``: region, district or neighbours; ``value_status``; ``unit``.

Status: an area whose count is hidden or missing has no value and no smoothed value, with the marker
of the published figure; smoothing never stands in for a hidden count. ``[u]`` marks a weight below
0.3: the figure is mostly the mean of other areas. Such a marker is added to others, as ``[e][u]``.
A published ``[u]`` (too small a denominator for a value) keeps it; its counts are published, and
so it has a smoothed value.

How hidden counts enter the prior: only small counts are hidden, so that the mean of what is shown
is too high (on areas with one or two hidden in every three, by half), and the published figure of
the district counts people who are in no neighbourhood. The prior therefore takes each count as
lying where its profile puts it (a hidden one between 0 and 4, a 5 between 5 and 7, a 10 between 8
and 12) and finds mean and between-area variance for which that is what one would expect
(``statistics/shrinkage.py``). It uses nothing that is not published. Counts withheld for another
reason, of which nothing is known, are left out.

Belongs here: the layout, and which areas are smoothed together. Does not belong here: the
estimators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from geography.sql import ident
from indicators.derived.reading import (
    LEADING,
    Figures,
    Span,
    leading,
    published,
    ratios,
    spans,
    stacked,
    with_marker,
    within_of,
    written,
)
from indicators.rates import LOW_RELIABILITY
from indicators.statistics.shrinkage import (
    Shrunk,
    logit,
    logit_neighbours,
    low_weight,
    marshall,
    marshall_neighbours,
)

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator

SCHEMA = pa.schema(
    [
        *LEADING,
        ("value", pa.float64()),
        ("smoothed", pa.float64()),
        ("weight", pa.float64()),
        ("prior", pa.float64()),
        ("prior_area", pa.string()),
        ("value_status", pa.string()),
        ("unit", pa.string()),
    ]
)

CODE_AT = {"lsoa21": "lsoa21cd", "msoa21": "msoa21cd", "lad24": "lad24cd"}

Pairs = set[tuple[str, str]]


def smoothed_table(
    con: duckdb.DuckDBPyConnection,
    shown: str,
    areas: str,
    declarations: RegionDeclarations,
    neighbours: str | None = None,
) -> pa.Table:
    """Return the smoothed figures of every rate and share that declares ``smoothing``.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        Table of published figures.
    areas : str
        Table ``lsoa21cd, msoa21cd, lad24cd``.
    declarations : RegionDeclarations
    neighbours : str, optional
        Table ``lsoa21cd, neighbour_lsoa21cd``. Neighbours beyond the region have no figures and
        are left out. MSOAs and districts are neighbours if LSOAs of theirs are. Without the table
        ``smoothing: neighbours`` uses the district.

    Returns
    -------
    pyarrow.Table
        Columns of the module's docstring, ordered by indicator, level, period and area. Districts
        that are to be drawn to their district's mean are drawn to the region's.
    """
    wanted = {key: i for key, i in ratios(declarations).items() if i.smoothing != "none"}
    beside = {
        level: _neighbours_at(con, code, areas, neighbours) if neighbours else None
        for level, code in CODE_AT.items()
    }
    tables = [
        _smoothed(span, wanted[span.indicator_id], beside[span.level])
        for span in spans(published(con, shown, wanted))
    ]
    return stacked(tables, SCHEMA)


def _neighbours_at(con: duckdb.DuckDBPyConnection, code: str, areas: str, neighbours: str) -> Pairs:
    rows = con.execute(
        f"SELECT DISTINCT here.{code}, there.{code} FROM {ident(neighbours)} AS n "
        f"JOIN {ident(areas)} AS here ON here.lsoa21cd = n.lsoa21cd "
        f"JOIN {ident(areas)} AS there ON there.lsoa21cd = n.neighbour_lsoa21cd "
        f"WHERE here.{code} <> there.{code}"
    ).fetchall()
    return set(rows)


def _smoothed(span: Span, indicator: Indicator, beside: Pairs | None) -> pa.Table:
    figures = span.figures
    prior_area: str = indicator.smoothing
    if prior_area == "neighbours" and beside is None:
        prior_area = "district"
    if prior_area == "district" and span.level == "lad24":
        prior_area = "region"
    shrunk = _shrunk(figures, indicator, prior_area, beside or set())
    unsure = low_weight(shrunk.weight)
    status = [
        with_marker(s, LOW_RELIABILITY) if u else s
        for s, u in zip(figures.listed("value_status"), unsure.tolist(), strict=True)
    ]
    return written(
        {
            **leading(figures),
            "value": figures.numbers("value"),
            "smoothed": indicator.multiplier * shrunk.value,
            "weight": shrunk.weight,
            "prior": indicator.multiplier * shrunk.prior,
            "prior_area": [prior_area] * len(figures),
            "value_status": status,
            "unit": [indicator.unit] * len(figures),
        },
        SCHEMA,
    )


def _shrunk(
    figures: Figures,
    indicator: Indicator,
    prior_area: str,
    beside: Pairs,
) -> Shrunk:
    x, n = figures.numbers("numerator"), figures.numbers("denominator")
    within = within_of(indicator, figures)
    share = indicator.kind == "share"
    districts = None if prior_area == "region" else figures.listed("lad24cd")
    if prior_area != "neighbours":
        return (logit if share else marshall)(x, n, districts, within=within)
    place = {code: i for i, code in enumerate(figures.listed("geography_code"))}
    pairs = sorted((place[a], place[b]) for a, b in beside if a in place and b in place)
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    around = logit_neighbours if share else marshall_neighbours
    return around(x, n, (ends[:, 0], ends[:, 1]), districts, within=within)
