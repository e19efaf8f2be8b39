"""The quality page, for the governance officer and the data team; needs no script at all.

Belongs here: which parts the page has, and which of them a published page must not show.
Does not belong here: the arrangement of the rows (``quality_summary.py``).

The published page shows outcomes, reasons, months and column names. Row counts of single
deliveries, messages (they may quote counts) and the headings nobody declared are on the internal
page only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from declarations.region import Region
from intake.accounting import APPORTIONED, NOT_PLACED, OUT_OF_REGION, PLACED
from publishing.boundary_findings import GRADES, MEETINGS, boundary_fits
from publishing.conform import conform_all
from publishing.dictionary import LINEAGE, QUALITY_TABLES
from publishing.facts import ReleaseFacts, SourceFact, synthetic_words
from publishing.page import in_words, render_page
from publishing.plausibility_findings import plausibility_lines
from publishing.quality_summary import (
    STATES,
    Account,
    accounts,
    actions,
    calendar_months,
    dropped_columns,
    failed_checks,
    headline,
    in_calendar,
    known_sources,
    lineage_by_source,
    states,
)
from publishing.vintage_findings import vintage_findings

if TYPE_CHECKING:
    import pyarrow as pa

PAGE_TABLES = {**QUALITY_TABLES, LINEAGE.name: LINEAGE}
BAR_WIDTH = 600
PLACED_FILLS = ("#12436D", "#28A197", "#801650", "#3D3D3D")
"""Categorical colours of the Government Analysis Function; further methods share the last one."""
OTHER_FILLS = {
    APPORTIONED: "url(#apportioned)", OUT_OF_REGION: "#8C8C8C", NOT_PLACED: "url(#not-placed)",
}  # fmt: skip
"""What became of the rest -> fill; the patterns are in the page's legend."""


@dataclass(frozen=True)
class QualityFacts:
    """What the quality page says about itself.

    Parameters
    ----------
    title, region_title, code_version, contact : str
        As shown.
    as_of : datetime.date
        Day the page stands at; decides what is missing.
    synthetic : str
        Words that mark synthetic data; '' for real data.
    sources : tuple of SourceFact
        The sources with what the calendar expects of them.
    release_id : str
        '' on a page that belongs to no release.
    districts : mapping of str to str
        Names of the region's districts, by code.
    """

    title: str
    region_title: str
    as_of: dt.date
    code_version: str
    contact: str
    synthetic: str = ""
    sources: tuple[SourceFact, ...] = ()
    release_id: str = ""
    districts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_release(cls, region: Region, release: ReleaseFacts) -> QualityFacts:
        """Return the facts of the quality page inside a release."""
        return cls(
            title=release.title,
            region_title=region.title,
            as_of=release.as_of,
            code_version=release.code_version,
            contact=region.publication.contact,
            synthetic=synthetic_words(region, release),
            sources=release.sources,
            release_id=release.release_id,
            districts={d.lad24cd: d.name for d in region.districts},
        )


def _bar(account: Account, fills: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the pieces of a stacked bar: x and width in view-box units, fill, what it is."""
    total = account.shown
    pieces, start = [], 0.0
    for outcome, detail, amount, _ in account.parts:
        if not amount:
            continue
        width = BAR_WIDTH * amount / total
        pieces.append(
            {
                "x": round(start, 2),
                "width": round(width, 2),
                "fill": fills[detail] if outcome == PLACED else OTHER_FILLS[outcome],
                "outcome": outcome,
                "detail": detail,
            }
        )
        start += width
    return pieces


def _fills(found: list[Account]) -> dict[str, str]:
    """Give each placing method one colour over the whole page, the largest methods first."""
    totals: dict[str, int] = {}
    for account in found:
        for outcome, detail, amount, _ in account.parts:
            if outcome == PLACED:
                totals[detail] = totals.get(detail, 0) + amount
    ranked = sorted(totals, key=lambda d: (-totals[d], d))
    return {d: PLACED_FILLS[min(i, len(PLACED_FILLS) - 1)] for i, d in enumerate(ranked)}


def quality_page(
    tables: Mapping[str, pa.Table], facts: QualityFacts, *, published: bool = False
) -> str:
    """Return the quality page as HTML.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Any of ``deliveries``, ``decisions``, ``checks``, ``accounting``, ``vintages``,
        ``boundaries``, ``plausibility`` and ``lineage``; a part without its table says so.
    facts : QualityFacts
        What the page says about itself.
    published : bool
        True for the page inside a release: no count of a single delivery and no message. The
        accounting is then expected protected, with ``amount_status``.

    Raises
    ------
    StorageError, DisclosureError
        If a table is not as the dictionary declares it.
    """
    given = {name: table for name, table in PAGE_TABLES.items() if name in tables}
    ready = conform_all(tables, given)
    rows = {name: ready[name].to_pylist() if name in ready else [] for name in PAGE_TABLES}
    of_sources = (found for name, found in rows.items() if name != "plausibility")
    sources = known_sources(facts.sources, *of_sources)
    cells = states(rows["deliveries"], rows["decisions"], sources, facts.as_of)
    found = accounts(rows["accounting"], sources)
    fills = _fills(found)
    months = calendar_months(cells)
    years: dict[str, int] = {}
    for month in months:
        years[month[:4]] = years.get(month[:4], 0) + 1
    shown = sorted({s for s, _ in cells}, key=lambda s: (sources[s].agency, sources[s].title, s))
    return render_page(
        "quality.html.j2",
        ["quality.css"],
        [],
        facts=facts,
        published=published,
        as_of=in_words(facts.as_of),
        have={name: name in ready for name in rows},
        headline=headline(rows["deliveries"], cells),
        actions=actions(cells, sources),
        states=STATES,
        months=months,
        month_words=month_words,
        years=years,
        any_once=any(not period and in_calendar(c) for (_, period), c in cells.items()),
        grid=[(sources[s], {p: c for (k, p), c in cells.items() if k == s}) for s in shown],
        dropped=dropped_columns(rows["decisions"], sources),
        checks=failed_checks(rows["checks"], sources),
        checks_total=len(rows["checks"]),
        accounts=[(a, _bar(a, fills)) for a in found],
        fills=fills,
        outside_fill=OTHER_FILLS[OUT_OF_REGION],
        bar_width=BAR_WIDTH,
        vintages=vintage_findings(rows["vintages"], sources),
        plausibility=plausibility_lines(rows["plausibility"], facts.districts),
        boundaries=boundary_fits(rows["boundaries"], sources),
        grades=GRADES,
        meetings=MEETINGS,
        lineage=lineage_by_source(rows["lineage"], sources),
    )


def month_words(period: str) -> str:
    """Return a period as people write it: 'Oct 2026', or 'once'."""
    if not period:
        return "once"
    return f"{dt.date(int(period[:4]), int(period[5:7]), 1):%b} {period[:4]}"
