"""Deliveries joined into events: what is kept of what comes twice, and what has vanished since.

A quarterly return covers twelve months, so an event comes in up to four of them.
"""

from __future__ import annotations

import random

import duckdb
import pytest
from care_samples import COLUMNS, contract, counted, event, joined, rows, told, total

from declarations.errors import LsoalinkError
from declarations.events import READ
from indicators.care import EVENTS, make_events
from indicators.care.span import Span, earlier_deliveries

DECEMBER, MARCH, JUNE = "2025-12", "2026-03", "2026-06"


def ends(deliveries: dict[str, list[dict[str, object]]]) -> list[tuple[object, ...]]:
    con = joined(deliveries)
    return told(con, "person_id, CAST(derived_end_date AS VARCHAR), cropped, delivery")


def test_the_same_service_in_two_returns_is_one_as_the_later_return_has_it() -> None:
    found = ends(
        {
            DECEMBER: rows(("a", "home care", "2025-05-01", "")),
            MARCH: rows(("a", "home care", "2025-05-01", "2026-02-10")),
        }
    )

    assert found == [("a", "2026-02-10", False, MARCH)]


def test_an_open_service_the_next_return_no_longer_has_ends_with_the_last_that_had_it() -> None:
    found = ends(
        {
            DECEMBER: rows(("a", "home care", "2025-05-01", "")),
            MARCH: rows(("b", "home care", "2025-05-01", "")),
        }
    )

    assert found == [("a", "2025-12-31", True, DECEMBER), ("b", None, False, MARCH)]


def test_a_service_that_vanishes_and_comes_back_has_never_ended() -> None:
    found = ends(
        {
            DECEMBER: rows(("a", "home care", "2025-05-01", "")),
            MARCH: [],
            JUNE: rows(("a", "home care", "2025-05-01", "")),
        }
    )

    assert found == [("a", None, False, JUNE)]


def test_what_had_ended_is_not_cropped_when_it_leaves_the_returns() -> None:
    found = ends({DECEMBER: rows(("a", "home care", "2025-05-01", "2025-12-20")), MARCH: []})

    assert found == [("a", "2025-12-20", False, DECEMBER)]


#    two rows of one event in one return, and the end and outcome kept
KEPT = [
    (
        "no end goes before an end",
        ("care home", "2025-05-01", "2026-01-01", "assess"),
        ("care home", "2025-05-01", "", "as planned"),
        (None, "NFA: Support ended as planned"),
    ),
    (
        "a later end goes before an earlier one",
        ("care home", "2025-05-01", "2026-01-01", "assess"),
        ("care home", "2025-05-01", "2026-01-02", "as planned"),
        ("2026-01-02", "NFA: Support ended as planned"),
    ),
    (
        "then the outcome that stands first in DHSC's order",
        ("care home", "2025-05-01", "2026-01-01", "as planned"),
        ("care home", "2025-05-01", "2026-01-01", "hospital"),
        ("2026-01-01", "Admitted to hospital"),
    ),
    (
        "no outcome goes last",
        ("care home", "2025-05-01", "2026-01-01", ""),
        ("care home", "2025-05-01", "2026-01-01", "declined"),
        ("2026-01-01", "NFA: Support declined"),
    ),
]


@pytest.mark.parametrize(("why", "one", "other", "expected"), KEPT, ids=[c[0] for c in KEPT])
def test_of_two_rows_of_an_event_one_is_kept(
    why: str, one: tuple[str, ...], other: tuple[str, ...], expected: tuple[str | None, str]
) -> None:
    for order in ((one, other), (other, one)):
        con = joined({MARCH: rows(*(("a", *row) for row in order))})
        found = told(con, "CAST(derived_end_date AS VARCHAR), event_outcome")
        assert found == [expected]


#    what makes two rows different events
DIFFERENT = [
    ("another start", "home care", {}, {"event_start_date": "2025-05-02"}, 2),
    ("another component", "home care", {}, {"service_component": "Day support"}, 2),
    ("another type", "home care", {}, {"service_type": "Short term support: ST-Max"}, 2),
    ("another client type", "home care", {}, {"client_type": "Carer"}, 2),
    ("another person", "home care", {}, {"person_id": "b"}, 2),
    ("another end of a service: the same", "home care", {}, {"event_end_date": "2026-01-01"}, 1),
    ("another end of a request", "request", {}, {"event_end_date": "2025-05-09"}, 2),
    ("another route of a request", "request", {}, {"request_route_of_access": "Prison"}, 2),
    ("another outcome: the same", "request", {}, {"event_outcome": "NFA: Other"}, 1),
    ("no component twice: the same", "low level", {}, {"lsoa21cd": "E01990002"}, 1),
]


@pytest.mark.parametrize(
    ("why", "what", "one", "other", "expected"), DIFFERENT, ids=[c[0] for c in DIFFERENT]
)
def test_what_makes_two_rows_different_events(
    why: str, what: str, one: dict[str, str], other: dict[str, str], expected: int
) -> None:
    base = ("a", what, "2025-05-01", "2025-05-03" if what == "request" else "")
    con = joined({MARCH: [event(*base, **one), event(*base, **other)]})

    assert len(told(con, "event_id")) == expected


def test_rows_without_person_or_start_or_that_end_before_they_start_are_no_events() -> None:
    nobody = event("a", "home care", "2025-05-01", person_id=None)
    undated = event("a", "home care", "2025-05-01", event_start_date=None)
    backwards = event("a", "home care", "2025-05-01", "2025-04-30")

    assert told(joined({MARCH: [nobody, undated, backwards]}), "event_id") == []


def test_a_death_a_later_return_takes_back_did_not_happen() -> None:
    found = ends(
        {
            DECEMBER: [event("a", "home care", "2025-05-01", date_of_death="2025-12-30")],
            MARCH: [event("a", "home care", "2025-05-01")],
        }
    )

    assert found == [("a", None, False, MARCH)]


def test_an_earlier_return_tells_of_a_stay_the_latest_no_longer_covers() -> None:
    before = rows(("a", "care home", "2024-01-01", "2025-03-20"))  # ended before 1 April 2025
    admitted = rows(("a", "nursing home", "2026-02-01", ""))

    assert total(joined({MARCH: admitted}), "residential_admissions") == 1
    assert total(joined({"2025-03": before, MARCH: admitted}), "residential_admissions") == 0


def test_each_request_is_counted_in_one_quarter_though_four_returns_hold_it() -> None:
    asked = rows(
        ("a", "request", "2025-12-01", "2025-12-30"),
        ("b", "request", "2025-12-20", "2026-01-02"),
        ("c", "request", "2026-01-03", "2026-01-05"),
        ("c", "request", "2026-01-08", "2026-01-09"),
        ("d", "request", "2025-12-20", "2025-12-31"),
        ("d", "request", "2026-01-04", "2026-01-06"),  # goes on from the quarter before
    )
    first = [e for e in asked if e["event_end_date"] <= "2025-12-31"]

    quarter = joined({DECEMBER: first})
    assert total(quarter, "new_support_requests", DECEMBER) == 2  # a and d
    assert total(joined({DECEMBER: first, MARCH: asked}), "new_support_requests", MARCH) == 2


def test_no_cost_ever_reaches_the_joined_events() -> None:
    con = duckdb.connect()
    declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    costs = ("unit_cost", "cost_frequency_unit_type", "planned_units_per_week")
    con.execute(f"CREATE TABLE delivered ({declared}, {', '.join(f'{c} DOUBLE' for c in costs)})")
    con.execute(
        "INSERT INTO delivered (person_id, client_type, event_type, event_start_date, unit_cost) "
        "VALUES ('a', 'Service User', 'Service', DATE '2025-05-01', 900.0)"
    )
    rules = contract().events
    assert rules is not None
    make_events(con, contract(), rules, {MARCH: "delivered"}, 3)

    tables = con.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall()
    made = {(table, column) for table, column in tables if table.startswith("care_")}
    assert (EVENTS, "person_id") in made
    assert not [pair for pair in made if "cost" in pair[1] or "units" in pair[1]]
    assert not set(costs) & set(READ)


def test_columns_an_agreement_dropped_are_missing_and_ages_unknown() -> None:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE delivered AS SELECT 'a' AS person_id, 'Service User' AS client_type, "
        "'Service' AS event_type, DATE '2025-05-01' AS event_start_date, "
        "'Long term support: Community' AS service_type, 'E01990001' AS lsoa21cd"
    )
    rules = contract().events
    assert rules is not None
    make_events(con, contract(), rules, {MARCH: "delivered"}, 3)

    assert counted(con, "long_term_support_clients") == {"Unknown": 1}
    assert counted(con, "care_events_with_nhs_number") == {}


def test_the_order_of_rows_and_their_numbers_change_nothing() -> None:
    delivered = [
        event(person, what, start, end, outcome, age_band=age, lsoa21cd=area)
        for person, age, area in (("a", "65-74", "E01990001"), ("b", "85-94", "E01990002"))
        for what, start, end, outcome in (
            ("request", "2026-01-02", "2026-01-04", "assess"),
            ("request", "2026-01-02", "2026-01-04", "advice"),
            ("assessment", "2026-01-10", "2026-01-20", "services"),
            ("home care", "2026-01-22", "", ""),
            ("care home", "2026-02-22", "", ""),
            ("review", "2026-03-01", "2026-03-02", ""),
        )
    ]
    delivered += [event("a", "home care", "2026-01-22", "", lsoa21cd="E01990003")]
    earlier = [e for e in delivered if e["event_start_date"] < "2026-01-15"]
    expected = told(joined({DECEMBER: earlier, MARCH: delivered}), "* EXCLUDE (event_id)")
    shuffled = random.Random(7)
    for _ in range(5):
        shuffled.shuffle(earlier)
        shuffled.shuffle(delivered)
        again = joined({DECEMBER: earlier, MARCH: delivered})
        assert told(again, "* EXCLUDE (event_id)") == expected


def test_nothing_delivered_makes_no_event() -> None:
    con = joined({MARCH: []})

    assert told(con, "event_id") == []
    assert all(not counted(con, c.measure) for c in contract().counts)


def test_which_deliveries_are_joined() -> None:
    quarters = [
        f"{year}-{month}" for year in (2024, 2025, 2026) for month in ("03", "06", "09", "12")
    ]

    found = earlier_deliveries(quarters, Span(MARCH))

    assert found == ["2025-03", "2025-06", "2025-09", "2025-12"]
    assert str(Span(MARCH).starts) == "2025-04-01"
    assert str(Span(MARCH).ends) == "2026-03-31"


def test_the_rules_of_a_contract_are_checked() -> None:
    rules = contract().events
    assert rules is not None
    said = rules.model_dump()
    for changes in (
        {"unique_keys": {"Service": ["person_id"]}},
        {"unique_keys": {**said["unique_keys"], "Service": ["unit_cost"]}},
        {"wait_limits": [28, 14]},
        {"residential": ["Short term support: ST-Max"]},
    ):
        with pytest.raises((ValueError, LsoalinkError)):
            type(rules).model_validate({**said, **changes})
