"""Expected use of areas: from the rates of groups, then adjusted for need.

Belongs here: the arithmetic of expected use and of an area's need relative to the region, with its
interval. Does not belong here: reading figures (``figures.py``), or what follows from them
(``classes.py``).

Formulas
--------
groups
    ``E = sum of r_s n_s`` over groups s: the region's rate times the area's people (indirect
    standardisation).
need
    ``N = (E / n) / (sum E / sum n)``: expected use for each person at risk, as a ratio to the
    region's. 1 is the region as a whole.
interval of N
    by the delta method on the log scale. ``var(log N) = sum of (p_s - P_s)^2 / X_s``, where p_s and
    P_s are the parts of group s in the area's and the region's expected use and X_s are the events
    behind the group's rate; the adjustment adds ``(z - zbar)' V (z - zbar)``, with V the
    coefficients' covariance and zbar the mean predictor weighted by expected use.
excess
    ``d + E v``: by how much the variance of an observed count about its expected number exceeds
    that of a Poisson count. ``d`` is Pearson's dispersion (``poisson.usual_scatter``), and
    ``v = var(log N) + d / sum E`` the variance of the logarithm of the expected number
    (quasi-Poisson).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from indicators.service.poisson import AREAS_PER_PREDICTOR, PoissonFit, poisson_fit, usual_scatter

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CONFIDENCE = 0.95
MAX_UNSEEN = 0.2
"""Share of areas with a hidden count above which need is not fitted: what is hidden is small, so
that a fit without it would expect too much everywhere."""


@dataclass(frozen=True)
class Groups:
    """Expected use from groups alone. All arrays have one entry for each area.

    Attributes
    ----------
    people, expected : ndarray
        People at risk, and events expected of them; NaN where unknown.
    variance : ndarray
        Of the logarithm of need as far as the groups' rates are unsure; NaN where unknown.
    """

    people: Floats
    expected: Floats
    variance: Floats


@dataclass(frozen=True)
class Adjustment:
    """What need added to the groups.

    Attributes
    ----------
    expected : ndarray, shape (areas,)
        Events expected with need; NaN where a predictor is missing or there is no adjustment.
    variance : ndarray, shape (areas,)
        Of the logarithm of need as far as the coefficients are unsure.
    used : tuple of int
        Places of the predictors in use.
    dispersion : float
        How much more counts vary about those of areas alike than chance has them, at least 1:
        about the fit with every predictor, those that point the wrong way too, since what use they
        explain is no chance. Without a fit, about what the groups give; 1 where fewer than ten
        areas show a count, so that nothing tells.
    why_not : str or None
        Why there is no adjustment: ``no_predictors``, ``too_few_areas``, ``too_many_hidden``,
        ``collinear``, ``not_converged``, ``wrong_direction``; None where there is one.
    """

    expected: Floats
    variance: Floats
    used: tuple[int, ...]
    dispersion: float
    why_not: str | None


def expect_by_groups(populations: Floats, rates: Floats, events: Floats) -> Groups:
    """Return the use expected of each area from the rates of its groups.

    Parameters
    ----------
    populations : ndarray, shape (areas, groups)
        People of each group; NaN where unknown.
    rates, events : ndarray, shape (groups,)
        The region's events for each person of the group, and the events it rests on; NaN where
        unknown, and then nothing is expected anywhere.
    """
    people = populations.sum(axis=1)
    parts = populations * rates
    expected = parts.sum(axis=1)
    whole = parts[~np.isnan(expected)].sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = parts / expected[:, None] - whole / whole.sum()
        # A group without an event is expected to have none: its part is 0 everywhere.
        variance = np.where(events > 0, apart**2 / events, 0.0).sum(axis=1)
    return Groups(people, expected, np.where(expected > 0, variance, np.nan))


def adjust_for_need(
    groups: Groups, observed: Floats, hidden: Flags, predictors: Floats
) -> Adjustment:
    """Adjust expected use for predictors of need, by a Poisson regression over the areas.

    A predictor may only raise what is expected where need is higher. One that points the other way
    is left out: it would turn an unmet need into an expected low use.

    Parameters
    ----------
    groups : Groups
    observed : ndarray, shape (areas,)
        Published counts; NaN where hidden or missing.
    hidden : ndarray of bool, shape (areas,)
        Where the count is hidden rather than missing.
    predictors : ndarray, shape (areas, predictors)
        Oriented so that a higher value means more need; NaN where missing.
    """
    many = predictors.shape[1]
    if many == 0:
        return _by_groups(groups, observed, "no_predictors")
    known = (groups.expected > 0) & ~np.isnan(predictors).any(axis=1)
    fitted = known & ~np.isnan(observed)
    seen, unseen = int(fitted.sum()), int((known & hidden).sum())
    if seen == 0:
        return _by_groups(groups, observed, "too_few_areas")
    if unseen > MAX_UNSEEN * (seen + unseen):
        return _by_groups(groups, observed, "too_many_hidden")
    spread = predictors[fitted].std(axis=0)
    if np.any(spread <= 1e-12 * np.maximum(1.0, np.abs(predictors[fitted]).max(axis=0))):
        return _by_groups(groups, observed, "collinear")
    standard = (predictors - predictors[fitted].mean(axis=0)) / spread
    used = list(range(many))
    dispersion = np.nan
    while used:
        fit = poisson_fit(
            observed[fitted], np.log(groups.expected[fitted]), standard[fitted][:, used]
        )
        if fit.outcome != "fitted":
            return _by_groups(groups, observed, fit.outcome)
        if np.isnan(dispersion):
            mean = groups.expected[fitted] * np.exp(
                fit.intercept + standard[fitted] @ fit.coefficients
            )
            dispersion = usual_scatter(observed[fitted], mean, many + 1)
        against = fit.coefficients / np.sqrt(np.diag(fit.covariance))
        worst = int(np.argmin(against))
        if against[worst] >= 0:
            return _adjusted(groups, known, standard[:, used], fit, tuple(used), dispersion)
        del used[worst]
    return replace(_by_groups(groups, observed, "wrong_direction"), dispersion=dispersion)


def _by_groups(groups: Groups, observed: Floats, why_not: str) -> Adjustment:
    nothing = np.full(len(observed), np.nan)
    seen = (groups.expected > 0) & ~np.isnan(observed)
    dispersion = 1.0
    if seen.sum() >= AREAS_PER_PREDICTOR and observed[seen].any():
        mean = groups.expected[seen] * observed[seen].sum() / groups.expected[seen].sum()
        dispersion = usual_scatter(observed[seen], mean, 1)
    return Adjustment(nothing, nothing, (), dispersion, why_not)


def _adjusted(
    groups: Groups,
    known: Flags,
    standard: Floats,
    fit: PoissonFit,
    used: tuple[int, ...],
    dispersion: float,
) -> Adjustment:
    expected = np.full(len(known), np.nan)
    variance = np.full(len(known), np.nan)
    rows = standard[known]
    expected[known] = groups.expected[known] * np.exp(fit.intercept + rows @ fit.coefficients)
    centre = np.average(rows, axis=0, weights=expected[known])
    apart = rows - centre
    variance[known] = np.einsum("ij,jk,ik->i", apart, fit.covariance, apart)
    return Adjustment(expected, variance, used, dispersion, None)


def excess_variance(groups: Groups, adjustment: Adjustment) -> Floats:
    """Return the variance of each count about its expected number, in that of a Poisson count.

    Returns
    -------
    ndarray, shape (areas,)
        At least 1; NaN where nothing is expected. An area's own count is one of those its
        expected number was made from, which brings the two nearer to each other; that is left out,
        and so is on the safe side.
    """
    adjusted = ~np.isnan(adjustment.expected)
    expected = np.where(adjusted, adjustment.expected, groups.expected)
    whole = np.nansum(expected)
    level = adjustment.dispersion / whole if whole > 0 else np.nan
    unsure = groups.variance + np.where(adjusted, adjustment.variance, 0.0) + level
    return adjustment.dispersion + expected * unsure


def relative_need(groups: Groups, adjustment: Adjustment) -> tuple[Floats, Floats, Floats]:
    """Return each area's need as a ratio to the region's, with its 95 % interval.

    Areas without an adjustment are placed by their groups, among all areas. Where neither groups
    nor predictors tell areas apart there is no need to speak of: NaN.

    Returns
    -------
    need, lower, upper : ndarray, shape (areas,)
    """
    by_groups = _ratio(groups.expected, groups.people)
    by_need = _ratio(adjustment.expected, groups.people)
    adjusted = ~np.isnan(by_need)
    need = np.where(adjusted, by_need, by_groups)
    variance = groups.variance + np.where(adjusted, adjustment.variance, 0.0)
    half = ndtri((1 + CONFIDENCE) / 2) * np.sqrt(variance)
    told_apart = variance > 1e-18
    need = np.where(told_apart, need, np.nan)
    return need, need * np.exp(-half), need * np.exp(half)


def _ratio(expected: Floats, people: Floats) -> Floats:
    known = ~np.isnan(expected) & (people > 0) & (expected > 0)
    if not known.any():
        return np.full(len(expected), np.nan)
    region = expected[known].sum() / people[known].sum()
    # Where nobody is at risk there is nothing to divide by.
    return np.where(known, expected / np.where(known, people, 1.0) / region, np.nan)
