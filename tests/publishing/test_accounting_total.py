"""What was received is told only where it leaves every hidden part of it open."""

from __future__ import annotations

import itertools

import pytest

from governance.disclosure.counts import bounds, protect
from governance.disclosure.profiles import default_profile
from publishing.release_tables import total_may_be_told

PROFILE = default_profile()


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([100, 0], True),  # 100 and [c]: 98 to 102 beside 98 to 102
        ([7, 0], False),  # 5 and 5: of 5 to 7 at most 2 are left
        ([3, 4], False),  # 7 shown as 5: of 5 to 7 at least 1 must be in each part
        ([52, 0], True),
        ([12, 1, 1], True),
        ([22, 4], False),  # 26 is 25, 23 to 27; 22 is 20, 18 to 22: at least 1 is left
        ([2, 1], True),  # both and their total are hidden
    ],
)
def test_by_example(parts: list[int], told: bool) -> None:
    assert total_may_be_told(sum(parts), parts) is told


def test_whatever_is_told_leaves_every_hidden_part_all_of_0_to_4() -> None:
    refused = 0
    for parts in itertools.product([0, 1, 3, 4, 5, 7, 12, 22], repeat=3):
        total = sum(parts)
        if not total_may_be_told(total, parts):
            refused += 1
            continue
        low, high = bounds(*protect(total, PROFILE), PROFILE)
        ranges = [bounds(*protect(part, PROFILE), PROFILE) for part in parts]
        fits = [
            table
            for table in itertools.product(*(range(int(a), int(b) + 1) for a, b in ranges))
            if low <= sum(table) <= high
        ]
        for place, part in enumerate(parts):
            if part < 5:
                assert {t[place] for t in fits} == {0, 1, 2, 3, 4}
    assert refused


def test_a_hidden_sum_has_no_size_to_compare() -> None:
    assert total_may_be_told(None, [4, 1])
    assert total_may_be_told(40, [None, 1])
