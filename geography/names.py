"""The names of areas, from a lookup of codes and names.

Belongs here: one name for each code, in English or Welsh. Does not belong here: what kind of area a
code is of (`codes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geography.codes import tidied, tidied_sql
from geography.sql import ident

if TYPE_CHECKING:
    import duckdb


def names_sql(lookup: str, code: str, name: str, welsh: str | None = None) -> str:
    """SQL that gives each code of a published lookup its name.

    Parameters
    ----------
    lookup : str
        Table with one or many rows per code.
    code, name : str
        Its columns, such as LAD22CD and LAD22NM.
    welsh : str, optional
        The column of Welsh names, such as LAD22NMW; blank outside Wales.

    Returns
    -------
    str
        code, name, and name_welsh, which is the name where there is no other. Where rows of one
        code differ, the first name in the order of the alphabet.
    """
    welsh_text = f"min(nullif(trim({ident(welsh)}), ''))" if welsh else "CAST(NULL AS VARCHAR)"
    return f"""
SELECT {tidied_sql(ident(code))} AS code,
    min(nullif(trim({ident(name)}), '')) AS name,
    coalesce({welsh_text}, min(nullif(trim({ident(name)}), ''))) AS name_welsh
FROM {ident(lookup)}
WHERE {tidied_sql(ident(code))} <> ''
GROUP BY 1
"""


def name_of(
    con: duckdb.DuckDBPyConnection,
    lookup: str,
    area: str,
    *,
    code: str,
    name: str,
    welsh: str | None = None,
) -> str | None:
    """Name of one area.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the lookup.
    lookup, code, name : str
        As for `names_sql`.
    area : str
        The area's code.
    welsh : str, optional
        The column of Welsh names: given, the Welsh name is returned where there is one.

    Returns
    -------
    str or None
        None where the lookup does not have the code.
    """
    chosen = "name_welsh" if welsh else "name"
    row = con.execute(
        f"SELECT {chosen} FROM ({names_sql(lookup, code, name, welsh)}) WHERE code = ?",
        [tidied(area)],
    ).fetchone()
    return row[0] if row else None
