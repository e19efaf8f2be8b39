"""Examining a release before it goes out: which sensitive counts the attacker learns too much of.

Belongs here: what a profile demands of an interval, the verdict on each sensitive cell, and the
figures a certificate needs. Does not belong here: the attack (``attacker.py``), what is done about
a cell that fails (``tables.py``), or how a certificate looks (``certificate.py``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError
from governance.disclosure.attacker.intervals import Attack, Progress, attack
from governance.disclosure.attacker.knowns import WHOLE
from governance.disclosure.attacker.solver import FEASIBILITY, solver_version
from governance.disclosure.attacker.system import System
from governance.disclosure.profiles import Profile

SECONDS = 60.0
"""Time for one integer programme; a cell it does not settle fails, if nothing else proves it."""

EXACT, NARROW, PROTECTED_RANGE = "exact", "narrow", "protected_range"
INSIDER, NOT_PROVEN = "insider", "not_proven"


@dataclass(frozen=True)
class Demand:
    """What must stay open of a sensitive count.

    Attributes
    ----------
    width : int
        Least difference between the highest and the lowest count that are possible.
    below : int
        Counts from 1 to ``below - 1`` are the protected range.
    outside : bool
        Whether some possible count must lie outside the protected range.
    """

    width: int
    below: int
    outside: bool

    def met_by(self, lower: ArrayLike, upper: ArrayLike) -> NDArray[np.bool_]:
        """Say which intervals meet the demand; an interval of one count never does."""
        low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
        met = (high > low) & (high - low >= self.width)
        return met & ~self.within_range(low, high)

    def within_range(self, lower: ArrayLike, upper: ArrayLike) -> NDArray[np.bool_]:
        """Say which intervals lie wholly inside the protected range, where that is forbidden."""
        low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
        return np.asarray((low >= 1) & (high <= self.below - 1) & self.outside)

    @property
    def sufficient_width(self) -> int:
        """An interval of this width meets the demand wherever it lies."""
        # So many numbers do not fit into the protected range.
        return max(self.width, self.below - 1 if self.outside else 0, 1)


def demand_of(profile: Profile) -> Demand:
    """Return what a profile asks to stay open of a sensitive count."""
    return Demand(profile.safe.width, profile.small.below, profile.safe.outside)


@dataclass(frozen=True, eq=False)
class Examination:
    """The verdict on each sensitive cell, and what it rests on.

    Attributes
    ----------
    demand : Demand
    targets : (k,) int
        The cells, as they were given.
    lower, upper : (k,) float
        Interval of each that the attacker arrives at; ``upper`` may be infinite.
    proven : (k,) bool
        The interval is the tightest. Otherwise the tightest lies within it, and is narrower at
        most down to what the demand allows, or the cell has failed.
    failed : (k,) bool
    reasons : (k,) str
        Empty, or why the cell failed: ``exact``; ``narrow`` (than demanded); ``protected_range``
        (surely a small count); ``insider`` (exact to somebody who has their own record in it, or
        in another cell of the same equation); ``not_proven`` (the time was over).
    insider : bool
        Whether insiders were considered.
    components, linear_programmes, integer_programmes : int
    solver : str
        Name and version.
    tolerances : mapping
        ``whole``: a number this near to a whole one is taken for it. ``feasibility``: of linear
        programmes. Tables that prove a cell safe are checked in whole numbers, with neither.
    seconds : float
        Time the examination took.
    """

    demand: Demand
    targets: NDArray[np.int64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    proven: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    reasons: NDArray[np.str_]
    insider: bool
    components: int
    linear_programmes: int
    integer_programmes: int
    solver: str
    tolerances: Mapping[str, float]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether no sensitive cell failed."""
        return not self.failed.any()

    @property
    def widths(self) -> NDArray[np.float64]:
        """Difference between highest and lowest possible count of each cell; may be infinite."""
        return self.upper - self.lower


def examine(
    system: System,
    targets: ArrayLike,
    truth: ArrayLike,
    demand: Demand,
    *,
    insider: bool = True,
    members: ArrayLike | None = None,
    workers: int = 1,
    time_limit: float | None = SECONDS,
    progress: Progress | None = None,
) -> Examination:
    """Attack every sensitive cell with all that is known, and judge what is learnt.

    A cell is passed only on proof: two tables of whole numbers that keep every bound and every
    equation exactly, and between whose counts of the cell the demand is met. A solver that errs can
    fail a cell that is safe; it cannot pass one that is not. Equal input gives an equal verdict,
    for any number of workers, unless an integer programme runs out of time.

    Parameters
    ----------
    system : System
        Everything published, published before, and known elsewhere.
    targets : (k,) array-like of int
        The cells whose true counts are sensitive, by their place in the system.
    truth : (k,) array-like
        Their true counts; they serve to catch a wrong system, and are not kept. NaN where one is
        not known.
    demand : Demand
    insider : bool
        Also consider, one by one, everybody who has their own record in a cell. To them a count of
        the target must still be open: their own cell, and every target that shares an equation
        with it.
    members : array-like of int, optional
        Cells in which an insider's record can be; the targets, if not given. A cell that surely is
        not empty tells its member nothing new, so these are the hidden ones. Slacks of
        inequalities hold no records.
    workers : int
        Processes; each solves whole components.
    time_limit : float, optional
        Seconds for one integer programme.
    progress : callable, optional
        Called with the numbers of components done and of all.

    Raises
    ------
    DisclosureError
        If a true count lies outside its interval, or no table fits: then the system does not say
        what was published, and no verdict could be trusted.
    """
    started = time.perf_counter()
    cells = np.asarray(targets, dtype=np.int64)
    counts = np.asarray(truth, dtype=np.float64)
    if counts.shape != cells.shape or cells.ndim != 1:
        raise DisclosureError(
            f"{counts.size} true counts do not belong to {cells.size} sensitive cells"
        )
    people = (cells if members is None else members) if insider else None
    found = attack(
        system.lower,
        system.upper,
        system.A,
        system.b,
        cells,
        required_width=demand.sufficient_width,
        members=people,
        workers=workers,
        time_limit=time_limit,
        progress=progress,
    )
    outside = int(((counts < found.lower) | (counts > found.upper)).sum())
    if outside:
        raise DisclosureError(
            f"{outside} of {len(cells)} true counts are not possible by what is said to be "
            "published, so the attack was on something else",
            "Check that the profile, the sums and the earlier releases named are those of the "
            "release",
        )
    reasons = _reasons(found, demand)
    return Examination(
        demand=demand,
        targets=cells,
        lower=found.lower,
        upper=found.upper,
        proven=found.proven,
        failed=reasons != "",
        reasons=reasons,
        insider=insider,
        components=found.components,
        linear_programmes=found.linear_programmes,
        integer_programmes=found.integer_programmes,
        solver=solver_version(),
        tolerances={"whole": WHOLE, "feasibility": FEASIBILITY},
        seconds=time.perf_counter() - started,
    )


def _reasons(found: Attack, demand: Demand) -> NDArray[np.str_]:
    """Return the gravest reason for which each cell fails, or nothing."""
    low, high = found.lower, found.upper
    return np.select(
        [
            low == high,
            high - low < demand.width,
            demand.within_range(low, high),
            # From here on only tables that exist count: what lies beyond them is not proven.
            ~demand.met_by(found.seen_lower, found.seen_upper),
            found.exposed,
        ],
        [EXACT, NARROW, PROTECTED_RANGE, NOT_PROVEN, INSIDER],
        default="",
    )
