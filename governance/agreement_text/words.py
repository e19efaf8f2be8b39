"""The words for what agreements say: classes, actions, zones, roles, days and spans of time.

Belongs here: phrases. Does not belong here: which of them a page or a finding uses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from declarations.agreements import AgreedColumn
from declarations.base import last_day, period_of

CLASSES = {
    "direct_identifier": "direct identifier",
    "quasi_identifier": "indirect identifier",
    "special": "special category",
    "measure": "measure",
    "reference": "reference",
    "free_text": "free text",
}
KEPT_AS = {
    "drop": "dropped",
    "pseudonymise": "pseudonymised",
    "generalise": "used to find the neighbourhood, then removed",
    "redact": "redacted",
    "keep": "kept",
}
FATES = {
    "drop": "Never stored.",
    "pseudonymise": "Replaced by a keyed pseudonym of this agreement before anything is stored.",
    "generalise": "Used to find the neighbourhood, then removed.",
    "redact": "Stored with the identifiers in it removed; dropped if that cannot be done well.",
    "keep": "Stored as it is, in the encrypted record-level tables.",
}
COARSENED = {
    "age_band": "turned into an age band, then removed",
    "presence": "turned into whether there is one, then removed",
}
"""What becomes of a generalised column that finds no neighbourhood, by what it is turned into."""
GEOGRAPHIES = {
    "lsoa21": "2021 LSOAs (about 1,600 residents)",
    "msoa21": "2021 MSOAs (about 8,000 residents)",
    "lad24": "local authority districts",
}
ZONES = {
    "received": "originals as sent",
    "restricted": "record-level tables",
    "linked": "exact counts by neighbourhood",
    "quality": "quality reports",
    "published": "releases",
}
ROLES = {
    "data_engineer": "data engineers",
    "analyst": "analysts",
    "governance_officer": "governance officers",
    "supplier": "supplying agencies",
    "public": "the public",
}
DSPT = {
    "standards_exceeded": "standards exceeded",
    "standards_met": "standards met",
    "approaching_standards": "approaching standards",
    "not_met": "standards not met",
}


def phrase(names: dict[str, str], key: str) -> str:
    """Return the words of a key; for one without words, the key itself made readable."""
    return names.get(key, key.replace("_", " "))


def kept_as(column: AgreedColumn) -> str:
    """Return what an agreement does with a column, in a few words."""
    return phrase(COARSENED, column.to) if column.to else phrase(KEPT_AS, column.action)


def fate(column: AgreedColumn) -> str:
    """Return what becomes of a column, as a sentence."""
    return sentence(phrase(COARSENED, column.to)) if column.to else phrase(FATES, column.action)


def day_words(day: dt.date) -> str:
    """Return a day as people write it, for example '31 March 2027'."""
    return f"{day.day} {day:%B %Y}"


def count_words(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, for example '1 month' or '12 months'."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def span_words(earlier: dt.date, later: dt.date) -> str:
    """Return the time from one day to a later one: in months where it is whole months, else days.

    The last day of a month to the last day of another counts as whole months.
    """
    ends = all(day == last_day(period_of(day)) for day in (earlier, later))
    if earlier.day == later.day or ends:
        months = (later.year - earlier.year) * 12 + later.month - earlier.month
        if months:
            return count_words(months, "month")
    return count_words((later - earlier).days, "day")


def listed(names: Iterable[str], nothing: str = "none") -> str:
    """Return names as a list in a sentence: 'a, b and c'."""
    found: Sequence[str] = list(names)
    if not found:
        return nothing
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def sentence(text: str) -> str:
    """Return a text with a capital letter in front and a full stop behind."""
    stripped = text.strip()
    return f"{stripped[:1].upper()}{stripped[1:]}{'' if stripped.endswith(('.', '?')) else '.'}"
