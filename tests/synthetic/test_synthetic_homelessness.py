"""Homelessness cases: targets met, lives in order, extracts as known at the quarter's end."""

import numpy as np
import pandas as pd
import pytest

from synthetic import code_lists
from synthetic.homelessness import HEADINGS, NO_FIXED_ABODE, make_cases
from synthetic.homelessness_export import in_quarter, quarter_table, quarter_truth

QUARTERS = ["2025-03", "2025-06", "2025-09", "2025-12"]
OWED = {"prevention": [40, 50, 60, 45], "relief": 80, "none": 5, "withdrew": [4, 3, 2, 1]}
STOCK = [200, 210, 190, 205]


@pytest.fixture(scope="module")
def places():
    return pd.DataFrame(
        {
            "postcode": ["QY1 1AA", "QY1 1AB", "QY1 1AD"],
            "lsoa21cd": ["E01999991", "E01999991", "E01999992"],
            "weight": [1.0, 0.0, 3.0],
        }
    )


@pytest.fixture(scope="module")
def cases(places):
    rng = np.random.default_rng(7)
    return make_cases(rng, places, "E08999999", "XX", QUARTERS, OWED, STOCK)


def bounds(quarter):
    end = pd.Period(quarter, "M")
    return (end - 2).start_time.normalize(), end.end_time.normalize()


def test_targets_are_met_exactly(cases):
    for at, quarter in enumerate(QUARTERS):
        low, high = bounds(quarter)
        duties = cases.loc[cases["assess_date"].between(low, high), "duty_owed"].value_counts()
        for duty, target in OWED.items():
            assert duties.get(duty, 0) == np.broadcast_to(target, 4)[at]
        housed = (cases["ta_entry"] <= high) & ~(cases["ta_exit"] <= high)
        assert housed.sum() == STOCK[at]


def test_places_are_used_by_weight(cases, places):
    settled = cases[cases["postcode"] != NO_FIXED_ABODE]
    assert set(settled["postcode"]) == {"QY1 1AA", "QY1 1AD"}
    pairs = dict(zip(places["postcode"], places["lsoa21cd"], strict=True))
    assert (settled["postcode"].map(pairs) == settled["lsoa21cd"]).all()
    share = (settled["postcode"] == "QY1 1AD").mean()
    assert 0.68 < share < 0.82


def test_no_fixed_abode_has_no_lsoa(cases, places):
    homeless = cases[cases["postcode"] == NO_FIXED_ABODE]
    assert len(homeless) > 0
    assert homeless["lsoa21cd"].isna().all()
    assert homeless["accom_current"].isin(code_lists.UNSETTLED).all()
    housed = make_cases(
        np.random.default_rng(7), places, "E", "X", QUARTERS, OWED, STOCK, no_fixed_abode_share=0
    )
    assert (housed["postcode"] != NO_FIXED_ABODE).all()


def test_lives_are_in_order(cases):
    def before(first, second):
        both = cases[[first, second]].dropna()
        assert len(both) > 0
        assert (both[first] <= both[second]).all()

    for pair in (
        ("dob", "app_date"),
        ("app_date", "assess_date"),
        ("prev_start", "prev_end"),
        ("relief_start", "relief_end"),
        ("relief_end", "main_decision"),
        ("main_decision", "main_end"),
        ("ta_entry", "ta_exit"),
    ):
        before(*pair)
    ran_out = cases["relief_end_reason"] == code_lists.RELIEF_RAN_OUT
    assert (cases["main_decision"].notna() == ran_out).all()
    assert (
        (cases.loc[ran_out, "relief_end"] - cases.loc[ran_out, "relief_start"]).dt.days >= 56
    ).all()
    accepted = cases["main_outcome"] == code_lists.ACCEPTANCE
    assert ((cases["priority_need"] != "") == accepted).all()
    no_duty = cases["duty_owed"].isin(["none", "withdrew", "ineligible"])
    assert cases.loc[no_duty, ["prev_start", "relief_start", "ta_entry"]].isna().all().all()


def test_values_come_from_the_published_lists(cases):
    for name, labels in (
        ("reason_loss", code_lists.REASONS_LOSS),
        ("accom_current", code_lists.ACCOMMODATION),
        ("accom_last_settled", code_lists.ACCOMMODATION),
        ("ethnic_group", code_lists.ETHNIC_GROUPS),
    ):
        assert set(cases[name]) <= set(labels)
    needs = {need for text in cases["support_need"] for need in text.split("; ")} - {""}
    assert needs <= set(code_lists.SUPPORT_NEEDS)
    assert not any("; " in need for need in code_lists.SUPPORT_NEEDS)


def test_an_extract_knows_nothing_of_the_future(cases):
    quarter = "2025-06"
    _, high = bounds(quarter)
    sent = cases[in_quarter(cases, quarter)]
    table = pd.DataFrame(quarter_table(sent, quarter))
    assert list(table.columns) == list(HEADINGS)
    days = [h for h, name in HEADINGS.items() if name.endswith(("_date", "_start", "_end"))]
    days += ["HCLIC 7.1", "HCLIC 9.2", "HCLIC 9.9"]
    for heading in days:
        known = table.loc[table[heading] != "", heading]
        assert (pd.to_datetime(known, format="%d/%m/%Y") <= high).all()
    for day, reason in (("HCLIC 4.5", "HCLIC 4.6"), ("HCLIC 5.5", "HCLIC 5.6")):
        assert ((table[day] == "") == (table[reason] == "")).all()
    # Something is still to come for some of them, or the test shows nothing.
    assert (sent["relief_end"] > high).any()


def test_an_extract_holds_every_case_with_activity_and_no_other(cases):
    quarter = "2025-09"
    low, high = bounds(quarter)
    sent = in_quarter(cases, quarter)
    events = ["assess_date", "prev_end", "relief_end", "main_decision", "main_end"]
    active = np.any([cases[name].between(low, high) for name in events], axis=0)
    housed = (cases["ta_entry"] <= high) & ~(cases["ta_exit"] < low)
    assert (sent == (active | housed) & (cases["assess_date"] <= high)).all()
    assert not sent.all()


def test_truth_counts_assessed_cases(cases):
    truth = quarter_truth(cases[in_quarter(cases, "2025-06")], "2025-06", "Elsewhere")
    by_duty = truth.groupby("duty_owed")["n"].sum()
    assert by_duty["prevention"] == 50
    assert by_duty["relief"] == 80
    assert truth["lsoa21cd"].isna().any()
    assert truth["records"].sum() == in_quarter(cases, "2025-06").sum()
