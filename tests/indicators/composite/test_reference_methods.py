"""Published methods against the same sums written out by hand."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

import indicators.library
from declarations.errors import ConfigurationError
from declarations.indicators import Indicator
from declarations.loader import read_declaration
from indicators.composite import compose, recipe_of
from indicators.composite.reference import reference_method, reference_methods

# Written from the update notes of each version, apart from the method files: name, weight, and
# whether a low value is the risk.
BROADBAND = [("below_10_mbit", 3, False), ("unable_30_mbit", 3, False), ("download_speed", 3, True)]
DEPRIVATION = [
    ("no_qualifications", 4, False), ("pension_credit", 2, False),
    ("alternative_claimants", 2, False), ("imd_score", 2, False),
]  # fmt: skip
AGE = [("aged_65_plus", 5, False), ("aged_75_plus", 5, False)]
DERI = {
    "deri_v1_2": [AGE, BROADBAND, DEPRIVATION],
    "deri_v1_6": [
        [*AGE, ("activities_limited", 2, False), ("social_grade_de", 2, False)],
        BROADBAND,
        DEPRIVATION,
    ],
}


def deri_by_hand(components, rows):
    """The index as a spreadsheet would make it, one cell after another."""
    scores = []
    for row in rows:
        parts = []
        for component in components:
            total, weights = 0.0, 0
            for name, weight, inverted in component:
                column = [r[name] for r in rows]
                low, high = min(column), max(column)
                score = 10 * (row[name] - low) / (high - low)
                total += weight * (10 - score if inverted else score)
                weights += weight
            parts.append(total / weights)
        scores.append((3 * parts[0] + 3 * parts[1] + 3 * parts[2]) / 9)
    return scores


@pytest.mark.parametrize("version", sorted(DERI))
@pytest.mark.parametrize("seed", range(5))
def test_the_digital_exclusion_risk_index_on_any_inputs(version, seed):
    dice = random.Random(seed)
    names = [name for component in DERI[version] for name, _, _ in component]
    rows = [{name: dice.uniform(-50, 500) for name in names} for _ in range(dice.randint(2, 60))]
    found = compose(
        reference_method(version).recipe, {name: [r[name] for r in rows] for name in names}
    )
    assert found.scores.tolist() == pytest.approx(deri_by_hand(DERI[version], rows), abs=1e-9)


def test_two_areas_of_the_digital_exclusion_risk_index():
    # The second area has the worse end of everything but the download speed.
    values = {name: [1.0, 2.0] for component in DERI["deri_v1_2"] for name, _, _ in component}
    found = compose(reference_method("deri_v1_2").recipe, values)
    # First: all 0 but the speed, 10 x 3/9 of broadband, a third of the index.
    assert found.scores.tolist() == pytest.approx([10 / 9, 10 - 10 / 9])


def test_the_deprivation_index_of_three_areas_by_hand():
    """Weights in per cent add up to 99.9 and are divided by 100."""
    worst, middle, best = ([rank] * 7 for rank in (1, 2, 3))
    names = reference_method("imd").recipe.names
    values = {name: [worst[i], middle[i], best[i]] for i, name in enumerate(names)}
    found = compose(reference_method("imd").recipe, values)

    def transformed(share):
        return -23 * math.log(1 - share * (1 - math.exp(-100 / 23)))

    by_hand = [0.999 * transformed(share) for share in (1, 2 / 3, 1 / 3)]
    assert found.scores.tolist() == pytest.approx(by_hand)
    assert found.ranks.tolist() == [1, 2, 3]


def test_an_area_without_an_input_gets_no_score_of_a_reference_method():
    names = reference_method("deri_v1_2").recipe.names
    values = {name: [1.0, 2.0, 3.0] for name in names}
    values["imd_score"] = [1.0, 2.0, math.nan]
    found = compose(reference_method("deri_v1_2").recipe, values)
    assert [math.isnan(s) for s in found.scores] == [False, False, True]


def test_each_method_says_where_it_is_published():
    assert set(reference_methods()) == {"imd", "deri_v1_2", "deri_v1_6"}
    assert all(m.source and m.version for m in reference_methods().values())
    with pytest.raises(ConfigurationError, match="no reference method depahri"):
        reference_method("depahri")


IN_OUR_CATALOGUE = {
    "aged_65_plus": "C01", "aged_75_plus": "C12", "below_10_mbit": "D06", "unable_30_mbit": "D04",
    "download_speed": "D14", "no_qualifications": "D10", "pension_credit": "D12",
    "alternative_claimants": "C14", "imd_score": "C03",
}  # fmt: skip


def test_the_catalogues_replica_has_the_weights_and_ends_of_the_original():
    folder = Path(indicators.library.__file__).parent / "catalogue"
    declared = read_declaration(folder / "D01_digital_exclusion_risk_gm.yaml", Indicator)
    assert declared.index is not None
    ours, theirs = recipe_of(declared.index), reference_method("deri_v1_2").recipe
    weights = theirs.input_weights * theirs.component_weights[theirs.component_of]
    expected = {
        IN_OUR_CATALOGUE[name]: w for name, w in zip(theirs.names, weights.tolist(), strict=True)
    }
    assert declared.index.shares == pytest.approx(expected)
    assert (ours.normalisation, ours.scale) == (theirs.normalisation, theirs.scale)
    turned = {IN_OUR_CATALOGUE[p.name]: p.worse for p in theirs.inputs}
    # We publish who can have 30 Mbit/s, the original who cannot.
    turned["D04"] = "low"
    assert {p.name: p.worse for p in ours.inputs} == turned
