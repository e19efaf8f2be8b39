"""The leak detector as a table an officer can read: a column's values, and what they look like."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from governance.leaks import KINDS, MOST_VALUES, WORDS, find_leaks, published_leaks

TODAY = dt.date(2026, 11, 1)
CODES = [f"E0199{n:04d}" for n in range(40)]
NHS = ["943 476 5919", "9434765919", "9990000018", "999-000-0026"]
"""The published test vector, and two of the numbers reserved for tests, by the same arithmetic."""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def kinds_in(connection: duckdb.DuckDBPyConnection, values: list[object]) -> str:
    connection.register("looked_at", pa.table({"some_column": values}))
    found = find_leaks(connection, "looked_at", "a table", today=TODAY)
    connection.unregister("looked_at")
    return ", ".join(leak.kind for leak in found)


#    what the column is, its values, the kind found ('' for none)
COLUMNS: list[tuple[str, list[object], str]] = [
    ("LSOA codes", list(CODES), ""),
    ("no values", [None, None], ""),
    ("NHS numbers", list(NHS), "nhs_number"),
    ("NHS numbers as numbers", [9434765919, 9990000018, 9990000026, 9990000034], "nhs_number"),
    ("NHS numbers with a few blanks", [*NHS, None, None], "nhs_number"),
    ("NHS numbers in sentences", [f"seen today, no. {n}; told" for n in NHS], "nhs_number"),
    ("two NHS numbers among many codes", [*CODES, *NHS[:2]], ""),
    ("NHS numbers with dots", ["943.476.5919", "999.000.0018", "999.000.0026"], "nhs_number"),
    ("ten digits that fail the check", ["9434765918", "9434765917", "9434765916"], "uprn"),
    ("NI numbers", ["QQ123456C".replace("QQ", "AB")], "nino"),
    ("NI numbers, lower case, spaced", ["ab 12 34 56 c", *CODES], "nino"),
    ("prefix never issued", ["BG123456C", *CODES], ""),
    ("NI numbers in notes", ["told (AB123456C); gone", *CODES], "nino"),
    ("NI numbers without suffix", ["AB123456", *CODES], "nino"),
    ("NI numbers without suffix, spaced", [" ce 12 34 56 ", *CODES], "nino"),
    ("NI numbers without suffix or prefix", ["123456", "BG123456", "QQ123456"], ""),
    ("references with the form in them", ["AB123456-7", "HB-AB123456", "AB123456/01"], ""),
    ("UUIDs", ["ab123456-0000-4000-8000-0000ab123456"] * 5, ""),
    ("hashes", ["ab1234560000000000000000" * 2, "0" * 24 + "ab123456"], ""),
    ("other registers", ["EY123456", "SC123456", "OC301540", "LP003456"], ""),
    ("years and months with letters", ["YE202603", "AY202526", "ME199912"], ""),
    ("area codes", ["E01000001", "W06000015", "E54000055", "S12000033", "K02000001"], ""),
    ("grid squares", ["SP0786", "SP 078 866", "1kmE407N287"], ""),
    ("UPRNs", ["100070000001", "100070000002", "10007000003"], "uprn"),
    ("UPRNs as numbers", [100070000001, 100070000002, 10007000003], "uprn"),
    ("UPRNs as a spreadsheet writes them", [100070000001.0, 100070000002.0, 10007000003.0], "uprn"),
    ("counts of people", [0, 5, 10, 1405, 68_000_000], ""),
    ("rates", [0.5, 12.25, 99.0, 1e8 + 0.5], ""),
    ("a date with digits behind, that passes the check", ["2026-10-0004"] * 5, ""),
    ("full postcodes", ["B15 2TT", *CODES], "postcode"),
    ("full postcodes without a blank", ["b152tt", "B295QE"], "postcode"),
    ("full postcodes with a hyphen", ["B15-2TT", *CODES], "postcode"),
    ("postcodes in a note", ["moved to B15 2TT in May", *CODES], "postcode"),
    ("postcode districts", ["B15", "B29", "CV1"], ""),
    ("no fixed abode", ["ZZ99 3VZ"], ""),
    ("e-mail", ["someone@example.org", *CODES], "email"),
    ("mentions", ["@someone", "at home", "a@b"], ""),
    ("phones", ["0121 496 0000", "+44 7700 900123", "07700 900 456"], "phone"),
    ("phones in notes", [f"ring 0121 496 00{n}0 after six" for n in range(5)], "phone"),
    ("dates of birth", ["1981-04-03", "03/04/1957", "3 April 1960"], "birth_date"),
    ("dates of birth, typed", [dt.date(1981, 4, 3)] * 3, "birth_date"),
    ("dates of birth with time", [dt.datetime(1981, 4, 3)] * 3, "birth_date"),
    ("dates of birth in notes", [f"born 0{n}/04/1951 in Leeds" for n in range(1, 6)], "birth_date"),
    ("dates of this year in notes", [f"seen 0{n}/04/2026 at home" for n in range(1, 6)], ""),
    ("dates of this year", ["2026-04-03", "2026-05-06", "2025-11-30"], ""),
    ("dates of this year, typed", [dt.date(2026, 4, 3)] * 5, ""),
    ("months", ["2026-04", "2026-05"], ""),
    ("pseudonyms", ["9f86d081884c7d659a2feaa0c55ad015", "60303ae22b998861bce3b28f33eec1be"], ""),
    ("practice codes", ["M85001", "Y02615"], ""),
    ("yes and no", [True, False], ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "kind"), [row[1:] for row in COLUMNS], ids=[r[0] for r in COLUMNS]
)
def test_what_a_column_looks_like(
    connection: duckdb.DuckDBPyConnection, values: list[object], kind: str
) -> None:
    assert kinds_in(connection, values) == kind


def test_every_kind_is_found_by_some_row_and_has_words() -> None:
    assert {kind for *_, kind in COLUMNS} - {""} == set(KINDS) == set(WORDS)


@pytest.mark.parametrize(("identifiers", "found"), [(14, ""), (15, ""), (16, "nhs_number")])
def test_the_declared_share_is_the_border(
    connection: duckdb.DuckDBPyConnection, identifiers: int, found: str
) -> None:
    values = [*["9434765919"] * identifiers, *["E01990001"] * (100 - identifiers)]

    assert kinds_in(connection, list(values)) == found


def test_ten_digits_of_chance_are_not_taken_for_nhs_numbers(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    number = "CAST(3000000000 + (i * 7919) % 999999937 AS VARCHAR)"
    digits = f"(SELECT {number} AS n FROM range(5000) r(i))"

    assert [leak.kind for leak in find_leaks(connection, digits, "t", today=TODAY)] == ["uprn"]


def test_more_values_than_are_looked_at_one_by_one(connection: duckdb.DuckDBPyConnection) -> None:
    many = f"(SELECT 'person' || i || '@example.org' AS address FROM range({3 * MOST_VALUES}) r(i))"

    (leak,) = find_leaks(connection, many, "t", today=TODAY)

    assert leak.kind == "email"
    assert leak.share == pytest.approx(1.0)


def test_an_exempt_column_is_not_looked_at(connection: duckdb.DuckDBPyConnection) -> None:
    connection.register("t", pa.table({"postcode": ["B15 2TT"], "other": ["B15 2TT"]}))

    found = find_leaks(connection, "t", "t", exempt={"postcode"}, today=TODAY)

    assert [leak.column for leak in found] == ["other"]


def test_in_a_column_that_is_counted_one_is_too_many(connection: duckdb.DuckDBPyConnection) -> None:
    connection.register("t", pa.table({"kind": [*CODES, NHS[0]], "other": [*CODES, NHS[0]]}))

    found = find_leaks(connection, "t", "t", strict={"kind"}, today=TODAY)

    assert [leak.column for leak in found] == ["kind"]


def test_the_finding_names_column_and_kind_and_no_value(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.register("t", pa.table({"note": ["planted.person@example.org"]}))

    (leak,) = find_leaks(connection, "t", "cases", today=TODAY)

    assert leak.in_words() == "note of cases holds what looks like e-mail addresses"
    assert "planted" not in repr(leak)


def test_hashes_of_the_platforms_own_are_not_taken_for_identifiers(tmp_path) -> None:
    made = {"release_id": ["2026-10-9434765919"], "sha256": ["9434765919"], "other": ["E01"]}
    pq.write_table(pa.table({k: v * 9 for k, v in made.items()}), tmp_path / "t.parquet")

    assert published_leaks(tmp_path, today=TODAY) == []


def test_files_of_a_release_are_looked_at(tmp_path) -> None:
    (tmp_path / "tables").mkdir()
    pq.write_table(pa.table({"lsoa21cd": CODES}), tmp_path / "tables" / "good.parquet")
    assert published_leaks(tmp_path, today=TODAY) == []

    # One among thousands: of some kinds a release may hold none at all.
    many = [*CODES * 100, "AB123456C"]
    pq.write_table(pa.table({"who": many}), tmp_path / "tables" / "bad.parquet")

    assert [(leak.table, leak.column, leak.kind) for leak in published_leaks(tmp_path)] == [
        ("bad", "who", "nino")
    ]
