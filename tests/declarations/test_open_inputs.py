"""Open data comes in through the same door as all else, and its licence goes out with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from declarations.attribution import attributions, open_sources_used
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from declarations.loader import load_region
from pipelines.regions import CATALOGUE, CONTRACTS

REGIONS = Path(__file__).parents[2] / "pipelines" / "regions"

#    open source of the region                       whose words its release must carry
ARDEN = {
    "census_residents", "census_households", "census_age", "census_qualifications",
    "census_disability", "census_car_access", "census_household_types", "census_overcrowding",
    "iod2025", "ofcom_fixed_coverage", "ofcom_download_speed", "nhs_gp_registrations", "nhs_pomi",
    "ons_claimants", "dwp_pension_credit", "mhclg_rough_sleeping", "police_street",
    "ods_practices", "ons_lsoa11_boundaries", "ons_lsoa21_boundaries", "ons_lsoa_changes",
    "ons_output_areas", "ons_postcodes", "ons_uprns",
}  # fmt: skip
WEST_MIDLANDS = {
    "census_residents": "Office for National Statistics",
    "census_households": "Office for National Statistics",
    "census_tenure": "Office for National Statistics",
    "census_age": "Office for National Statistics",
    "census_disability": "Office for National Statistics",
    "census_overcrowding": "Office for National Statistics",
    "census_accommodation": "Office for National Statistics",
    "ons_lsoa21_boundaries": "Office for National Statistics",
    "ons_postcodes": "Royal Mail data",
    "os_postcode_points": "OS data",
    "iod2025": "Ministry of Housing, Communities and Local Government",
    "iod2025_domains": "Ministry of Housing, Communities and Local Government",
    "iod2025_indicators": "Ministry of Housing, Communities and Local Government",
    "mhclg_district_totals": "Ministry of Housing, Communities and Local Government",
    "nhs_gp_registrations": "NHS England",
}


@pytest.fixture(scope="module", params=["arden", "west-midlands"])
def declared(request: pytest.FixtureRequest) -> RegionDeclarations:
    return load(request.param)


def load(region: str) -> RegionDeclarations:
    return load_region(
        REGIONS / region, contract_library=CONTRACTS, indicator_library=CATALOGUE, polygons=False
    )


def test_every_open_source_has_a_contract_a_licence_and_words(declared: RegionDeclarations) -> None:
    for source in declared.sources.values():
        if declared.is_open[source.id]:
            agreement = declared.agreement_of(source)
            assert declared.contract_of(source).specification
            assert agreement.licence
            assert agreement.attribution
            assert agreement.source(source.id) is not None


def test_the_words_of_every_source_behind_an_indicator_are_carried(
    declared: RegionDeclarations,
) -> None:
    carried = {words.agreement_id: words for words in attributions(declared)}
    for indicator in declared.indicators.values():
        for source in declared.sources_behind(indicator):
            if declared.is_open[source.id]:
                words = carried[source.agreement]
                assert source.id in words.sources
                assert words.words == declared.agreement_of(source).attribution
                assert words.licence == declared.agreement_of(source).licence


def test_arden_uses_each_of_its_open_sources() -> None:
    assert {s.id for s in open_sources_used(load("arden"))} == ARDEN


@pytest.mark.parametrize(("source", "words"), WEST_MIDLANDS.items())
def test_west_midlands_names_whom_its_figures_come_from(source: str, words: str) -> None:
    (carried,) = [a for a in attributions(load("west-midlands")) if source in a.sources]
    assert words in carried.words
    assert carried.licence == "Open Government Licence v3.0"


def test_what_is_read_and_not_used_is_not_attributed() -> None:
    # The police files of this region are samples: no figure is made from them.
    declared = load("west-midlands")
    unused = {s.id for s in declared.sources.values() if s.contract == "street_crime_samples"}
    assert unused
    assert not unused & {name for a in attributions(declared) for name in a.sources}


def test_sources_under_an_agreement_are_no_open_sources(declared: RegionDeclarations) -> None:
    used = {s.id for s in open_sources_used(declared)}
    assert not used & {name for name, open_ in declared.is_open.items() if not open_}


def test_a_licence_without_its_words_is_refused(tmp_path: Path) -> None:
    text = (REGIONS / "arden" / "agreements" / "OGL-ARD-OPEN.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("attribution:")]
    scratch = copy_of("arden", tmp_path)
    (scratch / "agreements" / "OGL-ARD-OPEN.yaml").write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(ConfigurationError, match="names its licence and its attribution"):
        load_region(scratch, contract_library=CONTRACTS, indicator_library=CATALOGUE)


def copy_of(region: str, folder: Path) -> Path:
    """Copy the declarations of a bundled region."""
    for path in (REGIONS / region).rglob("*"):
        if path.suffix in (".yaml", ".geojson") and "landing" not in path.parts:
            target = folder / region / path.relative_to(REGIONS / region)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder / region
