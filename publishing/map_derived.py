"""What the map page knows of the tables that are made from published figures.

Belongs here: which of their columns the page holds, of the latest period only, and their compact
form. Does not belong here: the statistics (``indicators/derived/``), or how they are put into words
and drawn (``templates/map_derived.js``, ``templates/map.js``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from publishing.map_coding import Codes, rounded

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

OWN = -1
"""Decimals of a number: those of its indicator."""


class Shape(NamedTuple):
    """The columns of a table that the page holds.

    Attributes
    ----------
    numbers : mapping of str to int
        Column -> decimals kept, or ``OWN``.
    texts : tuple of str
        Columns of few different words, one character an area.
    by : tuple of str
        Columns that tell several rows of one area and period apart.
    districts : tuple of str
        Numbers that are the same for all areas of a district, with the indicator's decimals.
    keep : mapping of str to str
        Rows kept: those whose column has this value.
    """

    numbers: Mapping[str, int] = {}
    texts: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    keep: Mapping[str, str] = {}


SHAPES: Mapping[str, Shape] = {
    "index_ranks": Shape(
        {"rank": 1, "areas": 0, "rank_low": 1, "rank_high": 1, "p_worst_fifth": 3}, ("class",)
    ),
    "index_components": Shape({"score": OWN, "weight": 3}, by=("component", "title")),
    "hotspots": Shape(
        {"neighbours_outside": 0}, ("class",), ("method",), keep={"method": "local_moran"}
    ),
    "trends": Shape(
        {"change_per_year": 1, "lower_ci": 1, "upper_ci": 1},
        ("direction", "change_unit", "value_status"), ("months",),
    ),
    "comparisons": Shape(
        texts=("result",), by=("benchmark",), districts=("benchmark_value",)
    ),
    "need_and_service": Shape(
        {"observed": 0, "expected_age": 1, "expected_need": 1, "ratio": 2, "lower": 2, "upper": 2,
         "need_score": 2, "need_lower": 2, "need_upper": 2, "coverage": 1},
        ("class", "coverage_unit", "not_adjusted"),
    ),
}  # fmt: skip
"""Table -> what the page holds of it. The period's days are held of every one."""

_PERIODS = {"first_period_start": "period_start", "last_period_end": "period_end"}

Blocks = dict[str, dict[str, dict[str, list[dict[str, Any]]]]]


def derived_data(
    tables: Mapping[str, pa.Table],
    levels: Mapping[str, Mapping[str, Any]],
    decimals: Mapping[str, int],
) -> dict[str, Any]:
    """Return what the page holds of every derived table.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Conformed release tables; a derived table that is not there is taken as empty.
    levels : mapping of str to mapping
        Level -> its ``codes`` and the place of each area's district among the districts.
    decimals : mapping of str to int
        Decimal places of every indicator on the page.

    Returns
    -------
    dict
        ``derived``: table -> indicator -> level -> blocks. A block has the first and last day of
        its period (``a``, ``z``), the columns that tell it apart, its numbers (``n``), texts
        (``t``) and numbers of districts (``d``) by column: lists in the order of the level's
        codes, one character an area for texts, and a single one where all areas have the same.
        ``coded``: table -> column -> the texts that the characters stand for. ``breaks``:
        indicator -> month and reason of every break in series.
    """
    derived: Blocks = {}
    coded: dict[str, dict[str, list[str]]] = {}
    for name, shape in SHAPES.items():
        codes = {column: Codes() for column in shape.texts}
        if name in tables:
            found = _blocks(_rows(tables[name], shape), shape, levels, decimals, codes)
            if found:
                derived[name] = found
                coded[name] = {column: c.texts for column, c in codes.items()}
    return {"derived": derived, "coded": coded, "breaks": _breaks(tables, decimals)}


def _rows(table: pa.Table, shape: Shape) -> pd.DataFrame:
    rows = table.to_pandas().rename(columns=_PERIODS)
    if "lsoa21cd" in rows:
        rows = rows.rename(columns={"lsoa21cd": "geography_code"}).assign(geography_type="lsoa21")
    for column, value in shape.keep.items():
        rows = rows[rows[column] == value]
    if "benchmark" in shape.by:
        # A district is held against the region; an area within it, against its district.
        wanted = (rows["geography_type"] == "lad24").map({True: "region", False: "district"})
        rows = rows[rows["benchmark"] == wanted]
    return rows


def _blocks(
    rows: pd.DataFrame,
    shape: Shape,
    levels: Mapping[str, Mapping[str, Any]],
    decimals: Mapping[str, int],
    codes: Mapping[str, Codes],
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for key, group in rows.groupby(["indicator_id", "geography_type", *shape.by], sort=True):
        indicator, level, *more = key
        if indicator not in decimals or level not in levels:
            continue
        last = group[group["period_end"] == group["period_end"].max()]
        last = last[last["period_start"] == last["period_start"].max()]
        block = {
            "a": str(last["period_start"].iloc[0]),
            "z": str(last["period_end"].iloc[0]),
            **dict(zip(shape.by, more, strict=True)),
            **_columns(last, shape, levels[level], decimals[indicator], codes),
        }
        found.setdefault(indicator, {}).setdefault(level, []).append(block)
    return found


def _columns(
    rows: pd.DataFrame,
    shape: Shape,
    level: Mapping[str, Any],
    own: int,
    codes: Mapping[str, Codes],
) -> dict[str, Any]:
    by_area = rows.set_index("geography_code").reindex(level["codes"])
    parts: dict[str, dict[str, Any]] = {"n": {}, "t": {}, "d": {}}
    for column, places in shape.numbers.items():
        numbers = rounded(by_area[column].tolist(), own if places == OWN else places)
        if any(n is not None for n in numbers):
            parts["n"][column] = numbers if len(set(numbers)) > 1 else numbers[0]
    for column, coder in codes.items():
        text = "".join(coder.character(t) for t in by_area[column].tolist())
        if text.strip("."):
            parts["t"][column] = text if len(set(text)) > 1 else text[0]
    for column in shape.districts:
        numbers = _of_districts(rounded(by_area[column].tolist(), own), level["districts"])
        if any(n is not None for n in numbers):
            parts["d"][column] = numbers
    return {key: content for key, content in parts.items() if content}


def _of_districts(
    numbers: Sequence[float | int | None], places: Sequence[int]
) -> list[float | int | None]:
    found: list[float | int | None] = [None] * (max(places, default=-1) + 1)
    for number, place in zip(numbers, places, strict=True):
        if number is not None:
            found[place] = number
    return found


def _breaks(
    tables: Mapping[str, pa.Table], decimals: Mapping[str, int]
) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    rows = tables["series_breaks"].to_pylist() if "series_breaks" in tables else []
    for row in sorted(rows, key=lambda r: (r["indicator_id"], r["period"])):
        if row["indicator_id"] in decimals:
            found.setdefault(row["indicator_id"], []).append([row["period"], row["reason"]])
    return found
