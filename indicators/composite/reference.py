"""Published indices whose method is reproduced: the files of ``methods/`` and their model.

Belongs here: reading such a file. Does not belong here: their data, which stay with their
publishers, or our own indices (``indicators/catalogue/``).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from declarations.base import Declaration, Identifier
from declarations.errors import ConfigurationError
from declarations.indices import Aggregation, Normalisation
from declarations.loader import read_declaration
from indicators.composite.recipe import Part, Recipe

METHODS = Path(__file__).parent / "methods"
"""Folder of the method files."""


class ReferenceInput(Declaration):
    """One input, by the name its values are given under."""

    name: Identifier
    weight: float = Field(gt=0)
    worse: Literal["high", "low"]


class ReferenceComponent(Declaration):
    """A group of inputs."""

    name: Identifier
    weight: float = Field(gt=0)
    inputs: list[ReferenceInput] = Field(min_length=1)


class ReferenceMethod(Declaration):
    """The method of an index others publish."""

    id: Identifier
    title: str
    version: str
    source: str = Field(description="Where the method is published.")
    normalisation: Normalisation | Literal["given_ranks"]
    aggregation: Aggregation
    scale: float = Field(gt=0)
    divisor: float | None = Field(
        default=None, gt=0, description="What the weighted sum is divided by, if not the weights."
    )
    least_weight: float = Field(gt=0, le=1)
    components: list[ReferenceComponent] = Field(min_length=1)

    @property
    def recipe(self) -> Recipe:
        """Its rules; areas are compared among all that are given."""
        return Recipe(
            inputs=tuple(
                Part(name=i.name, component=c.name, weight=i.weight, worse=i.worse)
                for c in self.components
                for i in c.inputs
            ),
            components={c.name: c.weight for c in self.components},
            normalisation=self.normalisation,
            aggregation=self.aggregation,
            scale=self.scale,
            least_weight=self.least_weight,
            divisor=self.divisor,
        )


@cache
def reference_methods() -> dict[str, ReferenceMethod]:
    """Read every method, by identifier.

    Raises
    ------
    ConfigurationError
        If a file is malformed.
    """
    found = (read_declaration(path, ReferenceMethod) for path in sorted(METHODS.glob("*.yaml")))
    return {method.id: method for method in found}


def reference_method(identifier: str) -> ReferenceMethod:
    """Return one method: ``imd``, ``deri_v1_2`` or ``deri_v1_6``.

    Raises
    ------
    ConfigurationError
        If there is none of that name.
    """
    found = reference_methods().get(identifier)
    if found is None:
        raise ConfigurationError(
            f"There is no reference method {identifier}", f"Use one of {', '.join(_names())}"
        )
    return found


def _names() -> list[str]:
    return sorted(reference_methods())
