"""How many small counts each rule gives away, on real district totals.

Run ``python benchmarks/bench_leak_rates.py --draws 20 --plot docs/methodology/leak-rates.svg`` from
the repository (without ``--draws`` one draw, in a minute). Each draw splits the published totals
of a district, by six groups of reasons for losing the last home, over its neighbourhoods; the
neighbourhoods, their MSOAs (five to one) and all sums over the reasons are published under the
rule, and the attacker knows the district's totals exactly. The year is four times the quarter: only
one quarter is in the folder of open data. The figures of the domain dossier stand beside ours; they
were measured once, by linear programmes, on another split. The attack here is the platform's own:
the tightest bounds over whole numbers.

The run ends with an error if a true count was outside its interval, or if the released profile,
after repair, leaves anything to be found in any draw.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

# One thread for each process: those of linear algebra would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from leak_tables import (
    GROUPS,
    SHAPE,
    NoOpenDataError,
    invented_areas,
    open_data,
    read_areas,
    read_margins,
    split,
    table_of,
)
from released_tables import audit, release

from governance.disclosure.attacker.intervals import feasible_intervals
from governance.disclosure.counts import bounds_of, protect_all
from governance.disclosure.profiles import profile

DISTRICTS = {"E08000029": "Solihull", "E08000026": "Coventry", "E08000030": "Walsall"}
PERIODS = {"quarter": 1, "year": 4}
RELEASED = "hide0-r5"
PROTECTED = 4
"""Counts from 1 to this are those of which nobody may prove that they are so small."""
NOISE = 2
SEED = 20_251_231


@dataclass(frozen=True)
class Rule:
    """A way to publish counts.

    Attributes
    ----------
    words : str
    bounds : callable
        Given true counts (n,) and a generator, the bounds (n,), (n,) an attacker reads off.
    below : int
        Counts from 1 to this less one are attacked.
    """

    words: str
    bounds: object
    below: int


def of_profile(name, **changes):
    """Bounds under a profile of the platform."""
    chosen = profile(name).model_copy(update=changes)
    return lambda counts, rng: bounds_of(*protect_all(counts, chosen), chosen)


def noisy(counts, rng):
    """Bounds under noise of at most 2 either way, when that is known."""
    published = counts + rng.integers(-NOISE, NOISE + 1, len(counts))
    return np.maximum(published - NOISE, 0), published + NOISE


RULES = {
    "A": Rule("1-4 hidden, no secondary cells", of_profile("suppress", secondary=False), 5),
    "B": Rule("1-7 hidden, else to 5, zeros shown", of_profile("hes-7/5"), 8),
    "C": Rule("midpoint 6, zeros shown", of_profile("midpoint-6"), 6),
    "D": Rule("noise of -2 to 2, bound known", noisy, 5),
    "E": Rule("0-4 one marker, else to 5", of_profile("hide0-r5"), 5),
    "F": Rule("nearest 5 for all", of_profile("r5"), 5),
    "G": Rule("as B, but 1-4 attacked", of_profile("hes-7/5"), 5),
}

# Domain dossier, section 3.3: mean and worst draw, per cent, by quarter and year.
DOSSIER = {
    "A": {"Solihull": (31.0, 45.7, 42.9, 58.4), "Coventry": (35.6, 49.2, 49.8, 57.2),
          "Walsall": (35.9, 49.5, 36.6, 47.6)},
    "B": {"Solihull": (1.4, 11.2, 0.2, 1.2), "Coventry": (1.9, 5.6, 0.2, 3.6),
          "Walsall": (10.0, 16.5, 0.6, 3.6)},
    "C": {"Solihull": (2.5, 8.4, 0.3, 3.2), "Coventry": (2.3, 7.6, 0.1, 1.2),
          "Walsall": (11.9, 21.9, 1.2, 4.8)},
    "D": {"Solihull": (1.7, 4.8, 0.6, 1.6), "Coventry": (0.9, 2.4, 0.6, 1.6),
          "Walsall": (2.0, 4.7, 1.2, 4.4)},
    "E": {"Solihull": (0.0, 0.0, 0.0, 0.0), "Coventry": (0.0, 0.0, 0.2, 1.2),
          "Walsall": (0.0, 0.0, 0.0, 0.0)},
    "F": {"Solihull": (0.0, 0.0, 0.0, 0.0), "Coventry": (0.0, 0.0, 0.0, 0.0),
          "Walsall": (0.5, 2.5, 0.0, 0.0)},
}  # fmt: skip
# Of G only the range over all: 0.0 to 10.5. Share of true 1-4 that are provably 1-4, ranges too.
ATTRIBUTE = {"E": "0.0-0.8", "F": "0.8-3.0", "G": "15-53"}


@dataclass(frozen=True)
class Leak:
    """What one attack found.

    Attributes
    ----------
    exact : float
        Per cent of the rule's sensitive counts that are exact.
    proven : float
        Per cent of counts of 1 to 4 that are proven to be 1 to 4.
    missed : int
        True counts outside their interval.
    """

    exact: float
    proven: float
    missed: int


def attack(table, rule, rng):
    """Attack one table under one rule."""
    public = table.columns["level"] == "lad24cd"
    lower, upper = rule.bounds(table.counts, rng)
    lower, upper = (np.where(public, table.counts, bound) for bound in (lower, upper))
    known = table.system(lower, upper)
    attacked = np.flatnonzero(
        ~public & (table.counts >= 1) & (table.counts < max(rule.below, PROTECTED + 1))
    )
    truth = table.counts[attacked]
    # An interval this wide is neither exact nor within 1 to 4, so it need not be the tightest.
    found = feasible_intervals(*vars(known).values(), attacked, required_width=PROTECTED)
    sensitive, small = truth < rule.below, truth <= PROTECTED
    exact = found.lower == found.upper
    proven = (found.lower >= 1) & (found.upper <= PROTECTED)
    outside = (found.lower > truth) | (truth > found.upper)
    return Leak(
        100 * float(exact[sensitive].mean()), 100 * float(proven[small].mean()), int(outside.sum())
    )


@dataclass(frozen=True)
class Repair:
    """What the repair of the released profile did in one draw.

    Attributes
    ----------
    rounds, demanded, left : int
        Attacks, cells the last was asked about, and those it found.
    small, found : int
        Truly small counts of what is released, and those that another attack finds too much of.
    marked, withheld, figures, change : float
        Per cent of cells hidden by the profile and given up because of the attack; per cent of the
        figures given up; mean difference between the shown and the true count.
    cells : int
    """

    rounds: int
    demanded: int
    left: int
    small: int
    found: int
    marked: float
    withheld: float
    figures: float
    change: float
    cells: int


def repair(areas, counts):
    """Release one table under the released profile and attack it again."""
    chosen = profile(RELEASED)
    done = release(areas, counts, chosen)
    again = audit(done.system, done.public, done.places, done.truth, chosen)
    return Repair(
        done.rounds,
        done.demanded,
        done.failed,
        len(done.places),
        again.found,
        100 * done.marked / done.cells,
        100 * done.withheld / done.cells,
        100 * done.figures_withheld / max(done.cells - done.marked, 1),
        done.change / max(done.shown, 1),
        done.cells,
    )


def one_draw(margins, neighbourhoods, draw, rules=tuple(RULES), shape=SHAPE, repaired=True):
    """Split a district's totals once, attack it under every rule, and repair the released one.

    Returns
    -------
    dict of str to Leak, Repair or None
    """
    rng = np.random.default_rng([SEED, draw])
    areas = invented_areas(neighbourhoods)
    counts = split(margins, neighbourhoods, rng, shape)
    table = table_of(areas, counts)
    leaks = {name: attack(table, RULES[name], rng) for name in rules}
    return leaks, repair(areas, counts) if repaired else None


def measure(tasks, workers):
    """Yield the district, the period and the outcome of each draw."""
    keys = [task[:2] for task in tasks]
    with get_context("spawn").Pool(workers) as pool:
        results = [pool.apply_async(one_draw, task[2:]) for task in tasks]
        for key, result in zip(keys, results, strict=True):
            yield *key, *result.get()


def summary(values):
    """Mean, and worst in brackets."""
    return f"{np.mean(values):5.1f} ({np.max(values):4.1f})"


def print_leaks(measured):
    """Print the dossier's table with ours beside it."""
    print("\nSensitive counts that are exact, % of them: mean over draws (worst draw)")
    print(f"{'':40}{'':10}{'quarter':^30}{'year':^30}")
    print(f"{'rule':40}{'district':10}" + f"{'dossier':>14}{'ours':>14}  " * 2)
    for name, rule in RULES.items():
        for district in DISTRICTS.values():
            figures = DOSSIER.get(name, {}).get(district)
            line = f"{name} {rule.words:38}{district:10}"
            for place, period in enumerate(PERIODS):
                theirs = summary(figures[2 * place : 2 * place + 2]) if figures else "0.0-10.5"
                if figures:
                    theirs = f"{figures[2 * place]:5.1f} ({figures[2 * place + 1]:4.1f})"
                ours = summary([leak.exact for leak in measured[district, period][0][name]])
                line += f"{theirs:>14}{ours:>14}  "
            print(line)
    print("\nTrue counts of 1 to 4 proven to be 1 to 4, %: mean over draws (worst draw)")
    for name, rule in RULES.items():
        for district in DISTRICTS.values():
            line = f"{name} {rule.words:38}{district:10}"
            for period in PERIODS:
                ours = summary([leak.proven for leak in measured[district, period][0][name]])
                line += f"{ATTRIBUTE.get(name, '-'):>14}{ours:>14}  "
            print(line)


def print_repaired(measured):
    """Print what the repair of the released profile left and cost."""
    print(
        f"\n{RELEASED}, protected, attacked and coarsened until nothing is found (means of draws)"
    )
    print(
        f"{'':20}{'attacks':>8}{'attacked':>10}{'found':>7}{'small':>7}{'found':>7}{'cells':>7}"
        f"{'marked %':>10}{'withheld % (worst)':>20}{'figures %':>11}{'mean change':>13}"
    )
    for (district, period), (_, repairs) in measured.items():

        def mean(name, repairs=repairs):
            return np.mean([getattr(r, name) for r in repairs])

        print(
            f"{district:10}{period:10}{mean('rounds'):8.1f}{mean('demanded'):10.0f}"
            f"{sum(r.left for r in repairs):7}{mean('small'):7.0f}"
            f"{sum(r.found for r in repairs):7}{mean('cells'):7.0f}{mean('marked'):10.1f}"
            f"{summary([r.withheld for r in repairs]):>20}"
            f"{mean('figures'):11.1f}{mean('change'):13.2f}"
        )
    all_withheld = sum(r.withheld == 100 for _, repairs in measured.values() for r in repairs)
    print(f"draws of which no neighbourhood and no MSOA can be shown: {all_withheld}")
    print("attacked: cells that could be small, found: in all draws; small: truly small counts")
    print("withheld %: of all cells; figures %: of the cells that would have shown a figure")


def draw_plot(path, measured):
    """Write the exact recoveries, the dossier's beside ours, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "lsoalink"
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(9, 4.5), sharey=True)
    names = [name for name in RULES if name in DOSSIER]
    for place, (axes, period) in enumerate(zip(panels, PERIODS, strict=True)):
        for shift, (district, colour) in enumerate(
            zip(DISTRICTS.values(), ("#1f5a7a", "#b5651d", "#4f7942"), strict=True)
        ):
            at = np.arange(len(names)) + 0.25 * (shift - 1)
            leaks = [measured[district, period][0][name] for name in names]
            ours = [np.mean([leak.exact for leak in found]) for found in leaks]
            worst = [np.max([leak.exact for leak in found]) for found in leaks]
            axes.bar(at, ours, 0.23, color=colour, label=district)
            axes.vlines(at, ours, worst, color=colour, linewidth=1)
            theirs = [DOSSIER[name][district][2 * place] for name in names]
            axes.plot(at, theirs, "D", color="black", markersize=3, markerfacecolor="white")
        axes.set_xticks(range(len(names)), names)
        axes.set_title(f"one {period}")
        axes.grid(visible=True, axis="y", alpha=0.3)
    panels[0].set_ylabel("sensitive counts recovered exactly, %")
    panels[0].legend()
    figure.suptitle("Bars: mean of our draws; lines: worst draw; diamonds: domain dossier")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--shape", type=float, default=SHAPE, help="of the gamma distribution")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--plot", type=Path, default=None, help="where to write an SVG")
    args = parser.parse_args()
    try:
        folder = open_data()
    except NoOpenDataError as error:
        print(error)
        return
    margins, areas = read_margins(folder), read_areas(folder)
    tasks = []
    for code, district in DISTRICTS.items():
        neighbourhoods = int((areas.lad == code).sum())
        print(
            f"{district:10}{int(margins[code].sum()):5} households owed a duty in the quarter by "
            f"{len(GROUPS)} reasons, {neighbourhoods} neighbourhoods"
        )
        for period, times in PERIODS.items():
            of_period = margins[code] * times
            tasks += [
                (district, period, of_period, neighbourhoods, draw, tuple(RULES), args.shape)
                for draw in range(args.draws)
            ]
    start = time.perf_counter()
    measured = {}
    for district, period, leaks, repaired in measure(tasks, args.workers):
        found = measured.setdefault((district, period), (defaultdict(list), []))
        for name, leak in leaks.items():
            found[0][name].append(leak)
        found[1].append(repaired)
    print(
        f"{len(tasks)} draws in {time.perf_counter() - start:.0f} s with {args.workers} processes "
        f"(load {os.getloadavg()[0]:.1f})"
    )
    print_leaks(measured)
    print_repaired(measured)
    if args.plot:
        draw_plot(args.plot, measured)
        print(f"wrote {args.plot}")
    missed = sum(x.missed for leaks, _ in measured.values() for y in leaks.values() for x in y)
    left = sum(r.left + r.found for _, repairs in measured.values() for r in repairs)
    print(f"true counts outside their interval: {missed}; found after repair: {left}")
    if missed or left:
        sys.exit(1)


if __name__ == "__main__":
    main()
