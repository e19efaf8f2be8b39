"""The certificate of a release: what was examined, against whom, and what it cost in detail.

Belongs here: the facts a certificate states, what makes them fit to be stated, and the JSON for
machines. Does not belong here: the page for the officer (``certificate_page.py``), or the
examination itself (``examination.py``).

The certificate goes out with the release, so it is itself a publication: it holds no count, only
widths of intervals and numbers of cells. **Which cells it speaks of must follow from what is
published** (every cell that is hidden, say), never from the counts behind: to name a hidden cell as
one that is truly small, or the number of those among the hidden, would tell zeros from small
counts. Of the two figures about counts that it gives, the sum of the hidden ones and the mean
change of the shown ones, each is coarse and left out where few cells stand behind it.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from declarations.errors import DisclosureError

SCHEMA = "lsoalink-disclosure-certificate/1"
_SCHEMA_FILE = Path(__file__).with_name("templates") / "disclosure-certificate-1.schema.json"

MOST_EXPOSED = 10
FEWEST_CELLS = 50
"""A figure about counts is given only where so many cells stand behind it."""

ROUNDED_TO = 5
CHANGE_STEP = 0.5

NOT_PROMISED = (
    "That nobody learns anything: a rounded figure tells roughly how many, and is meant to.",
    "Safety against somebody who holds the records, or who knows the exact counts of most other "
    "neighbourhoods from elsewhere.",
    "Safety against several people of one neighbourhood who put their own records together.",
    "Safety against figures that other bodies publish later, or that were not declared here as "
    "public.",
    "That all counts within an interval are equally likely: the bounds were examined, not the "
    "odds.",
    "That the figures are right: this certificate is about what they give away.",
)

Coarsening = Literal["pair", "msoa", "whole"]
COARSENED_TO = {
    "pair": "pair of neighbourhoods",
    "msoa": "2021 MSOA",
    "whole": "withheld altogether",
}


@dataclass(frozen=True)
class ProfileFacts:
    """A profile of the release: its name, what it says, and what an attacker must be left with.

    ``width`` is the least difference of highest and lowest possible count.
    """

    name: str
    title: str
    in_words: str
    rules: tuple[str, ...]
    width: int


@dataclass(frozen=True)
class Examined:
    """How many cells of an indicator at a level were examined."""

    indicator: str
    title: str
    level: str
    profile: str
    cells: int


@dataclass(frozen=True)
class WidthCount:
    """How many cells have an interval of this width; None: without an upper bound."""

    profile: str
    width: int | None
    cells: int


@dataclass(frozen=True)
class ExposedCell:
    """A cell that is among those an attacker comes closest to, without its value or bounds."""

    area_code: str
    area_name: str
    indicator: str
    period: str
    width: int | None


@dataclass(frozen=True)
class CoarsenedCell:
    """A cell that was withdrawn in favour of a larger area (``to_code``), or altogether."""

    area_code: str
    area_name: str
    indicator: str
    period: str
    to: Coarsening
    to_code: str
    reason: str


@dataclass(frozen=True)
class PubliclyExposed:
    """A cell that public knowledge alone gives away, which no publication of ours can change."""

    area_code: str
    area_name: str
    indicator: str
    period: str
    known_from: str


@dataclass(frozen=True)
class Withheld:
    """How many cells of a neighbourhood are not shown: hidden, or given for a larger area only."""

    lsoa21cd: str
    name: str
    cells: int


@dataclass(frozen=True)
class Solver:
    """Who solved what, and within which tolerances."""

    name: str
    version: str
    tolerances: tuple[tuple[str, float], ...]
    linear_programmes: int
    integer_programmes: int


@dataclass(frozen=True)
class Lost:
    """What protection took away.

    Attributes
    ----------
    cells, hidden, coarsened : int
        All cells of the release, those hidden, and those given for a larger area only.
    hidden_total : int or None
        Sum of the true counts of the hidden cells. Exact, so it never leaves but as `hidden_sum`.
    mean_change : float or None
        Mean of \\|shown - true\\| over the cells shown; never leaves but as `changed_by`.
    """

    cells: int
    hidden: int
    coarsened: int
    hidden_total: int | None = field(default=None, repr=False)
    mean_change: float | None = field(default=None, repr=False)

    def hidden_sum(self) -> int | None:
        """Return the sum of the hidden counts as it may be told; None where it may not.

        To two figures and never finer than 5, half up; nothing below 5, and nothing of fewer than
        50 cells.
        """
        if self.hidden_total is None or self.hidden < FEWEST_CELLS:
            return None
        step = self._step(self.hidden_total)
        return (2 * self.hidden_total + step) // (2 * step) * step or None

    def hidden_sum_bounds(self) -> tuple[int, int] | None:
        """Return what a reader concludes of the sum from `hidden_sum`: a statement to be audited.

        None where nothing is told but what everybody knows.
        """
        told = self.hidden_sum()
        if told is None:
            return None
        step = self._step(told)
        # Just below a power of ten the step is a tenth of the one above it.
        finer = self._step(told - 1)
        return told - finer // 2, told + (step - 1) // 2

    def changed_by(self) -> float | None:
        """Return the mean change to the nearest half; None with fewer than 50 cells shown."""
        if self.mean_change is None or self.cells - self.hidden - self.coarsened < FEWEST_CELLS:
            return None
        return math.floor(self.mean_change / CHANGE_STEP + 0.5) * CHANGE_STEP

    def share(self) -> float | None:
        """Return the share of cells not shown, in per cent to one decimal."""
        return round(100 * (self.hidden + self.coarsened) / self.cells, 1) if self.cells else None

    @staticmethod
    def _step(value: int) -> int:
        # 10 from 100 on, 100 from 1,000 on: two figures are kept.
        return max(ROUNDED_TO, 10 ** (len(str(value)) - 2))


@dataclass(frozen=True)
class CertificateFacts:
    """Everything a certificate states.

    Attributes
    ----------
    release_id : str
    candidate : str
        Fingerprint of the protected tables it was made for.
    region_id, region_title : str
    synthetic : str
        What must be said first where everything is made up; empty for real data.
    made_on : date
        Of the release; a certificate does not look at the clock.
    code_version : str
    profiles : tuple of ProfileFacts
    examined : tuple of Examined
    widths : tuple of WidthCount
        Of the examined cells, all of them.
    exposed : tuple of ExposedCell
        At most ten, the most exposed first.
    public_totals : tuple of str
        Figures of others that the attacker was taken to know, in words.
    insider : bool
        Whether somebody was assumed who knows their own record.
    ledger_head : str
        Of what had been released before.
    earlier_releases : int
    solver : Solver
    lost : Lost
    coarsened : tuple of CoarsenedCell
    publicly_exposed : tuple of PubliclyExposed
        Not among the examined.
    withheld : tuple of Withheld
    failures : int
        Must be 0.
    not_promised : tuple of str
    """

    release_id: str
    candidate: str
    region_id: str
    region_title: str
    synthetic: str
    made_on: dt.date
    code_version: str
    profiles: tuple[ProfileFacts, ...]
    examined: tuple[Examined, ...]
    widths: tuple[WidthCount, ...]
    exposed: tuple[ExposedCell, ...]
    public_totals: tuple[str, ...]
    insider: bool
    ledger_head: str
    earlier_releases: int
    solver: Solver
    lost: Lost
    coarsened: tuple[CoarsenedCell, ...] = ()
    publicly_exposed: tuple[PubliclyExposed, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    failures: int = 0
    not_promised: tuple[str, ...] = NOT_PROMISED


def check_facts(facts: CertificateFacts) -> None:
    """Refuse facts that no certificate may state.

    Raises
    ------
    DisclosureError
        If a cell fails, an interval is narrower than its profile demands, the widths do not account
        for every examined cell, or more than ten cells are named as the most exposed.
    """
    if facts.failures:
        raise DisclosureError(
            f"{facts.failures:,} sensitive cells fail; there is no certificate for that",
            "Give them for larger areas and examine the release again",
        )
    demanded = {p.name: p.width for p in facts.profiles}
    named = {c.profile for c in facts.examined} | {w.profile for w in facts.widths}
    unknown = named - demanded.keys()
    if unknown:
        raise DisclosureError("Cells were examined under a profile the certificate does not name")
    narrow = sum(
        w.cells for w in facts.widths if w.width is not None and w.width < demanded[w.profile]
    )
    if narrow:
        raise DisclosureError(
            f"{narrow:,} intervals are narrower than their profile demands, yet none is said to "
            "fail",
            "Examine the release again",
        )
    if _totals((e.profile, e.cells) for e in facts.examined) != _totals(
        (w.profile, w.cells) for w in facts.widths
    ):
        raise DisclosureError("The widths do not account for every cell that was examined")
    if len(facts.exposed) > MOST_EXPOSED:
        raise DisclosureError(f"More than {MOST_EXPOSED} cells are named as the most exposed")


def narrowest(widths: Iterable[WidthCount]) -> int | None:
    """Return the narrowest width; None where nothing has an upper bound."""
    return min((w.width for w in widths if w.width is not None and w.cells), default=None)


def certificate_json(facts: CertificateFacts) -> bytes:
    """Write the certificate for machines: the same facts give the same bytes.

    Raises
    ------
    DisclosureError
        If the facts are not fit to be stated; see `check_facts`.
    """
    check_facts(facts)
    text = json.dumps(_content(facts), ensure_ascii=False, indent=1, allow_nan=False)
    return (text + "\n").encode()


def certificate_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every certificate obeys."""
    schema: dict[str, Any] = json.loads(_SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def _content(facts: CertificateFacts) -> dict[str, Any]:
    lost = facts.lost
    return {
        "schema": SCHEMA,
        "release": facts.release_id,
        "candidate": facts.candidate,
        "region": {"id": facts.region_id, "title": facts.region_title},
        "synthetic": facts.synthetic or None,
        "made_on": facts.made_on.isoformat(),
        "code_version": facts.code_version,
        "result": {"failures": facts.failures, "narrowest_interval": narrowest(facts.widths)},
        "profiles": [
            {"name": p.name, "title": p.title, "in_words": p.in_words, "rules": [*p.rules],
             "least_width": p.width}
            for p in facts.profiles
        ],
        "sensitive_cells": [
            {"indicator": e.indicator, "title": e.title, "level": e.level, "profile": e.profile,
             "cells": e.cells}
            for e in facts.examined
        ],
        "interval_widths": [
            {"profile": w.profile, "width": w.width, "cells": w.cells}
            for w in sorted(facts.widths, key=width_order)
        ],
        "most_exposed": [
            {**_where(c.area_code, c.area_name, c.indicator, c.period), "width": c.width}
            for c in facts.exposed
        ],
        "assumed_known": {"public_totals": [*facts.public_totals], "insider": facts.insider,
                          "profiles": True, "earlier_releases": facts.earlier_releases},
        "ledger": {"head": facts.ledger_head, "earlier_releases": facts.earlier_releases},
        "solver": {
            "name": facts.solver.name, "version": facts.solver.version,
            "tolerances": dict(sorted(facts.solver.tolerances)),
            "linear_programmes": facts.solver.linear_programmes,
            "integer_programmes": facts.solver.integer_programmes,
        },
        "coarsened": [
            {**_where(c.area_code, c.area_name, c.indicator, c.period), "to": c.to,
             "to_code": c.to_code, "reason": c.reason}
            for c in facts.coarsened
        ],
        "exposed_by_public_knowledge_alone": [
            {**_where(c.area_code, c.area_name, c.indicator, c.period), "known_from": c.known_from}
            for c in facts.publicly_exposed
        ],
        "information_lost": {
            "cells": lost.cells, "hidden": lost.hidden, "coarsened": lost.coarsened,
            "share_per_cent": lost.share(), "hidden_total_about": lost.hidden_sum(),
            "mean_absolute_change_about": lost.changed_by(),
        },
        "withheld": [
            {"lsoa21cd": w.lsoa21cd, "name": w.name, "cells": w.cells}
            for w in sorted(facts.withheld, key=lambda w: w.lsoa21cd)
        ],
        "not_promised": [*facts.not_promised],
    }  # fmt: skip


def width_order(width: WidthCount) -> tuple[str, float]:
    """Return what widths are sorted by: profile, then width, those without bound last."""
    return width.profile, math.inf if width.width is None else width.width


def _where(area_code: str, area_name: str, indicator: str, period: str) -> dict[str, str]:
    return {"area_code": area_code, "area_name": area_name, "indicator": indicator,
            "period": period}  # fmt: skip


def _totals(counted: Iterable[tuple[str, int]]) -> Counter[str]:
    cells: Counter[str] = Counter()
    for profile, number in counted:
        cells[profile] += number
    return +cells
