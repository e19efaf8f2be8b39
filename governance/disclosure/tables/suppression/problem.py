"""What is to be hidden, at what cost, and what counts as protected.

Belongs here: the problem that the optimal method, the heuristic and the repair share, and the loss
by which their results are compared. Does not belong here: any method of solving it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError
from governance.disclosure.tables.linked import LinkedTable

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix

    from governance.disclosure.attacker.examination import Demand

Cost = Literal["cells", "counts", "importance"]
"""What hiding one secondary cell costs: 1, its count, or a declared weight."""


class Loss(NamedTuple):
    """What hiding takes from the reader.

    Attributes
    ----------
    cells : int
        Secondary cells.
    total : int
        Sum of their counts (a count of a margin contains that of its parts).
    cost : float
        Sum of their costs.
    """

    cells: int
    total: int
    cost: float


@dataclass(frozen=True)
class Problem:
    """A table, its sensitive cells, and the cells that may be hidden with them.

    Attributes
    ----------
    counts : (n,) int64
        True counts.
    A, columns : (m, n) sparse
        The equations ``A x = 0`` by rows and by columns.
    marked : (n,) bool
        Cells under the marker from the start: the primary cells, and zeros where they are hidden.
    sensitive : (n,) bool
        Cells whose interval must meet the demand.
    candidates : (n,) bool
        Cells that may become secondary.
    missing : (n,) bool
        Cells of which nobody knows anything.
    weights : (n,) float
        Cost of each cell as a secondary cell, above 0.
    floor : int
        Least count under the marker: 1 where zeros are shown, since then the marker itself says
        that the cell is not empty; 0 where zeros bear it too.
    demand : Demand
    """

    counts: NDArray[np.int64]
    A: csr_matrix
    columns: csc_matrix
    marked: NDArray[np.bool_]
    sensitive: NDArray[np.bool_]
    candidates: NDArray[np.bool_]
    missing: NDArray[np.bool_]
    weights: NDArray[np.float64]
    floor: int
    demand: Demand

    def bounds(
        self, suppressed: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what everybody knows of each cell once these are hidden."""
        exact = self.counts.astype(float)
        lower = np.where(suppressed, float(self.floor), exact)
        upper = np.where(suppressed, np.inf, exact)
        return np.where(self.missing, 0.0, lower), np.where(self.missing, np.inf, upper)

    @property
    def width(self) -> int:
        """Least width of an interval that meets the demand: one count alone never does."""
        return max(self.demand.width, 1)

    def met(self, lowest: NDArray[Any], highest: NDArray[Any]) -> NDArray[np.bool_]:
        """Say which intervals meet the demand."""
        return self.demand.met_by(lowest, highest)

    def loss(self, suppressed: NDArray[np.bool_]) -> Loss:
        """Return what hiding these cells costs beyond those that are marked anyway."""
        secondary = suppressed & ~self.marked
        return Loss(
            int(secondary.sum()),
            int(self.counts[secondary].sum()),
            float(self.weights[secondary].sum()),
        )


def state_problem(
    table: LinkedTable,
    demand: Demand,
    *,
    sensitive: ArrayLike | None = None,
    published: ArrayLike | None = None,
    cost: Cost = "cells",
    importance: ArrayLike | None = None,
    zeros: Literal["shown", "hidden"] = "shown",
) -> Problem:
    """Return the problem of a table.

    Parameters
    ----------
    table : LinkedTable
    demand : Demand
        Counts of 1 to ``below - 1`` are primary, and what every primary cell's interval must meet.
    sensitive : (n,) bool, optional
        Further sensitive cells, e.g. a whole small group in one category.
    published : (n,) bool, optional
        Cells beyond control: published elsewhere or promised. They are never hidden.
    cost, importance
        What a secondary cell costs; ``importance`` holds the (n,) weights, above 0, of that choice.
    zeros : {"shown", "hidden"}
        Whether a true zero is published as such, or bears the marker like a small count.

    Raises
    ------
    DisclosureError
        If masks or weights do not fit the table.
    """
    size = len(table)
    small = (table.counts >= 1) & (table.counts < demand.below) & ~table.missing
    needy = (small | _mask(sensitive, size, "sensitive")) & ~table.missing
    held = _mask(published, size, "published")
    marked = needy & ~held
    if zeros == "hidden":
        marked |= (table.counts == 0) & ~table.missing & ~held
    else:
        marked &= table.counts > 0
    candidates = ~marked & ~held & ~table.missing & (table.counts > 0)
    return Problem(
        counts=table.counts,
        A=table.A,
        columns=table.A.tocsc(),
        marked=marked,
        sensitive=needy,
        candidates=candidates,
        missing=table.missing,
        weights=_weights(table, cost, importance),
        floor=0 if zeros == "hidden" else 1,
        demand=demand,
    )


def _mask(values: ArrayLike | None, size: int, name: str) -> NDArray[np.bool_]:
    if values is None:
        return np.zeros(size, dtype=bool)
    mask = np.asarray(values, dtype=bool)
    if mask.shape != (size,):
        raise DisclosureError(
            f"The mask {name!r} does not have one entry for each of the table's {size} cells",
            "Give a mask of the same table",
        )
    return mask


def _weights(table: LinkedTable, cost: Cost, importance: ArrayLike | None) -> NDArray[np.float64]:
    if cost == "cells":
        return np.ones(len(table))
    if cost == "counts":
        return np.maximum(table.counts, 1).astype(float)
    weights = np.asarray(importance if importance is not None else [], dtype=float)
    if weights.shape != (len(table),) or not (np.isfinite(weights) & (weights > 0)).all():
        raise DisclosureError(
            "The cost 'importance' needs one finite weight above 0 for every cell",
            "Give them, or choose the cost 'cells' or 'counts'",
        )
    return weights
