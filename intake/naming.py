"""How this room writes names and texts that come from outside: SQL literals and file names.

Belongs here: quoting of declared texts in SQL, and the form in which a file's name may be shown.
Does not belong here: values from records; those never reach SQL text or a message.
"""

from __future__ import annotations

import re

from declarations.errors import ConfigurationError

LONG_NUMBER = re.compile(r"\d(?:[ .]?\d){8,}")
"""Nine digits or more in one run: long enough for an NHS number, a UPRN or a telephone number."""

UNPRINTABLE = re.compile(r"[^\w .,()\[\]{}+=~@&%$#!'-]", re.ASCII)
LONGEST_NAME = 120


def literal(text: str) -> str:
    """Quote a declared text for SQL.

    Parameters
    ----------
    text : str
        A text of a declaration, such as a code or a heading.

    Returns
    -------
    str
        The text in single quotes.

    Raises
    ------
    ConfigurationError
        If the text holds a NUL.
    """
    if "\x00" in text:
        raise ConfigurationError("A text of a contract holds a NUL", "Remove it from the contract")
    return "'" + text.replace("'", "''") + "'"


def shown_name(name: str) -> str:
    """Return a file's name as it may stand in a report.

    A name is chosen by whoever sent the file, so a person's number may stand in it: long runs of
    digits are replaced by ``#``, and what is not plain text by ``_``.

    Parameters
    ----------
    name : str
        The last part of a path.

    Returns
    -------
    str
        At most 120 characters, safe to log and safe as a file name. Never empty.
    """
    text = UNPRINTABLE.sub("_", LONG_NUMBER.sub("#", name)).strip(" .")
    if len(text) > LONGEST_NAME:
        half = LONGEST_NAME // 2 - 1
        text = f"{text[:half]}__{text[-half:]}"
    return text or "unnamed"
