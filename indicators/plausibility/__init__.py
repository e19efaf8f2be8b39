"""Plausibility across sources: whether two agencies' counts tell the same story.

Belongs here: running the declared checks (``checks/*.yaml`` and a region's own
``plausibility/*.yaml``) over exact counts, and what of the results may be published. Does not
belong here: checks within one delivery (``expectations``).

The rules
---------
whose
    A source that one district supplies counts for that district, wherever its records lie and
    whether or not they could be placed; a national source counts by the place of its records.
when
    A month is compared when every source of both sides delivered for it. A flow is never held
    against another month, nor a quarter's against a month's.
outcome
    ``passed``, ``failed`` or ``could_not_run``. A delivery that is not there, a hidden count and
    counts too small to compare are never a pass. A check whose counts a region does not have does
    not apply, which is no outcome at all.

The rows hold exact counts and stay inside; ``public_rows`` gives what may go out. The stage that
writes them is not among the names below: it needs what definitions do without when they load.
"""

from indicators.plausibility.results import (
    COLUMNS,
    NOT_PUBLISHED,
    PUBLIC_COLUMNS,
    plausibility_rows,
    public_rows,
)
from indicators.plausibility.which import CHECKS, checks_of, not_applicable, sources_needed

__all__ = [
    "CHECKS",
    "COLUMNS",
    "NOT_PUBLISHED",
    "PUBLIC_COLUMNS",
    "checks_of",
    "not_applicable",
    "plausibility_rows",
    "public_rows",
    "sources_needed",
]
