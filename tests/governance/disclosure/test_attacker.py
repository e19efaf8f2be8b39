"""The attacker on small tables worked by hand, on the known traps, and on hostile input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from declarations.errors import DisclosureError
from governance.disclosure.attacker.examination import Demand
from governance.disclosure.attacker.intervals import attack, feasible_intervals, screen
from governance.disclosure.attacker.system import SystemBuilder

INF = float("inf")


def intervals(*arguments, **settings):
    found = feasible_intervals(*arguments, **settings)
    return list(zip(found.lower.tolist(), found.upper.tolist(), strict=True))


def two_way(lower, upper, row_totals, column_totals):
    """Bounds and equations of a table of which all margins are known."""
    rows, columns = len(row_totals), len(column_totals)
    A = np.vstack(
        [
            np.kron(np.eye(rows), np.ones((1, columns))),
            np.kron(np.ones((1, rows)), np.eye(columns)),
        ]
    )
    return np.ravel(lower), np.ravel(upper), A, [*row_totals, *column_totals]


def test_two_hidden_cells_of_one_sum():
    assert intervals([1, 1], [4, 4], [[1, 1]], [5], [0, 1]) == [(1, 4), (1, 4)]
    assert intervals([1, 1], [4, 4], [[1, 1]], [7], [0, 1]) == [(3, 4), (3, 4)]


def test_as_many_hidden_cells_as_the_sum_are_all_ones():
    assert intervals([1] * 5, [4] * 5, [[1] * 5], [5], range(5)) == [(1, 1)] * 5


def test_two_suppressions_a_line_are_still_solvable():
    # Every line has two or three hidden cells. The first two rows together, less the first two
    # columns, leave the corner where row 0 meets column 2.
    hidden = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]], dtype=bool)
    counts = np.array([[3, 2, 2, 9], [4, 3, 8, 7], [9, 8, 1, 4], [8, 9, 3, 2]])
    lower, upper = np.where(hidden, 0, counts), np.where(hidden, INF, counts)
    system = two_way(lower, upper, counts.sum(1), counts.sum(0))
    corner = 2
    assert intervals(*system, [corner, 0]) == [(2, 2), (0, 5)]


def test_two_linked_tables_are_safe_alone_and_unsafe_together():
    # One table says that the three add up to 10, the other that two of them add up to 7.
    bounds = ([0] * 3, [9] * 3)
    by_age, by_area = [[1, 1, 1]], [[1, 1, 0]]
    assert intervals(*bounds, by_age, [10], [2]) == [(0, 9)]
    assert intervals(*bounds, by_area, [7], [2]) == [(0, 9)]
    assert intervals(*bounds, by_age + by_area, [10, 7], [2]) == [(3, 3)]


def test_whole_numbers_say_more_than_fractions():
    # 2 x - 3 y = 1 would let x be 0.5 to 4.
    assert intervals([0, 0], [4, 3], [[2, -3]], [1], [0, 1]) == [(2, 2), (1, 1)]
    # Three sums of pairs are odd together: fractions would be 1/2 each.
    pairs = [[1, 1, 0, -1], [0, 1, 1, -1], [1, 0, 1, -1]]
    assert intervals([0, 0, 0, 1], [1, 1, 1, 3], pairs, [0, 0, 0], [3]) == [(2, 2)]


def test_integer_programmes_are_needed_where_no_equation_alone_says_it():
    pairs = [[1, 1, 0, -1], [0, 1, 1, -1], [1, 0, 1, -1]]
    found = attack([0, 0, 0, 0], [5, 5, 5, 5], pairs, [0, 0, 0], [3])
    assert (found.lower[0], found.upper[0]) == (0, 4)
    assert found.proven.all()


def test_required_width_stops_at_fractions_only_where_they_are_wide_enough():
    pairs = [[1, 1, 0, -1], [0, 1, 1, -1], [1, 0, 1, -1]]
    system = ([0, 0, 0, 0], [5, 5, 5, 5], pairs, [0, 0, 0])
    assert intervals(*system, [3], required_width=4) == [(0, 4)]
    assert intervals(*system, [3], required_width=[1])[0] in {(0, 4), (0, 5)}


def test_without_equations_the_bounds_are_the_answer():
    for nothing in ([], np.empty((0, 3)), sparse.csr_matrix((0, 3))):
        assert intervals([0, 1, 2], [4, INF, 2], nothing, [], [0, 1, 2]) == [
            (0, 4),
            (1, INF),
            (2, 2),
        ]


def test_no_counts_and_no_targets():
    assert intervals([], [], [], [], []) == []
    assert intervals([0], [1], [[1]], [1], []) == []


def test_bounds_of_fractions_are_rounded_inward():
    assert intervals([0.2], [3.9], [], [], [0]) == [(1, 3)]
    assert intervals([1 - 1e-9], [3 + 1e-9], [], [], [0]) == [(1, 3)]


def test_repeated_and_unsorted_targets_keep_their_places():
    assert intervals([0, 1, 2], [0, 1, 2], [], [], [2, 0, 2]) == [(2, 2), (0, 0), (2, 2)]


def test_repeated_and_redundant_equations_change_nothing():
    A = [[1, 1, 1], [1, 1, 1], [2, 2, 2], [0, 0, 0]]
    assert intervals([0] * 3, [4] * 3, A, [9, 9, 18, 0], [0]) == [(1, 4)]


def test_an_endless_count_stays_endless_and_a_bounded_one_does_not():
    # x - y = 2 and x + z = w, all from 0 on.
    A = [[1, -1, 0, 0], [1, 0, 1, -1]]
    assert intervals([0] * 4, [INF] * 4, A, [2, 0], [0, 1, 2, 3]) == [
        (2, INF),
        (0, INF),
        (0, INF),
        (2, INF),
    ]
    cycle = [[1, -1, 0], [0, 1, -1], [1, 0, -1]]
    assert intervals([0] * 3, [INF] * 3, cycle, [1, 1, 2], [0, 2]) == [(2, INF), (0, INF)]
    assert intervals([-INF] * 2, [5, INF], [[1, 1]], [3], [0, 1]) == [(-INF, 5), (-2, INF)]


def test_counts_of_ten_millions_are_exact():
    big = 10_000_000
    A = [[1, 1, 1, 0], [1, 1, 0, 1], [0, 1, 1, 1]]
    lower = [big - 2, big - 2, 0, 0]
    upper = [big + 2, big + 2, 4, 4]
    truth = np.array([big + 1, big, 3, 2])
    found = feasible_intervals(lower, upper, A, np.array(A) @ truth, range(4))
    assert (found.lower <= truth).all()
    assert (truth <= found.upper).all()
    # x + y is big twice and a little, so the third equation has one solution.
    assert intervals([0] * 2, [3 * big] * 2, [[1, 1], [1, -1]], [2 * big + 1, 1], [0]) == [
        (big + 1, big + 1)
    ]


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
def test_any_sparse_form_gives_the_same(form):
    dense = np.array([[1, 1, 0, 0], [0, 1, 1, 1]])
    for kind in (sparse.csr_matrix, sparse.csr_array):
        A = kind(dense).asformat(form)
        found = intervals([0] * 4, [4] * 4, A, [6, 4], range(4))
        assert found == [(2, 4), (2, 4), (0, 2), (0, 2)]


def test_entries_of_a_sparse_matrix_out_of_order_or_twice_are_added_up():
    A = sparse.coo_matrix(([0.5, 1, 0.5], ([0, 0, 0], [1, 0, 1])), shape=(1, 2))
    assert intervals([0, 0], [4, 4], A, [8], [0, 1]) == [(4, 4), (4, 4)]


@pytest.mark.parametrize(
    ("lower", "upper", "A", "b"),
    [
        ([2], [1], [], []),
        ([0.2], [0.8], [], []),
        ([0], [4], [[0]], [1]),
        ([0, 0], [4, 4], [[1, 1]], [9]),
        ([0, 0], [4, 4], [[2, 4]], [5]),
        ([0, 0], [4, 4], [[1, 1]], [2.5]),
        ([0, 0], [9, 9], [[1, 1], [1, -1]], [4, 1]),
        ([3, 1], [3, 1], [[1, 1]], [5]),
        # Fractions would fit: every pair adds up to 1.
        ([0] * 3, [1] * 3, [[1, 1, 0], [0, 1, 1], [1, 0, 1]], [1, 1, 1]),
    ],
)
@pytest.mark.parametrize("targets", [[0], []])
def test_what_no_table_of_counts_fits_is_refused(lower, upper, A, b, targets):
    with pytest.raises(DisclosureError, match="No table of counts fits"):
        feasible_intervals(lower, upper, A, b, targets)


@pytest.mark.parametrize(
    ("lower", "upper", "A", "b", "targets", "sentence"),
    [
        ([0, 0], [1], [], [], [0], "do not belong together"),
        ([0], [1], [[1, 1]], [1], [0], "do not belong together"),
        ([0], [1], [[1]], [1, 2], [0], "do not belong together"),
        ([0], [1], [], [], [1], "not among the 1 counts"),
        ([0], [1], [], [], [-1], "not among the 1 counts"),
        ([0], [1], [], [], [0.5], "whole numbers"),
        ([0], [float("nan")], [], [], [0], "not a number"),
        ([0], ["many"], [], [], [0], "not all numbers"),
        ([[0]], [1], [], [], [0], "not one row"),
        ([0], [1], [[float("inf")]], [1], [0], "not a finite number"),
        ([0], [1], [[1]], [INF], [0], "too large"),
        ([0], [1], [["a"]], [1], [0], "not a matrix"),
    ],
)
def test_what_is_no_system_is_refused_in_words(lower, upper, A, b, targets, sentence):
    with pytest.raises(DisclosureError, match=sentence):
        feasible_intervals(lower, upper, A, b, targets)


def test_required_widths_must_be_one_or_one_a_target():
    with pytest.raises(DisclosureError, match="required widths"):
        feasible_intervals([0], [1], [], [], [0], required_width=[1, 2])


def district(counts, base=5):
    """A table of areas by categories with all totals, rounded; its margins are known exactly."""
    builder = SystemBuilder()
    full = np.hstack([counts, counts.sum(1, keepdims=True)])
    hidden = full < base
    nearest = (full + base // 2) // base * base
    low = np.where(hidden, 0, nearest - base // 2)
    high = np.where(hidden, base - 1, nearest + base // 2)
    cells = [
        [
            builder.count((area, column), low[area, column], high[area, column])
            for column in range(full.shape[1])
        ]
        for area in range(len(full))
    ]
    for line in cells:
        builder.add_up(line[-1], line[:-1])
    for column, total in enumerate(full.sum(0)):
        builder.equation({line[column]: 1.0 for line in cells}, float(total))
    return builder.build(), full.ravel(), np.flatnonzero(hidden.ravel())


def test_a_time_of_nothing_leaves_valid_bounds_that_are_not_proven():
    rng = np.random.default_rng(5)
    A = rng.integers(-9, 10, (6, 40))
    truth = rng.integers(0, 5, 40)
    system = (np.zeros(40), np.full(40, 9), A, A @ truth)
    found = attack(*system, range(40), time_limit=0.0)
    assert not found.proven.all()
    assert (found.lower <= truth).all()
    assert (truth <= found.upper).all()


def test_any_number_of_workers_gives_the_same():
    rng = np.random.default_rng(2)
    systems = [district(rng.poisson(2, (6, 3))) for _ in range(3)]
    A = sparse.block_diag([system.A for system, _, _ in systems])
    lower, upper, b = (
        np.concatenate([getattr(system, name) for system, _, _ in systems])
        for name in ("lower", "upper", "b")
    )
    everything = range(len(lower))
    seen = []
    one = attack(lower, upper, A, b, everything, members=everything)
    two = attack(
        lower, upper, A, b, everything, members=everything, workers=2,
        progress=lambda done, of: seen.append((done, of)),
    )  # fmt: skip
    for name in ("lower", "upper", "seen_lower", "seen_upper", "proven", "exposed"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert one.linear_programmes == two.linear_programmes
    assert seen[-1] == (two.components, two.components)


def test_screening_passes_only_what_meets_the_demand():
    system, truth, hidden = district(np.random.default_rng(3).poisson(1.2, (12, 4)))
    exact = feasible_intervals(system.lower, system.upper, system.A, system.b, hidden)
    demand = Demand(width=4, below=5, outside=True)
    safe = screen(system, hidden, demand)
    assert safe.any()
    assert not (safe & ~demand.met_by(exact.lower, exact.upper)).any()
    assert ((exact.lower <= truth[hidden]) & (truth[hidden] <= exact.upper)).all()
