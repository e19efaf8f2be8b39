"""Names of assets: the key is the region and the table's name, the group is region and stage.

Belongs here: names, partitions, owners and column schemas that every factory shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from declarations.base import month_index, month_of
from declarations.contracts import Column, Source
from declarations.declared import RegionDeclarations
from declarations.region import Region

STAGES = (
    "received", "admitted", "reference", "located", "counts", "indicators", "protected", "quality",
    "release",
)  # fmt: skip
"""The stages in the order in which data goes through them."""

WORKSPACES = "workspaces"
"""Resource key of the resource that opens a region's workspace."""


def prefix(region: Region) -> str:
    """Return the first part of every asset key of a region."""
    return region.id.replace("-", "_")


def key(region: Region, name: str) -> dg.AssetKey:
    """Return the asset key of a table: the region and the table's name."""
    return dg.AssetKey([prefix(region), name])


def group(region: Region, stage: str) -> str:
    """Return the asset group of a stage."""
    return f"{prefix(region)}_{stage}"


def months(region: Region) -> dg.MonthlyPartitionsDefinition:
    """Return the region's one partition scheme: its months."""
    end = month_of(month_index(region.last_period) + 1) if region.last_period else None
    return dg.MonthlyPartitionsDefinition(
        start_date=region.first_period, end_date=end, fmt="%Y-%m", timezone="Europe/London"
    )


def partitions_of(region: Region, source: Source) -> dg.MonthlyPartitionsDefinition | None:
    """Return a source's partitions: the region's months, or none for a source delivered once."""
    return None if source.cadence == "once" else months(region)


def owners(declared: RegionDeclarations, source: Source | None = None) -> Sequence[str]:
    """Return who owns an asset: the source's owners, else the region's."""
    return (source.owners if source else None) or declared.region.owners


TYPES = {
    "text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE",
    "month": "VARCHAR", "boolean": "BOOLEAN",
}  # fmt: skip


def schema_of(columns: Iterable[Column]) -> dg.TableSchema:
    """Return the column schema of a contract's columns."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=c.name,
                type=TYPES[c.type],
                description=c.description or None,
                constraints=dg.TableColumnConstraints(nullable=c.nullable),
            )
            for c in columns
        ]
    )


def schema(**columns: str) -> dg.TableSchema:
    """Return the column schema of a table of ours, from names and types."""
    return dg.TableSchema(
        columns=[dg.TableColumn(name=name, type=kind) for name, kind in columns.items()]
    )
