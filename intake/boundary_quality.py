"""How good a region's boundaries are: whether they meet, and how well they place postcodes.

Belongs here: measuring the areas of the reference tables, as rows of the quality table
``boundaries``. Nothing in them is about a person: boundaries and postcode directories are open.
Does not belong here: the measures themselves (``geography.boundaries``), or where the rows are
shown (``publishing/``).

The areas were made valid when their file was admitted, so the row ``validity`` says from the record
of that what was wrong with the outlines of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from declarations.declared import digest
from intake.borders import borders_of
from intake.locator import point_locator
from intake.records import all_records
from intake.reference import AREAS, reference_table
from warehouse.connection import run
from warehouse.provenance import fingerprint
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    from geography.boundaries.accuracy import AccuracyReport
    from geography.boundaries.coverage import Check, CoverageReport

MEASURED_WITH = ("areas", "postcodes", "lsoa_changes")
"""Roles of the reference tables that the measures are made from."""

MOST_POINTS = 200_000
"""Postcodes placed at most: the share of so many is known to a tenth of a per cent."""

PLACING = "placing"

MEANINGS: dict[Check, str] = {
    "validity": "Not a valid polygon; its repaired shape was used",
    "edges": "Its border is not the same line as its neighbour's: maps may show thin cracks",
    "overlap": "Ground in two areas: a point there is given to the smaller code",
    "gap": "Ground between areas in none of them: a point there is not placed",
    "sliver": "Too thin to be an area or a gap anyone meant: rounding when the file was made",
    "opening": "A hole wide enough to be water, ground of an area that is not in the region, or an "
    "inlet of the coast",
}


def boundaries_fingerprint(workspace: Workspace) -> str:
    """Return the fingerprint over everything the rows depend on."""
    return fingerprint(
        ["quality", "boundaries", workspace.code_version, digest(workspace.declared.region)],
        [f"{role}={workspace.state_of(reference_table(role))}" for role in MEASURED_WITH],
        sorted(f"{name}={number}" for name, number in _outlines(workspace).items()),
    )


def boundary_rows(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection
) -> list[dict[str, Any]] | None:
    """Measure the region's boundaries.

    Returns
    -------
    list of dict or None
        For each check a row of the whole (empty ``area_code``) and one of each district or
        finding, in the columns of the quality table ``boundaries``; None where the region has no
        areas.
    """
    from geography.boundaries.coverage import check_coverage  # noqa: PLC0415

    if not workspace.lake.path(AREAS).is_file():
        return None
    source = workspace.declared.reference_source("areas")
    about = {"source_id": source.id if source else AREAS.name}
    names = {d.lad24cd: d.name for d in workspace.declared.region.districts}
    accuracy = _accuracy(workspace, connection)
    rows = _placing_rows(accuracy, _left_out(workspace, connection), names)
    report = check_coverage(borders_of(workspace.lake.path(AREAS)))
    rows += [
        row | _validity(_outlines(workspace), row) if row["check_id"] == "validity" else row
        for row in _coverage_rows(report)
    ]
    return [about | row for row in rows]


def _outlines(workspace: Workspace) -> dict[str, int]:
    """Return what admission found in the boundary file of the areas; empty where it is unknown."""
    source = workspace.declared.reference_source("areas")
    found: dict[str, int] = {}
    for source_id, _, record in all_records(workspace, "outlines"):
        if source is not None and source_id == source.id:
            found = record
    return found


def _validity(outlines: Mapping[str, int], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the row of the whole says otherwise, by the outlines of the file.

    Shapes that were repaired or left out are a fault; outlines of one area in several rows are
    another way of writing it, and are listed.
    """
    if not outlines or row["area_code"]:
        return {}
    done = {
        "repaired": outlines["repaired"],
        "joined to another of the same code": outlines["duplicates"],
        "left out as empty": outlines["empty"],
        "left out without a code": outlines["without_code"],
    }
    faults = row["faults"] + sum(done.values())
    only_joined = faults == outlines["duplicates"]
    changed = ", ".join(f"{number:,} {what}" for what, number in done.items() if number)
    return {
        "outcome": "passed" if not faults else "listed" if only_joined else "failed",
        "checked": outlines["read"],
        "faults": faults,
        "meaning": f"Of {outlines['read']:,} outlines in the file: {changed}"
        if changed
        else row["meaning"],
    }


def _official_sql(workspace: Workspace) -> str | None:
    """Return the SELECT of live postcodes with a position and the 2021 area they belong to.

    A directory of 2011 areas tells the 2021 area where the old one was left as it is or merged;
    which part of a split or redrawn one it is would be what is to be measured.
    """
    postcodes = workspace.lake.scan(reference_table("postcodes"))
    if postcodes is None:
        return None
    changes = workspace.lake.scan(reference_table("lsoa_changes"))
    known = (
        f"SELECT lsoa11cd, lsoa21cd FROM {changes} WHERE chgind IN ('U', 'M')"
        if changes
        else "SELECT '' AS lsoa11cd, '' AS lsoa21cd WHERE false"
    )
    return f"""
    SELECT p.pcds, p.easting, p.northing, p.lsoa11cd, coalesce(p.lsoa21cd, c.lsoa21cd) AS official
    FROM {postcodes} p LEFT JOIN ({known}) c ON c.lsoa11cd = p.lsoa11cd
    WHERE p.doterm IS NULL AND p.easting IS NOT NULL AND p.northing IS NOT NULL
    """


def _accuracy(workspace: Workspace, connection: duckdb.DuckDBPyConnection) -> AccuracyReport:
    from geography.boundaries.accuracy import AccuracyReport, measure_accuracy  # noqa: PLC0415

    official = _official_sql(workspace)
    if official is None:
        return AccuracyReport(0, 0, 0)
    # Every k-th in the order of the postcodes is the same sample each time, and covers the region.
    found: dict[str, NDArray[np.object_]] = run(
        connection,
        f"""
        SELECT easting, northing, official, lad24cd FROM (
            SELECT o.*, a.lad24cd, row_number() OVER (ORDER BY o.pcds) AS place,
                   count(*) OVER () AS points
            FROM ({official}) o JOIN {workspace.lake.scan(AREAS)} a ON a.lsoa21cd = o.official
        ) WHERE place % CAST(ceil(points / {MOST_POINTS}) AS BIGINT) = 0
        ORDER BY place
        """,
        table=reference_table("postcodes").name,
    ).fetchnumpy()
    if not len(found["official"]):
        return AccuracyReport(0, 0, 0)
    return measure_accuracy(
        point_locator(workspace),
        found["easting"],
        found["northing"],
        found["official"],
        found["lad24cd"],
    )


def _left_out(workspace: Workspace, connection: duckdb.DuckDBPyConnection) -> int:
    """Count the live postcodes of the region whose 2021 area the directory does not tell."""
    official = _official_sql(workspace)
    changes = workspace.lake.scan(reference_table("lsoa_changes"))
    if official is None or changes is None:
        return 0
    row = run(
        connection,
        f"""
        SELECT count(*) FROM ({official}) o WHERE o.official IS NULL AND o.lsoa11cd IN (
            SELECT c.lsoa11cd FROM {changes} c
            JOIN {workspace.lake.scan(AREAS)} a ON a.lsoa21cd = c.lsoa21cd)
        """,
        table=reference_table("postcodes").name,
    ).fetchone()
    return int(row[0]) if row else 0


def _placing_rows(
    report: AccuracyReport, left_out: int, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    from geography.boundaries.accuracy import grade  # noqa: PLC0415

    rows = []
    for code, part in (("", report), *report.districts):
        judged = grade(part)
        rows.append(
            {
                "check_id": PLACING,
                "area_code": code,
                "area_name": names.get(code),
                "other_code": "",
                "outcome": judged.level,
                "checked": part.points,
                "faults": part.points - part.agreeing,
                "outside": part.outside,
                "left_out": None if code else left_out,
                "share": part.share,
                "lower_ci": part.lower,
                "upper_ci": part.upper,
                "meaning": judged.words,
            }
        )
    return rows


def _coverage_rows(report: CoverageReport) -> list[dict[str, Any]]:
    from geography.boundaries.coverage import CHECKS  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    for check in CHECKS:
        found = report.of(check)
        bad = "listed" if check == "opening" else "failed"
        rows.append(
            {
                "check_id": check,
                "area_code": "",
                "other_code": "",
                "outcome": bad if found else "passed",
                "checked": report.areas,
                "faults": len(found),
                "area_m2": report.area_of(check) if found else None,
                "width_m": max((f.width_m or 0.0 for f in found), default=None),
                "meaning": MEANINGS[check],
            }
        )
        rows.extend(
            {
                "check_id": check,
                "area_code": f.code,
                "other_code": f.other,
                "outcome": bad,
                "area_m2": f.area_m2,
                "width_m": f.width_m,
                "meaning": MEANINGS[check],
            }
            for f in found
        )
    return rows
