"""Which columns travel, the file they travel in, and that the hub reads it as the same records."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from agency_factory import AGREEMENT, MONTH, SOURCE, make_agency
from region_factory import case_lines, region_content, rows_of, write_region

from declarations.errors import StorageError
from declarations.loader import load_region
from governance.pseudonyms import pseudonym
from intake.admission import admitted_table
from intake.location import located_table
from intake.packages import KEPT, LEFT_BEHIND, PLACED_BY, PSEUDONYMISED
from intake.pseudonymising import fates_of, write_records

DECIDED = {"columns_kept": "service, opened, closed, person_id, postcode"}
KEY = bytes(range(32))
"""The agency's pseudonym key in `agency_factory`."""


@pytest.mark.parametrize(
    ("column", "sent", "placed"),
    [
        ("person_id", PSEUDONYMISED, PSEUDONYMISED),
        ("name", LEFT_BEHIND, LEFT_BEHIND),
        ("nhs_number", LEFT_BEHIND, LEFT_BEHIND),
        ("note", LEFT_BEHIND, LEFT_BEHIND),
        ("postcode", KEPT, PLACED_BY),
        ("service", KEPT, KEPT),
        ("opened", KEPT, KEPT),
    ],
)
def test_what_becomes_of_each_column(tmp_path: Path, column: str, sent: str, placed: str) -> None:
    declared = load_region(write_region(tmp_path / "region", region_content()))
    source = declared.sources[SOURCE]
    asked: Any = (declared.contract_of(source), declared.agreement_of(source), source, DECIDED)

    assert fates_of(*asked, placed=False)[column] == sent
    assert fates_of(*asked, placed=True)[column] == placed


def test_a_column_the_gate_did_not_store_stays_whatever_the_agreement_says(tmp_path: Path) -> None:
    declared = load_region(write_region(tmp_path / "region", region_content()))
    source = declared.sources[SOURCE]

    fates = fates_of(
        declared.contract_of(source), declared.agreement_of(source), source,
        {"columns_kept": "service, opened"}, placed=False,
    )  # fmt: skip

    assert fates["person_id"] == LEFT_BEHIND
    assert fates["service"] == KEPT


def test_without_the_agencys_tables_nothing_is_written(mere: Any, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="was not made"):
        write_records(mere, mere.declared.sources[SOURCE], MONTH, {}, tmp_path / "x", placed=False)


CASES = [
    {"person_id": "P1", "name": "Made Up", "postcode": "TM2 1AA", "note": "first, of \"two\""},
    # The same but for a column that stays behind: two records, not one repeated.
    {"person_id": "P1", "name": "Made Up", "postcode": "TM2 1AA", "note": "second"},
    {"person_id": "P2", "postcode": "ZZ99 3VZ", "closed": "2026-02-28"},
    {"person_id": "P3", "postcode": "", "service": "support"},
]  # fmt: skip


def quoted(lines: list[str]) -> list[str]:
    return [line.replace('first, of "two"', '"first, of ""two"""') for line in lines]


@pytest.mark.parametrize("place", [False, True])
def test_the_hub_has_the_same_records_as_if_it_had_read_the_file(
    tmp_path: Path, place: bool
) -> None:
    agency = make_agency(tmp_path, lines=quoted(case_lines(CASES)))
    agency.send(agency.make("pseudonymised", place=place).target)

    decision = agency.take_in()

    source = agency.hub.declared.sources[SOURCE]
    located = rows_of(agency.hub, located_table(source), MONTH)
    assert decision["decision"] == "admitted"
    assert (decision["rows_read"], decision["rows_kept"]) == (4, 4)
    assert [r["person_id"] for r in located] == [pseudonym(KEY, p["person_id"]) for p in CASES]
    assert [r["lsoa21cd"] for r in located] == ["E01990004", "E01990004", None, None]
    assert [r["geo_reason"] for r in located][2:] == ["zz99_no_fixed_abode", "postcode_missing"]
    assert list(located[0]) == [
        "record_id", "person_id", "service", "opened", "closed", "lsoa21cd", "lad24cd",
        "geo_method", "geo_reason", "geo_conversion", "geo_flag", "geo_quality",
    ]  # fmt: skip


@pytest.mark.parametrize("place", [False, True])
def test_no_address_travels_once_records_are_placed(tmp_path: Path, place: bool) -> None:
    agency = make_agency(tmp_path, lines=quoted(case_lines(CASES)))
    agency.send(agency.make("pseudonymised", place=place).target)
    agency.take_in()

    rows = rows_of(agency.hub, admitted_table(agency.hub.declared.sources[SOURCE]), MONTH)

    there = {row["postcode"] for row in rows}
    assert there == ({None} if place else {"TM2 1AA", "ZZ99 3VZ", None})


def test_the_file_is_plain_csv_that_any_reader_opens(tmp_path: Path) -> None:
    agency = make_agency(tmp_path, lines=quoted(case_lines(CASES)))
    made = agency.make("pseudonymised", place=True)

    with zipfile.ZipFile(made.target) as archive:
        rows = list(csv.DictReader(archive.read("data.csv").decode("utf-8").splitlines()))

    assert made.rows == len(rows) == len(CASES)
    assert rows[0]["lsoa21cd"] == "E01990004"
    assert rows[2]["closed"] == "2026-02-28"
    assert made.manifest["agreement"]["id"] == AGREEMENT
