"""What the plausibility checks found, arranged for people.

Belongs here: which of their rows a page shows, and in which order. Does not belong here: the checks
(``indicators/plausibility/``), or HTML (``quality_page.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from publishing.quality_summary import Row

OUTCOMES = ("failed", "could_not_run", "passed", "not_published")
"""Outcomes of a plausibility check, the most urgent first."""


def plausibility_lines(rows: Iterable[Row], districts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the plausibility findings to show: the last of each check and place, and all failures.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of the table ``plausibility``.
    districts : mapping of str to str
        Names by code.

    Returns
    -------
    list of dict
        The rows with ``place``, the most urgent first.
    """
    last: dict[tuple[str, str | None], str] = {}
    found = list(rows)
    for row in found:
        key = (row["check_id"], row["lad24cd"])
        last[key] = max(last.get(key, ""), row["period"] or "")
    shown = [
        {**row, "place": districts.get(row["lad24cd"] or "", row["lad24cd"] or "The whole region")}
        for row in found
        if row["outcome"] == "failed"
        or (row["period"] or "") == last[row["check_id"], row["lad24cd"]]
    ]
    return sorted(
        shown,
        key=lambda r: (
            OUTCOMES.index(r["outcome"]), r["title"], r["place"], r["period"] or "",
        ),
    )  # fmt: skip
