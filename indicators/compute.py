"""Numerators and denominators of an indicator, per area and period, from counts.

Belongs here: the SQL that sums counts into terms and rolls LSOAs up to MSOAs and districts.
Does not belong here: which deliveries count (``plan.py``), rates and intervals (``rates.py``),
protection (``governance``). What leaves this module is exact and must not be published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.definitions import ANY_ENDING
from declarations.errors import ConfigurationError
from geography.sql import ident
from indicators.plan import Plan, plan

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.expressions import Term
    from declarations.indicators import Indicator


def indicator_table(
    con: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    declarations: RegionDeclarations,
    counts: str,
    areas: str,
    admitted: str,
    *,
    last_period: str | None = None,
) -> duckdb.DuckDBPyRelation:
    """Sum an indicator's terms for every area, level and window. Exact: not to be published.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the three tables.
    indicator : Indicator
        A count, rate or share. Its measures must be declared as counted by some source. A category
        that ends in ``*`` stands for all that begin so; case is ignored.
    declarations : RegionDeclarations
    counts : str
        Table ``source_id, period, lsoa21cd, lad24cd, measure, category, value, estimated``; a NULL
        ``lsoa21cd`` is a record not placed, known only by its district (or not even that); a NULL
        ``value`` is a count that was hidden before it came here.
    areas : str
        Table ``lsoa21cd, msoa21cd, lad24cd``: every LSOA of the region once.
    admitted : str
        Table ``source_id, period``: the deliveries that were admitted. Counts of any other
        delivery are left out.
    last_period : str, optional
        Ends the calendar there instead of where the region or its deliveries end.

    Returns
    -------
    duckdb.DuckDBPyRelation
        ``indicator_id, period_start, period_end, period_label, geography_type, geography_code,
        lad24cd, numerator BIGINT, denominator BIGINT, estimated, note_id, missing``, ordered; one
        row for every area of the region at each declared level and window. Where every delivery
        arrived and nothing was counted the term is 0; where one did not, the term is NULL and
        ``missing`` is true. A term with a hidden count in it is NULL although ``missing`` is false,
        with the note ``hidden_by_agency``.
        The denominator of a count is NULL.
        District figures include records that could not be placed in an LSOA.

    Raises
    ------
    ConfigurationError
        If the indicator is not counted.
    """
    if indicator.numerator is None:
        raise ConfigurationError(
            f"Indicator {indicator.id} has no numerator to count",
            "Only a count, rate or share is counted; the other kinds have their own functions",
        )
    layout = plan(indicator, declarations, admitted_periods(con, admitted), last_period)
    estimated = any(
        declarations.measure(m).estimated for term in indicator.terms for m in term.measures
    )
    parameters = {
        "indicator_id": indicator.id,
        "estimated": estimated,
        "is_ratio": indicator.denominator is not None,
        **_plan_parameters(layout),
        **_category_parameters(indicator.numerator, indicator.denominator),
    }
    return con.sql(terms_sql(counts, areas), params=parameters)


def admitted_periods(con: duckdb.DuckDBPyConnection, admitted: str) -> dict[str, set[str]]:
    """Return the admitted periods of each source; an empty text for one without a period."""
    rows = con.execute(
        f"SELECT DISTINCT source_id, coalesce(period, '') FROM {ident(admitted)}"
    ).fetchall()
    found: dict[str, set[str]] = {}
    for source_id, period in rows:
        found.setdefault(source_id, set()).add(period)
    return found


def _plan_parameters(layout: Plan) -> dict[str, list[object]]:
    return {
        "stretch": [s.number for s in layout.stretches],
        "level": [s.level for s in layout.stretches],
        "start": [s.window.start for s in layout.stretches],
        "end": [s.window.end for s in layout.stretches],
        "label": [s.window.label for s in layout.stretches],
        "use_stretch": [u.stretch for u in layout.uses],
        "use_term": [u.term for u in layout.uses],
        "use_measure": [u.measure for u in layout.uses],
        "use_source": [u.source_id for u in layout.uses],
        "use_period": [u.period or "" for u in layout.uses],
        "once": [*sorted({u.source_id for u in layout.uses if u.period is None})],
        "measures": [*sorted({u.measure for u in layout.uses})],
        "cover_stretch": [c.stretch for c in layout.covers],
        "cover_lad24cd": [c.lad24cd for c in layout.covers],
        "cover_numerator": [c.numerator_missing for c in layout.covers],
        "cover_denominator": [c.denominator_missing for c in layout.covers],
        "cover_notes": [c.notes for c in layout.covers],
    }


def _category_parameters(numerator: Term, denominator: Term | None) -> dict[str, list[object]]:
    wanted: list[tuple[str, str, str, bool]] = []
    for name, term in (("numerator", numerator), ("denominator", denominator)):
        for summand in term.summands if term else ():
            # No list means every category, which is what a bare * says.
            for category in [ANY_ENDING] if summand.categories is None else summand.categories:
                text = category.lower()
                start, any_ending = text.removesuffix(ANY_ENDING), text.endswith(ANY_ENDING)
                wanted.append((name, summand.measure, start, any_ending))
    return {
        "wanted_term": [w[0] for w in wanted],
        "wanted_measure": [w[1] for w in wanted],
        "wanted_category": [w[2] for w in wanted],
        "wanted_prefix": [w[3] for w in wanted],
    }


def terms_sql(counts: str, areas: str) -> str:
    """Return the statement that sums both terms; the plan's lists are its parameters."""
    return f"""
WITH stretches AS (
    SELECT unnest($stretch::INTEGER[]) AS stretch, unnest($level::VARCHAR[]) AS level,
           unnest($start::DATE[]) AS period_start, unnest($end::DATE[]) AS period_end,
           unnest($label::VARCHAR[]) AS period_label
), uses AS (
    SELECT unnest($use_stretch::INTEGER[]) AS stretch, unnest($use_term::VARCHAR[]) AS term,
           unnest($use_measure::VARCHAR[]) AS measure, unnest($use_source::VARCHAR[]) AS source_id,
           unnest($use_period::VARCHAR[]) AS period
), covers AS (
    SELECT unnest($cover_stretch::INTEGER[]) AS stretch,
           unnest($cover_lad24cd::VARCHAR[]) AS lad24cd,
           unnest($cover_numerator::BOOLEAN[]) AS numerator_missing,
           unnest($cover_denominator::BOOLEAN[]) AS denominator_missing,
           unnest($cover_notes::VARCHAR[]) AS notes
), wanted AS (
    SELECT unnest($wanted_term::VARCHAR[]) AS term, unnest($wanted_measure::VARCHAR[]) AS measure,
           unnest($wanted_category::VARCHAR[]) AS category,
           unnest($wanted_prefix::BOOLEAN[]) AS is_prefix
), chosen AS (
    -- Once per distinct category, not once per count.
    SELECT c.measure, c.category, bool_or(w.term = 'numerator') AS above,
           bool_or(w.term = 'denominator') AS below
    FROM (SELECT DISTINCT measure, coalesce(category, 'all') AS category
          FROM {ident(counts)} WHERE list_contains($measures::VARCHAR[], measure)) AS c
    JOIN wanted AS w
      ON w.measure = c.measure
     AND (lower(c.category) = w.category
          OR (w.is_prefix AND starts_with(lower(c.category), w.category)))
    GROUP BY c.measure, c.category
), delivered AS (
    -- Categories first: what is left is small when it meets the windows.
    SELECT c.source_id, c.measure, c.lsoa21cd,
           CASE WHEN c.lsoa21cd IS NULL THEN c.lad24cd END AS lad24cd,
           CASE WHEN list_contains($once::VARCHAR[], c.source_id) THEN '' ELSE c.period END
               AS period,
           sum(c.value) FILTER (h.above) AS above, sum(c.value) FILTER (h.below) AS below,
           -- One hidden cell hides every sum it is in: the rest alone would be too small.
           bool_or(c.value IS NULL) FILTER (h.above) AS above_hidden,
           bool_or(c.value IS NULL) FILTER (h.below) AS below_hidden,
           bool_or(c.estimated) FILTER (h.above) AS above_estimated,
           bool_or(c.estimated) FILTER (h.below) AS below_estimated
    FROM {ident(counts)} AS c
    JOIN chosen AS h ON h.measure = c.measure AND h.category = coalesce(c.category, 'all')
    WHERE list_contains($measures::VARCHAR[], c.measure)
    GROUP BY ALL
), counted AS (
    SELECT u.stretch, d.lsoa21cd, d.lad24cd,
           sum(d.above) FILTER (u.term = 'numerator') AS numerator,
           sum(d.below) FILTER (u.term = 'denominator') AS denominator,
           coalesce(bool_or(d.above_hidden) FILTER (u.term = 'numerator'), false)
               AS numerator_hidden,
           coalesce(bool_or(d.below_hidden) FILTER (u.term = 'denominator'), false)
               AS denominator_hidden,
           coalesce(bool_or(CASE u.term WHEN 'numerator' THEN d.above_estimated
                            ELSE d.below_estimated END), false) AS estimated
    FROM delivered AS d
    JOIN uses AS u USING (source_id, measure, period)
    GROUP BY ALL
), placed AS (
    SELECT s.stretch, s.level, a.lad24cd,
           CASE s.level WHEN 'lsoa21' THEN a.lsoa21cd WHEN 'msoa21' THEN a.msoa21cd
                        ELSE a.lad24cd END AS geography_code,
           coalesce(c.numerator, 0) AS numerator, coalesce(c.denominator, 0) AS denominator,
           coalesce(c.numerator_hidden, false) AS numerator_hidden,
           coalesce(c.denominator_hidden, false) AS denominator_hidden,
           coalesce(c.estimated, false) AS estimated, false AS not_placed
    FROM stretches AS s
    CROSS JOIN {ident(areas)} AS a
    LEFT JOIN counted AS c ON c.stretch = s.stretch AND c.lsoa21cd = a.lsoa21cd
), not_placed AS (
    SELECT s.stretch, s.level, c.lad24cd, c.lad24cd AS geography_code,
           coalesce(c.numerator, 0) AS numerator, coalesce(c.denominator, 0) AS denominator,
           c.numerator_hidden, c.denominator_hidden, c.estimated,
           coalesce(c.numerator, 0) + coalesce(c.denominator, 0) > 0 AS not_placed
    FROM stretches AS s
    JOIN counted AS c ON c.stretch = s.stretch AND c.lsoa21cd IS NULL
    WHERE s.level = 'lad24' AND c.lad24cd IN (SELECT lad24cd FROM {ident(areas)})
), gathered AS (
    SELECT t.stretch, t.level, t.geography_code, min(t.lad24cd) AS lad24cd,
           sum(t.numerator) AS numerator, sum(t.denominator) AS denominator,
           bool_or(t.numerator_hidden) AS numerator_hidden,
           bool_or(t.denominator_hidden) AS denominator_hidden,
           bool_or(t.estimated) AS estimated, bool_or(t.not_placed) AS not_placed,
           bool_or(coalesce(v.numerator_missing, true)) AS numerator_missing,
           bool_or(coalesce(v.denominator_missing, true)) AS denominator_missing,
           max(v.notes) AS notes
    FROM (FROM placed UNION ALL FROM not_placed) AS t
    LEFT JOIN covers AS v ON v.stretch = t.stretch AND v.lad24cd = t.lad24cd
    GROUP BY t.stretch, t.level, t.geography_code
), noted AS (
    -- On every district alike: that one district has such a record is not to be told by a note.
    SELECT *, list_filter(list_sort(list_concat(
               string_split(coalesce(notes, ''), ','),
               CASE WHEN level = 'lad24' AND bool_or(not_placed) OVER () AND NOT numerator_missing
                    THEN ['includes_not_placed'] END,
               CASE WHEN (numerator_hidden AND NOT numerator_missing)
                      OR (denominator_hidden AND NOT denominator_missing)
                    THEN ['hidden_by_agency'] END)),
           lambda note: note <> '') AS note_ids
    FROM gathered
)
SELECT $indicator_id::VARCHAR AS indicator_id, s.period_start, s.period_end, s.period_label,
       g.level AS geography_type, g.geography_code, g.lad24cd,
       CASE WHEN NOT g.numerator_missing AND NOT g.numerator_hidden
            THEN g.numerator END::BIGINT AS numerator,
       CASE WHEN NOT g.denominator_missing AND NOT g.denominator_hidden
             AND $is_ratio::BOOLEAN
            THEN g.denominator END::BIGINT AS denominator,
       g.estimated OR $estimated::BOOLEAN AS estimated,
       nullif(array_to_string(g.note_ids, ','), '') AS note_id,
       g.numerator_missing OR g.denominator_missing AS missing
FROM noted AS g
JOIN stretches AS s USING (stretch)
ORDER BY g.stretch, g.geography_code
"""
