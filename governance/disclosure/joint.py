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
for the neighbourhoods exist (a transportation problem), so nothing is lost by leaving it out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from governance.disclosure.system import UNBOUNDED, System, SystemBuilder

LEVELS = ("lsoa21", "msoa21", "lad24")
"""Finest first; each nests in the next. Any other area is known by its member neighbourhoods."""

NOWHERE = -1
"""The number of a statement about a sum of nothing."""


class Part(NamedTuple):
    """The counts of one category in one delivery: the smallest thing a definition names.

    ``state`` tells versions of a delivery apart.
    """

    source_id: str
    measure: str
    category: str
    period: str
    state: str


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
        token, their counts there are the same; the attacker is credited with knowing it.
    """

    definitions: Mapping[str, frozenset[Part]]
    claims: Sequence[Claim]
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tokens: Mapping[tuple[str, str, str], Mapping[str, bytes]] = field(default_factory=dict)


class Derived(NamedTuple):
    """A sum nobody published that the equations tell apart."""

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


@dataclass
class _Groups:
    """The parts that one level's statements do not tell apart, group by group."""

    parts: list[frozenset[Part]]
    of_definition: dict[str, list[int]]
    of_part: dict[Part, int]


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
        self._groups = self._grouped()

    def joint(self) -> Joint:
        for level in (1, 2):
            self._link(level)
        for level in range(len(LEVELS)):
            self._link_versions(level)
        numbers = [self._claimed(claim) for claim in self._said.claims]
        return Joint(self._builder.build(), numbers, self._derived(set(numbers)))

    def _grouped(self) -> list[_Groups]:
        """Group the parts of each level by the definitions used there or below."""
        used: set[str] = set()
        wanted: list[set[str]] = [set(), set(), set()]
        for claim in self._said.claims:
            wanted[_level(claim)].add(claim.definition_id)
        found = []
        for names in wanted:
            used |= names
            found.append(_group(self._said.definitions, frozenset(used)))
        return found

    def _unknown(self, level: int, area: str, group: int) -> int:
        return self._builder.count((level, area, group))

    def _link(self, level: int) -> None:
        """Say that the finer areas' sums make up those of the areas they nest in."""
        fine, coarse = self._groups[level - 1], self._groups[level]
        inside: dict[int, list[int]] = defaultdict(list)
        for number, parts in enumerate(coarse.parts):
            parent = fine.of_part.get(next(iter(parts)))
            if parent is not None:
                inside[parent].append(number)
        for area, children in self._children[level].items():
            for group, splits in inside.items():
                terms = {self._unknown(level - 1, child, group): 1.0 for child in children}
                if level == len(LEVELS) - 1:
                    # Records known only by their district count there and in no neighbourhood.
                    terms[self._builder.count(("unplaced", area, group))] = 1.0
                for split in splits:
                    terms[self._unknown(level, area, split)] = -1.0
                self._builder.equation(terms, 0.0)

    def _claimed(self, claim: Claim) -> int:
        level = _level(claim)
        groups = self._groups[level].of_definition.get(claim.definition_id, [])
        areas: Sequence[str] = (claim.area_code,)
        if claim.geography_type not in LEVELS:
            areas = self._said.members[claim.area_code]
        unknowns = [self._unknown(level, area, group) for area in areas for group in groups]
        if not unknowns:
            return NOWHERE
        if len(unknowns) == 1:
            self._builder.narrow(unknowns[0], claim.lower, claim.upper)
            return unknowns[0]
        key = ("sum", *sorted(unknowns))
        known = key in self._builder.index
        number = self._builder.count(key, claim.lower, claim.upper)
        if not known:
            self._builder.add_up(number, unknowns)
        return number

    def _link_versions(self, level: int) -> None:
        """Say where a later version of a delivery left the counts of an area as they were."""
        newest = _newest_states(self._said)
        groups = self._groups[level]
        of_family: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
        for part, number in groups.of_part.items():
            of_family[part[:4]][part.state] = number
        for number, parts in enumerate(groups.parts):
            old = [p for p in parts if p.state != newest[p.source_id, p.period]]
            if len(old) < len(parts):
                continue
            later = {
                of_family[p[:4]].get(newest[p.source_id, p.period], NOWHERE) for p in parts
            } - {number}
            families = {p[:4] for p in parts}
            together = {p[:4] for n in later if n != NOWHERE for p in groups.parts[n]}
            if NOWHERE in later or not later or together != families:
                continue
            pairs = {(p.source_id, p.period, p.state) for p in parts}
            for area in self._children[level] if level else self._leaves():
                if all(self._unchanged(pair, newest[pair[:2]], level, area) for pair in pairs):
                    terms = {self._unknown(level, area, n): -1.0 for n in later}
                    self._builder.equation({self._unknown(level, area, number): 1.0, **terms}, 0.0)

    def _unchanged(self, old: tuple[str, str, str], new: str, level: int, area: str) -> bool:
        before = self._said.tokens.get(old, {})
        after = self._said.tokens.get((*old[:2], new), {})
        places = self._places(level, area)
        return bool(before or after) and all(before.get(p) == after.get(p) for p in places)

    def _places(self, level: int, area: str) -> Iterator[str]:
        if level == 0:
            yield area
            return
        for child in self._children[level].get(area, ()):
            yield from self._places(level - 1, child)
        if level == len(LEVELS) - 1:
            yield area

    def _leaves(self) -> Iterator[str]:
        for children in self._children[1].values():
            yield from children

    def _derived(self, claimed: set[int]) -> list[Derived]:
        found = []
        for key, number in self._builder.index.items():
            if not isinstance(key, tuple) or not isinstance(key[0], int) or number in claimed:
                continue
            level, area, group = key
            found.append(Derived(LEVELS[level], area, self._groups[level].parts[group], number))
        return found


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


def _group(definitions: Mapping[str, frozenset[Part]], used: frozenset[str]) -> _Groups:
    signatures: dict[Part, set[str]] = defaultdict(set)
    for name in sorted(used):
        for part in definitions[name]:
            signatures[part].add(name)
    together: dict[frozenset[str], set[Part]] = defaultdict(set)
    for part, names in signatures.items():
        together[frozenset(names)].add(part)
    groups = _Groups([], defaultdict(list), {})
    for signature, parts in sorted(together.items(), key=lambda item: sorted(item[0])):
        number = len(groups.parts)
        groups.parts.append(frozenset(parts))
        groups.of_part.update(dict.fromkeys(parts, number))
        for name in signature:
            groups.of_definition[name].append(number)
    return groups


def _newest_states(statements: Statements) -> dict[tuple[str, str], str]:
    """Return the state each delivery has in the definition said last."""
    newest: dict[tuple[str, str], str] = {}
    for parts in statements.definitions.values():
        for part in parts:
            newest[part.source_id, part.period] = part.state
    return newest


def claims_of(rows: Iterable[Sequence[object]]) -> list[Claim]:
    """Return claims from rows of a table; an upper bound of None is none."""
    return [
        Claim(str(d), str(t), str(a), float(low), UNBOUNDED if high is None else float(high))  # type: ignore[arg-type]
        for d, t, a, low, high in rows
    ]
