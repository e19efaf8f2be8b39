"""How well boundaries place addresses: measured on postcodes whose official area is known.

Belongs here: comparing where a locator puts points with the areas they officially belong to, and
what that means in plain words. Does not belong here: where points and codes come from
(`intake/boundary_quality.py`), or locating (`geography.points`).

Facts. Generalised boundaries move borders, so that an address near one lands next door. Measured on
the live postcodes of Birmingham, boundaries generalised to 20 m (BGC) put 99.2 % in their official
LSOA, those to 200 m (BSC) 86 %. A postcode's own position is that of one address within it,
and ONS gives it the area of its output area, so that full-resolution boundaries do not reach 100 %
either. The interval of the share is Wilson's score interval (Wilson 1927), for points are a sample
of all addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from declarations.errors import GeographyError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
"""Of the interval of a share."""

FINE_SHARE = 0.99
"""From this share on, boundaries may place single addresses."""

MAPS_SHARE = 0.95
"""From this share on they may be used for maps, below it for nothing that is counted."""

Level = Literal["fine", "maps_only", "never_geocode", "not_measured"]


class Locator(Protocol):
    """Anything that finds areas of points, as `points.PointLocator` does."""

    def locate(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.object_]:
        """Return the code of the area of each point, None where there is none."""


@dataclass(frozen=True)
class AccuracyReport:
    """How many points the boundaries put into their official area.

    Attributes
    ----------
    points, agreeing, outside : int
        Points compared; those in their official area; those in no area at all. The rest are in
        another area.
    share : float or None
        Agreeing out of points; None without points.
    lower, upper : float or None
        Wilson's 95 % interval of the share.
    districts : tuple of (str, AccuracyReport)
        The same for each district, in the order of their codes; empty if none were given.
    """

    points: int
    agreeing: int
    outside: int
    districts: tuple[tuple[str, AccuracyReport], ...] = ()

    @property
    def share(self) -> float | None:
        """Agreeing out of points."""
        return self.agreeing / self.points if self.points else None

    @property
    def elsewhere(self) -> int:
        """Points in another area than their official one."""
        return self.points - self.agreeing - self.outside

    @property
    def lower(self) -> float | None:
        """Lower 95 % limit of the share."""
        return self._limits()[0] if self.points else None

    @property
    def upper(self) -> float | None:
        """Upper 95 % limit of the share."""
        return self._limits()[1] if self.points else None

    def _limits(self) -> tuple[float, float]:
        from scipy.stats import binomtest  # noqa: PLC0415 (heavy)

        found = binomtest(self.agreeing, self.points).proportion_ci(CONFIDENCE, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Grade:
    """What boundaries of a measured accuracy are good for.

    Attributes
    ----------
    level : {"fine", "maps_only", "never_geocode", "not_measured"}
    words : str
        The same in plain words, to be shown beside the figure.
    """

    level: Level
    words: str


def measure_accuracy(
    locator: Locator,
    x: ArrayLike,
    y: ArrayLike,
    official_codes: ArrayLike,
    district: ArrayLike | None = None,
) -> AccuracyReport:
    """Compare where boundaries put points with the areas they officially belong to.

    Parameters
    ----------
    locator : Locator
        `points.PointLocator` of the boundaries to be judged.
    x, y : array_like of float, shape (n,)
        Positions in the locator's coordinate system.
    official_codes : array_like of str, shape (n,)
        Code of each point's official area, in the vintage of the boundaries. Convert codes of 2011
        before, and only where one area of 2021 follows (unchanged, merged): a point whose area was
        split or redrawn has no known code. A missing code is left out, as is a point without a
        position.
    district : array_like of str, shape (n,), optional
        District of each point, for the same figures by district.

    Returns
    -------
    AccuracyReport

    Raises
    ------
    GeographyError
        If the arrays differ in length.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    official = np.asarray(official_codes, dtype=object)
    groups = None if district is None else np.asarray(district, dtype=object)
    if len({len(a) for a in (xs, ys, official, *(() if groups is None else (groups,)))}) > 1:
        raise GeographyError(
            "Positions, official codes and districts differ in length", "Give one of each a point"
        )
    known = np.array([isinstance(code, str) and code != "" for code in official], dtype=bool)
    known &= np.isfinite(xs) & np.isfinite(ys)
    official = official[known]
    found = locator.locate(xs[known], ys[known])
    outside = np.array([code is None for code in found], dtype=bool)
    agreeing = np.asarray(found == official, dtype=bool)
    parts: tuple[tuple[str, AccuracyReport], ...] = ()
    if groups is not None:
        groups = groups[known].astype(str)
        names, row = np.unique(groups, return_inverse=True)
        counts = [np.bincount(row, weights=w, minlength=len(names)) for w in (agreeing, outside)]
        sizes = np.bincount(row, minlength=len(names))
        parts = tuple(
            (str(name), AccuracyReport(int(n), int(a), int(o)))
            for name, n, a, o in zip(names, sizes, *counts, strict=True)
        )
    return AccuracyReport(len(official), int(agreeing.sum()), int(outside.sum()), parts)


def grade(report: AccuracyReport, fine: float = FINE_SHARE, maps: float = MAPS_SHARE) -> Grade:
    """Say what boundaries of a measured accuracy are good for.

    Parameters
    ----------
    report : AccuracyReport
    fine : float, default 0.99
        Share from which single addresses may be placed.
    maps : float, default 0.95
        Share from which maps may be drawn and points counted with a warning.

    Returns
    -------
    Grade

    Raises
    ------
    GeographyError
        If the shares are not in order between 0 and 1.
    """
    if not (isfinite(fine) and isfinite(maps) and 0 <= maps <= fine <= 1):
        raise GeographyError(
            "The shares that grade boundaries are not in order between 0 and 1",
            "Give the share for maps first below the share for addresses, such as 0.95 and 0.99",
        )
    if report.share is None:
        return Grade(
            "not_measured",
            "Not measured: no postcode with a position and a known official area was given",
        )
    if report.share >= fine:
        return Grade("fine", "These boundaries place single addresses well")
    if report.share >= maps:
        return Grade("maps_only", "Use these boundaries for maps, not for single addresses")
    return Grade(
        "never_geocode",
        "Never geocode with these boundaries: too many addresses land in the area next door",
    )
