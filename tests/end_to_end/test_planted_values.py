"""No value of a record leaves the restricted zone: every artefact of a run is searched for it."""

from __future__ import annotations

import csv

import pytest
from artefacts import ENCRYPTED, files_below, found_in, text_of
from command_line import CommandLine, Site

pytestmark = pytest.mark.end_to_end

LANDING = ("landing",)
"""The agencies' own files, which a synthetic region leaves where they lie."""
OPEN_LOOKUPS = ("postcodes", "uprns")
"""Kinds that open lookups hold for every address: as received, and in the zone ``reference``."""


def kinds_and_values(arden):
    planted = arden.planted["sensitive_values"]
    assert set(planted) == {"nhs_numbers", "surnames", "ninos", "postcodes", "uprns"}
    assert all(len(values) == 20 for values in planted.values())
    return planted


def test_a_search_would_find_what_is_there(arden):
    sent = files_below(arden.region / "landing" / "northwood_homelessness")
    text = "\n".join(text_of(p) for p in sent)
    for kind in ("surnames", "ninos", "postcodes"):
        assert found_in(text, kinds_and_values(arden)[kind]) == 20


def is_open(arden, path):
    """Whether a file is a lookup under an open licence: as published, or a reference table."""
    zone, name = path.relative_to(arden.data).parts[1:3]
    if zone != "received":
        return zone == "reference"
    return arden.workspace.declared.agreement_of(
        arden.workspace.declared.sources[name]
    ).kind == "open_licence"  # fmt: skip


def test_no_file_holds_a_planted_value_not_even_the_sealed_originals(arden):
    leaks = []
    searched = set()
    for path in files_below(arden.data, without=LANDING):
        zone = path.relative_to(arden.data).parts[1]
        searched.add((zone, path.suffix))
        text = text_of(path)
        for kind, values in kinds_and_values(arden).items():
            if kind in OPEN_LOOKUPS and zone in ("received", "reference") and is_open(arden, path):
                continue
            if found_in(text, values):
                leaks.append((path.relative_to(arden.data).as_posix(), kind))
    assert leaks == []
    assert searched >= {
        ("restricted", ".parquet"), ("published", ".duckdb"), ("published", ".gpkg"),
        ("linked", ".parquet"), ("audit", ".jsonl"), ("quality", ".html"), ("received", ".sealed"),
    }  # fmt: skip


def test_every_record_level_table_is_encrypted(arden):
    tables = list((arden.root / "restricted").rglob("*.parquet"))
    assert len(tables) > 500
    assert [p.name for p in tables if p.read_bytes()[:4] != ENCRYPTED] == []
    assert {p.stat().st_mode & 0o077 for p in tables} == {0}


def test_direct_identifiers_are_not_even_in_the_restricted_tables(arden):
    values = kinds_and_values(arden)
    direct = [*values["nhs_numbers"], *values["surnames"], *values["ninos"]]
    where = [*direct, *values["postcodes"], *values["uprns"]]
    leaks = []
    for path in (arden.root / "restricted").rglob("*.parquet"):
        table = path.parent.name
        if not table.endswith(("_homelessness", "_adult_social_care", "_council_tax")):
            continue
        # What places a record is kept until it is placed, and not after.
        forbidden = where if table.startswith("located_") else direct
        if found_in(text_of(path, arden.workspace), forbidden):
            leaks.append(table)
    assert leaks == []


def test_neither_output_nor_errors_hold_a_planted_value(arden):
    text = (arden.ended["out"] + arden.ended["err"]).lower()
    assert text
    for values in kinds_and_values(arden).values():
        assert found_in(text, values) == 0


PERSON = {
    "nhs": "9990003327", "name": "Gristlehamham", "nino": "QQ905530D", "postcode": "QA1 9ZZ",
    "note": "rang-about-the-stairlift",
}  # fmt: skip


def plant(site):
    """Put the person's values wherever a file of sessions could hold them."""

    def lines(month, rows):
        text = "\n".join(["postcode,month,sessions,members_active,pc_minutes", *rows])
        path = site.sessions / f"library_sessions_{month}.csv"
        path.write_text(text + "\n", encoding="utf-8")
        return path

    with (site.sessions / "library_sessions_2026-05.csv").open(encoding="utf-8") as file:
        good = [",".join(row) for row in csv.reader(file)][1:]
    # As a postcode nobody knows, as text for a number, as a formula, as a heading, as a name.
    lines("2026-06", [*good_for("2026-06", good), f"{PERSON['postcode']},2026-06,3,1,9"])
    lines("2026-07", [f"{PERSON['name']},2026-07,{PERSON['nhs']}x,{PERSON['note']},1"] * 9)
    lines("2026-08", [*good_for("2026-08", good), f"=cmd|{PERSON['note']},2026-08,1,1,1"])
    (site.sessions / "library_sessions_2026-09.csv").write_text(
        f"{PERSON['name']},{PERSON['nino']},{PERSON['note']}\n1,2,3\n", encoding="utf-8"
    )
    (site.sessions / f"extract_{PERSON['nhs']}.csv").write_text("a,b\n1,2\n")
    broken = site.sessions / "library_sessions_2026-10.csv"
    broken.write_bytes(f'postcode,month,sessions\n"{PERSON["name"]}\x00,{PERSON["nino"]}'.encode())


def good_for(month, rows):
    return [",".join([cells[0], month, *cells[2:]]) for cells in (r.split(",") for r in rows)]


@pytest.fixture(scope="module")
def hostile(lsoalink: CommandLine, starter_folder, tmp_path_factory):
    """Run the starter region on hostile files, with Dagster keeping its history."""
    import shutil

    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(starter_folder, folder / "region")
    site = Site(lsoalink, folder / "region", folder / "data")
    plant(site)
    home = folder / "dagster"
    home.mkdir()
    ended = site.run(env={"DAGSTER_HOME": str(home)})
    return site, home, ended


def test_hostile_files_are_dealt_with(hostile):
    site, _, ended = hostile
    assert ended.code == 0
    decisions = {d["period"]: d["decision"] for d in site.records("FROM quality_decisions")
                 if d["source_id"] == "northwood_library_sessions"}  # fmt: skip
    assert decisions["2026-05"] == decisions["2026-06"] == decisions["2026-08"] == "admitted"
    assert decisions["2026-07"] == "quarantined"
    assert (site.latest / "lsoalink.duckdb").is_file()


def test_dagster_keeps_a_history_without_any_planted_value(hostile):
    _, home, _ = hostile
    files = list(files_below(home))
    assert any(p.suffix == ".db" for p in files)
    texts = {p.relative_to(home).as_posix(): text_of(p) for p in files}
    assert any("materialization" in text for text in texts.values())
    assert [name for name, text in texts.items() if found_in(text, PERSON.values())] == []


def test_no_artefact_of_hostile_files_holds_a_planted_value(hostile):
    site, _, ended = hostile
    assert found_in((ended.out + ended.err).lower(), PERSON.values()) == 0
    status = site.command("status")
    assert found_in((status.out + status.err).lower(), PERSON.values()) == 0
    leaks = [
        p.relative_to(site.data).as_posix()
        for p in files_below(site.data, without=LANDING)
        if found_in(text_of(p), PERSON.values())
    ]
    assert leaks == []


def test_checking_a_hostile_file_repeats_none_of_its_values(hostile):
    site, _, _ = hostile
    for path in sorted(site.sessions.iterdir()):
        said = site.lsoalink(
            "check", path, "--source", "northwood_library_sessions", "--region", site.folder
        )
        text = (said.out + said.err).lower()
        assert found_in(text, PERSON.values()) == 0, path.name
        assert "traceback" not in text


def test_a_query_that_fails_does_not_name_a_cell(hostile):
    site, _, _ = hostile
    said = site.sql("SELECT CAST(geography_name AS INTEGER) FROM latest_observations")
    assert said.code == 3
    assert "Traceback" not in said.err
