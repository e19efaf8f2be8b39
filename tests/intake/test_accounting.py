"""Everything received is accounted for, whatever was received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import duckdb
import numpy as np
import pytest
from geopandas import GeoDataFrame
from shapely.geometry import box

from declarations.errors import GeographyError
from geography.placement import PlacementKeys, PlacementReport, Reference, place
from geography.points import PointLocator
from intake.accounting import ACCOUNTED, account, check_closes, differences, totals

A, B, C, OUTSIDE = "E01990001", "E01990002", "E01990003", "E01990009"
SPLIT, HALF, COMPLEX = "E01980001", "E01980002", "E01980003"
"""Areas of 2011: split within the region, split over its edge, complex and without weights."""
CODES = (A, B, C, OUTSIDE, SPLIT, HALF, COMPLEX, "E01777777", "W01000001", "nonsense", "", None)
POSTCODES = ("QA1 1AA", "QA1 1AB", "QZ1 1AA", "QX9 9ZZ", "ZZ99 3VZ", "not one", "", None)
PRACTICES = ("Q99001", "Q99002", "Q99003", "Q00000", None)

Row = tuple[object, ...]
Line = tuple[str, str, str, int]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a small region with every kind of lookup."""
    with duckdb.connect() as connection:
        connection.execute(f"""
CREATE TABLE areas AS SELECT * FROM (VALUES
    ('{A}', 'E08990001'), ('{B}', 'E08990001'), ('{C}', 'E08990002')) t(lsoa21cd, lad24cd);
CREATE TABLE known AS SELECT lsoa21cd FROM areas UNION ALL SELECT '{OUTSIDE}';
CREATE TABLE changes AS SELECT lsoa11cd, lsoa21cd, chgind, CAST(weight AS BIGINT) AS weight
FROM (VALUES
    ('{A}', '{A}', 'U', 1), ('{SPLIT}', '{B}', 'S', 100), ('{SPLIT}', '{C}', 'S', 250),
    ('{HALF}', 'E01990004', 'S', 70), ('{HALF}', 'E01990005', 'S', 30),
    ('{COMPLEX}', 'E01990006', 'X', NULL), ('E01980004', 'E01990006', 'X', NULL)
) t(lsoa11cd, lsoa21cd, chgind, weight);
INSERT INTO areas VALUES ('E01990004', 'E08990002'), ('E01990006', 'E08990002');
CREATE TABLE postcodes AS SELECT * FROM (VALUES
    ('QA1 1AA', NULL, '{A}'), ('QA1 1AB', '202001', '{B}'), ('QZ1 1AA', NULL, '{OUTSIDE}')
) t(pcds, doterm, lsoa21cd);
CREATE TABLE practices AS SELECT practice_code, lsoa21cd, CAST(patients AS BIGINT) AS patients
FROM (VALUES ('Q99001', '{A}', 3), ('Q99001', '{B}', 4), ('Q99001', '{OUTSIDE}', 5),
    ('Q99002', '{OUTSIDE}', 5), ('Q99003', '{A}', 0)) t(practice_code, lsoa21cd, patients);
""")
        yield connection


def reference() -> Reference:
    squares = GeoDataFrame(
        {"lsoa21cd": [A, B, C]},
        geometry=[box(400_000 + 1000 * i, 300_000, 401_000 + 1000 * i, 301_000) for i in range(3)],
        crs=27700,
    )
    return Reference(
        areas="areas", changes="changes", known_lsoa21="known", postcodes="postcodes",
        practice_weights="practices", locator=PointLocator(squares),
    )  # fmt: skip


def placed(
    con: duckdb.DuckDBPyConnection,
    keys: PlacementKeys,
    rows: list[tuple[object, ...]],
    columns: str,
) -> PlacementReport:
    con.execute(f"CREATE OR REPLACE TABLE records (record_id BIGINT, {columns})")
    con.executemany(
        f"INSERT INTO records VALUES ({', '.join('?' * (len(rows[0]) + 1))})",
        [(number, *row) for number, row in enumerate(rows)],
    )
    return place(con, "records", keys, reference(), "placed")


def by_outcome(lines: list[Line]) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for quantity, outcome, _, amount in lines:
        found[quantity, outcome] += amount
    return dict(found)


def test_a_count_is_placed_apportioned_out_of_region_or_not_placed(
    con: duckdb.DuckDBPyConnection,
) -> None:
    keys = PlacementKeys(by=("lsoa",), lsoa="code", values=("n",))
    rows = [(A, 10), (SPLIT, 700), (HALF, 100), (OUTSIDE, 6), (COMPLEX, 3), ("nonsense", 2)]
    report = placed(con, keys, rows, "code VARCHAR, n BIGINT")

    lines = account(con, "placed", report, {"row_broken": 4, "row_formula": 0})

    assert by_outcome(lines) == {
        ("rows", "received"): 10, ("rows", "placed"): 1, ("rows", "apportioned"): 2,
        ("rows", "out of region"): 1, ("rows", "not placed"): 6,
        ("n", "received"): 821, ("n", "placed"): 10, ("n", "apportioned"): 770,
        ("n", "out of region"): 36, ("n", "not placed"): 5,
    }  # fmt: skip
    assert ("rows", "not placed", "row_broken", 4) in lines
    assert ("n", "apportioned", "lsoa11_code", 770) in lines
    assert ("n", "out of region", "out_of_region", 36) in lines
    assert ("n", "not placed", "lsoa11_complex", 3) in lines
    check_closes(lines, "s", "2026-03")


def test_a_practice_is_apportioned_and_its_patients_elsewhere_are_out_of_region(
    con: duckdb.DuckDBPyConnection,
) -> None:
    keys = PlacementKeys(by=("practice",), practice="practice", values=("n",))
    rows = [("Q99001", 120), ("Q99002", 7), ("Q00000", 1)]
    report = placed(con, keys, rows, "practice VARCHAR, n BIGINT")

    lines = account(con, "placed", report, {})

    assert by_outcome(lines) == {
        ("rows", "received"): 3, ("rows", "apportioned"): 1, ("rows", "out of region"): 1,
        ("rows", "not placed"): 1,
        ("n", "received"): 128, ("n", "apportioned"): 70, ("n", "out of region"): 57,
        ("n", "not placed"): 1,
    }  # fmt: skip


def test_a_record_is_never_apportioned(con: duckdb.DuckDBPyConnection) -> None:
    keys = PlacementKeys(by=("lsoa",), lsoa="code")
    report = placed(con, keys, [(A,), (SPLIT,), (OUTSIDE,)], "code VARCHAR")

    found = {line for line in account(con, "placed", report, {}) if line[1] != "placed"}
    assert found == {
        ("rows", "received", "all", 3), ("rows", "not placed", "lsoa11_split", 1),
        ("rows", "out of region", "out_of_region", 1),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("values", [(), ("n", "m")])
def test_sums_close_for_whatever_was_received(
    con: duckdb.DuckDBPyConnection, seed: int, values: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 200))

    def some(choice: tuple[str | None, ...]) -> list[str | None]:
        return [choice[i] for i in rng.integers(0, len(choice), size)]

    def numbers(low: int, high: int, missing: float) -> list[int | None]:
        drawn = rng.integers(low, high, size)
        return [None if rng.random() < missing else int(n) for n in drawn]

    rows = list(
        zip(
            some(CODES), some(POSTCODES), some(PRACTICES), numbers(399_000, 404_000, 0.2),
            numbers(299_500, 301_500, 0.1), numbers(0, 1_000, 0.1), numbers(0, 4, 0.0), strict=True,
        )
    )  # fmt: skip
    by = ["lsoa", "postcode", "point", *(["practice"] if values else [])]
    rng.shuffle(by)
    keys = PlacementKeys(
        by=tuple(by[: int(rng.integers(1, len(by) + 1))]), lsoa="code", postcode="postcode",
        practice="practice", x="x", y="y", values=values,
    )  # fmt: skip
    columns = (
        "code VARCHAR, postcode VARCHAR, practice VARCHAR, x DOUBLE, y DOUBLE, n BIGINT, m BIGINT"
    )
    report = placed(con, keys, rows, columns)

    excluded = {"row_duplicate": int(rng.integers(0, 5))}

    lines = account(con, "placed", report, excluded)

    check_closes(lines, "s", "2026-03")
    found = by_outcome(lines)
    for position, name in ((5, "n"), (6, "m")):
        if name in values:
            received = sum(row[position] or 0 for row in rows)
            assert found[name, "received"] == received
            assert sum(found.get((name, outcome), 0) for outcome in ACCOUNTED) == received
    assert all(amount >= 0 for *_, amount in lines)
    assert len({line[:3] for line in lines}) == len(lines)
    # The order in which the rows came makes no difference.
    shuffled = placed(con, keys, [rows[i] for i in rng.permutation(size)], columns)
    assert sorted(account(con, "placed", shuffled, excluded)) == sorted(lines)


@pytest.mark.parametrize(
    ("changed", "difference"),
    [(("n", "placed", "lsoa_code", 6), "1"), (("n", "placed", "lsoa_code", 9), "-2")],
)
def test_an_account_that_does_not_close_is_an_error_that_says_by_how_much(
    changed: Line, difference: str
) -> None:
    good: list[Line] = [
        ("rows", "received", "all", 3), ("rows", "placed", "lsoa_code", 3),
        ("n", "received", "all", 1007), ("n", "apportioned", "lsoa11_code", 1000),
    ]  # fmt: skip
    check_closes([*good, ("n", "placed", "lsoa_code", 7)], "visits", "2026-03")

    with pytest.raises(GeographyError, match=f"a difference of {difference}[.]") as caught:
        check_closes([*good, changed], "visits", "2026-03")

    assert "The accounting of visits for 2026-03 does not close: of n 1,007" in str(caught.value)


def test_what_was_never_received_is_a_difference_too() -> None:
    with pytest.raises(GeographyError, match="of n 0 were received and 4"):
        check_closes([("n", "placed", "uprn", 4)], "s", "2026-03")


def test_rows_of_the_table_are_summed_by_source_and_held_together() -> None:
    def row(source: str, quantity: str, outcome: str, amount: int) -> dict[str, object]:
        return {
            "source_id": source, "period": "2026-03", "quantity": quantity, "outcome": outcome,
            "amount": amount,
        }  # fmt: skip

    rows = [
        row("a", "rows", "received", 5), row("a", "rows", "placed", 3),
        row("a", "rows", "not placed", 2), row("b", "rows", "received", 4),
        row("b", "n", "received", 9), row("b", "n", "out of region", 9),
    ]  # fmt: skip

    assert differences(rows) == {
        ("a", "2026-03", "rows"): 0, ("b", "2026-03", "rows"): 4, ("b", "2026-03", "n"): 0,
    }  # fmt: skip
    assert totals(rows) == {
        "a": {"received": 5, "placed": 3, "not placed": 2}, "b": {"received": 4},
    }  # fmt: skip
