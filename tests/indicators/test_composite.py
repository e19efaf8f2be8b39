"""Composite indices: the transformation, the weights, and what missing inputs do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from declarations.errors import ConfigurationError
from declarations.indicators import Component
from indicators.composite import average_ranks, composite, rank_exponential

NAN = np.nan


def part(indicator, component="one", weight=1.0, worse="high"):
    return Component(
        indicator=indicator, component=component, weight=weight, worse=worse, rationale="test"
    )


def exponential(share):
    """The published formula, R in (0, 1]."""
    return -23 * np.log(1 - share * (1 - np.exp(-100 / 23)))


def test_the_worst_area_scores_100_and_a_tenth_score_above_50():
    scores = rank_exponential(np.arange(1, 1001), 1000)
    assert scores[-1] == pytest.approx(100)
    assert scores[0] > 0
    assert np.all(np.diff(scores) > 0)
    assert np.mean(scores > 50) == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("rank", [0, 11])
def test_a_rank_outside_the_range_is_refused(rank):
    with pytest.raises(ConfigurationError, match="outside 1 to 10"):
        rank_exponential([rank], 10)


@given(st.lists(st.one_of(st.integers(-5, 5).map(float), st.just(NAN)), min_size=1, max_size=40))
def test_ranks_share_ties_and_leave_gaps_out(values):
    array = np.array(values)
    known = ~np.isnan(array)
    got = average_ranks(array)
    assert np.isnan(got[~known]).all()
    np.testing.assert_array_equal(got[known], rankdata(array[known]))


def test_each_input_is_turned_so_that_its_worse_end_is_high():
    high = composite({"A01": [1, 2, 3, 4]}, [part("A01")])
    low = composite({"A01": [1, 2, 3, 4]}, [part("A01", worse="low")])
    np.testing.assert_allclose(high.scores, [exponential(r) for r in (0.25, 0.5, 0.75, 1)])
    np.testing.assert_array_equal(low.scores, high.scores[::-1])
    assert high.ranks.tolist() == [4, 3, 2, 1]


def test_weights_hold_within_and_over_components():
    values = {"A01": [1, 2], "A02": [2, 1], "A03": [1, 2]}
    parts = [
        part("A01", "need", 3), part("A02", "need", 1), part("A03", "use", 4, "low"),
    ]  # fmt: skip
    best, worst = exponential(0.5), exponential(1.0)
    result = composite(values, parts)
    need = [(3 * best + worst) / 4, (3 * worst + best) / 4]
    use = [worst, best]
    np.testing.assert_allclose(result.component_scores["need"], need)
    np.testing.assert_allclose(result.component_scores["use"], use)
    np.testing.assert_allclose(
        result.scores, [(4 * n + 4 * u) / 8 for n, u in zip(need, use, strict=True)]
    )
    assert result.weight_present.tolist() == [1, 1]


def test_a_bad_input_is_not_cancelled_by_a_good_one():
    middle = np.arange(1, 102, dtype=float)
    mixed = np.array([*middle, 1000.0, 0.0])
    other = np.array([*middle, 0.0, 1000.0])
    scores = composite({"A01": mixed, "A02": other}, [part("A01"), part("A02")]).scores
    assert scores[-2] > scores[50]


@pytest.mark.parametrize(
    ("weights", "scored"), [((1.0, 3.0), False), ((1.0, 1.0), True), ((3.0, 1.0), True)]
)
def test_less_than_half_of_the_weight_gives_no_score(weights, scored):
    values = {"A01": [1.0, 2.0, 3.0], "A02": [1.0, 2.0, NAN]}
    result = composite(values, [part("A01", "skills", weights[0]), part("A02", "need", weights[1])])
    assert np.isfinite(result.scores[2]) == scored
    assert np.isfinite(result.ranks[2]) == scored
    assert result.weight_present[2] == weights[0] / sum(weights)
    if scored:
        assert result.scores[2] == pytest.approx(exponential(1.0))
    assert np.isnan(result.component_scores["need"][2])


def test_half_present_is_enough_whatever_the_rounding_of_the_weights():
    parts = [part(f"A0{i}", "need", w) for i, w in enumerate((0.1, 0.2, 0.3, 0.6), start=1)]
    values = {"A01": [1.0, 2], "A02": [1.0, 2], "A03": [1.0, 2], "A04": [1.0, NAN]}
    assert np.isfinite(composite(values, parts).scores).all()


@pytest.mark.filterwarnings("error")
def test_an_input_nobody_has_is_left_out():
    values = {"A01": [1.0, 2.0], "A02": [NAN, NAN]}
    result = composite(values, [part("A01"), part("A02")])
    np.testing.assert_allclose(result.scores, [exponential(0.5), exponential(1.0)])


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(*[st.one_of(st.integers(0, 6).map(float), st.just(NAN))] * 3),
        min_size=1, max_size=30,
    ),
    st.randoms(),
)  # fmt: skip
def test_row_order_and_monotone_changes_of_an_input_change_nothing(rows, random):
    parts = [part("A01", "need", 2), part("A02", "need", 1, "low"), part("A03", "use", 1.5)]
    table = np.array(rows)
    columns = {f"A0{i + 1}": table[:, i] for i in range(3)}
    result = composite(columns, parts)
    finite = result.scores[np.isfinite(result.scores)]
    assert np.all((finite > 0) & (finite <= 100 + 1e-9))

    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = composite({k: v[order] for k, v in columns.items()}, parts)
    np.testing.assert_array_equal(shuffled.scores, result.scores[order])
    np.testing.assert_array_equal(shuffled.ranks, result.ranks[order])

    stretched = composite({k: np.exp(v) for k, v in columns.items()}, parts)
    np.testing.assert_array_equal(stretched.scores, result.scores)


def test_a_worse_input_never_lowers_the_score():
    rng = np.random.default_rng(7)
    values = {"A01": rng.normal(size=50), "A02": rng.normal(size=50)}
    parts = [part("A01"), part("A02", worse="low")]
    before = composite(values, parts)
    worse = {**values, "A01": values["A01"].copy()}
    worse["A01"][10] += 5
    after = composite(worse, parts)
    assert after.scores[10] >= before.scores[10]
    assert after.ranks[10] <= before.ranks[10]


@pytest.mark.parametrize(
    ("values", "parts", "words"),
    [
        ({"A01": [1.0]}, [part("A01"), part("A02")], "A02"),
        ({"A01": [1.0], "A02": [1.0, 2.0]}, [part("A01"), part("A02")], "length"),
        ({}, [], "none declared"),
    ],
)
def test_unfit_inputs_are_refused(values, parts, words):
    with pytest.raises(ConfigurationError, match=words):
        composite(values, parts)
