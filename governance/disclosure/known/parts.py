"""The parts that definitions are sums of: which are told apart, and which versions are alike.

Belongs here: the smallest things a definition names, gathered into groups that no statement tells
apart, and the versions of a delivery that have the same counts in an area. Does not belong here:
the equations over them (``joint.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Delivery = tuple[str, str]
"""Source and period."""

Family = tuple[str, str, str, str]
"""A part without its version: source, measure, category, period."""

NO_VERSIONS = ""
"""Stands for the version of parts whose deliveries came in one only."""

FEW_VERSIONS = 2
"""Up to so many versions, an area's sums say nothing about its neighbourhoods' versions."""


class Part(NamedTuple):
    """The counts of one category in one delivery: the smallest thing a definition names.

    ``state`` tells versions of a delivery apart.
    """

    source_id: str
    measure: str
    category: str
    period: str
    state: str

    @property
    def delivery(self) -> Delivery:
        """What it was delivered in, whatever the version."""
        return self.source_id, self.period


@dataclass(frozen=True)
class Group:
    """Parts that no statement tells apart at a level.

    Attributes
    ----------
    delivery : (str, str) or None
        Where that came in several versions. The group is then of each version's parts.
    told : int or None
        Number of the first group that only coarser statements tell from this one; None where only
        coarser statements name the parts at all.
    """

    parts: frozenset[Part]
    delivery: Delivery | None
    told: int | None

    def of_version(self, state: str) -> frozenset[Part]:
        """Return the parts in one version."""
        if self.delivery is None:
            return self.parts
        return frozenset(part._replace(state=state) for part in self.parts)


@dataclass
class Groups:
    """The groups of one level.

    Attributes
    ----------
    groups : list of Group
    of_definition : dict of str to list of (int, str)
        Groups, each with a version, that a definition of this level or a finer one sums.
    of_part : dict of Part to int
    told : dict of int to list of int
        Groups that are told apart by coarser statements alone, by the first of them.
    """

    groups: list[Group] = field(default_factory=list)
    of_definition: dict[str, list[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    of_part: dict[Part, int] = field(default_factory=dict)
    told: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, parts: frozenset[Part], delivery: Delivery | None, told: int | None) -> int:
        """Add a group and return its number."""
        number = len(self.groups)
        self.groups.append(Group(parts, delivery, told))
        self.of_part.update(dict.fromkeys(parts, number))
        if told is not None:
            self.told[told].append(number)
        return number


def states_of(
    definitions: Mapping[str, frozenset[Part]], used: Mapping[str, int]
) -> dict[Delivery, list[str]]:
    """Return the versions of each delivery, the one that was named last at the end."""
    found: dict[Delivery, dict[str, None]] = defaultdict(dict)
    for name, parts in definitions.items():
        if name in used:
            for delivery, state in sorted({(p.delivery, p.state) for p in parts}):
                found[delivery].pop(state, None)
                found[delivery][state] = None
    return {delivery: [*states] for delivery, states in found.items()}


def group_parts(
    definitions: Mapping[str, frozenset[Part]],
    level_of: Mapping[str, int],
    states: Mapping[Delivery, Sequence[str]],
    levels: int,
) -> list[Groups]:
    """Gather the parts that no statement tells apart, level by level, the finest first.

    Parameters
    ----------
    level_of : mapping of str to int
        The finest level at which something is said of a definition; others are left out.
    states : mapping of (str, str) to sequence of str
        Of `states_of`.
    """
    plain: dict[Part, list[str]] = defaultdict(list)
    versions: dict[Family, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in sorted(level_of):
        for part in definitions[name]:
            if len(states[part.delivery]) == 1:
                plain[part].append(name)
            else:
                versions[part[:4]][part.state].append(name)
    alike: dict[tuple[Delivery, tuple[tuple[str, tuple[str, ...]], ...]], list[Family]] = {}
    for family, named in sorted(versions.items()):
        key = (family[0], family[3]), tuple((s, tuple(n)) for s, n in sorted(named.items()))
        alike.setdefault(key, []).append(family)

    found = []
    for level in range(levels):
        groups = Groups()
        together: dict[tuple[str, ...], set[Part]] = defaultdict(set)
        for part, names in plain.items():
            together[tuple(n for n in names if level_of[n] <= level)].add(part)
        together.pop((), None)
        for signature, parts in sorted(together.items()):
            number = groups.add(frozenset(parts), None, len(groups.groups))
            for name in signature:
                groups.of_definition[name].append((number, NO_VERSIONS))
        _add_versions(groups, alike, level, level_of, states)
        found.append(groups)
    return found


def _add_versions(
    groups: Groups,
    alike: Mapping[tuple[Delivery, tuple[tuple[str, tuple[str, ...]], ...]], Sequence[Family]],
    level: int,
    level_of: Mapping[str, int],
    states: Mapping[Delivery, Sequence[str]],
) -> None:
    """Add the groups of deliveries in several versions: those of all levels' statements."""
    first: dict[object, int] = {}
    for (delivery, named), families in alike.items():
        here = tuple((s, tuple(n for n in names if level_of[n] <= level)) for s, names in named)
        said = any(names for _, names in here)
        if not said and len(states[delivery]) <= FEW_VERSIONS:
            continue
        told = first.setdefault((delivery, here), len(groups.groups)) if said else None
        parts = frozenset(Part(*family, state) for family in families for state in states[delivery])
        number = groups.add(parts, delivery, told)
        for state, names in here:
            for name in names:
                groups.of_definition[name].append((number, state))


class Versions:
    """Which versions of a delivery have the same counts in an area.

    Parameters
    ----------
    states : mapping of (str, str) to sequence of str
        Of `states_of`.
    tokens : mapping of (source, period, state) to mapping of str to bytes
    places : callable
        Given the level and code of an area, those of `tokens` that make it up; none if unknown.
    """

    def __init__(
        self,
        states: Mapping[Delivery, Sequence[str]],
        tokens: Mapping[tuple[str, str, str], Mapping[str, bytes]],
        places: Callable[[int, str], Sequence[str]],
    ) -> None:
        self._states = states
        self._tokens = tokens
        self._places = places
        self._found: dict[tuple[int, str, Delivery], dict[str, str]] = {}

    def alike(self, level: int, area: str, delivery: Delivery | None) -> Mapping[str, str]:
        """Return, for each version, the newest that has the same counts in an area."""
        if delivery is None:
            return {NO_VERSIONS: NO_VERSIONS}
        found = self._found.get((level, area, delivery))
        if found is None:
            places = self._places(level, area)
            marks: dict[str, object] = {}
            for state in self._states[delivery]:
                tokens = self._tokens.get((*delivery, state))
                # Of what no token tells, every version may be another.
                marks[state] = tuple(map(tokens.get, places)) if tokens and places else state
            newest = {mark: state for state, mark in marks.items()}
            found = {state: newest[mark] for state, mark in marks.items()}
            self._found[level, area, delivery] = found
        return found
