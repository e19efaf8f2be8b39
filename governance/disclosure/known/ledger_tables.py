"""The tables of the ledger: their columns, their one canonical form, and fingerprints of counts.

Belongs here: what a release hands to the ledger and gets back from it, checked and put into one
order, so that equal content has an equal hash whatever wrote it. Does not belong here: the files
and their chain (``ledger.py``).

No table holds a count. A cell holds what everybody can conclude from the value that was published;
a token tells whether two versions of a delivery agree in a neighbourhood, and no more to whoever
lacks the key.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from declarations.errors import StorageError
from warehouse.key_ring import KeyRing

if TYPE_CHECKING:
    import pyarrow as pa

FINGERPRINT_USE = "ledger-tokens"
TOKEN_BYTES = 16
TERMS = ("numerator", "denominator")
STATUSES = ("published", "hidden", "coarsened")
_AREA_DIGITS = 16

_TEXT, _WHOLE, _BYTES = "text", "whole", "bytes"
COLUMNS: dict[str, dict[str, str]] = {
    "definitions": {
        "definition_id": _TEXT, "indicator_id": _TEXT, "term": _TEXT, "geography_type": _TEXT,
        "period_start": _TEXT, "period_end": _TEXT,
    },
    "definition_parts": {
        "definition_id": _TEXT, "source_id": _TEXT, "measure": _TEXT, "category": _TEXT,
        "period": _TEXT, "state": _TEXT,
    },
    "cells": {
        "definition_id": _TEXT, "area_code": _TEXT, "area_id": _TEXT, "lower": _WHOLE,
        "upper": _WHOLE, "profile": _TEXT, "status": _TEXT,
    },
    "members": {"area_code": _TEXT, "area_id": _TEXT, "lsoa21cd": _TEXT},
    "tokens": {
        "source_id": _TEXT, "period": _TEXT, "state": _TEXT, "lsoa21cd": _TEXT, "token": _BYTES,
    },
}  # fmt: skip
"""Columns of each table. ``area_id`` is made here and need not be given."""

_COUNTED = ("source_id", "period", "lsoa21cd", "measure", "category", "value")

_MAY_BE_NULL = frozenset({("cells", "upper"), ("definition_parts", "category")})


@dataclass(frozen=True)
class LedgerTables:
    """What a release says, and how it hangs together (arrow tables).

    Attributes
    ----------
    definitions : Table
        ``definition_id`` (hash of what it counts), ``indicator_id``, ``term``, ``geography_type``,
        ``period_start``, ``period_end``.
    definition_parts : Table
        ``definition_id, source_id, measure, category, period, state`` (fingerprint of the counts).
    cells : Table
        ``definition_id, area_code, lower, upper`` (NULL: without bound), ``profile, status``.
    members : Table
        ``area_code, lsoa21cd``, for areas that are no neighbourhood themselves.
    tokens : Table
        ``source_id, period, state, lsoa21cd, token``; see `tokens`.

    As read from the ledger each has ``release_id`` too, the first release that said it, and areas
    have an ``area_id``: the code alone, or the code and a hash of the members. A ward or an own
    area that was drawn anew under its old code is thus another area; join by ``area_id``.
    """

    definitions: pa.Table
    definition_parts: pa.Table
    cells: pa.Table
    members: pa.Table
    tokens: pa.Table

    def items(self) -> Iterator[tuple[str, pa.Table]]:
        """Return names and tables."""
        for field in fields(self):
            yield field.name, getattr(self, field.name)


def empty_tables(*, with_release: bool = False) -> LedgerTables:
    """Return the tables without a row."""
    more = {"release_id": _TEXT} if with_release else {}
    return LedgerTables(
        **{name: _schema({**columns, **more}).empty_table() for name, columns in COLUMNS.items()}
    )


def canonical(tables: LedgerTables) -> LedgerTables:
    """Return the tables with exactly their columns, without doubles, sorted and checked.

    Raises
    ------
    StorageError
        If a column is missing or of another kind, a cell's bounds cross, a status or term is
        unknown, or a cell or part names a definition that is not there.
    """
    identities = _area_ids(_typed("members", tables.members))
    whole = LedgerTables(
        **{name: _ordered(_typed(name, table, identities)) for name, table in tables.items()}
    )
    _check(whole)
    return whole


def content_hash(table: pa.Table) -> str:
    """Return the hash of a canonical table: of its values, not of how a file holds them."""
    import numpy as np  # noqa: PLC0415 - heavy
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    hasher = hashlib.sha256(f"{table.num_rows}".encode())
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        missing = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))
        hasher.update(f"|{name}|{len(missing)}|".encode())
        hasher.update(missing.astype("<i8").tobytes())
        if pa.types.is_integer(column.type):
            hasher.update(column.fill_null(0).to_numpy().astype("<i8").tobytes())
            continue
        filled = column.cast(pa.large_binary()).fill_null(b"")
        hasher.update(pc.binary_length(filled).to_numpy().astype("<i8").tobytes())
        _, offsets, data = filled.buffers()
        ends = np.frombuffer(offsets, np.int64)[filled.offset : filled.offset + len(filled) + 1]
        if len(filled) and data is not None:
            hasher.update(memoryview(data)[ends[0] : ends[-1]])
    return hasher.hexdigest()


def first_said(tables: Iterable[tuple[str, pa.Table]]) -> pa.Table | None:
    """Join tables of releases, in order; of equal rows the first stays, with its release."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    releases: list[str] = []
    joined: pa.Table | None = None
    for release_id, table in tables:
        number = pa.array([len(releases)] * table.num_rows, pa.int64())
        releases.append(release_id)
        more = table.append_column("number", number)
        columns = table.column_names
        both = more if joined is None else pa.concat_tables([joined, more])
        joined = both.group_by(columns).aggregate([("number", "min")])
        joined = joined.select([*columns, "number_min"]).rename_columns([*columns, "number"])
    if joined is None:
        return None
    joined = joined.sort_by([(name, "ascending") for name in ("number", *joined.column_names[:-1])])
    first = pa.array(releases, pa.string()).take(joined.column("number").combine_chunks())
    return joined.drop_columns(["number"]).append_column("release_id", first)


def token_secret(keys: KeyRing) -> bytes:
    """Return the key tokens are made with, which no new master key changes.

    Raises
    ------
    StorageError
        If the ring may not derive it.
    """
    return keys.lasting_key(FINGERPRINT_USE)


def tokens(
    counts: Any, secret: bytes, *, areas: Iterable[str], source_id: str, period: str, state: str
) -> pa.Table:
    """Make the keyed fingerprint of each neighbourhood's counts in one delivery.

    HMAC-SHA-256 (RFC 2104), cut to 16 bytes, over source, period, neighbourhood and the sorted
    measures and categories with their counts. Rows of 0 are left out, so it does not matter whether
    a delivery has them; a count that is NULL is not the same as none.

    Parameters
    ----------
    counts : arrow table or DuckDB relation
        ``lsoa21cd, measure, category, value``; rows of one category are summed. Rows without a
        neighbourhood are left out.
    secret : bytes
        Of `token_secret`.
    areas : iterable of str
        Every ``lsoa21cd`` of the region: those without rows have a token too, or its absence would
        say that nothing was counted there.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    table = counts if isinstance(counts, pa.Table) else counts.to_arrow_table()
    _require("counts", table, ("lsoa21cd", "measure", "category", "value"))
    table = table.select(["lsoa21cd", "measure", "category", "value"])
    for name, text in (("source_id", source_id), ("period", period)):
        table = table.append_column(name, pa.array([text] * table.num_rows, pa.string()))
    delivery = (source_id, period)
    made = tokens_of_deliveries(table, secret, areas=areas, deliveries=[delivery])[delivery]
    count = len(made)
    return pa.table(
        {
            "source_id": [source_id] * count, "period": [period] * count, "state": [state] * count,
            "lsoa21cd": [*made], "token": [*made.values()],
        },
        schema=_schema(COLUMNS["tokens"]),
    )  # fmt: skip


def tokens_of_deliveries(
    counts: pa.Table,
    secret: bytes,
    *,
    areas: Iterable[str],
    deliveries: Iterable[tuple[str, str]],
) -> dict[tuple[str, str], dict[str, bytes]]:
    """Make the fingerprints that `tokens` makes, for many deliveries in one pass.

    Parameters
    ----------
    counts : arrow table
        ``source_id, period, lsoa21cd, measure, category, value``.
    secret, areas
        As of `tokens`.
    deliveries : iterable of (str, str)
        Source and period of each delivery, also of those without a row.

    Returns
    -------
    dict of (str, str) to dict of str to bytes
        By source and period, then by place, sorted.
    """
    _require("counts", counts, _COUNTED)
    summed = counts.group_by([*_COUNTED[:-1]]).aggregate(
        [("value", "sum"), ("value", "count", _nulls())]
    )
    columns = [summed.column(n).to_pylist() for n in (*_COUNTED[:-1], *summed.column_names[-2:])]
    rows: defaultdict[tuple[str, str], defaultdict[str, list[tuple[str, str, str]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for source, period, place, measure, category, total, nulls in zip(*columns, strict=True):
        if place is not None and (nulls or total):
            known = "" if total is None else _number(total)
            rows[source, period][place].append((measure, category or "", f"{known}{'?' * nulls}"))
    everywhere = set(areas)
    keyed, text_of = _Keyed(secret), cache(_json)
    nothing = _json([])
    made: dict[tuple[str, str], dict[str, bytes]] = {}
    for delivery in deliveries:
        held = {place: text_of(tuple(sorted(found))) for place, found in rows[delivery].items()}
        opening = _json(delivery).removesuffix("]")
        made[delivery] = {
            place: keyed.token(f"{opening},{text_of(place)},{held.get(place, nothing)}]")
            for place in sorted(everywhere | held.keys())
        }
    return made


def _number(total: float) -> str:
    return str(int(total) if total == int(total) else total)


class _Keyed:
    """HMAC-SHA-256 (RFC 2104) with one key, whose two halves are hashed once for all texts."""

    def __init__(self, secret: bytes) -> None:
        block = hashlib.sha256().block_size
        key = hashlib.sha256(secret).digest() if len(secret) > block else secret
        padded = key.ljust(block, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def token(self, text: str) -> bytes:
        """Return the first bytes of a text's code."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.digest()[:TOKEN_BYTES]


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _nulls() -> Any:
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    return pc.CountOptions(mode="only_null")


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    kinds = {_TEXT: pa.string(), _WHOLE: pa.int64(), _BYTES: pa.binary(TOKEN_BYTES)}
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _require(name: str, table: pa.Table, columns: Iterable[str]) -> None:
    missing = [c for c in columns if c not in table.column_names]
    if missing:
        raise StorageError(
            f"The table {name} for the ledger lacks {', '.join(missing)}",
            "Give every column the ledger keeps",
        )


def _typed(name: str, table: pa.Table, identities: Mapping[str, str] | None = None) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    columns = dict(COLUMNS[name])
    if columns.pop("area_id", None) is not None and identities is not None:
        _require(name, table, columns)
        codes = table.column("area_code").to_pylist()
        own = pa.array([identities.get(c, c) for c in codes], pa.string())
        rest = table.drop_columns(["area_id"]) if "area_id" in table.column_names else table
        table, columns = rest.append_column("area_id", own), COLUMNS[name]
    _require(name, table, columns)
    made = []
    for column, kind in columns.items():
        values = table.column(column)
        if kind == _WHOLE and pa.types.is_floating(values.type):
            values = pc.if_else(pc.is_finite(values), values, None)
        made.append(values)
    schema = _schema(columns)
    try:
        typed = pa.table(made, names=list(columns)).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise StorageError(
            f"A column of the table {name} for the ledger is not of the kind the ledger keeps",
            "Give texts as texts, bounds as whole numbers and tokens of 16 bytes",
        ) from None
    for column in columns:
        if typed.column(column).null_count and (name, column) not in _MAY_BE_NULL:
            raise StorageError(f"Column {column} of the table {name} for the ledger has gaps")
    return typed.combine_chunks()


def _ordered(table: pa.Table) -> pa.Table:
    columns = table.column_names
    single = table.group_by(columns, use_threads=False).aggregate([]).select(columns)
    return single.sort_by([(name, "ascending") for name in columns]).combine_chunks()


def _area_ids(members: pa.Table) -> dict[str, str]:
    """Name each area by its code and its members."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    codes, places = (members.column(c).to_pylist() for c in ("area_code", "lsoa21cd"))
    for code, place in zip(codes, places, strict=True):
        found[code].add(place)
    return {
        code: f"{code}~{hashlib.sha256(','.join(sorted(p)).encode()).hexdigest()[:_AREA_DIGITS]}"
        for code, p in found.items()
    }


def _check(tables: LedgerTables) -> None:
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    cells = tables.cells
    crossed = pc.or_(
        pc.less(cells.column("lower"), 0),
        pc.fill_null(pc.less(cells.column("upper"), cells.column("lower")), False),
    )
    if pc.any(crossed).as_py():
        raise StorageError(
            "A cell for the ledger has a negative lower bound, or an upper one below it",
            "Take bounds from the profile the value was published under",
        )
    for name, column, allowed in (("cells", "status", STATUSES), ("definitions", "term", TERMS)):
        found = set(getattr(tables, name).column(column).unique().to_pylist())
        if found - set(allowed):
            raise StorageError(
                f"Column {column} of the table {name} for the ledger holds another word than "
                f"{', '.join(allowed)}"
            )
    known = set(tables.definitions.column("definition_id").to_pylist())
    if len(known) != tables.definitions.num_rows:
        raise StorageError("One definition_id stands for two definitions in what is released")
    for name in ("cells", "definition_parts"):
        named = set(getattr(tables, name).column("definition_id").unique().to_pylist())
        if named - known:
            raise StorageError(
                f"The table {name} for the ledger names a definition that is not there",
                "Give the definitions of everything that is released",
            )
