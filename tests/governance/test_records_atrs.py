"""Draft transparency records: areas only, said in plain words, for all that is modelled."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from region_factory import INDICATORS, region_content, write_region

from declarations.loader import load_region
from governance.reports.records.atrs import AREAS_ONLY, NOT_A_PERSON, atrs_files
from governance.reports.register import Register, read_register

TODAY = dt.date(2026, 5, 10)
EXPECTED = {
    **{
        key: value
        for key, value in INDICATORS["T01"].items()
        if key not in ("numerator", "denominator", "smoothing")
    },
    "id": "T05", "name": "use_against_expected", "title": "Use against expected use",
    "kind": "expected", "additivity": "none", "standardisation": "indirect", "multiplier": 1.0,
    "unit": "ratio", "outputs": [{"level": "msoa21", "window": "quarter"}],
    "expected": {
        "observed": "T01",
        "strata": [{"title": "everybody", "rate": "T01", "population": "residents"}],
        "predictors": [{"indicator": "T02", "rationale": "Support shows need."}],
        "coverage": "T02",
    },
}  # fmt: skip


def register(folder: Path, **more: dict[str, Any]) -> Register:
    content = region_content() | {f"indicators/{k}.yaml": v for k, v in more.items()}
    for agreement in content.values():
        allowed = agreement.get("permitted_outputs", [])
        allowed += [{**allowed[0], "indicator": name} for name in more if allowed]
    declared = load_region(write_region(folder / "r", content))
    return read_register(declared, folder / "data", TODAY)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return atrs_files(register(tmp_path, T05=EXPECTED), tmp_path)


def text(page: str, title: str) -> str:
    """Return a section of a page as plain text."""
    _, _, rest = page.partition(f">{title}</h2>")
    assert rest, f"no section {title}"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", rest.partition("<h2")[0])).split())


def test_all_that_is_modelled_has_a_record(files: dict[str, str]) -> None:
    assert set(files) == {"atrs-t04.html", "atrs-t05.html"}


@pytest.mark.parametrize("name", ["atrs-t04.html", "atrs-t05.html"])
def test_a_record_says_that_no_person_is_scored(files: dict[str, str], name: str) -> None:
    page = files[name]

    scope = text(page, "Tier 2, 2: description and rationale")
    assert f"2.2 Scope {AREAS_ONLY}" in scope
    assert NOT_A_PERSON in text(page, "Tier 2, 5: risks and impact")


def test_the_words_are_plain() -> None:
    for words in ("area level only", "never scores, ranks or flags a person", "must not be used"):
        assert words in AREAS_ONLY
    assert "ecological fallacy" in NOT_A_PERSON


def test_an_index_shows_each_input_with_its_part(files: dict[str, str]) -> None:
    weights = text(files["atrs-t04.html"], "Inputs and weights")

    assert weights.count("50% of the index") == 2
    assert "1 of 1 within its component" in weights
    assert "high is worse" in weights
    assert "low is worse" in weights
    assert "Weights agreed Nobody: made up for tests." in weights


def test_expected_use_shows_groups_predictors_and_reach(files: dict[str, str]) -> None:
    page = files["atrs-t05.html"]
    inputs = text(page, "Inputs")

    for words in (
        "T01 Cases opened rate Observed use", "for: everybody", "Predictor of need",
        "high means more need. Support shows need.", "Reach of the service",
    ):  # fmt: skip
        assert words in inputs
    model = text(page, "Tier 2, 4: tool specification")
    assert "Indirect standardisation" in model
    assert "Poisson regression over areas" in model
    assert "2 published indicators" in model
    assert "2021 MSOAs" in model


def test_without_predictors_no_regression_is_claimed(tmp_path: Path) -> None:
    plain = EXPECTED | {"expected": {**EXPECTED["expected"], "predictors": []}}

    page = atrs_files(register(tmp_path, T05=plain), tmp_path)["atrs-t05.html"]

    assert "regression" not in page
