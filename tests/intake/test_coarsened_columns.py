"""What is stored of a column that is coarsened: an age band, or that there is a value."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import agency_factory
import duckdb
import pytest
from agency_factory import MONTH, SOURCE, Agency, make_agency
from region_factory import case_lines, region_content, rows_of

from declarations.coarsening import Coarsening
from declarations.contracts import Column, Contract
from governance.controls.agreed import undeclared_columns_dropped
from intake.admission import admitted_table
from intake.coarsening import as_delivered, coarsen_sql, coarsened, stored_names
from intake.location import located_table
from intake.records import read_record

LOWER = [0, 18, 25, 45, 65, 75, 85, 95]
BAND = Coarsening(to="age_band", into="age_band", at="day", bands=LOWER)
THERE = Coarsening(to="presence", into="has_nhs_number")

#    born, the day, and the band of the age on that day
AGES = [
    ("1950-06-15", "2026-06-14", "75-84"),  # 75 until the birthday
    ("1941-06-15", "2026-06-14", "75-84"),  # 84, the day before the birthday
    ("1941-06-15", "2026-06-15", "85-94"),  # 85 on the birthday
    ("2008-06-16", "2026-06-15", "Under 18"),
    ("2008-06-15", "2026-06-15", "18-24"),
    ("2001-06-15", "2026-06-15", "25-44"),
    ("1981-06-15", "2026-06-15", "45-64"),
    ("1961-06-16", "2026-06-15", "45-64"),
    ("1961-06-15", "2026-06-15", "65-74"),
    ("1931-06-15", "2026-06-15", "95+"),
    ("1931-06-16", "2026-06-15", "85-94"),
    ("1906-06-15", "2026-06-15", "95+"),  # 120
    ("1905-06-16", "2026-06-15", "95+"),  # 120, the day before the birthday
    ("1905-06-15", "2026-06-15", "Unknown"),  # 121: nobody is
    ("1900-01-01", "2026-06-15", "Unknown"),  # what stands for no date
    ("1001-01-01", "2026-06-15", "Unknown"),
    ("2026-06-15", "2026-06-15", "Under 18"),  # born that day
    ("2026-06-16", "2026-06-15", "Unknown"),  # not yet born
    ("1961-02-28", "2026-02-28", "65-74"),
    ("2008-02-29", "2026-02-28", "Under 18"),  # of a leap day: not before 1 March
    ("2008-02-29", "2026-03-01", "18-24"),
    (None, "2026-06-15", "Unknown"),
    ("1961-06-15", None, "Unknown"),
]


@pytest.mark.parametrize(("born", "day", "band"), AGES)
def test_the_band_of_an_age_on_a_day(born: str | None, day: str | None, band: str) -> None:
    row = duckdb.execute(
        f"SELECT {coarsen_sql('born', BAND)} FROM (SELECT CAST(? AS DATE) AS born, "
        "CAST(? AS DATE) AS day)",
        [born, day],
    ).fetchone()

    assert row == (band,)


def test_the_bands_are_dhscs() -> None:
    assert BAND.labels == [
        "Under 18", "18-24", "25-44", "45-64", "65-74", "75-84", "85-94", "95+"
    ]  # fmt: skip


@pytest.mark.parametrize(("number", "there"), [("9998887771", True), (None, False)])
def test_whether_there_is_a_number(number: str | None, there: bool) -> None:
    row = duckdb.execute(
        f"SELECT {coarsen_sql('nhs_number', THERE)} FROM (SELECT ? AS nhs_number)", [number]
    ).fetchone()

    assert row == (there,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "age_band", "into": "age"},
        {"to": "age_band", "into": "age", "at": "day", "bands": [18, 65]},
        {"to": "age_band", "into": "age", "at": "day", "bands": [0, 65, 18]},
        {"to": "age_band", "into": "age", "at": "day", "bands": [0]},
        {"to": "presence", "into": "there", "bands": [0, 18]},
        {"to": "initials", "into": "initials"},
    ],
)
def test_what_says_nothing_of_how_to_coarsen_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Coarsening.model_validate(wrong)


def content() -> dict[str, dict[str, Any]]:
    """Return the region with dates of birth that become bands and NHS numbers yes or no."""
    made = region_content()
    cases = made["contracts/mere_cases.yaml"]
    for column in cases["columns"]:
        if column["name"] == "nhs_number":
            column |= {"coarsen": THERE.model_dump(exclude_defaults=True), "identifier": True}
    band = BAND.model_dump() | {"at": "opened"}
    born = {"name": "born", "type": "date", "required": False, "coarsen": band, "identifier": True}
    cases["columns"].append(born)
    cases["counts"][0]["category"] = "age_band"
    for name in ("DSA-TM-001", "DSA-TM-002"):
        for source in made[f"agreements/{name}.yaml"]["sources"]:
            if source["id"].endswith("_cases"):
                presence = {"action": "generalise", "to": "presence"}
                source["columns"] = [
                    *(
                        c | (presence if c["name"] == "nhs_number" else {})
                        for c in source["columns"]
                    ),
                    {"name": "born", "class": "direct_identifier", "action": "generalise",
                     "to": "age_band"},
                ]  # fmt: skip
    return made


CASES = [
    {"person_id": "P1", "born": "1950-03-03", "nhs_number": "9998887771", "postcode": "TM2 1AA"},
    {"person_id": "P2", "born": "2001-12-24", "postcode": "TM2 1AB"},
    {"person_id": "P3", "nhs_number": "9990001112", "postcode": "TM2 1AB"},
]
WHO = [("75-84", True), ("18-24", False), ("Unknown", True)]
HEADER = ("person_id", "born", "nhs_number", "postcode", "service", "opened", "closed")
PLANTED = ("1950-03-03", "2001-12-24", "9998887771", "9990001112")


@pytest.fixture
def agency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agency:
    monkeypatch.setattr(agency_factory, "region_content", content)
    return make_agency(tmp_path, lines=case_lines(CASES, HEADER))


def stored(agency: Agency) -> list[tuple[str, bool]]:
    table = located_table(agency.hub.declared.sources[SOURCE])
    rows = rows_of(agency.hub, table, MONTH)
    assert not {"born", "nhs_number"} & set(rows[0])
    return [(r["age_band"], r["has_nhs_number"]) for r in rows]


def files_below(folder: Path, *, but: tuple[str, ...]) -> list[Path]:
    return [
        p for p in folder.rglob("*") if p.is_file() and not any(part in but for part in p.parts)
    ]


def test_a_file_is_stored_with_bands_and_without_dates(agency: Agency) -> None:
    landing = agency.hub.landing / SOURCE
    landing.mkdir(parents=True, exist_ok=True)
    (landing / f"cases_{MONTH}.csv").write_bytes(agency.file.read_bytes())

    decision = agency.take_in()

    assert decision["decision"] == "admitted"
    assert stored(agency) == WHO
    assert "age_band" in decision["columns_kept"]
    assert "born" not in decision["columns_kept"]
    source = agency.hub.declared.sources[SOURCE]
    admitted = rows_of(agency.hub, admitted_table(source), MONTH)
    assert not {"born", "nhs_number"} & set(admitted[0])
    for path in files_below(agency.hub.data_dir, but=("received",)):
        text = path.read_bytes()
        assert not [value for value in PLANTED if value.encode() in text], path.name
    assert undeclared_columns_dropped(agency.hub).outcome == "passed"


@pytest.mark.parametrize("place", [False, True])
def test_what_an_agency_coarsens_itself_travels_as_bands(agency: Agency, place: bool) -> None:
    made = agency.make("pseudonymised", place=place)
    with zipfile.ZipFile(made.target) as archive:
        text = archive.read("data.csv").decode("utf-8")
    rows = list(csv.DictReader(text.splitlines()))

    assert {row["age_band"] for row in rows} == {"75-84", "18-24", "Unknown"}
    assert not {"born", "nhs_number"} & set(rows[0])
    assert not [value for value in PLANTED if value in text]
    assert made.manifest["columns"]["born"] == "left behind"
    agency.send(made.target)
    assert agency.take_in()["decision"] == "admitted"
    assert stored(agency) == WHO


def test_counts_an_agency_makes_are_by_band(agency: Agency) -> None:
    made = agency.make("aggregated")
    with zipfile.ZipFile(made.target) as archive:
        rows = list(csv.DictReader(archive.read("data.csv").decode("utf-8").splitlines()))

    opened = {r["category"]: int(r["value"]) for r in rows if r["measure"] == "cases_opened"}
    assert opened == {"75-84": 1, "18-24": 1, "Unknown": 1}


def test_a_package_cannot_bring_in_anything_finer_than_a_band() -> None:
    column = as_delivered(BAND)

    assert column.blocking
    assert "1950-03-03" not in (column.codes or [])
    assert set(column.codes or []) == {*BAND.labels, "Unknown"}
    assert as_delivered(THERE).type == "boolean"


def test_which_names_are_stored() -> None:
    contract = Contract.model_validate(content()["contracts/mere_cases.yaml"] | {"id": "cases"})

    assert set(coarsened(contract, ["born", "postcode"])) == {"born"}
    assert stored_names(contract, ["service", "born"], ["born"]) == ["service", "age_band"]
    # Where the agreement does not have it coarsened, the gate drops it: nothing is made of it.
    assert coarsened(contract, []) == {}


def test_the_age_needs_its_day(agency: Agency) -> None:
    contract = content()["contracts/mere_cases.yaml"] | {"id": "cases"}
    contract["columns"] = [c for c in contract["columns"] if c["name"] != "born"]
    contract["columns"].append(
        {"name": "born", "type": "date", "coarsen": BAND.model_dump() | {"at": "nowhere"}}
    )

    with pytest.raises(ValueError, match="nowhere"):
        Contract.model_validate(contract)
    assert Column.model_validate({"name": "born", "type": "date"}).coarsen is None
    assert dt.date.fromisoformat(PLANTED[0]).year == 1950
    assert read_record(agency.hub, "decisions", SOURCE, MONTH) is None
