"""What each profile makes of a count, in Python, in bulk and in SQL, and what that gives away."""

from __future__ import annotations

import math
from typing import Any, get_args

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.base import ProfileName
from declarations.errors import DisclosureError
from governance.disclosure import CONFIDENTIAL, protect_count, protect_sql
from governance.disclosure.counts import (
    bounds,
    bounds_of,
    bounds_sql,
    could_be_shown,
    protect,
    protect_all,
    status_sql,
)
from governance.disclosure.profiles import Profile, Rounding, SmallCounts, profile

NAMES = get_args(ProfileName)
ALONE = [n for n in NAMES if n != "ckm"]
"""Profiles under which a count can be protected by itself."""

C, LOW = (None, "[c]"), (None, "[low]")

#    profile: exact count, as published
TABLE: dict[str, list[tuple[int, tuple[int | None, str | None]]]] = {
    "hide0-r5": [
        (0, C), (1, C), (2, C), (3, C), (4, C),
        (5, (5, None)), (6, (5, None)), (7, (5, None)), (8, (10, None)), (12, (10, None)),
        (13, (15, None)), (22, (20, None)), (23, (25, None)),
        (1_000_002, (1_000_000, None)), (1_000_003, (1_000_005, None)),
    ],
    "r5": [
        (0, LOW), (1, LOW), (2, LOW), (3, (5, None)), (4, (5, None)), (5, (5, None)),
        (7, (5, None)), (8, (10, None)), (12, (10, None)), (13, (15, None)),
    ],
    "hes-7/5": [
        (0, (0, None)), (1, C), (6, C), (7, C), (8, (10, None)), (9, (10, None)),
        (12, (10, None)), (13, (15, None)),
    ],
    "midpoint-6": [
        (0, (0, None)), (1, (3, None)), (5, (3, None)), (6, (3, None)), (7, (9, None)),
        (12, (9, None)), (13, (15, None)), (600, (597, None)), (601, (603, None)),
    ],
    "ons-10-5": [
        (0, C), (1, C), (8, C), (9, C), (10, (10, None)), (11, (10, None)), (12, (10, None)),
        (13, (15, None)),
    ],
    "suppress": [
        (0, (0, None)), (1, C), (3, C), (4, C), (5, (5, None)), (6, (6, None)),
        (1234, (1234, None)),
    ],
}  # fmt: skip
ROWS = [(name, exact, shown) for name, rows in TABLE.items() for exact, shown in rows]

#    profile, value, status, lowest, highest
KNOWN: list[tuple[str, int | None, str | None, int, float]] = [
    ("hide0-r5", None, "[c]", 0, 4), ("hide0-r5", 5, None, 5, 7), ("hide0-r5", 10, None, 8, 12),
    ("r5", None, "[low]", 0, 2), ("r5", 5, None, 3, 7), ("r5", 10, None, 8, 12),
    ("hes-7/5", None, "[c]", 1, 7), ("hes-7/5", 0, None, 0, 0), ("hes-7/5", 10, None, 8, 12),
    ("midpoint-6", 0, None, 0, 0), ("midpoint-6", 3, None, 1, 6), ("midpoint-6", 9, None, 7, 12),
    ("ons-10-5", None, "[c]", 0, 9), ("ons-10-5", 10, None, 10, 12), ("ons-10-5", 15, None, 13, 17),
    ("suppress", None, "[c]", 1, math.inf), ("suppress", 0, None, 0, 0),
    ("suppress", 5, None, 5, 5),
    ("ckm", 0, None, 0, 5), ("ckm", 3, None, 1, 8), ("ckm", 6, None, 1, 11),
    ("ckm", 7, None, 2, 12),
]  # fmt: skip


def tens(kind: str = "nearest", **small: Any) -> Profile:
    """Return a profile with a base of ten, so that there is a half to be taken up."""
    rule = {"below": 5, "hidden_below": 0, "marker": None, "zeros": "shown", **small}
    changes = {"rounding": Rounding(kind=kind, base=10), "small": SmallCounts(**rule)}  # type: ignore[arg-type]
    return profile("midpoint-6").model_copy(update=changes)


def in_sql(
    values: list[int | None], rule: Profile | None = None, type_: str = "BIGINT"
) -> list[tuple[int | None, str | None]]:
    con = duckdb.connect()
    try:
        return con.execute(
            f"SELECT {protect_sql('n', rule)}, {status_sql('n', rule)} "
            f"FROM (SELECT unnest(?::{type_}[]) AS n, generate_subscripts(?::{type_}[], 1) AS i) "
            "ORDER BY i",
            [values, values],
        ).fetchall()
    finally:
        con.close()


@pytest.mark.parametrize(("name", "exact", "shown"), ROWS)
def test_each_profile_by_its_table(
    name: str, exact: int, shown: tuple[int | None, str | None]
) -> None:
    assert protect(exact, profile(name)) == shown
    assert protect_count(exact, profile(name)) == shown[0]


@pytest.mark.parametrize("name", ALONE)
def test_sql_and_arrays_follow_the_same_table(name: str) -> None:
    exact, shown = [e for e, _ in TABLE[name]], [s for _, s in TABLE[name]]

    values, statuses = protect_all(exact, profile(name))

    assert in_sql([*exact], profile(name)) == shown
    assert [None if math.isnan(v) else v for v in values] == [v for v, _ in shown]
    assert list(statuses) == [s for _, s in shown]


def test_without_a_profile_the_default_is_used() -> None:
    for exact, shown in TABLE["hide0-r5"]:
        assert protect_count(exact) == shown[0]
        assert in_sql([exact]) == [shown]
    assert CONFIDENTIAL == "[c]"


@pytest.mark.parametrize("name", ALONE)
def test_the_threshold_itself_is_the_first_that_is_shown(name: str) -> None:
    rule = profile(name)
    first = rule.small.hidden_below or 1

    if rule.small.marker is not None:
        assert protect(first - 1, rule) == (None, rule.small.marker)
    for count in (first, first + 1):
        assert protect(count, rule).status is None
        assert protect(count, rule).value is not None


@pytest.mark.parametrize("name", ALONE)
def test_missing_stays_missing_and_is_not_called_hidden(name: str) -> None:
    values, statuses = protect_all([np.nan], profile(name))

    assert protect(None, profile(name)) == (None, None)
    assert in_sql([None], profile(name)) == [(None, None)]
    assert np.isnan(values[0])
    assert statuses[0] is None


@pytest.mark.parametrize("count", [-1, -5, -1000])
@pytest.mark.parametrize("name", ALONE)
def test_a_negative_number_is_no_count(name: str, count: int) -> None:
    for refused in (
        lambda: protect(count, profile(name)),
        lambda: protect_all([count], profile(name)),
    ):
        with pytest.raises(DisclosureError, match="negative") as raised:
            refused()
        assert str(count) not in str(raised.value)
    assert in_sql([count], profile(name)) == [(None, profile(name).small.marker)]


def test_a_fraction_is_no_count() -> None:
    with pytest.raises(DisclosureError, match="fraction"):
        protect_all([4.0, 6.5], profile("hide0-r5"))


def test_halves_go_up() -> None:
    rule, cases = tens(), [(4, 0), (5, 10), (14, 10), (15, 20), (24, 20), (25, 30)]

    assert [protect_count(exact, rule) for exact, _ in cases] == [shown for _, shown in cases]
    assert in_sql([e for e, _ in cases], rule) == [(shown, None) for _, shown in cases]
    assert bounds(10, None, rule) == (5, 14)
    assert bounds(0, None, rule) == (0, 4)


@pytest.mark.parametrize("name", ["ckm"])
def test_a_count_alone_cannot_be_perturbed(name: str) -> None:
    for refused in (
        lambda: protect(7, profile(name)),
        lambda: protect_all([7], profile(name)),
        lambda: protect_sql("n", profile(name)),
        lambda: status_sql("n", profile(name)),
    ):
        with pytest.raises(DisclosureError, match="cell_key"):
            refused()


def test_a_count_alone_cannot_be_rounded_so_that_tables_add_up() -> None:
    with pytest.raises(DisclosureError, match="whole table"):
        protect(7, tens("controlled"))


@pytest.mark.parametrize(("name", "value", "status", "lowest", "highest"), KNOWN)
def test_what_a_figure_gives_away(
    name: str, value: int | None, status: str | None, lowest: int, highest: float
) -> None:
    assert bounds(value, status, profile(name)) == (lowest, highest)


@pytest.mark.parametrize("name", ALONE)
def test_the_bounds_are_exactly_the_counts_that_are_shown_so(name: str) -> None:
    rule = profile(name)
    counts: dict[tuple[int | None, str | None], list[int]] = {}
    for exact in range(400):
        counts.setdefault(protect(exact, rule), []).append(exact)
        if rule.secondary and exact >= 1:
            # Any cell that is not empty may be hidden to protect another.
            counts.setdefault((None, rule.small.marker), []).append(exact)
    for shown, behind in counts.items():
        if max(behind) > 390:
            continue  # cut short by the range
        lowest, highest = bounds(*shown, rule)
        assert (lowest, highest) == (min(behind), max(behind))
        assert set(behind) == set(range(lowest, int(highest) + 1))
    if rule.secondary:
        assert bounds(None, rule.small.marker, rule) == (1, math.inf)
    possible = {value for value, _ in counts if value is not None and value < 390}
    assert {v for v in range(390) if could_be_shown(v, rule)} == possible


def test_the_bounds_of_noise_are_exactly_the_counts_it_can_come_from() -> None:
    rule = profile("ckm")
    noise = rule.perturbation
    assert noise is not None
    for shown in range(60):
        changes = range(-noise.deviation, noise.deviation + 1)
        behind = [shown - c for c in changes if shown - c > 0] + ([0] if shown == 0 else [])
        if could_be_shown(shown, rule):
            assert bounds(shown, None, rule) == (min(behind), max(behind))
    assert [v for v in range(8) if not could_be_shown(v, rule)] == [1, 2]


def test_no_perturbed_count_lies_outside_its_bounds() -> None:
    from governance.disclosure.cell_key import maximum_entropy_table

    rule = profile("ckm")
    noise = rule.perturbation
    assert noise is not None
    table = maximum_entropy_table(noise.deviation, noise.variance, noise.blocked, noise.keys)
    for exact in range(60):
        keys = np.arange(noise.keys)
        for shown in set(table.apply(np.full(noise.keys, exact), keys).tolist()):
            lowest, highest = bounds(shown, None, rule)
            assert lowest <= exact <= highest


def test_the_bounds_of_controlled_rounding_are_those_of_the_two_multiples_beside() -> None:
    rule = tens("controlled")

    assert bounds(0, None, rule) == (0, 9)
    assert bounds(10, None, rule) == (1, 19)
    assert bounds(30, None, rule) == (21, 39)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_figure_gives_nothing_away(name: str) -> None:
    for status in (None, "", "[x]", "[u]", "[x][r]"):
        assert bounds(None, status, profile(name)) == (0, math.inf)


def test_other_markers_beside_say_nothing_of_the_count() -> None:
    assert bounds(None, "[c][r]", profile("hide0-r5")) == (0, 4)
    assert bounds(10, "[r]", profile("hide0-r5")) == (8, 12)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("hide0-r5", 7, None), ("hide0-r5", 0, None), ("hide0-r5", None, "[low]"),
        ("hide0-r5", 5, "[c]"), ("hide0-r5", -5, None), ("r5", 0, None), ("r5", None, "[c]"),
        ("hes-7/5", 5, None), ("midpoint-6", 6, None), ("midpoint-6", None, "[c]"),
        ("ons-10-5", 5, None), ("suppress", 3, None), ("ckm", 2, None), ("ckm", None, "[c]"),
    ],
)  # fmt: skip
def test_a_figure_the_profile_never_gives_is_refused(
    name: str, value: int | None, status: str | None
) -> None:
    number = np.nan if value is None else value

    with pytest.raises(DisclosureError, match="none that the profile"):
        bounds(value, status, profile(name))
    with pytest.raises(DisclosureError, match="none that the profile"):
        bounds_of([number], [status], profile(name))
    if status is None and value is not None:
        assert not could_be_shown(value, profile(name))


def test_a_fraction_is_no_figure() -> None:
    with pytest.raises(DisclosureError, match="none that the profile"):
        bounds_of([10.5], [None], profile("hide0-r5"))


@pytest.mark.parametrize("name", NAMES)
def test_the_bounds_of_many_are_those_of_each(name: str) -> None:
    rule = profile(name)
    figures: list[tuple[int | None, str | None]] = [
        (v, None) for v in range(60) if could_be_shown(v, rule)
    ]
    figures += [(None, None), (None, "[x]"), *figures[:5]]
    if rule.small.marker is not None:
        figures += [(None, rule.small.marker), (None, f"{rule.small.marker}[r]")]

    lower, upper = bounds_of(
        [np.nan if v is None else v for v, _ in figures], [s for _, s in figures], rule
    )

    assert list(zip(lower, upper, strict=True)) == [bounds(v, s, rule) for v, s in figures]


def test_the_bounds_of_none_are_none() -> None:
    lower, upper = bounds_of([], [], profile("hide0-r5"))

    assert lower.shape == upper.shape == (0,)


@pytest.mark.parametrize("rule", [*map(profile, NAMES), tens(), tens("controlled")], ids=str)
def test_the_bounds_in_sql_are_the_same(rule: Profile) -> None:
    values = [v for v in range(200) if could_be_shown(v, rule)]
    lower, upper = bounds_sql("v", "false", rule)
    with duckdb.connect() as con:
        found = con.execute(
            f"SELECT {lower}, {upper} FROM (SELECT unnest(?::BIGINT[]) AS v)", [values]
        ).fetchall()
        assert found == [bounds(v, None, rule) for v in values]
        hidden = ", ".join(bounds_sql("NULL::BIGINT", "true", rule))
        missing = ", ".join(bounds_sql("NULL::BIGINT", "false", rule))
        assert con.execute(f"SELECT {missing}").fetchone() == (None, None)
        if rule.small.marker is not None:
            lowest, highest = bounds(None, rule.small.marker, rule)
            most = None if math.isinf(highest) else highest
            assert con.execute(f"SELECT {hidden}").fetchone() == (lowest, most)


@pytest.mark.parametrize("name", ALONE)
@settings(max_examples=30, deadline=None, database=None)
@given(st.lists(st.none() | st.integers(0, 60) | st.integers(0, 2**62), min_size=1, max_size=40))
def test_python_and_sql_agree_and_the_truth_is_in_bounds(
    name: str, counts: list[int | None]
) -> None:
    rule = profile(name)
    expected = [protect(v, rule) for v in counts]

    assert in_sql(counts, rule) == expected
    for exact, shown in zip(counts, expected, strict=True):
        lowest, highest = bounds(*shown, rule)
        assert exact is None or lowest <= exact <= highest
        # Nothing that is sensitive is shown by itself.
        assert exact is None or not 1 <= exact < rule.small.below or highest - lowest >= 2


def test_counts_beyond_what_fits_sixty_four_bits() -> None:
    big = 10**30 + 3

    assert protect_count(big) == 10**30 + 5
    assert bounds(10**30, None, profile("hide0-r5")) == (10**30 - 2, 10**30 + 2)
    assert in_sql([10**30 + 3], type_="HUGEINT") == [(10**30 + 5, None)]


@pytest.mark.parametrize("name", ALONE)
@settings(max_examples=40, deadline=None, database=None)
@given(count=st.integers(0, 10**12))
def test_protecting_what_is_shown_changes_nothing_more(name: str, count: int) -> None:
    once = protect_count(count, profile(name))

    assert protect_count(once, profile(name)) == once


@pytest.mark.parametrize("name", ALONE)
@settings(max_examples=30, deadline=None, database=None)
@given(counts=st.lists(st.integers(0, 2**50) | st.integers(0, 30), max_size=30))
def test_arrays_agree_with_single_counts(name: str, counts: list[int]) -> None:
    values, statuses = protect_all(counts, profile(name))

    found = [(None if math.isnan(v) else int(v), s) for v, s in zip(values, statuses, strict=True)]
    assert found == [protect(c, profile(name)) for c in counts]


@pytest.mark.parametrize("name", ALONE)
def test_the_least_a_sensitive_count_leaves_open_is_what_the_profile_demands(name: str) -> None:
    rule = profile(name)
    for count in range(1, rule.small.below):
        lowest, highest = bounds(*protect(count, rule), rule)
        assert highest - lowest >= rule.safe.width
        if rule.safe.outside:
            assert lowest == 0 or highest >= rule.small.below
