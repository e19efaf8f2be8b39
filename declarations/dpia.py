"""``dpia/*.yaml``: a data protection impact assessment, each mitigation bound to a live check.

Belongs here: the fields of an assessment, after Article 35(7) UK GDPR and the ICO's seven steps.
Does not belong here: running the checks (``governance/controls.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import Self

from pydantic import Field, model_validator

from declarations.agreements import AgreementIdentifier
from declarations.base import Declaration, Identifier


class Risk(Declaration):
    """One risk to people, and what is done about it."""

    id: Identifier
    description: str
    likelihood: int = Field(ge=1, le=4, description="Before the measure: 1 remote to 4 certain.")
    severity: int = Field(ge=1, le=4, description="Before the measure: 1 minimal to 4 severe.")
    measure: str
    residual_likelihood: int = Field(ge=1, le=4)
    residual_severity: int = Field(ge=1, le=4)
    controls: list[Identifier] = Field(
        min_length=1,
        description="Live checks that show the measure works; a red one reopens the risk.",
    )

    @model_validator(mode="after")
    def _no_worse(self) -> Self:
        after = self.residual_likelihood * self.residual_severity
        if after > self.likelihood * self.severity:
            raise ValueError(f"the residual risk of {self.id} is higher than the risk itself")
        return self


class Assessment(Declaration):
    """One data protection impact assessment."""

    id: Identifier
    title: str
    agreements: list[AgreementIdentifier] = Field(min_length=1)
    owner: str
    need: str = Field(description="Why an assessment is needed.")
    necessity: str = Field(description="Why the processing is necessary and proportionate.")
    consultation: str
    sign_off: str = Field(description="Who signed it off, by role.")
    signed_on: dt.date
    review_date: dt.date
    risks: list[Risk] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [r.id for r in self.risks]
        doubled = sorted({i for i in ids if ids.count(i) > 1})
        if doubled:
            raise ValueError(f"risks named twice: {', '.join(doubled)}")
        return self
