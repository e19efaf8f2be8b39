"""Searches everything a run left behind for values that must not be there.

Belongs here: turning any file into searchable text, packed and encrypted ones too. Does not belong
here: which values, or where they may rightly stand.
"""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from warehouse.workspace import Workspace

ENCRYPTED = b"PARE"


def files_below(folder: Path, *, without: Iterable[str] = ()) -> Iterator[Path]:
    """Yield every file below a folder, apart from the folders named."""
    left_out = set(without)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not left_out & set(path.relative_to(folder).parts):
            yield path


def text_of(path: Path, workspace: Workspace | None = None) -> str:
    """Return a file's name, its bytes, and what is packed in it, as text in lower case.

    An encrypted table is opened with the workspace's key if one is given.
    """
    content = path.read_bytes()
    texts = [path.name, content.decode("latin-1"), content.decode("utf-16-le", errors="ignore")]
    if content.startswith((b"PAR1", ENCRYPTED)):
        encrypted = content.startswith(ENCRYPTED)
        if not encrypted or workspace is not None:
            texts.append(_parquet_text(path, workspace if encrypted else None))
    elif path.suffix == ".duckdb":
        texts.append(_database_text(path))
    elif content.startswith(b"SQLite format 3"):
        texts.append(_sqlite_text(path))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            texts.extend(archive.read(name).decode("latin-1") for name in archive.namelist())
    return "\n".join(texts).lower()


def _parquet_text(path: Path, workspace: Workspace | None) -> str:
    if workspace is None:
        with duckdb.connect() as connection:
            return _rows_text(connection, f"FROM read_parquet('{path}')")
    with workspace.connect(encryption=True) as connection:
        return _rows_text(connection, f"FROM {workspace.lake.scan_file(path)}")


def _database_text(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute(
            "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() "
            "WHERE NOT internal"
        ).fetchall()
        return "\n".join(_rows_text(connection, f'FROM "{name}"') for (name,) in names)


def _rows_text(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    cursor = connection.execute(sql)
    return repr([d[0] for d in cursor.description or ()]) + repr(cursor.fetchall())


def _sqlite_text(path: Path) -> str:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return "\n".join(
            repr(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in names
        )


def spellings(value: str) -> set[str]:
    """Return how a value may stand in a file: as it is, without blanks, without leading zeros."""
    lowered = value.lower()
    return {lowered, lowered.replace(" ", ""), lowered.lstrip("0")}


def found_in(text: str, values: Iterable[str]) -> int:
    """Count the values that a text in lower case holds in any spelling."""
    return sum(any(s in text for s in spellings(value)) for value in values)
