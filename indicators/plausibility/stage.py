"""The quality table of the plausibility checks: exact, for the data team and the officer.

Belongs here: when the checks run and where their rows go. Does not belong here: the checks
(``comparison.py``), or the quality page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from declarations.declared import digest
from indicators.counting import counts_table
from indicators.plausibility.results import COLUMNS, plausibility_rows
from indicators.plausibility.which import checks_of, sources_needed
from indicators.tables import AREAS, gather_counts
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb

PLAUSIBILITY = TableRef("quality", "quality_plausibility")

_NUMBERS = {"left": pa.int64(), "right": pa.int64(), "ratio": pa.float64(), "lower": pa.float64(),
            "upper": pa.float64()}  # fmt: skip
SCHEMA = pa.schema([(name, _NUMBERS.get(name, pa.string())) for name in COLUMNS])


def build_plausibility(workspace: Workspace) -> Built:
    """Run every check that applies to the region, and write what came out.

    Returns
    -------
    Built
        ``absent`` where the region has no areas yet.
    """
    declared = workspace.declared
    checks = checks_of(declared)
    sources = sources_needed(declared, checks)
    wanted = fingerprint(
        ["plausibility", workspace.code_version, digest(declared.region)],
        [digest(*checks.values()), workspace.state_of(AREAS)],
        [f"{s.id}/{p}={workspace.state_of(counts_table(s), p)}"
         for s in sources for p in workspace.expected_periods(s)],
    )  # fmt: skip

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        areas = workspace.lake.scan(AREAS)
        if areas is None:
            return Absent("the region has no areas yet")
        run(connection, f"CREATE TABLE areas AS SELECT lsoa21cd, lad24cd FROM {areas}",
            table=AREAS.name)  # fmt: skip
        gather_counts(workspace, connection, sources)
        rows = plausibility_rows(connection, declared, checks)
        connection.register("plausibility", pa.Table.from_pylist(rows, schema=SCHEMA))
        return "SELECT * FROM plausibility"

    return workspace.build(
        PLAUSIBILITY, fingerprint=wanted, produce=produce,
        inputs=[counts_table(s).name for s in sources],
    )  # fmt: skip


def plausibility_found(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the exact rows as they were last written; none before the checks ran."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    path = workspace.lake.path(PLAUSIBILITY)
    return pq.read_table(path).to_pylist() if path.is_file() else []
