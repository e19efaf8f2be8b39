"""Verdicts on releases: each reason by a table worked by hand, and what the figures rest on."""

from __future__ import annotations

import numpy as np
import pytest

from declarations.errors import DisclosureError
from governance.disclosure.attacker.examination import Demand, examine
from governance.disclosure.attacker.system import SystemBuilder

DEFAULT = Demand(width=4, below=5, outside=True)


def cells(*bounds):
    builder = SystemBuilder()
    for number, (low, high) in enumerate(bounds):
        builder.count(number, low, high)
    return builder


def verdict(builder, truth, demand=DEFAULT, **settings):
    found = examine(builder.build(), range(len(truth)), truth, demand, **settings)
    return found.reasons.tolist()


def test_hidden_cells_of_0_to_4_pass():
    builder = cells(*[(0, 4)] * 4)
    builder.equation(dict.fromkeys(range(4), 1.0), 8)
    found = examine(builder.build(), range(4), [0, 1, 3, 4], DEFAULT)
    assert found.passed
    assert found.reasons.tolist() == [""] * 4
    assert found.widths.tolist() == [4] * 4


def test_an_exact_count_fails_whatever_is_demanded():
    assert verdict(cells((3, 3)), [3], Demand(width=0, below=1, outside=False)) == ["exact"]


def test_an_interval_narrower_than_demanded_fails():
    assert verdict(cells((0, 3), (0, 4)), [1, 1]) == ["narrow", ""]


def test_an_interval_wholly_inside_the_protected_range_fails_where_that_is_forbidden():
    forbidden = Demand(width=3, below=5, outside=True)
    allowed = Demand(width=3, below=5, outside=False)
    assert verdict(cells((1, 4)), [2], forbidden) == ["protected_range"]
    assert verdict(cells((1, 4)), [2], allowed) == [""]
    assert verdict(cells((0, 3), (2, 5)), [2, 2], forbidden) == ["", ""]


def test_an_interval_without_end_passes():
    assert verdict(cells((0, float("inf"))), [2]) == [""]


def test_who_has_a_record_in_a_cell_of_at_most_one_knows_that_they_are_alone():
    loose = Demand(width=1, below=1, outside=False)
    assert verdict(cells((0, 1)), [1], loose) == ["insider"]
    assert verdict(cells((0, 1)), [1], loose, insider=False) == [""]
    assert verdict(cells((0, 2)), [1], loose) == [""]


def test_who_has_a_record_in_one_cell_learns_of_its_neighbour():
    # x + y = 1: whoever is in one of them knows that the other is empty. With x + y = 2 somebody
    # else can be in either.
    loose = Demand(width=1, below=1, outside=False)
    pair = cells((0, 4), (0, 4), (0, 4))
    pair.equation({0: 1.0, 1: 1.0}, 1)
    assert verdict(pair, [1, 0, 2], loose) == ["insider", "insider", ""]
    several = cells((0, 4), (0, 4))
    several.equation({0: 1.0, 1: 1.0}, 2)
    assert verdict(several, [1, 1], loose) == ["", ""]


def test_a_slack_holds_no_record_unless_said_so():
    loose = Demand(width=1, below=1, outside=False)
    builder = cells((0, 4))
    builder.between({0: 1.0}, 1, 2)
    assert examine(builder.build(), [0], [2], loose).passed
    with_slack = examine(builder.build(), [0], [2], loose, members=[0, 1])
    assert with_slack.reasons.tolist() == ["insider"]


def test_a_cell_that_the_time_did_not_do_for_fails():
    rng = np.random.default_rng(5)
    builder = cells(*[(0, 9)] * 40)
    truth = rng.integers(0, 5, 40)
    for row in rng.integers(-9, 10, (6, 40)):
        builder.equation({j: float(a) for j, a in enumerate(row) if a}, float(row @ truth))
    found = examine(builder.build(), range(40), truth, DEFAULT, time_limit=0.0, insider=False)
    assert "not_proven" in found.reasons
    assert found.failed[~found.proven & (found.widths < 6)].all()


def test_a_truth_outside_its_interval_says_that_the_system_is_wrong():
    with pytest.raises(DisclosureError, match="1 of 2 true counts are not possible") as error:
        verdict(cells((0, 4), (0, 4)), [7, 2])
    assert "7" not in str(error.value)


def test_truths_and_targets_must_be_as_many():
    with pytest.raises(DisclosureError, match="do not belong"):
        examine(cells((0, 4)).build(), [0], [1, 2], DEFAULT)


def test_nothing_sensitive_passes():
    found = examine(cells((0, 4)).build(), [], [], DEFAULT)
    assert found.passed
    assert found.reasons.tolist() == []


def test_the_figures_of_a_certificate():
    builder = cells((0, 4), (0, 4), (0, 4), (0, 4))
    for pair in ((0, 1), (2, 3), (0, 2), (1, 3)):
        builder.equation(dict.fromkeys(pair, 1.0), 4)
    found = examine(builder.build(), range(4), [1, 3, 3, 1], DEFAULT)
    assert found.solver.startswith("HiGHS 1.")
    assert set(found.tolerances) == {"whole", "feasibility"}
    assert found.components == 1
    assert found.linear_programmes > 0
    assert found.seconds >= 0
    assert found.insider


def test_the_truth_itself_decides_nothing():
    builder = cells((0, 4), (0, 4), (0, 1))
    builder.equation({0: 1.0, 1: 1.0, 2: 1.0}, 5)
    reasons = {tuple(verdict(builder, truth)) for truth in ([4, 1, 0], [2, 2, 1], [1, 4, 0])}
    assert len(reasons) == 1


@pytest.mark.parametrize(
    ("interval", "met"), [((0, 4), True), ((1, 5), True), ((1, 4), False), ((0, 3), False)]
)
def test_what_a_demand_asks_of_an_interval(interval, met):
    assert bool(DEFAULT.met_by(*interval)) is met
