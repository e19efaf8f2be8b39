"""Figures of the areas beyond the region's edge, so that those at its edge have all neighbours.

They are counted by the same code, protected by the same profile and turned into rates by the same
function as the region's own, from open data whose rows name an LSOA or output area. They serve as
neighbours only: no class is given to them, and nothing of them is published.

Belongs here: which sources may give such figures, and the table of them. Does not belong here:
which areas those are (``intake/buffer.py``).

A list of events never serves. Of a list it cannot be said whether an area without an entry had
nothing to list, or lies where the list does not reach. In a file with a row for each area, an area
without a row has no figure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from declarations.base import month_index
from declarations.contracts import Contract, Source
from declarations.declared import RegionDeclarations, digest
from declarations.region import District
from geography.placement import PlacementKeys, Reference, place
from governance.disclosure.counts import protect_sql
from governance.disclosure.profiles import profile
from indicators.compute import indicator_table
from indicators.counting import PLACED, count_sql, data_period
from indicators.library import least_denominator
from indicators.plan import calendar_end
from indicators.rates import add_rates
from indicators.windows import Window, window_of, windows
from intake.admission import admitted_table
from intake.buffer import BUFFER
from intake.reference import known_lsoas_sql, reference_table
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.sql import ident
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb

    from declarations.indicators import Indicator

FIGURES = TableRef("reference", "reference_buffer_figures")

DIRECT_KEYS = frozenset({"lsoa", "output_area"})
"""Location keys that name an area: a row beyond the region is placed as surely as one within."""

WHOLE_FILE_KINDS = frozenset({"values", "statistics"})
"""Kinds of contract with a row for each area."""

MONTHS_READ = 12
"""Deliveries of a flow this many months back from its last one are counted."""

BEYOND = "beyond"
"""Stands for the district of every area beyond the region, in no table that is kept."""

AREAS, CODES, COUNTS, ADMITTED, COVERED, RECORDS, STATISTICS, RESULT = (
    "beyond_areas", "beyond_codes", "beyond_counts", "beyond_admitted", "beyond_covered",
    "beyond_records", "beyond_statistics", "beyond_figures",
)  # fmt: skip
LEVEL = "lsoa21"


def gives_figures_beyond(declared: RegionDeclarations, source: Source) -> bool:
    """Whether a source may give figures of areas beyond the region.

    It must be published under an open licence, be no single district's, hold a row for each area,
    and name the area in each row by its LSOA or output area.
    """
    contract = declared.contract_of(source)
    return (
        declared.is_open[source.id]
        and source.lad24cd is None
        and contract.kind in WHOLE_FILE_KINDS
        and contract.locate is not None
        and set(contract.locate.by) <= DIRECT_KEYS
    )


def indicators_beyond(declared: RegionDeclarations) -> list[Indicator]:
    """Return the indicators that have figures beyond the region: all their sources may give some.

    Those made of other indicators are not among them: they compare the region's areas.
    """
    found = []
    for indicator in declared.indicators.values():
        levels = {o.level for o in indicator.outputs}
        if indicator.kind not in ("rate", "share", "statistic") or LEVEL not in levels:
            continue
        sources = declared.sources_behind(indicator)
        if sources and all(gives_figures_beyond(declared, s) for s in sources):
            found.append(indicator)
    return found


def build_buffer_figures(workspace: Workspace) -> Built:
    """Make the table of the figures of the areas beyond the region.

    Returns
    -------
    Built
        ``indicator_id, period_start, period_end, lsoa21cd, numerator, denominator, value``: the
        last period of each indicator, protected as published figures are; an area without a figure
        has no row. Numerator and denominator of a statistic are NULL. ``absent`` where there are no
        areas beyond the region, or no open data of them.
    """
    declared = workspace.declared
    chosen = indicators_beyond(declared)
    sources = {s.id: s for i in chosen for s in declared.sources_behind(i)}
    read = {s.id: _periods_read(workspace, s) for s in sources.values()}
    wanted = fingerprint(
        ["reference", "buffer_figures", workspace.code_version, digest(declared.region)],
        [digest(*chosen), digest(*(declared.contract_of(s) for s in sources.values()))],
        [workspace.state_of(BUFFER)],
        [workspace.state_of(reference_table(r)) for r in ("lsoa_changes", "output_areas")],
        [f"{s.id}/{p}={workspace.state_of(admitted_table(s), p)}"
         for s in sources.values() for p in read[s.id]],
    )  # fmt: skip

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        buffer = workspace.lake.scan(BUFFER)
        if buffer is None:
            return Absent("there are no areas beyond the region")
        if not chosen:
            return Absent("no indicator is made of open data that covers areas beyond the region")
        run(
            connection,
            f"CREATE TABLE {AREAS} AS SELECT DISTINCT lsoa21cd, CAST(NULL AS VARCHAR) AS msoa21cd, "
            f"'{BEYOND}' AS lad24cd FROM {buffer}",
            table=FIGURES.name,
        )
        reference = _reference(workspace, connection)
        _empty_tables(connection)
        for source in sources.values():
            for period in read[source.id]:
                _count(workspace, connection, source, period, reference)
        for indicator in chosen:
            if indicator.kind == "statistic":
                _statistic(connection, indicator, declared)
            else:
                _ratio(connection, indicator, declared)
        return f"SELECT * FROM {RESULT} ORDER BY ALL"

    return workspace.build(
        FIGURES, fingerprint=wanted, produce=produce, encryption=True, inputs=sorted(sources)
    )


def _periods_read(workspace: Workspace, source: Source) -> list[str]:
    """Return the deliveries that figures of a source's last period need."""
    table = admitted_table(source)
    present = [
        p for p in workspace.expected_periods(source) if workspace.lake.path(table, p).is_file()
    ]
    if source.cadence == "once" or not present:
        return present
    flows = any(c.additivity == "flow" for c in workspace.declared.contract_of(source).counts)
    months = MONTHS_READ if flows else 1
    return [p for p in present if month_index(p) > month_index(present[-1]) - months]


def _reference(workspace: Workspace, connection: duckdb.DuckDBPyConnection) -> Reference:
    """Make what rows are placed by, with the areas beyond the region in place of its own."""
    names = {}
    for role in ("lsoa_changes", "output_areas"):
        scan = workspace.lake.scan(reference_table(role))
        if scan is not None:
            names[role] = f"beyond_{role}"
            run(connection, f"CREATE VIEW {names[role]} AS SELECT * FROM {scan}", table=role)
    known = known_lsoas_sql(workspace)
    if known:
        run(connection, f"CREATE TABLE beyond_known AS {known}", table=FIGURES.name)
    codes = [f"SELECT lsoa21cd AS code FROM {AREAS}"]
    for role, code in (("lsoa_changes", "lsoa11cd"), ("output_areas", "oa21cd")):
        if role in names:
            codes.append(f"SELECT {code} FROM {names[role]} SEMI JOIN {AREAS} USING (lsoa21cd)")
    run(connection, f"CREATE TABLE {CODES} AS {' UNION '.join(codes)}", table=FIGURES.name)
    return Reference(
        areas=AREAS,
        changes=names.get("lsoa_changes"),
        known_lsoa21="beyond_known" if known else None,
        output_areas=names.get("output_areas"),
    )


def _empty_tables(connection: duckdb.DuckDBPyConnection) -> None:
    for name, columns in (
        (COUNTS, "source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR, lad24cd VARCHAR, "
                 "measure VARCHAR, category VARCHAR, value BIGINT, estimated BOOLEAN, "
                 "geo_reason VARCHAR, value_status VARCHAR"),
        (STATISTICS, "source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR, statistic VARCHAR, "
                     "value DOUBLE"),
        (ADMITTED, "source_id VARCHAR, period VARCHAR"),
        (COVERED, "source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR"),
        (RESULT, "indicator_id VARCHAR, period_start DATE, period_end DATE, lsoa21cd VARCHAR, "
                 "numerator BIGINT, denominator BIGINT, value DOUBLE"),
    ):  # fmt: skip
        run(connection, f"CREATE TABLE {name} ({columns})", table=FIGURES.name)


def _count(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    period: str,
    reference: Reference,
) -> None:
    """Add one delivery's counts or statistics of the areas beyond, and which areas it covers."""
    declared = workspace.declared
    contract, table = declared.contract_of(source), admitted_table(source)
    scan = workspace.lake.scan(table, [period])
    if scan is None or (_needs_output_areas(contract) and reference.output_areas is None):
        return
    columns = sorted(contract.locate.columns) if contract.locate else []
    # A national file has a hundred rows for each that can lie in the buffer.
    near = " OR ".join(f"upper(trim({ident(c)})) IN (FROM {CODES})" for c in columns)
    run(connection, f"CREATE TABLE {RECORDS} AS FROM {scan} WHERE {near}", table=table.name)
    place(connection, RECORDS, _keys(connection, contract), reference, PLACED)
    run(connection, f"DROP TABLE {RECORDS}", table=table.name)
    run(connection, f"DELETE FROM {PLACED} WHERE lsoa21cd IS NULL", table=table.name)
    month = data_period(source, period)
    run(connection, f"INSERT INTO {ADMITTED} VALUES (?, ?)", [source.id, month], table=table.name)
    run(
        connection,
        f"INSERT INTO {COVERED} SELECT DISTINCT ?, ?, lsoa21cd FROM {PLACED}",
        [source.id, month],
        table=table.name,
    )
    if contract.kind == "statistics":
        for column in contract.columns:
            if column.type in ("integer", "number"):
                # Two rows of one area are two parts of it, and no statistic can be added up.
                run(
                    connection,
                    f"INSERT INTO {STATISTICS} SELECT ?, ?, lsoa21cd, ?, "
                    f"any_value(CAST({ident(column.name)} AS DOUBLE)) FROM {PLACED} "
                    "GROUP BY lsoa21cd HAVING count(*) = 1",
                    [source.id, month, column.name],
                    table=table.name,
                )
        return
    for count in contract.counts:
        sql, parameters = count_sql(contract, count, source, period)
        run(connection, f"INSERT INTO {COUNTS} {sql}", parameters, table=table.name)


def _needs_output_areas(contract: Contract) -> bool:
    return contract.locate is not None and "output_area" in contract.locate.by


def _keys(connection: duckdb.DuckDBPyConnection, contract: Contract) -> PlacementKeys:
    location = contract.locate
    here = {row[0] for row in connection.execute(f"DESCRIBE {RECORDS}").fetchall()}
    return PlacementKeys(
        by=tuple(location.by) if location else (),
        lsoa=location.lsoa if location else None,
        output_area=location.output_area if location else None,
        values=tuple(c for c in contract.value_columns if c in here),
    )


def _ratio(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, declared: RegionDeclarations
) -> None:
    """Add a rate's or share's figures of its last period, protected as the region's are."""
    indicator = indicator.model_copy(
        update={
            "outputs": [o for o in indicator.outputs if o.level == LEVEL],
            "minimum_denominator": least_denominator(indicator, declared),
        }
    )
    there = District.model_construct(lad24cd=BEYOND, name="beyond the region")
    region = declared.region.model_copy(update={"districts": [there]})
    indicator_table(
        connection, indicator, replace(declared, region=region), COUNTS, AREAS, ADMITTED
    ).create("beyond_terms")
    rule = profile(indicator.profile)
    run(
        connection,
        f"CREATE TABLE beyond_protected AS SELECT * REPLACE ("
        f"{protect_sql('numerator', rule)} AS numerator, "
        f"{protect_sql('denominator', rule)} AS denominator) FROM beyond_terms "
        f"WHERE NOT missing AND geography_code IN ({_covered_everywhere(declared, indicator)})",
        table=FIGURES.name,
    )
    add_rates(connection, "beyond_protected", indicator).create("beyond_rates")
    run(
        connection,
        f"INSERT INTO {RESULT} SELECT indicator_id, period_start, period_end, "
        "geography_code, numerator, denominator, value FROM beyond_rates WHERE value IS NOT NULL "
        # Of a month and a year that end together the longer one is the steadier figure.
        "QUALIFY rank() OVER (ORDER BY period_end DESC, period_start) = 1",
        table=FIGURES.name,
    )
    for name in ("terms", "protected", "rates"):
        run(connection, f"DROP TABLE beyond_{name}", table=FIGURES.name)


def _covered_everywhere(declared: RegionDeclarations, indicator: Indicator) -> str:
    """SQL: the areas that every delivery behind an indicator has a row for."""
    names = ", ".join(f"'{s.id}'" for s in declared.sources_behind(indicator))
    return (
        f"SELECT c.lsoa21cd FROM {COVERED} AS c WHERE c.source_id IN ({names}) "
        "GROUP BY c.lsoa21cd HAVING count(DISTINCT (c.source_id, c.period)) = "
        f"(SELECT count(*) FROM {ADMITTED} AS a WHERE a.source_id IN ({names}))"
    )


def _statistic(
    connection: duckdb.DuckDBPyConnection, indicator: Indicator, declared: RegionDeclarations
) -> None:
    """Add a published statistic's figures of its last delivery."""
    for source in declared.sources_behind(indicator):
        rows = run(
            connection,
            f"SELECT max(period) FROM {STATISTICS} WHERE source_id = ? AND statistic = ?",
            [source.id, indicator.statistic],
            table=FIGURES.name,
        ).fetchall()
        period = rows[0][0] if rows else None
        window = _window(indicator, declared, source, period) if period else None
        if window is None:
            continue
        run(
            connection,
            f"INSERT INTO {RESULT} SELECT ?, ?, ?, lsoa21cd, NULL, NULL, value FROM {STATISTICS} "
            "WHERE source_id = ? AND statistic = ? AND period = ? AND value IS NOT NULL",
            [indicator.id, window.start, window.end, source.id, indicator.statistic, period],
            table=FIGURES.name,
        )
        return


def _window(
    indicator: Indicator, declared: RegionDeclarations, source: Source, period: str
) -> Window | None:
    """Return the last window of a statistic that a delivery serves."""
    if source.cadence == "once":
        return window_of(period, period)
    region = declared.region
    end = calendar_end(declared, {source.id: [period]})
    found = [
        window
        for output in indicator.outputs
        for window in windows(
            region.first_period,
            period if output.window == "latest" else end,
            output.window,
            region.release_month,
        )
        if window.first <= period <= window.last
    ]
    return max(found, key=lambda w: (w.last, w.months), default=None)
