"""The neighbours of a region's areas, those beyond its edge too."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from region_factory import AREAS, ARRIVED, NORTH, put, receive, region_content, rows_of

from declarations.errors import StorageError
from intake.admission import admit
from intake.neighbours import NEIGHBOURS, neighbours_query
from intake.reference import AREAS as AREAS_TABLE
from intake.reference import build_reference
from intake.reference_plan import MADE_AFTER, inputs_of, reference_roles
from warehouse.workspace import Built, Workspace

Make = Callable[..., Workspace]
ONE, TWO, THREE, FOUR, FIVE, SIX = AREAS


def build(mere: Workspace) -> Built:
    receive(mere, "areas")
    admit(mere, mere.declared.sources["areas"], "all")
    build_reference(mere, "areas")
    return build_reference(mere, "neighbours")


def found(mere: Workspace) -> dict[tuple[str, str], tuple[str, int, bool]]:
    return {
        (r["lsoa21cd"], r["neighbour_lsoa21cd"]): (r["kind"], r["border_metres"], r["in_region"])
        for r in rows_of(mere, NEIGHBOURS)
    }


def move(mere: Workspace, code: str, east: float, *, days: int = 0) -> None:
    """Move one area of the boundary file to the east; the file arrives so many days later."""
    path: Path = mere.landing / "areas" / "areas.geojson"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for feature in content["features"]:
        if feature["properties"]["lsoa21cd"] == code:
            ring = feature["geometry"]["coordinates"][0]
            feature["geometry"]["coordinates"] = [[[x + east, y] for x, y in ring]]
    put(mere.landing, "areas", path.name, [json.dumps(content)], day=ARRIVED + dt.timedelta(days))


def test_a_region_has_the_table_after_its_areas(mere: Workspace) -> None:
    roles = reference_roles(mere.declared)

    assert roles.index("areas") < roles.index("neighbours")
    assert MADE_AFTER["neighbours"] == ("areas",)
    assert [s.id for s in inputs_of(mere.declared, "neighbours")] == ["areas"]


def test_squares_have_borders_and_corners(mere: Workspace) -> None:
    # Two rows of three squares of one kilometre: ONE TWO THREE below FOUR FIVE SIX.
    build(mere)

    links = found(mere)

    assert {b: how for (a, b), how in links.items() if a == TWO} == {
        ONE: ("border", 1000, True), THREE: ("border", 1000, True), FIVE: ("border", 1000, True),
        FOUR: ("corner", 0, True), SIX: ("corner", 0, True),
    }  # fmt: skip
    assert {(b, a) for a, b in links} == set(links)
    assert all(a != b for a, b in links)


def test_the_neighbours_beyond_the_edge_are_there(make_mere: Make) -> None:
    content = region_content(expected_lsoas=3)
    content["region.yaml"]["districts"] = [
        d for d in content["region.yaml"]["districts"] if d["lad24cd"] == NORTH
    ]
    del content["sources/south_cases.yaml"], content["agreements/DSA-TM-002.yaml"]
    mere = make_mere(content)
    build(mere)

    links = found(mere)

    assert {a for a, _ in links} == {ONE, TWO, THREE}
    assert links[ONE, FOUR] == ("border", 1000, False)
    assert links[ONE, FIVE] == ("corner", 0, False)
    assert links[ONE, TWO] == ("border", 1000, True)


def test_an_island_has_its_nearest_area(mere: Workspace) -> None:
    move(mere, SIX, 5000)
    build(mere)

    links = found(mere)

    assert {pair: how for pair, how in links.items() if SIX in pair} == {
        (SIX, THREE): ("nearest", 0, True), (THREE, SIX): ("nearest", 0, True),
    }  # fmt: skip


def test_borders_torn_by_rounding_are_borders_and_wider_gaps_are_not(mere: Workspace) -> None:
    move(mere, SIX, 0.9)
    build(mere)
    kinds = {pair: kind for pair, (kind, _, _) in found(mere).items()}
    assert kinds[FIVE, SIX] == "border"

    move(mere, SIX, 0.3, days=1)
    build(mere)
    assert (FIVE, SIX) not in found(mere)


def test_the_table_is_made_again_only_when_the_boundaries_change(mere: Workspace) -> None:
    assert build(mere).outcome == "built"
    assert build(mere).outcome == "current"
    move(mere, SIX, 5000, days=1)
    assert build(mere).outcome == "built"


def test_without_the_areas_it_is_said_what_is_missing(mere: Workspace) -> None:
    with (
        mere.connect(encryption=True) as connection,
        pytest.raises(StorageError, match="areas are missing"),
    ):
        neighbours_query(connection, mere, AREAS_TABLE, mere.declared.sources["areas"])
