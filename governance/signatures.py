"""Which agreements had their signatures bound to their text: the audit chain remembers it.

Belongs here: reading that from the decisions of the gate, so that taking the fingerprints out of an
agreement does not free its text. Does not belong here: the rule (``gate.py``), or the fingerprint
itself (``declarations/agreements.py``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from governance.chain_reader import ChainReader


def agreements_bound(root: Path) -> frozenset[str]:
    """Return the agreements under which the gate once decided while a signature was bound."""
    return _bound.read(root)


def _with(found: frozenset[str], entry: dict[str, Any]) -> frozenset[str]:
    agreement = entry.get("agreement")
    return found | {agreement} if isinstance(agreement, str) else found


_bound = ChainReader(b'"signatures_bound": true', frozenset[str](), _with)
