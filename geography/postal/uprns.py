"""UPRNs as systems write them: twelve digits, or no UPRN.

Belongs here: what one text means as a UPRN. Does not belong here: which area a UPRN is in
(`geography.placement.lookups`).

A UPRN has up to twelve digits and no check digit; some systems strip its leading zeros. A number to
which a spreadsheet has added ".0" is read without it; one it has rounded (1.00012E+11), or of more
than twelve digits, names no property. Records and directories are read by the same rule.
"""

from __future__ import annotations


def twelve_digits_sql(text: str) -> str:
    """SQL: a UPRN in twelve digits, NULL for anything else.

    Parameters
    ----------
    text : str
        An SQL expression of any type.

    Returns
    -------
    str
        A VARCHAR expression.
    """
    digits = rf"regexp_extract(CAST({text} AS VARCHAR), '^[ ]*([0-9]{{1,12}})([.]0+)?[ ]*$', 1)"
    return f"lpad(nullif({digits}, ''), 12, '0')"
