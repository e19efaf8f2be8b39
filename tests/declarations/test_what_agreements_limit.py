"""What an agreement does not allow cannot be declared: each with the change that breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from region_factory import region_content, write_region

from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from declarations.loader import load_region

Content = dict[str, dict[str, Any]]


def load(tmp_path: Path, content: Content) -> RegionDeclarations:
    return load_region(write_region(tmp_path / "region", content))


def column(content: Content, contract: str, name: str) -> dict[str, Any]:
    columns = content[f"contracts/{contract}.yaml"]["columns"]
    return next(c for c in columns if c["name"] == name)


def agreed(content: Content, agreement: str) -> dict[str, Any]:
    source: dict[str, Any] = content[f"agreements/{agreement}.yaml"]["sources"][0]
    return source


def test_the_region_itself_may_be_declared(tmp_path: Path) -> None:
    assert load(tmp_path, region_content()).region.id == "testmere"


def test_statistics_under_an_agreement_are_refused_for_they_pass_as_they_stand(
    tmp_path: Path,
) -> None:
    content = region_content()
    visits = content["contracts/mere_visits.yaml"]
    visits["kind"] = "statistics"
    visits["counts"] = []
    with pytest.raises(ConfigurationError, match="only an open licence allows"):
        load(tmp_path, content)


def test_a_column_that_names_a_person_cannot_be_kept_whatever_it_is_called(tmp_path: Path) -> None:
    content = region_content()
    column(content, "mere_cases", "note")["identifier"] = True
    line = next(c for c in agreed(content, "DSA-TM-001")["columns"] if c["name"] == "note")
    line |= {"class": "measure", "action": "keep"}
    with pytest.raises(ConfigurationError, match="note names a person"):
        load(tmp_path, content)
    line["action"] = "pseudonymise"
    assert load(tmp_path, content).agreements["DSA-TM-001"]


def test_a_column_the_contract_does_not_know_protects_nothing(tmp_path: Path) -> None:
    content = region_content()
    columns = agreed(content, "DSA-TM-001")["columns"]
    columns.append({"name": "surname", "class": "direct_identifier", "action": "drop"})
    with pytest.raises(ConfigurationError, match="has no column surname"):
        load(tmp_path, content)


@pytest.mark.parametrize("level", ["msoa21", "lad24"])
def test_nothing_is_published_finer_than_an_agreement_allows(tmp_path: Path, level: str) -> None:
    content = region_content()
    agreed(content, "DSA-TM-002")["minimum_geography"] = level
    with pytest.raises(ConfigurationError, match=f"allows nothing finer than {level}"):
        load(tmp_path, content)


def test_of_the_shared_catalogue_only_the_levels_allowed_are_used(tmp_path: Path) -> None:
    content = region_content()
    agreed(content, "DSA-TM-002")["minimum_geography"] = "lad24"
    shared = {
        f"catalogue/{key.split('/')[1]}": content.pop(key)
        for key in [k for k in content if k.startswith("indicators/")]
    }
    folder = write_region(tmp_path / "region", {**content, **shared})
    declared = load_region(folder, indicator_library=folder / "catalogue")
    of_cases = declared.indicators["T01"]
    assert {o.level for o in of_cases.outputs} == {"lad24"}
