"""A source's assets: received, admitted, located, counts.

Belongs here: the four assets of one declared source, and the checks that report what the gate, the
contract and the accounting found. A bad delivery is held back by the gate itself, for its own
source and period; so the checks report and do not block the rest of the run.
"""

# No 'from __future__ import annotations': Dagster reads the type of `context` at run time.
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.naming import WORKSPACES, group, key, owners, partitions_of, schema, schema_of
from assets.reporting import note_step, report, workspace_of
from declarations.contracts import Column, Contract, Source
from declarations.declared import RegionDeclarations
from intake.coarsening import coarsened

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

COUNT_SCHEMA = schema(
    source_id="VARCHAR", period="VARCHAR", lsoa21cd="VARCHAR", lad24cd="VARCHAR",
    measure="VARCHAR", category="VARCHAR", value="BIGINT", estimated="BOOLEAN",
    geo_reason="VARCHAR", value_status="VARCHAR",
)  # fmt: skip
STATISTICS_SCHEMA = schema(
    source_id="VARCHAR", period="VARCHAR", lsoa21cd="VARCHAR", statistic="VARCHAR", value="DOUBLE"
)
PLACE_COLUMNS = {
    "lsoa21cd": "VARCHAR", "lad24cd": "VARCHAR", "geo_method": "VARCHAR", "geo_reason": "VARCHAR",
    "geo_conversion": "VARCHAR", "geo_flag": "VARCHAR", "geo_quality": "INTEGER",
}  # fmt: skip


def source_assets(
    declared: RegionDeclarations, source: Source, reference: Sequence[dg.AssetKey]
) -> list[dg.AssetsDefinition]:
    """Return the assets of one source, reference sources ending with their admitted table."""
    contract = declared.contract_of(source)
    assets = [_received(declared, source), _admitted(declared, source, contract)]
    if contract.kind != "reference":
        assets.append(_located(declared, source, contract, reference))
        assets.append(_counts(declared, source, contract))
    return assets


def _common(
    declared: RegionDeclarations, source: Source, stage: str, name: str, *, whole: bool = False
) -> dict[str, Any]:
    partitions = None if whole else partitions_of(declared.region, source)
    return {
        "key": key(declared.region, name),
        "group_name": group(declared.region, stage),
        "owners": owners(declared, source),
        "partitions_def": partitions,
        "backfill_policy": dg.BackfillPolicy.single_run() if partitions else None,
        "required_resource_keys": {WORKSPACES},
        "tags": {"theme": source.theme, "agreement": source.agreement},
    }


def _periods(
    context: dg.AssetExecutionContext, workspace: "Workspace", source: Source
) -> list[str]:
    """Return the periods of this run in which the source delivers at all."""
    expected = workspace.expected_periods(source)
    if source.cadence == "once":
        return expected
    wanted = set(context.partition_keys)
    return [p for p in expected if p in wanted]


def _received(declared: RegionDeclarations, source: Source) -> dg.AssetsDefinition:
    @dg.asset(
        # Not partitioned: one look into the folder takes in whatever month has landed.
        **_common(declared, source, "received", f"received_{source.id}", whole=True),
        kinds={"file"},
        description=f"{source.title}: files as {source.agency} sent them, checksummed, read-only.",
        metadata={"files": source.files, "cadence": source.cadence},
    )
    def received(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from intake.arrival import receive_source  # noqa: PLC0415

        workspace = workspace_of(context, declared)
        arrivals = receive_source(workspace, source)
        refused = [d for d in arrivals.new if d.outcome == "refused"]
        note_step("received", len(arrivals.new), 0)
        for delivery in refused:
            context.log.warning(f"{source.id} {delivery.period}: refused, {delivery.reason}")
        return dg.MaterializeResult(
            metadata={
                "new_files": len(arrivals.new),
                "known_files": arrivals.known,
                "refused_files": len(refused),
                "refused_because": ", ".join(sorted({d.reason or "" for d in refused})) or "none",
            }
        )

    return received


def _agreed(declared: RegionDeclarations, source: Source, contract: Contract) -> list[Column]:
    """Return the columns the agreement lets in, as they are stored; others are dropped."""
    agreed = declared.agreement_of(source).source(source.id)
    actions = {c.name: c.action for c in agreed.columns} if agreed else {}
    coarse = coarsened(contract, [n for n, a in actions.items() if a == "generalise"])
    return [
        c.model_copy(update={"name": coarse[c.name].into, "type": "text"})
        if c.name in coarse
        else c
        for c in contract.columns
        if actions.get(c.name, "drop") != "drop"
    ]


def _admitted(
    declared: RegionDeclarations, source: Source, contract: Contract
) -> dg.AssetsDefinition:
    name = f"admitted_{source.id}"
    asset_key = key(declared.region, name)
    agreement = declared.agreement_of(source)
    kept = _agreed(declared, source, contract)

    @dg.asset(
        **_common(declared, source, "admitted", name),
        deps=[key(declared.region, f"received_{source.id}")],
        kinds={"parquet", "duckdb"},
        description=f"{source.title}: what {agreement.id} lets in, held to contract {contract.id}; "
        "encrypted, direct identifiers dropped or pseudonymised.",
        metadata={"dagster/column_schema": schema_of(kept), "agreement": agreement.id},
        check_specs=[
            dg.AssetCheckSpec(
                "agreement",
                asset=asset_key,
                description="Every delivery came under an agreement in force.",
            ),
            dg.AssetCheckSpec(
                "contract",
                asset=asset_key,
                description="Every delivery passed the blocking checks of its contract.",
            ),
        ],
    )
    def admitted(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from intake.admission import admit  # noqa: PLC0415

        workspace = workspace_of(context, declared)
        periods = _periods(context, workspace, source)
        built = workspace.for_each(periods, lambda w, p: admit(w, source, p))
        return report(context, built, _gate_checks(workspace, source, periods))

    return admitted


def _gate_checks(
    workspace: "Workspace", source: Source, periods: list[str]
) -> list[dg.AssetCheckResult]:
    from intake.records import read_record  # noqa: PLC0415

    decisions: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    for period in periods:
        record = read_record(workspace, "decisions", source.id, period) or {}
        decisions.extend(record.get("decisions", []))
        checks.extend(record.get("checks", []))
    refused = [d for d in decisions if d["decision"] == "refused"]
    held = [d for d in decisions if d["decision"] == "quarantined"]
    failed = [c for c in checks if c["outcome"] == "failed"]
    could_not = [c for c in checks if c["outcome"] == "could_not_run"]
    return [
        dg.AssetCheckResult(
            check_name="agreement",
            passed=not refused,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "deliveries": len(decisions),
                "refused": len(refused),
                "reasons": ", ".join(sorted({d["reasons"] for d in refused})) or "none",
            },
        ),
        dg.AssetCheckResult(
            check_name="contract",
            passed=not held,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "checks": len(checks),
                "failed": len(failed),
                "could_not_run": len(could_not),
                "quarantined_deliveries": len(held),
                "reasons": ", ".join(sorted({d["reasons"] for d in held})) or "none",
            },
        ),
    ]


def _located(
    declared: RegionDeclarations,
    source: Source,
    contract: Contract,
    reference: Sequence[dg.AssetKey],
) -> dg.AssetsDefinition:
    name = f"located_{source.id}"
    asset_key = key(declared.region, name)
    gone = contract.locate.columns if contract.locate else set()
    kept = [c for c in _agreed(declared, source, contract) if c.name not in gone]
    columns = [*schema_of(kept).columns, *schema(**PLACE_COLUMNS).columns]
    deps: list[Any] = [key(declared.region, f"admitted_{source.id}"), *reference]
    weights = contract.locate.practice_weights if contract.locate else None
    if weights:
        # A month may need the patients of any earlier quarter, or of the first one after it.
        deps.append(
            dg.AssetDep(
                key(declared.region, f"located_{weights}"),
                partition_mapping=dg.AllPartitionMapping(),
            )
        )

    @dg.asset(
        **_common(declared, source, "located", name),
        deps=deps,
        kinds={"parquet", "duckdb"},
        description=f"{source.title}: every record with its 2021 LSOA, or the reason it has none; "
        "addresses and coordinates removed, encrypted.",
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns)},
        check_specs=[
            dg.AssetCheckSpec(
                "accounting_closes",
                asset=asset_key,
                description="Placed, apportioned, out of region and not placed add up to received, "
                "in rows and in amounts.",
            )
        ],
    )
    def located(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from intake.location import locate  # noqa: PLC0415

        workspace = workspace_of(context, declared)
        periods = _periods(context, workspace, source)
        built = workspace.for_each(periods, lambda w, p: locate(w, source, p))
        return report(context, built, [_accounting_check(workspace, source, periods)])

    return located


def _accounting_check(
    workspace: "Workspace", source: Source, periods: list[str]
) -> dg.AssetCheckResult:
    from intake.quality import open_accounts  # noqa: PLC0415

    accounts, still_open = open_accounts(workspace, source, periods)
    return dg.AssetCheckResult(
        check_name="accounting_closes",
        passed=not still_open,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"accounts": accounts, "not_closed": ", ".join(still_open) or "none"},
    )


def _counts(
    declared: RegionDeclarations, source: Source, contract: Contract
) -> dg.AssetsDefinition:
    statistics = contract.kind == "statistics"
    name = f"{'statistics' if statistics else 'counts'}_{source.id}"
    what = "published statistics by LSOA" if statistics else "counts by LSOA, measure and category"

    @dg.asset(
        **_common(declared, source, "counts", name),
        deps=[key(declared.region, f"located_{source.id}")],
        kinds={"parquet", "duckdb"},
        description=f"{source.title}: {what}; exact, never published as they are.",
        metadata={"dagster/column_schema": STATISTICS_SCHEMA if statistics else COUNT_SCHEMA},
    )
    def counts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from indicators.counting import count_source  # noqa: PLC0415
        from intake.location import located_table  # noqa: PLC0415

        workspace = workspace_of(context, declared)
        built = workspace.for_each(
            _periods(context, workspace, source),
            lambda w, p: count_source(w, source, p, located_table(source)),
        )
        return report(context, built)

    return counts
