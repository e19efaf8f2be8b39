"""Ranks, groups and the indices of inequality."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import LsoalinkError
from indicators.statistics.inequality import ridits, slope_index, weighted_groups
from indicators.statistics.pooling import pooled_rates, pooled_shares
from indicators.statistics.protected import Within

pytestmark = pytest.mark.filterwarnings("error")


def test_ridits_by_hand():
    # 100 of 400 people score 1: they stand at 50/400. The two areas that score 2 share 200 people
    # in the middle of ranks 100 to 300; the last 100 stand at 350/400.
    assert ridits([2, 1, 3, 2], [150, 100, 100, 50]).tolist() == [0.5, 0.125, 0.875, 0.5]


def test_areas_with_one_score_are_never_parted():
    # The three that tie hold 60 % of the people: their middle, 0.5, is in the third fifth.
    assert weighted_groups([1, 5, 5, 5, 9], [20] * 5, 5).tolist() == [1, 3, 3, 3, 5]
    assert weighted_groups([7, 7], [10, 10], 5).tolist() == [3, 3]


def test_an_area_without_score_or_people_counts_for_nothing():
    assert weighted_groups([1, None, 2, 3], [10, 10, None, 10], 2).tolist() == [1, 0, 0, 2]
    assert ridits([], []).shape == (0,)
    assert np.isnan(ridits([1, 2], [0, 0])).all()
    with pytest.raises(LsoalinkError, match="two groups"):
        weighted_groups([1], [1], 1)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 500)), min_size=1, max_size=40),
    st.randoms(),
)
def test_groups_follow_the_score_whatever_the_order(pairs, random):
    score, people = np.array(pairs, dtype=float).T
    groups = weighted_groups(score, people, 5)
    shuffled = list(range(len(pairs)))
    random.shuffle(shuffled)
    np.testing.assert_array_equal(
        groups[shuffled], weighted_groups(score[shuffled], people[shuffled], 5)
    )
    order = np.argsort(score)
    assert np.all(np.diff(groups[order]) >= 0)
    assert ((groups >= 1) & (groups <= 5)).all()


def test_a_perfect_line_by_hand():
    # Rates of 10 at rank 0 to 30 at rank 1, on the line at each of four ranks.
    people = np.full(4, 100.0)
    rank = ridits([1, 2, 3, 4], people)
    got = slope_index(rank, people, 10 + 20 * rank, np.ones(4))
    assert [float(v) for v in (got.sii, got.rii)] == pytest.approx([20, 3])
    # Ranks are 1/8, 3/8, 5/8 and 7/8: Σ (rank - ½)² = 5/16, so that var b = 1 / (5/16) = 3.2.
    assert float(got.sii_upper - got.sii) == pytest.approx(1.959964 * np.sqrt(3.2), rel=1e-6)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1, 50), st.floats(1, 900), st.floats(0.01, 4)), min_size=2, max_size=10
    )
)
def test_slope_agrees_with_weighted_least_squares(rows):
    values, people, variances = np.array(rows).T
    rank = ridits(np.arange(len(rows)), people)
    got = slope_index(rank, people, values, variances)
    design = np.column_stack([np.ones_like(rank), rank])
    weight = np.diag(people)
    project = np.linalg.solve(design.T @ weight @ design, design.T @ weight)
    start, slope = project @ values
    spread = project @ np.diag(variances) @ project.T
    assert float(got.sii) == pytest.approx(slope, rel=1e-5, abs=1e-6)
    error = float(got.sii_upper - got.sii) / 1.959963985
    assert error**2 == pytest.approx(spread[1, 1], rel=1e-5)
    if start > 1e-3 and start + slope > 1e-3:
        assert float(got.rii) == pytest.approx((start + slope) / start, rel=1e-3)
        assert got.rii_lower <= got.rii <= got.rii_upper
    elif start + slope < -1e-3 or start < -1e-3:
        assert np.isnan(got.rii)


def test_the_interval_is_where_a_simulation_of_normal_values_puts_it():
    # OHID's own way: draw the groups' rates, fit each draw, take the middle 95 %.
    draws = np.random.default_rng(20261116)
    people = np.linspace(500, 900, 10)
    rank = ridits(np.arange(10), people)
    values, variances = 30 + 25 * rank + np.sin(np.arange(10)), np.linspace(2, 5, 10)
    got = slope_index(rank, people, values, variances)
    drawn = slope_index(
        rank,
        people,
        draws.normal(values, np.sqrt(variances), (20_000, 10)),
        np.zeros(10)[None] + np.zeros((20_000, 1)),
    )
    simulated = np.quantile(drawn.sii, [0.025, 0.975])
    assert simulated == pytest.approx([float(got.sii_lower), float(got.sii_upper)], abs=0.15)
    simulated = np.quantile(drawn.rii, [0.025, 0.975])
    assert simulated == pytest.approx([float(got.rii_lower), float(got.rii_upper)], abs=0.03)


def test_lines_that_cannot_be_drawn():
    for rank, people in (([0.5, 0.5], [1, 1]), ([0.2, 0.7], [1, 0]), ([0.2, None], [1, 1])):
        with pytest.raises(LsoalinkError, match="two groups"):
            slope_index(rank, people, [1, 2], [1, 1])
    with pytest.raises(LsoalinkError, match="groups"):
        slope_index([0.2, 0.7], [1, 1], [1, 2, 3], [1, 1, 1])
    assert np.isnan(slope_index([0.2, 0.7], [1, 1], [1, None], [1, 1]).sii)


def test_pooled_figures_of_exact_counts_are_sums():
    groups = ["b", "a", "b"]
    rates = pooled_rates([10, 5, 30], [1000, 500, 1000], groups)
    assert rates.value == pytest.approx([0.01, 0.02])
    assert rates.variance == pytest.approx([0.01 / 500, 0.02 / 2000])
    shares = pooled_shares([10, 5, 30], [100, 50, 100], groups)
    assert shares.value == pytest.approx([0.1, 0.2])
    assert shares.variance == pytest.approx([0.1 * 0.9 / 50, 0.2 * 0.8 / 200])


def test_pooled_figures_take_hidden_counts_in_and_know_less():
    draws = np.random.default_rng(20261116)
    people = np.full(400, 600.0)
    estimates, variances = [], []
    for _ in range(60):
        x = draws.poisson(people * 0.008).astype(float)
        within = Within(np.where(x < 5, 0, x), np.where(x < 5, 4, x))
        got = pooled_rates(np.where(x < 5, np.nan, x), people, np.zeros(400), within=within)
        estimates.append(float(got.value[0]))
        variances.append(float(got.variance[0]))
    assert np.mean(estimates) == pytest.approx(0.008, rel=0.01)
    exact = 0.008 / people.sum()
    assert np.mean(variances) > 1.05 * exact
    # Sixty samples tell a variance to within about a fifth.
    assert np.var(estimates, ddof=1) == pytest.approx(np.mean(variances), rel=0.5)


def test_a_group_that_shows_nothing_has_no_figure():
    within = Within(np.zeros(2), np.full(2, 4.0))
    for function in (pooled_rates, pooled_shares):
        got = function([None, None], [500, 500], ["a", "a"], within=within)
        assert np.isnan(got.value).all()
        assert np.isnan(got.variance).all()
