"""The three outcomes of a check and the result of a whole contract.

Belongs here: the records every engine returns and the question whether a delivery is held back.
Does not belong here: how a check is run (`execution`, `reference`) or shown (`reports`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult

Outcome = Literal["passed", "failed", "could_not_run"]
Severity = Literal["blocking", "warning"]

PASSED: Outcome = "passed"
FAILED: Outcome = "failed"
COULD_NOT_RUN: Outcome = "could_not_run"

BLOCKING: Severity = "blocking"
WARNING: Severity = "warning"


@dataclass(frozen=True)
class CheckOutcome:
    """One row of the quality table ``checks``.

    Attributes
    ----------
    source_id, period, version
        The delivery: ``period`` is ``YYYY-MM``, or '' for a source delivered once.
    check_id : str
        Stable name of the check within its contract, for example ``not_null.case_ref``.
    expectation : str
        GX's name of the expectation type.
    column_name : str or None
        The column, or several joined by ', '; None for a check of the whole table.
    severity : {'blocking', 'warning'}
    outcome : {'passed', 'failed', 'could_not_run'}
    rows_checked : int or None
        Rows the check looked at (rows without a value are left out, as GX does); None where the
        check is not about rows or could not run.
    rows_failed : int or None
        Of those, the rows that failed; None where the check is not about single rows.
    meaning : str
        A sentence for the supplying agency that says what would fix it.
    """

    source_id: str
    period: str
    version: int
    check_id: str
    expectation: str
    column_name: str | None
    severity: Severity
    outcome: Outcome
    rows_checked: int | None
    rows_failed: int | None
    meaning: str

    @property
    def blocks(self) -> bool:
        """Whether this outcome holds the delivery back: only a pass of a blocking check lets go."""
        return self.severity == BLOCKING and self.outcome != PASSED


@dataclass(frozen=True)
class ContractOutcome:
    """What all checks of one delivery gave.

    Attributes
    ----------
    checks : tuple of CheckOutcome
        In the order of the suite; never empty.
    gx_result : great_expectations.core.ExpectationSuiteValidationResult
        The same as GX's own object, with counts only.
    """

    checks: tuple[CheckOutcome, ...]
    gx_result: ExpectationSuiteValidationResult

    @property
    def blocking_failures(self) -> tuple[CheckOutcome, ...]:
        """The blocking checks that failed or could not run."""
        return tuple(check for check in self.checks if check.blocks)

    @property
    def problems(self) -> tuple[CheckOutcome, ...]:
        """Every check that did not pass, blocking ones first."""
        unsolved = [check for check in self.checks if check.outcome != PASSED]
        return tuple(sorted(unsolved, key=lambda check: not check.blocks))

    @property
    def admissible(self) -> bool:
        """Whether checks were made and none of the blocking ones is left unpassed."""
        return bool(self.checks) and not self.blocking_failures

    def as_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the quality table ``checks``, one dict per check."""
        return [asdict(check) for check in self.checks]
