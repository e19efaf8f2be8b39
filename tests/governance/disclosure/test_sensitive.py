"""Which cells are sensitive: each rule at its edge, and against the definition."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.base import ProfileName
from declarations.errors import DisclosureError
from governance.disclosure.profiles import profile
from governance.disclosure.sensitive import (
    class_disclosure,
    costs_protection,
    dominance_protection,
    dominated,
    low_denominators,
    p_percent,
    p_percent_protection,
    sensitive_costs,
    sensitive_counts,
    too_few_contributors,
)

RULE = profile("hide0-r5")
COSTS = RULE.costs

PENCE = st.integers(0, 10**6)


@pytest.mark.parametrize("name", get_args(ProfileName))
def test_counts_from_one_to_just_below_the_threshold_are_sensitive(name: str) -> None:
    below = profile(name).small.below
    counts = [0, 1, below - 1, below, below + 1, np.nan]

    found = sensitive_counts(counts, profile(name))

    assert found.tolist() == [False, True, True, False, False, False]


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(DisclosureError, match="negative"):
        sensitive_counts([3, -1], RULE)


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        # All four in one category: whoever belongs is there, and in none of the others.
        ([4, 0, 0], True),
        ([0, 0, 1], True),
        # Two categories: who belongs may be in either.
        ([3, 1, 0], False),
        # A group that is not small is no secret, nor is one that does not exist.
        ([5, 0, 0], False),
        ([0, 0, 0], False),
    ],
)
def test_a_whole_small_group_in_one_category(group: list[int], expected: bool) -> None:
    assert class_disclosure(group, None, RULE).tolist() == [expected] * 3


def test_a_margin_with_members_elsewhere_is_not_wholly_in_one_category() -> None:
    found = class_disclosure([[2, 0], [2, 0]], [2, 3], RULE)

    assert found.tolist() == [[True, True], [False, False]]


def test_a_profile_can_take_class_disclosure_for_harmless() -> None:
    harmless = RULE.model_copy(update={"class_disclosure": False})

    assert not class_disclosure([4, 0, 0], None, harmless).any()


@pytest.mark.parametrize(
    ("counts", "margins", "said"),
    [
        (3, None, "not of one count"),
        ([[1, 2]], [3, 3], "one margin"),
        ([[1, -2]], None, "negative"),
        ([[1, 2]], [-3], "negative"),
    ],
)
def test_groups_that_do_not_fit_are_refused(counts: Any, margins: Any, said: str) -> None:
    with pytest.raises(DisclosureError, match=said):
        class_disclosure(counts, margins, RULE)


def test_dominance_begins_just_above_the_share() -> None:
    totals, largest = [100, 100, 100], [[50, 40], [50, 41], [89, 0]]

    assert dominated(totals, largest, 2, 90).tolist() == [False, True, False]
    assert dominated(totals, largest, 1, 50).tolist() == [False, False, True]


def test_the_second_must_not_get_near_the_first() -> None:
    # What remains beside the two largest: 5, 4.9 and nothing; 10 per cent of the largest is 5.
    totals, largest = [85, 84.9, 50], [[50, 30], [50, 30], [50, 0]]

    assert p_percent(totals, largest, 10).tolist() == [False, True, True]


def test_an_empty_sum_is_not_sensitive() -> None:
    nothing = [[0, 0]]

    assert not dominated([0], nothing, 2, 90).any()
    assert not p_percent([0], nothing, 10).any()
    assert not sensitive_costs([0], nothing, [0], COSTS).any()


def test_protection_is_what_the_sum_lacks() -> None:
    # 100 / 90 * 91 - 100, and 10 per cent of 50 less 4.9.
    assert dominance_protection([100], [[50, 41]], 2, 90) == pytest.approx([91 / 0.9 - 100])
    assert p_percent_protection([84.9], [[50, 30]], 10) == pytest.approx([0.1])
    assert dominance_protection([100], [[50, 40]], 2, 90).tolist() == [0]
    assert p_percent_protection([85], [[50, 30]], 10).tolist() == [0]


@pytest.mark.parametrize(("number", "expected"), [(0, False), (1, True), (9, True), (10, False)])
def test_ten_contributors_are_enough(number: int, expected: bool) -> None:
    assert too_few_contributors([number], COSTS).tolist() == [expected]


def test_any_rule_makes_a_sum_sensitive() -> None:
    totals = [1000, 1000, 1000, 1000]
    largest = [[100, 90], [100, 90], [800, 150], [900, 20]]
    contributors = [12, 4, 12, 12]

    found = sensitive_costs(totals, largest, contributors, COSTS)

    # Enough and even; four of them; two make 95 per cent, with 50 beside 800; two make 92 per cent.
    assert found.tolist() == [False, True, True, True]
    needed = costs_protection(totals, largest, contributors, COSTS)
    assert needed == pytest.approx([0, 10, 100 / 90 * 950 - 1000, 100 / 90 * 920 - 1000])


@pytest.mark.parametrize(
    ("totals", "largest", "said"),
    [
        ([10], [[3]], "2 largest"),
        ([10, 20], [[3, 2]], "2 largest"),
        ([10], [3, 2], "2 largest"),
        ([10], [[2, 3]], "falling order"),
        ([10], [[3, -1]], "negative"),
        ([10], [[8, 3]], "exceed the sum"),
    ],
)
def test_contributions_that_do_not_fit_are_refused(totals: Any, largest: Any, said: str) -> None:
    for rule in (
        lambda: p_percent(totals, largest, 10),
        lambda: dominated(totals, largest, 2, 90),
        lambda: sensitive_costs(totals, largest, [5] * len(totals), COSTS),
    ):
        with pytest.raises(DisclosureError, match=said):
            rule()


def test_pounds_and_pence_that_add_up_are_no_contradiction() -> None:
    assert 0.2 + 0.1 > 0.3

    assert dominated([0.3], [[0.2, 0.1]], 2, 90).tolist() == [True]


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("households", 49, True), ("households", 50, False), ("persons", 99, True),
        ("persons", 100, False), ("persons", 0, True), ("persons", np.nan, False),
    ],
)  # fmt: skip
def test_rates_need_enough_below_the_line(unit: Any, value: float, expected: bool) -> None:
    assert low_denominators([value], unit, RULE).tolist() == [expected]


def test_a_negative_denominator_is_refused() -> None:
    with pytest.raises(DisclosureError, match="negative"):
        low_denominators([-1], "persons", RULE)


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(st.lists(PENCE, min_size=2, max_size=8), min_size=1, max_size=8))
def test_a_sum_with_its_protection_is_no_longer_sensitive(sums: list[list[int]]) -> None:
    parts = [sorted(p, reverse=True) for p in sums]
    totals = np.array([sum(p) for p in parts], dtype=float)
    largest = [p[:2] for p in parts]

    # A thousandth of a penny more, for what division loses.
    dominance = totals + dominance_protection(totals, largest, 2, 90) + 1e-3
    by_p = totals + p_percent_protection(totals, largest, 10) + 1e-3

    assert not dominated(dominance, largest, 2, 90).any()
    assert not p_percent(by_p, largest, 10).any()


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=1, max_size=20))
def test_class_disclosure_is_told_from_each_group_by_itself(groups: list[list[int]]) -> None:
    found = class_disclosure(groups, None, RULE)

    for group, cells in zip(groups, found, strict=True):
        occupied = sum(n > 0 for n in group)
        assert cells.tolist() == [occupied == 1 and sum(group) <= 4] * 3
