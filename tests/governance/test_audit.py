"""The audit chain: whatever is done to a line of it is found."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from declarations.errors import StorageError
from governance import audit
from governance.audit import GENESIS, AuditChain
from warehouse.keys import KeyRing

KEYS = KeyRing(bytes(range(32)))
OTHER_KEYS = KeyRing(bytes(range(1, 33)))


@pytest.fixture
def chain(tmp_path: Path) -> AuditChain:
    return AuditChain(tmp_path / "audit")


def fill(chain: AuditChain, count: int = 4) -> list[str]:
    return [chain.append("gate_decision", source="north", rows_kept=n) for n in range(count)]


def test_what_was_appended_holds_and_can_be_read(chain: AuditChain) -> None:
    hashes = fill(chain)

    report = chain.verify({"2026-03-abc": hashes[2]})
    assert (report.entries, report.head, report.faults) == (4, hashes[-1], ())
    assert chain.head() == hashes[-1]
    entries = list(chain.entries())
    assert [e["rows_kept"] for e in entries] == [0, 1, 2, 3]
    assert [e["previous"] for e in entries] == [GENESIS, *hashes[:-1]]


def test_an_empty_chain_holds(chain: AuditChain) -> None:
    assert chain.verify().faults == ()
    assert chain.head() == GENESIS


def _edit(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace('"rows_kept": 1', '"rows_kept": 100'), *lines[2:]]


def _edit_with_new_hash(lines: list[str]) -> list[str]:
    entry = {**json.loads(lines[1]), "rows_kept": 100}
    entry["hash"] = audit._hash(entry)
    return [lines[0], json.dumps(entry, sort_keys=True), *lines[2:]]


def _delete_first(lines: list[str]) -> list[str]:
    return lines[1:]


def _delete_middle(lines: list[str]) -> list[str]:
    return [*lines[:1], *lines[2:]]


def _swap(lines: list[str]) -> list[str]:
    return [lines[0], lines[2], lines[1], lines[3]]


def _repeat(lines: list[str]) -> list[str]:
    return [*lines, lines[-1]]


def _garble(lines: list[str]) -> list[str]:
    return [lines[0], lines[1][:40], *lines[2:]]


def _not_utf8(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace("north", "n\udcff"), *lines[2:]]


def _other_json(lines: list[str]) -> list[str]:
    return [lines[0], "[1, 2]", *lines[2:]]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_edit, "line 2 was changed"),
        (_edit_with_new_hash, "line 3 does not follow"),
        (_delete_first, "line 1 does not follow"),
        (_delete_middle, "a line is missing or moved"),
        (_swap, "line 2 does not follow"),
        (_repeat, "line 5 does not follow"),
        (_garble, "line 2 cannot be read"),
        (_other_json, "line 2 cannot be read"),
        (_not_utf8, "line 2 cannot be read"),
    ],
)
def test_a_spoilt_line_is_found(
    chain: AuditChain, spoil: Callable[[list[str]], list[str]], said: str
) -> None:
    fill(chain)
    lines = chain.path.read_text().splitlines()
    spoilt = "\n".join(spoil(lines)) + "\n"
    chain.path.write_bytes(spoilt.encode(errors="surrogateescape"))

    assert any(said in fault for fault in chain.verify().faults)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_a_cut_off_end_is_found_by_the_head_a_release_names(chain: AuditChain, left: int) -> None:
    head = fill(chain)[-1]
    lines = chain.path.read_text().splitlines()
    chain.path.write_text("".join(f"{line}\n" for line in lines[:left]))

    assert chain.verify().faults == ()
    (fault,) = chain.verify({"2026-03-abc": head}).faults
    assert "2026-03-abc" in fault


@pytest.mark.parametrize("count", [0, 1, 200])
def test_half_a_line_of_a_killed_run_is_healed(chain: AuditChain, count: int) -> None:
    chain.path.parent.mkdir()
    fill(chain, count)
    with chain.path.open("a") as file:
        file.write('{"n": 99, "event": "gate_dec')

    chain.append("release_published", release="r")

    report = chain.verify()
    assert report.faults == ()
    assert report.entries == count + 1


def test_an_entry_longer_than_the_step_of_reading_is_found_whole(chain: AuditChain) -> None:
    chain.append("gate_decision", reasons=["a_long_reason"] * 2000)
    chain.append("gate_decision", reasons=["short"])
    with chain.path.open("a") as file:
        file.write('{"half": "' + "x" * 9000)
    chain.append("gate_decision", reasons=["short"])

    assert (chain.verify().entries, chain.verify().faults) == (3, ())


@pytest.mark.parametrize("line", ["not json", "[1]", '"text"', '{"event": "x"}'])
def test_a_chain_that_ends_in_something_else_is_not_continued(chain: AuditChain, line: str) -> None:
    fill(chain)
    with chain.path.open("a") as file:
        file.write(f"{line}\n")
    before = chain.path.read_bytes()

    with pytest.raises(StorageError, match="not an audit entry"):
        chain.append("release_published")

    assert chain.path.read_bytes() == before


def _write(folder: Path, who: str, count: int) -> None:
    chain = AuditChain(folder)
    for number in range(count):
        chain.append("gate_decision", source=who, version=number)


def test_two_processes_at_once_do_not_fork_the_chain(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    writers = [spawn.Process(target=_write, args=(tmp_path, who, 40)) for who in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)

    chain = AuditChain(tmp_path)
    report = chain.verify()
    assert [w.exitcode for w in writers] == [0, 0]
    assert (report.entries, report.faults) == (80, ())
    for who in ("a", "b"):
        assert [e["version"] for e in chain.entries() if e["source"] == who] == [*range(40)]


@pytest.fixture
def anchored(tmp_path: Path) -> AuditChain:
    return AuditChain(tmp_path / "audit", KEYS)


def cut(chain: AuditChain, left: int) -> None:
    lines = chain.path.read_text().splitlines(keepends=True)
    chain.path.write_text("".join(lines[:left]))


def test_the_anchor_names_the_last_entry(anchored: AuditChain) -> None:
    hashes = fill(anchored)

    report = anchored.verify()
    assert (report.anchored, report.faults) == (4, ())
    assert json.loads(anchored.head_path.read_text())["hash"] == hashes[-1]
    assert anchored.head_path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_a_cut_off_end_is_found_by_the_anchor_at_every_place(
    anchored: AuditChain, left: int
) -> None:
    fill(anchored)
    cut(anchored, left)

    for reader in (anchored, AuditChain(anchored.path.parent)):
        assert any("the end was cut off" in fault for fault in reader.verify().faults)


def test_a_chain_that_is_gone_is_found_by_the_anchor(anchored: AuditChain) -> None:
    fill(anchored)
    anchored.path.unlink()

    assert any("anchor names entry 4" in fault for fault in anchored.verify().faults)


@pytest.mark.parametrize("left", [0, 2, 3])
def test_a_chain_that_was_cut_off_is_not_continued(anchored: AuditChain, left: int) -> None:
    fill(anchored)
    cut(anchored, left)
    before = anchored.path.read_bytes()

    with pytest.raises(StorageError, match="cut off or changed"):
        anchored.append("release_published")

    assert anchored.path.read_bytes() == before


def test_a_writer_killed_before_it_moved_the_anchor_is_no_tampering(anchored: AuditChain) -> None:
    fill(anchored, 3)
    head = anchored.head_path.read_bytes()
    fill(anchored, 1)
    anchored.head_path.write_bytes(head)

    report = anchored.verify()
    assert (report.entries, report.anchored, report.faults) == (4, 3, ())
    fill(anchored, 1)
    assert (anchored.verify().anchored, anchored.verify().faults) == (5, ())


def test_an_older_copy_of_the_anchor_alone_is_found_and_stays_found(anchored: AuditChain) -> None:
    fill(anchored, 2)
    head = anchored.head_path.read_bytes()
    fill(anchored, 2)
    anchored.head_path.write_bytes(head)

    (fault,) = anchored.verify().faults
    assert "names entry 2" in fault
    assert "older copy" in fault
    fill(anchored, 2)
    (fault,) = anchored.verify().faults
    assert fault == "when line 5 was written, the anchor had been put back to an older copy"


def test_a_writer_killed_before_its_first_anchor_is_no_tampering(
    anchored: AuditChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = AuditChain._move_anchor

    def killed(self: AuditChain, keys: KeyRing, number: int, entry_hash: str) -> None:
        if number:
            raise KeyboardInterrupt
        real(self, keys, number, entry_hash)

    monkeypatch.setattr(AuditChain, "_move_anchor", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fill(anchored, 1)
    monkeypatch.undo()
    assert (anchored.verify().entries, anchored.verify().anchored) == (2, 0)
    assert anchored.verify().faults == ()

    fill(anchored, 1)
    assert (anchored.verify().anchored, anchored.verify().faults) == (3, ())


def by_hand(chain: AuditChain, event: str, **facts: object) -> None:
    """Append a line as somebody without the key can: numbered, linked and hashed."""
    entries = list(chain.entries())
    entry: dict[str, object] = {
        "n": len(entries) + 1, "at": "2026-05-10T09:00:00.000+00:00", "event": event, **facts,
        "previous": entries[-1]["hash"] if entries else GENESIS,
    }  # fmt: skip
    entry["hash"] = audit._hash(entry)
    with chain.path.open("a") as file:
        file.write(json.dumps(entry, sort_keys=True) + "\n")


def unkeyed(chain: AuditChain) -> None:
    AuditChain(chain.path.parent).append("gate_decision")


def hashed_by_hand(chain: AuditChain) -> None:
    by_hand(chain, "gate_decision")


def with_a_made_up_seal(chain: AuditChain) -> None:
    by_hand(chain, "gate_decision", mac="0" * 64, anchor="ok", anchored=len(list(chain.entries())))


def with_a_seal_that_is_no_text(chain: AuditChain) -> None:
    by_hand(chain, "gate_decision", mac=["é"], anchor={"a": []}, anchored=None)


def under_another_key(chain: AuditChain) -> None:
    head = chain.head_path.read_bytes()
    AuditChain(chain.path.parent, OTHER_KEYS).append("gate_decision")
    chain.head_path.write_bytes(head)


def with_a_few_keys_only(chain: AuditChain) -> None:
    limited = KEYS.bundle(["parquet:testmere", "audit"]).ring()
    AuditChain(chain.path.parent, limited).append("gate_decision")


FORGERS = [
    unkeyed, hashed_by_hand, with_a_made_up_seal, with_a_seal_that_is_no_text, under_another_key,
    with_a_few_keys_only,
]  # fmt: skip


@pytest.mark.parametrize("forge", FORGERS)
def test_a_line_the_platform_did_not_write_is_found_for_good(
    anchored: AuditChain, forge: Callable[[AuditChain], None]
) -> None:
    fill(anchored, 2)
    forge(anchored)

    wanted = "line 3 was not written by the platform"
    assert [f for f in anchored.verify().faults if f.startswith(wanted)]
    fill(anchored, 2)
    report = anchored.verify()
    assert report.entries == 5
    assert len([f for f in report.faults if "not written by the platform" in f]) == 1
    assert [f for f in report.faults if f.startswith(wanted)]


def test_a_reader_without_keys_finds_a_line_without_a_seal(anchored: AuditChain) -> None:
    fill(anchored, 2)
    reader = AuditChain(anchored.path.parent)
    assert reader.verify().faults == ()
    unkeyed(anchored)

    (fault,) = reader.verify().faults
    assert fault.startswith("line 3 was not written by the platform")


@pytest.mark.parametrize("forge", FORGERS[:3])
@pytest.mark.parametrize("left", [0, 1, 3])
def test_a_cut_off_end_without_its_anchor_and_a_line_to_hide_it_are_found_for_good(
    anchored: AuditChain, left: int, forge: Callable[[AuditChain], None]
) -> None:
    hashes = fill(anchored, 6)
    cut(anchored, left)
    anchored.head_path.unlink()
    forge(anchored)
    AuditChain(anchored.path.parent, KEYS).append("gate_decision")

    expected = {"a release": hashes[left - 1]} if left else {}
    faults = anchored.verify(expected).faults
    assert any(f.startswith(f"line {left + 1} was not written by the platform") for f in faults)
    assert f"when line {left + 2} was written, the anchor was missing" in faults
    fill(anchored, 3)
    assert anchored.verify(expected).faults == faults


def test_a_cut_off_end_without_its_anchor_is_found_after_the_next_entry(
    anchored: AuditChain,
) -> None:
    fill(anchored, 6)
    cut(anchored, 3)
    anchored.head_path.unlink()
    fill(anchored, 2)

    assert anchored.verify().faults == ("when line 4 was written, the anchor was missing",)


@pytest.mark.parametrize("anchor", [True, False])
def test_a_chain_rewritten_without_the_key_is_found(anchored: AuditChain, anchor: bool) -> None:
    fill(anchored)
    entries = list(anchored.entries())
    anchored.path.unlink()
    if not anchor:
        anchored.head_path.unlink()
    anchored.path.touch()
    for entry in entries:
        kept = {k: v for k, v in entry.items() if k not in ("n", "at", "event", "previous", "hash")}
        by_hand(anchored, "gate_decision", **kept | {"rows_kept": 0})

    wanted = "lines 1 to 4 were not written by the platform with a key it holds"
    assert wanted in anchored.verify().faults
    if anchor:
        with pytest.raises(StorageError, match="cut off or changed"):
            fill(anchored, 1)
    else:
        fill(anchored, 1)
        said = "when line 5 was written, the anchor was missing"
        assert set(anchored.verify().faults) == {wanted, said}


def test_a_seal_of_one_entry_does_not_do_for_another(anchored: AuditChain) -> None:
    fill(anchored, 3)
    entries = [json.loads(line) for line in anchored.path.read_text().splitlines()]
    entries[1]["mac"] = entries[0]["mac"]
    text = "".join(json.dumps(e, sort_keys=True) + "\n" for e in entries)
    anchored.path.write_text(text)

    (fault,) = anchored.verify().faults
    assert fault.startswith("line 2 was not written by the platform")


def test_a_seal_taken_away_is_found(anchored: AuditChain) -> None:
    fill(anchored, 3)
    entries = [json.loads(line) for line in anchored.path.read_text().splitlines()]
    del entries[2]["mac"]
    anchored.path.write_text("".join(json.dumps(e, sort_keys=True) + "\n" for e in entries))

    for reader in (anchored, AuditChain(anchored.path.parent)):
        assert any("not written by the platform" in f for f in reader.verify().faults)


def test_a_seal_is_over_what_an_entry_says_and_not_over_the_hash_it_claims(
    anchored: AuditChain,
) -> None:
    fill(anchored, 1)
    (entry,) = anchored.entries()

    assert anchored.believes(entry)
    assert not anchored.believes({**entry, "rows_kept": 7})
    assert not anchored.believes({k: v for k, v in entry.items() if k != "mac"})
    assert not anchored.believes({**entry, "mac": "é"})
    assert AuditChain(anchored.path.parent).believes({**entry, "rows_kept": 7})


def test_seals_hold_under_a_new_master_key_and_after_the_old_one_has_gone(
    anchored: AuditChain,
) -> None:
    fill(anchored, 2)
    old, new = bytes(range(32)), bytes(range(1, 33))
    AuditChain(anchored.path.parent, KeyRing(new, [old])).append("keys_dropped")
    later = AuditChain(anchored.path.parent, KeyRing(new, pseudonyms=old))
    later.append("gate_decision")

    assert (later.verify().entries, later.verify().faults) == (4, ())


def test_after_a_lost_key_the_lines_before_it_are_named_in_one_sentence(
    anchored: AuditChain,
) -> None:
    fill(anchored, 3)
    later = AuditChain(anchored.path.parent, OTHER_KEYS)
    fill(later, 2)

    assert later.verify().faults == (
        "when line 4 was written, the anchor named a key that was not held",
        "lines 1 to 3 were not written by the platform with a key it holds",
    )


@pytest.mark.parametrize(
    "line",
    ["[" * 100_000, '{"n": 1e999, "hash": "x"}', '{"n": [3], "anchor": {}, "mac": {}, "hash": []}'],
)
def test_whatever_is_on_a_line_is_a_fault_and_no_crash(anchored: AuditChain, line: str) -> None:
    fill(anchored, 2)
    with anchored.path.open("a") as file:
        file.write(f"{line}\n")

    assert any(f.startswith("line 3 ") for f in anchored.verify().faults)
    with pytest.raises(StorageError, match="not an audit entry"):
        fill(anchored, 1)


def test_the_anchor_gone_is_found_and_stays_found(anchored: AuditChain) -> None:
    fill(anchored)
    anchored.head_path.unlink()

    assert anchored.verify().faults == ("the anchor head.json is gone",)
    fill(anchored, 1)
    assert anchored.verify().faults == ("when line 5 was written, the anchor was missing",)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: a | {"number": 3}, "line 3 is not the entry the anchor names"),
        (lambda a: a | {"mac": "0" * 64}, "changed by somebody without the key"),
        (lambda a: a | {"key": "somethingelse"}, "a key that this installation does not hold"),
        (lambda a: {"number": 4}, "head.json cannot be read"),
    ],
)
def test_a_changed_anchor_is_found(
    anchored: AuditChain, spoil: Callable[[dict[str, object]], dict[str, object]], said: str
) -> None:
    fill(anchored)
    content = json.loads(anchored.head_path.read_text())
    anchored.head_path.write_text(json.dumps(spoil(content)))

    assert any(said in fault for fault in anchored.verify().faults)


def test_a_rewritten_chain_with_a_forged_anchor_is_found(tmp_path: Path) -> None:
    chain = AuditChain(tmp_path / "audit", KEYS)
    fill(chain)
    chain.path.unlink()
    chain.head_path.unlink()
    fill(AuditChain(tmp_path / "audit", OTHER_KEYS), 4)

    assert any("does not hold" in fault for fault in chain.verify().faults)


def test_an_anchor_of_an_earlier_master_key_holds(anchored: AuditChain) -> None:
    fill(anchored)
    rotated = KeyRing(bytes(range(1, 33)), [bytes(range(32))])

    assert AuditChain(anchored.path.parent, rotated).verify().faults == ()


def test_an_empty_chain_is_a_fault_where_the_region_holds_anything(tmp_path: Path) -> None:
    chain = AuditChain(tmp_path / "audit", KEYS)

    assert chain.verify().faults == ()
    (fault,) = chain.verify(expected=["releases"]).faults
    assert "the region holds releases" in fault


def test_two_chains_swapped_are_found(tmp_path: Path) -> None:
    one, other = (AuditChain(tmp_path / name, KEYS) for name in ("one", "other"))
    fill(one)
    fill(other)
    content = one.path.read_bytes()
    one.path.write_bytes(other.path.read_bytes())
    other.path.write_bytes(content)

    assert one.verify().faults != ()
    assert other.verify().faults != ()


@pytest.mark.parametrize("line", range(4))
@pytest.mark.parametrize("spoil", ["delete", "double", "edit"])
def test_whatever_line_is_spoilt_is_found(anchored: AuditChain, line: int, spoil: str) -> None:
    fill(anchored)
    lines = anchored.path.read_text().splitlines()
    if spoil == "delete":
        del lines[line]
    elif spoil == "double":
        lines.insert(line, lines[line])
    else:
        lines[line] = lines[line].replace('"source": "north"', '"source": "south"')
    anchored.path.write_text("\n".join(lines) + "\n")

    assert anchored.verify().faults != ()


def test_what_is_asked_of_the_chain(chain: AuditChain) -> None:
    chain.append("gate_decision", agreement="DSA-A-01")
    chain.append("disposed", agreement="DSA-B-01")
    chain.accessed("internal tables", tables=["counts"])

    assert [e["n"] for e in chain.find(event="disposed")] == [2]
    assert [e["n"] for e in chain.find(agreement="DSA-A-01")] == [1]
    assert [e["n"] for e in chain.find()] == [1, 2, 3]
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    assert list(chain.find(since=tomorrow)) == []
    (access,) = chain.find(event="accessed")
    assert access["what"] == "internal tables"
    assert access["account"]


def _write_anchored(folder: Path, who: str, count: int) -> None:
    chain = AuditChain(folder, KEYS)
    for number in range(count):
        chain.append("gate_decision", source=who, version=number)


def test_eight_processes_at_once_do_not_fork_the_chain(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    names = [f"w{n}" for n in range(8)]
    writers = [fork.Process(target=_write_anchored, args=(tmp_path, who, 12)) for who in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    chain = AuditChain(tmp_path, KEYS)
    report = chain.verify()
    assert [w.exitcode for w in writers] == [0] * 8
    assert (report.entries, report.anchored, report.faults) == (96, 96, ())
    for who in names:
        assert [e["version"] for e in chain.entries() if e["source"] == who] == [*range(12)]


def test_writers_killed_in_the_middle_leave_a_chain_that_holds(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    for killed in range(1, 7):
        writer = fork.Process(target=_write_anchored, args=(tmp_path, "w", 10_000))
        writer.start()
        time.sleep(0.05)
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
        chain = AuditChain(tmp_path, KEYS)
        report = chain.verify()
        assert report.faults == ()
        # Each of them can have written one entry and not yet moved the anchor.
        assert 0 <= report.entries - (report.anchored or 0) <= killed

    chain.append("release_published")
    assert chain.verify().anchored == chain.verify().entries
