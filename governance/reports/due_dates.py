"""The governance calendar: ends, reviews, DSPT expiries and disposals, as a list, picture and .ics.

Belongs here: which days matter and how they are drawn. Does not belong here: what a register says
of an agreement (``register.py``), or disposing of anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from declarations.base import first_day, month_index, month_of, period_of
from declarations.declared import RegionDeclarations
from governance.agreement_text.words import ZONES, count_words, day_words, phrase
from governance.lifecycle.retention import Due
from governance.reports.pages import Drawing

MONTHS_AHEAD = 24
Kind = Literal["expiry", "review", "dspt", "disposal"]
KIND_WORDS: dict[Kind, str] = {
    "expiry": "agreement ends", "review": "review due", "dspt": "DSPT status runs out",
    "disposal": "disposal due",
}  # fmt: skip
_LETTERS: dict[Kind, str] = {"expiry": "E", "review": "R", "dspt": "D", "disposal": "X"}
_FILLS: dict[Kind, str] = {
    "expiry": "#801650", "review": "#12436d", "dspt": "#28696b", "disposal": "#3d3d3d",
}  # fmt: skip
_SHAPES: dict[Kind, str] = {
    "expiry": '<rect x="-8" y="-8" width="16" height="16" fill="{fill}"/>',
    "review": '<circle r="8.5" fill="{fill}"/>',
    "dspt": '<path d="M0 -10.5 L10.5 0 L0 10.5 L-10.5 0 Z" fill="{fill}"/>',
    "disposal": '<path d="M-9.5 -8 H9.5 L6 8.5 H-6 Z" fill="{fill}"/>',
}
_LABEL, _MONTH, _STEP, _TOP = 132, 36, 24, 46
LINE_OCTETS = 75
"""A line of an iCalendar file is folded after so many octets (RFC 5545, section 3.1)."""


@dataclass(frozen=True)
class DueDay:
    """One day that matters.

    Attributes
    ----------
    day : datetime.date
    kind : {"expiry", "review", "dspt", "disposal"}
    agreement : str
    words : str
        What is due, without the day.
    """

    day: dt.date
    kind: Kind
    agreement: str
    words: str


def due_days(declared: RegionDeclarations, clocks: Iterable[Due]) -> list[DueDay]:
    """Return every day that matters, past ones too, in order.

    Disposals of one agreement, zone and month are one entry, on the first of their days.
    """
    found = [*_declared_days(declared), *_disposals(clocks)]
    return sorted(found, key=lambda d: (d.day, d.agreement, d.kind, d.words))


def _declared_days(declared: RegionDeclarations) -> Iterable[DueDay]:
    for agreement in declared.agreements.values():
        if agreement.expiry_date is not None:
            yield DueDay(agreement.expiry_date, "expiry", agreement.id,
                         f"{agreement.id} ends: {agreement.title}")  # fmt: skip
        if agreement.review_date is not None:
            yield DueDay(agreement.review_date, "review", agreement.id,
                         f"Review of {agreement.id}: {agreement.title}")  # fmt: skip
        statuses: dict[dt.date, list[str]] = {}
        for status in agreement.dspt:
            statuses.setdefault(status.expires, []).append(status.organisation)
        for day, names in statuses.items():
            who = names[0] if len(names) == 1 else count_words(len(names), "organisation")
            yield DueDay(day, "dspt", agreement.id, f"DSPT status of {who} ({agreement.id})")


def _disposals(clocks: Iterable[Due]) -> Iterable[DueDay]:
    groups: dict[tuple[str, str, str], list[Due]] = {}
    for item in clocks:
        if item.kind != "derived" and item.hold is None:
            name = item.agreements[0] if item.agreements else ""
            groups.setdefault((name, item.zone, period_of(item.due_on)), []).append(item)
    for (agreement, zone, _), items in groups.items():
        what = phrase(ZONES, zone)
        yield DueDay(
            min(i.due_on for i in items), "disposal", agreement,
            f"Disposal of {count_words(len(items), 'item')} of {what} ({agreement})",
        )  # fmt: skip


def ahead(days: Iterable[DueDay], today: dt.date, months: int = MONTHS_AHEAD) -> list[DueDay]:
    """Return the days from today to the end of the last of so many months."""
    last = first_day(month_of(month_index(period_of(today)) + months))
    return [d for d in days if today <= d.day < last]


def behind(days: Iterable[DueDay], today: dt.date) -> list[DueDay]:
    """Return the days that have passed."""
    return [d for d in days if d.day < today]


def timeline(days: Sequence[DueDay], today: dt.date, months: int = MONTHS_AHEAD) -> Drawing:
    """Draw the days ahead: an agreement a row, a month a column, a shape and letter a kind."""
    start = month_index(period_of(today))
    rows = sorted({d.agreement for d in days})
    cells: dict[tuple[str, int], list[Kind]] = {}
    for due in days:
        kinds = cells.setdefault((due.agreement, month_index(period_of(due.day)) - start), [])
        if due.kind not in kinds:
            kinds.append(due.kind)
    heights = {
        row: max((len(k) for (r, _), k in cells.items() if r == row), default=1) for row in rows
    }
    width, y = _LABEL + months * _MONTH, _TOP
    parts: list[Markup] = _months(start, months)
    for number, row in enumerate(rows):
        height = heights[row] * _STEP + 8
        if number % 2 == 0:
            parts.append(_tag(f'<rect x="0" y="{y}" width="{width}" height="{height}" '
                              'fill="#f3f2f1"/>'))  # fmt: skip
        parts.append(_text(4, y + height / 2 + 4, row, "start"))
        for (name, month), kinds in sorted(cells.items()):
            if name == row:
                x = _LABEL + month * _MONTH + _MONTH / 2
                parts += [
                    _mark(x, y + 4 + _STEP * (i + 0.5), kind)
                    for i, kind in enumerate(sorted(kinds))
                ]
        y += height
    parts += _legend(y + 24)
    words = (
        f"Timeline of the next {months} months: {count_words(len(days), 'due day')} for "
        f"{count_words(len(rows), 'agreement')}. The table below says the same."
    )
    svg = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        width, round(y + 44), words
    )
    return Drawing(svg + Markup("").join(parts) + Markup("</svg>"), words)


def _tag(text: str) -> Markup:
    # Only numbers and constants of this module go in here.
    return Markup(text)  # noqa: S704


def _text(x: float, y: float, words: str, anchor: str, fill: str = "#0b0c0c") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}" fill="{}">{}</text>').format(
        round(x, 1), round(y, 1), anchor, fill, words
    )


def _months(start: int, months: int) -> list[Markup]:
    parts = []
    for number in range(months):
        day = first_day(month_of(start + number))
        x = _LABEL + number * _MONTH
        parts.append(_text(x + _MONTH / 2, 36, f"{day:%b}", "middle"))
        if number == 0 or day.month == 1:
            parts.append(_text(x + 4, 16, str(day.year), "start"))
            line = f'<line x1="{x}" y1="4" x2="{x}" y2="42" stroke="#505a5f"/>'
            parts.append(_tag(line))
    return parts


def _mark(x: float, y: float, kind: Kind) -> Markup:
    shape = _SHAPES[kind].format(fill=_FILLS[kind])
    return (
        _tag(f'<g transform="translate({round(x, 1)} {round(y, 1)})">{shape}')
        + _text(0, 4, _LETTERS[kind], "middle", "#fff")
        + Markup("</g>")
    )


def _legend(y: float) -> list[Markup]:
    parts, x = [], 12
    for kind, words in KIND_WORDS.items():
        parts += [_mark(x, y, kind), _text(x + 15, y + 4, words, "start")]
        x += 175
    return parts


def ics_text(days: Iterable[DueDay], region: str, today: dt.date) -> str:
    """Return the days as an iCalendar file (RFC 5545): all-day events with a reminder.

    Parameters
    ----------
    region : str
        Identifier of the region: with it an event keeps its name when the file is made again.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//lsoalink//governance//EN",
             "CALSCALE:GREGORIAN", f"X-WR-CALNAME:Governance of {_escaped(region)}"]  # fmt: skip
    seen: dict[str, int] = {}
    for due in days:
        name = f"{region}-{due.agreement}-{due.kind}-{due.day:%Y%m%d}".lower()
        seen[name] = seen.get(name, 0) + 1
        lines += [
            "BEGIN:VEVENT",
            f"UID:{name}-{seen[name]}@lsoalink.invalid",
            f"DTSTAMP:{today:%Y%m%d}T000000Z",
            f"DTSTART;VALUE=DATE:{due.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{due.day + dt.timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(due.words)}",
            f"CATEGORIES:{_escaped(KIND_WORDS[due.kind])}",
            f"DESCRIPTION:{_escaped(f'{KIND_WORDS[due.kind]} on {day_words(due.day)}')}",
            "TRANSP:TRANSPARENT",
            "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-P28D",
            f"DESCRIPTION:{_escaped(due.words)}", "END:VALARM",
            "END:VEVENT",
        ]  # fmt: skip
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _escaped(text: str) -> str:
    for raw, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(raw, written)
    return text.replace("\r", "")


def _folded(line: str) -> list[str]:
    """Cut a line into pieces of at most 75 octets, never inside a character."""
    pieces, piece = [], ""
    for character in line:
        if len((piece + character).encode()) > LINE_OCTETS:
            pieces.append(piece)
            piece = " "
        piece += character
    return [*pieces, piece]
