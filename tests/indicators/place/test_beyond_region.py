"""Figures of areas beyond the region: from which sources, counted and protected how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from region_factory import (
    AREAS,
    NORTH,
    PURPOSE,
    each,
    put,
    receive,
    region_content,
    rows_of,
)

from indicators.place.beyond import (
    FIGURES,
    build_buffer_figures,
    gives_figures_beyond,
    indicators_beyond,
)
from intake.admission import admit
from intake.reference import build_reference
from intake.reference_plan import reference_roles
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]
ONE, TWO, THREE, FOUR, FIVE, SIX = AREAS

RESIDENTS = [
    "lsoa,residents,aged",
    f"{ONE},1400,210", f"{TWO},1600,160", f"{THREE},1500,300",
    f"{FOUR},1288,203", f"{FIVE},1711,3", f"{SIX},1456,98",
]  # fmt: skip
SCORES = ["lsoa,score", f"{ONE},11.5", f"{FOUR},40.25", f"{FIVE},"]


def indicator(identifier: str, **more: Any) -> dict[str, Any]:
    return {
        "id": identifier, "name": f"made_up_{identifier.lower()}", "title": "Made up",
        "description": "Made up.", "rationale": "Made up.", "theme": "context", "unit": "%",
        "polarity": "none", "minimum_denominator": 0, "owner": "team:tests", "version": "1.0",
        "basis": "none", "sources": ["Made up for tests"], "purposes": [PURPOSE],
        "outputs": [{"level": level, "window": "latest"} for level in ("lsoa21",)], **more,
    }  # fmt: skip


def content(**region: Any) -> dict[str, dict[str, Any]]:
    """Return the region of the areas ONE, TWO and THREE, with two indicators from open data."""
    found = region_content(expected_lsoas=3, **region)
    found["region.yaml"]["districts"] = [
        d for d in found["region.yaml"]["districts"] if d["lad24cd"] == NORTH
    ]
    del found["sources/south_cases.yaml"], found["agreements/DSA-TM-002.yaml"]
    residents = found["contracts/mere_residents.yaml"]
    residents["columns"].append({"name": "aged", "type": "integer", "additive": True})
    residents["counts"].append(
        {"measure": "aged", "title": "Aged", "unit": "people", "additivity": "stock",
         "value": "aged"}
    )  # fmt: skip
    found["contracts/mere_scores.yaml"] = {
        "id": "mere_scores", "title": "Scores", "specification": "made up", "kind": "statistics",
        "key": ["lsoa"], "locate": {"by": ["lsoa"], "lsoa": "lsoa"},
        "columns": [{"name": "lsoa"}, {"name": "score", "type": "number"}],
    }  # fmt: skip
    found["sources/scores.yaml"] = {
        **found["sources/residents.yaml"], "id": "scores", "contract": "mere_scores",
        "files": "scores.csv", "period": "2025-10",
    }  # fmt: skip
    for source in found["agreements/OGL-TM-OPEN.yaml"]["sources"]:
        if source["id"] == "residents":
            source["columns"].append({"name": "aged", "class": "reference", "action": "keep"})
    found["agreements/OGL-TM-OPEN.yaml"]["sources"].append(
        {
            "id": "scores",
            "columns": [
                {"name": "lsoa", "class": "reference", "action": "generalise"},
                {"name": "score", "class": "reference", "action": "keep"},
            ],
        }
    )
    found["indicators/T05.yaml"] = indicator(
        "T05", kind="share", numerator="aged", denominator="residents", multiplier=100.0,
        additivity="stock", interval="wilson",
    )  # fmt: skip
    found["indicators/T06.yaml"] = indicator(
        "T06", kind="statistic", statistic="score", additivity="none", interval="none"
    )
    return found


def make(
    make_mere: Make,
    residents: list[str] | None = None,
    scores: list[str] | None = None,
    **region: Any,
) -> Workspace:
    mere = make_mere(content(**region))
    put(mere.landing, "residents", "residents.csv", residents or RESIDENTS)
    put(mere.landing, "scores", "scores.csv", scores or SCORES)
    receive(mere)
    for source, period in each(mere, "reference", "records", "values", "statistics"):
        admit(mere, source, period)
    for role in reference_roles(mere.declared):
        build_reference(mere, role)
    build_reference(mere, "buffer")
    return mere


def figures(mere: Workspace) -> dict[tuple[str, str], tuple[int | None, int | None, float]]:
    build_buffer_figures(mere)
    return {
        (r["indicator_id"], r["lsoa21cd"]): (r["numerator"], r["denominator"], r["value"])
        for r in rows_of(mere, FIGURES)
    }


def test_areas_beyond_are_counted_and_protected_as_the_regions_own(make_mere: Make) -> None:
    mere = make(make_mere)

    # To the nearest 5, counts of 0 to 4 hidden: FIVE's three are, and so it has no figure.
    assert figures(mere) == {
        ("T05", FOUR): (205, 1290, pytest.approx(100 * 205 / 1290)),
        ("T05", SIX): (100, 1455, pytest.approx(100 * 100 / 1455)),
        ("T06", FOUR): (None, None, 40.25),
    }
    periods = {(r["indicator_id"], r["period_start"], r["period_end"])
               for r in rows_of(mere, FIGURES)}  # fmt: skip
    assert periods == {
        ("T05", dt.date(2021, 3, 1), dt.date(2021, 3, 31)),
        ("T06", dt.date(2025, 10, 1), dt.date(2025, 10, 31)),
    }


def test_an_area_the_file_does_not_reach_has_no_figure(make_mere: Make) -> None:
    clipped = [line for line in RESIDENTS if SIX not in line]

    assert set(figures(make(make_mere, clipped))) == {("T05", FOUR), ("T06", FOUR)}


def test_rows_of_2011_areas_are_brought_to_2021_as_within(make_mere: Make) -> None:
    # FIVE was made of two areas of 2011.
    old = [line for line in RESIDENTS if FIVE not in line]
    old += ["E01980005,900,21", "E01980006,811,30"]

    assert figures(make(make_mere, old))["T05", FIVE] == (
        50, 1710, pytest.approx(100 * 50 / 1710)
    )  # fmt: skip


def test_a_statistic_of_two_parts_of_an_area_is_none(make_mere: Make) -> None:
    scores = ["lsoa,score", f"{ONE},1.0", f"{FOUR},2.0", "E01980005,3.0", "E01980006,4.0"]

    assert {key for key in figures(make(make_mere, scores=scores)) if key[0] == "T06"} == {
        ("T06", FOUR)
    }


def test_only_open_data_with_a_row_for_each_area_may_serve(make_mere: Make) -> None:
    declared = make_mere(content()).declared

    assert {s.id for s in declared.sources.values() if gives_figures_beyond(declared, s)} == {
        "residents", "scores",
    }  # fmt: skip
    # T01 counts cases of an agreement, T03 visits of one district; T04 is made of both.
    assert [i.id for i in indicators_beyond(declared)] == ["T05", "T06"]


@pytest.mark.parametrize(
    "change",
    [
        {"sources/residents.yaml": {"lad24cd": NORTH}},
        {"contracts/mere_residents.yaml": {"kind": "records"}},
        {"contracts/mere_residents.yaml": {"locate": {"by": ["postcode"], "postcode": "lsoa"}}},
        {"contracts/mere_residents.yaml": {
            "locate": {"by": ["lsoa", "postcode"], "lsoa": "lsoa", "postcode": "lsoa"}}},
    ],
    ids=["one district's", "a list of events", "by postcode", "also by postcode"],
)  # fmt: skip
def test_what_may_not_serve(make_mere: Make, change: dict[str, dict[str, Any]]) -> None:
    changed = content()
    for name, keys in change.items():
        changed[name].update(keys)
    if change.get("contracts/mere_residents.yaml", {}).get("kind") == "records":
        for count in changed["contracts/mere_residents.yaml"]["counts"]:
            del count["value"]
    declared = make_mere(changed).declared

    assert not gives_figures_beyond(declared, declared.sources["residents"])


def test_without_a_buffer_there_are_no_figures(make_mere: Make) -> None:
    found = build_buffer_figures(make(make_mere, buffer_rings=0))

    assert (found.outcome, found.reason) == ("absent", "there are no areas beyond the region")


def test_what_did_not_come_gives_no_figures(make_mere: Make) -> None:
    mere = make_mere(content(), leave_out=("residents",))
    put(mere.landing, "scores", "scores.csv", SCORES)
    receive(mere)
    for source, period in each(mere, "reference", "records", "values", "statistics"):
        admit(mere, source, period)
    for role in reference_roles(mere.declared):
        build_reference(mere, role)
    build_reference(mere, "buffer")

    assert set(figures(mere)) == {("T06", FOUR)}


def test_the_table_is_made_again_only_when_a_delivery_changes(make_mere: Make) -> None:
    mere = make(make_mere)
    assert build_buffer_figures(mere).outcome == "built"
    assert build_buffer_figures(mere).outcome == "current"
    put(mere.landing, "residents", "residents.csv",
        [line.replace(",98", ",197") for line in RESIDENTS], day=dt.date(2026, 4, 21))  # fmt: skip
    receive(mere, "residents")
    admit(mere, mere.declared.sources["residents"], "all")

    assert figures(mere)["T05", SIX][0] == 195
