"""The table ``hotspots``: where high or low figures of an indicator lie together.

Made from the published, protected figures of the region, and of open data of the areas just beyond
it: so it tells nothing that they do not, and anybody can make it again from the release
(``docs/decisions/0019-what-is-derived-follows-from-what-is-published.md``).

Belongs here: which indicators and figures are looked at, and the rows of the table. Does not belong
here: the statistics (``indicators/place/``).

===================  ===============================================================================
indicator_id         the indicator
period_start         the last period it has figures for
period_end
lsoa21cd             the area, one of the region's
lad24cd              its district
method               local_moran or gi_star
statistic            local Moran's I, or the z-score of Gi*; 4 decimals
p_value              two-sided pseudo p-value from 99,999 conditional permutations; 5 decimals
class                local_moran: high among high, low among low, high among low, low among high;
                     gi_star: hot spot, cold spot; both: not significant. NULL where there is none
neighbours_used      neighbours with a figure, beyond the region too
neighbours_outside   neighbours beyond the region that had no figure: above 0, the area lies at the
                     edge and was classed with the neighbours it has
value_status         why there is no class: the marker of the area's own figure, ``[x]`` where
                     there is no figure at all; ``[u]`` where fewer than half of the region's areas
                     have a figure; ``[z]`` where no neighbour has one, all figures are equal, every
                     area of a district has the district's, or fewer than 30 areas have one;
                     ``[e][z]`` where the indicator's figures are estimated. With a class, ``[e]``
                     as the index itself, some of whose inputs are estimated
===================  ===============================================================================

An area whose figure is hidden or missing is left out: it is nobody's neighbour, and neither 0 nor
a guess stands for it. Where small counts are hidden, the lowest areas are therefore not there to be
found low; where most are hidden, a map of the rest would show what was hidden rather than where.

Estimated figures are not classed. They are spread from practices over the areas of their patients,
so that areas beside each other are alike because they share a practice: that is what a test of
neighbours would find. An index to which they add a part is classed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geography.sql import ident
from indicators.place.links import Links, links_between
from indicators.place.local import METHODS, Hotspots, hotspots, no_classes
from indicators.rates import ESTIMATED

if TYPE_CHECKING:
    import datetime as dt

    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator

LEVEL = "lsoa21"
MISSING, NOT_APPLICABLE, LOW_RELIABILITY = "[x]", "[z]", "[u]"
LEAST_SHOWN = 0.5
"""Part of the region's areas that must have a figure for any to be classed."""

SCHEMA = pa.schema(
    [
        ("indicator_id", pa.string()),
        ("period_start", pa.date32()),
        ("period_end", pa.date32()),
        ("lsoa21cd", pa.string()),
        ("lad24cd", pa.string()),
        ("method", pa.string()),
        ("statistic", pa.float64()),
        ("p_value", pa.float64()),
        ("class", pa.string()),
        ("neighbours_used", pa.int32()),
        ("neighbours_outside", pa.int32()),
        ("value_status", pa.string()),
    ]
)

STATISTIC_DECIMALS, P_DECIMALS = 4, 5


def hotspot_indicators(declarations: RegionDeclarations) -> list[Indicator]:
    """Return the indicators whose hot spots are published, in order of identifier.

    Rates, shares and statistics of which one end is the better one, and all composite indices, as
    far as they are published for LSOAs.
    """
    found = [
        indicator
        for indicator in declarations.indicators.values()
        if any(o.level == LEVEL for o in indicator.outputs)
        and (
            indicator.kind == "composite"
            or (indicator.kind in ("rate", "share", "statistic") and indicator.polarity != "none")
        )
    ]
    return sorted(found, key=lambda i: i.id)


def hotspots_table(
    con: duckdb.DuckDBPyConnection,
    shown: str,
    areas: str,
    neighbours: str,
    declarations: RegionDeclarations,
    *,
    buffer_figures: str | None = None,
    indicators: Iterable[Indicator] | None = None,
) -> pa.Table:
    """Class every area of the region, for each indicator and method.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the tables.
    shown : str
        The published figures: the columns of ``RATE_COLUMNS``. Never exact ones.
    areas : str
        ``lsoa21cd, lad24cd``: every LSOA of the region once.
    neighbours : str
        ``lsoa21cd, neighbour_lsoa21cd``: of every LSOA of the region, beyond its edge too; an
        island has the area nearest to it (``intake/neighbours.py``).
    declarations : RegionDeclarations
    buffer_figures : str, optional
        ``indicator_id, period_start, period_end, lsoa21cd, numerator, denominator, value``: of
        areas beyond the region (``indicators/place/beyond.py``). Those of another period than the
        region's are left out.
    indicators : iterable of Indicator, optional
        By default those of :func:`hotspot_indicators`.

    Returns
    -------
    pyarrow.Table
        As the module says; a row for every area, method and indicator that has any figure. Ordered
        by indicator, method and area, and the same whatever the order of rows that came in.
    """
    chosen = hotspot_indicators(declarations) if indicators is None else list(indicators)
    listed = f"SELECT lsoa21cd, lad24cd FROM {ident(areas)} ORDER BY lsoa21cd"
    region = dict(con.execute(listed).fetchall())
    pairs = con.execute(
        f"SELECT DISTINCT lsoa21cd, neighbour_lsoa21cd FROM {ident(neighbours)} ORDER BY ALL"
    ).fetchall()
    known: dict[tuple[str, ...], Links] = {}
    found = []
    for indicator in chosen:
        rows = _figures(con, shown, areas, indicator)
        if not rows:
            continue
        outside = _figures_beyond(con, buffer_figures, indicator, rows[0][1:3], region)
        found.append(_classed(indicator, rows, outside, region, pairs, known))
    return pa.concat_tables([SCHEMA.empty_table(), *found])


def _figures(
    con: duckdb.DuckDBPyConnection, shown: str, areas: str, indicator: Indicator
) -> list[tuple[Any, ...]]:
    """Return code, period, numerator, denominator, value and status of the last period's figures.

    Only the region's areas, in order; empty where no period has a figure.
    """
    return con.execute(
        f"""
WITH mine AS (
    SELECT geography_code, period_start, period_end, numerator, denominator, value, value_status
    FROM {ident(shown)} WHERE indicator_id = $id AND geography_type = '{LEVEL}'
      AND geography_code IN (SELECT lsoa21cd FROM {ident(areas)})
), last AS (
    -- Of a month and a year that end together the longer one is the steadier figure.
    SELECT period_start, period_end FROM mine WHERE value IS NOT NULL
    ORDER BY period_end DESC, period_start LIMIT 1
)
SELECT geography_code, period_start, period_end, numerator, denominator, value, value_status
FROM mine JOIN last USING (period_start, period_end) ORDER BY ALL
""",
        {"id": indicator.id},
    ).fetchall()


def _figures_beyond(
    con: duckdb.DuckDBPyConnection,
    buffer_figures: str | None,
    indicator: Indicator,
    period: tuple[dt.date, dt.date],
    region: dict[str, str],
) -> dict[str, tuple[Any, ...]]:
    if buffer_figures is None:
        return {}
    rows = con.execute(
        f"SELECT lsoa21cd, numerator, denominator, value FROM {ident(buffer_figures)} "
        "WHERE indicator_id = ? AND period_start = ? AND period_end = ? ORDER BY ALL",
        [indicator.id, *period],
    ).fetchall()
    return {
        code: (numerator, denominator, value)
        for code, numerator, denominator, value in rows
        if code not in region and _usable(indicator, numerator, denominator, value)
    }


def _is_ratio(indicator: Indicator) -> bool:
    return indicator.kind in ("rate", "share")


def _usable(
    indicator: Indicator, numerator: int | None, denominator: int | None, value: float | None
) -> bool:
    if value is None:
        return False
    return not _is_ratio(indicator) or (numerator is not None and bool(denominator))


def _classed(
    indicator: Indicator,
    rows: list[tuple[Any, ...]],
    outside: dict[str, tuple[Any, ...]],
    region: dict[str, str],
    pairs: list[tuple[str, str]],
    known: dict[tuple[str, ...], Links],
) -> pa.Table:
    start, end = rows[0][1:3]
    status = {row[0]: row[6] for row in rows}
    inside = {row[0]: tuple(row[3:6]) for row in rows if _usable(indicator, *row[3:6])}
    figures = {**inside, **outside}
    codes = tuple(sorted(figures))
    if codes not in known:
        known[codes] = links_between(codes, pairs)
    links = known[codes]
    refused = _refused(inside, region)
    if indicator.kind != "composite" and any(ESTIMATED in (s or "") for s in status.values()):
        refused = ESTIMATED + NOT_APPLICABLE
    found = no_classes(len(codes)) if refused else _found(indicator, links, figures, region)
    place = {code: i for i, code in enumerate(codes)}
    used = np.append(links.number, 0)
    lacking = dict.fromkeys(region, 0)
    for code, neighbour in pairs:
        if code in region and neighbour not in region and neighbour not in outside:
            lacking[code] += 1
    at = np.array([place.get(code, -1) for code in region], dtype=np.int64)
    size = len(region)
    tables = []
    for method in sorted(METHODS):
        statistic, classes = found.of(method)
        named = [classes[i] if i >= 0 else None for i in at]
        columns: dict[str, Any] = {
            "indicator_id": [indicator.id] * size,
            "period_start": [start] * size,
            "period_end": [end] * size,
            "lsoa21cd": list(region),
            "lad24cd": list(region.values()),
            "method": [method] * size,
            "statistic": _rounded(statistic, at, STATISTIC_DECIMALS),
            "p_value": _rounded(found.p, at, P_DECIMALS),
            "class": named,
            "neighbours_used": used[at],
            "neighbours_outside": list(lacking.values()),
            "value_status": [
                _status(code, code in inside, name, refused, status)
                for code, name in zip(region, named, strict=True)
            ],
        }
        tables.append(pa.table([pa.array(columns[f.name], f.type) for f in SCHEMA], schema=SCHEMA))
    return pa.concat_tables(tables)


def _refused(inside: dict[str, tuple[Any, ...]], region: dict[str, str]) -> str | None:
    """Return the marker of figures that are not to be classed at all, or None."""
    by_district: dict[str, list[float]] = {}
    for code, (_, _, value) in inside.items():
        by_district.setdefault(region[code], []).append(value)
    several = [values for values in by_district.values() if len(values) > 1]
    if several and all(len(set(values)) == 1 for values in several):
        # Measured for districts: its hot spots would be the districts again.
        return NOT_APPLICABLE
    return LOW_RELIABILITY if len(inside) < LEAST_SHOWN * len(region) else None


def _found(
    indicator: Indicator,
    links: Links,
    figures: dict[str, tuple[Any, ...]],
    region: dict[str, str],
) -> Hotspots:
    tested = np.array([code in region for code in links.codes], dtype=bool)
    columns = np.array([figures[code] for code in links.codes], dtype=np.float64).reshape(-1, 3)
    numerator, denominator, value = columns.T
    if not _is_ratio(indicator):
        return hotspots(links, values=value, tested=tested)
    if indicator.kind == "share":
        # Rounded separately, a part may come out above its whole; it is published as the whole.
        numerator = np.minimum(numerator, denominator)
    return hotspots(links, events=numerator, people=denominator, tested=tested)


def _rounded(numbers: np.ndarray, at: np.ndarray, decimals: int) -> list[float | None]:
    taken = np.append(numbers, np.nan)[at]
    # Adding 0 makes the negative zero, which rounding may leave, a plain one.
    return [None if np.isnan(v) else round(float(v), decimals) + 0.0 for v in taken]


def _status(
    code: str,
    has_figure: bool,
    name: str | None,
    refused: str | None,
    status: dict[str, str | None],
) -> str | None:
    if name is not None:
        return status.get(code)
    if has_figure:
        return refused or NOT_APPLICABLE
    return status.get(code) or MISSING
