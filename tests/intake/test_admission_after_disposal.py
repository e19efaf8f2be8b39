"""After disposal: the gate keeps what may stay, takes what is new, removes what it refuses."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from region_factory import (
    case_lines,
    put,
    region_content,
    rows_of,
    run_to_protection,
    write_region,
)

from declarations.loader import load_region
from governance.audit import AuditChain
from governance.lifecycle.disposal import dispose
from governance.lifecycle.retention import due
from indicators.counting import counts_table
from intake.admission import admitted_table
from pipelines.stewardship import complete_begun, withdraw
from publishing.release import build_release

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

ORIGINALS_GO, RECORDS_GO = dt.date(2026, 7, 19), dt.date(2027, 4, 20)


def purge(workspace: Workspace, day: dt.date) -> None:
    items = due(workspace.declared, workspace.root, day, landing=workspace.landing)
    chain = AuditChain(workspace.root / "audit", workspace.keys)
    outcome = dispose(
        workspace.root, items, chain=chain, day=day, by="Ann Example", landing=workspace.landing
    )
    assert outcome.failures == []


def entries(workspace: Workspace) -> int:
    return len(list(AuditChain(workspace.root / "audit").entries()))


@pytest.mark.parametrize(("day", "left"), [(ORIGINALS_GO, 16), (RECORDS_GO, 0)])
def test_other_code_leaves_what_cannot_be_made_again(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch, day: dt.date, left: int
) -> None:
    purge(finished_copy, day)
    source = finished_copy.declared.sources["north_cases"]
    counts = rows_of(finished_copy, counts_table(source), "2026-03")
    monkeypatch.setattr("warehouse.workspace.code_version", lambda: "anothercode1")

    run_to_protection(finished_copy)

    assert len(rows_of(finished_copy, admitted_table(source), "2026-03")) == left
    assert rows_of(finished_copy, counts_table(source), "2026-03") == counts != []
    assert build_release(finished_copy).outcome == "published"
    before = entries(finished_copy)
    run_to_protection(finished_copy)
    assert entries(finished_copy) == before


def test_a_bad_second_version_leaves_the_first_whose_original_is_gone(
    finished_copy: Workspace,
) -> None:
    purge(finished_copy, ORIGINALS_GO)
    source = finished_copy.declared.sources["north_cases"]
    put(
        finished_copy.landing, "north_cases", "cases_2026-03_v2.csv",
        case_lines([{"service": "nonsense"}] * 3), day=dt.date(2026, 5, 4),
    )  # fmt: skip

    run_to_protection(finished_copy)

    assert len(rows_of(finished_copy, admitted_table(source), "2026-03")) == 16
    records = finished_copy.root / "quality" / "records" / "decisions"
    content = json.loads((records / "north_cases" / "2026-03.json").read_text())
    assert [d["decision"] for d in content["decisions"]] == ["quarantined", "trimmed"]
    build_release(finished_copy)


def test_a_refusal_removes_what_disposal_left(finished_copy: Workspace) -> None:
    purge(finished_copy, ORIGINALS_GO)
    content = region_content()
    content["agreements/DSA-TM-001.yaml"]["expiry_date"] = dt.date(2026, 1, 31)
    folder = finished_copy.data_dir.parent / "ended"
    ended = replace(finished_copy, declared=load_region(write_region(folder, content)))

    run_to_protection(ended)

    source = ended.declared.sources["north_cases"]
    assert rows_of(ended, admitted_table(source), "2026-03") == []
    assert rows_of(ended, counts_table(source), "2026-03") == []


def test_a_withdrawn_agreement_stays_out_of_run_after_run(finished_copy: Workspace) -> None:
    withdraw(finished_copy, "DSA-TM-001", reason="asked for", by="Sam Example")

    run_to_protection(finished_copy)

    source = finished_copy.declared.sources["north_cases"]
    assert rows_of(finished_copy, counts_table(source), "2026-03") == []
    assert build_release(finished_copy).outcome == "published"
    complete_begun(finished_copy)
    before = entries(finished_copy)
    run_to_protection(finished_copy)
    build_release(finished_copy)
    complete_begun(finished_copy)
    assert entries(finished_copy) == before
