"""The insider: somebody who has their own record in a cell, and so knows that it is not empty.

Belongs here: whether a cell becomes exact to them. Does not belong here: the attack by outsiders,
which comes first and whose witnesses (``search.py``) answer most of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.attacker.knowns import WHOLE, Knowns
from governance.disclosure.attacker.network import is_network
from governance.disclosure.attacker.propagation import propagate
from governance.disclosure.attacker.search import Found, Search, Task

SPREADS = 60
"""Tables with many members' records at most, for all members of a component together."""

TRIES = 3
"""Pairs of common objectives for the cells that share an equation with one member's cell."""

PAIRS = 4_000_000
"""Pairs of a member's cell and a target that are held in memory at once, about."""


def attack_component(task: Task) -> Found:
    """Attack one component, by outsiders and, if the task names members, by insiders.

    Raises
    ------
    DisclosureError
        If no table of counts fits.
    """
    targets, knowns = task.targets, task.knowns
    exposed = np.zeros(len(targets), dtype=bool)
    if task.tree:
        if task.members is not None:
            exposed = _exposed_in_tree(task, task.members)
        low, high = knowns.lower[targets], knowns.upper[targets]
        return Found(low, high, low, high, exposed, 0, 0)
    search = Search(task)
    search.run(task.enough, witnesses_only=task.witnesses_only)
    low, high = search.lower[targets], search.upper[targets]
    seen_low, seen_high = search.seen_lower[targets], search.seen_upper[targets]
    if task.members is not None and not task.witnesses_only:
        exposed = _exposed(search, task.members)
    programme = search.programme
    return Found(
        low,
        high,
        seen_low,
        seen_high,
        exposed,
        programme.linear_programmes,
        programme.integer_programmes,
    )


def _exposed_in_tree(task: Task, members: NDArray[np.int64]) -> NDArray[np.bool_]:
    knowns, targets = task.knowns, task.targets
    exposed = np.zeros(len(targets), dtype=bool)
    # A tree is a network, and its bounds are exact.
    several = knowns.upper >= 2
    for pairs in _pairs(knowns, targets, members[~several[members]]):
        for member in np.unique(pairs.member).tolist():
            lower = knowns.lower.copy()
            lower[member] = 1
            told = propagate(Knowns(lower, knowns.upper, knowns.A, knowns.b), rounds=10_000)
            places = pairs.place[pairs.member == member]
            cells = targets[places]
            exposed[places] |= told.lower[cells] == told.upper[cells]
    return exposed


def _exposed(search: Search, members: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which targets are exact to somebody with a record in a cell of the same equation.

    Two tables that exist, both with a record in the member's cell and with different counts of the
    target, show that it is not. Many are among the witnesses of the attack, which lie far out; the
    others are looked for where records are spread over as many cells as can be, and only what is
    left then is solved member by member.
    """
    targets = search.targets
    exposed = np.zeros(len(targets), dtype=bool)
    known = Knowns(search.lower, search.upper, search.knowns.A, search.knowns.b)
    several = search.seen_upper[members] >= 2
    if several.any() and is_network(search.knowns.A):
        # Let one table have two records in the cell, and another a different count of the target.
        # A little of the second mixed into the first leaves more than one record, and changes the
        # target. So the target has more than one value among all tables with a record there,
        # fractions allowed; in a network its lowest and highest are whole.
        members = members[~several]
    for pairs in _pairs(known, targets, members):
        for table in search.witnesses:
            pairs.note(table)
        pairs.drop_decided()
        _spread(search, pairs)
        for member in np.unique(pairs.member).tolist():
            places = pairs.place[pairs.member == member]
            exposed[_exposed_by(search, member, places[~exposed[places]])] = True
    return exposed


class _Pairs:
    """Pairs of a member's cell and a target that share an equation, not yet decided.

    A target is paired with itself as well: with their own record in it, what is left of its values
    can be one (of 0 and 2, say).

    Attributes
    ----------
    member, place : (p,) int
        The member's cell by its place in the component, the target by its place in the list.
    """

    def __init__(
        self, member: NDArray[np.int64], place: NDArray[np.int64], targets: NDArray[np.int64]
    ) -> None:
        self.member, self.place = member, place
        self._target = targets[place]
        self._least = np.full(len(member), np.iinfo(np.int32).max, dtype=np.int32)
        self._most = np.full(len(member), np.iinfo(np.int32).min, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.member)

    def note(self, table: NDArray[np.int32]) -> None:
        """Take notice of the targets' counts in a table, where the members have a record."""
        there = np.flatnonzero(table[self.member] >= 1)
        counts = table[self._target[there]]
        self._least[there] = np.minimum(self._least[there], counts)
        self._most[there] = np.maximum(self._most[there], counts)

    def drop_decided(self) -> None:
        """Drop the pairs of which two different counts were seen."""
        left = self._least >= self._most
        self.member, self.place, self._target = (
            self.member[left],
            self.place[left],
            self._target[left],
        )
        self._least, self._most = self._least[left], self._most[left]


def _pairs(
    knowns: Knowns, targets: NDArray[np.int64], members: NDArray[np.int64]
) -> Iterator[_Pairs]:
    """Yield the pairs, some members at a time, so that they fit in memory.

    Left out are members' cells that are surely empty or surely not (their record tells them nothing
    new), and targets that are exact to everybody (they have failed already).
    """
    members = members[(knowns.lower[members] <= 0) & (knowns.upper[members] >= 1)]
    wanted = np.flatnonzero(knowns.lower[targets] < knowns.upper[targets])
    if not len(members) or not len(wanted):
        return
    pattern = knowns.A.copy()
    pattern.data = np.ones(len(pattern.data), dtype=np.int32)
    of_members = pattern[:, members].T.tocsr()
    of_targets = pattern[:, targets[wanted]]
    most = of_members @ np.diff(of_targets.indptr)
    part = (np.cumsum(most) // PAIRS).astype(np.int64)
    for number in np.unique(part).tolist():
        some = np.flatnonzero(part == number)
        shared = (of_members[some] @ of_targets).tocoo()
        order = np.lexsort((shared.col, shared.row))
        member, place = members[some[shared.row[order]]], wanted[shared.col[order]]
        yield _Pairs(member, place, targets)


def _spread(search: Search, pairs: _Pairs) -> None:
    """Look for tables with records in many members' cells at once, until few pairs are decided."""
    for _ in range(SPREADS):
        before = len(pairs)
        if not before:
            return
        weights = np.zeros(len(search.lower))
        targets = search.targets[np.unique(pairs.place)]
        weights[targets] = search.random.choice([-1.0, 1.0], len(targets))
        weights[np.unique(pairs.member)] += 2.0
        columns = np.flatnonzero(weights)
        table = search.near_the_middle(columns, weights[columns])
        if table is not None:
            pairs.note(table)
            pairs.drop_decided()
        if before - len(pairs) < max(1, before // 50):
            return


def _exposed_by(search: Search, member: int, undecided: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of the targets that are exact, or not shown not to be, given a record there."""
    low, high = search.lower[member], search.upper[member]
    pairs = _Pairs(np.full(len(undecided), member), undecided, search.targets)
    for table in search.witnesses:
        pairs.note(table)
    pairs.drop_decided()
    search.programme.narrow(member, 1.0, high)
    try:
        for attempt in range(TRIES):
            if not len(pairs):
                break
            cells = search.targets[pairs.place]
            lot = search.random.choice([-1.0, 1.0], len(cells)) if attempt else np.ones(len(cells))
            for sign in (1.0, -1.0):
                bounded = np.isfinite(search.lower[cells]) & np.isfinite(search.upper[cells])
                answer = search.push(cells[bounded], sign * lot[bounded])
                if answer.feasible is False:
                    # Nobody can have a record there.
                    return undecided[:0]
                if answer.table is not None:
                    pairs.note(answer.table.astype(np.int32))
            pairs.drop_decided()
        left = [place for place in pairs.place.tolist() if not _two_values(search, member, place)]
        return np.array(left, dtype=np.int64)
    finally:
        search.programme.narrow(member, low, high)


def _two_values(search: Search, member: int, place: int) -> bool:
    """Say whether a target is shown to have two values while there is a record in another cell."""
    column = search.targets[place : place + 1]
    counts: set[float] = set()
    programme = search.programme
    whole = partial(programme.maximise_whole, seconds=search.seconds)
    for solve in (programme.maximise, whole):
        ends = []
        for sign in (1.0, -1.0):
            answer = solve(column, np.array([sign]))
            if answer.feasible is False:
                return True
            ends.append(np.floor(answer.bound + WHOLE))
            if answer.table is not None and answer.table[member] >= 1:
                counts.add(float(answer.table[column[0]]))
        if len(counts) > 1:
            return True
        if np.isinf(ends).any():
            # Endless as soon as there is one table of whole numbers.
            return bool(counts) or whole(column[:0], np.empty(0)).feasible is True
        if ends[0] + ends[1] <= 0:
            return False
    return False
