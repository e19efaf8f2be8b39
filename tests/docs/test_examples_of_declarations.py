"""The page on declarations: its examples hold, what it says is refused is, no key is left out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from declarations.coarsening import Coarsening
from declarations.contracts import Check, Column, Contract, FileFormat, Location, Source
from declarations.counts import Bands, Count
from declarations.errors import ConfigurationError
from declarations.events import ClientLevelData
from declarations.expressions import Term
from declarations.indicators import Expected, Indicator, Median, Standardised
from declarations.indices import IndexComponent, IndexInput, IndexMethod, MissingRule, Uncertainty
from declarations.loader import load_region
from declarations.plausibility import Meaning, PlausibilityCheck, Side, Tolerance
from declarations.region import Publication, PublicTotals, Region
from indicators.library import CATALOGUE

ROOT = Path(__file__).parents[2]
ARDEN = ROOT / "pipelines" / "regions" / "arden"
CONTRACTS = ROOT / "expectations" / "contracts"
PAGE = (ROOT / "docs" / "declarations.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```yaml\n(.*?)^```$", re.M | re.S)
PERMIT = re.compile(r"^ {4}(- \{indicator: H90.*\})$", re.M)
MODELS: list[type[BaseModel]] = [
    Indicator, IndexMethod, IndexComponent, IndexInput, MissingRule, Uncertainty, Expected, Median,
    Standardised, Contract, Column, Check, FileFormat, Location, Coarsening, Count, Bands,
    ClientLevelData, Source, Region, Publication, PublicTotals, PlausibilityCheck, Side, Tolerance,
    Meaning,
]  # fmt: skip


def block_with(first_words: str) -> Any:
    """Return the one YAML block of the page that begins so, read."""
    (found,) = [b for b in FENCED.findall(PAGE) if b.startswith(first_words)]
    return yaml.safe_load(found)


def section(title: str) -> str:
    start = PAGE.index(f"\n{title}\n")
    return PAGE[start : PAGE.index("\n#", start + 2)]


@pytest.mark.parametrize("expression", block_with("- households"))
def test_each_expression_is_read_and_written_again(expression: str) -> None:
    term = Term.model_validate(expression)
    assert Term.model_validate(str(term)) == term


def refused() -> list[str]:
    rows = [r for r in section("### Expressions").splitlines() if r.startswith("| `all_cases")]
    doubled = [r for r in section("### Expressions").splitlines() if r.startswith("| `cases +")]
    return re.findall(r"`([^`]+)`", (rows[0] + doubled[0]).replace("](decisions", ""))


def test_the_page_names_what_is_refused() -> None:
    assert len(refused()) == 4


@pytest.mark.parametrize("expression", refused())
def test_what_the_page_says_is_refused_is(expression: str) -> None:
    with pytest.raises(ValidationError):
        Term.model_validate(expression)


@pytest.mark.parametrize(
    ("key", "model"),
    [
        ("standardised", Standardised),
        ("expected", Expected),
        ("median", Median),
        ("index", IndexMethod),
    ],
)
def test_the_four_keys_are_as_the_models_have_them(key: str, model: type[BaseModel]) -> None:
    model.model_validate(block_with("standardised:")[key])


@pytest.fixture
def arden(tmp_path: Path) -> Path:
    """A copy of arden with the page's own indicator, not yet agreed."""
    for path in ARDEN.rglob("*"):
        if path.suffix in (".yaml", ".geojson") and "landing" not in path.parts:
            target = tmp_path / "arden" / path.relative_to(ARDEN)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    folder = tmp_path / "arden" / "indicators"
    folder.mkdir(exist_ok=True)
    (example,) = [b for b in FENCED.findall(PAGE) if b.startswith("id: H90")]
    (folder / "H90_hostel_households.yaml").write_text(example, encoding="utf-8")
    return tmp_path / "arden"


def test_an_indicator_of_ones_own_takes_a_file_and_a_line(arden: Path) -> None:
    agreement = arden / "agreements" / "DSA-ARD-001.yaml"
    (line,) = PERMIT.findall(PAGE)
    text = agreement.read_text(encoding="utf-8")
    agreement.write_text(
        text.replace("permitted_outputs:\n", f"permitted_outputs:\n  {line}\n"), encoding="utf-8"
    )
    declared = load_region(arden, contract_library=CONTRACTS, indicator_library=CATALOGUE)
    assert declared.indicators["H90"].kind == "rate"


def test_without_the_line_it_stops(arden: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"H90 cannot be published.*DSA-ARD-001"):
        load_region(arden, contract_library=CONTRACTS, indicator_library=CATALOGUE)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_every_key_is_on_the_page(model: type[BaseModel]) -> None:
    shown = " ".join(FENCED.findall(PAGE))
    keys = model.model_fields
    assert [k for k in keys if f"`{k}`" not in PAGE and not re.search(rf"\b{k}:", shown)] == []


def test_the_example_of_a_check_is_one() -> None:
    page = (ROOT / "docs" / "methodology" / "plausibility.md").read_text(encoding="utf-8")
    (example,) = FENCED.findall(page)
    PlausibilityCheck.model_validate(yaml.safe_load(example))
