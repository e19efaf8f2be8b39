"""Known ways to work a small count back, each from figures that are harmless alone.

Every trap comes twice: as it is, where the count is found out, and with one statement less, where
it is not. The expected bounds are worked out by hand.
"""

from __future__ import annotations

import pytest
from joint_worlds import COMBINED

from governance.disclosure.attacker.intervals import feasible_intervals
from governance.disclosure.known.joint import Claim, Part, Statements, joint_system

NESTING = {"L0": ("M0", "D0"), "L1": ("M0", "D0"), "L2": ("M0", "D0"), "L3": ("M1", "D0")}
MEMBERS = {"L0+L1": ["L0", "L1"], "L1+L2": ["L1", "L2"], "L0+L2": ["L0", "L2"]}
HIDDEN = (0, 4)
"""What hide0-r5 says of a hidden count."""


def quarter(number: int, category: str = "H01") -> Part:
    """The counts of a quarter."""
    return Part("council", "cases", category, f"q{number}", "as delivered")


DEFINITIONS = {
    **{f"q{n}": [quarter(n)] for n in range(1, 6)},
    "first year": [quarter(n) for n in range(1, 5)],
    "second year": [quarter(n) for n in range(2, 6)],
    "all cases": [quarter(1, "H02"), quarter(1, "H03")],
    "H02": [quarter(1, "H02")],
    "H03": [quarter(1, "H03")],
    "stock": [Part("council", "open", "H01", "q4", "as delivered")],
    "stock, latest": [Part("council", "open", "H01", "q4", "as delivered")],
}

Said = tuple[str, str, str, int, int]


def bounds_after(said: list[Said], asked: tuple[str, str, str]) -> tuple[float, float]:
    """The bounds of one figure (definition, type, area) once all that is known."""
    claims = [Claim(*each) for each in said]
    made = {name: frozenset(parts) for name, parts in DEFINITIONS.items()}
    joint = joint_system(Statements(made, [*claims, Claim(*asked, 0)], MEMBERS), NESTING)
    found = feasible_intervals(*vars(joint.system).values(), joint.numbers[-1:])
    return found.lower[0], found.upper[0]


def at(area: str, *said: tuple[str, int, int]) -> list[Said]:
    """Statements about one neighbourhood, MSOA or district."""
    kind = {"L": "lsoa21", "M": "msoa21", "D": "lad24"}[area[0]]
    kind = COMBINED if "+" in area else kind
    return [(name, kind, area, low, high) for name, low, high in said]


TRAPS: dict[str, tuple[list[Said], tuple[str, str, str], tuple[int, int], tuple[int, int]]] = {
    "rolling years: the quarter that came in is the one that went out, and one more": (
        at("L0", ("q5", *HIDDEN), ("first year", 20, 20), ("second year", 21, 21), ("q1", 2, 2)),
        ("q5", "lsoa21", "L0"), (3, 3), (1, 4),
    ),
    "a later release shows what an earlier one needed to stay hidden": (
        [*at("L0", ("q1", *HIDDEN)), *at("L1", ("q1", 8, 12)), *at("M0", ("q1", 18, 22)),
         *at("L2", ("q1", 8, 12)), *at("L1", ("q1", 9, 9)), *at("M0", ("q1", 20, 20)),
         *at("L2", ("q1", 8, 8))],
        ("q1", "lsoa21", "L0"), (3, 3), (0, 3),
    ),
    "areas taken together that overlap": (
        [*at("L0+L1", ("q1", 5, 5)), *at("L1+L2", ("q1", 7, 7)), *at("L0+L2", ("q1", 6, 6))],
        ("q1", "lsoa21", "L0"), (2, 2), (0, 5),
    ),
    "a whole less one of its two reasons": (
        at("L0", ("H03", *HIDDEN), ("all cases", 9, 9), ("H02", 8, 12)),
        ("H03", "lsoa21", "L0"), (0, 1), HIDDEN,
    ),
    "a stock in the window of a quarter and in the latest": (
        at("L0", ("stock", *HIDDEN), ("stock, latest", 3, 7)),
        ("stock", "lsoa21", "L0"), (3, 4), HIDDEN,
    ),
    "a district less one of its two MSOAs": (
        [*at("M0", ("q1", 10, 10)), *at("L3", ("q1", *HIDDEN)), *at("D0", ("q1", 12, 12))],
        ("q1", "msoa21", "M1"), (0, 2), HIDDEN,
    ),
    "two figures rounded apart, and a total that leaves no room": (
        [*at("L0", ("q1", 5, 7)), *at("L1", ("q1", *HIDDEN)), *at("L2", ("q1", *HIDDEN)),
         *at("M0", ("q1", 15, 15))],
        ("q1", "lsoa21", "L1"), (4, 4), HIDDEN,
    ),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_seen(trap: str) -> None:
    said, asked, caught, _ = TRAPS[trap]
    assert bounds_after(said, asked) == caught


@pytest.mark.parametrize("trap", TRAPS)
def test_without_its_last_statement_it_is_none(trap: str) -> None:
    said, asked, _, free = TRAPS[trap]
    assert bounds_after(said[:-1], asked) == free


def test_a_rolling_total_says_nothing_of_a_neighbourhood_it_does_not_name() -> None:
    said = at("L0", ("first year", 20, 20), ("second year", 21, 21), ("q1", 2, 2))
    assert bounds_after([*said, *at("L1", ("q5", *HIDDEN))], ("q5", "lsoa21", "L1")) == HIDDEN


def test_districts_that_split_a_year_say_no_more_of_a_neighbourhoods_year() -> None:
    said = [*at("L0", ("first year", 8, 12)), *at("D0", ("q1", 2, 2), ("first year", 9, 9))]
    assert bounds_after(said, ("first year", "lsoa21", "L0")) == (8, 9)


def test_what_one_figure_counts_beyond_another_is_attacked_though_a_third_splits_it() -> None:
    # A counts a, b and c; B counts a; C counts b. A less B is b and c together: three people.
    a, b, c = (Part("s", "m", name, "2026-01", "v1") for name in "abc")
    definitions = {"A": frozenset({a, b, c}), "B": frozenset({a}), "C": frozenset({b})}
    claims = [
        Claim("A", "lsoa21", "E1", 10, 10),
        Claim("B", "lsoa21", "E1", 7, 7),
        Claim("C", "lsoa21", "E1", 0, 4),
    ]
    joint = joint_system(Statements(definitions, claims), {"E1": ("M1", "L1")})

    (rest,) = [d for d in joint.derived if d.parts == {b, c} and d.geography_type == "lsoa21"]
    system = joint.system
    found = feasible_intervals(system.lower, system.upper, system.A, system.b, [rest.number])

    assert (found.lower[0], found.upper[0]) == (3, 3)


def test_records_in_no_neighbourhood_are_attacked() -> None:
    part = Part("s", "m", "all", "2026-01", "v1")
    definitions = {"D": frozenset({part}), "M": frozenset({part})}
    claims = [Claim("D", "lad24", "L1", 12, 12), Claim("M", "msoa21", "M1", 10, 10)]
    joint = joint_system(Statements(definitions, claims), {"E1": ("M1", "L1")})

    (homeless,) = [d for d in joint.derived if d.geography_type == "unplaced"]
    system = joint.system
    found = feasible_intervals(system.lower, system.upper, system.A, system.b, [homeless.number])

    assert homeless.area_code == "L1"
    assert (found.lower[0], found.upper[0]) == (2, 2)
