"""The attacker against all tables of whole numbers there are, for thousands of small systems."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import DisclosureError
from governance.disclosure.attacker.intervals import attack, feasible_intervals
from governance.disclosure.attacker.network import is_network

SEEDS = st.integers(0, 2**32 - 1)


def all_tables(lower, upper, A, b):
    """Every table of whole numbers within the bounds that keeps the equations, one a row."""
    values = [range(int(low), int(high) + 1) for low, high in zip(lower, upper, strict=True)]
    tables = np.array([*itertools.product(*values)], dtype=np.int64).reshape(-1, len(values))
    return tables[(tables @ np.asarray(A, dtype=np.int64).T == b).all(axis=1)]


def box(rng, truth):
    """Bounds around a table, so near that all tables can be listed."""
    wide = 2 if len(truth) > 7 else 3
    low = np.maximum(0, truth - rng.integers(0, wide, len(truth)))
    return low, truth + rng.integers(0, wide, len(truth))


def random_system(seed):
    """Equations with coefficients of any sign, often with several solutions, at times with none."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 7), rng.integers(0, 5)
    kinds = ([0, 1], [0, 1, -1], [0, 0, 1, 2, -3], [0, 1, 2, 4])
    A = rng.choice(kinds[rng.integers(len(kinds))], (m, n))
    truth = rng.integers(0, 5, n)
    low, high = box(rng, truth)
    wrong = rng.integers(-1, 2, m) * (rng.random(m) < 0.1)
    return low, high, A, A @ truth + wrong


def margins(rows, columns, nests):
    """Equations of a table of areas by categories: sums of rows, and of columns by nest."""
    cell = np.arange(rows * columns).reshape(rows, columns)
    groups = [[*line] for line in cell]
    groups += [[*cell[nest, column]] for nest in nests for column in range(columns)]
    A = np.zeros((len(groups), cell.size), dtype=np.int64)
    for number, group in enumerate(groups):
        A[number, group] = 1
    return A


def linked_tables(seed):
    """Two-way tables, three levels of areas, or areas that do not nest; totals known or ranges.

    A range is a count of its own: the sum of the cells less a slack.
    """
    rng = np.random.default_rng(seed)
    rows, columns = [(2, 2), (2, 3), (3, 2), (3, 3), (4, 2)][rng.integers(5)]
    whole = [*range(rows)]
    ways = (
        [whole],
        [whole, whole[:2]],
        [whole[:2], whole[2:]],
        [whole[:2], whole[2:], whole],
        [whole[:2], whole[1:]],
    )
    A = margins(rows, columns, [nest for nest in ways[rng.integers(len(ways))] if nest])
    truth = rng.integers(0, 4, rows * columns)
    low, high = box(rng, truth)
    b = A @ truth
    if rng.random() < 0.5:
        slack = rng.integers(0, 3)
        A = np.hstack([A, -np.eye(len(A), 1, dtype=np.int64)])
        low, high = np.append(low, 0), np.append(high, slack + 1)
        b[0] -= slack
    return low, high, A, b


RANDOM_SYSTEMS = SEEDS.map(random_system)
LINKED_TABLES = SEEDS.map(linked_tables)


def agrees(system):
    expected = all_tables(*system)
    cells = range(len(system[0]))
    try:
        found = attack(*system, cells)
    except DisclosureError:
        assert not len(expected)
        return
    assert len(expected), "an impossible system was not noticed"
    assert np.array_equal(found.lower, expected.min(axis=0))
    assert np.array_equal(found.upper, expected.max(axis=0))
    assert found.proven.all()


@settings(max_examples=1000, deadline=None)
@given(RANDOM_SYSTEMS)
def test_equations_of_any_kind(system):
    agrees(system)


@settings(max_examples=1000, deadline=None)
@given(LINKED_TABLES)
def test_linked_tables(system):
    agrees(system)


@settings(max_examples=200, deadline=None)
@given(RANDOM_SYSTEMS, st.floats(0.5, 4))
def test_required_width_is_never_wider_than_the_truth_for_cells_that_fail(system, width):
    expected = all_tables(*system)
    if not len(expected):
        return
    low, high = expected.min(axis=0), expected.max(axis=0)
    found = feasible_intervals(*system, range(len(low)), required_width=width)
    fails = high - low < width
    assert np.array_equal(found.lower[fails], low[fails])
    assert np.array_equal(found.upper[fails], high[fails])
    assert ((found.lower <= low) & (high <= found.upper)).all()


@settings(max_examples=200, deadline=None)
@given(LINKED_TABLES, st.randoms(use_true_random=False))
def test_the_order_of_counts_and_equations_does_not_matter(system, random):
    low, high, A, b = system
    counts, equations = [*range(len(low))], [*range(len(b))]
    random.shuffle(counts)
    random.shuffle(equations)
    one = feasible_intervals(low, high, A, b, counts)
    other = feasible_intervals(
        np.array(low)[counts],
        np.array(high)[counts],
        np.asarray(A)[np.ix_(equations, counts)],
        np.array(b)[equations],
        range(len(low)),
    )
    assert np.array_equal(one.lower, other.lower)
    assert np.array_equal(one.upper, other.upper)


@settings(max_examples=200, deadline=None)
@given(LINKED_TABLES, st.data())
def test_more_knowledge_never_widens_an_interval(system, data):
    low, high, A, b = system
    cells = range(len(low))
    expected = all_tables(*system)
    truth = expected[data.draw(st.integers(0, len(expected) - 1))]
    known = data.draw(st.lists(st.sampled_from([0, 1]), min_size=len(low), max_size=len(low)))
    before = feasible_intervals(low, high, A, b, cells)
    after = feasible_intervals(low, high, [*A, known], [*b, np.dot(known, truth)], cells)
    assert (before.lower <= after.lower).all()
    assert (after.upper <= before.upper).all()
    assert ((after.lower <= truth) & (truth <= after.upper)).all()


def exposed_by_listing(system):
    """Cells exact to somebody with a record in them, or in a cell of the same equation."""
    low, _, A, _ = system
    expected = all_tables(*system)
    shares = (np.asarray(A) != 0).T.astype(int) @ (np.asarray(A) != 0).astype(int) > 0
    open_to_all = expected.min(axis=0) < expected.max(axis=0)
    exposed = np.zeros(len(low), dtype=bool)
    for member in range(len(low)):
        there = expected[expected[:, member] >= 1]
        if not len(there):
            continue
        exact = there.min(axis=0) == there.max(axis=0)
        exposed[member] |= exact[member]
        exposed |= exact & shares[member] & (low[member] == 0) & open_to_all
    return exposed


@settings(max_examples=600, deadline=None)
@given(st.one_of(LINKED_TABLES, RANDOM_SYSTEMS))
def test_insiders_as_by_listing_all_tables(system):
    try:
        found = attack(*system, range(len(system[0])), members=range(len(system[0])))
    except DisclosureError:
        assert not len(all_tables(*system))
        return
    assert np.array_equal(found.exposed, exposed_by_listing(system))


@settings(max_examples=200, deadline=None)
@given(LINKED_TABLES)
def test_networks_have_whole_vertices(system):
    """In a network the linear bounds, with any whole bounds, are those of whole tables."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    low, high, A, b = system
    if not is_network(csr_matrix(A, dtype=float)):
        return
    cell = np.zeros(len(low))
    cell[0] = 1.0
    least = linprog(cell, A_eq=A, b_eq=b, bounds=[*zip(low, high, strict=True)], method="highs")
    assert abs(least.fun - all_tables(*system)[:, 0].min()) < 1e-6


def test_what_is_a_network_and_what_is_not():
    from scipy.sparse import csr_matrix

    def network(A):
        return is_network(csr_matrix(np.array(A, dtype=float)))

    assert network(margins(3, 3, [[0, 1, 2]]))
    assert network(margins(4, 2, [[0, 1], [2, 3]]))
    # The whole follows from its two nests and may be there as well.
    assert network(margins(4, 2, [[0, 1], [2, 3], [0, 1, 2, 3]]))
    # Sums of every two of three areas: halves fit where whole numbers do not.
    assert not network(margins(3, 2, [[0, 1], [1, 2], [0, 2]]))
    assert not network([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    assert not network([[1, 2]])
