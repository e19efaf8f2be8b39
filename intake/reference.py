"""Reference tables: the region's areas and the lookups by which records are placed.

Belongs here: turning admitted reference sources into the tables ``geography.placement`` wants, cut
to the region, checked against what the region declares.
Does not belong here: the meaning of a lookup (``geography/``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.contracts import Source
from declarations.declared import digest
from declarations.errors import ConfigurationError, GeographyError
from geography.changes.completeness import check_complete
from geography.changes.vintages import pair_weights_sql, validate_changes, weighted_changes_sql
from intake.admission import admitted_table
from intake.area_lookups import area_lookups_query, custom_fingerprint
from intake.buffer import buffer_query
from intake.neighbours import neighbours_query
from intake.reference_plan import MADE_AFTER, inputs_of
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.sql import ident, literal
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb

AREAS = TableRef("reference", "reference_areas")


def reference_table(role: str) -> TableRef:
    """Return the reference table of a role."""
    return TableRef("reference", f"reference_{role}")


def build_reference(workspace: Workspace, role: str) -> Built:
    """Make one reference table.

    Raises
    ------
    GeographyError
        If the areas are not those the region declares, or a lookup contradicts itself.
    ConfigurationError
        If a source the table needs was not admitted.
    """
    sources = inputs_of(workspace.declared, role)
    wanted = fingerprint(
        ["reference", role, workspace.code_version, digest(workspace.declared.region)],
        [workspace.state_of(admitted_table(s)) for s in sources],
        [workspace.state_of(reference_table(r)) for r in MADE_AFTER.get(role, ())],
        custom_fingerprint(workspace.declared) if role == "area_lookups" else "",
    )

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        present: list[Source] = []
        for source in sources:
            scan = workspace.lake.scan(admitted_table(source))
            if scan is None and present and _is_optional(workspace, source):
                continue
            if scan is None:
                return _lacking(workspace, role, source)
            present.append(source)
            run(connection, f"CREATE VIEW {ident(source.id)} AS SELECT * FROM {scan}", table=role)
        if role == "areas":
            return _areas(connection, workspace, sources)
        if role == "lsoa_changes":
            return _changes(connection, workspace, present)
        if role == "postcodes":
            return _postcodes(connection, sources)
        if role == "area_lookups":
            return area_lookups_query(connection, workspace, AREAS, present)
        if role == "neighbours":
            return neighbours_query(connection, workspace, AREAS, sources[0])
        if role == "buffer":
            return buffer_query(connection, workspace, AREAS, sources[0])
        return f"SELECT * EXCLUDE (record_id) FROM {ident(sources[0].id)} ORDER BY record_id"

    return workspace.build(
        reference_table(role), fingerprint=wanted, produce=produce, encryption=True,
        inputs=[s.id for s in sources],
    )  # fmt: skip


def _is_optional(workspace: Workspace, source: Source) -> bool:
    """Whether a table is made without what a source brings where it did not come.

    A lookup that did not come takes its own levels away and no others; without output areas,
    complex changes stay without weights.
    """
    return workspace.declared.contract_of(source).role in ("area_lookups", "output_areas")


def _lacking(workspace: Workspace, role: str, source: Source) -> Absent:
    if role != "areas":
        return Absent(f"{source.id} was not delivered or not admitted")
    raise ConfigurationError(
        f"The region {workspace.declared.region.id} has no areas: {source.id} was not delivered or "
        "not admitted",
        f"Put the file into {workspace.landing / source.id}, and see 'lsoalink status'",
    )


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    rows = connection.execute(f"DESCRIBE {ident(table)}").fetchall()
    return {str(row[0]) for row in rows}


def _areas(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, sources: list[Source]
) -> str:
    region = workspace.declared.region
    districts = ", ".join(f"({literal(d.lad24cd)}, {literal(d.name)})" for d in region.districts)
    run(
        connection,
        f"CREATE TEMP TABLE districts AS SELECT * FROM (VALUES {districts}) v(lad24cd, name)",
        table=AREAS.name,
    )
    own = _columns(connection, sources[0].id)
    hierarchy = _columns(connection, sources[1].id) if len(sources) > 1 else set()

    def take(column: str) -> str:
        found = [
            f"{alias}.{ident(column)}" for alias, has in (("h", hierarchy), ("a", own))
            if column in has
        ]  # fmt: skip
        return f"coalesce({', '.join(found)})" if found else "CAST(NULL AS VARCHAR)"

    join = (
        f"LEFT JOIN {ident(sources[1].id)} h ON h.lsoa21cd = a.lsoa21cd" if len(sources) > 1 else ""
    )
    run(
        connection,
        f"""
        CREATE TEMP TABLE region_areas AS
        SELECT a.lsoa21cd, a.lsoa21nm, {take("msoa21cd")} AS msoa21cd,
               -- An LSOA's name is its MSOA's name and a letter (ONS naming of 2021 areas).
               coalesce({take("msoa21nm")}, regexp_replace(a.lsoa21nm, '[A-Z]$', '')) AS msoa21nm,
               {take("wd24cd")} AS wd24cd, {take("wd24nm")} AS wd24nm,
               d.lad24cd, d.name AS lad24nm, a.geometry
        FROM {ident(sources[0].id)} a {join}
        JOIN districts d ON d.lad24cd = {take("lad24cd")}
        """,
        table=AREAS.name,
    )
    facts = connection.execute(
        "SELECT count(*), count(DISTINCT lsoa21cd), count(*) FILTER (msoa21cd IS NULL), "
        "count(DISTINCT lad24cd) FROM region_areas"
    ).fetchone()
    count, different, without_msoa, lads = facts if facts else (0, 0, 0, 0)
    expected = region.expected_lsoas
    if count != different:
        raise GeographyError(f"{count - different} LSOAs stand twice in the areas of {region.id}")
    if expected is not None and count != expected:
        raise GeographyError(
            f"The areas of {region.id} are {count} LSOAs, and region.yaml expects {expected}",
            "Deliver the complete boundary file, or correct expected_lsoas",
        )
    if without_msoa:
        raise GeographyError(
            f"{without_msoa} LSOAs of {region.id} have no MSOA", "Add a source of role hierarchy"
        )
    if lads != len(region.districts):
        raise GeographyError(
            f"Only {lads} of the {len(region.districts)} districts of {region.id} have LSOAs",
            "Correct the district codes in region.yaml",
        )
    return "SELECT * FROM region_areas ORDER BY lsoa21cd"


def _changes(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, sources: list[Source]
) -> str:
    table = "reference_lsoa_changes"
    given = {s.id for s in sources}
    of_role = {r: workspace.declared.reference_source(r) for r in ("areas", "output_areas")}
    areas, output_areas = (s.id if s and s.id in given else None for s in of_role.values())
    residents = [s.id for s in sources[1:] if s.id not in (areas, output_areas)]
    run(
        connection,
        f"CREATE TEMP TABLE changes AS SELECT lsoa11cd, lsoa21cd, chgind "
        f"FROM {ident(sources[0].id)}",
        table=table,
    )
    validate_changes(connection, "changes")
    if areas:
        known = f"SELECT DISTINCT lsoa21cd FROM {ident(areas)} WHERE lsoa21cd IS NOT NULL"
        run(connection, f"CREATE TEMP TABLE known_lsoas AS {known}", table=table)
        check_complete(connection, "changes", known_lsoa21="known_lsoas")
    if residents:
        weights = f"SELECT lsoa AS lsoa21cd, residents FROM {ident(residents[0])}"
    else:
        weights = "SELECT CAST(NULL AS VARCHAR) AS lsoa21cd, CAST(NULL AS BIGINT) AS residents"
    run(connection, f"CREATE TEMP TABLE residents AS {weights}", table=table)
    pairs = _pair_weights(connection, output_areas)
    query = weighted_changes_sql("changes", "residents", pair_weights=pairs)
    return f"SELECT * FROM ({query}) ORDER BY ALL"


def _pair_weights(connection: duckdb.DuckDBPyConnection, output_areas: str | None) -> str | None:
    """Weigh complex pairs by their output areas, where the lookup says both LSOAs of each."""
    needed = {"lsoa11cd", "lsoa21cd", "oa_residents"}
    if output_areas is None or not needed <= _columns(connection, output_areas):
        return None
    query = pair_weights_sql(output_areas, "oa_residents")
    run(connection, f"CREATE TEMP TABLE pairs AS {query}", table="reference_lsoa_changes")
    return "pairs"


def _postcodes(connection: duckdb.DuckDBPyConnection, sources: list[Source]) -> str:
    from geography.postal.directories import select_directory_sql  # noqa: PLC0415

    directory = select_directory_sql(connection, sources[0].id)
    order = "ORDER BY p.pcds, p.dointr, p.doterm"
    if len(sources) == 1:
        columns = _postcode_columns("p.easting", "p.northing", "NULL")
        return f"{columns} FROM ({directory}) p {order}"
    points = _postcode_points(connection, sources[1])
    columns = _postcode_columns(
        "coalesce(p.easting, q.easting)", "coalesce(p.northing, q.northing)", "q.point_quality"
    )
    return f"{columns} FROM ({directory}) p LEFT JOIN ({points}) q ON q.pcds = p.pcds {order}"


def _postcode_columns(easting: str, northing: str, point_quality: str) -> str:
    """SQL: what is kept of a directory. The two scales of quality stay in two columns."""
    return (
        f"SELECT p.pcds, p.dointr, p.doterm, {easting} AS easting, {northing} AS northing, "
        f"p.quality, CAST({point_quality} AS INTEGER) AS point_quality, p.oa21cd, p.lsoa11cd, "
        "p.lsoa21cd"
    )


def _postcode_points(connection: duckdb.DuckDBPyConnection, source: Source) -> str:
    from geography.postal.postcodes import normalise_sql  # noqa: PLC0415

    quality = "min(quality)" if "quality" in _columns(connection, source.id) else "NULL"
    return (
        f"SELECT {normalise_sql('postcode')} AS pcds, min(easting) AS easting, "
        f"min(northing) AS northing, {quality} AS point_quality FROM {ident(source.id)} GROUP BY 1"
    )


def known_lsoas_sql(workspace: Workspace) -> str | None:
    """Return the SELECT of every 2021 LSOA the region's boundary file knows, or None."""
    source = workspace.declared.reference_source("areas")
    scan = workspace.lake.scan(admitted_table(source)) if source else None
    return f"SELECT DISTINCT lsoa21cd FROM {scan}" if scan else None
