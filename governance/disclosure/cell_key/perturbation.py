"""Counting records into cells and perturbing the counts: only perturbed counts leave.

Belongs here: cell keys (never returned), counting in DuckDB, and the result table. Does not belong
here: the tables of noise (``ptable.py``, ``entropy.py``) or how record keys are made
(``record_keys.py``).

A cell is the set of its records, and its noise depends on nothing else. So the same cell has the
same count in every table, whatever the order of columns, be it an inner cell of one or a margin of
another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declarations.errors import ConfigurationError, DisclosureError
from geography.sql import INTEGER_TYPES
from governance.disclosure.cell_key.ptable import PerturbationTable
from warehouse.connection import connect
from warehouse.sql import ident

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

COUNT = "count"
STATUS = "status"
HIDDEN = "[c]"
"""What the status says where a count is hidden: the one marker of disclosure control."""

_RECORDS, _KEY_SUM, _UNFIT = "records", "key_sum", "unfit"


def perturb(
    records: pa.Table | duckdb.DuckDBPyRelation,
    by: Sequence[str],
    record_key: str,
    table: PerturbationTable,
    *,
    domains: Mapping[str, Sequence[Any]],
    threshold: int = 0,
) -> pa.Table:
    """Return the perturbed counts of all cells of a table.

    Every combination of the declared values gets a row, in their order, whether or not it has
    records: if only cells with records had one, a published 0 would tell that somebody is there.

    Parameters
    ----------
    records : pyarrow.Table or DuckDB relation
        One row for each counted unit.
    by : sequence of str
        Columns that make the cells, for example an area and categories. None: the grand total.
    record_key : str
        Column of record keys, whole numbers from 0 to ``table.keys - 1``.
    table : PerturbationTable
    domains : mapping
        For each column of ``by`` its values. Declare them (all areas of a region, all codes of a
        list) rather than take those that occur.
    threshold : int
        Perturbed counts below it are hidden, zeros with them. 10 for the 10-5 rule.

    Returns
    -------
    pyarrow.Table
        The columns of ``by``, ``count`` (int64, NULL where hidden) and ``status`` (``[c]`` where
        hidden, else NULL); the product of the lengths of the domains is its number of rows.

    Raises
    ------
    ConfigurationError
        If a column is missing or named twice, has no domain, or would publish the record key.
    DisclosureError
        If a record has no usable record key, or values outside the domains.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    if isinstance(records, pa.Table):
        _check_columns(records.column_names, by, record_key, domains)
        with connect() as con:
            return _perturbed(con.from_arrow(records), by, record_key, table, domains, threshold)
    _check_columns(records.columns, by, record_key, domains)
    return _perturbed(records, by, record_key, table, domains, threshold)


def perturb_cells(
    counts: ArrayLike, key_sums: ArrayLike, table: PerturbationTable
) -> NDArray[np.int64]:
    """Return the perturbed count of each cell, from its count and the sum of its record keys.

    Both add up over cells without a common record: a margin's are the sums of its parts', and
    its perturbed count the one it would have if it were counted from records.

    Parameters
    ----------
    counts : (n,) int
    key_sums : (n,) int
        The sums themselves, or modulo the table's keys.
    table : PerturbationTable

    Returns
    -------
    (n,) int64

    Raises
    ------
    DisclosureError
        If the shapes differ, a count is negative or no whole number, or a sum cannot be that of so
        many record keys of this table.
    """
    numbers, sums = np.asarray(counts), np.asarray(key_sums)
    if numbers.shape != sums.shape:
        raise DisclosureError("There are not as many sums of record keys as counts")
    if numbers.size == 0:
        return np.zeros(numbers.shape, dtype=np.int64)
    if not all(np.issubdtype(array.dtype, np.integer) for array in (numbers, sums)):
        raise DisclosureError(
            "Counts and sums of record keys must be whole numbers, none missing",
            "Leave cells out that were not counted",
        )
    numbers, sums = numbers.astype(np.int64), sums.astype(np.int64)
    unfit = int(((numbers < 0) | (sums < 0) | (sums > numbers * (table.keys - 1))).sum())
    if unfit:
        raise DisclosureError(
            f"In {unfit} cells the count is negative, or the record keys are not of this table",
            f"Make record keys from 0 to {table.keys - 1}",
        )
    return table.apply(numbers, sums % table.keys)


def _perturbed(
    records: duckdb.DuckDBPyRelation,
    by: Sequence[str],
    record_key: str,
    table: PerturbationTable,
    domains: Mapping[str, Sequence[Any]],
    threshold: int,
) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    kinds = dict(zip(records.columns, map(str, records.types), strict=True))
    if kinds[record_key] not in INTEGER_TYPES:
        raise ConfigurationError(
            f"The record key {ident(record_key)} is not a column of whole numbers",
            "Make it with record_keys",
        )
    cells = _counted(records, by, record_key, table.keys)
    unfit = sum(cells.column(_UNFIT).to_pylist())
    if unfit:
        raise DisclosureError(
            f"{unfit} records have no record key from 0 to {table.keys - 1} in {ident(record_key)}",
            "Make the record keys of all records anew, with as many keys as the table has",
        )
    values = [_values(cells.column(f"c{i}"), domains[name], name) for i, name in enumerate(by)]
    shape = tuple(len(v) for v in values)
    size = math.prod(shape)
    counts, sums = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    if cells.num_rows:
        position = _positions(cells, values, by)
        counts[position] = cells.column(_RECORDS).to_numpy()
        sums[position] = cells.column(_KEY_SUM).to_numpy()
    published = perturb_cells(counts, sums, table)
    hidden = published < threshold
    places = np.unravel_index(np.arange(size), shape) if shape else ()
    columns = {name: v.take(pa.array(p)) for name, v, p in zip(by, values, places, strict=True)}
    columns[COUNT] = pa.array(published, mask=hidden, type=pa.int64())
    columns[STATUS] = pa.array([HIDDEN if h else None for h in hidden], type=pa.string())
    return pa.table(columns)


def _counted(
    records: duckdb.DuckDBPyRelation, by: Sequence[str], record_key: str, keys: int
) -> pa.Table:
    """Count the cells that have records; columns ``c0``, ``c1``, …, so that no name clashes."""
    key = ident(record_key)
    fit = f"coalesce({key} BETWEEN 0 AND {keys - 1}, false)"
    groups = [f"{ident(name)} AS c{i}" for i, name in enumerate(by)]
    measures = [
        f"count(*) AS {_RECORDS}",
        f"coalesce(sum({key}) FILTER (WHERE {fit}), 0)::BIGINT AS {_KEY_SUM}",
        f"(count(*) FILTER (WHERE NOT {fit}))::BIGINT AS {_UNFIT}",
    ]
    grouping = ", ".join(ident(name) for name in by)
    return records.aggregate(", ".join([*groups, *measures]), grouping).to_arrow_table()


def _values(column: pa.ChunkedArray, declared: Sequence[Any], name: str) -> pa.Array:
    """Return a domain as an array of the column's type."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    try:
        values = pa.array(declared, type=kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # Arrow's own message repeats the value.
        raise ConfigurationError(
            f"The declared values of {ident(name)} are not of the column's type, {kind}",
            "Correct the declaration",
        ) from None
    if values.null_count or len(values.unique()) != len(values):
        raise ConfigurationError(
            f"The declared values of {ident(name)} hold one twice, or a missing one",
            "Name each once, and give missing a code of its own",
        )
    return values


def _positions(cells: pa.Table, values: Sequence[pa.Array], by: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each counted cell among all combinations of the declared values."""
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    position = np.zeros(cells.num_rows, dtype=np.int64)
    for i, (domain, name) in enumerate(zip(values, by, strict=True)):
        place = pc.index_in(cells.column(f"c{i}").cast(domain.type), value_set=domain)
        outside = place.is_null()
        if pc.any(outside).as_py():
            strays = pc.sum(cells.column(_RECORDS).filter(outside)).as_py()
            raise DisclosureError(
                f"{strays} records have no value in {ident(name)}, or one that is not declared",
                "Declare all values of the column, and give missing a code of its own",
            )
        position = position * len(domain) + place.cast(pa.int64()).to_numpy()
    return position


def _check_columns(
    present: Sequence[str], by: Sequence[str], record_key: str, domains: Mapping[str, Sequence[Any]]
) -> None:
    missing = [name for name in (*by, record_key) if name not in present]
    if missing:
        raise ConfigurationError(
            f"The records have no column {', '.join(ident(name) for name in missing)}",
            "Correct the name",
        )
    # DuckDB does not tell upper from lower case, so neither may this.
    names = [name.casefold() for name in by]
    if record_key.casefold() in names:
        raise ConfigurationError(
            f"The record key {ident(record_key)} is secret and cannot be a column of the table",
            "Leave it out",
        )
    if len(set(names)) != len(names) or {COUNT, STATUS} & set(names):
        raise ConfigurationError(
            f"A column is named twice, or is called {COUNT} or {STATUS}", "Rename it"
        )
    undeclared = [name for name in by if name not in domains]
    if undeclared:
        raise ConfigurationError(
            f"No values are declared for {', '.join(ident(name) for name in undeclared)}",
            "Declare all values that the column may have",
        )
