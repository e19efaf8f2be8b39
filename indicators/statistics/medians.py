"""The median of a duration, from the shares of cases up to each of several limits.

Belongs here: reading the median and its interval off such shares. Does not belong here: which
shares (``indicators/derived/medians.py``).
"""

from __future__ import annotations

import numpy as np

from declarations.errors import LsoalinkError
from indicators.columns import Column, Floats, counts, floats, same_shape
from indicators.intervals import Estimate, wilson

HALF = 0.5


def median_from_shares(
    x: Column, n: Column, limits: Column, *, confidence: float = 0.95
) -> Estimate:
    """Return the median of each row, between the limits where half of the cases are reached.

    Parameters
    ----------
    x, n : Column, shape (rows, limits)
        Cases up to each limit, and all cases. A limit whose share is missing is passed over. A
        share below an earlier one, as separate rounding makes it, is taken as equal to it.
    limits : Column, shape (limits,)
        Above 0 and rising, in the median's unit.
    confidence : float

    Returns
    -------
    Estimate
        Cases are taken to be spread evenly between two limits, and from 0 to the first. The
        interval is that of Wilson for each share, turned around: from where its upper limits reach
        half of the cases to where its lower limits do. It keeps its level at a limit and more than
        its level between two. NaN where half is not reached at the last limit; the upper limit may
        be missing beside a median that is not.

    Raises
    ------
    LsoalinkError
        If the shapes do not fit, a count is negative, or the limits do not rise from above 0.
    """
    cases, whole = same_shape(
        numerator=counts(x, "the numerator"), denominator=counts(n, "the denominator")
    )
    ends = floats(limits, "the limits")
    if cases.ndim != 2 or ends.shape != cases.shape[1:]:
        raise LsoalinkError(
            f"numerator {cases.shape} and limits {ends.shape} differ in their limits",
            "Give the limits on the last axis, and one share for each",
        )
    if not np.all(np.diff(np.concatenate([[0.0], ends])) > 0):
        raise LsoalinkError(
            "The limits do not rise from above 0", "Give each limit once, the shortest first"
        )
    whole = np.where(whole == 0, np.nan, whole)
    cases = np.minimum(cases, whole)
    lower, upper = wilson(cases, whole, confidence)
    return Estimate(_reached(cases / whole, ends), _reached(upper, ends), _reached(lower, ends))


def _reached(shares: Floats, ends: Floats) -> Floats:
    """Return where each row of rising shares reaches a half, NaN where it does not."""
    found = np.full(shares.shape[0], np.nan)
    last_share, last_end = np.zeros(shares.shape[0]), np.zeros(shares.shape[0])
    for place, end in enumerate(ends.tolist()):
        share = np.fmax(shares[:, place], last_share)
        known = ~np.isnan(shares[:, place])
        here = known & np.isnan(found) & (share >= HALF)
        rise = np.where(here, share - last_share, 1)
        found = np.where(here, last_end + (HALF - last_share) / rise * (end - last_end), found)
        last_share = np.where(known, share, last_share)
        last_end = np.where(known, end, last_end)
    return found
