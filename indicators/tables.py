"""The stage between counts and protection: one table of exact rates for each theme.

Belongs here: gathering the counts, statistics and areas a theme needs, and writing its table.
Does not belong here: the sums (``compute.py``) or the rates (``rates.py``) themselves. What is
written here is exact and stays inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from declarations.contracts import Source
from declarations.declared import digest
from declarations.indicators import DERIVED, Indicator
from indicators.compute import indicator_table
from indicators.counting import counts_table, data_period, statistics_table
from indicators.published import statistic_table
from indicators.rates import add_rates
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb

AREAS = TableRef("reference", "reference_areas")
COUNTS, STATISTICS, ADMITTED, RATED = "counts", "statistics", "admitted", "rated"

RATE_COLUMNS = (
    "indicator_id, period_start, period_end, period_label, geography_type, geography_code, "
    "lad24cd, numerator, denominator, estimated, note_id, missing, value, lower_ci, upper_ci, "
    "ci_method, value_status, unit"
)


def theme_table(theme: str) -> TableRef:
    """Return the table of a theme's exact indicators."""
    return TableRef("linked", f"indicator_{theme}")


def themes(workspace: Workspace) -> list[str]:
    """Return the themes a region has indicators for that are not made from others."""
    found = {i.theme for i in workspace.declared.indicators.values() if i.kind not in DERIVED}
    return sorted(found)


def of_theme(workspace: Workspace, theme: str) -> list[Indicator]:
    """Return a theme's indicators that are counted or taken over, in order of id."""
    indicators = workspace.declared.indicators.values()
    return [i for i in indicators if i.theme == theme and i.kind not in DERIVED]


def sources_needed(workspace: Workspace, theme: str) -> list[Source]:
    """Return the sources whose counts or statistics a theme's indicators use."""
    declared = workspace.declared
    needed: set[str] = set()
    for indicator in of_theme(workspace, theme):
        for term in indicator.terms:
            for measure in term.measures:
                needed |= {s.id for s in declared.suppliers_of(measure)}
        if indicator.statistic:
            needed |= {
                s.id
                for s in declared.sources_of_kind("statistics")
                if any(c.name == indicator.statistic for c in declared.contract_of(s).columns)
            }
    return [declared.sources[name] for name in sorted(needed)]


def _table_of(workspace: Workspace, source: Source) -> TableRef:
    kind = workspace.declared.contract_of(source).kind
    return statistics_table(source) if kind == "statistics" else counts_table(source)


def build_theme(workspace: Workspace, theme: str) -> Built:
    """Make a theme's table of exact numerators, denominators, rates and intervals."""
    indicators = of_theme(workspace, theme)
    sources = sources_needed(workspace, theme)
    periods = {s.id: workspace.expected_periods(s) for s in sources}
    wanted = fingerprint(
        ["indicator", theme, workspace.code_version, digest(workspace.declared.region)],
        [digest(*indicators)],
        [
            f"{s.id}/{p}={workspace.state_of(_table_of(workspace, s), p)}"
            for s in sources
            for p in periods[s.id]
        ],
        [workspace.state_of(AREAS)],
    )

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        areas = workspace.lake.scan(AREAS)
        if areas is None:
            return Absent("the region has no areas")
        run(connection, f"CREATE TABLE areas AS SELECT * EXCLUDE (geometry) FROM {areas}",
            table=AREAS.name)  # fmt: skip
        gather_counts(workspace, connection, sources)
        for number, indicator in enumerate(indicators):
            if indicator.kind == "statistic":
                rows = statistic_table(
                    connection, indicator, workspace.declared, STATISTICS, "areas", ADMITTED
                )
            else:
                indicator_table(
                    connection, indicator, workspace.declared, COUNTS, "areas", ADMITTED
                ).create("terms")
                rows = add_rates(connection, "terms", indicator)
            selected = rows.select(RATE_COLUMNS)
            if number:
                selected.insert_into(RATED)
            else:
                selected.create(RATED)
            connection.execute("DROP TABLE IF EXISTS terms")
        return f"SELECT * FROM {RATED} ORDER BY ALL"

    return workspace.build(
        theme_table(theme), fingerprint=wanted, produce=produce,
        inputs=[_table_of(workspace, s).name for s in sources],
    )  # fmt: skip


def _present(workspace: Workspace, source: Source) -> list[str]:
    """Return the partitions of a source's counts or statistics that are there."""
    table = _table_of(workspace, source)
    return [
        p for p in workspace.expected_periods(source) if workspace.lake.path(table, p).is_file()
    ]


def counted_periods(workspace: Workspace, sources: Iterable[Source]) -> dict[str, set[str]]:
    """Return the months each source's counts describe, as the table ``admitted`` has them."""
    return {
        s.id: {data_period(s, p) for p in found}
        for s in sources
        if (found := _present(workspace, s))
    }


def gather_counts(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, sources: list[Source]
) -> None:
    """Create the tables ``counts``, ``statistics`` and ``admitted`` with what the sources gave."""
    run(
        connection,
        f"CREATE TABLE {COUNTS} (source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR, "
        "lad24cd VARCHAR, measure VARCHAR, category VARCHAR, value BIGINT, estimated BOOLEAN, "
        "geo_reason VARCHAR, value_status VARCHAR)",
        table=COUNTS,
    )
    run(
        connection,
        f"CREATE TABLE {STATISTICS} (source_id VARCHAR, period VARCHAR, lsoa21cd VARCHAR, "
        "statistic VARCHAR, value DOUBLE)",
        table=STATISTICS,
    )
    run(
        connection,
        f"CREATE TABLE {ADMITTED} (source_id VARCHAR, period VARCHAR)",
        table=ADMITTED,
    )
    for source in sources:
        table = _table_of(workspace, source)
        present = _present(workspace, source)
        scan = workspace.lake.scan(table, present)
        if scan is None:
            continue
        into = STATISTICS if table.name.startswith("statistics_") else COUNTS
        run(connection, f"INSERT INTO {into} BY NAME SELECT * FROM {scan}", table=table.name)
        connection.executemany(
            f"INSERT INTO {ADMITTED} VALUES (?, ?)",
            [(source.id, data_period(source, p)) for p in present],
        )
