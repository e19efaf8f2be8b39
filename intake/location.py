"""The third stage: every admitted record gets its 2021 LSOA, or the reason why it has none.

Belongs here: bringing a source's records and the region's reference tables together. Does not
belong here: how a place is found (``geography/``), or how the outcome is counted
(``accounting.py``).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from declarations.base import month_index
from declarations.contracts import Contract, Location, Source
from declarations.declared import digest
from declarations.errors import ConfigurationError
from geography.placement import PlacementKeys, PlacementReport, Reference, place
from geography.sql import columns_of
from intake.accounting import account, check_closes
from intake.admission import admitted_table
from intake.aggregating import accounting_rows
from intake.keeping import kept_after_disposal
from intake.locator import point_locator
from intake.packages import DELIVERED_AS_COUNTS, Package
from intake.packages_taken import admitted_package, kept_without_package
from intake.records import read_record, remove_record, write_record
from intake.reference import (
    AREAS,
    known_lsoas_sql,
    reference_table,
)
from intake.reference_plan import roles_of
from warehouse.connection import run, share
from warehouse.lake import UNPARTITIONED, TableRef
from warehouse.provenance import fingerprint
from warehouse.sql import ident
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb

RECORDS, PLACED = "records", "placed"


def located_table(source: Source) -> TableRef:
    """Return the table of a source's placed records: record level, encrypted, without addresses."""
    return TableRef("restricted", f"located_{source.id}")


def weights_period(workspace: Workspace, source: Source, period: str) -> str | None:
    """Return the delivery of a practice's patients that suits a month: the last one before it.

    For months before the first delivery, the first one. None where nothing was admitted.
    """
    placed = [
        p
        for p in workspace.expected_periods(source)
        if workspace.lake.path(located_table(source), p).is_file()
    ]
    if not placed:
        return None
    if period == UNPARTITIONED:
        return placed[-1]
    before = [p for p in placed if month_index(p) <= month_index(period)]
    return before[-1] if before else placed[0]


def locate(workspace: Workspace, source: Source, period: str) -> Built:
    """Place what a source had admitted for a period.

    Returns
    -------
    Built
        ``absent`` where nothing was admitted.

    Raises
    ------
    GeographyError
        If what became of the rows or of a quantity does not add up to what was received.
    """
    contract = workspace.declared.contract_of(source)
    location = contract.locate
    if location is None:
        raise ConfigurationError(f"Contract {contract.id} does not say how a record is placed")
    admitted = admitted_table(source)
    taken = workspace.lake.state(admitted, period)
    weights = _weights(workspace, location, period)
    wanted = fingerprint(
        ["located", source.id, period, workspace.code_version, digest(contract, source)],
        [workspace.state_of(admitted, period)],
        [f"{role}={workspace.state_of(reference_table(role))}"
         for role in roles_of(workspace.declared, contract)],
        [f"{p}={workspace.state_of(located_table(s), p)}" for s, p in weights],
    )  # fmt: skip

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        package = admitted_package(workspace, source, period)
        if package is not None and (package.placed or package.kind == "aggregated"):
            return _placed_already(workspace, connection, source, period, package)
        scan = workspace.lake.scan(admitted, [period])
        if scan is None:
            remove_record(workspace, "accounting", source.id, period)
            state = workspace.lake.state(admitted, period)
            return Absent(state.reason if state else "nothing was admitted")
        run(connection, f"CREATE TEMP TABLE {RECORDS} AS SELECT * FROM {scan}", table=admitted.name)
        report = place(
            connection,
            RECORDS,
            _keys(connection, contract, location),
            _reference(workspace, connection, contract, weights),
            PLACED,
        )
        rows = _accounting(workspace, connection, source, period, report)
        content = {
            "rows": rows,
            "geo_basis": location.basis,
            "vintage": asdict(report.vintage) if report.vintage else None,
            "flags": report.by_flag,
        }
        write_record(workspace, "accounting", source.id, period, content)
        gone = ", ".join(ident(c) for c in sorted(location.columns))
        return f"SELECT * EXCLUDE ({gone}) FROM {PLACED} ORDER BY record_id, lsoa21cd"

    return workspace.build(
        located_table(source), period=period, fingerprint=wanted, produce=produce,
        inputs=[f"{admitted.name}/{period}", *(r.name for r in _tables(workspace, contract))],
        pseudonyms=taken.pseudonyms if taken else "",
        kept=kept_after_disposal(workspace, located_table(source), admitted, source, period)
        or kept_without_package(workspace, source, period),
    )  # fmt: skip


def _placed_already(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    period: str,
    package: Package,
) -> str | Absent:
    """Take over what the agency placed: its records, or of counts the accounting alone."""
    said = package.manifest["accounting"]
    rows = accounting_rows(package, source, period)
    if package.kind == "pseudonymised" or package.exact:
        lines = [(r["quantity"], r["outcome"], r["detail"], int(r["amount"])) for r in rows]
        check_closes(lines, source.id, period)
    content = {
        "rows": rows, "geo_basis": said["geo_basis"], "vintage": said["vintage"],
        "flags": said["flags"],
    }  # fmt: skip
    write_record(workspace, "accounting", source.id, period, content)
    scan = workspace.lake.scan(admitted_table(source), [period])
    if scan is None:
        return Absent(DELIVERED_AS_COUNTS)
    location = workspace.declared.contract_of(source).locate
    described = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
    here = {str(row[0]) for row in described}
    gone = ", ".join(ident(c) for c in sorted(location.columns if location else ()) if c in here)
    kept = f"* EXCLUDE ({gone})" if gone else "*"
    return (
        f"SELECT {kept} REPLACE (CAST(geo_quality AS INTEGER) AS geo_quality) FROM {scan} "
        "ORDER BY record_id, lsoa21cd"
    )


def _tables(workspace: Workspace, contract: Contract) -> list[TableRef]:
    return [reference_table(role) for role in roles_of(workspace.declared, contract)]


def _weights(workspace: Workspace, location: Location, period: str) -> list[tuple[Source, str]]:
    if location.practice_weights is None:
        return []
    source = workspace.declared.sources[location.practice_weights]
    chosen = weights_period(workspace, source, period)
    return [(source, chosen)] if chosen else []


def _keys(
    connection: duckdb.DuckDBPyConnection, contract: Contract, location: Location
) -> PlacementKeys:
    # What the agreement dropped is not there to be placed or split.
    kept = columns_of(connection, RECORDS)
    return PlacementKeys(
        by=tuple(location.by),
        uprn=location.uprn,
        postcode=location.postcode,
        x=location.x,
        y=location.y,
        lsoa=location.lsoa,
        output_area=location.output_area,
        practice=location.practice,
        district=location.district,
        date=location.date,
        values=tuple(c for c in contract.value_columns if c in kept),
    )


def _reference(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    weights: list[tuple[Source, str]],
) -> Reference:
    names: dict[str, str] = {}
    for role in roles_of(workspace.declared, contract):
        scan = workspace.lake.scan(reference_table(role))
        if scan is not None:
            names[role] = f"ref_{role}"
            columns = "* EXCLUDE (geometry)" if role == "areas" else "*"
            share(
                connection, names[role],
                _mark(workspace, workspace.state_of(reference_table(role))),
                f"SELECT {columns} FROM {scan}", table=f"reference_{role}",
            )  # fmt: skip
    known = known_lsoas_sql(workspace)
    if known:
        areas = workspace.declared.reference_source("areas")
        state = workspace.state_of(admitted_table(areas)) if areas else "none"
        share(connection, "known_lsoa21", _mark(workspace, state), known, table=AREAS.name)
    practice_weights = None
    for source, period in weights:
        scan = workspace.lake.scan(located_table(source), [period])
        value = workspace.declared.contract_of(source).value_columns[0]
        practice_weights = "practice_weights"
        run(
            connection,
            f"CREATE TEMP TABLE practice_weights AS SELECT practice_code, lsoa21cd, "
            f"CAST(sum({ident(value)}) AS BIGINT) AS patients FROM {scan} "
            "WHERE lsoa21cd IS NOT NULL GROUP BY 1, 2",
            table=located_table(source).name,
        )
    by = contract.locate.by if contract.locate else []
    needs_points = "point" in by or ("postcode" in by and _some_2011_only(connection, names))
    return Reference(
        areas=names["areas"],
        changes=names.get("lsoa_changes"),
        known_lsoa21="known_lsoa21" if known else None,
        postcodes=names.get("postcodes"),
        uprns=names.get("uprns"),
        output_areas=names.get("output_areas"),
        practice_weights=practice_weights,
        locator=point_locator(workspace) if needs_points else None,
    )


def _mark(workspace: Workspace, state: str) -> str:
    """Return what a shared lookup is known by: where it lies and what it was made from."""
    return fingerprint(str(workspace.root.resolve()), state)


def _some_2011_only(connection: duckdb.DuckDBPyConnection, names: dict[str, str]) -> bool:
    """Whether the postcode directory knows 2011 areas alone, so that points must decide splits."""
    if "postcodes" not in names:
        return False
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {ident(names['postcodes'])} "
        "WHERE lsoa21cd IS NULL AND lsoa11cd IS NOT NULL LIMIT 1)"
    ).fetchone()
    return bool(row and row[0])


def _accounting(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    period: str,
    report: PlacementReport,
) -> list[dict[str, Any]]:
    """Return the rows of the table ``accounting``, once it is proved that they close."""
    decisions = (read_record(workspace, "decisions", source.id, period) or {}).get("decisions", [])
    taken = decisions[-1] if decisions else {}
    excluded = {
        "row_broken": int(taken.get("rows_broken", 0)),
        "row_duplicate": int(taken.get("rows_duplicate", 0)),
        "row_formula": int(taken.get("rows_formula", 0)),
    }
    lines = account(connection, PLACED, report, excluded)
    check_closes(lines, source.id, period)
    return [
        {
            "source_id": source.id, "agency": source.agency, "period": period,
            "quantity": quantity, "outcome": outcome, "detail": detail, "amount": int(amount),
            "amount_status": None, "protected": False,
        }
        for quantity, outcome, detail, amount in lines
    ]  # fmt: skip
