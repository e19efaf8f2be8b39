"""What is handed to a role, and what a question leaves in the audit chain."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from region_factory import PLANTED, make_workspace, region_content, run_all

from declarations.errors import AgreementError, ConfigurationError, StorageError
from governance.access import fingerprint_of
from pipelines.granting import write_grant
from pipelines.querying import run_query
from pipelines.settings import Settings
from warehouse.key_ring import KeyBundle

NORTH = "Agency of north_cases (synthetic)"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[str, Settings]:
    """Run the made-up region once; return its folder and the settings of its installation."""
    folder = tmp_path_factory.mktemp("granted")
    content = region_content()
    for agreement in ("DSA-TM-001", "DSA-TM-002", "DSA-TM-003"):
        content[f"agreements/{agreement}.yaml"]["permitted_roles"] += [
            {"role": "analyst", "zones": ["published"]},
            {"role": "supplier", "zones": ["quality", "published"]},
        ]
    run_all(make_workspace(folder, content))
    return str(folder / "region"), Settings(data_dir=folder / "data")


def entries(made: tuple[str, Settings]) -> list[dict[str, object]]:
    path = made[1].data_dir / "testmere" / "audit" / "audit.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def listed(folder: Path) -> set[str]:
    return {p.relative_to(folder).parts[0] for p in folder.rglob("*") if p.is_file()}


#    role, agency, what lies in its folder
HANDED = [
    ("public", None, {"README.txt", "release"}),
    ("analyst", None, {"README.txt", "quality", "release"}),
    ("governance_officer", None, {"README.txt", "quality", "release"}),
    ("supplier", NORTH, {"README.txt", "quality", "release"}),
    ("data_engineer", None, {"README.txt", "keys.json", "release", "quality"}),
]


@pytest.mark.parametrize(("role", "agency", "holds"), HANDED, ids=[row[0] for row in HANDED])
def test_a_role_gets_what_it_may_read_and_no_record(made, tmp_path, role, agency, holds) -> None:
    folder = tmp_path / "handed"

    write_grant(*made, role, folder, agency=agency, by="Ann Example")

    assert listed(folder) == holds
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [v for v in PLANTED.values() if v.encode() in content], path.name
    last = entries(made)[-1]
    assert (last["event"], last["role"], last["by"]) == ("access_granted", role, "Ann Example")


def test_a_supplier_sees_rows_about_its_own_sources_only(made, tmp_path) -> None:
    write_grant(*made, "supplier", tmp_path / "s", agency=NORTH, by="Ann Example")

    lines = (tmp_path / "s" / "quality" / "decisions.csv").read_text().splitlines()

    assert len(lines) > 1
    assert {line.split(",")[0] for line in lines[1:]} == {"north_cases"}


def test_the_bundle_of_keys_opens_what_was_agreed_and_no_more(made, tmp_path) -> None:
    write_grant(*made, "data_engineer", tmp_path / "d", agency=None, by="Ann Example")

    ring = KeyBundle.read(tmp_path / "d" / "keys.json").ring()

    assert len(ring.derive("parquet:testmere:DSA-TM-001")) == 32
    with pytest.raises(StorageError):
        ring.derive("audit")


def test_a_folder_that_is_there_is_not_written_into(made, tmp_path) -> None:
    with pytest.raises(StorageError, match="is there already"):
        write_grant(*made, "public", tmp_path, agency=None, by="Ann Example")


def test_a_supplier_must_say_whose(made, tmp_path) -> None:
    with pytest.raises(AgreementError, match="Give --agency"):
        write_grant(*made, "supplier", tmp_path / "s", agency=None, by="Ann Example")


def test_a_question_is_logged_with_its_tables_and_without_its_text(made) -> None:
    name, settings = made
    question = "SELECT count(*) FROM observations WHERE indicator_id <> 'planted-word'"

    run_query(question, name, settings, internal=False, output="csv")

    last = entries(made)[-1]
    assert (last["event"], last["tables"], last["rows"]) == ("query", ["observations"], 1)
    assert last["question"] == fingerprint_of("  " + question.replace(" ", "\n"))
    assert "planted-word" not in json.dumps(entries(made))


@pytest.mark.parametrize(
    ("question", "reason"),
    [("DROP TABLE observations", "not a reading statement"), ("FROM nothing", "CatalogException")],
)
def test_a_refused_question_is_logged_too(made, question, reason) -> None:
    name, settings = made

    with pytest.raises(ConfigurationError):
        run_query(question, name, settings, internal=True, output="csv")

    last = entries(made)[-1]
    assert (last["event"], last["reason"]) == ("query_refused", reason)
    assert last["what"] == "internal tables"


def test_exact_tables_give_no_answer_that_is_not_logged(made, monkeypatch, capsys) -> None:
    name, settings = made

    def locked(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pipelines.querying.record_query", locked)

    with pytest.raises(PermissionError):
        run_query("FROM quality_decisions", name, settings, internal=True, output="csv")
    assert "north_cases" not in capsys.readouterr().out
    run_query("SELECT 1 AS one FROM observations LIMIT 1", name, settings, internal=False,
              output="csv")  # fmt: skip
    assert "one" in capsys.readouterr().out
