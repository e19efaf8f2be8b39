"""A Shapefile is several files; it arrives as one ZIP, and as nothing else."""

from __future__ import annotations

import datetime as dt
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas
import pytest
from region_factory import AREAS, receive, region_content, rows_of

from intake.admission import admit
from intake.containers import expanded
from intake.errors import UnsafeFileError
from intake.reference import build_reference, reference_table
from intake.safety import inspect_file
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]


@pytest.fixture
def parts(mere: Workspace, tmp_path: Path) -> dict[str, bytes]:
    """Return the files of a Shapefile of the region's areas, by ending."""
    content = json.loads((mere.landing / "areas" / "areas.geojson").read_text())
    frame = geopandas.GeoDataFrame.from_features(content["features"], crs=27700)
    folder = tmp_path / "shapes"
    folder.mkdir()
    frame.to_file(folder / "lsoa.shp")
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


def packed(path: Path, files: dict[str, bytes]) -> Path:
    """Write a ZIP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_region_takes_its_boundaries_from_a_zipped_shapefile(
    make_mere: Make, parts: dict[str, bytes]
) -> None:
    content = region_content()
    content["sources/areas.yaml"]["files"] = "lsoa.zip"
    mere = make_mere(content)
    path = packed(
        mere.landing / "areas" / "lsoa.zip",
        {f"LSOA/lsoa{ending}": part for ending, part in parts.items()}
        | {"LSOA/lsoa.sbn": b"index", "__MACOSX/._lsoa": b"litter"},
    )
    moment = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC).timestamp()
    os.utime(path, (moment, moment))
    source = mere.declared.sources["areas"]
    receive(mere, "areas")
    admit(mere, source, "all")

    assert build_reference(mere, "areas").rows == len(AREAS)
    assert [r["lsoa21cd"] for r in rows_of(mere, reference_table("areas"))] == sorted(AREAS)


def test_all_its_files_lie_side_by_side_while_it_is_read(
    tmp_path: Path, parts: dict[str, bytes]
) -> None:
    path = packed(tmp_path / "in" / "a.zip", {f"b{e}": content for e, content in parts.items()})
    assert inspect_file(path).ok
    work = tmp_path / "work"
    work.mkdir()
    with expanded(path, work) as plain:
        assert plain.name == "data.shp"
        assert {p.suffix for p in plain.parent.iterdir()} == set(parts)
        assert len(geopandas.read_file(plain)) == len(AREAS)
    assert list(work.iterdir()) == []


FAULTS = {
    "no table": ({".dbf": None}, r"without its \.dbf"),
    "no index": ({".shx": None, ".dbf": None}, r"without its \.shx and \.dbf"),
    "a file of another name": ({"other.csv": b"a,b"}, "1 files that are no part of it"),
    "a workbook beside it": ({".xlsx": b"PK"}, "1 files that are no part of it"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_anything_else_is_refused_with_the_fix(
    tmp_path: Path, parts: dict[str, bytes], fault: str
) -> None:
    changed, message = FAULTS[fault]
    files = {f"b{e}": content for e, content in parts.items()}
    for ending, content in changed.items():
        name = ending if ending.startswith("other") else f"b{ending}"
        if content is None:
            del files[name]
        else:
            files[name] = content
    path = packed(tmp_path / "a.zip", files)
    found = inspect_file(path)
    assert (found.ok, found.reason) == (False, "not_one_file")
    with pytest.raises(UnsafeFileError, match=message), expanded(path, tmp_path):
        pass


def test_two_shapefiles_are_two_files(tmp_path: Path, parts: dict[str, bytes]) -> None:
    files = {f"{name}{e}": content for e, content in parts.items() for name in "ab"}
    assert inspect_file(packed(tmp_path / "a.zip", files)).reason == "not_one_file"
