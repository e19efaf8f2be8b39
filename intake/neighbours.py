"""The reference table ``neighbours``: which areas lie beside each area of the region.

Belongs here: bringing the admitted boundaries and the region's codes together. Where the boundary
file covers more than the region, the neighbours beyond its edge are there too.
Does not belong here: what a neighbour is (``geography/boundaries/neighbours.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.contracts import Source
from declarations.errors import StorageError
from geography.boundaries.neighbours import neighbours
from intake.borders import borders_in
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.sql import ident

if TYPE_CHECKING:
    import duckdb

    from warehouse.workspace import Workspace

ROLE = "neighbours"
NEIGHBOURS = TableRef("reference", f"reference_{ROLE}")

TOLERANCE = 1.0
"""Metres two areas may be apart: files rounded to whole metres tear borders by no more.

On the generalised boundaries of England and Wales it adds no neighbour.
"""
ROWS = "neighbours_found"


def neighbours_query(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, areas: TableRef, source: Source
) -> str:
    """Return the query of the neighbours of every area of the region.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the admitted boundaries as a view of the source's id; takes the rows found.
    workspace : Workspace
    areas : TableRef
        The region's areas, already made.
    source : Source
        The source of the boundaries, which may cover more than the region.

    Returns
    -------
    str
        lsoa21cd (an area of the region), neighbour_lsoa21cd, kind (border, corner, or nearest for
        an area without either), border_metres BIGINT, in_region (whether the neighbour is).

    Raises
    ------
    StorageError
        If the region's areas have not been made.
    GeographyError
        If the boundaries cannot be used.
    """
    scan = workspace.lake.scan(areas)
    if scan is None:
        raise StorageError(
            "The region's areas are missing, so that their neighbours are not known",
            f"Run 'lsoalink run {workspace.declared.root.name}' again",
        )
    own = run(connection, f"SELECT lsoa21cd FROM {scan}", table=ROLE).fetchall()
    rows = run(
        connection, f"SELECT lsoa21cd, geometry FROM {ident(source.id)}", table=ROLE
    ).to_arrow_table()
    found = neighbours(
        borders_in(rows), region={code for (code,) in own}, tolerance=TOLERANCE, islands="nearest"
    )
    connection.register(ROWS, found.table(own=True))
    return (
        "SELECT code AS lsoa21cd, neighbour AS neighbour_lsoa21cd, kind, "
        "CAST(round(border) AS BIGINT) AS border_metres, neighbour_in_region AS in_region "
        f"FROM {ROWS} ORDER BY ALL"
    )
