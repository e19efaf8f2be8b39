"""The one way to a DuckDB connection: memory, threads and spill folder always set.

Belongs here: connecting, the encryption extension, and running a statement so that a failure names
the table and never repeats a value. Does not belong here: any particular query.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.errors import StorageError

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


@contextmanager
def connect(
    *,
    spill: Path | None = None,
    limits: Limits | None = None,
    encryption: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB that may spill to disk within bounds.

    Parameters
    ----------
    spill : Path, optional
        Folder for temporary files: for record-level work one inside the restricted zone. Each
        connection has its own folder below it, removed when the connection closes.
    limits : Limits, optional
        Memory and threads; by default from the environment.
    encryption : bool
        Load the extension that writes encrypted Parquet.
    """
    import duckdb  # noqa: PLC0415

    limits = limits or limits_from_environment()
    own: Path | None = None
    config: dict[str, Any] = {
        "memory_limit": limits.memory,
        "threads": limits.threads,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "preserve_insertion_order": "true",
    }
    if spill is not None:
        spill.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = Path(tempfile.mkdtemp(prefix="spill-", dir=spill))
        config["temp_directory"] = str(own)
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute("SET enable_progress_bar = false")
        if encryption:
            extension = str(_encryption_extension()).replace("'", "''")
            connection.execute(f"LOAD '{extension}'")
        yield connection
    finally:
        connection.close()
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


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
