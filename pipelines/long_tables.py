"""Long tables of counts that people hand to the command line: read, or refused with what is wrong.

Belongs here: CSV and Parquet files with one row per area and combination of categories, and files
with one row per record. Messages name the file, the column and how many rows, never a value: the
counts are secret. Does not belong here: what is made of a table (``disclosing.py``,
``attacking.py``).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from declarations.errors import ConfigurationError, DeliveryError, StorageError
from geography.sql import ident
from governance.disclosure.tables.linked import ALL, IDENTITY
from warehouse.connection import connect, run
from warehouse.sql import file_literal, literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

COUNT, STATUS = "count", "status"
GREATEST = 1e12
"""A count above this is no count of people."""

FILES = (".csv", ".parquet")
NAME = re.compile(r"[A-Za-z0-9_.\-]+")

LONGEST_HEADING = 40
MOST_DIGITS = 4
"""A heading may hold a year; more digits are a code, a number or the name of a record."""

VALUES = re.compile(r"[^A-Za-z]*|[^A-Za-z]*\d.*|[A-Za-z]{1,3}[ -]?\d+|\w{2,4} \d[A-Za-z]{2}")
"""What no heading looks like: numbers, dates, area codes, postcodes."""


def chains_of(texts: Sequence[str], *, option: str = "--hierarchy") -> list[list[str]]:
    """Return hierarchies from texts such as ``lsoa21cd<msoa21cd<lad24cd``.

    Raises
    ------
    ConfigurationError
        If one names no column, or a column twice.
    """
    chains = [[name.strip() for name in text.split("<")] for text in texts]
    for chain in chains:
        if not all(chain) or len(set(chain)) != len(chain):
            raise ConfigurationError(
                f"A value of {option} names no column, or one column twice",
                "Write columns from the finest to the coarsest, e.g. 'lsoa21cd<msoa21cd<lad24cd'",
            )
    return chains


def table_name(column: str) -> str:
    """Return what a column is called in a linked table, which uses some names itself."""
    return f"{column}_" if column in IDENTITY else column


@contextmanager
def opened(path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[str]]]:
    """Give a connection with the file as the view ``delivered``, and the names of its columns.

    Every column of a CSV file is text. Files are read as a stream, whatever their size.

    Raises
    ------
    DeliveryError
        If the file is missing, empty, of another type, or not readable as what it claims to be.
    """
    if path.suffix.lower() not in FILES:
        raise DeliveryError(
            f"{path.name} is neither a CSV nor a Parquet file", "Save the table as one of the two"
        )
    if not path.is_file():
        raise DeliveryError(f"There is no file {path}", "Correct the path")
    if path.stat().st_size == 0:
        raise DeliveryError(f"{path.name} is empty", "Export the table again")
    with connect() as connection:
        try:
            scan = _scan(path)
            run(connection, f"CREATE TEMP VIEW delivered AS SELECT * FROM {scan}", table=path.name)
            described = run(connection, "DESCRIBE delivered", table=path.name).fetchall()
            # The whole file is looked through once, so that a broken row is found here.
            run(connection, "SELECT count(COLUMNS(*)) FROM delivered", table=path.name).fetchall()
        except (StorageError, UnicodeDecodeError):
            raise DeliveryError(
                f"{path.name} cannot be read as {path.suffix[1:].upper()}: it is not UTF-8, a row "
                "has more or fewer cells than the header, or it is damaged",
                "Export it again as CSV in UTF-8 with commas, or as Parquet",
            ) from None
        yield connection, [str(row[0]) for row in described]


def _scan(path: Path) -> str:
    if path.suffix.lower() == ".parquet":
        return f"read_parquet({file_literal(path)})"
    # Columns are named here, not guessed: a guess skips rows that it takes for a preamble.
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = [name.strip() for name in next(csv.reader(file), [])]
    if not header or not all(header) or len({n.casefold() for n in header}) != len(header):
        raise DeliveryError(
            f"The first line of {path.name} names no column, leaves one unnamed or names one twice",
            "Begin the file with one line of different column names",
        )
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    return (
        f"read_csv({file_literal(path)}, auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', strict_mode = true, columns = {{{columns}}})"
    )


def require(path: Path, present: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse a file that lacks a column.

    Raises
    ------
    DeliveryError
    """
    absent = [name for name in dict.fromkeys(wanted) if name not in present]
    if absent:
        raise DeliveryError(
            f"{path.name} has no column {', '.join(repr(n) for n in absent)}",
            _columns_to_name(path, present),
        )


def _columns_to_name(path: Path, present: Sequence[str]) -> str:
    """Return the fix for a column that is not there: the names there are, if they are names.

    The first line of a file without headings is a record, and is not repeated.
    """
    if all(_is_heading(name) for name in present):
        return f"Name columns it has: {', '.join(present)}"
    if path.suffix.lower() == ".parquet":
        return "Its column names do not look like headings: save it with a name for every column"
    return (
        "Its first line does not look like headings: begin the file with one line of column names, "
        "with commas between them"
    )


def _is_heading(name: str) -> bool:
    return (
        len(name) <= LONGEST_HEADING
        and name.isprintable()
        and not set(name) & set(";|")
        and sum(c.isdigit() for c in name) <= MOST_DIGITS
        and not VALUES.fullmatch(name)
    )


def require_different(columns: Sequence[str]) -> None:
    """Refuse a column that is named for two uses.

    Raises
    ------
    ConfigurationError
    """
    twice = sorted(name for name, uses in Counter(columns).items() if uses > 1)
    if twice:
        raise ConfigurationError(
            f"The column {', '.join(repr(n) for n in twice)} is named for two uses",
            "Name different columns for areas, categories, counts, importance and record keys",
        )


def check_names(areas: Sequence[str], categories: Sequence[str]) -> None:
    """Refuse column names that tables of counts use themselves.

    Raises
    ------
    ConfigurationError
    """
    names = [*areas, *categories]
    taken = sorted({n for n in names if n.casefold() in {*IDENTITY, COUNT, STATUS, "merged"}})
    if taken or len(set(names)) != len(names):
        raise ConfigurationError(
            f"The column {', '.join(repr(n) for n in taken)} bears a name that the result needs"
            if taken
            else "A column is named both as an area and as a category, or twice",
            "Rename the column in the file" if taken else "Name each once",
        )
    unfit = [n for n in names if not NAME.fullmatch(n)]
    if unfit:
        raise ConfigurationError(
            f"The column {unfit[0]!r} cannot name a file of the result",
            "Rename it: letters, digits, '_', '.' and '-'",
        )


def read_counts(
    path: Path,
    *,
    chains: Sequence[Sequence[str]],
    categories: Sequence[str],
    count: str,
    sum_rows: bool = False,
    importance: str | None = None,
) -> pa.Table:
    """Return a table of counts: texts for areas and categories, whole numbers for counts.

    Parameters
    ----------
    chains : sequence of sequences of str
        Hierarchies, from the finest column to the coarsest.
    sum_rows : bool
        Whether rows of one area and category are summed; otherwise they are refused, since a table
        that was pasted twice looks the same.
    importance : str, optional
        Column of whole weights of 1 or more.

    Returns
    -------
    pyarrow.Table
        The named columns; ``count`` is null where the cell was empty.

    Raises
    ------
    ConfigurationError
        If a column is named for two uses.
    DeliveryError
        If the file is not such a table.
    """
    areas = list(dict.fromkeys(name for chain in chains for name in chain))
    numbers = [count, *([importance] if importance else [])]
    require_different([*areas, *categories, *numbers])
    with opened(path) as (connection, present):
        require(path, present, [*areas, *categories, *numbers])
        texts = [f"nullif(trim(CAST({ident(n)} AS VARCHAR)), '') AS {ident(n)}"
                 for n in (*areas, *categories)]  # fmt: skip
        read = [
            f"nullif(trim(CAST({ident(n)} AS VARCHAR)), '') AS {_as_text(n)}, "
            f"TRY_CAST(nullif(trim(CAST({ident(n)} AS VARCHAR)), '') AS DOUBLE) AS {ident(n)}"
            for n in numbers
        ]
        run(
            connection,
            f"CREATE TEMP TABLE read AS SELECT {', '.join([*texts, *read])} FROM delivered",
            table=path.name,
        )
        _check_rows(connection, path, chains, categories)
        for name in numbers:
            _check_numbers(connection, path, name, empty=name == count)
        named = ", ".join(ident(n) for n in (*areas, *categories))
        finest = ", ".join(ident(n) for n in (chains[0][0], *categories))
        repeated = _one(
            connection,
            "SELECT coalesce(sum(n - 1), 0) FROM "
            f"(SELECT count(*) AS n FROM read GROUP BY {finest})",
            path,
        )
        if repeated and not sum_rows:
            raise DeliveryError(
                f"{path.name} has {repeated:,} rows for an area and category it has already named",
                "Leave out what is there twice, or name every category column; if the rows are to "
                "be added up, give --sum-rows",
            )
        weight = f", max({ident(importance)})::BIGINT AS {ident(importance)}" if importance else ""
        return run(
            connection,
            f"SELECT {named}, CASE WHEN count({ident(count)}) = count(*) "
            f"THEN sum({ident(count)})::BIGINT END AS {ident(count)}{weight} FROM read "
            f"GROUP BY {named} ORDER BY {named}",
            table=path.name,
        ).to_arrow_table()


def read_records(
    path: Path, *, chains: Sequence[Sequence[str]], categories: Sequence[str], record: str
) -> pa.Table:
    """Return a file of one row a record: texts for areas, categories and the record's name.

    Raises
    ------
    ConfigurationError
        If a column is named for two uses.
    DeliveryError
        If the file is not such a file.
    """
    areas = list(dict.fromkeys(name for chain in chains for name in chain))
    require_different([*areas, *categories, record])
    with opened(path) as (connection, present):
        require(path, present, [*areas, *categories, record])
        texts = [f"nullif(trim(CAST({ident(n)} AS VARCHAR)), '') AS {ident(n)}"
                 for n in (*areas, *categories, record)]  # fmt: skip
        run(
            connection,
            f"CREATE TEMP TABLE read AS SELECT {', '.join(texts)} FROM delivered",
            table=path.name,
        )
        _check_rows(connection, path, chains, [*categories, record])
        return run(connection, "SELECT * FROM read", table=path.name).to_arrow_table()


def _as_text(name: str) -> str:
    # With blanks, so that no column of the table is called the same.
    return ident(f"{name} as text")


def _check_rows(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    chains: Sequence[Sequence[str]],
    filled: Sequence[str],
) -> None:
    if not _one(connection, "SELECT count(*) FROM read", path):
        raise DeliveryError(f"{path.name} has a header but no rows", "Export the table again")
    for name in (chains[0][0], *filled):
        empty = _one(connection, f"SELECT count(*) FROM read WHERE {ident(name)} IS NULL", path)
        if empty:
            raise DeliveryError(
                f"The column {name!r} of {path.name} is empty in {empty:,} rows",
                "Give those a code of their own, such as 'unknown', or leave them out",
            )
        margins = _one(
            connection, f"SELECT count(*) FROM read WHERE {ident(name)} = {literal(ALL)}", path
        )
        if margins:
            raise DeliveryError(
                f"The column {name!r} of {path.name} holds {ALL!r}, the name of its margin, in "
                f"{margins:,} rows",
                "Leave margins out, they are added up here; rename a category of that name",
            )
    for chain in chains:
        for i, coarse in enumerate(chain[1:]):
            for fine in chain[: i + 1]:
                _check_nesting(connection, path, fine, coarse)


def _check_nesting(
    connection: duckdb.DuckDBPyConnection, path: Path, fine: str, coarse: str
) -> None:
    broken = _one(
        connection,
        f"SELECT count(*) FROM (SELECT {ident(fine)} FROM read WHERE {ident(fine)} IS NOT NULL "
        f"GROUP BY 1 HAVING count(DISTINCT coalesce({ident(coarse)}, '')) > 1)",
        path,
    )
    if broken:
        raise DeliveryError(
            f"In {path.name}, {broken:,} areas of {fine!r} lie in more than one area of {coarse!r}",
            f"Correct the lookup, or give {coarse!r} as a hierarchy of its own above the finest "
            "areas",
        )


def _check_numbers(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, *, empty: bool
) -> None:
    value, text = ident(name), _as_text(name)
    least = 0 if empty else 1
    wrong = {
        "no number": f"{text} IS NOT NULL AND ({value} IS NULL OR isnan({value}) "
        f"OR isinf({value}))",
        "negative" if empty else "below 1": f"{value} < {least}",
        "not whole": f"{value} <> floor({value})",
        "greater than any count": f"{value} > {GREATEST:.0f}",
    }
    if not empty:
        wrong["empty"] = f"{text} IS NULL"
    for what, condition in wrong.items():
        number = _one(connection, f"SELECT count(*) FROM read WHERE {condition}", path)
        if number:
            raise DeliveryError(
                f"The column {name!r} of {path.name} is {what} in {number:,} rows",
                "Give whole numbers; leave a cell empty where the count is missing"
                if empty
                else "Give a whole number of 1 or more in every row",
            )


def _one(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> int:
    row = run(connection, sql, table=path.name).fetchone()
    return int(row[0]) if row else 0
