"""What a region makes of its sources: reference tables, indicators, protected figures, a release.

Belongs here: the assets that stand for the whole region and have no partitions.
"""

# No 'from __future__ import annotations': Dagster reads the type of `context` at run time.
from collections import Counter
from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets.naming import WORKSPACES, group, key, owners, schema
from assets.reporting import note_step, report, workspace_of
from declarations.declared import RegionDeclarations
from declarations.errors import ApprovalError
from indicators.counting import counts_table
from indicators.plausibility.which import checks_of, lacking_of, sources_needed
from intake.boundary_quality import MEASURED_WITH, PLACING
from intake.reference_plan import reference_roles

RELEASE_POOL = "lsoalink_release"
"""One release at a time, where ``dagster.yaml`` limits pools to one (``pools: default_limit``)."""

RATE_SCHEMA = schema(
    indicator_id="VARCHAR", period_start="DATE", period_end="DATE", period_label="VARCHAR",
    geography_type="VARCHAR", geography_code="VARCHAR", lad24cd="VARCHAR", numerator="BIGINT",
    denominator="BIGINT", estimated="BOOLEAN", note_id="VARCHAR", missing="BOOLEAN",
    value="DOUBLE", lower_ci="DOUBLE", upper_ci="DOUBLE", ci_method="VARCHAR",
    value_status="VARCHAR", unit="VARCHAR",
)  # fmt: skip


def _common(declared: RegionDeclarations, stage: str, name: str) -> dict[str, Any]:
    return {
        "key": key(declared.region, name),
        "group_name": group(declared.region, stage),
        "owners": owners(declared),
        "required_resource_keys": {WORKSPACES},
    }


def reference_asset(
    declared: RegionDeclarations, role: str, tables: Sequence[str]
) -> dg.AssetsDefinition:
    """Return the asset of one reference table, made from the tables named."""

    @dg.asset(
        **_common(declared, "reference", f"reference_{role}"),
        deps=[key(declared.region, table) for table in tables],
        kinds={"parquet", "duckdb"},
        description=f"Reference table {role.replace('_', ' ')}, cut to the region and checked.",
    )
    def reference(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from intake.reference import build_reference  # noqa: PLC0415

        return report(context, [build_reference(workspace_of(context, declared), role)])

    return reference


def indicator_asset(
    declared: RegionDeclarations, theme: str, deps: Sequence[dg.AssetKey]
) -> dg.AssetsDefinition:
    """Return the asset of a theme's exact indicators."""

    @dg.asset(
        **_common(declared, "indicators", f"indicator_{theme}"),
        deps=deps,
        kinds={"parquet", "duckdb"},
        description=f"Indicators of {theme.replace('_', ' ')}: exact numerators, denominators, "
        "rates and intervals; never published as they are.",
        metadata={"dagster/column_schema": RATE_SCHEMA},
    )
    def indicators(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from indicators.tables import build_theme  # noqa: PLC0415

        return report(context, [build_theme(workspace_of(context, declared), theme)])

    return indicators


def protected_asset(declared: RegionDeclarations, themes: Sequence[str]) -> dg.AssetsDefinition:
    """Return the asset of the protected observations of every theme."""

    @dg.asset(
        **_common(declared, "protected", "protected_observations"),
        deps=[key(declared.region, f"indicator_{theme}") for theme in themes],
        kinds={"parquet", "duckdb"},
        description="Every count under the disclosure profile, attacked with all that is known; "
        "rates recomputed from what is left.",
        metadata={
            "dagster/column_schema": RATE_SCHEMA,
            "profile": declared.region.publication.profile,
        },
    )
    def protected(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from publishing.protection import protect_themes  # noqa: PLC0415

        return report(context, [protect_themes(workspace_of(context, declared))])

    return protected


def derived_asset(declared: RegionDeclarations) -> dg.AssetsDefinition:
    """Return the asset of everything that follows from the protected figures."""

    @dg.asset(
        **_common(declared, "protected", "derived_observations"),
        deps=[
            key(declared.region, name)
            for name in ("protected_observations", "reference_neighbours", "reference_buffer")
        ],
        kinds={"parquet", "duckdb"},
        description="Indices with their uncertainty, standardised rates, trends, comparisons, "
        "inequality, hotspots, need against service: made from the protected figures and open data "
        "alone.",
        metadata={"dagster/column_schema": RATE_SCHEMA},
    )
    def derived(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from publishing.derived import derive  # noqa: PLC0415

        return report(context, derive(workspace_of(context, declared)))

    return derived


def quality_asset(declared: RegionDeclarations, deps: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the asset of the quality tables and the internal quality page."""
    name = "quality_report"
    asset_key = key(declared.region, name)
    measured = [
        key(declared.region, f"reference_{role}")
        for role in reference_roles(declared)
        if role in MEASURED_WITH
    ]

    plausible = checks_of(declared)
    applying = [c for c in plausible.values() if not lacking_of(c, declared)]
    counted = [
        key(declared.region, counts_table(s).name) for s in sources_needed(declared, plausible)
    ]

    @dg.asset(
        **_common(declared, "quality", name),
        deps=[*deps, *measured, *counted],
        kinds={"parquet", "html"},
        description="What arrived, what was decided, what failed, what was placed, how good the "
        "boundaries are: six tables and a page, exact, for the data team and the governance "
        "officer.",
        check_specs=[
            dg.AssetCheckSpec(
                "boundaries_place_postcodes",
                asset=asset_key,
                description="The boundaries put postcodes into their official areas well enough to "
                "place single addresses.",
            ),
            *(
                dg.AssetCheckSpec(c.id, asset=asset_key, description=c.description)
                for c in applying
            ),
        ],
    )
    def quality(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from indicators.plausibility.stage import (  # noqa: PLC0415
            build_plausibility,
            plausibility_found,
        )
        from intake.quality import build_quality, quality_rows  # noqa: PLC0415
        from publishing.release import write_internal_quality_page  # noqa: PLC0415

        workspace = workspace_of(context, declared)
        built = [*build_quality(workspace), build_plausibility(workspace)]
        page = write_internal_quality_page(workspace)
        checks = [_placing_check(quality_rows(workspace)["boundaries"])]
        found = plausibility_found(workspace)
        checks += [_plausibility_check(c.id, found) for c in applying]
        return report(context, built, checks, page=dg.MetadataValue.path(str(page)))

    return quality


def _plausibility_check(check_id: str, rows: Sequence[dict[str, Any]]) -> dg.AssetCheckResult:
    """Return the outcome over all districts for the last month: only how many passed."""
    mine = [r for r in rows if r["check_id"] == check_id]
    last = max((r["period"] or "" for r in mine), default="")
    outcomes = Counter(r["outcome"] for r in mine if (r["period"] or "") == last)
    failed, passed = outcomes["failed"], outcomes["passed"]
    return dg.AssetCheckResult(
        check_name=check_id,
        # What could not run is no pass.
        passed=failed == 0 and passed > 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "places_passed": passed, "places_failed": failed,
            "places_not_compared": outcomes["could_not_run"],
        },
    )  # fmt: skip


def _placing_check(rows: Sequence[dict[str, Any]]) -> dg.AssetCheckResult:
    whole = [r for r in rows if r["check_id"] == PLACING and not r["area_code"]]
    outcome = whole[0]["outcome"] if whole else "not_measured"
    return dg.AssetCheckResult(
        check_name="boundaries_place_postcodes",
        passed=outcome in ("fine", "not_measured"),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "postcodes": whole[0]["checked"] if whole else 0,
            "share": (whole[0]["share"] if whole else None) or 0.0,
            "meaning": whole[0]["meaning"] if whole else "The region has no areas",
        },
    )


def release_asset(declared: RegionDeclarations) -> dg.AssetsDefinition:
    """Return the asset of the release: a candidate, published once two people approved it."""
    name = "release_bundle"
    asset_key = key(declared.region, name)

    @dg.asset(
        **_common(declared, "release", name),
        deps=[
            key(declared.region, n)
            for n in (
                "derived_observations",
                "quality_report",
                "reference_area_lookups",
                "reference_neighbours",
            )
        ],
        kinds={"duckdb", "csv", "html"},
        pool=RELEASE_POOL,
        description="The release: DuckDB file, Parquet, CSV, GeoPackage, map and quality page, and "
        "a manifest; published only with two people's approval of its hash.",
        check_specs=[
            dg.AssetCheckSpec(
                "two_approvals",
                asset=asset_key,
                description="Two different people approved exactly these bytes.",
            ),
            dg.AssetCheckSpec(
                "bytes_as_approved",
                asset=asset_key,
                description="Every published file still has the hash its manifest names.",
            ),
        ],
    )
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from publishing.manifest import compare_bundle  # noqa: PLC0415
        from publishing.release import build_release  # noqa: PLC0415
        from publishing.trust import release_faults  # noqa: PLC0415

        outcome = build_release(workspace_of(context, declared))
        back = outcome.outcome == "withdrawn"
        note_step("release", 0 if back or outcome.outcome == "current" else 1, 0)
        waiting = outcome.outcome == "awaiting_approval"
        workspace = workspace_of(context, declared)
        # The last step of every run, from the command line or from Dagster's own schedule.
        workspace.tighten()
        strange = () if back else compare_bundle(outcome.folder).strange
        found = [] if waiting or back else release_faults(workspace, outcome.folder)
        if len(found) > len(strange):
            raise ApprovalError(
                f"The published release {outcome.release_id} is not as it was approved: "
                f"{found[0].rstrip('.')}",
                "See 'lsoalink verify', remove the folder and run the region again, and find out "
                "who changed it",
            )
        return dg.MaterializeResult(
            metadata={
                "release_id": outcome.release_id,
                "candidate_hash": outcome.candidate_hash,
                "outcome": outcome.outcome,
                "folder": dg.MetadataValue.path(str(outcome.folder)),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="two_approvals",
                    passed=not waiting,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"lacking": outcome.lacking or "nothing"},
                ),
                dg.AssetCheckResult(
                    check_name="bytes_as_approved",
                    passed=not found,
                    metadata={"differences": len(found)},
                ),
            ],
        )

    return release
