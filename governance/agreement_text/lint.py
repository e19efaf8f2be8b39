"""What an information governance lead would object to in an agreement that is well formed.

Belongs here: one small rule a concern, each a generator of findings over an agreement and what is
known around it. Does not belong here: rules between an agreement and its region
(``lint_region.py``), or what the model itself refuses.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

from declarations.agreements import Agreement
from governance.agreement_text.findings import Finding, Level
from governance.agreement_text.words import ROLES as ROLE_WORDS
from governance.agreement_text.words import count_words, day_words, listed, phrase
from governance.policy import policy

SOON_DAYS = 90
"""Days before an end at which it is time to act."""

ORIGINALS_DAYS = 90
"""Days after which originals should be gone (domain dossier, section 2.2: a proposal of ours)."""

ARTICLE_6 = re.compile(r"6\s*\(\s*1\s*\)\s*\(\s*([a-f])\s*\)", re.IGNORECASE)
SAFEGUARDS = re.compile(
    r"schedule\s*1|sch\.?\s*1|section\s*19|\bs\.?\s*19\b|policy document", re.IGNORECASE
)
"""Words by which a condition names its safeguards in the Data Protection Act 2018."""

Rule = Callable[[Agreement, dt.date], Iterator[Finding]]


def warning(code: str, key: str, problem: str, fix: str, level: Level = "warning") -> Finding:
    """Return a finding without its place in a file."""
    return Finding(level, code, key, problem, fix)


def agreement_findings(agreement: Agreement, today: dt.date) -> list[Finding]:
    """Return what an officer would object to, without a look at the region around it."""
    rules = LICENCE_RULES if agreement.kind == "open_licence" else RULES
    return [finding for rule in rules for finding in rule(agreement, today)]


def _dates(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    end = agreement.expiry_date
    if end is not None and end < today:
        yield warning(
            "expired",
            "expiry_date",
            f"it ended on {day_words(end)}; deliveries are refused",
            "Renew it, or take its sources out of the region",
        )
    elif end is not None and (end - today).days <= SOON_DAYS:
        yield warning(
            "expires_soon",
            "expiry_date",
            f"it ends in {count_words((end - today).days, 'day')}, on {day_words(end)}",
            "Renew it in time, or tell the agencies that it ends",
        )
    if agreement.start_date > today:
        yield warning(
            "not_started", "start_date", f"it starts on {day_words(agreement.start_date)}",
            "Nothing is taken in before; correct the day if that is wrong",
        )  # fmt: skip


def _review(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    review, end = agreement.review_date, agreement.expiry_date
    if review is None:
        yield warning(
            "no_review_date", "review_date", "no day of review is set",
            "Set one; the data sharing code asks for regular review",
        )  # fmt: skip
    elif review < today:
        yield warning(
            "review_overdue", "review_date", f"the review was due by {day_words(review)}",
            "Review it, record it as an amendment and set the next day",
        )  # fmt: skip
    elif end is not None and review > end:
        yield warning(
            "review_after_end", "review_date", "the day of review comes after the end",
            "Review it before it ends",
        )  # fmt: skip


def _legal_basis(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    point = ARTICLE_6.search(agreement.lawful_basis or "")
    if point is None:
        yield warning(
            "basis_without_point", "lawful_basis", "it names no point of Article 6(1)",
            "Write it as in 'Article 6(1)(e) public task'",
        )  # fmt: skip
    elif point[1].lower() == "a":
        yield warning(
            "consent", "lawful_basis", "consent is seldom freely given to a public body",
            "Consider Article 6(1)(e) public task, with the statute",
        )  # fmt: skip
    elif point[1].lower() in "ce" and not agreement.statute:
        yield warning(
            "no_statute", "statute", "the lawful basis rests on a law, and none is named",
            "Name the Act and section",
        )  # fmt: skip


def _special(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    special = [
        f"{s.id}.{c.name}"
        for s in agreement.sources
        for c in s.columns
        if c.class_ == "special" and c.action != "drop"
    ]
    if special and not SAFEGUARDS.search(agreement.special_condition or ""):
        yield warning(
            "special_without_safeguards", "special_condition",
            f"{listed(special[:3])} of special categories are kept, and the condition names no "
            "safeguards",
            "Name the condition of Schedule 1 or section 19 of the Data Protection Act 2018, and "
            "the appropriate policy document",
        )  # fmt: skip
    offences = [s.id for s in agreement.sources if s.criminal_offence]
    if offences and not agreement.criminal_condition:
        yield warning(
            "no_criminal_condition", "criminal_condition",
            f"criminal-offence data comes in {listed(offences)}, and no condition is named",
            "Name the condition, or have counts sent",
        )  # fmt: skip


def _health(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    sources = [s.id for s in agreement.sources if s.health_or_care]
    if not sources:
        return
    names = listed(sources[:3])
    if agreement.confidentiality_basis is None:
        yield warning(
            "no_confidentiality_basis", "confidentiality_basis",
            f"health or care records come in {names}; nothing says why no confidence is broken",
            "Name consent, section 251 support, a statute or an overriding public interest",
        )  # fmt: skip
    if agreement.opt_out is None:
        yield warning(
            "health_without_opt_out", "opt_out",
            f"health or care records come in {names}, without evidence on the National Data "
            "Opt-out",
            "Say from when it is applied, or why it does not apply",
        )  # fmt: skip
    elif agreement.opt_out.applied == "yes" and agreement.opt_out.removed is None:
        yield warning(
            "opt_out_not_counted", "opt_out",
            "the opt-out is said to be applied, and nobody says how many records it removed",
            "Ask the agencies for the number, even if it is 0",
        )  # fmt: skip
    if not agreement.dspt:
        yield warning(
            "health_without_dspt", "dspt",
            f"health or care records come in {names}, without any status in the Data Security and "
            "Protection Toolkit",
            "Add the status and its last day for each agency",
        )  # fmt: skip
    closed = policy().gate.dea_gateways_closed_to_health
    if agreement.dea_gateway.split(":")[0] in closed:
        yield warning(
            "gateway_closed_to_health", "dea_gateway",
            "bodies of health and adult social care cannot use this gateway",
            "Name another basis, or take the health and care sources out",
        )  # fmt: skip


def _dspt(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    for status in agreement.dspt:
        key, left = f"dspt.{status.organisation}", (status.expires - today).days
        if status.status not in policy().gate.dspt_accepted:
            yield warning(
                "dspt_not_met", key, f"{status.organisation} has not met the standards",
                "Ask for its improvement plan; its health and care records are refused",
            )  # fmt: skip
        elif left < 0:
            yield warning(
                "dspt_expired", key,
                f"the status of {status.organisation} ran out on {day_words(status.expires)}",
                "Ask for this year's status",
            )  # fmt: skip
        elif left <= SOON_DAYS:
            yield warning(
                "dspt_expires_soon", key,
                f"the status of {status.organisation} runs out in {count_words(left, 'day')}",
                "Ask for the next year's status in time",
            )  # fmt: skip


def _people(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    for key, code, problem, fix in (
        ("privacy_notice", "no_privacy_notice", "nothing says where people can read of it",
         "Give the address of the privacy notice: there should be no surprises"),
        ("complaints", "no_complaints_route", "nothing says how people can complain",
         "Give the way to complain; complaints are acknowledged within 30 days"),
        ("contact", "no_contact", "no contact of a data protection officer is named",
         "Give the contact; the record of processing needs it"),
        ("aims", "no_aims", "its aims are not given in words for everybody",
         "Write a sentence anybody understands; the privacy notice is made from it"),
        ("security_measures", "no_security_measures", "no security measures are described",
         "Describe them; Article 30(1)(g) asks for it"),
    ):  # fmt: skip
        if not getattr(agreement, key):
            yield warning(code, key, problem, fix)
    silent = [s.id for s in agreement.sources if not s.subjects]
    if silent:
        yield warning(
            "subjects_not_named", f"sources.{silent[0]}",
            f"{listed(silent[:5])}: nothing says whom the records are about",
            "Add subjects; Article 30(1)(c) asks for it",
        )  # fmt: skip


def _signatures(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    bound = [s for s in agreement.signatories if s.signed_sha256]
    wrong = [s for s in bound if s.signed_sha256 != agreement.text_sha256()]
    if wrong:
        yield warning(
            "signature_does_not_fit", "signatories",
            f"{listed(s.organisation for s in wrong)} signed another text than this one; every "
            "delivery is refused",
            f"Have this text signed ({agreement.text_sha256()}), or restore the one that was",
        )  # fmt: skip
    elif not bound:
        yield warning(
            "signatures_unbound", "signatories",
            "no signature is bound to the text, so that it could change unnoticed",
            f"Add signed_sha256: {agreement.text_sha256()} to each signatory who signed this text",
        )  # fmt: skip
    signed = {s.organisation for s in agreement.signatories}
    absent = [c for c in agreement.controllers if c not in signed]
    if absent:
        yield warning(
            "controller_has_not_signed", "signatories",
            f"there is no signature of {listed(absent)}",
            "Have every controller sign, or say who signs for it",
        )  # fmt: skip
    late = [s.organisation for s in agreement.signatories if s.date > agreement.start_date]
    if late:
        yield warning(
            "signed_after_start", "signatories",
            f"{listed(late)} signed after the agreement began",
            "Correct the day, or let it begin when all have signed",
        )  # fmt: skip


def _versions(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    if agreement.version not in ("1", "1.0") and not agreement.amendments:
        yield warning(
            "amendments_not_recorded", "amendments",
            f"this is version {agreement.version}, and no amendment says what changed",
            "Record each amendment with its date, its summary and who signed it",
        )  # fmt: skip


def _outputs(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    if not agreement.permitted_outputs:
        yield warning(
            "no_outputs", "permitted_outputs", "it permits no output, so nothing can be published",
            "List the indicators that may be made from it",
        )  # fmt: skip
    named = {str(r.role) for r in agreement.permitted_roles}
    for role in ("data_engineer", "governance_officer", "public"):
        if role not in named:
            yield warning(
                "role_reads_nothing", "permitted_roles",
                f"{phrase(ROLE_WORDS, role)} may read nothing, not even releases",
                "Name the role and its zones, or leave it so on purpose",
            )  # fmt: skip
    open_share = agreement.onward_sharing.strip().casefold() != "none"
    if open_share and not agreement.recipients:
        yield warning(
            "onward_without_recipients", "recipients", "data may go on, and to nobody by name",
            "Name the recipients",
        )  # fmt: skip
    if agreement.transfers.strip().casefold() != "none":
        yield warning(
            "transfer", "transfers", "data may leave the United Kingdom",
            "Check that the country and the safeguard of Article 46 are named",
        )  # fmt: skip
    for source in agreement.sources:
        if source.counts_leave == "exact" and not source.signing_keys:
            yield warning(
                "exact_counts_unsigned", f"sources.{source.id}.counts_leave",
                f"exact counts of {source.id} may leave the agency, and no key signs them",
                "Add the agency's signing key",
            )  # fmt: skip


def _retention(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    kept = agreement.retention
    if kept is None:
        return
    if kept.received_days > ORIGINALS_DAYS:
        yield warning(
            "originals_kept_long", "retention.received_days",
            f"originals are kept for {kept.received_days} days",
            f"{ORIGINALS_DAYS} days after a delivery is checked are enough",
        )  # fmt: skip
    if kept.received_days > kept.restricted_days:
        yield warning(
            "originals_outlive_records", "retention.received_days",
            "originals are kept longer than the pseudonymised records made from them",
            "Dispose of originals first: they say the most",
        )  # fmt: skip
    if agreement.expiry_date is not None:
        term = (agreement.expiry_date - agreement.start_date).days + 1
        for key, words in (("received_days", "originals"), ("restricted_days", "records")):
            if getattr(kept, key) > term:
                yield warning(
                    "retention_beyond_agreement", f"retention.{key}",
                    f"{words} may be kept for {getattr(kept, key):,} days, and the agreement lasts "
                    f"{term:,}",
                    "Keep them no longer than the agreement lasts",
                )  # fmt: skip


def _redaction(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    for source in agreement.sources:
        for column in source.columns:
            if column.redaction is not None and column.redaction.minimum_recall < 0.9:
                yield warning(
                    "recall_too_low", f"sources.{source.id}.columns.{column.name}",
                    f"more than one identifier in ten may stay in {column.name}",
                    "Ask for a recall of at least 0.9, or drop the free text",
                )  # fmt: skip


def _licence_dates(agreement: Agreement, today: dt.date) -> Iterator[Finding]:
    if agreement.expiry_date is not None:
        yield from _dates(agreement, today)


RULES: tuple[Rule, ...] = (
    _dates, _review, _legal_basis, _special, _health, _dspt, _people, _signatures, _versions,
    _outputs, _retention, _redaction,
)  # fmt: skip
LICENCE_RULES: tuple[Rule, ...] = (_licence_dates,)
