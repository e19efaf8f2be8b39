"""What an area's use and need say together, in one of five words.

Belongs here: the rule, small and legible. Does not belong here: the numbers it reads.

An unmet need candidate needs both beyond chance: need clearly above the region's and use clearly
below what is expected. "Clearly" is a 95 % interval that does not reach 1, and, since published
counts are rounded, one that would not reach it for any count that rounds to the published one. For
use it is Byar's interval, each limit moved away from the count by the root of the excess variance
(quasi-Poisson): counts of areas with the same need vary more than chance alone has them, and what
is expected is itself unsure. A ratio's published interval is Byar's alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from declarations.base import CountProfile
from governance.disclosure.counts import bounds, could_be_shown
from governance.disclosure.profiles import profile
from indicators.intervals import byar

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

UNMET_NEED = "unmet need candidate"
AS_EXPECTED = "use as expected"
LESS = "less use than expected"
MORE = "more use than expected"
UNKNOWN = "cannot be said"


@dataclass(frozen=True)
class Use:
    """Observed against expected use, one entry for each area; NaN where either is unknown.

    Attributes
    ----------
    ratio, lower, upper : ndarray
        Observed over expected, with Byar's interval of the count as published; the expected count
        is taken as known.
    clearly_low, clearly_high : ndarray of bool
        Whether the widened interval lies wholly below or above 1 for every count that may have
        been rounded to the published one.
    """

    ratio: Floats
    lower: Floats
    upper: Floats
    clearly_low: Flags
    clearly_high: Flags


def stands_for(observed: Floats, name: CountProfile) -> tuple[Floats, Floats]:
    """Return the lowest and the highest count that each published one may have been rounded from.

    A number that the profile never shows cannot have been published under it, and is taken as it
    stands.
    """
    rule = profile(name)
    lowest, highest = observed.copy(), observed.copy()
    for value in np.unique(observed[~np.isnan(observed)]).tolist():
        if could_be_shown(int(value), rule):
            here = observed == value
            lowest[here], highest[here] = bounds(int(value), None, rule)
    return lowest, highest


def use_against_expected(
    observed: Floats, expected: Floats, name: CountProfile, excess: Floats | float = 1.0
) -> Use:
    """Return observed over expected use with its interval.

    Parameters
    ----------
    observed : ndarray
        Published counts; NaN where hidden or missing.
    expected : ndarray, same shape
        NaN where unknown; 0 gives no ratio.
    name : str
        The disclosure profile the counts were published under.
    excess : ndarray, same shape, or float
        Variance of a count about the expected number, in that of a Poisson count
        (``need.excess_variance``); below 1 and NaN count as 1.
    """
    below = np.where(expected > 0, expected, np.nan)
    lower, upper = byar(observed)
    lowest, highest = stands_for(observed, name)
    wider = np.sqrt(np.fmax(excess, 1.0))
    most = highest + wider * (byar(highest)[1] - highest)
    least = lowest - wider * (lowest - byar(lowest)[0])
    return Use(
        ratio=observed / below, lower=lower / below, upper=upper / below,
        clearly_low=most / below < 1, clearly_high=least / below > 1,
    )  # fmt: skip


def class_of(ratio_known: bool, use_low: bool, use_high: bool, need_high: bool) -> str:
    """Return the word for one area."""
    if not ratio_known:
        return UNKNOWN
    if use_low:
        return UNMET_NEED if need_high else LESS
    return MORE if use_high else AS_EXPECTED
