"""From observed and expected use, and need, to a word."""

from __future__ import annotations

import numpy as np
import pytest

from indicators.service.classes import class_of, stands_for, use_against_expected

NAN = float("nan")


@pytest.mark.parametrize(
    ("known", "low", "high", "needy", "word"),
    [
        (True, True, False, True, "unmet need candidate"),
        (True, True, False, False, "less use than expected"),
        (True, False, False, True, "use as expected"),
        (True, False, False, False, "use as expected"),
        (True, False, True, True, "more use than expected"),
        (True, False, True, False, "more use than expected"),
        (False, False, False, True, "cannot be said"),
    ],
)
def test_unmet_need_takes_high_need_and_low_use_both(
    known: bool, low: bool, high: bool, needy: bool, word: str
) -> None:
    assert class_of(known, low, high, needy) == word


def test_the_interval_is_byars_over_the_expected_count() -> None:
    """Limits of 5 and 65 events as in the published vectors: 1.6235, 11.6683; 50.16, 82.85."""
    found = use_against_expected(np.array([5.0, 65.0]), np.array([20.0, 50.0]), "hide0-r5")

    assert found.ratio.tolist() == [0.25, 1.3]
    assert found.lower == pytest.approx([1.6235 / 20, 50.16 / 50], abs=1e-4)
    assert found.upper == pytest.approx([11.6683 / 20, 82.85 / 50], abs=1e-4)


def test_clearly_means_whatever_count_was_rounded() -> None:
    """65 may have been 63, whose interval begins below 50: not clearly more than 50."""
    found = use_against_expected(
        np.array([5.0, 65.0, 65.0]), np.array([20.0, 50.0, 48.0]), "hide0-r5"
    )

    assert found.clearly_low.tolist() == [True, False, False]
    assert found.clearly_high.tolist() == [False, False, True]
    exact = use_against_expected(np.array([65.0]), np.array([50.0]), "suppress")
    assert exact.clearly_high.tolist() == [True]


def test_counts_that_vary_more_than_chance_need_to_be_further_off() -> None:
    """Byar's upper limit of 22, which 20 may have been, is 33.3: 11.3 above; of 78 for 80, 97.3.

    Four times the variance doubles the distance: 22 + 22.6 = 44.6, no longer below 40.
    """
    shown, expected = np.array([20.0, 20.0, 80.0, 80.0]), np.array([40.0, 46.0, 55.0, 40.0])
    plain = use_against_expected(shown, expected, "hide0-r5")
    wider = use_against_expected(shown, expected, "hide0-r5", np.full(4, 4.0))

    assert plain.clearly_low.tolist() == [True, True, False, False]
    assert wider.clearly_low.tolist() == [False, True, False, False]
    assert plain.clearly_high.tolist() == [False, False, True, True]
    assert wider.clearly_high.tolist() == [False, False, False, True]
    # What is published beside the class is Byar's interval, whatever the scatter.
    assert wider.upper.tolist() == plain.upper.tolist()
    # Less scatter than chance, or none known, does not narrow it.
    for none in (0.2, NAN):
        same = use_against_expected(shown, expected, "hide0-r5", np.full(4, none))
        assert same.clearly_low.tolist() == plain.clearly_low.tolist()


def test_nothing_is_said_of_what_is_unknown() -> None:
    found = use_against_expected(np.array([NAN, 5.0, 5.0]), np.array([20.0, NAN, 0.0]), "hide0-r5")

    assert np.isnan(found.ratio).all()
    assert not found.clearly_low.any()
    assert not found.clearly_high.any()


@pytest.mark.parametrize(
    ("name", "shown", "lowest", "highest"),
    [
        ("hide0-r5", 5, 5, 7),
        ("hide0-r5", 65, 63, 67),
        ("r5", 5, 3, 7),
        # Never shown under the profile, so never rounded by it: an open count.
        ("hide0-r5", 63, 63, 63),
    ],
)
def test_what_a_published_count_stands_for(
    name: str, shown: int, lowest: int, highest: int
) -> None:
    found = stands_for(np.array([shown, NAN]), name)

    assert [found[0][0], found[1][0]] == [lowest, highest]
    assert np.isnan([found[0][1], found[1][1]]).all()
