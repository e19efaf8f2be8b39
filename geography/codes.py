r"""GSS codes of areas: their patterns, and the detection of a file's LSOA vintage.

Belongs here: what a code looks like, and which vintage a set of codes is from. Does not belong
here: what a code changed into (`vintages`), or where a record is (`placement`).

Facts (Office for National Statistics, exact-fit lookup of 2011 to 2021 LSOAs): 33,647 of the
34,753 codes of 2011 are also codes of 2021, and every one of those is an unchanged area (U). No
code was given to a different area. So about 94 % of the 2021 codes say nothing about the vintage,
a file of the wrong vintage still joins at about 94 %, and only the codes of one vintage decide. A
code of one vintage can always be converted by itself, whatever the rest of its file is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from geography.sql import ident

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

Vintage = Literal["2011", "2021", "mixed", "unknown"]

PATTERNS: dict[str, str] = {
    "output_area": r"[EW]00[0-9]{6}",
    "lsoa": r"[EW]01[0-9]{6}",
    "msoa": r"[EW]02[0-9]{6}",
    "lad": r"(E0[6-9]|W06|S12|N09)[0-9]{6}",
    "ward": r"[EW]05[0-9]{6}",
    "region": r"E12[0-9]{6}",
    "data_zone": r"S01[0-9]{6}",
    "super_data_zone": r"N2[0-9]{7}",
}
"""Area type to regular expression, to be matched in full.

Scotland's data zones and Northern Ireland's super data zones are the neighbours' small areas.
"""

PSEUDO_LSOAS = ("CLOSED", "EMPTY", "NO2011")
"""What NHS patient files write where a patient has no LSOA: an invalid postcode, none, no 2011
code."""

OTHER_NATIONS_PATTERN = r"([SN][0-9]{8}|95[0-9A-Z]{6})"
"""Small-area codes of Scotland (S…) and Northern Ireland (N…, and 95… of 2001 and 2011)."""

DECISIVE_SHARE = 0.9
"""Share of the deciding codes one vintage needs; below it the file is called mixed."""

UNDECIDED_CONFIDENCE = 0.5
"""Confidence where every code is in both vintages: the vintage is then of no consequence."""


@dataclass(frozen=True)
class VintageDetection:
    """Which vintage the distinct LSOA codes of a file are from.

    Attributes
    ----------
    vintage : {"2011", "2021", "mixed", "unknown"}
        The finding.
    confidence : float
        0 to 1: the share of the deciding codes that agree; 0.5 where none decides.
    only_2011, only_2021, both, unknown : int
        Numbers of distinct codes that are in the 2011 list alone, the 2021 list alone, both,
        neither.
    """

    vintage: Vintage
    confidence: float
    only_2011: int
    only_2021: int
    both: int
    unknown: int


def matches(kind: str, code: str | None) -> bool:
    """Whether a text has the form of a code of this kind of area.

    Parameters
    ----------
    kind : str
        A key of `PATTERNS`.
    code : str or None
        The text.

    Returns
    -------
    bool
        False for None. The form says nothing about whether the area exists.
    """
    return code is not None and re.fullmatch(PATTERNS[kind], code, re.ASCII) is not None


def is_lsoa(code: str | None) -> bool:
    """Whether a text has the form of an LSOA code of England or Wales."""
    return matches("lsoa", code)


def pattern_sql(kind: str, column: str) -> str:
    """SQL condition: the column has the form of a code of this kind of area.

    Parameters
    ----------
    kind : str
        A key of `PATTERNS`.
    column : str
        Column name, unquoted.

    Returns
    -------
    str
        A BOOLEAN expression, NULL for NULL.
    """
    return f"regexp_full_match(CAST({ident(column)} AS VARCHAR), '{PATTERNS[kind]}')"


def lsoa_pattern_sql(column: str) -> str:
    """SQL condition: the column has the form of an LSOA code of England or Wales."""
    return pattern_sql("lsoa", column)


def decide_vintage(only_2011: int, only_2021: int, both: int, unknown: int) -> VintageDetection:
    """Turn the four counts of distinct codes into a finding.

    Parameters
    ----------
    only_2011, only_2021, both, unknown : int
        As in `VintageDetection`.

    Returns
    -------
    VintageDetection
        2021 with confidence 0.5 where all known codes are in both lists; unknown with confidence 0
        where no code is in either.
    """
    deciding = only_2011 + only_2021
    vintage: Vintage
    if deciding:
        share_2011 = only_2011 / deciding
        confidence = max(share_2011, 1 - share_2011)
        vintage = "2011" if share_2011 > 0.5 else "2021"
        if confidence < DECISIVE_SHARE:
            vintage = "mixed"
    elif both:
        vintage, confidence = "2021", UNDECIDED_CONFIDENCE
    else:
        vintage, confidence = "unknown", 0.0
    return VintageDetection(vintage, confidence, only_2011, only_2021, both, unknown)


def detect_vintage(
    codes: Iterable[str], known_2011: Set[str], known_2021: Set[str]
) -> VintageDetection:
    """Find the vintage of a file's LSOA codes.

    Parameters
    ----------
    codes : iterable of str
        The file's codes; repeated ones count once.
    known_2011, known_2021 : set of str
        All codes of each vintage.

    Returns
    -------
    VintageDetection
        See `decide_vintage`.
    """
    distinct = set(codes)
    in_2011 = distinct & known_2011
    in_2021 = distinct & known_2021
    both = in_2011 & in_2021
    return decide_vintage(
        only_2011=len(in_2011 - both),
        only_2021=len(in_2021 - both),
        both=len(both),
        unknown=len(distinct - in_2011 - in_2021),
    )


def vintage_counts_sql(table: str, column: str, changes_table: str) -> str:
    """SQL that counts a table's distinct LSOA codes by vintage.

    Parameters
    ----------
    table, column : str
        Where the codes are. Blanks and NULL are not codes.
    changes_table : str
        Table with `lsoa11cd` and `lsoa21cd`, one row per pair of the exact-fit lookup.

    Returns
    -------
    str
        One row: only_2011, only_2021, both, unknown, the arguments of `decide_vintage`.
    """
    changes = ident(changes_table)
    return f"""
WITH codes AS (
    SELECT DISTINCT upper(trim(CAST({ident(column)} AS VARCHAR))) AS code
    FROM {ident(table)}
    WHERE trim(CAST({ident(column)} AS VARCHAR)) <> ''
), seen AS (
    SELECT
        code IN (SELECT lsoa11cd FROM {changes} WHERE lsoa11cd IS NOT NULL) AS old,
        code IN (SELECT lsoa21cd FROM {changes} WHERE lsoa21cd IS NOT NULL) AS new
    FROM codes
)
SELECT
    count(*) FILTER (old AND NOT new) AS only_2011,
    count(*) FILTER (new AND NOT old) AS only_2021,
    count(*) FILTER (old AND new) AS both,
    count(*) FILTER (NOT old AND NOT new) AS unknown
FROM seen
"""
