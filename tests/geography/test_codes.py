import pytest

from geography.codes import (
    PATTERNS,
    decide_vintage,
    detect_vintage,
    is_lsoa,
    lsoa_pattern_sql,
    matches,
    pattern_sql,
    vintage_counts_sql,
)

BOTH = {f"E0100000{i}" for i in range(10)}
ONLY_2011 = {"E01800001", "E01800002"}
ONLY_2021 = {"E01900001", "E01900002"}
OLD, NEW = BOTH | ONLY_2011, BOTH | ONLY_2021


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("output_area", "E00000001", "E01000001"),
        ("lsoa", "W01000001", "S01000001"),
        ("msoa", "E02000001", "E0200001"),
        ("lad", "E08000025", "E10000025"),
        ("lad", "W06000001", "W07000001"),
        ("ward", "W05000001", "E06000001"),
        ("region", "E12000005", "W12000005"),
        ("data_zone", "S01006506", "S02000001"),
        ("super_data_zone", "N21000001", "N09000001"),
    ],
)
def test_each_kind_of_code_has_its_form(con, kind, good, bad):
    assert matches(kind, good)
    assert not matches(kind, bad)
    found = con.execute(
        f"SELECT {pattern_sql(kind, 'c')} FROM (VALUES (1, ?), (2, ?)) t(i, c) ORDER BY i",
        [good, bad],
    ).fetchall()
    assert found == [(True,), (False,)]


def test_all_kinds_are_covered_by_examples():
    assert set(PATTERNS) == {
        "output_area",
        "lsoa",
        "msoa",
        "lad",
        "ward",
        "region",
        "data_zone",
        "super_data_zone",
    }


def test_an_lsoa_code_is_told_from_other_text(con):
    assert is_lsoa("E01008881")
    texts = [None, "", "E01008881 ", "e01008881", "E0100888", "E010088811", "E0100888\u0661"]
    assert not any(is_lsoa(text) for text in texts)
    for text in texts[1:]:
        query = f"SELECT {lsoa_pattern_sql('c')} FROM (SELECT ? AS c)"
        assert con.execute(query, [text]).fetchone() == (False,)


@pytest.mark.parametrize(
    ("codes", "vintage", "confidence"),
    [
        (BOTH | {"E01800001"}, "2011", 1.0),
        (BOTH | {"E01900001"}, "2021", 1.0),
        (BOTH | {"E01800001", "E01900001"}, "mixed", 0.5),
        (BOTH, "2021", 0.5),
        ({"E01777777"}, "unknown", 0.0),
        (set(), "unknown", 0.0),
    ],
)
def test_only_codes_of_one_vintage_decide(codes, vintage, confidence):
    found = detect_vintage([*codes, *codes], OLD, NEW)
    assert (found.vintage, found.confidence) == (vintage, confidence)


def test_one_stray_code_in_ten_is_tolerated_and_two_are_not():
    assert decide_vintage(9, 1, 0, 0).vintage == "2011"
    assert decide_vintage(1, 9, 0, 0).vintage == "2021"
    assert decide_vintage(8, 2, 0, 0).vintage == "mixed"


def test_sql_counts_as_python_does(con):
    codes = [*BOTH, "E01800001", "E01900001", "E01900002", "nowhere"]
    con.execute("CREATE TABLE changes (lsoa11cd VARCHAR, lsoa21cd VARCHAR)")
    pairs = [(c, c) for c in BOTH] + list(zip(sorted(ONLY_2011), sorted(ONLY_2021), strict=True))
    con.executemany("INSERT INTO changes VALUES (?, ?)", pairs)
    con.execute("CREATE TABLE file (lsoa VARCHAR)")
    con.executemany("INSERT INTO file VALUES (?)", [(c,) for c in [*codes, *codes, " ", None]])
    counts = con.execute(vintage_counts_sql("file", "lsoa", "changes")).fetchone()
    assert decide_vintage(*counts) == detect_vintage(codes, OLD, NEW)


@pytest.mark.open_data
@pytest.mark.parametrize(
    ("file", "vintage"),
    [("2022-10-cleveland-street.csv", "2011"), ("2024-05-surrey-street.csv", "2021")],
)
def test_real_police_files_show_their_vintage(con, open_data, file, vintage):
    con.execute(
        "CREATE TABLE changes AS SELECT LSOA11CD AS lsoa11cd, LSOA21CD AS lsoa21cd"
        " FROM read_csv(?)",
        [str(open_data / "lookups/LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv")],
    )
    con.execute("CREATE TABLE crimes AS FROM read_csv(?)", [str(open_data / "police" / file)])
    found = decide_vintage(
        *con.execute(vintage_counts_sql("crimes", "LSOA code", "changes")).fetchone()
    )
    assert found.vintage == vintage
    assert found.confidence == 1.0
    assert found.unknown == 0
