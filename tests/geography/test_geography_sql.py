import pytest

from declarations.errors import GeographyError
from geography.placement.scratch import Scratch
from geography.sql import columns_of, ident, one_row, require_columns


def test_identifiers_are_quoted(con):
    con.execute(f"CREATE TABLE {ident('order by; --')} ({ident('LSOA code')} INTEGER)")
    assert columns_of(con, "order by; --") == {"lsoa code": "INTEGER"}


@pytest.mark.parametrize("name", ["", 'a"b', "a\x00b"])
def test_identifiers_that_could_break_out_are_refused(name):
    with pytest.raises(GeographyError):
        ident(name)


def test_required_columns(con):
    con.execute("CREATE TABLE t (A BIGINT, b DOUBLE, c UTINYINT)")
    require_columns(con, "t", ("a", "B"))
    require_columns(con, "t", ("a", "c"), integer=True)
    with pytest.raises(GeographyError, match="no column d"):
        require_columns(con, "t", ("a", "d"))
    with pytest.raises(GeographyError, match="columns b of t"):
        require_columns(con, "t", ("a", "b"), integer=True)


def test_one_row_is_empty_without_a_row(con):
    assert one_row(con, "SELECT 1, 2") == (1, 2)
    assert one_row(con, "SELECT 1 WHERE false") == ()


def make_and_fail(con):
    with Scratch(con, "x") as scratch:
        name = scratch.table("t", "SELECT 1 AS a")
        raise KeyError(*one_row(con, f"SELECT a FROM {ident(name)}"))


def test_scratch_tables_go_even_after_an_error(con):
    with pytest.raises(KeyError, match="1"):
        make_and_fail(con)
    assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)
