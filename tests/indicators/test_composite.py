"""Composite indices: normalisation, weights, aggregation, and what missing inputs do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, zscore

from declarations.errors import ConfigurationError
from declarations.indices import IndexMethod
from indicators.composite import Part, Recipe, average_ranks, compose, rank_exponential, recipe_of

NAN = math.nan


def part(name, component="one", weight=1.0, worse="high"):
    return Part(name, component, weight, worse)


def recipe(*parts, **more):
    weights: dict[str, float] = {}
    for p in parts:
        weights[p.component] = weights.get(p.component, 0) + p.weight
    return Recipe(parts, more.pop("components", weights), **more)


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


# An index of two parts, by hand. Need: inputs a (weight 3) and b (weight 1). Use: input c, whose
# low end is the worse. Min-max scores of 0, 5 and 10 are easy to follow.
#            a   b   c     need                  use   index (need 1, use 3)
SPECIFIED = [
    ("all", (0, 10, 10), (3 * 0 + 1 * 10) / 4, 0, (2.5 + 3 * 0) / 4),
    ("all", (5, 0, 5), (3 * 5 + 1 * 0) / 4, 5, (3.75 + 3 * 5) / 4),
    ("all", (10, 5, 0), (3 * 10 + 1 * 5) / 4, 10, (8.75 + 3 * 10) / 4),
    ("no b: a has all of need", (10, NAN, 0), 10, 10, (10 + 3 * 10) / 4),
    ("no c: need has all of the index", (5, 5, NAN), 5, NAN, NAN),
    ("no a, no b: use has all of the index", (NAN, NAN, 0), NAN, 10, 10),
    ("nothing", (NAN, NAN, NAN), NAN, NAN, NAN),
]


def test_an_index_by_hand():
    """The fifth area lacks three quarters of the weight, so that it has parts and no index."""
    rows = [r[1] for r in SPECIFIED]
    values = {name: [row[i] for row in rows] for i, name in enumerate("abc")}
    found = compose(
        recipe(
            part("a", "need", 3), part("b", "need", 1), part("c", "use", 7, "low"),
            components={"need": 1.0, "use": 3.0}, normalisation="min_max", scale=10,
        ),
        values,
    )  # fmt: skip
    for i, (what, _, need, use, index) in enumerate(SPECIFIED):
        got = (found.component_scores["need"][i], found.component_scores["use"][i], found.scores[i])
        assert got == pytest.approx((need, use, index), nan_ok=True), what
    assert found.weight_present.tolist() == pytest.approx([1, 1, 1, 15 / 16, 0.25, 0.75, 0])


def test_each_input_is_turned_so_that_its_worse_end_is_high():
    high = compose(recipe(part("A01")), {"A01": [1, 2, 3, 4]})
    low = compose(recipe(part("A01", worse="low")), {"A01": [1, 2, 3, 4]})
    np.testing.assert_allclose(high.scores, [exponential(r) for r in (0.25, 0.5, 0.75, 1)])
    np.testing.assert_array_equal(low.scores, high.scores[::-1])
    assert high.ranks.tolist() == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("arithmetic", (9 * 4 + 1 * 1) / 10),
        ("equal_components", (4 + 1) / 2),
        ("geometric", (4**9 * 1) ** 0.1),
    ],
)
def test_components_are_joined_as_declared(aggregation, expected):
    # The middle area has 4 and 1 on a scale of 0 to 10.
    found = compose(
        recipe(
            part("A01", "need"), part("A02", "use"), components={"need": 9.0, "use": 1.0},
            normalisation="min_max", scale=10, aggregation=aggregation,
        ),
        {"A01": [0, 4, 10], "A02": [10, 1, 0]},
    )  # fmt: skip
    assert found.scores[1] == pytest.approx(expected)


def test_a_part_without_any_risk_does_not_make_a_geometric_index_0():
    found = compose(
        recipe(part("A01", "need"), part("A02", "use"), normalisation="min_max",
               aggregation="geometric"),
        {"A01": [0, 100], "A02": [100, 0]},
    )  # fmt: skip
    assert found.scores.tolist() == pytest.approx([10, 10])  # The root of 1 times 100.


def test_standard_scores_are_cut_at_three_deviations():
    values = np.array([*([0.0] * 10), *([1.0] * 10), 100.0])
    found = compose(recipe(part("A01"), normalisation="z_score"), {"A01": values})
    expected = 50 + 100 / 6 * np.clip(zscore(values), -3, 3)
    np.testing.assert_allclose(found.scores, expected)
    assert found.scores[-1] == 100


@pytest.mark.parametrize("normalisation", ["min_max", "z_score"])
def test_an_input_that_is_the_same_everywhere_gives_half_the_scale(normalisation):
    found = compose(recipe(part("A01"), normalisation=normalisation), {"A01": [7, 7, NAN]})
    assert found.scores.tolist() == pytest.approx([50, 50, NAN], nan_ok=True)
    assert found.ranks.tolist() == pytest.approx([1.5, 1.5, NAN], nan_ok=True)


def test_areas_can_be_compared_within_their_district():
    values = {"A01": [1, 2, 30, 10, 20, 5]}
    districts = [0, 0, 1, 1, 1, 2]
    found = compose(recipe(part("A01"), within_district=True), values, districts)
    shares = [1 / 2, 1, 1, 1 / 3, 2 / 3, 1]
    np.testing.assert_allclose(found.scores, [exponential(r) for r in shares])
    scaled = compose(
        recipe(part("A01"), within_district=True, normalisation="min_max"), values, districts
    )
    np.testing.assert_allclose(scaled.scores, [0, 100, 100, 0, 50, 50])
    with pytest.raises(ConfigurationError, match="within their district"):
        compose(recipe(part("A01"), within_district=True), values)


def test_a_bad_input_is_not_cancelled_by_a_good_one():
    middle = np.arange(1, 102, dtype=float)
    mixed = np.array([*middle, 1000.0, 0.0])
    other = np.array([*middle, 0.0, 1000.0])
    scores = compose(recipe(part("A01"), part("A02")), {"A01": mixed, "A02": other}).scores
    assert scores[-2] > scores[50]


@pytest.mark.parametrize(
    ("weights", "scored"), [((1.0, 3.0), False), ((1.0, 1.0), True), ((3.0, 1.0), True)]
)
def test_less_than_half_of_the_weight_gives_no_score(weights, scored):
    values = {"A01": [1.0, 2.0, 3.0], "A02": [1.0, 2.0, NAN]}
    result = compose(recipe(part("A01", "skills", weights[0]), part("A02", "need", weights[1])),
                     values)  # fmt: skip
    assert np.isfinite(result.scores[2]) == scored
    assert np.isfinite(result.ranks[2]) == scored
    assert result.weight_present[2] == weights[0] / sum(weights)


def test_half_present_is_enough_whatever_the_rounding_of_the_weights():
    parts = [part(f"A0{i}", "need", w) for i, w in enumerate((0.1, 0.2, 0.3, 0.6), start=1)]
    values = {"A01": [1.0, 2], "A02": [1.0, 2], "A03": [1.0, 2], "A04": [1.0, NAN]}
    assert np.isfinite(compose(recipe(*parts), values).scores).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("normalisation", ["rank_exponential", "min_max", "z_score"])
@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric"])
def test_an_input_nobody_has_is_left_out(normalisation, aggregation):
    values = {"A01": [1.0, 2.0], "A02": [NAN, NAN]}
    both = compose(
        recipe(part("A01"), part("A02"), normalisation=normalisation, aggregation=aggregation),
        values,
    )
    alone = compose(
        recipe(part("A01"), normalisation=normalisation, aggregation=aggregation), values
    )
    np.testing.assert_allclose(both.scores, alone.scores)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("normalisation", ["rank_exponential", "min_max", "z_score"])
@pytest.mark.parametrize("values", [[], [NAN, NAN], [3.0]])
def test_hardly_any_areas_are_no_error(normalisation, values):
    found = compose(recipe(part("A01"), normalisation=normalisation), {"A01": values})
    assert np.isfinite(found.scores).tolist() == [not math.isnan(v) for v in values]


ROWS = st.lists(
    st.tuples(*[st.one_of(st.integers(0, 6).map(float), st.just(NAN))] * 3),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    ROWS, st.randoms(), st.sampled_from(["rank_exponential", "min_max", "z_score"]),
    st.sampled_from(["arithmetic", "geometric", "equal_components"]),
)  # fmt: skip
def test_the_order_of_rows_and_of_inputs_changes_nothing(rows, dice, normalisation, aggregation):
    parts = [part("A01", "need", 2), part("A02", "need", 1, "low"), part("A03", "use", 1.5)]
    how = {"normalisation": normalisation, "aggregation": aggregation}
    table = np.array(rows)
    columns = {f"A0{i + 1}": table[:, i] for i in range(3)}
    result = compose(recipe(*parts, **how), columns)
    finite = result.scores[np.isfinite(result.scores)]
    assert np.all((finite >= 0) & (finite <= 100 + 1e-9))

    order = list(range(len(rows)))
    dice.shuffle(order)
    shuffled = compose(recipe(*parts, **how), {k: v[order] for k, v in columns.items()})
    np.testing.assert_array_equal(shuffled.scores, result.scores[order])
    np.testing.assert_array_equal(shuffled.ranks, result.ranks[order])

    renamed = compose(recipe(parts[1], parts[0], parts[2], **how), columns)
    np.testing.assert_allclose(renamed.scores, result.scores)


@given(ROWS)
@settings(max_examples=30, deadline=None)
def test_ranks_do_not_care_about_the_unit_of_an_input(rows):
    table = np.array(rows)
    columns = {f"A0{i + 1}": table[:, i] for i in range(3)}
    of = recipe(part("A01", "need", 2), part("A02", "need", 1, "low"), part("A03", "use", 1.5))
    stretched = compose(of, {k: np.exp(v) for k, v in columns.items()})
    np.testing.assert_array_equal(stretched.scores, compose(of, columns).scores)


@pytest.mark.parametrize("normalisation", ["rank_exponential", "min_max"])
def test_a_worse_input_never_lowers_the_rank(normalisation):
    rng = np.random.default_rng(7)
    values = {"A01": rng.normal(size=50), "A02": rng.normal(size=50)}
    of = recipe(part("A01"), part("A02", worse="low"), normalisation=normalisation)
    before = compose(of, values)
    worse = {**values, "A01": values["A01"].copy()}
    worse["A01"][10] += 5
    assert compose(of, worse).ranks[10] <= before.ranks[10]


@pytest.mark.parametrize(
    ("values", "parts", "words"),
    [
        ({"A01": [1.0]}, [part("A01"), part("A02")], "A02"),
        ({"A01": [1.0], "A02": [1.0, 2.0]}, [part("A01"), part("A02")], "length"),
        ({}, [], "no inputs"),
    ],
)
def test_unfit_inputs_are_refused(values, parts, words):
    with pytest.raises(ConfigurationError, match=words):
        compose(recipe(*parts), values)


def test_a_declared_method_becomes_the_same_rules():
    method = IndexMethod.model_validate(
        {
            "components": [
                {"name": "need", "title": "Need", "weight": 1, "rationale": "r", "inputs": [
                    {"indicator": "A01", "weight": 3, "worse": "high", "rationale": "r"},
                    {"indicator": "A02", "weight": 1, "worse": "low", "rationale": "r"}]},
                {"name": "use", "title": "Use", "weight": 3, "rationale": "r", "inputs": [
                    {"indicator": "A03", "weight": 5, "worse": "high", "rationale": "r"}]},
            ],
            "normalisation": "min_max", "reference_area": "district", "scale": 10,
            "missing": {"weights": "no_score"}, "weights_agreed": "nobody",
        }
    )  # fmt: skip
    rules = recipe_of(method)
    assert rules.least_weight == 1
    assert rules.within_district
    shares = rules.input_weights * rules.component_weights[rules.component_of]
    assert dict(zip(rules.names, shares.tolist(), strict=True)) == pytest.approx(method.shares)


def test_changes_of_an_index_keep_the_weights_of_all_else():
    of = recipe(part("A01", "need", 3), part("A02", "need", 1), part("A03", "use", 4))
    doubled = of.with_weight_doubled("A01")
    weights = doubled.input_weights * doubled.component_weights[doubled.component_of]
    assert weights.tolist() == pytest.approx([6 / 11, 1 / 11, 4 / 11])
    assert of.without_input("A03").component_names == ["need"]
    assert of.without_component("need").names == ["A03"]
