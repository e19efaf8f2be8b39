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
doterm      postcodes only: YYYYMM in which the postcode was terminated
==========  ==========================================================================
"""

from __future__ import annotations

from geography.codes import OTHER_NATIONS_PATTERN, PSEUDO_LSOAS, pattern_sql
from geography.postcodes import normalise_sql, pseudo_postcode_kind_sql, repair_sql
from geography.sql import ident

SPLIT_LSOA11 = "lsoa11:"
SPLIT_PRACTICE = "practice:"
"""Prefixes of split keys, so that a practice and an area of one spelling stay apart."""


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
        Table with uprn and lsoa21cd. Both sides are padded to twelve digits, since some systems
        strip leading zeros.
    areas : str
        Table with lsoa21cd.

    Returns
    -------
    str
        As the module says; reasons uprn_invalid, uprn_unknown, out_of_region.
    """
    return f"""
WITH typed AS (
    SELECT raw, CASE WHEN regexp_full_match(trim(raw), '[0-9]{{1,12}}')
        THEN lpad(trim(raw), 12, '0') END AS uprn
    FROM {ident(raw)}
), known AS (
    SELECT lpad(CAST(uprn AS VARCHAR), 12, '0') AS uprn, min(lsoa21cd) AS lsoa21cd
    FROM {ident(uprns)}
    WHERE lpad(CAST(uprn AS VARCHAR), 12, '0') IN (SELECT uprn FROM typed WHERE uprn IS NOT NULL)
    GROUP BY 1
)
SELECT t.raw, a.lsoa21cd AS area, CAST(NULL AS VARCHAR) AS split_key, 'uprn' AS method,
    CASE
        WHEN a.lsoa21cd IS NOT NULL THEN NULL
        WHEN t.uprn IS NULL THEN 'uprn_invalid'
        WHEN k.lsoa21cd IS NULL THEN 'uprn_unknown'
        ELSE 'out_of_region'
    END AS reason,
    CAST(NULL AS VARCHAR) AS flag, 'none' AS conversion, CAST(NULL AS VARCHAR) AS doterm
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


def postcode_matches_sql(raw: str, postcodes: str, *, columns: frozenset[str]) -> str:
    """SQL that finds the entry of each postcode, as typed or as repaired.

    Parameters
    ----------
    raw : str
        Table of distinct texts, column raw.
    postcodes : str
        Table with pcds, doterm, and any of lsoa21cd, lsoa11cd, easting, northing.
    columns : frozenset of str
        The columns `postcodes` has, lower case.

    Returns
    -------
    str
        raw, pcds0 (normal form), pcds1 (repaired form), found (pcds of the entry), doterm,
        lsoa21cd, lsoa11cd, easting, northing. A live entry goes before a terminated one of the
        same text.
    """

    def column(name: str, kind: str) -> str:
        value = ident(name) if name in columns else "NULL"
        return f"TRY_CAST({value} AS {kind}) AS {name}"

    return f"""
WITH typed AS (
    SELECT raw, {normalise_sql("raw")} AS pcds0, {repair_sql("raw")} AS pcds1 FROM {ident(raw)}
), entries AS (
    SELECT pcds, nullif(trim(CAST(doterm AS VARCHAR)), '') AS doterm,
        {column("lsoa21cd", "VARCHAR")}, {column("lsoa11cd", "VARCHAR")},
        {column("easting", "DOUBLE")}, {column("northing", "DOUBLE")}
    FROM {ident(postcodes)}
    WHERE pcds IN (SELECT pcds0 FROM typed WHERE pcds0 IS NOT NULL)
        OR pcds IN (SELECT pcds1 FROM typed WHERE pcds1 IS NOT NULL)
    QUALIFY row_number() OVER (
        PARTITION BY pcds ORDER BY doterm DESC NULLS FIRST, lsoa21cd, lsoa11cd
    ) = 1
)
SELECT t.raw, t.pcds0, t.pcds1, coalesce(e0.pcds, e1.pcds) AS found,
    CASE WHEN e0.pcds IS NULL THEN e1.doterm ELSE e0.doterm END AS doterm,
    nullif(CASE WHEN e0.pcds IS NULL THEN e1.lsoa21cd ELSE e0.lsoa21cd END, '') AS lsoa21cd,
    nullif(CASE WHEN e0.pcds IS NULL THEN e1.lsoa11cd ELSE e0.lsoa11cd END, '') AS lsoa11cd,
    CASE WHEN e0.pcds IS NULL THEN e1.easting ELSE e0.easting END AS easting,
    CASE WHEN e0.pcds IS NULL THEN e1.northing ELSE e0.northing END AS northing
FROM typed t
LEFT JOIN entries e0 ON e0.pcds = t.pcds0
LEFT JOIN entries e1 ON e1.pcds = t.pcds1
"""


def postcode_sql(
    matches: str, areas: str, conversions: str, changes: str, located: str, *, with_values: bool
) -> str:
    """SQL that places postcodes.

    Parameters
    ----------
    matches : str
        Table made by `postcode_matches_sql`.
    areas : str
        Table with lsoa21cd.
    conversions : str
        Table made by `vintages.conversions_sql`; may be empty.
    changes : str
        Table with lsoa11cd, lsoa21cd; may be empty.
    located : str
        Table raw, lsoa21cd: entries known by a split area of 2011 alone, placed by their own point.
        Believed only if the area is a child of that area.
    with_values : bool
        Whether counts may be split.

    Returns
    -------
    str
        As the module says; reasons postcode_invalid, postcode_unknown, postcode_no_area, zz99_…,
        lsoa11_split, lsoa11_complex, out_of_region.
    """
    split = "c.splittable AND c.in_region" if with_values else "false"
    return f"""
WITH children AS (
    SELECT l.raw, l.lsoa21cd
    FROM {ident(located)} l
    JOIN {ident(matches)} m ON m.raw = l.raw
    JOIN {ident(changes)} h ON h.lsoa11cd = m.lsoa11cd AND h.lsoa21cd = l.lsoa21cd
), found AS (
    SELECT m.*, coalesce(m.lsoa21cd, c.target, l.lsoa21cd) AS lsoa,
        m.lsoa21cd IS NULL AND m.lsoa11cd IS NOT NULL AS is_old,
        CASE WHEN m.lsoa21cd IS NULL AND c.target IS NULL AND l.lsoa21cd IS NULL AND {split}
            THEN '{SPLIT_LSOA11}' || c.lsoa11cd END AS split_key,
        CASE WHEN l.lsoa21cd IS NOT NULL THEN 'none' ELSE c.conversion END AS old_conversion,
        c.in_region,
        {pseudo_postcode_kind_sql("coalesce(m.pcds0, m.pcds1)")} AS pseudo
    FROM {ident(matches)} m
    LEFT JOIN {ident(conversions)} c ON c.lsoa11cd = m.lsoa11cd
    LEFT JOIN children l ON l.raw = m.raw
)
SELECT f.raw, a.lsoa21cd AS area, f.split_key, 'postcode_exact' AS method,
    CASE
        WHEN a.lsoa21cd IS NOT NULL OR f.split_key IS NOT NULL THEN NULL
        WHEN f.pseudo IS NOT NULL THEN f.pseudo
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
    f.doterm
FROM found f
LEFT JOIN {ident(areas)} a ON a.lsoa21cd = f.lsoa
"""
