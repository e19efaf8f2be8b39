"""What counts as what in the homelessness indicators, case by case.

Each table lists synthetic cases as a council's system exports them (October to December 2025), and
under it stand the numbers that must come out. North is the district E08990001 with the
neighbourhoods E01990001 to E01990003.
"""

# ruff: noqa: E501 - a row of a table is read best on one line

from __future__ import annotations

import pytest
from families import Deliveries, check, indicator

HOUSEHOLDS = """
area      | households
E01990001 | 600
E01990002 | 700
E01990003 | 500
"""
CHILDREN = """
area      | aged_under_16 | aged_16_17 | aged_18_64
E01990001 | 300           | 40         | 900
E01990002 | 200           | 30         | 800
E01990003 | 100           | 10         | 700
"""

ASSESSED = """
area      | assess_date | duty_owed  | previous_duty_24m | referred | referral_agency              | not placed because  | why
E01990001 | 2025-10-01  | prevention | no                | no       |                              |                     | first day of the quarter
E01990001 | 2025-12-31  | relief     | yes               | yes      | Probation services           |                     | last day of the quarter; owed one before
E01990002 | 2025-11-15  | prevention |                   | yes      | Jobcentre Plus               |                     | the council did not say
E01990003 | 2025-11-20  | none       | yes               | yes      | Mental health in-patient care|                     | assessed, owed nothing
E01990003 | 2025-11-21  | withdrew   | no                | no       |                              |                     | assessed, owed nothing
E01990001 | 2025-09-30  | relief     | no                | no       |                              |                     | the day before the quarter
E01990001 | 2026-01-01  | relief     | no                | no       |                              |                     | the day after it
          | 2025-12-01  | relief     | no                |          |                              | zz99_no_fixed_abode | no address: the district's figure only
"""
OWED = """
indicator | level  | window  | area      | of | out of | why
H01       | lad24  | quarter | E08990001 | 4  | 1800   | two of prevention, two of relief; with no fixed abode
H02       | lad24  | quarter | E08990001 | 2  | 1800   | prevention
H03       | lad24  | quarter | E08990001 | 2  | 1800   | relief, one of no fixed abode
H01       | lsoa21 | year    | E01990001 | 2  | 600    | without the case of no address
H01       | lsoa21 | year    | E01990003 | 0  | 500    | assessed, but nothing owed
H08       | lad24  | quarter | E08990001 | 1  | 3      | of the four owed a duty the council said of three
H12       | lad24  | quarter | E08990001 | 3  | 6      | of all six assessed, whatever was owed
H12b      | lad24  | year    | E08990001 | 2  | 3      | probation and a mental health unit, not the jobcentre
"""


def test_duties_owed_and_how_people_came() -> None:
    check(
        Deliveries().add("census_households", HOUSEHOLDS, period="2021-03", cadence="once")
        .add("hclic_cases", ASSESSED),
        OWED,
    )  # fmt: skip


ENDED = """
area      | prev_end   | prev_end_reason                                                            | relief_end | relief_end_reason                   | main_decision | main_outcome                                                            | why
E01990001 | 2025-10-10 | Secured accommodation for 6+ months: Stayed in existing accommodation      |            |                                     |               |                                                                         | kept the home
E01990001 | 2025-10-11 | Secured accommodation for 6+ months: Moved to alternative accommodation    |            |                                     |               |                                                                         | found another
E01990002 | 2025-10-12 | Homeless (including intentionally homeless)                                | 2025-12-20 | Secured accommodation for 6+ months |               |                                                                         | lost it, then housed by relief
E01990002 | 2025-10-13 | Not known                                                                  |            |                                     |               |                                                                         | stays in the denominator
E01990003 |            |                                                                            | 2025-11-01 | 56 days elapsed                     | 2025-12-01    | Homeless + priority need + unintentionally homeless (acceptance)        | main duty accepted
E01990003 |            |                                                                            | 2025-11-02 | 56 days elapsed                     | 2025-12-02    | Homeless + no priority need                                             | decided, no main duty
E01990003 | 2025-09-30 | Secured accommodation for 6+ months: Stayed in existing accommodation      |            |                                     |               |                                                                         | ended before the quarter
"""
OUTCOMES = """
indicator | level  | window  | area      | of | out of | why
H05       | lad24  | quarter | E08990001 | 2  | 4      | of duties that ended in the quarter, not of those that began
H06       | lad24  | quarter | E08990001 | 1  | 3      | one housed of three relief duties ended
H07       | lad24  | quarter | E08990001 | 1  | 1800   | one acceptance
H05       | msoa21 | year    | E02990001 | 2  | 4      | E01990001 and E01990002 together
"""


def test_how_duties_ended() -> None:
    check(
        Deliveries().add("census_households", HOUSEHOLDS, period="2021-03", cadence="once")
        .add("hclic_cases", ENDED),
        OUTCOMES,
    )  # fmt: skip


HOUSED = """
area      | ta_entry   | ta_exit    | n_children | ta_type                                                        | why
E01990001 | 2025-11-18 |            | 2          | Bed and breakfast hotels (including shared annexes)            | 43 days by 31 December: over six weeks
E01990001 | 2025-11-19 |            | 1          | Bed and breakfast hotels (including shared annexes)            | 42 days: six weeks exactly, not over
E01990002 | 2025-10-01 |            | 0          | Bed and breakfast hotels (including shared annexes)            | long, but without children
E01990002 | 2025-06-01 |            | 3          | Local authority or Housing association (LA/HA) stock           | children, but no bed and breakfast
E01990003 | 2025-06-01 | 2025-12-31 | 4          | Bed and breakfast hotels (including shared annexes)            | left on the last day: no longer in it
E01990003 | 2025-06-01 | 2026-01-01 | 1          | Bed and breakfast hotels (including shared annexes)            | leaves the day after: still in it
E01990003 | 2026-01-01 |            | 5          | Bed and breakfast hotels (including shared annexes)            | comes in after the quarter
E01990003 | 2025-12-31 |            |            | Hostels (including reception centres, emergency units and refuges) | enters on the last day; children not recorded
"""
STOCK = """
indicator | level  | window  | area      | of | out of | why
H04       | lad24  | quarter | E08990001 | 6  | 1800   | all but the two who had left or not come
H04       | lsoa21 | latest  | E01990003 | 2  | 500    | one of four, and one who entered on the last day
H04b      | lad24  | quarter | E08990001 | 7  | 680    | 2 + 1 + 0 + 3 + 1 children; under 16 and 16 to 17 below
H09       | lad24  | quarter | E08990001 | 2  |        | with children, in bed and breakfast, more than 42 days
"""


def test_temporary_accommodation_on_the_last_day() -> None:
    check(
        Deliveries().add("census_households", HOUSEHOLDS, period="2021-03", cadence="once")
        .add("census_age", CHILDREN, period="2021-03", cadence="once")
        .add("hclic_cases", HOUSED),
        STOCK,
    )  # fmt: skip


STAYS = """
area      | ta_entry   | ta_exit    | why
E01990001 | 2025-10-01 | 2025-10-02 | 1 night
E01990001 | 2025-10-01 | 2025-11-12 | 42 nights: within six weeks
E01990001 | 2025-10-01 | 2025-11-13 | 43 nights: beyond
E01990001 | 2025-06-02 | 2025-12-01 | 182 nights: within half a year
E01990001 | 2025-06-01 | 2025-12-01 | 183 nights: beyond
E01990001 | 2024-12-01 | 2025-12-01 | 365 nights: within a year
E01990001 | 2024-11-30 | 2025-12-01 | 366 nights: beyond
E01990001 | 2023-12-02 | 2025-12-01 | 730 nights: within two years (2024 was a leap year)
E01990001 | 2023-12-01 | 2025-12-01 | 731 nights: beyond
          |            | 2025-12-01 | the day of entry is not known
E01990001 | 2025-10-01 |            | goes on: not among the stays that ended
E01990001 | 2025-08-01 | 2025-09-30 | ended in the quarter before
"""
LENGTHS = """
indicator | level | window | area      | of | out of | why
H11a      | lad24 | year   | E08990001 | 2  | 10     | 1 and 42 nights
H11b      | lad24 | year   | E08990001 | 4  | 10     | and 43 and 182
H11c      | lad24 | year   | E08990001 | 6  | 10     | and 183 and 365
H11d      | lad24 | year   | E08990001 | 8  | 10     | and 366 and 730; 731 and 'not known' only below
"""


def test_nights_in_temporary_accommodation() -> None:
    check(Deliveries().add("hclic_cases", STAYS), LENGTHS)


def test_the_median_reads_the_four_shares_at_their_limits() -> None:
    median = indicator("H11").median
    assert median is not None
    assert [(s.indicator, s.upper) for s in median.shares] == [
        ("H11a", 42), ("H11b", 182), ("H11c", 365), ("H11d", 730),
    ]  # fmt: skip


SNAPSHOT = """
district of | not placed because | people | why
E08990001   | district_only      | 12     | North
E08990002   | district_only      | 3      | South
            | out_of_region      | 40     | another region's district
"""
RESIDENTS = """
area      | residents
E01990001 | 1500
E01990002 | 1800
E01990003 | 1200
E01990004 | 1000
E01990005 | 2000
"""
ROUGH_SLEEPING = """
indicator | level | window | area      | of | out of | why
H10       | lad24 | latest | E08990001 | 12 | 4500   | its own people, over its own residents
H10       | lad24 | latest | E08990002 | 3  | 3000   | and not those of another region
"""


def test_rough_sleeping_is_known_by_district_alone() -> None:
    check(
        Deliveries().add("census_residents", RESIDENTS, period="2021-03", cadence="once")
        .add("rough_sleeping_snapshot", SNAPSHOT, cadence="yearly"),
        ROUGH_SLEEPING,
    )  # fmt: skip


def test_a_wrong_expectation_is_noticed() -> None:
    wrong = LENGTHS.replace("| 2  | 10", "| 3  | 10")
    with pytest.raises(AssertionError, match="H11a"):
        check(Deliveries().add("hclic_cases", STAYS), wrong)
