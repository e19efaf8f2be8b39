"""Markers in words."""

import pytest

from publishing.statuses import markers, status_in_words


@pytest.mark.parametrize(
    ("status", "found"), [(None, []), ("", []), ("[c]", ["c"]), ("[r][e]", ["r", "e"])]
)
def test_markers_are_split(status, found):
    assert markers(status) == found


def test_words_of_a_marker():
    assert "fewer than 5" in status_in_words("[c]")
    assert status_in_words("[r][e]").count(";") == 1
    assert status_in_words(None) == ""


def test_an_unknown_marker_is_not_silent():
    assert status_in_words("[q]") == "marked [q]"
