"""The fast curves against scipy's exact posteriors and the mixtures of what was rounded."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from governance.disclosure.profiles import profile
from indicators.composite.posteriors import (
    curve,
    rate_moments,
    rounding_offsets,
    share_moments,
    shrunk_rate_moments,
    shrunk_share_curve,
)

ROUNDED = (-2, -1, 0, 1, 2)
CHANCES = (np.arange(4096) + 0.5) / 4096
NORMALS = stats.norm.ppf(CHANCES)
TAILS = (0.025, 0.25, 0.5, 0.75, 0.975)

# As the module's docstring promises: probability for counts of 5 and more, quantiles in standard
# deviations for all.
IN_PROBABILITY, IN_DEVIATIONS = 0.012, 0.1


def drawn(coefficients):
    """Values of one unit at every chance, in rising order."""
    c0, c1, c2, c3 = coefficients[:, 0]
    return np.sort(c0 + NORMALS * (c1 + NORMALS * (c2 + NORMALS * c3)))


def exact_shares(x, n, offsets):
    """The mixture of scipy's Beta distributions, as a function of the share."""
    parts = [stats.beta(x + o + 0.5, n - x - o + 0.5) for o in offsets if 0 <= x + o <= n]
    return lambda share: np.mean([p.cdf(share) for p in parts], axis=0)


def exact_rates(x, n, offsets):
    parts = [stats.gamma(x + o + 0.5, scale=1 / n) for o in offsets if x + o >= 0]
    return lambda rate: np.mean([p.cdf(rate) for p in parts], axis=0)


def quantiles(cdf, low, high):
    grid = np.linspace(low, high, 200_001)
    return np.interp(TAILS, cdf(grid), grid)


@pytest.mark.parametrize("offsets", [(0,), ROUNDED])
@pytest.mark.parametrize(
    ("x", "n"),
    [
        (5, 60),
        (5, 1500),
        (10, 1500),
        (30, 300),
        (100, 1500),
        (700, 1500),
        (1400, 1500),
        (1495, 1500),
    ],
)
def test_shares_of_shown_counts_have_the_exact_distribution(x, n, offsets):
    found = share_moments(np.array([float(x)]), np.array([float(n)]), offsets)
    values = drawn(curve(found))
    cdf = exact_shares(x, n, offsets)
    assert np.max(np.abs(cdf(values) - CHANCES)) < IN_PROBABILITY
    deviation = found.deviation[0]
    exact = quantiles(cdf, max(0, x / n - 8 * deviation), min(1, x / n + 8 * deviation))
    assert np.max(np.abs(np.quantile(values, TAILS) - exact)) < IN_DEVIATIONS * deviation


@pytest.mark.parametrize("offsets", [(0,), ROUNDED])
@pytest.mark.parametrize("x", [5, 10, 25, 200])
def test_rates_of_shown_counts_have_the_exact_distribution(x, offsets):
    found = rate_moments(np.array([float(x)]), np.array([800.0]), offsets)
    values = drawn(curve(found))
    cdf = exact_rates(x, 800, offsets)
    assert np.max(np.abs(cdf(values) - CHANCES)) < IN_PROBABILITY
    exact = quantiles(cdf, 0, x / 800 + 8 * found.deviation[0])
    assert np.max(np.abs(np.quantile(values, TAILS) - exact)) < IN_DEVIATIONS * found.deviation[0]


@pytest.mark.parametrize("offsets", [(0,), ROUNDED])
@pytest.mark.parametrize(("x", "n"), [(0, 100), (1, 100), (3, 1500), (50, 50), (1499, 1500)])
def test_next_to_none_and_all_the_quantiles_stay_close(x, n, offsets):
    found = share_moments(np.array([float(x)]), np.array([float(n)]), offsets)
    exact = quantiles(exact_shares(x, n, offsets), 0, 1)
    values = np.quantile(drawn(curve(found)), TAILS)
    deviation = found.deviation[0]
    assert np.max(np.abs(np.clip(values, 0, 1) - exact)) < IN_DEVIATIONS * deviation
    # What lies beyond 0 or the whole is little, and told in the module's docstring.
    assert np.max(np.abs(np.clip(values, 0, 1) - values)) < deviation / 4


@pytest.mark.parametrize(("x", "n"), [(0, 40), (7, 40), (39, 40), (600, 1500)])
def test_moments_of_a_share_are_those_of_the_beta_distribution(x, n):
    found = share_moments(np.array([float(x)]), np.array([float(n)]))
    exact = stats.beta(x + 0.5, n - x + 0.5).stats("mvs")
    expected = (exact[0], np.sqrt(exact[1]), exact[2])
    assert [float(f[0]) for f in found] == pytest.approx([float(e) for e in expected], rel=1e-6)


def test_moments_of_a_rate_are_those_of_the_gamma_distribution():
    found = rate_moments(np.array([0.0, 3.0, 90.0]), np.array([10.0, 20.0, 30.0]))
    shape = np.array([0.5, 3.5, 90.5])
    np.testing.assert_allclose(found.mean, shape / [10, 20, 30])
    np.testing.assert_allclose(found.deviation, np.sqrt(shape) / [10, 20, 30])
    np.testing.assert_allclose(found.skewness, 2 / np.sqrt(shape))


def test_rounding_makes_a_count_less_sure_and_cannot_leave_the_whole():
    x, n = np.array([5.0]), np.array([100.0])
    sure, unsure = share_moments(x, n), share_moments(x, n, ROUNDED)
    assert unsure.deviation[0] > sure.deviation[0]
    assert unsure.mean[0] == pytest.approx(sure.mean[0])
    # 100 of 100 can only be 98 to 100.
    whole = share_moments(n, n, ROUNDED)
    assert whole.mean[0] == pytest.approx(np.mean([98.5, 99.5, 100.5]) / 101)


@pytest.mark.parametrize(
    ("name", "offsets"),
    [
        ("hide0-r5", (-2, -1, 0, 1, 2)),  # 10 stands for 8 to 12
        ("midpoint-6", (-2, -1, 0, 1, 2, 3)),  # 3 stands for 1 to 6
        ("suppress", (0,)),  # counts that are shown are exact
        ("ckm", (-3, -2, -1, 0, 1, 2, 3)),  # variance 3: even within the root of 9
    ],
)
def test_what_a_published_count_can_stand_for(name, offsets):
    assert rounding_offsets(profile(name)) == offsets


def test_a_shrunk_rate_that_is_all_its_own_has_the_rates_own_spread():
    n = np.array([500.0])
    shrunk = shrunk_rate_moments(n, np.array([0.1]), np.array([1.0]))
    assert shrunk.deviation[0] == pytest.approx(np.sqrt(50) / 500)
    assert shrunk.skewness[0] == pytest.approx(2 / np.sqrt(50))
    district = shrunk_rate_moments(n, np.array([0.1]), np.array([0.0]))
    assert (district.deviation[0], district.skewness[0]) == (0, 0)


def test_a_shrunk_share_is_normal_on_the_logit_scale():
    x, n, share, weight = (np.array([v]) for v in (20.0, 400.0, 0.06, 0.5))
    values = drawn(shrunk_share_curve(x, n, share, weight))
    spread = np.sqrt(0.5 * (1 / 20.5 + 1 / 380.5))
    exact = expit(np.log(0.06 / 0.94) + spread * stats.norm.ppf(TAILS))
    np.testing.assert_allclose(np.quantile(values, TAILS), exact, rtol=2e-3)
