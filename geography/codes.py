r"""GSS codes: what kind of area a code names, what the area is called, which vintage codes are of.

Belongs here: what a code looks like and names, and which vintage a set of codes is from. Does not
belong here: which prefix is which kind (`gss_kinds.yaml`), what a code changed into (`changes`),
or where a record is (`placement`).

A code alone says its kind and its country, never its vintage: a list of the codes of each vintage
does. Facts (Office for National Statistics, exact-fit lookup of 2011 to 2021 LSOAs): 33,647 of the
34,753 codes of 2011 are also codes of 2021, and every one of those is an unchanged area (U). No
code was given to a different area. So about 94 % of the 2021 codes say nothing about the vintage,
a file of the wrong vintage still joins at about 94 %, and only the codes of one vintage decide. A
code of one vintage can always be converted by itself, whatever the rest of its file is.

How sure a finding is follows from how many distinct codes decided, by Laplace's rule of
succession: with a of n deciding codes on its side the confidence is (a + 1) / (n + 2). One code
gives 0.67, ten in agreement 0.92, a hundred 0.99; none gives 0.5, the toss of a coin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from declarations.errors import GeographyError
from geography.gss_kinds import kind_named, kind_table
from geography.sql import ident, one_row, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    import duckdb

Vintage = Literal["2011", "2021", "mixed", "unknown"]

PSEUDO_LSOAS = ("CLOSED", "EMPTY", "NO2011")
"""What NHS patient files write where a patient has no LSOA: an invalid postcode, none, no 2011
code."""

OTHER_NATIONS_PATTERN = r"([SN][0-9]{8}|95[0-9A-Z]{6})"
"""Small-area codes of Scotland (S…) and Northern Ireland (N…, and 95… of 2001 and 2011)."""

BLANKS = "".join(chr(point) for point in range(0x3001) if chr(point).isspace())
"""What is cut off around a code, in Python and in SQL alike: all white space, line breaks too. The
trim of DuckDB alone cuts off spaces only."""

DECISIVE_SHARE = 0.9
"""Share of the deciding codes one vintage needs; below it the file is called mixed."""


@dataclass(frozen=True)
class GssCode:
    """A text that has the form of a GSS code.

    Attributes
    ----------
    code : str
        Nine characters, upper case.
    kind : str
        A kind of `gss_kinds.yaml`, such as ``lsoa``.
    kind_name : str
        The plain name of the kind.
    country : str
        The name of the country the code begins with.
    vintaged : bool
        Whether the area exists by vintage: then only a list of codes tells of which.
    """

    code: str
    kind: str
    kind_name: str
    country: str
    vintaged: bool


@dataclass(frozen=True)
class CodeCheck:
    """How the codes of a column stand the test of their form.

    Attributes
    ----------
    rows, blank, well_formed, unknown : int
        Numbers of rows: all, without a text, with a code of the kind asked for, and of those with
        one that is not in the list of known codes (0 where no list was given).
    other_kinds : dict of str to int
        Rows with a code of another kind, by kind.
    malformed : int
        Rows with a text that is no GSS code.
    """

    rows: int
    blank: int
    well_formed: int
    unknown: int
    other_kinds: dict[str, int]
    malformed: int

    @property
    def passed(self) -> bool:
        """Whether every row that has a text has a known code of the kind."""
        return self.rows == self.blank + self.well_formed and not self.unknown


@dataclass(frozen=True)
class VintageDetection:
    """Which vintage the distinct LSOA codes of a file are from.

    Attributes
    ----------
    vintage : {"2011", "2021", "mixed", "unknown"}
        The finding.
    confidence : float
        0 to 1: (a + 1) / (n + 2), where a of the n deciding codes are of the vintage with more of
        them. 0.5 where none decides, 0 where no code is known.
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

    @property
    def deciding(self) -> int:
        """Number of distinct codes that decided: those of one vintage alone."""
        return self.only_2011 + self.only_2021

    @property
    def share(self) -> float | None:
        """Share of the deciding codes that are of the vintage with more of them; None if none."""
        return max(self.only_2011, self.only_2021) / self.deciding if self.deciding else None


def tidied(text: str | None) -> str:
    """Return a code without blanks around it and in upper case, empty for None."""
    return (text or "").strip(BLANKS).upper()


def tidied_sql(text: str) -> str:
    """SQL twin of `tidied`, of a VARCHAR expression; NULL for NULL."""
    return f"upper(trim({text}, '{BLANKS}'))"


def try_parse(text: str | None) -> GssCode | None:
    """Read a GSS code, if it is one.

    Parameters
    ----------
    text : str or None
        Blanks around it and lower case are forgiven.

    Returns
    -------
    GssCode or None
        None where the text is not a code of a kind in `gss_kinds.yaml`. The form says nothing
        about whether the area exists.
    """
    code = tidied(text)
    kinds, countries = kind_table()
    for kind in kinds.values():
        # A stand-in has a kind of its own, so only the prefixes tell.
        if code.startswith(kind.prefixes) and re.fullmatch(r"[A-Z][0-9]{8}", code, re.ASCII):
            return GssCode(code, kind.kind, kind.name, countries[code[0]], kind.vintaged)
    return None


def parse(text: str | None) -> GssCode:
    """Read a GSS code.

    Parameters
    ----------
    text : str or None
        As for `try_parse`.

    Returns
    -------
    GssCode
        The code and what it names.

    Raises
    ------
    GeographyError
        If it is not one. The text itself is not repeated.
    """
    found = try_parse(text)
    if found is None:
        blank = not tidied(text)
        raise GeographyError(
            "A GSS code is blank" if blank else "A text is not a GSS code of any known kind",
            "A GSS code is a letter and eight digits; geography/gss_kinds.yaml lists the kinds",
        )
    return found


def kind_of(text: str | None) -> str | None:
    """Kind of area a text names as a GSS code, or None."""
    found = try_parse(text)
    return found.kind if found else None


def kind_name(kind: str) -> str:
    """Plain name of a kind, such as "Lower layer Super Output Area"."""
    return kind_named(kind).name


def kind_sql(column: str) -> str:
    """SQL twin of `kind_of`.

    Parameters
    ----------
    column : str
        Column name, unquoted.

    Returns
    -------
    str
        A VARCHAR expression: the kind, NULL for what is no code of a known kind.
    """
    code = tidied_sql(f"CAST({ident(column)} AS VARCHAR)")
    kinds, _ = kind_table()
    cases = " ".join(
        f"WHEN starts_with({code}, '{prefix}') THEN '{kind.kind}'"
        for kind in kinds.values()
        for prefix in kind.prefixes
    )
    return f"CASE WHEN regexp_full_match({code}, '[A-Z][0-9]{{8}}') THEN CASE {cases} END END"


def matches(kind: str, code: str | None) -> bool:
    """Whether a text has the form of a code of this kind of area.

    Parameters
    ----------
    kind : str
        A kind of `gss_kinds.yaml`.
    code : str or None
        The text, as it must stand: no blanks, upper case. Stand-ins of the kind pass.

    Returns
    -------
    bool
        False for None. The form says nothing about whether the area exists.
    """
    return code is not None and re.fullmatch(kind_named(kind).pattern, code, re.ASCII) is not None


def is_lsoa(code: str | None) -> bool:
    """Whether a text has the form of an LSOA code of England or Wales."""
    return matches("lsoa", code)


def pattern_sql(kind: str, column: str) -> str:
    """SQL condition: the column has the form of a code of this kind of area.

    Parameters
    ----------
    kind : str
        A kind of `gss_kinds.yaml`.
    column : str
        Column name, unquoted.

    Returns
    -------
    str
        A BOOLEAN expression, NULL for NULL.
    """
    return f"regexp_full_match(CAST({ident(column)} AS VARCHAR), '{kind_named(kind).pattern}')"


def lsoa_pattern_sql(column: str) -> str:
    """SQL condition: the column has the form of an LSOA code of England or Wales."""
    return pattern_sql("lsoa", column)


def check_codes(
    con: duckdb.DuckDBPyConnection,
    records: str,
    column: str,
    kind: str,
    *,
    known: str | None = None,
    known_code: str | None = None,
) -> CodeCheck:
    """Count how the codes of a column stand the test of their form, and of a list.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the tables.
    records, column : str
        Where the codes are. Blanks around them and lower case are forgiven.
    kind : str
        The kind they must be; its stand-ins pass.
    known, known_code : str, optional
        A table of all codes that exist and its column (by default that of the records).

    Returns
    -------
    CodeCheck
        Numbers of rows.

    Raises
    ------
    GeographyError
        If a column is not there.
    """
    require_columns(con, records, (column,))
    listed = "true"
    if known is not None:
        require_columns(con, known, (known_code or column,))
        listed = f"code IN (SELECT {ident(known_code or column)} FROM {ident(known)})"
    form = f"regexp_full_match(code, '{kind_named(kind).pattern}')"
    tidy = tidied_sql(f"CAST({ident(column)} AS VARCHAR)")
    typed = f"""
WITH typed AS (
    SELECT nullif({tidy}, '') AS code
    FROM {ident(records)}
)
"""
    rows, blank, good, listed_rows = one_row(
        con,
        f"{typed} SELECT count(*), count(*) FILTER (code IS NULL), count(*) FILTER ({form}),"
        f" count(*) FILTER ({form} AND {listed}) FROM typed",
    )
    others = dict(
        con.execute(
            f"{typed} SELECT {kind_sql('code')} AS kind, count(*) FROM typed"
            f" WHERE code IS NOT NULL AND NOT {form} GROUP BY 1 ORDER BY 1"
        ).fetchall()
    )
    malformed = others.pop(None, 0)
    return CodeCheck(rows, blank, good, good - listed_rows, others, malformed)


def decide_vintage(only_2011: int, only_2021: int, both: int, unknown: int) -> VintageDetection:
    """Turn the four counts of distinct codes into a finding.

    Parameters
    ----------
    only_2011, only_2021, both, unknown : int
        As in `VintageDetection`.

    Returns
    -------
    VintageDetection
        2021 with confidence 0.5 where all known codes are in both lists: the vintage is then of no
        consequence. Unknown with confidence 0 where no code is in either.
    """
    deciding = only_2011 + only_2021
    agreeing = max(only_2011, only_2021)
    confidence = (agreeing + 1) / (deciding + 2)
    vintage: Vintage = "2011" if only_2011 > only_2021 else "2021"
    if agreeing < DECISIVE_SHARE * deciding:
        vintage = "mixed"
    if not deciding and not both:
        vintage, confidence = "unknown", 0.0
    return VintageDetection(vintage, confidence, only_2011, only_2021, both, unknown)


def detect_vintage(
    codes: Iterable[str | None], known_2011: Set[str], known_2021: Set[str]
) -> VintageDetection:
    """Find the vintage of a file's codes of output areas, LSOAs or MSOAs.

    Parameters
    ----------
    codes : iterable of str
        The file's codes; repeated ones count once, blanks around them and lower case are forgiven,
        blank ones and None are not codes.
    known_2011, known_2021 : set of str
        All codes of each vintage.

    Returns
    -------
    VintageDetection
        See `decide_vintage`.
    """
    distinct = {tidied(code) for code in codes} - {""}
    in_2011 = distinct & known_2011
    in_2021 = distinct & known_2021
    both = in_2011 & in_2021
    return decide_vintage(
        only_2011=len(in_2011 - both),
        only_2021=len(in_2021 - both),
        both=len(both),
        unknown=len(distinct - in_2011 - in_2021),
    )


def vintage_counts_sql(
    table: str,
    column: str,
    changes_table: str,
    *,
    code11: str = "lsoa11cd",
    code21: str = "lsoa21cd",
) -> str:
    """SQL that counts a table's distinct codes by vintage.

    Parameters
    ----------
    table, column : str
        Where the codes are. Blanks and NULL are not codes.
    changes_table : str
        Table with every code of both vintages, one row per pair of the exact-fit lookup.
    code11, code21 : str
        Its columns; for output areas or MSOAs those of their lookup, such as oa11cd and oa21cd.

    Returns
    -------
    str
        One row: only_2011, only_2021, both, unknown, the arguments of `decide_vintage`.
    """
    changes, old, new = ident(changes_table), ident(code11), ident(code21)
    text = f"CAST({ident(column)} AS VARCHAR)"
    # Distinct before they are tidied: there are many rows and few codes.
    return f"""
WITH codes AS (
    SELECT DISTINCT {tidied_sql("given")} AS code
    FROM (SELECT DISTINCT {text} AS given FROM {ident(table)})
    WHERE {tidied_sql("given")} <> ''
), seen AS (
    SELECT
        code IN (SELECT {old} FROM {changes} WHERE {old} IS NOT NULL) AS is_old,
        code IN (SELECT {new} FROM {changes} WHERE {new} IS NOT NULL) AS is_new
    FROM codes
)
SELECT
    count(*) FILTER (is_old AND NOT is_new) AS only_2011,
    count(*) FILTER (is_new AND NOT is_old) AS only_2021,
    count(*) FILTER (is_old AND is_new) AS both,
    count(*) FILTER (NOT is_old AND NOT is_new) AS unknown
FROM seen
"""
