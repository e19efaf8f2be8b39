"""What the boundaries of a region were found to be good for, arranged for people.

Belongs here: pure arrangement of rows of the table ``boundaries``. Does not belong here: measuring
them (``geography/boundaries/``), or HTML (``quality_page.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from publishing.facts import SourceFact
from publishing.quality_summary import Row

PLACING = "placing"
GRADES = {
    "fine": ("fit for single addresses", "admitted"),
    "maps_only": ("for maps only", "late"),
    "never_geocode": ("never geocode", "refused"),
    "not_measured": ("not measured", "not_due"),
}
"""What boundaries of a measured accuracy are good for -> words and style of the tag."""

MEETINGS = {
    "validity": "Valid shapes",
    "edges": "Borders drawn as one line",
    "overlap": "No overlaps",
    "gap": "No gaps",
    "sliver": "No slivers",
    "opening": "Wide holes and inlets",
}
"""Check of how areas meet -> its title."""

LARGEST = 10
"""Findings of a check that are named on the page; the table has them all."""


@dataclass(frozen=True)
class Placing:
    """How many live postcodes the boundaries put into their official area, of one place."""

    area_code: str
    area_name: str
    level: str
    words: str
    points: int
    elsewhere: int
    outside: int
    share: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Meeting:
    """What one check of how areas meet found: its summary and its largest findings."""

    check_id: str
    outcome: str
    areas: int
    found: int
    area_m2: float | None
    meaning: str
    largest: tuple[Row, ...]


@dataclass(frozen=True)
class BoundaryFit:
    """How good the boundaries of one source are."""

    source: SourceFact
    whole: Placing
    left_out: int
    districts: tuple[Placing, ...]
    meetings: tuple[Meeting, ...]


def boundary_fits(
    boundaries: Sequence[Row], sources: Mapping[str, SourceFact]
) -> list[BoundaryFit]:
    """Return, by source of boundaries, how well they place and how well they meet."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in boundaries:
        grouped[row["source_id"]].append(row)
    found = []
    for source, rows in sorted(grouped.items()):
        placing = sorted((r for r in rows if r["check_id"] == PLACING), key=_area_code)
        whole = [r for r in rows if r["check_id"] != PLACING and not r["area_code"]]
        details = [r for r in rows if r["check_id"] != PLACING and r["area_code"]]
        found.append(
            BoundaryFit(
                sources[source],
                _placing(placing[0]),
                placing[0]["left_out"] or 0,
                tuple(_placing(r) for r in placing[1:]),
                tuple(
                    _meeting(r, [d for d in details if d["check_id"] == r["check_id"]])
                    for r in sorted(whole, key=lambda r: list(MEETINGS).index(r["check_id"]))
                ),
            )
        )
    return found


def _area_code(row: Row) -> str:
    return str(row["area_code"])


def _placing(row: Row) -> Placing:
    points, outside = row["checked"] or 0, row["outside"] or 0
    return Placing(
        _area_code(row), row["area_name"] or "", row["outcome"], row["meaning"] or "", points,
        (row["faults"] or 0) - outside, outside, row["share"], row["lower_ci"], row["upper_ci"],
    )  # fmt: skip


def _meeting(row: Row, details: Sequence[Row]) -> Meeting:
    largest = sorted(
        details, key=lambda d: (-(d["area_m2"] or 0.0), d["area_code"], d["other_code"])
    )
    return Meeting(
        row["check_id"], row["outcome"], row["checked"] or 0, row["faults"] or 0, row["area_m2"],
        row["meaning"] or "", tuple(largest[:LARGEST]),
    )  # fmt: skip
