from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pytest
from intake_samples import make_contract

from declarations.contracts import Contract
from declarations.errors import ConfigurationError
from intake.typed import TypeReport, type_table

Connection = duckdb.DuckDBPyConnection


def typed(
    con: Connection,
    columns: list[dict[str, Any]],
    rows: list[tuple[str | None, ...]],
    keep: set[str] | None = None,
    rows_broken: int = 0,
    **contract: Any,
) -> tuple[TypeReport, list[dict[str, Any]]]:
    """Type a small table whose columns are all in the file."""
    declared = Contract.model_validate(
        {
            "id": "test_contract", "title": "t", "specification": "invented", "kind": "reference",
            "role": "areas", "columns": columns, **contract,
        }
    )  # fmt: skip
    names = [c["name"] for c in columns]
    con.execute(
        f"CREATE OR REPLACE TABLE raw (record_id BIGINT, {' VARCHAR, '.join(names)} VARCHAR)"
    )
    for number, row in enumerate(rows, start=1):
        con.execute(f"INSERT INTO raw VALUES ({', '.join('?' * (len(row) + 1))})", [number, *row])
    con.execute("DROP TABLE IF EXISTS typed")
    keep = set(names) if keep is None else keep
    report = type_table(con, "raw", declared, keep, "typed", rows_broken=rows_broken)
    assert report.rows_in == (
        report.rows_out + report.rows_formula + report.rows_duplicate + report.rows_excluded
    )
    result = con.execute("SELECT * FROM typed ORDER BY record_id")
    heads = [d[0] for d in result.description]
    found = [dict(zip(heads, row, strict=True)) for row in result.fetchall()]
    assert len(found) == report.rows_out
    return report, found


UNREADABLE = object()
READINGS: list[tuple[dict[str, Any], str | None, object]] = [
    ({"type": "integer"}, "12", 12),
    ({"type": "integer"}, "-3", -3),
    ({"type": "integer"}, "1,234", 1234),
    ({"type": "integer"}, "1,234,567", 1234567),
    ({"type": "integer"}, "12.0", 12),
    ({"type": "integer"}, "12.00", 12),
    ({"type": "integer"}, "007", 7),
    ({"type": "integer"}, "\t5", 5),
    ({"type": "integer"}, None, None),
    ({"type": "integer"}, "1.7", UNREADABLE),
    ({"type": "integer"}, "12,34", UNREADABLE),
    ({"type": "integer"}, "1e3", UNREADABLE),
    ({"type": "integer"}, "twelve", UNREADABLE),
    ({"type": "integer"}, "99999999999999999999", UNREADABLE),
    ({"type": "number"}, "1.5", 1.5),
    ({"type": "number"}, "1,234.50", 1234.5),
    ({"type": "number"}, "£1,234.50", 1234.5),
    ({"type": "number"}, "-.5", -0.5),
    ({"type": "number"}, "1e3", 1000.0),
    ({"type": "number"}, "1e999", UNREADABLE),
    ({"type": "number"}, "nan", UNREADABLE),
    ({"type": "number"}, "inf", UNREADABLE),
    ({"type": "number"}, "1.2.3", UNREADABLE),
    ({"type": "number"}, "5 mg", UNREADABLE),
    ({"type": "date"}, "2026-01-31", dt.date(2026, 1, 31)),
    ({"type": "date"}, "2026-01-31 00:00:00", dt.date(2026, 1, 31)),
    ({"type": "date"}, "2026-02-30", UNREADABLE),
    ({"type": "date"}, "31/01/2026", UNREADABLE),
    ({"type": "date"}, "2026-01-31 10:30:00", UNREADABLE),
    ({"type": "date"}, "0024-01-31", UNREADABLE),
    ({"type": "date", "date_format": "%d/%m/%Y"}, "01/02/2026", dt.date(2026, 2, 1)),
    ({"type": "date", "date_format": "%d/%m/%Y"}, "1/2/2026", dt.date(2026, 2, 1)),
    ({"type": "date", "date_format": "%d/%m/%Y"}, "2026-02-01", dt.date(2026, 2, 1)),
    ({"type": "date", "date_format": "%d/%m/%Y"}, "1/2/26", UNREADABLE),
    ({"type": "date", "date_format": "%d/%m/%Y"}, "12/31/2026", UNREADABLE),
    ({"type": "date", "date_format": "%d/%m/%Y"}, "29/02/2026", UNREADABLE),
    ({"type": "month"}, "2026-01", "2026-01"),
    ({"type": "month"}, "2026-01-15", "2026-01"),
    ({"type": "month"}, "30SEP2020", "2020-09"),
    ({"type": "month"}, "04jan2021", "2021-01"),
    ({"type": "month"}, "2026-13", UNREADABLE),
    ({"type": "month"}, "Sep 2020", UNREADABLE),
    ({"type": "month", "date_format": "%Y%m"}, "202601", "2026-01"),
    ({"type": "boolean"}, "Yes", True),
    ({"type": "boolean"}, "0", False),
    ({"type": "boolean"}, "perhaps", UNREADABLE),
    ({"type": "boolean", "true_values": ["Ja"], "false_values": ["Nein"]}, "JA", True),
    ({"type": "boolean", "true_values": ["Ja"], "false_values": ["Nein"]}, "yes", UNREADABLE),
]  # fmt: skip


@pytest.mark.parametrize(("column", "text", "value"), READINGS)
def test_a_text_is_read_as_its_type_or_marked_unreadable(
    con: Connection, column: dict[str, Any], text: str | None, value: object
) -> None:
    # Four blank rows around it: one unreadable row in five is above what is allowed, so it stays.
    _, rows = typed(con, [{"name": "cell", **column}], [(text,), *[(None,)] * 4])
    expected = None if value is UNREADABLE else value
    assert rows[0] == {"record_id": 1, "cell": expected, "cell__readable": value is not UNREADABLE}
    assert all(row["cell__readable"] and row["cell"] is None for row in rows[1:])


def test_columns_have_the_types_that_the_contract_gives_them(con: Connection) -> None:
    kinds = ["text", "integer", "number", "date", "month", "boolean"]
    columns = [{"name": f"{kind}_cell", "type": kind} for kind in kinds]
    typed(con, columns, [("000012", "1", "1", "2026-01-01", "2026-01", "yes")])
    described = {row[0]: row[1] for row in con.execute("DESCRIBE typed").fetchall()}
    assert described == {
        "record_id": "BIGINT",
        "text_cell": "VARCHAR",
        "integer_cell": "BIGINT", "integer_cell__readable": "BOOLEAN",
        "number_cell": "DOUBLE", "number_cell__readable": "BOOLEAN",
        "date_cell": "DATE", "date_cell__readable": "BOOLEAN",
        "month_cell": "VARCHAR", "month_cell__readable": "BOOLEAN",
        "boolean_cell": "BOOLEAN", "boolean_cell__readable": "BOOLEAN",
    }  # fmt: skip
    assert con.execute("SELECT text_cell FROM typed").fetchone() == ("000012",)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("Prevention", "Prevention"),
        ("PREVENTION", "Prevention"),
        ("relief", "Relief"),
        ("other", "other"),
        ("OTHER", "OTHER"),
        ("it's", "It's"),
        ("a", "a"),
        (None, None),
    ],
)
def test_a_code_in_another_case_takes_the_declared_spelling(
    con: Connection, text: str | None, spelling: str | None
) -> None:
    columns = [{"name": "duty", "codes": ["Prevention", "Relief", "It's", "A", "a"]}]
    assert typed(con, columns, [(text,)])[1][0]["duty"] == spelling


def test_each_of_several_codes_in_a_cell_is_spelt(con: Connection) -> None:
    columns = [{"name": "needs", "code_list": "support", "separator": ";"}]
    lists = {"support": ["Old age", "Young parent"]}
    _, rows = typed(con, columns, [("OLD AGE; young parent ;Other",)], code_lists=lists)
    assert rows[0]["needs"] == "Old age;Young parent;Other"


KEYED = [{"name": "ref"}, {"name": "month", "type": "month"}, {"name": "note"}]


def test_only_rows_equal_in_every_column_are_duplicates(con: Connection) -> None:
    rows = [
        ("r1", "2026-01", "a"),
        ("r1", "2026-01", "a"),
        ("r1", "2026-01", "b"),
        ("r2", None, None),
        ("r2", None, None),
        ("r1", "2026-01", "a"),
    ]
    report, kept = typed(con, KEYED, rows, key=["ref", "month"])
    assert (report.rows_duplicate, [r["record_id"] for r in kept]) == (3, [1, 3, 4])


def test_a_difference_in_a_column_that_is_dropped_still_tells_rows_apart(con: Connection) -> None:
    rows = [("r1", "2026-01", "a"), ("r1", "2026-01", "b")]
    report, kept = typed(con, KEYED, rows, keep={"ref", "month"}, key=["ref"])
    assert (report.rows_duplicate, len(kept)) == (0, 2)


def test_rows_that_no_key_names_are_never_duplicates(con: Connection) -> None:
    rows = [(None, "2026-01", "a")] * 3
    assert typed(con, KEYED, rows, key=["ref"])[0].rows_duplicate == 0
    assert typed(con, KEYED, [("r", "2026-01", "a")] * 3)[0].rows_duplicate == 0


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("=cmd|' /C calc'!A1", True),
        ("=1+1", True),
        ("+SUM(A1)", True),
        ("-2+3+cmd", True),
        ("@SUM(A1)", True),
        ("\tx", True),
        ("\rx", True),
        ("=\nx", True),
        ("-5", False),
        ("+44 1632 960001", False),
        ("-1,234.5", False),
        ("-", False),
        ("a=b", False),
        ("- none known", False),
        (None, False),
    ],
)
def test_a_row_with_a_formula_is_excluded(con: Connection, text: str | None, formula: bool) -> None:
    columns = [{"name": "note", "codes": ["- None known"] if text == "- none known" else None}]
    report, rows = typed(con, columns, [(text,), ("plain",)])
    assert report.rows_formula == int(formula)
    assert len(rows) == 2 - formula


def test_a_formula_in_a_column_that_is_not_kept_is_not_stored_anyway(con: Connection) -> None:
    columns = [{"name": "ref"}, {"name": "note"}]
    report, rows = typed(con, columns, [("r1", "=1+1")], keep={"ref"})
    assert (report.rows_formula, rows) == (0, [{"record_id": 1, "ref": "r1"}])


@pytest.mark.parametrize(
    ("unreadable", "ragged", "too_broken"),
    [(0, 0, False), (2, 0, False), (3, 0, True), (1, 1, False), (1, 3, True), (0, 3, True)],
)
def test_the_share_of_broken_rows_decides(
    con: Connection, unreadable: int, ragged: int, too_broken: bool
) -> None:
    # Of 100 rows in the file two may be broken, and a third is too many.
    columns = [{"name": "month", "type": "month"}, {"name": "sessions", "type": "integer"}]
    good = 100 - unreadable - ragged
    rows = [("2026-01", "1")] * good + [("soon", "many")] * unreadable
    report, kept = typed(
        con, columns, rows, rows_broken=ragged, format={"broken_rows_allowed": 0.02}
    )
    assert (report.too_broken, report.rows_unreadable) == (too_broken, unreadable)
    assert report.broken_share == pytest.approx((unreadable + ragged) / 100)
    assert report.unreadable == (
        {"month": unreadable, "sessions": unreadable} if unreadable else {}
    )
    assert len(kept) == (good + unreadable if too_broken else good)
    assert report.rows_excluded == (0 if too_broken else unreadable)


def test_columns_that_are_not_kept_are_not_stored_and_absent_ones_are_null(con: Connection) -> None:
    con.execute("CREATE TABLE raw AS SELECT 1::BIGINT AS record_id, 'QA1 1AA' AS postcode, "
                "'2026-01' AS month, '3' AS sessions")  # fmt: skip
    type_table(con, "raw", make_contract(), {"month", "sessions", "member"}, "typed")
    result = con.execute("SELECT * FROM typed")
    assert [d[0] for d in result.description] == [
        "record_id", "month", "month__readable", "sessions", "sessions__readable", "member",
    ]  # fmt: skip
    assert result.fetchall() == [(1, "2026-01", True, 3, True, None)]
    tables = con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    assert tables == [("raw",), ("typed",)]


def test_a_column_nobody_declared_cannot_be_kept(con: Connection) -> None:
    con.execute("CREATE TABLE raw AS SELECT 1::BIGINT AS record_id, 'x' AS postcode")
    with pytest.raises(ConfigurationError, match="no column surname"):
        type_table(con, "raw", make_contract(), {"surname"}, "typed")


def test_a_date_format_we_cannot_hold_strictly_is_refused(con: Connection) -> None:
    with pytest.raises(ConfigurationError, match="%j"):
        typed(con, [{"name": "day", "type": "date", "date_format": "%Y%j"}], [("2026001",)])


@pytest.mark.parametrize(
    ("cell", "readable"),
    [("0", True), ("12", True), ("1000000000000", True), ("1000000000001", False), ("-1", False),
     ("9223372036854775807", False)],
)  # fmt: skip
def test_a_count_below_zero_or_absurdly_large_is_not_summed(
    con: duckdb.DuckDBPyConnection, cell: str, readable: bool
) -> None:
    contract = make_contract()
    column = next(c for c in contract.columns if c.additive)
    con.execute(f'CREATE TABLE raw AS SELECT 1::BIGINT AS record_id, ? AS "{column.name}"', [cell])
    for other in contract.columns:
        if other.name != column.name:
            value = "2026-01" if other.type == "month" else "1"
            con.execute(f"ALTER TABLE raw ADD COLUMN \"{other.name}\" VARCHAR DEFAULT '{value}'")
    report = type_table(con, "raw", contract, {column.name}, "typed")
    assert report.unreadable == ({} if readable else {column.name: 1})
