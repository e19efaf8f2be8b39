"""The returns of a synthetic council, counted by the rules, against what really happened there.

The generator knows the truth: every event with its real end. The returns hold it as councils return
it: up to four times, some rows twice, some services deleted instead of ended. Here a seventh of
what happens is recorded a quarter late. The expectation is recomputed from the truth in plain
Python, person by person, without any table.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd
import pytest
from care_samples import contract, counted

from declarations.base import first_day, last_day, month_index, month_of
from indicators.care import make_events
from synthetic.social_care import Care
from synthetic.world import World, make_world

PERIOD = "2026-03"
QUARTERS = ["2025-03", "2025-06", "2025-09", "2025-12", PERIOD]
YEAR, END = first_day("2025-04"), last_day(PERIOD)
QUARTER = first_day("2026-01")
BANDS = [(18, "Under 18"), (25, "18-24"), (45, "25-44"), (65, "45-64"), (75, "65-74"),
         (85, "75-84"), (95, "85-94")]  # fmt: skip


@dataclass(frozen=True)
class Real:
    """One event as it is known at the end of the last return.

    ``fresh``: the last return is the first to have it.
    """

    person: int
    kind: str
    service: str
    began: dt.date
    ended: dt.date | None
    outcome: str
    client: str
    band: str
    nhs: bool
    fresh: bool


@pytest.fixture(scope="module")
def care() -> Care:
    world: World = make_world(
        20261116, districts=2, lsoas=40, first_period="2025-03", last_period=PERIOD,
        as_of=dt.date(2026, 6, 30),
    )  # fmt: skip
    return Care(world, 1, 0, QUARTERS)


@pytest.fixture(scope="module")
def con(care: Care) -> duckdb.DuckDBPyConnection:
    """The events made of the five returns, as intake would have stored them."""
    connection = duckdb.connect()
    tables = {}
    for quarter in QUARTERS:
        frame = pd.DataFrame(care.table(quarter)).replace("", None)
        frame.columns = [c.lower() for c in frame.columns]
        frame["person_id"] = frame["la_person_unique_identifier"]
        frame["has_nhs_number"] = frame["nhs_number"].notna()
        frame["age_band"] = [
            band(dt.date.fromisoformat(born), dt.date.fromisoformat(day))
            for born, day in zip(frame["date_of_birth"], frame["event_start_date"], strict=True)
        ]
        for name in ("event_start_date", "event_end_date", "date_of_death"):
            frame[name] = pd.to_datetime(frame[name]).dt.date
        frame["lsoa21cd"], frame["lad24cd"] = "E01990001", "E08990001"
        late = [
            recorded_late(who, kind, began, ended, quarter)
            for who, kind, began, ended in zip(
                frame["person_id"],
                frame["event_type"],
                frame["event_start_date"],
                frame["event_end_date"],
                strict=True,
            )
        ]
        frame = frame[[not each for each in late]]
        tables[quarter] = f"delivered_{quarter}"
        connection.register("frame", frame)
        connection.execute(
            f'CREATE TABLE "{tables[quarter]}" AS SELECT * REPLACE '
            "(CAST(event_start_date AS DATE) AS event_start_date, "
            "CAST(event_end_date AS DATE) AS event_end_date, "
            "CAST(date_of_death AS DATE) AS date_of_death), "
            "CAST(NULL AS VARCHAR) AS geo_reason FROM frame"
        )
    rules = contract().events
    assert rules is not None
    make_events(connection, contract(), rules, tables, 3)
    return connection


def band(born: dt.date, day: dt.date) -> str:
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return next((name for limit, name in BANDS if age < limit), "95+")


def recorded_late(who: str, kind: str, began: Any, ended: Any, quarter: str) -> bool:
    """Whether an event is missing from the first return that should have it."""
    day = began if kind == "Service" else ended
    of = sum(map(ord, who)) + began.toordinal()
    low = first_day(month_of(month_index(quarter) - 2))
    return of % 7 == 0 and low <= day <= last_day(quarter)


def counted_here(day: dt.date, event: Real) -> bool:
    """Whether the last quarter counts what happened on a day: by the day, or as recorded late."""
    return QUARTER <= day <= END or (event.fresh and YEAR <= day < QUARTER)


def day_of(value: Any) -> dt.date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()


@pytest.fixture(scope="module")
def truth(care: Care) -> list[Real]:
    """What really happened, as far as any of the returns could tell, without the dead."""
    events, people, seen = care.events, care.people, []
    ids = people.cells["LA_Person_Unique_Identifier"]
    last_told: dict[int, dt.date] = {}
    for row, person in enumerate(events.person.tolist()):
        began, ended = day_of(events.begins[row]), day_of(events.ends[row])
        deleted, kind = day_of(events.returned_to[row]), events.cells["Event_Type"][row]
        assert began is not None
        assert ended is not None
        told = []
        for quarter in QUARTERS:
            low, high = first_day(month_of(month_index(quarter) - 11)), last_day(quarter)
            if began <= high and ended >= low and (kind == "Service" or ended <= high):
                late = recorded_late(ids[person], kind, began, ended, quarter)
                told += [high] if not late and (deleted is None or deleted > high) else []
        if not told:
            continue
        known = ended if ended <= told[-1] else None
        if known is None and told[-1] < END and kind == "Service":
            known = told[-1]  # still open in the last return that has it: cropped
        last_told[person] = max(told[-1], last_told.get(person, told[-1]))
        seen.append((row, person, kind, began, known, ended <= told[-1], told == [END]))
    found = []
    for row, person, kind, began, stopped, finished, fresh in seen:
        known, died = stopped, day_of(people.died[person])
        if died is not None and died <= last_told[person]:
            known = min(known, died) if known else died
        if known is not None and known < began:
            continue
        born = dt.date.fromisoformat(people.cells["Date_of_Birth"][person])
        found.append(
            Real(
                person=person, kind=kind, service=events.cells["Service_Type"][row] or "",
                began=began, ended=known,
                outcome=events.cells["Event_Outcome"][row] if finished else "",
                client=people.cells["Client_Type"][person], band=band(born, began),
                nhs=people.cells["NHS_Number"][person] != "", fresh=fresh,
            )
        )  # fmt: skip
    return found


def long_term(event: Real) -> bool:
    return event.client == "Service User" and event.service.startswith("Long term")


def overlaps(event: Real, first: dt.date, last: dt.date) -> bool:
    return event.began <= last and (event.ended is None or event.ended >= first)


def by_latest_band(events: list[Real]) -> dict[str, int]:
    latest: dict[int, Real] = {}
    for event in sorted(events, key=lambda e: e.began):
        latest[event.person] = event
    return dict(Counter(e.band for e in latest.values()))


def test_the_council_does_everything_the_rules_are_about(care: Care, con: Any) -> None:
    rows = pd.concat([pd.DataFrame(care.table(q)) for q in QUARTERS])
    services = rows[rows["Event_Type"] == "Service"]
    assert (rows["NHS_Number"] == "").any()
    assert (rows["Date_of_Death"] != "").any()
    assert services["Event_Outcome"].str.contains("Self-funded").any()
    assert (rows["Event_Outcome"] == "Local value (synthetic)").any()
    assert con.execute("SELECT count(*) FROM care_events WHERE cropped").fetchone()[0] > 0
    assert (
        con.execute("SELECT count(*) FROM care_joined").fetchone()[0]
        > (con.execute("SELECT count(*) FROM care_unique").fetchone()[0])
    )


def test_every_event_has_its_real_start_and_end(truth: list[Real], con: Any) -> None:
    made = con.execute(
        "SELECT event_type, service_type, event_start_date, derived_end_date FROM care_events"
    ).fetchall()

    real = {(e.kind, e.service or None, e.began, e.ended) for e in truth}
    assert set(made) == real


def test_long_term_support(truth: list[Real], con: Any) -> None:
    in_year = [e for e in truth if long_term(e) and overlaps(e, YEAR, END)]
    at_end = [e for e in in_year if overlaps(e, END, END)]

    assert counted(con, "long_term_support_clients_in_year") == by_latest_band(in_year)
    assert counted(con, "long_term_support_clients") == by_latest_band(at_end)


def test_new_requests(truth: list[Real], con: Any) -> None:
    asked, supported = defaultdict(list), defaultdict(list)
    for event in truth:
        if event.kind == "Request" and event.client == "Service User" and event.ended:
            asked[event.person].append(event)
        if long_term(event):
            supported[event.person].append(event)
    expected: Counter[str] = Counter()
    late = 0
    for person, requests in asked.items():
        clusters: list[list[Real]] = []
        for request in sorted(requests, key=lambda e: (e.began, e.ended)):
            ends = [e.ended for e in clusters[-1]] if clusters else []
            if ends and (request.began - max(ends)).days <= 4:
                clusters[-1].append(request)
            else:
                clusters.append([request])
        for cluster in clusters:
            start = cluster[0].began
            known = any(
                s.began < start and (s.ended is None or s.ended >= start) for s in supported[person]
            )
            days = {e.ended: counted_here(e.ended, e) for e in cluster if e.ended}
            before = any(e.ended < QUARTER and not e.fresh for e in cluster if e.ended)
            if not known and not before and any(days.values()):
                expected[cluster[0].band] += 1
                late += not QUARTER <= min(days) <= END

    assert counted(con, "new_support_requests") == dict(expected)
    assert sum(expected.values()) > 20
    assert late > 3


def test_new_admissions(truth: list[Real], con: Any) -> None:
    stays = defaultdict(list)
    for event in truth:
        home = event.service.endswith(("Nursing care", "Residential care"))
        if long_term(event) and home and "Self-funded" not in event.outcome:
            stays[event.person].append(event)
    expected: Counter[str] = Counter()
    late = 0
    for mine in stays.values():
        days = set()
        for stay in mine:
            earlier = [s for s in mine if s.began < stay.began]
            recent = any(s.ended is None or (stay.began - s.ended).days <= 365 for s in earlier)
            later = [
                s for s in mine
                if s.began >= stay.began and not s.fresh and s.began < QUARTER
                and (stay.ended is None or (s.began - stay.ended).days <= 365)
            ]  # fmt: skip
            new = counted_here(stay.began, stay) and not recent and not later
            if new and stay.began not in days:
                late += stay.began < QUARTER
                days.add(stay.began)
                expected[stay.band] += 1

    assert counted(con, "residential_admissions") == dict(expected)
    assert sum(expected.values()) > 3
    assert late > 0


def test_carers_and_the_events_of_people_whose_nhs_number_is_held(
    truth: list[Real], con: Any
) -> None:
    carers = {e.person for e in truth if e.client == "Carer" and overlaps(e, YEAR, END)}
    started = [e for e in truth if QUARTER <= e.began <= END]

    assert counted(con, "carers_known") == {"all": len(carers)}
    made = counted(con, "care_events")["all"]
    assert made == len(started)
    assert counted(con, "care_events_with_nhs_number")["all"] == sum(e.nhs for e in started)
