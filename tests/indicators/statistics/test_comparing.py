"""Against a benchmark, in a funnel, and one rate against another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, poisson

from declarations.errors import LsoalinkError
from indicators.statistics.comparison import (
    Funnel,
    against_benchmark,
    funnel_class,
    funnel_proportions,
    funnel_rates,
    poisson_rates_test,
)

pytestmark = pytest.mark.filterwarnings("error")

LOWER = [1.0, 3.0, 5.0, 4.0, np.nan]
UPPER = [2.0, 5.0, 6.0, 4.0, 9.0]


@pytest.mark.parametrize(
    ("polarity", "said"),
    [
        ("lower_is_better", ["better", "similar", "worse", "similar", None]),
        ("higher_is_better", ["worse", "similar", "better", "similar", None]),
        ("none", ["lower", "similar", "higher", "similar", None]),
    ],
)
def test_an_interval_against_a_benchmark_of_four(polarity, said):
    assert against_benchmark(LOWER, UPPER, 4, polarity).tolist() == said


def test_a_benchmark_for_each_area_and_none():
    got = against_benchmark([1, 1, 1], [2, 2, 2], [3, None, 0], "none")
    assert got.tolist() == ["lower", None, "higher"]
    with pytest.raises(LsoalinkError, match="polarity"):
        against_benchmark([1], [2], 1, "upwards")


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 5000), st.integers(0, 60), st.integers(1, 5000))
def test_two_rates_against_the_binomial_test(x1, n1, x2, n2):
    got = poisson_rates_test(x1, n1, x2, n2)
    if x1 + x2 == 0:
        assert float(got.p_value) == 1
        assert np.isnan(got.ratio)
        return
    share = n1 / (n1 + n2)
    tails = [binomtest(x1, x1 + x2, share, alternative=side).pvalue for side in ("less", "greater")]
    assert float(got.p_value) == pytest.approx(min(1, 2 * min(tails)), rel=1e-6, abs=1e-12)
    other = poisson_rates_test(x2, n2, x1, n1)
    assert float(other.p_value) == pytest.approx(float(got.p_value), rel=1e-6)


def test_two_rates_missing_or_without_people():
    got = poisson_rates_test([5, None, 5], [100, 100, 0], [9, 9, 9], [100, 100, 100])
    assert np.isnan(got.p_value).tolist() == [False, True, True]
    assert got.ratio[0] == pytest.approx(5 / 9)


@pytest.mark.parametrize("level", [0.95, 0.998])
@pytest.mark.parametrize("n", [1, 7, 60, 900])
@pytest.mark.parametrize("theta", [0.0, 0.01, 0.3, 0.5, 0.98, 1.0])
def test_chance_alone_seldom_passes_the_limits_of_proportions(level, n, theta):
    limits = funnel_proportions(n, theta, level)
    side = (1 - level) / 2 + 1e-12
    assert binom.cdf(float(limits.lower) * n - 0.5, n, theta) <= side
    assert binom.sf(float(limits.upper) * n + 0.5, n, theta) <= side
    # And they are the narrowest that do.
    assert binom.cdf(float(limits.lower) * n + 0.5, n, theta) >= side - 1e-9


@pytest.mark.parametrize("level", [0.95, 0.998])
@pytest.mark.parametrize("expected", [0.0, 0.4, 3.0, 50.0, 700.0])
def test_chance_alone_seldom_passes_the_limits_of_rates(level, expected):
    limits = funnel_rates(1000, expected / 1000, level)
    side = (1 - level) / 2 + 1e-12
    assert poisson.cdf(float(limits.lower) * 1000 - 0.5, expected) <= side
    assert poisson.sf(float(limits.upper) * 1000 + 0.5, expected) <= side


def test_the_formula_of_the_normal_limits_by_hand():
    # 0.3 ∓ 3.0902 √(0.3 * 0.7 / 84) = 0.3 ∓ 3.0902 * 0.05
    limits = funnel_proportions([84], 0.3, 0.998, exact=False)
    assert limits.lower == pytest.approx([0.3 - 0.15451], abs=1e-5)
    assert limits.upper == pytest.approx([0.3 + 0.15451], abs=1e-5)
    exact = funnel_proportions(8400, 0.3, 0.998)
    assert float(exact.lower) == pytest.approx(0.3 - 3.0902 * 0.005, abs=3e-4)


def test_classes_of_a_funnel():
    inner, outer = (Funnel(np.full(6, 0.5 - w), np.full(6, 0.5 + w)) for w in (0.1, 0.2))
    values = [0.5, 0.6, 0.61, 0.39, 0.9, np.nan]
    said = ["within", "within", "worse (95 %)", "better (95 %)", "worse (99.8 %)", None]
    assert funnel_class(values, inner, outer, "lower_is_better").tolist() == said
    assert funnel_class(values, inner, outer, "none").tolist()[4] == "higher (99.8 %)"


def test_a_count_on_the_limit_is_within():
    n, theta = np.array([37.0, 41.0, 4999.0]), 1 / 3
    inner, outer = (funnel_proportions(n, theta, level) for level in (0.95, 0.998))
    on = np.round(inner.upper * n) / n
    assert funnel_class(on, inner, outer, "none").tolist() == ["within"] * 3
    past = (np.round(inner.upper * n) + 1) / n
    assert all(said.startswith("higher") for said in funnel_class(past, inner, outer, "none"))


def test_missing_and_impossible_funnels():
    assert np.isnan(funnel_proportions([0, None], 0.5).lower).all()
    assert np.isnan(funnel_rates([0, None], 0.5).upper).all()
    with pytest.raises(LsoalinkError, match="above 1"):
        funnel_proportions([10], 50.0)
