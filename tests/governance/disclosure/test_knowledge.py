"""What publications say besides counts: the truth satisfies it, and the attack grows by it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import DisclosureError
from governance.disclosure.attacker.intervals import feasible_intervals
from governance.disclosure.attacker.system import SystemBuilder
from governance.disclosure.known.knowledge import (
    Measured,
    Rate,
    both_vintages,
    contained,
    made_of,
    public_total,
    published_rate,
    quantile_classes,
    ranked,
    rate_between,
    rate_of_unknown_denominator,
    rolling_totals,
)

HIDDEN = (0, 4)
"""What `[c]` says under the default profile."""


def attacked(builder: SystemBuilder, *numbers: int) -> list[tuple[float, float]]:
    system = builder.build()
    found = feasible_intervals(system.lower, system.upper, system.A, system.b, list(numbers))
    return list(zip(found.lower.tolist(), found.upper.tolist(), strict=True))


def with_counts(*bounds: tuple[float, float]) -> tuple[SystemBuilder, list[int]]:
    builder = SystemBuilder()
    return builder, [builder.count(i, *b) for i, b in enumerate(bounds)]


def holds(builder: SystemBuilder, truth: dict[int, int]) -> bool:
    """Whether the true counts satisfy everything said: bounds, and rows whatever their slacks."""
    system = builder.build()
    lower, upper = system.lower.copy(), system.upper.copy()
    for number, value in truth.items():
        if not lower[number] <= value <= upper[number]:
            return False
        lower[number] = upper[number] = value
    try:
        feasible_intervals(lower, upper, system.A, system.b, [0])
    except DisclosureError:
        return False
    return True


class TestRates:
    def test_a_rate_times_its_denominator_is_the_count(self) -> None:
        builder, (x,) = with_counts((0, 7))

        published_rate(builder, x, Rate("0.5", 1, 100), 600)

        assert attacked(builder, x) == [(3, 3)]

    def test_few_decimals_leave_what_they_cannot_tell(self) -> None:
        builder, (x,) = with_counts((0, 100))

        published_rate(builder, x, Rate(1, 0, 100), 1000)

        # 0.5 % to 1.5 % of 1,000, both halves possible.
        assert attacked(builder, x) == [(5, 15)]

    def test_a_rate_of_zero_bounds_the_count_from_above(self) -> None:
        builder, (x,) = with_counts((0, 100))

        published_rate(builder, x, Rate(0.0, 1, 1000), 1500)

        # 0.05 per 1,000 of 1,500 is 0.075.
        assert attacked(builder, x) == [(0, 0)]

    def test_a_float_is_read_as_it_is_shown(self) -> None:
        assert Rate(0.3, 1, 1).limits() == (Fraction(1, 4), Fraction(7, 20))

    @pytest.mark.parametrize(
        "rate", [Rate("n/a", 1), Rate("0.55", 1), Rate(float("inf"), 1), Rate(1, 0, 0)]
    )
    def test_what_is_no_published_rate_is_refused(self, rate) -> None:
        with pytest.raises(DisclosureError):
            rate.limits()

    def test_a_denominator_of_nothing_is_refused(self) -> None:
        builder, (x,) = with_counts((0, 4))
        with pytest.raises(DisclosureError, match="denominator"):
            published_rate(builder, x, Rate(1, 0), 0)

    def test_a_rate_that_no_whole_count_gives_is_refused(self) -> None:
        builder, (x,) = with_counts((0, 4))
        with pytest.raises(DisclosureError, match="contradict"):
            published_rate(builder, x, Rate("33.3", 1), 100)

    def test_an_unknown_denominator_between_bounds_still_tells(self) -> None:
        builder, (x, n) = with_counts((0, 100), (48, 52))

        rate_of_unknown_denominator(builder, x, Rate(20, 0, 100), n)

        # 19.5 % of 48 is 9.36, 20.5 % of 52 is 10.66.
        assert attacked(builder, x, n) == [(10, 10), (49, 51)]

    def test_an_unknown_denominator_without_bounds_tells_of_both_only_together(self) -> None:
        builder, (x, n) = with_counts((1, 4), (0, np.inf))

        rate_of_unknown_denominator(builder, x, Rate(50, 0, 100), n)

        # n between x / 0.505 and x / 0.495 is 2x for x up to 4.
        assert attacked(builder, n) == [(2, 8)]

    def test_limits_of_a_class_on_a_map(self) -> None:
        builder, (x,) = with_counts((0, 100))

        rate_between(builder, Measured(x, 300), Fraction(1, 100), Fraction(2, 100))

        assert attacked(builder, x) == [(3, 6)]

    @settings(max_examples=150, deadline=None)
    @given(
        st.integers(0, 60), st.integers(1, 400), st.integers(0, 3), st.sampled_from([1, 100, 1000])
    )
    def test_the_truth_is_within_what_its_rate_says(self, x, n, decimals, multiplier) -> None:
        exact = Fraction(x * multiplier, n)
        for shown in (round(exact, decimals), round(float(exact), decimals)):
            rate = Rate(Decimal(str(float(shown))), decimals, multiplier)
            builder, (count, denominator) = with_counts((0, np.inf), (0, np.inf))

            published_rate(builder, count, rate, n)
            system = builder.build()
            assert system.lower[count] <= x <= system.upper[count]
            # Nothing further out would have been rounded to what is shown.
            unit = Fraction(1, 10**decimals)
            for beyond in (system.lower[count] - 1, system.upper[count] + 1):
                assert beyond < 0 or abs(Fraction(int(beyond) * multiplier, n) - shown) > unit / 2

            rate_of_unknown_denominator(builder, count, rate, denominator)
            low, high = rate.limits()
            assert low * n <= x <= high * n


class TestRanks:
    def test_rank_order_of_counts_bounds_each_by_its_neighbours(self) -> None:
        builder, (a, b, c) = with_counts(HIDDEN, (3, 7), (5, 5))

        ranked(builder, [Measured(c), Measured(a), Measured(b)])

        assert attacked(builder, a, b) == [(3, 4), (3, 4)]

    def test_a_strict_order_tells_more(self) -> None:
        builder, (a, b, c) = with_counts(HIDDEN, HIDDEN, HIDDEN)

        ranked(builder, [Measured(a), Measured(b), Measured(c)], strict=True)

        assert attacked(builder, a, b, c) == [(2, 4), (1, 3), (0, 2)]

    def test_rank_order_of_rates_weighs_the_denominators(self) -> None:
        builder, (a, b) = with_counts(HIDDEN, (10, 10))

        ranked(builder, [Measured(a, 100), Measured(b, 400)])

        # a / 100 >= 10 / 400.
        assert attacked(builder, a) == [(3, 4)]

    def test_an_order_that_is_not_true_fits_no_table(self) -> None:
        builder, (a, b) = with_counts((0, 2), (3, 3))
        ranked(builder, [Measured(a), Measured(b)])

        assert not holds(builder, {})


class TestClasses:
    def test_a_class_lies_between_its_neighbours(self) -> None:
        builder, (a, b, c, d) = with_counts((2, 2), HIDDEN, HIDDEN, (3, 3))

        quantile_classes(builder, [[Measured(a)], [Measured(b), Measured(c)], [Measured(d)]])

        assert attacked(builder, b, c) == [(2, 3), (2, 3)]

    def test_members_of_one_class_say_nothing_of_each_other(self) -> None:
        builder, (a, b) = with_counts(HIDDEN, (3, 3))

        quantile_classes(builder, [[], [Measured(a), Measured(b)], []])

        assert attacked(builder, a) == [HIDDEN]

    @pytest.mark.parametrize("pairs", [0, 100])
    def test_classes_of_rates_tell_the_same_whether_compared_singly_or_by_a_limit(
        self, pairs
    ) -> None:
        builder, (a, b, c) = with_counts((10, 10), HIDDEN, HIDDEN)

        quantile_classes(
            builder, [[Measured(b, 97)], [Measured(a, 400), Measured(c, 130)]], pairs=pairs
        )

        # c is only above what is below it; b / 97 <= 10 / 400 means b <= 2.4.
        assert attacked(builder, b, c) == [(0, 2), (0, 4)]

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, 9), st.integers(1, 30)), min_size=3, max_size=7),
        st.sampled_from([0, 100]),
    )
    def test_the_truth_satisfies_the_classes_made_of_it(self, figures, pairs) -> None:
        order = sorted(range(len(figures)), key=lambda i: Fraction(*figures[i]))
        builder, numbers = with_counts(*[(0, 9)] * len(figures))
        cut = len(order) // 3
        classes = [order[:cut], order[cut : 2 * cut], order[2 * cut :]]

        quantile_classes(
            builder,
            [[Measured(numbers[i], figures[i][1]) for i in members] for members in classes],
            pairs=pairs,
        )
        ranked(builder, [Measured(numbers[i], figures[i][1]) for i in reversed(order)])

        assert holds(builder, {n: x for n, (x, _) in zip(numbers, figures, strict=True)})


class TestRollingTotals:
    def test_two_rolling_years_give_the_change_of_a_quarter(self) -> None:
        builder = SystemBuilder()
        quarters = [builder.count(("q", i)) for i in range(5)]
        years = {3: builder.count("y0", 12, 12), 4: builder.count("y1", 16, 16)}

        rolling_totals(builder, years, quarters, 4)

        # The new quarter exceeds the one that fell out by exactly four.
        assert attacked(builder, quarters[4], quarters[0]) == [(4, 16), (0, 12)]
        builder.narrow(quarters[0], *HIDDEN)
        assert attacked(builder, quarters[4]) == [(4, 8)]

    def test_one_known_quarter_unravels_every_fourth(self) -> None:
        builder = SystemBuilder()
        quarters = [builder.count(("q", i), *(HIDDEN if i else (0, 0))) for i in range(9)]
        years = {i: builder.count(("y", i), t, t) for i, t in ((3, 10), (4, 11), (8, 9))}
        rolling_totals(builder, years, quarters, 4)

        assert attacked(builder, quarters[4]) == [(1, 1)]

    def test_years_that_do_not_overlap_say_nothing_of_each_other(self) -> None:
        builder = SystemBuilder()
        quarters = [builder.count(("q", i)) for i in range(8)]
        years = {3: builder.count("y0", 12, 12), 7: builder.count("y1", 16, 16)}
        rolling_totals(builder, years, quarters, 4)

        assert attacked(builder, quarters[0], quarters[4]) == [(0, 12), (0, 16)]

    @pytest.mark.parametrize(("last", "window"), [(2, 4), (5, 4), (3, 0)])
    def test_a_window_beyond_the_periods_is_refused(self, last, window) -> None:
        builder, numbers = with_counts(*[HIDDEN] * 5)
        with pytest.raises(DisclosureError, match="beyond"):
            rolling_totals(builder, {last: builder.count("y")}, numbers, window)


class TestAreas:
    def test_merged_neighbourhoods_published_in_both_vintages_give_the_hidden_part(self) -> None:
        builder, (first, second, merged) = with_counts(HIDDEN, (8, 12), (13, 17))
        old = {"E01000001": first, "E01000002": second}

        both_vintages(
            builder,
            [("E01000001", "E01033700", "M"), ("E01000002", "E01033700", "M")],
            old,
            {"E01033700": merged},
        )

        assert attacked(builder, first, second) == [(1, 4), (9, 12)]

    def test_split_and_unchanged_neighbourhoods(self) -> None:
        builder, (old, a, b, kept, same) = with_counts((5, 5), HIDDEN, (5, 7), (5, 7), (3, 5))

        both_vintages(
            builder,
            [("O1", "N1", "S"), ("O1", "N2", "S"), ("O2", "O2", "U"), ("O3", "N3", "X")],
            {"O1": old, "O2": kept, "O3": builder.count("x")},
            {"N1": a, "N2": b, "O2": same, "N3": builder.count("z", 1, 1)},
        )

        assert attacked(builder, a, b, kept) == [(0, 0), (5, 5), (5, 5)]
        # A complex change has no sum.
        assert attacked(builder, builder.count("x")) == [(0, np.inf)]

    def test_a_change_with_a_part_that_is_not_there_is_passed_over(self) -> None:
        builder, (old, a) = with_counts((5, 5), HIDDEN)

        both_vintages(builder, [("O1", "N1", "S"), ("O1", "N2", "S")], {"O1": old}, {"N1": a})

        assert attacked(builder, a) == [HIDDEN]

    def test_two_overlapping_areas_differ_by_what_they_do_not_share(self) -> None:
        builder, (a, b, c) = with_counts(HIDDEN, (0, np.inf), HIDDEN)
        ward, own = builder.count("ward", 20, 20), builder.count("own", 23, 23)

        made_of(builder, {ward: [a, b], own: [b, c]})

        # c is three more than a, and both are at most 4.
        assert attacked(builder, a, c) == [(0, 1), (3, 4)]

    def test_an_area_within_another(self) -> None:
        builder, (whole, part) = with_counts((0, 2), HIDDEN)

        contained(builder, whole, part)

        assert attacked(builder, part) == [(0, 2)]


class TestTotals:
    def test_an_exact_public_total_makes_all_hidden_cells_one(self) -> None:
        builder, numbers = with_counts((1, 4), (1, 4), (1, 4))

        public_total(builder, numbers, 3)

        assert attacked(builder, *numbers) == [(1, 1)] * 3

    @pytest.mark.parametrize(("base", "width"), [(5, (8, 12)), (10, (5, 15))])
    def test_a_rounded_total_reaches_half_its_base_either_way(self, base, width) -> None:
        builder, (a, b) = with_counts((0, np.inf), (0, 0))

        public_total(builder, [a, b], 10, base=base)

        assert attacked(builder, a) == [width]

    @pytest.mark.parametrize(("total", "base"), [(-1, 1), (7, 5), (5, 0)])
    def test_a_total_that_cannot_be_is_refused(self, total, base) -> None:
        builder, numbers = with_counts(HIDDEN)
        with pytest.raises(DisclosureError, match="public total"):
            public_total(builder, numbers, total, base=base)


class TestTwoReleases:
    def test_a_later_release_gives_away_what_an_earlier_one_hid(self) -> None:
        builder = SystemBuilder()
        earlier = {"a": HIDDEN, "b": HIDDEN, "c": (8, 12)}
        later = {"a": (3, 7), "b": HIDDEN, "c": (8, 12)}
        numbers = {name: builder.count(name, *bounds) for name, bounds in earlier.items()}
        total = builder.count("total", 13, 13)
        builder.add_up(total, numbers.values())
        before = attacked(builder, numbers["a"], numbers["b"])

        for name, bounds in later.items():
            builder.count(name, *bounds)

        assert before == [(0, 4), (0, 4)]
        assert attacked(builder, numbers["a"], numbers["b"]) == [(3, 4), (0, 2)]

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(0, 9), min_size=4, max_size=6), st.data())
    def test_more_knowledge_never_widens_and_never_loses_the_truth(self, truth, data) -> None:
        builder, numbers = with_counts(*[(0, 9)] * len(truth))
        known = dict(zip(numbers, truth, strict=True))
        public_total(builder, numbers, sum(truth))
        before = attacked(builder, *numbers)

        some = data.draw(st.sets(st.sampled_from(numbers), min_size=1))
        whole = builder.count("some", *(2 * (sum(known[n] for n in some),)))
        made_of(builder, {whole: some})
        order = sorted(numbers, key=lambda n: -known[n])
        ranked(builder, [Measured(n) for n in order])
        after = attacked(builder, *numbers)

        for (low, high), (closer, tighter), value in zip(before, after, truth, strict=True):
            assert low <= closer <= value <= tighter <= high
