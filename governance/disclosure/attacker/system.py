"""What is known of counts, as unknown numbers between bounds and equations among them.

Belongs here: the form in which every kind of knowledge (a published cell, a total, a rate, a rank)
reaches the attacker, and the builder that collects it. Does not belong here: solving
(``attacker.py``), or which knowledge there is (``tables.py``, ``knowledge.py``, ``ledger.py``).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from declarations.errors import DisclosureError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

UNBOUNDED = float("inf")


@dataclass(frozen=True)
class System:
    """Counts ``x`` with ``lower <= x <= upper`` and ``A x = b``, all whole numbers.

    Attributes
    ----------
    lower, upper : (n,) float
        ``upper`` may be infinite.
    A : (m, n) scipy.sparse.csr_matrix
        Whole coefficients.
    b : (m,) float
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    A: csr_matrix
    b: NDArray[np.float64]

    def with_sum(self, numbers: Sequence[int], lower: float, upper: float) -> System:
        """Return the system with one more statement: a sum of counts lies between two numbers."""
        from scipy.sparse import csr_matrix, hstack, vstack  # noqa: PLC0415 - heavy

        size = len(self.lower)
        row = np.zeros((1, size + 1))
        row[0, list(numbers)] = 1.0
        row[0, size] = -1.0
        wider = hstack([self.A, csr_matrix((self.A.shape[0], 1))])
        return System(
            np.append(self.lower, 0.0),
            np.append(self.upper, upper - lower),
            csr_matrix(vstack([wider, csr_matrix(row)])),
            np.append(self.b, lower),
        )


class SystemBuilder:
    """Collects knowledge about counts, each named by any hashable key.

    Knowledge only ever adds up: a key named again is the same count, and its bounds are narrowed to
    what both statements allow.
    """

    def __init__(self) -> None:
        self.index: dict[Hashable, int] = {}
        self._lower: list[float] = []
        self._upper: list[float] = []
        self._rows: list[tuple[Sequence[int], Sequence[float], float]] = []

    def __len__(self) -> int:
        return len(self._lower)

    def count(self, key: Hashable, lower: float = 0, upper: float = UNBOUNDED) -> int:
        """Return the number of a count, known to lie within the bounds; new keys are added.

        Raises
        ------
        DisclosureError
            If two statements about the count contradict each other.
        """
        number = self.index.get(key)
        if number is None:
            number = self.index[key] = self._new(lower, upper)
        else:
            self.narrow(number, lower, upper)
        return number

    def narrow(self, number: int, lower: float = 0, upper: float = UNBOUNDED) -> None:
        """Add a statement about a count's bounds."""
        self._lower[number] = max(self._lower[number], lower)
        self._upper[number] = min(self._upper[number], upper)
        if self._lower[number] > self._upper[number]:
            raise DisclosureError(
                "Two published statements about one count contradict each other",
                "Look for two versions of one table among what is audited",
            )

    def add_up(self, whole: int, parts: Iterable[int]) -> None:
        """Say that the parts sum to the whole."""
        numbers = [*parts]
        self.equation({whole: 1.0, **dict.fromkeys(numbers, -1.0)}, 0.0)

    def equation(self, coefficients: Mapping[int, float], total: float) -> None:
        """Say that a sum of whole multiples of counts is ``total``."""
        self._rows.append((list(coefficients), list(coefficients.values()), total))

    def between(self, coefficients: Mapping[int, float], lower: float, upper: float) -> None:
        """Say that a sum of multiples of counts lies between two numbers (an inequality).

        ``lower`` may be minus infinity.
        """
        # The slack is unbounded below only where the inequality is; it is shifted to start at 0.
        if np.isfinite(lower):
            slack = self._new(0, upper - lower)
            self.equation({**coefficients, slack: -1.0}, lower)
        else:
            slack = self._new(0, UNBOUNDED)
            self.equation({**coefficients, slack: 1.0}, upper)

    def build(self) -> System:
        """Return everything said so far."""
        from scipy.sparse import csr_matrix  # noqa: PLC0415 - heavy

        lengths = [len(columns) for columns, _, _ in self._rows]
        pointer = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        columns = np.fromiter((c for row in self._rows for c in row[0]), np.int64, int(pointer[-1]))
        values = np.fromiter((v for row in self._rows for v in row[1]), float, int(pointer[-1]))
        shape = (len(self._rows), len(self))
        return System(
            np.array(self._lower, dtype=float),
            np.array(self._upper, dtype=float),
            csr_matrix((values, columns, pointer), shape=shape),
            np.array([total for _, _, total in self._rows], dtype=float),
        )

    def _new(self, lower: float, upper: float) -> int:
        self._lower.append(float(lower))
        self._upper.append(float(upper))
        return len(self._lower) - 1
