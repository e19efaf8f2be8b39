"""The views of the DuckDB file of a release: queries kept there, with words for every column.

Belongs here: which views there are and what is said of them. Does not belong here: the tables they
ask (``dictionary.py``), or a query long enough for a module of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from publishing.accounts import accounts_sql
from publishing.area_counts import area_counts_sql


@dataclass(frozen=True)
class View:
    """A query kept in the DuckDB file, with words for it and for each of its columns."""

    name: str
    description: str
    sql: str
    columns: tuple[tuple[str, str], ...]


LATEST_OBSERVATIONS = View(
    "latest_observations",
    "The latest period of every indicator at every level, with its title: start here.",
    """
    SELECT i.theme, o.indicator_id, i.title, o.geography_type, o.geography_code,
           o.geography_name, o.period_label, o.period_end, o.value, o.unit, o.lower_ci,
           o.upper_ci, o.value_status, o.note_id
    FROM observations AS o
    JOIN indicators AS i USING (indicator_id)
    JOIN (
        SELECT indicator_id, geography_type, max(period_end) AS period_end
        FROM observations GROUP BY ALL
    ) AS latest USING (indicator_id, geography_type, period_end)
    ORDER BY o.indicator_id, o.geography_type, o.geography_code
    """,
    (
        ("theme", "Theme of the indicator."),
        ("indicator_id", "Indicator, see the table indicators."),
        ("title", "Title of the indicator."),
        ("geography_type", "Level: lsoa21, msoa21 or lad24."),
        ("geography_code", "GSS code of the area."),
        ("geography_name", "Name of the area."),
        ("period_label", "The period in words."),
        ("period_end", "Last day of the period."),
        ("value", "The published figure; empty where value_status says so."),
        ("unit", "Unit of value and of both limits."),
        ("lower_ci", "Lower 95% confidence limit."),
        ("upper_ci", "Upper 95% confidence limit."),
        ("value_status", "Empty for a plain value, else markers such as [c]."),
        ("note_id", "Note that applies, see the table notes."),
    ),
)

COVERAGE = View(
    "coverage",
    "How many areas have a figure, by indicator, level and period: what is hidden or missing.",
    """
    SELECT indicator_id, geography_type, period_start, period_end, period_label,
           count(*) AS areas, count(value) AS areas_with_value,
           count(*) FILTER (value_status LIKE '%[c]%') AS areas_hidden,
           count(*) FILTER (value_status LIKE '%[x]%') AS areas_not_available
    FROM observations GROUP BY ALL
    ORDER BY indicator_id, geography_type, period_start
    """,
    (
        ("indicator_id", "Indicator, see the table indicators."),
        ("geography_type", "Level: lsoa21, msoa21 or lad24."),
        ("period_start", "First day of the period."),
        ("period_end", "Last day of the period."),
        ("period_label", "The period in words."),
        ("areas", "Areas at this level."),
        ("areas_with_value", "Areas with a published figure."),
        ("areas_hidden", "Areas marked [c]: hidden to protect people."),
        ("areas_not_available", "Areas marked [x]: a delivery is missing."),
    ),
)

ACCOUNTS = View(
    "v_accounting",
    "What became of all that was received, one row per source, period and quantity: received = "
    "placed + apportioned + out_of_region + not_placed.",
    accounts_sql(),
    (
        ("source_id", "Source, as declared by the region."),
        ("agency", "Agency that delivers the source."),
        ("period", "Month of the delivery (YYYY-MM); empty if delivered once."),
        ("quantity", "'rows', or the name of an additive column."),
        ("received", "All that was received; empty where hidden."),
        ("placed", "Placed in one area as a whole, by any method."),
        ("apportioned", "Split over areas by weights, as far as it falls in the region."),
        ("out_of_region", "In a known area that is not the region's."),
        ("not_placed", "No area could be found, for any reason."),
        (
            "closes",
            "True where the four add up to received. Empty for a source under a sharing agreement: "
            "its amounts are rounded or hidden and cannot be held to it; the exact ones were.",
        ),
        (
            "hidden",
            "Amounts hidden to protect people: 0 to 4 each, left out of the sums; a column all of "
            "whose amounts are hidden is empty.",
        ),
    ),
)

AREA_COUNTS = View(
    "v_area_counts",
    "Counts of every area in area_lookups, added up from the published counts of its LSOAs: the "
    "exact sum over these LSOAs lies between lower and upper. Under hide0-r5 a count shown as p "
    "stands for p - 2 to p + 2 and never less than 5, a hidden one for 0 to 4; one that a note "
    "says was withheld can be of any size. Where a level has figures of its own in observations, "
    "use those.",
    area_counts_sql(),
    (
        ("level", "Level of the area, see area_lookups."),
        ("area_code", "GSS code of the area; of a custom area its id."),
        ("area_name", "Name of the area; empty where its lookup has none."),
        ("fit", "exact, or best_fit where the LSOAs are only the nearest to the area."),
        ("indicator_id", "Indicator, see the table indicators."),
        ("measure", "numerator or denominator of the indicator."),
        ("period_start", "First day of the period."),
        ("period_end", "Last day of the period."),
        ("period_label", "The period in words."),
        ("lsoas", "LSOAs of the region that belong to the area."),
        ("lsoas_hidden", "Of these, LSOAs whose count is hidden to protect people."),
        ("lsoas_missing", "Of these, LSOAs without a count: the sum is incomplete."),
        ("lsoas_outside", "LSOAs of the area outside the region, not in the sum; empty: unknown."),
        ("lower", "The exact sum over these LSOAs is at least this."),
        ("upper", "And at most this; empty where a count is missing, or can be of any size."),
    ),
)

VIEWS = {v.name: v for v in (LATEST_OBSERVATIONS, COVERAGE, AREA_COUNTS, ACCOUNTS)}
