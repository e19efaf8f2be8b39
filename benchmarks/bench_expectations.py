"""Fifteen expectations on generated rows: the compiled DuckDB pass against GX's pandas engine.

Run ``python benchmarks/bench_expectations.py --rows 1000000`` from the repository. Both engines run
in this one process on the same table; the counts must agree, or the run ends with an error. Reading
the table into a frame is timed apart, since only GX needs it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

CODES = ["support", "prevention", "relief", "main_duty"]
ROWS_SQL = """
CREATE TABLE delivery AS SELECT
    'C' || CASE WHEN i % 1000 = 0 THEN i // 2 ELSE i END AS case_ref,
    CASE WHEN i % 400 = 0 THEN NULL ELSE 'E01' || lpad((i % 900000)::VARCHAR, 6, '0') END AS lsoa,
    'AB' || i % 99 || ' ' || i % 10 || CASE WHEN i % 300 = 0 THEN '' ELSE 'CD' END AS postcode,
    CASE WHEN i % 250 = 0 THEN 'other' ELSE (?::VARCHAR[])[1 + i % 4] END AS duty,
    CASE WHEN i % 500 = 0 THEN 'A;Q' ELSE 'A;B' END AS needs,
    CASE WHEN i % 70 = 0 THEN NULL ELSE i % 130 END AS age,
    i % 5000 <> 0 AS age__readable,
    (i % 700) * 1.5 AS amount,
    DATE '2025-01-01' + (i % 365)::INTEGER AS start_on,
    CASE WHEN i % 3 = 0 THEN NULL
        ELSE DATE '2025-01-01' + ((i % 365) + (i % 41) - 1)::INTEGER END AS end_on
FROM range(?) r(i)
"""


def suite_of_fifteen():
    """Fifteen expectations of every kind a contract gives."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    from expectations.patterns import list_of, portable

    return gx.ExpectationSuite(
        name="bench",
        expectations=[
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectColumnToExist(column="case_ref"),
            gxe.ExpectColumnValuesToNotBeNull(column="case_ref"),
            gxe.ExpectColumnValuesToNotBeNull(column="lsoa", mostly=0.9),
            gxe.ExpectColumnValuesToMatchRegex(column="lsoa", regex=portable(r"[EW]01\d{6}")),
            gxe.ExpectColumnValuesToMatchRegex(
                column="postcode", regex=portable(r"[A-Z]{1,2}\d{1,2} \d[A-Z]{2}")
            ),
            gxe.ExpectColumnValuesToBeInSet(column="duty", value_set=CODES),
            gxe.ExpectColumnValuesToMatchRegex(column="needs", regex=list_of(["A", "B"], ";")),
            gxe.ExpectColumnValuesToBeBetween(column="age", min_value=0, max_value=120),
            gxe.ExpectColumnValuesToBeInSet(column="age__readable", value_set=[True], mostly=0.98),
            gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0),
            gxe.ExpectColumnValuesToNotBeNull(column="start_on"),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="end_on",
                column_B="start_on",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
            ),
            gxe.ExpectColumnValuesToBeUnique(column="case_ref"),
            gxe.ExpectCompoundColumnsToBeUnique(
                column_list=["lsoa", "start_on"], ignore_row_if="any_value_is_missing"
            ),
        ],
    )


def counts(outcome):
    """What must agree between the engines."""
    return [(c.expectation, c.outcome, c.rows_checked, c.rows_failed) for c in outcome.checks]


def timed(function, *arguments):
    """Return a result and the seconds it took."""
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def main() -> int:
    """Generate, run both, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    from expectations.execution import run_suite
    from expectations.reference import run_with_gx

    suite = suite_of_fifteen()
    with duckdb.connect() as con:
        con.execute(f"SET threads = {options.threads}")
        con.execute(ROWS_SQL, [CODES, options.rows])
        ours, pass_seconds = timed(run_suite, con, "delivery", suite)
        frame, read_seconds = timed(con.table("delivery").df)
    theirs, gx_seconds = timed(run_with_gx, frame, suite)
    differing = [
        pair for pair in zip(counts(ours), counts(theirs), strict=True) if len(set(pair)) > 1
    ]

    print(f"rows                    {options.rows:>12,}")
    print(f"expectations            {len(suite.expectations):>12}")
    print(f"compiled DuckDB pass    {pass_seconds:>12.2f} s")
    print(f"GX pandas engine        {gx_seconds:>12.2f} s (frame: {read_seconds:.2f} s)")
    print(f"ratio                   {gx_seconds / pass_seconds:>12.1f}")
    print(f"counts agree            {'no' if differing else 'yes':>12}")
    for pair in differing:
        print(f"  {pair[0]} is not {pair[1]}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
