"""Months and quarters as text ``YYYY-MM``.

Belongs here: ranges of periods and the dates at their ends. Does not belong here: when a file
arrives, which is ``delivery``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from declarations.errors import ConfigurationError

_MONTH = re.compile(r"^(\d{4})-(0[1-9]|1[0-2])$")

QUARTER_ENDS = (3, 6, 9, 12)
QUARTER_STARTS = (1, 4, 7, 10)


def month_number(period: str) -> int:
    """Count months since year 0, so that periods can be subtracted.

    Raises
    ------
    ConfigurationError
        If ``period`` is not a month written ``YYYY-MM``.
    """
    match = _MONTH.match(period)
    if match is None:
        raise ConfigurationError("A period is not a month", "Write it as YYYY-MM")
    return int(match[1]) * 12 + int(match[2]) - 1


def period_of(number: int) -> str:
    """Write a month number as ``YYYY-MM``."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def shift(period: str, months: int) -> str:
    """Return the period that lies ``months`` later, or earlier where negative."""
    return period_of(month_number(period) + months)


def months_between(
    first: str, last: str, *, ending: tuple[int, ...] = tuple(range(1, 13))
) -> list[str]:
    """List the periods from ``first`` to ``last``, both included.

    Parameters
    ----------
    first, last : str
        Periods ``YYYY-MM``.
    ending : tuple of int, optional
        Calendar months to keep, for example ``QUARTER_ENDS``.
    """
    numbers = range(month_number(first), month_number(last) + 1)
    return [period_of(number) for number in numbers if number % 12 + 1 in ending]


def first_day(period: str) -> date:
    """Return the first day of a period."""
    number = month_number(period)
    return date(number // 12, number % 12 + 1, 1)


def last_day(period: str) -> date:
    """Return the last day of a period."""
    return first_day(shift(period, 1)) - timedelta(days=1)
