"""The first figures after a break in series say so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from region_factory import region_content, run_to_protection

from publishing.release_tables import release_tables
from warehouse.workspace import Workspace

MONTHS = [dt.date(2026, month, day) for month, day in ((1, 31), (2, 28), (3, 31))]


@pytest.fixture
def marked(make_mere: Callable[..., Workspace]) -> dict[tuple[str, dt.date], set[str | None]]:
    """Return the status of every shown figure, by indicator and end of its period."""
    content = region_content()
    content["indicators/T03.yaml"]["breaks"] = [{"period": "2026-03", "reason": "New form."}]
    # Nothing stands before it, so that nothing is broken off.
    content["indicators/T01.yaml"]["breaks"] = [{"period": "2026-01", "reason": "New law."}]
    mere = make_mere(content)
    run_to_protection(mere)
    found: dict[tuple[str, dt.date], set[str | None]] = {}
    for row in release_tables(mere)["observations"].to_pylist():
        if row["value"] is not None:
            found.setdefault((row["indicator_id"], row["period_end"]), set()).add(
                row["value_status"]
            )
    return found


def test_only_the_first_period_after_a_break_is_marked(
    marked: dict[tuple[str, dt.date], set[str | None]],
) -> None:
    # In January every figure is hidden: there is nothing to mark.
    assert ("T03", MONTHS[0]) not in marked
    assert [marked["T03", end] for end in MONTHS[1:]] == [{None}, {"[b]"}]


def test_a_series_that_begins_with_the_break_has_no_mark(
    marked: dict[tuple[str, dt.date], set[str | None]],
) -> None:
    assert all("[b]" not in (s or "") for s in marked["T01", MONTHS[2]])
