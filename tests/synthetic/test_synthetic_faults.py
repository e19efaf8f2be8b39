"""Planted faults: each is in its file, counted rightly, and nowhere else."""

import json
import re
from datetime import UTC, datetime

import pytest

from synthetic.fault_postcodes import POSTCODE_OUTCOMES

STAGES = {"received", "admitted", "located", "counts"}
OUTCOMES = {"accepted", "refused", "trimmed", "quarantined", "excluded", "flagged"}
KINDS = {
    "bom",
    "cp1252",
    "header_case",
    "zz99_no_fixed_abode",
    "zz99_not_known",
    "zz99_overseas",
    "postcode_terminated",
    "postcode_repaired",
    "postcode_unknown",
    "duplicate_rows",
    "duplicate_delivery",
    "undeclared_columns",
    "agreement_expired",
    "late",
    "wrong_vintage",
    "broken_rows",
    "formula_injection",
    "future_period",
    "empty_file",
    "missing_period",
    "lsoa_unknown",
}


def raw(region, kind):
    entry = region.fault(kind)
    return (region.landing / entry["source"] / entry["file"]).read_bytes()


def table(region, kind, **options):
    entry = region.fault(kind)
    return region.read(entry["source"], entry["file"], **options)


def test_every_kind_is_listed_with_what_to_expect(region):
    faults = region.manifest["faults"]
    assert {entry["kind"] for entry in faults} == KINDS
    assert len({entry["id"] for entry in faults}) == len(faults)
    for entry in faults:
        assert set(entry["expect"]) == {"stage", "outcome", "reason", "rows"}
        assert entry["expect"]["stage"] in STAGES
        assert entry["expect"]["outcome"] in OUTCOMES
        exists = (region.landing / entry["source"] / entry["file"]).exists()
        assert exists == (entry["kind"] != "missing_period")


def test_encodings(region):
    assert raw(region, "bom").startswith(b"\xef\xbb\xbf")
    western = raw(region, "cp1252")
    with pytest.raises(UnicodeDecodeError):
        western.decode("utf-8")
    assert "Zoëlla-Núñezworth" in western.decode("cp1252")
    assert raw(region, "header_case").startswith(b"hclic 1.1,hclic a1.3")
    sound = (region.landing / "northwood_homelessness" / "hclic_2025-06.csv").read_bytes()
    assert sound.startswith(b"HCLIC 1.1,")


def reason_of(code, live, gone):
    fixed = code[:-3].replace("O", "0").replace("QAI", "QA1")
    fixed += code[-3].replace("O", "0").replace("I", "1") + code[-2:]
    for known, reason in (
        (code == "ZZ99 3VZ", "zz99_no_fixed_abode"),
        (code == "ZZ99 3WZ", "zz99_not_known"),
        (code.startswith("ZZ99"), "zz99_overseas"),
        (code in live, None),
        (code in gone, "postcode_terminated"),
        (fixed in live, "postcode_repaired"),
    ):
        if known:
            return reason
    return "postcode_unknown"


def test_postcode_faults_are_counted_file_by_file(region):
    postcodes = region.read("ons_postcodes", "ONSPD_synthetic.csv")
    live = set(postcodes.loc[postcodes["doterm"] == "", "pcds"])
    gone = set(postcodes["pcds"]) - live
    listed = {
        (entry["source"], entry["file"], entry["kind"]): entry["expect"]["rows"]
        for entry in region.manifest["faults"]
        if entry["kind"] in POSTCODE_OUTCOMES
    }
    found = {}
    for path in region.landing.glob("*_homelessness/*.csv"):
        encoding = "cp1252" if path.name == region.fault("cp1252")["file"] else "utf-8-sig"
        frame = region.read(path.parent.name, path.name, encoding=encoding)
        frame.columns = [name.upper() for name in frame.columns]
        frame = frame.drop_duplicates()
        for code in frame["HCLIC A1.8"]:
            reason = reason_of(code, live, gone)
            if reason:
                key = (path.parent.name, path.name, reason)
                found[key] = found.get(key, 0) + 1
    assert found == listed


def test_a_repairable_postcode_is_not_valid_as_typed(region):
    pattern = re.compile(r"^[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2}$")
    postcodes = set(region.read("ons_postcodes", "ONSPD_synthetic.csv")["pcds"])
    broken = set()
    for path in region.landing.glob("northwood_homelessness/*.csv"):
        frame = region.read(path.parent.name, path.name, encoding="utf-8-sig")
        broken |= {code for code in frame["HCLIC A1.8"] if not pattern.match(code)}
    assert broken
    assert not broken & postcodes


def test_duplicate_rows(region):
    frame = table(region, "duplicate_rows")
    assert frame.duplicated().sum() == region.fault("duplicate_rows")["expect"]["rows"] > 0
    assert not region.read("stonebridge_homelessness", "hclic_2025-09.csv").duplicated().any()


def test_duplicate_delivery_is_the_same_bytes_later(region):
    folder = region.landing / "northwood_library_sessions"
    first, second = (
        folder / "library_sessions_2026-01.csv",
        folder / "library_sessions_2026-01 (1).csv",
    )
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_mtime < second.stat().st_mtime


def test_undeclared_column_holds_valid_numbers(region):
    numbers = table(region, "undeclared_columns")["NHS Number"]
    for number in numbers:
        total = sum(int(digit) * (10 - at) for at, digit in enumerate(number[:9]))
        assert (11 - total % 11) % 11 == int(number[9])
    care = region.read("wrenfield_adult_social_care", "cld_2026-03.csv")["NHS_Number"]
    assert not set(numbers) & set(care)


def test_expired_agreement_arrives_in_october_and_the_one_before_in_june(region):
    folder = region.landing / "stonebridge_council_tax"
    times = {
        path.name: datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in folder.iterdir()
    }
    assert times["council_tax_2026-09.csv"].strftime("%Y-%m") == "2026-10"
    assert times["council_tax_2026-06.csv"] < datetime(2026, 6, 30, tzinfo=UTC)


def test_late_file(region):
    entry = region.fault("late")
    path = region.landing / entry["source"] / entry["file"]
    assert datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat() == "2026-09-28"


def test_wrong_vintage_keeps_totals_and_marks_what_cannot_be_recovered(region):
    entry = region.fault("wrong_vintage")
    frame = table(region, "wrong_vintage")
    assert len(frame) == entry["expect"]["rows"]
    # Codes of 2011 that no 2021 area bears: without one the vintage could not be told.
    assert frame["lsoa"].str.startswith("E0198").any()
    truth = region.truth("digital_contacts").query(
        "district == 'Kingsmere' and period == '2026-05'"
    )
    for name in ("contacts_web", "contacts_phone", "contacts_f2f", "accounts_active"):
        assert frame[name].astype(int).sum() == truth[name].sum()
    changes = region.read("ons_lsoa_changes", "LSOA11_LSOA21_LAD22_exact_fit.csv")
    unsure = set(changes.loc[changes["CHGIND"].isin(["S", "X"]), "LSOA21CD"])
    assert set(truth.loc[~truth["exact"], "lsoa21cd"]) == unsure & set(truth["lsoa21cd"])


def test_broken_rows(region):
    frame = table(region, "broken_rows")
    words = ~frame["sessions"].str.isdigit()
    blank = frame["pc_minutes"] == ""
    assert words.sum() == region.fault("broken_rows")["expect"]["rows"]
    assert 0 <= words.sum() - blank.sum() <= 1
    assert 0.05 < (words | blank).mean() < 0.15


def test_formula_is_one_row(region):
    frame = table(region, "formula_injection")
    assert (frame["postcode"] == "=cmd|' /C calc'!A1").sum() == 1


def test_future_period_is_after_today(region):
    entry = region.fault("future_period")
    assert entry["file"] == "2027-03-arden-street.csv"
    assert set(table(region, "future_period")["Month"]) == {"2027-03"}


def test_empty_file_has_no_bytes(region):
    assert raw(region, "empty_file") == b""


def test_unknown_codes_are_in_no_vintage(region):
    frame = table(region, "lsoa_unknown")
    changes = region.read("ons_lsoa_changes", "LSOA11_LSOA21_LAD22_exact_fit.csv")
    known = set(changes["LSOA11CD"]) | set(changes["LSOA21CD"])
    unknown = ~frame["lsoa"].isin(known)
    assert unknown.sum() == region.fault("lsoa_unknown")["expect"]["rows"] > 0


def test_sensitive_values_are_really_in_the_files(region):
    sensitive = region.manifest["sensitive_values"]
    assert set(sensitive) == {"nhs_numbers", "surnames", "ninos", "postcodes", "uprns"}
    places = {
        "nhs_numbers": ("northwood_adult_social_care", "NHS_Number"),
        "surnames": ("northwood_homelessness", "HCLIC A1.5"),
        "ninos": ("northwood_homelessness", "HCLIC A1.6"),
        "postcodes": ("northwood_homelessness", "HCLIC A1.8"),
        "uprns": ("northwood_council_tax", "uprn"),
    }
    for kind, (source, column) in places.items():
        assert len(sensitive[kind]) == len(set(sensitive[kind])) == 20
        first = sorted((region.landing / source).iterdir())[0].name
        assert set(sensitive[kind]) <= set(region.read(source, first)[column])


def test_the_manifest_says_it_is_synthetic(region):
    text = region.report.manifest.read_text(encoding="utf-8")
    assert json.loads(text)["synthetic"] is True
    assert str(region.landing) not in text
