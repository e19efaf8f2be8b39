"""What a protected count can be expected to have been, given what is published.

Belongs here: the mean and mean square of a count that is known only to lie between two numbers,
under a Poisson, Gamma-Poisson or binomial model. Does not belong here: how counts are protected
(``governance/``), or using the expectation (``shrinkage.py``, ``inequality.py``).

A published 10 says 8 to 12, a published 5 says 5 to 7 and a hidden count says 0 to 4. Leaving
hidden counts out would bias every mean upwards, since only small counts are hidden; taking them as
0 would bias it downwards. What is expected of them follows from published figures alone, so it
tells nothing about any one of them that those do not. It is never published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from declarations.errors import LsoalinkError
from indicators.columns import Floats

TINY = 1e-12


@dataclass(frozen=True)
class Within:
    """Between which two whole numbers, both included, each count lies.

    Attributes
    ----------
    lowest, highest : ndarray of float, shape of the counts
        NaN where nothing is known of a count.
    """

    lowest: Floats
    highest: Floats

    def __post_init__(self) -> None:
        """Refuse ranges that end before they start."""
        if self.lowest.shape != self.highest.shape:
            raise LsoalinkError(
                f"lowest {self.lowest.shape} and highest {self.highest.shape} differ in shape",
                "Give both ends of each range",
            )
        wrong = int(np.sum((self.lowest > self.highest) | (self.lowest < 0)))
        if wrong:
            raise LsoalinkError(
                f"{wrong} ranges of counts start below zero or after their end",
                "Give the lowest and the highest count that was possible",
            )

    @property
    def known(self) -> np.ndarray:
        """Where anything is known."""
        return ~np.isnan(self.lowest + self.highest)

    @property
    def rounding_variance(self) -> Floats:
        """Variance of a count that is equally likely anywhere in its range."""
        variance: Floats = ((self.highest - self.lowest + 1) ** 2 - 1) / 12
        return variance


class Moments(NamedTuple):
    """Mean and mean square of each count."""

    mean: Floats
    square: Floats


def exactly(x: Floats) -> Within:
    """Return the ranges of counts that are what they say."""
    return Within(x, x)


def gamma_poisson_moments(n: Floats, rate: Floats, between: Floats, within: Within) -> Moments:
    """Return the moments of counts within their ranges, if true rates vary as a Gamma.

    Parameters
    ----------
    n : ndarray of float, shape (areas,)
        People or cases; above 0.
    rate, between : ndarray of float, shape (areas,)
        Mean of the true rates, and their variance from area to area (0: a plain Poisson count).
    within : Within

    Returns
    -------
    Moments
        Both lie within the range and its squares; NaN where an input is.
    """
    possible, inside = _possible(within)
    expected = np.maximum(n * rate, TINY)[..., None]
    varied = between > TINY * rate**2
    shape = np.where(varied, rate**2 / np.where(varied, between, 1), 1e9)[..., None]
    spread = (
        gammaln(possible + shape)
        - gammaln(shape)
        - shape * np.log1p(expected / shape)
        + possible * (np.log(expected) - np.log(shape + expected))
    )
    plain = possible * np.log(expected) - expected
    # A Gamma with next to no variance is a fixed rate; its gammaln would cancel to noise.
    log_weight = np.where(shape < 1e7, spread, plain) - gammaln(possible + 1)
    return _moments(possible, np.where(inside, log_weight, -np.inf), within)


def binomial_moments(n: Floats, share: Floats, within: Within) -> Moments:
    """Return the moments of the numerators of shares within their ranges.

    Parameters
    ----------
    n : ndarray of float, shape (areas,)
        Denominators; above 0. No numerator is expected above its denominator, unless its whole
        range is.
    share : ndarray of float, shape (areas,)
        Expected share, 0 to 1.
    within : Within
    """
    possible, inside = _possible(within)
    whole = np.maximum(n, within.lowest)[..., None]
    part = np.clip(share, TINY, 1 - TINY)[..., None]
    rest = np.maximum(whole - possible, 0)
    log_weight = (
        gammaln(whole + 1) - gammaln(possible + 1) - gammaln(rest + 1)
        + xlogy(possible, part) + xlog1py(rest, -part)
    )  # fmt: skip
    inside = inside & (possible <= whole)
    return _moments(possible, np.where(inside, log_weight, -np.inf), within)


def _possible(within: Within) -> tuple[Floats, np.ndarray]:
    widest = np.nanmax(within.highest - within.lowest, initial=0) if within.known.any() else 0
    possible = within.lowest[..., None] + np.arange(int(widest) + 1)
    return possible, possible <= within.highest[..., None]


def _moments(possible: Floats, log_weight: Floats, within: Within) -> Moments:
    log_weight = np.where(within.known[..., None], log_weight, 0)
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    return Moments((weight * possible).sum(axis=-1), (weight * possible**2).sum(axis=-1))
