"""Does a series of rates or shares rise or fall, beyond chance?

Belongs here: the change per year of a series with its interval, from the points after the last
break. Does not belong here: which points a series has (``indicators/derived/trends.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import chi2, t

from declarations.errors import LsoalinkError
from indicators.columns import Column, Floats, counts, floats, same_shape
from indicators.intervals import tail

LEAST_POINTS = 4
RISING, FALLING = "rising", "falling"
NO_CHANGE, TOO_FEW = "no clear change", "too few points"

SCATTERED, SCATTERED_ALONE = 0.95, 0.9
"""Part of series that would scatter less than one whose own scatter sets its width: where the
common scatter is known, and where it is not."""

LEAST_FREEDOM = 200
"""Degrees of freedom of all series together from which their common scatter can be told."""

_STEPS = 100
_STEEPEST = 50.0
_CLOSE = 1e-10


@dataclass(frozen=True)
class Trend:
    """The change of each series from year to year.

    Attributes
    ----------
    points : ndarray of int
        How many points were used.
    change, lower, upper : ndarray of float
        Of rates: the change in per cent per year. Of shares: in percentage points per year. NaN
        with too few points.
    direction : ndarray of object
        'rising' or 'falling' where the interval leaves out no change, 'no clear change',
        or 'too few points'.
    """

    points: npt.NDArray[np.int64]
    change: Floats
    lower: Floats
    upper: Floats
    direction: npt.NDArray[np.object_]


def rate_trend(
    x: Column,
    n: Column,
    years: Column,
    *,
    since: Column = -np.inf,
    rounding_variance: float = 0.0,
    confidence: float = 0.95,
) -> Trend:
    """Return the yearly change of rates, from a log-linear Poisson model.

    ``ln E x = a + b t + ln n``, fitted by iteratively weighted least squares with variance
    ``μ + v``, ``v`` the rounding's variance. The change is ``100 (exp b - 1)`` per cent a year.

    Counts often scatter more than chance (families, clusters, habits of recording), and few points
    of one series cannot tell. Where there are enough series, their common scatter widens all
    intervals by its root and never narrows them: the median of Pearson's chi-squared over what
    chance would give. Where a series lies further from its line than 95 % of series with that
    scatter would (90 % where there are too few series to know it), its own sets the width
    (Pearson's dispersion, Student's t), if that is wider.

    Parameters
    ----------
    x, n : Column, shape (..., points)
        Events and people at each point; a point with either missing is left out.
    years : Column, shape (points,) or of ``x``
        When each point is, in years.
    since : Column, shape () or of ``x`` without its last axis
        Points before this time are left out: the last break of each series.
    rounding_variance : float
        2 for counts rounded to the nearest 5.
    confidence : float

    Returns
    -------
    Trend
        Too few points also where no line can be fitted, because the events sit at one end alone.

    Raises
    ------
    LsoalinkError
        If the shapes do not fit or a value is negative.
    """
    events, people, when, used = _series(x, n, years, since)
    total = events.sum(axis=-1)
    enough = _enough(when, used) & (total > 0)
    level = np.log(np.where(enough, _over(total, people.sum(axis=-1)), 1.0))
    slope = np.zeros_like(level)
    settled = np.zeros_like(enough)
    for _ in range(_STEPS):
        mean = np.where(used, people * np.exp(level[..., None] + slope[..., None] * when), 0)
        weight = _over(mean**2, mean + rounding_variance)
        step = _line(when, _over(events - mean, mean), weight)
        level = level + np.clip(step.start, -1, 1)
        slope = np.clip(slope + np.clip(step.slope, -5, 5), -_STEEPEST, _STEEPEST)
        settled = (np.abs(step.start) < _CLOSE) & (np.abs(step.slope) < _CLOSE)
        if np.all(settled | ~enough):
            break
    fitted = enough & settled & (np.abs(slope) < _STEEPEST)
    pearson = np.sum(_over((events - mean) ** 2, mean + rounding_variance), axis=-1)
    low, high = _limits(_Fit(slope, step.variance, pearson, used, fitted), confidence)
    # Far beyond any change there is, so that the limits of a hopeless series do not overflow.
    sides = (np.clip(side, -_STEEPEST, _STEEPEST) for side in (slope, low, high))
    change, lower, upper = (100 * np.expm1(side) for side in sides)
    return _said(used, fitted, change, lower, upper)


def share_trend(
    x: Column,
    n: Column,
    years: Column,
    *,
    since: Column = -np.inf,
    rounding_variance: float = 0.0,
    confidence: float = 0.95,
) -> Trend:
    """Return the yearly change of shares in percentage points, from a weighted straight line.

    ``E x/n = a + b t`` with variance ``p (1 - p)/n + v/n²``, ``p`` the series' whole share and
    ``v`` the rounding's variance.

    Parameters
    ----------
    x, n : Column, shape (..., points)
        A numerator above its denominator, as rounding makes it, is taken as equal to it.
    years, since, rounding_variance, confidence
        As for :func:`rate_trend`.

    Returns
    -------
    Trend
        Too few points also where every point is 0 % or every point 100 %.

    Raises
    ------
    LsoalinkError
        If the shapes do not fit or a value is negative.
    """
    events, people, when, used = _series(x, n, years, since)
    events = np.minimum(events, people)
    whole: Floats = _over(events.sum(axis=-1), people.sum(axis=-1))
    fitted = _enough(when, used) & (whole > 0) & (whole < 1)
    rounded = _over(np.where(used, rounding_variance, 0.0), people)
    spread = _over((whole * (1 - whole))[..., None] + rounded, people)
    weight = np.where(used, _over(np.ones_like(spread), spread), 0)
    share = _over(events, people)
    line = _line(when, share, weight)
    away = share - line.start[..., None] - line.slope[..., None] * when
    pearson = np.sum(weight * away**2, axis=-1)
    low, high = _limits(_Fit(line.slope, line.variance, pearson, used, fitted), confidence)
    return _said(used, fitted, 100 * line.slope, 100 * low, 100 * high)


@dataclass(frozen=True)
class _Line:
    start: Floats
    slope: Floats
    variance: Floats


def _line(when: Floats, values: Floats, weight: Floats) -> _Line:
    """Fit a weighted line to each series; the variance is that of the slope, weights taken so."""
    whole = weight.sum(axis=-1)
    middle = _over(np.sum(weight * when, axis=-1), whole)
    centred = when - middle[..., None]
    across = np.sum(weight * centred**2, axis=-1)
    slope = _over(np.sum(weight * centred * values, axis=-1), across)
    start = _over(np.sum(weight * values, axis=-1), whole) - slope * middle
    return _Line(start, slope, _over(np.ones_like(across), across))


def _over(top: Floats, bottom: Floats) -> Floats:
    """Divide, with 0 where there is nothing to divide by: such a point has weight 0."""
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), 0.0)


def _series(
    x: Column, n: Column, years: Column, since: Column
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    events, people = same_shape(
        numerator=counts(x, "the numerator"), denominator=counts(n, "the denominator")
    )
    when = floats(years, "the years")
    if events.ndim == 0 or when.shape not in (events.shape, events.shape[-1:]):
        raise LsoalinkError(
            f"years {when.shape} and numerator {events.shape} differ in their points",
            "Give the points on the last axis, and one time for each",
        )
    when = np.broadcast_to(when, events.shape)
    start = np.asarray(since, dtype=np.float64)
    if start.shape not in ((), events.shape[:-1]):
        raise LsoalinkError(
            f"since {start.shape} and numerator {events.shape} differ in their series",
            "Give one time for each series",
        )
    used = ~np.isnan(events + people + when) & (people > 0) & (when >= start[..., None])
    # From the middle of its own points, so that level and slope of a series hardly depend on
    # each other and the iteration is quick.
    size = np.maximum(used.sum(axis=-1), 1)
    middle = np.sum(np.where(used, when, 0), axis=-1) / size
    return (
        np.where(used, events, 0),
        np.where(used, people, 0),
        np.where(used, when - middle[..., None], 0),
        used,
    )


def _enough(when: Floats, used: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    apart = np.where(used, when, -np.inf).max(axis=-1) > np.where(used, when, np.inf).min(axis=-1)
    return np.asarray((used.sum(axis=-1) >= LEAST_POINTS) & apart)


@dataclass(frozen=True)
class _Fit:
    slope: Floats
    variance: Floats
    pearson: Floats
    used: npt.NDArray[np.bool_]
    fitted: npt.NDArray[np.bool_]


def _limits(fit: _Fit, confidence: float) -> tuple[Floats, Floats]:
    freedom = np.maximum(fit.used.sum(axis=-1) - 2, 1)
    told = freedom[fit.fitted].sum() >= LEAST_FREEDOM
    common = _common_scatter(fit.pearson[fit.fitted], freedom[fit.fitted]) if told else 1.0
    side = tail(confidence)
    width = np.full(fit.slope.shape, ndtri(1 - side) * np.sqrt(common))
    own = t.ppf(1 - side, freedom) * np.sqrt(fit.pearson / freedom)
    scattered = fit.pearson > common * chi2.ppf(SCATTERED if told else SCATTERED_ALONE, freedom)
    width = np.where(scattered, np.maximum(width, own), width) * np.sqrt(fit.variance)
    return fit.slope - width, fit.slope + width


def _common_scatter(pearson: Floats, freedom: npt.NDArray[np.int64]) -> float:
    """Return how much more than chance the series vary about their lines, at least 1.

    The median, so that a few series with wrong figures do not make all others unsure.
    """
    return max(1.0, float(np.median(pearson / chi2.ppf(0.5, freedom))))


def _said(
    used: npt.NDArray[np.bool_],
    fitted: npt.NDArray[np.bool_],
    change: Floats,
    lower: Floats,
    upper: Floats,
) -> Trend:
    direction = np.full(fitted.shape, NO_CHANGE, dtype=object)
    direction[lower > 0] = RISING
    direction[upper < 0] = FALLING
    direction[~fitted] = TOO_FEW
    change, lower, upper = (np.where(fitted, side, np.nan) for side in (change, lower, upper))
    return Trend(used.sum(axis=-1), change, lower, upper, direction)
