"""The one connection: bounded, private, and silent about values."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from declarations.errors import GeographyError, StorageError
from warehouse.connection import Limits, connect, limits_from_environment, run
from warehouse.leftovers import SPILL_PREFIX
from warehouse.sql import ident, literal

SMALL = Limits("200MB", 1)
VALUE = "9998887771-Quillfeather"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(limits=SMALL) as connection:
        yield connection


def setting(con: duckdb.DuckDBPyConnection, name: str) -> str:
    row = con.execute("SELECT current_setting(?)", [name]).fetchone()
    return str(row[0]) if row else ""


def test_memory_and_threads_are_limited() -> None:
    with connect(limits=Limits("300MB", 1)) as con:
        assert setting(con, "threads") == "1"
        assert setting(con, "memory_limit") == "286.1 MiB"  # 300 million bytes
        assert setting(con, "autoinstall_known_extensions") == "False"
        assert setting(con, "autoload_known_extensions") == "False"


def test_what_does_not_fit_is_refused_in_words() -> None:
    sql = "CREATE TABLE big AS SELECT i, repeat('x', 500) || i AS t FROM range(400000) r(i)"
    with connect(limits=Limits("20MB", 1)) as con:
        con.execute("SET max_temp_directory_size = '1MB'")
        with pytest.raises(StorageError, match=r"big needs more memory.*LSOALINK_MEMORY"):
            run(con, sql, table="big")


@pytest.mark.parametrize(
    ("memory", "threads", "expected"),
    [
        ("3GB", "3", Limits("3GB", 3)),
        ("", "3", Limits("1GB", 3)),
        ("3GB", "none", Limits("3GB", min(4, os.cpu_count() or 1))),
        ("3GB", "0", Limits("3GB", min(4, os.cpu_count() or 1))),
    ],
)
def test_limits_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, memory: str, threads: str, expected: Limits
) -> None:
    for name, value in (("LSOALINK_MEMORY", memory), ("LSOALINK_THREADS", threads)):
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)

    assert limits_from_environment() == expected


def test_no_table_outlives_its_connection() -> None:
    with connect(limits=SMALL) as con:
        con.execute("CREATE TABLE kept AS SELECT 1 AS n")
        con.execute("CREATE TEMP TABLE passing AS SELECT 1 AS n")
        con.execute("CREATE VIEW seen AS SELECT 1 AS n")

    with connect(limits=SMALL) as con:
        assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == []
        assert (
            con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == []
        )


def test_two_open_connections_do_not_see_each_others_tables() -> None:
    with connect(limits=SMALL) as first, connect(limits=SMALL) as second:
        first.execute("CREATE TABLE mine AS SELECT 1 AS n")
        second.execute("CREATE TABLE mine AS SELECT 2 AS n")

        assert first.execute("SELECT n FROM mine").fetchall() == [(1,)]
        assert second.execute("SELECT n FROM mine").fetchall() == [(2,)]


def test_an_error_inside_leaves_the_next_connection_clean() -> None:
    def fail() -> None:
        with connect(limits=SMALL) as con:
            con.execute("CREATE TABLE kept AS SELECT 1 AS n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with connect(limits=SMALL) as con:
        assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == []


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT CAST('{VALUE}' AS INTEGER)",
        f"SELECT CAST(v AS DATE) FROM (VALUES ('{VALUE}')) t(v)",
        f"SELECT * FROM read_csv('{VALUE}.csv')",
        f"SELECT error('{VALUE}')",
        f"SELECT '{VALUE}' FROM nowhere",
        f"SELEC '{VALUE}'",
    ],
)
def test_a_failing_statement_names_the_table_and_no_value(
    con: duckdb.DuckDBPyConnection, sql: str
) -> None:
    with pytest.raises(StorageError, match="admitted_mere") as raised:
        run(con, sql, table="admitted_mere")

    error = raised.value
    assert VALUE not in str(error)
    assert "Quillfeather" not in repr(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_a_bound_value_that_fails_is_not_repeated(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(StorageError) as raised:
        run(con, "SELECT CAST(? AS INTEGER)", [VALUE], table="admitted_mere")

    assert VALUE not in str(raised.value)


def test_a_good_statement_runs(con: duckdb.DuckDBPyConnection) -> None:
    assert run(con, "SELECT ? + 1", [1], table="t").fetchall() == [(2,)]
    assert run(con, "SELECT 3", table="t").fetchall() == [(3,)]


ENDS = """
import sys
from pathlib import Path
from warehouse.connection import Limits, connect
with connect(spill=Path(sys.argv[1]), limits=Limits("200MB", 1)) as con:
    con.execute("SELECT 1")
print(*sorted(p.name for p in Path(sys.argv[1]).iterdir()))
if sys.argv[2] == "killed":
    import os, signal
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def in_another_process(spill: Path, how: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ENDS, str(spill), how],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_spill_folder_is_there_while_it_runs_and_gone_after(tmp_path: Path) -> None:
    seen = in_another_process(tmp_path / "spill", "ends")

    assert seen.startswith(SPILL_PREFIX)
    assert list((tmp_path / "spill").iterdir()) == []
    assert (tmp_path / "spill").stat().st_mode & 0o077 == 0


def test_what_a_killed_process_left_is_swept_by_the_next(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    left = in_another_process(spill, "killed")
    assert (spill / left).is_dir()
    (spill / left / "rows.tmp").write_text(VALUE)
    (spill / "not-ours").mkdir()

    with connect(spill=spill, limits=SMALL):
        now = sorted(p.name for p in spill.iterdir())

    assert left not in now
    assert "not-ours" in now
    assert any(n.startswith(f"{SPILL_PREFIX}{os.getpid()}-") for n in now)


def test_temporary_files_of_record_level_work_are_encrypted(tmp_path: Path) -> None:
    with connect(spill=tmp_path, limits=SMALL, encryption=True) as con:
        assert setting(con, "temp_file_encryption") == "True"


@pytest.mark.parametrize(
    ("text", "quoted"), [("it's", "'it''s'"), ("plain", "'plain'"), ("'; DROP", "'''; DROP'")]
)
def test_a_literal_cannot_break_out_of_its_quotes(
    con: duckdb.DuckDBPyConnection, text: str, quoted: str
) -> None:
    assert literal(text) == quoted
    assert con.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


def test_an_identifier_cannot_break_out_of_its_quotes(con: duckdb.DuckDBPyConnection) -> None:
    name = "an 'odd'; name"
    con.execute(f"CREATE TABLE {ident(name)} AS SELECT 1 AS n")

    assert con.execute(f"SELECT n FROM {ident(name)}").fetchall() == [(1,)]
    for bad in ("", 'a" b', "a\x00b"):
        with pytest.raises(GeographyError):
            ident(bad)
