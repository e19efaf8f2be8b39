"""From counts to outcomes and to GX's result objects, the same for both engines.

Belongs here: judging a count (`mostly`, row-count bounds), building GX results that hold counts
only, and the row of the quality table.
Does not belong here: how the counts were come by (`execution`, `reference`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from declarations.errors import ConfigurationError
from expectations.compilation import PreparedExpectation, PreparedSuite, prepare
from expectations.outcomes import (
    BLOCKING,
    COULD_NOT_RUN,
    FAILED,
    PASSED,
    WARNING,
    CheckOutcome,
    ContractOutcome,
    Outcome,
    Severity,
)

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.core import ExpectationValidationResult

TO_EXIST = "expect_column_to_exist"
NOT_NULL = "expect_column_values_to_not_be_null"
ROW_COUNT = "expect_table_row_count_to_be_between"
LABELS_KEPT = 128


@dataclass(frozen=True)
class Measured:
    """What was found for one expectation.

    Attributes
    ----------
    success : bool or None
        None if the check could not run.
    rows : int or None
        Rows of the table.
    considered, unexpected : int or None
        Rows the check looked at, and those of them that fail.
    reason : str or None
        Why it could not run: a class of error or the name of a column, never a message that might
        quote a value.
    """

    success: bool | None
    rows: int | None = None
    considered: int | None = None
    unexpected: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Label:
    """The part of a check's row that no count changes: see `outcomes.CheckOutcome`."""

    check_id: str
    expectation: str
    column_name: str | None
    severity: Severity
    meaning: str


def mostly_holds(considered: int, unexpected: int, mostly: float) -> bool:
    """Whether enough rows pass; true of no rows at all, as in GX (hence at_least_one_row)."""
    return considered == 0 or (considered - unexpected) / considered >= mostly


def row_count_holds(rows: int, settings: Mapping[str, Any]) -> bool:
    """Whether a row count lies within the bounds given."""
    low, high = settings.get("min_value"), settings.get("max_value")
    above = low is None or (rows > low if settings.get("strict_min") else rows >= low)
    below = high is None or (rows < high if settings.get("strict_max") else rows <= high)
    return above and below


def refuse_empty(suite: ExpectationSuite) -> None:
    """Raise if a suite has no expectation: GX would call that a success.

    Raises
    ------
    ConfigurationError
    """
    if not suite.expectations:
        raise ConfigurationError(
            f"The suite {suite.name} holds no expectation, so nothing would be checked",
            "Declare the columns of the contract",
        )


def contract_outcome(
    suite: ExpectationSuite,
    measured: Sequence[Measured],
    *,
    columns: Collection[str],
    engine: str,
    delivery: tuple[str, str, int],
) -> ContractOutcome:
    """Assemble the outcome of a suite.

    Parameters
    ----------
    suite : great_expectations.ExpectationSuite
    measured : sequence of Measured
        One for each expectation, in the suite's order.
    columns : collection of str
        The columns of the table that was checked.
    engine : str
        Name of the engine, recorded in the result.
    delivery : tuple of (str, str, int)
        Source id, period and version.
    """
    import great_expectations  # noqa: PLC0415
    from great_expectations.core import ExpectationSuiteValidationResult  # noqa: PLC0415

    prepared = prepare(suite)
    pairs = list(zip(prepared.expectations, measured, strict=True))
    results = [gx_result(expectation, found) for expectation, found in pairs]
    successful = sum(bool(found.success) for found in measured)
    whole = ExpectationSuiteValidationResult(
        success=successful == len(pairs),
        results=results,
        suite_name=suite.name,
        statistics={
            "evaluated_expectations": len(pairs),
            "successful_expectations": successful,
            "unsuccessful_expectations": len(pairs) - successful,
            "success_percent": 100 * successful / len(pairs),
        },
        meta={
            "great_expectations_version": great_expectations.__version__,
            "engine": engine,
        },
    )
    checks = tuple(
        _check(label, found, delivery)
        for label, found in zip(_labels(prepared, frozenset(columns)), measured, strict=True)
    )
    return ContractOutcome(checks=checks, gx_result=whole)


def gx_result(expectation: PreparedExpectation, found: Measured) -> ExpectationValidationResult:
    """Return GX's result object with counts only, and a configuration of its own."""
    from great_expectations.core import ExpectationValidationResult  # noqa: PLC0415

    ran = found.success is not None
    return ExpectationValidationResult(
        success=bool(found.success),
        expectation_config=expectation.own_configuration(),
        result=_counts(expectation.kind, found) if ran else {},
        exception_info={
            "raised_exception": not ran,
            "exception_traceback": None,
            "exception_message": None if ran else found.reason,
        },
    )


def _counts(kind: str, found: Measured) -> dict[str, Any]:
    if kind == TO_EXIST:
        return {}
    if found.unexpected is None or found.considered is None or found.rows is None:
        return {"element_count": found.rows}
    share = 100 * found.unexpected / found.considered if found.considered else None
    counts: dict[str, Any] = {
        "element_count": found.rows,
        "unexpected_count": found.unexpected,
        "unexpected_percent": share,
    }
    if kind != NOT_NULL:
        counts["missing_count"] = found.rows - found.considered
    return counts


@lru_cache(maxsize=LABELS_KEPT)
def _labels(prepared: PreparedSuite, columns: frozenset[str]) -> tuple[Label, ...]:
    return tuple(
        _label(expectation, position, columns)
        for position, expectation in enumerate(prepared.expectations)
    )


def _label(expectation: PreparedExpectation, position: int, columns: frozenset[str]) -> Label:
    kind, meta, needed = expectation.kind, expectation.meta, expectation.needed
    named = meta.get("columns") or needed or [expectation.settings.get("column") or ""]
    return Label(
        check_id=meta.get("check_id", f"{kind}.{position + 1}"),
        expectation=kind,
        column_name=", ".join(named) or None,
        severity=_severity(meta, needed, columns),
        meaning=str(meta.get("meaning", f"See the expectation {kind}.")),
    )


def _check(label: Label, found: Measured, delivery: tuple[str, str, int]) -> CheckOutcome:
    source_id, period, version = delivery
    return CheckOutcome(
        source_id=source_id,
        period=period,
        version=version,
        check_id=label.check_id,
        expectation=label.expectation,
        column_name=label.column_name,
        severity=label.severity,
        outcome=_outcome(found.success),
        rows_checked=None if label.expectation == TO_EXIST else found.considered,
        rows_failed=found.unexpected,
        meaning=_meaning(label, found),
    )


def _outcome(success: bool | None) -> Outcome:
    if success is None:
        return COULD_NOT_RUN
    return PASSED if success else FAILED


def _severity(
    meta: Mapping[str, Any], needed: tuple[str, ...], columns: frozenset[str]
) -> Severity:
    # The contract lets an optional column be absent: that is shown, and holds nothing back.
    if meta.get("optional") and not columns.issuperset(needed):
        return WARNING
    return WARNING if meta.get("severity") == WARNING else BLOCKING


def _meaning(label: Label, found: Measured) -> str:
    if found.success is None:
        return f"The check could not run ({found.reason}). {label.meaning}"
    return label.meaning
