"""A median read from shares of cases up to several limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import LsoalinkError
from indicators.intervals import wilson
from indicators.statistics.medians import median_from_shares

pytestmark = pytest.mark.filterwarnings("error")

LIMITS = [14, 28, 84]


@pytest.mark.parametrize(
    ("x", "median"),
    [
        ([20, 50, 90], 28.0),  # half exactly at 28 days
        ([20, 60, 90], 14 + 14 * 30 / 40),  # 30 of the 40 between 14 and 28
        ([80, 90, 95], 14 * 50 / 80),  # before the first limit
        ([10, 20, 70], 28 + 56 * 30 / 50),
        ([10, 20, 40], np.nan),  # longer than 84 days
        ([None, 20, 70], 28 + 56 * 30 / 50),  # a limit passed over
        ([20, None, 70], 14 + 70 * 30 / 50),
        ([30, 25, 70], 28 + 56 * 20 / 40),  # rounding put 28 days below 14
        ([None, None, None], np.nan),
    ],
)
def test_medians_of_a_hundred_cases(x, median):
    got = median_from_shares([x], [[100] * 3], LIMITS)
    assert got.value[0] == pytest.approx(median, nan_ok=True)


def test_the_interval_is_where_the_limits_of_the_shares_reach_a_half():
    x = np.array([[20, 60, 90]])
    got = median_from_shares(x, np.full((1, 3), 100), LIMITS)
    lower, upper = wilson(x, np.full((1, 3), 100))
    # The upper limits pass a half between 14 and 28 days, and so do the lower ones.
    (u1, u2, _), (l1, l2, _) = upper[0], lower[0]
    assert u1 < 0.5 < l2
    assert got.lower[0] == pytest.approx(14 + 14 * (0.5 - u1) / (u2 - u1))
    assert got.upper[0] == pytest.approx(14 + 14 * (0.5 - l1) / (l2 - l1))


def test_an_upper_limit_beyond_the_last_limit_is_missing():
    got = median_from_shares([[5, 8, 11]], [[20] * 3], LIMITS)
    assert not np.isnan(got.value[0])
    assert np.isnan(got.upper[0])


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=3, max_size=3), st.integers(0, 2))
def test_more_cases_up_to_a_limit_never_lengthen_the_median(x, place):
    cases = np.sort(np.array(x))
    more = cases.copy()
    more[place:] = np.minimum(more[place:] + 3, 63)
    got = median_from_shares([cases, more], [[63] * 3] * 2, LIMITS)
    first, second = np.nan_to_num(got.value, nan=np.inf)
    assert second <= first + 1e-9


def test_hostile_inputs():
    assert median_from_shares(np.zeros((0, 3)), np.zeros((0, 3)), LIMITS).value.shape == (0,)
    assert np.isnan(median_from_shares([[0, 0, 0]], [[0, 0, 0]], LIMITS).value).all()
    for limits in ([14, 14, 28], [0, 14, 28], [28, 14, 84]):
        with pytest.raises(LsoalinkError, match="limits"):
            median_from_shares([[1, 2, 3]], [[5] * 3], limits)
    with pytest.raises(LsoalinkError, match="limits"):
        median_from_shares([[1, 2, 3]], [[5] * 3], [14, 28])
