"""What a person types: help, errors in one sentence with their exit code, queries, checks."""

from __future__ import annotations

import json
import re
import sys

import pytest
from command_line import REPOSITORY, run_script

HEAVY = ("dagster", "duckdb", "pandas", "geopandas", "great_expectations", "pydantic")
COMMANDS = (
    "", "demo", "run", "synth", "init", "regions", "status", "sql", "check", "approve", "verify",
    "schemas", "export", "roles", "grant", "purge", "aggregate", "pseudonymise", "redact",
    "agreement", "agreement lint", "agreement diff", "agreement show", "agreement register",
    "agreement withdraw", "hold", "hold add", "hold lift", "hold list", "audit", "audit verify",
    "audit show", "audit export", "keys", "keys show", "keys rotate", "keys drop-old",
    "agency-key", "agency-key new", "area", "area add", "area list", "area show", "area remove",
    "indicators", "disclose", "attack",
)  # fmt: skip
SOURCE = "northwood_library_sessions"


def fails(result, code, *words):
    """Hold an expected error to its form: its code, one plain line, the words, no traceback."""
    assert result.code == code, result.out + result.err
    lines = [line for line in result.err.splitlines() if line.strip()]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]
    return True


def test_the_installed_command_answers():
    said = run_script([sys.executable, "-m", "pipelines.cli", "--help"])
    assert said.returncode == 0
    for name in (c for c in COMMANDS[1:] if " " not in c):
        assert re.search(rf"^│ {name}\b", said.stdout, re.MULTILINE), name
    assert "Exit codes" in said.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(lsoalink, name):
    said = lsoalink(*name.split(), "--help")
    assert said.code == 0
    assert "Usage: lsoalink" in said.out


def test_every_command_is_listed_here():
    import typer.main

    from pipelines.cli import PANELS, app

    def names(command, before=""):
        for name, inner in getattr(command, "commands", {}).items():
            yield f"{before}{name}"
            yield from names(inner, f"{before}{name} ")

    found = list(names(typer.main.get_command(app)))

    assert sorted(found) == sorted(COMMANDS[1:])
    assert {name for panel in PANELS.values() for name in panel} <= set(found)


def test_the_command_line_starts_without_heavy_libraries():
    code = f"import sys, pipelines.cli; print(sorted(set(sys.modules) & set({HEAVY!r})))"
    said = run_script([sys.executable, "-c", code])
    assert said.stdout.strip() == "[]", said.stderr


def test_an_unknown_command_is_a_usage_error(lsoalink):
    assert lsoalink("publish").code == 2


def test_an_unknown_region(lsoalink):
    said = lsoalink("run", "atlantis")
    assert fails(said, 3, "atlantis", "arden", "west-midlands", "lsoalink init")


@pytest.mark.parametrize("period", ["2026-13", "2031-01", "October"])
def test_a_month_outside_the_calendar(starter, period):
    assert fails(starter.run("--period", period), 3, period, "2026-05", "2026-10")


def test_a_region_that_needs_published_files_says_so(lsoalink, tmp_path):
    said = lsoalink("run", "west-midlands", "--data-dir", tmp_path / "data")
    assert fails(said, 3, "west-midlands", "--open-data", "LSOALINK_OPEN_DATA")


def test_an_open_data_folder_that_is_not_there(lsoalink, tmp_path):
    said = lsoalink("run", "west-midlands", "--open-data", tmp_path / "none")
    assert fails(said, 3, "does not exist", "--open-data")


def test_a_declaration_that_is_no_yaml(starter):
    (starter.folder / "sources" / "census_residents.yaml").write_text("id: [census\n")
    assert fails(starter.run(), 3, "census_residents.yaml")


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        ("region.yaml", "first_perod: 2026-05", ("region.yaml", "first_perod")),
        ("region.yaml", "schedule_day: 41", ("region.yaml", "schedule_day")),
        ("sources/northwood_library_sessions.yaml", "cadence: hourly", ("cadence",)),
        ("sources/northwood_library_sessions.yaml", "agreement: DSA-NONE", ("DSA-NONE",)),
        ("agreements/DSA-START-001.yaml", "kind: handshake", ("DSA-START-001.yaml", "kind")),
        ("indicators/Z01_library_users.yaml", "interval: guess", ("Z01", "interval")),
    ],
)
def test_a_wrong_key_is_named_with_its_file(starter, file, line, words):
    path = starter.folder / file
    key = line.split(":")[0]
    kept = [old for old in path.read_text().splitlines() if not old.startswith(f"{key}:")]
    path.write_text("\n".join([*kept, line]) + "\n")
    assert fails(starter.run(), 3, file.split("/")[-1], *words)


def test_a_declaration_that_is_missing(starter):
    (starter.folder / "agreements" / "OGL-START.yaml").unlink()
    assert fails(starter.run(), 3, "OGL-START")


def test_a_selection_that_chooses_nothing(starter):
    assert fails(starter.run("--select", 'key:"nothing_of_the_kind"'), 3, "--select")


def test_nothing_can_be_looked_at_before_the_first_run(starter):
    assert fails(starter.command("status"), 10, "lsoalink run")
    assert fails(starter.sql("FROM areas"), 10, "lsoalink run")


def test_a_region_is_not_written_into_a_folder_with_something_in_it(lsoalink, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    assert fails(lsoalink("init", tmp_path), 3, "not an empty folder")
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


def test_the_commands_of_the_starters_readme_work(finished_starter):
    text = (finished_starter.folder / "README.md").read_text(encoding="utf-8")
    assert 'lsoalink sql --region . "FROM latest_observations LIMIT 10"' in text
    said = finished_starter.lsoalink(
        "sql", "--region", ".", "FROM latest_observations LIMIT 10", cwd=finished_starter.folder,
        env={"LSOALINK_DATA_DIR": str(finished_starter.data)},
    )  # fmt: skip
    assert said.code == 0
    assert "indicator_id" in said.out
    assert "lsoalink status ." in text
    assert finished_starter.command("status").code == 0


def test_status_says_what_arrived_and_which_release_is_in_force(finished_starter):
    said = finished_starter.command("status")
    assert "northwood_library_sessions" in said.out
    assert f"Release in force: {finished_starter.latest.name}" in said.out
    accounts = said.out[said.out.index("What became of the rows") :].split("Release in force")[0]
    (line,) = [x for x in accounts.splitlines() if x.startswith("northwood_library_sessions")]
    received, *became = (int(x.replace(",", "")) for x in line.split()[1:6])
    assert received == sum(became) > 0
    assert line.split()[-1] == "yes"


def test_answers_come_as_csv_and_json(finished_starter):
    query = "SELECT count(*) AS areas FROM areas"
    assert finished_starter.sql(query, "--format", "csv").out == "areas\n24\n"
    assert json.loads(finished_starter.sql(query, "--format", "json").out) == [{"areas": 24}]


@pytest.mark.parametrize("internal", [(), ("--internal",)], ids=["published", "internal"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT content FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '{tmp}/stolen.csv'",
        "EXPORT DATABASE '{tmp}/stolen'",
        "ATTACH '{tmp}/other.duckdb'",
        "INSTALL spatial",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/etc']",
        "SELECT * FROM read_parquet('{root}/restricted/*/*.parquet')",
        "SELECT content FROM read_text('{data}/.keys/master.key')",
        "SELECT * FROM read_csv('{root}/quality/../received/*/*/*/*.csv')",
    ],
)
def test_a_query_cannot_reach_other_files(finished_starter, tmp_path, query, internal):
    text = query.format(tmp=tmp_path, root=finished_starter.root, data=finished_starter.data)
    assert fails(finished_starter.sql(text, *internal), 3, "could not be run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "query",
    [
        "CREATE TABLE mine AS SELECT 1", "DROP TABLE areas", "DELETE FROM observations",
        "UPDATE areas SET households = 0", "INSERT INTO notes VALUES ('a', 'b')",
    ],
)  # fmt: skip
def test_a_query_cannot_change_the_release(finished_starter, query):
    before = finished_starter.marks("published")
    assert fails(finished_starter.sql(query), 3, "could not be run")
    assert finished_starter.marks("published") == before


@pytest.mark.parametrize("zone", ["linked", "quality", "reference"])
def test_an_internal_query_cannot_write_among_the_internal_tables(finished_starter, zone):
    zones = ("linked", "quality", "reference", "published")
    before = [finished_starter.marks(z) for z in zones]
    target = finished_starter.root / zone / "planted.parquet"
    said = finished_starter.sql(f"COPY (SELECT 1 AS a) TO '{target}'", "--internal")
    assert [finished_starter.marks(z) for z in zones] == before
    assert fails(said, 3, "could not be run")


@pytest.mark.parametrize("internal", [(), ("--internal",)], ids=["published", "internal"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1; COPY (SELECT 1) TO '{tmp}/stolen.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{tmp}/stolen.csv'",
        "CREATE PERSISTENT SECRET mine (TYPE http, BEARER_TOKEN 'a')",
        "CHECKPOINT",
        "",
    ],
)
def test_only_one_reading_statement_is_run(finished_starter, tmp_path, query, internal):
    said = finished_starter.sql(query.format(tmp=tmp_path), *internal)
    assert fails(said, 3, "could not be run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "query",
    [
        "FROM areas",
        "SHOW ALL TABLES",
        "DESCRIBE areas",
        "WITH a AS (FROM notes) FROM a",
        "VALUES (1);",
    ],
)
def test_every_way_to_read_is_allowed(finished_starter, query):
    assert finished_starter.sql(query).code == 0


def test_internal_tables_can_be_asked(finished_starter):
    (row,) = finished_starter.records("SELECT count(*) AS n FROM quality_decisions")
    assert row["n"] == 10


def delivered(site, month="2026-06"):
    return site.sessions / f"library_sessions_{month}.csv"


def check(site, path, *more):
    return site.lsoalink("check", path, "--source", SOURCE, "--region", site.folder, *more)


def test_a_good_file_passes_its_check_and_nothing_is_stored(starter):
    said = check(starter, delivered(starter))
    assert said.code == 0
    assert ", 0 broken" in said.out
    # The agreement drops minutes: the agency is told before it sends them.
    assert "pc_minutes" in said.out
    assert not starter.data.exists()


def test_an_empty_file_fails_its_check(starter):
    delivered(starter).write_bytes(b"")
    assert fails(check(starter, delivered(starter)), 4, "is empty")


def test_a_file_that_breaks_its_contract_fails_its_check(starter):
    path = delivered(starter)
    path.write_text(path.read_text().replace(",2026-06,", ",2026-06,minus "))
    said = check(starter, path)
    assert said.code == 5
    assert "would be held back" in said.err


def test_a_check_names_the_sources_there_are(starter):
    said = starter.lsoalink(
        "check", delivered(starter), "--source", "libraries", "--region", starter.folder
    )
    assert fails(said, 3, "libraries", SOURCE)


def test_the_bundled_regions_are_listed(lsoalink):
    said = lsoalink("regions")
    assert said.code == 0
    for folder in (REPOSITORY / "pipelines" / "regions").glob("*/region.yaml"):
        assert folder.parent.name in said.out


def test_schemas_are_written(lsoalink, tmp_path):
    assert lsoalink("schemas", tmp_path / "s").code == 0
    names = {p.stem for p in (tmp_path / "s").iterdir()}
    assert {"region", "source", "agreement", "contract", "indicator"} <= names
