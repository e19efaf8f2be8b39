"""HiGHS, held open on one component: the programmes differ in their objective alone.

Belongs here: passing a component to HiGHS, solving it for one objective after another, and checking
every table it returns in whole numbers. Does not belong here: which objectives (``search.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from declarations.errors import DisclosureError
from governance.disclosure.attacker.knowns import WHOLE, Knowns

if TYPE_CHECKING:
    import highspy

FEASIBILITY = 1e-9
"""Tolerance of HiGHS on bounds, equations and reduced costs of linear programmes."""

DUAL, PRIMAL = 1, 4
"""Simplex strategies. After a change of objective a vertex stays feasible, so primal goes on from
it in a few steps; for an objective over all counts, dual, which flips bounds, is five times as
fast (measured)."""


FEW = 12
"""Counts in an objective up to which it is a small change of the one before."""


class Answer(NamedTuple):
    """What HiGHS says of one programme.

    Attributes
    ----------
    bound : float
        No table that fits has an objective above this; infinite where HiGHS cannot say.
    table : (n,) float64 or None
        A table of whole numbers that fits, checked exactly; not always one that attains ``bound``.
    feasible : bool or None
        None where HiGHS stopped before it knew.
    """

    bound: float
    table: NDArray[np.float64] | None
    feasible: bool | None


class Programme:
    """One component, ready to be solved for any objective.

    HiGHS sees every count less its lower bound, so that a cell of millions, known to within a few,
    is a small number to it and its tolerances mean something.

    Attributes
    ----------
    lower, upper : (n,) float64
        Bounds as they stand.
    linear_programmes, integer_programmes : int
        Solved so far.
    """

    def __init__(self, knowns: Knowns) -> None:
        self._knowns = knowns
        lower, upper = self.lower, self.upper = knowns.lower.copy(), knowns.upper.copy()
        self._shift = np.where(np.isfinite(lower), lower, np.where(np.isfinite(upper), upper, 0.0))
        self._columns = knowns.A.tocsc()
        self._total = knowns.b - knowns.A @ self._shift
        self._linear = self._open(whole=False)
        self._whole: highspy.Highs | None = None
        self._objective = {False: np.empty(0, np.int32), True: np.empty(0, np.int32)}
        self._strategy = 0
        self.linear_programmes = 0
        self.integer_programmes = 0

    def maximise(self, columns: NDArray[np.int64], weights: NDArray[np.float64]) -> Answer:
        """Maximise a weighted sum of counts over all tables that fit, fractions allowed."""
        self._choose(PRIMAL if len(columns) <= FEW else DUAL)
        self._set(self._linear, columns, weights, whole=False)
        self.linear_programmes += 1
        status = self._run(self._linear)
        if status == "unclear" and len(columns):
            # No objective: then only whether anything fits is left to say.
            self._set(self._linear, columns[:0], weights[:0], whole=False)
            status = {"optimal": "unbounded"}.get(self._run(self._linear), "infeasible")
        if status == "unbounded":
            return Answer(np.inf, self._table(self._linear), True)
        if status != "optimal":
            return Answer(np.inf, None, False if status == "infeasible" else None)
        value = self._linear.getInfo().objective_function_value
        offset = float(self._shift[columns] @ weights)
        return Answer(value + offset, self._table(self._linear), True)

    def maximise_whole(
        self,
        columns: NDArray[np.int64],
        weights: NDArray[np.float64],
        *,
        at_least: float = -np.inf,
        seconds: float | None = None,
        nodes: int | None = None,
    ) -> Answer:
        """Maximise a weighted sum of counts over all tables of whole numbers that fit.

        Parameters
        ----------
        columns, weights : (k,) array
            The objective; its bound must be finite.
        at_least : float
            Only tables where the objective is this or more count; for a single count.
        seconds, nodes : optional
            Time and nodes of the search tree allowed. When they are over, the bound found so far
            stands (it is valid), with the best table found so far, if any.
        """
        if self._whole is None:
            self._whole = self._open(whole=True)
        highs = self._whole
        self._set(highs, columns, weights, whole=True)
        highs.clearSolver()
        # HiGHS counts the time of all its runs together.
        allowed = np.inf if seconds is None else highs.getRunTime() + float(seconds)
        highs.setOptionValue("time_limit", allowed)
        highs.setOptionValue("mip_max_nodes", 2**31 - 1 if nodes is None else nodes)
        self.integer_programmes += 1
        if np.isfinite(at_least):
            column, (low, high) = int(columns[0]), self._shifted(int(columns[0]))
            least = at_least - weights[0] * self._shift[column]
            pair = (max(low, least), high) if weights[0] > 0 else (low, min(high, -least))
            highs.changeColBounds(column, *pair)
            answer = self._solve_whole(highs, columns, weights)
            highs.changeColBounds(column, low, high)
            return answer
        return self._solve_whole(highs, columns, weights)

    def narrow(self, column: int, lower: float, upper: float) -> None:
        """Change the bounds of one count."""
        self.lower[column], self.upper[column] = lower, upper
        pair = self._shifted(column)
        self._linear.changeColBounds(column, *pair)
        if self._whole is not None:
            self._whole.changeColBounds(column, *pair)

    def box(self, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        """Change the bounds of all counts."""
        self.lower, self.upper = lower.copy(), upper.copy()
        every = np.arange(len(lower), dtype=np.int32)
        low, high = lower - self._shift, upper - self._shift
        for highs in (self._linear, self._whole):
            if highs is not None:
                highs.changeColsBounds(len(every), every, low, high)

    def _solve_whole(
        self,
        highs: highspy.Highs,
        columns: NDArray[np.int64],
        weights: NDArray[np.float64],
    ) -> Answer:
        status = self._run(highs)
        if status == "infeasible":
            return Answer(-np.inf, None, False)
        table, figures = self._table(highs), highs.getInfo()
        bound = {
            "optimal": figures.objective_function_value,
            "stopped": figures.mip_dual_bound,
        }.get(status, np.inf)
        offset = float(self._shift[columns] @ weights)
        bound = bound + offset if np.isfinite(bound) else np.inf
        return Answer(bound, table, True if table is not None else None)

    def _shifted(self, column: int) -> tuple[float, float]:
        shift = self._shift[column]
        return self.lower[column] - shift, self.upper[column] - shift

    def _open(self, *, whole: bool) -> highspy.Highs:
        import highspy  # noqa: PLC0415 - heavy

        knowns, counts = self._knowns, len(self._shift)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = counts, len(knowns.b)
        model.sense_ = highspy.ObjSense.kMaximize
        model.col_cost_ = np.zeros(counts)
        model.col_lower_, model.col_upper_ = self.lower - self._shift, self.upper - self._shift
        model.row_lower_ = model.row_upper_ = self._total
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = self._columns.indptr
        model.a_matrix_.index_ = self._columns.indices
        model.a_matrix_.value_ = self._columns.data
        if whole:
            model.integrality_ = [highspy.HighsVarType.kInteger] * counts
        highs = highspy.Highs()
        options: dict[str, Any] = {"output_flag": False, "threads": 1, "parallel": "off"}
        if whole:
            options |= {"mip_rel_gap": 0.0, "mip_abs_gap": WHOLE, "random_seed": 1}
        else:
            options |= {
                "solver": "simplex",
                "primal_feasibility_tolerance": FEASIBILITY,
                "dual_feasibility_tolerance": FEASIBILITY,
            }
        for name, value in options.items():
            highs.setOptionValue(name, value)
        if highs.passModel(model) == highspy.HighsStatus.kError:
            raise DisclosureError(
                "The solver refuses the equations of what is published",
                "Look for bounds, totals or coefficients far larger than any count",
            )
        return highs

    def _choose(self, strategy: int) -> None:
        if strategy != self._strategy:
            self._linear.setOptionValue("simplex_strategy", strategy)
            self._strategy = strategy
        if self.linear_programmes == 1:
            # Presolve would throw away the basis to start from.
            self._linear.setOptionValue("presolve", "off")

    def _set(
        self,
        highs: highspy.Highs,
        columns: NDArray[np.int64],
        weights: NDArray[np.float64],
        *,
        whole: bool,
    ) -> None:
        before = self._objective[whole]
        highs.changeColsCost(len(before), before, np.zeros(len(before)))
        now = columns.astype(np.int32)
        highs.changeColsCost(len(now), now, weights.astype(np.float64))
        self._objective[whole] = now

    @staticmethod
    def _run(highs: highspy.Highs) -> str:
        import highspy  # noqa: PLC0415 - heavy

        status = highspy.HighsModelStatus
        highs.run()
        found = highs.getModelStatus()
        if found in (status.kUnknown, status.kSolveError):
            # Once more from nothing: a basis gone bad is the common cause.
            highs.clearSolver()
            highs.run()
            found = highs.getModelStatus()
        return {
            status.kOptimal: "optimal",
            status.kInfeasible: "infeasible",
            status.kUnbounded: "unbounded",
            status.kUnboundedOrInfeasible: "unclear",
            status.kTimeLimit: "stopped",
            status.kSolutionLimit: "stopped",
            status.kIterationLimit: "stopped",
        }.get(found, "unknown")

    def _table(self, highs: highspy.Highs) -> NDArray[np.float64] | None:
        """Return the table HiGHS stands at, if it is of whole numbers and fits exactly."""
        values = np.array(highs.getSolution().col_value)
        if len(values) != len(self._shift) or not np.isfinite(values).all():
            return None
        whole = np.rint(values)
        if (np.abs(values - whole) > WHOLE).any():
            return None
        table = whole + self._shift
        return table if fits(self._knowns, table) else None


def fits(knowns: Knowns, table: NDArray[np.float64]) -> bool:
    """Say whether a table of whole numbers keeps every bound and every equation.

    With whole coefficients the sums are exact: nothing here depends on a solver or its tolerances.
    """
    if (table < knowns.lower).any() or (table > knowns.upper).any():
        return False
    return bool((np.abs(knowns.A @ table - knowns.b) <= WHOLE).all())


def solver_version() -> str:
    """Return the solver's name and version, for the certificate."""
    import highspy  # noqa: PLC0415 - heavy

    return f"HiGHS {highspy.Highs().version()}"
