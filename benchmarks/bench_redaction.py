"""Recall, precision and speed of the redactor on seeded synthetic texts.

Run ``python benchmarks/bench_redaction.py`` from the repository; ``--texts`` and ``--seed`` change
the sample, ``--tuning`` takes the templates that were read while the rules were made. Recall is the
share of planted identifiers of which nothing is left, precision the share of findings that are what
they are said to be. Speed is measured with names (the model, in batches of 64), without names, and
for a column of a DuckDB table in which each text stands twice. The run ends with an error if the
recall over all kinds is below ``--at-least``, where that is given.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from governance.redaction.columns import redact_table_column
from governance.redaction.engine import Redactor
from governance.redaction.findings import KINDS
from governance.redaction.measurement import KindMeasurement, measure
from governance.redaction.sample_texts import sample_texts


def shown(value):
    return "    -" if value is None else f"{value:.3f}"


def line(name, kind: KindMeasurement):
    return (
        f"{name:28}{kind.planted:8}{shown(kind.recall):>9}{kind.found:8}{shown(kind.precision):>11}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=920)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tuning", action="store_true")
    parser.add_argument("--at-least", type=float)
    options = parser.parse_args()

    samples = sample_texts(options.seed, options.texts, held_out=not options.tuning)
    started = time.perf_counter()
    redactor = Redactor()
    redactor.find("warm up")
    print(f"Loading: {time.perf_counter() - started:.2f} s. {redactor.names_note}")
    measured = measure(redactor, samples)
    print(f"{'kind':28}{'planted':>8}{'recall':>9}{'found':>8}{'precision':>11}")
    for kind, result in measured.kinds.items():
        print(line(KINDS[kind], result))
    print(line("all kinds", measured.overall))

    forms = measure(Redactor(names=False), samples)
    letters = sum(len(each.text) for each in samples) / len(samples)
    print(f"{options.texts} texts of {letters:.0f} characters on average")
    for name, result in (("with names", measured), ("identifiers only", forms)):
        print(
            f"{name}: {result.texts / result.seconds:.0f} texts/s,"
            f" {result.seconds / result.texts * 1000:.2f} ms a text"
        )
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE notes (note VARCHAR)")
        connection.executemany("INSERT INTO notes VALUES (?)", [[s.text] for s in samples] * 2)
        started = time.perf_counter()
        report = redact_table_column(connection, "notes", "note", redactor)
        seconds = time.perf_counter() - started
    print(f"column: {report.rows} rows in {seconds:.2f} s, {report.rows / seconds:.0f} rows/s")
    if options.at_least is not None and (measured.recall or 0) < options.at_least:
        sys.exit(f"The recall {measured.recall:.3f} is below {options.at_least}")


if __name__ == "__main__":
    main()
