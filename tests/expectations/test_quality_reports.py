"""The report a supplying agency reads, and the question whether a delivery is held back."""

from __future__ import annotations

import itertools

import pytest

from expectations.execution import run_suite
from expectations.outcomes import CheckOutcome, ContractOutcome
from expectations.reports import text_report


def check(severity="warning", outcome="passed", checked=10, failed=0, **changes):
    given = {
        "source_id": "s", "period": "2026-10", "version": 1, "check_id": "codes.kind",
        "expectation": "expect_column_values_to_be_in_set", "column_name": "kind",
        "severity": severity, "outcome": outcome, "rows_checked": checked, "rows_failed": failed,
        "meaning": "Use only the allowed values.",
    }  # fmt: skip
    return CheckOutcome(**{**given, **changes})


@pytest.mark.parametrize(
    ("severity", "outcome"),
    list(itertools.product(["blocking", "warning"], ["passed", "failed", "could_not_run"])),
)
def test_only_a_blocking_check_that_did_not_pass_holds_back(severity, outcome):
    whole = ContractOutcome(checks=(check(), check(severity, outcome)), gx_result=None)
    held = severity == "blocking" and outcome in ("failed", "could_not_run")
    assert bool(whole.blocking_failures) is held
    assert whole.admissible is not held


def test_no_checks_are_no_admission():
    assert not ContractOutcome(checks=(), gx_result=None).admissible


def test_problems_stand_before_what_passed_and_blocking_ones_first():
    whole = ContractOutcome(
        checks=(
            check(check_id="present.kind"),
            check(outcome="failed", failed=1),
            check("blocking", "failed", failed=2, check_id="not_null.kind"),
        ),
        gx_result=None,
    )
    kinds = [line.split()[1] for line in text_report(whole)[4:]]
    assert kinds == ["not_null", "codes", "present"]
    assert len(text_report(whole, only_problems=True)[4:]) == 2


@pytest.mark.parametrize(
    ("checked", "failed", "share"),
    [
        (200, 50, "25.00%"),
        (1_000_000, 1, "<0.01%"),
        (3, 0, "0.00%"),
        (0, 0, "-"),
        (None, None, "-"),
    ],
)
def test_shares(checked, failed, share):
    line = text_report(
        ContractOutcome((check(outcome="failed", checked=checked, failed=failed),), None)
    )[-1]
    assert line.split("Use only")[0].split()[-1] == share


def test_thousands_are_grouped_and_the_fix_stands_last():
    whole = ContractOutcome((check("blocking", "failed", 1234567, 1234),), None)
    verdict, _, headings, rule, line = text_report(whole)
    assert "held back by 1" in verdict
    assert headings.endswith("what would fix it")
    assert set(rule) == {"-", " "}
    assert "1,234,567" in line
    assert line.endswith("Use only the allowed values.")


def test_a_check_that_could_not_run_says_so(con, delivery, suite):
    con.execute("ALTER TABLE delivery DROP postcode")
    lines = text_report(run_suite(con, delivery, suite))
    assert "1 failed, 1 could not run" in lines[0]
    [line] = [line for line in lines if "the column postcode is missing" in line]
    assert line.split()[1:5] == ["pattern", "could", "not", "run"]


def test_a_good_delivery_reads_as_one(con, delivery, suite):
    lines = text_report(run_suite(con, delivery, suite), only_problems=True)
    assert lines == [
        f"{len(suite.expectations)} checks: {len(suite.expectations)} passed, 0 failed, "
        "0 could not run. None of them holds the extract back."
    ]
