"""What an officer would object to once an agreement is seen in its region.

Belongs here: rules between an agreement and the sources, contracts, indicators and other agreements
around it. Does not belong here: what makes a region unusable (``declarations/consistency.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from declarations.agreements import Agreement
from declarations.declared import RegionDeclarations
from governance.agreement_text.findings import Finding
from governance.agreement_text.lint import warning
from governance.agreement_text.words import listed

Rule = Callable[[Agreement, RegionDeclarations], Iterator[Finding]]


def region_findings(
    agreement: Agreement, declared: RegionDeclarations, today: dt.date
) -> list[Finding]:
    """Return what stands between an agreement and its region."""
    rules: tuple[Rule, ...] = (_sources, _purpose)
    if agreement.kind != "open_licence":
        rules = (*rules, _columns, _outputs, _linkages, _dspt)
    return [finding for rule in rules for finding in rule(agreement, declared)]


def _sources(agreement: Agreement, declared: RegionDeclarations) -> Iterator[Finding]:
    for agreed in agreement.sources:
        source = declared.sources.get(agreed.id)
        if source is None:
            yield warning(
                "source_not_declared", f"sources.{agreed.id}",
                f"the region has no source {agreed.id}",
                "Declare it under sources/, or take it out of the agreement",
            )  # fmt: skip
        elif source.agreement != agreement.id:
            yield warning(
                "source_under_another", f"sources.{agreed.id}",
                f"the source {agreed.id} comes under {source.agreement}",
                "Take it out of one of the two agreements",
            )  # fmt: skip
    covered = {s.id for s in agreement.sources}
    for source in declared.sources.values():
        if source.agreement == agreement.id and source.id not in covered:
            yield warning(
                "source_not_covered", "sources",
                f"the source {source.id} names this agreement, which does not cover it; its "
                "deliveries are refused",
                "Amend the agreement, or correct the source",
            )  # fmt: skip


def _purpose(agreement: Agreement, declared: RegionDeclarations) -> Iterator[Finding]:
    if declared.region.purpose not in agreement.purposes:
        yield warning(
            "purpose_not_agreed", "purposes",
            f"the region runs for {declared.region.purpose}, which is not among the purposes; "
            "every delivery is refused",
            "Amend the agreement",
        )  # fmt: skip


def _columns(agreement: Agreement, declared: RegionDeclarations) -> Iterator[Finding]:
    for agreed in agreement.sources:
        source = declared.sources.get(agreed.id)
        if source is None:
            continue
        named = {c.name for c in agreed.columns}
        silent = [c.name for c in declared.contract_of(source).columns if c.name not in named]
        if silent:
            more = f" and {len(silent) - 5} more" if len(silent) > 5 else ""
            yield warning(
                "columns_not_named", f"sources.{agreed.id}.columns",
                f"the layout of {agreed.id} has columns the agreement does not name: "
                f"{', '.join(silent[:5])}{more}",
                "They are dropped; name them with action: drop, so that a reader sees it",
            )  # fmt: skip


def _outputs(agreement: Agreement, declared: RegionDeclarations) -> Iterator[Finding]:
    used = {
        i.id for i in declared.indicators.values() if agreement in declared.agreements_behind(i)
    }
    unused = [o.indicator for o in agreement.permitted_outputs if o.indicator not in used]
    for name in unused:
        yield warning(
            "output_not_used", f"permitted_outputs.{name}",
            f"{name} may be published, and no indicator of the region is made from this data so",
            "Take it out, or declare the indicator",
        )  # fmt: skip
    for name, reason in declared.withheld.items():
        if agreement.id in reason:
            yield warning(
                "output_withheld", "permitted_outputs",
                f"{name} is not published: {reason}",
                "Amend the agreement if it should be",
            )  # fmt: skip


def _linkages(agreement: Agreement, declared: RegionDeclarations) -> Iterator[Finding]:
    for linkage in agreement.permitted_linkages:
        other = declared.agreements.get(linkage.agreement)
        if other is not None and not other.permits_linkage(agreement.id, linkage.level):
            yield warning(
                "linkage_one_sided", f"permitted_linkages.{linkage.agreement}",
                f"{other.id} does not permit the same, so the data never meets",
                "Amend the other agreement, or take the linkage out",
            )  # fmt: skip


def _dspt(agreement: Agreement, declared: RegionDeclarations) -> Iterator[Finding]:
    if not agreement.dspt:
        return
    known = {d.organisation for d in agreement.dspt}
    needed = {
        declared.sources[s.id].agency
        for s in agreement.sources
        if s.health_or_care and s.id in declared.sources
    }
    missing = sorted(needed - known)
    if missing:
        yield warning(
            "dspt_of_supplier_missing", "dspt",
            f"{listed(missing)} sends health or care records and has no DSPT status here",
            "Add it under exactly the agency's name in the source",
        )  # fmt: skip
