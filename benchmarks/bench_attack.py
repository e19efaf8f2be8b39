"""The attacker: one table against a linear programme afresh for each cell, and cost against size.

Run ``python benchmarks/bench_attack.py`` from the repository: a made-up table of 700 areas by 8
categories with known margins, once with counts of 0 to 4 hidden and the others to the nearest 5,
once with hidden counts of 1 to 4 and a few larger ones, all others exact. Every sensitive cell is
attacked by `feasible_intervals`, and a sample of the cells by `scipy.optimize.linprog` (HiGHS),
two programmes a cell; the time of the sample is scaled to all cells. Both must arrive at the same
bounds, or the run ends with an error; so it does if the ratio is below ``--at-least``.

Run ``python benchmarks/bench_attack.py --districts 331 --workers 2`` for cost against size: made-up
districts of about 108 LSOAs in MSOAs of 5, by 6 categories, with all totals, published under
``hide0-r5`` while the district totals of each category are known exactly. All sensitive counts are
examined, insiders included.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from governance.disclosure.attacker.examination import Demand, examine
from governance.disclosure.attacker.intervals import attack
from governance.disclosure.attacker.system import System

AREAS, CATEGORIES = 700, 8
BASE = 5
DISTRICT_LSOAS, DISTRICT_CATEGORIES, MSOA_LSOAS = 108, 6, 5
LSOA_MEANS = (1.7, 2.5, 4.0, 10.0)
"""Counts of all categories together a LSOA: of a quarter's homelessness to several years'."""


def hidden_and_rounded(counts):
    """Bounds by which 0 to 4 are hidden and others rounded to the nearest 5, and what is hidden."""
    hidden = counts < BASE
    nearest = (counts + BASE // 2) // BASE * BASE
    low = np.where(hidden, 0, nearest - BASE // 2)
    return low, np.where(hidden, BASE - 1, nearest + BASE // 2), hidden


def suppressed(counts, rng):
    """Bounds by which 1 to 4 and a few larger counts are hidden, all others exact."""
    small = (counts > 0) & (counts < BASE)
    hidden = small | (rng.random(counts.shape) < 0.15) & (counts > 0)
    high = np.where(hidden, counts.max() * 2, counts)
    return np.where(hidden, 1, counts), high, small


def margins(rows, columns):
    """Equations of all row and column totals."""
    return sparse.vstack(
        [
            sparse.kron(sparse.eye(rows), np.ones((1, columns))),
            sparse.kron(np.ones((1, rows)), sparse.eye(columns)),
        ]
    ).tocsr()


def afresh(low, high, A, b, cells):
    """Bounds of each cell by two linear programmes from nothing."""
    found = []
    objective = np.zeros(len(low))
    bounds = np.column_stack([low, high])
    for cell in cells:
        ends = []
        for sign in (1.0, -1.0):
            objective[cell] = sign
            answer = linprog(objective, A_eq=A, b_eq=b, bounds=bounds, method="highs")
            ends.append(sign * answer.fun)
        objective[cell] = 0
        found.append((np.ceil(ends[0] - 1e-6), np.floor(ends[1] + 1e-6)))
    return np.array(found)


def against_linprog(sample, seed):
    """Print both times for both tables; return the smaller ratio."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(1.2, 3.0, (AREAS, CATEGORIES)))
    A = margins(AREAS, CATEGORIES)
    b = A @ counts.ravel()
    # What is loaded once is loaded before the clock starts.
    attack([0, 0, 0], [9, 9, 9], [[1, 1, 0], [1, 0, 2]], [6, 7], [0])
    ratios = []
    for name, (low, high, sensitive) in {
        "rounded": hidden_and_rounded(counts),
        "suppressed": suppressed(counts, rng),
    }.items():
        cells = np.flatnonzero(sensitive.ravel())
        started = time.perf_counter()
        found = attack(low.ravel(), high.ravel(), A, b, cells)
        ours = time.perf_counter() - started
        some = rng.choice(len(cells), sample, replace=False)
        started = time.perf_counter()
        theirs_found = afresh(low.ravel(), high.ravel(), A, b, cells[some])
        theirs = (time.perf_counter() - started) / sample * len(cells)
        if not np.array_equal(theirs_found, np.column_stack([found.lower, found.upper])[some]):
            sys.exit(f"{name}: the bounds differ")
        exact = int((found.lower == found.upper).sum())
        ratios.append(theirs / ours)
        print(
            f"{name:11}{len(cells):6} cells, {exact} exact: ours {ours:7.2f} s "
            f"({found.linear_programmes} programmes), linprog {theirs:8.1f} s "
            f"(of {sample} cells, scaled), ratio {ratios[-1]:.0f}"
        )
    return min(ratios)


def district(rng, mean):
    """One district: bounds, equations and true counts of its cells, and which are sensitive."""
    msoa = np.arange(DISTRICT_LSOAS) // MSOA_LSOAS
    msoas, width = msoa[-1] + 1, DISTRICT_CATEGORIES + 1
    share = rng.dirichlet(np.full(DISTRICT_CATEGORIES, 2.0))
    counts = rng.poisson(rng.gamma(1.0, mean, (DISTRICT_LSOAS, 1)) * share)
    parts = np.hstack([counts, counts.sum(axis=1, keepdims=True)])
    wholes = np.zeros((msoas, width), dtype=int)
    np.add.at(wholes, msoa, parts)
    truth = np.concatenate([parts.ravel(), wholes.ravel(), parts.sum(axis=0)])
    across = np.append(np.ones(DISTRICT_CATEGORIES), -1.0)
    to_msoa = sparse.csr_matrix(
        (np.ones(len(msoa)), (msoa, np.arange(len(msoa)))), shape=(msoas, len(msoa))
    )
    same = sparse.eye(width)
    lines = len(msoa) + msoas + 1
    A = sparse.vstack(
        [
            sparse.kron(sparse.eye(lines), across),
            sparse.hstack([
                sparse.kron(to_msoa, same), -sparse.eye(msoas * width),
                sparse.csr_matrix((msoas * width, width)),
            ]),
            sparse.hstack([
                sparse.csr_matrix((width, len(msoa) * width)),
                sparse.kron(np.ones((1, msoas)), same), -same,
            ]),
        ]
    ).tocsr()  # fmt: skip
    low, high, hidden = hidden_and_rounded(truth)
    low[-width:] = high[-width:] = truth[-width:]
    hidden[-width:] = False
    return low, high, A, truth, np.flatnonzero(hidden)


def scaling(districts, workers, seed):
    """Examine so many districts at once and print what it took."""
    rng = np.random.default_rng(seed)
    parts = [district(rng, LSOA_MEANS[i % len(LSOA_MEANS)]) for i in range(districts)]
    low, high, truth = (np.concatenate([part[i] for part in parts]) for i in (0, 1, 3))
    start = np.cumsum([0] + [len(part[0]) for part in parts[:-1]])
    cells = np.concatenate([part[4] + first for part, first in zip(parts, start, strict=True)])
    A = sparse.block_diag([part[2] for part in parts]).tocsr()
    system = System(low.astype(float), high.astype(float), A, np.zeros(A.shape[0]))
    found = examine(
        system, cells, truth[cells], Demand(width=4, below=5, outside=True), workers=workers
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak += workers * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (workers > 1)
    print(
        f"{districts} districts, {districts * DISTRICT_LSOAS} LSOAs, {len(low)} counts, "
        f"{A.shape[0]} equations, {len(cells)} sensitive: {found.seconds:.1f} s, "
        f"{found.seconds / len(cells) * 1e6:.0f} microseconds a cell, {peak / 1024:.0f} MiB; "
        f"{found.components} components, {found.linear_programmes} linear and "
        f"{found.integer_programmes} integer programmes; {found.failed.sum()} fail, "
        f"{(found.reasons == 'exact').sum()} of them exact"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--districts", type=int, help="examine so many districts instead")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--sample", type=int, default=25, help="cells attacked by linprog")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-least", type=float, help="ratio below which the run is an error")
    options = parser.parse_args()
    if options.districts:
        scaling(options.districts, options.workers, options.seed)
        return
    ratio = against_linprog(options.sample, options.seed)
    if options.at_least and ratio < options.at_least:
        sys.exit(f"The ratio is {ratio:.1f}, not {options.at_least}")


if __name__ == "__main__":
    main()
