"""Which areas lie beside which: contiguity weights, islands, and a buffer beyond the region's edge.

Belongs here: links between areas from their boundaries, and the weights made of them for spatial
statistics. Does not belong here: reading boundaries (`reading`), whether they form a coverage
(`coverage`), or any statistic.

Rules. Two areas are linked if their polygons have a point in common (queen contiguity). A link is a
*border* if what they share has a length, or if they overlap; else it is a *corner*. Rook contiguity
is the borders alone. The predicate is exact and looks at lines, not at vertices, so that borders
whose vertices differ are found where the lines still meet. Where generalising has torn borders
apart, a tolerance links areas no further apart than it; such a link is a border if at least
`BORDER_TOLERANCES` times the tolerance of each boundary lies within it of the other area, which two
areas that only meet in a corner of 12 degrees or more do not reach.

An area without a link is an island. It stays one in the list of islands even where the rule
``islands="nearest"`` joins it to the area nearest by its boundary, the smaller code between equals;
such a link says so.

Areas at the edge of a region have neighbours outside it. Given boundaries of a wider extent, the
areas outside that are reached within so many steps or metres are kept, marked as not in the region;
links from the region's own areas are then the true ones.

The links are found by libpysal (BSD-3) and come out as its `Graph`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from declarations.errors import GeographyError
from geography.segments import segments_of

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas
    import pyarrow as pa
    from libpysal.graph import Graph
    from numpy.typing import NDArray

Contiguity = Literal["queen", "rook"]
Islands = Literal["none", "nearest"]

KINDS = ("border", "corner", "nearest")
"""What a link is, by the number that stands for it in `Neighbours.kind`."""
BORDER, CORNER, NEAREST = range(3)

BORDER_TOLERANCES = 10.0
"""How many tolerances long a torn border must be to count as a border rather than a corner."""
MIXING = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xFF51AFD7ED558CCD],
    dtype=np.uint64,
)
"""Odd numbers without a pattern, so that different segments hardly ever get the same number."""
ARC_SEGMENTS = 8
"""Segments of a quarter circle in a buffer: it falls short of the distance by at most 0.5 %."""


@dataclass(frozen=True)
class Neighbours:
    """Links between areas, each in both directions, in the order of the codes.

    Attributes
    ----------
    codes : ndarray of object, shape (n,)
        The areas' codes, ascending.
    in_region : ndarray of bool, shape (n,)
        Whether the area is one of the region's own; all are where no region was named.
    first, second : ndarray of int64, shape (m,)
        Positions in `codes`; ascending by first and then by second, never equal.
    kind : ndarray of int8, shape (m,)
        Position in `KINDS`.
    border : ndarray of float64, shape (m,)
        Length of the line shared, in units of the coordinate system; 0 for a corner, a link to the
        nearest, and areas that overlap and share no line. For a border found by the tolerance, the
        shorter of the two lines that lie within it of the other area.
    by_tolerance : ndarray of bool, shape (m,)
        Whether the areas have no point in common, or are a border by the tolerance alone.
    islands : tuple of str
        Areas without a neighbour, joined to their nearest or not. Of those outside the region it is
        not known, so they are not named.
    """

    codes: NDArray[np.object_]
    in_region: NDArray[np.bool_]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    kind: NDArray[np.int8]
    border: NDArray[np.float64]
    by_tolerance: NDArray[np.bool_]
    islands: tuple[str, ...]

    def table(self, *, own: bool = False) -> pa.Table:
        """Return the links as a table.

        Parameters
        ----------
        own : bool, default False
            Only those that start in an area of the region: they alone are complete.

        Returns
        -------
        pyarrow.Table
            code, neighbour, kind, border (float64), by_tolerance, in_region, neighbour_in_region.
        """
        import pyarrow as pa  # noqa: PLC0415 (heavy)

        kept = self.in_region[self.first] if own else np.ones(len(self.first), dtype=bool)
        first, second = self.first[kept], self.second[kept]
        kinds = np.array(KINDS, dtype=object)[self.kind[kept]]
        return pa.table(
            {
                "code": pa.array(self.codes[first], pa.string()),
                "neighbour": pa.array(self.codes[second], pa.string()),
                "kind": pa.array(kinds, pa.string()),
                "border": pa.array(self.border[kept], pa.float64()),
                "by_tolerance": pa.array(self.by_tolerance[kept], pa.bool_()),
                "in_region": pa.array(self.in_region[first], pa.bool_()),
                "neighbour_in_region": pa.array(self.in_region[second], pa.bool_()),
            }
        )

    def graph(
        self, contiguity: Contiguity = "queen", *, weigh_borders: bool = False, own: bool = False
    ) -> Graph:
        """Return the links as spatial weights of libpysal.

        Parameters
        ----------
        contiguity : {"queen", "rook"}, default "queen"
            Whether corners count. Links to the nearest area count in both.
        weigh_borders : bool, default False
            Weights are the lengths of the borders, in place of 1; corners and links to the nearest
            area have no length and are left out.
        own : bool, default False
            Only the region's own areas, without the buffer.

        Returns
        -------
        libpysal.graph.Graph
            Over the codes in their order; an area without links is an isolate. ``.to_W()`` makes
            the older form, ``.transform("r")`` standardises the rows.
        """
        from libpysal.graph import Graph  # noqa: PLC0415 (heavy)

        areas = self.in_region if own else np.ones(len(self.codes), dtype=bool)
        kept = areas[self.first] & areas[self.second]
        if contiguity == "rook":
            kept &= self.kind != CORNER
        if weigh_borders:
            kept &= self.border > 0
        alone = np.setdiff1d(np.flatnonzero(areas), self.first[kept])
        weights = self.border[kept] if weigh_borders else np.ones(int(kept.sum()))
        # libpysal writes an area without links as a link to itself of weight 0.
        ends = [np.concatenate([end[kept], alone]) for end in (self.first, self.second)]
        order = np.lexsort(ends[::-1])
        weights = np.concatenate([weights, np.zeros(len(alone))])[order]
        return Graph.from_arrays(self.codes[ends[0][order]], self.codes[ends[1][order]], weights)


def neighbours(
    areas: geopandas.GeoDataFrame,
    code: str = "lsoa21cd",
    *,
    region: Collection[str] | None = None,
    orders: int = 1,
    metres: float = 0.0,
    tolerance: float = 0.0,
    islands: Islands = "none",
) -> Neighbours:
    """Find the neighbours of areas.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        One polygon per area, in a projected coordinate system; those of the wider extent too.
    code : str, default "lsoa21cd"
        Column of the codes.
    region : collection of str, optional
        The codes of the region's own areas; all where it is not given.
    orders : int, default 1
        Areas outside the region are kept if the region is reached in at most so many steps; with 1
        the region's areas have their true neighbours, with k + 1 also those within k steps do.
    metres : float, default 0
        And those no further than this from an area of the region, in units of the coordinate
        system; 0 keeps to the steps.
    tolerance : float, default 0
        How far apart two areas may be and still be linked, in the same units.
    islands : {"none", "nearest"}, default "none"
        Whether an area of the region without a neighbour is joined to the nearest area.

    Returns
    -------
    Neighbours
        Symmetric, without links of an area to itself, the same whatever the order of the rows.

    Raises
    ------
    GeographyError
        If a code is missing, repeated or not among the areas, a geometry is missing, empty or
        invalid, the coordinate system is in degrees, or a number is negative.
    """
    _check_numbers(orders, metres, tolerance)
    codes, geometry = _checked(areas, code)
    own = _own(codes, region)
    if region is None:
        kept = np.ones(len(codes), dtype=bool)
    else:
        kept = _reached(geometry, own, orders, metres, tolerance)
    positions = np.flatnonzero(kept)
    first, second = _touching(geometry[positions], tolerance)
    shared, border, by_tolerance = _borders(geometry[positions], first, second, tolerance)
    alone = np.setdiff1d(np.flatnonzero(own[positions]), np.concatenate([first, second]))
    islanders = tuple(str(c) for c in codes[positions[alone]])
    first, second = positions[first], positions[second]
    kind = np.where(shared, BORDER, CORNER).astype(np.int8)
    if islands == "nearest" and len(alone):
        more = _nearest(geometry, positions[alone])
        first, second = np.concatenate([first, more[0]]), np.concatenate([second, more[1]])
        kind = np.concatenate([kind, np.full(len(more[0]), NEAREST, dtype=np.int8)])
        border = np.concatenate([border, np.zeros(len(more[0]))])
        by_tolerance = np.concatenate([by_tolerance, np.zeros(len(more[0]), dtype=bool)])
        kept[second] = True
        kept[first] = True
    return _both_ways(codes, own, kept, first, second, kind, border, by_tolerance, islanders)


def _check_numbers(orders: int, metres: float, tolerance: float) -> None:
    if orders < 0 or metres < 0 or tolerance < 0:
        raise GeographyError(
            "The steps, the metres or the tolerance of neighbours are negative",
            "Give numbers from 0 up",
        )


def _checked(
    areas: geopandas.GeoDataFrame, code: str
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return codes and polygons in the order of the codes."""
    import shapely  # noqa: PLC0415 (heavy)

    if code not in areas.columns:
        raise GeographyError(f"The areas have no column {code}", "Name the column of the codes")
    codes = areas[code].to_numpy(dtype=object)
    missing = int(areas[code].isna().sum())
    repeated = len(codes) - missing - int(areas[code].nunique())
    if missing or repeated:
        raise GeographyError(
            f"The column {code} of the areas is missing in {missing} rows and repeated in "
            f"{repeated}",
            "Read the boundaries with geography.boundaries.read_boundaries",
        )
    if areas.crs is not None and areas.crs.is_geographic:
        raise GeographyError(
            "The areas are in degrees, in which lengths have no meaning",
            "Read them with geography.boundaries.read_boundaries, which brings them to EPSG:27700",
        )
    geometry = np.array(areas.geometry.values, dtype=object)
    present = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    bad = int((~present).sum()) + int((~shapely.is_valid(geometry[present])).sum())
    bad += int((shapely.get_dimensions(geometry[present]) != 2).sum())
    if bad:
        raise GeographyError(
            f"{bad} areas have no valid polygon",
            "Read the boundaries with geography.boundaries.read_boundaries, which repairs them",
        )
    order = np.argsort(codes.astype(str), kind="stable")
    return codes[order], geometry[order]


def _own(codes: NDArray[np.object_], region: Collection[str] | None) -> NDArray[np.bool_]:
    if region is None:
        return np.ones(len(codes), dtype=bool)
    wanted = set(region)
    own = np.array([c in wanted for c in codes], dtype=bool)
    lacking = len(wanted) - int(own.sum())
    if lacking:
        raise GeographyError(
            f"{lacking} areas of the region are not among the boundaries",
            "Give boundaries that include the whole region",
        )
    return own


def _reached(
    geometry: NDArray[np.object_],
    own: NDArray[np.bool_],
    orders: int,
    metres: float,
    tolerance: float,
) -> NDArray[np.bool_]:
    """Say which areas belong to the region or are reached from it."""
    import shapely  # noqa: PLC0415 (heavy)

    tree = shapely.STRtree(geometry)
    reached = own.copy()
    frontier = np.flatnonzero(own)
    for _ in range(orders):
        found = np.unique(_query(tree, geometry[frontier], tolerance)[1])
        frontier = found[~reached[found]]
        reached[frontier] = True
    if metres > 0:
        reached[_query(tree, geometry[own], metres)[1]] = True
    return reached


def _query(tree: Any, geometry: NDArray[np.object_], distance: float) -> NDArray[np.int64]:
    """Pairs of a geometry and one of the tree no further apart than a distance."""
    if distance > 0:
        pairs: NDArray[np.int64] = tree.query(geometry, predicate="dwithin", distance=distance)
    else:
        pairs = tree.query(geometry, predicate="intersects")
    return pairs


def _touching(
    geometry: NDArray[np.object_], tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each pair of areas that meet, once, the smaller position first."""
    import geopandas  # noqa: PLC0415 (heavy)
    from libpysal.graph import Graph  # noqa: PLC0415 (heavy)

    # Its builders of contiguity ask for equal vertices, or lose areas that overlap.
    how = {"buffer": tolerance / 2, "quad_segs": ARC_SEGMENTS} if tolerance > 0 else {}
    found = Graph.build_fuzzy_contiguity(geopandas.GeoSeries(geometry), **how).adjacency
    first = found.index.get_level_values("focal").to_numpy(dtype=np.int64)
    second = found.index.get_level_values("neighbor").to_numpy(dtype=np.int64)
    once = first < second
    return first[once], second[once]


def _borders(
    geometry: NDArray[np.object_],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    tolerance: float,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]]:
    """Return for each pair whether it is a border, its length, and if it rests on the tolerance."""
    import shapely  # noqa: PLC0415 (heavy)

    length, uncertain = _shared_segments(geometry, first, second)
    look = np.flatnonzero(uncertain)
    lines = shapely.boundary(geometry)
    length[look] = shapely.length(shapely.intersection(lines[first[look]], lines[second[look]]))
    shared = length > 0
    apart = np.zeros(len(first), dtype=bool)
    none = np.flatnonzero(~shared)
    one, other = geometry[first[none]], geometry[second[none]]
    shared[none] = shapely.relate_pattern(one, other, "T********")
    if tolerance > 0:
        apart[none] = ~shapely.intersects(one, other)
        near = none[~shared[none]]
        along = np.minimum(
            _within(lines[first[near]], geometry[second[near]], tolerance),
            _within(lines[second[near]], geometry[first[near]], tolerance),
        )
        torn = along >= BORDER_TOLERANCES * tolerance
        shared[near[torn]] = True
        apart[near[torn]] = True
        length[near[torn]] = along[torn]
    return shared, length, apart


def _within(
    lines: NDArray[np.object_], polygons: NDArray[np.object_], distance: float
) -> NDArray[np.float64]:
    """Length of each line that lies within a distance of its polygon."""
    import shapely  # noqa: PLC0415 (heavy)

    around = shapely.buffer(polygons, distance, quad_segs=ARC_SEGMENTS)
    length: NDArray[np.float64] = shapely.length(shapely.intersection(lines, around))
    return length


def _shared_segments(
    geometry: NDArray[np.object_], first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return for each pair the length of the segments of both, and whether there may be more.

    There may be where both areas have a segment that is no other area's: the border may run along
    it between different vertices. Elsewhere this is the whole border, at a tenth of the cost of
    intersecting two boundaries.
    """
    owner, ends = _segments(geometry)
    # One sort of numbers in place of one of four columns; equal numbers are compared in full.
    number = (ends.view(np.uint64) * MIXING).sum(axis=1, dtype=np.uint64)
    order = np.argsort(number, kind="stable")
    number = number[order]
    equal = np.flatnonzero(number[1:] == number[:-1])
    one, other = order[equal], order[equal + 1]
    equal_ends = (ends[one] == ends[other]).all(axis=1)
    one, other = one[equal_ends], other[equal_ends]
    loose = np.zeros(len(geometry), dtype=bool)
    loose[np.delete(owner, np.concatenate([one, other]))] = True
    shape = ends[one]
    metres = np.hypot(shape[:, 2] - shape[:, 0], shape[:, 3] - shape[:, 1])
    one, other = owner[one], owner[other]
    count = len(geometry)
    keys = first * count + second
    found = np.minimum(one, other) * count + np.maximum(one, other)
    at = np.minimum(np.searchsorted(keys, found), max(len(keys) - 1, 0))
    known = keys[at] == found if len(keys) else np.zeros(len(found), dtype=bool)
    length = np.zeros(len(keys))
    np.add.at(length, at[known], metres[known])
    uncertain: NDArray[np.bool_] = (loose[first] & loose[second]) | (length == 0)
    return length, uncertain


def _segments(
    geometry: NDArray[np.object_],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the segments of all rings: whose they are; x, y, x, y with the lesser end first."""
    found = segments_of(geometry)
    ends = np.stack([found.ax, found.ay, found.bx, found.by], axis=1)
    # Two zeros differ in their bits and not in their place.
    ends += 0.0
    back = (found.ax > found.bx) | ((found.ax == found.bx) & (found.ay > found.by))
    ends[back] = ends[back][:, [2, 3, 0, 1]]
    return found.polygon[found.ring].astype(np.int64), ends


def _nearest(
    geometry: NDArray[np.object_], alone: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each island with the area nearest to it, the smallest code between equals."""
    import shapely  # noqa: PLC0415 (heavy)

    tree = shapely.STRtree(geometry)
    island, found = tree.query_nearest(geometry[alone], exclusive=True, all_matches=True)
    order = np.lexsort([found, island])
    island, found = island[order], found[order]
    _, firsts = np.unique(island, return_index=True)
    return alone[island[firsts]], found[firsts].astype(np.int64)


def _both_ways(
    codes: NDArray[np.object_],
    own: NDArray[np.bool_],
    kept: NDArray[np.bool_],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    kind: NDArray[np.int8],
    border: NDArray[np.float64],
    by_tolerance: NDArray[np.bool_],
    islands: tuple[str, ...],
) -> Neighbours:
    """Number the areas kept, and write every link from both its ends."""
    number = np.cumsum(kept) - 1
    pairs = np.concatenate([np.stack([first, second]), np.stack([second, first])], axis=1)
    # Two islands may each be the other's nearest.
    _, once = np.unique(pairs[0] * len(codes) + pairs[1], return_index=True)
    return Neighbours(
        codes=codes[kept],
        in_region=own[kept],
        first=number[pairs[0][once]],
        second=number[pairs[1][once]],
        kind=np.tile(kind, 2)[once],
        border=np.tile(border, 2)[once],
        by_tolerance=np.tile(by_tolerance, 2)[once],
        islands=islands,
    )
