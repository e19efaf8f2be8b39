"""The data-quality report of one delivery as lines of text.

Belongs here: the table a supplying agency reads on its command line, in the manner of the Client
Level Data quality reports: field, check, rows checked, rows failed, share, what would fix it.
Does not belong here: reports as files or pages (`publishing`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.outcomes import COULD_NOT_RUN, FAILED, PASSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expectations.outcomes import CheckOutcome, ContractOutcome

HEADINGS = ("column", "check", "outcome", "checked", "failed", "share", "what would fix it")
NUMERIC = frozenset({3, 4, 5})
NOT_APPLICABLE = "-"


def text_report(outcome: ContractOutcome, *, only_problems: bool = False) -> list[str]:
    """Return the report as lines, without colour or line breaks.

    Parameters
    ----------
    outcome : ContractOutcome
    only_problems : bool
        Leave out the checks that passed.

    Returns
    -------
    list of str
        A verdict, a blank line, and a table: what blocks, then the other problems, then what
        passed, each in the order of the contract.
    """
    passed = [check for check in outcome.checks if check.outcome == PASSED]
    shown = [*outcome.problems, *([] if only_problems else passed)]
    lines = [_verdict(outcome)]
    if shown:
        lines += ["", *_table([HEADINGS, *(_cells(check) for check in shown)])]
    return lines


def _verdict(outcome: ContractOutcome) -> str:
    counted = {
        kind: sum(check.outcome == kind for check in outcome.checks)
        for kind in (PASSED, FAILED, COULD_NOT_RUN)
    }
    numbers = (
        f"{len(outcome.checks)} checks: {counted[PASSED]} passed, {counted[FAILED]} failed, "
        f"{counted[COULD_NOT_RUN]} could not run."
    )
    blocking = len(outcome.blocking_failures)
    if blocking:
        return f"{numbers} The extract is held back by {blocking} of them, marked 'blocking'."
    return f"{numbers} None of them holds the extract back."


def _cells(check: CheckOutcome) -> tuple[str, ...]:
    outcome = check.outcome.replace("_", " ")
    if check.blocks:
        outcome = f"{outcome}, blocking"
    return (
        check.column_name or "(table)",
        check.check_id.removeprefix("check.").split(".")[0],
        outcome,
        _number(check.rows_checked),
        _number(check.rows_failed),
        _share(check),
        "" if check.outcome == PASSED else check.meaning,
    )


def _number(value: int | None) -> str:
    return NOT_APPLICABLE if value is None else f"{value:,}"


def _share(check: CheckOutcome) -> str:
    if check.rows_failed is None or not check.rows_checked:
        return NOT_APPLICABLE
    share = 100 * check.rows_failed / check.rows_checked
    # A single bad row in a million must not read as none.
    return "<0.01%" if 0 < share < 0.01 else f"{share:.2f}%"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(widths[place]) if place in NUMERIC else cell.ljust(widths[place])
            for place, cell in enumerate(row)
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines
