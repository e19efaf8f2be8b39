"""Street-level crime as data.police.uk publishes it.

Belongs here: anonymised map points and the monthly file of the region's force. Does not belong
here: any offence or person; a row is an invented crime at an invented point. Columns: domain
dossier 1.5.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from synthetic import code_lists
from synthetic.delivery import Extract, monthly_arrival
from synthetic.draws import pick, thin
from synthetic.months import months_between
from synthetic.reference import to_wgs84
from synthetic.tables import Cells, Table, blanked, numbers, rows, select
from synthetic.world import World

FORCE = "Arden Police (synthetic)"
CRIMES_PER_LSOA_MONTH = 9.0
POINTS_PER_LSOA = 14
LAST_PERIOD_IN_2011_CODES = "2025-03"
NO_LOCATION_SHARE = 0.02
# Another force's area, far from the region; the code is of no area anywhere.
OUTSIDE_POINT = (530_000.0, 180_000.0)
OUTSIDE_LSOA = ("E01970001", "Farholm 001A (synthetic)")
OUTSIDE_ROWS = 3
_STREETS = [
    "Thistledown",
    "Quillmere",
    "Brackenford",
    "Otterburrow",
    "Larkhollow",
    "Foxglove",
    "Nettlebank",
    "Mossgate",
    "Sedgebrook",
    "Wimbleford",
    "Pinchbeck",
    "Hobbleworth",
]
_KINDS = ("Road", "Street", "Lane", "Close", "Avenue")


def police_extracts(world: World) -> Iterator[Extract]:
    """Yield the monthly street files of the region's force."""
    points = _map_points(world)
    for period in months_between(world.first_period, world.last_period):
        yield street_extract(world, points, period)


def _map_points(world: World) -> pd.DataFrame:
    rng = world.rng("police_points")
    postcodes = world.places.postcodes
    live = postcodes[postcodes["live"]]
    order = rng.permutation(len(live))
    shuffled = live.iloc[order]
    chosen = shuffled[shuffled.groupby("lsoa").cumcount() < POINTS_PER_LSOA].sort_index()
    xy = chosen[["easting", "northing"]].to_numpy(dtype=np.float64)
    longitude, latitude = to_wgs84(xy[:, 0], xy[:, 1])
    towns = world.areas.tessellation.towns[: len(world.areas.districts)]
    gap = np.hypot(*(xy[:, None, :] - towns[None, :, :]).transpose(2, 0, 1)).min(axis=1)
    deprivation = world.areas.lsoas["deprivation"].to_numpy()[chosen["lsoa"]]
    centre = np.exp(-((gap / (0.045 * world.areas.tessellation.radius)) ** 2))
    heat = np.exp(0.35 * deprivation + rng.normal(0, 0.6, len(chosen))) + 9 * centre
    code11 = world.vintages.lsoas11.iloc[chosen["lsoa11"].to_numpy()]
    area21 = world.areas.lsoas.iloc[chosen["lsoa"].to_numpy()]
    names = [f"On or near {street} {kind}" for street in _STREETS for kind in _KINDS]
    return pd.DataFrame(
        {
            "longitude": numbers(longitude, 6),
            "latitude": numbers(latitude, 6),
            "location": np.array(names, dtype=object)[rng.integers(0, len(names), len(chosen))],
            "lsoa21cd": area21["lsoa21cd"].to_numpy(dtype=object),
            "lsoa21nm": area21["lsoa21nm"].to_numpy(dtype=object),
            "lsoa11cd": code11["lsoa11cd"].to_numpy(dtype=object),
            "lsoa11nm": code11["lsoa11nm"].to_numpy(dtype=object),
            "exact": np.isin(world.vintages.change[chosen["lsoa"]], ["U", "M"]),
            "heat": heat / heat.sum(),
        }
    )


def street_extract(world: World, points: pd.DataFrame, period: str) -> Extract:
    """Return the street file of a month.

    The truth holds ``period``, ``lsoa21cd`` (None where the row has no place in the region),
    ``crime_type``, ``n``, ``reason`` (why a row has no place: ``no_location`` or
    ``outside_region``) and ``exact`` (whether converting the code in the file to 2021 gives this
    LSOA for certain).
    """
    rng = world.rng("police_street", period)
    expected = CRIMES_PER_LSOA_MONTH * len(world.areas.lsoas) * points["heat"].to_numpy()
    crimes = thin(rng, expected)
    at = np.repeat(np.arange(len(points)), crimes)
    at = at[rng.permutation(at.size)]
    count = at.size
    lost = rng.random(count) < NO_LOCATION_SHARE
    old = period <= LAST_PERIOD_IN_2011_CODES
    vintage = "11" if old else "21"
    kind = pick(rng, code_lists.CRIMES, count)
    where = points.iloc[at]
    located: Table = {
        "Longitude": where["longitude"].to_numpy(dtype=object),
        "Latitude": where["latitude"].to_numpy(dtype=object),
        "Location": where["location"].to_numpy(dtype=object),
        "LSOA code": where[f"lsoa{vintage}cd"].to_numpy(dtype=object),
        "LSOA name": where[f"lsoa{vintage}nm"].to_numpy(dtype=object),
    }
    for name, cells in located.items():
        located[name] = np.where(lost, "No Location" if name == "Location" else "", cells).astype(
            object
        )
    placed = blanked(where["lsoa21cd"].to_numpy(dtype=object), lost, None)
    reason = np.where(lost, "no_location", "").astype(object)
    exact = np.where(lost, True, where["exact"].to_numpy() if old else True).astype(bool)
    outside = rng.choice(np.flatnonzero(~lost), min(OUTSIDE_ROWS, int((~lost).sum())), False)
    _move_outside(rng, located, outside)
    placed[outside], reason[outside], exact[outside] = None, "outside_region", True
    anti_social = kind == code_lists.ANTI_SOCIAL
    blank = np.full(count, "", dtype=object)
    table: Table = {
        "Crime ID": np.where(anti_social, "", _crime_ids(rng, count)).astype(object),
        "Month": np.full(count, period, dtype=object),
        "Reported by": np.full(count, FORCE, dtype=object),
        "Falls within": np.full(count, FORCE, dtype=object),
        **located,
        "Crime type": kind,
        "Last outcome category": np.where(
            anti_social, "", pick(rng, code_lists.CRIME_OUTCOMES, count)
        ).astype(object),
        "Context": blank,
    }
    truth = (
        pd.DataFrame(
            {
                "period": period,
                "lsoa21cd": placed,
                "crime_type": kind,
                "reason": reason,
                "exact": exact,
            }
        )
        .value_counts(["period", "lsoa21cd", "crime_type", "reason", "exact"], dropna=False)
        .rename("n")
        .reset_index()
        .sort_values(["lsoa21cd", "crime_type", "reason"], ignore_index=True)
    )
    source = "police_street"
    return Extract(
        source,
        period,
        f"{period}-arden-street.csv",
        table,
        monthly_arrival(source, period, world.as_of),
        truth={"street_crime": truth},
    )


def _crime_ids(rng: np.random.Generator, count: int) -> Cells:
    whole = rng.bytes(32 * count).hex()
    return np.array([whole[at : at + 64] for at in range(0, 64 * count, 64)], dtype=object)


def _move_outside(rng: np.random.Generator, located: Table, chosen: Cells) -> None:
    spread = rng.normal(0, 500, (2, chosen.size))
    longitude, latitude = to_wgs84(OUTSIDE_POINT[0] + spread[0], OUTSIDE_POINT[1] + spread[1])
    located["Longitude"][chosen] = numbers(longitude, 6)
    located["Latitude"][chosen] = numbers(latitude, 6)
    located["LSOA code"][chosen], located["LSOA name"][chosen] = OUTSIDE_LSOA


def tomorrows(extract: Extract, period: str) -> Table:
    """Return some rows of a street file with another month written in them."""
    table = select(extract.table, np.arange(min(20, rows(extract.table))))
    table["Month"] = np.full(rows(table), period, dtype=object)
    return table
