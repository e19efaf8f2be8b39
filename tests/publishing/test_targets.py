"""What is attacked follows from what is published, now or earlier, never from the counts behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from governance.disclosure.known.joint import Claim, Derived, Part, Statements, joint_system
from governance.disclosure.profiles import profile
from publishing.protection.candidate import RowKey
from publishing.protection.targets import Figure, Finder

NESTING = {"E1": ("M1", "L1"), "E2": ("M1", "L1")}
NOW, THEN = (Part("s", "m", "all", "2026-01", state) for state in ("new", "old"))


def figure(area: str, exact: int, low: float, high: float) -> Figure:
    key = RowKey("T01", "2026-01-01", "2026-12-31", "lsoa21", area)
    return Figure(key, "numerator", exact, Claim("D", "lsoa21", area, low, high))


def exact_of(values: Mapping[str, int]):
    def exact(sums: Sequence[Derived]) -> dict[int, int | None]:
        return {d.number: values.get(d.area_code) for d in sums}

    return exact


def finder(figures: Sequence[Figure], earlier: Sequence[Claim] = ()) -> Finder:
    definitions = {"D": frozenset({NOW}), "OLD": frozenset({THEN})}
    said = Statements(definitions, [*earlier, *(f.claim for f in figures)])
    return Finder(joint_system(said, NESTING), said)


def attacked(some: Finder) -> set[tuple[str, str]]:
    return {(t.level, t.area) for t in some.found()}


def test_every_hidden_figure_is_attacked_whatever_its_count() -> None:
    some = finder([figure("E1", 0, 0, 4), figure("E2", 3, 0, 4)])
    some.add_figures([figure("E1", 0, 0, 4), figure("E2", 3, 0, 4)], lambda _: profile("hide0-r5"))

    assert attacked(some) == {("lsoa21", "E1"), ("lsoa21", "E2")}


def test_a_withheld_figure_is_attacked_even_if_it_is_large() -> None:
    figures = [figure("E1", 57, 0, float("inf"))]
    some = finder(figures)
    some.add_figures(figures, lambda _: profile("hide0-r5"))

    assert attacked(some) == {("lsoa21", "E1")}


def test_what_surely_is_large_is_not_attacked() -> None:
    figures = [figure("E1", 7, 5, 7)]
    some = finder(figures)
    some.add_figures(figures, lambda _: profile("hide0-r5"))

    assert attacked(some) == set()


def test_a_five_that_can_be_three_is_attacked() -> None:
    figures = [figure("E1", 7, 3, 7)]
    some = finder(figures)
    some.add_figures(figures, lambda _: profile("r5"))

    assert attacked(some) == {("lsoa21", "E1")}


def test_what_an_earlier_release_withheld_is_attacked_though_it_was_corrected_since() -> None:
    earlier = [Claim("OLD", "lsoa21", "E1", 0)]
    some = finder([figure("E1", 9, 8, 12)], earlier)
    some.add_earlier([[(earlier[0], profile("hide0-r5"))]], {NOW}, exact_of({}))

    (target,) = some.found()
    assert (target.area, target.truth) == ("E1", None)


def test_sums_nobody_publishes_are_attacked_in_every_version() -> None:
    earlier = [Claim("OLD", "msoa21", "M1", 8, 12)]
    some = finder([figure("E1", 9, 8, 12)], earlier)
    some.add_sums({NOW}, exact_of({"E2": 40, "M1": 49}), lambda _: profile("hide0-r5"))

    of_old = [t for t in some.found() if THEN in t.parts]
    assert of_old
    assert all(t.truth is None for t in of_old)
    assert {t.truth for t in some.found() if THEN not in t.parts} <= {40, 49, None}
    assert ("lsoa21", "E2") in attacked(some)
