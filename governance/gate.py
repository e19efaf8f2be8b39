"""The gate: may this delivery be read, and what of it may be kept.

One pure function over an agreement and the facts of a delivery. It fails closed: whatever is not
allowed in so many words is refused or dropped. Does not belong here: reading the file.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

from declarations.agreements import AgreedSource, Agreement
from declarations.coarsening import CoarsenedTo
from declarations.contracts import Contract, Source
from declarations.permission import Use, objection
from governance.policy import GatePolicy, policy

Decision = Literal["admitted", "trimmed", "refused", "quarantined"]


PLACES_FINER_THAN = {"uprn", "postcode", "x", "y", "output_area"}
"""Columns of a contract's place that say more of where somebody lives than an LSOA does."""


@dataclass(frozen=True)
class Circumstances:
    """What the gate must know beside the agreement and the delivery.

    Attributes
    ----------
    uses : tuple of Use
        Every way in which the region publishes the source's data.
    withdrawn_on : datetime.date or None
        The day the agreement was withdrawn, if it was: nothing brings it back.
    signed_before : bool
        A delivery was once decided on while its signatures were bound to the text.
    """

    uses: tuple[Use, ...] = ()
    withdrawn_on: dt.date | None = None
    signed_before: bool = False

    def as_lines(self, agreement: Agreement) -> list[str]:
        """Return what follows from them for an agreement, by which a change of them is noticed."""
        objections = (objection(agreement, use) for use in self.uses)
        state = f"withdrawn {self.withdrawn_on}, signed {self.signed_before}"
        return [state, *(o.message for o in objections if o)]


@dataclass(frozen=True)
class GateDecision:
    """What the gate decided, in codes and in words.

    Attributes
    ----------
    decision : {"admitted", "trimmed", "refused", "quarantined"}
    reasons : tuple of str
        Codes, e.g. ``agreement_expired``.
    message : str
        The same in words for an officer; column names and dates, never a value.
    clause : str
        The key of the agreement that decided.
    keep, pseudonymise, generalise, redact, drop : tuple of str
        Our names of the contract's columns, by what the agreement does with them.
    notes : tuple of str
        What an officer should see to, though it did not stop the delivery.
    """

    decision: Decision
    reasons: tuple[str, ...]
    message: str
    clause: str
    keep: tuple[str, ...] = ()
    pseudonymise: tuple[str, ...] = ()
    generalise: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def stored(self) -> tuple[str, ...]:
        """Every column that is stored in some form."""
        return (*self.keep, *self.pseudonymise, *self.generalise, *self.redact)


def _refused(reason: str, message: str, clause: str) -> GateDecision:
    return GateDecision("refused", (reason,), message, clause)


def _needed(contract: Contract) -> set[str]:
    """Return the columns without which a contract's rows cannot be counted."""
    needed = set(contract.key) | ({contract.month_column} if contract.month_column else set())
    if contract.locate:
        needed |= contract.locate.columns
        if contract.locate.date:
            needed.add(contract.locate.date)
    for count in contract.counts:
        needed |= count.columns
    return needed | contract.sources_of(needed)


def _in_force(
    agreement: Agreement, delivered_on: dt.date, circumstances: Circumstances
) -> GateDecision | None:
    """Refuse what arrived under an agreement that was not in force on the day."""
    arrived = f"the delivery arrived on {_day(delivered_on)}"
    if circumstances.withdrawn_on is not None:
        return _refused(
            "agreement_withdrawn",
            f"{agreement.id} was withdrawn on {_day(circumstances.withdrawn_on)}. Nothing may be "
            "read under it again; a new agreement needs a new id.",
            "withdrawal",
        )
    if delivered_on < agreement.start_date:
        return _refused(
            "agreement_not_started",
            f"{agreement.id} starts on {_day(agreement.start_date)}; {arrived}.",
            "start_date",
        )
    if agreement.expiry_date is not None and not agreement.in_force(delivered_on):
        return _refused(
            "agreement_expired",
            f"{agreement.id} ended on {_day(agreement.expiry_date)}; {arrived}. Extend the "
            "agreement, or ask the agency to withdraw the file.",
            "expiry_date",
        )
    for amendment in agreement.amendments:
        lapsed = amendment.previous_expiry
        if lapsed is not None and lapsed < delivered_on < amendment.date:
            return _refused(
                "agreement_had_lapsed",
                f"{agreement.id} had ended on {_day(lapsed)} and was extended on "
                f"{_day(amendment.date)}; {arrived}, in between. Ask the agency to send it again.",
                "amendments",
            )
    overdue = agreement.review_date is not None and delivered_on > agreement.review_date
    if overdue and agreement.review_date and agreement.review_overdue == "refuse":
        return _refused(
            "review_overdue",
            f"{agreement.id} was to be reviewed by {_day(agreement.review_date)}; {arrived}. "
            "Review it and set the next day.",
            "review_date",
        )
    signed = [s for s in agreement.signatories if s.signed_sha256 is not None]
    if circumstances.signed_before and not agreement.is_bound:
        return _refused(
            "signature_removed",
            f"The signatures of {agreement.id} were bound to its text, and no longer are. Have the "
            "text signed, or restore the one that was.",
            "signatories",
        )
    if any(s.signed_sha256 != agreement.text_sha256() for s in signed):
        return _refused(
            "signed_text_differs",
            f"{agreement.id} no longer says what was signed. Have this text signed, or restore the "
            "one that was.",
            "signatories",
        )
    return None


def _health_refused(
    agreement: Agreement, source: Source, delivered_on: dt.date, rules: GatePolicy
) -> GateDecision | None:
    """Refuse confidential records without opt-out, basis or a supplier's DSPT status in date."""
    if agreement.confidentiality_basis is None:
        return _refused(
            "confidentiality_basis_missing",
            f"{agreement.id} names no basis on which {source.id} may be shared without breaking a "
            "confidence. State it, for example section 251 support.",
            "confidentiality_basis",
        )
    if agreement.dea_gateway.split(":")[0] in rules.dea_gateways_closed_to_health:
        return _refused(
            "gateway_closed_to_health",
            f"{agreement.id} relies on the gateway {agreement.dea_gateway}, which bodies of health "
            "and adult social care cannot use. Name another basis.",
            "dea_gateway",
        )
    opt_out = agreement.opt_out
    if opt_out is None:
        return _refused(
            "opt_out_not_evidenced",
            f"{agreement.id} holds no evidence that the National Data Opt-out was applied to "
            f"{source.id}, nor why it need not be.",
            "opt_out",
        )
    if opt_out.applied == "yes" and opt_out.date is not None and opt_out.date > delivered_on:
        return _refused(
            "opt_out_not_yet_applied",
            f"{agreement.id} applies the National Data Opt-out from {_day(opt_out.date)}; the "
            f"delivery arrived on {_day(delivered_on)}.",
            "opt_out",
        )
    status = next((d for d in agreement.dspt if d.organisation == source.agency), None)
    if status is None:
        return _refused(
            "dspt_missing",
            f"{agreement.id} holds no Data Security and Protection Toolkit status of "
            f"{source.agency}. Add it under dspt.",
            "dspt",
        )
    if status.status not in rules.dspt_accepted:
        return _refused(
            "dspt_not_met",
            f"{source.agency} has not met the Data Security and Protection Toolkit.",
            "dspt",
        )
    if delivered_on > status.expires + dt.timedelta(rules.dspt_grace_days):
        return _refused(
            "dspt_expired",
            f"The Data Security and Protection Toolkit status of {source.agency} ran out on "
            f"{_day(status.expires)}, and so did the {rules.dspt_grace_days} days of grace.",
            "dspt",
        )
    return None


def _notes(agreement: Agreement, agreed: AgreedSource, source: Source, day: dt.date) -> list[str]:
    """Return what an officer should see to though the delivery is let in."""
    notes = []
    if agreement.review_date is not None and day > agreement.review_date:
        notes.append(f"{agreement.id} was to be reviewed by {_day(agreement.review_date)}.")
    if agreed.health_or_care:
        for status in agreement.dspt:
            if status.organisation != source.agency:
                continue
            if day > status.expires:
                notes.append(f"The DSPT status of {source.agency} is out of date.")
            elif status.status == "approaching_standards":
                notes.append(f"{source.agency} is only approaching the standards of the DSPT.")
    return notes


def _place_refused(
    agreement: Agreement, agreed: AgreedSource, source: Source, contract: Contract
) -> GateDecision | None:
    """Refuse to keep a column that says more of a place than the minimum geography."""
    if contract.locate is None or agreement.kind == "open_licence":
        return None
    where = contract.locate
    finer = {getattr(where, key) for key in PLACES_FINER_THAN if getattr(where, key, None)}
    if agreed.minimum_geography != "lsoa21" and where.lsoa:
        finer.add(where.lsoa)
    kept = sorted({c.name for c in agreed.columns if c.action == "keep"} & finer)
    if not kept:
        return None
    return _refused(
        "finer_than_agreed",
        f"{agreement.id} keeps {', '.join(kept)}, which says more of a place than the "
        f"{agreed.minimum_geography} it allows. Generalise the column.",
        f"sources.{source.id}.minimum_geography",
    )


def decide(
    agreement: Agreement,
    source: Source,
    contract: Contract,
    *,
    purpose: str,
    delivered_on: dt.date,
    circumstances: Circumstances | None = None,
) -> GateDecision:
    """Decide on a delivery before a byte of it is read.

    Parameters
    ----------
    agreement : Agreement
        The one the source names.
    purpose : str
        The purpose of the run, which the agreement must list.
    delivered_on : datetime.date
        The day the delivery arrived.
    circumstances : Circumstances, optional
        What is published from the source, and whether the agreement was withdrawn.

    Returns
    -------
    GateDecision
        ``refused``, or ``admitted`` with what is done to each declared column. A column of the
        contract that the agreement does not name is dropped.
    """
    known = circumstances or Circumstances()
    refusal = _in_force(agreement, delivered_on, known)
    if refusal is not None:
        return refusal
    if purpose not in agreement.purposes:
        return _refused(
            "purpose_not_agreed",
            f"{agreement.id} does not list the purpose of this run. Amend the agreement, or run "
            "for one of its purposes.",
            "purposes",
        )
    covered = agreement.source(source.id)
    if covered is None:
        return _refused(
            "source_not_agreed",
            f"{agreement.id} does not cover the source {source.id}. Amend the agreement.",
            "sources",
        )
    if covered.from_date is not None and delivered_on < covered.from_date:
        return _refused(
            "source_not_yet_agreed",
            f"{agreement.id} covers the source {source.id} from {_day(covered.from_date)}; the "
            f"delivery arrived on {_day(delivered_on)}.",
            f"sources.{source.id}.from_date",
        )
    records = contract.kind == "records"
    health = covered.health_or_care or contract.health_or_care
    if covered.criminal_offence and records and agreement.criminal_condition is None:
        return _refused(
            "criminal_condition_missing",
            f"{agreement.id} names no condition under which criminal-offence data of {source.id} "
            "may be held record by record. Name it, or have counts sent.",
            "criminal_condition",
        )
    if health and records:
        refusal = _health_refused(agreement, source, delivered_on, policy().gate)
    refusal = refusal or _place_refused(agreement, covered, source, contract)
    if refusal is not None:
        return refusal
    for use in known.uses:
        found = objection(agreement, use)
        if found is not None:
            return _refused(found.code, f"{found.message}.", found.clause)
    return _columns_decided(agreement, covered, source, contract, delivered_on)


def _columns_decided(
    agreement: Agreement,
    covered: AgreedSource,
    source: Source,
    contract: Contract,
    delivered_on: dt.date,
) -> GateDecision:
    """Say what becomes of each column; refuse if a needed one would be lost."""
    actions = {
        column.name: column.action
        for column in covered.columns
        if column.from_date is None or column.from_date <= delivered_on
    }
    by_action: dict[str, list[str]] = {
        "keep": [], "pseudonymise": [], "generalise": [], "redact": [], "drop": []
    }  # fmt: skip
    for column in contract.columns:
        by_action[actions.get(column.name, "drop")].append(column.name)
    agreed_to = {column.name: column.to for column in covered.columns}
    stray = sorted(
        name
        for name in by_action["generalise"]
        if not _generalises(contract, name, agreed_to.get(name))
    )
    if stray:
        return _refused(
            "generalise_without_place",
            f"{agreement.id} says to generalise {', '.join(stray)}, which the contract "
            f"{contract.id} neither uses to place a record nor coarsens as agreed. Keep or drop "
            "the column instead.",
            f"sources.{source.id}.columns",
        )
    needed = _needed(contract)
    for name in by_action["generalise"]:
        coarsen = contract.column(name).coarsen
        needed |= {coarsen.at} if coarsen and coarsen.at else set()
    lost = sorted(needed & set(by_action["drop"]))
    if lost:
        return _refused(
            "needed_column_not_agreed",
            f"{agreement.id} drops {', '.join(lost)}, without which the rows of {source.id} cannot "
            "be told apart, placed or counted. Keep or pseudonymise the column, or leave the "
            "measure out of the contract.",
            f"sources.{source.id}.columns",
        )
    notes = tuple(_notes(agreement, covered, source, delivered_on))
    return GateDecision(
        decision="admitted",
        reasons=(),
        message=" ".join((f"{agreement.id} is in force.", *notes)),
        clause=f"sources.{source.id}",
        notes=notes,
        **{action: tuple(names) for action, names in by_action.items()},
    )


def _generalises(contract: Contract, name: str, to: CoarsenedTo | None) -> bool:
    """Whether a contract makes of a column what an agreement says: a place, or something coarse."""
    if to is None:
        return contract.locate is not None and name in contract.locate.columns
    coarsen = contract.column(name).coarsen
    return coarsen is not None and coarsen.to == to


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def trim(
    decision: GateDecision, agreement: Agreement, undeclared: list[str], unnamed: int
) -> GateDecision:
    """Return the decision once the headings are known: columns nobody agreed to were left unread.

    Under an open licence nothing is wrong with further columns: they are left unread all the same,
    but the delivery counts as admitted whole.

    Parameters
    ----------
    agreement : Agreement
    undeclared : list of str
        Headings that may be shown by name.
    unnamed : int
        How many more there were whose text cannot be shown, because it may itself be data.
    """
    total = len(undeclared) + unnamed
    if not total or decision.decision == "refused" or agreement.kind == "open_licence":
        return decision
    named = f": {', '.join(undeclared)}" if undeclared else ""
    hidden = f" ({unnamed} not named here, as the heading may be data)" if unnamed else ""
    return replace(
        decision,
        decision="trimmed",
        reasons=(*decision.reasons, "undeclared_columns"),
        message=f"{decision.message} {total} column(s) outside the agreement were not read{named}"
        f"{hidden}. Ask the agency to leave them out.",
    )


def without_redaction(decision: GateDecision, column: str, why: str) -> GateDecision:
    """Return the decision with a free-text column dropped, because it cannot be redacted well.

    Parameters
    ----------
    why : str
        In words: what was measured, and what the agreement asks for.
    """
    return replace(
        decision,
        decision="trimmed",
        reasons=(*decision.reasons, "redaction_below_recall"),
        message=f"{decision.message} Column {column}: {why}",
        redact=tuple(name for name in decision.redact if name != column),
        drop=(*decision.drop, column),
    )
