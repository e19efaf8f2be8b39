"""The ledger: what every release has said, kept for ever, so that the next is judged with it.

Belongs here: the files, one folder a release, bound into a chain by hashes, and reading them as
one. Does not belong here: the columns (``ledger_tables.py``), what a release says, or the equations
that follow from it (``joint.py``). Nothing is ever removed: a withdrawn release has been read.

A release is written to a temporary folder and then one rename, so it is there whole or not at all.
``release.json`` in it holds the hash of each table's content, the head of the chain before it and
its own; ``head.json`` beside the folders names the last head, so that a missing end is seen. Both
are sealed with a key of the installation. Whoever removes the end and puts back an older
``head.json`` is seen by the heads that certificates and the audit chain name (`Ledger.verify`).
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.errors import StorageError
from governance.disclosure.known.ledger_tables import (
    COLUMNS,
    LedgerTables,
    canonical,
    content_hash,
    empty_tables,
    first_said,
    token_secret,
    tokens,
)
from warehouse.key_ring import KeyRing
from warehouse.lake import write_atomically
from warehouse.leftovers import TEMPORARY_PREFIX, sweep, temporary_beside
from warehouse.private import FILE_MODE, open_private, private_folder

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["GENESIS", "Ledger", "LedgerEntry", "LedgerTables", "token_secret", "tokens"]

FORMAT = "lsoalink-ledger/1"
SEAL_USE = "ledger"
GENESIS = "0" * 64
"""The head of a ledger without a release."""

ENTRY_FILE, HEAD_FILE = "release.json", "head.json"
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FIX = "Restore the ledger's folder from a backup; nothing can be released without it"


@dataclass(frozen=True)
class LedgerEntry:
    """One release on the ledger.

    Attributes
    ----------
    number : int
        1 for the first.
    release_id : str
    previous, head : str
        Of the chain before it and with it.
    content : dict of str to str
        Hash of each table's content.
    files : dict of str to str
        Hash of each table's file.
    seal : str
        HMAC-SHA-256 of the head under a key of the installation; empty where it had none.
    """

    number: int
    release_id: str
    previous: str
    head: str
    content: dict[str, str]
    files: dict[str, str]
    seal: str

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return f"{self.number:06d}-{self.release_id}"


class Ledger:
    """The ledger of one region.

    Parameters
    ----------
    folder : Path
        ``data/<region>/ledger``; for the platform's own account alone, as the audit chain is.
    keys : KeyRing or None
        Seals what is written and proves what is read. None, or a ring that may not derive the key,
        can only read.
    """

    def __init__(self, folder: Path, keys: KeyRing | None) -> None:
        self.folder = folder
        self._secret = _seal_key(keys)

    def releases(self) -> list[LedgerEntry]:
        """Return every release, the first first.

        Raises
        ------
        StorageError
            If the chain is broken.
        """
        entries, faults = self._chain()
        if faults:
            raise StorageError(f"The release ledger is damaged: {faults[0]}", _FIX)
        return entries

    def head(self, *, before: str | None = None) -> str:
        """Return the hash that stands for everything released.

        Parameters
        ----------
        before : str, optional
            Of what was released before this release, if it is on the ledger.
        """
        earlier = _before(self.releases(), before)
        return earlier[-1].head if earlier else GENESIS

    def append(self, release_id: str, tables: LedgerTables) -> LedgerEntry:
        """Put a release on the ledger; nothing happens if it is there with the same content.

        Parameters
        ----------
        release_id : str
            Letters, digits, ``.``, ``_`` and ``-``.
        tables : LedgerTables

        Raises
        ------
        StorageError
            If the release is there with another content, the tables are not as they must be, the
            ledger is damaged, or there is no key to seal it with.
        """
        if self._secret is None:
            raise StorageError(
                "These keys cannot seal the release ledger",
                "Release with the platform's own keys",
            )
        if not _RELEASE.fullmatch(release_id):
            raise StorageError("A release's id holds letters, digits, '.', '_' and '-' only")
        whole = canonical(tables)
        content = {name: content_hash(table) for name, table in whole.items()}
        private_folder(self.folder)
        with self._locked():
            sweep(self.folder)
            entries = self.releases()
            if entries:
                # A process that was killed just before left this undone.
                self._move_head(entries[-1], self._secret)
            there = next((e for e in entries if e.release_id == release_id), None)
            if there is None:
                return self._write(entries, release_id, whole, content, self._secret)
            if there.content != content:
                raise StorageError(
                    f"The release {release_id} is on the ledger with another content",
                    "Give what is released now an id of its own",
                )
            return there

    def read(
        self, *, before: str | None = None, only: Collection[str] | None = None
    ) -> LedgerTables:
        """Return everything released, each statement once, with the first release that made it.

        Parameters
        ----------
        before : str, optional
            Only what was released before this release, if it is on the ledger.
        only : collection of str, optional
            Only what these releases said.

        Raises
        ------
        StorageError
            If a file is missing or changed: judged without it, a release would look safer.
        """
        entries = _before(self.releases(), before)
        if only is not None:
            entries = [entry for entry in entries if entry.release_id in only]
        found = dict(empty_tables(with_release=True).items())
        for name in COLUMNS:
            joined = first_said(self._distinct(entries, name))
            if joined is not None:
                found[name] = joined
        return LedgerTables(**found)

    def verify(self, heads: Iterable[str] = ()) -> list[str]:
        """Return what is wrong with the ledger, naming the file; empty if nothing is.

        Parameters
        ----------
        heads : iterable of str
            That certificates and the audit chain name: each must be one this ledger had.
        """
        entries, faults = self._chain()
        for entry in entries:
            if not (self.folder / entry.folder).is_dir():
                # It bears another name than its own, which the chain's faults say.
                continue
            expected = {ENTRY_FILE, *(f"{name}.parquet" for name in COLUMNS)}
            there = {path.name for path in (self.folder / entry.folder).iterdir()}
            faults += [f"{entry.folder}/{name} does not belong there" for name in
                       sorted(there - expected)]  # fmt: skip
            for name in COLUMNS:
                try:
                    table = self._table(entry, name)
                except StorageError as error:
                    faults.append(error.problem)
                    continue
                if content_hash(table) != entry.content[name]:
                    faults.append(f"{entry.folder}/{name}.parquet is not what was released")
        had = {GENESIS, *(e.head for e in entries)}
        faults += [f"the head {head[:12]} was on this ledger and is gone"
                   for head in dict.fromkeys(heads) if head not in had]  # fmt: skip
        return faults

    def _distinct(
        self, entries: Sequence[LedgerEntry], name: str
    ) -> Iterator[tuple[str, pa.Table]]:
        """Return a table of every release that does not repeat the one of an earlier one."""
        seen: set[str] = set()
        for entry in entries:
            table = self._table(entry, name)
            if entry.content[name] not in seen:
                seen.add(entry.content[name])
                yield entry.release_id, table

    def _table(self, entry: LedgerEntry, name: str) -> pa.Table:
        import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

        path = self.folder / entry.folder / f"{name}.parquet"
        try:
            content = path.read_bytes()
        except OSError:
            raise StorageError(f"{entry.folder}/{path.name} is missing", _FIX) from None
        if hashlib.sha256(content).hexdigest() != entry.files[name]:
            raise StorageError(f"{entry.folder}/{path.name} has been changed", _FIX)
        return pq.read_table(BytesIO(content))

    def _write(
        self,
        entries: Sequence[LedgerEntry],
        release_id: str,
        tables: LedgerTables,
        content: dict[str, str],
        secret: bytes,
    ) -> LedgerEntry:
        number = len(entries) + 1
        previous = entries[-1].head if entries else GENESIS
        target = self.folder / f"{number:06d}-{release_id}"
        temporary = private_folder(temporary_beside(target))
        files = {}
        for name, table in tables.items():
            written = _parquet(table)
            files[name] = hashlib.sha256(written).hexdigest()
            _write_private(temporary / f"{name}.parquet", written)
        head = _head(number, release_id, previous, content)
        entry = LedgerEntry(number, release_id, previous, head, content, files, "")
        entry = LedgerEntry(**{**vars(entry), "seal": _seal(secret, _sealed(entry))})
        said = {"format": FORMAT, **vars(entry)}
        _write_private(temporary / ENTRY_FILE, _json(said))
        _sync(temporary)
        temporary.rename(target)
        _sync(self.folder)
        self._move_head(entry, secret)
        return entry

    def _move_head(self, entry: LedgerEntry, secret: bytes) -> None:
        said = {"number": entry.number, "head": entry.head}
        content = _json({**said, "seal": _seal(secret, _text(said))})
        path = self.folder / HEAD_FILE
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content, mode=FILE_MODE)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _chain(self) -> tuple[list[LedgerEntry], list[str]]:
        """Return the entries that can be read, in order, and what is wrong with the chain."""
        entries: list[LedgerEntry] = []
        faults: list[str] = []
        names = sorted(p.name for p in self.folder.iterdir()) if self.folder.is_dir() else []
        previous = GENESIS
        for name in names:
            if name == HEAD_FILE or name.startswith(TEMPORARY_PREFIX):
                continue
            try:
                entry = _entry((self.folder / name / ENTRY_FILE).read_bytes())
            except OSError:
                faults.append(f"{name}/{ENTRY_FILE} is missing or cannot be opened")
                continue
            except (ValueError, KeyError, TypeError, AttributeError):
                faults.append(f"{name}/{ENTRY_FILE} is not an entry of the ledger")
                continue
            faults += self._entry_faults(name, entry, len(entries) + 1, previous)
            entries.append(entry)
            previous = entry.head
        return entries, [*faults, *self._head_faults(entries)]

    def _entry_faults(
        self, name: str, entry: LedgerEntry, number: int, previous: str
    ) -> Iterator[str]:
        if name != entry.folder or entry.number != number:
            yield f"{name} stands in another place than it was written, or one before it is missing"
        elif entry.previous != previous:
            yield f"{name} does not follow on the release before it"
        expected = _head(entry.number, entry.release_id, entry.previous, entry.content)
        if entry.head != expected:
            yield f"{name}/{ENTRY_FILE} has been changed"
        elif self._secret is not None and not hmac.compare_digest(
            _seal(self._secret, _sealed(entry)).encode(), entry.seal.encode()
        ):
            yield f"{name}/{ENTRY_FILE} does not bear the seal of this installation"

    def _head_faults(self, entries: Sequence[LedgerEntry]) -> Iterator[str]:
        try:
            said = json.loads((self.folder / HEAD_FILE).read_bytes())
            number, head, seal = int(said["number"]), str(said["head"]), str(said["seal"])
        except FileNotFoundError:
            # The first release is written just before its head is.
            if len(entries) > 1:
                yield f"{HEAD_FILE} is missing"
            return
        except (OSError, ValueError, KeyError, TypeError):
            yield f"{HEAD_FILE} cannot be read"
            return
        expected = _text({"number": number, "head": head})
        if self._secret is not None and not hmac.compare_digest(
            _seal(self._secret, expected).encode(), seal.encode()
        ):
            yield f"{HEAD_FILE} does not bear the seal of this installation"
        elif number > len(entries):
            yield f"{number - len(entries)} of the last releases are missing"
        elif number < len(entries) - 1 or number < 1 or entries[number - 1].head != head:
            yield f"{HEAD_FILE} does not name the last release"


def _before(entries: list[LedgerEntry], release_id: str | None) -> list[LedgerEntry]:
    for place, entry in enumerate(entries):
        if entry.release_id == release_id:
            return entries[:place]
    return entries


def _seal_key(keys: KeyRing | None) -> bytes | None:
    if keys is None:
        return None
    try:
        return keys.lasting_key(SEAL_USE)
    except StorageError:
        return None


def _seal(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _sealed(entry: LedgerEntry) -> str:
    return _text({"head": entry.head, "files": entry.files})


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, sort_keys=True, indent=1) + "\n").encode()


def _head(number: int, release_id: str, previous: str, content: dict[str, str]) -> str:
    said = {"format": FORMAT, "number": number, "release_id": release_id, "previous": previous,
            "content": content}  # fmt: skip
    return hashlib.sha256(_text(said).encode()).hexdigest()


def _entry(content: bytes) -> LedgerEntry:
    said = json.loads(content)
    if said.pop("format") != FORMAT:
        raise ValueError
    entry = LedgerEntry(**said)
    texts = (entry.release_id, entry.previous, entry.head, entry.seal)
    right = isinstance(entry.number, int) and all(isinstance(t, str) for t in texts)
    # The id becomes a path.
    right = right and _RELEASE.fullmatch(entry.release_id) is not None
    if not right or entry.content.keys() != COLUMNS.keys() or entry.files.keys() != COLUMNS.keys():
        raise ValueError
    return entry


def _parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    target = BytesIO()
    pq.write_table(table, target, compression="zstd")
    return target.getvalue()


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(open_private(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
