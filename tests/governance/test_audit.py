"""The audit chain: whatever is done to a line of it is found."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from declarations.errors import StorageError
from governance import audit
from governance.audit import GENESIS, AuditChain


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
