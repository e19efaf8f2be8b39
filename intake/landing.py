"""What lies in a landing folder, and which period each file is for.

Belongs here: matching names to a source's pattern, periods, order of arrival.
Does not belong here: opening a file (``safety``), keeping it (``received``).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from declarations.base import period_of
from declarations.contracts import Contract, Source

STILL_WRITTEN = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
LITTER = ("thumbs.db", "desktop.ini")
PACKAGE_SUFFIX = ".lsoalink.zip"
"""Behind the name of a file in place of which a package of an agency's own lsoalink is sent."""
COMPRESSED = (PACKAGE_SUFFIX, ".gz", ".zip")
COPY_MARK = r"(?: ?\(\d{1,2}\)| - copy(?: \(\d{1,2}\))?)?"
"""What a browser or a file manager adds to the name of a second copy."""

PERIOD = r"(?P<period>\d{4}-(?:0[1-9]|1[0-2]))"
TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
SUFFIXES = {
    "csv": TEXT_SUFFIXES,
    "xlsx": (".xlsx", ".xlsm"),
    "parquet": (".parquet",),
    "boundaries": (".geojson", ".json", ".gpkg", ".fgb", ".parquet", ".shp", ".gml", ".kml"),
}
"""Suffixes of each format of a contract, for names that a wildcard lets end in anything."""


@dataclass(frozen=True)
class Found:
    """One file in a landing folder.

    Attributes
    ----------
    path : Path
    period : str or None
        ``YYYY-MM``; None for a source delivered once, or where the name is not known.
    reason : str or None
        Why it cannot be taken: ``unknown_name``, ``future_period`` or ``out_of_calendar``.
    """

    path: Path
    period: str | None
    reason: str | None = None


def name_pattern(source: Source, contract: Contract) -> re.Pattern[str]:
    """Return the regular expression of the file names of a source, without regard to case."""
    stem, dot, suffix = source.files.rpartition(".")
    if not dot:
        stem, suffix = source.files, ""
    pieces = re.split(r"(\{period\}|\*)", stem)
    body = "".join(
        PERIOD if p == "{period}" else "[^/]*" if p == "*" else re.escape(p) for p in pieces
    )
    if "*" in suffix or "{period}" in suffix or not suffix:
        endings = SUFFIXES[contract.format.type]
        end = f"(?:{'|'.join(re.escape(e) for e in endings)})"
    else:
        end = re.escape(f".{suffix}")
    packed = "|".join(re.escape(c) for c in COMPRESSED)
    return re.compile(f"^{body}{COPY_MARK}{end}(?:{packed})?$", re.IGNORECASE)


def discover(
    folder: Path,
    source: Source,
    first_period: str,
    last_period: str | None,
    today: dt.date,
    contract: Contract,
    *,
    shared: bool = False,
) -> list[Found]:
    """List the files a source has in its landing folder.

    Parameters
    ----------
    folder : Path
        The landing folder of the source, or one file of a source delivered once. A folder that
        does not exist holds nothing.
    source : Source
    first_period, last_period : str, str or None
        The region's calendar.
    today : datetime.date
        The day the region's calendar stands at; a later month is in the future.
    contract : Contract
    shared : bool, default False
        The folder holds files of other sources too, as a folder of published files does: a name
        that does not follow the source's pattern is then somebody else's, and left out.

    Returns
    -------
    list of Found
        By period, then by time of last change, then by name: the order of versions. Files that
        are still being written are not in it.
    """
    pattern = name_pattern(source, contract)
    if folder.is_file():
        candidates = [folder]
    elif folder.is_dir():
        candidates = [p for p in folder.iterdir() if not _to_ignore(p)]
    else:
        candidates = []
    found = []
    for path in candidates:
        match = pattern.match(path.name)
        if not match and (shared or path.is_dir()):
            continue
        period = match.groupdict().get("period") if match else None
        reason = _reason(match is not None, period, first_period, last_period, today)
        found.append(Found(path, period, reason))
    return sorted(found, key=_order)


def _to_ignore(path: Path) -> bool:
    name = path.name.lower()
    return name.startswith((".", "~$")) or name.endswith((*STILL_WRITTEN, "~")) or name in LITTER


def _reason(
    known: bool, period: str | None, first: str, last: str | None, today: dt.date
) -> str | None:
    if not known:
        return "unknown_name"
    if period is None:
        return None
    if period > period_of(today):
        return "future_period"
    if period < first or (last is not None and period > last):
        return "out_of_calendar"
    return None


def _order(found: Found) -> tuple[str, int, str]:
    return found.period or "", found.path.lstat().st_mtime_ns, found.path.name
