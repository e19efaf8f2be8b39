"""What counts as what in the digital inclusion indicators, row by row.

Each table lists rows as an agency or publisher delivers them, and under it stand the numbers that
must come out. North is the district E08990001 with the neighbourhoods E01990001 to E01990003.
"""

# ruff: noqa: E501 - a row of a table is read best on one line

from __future__ import annotations

from families import Deliveries, check, indicator

QUALIFICATIONS = """
area      | aged_16_over | no_qualifications
E01990001 | 1200         | 200
E01990002 | 1400         | 300
E01990003 | 1000         | 100
"""
RESIDENTS = """
area      | residents
E01990001 | 1500
E01990002 | 1800
E01990003 | 1200
"""

COVERAGE = """
area      | premises | premises_matched | able_30 | gigabit | below_decent | why
E01990001 | 110      | 100              | 95      | 60      | 2            | ten premises Ofcom could not match
E01990001 | 50       | 50               | 50      | 50      | 0            | a second output area of the neighbourhood
E01990002 | 80       | 80               | 40      | 0       | 8            |
"""
CONNECTIONS = """
indicator | level  | window | area      | of  | out of | why
D04       | lsoa21 | latest | E01990001 | 145 | 150    | numbers are added up; percentages are never averaged
D05       | lsoa21 | latest | E01990001 | 110 | 150    | out of premises matched, not of all premises
D06       | msoa21 | latest | E02990001 | 10  | 230    | both neighbourhoods of the MSOA
D06       | lad24  | latest | E08990001 | 10  | 230    |
"""


def test_connections() -> None:
    check(
        Deliveries().add("ofcom_fixed_coverage", COVERAGE, period="2025-12", cadence="yearly"),
        CONNECTIONS,
    )


CONTACTS = """
area      | month   | contacts_web | contacts_phone | contacts_f2f | why
E01990001 | 2025-12 | 30           | 50             | 20           |
E01990002 | 2025-12 | 10           | 0              | 0            | everybody online
"""
SESSIONS = """
area      | month   | sessions | members_active | why
E01990001 | 2025-12 | 40       | 12             | two postcodes of one neighbourhood
E01990001 | 2025-12 | 20       | 9              |
"""
LEARNERS = """
area      | month   | learners | devices | data_sims | not placed because | why
E01990001 | 2025-12 | 12       | 5       | 0         |                    |
E01990002 | 2025-12 | 8        |         | 3         |                    | devices not recorded
          | 2025-12 | 4        | 1       | 0         | postcode_unknown   | known by the district alone
"""
USE = """
indicator | level  | window  | area      | of | out of | why
D07       | lsoa21 | year    | E01990001 | 30 | 100    | web out of web, telephone and counter
D07       | lad24  | quarter | E08990001 | 40 | 110    |
D08       | lsoa21 | year    | E01990001 | 60 | 1500   | sessions, not members
D09       | msoa21 | year    | E02990001 | 20 | 500    | learners over people without qualifications
D09       | lad24  | quarter | E08990001 | 24 | 600    | with the learner whose postcode is not known
D09b      | lad24  | quarter | E08990001 | 6  | 600    | devices; what was not recorded adds nothing
D10       | lsoa21 | latest  | E01990002 | 300| 1400   |
"""


def test_what_residents_and_programmes_do() -> None:
    check(
        Deliveries().add("census_qualifications", QUALIFICATIONS, period="2021-03", cadence="once")
        .add("census_residents", RESIDENTS, period="2021-03", cadence="once")
        .add("digital_contacts", CONTACTS, cadence="monthly")
        .add("library_sessions", SESSIONS, cadence="monthly")
        .add("digital_skills", LEARNERS, cadence="monthly"),
        USE,
    )  # fmt: skip


CARS = """
area      | aged_65_over_in_households | no_car
E01990001 | 250                        | 80
E01990002 | 300                        | 60
"""
AGES = """
area      | aged_18_64 | aged_65_74 | aged_75_84 | aged_85_over
E01990001 | 900        | 150        | 80         | 30
E01990002 | 1000       | 160        | 100        | 50
"""
PENSION_CREDIT = """
area      | month   | pension_credit_claimants | why
E01990001 | 2025-12 | 40                       |
E01990002 | 2025-12 | 21                       |
"""
OLDER = """
indicator | level  | window | area      | of  | out of | why
D11       | lsoa21 | latest | E01990001 | 80  | 250    | out of those in households, without care homes
D11       | msoa21 | latest | E02990001 | 140 | 550    |
D12       | lsoa21 | latest | E01990001 | 40  | 260    | 150 + 80 + 30 residents of 65 and over
D12       | lad24  | latest | E08990001 | 61  | 570    |
"""


def test_older_people() -> None:
    check(
        Deliveries().add("census_car_access", CARS, period="2021-03", cadence="once")
        .add("census_age", AGES, period="2021-03", cadence="once")
        .add("pension_credit", PENSION_CREDIT),
        OLDER,
    )  # fmt: skip


ONLINE = """
area      | field             | value | why
E01990001 | Total_Pat_Enbld   | 60    | the share of a practice's patients that falls to the area
E01990001 | patient_list_size | 100   |
E01990002 | Total_Pat_Enbld   | 10    |
E01990002 | patient_list_size | 40    |
E01990002 | Pat_Appts_Enbld   | 9     | one service of several: not counted again
"""
ENABLED = """
indicator | level  | window  | area      | of | out of | why
D03       | lsoa21 | latest  | E01990001 | 60 | 100    | enabled for any service, over the list
D03       | lad24  | quarter | E08990001 | 70 | 140    |
"""


def test_online_services_of_practices() -> None:
    check(Deliveries().add("pomi", ONLINE, cadence="monthly"), ENABLED)


def test_the_speed_is_published_as_it_stands() -> None:
    speed = indicator("D14")
    assert (speed.kind, speed.statistic) == ("statistic", "average_download_speed")
    assert [o.level for o in speed.outputs] == ["lsoa21"]
