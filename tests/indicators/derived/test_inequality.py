"""The table of inequality, from inline published figures."""

from __future__ import annotations

import numpy as np
import pytest
from shown_figures import (
    NORTH,
    SOUTH,
    as_rows,
    declare,
    declare_open,
    row,
    same_bytes,
    share,
    show,
    unrounded,
)
from testshire import make_indicator

from indicators.derived.inequality import SCHEMA, inequality_table


def made(con, declared):
    return inequality_table(con, "shown", "areas", declared, "C03")


def code(i):
    return f"E0199{i:04d}"


def test_a_perfect_slope_by_hand(con):
    """25 areas of 1,000 households in fifths: 10, 20, 30, 40 and 50 cases per 1,000.

    The fifths stand at ranks 0.1, 0.3, 0.5, 0.7 and 0.9, so that the line runs from 5 to 55.
    """
    declared = declare(unrounded(make_indicator()))
    rows = [row(code(i), 10 * (1 + i // 5), 1000) for i in range(25)]
    show(con, rows, declared, {code(i): float(i) for i in range(25)})
    table = made(con, declared)
    assert table.schema == SCHEMA
    assert as_rows(table, "geography_type", "geography_code", "groups", "areas", "sii", "rii") == [
        ("region", "testshire", 5, 25, 50.0, 11.0),
        ("lad24", NORTH, 5, 25, 50.0, 11.0),
    ]
    # Each fifth of 5,000 households has variance rate / 5,000; Σ (rank - ½)² = 0.4, and so
    # var SII = Σ (rank - ½)² v / 0.4², in units of 1,000².
    variance = sum(
        (r - 0.5) ** 2 * rate / 5000
        for r, rate in zip((0.1, 0.3, 0.5, 0.7, 0.9), (0.01, 0.02, 0.03, 0.04, 0.05), strict=True)
    ) / 0.4**2  # fmt: skip
    half = 1000 * 1.959964 * variance**0.5
    assert table.column("sii_lower").to_pylist() == pytest.approx([50 - half] * 2)
    assert table.column("sii_upper").to_pylist() == pytest.approx([50 + half] * 2)
    assert table.column("value_status").to_pylist() == [None, None]


def test_a_hundred_areas_make_tenths_and_few_make_nothing(con):
    declared = declare(unrounded(make_indicator()))
    rows = [row(code(i), 50, 1000, district=NORTH if i < 81 else SOUTH) for i in range(100)]
    show(con, rows, declared, {code(i): float(i) for i in range(100)})
    assert as_rows(made(con, declared), "geography_code", "groups", "value_status") == [
        ("testshire", 10, None),
        (NORTH, 5, None),
        (SOUTH, None, "[z]"),
    ]


def test_areas_without_a_score_are_left_out(con):
    declared = declare(unrounded(make_indicator()))
    show(con, [row(code(i), 50, 1000) for i in range(30)], declared, {code(1): 3.0})
    assert as_rows(made(con, declared), "areas", "sii", "value_status")[0] == (1, None, "[z]")
    show(con, [row(code(i), 50, 1000) for i in range(30)], declared)
    assert made(con, declared).num_rows == 0


def test_one_score_for_all_is_no_order(con):
    declared = declare(unrounded(make_indicator()))
    rows = [row(code(i), 50, 1000) for i in range(30)]
    show(con, rows, declared, {code(i): 7.0 for i in range(30)})
    assert as_rows(made(con, declared), "areas", "sii", "value_status")[0] == (30, None, "[z]")


def test_hidden_counts_do_not_flatten_the_slope(con):
    """Where the least deprived are hidden, leaving them out would make them look worse."""
    draws = np.random.default_rng(20261116)
    rank = (np.arange(400) + 0.5) / 400
    x = draws.poisson(1000 * (0.004 + 0.016 * rank))
    scores = {code(i): float(i) for i in range(400)}
    exactly = declare(unrounded(make_indicator()))
    show(con, [row(code(i), int(v), 1000) for i, v in enumerate(x)], exactly, scores)
    ((exact,), _) = as_rows(made(con, exactly), "sii")
    rows = [row(code(i), int((v + 2) // 5 * 5) if v >= 5 else None, 1000) for i, v in enumerate(x)]
    show(con, rows, declare(make_indicator()), scores)
    (got, _) = as_rows(made(con, declare(make_indicator())), "areas", "areas_hidden", "sii")
    assert got[:2] == (400, int((x < 5).sum()))
    left_out = 1000 * np.polyfit(rank[x >= 5], x[x >= 5] / 1000, 1)[0]
    assert abs(got[2] - exact) < 0.3 * abs(left_out - exact)
    assert got[2] == pytest.approx(exact, rel=0.05)


def test_counts_of_open_data_are_protected_too(con):
    """The same published counts say the same, whether an agreement or a licence is behind them."""
    x = [None if i % 5 == 0 else 5 * (1 + i // 5) for i in range(40)]
    scores = {code(i): float(i) for i in range(40)}
    closed, opened = declare(make_indicator()), declare_open(make_indicator())
    assert not any(closed.is_open.values())
    assert all(opened.is_open.values())
    show(con, [row(code(i), v, 1000) for i, v in enumerate(x)], closed, scores)
    columns = "areas", "areas_hidden", "sii", "sii_lower", "sii_upper"
    (of_open, _) = as_rows(made(con, opened), *columns)
    assert of_open[:2] == (40, 8)
    assert of_open == as_rows(made(con, closed), *columns)[0]


def test_rounding_leaves_the_slope_less_sure_than_exact_counts_would(con):
    scores = {code(i): float(i) for i in range(40)}
    rows = [row(code(i), 5 * (1 + i // 5), 1000) for i in range(40)]
    width = []
    for indicator in (unrounded(make_indicator()), make_indicator()):
        show(con, rows, declare(indicator), scores)
        ((lower, upper), _) = as_rows(made(con, declare_open(indicator)), "sii_lower", "sii_upper")
        width.append(upper - lower)
    assert width[1] > 1.01 * width[0]


def test_mostly_hidden_is_marked_and_wholly_hidden_has_no_figure(con):
    declared = declare(make_indicator())
    scores = {code(i): float(i) for i in range(40)}
    show(con, [row(code(i), None if i % 8 else 5, 1000) for i in range(40)], declared, scores)
    assert as_rows(made(con, declared), "areas_hidden", "value_status")[0] == (35, "[u]")
    show(con, [row(code(i), None, 1000) for i in range(40)], declared, scores)
    assert as_rows(made(con, declared), "sii", "value_status")[0] == (None, "[c]")


def test_shares_and_a_line_that_reaches_nothing(con):
    declared = declare(unrounded(share()))
    rows = [row(code(i), 0 if i < 20 else 90, 100) for i in range(25)]
    show(con, rows, declared, {code(i): float(i) for i in range(25)})
    ((sii, rii, status), _) = as_rows(made(con, declared), "sii", "rii", "value_status")
    # Fifths of 0, 0, 0, 0 and 90 %: slope 0.4 * 90 / 0.4 = 90, from -27 to 63: no ratio.
    assert (sii, rii, status) == (90.0, None, None)


def test_the_order_of_rows_changes_no_byte(con):
    declared = declare(make_indicator())
    rows = [row(code(i), 5 * (i % 7) or None, 900 + i) for i in range(60)]
    show(con, rows, declared, {code(i): float(i % 11) for i in range(60)})
    assert same_bytes(con, lambda: made(con, declared))
