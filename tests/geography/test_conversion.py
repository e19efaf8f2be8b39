"""Conversion between vintages: nothing lost, nothing made, and each kind of change on its own."""

import duckdb
import numpy as np
import pytest

from declarations.errors import GeographyError
from geography.changes.conversion import SplitWeights, convert, shares_sql
from geography.changes.vintages import pair_weights_sql, select_changes_sql

SAME, WELSH = "E01000001", "W01000009"
PARENT, CHILDREN = "E01000002", ["E01000012", "E01000013", "E01000014"]
TWO, TWO_CHILDREN = "W01000002", ["W01000012", "W01000013"]
HALVES, WHOLE = ["E01000004", "E01000005"], "E01000015"
KNOT11, KNOT21 = ["E01000006", "E01000007"], ["E01000016", "E01000017"]
CHANGES = [
    (SAME, SAME, "U"),
    (WELSH, WELSH, "U"),
    *((PARENT, child, "S") for child in CHILDREN),
    *((TWO, child, "S") for child in TWO_CHILDREN),
    *((half, WHOLE, "M") for half in HALVES),
    *((old, new, "X") for old in KNOT11 for new in KNOT21),
]
OLD = sorted({old for old, _, _ in CHANGES})
NEW = sorted({new for _, new, _ in CHANGES})
PAIRS = [
    (KNOT11[0], KNOT21[0], 1), (KNOT11[0], KNOT21[1], 3),
    (KNOT11[1], KNOT21[0], 2), (KNOT11[1], KNOT21[1], 2),
]  # fmt: skip


@pytest.fixture
def nation(con):
    """The lookup, and weights of both vintages: by people, and by households."""
    con.execute("CREATE TABLE ch (lsoa11cd VARCHAR, lsoa21cd VARCHAR, chgind VARCHAR)")
    con.executemany("INSERT INTO ch VALUES (?, ?, ?)", CHANGES)
    con.execute("CREATE TABLE people (code VARCHAR, residents BIGINT, households BIGINT)")
    sizes = {CHILDREN[0]: (1, 3), CHILDREN[1]: (2, 0), CHILDREN[2]: (3, 0), HALVES[0]: (30, 1)}
    con.executemany(
        "INSERT INTO people VALUES (?, ?, ?)",
        [(code, *sizes.get(code, (10, 1))) for code in sorted({*OLD, *NEW})],
    )
    con.execute("CREATE TABLE pairs (lsoa11cd VARCHAR, lsoa21cd VARCHAR, weight BIGINT)")
    con.executemany("INSERT INTO pairs VALUES (?, ?, ?)", PAIRS)
    return con


PEOPLE = SplitWeights("population", "people", "code", "residents", "pairs")
WITHOUT_PAIRS = SplitWeights("population", "people", "code", "residents")


def table(con, rows, name="given", code="lsoa11cd", columns="period VARCHAR, n BIGINT"):
    con.execute(f"CREATE OR REPLACE TABLE {name} ({code} VARCHAR, {columns})")
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        con.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
    return name


def run(con, rows, *, columns="period VARCHAR, n BIGINT", **more):
    code = more.pop("code", "lsoa11cd")
    given = {"by": ("period",), "counts": ("n",), "split_by": PEOPLE, **more}
    return convert(
        con, table(con, rows, code=code, columns=columns), "got", changes="ch", code=code, **given
    )


def got(con, columns="n, geo_conversion", code="lsoa21cd"):
    rows = con.execute(f"SELECT {code}, {columns} FROM got ORDER BY ALL").fetchall()
    return {row[0]: row[1:] for row in rows}


def left(con):
    return con.execute("FROM got_residual ORDER BY ALL").fetchall()


def test_each_kind_of_change_is_handled_apart(nation):
    report = run(nation, [(code, "p", 100) for code in OLD])
    assert got(nation) == {
        SAME: (100, "none"),
        WELSH: (100, "none"),
        # 100 over 1:2:3 is 16.67, 33.33, 50: the unit left goes to the first.
        CHILDREN[0]: (17, "split_weighted"),
        CHILDREN[1]: (33, "split_weighted"),
        CHILDREN[2]: (50, "split_weighted"),
        TWO_CHILDREN[0]: (50, "split_weighted"),
        TWO_CHILDREN[1]: (50, "split_weighted"),
        WHOLE: (200, "merged"),
        KNOT21[0]: (25 + 50, "complex"),
        KNOT21[1]: (75 + 50, "complex"),
    }
    assert report.conversions == {"none": 2, "merged": 1, "split_weighted": 5, "complex": 2}
    assert (report.basis, report.residual_rows, left(nation)) == ("population", {}, [])
    total = report.totals["n"]
    assert (total.received, total.converted, total.residual) == (800, 800, 0)


def test_the_way_back_merges_what_was_split_and_splits_what_was_merged(nation):
    run(nation, [(c, "p", 100) for c in NEW], code="lsoa21cd", direction="2021_to_2011")
    assert got(nation, code="lsoa11cd") == {
        SAME: (100, "none"),
        WELSH: (100, "none"),
        PARENT: (300, "merged"),
        TWO: (200, "merged"),
        # 100 over 30:10.
        HALVES[0]: (75, "split_weighted"),
        HALVES[1]: (25, "split_weighted"),
        # 100 over 1:2 is 33, and 100 over 3:2 is 60.
        KNOT11[0]: (33 + 60, "complex"),
        KNOT11[1]: (67 + 40, "complex"),
    }


def test_the_basis_of_the_weights_is_the_callers_to_name(nation):
    homes = SplitWeights("households", "people", "code", "households", "pairs")
    report = run(nation, [(PARENT, "p", 7)], split_by=homes)
    assert report.basis == "households"
    # All households are in the first part: the others have none, which is not unknown.
    assert {c: v[0] for c, v in got(nation).items()} == dict(zip(CHILDREN, (7, 0, 0), strict=True))


@pytest.mark.parametrize("direction", ["2011_to_2021", "2021_to_2011"])
def test_the_shares_of_every_area_add_up_to_one(nation, direction):
    query = shares_sql("ch", direction, PEOPLE)
    sums = nation.execute(f"SELECT from_code, sum(share) FROM ({query}) GROUP BY 1").fetchall()
    assert {code for code, _ in sums} == {*OLD, *NEW}
    assert all(total == pytest.approx(1, abs=1e-12) for _, total in sums)
    nation.execute("DELETE FROM people WHERE code IN (?, ?)", [CHILDREN[0], HALVES[0]])
    without = nation.execute(
        f"SELECT DISTINCT from_code FROM ({query}) WHERE share IS NULL"
    ).fetchall()
    assert without == [(PARENT if direction == "2011_to_2021" else WHOLE,)]


def random_rows(seed, codes, size=300):
    rng = np.random.default_rng(seed)
    picked, periods = rng.integers(0, len(codes), size), rng.integers(0, 4, size)
    numbers = rng.integers(-50, 1000, size)
    absent = rng.random(size) < 0.05
    return [
        (codes[i], f"p{p}", None if gone else int(n))
        for i, p, n, gone in zip(picked, periods, numbers, absent, strict=True)
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("split_by", [PEOPLE, WITHOUT_PAIRS])
@pytest.mark.parametrize("direction", ["2011_to_2021", "2021_to_2011"])
def test_totals_close_whatever_comes_and_in_whatever_order(nation, seed, split_by, direction):
    code = "lsoa11cd" if direction == "2011_to_2021" else "lsoa21cd"
    rows = random_rows(seed, [*OLD, *NEW, "E01999999", None, " e01000002 "])
    report = run(nation, rows, code=code, direction=direction, split_by=split_by)
    first = nation.execute("FROM got ORDER BY ALL").fetchall(), left(nation)
    given = nation.execute("SELECT period, sum(n) FROM given GROUP BY 1 ORDER BY 1").fetchall()
    kept = nation.execute(
        "SELECT period, sum(n) FROM (SELECT period, n FROM got UNION ALL"
        " SELECT period, n FROM got_residual) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert kept == given
    assert report.totals["n"].received == sum(n for *_, n in rows if n is not None)
    assert report.totals["n"].close
    run(nation, rows[::-1], code=code, direction=direction, split_by=split_by)
    assert (nation.execute("FROM got ORDER BY ALL").fetchall(), left(nation)) == first


def test_there_and_back_is_identity_where_nothing_was_merged_or_redrawn(nation):
    stable = [SAME, WELSH, PARENT, TWO]
    rows = [
        (c, f"p{i}", n) for i in range(5) for c, n in zip(stable, (0, 7, 100 + i, 3), strict=True)
    ]
    run(nation, rows)
    nation.execute("CREATE TABLE there AS FROM got")
    convert(
        nation, "there", "got", changes="ch", direction="2021_to_2011", by=("period",),
        counts=("n",),
    )  # fmt: skip
    back = nation.execute("SELECT lsoa11cd, period, n FROM got ORDER BY ALL").fetchall()
    assert back == sorted(rows)
    unchanged = nation.execute(
        "SELECT DISTINCT geo_conversion FROM got WHERE lsoa11cd IN (?, ?)", [SAME, WELSH]
    ).fetchall()
    assert unchanged == [("none",)]


def test_converting_twice_changes_nothing_more(nation):
    run(nation, [(code, "p", 41) for code in OLD])
    once = got(nation)
    nation.execute("CREATE TABLE there AS FROM got")
    report = convert(
        nation, "there", "got", changes="ch", code="lsoa21cd", by=("period",), counts=("n",)
    )
    assert got(nation) == once
    assert report.totals["n"].residual == 0


def test_complex_areas_without_output_areas_are_marked_and_their_total_kept(nation):
    report = run(nation, [(SAME, "p", 5), (KNOT11[0], "p", 8)], split_by=WITHOUT_PAIRS)
    assert got(nation, "n, value_status, geo_conversion") == {
        SAME: (5, None, "none"),
        KNOT21[0]: (None, "[x]", "complex"),
        KNOT21[1]: (None, "[x]", "complex"),
    }
    assert left(nation) == [(KNOT11[0], "p", 8, "complex")]
    assert report.residual_rows == {"complex": 1}
    total = report.totals["n"]
    assert (total.received, total.converted, total.residual) == (13, 5, 8)


def test_output_areas_weigh_complex_areas(nation):
    nation.execute("CREATE TABLE oas (lsoa11cd VARCHAR, lsoa21cd VARCHAR, residents BIGINT)")
    nation.executemany(
        "INSERT INTO oas VALUES (?, ?, ?)", [(o, n, part) for o, n, w in PAIRS for part in (w, w)]
    )
    nation.execute(f"CREATE OR REPLACE TABLE pairs AS {pair_weights_sql('oas')}")
    run(nation, [(KNOT11[0], "p", 8), (KNOT11[1], "p", 8)])
    assert {c: v[0] for c, v in got(nation).items()} == {KNOT21[0]: 2 + 4, KNOT21[1]: 6 + 4}


def test_codes_of_no_vintage_are_kept_apart_with_their_reason(nation):
    rows = [(SAME, "p", 1), ("E01999999", "p", 2), (None, "p", 3), (" ", "q", None)]
    report = run(nation, rows)
    assert got(nation) == {SAME: (1, "none")}
    assert left(nation) == [
        ("E01999999", "p", 2, "code_unknown"),
        (None, "p", 3, "code_missing"),
        (None, "q", None, "code_missing"),
    ]
    assert report.residual_rows == {"code_missing": 2, "code_unknown": 1}


def test_codes_are_tidied_before_they_are_called_unknown(nation):
    run(nation, [(f" {SAME.lower()} ", "p", 1), (f"{TWO} ", "p", 4)])
    assert {c: v[0] for c, v in got(nation).items()} == {
        SAME: 1, TWO_CHILDREN[0]: 2, TWO_CHILDREN[1]: 2,
    }  # fmt: skip


def test_rows_of_one_area_and_period_are_added_before_they_are_split(nation):
    run(nation, [(TWO, "p", 1)] * 4)
    assert {c: v[0] for c, v in got(nation).items()} == dict.fromkeys(TWO_CHILDREN, 2)


def test_a_missing_part_makes_its_sum_missing_and_the_rest_is_kept(nation):
    report = run(nation, [(HALVES[0], "p", 4), (HALVES[1], "p", None), (TWO, "p", None)])
    assert got(nation, "n, value_status") == {
        WHOLE: (None, "[x]"),
        TWO_CHILDREN[0]: (None, "[x]"),
        TWO_CHILDREN[1]: (None, "[x]"),
    }
    assert left(nation) == [(HALVES[0], "p", 4, "merged_with_missing")]
    assert report.totals["n"].residual == 4


STATUS = {"columns": "period VARCHAR, n BIGINT, status VARCHAR", "status": "status"}


@pytest.mark.parametrize("status", ["c", "[c]", "[r][c]"])
def test_a_suppressed_cell_is_not_split(nation, status):
    with pytest.raises(GeographyError, match="1 suppressed rows"):
        run(nation, [(PARENT, "p", 3, status)], **STATUS)
    tables = {row[0] for row in nation.execute("SHOW TABLES").fetchall()}
    assert tables == {"ch", "people", "pairs", "given"}
    run(nation, [(PARENT, "p", 3, status)], **STATUS, if_suppressed="mark")
    assert got(nation, "n, status") == dict.fromkeys(CHILDREN, (None, "[c]"))
    assert left(nation) == [(PARENT, "p", 3, "suppressed")]


def test_a_suppressed_cell_of_an_unchanged_area_passes(nation):
    run(nation, [(SAME, "p", None, "[c]"), (PARENT, "p", 6, "[r]")], **STATUS)
    assert got(nation, "n, status")[SAME] == (None, "[c]")
    assert got(nation, "n, status")[CHILDREN[0]] == (1, "[r]")


def test_a_sum_does_not_show_its_suppressed_part(nation):
    rows = [(HALVES[0], "p", 3, "c"), (HALVES[1], "p", 9, None), (HALVES[0], "q", 2, "c")]
    run(nation, rows, **STATUS)
    assert nation.execute("SELECT DISTINCT lsoa21cd, n, status FROM got").fetchall() == [
        (WHOLE, None, "[c]")
    ]
    assert left(nation) == [
        (HALVES[0], "p", 3, "suppressed"),
        (HALVES[0], "q", 2, "suppressed"),
        (HALVES[1], "p", 9, "suppressed"),
    ]


RATE = {"columns": "period VARCHAR, rate DOUBLE", "counts": (), "rates": ("rate",)}


@pytest.mark.parametrize("code", [PARENT, HALVES[0], KNOT11[0]])
def test_a_rate_is_not_converted(nation, code):
    with pytest.raises(GeographyError, match="The rates rate stand in 1 rows"):
        run(nation, [(SAME, "p", 0.5), (code, "p", 0.25)], **RATE)


def test_a_rate_of_an_unchanged_area_passes(nation):
    run(nation, [(SAME, "p", 0.5), (WELSH, "p", None)], **RATE)
    assert got(nation, "rate, value_status") == {SAME: (0.5, None), WELSH: (None, None)}


def test_a_rate_is_copied_to_parts_only_if_asked_and_flagged(nation):
    rows = [(SAME, "p", 0.5), (PARENT, "p", 0.25), *((h, "p", 0.1) for h in HALVES)]
    run(nation, [*rows, (KNOT11[0], "p", 0.2)], **RATE, copy_rates=True, split_by=None)
    assert got(nation, "rate, value_status") == {
        SAME: (0.5, None),
        **dict.fromkeys(CHILDREN, (0.25, "[e]")),
        WHOLE: (None, "[x]"),
        KNOT21[0]: (None, "[x]"),
        KNOT21[1]: (None, "[x]"),
    }


@pytest.mark.parametrize("change", ["DELETE FROM people", "UPDATE people SET residents = 0",
                                    "UPDATE people SET residents = NULL"])  # fmt: skip
def test_an_area_without_weights_is_refused_or_marked(nation, change):
    where = " WHERE code = ?" if "NULL" in change else ""
    nation.execute(change + where, [CHILDREN[0]] if where else [])
    with pytest.raises(GeographyError, match="no weights of population"):
        run(nation, [(PARENT, "p", 6)])
    run(nation, [(PARENT, "p", 6), (SAME, "p", 1)], if_unweighted="mark")
    assert got(nation, "n, value_status") == {
        SAME: (1, None), **dict.fromkeys(CHILDREN, (None, "[x]")),
    }  # fmt: skip
    assert left(nation) == [(PARENT, "p", 6, "no_weights")]


def test_weights_must_be_declared_only_where_something_is_split(nation):
    run(nation, [(SAME, "p", 1), (HALVES[0], "p", 1)], split_by=None)
    assert got(nation)[WHOLE] == (1, "merged")
    with pytest.raises(GeographyError, match="no weights declared"):
        run(nation, [(TWO, "p", 1)], split_by=None)


@pytest.mark.parametrize("row", [(CHILDREN[0], -1, 1), (CHILDREN[1], 5, 5)])
def test_weights_that_contradict_themselves_are_refused(nation, row):
    if row[1] < 0:
        nation.execute("DELETE FROM people WHERE code = ?", [row[0]])
    nation.execute("INSERT INTO people VALUES (?, ?, ?)", row)
    with pytest.raises(GeographyError, match="The weights of population"):
        run(nation, [(SAME, "p", 1)])


@pytest.mark.parametrize("kind", ["DOUBLE", "DECIMAL(9, 2)", "VARCHAR"])
def test_only_whole_counts_are_converted(nation, kind):
    with pytest.raises(GeographyError, match="not whole numbers"):
        run(nation, [(SAME, "p", 1)], columns=f"period VARCHAR, n {kind}")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"counts": ("absent",)}, "no column absent"),
        ({"by": ("period", "n")}, "more than once"),
        ({"counts": (), "rates": ()}, "No column"),
        ({"residual": "got"}, "different names|own residual"),
        ({"status": "n"}, "more than once"),
    ],
)
def test_a_call_that_does_not_fit_its_table_is_refused(nation, more, message):
    with pytest.raises(GeographyError, match=message):
        run(nation, [(SAME, "p", 1)], **more)


def test_a_lookup_that_contradicts_itself_is_refused(nation):
    nation.execute("DELETE FROM ch WHERE lsoa21cd IN (?, ?)", CHILDREN[:2])
    with pytest.raises(GeographyError, match="split"):
        run(nation, [(SAME, "p", 1)])


def test_several_counts_close_each_on_its_own(nation):
    rows = [(HALVES[0], "p", 4, None), (HALVES[1], "p", 5, 2), (TWO, "p", None, 3)]
    report = run(nation, rows, columns="period VARCHAR, n BIGINT, m INTEGER", counts=("n", "m"))
    assert got(nation, "n, m")[WHOLE] == (9, None)
    assert [got(nation, "n, m")[c] for c in TWO_CHILDREN] == [(None, 2), (None, 1)]
    assert {n: (t.received, t.residual) for n, t in report.totals.items()} == {
        "n": (9, 0), "m": (5, 2),
    }  # fmt: skip


INTERNAL = [
    "key", "row_status", "hidden", "strange", "conversion", "sharing", "row_id", "from_code",
    "to_code", "shared", "place", "weight", "part", "blocked", "partial", "feeds", "feeding",
    "total", "n__known", "n1", "q0", "v0", "k0", "left0", "share", "parts", "splittable",
    "unchanged", "first_weight", "reason_", "rowid", "apportion_reason", "row", "code", "given",
]  # fmt: skip
ROLES = {
    "by": ("VARCHAR", ["none", "a"], {"by": ("period", "{}")}),
    "flag": ("BOOLEAN", [True, False], {"by": ("period", "{}")}),
    "counts": ("BIGINT", [0, 13], {"counts": ("n", "{}")}),
    "rates": ("DOUBLE", [0.0, 1.5], {"rates": ("{}",), "copy_rates": True}),
    "status": ("VARCHAR", ["e", "c"], {"status": "{}", "if_suppressed": "mark"}),
}


def converted_with(con, name, role):
    kind, (first, second), given = ROLES[role]
    codes = [SAME, PARENT, PARENT, TWO, HALVES[0], HALVES[0], HALVES[1], KNOT11[0], "E01999999"]
    rows = [(c, "p", i, (first, second)[i % 2]) for i, c in enumerate(codes)]
    more = {
        k: tuple(x.format(name) for x in v) if isinstance(v, tuple) else v.format(name)
        if isinstance(v, str) else v for k, v in given.items()
    }  # fmt: skip
    report = run(con, rows, columns=f'period VARCHAR, n BIGINT, "{name}" {kind}', **more)
    totals = [(t.received, t.converted, t.residual) for t in report.totals.values()]
    return con.execute("FROM got ORDER BY ALL").fetchall(), left(con), totals


@pytest.mark.parametrize("role", ROLES)
def test_a_column_may_be_called_like_one_of_the_steps(nation, role):
    want = converted_with(nation, "zz", role)
    for name in INTERNAL:
        assert converted_with(nation, name, role) == want, name
        named = [row[0] for row in nation.execute("DESCRIBE got").fetchall()]
        assert name in named


def test_a_reserved_name_is_refused(nation):
    columns = "period VARCHAR, n BIGINT, _LSOALINK_count_0 BIGINT"
    with pytest.raises(GeographyError, match="which is reserved"):
        run(nation, [(SAME, "p", 1, 2)], columns=columns, counts=("n", "_LSOALINK_count_0"))


@pytest.mark.parametrize(
    "status", ["C", "[C]", " c ", "c,e", "c e", "c\n", "suppressed", "Suppressed", "[e][c]", "c/e"]
)
def test_a_suppressed_status_is_known_however_it_is_written(nation, status):
    with pytest.raises(GeographyError, match="1 suppressed rows"):
        run(nation, [(PARENT, "p", 3, status)], **STATUS)


@pytest.mark.parametrize("status", ["*", "confidential", "ce", "-", "c5", "9"])
@pytest.mark.parametrize("handling", ["refuse", "mark"])
def test_a_row_of_unknown_status_is_not_split(nation, status, handling):
    with pytest.raises(GeographyError, match=r"status that is not known|suppressed") as caught:
        run(nation, [(PARENT, "p", 3, "[r]"), (TWO, "p", 3, status)], **STATUS,
            if_suppressed="refuse" if status == "c5" else handling)  # fmt: skip
    assert "confidential" not in str(caught.value)
    run(nation, [(SAME, "p", 3, status)], **STATUS)
    assert got(nation, "n, status")[SAME] == (3, status)


@pytest.mark.parametrize("status", ["", " ", "e", "[E]", "[r][p]", "low", "x, z", None])
def test_a_row_of_known_status_is_split(nation, status):
    run(nation, [(TWO, "p", 4, status)], **STATUS)
    assert {v[0] for v in got(nation).values()} == {2}


def test_statuses_added_up_stay_words_of_their_own(nation):
    rows = [
        (TWO, "p", 4, "e"),
        (TWO, "p", 4, "p"),
        (PARENT, "p", 6, "[p]"),
        (PARENT, "p", 6, "[e]"),
    ]
    run(nation, rows, **STATUS)
    statuses = {c: v[0] for c, v in got(nation, "status").items()}
    assert statuses[TWO_CHILDREN[0]] == "e p"
    assert statuses[CHILDREN[0]] == "[e][p]"


@pytest.mark.parametrize(
    ("direction", "parts", "whole"),
    [("2011_to_2021", HALVES, WHOLE), ("2021_to_2011", TWO_CHILDREN, TWO)],
)
def test_a_merger_one_part_of_which_has_no_row_is_marked(nation, direction, parts, whole):
    code, other = ("lsoa11cd", "lsoa21cd")[:: 1 if direction == "2011_to_2021" else -1]
    rows = [(parts[0], "p", 4), (parts[0], "q", 4), (parts[1], "q", 5), (SAME, "p", 1)]
    report = run(nation, rows, code=code, direction=direction)
    found = nation.execute(
        f"SELECT period, n, value_status, geo_conversion FROM got WHERE {other} = ? ORDER BY 1",
        [whole],
    ).fetchall()
    assert found == [("p", 4, "[u]", "merged"), ("q", 9, None, "merged")]
    assert report.partial_mergers == 1
    alone = run(nation, rows[:1], code=code, direction=direction)
    assert got(nation, "n, value_status", code=other) == {whole: (4, "[u]")}
    assert alone.partial_mergers == 1
    both = run(nation, rows[1:], code=code, direction=direction)
    assert both.partial_mergers == 0


def test_a_complex_area_one_side_of_which_has_no_row_is_marked(nation):
    report = run(nation, [(KNOT11[0], "p", 8, "[r]")], **STATUS)
    assert got(nation, "n, status") == {KNOT21[0]: (2, "[r][u]"), KNOT21[1]: (6, "[r][u]")}
    assert report.partial_mergers == 2


PLANTED = 9_187_654_321_987_654_321


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("BIGINT", [(HALVES[0], "p", PLANTED), (HALVES[1], "p", PLANTED)]),
        ("BIGINT", [(PARENT, "p", PLANTED), (PARENT, "p", PLANTED)]),
        ("UBIGINT", [(SAME, "p", 2 * PLANTED)]),
        ("HUGEINT", [(SAME, "p", -2 * PLANTED)]),
        ("BIGINT", [(TWO, "p", -(2**63))]),
    ],
)
def test_counts_that_are_too_large_are_refused_without_showing_them(nation, kind, rows):
    with pytest.raises(GeographyError, match="too large") as caught:
        run(nation, rows, columns=f"period VARCHAR, n {kind}")
    assert not any(text in str(caught.value) for text in ("9187654321", "1837530864", "9223372"))


def test_the_largest_count_is_split_exactly(nation):
    report = run(nation, [(PARENT, "p", 2**63 - 1), (SAME, "p", 2**63 - 1)])
    assert report.totals["n"].converted == 2 * (2**63 - 1)


def test_weights_that_are_too_large_are_refused(nation):
    nation.execute("ALTER TABLE people ALTER residents TYPE UBIGINT")
    nation.execute("UPDATE people SET residents = 18446744073709551615 WHERE code = ?", [SAME])
    with pytest.raises(GeographyError, match="too large"):
        run(nation, [(SAME, "p", 1)])


def test_a_foreign_conversion_is_refused_and_ours_is_kept(nation):
    columns = "period VARCHAR, n BIGINT, geo_conversion VARCHAR"
    with pytest.raises(GeographyError, match="geo_conversion of given has 1 rows") as caught:
        run(nation, [(SAME, "p", 1, "planted words")], columns=columns)
    assert "planted" not in str(caught.value)
    run(nation, [(SAME, "p", 1, "merged"), (WELSH, "p", 1, None)], columns=columns)
    assert got(nation) == {SAME: (1, "merged"), WELSH: (1, "none")}


def test_a_failure_of_the_database_shows_no_value(nation):
    nation.execute("ALTER TABLE ch ALTER chgind TYPE VARCHAR")
    nation.execute("CREATE VIEW broken AS SELECT CAST(lsoa11cd AS VARCHAR) AS lsoa11cd, 'p' AS"
                   " period, CAST(txt AS BIGINT) AS n FROM (SELECT 'E01000001' AS lsoa11cd,"
                   " 'planted words' AS txt)")  # fmt: skip
    with pytest.raises(duckdb.Error, match="planted"):
        nation.execute("FROM broken").fetchall()
    with pytest.raises(GeographyError, match="failed in the database") as caught:
        convert(nation, "broken", "got", changes="ch", counts=("n",))
    shown = caught.value
    assert "planted" not in str(shown)
    assert shown.__cause__ is None
    assert shown.__context__ is None


@pytest.mark.parametrize("written", ["ch", "CH", "people", "Pairs", "GIVEN"])
@pytest.mark.parametrize("role", ["into", "residual"])
def test_a_table_that_is_read_is_not_written_over(nation, written, role):
    table(nation, [(SAME, "p", 1)])
    names = {"into": "got", "residual": "rest", role: written}
    with pytest.raises(GeographyError, match="that it reads"):
        convert(nation, "given", names["into"], changes="ch", counts=("n",), split_by=PEOPLE,
                residual=names["residual"])  # fmt: skip
    assert nation.execute("SELECT count(*) FROM ch").fetchone() == (len(CHANGES),)


def test_what_stood_there_stays_where_a_conversion_is_refused(nation):
    run(nation, [(SAME, "p", 1), ("E01999999", "p", 2)])
    before = nation.execute("FROM got").fetchall(), left(nation)
    with pytest.raises(GeographyError):
        run(nation, [(PARENT, "p", 3, "c")], **STATUS)
    assert (nation.execute("FROM got").fetchall(), left(nation)) == before


def test_a_view_is_not_written_over(nation):
    nation.execute("CREATE VIEW got_residual AS SELECT 1 AS x")
    with pytest.raises(GeographyError, match="in place of a view"):
        run(nation, [(SAME, "p", 1)])
    assert nation.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'got'"
                          ).fetchone() == (0,)  # fmt: skip


@pytest.mark.open_data
@pytest.mark.parametrize(
    "file",
    ["LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv", "lookup_lsoa11_lsoa21_ltla22.csv"],
)
def test_england_and_wales_there_and_back(con, open_data, file):
    con.execute(f"CREATE TABLE raw AS FROM read_csv('{open_data / 'lookups' / file}')")
    con.execute(f"CREATE TABLE ch AS {select_changes_sql(con, 'raw')}")
    homes = open_data / "census/census2021_households_by_lsoa21_EW.csv"
    con.execute(f"CREATE TABLE homes AS SELECT #1 AS code, #2 AS homes FROM read_csv('{homes}')")
    con.execute("CREATE TABLE given AS SELECT DISTINCT lsoa11cd, 1000 AS n FROM ch")
    weights = SplitWeights("households", "homes", "code", "homes")
    report = convert(con, "given", "there", changes="ch", counts=("n",), split_by=weights)
    # 33,647 unchanged; 239 merged into 119; 861 split into 1,900; 6 redrawn into 6.
    assert report.conversions == {
        "none": 33_647, "merged": 119, "split_weighted": 1_900, "complex": 6,
    }  # fmt: skip
    assert report.totals["n"].received == 34_753_000
    assert report.totals["n"].residual == 6_000
    con.execute("DELETE FROM there WHERE n IS NULL")
    con.execute("CREATE TABLE old AS SELECT lsoa11cd AS code, 1 AS homes FROM given")
    back = convert(
        con, "there", "back", changes="ch", direction="2021_to_2011", counts=("n",),
        split_by=SplitWeights("households", "old", "code", "homes"),
    )  # fmt: skip
    assert back.totals["n"].converted == 34_747_000
    different = con.execute(
        "SELECT count(*) FROM back b JOIN given g USING (lsoa11cd) WHERE b.n <> g.n"
        " AND lsoa11cd IN (SELECT lsoa11cd FROM ch WHERE chgind IN ('U', 'S'))"
    ).fetchone()
    assert different == (0,)
