"""Converting counts from 2011 to 2021 areas, against the bare join of the rows with the lookup.

Run ``python benchmarks/bench_conversion.py --rows 10000000`` from the repository. The areas are
made up in the numbers of England and Wales; each row has an area, a month and a count. The
baseline joins the rows with the lookup and writes a table, splitting nothing; ours writes a table
that is right, checks the lookup and the weights, and proves its totals. Both run by turns in this
one process on the same table and the best of the turns counts. The run ends with an error if a
total does not close, if an unchanged row differs, or if the ratio is above ``--at-most``, where
that is given: the checks of lookup and weights take the same time whatever the size, so the ratio
means something from some million rows on.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PARTS = {2: 728, 3: 99, 4: 28, 5: 4, 6: 1, 9: 1}
"""Split areas of the exact-fit lookup by their number of parts."""
UNCHANGED, SPLIT, MERGED, COMPLEX = 33_647, sum(PARTS.values()), 119, 3
"""Areas as in the lookup: unchanged, split, pairs that became one, pairs redrawn."""
AREAS = UNCHANGED + SPLIT + 2 * MERGED + 2 * COMPLEX


def changes():
    """Pairs of 2011 and 2021 areas with their change indicator.

    The numbers of 2011 are shuffled, so that areas of one kind are not neighbours by code.
    """
    old = iter([f"E010{i * 7919 % AREAS:05d}" for i in range(AREAS)])
    new = iter([f"E011{i:05d}" for i in range(AREAS)])
    pairs = [(code, code, "U") for code in itertools.islice(old, UNCHANGED)]
    for parts, areas in PARTS.items():
        for code in itertools.islice(old, areas):
            pairs += [(code, part, "S") for part in itertools.islice(new, parts)]
    for merged in itertools.islice(new, MERGED):
        pairs += [(code, merged, "M") for code in itertools.islice(old, 2)]
    for _ in range(COMPLEX):
        before, after = (list(itertools.islice(codes, 2)) for codes in (old, new))
        pairs += [(code, part, "X") for code in before for part in after]
    return pairs


ROWS_SQL = f"""
CREATE TABLE delivered AS
WITH areas AS (
    SELECT lsoa11cd, row_number() OVER (ORDER BY lsoa11cd) - 1 AS place
    FROM (SELECT DISTINCT lsoa11cd FROM changes)
)
SELECT a.lsoa11cd, DATE '1990-01-01' + to_months(CAST(i // {AREAS} AS INTEGER)) AS month,
    CAST(hash(i) % 200 AS BIGINT) AS people
FROM (SELECT i, i % {AREAS} AS place FROM range($rows) r(i)) d JOIN areas a ON a.place = d.place
"""
WEIGHTS_SQL = """
CREATE TABLE residents AS
SELECT DISTINCT lsoa21cd, 1000 + (hash(lsoa21cd) % 2000)::BIGINT AS residents FROM changes
"""
PAIRS_SQL = """
CREATE TABLE pairs AS
SELECT lsoa11cd, lsoa21cd, 100 + (hash(lsoa11cd || lsoa21cd) % 900)::BIGINT AS weight
FROM changes WHERE chgind = 'X'
"""
BARE_SQL = """
CREATE OR REPLACE TABLE bare AS
SELECT c.lsoa21cd, d.month, d.people, c.chgind
FROM delivered d JOIN changes c ON c.lsoa11cd = d.lsoa11cd
"""
DIFFERENT_SQL = """
SELECT count(*) FROM (
    (SELECT lsoa21cd, month, people FROM bare WHERE chgind = 'U'
     EXCEPT ALL SELECT lsoa21cd, month, people FROM converted WHERE geo_conversion = 'none')
    UNION ALL
    (SELECT lsoa21cd, month, people FROM converted WHERE geo_conversion = 'none'
     EXCEPT ALL SELECT lsoa21cd, month, people FROM bare WHERE chgind = 'U')
)
"""


def load_changes(con):
    """Write the lookup through Arrow; one insert per row would take longer than the rest."""
    import pyarrow as pa

    names = ("lsoa11cd", "lsoa21cd", "chgind")
    lookup = pa.table(dict(zip(names, zip(*changes(), strict=True), strict=True)))
    con.register("lookup", lookup)
    con.execute("CREATE TABLE changes AS FROM lookup")
    con.unregister("lookup")


def timed(function):
    """Return a result, the seconds it took, and the seconds of processor time."""
    start, processor = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - start, time.process_time() - processor


def main() -> int:
    """Generate, run both by turns, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--memory", default="3GB", help="limit of DuckDB, tables included")
    parser.add_argument("--at-most", type=float, default=float("inf"))
    options = parser.parse_args()

    from geography.changes.conversion import SplitWeights, convert

    with duckdb.connect() as con:
        con.execute(f"SET threads = {options.threads}")
        con.execute(f"SET memory_limit = '{options.memory}'")
        load_changes(con)
        con.execute(ROWS_SQL, {"rows": options.rows})
        con.execute(WEIGHTS_SQL)
        con.execute(PAIRS_SQL)
        weights = SplitWeights("population", "residents", "lsoa21cd", "residents", "pairs")

        def ours():
            return convert(
                con,
                "delivered",
                "converted",
                changes="changes",
                by=("month",),
                counts=("people",),
                split_by=weights,
            )

        bare, right = [], []
        for _ in range(options.turns):
            bare.append(timed(lambda: con.execute(BARE_SQL))[1:])
            report, *seconds = timed(ours)
            right.append(seconds)
        totals = report.totals["people"]
        (delivered,) = con.execute("SELECT sum(people) FROM delivered").fetchone()
        (different,) = con.execute(DIFFERENT_SQL).fetchone()

    (bare_wall, bare_cpu), (our_wall, our_cpu) = (
        (min(turn[0] for turn in turns), min(turn[1] for turn in turns)) for turns in (bare, right)
    )
    ratio = our_wall / bare_wall
    equal = totals.close and totals.converted == delivered and not different
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"rows                    {options.rows:>12,}")
    print(f"rows converted          {report.rows_converted:>12,}")
    for kind, rows in report.conversions.items():
        print(f"  {kind:<22}{rows:>12,}")
    print(f"bare join               {bare_wall:>12.2f} s ({bare_cpu:.2f} s of processor time)")
    print(f"conversion              {our_wall:>12.2f} s ({our_cpu:.2f} s of processor time)")
    print(f"ratio                   {ratio:>12.2f}")
    print(f"ratio of processor time {our_cpu / bare_cpu:>12.2f}")
    print(f"total received          {totals.received:>12,}")
    print(f"total converted         {totals.converted:>12,}")
    print(f"totals equal            {'yes' if equal else 'no':>12}")
    print(f"peak memory             {peak:>12,.0f} MB")
    return 0 if equal and ratio <= options.at_most else 1


if __name__ == "__main__":
    sys.exit(main())
