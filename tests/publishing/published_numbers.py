"""Every number of a release that stands for an area's figures, whatever file it stands in.

Belongs here: reading each format of a bundle, down to the tables a program does not show and the
text of its pages. Does not belong here: which numbers are allowed (the test).
"""

from __future__ import annotations

import csv
import html
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import duckdb

from publishing.derived import DERIVED_TABLES

FIGURES = ("numerator", "denominator", "value", "lower_ci", "upper_ci")
WIDE = {"value": "value", "lower": "lower_ci", "upper": "upper_ci"}
SERIES = {"v": "value", "l": "lower_ci", "u": "upper_ci"}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAP_KEYS = {"view", "levels", "labels", "indicators", "series", "statuses", "words", "notes",
            "dropped", "derived", "coded", "breaks"}  # fmt: skip
EMBEDDED = re.compile(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', re.S)
NO_TEXT = re.compile(r"<(script|style)\b.*?</\1>", re.S)
BLOCK = re.compile(r"</?(?:tr|li|p|div|h\d|title|text|desc|section|option|g|path|rect|svg)\b[^>]*>")
NUMBER = re.compile(r"(?<![\w.+-])\d[\d,]*(?:\.\d+)?(?!\w|\.\d)")


class Said(NamedTuple):
    """A number, or None for none, that a file gives of one area."""

    file: str
    indicator: str
    period_end: str
    area: str
    figure: str
    number: float | None


class Told(NamedTuple):
    """A number or text, or None for none, that the map gives of an area from a derived table.

    ``area`` is a district's code for what is told once for all its areas, and ``about`` says so.
    ``more`` holds the columns besides area and period that tell the table's rows apart.
    """

    table: str
    indicator: str
    level: str
    area: str
    about: str
    period: tuple[str, str]
    more: tuple[tuple[str, str], ...]
    column: str
    content: float | str | None


class Text(NamedTuple):
    """Numbers that a page's text, or a file of no known columns, puts beside an area."""

    file: str
    area: str
    numbers: tuple[float, ...]
    words: str


def number_of(value: Any) -> float | None:
    """Return a cell as a number, None where it is empty or none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(str(value).replace(",", ""))
    except ValueError:
        return None
    return number if number == number else None  # noqa: PLR0124 - NaN is unequal to itself


def tables_of(folder: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield every table and view of every file that holds tables."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8-sig") as file:
                yield name, list(csv.DictReader(file))
        elif path.suffix == ".parquet":
            with duckdb.connect() as con:
                yield name, _rows(con.execute(f"FROM '{path}'"))
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                sql = "SELECT table_name FROM information_schema.tables"
                for (table,) in con.execute(sql).fetchall():
                    yield f"{name}/{table}", _rows(con.execute(f'FROM "{table}"'))
        elif path.suffix == ".gpkg":
            with closing(sqlite3.connect(path)) as lite:
                sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
                for (table,) in lite.execute(sql).fetchall():
                    if not table.startswith("rtree_"):
                        yield f"{name}/{table}", _rows(lite.execute(f'SELECT * FROM "{table}"'))


def _rows(cursor: Any) -> list[dict[str, Any]]:
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def figures_of(folder: Path) -> Iterator[Said]:
    """Yield every figure of every file whose indicator, area and period are named.

    Tables that are made from these figures are made again and compared elsewhere
    (``test_derived_follows.py``).
    """
    latest: dict[str, str] = {}
    for name, rows in tables_of(folder):
        if name == "csv/observations.csv":
            latest = _latest_periods(rows)
        for row in () if PurePosixPath(name).stem in DERIVED_TABLES else rows:
            if "indicator_id" in row and "geography_code" in row:
                yield from (
                    Said(name, row["indicator_id"], str(row["period_end"]), row["geography_code"],
                         figure, number_of(row[figure]))
                    for figure in FIGURES if figure in row
                )  # fmt: skip
            elif "lsoa21cd" in row:
                for column, cell in row.items():
                    prefix, _, suffix = column.rpartition("_")
                    if prefix in latest and suffix in WIDE:
                        yield Said(name, prefix.upper(), latest[prefix], row["lsoa21cd"],
                                   WIDE[suffix], number_of(cell))  # fmt: skip
    for path in sorted(folder.glob("*.html")):
        for part in EMBEDDED.findall(path.read_text(encoding="utf-8")):
            data = json.loads(part)
            if "series" in data:
                yield from _series(path.name, data)


def _latest_periods(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the last day of each indicator's neighbourhood figures, by its column prefix."""
    latest: dict[str, str] = {}
    for row in rows:
        if row["geography_type"] == "lsoa21":
            key = row["indicator_id"].lower()
            latest[key] = max(latest.get(key, ""), row["period_end"])
    return latest


def _series(name: str, data: Mapping[str, Any]) -> Iterator[Said]:
    for indicator, levels in data["series"].items():
        for level, entries in levels.items():
            codes = data["levels"][level]["codes"]
            for entry in entries:
                for key, figure in SERIES.items():
                    numbers = entry.get(key, [None] * len(codes))
                    for code, number in zip(codes, numbers, strict=True):
                        yield Said(name, indicator, entry["z"], code, figure, number_of(number))


def map_of(folder: Path) -> dict[str, Any]:
    """Return the data of the map page."""
    (part,) = EMBEDDED.findall((folder / "map.html").read_text(encoding="utf-8"))
    data = json.loads(part)
    assert isinstance(data, dict)
    return data


def told_by_map(data: Mapping[str, Any]) -> Iterator[Told]:
    """Yield everything the map holds of tables that are made from published figures."""
    for table, indicators in data["derived"].items():
        coded = data["coded"].get(table, {})
        for indicator, levels in indicators.items():
            for level, blocks in levels.items():
                codes = data["levels"][level]["codes"]
                for block in blocks:
                    more = tuple(
                        sorted((k, str(v)) for k, v in block.items() if k not in set("azntd"))
                    )
                    for about, area, column, content in _of_block(block, codes, coded, data):
                        yield Told(table, indicator, level, area, about, (block["a"], block["z"]),
                                   more, column, content)  # fmt: skip


def _of_block(
    block: Mapping[str, Any],
    codes: list[str],
    coded: Mapping[str, list[str]],
    data: Mapping[str, Any],
) -> Iterator[tuple[str, str, str, float | str | None]]:
    for column, held in block.get("n", {}).items():
        numbers = held if isinstance(held, list) else [held] * len(codes)
        for code, number in zip(codes, numbers, strict=True):
            yield "area", code, column, number_of(number)
    for column, held in block.get("t", {}).items():
        letters = held * len(codes) if len(held) == 1 else held
        for code, letter in zip(codes, letters, strict=True):
            text = None if letter == "." else coded[column][LETTERS.index(letter)]
            yield "area", code, column, text
    for column, numbers in block.get("d", {}).items():
        for code, number in zip(data["levels"]["lad24"]["codes"], numbers, strict=False):
            yield "district", code, column, number_of(number)


def texts_of(folder: Path, names: Mapping[str, str]) -> Iterator[Text]:
    """Yield what pages and JSON files say in one breath with an area.

    Parameters
    ----------
    names : mapping of str to str
        Area code by code and by name.
    """
    spoken = sorted(names, key=len, reverse=True)
    areas = re.compile("|".join(map(re.escape, spoken)))
    for path in sorted(folder.iterdir()):
        if path.suffix == ".html":
            text = path.read_text(encoding="utf-8")
            # What a reader is told of a shape stands in its attributes.
            told = re.findall(r'(?:aria-label|title|alt|data-[a-z]+)="([^"]*)"', text)
            blocks = BLOCK.split(NO_TEXT.sub(" ", text))
            pieces = [*told, *(re.sub(r"<[^>]*>", " ", b) for b in blocks)]
            yield from _spoken(path.name, map(html.unescape, pieces), areas, names)
        elif path.suffix == ".json":
            nodes = _nodes(json.loads(path.read_text(encoding="utf-8")))
            yield from _spoken(path.name, nodes, areas, names)


def _nodes(node: Any) -> Iterator[str]:
    """Yield each object of a JSON file as text, what is inside it apart."""
    if isinstance(node, dict):
        yield " ; ".join(
            f"{k}: {json.dumps(v)}" for k, v in node.items() if not isinstance(v, dict | list)
        )
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from _nodes(child)


def _spoken(
    name: str, pieces: Iterable[str], areas: re.Pattern[str], names: Mapping[str, str]
) -> Iterator[Text]:
    for piece in pieces:
        found = areas.findall(piece)
        if not found:
            continue
        words = " ".join(areas.sub(" ", piece).split())
        bare = re.sub(r"\b(?:19|20)\d\d(?:-\d\d){0,2}\b|\b[A-Z]\d\d\b", " ", words)
        numbers = tuple(float(n.replace(",", "")) for n in NUMBER.findall(bare))
        for area in dict.fromkeys(names[f] for f in found):
            yield Text(name, area, numbers, words)
