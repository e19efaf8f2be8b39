"""Made-up tables for the commands 'disclose' and 'attack', and a way to run them.

Nobody in them is real. Does not hold expectations.
"""

from __future__ import annotations

import csv
import logging
import random
from dataclasses import dataclass
from pathlib import Path

import typer
from typer.testing import CliRunner

from declarations.errors import LsoalinkError
from pipelines.commands import disclosure

NAMES = ("lsoa21cd", "msoa21cd", "lad24cd", "wd24cd", "reason", "n")
REASONS = ("arrears", "eviction", "family")
NESTED = "lsoa21cd<msoa21cd<lad24cd"
WARDS = "lsoa21cd<wd24cd"
PLANTED = 7391
"""A count that no rounding to 5 or 6 leaves as it is."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, what it wrote, and its error in words."""

    code: int
    out: str
    error: str


def run(*arguments: str | Path) -> Outcome:
    """Run 'disclose' or 'attack' in this process; everything logged counts as written."""
    app = typer.Typer(pretty_exceptions_enable=False)
    disclosure.register(app)
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    written = result.output + "\n".join(lines)
    if isinstance(result.exception, LsoalinkError):
        return Outcome(result.exception.exit_code, written, str(result.exception))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, written, "")


def counts(*, areas: int = 24, seed: int = 5) -> list[tuple[str | int, ...]]:
    """Return rows of a sparse table: neighbourhoods of 4 to an MSOA and 12 to a district."""
    lot = random.Random(seed)
    rows: list[tuple[str | int, ...]] = []
    for i in range(areas):
        mean = lot.choice((0.5, 2.0, 6.0, 15.0))
        codes = (f"E{i:03}", f"M{i // 4:02}", f"L{i // 12}", f"W{i * 5 % 7}")
        for reason in REASONS:
            rows.append((*codes, reason, max(0, round(lot.gauss(mean, mean**0.5)))))
    first = rows[0]
    rows[0] = (*first[:-1], PLANTED)
    return rows


def write(path: Path, names: tuple[str, ...], rows: list[tuple[str | int, ...]]) -> Path:
    """Write a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def table(folder: Path, *, areas: int = 24) -> Path:
    """Write the sparse table; rows of 0 are left out."""
    return write(folder / "duties.csv", NAMES, [r for r in counts(areas=areas) if r[-1]])


def totals(folder: Path, *, areas: int = 24) -> Path:
    """Write the exact totals of its districts by reason."""
    sums: dict[tuple[str, str], int] = {}
    for row in counts(areas=areas):
        key = (str(row[2]), str(row[4]))
        sums[key] = sums.get(key, 0) + int(row[-1])
    return write(
        folder / "totals.csv", ("lad24cd", "reason", "n"), [(*k, v) for k, v in sums.items()]
    )


def records(folder: Path, *, areas: int = 24) -> Path:
    """Write one row a record of the same table, the planted cell at 40."""
    rows: list[tuple[str | int, ...]] = []
    for row in counts(areas=areas):
        for _ in range(min(int(row[-1]), 40)):
            rows.append((*row[:-1], f"pseudonym-{len(rows):05}"))
    return write(folder / "people.csv", (*NAMES[:-1], "person"), rows)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
