"""Which cells leave an agency, and what the hub makes of those that do and those that do not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from agency_factory import SOURCE
from region_factory import AREAS, NORTH, SOUTH, region_content, write_region

from declarations.declared import RegionDeclarations
from declarations.expressions import Term
from declarations.loader import load_region
from governance.disclosure import protect_count, protect_sql
from intake.accounting import differences, totals
from intake.aggregating import (
    LEAVING,
    accounting_rows,
    amounts_leaving,
    checks_leaving,
    choose_cells,
    counts_leaving,
    counts_sql,
    labels_of,
)
from intake.packages import CELL_COLUMNS, Package, PackageError

Row = tuple[str | None, str | None, str, str, int, bool, str | None]
SOUTHERN = "E01990005"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE areas (lsoa21cd VARCHAR, lad24cd VARCHAR)")
    connection.executemany(
        "INSERT INTO areas VALUES (?, ?)", [(code, facts[2]) for code, facts in AREAS.items()]
    )
    connection.execute(
        "CREATE TABLE counts (lsoa21cd VARCHAR, lad24cd VARCHAR, measure VARCHAR, "
        "category VARCHAR, value BIGINT, estimated BOOLEAN, geo_reason VARCHAR)"
    )
    yield connection
    connection.close()


def region(folder: Path, *sums: list[str] | None) -> RegionDeclarations:
    """Return the region with one indicator for every sum of cases opened."""
    content = region_content()
    model = content["indicators/T01.yaml"]
    for number, categories in enumerate(sums):
        name = f"T{11 + number}"
        term = str(Term.of(["cases_opened"], categories))
        content[f"indicators/{name}.yaml"] = {
            **model, "id": name, "name": f"sum_{number}", "numerator": term,
        }  # fmt: skip
        for agreement in ("DSA-TM-001", "DSA-TM-002"):
            content[f"agreements/{agreement}.yaml"]["permitted_outputs"].append(
                {"indicator": name, "geography": "lsoa21", "frequency": "monthly"}
            )
    if sums:
        for old in ("T01", "T04"):
            del content[f"indicators/{old}.yaml"]
    return load_region(write_region(folder / "region", content))


def fill(con: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    con.executemany("INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def opened(value: int, category: str = "advice", lsoa: str | None = SOUTHERN) -> Row:
    return (lsoa, SOUTH, "cases_opened", category, value, False, None if lsoa else "no_location")


def leaving(
    con: duckdb.DuckDBPyConnection, declared: RegionDeclarations, *, exact: bool = False
) -> list[tuple[Any, ...]]:
    contract = declared.contracts["mere_cases"]
    choose_cells(con, "counts", declared, contract, len(AREAS), exact=exact)
    return con.execute(
        f"SELECT lsoa21cd, lad24cd, measure, category, value FROM {LEAVING} ORDER BY ALL"
    ).fetchall()


@pytest.mark.parametrize(
    ("sums", "labels"),
    [
        # One sum of everything needs one cell an area.
        ([None], ["all"]),
        ([None, None], ["all"]),
        # A category of its own, and the rest for the sum of everything.
        ([["advice"]], ["advice"]),
        ([["advice"], None], ["advice", "(other)"]),
        (
            [["advice"], ["support"], ["advice", "support"]],
            ["advice", "support"],
        ),
        # Categories that no sum tells apart leave as one.
        ([["advice", "support"]], ["advice"]),
        ([["adv*"]], ["adv (any)"]),
        ([["adv*"], ["advice"]], ["advice", "adv (any)"]),
        ([["adv*"], ["advice"], None], ["advice", "adv (any)", "(other)"]),
    ],
)
def test_cells_are_as_coarse_as_the_indicators_allow(
    tmp_path: Path, sums: list[list[str] | None], labels: list[str]
) -> None:
    declared = region(tmp_path, *sums)

    assert labels_of(declared, declared.contracts["mere_cases"])["cases_opened"] == labels


def test_a_measure_no_indicator_sums_does_not_leave(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    declared = region(tmp_path, ["support"])
    fill(con, [opened(40, "advice"), opened(40, "support")])

    assert leaving(con, declared) == [(SOUTHERN, SOUTH, "cases_opened", "support", 40)]


@pytest.mark.parametrize(
    ("value", "shown"), [(0, None), (1, None), (4, None), (5, 5), (7, 5), (8, 10), (22, 20)]
)
def test_small_counts_stay_and_the_others_are_rounded(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, value: int, shown: int | None
) -> None:
    fill(con, [opened(value)])

    found = leaving(con, region(tmp_path))

    assert [row[4] for row in found] == ([] if shown is None else [shown])


def test_parts_that_no_sum_tells_apart_are_added_before_they_are_protected(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    fill(con, [opened(3, "advice"), opened(3, "support")])

    assert leaving(con, region(tmp_path)) == [(SOUTHERN, SOUTH, "cases_opened", "all", 5)]


def test_nothing_below_the_threshold_leaves_and_no_total_gives_a_cell_away(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rng = random.Random(7)
    rows = [
        (lsoa, facts[2], measure, category, rng.choice([0, 1, 2, 3, 4, 5, 6, 9, 30]), False, None)
        for lsoa, facts in AREAS.items()
        for measure, category in (
            ("cases_opened", "advice"), ("cases_opened", "support"), ("people_supported", "all"),
        )
    ]  # fmt: skip
    fill(con, [*rows, opened(2, lsoa=None), opened(11, "support", lsoa=None)])
    declared = region(tmp_path, ["advice"], ["support"])

    found = leaving(con, declared)

    assert found
    assert all(value >= 5 and protect_count(value) == value for *_, value in found)
    # Every cell is of one neighbourhood or of what was not placed in one district: none is a sum
    # over others, so that no hidden cell can be got by taking shown ones from it.
    cells = [row[:4] for row in found]
    assert len(cells) == len(set(cells))
    exact = {(r[0], r[1], r[2], r[3]): r[4] for r in rows}
    for lsoa, lad, measure, category, value in found:
        if lsoa is not None:
            assert protect_count(exact[lsoa, lad, measure, category]) == value


def test_exact_counts_leave_as_they_are(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    fill(con, [opened(1), opened(3, "support"), opened(2, lsoa=None)])

    found = leaving(con, region(tmp_path), exact=True)

    assert [row[4] for row in found] == [1, 3, 2]


def test_what_was_protected_once_is_not_changed_by_protecting_it_again(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("CREATE TABLE n AS SELECT i AS value FROM range(0, 400) r(i)")
    once = f"SELECT {protect_sql('value')} AS value FROM n"
    changed = con.execute(
        f"SELECT count(*) FROM ({once}) WHERE value IS DISTINCT FROM ({protect_sql('value')})"
    ).fetchall()

    assert changed == [(0,)]
    for number in range(400):
        shown = protect_count(number)
        assert protect_count(shown) == shown


def package(profile: str, cells: list[tuple[str | None, ...]], **labels: list[str]) -> Package:
    declared = load_region_of_tests()
    manifest = {
        "kind": "aggregated", "counts": {"profile": profile, "cells": labels},
        "accounting": {"rows": []},
    }  # fmt: skip
    return Package(manifest, declared.contracts["mere_cases"], tuple(cells))


_REGION: dict[str, RegionDeclarations] = {}


@pytest.fixture(autouse=True)
def _region_of_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not _REGION:
        _REGION["it"] = region(tmp_path_factory.mktemp("mere"))


def load_region_of_tests() -> RegionDeclarations:
    return _REGION["it"]


def taken(con: duckdb.DuckDBPyConnection, sent: Package) -> list[dict[str, Any]]:
    declared = load_region_of_tests()
    sql = counts_sql(con, sent, declared, declared.sources[SOURCE], "areas", "2026-03")
    cursor = con.execute(f"SELECT * FROM ({sql}) ORDER BY ALL")
    names = [d[0] for d in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def cell(value: str, lsoa: str | None = SOUTHERN, measure: str = "cases_opened") -> tuple[Any, ...]:
    made = dict.fromkeys(CELL_COLUMNS)
    made |= {"lsoa21cd": lsoa, "lad24cd": SOUTH, "measure": measure, "category": "all",
             "value": value, "estimated": "false"}  # fmt: skip
    return tuple(made.values())


CUT = {"cases_opened": ["all"], "people_supported": ["all"]}


def test_a_cell_that_did_not_come_is_null_and_marked_and_never_nought(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rows = taken(con, package("hide0-r5", [cell("20")], **CUT))

    shown = [r for r in rows if r["value"] is not None]
    hidden = [r for r in rows if r["value"] is None]
    assert [(r["lsoa21cd"], r["value"], r["value_status"]) for r in shown] == [(SOUTHERN, 20, None)]
    assert {r["value_status"] for r in hidden} == {"[c]"}
    # Six neighbourhoods and the not placed of two districts, for each of two measures.
    assert len(rows) == (6 + 2) * 2
    assert {r["lad24cd"] for r in rows} == {NORTH, SOUTH}


def test_counts_cut_otherwise_than_todays_indicators_need_all_count_as_hidden(
    con: duckdb.DuckDBPyConnection,
) -> None:
    sent = package("hide0-r5", [cell("20")], cases_opened=["advice", "(other)"])

    rows = taken(con, sent)

    assert len(rows) == (6 + 2) * 2
    assert {r["value"] for r in rows} == {None}


def test_exact_counts_come_as_they_were_counted(con: duckdb.DuckDBPyConnection) -> None:
    rows = taken(con, package("exact", [cell("3"), cell("2", None)]))

    assert [(r["lsoa21cd"], r["value"], r["value_status"]) for r in rows] == [
        (SOUTHERN, 3, None), (None, 2, None),
    ]  # fmt: skip
    assert {(r["source_id"], r["period"]) for r in rows} == {(SOURCE, "2026-03")}


@pytest.mark.parametrize(
    "wrong", [cell("5", "E01999999"), cell("5", measure="visits"), cell("5", None, "visits")]
)
def test_cells_of_no_area_or_measure_of_the_region_are_refused(
    con: duckdb.DuckDBPyConnection, wrong: tuple[Any, ...]
) -> None:
    with pytest.raises(PackageError) as caught:
        taken(con, package("exact", [cell("3"), wrong]))
    assert caught.value.reason == "package_other_region"


LINES = [
    {"quantity": "rows", "outcome": "received", "detail": "all", "amount": 31},
    {"quantity": "rows", "outcome": "placed", "detail": "postcode_exact", "amount": 28},
    {"quantity": "rows", "outcome": "not placed", "detail": "no_location", "amount": 3},
]


def test_small_amounts_of_the_accounting_stay_too() -> None:
    assert amounts_leaving(LINES, exact=False) == [
        ["rows", "received", "all", 30], ["rows", "placed", "postcode_exact", 30],
    ]  # fmt: skip
    assert [line[3] for line in amounts_leaving(LINES, exact=True)] == [31, 28, 3]


def test_small_counts_of_rows_and_of_failed_checks_stay_too() -> None:
    checks = [{"check_id": "key", "outcome": "failed", "rows_checked": 31, "rows_failed": 2}]

    assert counts_leaving({"read": 31, "broken": 2}, exact=False) == {"read": 30, "broken": None}
    assert counts_leaving({"read": 31, "broken": 2}, exact=True) == {"read": 31, "broken": 2}
    assert checks_leaving(checks, exact=False) == [
        {"check_id": "key", "outcome": "failed", "rows_checked": 30, "rows_failed": None}
    ]
    assert checks_leaving(checks, exact=True) == checks


def test_the_hub_marks_what_of_the_accounting_did_not_come() -> None:
    sent = package("hide0-r5", [], **CUT)
    sent.manifest["accounting"]["rows"] = amounts_leaving(LINES, exact=False)
    declared = load_region_of_tests()

    rows = accounting_rows(sent, declared.sources[SOURCE], "2026-03")

    said = [(r["outcome"], r["detail"], r["amount"], r["amount_status"]) for r in rows]
    assert said == [
        ("received", "all", 30, None),
        ("placed", "postcode_exact", 30, None),
        ("out of region", "others", None, "[c]"),
        ("not placed", "others", None, "[c]"),
    ]
    assert all(r["protected"] for r in rows)


def test_an_accounting_of_which_nothing_may_be_shown_is_still_there() -> None:
    declared = load_region_of_tests()

    rows = accounting_rows(package("hide0-r5", []), declared.sources[SOURCE], "2026-03")

    assert [(r["quantity"], r["outcome"], r["amount"]) for r in rows] == [
        ("rows", "received", None), ("rows", "out of region", None), ("rows", "not placed", None),
    ]  # fmt: skip


def test_an_account_with_hidden_amounts_is_neither_judged_nor_summed() -> None:
    sent = package("hide0-r5", [], **CUT)
    sent.manifest["accounting"]["rows"] = amounts_leaving(LINES, exact=False)
    declared = load_region_of_tests()
    rows = accounting_rows(sent, declared.sources[SOURCE], "2026-03")
    open_rows = [{**r, "protected": False, "source_id": "other"} for r in LINES_OF_ONE]

    assert differences([*rows, *open_rows]) == {("other", "2026-03", "rows"): 0}
    assert totals(rows) == {SOURCE: {"received": 30, "placed": 30}}


LINES_OF_ONE: list[dict[str, Any]] = [
    {"period": "2026-03", "quantity": "rows", "outcome": outcome, "amount": 31}
    for outcome in ("received", "placed")
]
