"""Attacking one component: the tightest whole-number bounds of its cells, with their proofs.

Belongs here: which programmes are solved, in what order, and when a bound is proven.
Does not belong here: the solver (``solver.py``), the insider (``insider.py``), what a bound means
for a release (``examination.py``).

Every cell has two intervals. The *outer* one holds every value the cell can have: it starts from
single equations (``propagation.py``) and is tightened by linear, then by integer programmes. The
*inner* one spans the values the cell has in tables of whole numbers that exist (*witnesses*),
checked exactly. Where the two meet, the bound is proven, however it was found; so a single
programme whose objective runs over all cells that are not settled settles very many of them at
once, and few cells need a programme of their own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.attacker.knowns import WHOLE, Knowns, contradiction
from governance.disclosure.attacker.propagation import propagate
from governance.disclosure.attacker.solver import Answer, Programme

SEED = 20_260_401
"""Where the directions of the common objectives come from; each component starts from it anew."""

BATCHES = 500
"""Common objectives at most for one component."""

WORTH = 4
"""A common objective costs as much as a few programmes of one cell: it must settle more of them."""

FOLLOW = 20
"""Rounds of propagation after a bound was tightened."""

BATCH_NODES = 50
"""Nodes of the search tree an integer programme with a common objective may spend."""

WITNESS_NUMBERS = 20_000_000
"""Numbers of witnesses kept at most for one component (four bytes each)."""

CLOSE = 2
"""Linear bounds nearer than this to the required width are checked by integer programmes."""

NOTHING = np.empty(0, dtype=np.int64)


class Task(NamedTuple):
    """One component and what is asked of it.

    Attributes
    ----------
    knowns : Knowns
        The counts and equations of the component, bounds already propagated.
    tree : bool
        The bounds are known to be the tightest; no programme is needed for them.
    targets : (t,) int
        Cells to attack, by their place in the component; sorted, none twice.
    enough : (t,) float
        Width a target needs; linear bounds will do where they are wider by 2 and witnesses are as
        far apart. Infinite where the bounds must be exact.
    seconds : float or None
        Time for one integer programme.
    witnesses_only : bool
        Stop before programmes of single cells.
    members : (p,) int or None
        Cells in which an insider may have their own record; None if no insider is asked for.
    """

    knowns: Knowns
    tree: bool
    targets: NDArray[np.int64]
    enough: NDArray[np.float64]
    seconds: float | None
    witnesses_only: bool
    members: NDArray[np.int64] | None


class Found(NamedTuple):
    """What an attack on one component found, for each target in order.

    Attributes
    ----------
    lower, upper : (t,) float64
        Outer interval.
    seen_lower, seen_upper : (t,) float64
        Inner interval.
    exposed : (t,) bool
        Exact to an insider, or not proven not to be.
    linear, integer : int
        Programmes solved.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    seen_lower: NDArray[np.float64]
    seen_upper: NDArray[np.float64]
    exposed: NDArray[np.bool_]
    linear: int
    integer: int


class Search:
    """The state of an attack on one component.

    Attributes
    ----------
    lower, upper : (n,) float64
        Outer interval of every count of the component.
    seen_lower, seen_upper : (n,) float64
        Inner interval; reversed (infinite) until there is a witness.
    """

    def __init__(self, task: Task) -> None:
        knowns = task.knowns
        self.knowns = knowns
        self.targets = task.targets
        self.seconds = task.seconds
        self.lower, self.upper = knowns.lower.copy(), knowns.upper.copy()
        self.seen_lower = np.full(len(self.lower), np.inf)
        self.seen_upper = np.full(len(self.lower), -np.inf)
        self.programme = Programme(knowns)
        self.random = np.random.default_rng(SEED)
        most = WITNESS_NUMBERS // len(self.lower) if task.members is not None else 0
        self._most_kept, self._kept = most, 0
        self._witnesses = np.empty((min(most, 64), len(self.lower)), dtype=np.int32)
        self._sum, self._tables = np.zeros(len(self.lower)), 0
        self._endless = {1: np.zeros(len(self.lower), bool), -1: np.zeros(len(self.lower), bool)}

    @property
    def witnesses(self) -> NDArray[np.int32]:
        """The tables that fit and were kept, one a row, of shape (w, n)."""
        return self._witnesses[: self._kept]

    @property
    def some_table_fits(self) -> bool:
        """Whether a witness was found at all."""
        return bool(np.isfinite(self.seen_lower[:1]).all())

    def run(self, enough: NDArray[np.float64], *, witnesses_only: bool) -> None:
        """Tighten both intervals of every target until they meet, or the task is done.

        Raises
        ------
        DisclosureError
            If no table of whole numbers fits.
        """
        self._common_objectives(0 if witnesses_only else WORTH)
        if witnesses_only:
            return
        self._single_linear()
        self._some_table()
        if self.some_table_fits:
            self._single_whole(enough)
            self.seen_upper[self._endless[1]] = np.inf
            self.seen_lower[self._endless[-1]] = -np.inf

    def note(self, table: NDArray[np.float64] | None) -> None:
        """Widen the inner intervals by a table that fits."""
        if table is None:
            return
        np.minimum(self.seen_lower, table, out=self.seen_lower)
        np.maximum(self.seen_upper, table, out=self.seen_upper)
        self._sum += table
        self._tables += 1
        if self._kept == self._most_kept:
            return
        if self._kept == len(self._witnesses):
            room = np.empty((min(self._most_kept - self._kept, self._kept), len(table)), np.int32)
            self._witnesses = np.concatenate([self._witnesses, room])
        self._witnesses[self._kept] = np.clip(table, -(2**31), 2**31 - 1)
        self._kept += 1

    def open_ends(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Say of which targets the lower and the upper bound is not yet attained by a witness."""
        t = self.targets
        return (
            (self.seen_lower[t] > self.lower[t]) & ~self._endless[-1][t],
            (self.seen_upper[t] < self.upper[t]) & ~self._endless[1][t],
        )

    def _is_open(self, column: int, sign: int) -> bool:
        if self._endless[sign][column]:
            return False
        if sign > 0:
            return bool(self.seen_upper[column] < self.upper[column])
        return bool(self.seen_lower[column] > self.lower[column])

    def _common_objectives(self, worth: int) -> None:
        """Push all targets that are not settled towards an open end at once, again and again.

        Each is pushed up or down by lot where both ends are open. In a sum that is known, what one
        cell gains another loses; so the weights are drawn anew each time, and a cell that was
        pushed in vain yields to the others.
        """
        vain = np.zeros(len(self.targets))
        ends = sum(int(side.sum()) for side in self.open_ends())
        for _ in range(BATCHES):
            down, up = self.open_ends()
            down &= np.isfinite(self.lower[self.targets])
            up &= np.isfinite(self.upper[self.targets])
            pushed = np.flatnonzero(down | up)
            by_lot = np.where(self.random.random(len(self.targets)) < 0.5, 1.0, -1.0)
            sign = np.where(down & up, by_lot, np.where(up, 1.0, -1.0))
            weight = sign / (1.0 + vain) * self.random.integers(1, 4, len(self.targets))
            if not len(pushed):
                if not self.some_table_fits and self.push(NOTHING, weight[:0]).feasible is False:
                    raise contradiction()
                return
            if self.push(self.targets[pushed], weight[pushed]).feasible is False:
                raise contradiction()
            vain[pushed] += 1
            still = sum(int(side.sum()) for side in self.open_ends())
            if ends - still <= worth:
                return
            ends = still

    def push(self, columns: NDArray[np.int64], weights: NDArray[np.float64]) -> Answer:
        """Look for a witness that is far out in one direction.

        Where the vertex of the linear programme is fractional, an integer programme is allowed a
        few nodes to find a table of whole numbers near it.
        """
        answer = self.programme.maximise(columns, weights)
        if answer.feasible is False:
            return answer
        if answer.table is None and np.isfinite(answer.bound):
            whole = self.programme.maximise_whole(
                columns, weights, seconds=self.seconds, nodes=BATCH_NODES
            )
            answer = Answer(answer.bound, whole.table, whole.feasible)
        self.note(answer.table)
        return answer

    def near_the_middle(
        self, columns: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> NDArray[np.int32] | None:
        """Look for a witness in one direction, but near the mean of all seen so far.

        Witnesses lie far out, with most cells empty and few full. Every count of this one is the
        mean rounded down or up (here and there by one more), which fits, but for fractions: many
        cells hold a little.
        """
        if not self._tables:
            return None
        mean = self._sum / self._tables
        slack = self.random.integers(0, 2, (2, len(mean)))
        self.programme.box(
            np.maximum(self.lower, np.floor(mean) - slack[0]),
            np.minimum(self.upper, np.ceil(mean) + slack[1]),
        )
        answer = self.push(columns, weights)
        self.programme.box(self.lower, self.upper)
        return None if answer.table is None else answer.table.astype(np.int32)

    def _single_linear(self) -> None:
        for sign in (1, -1):
            for column in self.targets.tolist():
                if self._is_open(column, sign):
                    self._linear_end(column, sign)

    def _linear_end(self, column: int, sign: int) -> None:
        answer = self.programme.maximise(np.array([column]), np.array([float(sign)]))
        if answer.feasible is False:
            raise contradiction()
        self.note(answer.table)
        if answer.feasible is None:
            return
        if np.isinf(answer.bound):
            # With whole coefficients, what is endless in fractions is endless in whole numbers as
            # soon as one table of whole numbers fits.
            self._endless[sign][column] = True
            return
        self._tighten(column, sign, np.floor(answer.bound + WHOLE))

    def _some_table(self) -> None:
        if self.some_table_fits:
            return
        answer = self.programme.maximise_whole(NOTHING, np.empty(0), seconds=self.seconds)
        if answer.feasible is False:
            raise contradiction()
        self.note(answer.table)

    def _single_whole(self, enough: NDArray[np.float64]) -> None:
        for sign in (1, -1):
            for place, column in enumerate(self.targets.tolist()):
                wide = (
                    self.upper[column] - self.lower[column] >= enough[place] + CLOSE
                    and self.seen_upper[column] - self.seen_lower[column] >= enough[place]
                )
                if not wide and self._is_open(column, sign):
                    self._whole_end(column, sign)

    def _whole_end(self, column: int, sign: int) -> None:
        """Ask for a table beyond all seen; that there is none proves the best seen."""
        seen = self.seen_upper[column] if sign > 0 else -self.seen_lower[column]
        answer = self.programme.maximise_whole(
            np.array([column]),
            np.array([float(sign)]),
            at_least=seen + 1,
            seconds=self.seconds,
        )
        self.note(answer.table)
        if answer.feasible is False:
            self._tighten(column, sign, seen)
        elif np.isfinite(answer.bound):
            self._tighten(column, sign, np.floor(answer.bound + WHOLE))

    def _tighten(self, column: int, sign: int, bound: float) -> None:
        """Tighten the outer end of a count (upper for sign 1), not past a witness; propagate."""
        if sign > 0:
            new = max(bound, self.seen_upper[column])
            if new >= self.upper[column]:
                return
            self.upper[column] = new
        else:
            new = min(-bound, self.seen_lower[column])
            if new <= self.lower[column]:
                return
            self.lower[column] = new
        if self.lower[column] > self.upper[column]:
            raise contradiction()
        followed = propagate(Knowns(self.lower, self.upper, self.knowns.A, self.knowns.b), FOLLOW)
        before = self.programme.lower, self.programme.upper
        for moved in np.flatnonzero(
            (followed.lower > before[0]) | (followed.upper < before[1])
        ).tolist():
            self.lower[moved], self.upper[moved] = followed.lower[moved], followed.upper[moved]
            self.programme.narrow(moved, self.lower[moved], self.upper[moved])
