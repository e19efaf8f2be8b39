"""The one entrance: a table and a demand in, the cells to hide out.

Belongs here: choosing the method for each part of the table and putting the parts together.
Does not belong here: the methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError
from governance.disclosure.tables.suppression.heuristic import drop_needless, protect, verified
from governance.disclosure.tables.suppression.optimal import (
    BRIEF,
    THOROUGH,
    cheapest,
    components,
    prove,
    unsafe,
)
from governance.disclosure.tables.suppression.patterns import Proofs
from governance.disclosure.tables.suppression.problem import Cost, Loss, Problem, state_problem
from governance.disclosure.tables.suppression.repair import repair

if TYPE_CHECKING:
    from governance.disclosure.attacker.examination import Demand
    from governance.disclosure.tables.linked import LinkedTable

Method = Literal["auto", "optimal", "heuristic"]

OPTIMAL_CELLS = 120
"""With ``auto``, components with at most so many candidates are solved to the optimum."""


@dataclass(frozen=True)
class Suppression:
    """The cells of a linked table to be hidden, all under one marker.

    Attributes
    ----------
    primary, secondary : (n,) bool
        Cells hidden for their own count (zeros among them where they are hidden) and for others'
        sake. Which is which must not be published.
    unprotected : (u,) int64
        Sensitive cells that no hiding within control protects: the demand is not met there. They
        must be coarsened, or the published cells around them withdrawn.
    loss : Loss
        Of the secondary cells.
    method : {"optimal", "heuristic"}
        ``optimal`` only if every part of the table is proven to cost least.
    attacked : int
        Cells for which the attacker was asked; the others are protected by a table of counts that
        was found and checked anew.
    """

    primary: NDArray[np.bool_]
    secondary: NDArray[np.bool_]
    unprotected: NDArray[np.int64]
    loss: Loss
    method: str
    attacked: int

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """All cells under the marker."""
        return self.primary | self.secondary


def suppress(
    table: LinkedTable,
    demand: Demand,
    *,
    sensitive: ArrayLike | None = None,
    published: ArrayLike | None = None,
    cost: Cost = "cells",
    importance: ArrayLike | None = None,
    zeros: Literal["shown", "hidden"] = "shown",
    method: Method = "auto",
    workers: int = 1,
) -> Suppression:
    """Choose the cells to hide so that each sensitive cell's interval meets the demand.

    The attacker is taken to know every published count, all equations, the rule, and that a hidden
    cell is at least 1 where zeros are shown; nothing bounds it from above, since small and large
    counts bear one marker.

    Parameters
    ----------
    table : LinkedTable
        One table, or several joined.
    demand : Demand
        Counts of 1 to ``below - 1`` are sensitive; interval width, and whether it must leave them.
    sensitive : (n,) bool, optional
        Further sensitive cells.
    published : (n,) bool, optional
        Cells that are public whatever is decided here, e.g. a ministry's totals.
    cost : {"cells", "counts", "importance"}
        What a secondary cell costs: 1, its count, or its weight in ``importance``.
    importance : (n,) float, optional
    zeros : {"shown", "hidden"}
        Whether true zeros are published; shown zeros are never hidden.
    method : {"auto", "optimal", "heuristic"}
        ``optimal`` insists on a proven optimum; ``auto`` seeks it in parts with at most
        `OPTIMAL_CELLS` candidates.
    workers : int
        Processes for attacks.

    Returns
    -------
    Suppression

    Raises
    ------
    DisclosureError
        If masks do not fit, ``optimal`` was asked of a table too large for it, or a result does not
        stand up to its own check.
    """
    problem = state_problem(
        table,
        demand,
        sensitive=sensitive,
        published=published,
        cost=cost,
        importance=importance,
        zeros=zeros,
    )
    proofs = protect(problem)
    repaired = repair(problem, proofs, workers=workers)
    drop_needless(problem, proofs)
    exact = method != "heuristic" and _improve(problem, proofs, method)
    unproven = np.flatnonzero(problem.sensitive & ~verified(problem, proofs))
    if not np.isin(unproven, repaired.unprotected).all():
        raise DisclosureError(
            "Hidden cells were found that did not stand up to the check of their own protection",
            "Do not publish this table; report how it was made",
        )
    return Suppression(
        primary=problem.marked,
        secondary=proofs.suppressed & ~problem.marked,
        unprotected=unproven,
        loss=problem.loss(proofs.suppressed),
        method="optimal" if exact else "heuristic",
        attacked=repaired.attacked,
    )


def _improve(problem: Problem, proofs: Proofs, method: Method) -> bool:
    """Solve the small parts to the optimum; say whether that was all of them."""
    every = True
    for group in components(problem):
        free = group[problem.candidates[group]]
        if method == "auto" and len(free) > OPTIMAL_CELLS:
            every = False
            continue
        needy = group[problem.sensitive[group] & problem.marked[group]]
        needy = np.setdiff1d(needy, unsafe(problem, group, free, needy))
        best = cheapest(problem, group, needy, THOROUGH if method == "optimal" else BRIEF)
        if best is None and method == "optimal":
            raise DisclosureError(
                f"The cheapest hiding of a part of {len(group)} cells was not found in time",
                "Choose the method 'auto' or 'heuristic' for this table",
            )
        if best is None:
            every = False
        elif problem.weights[best].sum() < problem.weights[free[proofs.suppressed[free]]].sum():
            proofs.replace(group, best)
            prove(problem, proofs, group, needy)
    return every
