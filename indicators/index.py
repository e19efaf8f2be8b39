"""Rows for indicators that are not counted: published statistics and composite indices.

Belongs here: passing a published statistic through, and feeding the published values of its inputs
to a composite. Does not belong here: the arithmetic of a composite (``composite.py``), rates
(``rates.py``).

Both return the columns of ``add_rates``, so that all indicators can be stacked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from declarations.base import period_of
from declarations.errors import ConfigurationError
from geography.sql import ident
from indicators.composite import composite
from indicators.compute import admitted_periods
from indicators.plan import calendar_end
from indicators.rates import ESTIMATED, MISSING
from indicators.windows import Window, label_of, window_of, windows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import duckdb

    from declarations.contracts import Source
    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator


def statistic_table(
    con: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    declarations: RegionDeclarations,
    statistics: str,
    areas: str,
    admitted: str,
    *,
    last_period: str | None = None,
) -> duckdb.DuckDBPyRelation:
    """Return a published statistic as it stands, for every LSOA.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    indicator : Indicator
        Of kind statistic. For each output the last admitted delivery at the window's end serves.
    declarations : RegionDeclarations
    statistics : str
        Table ``source_id, period, lsoa21cd, statistic, value DOUBLE``; a source delivered once may
        have any period.
    areas : str
        Table ``lsoa21cd, lad24cd``.
    admitted : str
        Table ``source_id, period``.
    last_period : str, optional
        Ends the calendar there.

    Returns
    -------
    duckdb.DuckDBPyRelation
        The columns of ``indicator_table`` and ``add_rates``; numerator and denominator are NULL,
        ``value_status`` is ``[x]`` where there is no figure.

    Raises
    ------
    ConfigurationError
        If the indicator is no statistic, no source gives it, or a source delivered once does not
        say which month it describes.
    """
    source = _statistic_source(indicator, declarations)
    delivered = admitted_periods(con, admitted)
    end = calendar_end(declarations, delivered, last_period)
    uses = _statistic_windows(indicator, declarations, source, delivered, end)
    parameters = {
        "indicator_id": indicator.id,
        "unit": indicator.unit,
        "source_id": source.id,
        "statistic": indicator.statistic,
        "start": [w.start for w, _ in uses],
        "end": [w.end for w, _ in uses],
        "label": [w.label for w, _ in uses],
        "period": [p for _, p in uses],
        "any_period": source.cadence == "once",
        "admitted": bool(delivered.get(source.id)),
        "missing": MISSING,
    }
    return con.sql(statistic_sql(statistics, areas), params=parameters)


def statistic_sql(statistics: str, areas: str) -> str:
    """Return the statement that gives every LSOA its published figure."""
    return f"""
WITH stretches AS (
    SELECT unnest($start::DATE[]) AS period_start, unnest($end::DATE[]) AS period_end,
           unnest($label::VARCHAR[]) AS period_label, unnest($period::VARCHAR[]) AS period
)
SELECT $indicator_id::VARCHAR AS indicator_id, s.period_start, s.period_end, s.period_label,
       'lsoa21' AS geography_type, a.lsoa21cd AS geography_code, a.lad24cd,
       NULL::BIGINT AS numerator, NULL::BIGINT AS denominator, false AS estimated,
       NULL::VARCHAR AS note_id, f.value IS NULL AS missing, f.value::DOUBLE AS value,
       NULL::DOUBLE AS lower_ci, NULL::DOUBLE AS upper_ci, 'none' AS ci_method,
       CASE WHEN f.value IS NULL THEN $missing::VARCHAR END AS value_status,
       $unit::VARCHAR AS unit
FROM stretches AS s
CROSS JOIN {ident(areas)} AS a
LEFT JOIN {ident(statistics)} AS f
  ON f.lsoa21cd = a.lsoa21cd AND f.source_id = $source_id AND f.statistic = $statistic
 AND ($any_period::BOOLEAN OR f.period = s.period) AND $admitted::BOOLEAN
ORDER BY s.period_start, a.lsoa21cd
"""


def _statistic_source(indicator: Indicator, declarations: RegionDeclarations) -> Source:
    if indicator.statistic is None:
        raise ConfigurationError(
            f"Indicator {indicator.id} is no published statistic", "Give it kind: statistic"
        )
    for source in declarations.sources_of_kind("statistics"):
        if any(c.name == indicator.statistic for c in declarations.contract_of(source).columns):
            if source.cadence == "once" and source.period is None:
                raise ConfigurationError(
                    f"sources/{source.id}.yaml: period is missing",
                    f"Say which month its figures describe; {indicator.id} publishes them",
                )
            return source
    raise ConfigurationError(
        f"Indicator {indicator.id} publishes {indicator.statistic}, which no source gives",
        "Add a source whose contract has that column, or leave the indicator out",
    )


def _statistic_windows(
    indicator: Indicator,
    declarations: RegionDeclarations,
    source: Source,
    admitted: Mapping[str, Collection[str]],
    end: str,
) -> list[tuple[Window, str]]:
    if source.period is not None and source.cadence == "once":
        return [(window_of(source.period, source.period), source.period)]
    delivered = sorted(p for p in admitted.get(source.id, ()) if p <= end)
    region = declarations.region
    found: dict[Window, str] = {}
    for output in indicator.outputs:
        last = delivered[-1] if output.window == "latest" and delivered else end
        for window in windows(region.first_period, last, output.window, region.release_month):
            usable = [p for p in delivered if window.first <= p <= window.last]
            found[window] = usable[-1] if usable else ""
    return list(found.items())


def composite_table(
    con: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    declarations: RegionDeclarations,
    rates: str,
    areas: str,
    *,
    last_period: str | None = None,
) -> duckdb.DuckDBPyRelation:
    """Compute a composite index for every LSOA from the values of its inputs.

    Give it protected values: then the index tells nothing that its published inputs do not, and
    anyone can recompute it.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    indicator : Indicator
        Of kind composite.
    declarations : RegionDeclarations
    rates : str
        Rows of ``add_rates`` and ``statistic_table`` that hold the inputs at LSOA level.
    areas : str
        Table ``lsoa21cd, lad24cd``.
    last_period : str, optional
        Ends the calendar there.

    Returns
    -------
    duckdb.DuckDBPyRelation
        The columns of ``add_rates``; ``value`` is the score from 0 to 100, higher is worse. Each
        input enters with its last period that ends within the window and has any value; the row's
        period spans the inputs' periods. ``[x]`` where less than half of the weight is present,
        ``[e]`` where an input is estimated, note ``fewer_inputs`` where weights were spread.

    Raises
    ------
    ConfigurationError
        If the indicator is no composite.
    """
    if indicator.kind != "composite":
        raise ConfigurationError(
            f"Indicator {indicator.id} is no composite", "Give it kind: composite and components"
        )
    region = con.sql(
        f"SELECT lsoa21cd, lad24cd FROM {ident(areas)} ORDER BY lsoa21cd"
    ).to_arrow_table()
    ids = [c.indicator for c in indicator.components]
    end = last_period or _last_month(con, rates, ids) or declarations.region.first_period
    stretches: dict[Window, bool] = {}
    for output in indicator.outputs:
        for window in windows(
            declarations.region.first_period,
            end,
            output.window,
            declarations.region.release_month,
        ):
            stretches.setdefault(window, output.window == "latest")
    tables = [
        _composite_rows(
            indicator,
            region,
            con.sql(
                inputs_sql(rates), params={"indicators": ids, "last": window.end}
            ).to_arrow_table(),
            window,
            is_latest,
        )
        for window, is_latest in stretches.items()
    ]
    return con.from_arrow(pa.concat_tables(tables) if tables else _schema().empty_table())


def inputs_sql(rates: str) -> str:
    """Return the statement that takes each input at its last period with any value."""
    return f"""
WITH eligible AS (
    SELECT indicator_id, geography_code, period_start, period_end, value,
           coalesce(contains(value_status, '{ESTIMATED}'), false) AS estimated
    FROM {ident(rates)}
    WHERE geography_type = 'lsoa21' AND list_contains($indicators::VARCHAR[], indicator_id)
      AND period_end <= $last::DATE
), latest AS (
    SELECT indicator_id, max(period_end) AS period_end
    FROM eligible WHERE value IS NOT NULL GROUP BY indicator_id
)
SELECT e.indicator_id, e.geography_code, e.period_start, e.period_end, e.value, e.estimated
FROM eligible AS e JOIN latest USING (indicator_id, period_end)
-- Of a month and a year that end together the longer one is the steadier input.
QUALIFY row_number() OVER (
    PARTITION BY e.indicator_id, e.geography_code ORDER BY e.period_start) = 1
ORDER BY e.indicator_id, e.geography_code
"""


def _last_month(con: duckdb.DuckDBPyConnection, rates: str, ids: list[str]) -> str | None:
    row = con.execute(
        f"SELECT strftime(max(period_end), '%Y-%m') FROM {ident(rates)} "
        "WHERE geography_type = 'lsoa21' AND list_contains($1::VARCHAR[], indicator_id)",
        [ids],
    ).fetchone()
    return row[0] if row else None


def _composite_rows(
    indicator: Indicator, region: pa.Table, inputs: pa.Table, window: Window, is_latest: bool
) -> pa.Table:
    codes = region.column("lsoa21cd").to_pylist()
    place = {code: i for i, code in enumerate(codes)}
    values = {c.indicator: np.full(len(codes), np.nan) for c in indicator.components}
    estimated = np.zeros(len(codes), dtype=bool)
    for row in inputs.to_pylist():
        i = place.get(row["geography_code"])
        if i is not None and row["value"] is not None:
            values[row["indicator_id"]][i] = row["value"]
            estimated[i] |= row["estimated"]
    result = composite(values, indicator.components)
    start, end, label = window.start, window.end, window.label
    if is_latest and inputs.num_rows:
        start = min(inputs.column("period_start").to_pylist())
        end = max(inputs.column("period_end").to_pylist())
        label = f"Latest figures to {label_of(period_of(end), period_of(end))}"
    size = len(codes)
    scored = ~np.isnan(result.scores)
    status = np.full(size, None, dtype=object)
    status[estimated] = ESTIMATED
    status[~scored] = MISSING
    spread = scored & (result.weight_present < 1)
    nothing: list[object] = [None] * size
    columns: dict[str, list[object]] = {
        "indicator_id": [indicator.id] * size,
        "period_start": [start] * size,
        "period_end": [end] * size,
        "period_label": [label] * size,
        "geography_type": ["lsoa21"] * size,
        "geography_code": codes,
        "lad24cd": region.column("lad24cd").to_pylist(),
        "numerator": nothing,
        "denominator": nothing,
        "estimated": estimated.tolist(),
        "note_id": ["fewer_inputs" if s else None for s in spread],
        "missing": (~scored).tolist(),
        "value": [float(v) if s else None for v, s in zip(result.scores, scored, strict=True)],
        "lower_ci": nothing,
        "upper_ci": nothing,
        "ci_method": ["none"] * size,
        "value_status": status.tolist(),
        "unit": [indicator.unit] * size,
    }
    return pa.table(columns, schema=_schema())


def _schema() -> pa.Schema:
    """Return the columns of ``add_rates`` as Arrow types."""
    text, number = pa.string(), pa.float64()
    return pa.schema(
        [
            ("indicator_id", text),
            ("period_start", pa.date32()),
            ("period_end", pa.date32()),
            ("period_label", text),
            ("geography_type", text),
            ("geography_code", text),
            ("lad24cd", text),
            ("numerator", pa.int64()),
            ("denominator", pa.int64()),
            ("estimated", pa.bool_()),
            ("note_id", text),
            ("missing", pa.bool_()),
            ("value", number),
            ("lower_ci", number),
            ("upper_ci", number),
            ("ci_method", text),
            ("value_status", text),
            ("unit", text),
        ]
    )
