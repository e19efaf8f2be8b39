"""Quoting for SQL: identifiers and literals that come from declarations and paths.

Values taken from data are always bound as parameters and never pass through here.
"""

from __future__ import annotations

from pathlib import Path

from declarations.errors import ConfigurationError
from geography.sql import ident

__all__ = ["file_literal", "ident", "literal"]


def literal(text: str | Path) -> str:
    """Quote a declared text or a path, for the places where DuckDB takes no parameter.

    Raises
    ------
    ConfigurationError
        If the text holds a NUL.
    """
    content = str(text)
    if "\x00" in content:
        raise ConfigurationError("A declared text holds a NUL", "Remove it from the declaration")
    return "'" + content.replace("'", "''") + "'"


def file_literal(path: Path) -> str:
    """Quote the path of one file, with nothing in it taken for a pattern of names."""
    plain = "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
    return literal(plain)
