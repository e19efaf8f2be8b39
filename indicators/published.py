"""Rows for statistics that are published as they stand.

Belongs here: passing a published statistic through. Does not belong here: rates (``rates.py``), or
indices that are made of it (``derived/indices.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.errors import ConfigurationError
from geography.sql import ident
from indicators.compute import admitted_periods
from indicators.plan import calendar_end
from indicators.rates import MISSING
from indicators.windows import Window, window_of, windows

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
