"""Counts that leave an agency, and how the hub takes them in.

Belongs here: which cells leave and under which profile, the accounting that goes with them, and the
hub's side of both: a cell that was hidden is there, NULL and marked, never 0. Does not belong here:
counting records (``indicators/counting.py``), or the file they travel in (``packing.py``).

Under the profile only cells that may be shown leave, and no sum of cells: a cell that is absent is
hidden, whether it was 0 or small, so neither the cells that leave nor those that do not tell which.
Only cells that an indicator of the region sums are made, each of the coarsest categories from which
every declared sum can be put together: as few small cells as the indicators allow, none of which is
part of another. The accounting leaves by the same rule, and says no more than a release does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from declarations.contracts import Contract, Count, Source
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from governance.disclosure.counts import CONFIDENTIAL, protect_count, protect_sql
from governance.disclosure.profiles import profile
from intake.accounting import ALL, NOT_PLACED, OUT_OF_REGION, RECEIVED
from intake.packages import CELL_COLUMNS, PROFILE, Package, PackageError
from warehouse.connection import run

if TYPE_CHECKING:
    import duckdb

EXACT = "exact"
EVERY, OTHER = "all", "(other)"
ANY_ENDING = "*"
HIDDEN_REST = "others"
"""Detail of the amounts of the accounting that did not leave."""

LEAVING, CELLS, UNIVERSE = "cells_leaving", "package_cells", "package_universe"

Term = tuple[str, ...]
"""Categories of one declared sum, in lower case; ``("*",)`` for all."""


@dataclass(frozen=True)
class Leaving:
    """What of a source's counts leaves the agency.

    Attributes
    ----------
    profile : str
        ``exact`` or the disclosure profile.
    labels : dict of str to list of str
        The categories that leave, by measure; of exact counts those that are there.
    shown : int
        Cells that leave.
    hidden : int
        Cells that do not, zeros among them; 0 of exact counts.
    """

    profile: str
    labels: dict[str, list[str]]
    shown: int
    hidden: int


def labels_of(declared: RegionDeclarations, contract: Contract) -> dict[str, list[str]]:
    """Return the categories in which each measure leaves under the profile.

    They follow from declarations alone, so that which categories are there tells nothing of the
    records. A measure that no indicator sums is not there.
    """
    found: dict[str, list[str]] = {}
    for count in contract.counts:
        chosen = _labels(count, _terms(declared, count.measure))
        if chosen:
            found[count.measure] = list(chosen.values())
    return found


def _terms(declared: RegionDeclarations, measure: str) -> list[Term]:
    """Return the sums of a measure that indicators declare, each once, in order."""
    terms = {
        (ANY_ENDING,) if wanted is None else tuple(sorted({c.lower() for c in wanted}))
        for indicator in declared.indicators.values()
        for term in indicator.terms
        if measure in term.measures
        for wanted in (term.categories_of(measure),)
    }
    return sorted(terms)


def _in(category: str, term: Term) -> bool:
    """Whether a sum takes in a category, as `indicators.compute` reads the declaration."""
    text = category.lower()
    return any(
        text.startswith(t.removesuffix(ANY_ENDING)) if t.endswith(ANY_ENDING) else text == t
        for t in term
    )


def _sums(category: str, terms: Sequence[Term]) -> tuple[bool, ...]:
    return tuple(_in(category, term) for term in terms)


def _labels(count: Count, terms: Sequence[Term]) -> dict[tuple[bool, ...], str]:
    """Return a label for every set of sums a category can be in, which is in the same sums."""
    candidates = [EVERY]
    if count.category:
        texts = sorted({t for term in terms for t in term}, key=lambda t: (len(t), t))
        named = [t for t in texts if not t.endswith(ANY_ENDING)]
        begun = [
            f"{t.removesuffix(ANY_ENDING)} (any)"
            for t in texts
            if t.endswith(ANY_ENDING) and t != ANY_ENDING
        ]
        candidates = [*named, *begun, OTHER] if named or begun else [EVERY]
    found: dict[tuple[bool, ...], str] = {}
    for label in candidates:
        sums = _sums(label, terms)
        if any(sums):
            found.setdefault(sums, label)
    return found


def choose_cells(
    connection: duckdb.DuckDBPyConnection,
    counts: str,
    declared: RegionDeclarations,
    contract: Contract,
    areas: int,
    *,
    exact: bool,
) -> Leaving:
    """Make the table `LEAVING` of the cells that leave.

    Parameters
    ----------
    counts : str
        Relation with the columns of a source's counts, exact.
    areas : int
        How many LSOAs the region has.

    Raises
    ------
    ConfigurationError
        If the indicators declare sums of categories that no label can stand for.
    """
    columns = ", ".join(CELL_COLUMNS)
    if exact:
        run(
            connection,
            f"CREATE OR REPLACE TEMP TABLE {LEAVING} AS SELECT {columns} FROM {counts} "
            "ORDER BY ALL",
            table=LEAVING,
        )
        rows = run(
            connection,
            f"SELECT DISTINCT measure, category FROM {LEAVING} ORDER BY ALL",
            table=LEAVING,
        ).fetchall()
        present: dict[str, list[str]] = {}
        for measure, category in rows:
            present.setdefault(measure, []).append(category)
        return Leaving(EXACT, present, _size(connection), 0)
    labels, rule = labels_of(declared, contract), profile(PROFILE)
    _map_categories(connection, counts, declared, contract)
    districts = [d.lad24cd for d in declared.region.districts]
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {LEAVING} AS
        SELECT lsoa21cd, lad24cd, measure, category, {protect_sql("value", rule)} AS value,
               false AS estimated, CAST(NULL AS VARCHAR) AS geo_reason
        FROM (
            SELECT c.lsoa21cd, c.lad24cd, c.measure, m.label AS category,
                   CAST(sum(c.value) AS BIGINT) AS value
            FROM {counts} AS c
            JOIN category_labels AS m ON m.measure = c.measure AND m.category = c.category
            WHERE c.lsoa21cd IS NOT NULL OR list_contains(?::VARCHAR[], c.lad24cd)
            GROUP BY ALL
        )
        WHERE value >= {rule.small.hidden_below}
        ORDER BY ALL
        """,
        [districts],
        table=LEAVING,
    )
    shown = _size(connection)
    places = areas + len(districts)
    return Leaving(PROFILE, labels, shown, places * sum(map(len, labels.values())) - shown)


def _map_categories(
    connection: duckdb.DuckDBPyConnection,
    counts: str,
    declared: RegionDeclarations,
    contract: Contract,
) -> None:
    """Make the table of the label of every category that is there."""
    by_measure = {c.measure: c for c in contract.counts}
    rows = run(
        connection, f"SELECT DISTINCT measure, category FROM {counts}", table=LEAVING
    ).fetchall()
    named: list[tuple[str, str, str]] = []
    for measure, category in rows:
        terms = _terms(declared, measure)
        sums = _sums(category, terms)
        if not any(sums):
            continue
        label = _labels(by_measure[measure], terms).get(sums)
        if label is None:
            raise ConfigurationError(
                f"The indicators sum categories of {measure} in a way that counts under the "
                "profile cannot carry",
                "Name the categories one by one in the indicators, without *",
            )
        named.append((measure, category, label))
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE category_labels "
        "(measure VARCHAR, category VARCHAR, label VARCHAR)",
        table=LEAVING,
    )
    if named:
        connection.executemany("INSERT INTO category_labels VALUES (?, ?, ?)", named)


def _size(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute(f"SELECT count(*) FROM {LEAVING}").fetchone()
    return int(row[0]) if row else 0


def amounts_leaving(rows: Iterable[Mapping[str, Any]], *, exact: bool) -> list[list[Any]]:
    """Return the rows of the accounting that leave: quantity, outcome, detail, amount."""
    found = []
    for row in rows:
        amount = row["amount"] if exact else protect_count(row["amount"], profile(PROFILE))
        if amount is not None:
            found.append([row["quantity"], row["outcome"], row["detail"], amount])
    return found


def counts_leaving(counted: Mapping[str, int | None], *, exact: bool) -> dict[str, int | None]:
    """Return counts of rows as they leave: NULL where they are hidden."""
    return {name: n if exact else protect_count(n, profile(PROFILE)) for name, n in counted.items()}


def checks_leaving(rows: Iterable[Mapping[str, Any]], *, exact: bool) -> list[dict[str, Any]]:
    """Return the contract's report as it leaves: each outcome, and the rows behind it."""
    if exact:
        return [{**row} for row in rows]
    numbers, rule = ("rows_checked", "rows_failed"), profile(PROFILE)
    return [{**row, **{n: protect_count(row[n], rule) for n in numbers}} for row in rows]


def accounting_rows(package: Package, source: Source, period: str) -> list[dict[str, Any]]:
    """Return a package's rows of the table ``accounting``, what did not leave marked as hidden."""
    lines = [(*line, None) for line in package.manifest["accounting"]["rows"]]
    protected = package.kind == "aggregated" and not package.exact
    if protected:
        quantities = list(dict.fromkeys(str(line[0]) for line in lines)) or ["rows"]
        there = {(line[0], line[1]) for line in lines}
        for quantity in quantities:
            if (quantity, RECEIVED) not in there:
                lines.append((quantity, RECEIVED, ALL, None, CONFIDENTIAL))
            for outcome in (OUT_OF_REGION, NOT_PLACED):
                lines.append((quantity, outcome, HIDDEN_REST, None, CONFIDENTIAL))
    return [
        {
            "source_id": source.id, "agency": source.agency, "period": period,
            "quantity": quantity, "outcome": outcome, "detail": detail, "amount": amount,
            "amount_status": status, "protected": protected,
        }
        for quantity, outcome, detail, amount, status in lines
    ]  # fmt: skip


def counts_sql(
    connection: duckdb.DuckDBPyConnection,
    package: Package,
    declared: RegionDeclarations,
    source: Source,
    areas: str,
    period: str,
) -> str:
    """Return the statement that lists a package's counts as the hub's own.

    Parameters
    ----------
    areas : str
        Relation with ``lsoa21cd`` and ``lad24cd``: every LSOA of the region once.
    period : str
        The month the counts are of.

    Returns
    -------
    str
        ``source_id, period, lsoa21cd, lad24cd, measure, category, value, estimated, geo_reason,
        value_status``. Under the profile there is a row for every area and category the
        indicators need; one that did not come is NULL with the status ``[c]``.

    Raises
    ------
    PackageError
        If a cell is of an area or a measure the region does not have.
    """
    contract = declared.contract_of(source)
    _load(connection, package)
    _check_cells(connection, areas, [c.measure for c in contract.counts])
    head = f"'{source.id}' AS source_id, '{period}' AS period"
    if package.exact:
        return f"""
        SELECT {head}, lsoa21cd, lad24cd, measure, category, value, estimated, geo_reason,
               CAST(NULL AS VARCHAR) AS value_status
        FROM {CELLS}
        """
    _make_universe(connection, package, declared, source, areas)
    return f"""
    SELECT {head}, u.lsoa21cd, u.lad24cd, u.measure, u.category, c.value, u.estimated,
           CAST(NULL AS VARCHAR) AS geo_reason,
           CASE WHEN c.value IS NULL THEN '{CONFIDENTIAL}' END AS value_status
    FROM {UNIVERSE} AS u
    LEFT JOIN {CELLS} AS c
      ON c.lsoa21cd IS NOT DISTINCT FROM u.lsoa21cd AND c.lad24cd = u.lad24cd
     AND c.measure = u.measure AND c.category = u.category AND u.sent
    """


def _load(connection: duckdb.DuckDBPyConnection, package: Package) -> None:
    import pyarrow as pa  # noqa: PLC0415

    columns = list(zip(*package.cells, strict=True)) or [()] * len(CELL_COLUMNS)
    table = pa.table([pa.array(c, pa.string()) for c in columns], names=list(CELL_COLUMNS))
    connection.register("package_texts", table)
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE {CELLS} AS SELECT * REPLACE "
        "(CAST(value AS BIGINT) AS value, CAST(estimated AS BOOLEAN) AS estimated) "
        "FROM package_texts",
        table=CELLS,
    )
    connection.unregister("package_texts")


def _check_cells(
    connection: duckdb.DuckDBPyConnection, areas: str, measures: Sequence[str]
) -> None:
    rows = run(
        connection,
        f"SELECT count(*) FILTER (lsoa21cd IS NOT NULL AND lsoa21cd NOT IN "
        f"(SELECT lsoa21cd FROM {areas})), "
        f"count(*) FILTER (NOT list_contains(?::VARCHAR[], measure)) FROM {CELLS}",
        [list(measures)],
        table=CELLS,
    ).fetchone()
    elsewhere, unknown = rows or (0, 0)
    if elsewhere or unknown:
        raise PackageError(
            "package_other_region",
            f"{elsewhere} cells of the package are of areas the region does not have, and "
            f"{unknown} of measures its contract does not count",
            "Make the package again with the current region folder and its reference files",
        )


def _make_universe(
    connection: duckdb.DuckDBPyConnection,
    package: Package,
    declared: RegionDeclarations,
    source: Source,
    areas: str,
) -> None:
    """Make every cell the indicators need; those of a measure cut otherwise all count as hidden."""
    contract = declared.contract_of(source)
    sent = package.manifest["counts"]["cells"]
    estimated = {c.measure: c.estimated for c in contract.counts}
    wanted = [
        (measure, label, estimated[measure], sent.get(measure) == labels)
        for measure, labels in labels_of(declared, contract).items()
        for label in labels
    ]
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE package_labels (measure VARCHAR, category VARCHAR, "
        "estimated BOOLEAN, sent BOOLEAN)",
        table=UNIVERSE,
    )
    if wanted:
        connection.executemany("INSERT INTO package_labels VALUES (?, ?, ?, ?)", wanted)
    run(
        connection,
        f"""
        CREATE OR REPLACE TEMP TABLE {UNIVERSE} AS
        SELECT p.lsoa21cd, p.lad24cd, l.*
        FROM (
            SELECT lsoa21cd, lad24cd FROM {areas}
            UNION ALL SELECT DISTINCT NULL, lad24cd FROM {areas}
        ) AS p
        CROSS JOIN package_labels AS l
        """,
        table=UNIVERSE,
    )
