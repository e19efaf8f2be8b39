"""A suite is read once and shared: runs leave it as it is, and a changed suite is read again."""

from __future__ import annotations

import copy
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest
from great_expectations.expectations.expectation import Expectation

from declarations.contracts import Source
from declarations.errors import ConfigurationError
from expectations.compilation import compile_sql, prepare
from expectations.execution import run_suite
from expectations.suites import build_suite, cached_suite


def source_named(name, **changes):
    settings = {
        "id": name,
        "title": "Synthetic extract",
        "agency": "agency",
        "agreement": "agreement",
        "contract": "test_cases",
        "theme": "context",
        "cadence": "once",
        "files": "cases.csv",
    }
    return Source(**{**settings, **changes})


def said_by(suite):
    return [(type(each), copy.deepcopy(vars(each))) for each in suite.expectations]


def meanings(suite):
    return {each.meta["check_id"]: each.meta["meaning"] for each in suite.expectations}


@pytest.fixture
def looks(monkeypatch):
    """The expectations whose configuration GX was asked for."""
    asked = []
    original = Expectation.configuration.fget

    def counted(self):
        asked.append(self)
        return original(self)

    monkeypatch.setattr(Expectation, "configuration", property(counted))
    return asked


def test_each_configuration_is_read_once_for_all_runs(con, delivery, contract, looks):
    suite = build_suite(contract)
    looks.clear()
    for _ in range(3):
        run_suite(con, delivery, suite)
    assert len(looks) == len(suite.expectations)


def test_a_second_run_gives_the_same_as_the_first(con, delivery, contract):
    suite = build_suite(contract)
    first, second = (run_suite(con, delivery, suite) for _ in range(2))
    assert first.checks == second.checks
    assert first.gx_result.to_json_dict() == second.gx_result.to_json_dict()


def test_a_run_leaves_the_shared_suite_as_it_is(con, delivery, contract):
    suite = cached_suite(contract)
    before = said_by(suite), copy.deepcopy(suite.meta)
    con.execute("UPDATE delivery SET kind = 'a', age = -1")
    run_suite(con, delivery, suite, source_id="other", period="2026-01")
    assert (said_by(suite), suite.meta) == before


def test_a_changed_result_changes_no_later_one(con, delivery, contract):
    suite = build_suite(contract)
    first = run_suite(con, delivery, suite).gx_result
    codes = next(r for r in first.results if r.expectation_config.meta["check_id"] == "codes.kind")
    codes.expectation_config.kwargs["value_set"].append("ours")
    codes.expectation_config.meta["columns"].append("ours")
    codes.expectation_config.rendered_content = ["ours"]
    assert "ours" not in str(run_suite(con, delivery, suite).gx_result)
    assert "ours" not in str(said_by(suite))


@pytest.mark.parametrize("in_place", [True, False])
def test_a_suite_that_is_changed_is_read_again(con, delivery, in_place):
    expectation = gxe.ExpectColumnValuesToBeInSet(column="kind", value_set=["A", "B"])
    suite = gx.ExpectationSuite(name="by_hand", expectations=[expectation])
    assert run_suite(con, delivery, suite).checks[0].outcome == "passed"
    if in_place:
        suite.expectations[0].value_set.remove("B")
    else:
        suite.expectations[0].value_set = ["A"]
    assert [c.rows_failed for c in run_suite(con, delivery, suite).checks] == [1]
    suite.expectations.append(gxe.ExpectColumnToExist(column="case_ref"))
    assert [c.outcome for c in run_suite(con, delivery, suite).checks] == ["failed", "passed"]


def test_a_suite_left_alone_is_not_read_again(contract):
    suite = build_suite(contract)
    assert prepare(suite) is prepare(suite)
    assert prepare(suite) is not prepare(build_suite(contract))


def test_a_suite_nobody_uses_is_freed(con, delivery, contract):
    suite = build_suite(contract)
    run_suite(con, delivery, suite)
    gone = weakref.ref(suite)
    del suite
    gc.collect()
    assert gone() is None


def test_one_suite_follows_the_columns_of_each_table(con, delivery, contract):
    suite = build_suite(contract)
    con.execute("CREATE TABLE short AS SELECT * EXCLUDE (age, age__readable) FROM delivery")
    con.execute("CREATE TABLE real AS SELECT * REPLACE ('nan'::DOUBLE AS age) FROM delivery")
    checked = {
        table: {
            c.check_id: (c.outcome, c.rows_checked) for c in run_suite(con, table, suite).checks
        }
        for table in (delivery, "short", "real", delivery)
    }
    assert checked[delivery]["range.age"] == ("passed", 2)
    assert checked["short"]["range.age"] == ("could_not_run", None)
    # A DOUBLE may hold NaN, which is no value: there is no row to look at.
    assert checked["real"]["range.age"] == ("passed", 0)


def test_changing_the_bindings_of_a_statement_changes_no_later_one(contract):
    suite = build_suite(contract)
    sql, bindings = compile_sql(suite)
    expected = list(bindings)
    bindings.clear()
    assert compile_sql(suite) == (sql, expected)


def test_threads_share_a_suite(con, delivery, contract):
    suite = build_suite(contract)
    expected = run_suite(con, delivery, build_suite(contract)).checks
    cursors = [con.cursor() for _ in range(6)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda cursor: run_suite(cursor, delivery, suite).checks, cursors))
    assert found == [expected] * len(cursors)


def test_a_cached_suite_is_built_once_for_declarations_that_say_the_same(contract_with):
    source = source_named("one")
    suite = cached_suite(contract_with(), source, ["age", "kind"])
    assert cached_suite(contract_with(), source_named("one"), {"kind", "age"}) is suite
    assert said_by(suite) == said_by(build_suite(contract_with(), source, keep={"age", "kind"}))


def test_a_cached_suite_follows_its_declarations(contract_with):
    plain = cached_suite(contract_with(), source_named("one"))
    assert cached_suite(contract_with(), source_named("two")).meta["source_id"] == "two"
    assert cached_suite(contract_with()).meta["source_id"] == ""
    headed = cached_suite(contract_with(), source_named("one", headers={"kind": ["Art"]}))
    assert "Art" in meanings(headed)["present.kind"]
    assert "Art" not in meanings(plain)["present.kind"]
    assert "codes.kind" not in meanings(cached_suite(contract_with(), keep={"age"}))
    assert "key" not in meanings(cached_suite(contract_with(key=[])))
    assert meanings(cached_suite(contract_with(), keep=[])).keys() == {"at_least_one_row"}


def test_a_contract_that_gives_no_suite_is_refused_every_time(contract_with):
    bad = contract_with(
        columns=[{"name": "age", "type": "integer", "minimum": 9, "maximum": 1}], key=[], checks=[]
    )
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="above its maximum"):
            cached_suite(bad)
