"""Whether a delivered file is safe to open, decided before anything reads it.

Belongs here: the inspection, and the sentence the agency gets.
Does not belong here: what the rows say. Nothing is written and nothing is expanded to disk; a
compressed file is streamed, counted and dropped.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol
from xml.etree.ElementTree import ParseError

from intake.containers import (
    SHAPEFILE,
    Limits,
    Meter,
    bomb,
    check_directory,
    damaged,
    delivered_members,
    gunzip,
    inner_suffix,
    member_bytes,
    open_zip,
)
from intake.encodings import TextScan, chunks_of
from intake.errors import UnsafeFileError
from intake.naming import shown_name

__all__ = ["REASONS", "Inspection", "Limits", "inspect_file", "inspect_place"]

REASONS = (
    "empty_file",
    "unreadable",
    "too_large",
    "truncated",
    "zip_bomb",
    "path_traversal",
    "xml_external_entity",
    "not_utf8_or_cp1252",
    "encrypted",
    "not_one_file",
    "wrong_type",
)
"""Every reason code an inspection can give."""

WORKBOOKS = (".xlsx", ".xlsm")
XML_SUFFIXES = (".xml", ".rels", ".vml", ".gml", ".kml")
JSON_SUFFIXES = (".json", ".geojson")
BINARY_SUFFIXES = (".gpkg", ".fgb")
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
PARQUET = b"PAR1"


@dataclass(frozen=True)
class Inspection:
    """Whether a file may be opened.

    Attributes
    ----------
    ok : bool
    reason : str or None
        One of `REASONS`; None for a good file.
    message : str or None
        A plain sentence for the agency, without any value of a cell.
    """

    ok: bool
    reason: str | None = None
    message: str | None = None


class _Scan(Protocol):
    def feed(self, chunk: bytes) -> None: ...
    def close(self) -> None: ...


class _TextCheck:
    """Refuses what is not text, or text that ends too early."""

    def __init__(self, name: str, suffix: str) -> None:
        self._name, self._suffix = name, suffix
        self._scan = TextScan()
        self._started = False
        self._end = b""

    def feed(self, chunk: bytes) -> None:
        if not self._started and chunk.startswith(OLD_OFFICE):
            raise _wrong_type(self._name, "an old or password-protected Office file")
        self._started = True
        self._end = (self._end + chunk[-64:])[-64:]
        self._scan.feed(chunk)

    def close(self) -> None:
        facts = self._scan.finish()
        if facts.encoding is None:
            raise UnsafeFileError(
                "not_utf8_or_cp1252",
                f"{self._name} is not a text file: it holds bytes that no text encoding we "
                "accept can hold",
                "Export it as CSV in UTF-8",
            )
        is_json = self._suffix in JSON_SUFFIXES
        json_open = is_json and self._end.rstrip(b"\x00 \t\r\n")[-1:] not in (b"}", b"]")
        if json_open or (facts.cut_short and not is_json):
            raise damaged(self._name)


class _XmlCheck:
    """Refuses a document type or an entity, which stand before an XML file's first element."""

    def __init__(self, name: str) -> None:
        from defusedxml.ElementTree import (  # noqa: PLC0415 - heavy
            DefusedXMLParser,
        )

        self._name = name
        self._past_prologue = False
        self._parser = DefusedXMLParser(target=self, forbid_dtd=True)

    def start(self, _tag: str, _attributes: dict[str, str]) -> None:
        self._past_prologue = True

    def feed(self, chunk: bytes) -> None:
        from defusedxml import (  # noqa: PLC0415 - heavy
            DefusedXmlException,
        )

        if self._past_prologue:
            return
        try:
            self._parser.feed(chunk)
        except DefusedXmlException:
            raise UnsafeFileError(
                "xml_external_entity",
                f"{self._name} holds an XML document type or entity, which could read other files",
                "Export it again from an ordinary spreadsheet program",
            ) from None
        except ParseError:
            if not self._past_prologue:
                raise damaged(self._name) from None

    def close(self) -> None:
        if not self._past_prologue:
            raise damaged(self._name)


class _ParquetCheck:
    """Refuses a Parquet file that lacks its first or its last bytes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._start = self._end = b""
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        self._start = (self._start + chunk[:4])[:4]
        self._end = (self._end + chunk[-8:])[-8:]
        self._size += len(chunk)

    def close(self) -> None:
        if self._start != PARQUET:
            raise _wrong_type(self._name, "no Parquet file although its name says so")
        footer = int.from_bytes(self._end[:4], "little")
        if self._end[4:] != PARQUET or footer + 12 > self._size:
            raise damaged(self._name)


class _AnyBytes:
    """Accepts binary formats whose own reader checks them."""

    def feed(self, chunk: bytes) -> None:
        """Look at nothing."""

    def close(self) -> None:
        """Find nothing."""


def inspect_file(
    path: Path, limits: Limits | None = None, folder: Path | None = None
) -> Inspection:
    """Decide whether a file may be opened.

    Parameters
    ----------
    path : Path
        The delivered file: bare, ``.gz``, or ``.zip`` with one data file.
    limits : Limits, optional
    folder : Path, optional
        The landing folder, which a symbolic link must not leave; default the file's own folder.

    Returns
    -------
    Inspection
        Never raises for a bad file.
    """
    limits = limits or Limits()
    place = inspect_place(path, limits, folder)
    if not place.ok:
        return place
    name = shown_name(path.name)
    try:
        _inspect_content(path, name, path.stat().st_size, limits)
    except UnsafeFileError as refusal:
        return Inspection(ok=False, reason=refusal.reason, message=str(refusal))
    except OSError:
        return Inspection(ok=False, reason="unreadable", message=str(_unreadable(name)))
    return Inspection(ok=True)


def inspect_place(
    path: Path, limits: Limits | None = None, folder: Path | None = None
) -> Inspection:
    """Decide whether a file may be read at all: links, rights and size, not its content.

    Parameters
    ----------
    path, limits, folder
        As for `inspect_file`.
    """
    name = shown_name(path.name)
    allowed = (limits or Limits()).file_bytes
    try:
        size = _size_of(path, name, folder or path.parent)
    except UnsafeFileError as refusal:
        return Inspection(ok=False, reason=refusal.reason, message=str(refusal))
    except (OSError, RuntimeError):
        return Inspection(ok=False, reason="unreadable", message=str(_unreadable(name)))
    if size == 0:
        return Inspection(
            ok=False, reason="empty_file", message=f"{name} is empty. Export and send it again."
        )
    if size > allowed:
        return Inspection(
            ok=False,
            reason="too_large",
            message=f"{name} has {size:,} bytes, more than the {allowed:,} allowed. "
            "Send one period a file, or ask for a higher limit.",
        )
    return Inspection(ok=True)


def _size_of(path: Path, name: str, folder: Path) -> int:
    if path.is_symlink() and not path.resolve(strict=True).is_relative_to(folder.resolve()):
        raise UnsafeFileError(
            "unreadable",
            f"{name} is a link to a place outside the landing folder",
            "Put the file itself there",
        )
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode) or not os.access(path, os.R_OK):
        raise _unreadable(name)
    return facts.st_size


def _unreadable(name: str) -> UnsafeFileError:
    return UnsafeFileError(
        "unreadable",
        f"{name} cannot be read: it is not an ordinary file, or reading it is not permitted",
        "Put the file itself in the landing folder and allow it to be read",
    )


def _wrong_type(name: str, what: str) -> UnsafeFileError:
    return UnsafeFileError("wrong_type", f"{name} is {what}", "Send it as CSV, XLSX or Parquet")


def _inspect_content(path: Path, name: str, size: int, limits: Limits) -> None:
    suffix = path.suffix.lower()
    meter = Meter(name, size, limits)
    if suffix in WORKBOOKS:
        _inspect_workbook(path, name, meter, limits)
    elif suffix == ".zip":
        with open_zip(path, name) as archive:
            check_directory(archive, meter, limits)
            members = delivered_members(archive, name)
        for member in members:
            inside = PurePosixPath(member.filename).suffix.lower()
            if inside in WORKBOOKS:
                raise bomb(name)
            check = _AnyBytes() if inside in SHAPEFILE else _check_for(inside, name)
            _drain(member_bytes(path, member, meter), check)
    elif suffix == ".gz":
        if inner_suffix(path) in WORKBOOKS:
            raise bomb(name)
        with path.open("rb") as stream:
            _drain(gunzip(stream, meter), _check_for(inner_suffix(path), name))
    else:
        with path.open("rb") as stream:
            _drain(chunks_of(stream), _check_for(suffix, name))


def _check_for(suffix: str, name: str) -> _Scan:
    if suffix == ".parquet":
        return _ParquetCheck(name)
    if suffix in XML_SUFFIXES:
        return _XmlCheck(name)
    if suffix in BINARY_SUFFIXES:
        return _AnyBytes()
    return _TextCheck(name, suffix)


def _drain(chunks: Iterable[bytes], check: _Scan) -> None:
    for chunk in chunks:
        check.feed(chunk)
    check.close()


def _inspect_workbook(path: Path, name: str, meter: Meter, limits: Limits) -> None:
    with path.open("rb") as stream:
        first = stream.read(4)
    if first == OLD_OFFICE:
        raise _wrong_type(name, "an old or password-protected Office file")
    if not first.startswith(b"PK"):
        raise _wrong_type(name, "no workbook although its name says so")
    with open_zip(path, name) as archive:
        check_directory(archive, meter, limits)
        members = [m for m in archive.infolist() if not m.is_dir()]
    for member in members:
        is_xml = member.filename.lower().endswith(XML_SUFFIXES)
        _drain(member_bytes(path, member, meter), _XmlCheck(name) if is_xml else _AnyBytes())
