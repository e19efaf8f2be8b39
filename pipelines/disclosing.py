"""``lsoalink disclose``: protecting any table of counts, and writing what is left of it.

Belongs here: from a file to a linked table, what others publish of it, and the call of the library.
Does not belong here: protecting and attacking (``governance/disclosure/tables/``), reading
files (``long_tables.py``), or the files of the result (``disclosed_files.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from declarations.errors import ConfigurationError, DeliveryError, DisclosureError, StorageError
from geography.sql import ident
from governance.disclosure.profiles import Profile, profile
from governance.disclosure.tables.linked import TOTAL, Cell, LinkedTable, linked_table
from governance.disclosure.tables.merging import nesting_of
from governance.disclosure.tables.protecting import (
    Noise,
    Progress,
    Protected,
    Request,
    protect_table,
)
from pipelines.long_tables import (
    chains_of,
    check_names,
    opened,
    read_counts,
    read_records,
    require,
    table_name,
)
from warehouse.connection import run

if TYPE_CHECKING:
    import pyarrow as pa

MEASURE = "count"
MOST_CELLS = 5_000_000


@dataclass(frozen=True)
class Asked:
    """What a table is to be protected by, as it stands on the command line.

    Attributes
    ----------
    table : Path
        One row per finest area and category; with ``record_key`` one row per record.
    hierarchies : sequence of str
        Such as ``lsoa21cd<msoa21cd<lad24cd``.
    categories : sequence of str
    count : str, optional
        Column of the counts.
    profile : str
    public : Path, optional
        Exact totals that are known elsewhere.
    cost : str
        ``cells``, ``counts`` or ``importance:COLUMN``.
    record_key : str, optional
        Column of pseudonyms, for profiles with perturbation.
    secret : Path, optional
        File with the secret of the record keys, 32 bytes or more.
    absent_missing : bool
        Whether a combination without a row is missing rather than 0.
    sum_rows, class_disclosure, insider : bool
    workers : int
    """

    table: Path
    hierarchies: Sequence[str]
    profile: str
    categories: Sequence[str] = ()
    count: str | None = None
    public: Path | None = None
    cost: str = "cells"
    record_key: str | None = None
    secret: Path | None = None
    absent_missing: bool = False
    sum_rows: bool = False
    class_disclosure: bool = True
    insider: bool = True
    workers: int = 1


class Disclosed(NamedTuple):
    """A protected table and what it was made of."""

    asked: Asked
    chains: list[list[str]]
    areas: dict[str, list[str | None]]
    profile: Profile
    protected: Protected


def disclose(asked: Asked, progress: Progress | None = None) -> Disclosed:
    """Protect a table and attack what came out, until nothing can be worked back.

    Raises
    ------
    ConfigurationError
        If the options do not go together.
    DeliveryError
        If a file is not what the options say.
    DisclosureError
        If there is no safe table.
    """
    chosen = profile(asked.profile)
    chains = chains_of(asked.hierarchies)
    _check(asked, chosen, chains)
    names = list(dict.fromkeys(name for chain in chains for name in chain))
    check_names(names, asked.categories)
    importance: NDArray[np.float64] | None = None
    noise: Noise | None = None
    if chosen.perturbation is not None:
        data, sums = _counted_records(asked, chosen, chains)
        table = _linked(asked, data, MEASURE, chains)
        from governance.disclosure.cell_key import maximum_entropy_table  # noqa: PLC0415 - heavy

        rules = chosen.perturbation
        noise = Noise(
            _linked(asked, data, sums, chains).counts,
            maximum_entropy_table(rules.deviation, rules.variance, rules.blocked, rules.keys),
        )
    else:
        count = str(asked.count)
        weight = _importance_column(asked.cost)
        data = read_counts(
            asked.table, chains=chains, categories=asked.categories, count=count,
            sum_rows=asked.sum_rows, importance=weight,
        )  # fmt: skip
        table = _linked(asked, data, count, chains)
        if weight:
            importance = np.maximum(_linked(asked, data, weight, chains).counts, 1).astype(float)
    areas = _areas(data, chains, names)
    request = Request(
        table=table,
        nesting=nesting_of(areas, chains),
        profile=chosen,
        public=_public(asked, table, names),
        cost="importance" if importance is not None else asked.cost,  # type: ignore[arg-type]
        importance=importance,
        noise=noise,
        class_disclosure=asked.class_disclosure,
        insider=asked.insider,
        workers=asked.workers,
    )
    return Disclosed(asked, chains, areas, chosen, protect_table(request, progress))


def _check(asked: Asked, chosen: Profile, chains: Sequence[Sequence[str]]) -> None:
    if not chains:
        raise ConfigurationError(
            "No hierarchy is given", "Give --hierarchy, e.g. 'lsoa21cd<msoa21cd<lad24cd'"
        )
    if any(chain[0] != chains[0][0] for chain in chains):
        raise ConfigurationError(
            "The hierarchies do not all begin with the same column",
            "Begin each with the finest areas, e.g. 'lsoa21cd<msoa21cd' and 'lsoa21cd<wd24cd'",
        )
    if chosen.perturbation is not None:
        if asked.record_key is None or asked.secret is None:
            raise ConfigurationError(
                f"The profile {chosen.name} makes noise from secret record keys",
                "Give a file of one row a record, with --record-key COLUMN and --secret FILE",
            )
    elif asked.record_key is not None or asked.secret is not None:
        raise ConfigurationError(
            f"The profile {chosen.name} uses no record keys",
            "Leave out --record-key and --secret, or choose --profile ckm",
        )
    elif asked.count is None:
        raise ConfigurationError("No column of counts is named", "Give --count COLUMN")
    if asked.cost not in ("cells", "counts") and not _importance_column(asked.cost):
        raise ConfigurationError(
            "--cost is none of cells, counts and importance:COLUMN", "Give one of the three"
        )
    if asked.cost != "cells" and not chosen.secondary:
        raise ConfigurationError(
            f"The profile {chosen.name} hides no further cells, so none has a cost",
            "Leave out --cost, or choose --profile suppress",
        )


def _importance_column(cost: str) -> str | None:
    return cost.removeprefix("importance:") or None if cost.startswith("importance:") else None


def _linked(asked: Asked, data: pa.Table, count: str, chains: list[list[str]]) -> LinkedTable:
    size = 1
    for name in (chains[0][0], *asked.categories):
        size *= len(data.column(name).unique()) + 1
    if size > MOST_CELLS:
        raise DeliveryError(
            f"{asked.table.name} makes {size:,} combinations of areas and categories, and "
            f"{MOST_CELLS:,} are the most",
            "Protect it in parts that share no people, or with fewer category columns",
        )
    return linked_table(
        data,
        count=count,
        hierarchies=chains,
        categories=asked.categories,
        measure=MEASURE,
        absent_is_zero=not asked.absent_missing,
    )


def _areas(
    data: pa.Table, chains: Sequence[Sequence[str]], names: Sequence[str]
) -> dict[str, list[str | None]]:
    """Return one row for each finest area: its codes at every level."""
    rows: dict[str, tuple[str | None, ...]] = {}
    for row in zip(*(data.column(n).to_pylist() for n in names), strict=True):
        rows.setdefault(row[names.index(chains[0][0])], row)
    ordered = [rows[leaf] for leaf in sorted(rows)]
    return {name: [row[i] for row in ordered] for i, name in enumerate(names)}


def _counted_records(
    asked: Asked, chosen: Profile, chains: list[list[str]]
) -> tuple[pa.Table, str]:
    """Return counts and sums of record keys by finest area and category, and the sums' column."""
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    from governance.disclosure.cell_key import record_keys  # noqa: PLC0415 - heavy

    record, rules = str(asked.record_key), chosen.perturbation
    if rules is None:
        raise ConfigurationError(f"The profile {chosen.name} uses no record keys")
    records = read_records(asked.table, chains=chains, categories=asked.categories, record=record)
    keys = record_keys(records.column(record).to_pylist(), _secret(asked.secret), rules.keys)
    sums = "key_sum"
    records = records.drop_columns([record])
    by = records.column_names
    # Nulls of a parent column are a group of their own.
    counted = (
        records.append_column(sums, pa.array(keys, pa.int64()))
        .group_by(by)
        .aggregate([(sums, "sum"), (sums, "count")])
    )
    counted = counted.rename_columns(
        [{f"{sums}_sum": sums, f"{sums}_count": MEASURE}.get(n, n) for n in counted.column_names]
    )
    order = pc.sort_indices(counted, sort_keys=[(n, "ascending") for n in by])
    return counted.take(order), sums


def _secret(path: Path | None) -> bytes:
    if path is None or not path.is_file():
        raise ConfigurationError(
            f"There is no file {path} with the secret of the record keys",
            "Make one that only you can read: (umask 077; openssl rand -hex 32 > record-keys)",
        )
    if path.stat().st_mode & 0o077:
        raise StorageError(
            f"Others than its owner may read {path.name}, the secret of the record keys",
            f"Forbid it with: chmod 600 {path.name}",
        )
    return path.read_bytes().strip()


def _public(asked: Asked, table: LinkedTable, names: Sequence[str]) -> NDArray[np.bool_]:
    """Return which cells are exactly known from elsewhere."""
    known = np.zeros(len(table), dtype=bool)
    if asked.public is None:
        return known
    totals = read_totals(asked.public, names, asked.categories, asked.count or MEASURE)
    place = {key: i for i, key in enumerate(table.keys())}
    strange = sum(key not in place for key in totals)
    if strange:
        raise DeliveryError(
            f"{asked.public.name} names {strange:,} areas or categories that {asked.table.name} "
            "does not have",
            "Use the same codes in both; leave out areas that the table does not cover",
        )
    at = np.array([place[key] for key in totals], dtype=np.int64)
    differing = int((table.counts[at] != np.array([*totals.values()])).sum())
    if differing:
        raise DisclosureError(
            f"{differing:,} of {len(totals):,} totals in {asked.public.name} are not what "
            f"{asked.table.name} adds up to, so they count something else",
            "Leave out totals of another coverage or date: an attack that starts from them would "
            "prove nothing",
        )
    known[at] = True
    return known


def read_totals(
    path: Path, areas: Sequence[str], categories: Sequence[str], count: str
) -> dict[Cell, int]:
    """Return totals that are known elsewhere, by the cell they are the count of.

    The file has a column of one level's codes (none: the total of all areas), any of the category
    columns (``all`` or no column: the margin), and the counts: the column of that name, or the only
    one that is left.

    Raises
    ------
    DeliveryError
        If it is no such file, or holds a total twice.
    """
    with opened(path) as (connection, present):
        others = [name for name in present if name not in (*areas, *categories)]
        if count not in present and len(others) == 1:
            count = others[0]
        require(path, present, [count])
        levels = [name for name in areas if name in present]
        held = [name for name in categories if name in present]
        shown = levels[:1]
        texts = [f"coalesce(nullif(trim(CAST({ident(n)} AS VARCHAR)), ''), 'all')"
                 for n in (*shown, *held)]  # fmt: skip
        number = f"TRY_CAST(trim(CAST({ident(count)} AS VARCHAR)) AS DOUBLE)"
        rows = run(
            connection,
            f"SELECT {', '.join([*texts, number])} FROM delivered",
            table=path.name,
        ).fetchall()
    found: dict[Cell, int] = {}
    wrong = twice = 0
    for row in rows:
        value = row[-1]
        if value is None or not 0 <= value < 1e12 or value % 1:
            wrong += 1
            continue
        key = cell_of(shown[0] if shown else TOTAL, row[0] if shown else TOTAL,
                      zip(held, row[len(shown):-1], strict=True))  # fmt: skip
        twice += key in found
        found[key] = int(value)
    if wrong or twice:
        raise DeliveryError(
            f"{path.name} has {wrong:,} rows without a whole number in {count!r}, and {twice:,} "
            "that name a total again",
            "Give each total once, exactly; leave out those that are rounded",
        )
    return found


def cell_of(level: str, area: str, categories: Iterable[tuple[str, str]]) -> Cell:
    """Return the name of a cell; ``all`` in a category is its margin."""
    held = tuple(sorted((table_name(n), v) for n, v in categories if v != "all"))
    return Cell(MEASURE, table_name(level), area, held)
