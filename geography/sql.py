"""How this room writes SQL: quoted identifiers, and what columns a table has.

Belongs here: the one helper that quotes an identifier, and the look-up of a table's columns.
Does not belong here: any statement about geography; those stand in the module they serve.
Values from records are never written into SQL text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from declarations.errors import GeographyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

INTEGER_TYPES = frozenset(
    {
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
    }
)


def ident(name: str) -> str:
    """Quote one identifier for DuckDB.

    Parameters
    ----------
    name : str
        An unqualified table or column name.

    Returns
    -------
    str
        The name in double quotes.

    Raises
    ------
    GeographyError
        If the name is empty or holds a double quote or a NUL.
    """
    if not name or '"' in name or "\x00" in name:
        raise GeographyError(
            "A table or column name is empty or holds a double quote or a NUL",
            "Rename the table or column in its declaration",
        )
    return f'"{name}"'


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Names and types of a table's columns.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        The connection that holds the table or view.
    table : str
        An unqualified name.

    Returns
    -------
    dict of str to str
        Lower-cased column name to DuckDB type, in the table's order.
    """
    described = con.execute(f"DESCRIBE SELECT * FROM {ident(table)}").fetchall()
    return {row[0].lower(): row[1] for row in described}


def require_columns(
    con: duckdb.DuckDBPyConnection, table: str, columns: Iterable[str], *, integer: bool = False
) -> None:
    """Refuse a table that lacks a column, or has it in a type that is not an integer.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        The connection that holds the table or view.
    table : str
        An unqualified name.
    columns : iterable of str
        The columns that must be there, in any case.
    integer : bool, default False
        Whether each must be of an integer type.

    Raises
    ------
    GeographyError
        Naming the table and the columns.
    """
    present = columns_of(con, table)
    wanted = list(columns)
    absent = [name for name in wanted if name.lower() not in present]
    if absent:
        raise GeographyError(
            f"The table {table} has no column {', '.join(absent)}",
            "Name the columns of the table as the declaration of its source says",
        )
    if integer:
        other = [name for name in wanted if present[name.lower()] not in INTEGER_TYPES]
        if other:
            raise GeographyError(
                f"The columns {', '.join(other)} of {table} are not whole numbers",
                "Declare them as integers; only whole counts can be split exactly",
            )


def one_row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Run a query of one row, such as a count.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        The connection.
    query : str
        A query that gives one row.

    Returns
    -------
    tuple
        The row, empty if there is none.
    """
    return con.execute(query).fetchone() or ()
