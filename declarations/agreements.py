"""``agreements/*.yaml``: a data sharing agreement, or an open licence, as data.

Belongs here: the fields of an agreement, after the ICO data sharing code of practice and Article 30
UK GDPR. Does not belong here: the gate that applies it (``governance/gate.py``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from declarations.base import Declaration, Identifier, IndicatorIdentifier, ProfileName
from declarations.coarsening import CoarsenedTo

ColumnClass = Literal[
    "direct_identifier", "quasi_identifier", "special", "measure", "reference", "free_text"
]
ColumnAction = Literal["drop", "pseudonymise", "generalise", "redact", "keep"]
Geography = Literal["lsoa21", "msoa21", "lad24"]
AgreementIdentifier = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}-[A-Z0-9-]{2,30}$")]

RoleName = Literal["data_engineer", "analyst", "governance_officer", "supplier", "public"]
ZoneName = Literal["received", "restricted", "linked", "quality", "published"]
CLOSED_TO: dict[str, frozenset[str]] = {
    "public": frozenset({"received", "restricted", "linked", "quality"}),
    "analyst": frozenset({"received", "restricted"}),
    "supplier": frozenset({"restricted", "linked"}),
}
"""Zones no agreement can open to a role: nobody outside the data team reads records."""


class Redaction(Declaration):
    """How well free text must be redacted before any of it is stored."""

    minimum_recall: float = Field(
        gt=0,
        le=1,
        description="Share of identifiers that must be found, measured on the synthetic set; below "
        "it the column is dropped.",
    )


class AgreedColumn(Declaration):
    """What an agreement lets happen to one column."""

    name: Identifier
    class_: ColumnClass = Field(alias="class")
    action: ColumnAction = Field(
        description="'drop': never stored. 'pseudonymise': replaced by a keyed pseudonym. "
        "'generalise': used to find the LSOA, or for what 'to' says, then removed. 'redact': free "
        "text, stored without the identifiers in it. 'keep': stored as it is."
    )
    to: CoarsenedTo | None = Field(
        default=None,
        description="With generalise: what is stored of it. 'age_band': the age band of a date of "
        "birth. 'presence': whether there was a value. By default it finds the LSOA.",
    )
    redaction: Redaction | None = None
    from_date: dt.date | None = Field(
        default=None,
        description="Day from which the column is agreed, where an amendment added it; what "
        "arrived earlier loses it.",
    )

    @model_validator(mode="after")
    def _identifiers_are_not_kept(self) -> Self:
        if self.class_ == "direct_identifier" and self.action == "keep":
            raise ValueError(f"direct identifier {self.name} cannot be kept; drop or pseudonymise")
        if self.class_ == "free_text" and self.action not in ("drop", "redact"):
            raise ValueError(f"free text {self.name} can only be dropped or redacted")
        if (self.action == "redact") != (self.redaction is not None):
            raise ValueError(
                f"{self.name}: action redact and redaction (with its minimum_recall) go together"
            )
        if self.to is not None and self.action != "generalise":
            raise ValueError(f"{self.name}: to goes with the action generalise")
        if self.action == "redact" and self.class_ != "free_text":
            raise ValueError(f"{self.name}: only a column of class free_text is redacted")
        return self


class AgreedSource(Declaration):
    """One source an agreement covers."""

    id: Identifier
    columns: list[AgreedColumn] = Field(min_length=1)
    minimum_geography: Geography = "lsoa21"
    controller: str | None = Field(
        default=None, description="Its controller, where that is not every controller named above."
    )
    subjects: str | None = Field(
        default=None, description="Whom the records are about, for the record of processing."
    )
    health_or_care: bool = Field(
        default=False,
        description="Confidential patient or service-user information: opt-out evidence, a "
        "confidentiality basis and the supplier's DSPT are then required.",
    )
    criminal_offence: bool = Field(
        default=False,
        description="Criminal-offence data: as records only with a criminal_condition.",
    )
    counts_leave: Literal["protected", "exact"] = Field(
        default="protected",
        description="What 'lsoalink aggregate' lets leave the agency: counts under the disclosure "
        "profile, or exact counts by neighbourhood.",
    )
    signing_keys: list[str] = Field(
        default_factory=list,
        description="Ed25519 public keys, in base64, with which the agency signs what 'lsoalink "
        "aggregate' and 'lsoalink pseudonymise' make.",
    )
    from_date: dt.date | None = Field(
        default=None, description="Day from which the source is covered, if an amendment added it."
    )

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [c.name for c in self.columns]
        doubled = sorted({n for n in names if names.count(n) > 1})
        if doubled:
            raise ValueError(f"columns named twice: {', '.join(doubled)}")
        return self


class PermittedOutput(Declaration):
    """One indicator that may be published from what came under the agreement."""

    indicator: IndicatorIdentifier
    geography: Geography = Field(default="lsoa21", description="The finest level allowed.")
    frequency: Literal["monthly", "quarterly", "yearly"] = Field(
        default="yearly", description="The most often it may be published."
    )
    profile: ProfileName = Field(
        default="hide0-r5", description="Disclosure profile of its counts."
    )


class PermittedRole(Declaration):
    """Which zones of the data a role may read."""

    role: RoleName
    zones: list[ZoneName] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_zone_closed_to_it(self) -> Self:
        shut = sorted(CLOSED_TO.get(self.role, frozenset()) & set(self.zones))
        if shut:
            raise ValueError(f"the role {self.role} can never read {', '.join(shut)}")
        return self


class PermittedLinkage(Declaration):
    """Another agreement whose data may be combined with this one's, if it says the same."""

    agreement: AgreementIdentifier
    level: Literal["area", "record"] = Field(
        description="'area': protected or exact counts of the same neighbourhood in one indicator. "
        "'record': the same person's records joined by a pseudonym of the two agreements."
    )


class Retention(Declaration):
    """How long each zone may hold what came under the agreement, in days after it arrived."""

    received_days: int = Field(ge=1, description="Originals as the agency sent them.")
    restricted_days: int = Field(ge=1, description="Record-level tables, pseudonymised.")
    linked_days: int = Field(ge=1, description="Exact counts by neighbourhood.")
    published_days: int | None = Field(
        default=None, ge=1, description="Releases, from their publication; null: kept for good."
    )
    after_end_days: int = Field(
        default=30,
        ge=0,
        description="Days after the end of the agreement by which originals and records are gone, "
        "however young.",
    )
    after_withdrawal_days: int = Field(
        default=14, ge=0, description="Days after a withdrawal by which everything held is gone."
    )


class Signatory(Declaration):
    """Someone who signed the agreement, by role."""

    role: str
    organisation: str
    date: dt.date
    signed_sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Fingerprint of the text signed, as 'lsoalink agreement show' prints it: a "
        "later change of the text then refuses every delivery until it is signed again.",
    )


class Amendment(Declaration):
    """A change made to the agreement after it was first signed."""

    version: str
    date: dt.date
    summary: str
    signed_by: list[str] = Field(min_length=1)
    previous_expiry: dt.date | None = Field(
        default=None,
        description="For an extension signed after the end: the day it had ended. What arrived in "
        "between stays refused.",
    )


class OptOut(Declaration):
    """Evidence that the National Data Opt-out was applied, or why it does not apply."""

    applied: Literal["yes", "not_applicable"]
    reason: str
    date: dt.date | None = None
    removed: int | None = Field(default=None, ge=0, description="Records removed, if counted.")

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.applied == "yes" and self.date is None:
            raise ValueError("opt_out applied: yes needs the date from which it is applied")
        return self


class Dspt(Declaration):
    """One organisation's Data Security and Protection Toolkit status."""

    organisation: str
    status: Literal["standards_exceeded", "standards_met", "approaching_standards", "not_met"]
    expires: dt.date = Field(description="Last day of the status; usually 30 June.")


class Agreement(Declaration):
    """One agreement: under it a source may be read, or may not."""

    id: AgreementIdentifier
    version: str
    title: str
    kind: Literal["data_sharing_agreement", "open_licence"]
    synthetic: bool = False
    parties: list[str] = Field(min_length=1)
    controllers: list[str] = Field(default_factory=list)
    purposes: list[str] = Field(min_length=1)
    aims: str | None = Field(default=None, description="What it is for, in words for everybody.")
    lawful_basis: str | None = Field(default=None, description="UK GDPR Article 6, with the point.")
    statute: str | None = None
    special_condition: str | None = Field(
        default=None, description="UK GDPR Article 9 condition, where special categories are kept."
    )
    criminal_condition: str | None = Field(
        default=None, description="Article 10 condition, where criminal-offence records are kept."
    )
    confidentiality_basis: str | None = Field(
        default=None, description="Why sharing health or care records breaks no confidence."
    )
    dea_gateway: str = Field(
        default="none",
        pattern=r"^(none|s35:[a-z0-9-]+|s48|s56|s64)$",
        description="Gateway of the Digital Economy Act 2017 relied on: none, s35:<objective>, "
        "s48, s56 or s64.",
    )
    licence: str | None = Field(default=None, description="Name of the open licence.")
    attribution: str | None = Field(default=None, description="Words the licence asks for.")
    sources: list[AgreedSource] = Field(min_length=1)
    start_date: dt.date
    expiry_date: dt.date | None = Field(description="Last day in force; null only for a licence.")
    review_date: dt.date | None = None
    review_overdue: Literal["warn", "refuse"] = Field(
        default="warn", description="What becomes of deliveries after the day of review."
    )
    permitted_outputs: list[PermittedOutput] = Field(
        default_factory=list, description="Every indicator that may be published from it."
    )
    permitted_roles: list[PermittedRole] = Field(
        default_factory=list, description="Who may read what; a role not named may read nothing."
    )
    permitted_linkages: list[PermittedLinkage] = Field(default_factory=list)
    onward_sharing: str = Field(default="none", description="To whom else data may go, or none.")
    recipients: list[str] = Field(default_factory=list)
    transfers: str = Field(default="none", description="Transfers out of the UK, with safeguards.")
    security_measures: str | None = None
    privacy_notice: str | None = Field(default=None, description="Where people can read of it.")
    complaints: str | None = Field(default=None, description="Where people can complain.")
    contact: str | None = Field(default=None, description="Data protection officer's contact.")
    retention: Retention | None = None
    disposal: str = Field(
        default="deleted with its keys", description="How data is disposed of, in words."
    )
    opt_out: OptOut | None = None
    dspt: list[Dspt] = Field(default_factory=list)
    signatories: list[Signatory] = Field(default_factory=list)
    amendments: list[Amendment] = Field(default_factory=list)

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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named: dict[str, list[str]] = {
            "sources": [s.id for s in self.sources],
            "permitted_outputs": [o.indicator for o in self.permitted_outputs],
            "permitted_roles": [str(r.role) for r in self.permitted_roles],
            "permitted_linkages": [k.agreement for k in self.permitted_linkages],
            "dspt": [d.organisation for d in self.dspt],
        }
        for key, names in named.items():
            doubled = sorted({n for n in names if names.count(n) > 1})
            if doubled:
                raise ValueError(f"{key}: {', '.join(doubled)} stands twice")
        if self.expiry_date is not None and self.expiry_date < self.start_date:
            raise ValueError("expiry_date comes before start_date")
        strangers = sorted(
            {s.controller for s in self.sources if s.controller} - set(self.controllers)
        )
        if strangers:
            raise ValueError(f"{', '.join(strangers)} is not among the controllers")
        if self.amendments and self.amendments[-1].version != self.version:
            raise ValueError(
                f"the last amendment is to version {self.amendments[-1].version}, and version says "
                f"{self.version}"
            )
        if [a.date for a in self.amendments] != sorted(a.date for a in self.amendments):
            raise ValueError("amendments are listed the oldest first")
        return self

    def source(self, source_id: str) -> AgreedSource | None:
        """Return what this agreement says of a source, or None if it does not cover it."""
        return next((s for s in self.sources if s.id == source_id), None)

    def in_force(self, day: dt.date) -> bool:
        """Whether the agreement is in force on ``day``; its expiry date is its last day."""
        return self.start_date <= day and (self.expiry_date is None or day <= self.expiry_date)

    def output(self, indicator: str) -> PermittedOutput | None:
        """Return what this agreement says of publishing an indicator, or None if nothing."""
        return next((o for o in self.permitted_outputs if o.indicator == indicator), None)

    def zones_of(self, role: str) -> frozenset[str]:
        """Return the zones a role may read under this agreement."""
        return frozenset(z for r in self.permitted_roles if r.role == role for z in r.zones)

    def permits_linkage(self, other: str, level: Literal["area", "record"]) -> bool:
        """Whether this agreement lets its data meet another's; 'record' includes 'area'."""
        return any(
            k.agreement == other and k.level in {level, "record"} for k in self.permitted_linkages
        )

    @property
    def is_bound(self) -> bool:
        """Whether a signature carries the fingerprint of the text it was given to."""
        return any(s.signed_sha256 is not None for s in self.signatories)

    def text_sha256(self) -> str:
        """Return the fingerprint of what the agreement says, its signatories left out.

        What is left to its default is left out too: a later version of the platform that knows one
        more key does not change what was signed.
        """
        said = self.model_dump(
            mode="json", by_alias=True, exclude={"signatories"}, exclude_defaults=True
        )
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
