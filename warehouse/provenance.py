"""Fingerprints: what a table was made from, so that nothing is made twice or left stale.

A fingerprint is a hash over the code, the declarations and the fingerprints of the inputs. Equal
fingerprint, equal content; so a table whose stored fingerprint equals the wanted one is current.
Does not belong here: the files themselves (``warehouse/lake.py``).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOMS = (
    "declarations", "geography", "warehouse", "governance", "expectations", "intake", "indicators",
    "publishing", "synthetic", "assets", "pipelines",
)  # fmt: skip
"""The project's packages, in the order in which they may import each other."""

_CODE_SUFFIXES = (".py", ".sql", ".j2", ".js", ".css")
_ROOMS_WITH_FACTS = ("geography",)


@functools.cache
def code_version() -> str:
    """Return a hash of the project's own source: another version of the code makes tables anew.

    Editor schemas and bundled declarations are left out: they reach fingerprints as what they say.
    The tables of facts in YAML that code reads by itself are part of the code.
    """
    root = Path(__file__).resolve().parent.parent
    hasher = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            facts = path.suffix == ".yaml" and room in _ROOMS_WITH_FACTS
            if not (facts or path.suffix in _CODE_SUFFIXES) or "__pycache__" in path.parts:
                continue
            hasher.update(path.relative_to(root).as_posix().encode())
            hasher.update(path.read_bytes())
    return hasher.hexdigest()[:12]


def fingerprint(*parts: str | Iterable[str]) -> str:
    """Return a hash of texts; an iterable counts as one ordered part."""
    hasher = hashlib.sha256()
    for part in parts:
        for text in (part,) if isinstance(part, str) else tuple(part):
            hasher.update(len(text.encode()).to_bytes(8, "big"))
            hasher.update(text.encode())
        hasher.update(b"\x00|")
    return hasher.hexdigest()[:32]
