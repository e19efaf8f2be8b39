"""Every release is put on the ledger once, before it can be read; the next is judged with it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from exposed_region import WITHHELD_NOTES, deliver, into_one_msoa, make_exposed, rows_of_release
from kill_points import killed_at, steps_of
from region_factory import NORTH, SOUTH, make_workspace, region_content, run_all, workspace_of

from declarations.errors import DisclosureError
from governance.disclosure.known.ledger import GENESIS
from publishing import release
from publishing.manifest import MANIFEST_NAME
from publishing.protection import protect_themes
from publishing.protection.findings import attack_facts, read_statements, refuse_unless_attacked
from publishing.protection.past_releases import ledger_faults, ledger_of
from publishing.release import ReleaseOutcome, build_release
from publishing.trust import release_faults
from warehouse.keys import KeyRing
from warehouse.workspace import Workspace

Released = tuple[Workspace, ReleaseOutcome]
FOUR, FIVE, SIX, ELSEWHERE = "E01990004", "E01990005", "E01990006", "E01990003"

BEFORE = {FOUR: 3, FIVE: 24, SIX: 1, ELSEWHERE: 0}
CORRECTED = {FOUR: 2, FIVE: 24, SIX: 1, ELSEWHERE: 1}
"""One person had been placed in the wrong neighbourhood. The MSOA of the first three falls from 28,
shown as 30, to 27, shown as 25; so the first fell, and 4 of now would be 5 of then, which is not
hidden: it is 0 to 3."""

KILLS = 12


def content(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def on_ledger(workspace: Workspace) -> list[str]:
    return [entry.release_id for entry in ledger_of(workspace).releases()]


def withheld(folder: Path) -> set[str]:
    """Return where cases opened are withheld beyond what the profile hides."""
    return {
        r["geography_code"]
        for r in rows_of_release(folder, "observations")
        if r["indicator_id"] == "T01" and WITHHELD_NOTES & set(r["note_id"].split(","))
    }


@pytest.fixture
def approved(exposed: Released, tmp_path: Path) -> tuple[Workspace, str]:
    """Return the exposed region with an approved candidate that is not yet published."""
    source = exposed[0].data_dir.parent
    for part in ("landing", "data"):
        shutil.copytree(source / part, tmp_path / part, symlinks=True)
    for part in ("published", "candidates", "ledger", "audit"):
        shutil.rmtree(tmp_path / "data" / "testmere" / part)
    declared = make_workspace(tmp_path / "again", region_content(standing_approval=None)).declared
    workspace = workspace_of(tmp_path, declared, tmp_path / "landing")
    candidate = build_release(workspace)
    assert candidate.outcome == "awaiting_approval"
    approve(workspace, candidate)
    return workspace, candidate.release_id


def approve(workspace: Workspace, candidate: ReleaseOutcome) -> None:
    for role, person in (("requester", "Ann Analyst"), ("approver", "Olu Officer")):
        release.approve(workspace, candidate.release_id, candidate.candidate_hash, role, person)  # type: ignore[arg-type]


def test_a_release_is_on_the_ledger_once(exposed: Released) -> None:
    assert on_ledger(exposed[0]) == [exposed[1].release_id]
    assert ledger_faults(exposed[0]) == []


def test_a_candidate_is_not_on_the_ledger(approved: tuple[Workspace, str]) -> None:
    assert on_ledger(approved[0]) == []


def test_it_is_on_the_ledger_before_it_can_be_read(
    approved: tuple[Workspace, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, release_id = approved
    seen: list[tuple[list[str], bool]] = []
    write = release._write_manifest

    def watched(*arguments: Any) -> None:
        seen.append((on_ledger(workspace), (workspace.root / "published" / release_id).exists()))
        write(*arguments)

    monkeypatch.setattr(release, "_write_manifest", watched)

    assert build_release(workspace).outcome == "published"
    assert seen == [([release_id], False)]


def test_a_run_killed_while_publishing_leaves_it_on_the_ledger_once(
    approved: tuple[Workspace, str], tmp_path: Path
) -> None:
    workspace, release_id = approved
    kept = tmp_path / "kept"
    shutil.copytree(workspace.root, kept, symlinks=True)

    def fresh() -> None:
        shutil.rmtree(workspace.root)
        shutil.copytree(kept, workspace.root, symlinks=True)

    steps = steps_of(lambda: build_release(workspace))
    assert steps > KILLS
    for number in range(1, steps + 1, max(1, steps // KILLS)):
        fresh()
        assert killed_at(number, lambda: build_release(workspace))
        published = workspace.root / "published" / release_id
        if (published / MANIFEST_NAME).is_file():
            assert on_ledger(workspace) == [release_id]

        outcome = build_release(workspace)
        if outcome.outcome == "awaiting_approval":
            # Half a manifest stood among its files: it was made anew, for people to look at again.
            assert on_ledger(workspace) == [release_id]
            approve(workspace, outcome)
            outcome = build_release(workspace)
        assert outcome.outcome in ("published", "current")

        assert on_ledger(workspace) == [release_id]
        assert ledger_faults(workspace) == []
        assert release_faults(workspace, published) == []


def test_the_same_inputs_again_are_current_and_add_nothing(exposed: Released) -> None:
    workspace, outcome = exposed
    before = content(workspace.root / "ledger")

    again = run_all(workspace)

    assert (again.outcome, again.release_id) == ("current", outcome.release_id)
    assert content(workspace.root / "ledger") == before


def test_another_key_makes_the_same_release_on_an_empty_ledger(
    exposed: Released, tmp_path: Path
) -> None:
    other = make_exposed(tmp_path, keys=KeyRing(b"another master key of 32 bytes!!"))

    outcome = run_all(other)

    assert outcome.release_id == exposed[1].release_id
    apart = {"lsoalink.duckdb", MANIFEST_NAME}  # DuckDB names each file at random
    files, others = (content(o.folder) for o in (exposed[1], outcome))
    assert {k: v for k, v in files.items() if k not in apart} == {
        k: v for k, v in others.items() if k not in apart
    }
    tokens = [
        set(read_statements(w).tokens.column("token").to_pylist()) for w in (exposed[0], other)
    ]
    assert tokens[0]
    assert tokens[0] & tokens[1] == set()


def test_a_release_that_came_in_between_stops_the_publication(
    approved: tuple[Workspace, str],
) -> None:
    workspace, _ = approved
    other = read_statements(workspace)
    changed = other.cells.slice(0, other.cells.num_rows - 1)
    ledger_of(workspace).append("2026-02-other", type(other)(**{**dict(other.items()),
                                                                "cells": changed}))  # fmt: skip

    with pytest.raises(DisclosureError, match="not attacked with every earlier release"):
        refuse_unless_attacked(workspace)
    with pytest.raises(DisclosureError, match="not attacked with every earlier release"):
        build_release(workspace)

    assert not (workspace.root / "published").exists()
    assert on_ledger(workspace) == ["2026-02-other"]


def test_without_its_ledger_nothing_is_attacked_or_published(
    exposed: Released, tmp_path: Path
) -> None:
    source = exposed[0].data_dir.parent
    for part in ("landing", "data"):
        shutil.copytree(source / part, tmp_path / part, symlinks=True)
    workspace = workspace_of(tmp_path, exposed[0].declared, tmp_path / "landing")
    shutil.rmtree(workspace.root / "ledger")

    assert ledger_faults(workspace)
    with pytest.raises(DisclosureError, match="ledger of releases is not whole"):
        protect_themes(workspace)
    with pytest.raises(DisclosureError, match="ledger of releases is not whole"):
        refuse_unless_attacked(workspace)


def test_a_ledger_cut_short_with_its_anchor_is_seen_by_the_audit_chain(
    corrected: tuple[Workspace, list[ReleaseOutcome]], tmp_path: Path
) -> None:
    before, _ = corrected
    shutil.copytree(before.data_dir, tmp_path / "data", symlinks=True)
    workspace = workspace_of(tmp_path, before.declared, before.landing)
    ledger = workspace.root / "ledger"
    (last,) = [p for p in ledger.iterdir() if p.name.startswith("000002")]
    shutil.rmtree(last)
    anchor = json.loads((ledger / "head.json").read_text(encoding="utf-8"))
    assert anchor
    (ledger / "head.json").unlink()

    with pytest.raises(DisclosureError, match="ledger of releases is not whole"):
        protect_themes(workspace)


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[ReleaseOutcome]]:
    """Release the region, and again after one person was found in another neighbourhood."""
    workspace = make_exposed(tmp_path_factory.mktemp("corrected"), BEFORE, districts=(NORTH, SOUTH))
    into_one_msoa(workspace)
    outcomes = [run_all(workspace)]
    deliver(workspace.landing, CORRECTED, districts=(NORTH, SOUTH))
    return workspace, [*outcomes, run_all(workspace)]


def test_a_correction_is_attacked_with_what_stood_before(
    corrected: tuple[Workspace, list[ReleaseOutcome]],
) -> None:
    workspace, (first, second) = corrected
    facts = attack_facts(workspace)
    earlier, said = (
        json.loads((r.folder / "certificate.json").read_text(encoding="utf-8"))["ledger"]
        for r in (first, second)
    )
    entries = ledger_of(workspace).releases()

    assert [e.release_id for e in entries] == [first.release_id, second.release_id]
    assert facts is not None
    assert facts.earlier == [first.release_id]
    assert said == {"head": entries[0].head, "earlier_releases": 1}
    assert entries[0].previous == GENESIS
    assert earlier == {"head": GENESIS, "earlier_releases": 0}


def test_old_and_new_figures_together_reveal_nothing(
    corrected: tuple[Workspace, list[ReleaseOutcome]], tmp_path: Path
) -> None:
    """Each is safe alone; where both are known the second must give up detail."""
    _, (first, second) = corrected
    alone = make_exposed(tmp_path, CORRECTED, districts=(NORTH, SOUTH))
    into_one_msoa(alone)
    unaware = run_all(alone)

    assert withheld(first.folder) == withheld(unaware.folder) == set()
    assert withheld(second.folder)
    assert possible(first.folder, unaware.folder) == {0, 1, 2, 3}
    assert possible(first.folder, second.folder) >= {0, 1, 2, 3, 4}


def possible(first: Path, second: Path) -> set[int]:
    """Return what the first neighbourhood's count may be now, by trying all counts.

    The counts of the other two are the same in both, as the attacker is credited with knowing.
    """
    most = 40

    def said(folder: Path) -> dict[str, range]:
        found = {}
        for table in ("observations", "combined_observations"):
            for row in rows_of_release(folder, table):
                is_withheld = WITHHELD_NOTES & set(row["note_id"].split(","))
                if row["indicator_id"] != "T01" or is_withheld:
                    continue
                shown = int(row["numerator"]) if row["numerator"] else None
                found[row["geography_code"]] = (
                    range(5) if shown is None else range(max(5, shown - 2), shown + 3)
                )
        return found

    was, now = said(first), said(second)
    anything = range(most)
    pair = now.get(f"{FOUR}+{FIVE}", now.get(f"{FOUR}+{SIX}"))
    partner = FIVE if f"{FOUR}+{FIVE}" in now else SIX
    found = set()
    for five in range(most):
        for six in range(most):
            if any(
                five not in said_then.get(FIVE, anything) or six not in said_then.get(SIX, anything)
                for said_then in (was, now)
            ):
                continue
            if not any(
                four in was[FOUR] and four + five + six in was["E02990003"] for four in range(5)
            ):
                continue
            found |= {
                four
                for four in range(most)
                if four in now.get(FOUR, anything)
                and four + five + six in now.get("E02990003", anything)
                and (pair is None or four + {FIVE: five, SIX: six}[partner] in pair)
            }
    return found
