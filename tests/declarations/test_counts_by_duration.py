"""Counts of what lasted so and so long: what a contract may say, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from declarations.contracts import Contract
from declarations.counts import Bands, Count


def count(**changes: Any) -> Count:
    return Count.model_validate(
        {"measure": "stays", "title": "Stays", "unit": "stays", "additivity": "flow", **changes}
    )


BANDS = {"start": "entry", "end": "exit", "limits": [42, 182], "unit": "nights"}


def test_bands_are_named_in_words() -> None:
    assert Bands.model_validate(BANDS).labels == [
        "up to 42 nights", "43 to 182 nights", "more than 182 nights",
    ]  # fmt: skip


def test_one_limit_makes_two_bands() -> None:
    assert Bands(start="in_", end="out", limits=[7]).labels == ["up to 7 days", "more than 7 days"]


@pytest.mark.parametrize("limits", [[182, 42], [42, 42], [0, 42], []])
def test_limits_rise_from_one(limits: list[int]) -> None:
    with pytest.raises(ValidationError, match="limits"):
        Bands.model_validate({**BANDS, "limits": limits})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bands": BANDS, "category": "kind_of"}, "bands stand alone"),
        ({"bands": BANDS, "distinct": "person"}, "bands stand alone"),
        ({"open_longer_than": 42}, "open_longer_than goes with open_at_end"),
        ({"additivity": "stock", "open_at_end": ["entry", "exit"], "open_longer_than": 0},
         "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        count(**changes)


def test_the_columns_of_a_count_are_all_it_reads() -> None:
    whole = count(
        bands=BANDS, where={"kind_of": ["a"]}, not_null=["case_ref"], during="left", value="people",
    )  # fmt: skip
    assert whole.columns == {"entry", "exit", "kind_of", "case_ref", "left", "people"}


def test_a_contract_without_the_columns_of_its_bands_is_refused() -> None:
    content = {
        "id": "stays", "title": "Stays", "specification": "made up", "kind": "records",
        "columns": [{"name": "lsoa"}, {"name": "entry", "type": "date"}],
        "locate": {"by": ["lsoa"], "lsoa": "lsoa"},
        "counts": [
            {"measure": "stays", "title": "Stays", "unit": "stays", "additivity": "flow",
             "bands": BANDS}
        ],
    }  # fmt: skip
    with pytest.raises(ValidationError, match=r"columns that are not declared: \['exit'\]"):
        Contract.model_validate(content)
