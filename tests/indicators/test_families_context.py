"""What counts as what in the context indicators, row by row.

Each table lists rows as a publisher delivers them, and under it stand the numbers that must come
out. North is the district E08990001 with the neighbourhoods E01990001 to E01990003.
"""

from __future__ import annotations

from families import Deliveries, check

RESIDENTS = """
area      | residents
E01990001 | 1500
E01990002 | 1800
E01990003 | 1200
E01990004 | 1000
"""
AGES = """
area      | aged_under_16 | aged_16_17 | aged_18_64 | aged_65_74 | aged_75_84 | aged_85_over
E01990001 | 300           | 40         | 900        | 150        | 80         | 30
E01990002 | 400           | 50         | 1000       | 180        | 110        | 60
"""
PEOPLE = """
indicator | level  | window | area      | of   | out of | why
C01       | lsoa21 | latest | E01990001 | 260  | 1500   | 150 + 80 + 30
C12       | lsoa21 | latest | E01990001 | 110  | 1500   | 80 + 30
C13       | lsoa21 | latest | E01990001 | 1500 |        | a count stands by itself
C13       | lad24  | latest | E08990001 | 4500 |        | the district's neighbourhoods together
C19       | msoa21 | latest | E02990001 | 90   | 3300   | 30 + 60 of 1,500 + 1,800
C20       | lsoa21 | latest | E01990002 | 400  | 1800   |
"""


def test_people() -> None:
    check(
        Deliveries().add("census_residents", RESIDENTS, period="2021-03", cadence="once")
        .add("census_age", AGES, period="2021-03", cadence="once"),
        PEOPLE,
    )  # fmt: skip


TENURES = """
area      | households | owned | shared_ownership | social_rented | private_rented | rent_free
E01990001 | 600        | 300   | 10               | 150           | 135            | 5
E01990002 | 700        | 200   | 0                | 300           | 200            | 0
"""
BEDROOMS = """
area      | households_rated | one_too_few | two_too_few
E01990001 | 600              | 30          | 6
E01990002 | 700              | 70          | 20
"""
KINDS = """
area      | households_by_type | one_person_66_over
E01990001 | 600                | 90
E01990002 | 700                | 60
"""
HOMES = """
indicator | level  | window | area      | of  | out of | why
C02       | lsoa21 | latest | E01990001 | 135 | 600    | private landlord
C11       | lsoa21 | latest | E01990001 | 150 | 600    | council or housing association
C15       | lsoa21 | latest | E01990001 | 310 | 600    | shared owners are owners
C15       | lad24  | latest | E08990001 | 510 | 1300   |
C16       | lsoa21 | latest | E01990002 | 90  | 700    | one bedroom too few, or more
C17       | lsoa21 | latest | E01990001 | 90  | 600    |
"""


def test_homes() -> None:
    check(
        Deliveries().add("census_households", TENURES, period="2021-03", cadence="once")
        .add("census_overcrowding", BEDROOMS, period="2021-03", cadence="once")
        .add("census_household_types", KINDS, period="2021-03", cadence="once"),
        HOMES,
    )  # fmt: skip


CRIMES = """
area      | month   | crime_type                   | why
E01990001 | 2025-12 | Violence and sexual offences |
E01990001 | 2025-12 | Anti-social behaviour        |
E01990002 | 2025-12 | Anti-social behaviour        |
E01990002 | 2025-12 | Vehicle crime                | counts in the total only
"""
SAFETY = """
indicator | level  | window  | area      | of | out of | why
C07       | lsoa21 | year    | E01990001 | 2  | 1500   | every crime and incident
C07       | lad24  | quarter | E08990001 | 4  | 4500   |
C07b      | msoa21 | year    | E02990001 | 1  | 3300   | violence alone
C07c      | lad24  | quarter | E08990001 | 2  | 4500   | anti-social behaviour alone
"""


def test_crimes_by_group() -> None:
    check(
        Deliveries().add("census_residents", RESIDENTS, period="2021-03", cadence="once")
        .add("street_crime", CRIMES, cadence="monthly"),
        SAFETY,
    )  # fmt: skip


CLAIMANTS = """
area      | month   | claimants | why
E01990001 | 2025-12 | 45        |
E01990002 | 2025-12 | 30        |
"""
SUPPORT = """
area      | ctr_class   | why
E01990001 | pension     | one row a household
E01990001 | working_age |
E01990001 | none        | no support
"""
REGISTERED = """
area      | practice_code | sex | patients | why
E01990001 | Q99001        | ALL | 900      | two practices serve the neighbourhood
E01990001 | Q99002        | ALL | 660      |
"""
NOWHERE = """
district of | not placed because | practice_code | patients | why
E08990001   | district_only      | Q99001        | 7        |
E08990001   | district_only      | Q99002        | 11       |
E08990002   | district_only      | Q99003        | 2        | South
"""
MONEY_AND_HEALTH = """
indicator | level  | window  | area      | of   | out of | why
C14       | lsoa21 | latest  | E01990001 | 45   | 940    | out of those aged 16 to 64: 40 + 900
C14       | lad24  | quarter | E08990001 | 75   | 1990   |
C10       | lsoa21 | latest  | E01990001 | 1560 | 1500   | patients may be more than residents
C08       | lsoa21 | latest  | E01990001 | 2    | 600    | pensioners and people of working age
C18       | lad24  | quarter | E08990001 | 18   | 4500   | no neighbourhood: they have no address
C18       | lad24  | quarter | E08990002 | 2    | 1000   |
"""


def test_money_and_health() -> None:
    check(
        Deliveries().add("census_residents", RESIDENTS, period="2021-03", cadence="once")
        .add("census_age", AGES, period="2021-03", cadence="once")
        .add("census_households", TENURES, period="2021-03", cadence="once")
        .add("claimant_count", CLAIMANTS)
        .add("gp_registrations", REGISTERED)
        .add("council_tax_households", SUPPORT)
        .add("no_fixed_abode_registrations", NOWHERE),
        MONEY_AND_HEALTH,
    )  # fmt: skip
