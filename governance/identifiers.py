r"""UK identifiers of people, homes, vehicles and accounts: is this one value such an identifier?

Belongs here: one predicate a kind of identifier, for a whole value, and the regular expressions of
their forms. Pure and light. Does not belong here: finding identifiers inside a longer text
(`governance.redaction`), or what a postcode's spelling means (`geography.postal.postcodes`).

A value is read with its outer blanks removed. None of the predicates looks anything up, so each
says "has the form of", not "exists"; only the NHS number and the IBAN have check digits. The public
patterns are compiled, match ASCII digits, take capitals unless said otherwise, and are meant for
``fullmatch``.
"""

from __future__ import annotations

import datetime as dt
import re

from geography.postal.postcodes import normalise, pseudo_postcode_kind

NHS_NUMBER = re.compile(r"[0-9](?:[ .-]?[0-9]){9}")
"""Ten digits; blanks, dots, hyphens between (NHS Data Dictionary, NHS NUMBER, n10; shown 3-3-4)."""

NINO = re.compile(
    r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
    r"[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[A-D]"
)
"""National Insurance number with its suffix (HMRC, manual NIM39110: D, F, I, Q, U and V in neither
of the first two places, O not in the second, and seven prefixes never issued)."""

NINO_WITHOUT_SUFFIX = re.compile(
    r"(?!BG|GB|KN|NK|NT|TN|ZZ|EY|LP|OC|SC|SL)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
    r"(?P<gap>[ -]?)(?!(?:19|20)[0-9]{4})[0-9]{2}(?P=gap)[0-9]{2}(?P=gap)[0-9]{2}"
)
"""The same without its suffix, as many systems keep it. Left out is what cannot be told from codes
of the same form: EY (early years providers, Ofsted), LP, OC, SC and SL (partnerships and Scottish
companies, Companies House), and six digits that begin with a year, as in YE202603."""

UPRN = re.compile(r"[0-9]{9,12}(?:\.0+)?")
"""Nine to twelve digits. A UPRN has one to twelve and no check digit (GeoPlace; domain note 1.3);
shorter ones cannot be told from a count or an amount."""

EMAIL = re.compile(
    r"[^\W_](?:[\w.%+'-]{0,62}[\w%+'-])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}"
)
"""Address of the everyday form ``local@domain`` (RFC 5321, lengths of section 4.5.3; quoted local
parts and bare hosts left out). Letters of any script."""

UK_PHONE = re.compile(
    r"(?:(?:\+|00)[ ]?44[ .-]?(?:\(0\)[ .-]?)?|\(?0)(?:"
    r"[ .()-]{0,2}[12357-9](?:[ .()-]{0,2}[0-9]){9}"
    r"|[ .()-]{0,2}1(?:[ .()-]{0,2}[0-9]){8}"
    r"|[ .()-]{0,2}8[ .-]?0[ .-]?0(?:[ .-]?[0-9]){6}"
    r")\)?"
)
"""A number of the UK: 0, +44 or 0044, then nine or ten digits of which the first is 1, 2, 3, 5, 7,
8 or 9 (Ofcom, National Telephone Numbering Plan; nine digits only for 01 and 0800)."""

UK_MOBILE_WITHOUT_ZERO = re.compile(r"7[1-57-9][0-9]{8}")
"""A mobile number whose first zero a spreadsheet has removed (Ofcom: 071-075 and 077-079)."""

PLATE_CURRENT = re.compile(r"[A-HJ-PR-Y][A-HJ-PR-Z][ -]?(?:0[2-9]|[1-9][0-9])[ -]?[A-HJ-PR-Z]{3}")
"""AB12 CDE, from September 2001 (DVLA leaflet INF104: I and Q not used, no age identifier 01)."""

PLATE_PREFIX = re.compile(r"[A-HJ-NP-TV-Y][ -]?[1-9][0-9]{0,2}[ -]?[A-HJ-PR-Z]{3}")
"""A123 BCD, 1983 to 2001 (DVLA leaflet INF104: year letters without I, O, U and Z; Q is for
vehicles of unknown age)."""

PLATE_SUFFIX = re.compile(r"[A-HJ-PR-Z]{3}[ -]?[1-9][0-9]{0,2}[ -]?[A-HJ-NPR-TV-Y]")
"""ABC 123D, 1963 to 1982 (DVLA leaflet INF104: year letters without I, O, Q, U and Z)."""

PLATE_NORTHERN_IRELAND = re.compile(r"(?:[A-Z]I[A-Z]|[A-Z]{2}Z|[A-Z][JOUX]I)[ -]?[1-9][0-9]{0,3}")
"""ABZ 1234 (DVLA leaflet INF104: the three-letter marks with an I or a Z, up to four digits)."""

SORT_CODE_ACCOUNT = re.compile(
    r"[0-9]{2}(?P<gap>[ -]?)[0-9]{2}(?P=gap)[0-9]{2}[ ,/:-]{0,3}[0-9]{4}[ ]?[0-9]{4}"
)
"""Six digits of a sort code, then eight of an account (Pay.UK, vocaLink modulus checking, section
2; the check itself needs a weight table that changes monthly, so the form alone counts)."""

IBAN_GB = re.compile(r"GB[ ]?[0-9]{2}[ ]?[A-Z]{4}(?:[ -]?[0-9]){14}")
"""GB, two check digits, four letters, fourteen digits (ISO 13616, SWIFT IBAN registry)."""

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?:(?:19|20)[0-9]{2}|'?[0-9]{2})"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        r"(?P<y>(?:19|20)\d{2})(?P<s>[-/. ])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
        rf"(?P<d>\d{{1,2}})(?P<s>[-/. ])(?P<m>\d{{1,2}})(?P=s)(?P<y>{_YEAR})",
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:[ ]of)?[-/., ]*"
        rf"(?P<n>{_MONTH})\.?[-/., ]*(?P<y>{_YEAR})",
        rf"(?P<n>{_MONTH})\.?[ ]*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[, ]+(?P<y>{_YEAR})",
        r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])",
    )
)
_CLOCK = re.compile(r"[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$")
_FIRST_YEAR = 1900
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def is_nhs_number(text: str) -> bool:
    """Whether a value is an NHS number: ten digits whose last is the Modulus 11 check digit.

    Parameters
    ----------
    text : str
        Blanks, dots and hyphens between the digits are allowed.

    Returns
    -------
    bool

    Notes
    -----
    NHS Data Dictionary, NHS NUMBER (domain note 1.4): weights 10 to 2 on the first nine digits;
    check = 11 - (sum mod 11), 11 is 0, and 10 makes the number invalid. 943 476 5919 is valid. One
    in eleven numbers of ten digits passes by chance.
    """
    value = text.strip()
    if NHS_NUMBER.fullmatch(value) is None:
        return False
    return has_nhs_check_digit(re.sub(r"[ .-]", "", value))


def has_nhs_check_digit(digits: str) -> bool:
    """Whether the last of ten digits is their Modulus 11 check digit (see `is_nhs_number`)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True)
    )
    check = 11 - total % 11
    return (0 if check == 11 else check) == int(digits[9])


def is_nino(text: str) -> bool:
    """Whether a value is a National Insurance number with its suffix, in either case (`NINO`)."""
    return NINO.fullmatch(text.strip().upper()) is not None


def is_nino_without_suffix(text: str) -> bool:
    """Whether a value is one without its suffix, in either case (`NINO_WITHOUT_SUFFIX`).

    References of an agency's own may have the same form: this is for whole values of a column, not
    for words in a text.
    """
    return NINO_WITHOUT_SUFFIX.fullmatch(text.strip().upper()) is not None


def is_uprn_like(text: str) -> bool:
    """Whether a value has the form of a UPRN that cannot be taken for a count (`UPRN`).

    A number to which a spreadsheet has added ``.0`` is read without it. Nine to twelve zeros are
    no UPRN, nor is a number of the UK that begins with a zero and is of phone length.
    """
    value = text.strip()
    if UPRN.fullmatch(value) is None:
        return False
    digits = value.split(".")[0]
    return bool(digits.strip("0")) and not (len(digits) < 12 and digits.startswith("0"))


def is_full_postcode(text: str) -> bool:
    """Whether a value is a full postcode of a place, by the rule of `geography.postal.postcodes`.

    Districts and sectors ("B15", "B15 2") are not, nor pseudo-postcodes, which name no place.
    """
    if len(text.strip()) > 10:
        return False
    pcds = normalise(text)
    return pcds is not None and pseudo_postcode_kind(pcds) is None


def is_email(text: str) -> bool:
    """Whether a value is an e-mail address (`EMAIL`); a leading ``mailto:`` is allowed."""
    value = text.strip().removeprefix("mailto:")
    return len(value) <= 254 and EMAIL.fullmatch(value) is not None


def is_uk_phone(text: str) -> bool:
    """Whether a value is a UK telephone number (`UK_PHONE`, `UK_MOBILE_WITHOUT_ZERO`)."""
    value = text.strip().removeprefix("tel:")
    return (
        UK_PHONE.fullmatch(value) is not None or UK_MOBILE_WITHOUT_ZERO.fullmatch(value) is not None
    )


def as_date(text: str) -> dt.date | None:
    """Return the full date a value writes, day before month where both are numbers, or None.

    Parameters
    ----------
    text : str
        Such as "1981-04-03", "3/4/81", "03.04.1981", "3rd April 1981", "April 3, 1981",
        "03APR1981", "19810403", with or without a time of day. A year of two digits is of this
        century if that is not in the future, as people write dates of birth.

    Returns
    -------
    datetime.date or None
        Only years from 1900 on.
    """
    value = _CLOCK.sub("", text.strip())
    for layout in _DATES:
        found = layout.fullmatch(value)
        if found is None:
            continue
        parts = found.groupdict()
        name = parts.get("n")
        month = _MONTHS.index(name[:3].lower()) + 1 if name else int(parts["m"])
        return _date(_full_year(parts["y"].lstrip("'")), month, int(parts["d"]))
    return None


def is_birth_date_like(text: str, *, latest: dt.date | None = None) -> bool:
    """Whether a value is a full date on which somebody alive could have been born.

    Parameters
    ----------
    text : str
        See `as_date` for the layouts.
    latest : datetime.date, optional
        The last date that counts; today unless given. A form cannot tell a birth from an event, so
        who knows the period of a delivery can name the day before it.

    Returns
    -------
    bool
        False for a year, a month, a date before 1900 or a date after `latest`.
    """
    date = as_date(text)
    return date is not None and date <= (latest or _today())


def is_vehicle_plate(text: str) -> bool:
    """Whether a value is a registration of current, prefix, suffix or Northern Ireland style."""
    value = text.strip().upper()
    styles = (PLATE_CURRENT, PLATE_PREFIX, PLATE_SUFFIX, PLATE_NORTHERN_IRELAND)
    return any(style.fullmatch(value) is not None for style in styles)


def is_bank_account(text: str) -> bool:
    """Whether a value is a sort code followed by an account number (`SORT_CODE_ACCOUNT`).

    Fourteen digits in a row that begin with a date (20240131120000) are taken for a time.
    """
    value = text.strip()
    if SORT_CODE_ACCOUNT.fullmatch(value) is None:
        return False
    return not (value.isdigit() and as_date(value[:8]) is not None)


def is_iban_gb(text: str) -> bool:
    """Whether a value is an IBAN of the UK whose check digits fit.

    Notes
    -----
    ISO 13616 and ISO 7064 MOD 97-10: the first four characters moved to the end and letters written
    as 10 to 35, the number leaves 1 when divided by 97.
    """
    value = text.strip().upper()
    if IBAN_GB.fullmatch(value) is None:
        return False
    compact = value.replace(" ", "").replace("-", "")
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def _full_year(year: str) -> int:
    if len(year) == 4:
        return int(year)
    century = _today().year // 100 * 100
    return int(year) + (century if century + int(year) <= _today().year else century - 100)


def _date(year: int, month: int, day: int) -> dt.date | None:
    if year < _FIRST_YEAR:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _today() -> dt.date:
    return dt.datetime.now(tz=dt.UTC).date()
