"""The base of every declaration model and the small types they share.

Belongs here: strictness, identifiers and periods. Does not belong here: a model of one file kind.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

PERIOD_PATTERN = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
"""A name that is a table, column or asset name as it stands: lower case, digits, underscores."""

RegionIdentifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
IndicatorIdentifier = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{2}[a-z]?$")]

CountProfile = Literal["hide0-r5", "r5", "hes-7/5", "midpoint-6", "ons-10-5"]
"""The disclosure profiles that a region's own counts can be published under."""

ProfileName = Literal["hide0-r5", "r5", "hes-7/5", "midpoint-6", "ons-10-5", "suppress", "ckm"]
"""The disclosure profiles, each of which ``governance/disclosure/profiles.yaml`` describes.

``suppress`` needs the whole table at once and ``ckm`` the records: they are for
``lsoalink disclose`` and for agencies."""


def _check_period(text: str) -> str:
    if not PERIOD_PATTERN.match(text):
        raise ValueError("a period is a month written YYYY-MM, for example 2026-10")
    return text


Period = Annotated[str, AfterValidator(_check_period)]
"""A month, ``YYYY-MM``. Quarterly and yearly sources sit on their last month."""


class Declaration(BaseModel):
    """A strict, immutable model: a key nobody knows is an error, not a silent omission."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Break(Declaration):
    """A point from which figures cannot be compared with earlier ones."""

    period: Period = Field(description="First month after the break.")
    reason: str = Field(description="What changed, in words for a reader of the figures.")


def month_index(period: str) -> int:
    """Months since year 0, so that periods can be compared and subtracted."""
    return int(period[:4]) * 12 + int(period[5:7]) - 1


def month_of(index: int) -> str:
    """Return the ``YYYY-MM`` period of a month index."""
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def months_between(first: str, last: str) -> list[str]:
    """Every month from ``first`` to ``last``, both included; empty if ``last`` comes earlier."""
    return [month_of(i) for i in range(month_index(first), month_index(last) + 1)]


def period_of(day: dt.date) -> str:
    """Return the month a day lies in, as ``YYYY-MM``."""
    return f"{day.year:04d}-{day.month:02d}"


def first_day(period: str) -> dt.date:
    """Return the first day of a month."""
    return dt.date(int(period[:4]), int(period[5:7]), 1)


def last_day(period: str) -> dt.date:
    """Return the last day of a month."""
    return first_day(month_of(month_index(period) + 1)) - dt.timedelta(days=1)
