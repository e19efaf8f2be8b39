"""Traffic lights of an agreement: in force, review, DSPT, opt-out.

Belongs here: when each is green, amber or red, with the words. Does not belong here: what follows
from it; deliveries are held back by the gate alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from declarations.agreements import Agreement
from governance.agreement_text.lint import SOON_DAYS
from governance.agreement_text.words import DSPT, count_words, day_words, phrase
from governance.policy import policy
from governance.reports.pages import Light


def force_light(agreement: Agreement, today: dt.date, withdrawn_on: dt.date | None = None) -> Light:
    """Return whether an agreement is in force, and for how long."""
    end = agreement.expiry_date
    if withdrawn_on is not None:
        return Light("bad", f"Withdrawn on {day_words(withdrawn_on)}")
    if today < agreement.start_date:
        return Light("soon", f"Starts on {day_words(agreement.start_date)}")
    if end is None:
        return Light("good", "In force, without an end")
    if today > end:
        return Light("bad", f"Ended on {day_words(end)}")
    left = (end - today).days
    if left <= SOON_DAYS:
        return Light("soon", f"Ends in {count_words(left, 'day')}, on {day_words(end)}")
    return Light("good", f"In force until {day_words(end)}")


def review_light(agreement: Agreement, today: dt.date) -> Light:
    """Return when an agreement is to be reviewed."""
    review = agreement.review_date
    if review is None:
        if agreement.kind == "open_licence":
            return Light("none", "None needed")
        return Light("bad", "No day is set")
    if review < today:
        return Light("bad", f"Overdue since {day_words(review)}")
    if (review - today).days <= SOON_DAYS:
        return Light("soon", f"Due by {day_words(review)}")
    return Light("good", f"By {day_words(review)}")


def dspt_light(
    agreement: Agreement, today: dt.date, organisations: Collection[str] | None = None
) -> Light:
    """Return the worst status in the Data Security and Protection Toolkit.

    Parameters
    ----------
    organisations : collection of str, optional
        Those whose status counts; by default all that are listed.
    """
    if not any(s.health_or_care for s in agreement.sources):
        return Light("none", "Not needed: no health or care records")
    known = {d.organisation: d for d in agreement.dspt}
    asked = sorted(organisations if organisations is not None else known)
    missing = [name for name in asked if name not in known]
    if missing or not asked:
        return Light("bad", f"None for {missing[0]}" if missing else "None on file")
    worst = min((known[name] for name in asked), key=lambda d: d.expires)
    unmet = [d for d in (known[n] for n in asked) if d.status not in policy().gate.dspt_accepted]
    if unmet:
        return Light("bad", f"{unmet[0].organisation}: {phrase(DSPT, unmet[0].status)}")
    if worst.expires < today:
        return Light("bad", f"{worst.organisation}: out of date since {day_words(worst.expires)}")
    if (worst.expires - today).days <= SOON_DAYS:
        return Light("soon", f"{worst.organisation}: until {day_words(worst.expires)}")
    if any(known[n].status == "approaching_standards" for n in asked):
        return Light("soon", "Approaching standards")
    return Light("good", f"Met, until {day_words(worst.expires)}")


def opt_out_light(agreement: Agreement, today: dt.date) -> Light:
    """Return what is known of the National Data Opt-out."""
    if not any(s.health_or_care for s in agreement.sources):
        return Light("none", "Not needed: no health or care records")
    evidence = agreement.opt_out
    if evidence is None:
        return Light("bad", "No evidence")
    if evidence.applied == "not_applicable":
        return Light("good", f"Does not apply: {evidence.reason}")
    if evidence.date is not None and evidence.date > today:
        return Light("bad", f"Applied only from {day_words(evidence.date)}")
    since = f" since {day_words(evidence.date)}" if evidence.date else ""
    return Light("good", f"Applied{since}")


def signature_light(agreement: Agreement) -> Light:
    """Return whether the signatures are bound to the text as it stands."""
    if agreement.kind == "open_licence":
        return Light("none", "A licence is not signed")
    bound = [s for s in agreement.signatories if s.signed_sha256]
    if any(s.signed_sha256 != agreement.text_sha256() for s in bound):
        return Light("bad", "Another text was signed than this one")
    if len(bound) < len(agreement.signatories):
        return Light("soon", f"{len(bound)} of {len(agreement.signatories)} are bound to this text")
    return Light("good", "All are bound to this text")
