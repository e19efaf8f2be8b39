"""Makes everything that follows from the published figures, and writes it to the lake.

Belongs here: the order in which it is made, what it is made from, and when it is made again. Does
not belong here: the statistics (``indicators/derived/``).

Everything is made from the protected figures and from open data alone, so that it tells nothing
that those do not, and anyone can make it again from a release.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from declarations.base import Break
from declarations.declared import RegionDeclarations, digest
from indicators.counting import counts_table
from indicators.derived.comparisons import comparisons_table
from indicators.derived.expected import expected_table
from indicators.derived.hotspots import hotspots_table
from indicators.derived.indices import index_tables, stack
from indicators.derived.inequality import inequality_table
from indicators.derived.medians import medians_table
from indicators.derived.need import need_table
from indicators.derived.reading import RATE_SCHEMA, stacked
from indicators.derived.smoothing import smoothed_table
from indicators.derived.standardised import standardised_table
from indicators.derived.trends import trends_table
from indicators.place.beyond import FIGURES, build_buffer_figures
from indicators.tables import AREAS, RATE_COLUMNS
from intake.neighbours import NEIGHBOURS
from intake.quality import vintage_rows
from publishing.derived.breaks import BreakRow, break_rows
from publishing.protection import PROTECTED
from warehouse.connection import limits_from_environment, run
from warehouse.lake import UNPARTITIONED, TableRef
from warehouse.provenance import fingerprint
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb

    from declarations.contracts import Source

DERIVED_OBSERVATIONS = TableRef("linked", "derived_observations")
"""Figures of indicators that are made from others, in the columns of the protected ones."""

DERIVED_TABLES = (
    "series_breaks", "smoothed_figures", "trends", "comparisons", "inequality", "index_ranks",
    "index_components", "index_sensitivity", "hotspots", "need_and_service",
)  # fmt: skip
"""The further tables of a release that are made here."""

SHOWN, OPEN_COUNTS, AREA_ROWS, NEIGHBOUR_ROWS, BUFFER_ROWS = (
    "shown", "open_counts", "area_rows", "neighbour_rows", "buffer_figures",
)  # fmt: skip


BREAKS = pa.schema([(name, pa.string()) for name in ("indicator_id", "period", "kind", "reason")])


def derived_table(name: str) -> TableRef:
    """Return the lake's table of one of ``DERIVED_TABLES``."""
    return TableRef("linked", f"derived_{name}")


def derive(workspace: Workspace) -> list[Built]:
    """Make every figure and table that follows from the protected figures.

    Returns
    -------
    list of Built
        Of the figures beyond the region's edge, and of the derived ones; ``absent`` where there are
        none.
    """
    return [build_buffer_figures(workspace), _derive(workspace)]


def _derive(workspace: Workspace) -> Built:
    declared = workspace.declared
    breaks = break_rows(declared, vintage_rows(workspace))
    populations = _population_sources(declared)
    wanted = fingerprint(
        ["derived", workspace.code_version, digest(declared.region)],
        [digest(*declared.indicators.values())],
        [workspace.state_of(t) for t in (PROTECTED, AREAS, NEIGHBOURS, FIGURES)],
        [f"{s.id}/{p}={workspace.state_of(counts_table(s), p)}"
         for s in populations for p in workspace.expected_periods(s)],
        ["|".join(row) for row in breaks],
    )  # fmt: skip

    further = [derived_table(name) for name in DERIVED_TABLES]

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        protected = workspace.lake.scan(PROTECTED)
        areas, neighbours = workspace.lake.scan(AREAS), workspace.lake.scan(NEIGHBOURS)
        if protected is None or areas is None or neighbours is None:
            none = Absent("no indicator could be made")
            for table in further:
                workspace.lake.mark_absent(
                    table, UNPARTITIONED, fingerprint=wanted, reason=none.reason
                )
            return none
        for name, sql in (
            (SHOWN, f"SELECT {RATE_COLUMNS} FROM {protected}"),
            (AREA_ROWS, f"SELECT * EXCLUDE (geometry) FROM {areas}"),
            (NEIGHBOUR_ROWS, f"SELECT * FROM {neighbours}"),
        ):
            run(connection, f"CREATE TABLE {name} AS {sql}", table=name)
        _gather_open_counts(workspace, connection, populations)
        beyond = workspace.lake.scan(FIGURES)
        if beyond is not None:
            run(connection, f"CREATE TABLE {BUFFER_ROWS} AS SELECT * FROM {beyond}",
                table=FIGURES.name)  # fmt: skip
        limits = workspace.limits or limits_from_environment()
        tables = derived_tables(
            connection, declared, breaks, has_buffer=beyond is not None, threads=limits.threads
        )
        for name in DERIVED_TABLES:
            connection.register("derived_rows", tables[name])
            workspace.lake.write(
                connection, derived_table(name), "SELECT * FROM derived_rows",
                fingerprint=wanted, inputs=[PROTECTED.name], code_version=workspace.code_version,
            )  # fmt: skip
            connection.unregister("derived_rows")
        connection.register("derived_rows", tables[DERIVED_OBSERVATIONS.name])
        return f"SELECT {RATE_COLUMNS} FROM derived_rows ORDER BY ALL"

    if any(workspace.state_of(table) != wanted for table in further):
        # All are made together, by the one whose state tells that the others are there.
        workspace.lake.forget(DERIVED_OBSERVATIONS)
    return workspace.build(
        DERIVED_OBSERVATIONS, fingerprint=wanted, produce=produce, inputs=[PROTECTED.name]
    )


def derived_tables(
    con: duckdb.DuckDBPyConnection,
    declared: RegionDeclarations,
    breaks: list[BreakRow],
    *,
    has_buffer: bool,
    threads: int = 2,
) -> dict[str, pa.Table]:
    """Return every table that follows from the figures shown.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds ``shown`` (the protected figures), ``area_rows``, ``neighbour_rows``,
        ``open_counts`` (``lsoa21cd, measure, category, value``) and ``buffer_figures``. To
        ``shown`` the figures made here are added.
    breaks : list of tuple
        As ``break_rows`` returns them.
    has_buffer : bool
        Whether ``buffer_figures`` is there.
    threads : int
        How many to use; the result does not depend on it.

    Returns
    -------
    dict of str to pyarrow.Table
        ``DERIVED_TABLES`` and ``derived_observations``, by name.
    """
    known = _with_breaks(declared, breaks)
    figures = [
        standardised_table(con, SHOWN, AREA_ROWS, known),
        medians_table(con, SHOWN, AREA_ROWS, known),
        *(
            expected_table(con, indicator, SHOWN, AREA_ROWS, OPEN_COUNTS, known)
            for indicator in known.indicators.values()
            if indicator.kind == "expected"
        ),
    ]
    _show(con, figures)
    # Indices after the others, which they may be made from.
    indices = stack(
        [
            index_tables(con, indicator, known, SHOWN, AREA_ROWS, threads=threads)
            for indicator in known.indicators.values()
            if indicator.kind == "composite"
        ]
    )
    _show(con, [indices.figures])
    return {
        DERIVED_OBSERVATIONS.name: stacked([*figures, indices.figures], RATE_SCHEMA),
        "series_breaks": pa.Table.from_pylist(
            [dict(zip(BREAKS.names, row, strict=True)) for row in breaks], schema=BREAKS
        ),
        "smoothed_figures": smoothed_table(con, SHOWN, AREA_ROWS, known, NEIGHBOUR_ROWS),
        "trends": trends_table(con, SHOWN, AREA_ROWS, known),
        "comparisons": comparisons_table(con, SHOWN, AREA_ROWS, known),
        "inequality": inequality_table(
            con, SHOWN, AREA_ROWS, known, declared.region.deprivation
        ),
        "index_ranks": indices.ranks,
        "index_components": indices.components,
        "index_sensitivity": indices.sensitivity,
        "hotspots": hotspots_table(
            con, SHOWN, AREA_ROWS, NEIGHBOUR_ROWS, known,
            buffer_figures=BUFFER_ROWS if has_buffer else None,
        ),
        "need_and_service": need_table(con, SHOWN, AREA_ROWS, OPEN_COUNTS, known),
    }  # fmt: skip


def _show(con: duckdb.DuckDBPyConnection, tables: list[pa.Table]) -> None:
    """Add figures to those that are shown."""
    con.register("more_shown", stacked(tables, RATE_SCHEMA))
    run(con, f"INSERT INTO {SHOWN} SELECT {RATE_COLUMNS} FROM more_shown", table=SHOWN)
    con.unregister("more_shown")


def _with_breaks(declared: RegionDeclarations, breaks: list[BreakRow]) -> RegionDeclarations:
    """Return the declarations with every known break among the indicators' own."""
    found: dict[str, list[Break]] = {}
    for name, period, _, reason in breaks:
        found.setdefault(name, []).append(Break(period=period, reason=reason))
    return replace(
        declared,
        indicators={
            name: i.model_copy(update={"breaks": found.get(name, [])})
            for name, i in declared.indicators.items()
        },
    )


def _population_sources(declared: RegionDeclarations) -> list[Source]:
    """Return the open sources of the populations that expected use is counted over."""
    measures = {m for i in declared.indicators.values() for t in i.populations for m in t.measures}
    found = {s.id: s for m in measures for s in declared.suppliers_of(m) if declared.is_open[s.id]}
    return [found[name] for name in sorted(found)]


def _gather_open_counts(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, sources: list[Source]
) -> None:
    """Create the table of open counts: of a source delivered often, its last delivery."""
    run(
        connection,
        f"CREATE TABLE {OPEN_COUNTS} "
        "(lsoa21cd VARCHAR, measure VARCHAR, category VARCHAR, value BIGINT)",
        table=OPEN_COUNTS,
    )
    for source in sources:
        table = counts_table(source)
        present = [
            p for p in workspace.expected_periods(source) if workspace.lake.path(table, p).is_file()
        ]
        scan = workspace.lake.scan(table, present[-1:]) if present else None
        if scan is not None:
            run(
                connection,
                f"INSERT INTO {OPEN_COUNTS} SELECT lsoa21cd, measure, category, value FROM {scan} "
                "WHERE lsoa21cd IS NOT NULL",
                table=table.name,
            )
