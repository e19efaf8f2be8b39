"""What an identifier is turned into at intake, so that it need not be stored.

Belongs here: the kinds of coarsening and their parameters. Does not belong here: the SQL of it
(``intake/coarsening.py``), or whether an agreement wants it (action ``generalise``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import Declaration, Identifier

CoarsenedTo = Literal["age_band", "presence"]

UNKNOWN_AGE = "Unknown"
"""The age band of a person whose date of birth is missing, lies after the day asked about, or makes
them older than anybody: such a date stands for one that nobody knew."""


class Coarsening(Declaration):
    """What becomes of a column that an agreement has generalised, other than finding a place."""

    to: CoarsenedTo = Field(
        description="'age_band': a date of birth becomes the band of the age on a day. 'presence': "
        "whether there was a value at all."
    )
    into: Identifier = Field(description="Name of the column that is stored instead.")
    at: Identifier | None = Field(
        default=None, description="age_band: the date column with the day of the age."
    )
    bands: list[int] = Field(
        default_factory=list, description="age_band: the lower age of each band, from 0."
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if {bool(self.at), bool(self.bands)} != {self.to == "age_band"}:
            raise ValueError("at and bands go with to: age_band, and only with it")
        if self.bands and (self.bands[0] != 0 or self.bands != sorted(set(self.bands))):
            raise ValueError("bands begin with 0 and rise, each once")
        if self.bands and len(self.bands) < 2:
            raise ValueError("bands: give at least two")
        return self

    @property
    def type(self) -> Literal["text", "boolean"]:
        """The type of the column that is stored instead."""
        return "boolean" if self.to == "presence" else "text"

    @property
    def labels(self) -> list[str]:
        """The bands in words, youngest first: 'Under 18', '18-24', ..., '95+'."""
        lower = self.bands
        middle = [f"{a}-{b - 1}" for a, b in pairwise(lower[1:])]
        return [f"Under {lower[1]}", *middle, f"{lower[-1]}+"]
