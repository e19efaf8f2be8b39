"""The cheapest secondary cells that exist, for tables small enough to prove it.

Belongs here: the mixed-integer programme that chooses hidden cells, and the cuts by which it learns
what an attacker could still work out. Does not belong here: tables of any size (``heuristic.py``).

The formulation is that of Fischetti and Salazar (Management Science 47, 2001): a yes-or-no
variable per cell, and for every sensitive cell two tables that the attacker cannot exclude, one
with the cell high and one with it low. Those tables are not written out. It is solved without
them, each sensitive cell is attacked, and where the attacker succeeds, the dual of the attack is a
linear condition on the hidden cells that every safe choice meets (Benders' decomposition). Counts
are whole numbers: where only fractional tables keep a cell safe, the programme is told to hide
something more. Hiding more never makes a cell less safe, so that this excludes no safe choice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.tables.suppression.heuristic import cover
from governance.disclosure.tables.suppression.patterns import LocalModel, Proofs
from governance.disclosure.tables.suppression.problem import Problem

SECONDS = 60.0
"""Most seconds for one solution of the programme."""


class Effort(NamedTuple):
    """How long to look for an optimum. Both limits are counts, so that results do not vary.

    Attributes
    ----------
    rounds : int
        Most times the programme is solved for one component.
    nodes : int
        Most branches of one solution.
    """

    rounds: int
    nodes: int


THOROUGH = Effort(1_000, 10_000_000)
BRIEF = Effort(40, 100)

_SMALL = 1e-6


def components(problem: Problem) -> list[NDArray[np.int64]]:
    """Return the groups of cells that equations tie to one another and that are not all published.

    Published cells tie nothing: their counts are known. Groups without a sensitive cell are left
    out. The order is that of each group's first cell.
    """
    from scipy.sparse import csr_matrix, vstack  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - heavy

    usable = problem.candidates | problem.marked | problem.missing
    cells = np.flatnonzero(usable)
    inside = problem.A[:, cells]
    rows, size = inside.shape
    square = vstack([csr_matrix((size, size + rows)), _beside(inside, rows)], format="csr")
    count, labels = connected_components(square, directed=False)
    order = np.argsort(labels[:size], kind="stable")
    edges = np.searchsorted(labels[:size][order], np.arange(1, count))
    groups = [cells[part] for part in np.split(order, edges) if len(part)]
    needy = [group for group in groups if problem.sensitive[group].any()]
    return sorted(needy, key=lambda group: int(group[0]))


def _beside(inside: Any, rows: int) -> Any:
    from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415 - heavy

    return hstack([abs(inside), csr_matrix((rows, rows))], format="csr")


def cheapest(
    problem: Problem,
    group: NDArray[np.int64],
    needy: NDArray[np.int64],
    effort: Effort = THOROUGH,
) -> NDArray[np.int64] | None:
    """Return the cheapest secondary cells of one component.

    Parameters
    ----------
    problem : Problem
    group : (k,) int64
        The cells of the component.
    needy : (s,) int64
        The sensitive cells to protect: all of those that hiding every candidate protects.
    effort : Effort

    Returns
    -------
    (c,) int64 or None
        None if the effort, or `SECONDS` for one solution, did not suffice.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - heavy

    free = group[problem.candidates[group]]
    if not len(needy):
        return free[:0]
    attack = _Attack(problem, group, free)
    costs = problem.weights[free]
    cuts: list[NDArray[np.float64]] = []
    rights: list[float] = []
    chosen = np.zeros(len(free), dtype=bool)
    for _ in range(effort.rounds):
        found = attack.cuts(chosen, needy)
        if not found and not len(unsafe(problem, group, free[chosen], needy)):
            return free[chosen]
        for row, right in found or [((~chosen).astype(float), 1.0)]:
            cuts.append(row)
            rights.append(right)
        solution = milp(
            costs,
            integrality=np.ones(len(free)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(np.array(cuts), lb=np.array(rights)),
            options={"mip_rel_gap": 0.0, "time_limit": SECONDS, "node_limit": effort.nodes},
        )
        if solution.status != 0:
            return None
        chosen = solution.x > 0.5
    return None


def unsafe(
    problem: Problem,
    group: NDArray[np.int64],
    secondary: NDArray[np.int64],
    needy: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the sensitive cells that whole-number tables do not protect, if just these are hidden.

    Exact: a cell is returned if and only if its whole-number interval misses the demand.
    """
    proofs = Proofs(problem)
    proofs.suppressed[secondary] = True
    return prove(problem, proofs, group, needy)


def prove(
    problem: Problem, proofs: Proofs, group: NDArray[np.int64], needy: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Record proofs for these cells, hiding nothing further; return those that have none."""
    hidden = group[proofs.suppressed[group] | problem.missing[group]]
    model = LocalModel(problem, proofs, hidden, problem.weights)
    return np.array(
        [n for n in needy.tolist() if not cover(problem, proofs, model, n)], dtype=np.int64
    )


class _Attack:
    """The attacker's linear programme over one component, and the cuts its duals give."""

    def __init__(self, problem: Problem, group: NDArray[np.int64], free: NDArray[np.int64]) -> None:
        import highspy  # noqa: PLC0415 - heavy

        self._problem, self._group = problem, group
        self._place = {int(cell): at for at, cell in enumerate(group)}
        self._free = np.array([self._place[int(cell)] for cell in free], dtype=np.int64)
        self._fixed = np.setdiff1d(np.arange(len(group)), self._free)
        matrix = problem.columns[:, group]
        rows = np.unique(matrix.indices)
        matrix = matrix.tocsr()[rows].tocsc()
        self._room = np.where(
            problem.missing[group], 0, problem.counts[group] - problem.floor
        ).astype(float)
        self._infinity = highspy.kHighsInf
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(group), len(rows)
        model.col_cost_ = np.zeros(len(group))
        model.col_lower_ = -self._room
        model.col_upper_ = np.full(len(group), self._infinity)
        model.row_lower_ = model.row_upper_ = np.zeros(len(rows))
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = matrix.indptr
        model.a_matrix_.index_ = matrix.indices
        model.a_matrix_.value_ = matrix.data
        self._solver: Any = highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
            self._solver.setOptionValue(option, value)
        self._solver.passModel(model)
        self._optimal = highspy.HighsModelStatus.kOptimal

    def cuts(
        self, chosen: NDArray[np.bool_], needy: NDArray[np.int64]
    ) -> list[tuple[NDArray[np.float64], float]]:
        """Return conditions that this choice breaks and every safe choice meets, (row, right)."""
        low, high = -self._room, np.full(len(self._group), self._infinity)
        low[self._free[~chosen]] = high[self._free[~chosen]] = 0.0
        every = np.arange(len(self._group), dtype=np.int32)
        self._solver.changeColsBounds(len(every), every, low, high)
        found = []
        for cell in needy.tolist():
            found += self._of_cell(cell)
        return found

    def _of_cell(self, cell: int) -> list[tuple[NDArray[np.float64], float]]:
        """Attack one cell from above and below."""
        demand, count = self._problem.demand, int(self._problem.counts[cell])
        rise, rise_limit = self._furthest(cell, 1.0)
        cuts = []
        if demand.outside and demand.below > count and self._problem.floor >= 1:
            cuts += self._cut(rise, rise_limit, demand.below - count)
        if rise < self._problem.width:
            fall, fall_limit = self._furthest(cell, -1.0)
            together = (rise_limit[0] + fall_limit[0], rise_limit[1] + fall_limit[1])
            cuts += self._cut(rise + fall, together, self._problem.width)
        if demand.outside and demand.below > count > 0 and self._problem.floor < 1:
            cuts += self._either(cell, rise, rise_limit)
        return cuts

    def _either(
        self, cell: int, rise: float, rise_limit: tuple[float, NDArray[np.float64]]
    ) -> list[tuple[NDArray[np.float64], float]]:
        """Where zeros are hidden, reaching 0 is as good as leaving the protected range upwards."""
        count = int(self._problem.counts[cell])
        up = self._problem.demand.below - count
        fall, fall_limit = self._furthest(cell, -1.0)
        if rise >= up - _SMALL or fall >= count - _SMALL:
            return []
        sides = []
        for (known, row), needed in ((rise_limit, up), (fall_limit, count)):
            missing = needed - known
            sides.append(np.minimum(row, missing) / missing)
        return [(sides[0] + sides[1], 1.0)]

    def _cut(
        self, reached: float, limit: tuple[float, NDArray[np.float64]], needed: float
    ) -> list[tuple[NDArray[np.float64], float]]:
        known, row = limit
        missing = needed - known
        if reached >= needed - _SMALL or missing <= _SMALL:
            return []
        return [(np.minimum(row, missing) / missing, 1.0)]

    def _furthest(self, cell: int, sign: float) -> tuple[float, tuple[float, NDArray[np.float64]]]:
        """Return how far a cell moves, and what limits that.

        The limit is (known, row): for any choice y the cell moves no further than
        ``known + row @ y``.
        """
        at = self._place[cell]
        solver = self._solver
        solver.changeColCost(at, -sign)
        solver.run()
        status = solver.getModelStatus()
        if status != self._optimal:
            solver.changeColCost(at, 0.0)
            return np.inf, (np.inf, np.zeros(len(self._free)))
        reached = -float(solver.getInfo().objective_function_value)
        # In the changes d every equation is 0, so that the objective is the reduced costs times d.
        reduced = -np.array(solver.getSolution().col_dual)
        solver.changeColCost(at, 0.0)
        reduced[np.abs(reduced) < _SMALL] = 0.0
        most = np.where(reduced > 0, np.inf, -reduced * self._room)
        return reached, (float(most[self._fixed].sum()), most[self._free])
