"""What secondary suppression costs and what it withstands: optimum, heuristic, and the naive rule.

Run ``python benchmarks/bench_suppression.py`` from the repository; ``--nation`` adds a table of
35,672 areas, some minutes. All counts are synthetic (gamma-Poisson) and describe nobody.

1. Optimum against heuristic on tables of growing size: secondary cells, their count, seconds.
2. A table of 700 areas by 8 categories with nested margins: the rule "two hidden cells in every
   line", as an attacker sees it, beside ours.
3. Tables the size of a district's yearly table by reason, its own totals public.
4. Controlled rounding of 150 areas by 6 categories at 3 levels.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from declarations.errors import DisclosureError
from governance.disclosure.attacker.examination import Demand, examine
from governance.disclosure.tables.controlled_rounding import controlled_rounding
from governance.disclosure.tables.linked import linked_table
from governance.disclosure.tables.suppression import suppress

DEMAND = Demand(width=4, below=5, outside=True)


def synthetic(areas, categories, mean, *, seed, wards=False, districts=150):
    """A linked table of areas in middle areas (of five) in districts, by category."""
    random = np.random.default_rng(seed)
    counts = random.poisson(random.gamma(1.2, mean / 1.2, size=(areas, categories)))
    number = np.repeat(np.arange(areas), categories)
    frame = pa.table(
        {
            "lsoa21cd": [f"E01{i:06d}" for i in number],
            "msoa21cd": [f"E02{i // 5:06d}" for i in number],
            "lad24cd": [f"E08{i // districts:06d}" for i in number],
            "wd24cd": [f"E05{(i + 2) // 7:06d}" for i in number],
            "reason": np.tile([f"r{c}" for c in range(categories)], areas),
            "n": counts.ravel(),
        }
    )
    chains = [["lsoa21cd", "msoa21cd", "lad24cd"]] + ([["lsoa21cd", "wd24cd"]] if wards else [])
    return linked_table(frame, count="n", hierarchies=chains, categories=["reason"])


def timed(function, *arguments, **settings):
    """Return a result and the seconds it took."""
    start = time.perf_counter()
    result = function(*arguments, **settings)
    return result, time.perf_counter() - start


def verdict(table, hidden):
    """Examine every small cell of a table with these cells hidden."""
    lower = np.where(hidden, 1, table.counts)
    upper = np.where(hidden, np.inf, table.counts)
    targets = np.flatnonzero((table.counts >= 1) & (table.counts < DEMAND.below))
    system = table.system(lower, upper)
    return timed(examine, system, targets, table.counts[targets], DEMAND)


def two_per_line(table):
    """Hide the cheapest cells until no equation holds exactly one hidden cell: the naive rule."""
    hidden = (table.counts >= 1) & (table.counts < DEMAND.below)
    rows = [table.A.indices[a:b] for a, b in zip(table.A.indptr, table.A.indptr[1:], strict=False)]
    changed = True
    while changed:
        changed = False
        for cells in rows:
            if hidden[cells].sum() == 1:
                free = cells[~hidden[cells] & (table.counts[cells] > 0)]
                if len(free):
                    hidden[free[np.argmin(table.counts[free])]] = True
                    changed = True
    return hidden


def optimum_against_heuristic(sizes):
    print("\n1. optimum against heuristic (cost: cells)")
    print("areas x cat.  cells primary | heuristic cells count   s | optimum cells count   s")
    for areas, categories, wards in sizes:
        table = synthetic(areas, categories, 6, seed=1, wards=wards)
        quick, quick_s = timed(suppress, table, DEMAND, method="heuristic")
        line = (
            f"{areas:5} x {categories}{' +w' if wards else '   '} {len(table):7}"
            f" {quick.primary.sum():6} |"
            f" {quick.loss.cells:14} {quick.loss.total:6} {quick_s:5.2f} |"
        )
        try:
            best, best_s = timed(suppress, table, DEMAND, method="optimal")
            print(f"{line} {best.loss.cells:12} {best.loss.total:6} {best_s:5.2f}")
        except DisclosureError:
            print(f"{line} not in time")


def naive_against_ours():
    print("\n2. 700 areas x 8 categories, nested margins: what an attacker makes of it")
    print("rule                 small cells  secondary   exact  too narrow  choice s  audit s")
    for mean in (20, 8):
        table = synthetic(700, 8, mean, seed=2)
        small = (table.counts >= 1) & (table.counts < DEMAND.below)
        ours, ours_s = timed(suppress, table, DEMAND, method="heuristic")
        naive, naive_s = timed(two_per_line, table)
        for name, hidden, seconds in (
            ("two in every line", naive, naive_s),
            ("ours", ours.hidden, ours_s),
        ):
            found, audit_s = verdict(table, hidden)
            exact = (found.reasons == "exact").sum()
            print(
                f"{name:20} {small.sum():11} {(hidden & ~small).sum():10} {exact:7}"
                f" {found.failed.sum() - exact:11} {seconds:9.2f} {audit_s:8.2f}"
            )


def districts():
    print("\n3. a district's year, six reasons, its own totals public (synthetic splits)")
    print("areas  not zero  primary  secondary  still shown  cannot be protected      s")
    for areas, mean in ((134, 0.65), (195, 0.75)):
        table = synthetic(areas, 6, mean, seed=4, districts=areas)
        public = (table.columns["level"] == "lad24cd") | (table.columns["level"] == "total")
        chosen, seconds = timed(suppress, table, DEMAND, published=public)
        inside = ~public & (table.counts > 0)
        print(
            f"{areas:5} {inside.sum():9} {(chosen.primary & inside).sum():8}"
            f" {chosen.secondary.sum():10} {(inside & ~chosen.hidden).sum():12}"
            f" {len(chosen.unprotected):20} {seconds:6.2f}"
        )
    print("measured before with one carrier at a time: Solihull 466, 325, 85, 56, 27;")
    print("Coventry 767, 460, 156, 151 (other splits: orders of magnitude only)")


def rounding():
    print("\n4. controlled rounding to base 5")
    for areas, wards in ((150, False), (150, True), (1719, True)):
        table = synthetic(areas, 6, 3, seed=5, wards=wards)
        rounded, seconds = timed(controlled_rounding, table)
        print(f"{len(table):6} cells: {seconds:.2f} s, {rounded.relaxed.sum()} beyond adjacent")


def large(nation):
    print("\n5. heuristic on large tables (six categories, four levels)")
    for areas in (1719, 35672) if nation else (1719,):
        table = synthetic(areas, 6, 3, seed=6)
        chosen, seconds = timed(suppress, table, DEMAND, method="heuristic")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{len(table):7} cells, {chosen.primary.sum():7} primary,"
            f" {chosen.secondary.sum():6} secondary, {len(chosen.unprotected)} unprotected:"
            f" {seconds:.1f} s, peak {peak:.2f} GB"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nation", action="store_true", help="add a table of 35,672 areas")
    chosen = parser.parse_args()
    optimum_against_heuristic(
        ((6, 3, False), (12, 3, True), (20, 4, False), (40, 4, False), (40, 6, False))
    )
    naive_against_ours()
    districts()
    rounding()
    large(chosen.nation)


if __name__ == "__main__":
    main()
