"""Which agreements had their signatures bound to their text: the audit chain remembers it.

Belongs here: reading that from the decisions of the gate, so that taking the fingerprints out of an
agreement does not free its text. Does not belong here: the rule (``gate.py``), or the fingerprint
itself (``declarations/agreements.py``).
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

_MARK = b'"signatures_bound": true'
_lock = threading.Lock()
_seen: dict[Path, tuple[int, int, frozenset[str]]] = {}


def agreements_bound(root: Path) -> frozenset[str]:
    """Return the agreements under which the gate once decided while a signature was bound.

    Cheap enough to be asked for each delivery: of the chain only what is new since the last call
    is read.
    """
    path = root / "audit" / "audit.jsonl"
    with _lock:
        try:
            facts = path.stat()
        except FileNotFoundError:
            return frozenset()
        inode, offset, found = _seen.get(path, (0, 0, frozenset()))
        if inode != facts.st_ino or offset > facts.st_size:
            offset, found = 0, frozenset()
        with path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                offset += len(line)
                if _MARK in line:
                    found |= _agreement_of(line)
        _seen[path] = (facts.st_ino, offset, found)
        return found


def _agreement_of(line: bytes) -> frozenset[str]:
    try:
        entry = json.loads(line)
    except ValueError:
        return frozenset()
    agreement = entry.get("agreement") if isinstance(entry, dict) else None
    return frozenset({agreement}) if isinstance(agreement, str) else frozenset()
