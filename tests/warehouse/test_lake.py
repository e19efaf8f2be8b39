"""The lake: a partition is whole or not there; record-level ones need a key to be read."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from declarations.errors import StorageError
from warehouse.connection import Limits, connect
from warehouse.kept_pseudonyms import kept_path, merged
from warehouse.key_ring import KeyRing, parquet_use
from warehouse.lake import Lake, State, TableRef, write_atomically
from warehouse.leftovers import TEMPORARY_PREFIX, sweep

PLAIN = TableRef("linked", "counts_mere")
SECRET = TableRef("restricted", "admitted_mere")
VALUE = "Zebedee Quillfeather"
GONE = 2**22 + 1  # above every process number the kernel gives
ROWS = f"SELECT i AS n, '{VALUE}' AS name FROM range(3) t(i) ORDER BY i"


class Killed(BaseException):
    """Stands for a run that is killed: nothing may catch it and tidy up."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "testmere", KeyRing(bytes(range(32))))


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(limits=Limits("200MB", 1), encryption=True) as connection:
        yield connection


def write(
    lake: Lake, con: duckdb.DuckDBPyConnection, table: TableRef, mark: str, sql: str = ROWS
) -> State:
    return lake.write(
        con, table, sql, period="2026-01", fingerprint=mark, inputs=["a"], code_version="v"
    )


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_what_was_written_is_read_back_with_its_provenance(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    state = write(lake, con, PLAIN, "one")

    path = lake.path(PLAIN, "2026-01")
    assert state.rows == 3
    assert lake.state(PLAIN, "2026-01") == state
    assert lake.is_current(PLAIN, "2026-01", "one")
    assert not lake.is_current(PLAIN, "2026-01", "two")
    assert names(path.parent) == ["2026-01.json", "2026-01.parquet"]
    kept = dict(
        con.execute(
            f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{path}')"
        ).fetchall()
    )
    assert kept["lsoalink_table"] == "counts_mere"
    assert kept["lsoalink_fingerprint"] == "one"
    assert kept["lsoalink_inputs"] == "a"


def test_a_missing_partition_has_no_state_and_is_not_scanned(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    assert lake.state(PLAIN, "2026-01") is None
    assert lake.scan(PLAIN, ["2026-01"]) is None
    write(lake, con, PLAIN, "one")

    scan = lake.scan(PLAIN, ["2026-01", "2026-02"])
    assert con.execute(f"SELECT count(*) FROM {scan}").fetchone() == (3,)


@pytest.mark.parametrize("table", [PLAIN, SECRET])
def test_a_run_killed_before_the_rename_leaves_the_old_partition(
    lake: Lake, con: duckdb.DuckDBPyConnection, table: TableRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write(lake, con, table, "one")

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            write(lake, con, table, "two", "SELECT 1 AS n")

    folder = lake.path(table, "2026-01").parent
    assert lake.state(table, "2026-01") == before
    assert any(n.startswith(TEMPORARY_PREFIX) for n in names(folder))

    gone = folder / f"{TEMPORARY_PREFIX}{GONE}-abcd-2026-01.parquet"
    next(folder.glob(f"{TEMPORARY_PREFIX}*")).rename(gone)
    sweep(lake.root)
    write(lake, con, table, "two", "SELECT 1 AS n")
    assert names(folder) == ["2026-01.json", "2026-01.parquet"]
    assert lake.is_current(table, "2026-01", "two")


def test_a_run_killed_between_file_and_state_leaves_it_stale(
    lake: Lake, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lake, con, PLAIN, "one")

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("warehouse.lake.write_atomically", killed)
        with pytest.raises(Killed):
            write(lake, con, PLAIN, "two", "SELECT 1 AS n")

    assert lake.state(PLAIN, "2026-01") is None


def test_a_failing_query_leaves_nothing_and_says_nothing(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(StorageError, match="counts_mere") as raised:
        write(lake, con, PLAIN, "one", f"SELECT CAST('{VALUE}' AS INTEGER) AS n")

    assert VALUE not in str(raised.value)
    assert lake.state(PLAIN, "2026-01") is None
    assert lake.scan(PLAIN, ["2026-01"]) is None


def test_a_changed_file_counts_as_missing(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    write(lake, con, PLAIN, "one")
    path = lake.path(PLAIN, "2026-01")
    facts = path.stat()
    path.write_bytes(path.read_bytes() + b"x")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert lake.state(PLAIN, "2026-01") is None

    write(lake, con, PLAIN, "one")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert lake.state(PLAIN, "2026-01") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"rows": 3}'])
def test_a_damaged_state_counts_as_missing(
    lake: Lake, con: duckdb.DuckDBPyConnection, text: str
) -> None:
    write(lake, con, PLAIN, "one")
    lake.path(PLAIN, "2026-01").with_suffix(".json").write_text(text)

    assert lake.state(PLAIN, "2026-01") is None


def test_absence_is_a_state_with_its_reason(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    write(lake, con, PLAIN, "one")

    lake.mark_absent(PLAIN, "2026-01", fingerprint="two", reason="nothing was delivered")

    state = lake.state(PLAIN, "2026-01")
    assert state is not None
    assert (state.absent, state.rows, state.reason) == (True, 0, "nothing was delivered")
    assert lake.is_current(PLAIN, "2026-01", "two")
    assert lake.scan(PLAIN, ["2026-01"]) is None

    write(lake, con, PLAIN, "three")
    again = lake.state(PLAIN, "2026-01")
    assert again is not None
    assert not again.absent


def test_a_file_beside_a_state_of_absence_counts_as_missing(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    lake.mark_absent(PLAIN, "2026-01", fingerprint="one", reason="nothing was delivered")
    lake.path(PLAIN, "2026-01").write_bytes(b"PAR1")

    assert lake.state(PLAIN, "2026-01") is None


def test_a_restricted_table_cannot_be_read_without_its_key(
    lake: Lake, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(lake, con, SECRET, "one")
    path = lake.path(SECRET, "2026-01")
    scan = lake.scan(SECRET, ["2026-01"])

    assert con.execute(f"SELECT DISTINCT name FROM {scan}").fetchall() == [(VALUE,)]
    content = path.read_bytes()
    assert VALUE.encode() not in content
    assert content[:4] == content[-4:] == b"PARE"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert VALUE not in path.with_suffix(".json").read_text()
    with pytest.raises(duckdb.Error):
        duckdb.connect().execute(f"SELECT * FROM read_parquet('{path}')").fetchall()
    with connect(limits=Limits("200MB", 1), encryption=True, spill=tmp_path / "s") as stranger:
        Lake(lake.root, KeyRing(bytes(32))).attach(stranger)
        with pytest.raises(duckdb.Error):
            stranger.execute(f"SELECT * FROM {scan}").fetchall()


def test_the_same_rows_are_the_same_bytes_in_a_plain_zone(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    write(lake, con, PLAIN, "one")
    first = lake.path(PLAIN, "2026-01").read_bytes()
    write(lake, con, PLAIN, "one")

    assert lake.path(PLAIN, "2026-01").read_bytes() == first


def test_a_small_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "below" / "record.json"
    write_atomically(path, b"old", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(Killed):
        write_atomically(path, b"new")

    assert path.read_bytes() == b"old"


def test_a_state_of_another_version_with_further_keys_is_read(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    state = write(lake, con, PLAIN, "one")
    path = lake.path(PLAIN, "2026-01").with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "later": 1}))

    assert lake.state(PLAIN, "2026-01") == state


OLD, NEW = bytes(range(32)), bytes(range(32, 64))
AGREEMENTS = {"mere": "DSA-TM-001", "ford": "DSA-TM-002"}
FORD = TableRef("restricted", "located_ford")
OTHER = TableRef("restricted", "something_else")


def lake_of(root: Path, ring: KeyRing) -> Lake:
    return Lake(root, ring, AGREEMENTS)


def test_each_agreements_tables_have_a_key_of_their_own(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    whole = lake_of(tmp_path / "testmere", KeyRing(OLD))
    for table in (SECRET, FORD, OTHER):
        write(whole, con, table, "one")
    assert whole.use_of(SECRET) == "parquet:testmere:DSA-TM-001"
    assert whole.use_of(FORD) == "parquet:testmere:DSA-TM-002"
    assert whole.use_of(OTHER) == "parquet:testmere"
    scans = [whole.scan(table, ["2026-01"]) for table in (SECRET, FORD)]
    both = f"SELECT count(*) FROM {scans[0]} a JOIN {scans[1]} b USING (n)"
    assert con.execute(both).fetchone() == (3,)

    ring = KeyRing(OLD).bundle([parquet_use("testmere", "DSA-TM-001")]).ring()
    limited = lake_of(whole.root, ring)
    with connect(limits=Limits("200MB", 1), encryption=True, spill=tmp_path / "s") as stranger:
        limited.attach(stranger)
        assert limited.state(FORD, "2026-01") is not None
        assert stranger.execute(f"SELECT count(*) FROM {scans[0]}").fetchone() == (3,)
        with pytest.raises(duckdb.Error):
            stranger.execute(f"SELECT * FROM {scans[1]}").fetchall()
        with pytest.raises(StorageError, match="not for"):
            write(limited, stranger, FORD, "two")


def test_one_table_of_two_master_keys_is_read_as_one(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    before = lake_of(tmp_path / "testmere", KeyRing(OLD))
    write(before, con, SECRET, "one")
    after = lake_of(before.root, KeyRing(NEW, [OLD]))
    after.write(con, SECRET, ROWS, period="2026-02", fingerprint="one", code_version="v")

    states = [after.state(SECRET, month) for month in ("2026-01", "2026-02")]
    assert [s.key for s in states if s] == [KeyRing(OLD).fingerprint(), KeyRing(NEW).fingerprint()]
    after.attach(con)
    scan = after.scan(SECRET, ["2026-01", "2026-02"])
    assert con.execute(f"SELECT count(*) FROM {scan}").fetchone() == (6,)
    assert con.execute(f"SELECT count(*) FROM {scan} t WHERE t.n = 0").fetchone() == (2,)


def test_what_a_forgotten_key_wrote_counts_as_missing(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    write(lake_of(tmp_path / "testmere", KeyRing(OLD)), con, SECRET, "one")

    assert lake_of(tmp_path / "testmere", KeyRing(NEW)).state(SECRET, "2026-01") is None


def again(lake: Lake, con: duckdb.DuckDBPyConnection) -> list[bool]:
    return [lake.encrypt_again(con, p) for p in lake.encrypted_partitions()]


def test_a_table_encrypted_again_keeps_rows_order_and_state(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    before = lake_of(tmp_path / "testmere", KeyRing(OLD))
    backwards = f"SELECT i AS n, '{VALUE}' AS name FROM range(5000) t(i) ORDER BY i DESC"
    old = before.write(
        con, SECRET, backwards, period="2026-01", fingerprint="one", inputs=["a", "b"],
        code_version="v", pseudonyms="p1",
    )  # fmt: skip
    both = lake_of(before.root, KeyRing(NEW, [OLD]))

    assert (again(both, con), again(both, con)) == ([True], [False])

    alone = lake_of(before.root, KeyRing(NEW))
    new = alone.state(SECRET, "2026-01")
    assert new is not None
    for name in ("fingerprint", "rows", "use", "pseudonyms", "code_version", "inputs"):
        assert getattr(new, name) == getattr(old, name)
    alone.attach(con)
    rows = con.execute(f"SELECT n FROM {alone.scan(SECRET, ['2026-01'])}").fetchall()
    assert [n for (n,) in rows] == list(range(4999, -1, -1))
    assert before.state(SECRET, "2026-01") is None
    assert stat.S_IMODE(alone.path(SECRET, "2026-01").stat().st_mode) == 0o600


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_killed_while_encrypting_again_the_table_is_there_and_read(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    write(lake_of(tmp_path / "testmere", KeyRing(OLD)), con, SECRET, "one")
    both = lake_of(tmp_path / "testmere", KeyRing(NEW, [OLD]))
    done = 0
    really = Path.replace

    def killed(path: Path, target: Path) -> Path:
        # State that fits both, then the file, then the state of the new one alone.
        nonlocal done
        done += 1
        if done == moment:
            raise Killed
        return really(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            again(both, con)

    assert both.is_current(SECRET, "2026-01", "one")
    both.attach(con)
    scan = both.scan(SECRET, ["2026-01"])
    assert con.execute(f"SELECT count(*) FROM {scan}").fetchone() == (3,)
    again(both, con)
    assert lake_of(both.root, KeyRing(NEW)).is_current(SECRET, "2026-01", "one")


def test_pseudonyms_of_two_keys_are_not_read_as_one_table_unless_decided(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    lake = lake_of(tmp_path / "testmere", KeyRing(OLD))
    months = ["2026-01", "2026-02", "2026-03"]
    for month, version in zip(months, ["p1", "p2", "p2"], strict=True):
        lake.write(
            con, SECRET, ROWS, period=month, fingerprint="one", code_version="v",
            pseudonyms=version,
        )  # fmt: skip

    assert lake.scan(SECRET, months[1:]) is not None
    with pytest.raises(StorageError, match="pseudonyms of 2 keys"):
        lake.scan(SECRET, months)
    write_atomically(kept_path(lake.root), merged(lake.root, {"mere/2026-01": "p1"}))
    assert lake.scan(SECRET, months) is not None
    kept_path(lake.root).write_text("[")
    with pytest.raises(StorageError, match="damaged"):
        lake.scan(SECRET, months)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize(
    ("table", "folder", "file"),
    [(SECRET, 0o700, 0o600), (PLAIN, 0o700, 0o600), (TableRef("quality", "q"), 0o750, 0o640)],
)
def test_the_modes_of_a_zone_are_its_own_whatever_the_umask(
    lake: Lake, con: duckdb.DuckDBPyConnection, umask: int, table: TableRef, folder: int, file: int
) -> None:
    before = os.umask(umask)
    try:
        write(lake, con, table, "one")
    finally:
        os.umask(before)

    path = lake.path(table, "2026-01")
    assert {stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()} == {file}
    assert {stat.S_IMODE(p.stat().st_mode) for p in (path.parent, path.parent.parent)} == {folder}
