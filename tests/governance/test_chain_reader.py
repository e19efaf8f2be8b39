"""The reader that follows the audit chain: it reads what is new once, and nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from governance.audit import AuditChain
from governance.chain_reader import ChainReader
from governance.signatures import agreements_bound


def numbers(found: tuple[int, ...], entry: dict[str, Any]) -> tuple[int, ...]:
    return (*found, int(entry["number"]))


@pytest.fixture
def reader() -> ChainReader[tuple[int, ...]]:
    return ChainReader(b'"counted"', (), numbers)


def test_a_region_without_a_chain_adds_up_to_nothing(
    tmp_path: Path, reader: ChainReader[tuple[int, ...]]
) -> None:
    assert reader.read(tmp_path) == ()


def test_every_line_is_taken_once_and_only_those_with_the_mark(
    tmp_path: Path, reader: ChainReader[tuple[int, ...]]
) -> None:
    chain = AuditChain(tmp_path / "audit")
    chain.append("counted", number=1)
    chain.append("another", number=2)
    first = reader.read(tmp_path)
    chain.append("counted", number=3)

    assert (first, reader.read(tmp_path), reader.read(tmp_path)) == ((1,), (1, 3), (1, 3))


def test_half_a_line_waits_for_its_end(
    tmp_path: Path, reader: ChainReader[tuple[int, ...]]
) -> None:
    path = tmp_path / "audit" / "audit.jsonl"
    path.parent.mkdir()
    path.write_text('{"event": "counted", "num')
    assert reader.read(tmp_path) == ()
    with path.open("a") as file:
        file.write('ber": 7}\n')

    assert reader.read(tmp_path) == (7,)


@pytest.mark.parametrize("line", ['{"counted"', '["counted"]', '"counted"', "[" * 100_000])
def test_a_line_that_is_no_entry_adds_nothing(
    tmp_path: Path, reader: ChainReader[tuple[int, ...]], line: str
) -> None:
    path = tmp_path / "audit" / "audit.jsonl"
    path.parent.mkdir()
    path.write_text(f'{line} "counted"\n{line}\n{{"event": "counted", "number": 4}}\n')

    assert reader.read(tmp_path) == (4,)


def test_a_file_put_in_its_place_is_read_from_its_start(
    tmp_path: Path, reader: ChainReader[tuple[int, ...]]
) -> None:
    path = tmp_path / "audit" / "audit.jsonl"
    AuditChain(path.parent).append("counted", number=1)
    assert reader.read(tmp_path) == (1,)
    other = AuditChain(tmp_path / "other")
    for number in (8, 9):
        other.append("counted", number=number)
    other.path.replace(path)

    assert reader.read(tmp_path) == (8, 9)


def test_two_regions_are_kept_apart(tmp_path: Path, reader: ChainReader[tuple[int, ...]]) -> None:
    AuditChain(tmp_path / "a" / "audit").append("counted", number=1)
    AuditChain(tmp_path / "b" / "audit").append("counted", number=2)

    assert (reader.read(tmp_path / "a"), reader.read(tmp_path / "b")) == ((1,), (2,))


def test_an_agreement_is_bound_once_the_gate_decided_under_a_bound_signature(
    tmp_path: Path,
) -> None:
    chain = AuditChain(tmp_path / "audit")
    chain.append("gate_decision", agreement="DSA-A", signatures_bound=False)
    assert agreements_bound(tmp_path) == frozenset()
    chain.append("gate_decision", agreement="DSA-B", signatures_bound=True)
    chain.append("gate_decision", agreement="DSA-B", signatures_bound=False)

    assert agreements_bound(tmp_path) == {"DSA-B"}


@pytest.mark.parametrize("agreement", [None, 4, ["DSA-A"]])
def test_a_decision_that_names_no_agreement_binds_none(tmp_path: Path, agreement: Any) -> None:
    AuditChain(tmp_path / "audit").append(
        "gate_decision", agreement=agreement, signatures_bound=True
    )

    assert agreements_bound(tmp_path) == frozenset()
