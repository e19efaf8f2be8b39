"""Local Moran's I, Gi* and the classes: against plain formulas, and on maps with known answers."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

from declarations.errors import LsoalinkError
from indicators.place.links import Links, links_between
from indicators.place.local import (
    CLASSES,
    COLD,
    HIGH_HIGH,
    HIGH_LOW,
    HOT,
    LOW_HIGH,
    LOW_LOW,
    NOT_SIGNIFICANT,
    hotspots,
    standardised_rates,
)
from indicators.place.permutations import discoveries

# A map of 80 squares: where a figure is 1 (#) and where it is 0 (.).
FIGURES = """
    # # # # # . . . . .
    # # # # # . . . . .
    # # . # # . . . . .
    # # # # # . . # . .
    # # # # # . . . . .
    # # # # # . . . . .
    # # # # # . . . . .
    # # # # # . . . . .
"""
# The class each square has (local Moran): H high among high, h low among high, L low among low, l
# high among low, - not significant. The corners and sides have too few neighbours to tell them from
# chance. The test works the classes out from the hypergeometric distribution, without any draw.
EXPECTED = """
    - - - - - - - - - -
    - - - - - - L L L -
    - - h - - - - - - -
    - - - - - - - l - -
    - H H H - - - - - -
    - H H H - - L L L -
    - H H H - - L L L -
    - - - - - - - - - -
"""
NAMES = {"H": HIGH_HIGH, "h": LOW_HIGH, "L": LOW_LOW, "l": HIGH_LOW, "-": NOT_SIGNIFICANT}


def cells(picture: str) -> list[list[str]]:
    return [line.split() for line in picture.split("\n") if line.strip()]


def lattice(rows: int, columns: int) -> Links:
    """Return squares, each beside those it meets at a border or a corner, in reading order."""
    codes = {(r, c): f"E{r:02d}{c:02d}" for r in range(rows) for c in range(columns)}
    steps = [s for s in itertools.product((-1, 0, 1), repeat=2) if s != (0, 0)]
    pairs = [
        (code, codes[r + dr, c + dc])
        for (r, c), code in codes.items()
        for dr, dc in steps
        if (r + dr, c + dc) in codes
    ]
    return links_between(codes.values(), pairs)


def weights(links: Links) -> np.ndarray:
    found = np.zeros((len(links.codes), len(links.codes)))
    found[links.first, links.second] = 1
    return found


def exact_p(values: np.ndarray, w: np.ndarray, area: int) -> tuple[float, int]:
    """Two-sided p of so many ones among the neighbours, and whether they are many or few.

    Drawing k of the other n - 1 areas, of which so many are 1, is the hypergeometric distribution.
    """
    from scipy.stats import hypergeom

    ones = int((w[area] * values).sum())
    chance = hypergeom(len(values) - 1, int(values.sum() - values[area]), int(w[area].sum()))
    above, below = chance.sf(ones - 1), chance.cdf(ones)
    return min(1.0, 2 * min(above, below)), 1 if above <= below else -1


def exact_classes(values: np.ndarray, w: np.ndarray) -> list[str]:
    """Classes of local Moran of a map of zeros and ones, without any draw."""
    from scipy.stats import false_discovery_control

    tests = [exact_p(values, w, area) for area in range(len(values))]
    stands = false_discovery_control([p for p, _ in tests], method="bh") <= 0.05
    letters = {(True, 1): "H", (False, 1): "h", (True, -1): "l", (False, -1): "L"}
    return [
        letters[bool(v), side] if s else "-"
        for v, (_, side), s in zip(values, tests, stands, strict=True)
    ]


def test_the_map_of_classes() -> None:
    values = np.array([c == "#" for row in cells(FIGURES) for c in row], dtype=float)
    expected = [c for row in cells(EXPECTED) for c in row]
    links = lattice(8, 10)
    assert exact_classes(values, weights(links)) == expected

    found = hotspots(links, values=values)

    assert found.moran_class.tolist() == [NAMES[c] for c in expected]


def test_local_moran_is_the_plain_formula() -> None:
    rng = np.random.default_rng(2)
    links = lattice(6, 7)
    values = rng.gamma(2.0, 3.0, 42)

    found = hotspots(links, values=values, permutations=99)

    z = values - values.mean()
    for area in range(42):
        neighbours = links.second[links.first == area]
        lag = sum(z[j] for j in neighbours) / len(neighbours)
        # With n - 1 where Anselin (1995) has n, as esda and GeoDa have it.
        assert found.moran[area] == pytest.approx(z[area] * lag / ((z**2).sum() / 41))


@pytest.mark.parametrize("shift", [0.0, -50.0, 1000.0])
def test_gi_star_is_the_formula_of_ord_and_getis(shift: float) -> None:
    rng = np.random.default_rng(4)
    links = lattice(6, 6)
    values = rng.normal(0, 2, 36) + shift

    found = hotspots(links, values=values, permutations=99)

    # Ord and Getis (1995), equation 15, binary weights with the area itself.
    w = weights(links) + np.eye(36)
    mean, spread = values.mean(), values.std()
    number = w.sum(axis=1)
    expected = (w @ values - number * mean) / (
        spread * np.sqrt((36 * (w**2).sum(axis=1) - number**2) / 35)
    )
    np.testing.assert_allclose(found.gi_star, expected, rtol=1e-9)


def test_rates_are_standardised_as_assuncao_and_reis_have_it() -> None:
    # Four areas, worked out by hand. x = 2, 6, 10, 2 of n = 100, 200, 200, 100: b = 20/600 = 1/30.
    # Rates 0.02, 0.03, 0.05, 0.02, so s2 = (100 x (0.02 - b)^2 x 2 + 200 x (0.03 - b)^2
    # + 200 x (0.05 - b)^2) / 600 = (0.0355556 + 0.0022222 + 0.0555556) / 600 = 0.000155556;
    # a = s2 - b / 150 = -0.0000666667. For n = 100: a + b/100 = 0.000266667, root 0.0163299;
    # for n = 200: 0.0001, root 0.01.
    found = standardised_rates(np.array([2.0, 6.0, 10.0, 2.0]), np.array([100.0, 200, 200, 100]))

    np.testing.assert_allclose(
        found, [-0.0133333 / 0.0163299, -0.0033333 / 0.01, 0.0166667 / 0.01,
                -0.0133333 / 0.0163299], rtol=1e-4,
    )  # fmt: skip


def test_moran_of_rates_is_that_of_the_standardised_rates() -> None:
    rng = np.random.default_rng(8)
    links = lattice(6, 6)
    people = rng.integers(300, 3000, 36).astype(float)
    events = rng.poisson(people * 0.02).astype(float)

    found = hotspots(links, events=events, people=people, permutations=999)
    same = hotspots(links, values=standardised_rates(events, people), permutations=999)

    np.testing.assert_allclose(found.moran, same.moran)
    np.testing.assert_allclose(found.gi_star, same.gi_star)
    np.testing.assert_array_equal(found.p, same.p)


def test_a_cluster_of_high_rates_is_found_and_one_of_few_people_is_not() -> None:
    rng = np.random.default_rng(6)
    links = lattice(16, 16)
    people = np.full((16, 16), 1500.0)
    rate = np.full((16, 16), 0.02)
    rate[2:6, 2:6] = 0.04
    # Another corner has the same high rates by chance, in areas of 60 people: one or two events.
    people[11:14, 11:14] = 60.0
    events = rng.poisson(people * rate).astype(float)
    events[11:14, 11:14] = 2.0

    found = hotspots(links, events=events.ravel(), people=people.ravel())

    moran, gi = (c.reshape(16, 16) for c in (found.moran_class, found.gi_class))
    assert (moran[3:5, 3:5] == HIGH_HIGH).all()
    assert (gi[3:5, 3:5] == HOT).all()
    assert HIGH_HIGH not in moran[10:15, 10:15]


def test_pure_noise_shows_a_class_in_about_one_map_of_twenty() -> None:
    links = lattice(12, 12)
    rng = np.random.default_rng(20261116)

    shown = sum(
        set(hotspots(links, values=rng.normal(size=144), permutations=9_999).gi_class)
        != {NOT_SIGNIFICANT}
        for _ in range(60)
    )

    # 3 of 60 are expected at 5 %; more than 7 come by chance once in a hundred times.
    assert shown <= 7


def test_high_figures_beside_a_low_one() -> None:
    values = np.zeros((8, 8))
    values[:4, :4] = 5.0
    values[1, 1] = -5.0

    found = hotspots(lattice(8, 8), values=values.ravel())

    assert found.moran_class.reshape(8, 8)[1, 1] == LOW_HIGH
    # Gi* counts the area itself, but eight high neighbours outweigh it.
    assert found.gi_class.reshape(8, 8)[1, 1] == HOT


def test_an_area_that_is_not_tested_serves_as_a_neighbour() -> None:
    rng = np.random.default_rng(10)
    links = lattice(7, 7)
    values = rng.normal(size=49)
    values[:14] += 4
    inside = np.arange(49) >= 7

    found = hotspots(links, values=values, tested=inside, permutations=999)
    everywhere = hotspots(links, values=values, permutations=999)

    assert set(found.moran_class[:7]) == {None}
    assert np.isnan(found.p[:7]).all()
    np.testing.assert_array_equal(found.p[7:], everywhere.p[7:])
    np.testing.assert_array_equal(found.moran[7:], everywhere.moran[7:])
    # Among the tested alone, fewer tests share the false discoveries.
    stands = discoveries(found.p)
    np.testing.assert_array_equal(found.moran_class[7:] != NOT_SIGNIFICANT, stands[7:])


def test_an_area_whose_neighbours_are_all_gone_has_no_class() -> None:
    links = lattice(6, 6)
    pairs = zip(links.codes[links.first], links.codes[links.second], strict=True)
    alone = links_between([*links.codes, "Z"], pairs)

    found = hotspots(alone, values=np.arange(37.0), permutations=99)

    assert found.moran_class[36] is None
    assert found.gi_class[36] is None
    assert np.isnan([found.p[36], found.moran[36], found.gi_star[36]]).all()
    assert None not in found.moran_class[:36]


@pytest.mark.parametrize(
    ("size", "values"),
    [((5, 5), np.arange(25.0)), ((6, 6), np.full(36, 3.0)), ((0, 0), np.array([]))],
    ids=["too few areas", "equal figures", "none"],
)
def test_where_nothing_can_be_said_nothing_is(size: tuple[int, int], values: np.ndarray) -> None:
    found = hotspots(lattice(*size), values=values)

    assert set(found.moran_class) | set(found.gi_class) <= {None}
    assert np.isnan(found.p).all()


def test_no_events_at_all_are_no_figures() -> None:
    found = hotspots(lattice(6, 6), events=np.zeros(36), people=np.full(36, 100.0))

    assert set(found.moran_class) == {None}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"values": np.ones(36), "events": np.ones(36)},
        {"events": np.ones(36)},
        {"values": np.ones(35)},
        {"values": np.array([np.nan, *np.ones(35)])},
        {"events": np.ones(36), "people": np.array([0.0, *np.ones(35)])},
        {"events": np.array([-1.0, *np.ones(35)]), "people": np.ones(36)},
        {"values": np.arange(36.0), "tested": np.ones(3, dtype=bool)},
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, np.ndarray]) -> None:
    with pytest.raises(LsoalinkError):
        hotspots(lattice(6, 6), **given)


def test_the_warnings_of_the_process_stay_as_they_were() -> None:
    before = list(warnings.filters)

    hotspots(lattice(6, 6), values=np.arange(36.0), permutations=99)

    assert warnings.filters == before


def test_every_class_is_one_of_those_listed() -> None:
    assert set(CLASSES["gi_star"]) == {HOT, COLD, NOT_SIGNIFICANT}
    assert set(CLASSES["local_moran"]) == {*NAMES.values()}
