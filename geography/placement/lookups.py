"""One SQL statement per key: from what a record says to an area, or to the reason why not.

Belongs here: the meaning of each kind of key. Does not belong here: the choice between several keys
of one record, splitting and counting (`placement`).

Every statement reads the distinct texts of one column and gives one row per text:

==========  ==========================================================================
raw         the text as delivered
area        its 2021 LSOA, if that is in the region
split_key   the key of the weights by which a count is split, if it must be
method      how it was found (`geo_method`)
reason      why there is no area; NULL if there is one, or a split
flag        what the reader should know (`geo_flag`)
conversion  `geo_conversion`
doterm      YYYYMM in which the postcode was terminated; NULL for other keys
==========  ==========================================================================

Postcodes have three more: `quality`, and the months `from_month` to `until_month` for which the row
holds. A text has several rows if its postcode had several lives; their months do not overlap.
"""

from __future__ import annotations

from geography.codes import OTHER_NATIONS_PATTERN, PSEUDO_LSOAS, pattern_sql
from geography.postal.postcodes import (
    compact_sql,
    normalise_compact_sql,
    pseudo_postcode_kind_sql,
    repair_compact_sql,
)
from geography.postal.uprns import twelve_digits_sql
from geography.sql import ident

SPLIT_LSOA11 = "lsoa11:"
SPLIT_PRACTICE = "practice:"
"""Prefixes of split keys, so that a practice and an area of one spelling stay apart."""

LAD_PATTERN = r"(E0[6-9]|W06|S12|N09)\d{6}"
"""Codes of local authority districts of the United Kingdom."""

FOREVER = "~"
"""A month, as text, that comes after any YYYYMM."""


def raw_values_sql(records: str, column: str) -> str:
    """SQL: the distinct non-blank texts of a column, as `raw`."""
    text = f"CAST({ident(column)} AS VARCHAR)"
    return f"SELECT DISTINCT {text} AS raw FROM {ident(records)} WHERE trim({text}) <> ''"


def uprn_sql(raw: str, uprns: str, areas: str) -> str:
    """SQL that places UPRNs.

    Parameters
    ----------
    raw : str
        Table of distinct texts, column raw.
    uprns : str
        Table with uprn and lsoa21cd; of a UPRN in several areas the smallest code is taken. Both
        sides are read by `geography.postal.uprns`; a ".0" that is left out is flagged.
    areas : str
        Table with lsoa21cd.

    Returns
    -------
    str
        As the module says; reasons uprn_invalid, uprn_unknown, out_of_region.
    """
    return f"""
WITH typed AS (
    SELECT raw,
        {twelve_digits_sql("raw")} AS uprn,
        contains(raw, '.') AS repaired
    FROM {ident(raw)}
), known AS (
    SELECT uprn, min(lsoa21cd) AS lsoa21cd
    FROM (SELECT {twelve_digits_sql("uprn")} AS uprn, lsoa21cd FROM {ident(uprns)})
    WHERE uprn IN (SELECT uprn FROM typed WHERE uprn IS NOT NULL)
    GROUP BY 1
)
SELECT t.raw, a.lsoa21cd AS area, CAST(NULL AS VARCHAR) AS split_key, 'uprn' AS method,
    CASE
        WHEN a.lsoa21cd IS NOT NULL THEN NULL
        WHEN t.uprn IS NULL THEN 'uprn_invalid'
        WHEN k.lsoa21cd IS NULL THEN 'uprn_unknown'
        ELSE 'out_of_region'
    END AS reason,
    CASE WHEN k.uprn IS NOT NULL AND t.repaired THEN 'uprn_repaired' END AS flag,
    'none' AS conversion, CAST(NULL AS VARCHAR) AS doterm
FROM typed t
LEFT JOIN known k ON k.uprn = t.uprn
LEFT JOIN {ident(areas)} a ON a.lsoa21cd = k.lsoa21cd
"""


def output_area_sql(raw: str, output_areas: str, areas: str) -> str:
    """SQL that places output areas of 2021; they nest exactly in LSOAs.

    Parameters
    ----------
    raw : str
        Table of distinct texts, column raw.
    output_areas : str
        Table with oa21cd and lsoa21cd.
    areas : str
        Table with lsoa21cd.

    Returns
    -------
    str
        As the module says; reasons output_area_unknown, out_of_region.
    """
    return f"""
WITH known AS (
    SELECT oa21cd, min(lsoa21cd) AS lsoa21cd FROM {ident(output_areas)} GROUP BY oa21cd
)
SELECT t.raw, a.lsoa21cd AS area, CAST(NULL AS VARCHAR) AS split_key, 'output_area' AS method,
    CASE
        WHEN a.lsoa21cd IS NOT NULL THEN NULL
        WHEN k.lsoa21cd IS NULL THEN 'output_area_unknown'
        ELSE 'out_of_region'
    END AS reason,
    CAST(NULL AS VARCHAR) AS flag, 'none' AS conversion, CAST(NULL AS VARCHAR) AS doterm
FROM {ident(raw)} t
LEFT JOIN known k ON k.oa21cd = upper(trim(t.raw))
LEFT JOIN {ident(areas)} a ON a.lsoa21cd = k.lsoa21cd
"""


def practice_sql(raw: str, weights: str) -> str:
    """SQL that sends GP practices to be split over the LSOAs of their patients.

    Parameters
    ----------
    raw : str
        Table of distinct texts, column raw.
    weights : str
        Table with practice_code, lsoa21cd, patients.

    Returns
    -------
    str
        As the module says; reason practice_unknown.
    """
    return f"""
WITH known AS (
    SELECT DISTINCT practice_code FROM {ident(weights)} WHERE patients > 0 AND lsoa21cd IS NOT NULL
)
SELECT t.raw, CAST(NULL AS VARCHAR) AS area,
    CASE WHEN k.practice_code IS NOT NULL THEN '{SPLIT_PRACTICE}' || k.practice_code END
        AS split_key,
    'practice_apportioned' AS method,
    CASE WHEN k.practice_code IS NULL THEN 'practice_unknown' END AS reason,
    CAST(NULL AS VARCHAR) AS flag, 'none' AS conversion, CAST(NULL AS VARCHAR) AS doterm
FROM {ident(raw)} t
LEFT JOIN known k ON k.practice_code = upper(trim(t.raw))
"""


def district_sql(raw: str, areas: str) -> str:
    """SQL that tells districts of the region from others; a district is no area of its own.

    Parameters
    ----------
    raw : str
        Table of distinct texts, column raw.
    areas : str
        Table with lsoa21cd and lad24cd.

    Returns
    -------
    str
        As the module says, never with an area; reasons district_only, out_of_region,
        district_unknown.
    """
    code = "upper(trim(t.raw))"
    return f"""
SELECT t.raw, CAST(NULL AS VARCHAR) AS area, CAST(NULL AS VARCHAR) AS split_key,
    'district' AS method,
    CASE
        WHEN {code} IN (SELECT lad24cd FROM {ident(areas)}) THEN 'district_only'
        WHEN regexp_full_match({code}, '{LAD_PATTERN}') THEN 'out_of_region'
        ELSE 'district_unknown'
    END AS reason,
    CAST(NULL AS VARCHAR) AS flag, 'none' AS conversion, CAST(NULL AS VARCHAR) AS doterm
FROM {ident(raw)} t
"""


def lsoa_sql(
    raw: str,
    areas: str,
    conversions: str,
    known_lsoa21: str,
    *,
    file_is_2011: bool,
    with_values: bool,
) -> str:
    """SQL that places LSOA codes of either vintage.

    A code of one vintage is read as that vintage whatever its file is, since no code was given to
    a different area. A code of both is the same area in both; `file_is_2011` decides only how it is
    reported.

    Parameters
    ----------
    raw : str
        Table of distinct texts, column raw.
    areas : str
        Table with lsoa21cd.
    conversions : str
        Table made by `vintages.conversions_sql`; may be empty.
    known_lsoa21 : str
        Table with all known lsoa21cd; may be empty.
    file_is_2011 : bool
        What was detected.
    with_values : bool
        Whether counts may be split.

    Returns
    -------
    str
        As the module says; reasons lsoa_pseudo, lsoa_unknown, lsoa11_split, lsoa11_complex,
        out_of_region.
    """
    pseudo = ", ".join(f"'{code}'" for code in PSEUDO_LSOAS)
    split = "c.splittable AND c.target IS NULL AND c.in_region" if with_values else "false"
    old = "true" if file_is_2011 else "(k.lsoa21cd IS NULL AND d.lsoa21cd IS NULL)"
    return f"""
WITH codes AS (
    SELECT raw, upper(trim(raw)) AS code FROM {ident(raw)}
), known AS (
    SELECT DISTINCT lsoa21cd FROM {ident(known_lsoa21)}
), found AS (
    SELECT t.raw, t.code, c.lsoa11cd IS NOT NULL AND {old} AS is_old,
        coalesce(d.lsoa21cd, a.lsoa21cd) AS area,
        d.lsoa21cd IS NOT NULL OR k.lsoa21cd IS NOT NULL AS is_new,
        CASE WHEN {split} THEN '{SPLIT_LSOA11}' || c.lsoa11cd END AS split_key,
        c.lsoa11cd, c.conversion, c.in_region
    FROM codes t
    LEFT JOIN {ident(areas)} d ON d.lsoa21cd = t.code
    LEFT JOIN known k ON k.lsoa21cd = t.code
    LEFT JOIN {ident(conversions)} c ON c.lsoa11cd = t.code
    LEFT JOIN {ident(areas)} a ON a.lsoa21cd = c.target
)
SELECT raw, area, CASE WHEN area IS NULL THEN split_key END AS split_key,
    CASE WHEN is_old THEN 'lsoa11_code' ELSE 'lsoa_code' END AS method,
    CASE
        WHEN area IS NOT NULL OR split_key IS NOT NULL THEN NULL
        WHEN in_region AND conversion = 'split_weighted' THEN 'lsoa11_split'
        WHEN in_region AND conversion = 'complex' THEN 'lsoa11_complex'
        WHEN lsoa11cd IS NOT NULL OR is_new THEN 'out_of_region'
        WHEN code IN ({pseudo}) THEN 'lsoa_pseudo'
        WHEN regexp_full_match(code, '{OTHER_NATIONS_PATTERN}') THEN 'out_of_region'
        WHEN {pattern_sql("lsoa", "code")} AND starts_with(code, 'W')
            AND NOT EXISTS (FROM {ident(areas)} w WHERE starts_with(w.lsoa21cd, 'W'))
            THEN 'out_of_region'
        ELSE 'lsoa_unknown'
    END AS reason,
    CASE WHEN is_old THEN 'vintage_2011' END AS flag,
    CASE WHEN is_old THEN conversion ELSE 'none' END AS conversion,
    CAST(NULL AS VARCHAR) AS doterm
FROM found
"""


def typed_postcodes_sql(raw: str) -> str:
    """SQL: what each text is as a postcode: `raw`, `pcds0` as typed and `pcds1` as repaired."""
    return f"""
SELECT raw, pcds0, {repair_compact_sql("compact", "pcds0")} AS pcds1
FROM (
    SELECT raw, compact, {normalise_compact_sql("compact")} AS pcds0
    FROM (SELECT raw, {compact_sql("raw")} AS compact FROM {ident(raw)})
)
"""


def postcode_entries_sql(
    typed: str, postcodes: str, output_areas: str, *, columns: frozenset[str], dated: bool
) -> str:
    """SQL: the entries of the directory that the texts can mean, and when each is the one to take.

    A postcode that was terminated and introduced again has several entries. In a month it is the
    latest that had been introduced by then; between two lives it is still the one terminated
    before, and before the first introduction the first. Where records have no date, it is the live
    entry, else the one terminated last.

    Parameters
    ----------
    typed : str
        Table made by `typed_postcodes_sql`.
    postcodes : str
        Table with pcds, doterm, and any of dointr, quality, lsoa21cd, lsoa11cd, oa21cd, easting,
        northing.
    output_areas : str
        Table oa21cd, lsoa21cd; may be empty.
    columns : frozenset of str
        The columns `postcodes` has, lower case.
    dated : bool
        Whether the records have a date.

    Returns
    -------
    str
        raw (a number for the entry, as text), pcds, from_month (inclusive) and until_month
        (exclusive; both texts to compare with YYYYMM), doterm, quality, lsoa21cd, lsoa11cd,
        oa_lsoa21cd (2021 LSOA of its output area), easting, northing.
    """

    def column(name: str, kind: str) -> str:
        value = ident(name) if name in columns else "NULL"
        return f"TRY_CAST({value} AS {kind}) AS {name}"

    def text(name: str) -> str:
        value = ident(name) if name in columns else "NULL"
        return f"nullif(trim(CAST({value} AS VARCHAR)), '') AS {name}"

    span = f"""
    SELECT *, '' AS from_month, '{FOREVER}' AS until_month FROM different"""
    if dated:
        span = _lives_sql()
    return f"""
WITH wanted AS (
    SELECT pcds0 AS pcds FROM {ident(typed)} WHERE pcds0 IS NOT NULL
    UNION SELECT pcds1 FROM {ident(typed)} WHERE pcds1 IS NOT NULL
), entries AS (
    SELECT pcds, {text("dointr")}, {text("doterm")}, {column("quality", "INTEGER")},
        {text("lsoa21cd")}, {text("lsoa11cd")}, {text("oa21cd")},
        {column("easting", "DOUBLE")}, {column("northing", "DOUBLE")}
    FROM {ident(postcodes)} WHERE pcds IN (FROM wanted)
), different AS (
    FROM entries QUALIFY row_number() OVER (
        PARTITION BY {"pcds, doterm, dointr" if dated else "pcds"}
        ORDER BY doterm DESC NULLS FIRST, dointr DESC NULLS LAST,
            lsoa21cd, lsoa11cd, oa21cd, easting, northing, quality
    ) = 1
), spans AS ({span}
), areas_of AS (
    SELECT oa21cd, min(lsoa21cd) AS lsoa21cd FROM {ident(output_areas)} GROUP BY oa21cd
)
SELECT CAST(row_number() OVER () AS VARCHAR) AS raw, s.pcds, s.from_month, s.until_month,
    s.doterm, s.quality, s.lsoa21cd, s.lsoa11cd, o.lsoa21cd AS oa_lsoa21cd, s.easting, s.northing
FROM spans s LEFT JOIN areas_of o ON o.oa21cd = upper(s.oa21cd)
"""


def _lives_sql() -> str:
    """SQL: `different` with the months in which each entry of a postcode is the one to take."""
    return f"""
    SELECT *, coalesce(lead(from_month) OVER lives, '{FOREVER}') AS until_month
    FROM (
        -- An entry never starts after the one that follows it, so that spans do not overlap.
        SELECT *, min(started) OVER (
            PARTITION BY pcds ORDER BY doterm NULLS LAST, dointr NULLS FIRST
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS from_month
        FROM (
            SELECT *, CASE WHEN row_number() OVER lives = 1 THEN ''
                ELSE coalesce(dointr, lag(doterm) OVER lives || '0') END AS started
            FROM different
            WINDOW lives AS (PARTITION BY pcds ORDER BY doterm NULLS LAST, dointr NULLS FIRST)
        )
    )
    WINDOW lives AS (PARTITION BY pcds ORDER BY doterm NULLS LAST, dointr NULLS FIRST)"""


def postcode_sql(
    typed: str,
    entries: str,
    areas: str,
    conversions: str,
    changes: str,
    located: str,
    *,
    with_values: bool,
) -> str:
    """SQL that places postcodes, as typed or else as repaired.

    An entry without a 2021 LSOA of its own is placed by its 2011 LSOA where that is unchanged or
    merged, else by its output area (method oa_bestfit), else by its point.

    Parameters
    ----------
    typed : str
        Table made by `typed_postcodes_sql`.
    entries : str
        Table made by `postcode_entries_sql`.
    areas : str
        Table with lsoa21cd.
    conversions : str
        Table made by `vintages.conversions_sql`; may be empty.
    changes : str
        Table with lsoa11cd, lsoa21cd; may be empty.
    located : str
        Table raw, lsoa21cd, by the number of the entry: entries known by a split area of 2011
        alone, placed by their own point. Believed only if the area is a child of that area.
    with_values : bool
        Whether counts may be split.

    Returns
    -------
    str
        As the module says, with quality, from_month and until_month, and one row per text and entry
        it can mean; reasons postcode_invalid, postcode_unknown, postcode_no_area, zz99_…,
        lsoa11_split, lsoa11_complex, out_of_region.
    """
    split = "c.splittable AND c.in_region" if with_values else "false"
    return f"""
WITH children AS (
    SELECT l.raw, l.lsoa21cd
    FROM {ident(located)} l
    JOIN {ident(entries)} m ON m.raw = l.raw
    JOIN {ident(changes)} h ON h.lsoa11cd = m.lsoa11cd AND h.lsoa21cd = l.lsoa21cd
), known AS (
    SELECT DISTINCT pcds FROM {ident(entries)}
), outcomes AS (
    SELECT m.pcds, m.from_month, m.until_month, m.doterm, m.quality, m.lsoa11cd, c.in_region,
        coalesce(m.lsoa21cd, c.target, m.oa_lsoa21cd, l.lsoa21cd) AS lsoa,
        m.lsoa21cd IS NULL AND c.target IS NULL AND m.oa_lsoa21cd IS NOT NULL AS by_output_area,
        m.lsoa21cd IS NULL AND m.lsoa11cd IS NOT NULL AS by_lsoa11,
        CASE WHEN coalesce(m.lsoa21cd, c.target, m.oa_lsoa21cd, l.lsoa21cd) IS NULL AND {split}
            THEN '{SPLIT_LSOA11}' || c.lsoa11cd END AS split_key,
        CASE WHEN l.lsoa21cd IS NOT NULL THEN 'none' ELSE c.conversion END AS old_conversion
    FROM {ident(entries)} m
    LEFT JOIN {ident(conversions)} c ON c.lsoa11cd = m.lsoa11cd
    LEFT JOIN children l ON l.raw = m.raw
), meant AS (
    SELECT t.raw, t.pcds0, {pseudo_postcode_kind_sql("coalesce(t.pcds0, t.pcds1)")} AS pseudo,
        coalesce(k0.pcds, k1.pcds) AS pcds
    FROM {ident(typed)} t
    LEFT JOIN known k0 ON k0.pcds = t.pcds0
    LEFT JOIN known k1 ON k1.pcds = t.pcds1
), found AS (
    SELECT f.raw, f.pcds0, f.pseudo, f.pcds AS found, o.* EXCLUDE (pcds),
        coalesce(o.by_lsoa11 AND NOT o.by_output_area, false) AS is_old
    FROM meant f LEFT JOIN outcomes o ON o.pcds = f.pcds
)
SELECT f.raw, a.lsoa21cd AS area, CASE WHEN f.pseudo IS NULL THEN f.split_key END AS split_key,
    CASE WHEN f.by_output_area THEN 'oa_bestfit' ELSE 'postcode_exact' END AS method,
    CASE
        WHEN f.pseudo IS NOT NULL THEN f.pseudo
        WHEN a.lsoa21cd IS NOT NULL OR f.split_key IS NOT NULL THEN NULL
        WHEN f.found IS NULL AND f.pcds0 IS NULL THEN 'postcode_invalid'
        WHEN f.found IS NULL THEN 'postcode_unknown'
        WHEN f.lsoa IS NOT NULL THEN 'out_of_region'
        WHEN f.lsoa11cd IS NULL THEN 'postcode_no_area'
        WHEN f.in_region AND f.old_conversion = 'split_weighted' THEN 'lsoa11_split'
        WHEN f.in_region AND f.old_conversion = 'complex' THEN 'lsoa11_complex'
        ELSE 'out_of_region'
    END AS reason,
    CASE
        WHEN f.found IS NOT NULL AND f.found IS DISTINCT FROM f.pcds0 THEN 'postcode_repaired'
        WHEN f.is_old THEN 'vintage_2011'
    END AS flag,
    CASE WHEN f.is_old THEN f.old_conversion ELSE 'none' END AS conversion,
    f.doterm, f.quality, coalesce(f.from_month, '') AS from_month,
    coalesce(f.until_month, '{FOREVER}') AS until_month
FROM found f
-- A pseudo-postcode is no place, whatever a directory gives for it.
-- The condition stands inside the equality, since beside it DuckDB compares each row with each.
LEFT JOIN {ident(areas)} a ON a.lsoa21cd = CASE WHEN f.pseudo IS NULL THEN f.lsoa END
"""
