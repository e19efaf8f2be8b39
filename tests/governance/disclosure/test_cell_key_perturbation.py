"""Perturbed counts: the same cell is the same everywhere, and nothing but the count leaves."""

from __future__ import annotations

import itertools

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import ConfigurationError, DisclosureError
from governance.disclosure import CONFIDENTIAL
from governance.disclosure.cell_key.entropy import maximum_entropy_table
from governance.disclosure.cell_key.perturbation import HIDDEN, perturb, perturb_cells
from governance.disclosure.cell_key.ptable import PerturbationTable, ten_five_table

AREAS = [f"E0100000{i}" for i in range(6)]
DISTRICT_OF = {area: f"E0800000{i // 3}" for i, area in enumerate(AREAS)}
DOMAINS = {
    "lsoa21cd": AREAS,
    "lad24cd": ["E08000000", "E08000001"],
    "reason": ["rent", "family", "other"],
    "age": [1, 2, 3, 4],
}
TABLE = maximum_entropy_table(5, 3.0, 2)
WIDE = maximum_entropy_table(5, 3.0, 2, 4096)


def people(size: int, seed: int, keys: int = 256) -> pa.Table:
    """Synthetic people, of no real place."""
    rng = np.random.default_rng(seed)
    areas = rng.choice(AREAS, size, p=[0.4, 0.3, 0.2, 0.06, 0.04, 0])
    return pa.table(
        {
            "lsoa21cd": areas,
            "lad24cd": pa.array([DISTRICT_OF[a] for a in areas], type=pa.string()),
            "reason": rng.choice(DOMAINS["reason"], size, p=[0.7, 0.28, 0.02]),
            "age": pa.array(rng.integers(1, 5, size), type=pa.int32()),
            "rk": pa.array(rng.integers(0, keys, size), type=pa.uint16()),
        }
    )


def cells(table: pa.Table) -> dict[frozenset, int | None]:
    """Each cell's count by the set of its column values."""
    return {
        frozenset((k, v) for k, v in row.items() if k not in ("count", "status")): row["count"]
        for row in table.to_pylist()
    }


def by_hand(records: pa.Table, by: tuple[str, ...], table: PerturbationTable) -> dict:
    """The method written out record by record."""
    counts: dict[tuple, list[int]] = {}
    for row in records.to_pylist():
        counts.setdefault(tuple(row[name] for name in by), []).append(row["rk"])
    out = {}
    for values in itertools.product(*(DOMAINS[name] for name in by)):
        keys = counts.get(values, [])
        count = len(keys)
        row = count if count <= 750 else (count - 1) % 250 + 501
        out[frozenset(zip(by, values, strict=True))] = count + int(
            table.noise[row, sum(keys) % table.keys]
        )
    return out


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2500),
    st.integers(0, 2**32 - 1),
    st.sets(st.sampled_from([*DOMAINS])),
    st.sampled_from([TABLE, WIDE]),
)
def test_each_count_is_that_of_the_method_written_out(
    size: int, seed: int, by: set[str], table: PerturbationTable
) -> None:
    records = people(size, seed, table.keys)
    columns = tuple(sorted(by))

    assert cells(perturb(records, columns, "rk", table, domains=DOMAINS)) == by_hand(
        records, columns, table
    )


def test_the_same_cell_is_the_same_in_every_table_and_any_order() -> None:
    records = people(3000, 7)
    shuffled = records.take(np.random.default_rng(8).permutation(3000))
    first = cells(perturb(records, ["lsoa21cd", "reason", "age"], "rk", TABLE, domains=DOMAINS))

    for order in itertools.permutations(["lsoa21cd", "reason", "age"]):
        assert cells(perturb(shuffled, order, "rk", TABLE, domains=DOMAINS)) == first
    for year in (1, 2):
        # The inner cells of one year are the margin of a table of that year alone.
        of_year = records.filter(pa.compute.equal(records["age"], year))
        margin = cells(perturb(of_year, ["lsoa21cd", "reason"], "rk", TABLE, domains=DOMAINS))
        assert margin == {
            cell - {("age", year)}: count for cell, count in first.items() if ("age", year) in cell
        }


def test_a_margin_from_sums_is_the_margin_from_records() -> None:
    records = people(3000, 9)
    grouped = records.group_by("lsoa21cd").aggregate([("rk", "count"), ("rk", "sum")])
    total = perturb_cells(
        [sum(grouped["rk_count"].to_pylist())], [sum(grouped["rk_sum"].to_pylist())], TABLE
    )
    parts = perturb_cells(grouped["rk_count"].to_numpy(), grouped["rk_sum"].to_numpy(), TABLE)
    shown = cells(perturb(records, ["lsoa21cd"], "rk", TABLE, domains=DOMAINS))

    assert perturb(records, [], "rk", TABLE, domains={})["count"].to_pylist() == total.tolist()
    for area, count in zip(grouped["lsoa21cd"].to_pylist(), parts.tolist(), strict=True):
        assert shown[frozenset({("lsoa21cd", area)})] == count


def test_an_area_of_two_names_has_one_count() -> None:
    """A district with one populated area is that area, and says nothing new of it."""
    records = people(2000, 10).filter(pa.compute.equal(people(2000, 10)["lsoa21cd"], AREAS[4]))
    inner = cells(perturb(records, ["lsoa21cd"], "rk", TABLE, domains=DOMAINS))
    outer = cells(perturb(records, ["lad24cd"], "rk", TABLE, domains=DOMAINS))

    assert (
        inner[frozenset({("lsoa21cd", AREAS[4])})]
        == outer[frozenset({("lad24cd", DISTRICT_OF[AREAS[4]])})]
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 10, 749, 750, 751, 1000, 1001, 123_456_789])
@pytest.mark.parametrize("table", [TABLE, WIDE], ids=["256", "4096"])
def test_at_the_boundaries(count: int, table: PerturbationTable) -> None:
    sums = np.arange(min(count * (table.keys - 1) + 1, 3 * table.keys))
    published = perturb_cells(np.full(len(sums), count), sums, table)
    row = count if count <= 750 else (count - 1) % 250 + 501

    assert (published - count == table.noise[row, sums % table.keys]).all()
    assert (published >= 0).all()
    assert np.abs(published - count).max() <= 5
    if count == 0:
        assert published.tolist() == [0]


def test_nothing_but_the_count_leaves() -> None:
    """Record keys and cell keys are planted far above every count, and looked for in all bytes."""
    records = pa.table({"area": ["a", "b"] * 3, "rk": pa.array([4001, 4003] * 3, type=pa.int64())})
    result = perturb(records, ["area"], "rk", WIDE, domains={"area": ["a", "b", "c"]})

    assert result.column_names == ["area", "count", "status"]
    assert result.schema.metadata is None
    planted = {4001, 4003, 3 * 4001, 3 * 4003, 3 * 4001 % 4096, 3 * 4003 % 4096}
    assert not planted & set(result["count"].to_pylist())
    written = str(result.to_pylist())
    assert not any(str(number) in written for number in planted)


def test_a_published_nothing_does_not_say_that_somebody_is_there() -> None:
    records = pa.table({"area": ["a"], "rk": pa.array([7], type=pa.uint16())})
    result = perturb(records, ["area"], "rk", TABLE, domains={"area": ["a", "b"]}).to_pylist()

    assert result == [
        {"area": "a", "count": 0, "status": None},
        {"area": "b", "count": 0, "status": None},
    ]
    assert TABLE.noise[1, 7] == -1


def test_below_the_threshold_all_is_hidden_under_one_marker() -> None:
    records = pa.table(
        {"area": ["a"] * 9 + ["b"] * 13, "rk": pa.array(range(22), type=pa.uint16())}
    )
    result = perturb(
        records, ["area"], "rk", ten_five_table(), domains={"area": ["a", "b", "c"]}, threshold=10
    )

    assert result["count"].to_pylist() == [None, 15, None]
    assert result["status"].to_pylist() == [HIDDEN, None, HIDDEN]
    assert HIDDEN == CONFIDENTIAL


def test_names_of_columns_do_not_clash() -> None:
    """Columns named as the parts of the statement, in the opposite order."""
    records = pa.table(
        {
            "c1": ["x"] * 10 + ["y"] * 20,
            "c0": ["p"] * 20 + ["q"] * 10,
            "records": [1] * 30,
            "a name; --": ["n"] * 30,
            "key_sum": pa.array([0] * 30, type=pa.int8()),
        }
    )
    domains = {"c1": ["x", "y"], "c0": ["p", "q"], "records": [1], "a name; --": ["n"]}
    result = perturb(
        records, ["c1", "c0", "records", "a name; --"], "key_sum", ten_five_table(), domains=domains
    )

    assert [(r["c1"], r["c0"], r["count"]) for r in result.to_pylist()] == [
        ("x", "p", 10),
        ("x", "q", 0),
        ("y", "p", 10),
        ("y", "q", 10),
    ]


def test_records_may_stay_in_duckdb_and_categories_be_coded() -> None:
    records = people(500, 11)
    coded = records.set_column(2, "reason", records["reason"].dictionary_encode())
    expected = perturb(records, ["age", "reason"], "rk", TABLE, domains=DOMAINS)
    con = duckdb.connect()
    try:
        relation = con.from_arrow(records)
        assert perturb(relation, ["age", "reason"], "rk", TABLE, domains=DOMAINS) == expected
    finally:
        con.close()
    assert perturb(coded, ["age", "reason"], "rk", TABLE, domains=DOMAINS) == expected


def test_no_records_at_all_are_zeros() -> None:
    result = perturb(people(0, 1), ["lsoa21cd"], "rk", TABLE, domains=DOMAINS)

    assert result["count"].to_pylist() == [0] * 6
    assert perturb(people(0, 1), [], "rk", TABLE, domains={})["count"].to_pylist() == [0]
    assert perturb_cells([], [], TABLE).tolist() == []


def refused(
    records: pa.Table, by: list[str], kind: type[Exception], words: str, **more: dict
) -> None:
    domains = {"area": ["a", "b"], "rk": [1], "count": ["a"], **more}
    with pytest.raises(kind, match=words) as raised:
        perturb(records, by, "rk", TABLE, domains=domains)
    assert "PLANTED" not in str(raised.value)
    assert "7654321" not in str(raised.value)


def keyed(*areas: str | None, keys: list | None = None) -> pa.Table:
    return pa.table(
        {
            "area": pa.array(areas, type=pa.string()),
            "count": pa.array(areas, type=pa.string()),
            "rk": keys or [1] * len(areas),
        }
    )


def test_records_that_cannot_be_counted_are_refused_without_a_value() -> None:
    refused(keyed("a", "PLANTED"), ["area"], DisclosureError, "1 records have no value")
    refused(keyed("a", None), ["area"], DisclosureError, "1 records have no value")
    refused(keyed("a", "b", keys=[1, None]), ["area"], DisclosureError, "1 records have no record")
    refused(keyed("a", "b", keys=[1, 7654321]), ["area"], DisclosureError, "1 records have no")
    refused(keyed("a", "b", keys=[-1, 256]), ["area"], DisclosureError, "2 records have no")
    refused(keyed("a", keys=["PLANTED"]), ["area"], ConfigurationError, "whole numbers")
    refused(keyed("a", keys=[1.0]), ["area"], ConfigurationError, "whole numbers")


def test_tables_that_cannot_be_made_are_refused() -> None:
    refused(keyed("a"), ["nowhere"], ConfigurationError, "no column")
    refused(keyed("a"), ["rk"], ConfigurationError, "secret")
    refused(keyed("a"), ["area", "RK"], ConfigurationError, "no column")
    refused(keyed("a"), ["area", "area"], ConfigurationError, "named twice")
    refused(keyed("a"), ["count"], ConfigurationError, "is called count")
    refused(keyed("a"), ["area"], ConfigurationError, "hold one twice", area=["a", "a"])
    refused(keyed("a"), ["area"], ConfigurationError, "missing one", area=["a", None])
    refused(keyed("a"), ["area"], ConfigurationError, "column's type", area=["PLANTED", 7654321])
    with pytest.raises(ConfigurationError, match="No values are declared"):
        perturb(keyed("a"), ["area"], "rk", TABLE, domains={})


@pytest.mark.parametrize(
    ("counts", "sums", "words"),
    [
        ([1, 2], [1], "not as many"),
        ([-1], [0], "1 cells"),
        ([0, 3], [1, 3], "1 cells"),
        ([2], [511], "1 cells"),
        ([2], [-5], "1 cells"),
        ([2.0], [5], "whole numbers"),
        ([2], [np.nan], "whole numbers"),
    ],
)
def test_cells_that_cannot_be_are_refused(counts: list, sums: list, words: str) -> None:
    with pytest.raises(DisclosureError, match=words):
        perturb_cells(counts, sums, TABLE)
    assert perturb_cells([2], [510], TABLE).shape == (1,)
