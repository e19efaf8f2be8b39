"""Tiny made-up worlds of counts, and all that is said of them written out cell by cell.

Belongs here: random worlds with random statements about them, and the explicit system of one
unknown for each neighbourhood and part, made without ``joint.py``. Does not belong here: any
expectation of a test.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from governance.disclosure.attacker.intervals import feasible_intervals
from governance.disclosure.attacker.system import SystemBuilder
from governance.disclosure.known.joint import (
    LEVELS,
    NOWHERE,
    UNPLACED_LEVEL,
    Claim,
    Part,
    Statements,
    joint_system,
)

COMBINED = "combined"


@dataclass(frozen=True)
class World:
    """True counts by place and part; a place is a neighbourhood, or a district for the unplaced.

    ``tokens`` are equal exactly where all counts of a delivery are.
    """

    nesting: dict[str, tuple[str, str]]
    counts: dict[tuple[str, Part], int]
    tokens: dict[tuple[str, str, str], dict[str, bytes]]
    members: dict[str, list[str]]

    def places(self, claim_type: str, area: str) -> list[str]:
        """Return the places whose counts make up an area."""
        if claim_type == "lsoa21":
            return [area]
        if claim_type == UNPLACED_LEVEL:
            return [area]
        if claim_type == COMBINED:
            return self.members[area]
        position = LEVELS.index(claim_type) - 1
        found = [lsoa for lsoa, nest in self.nesting.items() if nest[position] == area]
        return [*found, area] if claim_type == "lad24" else found

    def areas(self, claim_type: str) -> list[str]:
        """Return the areas of a type."""
        if claim_type == "lsoa21":
            return sorted(self.nesting)
        if claim_type == COMBINED:
            return sorted(self.members)
        return sorted({nest[LEVELS.index(claim_type) - 1] for nest in self.nesting.values()})

    def truth(self, parts: Iterable[Part], claim_type: str, area: str) -> int:
        """Return a true sum."""
        places = self.places(claim_type, area)
        return sum(self.counts.get((place, part), 0) for part in parts for place in places)


def mark(counts: dict[tuple[str, Part], int], place: str, delivery: tuple[str, str, str]) -> bytes:
    """Return what stands for a token: equal where all counts of the delivery are."""
    rows = [
        (part[:4], n)
        for (where, part), n in counts.items()
        if n and where == place and (part.source_id, part.period, part.state) == delivery
    ]
    return repr(sorted(rows)).encode()


def make_world(
    nesting: dict[str, tuple[str, str]],
    counts: dict[tuple[str, Part], int],
    members: dict[str, list[str]] | None = None,
) -> World:
    """Return a world with the tokens of its counts."""
    places = [*nesting, *{lad for _, lad in nesting.values()}]
    deliveries = {(p.source_id, p.period, p.state) for _, p in counts}
    tokens = {d: {place: mark(counts, place, d) for place in places} for d in deliveries}
    return World(nesting, counts, tokens, members or {})


def random_nesting(rng: np.random.Generator, most: int) -> dict[str, tuple[str, str]]:
    """Return one or two districts of up to three MSOAs and two to `most` neighbourhoods."""
    lsoas = int(rng.integers(2, most + 1))
    msoas = int(rng.integers(1, min(3, lsoas) + 1))
    lads = int(rng.integers(1, min(2, msoas) + 1))
    lad_of = [m if m < lads else int(rng.integers(lads)) for m in range(msoas)]
    msoa_of = [n if n < msoas else int(rng.integers(msoas)) for n in range(lsoas)]
    return {f"L{n}": (f"M{m}", f"D{lad_of[m]}") for n, m in enumerate(msoa_of)}


def random_world(rng: np.random.Generator, *, versions: int, most: int = 4) -> World:
    """Return a world of two to four kinds of counts in up to `versions` versions."""
    nesting = random_nesting(rng, most)
    places = [*nesting, *sorted({lad for _, lad in nesting.values()})]
    counts: dict[tuple[str, Part], int] = {}
    for number in range(int(rng.integers(1, 4 if versions == 1 else 3))):
        # Two deliveries may be two periods of one source.
        source, period = f"s{number // 2}", f"q{number % 2}"
        categories = ["a", "b"][: int(rng.integers(1, 3))]
        held = {p: rng.integers(0, 4, len(categories)) for p in places}
        for state in range(int(rng.integers(1, versions + 1))):
            if state:
                for place in places:
                    if rng.random() < 0.4:
                        held[place] = rng.integers(0, 4, len(categories))
            for place, category in itertools.product(places, range(len(categories))):
                part = Part(source, "m", categories[category], period, f"v{state}")
                counts[place, part] = int(held[place][category])
    members = {
        f"C{n}": [str(a) for a in rng.choice(sorted(nesting), 2, replace=False)] for n in range(2)
    }
    return make_world(nesting, counts, members)


def random_statements(rng: np.random.Generator, world: World, claims: int) -> Statements:
    """Return statements about a world that are all true."""
    parts = sorted({part for _, part in world.counts})
    definitions: dict[str, frozenset[Part]] = {}
    types: dict[str, str] = {}
    for number in range(int(rng.integers(2, 6))):
        # Every definition takes each delivery in one version.
        states = {d: rng.permutation(sorted({p.state for p in parts if p[0::3] == d}))
                  for d in sorted({p[0::3] for p in parts})}  # fmt: skip
        chosen = [p for p in parts if p.state == states[p[0::3]][0] and rng.random() < 0.6]
        if definitions and rng.random() < 0.4:
            chosen = [*definitions[str(rng.choice(sorted(definitions)))]]
        if chosen:
            definitions[f"d{number}"] = frozenset(chosen)
            types[f"d{number}"] = str(rng.choice([*LEVELS, COMBINED], p=[0.4, 0.2, 0.25, 0.15]))
    said = []
    for _ in range(claims if definitions else 0):
        name = str(rng.choice(sorted(definitions)))
        area = str(rng.choice(world.areas(types[name])))
        truth = world.truth(definitions[name], types[name], area)
        wide = (0, 1, 4)[int(rng.integers(3))]
        low = max(0, truth - int(rng.integers(0, wide + 1)))
        high = np.inf if rng.random() < 0.2 else truth + int(rng.integers(0, wide + 1))
        said.append(Claim(name, types[name], area, low, high))
    return Statements(definitions, said, world.members, world.tokens)


def compact_intervals(world: World, statements: Statements, *, derived: bool = False):
    """Return sums (parts, type, area) and their bounds, of the system under test."""
    joint = joint_system(statements, world.nesting)
    sums = [
        (statements.definitions[c.definition_id], c.geography_type, c.area_code, number)
        for c, number in zip(statements.claims, joint.numbers, strict=True)
        if number != NOWHERE
    ]
    if derived:
        sums = [(d.parts, d.geography_type, d.area_code, d.number) for d in joint.derived]
    system = joint.system
    found = feasible_intervals(
        system.lower, system.upper, system.A, system.b, [number for *_, number in sums]
    )
    return [s[:3] for s in sums], [*zip(found.lower, found.upper, strict=True)]


class Explicit:
    """One unknown for each place and part; equal versions are one."""

    def __init__(self, world: World, statements: Statements) -> None:
        self._world = world
        self.builder = SystemBuilder()
        for claim in statements.claims:
            parts = statements.definitions[claim.definition_id]
            self.sum(parts, claim.geography_type, claim.area_code, claim.lower, claim.upper)

    def cell(self, place: str, part: Part) -> int:
        """Return the number of a cell: that of the first version with the same token."""
        tokens = self._world.tokens
        mine = tokens[part.source_id, part.period, part.state].get(place)
        same = [
            state
            for source, period, state in sorted(tokens)
            if (source, period) == (part.source_id, part.period)
            and tokens[source, period, state].get(place) == mine
        ]
        return self.builder.count((place, part._replace(state=same[0])))

    def sum(self, parts, claim_type: str, area: str, lower: float = 0, upper: float = np.inf):
        """Return the number of a sum that lies between two numbers."""
        number = self.builder.count(("sum", len(self.builder)), lower, upper)
        places = self._world.places(claim_type, area)
        self.builder.add_up(number, [self.cell(p, part) for p in places for part in parts])
        return number

    def intervals(self, sums) -> list[tuple[float, float]]:
        """Return the bounds of sums (parts, type, area)."""
        targets = [self.sum(*s) for s in sums]
        system = self.builder.build()
        found = feasible_intervals(system.lower, system.upper, system.A, system.b, targets)
        return [*zip(found.lower, found.upper, strict=True)]

    def enumerated(self, sums) -> list[tuple[int, int]]:
        """Return the bounds of sums (parts, type, area) over all tables there are.

        For systems whose cells all have a part in some bounded sum.
        """
        targets = [self.sum(*s) for s in sums]
        system = self.builder.build()
        cells = [n for key, n in self.builder.index.items() if isinstance(key[1], Part)]
        rows = system.A.toarray()
        most = [
            min(int(system.upper[np.flatnonzero(row == 1)[0]]) for row in rows if row[cell] == -1.0
                and np.isfinite(system.upper[np.flatnonzero(row == 1)[0]]))
            for cell in cells
        ]  # fmt: skip
        grid = np.indices([m + 1 for m in most]).reshape(len(cells), -1)
        values = np.zeros((len(system.lower), grid.shape[1]), dtype=np.int64)
        values[cells] = grid
        for row in rows:
            (whole,) = np.flatnonzero(row == 1)
            values[whole] = -(row[cells] @ grid)
        fits = ((system.lower <= values.T) & (system.upper >= values.T)).all(axis=1)
        possible = values[:, fits]
        return [(int(possible[t].min()), int(possible[t].max())) for t in targets]
