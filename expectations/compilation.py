"""From a suite to the SQL of one pass over a table.

Belongs here: what each expectation type counts, written as DuckDB aggregates that follow the
semantics of GX's pandas engine, and the settings of a suite, read once and kept while it lives.
Does not belong here: running the SQL or judging the counts (`execution`).

GX's semantics, which the pass follows: an expectation on values looks only at rows that have one
(for pairs and compound keys: at rows that ``ignore_row_if`` leaves), NaN is no value, and every row
of a repeated key is unexpected, the first one too. A suite in which a type or a setting is unknown
is not half run: that one expectation is refused.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expectations.patterns import for_re2
from warehouse.sql import ident

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

FLOAT_TYPES = frozenset({"DOUBLE", "FLOAT"})
IGNORED_SETTINGS = frozenset({"mostly", "batch_id", "result_format", "catch_exceptions"})


class UnknownExpectationError(ValueError):
    """The compiler does not know an expectation type, or a setting of it."""


@dataclass(frozen=True)
class Sql:
    """A piece of SQL and the values bound in it, in order."""

    text: str
    bindings: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Counting:
    """What one expectation counts.

    Attributes
    ----------
    considered : Sql
        Aggregate: the rows the expectation looks at.
    unexpected : Sql or None
        Aggregate: of those, the rows that fail; None where the expectation is about the table.
    """

    considered: Sql
    unexpected: Sql | None


@dataclass(frozen=True)
class Table:
    """The relation that is checked: its quoted name and the DuckDB type of each column."""

    name: str
    columns: Mapping[str, str]

    def missing(self, column: str) -> str:
        """SQL that is true where the column has no value, as pandas sees it."""
        quoted = ident(column)
        if self.columns.get(column) in FLOAT_TYPES:
            return f"({quoted} IS NULL OR isnan({quoted}))"
        return f"({quoted} IS NULL)"


@dataclass(frozen=True, eq=False)
class PreparedExpectation:
    """One expectation, with what GX would work out again at every look.

    Attributes
    ----------
    kind : str
        GX's name of the expectation type.
    settings, meta : mapping
        Read only: every run of the suite shares them.
    needed : tuple of str
        The columns it reads.
    configuration : great_expectations ExpectationConfiguration
        GX's own form; shared, so a result takes `own_configuration` instead.
    """

    kind: str
    settings: Mapping[str, Any]
    meta: Mapping[str, Any]
    needed: tuple[str, ...]
    configuration: ExpectationConfiguration

    def own_configuration(self) -> ExpectationConfiguration:
        """Return a configuration of the caller's own, which rendering a result may change."""
        own = copy.copy(self.configuration)
        vars(own).update(_containers_copied(vars(self.configuration)))
        return own


@dataclass(frozen=True, eq=False)
class PreparedSuite:
    """The expectations of a suite as they stood when they were read.

    Attributes
    ----------
    expectations : tuple of PreparedExpectation
        In the suite's order.
    fields : tuple of (type, dict)
        Class and fields of each expectation. The expectations themselves are not kept: they refer
        to their suite, which would then never be freed.
    """

    expectations: tuple[PreparedExpectation, ...]
    fields: tuple[tuple[type, Mapping[str, Any]], ...]

    def describes(self, suite: ExpectationSuite) -> bool:
        """Whether the suite still says the same."""
        return len(suite.expectations) == len(self.fields) and all(
            type(expectation) is kind and vars(expectation) == fields
            for expectation, (kind, fields) in zip(suite.expectations, self.fields, strict=True)
        )


_PREPARED: dict[int, tuple[weakref.ref[ExpectationSuite], PreparedSuite]] = {}


def prepare(suite: ExpectationSuite) -> PreparedSuite:
    """Return the settings of a suite, read once for each suite object and once more if it changed.

    GX builds the configuration of an expectation anew at every access, which for a small delivery
    takes longer than its checks. Threads may share a suite: none changes what another one reads.

    Parameters
    ----------
    suite : great_expectations.ExpectationSuite
        Not changed, and not kept alive.

    Returns
    -------
    PreparedSuite
        The same object as long as the suite lives and stays as it is.
    """
    number = id(suite)
    # No lock: each step on the dict is atomic, and two threads that both read a suite read alike.
    known = _PREPARED.get(number)
    if known is not None and known[0]() is suite and known[1].describes(suite):
        return known[1]
    prepared = PreparedSuite(
        expectations=tuple(_prepared_of(each.configuration) for each in suite.expectations),
        fields=tuple((type(each), copy.deepcopy(vars(each))) for each in suite.expectations),
    )
    # Called before the memory of the suite is free, so the number is not yet another suite's.
    _PREPARED[number] = (weakref.ref(suite, lambda _: _PREPARED.pop(number, None)), prepared)
    return prepared


def _prepared_of(configuration: ExpectationConfiguration) -> PreparedExpectation:
    return PreparedExpectation(
        kind=configuration.type,
        settings=configuration.kwargs,
        meta=configuration.meta or {},
        needed=tuple(columns_needed(configuration.type, configuration.kwargs)),
        configuration=configuration,
    )


def _containers_copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _containers_copied(each) for key, each in value.items()}
    return [_containers_copied(each) for each in value] if isinstance(value, list) else value


def columns_needed(kind: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the columns an expectation reads; none for presence and row counts."""
    if kind == "expect_column_to_exist":
        return []
    single = [settings[k] for k in ("column", "column_A", "column_B") if settings.get(k)]
    return [*single, *settings.get("column_list", [])]


def compile_sql(
    suite: ExpectationSuite,
    relation: str = "delivery",
    columns: Mapping[str, str] | None = None,
    *,
    only: Sequence[int] | None = None,
) -> tuple[str, list[Any]]:
    """Compile expectations to one SELECT over the relation.

    Parameters
    ----------
    suite : great_expectations.ExpectationSuite
    relation : str
        Name of a table or view.
    columns : mapping of str to str, optional
        DuckDB type by column; without it no column is taken to hold NaN.
    only : sequence of int, optional
        Positions in the suite; default all.

    Returns
    -------
    sql : str
        One row: ``rows``, and for each position ``i`` the columns ``considered_i`` and
        ``unexpected_i`` (NULL where the expectation is about the table).
    bindings : list
        Values for the ``?`` of the SQL, in order.

    Raises
    ------
    UnknownExpectationError
        If a type or setting is not known.
    expectations.patterns.UnsupportedPatternError
        If a regular expression means nothing, or something else, in DuckDB.
    """
    table = Table(ident(relation), columns or {})
    expectations = prepare(suite).expectations
    chosen = range(len(expectations)) if only is None else only
    countings = {
        position: count_of(expectations[position].kind, expectations[position].settings, table)
        for position in chosen
    }
    statement = select_counts(countings, table)
    return statement.text, list(statement.bindings)


def select_counts(countings: Mapping[int, Counting], table: Table) -> Sql:
    """Put what several expectations count into one SELECT.

    Parameters
    ----------
    countings : mapping of int to Counting
        By position in the suite.
    table : Table

    Returns
    -------
    Sql
        The statement `compile_sql` describes.
    """
    pieces = ["count(*) AS rows"]
    bindings: list[Any] = []
    for position, counting in countings.items():
        pieces.append(f"{counting.considered.text} AS considered_{position}")
        bindings.extend(counting.considered.bindings)
        unexpected = counting.unexpected or Sql("CAST(NULL AS BIGINT)")
        pieces.append(f"{unexpected.text} AS unexpected_{position}")
        bindings.extend(unexpected.bindings)
    return Sql(f"SELECT {', '.join(pieces)} FROM {table.name}", tuple(bindings))


def count_of(kind: str, settings: Mapping[str, Any], table: Table) -> Counting:
    """Return what an expectation of a type counts.

    Raises
    ------
    UnknownExpectationError
        If the type or one of its settings is not known.
    """
    if kind not in _COMPILERS:
        raise UnknownExpectationError(f"expectation type {kind} is not known")
    known, compiler = _COMPILERS[kind]
    given = {key: value for key, value in settings.items() if value is not None}
    unknown = sorted(set(given) - known - IGNORED_SETTINGS)
    # A setting such as row_condition changes what is counted: it is never passed over.
    unbound = sorted(key for key, value in given.items() if isinstance(value, dict))
    if unknown or unbound:
        raise UnknownExpectationError(f"settings {', '.join(unknown or unbound)} are not known")
    return compiler(given, table)


def _count_if(condition: str, bindings: Sequence[Any] = ()) -> Sql:
    return Sql(f"count(*) FILTER (WHERE {condition})", tuple(bindings))


def _of_values(column: str, expected: str, bindings: Sequence[Any], table: Table) -> Counting:
    present = f"NOT {table.missing(column)}"
    return Counting(_count_if(present), _count_if(f"{present} AND NOT ({expected})", bindings))


def _to_exist(settings: Mapping[str, Any], table: Table) -> Counting:
    return Counting(Sql("count(*)"), None)


def _not_null(settings: Mapping[str, Any], table: Table) -> Counting:
    return Counting(Sql("count(*)"), _count_if(table.missing(settings["column"])))


def _in_set(settings: Mapping[str, Any], table: Table) -> Counting:
    column = settings["column"]
    values = [value for value in settings.get("value_set", []) if value is not None]
    if "value_set" not in settings:
        return _of_values(column, "TRUE", (), table)
    if not values:
        return _of_values(column, "FALSE", (), table)
    marks = ", ".join("?" for _ in values)
    return _of_values(column, f"{ident(column)} IN ({marks})", values, table)


def _match_regex(settings: Mapping[str, Any], table: Table) -> Counting:
    column = settings["column"]
    pattern = for_re2(settings["regex"])
    return _of_values(column, f"regexp_matches({ident(column)}, ?)", [pattern], table)


def _between(settings: Mapping[str, Any], table: Table) -> Counting:
    column = settings["column"]
    conditions, bindings = [], []
    for bound, strict, loose_sign, strict_sign in (
        ("min_value", "strict_min", ">=", ">"),
        ("max_value", "strict_max", "<=", "<"),
    ):
        if bound in settings:
            sign = strict_sign if settings.get(strict) else loose_sign
            conditions.append(f"{ident(column)} {sign} ?")
            bindings.append(settings[bound])
    if not conditions:
        raise UnknownExpectationError("min_value and max_value are both absent")
    return _of_values(column, " AND ".join(conditions), bindings, table)


def _repeated_rows(columns: Sequence[str], among: str, table: Table) -> Sql:
    keys = ", ".join(ident(column) for column in columns)
    return Sql(
        "(SELECT coalesce(sum(n), 0)::BIGINT FROM "
        f"(SELECT count(*) AS n FROM {table.name} WHERE {among} GROUP BY {keys}) WHERE n > 1)"
    )


def _unique(settings: Mapping[str, Any], table: Table) -> Counting:
    present = f"NOT {table.missing(settings['column'])}"
    return Counting(_count_if(present), _repeated_rows([settings["column"]], present, table))


def _compound_unique(settings: Mapping[str, Any], table: Table) -> Counting:
    columns = settings["column_list"]
    absent = [table.missing(column) for column in columns]
    rule = settings.get("ignore_row_if", "all_values_are_missing")
    ignored = {
        "all_values_are_missing": " AND ".join(absent),
        "any_value_is_missing": " OR ".join(absent),
        "never": "FALSE",
    }
    if rule not in ignored:
        raise UnknownExpectationError("ignore_row_if has an unknown rule")
    considered = f"NOT ({ignored[rule]})"
    return Counting(_count_if(considered), _repeated_rows(columns, considered, table))


def _pair_in_order(settings: Mapping[str, Any], table: Table) -> Counting:
    left, right = settings["column_A"], settings["column_B"]
    absent = [table.missing(left), table.missing(right)]
    rule = settings.get("ignore_row_if", "both_values_are_missing")
    ignored = {
        "both_values_are_missing": " AND ".join(absent),
        "either_value_is_missing": " OR ".join(absent),
        "neither": "FALSE",
    }
    if rule not in ignored:
        raise UnknownExpectationError("ignore_row_if has an unknown rule")
    considered = f"NOT ({ignored[rule]})"
    sign = ">=" if settings.get("or_equal") else ">"
    # DuckDB sorts NaN above every number; for pandas no comparison with it holds.
    holds = f"NOT ({' OR '.join(absent)}) AND {ident(left)} {sign} {ident(right)}"
    return Counting(_count_if(considered), _count_if(f"{considered} AND NOT ({holds})"))


def _row_count(settings: Mapping[str, Any], table: Table) -> Counting:
    return Counting(Sql("count(*)"), None)


_Compiler = Callable[[Mapping[str, Any], Table], Counting]
_COMPILERS: dict[str, tuple[frozenset[str], _Compiler]] = {
    "expect_column_to_exist": (frozenset({"column"}), _to_exist),
    "expect_column_values_to_not_be_null": (frozenset({"column"}), _not_null),
    "expect_column_values_to_be_in_set": (frozenset({"column", "value_set"}), _in_set),
    "expect_column_values_to_match_regex": (frozenset({"column", "regex"}), _match_regex),
    "expect_column_values_to_be_between": (
        frozenset({"column", "min_value", "max_value", "strict_min", "strict_max"}),
        _between,
    ),
    "expect_column_values_to_be_unique": (frozenset({"column"}), _unique),
    "expect_compound_columns_to_be_unique": (
        frozenset({"column_list", "ignore_row_if"}),
        _compound_unique,
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        frozenset({"column_A", "column_B", "or_equal", "ignore_row_if"}),
        _pair_in_order,
    ),
    "expect_table_row_count_to_be_between": (
        frozenset({"min_value", "max_value", "strict_min", "strict_max"}),
        _row_count,
    ),
}
