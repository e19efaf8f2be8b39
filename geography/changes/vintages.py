"""The changes between the LSOAs of 2011 and of 2021.

Belongs here: reading the ONS exact-fit lookup under its several headings, checking it against what
must hold, and giving it weights. Does not belong here: which vintage a file is in (`codes`), and
the splitting itself (`apportionment`).

Whether a lookup is complete is for `completeness`, and the conversion of whole tables in
either direction for `conversion`.

Change indicators (ONS): U unchanged, one to one with the same code; S split, one 2011 area into
several of 2021; M merged, several of 2011 into one; X complex, borders that cross. In the first
version of the lookup there are 33,647 U, 1,900 S, 239 M and 10 X pairs; the second drops one X
pair. Conversions follow: U `none`, M `merged` (counts add up), S `split_weighted` (counts are
split by the residents of each 2021 area), X `complex` (only with weights for the pair itself,
otherwise not placed). A rate is never split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from declarations.errors import GeographyError
from geography.codes import tidied_sql
from geography.sql import columns_of, ident, require_columns

if TYPE_CHECKING:
    import duckdb

CONVERSIONS: dict[str, str] = {"U": "none", "M": "merged", "S": "split_weighted", "X": "complex"}
"""Change indicator to the published `geo_conversion`."""

COLUMN_ALIASES: dict[str, tuple[str, ...]] = {
    "lsoa11cd": ("lsoa11cd", "lsoa11_code"),
    "lsoa21cd": ("lsoa21cd", "lsoa21_code"),
    "chgind": ("chgind", "chngind", "change_code"),
}
"""Our column to the headings it is published under, lower case; CHNGIND is the OA-level
spelling."""


@dataclass(frozen=True)
class ChangesReport:
    """Numbers of pairs in a lookup that passed its checks.

    Attributes
    ----------
    pairs : dict of str to int
        Pairs by change indicator U, S, M, X.
    lsoas11, lsoas21 : int
        Distinct codes of each vintage.
    """

    pairs: dict[str, int]
    lsoas11: int
    lsoas21: int


def select_changes_sql(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """SQL that gives a published lookup our column names.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        The connection that holds `table`.
    table : str
        The lookup as read, under any of the headings in `COLUMN_ALIASES`, in any case.

    Returns
    -------
    str
        A query for lsoa11cd, lsoa21cd, chgind.

    Raises
    ------
    GeographyError
        If a heading is not found.
    """
    present = columns_of(con, table)
    chosen = []
    for ours, aliases in COLUMN_ALIASES.items():
        found = next((alias for alias in aliases if alias in present), None)
        if found is None:
            raise GeographyError(
                f"The lookup {table} has no column for {ours}",
                f"Give it one of the headings {', '.join(aliases)}",
            )
        chosen.append(f"{tidied_sql(ident(found))} AS {ours}")
    return f"SELECT {', '.join(chosen)} FROM {ident(table)}"


def validate_changes(con: duckdb.DuckDBPyConnection, table: str) -> ChangesReport:
    """Check a table of changes against what the lookup must be.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        The connection that holds `table`.
    table : str
        Table with lsoa11cd, lsoa21cd, chgind.

    Returns
    -------
    ChangesReport
        The numbers of pairs.

    Raises
    ------
    GeographyError
        If it has no rows, a code or indicator is missing or malformed, a pair occurs twice, a U
        pair changes its code or shares one, an S area has one child or a child another parent, or
        an M area one parent or a parent another child, or an area of either vintage has pairs of
        two indicators.
    """
    require_columns(con, table, ("lsoa11cd", "lsoa21cd", "chgind"))
    row = con.execute(faults_sql(table)).fetchone() or ()
    names = (
        "pairs with a missing or malformed code or an indicator other than U, S, M, X",
        "pairs that occur more than once",
        "unchanged (U) pairs that are not one to one with the same code",
        "split (S) pairs that are not one to many",
        "merged (M) pairs that are not many to one",
        "pairs of areas that have pairs of several indicators",
    )
    faults = [f"{count} {name}" for name, count in zip(names, row, strict=True) if count]
    if faults:
        raise GeographyError(
            f"The table of LSOA changes {table} has {'; '.join(faults)}",
            "Use the complete ONS exact-fit lookup of 2011 to 2021 LSOAs, not an excerpt",
        )
    pairs = dict(con.execute(pair_counts_sql(table)).fetchall())
    if not pairs:
        raise GeographyError(
            f"The table of LSOA changes {table} has no rows",
            "Use the complete ONS exact-fit lookup of 2011 to 2021 LSOAs",
        )
    codes = con.execute(
        f"SELECT count(DISTINCT lsoa11cd), count(DISTINCT lsoa21cd) FROM {ident(table)}"
    ).fetchone() or (0, 0)
    return ChangesReport({c: pairs.get(c, 0) for c in CONVERSIONS}, codes[0], codes[1])


def pair_counts_sql(table: str) -> str:
    """SQL: numbers of pairs by change indicator."""
    return f"SELECT chgind, count(*) FROM {ident(table)} GROUP BY chgind"


def faults_sql(table: str) -> str:
    """SQL that counts each way in which a table of changes can be wrong.

    Parameters
    ----------
    table : str
        Table with lsoa11cd, lsoa21cd, chgind.

    Returns
    -------
    str
        One row: malformed, repeated, bad U, bad S, bad M, of areas with several indicators.
    """
    return f"""
WITH pairs AS (
    SELECT *,
        count(*) OVER (PARTITION BY lsoa11cd, lsoa21cd) AS same,
        count(*) OVER (PARTITION BY lsoa11cd) AS children,
        count(*) OVER (PARTITION BY lsoa21cd) AS parents,
        min(chgind) OVER (PARTITION BY lsoa11cd) <> max(chgind) OVER (PARTITION BY lsoa11cd)
            OR min(chgind) OVER (PARTITION BY lsoa21cd) <> max(chgind) OVER (PARTITION BY lsoa21cd)
            AS several
    FROM {ident(table)}
)
SELECT
    count(*) FILTER (
        chgind IS NULL OR chgind NOT IN ('U', 'S', 'M', 'X')
        OR lsoa11cd IS NULL OR NOT regexp_full_match(lsoa11cd, '[EW]01[0-9]{{6}}')
        OR lsoa21cd IS NULL OR NOT regexp_full_match(lsoa21cd, '[EW]01[0-9]{{6}}')
    ),
    count(*) FILTER (same > 1),
    count(*) FILTER (chgind = 'U' AND (lsoa11cd <> lsoa21cd OR children > 1 OR parents > 1)),
    count(*) FILTER (chgind = 'S' AND (children = 1 OR parents > 1)),
    count(*) FILTER (chgind = 'M' AND (children > 1 OR parents = 1)),
    count(*) FILTER (several)
FROM pairs
"""


def weighted_changes_sql(
    changes: str,
    residents: str,
    code: str = "lsoa21cd",
    count: str = "residents",
    pair_weights: str | None = None,
) -> str:
    """SQL that gives each pair the whole weight by which counts are split.

    Parameters
    ----------
    changes : str
        Table with lsoa11cd, lsoa21cd, chgind.
    residents : str
        Table with one row per 2021 LSOA: `code` and `count` (persons, or households for counts of
        households).
    code, count : str
        Its columns.
    pair_weights : str, optional
        Table lsoa11cd, lsoa21cd, weight for complex pairs, made by `pair_weights_sql`.

    Returns
    -------
    str
        lsoa11cd, lsoa21cd, chgind, weight BIGINT: 1 for U and M, residents of the 2021 area for S,
        the weight of the pair for X. NULL where there is none: such an area is not split. A complex
        pair without output areas weighs 0 where those of its 2021 area are known: none of its
        people live in both.
    """
    join = ""
    complex_weight = "CAST(NULL AS BIGINT)"
    if pair_weights is not None:
        join = (
            f"LEFT JOIN {ident(pair_weights)} p"
            " ON p.lsoa11cd = c.lsoa11cd AND p.lsoa21cd = c.lsoa21cd"
        )
        complex_weight = pair_weight_sql(pair_weights, "p", "c.lsoa21cd")
    return f"""
SELECT c.lsoa11cd, c.lsoa21cd, c.chgind,
    CASE c.chgind
        WHEN 'U' THEN 1
        WHEN 'M' THEN 1
        WHEN 'S' THEN CAST(r.{ident(count)} AS BIGINT)
        ELSE {complex_weight}
    END AS weight
FROM {ident(changes)} c
LEFT JOIN {ident(residents)} r ON r.{ident(code)} = c.lsoa21cd
{join}
"""


def pair_weight_sql(pair_weights: str, joined: str, lsoa21cd: str) -> str:
    """SQL expression: the weight of a pair, 0 where the pair has no output area, else NULL.

    Parameters
    ----------
    pair_weights : str
        Table lsoa11cd, lsoa21cd, weight, made by `pair_weights_sql`.
    joined : str
        Its alias in the query, left-joined by both codes.
    lsoa21cd : str
        The expression of the pair's 2021 code.
    """
    return f"""CASE
        WHEN {joined}.lsoa21cd IS NOT NULL THEN CAST({joined}.weight AS BIGINT)
        WHEN {lsoa21cd} IN (SELECT lsoa21cd FROM {ident(pair_weights)}) THEN 0
    END"""


def pair_weights_sql(
    output_areas: str,
    count: str = "residents",
    *,
    lsoa11: str = "lsoa11cd",
    lsoa21: str = "lsoa21cd",
) -> str:
    """SQL that adds up the output areas of each pair of a 2011 and a 2021 LSOA.

    Parameters
    ----------
    output_areas : str
        Table with one row per output area of 2021: the 2011 LSOA it fits best, the 2021 LSOA it
        lies in (exactly), and `count`.
    count : str, default "residents"
        Its whole number of persons, households or addresses.
    lsoa11, lsoa21 : str
        Its columns of codes.

    Returns
    -------
    str
        lsoa11cd, lsoa21cd, weight BIGINT. A 2021 LSOA with an output area that lacks its 2011 LSOA
        or its count has no row: its parts are not known.
    """
    old, new, number = ident(lsoa11), ident(lsoa21), ident(count)
    return f"""
WITH complete AS (
    SELECT {new} AS code
    FROM {ident(output_areas)}
    GROUP BY 1
    HAVING count(*) = count({old}) AND count(*) = count({number})
)
SELECT {old} AS lsoa11cd, {new} AS lsoa21cd, CAST(sum({number}) AS BIGINT) AS weight
FROM {ident(output_areas)}
WHERE {new} IN (SELECT code FROM complete)
GROUP BY 1, 2
"""


def conversions_sql(changes: str, areas: str, *, weighted: bool) -> str:
    """SQL that says, for each code of 2011, what becomes of it in the region.

    Parameters
    ----------
    changes : str
        Table with lsoa11cd, lsoa21cd, chgind, and weight where `weighted`.
    areas : str
        Table of the region's areas with lsoa21cd.
    weighted : bool
        Whether `changes` has weights.

    Returns
    -------
    str
        lsoa11cd; target, the one 2021 area (NULL for S and X); conversion; splittable, whether all
        children have a weight and some have one above zero; in_region, whether any child is in the
        region.
    """
    weight = "c.weight" if weighted else "CAST(NULL AS BIGINT)"
    return f"""
SELECT c.lsoa11cd,
    CASE WHEN max(c.chgind) IN ('U', 'M') THEN min(c.lsoa21cd) END AS target,
    CASE max(c.chgind)
        WHEN 'U' THEN 'none' WHEN 'M' THEN 'merged' WHEN 'S' THEN 'split_weighted' ELSE 'complex'
    END AS conversion,
    coalesce(count({weight}) = count(*) AND min({weight}) >= 0 AND sum({weight}) > 0, false)
        AS splittable,
    bool_or(a.lsoa21cd IS NOT NULL) AS in_region
FROM {ident(changes)} c
LEFT JOIN {ident(areas)} a ON a.lsoa21cd = c.lsoa21cd
GROUP BY c.lsoa11cd
"""
