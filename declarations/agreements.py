"""``agreements/*.yaml``: a data sharing agreement, or an open licence, as data.

Belongs here: the fields of an agreement, after the ICO data sharing code of practice and Article 30
UK GDPR. Does not belong here: the gate that applies it (``governance/gate.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import Declaration, Identifier

ColumnClass = Literal["direct_identifier", "quasi_identifier", "special", "measure", "reference"]
ColumnAction = Literal["drop", "pseudonymise", "generalise", "keep"]


class AgreedColumn(Declaration):
    """What an agreement lets happen to one column."""

    name: Identifier
    class_: ColumnClass = Field(alias="class")
    action: ColumnAction = Field(
        description="'drop': never stored. 'pseudonymise': replaced by a keyed pseudonym. "
        "'generalise': used to find the LSOA, then removed. 'keep': stored as it is."
    )

    @model_validator(mode="after")
    def _identifiers_are_not_kept(self) -> Self:
        if self.class_ == "direct_identifier" and self.action == "keep":
            raise ValueError(f"direct identifier {self.name} cannot be kept; drop or pseudonymise")
        return self


class AgreedSource(Declaration):
    """One source an agreement covers."""

    id: Identifier
    columns: list[AgreedColumn] = Field(min_length=1)
    minimum_geography: Literal["lsoa21", "msoa21", "lad24"] = "lsoa21"

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [c.name for c in self.columns]
        doubled = sorted({n for n in names if names.count(n) > 1})
        if doubled:
            raise ValueError(f"columns named twice: {', '.join(doubled)}")
        return self


class Retention(Declaration):
    """How long each zone may hold what came under the agreement, in days."""

    received_days: int = Field(ge=1)
    restricted_days: int = Field(ge=1)
    linked_days: int = Field(ge=1)


class Signatory(Declaration):
    """Someone who signed the agreement, by role."""

    role: str
    organisation: str
    date: dt.date


class OptOut(Declaration):
    """Evidence that the National Data Opt-out was applied, or why it does not apply."""

    applied: Literal["yes", "not_applicable"]
    reason: str
    date: dt.date | None = None


class Agreement(Declaration):
    """One agreement: under it a source may be read, or may not."""

    id: str = Field(pattern=r"^[A-Z]{2,5}-[A-Z0-9-]{2,30}$")
    version: str
    title: str
    kind: Literal["data_sharing_agreement", "open_licence"]
    synthetic: bool = False
    parties: list[str] = Field(min_length=1)
    controllers: list[str] = Field(default_factory=list)
    purposes: list[str] = Field(min_length=1)
    lawful_basis: str | None = Field(default=None, description="UK GDPR Article 6, with the point.")
    statute: str | None = None
    special_condition: str | None = Field(
        default=None, description="UK GDPR Article 9 condition, where special categories are kept."
    )
    confidentiality_basis: str | None = None
    dea_gateway: str = "none"
    licence: str | None = Field(default=None, description="Name of the open licence.")
    attribution: str | None = Field(default=None, description="Words the licence asks for.")
    sources: list[AgreedSource] = Field(min_length=1)
    start_date: dt.date
    expiry_date: dt.date | None = Field(description="Last day in force; null only for a licence.")
    review_date: dt.date | None = None
    retention: Retention | None = None
    opt_out: OptOut | None = None
    signatories: list[Signatory] = Field(default_factory=list)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "open_licence":
            if not (self.licence and self.attribution):
                raise ValueError("an open_licence names its licence and its attribution")
            personal = [
                f"{s.id}.{c.name}"
                for s in self.sources
                for c in s.columns
                if c.class_ in ("direct_identifier", "special")
            ]
            if personal:
                raise ValueError(
                    f"an open licence cannot cover personal columns ({', '.join(personal[:5])})"
                )
            return self
        missing = [
            key
            for key in ("lawful_basis", "expiry_date", "retention", "controllers")
            if not getattr(self, key)
        ]
        if missing:
            raise ValueError(f"a data_sharing_agreement needs {', '.join(missing)}")
        if len({s.organisation for s in self.signatories}) < 2:
            raise ValueError("a data_sharing_agreement is signed by at least two organisations")
        special = [
            f"{s.id}.{c.name}"
            for s in self.sources
            for c in s.columns
            if c.class_ == "special" and c.action != "drop"
        ]
        if special and not self.special_condition:
            raise ValueError(
                f"special-category columns ({', '.join(special[:5])}) need special_condition"
            )
        return self

    def source(self, source_id: str) -> AgreedSource | None:
        """Return what this agreement says of a source, or None if it does not cover it."""
        return next((s for s in self.sources if s.id == source_id), None)

    def in_force(self, day: dt.date) -> bool:
        """Whether the agreement is in force on ``day``; its expiry date is its last day."""
        return self.start_date <= day and (self.expiry_date is None or day <= self.expiry_date)
