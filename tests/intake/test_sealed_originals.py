"""Originals at rest: sealed unless their licence is open, opened only into a copy that is wiped."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from region_factory import (
    PLANTED,
    case_lines,
    make_workspace,
    put,
    receive,
    region_content,
    rows_of,
    run_to_location,
    without_purpose,
)

from declarations.errors import StorageError
from intake.admission import admit, admitted_table
from intake.arrival import receive_source, store_of
from intake.originals import Sealing
from intake.received import Delivery, ReceivedStore
from warehouse.kept_pseudonyms import kept_path, merged
from warehouse.key_ring import KeyRing
from warehouse.lake import write_atomically
from warehouse.sealed import seal_of
from warehouse.workspace import PRIVATE_ZONES, Workspace

Make = Callable[..., Workspace]
PERIOD = "2026-03"
OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def case_source(mere: Workspace) -> Any:
    return mere.declared.sources["north_cases"]


def delivered(mere: Workspace) -> Delivery:
    receive(mere, "north_cases")
    (delivery,) = store_of(mere).deliveries("north_cases")
    return delivery


def stored(mere: Workspace) -> Path:
    path = store_of(mere).stored_path(delivered(mere))
    assert path is not None
    return path


def spilled(mere: Workspace) -> list[Path]:
    return [p for p in mere.spill.rglob("*") if p.is_file()]


def with_keys(mere: Workspace, *keys: bytes) -> Workspace:
    return replace(mere, keys=KeyRing(keys[0], keys[1:]))


def searched(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, and those of the parts packed in it."""
    content = path.read_bytes()
    yield content
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def holding(folder: Path, values: Iterator[str] | list[str]) -> list[str]:
    spelt = [
        value.encode(encoding)
        for value in values
        for encoding in ("utf-8", "utf-16-le", "utf-16-be")
    ]
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.is_file()
        for content in searched(path)
        if any(value in content for value in spelt)
    )


def test_the_search_finds_what_is_there_also_in_utf_16_and_packed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PLANTED["name"])
    (tmp_path / "b.csv").write_text(PLANTED["name"], encoding="utf-16")
    with zipfile.ZipFile(tmp_path / "c.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("part.xml", PLANTED["name"] * 50)
    (tmp_path / "d.csv").write_text("nothing")

    assert set(holding(tmp_path, [PLANTED["name"]])) == {"a.csv", "b.csv", "c.xlsx"}


@pytest.mark.parametrize("ending", [".csv", ".csv.zip", ".utf16.csv"])
def test_no_planted_value_is_in_any_byte_on_the_disk(make_mere: Make, ending: str) -> None:
    content = region_content()
    content["sources/north_cases.yaml"]["files"] = "cases_{period}.*"
    mere = make_mere(content)
    lines = case_lines([dict(PLANTED_ROW), *({} for _ in range(30))])
    path = mere.landing / "north_cases" / "cases_2026-03.csv"
    facts = path.stat()
    if ending == ".csv.zip":
        path.unlink()
        path = path.with_name("cases_2026-03.csv.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("cases.csv", "\n".join(lines))
    else:
        path.write_text("\n".join(lines), encoding="utf-16" if "utf16" in ending else "utf-8")
    os.utime(path, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
    receive(mere, "north_cases")
    built = admit(mere, case_source(mere), PERIOD)

    assert (built.outcome, built.rows) == ("built", 31)
    assert holding(mere.landing, list(PLANTED_ROW.values())) != []
    for zone in ("received", "restricted"):
        assert any(p.is_file() for p in (mere.root / zone).rglob("*"))
        assert holding(mere.root / zone, list(PLANTED_ROW.values())) == []


PLANTED_ROW = {
    name: PLANTED[what]
    for name, what in (
        ("person_id", "person"), ("name", "name"), ("note", "note"), ("nhs_number", "nhs_number"),
    )
}  # fmt: skip


def test_after_a_whole_run_nothing_planted_is_on_the_disk(mere: Workspace) -> None:
    run_to_location(mere)

    for zone in ("received", "restricted"):
        assert holding(mere.root / zone, list(PLANTED.values())) == []
    assert holding(mere.landing, list(PLANTED.values())) != []
    assert spilled(mere) == []


def test_shared_originals_are_sealed_and_those_of_an_open_licence_are_not(mere: Workspace) -> None:
    receive(mere)
    seals = {}
    for delivery in store_of(mere).deliveries():
        path = store_of(mere).stored_path(delivery)
        assert path is not None
        seals[delivery.source_id] = seal_of(path)

    for source in mere.declared.sources.values():
        seal = seals[source.id]
        if mere.declared.is_open[source.id]:
            assert seal is None
        else:
            assert seal is not None
            assert seal.use == f"original:{mere.declared.region.id}:{source.agreement}"
            assert seal.fingerprint == mere.keys.fingerprint()
    assert {seal is None for seal in seals.values()} == {True, False}


def test_a_source_nobody_declared_open_is_sealed(mere: Workspace) -> None:
    sealing = Sealing(mere.keys, mere.spill, "testmere", {"a": "DSA-TM-001"}, frozenset({"b"}))

    assert sealing.use_of("never_heard_of") == "original:testmere"
    assert sealing.use_of("a") == "original:testmere:DSA-TM-001"
    assert sealing.use_of("b") is None


def test_the_record_speaks_of_the_plain_file(mere: Workspace) -> None:
    delivery = delivered(mere)
    landed = mere.landing / "north_cases" / "cases_2026-03.csv"

    assert delivery.bytes == landed.stat().st_size
    assert store_of(mere).verify(delivery)
    path = stored(mere)
    assert path.name == f"{delivery.file_name}.sealed"
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_an_opened_original_is_a_private_copy_that_is_gone_afterwards(mere: Workspace) -> None:
    delivery = delivered(mere)
    landed = mere.landing / "north_cases" / "cases_2026-03.csv"

    with store_of(mere).open(delivery) as path:
        assert path.read_bytes() == landed.read_bytes()
        assert path.name == delivery.file_name
        assert path.is_relative_to(mere.spill)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        second = path.parent.parent / "second-name"
        os.link(path, second)

    assert not path.parent.exists()
    assert PLANTED["name"].encode() not in second.read_bytes()


def test_a_store_without_keys_opens_nothing_sealed(mere: Workspace) -> None:
    delivery = delivered(mere)
    bare = ReceivedStore(mere.root / "received")

    assert bare.deliveries("north_cases") == [delivery]
    with pytest.raises(StorageError, match="no key"), bare.open(delivery):
        pass


def test_another_key_a_changed_byte_and_another_file_are_plain_errors(mere: Workspace) -> None:
    delivery, path = delivered(mere), stored(mere)
    whole = path.read_bytes()
    with pytest.raises(StorageError, match="key"), store_of(with_keys(mere, NEW)).open(delivery):
        pass
    path.chmod(0o600)
    for spoilt in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), whole + b"x", b"plain text"):
        path.write_bytes(spoilt)
        with pytest.raises(StorageError) as raised, store_of(mere).open(delivery):
            pass
        assert PLANTED["name"] not in str(raised.value)
    # Another whole file of the same length under the same key is still not this one.
    landed = mere.landing / "north_cases" / "cases_2026-03.csv"
    text = landed.read_text().replace(PLANTED["name"], PLANTED["name"][::-1])
    put(mere.landing, "north_cases", "cases_2026-03 (2).csv", text.splitlines())
    receive(mere, "north_cases")
    other = store_of(mere).latest("north_cases", PERIOD)
    assert other is not None
    assert other.bytes == delivery.bytes
    replacement = store_of(mere).stored_path(other)
    assert replacement is not None
    path.write_bytes(replacement.read_bytes())
    with pytest.raises(StorageError, match="has changed"), store_of(mere).open(delivery):
        pass
    assert spilled(mere) == []


def test_a_refused_delivery_is_not_even_opened(
    mere: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = without_purpose(region_content(), "DSA-TM-001")
    refusing = make_workspace(mere.data_dir.parent / "refusing", content)
    receive(refusing, "north_cases")

    def opened(*_: object) -> None:
        pytest.fail("the original was opened")

    monkeypatch.setattr(ReceivedStore, "open", opened)
    assert admit(refusing, case_source(refusing), PERIOD).outcome == "absent"


def test_originals_stored_plain_still_open_and_are_sealed_at_the_next_look(
    mere: Workspace,
) -> None:
    source = case_source(mere)
    receive_source(mere, source, ReceivedStore(mere.root / "received"))
    (delivery,) = store_of(mere).deliveries("north_cases")
    before = store_of(mere).stored_path(delivery)
    assert before is not None
    assert seal_of(before) is None
    with store_of(mere).open(delivery) as path:
        assert path == before

    receive_source(mere, source)

    after = store_of(mere).stored_path(delivery)
    assert after is not None
    assert seal_of(after) is not None
    assert not before.exists()
    assert store_of(mere).verify(delivery)
    assert holding(mere.root / "received", list(PLANTED.values())) == []
    assert store_of(mere).seal_plain(source) == 0


def test_killed_while_sealing_what_was_plain_nothing_is_lost(
    mere: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = case_source(mere)
    receive_source(mere, source, ReceivedStore(mere.root / "received"))
    (delivery,) = store_of(mere).deliveries("north_cases")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for place in ("intake.originals.sync_folder", "intake.originals.wipe"):
        with monkeypatch.context() as patch:
            patch.setattr(place, killed)
            with pytest.raises(KeyboardInterrupt):
                store_of(mere).seal_plain(source)
        assert store_of(mere).verify(delivery)
    assert store_of(mere).seal_plain(source) == 1
    assert store_of(mere).verify(delivery)
    assert holding(mere.root / "received", list(PLANTED.values())) == []


def test_a_new_master_key_in_front_makes_no_table_again(make_mere: Make) -> None:
    mere = make_mere(keys=KeyRing(OLD))
    run_to_location(mere)
    rotated = with_keys(mere, NEW, OLD)

    assert admit(rotated, case_source(mere), PERIOD).outcome == "current"
    before, after = (rows_of(w, admitted_table(case_source(mere)), PERIOD) for w in (mere, rotated))
    assert before == after != []
    # What is written now has the new key, and both are read.
    put(mere.landing, "north_cases", "cases_2026-03 (2).csv", case_lines([{}]))
    receive(rotated, "north_cases")
    assert admit(rotated, case_source(mere), PERIOD).rows == 1
    state = rotated.lake.state(admitted_table(case_source(mere)), PERIOD)
    assert state is not None
    assert state.key == rotated.keys.fingerprint() != mere.keys.fingerprint()


def test_a_new_key_of_pseudonyms_makes_the_agreements_tables_again_and_no_others(
    mere: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_location(mere)
    table = admitted_table(case_source(mere))
    before = rows_of(mere, table, PERIOD)
    monkeypatch.setenv("LSOALINK_KEY_DSA_TM_001", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    later = replace(mere, keys=fresh_ring(mere))

    assert admit(later, case_source(mere), PERIOD).outcome == "built"
    assert admit(later, mere.declared.sources["south_cases"], PERIOD).outcome == "current"
    after = rows_of(later, table, PERIOD)
    assert {r["person_id"] for r in before}.isdisjoint(r["person_id"] for r in after)
    state = later.lake.state(table, PERIOD)
    assert state is not None
    assert state.pseudonyms == later.keys.agreement_key_version("DSA-TM-001")


def fresh_ring(mere: Workspace) -> KeyRing:
    from warehouse.keys import open_key_ring

    return open_key_ring(mere.data_dir)


def test_a_table_that_keeps_old_pseudonyms_stays_until_its_original_comes_again(
    mere: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_location(mere)
    table = admitted_table(case_source(mere))
    old = mere.lake.state(table, PERIOD)
    assert old is not None
    stored(mere).unlink()
    monkeypatch.setenv("LSOALINK_KEY_DSA_TM_001", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    later = replace(mere, keys=fresh_ring(mere))
    with pytest.raises(StorageError, match="not in the store"):
        admit(later, case_source(mere), PERIOD)
    assert mere.lake.state(table, PERIOD) == old

    kept = {f"north_cases/{PERIOD}": old.pseudonyms}
    write_atomically(kept_path(mere.root), merged(mere.root, kept))
    assert admit(later, case_source(mere), PERIOD).outcome == "current"

    put(mere.landing, "north_cases", "cases_2026-03 (2).csv", case_lines([{}]))
    receive(later, "north_cases")
    assert admit(later, case_source(mere), PERIOD).rows == 1
    state = later.lake.state(table, PERIOD)
    assert state is not None
    assert state.pseudonyms == later.keys.agreement_key_version("DSA-TM-001")


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_nobody_else_may_enter_or_read_a_private_zone(make_mere: Make, umask: int) -> None:
    before = os.umask(umask)
    try:
        mere = make_mere()
        mere.prepare()
        run_to_location(mere)
        for zone in ("received", "restricted", "reference"):
            assert loose(mere.root / zone, 0o700, 0o600) == []
        mere.tighten()
    finally:
        os.umask(before)
    assert {p.name for p in mere.root.iterdir() if p.is_dir()} == set(PRIVATE_ZONES)
    for zone in PRIVATE_ZONES:
        group = 0o050 if zone == "quality" else 0
        assert loose(mere.root / zone, 0o700 | group, 0o600 | (group & 0o040)) == []
    assert sum(1 for _ in mere.root.rglob("*.parquet")) > 10


def loose(zone: Path, folders: int, files: int) -> list[str]:
    """Return what others may do more with than they should."""
    return [
        path.relative_to(zone.parent).as_posix()
        for path in (zone, *zone.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) & ~(folders if path.is_dir() else files)
    ]
