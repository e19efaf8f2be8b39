"""Layouts held against the real published files, where those are at hand."""

import csv
import json
import os
from pathlib import Path

import pytest

from synthetic.homelessness import HEADINGS
from synthetic.social_care import FIELDS, INVALID_VALUE

pytestmark = pytest.mark.open_data


@pytest.fixture(scope="module")
def open_data() -> Path:
    default = Path(__file__).parents[2].parent / "shared" / "open-data"
    folder = Path(os.environ.get("LSOALINK_OPEN_DATA", default))
    if not folder.is_dir():
        pytest.skip("the folder of real open data is not there")
    return folder


def first_row(path, encoding="utf-8-sig"):
    with path.open(encoding=encoding, newline="") as lines:
        return next(csv.reader(lines))


@pytest.mark.parametrize(
    ("real", "source", "file"),
    [
        (
            "police/2024-05-surrey-street.csv",
            "police_street",
            "2026-01-arden-street.csv",
        ),
        (
            "census/TS001_usual_residents_LSOA2021_nomis.csv",
            "census_residents",
            "TS001.csv",
        ),
        (
            "lookups/LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv",
            "ons_lsoa_changes",
            "LSOA11_LSOA21_LAD22_exact_fit.csv",
        ),
        (
            "nhs/gp-reg-pat-prac-lsoa-all_2022-07_wm7_stockport_RECONSTRUCTED_LAYOUT.csv",
            "nhs_gp_registrations",
            "gp-reg-pat-prac-lsoa-all_2026-01.csv",
        ),
    ],
)
def test_headings_are_the_published_ones(open_data, region, real, source, file):
    assert first_row(region.landing / source / file) == first_row(open_data / real)


def test_notes_of_nomis(open_data, region):
    real = open_data / "census" / "TS001_usual_residents_LSOA2021_nomis.csv"
    notes = real.read_text(encoding="utf-8").splitlines()[-6:]
    mine = (region.landing / "census_residents" / "TS001.csv").read_text(encoding="utf-8")
    assert mine.splitlines()[-6:] == notes


def test_coverage_headings(open_data, region):
    lists = json.loads(
        (open_data / "ofcom" / "ofcom_fixed_coverage_field_lists.json").read_text(encoding="utf-8")
    )
    new = ["output_area", *lists["oa_counts"]]
    new += lists["percent_fields_2026_01"] + lists["count_fields_2026_01"]
    folder = region.landing / "ofcom_fixed_coverage"
    assert first_row(folder / "fixed_oa_coverage_2026-07.csv") == new
    renamed = lists["renamed_between_vintages"]
    old = dict(zip(renamed["2026-01"], renamed["2024-07"], strict=True))
    expected = [old.get(name, name) for name in new]
    assert first_row(folder / "fixed_oa_coverage_2025-07.csv") == expected


def test_register_is_as_wide_as_the_real_one(open_data, region):
    real = first_row(open_data / "nhs" / "epraccur_wm7_stockport_no_header.csv")
    mine = first_row(region.landing / "ods_practices" / "epraccur.csv")
    assert len(mine) == len(real)


def test_care_fields_hold_every_release_1_field(open_data):
    with (open_data / "socialcare" / "cld_release1_field_list.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if not row["module"].startswith("(")]
    assert {row["field_sql_name"] for row in rows} <= set(FIELDS)


def test_care_values_are_release_2(open_data, region):
    path = open_data / "socialcare" / "cld_code_values_seen_in_official_sql.csv"
    with path.open(encoding="utf-8") as lines:
        pairs = [tuple(row)[:2] for row in csv.reader(lines)]
    frame = region.read("northwood_adult_social_care", "cld_2026-09.csv")
    for column in ("Ethnicity", "Event_Outcome", "Service_Type"):
        allowed = {value for field, value in pairs if field == f"{column} (Release 2)"}
        allowed |= {value for field, value in pairs if field == column}
        extra = set(frame[column]) - allowed - {"", INVALID_VALUE}
        assert not extra - {"NFA: Responsibility moved to another local authority"}


def test_headings_are_distinct():
    assert len(set(HEADINGS.values())) == len(HEADINGS)
