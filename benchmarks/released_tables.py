"""A released table: protected as the platform does it, audited again, and what that cost.

Belongs here: calling ``protect_table`` on the benchmarks' tables, an attack of its own on the truly
small counts of the result, and the information lost. Does not belong here: the protection itself
(``governance/disclosure/tables/protecting.py``).

The attacker knows the profile, every equation, and the exact totals of every district.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from leak_tables import COLUMNS, table_of

from declarations.errors import DisclosureError
from governance.disclosure.attacker.examination import INSIDER, demand_of, examine
from governance.disclosure.attacker.system import System
from governance.disclosure.sensitive import sensitive_counts
from governance.disclosure.tables.merging import nesting_of
from governance.disclosure.tables.protecting import Request, protect_table

DISTRICT = COLUMNS[2]


@dataclass(frozen=True)
class Released:
    """A table that was protected, attacked and coarsened until the attack failed.

    Attributes
    ----------
    system : System
        What the attacker knows of it; its first cells are those of the table.
    public : (n,) bool
        Counts that everybody knows from elsewhere.
    places, truth : (k,) int
        Truly small counts, withheld ones too, and their values.
    rounds : int
        Attacks it took; 0 where no cell can be published.
    demanded, failed : int
        Cells the last attack of the protection was asked about, and those it found.
    cells, marked, withheld, figures_withheld, pairs, shown : int
        Cells of neighbourhoods and MSOAs: all; hidden by the profile; given up because of the
        attack; of these, those that would have shown a figure; pairs of neighbourhoods shown
        instead; and what is shown.
    change : float
        Sum of differences between shown and true counts.
    """

    system: System
    public: np.ndarray
    places: np.ndarray
    truth: np.ndarray
    rounds: int
    demanded: int
    failed: int
    cells: int
    marked: int
    withheld: int
    figures_withheld: int
    pairs: int
    shown: int
    change: float


def release(areas, counts, profile, *, levels=COLUMNS[:3], workers=1):
    """Return the release of a table of counts (n, groups); without a cell if none can be."""
    table = table_of(areas, counts, levels)
    named = dict(zip(COLUMNS, (areas.lsoa, areas.msoa, areas.lad, areas.region), strict=True))
    nesting = nesting_of({name: named[name] for name in levels}, [levels])
    size = len(table)
    level = table.columns["level"]
    public = level == DISTRICT
    try:
        done = protect_table(Request(table, nesting, profile, public, workers=workers))
    except DisclosureError:
        return nothing_released(table, profile)
    lower, upper = done.shown.lower.copy(), done.shown.upper.copy()
    gone = done.withheld
    lower[gone], upper[gone] = 0, np.inf
    at = np.flatnonzero(public)
    lower[at] = upper[at] = table.counts[at]
    system = System(lower, upper, done.cells.A, np.zeros(done.cells.A.shape[0]))
    truth = done.cells.counts.copy()
    truth[:size] = table.counts
    own = (level == COLUMNS[0]) | (level == COLUMNS[1])
    small = sensitive_counts(truth, profile)
    small[:size] &= own
    # What the profile alone would have hidden, whether or not it was withheld afterwards.
    hidden = own & (table.counts < profile.small.hidden_below)
    shown = own & ~hidden & ~gone[:size]
    return Released(
        system,
        np.concatenate((public, np.zeros(len(truth) - size, dtype=bool))),
        np.flatnonzero(small),
        truth[small],
        done.rounds,
        len(done.examination.targets),
        int(done.examination.failed.sum()),
        int(own.sum()),
        int(hidden.sum()),
        int((own & gone[:size]).sum()),
        int((own & gone[:size] & ~hidden).sum()),
        len(done.merging.pairs),
        int(shown.sum()),
        float(np.abs(done.shown.values[:size] - table.counts)[shown].sum()),
    )


def nothing_released(table, profile):
    """Return the release of a table of which no cell can be published."""
    level = table.columns["level"]
    public = level == DISTRICT
    own = (level == COLUMNS[0]) | (level == COLUMNS[1])
    small = sensitive_counts(table.counts, profile) & own
    hidden = own & (table.counts < profile.small.hidden_below)
    lower = np.where(public, table.counts, 0)
    upper = np.where(public, table.counts, np.inf)
    return Released(
        table.system(lower, upper), public, np.flatnonzero(small), table.counts[small], 0, 0, 0,
        int(own.sum()), int(hidden.sum()), int(own.sum()), int((own & ~hidden).sum()), 0, 0, 0.0,
    )  # fmt: skip


@dataclass(frozen=True)
class Audit:
    """What an attack on the truly small counts of a release found.

    Attributes
    ----------
    found : int
        Counts that the release leaves less open than the profile demands.
    known_otherwise : int
        Counts that public totals alone leave less open, and the release as open as they do.
    """

    found: int
    known_otherwise: int


def audit(system, public, places, truth, profile, *, workers=1):
    """Attack the truly small counts of a release, from the figures alone."""
    demand = demand_of(profile)
    found = examine(system, places, truth, demand, workers=workers)
    failed = found.failed
    if not failed.any():
        return Audit(0, 0)
    nothing = replace(
        system,
        lower=np.where(public, system.lower, 0.0),
        upper=np.where(public, system.upper, np.inf),
    )
    alone = examine(nothing, places[failed], truth[failed], demand, workers=workers)
    same = alone.failed & (found.widths[failed] >= alone.widths)
    # Exact to somebody with a record there: the release may not be what makes it so.
    same &= (found.reasons[failed] != INSIDER) | (alone.reasons == INSIDER)
    return Audit(int((~same).sum()), int(same.sum()))
