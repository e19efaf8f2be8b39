"""From a contract to its Great Expectations suite.

Belongs here: which expectations follow from a contract, how grave each is, and the sentence that
tells the supplying agency what would fix it.
Does not belong here: running a suite (`execution`, `reference`).

The relation a suite describes is the typed table of a delivery: one column per kept column, and
beside every column ``c`` that is not text a BOOLEAN ``c__readable``, FALSE where the cell held text
that could not be read as the column's type. Cells arrive trimmed, missing ones as NULL.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from declarations.declared import digest
from declarations.errors import ConfigurationError
from expectations.outcomes import BLOCKING, WARNING, Severity
from expectations.patterns import UnsupportedPatternError, list_of, portable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from great_expectations import ExpectationSuite

    from declarations.contracts import Check, Column, Contract, Source

READABLE_SUFFIX = "__readable"
CODES_SPELLED_OUT = 12
SUITES_KEPT = 128
GX_SEVERITY = {BLOCKING: "critical", WARNING: "warning"}

Draft = tuple[str, dict[str, Any], dict[str, Any]]
"""GX's class name, its settings, and our meta."""


def build_suite(
    contract: Contract, source: Source | None = None, *, keep: Collection[str] | None = None
) -> ExpectationSuite:
    """Derive the expectation suite of a contract.

    Parameters
    ----------
    contract : Contract
        The layout.
    source : Source, optional
        The extract: its own headings are named in the meanings, and its id in the results.
    keep : collection of str, optional
        The columns the typed table may have, where the agreement trims some. Expectations about
        any other column are left out. Default: every declared column.

    Returns
    -------
    great_expectations.ExpectationSuite
        Never empty. The ``meta`` of each expectation holds ``check_id``, ``severity``, ``meaning``,
        ``columns`` (ours) and ``optional`` (whether the file may lack a column it needs).

    Raises
    ------
    ConfigurationError
        If a column's codes, pattern or range cannot be turned into an expectation.
    """
    import great_expectations as gx  # noqa: PLC0415
    import great_expectations.expectations as gxe  # noqa: PLC0415

    kept = {c.name for c in contract.columns if keep is None or c.name in keep}
    drafts = [_at_least_one_row()]
    for column in contract.columns:
        if column.name in kept:
            drafts.extend(_of_column(contract, column, source))
    drafts.extend(_of_key(contract, kept))
    for check in contract.checks:
        if kept.issuperset(check.columns):
            drafts.extend(_of_check(contract, check))
    expectations = [
        getattr(gxe, kind)(**settings, meta=meta, severity=GX_SEVERITY[meta["severity"]])
        for kind, settings, meta in _with_own_ids(drafts)
    ]
    name = source.id if source else contract.id
    suite = gx.ExpectationSuite(
        name=name,
        expectations=expectations,
        meta={"contract": contract.id, "source_id": source.id if source else ""},
    )
    # GX logs an expectation it cannot take and goes on without it.
    if len(suite.expectations) != len(expectations):
        raise ConfigurationError(
            f"Contract {contract.id} gives expectations that Great Expectations does not accept",
            "Simplify its checks",
        )
    return suite


@dataclass(frozen=True)
class _Wanted:
    """What a suite follows from; equal where the declarations say the same."""

    said: str
    keep: frozenset[str] | None
    contract: Contract = field(compare=False)
    source: Source | None = field(compare=False)


def cached_suite(
    contract: Contract, source: Source | None = None, keep: Collection[str] | None = None
) -> ExpectationSuite:
    """Return the suite of a contract, built once for the same declarations and columns.

    Callers share the suite, across threads too: run it, but never change it. A caller that wants
    a suite of its own takes `build_suite`.

    Parameters
    ----------
    contract, source, keep
        As in `build_suite`.

    Returns
    -------
    great_expectations.ExpectationSuite
        The same object for declarations that say the same.

    Raises
    ------
    ConfigurationError
        As in `build_suite`.
    """
    said = digest(contract) if source is None else digest(contract, source)
    kept = None if keep is None else frozenset(keep)
    return _suite_of(_Wanted(said, kept, contract, source))


@lru_cache(maxsize=SUITES_KEPT)
def _suite_of(wanted: _Wanted) -> ExpectationSuite:
    return build_suite(wanted.contract, wanted.source, keep=wanted.keep)


def _draft(
    kind: str,
    settings: dict[str, Any],
    *,
    check_id: str,
    severity: Severity,
    meaning: str,
    columns: list[str],
    optional: bool = False,
) -> Draft:
    meta = {
        "check_id": check_id,
        "severity": severity,
        "meaning": meaning,
        "columns": columns,
        "optional": optional,
    }
    return kind, settings, meta


def _with_own_ids(drafts: list[Draft]) -> Iterator[Draft]:
    seen: dict[str, int] = {}
    for kind, settings, meta in drafts:
        check_id = meta["check_id"]
        seen[check_id] = seen.get(check_id, 0) + 1
        number = f".{seen[check_id]}" if seen[check_id] > 1 else ""
        yield kind, settings, {**meta, "check_id": f"{check_id}{number}"}


def _at_least_one_row() -> Draft:
    return _draft(
        "ExpectTableRowCountToBeBetween",
        {"min_value": 1},
        check_id="at_least_one_row",
        severity=BLOCKING,
        meaning="The file holds no rows: send the extract again with its rows.",
        columns=[],
    )


def _of_column(contract: Contract, column: Column, source: Source | None) -> Iterator[Draft]:
    name = column.name
    optional = not column.required
    if column.required:
        own = source.headers.get(name, []) if source else []
        headings = ", ".join(dict.fromkeys([*own, *column.accepted_headers]))
        yield _draft(
            "ExpectColumnToExist",
            {"column": name},
            check_id=f"present.{name}",
            severity=BLOCKING,
            meaning=f"The column {name} is required: send it under one of the headings {headings}.",
            columns=[name],
        )
    if not column.nullable:
        yield _draft(
            "ExpectColumnValuesToNotBeNull",
            {"column": name},
            check_id=f"not_null.{name}",
            severity=BLOCKING,
            meaning=f"Fill {name} in every row: it may not be empty.",
            columns=[name],
            optional=optional,
        )
    if column.type != "text":
        yield _draft(
            "ExpectColumnValuesToBeInSet",
            {
                "column": f"{name}{READABLE_SUFFIX}",
                "value_set": [True],
                "mostly": round(1 - contract.format.broken_rows_allowed, 10),
            },
            check_id=f"readable.{name}",
            severity=BLOCKING,
            meaning=f"Write every value of {name} as {_form_of(column)}.",
            columns=[name],
            optional=optional,
        )
    yield from _of_values(contract, column)


def _of_values(contract: Contract, column: Column) -> Iterator[Draft]:
    name, optional = column.name, not column.required
    severity: Severity = BLOCKING if column.blocking else WARNING
    codes = contract.codes_of(column)
    if codes is not None:
        kind, settings = _codes_expectation(contract, column, codes)
        listed = ", ".join(codes) if len(codes) <= CODES_SPELLED_OUT else "those of its code list"
        how = f", with {column.separator!r} between several" if column.separator else ""
        yield _draft(
            kind,
            settings,
            check_id=f"codes.{name}",
            severity=severity,
            meaning=f"Use only the allowed values of {name} ({listed}){how}.",
            columns=[name],
            optional=optional,
        )
    if column.pattern is not None:
        _only_text(contract, column, "pattern")
        yield _draft(
            "ExpectColumnValuesToMatchRegex",
            {"column": name, "regex": _shared_pattern(contract, column)},
            check_id=f"pattern.{name}",
            severity=WARNING,
            meaning=f"Write every value of {name} in the agreed form: {column.pattern}",
            columns=[name],
            optional=optional,
        )
    if column.minimum is not None or column.maximum is not None:
        low, high = column.minimum, column.maximum
        if low is not None and high is not None and low > high:
            raise ConfigurationError(
                f"Contract {contract.id}: columns.{name}.minimum lies above its maximum",
                "Exchange the two",
            )
        yield _draft(
            "ExpectColumnValuesToBeBetween",
            {"column": name, "min_value": low, "max_value": high},
            check_id=f"range.{name}",
            severity=severity,
            meaning=f"Correct the values of {name} that are not {_range_in_words(low, high)}.",
            columns=[name],
            optional=optional,
        )


def _of_key(contract: Contract, kept: set[str]) -> Iterator[Draft]:
    if contract.key and kept.issuperset(contract.key):
        yield _unique(
            contract,
            contract.key,
            check_id="key",
            severity=WARNING,
            meaning=f"Send one row for each {' + '.join(contract.key)}: "
            "remove or correct the rows that repeat it.",
        )


def _of_check(contract: Contract, check: Check) -> Iterator[Draft]:
    shared: dict[str, Any] = {"severity": check.severity, "meaning": check.why}
    columns = list(check.columns)
    if check.expect == "row_count_between":
        yield _draft(
            "ExpectTableRowCountToBeBetween",
            {
                "min_value": None if check.minimum is None else math.ceil(check.minimum),
                "max_value": None if check.maximum is None else math.floor(check.maximum),
            },
            check_id="check.row_count",
            columns=[],
            **shared,
        )
    elif check.expect == "not_null":
        for name in columns:
            yield _draft(
                "ExpectColumnValuesToNotBeNull",
                {"column": name, "mostly": check.mostly},
                check_id=f"check.not_null.{name}",
                columns=[name],
                optional=_any_optional(contract, [name]),
                **shared,
            )
    elif check.expect == "unique":
        name = f"check.unique.{'.'.join(columns)}"
        yield _unique(contract, columns, check_id=name, mostly=check.mostly, **shared)
    else:
        for earlier, later in pairwise(columns):
            yield _draft(
                "ExpectColumnPairValuesAToBeGreaterThanB",
                {
                    "column_A": later,
                    "column_B": earlier,
                    "or_equal": True,
                    "ignore_row_if": "either_value_is_missing",
                    "mostly": check.mostly,
                },
                check_id=f"check.in_order.{earlier}.{later}",
                columns=[earlier, later],
                optional=_any_optional(contract, [earlier, later]),
                **shared,
            )


def _unique(
    contract: Contract,
    columns: list[str],
    *,
    check_id: str,
    severity: Severity,
    meaning: str,
    mostly: float = 1.0,
) -> Draft:
    settings: dict[str, Any] = {"mostly": mostly}
    if len(columns) == 1:
        kind, settings["column"] = "ExpectColumnValuesToBeUnique", columns[0]
    else:
        kind, settings["column_list"] = "ExpectCompoundColumnsToBeUnique", list(columns)
        # A row that lacks part of its key cannot be said to repeat another.
        settings["ignore_row_if"] = "any_value_is_missing"
    return _draft(
        kind,
        settings,
        check_id=check_id,
        severity=severity,
        meaning=meaning,
        columns=list(columns),
        optional=_any_optional(contract, columns),
    )


def _any_optional(contract: Contract, names: list[str]) -> bool:
    return any(not contract.column(name).required for name in names)


def _codes_expectation(
    contract: Contract, column: Column, codes: list[str]
) -> tuple[str, dict[str, Any]]:
    if column.separator:
        _only_text(contract, column, "separator")
        regex = list_of(codes, column.separator)
        return "ExpectColumnValuesToMatchRegex", {"column": column.name, "regex": regex}
    values: list[Any] = list(codes)
    if column.type in ("integer", "number"):
        try:
            values = [int(c) if column.type == "integer" else float(c) for c in codes]
        except ValueError:
            raise ConfigurationError(
                f"Contract {contract.id}: columns.{column.name} has codes that are not of its "
                f"type {column.type}",
                "Declare the column as text",
            ) from None
    elif column.type not in ("text", "month"):
        raise ConfigurationError(
            f"Contract {contract.id}: columns.{column.name} is a {column.type} and has codes",
            "Declare the column as text, or leave the codes out",
        )
    return "ExpectColumnValuesToBeInSet", {"column": column.name, "value_set": values}


def _only_text(contract: Contract, column: Column, setting: str) -> None:
    if column.type not in ("text", "month"):
        raise ConfigurationError(
            f"Contract {contract.id}: columns.{column.name}.{setting} is for text columns, not for "
            f"a {column.type}",
            "Declare the column as text, or leave the setting out",
        )


def _shared_pattern(contract: Contract, column: Column) -> str:
    try:
        return portable(column.pattern or "")
    except UnsupportedPatternError as error:
        raise ConfigurationError(
            f"Contract {contract.id}: columns.{column.name}.pattern cannot be used: {error}",
            "Write it without look-around, back-references and word boundaries",
        ) from None


def _form_of(column: Column) -> str:
    if column.type == "boolean":
        return f"one of {', '.join([*column.true_values, *column.false_values])}"
    if column.date_format:
        return f"a {column.type} in the form {column.date_format}"
    return {
        "integer": "a whole number",
        "number": "a number",
        "date": "a date (YYYY-MM-DD)",
        "month": "a month (YYYY-MM)",
    }[column.type]


def _range_in_words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"{high:g} or less"
    return f"{low:g} or more" if high is None else f"between {low:g} and {high:g}"
