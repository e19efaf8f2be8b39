"""``region.yaml``: the area a region covers, its calendar and what it publishes.

Belongs here: the model of one region file. Does not belong here: sources or agreements.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import (
    CountProfile,
    Declaration,
    Identifier,
    IndicatorIdentifier,
    Period,
    RegionIdentifier,
)
from declarations.expressions import Term
from declarations.indicators import Level, Output

LAD_PATTERN = r"^(E0[6-9]|W06)\d{6}$"


class District(Declaration):
    """A local authority district of the region."""

    lad24cd: str = Field(pattern=LAD_PATTERN, description="GSS code of the district, 2024.")
    name: str = Field(description="The district's name as it is published.")


class Publication(Declaration):
    """Who publishes the region's releases and how often."""

    publisher: str = Field(description="The organisation that answers for the release.")
    contact: str = Field(description="An e-mail address or page for questions and complaints.")
    licence: str = Field(default="OGL-UK-3.0", description="Licence of the published figures.")
    profile: CountProfile = Field(
        default="hide0-r5", description="Disclosure profile applied to every published count."
    )


class PublicTotals(Declaration):
    """Exact totals that somebody else publishes: an attacker is credited with knowing them."""

    id: Identifier
    title: str = Field(description="The publication, as its publisher calls it.")
    publisher: str
    measures: list[Identifier] = Field(
        min_length=1, description="The measures of the region it gives exact totals of."
    )
    categories: list[str] | None = Field(
        default=None, description="Only these categories, as in an indicator; all when left out."
    )
    level: Level = "lad24"
    window: Literal["month", "quarter", "year"] = "quarter"

    @property
    def numerator(self) -> Term:
        """What is totalled."""
        return Term.of(self.measures, self.categories)

    @property
    def denominator(self) -> None:
        """Nothing: a total is no ratio."""
        return None

    @property
    def outputs(self) -> list[Output]:
        """The one level and window it is published for."""
        return [Output(level=self.level, window=self.window)]


class StandingApproval(Declaration):
    """Two named roles who approve every release of a synthetic region in advance.

    Real data is never released this way: the model refuses it unless the region is synthetic.
    """

    requester: str
    approver: str
    reason: str

    @model_validator(mode="after")
    def _two_people(self) -> Self:
        if self.requester.casefold() == self.approver.casefold():
            raise ValueError("requester and approver must be two different people")
        return self


class Region(Declaration):
    """One region: a folder of declarations with this file at its head."""

    id: RegionIdentifier
    title: str
    description: str = ""
    synthetic: Literal["no", "records", "wholly"] = Field(
        default="no",
        description="'wholly': nothing is real. 'records': open data is real, every record about a "
        "person is synthetic. 'no': real records.",
    )
    clock: Literal["system", "file-times"] = Field(
        default="system",
        description="'system': a delivery's date is the day it was received. 'file-times' "
        "(synthetic regions only): the file's own date, so that a demonstration repeats.",
    )
    as_of: dt.date | None = Field(
        default=None,
        description="Synthetic regions only: the day the region's calendar stands at.",
    )
    generator: Literal["arden", "calibrated_cases"] | None = Field(
        default=None, description="Synthetic regions only: what makes the files that land."
    )
    landing_after_receipt: Literal["remove", "keep"] = Field(
        default="remove",
        description="What becomes of a file in the landing folder once its original is safe in the "
        "store. 'keep' leaves a second, unencrypted copy there.",
    )
    districts: list[District] = Field(min_length=1)
    expected_lsoas: int | None = Field(
        default=None, ge=1, description="How many 2021 LSOAs the region has; anything else stops."
    )
    coast_tolerance: float = Field(
        default=0,
        ge=0,
        le=500,
        description="Metres by which a point may lie outside every area of the boundary file and "
        "still be placed in the nearest, flagged point_snapped. For boundaries clipped to the "
        "coast; the file must then go beyond the region's other edges.",
    )
    buffer_rings: int = Field(
        default=1,
        ge=0,
        le=5,
        description="How many rings of areas beyond the region serve as neighbours of those at its "
        "edge, where the boundary file and open data go that far. 0: none.",
    )
    first_period: Period = Field(description="The first month the region has data for.")
    last_period: Period | None = Field(
        default=None, description="The last month, for a region that is closed; else open-ended."
    )
    release_month: int = Field(
        default=12, ge=1, le=12, description="The month in which a published year ends."
    )
    schedule_day: int = Field(default=16, ge=1, le=28, description="Day of the monthly run.")
    schedule_hour: int = Field(default=6, ge=0, le=23)
    deprivation: IndicatorIdentifier = Field(
        default="C03",
        description="The indicator of deprivation by which neighbourhoods are ordered for the "
        "slope and relative index of inequality.",
    )
    purpose: str = Field(description="The purpose for which this region's runs process data.")
    owners: list[str] = Field(min_length=1, description="'team:name' or an e-mail address.")
    publication: Publication
    public_totals: list[PublicTotals] = Field(
        default_factory=list,
        description="Exact totals of the same counts that others publish. Every release is "
        "attacked with them in hand.",
    )
    standing_approval: StandingApproval | None = None

    @model_validator(mode="after")
    def _synthetic_only(self) -> Self:
        if self.synthetic == "no":
            for key in ("as_of", "standing_approval", "generator"):
                if getattr(self, key) is not None:
                    raise ValueError(f"{key} is allowed only where 'synthetic' is not 'no'")
            if self.clock != "system":
                raise ValueError("clock: file-times is allowed only where 'synthetic' is not 'no'")
        names = [totals.id for totals in self.public_totals]
        if len(set(names)) != len(names):
            raise ValueError("two public_totals have the same id")
        codes = [d.lad24cd for d in self.districts]
        if len(set(codes)) != len(codes):
            raise ValueError("a district is listed twice")
        if self.last_period is not None and self.last_period < self.first_period:
            raise ValueError("last_period comes before first_period")
        return self
