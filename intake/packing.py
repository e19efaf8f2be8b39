"""The file a package is: a ZIP with one CSV file and a signed manifest; its name, and writing it.

Belongs here: the layout, and reading an entry without trusting the archive. Does not belong here:
whether a package is to be believed (``packages.py``), or what is in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import uuid
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from declarations.agreements import Agreement
from declarations.contracts import Contract, Source
from governance.signing import SignatureError, signed, verified
from intake.containers import Limits, Meter, member_bytes, open_zip
from intake.errors import UnsafeFileError
from intake.landing import PACKAGE_SUFFIX, SUFFIXES
from intake.naming import shown_name
from warehouse.leftovers import temporary_beside
from warehouse.private import open_private, private_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Kind = Literal["pseudonymised", "aggregated"]

FORMAT = "lsoalink-package/1"
MANIFEST_NAME = ".lsoalink-manifest.json"
"""Begins with a dot, so that the one data file of the archive is what any reader finds in it."""
DATA_NAME = "data.csv"
MANIFEST_BYTES = 8 << 20
_CHUNK = 1 << 20
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def package_name(source: Source, contract: Contract, period: str) -> str:
    """Return the name under which a package is dropped into the landing folder."""
    name = source.files.replace("{period}", period).replace("*", "")
    if "*" in source.files.rpartition(".")[2] or "." not in name:
        name = name.rstrip(".") + SUFFIXES[contract.format.type][0]
    return f"{name}{PACKAGE_SUFFIX}"


def is_package(path: Path) -> bool:
    """Whether a file is a package, by its content: a manifest makes one, whatever its name."""
    if path.name.lower().endswith(PACKAGE_SUFFIX):
        return True
    if path.suffix.lower() != ".zip":
        return False
    with open_zip(path, shown_name(path.name)) as archive:
        return MANIFEST_NAME in archive.namelist()


def new_manifest(kind: Kind, source: Source, agreement: Agreement, period: str) -> dict[str, Any]:
    """Return the beginning of a manifest: what it is, of what, under which text."""
    return {
        "format": FORMAT, "id": uuid.uuid4().hex, "kind": kind, "source": source.id,
        "agency": source.agency, "period": period,
        "agreement": {
            "id": agreement.id, "version": agreement.version,
            "text_sha256": agreement.text_sha256(),
        },
    }  # fmt: skip


def write_package(
    target: Path, manifest: Mapping[str, Any], data: Path, key: Ed25519PrivateKey
) -> dict[str, Any]:
    """Sign and write a package, whole or not at all, readable by its owner alone.

    Returns
    -------
    dict
        The manifest as signed, with the facts of the data file.
    """
    with data.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    facts = {"name": DATA_NAME, "sha256": sha256, "bytes": data.stat().st_size}
    complete = {**manifest, "data": facts}
    private_folder(target.parent)
    temporary = temporary_beside(target)
    try:
        with os.fdopen(open_private(temporary), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                with data.open("rb") as stream, archive.open(_entry(DATA_NAME), "w") as sink:
                    while chunk := stream.read(_CHUNK):
                        sink.write(chunk)
                with archive.open(_entry(MANIFEST_NAME), "w") as sink:
                    sink.write(signed(key, complete))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return complete


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def manifest_of(path: Path, keys: Collection[str]) -> dict[str, Any] | None:
    """Return what a package says of itself; None unless it was signed with one of the keys."""
    name = shown_name(path.name)
    try:
        with open_zip(path, name) as archive:
            entry = archive.getinfo(MANIFEST_NAME)
        return verified(entry_content(path, entry, MANIFEST_BYTES), keys, name)
    except (UnsafeFileError, SignatureError, KeyError):
        return None


def entry_content(path: Path, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Return what an entry holds.

    Raises
    ------
    UnsafeFileError
        If it is damaged or holds more than ``most`` bytes.
    """
    meter = Meter(shown_name(path.name), path.stat().st_size, Limits(expanded_bytes=most))
    return b"".join(member_bytes(path, entry, meter))


def entry_chunks(path: Path, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what an entry holds, at most 1 MiB at a time.

    Raises
    ------
    UnsafeFileError
        If it is damaged, or larger than a delivery may be.
    """
    return member_bytes(path, entry, Meter(shown_name(path.name), path.stat().st_size, Limits()))


def entry_text(path: Path, entry: zipfile.ZipInfo) -> TextIO:
    """Return an entry as UTF-8 text to be read once, in bounded memory."""
    raw = io.BufferedReader(_Stream(entry_chunks(path, entry)))
    return io.TextIOWrapper(raw, encoding="utf-8", newline="")


class _Stream(io.RawIOBase):
    """Chunks of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
