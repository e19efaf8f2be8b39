"""How a composite index is made: its components, weights and the rules that join them.

Belongs here: the model of the key ``index`` of an indicator file, and of method files. Does not
belong here: the arithmetic (``indicators/composite/``).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import Declaration, Identifier, IndicatorIdentifier

Normalisation = Literal["rank_exponential", "min_max", "z_score"]
Aggregation = Literal["arithmetic", "geometric", "equal_components"]


class IndexInput(Declaration):
    """One input of a composite index."""

    indicator: IndicatorIdentifier
    weight: float = Field(gt=0, allow_inf_nan=False, description="Weight within its component.")
    worse: Literal["high", "low"] = Field(description="Which end of the input is the worse one.")
    rationale: str


class IndexComponent(Declaration):
    """A group of inputs with a score of its own, shown beside the index."""

    name: Identifier
    title: str
    weight: float = Field(
        gt=0, allow_inf_nan=False, description="Weight of the component within the index."
    )
    rationale: str = Field(description="Why the component weighs what it does.")
    inputs: list[IndexInput] = Field(min_length=1)


class MissingRule(Declaration):
    """What becomes of an area some of whose inputs are hidden or missing."""

    weights: Literal["spread", "no_score"] = Field(
        default="spread",
        description="'spread': the weight of a missing input goes to the others, in proportion. "
        "'no_score': an area needs every input.",
    )
    least_weight: float = Field(
        default=0.5, gt=0, le=1, description="With less of the weight present there is no score."
    )


class Uncertainty(Declaration):
    """What is varied to see how far a score can be relied on."""

    draws: int = Field(default=1000, ge=100, le=20000)
    seed: int = 20261116
    weight_concentration: float = Field(
        default=60.0,
        gt=0,
        description="Weights are drawn from a Dirichlet distribution around the declared ones; "
        "the higher, the closer they stay.",
    )
    vary_normalisation: bool = Field(
        default=True, description="Draw the normalisation, too, among the three known ones."
    )


class IndexMethod(Declaration):
    """A composite index, from its inputs to its score."""

    components: list[IndexComponent] = Field(min_length=1)
    normalisation: Normalisation = "rank_exponential"
    reference_area: Literal["region", "district"] = Field(
        default="region", description="Among which areas an input is ranked or scaled."
    )
    shrinkage: Literal["none", "district"] = Field(
        default="none",
        description="'district': shares are drawn to their district's mean on the logit scale and "
        "rates by the Gamma-Poisson rule before they are normalised, as far as they are unsure.",
    )
    aggregation: Aggregation = Field(
        default="arithmetic",
        description="Over the components: weighted arithmetic mean, weighted geometric mean, or "
        "their mean with equal weights. Within a component always the weighted arithmetic mean.",
    )
    scale: float = Field(
        default=100.0, gt=0, allow_inf_nan=False, description="Score of the worst possible area."
    )
    missing: MissingRule = MissingRule()
    weights_agreed: str = Field(description="Who agreed the weights, and when.")
    uncertainty: Uncertainty = Uncertainty()

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [c.name for c in self.components]
        inputs = [i.indicator for i in self.inputs]
        for what, found in (("component", names), ("input", inputs)):
            doubled = sorted({n for n in found if found.count(n) > 1})
            if doubled:
                raise ValueError(f"{what} named twice: {', '.join(doubled)}")
        return self

    @property
    def inputs(self) -> list[IndexInput]:
        """Every input, in order of the components."""
        return [i for c in self.components for i in c.inputs]

    @property
    def shares(self) -> dict[str, float]:
        """Part of the whole weight, 0 to 1, of each input; they add up to 1."""
        equal = self.aggregation == "equal_components"
        whole = len(self.components) if equal else sum(c.weight for c in self.components)
        return {
            i.indicator: (1.0 if equal else c.weight) / whole * i.weight / sum(
                other.weight for other in c.inputs
            )
            for c in self.components
            for i in c.inputs
        }  # fmt: skip
