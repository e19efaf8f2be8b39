"""Directories of postcodes and UPRNs under the headings they are published with."""

from pathlib import Path

import pytest

from declarations.contracts import Contract, Source
from declarations.errors import GeographyError
from declarations.loader import read_declaration
from geography.placement import PlacementKeys, Reference, place
from geography.postal.directories import (
    COLUMN_ALIASES,
    DIRECTORY_COLUMNS,
    directory_columns,
    select_directory_sql,
)

OLD_ONSPD = (
    "pcd,pcd2,pcds,dointr,doterm,oscty,ced,oslaua,osward,parish,usertype,oseast1m,osnrth1m,"
    "osgrdind,oshlthau,nhser,ctry,rgn,streg,pcon,eer,teclec,ttwa,pct,itl,statsward,oa01,casward,"
    "park,lsoa01,msoa01,ur01ind,oac01,oa11,lsoa11,msoa11,wz11,sicbl,bua11,buasd11,ru11ind,oac11,"
    "lat,long,lep1,lep2,pfa,imd,calncv,icb,oa21,lsoa21,msoa21"
)
OLD_NSPL = (
    "pcd,pcd2,pcds,dointr,doterm,usertype,oseast1m,osnrth1m,osgrdind,oa11,cty,ced,laua,ward,hlthau,"
    "nhser,ctry,rgn,pcon,eer,teclec,ttwa,pct,itl,park,lsoa11,msoa11,wz11,ccg,bua11,buasd11,ru11ind,"
    "oac11,lat,long,lep1,lep2,pfa,imd,calncv,stp"
)
NEW_NSPL = (
    "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,north1m,gridind,oa21cd,cty25cd,ced25cd,lad25cd,"
    "wd25cd,nhser24cd,ctry25cd,rgn25cd,pcon24cd,ttwa15cd,itl25cd,npark16cd,lsoa21cd,msoa21cd,wz11cd,"
    "sicbl24cd,bua24cd,ruc21ind,oac11ind,lat,long,lep21cd1,lep21cd2,pfa23cd,imd20ind,icb23cd"
)
NEW_ONSPD = "pcd7,pcds,dointr,doterm,lat,long,lad25cd,ctry25cd,nhser24cd,icb26cd,sicbl26cd,lsoa21cd"
OA_LOOKUP = (
    "pcd7,pcd8,pcds,dointr,doterm,usertype,oa11cd,lsoa11cd,msoa11cd,ladcd,lsoa11nm,msoa11nm,ladnm,"
    "ladnmw"
)
SHORT_CODEPOINT = "PC,PQ,EA,NO,CY,RH,LH,CC,DC,WC"
LONG_CODEPOINT = (
    "Postcode,Positional_quality_indicator,Eastings,Northings,Country_code,NHS_regional_HA_code,"
    "NHS_HA_code,Admin_county_code,Admin_district_code,Admin_ward_code"
)
NSUL = (
    "UPRN,GRIDGB1E,GRIDGB1N,PCDS,OA21CD,CTY25CD,CED25CD,LAD25CD,WD25CD,HLTH19CD,CTRY25CD,RGN25CD,"
    "PCON24CD,EER20CD,TTWA15CD,ITL25CD,NPARK16CD,LSOA21CD,MSOA21CD,WZ11CD,SICBL26CD,BUA24CD,"
    "BUASD11CD,RUC21IND,OAC21IND,LEP21CD1,LEP21CD2,PFA23CD,IMD19IND"
)
LAYOUTS = {
    "old_onspd": (OLD_ONSPD, "onspd", "onspd_postcodes"),
    "old_nspl": (OLD_NSPL, "onspd", "onspd_postcodes"),
    "new_nspl": (NEW_NSPL, "onspd", "onspd_postcodes"),
    "new_onspd": (NEW_ONSPD, "onspd", "onspd_postcodes"),
    "oa_lookup": (OA_LOOKUP, "oa_lookup", "onspd_postcodes"),
    "short_codepoint": (SHORT_CODEPOINT, "codepoint", "codepoint_open"),
    "long_codepoint": (LONG_CODEPOINT, "codepoint", "codepoint_open"),
    "nsul": (NSUL, "uprn", "onsud_uprns"),
}
CONTRACT_NAMES = {"codepoint_open": {"pcds": "postcode", "point_quality": "quality"}}
"""Where a contract calls a column something else than a directory does."""


def contract(name):
    folder = Path(__file__).parents[2] / "expectations" / "contracts"
    return read_declaration(folder / f"{name}.yaml", Contract)


def make(con, headings, rows, name="directory"):
    names = headings.split(",")
    columns = ", ".join(f'"{n}" VARCHAR' for n in names)
    con.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
    for row in rows:
        con.execute(
            f"INSERT INTO {name} VALUES ({', '.join('?' * len(names))})",
            [row.get(n) for n in names],
        )


def select(con, table="directory", headings=None):
    found = con.execute(select_directory_sql(con, table, headings))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_recognised(layout):
    headings, kind, _ = LAYOUTS[layout]
    for spelled in (headings.lower(), headings.upper(), f"\ufeff{headings}".replace(",", " , ")):
        found = directory_columns(spelled.split(","))
        assert found.kind == kind
        assert all(heading in spelled.split(",") for heading in found.columns.values())


def test_old_and_new_names_are_the_same_columns():
    old, new = directory_columns(OLD_ONSPD.split(",")), directory_columns(NEW_NSPL.split(","))
    assert (old.columns["quality"], new.columns["quality"]) == ("osgrdind", "gridind")
    assert (old.columns["lsoa21cd"], new.columns["lsoa21cd"]) == ("lsoa21", "lsoa21cd")
    assert (old.columns["easting"], new.columns["easting"]) == ("oseast1m", "east1m")
    assert (old.columns["ladcd"], new.columns["lad25cd"]) == ("oslaua", "lad25cd")
    assert directory_columns(OLD_NSPL.split(",")).columns["ladcd"] == "laua"


def test_vintages_are_taken_from_the_headings_that_say_them():
    new = directory_columns(NEW_NSPL.split(","))
    assert (new.vintages["lad"], new.vintages["icb"], new.vintages["pcon"]) == (2025, 2023, 2024)
    assert directory_columns(NEW_ONSPD.split(",")).vintages["icb"] == 2026
    assert directory_columns(OLD_ONSPD.split(",")).vintages["lad"] is None
    assert "lsoa" not in new.vintages


@pytest.mark.parametrize(
    ("headings", "message"),
    [
        ("name,address,lsoa21cd", "no column for the postcode .*pcds.*it has: lsoa21cd"),
        ("pcds,dointr,doterm", "an LSOA, an output area or a position"),
        ("pcds,dointr,doterm,lat,long", "an LSOA, an output area or a position"),
        ("pcds,east1m,north1m", "an LSOA or output area"),
        ("pcds,lsoa21cd", "introduced and terminated"),
        ("uprn,pcds", "of each UPRN"),
        ("", "it has: none"),
    ],
)
def test_an_unknown_layout_is_refused_by_what_it_lacks(con, headings, message):
    with pytest.raises(GeographyError, match=message):
        directory_columns(headings.split(","))
    if headings:
        make(con, headings, [])
        with pytest.raises(GeographyError, match=f"^directory: .*{message}"):
            select_directory_sql(con, "directory")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_admission_accepts_every_layout_and_reads_the_same_columns(layout):
    from intake.headings import find_layout

    headings, _, name = LAYOUTS[layout]
    declared = contract(name)
    source = Source.model_construct(id="directory", headers={})
    found = find_layout([headings.split(",")], declared, source, "directory.csv").headings
    ours = directory_columns(headings.split(",")).columns
    renamed = {CONTRACT_NAMES.get(name, {}).get(k, k): v for k, v in ours.items()}
    columns = {c.name for c in declared.columns}
    assert found == {k: v for k, v in renamed.items() if k in columns}


@pytest.mark.parametrize("name", ["onspd_postcodes", "codepoint_open", "onsud_uprns"])
def test_no_contract_knows_a_heading_that_the_alias_table_does_not(name):
    back = {v: k for k, v in CONTRACT_NAMES.get(name, {}).items()}
    for column in contract(name).columns:
        aliases = COLUMN_ALIASES[back.get(column.name, column.name)]
        assert {h.lower() for h in column.accepted_headers} <= {*aliases, column.name}


def test_both_layouts_of_a_postcode_give_one_row(con):
    shared = {"pcds": "QA4 7XB", "dointr": "198001", "doterm": "", "lat": "52.5", "long": "-1.9"}
    old = {"oseast1m": "400500", "osnrth1m": "0300500", "osgrdind": "1"}
    old |= {"oa11": "E00980001", "lsoa11": "E01980001", "oa21": "E00990001", "lsoa21": "E01990001"}
    make(con, OLD_ONSPD, [shared | old])
    (from_old,) = select(con)
    new = {"east1m": "400500", "north1m": "300500", "gridind": "1", "oa21cd": "e00990001 "}
    make(con, NEW_NSPL, [shared | new | {"lsoa21cd": "E01990001"}])
    (from_new,) = select(con)
    assert list(from_old) == list(from_new) == [name for name, _ in DIRECTORY_COLUMNS]
    assert from_old | {"oa11cd": None, "lsoa11cd": None} == from_new
    assert from_new["quality"] == 1
    assert from_new["doterm"] is None
    assert (from_new["easting"], from_new["northing"]) == (400_500.0, 300_500.0)
    assert (from_new["latitude"], from_new["longitude"]) == (52.5, -1.9)
    assert from_new["oa21cd"] == "E00990001"


def test_a_missing_or_irish_position_is_missing(con):
    rows = [
        {"pcds": "QA4 7XB", "lat": "99.999999", "long": "0.000000", "gridind": "9"},
        {"pcds": "QA4 7XD", "east1m": "0", "north1m": "0", "lat": "99.999999", "long": "0"},
        {"pcds": "BT1 1AA", "east1m": "333500", "north1m": "374500", "lat": "54.6", "long": "0"},
        {"pcds": "qa47xe", "east1m": "n/a", "north1m": "", "lat": "51.5", "long": "0"},
    ]
    make(con, NEW_NSPL, rows)
    found = {row["pcds"]: row for row in select(con)}
    assert set(found) == {"QA4 7XB", "QA4 7XD", "BT1 1AA", "QA4 7XE"}
    assert {(r["easting"], r["northing"]) for r in found.values()} == {(None, None)}
    assert (found["QA4 7XB"]["latitude"], found["QA4 7XB"]["longitude"]) == (None, None)
    assert (found["BT1 1AA"]["latitude"], found["BT1 1AA"]["longitude"]) == (54.6, 0.0)
    assert (found["QA4 7XE"]["latitude"], found["QA4 7XE"]["longitude"]) == (51.5, 0.0)
    assert found["QA4 7XB"]["quality"] == 9


def test_code_point_open_without_headings_is_read_by_the_file_of_headings(con):
    con.execute(
        "CREATE TABLE points AS SELECT 'QA47XB' AS column0, 10 AS column1, 400500 AS column2,"
        " 300500 AS column3, 'E92999999' AS column4"
    )
    for headings in (SHORT_CODEPOINT, LONG_CODEPOINT):
        (row,) = select(con, "points", headings.split(",")[:5])
        assert (row["pcds"], row["easting"], row["northing"]) == ("QA4 7XB", 400_500, 300_500)
        assert (row["point_quality"], row["quality"]) == (10, None)
    with pytest.raises(GeographyError, match="5 columns and 10 headings"):
        select_directory_sql(con, "points", LONG_CODEPOINT.split(","))


def test_a_directory_of_uprns_gives_text_of_twelve_digits(con):
    make(con, NSUL, [{"UPRN": "99900000001", "OA21CD": "E00990001", "LSOA21CD": "E01990001"}])
    (row,) = select(con)
    assert (row["uprn"], row["lsoa21cd"], row["oa21cd"]) == (
        "099900000001", "E01990001", "E00990001",
    )  # fmt: skip


@pytest.mark.open_data
def test_the_real_lookup_of_2022_is_read_and_places_its_postcodes(con, open_data):
    path = open_data / "postcodes/PCD_OA_LSOA_MSOA_LAD_MAY22_wm7_stockport.csv.gz"
    con.execute("CREATE TABLE pcd AS FROM read_csv(?, all_varchar = true)", [str(path)])
    con.execute(f"CREATE TABLE postcodes AS {select_directory_sql(con, 'pcd')}")
    counts = con.execute(
        "SELECT count(*), count(DISTINCT pcds), count(*) FILTER (doterm IS NULL), count(lsoa21cd),"
        " count(*) FILTER (lsoa11cd LIKE 'E01%'), count(quality) FROM postcodes"
    ).fetchone()
    assert counts == (96_278, 96_278, 64_827, 0, 96_278, 0)
    lookups = open_data / "lookups/LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv"
    con.execute(
        "CREATE TABLE changes AS SELECT LSOA11CD AS lsoa11cd, LSOA21CD AS lsoa21cd,"
        " CHGIND AS chgind FROM read_csv(?)",
        [str(lookups)],
    )
    con.execute(
        "CREATE TABLE areas AS SELECT DISTINCT lsoa21cd, 'E08999999' AS lad24cd FROM changes"
    )
    con.execute(
        "CREATE TABLE records AS SELECT rowid AS record_id, lower(pcds) AS p FROM postcodes"
    )
    keys = PlacementKeys(by=("postcode",), postcode="p")
    reference = Reference(areas="areas", changes="changes", postcodes="postcodes")
    report = place(con, "records", keys, reference, "placed")
    assert report.by_method["postcode_exact"] + report.by_method["postcode_terminated"] == (
        report.placed
    )
    assert set(report.by_reason) == {"lsoa11_split"}
    assert report.placed > 0.9 * report.received


@pytest.mark.open_data
def test_the_real_code_point_open_is_read(con, open_data):
    folder = open_data / "postcodes"
    short, long = (folder / "Code-Point_Open_Column_Headers.csv").read_text().splitlines()
    path = folder / "codepoint_open_2025-05_wm7_stockport.csv.gz"
    con.execute("CREATE TABLE named AS FROM read_csv(?, all_varchar = true)", [str(path)])
    con.execute(
        "CREATE TABLE bare AS FROM read_csv(?, all_varchar = true, header = false, skip = 1)",
        [str(path)],
    )
    query = "SELECT count(*), count(DISTINCT pcds), min(point_quality), sum(easting) FROM ({})"
    named = con.execute(query.format(select_directory_sql(con, "named"))).fetchone()
    assert named[:3] == (65_050, 65_050, 10)
    for headings in (short, long):
        directory = select_directory_sql(con, "bare", headings.split(","))
        assert con.execute(query.format(directory)).fetchone() == named
