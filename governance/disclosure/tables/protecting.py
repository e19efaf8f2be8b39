"""Protecting one linked table and attacking what came out, until nothing can be worked back.

Belongs here: applying a profile to a table, the attack on it together with what is public, and the
loop that gives up detail where the attack succeeds. Does not belong here: reading and writing
files (``pipelines/disclosing.py``), the steps of giving up detail (``merging.py``), or the attack
itself (``examination.py``).

What is attacked follows from what would be published, never from the counts behind: every cell that
could be small by its own figure, zeros that bear the marker among them, has to meet the profile's
demand, unless it surely is no small count. So neither the verdict nor what is given up for it tells
which hidden cells are truly small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import DisclosureError
from governance.disclosure.attacker.examination import Examination, demand_of, examine
from governance.disclosure.attacker.system import System
from governance.disclosure.counts import bounds_of, protect_all
from governance.disclosure.sensitive import sensitive_counts
from governance.disclosure.tables.merging import (
    MERGED,
    Merging,
    Nesting,
    Node,
    merged_table,
    nodes_of,
    split_equations,
    with_pairs,
)

if TYPE_CHECKING:
    from governance.disclosure.cell_key import PerturbationTable
    from governance.disclosure.profiles import Profile
    from governance.disclosure.tables.linked import LinkedTable
    from governance.disclosure.tables.suppression import Cost

CLASS = "class"
"""Why a cell failed: it shows that everybody in a small group is of one category."""

MOST_ROUNDS = 200

Progress = Callable[[str, int], None]
"""Called with what is being done and the round."""


class Noise(NamedTuple):
    """What cell keys need of a table: sums of record keys, (n,), and the perturbation table."""

    key_sums: NDArray[np.int64]
    table: PerturbationTable


@dataclass(frozen=True)
class Request:
    """What is to be protected, how, and against what is known elsewhere.

    Attributes
    ----------
    table : LinkedTable
        As ``tables.linked_table`` returns it.
    nesting : Nesting
        Of its areas.
    profile : Profile
    public : (n,) bool
        Cells whose exact count everybody knows from elsewhere.
    cost : {"cells", "counts", "importance"}
        What a secondary cell costs; of the profiles with secondary cells only.
    importance : (n,) float, optional
    noise : Noise, optional
        Needed by the profiles with perturbation, and by no others.
    class_disclosure : bool
        Whether the profile's rule on class disclosure is kept.
    insider : bool
    workers : int
    """

    table: LinkedTable
    nesting: Nesting
    profile: Profile
    public: NDArray[np.bool_]
    cost: Cost = "cells"
    importance: NDArray[np.float64] | None = None
    noise: Noise | None = field(default=None, repr=False)
    class_disclosure: bool = True
    insider: bool = True
    workers: int = 1


class Shown(NamedTuple):
    """What would be published of each cell, and what that says: (n,) each.

    ``values`` is NaN where a cell has none; ``statuses`` is its marker or None.
    """

    values: NDArray[np.float64]
    statuses: NDArray[np.object_]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


@dataclass(frozen=True)
class Protected:
    """A table that withstood the attack.

    Attributes
    ----------
    cells : LinkedTable
        The cells of the request's table and those of the merged areas. Its counts are secret.
    withheld : (n,) bool
        Cells given up for a merged or a larger area.
    shown : Shown
    merging : Merging
    reasons : dict of Node to str
        Why detail of an area was given up: the verdict on one of its cells.
    examination : Examination
        The last one; its targets are cells.
    known_otherwise : (k,) int
        Cells that public knowledge alone gives away.
    rounds : int
    """

    cells: LinkedTable = field(repr=False)
    withheld: NDArray[np.bool_]
    shown: Shown
    merging: Merging
    reasons: dict[Node, str]
    examination: Examination
    known_otherwise: NDArray[np.int64]
    rounds: int


def _without_failures(found: Examination, cells: NDArray[np.int64]) -> Examination:
    """Return the verdicts without those on some cells that fail through no doing of ours."""
    kept = ~np.isin(found.targets, cells)
    reasons = np.where(kept, found.reasons, "").astype(str)
    return replace(found, failed=found.failed & kept, reasons=reasons)


def protect_table(request: Request, progress: Progress | None = None) -> Protected:
    """Protect a table, attack the result, and give up detail until no cell can be worked back.

    Raises
    ------
    DisclosureError
        If a cell is exposed however little is published, a public count contradicts the table, or
        the profile needs something that the request lacks.
    """
    if (request.profile.perturbation is not None) != (request.noise is not None):
        raise DisclosureError(
            f"The profile {request.profile.name} and record keys do not go together",
            "Give record keys for a profile with perturbation, and for no other",
        )
    return _Work(request, progress).run()


class _Work:
    """The state of one `protect_table`."""

    def __init__(self, request: Request, progress: Progress | None) -> None:
        self._request = request
        self._demand = demand_of(request.profile)
        self._progress = progress or (lambda what, number: None)
        self._nodes = nodes_of(request.table)
        self._merging = Merging(request.nesting)
        self._reasons: dict[Node, str] = {}
        # Cells beside the small ones that hiding further cells has to keep wide as well.
        self._wide: set[int] = set()

    def run(self) -> Protected:
        alone: dict[int, float] = {}
        for number in range(1, MOST_ROUNDS + 1):
            self._progress("protecting", number)
            cells = merged_table(self._request.table, self._merging)
            counts = self._counts()
            shown = self._shown(cells, counts)
            self._progress("attacking", number)
            found, failed = self._attack(cells, counts, shown)
            excused = self._excused(found, failed, alone)
            failed = {cell: why for cell, why in failed.items() if cell not in excused}
            if not failed:
                withheld = self._withheld(cells)
                if not (~withheld & ~cells.missing).any():
                    raise DisclosureError(
                        "Nothing of the table can be published safely",
                        "Publish larger areas, fewer categories or a longer period",
                    )
                otherwise = np.array(sorted(excused), dtype=np.int64)
                found = _without_failures(found, otherwise)
                return Protected(
                    cells, withheld, shown, self._merging, self._reasons, found,
                    otherwise, number,
                )  # fmt: skip
            if not self._repair(cells, failed):
                raise DisclosureError(
                    f"{len(failed)} cells of the table can be worked back however little of it is "
                    "published",
                    "Publish larger areas, fewer categories or a longer period, or use a profile "
                    "that hides zeros",
                )
        raise DisclosureError(
            f"After {MOST_ROUNDS} rounds of giving up detail, cells can still be worked back",
            "Publish larger areas, fewer categories or a longer period",
        )

    def _counts(self) -> NDArray[np.int64]:
        """Return the true counts of all cells, withheld ones too."""
        number = {node: i for i, node in enumerate(self._nodes)}
        pairs = [(number[a], number[b]) for a, b in self._merging.pairs.values()]
        return with_pairs(self._request.table.counts.reshape(len(self._nodes), -1), pairs).ravel()

    def _withheld(self, cells: LinkedTable) -> NDArray[np.bool_]:
        wide = len(cells) // self._areas(cells)
        gone = [node in self._merging.stands for node in self._nodes]
        gone += [False] * (self._areas(cells) - len(gone))
        return np.repeat(gone, wide)

    def _areas(self, cells: LinkedTable) -> int:
        return len(cells) * len(self._nodes) // len(self._request.table)

    def _missing(self, cells: LinkedTable) -> NDArray[np.bool_]:
        """Return the cells without a count: those nothing is known of by us either."""
        return cells.missing & ~self._withheld(cells) | self._padded(
            self._request.table.missing, cells
        )

    @staticmethod
    def _padded(mask: NDArray[np.bool_], cells: LinkedTable) -> NDArray[np.bool_]:
        return np.concatenate((mask, np.zeros(len(cells) - len(mask), dtype=bool)))

    def _shown(self, cells: LinkedTable, counts: NDArray[np.int64]) -> Shown:
        """Apply the profile to every cell that is neither missing nor withheld."""
        profile, held = self._request.profile, ~cells.missing
        exact = np.where(held, counts, np.nan)
        statuses = np.full(len(cells), None, dtype=object)
        if profile.rounding.kind == "controlled":
            return self._controlled(cells)
        if self._request.noise is not None:
            values = exact.copy()
            values[held] = self._perturbed(counts)[held]
        elif profile.secondary:
            hidden = self._suppressed(cells)
            values = np.where(hidden, np.nan, exact)
            statuses[hidden] = profile.small.marker
        else:
            values, statuses = protect_all(exact, profile)
        if self._request.noise is not None:
            from governance.disclosure import cell_key  # noqa: PLC0415 - heavy

            lower, upper = np.zeros(len(cells)), np.full(len(cells), np.inf)
            lower[held], upper[held] = cell_key.bounds_of(values[held], self._request.noise.table)
        else:
            lower, upper = bounds_of(values, statuses, profile)
        return Shown(values, statuses, lower, upper)

    def _controlled(self, cells: LinkedTable) -> Shown:
        from governance.disclosure.tables.controlled_rounding import (  # noqa: PLC0415 - heavy
            controlled_rounding,
            existence_intervals,
        )

        base = self._request.profile.rounding.base
        rounded = controlled_rounding(cells, base)
        low, high = existence_intervals(rounded.values, base, rounded.reach)
        return Shown(
            np.where(cells.missing, np.nan, rounded.values),
            np.full(len(cells), None, dtype=object),
            np.where(cells.missing, 0.0, low),
            np.where(cells.missing, np.inf, high),
        )

    def _perturbed(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        from governance.disclosure.cell_key import perturb_cells  # noqa: PLC0415 - heavy

        noise = self._request.noise
        if noise is None:
            raise DisclosureError("Counts cannot be perturbed without record keys")
        number = {node: i for i, node in enumerate(self._nodes)}
        pairs = [(number[a], number[b]) for a, b in self._merging.pairs.values()]
        sums = with_pairs(noise.key_sums.reshape(len(self._nodes), -1), pairs).ravel()
        return perturb_cells(counts, sums, noise.table)

    def _suppressed(self, cells: LinkedTable) -> NDArray[np.bool_]:
        from governance.disclosure.tables.suppression import suppress  # noqa: PLC0415 - heavy

        request = self._request
        wide = np.zeros(len(cells), dtype=bool)
        wide[[cell for cell in self._wide if cell < len(cells)]] = True
        importance = request.importance
        if importance is not None:
            grid = np.asarray(importance, dtype=float).reshape(len(self._nodes), -1)
            number = {node: i for i, node in enumerate(self._nodes)}
            more = [
                grid[number[a]] + grid[number[b]] for a, b in self._merging.pairs.values()
            ]  # fmt: skip
            importance = np.concatenate((grid, *[m[np.newaxis] for m in more])).ravel()
        chosen = suppress(
            cells,
            self._demand,
            sensitive=wide & ~cells.missing & (cells.counts > 0),
            published=self._padded(request.public, cells),
            cost=request.cost,
            importance=importance,
            zeros=request.profile.small.zeros,
            # Withheld cells tie everything together: a proven optimum would take minutes then.
            method="heuristic" if self._merging.stands else "auto",
            workers=request.workers,
        )
        # What others publish is known whether we show it or not, and no reason to show it too.
        return chosen.hidden | (sensitive_counts(cells.counts, request.profile) & ~cells.missing)

    def _system(self, cells: LinkedTable, lower: ArrayLike, upper: ArrayLike) -> System:
        """Return what the attacker knows: the figures, and what is public."""
        known = cells.system(lower, upper)
        public = np.flatnonzero(self._request.public & ~self._request.table.missing)
        exact = self._request.table.counts[public].astype(float)
        low, high = known.lower.copy(), known.upper.copy()
        low[public] = high[public] = exact
        return replace(known, lower=low, upper=high)

    def _looking_small(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], missing: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return the cells that could be small by their own figure, and are not shown as 0."""
        could = (lower < self._demand.below) & (upper >= 1) & ~missing
        return np.flatnonzero(could)

    def _excused(
        self, found: Examination, failed: dict[int, str], alone: dict[int, float]
    ) -> set[int]:
        """Return failing cells that are as open as public figures alone leave them.

        No publication can change those; one that is narrower than that is our own doing.

        Parameters
        ----------
        alone : dict
            How open public figures alone leave the cells asked about so far; added to.
        """
        width = dict(zip(found.targets.tolist(), found.widths.tolist(), strict=True))
        alone |= self._without_us([c for c in failed if c in width and c not in alone])
        return {c for c in failed if c in alone and width[c] >= alone[c]}

    def _without_us(self, failing: list[int]) -> dict[int, float]:
        """Return how open public figures alone leave cells, if too little; infinite elsewhere."""
        table = self._request.table
        targets = np.array([c for c in failing if c < len(table)], dtype=np.int64)
        if not self._request.public.any() or not len(targets):
            return {}
        nothing = np.zeros(len(table)), np.full(len(table), np.inf)
        found = examine(
            self._system(table, *nothing), targets, table.counts[targets], self._demand,
            insider=self._request.insider, workers=self._request.workers,
        )  # fmt: skip
        widths = np.where(found.failed, found.widths, np.inf)
        widths[found.reasons == "insider"] = 0
        return dict(zip(targets.tolist(), widths.tolist(), strict=True))

    def _attack(
        self,
        cells: LinkedTable,
        counts: NDArray[np.int64],
        shown: Shown,
    ) -> tuple[Examination, dict[int, str]]:
        """Return the verdicts, and why by failing cell."""
        targets = self._looking_small(shown.lower, shown.upper, self._missing(cells))
        found = examine(
            self._system(cells, shown.lower, shown.upper),
            targets,
            counts[targets],
            self._demand,
            insider=self._request.insider,
            workers=self._request.workers,
        )
        # What surely is 5 or more is no small count, however exactly it is known.
        failed = found.failed & (found.lower < self._demand.below)
        found = replace(
            found, failed=failed, reasons=np.where(failed, found.reasons, "").astype(str)
        )
        why = dict(zip(targets[failed].tolist(), found.reasons[failed].tolist(), strict=True))
        for cell in self._class_disclosed(cells, shown).tolist():
            why.setdefault(cell, CLASS)
        return found, why

    def _class_disclosed(self, cells: LinkedTable, shown: Shown) -> NDArray[np.int64]:
        """Return small groups of which all but one category are published as 0."""
        profile = self._request.profile
        if not (self._request.class_disclosure and profile.class_disclosure):
            return np.empty(0, dtype=np.int64)
        areas = self._areas(cells)
        _, of_categories = split_equations(self._request.table, len(self._nodes))
        size = (areas, len(cells) // areas)
        counts, missing = cells.counts.reshape(size), cells.missing.reshape(size)
        empty = ((shown.upper == 0) & ~cells.missing).reshape(size)
        found = []
        for row in range(of_categories.shape[0]):
            at = slice(of_categories.indptr[row], of_categories.indptr[row + 1])
            members, signs = of_categories.indices[at], of_categories.data[at]
            whole, parts = int(members[signs > 0][0]), members[signs < 0]
            group = counts[:, whole]
            told = (group >= 1) & (group < profile.small.below) & ~missing[:, whole]
            told &= empty[:, parts].sum(axis=1) == len(parts) - 1
            # A category that is the only one there is says nothing.
            if len(parts) > 1:
                found.append(np.flatnonzero(told) * size[1] + whole)
        return np.unique(np.concatenate([*found, np.empty(0, np.int64)]))

    def _repair(self, cells: LinkedTable, failed: dict[int, str]) -> bool:
        """Hide more for each failing cell, or give up detail of its area; False if nothing did."""
        done = False
        nodes = nodes_of(cells)
        wide = len(cells) // len(nodes)
        if self._request.profile.secondary:
            # Larger counts under the marker must stay as open as small ones: none may stand out.
            own = {c for c, why in failed.items() if why != CLASS and not cells.missing[c]}
            large = {c for c in own if cells.counts[c] >= self._demand.below}
            new = {c for c in large if c < len(self._request.table)} - self._wide
            self._wide |= new
            if new:
                return True
        at_first = dict(self._merging.stands)
        handled: set[Node] = set()
        for cell, why in sorted(failed.items()):
            node = nodes[cell // wide]
            # One step at a time: what was done for another cell a moment ago may do for this one.
            standing = at_first.get(node, node)
            gone = node.level == MERGED and node not in self._merging.pairs
            changed = self._merging.stands.get(node) != at_first.get(node)
            if gone or changed or standing in handled:
                done = True
                continue
            handled.add(standing)
            before = set(self._merging.stands)
            if self._merging.step(node):
                done = True
                for given_up in set(self._merging.stands) - before:
                    self._reasons[given_up] = why
        return done
