"""The attacker: from everything published to the tightest bounds of each true count.

Belongs here: `feasible_intervals`, the one question of which the promise of every release is made,
and `screen`, its quick first half. Does not belong here: what the attacker knows (``tables.py``,
``knowledge.py``, ``ledger.py``), or which bounds are too tight for a release (``examination.py``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError
from governance.disclosure.attacker.components import Parts, take_apart
from governance.disclosure.attacker.insider import attack_component
from governance.disclosure.attacker.knowns import Knowns, read_knowns, read_targets
from governance.disclosure.attacker.propagation import propagate
from governance.disclosure.attacker.search import Found, Task

if TYPE_CHECKING:
    from governance.disclosure.attacker.examination import Demand
    from governance.disclosure.attacker.system import System

Progress = Callable[[int, int], None]
"""Called with the number of components done and the number of all."""


class Intervals(NamedTuple):
    """Lowest and highest possible count of each target; ``upper`` may be infinite."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


@dataclass(frozen=True)
class Attack:
    """All that an attack found, for each target.

    Attributes
    ----------
    lower, upper : (k,) float64
        Interval that holds every value the count can have.
    seen_lower, seen_upper : (k,) float64
        Interval between two tables of whole numbers that exist; infinite and reversed where no
        table was found.
    proven : (k,) bool
        The two are the same: no tighter bound exists.
    exposed : (k,) bool
        Exact to an insider (only where one was asked for).
    components, linear_programmes, integer_programmes : int
        What it took.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    seen_lower: NDArray[np.float64]
    seen_upper: NDArray[np.float64]
    proven: NDArray[np.bool_]
    exposed: NDArray[np.bool_]
    components: int
    linear_programmes: int
    integer_programmes: int


def feasible_intervals(
    lower: ArrayLike,
    upper: ArrayLike,
    A: object,
    b: ArrayLike,
    targets: ArrayLike,
    *,
    required_width: ArrayLike | None = None,
    workers: int = 1,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Intervals:
    """Return the tightest bounds of counts, given everything that is known of them.

    The unknown ``x`` are all tables of whole numbers with ``lower <= x <= upper`` and ``A x = b``.
    For each target ``t`` the answer is the least and the greatest ``x[t]`` among them: exactly what
    an attacker with unlimited time can work out, no more and no less.

    Parameters
    ----------
    lower, upper : (n,) array-like
        Bounds of each count. Fractions are rounded inward; ``upper`` may be infinite, and ``lower``
        minus infinity (a slack, say).
    A : (m, n) array-like or scipy sparse matrix or array
        Equations, one a row, with whole coefficients; no rows at all is allowed, so are rows that
        repeat or follow from others.
    b : (m,) array-like
        Totals of the equations.
    targets : (k,) array-like of int
        Places of the counts to attack; in any order, repeated, or none.
    required_width : float or (k,) array-like, optional
        How wide each interval must be to be safe. Then bounds of linear programmes, rounded inward,
        stand for targets where they are at least 2 wider than that *and* two tables of whole
        numbers were found that are as far apart as required: such an interval may be wider than the
        tightest, but never where the tightest is narrower than required. Without it every interval
        is the tightest.
    workers : int
        Processes. The answer is the same for any number of them.
    time_limit : float, optional
        Seconds for one integer programme. Where they do not do, the interval is still valid, but
        not shown to be the tightest (`attack` tells which).
    progress : callable, optional
        Called with the numbers of components done and of all.

    Returns
    -------
    Intervals
        ``lower`` and ``upper`` of shape (k,), whole or infinite.

    Raises
    ------
    DisclosureError
        If no table fits (also where fractions would), shapes do not belong together, a target is
        no count, or something is not a number.

    Notes
    -----
    In order, and each step only for what the one before left open:

    1. *Single equations* narrow the bounds (``propagation.py``).
    2. Counts known by then are put in, and the rest falls apart into *components*; those that are
       trees are finished (``components.py``).
    3. *Common objectives*: linear programmes over all cells of a component that are not settled.
       Each vertex of whole numbers is a table that fits, and proves every bound it attains.
    4. *Linear programmes* of single cells, each from the vertex of the last one.
    5. *Integer programmes* of single cells where no table of whole numbers attains the linear bound
       (``search.py``).

    Examples
    --------
    Two hidden cells of 1 to 4 that add up to 8 hide nothing:

    >>> feasible_intervals([1, 1], [4, 4], [[1, 1]], [8], [0])
    Intervals(lower=array([4.]), upper=array([4.]))

    ``2 x - 3 y = 1`` allows fractions of ``x`` from 0.5 to 4, but one whole number:

    >>> feasible_intervals([0, 0], [4, 3], [[2, -3]], [1], [0])
    Intervals(lower=array([2.]), upper=array([2.]))
    """
    found = attack(
        lower,
        upper,
        A,
        b,
        targets,
        required_width=required_width,
        workers=workers,
        time_limit=time_limit,
        progress=progress,
    )
    return Intervals(found.lower, found.upper)


def attack(
    lower: ArrayLike,
    upper: ArrayLike,
    A: object,
    b: ArrayLike,
    targets: ArrayLike,
    *,
    required_width: ArrayLike | None = None,
    witnesses_only: bool = False,
    members: ArrayLike | None = None,
    workers: int = 1,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Attack:
    """Attack as `feasible_intervals` does, and tell besides the bounds how they are proven.

    Parameters
    ----------
    lower, upper, A, b, targets, required_width, workers, time_limit, progress
        As there.
    witnesses_only : bool
        Stop before programmes of single cells.
    members : array-like of int, optional
        Cells in which an insider may have their own record; no insider, if not given.

    Raises
    ------
    DisclosureError
        As there.
    """
    knowns = read_knowns(lower, upper, A, b)
    wanted = read_targets(targets, len(knowns.lower))
    enough = _enough(required_width, len(wanted))
    people = None if members is None else read_targets(members, len(knowns.lower))
    narrowed = propagate(knowns)
    knowns = Knowns(narrowed.lower, narrowed.upper, knowns.A, knowns.b)
    parts = take_apart(knowns)
    # Each count once; the strictest demand of those that name it.
    cells, back = np.unique(wanted, return_inverse=True)
    strictest = np.zeros(len(cells))
    np.maximum.at(strictest, back, enough)

    low, high = knowns.lower[cells], knowns.upper[cells]
    seen_low, seen_high = low.copy(), high.copy()
    exposed = np.zeros(len(cells), dtype=bool)
    linear = integer = done = 0
    asked = _Asked(cells, strictest, people, witnesses_only, time_limit)
    for places, found in _run(_tasks(parts, narrowed.settled, asked), workers, len(parts)):
        # Zero is added so that none is negative.
        low[places], high[places] = found.lower + 0.0, found.upper + 0.0
        seen_low[places], seen_high[places] = found.seen_lower, found.seen_upper
        exposed[places] = found.exposed
        linear += found.linear
        integer += found.integer
        done += 1
        if progress is not None:
            progress(done, len(parts))
    if progress is not None and done < len(parts):
        progress(len(parts), len(parts))
    if people is not None:
        # Who has a record in the cell themselves must see two counts possible from one upward.
        exposed |= (high >= 1) & (seen_high <= np.maximum(seen_low, 1))
    proven = (low == seen_low) & (high == seen_high)
    return Attack(
        low[back],
        high[back],
        seen_low[back],
        seen_high[back],
        proven[back],
        exposed[back],
        len(parts),
        linear,
        integer,
    )


def screen(
    system: System,
    targets: ArrayLike,
    demand: Demand,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> NDArray[np.bool_]:
    """Say quickly which targets are proven to meet a demand; of the others nothing is said.

    Only common objectives are solved. A target is proven safe by two tables of whole numbers that
    fit everything and between whose counts of it the demand is met.

    Parameters
    ----------
    system : System
    targets : (k,) array-like of int
    demand : Demand
    workers : int
        Processes.
    progress : callable, optional
        Called with the numbers of components done and of all.

    Returns
    -------
    (k,) bool

    Raises
    ------
    DisclosureError
        If no table fits.
    """
    found = attack(
        system.lower,
        system.upper,
        system.A,
        system.b,
        targets,
        witnesses_only=True,
        workers=workers,
        progress=progress,
    )
    return demand.met_by(found.seen_lower, found.seen_upper)


class _Asked(NamedTuple):
    cells: NDArray[np.int64]
    enough: NDArray[np.float64]
    members: NDArray[np.int64] | None
    witnesses_only: bool
    time_limit: float | None


def _enough(required_width: ArrayLike | None, count: int) -> NDArray[np.float64]:
    """Return the width each target needs; infinite where every interval must be the tightest."""
    if required_width is None:
        return np.full(count, np.inf)
    width = np.asarray(required_width, dtype=np.float64)
    if width.shape not in ((), (count,)) or np.isnan(width).any():
        raise DisclosureError(
            f"The required widths are not one number, nor one for each of {count} cells to attack"
        )
    return np.broadcast_to(width, (count,))


def _tasks(parts: Parts, settled: bool, asked: _Asked) -> Iterator[tuple[NDArray[np.int64], Task]]:
    """Yield each component that needs work, with the places of its targets among the cells.

    Components without a target are asked whether any table fits them.
    """
    in_component = np.zeros(len(parts.label), dtype=np.int64)
    in_component[parts.columns] = np.arange(len(parts.columns))
    label = parts.label[asked.cells]
    order = np.argsort(label, kind="stable")
    numbers = np.arange(len(parts))
    begin = np.searchsorted(label[order], numbers, "left")
    end = np.searchsorted(label[order], numbers, "right")
    people = np.empty(0, np.int64) if asked.members is None else np.unique(asked.members)
    people = people[np.argsort(parts.label[people], kind="stable")]
    first = np.searchsorted(parts.label[people], numbers, "left")
    last = np.searchsorted(parts.label[people], numbers, "right")
    for number in numbers.tolist():
        places = order[begin[number] : end[number]]
        start = parts.column_starts[number]
        tree = bool(parts.tree[number]) and settled
        alone = parts.row_starts[number] == parts.row_starts[number + 1]
        if alone or (tree and (asked.members is None or not len(places))):
            continue
        members = people[first[number] : last[number]]
        yield (
            places,
            Task(
                parts.component(number).knowns,
                tree,
                in_component[asked.cells[places]] - start,
                asked.enough[places],
                asked.time_limit,
                asked.witnesses_only,
                None if asked.members is None else in_component[members] - start,
            ),
        )


def _run(
    tasks: Iterator[tuple[NDArray[np.int64], Task]], workers: int, count: int
) -> Iterator[tuple[NDArray[np.int64], Found]]:
    """Attack the components, in this process or in several; the order is that of the tasks."""
    if workers <= 1 or count <= 1:
        for places, task in tasks:
            yield places, attack_component(task)
        return
    # Started afresh, so that nothing of this process (threads, an open database) is copied.
    with _one_thread_each(), get_context("spawn").Pool(min(workers, count)) as pool:
        chunk = max(1, min(64, count // (workers * 16)))
        yield from pool.imap(_attack_place, tasks, chunk)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes started meanwhile calculate in one thread: together they have all cores."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _attack_place(
    placed: tuple[NDArray[np.int64], Task],
) -> tuple[NDArray[np.int64], Found]:
    places, task = placed
    return places, attack_component(task)
