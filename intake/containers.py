"""Opening compressed files without trusting what they say of themselves.

Belongs here: gzip, ZIP and the ZIP inside a workbook, streamed with a hard stop on what comes out.
Does not belong here: judging the content of the file inside (``safety``).
"""

from __future__ import annotations

import contextlib
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from intake.encodings import CHUNK
from intake.errors import UnsafeFileError
from intake.naming import shown_name
from warehouse.private import plain_folder

LOCAL_HEADER = struct.Struct("<4s5H3I2H")
ENCRYPTED = 0x1
NESTED = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zX")
NESTED_SUFFIXES = (".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".tar", ".tgz")
SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg")
"""What a Shapefile is read from; the first three it cannot do without (ESRI, 1998)."""
BESIDE_SHAPEFILE = (".sbn", ".sbx", ".qix", ".fix", ".shp.xml", ".cst")
RATIO_FLOOR = 16 << 20
"""Bytes out below which no ratio is judged: a short file of blanks is no attack."""


@dataclass(frozen=True)
class Limits:
    """How large a delivery may be.

    Attributes
    ----------
    file_bytes : int
        Size of the delivered file.
    expanded_bytes : int
        Size of everything a compressed file holds.
    ratio : int
        Bytes out for one byte in, judged from 16 MiB out.
    members : int
        Entries of an archive.
    """

    file_bytes: int = 5 << 30
    expanded_bytes: int = 2 << 30
    ratio: int = 200
    members: int = 1000


class Meter:
    """Counts what comes out of a compressed file and stops at the limit."""

    def __init__(self, name: str, size: int, limits: Limits) -> None:
        self.name = name
        self._size = max(size, 1)
        self._limits = limits
        self._out = 0

    def add(self, count: int) -> None:
        """Count bytes that came out, or that an archive says will.

        Raises
        ------
        UnsafeFileError
            ``zip_bomb``.
        """
        self._out += count
        too_dense = self._out > RATIO_FLOOR and self._out > self._limits.ratio * self._size
        if self._out > self._limits.expanded_bytes or too_dense:
            raise bomb(self.name)


def bomb(name: str) -> UnsafeFileError:
    """Return the refusal of a file that expands without measure."""
    return UnsafeFileError(
        "zip_bomb",
        f"{name} expands to more than is allowed, or holds an archive within an archive",
        "Send the data file itself, compressed once or not at all",
    )


def damaged(name: str) -> UnsafeFileError:
    """Return the refusal of a file whose end is missing or whose content is damaged."""
    return UnsafeFileError(
        "truncated",
        f"{name} is incomplete or damaged: it ends before it should or fails its own checksum",
        "Export it again and check that the transfer finished",
    )


def gunzip(stream: BinaryIO, meter: Meter) -> Iterator[bytes]:
    """Yield what a gzip stream holds, never more than 1 MiB at a time.

    Raises
    ------
    UnsafeFileError
        ``zip_bomb`` or ``truncated``.
    """
    engine = zlib.decompressobj(31)
    data = b""
    while True:
        data = data or stream.read(CHUNK)
        if engine.eof:
            # Several members may follow one another, and zeros may pad the end.
            data = data.lstrip(b"\x00") or stream.read(CHUNK)
            if not data:
                return
            if data.startswith(b"\x00"):
                continue
            engine = zlib.decompressobj(31)
        fed = bool(data)
        try:
            out = engine.decompress(data, CHUNK)
        except zlib.error:
            raise damaged(meter.name) from None
        meter.add(len(out))
        if out:
            yield out
        elif not fed and not engine.eof:
            raise damaged(meter.name)
        data = engine.unused_data if engine.eof else engine.unconsumed_tail


def open_zip(path: Path, name: str) -> zipfile.ZipFile:
    """Open an archive's directory.

    Raises
    ------
    UnsafeFileError
        ``truncated`` if it has none that can be read.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError):
        raise damaged(name) from None


def check_directory(archive: zipfile.ZipFile, meter: Meter, limits: Limits) -> None:
    """Check what an archive says of its members, before any is opened.

    Raises
    ------
    UnsafeFileError
        ``zip_bomb``, ``path_traversal``, ``encrypted`` or ``unreadable``.
    """
    members = archive.infolist()
    if len(members) > limits.members:
        raise bomb(meter.name)
    declared = Meter(meter.name, Path(archive.filename or "").stat().st_size, limits)
    for member in members:
        inside = member.orig_filename
        parts = re.split(r"[/\\]", inside)
        mode = member.external_attr >> 16
        if (
            "\\" in inside
            or "\x00" in inside
            or inside.startswith("/")
            or re.match(r"^[A-Za-z]:", inside)
            or ".." in parts
            or stat.S_ISLNK(mode)
        ):
            raise UnsafeFileError(
                "path_traversal",
                f"{meter.name} holds an entry that points outside the archive",
                "Send an archive with one plain file in it",
            )
        if member.flag_bits & ENCRYPTED:
            raise UnsafeFileError(
                "encrypted",
                f"{meter.name} is protected by a password",
                "Send it without one, over the agreed secure channel",
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsafeFileError(
                "unreadable",
                f"{meter.name} is compressed by a method other than deflate",
                "Make the archive with an ordinary ZIP tool",
            )
        if inside.lower().endswith(NESTED_SUFFIXES):
            raise bomb(meter.name)
        declared.add(member.file_size)


def member_bytes(path: Path, member: zipfile.ZipInfo, meter: Meter) -> Iterator[bytes]:
    """Yield what one member really holds, whatever its directory entry says.

    The standard library stops silently at the declared size; here more than that is an attack.

    Raises
    ------
    UnsafeFileError
        ``zip_bomb`` or ``truncated``.
    """
    with path.open("rb") as stream:
        stream.seek(member.header_offset)
        header = stream.read(LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
            raise damaged(meter.name)
        fields = LOCAL_HEADER.unpack(header)
        stream.seek(fields[9] + fields[10], 1)
        left, out_size, checksum = member.compress_size, 0, 0
        engine = zlib.decompressobj(-15) if member.compress_type == zipfile.ZIP_DEFLATED else None
        data = b""
        while True:
            if not data and left:
                data = stream.read(min(CHUNK, left))
                left -= len(data)
                if not data:
                    raise damaged(meter.name)
            try:
                out = engine.decompress(data, CHUNK) if engine else data
            except zlib.error:
                raise damaged(meter.name) from None
            starts = out_size == 0
            out_size += len(out)
            meter.add(len(out))
            if out_size > member.file_size or (starts and out.startswith(NESTED)):
                raise bomb(meter.name)
            checksum = zlib.crc32(out, checksum)
            if out:
                yield out
            data = engine.unconsumed_tail if engine else b""
            if (engine and engine.eof) or (not data and not left and not out):
                break
        complete = engine is None or engine.eof
        if not complete or out_size != member.file_size or checksum != member.CRC:
            raise damaged(meter.name)


def data_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members of an archive that are not folders or an operating system's litter."""
    return [
        m
        for m in archive.infolist()
        if not m.is_dir()
        and not m.filename.startswith("__MACOSX/")
        and not PurePosixPath(m.filename).name.startswith(".")
        and PurePosixPath(m.filename).name.lower() not in ("thumbs.db", "desktop.ini")
    ]


def delivered_members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the one data file of an archive, or the files of its one Shapefile, ``.shp`` first.

    Raises
    ------
    UnsafeFileError
        ``not_one_file``.
    """
    members = data_members(archive)
    shapes = [m for m in members if m.filename.lower().endswith(".shp")]
    if len(shapes) == 1 and len(members) > 1:
        return _shapefile(shapes[0], members, name)
    if len(members) != 1:
        raise UnsafeFileError(
            "not_one_file",
            f"{name} holds {len(members)} data files",
            "Send an archive with exactly one data file in it, or the files of one Shapefile",
        )
    return members


def _shapefile(
    shape: zipfile.ZipInfo, members: list[zipfile.ZipInfo], name: str
) -> list[zipfile.ZipInfo]:
    """Return the members a Shapefile is read from; its indexes and descriptions are left out."""
    stem = shape.filename.lower().removesuffix(".shp")
    by_ending = {m.filename.lower().removeprefix(stem): m for m in members}
    strange = len(members) - sum(ending in by_ending for ending in (*SHAPEFILE, *BESIDE_SHAPEFILE))
    lacking = [ending for ending in SHAPEFILE[:3] if ending not in by_ending]
    if strange or lacking:
        raise UnsafeFileError(
            "not_one_file",
            f"{name} holds a Shapefile and {strange} files that are no part of it"
            if strange
            else f"{name} holds a Shapefile without its {' and '.join(lacking)}",
            f"Send the {', '.join(SHAPEFILE[:4])} of one Shapefile, all of one name, and no more",
        )
    return [by_ending[ending] for ending in SHAPEFILE if ending in by_ending]


def inner_suffix(path: Path) -> str:
    """Return the suffix of the data file: the one before ``.gz``, else the file's own."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


@contextlib.contextmanager
def expanded(path: Path, work: Path | None = None, limits: Limits | None = None) -> Iterator[Path]:
    """Give the data file of a delivery, expanded to a temporary file where it is compressed.

    Parameters
    ----------
    path : Path
        The bare file, a ``.gz``, or a ``.zip`` with one data file or one Shapefile.
    work : Path, optional
        Folder for the temporary file, which only its owner can read and which is wiped on leaving.
    limits : Limits, optional

    Yields
    ------
    Path
        A plain file.

    Raises
    ------
    UnsafeFileError
        As the functions of this module.
    """
    suffix = path.suffix.lower()
    if suffix not in (".gz", ".zip"):
        yield path
        return
    limits = limits or Limits()
    name = shown_name(path.name)
    meter = Meter(name, path.stat().st_size, limits)
    with plain_folder(work) as folder:
        if suffix == ".gz":
            target = folder / f"data{inner_suffix(path)}"
            with path.open("rb") as stream, target.open("wb") as sink:
                sink.writelines(gunzip(stream, meter))
        else:
            with open_zip(path, name) as archive:
                check_directory(archive, meter, limits)
                members = delivered_members(archive, name)
            targets = [folder / f"data{PurePosixPath(m.filename).suffix.lower()}" for m in members]
            for member, part in zip(members, targets, strict=True):
                with part.open("wb") as sink:
                    sink.writelines(member_bytes(path, member, meter))
            target = targets[0]
        yield target
