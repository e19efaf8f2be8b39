"""What the quality report says of a region's boundaries: placing, meeting, and nothing personal."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from region_factory import AREAS, NORTH, SOUTH, rows_of

from intake import boundary_quality
from intake.boundary_quality import PLACING, boundaries_fingerprint, boundary_rows
from intake.quality import COLUMNS, build_quality, quality_rows, quality_table
from intake.reference import AREAS as AREAS_TABLE
from intake.reference import reference_table
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
