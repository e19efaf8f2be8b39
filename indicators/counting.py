"""From placed records to counts: LSOA by period, measure and category. Additive measures only.

Belongs here: the SQL of one declared count, and the table of a source's counts for a period.
Does not belong here: how a record was placed (``geography/``), or sums over periods and areas
(``compute.py``). Counts are exact and must not be published.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from declarations.base import first_day, last_day, month_index, month_of
from declarations.contracts import Contract, Count, Source
from declarations.counts import UNKNOWN_CATEGORY, Bands
from declarations.declared import digest
from indicators.care import EVENTS, make_events
from indicators.care.span import Span, earlier_deliveries
from intake.aggregating import counts_sql
from intake.keeping import kept_after_disposal, kept_with_earlier_gone
from intake.packages import Package
from intake.packages_taken import admitted_package, kept_without_package, package_kind
from warehouse.connection import run
from warehouse.lake import UNPARTITIONED, TableRef
from warehouse.provenance import fingerprint
from warehouse.sql import ident
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb

AREAS = TableRef("reference", "reference_areas")
PLACED, COUNTS = "placed_records", "source_counts"
OUT_OF_REGION = "out_of_region"


def counts_table(source: Source) -> TableRef:
    """Return the table of a source's counts."""
    return TableRef("linked", f"counts_{source.id}")


def statistics_table(source: Source) -> TableRef:
    """Return the table of a source's published statistics, which are never summed."""
    return TableRef("linked", f"statistics_{source.id}")


def data_period(source: Source, period: str) -> str:
    """Return the month the data describes: the partition's, or the one a 'once' source declares."""
    return source.period or "" if period == UNPARTITIONED else period


def count_source(workspace: Workspace, source: Source, period: str, located: TableRef) -> Built:
    """Count what a source had placed for a period.

    Parameters
    ----------
    located : TableRef
        The source's table of placed records.

    Where the contract says by which rules deliveries are joined into events, earlier deliveries of
    the source that are still there are joined in: counts are of this delivery's own months, and the
    earlier ones tell what was so before, what was left out since, and what is recorded late. Counts
    made with a delivery whose records were disposed of since stay as they are.

    Returns
    -------
    Built
        ``source_id, period, lsoa21cd, lad24cd, measure, category, value, estimated, geo_reason,
        value_status``; ``lsoa21cd`` is NULL for records not placed, with the reason; ``value`` is
        NULL with the status ``[c]`` for a cell that an agency sent hidden. ``absent`` where nothing
        was placed.
    """
    contract = workspace.declared.contract_of(source)
    expected = _looked_back_into(workspace, contract, source, period)
    earlier = [p for p in expected if _joins(workspace, located, p, period)]
    wanted = fingerprint(
        ["counts", source.id, period, workspace.code_version, digest(contract, source)],
        [workspace.state_of(located, period)],
        [f"{p}={workspace.state_of(located, p)}" for p in earlier],
        _received_as_counts(workspace, source, period),
    )

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        package = admitted_package(workspace, source, period)
        if package is not None and package.kind == "aggregated":
            return _take_counts(workspace, connection, source, period, package)
        scan = workspace.lake.scan(located, [period])
        if scan is None:
            state = workspace.lake.state(located, period)
            return Absent(state.reason if state else "nothing was placed")
        run(connection, f"CREATE TEMP TABLE {PLACED} AS SELECT * FROM {scan}", table=located.name)
        if contract.kind == "statistics":
            return statistics_sql(contract, source, period)
        records = PLACED
        if contract.events is not None:
            deliveries = {p: f"{PLACED}_{p}" for p in earlier}
            for month, name in deliveries.items():
                run(
                    connection,
                    f"CREATE TEMP TABLE {ident(name)} AS "
                    f"SELECT * FROM {workspace.lake.scan(located, [month])}",
                    table=located.name,
                )
            deliveries[data_period(source, period)] = PLACED
            make_events(connection, contract, contract.events, deliveries, source.months)
            records = EVENTS
        _count_all(connection, contract, source, period, records)
        return f"SELECT * FROM {COUNTS} ORDER BY ALL"

    table = statistics_table(source) if contract.kind == "statistics" else counts_table(source)
    return workspace.build(
        table, period=period, fingerprint=wanted, produce=produce, encryption=True,
        inputs=[f"{located.name}/{p}" for p in (*earlier, period)],
        kept=kept_after_disposal(workspace, table, located, source, period)
        or kept_without_package(workspace, source, period)
        or kept_with_earlier_gone(workspace, table, source, period, expected),
    )  # fmt: skip


def _looked_back_into(
    workspace: Workspace, contract: Contract, source: Source, period: str
) -> list[str]:
    """Return the earlier deliveries whose events a period's counts are made with, if any are."""
    if contract.events is None or period == UNPARTITIONED:
        return []
    span = Span(period, contract.events.covers_months)
    return earlier_deliveries(workspace.expected_periods(source), span)


def _joins(workspace: Workspace, located: TableRef, earlier: str, period: str) -> bool:
    """Whether an earlier delivery is there and its pseudonyms are those of the same key."""
    if not workspace.lake.path(located, earlier).is_file():
        return False
    then, now = (workspace.lake.state(located, p) for p in (earlier, period))
    return then is not None and now is not None and then.pseudonyms == now.pseudonyms


def _received_as_counts(workspace: Workspace, source: Source, period: str) -> list[str]:
    """Return what counts depend on that an agency made: the areas, and what indicators sum."""
    if package_kind(workspace, source, period) != "aggregated":
        return []
    return [workspace.state_of(AREAS), digest(*workspace.declared.indicators.values())]


def _take_counts(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    period: str,
    package: Package,
) -> str | Absent:
    """Take over the counts an agency made; what it hid is NULL with a status, never 0."""
    areas = workspace.lake.scan(AREAS)
    if areas is None:
        return Absent("the region has no areas")
    sql = counts_sql(
        connection, package, workspace.declared, source, areas, data_period(source, period)
    )
    return f"SELECT * FROM ({sql}) ORDER BY ALL"


def _count_all(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    source: Source,
    period: str,
    records: str,
) -> None:
    for number, count in enumerate(contract.counts):
        sql, parameters = count_sql(contract, count, source, period, records)
        verb = f"INSERT INTO {COUNTS}" if number else f"CREATE TEMP TABLE {COUNTS} AS"
        run(connection, f"{verb} {sql}", parameters, table=counts_table(source).name)


def count_sql(
    contract: Contract, count: Count, source: Source, period: str, table: str = PLACED
) -> tuple[str, list[Any]]:
    """Return the statement of one declared count, and its parameters.

    It is counted from ``table``: the records placed, or the events they were joined into.

    A distinct count puts each value in one area, the first by code, so that areas add up to the
    whole. A flow dated by ``during`` takes only the months the delivery is for: a file that looks
    back over a year is counted for its own quarter.
    """
    conditions, parameters = _conditions(contract, count, source, period)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    category = "'all'"
    if count.category:
        category = f"coalesce({ident(count.category)}, '{UNKNOWN_CATEGORY}')"
    if count.bands:
        category = banded_sql(count.bands)
    records = table
    if count.distinct:
        records = _one_each(count, category, table, where)
        where, category = "", "category_of"
        lsoa, lad, reason = "place.lsoa21cd", "place.lad24cd", "place.geo_reason"
    else:
        lsoa, lad, reason = "lsoa21cd", "lad24cd", "geo_reason"
    value = f"sum({ident(count.value)})" if count.value else "count(*)"
    # A record without an area is known by the district that sent it, unless it lies elsewhere.
    sql = f"""
    SELECT CAST(? AS VARCHAR) AS source_id, CAST(? AS VARCHAR) AS period, {lsoa} AS lsoa21cd,
           CASE WHEN {reason} = '{OUT_OF_REGION}' THEN NULL
                ELSE coalesce({lad}, CAST(? AS VARCHAR)) END AS lad24cd,
           CAST(? AS VARCHAR) AS measure, CAST({category} AS VARCHAR) AS category,
           CAST(coalesce({value}, 0) AS BIGINT) AS value, CAST(? AS BOOLEAN) AS estimated,
           {reason} AS geo_reason, CAST(NULL AS VARCHAR) AS value_status
    FROM {records} {where}
    GROUP BY ALL
    """
    head = [source.id, data_period(source, period), source.lad24cd, count.measure, count.estimated]
    return sql, [*head, *parameters]


def _one_each(count: Count, category: str, table: str, where: str) -> str:
    """Return the statement that puts each value of a distinct count in one area.

    Without a date to go by, a value may stand in several categories, each time in the first area by
    code. With one, it stands once: in the area and category of its latest row.
    """
    one, place = ident(str(count.distinct)), "struct_pack(lsoa21cd, lad24cd, geo_reason)"
    if count.latest is None:
        return (
            f"(SELECT {one}, {category} AS category_of, "
            f"min_by({place}, coalesce(lsoa21cd, '~')) AS place FROM {table} {where} GROUP BY ALL)"
        )
    return (
        f"(SELECT {one}, {category} AS category_of, {place} AS place FROM {table} {where} "
        f"QUALIFY row_number() OVER (PARTITION BY {one} ORDER BY {ident(count.latest)} DESC "
        f"NULLS LAST, coalesce(lsoa21cd, '~'), category_of) = 1)"
    )


def _conditions(
    contract: Contract, count: Count, source: Source, period: str
) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    parameters: list[Any] = []
    for column, values in sorted(count.where.items()):
        marks = ", ".join("?" for _ in values)
        conditions.append(f"CAST({ident(column)} AS VARCHAR) IN ({marks})")
        parameters.extend(values)
    conditions.extend(f"{ident(column)} IS NOT NULL" for column in count.not_null)
    if count.during and period != UNPARTITIONED:
        first = month_of(month_index(period) - source.months + 1)
        conditions.append(f"{ident(count.during)} BETWEEN ? AND ?")
        if contract.type_of(count.during) == "month":
            parameters.extend([first, period])
        else:
            parameters.extend([first_day(first), last_day(period)])
    if count.open_at_end and period != UNPARTITIONED:
        start, end = count.open_at_end
        conditions.append(f"{ident(start)} <= ? AND ({ident(end)} IS NULL OR {ident(end)} > ?)")
        parameters.extend([last_day(period), last_day(period)])
        if count.open_longer_than is not None:
            conditions.append(f"{ident(start)} < ?")
            parameters.append(last_day(period) - timedelta(days=count.open_longer_than))
    return conditions, parameters


def banded_sql(bands: Bands) -> str:
    """Return the expression of the band a row's days fall in, and 'Not known' without both dates.

    A stay from one day to the next has lasted one day, and one night.
    """
    lasted = f"date_diff('day', {ident(bands.start)}, {ident(bands.end)})"
    labels = bands.labels
    steps = " ".join(
        f"WHEN {lasted} <= {limit} THEN '{label}'"
        for limit, label in zip(bands.limits, labels, strict=False)
    )
    return (
        f"CASE WHEN {lasted} IS NULL OR {lasted} < 0 THEN '{UNKNOWN_CATEGORY}' {steps} "
        f"ELSE '{labels[-1]}' END"
    )


def statistics_sql(contract: Contract, source: Source, period: str) -> str:
    """Return the statement that lists published statistics in long form, as they stand."""
    numbers = [c.name for c in contract.columns if c.type in ("integer", "number")]
    parts = [
        f"SELECT '{source.id}' AS source_id, '{data_period(source, period)}' AS period, lsoa21cd, "
        f"'{name}' AS statistic, CAST({ident(name)} AS DOUBLE) AS value "
        f"FROM {PLACED} WHERE lsoa21cd IS NOT NULL"
        for name in numbers
    ]
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY ALL"
