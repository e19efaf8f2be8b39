"""Variants of the made-up region in which a small count is exposed unless detail is withheld.

Belongs here: deliveries with other counts, and what a test reads of a release. Does not belong
here: any expectation of a test. Everything describes synthetic people in a place that does not
exist.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from region_factory import (
    AREAS,
    NO_FIXED_ABODE,
    NORTH,
    NOT_PLACED,
    OPENED,
    POSTCODE_OF,
    SOUTH,
    case_lines,
    make_workspace,
    put,
)

from governance.disclosure.counts import Published, bounds, protect
from governance.disclosure.profiles import profile
from warehouse.keys import KeyRing
from warehouse.workspace import Workspace

EXPOSED = {"E01990005": 22}
"""With 4 beside it the MSOA has 26, which is shown as 25: so the 4 cannot be 0."""

WITHHELD_NOTES = {"shown_with_neighbour", "shown_for_msoa", "withheld"}

MOST = 45
"""More cases than any figure of the region allows a neighbourhood."""

DELIVERY_OF = {NORTH: "north_cases", SOUTH: "south_cases"}


class World(NamedTuple):
    """Counts that the three southern neighbourhoods, and nowhere in particular, may have."""

    four: int
    five: int
    six: int
    unplaced: int


def deliver(
    landing: Path,
    changes: Mapping[str, int],
    *,
    not_placed: int = NOT_PLACED,
    name: str = "cases_2026-03.csv",
    districts: tuple[str, ...] = (SOUTH,),
) -> None:
    """Put deliveries of cases in the landing folder whose counts differ from the usual ones."""
    opened = OPENED | dict(changes)
    for district in districts:
        places = [(POSTCODE_OF[area], n) for area, (_, _, lad) in AREAS.items() if lad == district
                  for n in range(opened[area])]  # fmt: skip
        if district == SOUTH:
            places += [(NO_FIXED_ABODE, n) for n in range(1, not_placed + 1)]
        cases = [
            {"person_id": f"{district}-{postcode}-{n}", "postcode": postcode,
             "service": "support" if n % 3 == 0 else "advice"}
            for postcode, n in places
        ]  # fmt: skip
        put(landing, DELIVERY_OF[district], name, case_lines(cases))


def make_exposed(
    folder: Path,
    changes: Mapping[str, int] | None = None,
    *,
    content: dict[str, dict[str, Any]] | None = None,
    keys: KeyRing | None = None,
    **more: Any,
) -> Workspace:
    """Write the region with counts of which a small one could be worked back."""
    workspace = make_workspace(folder, content, keys=keys)
    deliver(workspace.landing, EXPOSED if changes is None else changes, **more)
    return workspace


def into_one_msoa(workspace: Workspace) -> None:
    """Put the three southern neighbourhoods into one MSOA."""
    path = workspace.landing / "areas" / "areas.geojson"
    text = path.read_text(encoding="utf-8")
    text = text.replace("E02990004", "E02990003").replace("Testmere 004A", "Testmere 003C")
    put(workspace.landing, "areas", path.name, [text])


def rows_of_release(folder: Path, table: str) -> list[dict[str, str]]:
    """Return the rows of one of a release's CSV files."""
    with (folder / "csv" / f"{table}.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def southern_worlds(folder: Path, *, as_if_shown: Mapping[str, int] | None = None) -> list[World]:
    """Return every set of southern counts that fits a release's figures of cases opened.

    By trying them all, and from the published files alone: nothing of the platform's own attack is
    used but what a published figure stands for.

    Parameters
    ----------
    as_if_shown : mapping of str to int, optional
        Figures (None is not among them) to be read in place of withheld ones.
    """
    chosen = profile("hide0-r5")
    said: dict[str, tuple[float, float]] = {}
    for row in rows_of_release(folder, "observations"):
        if row["indicator_id"] != "T01":
            continue
        if as_if_shown is not None and row["geography_code"] in as_if_shown:
            shown: Published = protect(as_if_shown[row["geography_code"]], chosen)
        elif {"shown_with_neighbour", "shown_for_msoa", "withheld"} & set(
            row["note_id"].split(",")
        ):
            continue
        else:
            shown = Published(int(row["numerator"]) if row["numerator"] else None,
                              row["value_status"] or None)  # fmt: skip
        said[row["geography_code"]] = bounds(*shown, chosen)
    for row in rows_of_release(folder, "combined_observations"):
        if row["indicator_id"] == "T01":
            shown = Published(int(row["numerator"]) if row["numerator"] else None,
                              row["value_status"] or None)  # fmt: skip
            said[row["geography_code"]] = bounds(*shown, chosen)

    def fits(area: str, count: int) -> bool:
        low, high = said.get(area, (0, MOST))
        return low <= count <= high

    return [
        World(four, five, six, unplaced)
        for four in range(MOST)
        if fits("E01990004", four)
        for five in range(MOST)
        if fits("E01990005", five)
        and fits("E02990003", four + five)
        and fits("E01990004+E01990005", four + five)
        for six in range(MOST)
        if fits("E01990006", six) and fits("E02990004", six)
        for unplaced in range(MOST)
        if fits(SOUTH, four + five + six + unplaced)
    ]
