"""Secondary cells for tables of any size: cheapest changes, one sensitive cell after another.

Belongs here: the order in which cells are protected, how far around each a change is sought, and
dropping secondary cells that proved needless. Does not belong here: the programmes themselves
(``patterns.py``), or asking the attacker (``repair.py``).

Each sensitive cell gets the changes that prove it protected; the cells they pass through become
secondary. Later cells find these hidden already and use them for nothing. A change is first sought
nearby, since that is where it is cheap, then further away. The result depends on the table alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.tables.suppression.patterns import (
    LocalModel,
    Neighbourhoods,
    Proofs,
    keeps_equations,
    prices,
)
from governance.disclosure.tables.suppression.problem import Problem

NEAR = ((240, 24), (2_000, 120), (20_000, 1_000))
"""Sizes of the neighbourhoods tried, nearest first: cells, and members looked at per equation."""

CORE = 3
"""The nearest one in so many cells of a neighbourhood are protected with it."""

DROPS = 4_000
"""Most secondary cells that are looked at again once all is protected, dearest first."""


def protect(problem: Problem) -> Proofs:
    """Hide secondary cells until every sensitive cell is proven protected, where that can be found.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    Proofs
        What is hidden and how far each cell is proven to move; ``unproven()`` lists the cells for
        which no change was found within the widest neighbourhood.
    """
    proofs = Proofs(problem)
    relative = prices(problem)
    neighbourhoods = Neighbourhoods(problem)
    size = int((problem.candidates | problem.marked | problem.missing).sum())
    for cells, window in NEAR:
        waiting = _in_turn(problem, proofs.unproven())
        if not len(waiting):
            break
        _sweep(problem, proofs, neighbourhoods, waiting, relative, (cells, window))
        if cells >= size and window >= size:
            break
    return proofs


def _in_turn(problem: Problem, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the hidden cells, the largest counts first.

    They can fall, so that they find changes among cells hidden already; measured, that order hides
    fewer cells than its opposite or the table's.
    """
    hidden = cells[problem.marked[cells]]
    return hidden[np.lexsort((hidden, -problem.counts[hidden]))]


def _sweep(
    problem: Problem,
    proofs: Proofs,
    neighbourhoods: Neighbourhoods,
    waiting: NDArray[np.int64],
    relative: NDArray[np.float64],
    reach: tuple[int, int],
) -> None:
    """Try each cell once, together with those in the middle of its neighbourhood."""
    tried = np.zeros(len(problem.counts), dtype=bool)
    asked = np.zeros(len(problem.counts), dtype=bool)
    asked[waiting] = True
    for first in waiting.tolist():
        if tried[first] or proofs.met(np.array([first]))[0]:
            continue
        around = neighbourhoods.around(first, *reach)
        model = LocalModel(problem, proofs, around, relative)
        core = around[: max(1, len(around) // CORE)]
        here = core[asked[core] & ~tried[core]]
        for cell in _in_turn(problem, here).tolist():
            tried[cell] = True
            cover(problem, proofs, model, cell)


def cover(problem: Problem, proofs: Proofs, model: LocalModel, cell: int) -> bool:
    """Hide what it takes to protect a cell within one model; say whether that was possible.

    Nothing is hidden where it is not.
    """
    one = np.array([cell])
    if proofs.met(one)[0]:
        return True
    demand, count = problem.demand, int(problem.counts[cell])
    model.refresh(proofs)
    # What lowering the cell gives for nothing, need not be paid for by raising it.
    wanted = problem.width - int(proofs.up[cell])
    if demand.outside and problem.floor < 1:
        wanted = max(wanted, count)
    wanted = min(count - problem.floor, wanted)
    if wanted > proofs.down[cell]:
        _note(problem, proofs, model, model.move(cell, -wanted, gain=model.free), hide=False)
    _pay(problem, proofs, model, cell)
    # Lowering it does not help a cell that must leave the range upwards and cannot.
    stuck = demand.outside and problem.floor >= 1 and count + proofs.up[cell] < demand.below
    if not stuck and not proofs.met(one)[0] and problem.width > proofs.up[cell]:
        needed = problem.width - int(proofs.up[cell])
        change = model.move(cell, -needed)
        moved = 0 if change is None else -int(change[model.place[cell]])
        _note(problem, proofs, model, change, hide=moved >= needed)
        _pay(problem, proofs, model, cell)
    return bool(proofs.met(one)[0])


def _pay(problem: Problem, proofs: Proofs, model: LocalModel, cell: int) -> None:
    """Raise a cell as far as the demand still asks, hiding what that takes."""
    demand, count = problem.demand, int(problem.counts[cell])
    up = problem.width - int(proofs.down[cell])
    entirely = False
    if demand.outside and count - proofs.down[cell] >= 1:
        # Where it cannot leave the range downwards, nothing less will do.
        entirely = problem.floor >= 1 and demand.below - count >= up
        up = max(up, demand.below - count)
    if up > proofs.up[cell]:
        change = model.move(cell, up, entirely=entirely)
        moved = 0 if change is None else int(change[model.place[cell]])
        _note(problem, proofs, model, change, hide=moved >= up)


def _note(
    problem: Problem,
    proofs: Proofs,
    model: LocalModel,
    change: NDArray[np.int64] | None,
    *,
    hide: bool,
) -> None:
    """Record a change; hide the cells it passes through, or drop it where it needs any."""
    if change is None or not change.any():
        return
    used = model.cells[change != 0]
    fresh = used[~proofs.suppressed[used] & ~problem.missing[used]]
    if len(fresh) and not hide:
        return
    proofs.suppressed[fresh] = True
    proofs.record(model.cells, change)


def drop_needless(problem: Problem, proofs: Proofs, *, most: int = DROPS) -> None:
    """Publish again each secondary cell without which every proof can be replaced.

    Parameters
    ----------
    problem, proofs
        Changed in place.
    most : int
        How many cells are looked at, those of the highest cost first.
    """
    neighbourhoods = Neighbourhoods(problem)
    relative = prices(problem)
    secondary = np.flatnonzero(proofs.suppressed & ~problem.marked)
    order = np.lexsort((secondary, -problem.counts[secondary], -problem.weights[secondary]))
    users = _users(problem, proofs)
    for cell in secondary[order][:most].tolist():
        dependent = [number for number in users.get(cell, ()) if _relies(proofs, number, cell)]
        known = len(proofs.changes)
        if _replace(problem, proofs, neighbourhoods, relative, cell, sorted(dependent)):
            for cells, _ in proofs.changes[known:]:
                for number in cells[problem.sensitive[cells]].tolist():
                    _enlist(proofs, number, users)


def _users(problem: Problem, proofs: Proofs) -> dict[int, set[int]]:
    """Return the sensitive cells whose proofs pass through each cell."""
    users: dict[int, set[int]] = {}
    for number in np.flatnonzero(problem.sensitive).tolist():
        _enlist(proofs, number, users)
    return users


def _changes_of(proofs: Proofs, number: int) -> Iterable[NDArray[np.int64]]:
    for by in (proofs.up_by[number], proofs.down_by[number]):
        if by >= 0:
            yield proofs.changes[by][0]


def _enlist(proofs: Proofs, number: int, users: dict[int, set[int]]) -> None:
    for cells in _changes_of(proofs, number):
        for cell in cells.tolist():
            users.setdefault(cell, set()).add(number)


def _relies(proofs: Proofs, number: int, cell: int) -> bool:
    return any((cells == cell).any() for cells in _changes_of(proofs, number))


def _replace(
    problem: Problem,
    proofs: Proofs,
    neighbourhoods: Neighbourhoods,
    relative: NDArray[np.float64],
    cell: int,
    dependent: list[int],
) -> bool:
    """Publish a cell if the proofs that use it have others; otherwise leave all as it was."""
    kept = (proofs.up.copy(), proofs.down.copy(), proofs.up_by.copy(), proofs.down_by.copy())
    proofs.suppressed[cell] = False
    if not dependent:
        return True
    must = np.array(dependent)
    must = must[proofs.met(must)]
    for reach, by in ((proofs.up, proofs.up_by), (proofs.down, proofs.down_by)):
        lost = [n for n in dependent if by[n] >= 0 and (proofs.changes[by[n]][0] == cell).any()]
        reach[lost], by[lost] = 0, -1
    around = neighbourhoods.around(cell, *NEAR[0])
    hidden = around[proofs.suppressed[around] | problem.missing[around]]
    if np.isin(must, hidden).all():
        model = LocalModel(problem, proofs, hidden, relative)
        if all(cover(problem, proofs, model, number) for number in must.tolist()):
            return True
    proofs.suppressed[cell] = True
    proofs.up[:], proofs.down[:], proofs.up_by[:], proofs.down_by[:] = kept
    return False


def verified(problem: Problem, proofs: Proofs) -> NDArray[np.bool_]:
    """Return, for every cell, whether its proofs hold when checked anew, (n,) bool.

    Trusts nothing of how they were found: each change must keep every equation, touch hidden cells
    alone, leave no hidden cell below the marker's least count, and move the cell as far as claimed.
    """
    good = np.zeros(len(problem.counts), dtype=bool)
    keeps = keeps_equations(problem)
    sound: dict[int, bool] = {}
    cells = np.flatnonzero(problem.sensitive & proofs.suppressed)
    for number in cells[proofs.met(cells)].tolist():
        held = True
        for by, reach in (
            (int(proofs.up_by[number]), int(proofs.up[number])),
            (int(proofs.down_by[number]), -int(proofs.down[number])),
        ):
            if reach == 0:
                continue
            used, values = proofs.changes[by]
            if by not in sound:
                sound[by] = keeps(used, values) and bool(
                    (proofs.suppressed[used] | problem.missing[used]).all()
                )
            unit = int(values[used == number][0])
            moved = values * (reach // unit) if reach % unit == 0 else values * 0
            low = np.where(problem.missing[used], 0, problem.floor - problem.counts[used])
            held &= sound[by] and bool((moved >= low).all()) and reach % unit == 0
        good[number] = held
    return good
