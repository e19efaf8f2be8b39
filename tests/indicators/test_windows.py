"""Windows: which stretches a calendar holds, and how they are called."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declarations.base import month_index, month_of
from declarations.errors import ConfigurationError
from indicators.windows import label_of, window_of, windows

ARDEN = ("2024-11", "2026-10")

periods = st.integers(month_index("2015-01"), month_index("2030-12")).map(month_of)


@pytest.mark.parametrize(
    ("calendar", "kind", "release_month", "expected"),
    [
        (ARDEN, "year", 10, ["November 2024 to October 2025", "November 2025 to October 2026"]),
        (ARDEN, "year", 12, ["January to December 2025"]),
        (ARDEN, "year", 11, ["December 2024 to November 2025"]),
        (("2024-11", "2025-09"), "year", 10, []),
        (
            ("2025-12", "2026-10"),
            "quarter",
            10,
            ["January to March 2026", "April to June 2026", "July to September 2026"],
        ),
        (("2026-08", "2026-10"), "quarter", 10, []),
        (("2026-09", "2026-10"), "month", 10, ["September 2026", "October 2026"]),
        (ARDEN, "latest", 10, ["October 2026"]),
    ],
)
def test_windows_of_a_calendar(calendar, kind, release_month, expected):
    assert [w.label for w in windows(*calendar, kind, release_month)] == expected


def test_a_window_knows_its_days():
    window = window_of("2023-11", "2024-02")
    assert (window.start, window.end) == (dt.date(2023, 11, 1), dt.date(2024, 2, 29))
    assert window.months == 4


@pytest.mark.parametrize(
    ("first", "last", "label"),
    [
        ("2024-11", "2025-10", "November 2024 to October 2025"),
        ("2026-07", "2026-09", "July to September 2026"),
        ("2026-10", "2026-10", "October 2026"),
    ],
)
def test_labels(first, last, label):
    assert label_of(first, last) == label


@given(periods, periods, st.sampled_from(["month", "quarter", "year"]), st.integers(1, 12))
def test_windows_never_overlap_and_lie_inside_the_calendar(one, other, kind, release_month):
    first, last = sorted((one, other))
    found = windows(first, last, kind, release_month)
    for window in found:
        assert first <= window.first <= window.last <= last
    for earlier, later in itertools.pairwise(found):
        assert month_index(later.first) == month_index(earlier.last) + 1
    if kind == "year":
        assert {int(w.last[5:]) for w in found} <= {release_month}
    if kind == "quarter":
        assert {int(w.last[5:]) for w in found} <= {3, 6, 9, 12}


def test_a_month_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="release_month"):
        windows(*ARDEN, "year", 13)
