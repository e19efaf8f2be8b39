"""Secondary suppression: what is chosen withstands the attacker, and costs no more than it must."""

import itertools

import numpy as np
import pytest
from disclosure_tables import BruteForce, areas_alone, areas_by_reason, cell
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import DisclosureError
from governance.disclosure.attacker.examination import Demand, examine
from governance.disclosure.attacker.intervals import feasible_intervals
from governance.disclosure.tables.linked import join
from governance.disclosure.tables.suppression import suppress

FIVE = Demand(width=4, below=5, outside=True)
WIDTH_ONLY = Demand(width=2, below=3, outside=False)


def intervals(table, hidden, targets, floor=1):
    """The attacker's interval of each target, when these cells are hidden."""
    lower = np.where(hidden, floor, table.counts)
    upper = np.where(hidden, np.inf, table.counts)
    zero = np.zeros(table.A.shape[0])
    return feasible_intervals(lower, upper, table.A, zero, targets)


def examined(table, chosen, demand=FIVE):
    """The verdict on all primary cells but those that were named as unprotected."""
    targets = np.setdiff1d(np.flatnonzero(chosen.primary), chosen.unprotected)
    lower = np.where(chosen.hidden, 1, table.counts)
    upper = np.where(chosen.hidden, np.inf, table.counts)
    return examine(table.system(lower, upper), targets, table.counts[targets], demand)


def brute_optimum(table, brute, demand, weights, published, floor):
    """Least cost over all choices that protect whatever hiding everything protects."""
    primary = (table.counts >= 1) & (table.counts < demand.below) & ~published
    targets = np.flatnonzero(primary)
    primary |= (table.counts < floor_of_zeros(floor)) & ~published
    free = np.flatnonzero((table.counts > 0) & ~primary & ~published)
    everything = primary.copy()
    everything[free] = True
    wanted = targets[demand.met_by(*brute.intervals(everything, targets, floor=floor))]
    best = np.inf
    for size in range(len(free) + 1):
        for some in itertools.combinations(free, size):
            cost = weights[list(some)].sum()
            if cost >= best:
                continue
            hidden = primary.copy()
            hidden[list(some)] = True
            if demand.met_by(*brute.intervals(hidden, wanted, floor=floor)).all():
                best = cost
    lost = np.setdiff1d(np.flatnonzero((table.counts >= 1) & (table.counts < demand.below)), wanted)
    return best, lost


def floor_of_zeros(floor):
    """Zeros bear the marker where a hidden cell may be 0."""
    return 0 if floor else 1


def check_against_brute_force(
    table, leaves, demand, cost, importance=None, published=(), zeros="shown"
):
    floor = 1 if zeros == "shown" else 0
    held = np.zeros(len(table), dtype=bool)
    held[list(published)] = True
    brute = BruteForce(table, leaves, extra=demand.width + demand.below + 1)
    settled = {"cost": cost, "importance": importance, "published": held, "zeros": zeros}
    optimal = suppress(table, demand, method="optimal", **settled)
    heuristic = suppress(table, demand, method="heuristic", **settled)
    weights = {
        "cells": np.ones(len(table)),
        "counts": np.maximum(table.counts, 1).astype(float),
        "importance": importance,
    }[cost]
    best, lost = brute_optimum(table, brute, demand, weights, held, floor)
    assert optimal.method == "optimal"
    assert optimal.loss.cost == pytest.approx(best)
    assert heuristic.loss.cost >= best - 1e-9
    for chosen in (optimal, heuristic):
        assert set(chosen.unprotected) == set(lost)
        small = np.flatnonzero(chosen.primary & (table.counts > 0))
        targets = np.setdiff1d(small, chosen.unprotected)
        low, high = brute.intervals(chosen.hidden, targets, floor=floor)
        assert demand.met_by(low, high).all()
        assert (chosen.hidden[table.counts == 0] == (~held[table.counts == 0] & (floor == 0))).all()
        assert not chosen.hidden[held].any()


@given(
    st.lists(st.integers(0, 7), min_size=4, max_size=4),
    st.sampled_from(["cells", "counts"]),
)
@settings(max_examples=20, deadline=None)
def test_two_by_two_tables_agree_with_brute_force(counts, cost):
    table = areas_by_reason(np.reshape(counts, (2, 2)))
    leaves = [
        cell(table, level="lsoa21cd", area=f"E0100000{i}", reason=f"r{j}")
        for i in range(2)
        for j in range(2)
    ]
    check_against_brute_force(table, leaves, WIDTH_ONLY, cost)


@given(
    st.lists(st.integers(0, 8), min_size=4, max_size=4),
    st.lists(st.integers(1, 20), min_size=9, max_size=9),
    st.booleans(),
)
@settings(max_examples=20, deadline=None)
def test_areas_that_do_not_nest_agree_with_brute_force(counts, weights, total_is_public):
    groups = {"msoa21cd": ["M1", "M1", "M2", "M2"], "wd24cd": ["W1", "W2", "W1", "W2"]}
    table = areas_alone(counts, groups)
    leaves = [cell(table, level="lsoa21cd", area=f"E0100000{i}") for i in range(4)]
    public = [cell(table)] if total_is_public else []
    importance = np.array(weights, dtype=float)
    check_against_brute_force(table, leaves, WIDTH_ONLY, "importance", importance, public)


@given(
    st.lists(st.integers(0, 9), min_size=3, max_size=3),
    st.sampled_from([["W1", "W2", "W2"], ["W1", None, "W1"], ["W1", "W2", "W3"]]),
)
@settings(max_examples=20, deadline=None)
def test_hidden_zeros_agree_with_brute_force(counts, wards):
    table = areas_alone(counts, {"msoa21cd": ["M1", "M1", "M2"], "wd24cd": wards})
    leaves = [cell(table, level="lsoa21cd", area=f"E0100000{i}") for i in range(3)]
    for demand in (Demand(width=2, below=4, outside=True), Demand(4, 4, outside=False)):
        check_against_brute_force(table, leaves, demand, "counts", zeros="hidden")


@given(
    st.lists(st.integers(0, 9), min_size=3, max_size=3),
    st.sampled_from([["W1", "W2", "W2"], ["W1", None, "W1"], ["W1", "W2", "W3"]]),
)
@settings(max_examples=20, deadline=None)
def test_the_protected_range_agrees_with_brute_force(counts, wards):
    table = areas_alone(counts, {"msoa21cd": ["M1", "M1", "M2"], "wd24cd": wards})
    leaves = [cell(table, level="lsoa21cd", area=f"E0100000{i}") for i in range(3)]
    check_against_brute_force(table, leaves, Demand(width=3, below=4, outside=True), "cells")


@given(
    st.lists(st.integers(0, 12), min_size=18, max_size=18),
    st.permutations(["W1", "W1", "W2", "W2", "W3", "W3"]),
)
@settings(max_examples=6, deadline=None)
def test_linked_tables_pass_the_examination_and_the_optimum_costs_no_more(counts, wards):
    groups = {"msoa21cd": ["M1", "M1", "M1", "M2", "M2", "M2"], "wd24cd": wards}
    table = areas_by_reason(np.reshape(counts, (6, 3)), groups)
    heuristic = suppress(table, FIVE, method="heuristic")
    optimal = suppress(table, FIVE, method="auto")
    assert optimal.loss.cost <= heuristic.loss.cost
    assert examined(table, heuristic).passed
    assert examined(table, optimal).passed


def test_the_same_table_gives_the_same_choice():
    counts = np.random.default_rng(3).poisson(4, (12, 4))
    groups = {"msoa21cd": [f"M{i // 4}" for i in range(12)]}
    first, second = (suppress(areas_by_reason(counts, groups), FIVE) for _ in range(2))
    assert (first.hidden == second.hidden).all()


def test_two_hidden_cells_in_every_line_may_still_be_solved():
    counts = np.full((4, 4), 20)
    hidden_at = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2), (2, 3), (3, 2), (3, 3)]
    counts[1, 2] = 3
    table = areas_by_reason(counts)
    hidden = np.zeros(len(table), dtype=bool)
    for row, column in hidden_at:
        place = {"area": f"E0100000{row}", "reason": f"r{column}"}
        hidden[cell(table, level="lsoa21cd", **place)] = True
    small = cell(table, level="lsoa21cd", area="E01000001", reason="r2")
    # Rows 0 and 1 less columns 0 and 1 leave nothing but the small count.
    naive = intervals(table, hidden, [small])
    assert (naive.lower[0], naive.upper[0]) == (3, 3)
    chosen = suppress(table, FIVE)
    assert examined(table, chosen).passed
    assert chosen.loss.cells == 3


def test_two_tables_each_safe_alone_are_not_safe_together():
    counts = [3, 20, 30, 40]
    first = areas_alone(counts, {"msoa21cd": ["M1", "M1", "M2", "M2"]})
    second = areas_alone(counts, {"wd24cd": ["W1", "W2", "W1", "W2"]})
    alone = [suppress(table, FIVE) for table in (first, second)]
    for table, chosen in zip((first, second), alone, strict=True):
        assert examined(table, chosen).passed
    both = join([first, second])
    names = list(both.keys())
    shown = {
        key
        for table, chosen in zip((first, second), alone, strict=True)
        for key, hidden in zip(table.keys(), chosen.hidden, strict=True)
        if not hidden
    }
    naive = np.array([key not in shown for key in names])
    small = cell(both, level="lsoa21cd", area="E01000000")
    assert intervals(both, naive, [small]).upper[0] == 3
    assert examined(both, suppress(both, FIVE)).passed


def test_hidden_cells_as_many_as_their_margin_counts_are_all_ones():
    table = areas_alone([1, 1, 1, 20], {"msoa21cd": ["M1", "M1", "M1", "M2"]})
    margin = cell(table, level="msoa21cd", area="M1")
    ones = [cell(table, level="lsoa21cd", area=f"E0100000{i}") for i in range(3)]
    public = np.zeros(len(table), dtype=bool)
    public[[margin, cell(table)]] = True
    naive = np.zeros(len(table), dtype=bool)
    naive[ones] = True
    assert (intervals(table, naive, ones).upper == 1).all()
    # The margin itself is small and public, so that nothing can be done about the three.
    held = suppress(table, FIVE, published=public)
    assert set(held.unprotected) == {*ones, margin}
    # With the margin under control it is hidden too, and so is what would give it away.
    chosen = suppress(table, FIVE)
    assert not len(chosen.unprotected)
    assert examined(table, chosen).passed


def test_a_hidden_cell_is_at_least_one_where_zeros_are_shown():
    # If hidden cells could be 0, two hidden cells that sum to 5 would leave 0 to 5.
    table = areas_alone([4, 1], {"msoa21cd": ["M1", "M1"]})
    public = table.columns["level"] != "lsoa21cd"
    shown = suppress(table, FIVE, published=public)
    assert len(shown.unprotected) == 2
    hidden = suppress(table, FIVE, published=public, zeros="hidden")
    assert not len(hidden.unprotected)


def test_zeros_that_are_hidden_bear_the_marker_and_protect():
    table = areas_alone([3, 0, 0, 20], {"msoa21cd": ["M1", "M1", "M1", "M2"]})
    chosen = suppress(table, Demand(width=3, below=5, outside=True), zeros="hidden")
    zeros = [cell(table, level="lsoa21cd", area=f"E0100000{i}") for i in (1, 2)]
    assert chosen.primary[zeros].all()
    low, high = intervals(table, chosen.hidden, np.flatnonzero(table.counts == 3), floor=0)
    assert Demand(width=3, below=5, outside=True).met_by(low, high).all()


def test_further_sensitive_cells_are_protected_too():
    # A whole group of 9 in one category: neither it nor its margin is small.
    table = areas_by_reason([[9, 0, 0], [20, 30, 40], [50, 60, 70]])
    full = cell(table, level="lsoa21cd", area="E01000000", reason="r0")
    plain = suppress(table, FIVE)
    assert not plain.hidden.any()
    extra = np.zeros(len(table), dtype=bool)
    extra[full] = True
    chosen = suppress(table, FIVE, sensitive=extra)
    low, high = intervals(table, chosen.hidden, [full])
    assert high[0] - low[0] >= FIVE.width


def test_a_sensitive_zero_that_is_shown_cannot_be_protected():
    table = areas_by_reason([[9, 0], [20, 30]])
    empty = cell(table, level="lsoa21cd", area="E01000000", reason="r1")
    extra = np.zeros(len(table), dtype=bool)
    extra[empty] = True
    assert list(suppress(table, FIVE, sensitive=extra).unprotected) == [empty]


def test_costs_choose_what_is_hidden():
    table = areas_alone([3, 50, 6], {"msoa21cd": ["M1", "M1", "M1"]}, total=None)
    big, fair = (cell_of(table, f"E0100000{i}") for i in (1, 2))
    weights = np.full(len(table), 9.0)
    weights[big] = 1.0
    by_count = suppress(table, FIVE, cost="counts")
    by_weight = suppress(table, FIVE, cost="importance", importance=weights)
    assert by_count.secondary[fair]
    assert by_count.loss == (1, 6, 6.0)
    assert by_weight.secondary[big]
    assert by_weight.loss == (1, 50, 1.0)


def cell_of(table, area):
    (number,) = table.where(area=area)
    return int(number)


def test_missing_cells_are_neither_hidden_nor_relied_upon_beyond_what_is_known():
    groups = {"msoa21cd": ["M1", "M1", "M1", "M2", "M2"]}
    table = areas_alone([3, 30, 40, None, 50], groups)
    chosen = suppress(table, FIVE)
    assert not chosen.hidden[table.missing].any()
    assert examined(table, chosen).passed


def test_nothing_is_hidden_where_nothing_is_small():
    chosen = suppress(areas_by_reason([[10, 20], [0, 40]]), FIVE)
    assert not chosen.hidden.any()
    assert chosen.loss == (0, 0, 0.0)
    assert chosen.method == "optimal"


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"published": [True]}, "'published' does not have one entry for each"),
        ({"cost": "importance"}, "one finite weight above 0"),
        ({"cost": "importance", "importance": np.zeros(9)}, "one finite weight above 0"),
    ],
)
def test_masks_and_weights_must_fit(settings_, message):
    with pytest.raises(DisclosureError, match=message):
        suppress(areas_by_reason([[10, 20], [3, 40]]), FIVE, **settings_)
