"""Sealed files: encrypted and authenticated as they stream, in bounded memory.

Belongs here: the format, writing, reading, and sealing again under another key. Does not belong
here: which files are sealed, or where keys come from.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, "Online authenticated-encryption
and its nonce-reuse misuse-resistance", CRYPTO 2015), with AES-256-GCM as in NIST SP 800-38D: the
plain text is cut into chunks of 1 MiB, each encrypted under a nonce made of its number and a mark
on the last one. So a chunk that is changed, missing, repeated, moved or taken from another file is
found, and so is a file that ends too early. Each file has a key of its own, derived with
HKDF-SHA-256 (RFC 5869) from the key of its use, with a random salt and the file's header, so that
numbers may start at 0 in each file and no header can be changed.

Layout: ``LSOASEAL``, version (1 byte), fingerprint of the master key (12), length of the use (2),
use, salt (32); then the chunks, each with its tag of 16 bytes.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from declarations.errors import StorageError
from warehouse.key_ring import FINGERPRINT_CHARACTERS, KEY_BYTES, KeyRing
from warehouse.leftovers import temporary_beside
from warehouse.private import open_private

MAGIC = b"LSOASEAL"
VERSION = 1
CHUNK_BYTES = 1 << 20
TAG_BYTES = 16
SALT_BYTES = 32
_HEAD = struct.Struct(f">8sB{FINGERPRINT_CHARACTERS}sH")


@dataclass(frozen=True)
class Seal:
    """What the header of a sealed file says.

    Attributes
    ----------
    fingerprint : str
        Public name of the master key it was sealed with.
    use : str
        What the key was derived for.
    plain_bytes : int
        Size of the plain file, judged by the size of this one.
    """

    fingerprint: str
    use: str
    plain_bytes: int


class Sealer:
    """Writes one sealed file, chunk by chunk.

    Parameters
    ----------
    sink : BinaryIO
        Empty; `finish` does not close it.
    keys : KeyRing
        The current master key is used.
    use : str
    """

    def __init__(self, sink: BinaryIO, keys: KeyRing, use: str) -> None:
        named = use.encode()
        head = _HEAD.pack(MAGIC, VERSION, keys.fingerprint().encode(), len(named)) + named
        salt = os.urandom(SALT_BYTES)
        self._sink = sink
        self._cipher = _cipher(keys.derive(use), salt, head)
        self._number = 0
        self._waiting = bytearray()
        sink.write(head + salt)

    def write(self, data: bytes) -> None:
        """Take in more of the plain file, of any length."""
        self._waiting += data
        # The last chunk bears a mark, so a full one waits until it is known that more follows.
        while len(self._waiting) > CHUNK_BYTES:
            self._put(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]

    def finish(self) -> None:
        """Write the last chunk; without it the file counts as cut off."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, chunk: bytes, *, last: bool) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, None))
        self._number += 1


def seal_of(path: Path) -> Seal | None:
    """Return what a file's header says, or None if it is not a sealed file.

    Raises
    ------
    StorageError
        If the header is damaged or of a later version.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return None
        file.seek(0)
        head, _, seal = _header(file, path.name)
    body = path.stat().st_size - len(head) - SALT_BYTES
    chunks = max(1, -(-body // (CHUNK_BYTES + TAG_BYTES)))
    return Seal(seal.fingerprint, seal.use, body - chunks * TAG_BYTES)


def unsealed(path: Path, keys: KeyRing) -> Iterator[bytes]:
    """Yield the plain content of a sealed file, at most 1 MiB at a time.

    Each piece is authentic when it comes; that the file is whole is known only at its end. So
    nothing may be done with the pieces before the last has come.

    Raises
    ------
    StorageError
        If the ring has not the key, or anything about the file was changed.
    """
    with path.open("rb") as file:
        head, salt, seal = _header(file, path.name)
        cipher = _cipher(keys.derive(seal.use, seal.fingerprint), salt, head)
        number, data = 0, file.read(CHUNK_BYTES + TAG_BYTES)
        while True:
            following = file.read(CHUNK_BYTES + TAG_BYTES)
            try:
                chunk = cipher.decrypt(_nonce(number, last=not following), data, None)
            except (InvalidTag, ValueError):
                raise _damaged(path.name) from None
            yield chunk
            if not following:
                return
            number, data = number + 1, following


def reseal(path: Path, keys: KeyRing) -> bool:
    """Seal a file again under the current master key, unless it is.

    The old file stands, readable, until the new one is whole and on the disk.

    Returns
    -------
    bool
        Whether anything was done.
    """
    seal = seal_of(path)
    if seal is None or seal.fingerprint == keys.fingerprint():
        return False
    mode = path.stat().st_mode & 0o700
    temporary = temporary_beside(path)
    try:
        with os.fdopen(open_private(temporary), "wb") as sink:
            sealer = Sealer(sink, keys, seal.use)
            for chunk in unsealed(path, keys):
                sealer.write(chunk)
            sealer.finish()
            sink.flush()
            os.fchmod(sink.fileno(), mode)
            os.fsync(sink.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _header(file: BinaryIO, name: str) -> tuple[bytes, bytes, Seal]:
    fixed = file.read(_HEAD.size)
    if len(fixed) < _HEAD.size:
        raise _damaged(name)
    magic, version, fingerprint, length = _HEAD.unpack(fixed)
    if magic != MAGIC or version != VERSION:
        raise StorageError(
            f"{name} is not a sealed file of a version known here",
            "Open it with the version of lsoalink that wrote it, or restore it from a backup",
        )
    use, salt = file.read(length), file.read(SALT_BYTES)
    if len(use) < length or len(salt) < SALT_BYTES:
        raise _damaged(name)
    try:
        return fixed + use, salt, Seal(fingerprint.decode("ascii"), use.decode(), 0)
    except UnicodeDecodeError:
        raise _damaged(name) from None


def _cipher(key: bytes, salt: bytes, head: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, head).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _damaged(name: str) -> StorageError:
    return StorageError(
        f"The sealed file {name} was changed, cut off, or sealed with another key",
        "Restore it from a backup, or ask the agency to send it again",
    )
