"""Which cells of a table are sensitive: too small, too telling, or made by too few.

Belongs here: the rules of primary suppression, for counts and for sums of money, as pure functions
of arrays. Does not belong here: hiding anything (``counts.py``, ``suppression/``), or whether a
hidden cell can be worked back (``attacker.py``). Every function looks at exact figures, so its
answer is as confidential as they are.

Source of the rules and of the protection they ask for: domain dossier, section 3.2, after the
Handbook on Statistical Disclosure Control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError

if TYPE_CHECKING:
    from governance.disclosure.profiles import CostRules, Profile

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def sensitive_counts(counts: ArrayLike, profile: Profile) -> Bools:
    """Return which counts are small enough to be sensitive: 1 to ``small.below`` - 1.

    A zero says of nobody that they are there; where it says something of a whole group,
    `class_disclosure` finds it. A missing count (NaN) is not sensitive.

    Parameters
    ----------
    counts : (...) numbers
        Exact counts.

    Raises
    ------
    DisclosureError
        If a count is negative.
    """
    exact = _counts(counts)
    return (exact >= 1) & (exact < profile.small.below)


def class_disclosure(counts: ArrayLike, margins: ArrayLike | None, profile: Profile) -> Bools:
    """Return which cells say something of every member of a small group.

    Where all of a group stand in one category, whoever belongs to the group is known to stand
    there: the full cell (100 per cent) and the empty ones beside it (0 per cent) say so alike. That
    is sensitive where the group is small, 1 to ``small.below`` - 1 people; all its cells are then.

    Parameters
    ----------
    counts : (..., k) numbers
        Exact counts of each group by category; the categories do not overlap.
    margins : (...) numbers or None
        Size of each group; the sum over the categories when None. A group with a margin that the
        categories do not reach has members elsewhere, and is then not wholly in one of these,
        though some category may still be empty of it.

    Returns
    -------
    (..., k) bool
        All False where the profile takes class disclosure for harmless.

    Raises
    ------
    DisclosureError
        If a count is negative, or the shapes do not fit.
    """
    exact = _counts(counts)
    if exact.ndim == 0:
        raise DisclosureError("Class disclosure is asked of a group by category, not of one count")
    sizes = exact.sum(axis=-1) if margins is None else _counts(margins)
    if sizes.shape != exact.shape[:-1]:
        raise DisclosureError("There must be one margin for each group of counts by category")
    if not profile.class_disclosure:
        return np.zeros(exact.shape, dtype=bool)
    small = (sizes >= 1) & (sizes < profile.small.below)
    whole = small & (exact == sizes[..., np.newaxis]).any(axis=-1)
    return np.broadcast_to(whole[..., np.newaxis], exact.shape).copy()


def dominated(totals: ArrayLike, largest: ArrayLike, n: int, k: float) -> Bools:
    """Return which sums are dominated: the ``n`` largest contributions exceed ``k`` per cent.

    Parameters
    ----------
    totals : (m,) numbers
        Sums of contributions, none of them negative.
    largest : (m, j) numbers
        The largest contributions to each, in falling order, 0 where there are fewer; ``j >= n``.
    k : float
        Per cent.

    Raises
    ------
    DisclosureError
        If the shapes do not fit, contributions are not in falling order or exceed their total.
    """
    sums, parts = _contributions(totals, largest, n)
    return parts[:, :n].sum(axis=1) * 100 > k * sums


def p_percent(totals: ArrayLike, largest: ArrayLike, p: float) -> Bools:
    """Return which sums let the second contributor work out the largest to within ``p`` per cent.

    The second largest knows the total and its own part; what remains, ``X - x1 - x2``, is all
    that stands between its estimate and the largest: sensitive where that is less than
    ``p / 100 * x1``.

    Parameters
    ----------
    totals, largest
        As `dominated`, with ``j >= 2``.
    p : float
        Per cent.

    Raises
    ------
    DisclosureError
        As `dominated`.
    """
    sums, parts = _contributions(totals, largest, 2)
    return (sums - parts[:, 0] - parts[:, 1]) * 100 < p * parts[:, 0]


def dominance_protection(totals: ArrayLike, largest: ArrayLike, n: int, k: float) -> Floats:
    """Return how far above a dominated sum its interval must reach: ``100/k * top_n - X``.

    A sum this much greater would not be dominated. 0 where it is not.

    Raises
    ------
    DisclosureError
        As `dominated`.
    """
    sums, parts = _contributions(totals, largest, n)
    needed = 100 / k * parts[:, :n].sum(axis=1) - sums
    return np.where(dominated(totals, largest, n, k), np.maximum(needed, 0), 0.0)


def p_percent_protection(totals: ArrayLike, largest: ArrayLike, p: float) -> Floats:
    """Return how far above a sum its interval must reach under p%.

    ``p/100 * x1 - (X - x1 - x2)``; 0 where the sum is not sensitive.

    Raises
    ------
    DisclosureError
        As `dominated`.
    """
    sums, parts = _contributions(totals, largest, 2)
    needed = p / 100 * parts[:, 0] - (sums - parts[:, 0] - parts[:, 1])
    return np.where(p_percent(totals, largest, p), np.maximum(needed, 0), 0.0)


def too_few_contributors(contributors: ArrayLike, rules: CostRules) -> Bools:
    """Return which sums have contributions, but fewer than the profile asks for.

    Raises
    ------
    DisclosureError
        If a number of contributors is negative.
    """
    number = _counts(contributors)
    return (number >= 1) & (number < rules.contributors)


def sensitive_costs(
    totals: ArrayLike, largest: ArrayLike, contributors: ArrayLike, rules: CostRules
) -> Bools:
    """Return which sums of money any of the profile's rules takes for sensitive.

    Parameters
    ----------
    totals, largest
        As `dominated`, with as many of the largest as the rules need.
    contributors : (m,) integers

    Raises
    ------
    DisclosureError
        As `dominated`.
    """
    return (
        too_few_contributors(contributors, rules)
        | dominated(totals, largest, rules.dominance.n, rules.dominance.k)
        | p_percent(totals, largest, rules.p_percent)
    )


def costs_protection(
    totals: ArrayLike, largest: ArrayLike, contributors: ArrayLike, rules: CostRules
) -> Floats:
    """Return how far above each sum its interval must reach: the most that any rule asks for.

    A sum that is sensitive for its few contributors alone takes what p% asks for when nobody but
    the largest two contributes, ``p/100 * x1``. 0 where a sum is not sensitive.

    Raises
    ------
    DisclosureError
        As `dominated`.
    """
    _, parts = _contributions(totals, largest, 2)
    few = np.where(
        too_few_contributors(contributors, rules), rules.p_percent / 100 * parts[:, 0], 0.0
    )
    dominance = dominance_protection(totals, largest, rules.dominance.n, rules.dominance.k)
    by_p: Floats = p_percent_protection(totals, largest, rules.p_percent)
    return np.maximum(np.maximum(dominance, by_p), few)


def low_denominators(
    denominators: ArrayLike, unit: Literal["households", "persons"], profile: Profile
) -> Bools:
    """Return which rates have too few households or persons below the line to be published.

    A missing denominator (NaN) is not low; there is no rate then either.

    Raises
    ------
    DisclosureError
        If a denominator is negative.
    """
    least = profile.minimum_denominator
    minimum = least.households if unit == "households" else least.persons
    return _counts(denominators) < minimum


def _counts(counts: ArrayLike) -> Floats:
    exact = np.asarray(counts, dtype=float)
    if (exact < 0).any():
        raise DisclosureError("A negative number came where a count was expected")
    return exact


def _contributions(totals: ArrayLike, largest: ArrayLike, needed: int) -> tuple[Floats, Floats]:
    sums, parts = np.asarray(totals, dtype=float), np.asarray(largest, dtype=float)
    if parts.ndim != 2 or sums.shape != parts.shape[:1] or parts.shape[1] < needed:
        raise DisclosureError(
            f"Each sum needs its {needed} largest contributions",
            "Give an array of one row a sum and one column a contribution, 0 where there are fewer",
        )
    if (parts < 0).any() or (np.diff(parts, axis=1) > 0).any():
        raise DisclosureError(
            "Contributions to a sum are negative or not in falling order",
            "Give the largest first, and refunds apart",
        )
    # Sums of pounds and pence are not exact in binary: a hair over is no contradiction.
    if (parts.sum(axis=1) > sums * (1 + 1e-9) + 1e-9).any():
        raise DisclosureError("The largest contributions exceed the sum they are part of")
    return sums, parts
