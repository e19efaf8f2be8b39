"""The release bundle: every file of one release, written into an empty folder.

Belongs here: which files there are and in which order they are made, the manifest last.
Does not belong here: any one format (its own module), or putting the folder in place (the caller
renames it, so that a release is whole or not there).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from declarations.errors import StorageError
from declarations.region import Region
from publishing.conform import conform_all
from publishing.csv_files import write_csv_files
from publishing.dictionary import QUALITY_TABLES
from publishing.duckdb_file import write_duckdb
from publishing.facts import ReleaseFacts, synthetic_words
from publishing.geopackage import areas_with_borders, write_geopackage
from publishing.manifest import MANIFEST_NAME, write_manifest
from publishing.map_page import map_page
from publishing.parquet_files import write_parquet_files
from publishing.quality_page import QualityFacts, quality_page

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

DUCKDB_NAME = "lsoalink.duckdb"
GEOPACKAGE_NAME = "lsoalink.gpkg"
MAP_NAME = "map.html"
QUALITY_NAME = "quality.html"


def about_release(region: Region, release: ReleaseFacts) -> dict[str, str]:
    """Return the facts every file carries, as text."""
    return {
        "release_id": release.release_id,
        "title": release.title,
        "region": region.title,
        "period": release.period_label,
        "as_of": release.as_of.isoformat(),
        "publisher": region.publication.publisher,
        "contact": region.publication.contact,
        "licence": release.licence,
        "attribution": " ".join(release.attribution),
        "disclosure_profile": release.profile,
        "code_version": release.code_version,
        "synthetic": synthetic_words(region, release),
    }


def write_bundle(
    folder: Path,
    tables: Mapping[str, pa.Table],
    boundaries: gpd.GeoDataFrame,
    region: Region,
    release: ReleaseFacts,
    extra_files: Mapping[str, bytes] | None = None,
) -> dict[str, str]:
    """Write every file of a release and its manifest.

    Parameters
    ----------
    folder : Path
        Empty, or not there yet. The caller renames it into place.
    tables : mapping of str to pyarrow.Table
        The release tables, already protected. The quality tables ``deliveries``, ``decisions``
        and ``checks`` may be given too: they feed the quality page, which in a release shows
        outcomes and reasons but no count of theirs, and are written to no other file.
    boundaries : geopandas.GeoDataFrame
        ``lsoa21cd`` and geometry in EPSG:27700; areas the release does not name are ignored.
    region : Region
        Its declaration.
    release : ReleaseFacts
        What the release says of itself.
    extra_files : mapping of str to bytes, optional
        Further files by name, for example the disclosure certificate, under the same manifest.

    Returns
    -------
    dict of str to str
        File name relative to ``folder`` -> SHA-256.

    Raises
    ------
    StorageError
        If the folder is not empty, or a table is missing or malformed.
    DisclosureError
        If a table holds an undeclared column or shows a figure marked hidden.
    GeographyError
        If an area has no boundary or more than one.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StorageError(
            f"The folder {folder.name} is not empty", "Write a release into a new folder"
        )
    ready = conform_all(tables)
    quality = {name: tables[name] for name in QUALITY_TABLES if name in tables}
    borders = areas_with_borders(ready["areas"], boundaries)
    about = about_release(region, release)
    (folder / "parquet").mkdir(parents=True)
    (folder / "csv").mkdir()
    write_duckdb(folder / DUCKDB_NAME, ready, about, about["synthetic"])
    write_parquet_files(folder / "parquet", ready, about)
    write_csv_files(folder / "csv", ready)
    write_geopackage(folder / GEOPACKAGE_NAME, ready, borders, about, release.as_of)
    pages = {
        MAP_NAME: map_page(ready, borders, region, release),
        QUALITY_NAME: quality_page(
            {**quality, "lineage": ready["lineage"]},
            QualityFacts.of_release(region, release),
            published=True,
        ),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    for name, content in (extra_files or {}).items():
        _write_extra(folder, name, content)
    return write_manifest(folder, release, ready["lineage"], about["synthetic"])


def _write_extra(folder: Path, name: str, content: bytes) -> None:
    target = folder / name
    if Path(name).name != name or name == MANIFEST_NAME or target.exists():
        raise StorageError(
            f"{name} cannot be added to the release", "Use a plain name no other file has"
        )
    target.write_bytes(content)
