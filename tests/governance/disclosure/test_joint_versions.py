"""Deliveries that came again: what stayed as it was is one count, what changed is another."""

from __future__ import annotations

import math

import pytest
from joint_worlds import make_world

from governance.disclosure.attacker.intervals import feasible_intervals
from governance.disclosure.known.joint import Claim, Part, Statements, joint_system

NESTING = {"L0": ("M0", "D0"), "L1": ("M0", "D0"), "L2": ("M1", "D0")}
PLACES = [*NESTING, "D0"]


def part(state: str, category: str = "a", period: str = "q1") -> Part:
    """The counts of a category in one version."""
    return Part("s", "m", category, period, state)


def world_of(**versions: list[int]):
    """A world of one category: its counts in L0, L1, L2 and placed nowhere, by version."""
    counts = {
        (place, part(state)): n
        for state, held in versions.items()
        for place, n in zip(PLACES, held, strict=True)
    }
    return make_world(NESTING, counts, {"C0": ["L0", "L2"]})


def attacked(world, definitions, claims, *asked: tuple[str, str, str]):
    """The bounds of sums: definition, type and code of the area."""
    wanted = [Claim(*place, 0) for place in asked]
    made = {name: frozenset(parts) for name, parts in definitions.items()}
    said = Statements(made, [*claims, *wanted], world.members, world.tokens)
    joint = joint_system(said, NESTING)
    targets = joint.numbers[len(claims) :]
    found = feasible_intervals(*vars(joint.system).values(), targets)
    return [*zip(found.lower, found.upper, strict=True)]


ONE_EACH = {"old": [part("v0")], "new": [part("v1")]}


def test_where_nothing_changed_both_versions_are_one_count() -> None:
    world = world_of(v0=[3, 9, 8, 0], v1=[3, 9, 9, 0])
    first = [Claim("old", "lsoa21", "L0", 0, 3), Claim("old", "lsoa21", "L2", 8, 8)]

    unchanged, changed = attacked(
        world, ONE_EACH, first, ("new", "lsoa21", "L0"), ("new", "lsoa21", "L2")
    )

    assert unchanged == (0, 3)
    assert changed == (0, math.inf)


def test_a_correction_of_one_neighbourhood_is_told_by_the_totals() -> None:
    """The district's total grew by 1 and nothing else changed: the 2 became 3."""
    world = world_of(v0=[2, 9, 8, 1], v1=[3, 9, 8, 1])
    claims = [
        Claim("old", "lsoa21", "L0", 2, 2), Claim("new", "lsoa21", "L0", 0, 4),
        Claim("old", "lad24", "D0", 20, 20), Claim("new", "lad24", "D0", 21, 21),
    ]  # fmt: skip
    assert attacked(world, ONE_EACH, claims, ("new", "lsoa21", "L0")) == [(3, 3)]


def test_without_tokens_nothing_is_known_of_a_correction() -> None:
    world = world_of(v0=[2, 9, 8, 1], v1=[3, 9, 8, 1])
    world.tokens.clear()
    claims = [
        Claim("old", "lsoa21", "L0", 2, 2), Claim("new", "lsoa21", "L0", 0, 4),
        Claim("old", "lad24", "D0", 20, 20), Claim("new", "lad24", "D0", 21, 21),
    ]  # fmt: skip
    assert attacked(world, ONE_EACH, claims, ("new", "lsoa21", "L0")) == [(0, 4)]


def test_a_correction_of_what_has_no_place_leaves_the_places() -> None:
    """All neighbourhoods are as they were, so the district grew by its unplaced records alone."""
    world = world_of(v0=[2, 9, 8, 1], v1=[2, 9, 8, 3])
    claims = [Claim("old", "lad24", "D0", 20, 20), Claim("new", "msoa21", "M0", 11, 11)]

    msoa, district = attacked(
        world, ONE_EACH, claims, ("old", "msoa21", "M0"), ("new", "lad24", "D0")
    )

    assert msoa == (11, 11)
    assert district == (11, math.inf)


def test_unplaced_records_that_did_not_change_are_one_count() -> None:
    """L2 went from 8 to 0 and M0 stayed; what is left of the new total had no place before."""
    world = world_of(v0=[2, 9, 8, 4], v1=[2, 9, 0, 4])
    claims = [
        Claim("new", "lad24", "D0", 15, 15), Claim("new", "lsoa21", "L2", 0, 0),
        Claim("old", "msoa21", "M0", 11, 11), Claim("old", "lsoa21", "L2", 0, 12),
    ]  # fmt: skip
    assert attacked(world, ONE_EACH, claims, ("old", "lad24", "D0")) == [(15, 27)]


@pytest.mark.parametrize("asked", ["v0", "v1"])
def test_of_three_versions_any_two_may_be_alike(asked: str) -> None:
    world = world_of(v0=[2, 9, 8, 1], v1=[2, 9, 8, 1], v2=[7, 1, 5, 0])
    definitions = {state: [part(state)] for state in ("v0", "v1", "v2")}
    other = "v1" if asked == "v0" else "v0"
    claims = [Claim(other, "lsoa21", "L0", 2, 2), Claim("v2", "lsoa21", "L0", 7, 7)]

    assert attacked(world, definitions, claims, (asked, "lsoa21", "L0")) == [(2, 2)]


def test_the_middle_of_three_versions_is_at_most_the_others_together() -> None:
    """Each neighbourhood with any count left one of the corrections as it was."""
    world = world_of(v0=[3, 2, 0, 0], v1=[3, 4, 0, 0], v2=[1, 4, 0, 0])
    definitions = {state: [part(state)] for state in ("v0", "v1", "v2")}
    claims = [Claim("v0", "msoa21", "M0", 5, 5), Claim("v2", "msoa21", "M0", 5, 5)]

    assert attacked(world, definitions, claims, ("v1", "msoa21", "M0")) == [(0, 10)]


def test_a_version_that_only_a_district_shows_holds_the_unchanged_neighbourhoods() -> None:
    world = world_of(v0=[2, 9, 8, 1], v1=[2, 9, 8, 5])
    claims = [Claim("old", "lsoa21", area, n, n) for area, n in (("L0", 2), ("L1", 9), ("L2", 8))]
    assert attacked(world, ONE_EACH, claims, ("new", "lad24", "D0")) == [(19, math.inf)]


def test_an_area_that_nothing_nests_in_says_nothing_of_versions() -> None:
    world = world_of(v0=[2, 9, 8, 1], v1=[2, 9, 8, 1])
    claims = [Claim("old", "msoa21", "M9", 3, 3)]
    assert attacked(world, ONE_EACH, claims, ("new", "msoa21", "M9")) == [(0, math.inf)]


def test_areas_taken_together_are_one_count_where_no_member_changed() -> None:
    world = world_of(v0=[2, 9, 8, 1], v1=[2, 10, 8, 1])
    claims = [Claim("old", "combined", "C0", 10, 10)]
    assert attacked(world, ONE_EACH, claims, ("new", "combined", "C0")) == [(10, 10)]


YEARS = {
    "old": [part("v0", period="q1"), part("v0", period="q2")],
    "new": [part("v0", period="q1"), part("v1", period="q2")],
    "next": [part("v1", period="q2"), part("v0", period="q3")],
}


class TestDefinitionsOfSeveralDeliveries:
    """A year of two quarters, of which the second was corrected."""

    def world(self, corrected: int):
        held = {
            part("v0", period="q1"): [2, 5, 6, 0], part("v0", period="q2"): [4, 5, 7, 0],
            part("v1", period="q2"): [corrected, 5, 7, 0], part("v0", period="q3"): [1, 6, 5, 0],
        }  # fmt: skip
        counts = {
            (place, p): n for p, ns in held.items() for place, n in zip(PLACES, ns, strict=True)
        }
        return make_world(NESTING, counts)

    def test_an_uncorrected_neighbourhood_keeps_its_year(self) -> None:
        claims = [Claim("old", "lsoa21", "L1", 8, 12)]
        found = attacked(self.world(3), YEARS, claims, ("new", "lsoa21", "L1"))
        assert found == [(8, 12)]

    def test_a_corrected_one_has_another(self) -> None:
        claims = [Claim("old", "lsoa21", "L0", 6, 6)]
        found = attacked(self.world(3), YEARS, claims, ("new", "lsoa21", "L0"))
        assert found == [(0, math.inf)]

    def test_the_totals_tell_by_how_much_it_was_corrected(self) -> None:
        claims = [
            Claim("old", "lad24", "D0", 29, 29), Claim("new", "lad24", "D0", 28, 28),
            Claim("old", "lsoa21", "L0", 6, 6),
        ]  # fmt: skip
        found = attacked(self.world(3), YEARS, claims, ("new", "lsoa21", "L0"))
        assert found == [(5, 5)]

    def test_the_next_year_holds_the_corrected_quarter(self) -> None:
        """Where the corrected quarter is known from the old year and its first quarter."""
        definitions = {**YEARS, "first": [part("v0", period="q1")]}
        claims = [
            Claim("old", "lsoa21", "L1", 10, 10), Claim("first", "lsoa21", "L1", 5, 5),
            Claim("next", "lsoa21", "L1", 11, 11),
        ]  # fmt: skip
        found = attacked(
            self.world(3), {**definitions, "third": [part("v0", period="q3")]}, claims,
            ("third", "lsoa21", "L1"),
        )  # fmt: skip
        assert found == [(6, 6)]


def test_a_category_that_came_with_the_correction_is_a_count_of_its_own() -> None:
    counts = {(p, part(s)): 6 for p in NESTING for s in ("v0", "v1")}
    counts |= {(p, part("v1", "late")): int(p == "L2") for p in NESTING}
    world = make_world(NESTING, counts)
    definitions = {"old": [part("v0")], "new": [part("v1"), part("v1", "late")]}
    claims = [Claim("old", "lsoa21", "L0", 6, 6), Claim("old", "lsoa21", "L2", 6, 6)]

    unchanged, changed = attacked(
        world, definitions, claims, ("new", "lsoa21", "L0"), ("new", "lsoa21", "L2")
    )

    assert unchanged == (6, math.inf)
    assert changed == (0, math.inf)


def test_a_sum_that_did_not_change_is_attacked_as_the_newest_version() -> None:
    world = world_of(v0=[2, 9, 8, 1], v1=[2, 9, 7, 1])
    made = {name: frozenset(parts) for name, parts in ONE_EACH.items()}
    claims = [Claim("old", "lsoa21", "L0", 0), Claim("new", "lsoa21", "L2", 0)]

    joint = joint_system(Statements(made, claims, {}, world.tokens), NESTING)

    told = {(d.area_code, *d.parts) for d in joint.derived if d.geography_type == "lsoa21"}
    assert ("L0", part("v1")) in told
    assert ("L0", part("v0")) not in told
    assert {("L2", part("v0")), ("L2", part("v1"))} <= told
