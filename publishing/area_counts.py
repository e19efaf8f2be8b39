"""Counts of larger areas, from published LSOA counts alone, with bounds that hold.

Belongs here: what a published count stands for, and the sums over the LSOAs of an area. Does not
belong here: the profiles (``governance/disclosure/``), or an exact count of any kind: whatever is
made from published figures alone tells no more than they do.

Under ``hide0-r5`` a count shown as p was at least p - 2 and at most p + 2, and never below 5, the
smallest that is shown; a hidden one was 0 to 4, zero included. So the exact sum of an area lies
between the sums of these bounds, both included. A figure that was withheld to keep another one
hidden can be of any size: an area with such a one has no upper bound.
"""

from __future__ import annotations

from governance.disclosure.counts import bounds_sql
from governance.disclosure.profiles import default_profile, profiles
from indicators.notes import WITHHELD_NOTES
from warehouse.sql import literal


def _bounds() -> tuple[str, str]:
    """Return SQL for the bounds of a count, each by the profile of its indicator."""
    marked = "(c.value_status LIKE '%[c]%' OR c.value_status LIKE '%[low]%')"
    withheld = f"c.published IS NULL AND {marked} AND list_has_any(string_split(c.note_id, ','), "
    withheld += f"[{', '.join(map(literal, sorted(WITHHELD_NOTES)))}])"
    each = {name: bounds_sql("c.published", marked, p) for name, p in profiles().items()}
    least, most = (
        " ".join(f"WHEN c.profile = {literal(name)} THEN {sql[end]}" for name, sql in each.items())
        for end in (0, 1)
    )
    other = each[default_profile().name]
    return (
        f"CASE WHEN {withheld} THEN 0 {least} ELSE {other[0]} END",
        f"CASE WHEN {withheld} THEN NULL {most} ELSE {other[1]} END",
    )


def area_counts_sql() -> str:
    """Return the query of the view ``v_area_counts``, over the tables of a release.

    Only rates and shares have counts that went through the profile. ``[c]`` says that the counts
    which are empty are hidden; ``[x]`` that a delivery is missing, so that an empty count may be
    any. Only measures that are published by LSOA are there.
    """
    least, most = _bounds()
    return f"""
    WITH counted AS (
        SELECT o.indicator_id, o.period_start, o.period_end, o.period_label, o.geography_code,
               o.value_status, o.note_id, i.profile,
               unnest(['numerator', 'denominator']) AS measure,
               unnest([o.numerator, o.denominator]) AS published
        FROM observations AS o
        JOIN indicators AS i USING (indicator_id)
        WHERE o.geography_type = 'lsoa21' AND i.kind IN ('rate', 'share')
          AND o.breakdown_type = 'none'
    ), cells AS (
        SELECT c.*, {least} AS least,
               {most} AS most
        FROM counted AS c
    ), series AS (
        SELECT DISTINCT indicator_id, measure, period_start, period_end, period_label FROM cells
    )
    SELECT l.level, l.area_code, any_value(l.area_name) AS area_name, any_value(l.fit) AS fit,
           s.indicator_id, s.measure, s.period_start, s.period_end, s.period_label,
           count(*) AS lsoas,
           count(*) FILTER (c.published IS NULL AND c.least IS NOT NULL) AS lsoas_hidden,
           count(*) FILTER (c.least IS NULL) AS lsoas_missing,
           any_value(l.lsoas_outside) AS lsoas_outside,
           CAST(coalesce(sum(c.least), 0) AS BIGINT) AS lower,
           CASE WHEN count(c.most) = count(*) THEN CAST(sum(c.most) AS BIGINT) END AS upper
    FROM area_lookups AS l
    CROSS JOIN series AS s
    LEFT JOIN cells AS c
      ON c.geography_code = l.lsoa21cd AND c.indicator_id = s.indicator_id
     AND c.measure = s.measure AND c.period_start = s.period_start
     AND c.period_end = s.period_end
    GROUP BY l.level, l.area_code, s.indicator_id, s.measure, s.period_start, s.period_end,
             s.period_label
    ORDER BY l.level, l.area_code, s.indicator_id, s.measure DESC, s.period_start, s.period_end
    """
