"""The audit chain: one JSON line an event, each bound to the one before by its hash.

An edited, removed or reordered line breaks the chain; a cut-off end is seen because each release's
manifest names the head. Appending takes a lock, so writers at the same time do not fork it.
Does not belong here: what is worth an entry (each room decides) or any value of a record.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from declarations.errors import StorageError

GENESIS = "0" * 64


@dataclass(frozen=True)
class ChainReport:
    """What a check of the chain found.

    Attributes
    ----------
    entries : int
    head : str
        Hash of the last entry.
    faults : tuple of str
        Empty if the chain holds.
    """

    entries: int
    head: str
    faults: tuple[str, ...]


def _hash(entry: dict[str, Any]) -> str:
    body = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class AuditChain:
    """The append-only log of one region.

    Parameters
    ----------
    folder : Path
        ``data/<region>/audit``.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.jsonl"

    def append(self, event: str, **facts: str | int | float | bool | list[str] | None) -> str:
        """Add one entry and return its hash.

        Parameters
        ----------
        event : str
            What happened, e.g. ``gate_decision``.
        **facts
            Names, counts, hashes and reasons; never a value of a record.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            number, previous = self._end(file)
            entry: dict[str, Any] = {
                "n": number + 1,
                "at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
                "event": event,
                **facts,
                "previous": previous,
            }
            entry["hash"] = _hash(entry)
            file.write((json.dumps(entry, sort_keys=True) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
            return str(entry["hash"])

    def _end(self, file: Any) -> tuple[int, str]:
        """Return number and hash of the last whole entry; cut away half a line of a killed run."""
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return 0, GENESIS
        step = 4096
        tail = b""
        position = size
        while position > 0 and tail.count(b"\n") < 2:
            position = max(0, position - step)
            file.seek(position)
            tail = file.read(size - position)
        if not tail.endswith(b"\n"):
            keep = tail.rfind(b"\n") + 1
            file.truncate(position + keep)
            tail = tail[:keep]
            if not tail:
                return 0, GENESIS
        last = tail.rstrip(b"\n").rsplit(b"\n", 1)[-1]
        try:
            entry = json.loads(last)
            return int(entry["n"]), str(entry["hash"])
        except (ValueError, KeyError, TypeError):
            raise StorageError(
                f"The last line of {self.path} is not an audit entry",
                "Run 'lsoalink audit verify', and restore the file from a copy",
            ) from None

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield every entry that can be read, in order."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                try:
                    entry = json.loads(line)
                except ValueError:
                    entry = None
                yield entry if isinstance(entry, dict) else {"n": None, "unreadable": True}

    def head(self) -> str:
        """Return the hash of the last entry."""
        last = GENESIS
        for entry in self.entries():
            last = str(entry.get("hash", "unreadable"))
        return last

    def verify(self, expected_heads: dict[str, str] | None = None) -> ChainReport:
        """Check every link.

        Parameters
        ----------
        expected_heads : dict, optional
            Release to the head its manifest names: each must still be in the chain.
        """
        faults: list[str] = []
        previous, count = GENESIS, 0
        seen = {GENESIS}
        for count, entry in enumerate(self.entries(), start=1):
            if entry.get("unreadable"):
                faults.append(f"line {count} cannot be read")
                continue
            if entry.get("n") != count:
                faults.append(
                    f"line {count} is numbered {entry.get('n')}: a line is missing or moved"
                )
            if entry.get("previous") != previous:
                faults.append(f"line {count} does not follow the line before it")
            if entry.get("hash") != _hash(entry):
                faults.append(f"line {count} was changed after it was written")
            previous = str(entry.get("hash"))
            seen.add(previous)
        for release, head in (expected_heads or {}).items():
            if head not in seen:
                faults.append(f"the head named by release {release} is gone: the end was cut off")
        return ChainReport(entries=count, head=previous, faults=tuple(faults))
