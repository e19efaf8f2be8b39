"""No value of a record leaves the checks: not in results, reports, errors, logs or output."""

from __future__ import annotations

import json
import logging
import traceback

import duckdb
import great_expectations as gx
import great_expectations.expectations as gxe
import pytest

from declarations.errors import ConfigurationError
from expectations.execution import run_suite
from expectations.reference import run_with_gx
from expectations.reports import text_report

NHS_NUMBER, SURNAME, POSTCODE = "9434765919", "Featherstonehaugh", "ZZ99 3VZ"
PLANTED = (NHS_NUMBER, SURNAME, POSTCODE, "zz993vz", SURNAME.upper())


def spoil(con):
    """Put each planted value in a cell that a check fails on."""
    con.execute(
        "UPDATE delivery SET case_ref = ?, kind = ?, needs = ?, postcode = ?, age = ?, "
        "end_on = DATE '1990-01-01', age__readable = FALSE",
        [NHS_NUMBER, SURNAME, f"X;{SURNAME}", f"{POSTCODE}!", int(NHS_NUMBER)],
    )
    con.execute("INSERT INTO delivery SELECT * FROM delivery")


def suite_that_breaks():
    """Expectations whose evaluation is an error that quotes the cell."""
    return gx.ExpectationSuite(
        name="breaks",
        expectations=[
            gxe.ExpectColumnValuesToBeInSet(column="kind", value_set=[1, 2]),
            gxe.ExpectColumnValuesToBeBetween(column="kind", min_value=3),
            gxe.ExpectColumnValuesToBeBetween(column="postcode", min_value=3, max_value=4),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="kind", column_B="start_on"),
            gxe.ExpectColumnMeanToBeBetween(column="kind", min_value=3),
        ],
    )


def everything_said(outcome):
    """Every text form of an outcome."""
    pieces = [repr(outcome), str(outcome), *text_report(outcome), json.dumps(outcome.as_rows())]
    pieces += [repr(outcome.gx_result), str(outcome.gx_result), outcome.gx_result.describe()]
    pieces.append(json.dumps(outcome.gx_result.to_json_dict()))
    for result in outcome.gx_result.results:
        pieces += [repr(result), json.dumps(result.to_json_dict()), repr(vars(result))]
    return "\n".join(pieces)


def assert_clean(text):
    found = [value for value in PLANTED if value in text]
    assert not found


def run_ours(con, suite):
    return run_suite(con, "delivery", suite)


def run_theirs(con, suite):
    return run_with_gx(con.table("delivery").df(), suite)


@pytest.mark.parametrize("run", [run_ours, run_theirs])
@pytest.mark.parametrize("breaks", [False, True], ids=["bad cells", "errors"])
def test_planted_values_stay_inside(con, delivery, suite, run, breaks, caplog, capsys):
    spoil(con)
    with caplog.at_level(logging.DEBUG):
        outcome = run(con, suite_that_breaks() if breaks else suite)
    assert outcome.problems
    assert_clean(everything_said(outcome))
    logged = "\n".join([caplog.text, *(repr(record.args) for record in caplog.records)])
    assert_clean(logged)
    captured = capsys.readouterr()
    assert_clean(captured.out + captured.err)


def test_the_search_finds_what_an_unguarded_run_would_leak(con, delivery):
    spoil(con)
    with pytest.raises(duckdb.Error, match=SURNAME) as caught:
        con.execute("SELECT count(*) FILTER (WHERE kind IN (?, ?)) FROM delivery", [1, 2])
    with pytest.raises(AssertionError):
        assert_clean("".join(traceback.format_exception(caught.value)))


def test_gx_by_itself_would_leak(con, delivery, suite):
    spoil(con)
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("a")
    batch = asset.add_batch_definition_whole_dataframe("w").get_batch(
        {"dataframe": con.table("delivery").df()}
    )
    with pytest.raises(AssertionError):
        assert_clean(str(batch.validate(suite)))


def test_gx_logging_is_as_it_was_after_a_run(con, delivery, suite):
    logger = logging.getLogger("great_expectations")
    before = (logger.disabled, logger.propagate, logger.level)
    run_theirs(con, suite)
    assert (logger.disabled, logger.propagate, logger.level) == before


def test_an_error_does_not_carry_its_cause(con, suite):
    with pytest.raises(ConfigurationError, match="CatalogException") as caught:
        run_suite(con, "nowhere", suite)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
