"""Giving up detail of a table area by area: two areas become one, then the larger area stands.

Belongs here: how the areas of one linked table lie in one another, the steps by which an area is
withheld, and the table with the merged areas as cells of their own. Does not belong here: finding
the cells for whose sake it is done (``protecting.py``), or the releases of a region
(``publishing/``).

A withheld area stays in the equations: whoever knows all of its parent but it knows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.tables.linked import TOTAL, LinkedTable

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MERGED = "merged"
"""Level of an area that two areas make."""

JOINED_BY = "+"
"""Between the codes of a merged area's members."""


class Node(NamedTuple):
    """An area: the column that holds its code, and the code."""

    level: str
    area: str


@dataclass(frozen=True)
class Nesting:
    """How the areas of a table lie in one another.

    Attributes
    ----------
    leaves : mapping of Node to frozenset of str
        The finest areas of each area; of `TOTAL`, all.
    parents : sequence of mapping of Node to Node
        For each hierarchy, the next larger area of each area in it; `TOTAL` at the end.
    """

    leaves: Mapping[Node, frozenset[str]]
    parents: Sequence[Mapping[Node, Node]]


def nesting_of(
    areas: Mapping[str, Sequence[str | None]], hierarchies: Sequence[Sequence[str]]
) -> Nesting:
    """Return the nesting of areas.

    Parameters
    ----------
    areas : mapping of str to sequence
        Columns of one row for each finest area, None where it lies in no area of that column.
    hierarchies : sequence of sequences of str
        Columns from the finest to the coarsest.
    """
    top = Node(TOTAL, TOTAL)
    leaves: dict[Node, set[str]] = defaultdict(set)
    parents: list[dict[Node, Node]] = []
    for chain in hierarchies:
        above: dict[Node, Node] = {}
        for row in zip(*(areas[name] for name in chain), strict=True):
            held = [Node(n, a) for n, a in zip(chain, row, strict=True) if a is not None]
            for node, parent in zip(held, [*held[1:], top], strict=True):
                above[node] = parent
                leaves[node].add(held[0].area)
            leaves[top].add(held[0].area)
        parents.append(above)
    return Nesting({n: frozenset(found) for n, found in leaves.items()}, parents)


@dataclass
class Merging:
    """Which areas are withheld, and what stands for them.

    Attributes
    ----------
    nesting : Nesting
    stands : dict of Node to Node
        Withheld area -> the merged or larger area that is shown; `TOTAL` where none smaller is.
    pairs : dict of Node to (Node, Node)
        Merged areas that are shown, and their two members.
    """

    nesting: Nesting
    stands: dict[Node, Node] = field(default_factory=dict)
    pairs: dict[Node, tuple[Node, Node]] = field(default_factory=dict)

    def step(self, node: Node) -> bool:
        """Give up a little more detail for the sake of one area; False if nothing is left.

        In this order: the area is shown only together with the next one of the same parent; the
        parent stands for all in it; areas of other hierarchies that overlap it are withheld; the
        same for the parent. Which areas are taken depends on codes alone, never on counts.
        """
        if node in self.pairs:
            return self._stand_for(self._parent(self.pairs[node][0]))
        parent = self._parent(node)
        if parent is None:
            return self._stand_for(node) or self._withhold([node], node)
        if node not in self.stands:
            return self._pair(node, parent) or self._stand_for(parent)
        if self.stands[node] in self.pairs and self._stand_for(parent):
            return True
        mine = self.nesting.leaves[node]
        overlapping = [
            other
            for above in self.nesting.parents[1:]
            for other in sorted(above)
            if other.level != node.level and self.nesting.leaves[other] & mine
            and not self._is_above(other, node)
        ]  # fmt: skip
        return self._withhold(overlapping, Node(TOTAL, TOTAL)) or self.step(parent)

    def _parent(self, node: Node) -> Node | None:
        return next((above[node] for above in self.nesting.parents if node in above), None)

    def _is_above(self, other: Node, node: Node) -> bool:
        above: Node | None = node
        while above is not None and above != other:
            above = self._parent(above)
        return above is not None

    def _pair(self, node: Node, parent: Node) -> bool:
        siblings = sorted(
            n for above in self.nesting.parents for n, p in above.items()
            if p == parent and n.level == node.level
        )  # fmt: skip
        free = [n for n in dict.fromkeys(siblings) if n not in self.stands and n != node]
        # Of two areas the pair would be the parent.
        if not free or len(dict.fromkeys(siblings)) < 3:
            return False
        beside = self._other_parents(node)
        after = [n for n in free if n > node] + [n for n in free if n < node]
        # The last key keeps the order of codes from this one on.
        other = next((n for n in after if self._other_parents(n) == beside), after[0])
        first, second = sorted((node, other))
        pair = Node(MERGED, f"{first.area}{JOINED_BY}{second.area}")
        self.pairs[pair] = (first, second)
        self.stands[first] = self.stands[second] = pair
        return True

    def _other_parents(self, node: Node) -> list[Node | None]:
        return [above.get(node) for above in self.nesting.parents[1:]]

    def _stand_for(self, parent: Node | None) -> bool:
        if parent is None:
            return False
        mine = self.nesting.leaves[parent]
        inside = [
            n for n, held in self.nesting.leaves.items()
            if n != parent and held <= mine and not self._is_above(n, parent)
        ]  # fmt: skip
        return self._withhold(inside, parent)

    def _withhold(self, nodes: Sequence[Node], parent: Node) -> bool:
        """Withhold areas, with the pairs they are in; say whether that is anything new."""
        gone = set(nodes)
        new = [n for n in nodes if n not in self.stands or self.stands[n] in self.pairs]
        for pair, members in [*self.pairs.items()]:
            if gone & set(members):
                del self.pairs[pair]
                for member in members:
                    self.stands[member] = parent
        for node in new:
            self.stands[node] = parent
        return bool(new)


def merged_table(table: LinkedTable, merging: Merging) -> LinkedTable:
    """Return a table with the merged areas as further cells, and withheld cells as ``missing``.

    Parameters
    ----------
    table : LinkedTable
        As ``tables.linked_table`` returns it: every area with every combination of categories.

    Returns
    -------
    LinkedTable
        The cells of the table in their order, then those of each merged area.
    """
    if not merging.stands:
        return table
    nodes = nodes_of(table)
    number = {node: i for i, node in enumerate(nodes)}
    wide = len(table) // len(nodes)
    pairs = [(number[a], number[b]) for a, b in merging.pairs.values()]
    columns = {}
    for name, values in table.columns.items():
        grid = values.reshape(len(nodes), wide)
        more = np.repeat(grid[:1], len(pairs), axis=0)
        if name in ("level", "area"):
            for row, pair in zip(more, merging.pairs, strict=True):
                row[:] = pair.level if name == "level" else pair.area
        columns[name] = np.concatenate((grid, more)).ravel()
    counts = with_pairs(table.counts.reshape(len(nodes), wide), pairs)
    unknown = with_pairs(table.missing.reshape(len(nodes), wide).astype(np.int64), pairs) > 0
    unknown[[number[n] for n in merging.stands if n in number]] = True
    missing = unknown.ravel()
    return LinkedTable(
        columns, np.where(missing, 0, counts.ravel()), missing, _equations(table, nodes, pairs)
    )


def nodes_of(table: LinkedTable) -> list[Node]:
    """Return the areas of a table as ``tables.linked_table`` returns it, in their order."""
    levels, areas = table.columns["level"], table.columns["area"]
    found = dict.fromkeys(zip(levels.tolist(), areas.tolist(), strict=True))
    return [Node(level, area) for level, area in found]


def with_pairs(grid: NDArray[np.int64], pairs: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return rows of numbers by area with the sums of each pair of rows below them."""
    if not pairs:
        return grid
    return np.concatenate((grid, np.array([grid[a] + grid[b] for a, b in pairs])))


def _equations(
    table: LinkedTable, nodes: Sequence[Node], pairs: Sequence[tuple[int, int]]
) -> csr_matrix:
    """Return the table's equations, with those of the pairs and of what the pairs are parts of."""
    from scipy.sparse import csr_matrix, identity, kron, vstack  # noqa: PLC0415 - heavy

    wide, size = len(table) // len(nodes), len(nodes) + len(pairs)
    of_areas, of_categories = split_equations(table, len(nodes))
    rows: list[dict[int, float]] = []
    for row in range(of_areas.shape[0]):
        at = slice(of_areas.indptr[row], of_areas.indptr[row + 1])
        said = dict(zip(of_areas.indices[at].tolist(), of_areas.data[at].tolist(), strict=True))
        shorter = dict(said)
        for place, (a, b) in enumerate(pairs):
            if shorter.get(a) == shorter.get(b) == -1.0:
                del shorter[a], shorter[b]
                shorter[len(nodes) + place] = -1.0
        rows.append(shorter)
    rows += [{len(nodes) + i: 1.0, a: -1.0, b: -1.0} for i, (a, b) in enumerate(pairs)]
    pointer = np.concatenate(([0], np.cumsum([len(r) for r in rows], dtype=np.int64)))
    areas = csr_matrix(
        (
            np.array([v for r in rows for v in r.values()], dtype=float),
            np.array([c for r in rows for c in r], dtype=np.int64),
            pointer,
        ),
        shape=(len(rows), size),
    )
    return vstack(
        [
            kron(areas, identity(wide), format="csr"),
            kron(identity(size), of_categories, format="csr"),
        ],
        format="csr",
    )


def split_equations(table: LinkedTable, areas: int) -> tuple[csr_matrix, csr_matrix]:
    """Return the equations among areas, and those among the categories of one area.

    Returns
    -------
    of_areas : (r, areas)
    of_categories : (s, cells of an area)
    """
    wide = len(table) // areas
    matrix = table.A
    area, category = np.divmod(matrix.indices.astype(np.int64), wide)
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    of_first = np.ones(matrix.shape[0], dtype=bool)
    of_first[row[category != 0]] = False
    one_area = np.ones(matrix.shape[0], dtype=bool)
    one_area[row[area != 0]] = False
    first = matrix[np.flatnonzero(of_first & ~one_area)]
    within = matrix[np.flatnonzero(one_area)]
    return first[:, np.arange(areas) * wide].tocsr(), within[:, :wide].tocsr()
