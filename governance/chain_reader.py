"""What the entries of the audit chain add up to, kept so that only new lines are read again.

Belongs here: following one region's file, for what the gate asks at each delivery. Does not belong
here: the chain itself (``audit.py``), or what its entries mean (``signatures.py``,
``lifecycle/withdrawal.py``).

Seals are not looked at: what is followed this way only ever makes the gate refuse more, so an entry
counts whoever wrote it. What does away with a safeguard asks `AuditChain.believes`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from governance.audit import parsed_entry

State = TypeVar("State")


class ChainReader(Generic[State]):
    """A sum over the entries of each region's chain.

    Parameters
    ----------
    mark : bytes
        What stands in every line that counts, as `AuditChain` writes it: the others are not parsed.
    start : State
        What no entry at all adds up to.
    add : callable
        Takes the sum so far and an entry, and returns the new sum. It must not change the sum it
        was given: callers may still hold it.
    """

    def __init__(
        self, mark: bytes, start: State, add: Callable[[State, dict[str, Any]], State]
    ) -> None:
        self._mark = mark
        self._start = start
        self._add = add
        self._lock = threading.Lock()
        self._seen: dict[Path, tuple[int, int, State]] = {}

    def read(self, root: Path) -> State:
        """Return the sum over the chain of a region, ``data/<region>``.

        Cheap enough to be asked for each delivery: only lines that have come since the last call
        are read, or all of them if the file was replaced or has shrunk. A last line without its end
        is still being written and waits; a line that is no entry adds nothing.
        """
        path = root / "audit" / "audit.jsonl"
        with self._lock:
            try:
                facts = path.stat()
            except FileNotFoundError:
                return self._start
            inode, offset, state = self._seen.get(path, (0, 0, self._start))
            if inode != facts.st_ino or offset > facts.st_size:
                offset, state = 0, self._start
            with path.open("rb") as file:
                file.seek(offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    offset += len(line)
                    entry = parsed_entry(line) if self._mark in line else None
                    if entry:
                        state = self._add(state, entry)
            self._seen[path] = (facts.st_ino, offset, state)
            return state
