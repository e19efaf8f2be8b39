"""What publications say of counts besides the counts themselves, as statements over a system.

Belongs here: rates with their denominators, rank orders, quantile classes, rolling totals, areas
that are made of others, and totals that somebody else publishes. Each function adds to a
`SystemBuilder` exactly what a reader can conclude, no more: a statement that were too strong would
make an unsafe release look impossible, one that is too weak an unsafe release look safe.
Does not belong here: which statements a release makes (``joint.py``), or solving (``attacker.py``).

Every coefficient is a whole number, worked out in fractions: a bound that falls on a whole count is
never lost to binary rounding. Rounded figures may have been rounded half up or half to even, so
both halves are taken as possible. Formulas: project dossier on the attacker (published rate r to d
decimals with denominator N: ``(r - .5*10^-d) N/m <= x <= (r + .5*10^-d) N/m``).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from declarations.errors import DisclosureError
from governance.disclosure.attacker.system import UNBOUNDED, SystemBuilder

MOST_PAIRS = 4_096
"""So many comparisons between two neighbouring classes are written out one by one."""

Change = Literal["U", "S", "M", "X"]
"""Unchanged, split, merged, complex: ``CHGIND`` of the ONS lookup of 2011 to 2021 LSOAs."""


@dataclass(frozen=True)
class Rate:
    """A rate as it is published.

    Attributes
    ----------
    value : Decimal, int, float or str
        What the page shows; a float is read as its shortest decimal text.
    decimals : int
        How many it is rounded to; ``-1`` for tens.
    multiplier : int
        100 for a percentage, 1,000 for a rate per 1,000, 1 for a plain ratio.
    """

    value: Decimal | float | str
    decimals: int
    multiplier: int = 100

    def limits(self) -> tuple[Fraction, Fraction]:
        """Return the lowest and highest ``count / denominator`` it can stand for.

        Raises
        ------
        DisclosureError
            If it is no number, has more decimals than it is said to, or the multiplier is not
            positive.
        """
        try:
            shown = Fraction(Decimal(str(self.value)))
        except (InvalidOperation, ValueError, OverflowError):
            raise DisclosureError("A published rate is not a number") from None
        if self.multiplier <= 0:
            raise DisclosureError("The multiplier of a published rate is not positive")
        unit = Fraction(10) ** -self.decimals
        if shown % unit:
            raise DisclosureError(
                f"A published rate has more than {self.decimals} decimals",
                "Give the number of decimals it is published with",
            )
        half = unit / 2
        return (shown - half) / self.multiplier, (shown + half) / self.multiplier


class Measured(NamedTuple):
    """A count by its number in the builder, and the known denominator it is compared by."""

    number: int
    denominator: int = 1


def published_rate(builder: SystemBuilder, count: int, rate: Rate, denominator: int) -> None:
    """State a rate whose exact denominator is published beside it.

    Parameters
    ----------
    count : int
        Number of the numerator in the builder.

    Raises
    ------
    DisclosureError
        If the denominator is not positive, or no whole count gives this rate.
    """
    _positive([denominator])
    lowest, highest = rate.limits()
    rate_between(builder, Measured(count, denominator), lowest, highest)


def rate_between(
    builder: SystemBuilder, measured: Measured, lowest: Fraction, highest: Fraction
) -> None:
    """State that ``count / denominator`` lies within limits, such as those of a map's class."""
    _positive([measured.denominator])
    builder.narrow(
        measured.number,
        max(0, math.ceil(lowest * measured.denominator)),
        math.floor(highest * measured.denominator),
    )


def rate_of_unknown_denominator(
    builder: SystemBuilder, count: int, rate: Rate, denominator: int
) -> None:
    """State a rate whose denominator is itself a count of the system, known between bounds or not.

    Both sides stay linear: ``(r - h) N <= m x <= (r + h) N`` with r, h and m known.

    Parameters
    ----------
    count, denominator : int
        Numbers in the builder. A rate was published, so the denominator is taken as at least 1.
    """
    lowest, highest = rate.limits()
    builder.narrow(denominator, 1, UNBOUNDED)
    if lowest > 0:
        _at_least(builder, {count: Fraction(1), denominator: -lowest}, 0)
    _at_least(builder, {count: Fraction(-1), denominator: highest}, 0)


def ranked(builder: SystemBuilder, order: Sequence[Measured], *, strict: bool = False) -> None:
    """State a published rank order, the highest first, of counts or of rates.

    Parameters
    ----------
    order : sequence of Measured
        Of rates with their known denominators; with denominator 1 the counts themselves.
    strict : bool
        Equal figures would have shared a rank, so each is truly higher than the next.

    Notes
    -----
    A rank order of rounded rates says nothing that the rounded rates do not: state those alone.
    """
    _positive([m.denominator for m in order])
    for higher, lower in pairwise(order):
        coefficients = {
            higher.number: Fraction(lower.denominator),
            lower.number: Fraction(-higher.denominator),
        }
        _at_least(builder, coefficients, 1 if strict else 0)


def quantile_classes(
    builder: SystemBuilder, classes: Sequence[Sequence[Measured]], *, pairs: int = MOST_PAIRS
) -> None:
    """State quantile classes, the lowest first: nothing in a class is below anything in the former.

    Parameters
    ----------
    classes : sequence of sequences of Measured
        Empty ones are passed over.
    pairs : int
        Where two neighbouring classes make more comparisons, and denominators differ, the limit
        between them becomes one further unknown, in steps so fine (a quarter of one count of the
        largest denominator) that next to nothing of what the classes say is lost; never is more
        said than they say.
    """
    filled = [c for c in classes if c]
    _positive([m.denominator for c in filled for m in c])
    for lower, upper in pairwise(filled):
        denominators = {m.denominator for m in (*lower, *upper)}
        if len(denominators) == 1:
            _same_limit(builder, lower, upper)
        elif len(lower) * len(upper) <= pairs:
            for high in upper:
                for low in lower:
                    ranked(builder, (high, low))
        else:
            _fine_limit(builder, lower, upper, 4 * max(denominators))


def rolling_totals(
    builder: SystemBuilder, totals: Mapping[int, int], periods: Sequence[int], window: int
) -> None:
    """State that each total is the sum of the periods of its window.

    Parameters
    ----------
    totals : mapping of int to int
        Position of a window's last period in ``periods`` -> number of its total in the builder.
    periods : sequence of int
        Numbers of the periods' own counts, in order of time; not published themselves, as a rule.
    window : int
        Periods in a window, e.g. 4 for a year of quarters.

    Raises
    ------
    DisclosureError
        If a window does not lie within the periods.
    """
    for last, total in totals.items():
        first = last - window + 1
        if window < 1 or first < 0 or last >= len(periods):
            raise DisclosureError(
                "A rolling total reaches beyond the periods it is made of",
                "Give every period of every window",
            )
        builder.add_up(total, periods[first : last + 1])


def made_of(builder: SystemBuilder, areas: Mapping[int, Iterable[int]]) -> None:
    """State that areas are made of smaller ones, whether or not they overlap each other.

    Parameters
    ----------
    areas : mapping of int to iterable of int
        Number of an area's count -> numbers of the counts of its pieces: a ward and a custom area
        that share neighbourhoods name the same pieces.
    """
    for area, pieces in areas.items():
        builder.add_up(area, dict.fromkeys(pieces))


def contained(builder: SystemBuilder, whole: int, part: int) -> None:
    """State that one area lies within another of which the rest is not published."""
    _at_least(builder, {whole: Fraction(1), part: Fraction(-1)}, 0)


def both_vintages(
    builder: SystemBuilder,
    changes: Iterable[tuple[str, str, Change]],
    old: Mapping[str, int],
    new: Mapping[str, int],
) -> None:
    """State how counts of one measure and period by 2011 and by 2021 LSOA hang together.

    Parameters
    ----------
    changes : iterable of (lsoa11cd, lsoa21cd, change)
        Whole rows of the ONS lookup: all parts of a split, all sources of a merger.
    old, new : mapping of str to int
        Code -> number of its count. A change with a code that is in neither is passed over whole.

    Notes
    -----
    U: the same count. S: the 2011 area is the sum of its 2021 parts. M: the 2021 area is the sum
    of the 2011 ones. X (complex): their borders cross, so no sum is known.
    """
    splits: defaultdict[str, set[str]] = defaultdict(set)
    mergers: defaultdict[str, set[str]] = defaultdict(set)
    for lsoa11cd, lsoa21cd, change in changes:
        if change in ("U", "S"):
            splits[lsoa11cd].add(lsoa21cd)
        elif change == "M":
            mergers[lsoa21cd].add(lsoa11cd)
    _sums_of(builder, splits, old, new)
    _sums_of(builder, mergers, new, old)


def public_total(
    builder: SystemBuilder, parts: Iterable[int], total: int, *, base: int = 1
) -> None:
    """State a total that is published elsewhere.

    Parameters
    ----------
    parts : iterable of int
        Numbers of the counts it sums; one alone if the total is itself a count of the system.
    base : int
        What the total is rounded to the nearest multiple of; 1 where it is exact.

    Raises
    ------
    DisclosureError
        If the total is negative or no multiple of the base.
    """
    if base < 1 or total < 0 or total % base:
        raise DisclosureError(
            "A public total is negative, or no multiple of what it is rounded to",
            "Correct the declared total or its rounding",
        )
    coefficients = dict.fromkeys(parts, 1.0)
    if base == 1:
        builder.equation(coefficients, total)
        return
    reach = base // 2
    builder.between(coefficients, max(0, total - reach), total + reach)


def _sums_of(
    builder: SystemBuilder,
    wholes: Mapping[str, set[str]],
    whole_counts: Mapping[str, int],
    part_counts: Mapping[str, int],
) -> None:
    for whole, parts in wholes.items():
        if whole in whole_counts and all(p in part_counts for p in parts):
            builder.add_up(whole_counts[whole], [part_counts[p] for p in sorted(parts)])


def _same_limit(
    builder: SystemBuilder, lower: Sequence[Measured], upper: Sequence[Measured]
) -> None:
    """Put one unknown count between two classes whose figures have one denominator."""
    limit = builder.count(object())
    for high in upper:
        _at_least(builder, {high.number: Fraction(1), limit: Fraction(-1)}, 0)
    for low in lower:
        _at_least(builder, {limit: Fraction(1), low.number: Fraction(-1)}, 0)


def _fine_limit(
    builder: SystemBuilder, lower: Sequence[Measured], upper: Sequence[Measured], steps: int
) -> None:
    """Put an unknown rate in whole steps between two classes.

    With ``t`` the lowest rate of the upper class in steps, rounded down, everything above is at
    least ``t`` and everything below less than ``t + 1``: true of whatever the classes were made of.
    """
    limit = builder.count(object())
    for high in upper:
        _at_least(builder, {high.number: Fraction(steps), limit: Fraction(-high.denominator)}, 0)
    for low in lower:
        _at_least(
            builder,
            {low.number: Fraction(-steps), limit: Fraction(low.denominator)},
            -low.denominator + 1,
        )


def _at_least(builder: SystemBuilder, coefficients: Mapping[int, Fraction], least: int) -> None:
    """State ``sum(coefficient * count) >= least`` in the smallest whole coefficients."""
    scale = math.lcm(*(c.denominator for c in coefficients.values()))
    whole = {number: int(c * scale) for number, c in coefficients.items()}
    divisor = math.gcd(*whole.values()) or 1
    # A sum of multiples of the divisor that reaches `least` reaches the next multiple of it.
    reached = -(-least * scale // divisor)
    builder.between({n: c / divisor for n, c in whole.items() if c}, reached, UNBOUNDED)


def _positive(denominators: Iterable[int]) -> None:
    if any(d <= 0 for d in denominators):
        raise DisclosureError(
            "A published denominator is not positive",
            "Leave out the rate: where there is nothing to divide by, none is published",
        )
