"""Confidence intervals of counts and proportions, on whole arrays.

Belongs here: the Wilson interval of a proportion, Byar's approximation and the exact interval of a
Poisson count. A missing input (NaN) gives a missing interval.
Does not belong here: which indicator takes which interval, scaling to a rate (``rates.py``).

The formulas are the published ones (Wilson 1927; Breslow and Day 1987 for Byar; Garwood 1936 for
the exact limits), written from the mathematics.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtri

from declarations.errors import LsoalinkError

Floats = npt.NDArray[np.float64]

EXACT_BELOW = 10
"""Byar's approximation is poor for smaller counts; these take the exact Poisson limits."""


def _counts(values: npt.ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if np.any(array < 0):
        raise LsoalinkError(
            f"{int(np.sum(array < 0))} values of {name} are below zero", "A count is never negative"
        )
    return array


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise LsoalinkError("The confidence level is not between 0 and 1", "Use 0.95 for 95 %")
    return (1 - confidence) / 2


def wilson(x: npt.ArrayLike, n: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return Wilson's score interval of the proportion ``x / n``.

    ``(2x + z² ∓ z √(z² + 4x(1 - x/n))) / (2(n + z²))``; Wilson (1927).

    Parameters
    ----------
    x, n : array_like of float, same shape
        Numerators and denominators; NaN where missing.
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
    part, whole = _counts(x, "the numerator"), _counts(n, "the denominator")
    if part.shape != whole.shape:
        raise LsoalinkError(
            f"Numerators {part.shape} and denominators {whole.shape} differ in shape",
            "Give one denominator for each numerator",
        )
    if np.any(part > whole):
        raise LsoalinkError(
            f"{int(np.sum(part > whole))} numerators exceed their denominator",
            "A share needs a numerator that is part of its denominator; use a rate otherwise",
        )
    z = ndtri(1 - _tail(confidence))
    whole = np.where(whole == 0, np.nan, whole)
    middle = 2 * part + z**2
    spread = z * np.sqrt(z**2 + 4 * part * (1 - part / whole))
    scale = 2 * (whole + z**2)
    # Rounding error may leave the limits of 0/n and n/n a hair outside the unit interval.
    return np.clip((middle - spread) / scale, 0, 1), np.clip((middle + spread) / scale, 0, 1)


def exact_poisson(x: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact (Garwood) interval of the mean of a Poisson count.

    ``chi2inv(t, 2x)/2`` and ``chi2inv(1 - t, 2x + 2)/2`` with ``t`` the tail, 0.025 for 95 %; the
    lower limit of 0 is 0.

    Parameters
    ----------
    x : array_like of float
        Counts; NaN where missing.
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
    events = _counts(x, "the count")
    tail = _tail(confidence)
    positive = np.where(events == 0, np.nan, events)
    # Half the chi-squared quantile with 2k degrees of freedom is the gamma quantile of shape k.
    lower = np.where(events == 0, 0.0, gammaincinv(positive, tail))
    upper = gammaincinv(events + 1, 1 - tail)
    return lower, upper


def byar(x: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return Byar's interval of the mean of a Poisson count, exact below ``EXACT_BELOW``.

    ``x(1 - 1/(9x) - z/(3√x))³`` and ``(x+1)(1 - 1/(9(x+1)) + z/(3√(x+1)))³``; Breslow and Day
    (1987).

    Parameters
    ----------
    x : array_like of float
        Counts; NaN where missing.
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
    events = _counts(x, "the count")
    z = ndtri(1 - _tail(confidence))
    large = np.where(events < EXACT_BELOW, np.nan, events)
    lower = large * (1 - 1 / (9 * large) - z / (3 * np.sqrt(large))) ** 3
    upper = (large + 1) * (1 - 1 / (9 * (large + 1)) + z / (3 * np.sqrt(large + 1))) ** 3
    exact_lower, exact_upper = exact_poisson(events, confidence)
    small = events < EXACT_BELOW
    return np.where(small, exact_lower, lower), np.where(small, exact_upper, upper)
