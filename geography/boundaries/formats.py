"""Whether a file of borders is of the format its ending says.

Belongs here: the check that comes before the reading library opens a file. Does not belong here:
reading the shapes (`reading`), or their coordinate system (`crs`).

The reading library (GDAL) goes by a file's content, not by its ending, and some of its formats name
other files or addresses on the network, which it then opens: a virtual layer (VRT), a pipeline
(GDALG), a coordinate system given as a link. A delivered file must never lead it there.
"""

from __future__ import annotations

import json
import mmap
import re
from typing import TYPE_CHECKING

from declarations.errors import GeographyError
from geography.boundaries.crs import GEOJSON, GEOPARQUET

if TYPE_CHECKING:
    from pathlib import Path

HEAD_BYTES = 64
BOM = b"\xef\xbb\xbf"
FIRST_BYTES = {
    ".gpkg": (b"SQLite format 3\0", "a GeoPackage"),
    ".fgb": (b"fgb", "FlatGeobuf"),
    ".shp": (b"\x00\x00\x27\x0a", "a Shapefile"),
} | dict.fromkeys(GEOPARQUET, (b"PAR1", "GeoParquet"))
"""First bytes of each format, by the specification of each, and its name."""

PIPELINE = re.compile(rb"gdal_streamed_alg")


def _spelled(word: str) -> bytes:
    # JSON may spell a letter by its number.
    return b"".join(rb"(?:%c|\\u%04x)" % (letter, letter) for letter in word.encode())


CRS_MEMBER = re.compile(rb"[\"']" + _spelled("crs") + rb"[\"']\s*(?P<next>.?)\s*", re.DOTALL)
LONGEST_CRS = 20_000
"""Bytes of a description of a coordinate system; the longest of EPSG has some 8,000 as text."""
LINKS = frozenset({"link", "url"})


def check_format(path: Path) -> None:
    """Refuse a file of borders whose content is not what its ending says.

    Parameters
    ----------
    path : pathlib.Path
        A file that is there. An ending that is none of GeoJSON, GeoPackage, FlatGeobuf, Shapefile
        and GeoParquet is refused.

    Raises
    ------
    GeographyError
        If the first bytes are of another format, or GeoJSON names something to open elsewhere.
    """
    suffix = path.suffix.lower()
    if suffix not in GEOJSON | set(FIRST_BYTES):
        raise GeographyError(
            f"{path.name} cannot be read as geometry: its ending is of no format that is read",
            "Give GeoJSON, GeoPackage, Shapefile, FlatGeobuf or GeoParquet",
        )
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if suffix in GEOJSON:
            start, name = b"{", "GeoJSON"
            head = head.removeprefix(BOM).lstrip()
        else:
            start, name = FIRST_BYTES[suffix]
        if not head.startswith(start):
            raise GeographyError(
                f"{path.name} cannot be read as geometry: it is not {name}, as its ending says",
                "Save it again as GeoJSON, GeoPackage, FlatGeobuf or GeoParquet",
            )
        if suffix in GEOJSON:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _check_no_way_out(content, path)


def _check_no_way_out(content: mmap.mmap, path: Path) -> None:
    leads = PIPELINE.search(content) is not None
    for member in CRS_MEMBER.finditer(content):
        if member["next"] in {b",", b"}", b"]", b""}:
            # The letters stand as a value.
            continue
        value = content[member.end() : member.end() + LONGEST_CRS]
        leads = leads or member["next"] != b":" or _is_link(value)
    if leads:
        raise GeographyError(
            f"{path.name} cannot be read as geometry: it names something elsewhere to be opened",
            "Write the shapes into the file itself, and the coordinate system as an EPSG number",
        )


def _is_link(text: bytes) -> bool:
    """Whether a ``crs`` member is a link, or cannot be told."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.decode(errors="replace"))
    except ValueError:
        return True
    return isinstance(value, dict) and str(value.get("type")).lower() in LINKS
