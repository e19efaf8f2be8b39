"""Breaks in the series of published figures: what changed, and from which month.

Belongs here: gathering the breaks that an indicator and its sources declare, and those that the
deliveries themselves show: a file that names areas of another vintage than the one before it.
Does not belong here: trends, which start after the last break (``indicators/derived/trends.py``),
or the marker in the figures (``publishing/release_tables.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from declarations.declared import RegionDeclarations
from declarations.indicators import Indicator

CENSUSES = ("2011", "2021")
"""Vintages a file can be told to be of; of others (mixed, unknown) nothing follows."""

BreakRow = tuple[str, str, str, str]
"""Indicator, month, kind and reason."""


def break_rows(
    declared: RegionDeclarations, vintages: Sequence[Mapping[str, Any]]
) -> list[BreakRow]:
    """Return every break of every indicator, in order.

    Parameters
    ----------
    vintages : sequence of mapping
        ``source_id, period, vintage`` of each delivery whose rows name areas by code. Of sources
        under an agreement they are left out: that a file names an area which exists in one vintage
        only would tell that it has a record there.

    Returns
    -------
    list of tuple
        Indicator, first month after the break (``YYYY-MM``), ``definition``, ``source`` or
        ``vintage``, and the reason in words.
    """
    is_open = declared.is_open
    changed = dict(_changed_vintages([v for v in vintages if is_open.get(v["source_id"])]))
    found: set[BreakRow] = set()
    for indicator in declared.indicators.values():
        found |= {(indicator.id, *row) for row in _of(indicator, declared, changed)}
    return sorted(found)


def _of(
    indicator: Indicator,
    declared: RegionDeclarations,
    changed: Mapping[str, list[tuple[str, str]]],
) -> Iterator[tuple[str, str, str]]:
    for part in declared.behind(indicator):
        yield from ((b.period, "definition", b.reason) for b in part.breaks)
    for source in declared.sources_behind(indicator):
        yield from ((b.period, "source", f"{source.title}: {b.reason}") for b in source.breaks)
        for period, words in changed.get(source.id, ()):
            yield period, "vintage", f"{source.title}: {words}"


def _changed_vintages(
    vintages: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield, by source, the months from which it names areas of another vintage."""
    by_source: dict[str, list[tuple[str, str]]] = {}
    for row in vintages:
        if row["vintage"] in CENSUSES:
            by_source.setdefault(row["source_id"], []).append((row["period"], str(row["vintage"])))
    for source, told in by_source.items():
        yield (
            source,
            [
                (period, f"its files name areas of {vintage}, before that of {before}")
                for (_, before), (period, vintage) in pairwise(sorted(told))
                if vintage != before
            ],
        )
