"""Tables that somebody published: their description, and their figures by the cell they are of.

Belongs here: ``attack.yaml``, and reading the CSV files it describes. Does not belong here: what
the figures tell (``attacking.py``), or the platform's own releases (``published_releases.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from declarations.base import Declaration, ProfileName
from declarations.errors import ConfigurationError, DeliveryError
from declarations.loader import read_declaration
from geography.sql import ident
from governance.disclosure.attacker.examination import Demand, demand_of
from governance.disclosure.counts import CONFIDENTIAL, MARKERS, bounds, could_be_shown
from governance.disclosure.profiles import (
    Profile,
    Rounding,
    SafeInterval,
    SmallCounts,
    default_profile,
    profile,
)
from governance.disclosure.tables.linked import TOTAL, Cell
from governance.disclosure.tables.merging import MERGED
from pipelines.disclosing import cell_of
from pipelines.long_tables import chains_of, opened, require, require_different
from warehouse.connection import run

if TYPE_CHECKING:
    import duckdb

DESCRIPTION = "attack.yaml"


class Figure(NamedTuple):
    """A published figure: its number or None, and the profile's marker or None."""

    value: int | None
    status: str | None


class MarkedRule(Declaration):
    """A rule that is none of the profiles: what the marker and the figures stand for."""

    marker: str = Field(min_length=1, description="What stands in place of a hidden count.")
    below: int = Field(ge=2, description="Counts below this are hidden.")
    zeros: Literal["shown", "hidden"] = Field(default="shown")
    secondary: bool = Field(
        default=False, description="Whether larger counts bear the marker as well."
    )
    rounding: int = Field(default=1, ge=1, description="Figures go to the nearest multiple.")


class PublishedRate(Declaration):
    """A column of rates beside a column of exact denominators."""

    column: str
    denominator: str
    decimals: int = Field(default=1, ge=-3, le=12)
    multiplier: int = Field(default=100, ge=1)


class Description(Declaration):
    """``attack.yaml``: what the CSV files of a folder hold."""

    profile: ProfileName | None = None
    rule: MarkedRule | None = None
    hierarchy: list[str] = Field(
        min_length=1, description="Columns from finest to coarsest: lsoa21cd<msoa21cd<lad24cd."
    )
    categories: list[str] = Field(default_factory=list)
    count: str = "count"
    status: str | None = None
    files: str = Field(default="*.csv", description="Which files of the folder, as a pattern.")
    rate: PublishedRate | None = None
    vintages: str | None = Field(
        default=None, description="File with lsoa11cd, lsoa21cd and chgind: the ONS lookup."
    )
    absent: Literal["unknown", "zero"] = Field(
        default="unknown", description="What a combination without a row says."
    )

    def known_profile(self) -> Profile:
        """Return what an attacker knows of the rule, as a profile.

        Raises
        ------
        ConfigurationError
            If neither a profile nor a rule is named, or both.
        """
        if (self.profile is None) == (self.rule is None):
            raise ConfigurationError(
                "How the counts were protected is not said once",
                "Give --profile NAME, or --marker and --below (and --rounding, --zeros)",
            )
        if self.profile is not None:
            return profile(self.profile)
        return _as_profile(self.rule) if self.rule else default_profile()

    def stands_for(self, figure: Figure) -> tuple[int, float]:
        """Return the lowest and highest count that a figure can stand for.

        Raises
        ------
        DisclosureError
            If the named profile never gives such a figure. A rule of somebody's own is not held
            against what was published: a small figure that nobody hid is taken as it stands.
        """
        chosen = self.known_profile()
        value = figure.value
        if self.rule is None or value is None or could_be_shown(value, chosen):
            return bounds(value, figure.status, chosen)
        base = self.rule.rounding
        if value % base:
            return value, value
        return max(0, value - base // 2), value - base // 2 + base - 1

    def demand(self) -> Demand:
        """Return what must stay open of a small count: what its own marker leaves open."""
        return demand_of(self.known_profile())


def _as_profile(rule: MarkedRule) -> Profile:
    hidden = rule.zeros == "hidden"
    # With zeros shown a marker is 1 to below - 1: no more than that can be asked for.
    open_ended = hidden or rule.secondary
    return default_profile().model_copy(
        update={
            "title": "a rule of its own",
            "small": SmallCounts(
                below=rule.below, hidden_below=rule.below, marker=CONFIDENTIAL, zeros=rule.zeros
            ),
            "rounding": Rounding(kind="nearest" if rule.rounding > 1 else "none",
                                 base=rule.rounding),
            "secondary": rule.secondary,
            "safe": SafeInterval(width=max(rule.below - (1 if open_ended else 2), 1),
                                 outside=open_ended),
        }
    )  # fmt: skip


class Rate(NamedTuple):
    """A published rate: its text and its exact denominator."""

    text: str
    denominator: int


@dataclass
class PublishedTables:
    """What the files of a folder say.

    Attributes
    ----------
    folder : Path
    description : Description
    figures : dict of Cell to Figure
    rates : dict of Cell to Rate
    areas : dict of str to dict of str to str or None
        Finest area -> the areas it lies in, by column.
    values : dict of str to set of str
        Values of each category column.
    merged : dict of str to list of (level, area)
        Areas that are shown only together.
    changes : list of (lsoa11cd, lsoa21cd, change)
    """

    folder: Path
    description: Description
    chains: list[list[str]]
    figures: dict[Cell, Figure] = field(default_factory=dict)
    rates: dict[Cell, Rate] = field(default_factory=dict)
    areas: dict[str, dict[str, str | None]] = field(default_factory=dict)
    values: dict[str, set[str]] = field(default_factory=dict)
    merged: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    changes: list[tuple[str, str, Any]] = field(default_factory=list)


def described(folder: Path) -> Description | None:
    """Return a folder's own description, or None if it has none.

    Raises
    ------
    ConfigurationError
        If it is malformed.
    """
    path = folder / DESCRIPTION
    return read_declaration(path, Description) if path.is_file() else None


def read_tables(folder: Path, description: Description) -> PublishedTables:
    """Read the files of a folder.

    Raises
    ------
    ConfigurationError
        If a column is named for two uses.
    DeliveryError
        If no file holds a figure, or two figures of one cell differ.
    """
    if not folder.is_dir():
        raise DeliveryError(f"There is no folder {folder}", "Correct the path")
    tables = PublishedTables(folder, description, chains_of(description.hierarchy))
    levels = dict.fromkeys(name for chain in tables.chains for name in chain)
    require_different([*levels, *description.categories, description.count])
    paths = sorted(p for p in folder.glob(description.files) if p.is_file())
    for path in paths:
        with opened(path) as (connection, present):
            _read_file(tables, path, connection, present)
    if description.vintages:
        _read_vintages(tables, folder / description.vintages)
    if not tables.figures:
        raise DeliveryError(
            f"No file of {folder} that matches {description.files!r} has the column "
            f"{description.count!r} with a row in it",
            "Name the column of counts with --count, and the areas with --hierarchy",
        )
    return tables


def _read_file(
    tables: PublishedTables,
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    present: Sequence[str],
) -> None:
    chains, said = tables.chains, tables.description
    levels = list(dict.fromkeys(name for chain in chains for name in chain))
    shown = [name for name in levels if name in present]
    if {MERGED, "level", "area"} <= set(present):
        for area, level, member in _rows(connection, path, (MERGED, "level", "area")):
            tables.merged.setdefault(str(area), []).append((str(level), str(member)))
    if levels[0] in shown:
        for row in _rows(connection, path, shown):
            places = dict(zip(shown, row, strict=True))
            if row[0] is not None:
                held = tables.areas.setdefault(str(row[0]), {})
                held.update({n: v for n, v in places.items() if v is not None})
    if said.count in present:
        old = "lsoa11cd" if said.vintages and "lsoa11cd" in present else None
        level = shown[0] if shown else MERGED if MERGED in present else old
        _read_figures(tables, path, connection, present, level)


def _read_figures(
    tables: PublishedTables,
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    present: Sequence[str],
    level: str | None,
) -> None:
    said = tables.description
    held = [name for name in said.categories if name in present]
    status = said.status if said.status in present else None
    rate = said.rate if said.rate and said.rate.column in present else None
    wanted = [*([level] if level else []), *held, said.count]
    wanted += [status] if status else []
    if rate:
        require(path, present, [rate.denominator])
        wanted += [rate.column, rate.denominator]
    first = 1 if level else 0
    differing = 0
    for row in _rows(connection, path, wanted):
        area = row[0] if level else TOTAL
        if area is None:
            continue
        categories = [(n, v or "all") for n, v in zip(held, row[first:], strict=False)]
        for name, value in categories:
            if value != "all":
                tables.values.setdefault(name, set()).add(value)
        key = cell_of(level or TOTAL, area, categories)
        at = first + len(held)
        figure = _figure(tables, path, row[at], row[at + 1] if status else None)
        differing += tables.figures.setdefault(key, figure) != figure
        if rate and row[-2] is not None and str(row[-1]).isdigit():
            tables.rates[key] = Rate(str(row[-2]), int(str(row[-1])))
    if differing:
        raise DeliveryError(
            f"{path.name} has {differing:,} rows that give a figure another value than before",
            "Name every category column with --category; give other counts a folder of their own",
        )


def _figure(tables: PublishedTables, path: Path, text: str | None, status: str | None) -> Figure:
    said = tables.description
    marker = said.rule.marker if said.rule else None
    for words in (status, text):
        if words is not None and marker is not None and words == marker:
            return Figure(None, CONFIDENTIAL)
        if words is not None and said.rule is None and any(m in words for m in MARKERS):
            return Figure(None, next(m for m in MARKERS if m in words))
    if text is None or text == "[x]":
        return Figure(None, None)
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = -1.0
    if value < 0 or value % 1:
        raise DeliveryError(
            f"The column {said.count!r} of {path.name} holds something that is neither a whole "
            "number nor the marker",
            "Name the marker with --marker, or the profile with --profile",
        )
    return Figure(int(value), None)


def _read_vintages(tables: PublishedTables, path: Path) -> None:
    with opened(path) as (connection, present):
        by_name = {name.casefold(): name for name in present}
        wanted = [by_name.get(n) for n in ("lsoa11cd", "lsoa21cd", "chgind")]
        if None in wanted:
            raise DeliveryError(
                f"{path.name} is no lookup of 2011 to 2021 LSOAs",
                "It needs the columns lsoa11cd, lsoa21cd and chgind",
            )
        tables.changes = [
            (str(a), str(b), str(c))
            for a, b, c in _rows(connection, path, [str(w) for w in wanted])
        ]


def _rows(
    connection: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str]
) -> Iterator[tuple[str | None, ...]]:
    texts = ", ".join(f"nullif(trim(CAST({ident(n)} AS VARCHAR)), '')" for n in names)
    answer = run(connection, f"SELECT {texts} FROM delivered", table=path.name)
    while batch := answer.fetchmany(50_000):
        yield from batch
