"""The Poisson regression against a general optimiser, and when it declines."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from declarations.errors import LsoalinkError
from indicators.service.poisson import poisson_fit, usual_scatter

DRAW = np.random.default_rng(7)
AREAS = 200
PREDICTORS = DRAW.normal(size=(AREAS, 2))
OFFSET = np.log(DRAW.uniform(20, 60, AREAS))
OBSERVED = DRAW.poisson(np.exp(OFFSET - 0.1 + PREDICTORS @ [0.4, 0.15])).astype(float)


def test_it_agrees_with_a_general_optimiser_of_the_likelihood() -> None:
    def minus_log_likelihood(beta: np.ndarray) -> float:
        eta = OFFSET + beta[0] + PREDICTORS @ beta[1:]
        return float(np.sum(np.exp(eta) - OBSERVED * eta))

    best = minimize(minus_log_likelihood, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    fit = poisson_fit(OBSERVED, OFFSET, PREDICTORS)

    assert fit.outcome == "fitted"
    assert [fit.intercept, *fit.coefficients] == pytest.approx(best.x, abs=1e-5)
    # The inverse of the likelihood's curvature, by finite differences, is the unscaled covariance.
    curvature = np.array(
        [
            approx_fprime(
                best.x, lambda b, k=k: approx_fprime(b, minus_log_likelihood, 1e-4)[k], 1e-4
            )
            for k in range(3)
        ]
    )
    assert fit.covariance / fit.dispersion == pytest.approx(
        np.linalg.inv(curvature)[1:, 1:], rel=0.01
    )


def test_it_finds_what_was_planted() -> None:
    fit = poisson_fit(OBSERVED, OFFSET, PREDICTORS)
    error = np.sqrt(np.diag(fit.covariance))

    assert np.all(np.abs(fit.coefficients - [0.4, 0.15]) < 4 * error)


def test_all_fitted_counts_add_up_to_the_observed_ones() -> None:
    fit = poisson_fit(OBSERVED, OFFSET, PREDICTORS)

    fitted = np.exp(OFFSET + fit.intercept + PREDICTORS @ fit.coefficients)
    assert fitted.sum() == pytest.approx(OBSERVED.sum())


def test_counts_that_vary_more_than_chance_widen_the_covariance() -> None:
    lumpy = OBSERVED * DRAW.choice([0.5, 1.5], AREAS)

    assert poisson_fit(lumpy, OFFSET, PREDICTORS).dispersion > 2
    assert poisson_fit(OBSERVED, OFFSET, PREDICTORS).dispersion < 1.5


@pytest.mark.parametrize(
    ("why", "rows", "predictors"),
    [
        ("too_few_areas", slice(0, 19), PREDICTORS),
        ("too_few_areas", slice(0, 0), PREDICTORS),
        ("too_few_areas", slice(None), PREDICTORS[:, :0]),
        ("collinear", slice(None), PREDICTORS[:, [0, 0]]),
        ("collinear", slice(None), np.zeros((AREAS, 1))),
    ],
)
def test_it_declines_what_it_cannot_fit(why: str, rows: slice, predictors: np.ndarray) -> None:
    assert poisson_fit(OBSERVED[rows], OFFSET[rows], predictors[rows]).outcome == why


def test_it_says_so_where_the_fit_does_not_settle() -> None:
    assert poisson_fit(np.zeros(AREAS), OFFSET, PREDICTORS).outcome == "not_converged"


def test_twenty_areas_are_enough_for_two_predictors() -> None:
    assert poisson_fit(OBSERVED[:20], OFFSET[:20], PREDICTORS[:20]).outcome == "fitted"


@pytest.mark.parametrize(
    ("observed", "offset", "predictors"),
    [
        (OBSERVED[:-1], OFFSET, PREDICTORS),
        (OBSERVED, OFFSET[:-1], PREDICTORS),
        (OBSERVED, OFFSET, PREDICTORS[:, 0]),
        (np.where(np.arange(AREAS) == 3, np.nan, OBSERVED), OFFSET, PREDICTORS),
        (OBSERVED, np.full(AREAS, -np.inf), PREDICTORS),
        (-OBSERVED, OFFSET, PREDICTORS),
    ],
)
def test_it_refuses_wrong_shapes_and_values(
    observed: np.ndarray, offset: np.ndarray, predictors: np.ndarray
) -> None:
    with pytest.raises(LsoalinkError):
        poisson_fit(observed, offset, predictors)


@pytest.mark.parametrize("times", [1.0, 2.0, 4.0])
def test_the_usual_scatter_is_pearsons_without_extremes(times: float) -> None:
    draw = np.random.default_rng(5)
    mean = draw.uniform(40, 200, 4000)
    if times > 1:
        observed = draw.negative_binomial(mean / (times - 1), 1 / times).astype(float)
    else:
        observed = draw.poisson(mean).astype(float)
    assert usual_scatter(observed, mean, 2) == pytest.approx(times, rel=0.06)
    # One area in twenty gone altogether: Pearson's own would rise manifold.
    gone = np.where(np.arange(4000) % 20 == 0, 0.0, observed)
    assert usual_scatter(gone, mean, 2) < 1.35 * times


def test_less_scatter_than_chance_counts_as_chance() -> None:
    assert usual_scatter(np.full(30, 40.0), np.full(30, 40.0), 1) == 1
