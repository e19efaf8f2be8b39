"""A release of one table that withstands the attack: protect, attack, coarsen, until none fails.

Belongs here: giving up detail of a table of counts by neighbourhood and reason (a pair of
neighbourhoods for one, then their MSOA, then neither) wherever the attack finds too much, and what
that costs. Does not belong here: the attack (``governance/disclosure/``), or which tables
(``leak_tables.py``).

The attacker knows the profile, every equation, and the exact totals of every district.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from leak_tables import COLUMNS, table_of
from scipy.sparse import csr_matrix, hstack, vstack

from governance.disclosure.counts import bounds_of, protect_all
from governance.disclosure.examination import Demand, examine
from governance.disclosure.sensitive import class_disclosure, sensitive_counts
from governance.disclosure.system import System

LSOA, MSOA, LAD, REGION = range(4)
ROUNDS = 60


@dataclass(frozen=True)
class Lost:
    """What a release keeps back, in cells of neighbourhoods and MSOAs.

    Attributes
    ----------
    cells, marked, withheld : int
        All; those the profile hides; those given up because of the attack.
    figures_withheld : int
        Of the withheld, those that would have shown a figure, not a marker.
    pairs : int
        Sums of two neighbourhoods shown instead.
    change : float
        Sum of differences between shown and true counts, over ``shown`` cells.
    shown : int
    """

    cells: int
    marked: int
    withheld: int
    figures_withheld: int
    pairs: int
    change: float
    shown: int

    def __add__(self, other):
        return Lost(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class Repaired:
    """A release that withstands the attack.

    Attributes
    ----------
    rounds : int
        Attacks, the last of which found nothing.
    sensitive : int
        True counts that must stay unknown.
    failed_first : int
        Of these, found by the first attack.
    failed : int
        Found by the last.
    known_otherwise : int
        Of the sensitive counts, those that the districts' totals alone leave less open than the
        profile demands; they must be left as open as they are without the release.
    withheld : (areas, columns) bool
    pairs : tuple of (int, int, int)
        Rows of two neighbourhoods and the column of which their sum is shown.
    lost : Lost
    """

    rounds: int
    sensitive: int
    failed_first: int
    failed: int
    known_otherwise: int
    withheld: np.ndarray
    pairs: tuple
    lost: Lost


class Release:
    """One table on its way to a release.

    Parameters
    ----------
    areas : Areas
    counts : (n, groups) int
    profile : Profile
    levels : int
        How many of neighbourhood, MSOA, district and region are published.
    """

    def __init__(self, areas, counts, profile, levels=3):
        self.profile = profile
        self.demand = Demand(profile.safe.width, profile.small.below, profile.safe.outside)
        self.table = table_of(areas, counts, COLUMNS[:levels])
        self.columns = counts.shape[1] + 1
        self.shape = (len(self.table) // self.columns, self.columns)
        names = self.table.columns["level"].reshape(self.shape)[:, 0]
        self.level = np.array([COLUMNS.index(name) for name in names])
        self.truth = self.table.counts.reshape(self.shape)
        self.shown, self.status = (
            part.reshape(self.shape) for part in protect_all(self.table.counts, profile)
        )
        self._family(areas)
        self.withheld = np.zeros(self.shape, dtype=bool)
        self.pairs = {}

    def _family(self, areas):
        """Note the MSOA of each neighbourhood, and the neighbourhoods of each MSOA."""
        codes = self.table.columns["area"].reshape(self.shape)[:, 0]
        row = {(int(level), code): i for i, (level, code) in enumerate(zip(self.level, codes))}  # noqa: B905
        self.msoa_of = {
            row[LSOA, lsoa]: row[MSOA, msoa]
            for lsoa, msoa in zip(areas.lsoa, areas.msoa, strict=True)
        }
        self.inside = defaultdict(list)
        for lsoa, msoa in sorted(self.msoa_of.items()):
            self.inside[msoa].append(lsoa)

    def system(self, *, public_only=False):
        """Return what the attacker knows: bounds, equations, and the sums of pairs."""
        lower, upper = bounds_of(self.shown.ravel(), self.status.ravel(), self.profile)
        free = np.ones(self.shape, bool) if public_only else self.withheld
        lower[free.ravel()], upper[free.ravel()] = 0, np.inf
        exact = np.repeat(self.level == LAD, self.columns)
        lower[exact] = upper[exact] = self.table.counts[exact]
        known = self.table.system(lower, upper)
        if not self.pairs or public_only:
            return known
        sums = np.array([self.truth[[a, b], k].sum() for a, b, k in self.pairs])
        low, high = bounds_of(*protect_all(sums, self.profile), self.profile)
        count, size = len(self.pairs), len(self.table)
        at = np.array([(a * self.columns + k, b * self.columns + k) for a, b, k in self.pairs])
        parts = csr_matrix(
            (-np.ones(2 * count), (np.repeat(np.arange(count), 2), at.ravel())), (count, size)
        )
        whole = csr_matrix((np.ones(count), (np.arange(count),) * 2), (count, count))
        empty = csr_matrix((known.A.shape[0], count))
        return System(
            np.concatenate((known.lower, low)),
            np.concatenate((known.upper, high)),
            vstack([hstack([known.A, empty]), hstack([parts, whole])], format="csr"),
            np.zeros(known.A.shape[0] + count),
        )

    def targets(self):
        """Return the places of sensitive counts in the system, with the counts.

        Withheld counts and sums of pairs are among them; what others publish is not.
        """
        small = sensitive_counts(self.truth, self.profile)
        small[:, :-1] |= class_disclosure(self.truth[:, :-1], self.truth[:, -1], self.profile)
        small &= (self.level <= MSOA)[:, None]
        sums = np.array([self.truth[[a, b], k].sum() for a, b, k in self.pairs], dtype=int)
        of_pairs = np.flatnonzero(sensitive_counts(sums, self.profile))
        places = np.concatenate((np.flatnonzero(small.ravel()), small.size + of_pairs))
        return places, np.concatenate((self.truth[small], sums[of_pairs]))

    def examine(self, workers=1):
        """Attack the release as it stands."""
        places, truth = self.targets()
        return examine(self.system(), places, truth, self.demand, workers=workers)

    def without_release(self, places):
        """Attack counts with the districts' totals alone; sums of pairs are left as demanded."""
        cells = places[places < self.truth.size]
        truth = self.truth.ravel()[cells]
        return examine(self.system(public_only=True), cells, truth, self.demand)

    def give_up(self, place):
        """Give up some detail for the sake of one count; False where there is none left.

        Parameters
        ----------
        place : int or (int, int, int)
            A cell by its number, or a pair.

        A count is tied to the sum of its neighbourhood, which therefore goes with it; if that does
        not do, the neighbourhood's other counts go as well.
        """
        if isinstance(place, tuple):
            row, _, k = place
            return place not in self.pairs or self._to_msoa(self.msoa_of[row], self._with_sum(k))
        row, k = divmod(int(place), self.columns)
        for chosen in (self._with_sum(k), range(self.columns)):
            if self.level[row] == LSOA and self._to_pair(row, chosen):
                return True
            msoa = self.msoa_of.get(row, row)
            if self._to_msoa(msoa, chosen) or self._withhold(msoa, chosen):
                return True
        return False

    def _with_sum(self, k):
        return sorted({k, self.columns - 1})

    def _to_pair(self, row, chosen):
        """Show counts of a neighbourhood only together with a neighbour's in the same MSOA.

        The neighbour is the one that shows most: only what is published decides.
        """
        done = False
        for k in chosen:
            if self.withheld[row, k]:
                continue
            others = [
                other
                for other in self.inside[self.msoa_of[row]]
                if other != row and not self.withheld[other, k]
            ]
            if not others:
                continue
            partner = max(others, key=lambda o: (np.nan_to_num(self.shown[o, k]), -o))
            self.pairs[min(row, partner), max(row, partner), k] = None
            self.withheld[[row, partner], k] = True
            done = True
        return done

    def _to_msoa(self, msoa, chosen):
        """Show counts of all neighbourhoods of an MSOA only by their sum."""
        done = False
        inside = self.inside[msoa]
        for k in chosen:
            paired = [pair for pair in self.pairs if pair[2] == k and pair[0] in inside]
            if self.withheld[inside, k].all() and not paired:
                continue
            for pair in paired:
                del self.pairs[pair]
            self.withheld[inside, k] = True
            done = True
        return done

    def _withhold(self, row, chosen):
        done = not self.withheld[row, list(chosen)].all()
        self.withheld[row, list(chosen)] = True
        return done

    def lost(self):
        """Return what the release keeps back as it stands."""
        own = np.broadcast_to((self.level <= MSOA)[:, None], self.shape)
        marked = own & np.isnan(self.shown)
        shown = own & ~marked & ~self.withheld
        return Lost(
            int(own.sum()),
            int(marked.sum()),
            int((own & self.withheld).sum()),
            int((own & self.withheld & ~marked).sum()),
            len(self.pairs),
            float(np.abs(self.shown - self.truth)[shown].sum()),
            int(shown.sum()),
        )


def repair(areas, counts, profile, *, levels=3):
    """Return a release of a table of which the attack finds nothing.

    Raises
    ------
    RuntimeError
        If something is still found when nothing is left to give up.
    """
    release = Release(areas, counts, profile, levels)
    first = None
    excused = {}
    for number in range(1, ROUNDS + 1):
        found = release.examine()
        first = int(found.failed.sum()) if first is None else first
        failing = found.targets[found.failed]
        unknown = np.array([p for p in failing.tolist() if p not in excused], dtype=int)
        if len(unknown):
            alone = release.without_release(unknown)
            widths = np.where(alone.failed, alone.widths, np.inf)
            # Exact to somebody with a record there, whatever is published.
            widths[alone.reasons == "insider"] = 0
            excused.update(zip(alone.targets.tolist(), widths.tolist(), strict=True))
        left = [
            place
            for place, width in zip(failing.tolist(), found.widths[found.failed], strict=True)
            if width < excused.get(place, np.inf)
        ]
        if not left:
            known = sum(np.isfinite(width) for width in excused.values())
            return Repaired(
                number, len(found.targets), first, len(left), known,
                release.withheld, tuple(release.pairs), release.lost(),
            )  # fmt: skip
        pairs = list(release.pairs)
        exposed = [p if p < release.truth.size else pairs[p - release.truth.size] for p in left]
        if not any([release.give_up(place) for place in exposed]):
            raise RuntimeError(f"{len(left)} counts stay exposed when all is given up")
    raise RuntimeError(f"not done after {ROUNDS} rounds")
