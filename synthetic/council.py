"""The extracts each council sends: homelessness, social care, council tax and digital services.

Belongs here: which council sends which file for which period, and the smaller extracts themselves.
Does not belong here: the life of a homelessness case or a care client, which have modules of
their own. Columns of the smaller extracts: domain dossier 1.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthetic.areas import lad_code, short_name
from synthetic.code_lists import DUTIES
from synthetic.delivery import Extract, monthly_arrival, quarterly_arrival
from synthetic.draws import place_by
from synthetic.homelessness import make_cases
from synthetic.homelessness_export import in_quarter, quarter_table, quarter_truth
from synthetic.months import QUARTER_ENDS, first_day, month_number, months_between
from synthetic.social_care import Care
from synthetic.tables import Table, dates, numbers
from synthetic.world import World

OWED_PER_1000_HOUSEHOLDS = 3.1
COUNCIL_TAX_FILES = 4
DIGITAL_SKILLS_DISTRICTS = ("Northwood", "Kingsmere")
STRIPPED_UPRN_DISTRICTS = ("Alderbrook", "Stonebridge")
# Each duty's cases for each case owed a duty, near the national pattern of late 2025.
DUTY_MIX = {
    "prevention": 0.46,
    "relief": 0.54,
    "none": 0.05,
    "withdrew": 0.04,
    "ineligible": 0.02,
}

SpoilCases = Callable[[World, int, pd.DataFrame], pd.DataFrame]


def homelessness_extracts(
    world: World, district: int, no_fixed_abode_share: float, spoil: SpoilCases
) -> Iterator[Extract]:
    """Yield a council's quarterly homelessness files.

    Parameters
    ----------
    world : World
    district : int
    no_fixed_abode_share : float
        See ``make_cases``.
    spoil : callable
        Called with the world, the district and the cases; returns the cases with planted faults.
    """
    quarters = months_between(world.first_period, world.last_period, ending=QUARTER_ENDS)
    if not quarters:
        return
    rng = world.rng("homelessness", str(district))
    name = world.areas.districts[district]
    households = int(world.places.postcodes.query("district == @district")["households"].sum())
    owed = OWED_PER_1000_HOUSEHOLDS * households / 1000
    targets = {duty: rng.poisson(owed * DUTY_MIX[duty], len(quarters)) for duty in DUTIES}
    rate = rng.uniform(3.5, 7.0)
    drift = 1 + np.cumsum(rng.normal(0.008, 0.01, len(quarters)))
    stock = np.round(rate * households / 1000 * drift).astype(np.int64)
    cases = make_cases(
        rng,
        _homes(world, district),
        lad_code(district),
        short_name(district),
        quarters,
        targets,
        stock,
        no_fixed_abode_share=no_fixed_abode_share,
    )
    cases = spoil(world, district, cases)
    source = world.source_id(district, "homelessness")
    for quarter in quarters:
        sent = cases[in_quarter(cases, quarter)]
        yield Extract(
            source,
            quarter,
            f"hclic_{quarter}.csv",
            quarter_table(sent, quarter),
            quarterly_arrival(source, quarter, world.as_of),
            truth={"homelessness": quarter_truth(sent, quarter, name)},
        )


def _homes(world: World, district: int) -> pd.DataFrame:
    postcodes = world.places.postcodes
    homes = postcodes[(postcodes["district"] == district) & postcodes["live"]]
    areas = world.areas.lsoas.iloc[homes["lsoa"].to_numpy()]
    return pd.DataFrame(
        {
            "postcode": homes["pcds"].to_numpy(dtype=object),
            "lsoa21cd": areas["lsoa21cd"].to_numpy(dtype=object),
            "weight": homes["households"].to_numpy()
            * np.exp(0.75 * areas["deprivation"].to_numpy()),
        }
    )


def social_care_extracts(world: World) -> Iterator[Extract]:
    """Yield every council's quarterly Client Level Data returns."""
    quarters = months_between(world.first_period, world.last_period, ending=QUARTER_ENDS)
    if not quarters:
        return
    used = 0
    for district in range(len(world.areas.districts)):
        care = Care(world, district, used, quarters)
        used += care.count()
        source = world.source_id(district, "adult_social_care")
        for quarter in quarters:
            yield Extract(
                source,
                quarter,
                f"cld_{quarter}.csv",
                care.table(quarter),
                quarterly_arrival(source, quarter, world.as_of),
            )


def council_tax_extracts(world: World, district: int) -> Iterator[Extract]:
    """Yield a council's last four quarterly council tax snapshots, one row per address."""
    rng = world.rng("council_tax", str(district))
    quarters = months_between(world.first_period, world.last_period, ending=QUARTER_ENDS)
    uprns, postcodes = world.places.uprns, world.places.postcodes
    here = np.flatnonzero(postcodes["district"].to_numpy()[uprns["postcode"]] == district)
    count = here.size
    deprivation = world.areas.lsoas["deprivation"].to_numpy()[uprns["lsoa"][here]]
    age = world.areas.lsoas["age"].to_numpy()[uprns["lsoa"][here]]
    rank = 2.2 - 1.15 * deprivation + rng.normal(0, 1.25, count)
    band = np.array(list("ABCDEFGH"), dtype=object)[np.clip(np.round(rank), 0, 7).astype(np.int64)]
    pension = 0.055 * np.exp(0.45 * deprivation + 0.25 * age)
    working = 0.085 * np.exp(0.60 * deprivation)
    single = np.where(rng.random(count) < 0.33, "Y", "N").astype(object)
    liable = np.datetime64("2024-06-30", "D") - (rng.exponential(2600, count)).astype(np.int64)
    liable_text = dates(liable)
    shown = uprns["uprn"][here]
    if world.areas.districts[district] in STRIPPED_UPRN_DISTRICTS:
        strip = rng.random(count) < 0.3
        shown = shown.copy()
        shown[strip] = [code.lstrip("0") for code in shown[strip]]
    lot = rng.random(count)
    source = world.source_id(district, "council_tax")
    for quarter in quarters[-COUNCIL_TAX_FILES:]:
        redrawn = rng.random(count) < 0.02
        lot[redrawn] = rng.random(int(redrawn.sum()))
        support = np.where(lot < working, "working_age", "none").astype(object)
        support[(lot >= working) & (lot < working + pension)] = "pension"
        owing = rng.random(count) < 0.07 * np.exp(0.55 * deprivation)
        yield Extract(
            source,
            quarter,
            f"council_tax_{quarter}.csv",
            {
                "uprn": shown,
                "band": band,
                "ctr_class": support,
                "single_person_discount": single,
                "arrears_flag": np.where(owing, "Y", "N").astype(object),
                "liable_from": liable_text,
            },
            quarterly_arrival(source, quarter, world.as_of),
        )


def _trend(period: str, yearly: float) -> float:
    return float((1 + yearly) ** ((month_number(period) - month_number("2024-11")) / 12))


def _season(period: str) -> float:
    # Fewer contacts in August and December, more in March and April (council tax bills).
    return {3: 1.18, 4: 1.12, 8: 0.9, 12: 0.85}.get(first_day(period).month, 1.0)


def digital_contacts_extracts(world: World, district: int) -> Iterator[Extract]:
    """Yield a council's monthly contacts by channel, one row per LSOA."""
    lsoas = world.areas.lsoas[world.areas.lsoas["district"] == district]
    households = lsoas["households"].to_numpy()
    away = 0.28 * lsoas["deprivation"].to_numpy() + 0.30 * lsoas["age"].to_numpy()
    source = world.source_id(district, "digital_contacts")
    rng = world.rng("digital_contacts", str(district))
    lean = rng.normal(0, 0.15, len(lsoas))
    codes = lsoas["lsoa21cd"].to_numpy(dtype=object)
    for period in months_between(world.first_period, world.last_period):
        all_contacts = households * 0.42 * _season(period)
        online = 1 / (1 + np.exp(-(0.35 + np.log(_trend(period, 0.12)) - away - lean)))
        counts = {
            "contacts_web": rng.poisson(all_contacts * online),
            "contacts_phone": rng.poisson(all_contacts * (1 - online) * 0.8),
            "contacts_f2f": rng.poisson(all_contacts * (1 - online) * 0.2),
            "accounts_active": rng.binomial(households, np.clip(0.55 * online, 0, 1)),
        }
        table: Table = {
            "lsoa": codes,
            "month": np.full(len(lsoas), period, dtype=object),
            **{name: numbers(values) for name, values in counts.items()},
        }
        truth = pd.DataFrame(
            {
                "district": world.areas.districts[district],
                "period": period,
                "lsoa21cd": codes,
                **counts,
                "exact": True,
            }
        )
        yield Extract(
            source,
            period,
            f"digital_contacts_{period}.csv",
            table,
            monthly_arrival(source, period, world.as_of),
            truth={"digital_contacts": truth},
        )


def _monthly_by_postcode(
    world: World,
    district: int,
    extract: str,
    share: float,
    columns: Callable[[np.random.Generator, int], dict[str, NDArray[Any]]],
) -> Iterator[Extract]:
    postcodes = world.places.postcodes
    here = np.flatnonzero((postcodes["district"] == district) & postcodes["live"])
    lsoa = postcodes["lsoa"].to_numpy()[here]
    weight = np.exp(0.3 * world.areas.lsoas["deprivation"].to_numpy()[lsoa])
    rng = world.rng(extract, str(district))
    source = world.source_id(district, extract)
    for period in months_between(world.first_period, world.last_period):
        wanted = max(1, round(share * here.size * _season(period)))
        chosen = np.unique(place_by(rng, weight, 2 * wanted))
        chosen = np.sort(rng.choice(chosen, min(wanted, chosen.size), replace=False))
        table: Table = {
            "postcode": postcodes["pcds"].to_numpy(dtype=object)[here[chosen]],
            "month": np.full(chosen.size, period, dtype=object),
        }
        values = columns(rng, chosen.size)
        table |= {name: numbers(column) for name, column in values.items()}
        yield Extract(
            source,
            period,
            f"{extract}_{period}.csv",
            table,
            monthly_arrival(source, period, world.as_of),
        )


def library_extracts(world: World, district: int) -> Iterator[Extract]:
    """Yield a council's monthly library computer sessions, one row per active postcode."""

    def columns(rng: np.random.Generator, count: int) -> dict[str, NDArray[Any]]:
        sessions = 1 + rng.poisson(2.4, count)
        return {
            "sessions": sessions,
            "members_active": np.minimum(sessions, 1 + rng.poisson(0.8, count)),
            "pc_minutes": sessions * rng.integers(15, 75, count),
        }

    yield from _monthly_by_postcode(world, district, "library_sessions", 0.25, columns)


def digital_skills_extracts(world: World, district: int) -> Iterator[Extract]:
    """Yield the monthly digital-inclusion programme of the councils that run one."""
    if world.areas.districts[district] not in DIGITAL_SKILLS_DISTRICTS:
        return

    def columns(rng: np.random.Generator, count: int) -> dict[str, NDArray[Any]]:
        return {
            "learners": 1 + rng.poisson(0.4, count),
            "devices": rng.poisson(0.3, count),
            "data_sims": rng.poisson(0.4, count),
        }

    yield from _monthly_by_postcode(world, district, "digital_skills", 0.02, columns)
