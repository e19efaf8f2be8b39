"""Tables that keep pseudonyms of an earlier key because their originals are gone.

Belongs here: the list of them, one file a region. Does not belong here: keys, or the decision to
keep them (``pipelines/keys.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from declarations.errors import StorageError

FOLDER = "governance"
FILE = "kept_pseudonyms.json"


def kept_path(root: Path) -> Path:
    """Return where a region's list stands, by the region's data folder."""
    return root / FOLDER / FILE


def kept_versions(root: Path) -> dict[str, str]:
    """Return the version of the pseudonym key by ``<source>/<period>``.

    Raises
    ------
    StorageError
        If the list is damaged.
    """
    path = kept_path(root)
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(version) for name, version in content.items()}
    except (ValueError, AttributeError):
        raise StorageError(
            f"The list of kept pseudonyms {path} is damaged", "Restore it from a backup"
        ) from None


def merged(root: Path, more: Mapping[str, str]) -> bytes:
    """Return the text of the list with more tables on it."""
    return json.dumps({**kept_versions(root), **more}, indent=1, sort_keys=True).encode()
