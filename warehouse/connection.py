"""The one way to a DuckDB connection: memory, threads and spill folder always set.

Belongs here: connecting, the encryption extension, and running a statement so that a failure names
the table and never repeats a value. Does not belong here: any particular query.
"""

from __future__ import annotations

import atexit
import importlib.util
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.errors import StorageError
from warehouse.leftovers import SPILL_PREFIX, sweep
from warehouse.sql import literal

if TYPE_CHECKING:
    import duckdb

STORAGE_VERSION = "v1.4.0"
"""Written into every DuckDB file, so that analysts' older clients can open it."""


@dataclass(frozen=True)
class Limits:
    """What a connection may use.

    Attributes
    ----------
    memory : str
        DuckDB's memory limit, for example ``"1GB"``.
    threads : int
    """

    memory: str = "1GB"
    threads: int = 2


def limits_from_environment() -> Limits:
    """Read ``LSOALINK_MEMORY`` and ``LSOALINK_THREADS``, else 1 GB and at most four cores."""
    cores = min(4, os.cpu_count() or 1)
    threads = os.environ.get("LSOALINK_THREADS", "")
    return Limits(
        memory=os.environ.get("LSOALINK_MEMORY", "1GB"),
        threads=int(threads) if threads.isdigit() and int(threads) > 0 else cores,
    )


def _encryption_extension() -> Path:
    """Return the path of the httpfs extension: DuckDB writes encrypted files only with it."""
    spec = importlib.util.find_spec("duckdb_extension_httpfs")
    if spec is None or not spec.submodule_search_locations:
        raise StorageError(
            "The package duckdb-extension-httpfs is not installed, so record-level tables cannot "
            "be encrypted",
            "Install it from requirements.lock",
        )
    import duckdb  # noqa: PLC0415

    root = Path(next(iter(spec.submodule_search_locations)))
    path = root / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
    if not path.is_file():
        raise StorageError(
            f"The encryption extension does not match DuckDB {duckdb.__version__}",
            "Install both from requirements.lock",
        )
    return path


class _Engine:
    """One DuckDB instance of this process, shared by connections that are open one after another.

    Starting an instance and loading the extension costs 50 ms, more than most of our statements.
    Each connection works in a database of its own that is detached when it closes, so that no table
    outlives it.
    """

    def __init__(self, spill: Path | None, limits: Limits, encryption: bool) -> None:
        import duckdb  # noqa: PLC0415

        self.folder: Path | None = None
        self.keys: set[str] = set()
        config: dict[str, Any] = {
            "memory_limit": limits.memory,
            "threads": limits.threads,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        if spill is not None:
            spill.mkdir(parents=True, exist_ok=True, mode=0o700)
            sweep(spill)
            self.folder = Path(tempfile.mkdtemp(prefix=f"{SPILL_PREFIX}{os.getpid()}-", dir=spill))
            config["temp_directory"] = str(self.folder)
        self.root = duckdb.connect(":memory:", config=config)
        self.root.execute("SET enable_progress_bar = false")
        if encryption:
            self.root.execute(f"LOAD {literal(_encryption_extension())}")
            self.root.execute("SET temp_file_encryption = true")

    def close(self) -> None:
        self.root.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


_engines_lock = threading.Lock()
_numbers = itertools.count(1)
_engines: dict[tuple[Path | None, Limits, bool, int], _Engine] = {}
_in_use: dict[int, _Engine] = {}
"""The instance of each open connection, by the connection's identity."""


def _close_engines() -> None:
    for key in list(_engines):
        engine = _engines.pop(key)
        if key[3] == os.getpid():
            engine.close()


atexit.register(_close_engines)


@contextmanager
def connect(
    *,
    spill: Path | None = None,
    limits: Limits | None = None,
    encryption: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty in-memory DuckDB that may spill to disk within bounds.

    Parameters
    ----------
    spill : Path, optional
        Folder for temporary files: for record-level work one inside the restricted zone. Each
        process has its own folder below it, removed when it ends; what a killed process left is
        removed by the next one.
    limits : Limits, optional
        Memory and threads; by default from the environment.
    encryption : bool
        Load the extension that reads and writes encrypted Parquet; temporary files are then
        encrypted too.
    """
    limits = limits or limits_from_environment()
    key = (spill, limits, encryption, os.getpid())
    with _engines_lock:
        engine = _engines.get(key)
        if engine is None or (engine.folder is not None and not engine.folder.exists()):
            engine = _engines[key] = _Engine(spill, limits, encryption)
        connection = engine.root.cursor()
    name = f"work_{next(_numbers)}"
    _in_use[id(connection)] = engine
    try:
        connection.execute(f"ATTACH ':memory:' AS {name}")
        connection.execute(f"USE {name}")
        yield connection
    except BaseException as error:
        if type(error).__name__ in {"InternalException", "FatalException"}:
            # The instance is not to be trusted after this; the next connection starts a new one.
            _engines.pop(key, None)
        raise
    finally:
        _detach(connection, name)
        _in_use.pop(id(connection), None)
        connection.close()


def add_key(connection: duckdb.DuckDBPyConnection, name: str, key: str) -> None:
    """Give a connection a key of encrypted files under a name.

    Keys belong to the instance, so one that an earlier connection gave is not given again. A name
    must therefore stand for one key for good.
    """
    engine = _in_use.get(id(connection))
    if engine is not None and name in engine.keys:
        return
    run(connection, f"PRAGMA add_parquet_key({literal(name)}, {literal(key)})", table="restricted")
    if engine is not None:
        engine.keys.add(name)


def _detach(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    import duckdb  # noqa: PLC0415

    with suppress(duckdb.Error):
        # After a fatal error nothing can be detached; the instance is dropped instead.
        connection.execute("USE memory")
        connection.execute(f"DETACH {name}")


def share(
    connection: duckdb.DuckDBPyConnection, view: str, mark: str, select: str, *, table: str
) -> None:
    """Give a connection a view of a table that all connections of the process share.

    For lookups that many small pieces of work need: they are loaded once, not once a piece. The
    table lives in the instance's own memory, under the instance's limit, until the process ends.

    Parameters
    ----------
    view : str
        Name of the view on this connection.
    mark : str
        What the table is made from, as a fingerprint: another mark is another table.
    select : str
        The SELECT that makes it.
    """
    name = f'memory.main."{view}_{mark}"'
    with _engines_lock:
        run(connection, f"CREATE TABLE IF NOT EXISTS {name} AS {select}", table=table)
    run(connection, f'CREATE TEMP VIEW "{view}" AS SELECT * FROM {name}', table=table)


def run(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Sequence[Any] | None = None,
    *,
    table: str,
) -> duckdb.DuckDBPyConnection:
    """Execute one statement; a failure names the table and the kind of error, never a value.

    DuckDB's own messages quote the cells they choke on, so they are not passed on.

    Raises
    ------
    StorageError
    """
    import duckdb  # noqa: PLC0415

    try:
        return connection.execute(sql, parameters) if parameters else connection.execute(sql)
    except duckdb.OutOfMemoryException:
        raise StorageError(
            f"The table {table} needs more memory than the limit allows",
            "Raise LSOALINK_MEMORY, for example to 4GB",
        ) from None
    except duckdb.Error as error:
        raise StorageError(
            f"The table {table} could not be made ({type(error).__name__})"
        ) from None
