"""What changed in the evidence of an agreement: opt-out, DSPT, signatures and amendments.

Belongs here: sentences about these four. Does not belong here: other fields (``diff.py``).
"""

from __future__ import annotations

from declarations.agreements import Amendment, Dspt, OptOut, Signatory
from governance.agreement_text.changes import Change, Effect, paired, shown
from governance.agreement_text.words import DSPT, day_words, listed, phrase


def opt_out_changes(before: OptOut | None, after: OptOut | None) -> list[Change]:
    """Return the changes of the evidence on the National Data Opt-out."""
    key = "opt_out"
    if after is None:
        return [Change(84, "widening", "removes the evidence on the National Data Opt-out", key)]
    if before is None:
        applied = "is applied" if after.applied == "yes" else "does not apply"
        since = f" from {day_words(after.date)}" if after.date else ""
        said = f"states that the National Data Opt-out {applied}{since}: {shown(after.reason)}"
        return [Change(70, "narrowing" if after.applied == "yes" else "neutral", said, key)]
    changes = []
    if before.applied != after.applied:
        stops = after.applied == "not_applicable"
        said = f"says that the National Data Opt-out {'does not apply' if stops else 'is applied'}"
        effect: Effect = "widening" if stops else "narrowing"
        changes.append(Change(84, effect, said, f"{key}.applied"))
    for field, words in (
        ("reason", "the reason given on the National Data Opt-out"),
        ("date", "the day from which the National Data Opt-out is applied"),
        ("removed", "the number of records removed by the National Data Opt-out"),
    ):
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            said = f"changes {words} from {shown(old)} to {shown(new)}"
            changes.append(Change(40, "neutral", said, f"{key}.{field}"))
    return changes


def dspt_changes(before: list[Dspt], after: list[Dspt]) -> list[Change]:
    """Return the changes of the statuses in the Data Security and Protection Toolkit."""
    key, both = "dspt", paired(before, after, lambda d: d.organisation)
    changes = [
        Change(
            58, "neutral", f"adds the DSPT status of {d.organisation}: {phrase(DSPT, d.status)}, "
            f"until {day_words(d.expires)}", f"{key}.{d.organisation}",
        )
        for d in both.added
    ]  # fmt: skip
    changes += [
        Change(58, "narrowing", f"removes the DSPT status of {d.organisation}", key)
        for d in both.removed
    ]
    for old, new in both.pairs:
        where = f"{key}.{old.organisation}"
        if old.status != new.status:
            said = f"changes the DSPT status of {old.organisation} from {phrase(DSPT, old.status)}"
            changes.append(Change(58, "neutral", f"{said} to {phrase(DSPT, new.status)}", where))
        if old.expires != new.expires:
            later = new.expires > old.expires
            said = f"{'extends' if later else 'shortens'} the DSPT status of {old.organisation} to "
            changes.append(
                Change(
                    48, "widening" if later else "narrowing",
                    f"{said}{day_words(new.expires)} (from {day_words(old.expires)})", where,
                )
            )  # fmt: skip
    if both.reordered:
        changes.append(Change(5, "neutral", "lists DSPT statuses in another order", key))
    return changes


def signatories_changes(before: list[Signatory], after: list[Signatory]) -> list[Change]:
    """Return the changes of the signatures."""
    key, both = "signatories", paired(before, after, lambda s: (s.organisation, s.role))
    changes = [
        Change(35, "neutral", f"adds the signature of {_signed(s)}", key) for s in both.added
    ]
    changes += [
        Change(44, "neutral", f"removes the signature of {_signed(s)}", key) for s in both.removed
    ]
    for old, new in both.pairs:
        who = f"{old.role}, {old.organisation}"
        if old.date != new.date:
            said = f"{who} signs on {day_words(new.date)}, where it was {day_words(old.date)}"
            changes.append(Change(35, "neutral", said, key))
        if old.signed_sha256 != new.signed_sha256:
            text = f"the text {new.signed_sha256[:12]}" if new.signed_sha256 else "no text"
            was = f"the text {old.signed_sha256[:12]}" if old.signed_sha256 else "no text"
            said = f"binds the signature of {who} to {text}, where it was {was}"
            changes.append(Change(36, "neutral", said, key))
    if both.reordered:
        changes.append(Change(5, "neutral", "lists signatories in another order", key))
    return changes


def _signed(signatory: Signatory) -> str:
    bound = f", to the text {signatory.signed_sha256[:12]}" if signatory.signed_sha256 else ""
    return f"{signatory.role}, {signatory.organisation} ({day_words(signatory.date)}{bound})"


def amendments_changes(before: list[Amendment], after: list[Amendment]) -> list[Change]:
    """Return the changes of the amendments."""
    both = paired(before, after, lambda a: a.version)
    changes = [Change(34, "neutral", f"records {_amended(a)}", "amendments") for a in both.added]
    changes += [
        Change(46, "neutral", f"removes the record of {_amended(a)}", "amendments")
        for a in both.removed
    ]
    for old, new in both.pairs:
        for field in type(new).model_fields:
            was, now = getattr(old, field), getattr(new, field)
            if was != now:
                words = f"the {field.replace('_', ' ')} of amendment {old.version}"
                said = f"changes {words} from {shown(was)} to {shown(now)}"
                changes.append(Change(46, "neutral", said, f"amendments.{old.version}.{field}"))
    if both.reordered:
        changes.append(Change(5, "neutral", "lists amendments in another order", "amendments"))
    return changes


def _amended(amendment: Amendment) -> str:
    ended = amendment.previous_expiry
    late = f", after it had ended on {day_words(ended)}" if ended else ""
    return (
        f"amendment {amendment.version} of {day_words(amendment.date)}{late}, signed by "
        f"{listed(amendment.signed_by)}: {shown(amendment.summary)}"
    )
