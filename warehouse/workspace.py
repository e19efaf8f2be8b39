"""A region's declarations together with the folder its data lives in.

Belongs here: paths, the region's calendar and clock, and `build`, by which every table of the lake
is made: current ones are left alone, others are made whole.
Does not belong here: how a table is made (each room's own functions) or when (``pipelines/``).
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from declarations.base import month_index, month_of, months_between, period_of
from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError, StorageError
from warehouse.connection import Limits, connect, limits_from_environment
from warehouse.keys import KeyRing
from warehouse.lake import ENCRYPTED_ZONES, OFFICERS_ZONE, UNPARTITIONED, Lake, TableRef
from warehouse.private import FILE_MODE, FOLDER_MODE
from warehouse.provenance import code_version

if TYPE_CHECKING:
    import duckdb

PRIVATE_ZONES = (
    "received", "restricted", "reference", "linked", "quality", "audit", "candidates", "approvals",
    "governance", "quarantine", "ledger",
)  # fmt: skip
"""Folders of a region's data that only the platform's own account may enter; the account's group
may read the officers' zone among them."""

progress = logging.getLogger("lsoalink.progress")
"""Says what was built: table, partition, rows, seconds. Never a value."""


@dataclass(frozen=True)
class Absent:
    """What a producer returns where there is rightly nothing to write."""

    reason: str


@dataclass(frozen=True)
class Kept:
    """Says that a partition stays as it stands, though it cannot be made again.

    What it was made from was disposed of, as agreed; its own time has not come, or it went too.
    """

    reason: str


@dataclass(frozen=True)
class Built:
    """What became of one partition.

    Attributes
    ----------
    outcome : {"built", "current", "absent"}
    rows : int
    reason : str
        Why it is absent; empty otherwise.
    seconds : float
    fingerprint : str
    """

    table: TableRef
    period: str
    outcome: Literal["built", "current", "absent"]
    rows: int
    fingerprint: str
    reason: str = ""
    seconds: float = 0.0


Producer = Callable[["duckdb.DuckDBPyConnection"], "str | Absent | Kept"]


def _produced(
    produce: Producer, connection: duckdb.DuckDBPyConnection, table: TableRef
) -> str | Absent | Kept:
    """Call a producer; of an error of DuckDB's only its kind goes on, for its text quotes cells."""
    import duckdb  # noqa: PLC0415

    try:
        return produce(connection)
    except duckdb.Error as error:
        raise StorageError(
            f"The table {table.name} could not be made ({type(error).__name__})",
            "Run again; if it repeats, report it with the source's declaration",
        ) from None


@dataclass(frozen=True)
class Workspace:
    """Where one region is worked on.

    Parameters
    ----------
    declared : RegionDeclarations
    data_dir : Path
        The installation's data folder; the region's own is ``<data_dir>/<region id>``.
    landing : Path
        The folder agencies deliver to, one folder a source.
    keys : KeyRing
    open_data : Path, optional
        Folder of published files, for sources that name ``open_data``.
    limits : Limits, optional
        Memory and threads of each DuckDB connection.
    """

    declared: RegionDeclarations
    data_dir: Path
    landing: Path
    keys: KeyRing = field(repr=False)
    open_data: Path | None = None
    limits: Limits | None = None

    @property
    def root(self) -> Path:
        """The region's data folder."""
        return self.data_dir / self.declared.region.id

    def prepare(self) -> None:
        """Make the region's folders, each readable by those it is for.

        Releases are for whoever may enter the data folder; everything else is for the account that
        runs the platform alone.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711)
        for zone in PRIVATE_ZONES:
            folder = self.root / zone
            folder.mkdir(exist_ok=True)
            folder.chmod(0o750 if zone == OFFICERS_ZONE else FOLDER_MODE)

    def tighten(self) -> None:
        """Take away what a loose umask gave others in the private zones.

        Candidates are left as they are, behind a folder nobody else may enter: approved, they are
        published by a rename, with modes for readers.
        """
        for zone in PRIVATE_ZONES:
            allowed = 0o750 if zone == OFFICERS_ZONE else FOLDER_MODE | FILE_MODE
            if zone == "candidates":
                continue
            for path in (self.root / zone).rglob("*"):
                if path.is_symlink():
                    continue
                try:
                    mode = path.stat().st_mode & 0o777
                    if mode & ~allowed:
                        path.chmod(mode & allowed)
                except FileNotFoundError:
                    # Another process's temporary file has become what it was written for.
                    continue

    @cached_property
    def lake(self) -> Lake:
        """The region's Parquet lake, with a key for each agreement's record-level tables."""
        agreements = {source.id: source.agreement for source in self.declared.sources.values()}
        return Lake(self.root, self.keys, agreements)

    @property
    def code_version(self) -> str:
        """The version of the code, as it enters fingerprints."""
        return code_version()

    @property
    def spill(self) -> Path:
        """Where DuckDB may write temporary files: inside the restricted zone."""
        return self.root / "restricted" / ".spill"

    def today(self) -> dt.date:
        """The day it is for this region: the real one, or where a synthetic calendar stands."""
        return self.declared.region.as_of or dt.date.today()

    def calendar(self) -> list[str]:
        """Every month from the region's first to its last, or to the month before today's."""
        region = self.declared.region
        last = region.last_period or month_of(month_index(period_of(self.today())) - 1)
        return months_between(region.first_period, last)

    def expected_periods(self, source: Source) -> list[str]:
        """The months a source has or should have delivered for; ``["all"]`` for a 'once' source.

        From the source's first period to its last (or the region's), every one, three or twelve
        months.
        """
        if source.cadence == "once":
            return [UNPARTITIONED]
        calendar = self.calendar()
        first = source.first_period or self.declared.region.first_period
        last = source.last_period
        return [
            p
            for p in calendar
            if p >= first
            and (last is None or p <= last)
            and (month_index(p) - month_index(first)) % source.months == 0
        ]

    def folder_of(self, source: Source) -> Path:
        """The folder in which a source's files are looked for."""
        if source.open_data is None:
            return self.landing / source.id
        if self.open_data is None:
            raise ConfigurationError(
                f"Source {source.id} reads {source.open_data} from the open-data folder, and none "
                "was given",
                "Add --open-data FOLDER, or set LSOALINK_OPEN_DATA",
            )
        return self.open_data / source.open_data

    @contextmanager
    def connect(self, *, encryption: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a bounded in-memory DuckDB; with ``encryption`` it reads and writes restricted."""
        with connect(spill=self.spill, limits=self.limits, encryption=encryption) as connection:
            if encryption:
                self.lake.attach(connection)
            yield connection

    def state_of(self, table: TableRef, period: str = UNPARTITIONED) -> str:
        """The fingerprint under which a partition stands, or ``"missing"``."""
        state = self.lake.state(table, period)
        return state.fingerprint if state else "missing"

    def for_each(
        self, periods: Sequence[str], work: Callable[[Workspace, str], Built]
    ) -> list[Built]:
        """Do the same work for several periods, as many at a time as there are threads.

        Deliveries are mostly small, so that a thread each serves better than several threads in one
        query. All of them share one DuckDB instance and its memory limit. If one fails, the others
        already begun are finished and the error is raised.
        """
        limits = self.limits or limits_from_environment()
        if len(periods) < 2 or limits.threads < 2:
            return [work(self, period) for period in periods]
        single = replace(self, limits=replace(limits, threads=1))
        # One more than there are threads: each waits for the disk some of its time.
        with ThreadPoolExecutor(limits.threads + 1) as pool:
            return list(pool.map(lambda period: work(single, period), periods))

    def build(
        self,
        table: TableRef,
        *,
        period: str = UNPARTITIONED,
        fingerprint: str,
        produce: Producer,
        inputs: Iterable[str] = (),
        encryption: bool = False,
        pseudonyms: str = "",
        kept: Kept | None = None,
    ) -> Built:
        """Make one partition unless it is current.

        Parameters
        ----------
        fingerprint : str
            Over everything the result depends on.
        produce : callable
            Given a connection, returns the SELECT to store, or `Absent`.
        encryption : bool
            The producer reads restricted tables (writing them implies it).
        pseudonyms : str
            Version of the key of the table's pseudonyms, if it has any.
        kept : Kept, optional
            The partition stays as it stands whatever it depends on; a producer may return the same.

        Returns
        -------
        Built
        """
        state = self.lake.state(table, period)
        if state is not None and state.fingerprint == fingerprint:
            outcome: Literal["current", "absent"] = "absent" if state.absent else "current"
            return _told(Built(table, period, outcome, state.rows, fingerprint, state.reason))
        if kept is not None:
            return self._keep(table, period, fingerprint, kept)
        started = time.perf_counter()
        with self.connect(encryption=encryption or table.zone in ENCRYPTED_ZONES) as connection:
            query = _produced(produce, connection, table)
            if isinstance(query, Kept):
                return self._keep(table, period, fingerprint, query)
            if isinstance(query, Absent):
                self.lake.mark_absent(table, period, fingerprint=fingerprint, reason=query.reason)
                return _told(Built(table, period, "absent", 0, fingerprint, query.reason))
            state = self.lake.write(
                connection, table, query, period=period, fingerprint=fingerprint, inputs=inputs,
                code_version=self.code_version, pseudonyms=pseudonyms,
            )  # fmt: skip
        seconds = time.perf_counter() - started
        return _told(Built(table, period, "built", state.rows, fingerprint, "", seconds))

    def _keep(self, table: TableRef, period: str, fingerprint: str, kept: Kept) -> Built:
        """Leave a partition alone: neither its file nor its state changes."""
        state = self.lake.state(table, period)
        if state is None and not self.lake.path(table, period).is_file():
            state = self.lake.mark_absent(
                table, period, fingerprint=fingerprint, reason=kept.reason
            )
        if state is None:
            # Its state was lost, and what it was made from is gone: better an old table than none.
            return _told(Built(table, period, "current", 0, fingerprint, kept.reason))
        outcome: Literal["current", "absent"] = "absent" if state.absent else "current"
        reason = state.reason or kept.reason
        return _told(Built(table, period, outcome, state.rows, state.fingerprint, reason))


def _told(built: Built) -> Built:
    """Log what became of a partition, for whoever shows progress."""
    progress.info(
        "%s %s: %s, %d rows, %.2f s",
        built.table.name,
        built.period,
        built.outcome,
        built.rows,
        built.seconds,
        extra={"built": built},
    )
    return built
