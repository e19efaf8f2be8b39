"""Disposal: gone, proved gone, certified; and what later runs make of it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from region_factory import (
    PLANTED,
    case_lines,
    cases_of,
    put,
    receive,
    region_content,
    rows_of,
    write_region,
)

from declarations.loader import load_region
from governance.audit import AuditChain
from governance.lifecycle import disposal, holds
from governance.lifecycle.certificates import certificate_faults, certificate_heads
from governance.lifecycle.disposal import Disposals, complete_started, dispose, require_done
from governance.lifecycle.marks import disposed, may_read
from governance.lifecycle.retention import due
from indicators.counting import count_source, counts_table
from indicators.tables import build_theme, theme_table, themes
from intake.admission import admit, admitted_table
from intake.location import locate, located_table
from publishing.derived import derive
from publishing.protection import protect_themes
from publishing.release import build_release
from publishing.release_tables import lineage_table

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

ORIGINALS_GO = dt.date(2026, 7, 19)
RECORDS_GO = dt.date(2027, 4, 20)
COUNTS_GO = dt.date(2028, 4, 19)
NORTH = "north_cases"


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


def chain_of(workspace: Workspace) -> AuditChain:
    return AuditChain(workspace.root / "audit", workspace.keys)


def purge(workspace: Workspace, day: dt.date) -> Disposals:
    items = due(workspace.declared, workspace.root, day, landing=workspace.landing)
    return dispose(
        workspace.root, items, chain=chain_of(workspace), day=day, by="Ann Example",
        landing=workspace.landing,
    )  # fmt: skip


def found_below(folder: Path, text: str) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


def other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.workspace.code_version", lambda: "anothercode1")


def run_after_the_gate(workspace: Workspace) -> None:
    for name in ("north_cases", "south_cases", "north_visits"):
        source = workspace.declared.sources[name]
        for period in workspace.expected_periods(source):
            locate(workspace, source, period)
            count_source(workspace, source, period, located_table(source))
    for theme in themes(workspace):
        build_theme(workspace, theme)
    protect_themes(workspace)
    derive(workspace)


def bytes_of(workspace: Workspace, zone: str) -> dict[str, bytes]:
    return {
        p.relative_to(workspace.root).as_posix(): p.read_bytes()
        for p in (workspace.root / zone).rglob("*.parquet")
    }


def test_originals_and_landed_copies_are_gone_and_certified(finished_copy: Workspace) -> None:
    above = finished_copy.data_dir.parent
    assert found_below(above, PLANTED["name"]) == ["cases_2026-03.csv"]

    outcome = purge(finished_copy, ORIGINALS_GO)

    assert (outcome.failures, outcome.held, len(outcome.certificates)) == ([], [], 5)
    assert found_below(above, PLANTED["name"]) == []
    assert not list((finished_copy.landing / NORTH).iterdir())
    assert not list((finished_copy.root / "received" / NORTH).rglob("*.sealed"))
    assert list((finished_copy.root / "received" / NORTH).rglob("delivery.json"))
    assert not list(finished_copy.data_dir.rglob(".disposing-*"))
    assert certificate_faults(finished_copy.root, chain_of(finished_copy)) == []
    report = chain_of(finished_copy).verify(certificate_heads(finished_copy.root))
    assert report.faults == ()


def test_a_certificate_says_what_when_by_whom_and_how(finished_copy: Workspace) -> None:
    outcome = purge(finished_copy, ORIGINALS_GO)

    texts = [p.with_suffix(".json").read_text() for p in outcome.certificates]
    (said,) = [c for c in map(json.loads, texts) if c["source_id"] == NORTH]
    assert said["agreements"] == ["DSA-TM-001"]
    assert (said["clause"], said["due_since"]) == ("retention.received_days", "2026-07-19")
    assert (said["rows"], said["by"], said["verified_absent"]) == (16, "Ann Example", True)
    assert said["account"]
    assert [len(f["sha256"]) for f in said["files"]] == [64, 64]
    assert sum(f["bytes"] for f in said["files"]) == said["bytes"]
    entries = [e for e in chain_of(finished_copy).entries() if e["event"] == "disposed"]
    assert said["audit_head"] in {e["hash"] for e in entries}
    page = next(p for p in outcome.certificates if p.stem == said["certificate"]).read_text()
    assert "Verified absent" in page
    assert "retention.received_days" in page
    assert "<script" not in page


def test_a_changed_or_missing_certificate_is_found(finished_copy: Workspace) -> None:
    outcome = purge(finished_copy, ORIGINALS_GO)
    changed, missing = (p.with_suffix(".json") for p in outcome.certificates[:2])
    changed.write_text(changed.read_text().replace("Ann Example", "Somebody Else"))
    missing.unlink()

    faults = certificate_faults(finished_copy.root, chain_of(finished_copy))
    assert sorted(faults) == sorted(
        [f"the certificate {changed.stem} is not the one the chain knows",
         f"the certificate {missing.stem} is gone"]
    )  # fmt: skip


def test_disposing_twice_does_nothing_more(finished_copy: Workspace) -> None:
    purge(finished_copy, ORIGINALS_GO)
    entries = len(list(chain_of(finished_copy).entries()))

    assert purge(finished_copy, ORIGINALS_GO) == Disposals()
    assert len(list(chain_of(finished_copy).entries())) == entries


def test_a_landed_copy_put_back_later_is_due_by_itself(finished_copy: Workspace) -> None:
    landed = finished_copy.landing / NORTH / "cases_2026-03.csv"
    content = landed.read_bytes()
    purge(finished_copy, ORIGINALS_GO)
    landed.write_bytes(content)

    outcome = purge(finished_copy, ORIGINALS_GO)
    assert (len(outcome.certificates), landed.exists()) == (1, False)


def test_a_copy_elsewhere_forbids_the_certificate_until_it_is_gone(
    finished_copy: Workspace,
) -> None:
    stray = finished_copy.root / "quality" / "copy.csv"
    stray.write_bytes((finished_copy.landing / NORTH / "cases_2026-03.csv").read_bytes())

    outcome = purge(finished_copy, ORIGINALS_GO)

    assert len(outcome.certificates) == 4
    (failure,) = outcome.failures
    assert "quality/copy.csv" in failure
    with pytest.raises(disposal.StorageError, match="not gone"):
        require_done(outcome)
    stray.unlink()
    again = complete_started(
        finished_copy.root, chain_of(finished_copy), landing=finished_copy.landing
    )
    assert (len(again.certificates), again.failures) == (1, [])
    require_done(again)


def test_what_cannot_be_removed_is_said_and_tried_again(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("governance.lifecycle.disposal.wipe", refuse)
        outcome = purge(finished_copy, ORIGINALS_GO)
    assert outcome.certificates == []
    assert all("cannot be removed (Permission denied)" in line for line in outcome.failures)
    assert len(outcome.failures) == 5

    again = complete_started(
        finished_copy.root, chain_of(finished_copy), landing=finished_copy.landing
    )
    assert (len(again.certificates), again.failures) == (5, [])


def test_another_agencys_delivery_of_the_same_bytes_stays_and_is_named(
    finished_copy: Workspace,
) -> None:
    root = finished_copy.root
    (mine,) = (root / "received" / "north_visits" / "2026-01").glob("v001-*")
    other = root / "received" / "another_source" / "2026-01" / mine.name
    shutil.copytree(mine, other)

    outcome = purge(finished_copy, ORIGINALS_GO)

    assert outcome.failures == []
    said = [json.loads(p.with_suffix(".json").read_text()) for p in outcome.certificates]
    named = [c["same_bytes_with_own_clock"] for c in said if c["same_bytes_with_own_clock"]]
    assert len(named) == 1
    assert named[0][0].startswith("received/another_source/2026-01/")
    assert list(other.glob("*.sealed"))


def test_a_hold_stops_disposal_and_lifting_it_lets_it_go(finished_copy: Workspace) -> None:
    root, chain = finished_copy.root, chain_of(finished_copy)
    hold = holds.add(
        root, chain, agreement="DSA-TM-001", source=None, period=None, reason="complaint",
        by="Sam Example", day=ORIGINALS_GO,
    )  # fmt: skip

    assert len(purge(finished_copy, ORIGINALS_GO).certificates) == 4
    assert list((root / "received" / NORTH).rglob("*.sealed"))
    holds.lift(root, chain, hold.id, reason="closed", by="Sam Example", day=ORIGINALS_GO)
    assert len(purge(finished_copy, ORIGINALS_GO).certificates) == 1
    assert not list((root / "received" / NORTH).rglob("*.sealed"))


def test_a_hold_stops_what_was_begun_but_not_yet_touched(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("governance.lifecycle.disposal.complete_started", lambda *a, **k: Disposals())
        purge(finished_copy, ORIGINALS_GO)
    root, chain = finished_copy.root, chain_of(finished_copy)
    holds.add(
        root, chain, agreement="DSA-TM-001", source=None, period=None, reason="complaint",
        by="Sam Example", day=ORIGINALS_GO,
    )  # fmt: skip

    outcome = complete_started(root, chain, landing=finished_copy.landing)

    assert len(outcome.certificates) == 4
    (held,) = outcome.held
    assert "held since 2026-07-19 by Sam Example" in held
    assert list((root / "received" / NORTH).rglob("*.sealed"))
    assert complete_started(root, chain, landing=finished_copy.landing) == Disposals()


def test_marks_say_which_zones_are_gone(finished_copy: Workspace) -> None:
    root = finished_copy.root
    assert disposed(root, NORTH, "2026-03") == frozenset()
    assert may_read(root, NORTH, "2026-03", 1)

    for day, gone in (
        (ORIGINALS_GO, {"received"}),
        (RECORDS_GO, {"received", "restricted"}),
        (COUNTS_GO, {"received", "restricted", "linked"}),
    ):
        purge(finished_copy, day)
        assert disposed(root, NORTH, "2026-03") == gone
        assert not may_read(root, NORTH, "2026-03", 1)
    assert disposed(root, NORTH, "2026-02") == frozenset()


def test_after_originals_went_other_code_leaves_the_tables(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    purge(finished_copy, ORIGINALS_GO)
    source = finished_copy.declared.sources[NORTH]
    before = rows_of(finished_copy, counts_table(source), "2026-03")
    other_code(monkeypatch)

    run_after_the_gate(finished_copy)

    assert rows_of(finished_copy, counts_table(source), "2026-03") == before
    assert before


def test_after_records_went_counts_stay_and_are_released(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    purge(finished_copy, RECORDS_GO)
    assert bytes_of(finished_copy, "restricted").keys() == {
        k for k in bytes_of(finished_copy, "restricted")
        if not any(s in k for s in ("north_cases", "south_cases", "north_visits"))
    }  # fmt: skip
    counts = {k: v for k, v in bytes_of(finished_copy, "linked").items() if "counts_north" in k}
    other_code(monkeypatch)

    run_after_the_gate(finished_copy)
    outcome = build_release(finished_copy)

    kept = {k: v for k, v in bytes_of(finished_copy, "linked").items() if "counts_north" in k}
    assert kept == counts != {}
    lineage = {r["source_id"] for r in lineage_table(finished_copy).to_pylist()}
    assert {"north_cases", "south_cases", "north_visits"} <= lineage
    assert outcome.outcome == "published"


def test_after_counts_went_no_run_makes_them_again(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the agreement lets records stay longer than counts."""
    content = region_content()
    for name in ("DSA-TM-001", "DSA-TM-002", "DSA-TM-003"):
        content[f"agreements/{name}.yaml"]["retention"] = {
            "received_days": 900, "restricted_days": 900, "linked_days": 30
        }  # fmt: skip
    folder = finished_copy.data_dir.parent / "short"
    workspace = replace(finished_copy, declared=load_region(write_region(folder, content)))
    purge(workspace, dt.date(2026, 5, 20))
    source = workspace.declared.sources[NORTH]
    assert workspace.lake.path(located_table(source), "2026-03").is_file()
    assert not workspace.lake.path(theme_table("social_care")).exists()
    other_code(monkeypatch)

    run_after_the_gate(workspace)

    assert not workspace.lake.path(counts_table(source), "2026-03").exists()
    state = workspace.lake.state(counts_table(source), "2026-03")
    assert state is not None
    assert state.reason == "disposed of on 2026-05-20 under DSA-TM-001, retention.linked_days"
    rates = rows_of(workspace, theme_table("social_care"))
    northern = [r for r in rates if r["lad24cd"] == "E08990001"]
    assert all(r["numerator"] is None for r in northern)


def test_a_later_delivery_of_the_month_is_counted_again(finished_copy: Workspace) -> None:
    purge(finished_copy, COUNTS_GO)
    source = finished_copy.declared.sources[NORTH]
    run_after_the_gate(finished_copy)
    assert rows_of(finished_copy, counts_table(source), "2026-03") == []
    put(
        finished_copy.landing, NORTH, "cases_2026-03_v2.csv",
        case_lines(cases_of(["E01990002"])), day=dt.date(2026, 5, 4),
    )  # fmt: skip
    receive(finished_copy, NORTH)

    admit(finished_copy, source, "2026-03")
    run_after_the_gate(finished_copy)

    assert disposed(finished_copy.root, NORTH, "2026-03") == frozenset()
    assert rows_of(finished_copy, admitted_table(source), "2026-03")
    opened = [
        r["value"] for r in rows_of(finished_copy, counts_table(source), "2026-03")
        if r["measure"] == "cases_opened"
    ]  # fmt: skip
    assert sum(opened) == 13
    assert may_read(finished_copy.root, NORTH, "2026-03", 2)
    assert not may_read(finished_copy.root, NORTH, "2026-03", 1)


def test_a_refusal_of_the_gate_removes_what_disposal_left(finished_copy: Workspace) -> None:
    purge(finished_copy, RECORDS_GO)
    source = finished_copy.declared.sources[NORTH]
    assert rows_of(finished_copy, counts_table(source), "2026-03")
    content = region_content()
    content["agreements/DSA-TM-001.yaml"]["expiry_date"] = dt.date(2026, 1, 31)
    folder = finished_copy.data_dir.parent / "ended"
    ended = replace(finished_copy, declared=load_region(write_region(folder, content)))

    admit(ended, source, "2026-03")
    run_after_the_gate(ended)

    assert rows_of(ended, counts_table(source), "2026-03") == []


def test_a_table_made_anew_between_is_not_removed(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disposal that was begun takes what it had seen, and nothing that came to stand there."""
    with monkeypatch.context() as patch:
        patch.setattr("governance.lifecycle.disposal.complete_started", lambda *a, **k: Disposals())
        purge(finished_copy, COUNTS_GO)
    path = finished_copy.root / "linked" / "counts_north_cases" / "2026-03.parquet"
    path.write_bytes(b"another table")

    complete_started(finished_copy.root, chain_of(finished_copy), landing=finished_copy.landing)

    assert path.read_bytes() == b"another table"
    assert not list((finished_copy.root / "linked" / "counts_south_cases").glob("*.parquet"))


def test_records_are_nowhere_after_their_disposal(
    finished_copy: Workspace, texts: Callable[[Workspace], str]
) -> None:
    purge(finished_copy, RECORDS_GO)

    assert not list(finished_copy.root.glob("restricted/*_north_cases/*.parquet"))
    assert PLANTED["name"] not in texts(finished_copy)


@pytest.fixture
def texts() -> Callable[[Workspace], str]:
    from region_factory import texts_below

    return lambda workspace: "\n".join(text for _, text in texts_below(workspace))
