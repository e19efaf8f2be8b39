"""Running the checks: the exact rows, and what of them may be published.

Belongs here: the two functions others call. Does not belong here: the comparison itself
(``comparison.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from declarations.plausibility import PlausibilityCheck
from indicators.compute import admitted_periods
from indicators.plausibility.comparison import Comparison, read_totals
from indicators.plausibility.which import lacking_of, only_open, places_of

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations

NOT_PUBLISHED = "not_published"
STAYS_INSIDE = (
    "It looks at counts under a sharing agreement: what it found is for the data team and the "
    "governance officer, and is not published."
)

COLUMNS = (
    "check_id", "title", "lad24cd", "period", "left", "right", "ratio", "lower", "upper",
    "outcome", "meaning",
)  # fmt: skip
PUBLIC_COLUMNS = ("check_id", "title", "lad24cd", "period", "outcome", "meaning")


def plausibility_rows(
    con: duckdb.DuckDBPyConnection,
    declarations: RegionDeclarations,
    checks: Mapping[str, PlausibilityCheck],
    counts: str = "counts",
    admitted: str = "admitted",
    areas: str = "areas",
) -> list[dict[str, Any]]:
    """Run the checks that apply to a region. Exact: the rows are not to be published.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    declarations : RegionDeclarations
    checks : mapping
        From ``checks_of``.
    counts, admitted : str
        Tables as ``gather_counts`` makes them, for ``sources_needed``. Counts of a delivery that
        was not admitted are left out.
    areas : str
        Table ``lsoa21cd, lad24cd``.

    Returns
    -------
    list of dict
        ``COLUMNS``: ``lad24cd`` is None for the region as a whole, ``period`` the month compared
        (``YYYY-MM``, None where there is none), ``left`` and ``right`` whole numbers or None,
        ``ratio`` left over right (None where right is 0), ``lower`` and ``upper`` the tolerance.
        In order of check, district and month; the order of the tables' rows does not matter.
    """
    applying = [c for _, c in sorted(checks.items()) if not lacking_of(c, declarations)]
    delivered = admitted_periods(con, admitted)
    measures = {m for c in applying for side in c.sides for m in side.counts.measures}
    totals = read_totals(con, counts, areas, sorted(measures))
    found: list[dict[str, Any]] = []
    for check in applying:
        for places in places_of(check, declarations):
            comparison = Comparison(check, declarations, delivered, totals, places)
            found += comparison.rows()
    return found


def public_rows(
    rows: Iterable[Mapping[str, Any]],
    declarations: RegionDeclarations,
    checks: Mapping[str, PlausibilityCheck],
) -> list[dict[str, Any]]:
    """Return what may be published of the rows.

    The comparison is of exact counts, so that even an outcome bounds them, and one that is withheld
    where counts are small tells that they are. Outcomes are published of checks that look at open
    data alone; of any other only that there is such a check, the same whatever it found.

    Parameters
    ----------
    rows : iterable of mapping
        As ``plausibility_rows`` returns them.
    declarations : RegionDeclarations
    checks : mapping of str to PlausibilityCheck
        Those the rows are of, and more.

    Returns
    -------
    list of dict
        ``PUBLIC_COLUMNS``.
    """
    found = list(rows)
    public: list[dict[str, Any]] = []
    for key, check in sorted(checks.items()):
        if lacking_of(check, declarations):
            continue
        if only_open(check, declarations):
            mine = (row for row in found if row["check_id"] == key)
            public += [{name: row[name] for name in PUBLIC_COLUMNS} for row in mine]
        else:
            public.append(
                {
                    "check_id": key, "title": check.title, "lad24cd": None, "period": None,
                    "outcome": NOT_PUBLISHED, "meaning": STAYS_INSIDE,
                }
            )  # fmt: skip
    return public
