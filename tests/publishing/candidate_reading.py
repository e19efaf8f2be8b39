"""Reading the candidate of a region whose exact figures are made.

Belongs here: what tests of the protection need before they can ask anything. Does not belong here:
any expectation of a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from region_factory import each, run_to_location

from indicators.counting import count_source
from indicators.tables import AREAS, RATE_COLUMNS, build_theme, theme_table, themes
from intake.location import located_table
from publishing.protection.candidate import Candidate, read_candidate
from warehouse.workspace import Workspace


def run_to_exact_figures(workspace: Workspace) -> None:
    """Run the stages from the landing folder to the themes' exact figures."""
    run_to_location(workspace)
    for source, period in each(workspace, "records", "values", "statistics"):
        count_source(workspace, source, period, located_table(source))
    for theme in themes(workspace):
        build_theme(workspace, theme)


@contextmanager
def opened(workspace: Workspace) -> Iterator[tuple[duckdb.DuckDBPyConnection, Candidate]]:
    """Open a candidate, with the connection that holds its exact rows, counts and areas."""
    with workspace.connect() as connection:
        areas = workspace.lake.scan(AREAS)
        connection.execute(f"CREATE TABLE areas AS SELECT * EXCLUDE (geometry) FROM {areas}")
        scans = [s for n in themes(workspace) if (s := workspace.lake.scan(theme_table(n)))]
        union = " UNION ALL ".join(f"SELECT {RATE_COLUMNS} FROM {s}" for s in scans)
        connection.execute(f"CREATE TABLE exact_rows AS {union}")
        yield connection, read_candidate(workspace, connection, "exact_rows", "areas")
