"""Whether a lookup of LSOA changes has everything it must have, or something was left out.

Belongs here: the test of row counts and of coverage. Does not belong here: whether the pairs that
are there agree with their change indicators (`vintages`).

A lookup that lacks areas does no visible harm: its records become unknown codes, and an area split
in three of which one child is missing gives its counts to the other two. So a lookup is used only
where it is shown to be whole:

* for a nation all of whose areas are wanted, it has the declared numbers of 2011 codes, 2021 codes
  and pairs, and lacks no pair but the one that version 2 leaves out (`national_lsoas.yaml`);
* for a region, it covers every area of the region, and no area in it stands without its relatives:
  the other parts of a split, the other halves of a merger, the other side of a complex change.

What a regional excerpt cannot show: that a third part of a split, or a third area of a merger, was
left out where the area lies outside the region and the list of known areas. Give the lookup of the
nation, or the codes of 2011 as well, to rule it out.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from declarations.errors import GeographyError
from geography.sql import ident, one_row, require_columns

if TYPE_CHECKING:
    import duckdb

DECLARED = Path(__file__).with_name("national_lsoas.yaml")


@dataclass(frozen=True)
class Nation:
    """What a complete lookup has for one country.

    Attributes
    ----------
    letter, name : str
        First letter of its codes, and its name.
    lsoas_2011, lsoas_2021 : int
        Numbers of LSOAs of each vintage.
    pairs : tuple of int
        Numbers of pairs in the published versions of the lookup.
    left_out : tuple of (str, str)
        Codes of 2011 and 2021 of the pairs that a later version leaves out: the only ones a
        complete lookup may lack.
    """

    letter: str
    name: str
    lsoas_2011: int
    lsoas_2021: int
    pairs: tuple[int, ...]
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Completeness:
    """What was shown of a lookup.

    Attributes
    ----------
    nations : tuple of str
        Countries for which it has the declared numbers.
    known_2021, known_2011 : int
        Distinct codes it was compared with, all of which it has.
    """

    nations: tuple[str, ...]
    known_2021: int
    known_2011: int


@functools.lru_cache(maxsize=1)
def nations() -> tuple[Nation, ...]:
    """Read the declared numbers of England and of Wales."""
    content = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    return tuple(
        Nation(
            letter,
            c["name"],
            c["lsoas_2011"],
            c["lsoas_2021"],
            tuple(c["pairs"]),
            tuple((old, new) for old, new in c.get("left_out", ())),
        )
        for letter, c in content["countries"].items()
    )


def check_complete(
    con: duckdb.DuckDBPyConnection,
    changes: str,
    *,
    known_lsoa21: str | None = None,
    known_lsoa11: str | None = None,
) -> Completeness:
    """Refuse a lookup from which something was left out.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the tables.
    changes : str
        Table with lsoa11cd, lsoa21cd, chgind that passed `vintages.validate_changes`.
    known_lsoa21 : str, optional
        Table with lsoa21cd: the areas the lookup must cover, those of the region or all that are
        known. A country all of whose areas are among them is checked as a nation. Without the
        table, England and Wales both are.
    known_lsoa11 : str, optional
        Table with lsoa11cd: areas of 2011 it must cover as well.

    Returns
    -------
    Completeness
        What it was compared with.

    Raises
    ------
    GeographyError
        If it is empty, has not the declared numbers of a nation, lacks another pair than those a
        published version leaves out, lacks a known area, or has a complex pair without relatives.
        Numbers are told, codes are not.
    """
    faults: list[str] = []
    if not one_row(con, f"SELECT count(*) FROM {ident(changes)}")[0]:
        faults.append("it has no rows")
    whole = [n for n in nations() if _is_wanted_whole(con, n, known_lsoa21)]
    for nation in whole:
        faults.extend(_national_faults(con, changes, nation))
    known21, missing21 = _coverage(con, changes, "lsoa21cd", known_lsoa21)
    known11, missing11 = _coverage(con, changes, "lsoa11cd", known_lsoa11)
    if missing21:
        faults.append(f"it lacks {missing21} of the {known21} areas of 2021 that are known")
    if missing11:
        faults.append(f"it lacks {missing11} of the {known11} areas of 2011 that are known")
    (alone,) = one_row(con, _lonely_pairs_sql(changes))
    if alone:
        faults.append(f"{alone} complex (X) pairs stand without their relatives")
    if faults:
        raise GeographyError(
            f"The table of LSOA changes {changes} is incomplete: {'; '.join(faults)}",
            "Use the complete ONS exact-fit lookup of 2011 to 2021 LSOAs, or an excerpt with all "
            "areas of the region and all their relatives; the numbers of the published versions "
            "are declared in geography/changes/national_lsoas.yaml",
        )
    return Completeness(tuple(n.name for n in whole), known21, known11)


def _is_wanted_whole(con: duckdb.DuckDBPyConnection, nation: Nation, known: str | None) -> bool:
    if known is None:
        return True
    require_columns(con, known, ("lsoa21cd",))
    (count,) = one_row(
        con,
        f"SELECT count(DISTINCT lsoa21cd) FROM {ident(known)} "
        f"WHERE starts_with(lsoa21cd, '{nation.letter}01')",
    )
    return bool(count >= nation.lsoas_2021)


def _national_faults(con: duckdb.DuckDBPyConnection, changes: str, nation: Nation) -> list[str]:
    pairs, old, new = one_row(
        con,
        f"SELECT count(*), count(DISTINCT lsoa11cd), count(DISTINCT lsoa21cd) "
        f"FROM {ident(changes)} WHERE starts_with(lsoa21cd, '{nation.letter}01')",
    )
    faults = []
    if pairs not in nation.pairs:
        versions = " or ".join(f"{p:,}" for p in nation.pairs)
        faults.append(f"it has {pairs:,} rows for {nation.name} where there are {versions}")
    else:
        left_out = " OR ".join(
            f"(lsoa11cd = '{before}' AND lsoa21cd = '{after}')" for before, after in nation.left_out
        )
        (others,) = one_row(
            con,
            f"SELECT count(*) FROM {ident(changes)} WHERE starts_with(lsoa21cd, "
            f"'{nation.letter}01') AND NOT ({left_out or 'false'})",
        )
        if others != max(nation.pairs) - len(nation.left_out):
            faults.append(
                f"it lacks other pairs of {nation.name} than those a published version leaves out"
            )
    for count, right, year in ((old, nation.lsoas_2011, 2011), (new, nation.lsoas_2021, 2021)):
        if count != right:
            faults.append(
                f"it has {count:,} areas of {year} in {nation.name} where there are {right:,}"
            )
    return faults


def _coverage(
    con: duckdb.DuckDBPyConnection, changes: str, code: str, known: str | None
) -> tuple[int, int]:
    if known is None:
        return 0, 0
    require_columns(con, known, (code,))
    count, missing = one_row(
        con,
        f"SELECT count(DISTINCT k.{code}), count(DISTINCT k.{code}) FILTER (c.{code} IS NULL) "
        f"FROM {ident(known)} k "
        f"LEFT JOIN (SELECT DISTINCT {code} FROM {ident(changes)}) c ON c.{code} = k.{code}",
    )
    return count, missing


def _lonely_pairs_sql(changes: str) -> str:
    # A split or merger without relatives already fails `validate_changes`.
    return f"""
SELECT count(*) FROM (
    SELECT chgind, count(*) OVER (PARTITION BY lsoa11cd) AS children,
        count(*) OVER (PARTITION BY lsoa21cd) AS parents
    FROM {ident(changes)}
) WHERE chgind = 'X' AND children = 1 AND parents = 1
"""
