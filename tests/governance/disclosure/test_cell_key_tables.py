"""Perturbation tables: what is declared holds, what cannot be is refused, and what comes back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from declarations.errors import ConfigurationError, DisclosureError
from governance.disclosure.cell_key.entropy import (
    VARIANCE_TOLERANCE,
    check_parameters,
    maximum_entropy_row,
    maximum_entropy_table,
    moments,
)
from governance.disclosure.cell_key.ptable import (
    PerturbationTable,
    bounds,
    bounds_of,
    row_of,
    table_from_columns,
    ten_five_table,
)

DECLARED = [(1, 0.5, 0), (2, 1.0, 0), (3, 2.25, 1), (5, 3.0, 2), (5, 4.0, 3), (8, 5.0, 0)]


@pytest.fixture(scope="module", params=itertools.product(DECLARED, [256, 4096]), ids=str)
def made(request: pytest.FixtureRequest) -> tuple[int, float, int, PerturbationTable]:
    (deviation, variance, blocked), keys = request.param
    table = maximum_entropy_table(deviation, variance, blocked, keys)
    assert table.keys == keys
    return deviation, variance, blocked, table


def test_the_declared_properties_hold_in_every_row(
    made: tuple[int, float, int, PerturbationTable],
) -> None:
    deviation, variance, blocked, table = made
    mean, reached = moments(table)
    results = table.noise + np.arange(751)[:, None]

    assert (np.abs(mean) * table.keys < deviation).all()
    assert np.abs(reached / variance - 1).max() <= VARIANCE_TOLERANCE[table.keys]
    assert np.abs(table.noise).max() == table.deviation <= deviation
    assert results.min() == 0
    assert not np.isin(results[1:], np.arange(1, blocked + 1)).any()
    assert (results[0] == 0).all()


def test_the_mean_is_exactly_nothing_for_every_count_not_near_nothing(
    made: tuple[int, float, int, PerturbationTable],
) -> None:
    deviation, _, blocked, table = made

    assert (table.noise[deviation + blocked + 1 :].sum(axis=1) == 0).all()


def test_the_same_declaration_makes_the_same_table() -> None:
    first, second = (maximum_entropy_table(5, 3.0, 2) for _ in range(2))

    assert (first.noise == second.noise).all()
    with pytest.raises(ValueError, match="read-only"):
        first.noise[1, 0] = 0


@pytest.mark.parametrize(("deviation", "variance", "blocked"), DECLARED)
def test_no_other_distribution_with_these_properties_is_more_even(
    deviation: int, variance: float, blocked: int
) -> None:
    """Against a general solver of the primal problem."""
    for count in (1, deviation, deviation + blocked + 1):
        changes, shares = maximum_entropy_row(count, deviation, variance, blocked)
        assert shares @ np.ones(len(changes)) == pytest.approx(1)
        assert shares @ changes == pytest.approx(0, abs=1e-6)
        assert shares @ changes**2 == pytest.approx(variance, abs=1e-4)

        start = np.full(len(changes), 1 / len(changes))
        equalities = np.vstack((np.ones(len(changes)), changes, changes**2))
        primal = minimize(
            lambda p: float(p @ np.log(np.maximum(p, 1e-300))),
            start,
            bounds=[(1e-12, 1)] * len(changes),
            constraints={
                "type": "eq",
                "fun": lambda p, A=equalities: A @ p - [1, 0, variance],
            },
            method="SLSQP",
            options={"ftol": 1e-12, "maxiter": 1000},
        )
        entropy = -float(shares @ np.log(np.maximum(shares, 1e-300)))
        assert entropy >= -primal.fun - 1e-5


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 8),
    st.integers(0, 6),
    st.integers(1, 40).map(lambda n: n / 4),
)
def test_exactly_what_no_distribution_can_have_is_refused(
    deviation: int, blocked: int, variance: float
) -> None:
    """Against a linear programme for each count: is there any distribution at all?"""

    def possible(count: int) -> bool:
        values = [
            v for v in range(-deviation, deviation + 1) if count + v == 0 or count + v > blocked
        ]
        rows = np.array([np.ones(len(values)), values, np.square(values)], dtype=float)
        return (
            bool(values)
            and linprog(np.zeros(len(values)), A_eq=rows, b_eq=[1, 0, variance]).success
        )

    if all(possible(count) for count in range(1, deviation + blocked + 2)):
        check_parameters(deviation, variance, blocked)
    else:
        with pytest.raises(ConfigurationError):
            check_parameters(deviation, variance, blocked)


@pytest.mark.parametrize(
    ("deviation", "variance", "blocked", "words"),
    [
        (5, 5.5, 0, "from 0 to 5"),
        (5, 1.0, 2, "from 2 to 5"),
        (2, 1.0, 2, "of no size at all"),
        (5, 0.0, 0, "from 0 to 5"),
        (5, float("nan"), 0, "from 0 to 5"),
        (0, 1.0, 0, "greatest deviation"),
        (21, 1.0, 0, "greatest deviation"),
        (3, 1.0, -1, "greatest deviation"),
    ],
)
def test_the_refusal_names_what_is_possible(
    deviation: int, variance: float, blocked: int, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        maximum_entropy_table(deviation, variance, blocked)


def test_a_variance_too_small_for_so_few_keys_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="4096"):
        maximum_entropy_table(3, 0.001, 0, 256)


def test_on_the_edge_the_one_distribution_is_found() -> None:
    """D = 2, js = 1: 1 may become 0, 2 or 3; with variance 1 it must be 0 or 2, half and half."""
    changes, shares = maximum_entropy_row(1, 2, 1.0, 1)

    assert dict(zip(changes.tolist(), shares.tolist(), strict=True)) == {-1: 0.5, 1: 0.5, 2: 0.0}


@pytest.mark.parametrize(
    ("count", "row"),
    [(0, 0), (1, 1), (750, 750), (751, 501), (752, 502), (1000, 750), (1001, 501), (10**9, 750)],
)
def test_great_counts_use_the_last_rows_again(count: int, row: int) -> None:
    assert row_of([count]).tolist() == [row]


@pytest.mark.parametrize(
    ("count", "published"),
    [(0, 0), (1, 0), (9, 0), (10, 10), (12, 10), (13, 15), (17, 15), (750, 750), (753, 755)],
)
def test_the_ten_five_table_hides_below_ten_and_rounds(count: int, published: int) -> None:
    counts = np.full(256, count)

    assert set(ten_five_table().apply(counts, np.arange(256)).tolist()) == {published}


def test_a_table_survives_being_written_as_columns() -> None:
    table = maximum_entropy_table(5, 3.0, 2)
    rows, keys = np.mgrid[1:751, 0:256]
    order = np.random.default_rng(1).permutation(rows.size)
    again = table_from_columns(
        rows.ravel()[order], keys.ravel()[order], table.noise[1:].ravel()[order]
    )

    assert (again.noise == table.noise).all()


def test_tables_that_cannot_be_used_are_refused() -> None:
    good = ten_five_table()
    rows, keys = (a.ravel() for a in np.mgrid[1:751, 0:256])
    changes = good.noise[1:].ravel()
    with pytest.raises(ConfigurationError, match="lacks 1 pairs"):
        table_from_columns(*(np.delete(column, 5) for column in (rows, keys, changes)))
    with pytest.raises(ConfigurationError, match="and has 1 twice"):
        table_from_columns([*rows, 1], [*keys, 1], [*changes, 0])
    with pytest.raises(ConfigurationError, match="neither 256 nor 4096"):
        table_from_columns([1], [99], [0])
    with pytest.raises(ConfigurationError, match="whole numbers"):
        table_from_columns(rows, keys, changes / 2)
    with pytest.raises(ConfigurationError, match="unequal lengths"):
        table_from_columns(rows, keys, changes[1:])
    with pytest.raises(ConfigurationError, match="rows above"):
        table_from_columns(rows + 1, keys, changes)

    def changed(row: int, change: int) -> None:
        noise = good.noise.copy()
        noise[row, 3] = change
        PerturbationTable(noise)

    changed(3, -3)
    with pytest.raises(ConfigurationError, match="negative in 1 rows"):
        changed(3, -4)
    with pytest.raises(ConfigurationError, match="true zeros"):
        changed(0, 1)
    with pytest.raises(ConfigurationError, match="more than 250"):
        changed(3, 251)
    with pytest.raises(ConfigurationError, match="rows 0 to 750"):
        PerturbationTable(good.noise[:-1])
    with pytest.raises(ConfigurationError, match="changes no count"):
        PerturbationTable(np.zeros((751, 256), dtype=np.int16))


def test_a_table_says_nothing_of_its_noise() -> None:
    assert repr(maximum_entropy_table(5, 3.0, 2)) == "PerturbationTable(…)"


def brute_force(table: PerturbationTable, last: int) -> dict[int, set[int]]:
    origins: dict[int, set[int]] = {}
    for count in range(last + 1):
        for change in {*table.noise[row_of([count])[0]].tolist()}:
            origins.setdefault(count + change, set()).add(count)
    return origins


@pytest.mark.parametrize(
    "table",
    [ten_five_table(), maximum_entropy_table(5, 3.0, 2), maximum_entropy_table(3, 2.0, 0, 4096)],
    ids=["10-5", "random 256", "random 4096"],
)
def test_bounds_are_what_a_count_can_come_from(table: PerturbationTable) -> None:
    last = 1600
    origins = brute_force(table, last)

    for value in range(last - table.deviation):
        if value in origins:
            assert bounds(value, table) == (min(origins[value]), max(origins[value]))
        else:
            with pytest.raises(DisclosureError, match="cannot come from"):
                bounds(value, table)


def test_bounds_lie_within_the_deviation_and_a_count_never_comes_from_nothing() -> None:
    table = maximum_entropy_table(5, 3.0, 2)

    assert bounds(0, table) == (0, 5)
    for value in range(3, 2000):
        lower, upper = bounds(value, table)
        assert max(1, value - 5) <= lower <= value <= upper <= value + 5


def test_bounds_of_what_is_hidden_or_missing() -> None:
    table = ten_five_table()

    assert bounds(None, table, threshold=10) == (0, 9)
    assert bounds(None, table) == (0, float("inf"))
    assert bounds(10, table, threshold=10) == (10, 12)
    with pytest.raises(DisclosureError):
        bounds(5, table, threshold=10)


def test_many_bounds_are_each_ones_bounds() -> None:
    table = maximum_entropy_table(5, 3.0, 2)
    values = [None, 0, 3, 8, 749, 755, 756, 1005, 10**9]
    lower, upper = bounds_of(np.array([np.nan if v is None else v for v in values]), table)

    assert [*zip(lower.tolist(), upper.tolist(), strict=True)] == [bounds(v, table) for v in values]
    for impossible in (-1.0, 2.5, 1.0, 2.0, float("inf")):
        with pytest.raises(DisclosureError) as raised:
            bounds_of(np.array([3.0, impossible]), table)
        assert str(impossible) not in str(raised.value)
