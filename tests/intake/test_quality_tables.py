"""Quality as tables: what arrived, what was decided, what failed, what was placed or missed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from region_factory import put, receive, region_content, rows_of, run_to_location

from intake.quality import (
    COLUMNS,
    as_arrow,
    build_quality,
    due_on,
    missing_periods,
    open_accounts,
    quality_rows,
    quality_table,
)
from intake.records import all_records, read_record, remove_record, write_record
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]


def test_the_tables_hold_what_the_stages_recorded(finished: Any) -> None:
    tables = {name: rows_of(finished.workspace, quality_table(name)) for name in COLUMNS}

    for name, rows in tables.items():
        assert rows
        assert tuple(rows[0]) == COLUMNS[name]
    north = [r for r in tables["decisions"] if r["source_id"] == "north_cases"]
    assert [(r["decision"], r["reasons"]) for r in north] == [("trimmed", "undeclared_columns")]
    assert {r["outcome"] for r in tables["deliveries"]} == {"accepted"}
    assert {r["outcome"] for r in tables["checks"]} <= {"passed", "failed", "could_not_run"}
    assert all(r["amount"] is not None and r["amount_status"] is None for r in tables["accounting"])


def test_a_table_is_written_again_only_when_its_rows_change(finished_copy: Workspace) -> None:
    assert {b.outcome for b in build_quality(finished_copy)} == {"current"}
    put(finished_copy.landing, "north_visits", "visits_2026-03 (2).csv", ["nothing"])
    receive(finished_copy)

    outcomes = {b.table.name: b.outcome for b in build_quality(finished_copy)}

    assert outcomes["quality_deliveries"] == "built"
    assert outcomes["quality_checks"] == "current"


def test_a_source_no_longer_declared_is_left_out(make_mere: Make) -> None:
    run_to_location(make_mere())
    content = region_content()
    for name in ("sources/south_cases.yaml", "agreements/DSA-TM-002.yaml"):
        del content[name]

    rows = quality_rows(make_mere(content))

    assert "south_cases" not in {r["source_id"] for found in rows.values() for r in found}
    assert "north_cases" in {r["source_id"] for r in rows["accounting"]}


def test_empty_tables_have_their_columns_too() -> None:
    for name, columns in COLUMNS.items():
        table = as_arrow(name, [])
        assert tuple(table.column_names) == columns
        assert table.num_rows == 0


def test_rows_come_in_one_order_whatever_the_order_found() -> None:
    rows: list[dict[str, Any]] = [
        {"source_id": s, "period": p, "quantity": "rows", "outcome": "received", "detail": "all"}
        for s, p in (("b", "2026-01"), ("a", "2026-02"), ("a", "2026-01"))
    ]

    tables = [as_arrow("accounting", r).to_pylist() for r in (rows, rows[::-1])]

    assert tables[0] == tables[1]
    assert [(r["source_id"], r["period"]) for r in tables[0]] == [
        ("a", "2026-01"), ("a", "2026-02"), ("b", "2026-01"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        ("2026-03-03", []),
        ("2026-03-04", ["2026-01"]),
        ("2026-04-01", ["2026-01", "2026-02"]),
        ("2026-05-10", ["2026-01", "2026-02", "2026-03"]),
    ],
)
def test_a_delivery_is_missing_from_the_day_after_it_was_due(
    make_mere: Make, today: str, missing: list[str]
) -> None:
    mere = make_mere(region_content(as_of=today), leave_out=("north_visits",))
    source = mere.declared.sources["north_visits"]

    # 31 days after the month: due on 3 March, 31 March and 1 May.
    assert due_on(mere, source, "2026-01") == dt.date(2026, 3, 3)
    assert missing_periods(mere, source) == missing


def test_what_arrived_is_not_missing_and_a_refused_file_did_not_arrive(mere: Workspace) -> None:
    (mere.landing / "north_visits" / "visits_2026-02.csv").write_bytes(b"")
    receive(mere)

    assert missing_periods(mere, mere.declared.sources["north_visits"]) == ["2026-02"]
    assert missing_periods(mere, mere.declared.sources["residents"]) == []


def test_a_source_due_once_that_never_came_is_missing(make_mere: Make) -> None:
    mere = make_mere(leave_out=("residents",))

    assert missing_periods(mere, mere.declared.sources["residents"]) == ["all"]


def test_an_account_that_does_not_close_is_named(finished_copy: Workspace) -> None:
    source = finished_copy.declared.sources["south_cases"]
    assert open_accounts(finished_copy, source, ["2026-03"]) == (1, [])
    record = read_record(finished_copy, "accounting", source.id, "2026-03")
    assert record is not None
    record["rows"] = [r for r in record["rows"] if r["outcome"] != "not placed"]
    write_record(finished_copy, "accounting", source.id, "2026-03", record)

    assert open_accounts(finished_copy, source, ["2026-03"]) == (1, ["2026-03 rows"])


def test_records_of_a_stage_can_be_written_read_and_removed(mere: Workspace) -> None:
    content = {"decisions": [], "checks": []}
    write_record(mere, "decisions", "north_cases", "2026-03", content)
    write_record(mere, "decisions", "stranger", "2026-03", content)

    assert read_record(mere, "decisions", "north_cases", "2026-03") == content
    assert read_record(mere, "decisions", "north_cases", "2026-02") is None
    assert [s for s, _, _ in all_records(mere, "decisions")] == ["north_cases"]
    remove_record(mere, "decisions", "north_cases", "2026-03")
    remove_record(mere, "decisions", "north_cases", "2026-03")
    assert list(all_records(mere, "decisions")) == []
