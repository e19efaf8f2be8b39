"""What a cell's text is once its blanks are gone, in SQL.

Belongs here: trimming and the texts that mean 'missing'. Every reader uses the one expression, so
that a file means the same as CSV, workbook or Parquet. Does not belong here: types (``typed``).
"""

from __future__ import annotations

from declarations.contracts import Column
from warehouse.sql import literal

BLANKS = " \t\r\n\x0b\x0c\u00a0\ufeff"
LEADING_BLANKS = " \n\x0b\x0c\u00a0\ufeff"
"""Tab and carriage return stay at a cell's start: there they can start a formula (``typed``)."""


def clean_sql(column: Column, cell: str) -> str:
    """Return SQL for a cell: trimmed, NULL where it is empty or one of the ``null_values``.

    Parameters
    ----------
    column : Column
    cell : str
        SQL of the cell as VARCHAR.
    """
    missing = ", ".join(literal(v) for v in ["", *column.null_values])
    trimmed = f"trim({cell}, {literal(BLANKS)})"
    kept = f"rtrim(ltrim({cell}, {literal(LEADING_BLANKS)}), {literal(BLANKS)})"
    # Trimming by a set of characters is slow, and nearly no cell needs it: one cheap test decides.
    ends = f"^[{BLANKS}]|[{BLANKS}]$"
    return (
        f"CASE WHEN {cell} IN ({missing}) THEN NULL "
        f"WHEN regexp_matches({cell}, {literal(ends)}) "
        f"THEN CASE WHEN {trimmed} IN ({missing}) THEN NULL ELSE {kept} END ELSE {cell} END"
    )
