"""The CSV files of a release: one fact a row, the same bytes for the same tables.

Belongs here: how each type becomes text. UTF-8, LF, ISO dates, no thousands separators, an empty
cell for NULL with the marker in its own status column.
Does not belong here: which columns a table has (``dictionary.py``).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from governance.reports.csv_text import safe_text
from publishing.dictionary import RELEASE_TABLES
from publishing.dictionary_model import Column

if TYPE_CHECKING:
    import pyarrow as pa


VALUE_COLUMNS = ("value", "lower_ci", "upper_ci")
FIXED_DECIMALS = {"area_hectares": 2}


def number_text(value: float | None, decimals: int | None) -> str:
    """Write a number with fixed decimals, or in its shortest exact form if ``decimals`` is None."""
    if value is None:
        return ""
    if decimals is None:
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def _texts(column: Column, values: list[object], decimals: list[int | None]) -> list[str]:
    if column.type == "VARCHAR":
        return ["" if v is None else safe_text(str(v)) for v in values]
    if column.type == "DOUBLE":
        return [
            number_text(v if isinstance(v, float) else None, d)
            for v, d in zip(values, decimals, strict=True)
        ]
    if column.type == "BOOLEAN":
        return ["" if v is None else str(bool(v)).lower() for v in values]
    if column.type == "DATE":
        return [v.isoformat() if isinstance(v, dt.date) else "" for v in values]
    return ["" if v is None else str(v) for v in values]


def csv_text(name: str, data: pa.Table, decimals: Mapping[str, int]) -> str:
    """Return a conformed table as CSV text.

    Parameters
    ----------
    name : str
        Name of a declared table.
    data : pyarrow.Table
        The table as ``conform`` returns it.
    decimals : mapping of str to int
        Decimal places by indicator, for value and interval of observations.
    """
    table = RELEASE_TABLES[name]
    by_row: list[int | None] = [None] * data.num_rows
    if name in ("observations", "combined_observations"):
        by_row = [decimals.get(i) for i in data.column("indicator_id").to_pylist()]
    texts = []
    for column in table.columns:
        places = by_row
        if column.name not in VALUE_COLUMNS:
            places = [FIXED_DECIMALS.get(column.name)] * data.num_rows
        texts.append(_texts(column, data.column(column.name).to_pylist(), places))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*texts, strict=True))
    return out.getvalue()


def write_csv_files(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write ``<table>.csv`` for every conformed table into an existing folder."""
    indicators = tables["indicators"]
    decimals = dict(
        zip(
            indicators.column("indicator_id").to_pylist(),
            [2 if d is None else d for d in indicators.column("decimals").to_pylist()],
            strict=True,
        )
    )
    for name, data in tables.items():
        text = csv_text(name, data, decimals)
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
