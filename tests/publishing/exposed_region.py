"""Variants of the made-up region in which small counts can be worked back unless detail is withheld.

Belongs here: deliveries with other counts, and what a test reads of a release. Does not belong
here: any expectation of a test. Everything describes synthetic people in a place that does not
exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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

from warehouse.keys import KeyRing
from warehouse.workspace import Workspace

EXPOSED = {"E01990005": 22}
"""With 4 beside it the MSOA has 26, which is shown as 25: so the 4 cannot be 0."""

DELIVERY_OF = {NORTH: "north_cases", SOUTH: "south_cases"}


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
        places = [POSTCODE_OF[a] for a, (_, _, lad) in AREAS.items() if lad == district
                  for _ in range(opened[a])]  # fmt: skip
        if district == SOUTH:
            places += [NO_FIXED_ABODE] * not_placed
        cases = [{"person_id": f"{district}-{n}", "postcode": p} for n, p in enumerate(places)]
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
