"""Perturbation tables: what a cell's count and cell key do to the count, and what comes back.

Belongs here: the table, the deterministic 10-5 table, tables made elsewhere, and the counts that a
perturbed count can come from. Does not belong here: making a random table (``entropy.py``), or
counting records (``perturbation.py``).

Rows are numbered as by the Office for National Statistics: the count itself up to 750; above it,
rows 501 to 750 are used again and again (domain dossier, section 3.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import ConfigurationError, DisclosureError
from governance.disclosure.cell_key.record_keys import check_keys

LAST_ROW = 750
"""Counts up to this have a row of their own."""

PERIOD = 250
"""Above the last row, the last 250 rows are used again."""

TEN_FIVE_THRESHOLD = 10
TEN_FIVE_BASE = 5

UNBOUNDED = float("inf")
GREATEST_NUMBER = 2**53
"""Above it, floating-point numbers are not all whole numbers."""


def row_of(counts: ArrayLike) -> NDArray[np.int64]:
    """Return the row of each count: the count up to 750, then ``(count - 1) % 250 + 501``."""
    numbers = np.asarray(counts, dtype=np.int64)
    return np.where(
        numbers <= LAST_ROW, numbers, (numbers - 1) % PERIOD + LAST_ROW - PERIOD + 1
    ).astype(np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class PerturbationTable:
    """What is added to a count, by row and cell key.

    Parameters
    ----------
    noise : (751, keys) int16
        Row 0 holds zeros: a true zero stays one. ``keys`` is 256 or 4096.

    Raises
    ------
    ConfigurationError
        If the shape is another, a zero would be changed, a count could become negative, or no
        count is changed at all.
    """

    noise: NDArray[np.int16]

    def __post_init__(self) -> None:
        if self.noise.ndim != 2 or self.noise.shape[0] != LAST_ROW + 1:
            raise ConfigurationError(
                f"A perturbation table must have the rows 0 to {LAST_ROW}, each with every key",
                "Extend the table: its last row is the row of every greater count",
            )
        check_keys(self.noise.shape[1])
        if self.noise[0].any():
            raise ConfigurationError(
                "The perturbation table changes true zeros", "Set its row 0 to zeros"
            )
        negative = int((self.noise.min(axis=1) < -np.arange(LAST_ROW + 1)).sum())
        if negative or self.deviation > PERIOD:
            raise ConfigurationError(
                f"The perturbation table makes counts negative in {negative} rows"
                if negative
                else f"The perturbation table changes a count by more than {PERIOD}",
                "Make it again",
            )
        if self.deviation == 0:
            raise ConfigurationError(
                "The perturbation table changes no count", "Make a table with noise"
            )
        # A table that changed between two releases would give one cell two noises.
        self.noise.setflags(write=False)

    def __repr__(self) -> str:
        """Say nothing of the noise: its greatest size is not to be published."""
        return f"{type(self).__name__}(…)"

    @property
    def keys(self) -> int:
        """How many cell keys there are."""
        return int(self.noise.shape[1])

    @cached_property
    def deviation(self) -> int:
        """The most by which the table changes a count. Not to be published."""
        return int(np.abs(self.noise).max())

    def apply(self, counts: NDArray[np.int64], cell_keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the perturbed counts of cells; ``cell_keys`` lie in 0 to ``keys - 1``."""
        return counts + self.noise[row_of(counts), cell_keys]

    @cached_property
    def origins(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The least and greatest count that each perturbed count can come from.

        Arrays over perturbed counts 0 to ``750 + deviation``; a greatest of -1 says that no count
        becomes this one. Beyond the end they repeat with the period of the rows.
        """
        size = LAST_ROW + self.deviation + 1
        counts = np.arange(size + self.deviation)
        rows = row_of(counts)
        least = np.full(size, size + self.deviation, dtype=np.int64)
        greatest = np.full(size, -1, dtype=np.int64)
        for change in range(-self.deviation, self.deviation + 1):
            possible = (self.noise == change).any(axis=1)[rows]
            origin = counts[possible & (counts + change < size)]
            # For one change, every origin has an image of its own: no two of them collide here.
            least[origin + change] = np.minimum(least[origin + change], origin)
            greatest[origin + change] = np.maximum(greatest[origin + change], origin)
        return least, greatest


def ten_five_table(keys: int = 256) -> PerturbationTable:
    """Return the deterministic table of the ONS method's 10-5 rule.

    Counts below 10 become 0, others the nearest 5, whatever the cell key. Used with a threshold of
    10, so that what became 0 is hidden. It protects as rounding does, not as noise does.
    """
    check_keys(keys)
    counts = np.arange(LAST_ROW + 1)
    rounded = (counts + TEN_FIVE_BASE // 2) // TEN_FIVE_BASE * TEN_FIVE_BASE
    changes = np.where(counts < TEN_FIVE_THRESHOLD, 0, rounded) - counts
    return PerturbationTable(np.repeat(changes[:, None], keys, axis=1).astype(np.int16))


def table_from_columns(pcv: ArrayLike, ckey: ArrayLike, pvalue: ArrayLike) -> PerturbationTable:
    """Return a table made elsewhere, from its three columns.

    Parameters
    ----------
    pcv : array-like of int
        Row numbers 1 to 750 (0 too, if its noise is 0), as the ONS method names them.
    ckey : array-like of int
        Cell keys, from 0 to 255 or 4095.
    pvalue : array-like of int
        What is added.

    Raises
    ------
    ConfigurationError
        If a row and key is missing or given twice, or the table cannot be used.
    """
    rows, keys, changes = (_whole(column) for column in (pcv, ckey, pvalue))
    count = int(keys.max(initial=-1)) + 1
    check_keys(count)
    if not rows.shape == keys.shape == changes.shape or rows.min() < 0 or keys.min() < 0:
        raise ConfigurationError(
            "The columns of the perturbation table have unequal lengths or negative row numbers",
            "Export the table again",
        )
    if rows.max() > LAST_ROW or np.abs(changes).max() > PERIOD:
        raise ConfigurationError(
            f"The perturbation table has rows above {LAST_ROW} or changes above {PERIOD}",
            "Export the table again",
        )
    times = np.zeros((LAST_ROW + 1, count), dtype=np.int64)
    np.add.at(times, (rows, keys), 1)
    missing, twice = int((times[1:] == 0).sum()), int((times > 1).sum())
    if missing or twice:
        raise ConfigurationError(
            f"The perturbation table lacks {missing} pairs of row and key, and has {twice} twice",
            "Export the table again, with every row from 1 to 750 and every key",
        )
    noise = np.zeros((LAST_ROW + 1, count), dtype=np.int16)
    noise[rows, keys] = changes
    return PerturbationTable(noise)


def bounds(value: int | None, table: PerturbationTable, *, threshold: int = 0) -> tuple[int, float]:
    """Return the least and greatest count that a published one can come from.

    What an attacker has who knows the whole table and the threshold, but no record key. Always
    within ``table.deviation`` of the value, and narrower where the table is: a count above 0 never
    comes from 0.

    Parameters
    ----------
    value : int or None
        None: hidden where there is a threshold; missing, so that nothing is known, where not.
    threshold : int
        Perturbed counts below it are hidden.

    Raises
    ------
    DisclosureError
        If no count can be published so under this table.
    """
    number = np.array([np.nan if value is None else value], dtype=float)
    lower, upper = bounds_of(number, table, threshold=threshold)
    return int(lower[0]), upper[0].item() if np.isinf(upper[0]) else int(upper[0])


def bounds_of(
    values: NDArray[np.float64], table: PerturbationTable, *, threshold: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what `bounds` does for many values.

    Parameters
    ----------
    values : (n,) float
        NaN for None.

    Returns
    -------
    lower, upper : (n,) float
        ``upper`` may be infinite.

    Raises
    ------
    DisclosureError
        If no count can be published as one of them under this table.
    """
    least, greatest = table.origins
    numbers = np.asarray(values, dtype=float)
    lower = np.zeros(numbers.shape)
    upper = np.full(numbers.shape, UNBOUNDED)
    hidden = np.isnan(numbers)
    if threshold > 0 and hidden.any():
        _, all_greatest = _extended(np.arange(threshold), least, greatest)
        upper[hidden] = all_greatest.max()
    shown = numbers[~hidden]
    fit = (shown >= max(threshold, 0)) & (shown < GREATEST_NUMBER) & (shown == np.floor(shown))
    if not fit.all():
        raise _impossible()
    lower[~hidden], upper[~hidden] = _extended(shown.astype(np.int64), least, greatest)
    if (upper < 0).any():
        raise _impossible()
    return lower, upper


def _extended(
    values: NDArray[np.int64], least: NDArray[np.int64], greatest: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Look up origins, beyond the end of the arrays by the period of the rows."""
    beyond = np.maximum(values - (len(least) - 1), 0)
    shift = -(-beyond // PERIOD) * PERIOD
    found = greatest[values - shift]
    return least[values - shift] + shift, np.where(found < 0, -1, found + shift)


def _whole(column: ArrayLike) -> NDArray[np.int64]:
    numbers = np.asarray(column)
    if numbers.size == 0 or not np.issubdtype(numbers.dtype, np.integer):
        raise ConfigurationError(
            "A column of the perturbation table does not hold whole numbers",
            "Export the table again",
        )
    return numbers.astype(np.int64)


def _impossible() -> DisclosureError:
    return DisclosureError(
        "A published number cannot come from any count under this perturbation table",
        "Look for the table and the threshold that it was made with",
    )
