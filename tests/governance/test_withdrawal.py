"""The stop button's record: what is withdrawn stays withdrawn, by the record or by the chain."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from region_factory import region_content, run_to_location

from declarations.agreements import Agreement
from declarations.errors import ConfigurationError
from governance.audit import AuditChain
from governance.lifecycle.withdrawal import Withdrawal, begin, dependents, sources_of, withdrawn
from indicators.plausibility.stage import PLAUSIBILITY, build_plausibility
from publishing.derived import DERIVED_TABLES

if TYPE_CHECKING:
    from conftest import Finished

    from warehouse.workspace import Workspace

DAY = dt.date(2026, 5, 10)
ID = "DSA-TM-001"


def agreement(**changes: Any) -> Agreement:
    return Agreement.model_validate({**region_content()[f"agreements/{ID}.yaml"], **changes})


def press(root: Path, **changes: Any) -> Withdrawal:
    return begin(
        root, AuditChain(root / "audit"), agreement(**changes), ("north_cases",),
        reason="the council asked for it", by="Sam Example", day=DAY,
    )  # fmt: skip


def test_a_withdrawal_is_in_the_record_and_in_the_chain(tmp_path: Path) -> None:
    record = press(tmp_path)

    assert withdrawn(tmp_path) == {ID: record}
    assert (record.day, record.dispose_on) == (DAY, dt.date(2026, 5, 24))
    assert (record.by, record.state) == ("Sam Example", "started")
    assert record.sentence() == (
        "DSA-TM-001 was withdrawn on 10 May 2026: the council asked for it."
    )
    (entry,) = AuditChain(tmp_path / "audit").entries()
    assert (entry["event"], entry["agreement"]) == ("agreement_withdrawn", ID)


@pytest.mark.parametrize("days", [0, 1, 90])
def test_its_disposal_is_due_when_the_agreement_says(tmp_path: Path, days: int) -> None:
    retention = {
        "received_days": 90, "restricted_days": 90, "linked_days": 90,
        "after_withdrawal_days": days,
    }  # fmt: skip
    assert press(tmp_path, retention=retention).dispose_on == DAY + dt.timedelta(days=days)


def test_nothing_is_withdrawn_where_nothing_was(tmp_path: Path) -> None:
    assert withdrawn(tmp_path) == {}
    AuditChain(tmp_path / "audit").append("gate_decision", agreement=ID)
    assert withdrawn(tmp_path) == {}


def test_removing_the_record_does_not_undo_it(tmp_path: Path) -> None:
    record = press(tmp_path)
    (tmp_path / "governance" / "withdrawals" / f"{ID}.json").unlink()

    assert withdrawn(tmp_path) == {ID: record}


def test_removing_the_chain_does_not_undo_it(tmp_path: Path) -> None:
    record = press(tmp_path)
    (tmp_path / "audit" / "audit.jsonl").unlink()

    assert withdrawn(tmp_path) == {ID: record}


FACTS = {
    "agreement": ID, "version": "1.0", "reason": "asked for", "by": "Sam Example", "account": "x",
    "moment": "2026-05-10T00:00:00+00:00", "day": "2026-05-10", "dispose_on": "2026-05-24",
    "sources": ["north_cases"],
}  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{}, {"day": "x"}, {"dispose_on": 4}, {"reason": None}, {"sources": [1]}]
)
def test_an_entry_without_a_seal_or_sense_withdraws_all_the_same(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    AuditChain(tmp_path / "audit").append("agreement_withdrawn", **{**FACTS, **changes})

    (record,) = withdrawn(tmp_path).values()
    assert (record.agreement, record.state) == (ID, "started")
    assert record.sentence().startswith(f"{ID} was withdrawn on")


@pytest.mark.parametrize("name", [None, 4, ["a"], {"a": "b"}, "../elsewhere", ""])
def test_an_entry_that_names_no_agreement_withdraws_none(tmp_path: Path, name: Any) -> None:
    chain = AuditChain(tmp_path / "audit")
    chain.append("agreement_withdrawn", **{**FACTS, "agreement": name})
    with chain.path.open("a") as file:
        file.write('["agreement_withdrawn"]\n')

    assert withdrawn(tmp_path) == {}


def test_a_later_entry_does_not_put_off_the_day_of_disposal(tmp_path: Path) -> None:
    record = press(tmp_path)
    (tmp_path / "governance" / "withdrawals" / f"{ID}.json").unlink()
    false = {**FACTS, "dispose_on": "2999-01-01", "state": "done"}
    AuditChain(tmp_path / "audit").append("agreement_withdrawn", **false)

    assert withdrawn(tmp_path) == {ID: record}


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_record_that_cannot_be_read_withdraws_all_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "governance" / "withdrawals" / f"{ID}.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)

    assert set(withdrawn(tmp_path)) == {ID}


def test_it_is_seen_at_once_whatever_was_asked_before(tmp_path: Path) -> None:
    """Only what is new of the chain is read again, and a chain that shrank is read anew."""
    chain = AuditChain(tmp_path / "audit")
    chain.append("gate_decision", agreement=ID)
    assert withdrawn(tmp_path) == {}
    press(tmp_path)
    (tmp_path / "governance" / "withdrawals" / f"{ID}.json").unlink()
    assert set(withdrawn(tmp_path)) == {ID}
    text = chain.path.read_text()
    chain.path.write_text(text.splitlines(keepends=True)[0])
    assert withdrawn(tmp_path) == {}
    with chain.path.open("a") as file:
        file.write(text.splitlines(keepends=True)[1])
    assert set(withdrawn(tmp_path)) == {ID}


def test_it_cannot_be_pressed_twice(tmp_path: Path) -> None:
    press(tmp_path)

    with pytest.raises(ConfigurationError, match="takes a new agreement"):
        press(tmp_path)
    assert len(list(AuditChain(tmp_path / "audit").entries())) == 1


@pytest.mark.parametrize(("reason", "by"), [("", "Sam Example"), ("asked for", "  ")])
def test_it_needs_a_reason_and_a_name(tmp_path: Path, reason: str, by: str) -> None:
    with pytest.raises(ConfigurationError, match="is empty"):
        begin(
            tmp_path, AuditChain(tmp_path / "audit"), agreement(), (), reason=reason, by=by, day=DAY
        )
    assert withdrawn(tmp_path) == {}


@pytest.mark.parametrize(
    ("agreement_id", "sources", "indicators", "tables"),
    [
        # The composite T04 rests on both themes.
        ("DSA-TM-001", ("north_cases",), ("T01", "T02", "T04"), {"indicator_social_care"}),
        ("DSA-TM-003", ("north_visits",), ("T03", "T04"), {"indicator_digital_inclusion"}),
    ],
)
def test_what_depends_on_an_agreement(
    finished: Finished, agreement_id: str, sources: tuple[str, ...], indicators: tuple[str, ...],
    tables: set[str],
) -> None:  # fmt: skip
    workspace = finished.workspace
    assert sources_of(workspace.declared, agreement_id) == sources

    found = dependents(workspace.declared, workspace.root, workspace.landing, agreement_id, sources)
    assert (found.sources, found.indicators) == (sources, indicators)
    derived = {"derived_observations", *(f"derived_{name}" for name in DERIVED_TABLES)}
    assert {p.parent.name for p in found.derived} == {
        *tables, *derived, "protected_observations", "protected_combined", "attack",
        "attacked_counts", "withheld_figures", "statements_definitions",
        "statements_definition_parts", "statements_cells", "statements_members",
        "statements_tokens",
    }  # fmt: skip
    assert {p.zone for p in found.partitions} == {"restricted", "linked"}
    assert {p.table.split("_", 1)[1] for p in found.partitions} == set(sources)
    assert [r.folder.name for r in found.releases] == [finished.outcome.release_id]
    assert {d.source_id for d in found.originals} == {s for s, _ in found.landed} == set(sources)


def test_counts_held_against_each_other_go_with_any_source_behind_them(mere: Workspace) -> None:
    run_to_location(mere)
    build_plausibility(mere)

    for sources, found in ((("north_cases",), True), (("changes",), False), ((), False)):
        tables = dependents(mere.declared, mere.root, mere.landing, "DSA-TM-001", sources).derived
        assert (mere.lake.path(PLAUSIBILITY) in tables) is found


def test_nothing_depends_on_an_agreement_without_deliveries(finished: Finished) -> None:
    workspace = finished.workspace
    found = dependents(workspace.declared, workspace.root, workspace.landing, "DSA-NO-1", ())

    assert not found.anything


def test_a_source_that_came_under_another_agreement_since_is_not_touched(
    finished: Finished,
) -> None:
    record = Withdrawal(
        "DSA-OLD-1", "1.0", "ended", "Sam Example", "account", "2026-05-10", DAY, DAY,
        sources=("north_cases", "gone_source"),
    )  # fmt: skip

    assert sources_of(finished.workspace.declared, record) == ("gone_source",)


def test_the_record_is_for_the_platforms_account_alone(tmp_path: Path) -> None:
    press(tmp_path)
    path = tmp_path / "governance" / "withdrawals" / f"{ID}.json"

    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["sources"] == ["north_cases"]
