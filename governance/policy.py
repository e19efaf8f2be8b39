"""``policy.yaml``: what governance officers set for the gate and the leak detector.

Belongs here: the model of that one file. Does not belong here: the rules it steers.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from declarations.base import Declaration
from declarations.loader import read_declaration

LeakKind = Literal["nhs_number", "nino", "uprn", "postcode", "email", "phone", "birth_date"]


class GatePolicy(Declaration):
    """What the gate takes from the officers rather than from an agreement."""

    dspt_grace_days: int = Field(ge=0, le=180)
    dspt_accepted: list[str] = Field(min_length=1)
    dea_gateways_closed_to_health: list[str]


class LeakLimit(Declaration):
    """From when on a column is taken for one of identifiers."""

    share: float = Field(ge=0, lt=1)
    at_least: int = Field(ge=1)


class LeakPolicy(Declaration):
    """Limits of the leak detector, a kind of identifier each."""

    nhs_number: LeakLimit
    nino: LeakLimit
    uprn: LeakLimit
    postcode: LeakLimit
    email: LeakLimit
    phone: LeakLimit
    birth_date: LeakLimit
    birth_date_years: int = Field(ge=1, le=120)
    never_published: list[LeakKind]

    def limit(self, kind: LeakKind) -> LeakLimit:
        """Return the limit of one kind."""
        found: LeakLimit = getattr(self, kind)
        return found


class Policy(Declaration):
    """The whole file."""

    gate: GatePolicy
    leaks: LeakPolicy


@cache
def policy() -> Policy:
    """Return the policy of this installation.

    Raises
    ------
    ConfigurationError
        If the file is malformed.
    """
    return read_declaration(Path(__file__).with_name("policy.yaml"), Policy)
