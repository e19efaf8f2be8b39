"""What adult social care does: requests, assessments, services with their costs, reviews.

Belongs here: every event of a council's clients over the whole span. Does not belong here: the
clients themselves, which are ``care_people``, or the return of a quarter, which is
``social_care``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from synthetic import code_lists
from synthetic.care_people import People
from synthetic.draws import days, pick, yes_no
from synthetic.tables import NEVER, Cells, Table, numbers, select

COMPONENTS: dict[str, dict[str, float]] = {
    "Long term support: Nursing care": {"Nursing care": 1.0},
    "Long term support: Residential care": {"Residential care": 1.0},
    "Long term support: Community": {
        "Home support or domiciliary care": 52,
        "Direct payment": 22,
        "Community supported living": 16,
        "Extra care housing": 4,
        "Shared Lives": 2,
        "Day support": 4,
    },
    "Short term support: ST-Max": {"Reablement": 1.0},
    "Unpaid carer support: Direct to unpaid carer": {"Carer respite or direct support": 1.0},
}
CARE_HOMES = {
    "Long term support: Nursing care": "Registered nursing home",
    "Long term support: Residential care": "Registered care home",
}
# Weekly cost by component, pounds: invented round figures.
WEEKLY_COST = {
    "Nursing care": 1050,
    "Residential care": 920,
    "Home support or domiciliary care": 290,
    "Direct payment": 350,
    "Community supported living": 880,
    "Extra care housing": 260,
    "Shared Lives": 480,
    "Day support": 130,
    "Reablement": 310,
    "Carer respite or direct support": 45,
}


@dataclass(frozen=True)
class Events:
    """Things that happened, in order of their start.

    Attributes
    ----------
    person : (n,) array of int
        Row of the person.
    begins, ends : (n,) array of datetime64
        First and last day; an end may lie after the span.
    returned_to : (n,) array of datetime64
        The last day up to which the council's returns have the event; NaT if they always do. A
        service that was closed and deleted without an end vanishes from the returns.
    cells : dict of str to object array
        Event fields of the return.
    """

    person: NDArray[np.int64]
    begins: Cells
    ends: Cells
    returned_to: Cells
    cells: Table


VANISHING = 0.03
"""Share of services that a council deletes, instead of ending them."""
ASKED_AGAIN = 0.10
"""Share of requests recorded in a second row, with a gap of few days."""


def make_events(
    rng: Generator, people: People, start: np.datetime64, end: np.datetime64, district: int
) -> Events:
    """Invent what happens to a council's people between two days.

    Marks in ``people`` who died and who lives in a care home.
    """
    span = int((end - start).astype(int))
    long = np.flatnonzero(people.kind == "long")
    carers = np.flatnonzero(people.kind == "carer")
    blocks = _long_term(rng, people, long, start, span)
    blocks += _short_term(rng, np.flatnonzero(people.kind == "request"), start, span)
    blocks.append(
        _services(
            rng,
            carers,
            start + days(rng, -span // 2, span, carers.size),
            np.full(carers.size, end + np.timedelta64(400, "D")),
            _same("Unpaid carer support: Direct to unpaid carer", carers.size),
        )
    )
    blocks.append(_asked_again(rng, blocks))
    return _in_order(rng, blocks, district, start, span)


def _asked_again(rng: Generator, blocks: list[Events]) -> Events:
    """Repeat some requests a few days after their end: up to 4 days still mean the same request."""
    asked = [block for block in blocks if set(block.cells["Event_Type"]) == {"Request"}]
    person = np.concatenate([b.person for b in asked])
    ended = np.concatenate([b.ends for b in asked])
    again = np.flatnonzero(rng.random(person.size) < ASKED_AGAIN)
    return _requests(rng, person[again], ended[again] + days(rng, 0, 7, again.size))


def _long_term(
    rng: Generator,
    people: People,
    long: NDArray[np.int64],
    start: np.datetime64,
    span: int,
) -> list[Events]:
    # About half of the clients are in service on any day: each starts up to a span before or in it.
    service = pick(rng, code_lists.SERVICE_TYPES, long.size)
    begun = start + days(rng, -span, span, long.size)
    stopped = begun + np.clip(rng.exponential(1.2 * span, long.size), 20, 4 * span).astype(int)
    for kind, home in CARE_HOMES.items():
        people.cells["Accommodation_Status"][long[service == kind]] = home
    first = _services(rng, long, begun, stopped, service)
    dead = first.cells["Event_Outcome"] == "NFA: Deceased"
    people.died[long] = np.where(dead, stopped, NEVER)
    again = np.flatnonzero(rng.random(long.size) < 0.15)
    second = _services(
        rng,
        long[again],
        begun[again] + days(rng, 5, 90, again.size),
        stopped[again],
        _same("Long term support: Community", again.size),
    )
    second.cells["Event_Outcome"][dead[again]] = "NFA: Deceased"
    blocks = [first, second]
    for year in range(1 + span // 365):
        day = begun + 365 * year + days(rng, 30, 330, long.size)
        reviewed = (day < stopped) & (rng.random(long.size) < 0.5)
        blocks.append(_reviews(rng, long[reviewed], day[reviewed]))
    blocks.append(_requests(rng, long, begun - days(rng, 15, 60, long.size)))
    blocks.append(_assessments(rng, long, begun - days(rng, 5, 14, long.size)))
    return blocks


def _short_term(
    rng: Generator, once: NDArray[np.int64], start: np.datetime64, span: int
) -> list[Events]:
    asked = start + days(rng, 0, span, once.size)
    assessed = rng.random(once.size) < 0.35
    short = ~assessed & (rng.random(once.size) < 0.25)
    begun = asked[short] + days(rng, 1, 5, int(short.sum()))
    over = begun + days(rng, 7, 42, begun.size)
    on = np.flatnonzero(rng.random(begun.size) < 0.3)
    return [
        _requests(rng, once, asked),
        _assessments(rng, once[assessed], asked[assessed]),
        _services(
            rng,
            once[short],
            begun,
            over,
            _same("Short term support: ST-Max", begun.size),
        ),
        _services(
            rng,
            once[short][on],
            over[on] + days(rng, 0, 4, on.size),
            over[on] + days(rng, 60, 600, on.size),
            _same("Long term support: Community", on.size),
        ),
    ]


def _in_order(
    rng: Generator, blocks: list[Events], district: int, start: np.datetime64, span: int
) -> Events:
    begins = np.concatenate([block.begins for block in blocks])
    person = np.concatenate([block.person for block in blocks])
    names = sorted({name for block in blocks for name in block.cells})
    cells: Table = {
        name: np.concatenate(
            [block.cells.get(name, _same("", block.person.size)) for block in blocks]
        )
        for name in names
    }
    order = np.lexsort((person, begins))
    cells = select(cells, order)
    cells["Event_Reference"] = np.array(
        [f"EV{district + 1}{row + 1:07d}" for row in range(order.size)], dtype=object
    )
    ends = np.concatenate([block.ends for block in blocks])
    begins, ends = begins[order], ends[order]
    deleted = start + days(rng, 0, span, order.size)
    service = cells["Event_Type"] == "Service"
    slipped = rng.random(order.size) < VANISHING
    vanishes = slipped & service & (begins < deleted) & (deleted < ends)
    return Events(person[order], begins, ends, np.where(vanishes, deleted, NEVER), cells)


def _same(text: str, count: int) -> Cells:
    return np.full(count, text, dtype=object)


def _services(
    rng: Generator,
    person: NDArray[np.int64],
    begun: Cells,
    stopped: Cells,
    service: Cells,
) -> Events:
    count = person.size
    component = np.full(count, "", dtype=object)
    for kind, shares in COMPONENTS.items():
        rows = np.flatnonzero(service == kind)
        component[rows] = pick(rng, shares, rows.size)
    weekly = np.array([float(WEEKLY_COST[name]) for name in component.tolist()])
    cost = np.round(weekly * np.exp(rng.normal(0, 0.25, count)), 2)
    hourly = component == "Home support or domiciliary care"
    units = np.where(hourly, rng.integers(4, 29, count), 1)
    direct = component == "Direct payment"
    managed = {"CASSR Managed Personal Budget": 60, "CASSR Commissioned Support": 40}
    provider = rng.integers(1, 80, count)
    cells: Table = {
        "Event_Type": _same("Service", count),
        "Event_Description": _same("Service", count),
        "Event_Outcome": pick(rng, code_lists.SERVICE_OUTCOMES, count),
        "Service_Type": service,
        "Service_Component": component,
        "Delivery_Mechanism": np.where(direct, "Direct Payment", pick(rng, managed, count)).astype(
            object
        ),
        "Provider_CQC_Location_ID": np.where(
            direct, "", np.array([f"1-999{n:06d}" for n in provider], dtype=object)
        ).astype(object),
        "Provider_CQC_Location_Name": np.where(
            direct, "", np.array([f"Provider {n} (synthetic)" for n in provider], dtype=object)
        ).astype(object),
        "Unit_Cost": numbers(np.where(hourly, 23.5, cost), 2),
        "Cost_Frequency_Unit_Type": np.where(hourly, "Per hour", "Weekly").astype(object),
        "Planned_units_per_week": numbers(units),
    }
    return Events(person, begun, stopped, np.full(count, NEVER), cells)


def _reviews(rng: Generator, person: NDArray[np.int64], day: Cells) -> Events:
    count = person.size
    cells: Table = {
        "Event_Type": _same("Review", count),
        "Event_Description": _same("Review", count),
        "Event_Outcome": pick(rng, code_lists.REVIEW_OUTCOMES, count),
        "Review_Reason": pick(
            rng, {"Planned": 70, "Unplanned: Hospital": 8, "Unplanned: Other": 22}, count
        ),
        "Review_Outcomes_Achieved": pick(
            rng, {"Fully achieved": 45, "Partially achieved": 45, "Not achieved": 10}, count
        ),
        "Method_of_Review": pick(rng, {"Face to face": 62, "Telephone": 30, "Other": 8}, count),
    }
    return Events(person, day, day + days(rng, 0, 20, count), np.full(count, NEVER), cells)


def _requests(rng: Generator, person: NDArray[np.int64], day: Cells) -> Events:
    count = person.size
    cells: Table = {
        "Event_Type": _same("Request", count),
        "Event_Description": _same("Request", count),
        "Event_Outcome": pick(rng, code_lists.REQUEST_OUTCOMES, count),
        "Request_Route_of_Access": pick(rng, code_lists.ROUTES, count),
    }
    return Events(person, day, day + days(rng, 0, 14, count), np.full(count, NEVER), cells)


def _assessments(rng: Generator, person: NDArray[np.int64], day: Cells) -> Events:
    count = person.size
    cells: Table = {
        "Event_Type": _same("Assessment", count),
        "Event_Description": _same("Assessment", count),
        "Event_Outcome": pick(rng, code_lists.ASSESSMENT_OUTCOMES, count),
        "Assessment_Type": pick(
            rng, {"Long term assessment": 80, "Short term assessment": 20}, count
        ),
        "Eligible_Needs_Identified": yes_no(rng, 0.72, count),
        "Method_of_Assessment": pick(rng, {"Face to face": 66, "Telephone": 28, "Other": 6}, count),
    }
    return Events(person, day, day + days(rng, 2, 40, count), np.full(count, NEVER), cells)
