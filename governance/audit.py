"""The audit chain: one JSON line an event, each bound to the one before by its hash.

An edited, removed or reordered line breaks the chain. Each entry the platform writes is sealed with
a key of the installation (``mac``), so that whoever has no key can add or rewrite no line unseen. A
cut-off end, or a chain that is gone, is seen by its anchor: ``head.json`` beside it names number
and hash of the last entry, under a key too; and by the heads that releases and certificates name.
Each entry keeps where the anchor stood when it was written, so that taking it away or putting back
an older copy stays found. Appending takes a lock, so writers at the same time do not fork it.
Does not belong here: what is worth an entry (each room decides) or any value of a record.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import getpass
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from declarations.errors import StorageError
from warehouse.key_ring import KeyRing
from warehouse.lake import write_atomically

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

GENESIS = "0" * 64
KEY_USE = "audit"
MOST = 2**53
"""No chain has as many entries: a greater number was not counted."""

HEAD_BYTES = 512
"""Size of the anchor, always: one sector, which is written as a whole or not at all."""

AnchorState = Literal["ok", "new", "missing", "unreadable", "changed", "other_key"]
_SUSPECT = {
    # Only the first entry ever finds no anchor and is right; see `_Course`.
    "new": "the anchor was missing",
    "missing": "the anchor was missing",
    "unreadable": "the anchor could not be read",
    "changed": "the anchor had been changed",
    "other_key": "the anchor named a key that was not held",
}

Fact = str | int | float | bool | list[str] | None


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
    anchored : int or None
        Number of the last entry the anchor vouches for; None where there is no anchor. A writer
        that was killed leaves the chain one entry ahead of it.
    """

    entries: int
    head: str
    faults: tuple[str, ...]
    anchored: int | None = None


@dataclass(frozen=True)
class Anchor:
    """What ``head.json`` says: the last entry, and under which key."""

    number: int
    hash: str
    key: str
    mac: str


def _hash(entry: dict[str, Any]) -> str:
    body = {key: value for key, value in entry.items() if key not in ("hash", "mac")}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class AuditChain:
    """The append-only log of one region.

    Parameters
    ----------
    folder : Path
        ``data/<region>/audit``.
    keys : KeyRing, optional
        With it each entry is sealed and moves the anchor, and `verify` holds the chain to both.
        Without it the chain can only be read: what is added without a seal is a fault for good.
    """

    def __init__(self, folder: Path, keys: KeyRing | None = None) -> None:
        self.path = folder / "audit.jsonl"
        self.head_path = folder / "head.json"
        self._secret = _seal_key(keys)
        # A role that was given a few keys only cannot vouch for anything, as if it had none.
        self._keys = keys if self._secret is not None else None

    @property
    def keys(self) -> KeyRing | None:
        """The keys that entries are proved with; None where nothing can be proved."""
        return self._keys

    def append(self, event: str, **facts: Fact) -> str:
        """Add one entry and return its hash.

        Parameters
        ----------
        event : str
            What happened, e.g. ``gate_decision``.
        **facts
            Names, counts, hashes and reasons; never a value of a record.

        Raises
        ------
        StorageError
            If the chain ends in something that is no entry, or before the entry its anchor names:
            to write on would hide what was cut off.
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
            if self._keys is not None:
                state, anchored = self._look_at_anchor(self._keys, number, previous)
                entry |= {"anchor": state, "anchored": anchored}
            entry["hash"] = _hash(entry)
            if self._secret is not None:
                entry["mac"] = _seal(self._secret, str(entry["hash"]))
            file.write((json.dumps(entry, sort_keys=True) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
            if self._keys is not None:
                self._move_anchor(self._keys, number + 1, str(entry["hash"]))
            return str(entry["hash"])

    def accessed(self, what: str, **facts: Fact) -> str:
        """Add an entry that this account read something; what, never what it found."""
        return self.append("accessed", what=what, account=getpass.getuser(), **facts)

    def _end(self, file: BinaryIO) -> tuple[int, str]:
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
        entry = parsed_entry(tail.rstrip(b"\n").rsplit(b"\n", 1)[-1])
        number, last = entry.get("n"), entry.get("hash")
        if isinstance(number, int) and 0 < number < MOST and isinstance(last, str):
            return number, last
        raise StorageError(
            f"The last line of {self.path} is not an audit entry",
            "Run 'lsoalink audit verify', and restore the file from a copy",
        )

    def _look_at_anchor(self, keys: KeyRing, number: int, last: str) -> tuple[AnchorState, int]:
        """Return how the anchor stands before an entry is added, and the entry it names.

        The new entry keeps both for good. The very first one makes the anchor before itself: if
        its writer is killed, the next one must not find a chain without an anchor.
        """
        anchor = self.anchor()
        if anchor is None:
            if self.head_path.exists():
                return "unreadable", 0
            if number:
                return "missing", 0
            self._move_anchor(keys, 0, GENESIS)
            return "new", 0
        if anchor.number > number or (anchor.number == number and anchor.hash != last):
            raise StorageError(
                f"The audit chain ends at entry {number} and its anchor names entry "
                f"{anchor.number}: its end was cut off or changed",
                "Find out who changed it, and restore audit.jsonl from a copy",
            )
        if not keys.can_derive(KEY_USE, anchor.key):
            return "other_key", anchor.number
        return "ok" if self._is_genuine(anchor) else "changed", anchor.number

    def anchor(self) -> Anchor | None:
        """Return what the anchor says, or None if it is not there or cannot be read."""
        try:
            content = json.loads(self.head_path.read_bytes())
            return Anchor(
                int(content["number"]), str(content["hash"]), str(content["key"]),
                str(content["mac"]),
            )  # fmt: skip
        except (
            FileNotFoundError, ValueError, KeyError, TypeError, OverflowError, RecursionError,
        ):  # fmt: skip
            return None

    def _is_genuine(self, anchor: Anchor) -> bool:
        if self._keys is None:
            return False
        expected = _mac(self._keys, anchor.number, anchor.hash, anchor.key)
        return _same(expected, anchor.mac)

    def believes(self, entry: dict[str, Any]) -> bool:
        """Whether the platform wrote an entry, by its seal.

        Without keys nothing can be told, and every entry is believed: what does away with a
        safeguard, such as the end of a hold, is to be asked of a chain that was opened with keys.
        """
        return self._secret is None or _is_sealed(self._secret, entry)

    def _move_anchor(self, keys: KeyRing, number: int, entry_hash: str) -> None:
        """Write the anchor: in place once it exists, for a sector is changed as a whole.

        It waits for the disk, so that after a power cut too the chain is one entry ahead at most.
        """
        content = {
            "hash": entry_hash, "key": keys.fingerprint(), "mac": _mac(keys, number, entry_hash),
            "number": number,
        }  # fmt: skip
        text = json.dumps(content).encode().ljust(HEAD_BYTES - 1) + b"\n"
        if not self.head_path.exists():
            write_atomically(self.head_path, text, mode=0o600)
            return
        handle = os.open(self.head_path, os.O_WRONLY)
        try:
            os.pwrite(handle, text, 0)
            os.ftruncate(handle, HEAD_BYTES)
            os.fsync(handle)
        finally:
            os.close(handle)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield every entry in order.

        A last line without its end is what a killed writer left, or another is writing: no entry.
        """
        return self._read(None)

    def _read(self, size: int | None) -> Iterator[dict[str, Any]]:
        """Yield the entries within the first bytes of the file; of the whole file if None."""
        if not self.path.exists():
            return
        done = 0
        with self.path.open("rb") as file:
            for line in file:
                done += len(line)
                if not line.endswith(b"\n") or (size is not None and done > size):
                    return
                yield parsed_entry(line) or {"n": None, "unreadable": True}

    def find(
        self,
        *,
        event: str | None = None,
        agreement: str | None = None,
        since: dt.date | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the entries of an event, about an agreement, from a day on; all where not given."""
        for entry in self.entries():
            if event is not None and entry.get("event") != event:
                continue
            if agreement is not None and entry.get("agreement") != agreement:
                continue
            if since is not None and str(entry.get("at", "")) < since.isoformat():
                continue
            yield entry

    def head(self) -> str:
        """Return the hash of the last entry."""
        last = GENESIS
        for entry in self.entries():
            last = str(entry.get("hash", "unreadable"))
        return last

    def verify(
        self, expected_heads: dict[str, str] | None = None, *, expected: Iterable[str] = ()
    ) -> ChainReport:
        """Check every link, and that nothing is missing at the end.

        Parameters
        ----------
        expected_heads : dict, optional
            Release or certificate to the head it names: each must still be in the chain.
        expected : iterable of str
            What the region holds that the chain must know of, in words: with any of it an empty
            chain is a fault.
        """
        anchor, size = self._snapshot()
        faults: list[str] = []
        hashes = [GENESIS]
        course = _Course()
        unsealed: list[int] = []
        for count, entry in enumerate(self._read(size), start=1):
            if entry.get("unreadable"):
                faults.append(f"line {count} cannot be read")
                hashes.append("")
                course.doubt(count)
                continue
            faults.extend(_entry_faults(count, entry, _last_readable(hashes)))
            if "mac" in entry and self.believes(entry):
                faults.extend(course.follow(count, entry))
            else:
                unsealed.append(count)
                course.doubt(count)
            hashes.append(str(entry.get("hash")))
        count = len(hashes) - 1
        # Without keys, a chain on which no line is sealed cannot be told from one of no key.
        if self._keys is not None or anchor is not None or course.begun:
            faults.extend(_unsealed_faults(unsealed))
        faults.extend(self._anchor_faults(anchor, hashes, course))
        seen = set(hashes)
        for name, head in (expected_heads or {}).items():
            if head not in seen:
                faults.append(f"the head named by {name} is gone: the end was cut off")
        if count == 0:
            faults.extend(f"the chain is empty, but the region holds {what}" for what in expected)
        return ChainReport(
            entries=count, head=_last_readable(hashes), faults=tuple(faults),
            anchored=anchor.number if anchor else None,
        )  # fmt: skip

    def _snapshot(self) -> tuple[Anchor | None, int]:
        """Return the anchor and the chain's size as they stand together, between two writers."""
        if not self.path.exists():
            return self.anchor(), 0
        with self.path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return self.anchor(), file.seek(0, os.SEEK_END)

    def _anchor_faults(
        self, anchor: Anchor | None, hashes: list[str], course: _Course
    ) -> Iterator[str]:
        count = len(hashes) - 1
        if anchor is None:
            if self.head_path.exists():
                yield "the anchor head.json cannot be read"
            elif course.begun:
                yield "the anchor head.json is gone"
            return
        if anchor.number > count:
            yield (
                f"the chain has {count} entries and its anchor names entry {anchor.number}: the "
                "end was cut off"
            )
        elif anchor.number < 0 or hashes[anchor.number] != anchor.hash:
            yield f"line {anchor.number} is not the entry the anchor names"
        elif anchor.number not in course.allowed:
            yield (
                f"the anchor names entry {anchor.number} and had come further: an older copy was "
                "put in its place"
            )
        if self._keys is None:
            return
        if not self._keys.can_derive(KEY_USE, anchor.key):
            yield "the anchor was written under a key that this installation does not hold"
        elif not self._is_genuine(anchor):
            yield "the anchor was changed by somebody without the key"


class _Course:
    """Where the anchor may stand, line by line.

    Attributes
    ----------
    allowed : set of int
        Number of the last sealed entry, whose writer moved the anchor there; the one which that
        writer found, for it may have been killed before; and those of lines that are faults
        themselves.
    begun : bool
        Whether there was a sealed entry.
    """

    def __init__(self) -> None:
        self.allowed = {0}
        self.begun = False

    def follow(self, count: int, entry: dict[str, Any]) -> Iterator[str]:
        """Yield what was wrong with the anchor when a sealed entry was written."""
        state, said = str(entry.get("anchor")), entry.get("anchored")
        found = said if isinstance(said, int) else -1
        if state in _SUSPECT and (state, count) != ("new", 1):
            yield f"when line {count} was written, {_SUSPECT[state]}"
        elif found not in self.allowed:
            yield f"when line {count} was written, the anchor had been put back to an older copy"
        self.allowed, self.begun = {count, found}, True

    def doubt(self, count: int) -> None:
        """Pass a line without a valid seal: its own fault is enough, and the next line has none."""
        self.allowed.add(count)


def chain_of(workspace: Workspace) -> AuditChain:
    """Return a region's audit chain, with the key that seals entries and moves its anchor."""
    return AuditChain(workspace.root / "audit", workspace.keys)


def _seal_key(keys: KeyRing | None) -> bytes | None:
    """Return the key of seals, which no new master key changes; None where there is none."""
    if keys is None:
        return None
    try:
        return keys.lasting_key(KEY_USE)
    except StorageError:
        return None


def _seal(secret: bytes, entry_hash: str) -> str:
    """Return the seal of an entry: HMAC-SHA-256 (RFC 2104) over its hash, as 64 hex digits."""
    return hmac.new(secret, entry_hash.encode(), "sha256").hexdigest()


def _is_sealed(secret: bytes, entry: dict[str, Any]) -> bool:
    # Over what the entry says now, not over the hash it claims to have.
    return _same(_seal(secret, _hash(entry)), entry.get("mac"))


def _same(expected: str, given: object) -> bool:
    # Only ASCII can be compared in constant time; anything else is wrong anyway.
    text = given if isinstance(given, str) and given.isascii() else ""
    return hmac.compare_digest(expected, text)


def _mac(keys: KeyRing, number: int, entry_hash: str, key: str | None = None) -> str:
    secret = keys.derive(KEY_USE, key)
    return hmac.new(secret, f"{number}:{entry_hash}".encode(), "sha256").hexdigest()


def parsed_entry(line: bytes) -> dict[str, Any]:
    """Return the entry of a line, empty if it is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _last_readable(hashes: list[str]) -> str:
    """Return the newest hash; an unreadable line leaves none, and the next line must not fit."""
    return next(h for h in reversed(hashes) if h)


def _entry_faults(count: int, entry: dict[str, Any], previous: str) -> Iterator[str]:
    if entry.get("n") != count:
        yield f"line {count} is numbered {entry.get('n')}: a line is missing or moved"
    if entry.get("previous") != previous:
        yield f"line {count} does not follow the line before it"
    if entry.get("hash") != _hash(entry):
        yield f"line {count} was changed after it was written"


def _unsealed_faults(lines: list[int]) -> Iterator[str]:
    """Name the lines without a valid seal, a run of them in one sentence."""
    for _, run in groupby(enumerate(lines), key=lambda pair: pair[1] - pair[0]):
        found = [line for _, line in run]
        if len(found) == 1:
            yield f"line {found[0]} was not written by the platform with a key it holds"
        else:
            yield (
                f"lines {found[0]} to {found[-1]} were not written by the platform with a key it "
                "holds"
            )
