"""Quoting for SQL: identifiers and literals that come from declarations and paths.

Values taken from data are always bound as parameters and never pass through here.
"""

from __future__ import annotations

from pathlib import Path

from geography.sql import ident

__all__ = ["ident", "literal"]


def literal(text: str | Path) -> str:
    """Quote a string literal, for the few places where DuckDB takes no parameter."""
    return "'" + str(text).replace("'", "''") + "'"
