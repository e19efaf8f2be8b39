"""Intervals hold the true value as often as they say: 10,000 seeded draws each.

Counts are whole numbers, so that the coverage of any interval of one fixed true value saws up and
down around its level; what a reader meets is many areas of different size. Where a method aims at
the level (Wilson, Byar, Dobson, the trend, the slope index, the median), the true value is
therefore drawn anew for each sample, or the counts are large, and the coverage must be within one
point of 95 %. Exact limits promise at least their level for every true value, and so cannot meet it
exactly: they are tested, without drawing, never to fall below it. The interval of a median between
two limits is made from those of the limits, and holds it more often than it says.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from indicators.intervals import byar, dobson, exact_poisson, wilson
from indicators.statistics.inequality import ridits, slope_index
from indicators.statistics.medians import median_from_shares
from indicators.statistics.standardisation import esp_2013, indirect
from indicators.statistics.trends import rate_trend, share_trend

DRAWS = 10_000
POINT = 0.01


@pytest.fixture
def draws():
    return np.random.default_rng(20261116)


def holds(lower, upper, truth) -> float:
    return float(np.mean((lower <= truth) & (truth <= upper)))


def is_nominal(share: float, level: float = 0.95) -> bool:
    return abs(share - level) <= POINT


@pytest.mark.parametrize("n", [30, 100, 1000])
def test_wilson(draws, n):
    # Not closer to 0 and 1 than three expected cases: there the steps are as wide as the interval.
    truth = draws.uniform(3 / n, 1 - 3 / n, DRAWS)
    assert is_nominal(holds(*wilson(draws.binomial(n, truth), n), truth))


def test_wilson_at_another_level(draws):
    truth = draws.uniform(0.1, 0.9, DRAWS)
    covered = holds(*wilson(draws.binomial(400, truth), 400, 0.8), truth)
    assert is_nominal(covered, 0.8)


@pytest.mark.parametrize(("smallest", "largest"), [(100, 300), (300, 3000)])
def test_byar(draws, smallest, largest):
    # From about a hundred events: below that the exact limits, which it follows, give more.
    truth = draws.uniform(smallest, largest, DRAWS)
    assert is_nominal(holds(*byar(draws.poisson(truth)), truth))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.998])
def test_exact_poisson_never_falls_below_its_level(level):
    x = np.arange(2000)
    lower, upper = exact_poisson(x, level)
    for truth in np.concatenate([np.linspace(0.01, 30, 400), [100.0, 512.5, 1000.0]]):
        inside = x[(lower <= truth) & (truth <= upper)]
        assert poisson.pmf(inside, truth).sum() >= level - 1e-9


def test_byar_hardly_falls_below_its_level_for_small_counts():
    x = np.arange(1000)
    lower, upper = byar(x)
    for truth in np.linspace(0.01, 60, 600):
        inside = x[(lower <= truth) & (truth <= upper)]
        assert poisson.pmf(inside, truth).sum() >= 0.95 - 0.002


def test_dobson(draws):
    people = np.array([9000.0, 6000.0, 4500.0, 2700.0, 1200.0])
    weights = esp_2013([0, 20, 40, 60, 80])
    rates = np.array([0.01, 0.02, 0.03, 0.05, 0.1]) * draws.uniform(0.5, 1.5, (DRAWS, 1))
    truth = rates @ weights / weights.sum()
    got = dobson(draws.poisson(people * rates), np.broadcast_to(people, rates.shape), weights)
    assert is_nominal(holds(got.lower, got.upper, truth))


def test_observed_against_expected(draws):
    people = np.array([5000.0, 3000.0, 900.0])
    reference = np.array([0.01, 0.03, 0.1])
    truth = draws.uniform(0.7, 1.6, DRAWS)
    expected = float(people @ reference)
    got = indirect(draws.poisson(truth * expected), np.broadcast_to(people, (DRAWS, 3)), reference)
    assert is_nominal(holds(got.lower, got.upper, truth))


def test_slope_and_relative_index(draws):
    people = np.linspace(7000.0, 11000.0, 10)
    rank = ridits(np.arange(10), people)
    start, slope = draws.uniform(0.02, 0.04, DRAWS), draws.uniform(0.0, 0.03, DRAWS)
    rates = start[:, None] + slope[:, None] * rank
    x = draws.poisson(people * rates)
    got = slope_index(rank, people, x / people, x / people**2)
    assert is_nominal(holds(got.sii_lower, got.sii_upper, slope))
    assert is_nominal(holds(got.rii_lower, got.rii_upper, (start + slope) / start))


@pytest.mark.parametrize("points", [4, 8])
def test_trend_of_rates(draws, points):
    years = np.arange(points) / 4
    change = draws.uniform(-0.3, 0.3, DRAWS)
    people = np.full((DRAWS, points), 40_000.0)
    x = draws.poisson(people * 0.003 * np.exp(change[:, None] * years))
    got = rate_trend(x, people, years)
    assert is_nominal(holds(got.lower, got.upper, 100 * np.expm1(change)))


def test_trend_of_rates_from_rounded_counts(draws):
    years = np.arange(8) / 4
    change = draws.uniform(-0.3, 0.3, DRAWS)
    people = np.full((DRAWS, 8), 5_000.0)
    x = draws.poisson(people * 0.004 * np.exp(change[:, None] * years))
    got = rate_trend((x + 2) // 5 * 5, people, years, rounding_variance=2.0)
    assert is_nominal(holds(got.lower, got.upper, 100 * np.expm1(change)))


@pytest.mark.parametrize("points", [4, 8])
@pytest.mark.parametrize("ratio", [1.5, 4.0])
def test_trend_of_rates_that_scatter_more_than_chance(draws, points, ratio):
    # Flat series of about 20 events, variance 30 or 80: many series tell their common scatter.
    people = np.full((DRAWS, points), 5_000.0)
    x = draws.negative_binomial(20 / (ratio - 1), 1 / ratio, people.shape)
    got = rate_trend(x, people, np.arange(points) / 4)
    assert is_nominal(holds(got.lower, got.upper, 0))


def test_one_series_cannot_tell_its_own_scatter(draws):
    # The same flat series, ten at a time: fewer than 200 degrees of freedom, so each by itself.
    x = draws.negative_binomial(40, 1 / 1.5, (DRAWS // 10, 10, 8))
    people, years = np.full((10, 8), 5_000.0), np.arange(8) / 4
    found = [rate_trend(part, people, years) for part in x]
    alone = np.mean([holds(got.lower, got.upper, 0) for got in found])
    assert 0.915 <= alone <= 0.94


@pytest.mark.parametrize(("series", "points"), [(1, 8), (7, 4), (40, 8)])
def test_trends_of_pure_chance_keep_their_level_in_a_few_series(draws, series, points):
    x = draws.poisson(120, (4_000 // series, series, points))
    people, years = np.full((series, points), 40_000.0), np.arange(points) / 4
    found = [rate_trend(part, people, years) for part in x]
    held = np.mean([holds(got.lower, got.upper, 0) for got in found])
    # Four standard errors of 4,000 draws.
    assert 0.94 - 0.004 <= held <= 0.96 + 0.004


def test_trend_of_shares(draws):
    years = np.arange(6.0)
    change = draws.uniform(-0.03, 0.03, DRAWS)
    whole = np.full((DRAWS, 6), 300)
    x = draws.binomial(300, 0.45 + change[:, None] * (years - 2.5))
    got = share_trend(x, whole, years)
    assert is_nominal(holds(got.lower, got.upper, 100 * change))


def test_median_at_a_limit(draws):
    # Where half of the cases end exactly at a limit the interval is Wilson's for that share.
    whole = draws.integers(300, 500, DRAWS)
    x = draws.multinomial(whole, [0.2, 0.3, 0.4, 0.1])[:, :3].cumsum(axis=1)
    got = median_from_shares(x, np.repeat(whole[:, None], 3, axis=1), [14.0, 42.0, 84.0])
    assert is_nominal(holds(got.lower, got.upper, 42.0))


def test_median_between_limits_is_on_the_safe_side(draws):
    # 20 % up to 14 days and 50 % more, evenly, up to 42: the median is 14 + 28 * 0.3/0.5 = 30.8.
    # Between two limits their two shares err less together than each alone, and the interval,
    # which is drawn from each alone, holds the median more often than it says.
    x = draws.multinomial(400, [0.2, 0.5, 0.2, 0.1], DRAWS)[:, :3].cumsum(axis=1)
    got = median_from_shares(x, np.full((DRAWS, 3), 400), [14.0, 42.0, 84.0])
    assert 0.95 <= holds(got.lower, got.upper, 30.8) <= 0.99
