"""The bundled region west-midlands, as declared: no data file is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from declarations.contracts import Contract
from declarations.declared import RegionDeclarations
from declarations.loader import load_region, read_declaration
from governance.gate import decide
from indicators.library import CATALOGUE

REPOSITORY = Path(__file__).parents[2]
LIBRARY = REPOSITORY / "expectations" / "contracts"
FOLDER = REPOSITORY / "pipelines" / "regions" / "west-midlands"


@pytest.fixture(scope="module")
def declared() -> RegionDeclarations:
    return load_region(FOLDER, contract_library=LIBRARY, indicator_library=CATALOGUE)


def test_every_source_passes_the_gate_on_the_regions_day(declared: RegionDeclarations) -> None:
    for source in declared.sources.values():
        contract = declared.contract_of(source)
        decision = decide(
            declared.agreement_of(source),
            source,
            contract,
            purpose=declared.region.purpose,
            delivered_on=declared.region.as_of,
        )
        assert decision.decision == "admitted", f"{source.id}: {decision.message}"


def test_agreements_name_every_column_of_their_sources(declared: RegionDeclarations) -> None:
    for agreement in declared.agreements.values():
        for covered in agreement.sources:
            contract = declared.contract_of(declared.sources[covered.id])
            assert [c.name for c in covered.columns] == [c.name for c in contract.columns]


def test_only_the_homelessness_cases_are_synthetic(declared: RegionDeclarations) -> None:
    synthetic = {s.id: s for s in declared.sources.values() if s.synthetic}
    assert {s.lad24cd for s in synthetic.values()} == {d.lad24cd for d in declared.region.districts}
    assert all(s.contract == "hclic_cases" and not s.open_data for s in synthetic.values())
    real = [s for s in declared.sources.values() if not s.synthetic]
    assert all(s.open_data and declared.agreement_of(s).licence for s in real)


def test_the_cases_have_the_librarys_layout_and_fewer_counts(declared: RegionDeclarations) -> None:
    own, shared = (
        declared.contracts["hclic_cases"],
        read_declaration(LIBRARY / "hclic_cases.yaml", Contract),
    )
    same = {"counts", "title", "description"}
    assert own.model_dump(exclude=same) == shared.model_dump(exclude=same)
    assert {c.measure for c in own.counts} == {
        "homelessness_assessments",
        "homelessness_duties_owed",
        "temporary_accommodation",
    }
    assert all(c in shared.counts for c in own.counts)


def test_sample_police_files_have_the_layout_and_no_rate(declared: RegionDeclarations) -> None:
    own = declared.contracts["street_crime_samples"]
    shared = read_declaration(LIBRARY / "street_crime.yaml", Contract)
    assert (own.columns, own.locate, own.code_lists) == (
        shared.columns,
        shared.locate,
        shared.code_lists,
    )
    assert "C07" not in declared.indicators


@pytest.mark.parametrize("name", ["C01", "C09", "H01", "H02", "H03"])
def test_the_regions_own_indicators_differ_from_the_catalogue_where_they_must(
    declared: RegionDeclarations, name: str
) -> None:
    bundled = load_region(
        REPOSITORY / "pipelines" / "regions" / "arden",
        contract_library=LIBRARY,
        indicator_library=CATALOGUE,
    ).indicators[name]
    own = declared.indicators[name]
    assert (own.kind, own.unit, own.denominator, own.interval, own.profile) == (
        bundled.kind,
        bundled.unit,
        bundled.denominator,
        bundled.interval,
        bundled.profile,
    )
    assert own != bundled
