"""Published figures that show need as it moves: claimants, Pension Credit, speeds, rough sleeping.

Belongs here: these tables in layouts like those of Nomis, Stat-Xplore, Ofcom and MHCLG. Does not
belong here: the census and the indices, which are ``open_tables``. Sources: domain dossier 1.1 and
1.7.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from synthetic.census_further import FIRST_BAND_OF_65_PLUS
from synthetic.delivery import Extract, monthly_arrival
from synthetic.months import QUARTER_ENDS, months_between
from synthetic.tables import Table, numbers
from synthetic.world import World

Counts = NDArray[np.int64]

FIRST_CLAIMANTS = "2025-12"
FIRST_PENSION_CREDIT = "2025-11"
PENSION_CREDIT_MONTHS = (2, 5, 8, 11)
SNAPSHOT_MONTHS = (11,)
WORKING_AGE_BANDS = slice(1, FIRST_BAND_OF_65_PLUS)
NOMIS_ROUNDING = 5
"""The claimant count is published rounded to 5."""


def context_extracts(world: World, ages: Counts) -> Iterator[Extract]:
    """Yield the claimants, Pension Credit, download speeds and rough sleeping snapshots.

    Parameters
    ----------
    world : World
    ages : (n, bands) array of int
        Residents of each LSOA by age; no count exceeds them.
    """
    for period in _months(world, FIRST_CLAIMANTS, QUARTER_ENDS):
        yield _file(world, "ons_claimants", period, "claimants", _claimants(world, ages, period))
    for period in _months(world, FIRST_PENSION_CREDIT, PENSION_CREDIT_MONTHS):
        table = _pension_credit(world, ages, period)
        yield _file(world, "dwp_pension_credit", period, "pension_credit", table)
    yield Extract("ofcom_download_speed", None, "download_speed_lsoa.csv", _speeds(world))
    for period in _months(world, world.first_period, SNAPSHOT_MONTHS):
        table = _rough_sleepers(world, period)
        yield _file(world, "mhclg_rough_sleeping", period, "rough_sleeping", table)


def _months(world: World, first: str, ending: tuple[int, ...]) -> list[str]:
    return months_between(max(first, world.first_period), world.last_period, ending=ending)


def _file(world: World, source: str, period: str, name: str, table: Table) -> Extract:
    arrived = monthly_arrival(source, period, world.as_of)
    return Extract(source, period, f"{name}_{period}.csv", table, arrived)


def _claimants(world: World, ages: Counts, period: str) -> Table:
    frame = world.areas.lsoas
    rng = world.rng("ons_claimants", period)
    chance = np.clip(0.034 * np.exp(0.55 * frame["deprivation"].to_numpy()), 0, 0.4)
    claimants = rng.binomial(ages[:, WORKING_AGE_BANDS].sum(axis=1), chance)
    rounded = np.round(claimants / NOMIS_ROUNDING).astype(np.int64) * NOMIS_ROUNDING
    return {
        "date": np.full(len(frame), period, dtype=object),
        "2021 super output area - lower layer": frame["lsoa21nm"].to_numpy(dtype=object),
        "mnemonic": frame["lsoa21cd"].to_numpy(dtype=object),
        "Claimant count": numbers(rounded),
    }


def _pension_credit(world: World, ages: Counts, period: str) -> Table:
    frame = world.areas.lsoas
    rng = world.rng("dwp_pension_credit", period)
    chance = np.clip(0.10 * np.exp(0.60 * frame["deprivation"].to_numpy()), 0, 0.6)
    return {
        "lsoa21_code": frame["lsoa21cd"].to_numpy(dtype=object),
        "quarter": np.full(len(frame), period, dtype=object),
        "Pension Credit claimants": numbers(
            rng.binomial(ages[:, FIRST_BAND_OF_65_PLUS:].sum(axis=1), chance)
        ),
    }


def _speeds(world: World) -> Table:
    frame = world.areas.lsoas
    rng = world.rng("ofcom_download_speed")
    middle = 4.6 + 0.20 * frame["urban"].to_numpy() - 0.08 * frame["age"].to_numpy()
    speed = np.exp(middle + rng.normal(0, 0.22, len(frame)))
    # In a few areas too few lines were measured for a figure.
    speed[rng.random(len(frame)) < 0.01] = np.nan
    return {
        "lsoa21_code": frame["lsoa21cd"].to_numpy(dtype=object),
        "Average download speed (Mbit/s)": numbers(speed, 1),
    }


def _rough_sleepers(world: World, period: str) -> Table:
    frame = world.areas.lsoas
    rng = world.rng("mhclg_rough_sleeping", period)
    per_district = frame.groupby(["lad24cd", "lad24nm"], as_index=False).agg(
        population=("population", "sum"), urban=("urban", "mean")
    )
    expected = per_district["population"] * 9e-5 * np.exp(0.5 * per_district["urban"])
    return {
        "Local authority ONS code": per_district["lad24cd"].to_numpy(dtype=object),
        "Local authority": per_district["lad24nm"].to_numpy(dtype=object),
        "Snapshot month": np.full(len(per_district), period, dtype=object),
        "Total people sleeping rough": numbers(rng.poisson(expected.to_numpy())),
    }
