"""Which expectations follow from a contract."""

from __future__ import annotations

import pytest
from great_expectations import ExpectationSuite

from declarations.contracts import Source
from declarations.errors import ConfigurationError
from expectations.suites import build_suite


def metas(suite):
    return {e.meta["check_id"]: e.meta for e in suite.expectations}


def configurations(suite):
    return {e.meta["check_id"]: e.configuration for e in suite.expectations}


def test_each_declaration_gives_its_expectation_and_severity(suite):
    assert isinstance(suite, ExpectationSuite)
    assert {k: v["severity"] for k, v in metas(suite).items()} == {
        "at_least_one_row": "blocking",
        "present.case_ref": "blocking",
        "not_null.case_ref": "blocking",
        "present.kind": "blocking",
        "codes.kind": "warning",
        "present.needs": "blocking",
        "codes.needs": "warning",
        "present.postcode": "blocking",
        "pattern.postcode": "warning",
        "present.age": "blocking",
        "readable.age": "blocking",
        "range.age": "warning",
        "present.start_on": "blocking",
        "readable.start_on": "blocking",
        "readable.end_on": "blocking",
        "key": "warning",
        "check.in_order.start_on.end_on": "warning",
    }


def test_gx_severity_follows_ours(suite):
    by_id = configurations(suite)
    assert by_id["not_null.case_ref"].severity == "critical"
    assert by_id["codes.kind"].severity == "warning"


def test_readable_allows_the_broken_rows_of_the_format(suite):
    configuration = configurations(suite)["readable.age"]
    assert configuration.kwargs["column"] == "age__readable"
    assert configuration.kwargs["mostly"] == 0.75


def test_a_contract_of_one_open_text_column_still_asks_for_a_row_and_the_column(contract_with):
    contract = contract_with(
        columns=[{"name": "note"}], key=[], checks=[], code_lists={}, id="only_text"
    )
    assert set(metas(build_suite(contract))) == {"at_least_one_row", "present.note"}


def test_every_meaning_is_a_sentence_that_names_its_column(suite):
    for meta in metas(suite).values():
        assert meta["meaning"].strip()
        if meta["check_id"].split(".")[0] in ("present", "not_null", "codes", "range", "pattern"):
            assert meta["columns"][0] in meta["meaning"]


def test_a_source_gives_its_headings_and_its_id(contract_with):
    source = Source(
        id="test_council_cases", title="t", agency="a", agreement="g", contract="test_cases",
        theme="homelessness", cadence="monthly", files="cases_{period}.csv",
        headers={"case_ref": ["Ref. no."]},
    )  # fmt: skip
    suite = build_suite(contract_with(), source)
    assert suite.name == "test_council_cases"
    assert suite.meta["source_id"] == "test_council_cases"
    present = metas(suite)["present.case_ref"]["meaning"]
    assert "Ref. no." in present
    assert "Case reference" in present


def test_columns_an_agreement_drops_give_no_expectation(contract_with):
    kept = {"kind", "start_on"}
    ids = set(metas(build_suite(contract_with(), keep=kept)))
    assert ids == {
        "at_least_one_row", "present.kind", "codes.kind", "present.start_on", "readable.start_on",
    }  # fmt: skip


def test_a_check_made_twice_keeps_two_ids(contract_with):
    twice = {"expect": "not_null", "columns": ["kind"], "why": "Fill it."}
    contract = contract_with(checks=[twice, {**twice, "severity": "blocking", "mostly": 0.5}])
    ids = metas(build_suite(contract))
    assert ids["check.not_null.kind"]["severity"] == "warning"
    assert ids["check.not_null.kind.2"]["severity"] == "blocking"


def test_contract_checks_become_expectations(contract_with):
    contract = contract_with(
        key=[],
        checks=[
            {"expect": "unique", "columns": ["case_ref"], "why": "w"},
            {"expect": "unique", "columns": ["case_ref", "kind"], "why": "w", "mostly": 0.9},
            {"expect": "row_count_between", "minimum": 2.5, "maximum": 9.5, "why": "w"},
        ],
    )
    by_id = configurations(build_suite(contract))
    assert by_id["check.unique.case_ref"].type == "expect_column_values_to_be_unique"
    compound = by_id["check.unique.case_ref.kind"]
    assert compound.kwargs["column_list"] == ["case_ref", "kind"]
    assert compound.kwargs["mostly"] == 0.9
    rows = by_id["check.row_count"].kwargs
    assert (rows["min_value"], rows["max_value"]) == (3, 9)


def test_codes_of_a_whole_number_column_are_whole_numbers(contract_with):
    contract = contract_with(
        columns=[{"name": "reason", "type": "integer", "codes": ["1", "2"]}], key=[], checks=[]
    )
    assert configurations(build_suite(contract))["codes.reason"].kwargs["value_set"] == [1, 2]


@pytest.mark.parametrize(
    ("column", "named"),
    [
        ({"name": "reason", "type": "integer", "codes": ["one"]}, "codes"),
        ({"name": "flag", "type": "boolean", "codes": ["x"]}, "codes"),
        ({"name": "day", "type": "date", "pattern": "x"}, "pattern"),
        ({"name": "code", "pattern": "(unclosed"}, "pattern"),
        ({"name": "code", "pattern": "a(?=b)"}, "pattern"),
        ({"name": "age", "type": "integer", "minimum": 5, "maximum": 1}, "minimum"),
    ],
)
def test_what_cannot_be_an_expectation_is_a_configuration_error(column, named, contract_with):
    contract = contract_with(columns=[column], key=[], checks=[])
    with pytest.raises(ConfigurationError, match=named) as caught:
        build_suite(contract)
    assert caught.value.fix
    assert column["name"] in str(caught.value)
