"""Releases of this platform, read back from their public files alone.

Belongs here: which counts the figures of a release are of, and how its files say they hang
together. Nothing of the lake is read: an outsider has no more than this. Does not belong here:
other people's tables (``published_tables.py``), or the attack (``attacking.py``).

What the files do not say is not concluded: whether four quarters make a year (they do of events,
not of people on a day), whether a share's part lies wholly in its whole (not where two sources
count them), and how many records a district could not place (so its count is at least the sum of
its neighbourhoods').
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from declarations.errors import DeliveryError
from governance.disclosure.attacker.examination import Demand, demand_of
from governance.disclosure.attacker.system import SystemBuilder
from governance.disclosure.counts import MARKERS, bounds
from governance.disclosure.profiles import Profile, profile
from governance.disclosure.tables.linked import Cell
from indicators.notes import WITHHELD_NOTES

MANIFEST = "manifest.json"
OPTIONAL = ("combined_observations",)
LEAF = "lsoa21"
COLUMN = {"lsoa21": "lsoa21cd", "msoa21": "msoa21cd", "lad24": "lad24cd"}


@dataclass
class ReleaseFigures:
    """What a release says of counts.

    Attributes
    ----------
    folder : Path
    statements : dict of Cell to (float, float)
        Lowest and highest count that the figures can stand for.
    marked : set of Cell
        Hidden counts.
    demands : dict of str to Demand
        By what is counted (the measure of the cells).
    children : dict of (str, str) to dict of str to list of str
        Codes of the finer areas in each coarser one, by their levels.
    members : dict of Cell to list of str
        Neighbourhoods of the figures that stand for several.
    """

    folder: Path
    statements: dict[Cell, tuple[float, float]] = field(default_factory=dict)
    marked: set[Cell] = field(default_factory=set)
    demands: dict[str, Demand] = field(default_factory=dict)
    children: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)
    members: dict[Cell, list[str]] = field(default_factory=dict)

    def tell_structure(self, builder: SystemBuilder) -> None:
        """Say how the cells of the release add up."""
        spans: defaultdict[tuple[str, tuple[tuple[str, str], ...]], set[str]] = defaultdict(set)
        for cell in self.statements:
            spans[cell.measure, cell.categories].add(cell.level)
        for (measure, categories), levels in sorted(spans.items()):
            held = [level for level in COLUMN if level in levels]
            for fine, coarse in pairwise(held):
                for area, members in self.children[fine, coarse].items():
                    whole = Cell(measure, coarse, area, categories)
                    parts = [Cell(measure, fine, member, categories) for member in members]
                    terms = [builder.count(part) for part in parts]
                    if coarse == "lad24":
                        terms.append(builder.count(("unplaced", whole, fine)))
                    builder.add_up(builder.count(whole), terms)

        for cell, codes in self.members.items():
            parts = [cell._replace(level=LEAF, area=code) for code in codes]
            builder.add_up(builder.count(cell), [builder.count(part) for part in parts])

    def tell_figures(self, builder: SystemBuilder) -> None:
        """Say what the figures stand for."""
        for cell, (low, high) in self.statements.items():
            builder.count(cell, low, high)


def is_release(folder: Path) -> bool:
    """Whether a folder is a release of this platform."""
    return (folder / MANIFEST).is_file() and (folder / "csv" / "observations.csv").is_file()


def read_release(folder: Path) -> ReleaseFigures:
    """Read the figures of a release.

    Raises
    ------
    DeliveryError
        If a file is missing or not as releases have it.
    """
    found = ReleaseFigures(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        standard = str(manifest["release"]["profile"])
        indicators = {row["indicator_id"]: row for row in _rows(folder, "indicators")}
        for row in _rows(folder, "areas"):
            _place(found, row)
        for name in ("observations", "combined_observations"):
            for row in _rows(folder, name):
                about = indicators[row["indicator_id"]]
                _read_row(found, row, about, profile(about["profile"] or standard))
    except (KeyError, ValueError, TypeError) as error:
        raise DeliveryError(
            f"The release {folder.name} is not as this platform writes them "
            f"({type(error).__name__})",
            "Describe its files in an attack.yaml, or give the options for files of others",
        ) from None
    return found


def _place(found: ReleaseFigures, row: dict[str, str]) -> None:
    codes = {level: row[column] for level, column in COLUMN.items()}
    levels = [*COLUMN]
    for i, fine in enumerate(levels):
        for coarse in levels[i + 1 :]:
            inside = found.children.setdefault((fine, coarse), {})
            held = inside.setdefault(codes[coarse], [])
            if codes[fine] not in held:
                held.append(codes[fine])


def _read_row(
    found: ReleaseFigures, row: dict[str, str], about: dict[str, str], chosen: Profile
) -> None:
    if not about["numerator"]:
        return
    days = f"{row['period_start']} to {row['period_end']}"
    span: tuple[tuple[str, str], ...] = (("period", days),)
    if row.get("breakdown_type", "none") != "none":
        span = (*span, (row["breakdown_type"], row["breakdown_value"]))
    for term in ("numerator", "denominator"):
        measure = about[term]
        # A withheld figure says nothing: another stands for it.
        if not measure or WITHHELD_NOTES & {*row["note_id"].split(",")}:
            continue
        cell = Cell(measure, row["geography_type"], row["geography_code"], span)
        demand = demand_of(chosen)
        before = found.demands.setdefault(measure, demand)
        found.demands[measure] = max(before, demand, key=lambda d: (d.width, d.below))
        status = row["value_status"] if any(m in row["value_status"] for m in MARKERS) else None
        # Under a marker the denominator may be hidden or only withheld with the figure.
        if row[term]:
            low, high = bounds(int(row[term]), None, chosen)
        elif term == "numerator" and status and row["denominator"]:
            low, high = bounds(None, status, chosen)
            found.marked.add(cell)
        else:
            continue
        if row.get("members"):
            found.members[cell] = row["members"].split()
        known = found.statements.get(cell, (0.0, float("inf")))
        found.statements[cell] = (max(known[0], low), min(known[1], high))


def _rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    path = folder / "csv" / f"{name}.csv"
    if not path.is_file() and name in OPTIONAL:
        return
    if not path.is_file():
        raise DeliveryError(f"The release {folder.name} has no csv/{name}.csv", "Copy it whole")
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
