"""The 2011 LSOAs of the region and how they became those of 2021.

Belongs here: which areas were split, merged or redrawn, the 2011 polygons, and the 2011 code of a
point. Does not belong here: how the platform converts counts between vintages, which is not this
room's to know. Change codes follow the ONS exact-fit lookup: U unchanged, S split, M merged,
X complex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
import shapely.ops
from numpy.random import Generator
from numpy.typing import NDArray

from declarations.errors import GeographyError
from synthetic.areas import Areas
from synthetic.tessellation import Floats

SPLIT_SHARE = 0.05
MERGED_SHARE = 0.02


@dataclass(frozen=True)
class Vintages:
    """LSOAs of 2011 and their changes.

    Attributes
    ----------
    lsoas11 : pandas.DataFrame
        ``lsoa11cd``, ``lsoa11nm``, in the order of their codes.
    polygons11 : (m,) object array of shapely.Polygon
    changes : pandas.DataFrame
        ``lsoa11cd``, ``lsoa11nm``, ``lsoa21cd``, ``lsoa21nm``, ``chgind``, ``lad24cd``,
        ``lad24nm``: each pair of areas that share ground.
    parts : list of list of int
        For each LSOA 2021 the rows of ``lsoas11`` that share ground with it.
    change : (n,) object array of str
        Change code of each LSOA 2021.
    """

    lsoas11: pd.DataFrame
    polygons11: NDArray[Any]
    changes: pd.DataFrame
    parts: list[list[int]]
    change: NDArray[Any]

    def rows11(self, lsoa: NDArray[np.int64], xy: Floats) -> NDArray[np.int64]:
        """Return the row in ``lsoas11`` of points whose LSOA 2021 is known.

        Parameters
        ----------
        lsoa : (k,) array of int
            Row of the LSOA 2021 each point lies in.
        xy : (k, 2) array
            Easting and northing, metres.
        """
        found = np.array([rows[0] for rows in self.parts])[lsoa]
        for point in np.flatnonzero(np.isin(self.change[lsoa], ["M", "X"])):
            rows = self.parts[lsoa[point]]
            place = shapely.Point(xy[point])
            found[point] = min(
                rows, key=lambda row: float(shapely.distance(self.polygons11[row], place))
            )
        return found


def make_vintages(rng: Generator, areas: Areas) -> Vintages:
    """Invent the 2011 areas that the 2021 areas came from.

    Parameters
    ----------
    rng : numpy.random.Generator
    areas : Areas

    Raises
    ------
    GeographyError
        If no pair of neighbours can be redrawn into a complex change.
    """
    free = set(range(len(areas.lsoas)))
    groups: list[tuple[str, list[int], list[Any]]] = [_complex_group(rng, areas, free)]
    free -= set(groups[0][1])
    for size in _split_sizes(rng, len(areas.lsoas)):
        members = _neighbours_of_one_msoa(rng, areas, free, size)
        if members:
            groups.append(("S", members, [shapely.coverage_union_all(areas.polygons[members])]))
            free -= set(members)
    for _ in range(max(1, round(MERGED_SHARE * len(areas.lsoas)))):
        cell = int(rng.choice(sorted(free)))
        halves = _halves(areas, cell)
        if halves:
            groups.append(("M", [cell], halves))
            free.discard(cell)
    groups += [("U", [cell], [areas.polygons[cell]]) for cell in sorted(free)]
    groups.sort(key=lambda group: min(group[1]))
    return _described(areas, groups)


def _split_sizes(rng: Generator, count: int) -> list[int]:
    # The share is of 2011 areas; each becomes two or three.
    return [2 if rng.random() < 0.8 else 3 for _ in range(max(1, round(SPLIT_SHARE * count)))]


def _neighbours_of_one_msoa(
    rng: Generator, areas: Areas, free: set[int], size: int
) -> list[int] | None:
    msoa = areas.lsoas["msoa21cd"].to_numpy()
    for start in rng.permutation(sorted(free))[:50].tolist():
        members = [start]
        while len(members) < size:
            touching = {
                other
                for cell in members
                for other in areas.tessellation.neighbours[cell]
                if other in free and msoa[other] == msoa[start] and other not in members
            }
            if not touching:
                break
            members.append(min(touching))
        union = shapely.coverage_union_all(areas.polygons[members])
        if len(members) == size and union.geom_type == "Polygon" and not union.interiors:
            return sorted(members)
    return None


def _opposite_corners(areas: Areas, cell: int) -> tuple[Floats, Floats]:
    corners = areas.tessellation.corners[cell]
    gap = np.hypot(*(corners[:, None, :] - corners[None, :, :]).transpose(2, 0, 1))
    first, second = np.unravel_index(int(gap.argmax()), gap.shape)
    return corners[first], corners[second]


def _cut(polygon: Any, line: Sequence[Any]) -> list[Any] | None:
    """Cut a polygon in two along a line between points of its border, adding no point to it."""
    pieces = list(shapely.ops.split(polygon, shapely.LineString(line)).geoms)
    if len(pieces) != 2 or any(piece.area < 0.15 * polygon.area for piece in pieces):
        return None
    border = shapely.get_coordinates(polygon)
    known = {tuple(point) for point in border} | {tuple(np.asarray(p)) for p in line}
    cut = shapely.get_coordinates(pieces)
    return pieces if all(tuple(point) in known for point in cut) else None


def _halves(areas: Areas, cell: int) -> list[Any] | None:
    start, end = _opposite_corners(areas, cell)
    return _cut(areas.polygons[cell], [start, areas.tessellation.centres[cell], end])


def _complex_group(
    rng: Generator, areas: Areas, free: set[int]
) -> tuple[str, list[int], list[Any]]:
    edges = areas.tessellation.shared_edges
    district = areas.lsoas["district"].to_numpy()
    centres = areas.tessellation.centres
    for index in rng.permutation(len(edges)).tolist():
        left, right = sorted(edges)[index]
        if district[left] != district[right] or not {left, right} <= free:
            continue
        both = shapely.coverage_union_all(areas.polygons[[left, right]])
        if both.geom_type != "Polygon" or both.interiors:
            continue
        curve = edges[left, right]
        crossing = curve[len(curve) // 2]
        for start in _far_corners(areas, left, crossing):
            for end in _far_corners(areas, right, crossing):
                line = [start, centres[left], crossing, centres[right], end]
                pieces = _cut(both, line)
                if pieces and _each_in_both(pieces, areas.polygons[[left, right]]):
                    return "X", [left, right], pieces
    raise GeographyError(
        "No pair of synthetic areas can be redrawn into a complex change", "Choose another seed"
    )


def _far_corners(areas: Areas, cell: int, crossing: Floats) -> list[Floats]:
    corners = areas.tessellation.corners[cell]
    distance = np.hypot(*(corners - crossing).T)
    return [corners[row] for row in np.argsort(-distance, kind="stable")[:3]]


def _each_in_both(pieces: Sequence[Any], polygons: NDArray[Any]) -> bool:
    return all(
        piece.intersection(polygon).area > 0.1 * polygon.area
        for piece in pieces
        for polygon in polygons
    )


def _described(areas: Areas, groups: list[tuple[str, list[int], list[Any]]]) -> Vintages:
    frame = areas.lsoas
    codes: list[str] = []
    names: list[str] = []
    polygons: list[Any] = []
    changes: list[tuple[str, str, int, str]] = []
    parts: list[list[int]] = [[] for _ in range(len(frame))]
    change = np.empty(len(frame), dtype=object)
    letters: dict[str, int] = {}
    new = 0
    for kind, members, shapes in groups:
        change[members] = kind
        for shape in shapes:
            first = frame.iloc[members[0]]
            if kind == "U":
                code, name = first["lsoa21cd"], first["lsoa21nm"]
            else:
                new += 1
                code = f"E0198{new:04d}"
                # Letters run on after those an MSOA of 2021 uses, as ONS names do.
                stem = first["msoa21nm"].removesuffix(" (synthetic)")
                letters[stem] = letters.get(stem, ord("K") - 1) + 1
                name = f"{stem}{chr(letters[stem])} (synthetic)"
            for member in members:
                parts[member].append(len(codes))
                changes.append((code, name, member, kind))
            codes.append(code)
            names.append(name)
            polygons.append(shape)
    order = np.argsort(np.array(codes), kind="stable")
    place = np.argsort(order)
    lsoas11 = pd.DataFrame({"lsoa11cd": codes, "lsoa11nm": names}).iloc[order]
    shapes11 = np.empty(len(polygons), dtype=object)
    shapes11[:] = [polygons[row] for row in order]
    pairs = pd.DataFrame(changes, columns=["lsoa11cd", "lsoa11nm", "row", "chgind"])
    pairs = pairs.join(frame[["lsoa21cd", "lsoa21nm", "lad24cd", "lad24nm"]], on="row")
    return Vintages(
        lsoas11.reset_index(drop=True),
        shapes11,
        pairs.drop(columns="row").sort_values(["lsoa11cd", "lsoa21cd"], ignore_index=True),
        [[int(place[row]) for row in rows] for rows in parts],
        change,
    )
