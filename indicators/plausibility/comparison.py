"""One check in one place: which months are compared, and what comes of it.

Belongs here: adding exact counts up and holding the two sides against each other. Does not belong
here: which checks there are (``which.py``), or what may be published (``results.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from declarations.base import month_index, month_of
from declarations.plausibility import PlausibilityCheck, Side
from geography.sql import ident
from indicators.plausibility.which import is_supplied, suppliers

if TYPE_CHECKING:
    import duckdb

    from declarations.contracts import Source
    from declarations.declared import RegionDeclarations

PASSED, FAILED, COULD_NOT_RUN = "passed", "failed", "could_not_run"

AGREE = "The two agree within the tolerance."
NO_COMMON_MONTH = (
    "There is no month for which every source of both counts delivered; see which delivery is "
    "missing."
)
NO_SOURCE = "No source of this district gives one of the two counts."
HIDDEN_COUNT = "A count came hidden from its supplier, so that the sum is not known."
OTHER_LENGTH = "The sources report for months of different number, which cannot be compared."
TOO_FEW = "Both counts are so small that chance decides."


@dataclass(frozen=True)
class Total:
    """A sum, and whether a hidden count is part of it."""

    value: int
    hidden: bool


Key = tuple[str, str, str, str, str]
"""source_id, measure, category, period, district of the place ('' where it is unknown)."""


def totals_sql(counts: str, areas: str) -> str:
    """Return the statement that adds counts up by source, measure, category, month and district."""
    return f"""
SELECT c.source_id, c.measure, lower(coalesce(c.category, 'all')), coalesce(c.period, ''),
       coalesce(a.lad24cd, CASE WHEN c.lsoa21cd IS NULL THEN c.lad24cd END, ''),
       coalesce(sum(c.value), 0)::BIGINT, bool_or(c.value IS NULL)
FROM {ident(counts)} AS c
LEFT JOIN {ident(areas)} AS a USING (lsoa21cd)
WHERE list_contains($measures::VARCHAR[], c.measure)
GROUP BY ALL
"""


def read_totals(
    con: duckdb.DuckDBPyConnection, counts: str, areas: str, measures: list[str]
) -> dict[tuple[str, str], dict[Key, Total]]:
    """Return the sums by source and measure."""
    found: dict[tuple[str, str], dict[Key, Total]] = {}
    rows = con.execute(totals_sql(counts, areas), {"measures": measures}).fetchall()
    for source, measure, category, period, place, value, hidden in rows:
        key = (source, measure, category, period, place)
        found.setdefault((source, measure), {})[key] = Total(value, hidden)
    return found


class Comparison:
    """One check in one place."""

    def __init__(
        self,
        check: PlausibilityCheck,
        declarations: RegionDeclarations,
        delivered: Mapping[str, set[str]],
        totals: Mapping[tuple[str, str], Mapping[Key, Total]],
        places: tuple[str | None, tuple[str, ...]],
    ) -> None:
        self.check, self.declarations = check, declarations
        self.delivered, self.totals = delivered, totals
        self.lad24cd, self.districts = places

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each month that is compared, or one that says why there is none."""
        if not self.districts or not all(
            is_supplied(self.check, self.declarations, lad) for lad in self.districts
        ):
            return [self._row(None, None, None, COULD_NOT_RUN, NO_SOURCE)]
        if self.check.period == "same_month" and len(self._lengths()) > 1:
            return [self._row(None, None, None, COULD_NOT_RUN, OTHER_LENGTH)]
        months = [m for m in self._candidates() if self._known(m)]
        if not months:
            return [self._row(None, None, None, COULD_NOT_RUN, NO_COMMON_MONTH)]
        if self.check.period == "latest_common":
            months = months[-1:]
        return [self._compared(month) for month in months]

    def _uses(self, side: Side) -> list[tuple[str, Source]]:
        return [
            (measure, source)
            for measure in side.counts.measures
            for source in suppliers(side, measure, self.declarations)
            if source.lad24cd is None or source.lad24cd in self.districts
        ]

    def _lengths(self) -> set[int]:
        return {
            source.months
            for side in self.check.sides
            for measure, source in self._uses(side)
            if self.declarations.measure(measure).additivity == "flow"
        }

    def _candidates(self) -> list[str]:
        """Return the months that may be compared, oldest first."""
        found: set[str] = set()
        for side in self.check.sides:
            for _, source in self._uses(side):
                periods = self.delivered.get(source.id, set()) - {""}
                if source.cadence == "once":
                    there = source.period is not None and source.id in self.delivered
                    periods = {source.period or ""} if there else set()
                found |= {month_of(month_index(p) + side.months_before) for p in periods}
        return sorted(found)

    def _known(self, month: str) -> bool:
        return all(
            self._period(source, side, month) is not None
            for side in self.check.sides
            for _, source in self._uses(side)
        )

    def _period(self, source: Source, side: Side, month: str) -> str | None:
        """Return the delivery that stands for a month, '' for one that serves any; None if none."""
        periods = self.delivered.get(source.id, set())
        if source.cadence == "once":
            return "" if periods else None
        last = month_index(month) - side.months_before
        usable = [p for p in periods if p and 0 <= last - month_index(p) <= self.check.months_apart]
        return max(usable, default=None)

    def _compared(self, month: str) -> dict[str, Any]:
        left, right = (self._sum(side, month) for side in self.check.sides)
        if left is None or right is None:
            return self._row(month, left, right, COULD_NOT_RUN, HIDDEN_COUNT)
        if max(left, right) < self.check.least:
            return self._row(month, left, right, COULD_NOT_RUN, TOO_FEW)
        side = _beyond(self.check, left, right)
        if side == 0:
            return self._row(month, left, right, PASSED, AGREE)
        meaning = self.check.meaning.left_larger if side > 0 else self.check.meaning.left_smaller
        return self._row(month, left, right, FAILED, meaning)

    def _sum(self, side: Side, month: str) -> int | None:
        whole = 0
        for measure, source in self._uses(side):
            period = self._period(source, side, month)
            wanted = side.counts.categories_of(measure)
            for (_, _, category, found, place), total in self.totals.get(
                (source.id, measure), {}
            ).items():
                if period not in ("", found) or not _wanted(category, wanted):
                    continue
                if source.lad24cd is None and place not in self.districts:
                    continue
                if total.hidden:
                    return None
                whole += total.value
        return whole

    def _row(
        self, month: str | None, left: int | None, right: int | None, outcome: str, meaning: str
    ) -> dict[str, Any]:
        ratio = left / right if left is not None and right else None
        tolerance = self.check.tolerance
        return {
            "check_id": self.check.id, "title": self.check.title, "lad24cd": self.lad24cd,
            "period": month, "left": left, "right": right, "ratio": ratio,
            "lower": tolerance.lower, "upper": tolerance.upper,
            "outcome": outcome, "meaning": meaning,
        }  # fmt: skip


def _beyond(check: PlausibilityCheck, left: int, right: int) -> int:
    """Return 1 where left is too large, -1 where it is too small, 0 within the tolerance."""
    tolerance = check.tolerance
    if tolerance.relation == "difference":
        apart = float(left - right)
    else:
        # Something against nothing is beyond any limit.
        apart = left / right if right else float("inf")
    return int(apart > tolerance.upper) - int(apart < tolerance.lower)


def _wanted(category: str, wanted: list[str] | None) -> bool:
    if wanted is None:
        return True
    return any(
        category.startswith(w.lower().removesuffix("*"))
        if w.endswith("*")
        else category == w.lower()
        for w in wanted
    )
