"""How this room shows names that come from outside.

Belongs here: the form in which a file's name may be shown. Does not belong here: values from
records; those never reach a message.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from governance.redaction.engine import Redactor

PLAIN_HEADING = re.compile(r"[a-z]+|[a-z0-9]+(?:_[a-z0-9]+)*")
LONG_NUMBER = re.compile(r"\d(?:[ .]?\d){8,}")
"""Nine digits or more in one run: long enough for an NHS number, a UPRN or a telephone number."""

UNPRINTABLE = re.compile(r"[^\w .,()\[\]{}+=~@&%$#!'-]", re.ASCII)
LONGEST_NAME = 120


def without_people(text: str) -> str:
    """Return a name chosen by hand, a file's or a heading's, without people and their identifiers.

    What is found is replaced by its kind: ``cases_[name] [phone number].csv``.
    """
    return _redactor().redact(text).text


def names_somebody(text: str) -> bool:
    """Whether a heading looks as if a person or an identifier stood in it.

    Headings of one word, or in small letters with underscores, are taken for what they look like.
    """
    return not PLAIN_HEADING.fullmatch(text) and bool(_redactor().find(text))


@cache
def _redactor() -> Redactor:
    from governance.redaction.engine import Redactor  # noqa: PLC0415 - heavy

    return Redactor()


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
