"""What the NHS publishes by practice: the register of practices, patients by LSOA, online use.

Belongs here: practices and the three files about them. Does not belong here: any patient; these
files hold counts only. Layouts: domain dossier 1.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthetic.delivery import Extract, monthly_arrival, within_month_arrival
from synthetic.months import QUARTER_ENDS, QUARTER_STARTS, first_day, last_day, months_between
from synthetic.tables import Table, numbers
from synthetic.world import World

LSOAS_PER_PRACTICE = 10
LAST_PERIOD_IN_2011_CODES = "2025-04"
OLD_COUNT_HEADING_PERIOD = "2025-01"
FIRST_NO_FIXED_ABODE = "2025-12"
SUB_ICB = ("QZ01A", "NHS Arden Sub-ICB (synthetic)")
REGION = ("Y99", "Arden Region (synthetic)")
SUPPLIERS = ("SUPPLIER ONE", "SUPPLIER TWO")


@dataclass(frozen=True)
class Practices:
    """GP practices and how many patients of each LSOA each has.

    Attributes
    ----------
    frame : pandas.DataFrame
        ``code``, ``name``, ``postcode``, ``lsoa`` (row), ``supplier``, ``online`` (share).
    patients : (practices, lsoas) array of int
    """

    frame: pd.DataFrame
    patients: NDArray[np.int64]


def practice_count(world: World) -> int:
    """Return how many practices the region has."""
    return max(3, round(len(world.areas.lsoas) / LSOAS_PER_PRACTICE))


def make_practices(world: World) -> Practices:
    """Place practices and register the region's people with them."""
    rng = world.rng("practices")
    lsoas = world.areas.lsoas
    count = practice_count(world)
    postcodes = world.places.postcodes
    live = postcodes[postcodes["live"]]
    at = np.sort(rng.choice(len(live), count, replace=False))
    homes = live.iloc[at]
    xy = homes[["easting", "northing"]].to_numpy(dtype=np.float64)
    gap = np.hypot(
        *(world.areas.tessellation.centres[:, None, :] - xy[None, :, :]).transpose(2, 0, 1)
    )
    pull = np.exp(rng.normal(0, 0.4, count)) / (400.0 + gap) ** 2.6
    # Only the nearest few practices draw from an area, and now and then a distant one.
    rank = np.argsort(np.argsort(-pull, axis=1), axis=1)
    pull[(rank >= 7) & (rng.random(pull.shape) > 0.03)] = 0.0
    registered = np.round(lsoas["population"].to_numpy() * rng.uniform(1.0, 1.08, len(lsoas)))
    shares = pull / pull.sum(axis=1, keepdims=True)
    patients = rng.multinomial(registered.astype(np.int64), shares).T
    lean = -0.25 * lsoas["deprivation"].to_numpy() - 0.2 * lsoas["age"].to_numpy()
    total = np.maximum(patients.sum(axis=1), 1)
    online = 1 / (1 + np.exp(-(0.15 + patients @ lean / total + rng.normal(0, 0.2, count))))
    frame = pd.DataFrame(
        {
            "code": [f"Q99{row + 1:03d}" for row in range(count)],
            "name": [f"SURGERY {row + 1:03d} (SYNTHETIC)" for row in range(count)],
            "postcode": homes["pcds"].to_numpy(dtype=object),
            "lsoa": homes["lsoa"].to_numpy(),
            "supplier": [SUPPLIERS[row % 2] for row in range(count)],
            "online": online,
        }
    )
    return Practices(frame, patients)


def nhs_extracts(world: World) -> Iterator[Extract]:
    """Yield the register of practices, patients, those of no fixed abode and the online use."""
    practices = make_practices(world)
    yield Extract(
        "ods_practices",
        None,
        "epraccur.csv",
        _register(practices),
        header=False,
        quote_all=True,
    )
    for period in months_between(world.first_period, world.last_period, ending=QUARTER_STARTS):
        yield Extract(
            "nhs_gp_registrations",
            period,
            f"gp-reg-pat-prac-lsoa-all_{period}.csv",
            _registrations(world, practices, period),
            within_month_arrival("nhs_gp_registrations", period, world.as_of),
        )
    for period in months_between(
        max(FIRST_NO_FIXED_ABODE, world.first_period), world.last_period, ending=QUARTER_ENDS
    ):
        yield Extract(
            "nhs_no_fixed_abode",
            period,
            f"no_fixed_abode_{period}.csv",
            _no_fixed_abode(world, practices, period),
            monthly_arrival("nhs_no_fixed_abode", period, world.as_of),
        )
    for period in months_between(world.first_period, world.last_period):
        yield Extract(
            "nhs_pomi",
            period,
            f"pomi_{period}.csv",
            _online(world, practices, period),
            monthly_arrival("nhs_pomi", period, world.as_of),
        )


def _no_fixed_abode(world: World, practices: Practices, period: str) -> Table:
    """Count the patients whom each practice registered at ZZ99 3VZ."""
    rng = world.rng("nhs_no_fixed_abode", period)
    lsoas = world.areas.lsoas.iloc[practices.frame["lsoa"].to_numpy()]
    lean = 0.3 * lsoas["urban"].to_numpy() + 0.3 * lsoas["deprivation"].to_numpy()
    expected = 5.0 + 4.0 * np.exp(lean)
    return {
        "District of practice": lsoas["lad24cd"].to_numpy(dtype=object),
        "PRACTICE_CODE": practices.frame["code"].to_numpy(dtype=object),
        "EXTRACT_DATE": np.full(len(lsoas), period, dtype=object),
        "Patients at ZZ99 3VZ": numbers(rng.poisson(expected)),
    }


def _register(practices: Practices) -> Table:
    frame = practices.frame
    blank = np.full(len(frame), "", dtype=object)
    columns = [blank] * 27
    filled: dict[int, Any] = {
        1: frame["code"],
        2: frame["name"],
        3: REGION[0],
        4: "QZ9",
        5: frame["name"],
        8: "ARDEN (SYNTHETIC)",
        10: frame["postcode"],
        11: "20010401",
        13: "A",
        14: "B",
        15: SUB_ICB[0],
        16: "20130401",
        22: "0",
        24: SUB_ICB[0],
        # Prescribing setting 4 is a GP practice.
        26: "4",
    }
    for number, value in filled.items():
        columns[number - 1] = np.full(len(frame), value, dtype=object)
    return {f"column_{number + 1}": cells for number, cells in enumerate(columns)}


def _registrations(world: World, practices: Practices, period: str) -> Table:
    rng = world.rng("nhs_gp_registrations", period)
    drift = rng.normal(1.0, 0.01, practices.patients.shape)
    patients = np.round(practices.patients * drift).astype(np.int64)
    codes = world.areas.lsoas["lsoa21cd"].to_numpy(dtype=object)
    if period <= LAST_PERIOD_IN_2011_CODES:
        patients, codes = in_2011_areas(world, patients)
    practice, area = np.nonzero(patients)
    counts = patients[practice, area]
    lsoa = codes[area]
    # Patients whose address has no LSOA of the region stand at the end of each practice.
    closed = 3 + rng.poisson(6, len(practices.frame))
    extra = {"CLOSED": closed, "EMPTY": rng.poisson(0.4, closed.size)}
    extra["W01999001"] = rng.poisson(0.15, closed.size)
    for label, values in extra.items():
        some = np.flatnonzero(values)
        practice = np.concatenate([practice, some])
        lsoa = np.concatenate([lsoa, np.full(some.size, label, dtype=object)])
        counts = np.concatenate([counts, values[some]])
    order = np.lexsort((lsoa.astype(str), practice))
    practice, lsoa, counts = practice[order], lsoa[order], counts[order]
    heading = "Number of Patients" if period == OLD_COUNT_HEADING_PERIOD else "NUMBER_OF_PATIENTS"
    size = practice.size
    return {
        "PUBLICATION": np.full(size, "GP_PRAC_PAT_LIST", dtype=object),
        "EXTRACT_DATE": np.full(size, first_day(period).strftime("%d%b%Y").upper(), dtype=object),
        "PRACTICE_CODE": practices.frame["code"].to_numpy(dtype=object)[practice],
        "PRACTICE_NAME": practices.frame["name"].to_numpy(dtype=object)[practice],
        "LSOA_CODE": lsoa,
        "SEX": np.full(size, "ALL", dtype=object),
        heading: numbers(counts),
    }


def in_2011_areas(
    world: World, counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Restate counts by LSOA 2021 as counts by LSOA 2011.

    Parameters
    ----------
    world : World
    counts : (k, n) array of int
        Counts of k things in each LSOA 2021.

    Returns
    -------
    (k, m) array of int, (m,) object array of str
        Counts in each LSOA 2011, and its codes. Totals of each row are kept: an area made of two
        older ones gives them its count in halves, the odd one to the first.
    """
    codes = world.vintages.lsoas11["lsoa11cd"].to_numpy(dtype=object)
    restated = np.zeros((counts.shape[0], codes.size), dtype=np.int64)
    for lsoa, parts in enumerate(world.vintages.parts):
        for place, row in enumerate(parts):
            restated[:, row] += (counts[:, lsoa] + len(parts) - 1 - place) // len(parts)
    return restated, codes


def _online(world: World, practices: Practices, period: str) -> Table:
    rng = world.rng("nhs_pomi", period)
    frame = practices.frame
    size = practices.patients.sum(axis=1)
    months = len(months_between(world.first_period, period))
    share = np.clip(frame["online"].to_numpy() + 0.003 * months, 0, 0.95)
    enabled = rng.binomial(size, share)
    # Real files hold practices with more people enabled than on the list.
    enabled[0] = size[0] + 12 + rng.integers(0, 20)
    values: dict[str, NDArray[Any]] = {
        "patient_list_size": size,
        "Total_Pat_Enbld": enabled,
        "New_Pat_Enbld": rng.poisson(0.004 * size),
        "Pat_Appts_Enbld": rng.binomial(enabled, 0.94),
        "Pat_Appts_Use": rng.poisson(0.11 * enabled),
        "Pat_Presc_Enbld": rng.binomial(enabled, 0.96),
        "Pat_Presc_Use": rng.poisson(0.24 * enabled),
        "Pat_DetCodeRec_Enbld": rng.binomial(enabled, 0.72),
        "Pat_DetCodeRec_Use": rng.poisson(0.15 * enabled),
        "Sys_Appts_Enbld": np.ones(len(frame), dtype=np.int64),
        "Sys_Presc_Enbld": np.ones(len(frame), dtype=np.int64),
        "Sys_DetCodeRec_Enbld": np.ones(len(frame), dtype=np.int64),
    }
    fields = np.array(list(values), dtype=object)
    cells = numbers(np.column_stack(list(values.values())).ravel())
    cells[rng.integers(0, cells.size, 3)] = "NULL"
    practice = np.repeat(np.arange(len(frame)), fields.size)
    count = practice.size
    return {
        "report_period_end": np.full(
            count, last_day(period).strftime("%d%b%Y").upper(), dtype=object
        ),
        "practice_code": frame["code"].to_numpy(dtype=object)[practice],
        "practice_name": frame["name"].to_numpy(dtype=object)[practice],
        "sub_icb_code": np.full(count, SUB_ICB[0], dtype=object),
        "sub_icb_name": np.full(count, SUB_ICB[1], dtype=object),
        "region_code": np.full(count, REGION[0], dtype=object),
        "region_name": np.full(count, REGION[1], dtype=object),
        "system_supplier": frame["supplier"].to_numpy(dtype=object)[practice],
        "field": np.tile(fields, len(frame)),
        "value": cells,
    }
