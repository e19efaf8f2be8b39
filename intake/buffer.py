"""The reference table ``buffer``: the areas beyond the region's edge, and what they lie beside.

An area at the edge has neighbours outside the region. Those within ``buffer_rings`` steps
(``region.yaml``) stand here, so that it can be compared with all of its neighbours. They serve as
neighbours only: nothing is ever published of them.

Belongs here: which areas they are and how they are linked. Does not belong here: what a neighbour
is (``geography/boundaries/neighbours.py``), or any figure of theirs
(``indicators/place/beyond.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from declarations.errors import StorageError
from geography.boundaries.neighbours import neighbours
from intake.borders import borders_in
from intake.neighbours import TOLERANCE
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.sql import ident
from warehouse.workspace import Absent, Workspace

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from declarations.contracts import Source
    from geography.boundaries.neighbours import Neighbours

ROLE = "buffer"
BUFFER = TableRef("reference", f"reference_{ROLE}")
AREAS = TableRef("reference", "reference_areas")
ROWS = "buffer_found"

SWITCHED_OFF = "buffer_rings is 0 in region.yaml"
NOTHING_BEYOND = "the boundary file ends with the region"


def buffer_query(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, areas: TableRef, source: Source
) -> str | Absent:
    """Return the query of the areas beyond the edge and their neighbours.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the admitted boundaries as a view of the source's id; takes the rows found.
    workspace : Workspace
    areas : TableRef
        The region's areas, already made.
    source : Source
        The source of the boundaries.

    Returns
    -------
    str or Absent
        lsoa21cd (an area beyond the edge), ring INTEGER (steps from the region, from 1),
        neighbour_lsoa21cd, kind (border, corner, nearest), border_metres BIGINT, in_region (whether
        the neighbour is the region's). Links from the outermost ring are those to the region and
        to the buffer alone.

    Raises
    ------
    StorageError
        If the region's areas have not been made.
    GeographyError
        If the boundaries cannot be used.
    """
    rings = workspace.declared.region.buffer_rings
    if rings == 0:
        return Absent(SWITCHED_OFF)
    scan = workspace.lake.scan(areas)
    if scan is None:
        raise StorageError(
            "The region's areas are missing, so that what lies beyond them is not known",
            f"Run 'lsoalink run {workspace.declared.root.name}' again",
        )
    own = {code for (code,) in run(connection, f"SELECT lsoa21cd FROM {scan}", table=ROLE)
           .fetchall()}  # fmt: skip
    rows = run(
        connection, f"SELECT lsoa21cd, geometry FROM {ident(source.id)}", table=ROLE
    ).to_arrow_table()
    if rows.num_rows == len(own):
        return Absent(NOTHING_BEYOND)
    found = neighbours(
        borders_in(rows), region=own, orders=rings, tolerance=TOLERANCE, islands="nearest"
    )
    if found.in_region.all():
        return Absent(NOTHING_BEYOND)
    table = found.table()
    ring = pa.array(rings_of(found)[found.first], pa.int64())
    connection.register(ROWS, table.append_column("ring", ring))
    return (
        "SELECT code AS lsoa21cd, CAST(ring AS INTEGER) AS ring, neighbour AS neighbour_lsoa21cd, "
        "kind, CAST(round(border) AS BIGINT) AS border_metres, neighbour_in_region AS in_region "
        f"FROM {ROWS} WHERE NOT in_region ORDER BY ALL"
    )


def rings_of(found: Neighbours) -> NDArray[np.int64]:
    """Return how many links each area is from the region, in the order of the codes.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 for the region's own; -1 for one no link leads to.
    """
    ring = np.where(found.in_region, 0, -1).astype(np.int64)
    step = 0
    while True:
        reached = np.unique(found.second[ring[found.first] == step])
        new = reached[ring[reached] < 0]
        if not len(new):
            return ring
        step += 1
        ring[new] = step
