"""Every bad file gets a clear refusal or a counted exclusion, and the rest is still published.

One run takes many files, a month each; the months that stay good must be counted as ever.
"""

from __future__ import annotations

import gzip
import io
import shutil
import zipfile

import pytest
from command_line import Site

pytestmark = pytest.mark.end_to_end

SOURCE = "northwood_library_sessions"
GOOD = ("2026-05", "2026-10")
HEADER = "postcode,month,sessions,members_active,pc_minutes"
GIGABYTE = 1 << 30


def lines_of(site, month="2026-05"):
    text = (site.sessions / f"library_sessions_{month}.csv").read_text(encoding="utf-8")
    return text.splitlines()[1:]


def rows(site, month):
    """Return sound rows of a month."""
    return [r.replace(",2026-05,", f",{month},") for r in lines_of(site)]


def csv_file(name="library_sessions_{month}.csv"):
    """Make a writer of a text file out of a function from site and month to lines."""

    def decorate(make):
        def write(site, month):
            path = site.sessions / name.format(month=month)
            content = make(site, month)
            data = content if isinstance(content, bytes) else "\n".join([*content, ""]).encode()
            path.write_bytes(data)

        return write

    return decorate


@csv_file()
def wrong_types(site, month):
    return [HEADER, *(r.replace(f",{month},", f",{month},many ") for r in rows(site, month))]


@csv_file()
def empty(site, month):
    return b""


@csv_file()
def header_only(site, month):
    return [HEADER]


@csv_file()
def two_headers(site, month):
    half = len(rows(site, month)) // 2
    return [HEADER, *rows(site, month)[:half], HEADER, *rows(site, month)[half:]]


@csv_file()
def unknown_column(site, month):
    return [f"{HEADER},favourite_book", *(f"{r},x" for r in rows(site, month))]


@csv_file()
def broken_tenth(site, month):
    out = [r if n % 10 else r.replace(f",{month},", f",{month},several") for n, r in
           enumerate(rows(site, month))]  # fmt: skip
    return [HEADER, *out]


@csv_file()
def missing_column(site, month):
    return ["postcode,month", *(",".join(r.split(",")[:2]) for r in rows(site, month))]


@csv_file()
def formula_cell(site, month):
    return [HEADER, *rows(site, month), f"=cmd|' /C calc'!A1,{month},1,1,1"]


@csv_file()
def latin_names(site, month):
    text = "\n".join([f"{HEADER},Büro", *(f"{r},Zoë" for r in rows(site, month)), ""])
    return text.encode("latin-1")


@csv_file()
def not_text(site, month):
    return bytes(range(256)) * 40


@csv_file()
def twice_the_same_row(site, month):
    return [HEADER, *rows(site, month), rows(site, month)[0]]


@csv_file()
def rows_of_another_month(site, month):
    return [HEADER, *rows(site, "2026-05")]


@csv_file()
def one_row_of_another_month(site, month):
    return [HEADER, *rows(site, month), rows(site, "2026-05")[0]]


def zip_bomb(site, month):
    """A file of a few megabytes that unpacks to two gigabytes."""
    path = site.sessions / f"library_sessions_{month}.csv.zip"
    block = b"0" * (1 << 20)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("library_sessions.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(2 * GIGABYTE // len(block)):
            member.write(block)
    assert path.stat().st_size < 20_000_000
    (site.sessions / f"library_sessions_{month}.csv").unlink()


def path_traversal(site, month):
    path = site.sessions / f"library_sessions_{month}.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../../escaped.csv", "\n".join([HEADER, *rows(site, month)]))
    (site.sessions / f"library_sessions_{month}.csv").unlink()


def cut_off_gzip(site, month):
    path = site.sessions / f"library_sessions_{month}.csv.gz"
    packed = gzip.compress("\n".join([HEADER, *rows(site, month)]).encode())
    path.write_bytes(packed[: len(packed) // 2])
    (site.sessions / f"library_sessions_{month}.csv").unlink()


ENTITY = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY steal SYSTEM "file:///etc/passwd">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>&steal;</t></is></c></row></sheetData></worksheet>"""


def external_entity():
    """Return a workbook whose sheet would read another file."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(HEADER.split(","))
    plain, hostile = io.BytesIO(), io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(hostile, "w") as new:
        for name in old.namelist():
            new.writestr(name, ENTITY if "sheet1" in name else old.read(name))
    return hostile.getvalue()


# What is written, at which stage it shows, and how.
RECEIVED, ADMITTED, EXCLUDED = "received", "admitted", "excluded"
CASES = {
    "wrong_types": (wrong_types, ADMITTED, "quarantined", "broken_rows"),
    "empty": (empty, RECEIVED, "refused", "empty_file"),
    "header_only": (header_only, ADMITTED, "quarantined", "header_only"),
    "two_headers": (two_headers, EXCLUDED, "admitted", {}),
    "unknown_column": (unknown_column, ADMITTED, "trimmed", "undeclared_columns"),
    "broken_tenth": (broken_tenth, ADMITTED, "quarantined", "broken_rows"),
    "missing_column": (missing_column, ADMITTED, "quarantined", "missing_column"),
    "formula_cell": (formula_cell, EXCLUDED, "admitted", {"row_formula": 1}),
    "latin_names": (latin_names, ADMITTED, "trimmed", "undeclared_columns"),
    "not_text": (not_text, RECEIVED, "refused", "not_utf8_or_cp1252"),
    "twice_the_same_row": (twice_the_same_row, EXCLUDED, "admitted", {"row_duplicate": 1}),
    "rows_of_another_month": (rows_of_another_month, ADMITTED, "quarantined", "wrong_month"),
    "one_row_of_another_month": (
        one_row_of_another_month,
        EXCLUDED,
        "admitted",
        {"row_broken": 1},
    ),
    "zip_bomb": (zip_bomb, RECEIVED, "refused", "zip_bomb"),
    "path_traversal": (path_traversal, RECEIVED, "refused", "path_traversal"),
    "cut_off_gzip": (cut_off_gzip, RECEIVED, "refused", "truncated"),
}
MONTHS = ("2026-06", "2026-07", "2026-08", "2026-09")
ROUNDS = [list(CASES)[at : at + len(MONTHS)] for at in range(0, len(CASES), len(MONTHS))]


@pytest.fixture(scope="module", params=range(len(ROUNDS)), ids=lambda n: "+".join(ROUNDS[n]))
def bad_round(request, lsoalink, starter_folder, tmp_path_factory):
    """Run the region once with a bad file in each of four months."""
    folder = tmp_path_factory.mktemp("bad")
    shutil.copytree(starter_folder, folder / "region")
    site = Site(lsoalink, folder / "region", folder / "data")
    where = dict(zip(ROUNDS[request.param], MONTHS, strict=False))
    for name, month in where.items():
        CASES[name][0](site, month)
    ended = site.run()
    return site, where, ended


def test_bad_files_are_refused_or_counted_and_the_rest_is_published(bad_round, finished_starter):
    site, where, ended = bad_round
    assert ended.code == 0, ended.err
    for name, month in where.items():
        _, stage, outcome, detail = CASES[name]
        check_outcome(site, name, month, stage, outcome, detail)
    for month in GOOD:
        query = f"FROM counts WHERE source_id = '{SOURCE}' AND period = '{month}' ORDER BY ALL"
        assert site.records(query) == finished_starter.records(query)
    assert site.records("SELECT count(*) AS n FROM protected_observations")[0]["n"] > 0
    assert (site.latest / "lsoalink.duckdb").is_file()
    assert not list(site.data.parent.rglob("escaped.csv"))


def check_outcome(site, name, month, stage, outcome, detail):
    where = f"WHERE source_id = '{SOURCE}' AND period = '{month}'"
    if stage == RECEIVED:
        (row,) = site.records(f"FROM quality_deliveries {where}")
        assert (name, row["outcome"], row["reason"]) == (name, outcome, detail)
        assert len(row["message"].split(". ")) >= 2, row["message"]
        return
    (row,) = site.records(f"FROM quality_decisions {where}")
    assert (name, row["decision"]) == (name, outcome)
    if stage == ADMITTED:
        assert detail in row["reasons"].split(", "), (name, row["reasons"])
        assert row["message"]
        return
    lost = site.records(
        "SELECT detail, amount FROM quality_accounting "
        f"{where} AND quantity = 'rows' AND outcome = 'not placed'"
    )
    assert (name, {r["detail"]: r["amount"] for r in lost}) == (name, detail)


@pytest.fixture(scope="module")
def strange(lsoalink, starter_folder, tmp_path_factory):
    """Run the region with files that belong to no month of the calendar, or not to this source."""
    folder = tmp_path_factory.mktemp("strange")
    shutil.copytree(starter_folder, folder / "region")
    site = Site(lsoalink, folder / "region", folder / "data")
    for name in ("library_sessions_2027-03.csv", "library_sessions_2024-01.csv", "notes.csv"):
        shutil.copy2(site.sessions / "library_sessions_2026-05.csv", site.sessions / name)
    again = site.sessions / "library_sessions_2026-05 (1).csv"
    shutil.copy(site.sessions / "library_sessions_2026-05.csv", again)
    (site.sessions / "library_sessions_2026-06.xlsx").write_bytes(external_entity())
    unknown = site.sessions / "library_sessions_2026-07.csv"
    unknown.write_text(unknown.read_text() + "QA99 9ZZ,2026-07,8,2,60\n")
    lost = site.sessions / "library_sessions_2026-08.csv"
    lost.write_text(lost.read_text() + ",2026-08,8,2,60\n")
    return site, site.run()


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("library_sessions_2027-03.csv", "refused", "future_period"),
        ("library_sessions_2024-01.csv", "refused", "out_of_calendar"),
        ("notes.csv", "refused", "unknown_name"),
        ("library_sessions_2026-05 (1).csv", "duplicate", "duplicate_delivery"),
        ("library_sessions_2026-06.xlsx", "refused", "unknown_name"),
    ],
)
def test_a_file_that_belongs_nowhere_is_named_and_refused(strange, name, outcome, reason):
    site, ended = strange
    assert ended.code == 0
    found = site.records(f"FROM quality_deliveries WHERE file_name = '{name}'")
    assert [(r["outcome"], r["reason"]) for r in found] == [(outcome, reason)]


def test_a_workbook_that_would_read_other_files_is_refused(starter):
    path = starter.folder / "sessions.xlsx"
    path.write_bytes(external_entity())
    said = starter.lsoalink("check", path, "--source", SOURCE, "--region", starter.folder)
    assert said.code == 4
    assert "document type or entity" in said.err
    assert "root:" not in said.out + said.err


@pytest.mark.parametrize(("month", "reason"), [("2026-07", "postcode_unknown"), ("2026-08", None)])
def test_a_postcode_nobody_knows_is_counted_and_a_missing_one_holds_the_file_back(
    strange, month, reason
):
    site, _ = strange
    where = f"WHERE source_id = '{SOURCE}' AND period = '{month}'"
    (decision,) = site.records(f"FROM quality_decisions {where}")
    lost = site.records(
        f"SELECT detail, amount FROM quality_accounting {where} AND quantity = 'rows' "
        "AND outcome = 'not placed'"
    )
    if reason is None:
        assert decision["decision"] == "quarantined" or sum(r["amount"] for r in lost) == 1
    else:
        assert lost == [{"detail": reason, "amount": 1}]


CRIME_HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)
CRIME_SOURCE = """
id: police_street
title: Street crime (synthetic)
agency: Testshire Police (synthetic)
agreement: OGL-CRIME
contract: street_crime
theme: context
cadence: monthly
files: "{period}-street.csv"
synthetic: true
"""
KEPT = ("month", "crime_type")
PLACES = ("longitude", "latitude", "lsoa_code")


@pytest.fixture(scope="module")
def crimes(lsoalink, starter_folder, tmp_path_factory):
    """Run the region with crimes in the sea, at swapped coordinates and in areas nobody has."""
    folder = tmp_path_factory.mktemp("crimes")
    shutil.copytree(starter_folder, folder / "region")
    site = Site(lsoalink, folder / "region", folder / "data")
    (site.folder / "sources" / "police_street.yaml").write_text(CRIME_SOURCE)
    columns = [f"      - {{name: {n}, class: measure, action: keep}}" for n in KEPT]
    columns += [f"      - {{name: {n}, class: reference, action: generalise}}" for n in PLACES]
    head = (site.folder / "agreements" / "OGL-START.yaml").read_text().split("sources:")[0]
    (site.folder / "agreements" / "OGL-CRIME.yaml").write_text(
        head.replace("id: OGL-START", "id: OGL-CRIME")
        + "\n".join(["sources:", "  - id: police_street", "    columns:", *columns, ""])
    )
    cases = [
        ("", "1.95", "52.40", 3),  # in the North Sea
        ("", "52.40", "-1.62", 4),  # latitude and longitude swapped
        ("", "", "", 5),  # nowhere
        ("E01979001", "", "", 6),  # a code no area has
        ("E01990001", "", "", 7),  # an area of the region
    ]
    lines = [CRIME_HEADER]
    for code, longitude, latitude, count in cases:
        for n in range(count):
            lines.append(
                f"{code}{longitude}{n},2026-10,Testshire,Testshire,{longitude},{latitude},On or "
                f"near Street,{code},,Burglary,,"
            )
    path = site.folder / "landing" / "police_street" / "2026-10-street.csv"
    path.parent.mkdir()
    path.write_text("\n".join([*lines, ""]))
    return site, site.run()


def test_places_that_cannot_be_are_counted_by_reason(crimes):
    site, ended = crimes
    assert ended.code == 0, ended.err
    found = {
        (r["outcome"], r["detail"]): r["amount"]
        for r in site.records(
            "FROM quality_accounting WHERE source_id = 'police_street' AND quantity = 'rows'"
        )
    }
    assert found.pop(("received", "all")) == 25
    assert found.pop(("placed", "lsoa_code")) == 7
    assert found.pop(("not placed", "lsoa_unknown")) == 6
    assert found.pop(("not placed", "point_swapped")) == 4
    # The sea is outside the region, and a blank is no place at all.
    assert sorted(found.values()) == [3, 5]
    assert {outcome for outcome, _ in found} == {"not placed"}
