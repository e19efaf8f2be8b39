"""Draws of a whole index: against a slow one written out plainly, and what must never change it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.stats import kendalltau, rankdata

from declarations.errors import ConfigurationError
from declarations.indices import Uncertainty
from indicators.composite import Part, Recipe, compose
from indicators.composite.draws import DrawInput, simulate
from indicators.composite.normalising import NORMALISATIONS, normalise
from indicators.composite.posteriors import curve, rate_moments, share_moments
from indicators.composite.prepared import prepare
from indicators.composite.reference import reference_method
from indicators.composite.sensitivity import sensitivity
from indicators.composite.summaries import class_of, ranks_of

FIELDS = ("score_low", "score_high", "rank_low", "rank_high", "p_worst_fifth")
RECIPE = Recipe(
    (
        Part("A01", "need", 2, "high"),
        Part("A02", "need", 1, "low"),
        Part("A03", "use", 1, "high"),
        Part("A04", "use", 1, "high"),
    ),
    {"need": 3.0, "use": 2.0},
)


def made_up(areas=60, seed=1, missing=0.1):
    """Two shares, a rate for groups of three areas, and a statistic; some missing."""
    rng = np.random.default_rng(seed)
    need = rng.normal(size=areas)
    counts = {}
    for name, units in (("A01", areas), ("A02", areas), ("A03", -(-areas // 3))):
        n = rng.integers(200, 900, units).astype(float)
        x = rng.binomial(n.astype(int), 0.3 / (1 + np.exp(-need[:units]))).astype(float)
        x[rng.random(units) < missing] = np.nan
        counts[name] = (x, n)
    return counts, need + rng.normal(size=areas)


def inputs_of(counts, statistic):
    areas = len(statistic)
    drawn = {"A04": DrawInput(statistic)}
    for name, (x, n) in counts.items():
        of_area = np.arange(areas) if name != "A03" else np.arange(areas) // 3
        known = ~np.isnan(x)
        moments = (rate_moments if name == "A03" else share_moments)(x[known], n[known])
        place = np.where(known, np.cumsum(known) - 1, -1)
        drawn[name] = DrawInput((x / n)[of_area], curve(moments), place[of_area])
    return drawn


def point_of(inputs, recipe=RECIPE, groups=None):
    return compose(recipe, {name: d.values for name, d in inputs.items()}, groups)


def codes_of(areas):
    return np.array([f"E{i:08d}" for i in range(areas)])


def simulated(inputs, recipe=RECIPE, **more):
    areas = len(inputs["A04"].values)
    uncertainty = more.pop("uncertainty", Uncertainty(draws=300))
    point = point_of(inputs, recipe, more.get("groups"))
    return simulate(recipe, inputs, uncertainty, codes_of(areas), point, **more)


def drawn_exactly(counts, draws):
    """Every input in every draw, from scipy's posteriors."""
    rng = np.random.default_rng(99)
    found = {}
    for name, (x, n) in counts.items():
        known = ~np.isnan(x)
        a, whole = x[known] + 0.5, n[known]
        posterior = (
            stats.gamma(a, scale=1 / whole) if name == "A03" else stats.beta(a, whole - a + 1)
        )
        found[name] = np.full((draws, x.size), np.nan)
        found[name][:, known] = posterior.rvs(size=(draws, a.size), random_state=rng)
    return found


def slow(counts, statistic, uncertainty, scored):
    """Scores and ranks of the areas with a score, draw after draw."""
    rng = np.random.default_rng(98)
    areas, k = len(statistic), uncertainty.weight_concentration
    shares = dict(zip(RECIPE.names, RECIPE.input_weights, strict=True))
    drawn = drawn_exactly(counts, uncertainty.draws)
    scores, ranks = [], []
    for draw in range(uncertainty.draws):
        kind = NORMALISATIONS[draw % 3 if uncertainty.vary_normalisation else 0]
        values = {name: rows[draw] for name, rows in drawn.items()}
        values |= {"A03": values["A03"][np.arange(areas) // 3], "A04": statistic}
        outer = rng.dirichlet(k * np.array(RECIPE.component_weights))
        total, present = np.zeros(areas), np.zeros(areas)
        for weight, component in zip(outer, RECIPE.component_names, strict=True):
            mine = [p for p in RECIPE.inputs if p.component == component]
            inner = rng.dirichlet([k * shares[p.name] for p in mine])
            above, below = np.zeros(areas), np.zeros(areas)
            for part, share in zip(mine, inner, strict=True):
                turned = values[part.name] * (1 if part.worse == "high" else -1)
                score = normalise(turned, kind, RECIPE.scale)
                known = ~np.isnan(score)
                above[known] += share * score[known]
                below[known] += share
            some = below > 0
            total[some] += weight * above[some] / below[some]
            present[some] += weight
        score = (total / present)[scored]
        if kind == "rank_exponential":
            scores.append(score)
        ranks.append(rankdata(-score))
    return np.array(scores), np.array(ranks)


@pytest.mark.parametrize("vary", [False, True])
def test_fast_draws_say_what_slow_exact_ones_say(vary):
    """Both make 3,000 draws: chances agree to 0.05, the ends of intervals to about a place."""
    counts, statistic = made_up()
    uncertainty = Uncertainty(draws=3000, vary_normalisation=vary)
    inputs = inputs_of(counts, statistic)
    scored = ~np.isnan(point_of(inputs).scores)
    fast = simulated(inputs, uncertainty=uncertainty)
    scores, ranks = slow(counts, statistic, uncertainty, scored)
    chance = (ranks <= np.ceil(scored.sum() / 5)).mean(axis=0)
    differ = np.abs(fast.p_worst_fifth[scored] - chance)
    assert np.max(differ) < 0.05
    assert np.mean(differ) < 0.01
    low, high = np.quantile(ranks, [0.05, 0.95], axis=0)
    assert np.mean(np.abs(fast.rank_low[scored] - low)) < 0.5
    assert np.mean(np.abs(fast.rank_high[scored] - high)) < 0.5
    low, high = np.quantile(scores, [0.025, 0.975], axis=0)
    width = np.mean(high - low)
    # A few intervals are widened to the area's own score.
    assert np.median(np.abs(fast.score_low[scored] - low)) < 0.05 * width
    assert np.median(np.abs(fast.score_high[scored] - high)) < 0.05 * width


@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric", "equal_components"])
@pytest.mark.parametrize("within", [False, True])
def test_the_result_has_the_same_bytes_whatever_threads_and_order(aggregation, within):
    counts, statistic = made_up()
    inputs = inputs_of(counts, statistic)
    areas = len(statistic)
    recipe = Recipe(
        RECIPE.inputs, RECIPE.components, aggregation=aggregation, within_district=within
    )
    # Groups of 3 areas share a unit, which lies in one district.
    groups = (np.arange(areas) // 3) % 4
    one = simulated(inputs, recipe, groups=groups, threads=1)
    two = simulated(inputs, recipe, groups=groups, threads=4)
    order = np.random.default_rng(3).permutation(areas)
    turned = {
        name: DrawInput(d.values[order], d.curve, None if d.unit is None else d.unit[order])
        for name, d in inputs.items()
    }
    point = point_of(turned, recipe, groups[order])
    third = simulate(
        recipe, turned, Uncertainty(draws=300), codes_of(areas)[order], point, groups=groups[order]
    )
    for field in FIELDS:
        assert getattr(one, field).tobytes() == getattr(two, field).tobytes(), field
        assert getattr(one, field)[order].tobytes() == getattr(third, field).tobytes(), field


def test_another_seed_gives_other_draws():
    inputs = inputs_of(*made_up())
    one = simulated(inputs, uncertainty=Uncertainty(draws=300, seed=1))
    two = simulated(inputs, uncertainty=Uncertainty(draws=300, seed=2))
    assert not np.array_equal(one.p_worst_fifth, two.p_worst_fifth, equal_nan=True)


def test_intervals_hold_the_point_and_lie_in_order():
    inputs = inputs_of(*made_up(seed=5))
    point, found = point_of(inputs), simulated(inputs)
    scored = ~np.isnan(point.scores)
    assert np.all(found.score_low[scored] <= point.scores[scored])
    assert np.all(found.score_high[scored] >= point.scores[scored])
    assert np.all(found.rank_low[scored] <= point.ranks[scored])
    assert np.all(found.rank_high[scored] >= point.ranks[scored])
    assert np.all(found.rank_low[scored] >= 1)
    assert np.all(found.rank_high[scored] <= scored.sum())
    # Every draw has a fifth of the areas in its worst fifth.
    assert found.p_worst_fifth[scored].sum() == pytest.approx(np.ceil(scored.sum() / 5))


def test_an_area_without_a_score_is_in_no_draw():
    counts, statistic = made_up(missing=0)
    counts["A01"][0][4] = np.nan
    counts["A02"][0][4] = np.nan
    statistic[4] = np.nan
    found = simulated(inputs_of(counts, statistic))
    assert all(np.isnan(getattr(found, field)[4]) for field in FIELDS)
    assert found.classes[4] is None
    assert np.isfinite(np.delete(found.p_worst_fifth, 4)).all()


def test_with_everything_known_and_nothing_varied_the_draws_are_the_point():
    statistic = np.random.default_rng(2).normal(size=40)
    recipe = Recipe((Part("A04", "use", 1, "high"),), {"use": 1.0})
    found = simulated(
        {"A04": DrawInput(statistic)}, recipe,
        uncertainty=Uncertainty(draws=100, vary_normalisation=False),
    )  # fmt: skip
    point = compose(recipe, {"A04": statistic})
    np.testing.assert_allclose(found.score_low, point.scores, rtol=1e-6)
    np.testing.assert_array_equal(found.rank_low, point.ranks)
    np.testing.assert_array_equal(found.rank_high, point.ranks)
    assert set(found.p_worst_fifth) == {0.0, 1.0}


def test_areas_that_are_alike_share_their_ranks():
    recipe = Recipe((Part("A04", "use", 1, "high"),), {"use": 1.0})
    found = simulated(
        {"A04": DrawInput(np.array([1.0, 1.0, 1.0, 5.0, 0.0]))}, recipe,
        uncertainty=Uncertainty(draws=100, vary_normalisation=False),
    )  # fmt: skip
    assert found.rank_low.tolist() == [3, 3, 3, 1, 5]


@pytest.mark.parametrize(
    ("areas", "values"),
    [(0, []), (1, [3.0]), (3, [np.nan] * 3), (4, [2.0] * 4)],
)
def test_hardly_any_areas_are_no_error(areas, values):
    recipe = Recipe((Part("A04", "use", 1, "high"),), {"use": 1.0})
    found = simulated(
        {"A04": DrawInput(np.array(values))}, recipe, uncertainty=Uncertainty(draws=100)
    )
    known = ~np.isnan(np.array(values))
    assert np.isfinite(found.rank_low).tolist() == known.tolist()


@pytest.mark.parametrize("normalisation", range(3))
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("worse_is_low", [False, True])
def test_fast_scores_of_one_draw_are_the_exact_ones(normalisation, grouped, worse_is_low):
    """Drawn at z = 0 the value is the middle of the curve: ranks agree exactly, values to 1e-3."""
    counts, statistic = made_up(areas=90, seed=4)
    groups = (np.arange(90) // 3) % 4 if grouped else None
    for name, drawn in inputs_of(counts, statistic).items():
        if drawn.curve is None:
            continue
        middles = np.append(drawn.curve[0], np.nan)[drawn.unit]
        ready = prepare(
            drawn.values, 100.0, groups, curve=drawn.curve, unit=drawn.unit,
            worse_is_low=worse_is_low,
        )  # fmt: skip
        fast = ready.drawn(normalisation, 2, lambda shape: np.zeros(shape, dtype=np.float32))
        exact = normalise(
            -middles if worse_is_low else middles, NORMALISATIONS[normalisation], 100.0, groups
        )
        known = ~np.isnan(exact)
        np.testing.assert_allclose(fast[0][known], exact[known], atol=1e-3, err_msg=name)
        np.testing.assert_array_equal(fast[0], fast[1])


def test_fast_ranks_are_those_of_scipy():
    rng = np.random.default_rng(8)
    apart = rng.normal(size=(3, 5000)).astype(np.float32)
    tied = np.round(apart, 1)
    for scores in (apart, tied):
        expected = rankdata(-scores, axis=1)
        # Ties share the mean of their ranks, a half taken down.
        np.testing.assert_array_equal(ranks_of(scores), np.floor(expected))


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (1.0, "clearly worst fifth"), (0.9, "clearly worst fifth"),
        (0.899, "may be in the worst fifth"), (0.5, "may be in the worst fifth"),
        (0.101, "may be in the worst fifth"), (0.1, "clearly not in the worst fifth"),
        (0.0, "clearly not in the worst fifth"), (float("nan"), None),
    ],
)  # fmt: skip
def test_a_class_says_no_more_than_its_chance(chance, words):
    assert class_of(chance) == words


def test_weights_far_from_sure_widen_the_ranks():
    inputs = inputs_of(*made_up())
    close = simulated(inputs, uncertainty=Uncertainty(draws=500, weight_concentration=1e6))
    far = simulated(inputs, uncertainty=Uncertainty(draws=500, weight_concentration=3))
    assert np.nanmean(far.rank_high - far.rank_low) > np.nanmean(close.rank_high - close.rank_low)


def test_a_true_worst_fifth_is_called_clearly_so_as_often_as_it_should():
    """Of areas called clearly worst, on repetition at least nine in ten truly are."""
    right = called = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth = rng.beta(4, 12, 200)
        n = rng.integers(100, 400, 200)
        x = rng.binomial(n, truth).astype(float)
        drawn = DrawInput(x / n, curve(share_moments(x, n.astype(float))), np.arange(200))
        recipe = Recipe((Part("A04", "use", 1, "high"),), {"use": 1.0})
        found = simulated({"A04": drawn}, recipe, uncertainty=Uncertainty(draws=300))
        clear = found.p_worst_fifth >= 0.9
        called += clear.sum()
        right += (rankdata(-truth)[clear] <= 40).sum()
    assert called > 50
    assert right / called >= 0.9


def test_given_ranks_and_doubled_areas_are_refused():
    recipe = reference_method("imd").recipe
    values = {name: np.array([1.0, 2.0]) for name in recipe.names}
    point = compose(recipe, values)
    inputs = {name: DrawInput(v) for name, v in values.items()}
    with pytest.raises(ConfigurationError, match="given ranks"):
        simulate(recipe, inputs, Uncertainty(draws=100), ["a", "b"], point)
    single = Recipe((Part("income", "use", 1, "high"),), {"use": 1.0})
    with pytest.raises(ConfigurationError, match="stands twice"):
        simulate(single, inputs, Uncertainty(draws=100), ["a", "a"], compose(single, values))


# Five areas; A decides alone without B, and B turns the order of the last two round.
def test_leaving_an_input_out_by_hand():
    recipe = Recipe(
        (Part("A01", "need", 1, "high"), Part("A02", "use", 1, "high")),
        {"need": 3.0, "use": 1.0}, normalisation="min_max",
    )  # fmt: skip
    # Scores 75 + 0, 60 + 12.5, ...: the order of A01 but for the last two.
    values = {"A01": [100.0, 80.0, 40.0, 10.0, 0.0], "A02": [0.0, 50.0, 0.0, 0.0, 100.0]}
    before = [75, 60 + 12.5, 30, 7.5, 25]
    found = {(s.kind, s.name): s for s in sensitivity(recipe, values)}
    out = found["input", "A02"]
    # Ranks 1 2 3 5 4 become 1 2 3 4 5.
    assert out.mean_rank_change == pytest.approx(2 / 5)
    assert out.worst_fifth_changed == 0
    assert out.kendall_tau == pytest.approx(kendalltau(before, [100, 80, 40, 10, 0]).statistic)
    # Without A01 the last area is first, and the worst fifth is another.
    assert found["input", "A01"].worst_fifth_changed == 1
    assert found["leave_one_out", "need"] == found["input", "A01"].__class__(
        "leave_one_out", "need", *list(vars(found["input", "A01"]).values())[2:]
    )
    # With A02 twice as heavy the last area (0 + 40) passes the third (24 + 0): no rank changes,
    # as it was third from the end before; the first (60) falls behind the second (48 + 20).
    assert found["weight", "A02"].mean_rank_change == pytest.approx(4 / 5)


def test_an_only_input_is_not_left_out():
    recipe = Recipe((Part("A01", "need", 1, "high"),), {"need": 1.0})
    assert sensitivity(recipe, {"A01": [1.0, 2.0]}) == []


def test_nothing_is_said_of_fewer_than_two_areas():
    recipe = Recipe(
        (Part("A01", "need", 1, "high"), Part("A02", "use", 1, "high")), {"need": 1.0, "use": 1.0}
    )
    found = sensitivity(recipe, {"A01": [1.0], "A02": [2.0]})
    assert {s.areas for s in found} == {1}
    assert all(np.isnan(s.kendall_tau) for s in found)
