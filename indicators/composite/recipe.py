"""The rules of one index as plain numbers, whether declared by a region or published by others.

Belongs here: the one form both are put in, and what changes when a part is left out or weighs
more. Does not belong here: the declarations themselves (``declarations/indices.py``), or the sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from declarations.errors import ConfigurationError
from declarations.indices import Aggregation, IndexMethod, Normalisation
from indicators.intervals import Floats


@dataclass(frozen=True)
class Part:
    """One input: its name, component, weight within the component, and worse end."""

    name: str
    component: str
    weight: float
    worse: Literal["high", "low"]


@dataclass(frozen=True)
class Recipe:
    """The rules of one index.

    Attributes
    ----------
    inputs : tuple of Part
        In order of their components.
    components : dict of str to float
        Weight of each component within the index.
    normalisation : {'rank_exponential', 'min_max', 'z_score', 'given_ranks'}
        With ``given_ranks`` the inputs are ranks already, 1 the worst, and are transformed
        exponentially as they stand.
    aggregation : {'arithmetic', 'geometric', 'equal_components'}
    scale : float
        Score of the worst possible area.
    within_district : bool
        Whether areas are compared within their district only.
    least_weight : float
        With less of the weight present there is no score.
    divisor : float, optional
        What the weighted sum of the components is divided by, where that is not the sum of their
        weights.
    """

    inputs: tuple[Part, ...]
    components: dict[str, float]
    normalisation: Normalisation | Literal["given_ranks"] = "rank_exponential"
    aggregation: Aggregation = "arithmetic"
    scale: float = 100.0
    within_district: bool = False
    least_weight: float = 0.5
    divisor: float | None = None

    def __post_init__(self) -> None:
        if not self.inputs:
            raise ConfigurationError("The index has no inputs", "Declare at least one")

    @property
    def names(self) -> list[str]:
        """The inputs' names, in order."""
        return [p.name for p in self.inputs]

    @property
    def component_names(self) -> list[str]:
        """The components' names, in order."""
        return list(self.components)

    @property
    def component_of(self) -> np.ndarray:
        """Place of each input's component."""
        places = {name: i for i, name in enumerate(self.components)}
        return np.array([places[p.component] for p in self.inputs])

    @property
    def input_weights(self) -> Floats:
        """Weight of each input within its component; those of a component add up to 1."""
        weights = np.array([p.weight for p in self.inputs], dtype=np.float64)
        of = self.component_of
        return weights / np.bincount(of, weights)[of]

    @property
    def component_weights(self) -> Floats:
        """Weight of each component; they add up to 1."""
        weights = np.array(list(self.components.values()), dtype=np.float64)
        if self.aggregation == "equal_components":
            weights = np.ones_like(weights)
        return weights / weights.sum()

    @property
    def factor(self) -> float:
        """What the weighted mean of the components is multiplied by: 1 unless a divisor is set."""
        return sum(self.components.values()) / self.divisor if self.divisor else 1.0

    def without_input(self, name: str) -> Recipe:
        """Return the index without one input; a component left without inputs goes with it."""
        kept = tuple(p for p in self.inputs if p.name != name)
        left = {p.component for p in kept}
        return replace(
            self, inputs=kept, components={c: w for c, w in self.components.items() if c in left}
        )

    def without_component(self, name: str) -> Recipe:
        """Return the index without one component."""
        return replace(
            self,
            inputs=tuple(p for p in self.inputs if p.component != name),
            components={c: w for c, w in self.components.items() if c != name},
        )

    def with_weight_doubled(self, name: str) -> Recipe:
        """Return the index with one input weighing twice as much as before, all others as before.

        Its component grows with it, so that the others keep their weights relative to each other.
        """
        mine = next(p for p in self.inputs if p.name == name)
        inside = sum(p.weight for p in self.inputs if p.component == mine.component)
        components = dict(self.components)
        components[mine.component] *= (inside + mine.weight) / inside
        return replace(
            self,
            inputs=tuple(
                replace(p, weight=2 * p.weight) if p.name == name else p for p in self.inputs
            ),
            components=components,
        )


def recipe_of(method: IndexMethod) -> Recipe:
    """Return the rules an indicator file declares."""
    return Recipe(
        inputs=tuple(
            Part(name=i.indicator, component=c.name, weight=i.weight, worse=i.worse)
            for c in method.components
            for i in c.inputs
        ),
        components={c.name: c.weight for c in method.components},
        normalisation=method.normalisation,
        aggregation=method.aggregation,
        scale=method.scale,
        within_district=method.reference_area == "district",
        least_weight=1.0 if method.missing.weights == "no_score" else method.missing.least_weight,
    )
