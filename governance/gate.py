"""The gate: may this delivery be read, and what of it may be kept.

One pure function over an agreement and the facts of a delivery. It fails closed: whatever is not
allowed in so many words is refused or dropped. Does not belong here: reading the file.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from declarations.agreements import Agreement
from declarations.contracts import Contract, Source

Decision = Literal["admitted", "trimmed", "refused", "quarantined"]


@dataclass(frozen=True)
class GateDecision:
    """What the gate decided, in codes and in words.

    Attributes
    ----------
    decision : {"admitted", "trimmed", "refused"}
    reasons : tuple of str
        Codes, e.g. ``agreement_expired``.
    message : str
        The same in words for an officer; column names and dates, never a value.
    clause : str
        The key of the agreement that decided.
    keep, pseudonymise, generalise, drop : tuple of str
        Our names of the contract's columns, by what the agreement does with them.
    """

    decision: Decision
    reasons: tuple[str, ...]
    message: str
    clause: str
    keep: tuple[str, ...] = ()
    pseudonymise: tuple[str, ...] = ()
    generalise: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @property
    def stored(self) -> tuple[str, ...]:
        """Every column that is stored in some form."""
        return (*self.keep, *self.pseudonymise, *self.generalise)


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
        single = (count.during, count.category, count.distinct, count.value)
        needed |= {*count.where, *count.not_null, *count.open_at_end, *(c for c in single if c)}
    return needed


def decide(
    agreement: Agreement,
    source: Source,
    contract: Contract,
    *,
    purpose: str,
    delivered_on: dt.date,
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

    Returns
    -------
    GateDecision
        ``refused``, or ``admitted`` with what is done to each declared column. A column of the
        contract that the agreement does not name is dropped.
    """
    if delivered_on < agreement.start_date:
        return _refused(
            "agreement_not_started",
            f"{agreement.id} starts on {agreement.start_date:%d %B %Y}; the delivery arrived on "
            f"{delivered_on:%d %B %Y}.",
            "start_date",
        )
    if not agreement.in_force(delivered_on):
        return _refused(
            "agreement_expired",
            f"{agreement.id} ended on {agreement.expiry_date:%d %B %Y}; the delivery arrived on "
            f"{delivered_on:%d %B %Y}. Extend the agreement, or ask the agency to withdraw the "
            "file.",
            "expiry_date",
        )
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
    actions = {column.name: column.action for column in covered.columns}
    by_action: dict[str, list[str]] = {
        "keep": [], "pseudonymise": [], "generalise": [], "drop": []
    }  # fmt: skip
    for column in contract.columns:
        by_action[actions.get(column.name, "drop")].append(column.name)
    located = contract.locate.columns if contract.locate else set()
    stray = sorted(set(by_action["generalise"]) - located)
    if stray:
        return _refused(
            "generalise_without_place",
            f"{agreement.id} says to generalise {', '.join(stray)}, which the contract "
            f"{contract.id} does not use to place a record. Keep or drop the column instead.",
            f"sources.{source.id}.columns",
        )
    lost = sorted(_needed(contract) & set(by_action["drop"]))
    if lost:
        return _refused(
            "needed_column_not_agreed",
            f"{agreement.id} drops {', '.join(lost)}, without which the rows of {source.id} cannot "
            "be told apart, placed or counted. Keep or pseudonymise the column, or leave the "
            "measure out of the contract.",
            f"sources.{source.id}.columns",
        )
    return GateDecision(
        decision="admitted",
        reasons=(),
        message=f"{agreement.id} is in force.",
        clause=f"sources.{source.id}",
        **{action: tuple(names) for action, names in by_action.items()},
    )


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
    return GateDecision(
        decision="trimmed",
        reasons=(*decision.reasons, "undeclared_columns"),
        message=f"{decision.message} {total} column(s) outside the agreement were not read{named}"
        f"{hidden}. Ask the agency to leave them out.",
        clause=decision.clause,
        keep=decision.keep,
        pseudonymise=decision.pseudonymise,
        generalise=decision.generalise,
        drop=decision.drop,
    )
