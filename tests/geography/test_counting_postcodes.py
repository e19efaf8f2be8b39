"""Counting by LSOA is placing every record and counting; these tests hold it to that."""

import datetime as dt

import duckdb
import numpy as np
import pytest

from declarations.errors import GeographyError
from geography.placement import PlacementKeys, Reference, place
from geography.placement.choice import OUTPUT_COLUMNS
from geography.postal import counting
from geography.postal.counting import COLUMNS, count_by_lsoa

A, B = "E01990001", "E01990002"
REFERENCE = Reference(
    areas="areas",
    changes="changes",
    known_lsoa21="known",
    postcodes="postcodes",
    output_areas="oas",
)
TEXTS = [
    "QA4 7XB", "qa47xb", "qa4 7xb", "Qa4 7xB ", "QA4  7XB", "Q A47XB", "QA4-7XB", "qa4 7xb\n",
    "QA1 1AA", "qa11aa", "QAI 1AA", "QA10 1AA", "QA1O 1AA", "QZ1 1AA", "QA2 1AA", "QA9 9ZZ",
    "QA4 7XV", "QA4 7", "4QA 7XB", "rubbish", "QAI IAV", "", "  ", None, "ZZ99 3VZ", "zz993wz",
    "ZZ99 6CZ", "ZZ99 6CI", "QB1 1AA", "qb11ab", "QB1 1AD", "QB1 1AE", "QB1 1AF", "QB1 1AG",
    "QA5 1AA", "qa51aa", "QA6 1AA", "qa61aa",
    "\u017fa4 7xb", "QA4 7Xß", "\uff31\uff21\uff14 \uff17\uff38\uff22", "QA4 7XB\x00",
    "\x00", "é" * 5000, "Q" * 5000, "'; --",
]  # fmt: skip


@pytest.fixture
def nation(region):
    """The region, its directory with qualities, one postcode of two lives and one without area."""
    region.execute("""
CREATE OR REPLACE TABLE postcodes AS
SELECT pcds, NULL AS dointr, doterm, lsoa21cd, lsoa11cd, NULL AS oa21cd, easting, northing,
    1 + length(pcds) % 2 AS quality
FROM postcodes
UNION ALL BY NAME SELECT * FROM (VALUES
    ('QA5 1AA', '199001', '200006', 'E01990001', 8), ('QA5 1AA', '201003', NULL, 'E01990002', 1),
    ('QA5 1AB', '199001', '200006', 'E01990001', 8), ('QA5 1AB', '201003', NULL, NULL, 1),
    ('qa5 1ad', NULL, NULL, 'E01990001', 1), (NULL, NULL, NULL, 'E01990001', 1)
) t(pcds, dointr, doterm, lsoa21cd, quality)
UNION ALL BY NAME SELECT 'QA6 1AA' AS pcds, 'E00990001' AS oa21cd, 4 AS quality
""")
    return region


def load(con, rows):
    con.execute("CREATE OR REPLACE TABLE records (record_id BIGINT, p VARCHAR, d DATE)")
    for i, row in enumerate(rows):
        con.execute("INSERT INTO records VALUES (?, ?, ?)", [i, *row])


def drawn(rows, seed):
    """Records with texts of every kind and dates about the ends of postcodes, or none."""
    generator = np.random.default_rng(seed)
    days = [None, dt.date(2000, 6, 30), dt.date(2000, 7, 1), dt.date(2024, 3, 31)]
    days += [dt.date(2024, 4, 1), dt.date(2010, 3, 1), dt.date(1980, 1, 1)]
    return [
        (TEXTS[t], days[d])
        for t, d in zip(
            generator.integers(0, len(TEXTS), rows),
            generator.integers(0, len(days), rows),
            strict=True,
        )
    ]


def placed_and_counted(con, date, locator=None):
    reference = Reference(**(REFERENCE.__dict__ | {"locator": locator}))
    keys = PlacementKeys(by=("postcode",), postcode="p", date=date)
    place(con, "records", keys, reference, "placed")
    names = ", ".join(OUTPUT_COLUMNS)
    return con.execute(
        f"SELECT {names}, count(*) AS records FROM placed GROUP BY ALL ORDER BY ALL"
    ).fetchall()


@pytest.mark.parametrize("date", [None, "d"])
@pytest.mark.parametrize("spilling", [False, True])
def test_the_counts_are_those_of_placing_every_record(nation, locator, monkeypatch, date, spilling):
    if spilling:

        def refuse(*_, **__):
            raise duckdb.OutOfMemoryException

        monkeypatch.setattr(counting, "_gathered_sql", refuse)
    for seed in (1, 2):
        load(nation, drawn(400, seed))
        reference = Reference(**(REFERENCE.__dict__ | {"locator": locator}))
        report = count_by_lsoa(nation, "records", "p", reference, "counted", date=date)
        expected = placed_and_counted(nation, date, locator)
        assert nation.execute("FROM counted ORDER BY ALL").fetchall() == expected
        assert report.received == 400
        assert report.placed + sum(report.by_reason.values()) == 400
        assert sum(report.by_method.values()) == 400
        assert report.not_placed == report.by_method["none"]


def test_a_text_by_itself(nation):
    for text in ("QA4 7XB", "qa1 1aa ", "QA1O 1AA", "QA9 9ZZ", "", None, "\u017fa4 7xb", "QA5 1AB"):
        load(nation, [(text, None)])
        count_by_lsoa(nation, "records", "p", REFERENCE, "counted")
        assert nation.execute("FROM counted").fetchall() == placed_and_counted(nation, None)


def test_the_order_of_records_and_directory_does_not_matter(nation):
    load(nation, drawn(300, 3))
    first = count_by_lsoa(nation, "records", "p", REFERENCE, "counted")
    counted = nation.execute("FROM counted").fetchall()
    nation.execute("CREATE OR REPLACE TABLE records AS FROM records ORDER BY record_id DESC")
    nation.execute("CREATE OR REPLACE TABLE postcodes AS FROM postcodes ORDER BY pcds DESC")
    assert count_by_lsoa(nation, "records", "p", REFERENCE, "again") == first
    assert nation.execute("FROM again").fetchall() == counted


def test_a_view_without_identifiers_is_counted(nation, tmp_path):
    path = tmp_path / "records.parquet"
    nation.execute(f"COPY (SELECT 'QA4 7XB' AS p FROM range(10)) TO '{path}'")
    nation.execute(f"CREATE VIEW extract AS FROM '{path}'")
    report = count_by_lsoa(nation, "extract", "p", REFERENCE, "counted")
    assert report.received == report.placed == 10
    described = nation.execute("DESCRIBE counted").fetchall()
    assert tuple(row[0] for row in described) == COLUMNS
    assert nation.execute("SELECT lsoa21cd, geo_method, records FROM counted").fetchall() == [
        (A, "postcode_exact", 10)
    ]


def test_a_directory_of_2011_areas_alone_is_counted(nation):
    nation.execute(
        "CREATE OR REPLACE TABLE postcodes AS SELECT * EXCLUDE (lsoa21cd) FROM postcodes"
    )
    load(nation, drawn(200, 4))
    count_by_lsoa(nation, "records", "p", REFERENCE, "counted")
    assert nation.execute("FROM counted").fetchall() == placed_and_counted(nation, None)


@pytest.mark.parametrize("date", [None, "d"])
def test_pseudo_postcodes_of_the_directory_are_no_place(nation, date):
    nation.execute(f"""
INSERT INTO postcodes (pcds, lsoa21cd) VALUES
    ('ZZ99 3VZ', '{A}'), ('ZZ99 3WZ', 'E99999999'), ('ZZ99 6CZ', '{B}')
""")
    load(nation, [("ZZ99 3VZ", None), ("zz993wz", None), ("ZZ99 6CZ", None), ("QA4 7XB", None)])
    count_by_lsoa(nation, "records", "p", REFERENCE, "counted", date=date)
    assert nation.execute("FROM counted").fetchall() == placed_and_counted(nation, date)
    assert nation.execute("SELECT sum(records) FROM counted WHERE lsoa21cd IS NULL").fetchall() == [
        (3,)
    ]


def test_entries_not_in_normal_form_are_no_postcodes_to_match(nation):
    nation.execute(f"INSERT INTO postcodes (pcds, lsoa21cd) VALUES ('qc11aa', '{A}')")
    load(nation, [("qc11aa", None), ("QC1 1AA", None), ("QA4 7XB", None)])
    count_by_lsoa(nation, "records", "p", REFERENCE, "counted")
    assert nation.execute("FROM counted").fetchall() == placed_and_counted(nation, None)


def test_no_records_give_no_counts(nation):
    load(nation, [])
    report = count_by_lsoa(nation, "records", "p", REFERENCE, "counted")
    assert (report.received, report.placed, report.by_method) == (0, 0, {})
    assert nation.execute("FROM counted").fetchall() == []


def test_nothing_is_left_behind_and_settings_stay(nation):
    load(nation, drawn(50, 5))
    asked = "SELECT current_setting('perfect_ht_threshold')"
    tables = "SELECT table_name FROM duckdb_tables() ORDER BY 1"
    before = nation.execute(asked).fetchall(), nation.execute(tables).fetchall()
    count_by_lsoa(nation, "records", "p", REFERENCE, "counted")
    nation.execute("DROP TABLE counted")
    assert (nation.execute(asked).fetchall(), nation.execute(tables).fetchall()) == before


@pytest.mark.parametrize(
    ("records", "column", "reference", "into", "message"),
    [
        ("records", "p", Reference(areas="areas"), "counted", "no reference table"),
        ("records", "p", REFERENCE, "Records", "overwritten"),
        ("records", "p", REFERENCE, "Areas", "overwritten"),
        ("records", "p", REFERENCE, "changes", "overwritten"),
        ("records", "p", REFERENCE, "known", "overwritten"),
        ("records", "p", REFERENCE, "POSTCODES", "overwritten"),
        ("records", "p", REFERENCE, "oas", "overwritten"),
        ("records", "absent", REFERENCE, "counted", "no column absent"),
        ("records", "p", Reference(areas="areas", postcodes="oas"), "counted", "no column pcds"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    nation, records, column, reference, into, message
):  # fmt: skip
    load(nation, [("QA4 7XB", None)])
    tables = ("records", "areas", "changes", "known", "postcodes", "oas")
    before = [nation.execute(f"FROM {table}").fetchall() for table in tables]
    with pytest.raises(GeographyError, match=message):
        count_by_lsoa(nation, records, column, reference, into)
    assert [nation.execute(f"FROM {table}").fetchall() for table in tables] == before


def test_a_loss_is_an_error_and_leaves_no_table(nation, monkeypatch):
    load(nation, [("QA4 7XB", None), ("QA1 1AA", None)])
    sound = counting._standing_sql
    monkeypatch.setattr(counting, "_standing_sql", lambda *a: f"FROM ({sound(*a)}) LIMIT 1")
    with pytest.raises(GeographyError, match="changed the number of records"):
        count_by_lsoa(nation, "records", "p", REFERENCE, "counted")
    tables = nation.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert ("counted",) not in tables
