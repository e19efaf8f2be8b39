"""What a published count leaves open about the value behind it, as a curve of a normal number.

Belongs here: the posterior of a share, of a rate, and of both when shrunk, with the rounding of the
published count. Does not belong here: drawing from it (``draws.py``).

A share of x in n has the posterior Beta(x + 1/2, n - x + 1/2), a rate Gamma(x + 1/2)/n. Where x was
rounded, each count that rounds to it is as likely as any other, and the posterior is their mixture.
Its mean, standard deviation and skewness are exact. The curve is that of the Gamma distribution of
the same three, to the third order in a standard normal number z::

    value = c0 + c1 z + c2 z^2 + c3 z^3

so that a draw costs three multiplications. For counts of 5 and more the distribution differs from
the exact mixture by less than 0.012 in probability; nearer to 0 or to the whole its quantiles (2.5
to 97.5 %) differ by less than a tenth of its standard deviation. Tests hold both. There the curve
may also step over 0 or the whole by a quarter of a standard deviation: it is not cut off, which
would make ties of areas that are told apart, and only comparisons are made of it.

Denominators are taken as they are: the rounding of n moves a share by less than 2 in n.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import expit, gammainccinv, gammaincinv, ndtr

from governance.disclosure.profiles import Profile
from indicators.intervals import Floats

SKEWNESS_LIMIT = 2.83
"""Of Gamma(1/2), the most skewed posterior there is: that of a count of 0."""


class Moments(NamedTuple):
    """Mean, standard deviation and skewness, one element a unit."""

    mean: Floats
    deviation: Floats
    skewness: Floats


def rounding_offsets(profile: Profile) -> tuple[int, ...]:
    """Return by how much a true count may differ from the one a profile publishes.

    Noise from cell keys is taken as even within its standard deviation times the root of 3, which
    has the same variance.
    """
    base = profile.rounding.base
    if profile.perturbation is not None:
        most = round((3 * profile.perturbation.variance) ** 0.5)
        return tuple(range(-most, most + 1))
    if profile.rounding.kind == "nearest":
        return tuple(range(-(base // 2), base - base // 2))
    if profile.rounding.kind == "midpoint":
        # The middle of 1 to 6 is shown as 3.
        return tuple(range(1 - base // 2, base - base // 2 + 1))
    if profile.rounding.kind == "controlled":
        return tuple(range(1 - base, base))
    return (0,)


def share_moments(x: Floats, n: Floats, offsets: Sequence[int] = (0,), least: int = 0) -> Moments:
    """Return the moments of the share behind ``x`` of ``n``.

    Parameters
    ----------
    x, n : ndarray of float
        Published counts, ``0 <= x <= n``, ``n`` above 0.
    offsets : sequence of int
        What the true count may differ by; differences that leave 0 to ``n`` are ruled out.
    least : int
        The lowest count that is shown at all: a published 5 is no 3 where 3 is hidden.
    """
    # Moments of the smaller side: near 1 the third would be lost in rounding.
    turned = x > n / 2
    near = np.where(turned, n - x, x)
    # Of the other side the lowest count shown is a highest, and what is added is taken away.
    sides = np.where(turned, -1.0, 1.0)
    a, weight = _shapes(near, (np.where(turned, 0, least), np.where(turned, n - least, n)),
                        sides * np.array(offsets, dtype=np.float64)[:, None])  # fmt: skip
    whole = n + 1
    first = (weight * a).sum(axis=0) / whole
    second = (weight * a * (a + 1)).sum(axis=0) / (whole * (whole + 1))
    third = (weight * a * (a + 1) * (a + 2)).sum(axis=0) / (whole * (whole + 1) * (whole + 2))
    found = _central(first, second, third)
    return Moments(
        np.where(turned, 1 - found.mean, found.mean),
        found.deviation,
        np.where(turned, -found.skewness, found.skewness),
    )


def rate_moments(x: Floats, n: Floats, offsets: Sequence[int] = (0,), least: int = 0) -> Moments:
    """Return the moments of the rate, events for each one of ``n``, behind ``x`` events."""
    between = np.full(x.shape, float(least)), np.full(x.shape, np.inf)
    a, weight = _shapes(x, between, np.array(offsets, dtype=np.float64)[:, None])
    first = (weight * a).sum(axis=0)
    second = (weight * a * (a + 1)).sum(axis=0)
    third = (weight * a * (a + 1) * (a + 2)).sum(axis=0)
    found = _central(first, second, third)
    return Moments(found.mean / n, found.deviation / n, found.skewness)


def shrunk_rate_moments(
    n: Floats, mean: Floats, weight: Floats, offsets: Sequence[int] = (0,)
) -> Moments:
    """Return the moments of a rate drawn towards its district's by the Gamma-Poisson rule.

    The posterior is Gamma with mean ``mean`` and variance ``weight (mean / n + var / n^2)``, where
    ``var`` is the variance of the rounding.

    Parameters
    ----------
    n : ndarray of float
    mean : ndarray of float
        The shrunk rate.
    weight : ndarray of float
        How much of the area's own rate is in it, 0 to 1.
    """
    own = weight * mean / n
    deviation = np.sqrt(own + weight * float(np.var(offsets)) / n**2)
    # Rounding is even about its middle: it adds to the spread, not to the third moment.
    third = 2 * own**2 / np.where(mean > 0, mean, 1)
    skewness = np.divide(third, deviation**3, out=np.zeros_like(third), where=deviation > 0)
    return Moments(mean, deviation, skewness)


def shrunk_share_curve(
    x: Floats, n: Floats, share: Floats, weight: Floats, offsets: Sequence[int] = (0,)
) -> Floats:
    """Return the curve of a share drawn towards its district's on the logit scale.

    Normal on logits around the shrunk value with variance ``w (s^2 + s^4 var)``, where
    ``s^2 = 1/(x + 1/2) + 1/(n - x + 1/2)``, ``w`` is the weight and ``var`` the variance of the
    rounding.

    Returns
    -------
    ndarray of float, shape (4, units)
    """
    own = 1 / (x + 0.5) + 1 / (n - x + 0.5)
    spread = np.sqrt(weight * (own + own**2 * float(np.var(offsets))))
    middle = np.log(share) - np.log1p(-share)
    nodes, weights = _nodes()
    return _powers(_projected(expit(middle[:, None] + spread[:, None] * nodes), nodes, weights))


def curve(moments: Moments) -> Floats:
    """Return the coefficients c0 to c3 for each unit.

    Returns
    -------
    ndarray of float, shape (4, units)
    """
    grid, table = _gamma_table()
    size = np.minimum(np.abs(moments.skewness), SKEWNESS_LIMIT)
    # A negative skewness is the mirror image: x -> -x and z -> -z.
    sign = np.where(moments.skewness < 0, -1.0, 1.0)
    turned = (sign, np.ones_like(sign), sign, np.ones_like(sign))
    found = np.stack([np.interp(size, grid, row) * s for row, s in zip(table, turned, strict=True)])
    coefficients = found * moments.deviation
    coefficients[0] += moments.mean
    return coefficients


def _shapes(x: Floats, between: tuple[Floats, Floats], offsets: Floats) -> tuple[Floats, Floats]:
    """Return the shape of each part of a mixture, and its weight: rows offsets, columns units."""
    true = x + offsets
    possible = (true >= between[0]) & (true <= between[1])
    # A published count that no difference explains is taken as it stands.
    none = ~possible.any(axis=0)
    true[:, none], possible[:, none] = x[none], True
    true = np.where(possible, true, 0.0)
    return true + 0.5, possible / possible.sum(axis=0)


def _central(first: Floats, second: Floats, third: Floats) -> Moments:
    variance = second - first**2
    deviation = np.sqrt(variance)
    return Moments(first, deviation, (third - 3 * first * variance - first**3) / deviation**3)


@cache
def _nodes() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    return nodes, weights / weights.sum()


def _projected(values: Floats, nodes: Floats, weights: Floats) -> Floats:
    """Return the coefficients of values at the nodes in Hermite's polynomials 0 to 3."""
    basis = np.stack([np.ones_like(nodes), nodes, nodes**2 - 1, nodes**3 - 3 * nodes])
    found: Floats = np.einsum("uk,jk,k->ju", values, basis, weights)
    return found / np.array([1.0, 1.0, 2.0, 6.0])[:, None]


def _powers(hermite: Floats) -> Floats:
    """Return the same polynomials in powers of z."""
    h0, h1, h2, h3 = hermite
    return np.stack([h0 - h2, h1 - 3 * h3, h2, h3])


@cache
def _gamma_table() -> tuple[Floats, Floats]:
    """Return curves of the standardised Gamma distribution on a grid of skewnesses."""
    grid = np.linspace(1e-3, SKEWNESS_LIMIT, 300)
    shape = (4 / grid**2)[:, None]
    nodes, weights = _nodes()
    # Each tail from its own side: the far one would round to 0 or 1.
    quantiles = np.where(
        nodes < 0,
        gammaincinv(shape, ndtr(np.minimum(nodes, 0))),
        gammainccinv(shape, ndtr(-np.maximum(nodes, 0))),
    )
    standard = (quantiles - shape) / np.sqrt(shape)
    return grid, _powers(_projected(standard, nodes, weights))
