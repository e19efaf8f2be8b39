"""Hot spots: seconds for a region and for a nation, and esda's own permutations beside ours.

Run ``python benchmarks/bench_hotspots.py`` from the repository. Areas are made up, of a region's
and a nation's number and shape (see ``realistic_areas``), and so are the figures: rates that are
like their neighbours'. The region is classed for ten indicators by the function that makes the
published table, the nation for one by the statistics alone. For the nation esda draws 999
permutations, in one thread and without a compiler, as it does here; ours are 99,999. The run ends
with an error if the two p-values of an area differ by more than chance allows.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from pathlib import Path

import duckdb
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from realistic_areas import make_areas

from declarations.indicators import Indicator
from geography.boundaries.neighbours import neighbours
from indicators.derived.hotspots import hotspots_table
from indicators.place.links import links_between
from indicators.place.local import hotspots, standardised_rates
from indicators.place.permutations import PERMUTATIONS

THEIRS = 999
ALLOWED = 5 * np.sqrt(0.25 / THEIRS)
"""Five standard deviations of a p-value from 999 draws."""


def indicator(number):
    """Return the declaration of a made-up rate."""
    return Indicator.model_validate(
        {
            "id": f"T{number:02d}", "name": f"made_up_{number}", "title": "Made up",
            "description": "Made up.", "rationale": "Made up.", "theme": "context",
            "kind": "rate", "numerator": "events", "denominator": "people", "unit": "per 1,000",
            "additivity": "stock", "basis": "none", "interval": "byar",
            "outputs": [{"level": "lsoa21", "window": "latest"}], "polarity": "lower_is_better",
            "sources": ["made up"], "purposes": ["benchmark"], "owner": "nobody", "version": "1",
        }
    )  # fmt: skip


def counts(links, rng):
    """Return people and events of rates that are drawn towards their neighbours'."""
    size = len(links.codes)
    people = rng.integers(1000, 2500, size).astype(float)
    level = rng.normal(size=size)
    for _ in range(3):
        total = np.bincount(links.first, weights=level[links.second], minlength=size)
        level = (level + total) / (1 + links.number)
    rate = 0.02 * np.exp(0.5 * level / level.std())
    return people, np.round(rng.poisson(people * rate) / 5) * 5


def links_of(count):
    """Return made-up areas' links and how long finding them took."""
    areas = make_areas(count)
    started = time.perf_counter()
    found = neighbours(areas)
    seconds = time.perf_counter() - started
    pairs = list(zip(found.codes[found.first], found.codes[found.second], strict=True))
    return links_between(found.codes, pairs), pairs, seconds


def table_of_a_region(count, indicators):
    """Time the published table."""
    links, pairs, seconds = links_of(count)
    print(f"{count:,} areas: neighbours in {seconds:.1f} s")
    rng = np.random.default_rng(1)
    with duckdb.connect() as con:
        con.execute("CREATE TABLE areas (lsoa21cd VARCHAR, lad24cd VARCHAR)")
        con.executemany("INSERT INTO areas VALUES (?, 'E08990001')", [(c,) for c in links.codes])
        con.execute("CREATE TABLE neighbours (lsoa21cd VARCHAR, neighbour_lsoa21cd VARCHAR)")
        con.executemany("INSERT INTO neighbours VALUES (?, ?)", pairs)
        con.execute(
            "CREATE TABLE shown (indicator_id VARCHAR, period_start DATE, period_end DATE, "
            "geography_type VARCHAR, geography_code VARCHAR, numerator BIGINT, "
            "denominator BIGINT, value DOUBLE, value_status VARCHAR)"
        )
        for number in range(1, indicators + 1):
            people, events = counts(links, rng)
            hidden = events < 5
            con.executemany(
                "INSERT INTO shown VALUES (?, '2025-01-01', '2025-12-31', 'lsoa21', ?, ?, ?, ?, ?)",
                [
                    (f"T{number:02d}", code, None, int(n), None, "[c]")
                    if h
                    else (f"T{number:02d}", code, int(x), int(n), 1000 * x / n, None)
                    for code, x, n, h in zip(links.codes, events, people, hidden, strict=True)
                ],
            )
        declared = [indicator(n) for n in range(1, indicators + 1)]
        started = time.perf_counter()
        table = hotspots_table(con, "shown", "areas", "neighbours", None, indicators=declared)
        seconds = time.perf_counter() - started
    print(f"table of {indicators} indicators, {table.num_rows:,} rows: {seconds:.1f} s")


def nation(count):
    """Time one indicator of a nation, and compare with esda's permutations."""
    links, _, seconds = links_of(count)
    print(f"{count:,} areas: neighbours in {seconds:.1f} s")
    people, events = counts(links, np.random.default_rng(2))
    started = time.perf_counter()
    found = hotspots(links, events=events, people=people)
    ours = time.perf_counter() - started
    print(f"ours, {PERMUTATIONS:,} permutations, both statistics: {ours:.1f} s")
    from esda.moran import Moran_Local

    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Moran_Local(
            standardised_rates(events, people), links.graph(), permutations=THEIRS, seed=1,
            n_jobs=1, keep_simulations=False,
        )  # fmt: skip
    seconds = time.perf_counter() - started
    print(f"esda, {THEIRS:,} permutations, local Moran alone: {seconds:.1f} s")
    tail = np.minimum(found.p / 2, 0.5)
    apart = float(np.nanmax(np.abs(tail - theirs.p_sim)))
    classed = float(np.mean(found.gi_class != "not significant"))
    print(f"largest difference of p-values {apart:.3f}, allowed {ALLOWED:.3f}; "
          f"{classed:.0%} of areas classed")  # fmt: skip
    if apart > ALLOWED:
        raise SystemExit("The p-values differ by more than chance")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--region", type=int, default=1_719)
    parser.add_argument("--nation", type=int, default=35_672)
    parser.add_argument("--indicators", type=int, default=10)
    args = parser.parse_args()
    table_of_a_region(args.region, args.indicators)
    nation(args.nation)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main()
