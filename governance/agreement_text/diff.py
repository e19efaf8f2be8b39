"""Two versions of an agreement compared: one sentence a change, the weightiest first.

Belongs here: the fields of the agreement itself. What changed in a source stands in
``diff_sources.py``. A field without words of its own is still said, in general words, so that no
change goes unsaid. Does not belong here: reading files, or how the sentences are shown.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

from declarations.agreements import (
    Agreement,
    PermittedLinkage,
    PermittedOutput,
    PermittedRole,
    Retention,
)
from declarations.permission import FREQUENCIES, LEVELS
from governance.agreement_text.changes import (
    Change,
    Effect,
    direction,
    paired,
    presence,
    shown,
)
from governance.agreement_text.diff_evidence import (
    amendments_changes,
    dspt_changes,
    opt_out_changes,
    signatories_changes,
)
from governance.agreement_text.diff_sources import source_changes
from governance.agreement_text.words import (
    ROLES,
    ZONES,
    count_words,
    day_words,
    listed,
    phrase,
    span_words,
)

LINKAGES = {"area": "by neighbourhood", "record": "person by person"}
RETAINED = {
    "received_days": "originals",
    "restricted_days": "record-level tables",
    "linked_days": "exact counts by neighbourhood",
    "published_days": "releases",
    "after_end_days": "originals and records after the end of the agreement",
    "after_withdrawal_days": "everything after a withdrawal",
}


def agreement_changes(old: Agreement, new: Agreement) -> list[Change]:
    """Return every change from one version to another, the weightiest first.

    Returns
    -------
    list of Change
        Empty if and only if both say the same. The same change in several sources is one entry.
    """
    found: list[Change] = []
    for key in type(new).model_fields:
        before, after = getattr(old, key), getattr(new, key)
        if before == after:
            continue
        handler = HANDLERS.get(key)
        said = handler(before, after) if handler else []
        found += said or [_plain(key, before, after)]
    merged = _merged(found)
    return sorted(merged, key=lambda c: (-c.weight, c.key, c.sentence))


def _merged(changes: list[Change]) -> list[Change]:
    """Join changes that are the same in several sources into one sentence."""
    together: dict[tuple[int, Effect, str], list[Change]] = {}
    for change in changes:
        mark = change.sentence if change.place else f"{change.key}\x00{change.sentence}"
        together.setdefault((change.weight, change.effect, mark), []).append(change)
    merged = []
    for group in together.values():
        first = group[0]
        if not first.place:
            merged += group
            continue
        places = [c.place for c in group]
        noun = "source" if len(places) == 1 else "sources"
        merged.append(
            Change(
                first.weight, first.effect, f"{first.sentence} {noun} {listed(places)}",
                ", ".join(c.key for c in group),
            )
        )  # fmt: skip
    return merged


def _plain(key: str, before: object, after: object) -> Change:
    words = key.replace("_", " ")
    if (
        isinstance(before, list)
        and isinstance(after, list)
        and Counter(map(str, before)) == Counter(map(str, after))
    ):
        return Change(5, "neutral", f"lists {words} in another order", key)
    return Change(
        30, "neutral", f"changes {words} from {shown(before)} to {shown(after)}", key
    )  # fmt: skip


Handler = Callable[[Any, Any], list[Change]]


def _names(key: str, noun: str, weight: int, order: str) -> Handler:
    """Return the handler of a list of names."""

    def said(before: list[str], after: list[str]) -> list[Change]:
        both = paired(before, after, str)
        changes = [Change(weight, "widening", f"adds {noun} {name}", key) for name in both.added]
        changes += [
            Change(weight - 5, "narrowing", f"removes {noun} {name}", key) for name in both.removed
        ]
        if both.reordered:
            changes.append(Change(5, "neutral", f"lists {order} in another order", key))
        return changes

    return said


def _text(key: str, words: str, weight: int, *, appears: Effect, goes: Effect) -> Handler:
    """Return the handler of a text that may be missing."""

    def said(before: str | None, after: str | None) -> list[Change]:
        effect = presence(before, after, appears=appears, goes=goes)
        if not before:
            return [Change(weight, effect, f"states {words}: {shown(after)}", key)]
        if not after:
            return [Change(weight, effect, f"removes {words} ({shown(before)})", key)]
        return [
            Change(weight, effect, f"changes {words} from {shown(before)} to {shown(after)}", key)
        ]

    return said


def _none_text(key: str, words: str, weight: int) -> Handler:
    """Return the handler of a text in which 'none' means that nothing is allowed."""

    def said(before: str, after: str) -> list[Change]:
        none_before, none_after = (t.strip().casefold() in ("none", "") for t in (before, after))
        # Between two texts that allow something, only a reader can say which allows more.
        effect: Effect = "narrowing" if none_after and not none_before else "widening"
        if none_before == none_after and none_after:
            effect = "neutral"
        return [
            Change(weight, effect, f"changes {words} from {shown(before)} to {shown(after)}", key)
        ]

    return said


def _expiry(before: dt.date | None, after: dt.date | None) -> list[Change]:
    if before is None or after is None:
        effect: Effect = "widening" if after is None else "narrowing"
        said = f"changes expiry from {_day(before)} to {_day(after)}"
        return [Change(70, effect, said, "expiry_date")]
    span = f"({day_words(before)} to {day_words(after)})"
    if after > before:
        said = f"extends expiry by {span_words(before, after)} {span}"
        return [Change(70, "widening", said, "expiry_date")]
    said = f"brings expiry forward by {span_words(after, before)} {span}"
    return [Change(68, "narrowing", said, "expiry_date")]


def _day(day: dt.date | None) -> str:
    return day_words(day) if day else "no end"


def _moved(
    what: str, before: dt.date, after: dt.date, effect: Effect, weight: int, key: str
) -> list[Change]:
    way = f"puts the {what} off" if after > before else f"brings the {what} forward"
    days = f"{day_words(before)} to {day_words(after)}"
    span = span_words(min(before, after), max(before, after))
    return [Change(weight, effect, f"{way} by {span} ({days})", key)]


def _start(before: dt.date, after: dt.date) -> list[Change]:
    effect: Effect = "widening" if after < before else "narrowing"
    return _moved("start", before, after, effect, 62, "start_date")


def _review(before: dt.date | None, after: dt.date | None) -> list[Change]:
    if before is None and after is not None:
        return [Change(40, "narrowing", f"sets a review by {day_words(after)}", "review_date")]
    if after is None and before is not None:
        return [
            Change(55, "widening", f"removes the review due by {day_words(before)}", "review_date")
        ]
    if before is None or after is None:
        return []
    effect: Effect = "widening" if after > before else "narrowing"
    return _moved("review", before, after, effect, 45, "review_date")


def _review_overdue(before: str, after: str) -> list[Change]:
    words = {"warn": "only warns", "refuse": "refuses deliveries"}
    said = f"after the day of review {words[after]}, where it {words[before]} today"
    effect: Effect = "widening" if after == "warn" else "narrowing"
    return [Change(50, effect, said, "review_overdue")]


def _kind(before: str, after: str) -> list[Change]:
    effect: Effect = "widening" if after == "open_licence" else "narrowing"
    said = f"becomes {phrase({}, after)}, where it was {phrase({}, before)}"
    return [Change(100, effect, said, "kind")]


def _outputs(before: list[PermittedOutput], after: list[PermittedOutput]) -> list[Change]:
    key, both = "permitted_outputs", paired(before, after, lambda o: o.indicator)
    changes = [
        Change(
            80, "widening",
            f"permits output {o.indicator} at {o.geography} and above, {o.frequency} at most, "
            f"under profile {o.profile}", f"{key}.{o.indicator}",
        )
        for o in both.added
    ]  # fmt: skip
    changes += [
        Change(76, "narrowing", f"no longer permits output {o.indicator}", f"{key}.{o.indicator}")
        for o in both.removed
    ]
    for old, new in both.pairs:
        where = f"{key}.{old.indicator}"
        if old.geography != new.geography:
            effect = direction(-LEVELS.index(old.geography), -LEVELS.index(new.geography))
            said = f"permits output {old.indicator} at {new.geography} and above, where it was "
            changes.append(Change(79, effect, f"{said}{old.geography}", f"{where}.geography"))
        if old.frequency != new.frequency:
            effect = direction(FREQUENCIES.index(old.frequency), FREQUENCIES.index(new.frequency))
            said = f"permits output {old.indicator} {new.frequency}, where it was {old.frequency}"
            changes.append(Change(60, effect, said, f"{where}.frequency"))
        if old.profile != new.profile:
            said = f"changes the disclosure profile of output {old.indicator} from {old.profile} to"
            changes.append(Change(82, "neutral", f"{said} {new.profile}", f"{where}.profile"))
    if both.reordered:
        changes.append(Change(5, "neutral", "lists permitted outputs in another order", key))
    return changes


def _roles(before: list[PermittedRole], after: list[PermittedRole]) -> list[Change]:
    key, both = "permitted_roles", paired(before, after, lambda r: str(r.role))
    changes = [
        Change(75, "widening", f"lets {_who(r)} read {_zones(r.zones)}", f"{key}.{r.role}")
        for r in both.added
    ]
    changes += [
        Change(72, "narrowing", f"no longer lets {_who(r)} read anything", f"{key}.{r.role}")
        for r in both.removed
    ]
    for old, new in both.pairs:
        zones = paired(old.zones, new.zones, str)
        where = f"{key}.{old.role}.zones"
        if zones.added:
            said = f"lets {_who(old)} also read {_zones(zones.added)}"
            changes.append(Change(75, "widening", said, where))
        if zones.removed:
            said = f"no longer lets {_who(old)} read {_zones(zones.removed)}"
            changes.append(Change(72, "narrowing", said, where))
        if zones.reordered:
            said = f"lists the zones of {_who(old)} in another order"
            changes.append(Change(5, "neutral", said, where))
    if both.reordered:
        changes.append(Change(5, "neutral", "lists permitted roles in another order", key))
    return changes


def _who(role: PermittedRole) -> str:
    return phrase(ROLES, role.role)


def _zones(zones: list[Any]) -> str:
    return listed(phrase(ZONES, zone) for zone in zones)


def _linkages(before: list[PermittedLinkage], after: list[PermittedLinkage]) -> list[Change]:
    key, both = "permitted_linkages", paired(before, after, lambda k: k.agreement)
    changes = [
        Change(
            85, "widening", f"permits its data to meet that of {k.agreement} {LINKAGES[k.level]}",
            f"{key}.{k.agreement}",
        )
        for k in both.added
    ]  # fmt: skip
    changes += [
        Change(
            80, "narrowing", f"no longer permits its data to meet that of {k.agreement}",
            f"{key}.{k.agreement}",
        )
        for k in both.removed
    ]  # fmt: skip
    for old, new in both.pairs:
        if old.level != new.level:
            said = f"permits its data to meet that of {old.agreement} {LINKAGES[new.level]}, where "
            effect: Effect = "widening" if new.level == "record" else "narrowing"
            where = f"{key}.{old.agreement}.level"
            changes.append(Change(92, effect, f"{said}it was {LINKAGES[old.level]}", where))
    if both.reordered:
        changes.append(Change(5, "neutral", "lists permitted linkages in another order", key))
    return changes


def _retention(before: Retention | None, after: Retention | None) -> list[Change]:
    if before is None or after is None:
        effect: Effect = "widening" if after is None else "narrowing"
        said = "removes all limits on retention" if after is None else "sets limits on retention: "
        if after is not None:
            said += listed(
                f"{RETAINED.get(k, k)} {_days(getattr(after, k))}" for k in type(after).model_fields
            )
        return [Change(85, effect, said, "retention")]
    changes = []
    for field in type(after).model_fields:
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            longer = float("inf") if new is None else new
            effect = direction(float("inf") if old is None else old, longer)
            said = f"keeps {RETAINED.get(field, field)} for {_days(new)}, where it was for "
            said += _days(old)
            changes.append(Change(65, effect, said, f"retention.{field}"))
    return changes


def _days(days: int | None) -> str:
    return "good" if days is None else count_words(days, "day")


HANDLERS: dict[str, Handler] = {
    "kind": _kind,
    "parties": _names("parties", "party", 50, "the parties"),
    "controllers": _names("controllers", "controller", 54, "the controllers"),
    "purposes": _names("purposes", "purpose", 90, "the purposes"),
    "recipients": _names("recipients", "recipient", 77, "the recipients"),
    "aims": _text("aims", "the aims", 25, appears="neutral", goes="neutral"),
    "lawful_basis": _text(
        "lawful_basis", "the lawful basis", 88, appears="narrowing", goes="widening"
    ),
    "statute": _text("statute", "the statute relied on", 60, appears="narrowing", goes="widening"),
    "special_condition": _text(
        "special_condition", "the condition for special categories", 87,
        appears="widening", goes="narrowing",
    ),
    "criminal_condition": _text(
        "criminal_condition", "the condition for criminal-offence data", 87,
        appears="widening", goes="narrowing",
    ),
    "confidentiality_basis": _text(
        "confidentiality_basis", "the basis in confidentiality", 83,
        appears="widening", goes="narrowing",
    ),
    "dea_gateway": _none_text("dea_gateway", "the gateway of the Digital Economy Act 2017", 81),
    "sources": source_changes,
    "start_date": _start,
    "expiry_date": _expiry,
    "review_date": _review,
    "review_overdue": _review_overdue,
    "permitted_outputs": _outputs,
    "permitted_roles": _roles,
    "permitted_linkages": _linkages,
    "onward_sharing": _none_text("onward_sharing", "onward sharing", 78),
    "transfers": _none_text("transfers", "transfers out of the UK", 78),
    "security_measures": _text(
        "security_measures", "the security measures", 56, appears="narrowing", goes="widening"
    ),
    "privacy_notice": _text(
        "privacy_notice", "the privacy notice", 38, appears="narrowing", goes="widening"
    ),
    "complaints": _text(
        "complaints", "the way to complain", 38, appears="narrowing", goes="widening"
    ),
    "contact": _text("contact", "the contact", 15, appears="narrowing", goes="widening"),
    "retention": _retention,
    "opt_out": opt_out_changes,
    "dspt": dspt_changes,
    "signatories": signatories_changes,
    "amendments": amendments_changes,
}  # fmt: skip
