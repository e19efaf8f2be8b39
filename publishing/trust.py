"""What of a release can be believed: its bytes, its approvals, its place on the ledger.

Belongs here: comparing what stands in the folders with what the audit chain sealed. Does not belong
here: making or publishing a release (``release.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from governance.audit import AuditChain, chain_of
from publishing.manifest import bundle_files, compare_bundle, hash_file, read_manifest
from publishing.withdrawn import PUBLISHED
from warehouse.workspace import Workspace


def candidate_hash(folder: Path, *, leave_out: Collection[str] = ()) -> str:
    """Return the hash of every file of a bundle but its manifest, names and contents.

    Parameters
    ----------
    leave_out : collection of str
        Files no manifest names, which a program left beside those of the release.
    """
    hasher = hashlib.sha256()
    for relative in bundle_files(folder):
        if relative.as_posix() in leave_out:
            continue
        hasher.update(relative.as_posix().encode() + b"\x00")
        hasher.update(bytes.fromhex(hash_file(folder / relative)))
    return hasher.hexdigest()


def audited(audit: AuditChain, release_id: str) -> dict[str, dict[str, Any]]:
    """Return the last audit entry of each kind of event about a release, if a key sealed it."""
    return {
        str(e.get("event")): e
        for e in audit.entries()
        if e.get("release") == release_id and audit.believes(e)
    }


def release_faults(workspace: Workspace, folder: Path) -> list[str]:
    """Return everything about a published release that is not as it was approved.

    The manifest stands beside the files and could be changed with them; so the bytes and the names
    of those who approved are compared with the audit chain, too.
    """
    faults = compare_bundle(folder).sentences()
    known = audited(chain_of(workspace), folder.name)
    if "release_approved" not in known:
        return [*faults, "The audit chain knows nothing of this release."]
    approved = known["release_approved"]
    published = approved["candidate_hash"]
    if known.get(PUBLISHED, {}).get("candidate_hash") != published:
        return [*faults, "Its publication was interrupted and is not in the audit chain yet."]
    strange = set(compare_bundle(folder).strange)
    if candidate_hash(folder, leave_out=strange) != published:
        faults.append("Its files are not those whose hash was approved.")
    manifest = read_manifest(folder)
    people = [f"{a['role']}: {a['person']}" for a in manifest.get("approvals", [])]
    if people != approved.get("people"):
        faults.append("Its manifest names other people than those who approved.")
    if manifest["release"].get("candidate_hash") != published:
        faults.append("Its manifest names another hash than the one approved.")
    return faults
