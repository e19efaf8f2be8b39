"""The rules of social care events, as tables an analyst of adult social care can read.

Each case: the events of one person as a council returns them (what, start, end, outcome), what is
counted of them in January to March 2026, and why. The return covers 1 April 2025 to 31 March 2026.
"""

from __future__ import annotations

import pytest
from care_samples import PERIOD, counted, event, joined, rows, told, total

Told = tuple[str, ...]

REQUESTS: list[tuple[str, list[Told], int]] = [
    ("one request is one", [("request", "2026-02-01", "2026-02-03")], 1),
    (
        "a gap of 4 days between the end of one and the start of the next: one request",
        [("request", "2026-02-01", "2026-02-03"), ("request", "2026-02-07", "2026-02-08")],
        1,
    ),
    (
        "a gap of 5 days: two requests",
        [("request", "2026-02-01", "2026-02-03"), ("request", "2026-02-08", "2026-02-09")],
        2,
    ),
    (
        "the gap is measured from the latest end so far, not from the request before",
        [
            ("request", "2026-02-01", "2026-02-20"),
            ("request", "2026-02-02", "2026-02-03"),
            ("request", "2026-02-23", "2026-02-24"),
        ],
        1,
    ),
    (
        "requests that overlap are one",
        [("request", "2026-02-01", "2026-02-20"), ("request", "2026-02-10", "2026-02-12")],
        1,
    ),
    (
        "somebody with long-term support at the request's start is no new client",
        [("home care", "2025-06-01", ""), ("request", "2026-02-01", "2026-02-03")],
        0,
    ),
    (
        "support that ends on the very day of the request is still open then",
        [("home care", "2025-06-01", "2026-02-01"), ("request", "2026-02-01", "2026-02-03")],
        0,
    ),
    (
        "support that ended the day before: a new client",
        [("home care", "2025-06-01", "2026-01-31"), ("request", "2026-02-01", "2026-02-03")],
        1,
    ),
    (
        "support that starts on the day of the request is its answer: a new client",
        [("request", "2026-02-01", "2026-02-03"), ("home care", "2026-02-01", "")],
        1,
    ),
    (
        "short-term support does not make an existing client",
        [("reablement", "2026-01-20", ""), ("request", "2026-02-01", "2026-02-03")],
        1,
    ),
    (
        "a request is counted in the quarter in which the first of it was dealt with: not here",
        [("request", "2025-12-20", "2025-12-31"), ("request", "2026-01-02", "2026-01-05")],
        0,
    ),
    ("completed on the first day of the quarter", [("request", "2025-12-20", "2026-01-01")], 1),
    ("not yet dealt with: counted once it has an end", [("request", "2026-02-01", "")], 0),
    ("dealt with on the quarter's last day", [("request", "2026-02-01", "2026-03-31")], 1),
    (
        "one of two is not yet dealt with: counted by the one that was",
        [("request", "2026-02-01", "2026-02-03"), ("request", "2026-02-05", "")],
        1,
    ),
    ("a carer's request is not a client's", [("carer request", "2026-02-01", "2026-02-02")], 0),
]  # fmt: skip


def of_one(events: list[Told]) -> dict[str, list[dict[str, object]]]:
    return {PERIOD: rows(*(("a", *told) for told in events))}


@pytest.mark.parametrize(("why", "events", "expected"), REQUESTS, ids=[c[0] for c in REQUESTS])
def test_new_requests(why: str, events: list[Told], expected: int) -> None:
    assert total(joined(of_one(events)), "new_support_requests") == expected


REQUEST = ("request", "2026-01-01", "2026-01-10", "services")
#    what follows a request that ended on 10 January, and what it is said to have led to
SEQUELS: list[tuple[str, list[Told], str]] = [
    ("nothing", [], "No service"),
    ("28 days later", [("home care", "2026-02-07", "")], "Long term support: Community"),
    ("29 days later: no longer because of it", [("home care", "2026-02-08", "")], "No service"),
    (
        "an assessment after 28 days, and a service 3 days after that ended: one chain",
        [("assessment", "2026-02-07", "2026-02-20"), ("home care", "2026-02-23", "")],
        "Long term support: Community",
    ),
    (
        "the service 4 days after the assessment ended: the chain is broken",
        [("assessment", "2026-02-07", "2026-02-20"), ("home care", "2026-02-24", "")],
        "No service",
    ),
    (
        "of several services the weightiest: reablement, then a care home, then home care",
        [("home care", "2026-01-12", ""), ("reablement", "2026-01-14", "2026-02-01")],
        "Short term support: ST-Max",
    ),
    (
        "a care home weighs more than home care",
        [("home care", "2026-01-12", ""), ("care home", "2026-01-14", "")],
        "Long term support: Residential care",
    ),
    (
        "a service begun while the request was open, and still open at its end",
        [("low level", "2026-01-05", "")],
        "Short term support: Ongoing low level",
    ),
    (
        "a service begun and ended before the request's end",
        [("low level", "2026-01-05", "2026-01-09")],
        "No service",
    ),
    (
        "another request takes its place: what follows that is not its own",
        [("request", "2026-01-20", "2026-01-21", "services"), ("home care", "2026-01-25", "")],
        "No service",
    ),
]


@pytest.mark.parametrize(("why", "after", "expected"), SEQUELS, ids=[c[0] for c in SEQUELS])
def test_what_a_request_led_to(why: str, after: list[Told], expected: str) -> None:
    con = joined(of_one([REQUEST, *after]))

    (found,) = told(con, "request_sequel", "request_completed_on = DATE '2026-01-10'")
    assert found == (expected,)


def test_a_sequel_is_counted_once_nothing_more_can_become_it() -> None:
    con = joined(of_one([REQUEST, ("home care", "2026-01-15", "")]))
    assert counted(con, "new_requests_by_sequel") == {"Long term support: Community": 1}

    late = ("request", "2026-03-01", "2026-03-04")  # 28 days later it is April
    assert counted(joined(of_one([late])), "new_requests_by_sequel") == {}


WAITS: list[tuple[str, list[Told], dict[str, int], dict[str, int]]] = [
    (
        "assessed after 14 days, helped after 15",
        [
            ("request", "2026-01-01", "2026-01-03", "assess"),
            ("assessment", "2026-01-15", "2026-01-16", "services"),
            ("home care", "2026-01-16", ""),
        ],
        {"up to 14 days": 1},
        {"15 to 28 days": 1},
    ),
    (
        "helped at once, without an assessment: the service is the first answer",
        [("request", "2026-01-01", "2026-01-03", "services"), ("home care", "2026-01-01", "")],
        {"up to 14 days": 1},
        {"up to 14 days": 1},
    ),
    (
        "28 days, and 84",
        [
            ("request", "2025-12-31", "2026-01-03", "assess"),
            ("assessment", "2026-01-28", "2026-01-30"),
            ("home care", "2026-03-25", ""),
        ],
        {"15 to 28 days": 1},
        {"29 to 84 days": 1},
    ),
    (
        "85 days, of which the answer alone lies in this quarter",
        [
            ("request", "2025-10-10", "2025-10-12", "services"),
            ("home care", "2026-01-03", ""),
        ],
        {"more than 84 days": 1},
        {"more than 84 days": 1},
    ),
    (
        "still waiting: no wait has ended",
        [("request", "2026-01-01", "2026-01-03", "assess")],
        {},
        {},
    ),
    (
        "a request that ends with advice waits for nothing",
        [("request", "2026-01-01", "2026-01-03", "advice"), ("home care", "2026-02-01", "")],
        {},
        {},
    ),
    (
        "asking again while waiting starts no second wait",
        [
            ("request", "2026-01-01", "2026-01-03", "assess"),
            ("request", "2026-01-20", "2026-01-21", "assess"),
            ("assessment", "2026-02-10", "2026-02-12"),
        ],
        {"29 to 84 days": 1},
        {},
    ),
]


@pytest.mark.parametrize(("why", "events", "response", "service"), WAITS, ids=[c[0] for c in WAITS])
def test_waits(
    why: str, events: list[Told], response: dict[str, int], service: dict[str, int]
) -> None:
    con = joined(of_one(events))

    assert counted(con, "waits_for_response") == response
    assert counted(con, "waits_for_service") == service


#    long-term support of one person: counted in the year, counted at its end (31 March 2026)
LONG_TERM: list[tuple[str, list[Told], int, int]] = [
    ("open throughout", [("home care", "2024-01-01", "")], 1, 1),
    ("ended on the first day of the year", [("home care", "2024-01-01", "2025-04-01")], 1, 0),
    ("ended the day before the year", [("home care", "2024-01-01", "2025-03-31")], 0, 0),
    ("ended the day before the year's end", [("home care", "2025-05-01", "2026-03-30")], 1, 0),
    ("ended on the last day", [("home care", "2025-05-01", "2026-03-31")], 1, 1),
    ("started on the last day", [("home care", "2026-03-31", "")], 1, 1),
    (
        "two services at once: one person",
        [("home care", "2025-05-01", ""), ("direct payment", "2025-06-01", "")],
        1,
        1,
    ),
    ("reablement is short-term", [("reablement", "2026-03-01", "")], 0, 0),
    ("support of a carer is not support of a client", [("carer support", "2025-05-01", "")], 0, 0),
]


@pytest.mark.parametrize(
    ("why", "events", "in_year", "at_end"), LONG_TERM, ids=[c[0] for c in LONG_TERM]
)
def test_long_term_support(why: str, events: list[Told], in_year: int, at_end: int) -> None:
    con = joined(of_one(events))

    assert total(con, "long_term_support_clients_in_year") == in_year
    assert total(con, "long_term_support_clients") == at_end


#    admissions on 1 February 2026: 365 days before it is 1 February 2025
ADMISSIONS: list[tuple[str, list[Told], int]] = [
    ("never in care before", [("care home", "2026-02-01", "")], 1),
    (
        "left another home 365 days before: not new",
        [("nursing home", "2024-01-01", "2025-02-01"), ("care home", "2026-02-01", "")],
        0,
    ),
    (
        "left another home 366 days before: new",
        [("nursing home", "2024-01-01", "2025-01-31"), ("care home", "2026-02-01", "")],
        1,
    ),
    (
        "moved from one home to another on the same day: not new",
        [("care home", "2025-05-01", "2026-02-01"), ("nursing home", "2026-02-01", "")],
        0,
    ),
    (
        "home care before does not matter",
        [("home care", "2024-01-01", ""), ("care home", "2026-02-01", "")],
        1,
    ),
    (
        "two rows on one day are one admission",
        [("care home", "2026-02-01", ""), ("nursing home", "2026-02-01", "")],
        1,
    ),
    (
        "who then pays for the place is not counted",
        [("care home", "2026-02-01", "2026-03-01", "self-funded")],
        0,
    ),
    (
        "who paid for the place and now no longer does is admitted then",
        [("care home", "2025-11-01", "2026-01-31", "self-funded"), ("care home", "2026-02-01", "")],
        1,
    ),
    (
        "a stay of one's own money between two of the council's does not break the 365 days",
        [
            ("care home", "2024-05-01", "2025-02-01"),
            ("care home", "2025-02-02", "2026-01-31", "self-funded"),
            ("care home", "2026-02-01", ""),
        ],
        0,
    ),
    ("admitted on 31 December: the quarter before", [("care home", "2025-12-31", "")], 0),
]  # fmt: skip


@pytest.mark.parametrize(("why", "events", "expected"), ADMISSIONS, ids=[c[0] for c in ADMISSIONS])
def test_new_admissions(why: str, events: list[Told], expected: int) -> None:
    assert total(joined(of_one(events)), "residential_admissions") == expected


YES, NO = {"no ongoing support": 1}, {"ongoing support": 1}
ENDED = ("reablement", "2026-01-05", "2026-02-01", "as planned")
#    reablement that ended on 1 February 2026, and what became of it
SHORT_TERM: list[tuple[str, list[Told], dict[str, int]]] = [
    ("nothing followed, and it ended as planned", [ENDED], YES),
    ("home care 3 days later", [ENDED, ("home care", "2026-02-04", "")], NO),
    ("home care 4 days later: too late", [ENDED, ("home care", "2026-02-05", "")], YES),
    ("low-level support is no ongoing support", [ENDED, ("low level", "2026-02-03", "")], YES),
    (
        "an assessment, and home care 3 days after it: one chain",
        [ENDED, ("assessment", "2026-02-03", "2026-02-10"), ("home care", "2026-02-13", "")],
        NO,
    ),
    (
        "the person died: neither the one nor the other",
        [("reablement", "2026-01-05", "2026-02-01", "died")],
        {},
    ),
    (
        "long-term support in the year before: no new client",
        [("home care", "2024-01-01", "2025-01-06"), ENDED],
        {},
    ),
    (
        "long-term support that ended 365 days before: a new client",
        [("home care", "2024-01-01", "2025-01-05"), ENDED],
        YES,
    ),
    (
        "two spells a day apart are one",
        [("reablement", "2025-12-20", "2026-01-04", "hospital"), ENDED],
        YES,
    ),
    (
        "two spells two days apart are two",
        [("reablement", "2025-12-20", "2026-01-03", "as planned"), ENDED],
        {"no ongoing support": 2},
    ),
    ("not yet ended", [("reablement", "2026-01-05", "")], {}),
    (
        "ended in March: what follows is known in April only",
        [("reablement", "2026-02-05", "2026-03-10", "as planned")],
        {},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("why", "events", "expected"), SHORT_TERM, ids=[c[0] for c in SHORT_TERM])
def test_what_followed_reablement(why: str, events: list[Told], expected: dict[str, int]) -> None:
    assert counted(joined(of_one(events)), "short_term_support_ended") == expected


def test_the_dead_receive_nothing() -> None:
    died = event("a", "home care", "2025-05-01", "", date_of_death="2026-02-02")

    con = joined({PERIOD: [died]})

    assert told(con, "CAST(derived_end_date AS VARCHAR)") == [("2026-02-02",)]
    assert total(con, "long_term_support_clients_in_year") == 1
    assert total(con, "long_term_support_clients") == 0


def test_the_earlier_of_end_and_death_ends_an_event() -> None:
    con = joined(
        {
            PERIOD: [
                event("a", "home care", "2025-05-01", "2025-12-31", date_of_death="2026-02-02"),
                event("b", "home care", "2025-05-01", "2026-03-31", date_of_death="2026-02-02"),
                event("c", "home care", "2026-02-03", "", date_of_death="2026-02-02"),
            ]
        }
    )

    ends = told(con, "person_id, CAST(derived_end_date AS VARCHAR)")
    assert ends == [("a", "2025-12-31"), ("b", "2026-02-02")]  # c began after death: no event


LD = "Learning Disability Support"
FAMILY, HOME = "Settled mainstream housing with family or friends", "Registered care home"
#    age, home, primary support reason of a person with long-term support
SETTLED: list[tuple[str, str, str, str, dict[str, int]]] = [
    ("with family", "25-44", FAMILY, LD, {"settled": 1}),
    ("in a care home", "45-64", HOME, LD, {"not settled": 1}),
    ("not known: in the denominator", "18-24", "Unknown", LD, {"not known": 1}),
    ("a value that is none: not known", "18-24", "A yurt", LD, {"not known": 1}),
    ("over 64: not counted", "65-74", HOME, LD, {}),
    ("another support reason: not counted", "25-44", FAMILY, "Mental Health Support", {}),
]


@pytest.mark.parametrize(
    ("why", "age", "home", "reason", "expected"), SETTLED, ids=[c[0] for c in SETTLED]
)
def test_people_with_a_learning_disability_in_settled_homes(
    why: str, age: str, home: str, reason: str, expected: dict[str, int]
) -> None:
    person = {"age_band": age, "accommodation_status": home, "primary_support_reason": reason}
    con = joined({PERIOD: [event("a", "home care", "2025-05-01", **person)]})

    assert counted(con, "learning_disability_clients") == expected


ARRANGED: list[tuple[str, list[Told], dict[str, int]]] = [
    ("direct payment", [("direct payment", "2025-05-01", "")], {"direct payment": 1}),
    ("arranged by the council", [("home care", "2025-05-01", "")], {"other": 1}),
    (
        "both: direct payment goes first",
        [("direct payment", "2025-05-01", ""), ("home care", "2025-05-01", "")],
        {"direct payment": 1},
    ),
    (
        "in a care home as well: not counted",
        [("direct payment", "2025-05-01", ""), ("care home", "2025-06-01", "")],
        {},
    ),
    ("ended before the last day", [("direct payment", "2025-05-01", "2026-03-30")], {}),
]


@pytest.mark.parametrize(("why", "events", "expected"), ARRANGED, ids=[c[0] for c in ARRANGED])
def test_how_support_at_home_is_arranged(
    why: str, events: list[Told], expected: dict[str, int]
) -> None:
    assert counted(joined(of_one(events)), "community_support_clients") == expected


def test_carers_known_in_the_year_count_once() -> None:
    con = joined(
        {
            PERIOD: [
                event("a", "carer support", "2024-05-01"),
                event("a", "carer assessment", "2025-05-01", "2025-05-02"),
                event("b", "carer assessment", "2025-04-01", "2025-04-01"),
                event("c", "carer assessment", "2025-03-01", "2025-03-31"),  # before the year
                event("d", "home care", "2025-05-01"),  # no carer
            ]
        }
    )

    assert counted(con, "carers_known") == {"all": 2}


def test_clients_in_temporary_accommodation_are_those_last_known_to_be() -> None:
    placed = "Placed in temporary accommodation by the council (inc. homelessness resettlement)"
    tenant = "Tenant: Private landlord"
    homes = {
        "moved out": (placed, tenant),
        "moved in": (tenant, placed),
        "no longer said": (placed, None),
    }
    told_of = []
    for person, (first, later) in homes.items():
        told_of += [
            event(person, "home care", "2025-05-01", accommodation_status=first),
            event(person, "review", "2026-01-05", "2026-01-06", accommodation_status=later),
        ]
    con = joined({PERIOD: told_of})

    assert counted(con, "clients_in_temporary_accommodation") == {"all": 2}


def test_a_person_is_in_the_age_band_of_the_latest_event() -> None:
    con = joined(
        {
            PERIOD: [
                event("a", "home care", "2025-05-01", age_band="45-64"),
                event("a", "direct payment", "2026-02-01", age_band="65-74", lsoa21cd="E01990002"),
            ]
        }
    )

    assert counted(con, "long_term_support_clients") == {"65-74": 1}


def test_events_of_people_whose_nhs_number_is_held_and_values_that_are_none() -> None:
    here, before = ("2026-02-01", "2026-02-02"), ("2025-11-01", "2025-11-02")
    con = joined(
        {
            PERIOD: [
                event("a", "request", *here, "advice", has_nhs_number=True),
                event("b", "request", *here, "Gave advice", has_nhs_number=False),
                event("c", "review", *here, accommodation_status="Refuge"),
                event("d", "request", *before, "Gave advice", has_nhs_number=True),
            ]
        }
    )

    assert counted(con, "care_events") == {"all": 3}  # d is of another quarter
    assert counted(con, "care_events_with_nhs_number") == {"all": 1}
    assert counted(con, "care_values") == {"all": 3}  # two outcomes, one accommodation
    assert counted(con, "care_values_invalid") == {"all": 1}
    assert told(con, "event_outcome_clean", "person_id = 'b'") == [("Invalid and not mapped",)]
    assert told(con, "event_outcome", "person_id = 'b'") == [("Gave advice",)]
