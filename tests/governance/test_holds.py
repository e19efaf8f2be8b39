"""Legal holds: the audit chain says which stand, whatever happens to their files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from declarations.errors import ConfigurationError
from governance.audit import AuditChain
from governance.lifecycle import holds
from governance.lifecycle.disposal import dispose
from governance.lifecycle.retention import due
from warehouse.keys import KeyRing

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

KEYS = KeyRing(bytes(range(32)))
DAY = dt.date(2026, 5, 10)


@pytest.fixture
def chain(tmp_path: Path) -> AuditChain:
    return AuditChain(tmp_path / "audit")


def put(root: Path, chain: AuditChain, **on: str) -> holds.Hold:
    wanted: dict[str, str | None] = {"agreement": None, "source": None, "period": None, **on}
    return holds.add(
        root, chain, agreement=wanted["agreement"], source=wanted["source"],
        period=wanted["period"], reason="complaint 14", by="Sam Example", day=DAY,
    )  # fmt: skip


def test_a_hold_stands_until_it_is_lifted(tmp_path: Path, chain: AuditChain) -> None:
    hold = put(tmp_path, chain, agreement="DSA-A-01")

    assert holds.active(tmp_path) == [hold]
    assert hold.words() == f"held since 2026-05-10 by Sam Example ({hold.id})"
    holds.lift(tmp_path, chain, hold.id, reason="closed", by="Ann Example", day=DAY)
    assert holds.active(tmp_path) == []
    (ended,) = holds.all_holds(tmp_path)
    assert ended.lifted == "2026-05-10, Ann Example: closed"
    assert [e["event"] for e in chain.entries()] == ["hold_added", "hold_lifted"]


def test_a_hold_whose_file_is_gone_still_stands(tmp_path: Path, chain: AuditChain) -> None:
    hold = put(tmp_path, chain, source="north")
    (tmp_path / "governance" / "holds" / f"{hold.id}.json").unlink()

    assert holds.active(tmp_path) == [hold]


def test_a_hold_is_not_lifted_by_editing_its_file(tmp_path: Path, chain: AuditChain) -> None:
    hold = put(tmp_path, chain, source="north")
    path = tmp_path / "governance" / "holds" / f"{hold.id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"lifted": "by hand"}))

    assert [h.id for h in holds.active(tmp_path)] == [hold.id]


def test_a_hold_the_chain_knows_nothing_of_stands(tmp_path: Path, chain: AuditChain) -> None:
    hold = put(tmp_path, chain, source="north")
    chain.path.unlink()

    assert [h.id for h in holds.active(tmp_path)] == [hold.id]


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ({}, "one agreement or on one source"),
        ({"agreement": "DSA-A-01", "source": "north"}, "one agreement or on one source"),
        ({"agreement": "DSA-A-01", "period": "2026-03"}, "month is held of a source"),
    ],
)
def test_a_hold_on_nothing_or_on_too_much_is_refused(
    tmp_path: Path, chain: AuditChain, on: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        put(tmp_path, chain, **on)
    assert holds.all_holds(tmp_path) == []


def test_a_hold_needs_a_reason_and_a_name(tmp_path: Path, chain: AuditChain) -> None:
    for reason, by in ((" ", "Sam Example"), ("complaint", "")):
        with pytest.raises(ConfigurationError):
            holds.add(
                tmp_path, chain, agreement="DSA-A-01", source=None, period=None, reason=reason,
                by=by, day=DAY,
            )  # fmt: skip


def test_a_hold_cannot_be_lifted_twice_or_by_a_wrong_id(tmp_path: Path, chain: AuditChain) -> None:
    hold = put(tmp_path, chain, agreement="DSA-A-01")
    holds.lift(tmp_path, chain, hold.id, reason="closed", by="Ann Example", day=DAY)

    for name in (hold.id, "H-20260101-ffffff"):
        with pytest.raises(ConfigurationError, match="no standing hold"):
            holds.lift(tmp_path, chain, name, reason="closed", by="Ann Example", day=DAY)


@pytest.fixture
def sealed(tmp_path: Path) -> AuditChain:
    return AuditChain(tmp_path / "audit", KEYS)


def forge(root: Path, event: str, **facts: str) -> None:
    AuditChain(root / "audit").append(event, **facts)


def test_only_the_platform_lifts_a_hold(tmp_path: Path, sealed: AuditChain) -> None:
    hold = put(tmp_path, sealed, agreement="DSA-A-01")
    forge(tmp_path, "hold_lifted", hold=hold.id, words="2026-05-10, Sam Example: closed")

    assert holds.active(tmp_path, KEYS) == [hold]
    assert any("line 2 was not written by the platform" in f for f in sealed.verify().faults)
    holds.lift(tmp_path, sealed, hold.id, reason="closed", by="Ann Example", day=DAY)
    assert holds.active(tmp_path, KEYS) == []


def test_a_forged_end_of_a_hold_lets_nothing_be_disposed_of(finished_copy: Workspace) -> None:
    root, keys, day = finished_copy.root, finished_copy.keys, dt.date(2026, 7, 19)
    chain = AuditChain(root / "audit", keys)
    hold = put(root, chain, agreement="DSA-TM-001")
    forge(root, "hold_lifted", hold=hold.id, words="2026-05-10, Sam Example: closed")

    items = due(finished_copy.declared, root, day, landing=finished_copy.landing, keys=keys)
    (item,) = [i for i in items if i.hold is not None]
    assert item.agreements == ("DSA-TM-001",)
    # Nor where whoever asked what is due had no keys.
    items = due(finished_copy.declared, root, day, landing=finished_copy.landing)
    outcome = dispose(root, items, chain=chain, day=day, by="Ann Example")
    assert [hold.id in words for words in outcome.held] == [True]
    assert list((root / "received" / "north_cases").rglob("*.sealed"))
    assert any("not written by the platform" in f for f in chain.verify().faults)


def test_a_reader_without_keys_believes_what_the_chain_says(
    tmp_path: Path, sealed: AuditChain
) -> None:
    hold = put(tmp_path, sealed, agreement="DSA-A-01")
    forge(tmp_path, "hold_lifted", hold=hold.id, words="in words")

    assert holds.active(tmp_path) == []
    assert holds.active(tmp_path, KEYS.bundle(["parquet:testmere"]).ring()) == []


@pytest.mark.parametrize("other", ["the seal of its adding", "the lifting of another hold"])
def test_a_seal_of_another_entry_lifts_no_hold(
    tmp_path: Path, sealed: AuditChain, other: str
) -> None:
    hold = put(tmp_path, sealed, agreement="DSA-A-01")
    known = list(sealed.entries())[-1]
    if other == "the lifting of another hold":
        second = put(tmp_path, sealed, agreement="DSA-B-01")
        holds.lift(tmp_path, sealed, second.id, reason="closed", by="Ann Example", day=DAY)
        known = list(sealed.entries())[-1]
    false = {**known, "event": "hold_lifted", "hold": hold.id, "words": "in words"}
    with sealed.path.open("a") as file:
        file.write(json.dumps(false, sort_keys=True) + "\n")

    assert holds.active(tmp_path, KEYS) == [hold]


@pytest.mark.parametrize(
    "facts", [{"words": None}, {"words": ""}, {"words": 4}, {"words": "x", "hold": None}, {}]
)
@pytest.mark.parametrize("keys", [None, KEYS])
def test_a_malformed_end_of_a_hold_ends_nothing_and_is_found(
    tmp_path: Path, sealed: AuditChain, keys: KeyRing | None, facts: dict[str, Any]
) -> None:
    hold = put(tmp_path, sealed, agreement="DSA-A-01")
    forge(tmp_path, "hold_lifted", **{"hold": hold.id, **facts})

    assert holds.active(tmp_path, keys) == [hold]
    for reader in (sealed, AuditChain(tmp_path / "audit")):
        assert any("line 2 was not written by the platform" in f for f in reader.verify().faults)


def test_a_later_entry_does_not_narrow_a_hold(tmp_path: Path, sealed: AuditChain) -> None:
    hold = put(tmp_path, sealed, agreement="DSA-A-01")
    forge(tmp_path, "hold_added", hold=hold.id, source="north", period="2020-01", day="2026-05-10")

    assert holds.active(tmp_path, KEYS) == [hold]
    assert holds.active(tmp_path) == [hold]


def test_a_hold_written_by_hand_stands_however_it_is_written(
    tmp_path: Path, sealed: AuditChain
) -> None:
    forge(tmp_path, "hold_added", hold="H-1", agreement="DSA-A-01", day="some day")
    forge(tmp_path, "hold_added", agreement="DSA-B-01")
    forge(tmp_path, "hold_added", hold="H-2", day="2026-05-10")
    folder = tmp_path / "governance" / "holds"
    folder.mkdir(parents=True)
    (folder / "H-3.json").write_text('{"source": "north"}')

    assert sorted(h.id for h in holds.active(tmp_path, KEYS)) == ["H-1", "H-3"]


HELD = (
    #  on,                     agreement,  source,  months,        covered
    (("agreement", "DSA-A-01", ""), "DSA-A-01", "north", ("2026-03",), True),
    (("agreement", "DSA-A-01", ""), "DSA-B-01", "north", ("2026-03",), False),
    (("source", "north", ""), "DSA-B-01", "north", ("2026-03",), True),
    (("source", "north", ""), "DSA-B-01", "south", ("2026-03",), False),
    (("source", "north", "2026-03"), "DSA-B-01", "north", ("2026-03",), True),
    (("source", "north", "2026-03"), "DSA-B-01", "north", ("2026-04",), False),
    (("source", "north", "2026-03"), "DSA-B-01", "north", (), True),
)


@pytest.mark.parametrize(("on", "agreement", "source", "months", "covered"), HELD)
def test_what_a_hold_covers(
    tmp_path: Path, chain: AuditChain, on: tuple[str, str, str], agreement: str, source: str,
    months: tuple[str, ...], covered: bool,
) -> None:  # fmt: skip
    kind, name, period = on
    hold = put(tmp_path, chain, **{kind: name}, **({"period": period} if period else {}))

    found = holds.covering([hold], (agreement,), (source,), months)
    assert (found is hold) is covered
