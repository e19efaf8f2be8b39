"""The region's areas and lookups: cut to the region, and stopped where they contradict it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from region_factory import (
    AREAS,
    CHANGES,
    NORTH,
    POSTCODES,
    RESIDENTS,
    put,
    receive,
    region_content,
    rows_of,
)

from declarations.errors import ConfigurationError, GeographyError
from intake.admission import admit
from intake.locator import point_locator
from intake.reference import build_reference, known_lsoas_sql, reference_table
from intake.reference_plan import inputs_of, reference_roles, roles_of
from warehouse.workspace import Built, Workspace

Make = Callable[..., Workspace]


def build(mere: Workspace, role: str) -> Built:
    for source in inputs_of(mere.declared, role):
        receive(mere, source.id)
        admit(mere, source, "all")
    return build_reference(mere, role)


def rows(mere: Workspace, role: str) -> list[dict[str, Any]]:
    return rows_of(mere, reference_table(role))


def test_the_roles_a_region_has_in_their_order(mere: Workspace) -> None:
    assert reference_roles(mere.declared) == [
        "areas", "lsoa_changes", "postcodes", "area_lookups", "neighbours", "buffer",
    ]  # fmt: skip
    assert [s.id for s in inputs_of(mere.declared, "lsoa_changes")] == [
        "changes", "areas", "residents",
    ]  # fmt: skip
    cases, visits = (mere.declared.contracts[c] for c in ("mere_cases", "mere_visits"))
    assert roles_of(mere.declared, cases) == ["areas", "lsoa_changes", "postcodes"]
    assert roles_of(mere.declared, visits) == ["areas", "lsoa_changes"]
    assert roles_of(mere.declared, mere.declared.contracts["mere_areas"]) == []


def test_the_areas_carry_their_msoa_and_district(mere: Workspace) -> None:
    assert build(mere, "areas").rows == len(AREAS)

    found = {r["lsoa21cd"]: r for r in rows(mere, "areas")}
    for code, (name, msoa, lad) in AREAS.items():
        row = found[code]
        assert (row["lsoa21nm"], row["msoa21cd"], row["lad24cd"]) == (name, msoa, lad)
        assert row["msoa21nm"] == name[:-1]
        assert row["lad24nm"] == (
            "North Mere (synthetic)" if lad == NORTH else "South Mere (synthetic)"
        )
        assert row["wd24cd"] is None
    with mere.connect(encryption=True) as con:
        known = con.execute(f"{known_lsoas_sql(mere)} ORDER BY 1").fetchall()
    assert [code for (code,) in known] == list(AREAS)


def test_a_point_is_found_in_its_area(mere: Workspace) -> None:
    build(mere, "areas")

    assert point_locator(mere).epsg == 27700
    assert point_locator(mere) is point_locator(mere)


def test_the_areas_of_other_districts_are_left_out(make_mere: Make) -> None:
    content = region_content(expected_lsoas=3)
    content["region.yaml"]["districts"] = content["region.yaml"]["districts"][:1]
    for name in ("sources/south_cases.yaml", "agreements/DSA-TM-002.yaml"):
        del content[name]

    mere = make_mere(content)

    assert build(mere, "areas").rows == 3
    assert {r["lad24cd"] for r in rows(mere, "areas")} == {NORTH}


def test_another_number_of_areas_than_expected_stops(make_mere: Make) -> None:
    with pytest.raises(GeographyError, match=r"are 6 LSOAs, and region\.yaml expects 7"):
        build(make_mere(region_content(expected_lsoas=7)), "areas")


def test_a_district_without_areas_stops(make_mere: Make) -> None:
    content = region_content()
    content["region.yaml"]["districts"].append({"lad24cd": "E08990003", "name": "Sea"})

    with pytest.raises(GeographyError, match="Only 2 of the 3 districts"):
        build(make_mere(content), "areas")


def test_an_area_without_msoa_stops(mere: Workspace) -> None:
    path = mere.landing / "areas" / "areas.geojson"
    content = json.loads(path.read_text())
    content["features"][0]["properties"]["msoa21cd"] = None
    put(mere.landing, "areas", "areas.geojson", [json.dumps(content)])

    with pytest.raises(GeographyError, match="1 LSOAs of testmere have no MSOA"):
        build(mere, "areas")


def test_a_region_whose_areas_never_came_says_where_to_put_them(make_mere: Make) -> None:
    with pytest.raises(ConfigurationError, match="has no areas: areas was not delivered"):
        build(make_mere(leave_out=("areas",)), "areas")


@pytest.mark.parametrize(
    ("role", "source"), [("postcodes", "postcodes"), ("lsoa_changes", "changes")]
)
def test_another_lookup_that_never_came_is_absent(make_mere: Make, role: str, source: str) -> None:
    built = build(make_mere(leave_out=(source,)), role)

    assert built.outcome == "absent"
    assert f"{source} was not delivered" in built.reason


def test_split_areas_are_weighed_by_their_residents(mere: Workspace) -> None:
    build(mere, "lsoa_changes")

    found = {
        (r["lsoa11cd"], r["lsoa21cd"]): (r["chgind"], r["weight"])
        for r in rows(mere, "lsoa_changes")
    }
    assert found == {
        (old, new): (kind, RESIDENTS[new] if kind == "S" else 1) for old, new, kind in CHANGES
    }


def test_a_lookup_that_contradicts_itself_stops(mere: Workspace) -> None:
    alone = [c for c in CHANGES if c[1] != "E01990003"]  # a split with one child
    put(mere.landing, "changes", "changes.csv", ["lsoa11cd,lsoa21cd,chgind", *map(",".join, alone)])

    with pytest.raises(GeographyError, match=r"split \(S\) pairs"):
        build(mere, "lsoa_changes")


def test_a_lookup_that_lacks_an_area_of_the_region_stops(mere: Workspace) -> None:
    short = [c for c in CHANGES if c[1] != "E01990006"]  # an unchanged area, so nothing contradicts
    put(mere.landing, "changes", "changes.csv", ["lsoa11cd,lsoa21cd,chgind", *map(",".join, short)])

    with pytest.raises(GeographyError, match="incomplete: it lacks 1 of the 6 areas of 2021"):
        build(mere, "lsoa_changes")


def test_postcodes_are_taken_over(mere: Workspace) -> None:
    build(mere, "postcodes")

    assert {r["pcds"]: r["lsoa21cd"] for r in rows(mere, "postcodes")} == POSTCODES


def test_a_reference_table_is_made_again_only_when_its_source_changes(mere: Workspace) -> None:
    outcomes = [build(mere, "postcodes").outcome, build(mere, "postcodes").outcome]
    path = mere.landing / "postcodes" / "postcodes.csv"
    put(
        mere.landing,
        "postcodes",
        "postcodes.csv",
        [*path.read_text().splitlines(), "TM3 1AA,200001,,E01990001"],
    )

    outcomes.append(build(mere, "postcodes").outcome)

    assert outcomes == ["built", "current", "built"]
