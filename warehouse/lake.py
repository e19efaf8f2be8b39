"""The Parquet lake: one file per table and period, whole or not there, with its provenance.

Belongs here: paths, atomic writes, encryption of the restricted zone, and the record beside each
file of what it was made from. The lake stands behind this one class, so that another store can take
its place. Does not belong here: queries.

A write goes to a temporary name in the same folder and then one rename. The state file beside it is
written after the rename and names the file's size and time: if a crash falls between the two, the
state does not fit the file, the partition counts as stale, and it is made again.

Each agreement's record-level tables have a key of their own. The state names the master key it was
derived from, so that what an earlier one wrote is still read.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from declarations.errors import StorageError
from warehouse.connection import add_key, run
from warehouse.kept_pseudonyms import kept_versions
from warehouse.key_ring import KeyRing, parquet_use
from warehouse.leftovers import temporary_beside
from warehouse.private import FILE_MODE, FOLDER_MODE, private_folder
from warehouse.sql import file_literal, literal

if TYPE_CHECKING:
    import duckdb

Zone = Literal["restricted", "linked", "quality", "reference"]
ENCRYPTED_ZONES: frozenset[str] = frozenset({"restricted"})
"""Record-level tables; every file in these zones is encrypted."""

OFFICERS_ZONE = "quality"
"""The one zone that the account's group may read: officers open the quality page there."""

UNPARTITIONED = "all"
ENCRYPTED_MARK = b"PARE"
"""The first bytes of an encrypted Parquet file (Parquet modular encryption, section 5.4)."""

_SOURCE_TABLES = ("admitted_", "located_")


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
    key, use : str
        In an encrypted zone the public name of the master key it was written with, and the use the
        key was derived for; else empty.
    pseudonyms : str
        Version of the key its pseudonyms were made with; empty where it has none.
    code_version, inputs : str
        As in the file's own metadata, which in an encrypted file can be read only with the key.
    """

    fingerprint: str
    rows: int
    absent: bool = False
    reason: str = ""
    size: int = 0
    mtime_ns: int = 0
    key: str = ""
    use: str = ""
    pseudonyms: str = ""
    code_version: str = ""
    inputs: str = ""


@dataclass(frozen=True)
class Partition:
    """One record-level file that is there, with its state if that fits."""

    table: TableRef
    period: str
    path: Path
    state: State | None


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
    agreements : mapping, optional
        The agreement of each source: its tables are encrypted with a key of that agreement.
        Any other record-level table has the region's own key.
    """

    def __init__(
        self, root: Path, keys: KeyRing, agreements: Mapping[str, str] | None = None
    ) -> None:
        self.root = root
        self._keys = keys
        self._agreements = dict(agreements or {})

    def path(self, table: TableRef, period: str = UNPARTITIONED) -> Path:
        """Return where a partition's file stands, or would stand."""
        return self.root / table.zone / table.name / f"{period}.parquet"

    def use_of(self, table: TableRef) -> str:
        """Return what the key of a record-level table is derived for."""
        prefix = next((p for p in _SOURCE_TABLES if table.name.startswith(p)), None)
        source = table.name.removeprefix(prefix) if prefix else ""
        return parquet_use(self.root.name, self._agreements.get(source))

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Give a connection those keys of the encrypted zones that this ring can derive."""
        agreements = [None, *sorted(set(self._agreements.values()))]
        for use in (parquet_use(self.root.name, name) for name in agreements):
            for fingerprint in self._keys.fingerprints:
                self._add_key(connection, use, fingerprint)

    def state(self, table: TableRef, period: str = UNPARTITIONED) -> State | None:
        """Return a partition's state, or None if it is missing, half written or was changed.

        An encrypted one also counts as missing if the key that wrote it is no longer known.
        """
        state = self._state_at(self.path(table, period))
        if state is None or state.absent or table.zone not in ENCRYPTED_ZONES:
            return state
        return state if state.key in self._keys.fingerprints else None

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
        pseudonyms: str = "",
    ) -> State:
        """Write the rows of a query as one partition, atomically, with its provenance.

        Parameters
        ----------
        connection : duckdb.DuckDBPyConnection
        query : str
            A SELECT; ordered, where the file must repeat byte for byte.
        inputs : iterable of str
            Names of what it was made from, kept in the file's metadata.
        pseudonyms : str
            Version of the key its pseudonyms were made with, if it has any.

        Returns
        -------
        State
        """
        path = self.path(table, period)
        private_folder(path.parent, _modes(table.zone)[0])
        encrypted = table.zone in ENCRYPTED_ZONES
        draft = State(
            fingerprint=fingerprint, rows=0, key=self._keys.fingerprint() if encrypted else "",
            use=self.use_of(table) if encrypted else "", pseudonyms=pseudonyms,
            code_version=code_version, inputs="; ".join(inputs),
        )  # fmt: skip
        temporary, state = self._copy(connection, table, period, query, draft)
        temporary.replace(path)
        self._write_state(path, asdict(state))
        return state

    def mark_absent(self, table: TableRef, period: str, *, fingerprint: str, reason: str) -> State:
        """Record that a partition rightly has no file, and remove one that is no longer right."""
        path = self.path(table, period)
        path.unlink(missing_ok=True)
        state = State(fingerprint=fingerprint, rows=0, absent=True, reason=reason)
        self._write_state(path, asdict(state))
        return state

    def forget(self, table: TableRef, period: str = UNPARTITIONED) -> None:
        """Let a partition count as stale: its file stays until it is made again."""
        self.path(table, period).with_suffix(".json").unlink(missing_ok=True)

    def scan(self, table: TableRef, periods: Iterable[str] = (UNPARTITIONED,)) -> str | None:
        """Return the SQL that reads the partitions that are there, or None if none is.

        For an encrypted table the connection must have been given the keys by ``attach``.

        Raises
        ------
        StorageError
            If the partitions hold pseudonyms of different keys, and nobody decided to keep them so.
        """
        found = {p: self.path(table, p) for p in periods}
        found = {period: path for period, path in found.items() if path.is_file()}
        if not found:
            return None
        # Not union_by_name: with encrypted files DuckDB 1.5 fails on it. Every partition of a table
        # is written with the same columns instead.
        if table.zone not in ENCRYPTED_ZONES:
            return _read_parquet(found.values())
        states = {period: self._state_at(path) for period, path in found.items()}
        self._check_pseudonyms(table, states)
        by_key: dict[str, list[Path]] = {}
        for period, path in found.items():
            by_key.setdefault(self._key_name(table, states[period]), []).append(path)
        reads = [_read_parquet(paths, name) for name, paths in by_key.items()]
        if len(reads) == 1:
            return reads[0]
        return f"({' UNION ALL '.join(f'SELECT * FROM {read}' for read in reads)})"

    def scan_file(self, path: Path) -> str:
        """Return the SQL that reads one Parquet file wherever it stands, encrypted or not."""
        with path.open("rb") as file:
            if file.read(len(ENCRYPTED_MARK)) != ENCRYPTED_MARK:
                return _read_parquet([path])
        table = TableRef("restricted", path.parent.name)
        return _read_parquet([path], self._key_name(table, self._state_at(path)))

    def encrypted_partitions(self) -> Iterator[Partition]:
        """Yield every record-level file that is there, in a stable order."""
        for zone in sorted(ENCRYPTED_ZONES):
            for path in sorted((self.root / zone).glob("*/*.parquet")):
                if not path.name.startswith("."):
                    # The zone's name is one of the literals: it comes from ENCRYPTED_ZONES.
                    table = TableRef("restricted", path.parent.name)
                    yield Partition(table, path.stem, path, self._state_at(path))

    def encrypt_again(self, connection: duckdb.DuckDBPyConnection, partition: Partition) -> bool:
        """Write a record-level file again under the current key; its rows and state stay.

        The old file stands until the new one is whole, and a state that fits either is written
        before the one replaces the other: a kill at any moment leaves a partition that is read.

        Returns
        -------
        bool
            Whether anything was done.

        Raises
        ------
        StorageError
            If the key it was written with is not known.
        """
        old, path = partition.state, partition.path
        if old is None or old.key == self._keys.fingerprint():
            return False
        self._keys.derive(old.use, old.key)
        for fingerprint in (old.key, self._keys.fingerprint()):
            self._add_key(connection, old.use, fingerprint)
        query = f"SELECT * FROM {_read_parquet([path], _name_of(old.use, old.key))}"
        draft = replace(old, key=self._keys.fingerprint())
        temporary, new = self._copy(connection, partition.table, partition.period, query, draft)
        if new.rows != old.rows:
            temporary.unlink()
            raise StorageError(
                f"{partition.table.name} {partition.period} does not hold the rows it should",
                "Run the region again with --force",
            )
        following = {name: getattr(new, name) for name in ("size", "mtime_ns", "key")}
        self._write_state(path, {**asdict(old), "next": following}, durable=True)
        temporary.replace(path)
        self._write_state(path, asdict(new), durable=True)
        return True

    def _copy(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: TableRef,
        period: str,
        query: str,
        draft: State,
    ) -> tuple[Path, State]:
        """Write a query's rows to a temporary file; return it, on the disk, and its state."""
        temporary = temporary_beside(self.path(table, period))
        metadata = ", ".join(
            f"{key}: {literal(value)}"
            for key, value in {
                "lsoalink_table": table.name,
                "lsoalink_period": period,
                "lsoalink_fingerprint": draft.fingerprint,
                "lsoalink_code_version": draft.code_version,
                "lsoalink_inputs": draft.inputs,
            }.items()
        )
        options = ["FORMAT parquet", "COMPRESSION zstd", f"KV_METADATA {{{metadata}}}"]
        if draft.use:
            # A ring that has not this key says so itself.
            self._keys.derive(draft.use, draft.key)
            self._add_key(connection, draft.use, draft.key)
            name = literal(_name_of(draft.use, draft.key))
            options.append(f"ENCRYPTION_CONFIG {{footer_key: {name}}}")
        sql = f"COPY ({query}) TO {literal(temporary)} ({', '.join(options)})"
        rows = run(connection, sql, table=table.name).fetchone()
        temporary.chmod(_modes(table.zone)[1])
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        facts = temporary.stat()
        written = int(rows[0]) if rows else 0
        return temporary, replace(
            draft, rows=written, size=facts.st_size, mtime_ns=facts.st_mtime_ns
        )

    def _state_at(self, path: Path) -> State | None:
        try:
            record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            states = [
                State(**{k: content[k] for k in State.__annotations__ if k in content})
                for content in (record, {**record, **record.get("next", {})})
            ]
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return None
        if states[0].absent:
            return None if path.exists() else states[0]
        try:
            facts = path.stat()
        except FileNotFoundError:
            return None
        here = (facts.st_size, facts.st_mtime_ns)
        return next((state for state in states if (state.size, state.mtime_ns) == here), None)

    def _key_name(self, table: TableRef, state: State | None) -> str:
        if state is None or not state.key:
            return _name_of(self.use_of(table), self._keys.fingerprint())
        return _name_of(state.use, state.key)

    def _add_key(self, connection: duckdb.DuckDBPyConnection, use: str, fingerprint: str) -> None:
        if self._keys.can_derive(use, fingerprint):
            add_key(
                connection, _name_of(use, fingerprint), self._keys.derive_text(use, fingerprint)
            )

    def _check_pseudonyms(self, table: TableRef, states: Mapping[str, State | None]) -> None:
        """Refuse to read two versions of pseudonyms as one table unless that was decided."""
        versions = {p: s.pseudonyms for p, s in states.items() if s is not None and s.pseudonyms}
        if len(set(versions.values())) < 2:
            return
        source = table.name.split("_", 1)[-1]
        kept = kept_versions(self.root)
        open_ones = {v for p, v in versions.items() if kept.get(f"{source}/{p}") != v}
        if len(open_ones) > 1:
            raise StorageError(
                f"The table {table.name} holds pseudonyms of {len(set(versions.values()))} keys",
                "Run the region again, so that it is made again with one",
            )

    def _write_state(self, path: Path, record: dict[str, Any], *, durable: bool = False) -> None:
        zone = path.relative_to(self.root).parts[0]
        private_folder(path.parent, _modes(zone)[0])
        write_atomically(
            path.with_suffix(".json"), json.dumps(record).encode(), mode=_modes(zone)[1],
            durable=durable,
        )  # fmt: skip


def _modes(zone: str) -> tuple[int, int]:
    """Return the modes of a zone's folders and files."""
    return (0o750, 0o640) if zone == OFFICERS_ZONE else (FOLDER_MODE, FILE_MODE)


def _name_of(use: str, fingerprint: str) -> str:
    """Return the name by which DuckDB knows a key: one for each use and master key."""
    return "k" + hashlib.sha256(f"{fingerprint}|{use}".encode()).hexdigest()[:24]


def _read_parquet(paths: Iterable[Path], key_name: str | None = None) -> str:
    listed = ", ".join(file_literal(p) for p in paths)
    if key_name is None:
        return f"read_parquet([{listed}])"
    return f"read_parquet([{listed}], encryption_config = {{footer_key: {literal(key_name)}}})"
