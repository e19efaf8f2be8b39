"""What the quality report says of a region's boundaries: placing, meeting, and nothing personal."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from region_factory import (
    AREAS,
    ARRIVED,
    NORTH,
    SOUTH,
    put,
    receive,
    rows_of,
    run_to_protection,
    workspace_of,
)

from intake import boundary_quality
from intake.admission import admit
from intake.boundary_quality import PLACING, boundaries_fingerprint, boundary_rows
from intake.quality import COLUMNS, build_quality, quality_rows, quality_table
from intake.reference import AREAS as AREAS_TABLE
from intake.reference import build_reference, reference_table
from publishing.release import write_internal_quality_page
from warehouse.lake import UNPARTITIONED
from warehouse.workspace import Workspace

POSTCODES = reference_table("postcodes")
CODES = list(AREAS)


def measured(workspace: Workspace) -> list[dict[str, Any]]:
    with workspace.connect() as connection:
        rows = boundary_rows(workspace, connection)
    assert rows is not None
    return rows


def whole(rows: list[dict[str, Any]], check: str) -> dict[str, Any]:
    (row,) = [r for r in rows if r["check_id"] == check and not r["area_code"]]
    return row


def with_postcodes(workspace: Workspace, rows: list[tuple[Any, ...]]) -> None:
    """Put a postcode directory in place: pcds, doterm, easting, northing, lsoa11cd, lsoa21cd."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE p (pcds VARCHAR, dointr VARCHAR, doterm VARCHAR, easting DOUBLE, "
            "northing DOUBLE, lsoa11cd VARCHAR, lsoa21cd VARCHAR)"
        )
        connection.executemany(
            "INSERT INTO p (pcds, doterm, easting, northing, lsoa11cd, lsoa21cd) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
        path = workspace.lake.path(POSTCODES)
        path.unlink()
        connection.execute(f"COPY p TO '{path}' (FORMAT parquet)")


def middles(workspace: Workspace) -> dict[str, tuple[float, float]]:
    """Return the middle of each area."""
    import shapely

    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT lsoa21cd, geometry FROM '{workspace.lake.path(AREAS_TABLE)}'"
        ).fetchall()
    return {code: shapely.from_wkb(bytes(wkb)).centroid.coords[0] for code, wkb in rows}


def test_postcodes_are_compared_with_their_official_area(finished_copy: Workspace) -> None:
    at = middles(finished_copy)
    x, y = at[CODES[0]]
    with_postcodes(
        finished_copy,
        [
            *((f"TM1 1A{n}", None, *at[code], None, code) for n, code in enumerate(CODES)),
            ("TM9 1AA", None, x, y, None, CODES[5]),
            ("TM9 1AB", None, x - 90_000, y, None, CODES[1]),
            ("TM9 1AD", "202001", x, y, None, CODES[4]),
            ("TM9 1AE", None, None, None, None, CODES[4]),
            ("TM9 1AF", None, x, y, None, "E01000001"),
        ],
    )
    rows = measured(finished_copy)
    row = whole(rows, PLACING)
    assert (row["checked"], row["faults"], row["outside"]) == (8, 2, 1)
    assert row["share"] == pytest.approx(6 / 8)
    assert row["lower_ci"] < row["share"] < row["upper_ci"]
    assert row["outcome"] == "never_geocode"
    districts = {
        r["area_code"]: (r["area_name"], r["checked"], r["faults"])
        for r in rows
        if r["check_id"] == PLACING and r["area_code"]
    }
    assert districts == {
        NORTH: ("North Mere (synthetic)", 4, 1),
        SOUTH: ("South Mere (synthetic)", 4, 1),
    }


def test_a_directory_of_2011_is_compared_where_one_area_follows(finished_copy: Workspace) -> None:
    at = middles(finished_copy)
    with_postcodes(
        finished_copy,
        [
            ("TM1 1AA", None, *at["E01990001"], "E01990001", None),
            ("TM1 1AB", None, *at["E01990005"], "E01980005", None),
            ("TM1 1AD", None, *at["E01990003"], "E01980002", None),
            ("TM1 1AE", None, *at["E01990003"], "E01000001", None),
        ],
    )
    row = whole(measured(finished_copy), PLACING)
    assert (row["checked"], row["faults"], row["left_out"]) == (2, 0, 1)
    assert row["outcome"] == "fine"


def test_many_postcodes_are_sampled_alike_each_time(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = middles(finished_copy)[CODES[0]]
    with_postcodes(
        finished_copy, [(f"TM{n:04d}", None, *at, None, CODES[n % 2]) for n in range(1000)]
    )
    monkeypatch.setattr(boundary_quality, "MOST_POINTS", 100)
    first = measured(finished_copy)
    assert whole(first, PLACING)["checked"] == 100
    assert measured(finished_copy) == first


def test_without_positions_or_a_directory_it_says_not_measured(finished_copy: Workspace) -> None:
    row = whole(measured(finished_copy), PLACING)
    assert (row["outcome"], row["checked"], row["share"]) == ("not_measured", 0, None)
    finished_copy.lake.path(POSTCODES).unlink()
    row = whole(measured(finished_copy), PLACING)
    assert row["outcome"] == "not_measured"
    assert "no postcode" in row["meaning"]


def test_areas_that_meet_pass_every_check(finished_copy: Workspace) -> None:
    rows = measured(finished_copy)
    checks = [r for r in rows if r["check_id"] != PLACING]
    assert {r["outcome"] for r in checks} == {"passed"}
    assert {r["checked"] for r in checks} == {len(AREAS)}


def test_areas_that_overlap_are_named(finished_copy: Workspace) -> None:
    path = finished_copy.lake.path(AREAS_TABLE)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE a AS SELECT * FROM '{path}'")
        connection.execute(
            "UPDATE a SET geometry = (SELECT geometry FROM a WHERE lsoa21cd = ?) "
            "WHERE lsoa21cd = ?",
            [CODES[0], CODES[1]],
        )
        path.unlink()
        connection.execute(f"COPY (FROM a ORDER BY lsoa21cd) TO '{path}' (FORMAT parquet)")
    rows = measured(finished_copy)
    assert whole(rows, "overlap")["outcome"] == "failed"
    assert whole(rows, "overlap")["area_m2"] == 1_000_000.0
    (finding,) = [r for r in rows if r["check_id"] == "overlap" and r["area_code"]]
    assert (finding["area_code"], finding["other_code"]) == (CODES[0], CODES[1])


def test_the_rows_stand_in_a_quality_table(finished_copy: Workspace) -> None:
    table = quality_table("boundaries")
    rows = rows_of(finished_copy, table)
    assert tuple(rows[0]) == COLUMNS["boundaries"]
    assert {r["source_id"] for r in rows} == {"areas"}
    assert quality_rows(finished_copy)["boundaries"] == rows
    assert {b.outcome for b in build_quality(finished_copy) if b.table == table} == {"current"}


def test_the_measure_depends_on_the_reference_tables(finished_copy: Workspace) -> None:
    before = boundaries_fingerprint(finished_copy)
    assert boundaries_fingerprint(finished_copy) == before
    finished_copy.lake.mark_absent(POSTCODES, UNPARTITIONED, fingerprint="b", reason="a test")
    assert boundaries_fingerprint(finished_copy) != before


def test_a_region_without_areas_has_nothing_to_measure(mere: Workspace) -> None:
    mere.prepare()
    with mere.connect() as connection:
        assert boundary_rows(mere, connection) is None
    built = {b.table.name: b.outcome for b in build_quality(mere)}
    assert built["quality_boundaries"] == "absent"
    assert quality_rows(mere)["boundaries"] == []


def deliver(workspace: Workspace, change: Callable[[list[dict[str, Any]]], None], day: int) -> None:
    """Deliver the areas with their features changed, on a day after the first delivery."""
    path = workspace.landing / "areas" / "areas.geojson"
    content = json.loads(path.read_text())
    change(content["features"])
    put(
        workspace.landing, "areas", path.name, [json.dumps(content)],
        day=ARRIVED + dt.timedelta(days=day),
    )  # fmt: skip


def cross(features: list[dict[str, Any]]) -> None:
    """Let the outline of the first square cross itself: a spike out of a corner and back."""
    (ring,) = features[0]["geometry"]["coordinates"]
    left, bottom = ring[0]
    ring[1:1] = [[left + 500, bottom], [left + 500, bottom + 10], [left + 500, bottom]]


def straighten(features: list[dict[str, Any]]) -> None:
    """Take the spike away."""
    (ring,) = features[0]["geometry"]["coordinates"]
    del ring[1:4]


def readmit(workspace: Workspace) -> None:
    """Take in what lies in the landing folder, up to the table of areas."""
    source = workspace.declared.sources["areas"]
    receive(workspace, "areas")
    for period in workspace.expected_periods(source):
        admit(workspace, source, period)
    build_reference(workspace, "areas")


def test_a_self_crossing_outline_is_said_on_the_page_until_it_is_corrected(
    mere: Workspace,
) -> None:
    deliver(mere, cross, 0)
    run_to_protection(mere)
    (row,) = [r for r in rows_of(mere, quality_table("boundaries")) if r["check_id"] == "validity"]
    assert (row["outcome"], row["checked"], row["faults"]) == ("failed", len(AREAS), 1)
    assert row["meaning"] == f"Of {len(AREAS)} outlines in the file: 1 repaired"
    page = write_internal_quality_page(mere).read_text(encoding="utf-8")
    part = page[page.index("Valid shapes") : page.index("Borders drawn as one line")]
    assert "failed" in part
    assert f"Of {len(AREAS)} outlines in the file: 1 repaired." in part

    deliver(mere, straighten, 1)
    again = workspace_of(mere.root.parent, mere.declared, mere.landing)
    readmit(again)
    assert {b.outcome for b in build_quality(again) if b.table.name == "quality_boundaries"} == {
        "built"
    }
    assert whole(quality_rows(again)["boundaries"], "validity")["outcome"] == "passed"


def test_an_outline_in_two_rows_is_listed_and_one_without_ground_is_a_fault(
    finished_copy: Workspace,
) -> None:
    from intake.records import write_record

    sound = dict.fromkeys(("empty", "without_code", "duplicates", "repaired"), 0) | {
        "read": 7, "kept": 6, "epsg_read": 27700,
    }  # fmt: skip
    before = boundaries_fingerprint(finished_copy)
    write_record(finished_copy, "outlines", "areas", "all", sound | {"duplicates": 1})
    assert boundaries_fingerprint(finished_copy) != before
    joined = whole(measured(finished_copy), "validity")
    assert (joined["outcome"], joined["faults"]) == ("listed", 1)
    assert joined["meaning"].endswith(": 1 joined to another of the same code")
    write_record(finished_copy, "outlines", "areas", "all", sound | {"empty": 1, "duplicates": 1})
    empty = whole(measured(finished_copy), "validity")
    assert (empty["outcome"], empty["faults"]) == ("failed", 2)
    assert empty["meaning"].endswith("1 left out as empty")
