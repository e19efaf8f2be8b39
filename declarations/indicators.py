"""``indicators/*.yaml``: what is published, from which counts, with which interval.

Belongs here: the model of one indicator file. Does not belong here: the statistics themselves
(``indicators/``).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import CountProfile, Declaration, Identifier, IndicatorIdentifier

Level = Literal["lsoa21", "msoa21", "lad24"]


class Term(Declaration):
    """A sum of declared measures."""

    measures: list[Identifier] = Field(min_length=1)
    categories: list[str] | None = Field(
        default=None, description="Only these categories of the measures; all when left out."
    )


class Output(Declaration):
    """One level at which an indicator is published, and the length of its period."""

    level: Level
    window: Literal["month", "quarter", "year", "latest"]


class Component(Declaration):
    """One input of a composite index."""

    indicator: IndicatorIdentifier
    component: Identifier
    weight: float = Field(gt=0)
    worse: Literal["high", "low"] = Field(description="Which end of the input is the worse one.")
    rationale: str


class Indicator(Declaration):
    """One published indicator."""

    id: IndicatorIdentifier
    name: Identifier
    title: str
    description: str
    rationale: str
    theme: Literal["homelessness", "social_care", "digital_inclusion", "context"]
    kind: Literal["rate", "share", "statistic", "composite"]
    numerator: Term | None = None
    denominator: Term | None = None
    statistic: Identifier | None = Field(
        default=None, description="Column of a 'statistics' contract that is published as it is."
    )
    components: list[Component] = Field(default_factory=list)
    multiplier: float = 1.0
    unit: str
    decimals: int = Field(default=2, ge=0, le=6)
    outputs: list[Output] = Field(min_length=1)
    interval: Literal["wilson", "byar", "none"]
    polarity: Literal["lower_is_better", "higher_is_better", "none"]
    profile: CountProfile = "hide0-r5"
    minimum_denominator: int = Field(default=50, ge=0)
    caveats: list[str] = Field(default_factory=list)
    owner: str
    version: str

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        ratio = self.kind in ("rate", "share")
        if ratio != (self.numerator is not None and self.denominator is not None):
            raise ValueError("a rate or share has numerator and denominator, and nothing else has")
        if (self.kind == "statistic") != (self.statistic is not None):
            raise ValueError("statistic goes with kind: statistic, and only with it")
        if (self.kind == "composite") != bool(self.components):
            raise ValueError("components go with kind: composite, and only with it")
        if self.kind == "share" and self.interval == "byar":
            raise ValueError("a share of a whole takes interval: wilson")
        if not ratio and self.interval != "none":
            raise ValueError("interval is for rates and shares")
        if not ratio and any(o.level != "lsoa21" for o in self.outputs):
            raise ValueError("a statistic or composite is published for LSOAs only: never averaged")
        return self
