"""Cost against size: points, postcodes and conversions from 1 to 50 million rows.

Run ``python benchmarks/bench_scaling.py --rows 1 2 5 10 20 50 --plot docs/methodology/scaling.svg``
from the repository (rows in millions; without them three small sizes, in seconds). The slope of the
line through the points of a logarithmic plot is the exponent of cost: 1 means that twice the rows
take twice the time. Each size is timed with everything it needs already made (the locator, the
directory, the lookup), best of ``--turns``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import bench_conversion
import bench_postcodes
import duckdb
import numpy as np
from realistic_areas import make_areas, points_of_residents

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from geography.changes.conversion import SplitWeights, convert
from geography.placement import Reference
from geography.points import PointLocator
from geography.postal.counting import count_by_lsoa

MILLION = 1_000_000
POSTCODES = 2_700_000


def best(function, turns):
    """Return the least seconds of several turns."""
    seconds = []
    for _ in range(turns):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def points(sizes, turns):
    """Seconds to locate points in 35,672 areas, on one core."""
    areas = make_areas()
    locator = PointLocator(areas)
    for size in sizes:
        x, y = points_of_residents(areas, size)
        yield best(lambda x=x, y=y: locator.locate(x, y), turns)


def database(memory):
    """Open a DuckDB of two threads and bounded memory."""
    con = duckdb.connect()
    con.execute("SET threads = 2")
    con.execute(f"SET memory_limit = '{memory}'")
    return con


def postcodes(sizes, turns):
    """Seconds to count records by LSOA from their postcodes, from Parquet."""
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="lsoalink-bench-"))
        try:
            with database("2GB") as con:
                con.execute(f"SET temp_directory = '{folder}'")
                bench_postcodes.generate(con, folder, size, min(POSTCODES, size))
                reference = Reference(areas="areas", postcodes="directory")
                yield best(
                    lambda con=con, reference=reference: count_by_lsoa(
                        con, "records", "postcode", reference, "ours"
                    ),
                    turns,
                )
        finally:
            shutil.rmtree(folder)


def conversions(sizes, turns):
    """Seconds to convert rows of counts from 2011 to 2021 areas."""
    for size in sizes:
        with database("6GB") as con:
            bench_conversion.load_changes(con)
            con.execute(bench_conversion.ROWS_SQL, {"rows": size})
            con.execute(bench_conversion.WEIGHTS_SQL)
            con.execute(bench_conversion.PAIRS_SQL)
            weights = SplitWeights("population", "residents", "lsoa21cd", "residents", "pairs")
            yield best(
                lambda con=con, weights=weights: convert(
                    con, "delivered", "converted", changes="changes", by=("month",),
                    counts=("people",), split_by=weights,
                ),
                turns,
            )  # fmt: skip


SERIES = {"points": points, "postcodes": postcodes, "2011 to 2021": conversions}


def exponent(sizes, seconds):
    """Slope of the least-squares line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def draw(path, sizes, measured):
    """Write a logarithmic plot as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "lsoalink"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for (name, seconds), marker in zip(measured.items(), "os^", strict=True):
        label = f"{name}: rows to the power of {exponent(sizes, seconds):.2f}"
        axes.loglog(sizes, seconds, marker=marker, label=label)
    axes.set_xlabel("rows")
    axes.set_ylabel("seconds")
    axes.set_title("Cost against size, two cores (points: one)")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, nargs="+", default=[0.25, 0.5, 1], help="millions")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--plot", type=Path, default=None, help="where to write an SVG")
    args = parser.parse_args()
    if len(args.rows) < 2:
        parser.error("a slope needs at least two sizes")
    sizes = [int(n * MILLION) for n in args.rows]
    measured = {}
    for name, series in SERIES.items():
        measured[name] = []
        for size, seconds in zip(sizes, series(sizes, args.turns), strict=True):
            measured[name].append(seconds)
            print(f"{name:<14}{size:>12,} rows {seconds:>8.2f} s", flush=True)
        print(f"{name:<14}exponent {exponent(sizes, measured[name]):.2f}")
    if args.plot:
        draw(args.plot, sizes, measured)
        print(f"wrote {args.plot}")


if __name__ == "__main__":
    main()
