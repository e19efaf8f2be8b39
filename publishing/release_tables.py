"""The tables of a release, gathered from the lake: only protected or public figures.

Belongs here: which lake tables each release table is made from. Does not belong here: file formats
(``bundle.py``), or when a release may be published (``release.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from declarations.contracts import Source
from declarations.errors import StorageError
from governance.disclosure.counts import CONFIDENTIAL, bounds, protect, protect_count
from governance.disclosure.profiles import default_profile
from indicators.counting import counts_table, statistics_table
from indicators.library import indicators_table, sources_of
from indicators.notes import NOTES
from indicators.plausibility import checks_of, public_rows
from indicators.plausibility.stage import SCHEMA as PLAUSIBILITY_SCHEMA
from indicators.plausibility.stage import plausibility_found
from indicators.tables import AREAS
from indicators.windows import label_of
from intake.accounting import ALL, APPORTIONED, NOT_PLACED, OUT_OF_REGION, PLACED, RECEIVED
from intake.admission import admitted_table
from intake.area_lookups import AREA_LOOKUPS
from intake.arrival import accepted, store_of
from intake.neighbours import NEIGHBOURS
from intake.quality import as_arrow, quality_rows
from intake.received import Delivery, ReceivedStore
from intake.records import read_record
from publishing.derived import DERIVED_OBSERVATIONS, DERIVED_TABLES, derived_table
from publishing.protection import COMBINED, PROTECTED
from warehouse.connection import run
from warehouse.lake import UNPARTITIONED, TableRef
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

METHODS_OF = {
    "uprn": ("uprn",),
    "postcode": ("postcode_exact", "postcode_terminated", "oa_bestfit"),
    "point": ("point",),
    "lsoa": ("lsoa_code", "lsoa11_code"),
    "output_area": ("output_area",),
    "practice": (),
    "district": (),
}
"""The methods by which each location key may place a record; a practice is always apportioned, and
a district is no neighbourhood to place anything in."""

SPLIT_KEYS = frozenset({"practice", "lsoa", "postcode"})
"""The location keys that may have counts split over areas."""

PUBLIC_MEASURES = ("households", "residents")
"""Census figures that stand in ``areas`` as their publisher gives them."""


def release_tables(workspace: Workspace) -> dict[str, pa.Table]:
    """Return the release tables and the quality tables its page shows.

    Counts of sources under an agreement are protected in ``accounting`` as everywhere else; those
    of open data are shown as they are, for anyone can count them.
    """
    quality = quality_rows(workspace)
    with workspace.connect() as connection:
        tables = {
            "areas": _areas(workspace, connection),
            "observations": _observations(workspace, connection),
            "combined_observations": _combined(workspace, connection),
            **{name: _derived(workspace, connection, name) for name in DERIVED_TABLES},
            "area_lookups": _reference_rows(
                workspace, connection, AREA_LOOKUPS, "larger", "level, area_code, lsoa21cd"
            ),
            "area_neighbours": _reference_rows(
                workspace, connection, NEIGHBOURS, "neighbouring", "lsoa21cd, neighbour_lsoa21cd"
            ),
        }
    tables["indicators"] = indicators_table(workspace.declared)
    noted = ("observations", "combined_observations")
    tables["notes"] = _notes(*(tables[name] for name in noted))
    tables["accounting"] = as_arrow("accounting", list(_accounting(workspace, quality)))
    tables["lineage"] = lineage_table(workspace)
    # How many areas a delivery names says how many records it has at least.
    is_open = workspace.declared.is_open
    quality["vintages"] = [row for row in quality["vintages"] if is_open[row["source_id"]]]
    for name in ("deliveries", "decisions", "checks", "vintages", "boundaries"):
        tables[name] = as_arrow(name, quality[name])
    tables["plausibility"] = plausibility_table(
        public_rows(
            plausibility_found(workspace), workspace.declared, checks_of(workspace.declared)
        )
    )
    return tables


def plausibility_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return findings of the plausibility checks as a table; what a row lacks is empty."""
    import pyarrow as pa  # noqa: PLC0415

    return pa.Table.from_pylist(
        [{name: row.get(name) for name in PLAUSIBILITY_SCHEMA.names} for row in rows],
        schema=PLAUSIBILITY_SCHEMA,
    )


def _public_counts_sql(workspace: Workspace, measure: str) -> str | None:
    """Return the SELECT of a census measure by LSOA, where an open source gives it."""
    for source in workspace.declared.suppliers_of(measure):
        scan = workspace.lake.scan(counts_table(source))
        if workspace.declared.is_open[source.id] and source.cadence == "once" and scan:
            return (
                f"SELECT lsoa21cd, sum(value) AS amount FROM {scan} "
                f"WHERE measure = '{measure}' AND lsoa21cd IS NOT NULL GROUP BY 1"
            )
    return None


def _areas(workspace: Workspace, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    columns, joins = [], []
    for measure in PUBLIC_MEASURES:
        sql = _public_counts_sql(workspace, measure)
        if sql is None:
            columns.append(f"CAST(NULL AS BIGINT) AS {measure}")
        else:
            columns.append(f"CAST({measure}_t.amount AS BIGINT) AS {measure}")
            joins.append(f"LEFT JOIN ({sql}) {measure}_t ON {measure}_t.lsoa21cd = a.lsoa21cd")
    # A ward of the areas' own file goes before that of a lookup.
    wards = "SELECT NULL AS lsoa21cd, NULL AS area_code, NULL AS area_name WHERE false"
    lookups = workspace.lake.scan(AREA_LOOKUPS)
    if lookups is not None:
        wards = f"SELECT lsoa21cd, area_code, area_name FROM {lookups} WHERE level = 'wd24'"
    rows = run(
        connection,
        f"SELECT a.* REPLACE (coalesce(a.wd24cd, w.area_code) AS wd24cd, "
        f"CASE WHEN a.wd24cd IS NULL THEN w.area_name ELSE a.wd24nm END AS wd24nm), "
        f"{', '.join(columns)} FROM {workspace.lake.scan(AREAS)} a {' '.join(joins)} "
        f"LEFT JOIN ({wards}) w ON w.lsoa21cd = a.lsoa21cd ORDER BY a.lsoa21cd",
        table="areas",
    ).to_arrow_table()
    return _with_area_facts(workspace, rows)


def _with_area_facts(workspace: Workspace, rows: pa.Table) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    shapes = shapely.from_wkb(rows.column("geometry").to_numpy(zero_copy_only=False))
    hectares = (shapely.area(shapes) / 10_000).round(2)
    synthetic = workspace.declared.region.synthetic == "wholly"
    return (
        rows.drop_columns(["geometry"])
        .append_column("area_hectares", pa.array(hectares, pa.float64()))
        .append_column("synthetic", pa.array([synthetic] * rows.num_rows, pa.bool_()))
    )


def _observations(workspace: Workspace, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    # Every format shows the places the indicator declares: no more is meant by a figure.
    run(
        connection,
        "CREATE TEMP TABLE decimals (indicator_id VARCHAR, decimals INTEGER)",
        table="observations",
    )
    connection.executemany(
        "INSERT INTO decimals VALUES (?, ?)",
        [(i.id, i.decimals) for i in workspace.declared.indicators.values()],
    )
    breaks = workspace.lake.scan(derived_table("series_breaks"))
    sql = f"""
    WITH areas AS (SELECT * EXCLUDE (geometry) FROM {workspace.lake.scan(AREAS)}),
    shown AS (
        SELECT *, datediff('month', period_start, period_end) AS months
        FROM (FROM {workspace.lake.scan(PROTECTED)}
              UNION ALL BY NAME FROM {workspace.lake.scan(DERIVED_OBSERVATIONS)})
    ),
    -- The first period of a series that holds or follows a break, if an earlier one stands before.
    broken AS (
        SELECT s.indicator_id, s.geography_type, s.months, min(s.period_end) AS period_end
        FROM shown s
        JOIN {breaks} b
          ON b.indicator_id = s.indicator_id
         AND s.period_end >= strptime(b.period || '-01', '%Y-%m-%d')
        GROUP BY s.indicator_id, s.geography_type, s.months, b.period
        HAVING min(s.period_end) > (
            SELECT min(e.period_end) FROM shown e
            WHERE e.indicator_id = s.indicator_id AND e.geography_type = s.geography_type
              AND e.months = s.months)
    ),
    marked AS (
        SELECT s.* REPLACE (
                   CASE WHEN s.value IS NOT NULL AND s.period_end IN (
                            SELECT period_end FROM broken k
                            WHERE k.indicator_id = s.indicator_id AND k.months = s.months
                              AND k.geography_type = s.geography_type)
                        THEN concat(s.value_status, '[b]') ELSE s.value_status END
                   AS value_status)
        FROM shown s
    ),
    names AS (
        SELECT DISTINCT 'lsoa21' AS level, lsoa21cd AS code, lsoa21nm AS name, '2021' AS vintage
        FROM areas
        UNION ALL SELECT DISTINCT 'msoa21', msoa21cd, msoa21nm, '2021' FROM areas
        UNION ALL SELECT DISTINCT 'lad24', lad24cd, lad24nm, '2024' FROM areas
    )
    SELECT o.period_start, o.period_end, o.period_label, o.geography_type, o.geography_code,
           n.name AS geography_name, n.vintage AS geography_vintage, o.indicator_id,
           'none' AS breakdown_type, 'all' AS breakdown_value, o.numerator, o.denominator,
           round(o.value, d.decimals) AS value, o.unit, round(o.lower_ci, d.decimals) AS lower_ci,
           round(o.upper_ci, d.decimals) AS upper_ci, o.ci_method, o.value_status, o.note_id
    FROM marked o
    JOIN decimals d ON d.indicator_id = o.indicator_id
    JOIN names n ON n.level = o.geography_type AND n.code = o.geography_code
    ORDER BY ALL
    """
    return run(connection, sql, table="observations").to_arrow_table()


def _derived(workspace: Workspace, connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """Return a table that was made from the published figures."""
    scan = workspace.lake.scan(derived_table(name))
    if scan is None:
        raise StorageError(
            f"The table {name} is missing",
            f"Run 'lsoalink run {workspace.declared.root.name}' again",
        )
    return run(connection, f"SELECT * FROM {scan}", table=name).to_arrow_table()


def _combined(workspace: Workspace, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the figures that stand for several neighbourhoods, with their declared places."""
    sql = f"""
    SELECT o.period_start, o.period_end, o.period_label, o.geography_type, o.geography_code,
           o.members, o.lad24cd, o.indicator_id, o.numerator, o.denominator,
           round(o.value, d.decimals) AS value, o.unit, round(o.lower_ci, d.decimals) AS lower_ci,
           round(o.upper_ci, d.decimals) AS upper_ci, o.ci_method, o.value_status, o.note_id
    FROM {workspace.lake.scan(COMBINED)} o
    JOIN decimals d ON d.indicator_id = o.indicator_id
    ORDER BY ALL
    """
    return run(connection, sql, table="combined_observations").to_arrow_table()


def _reference_rows(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    table: TableRef,
    kind: str,
    order: str,
) -> pa.Table:
    """Return a reference table about areas of some kind, in order."""
    scan = workspace.lake.scan(table)
    if scan is None:
        raise StorageError(
            f"The table of {kind} areas is missing",
            f"Run 'lsoalink run {workspace.declared.root.name}' again",
        )
    sql = f"SELECT * FROM {scan} ORDER BY {order}"
    return run(connection, sql, table=table.name).to_arrow_table()


def _notes(*observations: pa.Table) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    used: set[str] = set()
    for table in observations:
        for cell in table.column("note_id").unique().to_pylist():
            used.update((cell or "").split(","))
    rows = [(key, NOTES[key]) for key in sorted(used - {""})]
    return pa.table(
        {"note_id": [key for key, _ in rows], "text": [text for _, text in rows]},
        schema=pa.schema([("note_id", pa.string()), ("text", pa.string())]),
    )


def _accounting(
    workspace: Workspace, quality: dict[str, list[dict[str, Any]]]
) -> Iterable[dict[str, Any]]:
    """Yield the accounting as it may be published.

    Of a source under an agreement the same rows come out whatever was counted, so that neither a
    row that is there nor one that is not tells anything: received, placed by each method its keys
    allow, apportioned if its counts may be, out of region, not placed; 0 to 4 hidden, zero too.
    """
    is_open = workspace.declared.is_open
    closed: dict[tuple[str, str, str], dict[tuple[str, str], int | None]] = {}
    for row in quality["accounting"]:
        if is_open[row["source_id"]]:
            yield {**row, "period": _shown_period(row["period"])}
            continue
        detail = row["detail"] if row["outcome"] == PLACED else ALL
        sums = closed.setdefault((row["source_id"], row["period"], row["quantity"]), {})
        known = sums.get((row["outcome"], detail), 0)
        # What an agency hid before it came here hides every sum it is in.
        hidden = known is None or row["amount"] is None
        sums[row["outcome"], detail] = None if hidden else known + row["amount"]
    for (source_id, period, quantity), sums in closed.items():
        source = workspace.declared.sources[source_id]
        lines = _protected_lines(workspace, source)
        _check_lines(source_id, lines, sums)
        amounts = [sums.get(line, 0) for line in lines]
        told = total_may_be_told(amounts[0], amounts[1:])
        for (outcome, detail), amount in zip(lines, amounts, strict=True):
            shown = protect_count(amount) if told or outcome != RECEIVED else None
            yield {
                "source_id": source_id,
                "agency": source.agency,
                "period": _shown_period(period),
                "quantity": quantity,
                "outcome": outcome,
                "detail": detail,
                "amount": shown,
                "amount_status": CONFIDENTIAL if shown is None else None,
                "protected": True,
            }


def total_may_be_told(total: int | None, parts: Sequence[int | None]) -> bool:
    """Whether a protected total beside its protected parts leaves every hidden part open.

    Received is what was placed, apportioned, out of region and not placed, so a hidden part lies
    between bounds that follow from the others. Where they are narrower than the profile demands,
    the total is not told. What follows is decided by the protected figures alone.
    """
    chosen = default_profile()
    if total is None or any(part is None for part in parts):
        # A sum with a hidden count in it is hidden itself: of its size nothing is known.
        return True
    low, high = bounds(*protect(total, chosen), chosen)
    known = [(part, bounds(*protect(part, chosen), chosen)) for part in parts if part is not None]
    least, most = (sum(b[end] for _, b in known) for end in (0, 1))
    for part, (lower, upper) in known:
        narrowest = min(upper, high - (least - lower)) - max(lower, low - (most - upper))
        hidden = protect(part, chosen).value is None
        if hidden and narrowest < min(chosen.safe.width, upper - lower):
            return False
    return True


def _protected_lines(workspace: Workspace, source: Source) -> list[tuple[str, str]]:
    """Return outcome and detail of the rows a source under an agreement always has."""
    contract = workspace.declared.contract_of(source)
    keys = contract.locate.by if contract.locate else []
    lines = [(RECEIVED, ALL), *((PLACED, m) for key in keys for m in METHODS_OF[key])]
    if contract.value_columns and SPLIT_KEYS.intersection(keys):
        lines.append((APPORTIONED, ALL))
    return [*lines, (OUT_OF_REGION, ALL), (NOT_PLACED, ALL)]


def _check_lines(
    source_id: str, lines: list[tuple[str, str]], sums: dict[tuple[str, str], int | None]
) -> None:
    """Stop if something was counted that has no row: it would vanish from the published sums."""
    without = sorted({f"{outcome} ({detail})" for outcome, detail in set(sums) - set(lines)})
    if without:
        raise StorageError(
            f"The accounting of {source_id} has outcomes that its location keys do not allow: "
            f"{', '.join(without)}",
            "Add them to METHODS_OF or SPLIT_KEYS in publishing/release_tables.py",
        )


def _shown_period(period: str) -> str:
    return "" if period == UNPARTITIONED else period


def lineage_table(workspace: Workspace) -> pa.Table:
    """Return which admitted file, under which agreement, stands behind each indicator."""
    import pyarrow as pa  # noqa: PLC0415

    store = store_of(workspace)
    files: dict[str, list[dict[str, Any]]] = {
        s.id: list(_files(workspace, s, store)) for s in workspace.declared.sources.values()
    }
    rows: list[dict[str, Any]] = []
    for indicator in workspace.declared.indicators.values():
        for source in sources_of(indicator, workspace.declared):
            rows.extend({"indicator_id": indicator.id, **file} for file in files[source.id])
    names = (
        "indicator_id", "source_id", "title", "agency", "agreement_id", "agreement_title",
        "licence", "attribution", "synthetic", "period", "file_name", "sha256", "code_version",
    )  # fmt: skip
    schema = pa.schema([(n, pa.bool_() if n == "synthetic" else pa.string()) for n in names])
    return pa.Table.from_pylist(rows, schema=schema)


def _files(workspace: Workspace, source: Source, store: ReceivedStore) -> Iterable[dict[str, Any]]:
    """Yield the deliveries of a source that were admitted, with what they were read under."""
    agreement = workspace.declared.agreement_of(source)
    for period in workspace.expected_periods(source):
        # Once the records are disposed of, the counts go on standing for them.
        held = (admitted_table(source), counts_table(source), statistics_table(source))
        if not any(workspace.lake.path(table, period).is_file() for table in held):
            continue
        delivery = admitted_delivery(workspace, source, period, store)
        if delivery is None:
            continue
        yield {
            "source_id": source.id,
            "title": source.title,
            "agency": source.agency,
            "agreement_id": agreement.id,
            "agreement_title": agreement.title,
            "licence": agreement.licence,
            "attribution": agreement.attribution,
            "synthetic": source.synthetic,
            "period": "" if period == UNPARTITIONED else period,
            # As declared: what an agency wrote around the month is nobody's business.
            "file_name": source.files.replace("{period}", period).replace("*", ""),
            "sha256": delivery.sha256,
            "code_version": workspace.code_version,
        }


def admitted_delivery(
    workspace: Workspace, source: Source, period: str, store: ReceivedStore
) -> Delivery | None:
    """Return the delivery whose rows stand in the admitted table, or None."""
    record = read_record(workspace, "decisions", source.id, period)
    versions = {
        row["version"]
        for row in (record or {}).get("decisions", [])
        if row["decision"] in ("admitted", "trimmed")
    }
    found = [d for d in accepted(store, source, period) if d.version in versions]
    return found[0] if found else None


def with_release_id(observations: pa.Table, release_id: str) -> pa.Table:
    """Return the observations with the release they belong to."""
    import pyarrow as pa  # noqa: PLC0415

    column = pa.array([release_id] * observations.num_rows, pa.string())
    return observations.append_column("release_id", column)


def period_words(workspace: Workspace) -> str:
    """Return the months a region covers, in words."""
    calendar = workspace.calendar()
    return label_of(calendar[0], calendar[-1])
