"""How an original lies on the disk: sealed or plain, and how it is copied in and opened.

Belongs here: which sources are sealed, copying in while sealing, a plain copy for as long as it is
read, and sealing what was stored before. Does not belong here: versions, duplicates and records
(``received.py``) or the format of a sealed file (``warehouse/sealed.py``).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from declarations.errors import DeliveryError, StorageError
from intake.encodings import chunks_of
from intake.naming import shown_name
from warehouse.key_ring import KeyRing, original_use
from warehouse.leftovers import temporary_beside
from warehouse.private import open_private, plain_folder, wipe
from warehouse.sealed import Sealer, seal_of, unsealed

SEALED_SUFFIX = ".sealed"
READ_ONLY = 0o400


@dataclass(frozen=True)
class Sealing:
    """With which keys originals are sealed, and which stay plain.

    Parameters
    ----------
    keys : KeyRing
    spill : Path
        Folder for plain copies, inside the restricted zone; each is wiped when it has been read.
    region_id : str
    agreements : mapping
        The agreement of each source.
    open_sources : frozenset of str
        Sources under an open licence: their files are public and stay plain. Every other source,
        an unknown one too, is sealed.
    """

    keys: KeyRing = field(repr=False)
    spill: Path
    region_id: str
    agreements: Mapping[str, str] = field(default_factory=dict)
    open_sources: frozenset[str] = frozenset()

    def use_of(self, source_id: str) -> str | None:
        """Return the use of the key that seals a source's originals; None if they stay plain."""
        if source_id in self.open_sources:
            return None
        return original_use(self.region_id, self.agreements.get(source_id))


@dataclass(frozen=True)
class Copied:
    """A copy that was taken in.

    Attributes
    ----------
    stored : Path
        What is kept: sealed or plain.
    plain : Path
        What may be inspected: the same file, or a copy that is wiped.
    sha256, bytes
        Of the plain file.
    facts : os.stat_result
        Of the file it was copied from, when its last byte had been read.
    """

    stored: Path
    plain: Path
    sha256: str
    bytes: int
    facts: os.stat_result


@contextmanager
def copied_in(
    path: Path, folder: Path, name: str, source_id: str, sealing: Sealing | None
) -> Iterator[Copied]:
    """Copy a delivered file into a folder, sealing and hashing it as it streams.

    Of a file that is sealed nothing plain is ever below ``folder``: the copy to inspect lies in the
    spill folder and is wiped when the block ends.

    Raises
    ------
    DeliveryError
        If the file changed meanwhile.
    """
    use = sealing.use_of(source_id) if sealing else None
    if sealing is None or use is None:
        stored = folder / name
        with os.fdopen(open_private(stored), "wb") as sink:
            sha256, size, facts = _stream(path, sink, None)
            _settle(sink)
        yield Copied(stored, stored, sha256, size, facts)
        return
    stored = folder / f"{name}{SEALED_SUFFIX}"
    with plain_folder(sealing.spill) as work:
        plain = work / name
        with (
            os.fdopen(open_private(stored), "wb") as sink,
            os.fdopen(open_private(plain), "wb") as beside,
        ):
            sealer = Sealer(sink, sealing.keys, use)
            sha256, size, facts = _stream(path, beside, sealer)
            sealer.finish()
            _settle(sink)
        yield Copied(stored, plain, sha256, size, facts)


@contextmanager
def opened(stored: Path, sha256: str, size: int, sealing: Sealing | None) -> Iterator[Path]:
    """Give a readable path of an original for as long as the block runs.

    Parameters
    ----------
    sha256, size
        Of the file as it was received: a sealed one that does not hold it is not handed out.

    Yields
    ------
    Path
        The original itself where it is plain; else a copy (0600) in the spill folder that is wiped
        when the block ends, or at the next run if the process was killed.

    Raises
    ------
    StorageError
        If it has changed since it was received, or the keys do not open it.
    """
    if stored.suffix != SEALED_SUFFIX:
        if stored.stat().st_size != size:
            raise _changed(stored.name)
        yield stored
        return
    if sealing is None:
        raise StorageError(f"{stored.name} is sealed, and no key was given", "Open it by a run")
    seal = seal_of(stored)
    if seal is None or seal.plain_bytes != size:
        raise _changed(stored.name)
    with plain_folder(sealing.spill) as work:
        plain = work / stored.name.removesuffix(SEALED_SUFFIX)
        digest = hashlib.sha256()
        with os.fdopen(open_private(plain), "wb") as sink:
            for chunk in unsealed(stored, sealing.keys):
                digest.update(chunk)
                sink.write(chunk)
        # A whole sealed file put in the place of another is authentic, and still not this one.
        if digest.hexdigest() != sha256:
            raise _changed(stored.name)
        yield plain


def seal_in_place(plain: Path, source_id: str, sealing: Sealing) -> bool:
    """Seal an original that was stored plain, and wipe the plain one; nothing if it stays plain.

    A kill between the two leaves both; the next call wipes the plain one.
    """
    use = sealing.use_of(source_id)
    if use is None:
        return False
    target = plain.with_name(f"{plain.name}{SEALED_SUFFIX}")
    if not target.exists():
        temporary = temporary_beside(target)
        with os.fdopen(open_private(temporary), "wb") as sink:
            sealer = Sealer(sink, sealing.keys, use)
            with plain.open("rb") as stream:
                for chunk in chunks_of(stream):
                    sealer.write(chunk)
            sealer.finish()
            _settle(sink)
        temporary.replace(target)
        sync_folder(target.parent)
    wipe(plain)
    return True


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_landed(path: Path, facts: os.stat_result) -> bool:
    """Remove a file from the landing folder if it is still the very file that was taken in.

    A link is never followed and never removed: what it points to is somebody's own.

    Returns
    -------
    bool
        Whether it is gone.
    """
    try:
        now = path.lstat()
    except OSError:
        return False
    same = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) == (
        facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns,
    )  # fmt: skip
    if path.is_symlink() or not same:
        return False
    try:
        path.unlink()
    except OSError:
        # The agency's folder may be read-only to us; the file is then known and left.
        return False
    return True


def _stream(path: Path, sink: BinaryIO, sealer: Sealer | None) -> tuple[str, int, os.stat_result]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        before = os.fstat(source.fileno())
        for chunk in chunks_of(source):
            digest.update(chunk)
            sink.write(chunk)
            if sealer is not None:
                sealer.write(chunk)
            size += len(chunk)
        after = os.fstat(source.fileno())
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, size):
        raise DeliveryError(
            f"{shown_name(path.name)} is still being written",
            "It is taken in at the next look, once it no longer changes",
        )
    return digest.hexdigest(), size, after


def _settle(sink: BinaryIO) -> None:
    sink.flush()
    os.fchmod(sink.fileno(), READ_ONLY)
    os.fsync(sink.fileno())


def _changed(name: str) -> StorageError:
    return StorageError(
        f"The original {name} has changed since it was received", "Restore it from a backup"
    )
