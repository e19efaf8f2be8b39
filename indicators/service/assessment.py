"""Need against service for every area and period of one indicator.

Belongs here: bringing published figures, expected use, need and classes together, one record for
each area. Does not belong here: the layout of a published table (``derived/``).

Only published figures and open counts enter, so an assessment tells nothing that they do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from declarations.errors import ConfigurationError
from indicators.rates import ESTIMATED, HIDDEN, LOW_RELIABILITY, MISSING, NOT_APPLICABLE
from indicators.service.classes import class_of, use_against_expected
from indicators.service.figures import (
    CODE_OF,
    Figure,
    Figures,
    Period,
    Reference,
    Tables,
    latest_until,
    periods_of,
    reference_rate,
)
from indicators.service.need import (
    adjust_for_need,
    excess_variance,
    expect_by_groups,
    relative_need,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Expected, Indicator, Kind, Level, NeedPredictor

Floats = npt.NDArray[np.float64]

GROUPS_ONLY = "groups_only"
"""Note of a figure that could not be adjusted for need although it was to be."""

ADJUSTMENTS: dict[str, str] = {
    "no_predictors": "No predictors of need are declared: expected from the groups alone.",
    "too_few_areas": "Too few areas to tell what need adds: expected from the groups alone.",
    "too_many_hidden": "Too many counts are hidden to tell what need adds: expected from the "
    "groups alone.",
    "collinear": "The predictors of need do not vary, or not apart from each other: expected from "
    "the groups alone.",
    "not_converged": "The adjustment for need did not settle: expected from the groups alone.",
    "wrong_direction": "Use falls where need rises, which is no reason to expect less of it: "
    "expected from the groups alone.",
    "predictor_missing": "A predictor of need is hidden or missing here: expected from the groups "
    "alone.",
}
"""Why an area's expected use is not adjusted for need, in words."""


@dataclass(frozen=True)
class Assessment:
    """One area in one period. Counts are as published; None where unknown.

    Attributes
    ----------
    expected_groups, expected_need : float or None
        Events expected from the groups, and with the adjustment for need.
    ratio, lower, upper : float or None
        Observed over expected (with need where there is that), and Byar's 95 % interval.
    need, need_lower, need_upper : float or None
        Expected use for each person at risk, as a ratio to the region's.
    need_high, use_low, use_high : bool or None
        Beyond chance; None where it cannot be said.
    adjusted_for : tuple of str
        Indicators of need in use.
    not_adjusted : str or None
        A key of ``ADJUSTMENTS``.
    """

    period: Period
    label: str
    level: str
    code: str
    lad24cd: str
    observed: int | None
    expected_groups: float | None
    expected_need: float | None
    ratio: float | None
    lower: float | None
    upper: float | None
    need: float | None
    need_lower: float | None
    need_upper: float | None
    need_high: bool | None
    use_low: bool | None
    use_high: bool | None
    word: str
    coverage: float | None
    coverage_unit: str | None
    adjusted_for: tuple[str, ...]
    not_adjusted: str | None
    estimated: bool
    notes: tuple[str, ...]
    status: str | None

    @property
    def missing(self) -> bool:
        """Whether there is no ratio because something did not arrive."""
        return self.ratio is None and (self.status or "").startswith(MISSING)


def assess(
    tables: Tables, indicator: Indicator, declarations: RegionDeclarations
) -> list[Assessment]:
    """Assess every area of an indicator's levels in every period its observed use is published for.

    Parameters
    ----------
    tables : Tables
        With the published figures of its observed use, rates, predictors and coverage.
    indicator : Indicator
        Of kind expected.
    declarations : RegionDeclarations

    Returns
    -------
    list of Assessment
        In order of level, period and area; the order of the tables' rows does not matter.

    Raises
    ------
    ConfigurationError
        If the indicator is of another kind, or is to be made for anything but areas.
    """
    expected = _area_level_only(indicator)
    districts = {s.rate: tables.figures(s.rate, "lad24") for s in expected.strata}
    found: list[Assessment] = []
    done: set[tuple[str, Period]] = set()
    for output in indicator.outputs:
        observed = tables.figures(expected.observed, output.level)
        level = _Level(tables, indicator, expected, output.level, declarations)
        for period in periods_of(output, observed):
            if (output.level, period) not in done:
                done.add((output.level, period))
                found += level.rows(period, observed[period], districts)
    order = list(CODE_OF)
    return sorted(found, key=lambda a: (order.index(a.level), a.period, a.code))


def _area_level_only(indicator: Indicator) -> Expected:
    if indicator.expected is None:
        raise ConfigurationError(
            f"Indicator {indicator.id} has no expected use", "Give it kind: expected"
        )
    strange = sorted({o.level for o in indicator.outputs} - set(CODE_OF))
    if strange:
        raise ConfigurationError(
            f"Indicator {indicator.id} asks for need against service by {', '.join(strange)}",
            "Areas are assessed (lsoa21, msoa21, lad24), never a person or a household",
        )
    return indicator.expected


class _Level:
    """What is the same for all periods of one level: areas, people at risk, other figures."""

    def __init__(
        self, tables: Tables, indicator: Indicator, expected: Expected, level: Level,
        declarations: RegionDeclarations,
    ) -> None:  # fmt: skip
        self.expected, self.level = expected, level
        self.rate_of = {s.rate: declarations.indicators[s.rate] for s in expected.strata}
        self.least = indicator.minimum_denominator
        self.profile = declarations.indicators[expected.observed].profile
        self.areas = tables.codes(level)
        self.codes = [code for code, _ in self.areas]
        self.districts = sorted({lad for _, lad in self.areas})
        self.populations = np.column_stack([
            _column(tables.population(level, s.population), self.codes)
            for s in expected.strata
        ])  # fmt: skip
        self.predictors = [
            _Predictor(tables, p, level, expected, declarations.indicators[p.indicator].kind)
            for p in expected.predictors
        ]
        self.coverage = tables.figures(expected.coverage, level) if expected.coverage else {}

    def rows(
        self, period: Period, observed: dict[str, Figure], districts: dict[str, Figures]
    ) -> Iterator[Assessment]:
        rates = [
            reference_rate(self.rate_of[s.rate], districts[s.rate], period, self.districts)
            for s in self.expected.strata
        ]
        figures = [observed.get(code) for code in self.codes]
        counts = _floats(None if f is None else f.numerator for f in figures)
        hidden = [f is not None and f.numerator is None and not f.missing for f in figures]
        groups = expect_by_groups(
            self.populations, _floats(r.rate for r in rates), _floats(r.events for r in rates)
        )
        adjustment = adjust_for_need(groups, counts, np.array(hidden), self._predicted(period))
        need, need_lower, need_upper = relative_need(groups, adjustment)
        adjusted = ~np.isnan(adjustment.expected)
        expected = np.where(adjusted, adjustment.expected, groups.expected)
        enough = groups.people >= self.least
        use = use_against_expected(
            counts, np.where(enough, expected, np.nan), self.profile,
            excess_variance(groups, adjustment),
        )  # fmt: skip
        reached = latest_until(self.coverage, period.end)
        label = next((f.label for f in figures if f is not None), "")
        used = tuple(self.expected.predictors[k].indicator for k in adjustment.used)
        for i, (code, lad24cd) in enumerate(self.areas):
            figure, cover = figures[i], reached.get(code)
            known = not np.isnan(use.ratio[i])
            low, high = bool(use.clearly_low[i]), bool(use.clearly_high[i])
            # Rounding error may leave the region's own need a hair above 1.
            needy = None if np.isnan(need[i]) else bool(need_lower[i] > 1 + 1e-9)
            why = None if adjusted[i] else adjustment.why_not or "predictor_missing"
            yield Assessment(
                period=period,
                label=label,
                level=self.level,
                code=code,
                lad24cd=lad24cd,
                observed=figure.numerator if figure else None,
                expected_groups=_number(groups.expected[i]),
                expected_need=_number(adjustment.expected[i]),
                ratio=_number(use.ratio[i]),
                lower=_number(use.lower[i]),
                upper=_number(use.upper[i]),
                need=_number(need[i]),
                need_lower=_number(need_lower[i]),
                need_upper=_number(need_upper[i]),
                need_high=needy,
                use_low=low if known else None,
                use_high=high if known else None,
                word=class_of(known, low, high, bool(needy)),
                coverage=cover.value if cover else None,
                coverage_unit=cover.unit if cover else None,
                adjusted_for=() if why else used,
                not_adjusted=why,
                estimated=bool(figure and figure.estimated),
                notes=_notes(figure, rates, why),
                status=_status(figure, rates, self.populations[i], expected[i], bool(enough[i])),
            )

    def _predicted(self, period: Period) -> Floats:
        if not self.predictors:
            return np.empty((len(self.codes), 0))
        return np.column_stack([p.values(period, self.codes) for p in self.predictors])


class _Predictor:
    """One predictor of need at one level, oriented so that a higher value is more need."""

    def __init__(
        self, tables: Tables, predictor: NeedPredictor, level: Level, expected: Expected, kind: Kind
    ) -> None:
        self.sign = 1.0 if predictor.worse == "high" else -1.0
        self.figures = tables.figures(predictor.indicator, level)
        self.parts: dict[str, list[tuple[str, float | None]]] = {}
        if level != "lsoa21" and not self.figures and kind == "statistic":
            # The publishers of the Indices of Deprivation sum a larger area up as the mean of its
            # LSOAs' scores, weighted by people; nothing else is averaged.
            self.figures = tables.figures(predictor.indicator, "lsoa21")
            self.parts = _parts(tables, level, expected)

    def values(self, period: Period, codes: list[str]) -> Floats:
        found = latest_until(self.figures, period.end)
        if not self.parts:
            return self.sign * _column({c: f.value for c, f in found.items()}, codes)
        return self.sign * np.array([self._mean(found, self.parts[code]) for code in codes])

    def _mean(self, found: dict[str, Figure], parts: list[tuple[str, float | None]]) -> float:
        values = _column({c: f.value for c, f in found.items()}, [c for c, _ in parts])
        weights = _floats(w for _, w in parts)
        whole = weights.sum()
        # NaN where any LSOA has no figure: a mean over the others would be of another place.
        return float(values @ weights / whole) if whole > 0 else float("nan")


def _parts(
    tables: Tables, level: Level, expected: Expected
) -> dict[str, list[tuple[str, float | None]]]:
    """Return each area's LSOAs with the people at risk in them."""
    populations = [tables.population("lsoa21", s.population) for s in expected.strata]
    return {
        code: [(lsoa, _whole([p.get(lsoa) for p in populations])) for lsoa in lsoas]
        for code, lsoas in tables.lsoas_of(level).items()
    }


def _whole(parts: list[float | None]) -> float | None:
    known = [p for p in parts if p is not None]
    return sum(known) if len(known) == len(parts) else None


def _column(values: dict[str, float | None], codes: list[str]) -> Floats:
    return _floats(values.get(code) for code in codes)


def _floats(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _notes(
    figure: Figure | None, rates: list[Reference], not_adjusted: str | None
) -> tuple[str, ...]:
    found = set(figure.notes if figure else ())
    found |= {note for rate in rates for note in rate.notes}
    if not_adjusted and not_adjusted != "no_predictors":
        found.add(GROUPS_ONLY)
    return tuple(sorted(found))


def _status(
    figure: Figure | None, rates: list[Reference], people: Floats, expected: float, enough: bool
) -> str | None:
    """Return the marker of a row: why there is no ratio, the first that applies; or [e]."""
    if figure is None or figure.missing:
        return MISSING
    if figure.numerator is None:
        return figure.status or HIDDEN
    if any(r.rate is None for r in rates):
        return HIDDEN if any(r.hidden for r in rates) else MISSING
    if np.isnan(people).any():
        return MISSING
    if not enough:
        return LOW_RELIABILITY
    if not expected > 0:
        return NOT_APPLICABLE
    return ESTIMATED if figure.estimated else None
