"""Runs a suite in one DuckDB pass over a table.

Belongs here: executing the compiled SQL and finding the one guilty expectation when it fails.
Does not belong here: the SQL of an expectation type (`compilation`), GX's own engine (`reference`).

The text of a DuckDB error can quote a value ("Could not convert string ..."), so only the class of
an error ever leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from declarations.errors import ConfigurationError
from expectations.compilation import (
    UnknownExpectationError,
    columns_needed,
    compile_sql,
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
        From `suites.build_suite`; any other suite works where its expectation types are known.
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
    found: dict[int, Measured] = {}
    ready: list[int] = []
    for position, expectation in enumerate(suite.expectations):
        refusal = _refusal(suite, position, relation, columns)
        if expectation.configuration.type == TO_EXIST and refusal is None:
            present = expectation.configuration.kwargs["column"] in columns
            found[position] = Measured(success=present)
        elif refusal is None:
            ready.append(position)
        else:
            found[position] = refusal
    found.update(_measure(con, relation, suite, columns, ready))
    delivery = (source_id or (suite.meta or {}).get("source_id", ""), period, version)
    return contract_outcome(
        suite,
        [found[position] for position in range(len(suite.expectations))],
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


def _refusal(
    suite: ExpectationSuite, position: int, relation: str, columns: Mapping[str, str]
) -> Measured | None:
    configuration = suite.expectations[position].configuration
    absent = [
        c for c in columns_needed(configuration.type, configuration.kwargs) if c not in columns
    ]
    if absent:
        return Measured(success=None, reason=f"the column {', '.join(absent)} is missing")
    try:
        compile_sql(suite, relation, columns, only=[position])
    except (UnknownExpectationError, UnsupportedPatternError) as error:
        return Measured(success=None, reason=str(error))
    return None


def _measure(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    suite: ExpectationSuite,
    columns: Mapping[str, str],
    positions: Sequence[int],
) -> dict[int, Measured]:
    import duckdb  # noqa: PLC0415

    if not positions:
        return {}
    sql, bindings = compile_sql(suite, relation, columns, only=positions)
    try:
        cursor = con.execute(sql, bindings)
        row = cursor.fetchone()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        if len(positions) == 1:
            return {positions[0]: Measured(success=None, reason=type(error).__name__)}
        alone: dict[int, Measured] = {}
        for position in positions:
            alone.update(_measure(con, relation, suite, columns, [position]))
        return alone
    names = [column[0] for column in cursor.description or []]
    counts = dict(zip(names, row or (), strict=True))
    return {position: _judge(suite, position, counts) for position in positions}


def _judge(suite: ExpectationSuite, position: int, counts: Mapping[str, Any]) -> Measured:
    configuration = suite.expectations[position].configuration
    rows = counts["rows"]
    considered, unexpected = counts[f"considered_{position}"], counts[f"unexpected_{position}"]
    if configuration.type == ROW_COUNT:
        success = row_count_holds(rows, configuration.kwargs)
    else:
        success = mostly_holds(considered, unexpected, configuration.kwargs.get("mostly", 1.0))
    return Measured(success=success, rows=rows, considered=considered, unexpected=unexpected)
