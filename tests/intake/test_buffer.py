"""The areas beyond a region's edge: which they are, in which ring, and beside what they lie."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely
from pydantic import ValidationError
from region_factory import AREAS, ARRIVED, NORTH, put, receive, region_content, rows_of

from declarations.errors import StorageError
from declarations.region import Region
from geography.boundaries.neighbours import neighbours
from intake.admission import admit
from intake.buffer import BUFFER, NOTHING_BEYOND, SWITCHED_OFF, rings_of
from intake.reference import build_reference
from warehouse.workspace import Built, Workspace

Make = Callable[..., Workspace]
ONE, TWO, THREE, FOUR, FIVE, SIX = AREAS


def north_only(**region: Any) -> dict[str, dict[str, Any]]:
    """Return the declarations of a region of the three areas below, with the whole file beside."""
    content = region_content(expected_lsoas=3, **region)
    content["region.yaml"]["districts"] = [
        d for d in content["region.yaml"]["districts"] if d["lad24cd"] == NORTH
    ]
    del content["sources/south_cases.yaml"], content["agreements/DSA-TM-002.yaml"]
    return content


def build(mere: Workspace) -> Built:
    receive(mere, "areas")
    admit(mere, mere.declared.sources["areas"], "all")
    build_reference(mere, "areas")
    return build_reference(mere, "buffer")


def links(mere: Workspace) -> set[tuple[str, int, str, str, bool]]:
    return {
        (r["lsoa21cd"], r["ring"], r["neighbour_lsoa21cd"], r["kind"], r["in_region"])
        for r in rows_of(mere, BUFFER)
    }


def test_the_areas_beyond_and_their_neighbours_on_both_sides(make_mere: Make) -> None:
    # FOUR FIVE SIX lie above ONE TWO THREE, which are the region.
    mere = make_mere(north_only())

    assert build(mere).outcome == "built"

    assert links(mere) == {
        (FOUR, 1, ONE, "border", True), (FOUR, 1, TWO, "corner", True),
        (FOUR, 1, FIVE, "border", False),
        (FIVE, 1, TWO, "border", True), (FIVE, 1, ONE, "corner", True),
        (FIVE, 1, THREE, "corner", True), (FIVE, 1, FOUR, "border", False),
        (FIVE, 1, SIX, "border", False),
        (SIX, 1, THREE, "border", True), (SIX, 1, TWO, "corner", True),
        (SIX, 1, FIVE, "border", False),
    }  # fmt: skip


def test_a_region_that_ends_with_the_boundary_file_has_none(mere: Workspace) -> None:
    found = build(mere)

    assert (found.outcome, found.reason) == ("absent", NOTHING_BEYOND)


def test_areas_of_the_file_that_touch_the_region_nowhere_are_no_buffer(make_mere: Make) -> None:
    mere = make_mere(north_only())
    path: Path = mere.landing / "areas" / "areas.geojson"
    content = json.loads(path.read_text(encoding="utf-8"))
    for feature in content["features"][3:]:
        ring = feature["geometry"]["coordinates"][0]
        feature["geometry"]["coordinates"] = [[[x, y + 5000] for x, y in ring]]
    put(mere.landing, "areas", path.name, [json.dumps(content)], day=ARRIVED + dt.timedelta(1))

    found = build(mere)

    assert (found.outcome, found.reason) == ("absent", NOTHING_BEYOND)


def test_0_rings_switch_it_off(make_mere: Make) -> None:
    found = build(make_mere(north_only(buffer_rings=0)))

    assert (found.outcome, found.reason) == ("absent", SWITCHED_OFF)


def test_it_is_made_again_only_when_something_it_is_made_of_changes(make_mere: Make) -> None:
    mere = make_mere(north_only())
    assert build(mere).outcome == "built"
    assert build(mere).outcome == "current"
    path: Path = mere.landing / "areas" / "areas.geojson"
    text = path.read_text(encoding="utf-8").replace("Testmere 003A", "Testmere 003C")
    put(mere.landing, "areas", path.name, [text], day=ARRIVED + dt.timedelta(1))

    assert build(mere).outcome == "built"


def test_without_the_areas_it_is_said_what_is_missing(make_mere: Make) -> None:
    mere = make_mere(north_only())
    receive(mere, "areas")
    admit(mere, mere.declared.sources["areas"], "all")

    with pytest.raises(StorageError, match="areas are missing"):
        build_reference(mere, "buffer")


def test_without_boundaries_there_is_none(make_mere: Make) -> None:
    assert build_reference(make_mere(north_only()), "buffer").outcome == "absent"


@pytest.mark.parametrize(
    ("rings", "expected"),
    [
        (1, {"A": 0, "B": 0, "C": 1}),
        (2, {"A": 0, "B": 0, "C": 1, "D": 2}),
        (9, {"A": 0, "B": 0, "C": 1, "D": 2, "E": 3}),
    ],
)
def test_a_ring_is_the_number_of_steps_from_the_region(
    rings: int, expected: dict[str, int]
) -> None:
    # Five squares in a row, the first two of them the region.
    row = geopandas.GeoDataFrame(
        {"lsoa21cd": list("ABCDE")},
        geometry=[shapely.box(x, 0, x + 1, 1) for x in range(5)],
        crs=27700,
    )

    found = neighbours(row, region={"A", "B"}, orders=rings)

    assert dict(zip(found.codes, rings_of(found).tolist(), strict=True)) == expected


@pytest.mark.parametrize("rings", [-1, 6])
def test_rings_beyond_reason_are_refused(rings: int) -> None:
    content = region_content(buffer_rings=rings)["region.yaml"]

    with pytest.raises(ValidationError, match="buffer_rings"):
        Region.model_validate(content)


def test_one_ring_is_the_default() -> None:
    assert Region.model_validate(region_content()["region.yaml"]).buffer_rings == 1
