import pytest

from declarations.errors import GeographyError
from geography.changes.vintages import (
    CONVERSIONS,
    conversions_sql,
    pair_weights_sql,
    select_changes_sql,
    validate_changes,
    weighted_changes_sql,
)

GOOD = [
    ("E01000001", "E01000001", "U"),
    ("E01000002", "E01000012", "S"),
    ("E01000002", "E01000013", "S"),
    ("E01000004", "E01000014", "M"),
    ("E01000005", "E01000014", "M"),
    ("W01000006", "W01000016", "X"),
]


def changes(con, pairs):
    con.execute("CREATE OR REPLACE TABLE ch (lsoa11cd VARCHAR, lsoa21cd VARCHAR, chgind VARCHAR)")
    con.executemany("INSERT INTO ch VALUES (?, ?, ?)", pairs)
    return "ch"


def test_a_sound_lookup_passes(con):
    report = validate_changes(con, changes(con, GOOD))
    assert report.pairs == {"U": 1, "S": 2, "M": 2, "X": 1}
    assert (report.lsoas11, report.lsoas21) == (5, 5)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (("E01000001", "E01000001", "U"), "more than once"),
        (("E01000007", "E01000007", "Z"), "malformed"),
        (("E01000007", "E01000007", None), "malformed"),
        (("E01000007", None, "U"), "malformed"),
        (("E02000007", "E01000007", "X"), "malformed"),
        (("E01000007", "E01000017", "U"), "same code"),
        (("E01000001", "E01000017", "U"), "one to one"),
        (("E01000007", "E01000017", "S"), "one to many"),
        (("E01000007", "E01000012", "S"), "one to many"),
        (("E01000007", "E01000017", "M"), "many to one"),
        (("E01000004", "E01000017", "M"), "many to one"),
        (("E01000002", "E01000019", "X"), "several indicators"),
        (("E01000019", "E01000014", "X"), "several indicators"),
    ],
)
def test_each_fault_is_refused_without_showing_a_code(con, fault, message):
    with pytest.raises(GeographyError, match=message) as caught:
        validate_changes(con, changes(con, [*GOOD, fault]))
    assert "E0100" not in str(caught.value)


def test_a_lookup_without_rows_is_refused(con):
    table = changes(con, GOOD)
    con.execute(f"DELETE FROM {table}")
    with pytest.raises(GeographyError, match="has no rows"):
        validate_changes(con, table)


@pytest.mark.parametrize(
    "headings",
    [
        ("LSOA11CD", "LSOA21CD", "CHGIND"),
        ("lsoa11cd", "lsoa21cd", "CHNGIND"),
        ("lsoa11_code", "lsoa21_code", "change_code"),
    ],
)
def test_published_headings_are_understood(con, headings):
    a, b, c = headings
    con.execute(f"CREATE TABLE raw AS SELECT ' E01000001' AS {a}, 'E01000001' AS {b}, 'u' AS {c}")
    found = con.execute(select_changes_sql(con, "raw")).fetchall()
    assert found == [("E01000001", "E01000001", "U")]


def test_a_lookup_without_the_indicator_is_refused(con):
    con.execute("CREATE TABLE raw AS SELECT 'a' AS lsoa11cd, 'b' AS lsoa21cd")
    with pytest.raises(GeographyError, match="chgind"):
        select_changes_sql(con, "raw")


def test_weights_are_residents_for_split_and_pairs_for_complex_areas(con):
    changes(con, GOOD)
    con.execute("CREATE TABLE res AS SELECT 'E01000012' AS lsoa21cd, 1500 AS residents")
    query = weighted_changes_sql("ch", "res")
    found = {(o, n): w for o, n, _, w in con.execute(query).fetchall()}
    assert found == {
        ("E01000001", "E01000001"): 1,
        ("E01000002", "E01000012"): 1500,
        ("E01000002", "E01000013"): None,
        ("E01000004", "E01000014"): 1,
        ("E01000005", "E01000014"): 1,
        ("W01000006", "W01000016"): None,
    }
    con.execute(
        "CREATE TABLE pw AS SELECT 'W01000006' AS lsoa11cd, 'W01000016' AS lsoa21cd, 40 AS weight"
    )
    query = weighted_changes_sql("ch", "res", pair_weights="pw")
    found = {(o, n): w for o, n, _, w in con.execute(query).fetchall()}
    assert found["W01000006", "W01000016"] == 40


OUTPUT_AREAS = [
    ("W01000006", "W01000016", 40),
    ("W01000006", "W01000016", 60),
    ("W01000007", "W01000016", 30),
    ("W01000007", "W01000017", 0),
]


def output_areas(con, rows):
    con.execute("CREATE OR REPLACE TABLE oas (lsoa11cd VARCHAR, lsoa21cd VARCHAR, n BIGINT)")
    con.executemany("INSERT INTO oas VALUES (?, ?, ?)", rows)
    return {(o, n): w for o, n, w in con.execute(pair_weights_sql("oas", "n")).fetchall()}


def test_pairs_are_weighed_by_their_output_areas(con):
    assert output_areas(con, OUTPUT_AREAS) == {
        ("W01000006", "W01000016"): 100,
        ("W01000007", "W01000016"): 30,
        ("W01000007", "W01000017"): 0,
    }


@pytest.mark.parametrize("gap", [(None, "W01000016", 5), ("W01000006", "W01000016", None)])
def test_an_area_with_an_unknown_output_area_has_no_weights(con, gap):
    assert output_areas(con, [*OUTPUT_AREAS, gap]) == {("W01000007", "W01000017"): 0}


def test_a_pair_without_output_areas_weighs_nothing_if_its_area_is_known(con):
    changes(con, [*GOOD, ("W01000008", "W01000016", "X"), ("W01000008", "W01000018", "X")])
    con.execute("CREATE TABLE res AS SELECT 'E01000012' AS lsoa21cd, 1500 AS residents")
    output_areas(con, OUTPUT_AREAS)
    con.execute(f"CREATE TABLE pw AS {pair_weights_sql('oas', 'n')}")
    query = weighted_changes_sql("ch", "res", pair_weights="pw")
    found = {(o, n): w for o, n, _, w in con.execute(query).fetchall()}
    assert found["W01000006", "W01000016"] == 100
    assert found["W01000008", "W01000016"] == 0
    assert found["W01000008", "W01000018"] is None


def test_conversions_by_code(con):
    changes(con, GOOD)
    con.execute(
        "CREATE TABLE wch AS SELECT *, CASE chgind WHEN 'X' THEN NULL ELSE 3 END AS weight FROM ch"
    )
    con.execute("CREATE TABLE ar AS SELECT unnest(['E01000001', 'E01000013']) AS lsoa21cd")
    rows = con.execute(conversions_sql("wch", "ar", weighted=True)).fetchall()
    assert {row[0]: row[1:] for row in rows} == {
        "E01000001": ("E01000001", "none", True, True),
        "E01000002": (None, "split_weighted", True, True),
        "E01000004": ("E01000014", "merged", True, False),
        "E01000005": ("E01000014", "merged", True, False),
        "W01000006": (None, "complex", False, False),
    }
    rows = con.execute(conversions_sql("ch", "ar", weighted=False)).fetchall()
    assert not any(row[3] for row in rows)
    assert {row[2] for row in rows} == set(CONVERSIONS.values())


@pytest.mark.open_data
@pytest.mark.parametrize(
    ("file", "pairs"),
    [
        (
            "LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv",
            {"U": 33_647, "S": 1_900, "M": 239, "X": 10},
        ),
        ("lookup_lsoa11_lsoa21_ltla22.csv", {"U": 33_647, "S": 1_900, "M": 239, "X": 9}),
    ],
)
def test_both_published_versions_have_their_numbers_of_pairs(con, open_data, file, pairs):
    con.execute("CREATE TABLE raw AS FROM read_csv(?)", [str(open_data / "lookups" / file)])
    con.execute(f"CREATE TABLE ch AS {select_changes_sql(con, 'raw')}")
    report = validate_changes(con, "ch")
    assert report.pairs == pairs
    assert (report.lsoas11, report.lsoas21) == (34_753, 35_672)
