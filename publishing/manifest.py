"""``manifest.json``: every file of a bundle with its hash, and what the release says of itself.

Belongs here: writing the manifest and checking a bundle against it. Does not belong here: the
approval the release rests on (``governance/``), which is only quoted.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.errors import StorageError
from publishing.facts import ReleaseFacts
from warehouse.lake import write_atomically

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = 1


def bundle_files(folder: Path) -> list[Path]:
    """Return every file of a bundle but the manifest, sorted, as paths relative to ``folder``.

    A link counts as a file, so that one cannot hide outside the manifest.
    """
    found = [p.relative_to(folder) for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()]
    return sorted((p for p in found if p.as_posix() != MANIFEST_NAME), key=Path.as_posix)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _settle(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def write_manifest(
    folder: Path,
    release: ReleaseFacts,
    lineage: pa.Table,
    synthetic: str,
    *,
    audit_head: str | None = None,
) -> dict[str, str]:
    """Write ``manifest.json`` as the last file of a bundle.

    Parameters
    ----------
    folder : Path
        The finished bundle.
    release : ReleaseFacts
        What the release says of itself.
    lineage : pyarrow.Table
        The conformed lineage table.
    synthetic : str
        Words that mark synthetic data; '' for real data.
    audit_head : str, optional
        Hash of the audit entry of the approval: it anchors the audit chain.

    Returns
    -------
    dict of str to str
        File name relative to ``folder`` -> SHA-256, the manifest included.
    """
    files: dict[str, dict[str, Any]] = {}
    for relative in bundle_files(folder):
        path = folder / relative
        _settle(path)
        files[relative.as_posix()] = {"sha256": hash_file(path), "bytes": path.stat().st_size}
    facts = asdict(release)
    for key in ("sources", "synthetic_wording"):
        del facts[key]
    content = {
        "format": FORMAT_VERSION,
        "synthetic": synthetic or None,
        "release": {
            k: v for k, v in facts.items() if k not in ("approvals", "inputs", "attribution")
        },
        "approvals": facts["approvals"],
        "audit_head": audit_head,
        "inputs": facts["inputs"],
        "attribution": facts["attribution"],
        "lineage": lineage.to_pylist(),
        "files": files,
    }
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, default=str)
    target = folder / MANIFEST_NAME
    write_atomically(target, f"{text}\n".encode())
    hashes = {name: entry["sha256"] for name, entry in files.items()}
    return {**hashes, MANIFEST_NAME: hash_file(target)}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a bundle.

    Raises
    ------
    StorageError
        If it is absent or is not a manifest.
    """
    path = folder / MANIFEST_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StorageError(
            f"{folder.name} has no {MANIFEST_NAME}", "Publish the release again"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("files"), dict):
        raise StorageError(
            f"{MANIFEST_NAME} of {folder.name} cannot be read", "Publish the release again"
        )
    return content


@dataclass(frozen=True)
class BundleDifferences:
    """How a bundle differs from its manifest.

    Attributes
    ----------
    gone, changed, strange : tuple of str
        Files that are missing; that are not as they were published; that no manifest names, for
        example what a program wrote beside a file it opened.
    """

    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """Return one sentence per difference, sorted by file."""
        said = {name: f"{name} is in the manifest but not in the bundle." for name in self.gone}
        said |= {name: f"{name} has changed since it was published." for name in self.changed}
        said |= {name: f"{name} is in the bundle but not in the manifest." for name in self.strange}
        return [said[name] for name in sorted(said)]


def compare_bundle(folder: Path) -> BundleDifferences:
    """Hash every file of a bundle again and compare it with its manifest.

    Raises
    ------
    StorageError
        If the manifest is absent or cannot be read.
    """
    recorded = read_manifest(folder)["files"]
    present = {p.as_posix() for p in bundle_files(folder)}
    changed = tuple(
        name
        for name in sorted(present & set(recorded))
        if (folder / name).is_symlink()
        or not (folder / name).is_file()
        or hash_file(folder / name) != recorded[name].get("sha256")
    )
    return BundleDifferences(
        gone=tuple(sorted(set(recorded) - present)),
        changed=changed,
        strange=tuple(sorted(present - set(recorded))),
    )


def verify_bundle(folder: Path) -> list[str]:
    """Return each difference between a bundle and its manifest, in a sentence; empty if whole.

    Raises
    ------
    StorageError
        If the manifest is absent or cannot be read.
    """
    return compare_bundle(folder).sentences()
