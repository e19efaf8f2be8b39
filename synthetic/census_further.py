"""Census tables beside the first ones: cars of older people, kinds of households, bedrooms.

Belongs here: their invented counts, which agree with the residents and households already made.
Does not belong here: the layout of a Nomis file, which is ``open_tables``. Labels: Census 2021
tables TS045, TS003 and TS052.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from synthetic.tables import Table, numbers
from synthetic.world import World

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

FIRST_BAND_OF_65_PLUS = 3
HOUSEHOLD_TYPES = (
    "One-person household: Aged 66 years and over",
    "One-person household: Other",
    "Single family household: Lone parent family: With dependent children",
    "Single family household: All other",
    "Other household types",
)
BEDROOMS = (
    "Occupancy rating of bedrooms: +2 or more",
    "Occupancy rating of bedrooms: +1",
    "Occupancy rating of bedrooms: 0",
    "Occupancy rating of bedrooms: -1",
    "Occupancy rating of bedrooms: -2 or less",
)


@dataclass(frozen=True)
class CensusTable:
    """One table: its source, its file, the heading of the total, the total and the columns."""

    source: str
    file: str
    total_name: str
    total: Counts
    columns: Table


def further_tables(world: World, households: Counts, ages: Counts) -> list[CensusTable]:
    """Invent the further census tables.

    Parameters
    ----------
    world : World
    households : (n,) array of int
        Households of each LSOA.
    ages : (n, bands) array of int
        Residents of each LSOA by the bands of ``open_tables.AGE_BANDS``.

    Returns
    -------
    list of CensusTable
        Their parts add up to their totals, and their totals to no more than what is given.
    """
    rng = world.rng("census_further")
    frame = world.areas.lsoas
    deprivation, age = frame["deprivation"].to_numpy(), frame["age"].to_numpy()
    urban = frame["urban"].to_numpy()
    older = rng.binomial(ages[:, FIRST_BAND_OF_65_PLUS:].sum(axis=1), 0.965)
    without = rng.binomial(older, _logistic(-1.15 + 0.45 * deprivation + 0.35 * urban))
    cars = {
        "No cars or vans in household": numbers(without),
        "1 or more cars or vans in household": numbers(older - without),
    }
    flat = np.zeros(len(frame))
    kinds = _parts(
        rng,
        households,
        flat - 1.45 + 0.35 * age,
        flat - 1.15 + 0.20 * urban,
        flat - 2.10 + 0.35 * deprivation - 0.20 * age,
        flat,
        flat - 2.60 + 0.25 * deprivation,
    )
    bedrooms = _parts(
        rng,
        households,
        flat - 0.30 * deprivation + 0.10 * age,
        flat - 0.05,
        flat - 0.30 + 0.20 * deprivation,
        flat - 2.60 + 0.55 * deprivation - 0.20 * age,
        flat - 4.10 + 0.65 * deprivation - 0.20 * age,
    )
    return [
        CensusTable(
            "census_car_access",
            "car_access_65_over.csv",
            "Total: All usual residents aged 65 years and over in households",
            older,
            cars,
        ),
        _table("census_household_types", "TS003.csv", households, HOUSEHOLD_TYPES, kinds),
        _table("census_overcrowding", "TS052.csv", households, BEDROOMS, bedrooms),
    ]


def _table(
    source: str, file: str, total: Counts, labels: tuple[str, ...], parts: Counts
) -> CensusTable:
    columns = {label: numbers(parts[:, at]) for at, label in enumerate(labels)}
    return CensusTable(source, file, "Total: All households", total, columns)


def _parts(rng: Generator, total: Counts, *scores: Floats) -> Counts:
    weight = np.exp(np.column_stack(scores))
    return rng.multinomial(total, weight / weight.sum(axis=1, keepdims=True))


def _logistic(score: Floats) -> Floats:
    return 1 / (1 + np.exp(-score))
