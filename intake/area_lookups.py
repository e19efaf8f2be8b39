"""The reference table ``area_lookups``: every larger area an LSOA of the region belongs to.

Belongs here: bringing the region's own levels, the admitted lookups and the areas it draws itself
into one long table, and stopping where one of them does not fit the region.
Does not belong here: what a hierarchy or a custom area is (``geography/``).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from declarations.areas import CustomArea
from declarations.contracts import AreaLevel, Source
from geography.custom_areas import check_codes, match_polygon, read_polygon
from geography.hierarchies import Fit, Hierarchy, Link, check_nesting, fit_of
from geography.sql import columns_of
from intake.borders import borders_of
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.sql import ident, literal

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import geopandas

    from declarations.declared import RegionDeclarations
    from warehouse.workspace import Workspace

ROLE = "area_lookups"
AREA_LOOKUPS = TableRef("reference", f"reference_{ROLE}")
CUSTOM = "custom"
"""The level of the areas a region draws itself."""

REGION, KNOWN, FOUND = "region_lsoas", "known_lsoas", "found_areas"
OWN_COLUMNS = ("lsoa21cd", "msoa21cd", "lad24cd")
OUTSIDE_SHARE = 0.01
"""A polygon of which more than this share lies beyond the region's LSOAs leaves it."""


@dataclass(frozen=True)
class RegionCodes:
    """The codes a custom area is held to, and the region's borders when a polygon asks for them.

    Attributes
    ----------
    region, known, known_2011 : frozenset of str
        LSOAs of 2021 of the region, of anywhere, and of 2011, as far as its files list them.
    borders : callable
        Returns ``lsoa21cd`` and the polygons of the region, EPSG:27700.
    """

    region: frozenset[str]
    known: frozenset[str]
    known_2011: frozenset[str]
    borders: Callable[[], geopandas.GeoDataFrame]


@dataclass(frozen=True)
class ResolvedArea:
    """A custom area's LSOAs, and the share of its polygon outside the region (0 for a list)."""

    codes: tuple[str, ...]
    outside_share: float


def resolve_area(area: CustomArea, file: Path, codes: RegionCodes) -> ResolvedArea:
    """Return the LSOAs of a custom area.

    Parameters
    ----------
    area : CustomArea
    file : Path
        Its declaration; a polygon lies beside it.
    codes : RegionCodes

    Raises
    ------
    GeographyError
        If it names codes that are not the region's, or its polygon cannot be used.
    """
    where = f"areas/{file.name}"
    if area.lsoas is not None:
        found = check_codes(
            area.lsoas, codes.region, where, known=codes.known, known_2011=codes.known_2011
        )
        return ResolvedArea(found, 0.0)
    border = read_polygon(file.parent / str(area.polygon), area.crs)
    match = match_polygon(border, codes.borders(), area.rule, where)
    return ResolvedArea(match.codes, match.outside_share)


def custom_fingerprint(declared: RegionDeclarations) -> str:
    """Return a hash of the region's own areas: what their files say and what polygons they name."""
    parts: list[str] = []
    for area in declared.areas.values():
        parts.append(area.model_dump_json())
        if area.polygon is not None:
            with (_file_of(declared, area).parent / area.polygon).open("rb") as file:
                parts.append(hashlib.file_digest(file, "sha256").hexdigest())
    return fingerprint(parts)


def _file_of(declared: RegionDeclarations, area: CustomArea) -> Path:
    return declared.files[f"areas/{area.id}"]


def area_lookups_query(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, areas: TableRef, present: Sequence[Source]
) -> str:
    """Gather every level into one table.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds a view of each admitted source, named by its id.
    workspace : Workspace
    areas : TableRef
        The region's areas, made already.
    present : sequence of Source
        The sources that were admitted.

    Returns
    -------
    str
        A query for ``level, area_code, area_name, lsoa21cd, fit, lsoas_outside, source_id``.

    Raises
    ------
    GeographyError
        If a lookup gives an LSOA of the region no or several areas, or a custom area does not fit.
    """
    declared = workspace.declared
    role_of = {s.id: declared.contract_of(s).role for s in present}
    run(
        con,
        f"CREATE TEMP TABLE {REGION} AS "
        f"SELECT * EXCLUDE (geometry) FROM {workspace.lake.scan(areas)}",
        table=areas.name,
    )
    _known_lsoas(con, [s for s in present if role_of[s.id] in ("areas", "hierarchy", ROLE)])
    run(
        con,
        f"CREATE TEMP TABLE {FOUND} (level VARCHAR, area_code VARCHAR, area_name VARCHAR, "
        "lsoa21cd VARCHAR, fit VARCHAR, lsoas_outside INTEGER, source_id VARCHAR)",
        table=AREA_LOOKUPS.name,
    )
    lookups = [s for s in present if role_of[s.id] == ROLE]
    given = {lv.level for s in declared.reference_sources(ROLE) for lv in _levels(workspace, s)}
    _own_levels(con, given)
    for source in lookups:
        for level in _levels(workspace, source):
            _one_level(con, workspace, source, level)
    changes = next((s for s in present if role_of[s.id] == "lsoa_changes"), None)
    _custom_areas(con, workspace, areas, changes)
    return f"SELECT * FROM {FOUND} ORDER BY level, area_code, lsoa21cd"


def _levels(workspace: Workspace, source: Source) -> list[AreaLevel]:
    return workspace.declared.contract_of(source).levels


def _known_lsoas(con: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> None:
    """Every LSOA any file knows, with its MSOA and district as far as one says.

    The files are national, so they tell how much of an area lies beyond the region.
    """
    parts = [f"SELECT {', '.join(OWN_COLUMNS)} FROM {REGION}"]
    for source in sources:
        present = columns_of(con, source.id)
        if "lsoa21cd" in present:
            taken = (
                ident(c) if c in present else f"CAST(NULL AS VARCHAR) AS {ident(c)}"
                for c in OWN_COLUMNS
            )  # fmt: skip
            parts.append(f"SELECT {', '.join(taken)} FROM {ident(source.id)}")
    run(
        con,
        f"CREATE TEMP TABLE {KNOWN} AS SELECT lsoa21cd, max(msoa21cd) AS msoa21cd, "
        f"max(lad24cd) AS lad24cd FROM ({' UNION ALL '.join(parts)}) "
        "WHERE lsoa21cd IS NOT NULL GROUP BY 1",
        table=AREA_LOOKUPS.name,
    )


def _own_levels(con: duckdb.DuckDBPyConnection, given: set[str]) -> None:
    """The levels the areas themselves name. None of these crosses a district's border."""
    own: list[tuple[str, Fit]] = [("msoa21", "exact"), ("lad24", "exact")]
    (unknown,) = con.execute(f"SELECT count(*) - count(wd24cd) FROM {REGION}").fetchone() or (1,)
    if "wd24" not in given and not unknown:
        own.append(("wd24", "best_fit"))
    for level, fit in own:
        check_nesting(con, Link("lsoa21", level, REGION, fit))
        run(
            con,
            f"INSERT INTO {FOUND} SELECT '{level}', {level}cd, {level}nm, lsoa21cd, '{fit}', 0, "
            f"'reference_areas' FROM {REGION}",
            table=AREA_LOOKUPS.name,
        )


def _one_level(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, source: Source, level: AreaLevel
) -> None:
    key = workspace.declared.contract_of(source).levels_of or "lsoa21cd"
    child = key.removesuffix("cd")
    whole, mine = f"{source.id}_{level.level}_all", f"{source.id}_{level.level}"
    code = f"{level.level}cd"
    name = ident(level.name) if level.name else "CAST(NULL AS VARCHAR)"
    run(
        con,
        f"CREATE TEMP TABLE {ident(whole)} AS SELECT DISTINCT {ident(key)}, "
        f"{ident(level.code)} AS {ident(code)}, min({name}) OVER (PARTITION BY "
        f"{ident(level.code)}) AS area_name FROM {ident(source.id)} WHERE {ident(key)} IS NOT NULL",
        table=source.id,
    )
    run(
        con,
        f"CREATE TEMP TABLE {ident(mine)} AS SELECT * FROM {ident(whole)} "
        f"WHERE {ident(key)} IN (SELECT {ident(key)} FROM {REGION})",
        table=source.id,
    )
    step = Link(child, level.level, mine, level.fit)
    check_nesting(con, step, children=REGION)
    links = (step,) if child == "lsoa21" else (Link("lsoa21", child, REGION, "exact"), step)
    hierarchy = Hierarchy(links)
    run(
        con,
        f"""
        INSERT INTO {FOUND}
        WITH names AS (SELECT DISTINCT {ident(code)} AS area_code, area_name FROM {ident(mine)}),
        outside AS ({_outside_sql(whole, key, code)})
        SELECT {literal(level.level)}, l.{ident(code)}, n.area_name, l.lsoa21cd,
               {literal(fit_of(links))}, o.lsoas, {literal(source.id)}
        FROM ({hierarchy.lookup_sql("lsoa21", level.level)}) l
        JOIN names n ON n.area_code = l.{ident(code)}
        JOIN outside o ON o.area_code = l.{ident(code)}
        """,
        table=source.id,
    )


def _outside_sql(whole: str, key: str, code: str) -> str:
    """LSOAs of each area beyond the region; NULL where a part of it has no LSOAs we know."""
    return f"""
        SELECT w.{ident(code)} AS area_code,
               CASE WHEN count(*) = count(k.lsoa21cd)
                    THEN count(DISTINCT k.lsoa21cd) FILTER (r.lsoa21cd IS NULL) END AS lsoas
        FROM {ident(whole)} w
        LEFT JOIN {KNOWN} k ON k.{ident(key)} = w.{ident(key)}
        LEFT JOIN {REGION} r ON r.lsoa21cd = k.lsoa21cd
        GROUP BY 1
    """


def _custom_areas(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, areas: TableRef, changes: Source | None
) -> None:
    declared = workspace.declared
    if not declared.areas:
        return

    def column(sql: str) -> frozenset[str]:
        return frozenset(row[0] for row in con.execute(sql).fetchall())

    codes = RegionCodes(
        region=column(f"SELECT lsoa21cd FROM {REGION}"),
        known=column(f"SELECT lsoa21cd FROM {KNOWN}"),
        known_2011=column(f"SELECT DISTINCT lsoa11cd FROM {ident(changes.id)}")
        if changes
        else frozenset(),
        borders=functools.cache(lambda: borders_of(workspace.lake.path(areas))),
    )
    rows: list[dict[str, object]] = []
    for area in declared.areas.values():
        found = resolve_area(area, _file_of(declared, area), codes)
        common = {
            "level": CUSTOM,
            "area_code": area.id,
            "area_name": area.title,
            "fit": area.fit,
            "lsoas_outside": 0 if found.outside_share <= OUTSIDE_SHARE else None,
        }
        rows += [{**common, "lsoa21cd": code} for code in found.codes]
    import pyarrow as pa  # noqa: PLC0415

    texts = ("level", "area_code", "area_name", "lsoa21cd", "fit", "source_id")
    schema = pa.schema([*((t, pa.string()) for t in texts), ("lsoas_outside", pa.int32())])
    con.register("custom_rows", pa.Table.from_pylist(rows, schema=schema))
    run(con, f"INSERT INTO {FOUND} BY NAME SELECT * FROM custom_rows", table=AREA_LOOKUPS.name)
    con.unregister("custom_rows")
