"""Counts of larger areas from published figures: bounds that hold the exact sum, and no others."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from governance.disclosure import protect_count
from publishing.conform import arrow_schema
from publishing.dictionary import RELEASE_TABLES
from publishing.duckdb_file import write_duckdb

START, END = dt.date(2026, 1, 1), dt.date(2026, 3, 31)


@pytest.mark.parametrize(
    ("profile", "shown", "status", "bounds"),
    [
        ("hide0-r5", 5, None, (5, 7)), ("hide0-r5", None, "[c]", (0, 4)),
        # The nearest 5 alone, without hiding anything that would not round to 0.
        ("r5", 5, None, (3, 7)), ("r5", None, "[low]", (0, 2)), ("r5", None, "[c]", (0, 2)),
        ("midpoint-6", 3, None, (1, 6)), ("suppress", None, "[c]", (1, None)),
        (None, 5, None, (5, 7)),
    ],
)  # fmt: skip
def test_a_count_is_read_under_the_profile_of_its_indicator(
    tmp_path: Path, profile: str | None, shown: int | None, status: str | None, bounds: Any
) -> None:
    row = {**observation("A", 20, 900), "numerator": shown, "value_status": status}
    with release(tmp_path, [row], {"all": ["A"]}, profile=profile) as con:
        assert (counts(con)["all"]["lower"], counts(con)["all"]["upper"]) == bounds


@pytest.mark.parametrize("note", ["shown_with_neighbour", "shown_for_msoa,stock_earlier"])
def test_a_withheld_count_can_be_of_any_size(tmp_path: Path, note: str) -> None:
    withheld = observation("B", None, 900, note_id=note)
    rows = [observation("A", 20, 900), withheld, observation("C", 3, 900, note_id="stock_earlier")]
    with release(tmp_path, rows, {"all": ["A", "B", "C"], "small": ["C"]}) as con:
        row, below = counts(con)["all"], counts(con, "denominator")["all"]
        assert (counts(con)["small"]["lower"], counts(con)["small"]["upper"]) == (0, 4)

    assert (row["lower"], row["upper"], row["lsoas_hidden"]) == (18, None, 2)
    assert (below["lower"], below["upper"]) == (3 * 898, 3 * 902)


def observation(code: str, numerator: int | None, denominator: int | None, **more: Any) -> Any:
    row = dict.fromkeys(RELEASE_TABLES["observations"].column_names)
    shown = {"numerator": protect_count(numerator), "denominator": protect_count(denominator)}
    hidden = None in shown.values()
    return {
        **row, "period_start": START, "period_end": END, "geography_type": "lsoa21",
        "geography_code": code, "indicator_id": "T01", "breakdown_type": "none",
        "breakdown_value": "all", **shown, "value_status": "[c]" if hidden else None, **more,
    }  # fmt: skip


def release(
    folder: Path,
    rows: list[Any],
    members: dict[str, list[str]],
    kind: str = "rate",
    profile: str | None = "hide0-r5",
) -> duckdb.DuckDBPyConnection:
    """Write a release of these observations and areas, and open it as an analyst does."""
    tables = {n: arrow_schema(t).empty_table() for n, t in RELEASE_TABLES.items()}
    indicator = {"indicator_id": "T01", "kind": kind, "profile": profile}
    lookups = [
        {"level": "custom", "area_code": area, "lsoa21cd": code, "fit": "exact",
         "lsoas_outside": 0}
        for area, codes in members.items()
        for code in codes
    ]  # fmt: skip
    for name, content in (
        ("observations", rows), ("indicators", [indicator]), ("area_lookups", lookups)
    ):  # fmt: skip
        tables[name] = pa.Table.from_pylist(content, schema=arrow_schema(RELEASE_TABLES[name]))
    path = folder / "lsoalink.duckdb"
    path.unlink(missing_ok=True)
    write_duckdb(path, tables, {"release_id": "none"}, "")
    return duckdb.connect(str(path), read_only=True)


def counts(con: duckdb.DuckDBPyConnection, measure: str = "numerator") -> dict[str, dict[str, Any]]:
    result = con.sql(f"FROM v_area_counts WHERE measure = '{measure}'")
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]
    return {row["area_code"]: row for row in rows}


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_sum_lies_between_the_bounds(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = [f"E0199{i:04d}" for i in range(120)]
    exact = dict(zip(codes, rng.poisson(rng.choice([1, 4, 30], 120)).tolist(), strict=True))
    people = dict(zip(codes, rng.integers(0, 2000, 120).tolist(), strict=True))
    members = {
        f"a{n}": rng.choice(codes, int(rng.integers(1, 60)), replace=False).tolist()
        for n in range(15)
    }
    rows = [observation(c, exact[c], people[c]) for c in codes]

    with release(tmp_path, rows, members) as con:
        for measure, truth in (("numerator", exact), ("denominator", people)):
            for area, row in counts(con, measure).items():
                assert row["lower"] <= sum(truth[c] for c in members[area]) <= row["upper"]
                assert row["lsoas"] == len(members[area])
                assert row["lsoas_hidden"] == sum(truth[c] < 5 for c in members[area])
                assert row["lsoas_missing"] == 0


def test_the_bounds_can_be_reached(tmp_path: Path) -> None:
    for exact in ((0, 5, 8), (4, 7, 12)):
        rows = [observation(c, n, 900) for c, n in zip("ABC", exact, strict=True)]
        with release(tmp_path, rows, {"all": ["A", "B", "C"]}) as con:
            row = counts(con)["all"]
        assert (row["lower"], row["upper"]) == (0 + 5 + 8, 4 + 7 + 12)
        assert sum(exact) in (row["lower"], row["upper"])


@pytest.mark.parametrize("status", ["[x]", "[x][r]"])
def test_a_missing_delivery_leaves_the_sum_open_above(tmp_path: Path, status: str) -> None:
    missing = observation("B", None, 900, value_status=status)
    rows = [observation("A", 20, 900), missing, observation("C", 3, 900)]

    with release(tmp_path, rows, {"all": ["A", "B", "C"]}) as con:
        row, below = counts(con)["all"], counts(con, "denominator")["all"]

    assert (row["lsoas"], row["lsoas_hidden"], row["lsoas_missing"]) == (3, 1, 1)
    assert (row["lower"], row["upper"]) == (18, None)
    assert (below["lower"], below["upper"]) == (3 * 898, 3 * 902)


def test_an_lsoa_without_a_row_is_missing_and_not_zero(tmp_path: Path) -> None:
    with release(tmp_path, [observation("A", 20, 900)], {"all": ["A", "B"]}) as con:
        row = counts(con)["all"]

    assert (row["lsoas"], row["lsoas_missing"], row["upper"]) == (2, 1, None)


def test_a_withheld_rate_still_has_its_counts(tmp_path: Path) -> None:
    rows = [observation("A", 20, 30, value_status="[u]")]

    with release(tmp_path, rows, {"all": ["A"]}) as con:
        assert (counts(con)["all"]["lower"], counts(con)["all"]["upper"]) == (18, 22)


def test_what_is_published_at_districts_only_is_not_there(tmp_path: Path) -> None:
    rows = [observation("E08990001", 20, 900, geography_type="lad24")]

    with release(tmp_path, rows, {"all": ["A"]}) as con:
        assert counts(con) == {}


@pytest.mark.parametrize("kind", ["statistic", "composite"])
def test_figures_that_are_no_counts_are_not_there(tmp_path: Path, kind: str) -> None:
    rows = [observation("A", None, None, value=3.0, value_status=None)]

    with release(tmp_path, rows, {"all": ["A"]}, kind) as con:
        assert counts(con) == {}


def test_a_release_of_the_made_up_region_holds_its_exact_sums(finished: Any) -> None:
    linked = finished.workspace.root / "linked"
    path = finished.outcome.folder / "lsoalink.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        checked = con.execute(
            f"""
            WITH exact AS (
                FROM read_parquet('{linked}/indicator_*/all.parquet', union_by_name = true)
                WHERE geography_type = 'lsoa21' AND numerator IS NOT NULL
            ), sums AS (
                SELECT l.level, l.area_code, e.indicator_id, e.period_start, e.period_end,
                       sum(e.numerator) AS numerator, count(*) AS lsoas
                FROM exact AS e JOIN area_lookups AS l ON l.lsoa21cd = e.geography_code
                GROUP BY ALL
            )
            SELECT count(*), count(*) FILTER (
                s.numerator >= v.lower AND (s.numerator <= v.upper OR v.lsoas_missing > 0))
            FROM v_area_counts AS v
            JOIN sums AS s USING (level, area_code, indicator_id, period_start, period_end)
            WHERE v.measure = 'numerator'
            """
        ).fetchone()
    assert checked is not None
    assert checked[0] > 20
    assert checked[0] == checked[1]
