"""The tables of a composite index, made from what is published and from nothing else.

``figures``: the columns of the published figures; ``value`` is the score, ``lower_ci`` and
``upper_ci`` its 95 % interval, ``ci_method`` ``simulation``.

``ranks``: ``indicator_id, period_start, period_end, lsoa21cd, lad24cd, score, rank`` (1 is the
worst; ties share the mean of their ranks), ``areas`` (how many are ranked), ``rank_low, rank_high``
(90 % interval), ``p_worst_fifth``, ``class`` (in words), ``weight_present`` (part of the weight
whose inputs are known), ``value_status``.

``components``: ``indicator_id, period_start, period_end, lsoa21cd, lad24cd, component, title,
score, rank, weight`` (part of the index, 0 to 1), ``value_status``.

``sensitivity``: ``indicator_id, period_start, period_end, kind, name, title, mean_rank_change,
worst_fifth_changed, kendall_tau, areas`` (``composite/sensitivity.py``).

An input that is not published for neighbourhoods enters with its MSOA's or district's figure, the
same for all of its neighbourhoods, and is drawn once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from declarations.base import period_of
from declarations.errors import ConfigurationError
from indicators.composite.draws import simulate
from indicators.composite.ranks import average_ranks
from indicators.composite.recipe import Recipe, recipe_of
from indicators.composite.scoring import CompositeScores, compose
from indicators.composite.sensitivity import sensitivity
from indicators.composite.summaries import Simulated
from indicators.derived.index_inputs import (
    IndexAreas,
    IndexInputs,
    last_month,
    read_areas,
    read_inputs,
)
from indicators.derived.reading import RATE_SCHEMA, stacked, written
from indicators.intervals import Floats
from indicators.rates import ESTIMATED, MISSING
from indicators.windows import Window, label_of, windows

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator
    from declarations.indices import IndexMethod

_SPAN = (
    ("indicator_id", pa.string()), ("period_start", pa.date32()), ("period_end", pa.date32()),
)  # fmt: skip
_AREA = (("lsoa21cd", pa.string()), ("lad24cd", pa.string()))

RANKS = pa.schema(
    [
        *_SPAN, *_AREA, ("score", pa.float64()), ("rank", pa.float64()), ("areas", pa.int64()),
        ("rank_low", pa.float64()), ("rank_high", pa.float64()), ("p_worst_fifth", pa.float64()),
        ("class", pa.string()), ("weight_present", pa.float64()), ("value_status", pa.string()),
    ]
)  # fmt: skip
COMPONENTS = pa.schema(
    [
        *_SPAN, *_AREA, ("component", pa.string()), ("title", pa.string()),
        ("score", pa.float64()), ("rank", pa.float64()), ("weight", pa.float64()),
        ("value_status", pa.string()),
    ]
)  # fmt: skip
SENSITIVITY = pa.schema(
    [
        *_SPAN, ("kind", pa.string()), ("name", pa.string()), ("title", pa.string()),
        ("mean_rank_change", pa.float64()), ("worst_fifth_changed", pa.float64()),
        ("kendall_tau", pa.float64()), ("areas", pa.int64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class IndexTables:
    """The four tables of one index, or of several stacked."""

    figures: pa.Table
    ranks: pa.Table
    components: pa.Table
    sensitivity: pa.Table


def index_tables(
    con: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    declarations: RegionDeclarations,
    shown: str,
    areas: str,
    *,
    last_period: str | None = None,
    threads: int = 2,
) -> IndexTables:
    """Compute a composite index for every LSOA from the published figures of its inputs.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    indicator : Indicator
        Of kind composite.
    declarations : RegionDeclarations
        Hold its inputs, whose kind says what a figure leaves open: shares and rates are drawn from
        the posterior of their published counts, all else is taken as it stands.
    shown : str
        Table of published figures.
    areas : str
        Table ``lsoa21cd, msoa21cd, lad24cd``.
    last_period : str, optional
        Ends the calendar there.
    threads : int
        How many to use; the result does not depend on it.

    Returns
    -------
    IndexTables
        Each input enters with its last period that ends within the window and has any value; a
        row's period spans the inputs' periods for ``latest``. ``[x]`` where too little of the
        weight is present, ``[e]`` where an input is estimated, note ``fewer_inputs`` where weights
        were spread.

    Raises
    ------
    ConfigurationError
        If the indicator is no composite.
    """
    method = indicator.index
    if method is None:
        raise ConfigurationError(
            f"Indicator {indicator.id} is no composite", "Give it kind: composite and index"
        )
    region = read_areas(con, areas)
    end = last_period or last_month(con, shown, indicator) or declarations.region.first_period
    stretches: dict[Window, bool] = {}
    for output in indicator.outputs:
        for window in windows(
            declarations.region.first_period,
            end,
            output.window,
            declarations.region.release_month,
        ):
            stretches.setdefault(window, output.window == "latest")
    made = []
    for window, is_latest in stretches.items():
        inputs = read_inputs(con, method, declarations, shown, region, window.end)
        made.append(
            _tables(
                indicator,
                method,
                declarations,
                region,
                inputs,
                _labelled(window, inputs, is_latest),
                threads,
            )
        )
    return stack(made)


def stack(tables: list[IndexTables]) -> IndexTables:
    """Return the tables of several indices below each other."""
    return IndexTables(
        stacked([t.figures for t in tables], RATE_SCHEMA),
        stacked([t.ranks for t in tables], RANKS),
        stacked([t.components for t in tables], COMPONENTS),
        stacked([t.sensitivity for t in tables], SENSITIVITY),
    )


@dataclass(frozen=True)
class _Period:
    start: Any
    end: Any
    label: str


def _labelled(window: Window, inputs: IndexInputs, is_latest: bool) -> _Period:
    if not is_latest or inputs.end is None:
        return _Period(window.start, window.end, window.label)
    month = period_of(inputs.end)
    return _Period(inputs.start, inputs.end, f"Latest figures to {label_of(month, month)}")


def _tables(
    indicator: Indicator,
    method: IndexMethod,
    declarations: RegionDeclarations,
    region: IndexAreas,
    inputs: IndexInputs,
    period: _Period,
    threads: int,
) -> IndexTables:
    recipe, groups = recipe_of(method), region.groups
    values = {name: d.values for name, d in inputs.drawn.items()}
    point = compose(recipe, values, groups)
    drawn = simulate(
        recipe, inputs.drawn, method.uncertainty, region.codes, point,
        groups=groups, threads=threads,
    )  # fmt: skip
    size = len(region.codes)
    scored = ~np.isnan(point.scores)
    of_span = {
        "indicator_id": [indicator.id] * size,
        "period_start": [period.start] * size,
        "period_end": [period.end] * size,
    }
    of_area = {**of_span, "lsoa21cd": region.codes, "lad24cd": region.districts}
    missing = [None if s else MISSING for s in scored.tolist()]
    ranks = {
        **of_area, "score": point.scores, "rank": point.ranks,
        "areas": [int(scored.sum())] * size, "rank_low": drawn.rank_low,
        "rank_high": drawn.rank_high, "p_worst_fifth": drawn.p_worst_fifth,
        "class": drawn.classes, "weight_present": point.weight_present, "value_status": missing,
    }  # fmt: skip
    titles = {c.name: c.title for c in method.components}
    components = [
        {
            **of_area, "component": [name] * size, "title": [titles[name]] * size, "score": score,
            "rank": average_ranks(-score), "weight": np.full(size, weight),
            "value_status": [MISSING if np.isnan(s) else None for s in score.tolist()],
        }
        for (name, score), weight in zip(
            point.component_scores.items(), recipe.component_weights.tolist(), strict=True
        )
    ]  # fmt: skip
    return IndexTables(
        _figures(indicator, region, inputs, period, point, drawn),
        written(ranks, RANKS),
        stacked([written(c, COMPONENTS) for c in components], COMPONENTS),
        _sensitivity(indicator, method, declarations, recipe, values, groups, period),
    )


def _figures(
    indicator: Indicator,
    region: IndexAreas,
    inputs: IndexInputs,
    period: _Period,
    point: CompositeScores,
    drawn: Simulated,
) -> pa.Table:
    size = len(region.codes)
    scored = ~np.isnan(point.scores)
    status = np.full(size, None, dtype=object)
    status[inputs.estimated] = ESTIMATED
    status[~scored] = MISSING
    spread = scored & (point.weight_present < 1)
    nothing: list[None] = [None] * size
    columns = {
        "indicator_id": [indicator.id] * size,
        "period_start": [period.start] * size,
        "period_end": [period.end] * size,
        "period_label": [period.label] * size,
        "geography_type": ["lsoa21"] * size,
        "geography_code": region.codes,
        "lad24cd": region.districts,
        "numerator": nothing,
        "denominator": nothing,
        "estimated": inputs.estimated,
        "note_id": ["fewer_inputs" if s else None for s in spread.tolist()],
        "missing": ~scored,
        "value": point.scores,
        "lower_ci": drawn.score_low,
        "upper_ci": drawn.score_high,
        "ci_method": ["simulation" if s else "none" for s in scored.tolist()],
        "value_status": status,
        "unit": [indicator.unit] * size,
    }
    return written(columns, RATE_SCHEMA)


def _sensitivity(
    indicator: Indicator,
    method: IndexMethod,
    declarations: RegionDeclarations,
    recipe: Recipe,
    values: dict[str, Floats],
    groups: npt.NDArray[np.int64],
    period: _Period,
) -> pa.Table:
    found = sensitivity(recipe, values, groups)
    titles = {i: d.title for i, d in declarations.indicators.items()}
    titles |= {c.name: c.title for c in method.components}
    columns = {
        "indicator_id": [indicator.id] * len(found),
        "period_start": [period.start] * len(found),
        "period_end": [period.end] * len(found),
        "kind": [f.kind for f in found],
        "name": [f.name for f in found],
        "title": [titles.get(f.name) for f in found],
        "mean_rank_change": np.array([f.mean_rank_change for f in found], dtype=np.float64),
        "worst_fifth_changed": np.array([f.worst_fifth_changed for f in found], dtype=np.float64),
        "kendall_tau": np.array([f.kendall_tau for f in found], dtype=np.float64),
        "areas": [f.areas for f in found],
    }
    return written(columns, SENSITIVITY)
