"""The bundled indicators of need against service: areas only, and said so."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from declarations.indicators import Indicator
from declarations.loader import read_declaration
from indicators.library import CATALOGUE
from indicators.service.figures import CODE_OF

FILES = [
    path
    for path in sorted(CATALOGUE.glob("*.yaml"))
    if yaml.safe_load(path.read_text(encoding="utf-8"))["kind"] == "expected"
]


def test_homelessness_and_digital_inclusion_have_one_each() -> None:
    assert {"H13", "D15"} <= {path.name[:3] for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:3])
def test_it_is_made_for_areas_from_what_the_catalogue_has(path: Path) -> None:
    indicator = read_declaration(path, Indicator)

    assert {o.level for o in indicator.outputs} <= set(CODE_OF)
    known = {p.name.split("_")[0] for p in CATALOGUE.glob("*.yaml")}
    assert set(indicator.made_of) <= known


@pytest.mark.parametrize("name", ["H13", "D15"])
def test_it_says_that_no_person_is_scored(name: str) -> None:
    path = next(p for p in FILES if p.name.startswith(name))

    indicator = read_declaration(path, Indicator)

    assert any(
        c.startswith("Area level only") and "says nothing of any person" in c
        for c in indicator.caveats
    )
