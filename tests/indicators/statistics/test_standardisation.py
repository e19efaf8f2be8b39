"""Standardised rates and ratios, by hand and against a slow plain calculation."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import LsoalinkError
from indicators.intervals import byar, dobson
from indicators.statistics.standardisation import (
    ESP_2013,
    direct,
    esp_2013,
    expected_events,
    indirect,
    observed_ratio,
)

pytestmark = pytest.mark.filterwarnings("error")


def test_the_standard_population_has_nineteen_bands_of_a_hundred_thousand_people():
    assert (len(ESP_2013), sum(ESP_2013)) == (19, 100_000)


@pytest.mark.parametrize(
    ("ages", "end", "people"),
    [
        ([0], None, [100_000]),
        # 2/5 of 15-19, then 20-24 to 60-64; 65 and over.
        ([18, 65], None, [2200 + 59_000, 19_500]),
        ([65, 75, 85], None, [10_500, 6_500, 2_500]),
        ([0, 5], 15, [5_000, 11_000]),
        ([90], None, [1_000]),
    ],
)
def test_other_bands_add_up_the_standard_ones(ages, end, people):
    assert esp_2013(ages, end).tolist() == pytest.approx(people)


@pytest.mark.parametrize("ages", [[], [65, 65], [75, 65], [-5, 10], [0, 95]])
def test_bands_that_cannot_be_made_are_refused(ages):
    with pytest.raises(LsoalinkError, match="age bands"):
        esp_2013(ages)


def dobson_by_hand(x, n, w, m):
    """The formulas as printed, for one area, with Byar's approximation written out."""
    z = 1.959963984540054
    whole = sum(w)
    rate = m * sum(wi * xi / ni for xi, ni, wi in zip(x, n, w, strict=True)) / whole
    var = m * m * sum(wi**2 * xi / ni**2 for xi, ni, wi in zip(x, n, w, strict=True)) / whole**2
    total = sum(x)
    low = total * (1 - 1 / (9 * total) - z / (3 * math.sqrt(total))) ** 3
    more = total + 1
    high = more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3
    scale = math.sqrt(var / total)
    return rate, rate + scale * (low - total), rate + scale * (high - total)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(10, 500), st.integers(600, 9000), st.integers(1, 9000)),
        min_size=2,
        max_size=6,
    )
)
def test_direct_standardisation_agrees_with_the_printed_formula(strata):
    x, n, w = np.array(strata, dtype=float).T
    got = direct(x, n, w)
    expected = dobson_by_hand(x.tolist(), n.tolist(), w.tolist(), 100_000)
    assert [float(v) for v in got] == pytest.approx(list(expected), rel=1e-9)


def test_the_standards_own_ages_leave_a_rate_as_it_is():
    weights = esp_2013([0, 65])
    # Each group's rate is 2 %, whatever the ages: so is the standardised one.
    got = dobson([[100, 10]], [[5000, 500]], weights, multiplier=1000)
    assert got.value == pytest.approx([20.0])
    # If the people are the standard population itself the interval is Byar's for all events.
    x = np.array([800.0, 200.0])
    got = dobson(x, weights, weights, multiplier=100_000)
    lower, upper = byar(1000)
    assert float(got.value) == pytest.approx(1000)
    assert 0.9 * (upper - lower) < float(got.upper - got.lower) < 1.1 * (upper - lower)


def test_fewer_than_ten_events_a_missing_or_an_empty_group_give_no_rate():
    weights = [3000.0, 1000.0]
    x = pa.array([4, 5]), pa.array([5, 5]), pa.array([50, None]), pa.array([50, 50])
    n = [900, 300], [900, 300], [900, 300], [900, 0]
    got = [dobson(a, b, weights) for a, b in zip(x, n, strict=True)]
    assert [bool(np.isnan(r.value)) for r in got] == [True, False, True, True]
    assert [bool(np.isnan(r.lower)) for r in got] == [True, False, True, True]
    assert [bool(np.isnan(r.upper)) for r in got] == [True, False, True, True]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0], "strata"),
        ([1.0, 0.0], "1 weights are missing or not above zero"),
        ([1.0, None], "1 weights are missing or not above zero"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, words):
    with pytest.raises(LsoalinkError, match=words):
        dobson([10, 20], [100, 200], weights)


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
def test_standardised_rates_grow_with_the_numerator(x, more):
    rates = dobson([[x, 20], [x + more, 20]], [[500, 300]] * 2, [3.0, 1.0])
    assert rates.value[0] <= rates.value[1]
    assert rates.lower[0] <= rates.value[0] <= rates.upper[0]


def test_observed_against_expected_by_hand():
    # 1,000 people at 2 in 100 and 500 at 4 in 100 would have 20 + 20 = 40 events.
    got = indirect([50, 40, None], [[1000, 500]] * 3, [0.02, 0.04], multiplier=100)
    assert got.expected == pytest.approx([40, 40, 40])
    assert got.ratio[:2] == pytest.approx([125, 100])
    lower, upper = byar(50)
    assert got.lower[0] == pytest.approx(100 * lower / 40)
    assert got.upper[0] == pytest.approx(100 * upper / 40)
    assert got.lower[1] < 100 < got.upper[1]
    assert np.isnan([got.ratio[2], got.lower[2], got.upper[2]]).all()


def test_the_acceptance_vector_of_five_events():
    # Exact limits of 5 are 1.6235 and 11.6683; against 10 expected they are a tenth of that.
    got = observed_ratio([5, 0], [10, 10])
    assert got.lower == pytest.approx([0.16235, 0], abs=1e-5)
    assert got.upper[0] == pytest.approx(1.16683, abs=1e-5)


def test_nothing_expected_or_a_missing_group_gives_no_ratio():
    assert np.isnan(observed_ratio([3], [0]).value).all()
    assert np.isnan(expected_events([[100, None]], [0.1, 0.2])).all()
    with pytest.raises(LsoalinkError, match="strata"):
        expected_events([[100, 200]], [0.1])
    with pytest.raises(LsoalinkError, match="below zero"):
        expected_events([[100, 200]], [0.1, -0.1])
