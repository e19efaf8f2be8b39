"""Expressions over declared counts: what a numerator or a denominator is the sum of.

Belongs here: the grammar of such an expression, and the model of what it says. Does not belong
here: whether a region counts what it names (``consistency.py``), or the sum itself
(``indicators/compute.py``).

An expression is a sum of measures, each whole or cut to some of its categories::

    homelessness_duties_owed[prevention, relief]
    residents_65_74 + residents_75_84 + residents_85_over
    prevention_duties_ended["Secured accommodation for 6+ months*"]

A category with anything but letters, digits, blanks, hyphens and underscores stands in double
quotes; a ``*`` at its end takes in every category that begins so. There are sums only: a difference
of two protected counts tells more than either, and could come out below zero.
"""

from __future__ import annotations

import re
from typing import Any, Self

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from declarations.base import Declaration, Identifier

INDICATOR_PATTERN = re.compile(r"[A-Z][0-9]{2}[a-z]?")
_SUMMAND = re.compile(
    r"\s*(?P<measure>[A-Za-z0-9_]+)\s*(?:\[(?P<categories>(?:[^\]\"]|\"[^\"]*\")*)\])?\s*"
)
_CATEGORY = re.compile(
    r"\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>[A-Za-z0-9_][A-Za-z0-9_ \-]*\*?))\s*"
)


class Summand(Declaration):
    """One measure of a sum."""

    measure: Identifier
    categories: list[str] | None = Field(
        default=None, description="Only these categories of the measure; all when left out."
    )

    @field_validator("measure", mode="before")
    @classmethod
    def _no_indicator(cls, value: object) -> object:
        if isinstance(value, str) and INDICATOR_PATTERN.fullmatch(value):
            raise ValueError(
                f"{value} is an indicator; a rate is made from counts, never from rates"
            )
        return value


class Term(Declaration):
    """A sum of declared measures; written as an expression such as ``a + b[one, two]``."""

    summands: list[Summand] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _from_expression(cls, value: Any) -> Any:
        return {"summands": parse(value)} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _once(self) -> Self:
        doubled = sorted({m for m in self.measures if self.measures.count(m) > 1})
        if doubled:
            raise ValueError(
                f"{', '.join(doubled)} stands twice in one sum, so that records would count twice; "
                "name a measure once, with all its categories in one pair of brackets"
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe it as it is written in a file: as a text."""
        handler(core_schema)
        return {
            "type": "string",
            "description": "A sum of declared counts, each whole or cut to some of its categories: "
            "cases_opened[web, phone] + cases_moved.",
        }

    @classmethod
    def of(cls, measures: list[str], categories: list[str] | None = None) -> Term:
        """Return the sum of measures, each cut to the same categories."""
        return cls(summands=[Summand(measure=m, categories=categories) for m in measures])

    @property
    def measures(self) -> list[str]:
        """The measures it adds up, in order."""
        return [s.measure for s in self.summands]

    def categories_of(self, measure: str) -> list[str] | None:
        """Return the categories of a measure it takes, None for all.

        Raises
        ------
        KeyError
            If the sum does not name the measure.
        """
        for summand in self.summands:
            if summand.measure == measure:
                return summand.categories
        raise KeyError(measure)

    def __str__(self) -> str:
        """Return the expression as it is written in a file."""
        return " + ".join(
            s.measure
            if s.categories is None
            else f"{s.measure}[{', '.join(_written(c) for c in s.categories)}]"
            for s in self.summands
        )


def _written(category: str) -> str:
    found = _CATEGORY.fullmatch(category)
    return category if found and found["bare"] == category else f'"{category}"'


def parse(text: str) -> list[dict[str, Any]]:
    """Return the summands of an expression.

    Raises
    ------
    ValueError
        If the text is no sum of measures, with the place where it stops being one.
    """
    found: list[dict[str, Any]] = []
    place = 0
    while True:
        match = _SUMMAND.match(text, place)
        if match is None:
            raise ValueError(f"'{text[place:].strip() or text}' names no measure")
        inner = match["categories"]
        found.append(
            {
                "measure": match["measure"],
                "categories": None if inner is None else _categories(inner, text),
            }
        )
        place = match.end()
        if place == len(text):
            return found
        if text[place] != "+":
            raise ValueError(
                f"'{text[place:].strip()}' cannot follow {match['measure']}: an expression is a "
                "sum of measures, such as a + b[one, two]; categories with other signs than "
                "letters and digits stand in double quotes"
            )
        place += 1


def _categories(inner: str, text: str) -> list[str]:
    found: list[str] = []
    place = 0
    while True:
        match = _CATEGORY.match(inner, place)
        if match is None:
            raise ValueError(
                f"'{text}': '{inner[place:].strip()}' is no list of categories; write them with "
                "commas between, those with other signs in double quotes"
            )
        found.append((match["quoted"] or match["bare"]).strip())
        place = match.end()
        if place == len(inner):
            return found
        if inner[place] != ",":
            raise ValueError(f"'{text}': a comma is missing before '{inner[place:].strip()}'")
        place += 1
