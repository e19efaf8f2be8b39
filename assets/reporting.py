"""What an asset says of its work in Dagster: counts, reasons, fingerprints; never a value.

Belongs here: turning a room's `Built` records into Dagster metadata. Does not belong here: work.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from warehouse.workspace import Built

MAX_REASONS = 8
progress = logging.getLogger("lsoalink.progress")


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
