"""Poisson regression of counts on area characteristics, with an offset.

Belongs here: the fit by iteratively reweighted least squares and what it says of itself. Does not
belong here: which areas and characteristics enter (``need.py``).

The model: ``observed ~ Poisson(exp(offset + a + Z b))``. McCullagh and Nelder (1989), Generalized
Linear Models, 2nd edition, sections 2.5 and 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, xlogy

from declarations.errors import LsoalinkError

Floats = npt.NDArray[np.float64]

Outcome = Literal["fitted", "too_few_areas", "collinear", "not_converged"]

AREAS_PER_PREDICTOR = 10
"""With fewer areas for each predictor a fit follows chance (the usual rule of ten)."""

MAX_CONDITION = 30.0
"""Condition number above which predictors count as collinear (Belsley, Kuh and Welsch 1980)."""

EXTREME = 0.1
"""Part of the areas at each end whose distance does not count in the usual scatter."""

MAX_STEPS = 50
TOLERANCE = 1e-10


@dataclass(frozen=True)
class PoissonFit:
    """What a fit found.

    Attributes
    ----------
    outcome : str
        ``fitted``, or why there is no fit; then all else is empty or NaN.
    intercept : float
    coefficients : ndarray, shape (predictors,)
        Change of the log rate for one unit of each predictor.
    covariance : ndarray, shape (predictors, predictors)
        Of the coefficients, scaled by the dispersion.
    dispersion : float
        Pearson's chi-squared over its degrees of freedom, at least 1: how much more the counts
        vary than chance alone would have them.
    """

    outcome: Outcome
    intercept: float
    coefficients: Floats
    covariance: Floats
    dispersion: float


def poisson_fit(observed: Floats, offset: Floats, predictors: Floats) -> PoissonFit:
    """Fit the log rate of counts to predictors.

    Parameters
    ----------
    observed : ndarray, shape (areas,)
        Counts, none missing.
    offset : ndarray, shape (areas,)
        Logarithm of the count expected without the predictors.
    predictors : ndarray, shape (areas, predictors)
        Best standardised, none missing. Give rows in a fixed order: sums of floating-point numbers
        depend on it in their last digits.

    Returns
    -------
    PoissonFit
        Without a fit where areas are too few, predictors are constant or all but linear in each
        other, or the fit does not settle within 50 steps.

    Raises
    ------
    LsoalinkError
        If shapes differ, a value is missing or a count is negative.
    """
    _check(observed, offset, predictors)
    areas, many = predictors.shape
    if many == 0 or areas < AREAS_PER_PREDICTOR * many:
        return _without("too_few_areas", many)
    design = np.column_stack([np.ones(areas), predictors])
    if np.linalg.cond(design) > MAX_CONDITION:
        return _without("collinear", many)
    beta = _settle(observed, offset, design)
    if beta is None:
        return _without("not_converged", many)
    mean = np.exp(offset + design @ beta)
    chi_squared = float(np.sum((observed - mean) ** 2 / mean))
    dispersion = max(1.0, chi_squared / (areas - many - 1))
    covariance = np.linalg.inv(design.T @ (mean[:, None] * design)) * dispersion
    return PoissonFit("fitted", float(beta[0]), beta[1:], covariance[1:, 1:], dispersion)


def usual_scatter(observed: Floats, mean: Floats, parameters: int) -> float:
    """Return how much more counts vary about their means than chance has them, at least 1.

    Pearson's dispersion of all but the extremes: residuals beyond the lowest and the highest tenth
    are taken as at its border (Winsorised; Spiegelhalter and others 2012), and what that leaves of
    a normal variance is put back. The few areas that are to be found would else hide themselves.

    Parameters
    ----------
    observed, mean : ndarray, shape (areas,)
        Means above 0.
    parameters : int
        How many the means were fitted with.
    """
    away = (observed - mean) / np.sqrt(mean)
    low, high = np.quantile(away, [EXTREME, 1 - EXTREME])
    edge = float(ndtri(1 - EXTREME))
    density = np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi)
    kept = 1 - 2 * EXTREME - 2 * edge * density + 2 * EXTREME * edge**2
    squares = float(np.sum(np.clip(away, low, high) ** 2))
    return max(1.0, squares / kept / (len(observed) - parameters))


def _check(observed: Floats, offset: Floats, predictors: Floats) -> None:
    if predictors.ndim != 2 or not observed.shape == offset.shape == predictors.shape[:1]:
        raise LsoalinkError(
            f"Counts {observed.shape}, offsets {offset.shape} and predictors {predictors.shape} "
            "differ in shape",
            "Give one row of predictors for each count",
        )
    for values, name in ((observed, "count"), (offset, "offset"), (predictors, "predictor")):
        if not np.all(np.isfinite(values)):
            raise LsoalinkError(f"A {name} is missing or not finite", "Leave such areas out first")
    if np.any(observed < 0):
        raise LsoalinkError("A count is below zero", "A count is never negative")


def _without(outcome: Outcome, many: int) -> PoissonFit:
    return PoissonFit(
        outcome, float("nan"), np.full(many, np.nan), np.full((many, many), np.nan), float("nan")
    )


def _settle(observed: Floats, offset: Floats, design: Floats) -> Floats | None:
    if not observed.any():
        return None
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(observed.sum() / np.exp(offset).sum())
    deviance = _deviance(observed, offset + design @ beta)
    for _ in range(MAX_STEPS):
        mean = np.exp(offset + design @ beta)
        information = design.T @ (mean[:, None] * design)
        try:
            step = np.asarray(
                np.linalg.solve(information, design.T @ (observed - mean)), dtype=np.float64
            )
        except np.linalg.LinAlgError:
            return None
        beta, now = _step(observed, offset, design, beta, step, deviance)
        if abs(now - deviance) <= TOLERANCE * (abs(now) + 0.1):
            return beta
        deviance = now
    return None


def _step(
    observed: Floats, offset: Floats, design: Floats, beta: Floats, step: Floats, deviance: float
) -> tuple[Floats, float]:
    """Go along a step, halved until the fit is no worse for it."""
    for halving in range(12):
        tried = beta + step / 2**halving
        found = _deviance(observed, offset + design @ tried)
        if found <= deviance + TOLERANCE:
            return tried, found
    return beta, deviance


def _deviance(observed: Floats, log_mean: Floats) -> float:
    with np.errstate(over="ignore"):
        mean = np.exp(log_mean)
    safe = np.where(observed > 0, observed, 1.0)
    return float(2 * np.sum(xlogy(observed, safe) - observed * log_mean - observed + mean))
