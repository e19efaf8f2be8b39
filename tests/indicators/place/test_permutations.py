"""Conditional permutations against counting every case, esda, and a plain simulation; the FDR."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import LsoalinkError
from indicators.place.links import Links, links_between
from indicators.place.permutations import conditional_permutation, discoveries, draws


def ring(size: int) -> Links:
    """Return areas in a circle, each beside the two next to it."""
    codes = [f"A{i:03d}" for i in range(size)]
    pairs = [(codes[i], codes[(i + step) % size]) for i in range(size) for step in (-1, 1)]
    return links_between(codes, pairs)


def grid(side: int) -> Links:
    """Return squares, each beside those it meets at a border or a corner."""
    codes = {(r, c): f"A{r:02d}{c:02d}" for r in range(side) for c in range(side)}
    steps = [s for s in itertools.product((-1, 0, 1), repeat=2) if s != (0, 0)]
    pairs = [
        (code, codes[r + dr, c + dc])
        for (r, c), code in codes.items()
        for dr, dc in steps
        if (r + dr, c + dc) in codes
    ]
    return links_between(codes.values(), pairs)


def exact(values: np.ndarray, links: Links, area: int) -> float:
    """Go through every choice of as many neighbours among the other areas."""
    mine = values[links.second[links.first == area]]
    others = np.delete(values, area)
    sums = [sum(choice) for choice in itertools.combinations(others.tolist(), len(mine))]
    above = np.mean([s >= mine.sum() - 1e-9 for s in sums])
    below = np.mean([s <= mine.sum() + 1e-9 for s in sums])
    return float(min(1.0, 2 * min(above, below)))


def test_p_values_are_those_of_every_possible_choice() -> None:
    values = np.array([9.0, 8.0, 7.5, 1.0, 2.0, 3.0, 2.5, 0.5, 4.0])
    links = ring(9)

    p, side = conditional_permutation(values, links, permutations=99_999, seed=1)

    expected = np.array([exact(values, links, area) for area in range(9)])
    # Three standard errors of a share of 99,999 draws, doubled with it.
    assert np.abs(p - expected).max() < 3 * 2 * np.sqrt(0.25 / 99_999)
    # The neighbours of the second, 9 and 7.5, are the highest two of the eight others but one.
    assert side[1] == 1
    assert side[4] == -1


def test_an_area_is_never_among_its_own_neighbours() -> None:
    # The first is far above all others, and its neighbours are the highest of these. Were it drawn
    # as its own neighbour, its neighbours would be exceeded by every such draw.
    values = np.array([1000.0, 5.0, 0.0, 1.0, 2.0, 3.0, 5.0])
    links = ring(7)

    p, _ = conditional_permutation(values, links, permutations=20_000, seed=3)

    # 5 and 5 are one of the 15 pairs of the six others.
    assert p[0] == pytest.approx(2 / 15, abs=0.01)


def test_equal_sums_count_whatever_the_order_of_addition() -> None:
    # 0.1 + 0.2 + 0.3 differs from 0.3 + 0.2 + 0.1 in its last bit; here only the set can matter.
    values = np.tile([0.1, 0.2, 0.3], 4)
    links = ring(12)

    p, _ = conditional_permutation(values, links, permutations=50_000, seed=5)

    expected = [exact(values, links, area) for area in range(12)]
    assert np.abs(p - expected).max() < 0.015


def test_p_values_agree_with_those_of_esda() -> None:
    from esda.moran import Moran_Local

    rng = np.random.default_rng(11)
    links = grid(9)
    values = rng.normal(size=81) + np.repeat([0.0, 1.5, 0.0], 27)
    state = np.random.get_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Moran_Local(
            values, links.graph(), permutations=9999, seed=7, n_jobs=1, keep_simulations=True
        ).p_sim
    np.random.set_state(state)

    p, _ = conditional_permutation(values, links, permutations=99_999, seed=7)

    # esda's is the smaller tail; four standard errors of 9,999 draws.
    least = np.minimum(p / 2, 0.5)
    assert np.abs(least - theirs).max() < 4 * np.sqrt(0.25 / 9999)


def test_every_draw_of_different_positions_is_equally_likely() -> None:
    drawn = draws(5, 3, 60_000, 13)

    assert all(len(set(row)) == 3 for row in drawn[:500].tolist())
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 5 * 4 * 3
    # 1,000 of each on average; five standard deviations.
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_all_positions_can_be_drawn() -> None:
    assert sorted(draws(4, 4, 1, 0)[0].tolist()) == [0, 1, 2, 3]


def test_neither_the_seed_of_the_process_matters_nor_is_it_changed() -> None:
    values, links = np.arange(12.0) ** 2, ring(12)
    np.random.seed(1)
    one = conditional_permutation(values, links, permutations=99)[0]
    before = np.random.get_state()[1].tolist()
    np.random.seed(2)
    two = conditional_permutation(values, links, permutations=99)[0]

    assert one.tolist() == two.tolist()
    np.random.seed(1)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("values", [np.zeros(6), np.full(6, 0.1), np.full(6, -7e9)])
def test_equal_figures_give_no_test(values: np.ndarray) -> None:
    p, side = conditional_permutation(values, ring(6), permutations=99)

    assert np.isnan(p).all()
    assert not side.any()


def test_an_area_without_neighbours_gives_no_test_and_is_drawn_by_others() -> None:
    links = links_between("ABCD", [("A", "B"), ("B", "A"), ("B", "C"), ("C", "B")])

    p, side = conditional_permutation(np.array([1.0, 2.0, 3.0, 99.0]), links, permutations=2000)

    assert np.isnan(p).tolist() == [False, False, False, True]
    assert side[3] == 0
    # A's one neighbour has 2; of B, C and D, one in three is no higher.
    assert p[0] == pytest.approx(2 / 3, abs=0.05)


@pytest.mark.parametrize("values", [np.ones(5), np.array([1.0, 2.0, np.nan, 4.0, 5.0, 6.0])])
def test_figures_that_do_not_fit_are_refused(values: np.ndarray) -> None:
    with pytest.raises(LsoalinkError, match="6 areas need 6 figures"):
        conditional_permutation(values, ring(6))


def test_the_example_of_benjamini_and_hochberg() -> None:
    # The 15 p-values of section 3 of their paper of 1995, of which four stand at 5 %: the fourth,
    # 0.0095, is at most 4/15 x 0.05 = 0.0133, and no later one is below its own limit.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
         0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip

    assert discoveries(p).tolist() == [True] * 4 + [False] * 11
    assert discoveries(p[::-1]).tolist() == [False] * 11 + [True] * 4


def test_a_later_one_below_its_limit_takes_earlier_ones_with_it() -> None:
    # Limits at 5 %: 0.0125, 0.025, 0.0375, 0.05. The first is above its own, the third is not.
    assert discoveries([0.02, 0.03, 0.037, 0.9]).tolist() == [True, True, True, False]
    assert not discoveries([0.02, 0.03, 0.038, 0.9]).any()


def test_what_is_no_test_does_not_count_as_one() -> None:
    # Of one test 0.04 stands; of two its limit would be 0.025.
    assert discoveries([np.nan, 0.04]).tolist() == [False, True]
    assert discoveries([1.0, 0.04]).tolist() == [False, False]
    assert discoveries([]).tolist() == []
    assert discoveries([np.nan]).tolist() == [False]


def test_a_p_value_beyond_1_is_refused() -> None:
    with pytest.raises(LsoalinkError, match="between 0 and 1"):
        discoveries([0.5, 1.5])


@settings(deadline=None, max_examples=50)
@given(
    p=st.lists(st.floats(0, 1), min_size=1, max_size=40),
    rate=st.sampled_from([0.01, 0.05, 0.2]),
)
def test_the_rule_is_that_of_scipy(p: list[float], rate: float) -> None:
    from scipy.stats import false_discovery_control

    adjusted = false_discovery_control(p, method="bh")

    # Where the adjusted p-value is the rate but for rounding either answer is right.
    clear = np.abs(adjusted - rate) > 1e-12
    assert (discoveries(p, rate)[clear] == (adjusted <= rate)[clear]).all()
