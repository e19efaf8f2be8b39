"""Every live check: green on a finished region, red on a spoilt copy, and could not run on none."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from region_factory import make_workspace, region_content

from declarations.agreements import Agreement
from governance.audit import AuditChain
from governance.controls.catalogue import CATALOGUE, check_controls, run_controls
from governance.controls.model import ControlResult, Verdict
from governance.lifecycle.holdings import releases
from pipelines.regions import bundled, open_region
from warehouse.workspace import Workspace


def outcome(workspace: Workspace, name: str) -> ControlResult:
    return run_controls(workspace, [name])[name]


def changed(workspace: Workspace, agreement: str, **changes: Any) -> Workspace:
    """Return the same data under an agreement that says something else."""
    agreements = dict(workspace.declared.agreements)
    content = agreements[agreement].model_dump(by_alias=True)
    agreements[agreement] = Agreement.model_validate({**content, **changes})
    return replace(workspace, declared=replace(workspace.declared, agreements=agreements))


def release(workspace: Workspace) -> Path:
    return releases(workspace.root)[-1].folder


def writable(path: Path) -> Path:
    path.parent.chmod(0o755)
    if path.exists():
        path.chmod(0o644)
    return path


def sources_of(workspace: Workspace, agreement: str, **changes: Any) -> list[dict[str, Any]]:
    whole = workspace.declared.agreements[agreement].model_dump(by_alias=True)["sources"]
    whole[0].update(changes)
    return whole


def health(workspace: Workspace, **changes: Any) -> Workspace:
    """Return the region with its northern cases as care records, and evidence of everything."""
    agency = workspace.declared.sources["north_cases"].agency
    given = {
        "sources": sources_of(workspace, "DSA-TM-001", health_or_care=True),
        "confidentiality_basis": "Made up",
        "opt_out": {"applied": "yes", "reason": "Made up", "date": dt.date(2025, 1, 1)},
        "dspt": [{"organisation": agency, "status": "standards_met",
                  "expires": dt.date(2026, 6, 30)}],
        **changes,
    }  # fmt: skip
    return changed(workspace, "DSA-TM-001", **given)


def with_reviews(workspace: Workspace, day: dt.date) -> Workspace:
    for name in ("DSA-TM-001", "DSA-TM-002", "DSA-TM-003"):
        workspace = changed(workspace, name, review_date=day, privacy_notice="p", complaints="c")
    return workspace


def signed(workspace: Workspace) -> Workspace:
    for name in ("DSA-TM-001", "DSA-TM-002", "DSA-TM-003"):
        agreement = workspace.declared.agreements[name]
        content = agreement.model_dump(by_alias=True)["signatories"]
        bound = [{**s, "signed_sha256": agreement.text_sha256()} for s in content]
        workspace = changed(workspace, name, signatories=bound)
    return workspace


def ended(workspace: Workspace) -> Workspace:
    return changed(workspace, "DSA-TM-001", expiry_date=dt.date(2026, 4, 19))


def other_purpose(workspace: Workspace) -> Workspace:
    return changed(workspace, "DSA-TM-001", purposes=["something-else"])


def other_text(workspace: Workspace) -> Workspace:
    return changed(signed(workspace), "DSA-TM-001", title="Not what was signed")


def undecided(workspace: Workspace) -> Workspace:
    shutil.rmtree(workspace.root / "quality" / "records" / "decisions" / "north_cases")
    return workspace


def column_taken_back(workspace: Workspace) -> Workspace:
    sources = sources_of(workspace, "DSA-TM-001")
    for column in sources[0]["columns"]:
        if column["name"] == "service":
            column["action"] = "drop"
    return changed(workspace, "DSA-TM-001", sources=sources)


def original_plain(workspace: Workspace) -> Workspace:
    folder = next((workspace.root / "received" / "north_cases").glob("*/v*"))
    path = next(p for p in folder.iterdir() if p.suffix != ".json")
    writable(path).write_bytes(b"person_id,name\n")
    return workspace


def table_plain(workspace: Workspace) -> Workspace:
    path = next((workspace.root / "restricted" / "admitted_north_cases").glob("*.parquet"))
    shutil.copy(next((workspace.root / "linked").rglob("*.parquet")), path)
    return workspace


def prepared(workspace: Workspace) -> Workspace:
    workspace.prepare()
    workspace.tighten()
    return workspace


def folder_open(workspace: Workspace) -> Workspace:
    prepared(workspace)
    (workspace.root / "restricted").chmod(0o755)
    return workspace


def key_open(workspace: Workspace) -> Workspace:
    prepared(workspace)
    (workspace.data_dir / ".keys" / "master.key").chmod(0o644)
    return workspace


def half_written(workspace: Workspace) -> Workspace:
    (workspace.root / "restricted" / ".writing-999999999-ab-x.parquet").write_bytes(b"PARE")
    return workspace


def kept_too_long(workspace: Workspace) -> Workspace:
    retention = {"received_days": 5, "restricted_days": 365, "linked_days": 730}
    return changed(workspace, "DSA-TM-001", retention=retention)


def _observations(workspace: Workspace, change: Callable[[dict[str, str]], bool]) -> Workspace:
    path = writable(release(workspace) / "csv" / "observations.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    next(row for row in rows if change(row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return workspace


def _set(row: dict[str, str], **values: str) -> bool:
    if row["indicator_id"] != "T01" or not row["numerator"]:
        return False
    row.update(values)
    return True


def small_count(workspace: Workspace) -> Workspace:
    return _observations(workspace, lambda row: _set(row, numerator="3"))


def exact_count(workspace: Workspace) -> Workspace:
    return _observations(workspace, lambda row: _set(row, numerator="13"))


def rate_of_a_hidden_count(workspace: Workspace) -> Workspace:
    return _observations(workspace, lambda row: _set(row, numerator=""))


def finer(workspace: Workspace) -> Workspace:
    outputs = workspace.declared.agreements["DSA-TM-001"].model_dump()["permitted_outputs"]
    outputs = [{**o, "geography": "lad24"} for o in outputs]
    return changed(workspace, "DSA-TM-001", permitted_outputs=outputs)


def output_taken_back(workspace: Workspace) -> Workspace:
    return changed(workspace, "DSA-TM-001", permitted_outputs=[])


def linkage_taken_back(workspace: Workspace) -> Workspace:
    return changed(workspace, "DSA-TM-001", permitted_linkages=[])


def byte_changed(workspace: Workspace) -> Workspace:
    path = writable(release(workspace) / "map.html")
    path.write_bytes(path.read_bytes() + b" ")
    return workspace


def _manifest(workspace: Workspace, change: Callable[[dict[str, Any]], None]) -> Workspace:
    path = writable(release(workspace) / "manifest.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return workspace


def one_person(workspace: Workspace) -> Workspace:
    return _manifest(workspace, lambda m: m["approvals"].pop())


def no_manifest(workspace: Workspace) -> Workspace:
    writable(release(workspace) / "manifest.json").unlink()
    return workspace


def other_profile(workspace: Workspace) -> Workspace:
    return _manifest(workspace, lambda m: m["release"].update(profile="none"))


def line_removed(workspace: Workspace) -> Workspace:
    path = workspace.root / "audit" / "audit.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    return workspace


def identifier_published(workspace: Workspace) -> Workspace:
    import duckdb

    target = writable(release(workspace) / "parquet" / "areas.parquet")
    target.unlink()
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'TM1 1AA' AS place, 'someone@example.org' AS mail FROM range(20)) TO "
            f"'{target}' (FORMAT parquet)"
        )
    return workspace


def as_it_is(workspace: Workspace) -> Workspace:
    return workspace


FUTURE, PAST = dt.date(2027, 1, 1), dt.date(2026, 1, 1)
EXPIRED = [{"organisation": "Agency of north_cases (synthetic)", "status": "standards_met",
            "expires": dt.date(2026, 5, 9)}]  # fmt: skip
UNMET = [{**EXPIRED[0], "status": "not_met", "expires": dt.date(2026, 6, 30)}]

CASES: list[tuple[str, Callable[[Workspace], Workspace], str]] = [
    ("agreements_in_force", as_it_is, "passed"),
    ("agreements_in_force", ended, "failed"),
    ("agreements_reviewed", lambda w: with_reviews(w, FUTURE), "passed"),
    ("agreements_reviewed", lambda w: with_reviews(w, PAST), "failed"),
    ("purposes_agreed", as_it_is, "passed"),
    ("purposes_agreed", other_purpose, "failed"),
    ("signed_text_unchanged", signed, "passed"),
    ("signed_text_unchanged", other_text, "failed"),
    ("signed_text_unchanged", as_it_is, "could_not_run"),
    ("every_delivery_decided", as_it_is, "passed"),
    ("every_delivery_decided", undecided, "failed"),
    ("undeclared_columns_dropped", as_it_is, "passed"),
    ("undeclared_columns_dropped", column_taken_back, "failed"),
    ("opt_out_evidenced", health, "passed"),
    ("opt_out_evidenced", lambda w: health(w, opt_out=None), "failed"),
    ("opt_out_evidenced",
     lambda w: health(w, opt_out={"applied": "yes", "reason": "r", "date": dt.date(2026, 4, 21)}),
     "failed"),
    ("opt_out_evidenced", as_it_is, "could_not_run"),
    ("dspt_in_date", health, "passed"),
    ("dspt_in_date", lambda w: health(w, dspt=EXPIRED), "failed"),
    ("dspt_in_date", lambda w: health(w, dspt=UNMET), "failed"),
    ("dspt_in_date", lambda w: health(w, dspt=[]), "failed"),
    ("dspt_in_date", as_it_is, "could_not_run"),
    ("privacy_notice_given", lambda w: with_reviews(w, FUTURE), "passed"),
    ("privacy_notice_given", as_it_is, "failed"),
    ("originals_encrypted", as_it_is, "passed"),
    ("originals_encrypted", original_plain, "failed"),
    ("restricted_tables_encrypted", as_it_is, "passed"),
    ("restricted_tables_encrypted", table_plain, "failed"),
    ("file_permissions_tight", prepared, "passed"),
    ("file_permissions_tight", folder_open, "failed"),
    ("file_permissions_tight", key_open, "failed"),
    ("no_leftovers", as_it_is, "passed"),
    ("no_leftovers", half_written, "failed"),
    ("retention_nothing_overdue", as_it_is, "passed"),
    ("retention_nothing_overdue", kept_too_long, "failed"),
    ("small_counts_protected", as_it_is, "passed"),
    ("small_counts_protected", small_count, "failed"),
    ("small_counts_protected", exact_count, "failed"),
    ("small_counts_protected", rate_of_a_hidden_count, "failed"),
    ("small_counts_protected", other_profile, "failed"),
    ("no_identifier_published", as_it_is, "passed"),
    ("no_identifier_published", identifier_published, "failed"),
    ("releases_two_people", as_it_is, "passed"),
    ("releases_two_people", one_person, "failed"),
    ("releases_two_people", no_manifest, "failed"),
    ("releases_unchanged", as_it_is, "passed"),
    ("releases_unchanged", byte_changed, "failed"),
    ("releases_unchanged", no_manifest, "failed"),
    ("audit_chain_holds", as_it_is, "passed"),
    ("audit_chain_holds", line_removed, "failed"),
    ("outputs_agreed", as_it_is, "passed"),
    ("outputs_agreed", output_taken_back, "failed"),
    ("linkages_agreed", as_it_is, "passed"),
    ("linkages_agreed", linkage_taken_back, "failed"),
    ("minimum_geography_kept", as_it_is, "passed"),
    ("minimum_geography_kept", finer, "failed"),
]  # fmt: skip


ON_DISK = {
    undecided, original_plain, table_plain, prepared, folder_open, key_open, half_written,
    small_count, exact_count, rate_of_a_hidden_count, byte_changed, one_person, no_manifest,
    other_profile, line_removed, identifier_published,
}  # fmt: skip
"""What changes files, and so needs a copy of its own."""


@pytest.mark.parametrize(("name", "spoil", "expected"), CASES)
def test_a_control_looks(
    request: pytest.FixtureRequest,
    name: str,
    spoil: Callable[[Workspace], Workspace],
    expected: str,
) -> None:
    if spoil in ON_DISK:
        workspace = request.getfixturevalue("finished_copy")
    else:
        workspace = request.getfixturevalue("finished").workspace

    result = outcome(spoil(workspace), name)

    assert (result.outcome, bool(result.reason)) == (expected, True), result.reason
    assert result.day == dt.date(2026, 5, 10)


def test_every_control_has_a_green_and_a_red_example() -> None:
    for wanted in ("passed", "failed"):
        assert {name for name, _, expected in CASES if expected == wanted} == set(CATALOGUE)


BY_DECLARATION_ALONE = {
    "purposes_agreed", "privacy_notice_given", "agreements_reviewed", "file_permissions_tight",
}  # fmt: skip
"""What can be judged before anything has run."""


def test_nothing_to_look_at_is_never_green(tmp_path: Path) -> None:
    found = run_controls(make_workspace(tmp_path), set(CATALOGUE) - BY_DECLARATION_ALONE)

    assert {r.outcome for r in found.values()} == {"could_not_run"}


def test_without_agreements_there_is_nothing_to_review(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path)
    sources = {k: s for k, s in workspace.declared.sources.items() if s.agreement == "OGL-TM-OPEN"}
    bare = replace(workspace, declared=replace(workspace.declared, sources=sources))

    for name in ("purposes_agreed", "privacy_notice_given", "agreements_reviewed"):
        assert outcome(bare, name).outcome == "could_not_run"


def test_an_unknown_control_could_not_run(mere: Workspace) -> None:
    assert outcome(mere, "no_such_thing").outcome == "could_not_run"


def test_a_check_that_stops_says_its_kind_and_no_value(
    mere: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(workspace: Workspace) -> Verdict:
        raise ValueError("Zebedee Quillfeather")

    monkeypatch.setitem(
        CATALOGUE, "audit_chain_holds", replace(CATALOGUE["audit_chain_holds"], check=stops)
    )

    result = outcome(mere, "audit_chain_holds")

    assert (result.outcome, result.reason) == ("could_not_run", "the check stopped (ValueError)")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_could_not_run(finished_copy: Workspace) -> None:
    (finished_copy.root / "audit" / "audit.jsonl").chmod(0)

    assert outcome(finished_copy, "audit_chain_holds").outcome == "could_not_run"


def test_a_withdrawn_agreement_with_tables_left_is_red(finished_copy: Workspace) -> None:
    AuditChain(finished_copy.root / "audit").append(
        "agreement_withdrawn", agreement="DSA-TM-001", version="1.0", reason="Made up",
        by="Somebody", account="x", moment="2026-05-10T00:00:00+00:00", day="2026-05-10",
        dispose_on="2026-05-24", sources=["north_cases"],
    )  # fmt: skip
    folder = finished_copy.root / "governance" / "withdrawals"
    folder.mkdir(parents=True)
    (folder / "DSA-TM-001.json").write_text("this cannot be read", encoding="utf-8")

    result = outcome(finished_copy, "agreements_in_force")

    assert result.outcome == "failed"
    assert "withdrawn" in result.reason


def test_the_words_of_a_control_say_what_is_true_when_it_is_green() -> None:
    assert all(len(c.words) > 20 and c.words[0].isupper() for c in CATALOGUE.values())


@pytest.mark.parametrize("name", sorted(bundled()))
def test_the_assessments_of_the_bundled_regions_name_controls_that_exist(name: str) -> None:
    declared = open_region(name)

    assert declared.assessments
    assert check_controls(declared.assessments.values()) == []
    assert all(8 <= len(a.risks) <= 12 for a in declared.assessments.values())
    shared = {a.id for a in declared.agreements.values() if a.kind != "open_licence"}
    assert {x for a in declared.assessments.values() for x in a.agreements} == shared


def test_a_control_nobody_knows_is_named() -> None:
    assessment = next(iter(open_region("arden").assessments.values()))
    risk = assessment.risks[0].model_copy(update={"controls": ["no_such_thing"]})
    spoilt = assessment.model_copy(update={"risks": [risk]})

    assert check_controls([spoilt]) == [(assessment.id, risk.id, "no_such_thing")]


def test_the_region_of_the_tests_is_what_the_examples_assume() -> None:
    assert region_content()["region.yaml"]["as_of"] == dt.date(2026, 5, 10)
