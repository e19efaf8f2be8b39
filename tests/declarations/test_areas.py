"""``areas/*.yaml``: what a custom area must be, and the checks between the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from region_factory import region_content, write_region

from declarations.areas import CustomArea
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from declarations.loader import load_region

LIST = {"id": "north-end", "title": "North End", "owner": "team:tests", "lsoas": ["E01990001"]}
POLYGON = {"id": "canal", "title": "Canal", "owner": "team:tests", "polygon": "canal.geojson"}


UNPRINTABLE = "\x00\x1b\x7f\x85\x9f\u2028\u2029\ufffe\uffff"


def load(tmp_path: Path, **areas: dict[str, Any]) -> RegionDeclarations:
    content = region_content()
    content |= {f"areas/{name}.yaml": area for name, area in areas.items()}
    return load_region(write_region(tmp_path / "region", content))


def test_a_list_is_exact_and_a_polygon_a_best_fit() -> None:
    assert CustomArea.model_validate(LIST).fit == "exact"
    assert CustomArea.model_validate(POLYGON).fit == "best_fit"
    assert CustomArea.model_validate(POLYGON).rule == "most"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LIST | {"polygon": "x.geojson"}, "either lsoas or polygon"),
        ({k: v for k, v in LIST.items() if k != "lsoas"}, "either lsoas or polygon"),
        (LIST | {"lsoas": []}, "at least 1 item"),
        (LIST | {"lsoas": ["E01990001", "E02990001", "e01990002"]}, "2 of the lsoas are not codes"),
        (LIST | {"lsoas": ["E01990001"] * 3}, "2 of the lsoas stand there more than once"),
        (LIST | {"rule": "any"}, "rule and crs go with a polygon"),
        (LIST | {"id": "../x"}, "match pattern"),
        (LIST | {"id": "North"}, "match pattern"),
        (LIST | {"title": "two\nlines"}, "match pattern"),
        *((LIST | {"title": f"a{mark}b"}, "match pattern") for mark in UNPRINTABLE),
        *((LIST | {"owner": f"a{mark}b"}, "match pattern") for mark in UNPRINTABLE),
        *((LIST | {"description": f"a{mark}b"}, "match pattern") for mark in UNPRINTABLE),
        *((LIST | {key: "a\ud800b"}, "unicode") for key in ("title", "description", "owner")),
        (LIST | {"title": ""}, "at least 1 character"),
        (LIST | {"colour": "red"}, "Extra inputs"),
        (POLYGON | {"polygon": "../canal.geojson"}, "plain name"),
        (POLYGON | {"polygon": "/etc/canal.geojson"}, "plain name"),
        (POLYGON | {"polygon": "canal.shp"}, "plain name"),
        (POLYGON | {"rule": "half"}, "'most', 'centre' or 'any'|'centre', 'any' or 'most'"),
    ],
)
def test_what_is_no_area_is_refused(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CustomArea.model_validate(content)


def test_a_description_may_have_lines() -> None:
    assert CustomArea.model_validate(LIST | {"description": "a\n\tb \u00e9"})


def test_the_commands_read_a_region_whose_polygon_is_gone(tmp_path: Path) -> None:
    folder = write_region(tmp_path / "region", region_content() | {"areas/c.yaml": POLYGON})

    assert list(load_region(folder, polygons=False).areas) == ["canal"]
    with pytest.raises(ConfigurationError, match=r"lsoalink area remove .*region canal"):
        load_region(folder)


def test_a_region_reads_its_areas(tmp_path: Path) -> None:
    declared = load(tmp_path, one=LIST, two=LIST | {"id": "south-end", "title": "South End"})

    assert list(declared.areas) == ["north-end", "south-end"]
    assert declared.files["areas/north-end"].name == "one.yaml"


def test_a_region_without_areas_has_none(tmp_path: Path) -> None:
    assert load(tmp_path).areas == {}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (LIST | {"title": "Other"}, "id north-end is already taken"),
        (LIST | {"id": "other", "title": "NORTH END"}, "the area north-end has the same title"),
        (POLYGON, r"there is no file canal\.geojson beside it"),
    ],
)
def test_areas_that_contradict_each_other_are_refused(
    tmp_path: Path, other: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load(tmp_path, one=LIST, two=other)


def lookup(identifier: str, **more: Any) -> dict[str, Any]:
    return {
        "id": identifier, "title": identifier, "specification": "made up", "kind": "reference",
        "role": "area_lookups", "levels_of": "lsoa21cd", "key": ["lsoa21cd"],
        "levels": [{"level": "wd24", "code": "wd24cd", "fit": "best_fit"}],
        "columns": [{"name": "lsoa21cd"}, {"name": "wd24cd"}], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": []}, "levels_of and levels go with role"),
        ({"levels_of": None}, "levels_of and levels go with role"),
        ({"role": "uprns"}, "levels_of and levels go with role"),
        ({"columns": [{"name": "lsoa21cd"}, {"name": "ward"}]}, "not declared: .'wd24cd'"),
        ({"levels_of": "lad24cd"}, "not declared: .'lad24cd'"),
        (
            {"levels": [{"level": "lad24", "code": "wd24cd", "fit": "exact"}]},
            "lad24 come from the region's areas",
        ),
        (
            {"levels": [{"level": "custom", "code": "wd24cd", "fit": "exact"}]},
            r"levels\.0\.level: String should match",
        ),
        ({"levels": [{"level": "wd24", "code": "wd24cd"}]}, r"levels\.0\.fit: is missing"),
        (
            {"levels": [{"level": "wd24", "code": "wd24cd", "fit": "exact"}] * 2},
            "a level is named twice",
        ),
    ],
)
def test_a_lookup_says_which_column_is_which_level(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    content = region_content()
    content["contracts/wards.yaml"] = lookup("wards")
    load_region(write_region(tmp_path / "region", content))

    content["contracts/wards.yaml"] = lookup("wards", **change)
    with pytest.raises(ConfigurationError, match=message):
        load_region(write_region(tmp_path / "region", content))


def test_two_lookups_of_one_level_are_refused(tmp_path: Path) -> None:
    content = region_content()
    content["contracts/wards.yaml"] = lookup("wards")
    for name in ("ons_wards", "more_wards"):
        content[f"sources/{name}.yaml"] = content["sources/changes.yaml"] | {
            "id": name, "contract": "wards", "files": f"{name}.csv",
        }  # fmt: skip

    with pytest.raises(ConfigurationError, match="level wd24 is already given by the source"):
        load_region(write_region(tmp_path / "region", content))
