"""Identifiers of people who do not exist.

Belongs here: NHS numbers of the test range, National Insurance numbers with a prefix never issued,
invented surnames and dates of birth. Does not belong here: what happens to these people, which is
each topic's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from declarations.errors import ConfigurationError

Texts = NDArray[Any]

_FIRST = [
    "Quillfeather",
    "Thistlewick",
    "Brambleshaw",
    "Ottermere",
    "Pinchbarrow",
    "Sedgemoulder",
    "Wimblethorn",
    "Foxgloam",
    "Gristleham",
    "Hobblewort",
    "Inkpenny",
    "Jackdawson",
    "Kettleblow",
    "Larkspindle",
    "Mossbuckle",
    "Nettlecombe",
    "Puddifer",
    "Ramshollow",
    "Snickleby",
    "Tanglewych",
]
_SECOND = ["by", "ham", "ton", "worthy", "stead", "ley", "croft", "mere", "wold"]
ACCENTED_SURNAMES = ("Zoëlla-Núñezworth", "Brontëquill", "Façadeby", "Müllerthistle", "Ångströmby")


def surnames() -> Texts:
    """Return every invented surname, an object array of text."""
    return np.array([first + second for first in _FIRST for second in _SECOND], dtype=object)


def nhs_numbers(first: int, count: int) -> Texts:
    """Return NHS numbers that begin 999 and pass the Mod-11 check.

    Parameters
    ----------
    first : int
        How many numbers of the range to pass over; callers with other ranges never collide.
    count : int
        How many to return.

    Returns
    -------
    (count,) object array of str
        Ten digits each. The check digit is 11 less the weighted sum modulo 11, 11 written as 0;
        numbers whose check digit would be 10 do not exist (NHS data dictionary).

    Raises
    ------
    ConfigurationError
        If the range has too few numbers.
    """
    # One in eleven has no check digit, so a tenth more candidates than wanted always suffices.
    body = np.arange(1_000_000)
    digits = 999_000_000 + body
    total = sum((digits // 10 ** (9 - place) % 10) * (11 - place) for place in range(1, 10))
    check = (11 - total % 11) % 11
    valid = check != 10
    numbers = (digits * 10 + check)[valid]
    if first + count > numbers.size:
        raise ConfigurationError(
            "The range of test NHS numbers is too small for this region", "Ask for fewer LSOAs"
        )
    return np.array(numbers[first : first + count].astype(str), dtype=object)


def ninos(rng: Generator, count: int) -> Texts:
    """Return National Insurance numbers with the prefix QQ, which is never issued."""
    digits = rng.integers(0, 1_000_000, count)
    letters = rng.integers(0, 4, count)
    return np.array(
        [f"QQ{n:06d}{'ABCD'[at]}" for n, at in zip(digits.tolist(), letters.tolist(), strict=True)],
        dtype=object,
    )


def births(rng: Generator, age: NDArray[np.integer[Any]], on: np.datetime64) -> NDArray[Any]:
    """Return dates of birth of people of the given ages in whole years on a day."""
    days = (age.astype(np.int64) * 365.25).astype(np.int64) + rng.integers(1, 364, age.size)
    return on.astype("datetime64[D]") - days
