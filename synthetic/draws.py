"""Draws that several topics make.

Belongs here: drawing labels by their shares and shares from scores. Does not belong here: which
labels, which are ``code_lists``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def pick(rng: Generator, shares: Mapping[str, float], count: int) -> NDArray[Any]:
    """Draw labels by their shares.

    Parameters
    ----------
    rng : numpy.random.Generator
    shares : mapping of str to float
        Weights; they need not add up to one.
    count : int

    Returns
    -------
    (count,) object array of str
    """
    weight = np.cumsum(list(shares.values()))
    place = np.searchsorted(weight, rng.random(count) * weight[-1], side="right")
    return np.array(list(shares), dtype=object)[place]


def yes_no(rng: Generator, chance: NDArray[np.float64] | float, count: int) -> NDArray[Any]:
    """Draw the words Yes and No."""
    return np.where(rng.random(count) < chance, "Yes", "No").astype(object)


def place_by(rng: Generator, weight: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Draw row numbers in proportion to a weight."""
    total = np.cumsum(weight.astype(np.float64))
    return np.searchsorted(total, rng.random(count) * total[-1], side="right")


def days(rng: Generator, lowest: int, highest: int, count: int) -> NDArray[np.timedelta64]:
    """Draw whole numbers of days, both ends included."""
    return rng.integers(lowest, highest + 1, count).astype("timedelta64[D]")


def thin(rng: Generator, expected: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw Poisson counts."""
    return rng.poisson(np.maximum(expected, 0.0))
