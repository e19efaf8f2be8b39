"""Confidence intervals of counts, proportions and standardised rates, on whole columns.

Belongs here: the Wilson interval of a proportion, Byar's approximation and the exact interval of a
Poisson count, Dobson's interval of a directly standardised rate. Each takes DuckDB, Arrow, pandas
and NumPy columns (``columns.py``); a missing input gives a missing interval.
Does not belong here: which indicator takes which interval, scaling to a rate (``rates.py``), the
standard population (``statistics/standardisation.py``).

The formulas are the published ones (Wilson 1927; Breslow and Day 1987 for Byar; Garwood 1936 for
the exact limits; Dobson et al. 1991), written from the mathematics.

A count rounded to a multiple of 5 is taken as it stands. Rounding moves it by at most 2, with a
variance of 2 beside the Poisson variance of the count itself: at 5 events the interval ought to be
a fifth wider, at 50 a fiftieth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv, ndtri

from declarations.errors import LsoalinkError
from indicators.columns import Column, Floats, counts, floats, same_shape

EXACT_BELOW = 10
"""Byar's approximation is poor for smaller counts; these take the exact Poisson limits."""

LEAST_STANDARDISED = 10
"""With fewer events in all its groups a directly standardised rate is not calculated."""


class Estimate(NamedTuple):
    """Values with the limits of their intervals, three arrays of one shape."""

    value: Floats
    lower: Floats
    upper: Floats


def tail(confidence: float) -> float:
    """Return what a two-sided level leaves on each side: 0.025 for 0.95.

    Raises
    ------
    LsoalinkError
        If the level is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise LsoalinkError("The confidence level is not between 0 and 1", "Use 0.95 for 95 %")
    return (1 - confidence) / 2


def wilson(x: Column, n: Column, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return Wilson's score interval of the proportion ``x / n``.

    ``(2x + z² ∓ z √(z² + 4x(1 - x/n))) / (2(n + z²))``; Wilson (1927).

    Parameters
    ----------
    x, n : Column, same shape, or single numbers
        Numerators and denominators; NULL or NaN where missing.
    confidence : float
        Two-sided level, 0.95 for 95 %.

    Returns
    -------
    lower, upper : ndarray of float, shape of ``x``
        Proportions in [0, 1]; NaN where an input is missing or ``n`` is 0.

    Raises
    ------
    LsoalinkError
        If the shapes differ, a count is negative, or some ``x`` exceeds its ``n``.
    """
    part, whole = same_shape(
        numerator=counts(x, "the numerator"), denominator=counts(n, "the denominator")
    )
    if np.any(part > whole):
        raise LsoalinkError(
            f"{int(np.sum(part > whole))} numerators exceed their denominator",
            "A share needs a numerator that is part of its denominator; use a rate otherwise",
        )
    z = ndtri(1 - tail(confidence))
    whole = np.where(whole == 0, np.nan, whole)
    middle = 2 * part + z**2
    spread = z * np.sqrt(z**2 + 4 * part * (1 - part / whole))
    scale = 2 * (whole + z**2)
    # Rounding error may leave the limits of 0/n and n/n a hair outside the unit interval.
    return np.clip((middle - spread) / scale, 0, 1), np.clip((middle + spread) / scale, 0, 1)


def exact_poisson(x: Column, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact (Garwood) interval of the mean of a Poisson count.

    ``chi2inv(t, 2x)/2`` and ``chi2inv(1 - t, 2x + 2)/2`` with ``t`` the tail, 0.025 for 95 %; the
    lower limit of 0 is 0.

    Parameters
    ----------
    x : Column
        Counts; NULL or NaN where missing.
    confidence : float
        Two-sided level.

    Returns
    -------
    lower, upper : ndarray of float, shape of ``x``
        In events, not per anything; NaN where ``x`` is missing.

    Raises
    ------
    LsoalinkError
        If a count is negative.
    """
    events = counts(x, "the count")
    side = tail(confidence)
    positive = np.where(events == 0, np.nan, events)
    # Half the chi-squared quantile with 2k degrees of freedom is the gamma quantile of shape k.
    lower = np.where(events == 0, 0.0, gammaincinv(positive, side))
    upper = gammaincinv(events + 1, 1 - side)
    return lower, upper


def byar(x: Column, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return Byar's interval of the mean of a Poisson count, exact below ``EXACT_BELOW``.

    ``x(1 - 1/(9x) - z/(3√x))³`` and ``(x+1)(1 - 1/(9(x+1)) + z/(3√(x+1)))³``; Breslow and Day
    (1987).

    Parameters
    ----------
    x : Column
        Counts; NULL or NaN where missing.
    confidence : float
        Two-sided level.

    Returns
    -------
    lower, upper : ndarray of float, shape of ``x``
        In events: divide by the denominator and multiply by the multiplier for a rate.

    Raises
    ------
    LsoalinkError
        If a count is negative.
    """
    events = counts(x, "the count")
    z = ndtri(1 - tail(confidence))
    large = np.where(events < EXACT_BELOW, np.nan, events)
    lower = large * (1 - 1 / (9 * large) - z / (3 * np.sqrt(large))) ** 3
    upper = (large + 1) * (1 - 1 / (9 * (large + 1)) + z / (3 * np.sqrt(large + 1))) ** 3
    exact_lower, exact_upper = exact_poisson(events, confidence)
    small = events < EXACT_BELOW
    return np.where(small, exact_lower, lower), np.where(small, exact_upper, upper)


def dobson(
    x: Column,
    n: Column,
    weights: Column,
    *,
    multiplier: float = 1.0,
    confidence: float = 0.95,
) -> Estimate:
    """Return a directly standardised rate with Dobson's interval.

    ``DSR = m Σ w x/n / Σ w``, ``var = m² Σ w² x/n² / (Σ w)²`` and the limits
    ``DSR + √(var / X) (Byar(X) - X)`` with ``X = Σ x``; Dobson, Kuulasmaa, Eberle and Scherer
    (1991).

    Parameters
    ----------
    x, n : Column, shape (..., strata)
        Events and people of each stratum; the strata lie on the last axis.
    weights : Column, shape (strata,)
        People of the standard population in each stratum.
    multiplier : float
        100,000 for a rate per 100,000.
    confidence : float
        Two-sided level.

    Returns
    -------
    Estimate
        Shape of ``x`` without its last axis. NaN where a stratum is missing or has nobody in it,
        and where there are fewer than ``LEAST_STANDARDISED`` events in all: the rate would hang on
        single events.

    Raises
    ------
    LsoalinkError
        If the shapes do not fit, a count is negative, or a weight is missing or not above 0.
    """
    events, people = same_shape(numerator=counts(x, "the numerator"),
                                denominator=counts(n, "the denominator"))  # fmt: skip
    standard = floats(weights, "the weights")
    if events.ndim == 0 or standard.shape != events.shape[-1:]:
        raise LsoalinkError(
            f"numerator {events.shape} and weights {standard.shape} differ in their strata",
            "Give the strata on the last axis, and one weight for each",
        )
    if not np.all(standard > 0):
        raise LsoalinkError(
            f"{int(np.sum(~(standard > 0)))} weights are missing or not above zero",
            "Give each stratum its people in the standard population",
        )
    people = np.where(people == 0, np.nan, people)
    part = standard / standard.sum()
    value = multiplier * np.sum(part * events / people, axis=-1)
    variance = multiplier**2 * np.sum(part**2 * events / people**2, axis=-1)
    total = np.sum(events, axis=-1)
    total = np.where(total < LEAST_STANDARDISED, np.nan, total)
    low, high = byar(total, confidence)
    scale = np.sqrt(variance / total)
    return Estimate(
        np.where(np.isnan(total), np.nan, value),
        value + scale * (low - total),
        value + scale * (high - total),
    )
