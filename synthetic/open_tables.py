"""Statistics that are published openly: Census 2021, the deprivation indices, broadband coverage.

Belongs here: the region's open tables in the layouts of Nomis, MHCLG and Ofcom. Does not belong
here: what moves within a year (``open_context``), or anything an agency sends under an agreement.
Column names: domain dossier 1.6 and 1.7, and the Ofcom header lists of January 2026 and July 2024.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from synthetic.census_further import further_tables
from synthetic.delivery import Extract, within_month_arrival
from synthetic.months import months_between
from synthetic.open_context import context_extracts
from synthetic.tables import Table, numbers
from synthetic.world import World

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

NOMIS_NOTE = (
    ',,\n,,\n,"In order to protect against disclosure of personal information, records",\n'
    ",have been swapped between different geographic areas and counts perturbed,\n"
    ",by small amounts. Small counts at the lowest geographies will be most,\n,affected.,\n"
)
TENURES = ("Owned", "Shared ownership", "Social rented", "Private rented", "Lives rent free")
AGE_BANDS = (
    "Aged 15 years and under",
    "Aged 16 to 17 years",
    "Aged 18 to 64 years",
    "Aged 65 to 74 years",
    "Aged 75 to 84 years",
    "Aged 85 years and over",
)
QUALIFICATIONS = (
    "No qualifications",
    "Level 1 and entry level qualifications",
    "Level 2 qualifications",
    "Apprenticeship",
    "Level 3 qualifications",
    "Level 4 qualifications and above",
    "Other qualifications",
)
DISABILITY = (
    "Disabled under the Equality Act: Day-to-day activities limited a lot",
    "Disabled under the Equality Act: Day-to-day activities limited a little",
    "Not disabled under the Equality Act",
)
# Ofcom's seventeen measures: how each is named as a percentage and as a number of premises.
COVERAGE = (
    ("SFBB availability (% premises)", "with SFBB availability"),
    ("UFBB (100Mbit/s) availability (% premises)", "with UFBB (100Mbit/s) availability"),
    ("UFBB availability (% premises)", "with UFBB availability"),
    ("Gigabit availability (% premises)", "with Gigabit availability"),
    ("% of premises with NGA", "with NGA"),
    ("USO", "USO"),
    (
        "% of premises able to receive decent broadband from FWA",
        "able to receive decent broadband from FWA",
    ),
    ("% of premises unable to receive 2Mbit/s", "unable to receive 2Mbit/s"),
    ("% of premises unable to receive 5Mbit/s", "unable to receive 5Mbit/s"),
    ("% of premises unable to receive 10Mbit/s", "unable to receive 10Mbit/s"),
    ("% of premises unable to receive 30Mbit/s", "unable to receive 30Mbit/s"),
    ("% of premises with 0<2Mbit/s download speed", "with 0<2Mbit/s download speed"),
    ("% of premises with 2<5Mbit/s download speed", "with 2<5Mbit/s download speed"),
    ("% of premises with 5<10Mbit/s download speed", "with 5<10Mbit/s download speed"),
    ("% of premises with 10<30Mbit/s download speed", "with 10<30Mbit/s download speed"),
    ("% of premises with 30<300Mbit/s download speed", "with 30<300Mbit/s download speed"),
    ("% of premises with >=300Mbit/s download speed", "with >=300Mbit/s download speed"),
)
USO_OLD = "below the USO"
USO_NEW = "unable to receive decent broadband from fixed or FWA"
FIRST_PERIOD_OF_NEW_USO_NAME = "2026-01"


def open_extracts(world: World) -> Iterator[Extract]:
    """Yield the census, the deprivation indices, broadband coverage and the figures that move."""
    counts = _census_counts(world)
    yield from _census(world, counts)
    yield from context_extracts(world, counts.ages)
    yield Extract("iod2025", None, "File_7_IoD2025.csv", _deprivation(world))
    for period in months_between(world.first_period, world.last_period, ending=(7,)):
        extract = Extract(
            "ofcom_fixed_coverage",
            period,
            f"fixed_oa_coverage_{period}.csv",
            _coverage(world, period),
            within_month_arrival("ofcom_fixed_coverage", period, world.as_of),
            newline="\r\n",
        )
        if period < FIRST_PERIOD_OF_NEW_USO_NAME:
            # Most of Ofcom's files begin with a byte order mark, some do not.
            extract.encoding = "utf-8-sig"
        yield extract


def _shares(*scores: Floats) -> Floats:
    """Turn scores into shares that add up to one, column by column (softmax)."""
    weight = np.exp(np.column_stack(scores))
    return weight / weight.sum(axis=1, keepdims=True)


def _split(rng: Generator, total: Counts, shares: Floats) -> Counts:
    return rng.multinomial(total, shares)


def tenure_shares(deprivation: Floats, urban: Floats, age: Floats) -> Floats:
    """Return each area's shares of the five tenures, (n, 5)."""
    return _shares(
        0.0 - 0.45 * deprivation + 0.15 * age,
        np.full(deprivation.size, -4.0),
        -1.45 + 0.65 * deprivation,
        -1.25 + 0.20 * deprivation + 0.30 * urban - 0.25 * age,
        np.full(deprivation.size, -6.5),
    )


@dataclass(frozen=True)
class CensusCounts:
    """Invented counts of each LSOA: totals (n,), and parts (n, categories) that add up to them."""

    population: Counts
    households: Counts
    adults: Counts
    tenure: Counts
    ages: Counts
    qualified: Counts
    disabled: Counts


def _census_counts(world: World) -> CensusCounts:
    frame = world.areas.lsoas
    rng = world.rng("census")
    deprivation, age = frame["deprivation"].to_numpy(), frame["age"].to_numpy()
    urban = frame["urban"].to_numpy()
    population, households = frame["population"].to_numpy(), frame["households"].to_numpy()
    flat = np.zeros(len(frame))
    tenure = _split(rng, households, tenure_shares(deprivation, urban, age))
    ages = _split(
        rng,
        population,
        _shares(
            flat - 1.15 + 0.10 * deprivation,
            flat - 3.25,
            flat,
            -1.95 + 0.35 * age,
            -2.35 + 0.42 * age,
            -3.35 + 0.48 * age,
        ),
    )
    adults = population - ages[:, 0]
    qualified = _split(
        rng,
        adults,
        _shares(
            -0.60 + 0.45 * deprivation,
            flat - 1.20 + 0.10 * deprivation,
            flat - 0.90,
            flat - 1.80,
            flat - 0.65,
            0.0 - 0.35 * deprivation,
            flat - 2.40,
        ),
    )
    disabled = _split(
        rng, population, _shares(-2.2 + 0.3 * deprivation + 0.1 * age, -2.0 + 0.15 * age, flat)
    )
    return CensusCounts(population, households, adults, tenure, ages, qualified, disabled)


def _census(world: World, counts: CensusCounts) -> Iterator[Extract]:
    yield _nomis(world, "census_residents", "TS001.csv", "total", counts.population, {})
    for source, file, total_name, total, labels, parts in (
        (
            "census_households",
            "TS054.csv",
            "Total: All households",
            counts.households,
            TENURES,
            counts.tenure,
        ),
        (
            "census_age",
            "RM121.csv",
            "Total: All usual residents",
            counts.population,
            AGE_BANDS,
            counts.ages,
        ),
        (
            "census_qualifications",
            "TS067.csv",
            "Total: All usual residents aged 16 years and over",
            counts.adults,
            QUALIFICATIONS,
            counts.qualified,
        ),
        (
            "census_disability",
            "TS038.csv",
            "Total: All usual residents",
            counts.population,
            DISABILITY,
            counts.disabled,
        ),
    ):
        columns = {label: numbers(parts[:, at]) for at, label in enumerate(labels)}
        yield _nomis(world, source, file, total_name, total, columns)
    for table in further_tables(world, counts.households, counts.ages):
        yield _nomis(world, table.source, table.file, table.total_name, table.total, table.columns)


def _nomis(
    world: World, source: str, file: str, total_name: str, total: Counts, columns: Table
) -> Extract:
    names = world.areas.lsoas["lsoa21nm"].to_numpy(dtype=object)
    codes = world.areas.lsoas["lsoa21cd"].to_numpy(dtype=object)
    place = {"2021 super output area - lower layer": names, "mnemonic": codes}
    if columns:
        return Extract(source, None, file, {**place, total_name: numbers(total), **columns})
    # Nomis puts the total first in TS001 and ends the file with notes that have no code.
    return Extract(source, None, file, {total_name: numbers(total), **place}, tail=NOMIS_NOTE)


def _deprivation(world: World) -> Table:
    frame = world.areas.lsoas
    rng = world.rng("iod2025")
    deprivation = frame["deprivation"].to_numpy()
    imd = np.round(21.7 * np.exp(0.62 * deprivation + rng.normal(0, 0.05, len(frame))), 3)
    income = np.round(
        1 / (1 + np.exp(1.75 - 0.75 * deprivation - rng.normal(0, 0.1, len(frame)))), 3
    )
    table: Table = {
        "LSOA code (2021)": frame["lsoa21cd"].to_numpy(dtype=object),
        "LSOA name (2021)": frame["lsoa21nm"].to_numpy(dtype=object),
        "Local Authority District code (2024)": frame["lad24cd"].to_numpy(dtype=object),
        "Local Authority District name (2024)": frame["lad24nm"].to_numpy(dtype=object),
    }
    for name, score_name, score in (
        ("Index of Multiple Deprivation (IMD)", "Score", imd),
        ("Income", "Score (rate)", income),
    ):
        rank = np.empty(score.size, dtype=np.int64)
        rank[np.argsort(-score, kind="stable")] = np.arange(1, score.size + 1)
        table[f"{name} {score_name}"] = numbers(score, 3)
        table[f"{name} Rank (where 1 is most deprived)"] = numbers(rank)
        table[f"{name} Decile (where 1 is most deprived 10% of LSOAs)"] = numbers(
            (rank - 1) * 10 // score.size + 1
        )
    return table


def _coverage(world: World, period: str) -> Table:
    oas = world.places.oas
    rng = world.rng("ofcom_fixed_coverage")
    urban = world.areas.lsoas["urban"].to_numpy()[oas["lsoa"]]
    lean = rng.normal(0, 1, len(oas))
    years = int(period[:4]) - 2025
    homes = oas["premises"].to_numpy()
    premises = homes + rng.binomial(homes, 0.06)

    def reach(middle: float, slope: float, among: Counts) -> Counts:
        chance = 1 / (1 + np.exp(-(middle + slope * urban + 0.7 * lean)))
        return rng.binomial(among, chance)

    below30 = premises - reach(3.6 + 0.3 * years, 0.9, premises)
    below10 = below30 - reach(0.2, 0.2, below30)
    below5 = below10 - reach(0.1, 0.2, below10)
    below2 = below5 - reach(0.4, 0.1, below5)
    above30 = premises - below30
    ultra100 = reach(2.6 + 0.4 * years, 0.8, above30)
    ultra300 = reach(2.4 + 0.4 * years, 0.5, ultra100)
    gigabit = reach(2.0 + 0.5 * years, 0.4, ultra300)
    wireless = reach(2.5, 0.2, premises)
    undecent = rng.binomial(below10, 0.3)
    nga = above30 + rng.binomial(below30, 0.5)
    counts = (
        above30,
        ultra100,
        ultra300,
        gigabit,
        nga,
        undecent,
        wireless,
        below2,
        below5,
        below10,
        below30,
        below2,
        below5 - below2,
        below10 - below5,
        below30 - below10,
        above30 - ultra300,
        ultra300,
    )
    uso = USO_NEW if period >= FIRST_PERIOD_OF_NEW_USO_NAME else USO_OLD
    table: Table = {
        "output_area": oas["oa21cd"].to_numpy(dtype=object),
        "All Premises": numbers(premises),
        "All Matched Premises": numbers(premises),
    }
    for (percent, _), count in zip(COVERAGE, counts, strict=True):
        name = f"% of premises {uso}" if percent == "USO" else percent
        table[name] = numbers(100 * count / premises, 1)
    for (_, number), count in zip(COVERAGE, counts, strict=True):
        table[f"Number of premises {uso if number == 'USO' else number}"] = numbers(count)
    return table
