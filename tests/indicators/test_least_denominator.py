"""The smallest denominator a value is shown with: told as it is applied."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from governance.disclosure.profiles import default_profile
from indicators.library import least_denominator

LEAST = default_profile().minimum_denominator


def asked(unit: str, minimum: int) -> int:
    indicator: Any = SimpleNamespace(
        denominator=SimpleNamespace(measures=["those"]), minimum_denominator=minimum,
        profile=default_profile().name,
    )  # fmt: skip
    declarations: Any = SimpleNamespace(measure=lambda _: SimpleNamespace(unit=unit))
    return least_denominator(indicator, declarations)


@pytest.mark.parametrize(
    ("unit", "least"),
    [("households", LEAST.households), ("people", LEAST.persons), ("sessions", 0)],
)
def test_the_greater_of_the_indicator_s_and_the_profile_s(unit: str, least: int) -> None:
    assert asked(unit, 0) == least
    assert asked(unit, least + 1) == least + 1


def test_an_indicator_without_a_denominator_needs_none() -> None:
    indicator: Any = SimpleNamespace(denominator=None, minimum_denominator=7)

    assert least_denominator(indicator, SimpleNamespace()) == 0  # type: ignore[arg-type]
