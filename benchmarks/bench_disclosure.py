"""Protecting and auditing a region and a nation: seconds, memory, and cost against size.

Run ``python benchmarks/bench_disclosure.py`` from the repository for the 1,719 neighbourhoods of
the West Midlands; with ``--nation`` for the 35,672 of England and Wales; with ``--districts 5 10 20
40 --plot docs/methodology/disclosure-scaling.svg`` for cost against size. Counts by six groups of
reasons at four levels (LSOA, MSOA, district, region): the published totals of each district (a
quarter, four times for a year), or the mean of all for those that gave none, split over its
neighbourhoods by gamma weights. Everybody knows the districts' totals exactly.

Because they do, no count of one district says anything of another, and each is protected by itself:
``protect_table``, with every attack that takes. Then everything is attacked once more as one
system, regions included. Memory is that of all processes together, measured while it runs; where
other programs were at work (see the load), the seconds of processor time tell more than the others.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

# One thread for each process: those of linear algebra would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from leak_tables import COLUMNS, GROUPS, NoOpenDataError, open_data, read_areas, read_margins, split
from released_tables import audit, release

from governance.disclosure.attacker.system import System
from governance.disclosure.counts import bounds_of, protect_all
from governance.disclosure.profiles import profile

WEST_MIDLANDS = tuple(f"E080000{number}" for number in range(25, 32))
PROFILE = "hide0-r5"
TIMES = {"quarter": 1, "year": 4}
SEED = 20_251_231
CELLS = len(GROUPS) + 1


class Memory:
    """Peak resident memory of this process and all it started, in bytes, while in a ``with``."""

    def __enter__(self):
        self.peak = 0
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._watcher.join()

    def _watch(self):
        while not self._over.wait(0.2):
            self.peak = max(self.peak, self._now())

    def _now(self):
        parent, pages = {}, {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
            except OSError:
                continue
            parent[int(folder.name)] = int(stat[1])
        ours = {os.getpid()}
        # Children are numbered after their parents, but for a wrap: two passes do.
        for _ in range(2):
            ours |= {child for child, of in parent.items() if of in ours}
        return sum(pages.get(pid, 0) for pid in ours) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """What one run took, and what it found.

    Attributes
    ----------
    areas, cells, small, found, known_otherwise, nothing : int
        The last: districts of which no cell can be published.
    withheld : float
        Per cent of the cells of neighbourhoods and MSOAs.
    protecting, auditing, processor : float
        Seconds, the last of processor time in all processes.
    slowest : (float, str)
        Seconds of the district that took longest, and its code.
    """

    areas: int
    cells: int
    small: int
    found: int
    known_otherwise: int
    nothing: int
    withheld: float
    protecting: float
    auditing: float
    processor: float
    slowest: tuple[float, str]

    @property
    def seconds(self):
        return self.protecting + self.auditing


def counts_of(areas, margins, times):
    """Yield each district's areas and counts, the largest first."""
    mean = sum(margins.values()) / sum(int((areas.lad == code).sum()) for code in margins)
    codes, sizes = np.unique(areas.lad.astype(str), return_counts=True)
    for code, size in sorted(zip(codes.tolist(), sizes.tolist(), strict=True), key=lambda x: -x[1]):
        rng = np.random.default_rng([SEED, int(code[1:])])
        totals = margins[code] if code in margins else rng.poisson(mean * size)
        yield code, areas.within(areas.lad == code), split(totals * times, size, rng)


def protect_district(task):
    """Protect one district; return its code, its release, and the seconds."""
    code, areas, counts = task
    start = time.perf_counter()
    return code, release(areas, counts, profile(PROFILE)), time.perf_counter() - start


def joined(parts, region_of):
    """Return everything released as one system, with what is public and what is small in it.

    Parameters
    ----------
    parts : list of (str, Released)
    region_of : dict of str to str
    """
    from scipy.sparse import block_diag, csr_matrix, hstack, vstack

    starts = np.concatenate(([0], np.cumsum([len(part.system.lower) for _, part in parts])))
    regions = sorted(set(region_of.values()))
    width = int(starts[-1]) + len(regions) * CELLS
    rows, columns, truth = [], [], np.zeros(len(regions) * CELLS)
    for (code, part), start in zip(parts, starts, strict=False):
        # The district's own cells are the public ones.
        at = np.flatnonzero(part.public)
        row = regions.index(region_of[code]) * CELLS + np.arange(CELLS)
        rows.append(row)
        columns.append(start + at)
        truth[row] += part.system.lower[at]
    number = np.arange(len(truth))
    sums = csr_matrix(
        (
            np.concatenate((np.ones(len(number)), -np.ones(sum(map(len, rows))))),
            (
                np.concatenate((number, *rows)),
                np.concatenate((starts[-1] + number, *columns)),
            ),
        ),
        shape=(len(number), width),
    )
    within = block_diag([part.system.A for _, part in parts], format="csr")
    within = hstack([within, csr_matrix((within.shape[0], len(number)))], format="csr")
    chosen = profile(PROFILE)
    lower, upper = bounds_of(*protect_all(truth, chosen), chosen)
    matrix = vstack([within, sums], format="csr")
    system = System(
        np.concatenate([*(part.system.lower for _, part in parts), lower]),
        np.concatenate([*(part.system.upper for _, part in parts), upper]),
        matrix,
        np.zeros(matrix.shape[0]),
    )
    public = np.concatenate([*(part.public for _, part in parts), np.zeros(len(number), bool)])
    places = np.concatenate(
        [part.places + start for (_, part), start in zip(parts, starts, strict=False)]
    )
    return system, public, places, np.concatenate([part.truth for _, part in parts])


def processor_time():
    """Return seconds this process and its ended children have worked."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def run(areas, margins, times, workers):
    """Protect and audit; return the `Cost`."""
    start, worked = time.perf_counter(), processor_time()
    parts, slowest = [], (0.0, "")
    with get_context("spawn").Pool(workers) as pool:
        tasks = counts_of(areas, margins, times)
        for code, part, seconds in pool.imap_unordered(protect_district, tasks):
            parts.append((code, part))
            slowest = max(slowest, (seconds, code))
    parts.sort(key=lambda part: part[0])
    protected = time.perf_counter()
    region_of = dict(zip(areas.lad, areas.region, strict=True))
    system, public, places, truth = joined(parts, region_of)
    verdict = audit(system, public, places, truth, profile(PROFILE), workers=workers)
    return Cost(
        len(areas),
        len(system.lower),
        len(places),
        verdict.found,
        verdict.known_otherwise,
        sum(part.rounds == 0 for _, part in parts),
        100 * sum(p.withheld for _, p in parts) / sum(p.cells for _, p in parts),
        protected - start,
        time.perf_counter() - protected,
        processor_time() - worked,
        slowest,
    )


def report(name, areas, margins, args):
    """Run once and print; return the `Cost`."""
    before = os.getloadavg()[0]
    with Memory() as memory:
        cost = run(areas, margins, TIMES[args.period], args.workers)
    print(
        f"{name}: {cost.areas:,} neighbourhoods, {cost.cells:,} cells at {len(COLUMNS)} levels, "
        f"{cost.small:,} truly small\n"
        f"    protect {cost.protecting:.1f} s + audit {cost.auditing:.1f} s = "
        f"{cost.seconds:.1f} s with {args.workers} workers, {cost.processor:.1f} s of processor "
        f"time, {memory.peak / 2**30:.2f} GB in all processes "
        f"(load {before:.1f} before, {os.getloadavg()[0]:.1f} after)\n"
        f"    slowest district {cost.slowest[1]} {cost.slowest[0]:.1f} s; withheld "
        f"{cost.withheld:.1f} % of cells, everything in {cost.nothing} districts; "
        f"found {cost.found}, known from public totals alone {cost.known_otherwise}",
        flush=True,
    )
    return cost


def exponent(sizes, seconds):
    """Slope of the least-squares line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def draw_plot(path, costs):
    """Write cost against size, logarithmic, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "lsoalink"
    from matplotlib import pyplot as plt

    costs = sorted(costs, key=lambda cost: cost.areas)
    sizes = [cost.areas for cost in costs]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    series = {
        "protect": [cost.protecting for cost in costs],
        "audit": [cost.auditing for cost in costs],
        "both": [cost.seconds for cost in costs],
    }
    for (name, seconds), marker in zip(series.items(), "os^", strict=True):
        label = f"{name}: areas to the power of {exponent(sizes, seconds):.2f}"
        axes.loglog(sizes, seconds, marker=marker, label=label)
    axes.set_xlabel("neighbourhoods")
    axes.set_ylabel("seconds")
    axes.set_title("Protect and audit, 7 columns at 4 levels, two processes")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nation", action="store_true", help="England and Wales as well")
    parser.add_argument("--districts", type=int, nargs="*", default=[], help="numbers, for a plot")
    parser.add_argument("--period", choices=TIMES, default="year")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plot", type=Path, default=None, help="where to write an SVG")
    args = parser.parse_args()
    try:
        folder = open_data()
    except NoOpenDataError as error:
        print(error)
        return
    areas, margins = read_areas(folder), read_margins(folder)
    chosen = np.isin(areas.lad.astype(str), WEST_MIDLANDS)
    costs = [report("West Midlands", areas.within(chosen), margins, args)]
    by_lot = np.random.default_rng(SEED).permutation(np.unique(areas.lad.astype(str)))
    for number in args.districts:
        some = areas.within(np.isin(areas.lad.astype(str), by_lot[:number]))
        costs.append(report(f"{number} districts", some, margins, args))
    if args.nation:
        costs.append(report("England and Wales", areas, margins, args))
    if len(costs) > 1:
        power = exponent([c.areas for c in costs], [c.seconds for c in costs])
        print(f"seconds grow as neighbourhoods to the power of {power:.2f}")
    if args.plot and len(costs) > 1:
        draw_plot(args.plot, costs)
        print(f"wrote {args.plot}")
    if any(cost.found for cost in costs):
        sys.exit(1)


if __name__ == "__main__":
    main()
