"""The areas of the region: OAs are in ``places``; here LSOAs of both vintages, MSOAs, wards, LADs.

Belongs here: the hierarchy, its codes and names, and the fields (deprivation, age, urbanity) that
every topic follows. Does not belong here: postcodes and addresses, which are ``places``. Codes are
valid by pattern and lie outside the ranges in use; every name carries "(synthetic)".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.random import Generator
from numpy.typing import NDArray

from synthetic.grouping import balanced_groups, contiguous_groups
from synthetic.tessellation import Floats, Tessellation

DISTRICT_NAMES = ("Northwood", "Alderbrook", "Kingsmere", "Stonebridge", "Wrenfield")
DISTRICT_SHORT_NAMES = ("NW", "AB", "KM", "SB", "WF")
MARK = "(synthetic)"
# Eight and more can always be made up of MSOAs of four to six; seven cannot.
FEWEST_IN_DISTRICT = 8


@dataclass(frozen=True)
class Areas:
    """The region's LSOAs in the order of their codes.

    Attributes
    ----------
    lsoas : pandas.DataFrame
        One row per LSOA 2021: ``lsoa21cd``, ``lsoa21nm``, ``msoa21cd``, ``msoa21nm``, ``wd24cd``,
        ``wd24nm``, ``lad24cd``, ``lad24nm``, ``district`` (index), ``population`` (persons),
        ``households``, ``deprivation``, ``age`` and ``urban`` (standard scores).
    polygons : (n,) object array of shapely.Polygon
        The LSOAs' areas, EPSG:27700.
    tessellation : Tessellation
        How the cells touch, in the same order.
    districts : tuple of str
        District names without the mark.
    """

    lsoas: pd.DataFrame
    polygons: NDArray[Any]
    tessellation: Tessellation
    districts: tuple[str, ...]


def lad_code(district: int) -> str:
    """Return the GSS code of a district by its index."""
    return f"E0899{district + 1:04d}"


def short_name(district: int) -> str:
    """Return the letters a district puts before its own record numbers."""
    if district < len(DISTRICT_SHORT_NAMES):
        return DISTRICT_SHORT_NAMES[district]
    return f"D{district + 1}"


def make_areas(rng: Generator, tessellation: Tessellation, districts: int) -> Areas:
    """Name the cells of a tessellation and give them people.

    Parameters
    ----------
    rng : numpy.random.Generator
    tessellation : Tessellation
    districts : int
        Number of local authority districts.
    """
    names = tuple(
        DISTRICT_NAMES[index] if index < len(DISTRICT_NAMES) else f"District {index + 1}"
        for index in range(districts)
    )
    centres, neighbours = tessellation.centres, tessellation.neighbours
    district = balanced_groups(
        centres, tessellation.towns[:districts], neighbours, FEWEST_IN_DISTRICT
    )
    rows: list[tuple[int, int, int, int]] = []
    msoa_count = 0
    for index in range(districts):
        members = np.flatnonzero(district == index).tolist()
        groups = contiguous_groups(members, centres, neighbours, 4, 6)
        groups.sort(key=lambda group: -centres[group, 1].mean())
        for number, group in enumerate(groups):
            ordered = sorted(group, key=lambda cell: (-centres[cell, 1], centres[cell, 0]))
            rows += [(cell, index, msoa_count + number, number) for cell in ordered]
        msoa_count += len(groups)
    order = np.array([row[0] for row in rows])
    frame = _named(pd.DataFrame(rows, columns=["cell", "district", "msoa", "number"]), names)
    frame = _with_wards(frame, order, tessellation, names)
    frame = frame.join(_fields(rng, tessellation, order, districts))
    frame = frame.drop(columns=["cell", "number", "msoa"])
    moved = reordered(tessellation, order)
    return Areas(frame, moved.polygons, moved, names)


def reordered(tessellation: Tessellation, order: NDArray[np.int64]) -> Tessellation:
    """Return the tessellation with its cells in another order."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    shared = {}
    for (left, right), curve in tessellation.shared_edges.items():
        first, second = sorted((int(place[left]), int(place[right])))
        shared[first, second] = curve
    return Tessellation(
        centres=tessellation.centres[order],
        polygons=tessellation.polygons[order],
        corners=[tessellation.corners[cell] for cell in order],
        neighbours=[{int(place[other]) for other in tessellation.neighbours[c]} for c in order],
        shared_edges=shared,
        towns=tessellation.towns,
        radius=tessellation.radius,
    )


def _named(frame: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    district = np.array(names, dtype=object)[frame["district"]]
    letter = frame.groupby("msoa").cumcount().map(lambda place: chr(ord("A") + place))
    number = [f"{value + 1:03d}" for value in frame["number"]]
    return frame.assign(
        lsoa21cd=[f"E0199{row + 1:04d}" for row in range(len(frame))],
        lsoa21nm=[f"{d} {n}{at} {MARK}" for d, n, at in zip(district, number, letter, strict=True)],
        msoa21cd=[f"E0299{row + 1:04d}" for row in frame["msoa"]],
        msoa21nm=[f"{d} {n} {MARK}" for d, n in zip(district, number, strict=True)],
        lad24cd=[lad_code(row) for row in frame["district"]],
        lad24nm=[f"{d} {MARK}" for d in district],
    )


def _with_wards(
    frame: pd.DataFrame,
    order: NDArray[np.int64],
    tessellation: Tessellation,
    names: tuple[str, ...],
) -> pd.DataFrame:
    code = np.empty(len(frame), dtype=object)
    name = np.empty(len(frame), dtype=object)
    place = {int(cell): row for row, cell in enumerate(order)}
    # Turned a little, so that wards do not follow the cuts that made the MSOAs.
    turn = np.array([[0.8, -0.6], [0.6, 0.8]]) @ np.diag([1.0, 1.9])
    turned = tessellation.centres @ turn
    count = 0
    for index, district in enumerate(names):
        members = frame.loc[frame["district"] == index, "cell"].tolist()
        groups = contiguous_groups(members, turned, tessellation.neighbours, 7, 11)
        for number, group in enumerate(groups):
            count += 1
            rows = [place[cell] for cell in group]
            code[rows] = f"E0599{count:04d}"
            name[rows] = f"{district} Ward {number + 1} {MARK}"
    return frame.assign(wd24cd=code, wd24nm=name)


def _standard(values: Floats) -> Floats:
    return (values - values.mean()) / (values.std() or 1.0)


def _fields(
    rng: Generator, tessellation: Tessellation, order: NDArray[np.int64], districts: int
) -> pd.DataFrame:
    centres = tessellation.centres[order]
    urban = _standard(-np.log(shapely.area(tessellation.polygons[order])))
    deprivation = 0.55 * urban
    bumps = [(town, 1.6, 0.16) for town in tessellation.towns[:districts]]
    low, high = centres.min(axis=0), centres.max(axis=0)
    bumps += [(rng.uniform(low, high), rng.normal(0, 1.5), 0.13) for _ in range(4 * districts)]
    for middle, height, width in bumps:
        distance = np.hypot(*(centres - middle).T) / (width * tessellation.radius)
        deprivation = deprivation + height * np.exp(-(distance**2) / 2)
    deprivation = _standard(_standard(deprivation) + rng.normal(0, 0.45, len(order)))
    age = _standard(-0.7 * urban - 0.25 * deprivation + rng.normal(0, 0.6, len(order)))
    households = np.clip(680 * np.exp(rng.normal(0, 0.16, len(order))), 400, 1200).round()
    size = np.clip(2.42 + 0.1 * deprivation - 0.1 * age + rng.normal(0, 0.12, len(order)), 1.9, 3)
    population = np.clip(households * size, 1000, 3000).round()
    return pd.DataFrame(
        {
            "population": population.astype(np.int64),
            "households": households.astype(np.int64),
            "deprivation": deprivation,
            "age": age,
            "urban": urban,
        }
    )
