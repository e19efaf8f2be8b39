"""``indicators/*.yaml``: what is published, from which counts, with which interval.

Belongs here: the model of one indicator file. Does not belong here: the expressions in it
(``expressions.py``), the method of an index (``indices.py``), rules over several files
(``consistency.py``), or the statistics themselves (``indicators/``).

Counted indicators (``count``, ``rate``, ``share``) are made from counts, protected and attacked.
All others are made from figures that are published: a ``statistic`` from open data, the rest from
the protected figures of other indicators, so that they tell nothing more than those do.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import Break, CountProfile, Declaration, Identifier, IndicatorIdentifier
from declarations.expressions import Term
from declarations.indices import IndexMethod

Level = Literal["lsoa21", "msoa21", "lad24"]
Theme = Literal["homelessness", "social_care", "digital_inclusion", "context"]
Kind = Literal[
    "count", "rate", "share", "statistic", "composite", "standardised", "expected", "median"
]
Basis = Literal[
    "last_settled", "applied_from", "placement", "registered", "place_of_event", "residence", "none"
]

COUNTED: frozenset[str] = frozenset({"count", "rate", "share"})
"""Kinds that are made from counts, and so are protected and attacked."""

DERIVED: frozenset[str] = frozenset({"composite", "standardised", "expected", "median"})
"""Kinds that are made from the published figures of other indicators."""

KEY_OF_KIND = {
    "statistic": "statistic", "composite": "index", "standardised": "standardised",
    "expected": "expected", "median": "median",
}  # fmt: skip
"""The key that says how an indicator of a kind is made."""


class Output(Declaration):
    """One level at which an indicator is published, and the length of its period."""

    level: Level
    window: Literal["month", "quarter", "year", "latest"]


class Stratum(Declaration):
    """One age group, or other group, of a directly standardised rate."""

    title: str
    indicator: IndicatorIdentifier = Field(description="Rate of the group, published by itself.")
    weight: float = Field(gt=0, description="People of the standard population in the group.")


class Standardised(Declaration):
    """A directly standardised rate, from published rates of its groups."""

    standard: str = Field(description="The standard population, for example ESP 2013.")
    strata: list[Stratum] = Field(min_length=2)


class ExpectedStratum(Declaration):
    """One group whose rate in the whole region says what an area's people would be expected to."""

    title: str
    rate: IndicatorIdentifier = Field(
        description="Rate of the group, published for districts over the same kind of period."
    )
    population: Term = Field(description="The group's people, from open counts.")


class NeedPredictor(Declaration):
    """An indicator of need, by which expected use is adjusted beyond the groups."""

    indicator: IndicatorIdentifier
    worse: Literal["high", "low"] = "high"
    rationale: str


class Expected(Declaration):
    """Observed against expected use: indirect standardisation over groups, adjusted for need."""

    observed: IndicatorIdentifier
    strata: list[ExpectedStratum] = Field(min_length=1)
    predictors: list[NeedPredictor] = Field(default_factory=list)
    coverage: IndicatorIdentifier | None = Field(
        default=None, description="Indicator of the service's reach, shown beside the need."
    )


class CumulativeShare(Declaration):
    """A published share of cases that lasted no longer than a limit."""

    indicator: IndicatorIdentifier
    upper: float = Field(gt=0, description="The limit, in the median's unit.")


class Median(Declaration):
    """A median, read from published shares of cases up to each of several limits."""

    shares: list[CumulativeShare] = Field(min_length=2)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        limits = [s.upper for s in self.shares]
        if limits != sorted(set(limits)):
            raise ValueError("median.shares: give the limits in rising order, each once")
        return self


class Indicator(Declaration):
    """One published indicator."""

    id: IndicatorIdentifier
    name: Identifier
    title: str
    description: str
    rationale: str
    theme: Theme
    kind: Kind
    numerator: Term | None = None
    denominator: Term | None = None
    statistic: Identifier | None = Field(
        default=None, description="Column of a 'statistics' contract that is published as it is."
    )
    index: IndexMethod | None = None
    standardised: Standardised | None = None
    expected: Expected | None = None
    median: Median | None = None
    multiplier: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    unit: str
    decimals: int = Field(default=2, ge=0, le=6)
    additivity: Literal["flow", "stock", "none"] = Field(
        description="'flow': its counts are summed over the months of a period. 'stock': the state "
        "at a period's end, never summed over time. 'none': not made from counts."
    )
    outputs: list[Output] = Field(min_length=1)
    basis: Basis = Field(
        description="Which address puts a record in an area: last settled home, the address "
        "applied from, the placement, the address registered with the agency, the place of the "
        "event, residence at a census; 'none' for what is not made from records."
    )
    interval: Literal["wilson", "byar", "dobson", "simulation", "none"]
    standardisation: Literal["none", "direct", "indirect"] = "none"
    polarity: Literal["lower_is_better", "higher_is_better", "none"]
    profile: CountProfile = "hide0-r5"
    minimum_denominator: int = Field(default=50, ge=0)
    smoothing: Literal["none", "region", "district", "neighbours"] = Field(
        default="none",
        description="Towards what an unsure figure is also shown drawn, in the table "
        "smoothed_figures: the mean of the region, of the district or of the neighbours.",
    )
    breaks: list[Break] = Field(default_factory=list)
    caveats: list[str] = Field(default_factory=list)
    sources: list[str] = Field(
        min_length=1, description="Where the definition comes from, as a reader can look it up."
    )
    purposes: list[str] = Field(
        min_length=1,
        description="Purposes that every data sharing agreement behind it must allow.",
    )
    owner: str
    version: str

    @model_validator(mode="after")
    def _made_as_its_kind_says(self) -> Self:
        ratio = self.kind in ("rate", "share")
        if ratio and not (self.numerator and self.denominator):
            raise ValueError("a rate or share has numerator and denominator")
        if self.kind == "count" and (self.numerator is None or self.denominator is not None):
            raise ValueError("a count has a numerator and no denominator")
        if not self.counted and (self.numerator or self.denominator):
            raise ValueError(f"kind: {self.kind} has no numerator and no denominator")
        for kind, key in KEY_OF_KIND.items():
            if (self.kind == kind) != (getattr(self, key) is not None):
                raise ValueError(f"{key} goes with kind: {kind}, and only with it")
        return self

    @model_validator(mode="after")
    def _interval_suits(self) -> Self:
        suited = {
            "count": {"byar", "none"},
            "rate": {"byar", "none"},
            "share": {"wilson", "none"},
            "statistic": {"none"},
            "composite": {"simulation"},
            "standardised": {"dobson"},
            "expected": {"byar"},
            "median": {"wilson", "none"},
        }[self.kind]
        if self.interval not in suited:
            raise ValueError(
                f"kind: {self.kind} takes interval: {' or '.join(sorted(suited))}, "
                f"not {self.interval}"
            )
        standardisation = {"standardised": "direct", "expected": "indirect"}.get(self.kind, "none")
        if self.standardisation != standardisation:
            raise ValueError(f"kind: {self.kind} takes standardisation: {standardisation}")
        if self.smoothing != "none" and self.kind not in ("rate", "share"):
            raise ValueError("smoothing is for rates and shares")
        return self

    @model_validator(mode="after")
    def _levels_suit(self) -> Self:
        if self.counted == (self.additivity == "none"):
            raise ValueError(
                "additivity: flow or stock goes with what is counted, none with all else"
            )
        doubled = [o for o in self.outputs if self.outputs.count(o) > 1]
        if doubled:
            raise ValueError(f"outputs: {doubled[0].level} by {doubled[0].window} stands twice")
        if self.numerator is not None and self.numerator == self.denominator:
            raise ValueError("numerator and denominator are the same counts: it is always 1")
        levels = {o.level for o in self.outputs}
        if self.kind == "composite" and levels != {"lsoa21"}:
            raise ValueError("a composite is published for LSOAs only: never averaged")
        if self.kind == "statistic" and len(levels) > 1:
            raise ValueError("a statistic is published for the one level it is given for")
        return self

    @property
    def counted(self) -> bool:
        """Whether it is made from counts, and so protected and attacked."""
        return self.kind in COUNTED

    @property
    def terms(self) -> list[Term]:
        """Its numerator and denominator, as far as it has them."""
        return [t for t in (self.numerator, self.denominator) if t is not None]

    @property
    def made_of(self) -> list[str]:
        """The indicators it is made from, in order, each once; none for what is counted."""
        found: list[str] = []
        if self.index:
            found += [i.indicator for i in self.index.inputs]
        if self.standardised:
            found += [s.indicator for s in self.standardised.strata]
        if self.expected:
            found += [self.expected.observed, *(s.rate for s in self.expected.strata)]
            found += [p.indicator for p in self.expected.predictors]
            found += [self.expected.coverage] if self.expected.coverage else []
        if self.median:
            found += [s.indicator for s in self.median.shares]
        return list(dict.fromkeys(found))

    @property
    def populations(self) -> list[Term]:
        """Open counts it needs beside other indicators."""
        return [s.population for s in self.expected.strata] if self.expected else []
