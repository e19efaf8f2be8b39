"""Output areas, postcodes and addresses of the region.

Belongs here: where people live inside each LSOA and what the places are called. Does not belong
here: what happens there. Postcode areas QA, QB, ... and UPRNs beginning 0999 are not in use.
A few postcodes straddle a border: the postcode's own point, hence its official LSOA, lies on one
side and some of its addresses on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.random import Generator
from numpy.typing import NDArray

from synthetic.areas import Areas
from synthetic.tables import Table
from synthetic.tessellation import Floats
from synthetic.vintages import Vintages

LIVE_PER_LSOA = 22
TERMINATED_SHARE = 0.25
STRADDLING_SHARE = 0.03
FEWEST_OAS, MOST_OAS = 4, 6
INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
UPRN_STEP = 7_919


@dataclass(frozen=True)
class Places:
    """Where people live.

    Attributes
    ----------
    oas : pandas.DataFrame
        ``oa21cd``, ``lsoa`` (row), ``residents``, ``premises``, ``easting``, ``northing`` (the mean
        of its addresses, metres).
    postcodes : pandas.DataFrame
        ``pcds``, ``lsoa``, ``lsoa11``, ``oa`` (rows), ``district``, ``easting``, ``northing``,
        ``dointr``, ``doterm`` (``YYYYMM``; blank is live), ``live``, ``households``,
        ``straddling``.
    uprns : dict of arrays
        ``uprn`` (12 digits), ``postcode``, ``lsoa``, ``oa`` (rows), ``easting``, ``northing``.
    """

    oas: pd.DataFrame
    postcodes: pd.DataFrame
    uprns: Table


def make_places(rng: Generator, areas: Areas, vintages: Vintages) -> Places:
    """Scatter postcodes and addresses over the areas."""
    frame = areas.lsoas
    live = np.maximum(8, rng.poisson(LIVE_PER_LSOA, len(frame)))
    gone = rng.poisson(LIVE_PER_LSOA * TERMINATED_SHARE, len(frame))
    lsoa = np.repeat(np.arange(len(frame)), live + gone)
    is_live = np.concatenate([np.arange(a + b) < a for a, b in zip(live, gone, strict=True)])
    xy = _points(rng, areas, lsoa)
    xy, across, other_lsoa = _straddle(rng, areas, lsoa, xy, is_live)
    oa, oa_lsoa = _output_areas(rng, lsoa, is_live, xy, len(frame))
    postcodes = pd.DataFrame(
        {
            "pcds": _codes(rng, frame, lsoa),
            "lsoa": lsoa,
            "lsoa11": vintages.rows11(lsoa, xy),
            "oa": oa,
            "district": frame["district"].to_numpy()[lsoa],
            "easting": xy[:, 0],
            "northing": xy[:, 1],
            "live": is_live,
            "straddling": ~np.isnan(across[:, 0]),
        }
    ).assign(**_lives(rng, is_live))
    postcodes["households"] = _households(rng, frame["households"].to_numpy(), lsoa, is_live)
    uprns = _addresses(rng, areas, postcodes, across, other_lsoa)
    oas = _described_oas(frame, oa_lsoa, uprns)
    return Places(oas, postcodes, uprns)


def _points(rng: Generator, areas: Areas, lsoa: NDArray[np.int64]) -> Floats:
    border = [shapely.get_coordinates(polygon) for polygon in areas.polygons]
    start = np.concatenate([[0], np.cumsum([len(ring) for ring in border])])[:-1]
    count = np.array([len(ring) - 1 for ring in border])
    rim = np.vstack(border)[start[lsoa] + (rng.random(lsoa.size) * count[lsoa]).astype(np.int64)]
    centre = areas.tessellation.centres[lsoa]
    # Rural areas have one village in a wide parish, so their postcodes gather at the centre.
    reach = np.clip(0.95 + 0.3 * areas.lsoas["urban"].to_numpy()[lsoa], 0.25, 0.95)
    far = np.sqrt(rng.random(lsoa.size)) * reach
    xy = centre + far[:, None] * (rim - centre)
    lost = ~shapely.contains_xy(areas.polygons[lsoa], xy[:, 0], xy[:, 1])
    xy[lost] = centre[lost] + 0.5 * (xy[lost] - centre[lost])
    lost = ~shapely.contains_xy(areas.polygons[lsoa], xy[:, 0], xy[:, 1])
    xy[lost] = centre[lost]
    return np.round(xy)


def _straddle(
    rng: Generator,
    areas: Areas,
    lsoa: NDArray[np.int64],
    xy: Floats,
    is_live: NDArray[np.bool_],
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    across = np.full(xy.shape, np.nan)
    other_lsoa = np.full(lsoa.size, -1)
    edges = areas.tessellation.shared_edges
    district = areas.lsoas["district"].to_numpy()
    sides = [pair for pair in sorted(edges) if district[pair[0]] == district[pair[1]]]
    by_cell: dict[int, list[tuple[int, int]]] = {}
    for pair in sides:
        for cell in pair:
            by_cell.setdefault(cell, []).append(pair)
    chosen = np.flatnonzero(is_live & (rng.random(lsoa.size) < STRADDLING_SHARE))
    taken: set[tuple[int, int]] = set()
    for row in chosen.tolist():
        home = int(lsoa[row])
        open_sides = [pair for pair in by_cell.get(home, []) if pair not in taken]
        if not open_sides:
            continue
        pair = open_sides[int(rng.integers(len(open_sides)))]
        away = pair[0] if pair[1] == home else pair[1]
        curve = edges[pair]
        middle = curve[len(curve) // 2]
        here = np.round(middle + 0.06 * (areas.tessellation.centres[home] - middle))
        there = np.round(middle + 0.06 * (areas.tessellation.centres[away] - middle))
        if shapely.contains_xy(areas.polygons[home], *here) and shapely.contains_xy(
            areas.polygons[away], *there
        ):
            taken.add(pair)
            xy[row], across[row], other_lsoa[row] = here, there, away
    return xy, across, other_lsoa


def _output_areas(
    rng: Generator, lsoa: NDArray[np.int64], is_live: NDArray[np.bool_], xy: Floats, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    wanted = rng.integers(FEWEST_OAS, MOST_OAS + 1, count)
    first = np.concatenate([[0], np.cumsum(wanted)])[:-1]
    oa = np.empty(lsoa.size, dtype=np.int64)
    for area in range(count):
        rows = np.flatnonzero(lsoa == area)
        seeds = rng.choice(rows[is_live[rows]], wanted[area], replace=False)
        distance = ((xy[rows][:, None, :] - xy[seeds][None, :, :]) ** 2).sum(axis=2)
        oa[rows] = first[area] + distance.argmin(axis=1)
        # Each output area keeps at least the postcode it grew from.
        oa[seeds] = first[area] + np.arange(wanted[area])
    return oa, np.repeat(np.arange(count), wanted)


def _codes(rng: Generator, frame: pd.DataFrame, lsoa: NDArray[np.int64]) -> NDArray[Any]:
    district = frame["district"].to_numpy()
    msoa = pd.factorize(frame["msoa21cd"])[0]
    first_msoa = pd.Series(msoa).groupby(district).transform("min").to_numpy()
    outward = (msoa - first_msoa) // 3 + 1
    letters = np.array([f"Q{chr(ord('A') + row)}" for row in range(district.max() + 1)])
    sector = np.char.add(letters[district], outward.astype(str))[lsoa]
    inward = np.array(
        [f"{n}{a}{b}" for n in range(10) for a in INWARD_LETTERS for b in INWARD_LETTERS]
    )
    codes = np.empty(lsoa.size, dtype=object)
    for name in np.unique(sector):
        rows = np.flatnonzero(sector == name)
        codes[rows] = [f"{name} {end}" for end in rng.permutation(inward)[: rows.size]]
    return codes


def _lives(rng: Generator, is_live: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    born = rng.integers(1980, 2015, is_live.size) * 100 + rng.integers(1, 13, is_live.size)
    died = rng.integers(2016, 2024, is_live.size) * 100 + rng.integers(1, 13, is_live.size)
    return {
        "dointr": np.array(born.astype(str), dtype=object),
        "doterm": np.where(is_live, "", died.astype(str)).astype(object),
    }


def _households(
    rng: Generator, total: NDArray[np.int64], lsoa: NDArray[np.int64], is_live: NDArray[np.bool_]
) -> NDArray[np.int64]:
    households = np.zeros(lsoa.size, dtype=np.int64)
    weight = rng.gamma(4.0, 1.0, lsoa.size) * is_live
    for area in range(len(total)):
        rows = np.flatnonzero((lsoa == area) & is_live)
        share = weight[rows] / weight[rows].sum()
        # One address at least in each live postcode.
        households[rows] = 1 + rng.multinomial(total[area] - rows.size, share)
    return households


def _addresses(
    rng: Generator,
    areas: Areas,
    postcodes: pd.DataFrame,
    across: Floats,
    other_lsoa: NDArray[np.int64],
) -> Table:
    xy = postcodes[["easting", "northing"]].to_numpy()
    lsoa, oa = postcodes["lsoa"].to_numpy(), postcodes["oa"].to_numpy()
    room = shapely.distance(shapely.boundary(areas.polygons[lsoa]), shapely.points(xy))
    room_across = np.zeros(len(xy))
    moved = other_lsoa >= 0
    room_across[moved] = shapely.distance(
        shapely.boundary(areas.polygons[other_lsoa[moved]]), shapely.points(across[moved])
    )
    oa_across = np.full(len(xy), -1)
    for row in np.flatnonzero(moved).tolist():
        rows = np.flatnonzero(lsoa == other_lsoa[row])
        oa_across[row] = oa[rows[((xy[rows] - across[row]) ** 2).sum(axis=1).argmin()]]
    home = np.repeat(np.arange(len(xy)), postcodes["households"].to_numpy())
    over = moved[home] & (rng.random(home.size) < 0.4)
    angle = rng.uniform(0, 2 * np.pi, home.size)
    # An address stays nearer to its postcode's point than the border is.
    reach = np.minimum(60.0, 0.9 * np.where(over, room_across[home], room[home]))
    step = np.sqrt(rng.random(home.size)) * reach
    base = np.where(over[:, None], across[home], xy[home])
    point = np.round(base + np.column_stack([np.cos(angle), np.sin(angle)]) * step[:, None], 2)
    serial = (np.arange(home.size, dtype=np.int64) * UPRN_STEP + 1_234_567) % 10**8
    return {
        "uprn": np.array([f"0999{number:08d}" for number in serial.tolist()], dtype=object),
        "postcode": home,
        "lsoa": np.where(over, other_lsoa[home], lsoa[home]),
        "oa": np.where(over, oa_across[home], oa[home]),
        "easting": point[:, 0],
        "northing": point[:, 1],
    }


def _described_oas(frame: pd.DataFrame, oa_lsoa: NDArray[np.int64], uprns: Table) -> pd.DataFrame:
    count = np.bincount(uprns["oa"], minlength=oa_lsoa.size)
    easting = np.bincount(uprns["oa"], uprns["easting"], minlength=oa_lsoa.size) / count
    northing = np.bincount(uprns["oa"], uprns["northing"], minlength=oa_lsoa.size) / count
    population = frame["population"].to_numpy()
    lived_in = np.bincount(oa_lsoa, count, minlength=len(frame))
    exact = population[oa_lsoa] * count / lived_in[oa_lsoa]
    # Largest remainders, so that output areas add up to their LSOA.
    whole = np.floor(exact).astype(np.int64)
    order = np.lexsort((-(exact - whole), oa_lsoa))
    short = population - np.bincount(oa_lsoa, whole, minlength=len(frame)).astype(np.int64)
    rank = np.arange(oa_lsoa.size) - np.searchsorted(oa_lsoa, oa_lsoa)
    whole[order] += rank < short[oa_lsoa]
    return pd.DataFrame(
        {
            "oa21cd": [f"E0099{row + 1:04d}" for row in range(oa_lsoa.size)],
            "lsoa": oa_lsoa,
            "residents": whole,
            "premises": count,
            "easting": easting,
            "northing": northing,
        }
    )
