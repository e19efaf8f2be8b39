"""Intervals: the acceptance vectors of the literature, and what must hold for any count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, norm, poisson

from declarations.errors import LsoalinkError
from indicators.intervals import EXACT_BELOW, byar, exact_poisson, wilson

counts = st.integers(min_value=0, max_value=50_000)


@pytest.mark.parametrize(
    ("x", "n", "lower", "upper"), [(65, 100, 0.5525, 0.7364), (0, 10, 0.0, 0.2775)]
)
def test_wilson_acceptance_vectors(x, n, lower, upper):
    got = wilson([x], [n])
    assert got[0][0] == pytest.approx(lower, abs=1e-4)
    assert got[1][0] == pytest.approx(upper, abs=1e-4)


def test_byar_acceptance_vector():
    lower, upper = byar([65])
    assert lower[0] == pytest.approx(50.16, abs=5e-3)
    assert upper[0] == pytest.approx(82.85, abs=5e-3)


@pytest.mark.parametrize("function", [byar, exact_poisson])
def test_small_counts_take_the_exact_limits(function):
    lower, upper = function([5])
    assert lower[0] == pytest.approx(1.6235, abs=1e-4)
    assert upper[0] == pytest.approx(11.6683, abs=1e-4)


def test_byar_changes_to_the_exact_limits_below_ten():
    events = np.array([EXACT_BELOW - 1, EXACT_BELOW])
    approximate, exact = byar(events), exact_poisson(events)
    assert approximate[1][0] == exact[1][0]
    assert approximate[1][1] != exact[1][1]
    assert approximate[1][1] == pytest.approx(exact[1][1], rel=1e-2)


def test_no_events_have_no_lower_limit_but_an_upper_one():
    lower, upper = byar([0])
    # With no event seen, the mean at which that has probability 2.5 % is -ln 0.025.
    assert (lower[0], upper[0]) == (0.0, pytest.approx(-np.log(0.025)))


@settings(deadline=None)
@given(counts)
def test_exact_limits_leave_the_tails_they_promise(x):
    lower, upper = exact_poisson([x])
    assert poisson.cdf(x, upper[0]) == pytest.approx(0.025, rel=1e-6)
    if x:
        assert poisson.sf(x - 1, lower[0]) == pytest.approx(0.025, rel=1e-6)


@settings(deadline=None)
@given(st.integers(2, 50_000), st.data())
def test_wilson_limits_solve_the_score_equation(n, data):
    x = data.draw(st.integers(1, n - 1))
    for limit in (side[0] for side in wilson([x], [n])):
        z = (x / n - limit) / np.sqrt(limit * (1 - limit) / n)
        assert abs(z) == pytest.approx(norm.ppf(0.975), rel=1e-6)


@settings(deadline=None)
@given(st.integers(1, 5_000), st.data())
def test_wilson_contains_the_proportion_and_stays_in_the_unit_interval(n, data):
    x = data.draw(st.integers(0, n))
    lower, upper = wilson([x], [n])
    assert 0 <= lower[0] <= x / n + 1e-12
    assert x / n - 1e-12 <= upper[0] <= 1


@settings(deadline=None)
@given(st.integers(1, 5_000))
def test_limits_grow_with_the_count(n):
    x = np.arange(n + 1)
    for lower, upper in (wilson(x, np.full(n + 1, n)), byar(x)):
        # Where the exact limits end and Byar's begin they differ by far less than one event.
        assert np.all(np.diff(lower) > -1e-12)
        assert np.all(np.diff(upper) > -1e-12)


def test_a_wider_level_gives_a_wider_interval():
    narrow, wide = wilson([30], [80], 0.95), wilson([30], [80], 0.998)
    assert wide[0][0] < narrow[0][0] < narrow[1][0] < wide[1][0]


def test_wilson_agrees_roughly_with_clopper_pearson():
    x, n = 300, 1000
    lower, upper = wilson([x], [n])
    assert lower[0] == pytest.approx(beta.ppf(0.025, x, n - x + 1), abs=2e-3)
    assert upper[0] == pytest.approx(beta.ppf(0.975, x + 1, n - x), abs=2e-3)


@pytest.mark.filterwarnings("error")
def test_missing_stays_missing_and_disturbs_no_neighbour():
    lower, upper = wilson([np.nan, 65, 5, 0], [100, 100, np.nan, 0])
    assert np.isnan(lower).tolist() == [True, False, True, True]
    assert np.isnan(upper).tolist() == [True, False, True, True]
    assert lower[1] == wilson([65], [100])[0][0]
    for function in (byar, exact_poisson):
        low, high = function([np.nan, 3, 0, 40])
        assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False, False, False]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=20), st.randoms())
def test_row_order_changes_nothing(pairs, random):
    pairs = [(min(p), max(p)) for p in pairs]
    shuffled = list(range(len(pairs)))
    random.shuffle(shuffled)
    x, n = np.array(pairs, dtype=float).T
    for lower, permuted in zip(wilson(x, n), wilson(x[shuffled], n[shuffled]), strict=True):
        np.testing.assert_array_equal(lower[shuffled], permuted)
    for limit, permuted in zip(byar(x), byar(x[shuffled]), strict=True):
        np.testing.assert_array_equal(limit[shuffled], permuted)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: wilson([11], [10]), "exceed"),
        (lambda: wilson([1, 2], [10]), "shape"),
        (lambda: wilson([-1], [10]), "below zero"),
        (lambda: byar([-1]), "below zero"),
        (lambda: exact_poisson([1], 95), "between 0 and 1"),
    ],
)
def test_impossible_counts_are_refused_without_telling_them(call, words):
    with pytest.raises(LsoalinkError, match=words) as caught:
        call()
    assert "11" not in str(caught.value)
