"""The inputs of a composite index, read from what is published.

Belongs here: which period and level of an input serves, and what its published counts leave open.
Does not belong here: the index (``indices.py``).

An input that is not published for neighbourhoods enters with its MSOA's or district's figure, the
same for all of its neighbourhoods, and is drawn once for all of them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geography.sql import ident
from governance.disclosure.profiles import profile
from indicators.composite.draws import DrawInput
from indicators.composite.posteriors import (
    curve,
    rate_moments,
    rounding_offsets,
    share_moments,
    shrunk_rate_moments,
    shrunk_share_curve,
)
from indicators.derived.reading import COLUMNS, Figures, within_of
from indicators.intervals import Floats
from indicators.rates import ESTIMATED
from indicators.statistics.shrinkage import logit, marshall

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator
    from declarations.indices import IndexMethod

LEVELS = {"lsoa21": "lsoa21cd", "msoa21": "msoa21cd", "lad24": "lad24cd"}
"""Levels from the finest, with the column of the areas that holds their code."""


@dataclass(frozen=True)
class IndexAreas:
    """The areas in order of their code, with the code of each at every level."""

    codes: list[str]
    districts: list[str]
    at_level: dict[str, list[str]]

    @property
    def groups(self) -> npt.NDArray[np.int64]:
        """Number of each area's district."""
        return np.unique(np.array(self.districts, dtype=object), return_inverse=True)[1].reshape(-1)


@dataclass(frozen=True)
class IndexInputs:
    """What an index is made of at one time."""

    drawn: dict[str, DrawInput]
    estimated: npt.NDArray[np.bool_]
    start: dt.date | None
    end: dt.date | None


def read_areas(con: duckdb.DuckDBPyConnection, areas: str) -> IndexAreas:
    """Return the areas of a table ``lsoa21cd, msoa21cd, lad24cd``."""
    rows = con.sql(
        f"SELECT lsoa21cd, msoa21cd, lad24cd FROM {ident(areas)} ORDER BY lsoa21cd"
    ).to_arrow_table()
    at_level = {level: rows.column(column).to_pylist() for level, column in LEVELS.items()}
    return IndexAreas(at_level["lsoa21"], at_level["lad24"], at_level)


def _level_of(declarations: RegionDeclarations, indicator_id: str) -> str:
    """Return the finest level an input is published for."""
    declared = declarations.indicators.get(indicator_id)
    levels = {o.level for o in declared.outputs} if declared else {"lsoa21"}
    return next(level for level in LEVELS if level in levels)


def last_month(con: duckdb.DuckDBPyConnection, shown: str, indicator: Indicator) -> str | None:
    """Return the month in which the last published figure of any input ends."""
    row = con.execute(
        f"SELECT strftime(max(period_end), '%Y-%m') FROM {ident(shown)} "
        "WHERE list_contains($1::VARCHAR[], indicator_id)",
        [indicator.made_of],
    ).fetchone()
    return row[0] if row else None


def inputs_sql(shown: str) -> str:
    """Return the statement that takes each input at its last period with any value."""
    return f"""
WITH wanted AS (
    SELECT unnest($indicators::VARCHAR[]) AS indicator_id,
           unnest($levels::VARCHAR[]) AS geography_type
), eligible AS (
    SELECT {", ".join(f"f.{c}" for c in COLUMNS)}
    FROM {ident(shown)} AS f JOIN wanted USING (indicator_id, geography_type)
    WHERE f.period_end <= $last::DATE
), latest AS (
    SELECT indicator_id, max(period_end) AS period_end
    FROM eligible WHERE value IS NOT NULL GROUP BY indicator_id
)
SELECT e.* FROM eligible AS e JOIN latest USING (indicator_id, period_end)
-- Of a month and a year that end together the longer one is the steadier input.
QUALIFY row_number() OVER (
    PARTITION BY e.indicator_id, e.geography_code ORDER BY e.period_start) = 1
ORDER BY e.indicator_id, e.geography_code
"""


def read_inputs(
    con: duckdb.DuckDBPyConnection,
    method: IndexMethod,
    declarations: RegionDeclarations,
    shown: str,
    region: IndexAreas,
    last: dt.date,
) -> IndexInputs:
    """Return each input at its last period that ends by a day and has any value."""
    ids = [i.indicator for i in method.inputs]
    levels = [_level_of(declarations, i) for i in ids]
    rows = con.execute(
        inputs_sql(shown), {"indicators": ids, "levels": levels, "last": last}
    ).to_arrow_table()
    owner = np.array(rows.column("indicator_id").to_pylist(), dtype=object)
    estimated = np.zeros(len(region.codes), dtype=bool)
    drawn = {}
    for indicator_id, level in zip(ids, levels, strict=True):
        figures = Figures(rows).take(np.flatnonzero(owner == indicator_id))
        drawn[indicator_id], marked = _input(
            figures, region.at_level[level], declarations, indicator_id, method
        )
        estimated |= marked
    starts, ends = (rows.column(c).to_pylist() for c in ("period_start", "period_end"))
    return IndexInputs(drawn, estimated, min(starts, default=None), max(ends, default=None))


def _input(
    figures: Figures,
    areas: list[str],
    declarations: RegionDeclarations,
    indicator_id: str,
    method: IndexMethod,
) -> tuple[DrawInput, npt.NDArray[np.bool_]]:
    """Return an input as it is drawn, and where a part of it is estimated."""
    value = figures.numbers("value")
    known = np.flatnonzero(~np.isnan(value))
    declared = declarations.indicators.get(indicator_id)
    found: Floats | None = None
    if declared is not None and declared.kind in ("share", "rate") and known.size:
        shrinks = method.shrinkage == "district"
        value, found = _posterior(figures, known, declared, shrinks=shrinks)
    codes = figures.listed("geography_code")
    place = {codes[row]: unit for unit, row in enumerate(known.tolist())}
    unit = np.array([place.get(code, -1) for code in areas], dtype=np.int64)
    status = figures.listed("value_status")
    marked = np.array([ESTIMATED in (status[row] or "") for row in known.tolist()] + [False])
    return DrawInput(np.append(value[known], np.nan)[unit], found, unit), marked[unit]


def _posterior(
    figures: Figures,
    known: npt.NDArray[np.int64],
    declared: Indicator,
    *,
    shrinks: bool,
) -> tuple[Floats, Floats | None]:
    """Return the values the score is made of, and the curve of each known one."""
    value = figures.numbers("value").copy()
    x, n = figures.numbers("numerator"), figures.numbers("denominator")
    if np.isnan(x[known]).any() or not np.all(n[known] > 0):
        # A figure without its counts is taken as it stands.
        return value, None
    share, scale = declared.kind == "share", declared.multiplier
    rule = profile(declared.profile)
    offsets = rounding_offsets(rule)
    x = np.minimum(x, n) if share else x
    if not shrinks:
        moments = share_moments if share else rate_moments
        least = rule.small.hidden_below
        return value, scale * curve(moments(x[known], n[known], offsets, least))
    draw = logit if share else marshall
    shrunk = draw(x, n, figures.listed("lad24cd"), within=within_of(declared, figures))
    mean, weight = shrunk.value[known], shrunk.weight[known]
    value[known] = scale * mean
    if share:
        return value, scale * shrunk_share_curve(x[known], n[known], mean, weight, offsets)
    return value, scale * curve(shrunk_rate_moments(n[known], mean, weight, offsets))
