"""The checks between the files of a region: each with the change that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from region_factory import index_component, region_content, write_region

from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from declarations.loader import load_region

Content = dict[str, dict[str, Any]]


def change(file: str, **keys: Any) -> Callable[[Content], None]:
    def apply(content: Content) -> None:
        for key, value in keys.items():
            if value is None:
                content[file].pop(key, None)
            else:
                content[file][key] = value

    return apply


def copy(file: str, to: str, **keys: Any) -> Callable[[Content], None]:
    def apply(content: Content) -> None:
        content[to] = {**content[file], **keys}

    return apply


NORTH = "sources/north_cases.yaml"
FAULTS: dict[str, tuple[Callable[[Content], None], str]] = {
    "unknown agreement": (change(NORTH, agreement="DSA-NO-SUCH"), "no agreement DSA-NO-SUCH"),
    "unknown contract": (change(NORTH, contract="no_such"), "no contract no_such"),
    "unknown district": (change(NORTH, lad24cd="E08990009"), "E08990009 is not a district"),
    "heading of no column": (change(NORTH, headers={"surname": ["Last"]}), "no column surname"),
    "unknown measure": (
        change("indicators/T01.yaml", numerator="cases_closed"),
        "no source of this region counts cases_closed",
    ),
    "unknown component": (
        change(
            "indicators/T04.yaml",
            index={
                "weights_agreed": "Nobody", "components": [index_component("need", "T09", "high")],
            },
        ),
        "T04 is made from T09, which no file declares",
    ),
    "category nobody counts": (
        change("indicators/T01.yaml", numerator="cases_opened[nowhere]"),
        "cases_opened has no category nowhere",
    ),
    "index of itself": (
        change(
            "indicators/T04.yaml",
            index={
                "weights_agreed": "Nobody", "components": [index_component("need", "T04", "high")],
            },
        ),
        "goes round in a circle: T04 is made from T04",
    ),
    "rate of a rate": (
        change("indicators/T01.yaml", numerator="visits_online_share"),
        "visits_online_share is the indicator T03, itself a share",
    ),
    "stock summed over time": (
        change("indicators/T02.yaml", additivity="flow"),
        "people_supported is a stock: the state on a day, which must never be summed over time",
    ),
    "flow called a stock": (
        change("indicators/T01.yaml", additivity="stock"), "cases_opened is a flow",
    ),
    "index of an index": (
        copy("indicators/T04.yaml", "indicators/T05.yaml", id="T05", name="index_of_index", index={
            "weights_agreed": "Nobody", "components": [index_component("need", "T04", "high")],
        }),
        "T05 is a composite and cannot be made from T04, a composite",
    ),
    "purpose not agreed": (
        change("indicators/T01.yaml", purposes=["surveillance"]),
        "DSA-TM-001 does not list the purpose surveillance, which T01 needs",
    ),
    "name taken": (change("indicators/T02.yaml", name="cases_opened_rate"), "already taken by T01"),
    "one id twice": (copy(NORTH, "sources/another.yaml"), "id north_cases is already taken"),
    "one agreement id twice": (
        copy("agreements/DSA-TM-001.yaml", "agreements/DSA-TM-001b.yaml"),
        "id DSA-TM-001 is already taken",
    ),
    "census without month": (change("sources/residents.yaml", period=None), "period is missing"),
    "weights of no source": (
        change(
            "contracts/mere_visits.yaml",
            locate={"by": ["practice"], "practice": "lsoa", "practice_weights": "no_such_source"},
        ),
        "takes its weights from no_such_source",
    ),
    "synthetic source in a real region": (
        change(
            "region.yaml", synthetic="no", clock="system", as_of=None, standing_approval=None
        ),
        "synthetic sources cannot stand in a region of real records",
    ),
    "real source in a synthetic region": (
        change(NORTH, synthetic=False),
        "a synthetic region may hold no real records",
    ),
    "real agreement in a synthetic region": (
        change("agreements/DSA-TM-001.yaml", synthetic=False),
        "a synthetic region may hold no real records",
    ),
}  # fmt: skip


def load(tmp_path: Path, content: Content) -> RegionDeclarations:
    return load_region(write_region(tmp_path / "region", content))


def test_a_whole_region_is_read(tmp_path: Path) -> None:
    declared = load(tmp_path, region_content())

    assert list(declared.sources) == sorted(declared.sources)
    assert declared.contract_of(declared.sources["north_cases"]).id == "mere_cases"
    assert declared.agreement_of(declared.sources["south_cases"]).id == "DSA-TM-002"
    assert [s.id for s in declared.suppliers_of("cases_opened")] == ["north_cases", "south_cases"]
    assert declared.measure("visits").additivity == "flow"
    areas = declared.reference_source("areas")
    assert areas is not None
    assert areas.id == "areas"
    assert declared.reference_source("uprns") is None
    assert declared.is_open["residents"]
    assert not declared.is_open["north_cases"]
    with pytest.raises(KeyError):
        declared.measure("cases_closed")


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_contradict_each_other_are_refused(tmp_path: Path, fault: str) -> None:
    apply, said = FAULTS[fault]
    content = region_content()
    apply(content)

    with pytest.raises(ConfigurationError, match=r"\.yaml: ") as raised:
        load(tmp_path, content)

    assert said in str(raised.value)
    assert str(tmp_path / "region") in str(raised.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere is not a folder"):
        load_region(tmp_path / "nowhere")


def test_a_folder_without_a_region_file_says_so(tmp_path: Path) -> None:
    content = region_content()
    del content["region.yaml"]

    with pytest.raises(ConfigurationError, match=r"region\.yaml does not exist"):
        load(tmp_path, content)


def test_open_data_may_stand_in_a_region_of_synthetic_records(tmp_path: Path) -> None:
    content = region_content(synthetic="records")
    content["agreements/OGL-TM-OPEN.yaml"]["synthetic"] = False
    content["sources/residents.yaml"]["synthetic"] = False

    assert not load(tmp_path, content).sources["residents"].synthetic


def test_a_real_region_of_real_sources_is_read(tmp_path: Path) -> None:
    content = region_content(synthetic="no", clock="system", as_of=None, standing_approval=None)
    for name, declaration in content.items():
        if name.startswith(("sources/", "agreements/")):
            declaration["synthetic"] = False

    assert load(tmp_path, content).region.synthetic == "no"


def _library(folder: Path, **files: dict[str, Any]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return folder


def test_a_contract_of_the_library_serves_and_the_regions_own_wins(tmp_path: Path) -> None:
    content = region_content()
    shared = {**content["contracts/mere_cases.yaml"], "title": "of the library"}
    unused = {**shared, "id": "unused"}
    library = _library(tmp_path / "library", mere_cases=shared, unused=unused)
    own = load_region(write_region(tmp_path / "own", content), contract_library=library)
    del content["contracts/mere_cases.yaml"]
    taken = load_region(write_region(tmp_path / "taken", content), contract_library=library)

    assert own.contracts["mere_cases"].title == "mere_cases"
    assert taken.contracts["mere_cases"].title == "of the library"
    assert "unused" not in taken.contracts


def test_of_the_catalogue_only_what_the_region_counts_is_used(tmp_path: Path) -> None:
    content = region_content()
    first, index = content.pop("indicators/T01.yaml"), content.pop("indicators/T04.yaml")
    foreign = {**first, "id": "T08", "name": "foreign", "numerator": "elsewhere"}
    lost = {
        **index, "id": "T07", "name": "lost",
        "index": {**index["index"], "components": [index_component("need", "T08", "high")]},
    }  # fmt: skip
    library = _library(tmp_path / "catalogue", T01=first, T04=index, T07=lost, T08=foreign)

    declared = load_region(write_region(tmp_path / "region", content), indicator_library=library)

    assert list(declared.indicators) == ["T01", "T02", "T03", "T04"]
