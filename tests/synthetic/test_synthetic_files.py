"""The landing folder: every file, its layout, its time of arrival, and the truth about it."""

import csv
import json
import re
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
import shapely

from declarations.errors import ConfigurationError
from synthetic.arden import synthesise
from synthetic.months import last_day, months_between
from synthetic.social_care import FIELDS

DISTRICTS = ("northwood", "alderbrook", "kingsmere", "stonebridge", "wrenfield")
SMALL = {"lsoas": 26, "districts": 2, "first_period": "2026-08"}
PER_COUNCIL = (
    "homelessness",
    "adult_social_care",
    "council_tax",
    "digital_contacts",
    "library_sessions",
)
ONCE = (
    "ons_lsoa21_boundaries",
    "ons_lsoa11_boundaries",
    "ons_lsoa_changes",
    "ons_output_areas",
    "ons_postcodes",
    "ons_uprns",
    "ods_practices",
    "census_residents",
    "census_households",
    "census_age",
    "census_qualifications",
    "census_disability",
    "census_car_access",
    "census_household_types",
    "census_overcrowding",
    "iod2025",
    "ofcom_download_speed",
)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_source_is_delivered_and_no_other(region):
    expected = {f"{district}_{extract}" for district in DISTRICTS for extract in PER_COUNCIL}
    expected |= {"northwood_digital_skills", "kingsmere_digital_skills"}
    expected |= {"ofcom_fixed_coverage", "nhs_gp_registrations", "nhs_pomi", "police_street", *ONCE}
    expected |= {"ons_claimants", "dwp_pension_credit", "mhclg_rough_sleeping"}
    expected |= {"nhs_no_fixed_abode"}
    assert {path.name for path in region.landing.iterdir()} == expected
    files = [path for path in region.landing.rglob("*") if path.is_file()]
    assert len(files) == region.report.files
    assert not [path for path in files if path.name.endswith(".part")]


def test_periods_delivered(region):
    def periods(source):
        found = (re.search(r"\d{4}-\d{2}", p.name) for p in (region.landing / source).iterdir())
        return sorted({match[0] for match in found if match})

    months = months_between("2024-11", "2026-10")
    assert periods("nhs_pomi") == months
    assert periods("police_street") == [*months, "2027-03"]
    assert periods("alderbrook_digital_contacts") == [m for m in months if m != "2025-08"]
    quarter_ends = [m for m in months if m.endswith(("-03", "-06", "-09", "-12"))]
    assert periods("wrenfield_homelessness") == quarter_ends
    assert periods("wrenfield_adult_social_care") == quarter_ends
    assert periods("wrenfield_council_tax") == quarter_ends[-4:]
    assert periods("nhs_gp_registrations") == [
        m for m in months if m.endswith(("-01", "-04", "-07", "-10"))
    ]
    assert periods("ofcom_fixed_coverage") == ["2025-07", "2026-07"]
    assert periods("ons_claimants") == quarter_ends[-4:]
    assert periods("nhs_no_fixed_abode") == quarter_ends[-4:]
    assert periods("dwp_pension_credit") == ["2025-11", "2026-02", "2026-05", "2026-08"]
    assert periods("mhclg_rough_sleeping") == ["2024-11", "2025-11"]


def test_files_arrive_when_they_could(region):
    as_of = datetime(2026, 11, 17, tzinfo=UTC)
    for path in region.landing.rglob("*.*"):
        arrived = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        assert arrived < as_of
    for path in (region.landing / "northwood_digital_contacts").iterdir():
        arrived = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        end = last_day(re.search(r"\d{4}-\d{2}", path.name)[0])
        assert timedelta(days=6) <= arrived - end <= timedelta(days=12)
    for path in (region.landing / "northwood_homelessness").iterdir():
        arrived = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        end = last_day(re.search(r"\d{4}-\d{2}", path.name)[0])
        assert timedelta(days=20) <= arrived - end <= timedelta(days=35)
    for source in ONCE:
        (path,) = (region.landing / source).iterdir()
        assert datetime.fromtimestamp(path.stat().st_mtime, UTC).date() == date(2024, 11, 1)


def test_same_seed_same_bytes_and_times(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        synthesise(tmp_path / name / "landing", seed=seed, **SMALL)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")
    times = [
        {p.name: p.stat().st_mtime for p in (tmp_path / at / "landing").rglob("*.*")}
        for at in ("a", "b")
    ]
    assert times[0] == times[1]


def test_without_faults_nothing_is_planted(tmp_path):
    told = []
    report = synthesise(
        tmp_path / "landing", faults=False, progress=lambda *said: told.append(said), **SMALL
    )
    manifest = json.loads(report.manifest.read_text(encoding="utf-8"))
    assert manifest["synthetic"] is True
    assert manifest["faults"] == []
    assert sum(rows for _, rows in told) == report.rows
    assert len({source for source, _ in told}) == len(told)
    sent = (tmp_path / "landing").glob("*_homelessness/*.csv")
    assert not any("ZZ99" in path.read_text(encoding="utf-8") for path in sent)


def test_a_period_that_is_no_month_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="not a month"):
        synthesise(tmp_path / "landing", districts=1, lsoas=12, first_period="2026-13")


def test_boundaries_read_back_as_a_coverage(region):
    import geopandas

    frame = geopandas.read_file(
        region.landing / "ons_lsoa21_boundaries" / "LSOA_2021_boundaries_BGC.geojson"
    )
    assert frame.crs.to_epsg() == 27700
    assert len(frame) == 60
    assert {"LSOA21CD", "LSOA21NM", "MSOA21CD", "LAD24CD", "WD24CD"} <= set(frame.columns)
    assert shapely.coverage_is_valid(frame.geometry.to_numpy())


def test_postcode_positions_agree(region):
    import geopandas

    frame = region.read("ons_postcodes", "ONSPD_synthetic.csv")
    degrees = geopandas.points_from_xy(
        frame["long"].astype(float), frame["lat"].astype(float), crs=4326
    )
    metres = geopandas.GeoSeries(degrees).to_crs(27700)
    # Helmert against the grid shift of the Ordnance Survey: some metres either way.
    assert (metres.x - frame["east1m"].astype(float)).abs().max() < 8
    assert (metres.y - frame["north1m"].astype(float)).abs().max() < 8


def test_census_tables_add_up(region):
    for source, file in (
        ("census_households", "TS054.csv"),
        ("census_age", "RM121.csv"),
        ("census_qualifications", "TS067.csv"),
        ("census_disability", "TS038.csv"),
    ):
        values = region.read(source, file).iloc[:, 2:].astype(int)
        assert (values.iloc[:, 0] == values.iloc[:, 1:].sum(axis=1)).all()


def test_residents_file_ends_in_notes_without_a_code(region):
    frame = region.read("census_residents", "TS001.csv")
    coded = frame[frame["mnemonic"] != ""]
    assert len(coded) == 60
    assert len(frame) > 60
    oas = region.read("ons_output_areas", "OA21_LSOA21_MSOA21_LAD24.csv")
    sums = oas.groupby("LSOA21CD")["usual_residents"].apply(lambda part: part.astype(int).sum())
    assert (coded.set_index("mnemonic")["total"].astype(int) == sums).all()


def test_deprivation_ranks_are_whole(region):
    frame = region.read("iod2025", "File_7_IoD2025.csv")
    rank = frame["Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)"].astype(int)
    assert sorted(rank) == list(range(1, 61))
    score = frame["Index of Multiple Deprivation (IMD) Score"].astype(float)
    assert score[rank.idxmin()] == score.max()


def test_coverage_percentages_follow_from_numbers(region):
    for period in ("2025-07", "2026-07"):
        frame = region.read(
            "ofcom_fixed_coverage", f"fixed_oa_coverage_{period}.csv", encoding="utf-8-sig"
        )
        assert frame.shape[1] == 37
        number = frame["Number of premises with Gigabit availability"].astype(int)
        share = frame["Gigabit availability (% premises)"].astype(float)
        assert ((100 * number / frame["All Premises"].astype(int)) - share).abs().max() <= 0.051
    raw = (region.landing / "ofcom_fixed_coverage" / "fixed_oa_coverage_2025-07.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in raw


def test_gp_files_change_vintage_and_heading(region):
    old = region.read("nhs_gp_registrations", "gp-reg-pat-prac-lsoa-all_2025-01.csv")
    april = region.read("nhs_gp_registrations", "gp-reg-pat-prac-lsoa-all_2025-04.csv")
    new = region.read("nhs_gp_registrations", "gp-reg-pat-prac-lsoa-all_2025-07.csv")
    assert old.columns[-1] == "Number of Patients"
    assert april.columns[-1] == new.columns[-1] == "NUMBER_OF_PATIENTS"
    assert old["LSOA_CODE"].str.startswith("E0198").any()
    assert april["LSOA_CODE"].str.startswith("E0198").any()
    assert not new["LSOA_CODE"].str.startswith("E0198").any()
    assert "CLOSED" in set(new["LSOA_CODE"])
    assert not new.duplicated(["PRACTICE_CODE", "LSOA_CODE"]).any()


def test_online_use_has_its_known_oddities(region):
    frame = region.read("nhs_pomi", "pomi_2026-01.csv")
    assert (frame["value"] == "NULL").sum() in (1, 2, 3)
    wide = frame[frame["value"] != "NULL"].pivot(
        index="practice_code", columns="field", values="value"
    )
    over = wide["Total_Pat_Enbld"].astype(float) > wide["patient_list_size"].astype(float)
    assert over.sum() <= 1


def test_register_of_practices(region):
    with (region.landing / "ods_practices" / "epraccur.csv").open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    assert {len(row) for row in rows} == {27}
    postcodes = set(region.read("ons_postcodes", "ONSPD_synthetic.csv")["pcds"])
    assert all(re.fullmatch(r"Q99\d{3}", row[0]) and row[9] in postcodes for row in rows)
    registered = region.read("nhs_gp_registrations", "gp-reg-pat-prac-lsoa-all_2026-10.csv")
    assert set(registered["PRACTICE_CODE"]) == {row[0] for row in rows}


def test_street_crime_truth_accounts_for_every_row(region):
    truth = region.truth("street_crime")
    for period in ("2025-03", "2025-04"):
        frame = region.read("police_street", f"{period}-arden-street.csv")
        assert list(frame.columns)[:2] == ["Crime ID", "Month"]
        month = truth[truth["period"] == period]
        assert month["n"].sum() == len(frame)
        types = month.groupby("crime_type")["n"].sum()
        assert (frame["Crime type"].value_counts().sort_index() == types).all()
        blank = (frame["LSOA code"] == "").sum()
        assert blank == month.loc[month["reason"] == "no_location", "n"].sum() > 0
        assert (frame.loc[frame["LSOA code"] == "", "Longitude"] == "").all()
        asb = frame["Crime type"] == "Anti-social behaviour"
        assert (frame.loc[asb, "Crime ID"] == "").all()
        assert frame.loc[~asb, "Crime ID"].str.fullmatch(r"[0-9a-f]{64}").all()
    march = region.read("police_street", "2025-03-arden-street.csv")["LSOA code"]
    april = region.read("police_street", "2025-04-arden-street.csv")["LSOA code"]
    assert march.str.startswith("E0198").any()
    assert not april.str.startswith("E0198").any()
    placed = truth[(truth["period"] == "2025-04") & truth["lsoa21cd"].notna()]
    counts = placed.groupby("lsoa21cd")["n"].sum()
    in_file = april[april.str.startswith("E0199")].value_counts()
    assert (counts == in_file.sort_index()).all()


def test_digital_contact_truth_is_what_the_file_says(region):
    truth = region.truth("digital_contacts")
    frame = region.read("northwood_digital_contacts", "digital_contacts_2026-02.csv")
    mine = truth[(truth["district"] == "Northwood") & (truth["period"] == "2026-02")]
    assert list(mine["lsoa21cd"]) == list(frame["lsoa"])
    assert list(mine["contacts_web"].astype(str)) == list(frame["contacts_web"])
    gone = (truth["district"] == "Alderbrook") & (truth["period"] == "2025-08")
    assert not gone.any()


def test_homelessness_truth_places_what_can_be_placed(region):
    truth = region.truth("homelessness")
    postcodes = region.read("ons_postcodes", "ONSPD_synthetic.csv").set_index("pcds")["lsoa21cd"]
    frame = region.read("wrenfield_homelessness", "hclic_2026-03.csv")
    placed = frame["HCLIC A1.8"].map(postcodes)
    mine = truth[(truth["district"] == "Wrenfield") & (truth["period"] == "2026-03")]
    assert mine["records"].sum() == len(frame)
    expected = mine.dropna(subset=["lsoa21cd"]).groupby("lsoa21cd")["records"].sum()
    assert (placed.value_counts().sort_index() == expected).all()
    lost = mine.loc[mine["lsoa21cd"].isna(), "records"].sum()
    assert placed.isna().sum() == lost > 0


def test_care_returns_cover_twelve_months(region):
    frame = region.read("kingsmere_adult_social_care", "cld_2025-12.csv")
    assert list(frame.columns) == list(FIELDS)
    assert set(frame["Reporting_Period_Start_Date"]) == {"2025-01-01"}
    assert set(frame["Reporting_Period_End_Date"]) == {"2025-12-31"}
    ended = frame["Event_End_Date"]
    assert (frame["Event_Start_Date"] <= "2025-12-31").all()
    assert ((ended == "") | ((ended >= "2025-01-01") & (ended <= "2025-12-31"))).all()
    service = frame["Event_Type"] == "Service"
    assert (frame.loc[~service, "Event_End_Date"] != "").all()
    assert (frame.loc[~service, "Unit_Cost"] == "").all()
    assert frame.loc[service, "Unit_Cost"].astype(float).gt(0).all()
    assert set(frame["Event_Type"]) == {"Request", "Assessment", "Service", "Review"}
    long_term = frame[frame["Service_Type"].str.startswith("Long term")]
    lsoas = 60 / 5
    clients = long_term["LA_Person_Unique_Identifier"].nunique()
    assert 15 * lsoas < clients < 45 * lsoas


def test_care_people_keep_one_nhs_number(region):
    first = region.read("kingsmere_adult_social_care", "cld_2025-06.csv")
    later = region.read("kingsmere_adult_social_care", "cld_2026-06.csv")
    both = pd.concat([first, later])
    both = both[both["NHS_Number"] != ""]
    assert (both.groupby("LA_Person_Unique_Identifier")["NHS_Number"].nunique() == 1).all()
    other = region.read("wrenfield_adult_social_care", "cld_2026-06.csv")
    assert not (set(both["NHS_Number"]) & set(other["NHS_Number"])) - {""}


def test_council_tax_has_every_address_once(region):
    uprns = region.read("ons_uprns", "ONSUD_synthetic.csv")
    letters = {"alderbrook": "QB", "wrenfield": "QE"}
    for district, area in letters.items():
        frame = region.read(f"{district}_council_tax", "council_tax_2026-03.csv")
        expected = uprns.loc[uprns["PCDS"].str.startswith(area), "UPRN"]
        assert sorted(frame["uprn"].str.zfill(12)) == sorted(expected)
        assert set(frame["ctr_class"]) == {"none", "working_age", "pension"}
        assert set(frame["band"]) <= set("ABCDEFGH")
    stripped = region.read("alderbrook_council_tax", "council_tax_2026-03.csv")["uprn"]
    assert (stripped.str.len() < 12).any()
    assert (stripped.str.len() == 12).any()
