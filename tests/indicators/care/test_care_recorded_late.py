"""What a council records late is counted once: in the quarter whose return first has it.

Each case: the events of one person as the returns of four quarters hold them, and what is counted
of them in each quarter, made with the returns before it.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import Any

import pytest
from care_samples import event, joined, rows, told, total

from declarations.base import first_day, last_day, month_index, month_of
from indicators.care.known import EVER, known_from
from indicators.care.span import Span

SEP, DEC, MAR, JUN = "2025-09", "2025-12", "2026-03", "2026-06"
Told = tuple[str, ...]
Case = tuple[str, dict[str, list[Told]], dict[str, int]]

ASKED = ("request", "2026-02-01", "2026-02-03")
STAY = ("care home", "2026-02-01", "")
OWN_MONEY = ("care home", "2026-01-10", "2026-03-31", "self-funded")

REQUESTS: list[Case] = [
    ("told in time", {DEC: [], MAR: [ASKED], JUN: [ASKED]}, {MAR: 1}),
    ("told a quarter late", {DEC: [], MAR: [], JUN: [ASKED]}, {JUN: 1}),
    ("told late, without the return before it: by its own day alone", {JUN: [ASKED]}, {}),
    ("told late, and only an older return there: the same", {DEC: [], JUN: [ASKED]}, {}),
    (
        "told in time and left out once: counted when it first was there",
        {SEP: [], DEC: [], MAR: [ASKED], JUN: []},
        {MAR: 1},
    ),
    (
        "the first of the months the return covers, told late",
        {DEC: [], MAR: [], JUN: [("request", "2025-06-30", "2025-07-01")]},
        {JUN: 1},
    ),
    (
        "the day before the months the return covers: too long ago",
        {DEC: [], MAR: [], JUN: [("request", "2025-06-29", "2025-06-30")]},
        {},
    ),
    (
        "open in two returns: not counted until it has an end",
        {DEC: [], MAR: [("request", "2026-02-01", "")], JUN: [("request", "2026-02-01", "")]},
        {},
    ),
    (
        "open, then dealt with in the next quarter",
        {
            DEC: [],
            MAR: [("request", "2026-02-01", "")],
            JUN: [("request", "2026-02-01", "2026-05-01")],
        },
        {JUN: 1},
    ),
    (
        "open, then told to have been dealt with in the quarter before",
        {DEC: [], MAR: [("request", "2026-02-01", "")], JUN: [ASKED]},
        {JUN: 1},
    ),
    (
        "an earlier row of a request already counted",
        {DEC: [], MAR: [ASKED], JUN: [("request", "2026-01-20", "2026-01-30"), ASKED]},
        {MAR: 1},
    ),
    (
        "another end of a request already counted",
        {DEC: [], MAR: [ASKED], JUN: [("request", "2026-02-01", "2026-04-03")]},
        {MAR: 1},
    ),
    (
        "an end in the quarter to come, and an earlier row told late",
        {
            DEC: [],
            MAR: [("request", "2026-03-20", "2026-04-02")],
            JUN: [("request", "2026-03-18", "2026-03-19"), ("request", "2026-03-20", "2026-04-02")],
        },
        {JUN: 1},
    ),
]  # fmt: skip

SEQUELS: list[Case] = [
    (
        "the request goes on, told a quarter later: counted once, as it was known then",
        {
            DEC: [],
            MAR: [("request", "2026-01-10", "2026-01-20")],
            JUN: [("request", "2026-01-10", "2026-01-20"), ("request", "2026-01-22", "2026-03-10")],
        },
        {MAR: 1},
    ),
    (
        "the request goes on, told at once: 28 days after its last end",
        {
            DEC: [],
            MAR: [("request", "2026-01-10", "2026-01-20"), ("request", "2026-01-22", "2026-03-10")],
            JUN: [("request", "2026-01-10", "2026-01-20"), ("request", "2026-01-22", "2026-03-10")],
        },
        {JUN: 1},
    ),
    (
        "28 days were over on the quarter's last day",
        {
            DEC: [],
            MAR: [("request", "2026-02-25", "2026-03-03")],
            JUN: [("request", "2026-02-25", "2026-03-03"), ("request", "2026-03-05", "2026-03-20")],
        },
        {MAR: 1},
    ),
    (
        "28 days were not over: the end that was told later counts, once",
        {
            DEC: [],
            MAR: [("request", "2026-02-25", "2026-03-04")],
            JUN: [("request", "2026-02-25", "2026-03-04"), ("request", "2026-03-06", "2026-03-20")],
        },
        {JUN: 1},
    ),
    ("told late", {DEC: [], MAR: [], JUN: [ASKED]}, {JUN: 1}),
]  # fmt: skip

ADMISSIONS: list[Case] = [
    ("told in time", {DEC: [], MAR: [STAY], JUN: [STAY]}, {MAR: 1}),
    ("told a quarter late", {DEC: [], MAR: [], JUN: [STAY]}, {JUN: 1}),
    ("told two quarters late", {SEP: [], DEC: [], MAR: [], JUN: [("care home", "2025-10-05", "")]},
     {JUN: 1}),
    ("told late, without the return before it", {DEC: [], JUN: [STAY]}, {}),
    (
        "years ago, first told now: no admission of this quarter",
        {DEC: [], MAR: [], JUN: [("care home", "2023-05-01", "")]},
        {},
    ),
    (
        "the start corrected to an earlier day of the same quarter",
        {DEC: [], MAR: [STAY], JUN: [("care home", "2026-01-30", "")]},
        {MAR: 1},
    ),
    (
        "the start corrected to a later day",
        {DEC: [], MAR: [STAY], JUN: [("care home", "2026-04-02", "")]},
        {MAR: 1},
    ),
    (
        "an earlier stay told late: the admission was counted by the later one",
        {DEC: [], MAR: [STAY], JUN: [("nursing home", "2025-12-01", "2026-01-15"), STAY]},
        {MAR: 1},
    ),
    (
        "the same stay under another component",
        {DEC: [], MAR: [STAY], JUN: [("nursing home", "2026-02-01", "")]},
        {MAR: 1},
    ),
    (
        "paid for oneself, then by the council",
        {DEC: [], MAR: [OWN_MONEY], JUN: [OWN_MONEY, ("care home", "2026-04-01", "")]},
        {JUN: 1},
    ),
    (
        "both in one return",
        {
            DEC: [],
            MAR: [("care home", "2025-11-01", "2026-01-23", "self-funded"),
                  ("care home", "2026-01-24", "")],
        },
        {MAR: 1},
    ),
    (
        "a stay told to be paid for oneself, and then not to be",
        {DEC: [], MAR: [("care home", "2026-02-01", "", "self-funded")], JUN: [STAY]},
        {JUN: 1},
    ),
]  # fmt: skip

ENDED = ("reablement", "2026-01-05", "2026-02-01", "as planned")
SHORT_TERM: list[Case] = [
    ("told in time", {DEC: [], MAR: [ENDED], JUN: [ENDED]}, {MAR: 1}),
    ("told a quarter late", {DEC: [], MAR: [], JUN: [ENDED]}, {JUN: 1}),
    (
        "its end told a quarter late",
        {DEC: [], MAR: [("reablement", "2026-01-05", "")], JUN: [ENDED]},
        {JUN: 1},
    ),
    (
        "its end told late, without the return before it",
        {
            DEC: [("reablement", "2025-12-05", "")],
            JUN: [("reablement", "2025-12-05", "2026-02-01")],
        },
        {},
    ),
    (
        "another end, told later",
        {DEC: [], MAR: [ENDED], JUN: [("reablement", "2026-01-05", "2026-03-20", "as planned")]},
        {MAR: 1},
    ),
    (
        "a further spell told later",
        {DEC: [], MAR: [ENDED], JUN: [ENDED, ("reablement", "2026-02-02", "2026-04-10",
                                              "as planned")]},
        {MAR: 1},
    ),
    (
        "left out while open: ended with the return that had it last",
        {DEC: [], MAR: [("reablement", "2026-03-01", "", "as planned")], JUN: []},
        {JUN: 1},
    ),
]  # fmt: skip

HELPED, SOON = ("home care", "2026-03-01", ""), ("request", "2026-02-01", "2026-02-03", "services")
WAITS: list[Case] = [
    ("told in time", {DEC: [], MAR: [SOON, HELPED], JUN: [SOON, HELPED]}, {MAR: 1}),
    ("the answer told late", {DEC: [], MAR: [SOON], JUN: [SOON, HELPED]}, {JUN: 1}),
    ("the request told late", {DEC: [], MAR: [HELPED], JUN: [SOON, HELPED]}, {JUN: 1}),
    (
        "an earlier answer told late: the same wait",
        {DEC: [], MAR: [SOON, HELPED], JUN: [SOON, HELPED, ("low level", "2026-02-10", "")]},
        {MAR: 1},
    ),
]

CASES = [
    (measure, *case)
    for measure, cases in (
        ("new_support_requests", REQUESTS),
        ("new_requests_by_sequel", SEQUELS),
        ("residential_admissions", ADMISSIONS),
        ("short_term_support_ended", SHORT_TERM),
        ("waits_for_service", WAITS),
    )
    for case in cases
]


def by_quarter(measure: str, returns: dict[str, list[dict[str, Any]]]) -> dict[str, int]:
    """Return a measure in each quarter, counted with that quarter's return and those before it."""
    found = {}
    for quarter in returns:
        con = joined({month: held for month, held in returns.items() if month <= quarter})
        found[quarter] = total(con, measure, quarter)
    return {quarter: value for quarter, value in found.items() if value}


@pytest.mark.parametrize(
    ("measure", "why", "returns", "expected"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES]
)
def test_what_is_recorded_late(
    measure: str, why: str, returns: dict[str, list[Told]], expected: dict[str, int]
) -> None:
    held = {month: rows(*(("a", *row) for row in of)) for month, of in returns.items()}

    assert by_quarter(measure, held) == expected


def test_a_death_told_late_ends_an_open_request_when_it_is_told() -> None:
    asked = ("a", "request", "2026-02-01")
    dead = event(*asked, date_of_death="2026-02-20")
    returns = {DEC: [], MAR: [event(*asked)], JUN: [dead], "2026-09": [dead]}

    assert by_quarter("new_support_requests", returns) == {JUN: 1}


def test_since_when_a_delivery_makes_something_known() -> None:
    span = Span(JUN)

    assert known_from(JUN, [DEC, MAR, JUN], span) == "DATE '2026-04-01'"
    assert known_from(MAR, [DEC, MAR, JUN], span) == "DATE '2026-01-01'"
    assert known_from(DEC, [DEC, MAR, JUN], span) == EVER
    assert known_from(JUN, [DEC, JUN], span) == EVER
    assert known_from(JUN, [JUN], Span(JUN, months=0)) == EVER


QUARTERS = ["2025-03", "2025-06", SEP, DEC, MAR, JUN]
KINDS = ["request", "care home", "reablement"]


def history(draw: random.Random, person: str) -> dict[str, list[dict[str, Any]]]:
    """Return what each return has of one request, stay or reablement of two rows at random.

    They happen in July to December 2025. Each row is first told up to two quarters late, and may
    lose a quarter again; so is the end of a service, which may be moved a little afterwards.
    """
    what = KINDS[int(person) % len(KINDS)]
    began = dt.date(2025, 7, 1) + dt.timedelta(days=draw.randrange(100))
    held: dict[str, list[dict[str, Any]]] = {quarter: [] for quarter in QUARTERS}
    for _ in range(2):
        ended = began + dt.timedelta(days=draw.randrange(1, 20))
        first = next(i for i, q in enumerate(QUARTERS) if last_day(q) >= began)
        told_in = first + draw.randrange(3)
        closed_in = next(i for i, q in enumerate(QUARTERS) if last_day(q) >= ended)
        closed_in = max(told_in, closed_in + draw.randrange(3))
        for i in range(told_in, len(QUARTERS)):
            open_still = i < closed_in
            moved = ended + dt.timedelta(days=1) if i == len(QUARTERS) - 1 else ended
            if draw.random() < 0.9 or i in (told_in, closed_in):
                end = "" if open_still else str(moved if what == "reablement" else ended)
                held[QUARTERS[i]].append(event(person, what, str(began), end, "as planned"))
        began = ended + dt.timedelta(days=1)
    return held


def counted_in(con: Any, quarter: str, what: str) -> list[str]:
    """Return the people of whom a quarter counts something."""
    start = first_day(month_of(month_index(quarter) - 2))
    within = f"BETWEEN DATE '{start}' AND DATE '{last_day(quarter)}'"
    where = {
        "requests": f"new_request AND request_completed_on {within}",
        "sequels": f"new_request AND sequel_known_on {within}",
        "admissions": "new_admission",
        "short term": f"short_term_sequel <> 'left out' AND short_term_known_on {within}",
    }[what]
    return [row[0] for row in told(con, "person_id", where)]


def test_whatever_is_told_when_nothing_is_counted_twice() -> None:
    draw = random.Random(20261122)
    people = [str(n) for n in range(150)]
    returns: dict[str, list[dict[str, Any]]] = {quarter: [] for quarter in QUARTERS}
    for person in people:
        for quarter, held in history(draw, person).items():
            returns[quarter] += held

    found: dict[str, Counter[str]] = {
        what: Counter() for what in ("requests", "sequels", "admissions", "short term")
    }
    for n, quarter in enumerate(QUARTERS):
        con = joined({q: returns[q] for q in QUARTERS[max(0, n - 4) : n + 1]})
        for what, counts in found.items():
            counts.update(counted_in(con, quarter, what))

    asked, stayed, helped = ([p for p in people if int(p) % 3 == k] for k in range(3))
    assert found["requests"] == dict.fromkeys(asked, 1)
    assert found["admissions"] == dict.fromkeys(stayed, 1)
    for what, of in (("sequels", asked), ("short term", helped)):
        assert set(found[what]) <= set(of)
        assert set(found[what].values()) == {1}
        assert len(found[what]) > 0.8 * len(of)
