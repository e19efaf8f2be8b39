"""Is an area different from its benchmark, beyond chance?

Belongs here: the position of an interval against a benchmark, the test of two Poisson rates, and
the limits of a funnel plot. Does not belong here: which benchmark an area has
(``indicators/derived/comparisons.py``).

Words follow the convention of Fingertips: better, similar and worse where an indicator has a
polarity, higher, similar and lower where it has none.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import binom, poisson

from declarations.errors import LsoalinkError
from indicators.columns import Column, Floats, counts, floats, same_shape
from indicators.intervals import tail

Polarity = Literal["lower_is_better", "higher_is_better", "none"]
Words = npt.NDArray[np.object_]

FUNNEL_LEVELS = (0.95, 0.998)
"""Of a funnel's inner and outer limits."""

_WORDS: dict[str, tuple[str, str]] = {
    "none": ("lower", "higher"),
    "lower_is_better": ("better", "worse"),
    "higher_is_better": ("worse", "better"),
}


class Funnel(NamedTuple):
    """Limits between which chance alone keeps an area, as a rate or proportion."""

    lower: Floats
    upper: Floats


class RatesTest(NamedTuple):
    """Ratio of two rates, and how likely one at least as unusual is if they are equal."""

    ratio: Floats
    p_value: Floats


def words_of(polarity: Polarity) -> tuple[str, str]:
    """Return the words for below and above: ``('better', 'worse')`` where lower is better.

    Raises
    ------
    LsoalinkError
        If there is no such polarity.
    """
    if polarity not in _WORDS:
        raise LsoalinkError("The polarity is not known", f"Use one of {', '.join(sorted(_WORDS))}")
    return _WORDS[polarity]


def against_benchmark(lower: Column, upper: Column, benchmark: Column, polarity: Polarity) -> Words:
    """Say where each interval lies against a benchmark.

    Parameters
    ----------
    lower, upper : Column
        Limits of the areas' intervals.
    benchmark : Column
        One for each area, or one for all; taken as known.
    polarity : {'lower_is_better', 'higher_is_better', 'none'}

    Returns
    -------
    ndarray of object
        'better', 'similar' or 'worse' ('lower', 'similar', 'higher' without a polarity): similar
        where the interval contains the benchmark, its ends included. None where an input is
        missing.

    Raises
    ------
    LsoalinkError
        If the shapes differ.
    """
    low, high, mark = same_shape(
        lower=floats(lower, "the lower limits"),
        upper=floats(upper, "the upper limits"),
        benchmark=floats(benchmark, "the benchmark"),
    )
    below, above = words_of(polarity)
    said = np.full(mark.shape, "similar", dtype=object)
    said[high < mark] = below
    said[low > mark] = above
    said[np.isnan(low + high + mark)] = None
    return said


def poisson_rates_test(x1: Column, n1: Column, x2: Column, n2: Column) -> RatesTest:
    """Test whether two Poisson rates are equal, exactly.

    Given ``x1 + x2`` events in all, ``x1`` is binomial with probability ``n1 / (n1 + n2)`` if the
    rates are equal (Przyborowski and Wilenski 1940). The p-value is twice the smaller tail, at
    most 1: like every exact test it errs towards finding no difference.

    Parameters
    ----------
    x1, n1, x2, n2 : Column, same shape
        Events and people, or years, of the two. No event may be in both: compare an area with the
        rest of its district rather than with the whole.

    Returns
    -------
    RatesTest
        ``ratio`` of the first rate to the second, infinite where only the second has no event.
        NaN where an input is missing or a denominator is 0, the ratio also where neither has an
        event.

    Raises
    ------
    LsoalinkError
        If the shapes differ or a value is negative.
    """
    first, base, second, other = same_shape(
        x1=counts(x1, "x1"), n1=counts(n1, "n1"), x2=counts(x2, "x2"), n2=counts(n2, "n2")
    )
    base, other = (np.where(side == 0, np.nan, side) for side in (base, other))
    total, share = first + second, base / (base + other)
    below = binom.cdf(first, total, share)
    above = binom.sf(first - 1, total, share)
    p_value = np.minimum(1.0, 2 * np.minimum(below, above))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (first / base) / (second / other)
    missing = np.isnan(first + second + base + other)
    return RatesTest(np.where(missing, np.nan, ratio), np.where(missing, np.nan, p_value))


def funnel_proportions(
    n: Column, theta: Column, level: float = 0.998, *, exact: bool = True
) -> Funnel:
    """Return the limits within which a proportion lies by chance, if its true value is ``theta``.

    Parameters
    ----------
    n : Column
        Denominators.
    theta : Column
        The benchmark's proportion, 0 to 1; one for all or one for each.
    level : float
        0.95 or 0.998.
    exact : bool
        Quantiles of the binomial distribution: a count outside them has at most the probability
        ``(1 - level) / 2`` on its side. Otherwise ``θ ∓ z √(θ(1 - θ)/n)``, cut to 0 and 1.

    Returns
    -------
    Funnel
        NaN where an input is missing or ``n`` is 0.

    Raises
    ------
    LsoalinkError
        If the shapes differ, ``n`` is negative or ``theta`` is no proportion.
    """
    whole, mark = same_shape(n=counts(n, "the denominator"), theta=counts(theta, "the benchmark"))
    above = int(np.sum(mark > 1))
    if above:
        raise LsoalinkError(
            f"{above} benchmarks are above 1", "Give a proportion, before any multiplier"
        )
    whole = np.where(whole == 0, np.nan, whole)
    side = tail(level)
    if exact:
        return Funnel(
            np.maximum(binom.ppf(side, whole, mark), 0) / whole,
            binom.ppf(1 - side, whole, mark) / whole,
        )
    spread = -ndtri(side) * np.sqrt(mark * (1 - mark) / whole)
    return Funnel(np.clip(mark - spread, 0, 1), np.clip(mark + spread, 0, 1))


def funnel_rates(n: Column, theta: Column, level: float = 0.998) -> Funnel:
    """Return the limits within which a rate lies by chance, if its true value is ``theta``.

    Quantiles of the Poisson distribution with mean ``n θ``: a count outside them has at most the
    probability ``(1 - level) / 2`` on its side.

    Parameters
    ----------
    n : Column
        People.
    theta : Column
        The benchmark's events per person, before any multiplier.
    level : float
        0.95 or 0.998.

    Returns
    -------
    Funnel
        Events per person; NaN where an input is missing or ``n`` is 0.

    Raises
    ------
    LsoalinkError
        If the shapes differ or a value is negative.
    """
    people, mark = same_shape(n=counts(n, "the denominator"), theta=counts(theta, "the benchmark"))
    people = np.where(people == 0, np.nan, people)
    side = tail(level)
    return Funnel(
        np.maximum(poisson.ppf(side, people * mark), 0) / people,
        poisson.ppf(1 - side, people * mark) / people,
    )


def funnel_class(value: Column, inner: Funnel, outer: Funnel, polarity: Polarity) -> Words:
    """Say where each value lies in a funnel.

    Parameters
    ----------
    value : Column
        Rates or proportions, on the scale of the limits.
    inner, outer : Funnel
        The limits of 95 % and of 99.8 %.
    polarity : {'lower_is_better', 'higher_is_better', 'none'}

    Returns
    -------
    ndarray of object
        'within', or the direction and the limit passed: 'worse (95 %)', 'worse (99.8 %)'; None
        where an input is missing. Of 1,000 areas that differ by chance alone about 50 lie beyond
        95 % and 2 beyond 99.8 %.
    """
    got = floats(value, "the value")
    below, above = words_of(polarity)
    said = np.full(got.shape, "within", dtype=object)
    for limits, level in ((inner, "95 %"), (outer, "99.8 %")):
        # A hair's breadth, so that a count on the limit is not put outside by a division.
        margin = 1e-12 * np.maximum(np.abs(got), 1e-300)
        said[got < limits.lower - margin] = f"{below} ({level})"
        said[got > limits.upper + margin] = f"{above} ({level})"
    said[np.isnan(got + inner.lower + inner.upper + outer.lower + outer.upper)] = None
    return said
