import pytest

from declarations.errors import GeographyError
from geography.changes import completeness
from geography.changes.completeness import check_complete, nations
from geography.changes.vintages import select_changes_sql, validate_changes

REGION = [
    ("E01000001", "E01000001", "U"),
    ("E01000002", "E01000012", "S"),
    ("E01000002", "E01000013", "S"),
    ("E01000004", "E01000014", "M"),
    ("E01000005", "E01000014", "M"),
    ("W01000006", "W01000016", "X"),
    ("W01000006", "W01000017", "X"),
]


@pytest.fixture
def changes(con):
    def make(pairs):
        con.execute(
            "CREATE OR REPLACE TABLE ch (lsoa11cd VARCHAR, lsoa21cd VARCHAR, chgind VARCHAR)"
        )
        con.executemany("INSERT INTO ch VALUES (?, ?, ?)", pairs)
        for column in ("lsoa11cd", "lsoa21cd"):
            con.execute(f"CREATE OR REPLACE TABLE known_{column} AS SELECT {column} FROM ch")
        return "ch"

    return make


KNOWN = {"known_lsoa21": "known_lsoa21cd", "known_lsoa11": "known_lsoa11cd"}


def test_an_excerpt_that_covers_its_region_passes(con, changes):
    found = check_complete(con, changes(REGION), **KNOWN)
    assert (found.nations, found.known_2021, found.known_2011) == ((), 6, 5)


@pytest.mark.parametrize(("column", "code"), [("lsoa21cd", "E01000099"), ("lsoa11cd", "E01000098")])
def test_an_excerpt_that_lacks_an_area_is_refused_without_showing_it(con, changes, column, code):
    changes(REGION)
    con.execute(f"INSERT INTO known_{column} VALUES (?)", [code])
    with pytest.raises(GeographyError, match="it lacks 1 of the") as caught:
        check_complete(con, "ch", **KNOWN)
    assert code not in str(caught.value)


def test_a_complex_pair_without_its_relatives_is_refused(con, changes):
    changes(REGION[:-1])
    with pytest.raises(GeographyError, match=r"1 complex \(X\) pairs stand without"):
        check_complete(con, "ch", **KNOWN)


def test_a_nation_is_held_to_its_declared_numbers(con, changes, monkeypatch):
    small = (completeness.Nation("E", "England", 4, 4, (5,)),)
    monkeypatch.setattr(completeness, "nations", lambda: small)
    changes(REGION)
    assert check_complete(con, "ch", known_lsoa21="known_lsoa21cd").nations == ("England",)
    # One unchanged area less, in the lookup and in the list: still a nation by number? No.
    con.execute("INSERT INTO known_lsoa21cd VALUES ('E01000077')")
    con.execute("DELETE FROM ch WHERE chgind = 'U'")
    with pytest.raises(GeographyError) as caught:
        check_complete(con, "ch", known_lsoa21="known_lsoa21cd")
    text = str(caught.value)
    assert "it has 4 rows for England where there are 5" in text
    assert "3 areas of 2011 in England where there are 4" in text
    assert "3 areas of 2021 in England where there are 4" in text


def test_without_known_areas_both_nations_are_wanted_whole(con, changes):
    with pytest.raises(GeographyError, match=r"England.*Wales"):
        check_complete(con, changes(REGION))


def test_the_declared_numbers_add_up_to_england_and_wales():
    # ONS: 34,753 LSOAs of 2011, 35,672 of 2021, 35,796 and 35,795 pairs.
    assert sum(n.lsoas_2011 for n in nations()) == 34_753
    assert sum(n.lsoas_2021 for n in nations()) == 35_672
    assert [sum(n.pairs[min(v, len(n.pairs) - 1)] for n in nations()) for v in (0, 1)] == [
        35_796,
        35_795,
    ]


def test_a_nation_may_lack_the_declared_pair_and_no_other(con, changes, monkeypatch):
    knot = [("E01000006", f"E0100002{i}", "X") for i in range(3)]
    nation = completeness.Nation("E", "England", 6, 6, (9, 8), (("E01000007", "E01000020"),))
    monkeypatch.setattr(completeness, "nations", lambda: (nation,))
    pairs = [
        REGION[0], *REGION[3:5], *knot, ("E01000007", "E01000020", "X"),
        ("E01000007", "E01000025", "X"), ("E01000008", "E01000025", "X"),
    ]  # fmt: skip
    known = {"known_lsoa21": "known_lsoa21cd"}
    assert check_complete(con, changes(pairs), **known).nations == ("England",)
    changes([pair for pair in pairs if pair[:2] != ("E01000007", "E01000020")])
    assert check_complete(con, "ch", **known).nations == ("England",)
    changes([pair for pair in pairs if pair != knot[0]])
    with pytest.raises(GeographyError, match="lacks other pairs of England"):
        check_complete(con, "ch", **known)


def test_an_empty_lookup_is_refused_even_where_nothing_is_wanted(con, changes):
    changes(REGION)
    for name in ("ch", "known_lsoa21cd", "known_lsoa11cd"):
        con.execute(f"DELETE FROM {name}")
    with pytest.raises(GeographyError, match="it has no rows"):
        check_complete(con, "ch", **KNOWN)


@pytest.fixture
def published(con, open_data):
    def load(file):
        con.execute(f"CREATE TABLE raw AS FROM read_csv('{open_data / 'lookups' / file}')")
        con.execute(f"CREATE TABLE ch AS {select_changes_sql(con, 'raw')}")
        return "ch"

    return load


BOTH = ["LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv", "lookup_lsoa11_lsoa21_ltla22.csv"]


@pytest.mark.open_data
@pytest.mark.parametrize("file", BOTH)
def test_both_published_versions_are_complete(con, open_data, published, file):
    published(file)
    boundaries = open_data / "boundaries/boundaries_lsoa21_EW.parquet"
    con.execute(f"CREATE TABLE known AS SELECT lsoa21_code AS lsoa21cd FROM '{boundaries}'")
    validate_changes(con, "ch")
    found = check_complete(con, "ch", known_lsoa21="known")
    assert (found.nations, found.known_2021) == (("England", "Wales"), 35_672)


@pytest.mark.open_data
@pytest.mark.parametrize(
    ("lost", "country"),
    [
        ("lsoa11cd = 'E01000001'", "England"),
        ("lsoa11cd IN (SELECT min(lsoa11cd) FROM ch WHERE lsoa11cd LIKE 'W%' AND chgind = 'U')",
         "Wales"),
        ("chgind = 'X'", "England"),
        # A third part of a split: the other two still look like a split.
        ("lsoa21cd = (SELECT max(lsoa21cd) FROM ch WHERE lsoa11cd = (SELECT min(lsoa11cd) FROM ("
         "SELECT lsoa11cd FROM ch WHERE chgind = 'S' GROUP BY 1 HAVING count(*) = 3)))", "England"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("file", BOTH)
def test_a_published_lookup_with_a_row_left_out_is_refused(con, published, file, lost, country):
    published(file)
    con.execute(f"DELETE FROM ch WHERE {lost}")
    validate_changes(con, "ch")
    with pytest.raises(GeographyError, match=country):
        check_complete(con, "ch")


@pytest.mark.open_data
def test_no_complex_pair_but_the_declared_one_may_be_left_out(con, published):
    published(BOTH[0])
    redrawn = con.execute("SELECT lsoa11cd, lsoa21cd FROM ch WHERE chgind = 'X'").fetchall()
    accepted = []
    for old, new in redrawn:
        con.execute(
            "CREATE OR REPLACE TABLE less AS FROM ch WHERE NOT (lsoa11cd = ? AND lsoa21cd = ?)",
            [old, new],
        )
        try:
            check_complete(con, "less")
        except GeographyError:
            continue
        accepted.append((old, new))
    con.execute("DROP TABLE raw")
    published_less = {tuple(pair) for nation in nations() for pair in nation.left_out}
    assert set(accepted) == published_less == {("E01027506", "E01035624")}
