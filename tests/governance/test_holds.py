"""Legal holds: the audit chain says which stand, whatever happens to their files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from declarations.errors import ConfigurationError
from governance.audit import AuditChain
from governance.lifecycle import holds

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
