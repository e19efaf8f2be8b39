"""Seeded synthetic texts of which it is known where everything that identifies stands.

Belongs here: filling the templates (`sample_templates`) with made-up identifiers in the layouts
people use, tidy and untidy, without the recognisers' patterns. Does not belong here: what is found
in them (`measurement`).

All people, numbers and addresses are synthetic: NHS numbers are of the test range that begins with
999, telephone numbers of the ranges Ofcom keeps for drama, postcodes of areas that do not exist,
hosts of the names reserved for examples (RFC 2606). Other numbers are drawn at random.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from governance.redaction import sample_templates as templates


@dataclass(frozen=True)
class Planted:
    """Something that identifies, with its place in the text; the end is exclusive."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class SampleText:
    """A synthetic text and all that identifies in it, in order of place."""

    text: str
    planted: tuple[Planted, ...]


_GAP = re.compile(r"\{(\w+)\}")
_NUMBER = re.compile(r"GB.+|[0-9][0-9 -]*[0-9]")
_FULL_WIDTH = str.maketrans(
    "0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"
)


def sample_texts(
    seed: int = 20_260_401, count: int = 368, *, held_out: bool = True
) -> list[SampleText]:
    """Make up texts.

    Parameters
    ----------
    seed : int
        The same seed gives the same texts.
    count : int
        How many; every template is used in turn.
    held_out : bool
        From the templates whose errors were not looked at while the rules were made, or from the
        others.

    Returns
    -------
    list of SampleText
    """
    draw = random.Random(seed)  # noqa: S311
    wordings = templates.HELD_OUT if held_out else templates.TUNING
    return [_filled(wordings[place % len(wordings)], draw) for place in range(count)]


def _filled(template: str, draw: random.Random) -> SampleText:
    pieces: list[str] = []
    planted: list[Planted] = []
    length = place = 0
    for gap in _GAP.finditer(template):
        kind, make = _MAKERS[gap[1]]
        before, value = template[place : gap.start()], make(draw)
        start = length + len(before)
        length = start + len(value)
        if kind == "BANK_ACCOUNT":
            planted += (
                Planted(start + part.start(), start + part.end(), kind)
                for part in _NUMBER.finditer(value)
            )
        elif kind:
            planted.append(Planted(start, length, kind))
        pieces += (before, value)
        place = gap.end()
    return SampleText("".join([*pieces, template[place:]]), tuple(planted))


def _digits(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(count))


def _grouped(text: str, sizes: Sequence[int], gap: str) -> str:
    pieces, place = [], 0
    for size in sizes:
        pieces.append(text[place : place + size])
        place += size
    return gap.join(pieces)


def _given(draw: random.Random) -> str:
    return draw.choice(templates.GIVEN)


def _surname(draw: random.Random) -> str:
    name = draw.choice(templates.SURNAME)
    return draw.choice(("da Silva", name)) if name == "Silva" else name


def _name(draw: random.Random) -> str:
    given, surname = _given(draw), _surname(draw)
    return draw.choice(
        [f"{given} {surname}"] * 6
        + [f"{given[0]}. {surname}", f"{given} {draw.choice('ABCDEJLMRST')} {surname}"]
    )


def _misspelt(draw: random.Random) -> str:
    name = f"{_given(draw)} {_surname(draw)}"
    place = draw.randrange(1, len(name) - 1)
    if " " in name[place - 1 : place + 2]:
        return name
    return draw.choice(
        [name[:place] + name[place + 1 :], name[:place] + name[place] + name[place:]]
    )


def _titled(draw: random.Random) -> str:
    return f"{_given(draw)[0]} {_surname(draw)}" if draw.random() < 0.3 else _surname(draw)


def _nhs(draw: random.Random) -> str:
    while True:
        first = "999" + _digits(draw, 6)
        check = -sum(int(d) * (10 - i) for i, d in enumerate(first)) % 11
        if check < 10:
            break
    number = f"{first}{check}"
    return draw.choice(
        [
            number,
            _grouped(number, (3, 3, 4), " "),
            _grouped(number, (3, 3, 4), " "),
            _grouped(number, (3, 3, 4), "-"),
            _grouped(number, (3, 3, 4), "."),
            _grouped(number, (3, 3, 4), "\u00a0"),
            _grouped(number, (3, 3, 4), "  "),
            _grouped(number, (3, 7), "\n"),
            number[:4] + "\u200b" + number[4:],
            number.translate(_FULL_WIDTH),
        ]
    )


def _nino(draw: random.Random) -> str:
    number = (
        draw.choice("ABCEHJLMPRSTW")
        + draw.choice("ABCEHJLMPRSTW")
        + _digits(draw, 6)
        + draw.choice("ABCD")
    )
    return draw.choice(
        [
            number,
            number.lower(),
            _grouped(number, (2, 2, 2, 2, 1), " "),
            _grouped(number, (2, 2, 2, 2, 1), " ").lower(),
            _grouped(number, (2, 6, 1), " "),
            _grouped(number, (2, 2, 2, 2, 1), "-"),
            number[:8],
        ]
    )


def _uprn(draw: random.Random) -> str:
    return draw.choice(
        [
            "1000" + _digits(draw, 8),
            "100" + _digits(draw, 8),
            "2000" + _digits(draw, 8),
            "5" + _digits(draw, 6),
        ]
    )


def _postcode(draw: random.Random) -> str:
    area = draw.choice(["QA", "QB", "XA", "ZB", "VA"])
    outward = area + draw.choice(
        [str(draw.randint(1, 9)), str(draw.randint(10, 29)), f"{draw.randint(1, 9)}A"]
    )
    inward = draw.choice("0123456789") + "".join(
        draw.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2)
    )
    return draw.choice(
        [
            f"{outward} {inward}",
            f"{outward} {inward}",
            f"{outward}{inward}",
            f"{outward} {inward}".lower(),
            f"{outward}{inward}".lower(),
            f"{outward}  {inward}",
            f"{outward}\u00a0{inward}",
            f"{outward}\n{inward}",
        ]
    )


def _email(draw: random.Random) -> str:
    local = f"{_given(draw)}.{_surname(draw)}".lower().replace(" ", "").replace("'", "")
    local = draw.choice(
        [
            local,
            local.replace(".", "_"),
            local.replace(".", "") + _digits(draw, 2),
            local[0] + local.split(".")[1],
        ]
    )
    host = draw.choice(["example.org", "example.com", "mail.example.net", "example.co.uk"])
    spelled = f"{local.replace('.', ' dot ')} at {host.replace('.', ' dot ')}"
    return draw.choice(
        [
            f"{local}@{host}",
            f"{local}@{host}",
            f"{local}@{host}",
            f"{local}@{host}".upper(),
            f"{local} @ {host}",
            spelled,
            f"{local} [at] {host.replace('.', ' [dot] ')}",
            f"{local}(at){host}",
        ]
    )


def _phone(draw: random.Random) -> str:
    end = _digits(draw, 3)
    return draw.choice(
        [
            f"07700 900{end}",
            f"07700900{end}",
            f"07700-900-{end}",
            f"+44 7700 900 {end}",
            f"+44(0)7700900{end}",
            f"0044 7700 900{end}",
            f"0161 496 0{end}",
            f"(0161) 496 0{end}",
            f"020 7946 0{end}",
            f"01632 960{end}",
            f"01632.960.{end}",
            f"077 009 00{end}",
            f"07700\u00a0900{end}",
            f"07700 9\n00{end}",
        ]
    )


def _birth(draw: random.Random) -> str:
    date = dt.date(1930, 1, 1) + dt.timedelta(days=draw.randrange(34_000))
    day, month, year = date.day, date.month, date.year
    suffix = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    long, short = date.strftime("%B"), date.strftime("%b")
    return draw.choice(
        [
            f"{day:02d}/{month:02d}/{year}",
            f"{day:02d}/{month:02d}/{year}",
            f"{day}/{month}/{year % 100:02d}",
            f"{day}.{month}.{year % 100:02d}",
            f"{day}-{month}-{year}",
            date.isoformat(),
            f"{day} {long} {year}",
            f"{day}{suffix} {long} {year}",
            f"{day}{suffix} of {long.lower()} {year % 100:02d}",
            f"{day:02d}{short.upper()}{year}",
            f"{long} {day}, {year}",
            f"{day} {short} '{year % 100:02d}",
            f"{day:02d}{month:02d}{year}",
            f"{day:02d} {month:02d} {year}",
        ]
    )


def _plate(draw: random.Random) -> str:
    letters = "ABCDEFGHJKLMNOPRSTUVWXYZ"
    three = "".join(draw.choice(letters) for _ in range(3))
    age = draw.choice(["07", "12", "19", "21", "58", "64", "70", "73"])
    current = f"{draw.choice('BDEFKLMNRSVWY')}{draw.choice('ABCDEFGHJKLMNOPRSTUVWXY')}{age}"
    northern = draw.choice("ABCDEFG") + draw.choice(["AZ", "EZ", "IA", "IB", "JI", "NZ"])
    return draw.choice(
        [
            f"{current} {three}",
            f"{current} {three}",
            f"{current}{three}",
            f"{current} {three}".lower(),
            f"{current}{three}".lower(),
            f"{draw.choice('ABCDEFGHJKLMNPRSTVWXY')}{draw.randint(1, 999)} {three}",
            f"{three} {draw.randint(1, 999)}{draw.choice('ABCDEFGHJKLMNPRSTVWXY')}",
            f"{northern} {draw.randint(100, 9999)}",
        ]
    )


def _bank(draw: random.Random) -> str:
    sort, account = _digits(draw, 6), _digits(draw, 8)
    dashed, spaced = _grouped(sort, (2, 2, 2), "-"), _grouped(sort, (2, 2, 2), " ")
    iban = "NWBK" + sort + account
    check = 98 - int("".join(str(int(letter, 36)) for letter in iban + "GB00")) % 97
    iban = f"GB{check:02d}{iban}"
    return draw.choice(
        [
            f"{dashed} {account}",
            f"sort code {dashed} account {account}",
            f"{sort} / {account}",
            f"s/c {spaced} a/c {account}",
            f"account number {account}, sort code {dashed}",
            f"{dashed}, {account[:4]} {account[4:]}",
            iban,
            _grouped(iban, (4, 4, 4, 4, 4, 2), " "),
        ]
    )


def _address(draw: random.Random) -> str:
    number = draw.choice(
        [
            str(draw.randint(1, 299)),
            f"{draw.randint(1, 99)}{draw.choice('abAB')}",
            f"Flat {draw.randint(1, 40)}, {draw.randint(1, 99)}",
        ]
    )
    road = draw.choice(
        [
            "Acacia",
            "Thornbury",
            "Old Mill",
            "Saint Chad's",
            "Gladstone",
            "Upper Brook",
            "Windmill",
            "Jubilee",
        ]
    )
    road += " " + draw.choice(
        ["Street", "Road", "Rd", "Avenue", "Ave", "Lane", "Close", "Crescent", "Terrace", "Court"]
    )
    return draw.choice(
        [f"{number} {road}", f"{number} {road}", f"{number}, {road}", f"{number} {road}".lower()]
    )


def _event_date(draw: random.Random) -> str:
    date = dt.date(2023, 1, 1) + dt.timedelta(days=draw.randrange(1_100))
    return draw.choice(
        [
            date.strftime("%d/%m/%Y"),
            date.strftime("%d %B %Y"),
            date.isoformat(),
            date.strftime("%d/%m/%y"),
            date.strftime("%d %b"),
        ]
    )


def _reference(draw: random.Random) -> str:
    return draw.choice(
        [
            f"HC/{draw.randint(2019, 2026)}/{_digits(draw, 5)}",
            f"CAS-{_digits(draw, 6)}-{draw.choice('ABCDEFGHJK')}{_digits(draw, 3)}",
            f"ASB{_digits(draw, 7)}",
            _digits(draw, 8),
            f"REF{_digits(draw, 6)}",
        ]
    )


def _one_of(values: Sequence[str]) -> Callable[[random.Random], str]:
    return lambda draw: draw.choice(values)


_MAKERS: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "name": ("NAME", _name),
    "given": ("NAME", _given),
    "surname": ("NAME", _surname),
    "lower": ("NAME", lambda draw: f"{_given(draw)} {_surname(draw)}".lower()),
    "upper": ("NAME", lambda draw: f"{_surname(draw).upper()}, {_given(draw)}"),
    "titled": ("NAME", _titled),
    "typo": ("NAME", _misspelt),
    "nhs": ("NHS_NUMBER", _nhs),
    "nino": ("NINO", _nino),
    "uprn": ("UPRN", _uprn),
    "postcode": ("POSTCODE", _postcode),
    "email": ("EMAIL", _email),
    "phone": ("PHONE", _phone),
    "dob": ("DATE_OF_BIRTH", _birth),
    "plate": ("VEHICLE", _plate),
    "bank": ("BANK_ACCOUNT", _bank),
    "address": ("ADDRESS", _address),
    "date": ("", _event_date),
    "ref": ("", _reference),
    "lsoa": ("", lambda draw: f"E0100{_digits(draw, 4)}"),
    "money": ("", lambda draw: f"£{draw.choice(['85', '412.50', '1,250', '10,400.00', '0.75'])}"),
    "count": ("", lambda draw: str(draw.randint(2, 999))),
    "district": ("", _one_of(templates.DISTRICTS)),
    "org": ("", _one_of(templates.ORGANISATIONS)),
    "road": ("", _one_of(templates.ROADS)),
    "place": ("", _one_of(templates.PLACES)),
    "make": ("", _one_of(("Ford Focus", "Corsa", "BMW", "Transit van", "Nissan Micra"))),
}
