"""Runs again: nothing new is no work, the same files give the same bytes, a crash loses nothing.

On the starter region, whose runs take seconds.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import duckdb
import pytest
from command_line import Site

from publishing.derived import DERIVED_TABLES
from publishing.protection.findings import ATTACK, ATTACKED, STATEMENTS, WITHHELD
from warehouse.leftovers import SPILL_PREFIX, TEMPORARY_PREFIX

pytestmark = pytest.mark.end_to_end

SOURCE = "northwood_library_sessions"
KILLS = 10
COUNTS = f"linked/counts_{SOURCE}"


def leftovers(site):
    """Return what is half written below the data folder."""
    names = (TEMPORARY_PREFIX, ".incoming-", SPILL_PREFIX)
    found = [p for p in site.data.rglob("*") if p.name.startswith(names) or p.suffix == ".tmp"]
    return [p.relative_to(site.data).as_posix() for p in found]


def change(path, old, new, *, day=None):
    """Change a delivered file, and the day it arrives."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    moment = (day or path.stat().st_mtime) + 1
    os.utime(path, (moment, moment))


def tables(release):
    """Return every table of a release's DuckDB file."""
    with duckdb.connect(str(release / "lsoalink.duckdb"), read_only=True) as connection:
        names = [
            n for (n,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        ]
        return {
            name: connection.execute(f'FROM "{name}" ORDER BY ALL').fetchall() for name in names
        }


def test_a_second_run_does_no_work(finished_starter):
    before = finished_starter.marks()
    said = finished_starter.run()
    assert said.code == 0
    assert said.out.startswith("Nothing new: starter is up to date")
    assert "built" not in said.out
    assert finished_starter.marks() == before


def test_a_forced_run_looks_at_everything_and_makes_nothing_again(starter):
    starter.run()
    before = {
        n: m for n, m in starter.marks().items() if n.endswith((".parquet", ".csv", ".duckdb"))
    }
    said = starter.run("--force")
    assert said.code == 0
    assert "Nothing had to be made again" in said.out
    after = {
        n: m for n, m in starter.marks().items() if n.endswith((".parquet", ".csv", ".duckdb"))
    }
    assert after == before


def test_the_same_files_give_the_same_release_elsewhere_with_another_key(finished_starter, starter):
    assert starter.run().code == 0
    keys = [(s.data / ".keys" / "master.key").read_text() for s in (starter, finished_starter)]
    assert keys[0] != keys[1]
    assert starter.latest.name == finished_starter.latest.name
    assert starter.csvs() == finished_starter.csvs()
    assert len(starter.csvs()) >= 6
    assert tables(starter.latest) == tables(finished_starter.latest)


@pytest.fixture(scope="module")
def length(lsoalink, starter_folder, tmp_path_factory):
    """Measure a run from nothing, by which moments to kill it are chosen."""
    folder = tmp_path_factory.mktemp("length")
    shutil.copytree(starter_folder, folder / "region")
    site = Site(lsoalink, folder / "region", folder / "data")
    ended = site.run()
    assert ended.code == 0
    return ended.seconds


@pytest.mark.parametrize("rounds", range(2))
def test_a_killed_run_goes_on_where_it_stopped(starter, finished_starter, length, rounds):
    killed = 0
    for number in range(KILLS // 2):
        # Moments all over the run; each kill leaves its work, so that later ones hit later stages.
        share = (number * 2 + rounds + 0.7) / KILLS
        run = starter.start()
        time.sleep(length * share)
        run.kill()
        killed += run.wait().code == -9
    assert killed >= 2
    ended = starter.run("--force")
    assert ended.code == 0, ended.err
    assert starter.latest.name == finished_starter.latest.name
    assert starter.csvs() == finished_starter.csvs()
    assert leftovers(starter) == []
    assert starter.command("verify").code == 0
    assert starter.command("audit verify").code == 0


STAGES = {
    "candidate half written": ("candidates", f"{TEMPORARY_PREFIX}*"),
    "candidate whole": ("candidates", "2026-*"),
    "published, link not moved": ("published", "2026-*"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_killed_during_the_release_goes_on(starter, finished_starter, stage):
    folder, pattern = STAGES[stage]
    run = starter.start()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not any((starter.root / folder).glob(pattern)):
        time.sleep(0.001)
    run.kill()
    run.wait()
    ended = starter.run()
    assert ended.code == 0, ended.err
    assert starter.csvs() == finished_starter.csvs()
    assert leftovers(starter) == []
    assert [p.name for p in (starter.root / "candidates").iterdir()] == ["state.json"]
    assert starter.command("verify").code == 0
    assert starter.command("audit verify").code == 0


@pytest.fixture(scope="module")
def changed(lsoalink, starter_folder, tmp_path_factory):
    """Run the starter region, change one delivery, and run again."""
    folder = tmp_path_factory.mktemp("changed")
    shutil.copytree(starter_folder, folder / "region")
    site = Site(lsoalink, folder / "region", folder / "data")
    assert site.run().code == 0
    before, first = site.marks(), site.latest
    old_bytes = {p.relative_to(first): p.read_bytes() for p in first.rglob("*") if p.is_file()}
    path = site.sessions / "library_sessions_2026-09.csv"
    row = path.read_text().splitlines()[1]
    cells = row.split(",")
    change(path, row, ",".join([cells[0], cells[1], str(int(cells[2]) + 90), *cells[3:]]))
    assert site.run().code == 0
    return site, before, first, old_bytes


def test_a_changed_file_is_a_second_version(changed):
    site, _, _, _ = changed
    versions = site.records(
        f"SELECT version, outcome FROM quality_deliveries WHERE source_id = '{SOURCE}' "
        "AND period = '2026-09' ORDER BY 1"
    )
    assert versions == [
        {"version": 1, "outcome": "accepted"}, {"version": 2, "outcome": "accepted"}
    ]  # fmt: skip
    folders = (site.root / "received" / SOURCE / "2026-09").glob("v00*")
    assert len(list(folders)) == 2


def test_a_changed_file_makes_a_new_release_and_leaves_the_old_one(changed):
    site, _, first, old_bytes = changed
    assert site.latest.name != first.name
    assert {
        p.relative_to(first): p.read_bytes() for p in first.rglob("*") if p.is_file()
    } == old_bytes
    assert (site.latest / "csv" / "observations.csv").read_bytes() != old_bytes[
        Path("csv/observations.csv")
    ]
    assert site.command("verify").code == 0


def test_a_changed_file_rebuilds_only_what_depends_on_it(changed):
    site, before, _, _ = changed
    after = site.marks()
    zones = ("restricted/", "linked/", "reference/")
    remade = {
        name
        for name in set(before) | set(after)
        if name.startswith(zones) and name.endswith(".parquet")
        and before.get(name) != after.get(name)
    }  # fmt: skip
    assert remade == {
        f"restricted/admitted_{SOURCE}/2026-09.parquet",
        f"restricted/located_{SOURCE}/2026-09.parquet",
        f"{COUNTS}/2026-09.parquet",
        "linked/indicator_digital_inclusion/all.parquet",
        "linked/protected_observations/all.parquet",
        # What the attack found, and what the ledger will keep, are made with it.
        "linked/protected_combined/all.parquet",
        *(f"linked/{t.name}/all.parquet" for t in (ATTACK, ATTACKED, WITHHELD)),
        *(f"linked/{t.name}/all.parquet" for t in STATEMENTS.values()),
        # All that follows from the protected figures.
        "linked/derived_observations/all.parquet",
        *(f"linked/derived_{name}/all.parquet" for name in DERIVED_TABLES),
    }


def test_a_bad_second_version_does_not_take_away_the_first(starter, finished_starter):
    starter.run()
    path = starter.sessions / "library_sessions_2026-08.csv"
    path.write_text("postcode,month\nnot what was agreed,2026-08\n")
    assert starter.run().code == 0
    rows = starter.records(
        f"SELECT version, decision FROM quality_decisions WHERE source_id = '{SOURCE}' "
        "AND period = '2026-08' ORDER BY 1"
    )
    assert rows == [
        {"version": 1, "decision": "admitted"}, {"version": 2, "decision": "quarantined"}
    ]  # fmt: skip
    old, new = finished_starter.csvs(), starter.csvs()
    assert without_release_id(new["observations.csv"]) == without_release_id(
        old["observations.csv"]
    )


def without_release_id(content):
    return [line.rsplit(b",", 1)[0] for line in content.splitlines()]


def test_a_table_that_is_gone_is_made_again(starter, finished_starter):
    starter.run()
    for name in (
        f"{COUNTS}/2026-07.parquet", "reference/reference_areas/all.parquet",
        "linked/derived_trends/all.parquet", "linked/derived_observations/all.parquet",
        "quality/quality_plausibility/all.parquet",
    ):  # fmt: skip
        gone = starter.root / name
        gone.unlink()
        said = starter.run()
        assert said.code == 0
        assert gone.is_file()
    assert starter.csvs() == finished_starter.csvs()


def test_an_edited_release_is_noticed(starter):
    starter.run()
    said = starter.command("verify")
    assert (said.code, "as published" in said.out) == (0, True)
    path = starter.latest / "csv" / "observations.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"5", b"6", 1))
    said = starter.command("verify")
    assert said.code == 9
    assert "CHANGED" in said.out
    assert "observations.csv" in said.out


def test_a_file_added_to_a_release_is_noticed(starter):
    starter.run()
    (starter.latest / "csv" / "more.csv").write_text("a\n1\n")
    said = starter.command("verify")
    assert said.code == 9
    assert "more.csv" in said.out
