"""Rates as they would be with another population's ages, and events against those expected.

Belongs here: the European Standard Population of 2013, direct standardisation, and indirect
standardisation with its interval. Does not belong here: Dobson's formula itself
(``indicators/intervals.py``), adjusting for need (``indicators/service/``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from declarations.errors import LsoalinkError
from indicators.columns import Column, Floats, counts, floats, same_shape
from indicators.intervals import Estimate, byar, dobson

ESP_2013 = (
    5000, 5500, 5500, 5500, 6000, 6000, 6500, 7000, 7000, 7000,
    7000, 6500, 6000, 5500, 5000, 4000, 2500, 1500, 1000,
)  # fmt: skip
"""European Standard Population 2013 (Eurostat): people aged 0-4, 5-9, ... 85-89, 90 and over;
100,000 in all."""

BAND = 5
OLDEST = BAND * (len(ESP_2013) - 1)


class Indirect(NamedTuple):
    """Expected events, and observed events against them with the limits of the interval."""

    expected: Floats
    ratio: Floats
    lower: Floats
    upper: Floats


def esp_2013(ages: Sequence[int], end: int | None = None) -> Floats:
    """Return the European Standard Population 2013 summed to other age bands.

    Parameters
    ----------
    ages : sequence of int
        The youngest age of each band, rising: ``[18, 65, 85]`` for 18-64, 65-84, 85 and over.
    end : int, optional
        First age beyond the last band; left out, the last band is open.

    Returns
    -------
    ndarray of float, shape of ``ages``
        People of the standard population. A limit inside a band of five years splits it evenly
        over its years (18 and 19 are two fifths of 15-19): that is our assumption, the standard
        does not say.

    Raises
    ------
    LsoalinkError
        If the ages do not rise from 0 or more, or one splits the open band from 90.
    """
    limits = [*ages, *([] if end is None else [end])]
    rising = all(a < b for a, b in pairwise(limits))
    if not limits or not rising or limits[0] < 0 or limits[-1] > OLDEST:
        raise LsoalinkError(
            f"The age bands do not rise within 0 to {OLDEST}",
            "Give the youngest age of each band, each once, in rising order",
        )
    # People younger than each age, at every age the standard knows.
    below = np.concatenate([[0.0], np.cumsum(np.array(ESP_2013[:-1], dtype=np.float64))])
    younger = np.interp(limits, np.arange(len(ESP_2013)) * BAND, below)
    if end is None:
        younger = np.append(younger, sum(ESP_2013))
    return np.diff(younger)


def direct(
    x: Column,
    n: Column,
    weights: Column,
    *,
    multiplier: float = 100_000.0,
    confidence: float = 0.95,
) -> Estimate:
    """Return directly standardised rates; :func:`indicators.intervals.dobson` per 100,000.

    Parameters
    ----------
    x, n : Column, shape (..., strata)
        Events and people.
    weights : Column, shape (strata,)
        The standard population, for example of :func:`esp_2013`.

    Returns
    -------
    Estimate
        NaN with fewer than 10 events, or where a stratum is missing or empty.
    """
    return dobson(x, n, weights, multiplier=multiplier, confidence=confidence)


def expected_events(populations: Column, reference_rates: Column) -> Floats:
    """Return the events there would be at the reference rates: ``E = Σ n r``.

    Parameters
    ----------
    populations : Column, shape (..., strata)
        People of each stratum, the strata on the last axis.
    reference_rates : Column, shape (strata,)
        Events per person in the reference population (not per 1,000).

    Returns
    -------
    ndarray of float
        Shape of ``populations`` without its last axis; NaN where a stratum is missing.

    Raises
    ------
    LsoalinkError
        If the strata differ in number, or a population or rate is negative.
    """
    people = counts(populations, "the populations")
    rates = counts(reference_rates, "the reference rates")
    if people.ndim == 0 or rates.shape != people.shape[-1:]:
        raise LsoalinkError(
            f"populations {people.shape} and reference_rates {rates.shape} differ in their strata",
            "Give the strata on the last axis, and one rate for each",
        )
    return np.sum(people * rates, axis=-1)


def observed_ratio(
    observed: Column, expected: Column, *, multiplier: float = 1.0, confidence: float = 0.95
) -> Estimate:
    """Return observed against expected events, ``m x / E``, with Byar's interval ``m Byar(x) / E``.

    Parameters
    ----------
    observed, expected : Column, same shape
        Events; the expected are taken as known without error.
    multiplier : float
        100 for a standardised ratio that is 100 where all is as expected.

    Returns
    -------
    Estimate
        NaN where an input is missing or nothing is expected.

    Raises
    ------
    LsoalinkError
        If the shapes differ or a value is negative.
    """
    events, chance = same_shape(
        observed=counts(observed, "the observed events"),
        expected=counts(expected, "the expected events"),
    )
    chance = np.where(chance == 0, np.nan, chance)
    lower, upper = byar(events, confidence)
    return Estimate(*(multiplier * side / chance for side in (events, lower, upper)))


def indirect(
    observed: Column,
    populations: Column,
    reference_rates: Column,
    *,
    multiplier: float = 1.0,
    confidence: float = 0.95,
) -> Indirect:
    """Return observed events against those expected at the reference population's rates.

    Parameters
    ----------
    observed : Column, shape (...)
        Events of all strata together.
    populations : Column, shape (..., strata)
    reference_rates : Column, shape (strata,)
        Events per person.
    multiplier : float
        1 or 100.

    Returns
    -------
    Indirect

    Raises
    ------
    LsoalinkError
        If the shapes do not fit or a value is negative.
    """
    expected = expected_events(populations, reference_rates)
    ratio = observed_ratio(
        floats(observed, "the observed events"), expected,
        multiplier=multiplier, confidence=confidence,
    )  # fmt: skip
    return Indirect(expected, *ratio)
