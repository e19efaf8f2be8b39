"""The stage before a release: every count protected, every rate made again from what is left.

Belongs here: the one place where exact tables become publishable ones. The exact rows never leave
`protect_themes`. Does not belong here: the rule itself (``governance/disclosure.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.declared import digest
from declarations.errors import DisclosureError
from governance.disclosure import protect_sql
from indicators.index import composite_table
from indicators.rates import add_rates
from indicators.tables import AREAS, RATE_COLUMNS, theme_table, themes
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb

PROTECTED = TableRef("linked", "protected_observations")
COUNTED, SAFE, SHOWN = "counted", "safe_counts", "shown"


def protect_themes(workspace: Workspace) -> Built:
    """Protect every indicator of every theme, and build the indices from the protected inputs.

    Numerators and denominators go through the profile; rates and intervals are recomputed from the
    protected counts; published statistics pass as they stand; composites are computed from what is
    published, so that they tell nothing more.
    """
    indicators = list(workspace.declared.indicators.values())
    names = themes(workspace)
    wanted = fingerprint(
        ["protected", workspace.code_version, workspace.declared.region.publication.profile],
        [digest(*indicators), digest(workspace.declared.region)],
        [f"{name}={workspace.state_of(theme_table(name))}" for name in names],
        [workspace.state_of(AREAS)],
    )

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        scans = [s for s in (workspace.lake.scan(theme_table(name)) for name in names) if s]
        areas = workspace.lake.scan(AREAS)
        if not scans or areas is None:
            return Absent("no indicator could be made")
        run(
            connection,
            f"CREATE TABLE areas AS SELECT * EXCLUDE (geometry) FROM {areas}",
            table=AREAS.name,
        )
        exact = " UNION ALL ".join(f"SELECT {RATE_COLUMNS} FROM {s}" for s in scans)
        statistics = [i.id for i in indicators if i.kind == "statistic"]
        _check_statistics(workspace)
        run(connection, _safe_counts_sql(exact), [statistics], table=SAFE)
        add_rates(connection, SAFE, indicators).select(RATE_COLUMNS).create(SHOWN)
        run(
            connection,
            f"INSERT INTO {SHOWN} SELECT {RATE_COLUMNS} FROM ({exact}) "
            "WHERE list_contains(?, indicator_id)",
            [statistics],
            table=SHOWN,
        )
        for indicator in indicators:
            if indicator.kind == "composite":
                composite_table(connection, indicator, workspace.declared, SHOWN, "areas").select(
                    RATE_COLUMNS
                ).insert_into(SHOWN)
        return f"SELECT * FROM {SHOWN} ORDER BY ALL"

    return workspace.build(
        PROTECTED, fingerprint=wanted, produce=produce, inputs=[f"indicator_{n}" for n in names]
    )


def _check_statistics(workspace: Workspace) -> None:
    """Stop unless every statistic that passes as it stands is open data.

    The declarations refuse any other; a release must not hang on one check.
    """
    declared = workspace.declared
    for source in declared.sources_of_kind("statistics"):
        if not declared.is_open[source.id]:
            raise DisclosureError(
                f"The statistics of {source.id} are not open data and would pass unprotected",
                "Send counts (kind: values), which are protected",
            )


def _safe_counts_sql(exact: str) -> str:
    """Return the statement that keeps only protected counts of the exact tables."""
    return f"""
    CREATE TABLE {SAFE} AS
    SELECT indicator_id, period_start, period_end, period_label, geography_type, geography_code,
           lad24cd, {protect_sql("numerator")} AS numerator,
           {protect_sql("denominator")} AS denominator, estimated, note_id, missing
    FROM ({exact})
    WHERE NOT list_contains(?, indicator_id)
    ORDER BY ALL
    """
