"""The markers that stand for a value that is absent or needs care, and their words.

Belongs here: the shorthand of the Government Analysis Function in square brackets, split and put
into words. Does not belong here: deciding which cell gets a marker (``governance/``,
``indicators/``).
"""

from __future__ import annotations

import re

STATUS_WORDS = {
    "c": "hidden to protect people: fewer than 5, or needed to keep such a count hidden",
    "x": "not available: a delivery it needs has not been accepted",
    "z": "not applicable: nothing to divide by, or too little to compute it from",
    "u": "unreliable: too few people or households, or mostly the mean of other areas",
    "e": "estimated: part of it is modelled rather than counted",
    "low": "rounds to 0 but is not 0",
    "b": "break in series: not comparable with earlier periods",
    "f": "forecast",
    "p": "provisional: may be revised",
    "r": "revised since an earlier release",
    "w": "none recorded in the survey",
}
"""Marker without brackets -> words. Source: Analysis Function guidance on symbols in tables."""

_MARKER = re.compile(r"\[([a-z]+)\]")


def markers(value_status: str | None) -> list[str]:
    """Return the markers of a status such as '[r][e]' in order, without brackets."""
    return _MARKER.findall(value_status or "")


def status_in_words(value_status: str | None) -> str:
    """Put a status into words; '' for a plain value.

    A marker nobody declared is named as such rather than left out: silence would read as a plain
    value.
    """
    return "; ".join(STATUS_WORDS.get(m, f"marked [{m}]") for m in markers(value_status))
