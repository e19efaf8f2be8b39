"""Runs a suite in one DuckDB pass over a table.

Belongs here: executing the compiled SQL and finding the one guilty expectation when it fails.
Does not belong here: the SQL of an expectation type (`compilation`), GX's own engine (`reference`).

The text of a DuckDB error can quote a value ("Could not convert string ..."), so only the class of
an error ever leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from declarations.errors import ConfigurationError
from expectations.compilation import (
    Counting,
    PreparedExpectation,
    PreparedSuite,
    Sql,
    Table,
    UnknownExpectationError,
    count_of,
    prepare,
    select_counts,
)
from expectations.patterns import UnsupportedPatternError
from expectations.results import (
    ROW_COUNT,
    TO_EXIST,
    Measured,
    contract_outcome,
    mostly_holds,
    refuse_empty,
    row_count_holds,
)
from warehouse.sql import ident

if TYPE_CHECKING:
    import duckdb
    from great_expectations import ExpectationSuite

    from expectations.outcomes import ContractOutcome

PLANS_KEPT = 128


@dataclass(frozen=True, eq=False)
class Plan:
    """What follows from a suite and the columns of a table, before a row is read.

    Attributes
    ----------
    table : Table
    found : mapping of int to Measured
        By position: the checks that are settled by the columns alone.
    countings : mapping of int to Counting
        By position: what every other check counts.
    statement : Sql
        The one pass that counts all of these.
    """

    table: Table
    found: Mapping[int, Measured]
    countings: Mapping[int, Counting]
    statement: Sql


def run_suite(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    suite: ExpectationSuite,
    *,
    source_id: str | None = None,
    period: str = "",
    version: int = 1,
) -> ContractOutcome:
    """Run a suite over a table of a connection, in one pass.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    relation : str
        Name of the table or view with the typed delivery.
    suite : great_expectations.ExpectationSuite
        From `suites.cached_suite` or `suites.build_suite`; any other suite works where its
        expectation types are known. It is not changed, and threads may share it.
    source_id : str, optional
        Default: the source the suite was built for.
    period : str
        ``YYYY-MM``, or '' for a source delivered once.
    version : int
        Version of the delivery.

    Returns
    -------
    ContractOutcome
        One check for each expectation. A type that is not known, a missing column and a DuckDB
        error are the outcome ``could_not_run`` of the checks they concern, and of no other.

    Raises
    ------
    ConfigurationError
        If the suite is empty or the relation cannot be read at all.
    """
    refuse_empty(suite)
    columns = _columns(con, relation)
    prepared = prepare(suite)
    plan = _plan(prepared, relation, tuple(columns.items()))
    counted = _measure(con, prepared, plan.table, plan.countings, plan.statement)
    found = {**plan.found, **counted}
    delivery = (source_id or (suite.meta or {}).get("source_id", ""), period, version)
    return contract_outcome(
        suite,
        [found[position] for position in range(len(prepared.expectations))],
        columns=columns,
        engine="duckdb",
        delivery=delivery,
    )


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    import duckdb  # noqa: PLC0415

    try:
        rows = con.execute(f"DESCRIBE {ident(relation)}").fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise ConfigurationError(
            f"The table {relation} that is to be checked cannot be read ({type(error).__name__})",
            "Load the delivery before its checks are run",
        ) from None
    return {row[0]: row[1] for row in rows}


@lru_cache(maxsize=PLANS_KEPT)
def _plan(prepared: PreparedSuite, relation: str, columns: tuple[tuple[str, str], ...]) -> Plan:
    table = Table(ident(relation), dict(columns))
    found: dict[int, Measured] = {}
    countings: dict[int, Counting] = {}
    for position, expectation in enumerate(prepared.expectations):
        counting = _counting_or_refusal(expectation, table)
        if isinstance(counting, Measured):
            found[position] = counting
        elif expectation.kind == TO_EXIST:
            present = expectation.settings["column"] in table.columns
            found[position] = Measured(success=present)
        else:
            countings[position] = counting
    return Plan(table, found, countings, select_counts(countings, table))


def _counting_or_refusal(expectation: PreparedExpectation, table: Table) -> Counting | Measured:
    absent = [column for column in expectation.needed if column not in table.columns]
    if absent:
        return Measured(success=None, reason=f"the column {', '.join(absent)} is missing")
    try:
        return count_of(expectation.kind, expectation.settings, table)
    except (UnknownExpectationError, UnsupportedPatternError) as error:
        return Measured(success=None, reason=str(error))


def _measure(
    con: duckdb.DuckDBPyConnection,
    prepared: PreparedSuite,
    table: Table,
    countings: Mapping[int, Counting],
    statement: Sql,
) -> dict[int, Measured]:
    import duckdb  # noqa: PLC0415

    if not countings:
        return {}
    try:
        cursor = con.execute(statement.text, list(statement.bindings))
        row = cursor.fetchone()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        if len(countings) == 1:
            reason = type(error).__name__
            return {position: Measured(success=None, reason=reason) for position in countings}
        alone: dict[int, Measured] = {}
        for position, counting in countings.items():
            single = {position: counting}
            alone.update(_measure(con, prepared, table, single, select_counts(single, table)))
        return alone
    names = [column[0] for column in cursor.description or []]
    counts = dict(zip(names, row or (), strict=True))
    return {
        position: _judge(prepared.expectations[position], position, counts)
        for position in countings
    }


def _judge(expectation: PreparedExpectation, position: int, counts: Mapping[str, Any]) -> Measured:
    rows = counts["rows"]
    considered, unexpected = counts[f"considered_{position}"], counts[f"unexpected_{position}"]
    if expectation.kind == ROW_COUNT:
        success = row_count_holds(rows, expectation.settings)
    else:
        success = mostly_holds(considered, unexpected, expectation.settings.get("mostly", 1.0))
    return Measured(success=success, rows=rows, considered=considered, unexpected=unexpected)
