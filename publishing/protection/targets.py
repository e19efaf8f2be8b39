"""Which counts are attacked: all that could be small, as far as anybody can see.

Belongs here: finding them among the figures of a candidate, among the sums that nobody publishes
but the equations tell apart, and among the hidden cells of earlier releases.
Does not belong here: attacking them (``coarsening.py``).

Which they are follows from what is published, never from the counts behind. So does, then, what is
withheld for their sake, and from that nobody learns anything about the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from governance.disclosure.attacker.examination import Demand, demand_of
from governance.disclosure.known.joint import (
    LEVELS,
    NOWHERE,
    Claim,
    Derived,
    Joint,
    Part,
    Statements,
)
from governance.disclosure.profiles import Profile
from indicators.plan import TermName
from publishing.protection.candidate import RowKey

Exact = Callable[[Sequence[Derived]], Mapping[int, int | None]]
"""Given sums of parts, their exact values by number; None where one is unknown."""


class Target(NamedTuple):
    """A count that could be small, and where it stands.

    ``key`` and ``term`` name the figure it is a term of; a sum nobody publishes has none.
    ``truth`` only serves to catch a wrong system; None where an agency hid it, or it is that of an
    earlier release and was corrected since.
    """

    number: int
    truth: int | None
    level: str
    area: str
    parts: frozenset[Part]
    profile: str
    demand: Demand
    key: RowKey | None
    term: TermName | None


class Figure(NamedTuple):
    """One term of a figure: its exact count, and what the candidate says of it.

    ``key`` of a combined figure has the combined code.
    """

    key: RowKey
    term: TermName
    exact: int
    claim: Claim


class Finder:
    """Collects the counts to attack of one system, each once."""

    def __init__(self, joint: Joint, statements: Statements) -> None:
        self._joint = joint
        self._statements = statements
        self._found: dict[int, Target] = {}

    def found(self) -> list[Target]:
        """Return everything collected, in the order in which it was."""
        return list(self._found.values())

    def add_figures(self, figures: Sequence[Figure], profile_of: Callable[[str], Profile]) -> None:
        """Add the candidate's own figures, whose claims are the last of the statements."""
        numbers = self._joint.numbers[len(self._joint.numbers) - len(figures) :]
        for figure, number in zip(figures, numbers, strict=True):
            profile = profile_of(figure.key.indicator_id)
            claim = figure.claim
            small = claim.lower < profile.small.below and claim.upper >= 1
            if number == NOWHERE or not small:
                continue
            parts = self._statements.definitions[claim.definition_id]
            self._add(
                Target(
                    number, figure.exact, claim.geography_type, claim.area_code, parts,
                    profile.name, demand_of(profile), figure.key, figure.term,
                )
            )  # fmt: skip

    def add_sums(
        self,
        current: Collection[Part],
        exact: Exact,
        strictest: Callable[[frozenset[Part]], Profile],
    ) -> None:
        """Add sums that nobody publishes, but which the equations tell apart.

        Parameters
        ----------
        current : collection of Part
            The deliveries as they stand, whose counts are at hand.
        """
        here = set(current)
        values = exact([d for d in self._joint.derived if d.parts <= here])
        for item in self._joint.derived:
            self._add(_target_of(item, values.get(item.number), strictest(item.parts)))

    def add_earlier(
        self,
        hidden: Iterable[Sequence[tuple[Claim, Profile]]],
        current: Collection[Part],
        exact: Exact,
    ) -> None:
        """Add what earlier releases hid, so that a later one does not give it away."""
        number_of = dict(zip(self._statements.claims, self._joint.numbers, strict=True))
        here = set(current)
        cells = [
            (Derived(c.geography_type, c.area_code, self._statements.definitions[c.definition_id],
                     number_of[c]), profile)
            for some in hidden for c, profile in some
            if number_of[c] != NOWHERE
        ]  # fmt: skip
        values = exact([cell for cell, _ in cells if cell.parts <= here and _has_place(cell)])
        for cell, profile in cells:
            # Where it was corrected since, the count that was hidden is no longer at hand.
            self._add(_target_of(cell, values.get(cell.number), profile))

    def _add(self, target: Target) -> None:
        """Keep a count once, with the greatest width any profile demands of it."""
        known = self._found.get(target.number)
        if known is None:
            self._found[target.number] = target
        elif target.demand.width > known.demand.width:
            self._found[target.number] = known._replace(
                profile=target.profile, demand=target.demand
            )


def _target_of(item: Derived, exact: int | None, profile: Profile) -> Target:
    return Target(
        item.number, exact, item.geography_type, item.area_code, item.parts, profile.name,
        demand_of(profile), None, None,
    )  # fmt: skip


def _has_place(cell: Derived) -> bool:
    """Whether a cell's exact count can be looked up: that of areas taken together cannot."""
    return cell.geography_type in LEVELS
