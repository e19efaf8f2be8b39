"""The stretches of time an indicator is published for: never overlapping.

Belongs here: cutting a region's calendar into whole months, quarters and years, and their labels.
Overlapping (rolling) windows are not offered: the difference of two of them reveals the counts of
the months they do not share.
Does not belong here: which deliveries fall in a window (``plan.py``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from declarations.base import first_day, last_day, month_index, month_of
from declarations.errors import ConfigurationError

WindowKind = Literal["month", "quarter", "year", "latest"]

MONTHS_IN: dict[str, int] = {"month": 1, "quarter": 3, "year": 12, "latest": 1}

MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Window:
    """One stretch of whole months.

    Attributes
    ----------
    label : str
        In words, for example ``July to September 2026``.
    first, last : str
        First and last month, ``YYYY-MM``, both included.
    """

    label: str
    first: str
    last: str

    @property
    def start(self) -> dt.date:
        """The first day of the window."""
        return first_day(self.first)

    @property
    def end(self) -> dt.date:
        """The last day of the window."""
        return last_day(self.last)

    @property
    def months(self) -> int:
        """How many months the window has."""
        return month_index(self.last) - month_index(self.first) + 1


def window_of(first: str, last: str) -> Window:
    """Return the window of two months, both included, with its label."""
    return Window(label=label_of(first, last), first=first, last=last)


def label_of(first: str, last: str) -> str:
    """Return a stretch of months in words.

    Examples
    --------
    >>> label_of("2024-11", "2025-10")
    'November 2024 to October 2025'
    >>> label_of("2026-07", "2026-09")
    'July to September 2026'
    >>> label_of("2026-10", "2026-10")
    'October 2026'
    """
    (start, start_year), (end, end_year) = _named(first), _named(last)
    if first == last:
        return f"{end} {end_year}"
    if start_year == end_year:
        return f"{start} to {end} {end_year}"
    return f"{start} {start_year} to {end} {end_year}"


def _named(period: str) -> tuple[str, str]:
    return MONTH_NAMES[int(period[5:7]) - 1], period[:4]


def windows(
    first_period: str, last_period: str, window: WindowKind, release_month: int
) -> list[Window]:
    """Cut a calendar into the complete windows of one kind, oldest first.

    Parameters
    ----------
    first_period, last_period : str
        The calendar's first and last month, both included; for ``latest`` the last month is the
        latest at which the measure exists.
    window : {'month', 'quarter', 'year', 'latest'}
        Quarters end in March, June, September and December, years in ``release_month``;
        ``latest`` is the last month alone.
    release_month : int
        1 to 12.

    Returns
    -------
    list of Window
        Those that lie wholly inside the calendar; empty if none does.

    Raises
    ------
    ConfigurationError
        If ``release_month`` is not a month.
    """
    if not 1 <= release_month <= len(MONTH_NAMES):
        raise ConfigurationError("release_month is not a month", "Use 1 to 12")
    if window == "latest":
        return [window_of(last_period, last_period)]
    length = MONTHS_IN[window]
    # A year ends in release_month; quarters end where a calendar year's quarters do.
    residue = release_month % length if window == "year" else 0
    first, last = month_index(first_period), month_index(last_period)
    ends = [i for i in range(first + length - 1, last + 1) if (i + 1) % length == residue]
    return [window_of(month_of(end - length + 1), month_of(end)) for end in ends]
