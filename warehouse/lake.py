"""The Parquet lake: one file per table and period, whole or not there, with its provenance.

Belongs here: paths, atomic writes, encryption of the restricted zone, and the record beside each
file of what it was made from. The lake stands behind this one class, so that another store can take
its place. Does not belong here: queries.

A write goes to a temporary name in the same folder and then one rename. The state file beside it is
written after the rename and names the file's size and time: if a crash falls between the two, the
state does not fit the file, the partition counts as stale, and it is made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from warehouse.connection import run
from warehouse.keys import KeyRing
from warehouse.leftovers import temporary_beside
from warehouse.sql import file_literal, literal

if TYPE_CHECKING:
    import duckdb

Zone = Literal["restricted", "linked", "quality", "reference"]
ENCRYPTED_ZONES: frozenset[str] = frozenset({"restricted"})
"""Record-level tables; every file in these zones is encrypted."""

UNPARTITIONED = "all"
_KEY_NAME = "lsoalink_lake"


@dataclass(frozen=True)
class TableRef:
    """A table of the lake: its zone and its name, which is also its Dagster asset's."""

    zone: Zone
    name: str


@dataclass(frozen=True)
class State:
    """What is known of one partition without opening it.

    Attributes
    ----------
    fingerprint : str
        What it was made from.
    rows : int
    absent : bool
        There is rightly no file, for the reason given (no delivery, or it was refused).
    reason : str
    size, mtime_ns : int
        Of the Parquet file; 0 where absent.
    """

    fingerprint: str
    rows: int
    absent: bool = False
    reason: str = ""
    size: int = 0
    mtime_ns: int = 0


def write_atomically(
    path: Path, content: bytes, *, mode: int = 0o644, durable: bool = True
) -> None:
    """Write a small file so that readers see the old one or the new one, never a part.

    Parameters
    ----------
    durable : bool
        Wait until it is on the disk. Not needed for what a run would make again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    with temporary.open("wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    temporary.replace(path)


class Lake:
    """Every table of one region.

    Parameters
    ----------
    root : Path
        The region's data folder, ``data/<region>``.
    keys : KeyRing
    """

    def __init__(self, root: Path, keys: KeyRing) -> None:
        self.root = root
        self._key = keys.derive_text(f"parquet:{root.name}")

    def path(self, table: TableRef, period: str = UNPARTITIONED) -> Path:
        """Return where a partition's file stands, or would stand."""
        return self.root / table.zone / table.name / f"{period}.parquet"

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Give a connection the key of the encrypted zones."""
        run(
            connection,
            f"PRAGMA add_parquet_key({literal(_KEY_NAME)}, {literal(self._key)})",
            table="restricted",
        )

    def state(self, table: TableRef, period: str = UNPARTITIONED) -> State | None:
        """Return a partition's state, or None if it is missing, half written or was changed."""
        path = self.path(table, period)
        try:
            record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            state = State(**{k: record[k] for k in State.__annotations__ if k in record})
        except (FileNotFoundError, ValueError, TypeError):
            return None
        if state.absent:
            return None if path.exists() else state
        try:
            facts = path.stat()
        except FileNotFoundError:
            return None
        return state if (facts.st_size, facts.st_mtime_ns) == (state.size, state.mtime_ns) else None

    def is_current(self, table: TableRef, period: str, fingerprint: str) -> bool:
        """Whether the partition is there and was made from exactly these inputs."""
        state = self.state(table, period)
        return state is not None and state.fingerprint == fingerprint

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: TableRef,
        query: str,
        *,
        period: str = UNPARTITIONED,
        fingerprint: str,
        inputs: Iterable[str] = (),
        code_version: str,
    ) -> State:
        """Write the rows of a query as one partition, atomically, with its provenance.

        Parameters
        ----------
        connection : duckdb.DuckDBPyConnection
        query : str
            A SELECT; ordered, where the file must repeat byte for byte.
        inputs : iterable of str
            Names of what it was made from, kept in the file's metadata.

        Returns
        -------
        State
        """
        path = self.path(table, period)
        encrypted = table.zone in ENCRYPTED_ZONES
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if encrypted else 0o755)
        temporary = temporary_beside(path)
        metadata = ", ".join(
            f"{key}: {literal(value)}"
            for key, value in {
                "lsoalink_table": table.name,
                "lsoalink_period": period,
                "lsoalink_fingerprint": fingerprint,
                "lsoalink_code_version": code_version,
                "lsoalink_inputs": "; ".join(inputs),
            }.items()
        )
        options = ["FORMAT parquet", "COMPRESSION zstd", f"KV_METADATA {{{metadata}}}"]
        if encrypted:
            self.attach(connection)
            options.append(f"ENCRYPTION_CONFIG {{footer_key: {literal(_KEY_NAME)}}}")
        sql = f"COPY ({query}) TO {literal(temporary)} ({', '.join(options)})"
        rows = run(connection, sql, table=table.name).fetchone()
        if encrypted:
            temporary.chmod(0o600)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        facts = path.stat()
        state = State(
            fingerprint=fingerprint, rows=int(rows[0]) if rows else 0, size=facts.st_size,
            mtime_ns=facts.st_mtime_ns,
        )  # fmt: skip
        self._write_state(path, state)
        return state

    def mark_absent(self, table: TableRef, period: str, *, fingerprint: str, reason: str) -> State:
        """Record that a partition rightly has no file, and remove one that is no longer right."""
        path = self.path(table, period)
        path.unlink(missing_ok=True)
        state = State(fingerprint=fingerprint, rows=0, absent=True, reason=reason)
        self._write_state(path, state)
        return state

    def scan(self, table: TableRef, periods: Iterable[str] = (UNPARTITIONED,)) -> str | None:
        """Return the SQL that reads the partitions that are there, or None if none is.

        For an encrypted table the connection must have been given the key by ``attach``.
        """
        paths = [p for p in (self.path(table, period) for period in periods) if p.is_file()]
        if not paths:
            return None
        listed = ", ".join(file_literal(p) for p in paths)
        # Not union_by_name: with encrypted files DuckDB 1.5 fails on it. Every partition of a table
        # is written with the same columns instead.
        options = ""
        if table.zone in ENCRYPTED_ZONES:
            options = f", encryption_config = {{footer_key: {literal(_KEY_NAME)}}}"
        return f"read_parquet([{listed}]{options})"

    def _write_state(self, path: Path, state: State) -> None:
        record: dict[str, Any] = asdict(state)
        write_atomically(path.with_suffix(".json"), json.dumps(record).encode(), durable=False)
