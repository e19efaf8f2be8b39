r"""Recognisers of UK identifiers inside a text, one pure function a kind.

Belongs here: where in a plain text (`plain_text`) a number, code or address of a person stands, in
the layouts people use. Does not belong here: names of people (`names`), the settling of overlaps
(`findings`), or whether one whole value is an identifier (`governance.identifiers`, whose rules are
used here).

Two things make a recogniser sure: a check digit, or a word before the number that says what it is
("NHS no", "dob", "sort code"). A form that numbers of other kinds share counts only with such a
word; dates above all, since a note is full of dates of events. Where a word says what follows, a
mistyped number is taken too: it mostly still identifies.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from governance.identifiers import (
    PLATE_CURRENT,
    PLATE_NORTHERN_IRELAND,
    PLATE_PREFIX,
    PLATE_SUFFIX,
    as_date,
    has_nhs_check_digit,
    is_full_postcode,
    is_iban_gb,
    is_nino,
)
from governance.redaction.plain_text import plain

CERTAIN, SURE, LIKELY, POSSIBLE, ALONE = 1.0, 0.95, 0.85, 0.5, 0.4
"""Scores: a check digit that fits; a word that says so; a form of its own; a form alone; a date in
a cell of which nothing says what happened on it."""


@dataclass(frozen=True)
class Hit:
    """A stretch of a plain text, the end exclusive, with a score between 0 and 1."""

    start: int
    end: int
    score: float


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _said(words: str, reach: int = 14) -> str:
    """Pattern of a word that says what follows, with at most `reach` characters between.

    No digit and no end of a sentence may stand between.
    """
    return rf"(?<![^\W_])(?:{words})(?![^\W_])(?:(?![.;!?]\s+[a-z])[^\d\n]|\n(?!\n)){{0,{reach}}}?"


_NUMBER_RUN = _pattern(
    r"(?:(?<![\w£$€.,/-])|(?<=nhs)|(?<=nhs no)|(?<=number))"
    r"\d(?:[\s./_-]{0,3}\d){9,}(?![^\W_])(?![/,.-]\d)"
)
_DIALLED = re.compile(r"(?:\+|\+44\s?\(0\)\s?|0044\s?\(0\)\s?)$")
_NHS_SAID = _pattern(r"(?<![^\W_])nhs(?:(?![.;]\s+[a-z])[^\d]){0,24}$")
_NHS_MISTYPED = _pattern(
    r"(?<![^\W_])nhs\s*(?:no|num|number|id|#|:)[^\d\n]{0,14}"
    r"(?P<found>\d(?:[\s./_-]{0,3}\d){8,10})(?!\w)"
)
_DIGIT_SAID = (
    r"(?:(?:(?:double|treble|triple)\s+)?"
    r"(?:zero|oh|o|nought|one|two|three|four|five|six|seven|eight|nine|\d))"
)
_NHS_SPELLED = _pattern(
    _said(r"nhs(?:\s*(?:no|num|number|id))?", 24)
    + rf"(?<![^\W_])(?P<found>{_DIGIT_SAID}(?:[\s,./_-]{{0,3}}{_DIGIT_SAID}){{7,11}})(?![^\W_])"
)
_NHS_GROUPS = frozenset(
    ((10,), (3, 3, 4), (3, 7), (6, 4), (4, 3, 3), (5, 5), (3, 3, 2, 2), (2, 2, 2, 2, 2), (1,) * 10)
)


def nhs_numbers(text: str) -> Iterator[Hit]:
    """Yield NHS numbers: ten digits that pass Modulus 11, in any groups if "NHS" stands before.

    After "NHS" a mistyped one counts too, and one of which digits are spelled ("nine four three").
    """
    pending: Hit | None = None
    for run in _NUMBER_RUN.finditer(text):
        if _DIALLED.search(text, max(0, run.start() - 9), run.start()):
            continue
        groups = list(re.finditer(r"\d+", run.group()))
        for first, group in enumerate(groups):
            digits, lengths = "", []
            for last in groups[first:]:
                digits += last.group()
                lengths.append(len(last.group()))
                if len(digits) >= 10:
                    break
            if len(digits) != 10 or not has_nhs_check_digit(digits):
                continue
            start = run.start() + group.start()
            said = _NHS_SAID.search(text, max(0, start - 40), start) is not None
            if said or tuple(lengths) in _NHS_GROUPS:
                end, score = run.start() + last.end(), CERTAIN if said else 0.9
                # In a long row of digits one number after another may fit: taken out as one.
                if pending and start < pending.end:
                    start, score = pending.start, max(score, pending.score)
                elif pending:
                    yield pending
                pending = Hit(start, end, score)
    if pending:
        yield pending
    yield from _nhs_said(text)


def _nhs_said(text: str) -> Iterator[Hit]:
    for found in _NHS_MISTYPED.finditer(text):
        yield Hit(*found.span("found"), 0.8)
    for found in _NHS_SPELLED.finditer(text):
        if any(letter.isalpha() for letter in found["found"]):
            yield Hit(*found.span("found"), 0.8)


_NINO = _pattern(r"(?<![^\W_])[a-z]\s?[a-z](?:[\s./-]{0,2}\d){6}[\s./-]{0,2}[a-d](?![^\W_])")
_NINO_SHORT = _pattern(r"(?<![\w/-])[a-z]{2}\d{6}(?![\w/-])")
_NINO_SAID = _pattern(
    _said(r"n\.?i\.?(?:\s*(?:no|number|num))?|nino|national\s+insurance") + r"(?<![^\W_])"
    r"(?P<found>[a-z]\s?[a-z](?:[\s./-]{0,2}[\doil]){6}(?:[\s./-]{0,2}[a-d](?![^\W_]))?)"
    r"(?![^\W_])"
)


def ninos(text: str) -> Iterator[Hit]:
    """Yield National Insurance numbers, also those that many systems keep without the suffix.

    With gaps but without a suffix, or mistyped, they count only where a word says so.
    """
    for found in _NINO.finditer(text):
        if is_nino(re.sub(r"[\s./-]", "", found.group())):
            yield Hit(*found.span(), SURE)
    for found in _NINO_SHORT.finditer(text):
        if is_nino(f"{found.group()}A"):
            yield Hit(*found.span(), POSSIBLE)
    for found in _NINO_SAID.finditer(text):
        yield Hit(*found.span("found"), 0.9)


_UPRN_SAID = _pattern(
    _said(r"uprn|unique\s+property\s+ref\w*(?:\s+(?:no|number))?", 16)
    + r"(?P<found>\d(?:[\s-]?\d){4,11})(?!\d)"
)
_PROPERTY_SAID = _pattern(
    r"(?<![^\W_])(?:property|dwelling)(?:\s*(?:no|number|id|ref(?:erence)?)\b)?[\s.:#]*"
    r"(?P<found>\d{6,12})(?!\w)"
)
_UPRN_ALONE = re.compile(r"(?<![\w£$€.,/-])(?:0?10\d{9,10}|0?200\d{9})(?![^\W_])(?!\.\d)")


def uprns(text: str) -> Iterator[Hit]:
    """Yield UPRNs where a word says so, and numbers in the long ranges most homes have."""
    for found in _UPRN_SAID.finditer(text):
        yield Hit(*found.span("found"), SURE)
    for found in _PROPERTY_SAID.finditer(text):
        yield Hit(*found.span("found"), POSSIBLE)
    for found in _UPRN_ALONE.finditer(text):
        yield Hit(*found.span(), POSSIBLE)


_POSTCODE = _pattern(
    r"(?<![^\W_])(?P<out>[a-z]{1,2}\s?\d[a-z\d]?)(?P<gap>[\s.,_/-]{0,3})"
    r"(?P<in>\d\s?[a-z]{2})(?![^\W_])"
)
_ORDINAL_GOES_ON = _pattern(
    r"\s+(?:floor|exit|visit|attempt|letter|time|call|of|on|and|at|may|[a-z]+day|week"
    r"|jan\w*|feb\w*|mar\w*|apr\w*|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*|appointment)\b"
)
_ORDINAL = _pattern(r"(?:1st|2nd|3rd|[04-9]th)")
_POSTCODE_SAID = _pattern(
    _said(r"post\s?code|p/?code|pc", 8)
    + r"(?P<found>[a-z]{1,2}\s?[\doil][a-z\d]?\s{0,2}[\doil]\s?[a-z]{2})(?![^\W_])"
)


def postcodes(text: str) -> Iterator[Hit]:
    """Yield full postcodes in either case; after "postcode" with O for 0 and I for 1 too."""
    for found in _POSTCODE.finditer(text):
        if not is_full_postcode(re.sub(r"\W", "", found["out"]) + re.sub(r"\W", "", found["in"])):
            continue
        # "on the M6 3rd exit" and "flat B2 2nd floor" are no postcodes.
        if (
            found["gap"]
            and _ORDINAL.fullmatch(found["in"])
            and not found["in"].isupper()
            and _ORDINAL_GOES_ON.match(text, found.end())
        ):
            continue
        # "at 1 2 ab": a gap inside each half is a layout only of a code in capitals.
        spaced = " " in found["out"] or " " in found["in"]
        if not spaced or found.group().isupper():
            yield Hit(*found.span(), 0.9)
    for found in _POSTCODE_SAID.finditer(text):
        yield Hit(*found.span("found"), 0.9)


_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(
    rf"(?<![\w.+-])[^\W_](?:[\w.%+'-]{{0,62}}[\w%+-])?\s{{0,2}}@\s{{0,2}}(?:{_LABEL}\.\n?)+"
    r"[^\W\d_]{2,24}(?![^\W_])"
)
_AT = r"(?:\s{0,2}[\[({<]\s?(?:at|@)\s?[\])}>]\s{0,2}|\s{1,2}at\s{1,2}|\s{0,2}@\s{0,2})"
_DOT = r"(?:\s{0,2}[\[({<]\s?(?:dot|\.)\s?[\])}>]\s{0,2}|\s{1,2}dot\s{1,2}|\s?\.\s?)"
_EMAIL_SPELLED = _pattern(
    rf"(?<![\w.+-])[^\W_][\w+-]{{0,63}}(?:{_DOT}[\w+-]{{1,63}}){{0,4}}{_AT}"
    rf"[^\W_][\w-]{{0,62}}(?:{_DOT}[^\W_][\w-]{{0,62}}){{1,5}}(?![^\W_])"
)
_DISGUISE = _pattern(r"\s+dot\s+|[\[({<]\s*(?:at|dot|@|\.)\s*[\])}>]|\s@|@\s")
_SENTENCE_TAIL = re.compile(r"\.\s+[^\W\d_]+$")


def emails(text: str) -> Iterator[Hit]:
    """Yield e-mail addresses, also disguised as "name at example dot org" or "name [at] ..."."""
    for found in _EMAIL.finditer(text):
        yield Hit(*found.span(), SURE)
    for found in _EMAIL_SPELLED.finditer(text):
        address = _SENTENCE_TAIL.sub("", found.group())
        disguised = _DISGUISE.search(address) is not None
        if disguised and ("@" in address or _DISGUISE.search(address.replace(" at ", "@"))):
            yield Hit(found.start(), found.start() + len(address), 0.9)


_PHONE = re.compile(
    r"(?<![\w£$€.,/-])(?:(?:\+|00)\s?44[\s.-]{0,2}(?:\(0\))?|\(?\+44\)?\s?|\(?0)"
    r"(?:(?:[\s()_-]{0,3}|\.)\d){9,10}(?![^\W_])"
)
_PHONE_ABROAD = re.compile(
    r"(?<![\w+])(?:\+|00)(?!44)[1-9]\d{0,2}(?:[\s.()-]{0,2}\d){7,12}(?![^\W_])"
)
_PHONE_WORDS = (
    r"tel|telephone|phone|ph|mob|mobile|landline|fax|call(?:ed)?|rang|ring|text(?:ed)?|whatsapp"
    r"|contact|number|no"
)
_PHONE_SAID = _pattern(
    _said(_PHONE_WORDS, 16) + r"(?<!\d)(?P<found>7[1-57-9]\d{2}[\s.-]?\d{3}[\s.-]?\d{3})(?!\d)"
)
_PHONE_LOCAL = _pattern(
    r"(?<![^\W_])(?:tel|telephone|phone|ph|mob|mobile|landline)"
    r"(?:\s*(?:no|number|num))?\s*[.:=-]{0,2}\s*"
    r"(?P<found>\d{3}[\s.-]?\d{3,4}|\d{6,8})(?!\w)(?![\s.-]?\d)"
)


def phones(text: str) -> Iterator[Hit]:
    """Yield telephone numbers of the UK and abroad; short ones and ones without 0 after "tel"."""
    for found in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", found.group())
        local = digits.removeprefix("00").removeprefix("44") if digits[0] != "0" else digits
        local = local.removeprefix("0044").lstrip("0")
        if local[:1] in set("1235789") and len(local) in (9, 10):
            yield Hit(*found.span(), LIKELY)
    for pattern in (_PHONE_ABROAD,):
        for found in pattern.finditer(text):
            yield Hit(*found.span(), LIKELY)
    for pattern in (_PHONE_SAID, _PHONE_LOCAL):
        for found in pattern.finditer(text):
            yield Hit(*found.span("found"), 0.8)


_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|febuary|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_ORDINALS = (
    r"(?:(?:twenty|thirty)[\s-]?)?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    r"|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth"
    r"|nineteenth|twentieth|thirtieth"
)
_YEAR = r"(?:(?:19|20)\d{2}|'?\d{2})(?!\d)"
_SPELLED_YEAR = (
    r"(?:nineteen|two\s+thousand|twenty)(?:[\s-]+(?:and\s+)?[a-z]+ty)?"
    r"(?:[\s-]+(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen))?"
)
_ANY_YEAR = rf"(?:{_YEAR}|{_SPELLED_YEAR})"
_DAY = rf"(?:\d{{1,2}}\s?(?:st|nd|rd|th)?|{_ORDINALS})"
_DATE = (
    r"(?:(?:19|20)\d{2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,2}"
    rf"|\d{{1,2}}\s?[-/.,_\\|]\s?\d{{1,2}}\s?[-/.,_\\|]\s?{_YEAR}"
    rf"|\d{{1,2}}\s\d{{1,2}}\s{_YEAR}"
    rf"|{_DAY}[\s.,/-]*(?:of\s+|day\s+of\s+)?{_MONTHS}[\s.,/'-]*{_ANY_YEAR}"
    rf"|{_MONTHS}\s*{_DAY}[\s,.]+{_ANY_YEAR})"
)
_BIRTH = (
    r"d\.?\s?o\.?\s?b(?![a-z])\.?|b\.(?=\s?\d)|dates?\s+of\s+birth|birth\s?-?date|born|birthday|b/?day|birth"
    r"|dofb|d/o/b"
)
_BIRTH_SAID = _pattern(
    rf"(?<![^\W_])(?:{_BIRTH})(?:(?![.;!?]\s+[A-Z][a-z])[^\d\n]|\n){{0,28}}?"
    rf"(?<!\d)(?P<found>{_DATE}|\d{{8}}|\d{{6}})(?![^\W_])"
)
_MONTH_OF_BIRTH = _pattern(
    r"(?<![^\W_])(?:born|d\.?o\.?b\.?|dates?\s+of\s+birth|birth\s?-?(?:date|month))(?![^\W_])"
    r"(?:(?![.;!?]\s+[A-Z][a-z])[^\d\n]|\n){0,28}?(?<![^\W_])"
    rf"(?P<found>{_MONTHS}[\s.,/'-]*(?:of\s+)?(?:(?:19|20)\d{{2}}|{_SPELLED_YEAR})"
    r"|(?:0?[1-9]|1[0-2])\s?/\s?(?:19|20)\d{2})(?![^\W_])"
)
_BIRTH_AFTER = _pattern(
    rf"(?<![\w/.-])(?P<found>{_DATE})"
    rf"(?:\s*[(,:-]?\s*|\s+(?:is|was)\s+(?:his|her|their|my|the)\s+)(?:{_BIRTH})(?![^\W_])"
)
_DATE_ALONE = _pattern(
    rf"(?<![\w/.-])(?P<found>{_DATE}|[0-3]\d[01]\d(?:19|20)\d\d)(?![^\W_])(?![/-]\d)"
)


def birth_dates(text: str) -> Iterator[Hit]:
    """Yield dates that a word beside them calls a date of birth, also a month and year alone."""
    for pattern in (_BIRTH_SAID, _BIRTH_AFTER):
        for found in pattern.finditer(text):
            yield Hit(*found.span("found"), SURE)
    for found in _MONTH_OF_BIRTH.finditer(text):
        yield Hit(*found.span("found"), LIKELY)


def full_dates(text: str) -> Iterator[Hit]:
    """Yield every full date that exists, of whatever event, for `name_rules` to choose from."""
    for found in _DATE_ALONE.finditer(text):
        value = re.sub(r"\s+", " ", found["found"])
        if as_date(value) or as_date(f"{value[:2]}/{value[2:4]}/{value[4:]}"):
            yield Hit(*found.span("found"), POSSIBLE)


def date_alone(text: str, *, latest: dt.date) -> Iterator[Hit]:
    """Yield the date that is all a text holds, if it is no later than `latest`.

    Parameters
    ----------
    text : str
        One cell of a table, as given.
    latest : datetime.date
        The last date that counts.
    """
    value = plain(text).text.strip()
    date = as_date(value)
    if date is None and re.fullmatch(r"\d{8}", value):
        date = as_date(f"{value[:2]}/{value[2:4]}/{value[4:]}")
    if date is not None and date <= latest:
        start = len(text) - len(text.lstrip())
        yield Hit(start, len(text.rstrip()), ALONE)


def years_before(day: dt.date, years: int) -> dt.date:
    """Return the same day so many years earlier; 28 February for a 29th that year did not have."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


_PLATE_WORDS = (
    r"reg(?:istration|istered|d)?|vrm|vrn|vehicle|car|van|plates?|index|motorbike|moped|driving"
    r"|drives|drove"
)
_MAKES = (
    r"ford|vauxhall|bmw|audi|toyota|nissan|honda|fiat|kia|peugeot|renault|citroen|skoda|seat|vw"
    r"|volkswagen|mercedes|mini|corsa|astra|fiesta|focus|transit|golf|polo|clio|micra|corolla"
)
_PLATE_STYLES = tuple(
    style.pattern for style in (PLATE_CURRENT, PLATE_PREFIX, PLATE_SUFFIX, PLATE_NORTHERN_IRELAND)
)
_PLATE_SAID = _pattern(
    rf"(?<![^\W_])(?:{_PLATE_WORDS}|{_MAKES})(?:(?![.;]\s+[a-z])[^\n]|\n){{0,30}}?(?<![^\W_])"
    rf"(?P<found>{'|'.join(_PLATE_STYLES)})(?![^\W_])"
)
_PLATE_ALONE = re.compile(
    r"(?<![^\W_])(?:[A-HJ-PR-Y][A-HJ-PR-Z](?:0[2-9]|[1-9][0-9])[\s-]{0,2}[A-HJ-PR-Z]{3}"
    r"|[a-hj-pr-y][a-hj-pr-z](?:0[2-9]|[1-9][0-9])[\s-]?[a-hj-pr-z]{3}"
    r"|[A-HJ-NP-TV-Y][1-9][0-9]{2}[\s-]?[A-HJ-PR-Z]{3}|[A-HJ-NP-TV-Y][1-9][0-9]{1,2}[A-HJ-PR-Z]{3}"
    r"|[A-HJ-PR-Z]{3}[\s-]?[1-9][0-9]{2}[A-HJ-NPR-TV-Y])(?![^\W_])"
)
_COMMON = """
AND THE FOR HAS HAD NOT BUT WAS ARE HER HIS SHE YOU ALL ANY CAN GET OUT OFF DUE PER OUR WHO NOW
NEW OLD ONE TWO TEN DAY SEE SAY LET SET PUT RAN RUN LAW CAR BUS VAN MAN MEN PAY ACT WAY YET TOO
USE HOW MAY NHS PCN TAX REF DOB MRS
"""
_COMMON_THREE = frozenset(_COMMON.split())


def vehicles(text: str) -> Iterator[Hit]:
    """Yield vehicle registrations; loose layouts of older styles only after "reg" or "car"."""
    for found in _PLATE_SAID.finditer(text):
        letters = re.findall(r"[A-Z]{3}", found["found"].upper())
        if not any(word in _COMMON_THREE for word in letters):
            yield Hit(*found.span("found"), 0.9)
    for found in _PLATE_ALONE.finditer(text):
        letters = re.findall(r"[A-Z]{3}", found.group().upper())
        if not any(word in _COMMON_THREE for word in letters):
            yield Hit(*found.span(), LIKELY)


_SORT = r"\d{2}[\s.-]{0,3}\d{2}[\s.-]{0,3}\d{2}(?!\d)"
_ACCOUNT = r"\d(?:[\s-]?\d){7}(?![\s-]?\d)"
_SORT_SAID = _pattern(_said(r"sort\s?-?code|s/c|sc|sortcode|sort", 12) + rf"(?P<found>{_SORT})")
_ACCOUNT_SAID = _pattern(
    _said(r"account|acc(?:oun)?t?|a/?c|bank", 22) + rf"(?<!\d)(?P<found>{_ACCOUNT})"
)
_SORT_ACCOUNT = _pattern(
    rf"(?<![\w£-])(?P<sort>\d{{2}}[- ]?\d{{2}}[- ]?\d{{2}})"
    rf"(?P<between>(?:[\s,/:;&+|-]|and|a/?c|acc(?:oun)?t?|no|number|\.)*)(?P<account>{_ACCOUNT})"
)
_IBAN = _pattern(r"(?<![^\W_])gb\s?\d{2}\s?(?:[a-z]\s?){4}(?:\d[\s-]?){13}\d(?![^\W_])")
_CARD = re.compile(r"(?<![\w£.,/-])\d{4}[\s-]?\d{4}[\s-]?\d{4}[\s-]?\d{4}(?!\w)")


def bank_details(text: str) -> Iterator[Hit]:
    """Yield sort codes and accounts, IBANs of the UK and payment cards (Luhn, ISO/IEC 7812-1)."""
    for pattern in (_SORT_SAID, _ACCOUNT_SAID):
        for found in pattern.finditer(text):
            yield Hit(*found.span("found"), 0.92)
    for found in _SORT_ACCOUNT.finditer(text):
        if found["between"] or "-" in found["sort"]:
            yield Hit(*found.span("sort"), LIKELY)
            yield Hit(*found.span("account"), LIKELY)
    for found in _IBAN.finditer(text):
        yield Hit(*found.span(), CERTAIN if is_iban_gb(re.sub(r"\s", "", found.group())) else 0.9)
    for found in _CARD.finditer(text):
        if _passes_luhn(re.sub(r"\D", "", found.group())):
            yield Hit(*found.span(), CERTAIN)


def _passes_luhn(digits: str) -> bool:
    doubled = (
        sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(digits[::-1])
    )
    return sum(doubled) % 10 == 0


_ROADS = (
    r"street|st|road|rd|avenue|ave|av|lane|ln|drive|drv|close|clo|cl|court|ct|crescent|cres|cresc"
    r"|gardens|gdns|grove|gr|place|pl|terrace|terr|tce|way|walk|row|square|sq|hill|mews|parade"
    r"|rise|view|green|park|croft|fields?|meadows?|wharf|quay|house|tower|point|heights|lodge"
)
_NOT_IN_ADDRESS = (
    r"the|on|in|at|to|of|and|or|for|from|by|with|a|an|is|was|were|are|day|days|week|weeks|month"
    r"|months|year|years|hour|hours|minutes?|mins?|people|persons?|adults?|child|children|cases?"
    r"|times?|miles?|metres?|other|more|bed|bedroom|bedrooms|bedroomed|x|no|per|hrs|calls?|visits?"
    r"|jan\w*|feb\w*|mar|march|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*|pm|am"
)
_ADDRESS = _pattern(
    rf"(?<![\w£/.-])(?:(?:flat|apartment|apt|unit|room|rm)\s*[\w/]{{1,4}}\s*[,;]?\s*)?"
    rf"\d{{1,4}}\s?[a-h]?(?![^\W_])\s*,?[ \n]"
    rf"(?:(?!(?:{_NOT_IN_ADDRESS})\b)[a-z][a-z'.-]*[ \n]){{1,3}}"
    rf"(?:{_ROADS})(?![^\W_])"
)


def addresses(text: str) -> Iterator[Hit]:
    """Yield a number and a road ("14 Acacia Avenue"); a road alone names no home."""
    for found in _ADDRESS.finditer(text):
        yield Hit(*found.span(), 0.75)


@dataclass(frozen=True)
class Recogniser:
    """A function that finds one kind in a plain text, with the kind (a key of `KINDS`)."""

    kind: str
    find: Callable[[str], Iterator[Hit]]


RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser("NHS_NUMBER", nhs_numbers),
    Recogniser("NINO", ninos),
    Recogniser("UPRN", uprns),
    Recogniser("POSTCODE", postcodes),
    Recogniser("EMAIL", emails),
    Recogniser("PHONE", phones),
    Recogniser("DATE_OF_BIRTH", birth_dates),
    Recogniser("VEHICLE", vehicles),
    Recogniser("BANK_ACCOUNT", bank_details),
    Recogniser("ADDRESS", addresses),
)
"""Every recogniser of an identifier; names of people are found by `names`."""
