"""Counts by area and category, with every margin, as cells and the equations among them.

Belongs here: turning a long table of counts into all the cells that may be published (every level
of every area hierarchy, every category and its margin), the equations that tie them, the names by
which two tables know that they share a cell, and joining such tables.
Does not belong here: what is published of a cell (``counts.py``), hiding or rounding it
(``suppression/``, ``controlled_rounding.py``), or what an attacker makes of it (``attacker.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError
from governance.disclosure.attacker.system import System, SystemBuilder

if TYPE_CHECKING:
    import pyarrow as pa
    from scipy.sparse import csr_matrix

ALL = "all"
"""What a category column holds in a cell that sums over it."""

TOTAL = "total"
"""Level, and unless named otherwise the area, of a cell that sums over every area."""

IDENTITY = ("measure", "level", "area")
"""The columns of every linked table; the others are its category columns."""


class Cell(NamedTuple):
    """The name of a cell: two tables that hold a cell of one name hold the same count.

    Attributes
    ----------
    measure : str
        What is counted, period included, as the caller names it.
    level, area : str
        Column of the area's codes (its vintage is in it) and the code; `TOTAL` for all areas.
    categories : tuple of (str, str)
        Category columns and values, by column name. A column summed over is left out, so that the
        margins of a table by reason and of a table by age bear the same name.
    """

    measure: str
    level: str
    area: str
    categories: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LinkedTable:
    """All cells of one table or of several that share cells.

    Attributes
    ----------
    columns : mapping of str to (n,) object array
        ``measure``, ``level``, ``area``, then one column per category level; `ALL` in a category
        column says that the cell sums over it.
    counts : (n,) int64
        True counts; 0 where ``missing``. They must not leave the protecting functions.
    missing : (n,) bool
        Cells whose count is not known, and every sum over one. They are never published.
    A : (m, n) scipy.sparse.csr_matrix
        The equations ``A x = 0``: 1 for a whole, -1 for each of its parts.
    """

    columns: Mapping[str, NDArray[np.object_]]
    counts: NDArray[np.int64]
    missing: NDArray[np.bool_]
    A: csr_matrix

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the category columns."""
        return tuple(name for name in self.columns if name not in IDENTITY)

    def keys(self) -> Iterator[Cell]:
        """Yield the name of every cell, in order."""
        names = sorted(self.categories)
        values = zip(*(self.columns[name] for name in names), strict=True)
        rows = values if names else (() for _ in range(len(self)))
        identity = zip(*(self.columns[name] for name in IDENTITY), strict=True)
        for (measure, level, area), row in zip(identity, rows, strict=True):
            held = tuple(pair for pair in zip(names, row, strict=True) if pair[1] != ALL)
            yield Cell(measure, level, area, held)

    def where(self, **values: str) -> NDArray[np.int64]:
        """Return the numbers of the cells with these column values (``level=``, ``area=``, ...)."""
        held = np.ones(len(self), dtype=bool)
        for name, value in values.items():
            held &= self.columns[name] == value
        return np.flatnonzero(held)

    def system(self, lower: ArrayLike, upper: ArrayLike) -> System:
        """Return what is known when each cell is known to lie within the bounds.

        Parameters
        ----------
        lower, upper : (n,) array-like
            For a published exact cell both are its count. Cells ``missing`` are freed whatever the
            bounds say: nobody is told anything of them.
        """
        low = np.where(self.missing, 0.0, np.asarray(lower, dtype=float))
        high = np.where(self.missing, np.inf, np.asarray(upper, dtype=float))
        return System(low, high, self.A, np.zeros(self.A.shape[0]))

    def tell(self, builder: SystemBuilder, lower: ArrayLike, upper: ArrayLike) -> NDArray[np.int64]:
        """Add the same to a builder under the cells' names; return their numbers there, (n,)."""
        known = self.system(lower, upper)
        numbers = np.fromiter(
            (
                builder.count(key, low, high)
                for key, low, high in zip(
                    self.keys(), known.lower.tolist(), known.upper.tolist(), strict=True
                )
            ),
            np.int64,
            len(self),
        )
        pointer, members, values = self.A.indptr, numbers[self.A.indices], self.A.data
        for start, stop in pairwise(pointer):
            row = zip(members[start:stop].tolist(), values[start:stop].tolist(), strict=True)
            builder.equation(dict(row), 0.0)
        return numbers

    def frame(self) -> pa.Table:
        """Return the identifying columns of the cells, without their counts, as an Arrow table."""
        import pyarrow as pa  # noqa: PLC0415 - heavy

        return pa.table({name: pa.array(values) for name, values in self.columns.items()})


@dataclass(frozen=True)
class _Dimension:
    """The nodes along one dimension: its leaves, the groups above them, their total.

    ``columns`` names each node; ``gather`` (nodes, leaves) sums leaves to nodes; ``equations``
    (rows, nodes) holds 1 for a whole and -1 for its parts; ``leaves`` (rows of the frame,) says
    which leaf each row belongs to.
    """

    columns: Mapping[str, NDArray[np.object_]]
    gather: csr_matrix
    equations: csr_matrix
    leaves: NDArray[np.int64]


def linked_table(
    frame: Any,
    *,
    count: str,
    hierarchies: Sequence[Sequence[str]] = (),
    categories: Sequence[str] = (),
    measure: str = "count",
    total: str | None = TOTAL,
    absent_is_zero: bool = True,
) -> LinkedTable:
    """Return every cell of a long table of counts, and the equations among them.

    Parameters
    ----------
    frame : pyarrow.Table or pandas.DataFrame
        One row per finest area and combination of categories; rows of the same cell are summed.
    count : str
        Column of the counts: whole numbers, not negative, null where the count is missing.
    hierarchies : sequence of sequences of str
        Columns from the finest to the coarsest, e.g. ``["lsoa21cd", "msoa21cd", "lad24cd"]`` and
        ``["lsoa21cd", "wd24cd"]``. Within one hierarchy every area must lie in one area of the next
        column; areas that do not nest are hierarchies of their own. A null says that the area lies
        in no area of that column. One that begins with a category groups that category's values.
    categories : sequence of str
        Category columns; every combination of their values and of `ALL` becomes a cell.
    measure : str
        Name of what is counted. Tables of one measure share the cells of one name.
    total : str, optional
        Name of the area that sums all areas; None for a table that shows no such cell.
    absent_is_zero : bool
        Whether a combination without a row is a count of 0; otherwise it is missing.

    Raises
    ------
    DisclosureError
        If a column is absent, a count is no count, or a hierarchy does not nest.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    data = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame)
    chains = [list(chain) for chain in hierarchies]
    _require_columns(data, [count, *categories, *(name for chain in chains for name in chain)])
    of_areas = [chain for chain in chains if chain[0] not in categories]
    dimensions = [_area_dimension(data, of_areas, total)]
    for name in categories:
        grouped = [chain for chain in chains if chain[0] == name] or [[name]]
        dimensions.append(_category_dimension(data, grouped))
    counts, missing = _leaf_counts(data, count, dimensions, absent_is_zero=absent_is_zero)
    return _product(dimensions, counts, missing, measure)


def join(tables: Sequence[LinkedTable]) -> LinkedTable:
    """Return several tables as one: cells of one name become one cell.

    The order of cells is that of their first appearance.

    Raises
    ------
    DisclosureError
        If two tables give one cell two counts.
    """
    from scipy.sparse import csr_matrix, vstack  # noqa: PLC0415 - heavy

    index: dict[Cell, int] = {}
    places = [
        np.fromiter((index.setdefault(key, len(index)) for key in table.keys()), np.int64)  # noqa: SIM118 - not a mapping
        for table in tables
    ]
    size = len(index)
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    columns = {name: np.full(size, ALL, dtype=object) for name in names}
    counts = np.zeros(size, dtype=np.int64)
    missing = np.ones(size, dtype=bool)
    rows = []
    for table, at in zip(tables, places, strict=True):
        for name, values in table.columns.items():
            columns[name][at] = values
        shared = ~missing[at] & ~table.missing
        different = int((counts[at][shared] != table.counts[shared]).sum())
        if different:
            raise DisclosureError(
                f"Tables that are to be joined disagree on {different} cells they share",
                "Give totals of different coverage different names, and measures likewise",
            )
        known = at[~table.missing]
        counts[known] = table.counts[~table.missing]
        missing[known] = False
        matrix = table.A
        shape = (matrix.shape[0], size)
        rows.append(csr_matrix((matrix.data, at[matrix.indices], matrix.indptr), shape=shape))
    return LinkedTable(columns, counts, missing, _without_repeats(vstack(rows, format="csr")))


def _require_columns(data: pa.Table, names: Sequence[str]) -> None:
    absent = sorted({name for name in names if name not in data.column_names})
    if absent:
        raise DisclosureError(
            f"The table has no column {', '.join(repr(name) for name in absent)}",
            "Name columns that it has as hierarchy, category and count",
        )
    reserved = sorted({name for name in names if name in IDENTITY})
    if reserved:
        raise DisclosureError(
            f"The table's column {', '.join(repr(name) for name in reserved)} bears a name that "
            "linked tables use themselves",
            "Rename the column",
        )


def _coded(data: pa.Table, name: str) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return each row's value as a number (-1 for null), and the values in their order."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    encoded = data[name].cast(pa.string()).combine_chunks().dictionary_encode()
    values = np.array(encoded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(values)
    rank = np.empty(len(values) + 1, dtype=np.int64)
    rank[order] = np.arange(len(values))
    rank[-1] = -1
    numbers = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return rank[numbers], values[order]


def _area_dimension(data: pa.Table, chains: list[list[str]], total: str | None) -> _Dimension:
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - heavy

    if not chains:
        columns = {
            "level": np.array([TOTAL], dtype=object),
            "area": np.array([total or TOTAL], dtype=object),
        }
        single = csr_matrix(np.ones((1, 1)))
        return _Dimension(columns, single, csr_matrix((0, 1)), np.zeros(len(data), np.int64))
    levels, gather, equations, leaves = _hierarchy(data, chains, top=total is not None)
    columns = {
        "level": np.concatenate(
            [np.full(len(codes), name, dtype=object) for name, codes in levels]
            + ([np.array([TOTAL], dtype=object)] if total is not None else [])
        ),
        "area": np.concatenate(
            [codes for _, codes in levels]
            + ([np.array([total], dtype=object)] if total is not None else [])
        ),
    }
    return _Dimension(columns, gather, equations, leaves)


def _category_dimension(data: pa.Table, chains: list[list[str]]) -> _Dimension:
    levels, gather, equations, leaves = _hierarchy(data, chains, top=True)
    columns = {}
    start = 0
    for name, codes in levels:
        if ALL in codes:
            raise DisclosureError(
                f"The category column {name!r} holds {ALL!r} as a value, the name of its margin",
                "Leave margins out of the table: they are added up here",
            )
        column = np.full(gather.shape[0], ALL, dtype=object)
        column[start : start + len(codes)] = codes
        columns[name] = column
        start += len(codes)
    return _Dimension(columns, gather, equations, leaves)


def _hierarchy(
    data: pa.Table, chains: list[list[str]], *, top: bool
) -> tuple[
    list[tuple[str, NDArray[np.object_]]],
    csr_matrix,
    csr_matrix,
    NDArray[np.int64],
]:
    """Return levels with their codes, gather, equations, and the leaf of each row."""
    from scipy.sparse import csr_matrix, vstack  # noqa: PLC0415 - heavy

    leaf = chains[0][0]
    if any(chain[0] != leaf for chain in chains):
        raise DisclosureError(
            f"The area hierarchies do not all begin with the column {leaf!r}",
            "Begin each with the finest areas; tables of other finest areas are joined afterwards",
        )
    leaves, codes = _coded(data, leaf)
    if (leaves < 0).any():
        raise DisclosureError(
            f"The column {leaf!r} is empty in {int((leaves < 0).sum())} rows",
            "Count them under a code of their own, or leave them out of this table",
        )
    levels = [(leaf, codes)]
    members = {leaf: np.arange(len(codes))}
    size = len(codes)
    for name in dict.fromkeys(name for chain in chains for name in chain[1:]):
        groups, codes = _coded(data, name)
        of_leaf = np.full(len(members[leaf]), -1, dtype=np.int64)
        of_leaf[leaves] = groups
        _require_nesting(int((of_leaf[leaves] != groups).sum()), leaf, name)
        levels.append((name, codes))
        members[name] = np.where(of_leaf < 0, -1, of_leaf + size)
        size += len(codes)
    if top:
        members[""] = np.full(len(members[leaf]), size, dtype=np.int64)
        size += 1
    inside = [(nodes[nodes >= 0], np.flatnonzero(nodes >= 0)) for nodes in members.values()]
    at = tuple(np.concatenate(part) for part in zip(*inside, strict=True))
    gather = csr_matrix((np.ones(len(at[0])), at), shape=(size, len(members[leaf])))
    blocks = [_chain_equations(chain, members, size, first=chain is chains[0]) for chain in chains]
    return levels, gather, _without_repeats(vstack(blocks, format="csr")), leaves


def _require_nesting(broken: int, fine: str, coarse: str) -> None:
    if broken:
        raise DisclosureError(
            f"Areas of the column {fine!r} lie in more than one area of the column {coarse!r} "
            f"({broken} rows)",
            f"Give {coarse!r} as a hierarchy of its own above the finest areas",
        )


def _chain_equations(
    chain: list[str], members: dict[str, NDArray[np.int64]], size: int, *, first: bool
) -> csr_matrix:
    """Return one row per whole of one hierarchy: the whole less the nodes next below it."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - heavy

    names = [*chain, *([""] if "" in members else [])]
    part, whole = [], []
    loose = False
    for i, name in enumerate(names[:-1]):
        of_leaf = members[name]
        held = of_leaf >= 0
        parent = np.full(len(of_leaf), -1, dtype=np.int64)
        for above in names[i + 1 :]:
            parent = np.where(parent < 0, members[above], parent)
        of_node = np.full(size, -1, dtype=np.int64)
        of_node[of_leaf[held]] = parent[held]
        broken = int((of_node[of_leaf[held]] != parent[held]).sum())
        _require_nesting(broken, name, names[i + 1])
        nodes = np.unique(of_leaf[held])
        part.append(nodes)
        whole.append(of_node[nodes])
        loose |= bool(i + 2 < len(names) and (parent[held] == size - 1).any() and "" in members)
    parts = np.concatenate([*part, np.empty(0, np.int64)])
    wholes = np.concatenate([*whole, np.empty(0, np.int64)])
    # Areas that cover only some of the leaves say nothing of the total that the first hierarchy
    # does not say already.
    kept = wholes >= 0
    if loose and not first:
        kept &= wholes != size - 1
    parts, wholes = parts[kept], wholes[kept]
    heads, rows = np.unique(wholes, return_inverse=True)
    data = np.concatenate((np.ones(len(heads)), -np.ones(len(parts))))
    at = (np.concatenate((np.arange(len(heads)), rows)), np.concatenate((heads, parts)))
    return csr_matrix((data, at), shape=(len(heads), size))


def _leaf_counts(
    data: pa.Table, count: str, dimensions: Sequence[_Dimension], *, absent_is_zero: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the counts and the missing marks of every combination of leaves."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    column = data[count]
    given = column.is_valid().to_numpy()
    try:
        values = column.cast(pa.int64()).fill_null(0).to_numpy()
    except pa.ArrowInvalid as error:
        raise DisclosureError(
            f"The column {count!r} does not hold whole numbers only", "Give counts, not rates"
        ) from error
    if (values < 0).any():
        raise DisclosureError(
            f"The column {count!r} holds {int((values < 0).sum())} negative numbers", "Give counts"
        )
    shape = tuple(d.gather.shape[1] for d in dimensions)
    place = np.ravel_multi_index(tuple(d.leaves for d in dimensions), shape)
    size = int(np.prod(shape))
    counts = np.bincount(place, weights=values, minlength=size)
    missing = np.bincount(place, weights=~given, minlength=size)
    if not absent_is_zero:
        missing += np.bincount(place, minlength=size) == 0
    return counts.reshape(shape), missing.reshape(shape)


def _product(
    dimensions: Sequence[_Dimension],
    counts: NDArray[np.float64],
    missing: NDArray[np.float64],
    measure: str,
) -> LinkedTable:
    """Return the cells of all combinations of nodes: sums and equations along each dimension."""
    from scipy.sparse import identity, kron, vstack  # noqa: PLC0415 - heavy

    for axis, dimension in enumerate(dimensions):
        counts, missing = (_along(dimension.gather, values, axis) for values in (counts, missing))
    shape = counts.shape
    columns = {"measure": np.full(counts.size, measure, dtype=object)}
    blocks = []
    for axis, dimension in enumerate(dimensions):
        before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
        for name, values in dimension.columns.items():
            columns[name] = np.tile(np.repeat(values, after), before)
        inner = kron(dimension.equations, identity(after), format="csr")
        blocks.append(kron(identity(before), inner, format="csr"))
    hidden = missing.ravel() > 0
    whole = np.where(hidden, 0, counts.ravel()).astype(np.int64)
    return LinkedTable(columns, whole, hidden, vstack(blocks, format="csr"))


def _along(gather: csr_matrix, values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    moved = np.moveaxis(values, axis, 0)
    summed = gather @ moved.reshape(moved.shape[0], -1)
    return np.moveaxis(summed.reshape((gather.shape[0], *moved.shape[1:])), 0, axis)


def _without_repeats(matrix: csr_matrix) -> csr_matrix:
    """Return the matrix without rows that say what an earlier row says."""
    matrix.sort_indices()
    seen: dict[bytes, int] = {}
    pointer = matrix.indptr
    for row, (start, stop) in enumerate(pairwise(pointer)):
        text = matrix.indices[start:stop].tobytes() + matrix.data[start:stop].tobytes()
        seen.setdefault(text, row)
    return matrix if len(seen) == matrix.shape[0] else matrix[list(seen.values())]
