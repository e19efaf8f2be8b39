"""The catalogue: every file loads, reads well, and stands on measures that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from testshire import make_contract, make_indicator, make_region, make_source

import expectations
import pipelines.regions
from declarations.contracts import Contract
from declarations.definitions import chosen
from declarations.errors import ConfigurationError
from declarations.indicators import Indicator
from declarations.loader import read_declaration
from indicators.library import CATALOGUE, catalogue, indicators_table, sources_of
from indicators.notes import NOTES, joined

FILES = sorted(CATALOGUE.glob("*.yaml"))
REGIONS = Path(pipelines.regions.__file__).parent
CONTRACTS = [
    read_declaration(path, Contract)
    for path in sorted(
        [
            *(Path(expectations.__file__).parent / "contracts").glob("*.yaml"),
            # Of the regions only what the shared contracts do not count.
            REGIONS / "west-midlands" / "contracts" / "census_accommodation_long.yaml",
        ]
    )
]
COUNTS = {count.measure: (contract, count) for contract in CONTRACTS for count in contract.counts}
FLOWS = {name for name, (_, count) in COUNTS.items() if count.additivity == "flow"}
STATISTICS = {
    *(c.name for contract in CONTRACTS if contract.kind == "statistics" for c in contract.columns),
    # Columns of the underlying indicators, in contracts of the regions that take them.
    "iod_homelessness_rate", "iod_core_homelessness", "iod_digital_connectivity",
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_each_file_loads_under_its_own_name(path):
    indicator = read_declaration(path, Indicator)
    assert path.stem == f"{indicator.id}_{indicator.name}"


def test_a_misspelt_key_is_refused(tmp_path):
    content = yaml.safe_load(FILES[0].read_text(encoding="utf-8"))
    content["rational"] = content.pop("rationale")
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="rational"):
        read_declaration(path, Indicator)


def test_identifiers_and_names_are_unique():
    found = catalogue()
    assert len(found) == len(FILES)
    assert len({i.name for i in found.values()}) == len(found)


@pytest.mark.parametrize("indicator", catalogue().values(), ids=lambda i: i.id)
def test_a_commissioner_can_read_it(indicator):
    assert len(indicator.description.split()) >= 12
    assert len(indicator.rationale.split()) >= 8
    assert indicator.caveats
    for text in (indicator.description, indicator.rationale, *indicator.caveats):
        assert text.endswith("."), text
    words = " ".join((indicator.description, indicator.rationale, *indicator.caveats))
    other = set(re.findall(r"\b[A-Z][0-9]{2}\b", words))
    assert other <= set(catalogue()), "refers to an indicator that does not exist"


@pytest.mark.parametrize("indicator", catalogue().values(), ids=lambda i: i.id)
def test_it_stands_on_measures_the_contracts_count(indicator):
    assert {m for t in indicator.terms for m in t.measures} <= set(COUNTS)
    assert indicator.statistic is None or indicator.statistic in STATISTICS
    assert set(indicator.made_of) <= set(catalogue())


@pytest.mark.parametrize("indicator", catalogue().values(), ids=lambda i: i.id)
def test_its_categories_are_codes_of_the_contract(indicator):
    for term in indicator.terms:
        for summand in term.summands:
            contract, count = COUNTS[summand.measure]
            known = contract.categories_of(count)
            for category in summand.categories or ():
                assert known is None or chosen(category, known), f"{category} chooses nothing"


def test_a_category_that_no_contract_knows_is_found():
    assert chosen("secured*", ["Secured: stayed", "Contact lost"]) == ["Secured: stayed"]
    assert chosen("safe*", ["Secured: stayed", "Contact lost"]) == []


@pytest.mark.parametrize("indicator", catalogue().values(), ids=lambda i: i.id)
def test_its_windows_suit_its_measures(indicator):
    """A flow of one month is too small for a neighbourhood; a census has one window only."""
    for output in indicator.outputs:
        measures = set(indicator.numerator.measures) if indicator.numerator else set()
        if output.level == "lsoa21":
            assert output.window == ("year" if measures & FLOWS else "latest")
        if measures & FLOWS:
            assert output.window in ("quarter", "year")


@pytest.mark.parametrize(
    "indicator",
    [i for i in catalogue().values() if i.kind == "composite"],
    ids=lambda i: i.id,
)
def test_an_index_stands_on_neighbourhood_figures_and_gives_reasons(indicator):
    for component in indicator.index.components:
        assert len(component.rationale.split()) >= 8
    for given in indicator.index.inputs:
        levels = {o.level for o in catalogue()[given.indicator].outputs}
        # What is too sparse for neighbourhoods enters by its MSOA.
        assert levels & {"lsoa21", "msoa21"}
        assert len(given.rationale.split()) >= 8


def test_the_two_indices_turn_their_inputs_the_same_way():
    found = catalogue()
    ends = {i: {c.indicator: c.worse for c in found[i].index.inputs} for i in ("D02", "D13")}
    for shared in set(ends["D02"]) & set(ends["D13"]):
        assert ends["D02"][shared] == ends["D13"][shared]


def region():
    whole = make_indicator()
    web = make_indicator(
        id="T02", name="web", kind="share", interval="wilson",
        numerator='cases["secured 6+ months*", web]',
        denominator="cases + households",
    )  # fmt: skip
    index = make_indicator(
        id="T09", name="risk", kind="composite", numerator=None, denominator=None,
        interval="simulation", additivity="none", basis="none",
        index={
            "weights_agreed": "Nobody",
            "components": [
                {"name": "need", "title": "Need", "weight": 1, "rationale": "test",
                 "inputs": [{"indicator": "T01", "weight": 1, "worse": "high",
                             "rationale": "test"}]},
            ],
        },
    )  # fmt: skip
    return make_region(
        [
            make_contract("case_list", {"cases": "flow"}),
            make_contract("census_table", {"households": "stock"}, kind="values"),
        ],
        [
            make_source("north_cases", "case_list", "monthly", lad24cd="E08990001"),
            make_source("census", "census_table", "once", period="2021-03"),
        ],
        [whole, web, index],
    )


def test_the_table_says_in_words_what_is_divided_by_what():
    rows = {r["indicator_id"]: r for r in indicators_table(region()).to_pylist()}
    assert rows["T01"]["numerator"] == "cases"
    assert rows["T02"]["numerator"] == "cases: secured 6+ months, web"
    assert rows["T02"]["denominator"] == "cases + households"
    assert rows["T09"]["numerator"] is None
    assert rows["T02"]["expression"] == 'cases["secured 6+ months*", web] / cases + households'
    assert rows["T09"]["made_from"] == "T01"
    assert rows["T01"]["sources"] == "census (An agency); north_cases (An agency)"


def test_a_composite_stands_on_the_sources_of_its_inputs():
    declared = region()
    of_index = sources_of(declared.indicators["T09"], declared)
    assert [s.id for s in of_index] == ["census", "north_cases"]


def test_notes_are_sentences_and_join_in_one_order():
    assert all(text.endswith(".") for text in NOTES.values())
    assert joined(["stock_earlier", "capped", "capped"]) == "capped,stock_earlier"
    assert joined([]) is None
