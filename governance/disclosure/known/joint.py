"""Everything released and everything known, as one system of equations about true counts.

Belongs here: how statements about sums of counts (over measures, categories, periods and areas)
overlap. Two published figures share counts wherever their definitions name the same deliveries and
their areas the same neighbourhoods; so last year's release, this quarter's, a pair of merged
neighbourhoods and a ministry's total all become equations over the same unknowns.
Does not belong here: where statements come from (``ledger.py``, ``publishing/``), solving them
(``attacker.py``).

How it is kept small
--------------------
Unknown is, for each area, the sum of those parts (source, measure, category, period) that no
statement at this level *or a finer one* tells apart. A part that only district figures tell apart
needs no unknown in each neighbourhood: whatever the districts' split, non-negative whole numbers
for the neighbourhoods exist (a transportation problem), so nothing is lost by leaving it out: the
sums that are there have the bounds they have in the system of all cells. What is left out is not
attacked, though a district's split and a neighbourhood's sum may bound it.

Deliveries that came in several versions are the exception: in an area where two versions have the
same counts they are one unknown, and whole columns of two transportation problems are then the
same. Their parts are told apart at every level by the statements of all levels; those of three or
more versions have unknowns in each neighbourhood (of three, the middle one is at most the sum of
the other two, if each neighbourhood left one of them as it was).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from governance.disclosure.attacker.system import UNBOUNDED, System, SystemBuilder
from governance.disclosure.known.parts import Part, Versions, group_parts, states_of

LEVELS = ("lsoa21", "msoa21", "lad24")
"""Finest first; each nests in the next. Any other area is known by its member neighbourhoods."""

DISTRICTS = len(LEVELS) - 1
UNPLACED = -1
"""Stands for the level of records that are known by their district alone."""

UNPLACED_LEVEL = "unplaced"
"""Its name as a geography type; the area is the district."""

NOWHERE = -1
"""The number of a statement about a sum of nothing."""


class Claim(NamedTuple):
    """What is known of one cell: a definition's sum over an area lies between two numbers."""

    definition_id: str
    geography_type: str
    area_code: str
    lower: float
    upper: float = UNBOUNDED


@dataclass(frozen=True)
class Statements:
    """Claims, with what is needed to see how they overlap.

    Attributes
    ----------
    definitions : mapping of str to frozenset of Part
        By definition identifier.
    claims : sequence of Claim
    members : mapping of str to sequence of str
        LSOAs of every area that is neither an LSOA, an MSOA nor a district of the nesting.
    tokens : mapping of (source, period, state) to mapping of area code to bytes
        Keyed fingerprints of a delivery's counts in each neighbourhood (and of those placed in no
        neighbourhood, under the district's code). Where two versions of a delivery have the same
        token, their counts there are the same; the attacker is credited with knowing it. Of
        versions without any token nothing is known.
    """

    definitions: Mapping[str, frozenset[Part]]
    claims: Sequence[Claim]
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tokens: Mapping[tuple[str, str, str], Mapping[str, bytes]] = field(default_factory=dict)


class Derived(NamedTuple):
    """A sum of which nobody says anything, but which the equations tell apart."""

    geography_type: str
    area_code: str
    parts: frozenset[Part]
    number: int


@dataclass(frozen=True)
class Joint:
    """The system, and where each claim stands in it.

    Attributes
    ----------
    system : System
    numbers : sequence of int
        The unknown of each claim, in their order; `NOWHERE` for a sum of nothing.
    derived : sequence of Derived
        Further sums at each level, to be attacked like published ones.
    """

    system: System
    numbers: Sequence[int]
    derived: Sequence[Derived]


def joint_system(statements: Statements, nesting: Mapping[str, tuple[str, str]]) -> Joint:
    """Return the equations of everything that is known.

    Parameters
    ----------
    statements : Statements
    nesting : mapping of str to (str, str)
        MSOA and district of every LSOA.

    Returns
    -------
    Joint

    Raises
    ------
    DisclosureError
        If two claims about the same sum contradict each other.
    """
    return _Assembly(statements, nesting).joint()


class _Assembly:
    """The state of one `joint_system`."""

    def __init__(self, statements: Statements, nesting: Mapping[str, tuple[str, str]]) -> None:
        self._said = statements
        self._children = _children(nesting)
        self._builder = SystemBuilder()
        level_of: dict[str, int] = {}
        for claim in statements.claims:
            level = _level(claim)
            level_of[claim.definition_id] = min(level, level_of.get(claim.definition_id, level))
        states = states_of(statements.definitions, level_of)
        self._groups = group_parts(statements.definitions, level_of, states, len(LEVELS))
        self._versions = Versions(states, statements.tokens, self._places)
        self._made_of: list[tuple[int, ...]] = []

    def joint(self) -> Joint:
        for level in range(1, len(LEVELS)):
            self._link(level)
        numbers = [self._claimed(claim) for claim in self._said.claims]
        # Further sums are added to the system on the way.
        derived = self._derived(numbers)
        return Joint(self._builder.build(), numbers, derived)

    def _unknown(self, level: int, area: str, group: int, state: str) -> int:
        """Return the sum of a group in an area; versions that are alike there are one."""
        delivery = self._groups[level].groups[group].delivery
        alike = self._versions.alike(level, area, delivery)
        return self._builder.count((level, area, group, alike[state]))

    def _unplaced(self, lad: str, group: int, state: str) -> int:
        """Return the sum of a group's records that are known by their district alone."""
        delivery = self._groups[DISTRICTS - 1].groups[group].delivery
        alike = self._versions.alike(UNPLACED, lad, delivery)
        return self._builder.count((UNPLACED, lad, group, alike[state]))

    def _link(self, level: int) -> None:
        """Say that the finer areas' sums make up those of the areas they nest in."""
        fine, coarse = self._groups[level - 1], self._groups[level]
        inside: dict[int, list[int]] = defaultdict(list)
        for number, group in enumerate(coarse.groups):
            parent = fine.of_part.get(next(iter(group.parts)))
            if parent is not None:
                inside[parent].append(number)
        for area, children in self._children[level].items():
            for parent, splits in inside.items():
                delivery = fine.groups[parent].delivery
                for state in dict.fromkeys(self._versions.alike(level, area, delivery).values()):
                    finer = [self._unknown(level - 1, c, parent, state) for c in children]
                    if level == DISTRICTS:
                        finer.append(self._unplaced(area, parent, state))
                    whole = [self._unknown(level, area, split, state) for split in splits]
                    terms = dict.fromkeys(finer, 1.0) | dict.fromkeys(whole, -1.0)
                    self._builder.equation(terms, 0.0)

    def _claimed(self, claim: Claim) -> int:
        level = _level(claim)
        groups = self._groups[level].of_definition.get(claim.definition_id, [])
        areas: Sequence[str] = (claim.area_code,)
        if claim.geography_type not in LEVELS:
            areas = [*dict.fromkeys(self._said.members[claim.area_code])]
        unknowns = [self._unknown(level, area, *group) for area in areas for group in groups]
        self._made_of.append(tuple(unknowns))
        return self._sum(unknowns, claim.lower, claim.upper)

    def _sum(self, unknowns: Sequence[int], lower: float = 0, upper: float = UNBOUNDED) -> int:
        """Return the number of a sum that lies between two numbers."""
        if len(unknowns) < 2:
            for number in unknowns:
                self._builder.narrow(number, lower, upper)
            return next(iter(unknowns), NOWHERE)
        key = ("sum", *sorted(unknowns))
        known = key in self._builder.index
        number = self._builder.count(key, lower, upper)
        if not known:
            self._builder.add_up(number, unknowns)
        return number

    def _places(self, level: int, area: str) -> Sequence[str]:
        """Return the places whose records make up an area; none for one that nothing nests in."""
        if level in (0, UNPLACED):
            return (area,)
        children = self._children[level].get(area, ())
        found = [place for child in children for place in self._places(level - 1, child)]
        return [*found, area] if found and level == DISTRICTS else found

    def _derived(self, numbers: Sequence[int]) -> list[Derived]:
        """Return what the equations tell apart and no claim bounds.

        Among them is what was withheld, now or in an earlier release.
        """
        claimed = [*zip(self._said.claims, numbers, strict=True)]
        done = {n for claim, n in claimed if claim.lower > 0 or claim.upper < UNBOUNDED} | {NOWHERE}
        parts_of: dict[tuple[int, int, str], frozenset[Part]] = {}
        found: list[Derived] = []
        for level, area, told, state in self._told_apart():
            groups = self._groups[level]
            split = groups.told[told]
            number = self._sum([self._unknown(level, area, group, state) for group in split])
            if (level, told, state) not in parts_of:
                parts = [groups.groups[group].of_version(state) for group in split]
                parts_of[level, told, state] = frozenset(part for some in parts for part in some)
            if number not in done:
                done.add(number)
                found.append(Derived(LEVELS[level], area, parts_of[level, told, state], number))
        for claim, number in claimed:
            if claim.geography_type in LEVELS and number not in done:
                done.add(number)
                parts_then = self._newest_parts(claim)
                found.append(Derived(claim.geography_type, claim.area_code, parts_then, number))
        return [*found, *self._differences(done), *self._unplaced_sums()]

    def _differences(self, done: set[int]) -> Iterator[Derived]:
        """Yield what is left of a claimed sum without another that is a part of it."""
        of_area: dict[tuple[str, str], dict[tuple[int, ...], Claim]] = defaultdict(dict)
        for claim, made_of in zip(self._said.claims, self._made_of, strict=True):
            if claim.geography_type in LEVELS:
                of_area[claim.geography_type, claim.area_code][made_of] = claim
        for (level, area), sums in of_area.items():
            for whole, claim in sums.items():
                for part, other in sums.items():
                    rest = [n for n in whole if n not in set(part)]
                    # One unknown alone is told apart anyway.
                    if len(rest) < 2 or len(rest) + len(part) != len(whole):
                        continue
                    number = self._sum(rest)
                    if number not in done:
                        done.add(number)
                        parts = self._newest_parts(claim) - self._newest_parts(other)
                        yield Derived(level, area, parts, number)

    def _unplaced_sums(self) -> Iterator[Derived]:
        """Yield the records of each district that are in no neighbourhood: fixed abodes lacking."""
        for key, number in list(self._builder.index.items()):
            if isinstance(key, tuple) and key[0] == UNPLACED and len(key) == 4:
                _, lad, group, state = key
                parts = self._groups[DISTRICTS - 1].groups[group].of_version(state)
                yield Derived(UNPLACED_LEVEL, lad, parts, number)

    def _told_apart(self) -> list[tuple[int, str, int, str]]:
        """Return level, area, first group and version of all sums that are told apart there."""
        found: dict[tuple[int, str, int, str], None] = {}
        for key in self._builder.index:
            if isinstance(key, tuple) and key[0] in range(len(LEVELS)):
                level, area, group, state = key
                told = self._groups[level].groups[group].told
                if told is not None:
                    found[level, area, told, state] = None
        return [*found]

    def _newest_parts(self, claim: Claim) -> frozenset[Part]:
        """Return what a claim sums, in the newest versions that have the same counts there."""
        level = _level(claim)
        found: set[Part] = set()
        for number, state in self._groups[level].of_definition[claim.definition_id]:
            group = self._groups[level].groups[number]
            alike = self._versions.alike(level, claim.area_code, group.delivery)
            found |= group.of_version(alike[state])
        return frozenset(found)


def _level(claim: Claim) -> int:
    return LEVELS.index(claim.geography_type) if claim.geography_type in LEVELS else 0


def _children(nesting: Mapping[str, tuple[str, str]]) -> list[dict[str, list[str]]]:
    """Return the areas of the level below, for MSOAs and for districts."""
    msoas: dict[str, list[str]] = defaultdict(list)
    lads: dict[str, list[str]] = defaultdict(list)
    for lsoa, (msoa, lad) in sorted(nesting.items()):
        if msoa not in msoas:
            lads[lad].append(msoa)
        msoas[msoa].append(lsoa)
    return [{}, dict(msoas), dict(lads)]
