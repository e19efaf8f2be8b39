"""Whether areas cover a region as a map must: valid, meeting edge to edge, no overlap, no gap.

Belongs here: finding what is wrong with a set of areas, and simplifying them for maps without
making it wrong. Does not belong here: reading and repairing (`reading`), or placing points
(`geography.points`).

How overlaps and gaps are found. Turn every ring the same way; a border that two neighbours share is
then walked once in each direction. Lines for which the directions do not cancel are the outer
border and wherever areas do not meet, and only they can bound a place where the number of areas
over a point is not one (the boundary of a sum of areas is the sum of their boundaries). So only
these few lines are cut at their crossings and made into faces, and each face is asked how many
areas it lies in: none is a gap, and of two or more the overlaps are measured pair by pair. No union
of a nation is needed.

Ground between two areas that runs out to the edge of the region is no face, and is looked for along
the borders that lie close together. A strip left out when files were joined keeps its width, or
lies between areas that nowhere meet; an inlet of the coast narrows to the point where its two banks
meet. So the first is a gap and the second an opening: generalised boundaries of a nation have a
hundred inlets narrower than a gap.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from declarations.errors import GeographyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas
    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]

SLIVER_WIDTH = 1.0
"""An area, or a part of one, nowhere wider than this is a sliver; metres."""

GAP_WIDTH = 10.0
"""A hole between areas nowhere wider than this is a gap; a wider one is water or left out."""

EVEN = 0.95
"""From this share of its greatest width on, taken over its length, a strip has one width."""

LONG = 5.0
"""A shorter strip, in times its width, has no shape to tell a gap from an inlet by."""

LEAST_AREA = 1.0
"""Overlaps and holes below this many square metres are rounding of coordinates."""

LEAST_KEPT = 0.1
"""Share of its ground that an area keeps on a simplified map; with less it would vanish."""

SNAP = 0.001
"""Crossings of lines are rounded to the millimetre, finer than any boundary is surveyed."""

Check = Literal["validity", "edges", "overlap", "gap", "opening", "sliver"]
CHECKS: tuple[Check, ...] = ("validity", "edges", "overlap", "gap", "sliver", "opening")
"""Every check, the worst finding first. An opening is listed and is no fault."""


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    check : str
        `validity`: not a valid polygon; `edges`: an edge is not the same line as its neighbour's;
        `overlap`: two areas have ground in common; `gap`: ground between areas in none of them,
        a hole or a strip out to the region's edge; `opening`: the same, but wide enough to be
        water, or shaped as an inlet of the coast; `sliver`: a part too thin to be an area, or such
        a strip between two.
    code, other : str
        The area, and the second one of an overlap or gap; else empty.
    area_m2, width_m : float or None
        Of the overlap, gap, opening or sliver; width is of the widest circle inside.
    """

    check: Check
    code: str
    other: str = ""
    area_m2: float | None = None
    width_m: float | None = None


@dataclass(frozen=True)
class CoverageReport:
    """Whether areas meet without gaps and overlaps.

    Attributes
    ----------
    areas : int
        Areas looked at.
    findings : tuple of Finding
        In the order of `CHECKS`, then the largest first.
    gap_width, sliver_width : float
        The widths they were judged by, metres.
    """

    areas: int
    findings: tuple[Finding, ...]
    gap_width: float
    sliver_width: float

    @property
    def valid(self) -> bool:
        """Whether nothing was found but openings."""
        return all(f.check == "opening" for f in self.findings)

    def of(self, check: Check) -> tuple[Finding, ...]:
        """Return what one check found."""
        return tuple(f for f in self.findings if f.check == check)

    def area_of(self, check: Check) -> float:
        """Return the square metres of what one check found."""
        return float(sum(f.area_m2 or 0.0 for f in self.of(check)))

    def rows(self) -> list[dict[str, Any]]:
        """Return the findings as rows of a table."""
        return [asdict(f) for f in self.findings]


def check_coverage(
    areas: geopandas.GeoDataFrame,
    code: str = "lsoa21cd",
    gap_width: float = GAP_WIDTH,
    sliver_width: float = SLIVER_WIDTH,
) -> CoverageReport:
    """Check that areas are valid and meet: no overlap, no gap, no sliver, shared edges the same.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        Polygons in a projected coordinate system in metres, in any order.
    code : str, default "lsoa21cd"
        The column of the areas' codes.
    gap_width : float, default 10
        A hole between areas that is nowhere wider is a gap, and so is a strip that runs out to the
        region's edge, if it keeps its width or its areas nowhere meet; metres. A strip that narrows
        to where its areas meet is listed as an opening, as inlets of the coast do.
    sliver_width : float, default 1
        A part of an area that is nowhere wider is a sliver, and so is a strip between two areas
        that runs out to the region's edge; metres.

    Returns
    -------
    CoverageReport
        An invalid area is repaired for the other checks; one without any polygon is left out of
        them.

    Raises
    ------
    GeographyError
        If there is no area, no such column, or the coordinates are degrees.
    """
    import shapely  # noqa: PLC0415 (heavy)

    if code not in areas.columns or len(areas) == 0:
        raise GeographyError(
            f"There are no areas, or they have no column {code}", "Name the column of codes"
        )
    if areas.crs is not None and areas.crs.is_geographic:
        raise GeographyError(
            "The areas are in degrees, and gaps are measured in metres",
            "Read them with geography.boundaries.read_boundaries",
        )
    names = areas[code].astype(str).to_numpy(dtype=object)
    given = np.array(areas.geometry.values, dtype=object)
    # The code decides; of rows that share one, the size and place of the shape.
    order = np.lexsort((*shapely.bounds(given).T, shapely.area(given), names.astype(str)))
    names, shapes = names[order], shapely.force_2d(given[order])
    sound = _sound(shapes)
    found = [Finding("validity", str(n)) for n in names[~sound]]
    names, shapes = _usable(names, shapes, sound)
    found += [Finding("edges", str(n)) for n in names[_mismatched(shapes)]]
    overlaps, holes = _overlaps_and_holes(names, shapes)
    found += overlaps
    found += _named_holes(names, shapes, holes, gap_width)
    found += _thin_parts(names, shapes, sliver_width)
    found += _open_strips(names, shapes, holes, gap_width, sliver_width)
    found.sort(key=lambda f: (CHECKS.index(f.check), -(f.area_m2 or 0.0), f.code, f.other))
    return CoverageReport(len(areas), tuple(found), gap_width, sliver_width)


def simplify_for_map(areas: geopandas.GeoDataFrame, tolerance: float) -> geopandas.GeoDataFrame:
    """Simplify boundaries so that neighbours still share their borders.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        A coverage of polygons.
    tolerance : float
        About the largest shift of a border, in units of the coordinate system; 0 leaves all as it
        is.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows with simpler geometry, every area and every island still there: where the
        tolerance would leave an area less than a tenth of its ground, half of it is taken for
        all, and half again. For maps alone: no point is to be placed with it.

    Raises
    ------
    GeographyError
        If the tolerance is negative, or a geometry is missing or invalid.
    """
    import shapely  # noqa: PLC0415 (heavy)

    if tolerance < 0:
        raise GeographyError("The tolerance of simplifying is negative", "Give metres from 0 up")
    given = np.array(areas.geometry.values, dtype=object)
    if not shapely.is_valid(given).all():
        raise GeographyError(
            "Some areas to be simplified have a missing or invalid geometry",
            "Read them with geography.boundaries.read_boundaries, which repairs them",
        )
    while tolerance > SNAP:
        simple = shapely.coverage_simplify(given, tolerance)
        if (shapely.area(simple) >= LEAST_KEPT * shapely.area(given)).all():
            return areas.set_geometry(simple, crs=areas.crs)
        tolerance /= 2
    return areas.copy()


def _sound(shapes: Shapes) -> NDArray[np.bool_]:
    import shapely  # noqa: PLC0415 (heavy)

    sound = shapely.is_valid(shapes) & ~shapely.is_empty(shapes) & ~shapely.is_missing(shapes)
    polygons = [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON]
    found: NDArray[np.bool_] = sound & np.isin(shapely.get_type_id(shapes), polygons)
    return found


def _usable(names: Shapes, shapes: Shapes, sound: NDArray[np.bool_]) -> tuple[Shapes, Shapes]:
    """Areas with the polygons that repair finds in those that are not sound."""
    import shapely  # noqa: PLC0415 (heavy)

    shapes = shapes.copy()
    at, owner = shapely.get_coordinates(shapes, return_index=True)
    shapes[owner[~np.isfinite(at).all(axis=1)]] = None
    for row in np.flatnonzero(~sound & ~shapely.is_missing(shapes)):
        shapes[row] = shapely.union_all(_polygons(shapely.make_valid(shapes[row])))
    kept = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return names[kept], shapes[kept]


def _mismatched(shapes: Shapes) -> NDArray[np.intp]:
    import shapely  # noqa: PLC0415 (heavy)

    return np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))


def _overlaps_and_holes(names: Shapes, shapes: Shapes) -> tuple[list[Finding], Shapes]:
    """Overlaps by pair of areas, and the faces of the lines left that are in no area."""
    import shapely  # noqa: PLC0415 (heavy)

    cut = shapely.union_all(_lines_left(shapes), grid_size=SNAP)
    faces = shapely.get_parts(shapely.polygonize([cut]))
    # Rounding the crossings may take some ground from a thin face, so thinner ones are asked too.
    faces = faces[shapely.area(faces) >= LEAST_AREA / 10]
    tree = shapely.STRtree(shapes)
    times = _times_covered(faces, shapes, tree)
    several = np.unique(tree.query(faces[times > 1], predicate="intersects")[1])
    first, second = tree.query(shapes[several], predicate="intersects")
    first = several[first]
    first, second = first[first < second], second[first < second]
    shared = shapely.intersection(shapes[first], shapes[second])
    found = [
        _finding("overlap", *sorted((names[i], names[j])), shapes=_polygons(ground))
        for i, j, ground in zip(first, second, shared, strict=True)
        if ground.area >= LEAST_AREA
    ]
    return found, faces[(times == 0) & (shapely.area(faces) >= LEAST_AREA)]


def _times_covered(faces: Shapes, shapes: Shapes, tree: Any) -> NDArray[np.intp]:
    """How many areas each face is in, which is the same all over it."""
    import shapely  # noqa: PLC0415 (heavy)

    points = shapely.point_on_surface(faces)
    counts = [
        np.bincount(tree.query(points, predicate=predicate)[0], minlength=len(faces))
        for predicate in ("intersects", "within")
    ]
    times = counts[0]
    # A point on a border that areas share tells nothing; a small disc around it does.
    for one in np.flatnonzero(counts[0] != counts[1]):
        disc = points[one].buffer(points[one].distance(faces[one].boundary) / 2)
        inside = shapely.intersection(shapes[tree.query(disc, predicate="intersects")], disc)
        times[one] = round(float(shapely.area(inside).sum()) / disc.area)
    return times


def _polygons(shape: Any) -> Shapes:
    import shapely  # noqa: PLC0415 (heavy)

    parts = shapely.get_parts(shapely.get_parts(shape))
    found: Shapes = parts[shapely.get_dimensions(parts) == 2]
    return found


def _lines_left(shapes: Shapes) -> Shapes:
    """Every line between two corners whose directions do not cancel over all areas."""
    import pandas as pd  # noqa: PLC0415 (heavy)
    import shapely  # noqa: PLC0415 (heavy)

    rings = shapely.get_rings(shapely.orient_polygons(shapely.get_parts(shapes)))
    at, ring = shapely.get_coordinates(rings, return_index=True)
    corner, places = pd.factorize(np.ascontiguousarray(at).view(np.complex128).ravel())
    start = np.flatnonzero((ring[:-1] == ring[1:]) & (corner[:-1] != corner[1:]))
    first, last = corner[start].astype(np.int64), corner[start + 1].astype(np.int64)
    lines = np.minimum(first, last) * len(places) + np.maximum(first, last)
    distinct, line = np.unique(lines, return_inverse=True)
    balance = np.bincount(line, weights=np.where(first < last, 1, -1))
    left = distinct[balance != 0]
    ends = np.stack([places[left // len(places)], places[left % len(places)]], axis=1)
    found: Shapes = shapely.linestrings(np.stack([ends.real, ends.imag], axis=2))
    return found


def _named_holes(
    names: Shapes, shapes: Shapes, holes: Shapes, gap_width: float
) -> Iterator[Finding]:
    """Holes between areas, with the two areas that have most of their border."""
    import shapely  # noqa: PLC0415 (heavy)

    tree = shapely.STRtree(shapes)
    for hole in holes:
        rim = hole.exterior.buffer(2 * SNAP)
        near = tree.query(rim, predicate="intersects")
        shared = shapely.area(shapely.intersection(shapes[near], rim))
        ranked = sorted(zip(-shared, names[near], strict=True))
        code, other = [*(str(name) for _, name in ranked[:2]), "", ""][:2]
        check: Check = "gap" if _is_narrow(hole, gap_width) else "opening"
        yield _finding(check, code, other, shapes=[hole])


def _thin_parts(names: Shapes, shapes: Shapes, width: float) -> Iterator[Finding]:
    """Parts of areas that are nowhere wider than a width."""
    import shapely  # noqa: PLC0415 (heavy)

    parts, owner = shapely.get_parts(shapes, return_index=True)
    # What is nowhere wider than w lies within w/2 of its border: area <= perimeter * w/2.
    for one in np.flatnonzero(2 * shapely.area(parts) <= width * shapely.length(parts)):
        if _is_narrow(parts[one], width):
            yield _finding("sliver", str(names[owner[one]]), shapes=[parts[one]])


def _open_strips(
    names: Shapes, shapes: Shapes, holes: Shapes, gap_width: float, sliver_width: float
) -> Iterator[Finding]:
    """Ground between two areas that is thin and open at an end, so that it is no hole."""
    import shapely  # noqa: PLC0415 (heavy)

    tree = shapely.STRtree(shapes)
    crossing = shapely.coverage_invalid_edges(shapes)
    for one, other, ground in _between(shapes, holes, tree, crossing, sliver_width):
        yield _strip("sliver", names, one, other, ground)
    if gap_width <= sliver_width:
        return
    for one, other, ground in _between(shapes, holes, tree, crossing, gap_width):
        # The thinner ones are the slivers found above.
        wide = np.array([not _is_narrow(part, sliver_width) for part in ground], dtype=bool)
        meet = bool(shapes[one].intersects(shapes[other]))
        gaps = np.array([not meet or _is_even(part) for part in ground], dtype=bool)
        found: dict[Check, Shapes] = {"gap": ground[wide & gaps], "opening": ground[wide & ~gaps]}
        for check, parts in found.items():
            if shapely.area(parts).sum() >= LEAST_AREA:
                yield _strip(check, names, one, other, parts)


def _between(
    shapes: Shapes, holes: Shapes, tree: Any, crossing: Shapes, width: float
) -> Iterator[tuple[int, int, Shapes]]:
    """Pairs of areas whose borders run closer than a width, with the parts of the ground there."""
    import shapely  # noqa: PLC0415 (heavy)

    edges = shapely.difference(shapely.coverage_invalid_edges(shapes, width), crossing)
    seen: set[frozenset[int]] = set()
    for one in np.flatnonzero(shapely.length(edges) > 0):
        strip = edges[one].buffer(width, cap_style="flat")
        near = tree.query(strip, predicate="intersects")
        known = [*shapes[near], *holes[shapely.intersects(holes, strip)]]
        ground = strip.difference(shapely.union_all(known))
        around = ground.buffer(width)
        for other in near[near != one]:
            pair = frozenset({int(one), int(other)})
            if pair in seen:
                continue
            # Only what is near the strip is made wider: areas have many corners elsewhere.
            between = ground.intersection(shapes[other].intersection(around).buffer(width))
            if between.area >= LEAST_AREA:
                seen.add(pair)
                yield int(one), int(other), _polygons(between)


def _strip(check: Check, names: Shapes, one: int, other: int, ground: Shapes) -> Finding:
    return _finding(check, *sorted((str(names[one]), str(names[other]))), shapes=ground)


def _is_even(strip: Any) -> bool:
    """Whether a strip is much longer than wide and about as wide all along."""
    import shapely  # noqa: PLC0415 (heavy)

    length = strip.length / 2
    width = 2 * shapely.maximum_inscribed_circle(strip).length
    return bool(length > LONG * width and strip.area >= EVEN * width * (length - width))


def _is_narrow(shape: Any, width: float) -> bool:
    return bool(shape.buffer(-width / 2).is_empty)


def _finding(check: Check, code: str, other: str = "", *, shapes: Shapes | list[Any]) -> Finding:
    import shapely  # noqa: PLC0415 (heavy)

    parts = np.array(shapes, dtype=object)
    circles = shapely.maximum_inscribed_circle(parts)
    return Finding(
        check,
        code,
        other,
        round(float(shapely.area(parts).sum()), 2),
        round(2 * float(shapely.length(circles).max()), 3),
    )
