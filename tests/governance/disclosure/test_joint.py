"""The system that is kept small says exactly what one with every cell says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joint_worlds import (
    COMBINED,
    Explicit,
    compact_intervals,
    make_world,
    random_statements,
    random_world,
)

from declarations.errors import DisclosureError
from governance.disclosure.attacker.intervals import feasible_intervals
from governance.disclosure.known.joint import NOWHERE, Claim, Part, Statements, joint_system

SEEDS = st.integers(0, 2**32 - 1)
A, B = (Part("s", "m", name, "q1", "v0") for name in "ab")
NESTING = {
    "L0": ("M0", "D0"), "L1": ("M0", "D0"), "L2": ("M1", "D0"), "L3": ("M2", "D1"),
}  # fmt: skip


def both(seed: int, versions: int, *, derived: bool = False):
    """A world, sums of it, and their bounds in the small system and in the explicit one."""
    rng = np.random.default_rng(seed)
    world = random_world(rng, versions=versions)
    said = random_statements(rng, world, int(rng.integers(2, 12)))
    sums, small = compact_intervals(world, said, derived=derived)
    return world, sums, small, Explicit(world, said).intervals(sums)


def numbers_of(*claims: Claim, nesting=NESTING, **definitions):
    """The system of some claims and the number of each."""
    made = {name: frozenset(parts) for name, parts in definitions.items()}
    return joint_system(Statements(made, claims, {"C0": ["L0", "L1"]}), nesting)


@settings(max_examples=120, deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_every_claim_has_the_bounds_it_has_cell_by_cell(seed: int, versions: int) -> None:
    _, _, small, explicit = both(seed, versions)
    assert small == explicit


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_so_has_every_sum_that_nobody_bounds(seed: int, versions: int) -> None:
    _, _, small, explicit = both(seed, versions, derived=True)
    assert small == explicit


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(1, 4), st.booleans())
def test_the_truth_is_always_inside(seed: int, versions: int, derived: bool) -> None:
    world, sums, small, _ = both(seed, versions, derived=derived)
    for asked, (low, high) in zip(sums, small, strict=True):
        assert low <= world.truth(*asked) <= high


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(1, 3))
def test_a_further_claim_never_widens(seed: int, versions: int) -> None:
    rng = np.random.default_rng(seed)
    world = random_world(rng, versions=versions)
    said = random_statements(rng, world, 8)
    fewer = Statements(said.definitions, said.claims[:5], said.members, said.tokens)

    _, wide = compact_intervals(world, fewer)
    _, narrow = compact_intervals(world, said)

    for (low, high), (lower, upper) in zip(narrow, wide, strict=False):
        assert low >= lower
        assert high <= upper


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_it_agrees_with_all_tables_there_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    nesting = {"L0": ("M0", "D0"), "L1": (str(rng.choice(["M0", "M1"])), "D0")}
    states = ["v0", "v1"] if rng.random() < 0.5 else ["v0"]
    names = "a" if len(states) > 1 else "ab"
    parts = [Part("s", "m", name, "q1", state) for state in states for name in names]
    counts = {(p, part): int(rng.integers(0, 2)) for part in parts for p in ("L0", "L1", "D0")}
    for part in parts[1:]:
        if part.state == "v1" and rng.random() < 0.7:
            counts["L0", part] = counts["L0", parts[0]]
    world = make_world(nesting, counts, {"C0": ["L0", "L1"], "C1": ["L1", "L0"]})
    said = random_statements(rng, world, 4)
    totals = {state: frozenset(p for p in parts if p.state == state) for state in states}
    most = [
        Claim(name, "lad24", "D0", 0, world.truth(total, "lad24", "D0") + 1)
        for name, total in totals.items()
    ]
    said = Statements(
        {**said.definitions, **totals}, [*said.claims, *most], said.members, said.tokens
    )

    sums, small = compact_intervals(world, said)

    assert small == Explicit(world, said).enumerated(sums)


def test_what_only_districts_tell_apart_has_no_unknown_in_a_neighbourhood() -> None:
    joint = numbers_of(
        Claim("all", "lsoa21", "L0", 0, 4),
        Claim("first", "lad24", "D0", 8, 12),
        all=[A, B], first=[A],
    )  # fmt: skip
    told = {(d.geography_type, d.parts) for d in joint.derived}
    assert ("lsoa21", frozenset([A, B])) in told
    assert ("lad24", frozenset([B])) in told
    assert not any(level == "lsoa21" and len(parts) == 1 for level, parts in told)


def test_a_sum_of_nothing_has_no_number() -> None:
    joint = numbers_of(Claim("none", "lsoa21", "L0", 0, 4), none=[])
    assert joint.numbers == [NOWHERE]
    assert joint.derived == []


def test_two_claims_about_one_count_are_one_unknown() -> None:
    joint = numbers_of(
        Claim("one", "lsoa21", "L0", 0, 4), Claim("same", "lsoa21", "L0", 3, 7), one=[A], same=[A]
    )
    assert joint.numbers[0] == joint.numbers[1]
    found = feasible_intervals(*vars(joint.system).values(), joint.numbers[:1])
    assert (found.lower[0], found.upper[0]) == (3, 4)


def test_claims_that_contradict_each_other_stop() -> None:
    with pytest.raises(DisclosureError, match="contradict"):
        numbers_of(Claim("x", "lsoa21", "L0", 0, 4), Claim("x", "lsoa21", "L0", 5, 7), x=[A])


def test_a_member_named_twice_counts_once() -> None:
    said = Statements(
        {"x": frozenset([A])},
        [Claim("x", COMBINED, "C0", 6, 6), Claim("x", "lsoa21", "L0", 2, 2)],
        {"C0": ["L0", "L1", "L0"]},
    )
    joint = joint_system(said, NESTING)
    (number,) = [d.number for d in joint.derived if d[:2] == ("lsoa21", "L1")]
    found = feasible_intervals(*vars(joint.system).values(), [number])
    assert (found.lower[0], found.upper[0]) == (4, 4)


def test_what_is_withheld_is_attacked_like_what_nobody_published() -> None:
    withheld, bounded = Claim("both", "lsoa21", "L0", 0), Claim("both", "lsoa21", "L1", 0, 4)
    joint = numbers_of(withheld, bounded, Claim("one", "lsoa21", "L2", 0, 4), both=[A, B], one=[A])

    told = {d.number: d for d in joint.derived}

    assert told[joint.numbers[0]][:3] == ("lsoa21", "L0", frozenset([A, B]))
    assert joint.numbers[1] not in told
    assert joint.numbers[2] not in told
