"""Counting as tables an analyst can read: the records, what is declared, and the counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from region_factory import NORTH, NOT_PLACED, OPENED, SOUTH, rows_of
from testshire import make_source

from declarations.contracts import Contract, Count
from indicators.counting import (
    PLACED,
    count_source,
    count_sql,
    counts_table,
    data_period,
    statistics_sql,
)
from intake.location import located_table

HERE, THERE = "E01990001", "E01990002"
Record = tuple[str | None, str, str | None, dt.date | None, dt.date | None, str | None, int | None]
"""lsoa21cd, person, service, start, end, reason why not placed, hours."""


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


CONTRACT = Contract.model_validate(
    {
        "id": "care", "title": "Care", "specification": "made up for tests", "kind": "records",
        "columns": [
            {"name": "lsoa"}, {"name": "person"}, {"name": "service"},
            {"name": "start", "type": "date"}, {"name": "end", "type": "date"},
            {"name": "reported", "type": "month"}, {"name": "flag", "type": "boolean"},
            {"name": "hours", "type": "integer", "additive": True},
        ],
        "locate": {"by": ["lsoa"], "lsoa": "lsoa"},
        "counts": [
            {"measure": "unused", "title": "Unused", "unit": "people", "additivity": "flow"}
        ],
    }
)  # fmt: skip


@pytest.fixture
def placed() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    con.execute(
        f"CREATE TABLE {PLACED} (lsoa21cd VARCHAR, person VARCHAR, service VARCHAR, start DATE, "
        '"end" DATE, geo_reason VARCHAR, hours BIGINT, lad24cd VARCHAR, reported VARCHAR, '
        "flag BOOLEAN)"
    )
    yield con
    con.close()


def fill(con: duckdb.DuckDBPyConnection, records: list[Record]) -> None:
    con.executemany(
        f'INSERT INTO {PLACED} (lsoa21cd, person, service, start, "end", geo_reason, hours) '
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        records,
    )
    con.execute(f"UPDATE {PLACED} SET lad24cd = '{NORTH}' WHERE lsoa21cd IS NOT NULL")


def rows(
    con: duckdb.DuckDBPyConnection,
    *,
    period: str = "2026-03",
    cadence: str = "quarterly",
    source: dict[str, Any] | None = None,
    **count: Any,
) -> list[dict[str, Any]]:
    declared = Count.model_validate(
        {"measure": "counted", "title": "Counted", "unit": "people", "additivity": "flow", **count}
    )
    settings = {"lad24cd": SOUTH, **(source or {})}
    sql, parameters = count_sql(
        CONTRACT, declared, make_source("care_source", "care", cadence, **settings), period
    )
    cursor = con.execute(sql, parameters)
    names = [d[0] for d in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def counted(con: duckdb.DuckDBPyConnection, **settings: Any) -> dict[tuple[str | None, str], int]:
    return {(r["lsoa21cd"], r["category"]): r["value"] for r in rows(con, **settings)}


def one(**fields: Any) -> Record:
    whole = {
        "lsoa21cd": HERE, "person": "a", "service": "home", "start": None, "end": None,
        "geo_reason": None, "hours": None, **fields,
    }  # fmt: skip
    return tuple(whole.values())  # type: ignore[return-value]


#    start of the event, counted in the delivery of January to March 2026?
FLOW = [
    ("2025-12-31", 0), ("2026-01-01", 1), ("2026-02-14", 1), ("2026-03-31", 1), ("2026-04-01", 0),
    (None, 0),
]  # fmt: skip


@pytest.mark.parametrize(("start", "expected"), FLOW)
def test_a_flow_is_counted_in_its_own_quarter_only(
    placed: duckdb.DuckDBPyConnection, start: str | None, expected: int
) -> None:
    fill(placed, [one(start=day(start) if start else None)])

    assert sum(counted(placed, during="start").values()) == expected


@pytest.mark.parametrize(
    ("cadence", "months"),
    [
        ("monthly", ["2026-03"]),
        ("quarterly", ["2026-01", "2026-02", "2026-03"]),
        ("yearly", [f"2025-{m:02d}" for m in range(4, 13)] + ["2026-01", "2026-02", "2026-03"]),
    ],
)
def test_an_event_in_two_deliveries_is_counted_once(
    placed: duckdb.DuckDBPyConnection, cadence: str, months: list[str]
) -> None:
    every = [f"{y}-{m:02d}" for y in (2025, 2026) for m in range(1, 13)]
    fill(placed, [one(start=day(f"{month}-15")) for month in every])

    assert sum(counted(placed, cadence=cadence, during="start").values()) == len(months)


def test_a_flow_dated_by_months_is_held_to_the_same_quarter(
    placed: duckdb.DuckDBPyConnection,
) -> None:
    fill(placed, [one()] * 5)
    placed.execute(f"UPDATE {PLACED} SET reported = '2025-12'")
    assert counted(placed, during="reported") == {}
    placed.execute(f"UPDATE {PLACED} SET reported = '2026-01'")
    assert counted(placed, during="reported") == {(HERE, "all"): 5}


#    start, end, open on 31 March 2026?
STOCK = [
    ("2025-06-01", None, 1),
    ("2026-03-31", None, 1),          # entry on the last day
    ("2026-04-01", None, 0),          # entry the day after
    ("2025-06-01", "2026-03-30", 0),
    ("2025-06-01", "2026-03-31", 0),  # exit on the last day: no longer there at its end
    ("2025-06-01", "2026-04-01", 1),  # exit the day after
    (None, None, 0),
    (None, "2026-04-01", 0),
]  # fmt: skip


@pytest.mark.parametrize(("start", "end", "expected"), STOCK)
def test_a_stock_is_what_is_open_when_the_last_day_ends(
    placed: duckdb.DuckDBPyConnection, start: str | None, end: str | None, expected: int
) -> None:
    fill(placed, [one(start=day(start) if start else None, end=day(end) if end else None)])

    found = counted(placed, additivity="stock", open_at_end=["start", "end"])

    assert sum(found.values()) == expected


def test_a_person_with_two_services_is_counted_once(placed: duckdb.DuckDBPyConnection) -> None:
    fill(placed, [one(service="home"), one(service="meals"), one(person="b", lsoa21cd=THERE)])

    assert counted(placed, distinct="person") == {(HERE, "all"): 1, (THERE, "all"): 1}
    assert counted(placed) == {(HERE, "all"): 2, (THERE, "all"): 1}


def test_a_person_in_two_areas_is_in_one_of_them(placed: duckdb.DuckDBPyConnection) -> None:
    fill(placed, [one(lsoa21cd=THERE), one(lsoa21cd=HERE), one(lsoa21cd=None, geo_reason="x")])

    assert counted(placed, distinct="person") == {(HERE, "all"): 1}


def test_a_person_whom_no_record_places_is_counted_without_area(
    placed: duckdb.DuckDBPyConnection,
) -> None:
    fill(placed, [one(lsoa21cd=None, geo_reason="postcode_missing")] * 2)

    (row,) = rows(placed, distinct="person")

    assert (row["lsoa21cd"], row["value"], row["geo_reason"]) == (None, 1, "postcode_missing")


def test_a_person_is_counted_once_in_each_category(placed: duckdb.DuckDBPyConnection) -> None:
    fill(placed, [one(service="home"), one(service="home"), one(service="meals")])

    assert counted(placed, distinct="person", category="service") == {
        (HERE, "home"): 1, (HERE, "meals"): 1,
    }  # fmt: skip


def test_records_nobody_names_are_no_person(placed: duckdb.DuckDBPyConnection) -> None:
    fill(placed, [one(person=None), one(person=None), one(person="b")])

    assert counted(placed, distinct="person", not_null=["person"]) == {(HERE, "all"): 1}


def test_only_the_rows_asked_for(placed: duckdb.DuckDBPyConnection) -> None:
    fill(placed, [one(service=s) for s in ("home", "home", "meals", "other", None)])

    assert counted(placed, where={"service": ["home", "meals"]}) == {(HERE, "all"): 3}
    assert counted(placed, where={"service": ["day centre"]}) == {}
    assert counted(placed, not_null=["service"]) == {(HERE, "all"): 4}


def test_conditions_are_all_held_at_once(placed: duckdb.DuckDBPyConnection) -> None:
    inside, outside = day("2026-02-01"), day("2025-02-01")
    fill(
        placed,
        [
            one(start=inside, service="home", hours=1),
            one(start=outside, service="home", hours=1),
            one(start=inside, service="meals", hours=1),
            one(start=inside, service="home", hours=None),
        ],
    )

    found = counted(placed, during="start", where={"service": ["home"]}, not_null=["hours"])

    assert found == {(HERE, "all"): 1}


def test_a_condition_on_yes_or_no_is_written_as_text(placed: duckdb.DuckDBPyConnection) -> None:
    fill(placed, [one(), one()])
    placed.execute(f"UPDATE {PLACED} SET flag = (person = 'a')")

    assert counted(placed, where={"flag": ["true"]}) == {(HERE, "all"): 2}
    assert counted(placed, where={"flag": ["false"]}) == {}


def test_a_missing_category_is_not_known_rather_than_lost(
    placed: duckdb.DuckDBPyConnection,
) -> None:
    fill(placed, [one(service="home"), one(service=None), one(service=None)])

    assert counted(placed, category="service") == {(HERE, "home"): 1, (HERE, "Not known"): 2}
    assert counted(placed) == {(HERE, "all"): 3}


def test_values_are_summed_and_missing_ones_add_nothing(placed: duckdb.DuckDBPyConnection) -> None:
    fill(placed, [one(hours=5), one(hours=7), one(hours=None), one(lsoa21cd=THERE, hours=None)])

    assert counted(placed, value="hours") == {(HERE, "all"): 12, (THERE, "all"): 0}


@pytest.mark.parametrize(
    ("reason", "district"),
    [
        ("out_of_region", None),
        ("postcode_missing", SOUTH),
        ("zz99_no_fixed_abode", SOUTH),
    ],
)
@pytest.mark.parametrize("distinct", [None, "person"])
def test_who_is_not_placed_belongs_to_the_sender_unless_known_to_live_elsewhere(
    placed: duckdb.DuckDBPyConnection, reason: str, district: str | None, distinct: str | None
) -> None:
    fill(placed, [one(lsoa21cd=None, geo_reason=reason)])

    (row,) = rows(placed, distinct=distinct)

    assert (row["lsoa21cd"], row["lad24cd"], row["geo_reason"]) == (None, district, reason)


def test_who_is_placed_belongs_to_the_district_of_the_area_not_the_senders(
    placed: duckdb.DuckDBPyConnection,
) -> None:
    fill(placed, [one()])

    (row,) = rows(placed)

    assert row["lad24cd"] == NORTH
    assert (row["source_id"], row["period"], row["measure"]) == (
        "care_source",
        "2026-03",
        "counted",
    )
    assert row["estimated"] is False
    assert rows(placed, estimated=True)[0]["estimated"] is True


def test_a_source_delivered_once_stands_at_its_declared_month(
    placed: duckdb.DuckDBPyConnection,
) -> None:
    fill(placed, [one(start=day("1999-01-01"))])
    census = {"period": "2021-03"}

    (row,) = rows(placed, period="all", cadence="once", source=census, during="start")

    assert row["period"] == "2021-03"
    assert data_period(make_source("once_source", "care", "once"), "all") == ""


def test_published_statistics_are_listed_and_never_summed(
    placed: duckdb.DuckDBPyConnection,
) -> None:
    contract = CONTRACT.model_copy(update={"kind": "statistics"})
    fill(placed, [one(hours=3), one(lsoa21cd=THERE, hours=4), one(lsoa21cd=None, hours=9)])
    source = make_source("scores", "care", "once", period="2025-10")

    found = placed.execute(statistics_sql(contract, source, "all")).fetchall()

    assert found == [
        ("scores", "2025-10", HERE, "hours", 3.0), ("scores", "2025-10", THERE, "hours", 4.0),
    ]  # fmt: skip


def test_the_counts_of_a_region_add_up_to_its_records(finished: Any) -> None:
    found = []
    for name in ("north_cases", "south_cases"):
        source = finished.workspace.declared.sources[name]
        found += rows_of(finished.workspace, counts_table(source), "2026-03")

    opened: dict[str | None, int] = {}
    for row in found:
        if row["measure"] == "cases_opened":
            opened[row["lsoa21cd"]] = opened.get(row["lsoa21cd"], 0) + row["value"]
    assert opened == {**{k: v for k, v in OPENED.items() if v}, None: NOT_PLACED}
    assert {r["lad24cd"] for r in found if r["lsoa21cd"] is None} == {SOUTH}


def test_counts_are_made_again_only_when_the_records_change(finished_copy: Any) -> None:
    source = finished_copy.declared.sources["north_cases"]
    located = located_table(source)
    assert count_source(finished_copy, source, "2026-03", located).outcome == "current"
    finished_copy.lake.mark_absent(located, "2026-03", fingerprint="gone", reason="withdrawn")

    built = count_source(finished_copy, source, "2026-03", located)

    assert (built.outcome, built.reason) == ("absent", "withdrawn")
    assert rows_of(finished_copy, counts_table(source), "2026-03") == []


def test_with_a_date_to_go_by_each_person_is_counted_once_as_of_the_latest_row(
    placed: duckdb.DuckDBPyConnection,
) -> None:
    fill(
        placed,
        [
            one(service="home", start=day("2026-01-01")),
            one(service="meals", start=day("2026-02-01"), lsoa21cd=THERE),
            one(service="other", start=None),
            one(person="b", service="home", start=day("2026-02-01"), lsoa21cd=THERE),
            one(person="b", service="home", start=day("2026-02-01"), lsoa21cd=HERE),
        ],
    )

    found = counted(placed, distinct="person", category="service", latest="start")

    assert found == {(THERE, "meals"): 1, (HERE, "home"): 1}


def test_a_date_to_go_by_is_for_distinct_counts() -> None:
    count = {"measure": "counted", "title": "t", "unit": "people", "additivity": "flow"}
    with pytest.raises(ValueError, match="latest goes with distinct"):
        Count.model_validate({**count, "latest": "start"})
