"""Small tables for the tests of linked tables, and what brute force says of them."""

import itertools

import numpy as np
import pyarrow as pa

from governance.disclosure.tables.linked import ALL, TOTAL, linked_table


def areas_by_reason(counts, groups=(), **settings):
    """A table of areas (rows) by reasons (columns), with groups: name -> code of each area."""
    counts = np.asarray(counts)
    areas, reasons = counts.shape
    columns = {
        "lsoa21cd": np.repeat([f"E0100000{i}" for i in range(areas)], reasons),
        "reason": np.tile([f"r{i}" for i in range(reasons)], areas),
        "n": counts.ravel(),
    }
    for name, codes in dict(groups).items():
        columns[name] = pa.array([code for code in codes for _ in range(reasons)], pa.string())
    chains = [["lsoa21cd", name] for name in dict(groups)] or [["lsoa21cd"]]
    return linked_table(
        pa.table(columns), count="n", hierarchies=chains, categories=["reason"], **settings
    )


def areas_alone(counts, groups=(), **settings):
    """A table of the totals of areas, with groups: name -> code of each area."""
    columns = {"lsoa21cd": [f"E0100000{i}" for i in range(len(counts))], "n": counts}
    for name, codes in dict(groups).items():
        columns[name] = pa.array(codes, pa.string())
    chains = [["lsoa21cd", name] for name in dict(groups)] or [["lsoa21cd"]]
    return linked_table(pa.table(columns), count="n", hierarchies=chains, **settings)


def cell(table, **values):
    """The number of the one cell with these values; columns not named are margins."""
    wanted = dict.fromkeys(table.categories, ALL) | {"level": TOTAL, "area": TOTAL} | values
    (number,) = table.where(**wanted)
    return int(number)


def gathering(table, leaves):
    """Which leaves each cell sums, by solving the equations downwards: (n, leaves) whole."""
    made = np.zeros((len(table), len(leaves)))
    made[leaves, np.arange(len(leaves))] = 1
    known = np.zeros(len(table), dtype=bool)
    known[leaves] = True
    rows = table.A.toarray()
    while not known.all():
        for row in rows:
            (whole,) = np.flatnonzero(row > 0)
            parts = np.flatnonzero(row < 0)
            if not known[whole] and known[parts].all():
                made[whole] = made[parts].sum(axis=0)
                known[whole] = True
    return made.astype(np.int64)


class BruteForce:
    """All whole-number tables that could have been, as far as counts matter for a demand."""

    def __init__(self, table, leaves, extra):
        counts = table.counts
        ranges = [range(int(counts[leaf]) + extra + 1) for leaf in leaves]
        grid = np.array(list(itertools.product(*ranges)), dtype=np.int64)
        self.tables = grid @ gathering(table, leaves).T
        self.same = self.tables == counts
        self.filled = self.tables >= 1

    def intervals(self, hidden, targets, *, floor=1):
        """Lowest and highest possible count of each target."""
        held = self.same[:, ~hidden].all(axis=1)
        if floor:
            held &= self.filled[:, hidden].all(axis=1)
        possible = self.tables[held][:, targets]
        return possible.min(axis=0), possible.max(axis=0)
