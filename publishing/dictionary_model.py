"""How a published table is described: its columns with type, words and unit, and its key.

Belongs here: the two classes. Does not belong here: any description (``dictionary.py``,
``dictionary_derived.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE"]


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type, what it holds and its unit ('' for codes and texts)."""

    name: str
    type: ColumnType
    description: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its columns in order, and the columns it is sorted by.

    The key names a row, unless ``repeats`` says that rows may share it.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    repeats: bool = False

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return [c.name for c in self.columns]
