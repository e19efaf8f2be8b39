"""Records counted by LSOA from their postcodes, against the bare DuckDB join on the same Parquet.

Run ``python benchmarks/bench_postcodes.py --rows 50000000 --postcodes 2700000`` from the
repository. The bare join matches the texts as they stand and loses every other record; ours counts
every record, and says how it was placed or why not. Both read the same two Parquet files, in turns,
in one process; the best time of each counts. Every count must be what placing each record gives,
on a sample of the rows, or the run ends with an error.

The postcodes are invented. Of 1,000 records about 890 have theirs in normal form, 40 without the
space, 20 in lower case, 10 both, 10 are of no postcode of the directory, 2 have I for 1, 3 none, 2
are of no fixed abode and 3 have a blank at the end; a third of the directory is terminated.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

FEWEST_ROWS = 1_000_000
UNIT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
BARE = """
CREATE OR REPLACE TEMP TABLE bare AS
SELECT d.lsoa21cd, count(*) AS records
FROM records r JOIN directory d ON r.postcode = d.pcds GROUP BY d.lsoa21cd
"""


def postcode_sql(number: str) -> str:
    """Invent a postcode from a whole number: areas of two letters, districts 1 to 23."""
    return (
        f"(substr('ABCDEGHKLMNPRSTW', 1 + ({number} // 92000 % 16)::INT, 1)"
        f" || substr('ABDEFHLNRS', 1 + ({number} // 1472000 % 10)::INT, 1)"
        f" || (1 + {number} // 4000 % 23)::VARCHAR || ' ' || ({number} // 400 % 10)::VARCHAR"
        f" || substr('{UNIT_LETTERS}', 1 + ({number} % 20)::INT, 1)"
        f" || substr('{UNIT_LETTERS}', 1 + ({number} // 20 % 20)::INT, 1))"
    )


def generate(con: duckdb.DuckDBPyConnection, folder: Path, rows: int, postcodes: int) -> None:
    """Write the directory and the records as Parquet, and name them as views."""
    con.execute(f"""
COPY (
    SELECT {postcode_sql("5 * i")} AS pcds,
        CASE WHEN hash(i) % 3 = 0
            THEN '20' || lpad((hash(i) // 3 % 25)::VARCHAR, 2, '0') || '06' END AS doterm,
        CASE WHEN hash(i) // 100 % 100 < 97 THEN 1 ELSE 2 + (hash(i) // 7 % 5)::INTEGER END
            AS quality,
        'E01' || lpad((i // 76)::VARCHAR, 6, '0') AS lsoa21cd
    FROM range({postcodes}) r(i) ORDER BY pcds
) TO '{folder}/directory.parquet'""")
    con.execute(f"""
COPY (
    WITH drawn AS (
        SELECT i, (hash(i) % {postcodes})::BIGINT AS k, hash(i) // {postcodes} % 1000 AS u
        FROM range({rows}) r(i)
    ), spelled AS (
        SELECT i, u, {postcode_sql("5 * k")} AS pcds, {postcode_sql("(5 * k + 1)")} AS other
        FROM drawn
    )
    SELECT i AS record_id, CASE
        WHEN u < 10 THEN other
        WHEN u < 12 THEN replace(pcds, '1', 'I')
        WHEN u < 52 THEN replace(pcds, ' ', '')
        WHEN u < 72 THEN lower(pcds)
        WHEN u < 82 THEN lower(replace(pcds, ' ', ''))
        WHEN u < 85 THEN NULL
        WHEN u < 87 THEN 'ZZ99 3VZ'
        WHEN u < 90 THEN pcds || ' '
        ELSE pcds END AS postcode
    FROM spelled
) TO '{folder}/records.parquet'""")
    for name in ("directory", "records"):
        con.execute(f"CREATE VIEW {name} AS FROM '{folder}/{name}.parquet'")
    con.execute(
        "CREATE TABLE areas AS SELECT DISTINCT lsoa21cd, 'E08999999' AS lad24cd FROM directory"
    )


def timed(function, *arguments):
    """Return a result, the seconds it took, and those of the processor in all threads."""
    start, processor = time.perf_counter(), time.process_time()
    result = function(*arguments)
    return result, (time.perf_counter() - start, time.process_time() - processor)


def differences(con: duckdb.DuckDBPyConnection, rows: int, sample: int) -> dict[str, int]:
    """Compare with placing every record of a sample, and with the bare join on all of them."""
    from geography.placement import PlacementKeys, Reference, place
    from geography.placement.choice import OUTPUT_COLUMNS
    from geography.postal.counting import count_by_lsoa

    reference = Reference(areas="areas", postcodes="directory")
    con.execute(
        f"CREATE TABLE sampled AS FROM records WHERE record_id % {max(1, rows // sample)} = 0"
    )
    count_by_lsoa(con, "sampled", "postcode", reference, "counted")
    place(con, "sampled", PlacementKeys(by=("postcode",), postcode="postcode"), reference, "placed")
    names = ", ".join(OUTPUT_COLUMNS)
    placed = f"SELECT {names}, count(*) AS records FROM placed GROUP BY ALL"
    queries = {
        "outcomes that differ from placing a sample": f"(FROM counted EXCEPT {placed})"
        f" UNION ALL ({placed} EXCEPT FROM counted)",
        "areas with fewer records than the bare join": "SELECT 1 FROM bare b LEFT JOIN ("
        "  SELECT lsoa21cd, sum(records) AS records FROM ours GROUP BY 1"
        ") o USING (lsoa21cd) WHERE coalesce(o.records, 0) < b.records",
    }
    return {
        name: con.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]
        for name, query in queries.items()
    }


def main() -> int:
    """Generate, run both in turns, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=FEWEST_ROWS)
    parser.add_argument("--postcodes", type=int, default=None, help="default: rows / 20")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="2GB", help="DuckDB's memory_limit")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--sample", type=int, default=200_000)
    options = parser.parse_args()
    postcodes = options.postcodes or max(1000, options.rows // 20)

    from geography.placement import Reference
    from geography.postal.counting import count_by_lsoa

    reference = Reference(areas="areas", postcodes="directory")
    folder = Path(tempfile.mkdtemp(prefix="lsoalink-bench-"))
    bare, ours = [], []
    try:
        with duckdb.connect() as con:
            con.execute(f"SET threads = {options.threads}; SET memory_limit = '{options.memory}'")
            con.execute(f"SET temp_directory = '{folder}/spill'")
            con.execute("SET preserve_insertion_order = false")
            generate(con, folder, options.rows, postcodes)
            for _ in range(options.turns):
                bare.append(timed(con.execute, BARE)[1])
                report, seconds = timed(
                    count_by_lsoa, con, "records", "postcode", reference, "ours"
                )
                ours.append(seconds)
            matched = con.execute("SELECT sum(records) FROM bare").fetchall()[0][0]
            faults = differences(con, options.rows, options.sample)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    print(f"records                 {options.rows:>14,}")
    print(f"postcodes               {postcodes:>14,}")
    print(f"memory limit            {options.memory:>14}")
    bare_wall, bare_busy = (min(times) for times in zip(*bare, strict=True))
    our_wall, our_busy = (min(times) for times in zip(*ours, strict=True))
    print(
        f"bare join and group-by  {bare_wall:>14.2f} s  processor {bare_busy:.2f} s,"
        f" {matched:,} records counted"
    )
    print(
        f"count_by_lsoa           {our_wall:>14.2f} s  processor {our_busy:.2f} s,"
        f" {report.placed:,} placed"
    )
    print(f"texts read one by one   {report.texts:>14,}")
    print(
        f"ratio                   {our_wall / bare_wall:>14.2f}    processor"
        f" {our_busy / bare_busy:.2f}"
    )
    for name, count in faults.items():
        print(f"{name}: {count}")
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
