"""The open figures about need agree with the census they are read against."""

import pandas as pd

OLDER = ("Aged 65 to 74 years", "Aged 75 to 84 years", "Aged 85 years and over")
CODE = "mnemonic"


def table(region, source, file, code=CODE):
    frame = region.read(source, file).set_index(code)
    return frame.drop(columns="2021 super output area - lower layer", errors="ignore")


def census(region, source, file):
    return table(region, source, file).apply(pd.to_numeric)


def older(region):
    return census(region, "census_age", "RM121.csv")[list(OLDER)].sum(axis=1)


def test_parts_of_the_further_census_tables_add_up(region):
    for source, file in (
        ("census_car_access", "car_access_65_over.csv"),
        ("census_household_types", "TS003.csv"),
        ("census_overcrowding", "TS052.csv"),
    ):
        frame = census(region, source, file)
        total = next(c for c in frame.columns if c.startswith("Total"))
        assert (frame.drop(columns=total).sum(axis=1) == frame[total]).all()


def test_they_count_the_same_households_and_no_more_people_than_there_are(region):
    households = census(region, "census_households", "TS054.csv")["Total: All households"]
    for source, file in (
        ("census_household_types", "TS003.csv"),
        ("census_overcrowding", "TS052.csv"),
    ):
        assert census(region, source, file)["Total: All households"].equals(households)
    cars = census(region, "census_car_access", "car_access_65_over.csv")
    assert (cars.iloc[:, 0] <= older(region)).all()


def test_nobody_is_counted_beyond_their_age_group(region):
    credit = table(region, "dwp_pension_credit", "pension_credit_2026-08.csv", "lsoa21_code")
    claimed = credit["Pension Credit claimants"].astype(int)
    assert (claimed <= older(region).loc[claimed.index]).all()
    assert set(credit["quarter"]) == {"2026-08"}


def test_the_claimant_count_is_rounded_as_it_is_published(region):
    frame = table(region, "ons_claimants", "claimants_2026-09.csv")
    assert (frame["Claimant count"].astype(int) % 5 == 0).all()
    assert set(frame["date"]) == {"2026-09"}


def test_rough_sleeping_and_no_fixed_abode_are_known_by_district_alone(region):
    snapshot = region.read("mhclg_rough_sleeping", "rough_sleeping_2025-11.csv")
    registered = region.read("nhs_no_fixed_abode", "no_fixed_abode_2026-09.csv")
    assert snapshot["Local authority ONS code"].is_unique
    assert set(registered["District of practice"]) <= set(snapshot["Local authority ONS code"])
    assert not registered["PRACTICE_CODE"].duplicated().any()


def test_a_few_areas_have_no_measured_speed(region):
    frame = table(region, "ofcom_download_speed", "download_speed_lsoa.csv", "lsoa21_code")
    speeds = frame["Average download speed (Mbit/s)"]
    assert 0 < (speeds == "").sum() < len(speeds) / 20
    assert (speeds[speeds != ""].astype(float) > 1).all()


def test_councils_say_for_most_cases_whether_they_helped_before(region):
    said = region.read("northwood_homelessness", "hclic_2026-09.csv")["Previous duty in 24 months"]
    assert set(said) == {"Yes", "No", ""}
    assert 0.9 < (said != "").mean() < 1
