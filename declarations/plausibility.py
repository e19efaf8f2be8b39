"""``plausibility/*.yaml``: what two sources should agree on, and within what.

Belongs here: the model of one check across sources. Does not belong here: running it
(``indicators/plausibility.py``), or checks within one delivery (``contracts.py``).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import Declaration, Identifier
from declarations.expressions import Term


class Side(Declaration):
    """One of the two counts that are held against each other."""

    title: str = Field(description="What is counted, in words: households in temporary housing.")
    counts: Term = Field(description="A sum of declared measures.")
    sources: list[Identifier] | None = Field(
        default=None, description="Only what these sources count; all that count it if left out."
    )
    months_before: int = Field(
        default=0,
        ge=0,
        le=24,
        description="Take it this many months earlier, to hold a source against its own past.",
    )


class Tolerance(Declaration):
    """How far apart the two may be."""

    relation: Literal["ratio", "difference"] = Field(
        description="'ratio': left over right lies between lower and upper. 'difference': left "
        "less right does."
    )
    lower: float
    upper: float
    reason: str = Field(description="Why these limits: what is known of the two counts.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower >= self.upper:
            raise ValueError("lower must be less than upper")
        if self.relation == "ratio" and self.lower < 0:
            raise ValueError("a ratio of counts is never below 0")
        return self


class Meaning(Declaration):
    """What it may mean when the two do not agree, in words for the agencies."""

    left_larger: str
    left_smaller: str


class PlausibilityCheck(Declaration):
    """One check that two sources tell the same story."""

    id: Identifier
    title: str
    description: str
    left: Side
    right: Side
    level: Literal["lad24", "region"] = "lad24"
    period: Literal["latest_common", "same_month"] = Field(
        default="latest_common",
        description="'latest_common': the last month at which both are known; for stocks. "
        "'same_month': every month of which both tell.",
    )
    months_apart: int = Field(
        default=0,
        ge=0,
        le=36,
        description="latest_common: each side may be this many months older than the month "
        "compared, for sources that report at different times. What was delivered once serves any.",
    )
    least: int = Field(
        default=10,
        ge=0,
        description="Where both sides are below this, chance decides and the check cannot be run.",
    )
    tolerance: Tolerance
    meaning: Meaning
    owner: str

    @model_validator(mode="after")
    def _two_sides(self) -> Self:
        if self.left.model_dump(exclude={"title"}) == self.right.model_dump(exclude={"title"}):
            raise ValueError("left and right are the same counts")
        if self.period == "same_month" and self.months_apart:
            raise ValueError("months_apart goes with period: latest_common")
        return self

    @property
    def sides(self) -> tuple[Side, Side]:
        """Left and right."""
        return self.left, self.right
