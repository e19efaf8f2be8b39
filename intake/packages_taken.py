"""Packages among a source's deliveries: which was let in, and under which text it was first.

Belongs here: telling an old package that is sent again, the receipts of those accepted, and finding
the package behind a period's tables. Does not belong here: whether a package by itself is to be
believed (``packages.py``), or the order of admission.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from declarations.contracts import Source
from governance.lifecycle.marks import words
from intake.arrival import accepted, store_of
from intake.packages import Package, PackageError, open_package
from intake.packing import Kind, is_package, manifest_of
from intake.received import Delivery, ReceivedStore
from intake.records import read_record
from warehouse.lake import write_atomically
from warehouse.workspace import Kept, Workspace


def check_newest(
    root: Path,
    store: ReceivedStore,
    source: Source,
    delivery: Delivery,
    package: Package,
    keys: Collection[str],
) -> None:
    """Stop if an earlier version of the delivery was made later: an old package sent again.

    Parameters
    ----------
    root : Path
        The region's data folder.
    keys : collection of str
        The agency's public keys; what others made is no earlier version.

    Raises
    ------
    PackageError
    """
    for other in accepted(store, source, delivery.period or "all"):
        if other.version >= delivery.version:
            continue
        made_at = _made_at(root, store, other, keys)
        if made_at is not None and made_at >= package.manifest["made_at"]:
            raise PackageError(
                "package_replayed",
                f"{delivery.file_name} was made before version {other.version} of the same month, "
                "or is the same package again",
                "Make the package again if it is to replace what was sent since",
            )


def _made_at(
    root: Path, store: ReceivedStore, delivery: Delivery, keys: Collection[str]
) -> str | None:
    """Return when a package was made: from its receipt, else from what the agency signed."""
    receipt = _receipt(root, delivery.sha256)
    if receipt.exists():
        return str(json.loads(receipt.read_text(encoding="utf-8"))["made_at"])
    if store.stored_path(delivery) is None:
        return None
    with store.open(delivery) as original:
        manifest = manifest_of(original, keys)
    return str(manifest["made_at"]) if manifest and "made_at" in manifest else None


def _receipt(root: Path, sha256: str) -> Path:
    return root / "governance" / "packages" / f"{sha256}.json"


def remember(root: Path, delivery: Delivery, package: Package) -> None:
    """Note under which text of the agreement a package was accepted, and when it was made.

    An amendment must not take away what was sent and accepted before it.
    """
    path = _receipt(root, delivery.sha256)
    if not path.exists():
        said = package.manifest
        content = {**said["agreement"], "package": said.get("id"), "made_at": said["made_at"]}
        write_atomically(path, json.dumps(content).encode(), mode=0o600)


def remembered(root: Path, delivery: Delivery) -> tuple[str, ...]:
    """Return the text of the agreement under which this very file was accepted, if it was."""
    path = _receipt(root, delivery.sha256)
    if not path.exists():
        return ()
    return (str(json.loads(path.read_text(encoding="utf-8"))["text_sha256"]),)


def package_of(
    workspace: Workspace, source: Source, delivery: Delivery, original: Path
) -> Package | None:
    """Return the package an accepted delivery is, or None if it is a file of another kind.

    Raises
    ------
    PackageError, UnsafeFileError
        See `open_package` and `check_newest`.
    """
    if not is_package(original):
        return None
    declared = workspace.declared
    agreement = declared.agreement_of(source)
    package = open_package(
        original, source, agreement, delivery.period, declared.contract_of(source),
        accepted_texts=remembered(workspace.root, delivery),
    )  # fmt: skip
    agreed = agreement.source(source.id)
    keys = agreed.signing_keys if agreed else []
    check_newest(workspace.root, store_of(workspace), source, delivery, package, keys)
    return package


def _let_in(workspace: Workspace, source: Source, period: str) -> dict[str, Any] | None:
    """Return the decision that let a package in for a period, or None if none did."""
    record = read_record(workspace, "decisions", source.id, period)
    rows: list[dict[str, Any]] = record["decisions"] if record else []
    if not rows or rows[-1]["decision"] not in ("admitted", "trimmed"):
        return None
    return rows[-1] if rows[-1].get("package") else None


def package_kind(workspace: Workspace, source: Source, period: str) -> Kind | None:
    """Return the kind of the package the gate let in for a period, or None if it let in none."""
    row = _let_in(workspace, source, period)
    kind: Kind | None = row["package"] if row else None
    return kind


def admitted_package(workspace: Workspace, source: Source, period: str) -> Package | None:
    """Return the package the gate let in for a period, held to everything once more.

    Raises
    ------
    PackageError, UnsafeFileError
        See `open_package`.
    StorageError
        If its original is gone or was changed.
    """
    row = _let_in(workspace, source, period)
    if row is None:
        return None
    store = store_of(workspace)
    for delivery in accepted(store, source, period):
        if delivery.version == row["version"]:
            with store.open(delivery) as original:
                return package_of(workspace, source, delivery, original)
    return None


def kept_without_package(workspace: Workspace, source: Source, period: str) -> Kept | None:
    """Return why counts stay whose package was disposed of, or None where it is held."""
    row = _let_in(workspace, source, period)
    if row is None or row["package"] != "aggregated":
        return None
    store = store_of(workspace)
    for delivery in accepted(store, source, period):
        if delivery.version == row["version"] and store.stored_path(delivery) is not None:
            return None
    gone = words(workspace.root, source.id, period)
    return Kept(gone or "the package it came in is no longer held")
