"""What is counted in a contract's rows: one declared, additive measure after another.

Belongs here: the model of ``counts`` in a contract file. Does not belong here: the layout the rows
have (``contracts.py``), or the SQL of a count (``indicators/counting.py``).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import Declaration, Identifier

NO_CATEGORY, UNKNOWN_CATEGORY = "all", "Not known"
"""Category of a count that is not broken down, and of rows whose category is missing."""

TRUTH = ("true", "false")
"""Categories of a count that is broken down by yes and no."""


class Bands(Declaration):
    """Into how many days a row's stretch of time falls: what breaks a count down by duration."""

    start: Identifier
    end: Identifier
    limits: list[int] = Field(
        min_length=1,
        description="The most days of each band, in rising order; beyond the last is "
        "a band of its own.",
    )
    unit: Literal["days", "nights"] = "days"

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.limits != sorted(set(self.limits)) or self.limits[0] < 1:
            raise ValueError("bands.limits: whole numbers from 1, in rising order, each once")
        return self

    @property
    def labels(self) -> list[str]:
        """The category of each band, in order: "up to 42 days", "43 to 182 days", ..."""
        first, *others = self.limits
        between = [
            f"{low + 1} to {high} {self.unit}"
            for low, high in zip(self.limits, others, strict=False)
        ]
        last = f"more than {self.limits[-1]} {self.unit}"
        return [f"up to {first} {self.unit}", *between, last]


class Count(Declaration):
    """One additive measure made from the rows of a contract."""

    measure: Identifier
    title: str
    unit: str
    additivity: Literal["flow", "stock"] = Field(
        description="'flow': summed over months. 'stock': the state at the period's end."
    )
    where: dict[Identifier, list[str]] = Field(
        default_factory=dict, description="Only rows whose column has one of these values."
    )
    not_null: list[Identifier] = Field(default_factory=list)
    during: Identifier | None = Field(
        default=None, description="Only rows whose date lies in the delivery's own months."
    )
    open_at_end: list[Identifier] = Field(
        default_factory=list, description="[start, end]: only rows open on the period's last day."
    )
    open_longer_than: int | None = Field(
        default=None,
        ge=1,
        description="Of the rows open on the period's last day, only those that began more than so "
        "many days before it.",
    )
    bands: Bands | None = Field(
        default=None, description="Break it down by how long a row lasted, instead of by category."
    )
    category: Identifier | None = Field(default=None, description="Column that breaks it down.")
    distinct: Identifier | None = Field(
        default=None, description="Count different values of this column instead of rows."
    )
    value: Identifier | None = Field(default=None, description="Sum this column instead of rows.")
    latest: Identifier | None = Field(
        default=None,
        description="With distinct: a date column. Each value then counts once, in the area and "
        "category of its latest row.",
    )
    estimated: bool = Field(default=False, description="The measure is modelled: marked [e].")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.distinct and self.value:
            raise ValueError("give distinct or value, not both")
        if self.latest and not self.distinct:
            raise ValueError("latest goes with distinct")
        if self.open_at_end and len(self.open_at_end) != 2:
            raise ValueError("open_at_end is [start column, end column]")
        if self.open_at_end and self.additivity == "flow":
            raise ValueError("what is open at the period's end is a stock")
        if self.open_longer_than and not self.open_at_end:
            raise ValueError("open_longer_than goes with open_at_end")
        if self.bands and (self.category or self.distinct):
            raise ValueError("bands stand alone: without category and distinct")
        return self

    @property
    def columns(self) -> set[str]:
        """Every column without which it cannot be counted."""
        single = (self.during, self.category, self.distinct, self.value, self.latest)
        span = (self.bands.start, self.bands.end) if self.bands else ()
        return {*self.where, *self.not_null, *self.open_at_end, *span, *(c for c in single if c)}
