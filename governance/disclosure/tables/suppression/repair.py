"""Asking the attacker, and hiding more for every cell that does not stand up to the attack.

Belongs here: the loop of attack and repair that ends when no cell fails that can be protected.
Does not belong here: the attack (``attacker.py``), or the choice of cells (``heuristic.py``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.attacker.intervals import feasible_intervals
from governance.disclosure.tables.suppression.heuristic import cover
from governance.disclosure.tables.suppression.optimal import components
from governance.disclosure.tables.suppression.patterns import LocalModel, Proofs, prices
from governance.disclosure.tables.suppression.problem import Problem


class Repaired(NamedTuple):
    """What became of the cells that had no proof.

    Attributes
    ----------
    unprotected : (u,) int64
        Cells that no choice of secondary cells within control protects.
    attacked : int
        How many attacks were made.
    """

    unprotected: NDArray[np.int64]
    attacked: int


def repair(problem: Problem, proofs: Proofs, *, workers: int = 1) -> Repaired:
    """Attack every sensitive cell without a proof, and protect those that fail.

    A cell is given up only if it fails with every cell of its component to choose from.

    Parameters
    ----------
    problem : Problem
    proofs : Proofs
        More cells are hidden in it where that protects a failing cell, and the proofs added.
    workers : int
        Processes for the attack.
    """
    waiting = proofs.unproven()
    lost = waiting[~problem.marked[waiting]].tolist()
    waiting = waiting[problem.marked[waiting]]
    if not len(waiting):
        return Repaired(np.array(lost, dtype=np.int64), 0)
    lower, upper = problem.bounds(proofs.suppressed)
    zero = np.zeros(problem.A.shape[0])
    found = feasible_intervals(lower, upper, problem.A, zero, waiting, workers=workers)
    safe = problem.met(found.lower, found.upper)
    relative = prices(problem)
    groups = components(problem)
    of_cell = np.full(len(problem.counts), -1, dtype=np.int64)
    for number, group in enumerate(groups):
        of_cell[group] = number
    # Those that fail come first: what is hidden for them may serve as proof for the others.
    order = np.concatenate((waiting[~safe], waiting[safe]))
    for number in dict.fromkeys(of_cell[order].tolist()):
        model = LocalModel(problem, proofs, groups[number], relative)
        for cell in order[of_cell[order] == number].tolist():
            if not cover(problem, proofs, model, cell):
                lost.append(cell)
    # A cell given up early may be protected by what was hidden for another.
    left = np.array(sorted(lost), dtype=np.int64)
    return Repaired(left[~proofs.met(left)], len(waiting))
