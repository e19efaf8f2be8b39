import pytest

from declarations.errors import ConfigurationError, GeographyError
from geography import gss_kinds
from geography.codes import (
    check_codes,
    decide_vintage,
    detect_vintage,
    is_lsoa,
    kind_name,
    kind_of,
    kind_sql,
    lsoa_pattern_sql,
    matches,
    parse,
    pattern_sql,
    try_parse,
    vintage_counts_sql,
)
from geography.names import name_of, names_sql

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


EXAMPLES = {
    "E00000001": ("output_area", "England"),
    "W00000001": ("output_area", "Wales"),
    "E01000001": ("lsoa", "England"),
    "W01000001": ("lsoa", "Wales"),
    "E02000001": ("msoa", "England"),
    "W02000001": ("msoa", "Wales"),
    "E06000001": ("lad", "England"),
    "E07000001": ("lad", "England"),
    "E08000025": ("lad", "England"),
    "E09000001": ("lad", "England"),
    "W06000001": ("lad", "Wales"),
    "S12000005": ("lad", "Scotland"),
    "N09000001": ("lad", "Northern Ireland"),
    "E05000001": ("ward", "England"),
    "W05000001": ("ward", "Wales"),
    "E54000008": ("icb", "England"),
    "E38000001": ("sub_icb", "England"),
    "E23000020": ("police_force_area", "England"),
    "W15000001": ("police_force_area", "Wales"),
    "E22000173": ("community_safety_partnership", "England"),
    "W14000001": ("community_safety_partnership", "Wales"),
    "E12000005": ("region", "England"),
    "W92000004": ("country", "Wales"),
    "E92000001": ("country", "England"),
    "E14001172": ("constituency", "England"),
    "W07000001": ("constituency", "Wales"),
    "E10000025": ("county", "England"),
    "W11000001": ("local_health_board", "Wales"),
    "S01006506": ("data_zone", "Scotland"),
    "N21000001": ("super_data_zone", "Northern Ireland"),
}
NO_CODES = ["", " ", "E0100888", "E010088811", "E77000001", "01234567E", "E0100888\u0661", "EMPTY"]


def test_a_code_says_what_it_names(con):
    for text, (kind, country) in EXAMPLES.items():
        found = parse(f" {text.lower()} ")
        assert (found.code, found.kind, found.country) == (text, kind, country)
        assert found.kind_name == kind_name(kind)
        assert kind_of(text) == kind
        assert con.execute(f"SELECT {kind_sql('c')} FROM (SELECT ? AS c)", [text]).fetchone() == (
            kind,
        )
    assert parse("W01000001").kind_name == "Lower layer Super Output Area"


def test_only_census_areas_have_a_vintage():
    vintaged = {kind for text, (kind, _) in EXAMPLES.items() if parse(text).vintaged}
    assert vintaged == {"output_area", "lsoa", "msoa"}


@pytest.mark.parametrize("text", NO_CODES)
def test_other_text_is_no_code_and_is_not_repeated(con, text):
    assert try_parse(text) is None
    assert kind_of(text) is None
    assert con.execute(f"SELECT {kind_sql('c')} FROM (SELECT ? AS c)", [text]).fetchone() == (None,)
    with pytest.raises(GeographyError) as caught:
        parse(text)
    assert not text.strip() or text not in str(caught.value)


@pytest.mark.parametrize("around", ["\n", "\t", "\r\n", "\u00a0", " ", "\u3000"])
def test_white_space_around_a_code_is_cut_off_in_both_twins(con, around):
    text = f"{around}e01000001{around}"
    query = f"SELECT {kind_sql('c')} FROM (SELECT ? AS c)"
    assert (kind_of(text), *con.execute(query, [text]).fetchone()) == ("lsoa", "lsoa")
    con.execute("CREATE TABLE pairs AS SELECT 'E01000001' AS lsoa11cd, 'E01000002' AS lsoa21cd")
    con.execute("CREATE TABLE file AS SELECT unnest([?, ?, NULL, 'E01000001', 'x']) AS c",
                [text, around])  # fmt: skip
    found = con.execute(vintage_counts_sql("file", "c", "pairs")).fetchone()
    twin = detect_vintage([text, around, None, "E01000001", "x"], {"E01000001"}, {"E01000002"})
    assert decide_vintage(*found) == twin
    assert found == (1, 0, 0, 1)


def test_nothing_is_no_code():
    assert try_parse(None) is None
    with pytest.raises(GeographyError, match="blank"):
        parse(None)


def test_wales_stands_for_its_region(con):
    assert matches("region", "W92000004")
    assert not matches("region", "E92000001")


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigurationError, match="no kind of area parish"):
        matches("parish", "E04000001")


def test_every_prefix_says_where_it_is_from():
    kinds, _ = gss_kinds.kind_table()
    assert {kind.source for kind in kinds.values()} == {"ons-open-geography", "memory"}
    assert set(kinds) >= {kind for kind, _ in EXAMPLES.values()}


def test_two_kinds_cannot_claim_one_prefix(tmp_path, monkeypatch):
    table = tmp_path / "kinds.yaml"
    table.write_text(
        "countries: {E: England}\nkinds:\n"
        "  - {kind: a, name: A, prefixes: [E0], source: memory}\n"
        "  - {kind: b, name: B, prefixes: [E01], source: memory}\n"
    )
    monkeypatch.setattr(gss_kinds, "TABLE", table)
    gss_kinds.kind_table.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match="E01"):
            gss_kinds.kind_table()
    finally:
        gss_kinds.kind_table.cache_clear()


def test_a_column_of_codes_is_checked(con):
    codes = ["E01000001", " w01000002", "E02000001", "E02000002", "nowhere", "", None, "E01999999"]
    con.execute("CREATE TABLE file (c VARCHAR)")
    con.executemany("INSERT INTO file VALUES (?)", [(c,) for c in codes])
    con.execute("CREATE TABLE known AS SELECT unnest(['E01000001', 'W01000002']) AS code")
    found = check_codes(con, "file", "c", "lsoa", known="known", known_code="code")
    assert (found.rows, found.blank, found.well_formed, found.unknown) == (8, 2, 3, 1)
    assert (found.other_kinds, found.malformed) == ({"msoa": 2}, 1)
    assert not found.passed
    con.execute("DELETE FROM file WHERE c NOT IN ('E01000001', ' w01000002', '')")
    assert check_codes(con, "file", "c", "lsoa", known="known", known_code="code").passed


def test_areas_are_named_in_welsh_where_there_is_a_welsh_name(con):
    con.execute("""CREATE TABLE lookup AS SELECT * FROM (VALUES
        ('W06000006', 'Wrexham', 'Wrecsam'), ('W06000006', 'Wrexham', 'Wrecsam'),
        ('E08000025', 'Birmingham', ' '), (NULL, 'Nowhere', NULL)) t(LAD22CD, LAD22NM, LAD22NMW)""")
    columns = {"code": "LAD22CD", "name": "LAD22NM"}
    assert name_of(con, "lookup", "w06000006", **columns) == "Wrexham"
    assert name_of(con, "lookup", "W06000006", **columns, welsh="LAD22NMW") == "Wrecsam"
    assert name_of(con, "lookup", "E08000025", **columns, welsh="LAD22NMW") == "Birmingham"
    assert name_of(con, "lookup", "E08000026", **columns) is None
    rows = con.execute(names_sql("lookup", "LAD22CD", "LAD22NM", "LAD22NMW")).fetchall()
    assert sorted(rows) == [
        ("E08000025", "Birmingham", "Birmingham"),
        ("W06000006", "Wrexham", "Wrecsam"),
    ]


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
        # One code of one: (1 + 1) / (1 + 2).
        (BOTH | {"E01800001"}, "2011", pytest.approx(2 / 3)),
        (BOTH | {"E01900001"}, "2021", pytest.approx(2 / 3)),
        (BOTH | {"E01900001", "E01900002"}, "2021", 0.75),
        (BOTH | {"E01800001", "E01900001"}, "mixed", 0.5),
        (BOTH, "2021", 0.5),
        ({"E01777777"}, "unknown", 0.0),
        (set(), "unknown", 0.0),
    ],
)
def test_only_codes_of_one_vintage_decide(codes, vintage, confidence):
    found = detect_vintage([*codes, *codes], OLD, NEW)
    assert (found.vintage, found.confidence) == (vintage, confidence)


def test_confidence_grows_with_the_codes_that_decide():
    grown = [decide_vintage(n, 0, 1, 0).confidence for n in range(200)]
    assert grown[0] == 0.5
    assert grown == sorted(set(grown))
    assert grown[1] < 0.7
    assert 0.99 < grown[-1] < 1
    assert decide_vintage(90, 10, 0, 0).confidence < decide_vintage(90, 0, 0, 0).confidence


def test_the_share_is_told_apart_from_the_confidence():
    assert decide_vintage(0, 1, 0, 0).share == 1.0
    assert decide_vintage(0, 0, 5, 0).share is None
    assert decide_vintage(9, 1, 0, 0).deciding == 10


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


def test_output_areas_and_msoas_are_told_by_their_own_lists(con):
    con.execute("""CREATE TABLE lists AS SELECT * FROM (VALUES
        ('E02000001', 'E02000001'), ('E02000002', 'E02006999')) t(msoa11cd, msoa21cd)""")
    con.execute("CREATE TABLE file AS SELECT unnest(['E02000001', 'E02006999']) AS msoa")
    query = vintage_counts_sql("file", "msoa", "lists", code11="msoa11cd", code21="msoa21cd")
    assert con.execute(query).fetchone() == (0, 1, 1, 0)


@pytest.mark.open_data
@pytest.mark.parametrize(
    ("file", "vintage", "deciding"),
    [("2022-10-cleveland-street.csv", "2011", 10), ("2024-05-surrey-street.csv", "2021", 24)],
)
def test_real_police_files_show_their_vintage(con, open_data, file, vintage, deciding):
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
    assert (found.deciding, found.share) == (deciding, 1.0)
    assert found.confidence == pytest.approx((deciding + 1) / (deciding + 2))
    assert found.confidence > 0.9
    assert found.unknown == 0


@pytest.mark.open_data
def test_every_code_of_the_real_lookups_is_of_its_kind(con, open_data):
    lookups = open_data / "lookups"
    con.execute(f"CREATE TABLE csp AS FROM read_csv('{lookups}/lookup_ltla24_csp24_pfa24.csv')")
    for column, kind in (
        ("ltla24_code", "lad"),
        ("csp24_code", "community_safety_partnership"),
        ("pfa24_code", "police_force_area"),
    ):
        assert check_codes(con, "csp", column, kind).passed
    con.execute(f"CREATE TABLE icb AS FROM '{lookups}/lookup_lsoa21_icb24_England.parquet'")
    assert check_codes(con, "icb", "icb24_code", "icb").passed
    assert check_codes(con, "icb", "sicbl24_code", "sub_icb").passed
    file = lookups / "lsoa21_msoa21_wd25_pcon24_lad24_BCC.csv"
    con.execute(f"CREATE TABLE pcon AS FROM read_csv('{file}')")
    for column, kind in (("PCON24CD", "constituency"), ("WD25CD", "ward"), ("MSOA21CD", "msoa")):
        assert check_codes(con, "pcon", column, kind).passed
    con.execute(f"CREATE TABLE rgn AS FROM read_csv('{lookups}/lookup_ltla24_region24.csv')")
    assert check_codes(con, "rgn", "region24_code", "region").passed


@pytest.mark.open_data
def test_a_real_district_has_its_welsh_name(con, open_data):
    file = open_data / "lookups/LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv"
    con.execute(f"CREATE TABLE lookup AS FROM read_csv('{file}')")
    columns = {"code": "LAD22CD", "name": "LAD22NM", "welsh": "LAD22NMW"}
    assert name_of(con, "lookup", "W06000006", **columns) == "Wrecsam"
    assert name_of(con, "lookup", "E08000025", **columns) == "Birmingham"
