"""The links between areas that have a figure, as arrays and as spatial weights.

Belongs here: leaving out areas without a figure, and counting what each area has left. Does not
belong here: finding neighbours (``geography/boundaries/neighbours.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from declarations.errors import LsoalinkError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from libpysal.graph import Graph
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Links:
    """Areas with a figure and which of them are neighbours.

    Attributes
    ----------
    codes : ndarray of object, shape (n,)
        Ascending.
    first, second : ndarray of int64, shape (m,)
        Positions in ``codes``: the second is a neighbour of the first. Each pair once, ascending by
        first and then by second, never an area and itself.
    """

    codes: NDArray[np.object_]
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    @property
    def number(self) -> NDArray[np.int64]:
        """Neighbours of each area, shape (n,)."""
        return np.bincount(self.first, minlength=len(self.codes)).astype(np.int64)

    def graph(self) -> Graph:
        """Return the links as binary spatial weights of libpysal; an area without any is isolated.

        ``.transform("r")`` gives each area's neighbours a weight of 1 in sum.
        """
        from libpysal.graph import Graph  # noqa: PLC0415 (heavy)

        alone = np.flatnonzero(self.number == 0)
        # libpysal writes an area without links as a link to itself of weight 0.
        first = np.concatenate([self.first, alone])
        second = np.concatenate([self.second, alone])
        weights = np.concatenate([np.ones(len(self.first)), np.zeros(len(alone))])
        order = np.lexsort([second, first])
        # Positions in place of codes: libpysal keeps them in the order of the figures.
        return Graph.from_arrays(first[order], second[order], weights[order])


def links_between(codes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Links:
    """Return the links between areas.

    Parameters
    ----------
    codes : iterable of str
        The areas that have a figure, each once, in any order.
    pairs : iterable of (str, str)
        An area and its neighbour. Pairs with an area that has no figure, of an area with itself,
        and repeated ones are left out; a pair counts one way, from the first to the second.

    Returns
    -------
    Links

    Raises
    ------
    LsoalinkError
        If an area is named twice.
    """
    named = np.array(sorted(codes), dtype=object)
    place = {code: i for i, code in enumerate(named.tolist())}
    if len(place) != len(named):
        raise LsoalinkError(
            f"{len(named) - len(place)} areas have two figures", "Give one figure to each area"
        )
    found = sorted({(place[a], place[b]) for a, b in pairs if a != b and a in place and b in place})
    ends = np.array(found, dtype=np.int64).reshape(-1, 2)
    return Links(codes=named, first=ends[:, 0].copy(), second=ends[:, 1].copy())
