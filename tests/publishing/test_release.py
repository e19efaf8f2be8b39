"""The last stage: nothing exact, nothing unapproved; and what is published never changes."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from region_factory import (
    OPENED,
    case_lines,
    make_workspace,
    put,
    region_content,
    run_all,
    run_to_protection,
    workspace_of,
)

from declarations.errors import AgreementError, ApprovalError, DisclosureError, StorageError
from governance import approvals
from governance.audit import AuditChain
from intake.records import read_record, remove_record, write_record
from publishing import release
from publishing.manifest import MANIFEST_NAME, read_manifest, verify_bundle
from publishing.release import (
    ReleaseOutcome,
    build_release,
    candidate_hash,
    check_decisions,
    write_internal_quality_page,
)
from publishing.trust import release_faults
from warehouse.keys import KeyRing
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]
COUNTS = ("numerator", "denominator", "amount")
OPEN_SOURCES = {"areas", "changes", "postcodes", "residents"}
Row = dict[str, Any]


@pytest.fixture
def waiting(finished: Any, tmp_path: Path) -> Workspace:
    """Return the finished region with no standing approval and nothing released yet."""
    for part in ("landing", "data"):
        shutil.copytree(finished.folder / part, tmp_path / part, symlinks=True)
    for part in ("published", "candidates"):
        shutil.rmtree(tmp_path / "data" / "testmere" / part)
    declared = make_workspace(
        tmp_path / "declared", region_content(standing_approval=None)
    ).declared
    return workspace_of(tmp_path, declared, tmp_path / "landing")


def approve(mere: Workspace, outcome: ReleaseOutcome) -> None:
    for role, person in (("requester", "Ann Analyst"), ("approver", "Olu Officer")):
        release.approve(mere, outcome.release_id, outcome.candidate_hash, role, person)  # type: ignore[arg-type]


def content(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def comparable(folder: Path) -> dict[str, str]:
    """Leave out what differs between two builds: DuckDB lays its pages out anew each time."""
    return {k: v for k, v in content(folder).items() if k not in ("lsoalink.duckdb", MANIFEST_NAME)}


def rows_of_csv(path: Path) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def rows_of_database(con: Any, tables: list[str]) -> Iterator[Row]:
    for table in tables:
        cursor = con.execute(f'SELECT * FROM "{table}"')
        names = [d[0] for d in cursor.description or ()]
        for row in cursor.fetchall():
            yield dict(zip(names, row, strict=True))


def rows_of_json(node: Any) -> Iterator[Row]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from rows_of_json(child)
    elif isinstance(node, list):
        for child in node:
            yield from rows_of_json(child)


def published_rows(folder: Path) -> dict[str, list[Row]]:
    """Return the rows of every file of a bundle that holds any, by file."""
    found: dict[str, list[Row]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".csv":
            found[name] = list(rows_of_csv(path))
        elif path.suffix == ".parquet":
            with duckdb.connect() as con:
                con.execute(f"CREATE VIEW it AS SELECT * FROM '{path}'")
                found[name] = list(rows_of_database(con, ["it"]))
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                sql = "SELECT table_name FROM information_schema.tables"
                names = [t for (t,) in con.execute(sql).fetchall()]
                found[name] = list(rows_of_database(con, names))
        elif path.suffix == ".gpkg":
            with closing(sqlite3.connect(path)) as lite:
                sql = "SELECT table_name FROM gpkg_contents"
                names = [t for (t,) in lite.execute(sql).fetchall()]
                found[name] = list(rows_of_database(lite, names))
        elif path.suffix == ".html":
            parts = re.findall(
                r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', path.read_text(), re.S
            )
            found[name] = [row for part in parts for row in rows_of_json(json.loads(part))]
        elif path.suffix == ".json":
            found[name] = list(rows_of_json(json.loads(path.read_text())))
    return found


def as_number(value: Any) -> float | None:
    try:
        return None if value in (None, "") else float(value)
    except (TypeError, ValueError):
        return None


def test_no_file_of_a_release_holds_an_exact_small_count(finished: Any) -> None:
    assert {1, 3, 4, 13, 23} <= set(OPENED.values())
    files = published_rows(finished.outcome.folder)

    faults, seen = [], 0
    for name, rows in files.items():
        for row in rows:
            if row.get("source_id") in OPEN_SOURCES:
                continue
            for column in COUNTS:
                number = as_number(row.get(column))
                if number is not None:
                    seen += 1
                    if number < 5 or number % 5:
                        faults.append((name, column))
    assert faults == []
    assert {n.rsplit(".", 1)[-1] for n in files} >= {
        "csv",
        "parquet",
        "duckdb",
        "gpkg",
        "html",
        "json",
    }
    assert seen > 100


def test_no_published_rate_gives_an_exact_count_away(finished: Any) -> None:
    """A value times its denominator must be a multiple of 5 in every file that has values."""
    found = 0
    for rows in published_rows(finished.outcome.folder).values():
        for row in rows:
            value, denominator = as_number(row.get("value")), as_number(row.get("denominator"))
            if value is None or not denominator or row.get("indicator_id") not in ("T01", "T02"):
                continue
            # CSV values are rounded to two decimals; that is 0.01 of a person here.
            implied = value * denominator / 1000
            assert abs(implied - 5 * round(implied / 5)) < 0.02
            found += 1
    assert found


def test_hidden_counts_have_no_value_in_the_pages_data(finished: Any) -> None:
    page = finished.outcome.folder / "map.html"
    (part,) = re.findall(
        r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page.read_text(), re.S
    )
    data = json.loads(part)
    codes = data["levels"]["lsoa21"]["codes"]

    (series,) = data["series"]["T01"]["lsoa21"]

    shown = {code: value for code, value in zip(codes, series["v"], strict=True)}  # noqa: C416
    hidden = {code for code, count in OPENED.items() if count < 5}
    assert {code for code, value in shown.items() if value is None} == hidden
    for key in ("l", "u"):
        assert [c for c, v in zip(codes, series[key], strict=True) if v is None] == sorted(hidden)
    marks = {
        data["statuses"]["abc".index(s)]
        for c, s in zip(codes, series["s"], strict=True)
        if c in hidden
    }
    assert marks == {"[c]"}


def test_a_release_is_whole_and_says_who_approved_it(finished: Any) -> None:
    folder = finished.outcome.folder
    manifest = read_manifest(folder)

    assert finished.outcome.outcome == "published"
    assert verify_bundle(folder) == []
    assert candidate_hash(folder) == finished.outcome.candidate_hash
    assert [a["role"] for a in manifest["approvals"]] == ["requester", "approver"]
    audit = AuditChain(finished.workspace.root / "audit")
    head = {finished.outcome.release_id: manifest["audit_head"]}
    assert audit.verify(head).faults == ()
    events = [e["event"] for e in audit.entries()]
    assert events[-3:] == ["candidate_built", "release_approved", "release_published"]


def test_without_two_people_nothing_is_published(waiting: Workspace) -> None:
    outcome = build_release(waiting)

    assert (outcome.outcome, outcome.lacking) == ("awaiting_approval", "a requester")
    assert outcome.folder.parent.name == "candidates"
    assert not (waiting.root / "published").exists()
    release.approve(waiting, outcome.release_id, outcome.candidate_hash, "requester", "Ann")
    again = build_release(waiting)
    assert (again.outcome, again.lacking) == ("awaiting_approval", "an approver")
    assert again.candidate_hash == outcome.candidate_hash
    assert not (waiting.root / "published").exists()


def test_one_identifier_in_any_column_stops_the_release(
    waiting: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = release.release_tables

    def planted(workspace: Workspace) -> dict[str, Any]:
        import pyarrow as pa

        tables = made(workspace)
        areas = tables["areas"]
        names = ["planted.person@example.org", *areas.column("lsoa21nm").to_pylist()[1:]]
        place = areas.column_names.index("lsoa21nm")
        tables["areas"] = areas.set_column(place, "lsoa21nm", pa.array(names))
        return tables

    monkeypatch.setattr(release, "release_tables", planted)

    with pytest.raises(DisclosureError, match="lsoa21nm of areas holds what looks like e-mail"):
        build_release(waiting)

    assert list((waiting.root / "candidates").iterdir()) == []
    assert not (waiting.root / "published").exists()


def test_an_approval_written_by_hand_does_not_count(waiting: Workspace) -> None:
    candidate = build_release(waiting)
    for role, person in (("requester", "Ann"), ("approver", "Ben")):
        approvals.record(waiting.root / "approvals", candidate.candidate_hash, role, person)  # type: ignore[arg-type]
    assert build_release(waiting).outcome == "awaiting_approval"


def test_an_approval_entered_into_the_chain_without_the_key_does_not_count(
    waiting: Workspace,
) -> None:
    candidate = build_release(waiting)
    hashed = candidate.candidate_hash
    chain = AuditChain(waiting.root / "audit")
    for role, person in (("requester", "Ann"), ("approver", "Ben")):
        approvals.record(waiting.root / "approvals", hashed, role, person)  # type: ignore[arg-type]
        chain.append("approval", release=candidate.release_id, candidate_hash=hashed, role=role,
                     person=person, account="nobody")  # fmt: skip

    assert build_release(waiting).outcome == "awaiting_approval"
    assert not (waiting.root / "published").exists()


def test_a_release_changed_together_with_its_manifest_is_found_by_the_chain(
    waiting: Workspace,
) -> None:
    candidate = build_release(waiting)
    approve(waiting, candidate)
    folder = build_release(waiting).folder
    assert release_faults(waiting, folder) == []
    file, manifest = folder / "csv" / "notes.csv", folder / "manifest.json"
    old = hashlib.sha256(file.read_bytes()).hexdigest()
    for path in (file, manifest):
        path.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"x,y\n")
    new = hashlib.sha256(file.read_bytes()).hexdigest()
    text = manifest.read_text().replace(old, new).replace('"Ann', '"The Minister')
    text = text.replace(f'"bytes": {file.stat().st_size - 4}', f'"bytes": {file.stat().st_size}')
    manifest.write_text(text)
    assert any("not those whose hash" in fault for fault in release_faults(waiting, folder))


class Killed(BaseException):
    """Stands for a process that ends here."""


@pytest.mark.parametrize("step", ["_lock_files", "_point_latest"])
@pytest.mark.parametrize("state_lost", [False, True])
def test_a_publication_killed_after_the_files_moved_is_finished_by_the_next_run(
    waiting: Workspace, monkeypatch: pytest.MonkeyPatch, step: str, state_lost: bool
) -> None:
    candidate = build_release(waiting)
    approve(waiting, candidate)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(release, step, killed)
        with pytest.raises(Killed):
            build_release(waiting)
    folder = waiting.root / "published" / candidate.release_id
    assert release_faults(waiting, folder) == [
        "Its publication was interrupted and is not in the audit chain yet."
    ]
    if state_lost:
        (waiting.root / "candidates" / "state.json").unlink()

    assert build_release(waiting).outcome == "current"
    assert release_faults(waiting, folder) == []
    build_release(waiting)
    chain = AuditChain(waiting.root / "audit").entries()
    told = [e["candidate_hash"] for e in chain if e["event"] == "release_published"]
    assert told.count(candidate.candidate_hash) == 1


def test_a_folder_put_in_place_by_hand_is_never_told_to_the_chain_as_published(
    waiting: Workspace,
) -> None:
    candidate = build_release(waiting)
    folder = waiting.root / "published" / candidate.release_id
    shutil.copytree(candidate.folder, folder)
    (folder / MANIFEST_NAME).write_text('{"files": {}}')

    build_release(waiting)

    chain = AuditChain(waiting.root / "audit").entries()
    told = [e["candidate_hash"] for e in chain if e["event"] == "release_published"]
    assert candidate.candidate_hash not in told


def test_what_two_people_approved_is_published_as_they_saw_it(waiting: Workspace) -> None:
    candidate = build_release(waiting)
    seen = content(candidate.folder)
    approve(waiting, candidate)

    outcome = build_release(waiting)

    assert outcome.outcome == "published"
    assert outcome.candidate_hash == candidate.candidate_hash
    del seen["manifest.json"]
    assert content(outcome.folder).items() >= seen.items()
    assert not candidate.folder.exists()
    manifest = read_manifest(outcome.folder)
    assert {a["person"] for a in manifest["approvals"]} == {"Ann Analyst", "Olu Officer"}


@pytest.mark.parametrize("how", ["changed", "added", "removed"])
def test_a_changed_byte_voids_the_approvals(waiting: Workspace, how: str) -> None:
    candidate = build_release(waiting)
    approve(waiting, candidate)
    seen = comparable(candidate.folder)
    path = candidate.folder / "csv" / "observations.csv"
    if how == "changed":
        path.write_bytes(path.read_bytes().replace(b"15", b"16", 1))
    elif how == "added":
        (candidate.folder / "extra.csv").write_text("a\n1\n")
    else:
        path.unlink()
    assert candidate_hash(candidate.folder) != candidate.candidate_hash

    outcome = build_release(waiting)

    # It is built anew from the lake; what was tampered with is never published, and the approvals
    # serve only where every byte came out as it was approved.
    assert comparable(outcome.folder) == seen
    assert candidate_hash(outcome.folder) == outcome.candidate_hash
    unchanged = outcome.candidate_hash == candidate.candidate_hash
    assert outcome.outcome == ("published" if unchanged else "awaiting_approval")
    assert (waiting.root / "published").exists() == unchanged


def test_a_candidate_changed_under_the_hands_of_publishing_is_stopped(
    waiting: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from publishing import release

    candidate = build_release(waiting)
    approve(waiting, candidate)
    tables = release.release_tables(waiting)
    facts = release._facts(waiting, tables)
    page = candidate.folder / "map.html"
    page.write_text(page.read_text() + "<!-- one more byte -->")

    with pytest.raises(ApprovalError, match="its approvals are void"):
        release.publish(
            waiting, candidate.release_id, candidate.candidate_hash, facts, tables["lineage"]
        )

    assert not (waiting.root / "published").exists()


def test_a_second_run_changes_nothing_that_is_published(finished_copy: Workspace) -> None:
    published = finished_copy.root / "published"
    before = content(published)
    entries = len(list(AuditChain(finished_copy.root / "audit").entries()))

    outcome = run_all(finished_copy)

    assert outcome.outcome == "current"
    assert content(published) == before
    assert len(list(AuditChain(finished_copy.root / "audit").entries())) == entries


def test_a_lost_state_file_does_not_make_the_release_again(finished_copy: Workspace) -> None:
    before = content(finished_copy.root / "published")
    (finished_copy.root / "candidates" / "state.json").unlink()

    outcome = build_release(finished_copy)

    assert outcome.outcome == "current"
    assert content(finished_copy.root / "published") == before


def test_new_figures_are_a_new_release_and_latest_moves(finished_copy: Workspace) -> None:
    published = finished_copy.root / "published"
    first = (published / "latest").readlink()
    before = content(published / first)
    cases = [{"person_id": f"n{n}", "postcode": "TM1 1AB"} for n in range(40)]
    put(finished_copy.landing, "north_cases", "cases_2026-03.csv", case_lines(cases))

    outcome = run_all(finished_copy)

    assert outcome.outcome == "published"
    assert outcome.release_id != str(first)
    assert (published / "latest").readlink() == Path(outcome.release_id)
    assert (published / "latest").is_symlink()
    assert content(published / first) == before
    assert sorted(p.name for p in published.iterdir()) == sorted(
        [str(first), outcome.release_id, "latest"]
    )


def test_a_folder_in_place_of_the_link_is_not_replaced(finished_copy: Workspace) -> None:
    link = finished_copy.root / "published" / "latest"
    link.unlink()
    link.mkdir()
    (link / "keep.txt").write_text("somebody's own")

    with pytest.raises(StorageError, match="is not a link"):
        build_release(finished_copy)

    assert (link / "keep.txt").exists()


def test_the_same_inputs_are_the_same_release_under_another_key(
    finished: Any, tmp_path: Path
) -> None:
    again = make_workspace(tmp_path, keys=KeyRing(b"another master key of 32 bytes!!"))

    outcome = run_all(again)

    assert again.keys.fingerprint() != finished.workspace.keys.fingerprint()
    assert outcome.release_id == finished.outcome.release_id
    assert comparable(outcome.folder) == comparable(finished.outcome.folder)


def test_a_count_without_a_decision_stops_the_release(waiting: Workspace) -> None:
    check_decisions(waiting)
    remove_record(waiting, "decisions", "north_visits", "2026-02")

    with pytest.raises(AgreementError, match="north_visits 2026-02 rest on no admitted delivery"):
        build_release(waiting)

    assert not (waiting.root / "published").exists()


@pytest.mark.parametrize("decision", ["refused", "quarantined", "perhaps"])
def test_a_count_on_a_delivery_that_was_held_back_stops_the_release(
    waiting: Workspace, decision: str
) -> None:
    record = read_record(waiting, "decisions", "north_cases", "2026-03")
    assert record is not None
    record["decisions"][-1]["decision"] = decision
    write_record(waiting, "decisions", "north_cases", "2026-03", record)

    with pytest.raises(AgreementError, match="rest on no admitted delivery"):
        check_decisions(waiting)


def test_a_count_admitted_under_another_agreement_stops_the_release(waiting: Workspace) -> None:
    record = read_record(waiting, "decisions", "north_cases", "2026-03")
    assert record is not None
    record["decisions"][-1]["agreement_id"] = "DSA-TM-009"
    write_record(waiting, "decisions", "north_cases", "2026-03", record)

    with pytest.raises(AgreementError, match="under another agreement"):
        check_decisions(waiting)


def test_a_region_that_lacks_one_delivery_is_released_without_it(make_mere: Make) -> None:
    mere = make_mere(leave_out=("north_cases",))
    run_to_protection(mere)

    outcome = build_release(mere)

    assert outcome.outcome == "published"
    rows = published_rows(outcome.folder)["csv/observations.csv"]
    north = [r for r in rows if r["geography_code"] == "E08990001" and r["indicator_id"] == "T01"]
    assert [(r["numerator"], r["value"]) for r in north] == [("", "")]
    assert all("[x]" in r["value_status"] for r in north)


def test_the_internal_page_stands_apart_and_is_exact(finished_copy: Workspace) -> None:
    before = content(finished_copy.root / "published")

    path = write_internal_quality_page(finished_copy)

    assert path == finished_copy.root / "quality" / "quality.html"
    assert "Testmere" in path.read_text(encoding="utf-8")
    assert content(finished_copy.root / "published") == before


def test_the_published_quality_page_shows_rounded_accounts_only(finished: Any) -> None:
    page = (finished.outcome.folder / "quality.html").read_text(encoding="utf-8")
    # Area codes of open files, each counted once, are nobody's.
    page = re.sub(r'<section id="vintages".*?</section>', "", page, flags=re.S)
    found = re.findall(r"<td.*?</td>", page, re.S)
    cells = {" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in found}
    numbers = {int(n.replace(",", "")) for cell in cells for n in re.findall(r"^[\d,]+$", cell)}
    exact = {sum(OPENED[f"E0199000{n}"] for n in (4, 5, 6)), 29, 16}

    assert {15, 30} <= numbers  # 16 of the north; 28 placed, 29 received
    assert numbers & (exact | {1, 2, 3, 4}) == set()
