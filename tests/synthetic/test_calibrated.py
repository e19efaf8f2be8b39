"""Cases that add up to published figures; the figures here are invented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from declarations.errors import ConfigurationError
from synthetic.calibrated import calibrated_cases, synthesise_cases
from synthetic.code_lists import TA_TYPES
from synthetic.homelessness import NO_FIXED_ABODE, quarter_bounds
from synthetic.homelessness_export import in_quarter
from synthetic.published_totals import (
    ASSESSED,
    DUTY_PLACES,
    OTHER_TYPE,
    QUARTER,
    STOCK,
    TYPE_PLACES,
    DistrictTotals,
    figure,
    read_totals,
)
from synthetic.seeds import topic_rng

CODE = "E08990001"
DUTIES = {"prevention": 40, "relief": 60, "none": 12, "withdrew": 5, "ineligible": 3}
TYPES = dict(zip(TA_TYPES, (30, 200, 0, 41, 150, 9), strict=True))
TOTALS = DistrictTotals("Northwood (synthetic)", DUTIES, 430, dict(TYPES))
PLACES = pd.DataFrame(
    {
        "postcode": ["QX1 1AA", "QX1 1AB", "QX2 3CD"],
        "lsoa21cd": ["E01990001", "E01990001", "E01990002"],
        "weight": [1.0, 2.0, 0.5],
    }
)


def cases_of(totals: DistrictTotals = TOTALS, seed: int = 1) -> pd.DataFrame:
    return calibrated_cases(topic_rng(seed, "test"), PLACES, CODE, "NOR", totals)


def open_at_end(cases: pd.DataFrame) -> pd.DataFrame:
    last = quarter_bounds(QUARTER)[1]
    leaving = cases["ta_exit"].to_numpy().astype("datetime64[D]")
    entry = cases["ta_entry"].to_numpy().astype("datetime64[D]")
    return cases[(entry <= last) & (np.isnat(leaving) | (leaving > last))]


def test_cases_assessed_in_the_quarter_are_as_many_as_published() -> None:
    cases = cases_of()
    low, high = quarter_bounds(QUARTER)
    assessed = cases[cases["assess_date"].between(low, high)]
    assert assessed["duty_owed"].value_counts().to_dict() == DUTIES


def test_households_in_temporary_accommodation_are_as_many_as_published_by_type() -> None:
    cases = cases_of()
    inside = open_at_end(cases)
    assert inside["ta_type"].value_counts().to_dict() == {k: n for k, n in TYPES.items() if n}
    # They stand in the quarter's file, most of them from earlier quarters.
    assert in_quarter(cases, QUARTER)[inside.index].all()
    assert (inside["assess_date"] < quarter_bounds(QUARTER)[0]).sum() > TOTALS.stock / 2


def test_a_type_that_is_not_published_takes_what_is_left() -> None:
    hotels, _, hostels, *_ = TA_TYPES
    # 30 hotels and no hostels are no longer known: 30 households are left for the two.
    types = {**TYPES, hotels: None, hostels: None}
    found = open_at_end(cases_of(replace(TOTALS, types=types)))["ta_type"].value_counts()
    assert found[hotels] == found[hostels] == 15
    assert found[OTHER_TYPE] == 9


def test_a_district_without_relief_cases_cannot_fill_its_stock() -> None:
    totals = replace(TOTALS, duties={**DUTIES, "prevention": 0, "relief": 0})
    with pytest.raises(ConfigurationError, match="reach 0 of the 430"):
        cases_of(totals)


def test_cases_say_that_they_are_synthetic_and_come_from_the_places_given() -> None:
    cases = cases_of()
    assert cases["case_ref"].str.startswith(f"{CODE}/SYN-NOR-").all()
    assert cases["case_ref"].is_unique
    assert cases["nino"].str.startswith("QQ").all()
    assert set(cases["postcode"]) == {*PLACES["postcode"], NO_FIXED_ABODE}


def test_the_same_seed_gives_the_same_cases_and_another_seed_others() -> None:
    assert cases_of().equals(cases_of())
    assert not cases_of()["dob"].equals(cases_of(seed=2)["dob"])


def write_workbook(path: Path, **changes: object) -> Path:
    """Write the two sheets with one district, as the ministry lays them out."""
    book = Workbook()
    a1 = book.active
    a1.title = "A1"
    ta1 = book.create_sheet("TA1")
    figures = {**DUTIES, **TYPES, "assessed": 120, "stock": 430, "code": CODE, **changes}
    for sheet, places in (
        (a1, {"assessed": ASSESSED, **DUTY_PLACES}),
        (ta1, {"stock": STOCK, **TYPE_PLACES}),
    ):
        sheet["A1"] = "Table - Northwood (synthetic)"
        sheet["A8"], sheet["B8"] = str(figures["code"]), "Northwood (synthetic)"
        for key, (place, words) in places.items():
            # Headings stand in several rows and carry the numbers of notes.
            sheet.cell(5, place + 1, f"{words.title()}1,2\n")
            sheet.cell(8, place + 1, figures[key])
    if "heading" in changes:
        a1.cell(5, 8, changes["heading"])
    book.save(path)
    return path


def test_the_published_totals_are_read_by_place(tmp_path: Path) -> None:
    book = write_workbook(tmp_path / "tables.xlsx")
    assert read_totals(book, [CODE]) == {CODE: TOTALS}


def test_a_type_with_a_dash_is_not_published(tmp_path: Path) -> None:
    book = write_workbook(tmp_path / "tables.xlsx", **{OTHER_TYPE: "-"})
    assert read_totals(book, [CODE])[CODE].types[OTHER_TYPE] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"code": "E08990009"}, "has no district"),
        ({"relief": ".."}, "does not publish every duty"),
        ({"stock": "-"}, "does not publish every duty"),
        ({"assessed": 121}, "do not add up"),
        ({"stock": 431}, "do not add up"),
        ({"heading": "Something else"}, "no column 'prevention duty owed' in place 8"),
    ],
)
def test_figures_that_cannot_be_met_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    book = write_workbook(tmp_path / "tables.xlsx", **changes)
    with pytest.raises(ConfigurationError, match=message):
        read_totals(book, [CODE])


def test_another_file_is_not_taken_for_the_workbook(tmp_path: Path) -> None:
    path = tmp_path / "tables.xlsx"
    path.write_text("no workbook")
    with pytest.raises(ConfigurationError, match="is not the ministry's workbook"):
        read_totals(path, [CODE])
    book = Workbook()
    book.save(path)
    with pytest.raises(ConfigurationError, match="is not the ministry's workbook"):
        read_totals(path, [CODE])


@pytest.mark.parametrize(("cell", "expected"), [(12, 12), ("12", 12), ("-", None), (" .. ", None)])
def test_a_figure_is_a_count_or_not_published(cell: object, expected: int | None) -> None:
    assert figure(cell) == expected


def test_a_figure_is_never_a_word_or_a_fraction() -> None:
    with pytest.raises(ConfigurationError, match="no whole number"):
        figure("many")
    with pytest.raises(ConfigurationError, match="no whole number"):
        figure(2.5)


def test_an_incomplete_open_data_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="lacks homelessness/"):
        synthesise_cases(tmp_path, tmp_path / "landing")
    assert not (tmp_path / "landing").exists()
