"""The long table of larger areas: every level of every LSOA, or a plain reason to stop."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from region_factory import (
    AREAS,
    NORTH,
    SOUTH,
    make_workspace,
    put,
    receive,
    region_content,
    rows_of,
    workspace_of,
)

from declarations.errors import GeographyError
from declarations.loader import load_region
from intake.admission import admit
from intake.area_lookups import AREA_LOOKUPS
from intake.reference import build_reference
from intake.reference_plan import inputs_of
from pipelines.regions import open_region
from pipelines.resources import open_workspace
from warehouse.workspace import Built, Workspace

OPEN_DATA = Path(
    os.environ.get("LSOALINK_OPEN_DATA", Path(__file__).parents[3] / "shared" / "open-data")
)
Make = Callable[..., Workspace]
Content = dict[str, dict[str, Any]]
CODES = list(AREAS)
WARDS = dict(zip(CODES, ["E05990001"] * 4 + ["E05990002"] * 2, strict=True))
LIST = {"id": "north-end", "title": "North End", "owner": "team:tests", "lsoas": CODES[:2]}


def build(mere: Workspace) -> Built:
    for role in ("areas", "area_lookups"):
        for source in inputs_of(mere.declared, role):
            receive(mere, source.id)
            admit(mere, source, "all")
        built = build_reference(mere, role)
    return built


def with_lookups(**lookups: dict[str, Any]) -> Content:
    """Return the region's declarations with sources that give levels of larger areas."""
    content = region_content()
    open_licence = content["agreements/OGL-TM-OPEN.yaml"]
    for name, contract in lookups.items():
        columns = [{"name": c} for c in contract.pop("names")]
        content[f"contracts/{name}.yaml"] = {
            "id": name, "title": name, "specification": "made up", "kind": "reference",
            "role": "area_lookups", "columns": columns, **contract,
        }  # fmt: skip
        content[f"sources/{name}.yaml"] = content["sources/changes.yaml"] | {
            "id": name, "contract": name, "files": f"{name}.csv",
        }  # fmt: skip
        kept = [{**c, "class": "reference", "action": "keep"} for c in columns]
        open_licence["sources"].append({"id": name, "columns": kept})
    return content


def wards() -> dict[str, Any]:
    return {
        "names": ["lsoa21cd", "wd24cd", "wd24nm"], "levels_of": "lsoa21cd", "key": ["lsoa21cd"],
        "levels": [{"level": "wd24", "code": "wd24cd", "name": "wd24nm", "fit": "best_fit"}],
    }  # fmt: skip


def forces() -> dict[str, Any]:
    return {
        "names": ["lad24cd", "pfa24cd"], "levels_of": "lad24cd", "key": ["lad24cd", "pfa24cd"],
        "levels": [{"level": "pfa24", "code": "pfa24cd", "fit": "exact"}],
    }  # fmt: skip


def ward_lines(pairs: dict[str, str]) -> list[str]:
    return [
        "lsoa21cd,wd24cd,wd24nm",
        *(f"{lsoa},{ward},Ward {ward[-1:]}" for lsoa, ward in pairs.items()),
    ]


def levels_of(mere: Workspace) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows_of(mere, AREA_LOOKUPS):
        found.setdefault(row["level"], set()).add(row["fit"])
    return found


def test_a_region_without_lookups_has_its_own_levels(mere: Workspace) -> None:
    assert build(mere).rows == 2 * len(AREAS)

    rows = rows_of(mere, AREA_LOOKUPS)
    assert levels_of(mere) == {"msoa21": {"exact"}, "lad24": {"exact"}}
    assert {r["lsoa21cd"] for r in rows if r["area_code"] == NORTH} == set(CODES[:3])
    assert {r["lsoas_outside"] for r in rows} == {0}


def test_a_lookup_by_lsoa_gives_its_level(make_mere: Make) -> None:
    mere = make_mere(with_lookups(wards=wards()))
    elsewhere = {"E01000001": "E05990002", "E01000002": "E05990009"}
    put(mere.landing, "wards", "wards.csv", ward_lines(WARDS | elsewhere))

    build(mere)

    rows = [r for r in rows_of(mere, AREA_LOOKUPS) if r["level"] == "wd24"]
    assert {r["lsoa21cd"]: r["area_code"] for r in rows} == WARDS
    assert {(r["area_code"], r["area_name"], r["fit"], r["source_id"]) for r in rows} == {
        ("E05990001", "Ward 1", "best_fit", "wards"), ("E05990002", "Ward 2", "best_fit", "wards"),
    }  # fmt: skip
    # The second ward has an LSOA that is not the region's, and it is said so.
    assert {r["area_code"]: r["lsoas_outside"] for r in rows} == {"E05990001": 0, "E05990002": 1}


def test_a_lookup_by_district_goes_through_the_district(make_mere: Make) -> None:
    mere = make_mere(with_lookups(forces=forces()))
    lines = ["lad24cd,pfa24cd", f"{NORTH},E23990001", f"{SOUTH},E23990002"]
    put(mere.landing, "forces", "forces.csv", [*lines, "E08000001,E23990002"])

    build(mere)

    rows = [r for r in rows_of(mere, AREA_LOOKUPS) if r["level"] == "pfa24"]
    assert {r["lsoa21cd"] for r in rows if r["area_code"] == "E23990001"} == set(CODES[:3])
    assert {r["fit"] for r in rows} == {"exact"}
    # Nobody knows how many LSOAs the district outside has, and nobody pretends to.
    assert {r["area_code"]: r["lsoas_outside"] for r in rows} == {
        "E23990001": 0, "E23990002": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (ward_lines(dict(list(WARDS.items())[1:])), "wards_wd24 has 1 lsoa21 missing"),
        (
            [*ward_lines(WARDS), f"{CODES[0]},E05990002,Ward 2"],
            "wards_wd24 has 1 of 6 lsoa21 in more than one wd24",
        ),
        (
            ward_lines(WARDS | {CODES[0]: "", CODES[1]: ""}),
            "wards_wd24 has 2 of 6 lsoa21 in no wd24",
        ),
    ],
)
def test_a_lookup_that_does_not_fit_the_region_stops(
    make_mere: Make, lines: list[str], message: str
) -> None:
    contract = wards()
    contract["key"] = []
    mere = make_mere(with_lookups(wards=contract))
    put(mere.landing, "wards", "wards.csv", lines)

    with pytest.raises(GeographyError, match=message):
        build(mere)


def test_a_district_in_two_areas_of_a_level_stops(make_mere: Make) -> None:
    mere = make_mere(with_lookups(forces=forces()))
    lines = ["lad24cd,pfa24cd", *(f"{lad},E23990001" for lad in (NORTH, SOUTH))]
    put(mere.landing, "forces", "forces.csv", [*lines, f"{SOUTH},E23990002"])

    with pytest.raises(GeographyError, match="1 of 2 lad24 in more than one pfa24"):
        build(mere)


def test_a_lookup_that_did_not_come_takes_only_its_level_away(make_mere: Make) -> None:
    mere = make_mere(with_lookups(wards=wards(), forces=forces()))
    put(mere.landing, "wards", "wards.csv", ward_lines(WARDS))

    assert build(mere).outcome == "built"
    assert set(levels_of(mere)) == {"msoa21", "lad24", "wd24"}


def with_area(area: dict[str, Any]) -> Content:
    return region_content() | {f"areas/{area['id']}.yaml": area}


def test_a_list_is_a_level_of_its_own(make_mere: Make) -> None:
    mere = make_mere(with_area(LIST))

    build(mere)

    rows = [r for r in rows_of(mere, AREA_LOOKUPS) if r["level"] == "custom"]
    assert [r["lsoa21cd"] for r in rows] == CODES[:2]
    assert {(r["area_code"], r["area_name"], r["fit"]) for r in rows} == {
        ("north-end", "North End", "exact")
    }


def test_areas_may_overlap(tmp_path: Path) -> None:
    content = with_area(LIST)
    content["areas/b.yaml"] = LIST | {"id": "b-end", "title": "B", "lsoas": CODES[1:3]}
    mere = make_workspace(tmp_path, content)

    build(mere)

    mine = [r["area_code"] for r in rows_of(mere, AREA_LOOKUPS) if r["lsoa21cd"] == CODES[1]]
    assert sorted(mine) == ["E02990001", "E08990001", "b-end", "north-end"]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (["E01990001", "E01980002"], r"1 of the 2 codes in areas/north-end\.yaml are of 2011"),
        (["E01999998", "E01999999"], r"2 of the 2 codes in areas/north-end\.yaml are no 2021 LSOA"),
    ],
)
def test_a_list_that_is_not_the_regions_stops(
    make_mere: Make, codes: list[str], message: str
) -> None:
    with pytest.raises(GeographyError, match=message):
        build(make_mere(with_area(LIST | {"lsoas": codes})))


def with_polygon(folder: Path, left: int, right: int) -> Workspace:
    """Make the region with an area over squares of its first row, from x to x in metres."""
    ring = [[left, 270_000], [right, 270_000], [right, 271_000], [left, 271_000], [left, 270_000]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    features = [{"type": "Feature", "properties": {}, "geometry": shape}]
    text = json.dumps({"type": "FeatureCollection", "crs": crs, "features": features})
    (folder / "region" / "areas").mkdir(parents=True, exist_ok=True)
    (folder / "region" / "areas" / "canal.geojson").write_text(text, encoding="utf-8")
    area = {"id": "canal", "title": "Canal", "owner": "team:tests", "polygon": "canal.geojson"}
    return make_workspace(folder, with_area(area))


def test_a_polygon_takes_the_lsoas_it_mostly_covers(tmp_path: Path) -> None:
    mere = with_polygon(tmp_path, 450_400, 452_400)

    build(mere)

    rows = [r for r in rows_of(mere, AREA_LOOKUPS) if r["level"] == "custom"]
    assert [r["lsoa21cd"] for r in rows] == CODES[:2]
    assert {(r["fit"], r["lsoas_outside"]) for r in rows} == {("best_fit", 0)}


def test_a_polygon_that_leaves_the_region_says_so(tmp_path: Path) -> None:
    mere = with_polygon(tmp_path, 449_000, 451_000)

    build(mere)

    rows = [r for r in rows_of(mere, AREA_LOOKUPS) if r["level"] == "custom"]
    assert [(r["lsoa21cd"], r["lsoas_outside"]) for r in rows] == [(CODES[0], None)]


def test_a_polygon_outside_the_region_stops_and_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(GeographyError, match=r"areas/canal\.yaml lies outside all"):
        build(with_polygon(tmp_path, 500_000, 501_000))


def test_a_polygon_that_leads_to_another_file_stops(tmp_path: Path) -> None:
    mere = with_polygon(tmp_path, 450_000, 451_000)
    border = tmp_path / "region" / "areas" / "canal.geojson"
    moved = border.rename(tmp_path / "other.geojson")
    layer = f'<OGRVRTLayer name="b"><SrcDataSource>{moved}</SrcDataSource></OGRVRTLayer>'
    border.write_text(f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>", encoding="utf-8")

    with pytest.raises(GeographyError, match=r"canal\.geojson cannot be read"):
        build(mere)


def test_the_table_follows_its_polygon_and_is_else_left_alone(tmp_path: Path) -> None:
    mere = with_polygon(tmp_path, 450_000, 451_000)
    assert build(mere).outcome == "built"
    assert build(mere).outcome == "current"

    mere = with_polygon(tmp_path, 450_000, 452_000)
    assert build(mere).outcome == "built"


def test_an_area_that_is_removed_leaves_the_table(tmp_path: Path) -> None:
    mere = make_workspace(tmp_path, with_area(LIST))
    build(mere)
    (tmp_path / "region" / "areas" / "north-end.yaml").unlink()

    again = workspace_of(tmp_path, load_region(tmp_path / "region"), tmp_path / "landing")

    assert build(again).outcome == "built"
    assert "custom" not in levels_of(again)


@pytest.mark.open_data
@pytest.mark.skipif(not OPEN_DATA.is_dir(), reason="the folder of real open data is not here")
def test_the_published_lookups_cover_the_west_midlands(tmp_path: Path) -> None:
    workspace = open_workspace(open_region("west-midlands"), tmp_path, OPEN_DATA)
    workspace.prepare()

    build(workspace)

    rows = rows_of(workspace, AREA_LOOKUPS)
    by_level: dict[str, set[str]] = {}
    for row in rows:
        by_level.setdefault(row["level"], set()).add(row["lsoa21cd"])
    assert {level: len(codes) for level, codes in by_level.items()} == dict.fromkeys(
        ("csp24", "icb24", "lad24", "msoa21", "pcon24", "pfa24", "rgn24", "sicbl24", "wd24"), 1719
    )
    outside = {r["area_name"]: r["lsoas_outside"] for r in rows if r["level"] in ("icb24", "pfa24")}
    # The force is exactly the seven districts; one care board reaches into Warwickshire.
    assert outside["West Midlands"] == 0
    assert [name for name, count in outside.items() if count] == [
        "NHS Coventry and Warwickshire Integrated Care Board"
    ]
