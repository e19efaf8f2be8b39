"""One input made ready for fast draws: everything that is the same in each of them done once.

Belongs here: the normalised score of an input in many draws at once. Does not belong here: weights
and what is made of the scores (``draws.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from declarations.errors import ConfigurationError
from indicators.composite.normalising import CUT, NORMALISATIONS, normalise
from indicators.composite.ranks import rank_exponential
from indicators.intervals import Floats

Singles = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]
Normals = Callable[[tuple[int, int]], Singles]

PLACE_BITS = 20
PLACES = (1 << PLACE_BITS) - 1
_VALUE_BITS = 32
_MOST_GROUPS = 1 << (62 - PLACE_BITS - _VALUE_BITS)

LEAST_SPREAD = 1e-6
"""Of the range of an input: what is sure to the last digit is drawn with this much spread, so that
ties fall either way by chance and not by the order of the areas."""


def sortable(values: Singles) -> Whole:
    """Return whole numbers in the order of the values, with room for a place below."""
    bits = values.view(np.int32)
    rising = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    return rising.astype(np.int64) << PLACE_BITS


@dataclass(frozen=True)
class Fixed:
    """An input that is the same in every draw: its score under each normalisation."""

    scores: tuple[Singles, ...]

    def drawn(self, normalisation: int, size: int, normals: Normals) -> Singles:
        """Return the scores, one row for all draws."""
        del size, normals
        return self.scores[normalisation][None, :]


@dataclass(frozen=True)
class PreparedInput:
    """An input that is drawn: its units district by district, and where each area finds its own.

    Attributes
    ----------
    scale : float
    curve : ndarray of float32, shape (4, units)
        Posteriors of the units, worst high.
    of_area : ndarray of int, optional
        Unit of each area; an area without one has that of another, and weighs nothing. None where
        every area is its own unit, in order.
    of_known : ndarray of int, optional
        Unit of each known area, district by district; None where every known area is its own.
    starts, lengths : ndarray of int
        Stretches of known areas that are compared with each other.
    key : ndarray of int
        Added to the sortable value of a unit: its district above, its place below.
    table : ndarray of float32
        Score by place in the sorted order, where every known area is its own unit.
    sizes, before, among : ndarray of int
        How many areas a unit has; and, by place, how many known areas lie in earlier districts and
        in its own.
    """

    scale: float
    curve: Singles
    of_area: Whole | None
    of_known: Whole | None
    starts: Whole
    lengths: Whole
    key: Whole
    table: Singles
    sizes: Whole
    before: Whole
    among: Whole

    def drawn(self, normalisation: int, size: int, normals: Normals) -> Singles:
        """Return the scores in some draws: one row a draw, one column an area.

        What stands for an area without the input is of no meaning.
        """
        z = normals((size, self.curve.shape[1]))
        values = self.curve[3] * z
        for power in (2, 1, 0):
            values += self.curve[power]
            if power:
                values *= z
        of_area = self.of_area
        if NORMALISATIONS[normalisation] == "rank_exponential":
            scores = self._ranked(values)
        elif self.of_known is None:
            scores = self._scaled(values, NORMALISATIONS[normalisation])
        else:
            by_known = values.take(self.of_known, axis=1)
            scores = np.empty_like(values)
            scores[:, self.of_known] = self._scaled(by_known, NORMALISATIONS[normalisation])
        return scores if of_area is None else scores.take(of_area, axis=1)

    def _ranked(self, values: Singles) -> Singles:
        keys = sortable(values)
        keys += self.key
        keys.sort(axis=1)
        size, units = values.shape
        keys &= PLACES
        table = self.table
        if self.of_known is not None:
            sizes = self.sizes[keys]
            rank = np.cumsum(sizes, axis=1) - (sizes - 1) / 2 - self.before
            among = np.broadcast_to(self.among, rank.shape)
            table = (self.scale / 100 * rank_exponential(rank, among)).astype(np.float32)
        if size > 1:
            keys += np.arange(0, size * units, units)[:, None]
        scores = np.empty(size * units, dtype=np.float32)
        scores[keys] = table
        return scores.reshape(size, units)

    def _scaled(self, values: Singles, normalisation: str) -> Singles:
        """Return min-max or standard scores within each stretch of one district."""
        if normalisation == "min_max":
            low = self._each(np.minimum, values)
            width = self._each(np.maximum, values) - low
            by = np.divide(self.scale, width, out=np.zeros_like(width), where=width > 0)
            values -= self._spread(low)
            values *= self._spread(by)
            return self._middle_where_level(values, width)
        counts = self.lengths.astype(np.float64)
        mean = self._each(np.add, values, np.float64) / counts
        values -= self._spread(mean)
        deviation = np.sqrt(self._each(np.add, np.square(values), np.float64) / counts)
        by = np.divide(
            self.scale / (2 * CUT), deviation, out=np.zeros_like(deviation), where=deviation > 0
        )
        values *= self._spread(by)
        values += np.float32(self.scale / 2)
        return np.clip(values, 0, np.float32(self.scale), out=values)

    def _each(
        self, operation: np.ufunc, values: Singles, dtype: type[np.float64] | None = None
    ) -> npt.NDArray[np.floating]:
        if self.starts.size == 1:
            found: npt.NDArray[np.floating] = operation.reduce(
                values, axis=1, dtype=dtype, keepdims=True
            )
            return found
        stretches: npt.NDArray[np.floating] = operation.reduceat(
            values, self.starts, axis=1, dtype=dtype
        )
        return stretches

    def _spread(self, by_stretch: npt.NDArray[np.floating]) -> Singles:
        single = by_stretch.astype(np.float32)
        return single if self.starts.size == 1 else np.repeat(single, self.lengths, axis=1)

    def _middle_where_level(self, values: Singles, width: npt.NDArray[np.floating]) -> Singles:
        if np.all(width > 0):
            return values
        level = self._spread((width <= 0).astype(np.float32)) > 0
        return np.where(level, np.float32(self.scale / 2), values)


def prepare(
    values: Floats,
    scale: float,
    groups: Whole | None,
    *,
    curve: Floats | None = None,
    unit: Whole | None = None,
    worse_is_low: bool = False,
) -> PreparedInput | Fixed:
    """Make one input ready.

    Parameters
    ----------
    values : ndarray of float
        One an area, in order of their codes; NaN where missing.
    scale : float
    groups : ndarray of int, optional
        District of each area, if areas are compared within it.
    curve : ndarray of float, shape (4, units), optional
        None for an input that is taken as it stands.
    unit : ndarray of int, optional
        Unit of each area, -1 where missing; a unit lies in one district.
    worse_is_low : bool
        Whether its low end is the worse one.

    Raises
    ------
    ConfigurationError
        If there are more areas or districts than the sort has room for.
    """
    sign = -1.0 if worse_is_low else 1.0
    if curve is None or unit is None or not np.any(unit >= 0):
        return Fixed(
            tuple(
                np.nan_to_num(normalise(sign * values, kind, scale, groups)).astype(np.float32)
                for kind in NORMALISATIONS
            )
        )
    if values.size > PLACES or (groups is not None and groups.max() >= _MOST_GROUPS):
        raise ConfigurationError(
            "The index has more areas or districts than can be ranked at once",
            f"Rank at most {PLACES:,} areas in {_MOST_GROUPS:,} districts",
        )
    inside = np.zeros(values.size, dtype=np.int64) if groups is None else groups
    known = np.flatnonzero(unit >= 0)
    known = known[np.argsort(inside[known], kind="stable")]
    units, first, again, sizes = np.unique(
        unit[known], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first, kind="stable")
    place = np.empty(units.size, dtype=np.int64)
    place[order] = np.arange(units.size)
    of_known, district = place[again.reshape(-1)], inside[known][np.sort(first)]
    oriented = _spread_out(sign * curve[:, units[order]], sign * values[known])
    counts = np.bincount(inside[known])
    lengths = counts[counts > 0]
    starts = np.cumsum(lengths) - lengths
    stretch = np.searchsorted(np.unique(district), district)
    own = units.size == known.size
    among = lengths[stretch]
    table = np.zeros(0, dtype=np.float32)
    if own:
        rank = np.arange(1, known.size + 1) - starts[stretch]
        table = (scale / 100 * rank_exponential(rank, among)).astype(np.float32)
    of_area = np.zeros(values.size, dtype=np.int64)
    of_area[known] = of_known
    return PreparedInput(
        scale=scale,
        curve=oriented.astype(np.float32),
        of_area=None if np.array_equal(of_area, np.arange(values.size)) else of_area,
        of_known=None if own else of_known,
        starts=starts,
        lengths=lengths,
        key=(district << (PLACE_BITS + _VALUE_BITS))
        + (1 << (PLACE_BITS + _VALUE_BITS - 1))
        + np.arange(units.size),
        table=table,
        sizes=sizes[order],
        before=starts[stretch],
        among=among,
    )


def _spread_out(curve: Floats, values: Floats) -> Floats:
    least = LEAST_SPREAD * float(values.max() - values.min())
    spread = curve.copy()
    spread[1] = np.where(np.abs(spread[1]) < least, least, spread[1])
    return spread
