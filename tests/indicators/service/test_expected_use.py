"""Expected use and need: worked examples, and what an adjustment may not do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.service.classes import use_against_expected
from indicators.service.need import (
    MAX_UNSEEN,
    Groups,
    adjust_for_need,
    excess_variance,
    expect_by_groups,
    relative_need,
)

AREAS = 60
DRAW = np.random.default_rng(11)
NEED = DRAW.normal(size=AREAS)
FLAT = Groups(np.full(AREAS, 1000.0), np.full(AREAS, 40.0), np.zeros(AREAS))
USE = DRAW.poisson(40 * np.exp(0.3 * NEED)).astype(float)
NONE_HIDDEN = np.zeros(AREAS, dtype=bool)


def adjusted(observed: np.ndarray, *predictors: np.ndarray, hidden: np.ndarray = NONE_HIDDEN):
    return adjust_for_need(FLAT, observed, hidden, np.column_stack(predictors))


def test_expected_use_by_hand() -> None:
    """Region: 1 in 100 adults under 65 and 5 in 100 older ones use the service.

    area  under 65  65 and over  expected        for each person
    A     1,000     200          10 + 10 = 20    20/1200
    B     2,000     100          20 +  5 = 25    25/2100
    all   3,000     300          45              45/3300
    """
    populations = np.array([[1000.0, 200.0], [2000.0, 100.0]])
    found = expect_by_groups(populations, np.array([0.01, 0.05]), np.array([100.0, 150.0]))

    assert found.expected.tolist() == [20, 25]
    assert found.people.tolist() == [1200, 2100]

    nothing = adjust_for_need(found, np.array([5.0, 5.0]), np.zeros(2, bool), np.empty((2, 0)))
    need, lower, upper = relative_need(found, nothing)

    assert nothing.why_not == "no_predictors"
    assert need == pytest.approx([(20 / 1200) / (45 / 3300), (25 / 2100) / (45 / 3300)])
    # Half of A's expected use comes from older people, a third (15 of 45) of the region's: its
    # part differs by 1/6 either way, and the rates rest on 100 and 150 events.
    error = np.sqrt((1 / 6) ** 2 / 100 + (1 / 6) ** 2 / 150)
    assert np.log(upper / need)[0] == pytest.approx(1.959964 * error)
    assert np.log(need / lower)[0] == pytest.approx(1.959964 * error)


def test_the_need_interval_covers_what_simulated_rates_give() -> None:
    populations = np.array([[1000.0, 200.0], [2000.0, 100.0], [500.0, 400.0]])
    rates, events = np.array([0.01, 0.05]), np.array([100.0, 150.0])
    found = expect_by_groups(populations, rates, events)
    drawn = rates * DRAW.poisson(events, size=(20_000, 2)) / events

    expected = drawn @ populations.T
    people = populations.sum(axis=1)
    need = expected / people / (expected.sum(axis=1) / people.sum())[:, None]

    assert np.log(need).std(axis=0) == pytest.approx(np.sqrt(found.variance), rel=0.05)


def test_one_group_alone_tells_no_area_apart() -> None:
    found = expect_by_groups(np.array([[100.0], [300.0]]), np.array([0.1]), np.array([50.0]))
    nothing = adjust_for_need(found, np.array([5.0, 5.0]), np.zeros(2, bool), np.empty((2, 0)))

    assert np.isnan(relative_need(found, nothing)[0]).all()


def test_an_unknown_rate_or_population_leaves_no_expectation() -> None:
    populations = np.array([[100.0, np.nan], [100.0, 50.0]])

    one = expect_by_groups(populations, np.array([0.1, 0.2]), np.array([50.0, 50.0]))
    assert np.isnan(one.expected).tolist() == [True, False]

    none = expect_by_groups(populations, np.array([0.1, np.nan]), np.array([50.0, 0.0]))
    assert np.isnan(none.expected).all()


def test_need_raises_what_is_expected() -> None:
    found = adjusted(USE, NEED)

    assert found.why_not is None
    assert found.used == (0,)
    assert np.all(np.diff(found.expected[np.argsort(NEED)]) > 0)
    need, lower, upper = relative_need(FLAT, found)
    assert need[np.argmax(NEED)] > lower[np.argmax(NEED)] > 1
    assert need[np.argmin(NEED)] < upper[np.argmin(NEED)] < 1


def test_use_that_falls_where_need_rises_is_not_taken_for_low_need() -> None:
    """Were it, the areas in need would be expected to use little, and their gap would vanish."""
    found = adjusted(USE, -NEED)

    assert found.why_not == "wrong_direction"
    assert np.isnan(found.expected).all()


def test_a_predictor_that_points_the_wrong_way_leaves_the_others_in() -> None:
    other = DRAW.normal(size=AREAS)
    use = DRAW.poisson(40 * np.exp(0.3 * NEED - 0.3 * other)).astype(float)

    found = adjusted(use, other, NEED)

    assert found.used == (1,)
    assert found.expected == pytest.approx(adjusted(use, NEED).expected)


def test_few_areas_constants_and_copies_fall_back_to_the_groups() -> None:
    few = Groups(FLAT.people[:9], FLAT.expected[:9], FLAT.variance[:9])
    assert adjust_for_need(few, USE[:9], NONE_HIDDEN[:9], NEED[:9, None]).why_not == "too_few_areas"
    assert adjusted(USE, NEED, NEED).why_not == "collinear"
    assert adjusted(USE, np.full(AREAS, 3.0)).why_not == "collinear"
    assert adjusted(np.full(AREAS, np.nan), NEED).why_not == "too_few_areas"


@pytest.mark.parametrize(("unseen", "why"), [(12, None), (13, "too_many_hidden")])
def test_a_fifth_of_hidden_counts_is_the_limit(unseen: int, why: str | None) -> None:
    assert pytest.approx(12 / AREAS) == MAX_UNSEEN
    hidden = np.arange(AREAS) < unseen
    observed = np.where(hidden, np.nan, USE)

    assert adjusted(observed, NEED, hidden=hidden).why_not == why


def test_an_area_with_a_hidden_count_still_has_an_expectation() -> None:
    hidden = np.arange(AREAS) == 0

    found = adjusted(np.where(hidden, np.nan, USE), NEED, hidden=hidden)

    assert found.expected[0] > 0


def test_an_area_without_a_predictor_is_placed_by_its_groups() -> None:
    found = adjusted(USE, np.where(np.arange(AREAS) == 0, np.nan, NEED))

    assert np.isnan(found.expected[0])
    assert not np.isnan(found.expected[1:]).any()


@settings(deadline=None, max_examples=15)
@given(st.permutations(range(AREAS)))
def test_the_order_of_areas_does_not_matter(order: list[int]) -> None:
    straight, shuffled = adjusted(USE, NEED), adjusted(USE[order], NEED[order])

    assert shuffled.expected == pytest.approx(straight.expected[order], rel=1e-8)


@settings(deadline=None, max_examples=15)
@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_the_unit_of_a_predictor_does_not_matter(scale: float, shift: float) -> None:
    assert adjusted(USE, scale * NEED + shift).expected == pytest.approx(
        adjusted(USE, NEED).expected, rel=1e-6
    )


def clearly_low(variance_ratio: float, *, widened: bool, worlds: int = 40) -> float:
    """Return the part of 200 areas clearly low by chance, need being all there is to know.

    About 100 events an area, more with its need; variance so many times the mean (negative
    binomial), and rounded as published.
    """
    draw = np.random.default_rng(20261122)
    low = []
    for _ in range(worlds):
        need = draw.normal(size=200)
        mean = 100 * np.exp(0.3 * need)
        ratio = variance_ratio
        use = draw.negative_binomial(mean / (ratio - 1), 1 / ratio) if ratio > 1 \
            else draw.poisson(mean)  # fmt: skip
        shown = np.where(use < 5, np.nan, (use + 2) // 5 * 5.0)
        groups = Groups(np.full(200, 1000.0), np.full(200, 100.0), np.zeros(200))
        found = adjust_for_need(groups, shown, np.isnan(shown), need[:, None])
        excess = excess_variance(groups, found) if widened else 1.0
        low.append(use_against_expected(shown, found.expected, "hide0-r5", excess).clearly_low)
    return float(np.mean(low))


@pytest.mark.parametrize("variance_ratio", [1.0, 2.0, 4.0])
def test_about_one_area_in_forty_is_clearly_low_by_chance(variance_ratio: float) -> None:
    assert 0.01 <= clearly_low(variance_ratio, widened=True) <= 0.03


def test_without_the_scatter_of_areas_six_times_as_many_would_be() -> None:
    assert clearly_low(4.0, widened=False, worlds=10) > 0.1


def test_the_excess_by_hand() -> None:
    """40 expected of each of 60, no groups: 1/2,400 of the level is unsure, and the fit."""
    found = adjusted(USE, NEED)
    excess = excess_variance(FLAT, found)

    unsure = found.variance + found.dispersion / found.expected.sum()
    assert excess == pytest.approx(found.dispersion + found.expected * unsure)
    assert found.expected.sum() == pytest.approx(USE.sum())
    assert np.all(excess > 1)


def test_areas_that_are_far_off_do_not_hide_themselves() -> None:
    """Three of sixty have a fourth of what their like have: the scatter is that of the others."""
    odd = np.arange(AREAS) % 20 == 0
    found = adjusted(np.where(odd, USE // 4, USE), NEED)
    use = use_against_expected(
        np.where(odd, USE // 4, USE), found.expected, "suppress", excess_variance(FLAT, found)
    )

    assert found.dispersion < 2
    assert use.clearly_low[odd].all()
    # One in forty of the others, by chance.
    assert use.clearly_low[~odd].sum() <= 2


def test_use_that_falls_with_need_is_no_scatter() -> None:
    """What the predictor explains is not chance, though it may not lower what is expected."""
    found = adjusted(DRAW.poisson(40 * np.exp(-0.6 * NEED)).astype(float), NEED)

    assert found.why_not == "wrong_direction"
    assert found.dispersion < 1.7


def test_without_a_fit_the_scatter_is_about_what_the_groups_give() -> None:
    """Counts of 20 and 60, 40 expected of each: (20²/40) is ten times chance."""
    use = np.where(np.arange(AREAS) % 2, 20.0, 60.0)
    nothing = np.empty((AREAS, 0))
    found = adjust_for_need(FLAT, use, NONE_HIDDEN, nothing)
    # 60 residuals of √10 either way, none an extreme; a normal variance would keep 0.6786.
    assert found.dispersion == pytest.approx(10 * 60 / 59 / 0.6786, rel=1e-4)
    # Nine areas cannot tell: chance is all there is.
    few = np.where(np.arange(AREAS) < 9, use, np.nan)
    assert adjust_for_need(FLAT, few, NONE_HIDDEN, nothing).dispersion == 1
