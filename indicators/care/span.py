"""The time a delivery of events is counted for, and which deliveries it is joined to.

Belongs here: dates and months. Does not belong here: reading a delivery.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from declarations.base import first_day, last_day, month_index, month_of


@dataclass(frozen=True)
class Span:
    """What a delivery's counts look at.

    Attributes
    ----------
    period : str
        Month of the delivery, ``YYYY-MM``.
    covers_months : int
        Months to its end that a delivery covers.
    months : int
        Months to its end that it is counted for; 0 for a source delivered once.
    """

    period: str
    covers_months: int = 12
    months: int = 3

    @property
    def starts(self) -> dt.date:
        """First day of the months the delivery covers."""
        return first_day(month_of(month_index(self.period) - self.covers_months + 1))

    @property
    def ends(self) -> dt.date:
        """Last day of the delivery's month."""
        return last_day(self.period)

    def counts_sql(self, day: str) -> str:
        """Return the SQL condition that a day lies in the months the delivery is counted for."""
        if self.months == 0:
            return "true"
        first = first_day(month_of(month_index(self.period) - self.months + 1))
        return f"{day} BETWEEN DATE '{first}' AND DATE '{self.ends}'"


def earlier_deliveries(periods: Iterable[str], span: Span) -> list[str]:
    """Return the deliveries a delivery is joined to: those of as many months before as it covers.

    Together they look back over twice that time: far enough for an admission on the first of its
    months to be new or not.
    """
    here = month_index(span.period)
    return sorted(p for p in periods if here - span.covers_months <= month_index(p) < here)
