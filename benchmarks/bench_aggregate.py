"""Counting at the agency: time and memory of ``lsoalink aggregate`` for a file of many records.

Run ``python benchmarks/bench_aggregate.py --rows 1000000`` from the repository. Region, agency and
file are made up by the tests' own factories: six neighbourhoods, all records in them. The bare join
of the file with the postcodes and the count by neighbourhood, in DuckDB, is timed beside it: that
is what would be left without gate, typing, contract, duplicates, encryption and accounting. The run
ends with an error if the exact counts of the package are not those of the bare join.
"""

from __future__ import annotations

import argparse
import csv
import io
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def write_cases(path: Path, rows: int) -> None:
    """Write a file of made-up cases, each of a person of its own."""
    from region_factory import CASE_HEADER, POSTCODES

    postcodes = list(POSTCODES)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(CASE_HEADER)
        for n in range(rows):
            service = "support" if n % 3 == 0 else "advice"
            place = postcodes[n * 7919 % len(postcodes)]
            day = f"2026-0{n % 3 + 1}-{n % 27 + 1:02d}"
            out.writerow((f"P{n:09d}", f"Name {n}", "", place, service, day, "", "note"))


def bare(path: Path) -> tuple[float, dict[str, int]]:
    """Time the join and the count alone; return the records by neighbourhood."""
    from region_factory import POSTCODES

    con = duckdb.connect()
    con.execute("CREATE TABLE places (postcode VARCHAR, lsoa21cd VARCHAR)")
    con.executemany("INSERT INTO places VALUES (?, ?)", list(POSTCODES.items()))
    started = time.perf_counter()
    found = con.execute(
        "SELECT lsoa21cd, count(*) FROM read_csv(?, all_varchar = true) JOIN places "
        "USING (postcode) GROUP BY 1",
        [str(path)],
    ).fetchall()
    return time.perf_counter() - started, dict(found)


def sent(package: Path) -> dict[str, int]:
    """Return the cases opened by neighbourhood that a package holds."""
    with zipfile.ZipFile(package) as archive:
        text = archive.read("data.csv").decode("utf-8")
    found: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["measure"] == "cases_opened":
            found[row["lsoa21cd"]] = found.get(row["lsoa21cd"], 0) + int(row["value"])
    return found


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    from agency_factory import make_agency

    with tempfile.TemporaryDirectory() as folder:
        agency = make_agency(Path(folder))
        write_cases(agency.file, options.rows)
        size = agency.file.stat().st_size / 1e6
        alone, expected = bare(agency.file)
        started = time.perf_counter()
        made = agency.make()
        seconds = time.perf_counter() - started
        counted = sent(made.target)
        leaves = made.target.stat().st_size / 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    out = sys.stdout
    out.write(f"{options.rows:,} records, {size:,.0f} MB; package {leaves:,.1f} kB\n")
    out.write(
        f"bare join and count {alone:.2f} s; aggregate {seconds:.2f} s; peak {peak:,.0f} MB\n"
    )
    if counted != expected:
        out.write("The counts differ from those of the bare join\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
