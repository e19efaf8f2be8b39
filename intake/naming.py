"""How this room shows names that come from outside.

Belongs here: the form in which a file's name may be shown. Does not belong here: values from
records; those never reach a message.
"""

from __future__ import annotations

import re

LONG_NUMBER = re.compile(r"\d(?:[ .]?\d){8,}")
"""Nine digits or more in one run: long enough for an NHS number, a UPRN or a telephone number."""

UNPRINTABLE = re.compile(r"[^\w .,()\[\]{}+=~@&%$#!'-]", re.ASCII)
LONGEST_NAME = 120


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
