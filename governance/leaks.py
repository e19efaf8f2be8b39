"""The leak detector: refuses a column whose values look like identifiers of people or addresses.

Belongs here: looking at the values of a table's columns and saying, by name of column and kind of
identifier alone, which hold more of them than the policy allows. It is the last guard, behind the
agreement that says what each column is. Does not belong here: what an identifier looks like
(``identifiers.py``), the limits (``policy.yaml``), or redacting text (``redaction/``).

DuckDB first counts what could be an identifier by a broad pattern, in one pass over the table; only
where that is more than the limit are the values themselves held to the exact rule, the most
frequent first and at most `MOST_VALUES` of them, so that memory does not grow with the data.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from governance.identifiers import (
    is_birth_date_like,
    is_email,
    is_full_postcode,
    is_nhs_number,
    is_nino,
    is_nino_without_suffix,
    is_uk_phone,
    is_uprn_like,
)
from governance.policy import LeakKind, LeakLimit, LeakPolicy, policy
from warehouse.connection import run
from warehouse.sql import file_literal, ident, literal

if TYPE_CHECKING:
    import duckdb

KINDS: tuple[LeakKind, ...] = get_args(LeakKind)
WORDS: dict[LeakKind, str] = {
    "nhs_number": "NHS numbers", "nino": "National Insurance numbers", "uprn": "UPRNs",
    "postcode": "full postcodes", "email": "e-mail addresses", "phone": "telephone numbers",
    "birth_date": "dates of birth",
}  # fmt: skip

MACHINE_MADE = frozenset({"release_id", "sha256", "code_version"})
"""Columns of a release that the platform fills with hashes, in whose digits anything may stand."""

NONE_AT_ALL = LeakLimit(share=0, at_least=1)

MOST_VALUES = 20_000
"""Distinct values of a column held to the exact rule at a time."""

_MONTH_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_NINO = "[a-z]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}"
_BROAD: dict[LeakKind, str] = {
    "nhs_number": r"(?:^|[^0-9])([0-9]{10}|[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4})(?:$|[^0-9])",
    "nino": rf"(?i)((?:^|[^a-z0-9]){_NINO}[ -]?[a-d](?:$|[^a-z0-9])|^\s*{_NINO}\s*$)",
    "uprn": r"^\s*([0-9]{9,12}(?:\.0+)?)\s*$",
    "postcode": r"(?i)(?:^|[^a-z0-9])([a-z]{1,2}[0-9][a-z0-9]?[\s.-]{0,3}[0-9][a-z]{2})"
    r"(?:$|[^a-z0-9])",
    "email": r"([^\s@,;<>()]+@[^\s@,;<>()]+\.[^\s@.,;<>()]{2,24})",
    "phone": r"(?:^|[^0-9+])([+(]?[0-9][0-9 .()-]{8,18}[0-9)])(?:$|[^0-9])",
    "birth_date": r"(?i)(?:^|[^0-9a-z])((?:[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}|[0-9]{8}|"
    rf"[0-9]{{1,2}}[a-z]{{0,2}}[-/., ]*(?:{_MONTH_NAMES})[a-z]*\.?[-/., ]*'?[0-9]{{2,4}}|"
    rf"(?:{_MONTH_NAMES})[a-z]*\.? *[0-9]{{1,2}}[a-z]{{0,2}},? +[0-9]{{2,4}})"
    r"(?:[T ][0-9:.+Z-]+)?)(?:$|[^0-9a-z])",
}
"""What could be one, in RE2; the group is the value. Wider than the exact rule but for NHS numbers,
which are looked for as people group them, 3-3-4 or not at all: a date with digits behind is none.
A National Insurance number without its suffix counts only where it is the whole value, for eight
characters of a UUID can look like one; its group has what stands beside the value in it.
"""

_TEXTS = ("VARCHAR",)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER")
_FRACTIONS = ("DOUBLE", "FLOAT", "DECIMAL")
_DATES = ("DATE", "TIMESTAMP")


@dataclass(frozen=True)
class Leak:
    """A column that holds identifiers.

    Attributes
    ----------
    table, column : str
    kind : str
        One of `KINDS`.
    share : float
        Of the column's values that are there, 0 to 1.
    """

    table: str
    column: str
    kind: LeakKind
    share: float

    def in_words(self) -> str:
        """Return the finding for an officer; no value is in it."""
        return f"{self.column} of {self.table} holds what looks like {WORDS[self.kind]}"


def find_leaks(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    table: str,
    *,
    exempt: Collection[str] = (),
    strict: Collection[str] = (),
    never: Collection[str] = (),
    today: dt.date | None = None,
    limits: LeakPolicy | None = None,
) -> list[Leak]:
    """Look at every column of a table.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    relation : str
        SQL that can stand after FROM.
    table : str
        Name for the findings.
    exempt : collection of str
        Columns that are not looked at: those an agreement lets in to place a record.
    strict : collection of str
        Columns in which one single identifier is too many: those whose values go on into counts.
    never : collection of str
        Kinds of which one single identifier in any column is too many.
    today : datetime.date, optional
        Dates of birth are those long before this day.
    limits : LeakPolicy, optional
        The installation's policy unless given.

    Returns
    -------
    list of Leak
        At most one a column, the first kind found.
    """
    rules = limits or policy().leaks
    oldest = _years_before(today or dt.date.today(), rules.birth_date_years)
    described = run(connection, f"DESCRIBE SELECT * FROM {relation}", table=table).fetchall()
    asked: list[tuple[str, LeakKind, str]] = []
    for name, type_, *_ in described:
        if name in exempt:
            continue
        asked.extend((name, kind, text) for kind, text in _questions(name, type_, oldest))
    if not asked:
        return []
    sums = ", ".join(
        f"count(*) FILTER (WHERE {text}), count({ident(name)})" for name, _, text in asked
    )
    found = run(connection, f"SELECT {sums} FROM {relation}", table=table).fetchone() or ()
    leaks: dict[str, Leak] = {}
    for position, (name, kind, _) in enumerate(asked):
        hits, values = found[2 * position], found[2 * position + 1]
        limit = NONE_AT_ALL if name in strict or kind in never else rules.limit(kind)
        if name in leaks or hits < limit.at_least or hits <= limit.share * values:
            continue
        if kind != "birth_date" or _is_text(described, name):
            hits = _exact(connection, relation, table, name, kind, oldest)
        if hits >= limit.at_least and hits > limit.share * values:
            leaks[name] = Leak(table, name, kind, hits / values)
    return list(leaks.values())


def published_leaks(release: Path, *, today: dt.date | None = None) -> list[Leak]:
    """Look at every Parquet file of a release, or of a candidate for one.

    Of the kinds the policy names under ``never_published`` not a single value may be in it.
    """
    from warehouse.connection import connect  # noqa: PLC0415 - heavy

    leaks: list[Leak] = []
    with connect(spill=None) as connection:
        for path in sorted(release.rglob("*.parquet")):
            relation = f"read_parquet({file_literal(path)})"
            leaks.extend(
                find_leaks(
                    connection,
                    relation,
                    path.stem,
                    exempt=MACHINE_MADE,
                    never=policy().leaks.never_published,
                    today=today,
                )
            )
    return leaks


def _questions(name: str, type_: str, oldest: dt.date) -> list[tuple[LeakKind, str]]:
    """Return, for each kind a column of this type could hold, the SQL of the broad question."""
    column = ident(name)
    if type_.startswith(_DATES):
        return [("birth_date", f"{column} <= DATE {literal(oldest.isoformat())}")]
    text = _text(name, type_)
    if text is None:
        return []
    kinds = KINDS if type_ in _TEXTS else ("nhs_number", "uprn", "phone")
    return [(kind, f"regexp_matches({text}, {literal(_BROAD[kind])})") for kind in kinds]


def _text(name: str, type_: str) -> str | None:
    """Return the SQL of a column's values as text, or None for a type that holds no identifier."""
    column = ident(name)
    if type_ in _TEXTS:
        return column
    if type_ in _WHOLE:
        return f"CAST({column} AS VARCHAR)"
    if type_.startswith(_FRACTIONS):
        return (
            f"CASE WHEN abs({column}) BETWEEN 1e8 AND 1e13 AND {column} = floor({column}) "
            f"THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) END"
        )
    return None


def _is_text(described: list[tuple[str, ...]], name: str) -> bool:
    return any(row[0] == name and row[1] in _TEXTS for row in described)


def _exact(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    table: str,
    name: str,
    kind: LeakKind,
    oldest: dt.date,
) -> int:
    """Return how many rows hold an identifier by the exact rule, among the commonest values."""
    types = dict(
        row[:2]
        for row in run(connection, f"DESCRIBE SELECT * FROM {relation}", table=table).fetchall()
    )
    piece = f"regexp_extract({_text(name, types[name])}, {literal(_BROAD[kind])}, 1)"
    rows = run(
        connection,
        f"SELECT {piece} AS piece, count(*) AS n FROM {relation} WHERE {piece} <> '' "
        f"GROUP BY piece ORDER BY n DESC, piece LIMIT {MOST_VALUES}",
        table=table,
    ).fetchall()
    total = run(
        connection, f"SELECT count(*) FROM {relation} WHERE {piece} <> ''", table=table
    ).fetchone()
    seen = sum(n for _, n in rows)
    hits = sum(n for value, n in rows if _rule(kind, oldest)(value))
    # What was not looked at is taken to be as what was.
    return round(hits * total[0] / seen) if seen and total else 0


def _rule(kind: LeakKind, oldest: dt.date) -> Callable[[str], bool]:
    if kind == "birth_date":
        return lambda value: is_birth_date_like(value, latest=oldest)
    rules: dict[LeakKind, Callable[[str], bool]] = {
        "nhs_number": is_nhs_number, "nino": _is_nino, "uprn": is_uprn_like,
        "postcode": _is_postcode, "email": is_email, "phone": is_uk_phone,
    }  # fmt: skip
    return rules[kind]


def _is_nino(piece: str) -> bool:
    value = re.sub(r"^[^a-z0-9]|[^a-z0-9]$", "", piece, flags=re.IGNORECASE)
    return is_nino(value) or is_nino_without_suffix(value)


def _is_postcode(value: str) -> bool:
    return is_full_postcode(value.replace("-", " ").replace(".", " "))


def _years_before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
