"""Shrinkage: worked examples, an independent slow calculation, and what must hold for any areas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import LsoalinkError
from indicators.statistics.protected import (
    Within,
    binomial_moments,
    gamma_poisson_moments,
)
from indicators.statistics.shrinkage import (
    logit,
    logit_neighbours,
    low_weight,
    marshall,
    marshall_neighbours,
)

pytestmark = pytest.mark.filterwarnings("error")

areas = st.lists(st.tuples(st.integers(0, 200), st.integers(200, 4000)), min_size=1, max_size=25)


def marshall_by_hand(pairs: list[tuple[float, float]]) -> list[float]:
    """Marshall's estimator as it is printed, area by area, in plain Python."""
    people = sum(n for _, n in pairs)
    m = sum(x for x, _ in pairs) / people
    s2 = sum(n * (x / n - m) ** 2 for x, n in pairs) / people
    a = max(0.0, s2 - m / (people / len(pairs)))
    found = []
    for x, n in pairs:
        w = a / (a + m / n) if a + m / n else 0.0
        found.append(m + w * (x / n - m))
    return found


def logit_by_hand(pairs: list[tuple[float, float]]) -> list[float]:
    z = [math.log((r + 0.5) / (n - r + 0.5)) for r, n in pairs]
    if len(z) == 1:
        return [1 / (1 + math.exp(-z[0]))]
    r, n = sum(r for r, _ in pairs), sum(n for _, n in pairs)
    larger = math.log((r + 0.5) / (n - r + 0.5))
    middle = sum(z) / len(z)
    t2 = sum((v - middle) ** 2 for v in z) / (len(z) - 1)
    found = []
    for own, (r, n) in zip(z, pairs, strict=True):
        s2 = 1 / (r + 0.5) + 1 / (n - r + 0.5)
        w = (1 / s2) / (1 / s2 + 1 / t2) if t2 else 0.0
        found.append(1 / (1 + math.exp(-(w * own + (1 - w) * larger))))
    return found


def test_two_areas_by_hand():
    # m = 40/2000 = 0.02; S² = 0.01² = 1e-4; a = 1e-4 - 0.02/1000 = 8e-5;
    # w = 8e-5 / (8e-5 + 2e-5) = 0.8; 0.02 ∓ 0.8 * 0.01.
    got = marshall([10, 30], [1000, 1000])
    assert got.prior == pytest.approx([0.02, 0.02])
    assert got.weight == pytest.approx([0.8, 0.8])
    assert got.value == pytest.approx([0.012, 0.028])


def test_areas_that_differ_no_more_than_by_chance_get_the_common_mean():
    # S² = 0.001² = 1e-6 is less than the 2e-5 that chance alone would give.
    got = marshall([19, 21], [1000, 1000])
    assert got.weight.tolist() == [0, 0]
    assert got.value == pytest.approx([0.02, 0.02])
    assert low_weight(got.weight).tolist() == [True, True]


def test_each_district_has_its_own_mean():
    got = marshall([10, 30, 100, 300], [1000] * 4, ["north", "north", "south", "south"])
    assert got.prior == pytest.approx([0.02, 0.02, 0.2, 0.2])
    assert got.value[:2] == pytest.approx([0.012, 0.028])


def test_neighbours_are_an_area_and_those_beside_it():
    # A chain of four areas; the first is compared with itself and the second only.
    x, n = [10, 30, 100, 300], [1000] * 4
    chain = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)]
    got = marshall_neighbours(x, n, tuple(np.array(chain).T))
    for area, around in enumerate([[0, 1], [1, 0, 2], [2, 1, 3], [3, 2]]):
        by_hand = marshall_by_hand([(x[i], n[i]) for i in around])
        assert got.value[area] == pytest.approx(by_hand[0])
    shares = logit_neighbours(x, n, tuple(np.array(chain).T))
    for area, around in enumerate([[0, 1], [1, 0, 2], [2, 1, 3], [3, 2]]):
        by_hand = logit_by_hand([(x[i], n[i]) for i in around])
        assert shares.value[area] == pytest.approx(by_hand[0])


def test_an_island_has_only_itself():
    none = (np.array([], dtype=int), np.array([], dtype=int))
    got = marshall_neighbours([10, 30], [1000, 1000], none)
    assert got.value == pytest.approx([0.01, 0.03])
    assert logit_neighbours([10, 30], [1000, 1000], none).weight.tolist() == [1, 1]


@settings(deadline=None)
@given(areas)
def test_marshall_agrees_with_the_printed_formula(pairs):
    got = marshall(*np.array(pairs, dtype=float).T)
    assert got.value == pytest.approx(marshall_by_hand(pairs), rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(areas)
def test_logit_agrees_with_the_printed_formula(pairs):
    got = logit(*np.array(pairs, dtype=float).T)
    assert got.value == pytest.approx(logit_by_hand(pairs), rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(areas)
def test_a_shrunk_figure_lies_between_its_own_and_the_mean(pairs):
    x, n = np.array(pairs, dtype=float).T
    own_logit = (x + 0.5) / (n + 1)
    for got, own in ((marshall(x, n), x / n), (logit(x, n), own_logit)):
        assert np.all((got.weight >= 0) & (got.weight <= 1))
        assert np.all(got.value >= np.minimum(own, got.prior) - 1e-12)
        assert np.all(got.value <= np.maximum(own, got.prior) + 1e-12)


@settings(deadline=None)
@given(areas, st.randoms())
def test_order_of_rows_and_names_of_districts_change_nothing(pairs, random):
    x, n = np.array(pairs, dtype=float).T
    districts = [f"d{i % 3}" for i in range(len(pairs))]
    shuffled = list(range(len(pairs)))
    random.shuffle(shuffled)
    renamed = [{"d0": "z", "d1": "m", "d2": "a"}[districts[i]] for i in shuffled]
    for function in (marshall, logit):
        plain = function(x, n, districts)
        other = function(x[shuffled], n[shuffled], renamed)
        np.testing.assert_allclose(plain.value[shuffled], other.value, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(plain.weight[shuffled], other.weight, rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(areas, st.data())
def test_the_larger_area_keeps_more_of_its_own(pairs, data):
    x, n = np.array(pairs, dtype=float).T
    got = marshall(x, n)
    order = np.argsort(n)
    assert np.all(np.diff(got.weight[order]) >= -1e-12)


def test_missing_areas_count_for_nothing():
    whole = marshall([10, 30], [1000, 1000])
    got = marshall([10, None, 30, 7, 4], [1000, 1000, 1000, None, 0])
    assert got.value[[0, 2]] == pytest.approx(whole.value)
    assert np.isnan(got.value[[1, 3, 4]]).all()
    assert np.isnan(got.weight[[1, 3, 4]]).all()
    assert got.prior[1] == pytest.approx(0.02)


def test_hostile_inputs():
    for function in (marshall, logit):
        assert function([], []).value.shape == (0,)
        assert np.isnan(function([None], [None]).value).all()
        assert np.isnan(function([0], [0]).value).all()
        assert function([3], [10]).weight.shape == (1,)
        with pytest.raises(LsoalinkError, match="shape"):
            function([1, 2], [1, 2, 3])
        with pytest.raises(LsoalinkError, match="below zero"):
            function([-1], [1])
        with pytest.raises(LsoalinkError, match="one axis"):
            function([[1]], [[2]])
    with pytest.raises(LsoalinkError, match="outside the 2 areas"):
        marshall_neighbours([1, 2], [5, 5], ([0], [2]))
    assert marshall([0, 0], [100, 200]).value.tolist() == [0, 0]


def protect(x: np.ndarray) -> tuple[np.ndarray, Within]:
    """Hide 0 to 4 and round the rest to 5, and say what a reader knows of each."""
    shown = np.where(x < 5, np.nan, (x + 2) // 5 * 5)
    lowest = np.where(x < 5, 0, np.maximum(shown - 2, 5))
    return shown, Within(lowest, np.where(x < 5, 4, shown + 2))


@pytest.mark.parametrize(("rate", "hidden"), [(0.004, 0.8), (0.008, 0.45), (0.02, 0.05)])
def test_hidden_counts_bias_neither_the_mean_nor_the_variance(rate, hidden):
    draws = np.random.default_rng(20261116)
    n = draws.integers(400, 900, 3000).astype(float)
    between = (0.4 * rate) ** 2
    x = draws.poisson(n * draws.gamma(rate**2 / between, between / rate, n.size)).astype(float)
    shown, within = protect(x)
    assert np.isnan(shown).mean() > hidden
    true, got, left_out = marshall(x, n), marshall(shown, n, within=within), marshall(shown, n)
    assert got.prior[0] == pytest.approx(rate, rel=0.03)
    assert left_out.prior[0] > rate * (1 + 0.5 * np.isnan(shown).mean())
    seen = ~np.isnan(shown)
    # Rounding makes each figure a little less sure, and so takes some of its weight.
    assert got.weight[seen].mean() < true.weight[seen].mean()
    assert got.weight[seen].mean() == pytest.approx(true.weight[seen].mean(), abs=0.06)
    assert np.isnan(got.value[~seen]).all()


def test_hidden_shares_do_not_bias_the_mean():
    draws = np.random.default_rng(20261116)
    x = draws.binomial(20, draws.beta(8, 20, 3000)).astype(float)
    within = Within(np.where(x < 5, 0, x), np.where(x < 5, 4, x))
    got = logit(np.where(x < 5, np.nan, x), np.full(3000, 20), within=within)
    assert got.prior[0] == pytest.approx(8 / 28, rel=0.03)


def test_a_group_that_shows_nothing_has_no_mean():
    within = Within(np.array([0.0, 0.0]), np.array([4.0, 4.0]))
    for function in (marshall, logit):
        got = function([None, None], [500, 600], within=within)
        assert np.isnan(got.value).all()
        assert np.isnan(got.prior).all()


def test_expected_counts_by_hand():
    # Poisson with mean 1 within 0 to 1: both counts are equally likely. Within 5 to 5 it is 5.
    within = Within(np.array([0.0, 5.0]), np.array([1.0, 5.0]))
    got = gamma_poisson_moments(np.array([100.0] * 2), np.array([0.01] * 2), np.zeros(2), within)
    assert got.mean == pytest.approx([0.5, 5])
    assert got.square == pytest.approx([0.5, 25])
    # Gamma with shape 1 makes a geometric count: with mean 1 the weights are 1/2, 1/4 and 1/8.
    rate, between = np.array([0.01]), np.array([0.0001])
    within = Within(np.array([0.0]), np.array([2.0]))
    got = gamma_poisson_moments(np.array([100.0]), rate, between, within)
    assert got.mean == pytest.approx([(0.25 + 2 * 0.125) / 0.875])
    # Two tosses of a fair coin within 0 to 1 heads: 1/4 and 1/2.
    got = binomial_moments(np.array([2.0]), np.array([0.5]), Within(np.zeros(1), np.ones(1)))
    assert got.mean == pytest.approx([2 / 3])


def test_impossible_ranges_are_refused():
    with pytest.raises(LsoalinkError, match="1 ranges"):
        Within(np.array([5.0]), np.array([4.0]))
    with pytest.raises(LsoalinkError, match="shape"):
        Within(np.array([5.0]), np.array([5.0, 6.0]))
    with pytest.raises(LsoalinkError, match="within"):
        marshall([1, 2], [5, 5], within=Within(np.zeros(1), np.ones(1)))
