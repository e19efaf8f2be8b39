"""How the records of a contract are joined over deliveries and turned into events that are counted.

Belongs here: the values of a published method, as a contract states them, and which columns the
method reads and makes. Does not belong here: the method itself (``indicators/care/``).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import Declaration, Identifier

INVALID = "Invalid and not mapped"
"""DHSC's clean value of a cell that is none of the values of the specification."""

EVENT_TYPES = frozenset({"Request", "Assessment", "Service", "Review"})
PERSON = "person_id"

READ: dict[str, str] = {
    PERSON: "text",
    "client_type": "text",
    "primary_support_reason": "text",
    "accommodation_status": "text",
    "date_of_death": "date",
    "event_type": "text",
    "event_start_date": "date",
    "event_end_date": "date",
    "event_outcome": "text",
    "request_route_of_access": "text",
    "service_type": "text",
    "service_component": "text",
    "delivery_mechanism": "text",
}
"""Columns of a Client Level Data return that the method reads, with their types. No cost is among
them: packages of care over several rows may collapse when deliveries are joined, so that a sum of
costs over events would be wrong."""

FROM_INTAKE: dict[str, str] = {"age_band": "text", "has_nhs_number": "boolean"}
"""Columns that intake makes of identifiers it does not store; missing where it makes none."""

DERIVED: dict[str, str] = {
    "delivery": "month",
    "derived_end_date": "date",
    "cropped": "boolean",
    "new_request": "boolean",
    "request_completed_on": "date",
    "request_sequel": "text",
    "sequel_known_on": "date",
    "response_on": "date",
    "response_wait": "text",
    "service_on": "date",
    "service_wait": "text",
    "long_term_in_year": "boolean",
    "long_term_at_year_end": "boolean",
    "community_at_year_end": "boolean",
    "self_directed": "text",
    "new_admission": "boolean",
    "short_term_known_on": "date",
    "short_term_sequel": "text",
    "learning_disability": "boolean",
    "working_age": "boolean",
    "settled": "text",
    "accommodation_now": "text",
    "known_in_year": "boolean",
    "values_checked": "integer",
    "values_invalid": "integer",
}
"""Columns of an event beside those that were read, with their types. What each says:
``indicators/care/__init__.py``."""


class ClientLevelData(Declaration):
    """DHSC's and NHS England's published rules for adult social care events, as values."""

    method: Literal["client_level_data"]
    covers_months: int = Field(
        default=12, ge=1, description="Months to its end that one delivery covers."
    )
    unique_keys: dict[str, list[Identifier]] = Field(
        description="By event type, the columns that make two rows the same event."
    )
    outcome_order: list[str] = Field(
        min_length=1,
        description="Of rows of the same event, delivery and end, the outcome kept: the first.",
    )
    clients: list[str] = Field(min_length=1, description="Client types who are given support.")
    carers: list[str] = Field(min_length=1, description="Client types who care for somebody.")
    long_term: list[str] = Field(min_length=1, description="Service types of long-term support.")
    community: list[str] = Field(min_length=1, description="Of these, support at home.")
    residential: list[str] = Field(min_length=1, description="Of these, residential and nursing.")
    short_term_max: list[str] = Field(
        min_length=1, description="Service types of short-term support to maximise independence."
    )
    sequel_order: list[str] = Field(
        min_length=1, description="Service types a request may lead to, the weightiest first."
    )
    request_gap_days: int = Field(
        ge=0, description="Requests of a person with no longer gap between them are one request."
    )
    sequel_days: int = Field(
        ge=0, description="What follows a request begins no later than this after its end."
    )
    related_days: int = Field(
        ge=0, description="Each further event of a sequel begins no later than this after the last."
    )
    short_term_gap_days: int = Field(
        ge=0, description="ST-Max services with no longer gap between them are one episode."
    )
    short_term_sequel_days: int = Field(
        ge=0, description="What follows ST-Max begins no later than this after its end."
    )
    residential_look_back_days: int = Field(
        ge=0,
        description="An admission is new if no residential or nursing care in so many days before.",
    )
    new_client_days: int = Field(
        ge=0, description="ST-Max is a new client's if no long-term support in so many days before."
    )
    self_funded: list[str] = Field(
        description="Outcomes of a placement that the person then paid for: it is no admission, "
        "and does not stand in the way of a later one."
    )
    no_progress: list[str] = Field(
        description="Outcomes of a request after which the person waits for nothing."
    )
    no_ongoing: list[str] = Field(
        description="Outcomes of ST-Max that count as no ongoing support, if no service follows."
    )
    learning_disability: list[str] = Field(
        description="Primary support reasons of a learning disability."
    )
    working_age: list[str] = Field(description="Age bands of 18 to 64.")
    settled: list[str] = Field(description="Accommodation in one's own home or with family.")
    unknown_accommodation: list[str] = Field(default_factory=list)
    direct_payment: list[str] = Field(
        description="Delivery mechanisms or service components that are a direct payment."
    )
    managed_budget: list[str] = Field(description="Delivery mechanisms of a managed budget.")
    wait_limits: list[int] = Field(min_length=1, description="Upper days of the bands of waits.")
    cleaned: list[Identifier] = Field(
        default_factory=list,
        description="Columns with a code list whose other values are invalid and not mapped.",
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if set(self.unique_keys) != EVENT_TYPES:
            raise ValueError(f"unique_keys: give one for each of {', '.join(sorted(EVENT_TYPES))}")
        for event_type, key in self.unique_keys.items():
            if not set(key) <= set(READ):
                raise ValueError(f"unique_keys.{event_type}: only of {', '.join(READ)}")
        if self.wait_limits != sorted(set(self.wait_limits)):
            raise ValueError("wait_limits: give them in rising order, each once")
        for part in ("community", "residential"):
            if not set(getattr(self, part)) <= set(self.long_term):
                raise ValueError(f"{part} is part of long_term")
        return self

    @property
    def wait_bands(self) -> list[str]:
        """The names of the bands of waits: 'up to 14 days', ..., 'more than 84 days'."""
        first, *others = self.wait_limits
        between = zip(self.wait_limits, others, strict=False)
        named = [f"{low + 1} to {high} days" for low, high in between]
        return [f"up to {first} days", *named, f"more than {self.wait_limits[-1]} days"]
