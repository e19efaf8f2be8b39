r"""Postcodes as people type them: normal form, repair of O/0 and I/1, NHS pseudo-postcodes.

Belongs here: what one text means as a postcode, as an SQL expression and as its Python twin; the
two are held equal by tests. Does not belong here: which area a postcode is in (`lookups`).

The normal form is `pcds`: outward part, one space, inward part ("QA4 7XB"). A text is valid if, in
upper case and without all but letters and digits, it has the form
``GIR 0AA|[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2}``. The pseudo-postcodes of the NHS Data
Dictionary (``ZZ99 3VZ``: no fixed abode) break that form, since no real inward part holds a V or a
C, so they are accepted beside it.

Repair rests on the form of postcodes: the last three characters are a digit and two letters; the
first is a letter; of a four-character outward part the second is a letter and the third a digit. No
outward part ends in the letters O or I, none of three characters has I second (no such postcode
area), and no district is written with a leading zero. Hence each O, 0, I and 1 has one reading.
A repaired postcode serves to look up an area, and is always flagged.
"""

from __future__ import annotations

import re

GIRO = "GIR 0AA"
VALID = r"(GIR 0AA|[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2}|ZZ99 [0-9][A-Z]{2})"
"""A postcode in normal form, real or pseudo, to be matched in full."""

DOUBTFUL = "^.[0I].{4}$|[OI].{3}$"
"""Found in a valid postcode without its space if repair would change it all the same: a zero or I
second of three characters (S01 4AA, for SO1 4AA), or an outward part that ends in a letter O or
I."""

PSEUDO_KINDS: dict[str, str] = {
    "ZZ99 3VZ": "zz99_no_fixed_abode",
    "ZZ99 3WZ": "zz99_not_known",
    "ZZ99 3CZ": "zz99_england",
    "ZZ99 1WZ": "zz99_scotland",
    "ZZ99 2WZ": "zz99_northern_ireland",
    "ZZ99 3GZ": "zz99_wales",
}
"""Pseudo-postcode to what it says (NHS Data Dictionary); any other ZZ99 is a country overseas."""

PSEUDO_OUTWARD = "ZZ99 "
"""How every pseudo-postcode in normal form begins, and no other."""

OVERSEAS = "zz99_overseas"
_TO_DIGIT = str.maketrans("OI", "01")
_TO_LETTER = str.maketrans("01", "OI")


def normalise(text: str | None) -> str | None:
    """Normal form of a postcode, or None if the text is not one.

    Parameters
    ----------
    text : str or None
        A postcode as typed.

    Returns
    -------
    str or None
        For example "QA4 7XB".
    """
    if text is None:
        return None
    return _valid(_compact(text))


def repair(text: str | None) -> str | None:
    """Normal form after O/0 and I/1 are put right by position, or None if that gives no postcode.

    Parameters
    ----------
    text : str or None
        A postcode as typed.

    Returns
    -------
    str or None
        The same as `normalise` where nothing needs repair.
    """
    if text is None:
        return None
    compact = _compact(text)
    if compact in ("GIR0AA", "GIROAA"):
        return GIRO
    outward, inward = compact[:-3], compact[-3:]
    inward = inward[:1].translate(_TO_DIGIT) + inward[1:].translate(_TO_LETTER)
    first, rest = outward[:1].translate(_TO_LETTER), outward[1:]
    if len(rest) == 1:
        rest = rest.translate(_TO_DIGIT)
    elif len(rest) == 2:
        rest = rest[0].replace("0", "O").replace("I", "1") + rest[1].translate(_TO_DIGIT)
    else:
        rest = rest[:1].translate(_TO_LETTER) + rest[1:].translate(_TO_DIGIT)
    return _valid(first + rest + inward)


def pseudo_postcode_kind(pcds: str | None) -> str | None:
    """What a pseudo-postcode in normal form says, or None for any other text."""
    if pcds is None or not pcds.startswith(PSEUDO_OUTWARD):
        return None
    return PSEUDO_KINDS.get(pcds, OVERSEAS)


def normalise_sql(column: str) -> str:
    """SQL twin of `normalise`.

    Parameters
    ----------
    column : str
        An SQL expression, usually a quoted column.

    Returns
    -------
    str
        A VARCHAR expression: the normal form, or NULL.
    """
    return normalise_compact_sql(compact_sql(column))


def repair_sql(column: str) -> str:
    """SQL twin of `repair`.

    Parameters
    ----------
    column : str
        An SQL expression, usually a quoted column.

    Returns
    -------
    str
        A VARCHAR expression: the normal form after repair, or NULL.
    """
    return repair_compact_sql(compact_sql(column))


def compact_sql(column: str) -> str:
    """SQL: a text in upper case without all but ASCII letters and digits.

    Where both `normalise_compact_sql` and `repair_compact_sql` are wanted of many texts, this is to
    be a column first: DuckDB would evaluate it again at each place an expression names it.

    Parameters
    ----------
    column : str
        An SQL expression, usually a quoted column.

    Returns
    -------
    str
        A VARCHAR expression.
    """
    # Removing blanks is a third of the cost of the regular expression, and mostly all there is.
    blankless = f"replace(CAST({column} AS VARCHAR), ' ', '')"
    return (
        f"CASE WHEN regexp_full_match({blankless}, '[A-Za-z0-9]*') THEN upper({blankless})"
        f" ELSE upper(regexp_replace({blankless}, '[^A-Za-z0-9]', '', 'g')) END"
    )


def normalise_compact_sql(compact: str) -> str:
    """SQL: the normal form of a text made by `compact_sql`, or NULL."""
    return f"CASE WHEN {_is_valid_sql(compact)} THEN {_spaced_sql(compact)} END"


def repair_compact_sql(compact: str, normal: str | None = None) -> str:
    """SQL: the normal form after repair of a text made by `compact_sql`, or NULL.

    Parameters
    ----------
    compact : str
        An SQL expression made by `compact_sql`, better a column of it.
    normal : str, optional
        A column made of it by `normalise_compact_sql`, where there is one.

    Returns
    -------
    str
        A VARCHAR expression.
    """
    normal = normal or normalise_compact_sql(compact)
    outward = f"left({compact}, -3)"
    inward = (
        f"translate(left(right({compact}, 3), 1), 'OI', '01')"
        f" || translate(substr(right({compact}, 3), 2), '01', 'OI')"
    )
    rest = (
        f"CASE length({outward})"
        f" WHEN 2 THEN translate(substr({outward}, 2), 'OI', '01')"
        f" WHEN 3 THEN translate(substr({outward}, 2, 1), '0I', 'O1')"
        f" || translate(substr({outward}, 3), 'OI', '01')"
        f" ELSE translate(substr({outward}, 2, 1), '01', 'OI')"
        f" || translate(substr({outward}, 3), 'OI', '01') END"
    )
    repaired = f"(translate(left({outward}, 1), '01', 'OI') || ({rest}) || {inward})"
    # Repair by position costs much, so it is kept from the texts it would leave as they are: those
    # without any of the letters, and normal forms in which no O, 0 or I stands at a doubtful place.
    return f"""CASE
        WHEN {compact} IN ('GIR0AA', 'GIROAA') THEN '{GIRO}'
        WHEN length({compact}) NOT BETWEEN 5 AND 7 THEN NULL
        WHEN {normal} IS NOT NULL AND NOT regexp_matches({compact}, '{DOUBTFUL}') THEN {normal}
        WHEN regexp_matches({compact}, '[01OI]') THEN {normalise_compact_sql(repaired)}
    END"""


def pseudo_postcode_kind_sql(pcds: str) -> str:
    """SQL twin of `pseudo_postcode_kind`.

    Parameters
    ----------
    pcds : str
        An SQL expression in normal form.

    Returns
    -------
    str
        A VARCHAR expression, NULL for a real postcode.
    """
    named = " ".join(f"WHEN {pcds} = '{code}' THEN '{kind}'" for code, kind in PSEUDO_KINDS.items())
    return f"CASE {named} WHEN starts_with({pcds}, '{PSEUDO_OUTWARD}') THEN '{OVERSEAS}' END"


def _compact(text: str) -> str:
    # Stripped before the case is changed: the upper case of some foreign letters is an ASCII one.
    return re.sub(r"[^A-Za-z0-9]", "", text).upper()


def _valid(compact: str) -> str | None:
    pcds = f"{compact[:-3]} {compact[-3:]}"
    return pcds if re.fullmatch(VALID, pcds) else None


def _is_valid_sql(compact: str) -> str:
    return f"regexp_full_match({compact}, '{VALID.replace(' ', '')}')"


def _spaced_sql(compact: str) -> str:
    return f"left({compact}, -3) || ' ' || right({compact}, 3)"
