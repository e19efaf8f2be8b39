"""Changes of a table that nobody could tell from it: the proof that a hidden cell is protected.

Belongs here: finding, for a hidden cell, whole-number changes of hidden cells that keep every
equation and move that cell as far as the demand asks, at the least cost of cells to be hidden for
it; and the record of how far each cell is proven to move.
Does not belong here: the order in which cells are treated (``heuristic.py``).

If ``x`` is the true table and ``d`` such a change (``A d = 0``, ``x + d`` no lower than the marker
allows, 0 wherever a count is published), then the attacker cannot exclude ``x + d``. Hiding more
cells never makes a change impossible, so that a proof once found stands.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.tables.suppression.problem import Problem

_USE = 1e-4
"""Cost of using a cell that is hidden already, per unit: changes stay small."""
_GAIN = 1e6
"""Worth of moving the cell by one, above the cost of any sensible chain of cells."""
_LINKS = 90
"""Most hidden cells that a change may pass through where it may not hide any."""
_SPREAD = (1e-2, 1e3)
"""Weights relative to their median, as the programme sees them: keeps it well scaled."""
_WHOLE = 1e-6


class Proofs:
    """How far cells are proven to move, and by which changes.

    Attributes
    ----------
    suppressed : (n,) bool
        Cells hidden so far.
    up, down : (n,) int64
        Most by which a known change raises (lowers) each cell.
    up_by, down_by : (n,) int64
        The number of that change, -1 for none.
    changes : list of (cells, values)
    """

    def __init__(self, problem: Problem) -> None:
        size = len(problem.counts)
        self.problem = problem
        self.suppressed = problem.marked.copy()
        self.room = problem.counts - problem.floor
        self.up = np.zeros(size, dtype=np.int64)
        self.down = np.zeros(size, dtype=np.int64)
        self.up_by = np.full(size, -1, dtype=np.int64)
        self.down_by = np.full(size, -1, dtype=np.int64)
        self.changes: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def record(self, cells: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        """Take note of a change, of its multiples and of its opposite as far as they are possible.

        A multiple as large as a hidden cell's room allows is as good a proof as the change itself.
        """
        held = values != 0
        cells, values = cells[held], values[held]
        number = len(self.changes)
        free = self.problem.missing[cells]
        room = np.where(free, 0, self.room[cells])
        kept = False
        for change in (values, -values):
            falling = change < 0
            most = np.min(room[falling] // -change[falling]) if falling.any() else 1
            if most < 1:
                continue
            kept = True
            moved = change * int(most)
            higher = moved > self.up[cells]
            self.up[cells[higher]], self.up_by[cells[higher]] = moved[higher], number
            lower = -moved > self.down[cells]
            self.down[cells[lower]], self.down_by[cells[lower]] = -moved[lower], number
        self.changes.append((cells, values) if kept else (cells[:0], values[:0]))

    def replace(self, group: NDArray[np.int64], secondary: NDArray[np.int64]) -> None:
        """Hide these cells instead of a component's present secondary cells; forget its proofs."""
        self.suppressed[group] = self.problem.marked[group]
        self.suppressed[secondary] = True
        self.up[group] = self.down[group] = 0
        self.up_by[group] = self.down_by[group] = -1

    def met(self, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which cells are proven to meet the demand."""
        counts = self.problem.counts[cells]
        hidden = self.suppressed[cells]
        return hidden & self.problem.met(counts - self.down[cells], counts + self.up[cells])

    def unproven(self) -> NDArray[np.int64]:
        """Return the sensitive cells that are not proven to meet the demand."""
        cells = np.flatnonzero(self.problem.sensitive)
        return cells[~self.met(cells)]


class Neighbourhoods:
    """Finds the cells around a cell: those it shares equations with, and theirs, and so on."""

    def __init__(self, problem: Problem) -> None:
        usable = problem.candidates | problem.marked | problem.missing
        inside = problem.A[:, np.flatnonzero(usable)]
        numbers = np.flatnonzero(usable)
        self._members = [numbers[part] for part in np.split(inside.indices, inside.indptr[1:-1])]
        for members in self._members:
            members.sort()
        columns = problem.columns
        self._rows, self._pointer = columns.indices, columns.indptr
        self._row_seen = np.zeros(problem.A.shape[0], dtype=bool)
        self._cell_seen = np.zeros(len(problem.counts), dtype=bool)

    def around(self, cell: int, size: int, window: int) -> NDArray[np.int64]:
        """Return up to ``size`` cells, the nearest first.

        Of an equation with many members only the ``window`` nearest in the table's order are
        looked at: the same neighbouring areas in every category, so that changes can close.
        """
        heap = [(0, cell)]
        found: list[int] = []
        rows_seen: list[int] = []
        while heap and len(found) < size:
            distance, number = heapq.heappop(heap)
            if self._cell_seen[number]:
                continue
            self._cell_seen[number] = True
            found.append(number)
            for row in self._rows[self._pointer[number] : self._pointer[number + 1]].tolist():
                if self._row_seen[row]:
                    continue
                self._row_seen[row] = True
                rows_seen.append(row)
                members = self._members[row]
                if len(members) > window:
                    at = int(np.searchsorted(members, number))
                    start = max(0, min(at - window // 2, len(members) - window))
                    # The whole of a long equation stands far from its parts in the table's order.
                    members = np.union1d(members[start : start + window], members[-1:])
                step = distance + len(members)
                for other in members.tolist():
                    if not self._cell_seen[other]:
                        heapq.heappush(heap, (step, other))
        self._row_seen[rows_seen] = False
        self._cell_seen[found] = False
        return np.array(found, dtype=np.int64)


class LocalModel:
    """A linear programme over some cells: the cheapest change that moves one of them.

    Each cell has a column for rising and one for falling; all other cells stand still. The model is
    kept between calls, so that the solver starts from its last basis.
    """

    def __init__(
        self,
        problem: Problem,
        proofs: Proofs,
        cells: NDArray[np.int64],
        prices: NDArray[np.float64],
    ) -> None:
        import highspy  # noqa: PLC0415 - heavy
        from scipy.sparse import hstack  # noqa: PLC0415 - heavy

        self.cells = cells
        self.place = {int(cell): at for at, cell in enumerate(cells)}
        self._prices = prices
        part = problem.columns[:, cells]
        rows = np.unique(part.indices)
        part = part.tocsr()[rows].tocsc()
        matrix = hstack([part, -part], format="csc")
        size = len(cells)
        missing = problem.missing[cells]
        falling = np.where(missing, 0, np.maximum(proofs.room[cells], 0)).astype(float)
        self._infinity = highspy.kHighsInf
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = 2 * size, len(rows)
        model.col_lower_ = np.zeros(2 * size)
        model.col_upper_ = np.concatenate((np.full(size, self._infinity), falling))
        model.row_lower_ = model.row_upper_ = np.zeros(len(rows))
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = matrix.indptr
        model.a_matrix_.index_ = matrix.indices
        model.a_matrix_.value_ = matrix.data
        self._falling = falling
        self._costs = self._cost(proofs)
        open_cells = ~(proofs.suppressed[cells] | missing)
        # A unit is worth less than any cell not hidden yet costs; if there is none, it is exact.
        self.free = _USE * _LINKS if open_cells.any() else _GAIN
        model.col_cost_ = self._costs
        self._solver: Any = highspy.Highs()
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        self._solver.setOptionValue("presolve", "off")
        self._solver.passModel(model)
        self._kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        self._done = highspy.HighsModelStatus.kOptimal

    def _cost(self, proofs: Proofs) -> NDArray[np.float64]:
        free = proofs.suppressed[self.cells] | proofs.problem.missing[self.cells]
        return np.tile(np.where(free, _USE, self._prices[self.cells]), 2)

    def refresh(self, proofs: Proofs) -> None:
        """Take note of cells that were hidden since."""
        costs = self._cost(proofs)
        changed = np.flatnonzero(costs != self._costs)
        if len(changed):
            self._solver.changeColsCost(len(changed), changed.astype(np.int32), costs[changed])
            self._costs = costs

    def move(
        self, cell: int, most: int, *, gain: float = _GAIN, entirely: bool = False
    ) -> NDArray[np.int64] | None:
        """Return the cheapest whole-number change that moves the cell furthest, up to ``most``.

        Parameters
        ----------
        cell : int
        most : int
            Above 0 to raise the cell, below 0 to lower it.
        gain : float
            Worth of each unit; a change that costs more is not made.
        entirely : bool
            Whether a change that moves the cell less is of no use; None is returned for it.

        Returns
        -------
        (k,) int64 or None
            Values for ``cells``; None if the solver gives no solution.
        """
        at, size = self.place[cell], len(self.cells)
        column, other = (at, at + size) if most > 0 else (at + size, at)
        solver = self._solver
        limit = float(abs(most))
        if most < 0:
            limit = min(limit, self._falling[at])
        solver.changeColCost(column, -gain)
        solver.changeColBounds(column, 0.0, limit)
        solver.changeColBounds(other, 0.0, 0.0)
        values = self._solve()
        if values is not None and entirely and values[column] < limit - _WHOLE:
            values = None
        if values is not None and np.abs(values - np.round(values)).max() > _WHOLE:
            values = self._solve_whole()
        solver.changeColCost(column, self._costs[column])
        for back in (at, at + size):
            upper = self._infinity if back == at else self._falling[at]
            solver.changeColBounds(back, 0.0, upper)
        if values is None:
            return None
        whole = np.round(values).astype(np.int64)
        return whole[:size] - whole[size:]

    def _solve(self) -> NDArray[np.float64] | None:
        self._solver.run()
        if self._solver.getModelStatus() != self._done:
            return None
        return np.array(self._solver.getSolution().col_value)

    def _solve_whole(self) -> NDArray[np.float64] | None:
        columns = np.arange(2 * len(self.cells), dtype=np.int32)
        continuous, integer = self._kinds
        self._solver.changeColsIntegrality(
            len(columns), columns, np.full(len(columns), int(integer), dtype=np.uint8)
        )
        values = self._solve()
        self._solver.changeColsIntegrality(
            len(columns), columns, np.full(len(columns), int(continuous), dtype=np.uint8)
        )
        return values


def prices(problem: Problem) -> NDArray[np.float64]:
    """Return the cells' costs as the programmes see them, (n,): relative, and well scaled."""
    inside = problem.weights[problem.candidates]
    middle = float(np.median(inside)) if len(inside) else 1.0
    relative = np.clip(problem.weights / middle, *_SPREAD)
    # Where costs are equal the smaller count is hidden: the reader loses less.
    largest = float(problem.counts.max(initial=1))
    return relative * (1 + 0.01 * np.log1p(problem.counts) / np.log1p(largest))


def keeps_equations(problem: Problem) -> Callable[[NDArray[np.int64], NDArray[np.int64]], bool]:
    """Return a check that a change leaves every equation as it is, in whole numbers."""
    pointer, rows, data = problem.columns.indptr, problem.columns.indices, problem.columns.data

    def check(cells: NDArray[np.int64], values: NDArray[np.int64]) -> bool:
        sums: dict[int, float] = {}
        for cell, value in zip(cells.tolist(), values.tolist(), strict=True):
            for at in range(pointer[cell], pointer[cell + 1]):
                sums[rows[at]] = sums.get(rows[at], 0.0) + data[at] * value
        return not any(sums.values())

    return check
