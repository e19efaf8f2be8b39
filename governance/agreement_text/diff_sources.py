"""What changed in the sources of an agreement, and in their columns.

Belongs here: sentences about sources and columns, each ending before the name of its source, so
that the same change in several sources can be said once. Does not belong here: other fields.
"""

from __future__ import annotations

from declarations.agreements import AgreedColumn, AgreedSource
from declarations.permission import LEVELS
from governance.agreement_text.changes import Change, Effect, direction, paired
from governance.agreement_text.words import CLASSES, day_words, kept_as, phrase

EXPOSURE = {"drop": 0, "generalise": 1, "redact": 2, "pseudonymise": 3, "keep": 4}
"""How much of a column is left by each action."""
LEFT_BY_COARSENING = {"presence": 1, "age_band": 2}
"""How much is left of a column that is generalised to something other than a neighbourhood."""

PROTECTION = {
    "reference": 0, "measure": 1, "quasi_identifier": 2, "free_text": 3, "special": 4,
    "direct_identifier": 5,
}  # fmt: skip
"""How much care each class of column asks for."""

_YES_NO = {
    "health_or_care": (
        "takes it for health or care records", "no longer takes it for health or care records"
    ),
    "criminal_offence": (
        "takes it for criminal-offence data", "no longer takes it for criminal-offence data"
    ),
}  # fmt: skip


def source_changes(before: list[AgreedSource], after: list[AgreedSource]) -> list[Change]:
    """Return the changes of the sources and of everything in them."""
    both = paired(before, after, lambda s: s.id)
    changes: list[Change] = []
    for source in both.added:
        said = f"covers source {source.id}{_described(source)}"
        changes.append(Change(95, "widening", said, f"sources.{source.id}"))
        changes += [_column_added(column, source.id) for column in source.columns]
    changes += [
        Change(90, "narrowing", "no longer covers", f"sources.{s.id}", s.id) for s in both.removed
    ]
    for old, new in both.pairs:
        if old != new:
            changes += _fields(old, new) + _columns(old, new)
    if both.reordered:
        changes.append(Change(5, "neutral", "lists the sources in another order", "sources"))
    return changes


def _described(source: AgreedSource) -> str:
    facts = [
        "" if source.minimum_geography == "lsoa21" else f"at {source.minimum_geography} and above",
        f"controlled by {source.controller}" if source.controller else "",
        f"about {source.subjects}" if source.subjects else "",
        "health or care records" if source.health_or_care else "",
        "criminal-offence data" if source.criminal_offence else "",
        "its exact counts may leave the agency" if source.counts_leave == "exact" else "",
        f"with {len(source.signing_keys)} signing key(s)" if source.signing_keys else "",
        f"from {day_words(source.from_date)}" if source.from_date else "",
    ]
    told = [fact for fact in facts if fact]
    return f" ({'; '.join(told)})" if told else ""


def _fields(old: AgreedSource, new: AgreedSource) -> list[Change]:
    """Say every change of a source but those of its columns."""
    changes: list[Change] = []
    for field in type(new).model_fields:
        was, now = getattr(old, field), getattr(new, field)
        if field == "columns" or was == now:
            continue
        said, effect, weight = _field_words(field, was, now)
        changes.append(Change(weight, effect, said, f"sources.{old.id}.{field}", old.id))
    return changes


def _field_words(field: str, was: object, now: object) -> tuple[str, Effect, int]:
    if field == "minimum_geography":
        effect = direction(-LEVELS.index(str(was)), -LEVELS.index(str(now)))
        return f"changes the minimum geography from {was} to {now} for", effect, 86
    if field in _YES_NO:
        said = f"{_YES_NO[field][0 if now else 1]}:"
        return said, "narrowing" if now else "widening", 84
    if field == "counts_leave":
        effect = "widening" if now == "exact" else "narrowing"
        return f"changes the counts that may leave the agency from {was} to {now} for", effect, 83
    if field == "from_date":
        return _from_date_words("the day from which it is covered,", was, now)
    if field == "signing_keys" and isinstance(was, list) and isinstance(now, list):
        return _key_words(was, now)
    words = {"controller": "the controller", "subjects": "whom the records are about,"}
    name = words.get(field, field.replace("_", " "))
    return f"changes {name} from {_text(was)} to {_text(now)} for", "neutral", 52


def _from_date_words(what: str, was: object, now: object) -> tuple[str, Effect, int]:
    # An unset day means from the beginning: earlier than any other.
    effect = direction(-_ordinal(was), -_ordinal(now))
    return f"changes {what} from {_date(was)} to {_date(now)} for", effect, 57


def _ordinal(day: object) -> int:
    ordinal = getattr(day, "toordinal", None)
    return int(ordinal()) if ordinal else 0


def _date(day: object) -> str:
    return day_words(day) if hasattr(day, "toordinal") else "the start"  # type: ignore[arg-type]


def _key_words(was: list[str], now: list[str]) -> tuple[str, Effect, int]:
    both = paired(was, now, str)
    told = [f"adds signing key {key[:12]}" for key in both.added]
    told += [f"removes signing key {key[:12]}" for key in both.removed]
    if both.reordered or not told:
        told.append("lists the signing keys in another order")
    effect: Effect = "widening" if both.added else "narrowing" if both.removed else "neutral"
    return f"{' and '.join(told)} for", effect, 64


def _text(value: object) -> str:
    return "nothing" if value in (None, "") else f'"{value}"'


def _columns(old: AgreedSource, new: AgreedSource) -> list[Change]:
    both = paired(old.columns, new.columns, lambda c: c.name)
    changes = [_column_added(column, old.id) for column in both.added]
    changes += [_column_removed(column, old.id) for column in both.removed]
    for was, now in both.pairs:
        if was != now:
            changes += _column_changed(was, now, old.id)
    if both.reordered:
        where = f"sources.{old.id}.columns"
        changes.append(Change(5, "neutral", "lists the columns in another order in", where, old.id))
    return changes


def _what(column: AgreedColumn) -> str:
    facts = [phrase(CLASSES, column.class_), kept_as(column)]
    if column.redaction is not None:
        facts.append(f"recall of at least {column.redaction.minimum_recall:g}")
    if column.from_date is not None:
        facts.append(f"from {day_words(column.from_date)}")
    return f"({', '.join(facts)})"


def _exposure(column: AgreedColumn) -> int:
    return LEFT_BY_COARSENING[column.to] if column.to else EXPOSURE[column.action]


def _doing(column: AgreedColumn) -> str:
    return f"{column.action} ({kept_as(column)})" if column.to else column.action


def _weight(column: AgreedColumn) -> int:
    """Return how much a column matters: by what is left of it, and by its class."""
    return 40 + _exposure(column) * 6 + PROTECTION[column.class_] * 7


def _column_added(column: AgreedColumn, source: str) -> Change:
    effect: Effect = "neutral" if column.action == "drop" else "widening"
    weight = 30 if column.action == "drop" else _weight(column)
    said = f"adds column {column.name} {_what(column)} to"
    return Change(weight, effect, said, f"sources.{source}.columns.{column.name}", source)


def _column_removed(column: AgreedColumn, source: str) -> Change:
    effect: Effect = "neutral" if column.action == "drop" else "narrowing"
    weight = 28 if column.action == "drop" else _weight(column) - 10
    said = f"removes column {column.name} {_what(column)} from"
    return Change(weight, effect, said, f"sources.{source}.columns.{column.name}", source)


def _column_changed(was: AgreedColumn, now: AgreedColumn, source: str) -> list[Change]:
    where, changes = f"sources.{source}.columns.{was.name}", []
    if was.class_ != now.class_:
        effect = direction(-PROTECTION[was.class_], -PROTECTION[now.class_])
        said = f"changes class of {was.name} from {phrase(CLASSES, was.class_)} to "
        said += f"{phrase(CLASSES, now.class_)} in"
        changes.append(Change(_weight(was), effect, said, f"{where}.class", source))
    if (was.action, was.to) != (now.action, now.to):
        effect = direction(_exposure(was), _exposure(now))
        said = f"changes action of {was.name} from {_doing(was)} to {_doing(now)} in"
        weight = max(_weight(was), _weight(now))
        changes.append(Change(weight, effect, said, f"{where}.action", source))
    if was.redaction != now.redaction:
        before, after = (c.redaction.minimum_recall if c.redaction else None for c in (was, now))
        effect = direction(-(before or 0), -(after or 0))
        said = f"changes the recall asked of the redaction of {was.name} from "
        said += f"{_recall(before)} to {_recall(after)} in"
        changes.append(Change(66, effect, said, f"{where}.redaction", source))
    if was.from_date != now.from_date:
        what = f"the day from which {was.name} is agreed,"
        said, effect, weight = _from_date_words(what, was.from_date, now.from_date)
        said = said.removesuffix("for") + "in"
        changes.append(Change(weight, effect, said, f"{where}.from_date", source))
    return changes or [Change(30, "neutral", f"changes column {was.name} in", where, source)]


def _recall(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
