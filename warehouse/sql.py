"""Quoting for SQL: identifiers and literals that come from declarations and paths.

Values taken from data are always bound as parameters and never pass through here.
"""

from __future__ import annotations

from pathlib import Path

from declarations.errors import ConfigurationError


def ident(name: str) -> str:
    """Quote an identifier; refuse one that could end its own quoting."""
    if not name or '"' in name or "\x00" in name:
        raise ConfigurationError("A table or column name is empty or holds a quotation mark")
    return f'"{name}"'


def literal(text: str | Path) -> str:
    """Quote a string literal, for the few places where DuckDB takes no parameter."""
    return "'" + str(text).replace("'", "''") + "'"
