"""``lsoalink attack``: what can be worked back from releases made by anyone.

Belongs here: putting together everything published, published before and known elsewhere, attacking
every count that could be small, and the verdicts. Does not belong here: reading files
(``published_tables.py``, ``published_releases.py``), the attack (``governance/disclosure/``), or
how a report looks (``attack_report.py``).

No truth is known here, so the verdict is about what is provable: a hidden count that is pinned to
one value or surely small is exposed, and so is one of which less stays open than its profile asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from declarations.errors import ConfigurationError, DeliveryError, DisclosureError
from governance.disclosure.attacker.examination import (
    EXACT,
    INSIDER,
    NARROW,
    NOT_PROVEN,
    PROTECTED_RANGE,
    SECONDS,
    Demand,
)
from governance.disclosure.attacker.intervals import attack
from governance.disclosure.attacker.solver import solver_version
from governance.disclosure.attacker.system import SystemBuilder
from governance.disclosure.known import knowledge
from governance.disclosure.tables.linked import Cell, LinkedTable, linked_table
from governance.disclosure.tables.merging import MERGED
from governance.disclosure.tables.protecting import Progress
from pipelines.disclosing import MEASURE, read_totals
from pipelines.long_tables import read_counts, table_name
from pipelines.published_releases import ReleaseFigures, is_release, read_release
from pipelines.published_tables import Description, PublishedTables, described, read_tables

Source = PublishedTables | ReleaseFigures


class Exposed(NamedTuple):
    """A count that can be worked back, and why; ``otherwise`` if without this release too."""

    cell: Cell
    reason: str
    lower: float
    upper: float
    otherwise: bool


@dataclass(frozen=True)
class Attacked:
    """What an attack on a release found.

    Attributes
    ----------
    folder : Path
    earlier : sequence of Path
    public : Path or None
    cells : sequence of Cell
        The counts that were attacked.
    lower, upper : (k,) float
        What each can be; the narrow ones exactly, wide ones at most this.
    below : (k,) int
        Counts of 1 to one less than this are small, by the profile of each.
    exposed : sequence of Exposed
    proven_by_truth : int or None
        How many true counts lay inside their intervals, where the owner gave them.
    solver : str
    linear_programmes, integer_programmes, components : int
    """

    folder: Path
    earlier: Sequence[Path]
    public: Path | None
    cells: Sequence[Cell]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    below: NDArray[np.int64]
    exposed: Sequence[Exposed]
    proven_by_truth: int | None
    solver: str
    linear_programmes: int
    integer_programmes: int
    components: int

    @property
    def unsafe(self) -> list[Exposed]:
        """The counts that this release exposes."""
        return [e for e in self.exposed if not e.otherwise]


@dataclass(frozen=True)
class AskedAttack:
    """What is to be attacked, with what.

    Attributes
    ----------
    release : Path
    description : Description, optional
        Of files of others, where they have no description of their own.
    public : Path, optional
        Exact totals that are known elsewhere.
    earlier : sequence of Path
        Earlier releases of the same counts.
    truth : Path, optional
        The owner's own table of true counts, to prove that the attack is sound.
    truth_count : str, optional
        Its column of counts; that of the release when left out.
    insider : bool
    workers : int
    """

    release: Path
    description: Description | None = None
    public: Path | None = None
    earlier: Sequence[Path] = ()
    truth: Path | None = None
    truth_count: str | None = None
    insider: bool = True
    workers: int = 1


def run_attack(asked: AskedAttack, progress: Progress | None = None) -> Attacked:
    """Attack a release with everything else that is known.

    Raises
    ------
    ConfigurationError
        If nothing says what the files of a folder hold.
    DeliveryError
        If they hold something else.
    DisclosureError
        If no table of counts fits what is published, or a true count is not inside its interval.
    """
    tell = progress or (lambda what, number: None)
    tell("reading", 0)
    own = _read(asked.release, asked.description)
    earlier = [_read(folder, asked.description) for folder in asked.earlier]
    builder = _assembled([own, *earlier], [own, *earlier], asked)
    demands, marked = _demands([own, *earlier]), _marked([own, *earlier])
    found = _attack(builder, demands, marked, asked, tell)
    exposed: list[Exposed] = []
    if found.why:
        tell("attacking without the release", 0)
        before = _assembled([own, *earlier], earlier, asked)
        without = _attack(before, demands, _marked(earlier), asked, tell, only=set(found.why))
        exposed = [
            Exposed(cell, why, *found.interval(cell), cell in without.why)
            for cell, why in found.why.items()
        ]
    return Attacked(
        asked.release, asked.earlier, asked.public, found.cells, found.lower, found.upper,
        np.array([demands[c.measure].below for c in found.cells], dtype=np.int64),
        sorted(exposed, key=lambda e: (e.otherwise, e.reason != EXACT, e.upper - e.lower, e.cell)),
        _prove(asked, own, builder, found), solver_version(), *found.work,
    )  # fmt: skip


class _Found(NamedTuple):
    cells: list[Cell]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    why: dict[Cell, str]
    work: tuple[int, int, int]

    def interval(self, cell: Cell) -> tuple[float, float]:
        place = self.cells.index(cell)
        return float(self.lower[place]), float(self.upper[place])


def _read(folder: Path, description: Description | None) -> Source:
    if not folder.is_dir():
        raise DeliveryError(f"There is no folder {folder}", "Correct the path")
    if description is None and is_release(folder):
        return read_release(folder)
    said = described(folder) or description
    if said is None:
        raise ConfigurationError(
            f"Nothing says what the files of {folder} hold",
            "Give --hierarchy, --count and --profile (or --marker and --below), or write them into "
            "an attack.yaml in it",
        )
    tables = read_tables(folder, said)
    said.known_profile()
    return tables


def _assembled(
    structure: Sequence[Source], figures: Sequence[Source], asked: AskedAttack
) -> SystemBuilder:
    """Return what is known: how counts hang together, and what the figures say of them."""
    builder = SystemBuilder()
    tables = [s for s in structure if isinstance(s, PublishedTables)]
    for linked in _structures(tables):
        linked.tell(builder, np.zeros(len(linked)), np.full(len(linked), np.inf))
    for source in structure:
        if isinstance(source, ReleaseFigures):
            source.tell_structure(builder)
        else:
            _tell_merged(builder, source)
            _tell_vintages(builder, source)
    for source in figures:
        if isinstance(source, ReleaseFigures):
            source.tell_figures(builder)
        else:
            _tell_figures(builder, source)
    if asked.public is not None:
        _tell_public(builder, structure, asked.public)
    return builder


def _structures(tables: Iterable[PublishedTables]) -> list[LinkedTable]:
    """Return the equations of all tables; those of the same areas and categories become one."""
    groups: dict[tuple[str, tuple[str, ...]], list[PublishedTables]] = {}
    for table in tables:
        key = (table.chains[0][0], tuple(sorted(table.description.categories)))
        groups.setdefault(key, []).append(table)
    return [_structure(group) for group in groups.values()]


def _structure(group: Sequence[PublishedTables]) -> LinkedTable:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    chains = [list(c) for c in dict.fromkeys(tuple(c) for t in group for c in t.chains)]
    names = list(dict.fromkeys(name for chain in chains for name in chain))
    areas: dict[str, dict[str, str | None]] = {}
    values: dict[str, set[str]] = {}
    for table in group:
        for leaf, places in table.areas.items():
            areas.setdefault(leaf, {}).update(places)
        for name, held in table.values.items():
            values.setdefault(name, set()).update(held)
    lacking = [n for n in names if not any(places.get(n) for places in areas.values())]
    if lacking:
        raise DeliveryError(
            f"No file of {group[0].folder} has the columns {names[0]!r} and {lacking[0]!r} "
            "together, so nothing says which areas lie in which",
            f"Put a file with a row for every area of {names[0]!r} and its larger areas beside it",
        )
    leaves = sorted(areas)
    categories = [name for name in group[0].description.categories if values.get(name)]
    # Every value of every category once, so that all combinations come about.
    longest = max([len(leaves), *(len(values[name]) for name in categories)])
    rows = [leaves[min(i, len(leaves) - 1)] for i in range(longest)]
    data = {name: [areas[leaf].get(name) for leaf in rows] for name in names}
    for name in categories:
        ordered = sorted(values[name])
        data[name] = [ordered[min(i, len(ordered) - 1)] for i in range(longest)]
    counts = pa.array([0] * longest, pa.int64())
    columns = {table_name(n): pa.array(column, pa.string()) for n, column in data.items()}
    return linked_table(
        pa.table({**columns, "": counts}),
        count="", hierarchies=_named(chains),
        categories=[table_name(n) for n in categories], measure=MEASURE,
    )  # fmt: skip


def _named(chains: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[table_name(name) for name in chain] for chain in chains]


def _tell_figures(builder: SystemBuilder, tables: PublishedTables) -> None:
    said = tables.description
    known: dict[object, tuple[int, float]] = {}
    for cell, figure in tables.figures.items():
        if figure not in known:
            known[figure] = said.stands_for(figure)
        builder.count(cell, *known[figure])
    for cell, rate in tables.rates.items():
        if said.rate is not None and rate.denominator > 0:
            shown = knowledge.Rate(rate.text, said.rate.decimals, said.rate.multiplier)
            knowledge.published_rate(builder, builder.count(cell), shown, rate.denominator)
    if said.absent == "zero":
        levels = {cell.level for cell in tables.figures}
        shown_areas = {(cell.level, cell.area) for cell in tables.figures}
        for key in [*builder.index]:
            if (
                isinstance(key, Cell) and key.level in levels and key not in tables.figures
                and (key.level, key.area) in shown_areas
            ):  # fmt: skip
                builder.count(key, 0, 0)


def _combinations(tables: PublishedTables) -> list[tuple[tuple[str, str], ...]]:
    return sorted({cell.categories for cell in tables.figures})


def _tell_merged(builder: SystemBuilder, tables: PublishedTables) -> None:
    for categories in _combinations(tables):
        for area, members in tables.merged.items():
            whole = builder.count(Cell(MEASURE, MERGED, area, categories))
            parts = [builder.count(Cell(MEASURE, level, m, categories)) for level, m in members]
            builder.add_up(whole, parts)


def _tell_vintages(builder: SystemBuilder, tables: PublishedTables) -> None:
    if not tables.changes:
        return
    for categories in _combinations(tables):
        old, new = (
            {
                code: builder.count(Cell(MEASURE, level, code, categories))
                for code in {change[place] for change in tables.changes}
            }
            for place, level in enumerate(("lsoa11cd", "lsoa21cd"))
        )
        knowledge.both_vintages(builder, tables.changes, old, new)


def _tell_public(builder: SystemBuilder, structure: Sequence[Source], path: Path) -> None:
    own = structure[0]
    if isinstance(own, ReleaseFigures):
        raise ConfigurationError(
            "Public totals cannot be matched to the indicators of a release of this platform",
            "Declare them in the region's public_totals: its own audit takes them into account",
        )
    names = list(dict.fromkeys(name for chain in own.chains for name in chain))
    totals = read_totals(path, names, own.description.categories, own.description.count)
    strange = sum(cell not in builder.index for cell in totals)
    if strange:
        raise DeliveryError(
            f"{path.name} names {strange:,} areas or categories that the release does not have",
            "Use the same codes in both; leave out areas that the release does not cover",
        )
    for cell, total in totals.items():
        knowledge.public_total(builder, [builder.count(cell)], total)
        builder.count(cell, total, total)


def _demands(sources: Sequence[Source]) -> dict[str, Demand]:
    found: dict[str, Demand] = {}
    for source in sources:
        said = (
            source.demands
            if isinstance(source, ReleaseFigures)
            else {MEASURE: source.description.demand()}
        )
        for measure, demand in said.items():
            # The release itself comes first, and its profile is what it is held to.
            found.setdefault(measure, demand)
    return found


def _marked(sources: Sequence[Source]) -> set[Cell]:
    found: set[Cell] = set()
    for source in sources:
        if isinstance(source, ReleaseFigures):
            found |= source.marked
        else:
            found |= {cell for cell, figure in source.figures.items() if figure.status}
    return found


def _attack(
    builder: SystemBuilder,
    demands: dict[str, Demand],
    marked: set[Cell],
    asked: AskedAttack,
    tell: Progress,
    only: set[Cell] | None = None,
) -> _Found:
    system = builder.build()
    cells: list[Cell] = []
    lower, upper = [np.empty(0)], [np.empty(0)]
    why: dict[Cell, str] = {}
    linear = integer = components = 0
    for number, demand in enumerate(dict.fromkeys(demands.values()), start=1):
        tell("attacking", number)
        chosen = [
            (key, place)
            for key, place in builder.index.items()
            if isinstance(key, Cell) and demands[key.measure] == demand
            and (only is None or key in only)
            and system.lower[place] < demand.below
            and (system.upper[place] >= 1 or key in marked)
        ]  # fmt: skip
        targets = np.array([place for _, place in chosen], dtype=np.int64)
        found = attack(
            system.lower, system.upper, system.A, system.b, targets,
            required_width=demand.sufficient_width,
            members=targets if asked.insider else None,
            workers=asked.workers, time_limit=SECONDS,
        )  # fmt: skip
        for i, (cell, _) in enumerate(chosen):
            reason = _reason(found.lower[i], found.upper[i], demand, hidden=cell in marked)
            if not reason and found.lower[i] < demand.below and found.upper[i] >= 1:
                if not demand.met_by(found.seen_lower[i], found.seen_upper[i]):
                    reason = NOT_PROVEN
                elif found.exposed[i]:
                    reason = INSIDER
            if reason:
                why[cell] = reason
        cells += [cell for cell, _ in chosen]
        lower.append(found.lower)
        upper.append(found.upper)
        linear += found.linear_programmes
        integer += found.integer_programmes
        components += found.components
    work = (linear, integer, components)
    return _Found(cells, np.concatenate(lower), np.concatenate(upper), why, work)


def _reason(low: float, high: float, demand: Demand, *, hidden: bool) -> str:
    """Return why an interval is too tight, or nothing."""
    if low >= demand.below or (high < 1 and not hidden):
        # Surely no small count; or an empty cell that nobody hid.
        return ""
    if low == high:
        return EXACT
    if high - low < demand.width:
        return NARROW
    return PROTECTED_RANGE if bool(demand.within_range(low, high)) else ""


def _prove(asked: AskedAttack, own: Source, builder: SystemBuilder, found: _Found) -> int | None:
    """Say how many true counts lie inside their intervals, all of them.

    Raises
    ------
    DisclosureError
        If one does not: then something was taken for known that is not true.
    """
    if asked.truth is None:
        return None
    if isinstance(own, ReleaseFigures):
        raise ConfigurationError(
            "A release of this platform is held to the truth by its own run",
            "Leave out --truth: see the certificate of the release",
        )
    said = own.description
    chains = own.chains
    count = asked.truth_count or said.count
    data = read_counts(asked.truth, chains=chains, categories=said.categories, count=count)
    data = data.rename_columns([table_name(name) for name in data.column_names])
    table = linked_table(
        data, count=count, hierarchies=_named(chains),
        categories=[table_name(n) for n in said.categories], measure=MEASURE,
    )  # fmt: skip
    truth = dict(zip(table.keys(), table.counts.tolist(), strict=True))
    unknown = {cell for cell, gone in zip(truth, table.missing.tolist(), strict=True) if gone}
    system = builder.build()
    low = {c: system.lower[p] for c, p in builder.index.items() if isinstance(c, Cell)}
    high = {c: system.upper[p] for c, p in builder.index.items() if isinstance(c, Cell)}
    low.update(zip(found.cells, found.lower, strict=True))
    high.update(zip(found.cells, found.upper, strict=True))
    held = [c for c in truth if c in low and c not in unknown and c.level != MERGED]
    outside = sum(not low[c] <= truth[c] <= high[c] for c in held)
    if outside or not held:
        raise DisclosureError(
            f"{outside:,} of {len(held):,} true counts are not possible by what is said to be "
            "published, so the attack was on something else"
            if held
            else f"{asked.truth.name} has no area and category of the release",
            "Check the profile, the hierarchy and the totals; a category 'all' is a margin",
        )
    return len(held)
