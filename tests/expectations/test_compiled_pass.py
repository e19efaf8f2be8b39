"""The compiled pass: one statement, three outcomes, and only the guilty check fails to run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest
from great_expectations.expectations.row_conditions import Column

from declarations.errors import ConfigurationError
from expectations.compilation import UnknownExpectationError, compile_sql
from expectations.execution import run_suite
from expectations.suites import build_suite


def outcomes(outcome):
    return {check.check_id: check.outcome for check in outcome.checks}


def suite_of(*expectations):
    return gx.ExpectationSuite(name="by_hand", expectations=list(expectations))


class Counting:
    """A connection that counts the statements it runs."""

    def __init__(self, con):
        self.con, self.statements = con, []

    def execute(self, sql, bindings=None):
        self.statements.append(sql)
        return self.con.execute(sql, bindings) if bindings else self.con.execute(sql)


def test_a_good_delivery_passes_every_check(con, delivery, suite):
    outcome = run_suite(con, delivery, suite)
    assert set(outcomes(outcome).values()) == {"passed"}
    assert outcome.admissible
    assert outcome.gx_result.success


def test_one_statement_reads_the_table(con, delivery, suite):
    counted = Counting(con)
    run_suite(counted, delivery, suite)
    assert [s.split()[0] for s in counted.statements] == ["DESCRIBE", "SELECT"]


def test_values_are_bound_and_never_written_into_the_statement(suite):
    sql, bindings = compile_sql(suite)
    assert "'" not in sql
    assert sql.count("?") == len(bindings)
    assert "A" in bindings


@pytest.mark.parametrize(
    ("spoil", "check_id", "checked", "failed"),
    [
        ("case_ref = NULL WHERE case_ref = 'r2'", "not_null.case_ref", 3, 1),
        ("kind = 'a'", "codes.kind", 3, 3),
        ("needs = 'X;' WHERE case_ref = 'r1'", "codes.needs", 2, 1),
        ("postcode = 'AB1' WHERE case_ref = 'r1'", "pattern.postcode", 2, 1),
        ("age = -1 WHERE case_ref = 'r1'", "range.age", 2, 1),
        ("age = 121 WHERE case_ref <> 'r3'", "range.age", 2, 2),
        ("age__readable = FALSE WHERE case_ref = 'r1'", "readable.age", 3, 1),
        ("case_ref = 'r1', start_on = DATE '2026-01-01'", "key", 3, 3),
        ("end_on = DATE '2025-01-01' WHERE case_ref = 'r3'",
         "check.in_order.start_on.end_on", 2, 1),
    ],
)  # fmt: skip
def test_each_check_fails_on_its_own_fault(con, delivery, suite, spoil, check_id, checked, failed):
    con.execute(f"UPDATE delivery SET {spoil}")
    outcome = run_suite(con, delivery, suite)
    unpassed = {c.check_id: (c.outcome, c.rows_checked, c.rows_failed) for c in outcome.problems}
    assert unpassed == {check_id: ("failed", checked, failed)}
    assert not outcome.gx_result.success


@pytest.mark.parametrize(
    ("unreadable", "expected"), [(0, "passed"), (1, "passed"), (2, "failed"), (4, "failed")]
)
def test_readable_holds_up_to_the_share_that_is_allowed(con, contract_with, unreadable, expected):
    # A quarter is allowed: of four rows, one.
    contract = contract_with(columns=[{"name": "age", "type": "integer"}], key=[], checks=[])
    con.execute(
        "CREATE TABLE t AS SELECT 1::BIGINT AS age, i >= ? AS age__readable FROM range(4) r(i)",
        [unreadable],
    )
    outcome = run_suite(con, "t", build_suite(contract))
    assert outcomes(outcome)["readable.age"] == expected
    assert outcome.admissible is (expected == "passed")


def test_an_empty_table_is_held_back(con, delivery, suite):
    con.execute("DELETE FROM delivery")
    outcome = run_suite(con, delivery, suite)
    assert [check.check_id for check in outcome.blocking_failures] == ["at_least_one_row"]


def test_a_missing_column_fails_presence_and_its_checks_cannot_run(con, delivery, suite):
    con.execute("ALTER TABLE delivery DROP age")
    con.execute("ALTER TABLE delivery DROP age__readable")
    outcome = run_suite(con, delivery, suite)
    assert {k: v for k, v in outcomes(outcome).items() if v != "passed"} == {
        "present.age": "failed",
        "readable.age": "could_not_run",
        "range.age": "could_not_run",
    }
    assert {c.check_id for c in outcome.blocking_failures} == {"present.age", "readable.age"}
    assert not outcome.admissible


def test_an_optional_column_may_be_absent_but_is_not_passed(con, delivery, suite):
    con.execute("ALTER TABLE delivery DROP end_on")
    con.execute("ALTER TABLE delivery DROP end_on__readable")
    outcome = run_suite(con, delivery, suite)
    assert {c.check_id: (c.outcome, c.severity) for c in outcome.problems} == {
        "readable.end_on": ("could_not_run", "warning"),
        "check.in_order.start_on.end_on": ("could_not_run", "warning"),
    }
    assert outcome.admissible


def test_an_unknown_type_could_not_run_and_blocks(con, delivery):
    suite = suite_of(
        gxe.ExpectColumnMeanToBeBetween(column="age", min_value=1),
        gxe.ExpectColumnValuesToNotBeNull(column="case_ref"),
    )
    outcome = run_suite(con, delivery, suite)
    assert [check.outcome for check in outcome.checks] == ["could_not_run", "passed"]
    assert not outcome.admissible
    assert not outcome.gx_result.success
    with pytest.raises(UnknownExpectationError, match="expect_column_mean"):
        compile_sql(suite)


def test_a_condition_on_rows_is_not_passed_over(con, delivery):
    conditional = gxe.ExpectColumnValuesToBeInSet(
        column="kind", value_set=["A"], row_condition=Column("age") > 30
    )
    outcome = run_suite(con, delivery, suite_of(conditional))
    assert [check.outcome for check in outcome.checks] == ["could_not_run"]


def test_a_database_error_stops_only_the_guilty_check(con, delivery):
    suite = suite_of(
        gxe.ExpectColumnValuesToNotBeNull(column="case_ref"),
        gxe.ExpectColumnValuesToBeBetween(column="postcode", min_value=3),
        gxe.ExpectColumnValuesToMatchRegex(column="kind", regex="x{2000}"),
        gxe.ExpectColumnValuesToBeInSet(column="kind", value_set=["A"]),
    )
    outcome = run_suite(con, delivery, suite)
    assert [check.outcome for check in outcome.checks] == [
        "passed", "could_not_run", "could_not_run", "failed",
    ]  # fmt: skip
    assert "BinderException" in outcome.checks[1].meaning
    info = outcome.gx_result.results[1].exception_info
    assert info["raised_exception"]
    assert info["exception_traceback"] is None


def test_a_table_that_is_not_there_is_an_error_not_an_outcome(con, suite):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        run_suite(con, "nowhere", suite)


def test_rows_of_the_checks_table(con, delivery, suite):
    outcome = run_suite(con, delivery, suite, source_id="s", period="2026-10", version=2)
    rows = outcome.as_rows()
    assert len(rows) == len(suite.expectations)
    assert list(rows[0]) == [
        "source_id", "period", "version", "check_id", "expectation", "column_name", "severity",
        "outcome", "rows_checked", "rows_failed", "meaning",
    ]  # fmt: skip
    assert {(r["source_id"], r["period"], r["version"]) for r in rows} == {("s", "2026-10", 2)}
    assert {r["column_name"] for r in rows if r["check_id"] == "readable.age"} == {"age"}


def test_results_are_gx_objects_with_counts_only(con, delivery, suite):
    allowed = {"element_count", "unexpected_count", "unexpected_percent", "missing_count"}
    result = run_suite(con, delivery, suite).gx_result
    assert isinstance(result, gx.core.ExpectationSuiteValidationResult)
    assert len(result.results) == result.statistics["evaluated_expectations"]
    for single in result.results:
        assert isinstance(single, gx.core.ExpectationValidationResult)
        assert set(single.result) <= allowed


def test_importing_the_room_does_not_import_great_expectations():
    modules = ["suites", "execution", "reference", "reports", "outcomes", "results", "patterns"]
    imports = ", ".join(f"expectations.{module}" for module in modules)
    heavy = "{'great_expectations', 'pandas', 'duckdb'}"
    program = f"import sys, {imports}; sys.exit(len({heavy} & set(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False
    )
    assert finished.returncode == 0
