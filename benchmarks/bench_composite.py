"""Draws of a composite index: ours against a plain pandas loop over draws.

Run ``python benchmarks/bench_composite.py --areas 35672 --inputs 12 --draws 1000`` from the
repository. Inputs are made up: counts rounded to 5, half of them shares, half rates, some missing.
The loop draws every input with NumPy's Beta and Gamma generators, the rounding as a further whole
number of -2 to 2, the weights from Dirichlet distributions and the normalisation among three, in
one process, with pandas' own ranks and columns: what an analyst would write. It is timed over
``--loop-draws`` draws and its time is scaled up to the number of draws; the run says so. Both must
find the same: the run ends with an error if the chances of being in the worst fifth differ by more
on the average than two sets of so many draws may.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from declarations.indices import Uncertainty
from indicators.composite import Part, Recipe, compose
from indicators.composite.draws import DrawInput, simulate
from indicators.composite.posteriors import curve, rate_moments, share_moments

OFFSETS = (-2, -1, 0, 1, 2)
A_COMPONENT = 3


def peak():
    """Peak memory of this process so far, megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make_inputs(areas, inputs, seed=5):
    """Counts and denominators by input, NaN where missing, and the index they go into."""
    rng = np.random.default_rng(seed)
    parts, counts = [], {}
    need = rng.normal(size=areas)
    for k in range(inputs):
        n = rng.integers(800, 3000, areas).astype(float)
        # Inputs go together in real areas; without that no area would be clearly among the worst.
        chance = 0.2 / (1 + np.exp(-(0.8 * need + 0.6 * rng.normal(size=areas))))
        x = np.maximum(np.round(rng.binomial(n.astype(int), chance) / 5) * 5, 5)
        x[rng.random(areas) < 0.01] = np.nan
        name = f"input_{k:02d}"
        counts[name] = (x, n)
        parts.append(Part(name, f"component_{k // A_COMPONENT}", 1.0 + k % 3, "high"))
    components = {p.component: 1.0 + i % 2 for i, p in enumerate(parts[::A_COMPONENT])}
    return Recipe(tuple(parts), components), counts


def ours(recipe, counts, uncertainty, threads):
    """Everything from published counts to the five figures of each area."""
    drawn = {}
    for k, (name, (x, n)) in enumerate(counts.items()):
        known = ~np.isnan(x)
        moments = (share_moments if k % 2 else rate_moments)(x[known], n[known], OFFSETS)
        drawn[name] = DrawInput(x / n, curve(moments), np.where(known, np.cumsum(known) - 1, -1))
    point = compose(recipe, {name: d.values for name, d in drawn.items()})
    codes = np.array([f"E{i:08d}" for i in range(len(point.scores))])
    return simulate(recipe, drawn, uncertainty, codes, point, threads=threads)


def by_pandas(recipe, counts, uncertainty, draws):
    """Chance of the worst fifth, by a plain loop."""
    rng = np.random.default_rng(uncertainty.seed)
    x = pd.DataFrame({name: c[0] for name, c in counts.items()})
    n = pd.DataFrame({name: c[1] for name, c in counts.items()})
    k = uncertainty.weight_concentration
    components = pd.Series(recipe.components) / sum(recipe.components.values())
    weights = pd.Series(recipe.input_weights, recipe.names)
    members = {c: [p.name for p in recipe.inputs if p.component == c] for c in components.index}
    worst = np.zeros(len(x))
    for _ in range(draws):
        values = pd.DataFrame(index=x.index)
        for i, name in enumerate(x.columns):
            true = x[name] + rng.integers(-2, 3, len(x))
            known = true.notna().to_numpy()
            drawn = np.full(len(x), np.nan)
            t, whole = true[known].clip(lower=0), n[name][known]
            if i % 2:
                drawn[known] = rng.beta(t + 0.5, whole - t.clip(upper=whole) + 0.5)
            else:
                drawn[known] = rng.gamma(t + 0.5) / whole
            values[name] = drawn
        kind = rng.integers(3)
        if kind == 0:
            share = values.rank() / values.notna().sum()
            scores = -23 * np.log(1 - share * (1 - np.exp(-100 / 23)))
        elif kind == 1:
            scores = 100 * (values - values.min()) / (values.max() - values.min())
        else:
            standard = (values - values.mean()) / values.std(ddof=0)
            scores = 100 * (0.5 + standard.clip(-3, 3) / 6)
        total = pd.Series(0.0, index=x.index)
        present = pd.Series(0.0, index=x.index)
        outer = pd.Series(rng.dirichlet(k * components), components.index)
        for name, inputs in members.items():
            inner = pd.Series(rng.dirichlet(k * weights[inputs]), inputs)
            known = scores[inputs].notna().mul(inner).sum(axis=1)
            component = scores[inputs].mul(inner).sum(axis=1) / known
            total += outer[name] * component.fillna(0)
            present += outer[name] * component.notna()
        rank = (-(total / present)).rank()
        worst += (rank <= len(x) / 5).to_numpy()
    return worst / draws


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--areas", type=int, default=35_672)
    parser.add_argument("--inputs", type=int, default=12)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--loop-draws", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    recipe, counts = make_inputs(args.areas, args.inputs)
    uncertainty = Uncertainty(draws=args.draws)
    before = peak()
    started = time.perf_counter()
    found = ours(recipe, counts, uncertainty, args.threads)
    took = time.perf_counter() - started
    print(f"{args.areas:,} areas, {args.inputs} inputs, {args.draws:,} draws, "
          f"{args.threads} threads: {took:.2f} s, "
          f"{peak() - before:,.0f} MB above the {before:,.0f} MB before")  # fmt: skip
    started = time.perf_counter()
    plain = by_pandas(recipe, counts, uncertainty, args.loop_draws)
    loop = (time.perf_counter() - started) / args.loop_draws
    print(f"pandas loop: {loop * 1000:.0f} ms a draw over {args.loop_draws} draws, so "
          f"{loop * args.draws:.0f} s for {args.draws:,} (scaled up): "
          f"{loop * args.draws / took:.0f} times as long")  # fmt: skip
    chance = found.p_worst_fifth
    print(f"clearly worst fifth {np.mean(chance >= 0.9):.1%}, "
          f"may be {np.mean((chance > 0.1) & (chance < 0.9)):.1%} of the areas")  # fmt: skip
    # Weights and normalisation are shared by all areas of a draw: so few draws differ together.
    allowed = 3 * np.sqrt(0.25 / args.loop_draws) / 2
    differ = float(np.mean(np.abs(chance - plain)))
    print(f"chances differ by {differ:.4f} on the average; {allowed:.4f} allowed")
    if differ > allowed:
        sys.exit("the two do not find the same")


if __name__ == "__main__":
    main()
