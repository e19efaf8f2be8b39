"""Trends of series, against lines drawn by hand and a likelihood maximised by another way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from declarations.errors import LsoalinkError
from indicators.statistics.trends import rate_trend, share_trend

pytestmark = pytest.mark.filterwarnings("error")

N = np.full(5, 10_000.0)
YEARS = np.arange(2020.0, 2025.0)


@pytest.mark.parametrize(
    ("x", "direction"),
    [
        ([100, 120, 144, 173, 207], "rising"),
        ([207, 173, 144, 120, 100], "falling"),
        ([100, 104, 97, 101, 99], "no clear change"),
        ([100, None, 144, None, 207], "too few points"),
        ([0, 0, 0, 0, 0], "too few points"),
        ([0, 0, 0, 0, 5], "too few points"),
        ([None] * 5, "too few points"),
    ],
)
def test_directions_of_rates(x, direction):
    got = rate_trend([x], [N], YEARS)
    assert got.direction.tolist() == [direction]
    assert np.isnan(got.change[0]) == (direction == "too few points")


def test_a_fifth_more_each_year():
    got = rate_trend(1000 * 1.2 ** np.arange(5), N, YEARS)
    assert float(got.change) == pytest.approx(20)
    assert int(got.points) == 5


def test_two_points_more_each_year():
    got = share_trend([40, 42, 44, 46, 48], [100] * 5, YEARS)
    assert float(got.change) == pytest.approx(2)
    # Σ (t - mean)² = 10, p(1-p)/n = 0.44 * 0.56 / 100: standard error √(0.002464 / 10).
    error = 100 * np.sqrt(0.002464 / 10)
    assert float(got.upper - got.change) == pytest.approx(1.959964 * error, rel=1e-6)
    assert got.direction.tolist() == "no clear change"


def test_shares_that_are_all_or_nothing_have_no_trend():
    for x in ([0] * 5, [100] * 5):
        assert share_trend([x], [[100] * 5], YEARS).direction.tolist() == ["too few points"]


def test_a_break_starts_the_series_again():
    # Falling to 2022, then a new definition and rising.
    years = np.arange(2017.0, 2025.0)
    x = np.array([900, 700, 500, 300, 500, 600, 720, 864])
    n = np.full(8, 10_000.0)
    assert rate_trend(x, n, years, since=2021).direction.tolist() == "rising"
    got = rate_trend([x, x], [n, n], years, since=[2021, 2022])
    assert got.points.tolist() == [4, 3]
    assert got.direction.tolist() == ["rising", "too few points"]


def test_scatter_beyond_chance_widens_the_interval():
    n = np.full(6, 100_000.0)
    steady = rate_trend([1000, 1020, 1040, 1061, 1082, 1104], n, np.arange(6.0))
    wild = rate_trend([1000, 1320, 740, 1361, 782, 1104], n, np.arange(6.0))
    assert float(wild.upper - wild.lower) > 5 * float(steady.upper - steady.lower)
    assert wild.direction.tolist() == "no clear change"
    assert steady.direction.tolist() == "rising"


def test_the_common_scatter_widens_all_and_a_few_wild_series_do_not():
    draws = np.random.default_rng(4)
    n, years = np.full((200, 6), 5_000.0), np.arange(6.0)
    chance = draws.poisson(40, (200, 6))
    scattered = draws.negative_binomial(40 / 3, 1 / 4, (200, 6))

    def width(x):
        got = rate_trend(x, n, years)
        return float(np.median(got.upper - got.lower))

    plain = width(chance)
    # Four times the variance, twice the width.
    assert width(scattered) == pytest.approx(2 * plain, rel=0.15)
    wild = np.where(np.arange(200)[:, None] < 10, np.array([5, 90, 5, 90, 5, 90]), chance)
    assert width(wild) == pytest.approx(plain, rel=0.1)
    # Thirty series of one level have fewer degrees of freedom than it takes.
    few = rate_trend(chance[:30], n[:30], years)
    alone = [rate_trend(x, n[0], years) for x in chance[:30]]
    assert few.lower.tolist() == pytest.approx([float(a.lower) for a in alone])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(5, 80), st.integers(500, 900)), min_size=4, max_size=8))
def test_the_slope_maximises_the_likelihood(points):
    x, n = np.array(points, dtype=float).T
    years = np.arange(len(points)) / 4
    got = rate_trend(x, n, years)
    middle = years - years.mean()

    def loss(b: np.ndarray) -> float:
        mean = n * np.exp(b[0] + b[1] * middle)
        return float(np.sum(mean - x * np.log(mean)))

    start = np.array([np.log(x.sum() / n.sum()), 0.0])
    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-8})
    assert np.log1p(float(got.change) / 100) == pytest.approx(best.x[1], abs=2e-4)


@settings(deadline=None)
@given(st.lists(st.integers(5, 400), min_size=4, max_size=10), st.randoms())
def test_the_order_of_points_changes_nothing(x, random):
    years = np.arange(len(x), dtype=float)
    shuffled = list(range(len(x)))
    random.shuffle(shuffled)
    n = np.full(len(x), 5000.0)
    plain = rate_trend(np.array(x), n, years)
    other = rate_trend(np.array(x)[shuffled], n, years[shuffled])
    assert float(plain.change) == pytest.approx(float(other.change), abs=1e-6)
    assert plain.direction.tolist() == other.direction.tolist()


def test_rounding_widens_the_interval_of_small_counts():
    x, n = [20, 25, 15, 20, 25], np.full(5, 4000.0)
    exact = rate_trend(x, n, YEARS)
    rounded = rate_trend(x, n, YEARS, rounding_variance=2.0)
    assert float(rounded.upper) > float(exact.upper)
    assert float(rounded.lower) < float(exact.lower)


def test_shapes_that_do_not_fit():
    with pytest.raises(LsoalinkError, match="points"):
        rate_trend([[1, 2]], [[1, 2]], [1, 2, 3])
    with pytest.raises(LsoalinkError, match="shape"):
        rate_trend([1, 2, 3], [1, 2], [1, 2, 3])
    with pytest.raises(LsoalinkError, match="series"):
        rate_trend([[1, 2]], [[1, 2]], [1, 2], since=[2020, 2021])
    with pytest.raises(LsoalinkError, match="below zero"):
        share_trend([-1] * 4, [5] * 4, [1, 2, 3, 4])
    assert rate_trend(np.zeros((0, 5)), np.zeros((0, 5)), YEARS).points.shape == (0,)
