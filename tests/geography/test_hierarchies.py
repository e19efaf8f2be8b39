"""Hierarchies: what nests and what only fits best, and sums that lose nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from declarations.errors import GeographyError
from geography.hierarchies import (
    Hierarchy,
    Link,
    aggregate,
    aggregate_sql,
    check_additive,
    check_nesting,
    fit_of,
    nesting,
)

Con = duckdb.DuckDBPyConnection

OA = Link("oa21", "lsoa21", "oas", "exact")
MSOA = Link("lsoa21", "msoa21", "lsoas", "exact")
LAD = Link("msoa21", "lad24", "msoas", "exact")
WARD = Link("lsoa21", "wd24", "wards", "best_fit")
ICB = Link("wd24", "icb24", "ward_icbs", "best_fit")
CHAIN = Hierarchy((OA, MSOA, LAD, WARD, ICB))


def fill(con: Con, name: str, columns: dict[str, Any]) -> None:
    con.register("incoming", pa.table(columns))
    con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM incoming")
    con.unregister("incoming")


def random_hierarchy(con: Con, seed: int, oas: int = 400) -> np.random.Generator:
    """Make tables of a made-up hierarchy, each child with one random parent, and counts by OA."""
    rng = np.random.default_rng(seed)

    def assign(name: str, child: str, count: int, parent: str, parents: int) -> None:
        rows = [(f"{child}{i}", f"{parent}{rng.integers(parents)}") for i in range(count)]
        rng.shuffle(rows)
        fill(con, name, {f"{child}cd": [r[0] for r in rows], f"{parent}cd": [r[1] for r in rows]})

    assign("oas", "oa21", oas, "lsoa21", 60)
    assign("lsoas", "lsoa21", 60, "msoa21", 12)
    assign("msoas", "msoa21", 12, "lad24", 3)
    assign("wards", "lsoa21", 60, "wd24", 9)
    assign("ward_icbs", "wd24", 9, "icb24", 2)
    counts = rng.integers(0, 90, oas)
    fill(con, "people", {"oa21cd": [f"oa21{i}" for i in range(oas)], "n": counts})
    return rng


def sums(con: Con, parent: str, values: str = "people", child: str = "oa21") -> dict[str, Any]:
    rows = aggregate(con, CHAIN, values, child, parent, ["n"]).fetchall()
    return {row[0]: row[1] for row in rows}


def test_a_way_is_found_where_only_neighbours_are_linked() -> None:
    assert CHAIN.path("oa21", "lad24") == (OA, MSOA, LAD)
    assert CHAIN.levels("lsoa21") == {
        "icb24": "best_fit", "lad24": "exact", "msoa21": "exact", "wd24": "best_fit",
    }  # fmt: skip


def test_one_best_fit_step_makes_the_way_best_fit() -> None:
    assert fit_of(CHAIN.path("oa21", "wd24")) == "best_fit"
    assert fit_of(CHAIN.path("oa21", "lad24")) == "exact"


def test_an_exact_way_goes_before_a_shorter_best_fit_one() -> None:
    short = Link("lsoa21", "lad24", "wards", "best_fit")

    assert Hierarchy((short, MSOA, LAD)).path("lsoa21", "lad24") == (MSOA, LAD)
    assert Hierarchy((short, LAD)).path("lsoa21", "lad24") == (short,)


def test_no_way_down_or_across() -> None:
    with pytest.raises(GeographyError, match="No lookup leads from lad24 to lsoa21"):
        CHAIN.path("lad24", "lsoa21")


def test_links_that_lead_in_a_circle_are_refused() -> None:
    with pytest.raises(GeographyError, match="in a circle"):
        Hierarchy((MSOA, Link("msoa21", "lsoa21", "back", "exact")))


def test_two_lookups_of_one_step_are_refused() -> None:
    with pytest.raises(GeographyError, match="More than one lookup says lsoa21 in msoa21"):
        Hierarchy((MSOA, Link("lsoa21", "msoa21", "other", "best_fit")))


@pytest.mark.parametrize("seed", range(5))
def test_sums_conserve_the_total_at_every_level(con: Con, seed: int) -> None:
    random_hierarchy(con, seed)
    (total,) = con.execute("SELECT sum(n) FROM people").fetchone() or (None,)

    for level in ("lsoa21", "msoa21", "lad24", "wd24", "icb24"):
        assert sum(sums(con, level).values()) == total


@pytest.mark.parametrize("seed", range(5))
def test_going_up_in_steps_equals_going_up_at_once(con: Con, seed: int) -> None:
    random_hierarchy(con, seed)
    for step in ("lsoa21", "msoa21"):
        aggregate(con, CHAIN, "people", "oa21", step, ["n"]).create(f"at_{step}")

    assert sums(con, "lad24") == sums(con, "lad24", "at_lsoa21", "lsoa21")
    assert sums(con, "lad24") == sums(con, "lad24", "at_msoa21", "msoa21")


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_does_not_matter(con: Con, seed: int) -> None:
    rng = random_hierarchy(con, seed)
    before = sums(con, "wd24")
    for table in ("people", "oas", "wards"):
        rows = con.execute(f"FROM {table}").to_arrow_table()
        fill(con, table, dict(rows.take(rng.permutation(rows.num_rows)).to_pydict()))

    assert sums(con, "wd24") == before


def test_a_pair_that_stands_twice_counts_once(con: Con) -> None:
    random_hierarchy(con, 1)
    before = sums(con, "msoa21")
    con.execute("INSERT INTO lsoas FROM lsoas")

    assert sums(con, "msoa21") == before


def test_every_sum_carries_the_fit(con: Con) -> None:
    random_hierarchy(con, 2)

    def fits(parent: str) -> set[str]:
        result = aggregate(con, CHAIN, "people", "oa21", parent, ["n"])
        return {row[result.columns.index("fit")] for row in result.fetchall()}

    assert fits("wd24") == {"best_fit"}
    assert fits("lad24") == {"exact"}


@pytest.fixture
def small(con: Con) -> Con:
    """Areas A and B in ward X, C in Y, D in none."""
    con.execute("""
        CREATE TABLE wards AS SELECT * FROM (VALUES
            ('A', 'X'), ('B', 'X'), ('C', 'Y'), ('D', NULL)) t(lsoa21cd, wd24cd);
        CREATE TABLE counts AS SELECT * FROM (VALUES
            ('A', 3, 1.5, NULL), ('B', 4, 2.5, NULL), ('C', 5, 3.5, NULL), ('D', 6, 4.5, NULL)
        ) t(lsoa21cd, n, rate, status);
        ALTER TABLE counts ALTER status TYPE VARCHAR;
    """)
    return con


def rows_of(con: Con, sql: str) -> dict[Any, dict[str, Any]]:
    result = con.sql(sql)
    return {row[0]: dict(zip(result.columns, row, strict=True)) for row in result.fetchall()}


def test_what_has_no_parent_is_kept_and_named(small: Con) -> None:
    found = rows_of(small, aggregate_sql("counts", "wards", "lsoa21", "wd24", ["n"], "best_fit"))

    assert {code: row["n"] for code, row in found.items()} == {"X": 7, "Y": 5, None: 6}
    assert found[None]["reason"] == "no_parent"
    assert found["X"]["reason"] is None


def test_an_area_the_lookup_does_not_know_is_kept_too(small: Con) -> None:
    small.execute("INSERT INTO counts VALUES ('Z', 9, 0.5, NULL)")

    found = rows_of(small, aggregate_sql("counts", "wards", "lsoa21", "wd24", ["n"], "best_fit"))

    assert found[None]["n"] == 6 + 9


@pytest.mark.parametrize(
    "gone", ["DELETE FROM counts WHERE lsoa21cd = 'B'",
             "UPDATE counts SET n = NULL WHERE lsoa21cd = 'B'"],
)  # fmt: skip
def test_a_part_is_never_passed_off_as_the_whole(small: Con, gone: str) -> None:
    small.execute(gone)

    found = rows_of(small, aggregate_sql("counts", "wards", "lsoa21", "wd24", ["n"], "best_fit"))

    assert (found["X"]["n"], found["X"]["status"], found["X"]["children_missing"]) == (
        None, "[x]", 1,
    )  # fmt: skip
    assert (found["Y"]["n"], found["Y"]["status"], found["Y"]["children_missing"]) == (5, None, 0)


def test_a_ward_beyond_the_values_is_no_row(small: Con) -> None:
    small.execute("INSERT INTO wards VALUES ('E', 'Elsewhere')")

    found = rows_of(small, aggregate_sql("counts", "wards", "lsoa21", "wd24", ["n"], "best_fit"))

    assert "Elsewhere" not in found


def test_rates_are_not_added(small: Con) -> None:
    with pytest.raises(GeographyError, match="rate of counts are not whole numbers"):
        check_additive(small, "counts", ["rate"])
    check_additive(small, "counts", ["n"], ["status"])


def test_hidden_counts_are_not_added(small: Con) -> None:
    small.execute("UPDATE counts SET n = NULL, status = '[c]' WHERE lsoa21cd IN ('A', 'C')")

    with pytest.raises(GeographyError, match="2 counts of counts are hidden"):
        check_additive(small, "counts", ["n"], ["status"])


def test_an_area_with_two_rows_of_counts_is_refused(small: Con) -> None:
    small.execute("INSERT INTO counts VALUES ('A', 1, 1.0, NULL)")

    with pytest.raises(GeographyError, match="1 rows of counts repeat an area"):
        aggregate(small, Hierarchy((WARD,)), "counts", "lsoa21", "wd24", ["n"])


def test_an_area_with_two_parents_is_not_counted_twice(small: Con) -> None:
    small.execute("INSERT INTO wards VALUES ('A', 'Y')")

    with pytest.raises(GeographyError, match="wards has 1 of 4 lsoa21 in more than one wd24"):
        aggregate(small, Hierarchy((WARD,)), "counts", "lsoa21", "wd24", ["n"])


def test_a_lookup_that_nests_passes(con: Con) -> None:
    random_hierarchy(con, 3)
    con.execute("CREATE TABLE all_children AS SELECT lsoa21cd FROM lsoas")
    con.execute("CREATE TABLE all_parents AS SELECT DISTINCT msoa21cd FROM lsoas")

    report = check_nesting(con, MSOA, children="all_children", parents="all_parents")

    assert (report.children, report.problems) == (60, ())


def test_each_fault_of_nesting_is_named_with_its_count(small: Con) -> None:
    small.execute("INSERT INTO wards VALUES ('A', 'Y')")
    small.execute("CREATE TABLE everything AS SELECT unnest(['A', 'B', 'C', 'D', 'E']) AS lsoa21cd")

    with pytest.raises(GeographyError) as caught:
        check_nesting(small, WARD, children="everything")

    text = str(caught.value)
    assert "The lookup wards has" in text
    assert "1 of 4 lsoa21 in more than one wd24" in text
    assert "1 of 4 lsoa21 in no wd24" in text
    assert "1 lsoa21 missing" in text


def test_the_children_of_an_exact_parent_must_be_there(small: Con) -> None:
    small.execute("DELETE FROM wards WHERE wd24cd IS NULL")
    small.execute("CREATE TABLE all_wards AS SELECT unnest(['X', 'W']) AS wd24cd")
    exact = Link("lsoa21", "wd24", "wards", "exact")

    with pytest.raises(GeographyError, match=r"1 wd24 without any lsoa21; 1 wd24 that nobody"):
        check_nesting(small, exact, parents="all_wards")
    # A ward smaller than any LSOA rightly has none.
    assert check_nesting(small, WARD, parents="all_wards").without_children == 1


def test_a_table_without_the_column_is_named(con: Con) -> None:
    con.execute("CREATE TABLE wards (lsoa21cd VARCHAR)")

    with pytest.raises(GeographyError, match="wards has no column wd24cd"):
        nesting(con, WARD)


@pytest.mark.open_data
def test_the_published_ward_lookup_nests(con: Con, open_data: Path) -> None:
    path = open_data / "lookups" / "lookup_lsoa21_ward24_ltla24.csv"
    con.execute(
        "CREATE TABLE wards AS SELECT lsoa21_code AS lsoa21cd, ward24_code AS wd24cd, "
        f"ltla24_code AS lad24cd FROM read_csv('{path}')"
    )

    report = check_nesting(con, WARD)
    check_nesting(con, Link("wd24", "lad24", "wards", "exact"))
    check_nesting(con, Link("lsoa21", "lad24", "wards", "exact"))

    assert report.children == 35_672


@pytest.mark.open_data
def test_welsh_output_areas_without_msoa_are_reported(con: Con, open_data: Path) -> None:
    path = open_data / "lookups" / "oa21_lsoa21_msoa21_ltla24_EW.parquet"
    con.execute(
        "CREATE TABLE oas AS SELECT oa21cd, lsoa21cd, ltla24_code AS lad24cd, "
        f"nullif(msoa21cd, '') AS msoa21cd, usual_residents_ts001 AS n FROM '{path}'"
    )
    direct = Link("oa21", "msoa21", "oas", "exact")

    report = nesting(con, direct)
    assert (report.children, report.without_parent, report.several_parents) == (188_880, 10_275, 0)
    with pytest.raises(GeographyError, match="10275 of 188880 oa21 in no msoa21"):
        check_nesting(con, direct)
    check_nesting(con, OA)

    found = aggregate(con, Hierarchy((direct,)), "oas", "oa21", "msoa21", ["n"]).fetchall()
    (wales,) = con.execute("SELECT sum(n) FROM oas WHERE oa21cd LIKE 'W%'").fetchone() or (None,)
    assert {row[0]: row[1] for row in found}[None] == wales
    assert sum(row[1] for row in found) == 59_597_747


@pytest.mark.open_data
def test_a_district_with_several_partnerships_does_not_nest(con: Con, open_data: Path) -> None:
    path = open_data / "lookups" / "lookup_ltla24_csp24_pfa24.csv"
    con.execute(
        "CREATE TABLE districts AS SELECT ltla24_code AS lad24cd, csp24_code AS csp24cd, "
        f"pfa24_code AS pfa24cd FROM read_csv('{path}')"
    )

    with pytest.raises(GeographyError, match="7 of 318 lad24 in more than one csp24"):
        check_nesting(con, Link("lad24", "csp24", "districts", "exact"))
    check_nesting(con, Link("lad24", "pfa24", "districts", "exact"))
    check_nesting(con, Link("csp24", "pfa24", "districts", "exact"))


@pytest.mark.open_data
def test_sub_icbs_lie_in_icbs(con: Con, open_data: Path) -> None:
    path = open_data / "lookups" / "lookup_lsoa21_icb24_England.parquet"
    con.execute(
        "CREATE TABLE icbs AS SELECT lsoa21_code AS lsoa21cd, sicbl24_code AS sicbl24cd, "
        f"icb24_code AS icb24cd FROM '{path}'"
    )

    assert check_nesting(con, Link("lsoa21", "sicbl24", "icbs", "best_fit")).children == 33_755
    check_nesting(con, Link("sicbl24", "icb24", "icbs", "exact"))
