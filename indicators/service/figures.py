"""The published figures and open counts that need against service is worked out from.

Belongs here: reading them by area and period. Does not belong here: any arithmetic on them beyond a
sum. What is read has been published (or is open), so nothing made from it tells more.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from declarations.base import month_index, period_of
from geography.sql import ident
from indicators.notes import SEPARATOR
from indicators.windows import MONTHS_IN

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

    from declarations.expressions import Term
    from declarations.indicators import Indicator, Level, Output

CODE_OF: dict[str, str] = {"lsoa21": "lsoa21cd", "msoa21": "msoa21cd", "lad24": "lad24cd"}
"""Column of ``areas`` that holds the code of each level: areas only, there is none for a person."""

NOT_SUPPLIED = "not_supplied"
PERIOD_OFFSET = "period_offset"


class Period(NamedTuple):
    """A stretch of whole months, by its first and last day."""

    start: dt.date
    end: dt.date

    @property
    def months(self) -> int:
        """How many months it holds."""
        return month_index(period_of(self.end)) - month_index(period_of(self.start)) + 1


class Figure(NamedTuple):
    """One published figure of one area."""

    label: str
    numerator: int | None
    denominator: int | None
    value: float | None
    estimated: bool
    missing: bool
    status: str | None
    note_id: str | None
    unit: str | None

    @property
    def notes(self) -> frozenset[str]:
        """The identifiers of its notes."""
        return frozenset(self.note_id.split(SEPARATOR) if self.note_id else ())


class Reference(NamedTuple):
    """A group's rate in the whole region.

    ``rate`` is None where it is unknown; ``hidden`` then says whether because a district's figure
    is hidden. ``events`` is what the rate rests on.
    """

    rate: float | None
    events: float
    hidden: bool
    notes: frozenset[str]


Figures = dict[Period, dict[str, Figure]]
"""Figures of one indicator at one level, by period and area."""


@dataclass(frozen=True)
class Tables:
    """Where figures and counts are read from.

    Attributes
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        The published figures, with the columns of ``RATE_COLUMNS``.
    areas : str
        Table ``lsoa21cd, msoa21cd, lad24cd``: every LSOA of the region once.
    open_counts : str
        Table ``lsoa21cd, measure, category, value``: counts under an open licence.
    """

    con: duckdb.DuckDBPyConnection
    shown: str
    areas: str
    open_counts: str

    def codes(self, level: Level) -> list[tuple[str, str]]:
        """Return code and district of every area of a level, in order of code."""
        code = ident(CODE_OF[level])
        return self.con.execute(
            f"SELECT {code}, min(lad24cd) FROM {ident(self.areas)} GROUP BY 1 ORDER BY 1"
        ).fetchall()

    def lsoas_of(self, level: Level) -> dict[str, list[str]]:
        """Return the LSOAs of every area of a level, in order of code."""
        rows = self.con.execute(
            f"SELECT {ident(CODE_OF[level])}, list(lsoa21cd ORDER BY lsoa21cd) "
            f"FROM {ident(self.areas)} GROUP BY 1 ORDER BY 1"
        ).fetchall()
        return dict(rows)

    def figures(self, indicator_id: str, level: Level) -> Figures:
        """Return an indicator's published figures of one level."""
        rows = self.con.execute(
            "SELECT period_start, period_end, geography_code, period_label, numerator, "
            "denominator, value, estimated, missing, value_status, note_id, unit "
            f"FROM {ident(self.shown)} WHERE indicator_id = $1 AND geography_type = $2 "
            "ORDER BY ALL",
            [indicator_id, level],
        ).fetchall()
        found: Figures = {}
        for start, end, code, *figure in rows:
            found.setdefault(Period(start, end), {})[code] = Figure(*figure)
        return found

    def population(self, level: Level, term: Term) -> dict[str, float | None]:
        """Return the people of a group in every area of a level, from open counts.

        Parameters
        ----------
        level : {'lsoa21', 'msoa21', 'lad24'}
        term : Term
            What is summed. A category that ends in ``*`` stands for all that begin so.

        Returns
        -------
        dict of str to float or None
            By area. An area without a row of a measure that others have counts 0; where a measure
            is not counted at all, or a count is NULL, the sum is unknown: None.
        """
        code = ident(CODE_OF[level])
        rows = self.con.execute(
            population_sql(self.open_counts, self.areas, code), _summands(term)
        ).fetchall()
        return dict(rows)


def periods_of(output: Output, figures: Figures) -> list[Period]:
    """Return the periods of a kind that figures are there for, oldest first."""
    if output.window == "latest":
        last = max((p.end for p in figures), default=None)
        # Of a month and a year that end together the longer one is the steadier.
        return [min(p for p in figures if p.end == last)] if last else []
    return sorted(p for p in figures if p.months == MONTHS_IN[output.window])


def latest_until(figures: Figures, end: dt.date) -> dict[str, Figure]:
    """Return the figures of the last period that ends by a day and has any value."""
    usable = [
        p for p, found in figures.items()
        if p.end <= end and any(f.value is not None for f in found.values())
    ]  # fmt: skip
    if not usable:
        return {}
    last = max(p.end for p in usable)
    return figures[min(p for p in usable if p.end == last)]


def reference_rate(
    indicator: Indicator, districts: Figures, period: Period, codes: Iterable[str]
) -> Reference:
    """Return the region's rate of a group: events of all districts over their people.

    Parameters
    ----------
    indicator : Indicator
        The group's rate.
    districts : dict
        Its published district figures.
    period : Period
        Where districts are published for shorter periods only, those that end within it and are
        together as long stand for it: a flow is summed over them, a stock is taken at the last.
    codes : iterable of str
        Every district of the region. One whose figure is hidden or incomplete leaves the rate
        unknown; one that no agency supplies stays outside, as do its areas.
    """
    tiles = _tiles(indicator, districts, period)
    if not tiles:
        return Reference(None, 0.0, False, frozenset())
    whole = list(codes)
    notes = {PERIOD_OFFSET} if tiles[0].start != period.start or tiles[-1].end != period.end \
        else set()  # fmt: skip
    events, people, hidden = 0.0, 0.0, False
    for tile in tiles:
        for code in whole:
            figure = districts[tile].get(code)
            if figure is not None and NOT_SUPPLIED in figure.notes and figure.missing:
                continue
            if figure is None or figure.numerator is None or not figure.denominator:
                hidden = hidden or (figure is not None and not figure.missing)
                return Reference(None, 0.0, hidden, frozenset(notes))
            events += figure.numerator
            # A rate for the whole period: its people are counted once, not once a quarter.
            people += figure.denominator / len(tiles)
            notes |= figure.notes
    rate = events / people if people else None
    return Reference(rate, events, False, frozenset(notes))


def _tiles(indicator: Indicator, districts: Figures, period: Period) -> list[Period]:
    if period in districts:
        return [period]
    inside = sorted(p for p in districts if period.start <= p.end <= period.end)
    if indicator.additivity == "stock":
        return inside[-1:]
    for length in sorted({p.months for p in inside}, reverse=True):
        found = [p for p in inside if p.months == length]
        if len(found) * length == period.months:
            return found
    return []


def _summands(term: Term) -> dict[str, list[object]]:
    wanted = [
        (s.measure, category.lower().removesuffix("*"), category.endswith("*"))
        for s in term.summands
        for category in (s.categories if s.categories is not None else ["*"])
    ]
    return {
        "measure": [w[0] for w in wanted],
        "category": [w[1] for w in wanted],
        "prefix": [w[2] for w in wanted],
    }


def population_sql(open_counts: str, areas: str, code: str) -> str:
    """Return the statement that sums a group's people over each area."""
    return f"""
WITH wanted AS (
    SELECT unnest($measure::VARCHAR[]) AS measure, unnest($category::VARCHAR[]) AS category,
           unnest($prefix::BOOLEAN[]) AS is_prefix
), chosen AS (
    SELECT DISTINCT c.measure, coalesce(c.category, 'all') AS category
    FROM {ident(open_counts)} AS c
    JOIN wanted AS w ON w.measure = c.measure
     AND (lower(coalesce(c.category, 'all')) = w.category
          OR (w.is_prefix AND starts_with(lower(coalesce(c.category, 'all')), w.category)))
), whole AS (
    -- A measure that is not counted at all leaves every sum unknown.
    SELECT count(DISTINCT w.measure) = count(DISTINCT c.measure) AS complete
    FROM wanted AS w LEFT JOIN chosen AS c USING (measure)
), summed AS (
    SELECT c.lsoa21cd, sum(c.value)::DOUBLE AS people, bool_or(c.value IS NULL) AS unknown
    FROM {ident(open_counts)} AS c
    JOIN chosen AS h ON h.measure = c.measure AND h.category = coalesce(c.category, 'all')
    GROUP BY c.lsoa21cd
)
SELECT a.{code},
       CASE WHEN bool_and(w.complete) AND NOT coalesce(bool_or(s.unknown), false)
            THEN coalesce(sum(s.people), 0) END AS people
FROM {ident(areas)} AS a CROSS JOIN whole AS w LEFT JOIN summed AS s USING (lsoa21cd)
GROUP BY 1 ORDER BY 1
"""
