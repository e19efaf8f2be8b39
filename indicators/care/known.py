"""When something became known, and the day by which it is counted: once, however late it is told.

Belongs here: the rule for what is recorded late. Does not belong here: what is counted
(``requests.py``, ``support.py``), or which rows are one event (``joining.py``).

What a delivery is the first to have, although it happened before that delivery's own months, is
counted on the first day of these months. That it is the first is known only if the delivery just
before is there, and only of what happened in the months that both cover; anything else is counted
by its own day. The day depends on the first deliveries to tell of it and on no later one, so that
no later delivery can count it again.
"""

from __future__ import annotations

from collections.abc import Iterable

from declarations.base import first_day, month_index, month_of
from declarations.events import PERSON
from indicators.care.span import Span

FAR = "DATE '9999-12-31'"
EVER = "DATE '1000-01-01'"
"""Known from: what the first delivery that is there has, or one before which one is missing."""


def known_from(period: str, deliveries: Iterable[str], span: Span) -> str:
    """Return the SQL of the day from which what a delivery is the first to have is known."""
    before = month_of(month_index(period) - span.months)
    if span.months == 0 or before not in set(deliveries):
        return EVER
    return f"DATE '{first_day(month_of(month_index(period) - span.months + 1))}'"


def counted_on(day: str, known: str, span: Span) -> str:
    """Return the SQL of the day by which something is counted.

    Parameters
    ----------
    day : str
        SQL of the day on which it happened.
    known : str
        SQL of the day from which it is known, as of `known_from`.
    """
    reach = f"{known} - INTERVAL {span.covers_months - span.months} MONTH"
    return f"CASE WHEN {day} >= {reach} THEN greatest({day}, {known}) ELSE {day} END"


def settled_sql(versions: str, days: int, span: Span) -> str:
    """Return the SELECT of the day by which each cluster is counted so long after its end.

    A cluster may grow, and its end move, once it was counted. It is counted in the first quarter at
    whose end it was over for so long, as far as was known then.

    Parameters
    ----------
    versions : str
        SELECT of ``person_id, cluster, level`` (the day from which a row was known so), ``opens``
        (1 if it was open then, -1 if it had ended since, else 0) and ``ends``, or NULL.
    days : int
        Days after the end of the cluster.

    Returns
    -------
    str
        SELECT of ``person_id, cluster, settled_on``.
    """
    onward = f"PARTITION BY {PERSON}, cluster ORDER BY level"
    return f"""
        SELECT {PERSON}, cluster,
               min({counted_on("so_far", "level", span)})
                   FILTER (still_open = 0 AND (until IS NULL OR so_far < until)) AS settled_on
        FROM (
            SELECT {PERSON}, cluster, level, sum(opens) OVER ({onward}) AS still_open,
                   max(ends) OVER ({onward}) + {days} AS so_far,
                   lead(level) OVER ({onward}) AS until
            FROM (SELECT {PERSON}, cluster, level, sum(opens) AS opens, max(ends) AS ends
                  FROM ({versions}) GROUP BY ALL)
        ) GROUP BY {PERSON}, cluster"""
