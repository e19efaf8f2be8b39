"""Who is in the worst fifth of a draw, where areas are alike or few."""

from __future__ import annotations

import numpy as np
import pytest

from declarations.indices import IndexMethod, Uncertainty
from indicators.composite.draws import DrawInput, simulate
from indicators.composite.recipe import recipe_of
from indicators.composite.scoring import compose
from indicators.composite.summaries import edges_of, ranks_of, worst_places

METHOD = IndexMethod.model_validate(
    {
        "weights_agreed": "Nobody: made up for tests.",
        "components": [
            {"name": "need", "title": "Need", "weight": 1, "rationale": "Made up.",
             "inputs": [{"indicator": "T01", "weight": 1, "worse": "high",
                         "rationale": "Made up."}]},
        ],
    }
)  # fmt: skip


def probabilities(values: list[float]) -> tuple[list[float], list[str | None]]:
    """Return probability and class of areas whose one input is taken as it stands."""
    recipe = recipe_of(METHOD)
    given = np.array(values, dtype=np.float64)
    drawn = simulate(
        recipe,
        {"T01": DrawInput(given)},
        Uncertainty(draws=100),
        [f"E{i:04d}" for i in range(given.size)],
        compose(recipe, {"T01": given}),
    )
    return drawn.p_worst_fifth.tolist(), drawn.classes


@pytest.mark.parametrize(("areas", "places"), [(1, 1), (5, 1), (6, 2), (10, 2), (11, 3), (450, 90)])
def test_a_fifth_is_rounded_up(areas: int, places: int) -> None:
    assert worst_places(areas) == places


def test_areas_that_are_alike_share_the_places_that_are_left() -> None:
    """Of 100 areas 50 are alike and worst: 20 places among 50 are 0.4 each, and nobody is sure."""
    found, said = probabilities([9.0] * 50 + [float(i) / 100 for i in range(50)])

    assert found[:50] == pytest.approx([0.4] * 50)
    assert set(said[:50]) == {"may be in the worst fifth"}
    assert found[50:] == pytest.approx([0.0] * 50)
    assert set(said[50:]) == {"clearly not in the worst fifth"}


def test_where_all_are_alike_nothing_is_clear() -> None:
    found, said = probabilities([3.0] * 20)

    assert found == pytest.approx([0.2] * 20)
    assert set(said) == {"may be in the worst fifth"}


def test_probabilities_add_up_to_the_places() -> None:
    found, _ = probabilities([1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0, 4.0, 4.0, 5.0])

    assert sum(found) == pytest.approx(worst_places(12))


def test_of_a_handful_of_areas_nothing_is_said() -> None:
    found, said = probabilities([100.0, 1.0, 2.0])

    assert all(np.isnan(found))
    assert said == [None, None, None]


def test_an_area_just_outside_is_outside() -> None:
    """Of 10 areas two are the worst fifth: the third has rank 3."""
    ranks = ranks_of(np.array([[10.0, 9.0, 8.0, *range(7)]], dtype=np.float32))
    edges = edges_of(ranks, ties=True)

    assert (edges.rank.tolist(), edges.part.tolist()) == ([2], [1.0])
