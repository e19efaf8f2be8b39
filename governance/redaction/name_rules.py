r"""Names of people by where they stand: after a title, a role or a phrase, in a greeting.

Belongs here: the rules, and telling a person's name from a road's or an organisation's. Does not
belong here: the model (`names`), or the words the rules go by (`name_words`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from governance.redaction.name_words import NEVER_NAMES, NO_NAME_AFTER, PLACE_WORDS
from governance.redaction.recognisers import Hit, full_dates

ACRONYM = re.compile(r"[A-Z]{2,6}")
"""A word in capitals: in a text that is not all in capitals rather an acronym than a name."""

POSSESSIVE = re.compile(r"'s$", re.IGNORECASE)


def may_be_name(word: str) -> bool:
    """Whether a word may be part of a name, from the word alone: no title, role or acronym."""
    bare = word.rstrip(".").lower()
    return bare not in NEVER_NAMES and bare not in NO_NAME_AFTER and not ACRONYM.fullmatch(word)


_PLACE_AFTER = re.compile(
    rf"(?:'s)?[ ]+(?:{'|'.join(word.capitalize() for word in PLACE_WORDS)})(?![^\W_])"
)
_LOWER_PLACE_AFTER = re.compile(rf"(?:'s)?[ ]+(?:{'|'.join(PLACE_WORDS)})(?![^\W_])")


_SAINT = re.compile(r"St\.? [A-Z]")


def is_place(text: str, start: int, end: int) -> bool:
    """Whether what looks like a name is part of the name of a road, building or organisation."""
    if _TITLE_BEFORE.search(text, max(0, start - 14), start):
        return False
    after = _LOWER_PLACE_AFTER if text[start:end].islower() else _PLACE_AFTER
    return after.match(text, end) is not None or _SAINT.match(text, start) is not None


_TITLES = (
    r"mr|mrs|ms|mx|dr|doctor|prof|professor|rev|reverend|cllr|councillor|sgt|sergeant|pc|dc"
    r"|insp|inspector|dcs|supt|capt|hon|mp|nurse|midwife|imam|rabbi|pastor|fr"
)
_LOUD_TITLES = (
    rf"{_TITLES}|miss|sir|dame|lord|lady|master|sister|brother|father|aunt|auntie|aunty|uncle|judge"
    r"|ds|di|sw"
)
_TITLE_BEFORE = re.compile(rf"(?<![^\W_])(?:{_LOUD_TITLES})\.?\s+$", re.IGNORECASE)
_CAPITAL = r"[A-Z][^\W\d_]*(?:['-][^\W\d_]+)*\.?"
_PARTICLE = (
    r"(?:(?:van|von|de|del|della|da|dos|du|la|le|bin|binti|ibn|al|el|ap|ben|ul|ur|mc|mac|o)[\s'-]+)"
)
_PROPER = rf"{_PARTICLE}{{0,2}}{_CAPITAL}(?:[ ]{{1,2}}{_PARTICLE}{{0,2}}{_CAPITAL}){{0,3}}"
_LOWER = r"[^\W\d_]{2,}(?:['-][^\W\d_]+)*"
_TITLED = re.compile(
    rf"(?<![^\W_])(?i:{_LOUD_TITLES})(?:\.?\s+|\.)"
    rf"(?:(?:and|&)\s+(?i:mrs|mr|ms|dr)\.?\s+)?(?P<found>{_PROPER})"
)
_TITLED_LOWER = re.compile(
    rf"(?<![^\W_])(?:mr|mrs|ms|mx|dr|cllr|prof)\.?\s+(?P<found>{_LOWER})", re.IGNORECASE
)
_PHRASES = (
    r"my\s+name(?:'s|\s+is)|name\s+is|names?\s*[:=-]"
    r"|(?:first|last|full|sur|given|fore|family)\s?-?names?\s*[:=-]*"
    r"|also\s+known\s+as|known\s+as|aka|a\.k\.a\.?|called|named|nee|signed(?:\s+by)?\s*:?"
    r"|c/o|fao|f\.a\.o\.?"
    r"|(?:patient|client|tenant|resident|applicant|customer|service\s+user|claimant|caller|carer|nok"
    r"|next\s+of\s+kin|contact|author|from|to|cc|attn|worker|officer|referrer|witness)\s*:"
)
_KIN = (
    r"(?:son|daughter|wife|husband|partner|mother|father|mum|dad|brother|sister|uncle|aunt|auntie"
    r"|nephew|niece|cousin|grandson|granddaughter|grandmother|grandfather|nan|stepson|stepdaughter"
    r"|stepfather|stepmother|boyfriend|girlfriend|fiance|fiancee|ex|ex-partner|ex-husband|ex-wife"
    r"|baby|twins?|neighbour|friend|child|children|sibling|carer|widow\s+of|widower\s+of)"
)
_ROLES = (
    r"victim|perpetrator|perp|suspect|witness|complainant|tenant|resident|applicant|client|patient"
    r"|pt|claimant|caller|driver|owner|landlord|landlady|worker|officer|coach|teacher|solicitor"
    r"|manager|referrer|interpreter|advocate|nok|occupier|householder|carer|keyworker|s/u|su|mp"
    r"|(?:t/c|tel|telephone\s+call|phone\s+call|call|email|e-mail|letter|message|text|referral"
    r"|voicemail|visit|visited|home\s+visit)(?:\s+(?:from|to|with|by))?"
    r"|(?:spoke|speaking|spoken|talked|met|meeting|discussed)\s+(?:to|with)"
    r"|(?:seen|signed|completed|reported|collected|given|authorised|approved|written|assessed)\s+by"
)
_ROLED = re.compile(
    rf"(?<![^\W_])(?i:{_ROLES})(?:\s*,\s*|\s+|\s*\(\s*|\s*:\s*)(?P<found>{_PROPER})"
)
_DEEDS = (
    r"phoned|rang|called|said|says|stated|states|reported|reports|attended|confirmed|confirms"
    r"|disclosed|presented|emailed|texted|told|asked|asks|lives|replied|explained|denied|denies"
    r"|admitted|agreed|wants|feels|arrived|refused|declined|is\s+(?:a|the|currently|now)"
)
_DOER = re.compile(
    r"(?:^|[.!?\n]\s{0,3})(?P<found>[A-Z][^\W\d_]+(?:[ -][A-Z][^\W\d_]+)?)\s+"
    rf"(?:{_DEEDS})(?![^\W_])"
)
_LISTED = re.compile(
    r"(?:^|[\n|;:\t]|\.\s)[ ]*(?P<found>(?:D[aeEA] )?[A-Z][^\W\d_]*(?:['-][^\W\d_]+)*"
    r",\s?[A-Z][^\W\d_]+(?:[ -][A-Z][^\W\d_]*){0,2})"
    r"(?=\s*(?:$|\n|[-|(,;\t]|\d|dob\b|d\.o\.b|nhs\b|m\b|f\b|male\b|female\b|aged?\b))"
)
_PHRASED = re.compile(rf"(?<![^\W_])(?i:{_PHRASES})\s*(?P<found>{_PROPER})")
_PHRASED_LOWER = re.compile(
    r"(?<![^\W_])(?:my\s+name(?:'s|\s+is)|(?:her|his|their|whose)\s+name\s+is|name\s*:)\s*"
    rf"(?P<found>{_LOWER}(?:[ ]{_LOWER})?)",
    re.IGNORECASE,
)
_KINNED = re.compile(
    rf"(?<![^\W_])(?i:{_KIN})(?:\s+of)?(?:\s*,\s*|\s+|\s*\(\s*|\s*:\s*)(?P<found>{_PROPER})"
)
_GREETED = re.compile(
    rf"(?:^|\n|[.!]\s)[ \t>]*(?i:dear|hi|hello|hiya|hey|good\s+(?:morning|afternoon|evening))\s+"
    rf"(?:(?i:{_LOUD_TITLES})\.?\s+)?(?P<found>{_PROPER}|{_LOWER}(?=\s*[,\n]))"
)
_SIGNED = re.compile(
    r"(?i:kind(?:est)?\s+regards|best\s+(?:wishes|regards)|warm\s+regards|regards|many\s+thanks|thanks"
    r"|thank\s+you|yours(?:\s+\w+){0,2}|sincerely|faithfully|cheers|love|all\s+the\s+best|ta)"
    rf"\s*[,.!]?\s*[\n,]\s*(?P<found>{_PROPER}|{_LOWER}(?:[ ]{_LOWER})?(?=\s*(?:\n|$)))"
)
_INITIALLED = re.compile(
    r"(?<![^\W_])(?:[A-Z]\.\s?){1,3}[A-Z][^\W\d_]{1,}(?:['-][^\W\d_]+)*(?![^\W_])"
)


def ruled_names(text: str) -> Iterator[Hit]:
    """Yield names that a title, phrase, relation, salutation or sign-off announces.

    Parameters
    ----------
    text : str
        A plain text.

    Yields
    ------
    Hit
    """
    for pattern, score in (
        (_TITLED, 0.85),
        (_TITLED_LOWER, 0.7),
        (_PHRASED, 0.75),
        (_PHRASED_LOWER, 0.7),
        (_KINNED, 0.7),
        (_GREETED, 0.7),
        (_SIGNED, 0.7),
        (_ROLED, 0.6),
        (_DOER, 0.5),
        (_LISTED, 0.6),
    ):
        for found in pattern.finditer(text):
            start, end = _trimmed(text, *found.span("found"))
            if start < end and not (pattern is not _TITLED and is_place(text, start, end)):
                yield Hit(start, end, score)
    for found in _INITIALLED.finditer(text):
        if not is_place(text, *found.span()):
            yield Hit(*found.span(), 0.6)


_SETS_OFF = re.compile(r"[(,|-]")


def dates_after_names(text: str, names: Sequence[Hit]) -> Iterator[Hit]:
    """Yield dates that directly follow a name: "Jane Doe (3/4/1981)" is mostly a birth.

    Parameters
    ----------
    text : str
        A plain text.
    names : sequence of Hit
    """
    ends = {name.end for name in names}
    for date in full_dates(text):
        before = re.search(r"[\s,(:;|-]*$", text[max(0, date.start - 4) : date.start])
        gap = len(before.group()) if before else 0
        if before and gap and date.start - gap in ends and _SETS_OFF.search(before.group()):
            yield Hit(date.start, date.end, 0.6)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut a run of words at the first that is no name; drop a possessive and a last full stop."""
    last = start
    for word in re.finditer(r"\S+", text[start:end]):
        bare = word.group().rstrip(".,").lower()
        listed = bare in NO_NAME_AFTER or bare in NEVER_NAMES
        # "son Will", but "son will": these two are names if they are written like names.
        if listed and not (bare in ("will", "may") and word.group()[0].isupper()):
            break
        last = start + word.end()
    piece = text[start:last]
    if piece.endswith(".") and len(piece.split()[-1]) > 2:
        last -= 1
    tail = POSSESSIVE.search(text[start:last])
    return start, start + tail.start() if tail else last
