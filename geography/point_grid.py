"""A grid over areas that settles almost every point without a polygon test.

Belongs here: the index behind `points.PointLocator`, on arrays of numbers. Does not belong here:
codes, coordinate systems, or what becomes of points in no area.

How it works. The extent is cut into cells. Every cell has a *reference point*, its centre, of
which the areas that contain it are known, and the list of all border edges that come near the cell.

* A cell without edges lies in one area, or in none: one look into a table settles its points.
* In a cell with edges, walk from the reference point to the point along an L inside the cell (first
  up or down, then across). Each edge on the way is crossed from its left to its right or back, and
  with every crossing one enters or leaves the area it bounds. Adding up what is entered and left,
  with signs, gives the number of areas that contain the point, and if that is one, which.
* Nothing is rounded away. A side is believed only if the determinant that decides it exceeds the
  bound of its rounding error (Shewchuk 1997, *Adaptive precision floating-point arithmetic and fast
  robust geometric predicates*, the static filter A of `orient2d`). What remains open - points on or
  within nanometres of a border, and places where areas overlap - is given back as `UNDECIDED`, for
  the exact predicate to settle.

The sums are kept in one integer: 2**32 times the number of areas, plus the sum of their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geography.segments import segments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

NOWHERE = -1
UNDECIDED = -2

ONE = 1 << 32
"""What one containing area adds to a sum, besides its number."""
OPEN = -(1 << 60)
"""Sum of a reference point of which nothing is known; no walk leads from it to a plausible sum."""
ERROR_BOUND = (3.0 + 16.0 * 2.0**-53) * 2.0**-53
"""Relative error of the determinant of three points in double precision (Shewchuk's errboundA)."""

CELLS_PER_EDGE = 3.0
SIDE = (8, 4096)
"""Fewest and most cells along one side of the grid."""
FINEST = 2.0**-28
"""Least size of a cell as a share of the largest coordinate: rounding stays far below `MARGIN`."""
MARGIN = 1e-6
"""Share of a cell by which an edge may miss it and is still listed; far above rounding errors."""
NEARLY_LEVEL = 0.01
"""Rise of an edge, in cells, below which its slope is not trusted."""
CHUNK = 1 << 16
"""Points settled at a time: what they need then fits a processor's cache."""
EDGES_AT_A_TIME = 1 << 19


@dataclass(frozen=True)
class Edges:
    """Border edges of areas.

    Attributes
    ----------
    ax, ay, bx, by : ndarray of float64, shape (e,)
        From a to b.
    weight : ndarray of int64, shape (e,)
        What is gained by crossing from the right of the edge to its left: `ONE` + number (from 1)
        for an area to its left, minus that for an area to its right.
    """

    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    weight: Integers

    def __len__(self) -> int:
        return len(self.weight)


def edges_of(polygons: NDArray[np.object_]) -> Edges:
    """Take areas apart into their edges.

    Parameters
    ----------
    polygons : ndarray of object, shape (n,)
        Valid polygons and multipolygons; area i has the number i + 1.

    Returns
    -------
    Edges
        Of all rings, without edges of no length.
    """
    import shapely  # noqa: PLC0415 (heavy)

    found = segments_of(polygons)
    # Not orient_polygons: the sign is cheaper to carry than the coordinates are to turn.
    left = np.where(shapely.is_ccw(found.rings) == found.outer, 1, -1)
    weight = left * (ONE + found.polygon + 1)
    return Edges(found.ax, found.ay, found.bx, found.by, weight[found.ring])


def unite(edges: Edges, place: Integers) -> Edges:
    """Make one edge of the two sides of a border that areas share vertex by vertex.

    Parameters
    ----------
    edges : Edges
        As `edges_of` gives them, fewer than 2**26.
    place : ndarray of int64, shape (e,)
        Where each edge is, below 2**26: the same for both sides of a border.

    Returns
    -------
    Edges
        In the order of their places, so that what is near lies together; weights of edges between
        the same two points added up, and none of weight zero.
    """
    # One key to sort by holds the place, some bits that tell edges of a place apart and do not
    # depend on their direction, and the edge's number: sorting it is faster than an argsort.
    bits = max(len(edges) - 1, 1).bit_length()
    mark = (edges.ax + edges.bx + 0.0).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mark += (edges.ay + edges.by + 0.0).view(np.uint64)
    mark *= np.uint64(0xC2B2AE3D27D4EB4F)
    mark >>= np.uint64(64 - (64 - 26 - bits))
    mark |= place.view(np.uint64) << np.uint64(64 - 26 - bits)
    mark <<= np.uint64(bits)
    mark |= np.arange(len(mark), dtype=np.uint64)
    mark.sort()
    order = (mark & np.uint64((1 << bits) - 1)).view(np.int64)
    mark >>= np.uint64(bits)
    ax, ay, bx, by = edges.ax[order], edges.ay[order], edges.bx[order], edges.by[order]
    weight = edges.weight[order]
    one = np.flatnonzero(mark[1:] == mark[:-1])
    two = one + 1
    along = (
        (ax[one] == ax[two]) & (ay[one] == ay[two]) & (bx[one] == bx[two]) & (by[one] == by[two])
    )
    against = (ax[one] == bx[two]) & (ay[one] == by[two])
    against &= (bx[one] == ax[two]) & (by[one] == ay[two])
    # From the last to the first, so that of several alike all end up in one.
    same = along | against
    one, two, sign = one[same], two[same], np.where(along[same], 1, -1)
    chained = np.r_[one[1:] == two[:-1], False] if len(one) else np.zeros(0, dtype=bool)
    if chained.any():
        for i in range(len(one) - 1, -1, -1):
            weight[one[i]] += sign[i] * weight[two[i]]
            weight[two[i]] = 0
    else:
        weight[one] += sign * weight[two]
        weight[two] = 0
    kept = np.flatnonzero(weight)
    return Edges(ax[kept], ay[kept], bx[kept], by[kept], weight[kept])


class PointGrid:
    """The index: built once, then asked any number of times, also by several threads at once.

    Parameters
    ----------
    polygons : ndarray of object, shape (n,)
        Valid polygons and multipolygons of one coordinate system.
    cells_per_edge : float, default 3
        Cells for each edge: more make it larger and faster.

    Attributes
    ----------
    shape : tuple of two int
        Rows and columns of the grid.
    nbytes : int
        Memory of the index.
    """

    def __init__(
        self, polygons: NDArray[np.object_], cells_per_edge: float = CELLS_PER_EDGE
    ) -> None:
        edges = edges_of(polygons)
        # Rings are closed: every end of an edge is the start of another.
        self._left, self._bottom = float(edges.ax.min()), float(edges.ay.min())
        width = float(edges.ax.max()) - self._left
        height = float(edges.ay.max()) - self._bottom
        largest = float(np.abs([self._left, self._bottom]).max()) + width + height
        # Square cells, no more of them than the bound.
        wanted = np.clip(len(edges) * cells_per_edge, SIDE[0] ** 2, SIDE[1] ** 2)
        self._size = max(
            float(np.sqrt(width * height / wanted)),
            max(width, height) / SIDE[1],
            largest * FINEST,
        )
        # A frame of one cell all around.
        self._left -= self._size
        self._bottom -= self._size
        self.shape = (int(height / self._size) + 3, int(width / self._size) + 3)
        edges = unite(edges, self._place(edges))
        listed = _cells_near_edges(edges, self._left, self._bottom, self._size, self.shape[1])
        steps = _steps_between_centres(
            edges, self._left, self._bottom, self._size, self.shape
        ).reshape(self.shape)
        cells = np.empty(self.shape, dtype=np.int32)
        # In parts that fit a processor's cache.
        many = max(1, CHUNK // self.shape[1])
        for start in range(0, self.shape[0], many):
            part = slice(start, start + many)
            steps[part].cumsum(axis=1, out=steps[part])
            cells[part] = _decode(steps[part].astype(np.int64))
        self._cells: NDArray[np.int32] = cells.ravel()
        self._index(edges, steps.ravel(), *listed)

    def _place(self, edges: Edges) -> Integers:
        """Return the cell of the middle of each edge."""
        column = (edges.ax + edges.bx) * (0.5 / self._size) - self._left / self._size
        row = (edges.ay + edges.by) * (0.5 / self._size) - self._bottom / self._size
        return row.astype(np.int64) * self.shape[1] + column.astype(np.int64)

    @property
    def nbytes(self) -> int:
        """Memory of the index in bytes."""
        arrays = (self._cells, self._first, self._sums, self._xr, self._table)
        return sum(a.nbytes for a in arrays)

    def _index(
        self, edges: Edges, sums: Floats, cell: NDArray[np.int32], edge: NDArray[np.int32]
    ) -> None:
        """Lay the edges out by cell, and say of each cell what a point in it needs."""
        # One key of cell and edge: sorting it is faster than an argsort.
        key = cell.astype(np.int64) << 32
        key |= edge
        key.sort()
        cell = (key >> 32).astype(np.int32)
        new = np.empty(len(cell), dtype=bool)
        new[0], new[1:] = True, cell[1:] != cell[:-1]
        begins = np.flatnonzero(new)
        busy = cell[begins]
        row, column = np.divmod(busy, self.shape[1])
        xr = np.float64(self._left) + (column.astype(np.float64) + 0.5) * self._size
        yr = np.float64(self._bottom) + (row.astype(np.float64) + 0.5) * self._size
        self._table = np.empty((len(cell), 6))
        unfit = np.zeros(len(busy), dtype=bool)
        number = np.cumsum(new) - 1
        for start in range(0, len(cell), CHUNK):
            part = slice(start, start + CHUNK)
            unfit[self._enter(edges, part, key[part] & (ONE - 1), number[part], xr, yr)] = True
        self._sums = sums[busy]
        self._sums[unfit] = OPEN
        self._first = np.r_[begins, len(cell)]
        self._xr = xr
        # A cell without edges in which areas overlap has nothing to walk along.
        quiet = np.ones(len(self._cells), dtype=bool)
        quiet[busy] = False
        overlapping = np.flatnonzero((self._cells == UNDECIDED) & quiet)
        self._sums = np.r_[self._sums, np.full(len(overlapping), float(OPEN))]
        self._first = np.r_[self._first, np.full(len(overlapping), len(cell))]
        self._xr = np.r_[self._xr, np.zeros(len(overlapping))]
        busy = np.r_[busy, overlapping]
        self._cells[busy] = -2 - np.arange(len(busy))

    def _enter(
        self, edges: Edges, part: slice, edge: Integers, number: Integers, xr: Floats, yr: Floats
    ) -> Integers:
        """Fill rows of the table; return the cells whose reference point lies on an edge."""
        rows = self._table[part]
        ax, ay, bx, by = edges.ax[edge], edges.ay[edge], edges.bx[edge], edges.by[edge]
        x, y = xr[number], yr[number]
        turn = (ax - x) * (by - y) - (ay - y) * (bx - x)
        # On which side of the edge the reference point is, if the line up and down from it meets
        # the edge at all.
        upright = np.where((ax > x) != (bx > x), np.where(turn > 0, 2.0, 1.0), 0.0)
        for i, values in enumerate((ax, ay, bx, by, edges.weight[edge], upright)):
            rows[:, i] = values
        # As good as on the edge counts as on it.
        close = np.abs(turn) <= MARGIN * self._size * np.hypot(bx - ax, by - ay)
        found: Integers = number[close]
        return found

    def locate(self, x: Floats, y: Floats) -> NDArray[np.int32]:
        """Number of the area of each point.

        Parameters
        ----------
        x, y : ndarray of float64, shape (n,)
            Coordinates; NaN and infinity are nowhere.

        Returns
        -------
        ndarray of int32, shape (n,)
            Position in `polygons`, `NOWHERE`, or `UNDECIDED`.
        """
        result = np.empty(len(x), dtype=np.int32)
        for start in range(0, len(x), CHUNK):
            part = slice(start, start + CHUNK)
            result[part] = self._locate(x[part], y[part])
        return result

    def _locate(self, x: Floats, y: Floats) -> NDArray[np.int32]:
        rows, columns = self.shape
        column = (x - self._left) * (1 / self._size)
        row = (y - self._bottom) * (1 / self._size)
        # Written so that NaN is outside.
        inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        if inside.all():
            found = self._cells[row.astype(np.int64) * columns + column.astype(np.int64)]
        else:
            found = np.full(len(x), NOWHERE, dtype=np.int32)
            found[inside] = self._cells[
                row[inside].astype(np.int64) * columns + column[inside].astype(np.int64)
            ]
        near = np.flatnonzero(found < NOWHERE)
        if len(near):
            found[near] = self._walk(x[near], y[near], -2 - found[near].astype(np.int64))
        return found

    def _walk(self, x: Floats, y: Floats, cell: Integers) -> NDArray[np.int32]:
        """Settle points in cells with edges by what is crossed between them and the centre."""
        first = self._first[cell]
        many = self._first[cell + 1] - first
        ends = np.cumsum(many)
        total = int(ends[-1])
        if not total:
            return np.full(len(x), UNDECIDED, dtype=np.int32)
        point = np.repeat(np.arange(len(x)), many)
        rows = self._table.take(np.arange(total) + np.repeat(first - (ends - many), many), axis=0)
        ax, ay, bx, by, weight, upright = rows.T
        px, py, xr = x[point], y[point], self._xr[cell][point]
        # The determinants of (a, b, p) and of (a, b, q), with q = (xr, py) the corner of the L.
        up, down = by - py, ay - py
        p1, p2 = (ax - px) * up, down * (bx - px)
        q1, q2 = (ax - xr) * up, down * (bx - xr)
        at_p, at_q = p1 - p2, q1 - q2
        across = (ay > py) != (by > py)
        unsure = np.abs(at_p) <= ERROR_BOUND * (np.abs(p1) + np.abs(p2))
        walked = across | (upright > 0)
        unsure |= walked & (np.abs(at_q) <= ERROR_BOUND * (np.abs(q1) + np.abs(q2)))
        left_q = at_q > 0
        gained = np.where(across, (at_p > 0).astype(np.float64) - left_q, 0.0)
        gained += np.where(upright > 0, left_q - (upright - 1.0), 0.0)
        gained *= weight
        # A sum of whole numbers far below 2**53 is exact in double precision.
        starts = ends - many
        filled = many > 0
        sums = self._sums[cell]
        sums[filled] += np.add.reduceat(gained, starts[filled])
        settled = _decode(sums.astype(np.int64))
        settled[point[unsure]] = UNDECIDED
        return settled


def _decode(sums: Integers) -> NDArray[np.int32]:
    """Area of each sum: `NOWHERE` of zero, `UNDECIDED` of anything but one area."""
    area = (sums & (ONE - 1)).astype(np.int32)
    area -= 1
    area[(sums != 0) & ((sums < ONE) | (sums >= 2 * ONE))] = UNDECIDED
    return area


def _cells_near_edges(
    edges: Edges, left: float, bottom: float, size: float, columns: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return pairs of cell and edge: every cell an edge passes, or misses by `MARGIN`."""
    cells: list[NDArray[np.int32]] = []
    numbers: list[NDArray[np.int32]] = []
    for start in range(0, len(edges.ax), EDGES_AT_A_TIME):
        part = slice(start, start + EDGES_AT_A_TIME)
        ax, bx = (edges.ax[part] - left) / size, (edges.bx[part] - left) / size
        ay, by = (edges.ay[part] - bottom) / size, (edges.by[part] - bottom) / size
        low, high = np.minimum(ay, by), np.maximum(ay, by)
        first, last = _spanned(low, high)
        edge, row = _expand(first, last)
        band_low = np.maximum(low[edge], row - MARGIN)
        band_high = np.minimum(high[edge], row + 1 + MARGIN)
        # The columns between the two ends of what of the edge is in the row.
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (bx - ax)[edge] / (by - ay)[edge]
            x1 = ax[edge] + (band_low - ay[edge]) * slope
            x2 = ax[edge] + (band_high - ay[edge]) * slope
        level = ~np.isfinite(slope)
        x1[level], x2[level] = ax[edge][level], bx[edge][level]
        # The slope of a nearly level edge would throw it far off; its own ends bound it.
        least, most = np.minimum(ax, bx)[edge], np.maximum(ax, bx)[edge]
        whole = ((last == first) | (high - low < NEARLY_LEVEL))[edge]
        x1, x2 = np.clip(x1, least, most), np.clip(x2, least, most)
        x1[whole], x2[whole] = least[whole], most[whole]
        span, column = _expand(*_spanned(np.minimum(x1, x2), np.maximum(x1, x2)))
        cells.append((row[span] * columns + column).astype(np.int32))
        numbers.append((edge[span] + start).astype(np.int32))
    return np.concatenate(cells), np.concatenate(numbers)


def _spanned(low: Floats, high: Floats) -> tuple[Integers, Integers]:
    return np.floor(low - MARGIN).astype(np.int64), np.floor(high + MARGIN).astype(np.int64)


def _expand(first: Integers, last: Integers) -> tuple[Integers, Integers]:
    """Return all pairs of position and number from first to last, both included."""
    many = last - first + 1
    position = np.repeat(np.arange(len(first)), many)
    ends = np.cumsum(many)
    return position, np.arange(ends[-1]) - np.repeat(ends - many - first, many)


def _steps_between_centres(
    edges: Edges, left: float, bottom: float, size: float, shape: tuple[int, int]
) -> Floats:
    """Return what is gained on the way to the centre of each cell from that of the cell before."""
    rows, columns = shape
    steps = np.zeros(rows * columns)
    for start in range(0, len(edges.ax), EDGES_AT_A_TIME):
        part = slice(start, start + EDGES_AT_A_TIME)
        # In units of cells, with the centres at whole numbers.
        ax, bx = (edges.ax[part] - left) / size - 0.5, (edges.bx[part] - left) / size - 0.5
        ay, by = (edges.ay[part] - bottom) / size - 0.5, (edges.by[part] - bottom) / size - 0.5
        # Rows whose line of centres lies above the lower end and not above the higher one: the
        # same rule as `(a > y) != (b > y)`.
        low, high = np.minimum(ay, by), np.maximum(ay, by)
        first = np.ceil(low).astype(np.int64)
        last = np.ceil(high).astype(np.int64) - 1
        crossing = last >= first
        index = np.flatnonzero(crossing)
        if not len(index):
            continue
        edge, row = _expand(first[index], last[index])
        edge = index[edge]
        x = ax[edge] + (row - ay[edge]) * ((bx - ax)[edge] / (by - ay)[edge])
        column = np.ceil(x).astype(np.int64)
        entered = np.where((by > ay)[edge], -1, 1) * edges.weight[part][edge]
        np.add.at(steps, row * columns + column, entered)
    return steps
