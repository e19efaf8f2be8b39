"""Random perturbation tables of maximum entropy, from what an officer declares.

Belongs here: the most even distribution of noise that keeps a declared greatest deviation, variance
and set of blocked small counts, and its rounding to whole numbers of cell keys. Does not belong
here: how a table is used (``ptable.py``).

Source: the maximum-entropy construction of Marley and Leaver (2011) and Giessing (2016), as in the
R package ``ptable`` (``create_cnt_ptable(D, V, js)``; domain dossier, section 3.5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from declarations.errors import ConfigurationError
from governance.disclosure.cell_key.ptable import LAST_ROW, PerturbationTable
from governance.disclosure.cell_key.record_keys import check_keys

GREATEST_DEVIATION = 20
"""More would hardly leave a small area's counts of any use."""

VARIANCE_TOLERANCE = {256: 0.02, 4096: 0.002}
"""By how much, relatively, a row's variance may miss the declared one, by number of keys."""

_SOLVED = 1e-7
_EDGE = 1e-9
_REMAINDER_UNITS = 1_000_000


def maximum_entropy_table(
    deviation: int, variance: float, blocked: int = 0, keys: int = 256
) -> PerturbationTable:
    """Return the table of maximum entropy for a declared deviation, variance and blocked counts.

    Every row has mean 0 and the declared variance; no result is negative or a blocked count; 0
    stays 0. Deterministic. In whole numbers of keys the mean is exactly 0 where whole numbers
    allow it and else below ``deviation / keys``; the variance is within `VARIANCE_TOLERANCE`.

    Parameters
    ----------
    deviation : int
        D: the most by which a count is changed, 1 to 20.
    variance : float
        V: of the change, for every count but 0.
    blocked : int
        js: no count becomes 1, 2, … ``blocked``.
    keys : int
        256 or 4096.

    Raises
    ------
    ConfigurationError
        If no distribution has these properties (the least and greatest possible variance are
        named), or whole numbers of keys cannot come near enough to it.
    """
    check_keys(keys)
    check_parameters(deviation, variance, blocked)
    noise = np.zeros((LAST_ROW + 1, keys), dtype=np.int16)
    first_full_row = deviation + blocked + 1
    for count in range(1, first_full_row + 1):
        changes, shares = maximum_entropy_row(count, deviation, variance, blocked)
        allotted = _allot(changes, shares, keys)
        allotted = _with_variance(changes, shares, allotted, variance)
        _check_row(changes, allotted, variance, deviation)
        noise[count] = np.repeat(changes, allotted)
    noise[first_full_row:] = noise[first_full_row]
    return PerturbationTable(noise)


def check_parameters(deviation: int, variance: float, blocked: int = 0) -> None:
    """Refuse parameters that no table can have.

    The variance of a change with mean 0 between ``-l`` and ``h`` is at most ``l * h``; if 0 is no
    possible change, and the nearest ones are ``-a`` and ``b``, it is at least ``a * b``. The
    narrowest rows decide.

    Raises
    ------
    ConfigurationError
    """
    if not 1 <= deviation <= GREATEST_DEVIATION or blocked < 0:
        raise ConfigurationError(
            f"The greatest deviation must lie from 1 to {GREATEST_DEVIATION} and the blocked "
            "counts from 0",
            "Correct them in the profile",
        )
    ranges = [
        _variances(_support(count, deviation, blocked))
        for count in range(1, deviation + blocked + 2)
    ]
    least, greatest = max(low for low, _ in ranges), min(high for _, high in ranges)
    if not (variance > 0 and least <= variance <= greatest):
        possible = f"from {least} to {greatest}" if 0 < greatest >= least else "of no size at all"
        raise ConfigurationError(
            "No perturbation table has the declared variance: with this greatest deviation and "
            f"these blocked counts it can be {possible}",
            "Change the variance, the deviation or the blocked counts in the profile",
        )


def maximum_entropy_row(
    count: int, deviation: int, variance: float, blocked: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the possible changes of one count, ascending, and their probabilities.

    Maximises ``-sum p log p`` subject to ``sum p = 1``, ``sum p v = 0``, ``sum p v**2 = V``. The
    solution is ``p = exp(a v + b v**2) / Z``; ``a`` and ``b`` minimise the convex dual ``log Z -
    b V``, found by Newton's method within a trust region.

    Raises
    ------
    ConfigurationError
        If no distribution exists, or the solver does not reach it.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - heavy

    changes = _support(count, deviation, blocked)
    least, greatest = _variances(changes)
    if not least <= variance <= greatest or variance <= 0:
        check_parameters(deviation, variance, blocked)
    for edge, pair in ((least, _nearest(changes)), (greatest, (changes[0], changes[-1]))):
        # On the edge of what is possible one distribution exists, and the dual has no minimum.
        if abs(variance - edge) <= _EDGE * edge:
            return changes, _on_two(changes, *pair)
    scaled = changes / deviation
    features = np.column_stack((scaled, scaled**2))
    target = np.array([0.0, variance / deviation**2])

    def shares(multipliers: NDArray[np.float64]) -> NDArray[np.float64]:
        exponents = features @ multipliers
        weights = np.exp(exponents - exponents.max())
        return np.asarray(weights / weights.sum())

    def dual(multipliers: NDArray[np.float64]) -> float:
        exponents = features @ multipliers
        top = exponents.max()
        return float(top + np.log(np.exp(exponents - top).sum()) - multipliers @ target)

    def gradient(multipliers: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(features.T @ shares(multipliers) - target)

    def hessian(multipliers: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = shares(multipliers)
        mean = features.T @ weights
        return np.asarray((features * weights[:, None]).T @ features - np.outer(mean, mean))

    solution = minimize(
        dual,
        np.zeros(2),
        jac=gradient,
        hess=hessian,
        method="trust-exact",
        options={"gtol": 1e-12, "maxiter": 500},
    )
    if np.abs(gradient(solution.x)).max() > _SOLVED:
        raise ConfigurationError(
            "The most even distribution with the declared variance was not found: the variance is "
            "too near to the edge of what is possible",
            "Change the variance a little in the profile",
        )
    return changes, shares(solution.x)


def moments(table: PerturbationTable) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the variance of the noise of the rows 1 to 750, over the cell keys."""
    noise = table.noise[1:].astype(float)
    return noise.mean(axis=1), noise.var(axis=1)


def _support(count: int, deviation: int, blocked: int) -> NDArray[np.int64]:
    """Return the changes that a count may undergo, ascending."""
    results = np.arange(max(0, count - deviation), count + deviation + 1)
    return results[(results == 0) | (results > blocked)] - count


def _variances(changes: NDArray[np.int64]) -> tuple[int, int]:
    """Return the least and greatest variance of a change with mean 0; (0, 0) where only 0 has it.

    (1, 0) where no change with mean 0 exists.
    """
    if 0 in changes:
        return 0, int(max(0, -changes[0]) * max(0, changes[-1]))
    below, above = _nearest(changes)
    if below >= 0 or above <= 0:
        return 1, 0
    return int(-below * above), int(-changes[0] * changes[-1])


def _nearest(changes: NDArray[np.int64]) -> tuple[int, int]:
    """Return the changes nearest to 0 from below and from above; (0, 0) where one is missing."""
    below, above = changes[changes < 0], changes[changes > 0]
    return (int(below[-1]), int(above[0])) if len(below) and len(above) else (0, 0)


def _on_two(changes: NDArray[np.int64], below: int, above: int) -> NDArray[np.float64]:
    """Return the distribution with mean 0 on two changes of opposite signs."""
    shares = np.zeros(len(changes))
    shares[changes == below] = above / (above - below)
    shares[changes == above] = -below / (above - below)
    return shares


def _allot(changes: NDArray[np.int64], shares: NDArray[np.float64], keys: int) -> NDArray[np.int64]:
    """Return how many of the keys each change gets: largest remainders with mean 0.

    Whole parts first. Of all ways to give one key more to as many changes as keys are left, the
    one whose mean is nearest to 0 is taken, and among those the one with the largest remainders:
    plain largest remainders would let one side win every tie.
    """
    ideal = np.round(shares * keys * _REMAINDER_UNITS).astype(np.int64)
    whole, remainders = ideal // _REMAINDER_UNITS, ideal % _REMAINDER_UNITS
    left = keys - int(whole.sum())
    # Best sum of remainders by (keys given, their sum of changes); whole numbers, so that the
    # same table comes out on every machine.
    best: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = {(0, 0): (0, ())}
    for position in np.flatnonzero(shares > 0):
        step = int(changes[position])
        for (given, total), (value, chosen) in list(best.items()):
            if given == left:
                continue
            state = (given + 1, total + step)
            candidate = (value + int(remainders[position]), (*chosen, int(position)))
            if state not in best or candidate[0] > best[state][0]:
                best[state] = candidate
    base = int(whole @ changes)
    ends = [
        (abs(base + total), -value, chosen)
        for (given, total), (value, chosen) in best.items()
        if given == left
    ]
    allotted = whole.copy()
    allotted[list(min(ends)[2])] += 1
    return allotted


def _with_variance(
    changes: NDArray[np.int64],
    shares: NDArray[np.float64],
    allotted: NDArray[np.int64],
    variance: float,
) -> NDArray[np.int64]:
    """Return the keys exchanged until the variance is as near as whole numbers allow.

    Two keys of ``v`` become one of ``v - d`` and one of ``v + d``, or the other way round: the mean
    stays, the sum of squares moves by ``2 d**2``. Of the exchanges that bring it nearer, the one is
    taken that costs the least distance (chi-squared) from the ideal for what it mends.
    """
    keys = int(allotted.sum())
    out = allotted.copy()
    ideal = shares * keys
    place = {int(v): i for i, v in enumerate(changes) if shares[i] > 0}
    exchanges = [
        (2 * d**2, (place[v - d], place[v], place[v + d]))
        for v in place
        for d in range(1, int(changes[-1] - changes[0]) // 2 + 1)
        if v - d in place and v + d in place
    ]
    while True:
        wanted = round(variance * keys - float(out @ changes**2), 6)
        best: tuple[float, int, tuple[int, int, int], int] | None = None
        for gain, (low, middle, high) in exchanges:
            sign = 1 if wanted > 0 else -1
            mended = abs(wanted) - abs(wanted - sign * gain)
            if mended <= 0:
                continue
            after = [(low, sign), (middle, -2 * sign), (high, sign)]
            if any(out[i] + change < 0 for i, change in after):
                continue
            cost = sum(
                ((out[i] + change - ideal[i]) ** 2 - (out[i] - ideal[i]) ** 2) / ideal[i]
                for i, change in after
            )
            candidate = (round(float(cost) / mended, 6), gain, (low, middle, high), sign)
            if best is None or candidate < best:
                best = candidate
        if best is None:
            return out
        _, _, (low, middle, high), sign = best
        out[[low, high]] += sign
        out[middle] -= 2 * sign


def _check_row(
    changes: NDArray[np.int64], allotted: NDArray[np.int64], variance: float, deviation: int
) -> None:
    keys = int(allotted.sum())
    mean = abs(int(allotted @ changes)) / keys
    reached = float(allotted @ changes**2) / keys
    if mean * keys >= deviation or abs(reached / variance - 1) > VARIANCE_TOLERANCE[keys]:
        raise ConfigurationError(
            f"With {keys} cell keys no perturbation table comes near enough to the declared "
            "variance",
            "Declare 4096 keys, or another variance, in the profile",
        )
