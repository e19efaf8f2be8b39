"""How an asset gets its workspace, and what it says of its work: counts, reasons; never a value.

Belongs here: opening the workspace, and turning a room's `Built` records into Dagster metadata.
Does not belong here: work.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.naming import WORKSPACES
from declarations.declared import RegionDeclarations

if TYPE_CHECKING:
    from warehouse.workspace import Built, Workspace

MAX_REASONS = 8
progress = logging.getLogger("lsoalink.progress")


def workspace_of(context: dg.AssetExecutionContext, declared: RegionDeclarations) -> Workspace:
    """Return the workspace of a region, opened by the run's resource."""
    workspace: Workspace = getattr(context.resources, WORKSPACES).open(declared)
    return workspace


def note_step(stage: str, built: int, rows: int) -> None:
    """Tell whoever shows progress of a stage that makes no table of the lake."""
    progress.info("%s: %d new", stage, built, extra={"stage": stage, "made": built, "rows": rows})


def report(
    context: dg.AssetExecutionContext,
    built: Sequence[Built],
    checks: Sequence[dg.AssetCheckResult] = (),
    **more: Any,
) -> dg.MaterializeResult[Any]:
    """Return an asset's result: rows, what was built, what was current, what is absent and why."""
    outcomes = Counter(b.outcome for b in built)
    absent = [f"{b.period}: {b.reason}" for b in built if b.outcome == "absent"]
    metadata: dict[str, Any] = {
        "dagster/row_count": sum(b.rows for b in built),
        "built": outcomes["built"],
        "current": outcomes["current"],
        "absent": outcomes["absent"],
        "seconds": round(sum(b.seconds for b in built), 3),
        **more,
    }
    if absent:
        metadata["absent_because"] = dg.MetadataValue.md(
            "\n".join(f"- {line}" for line in absent[:MAX_REASONS])
        )
    if context.assets_def.partitions_def is not None:
        for b in built:
            context.add_asset_metadata(
                {"rows": b.rows, "outcome": b.outcome, "fingerprint": b.fingerprint},
                partition_key=b.period,
            )
    version = dg.DataVersion(built[0].fingerprint) if len(built) == 1 else None
    return dg.MaterializeResult(metadata=metadata, check_results=list(checks), data_version=version)
