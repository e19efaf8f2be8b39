"""Checks between the files of a region: what one says must agree with what another says.

Belongs here: rules over several declarations, and which of the shared indicators a region can
publish. Does not belong here: reading files (``loader.py``) or rules of one file (its model).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from declarations.definitions import available_counts, check_definition
from declarations.errors import ConfigurationError
from declarations.indicators import Indicator, Output
from declarations.permission import objection


def _withheld_because(
    output: Output, indicator: Indicator, declared: RegionDeclarations
) -> str | None:
    """Return why an agreement does not let an indicator be published so, or None if all do."""
    for source in declared.sources_behind(indicator):
        use = declared.use_of(source, indicator, output)
        found = objection(declared.agreement_of(source), use)
        if found is not None:
            return f"{found.message} (clause {found.clause})"
    return None


def usable_indicators(
    candidates: dict[str, Indicator], declared: RegionDeclarations
) -> tuple[dict[str, Indicator], dict[str, str]]:
    """Choose, of the shared indicators, those whose measures the region counts and may publish.

    Returns
    -------
    dict, dict
        The indicators by identifier, each with the outputs its agreements allow; and those that
        are not to be published, with the reason.
    """
    counted = _countable(candidates, declared)
    whole = replace(declared, indicators=counted)
    usable: dict[str, Indicator] = {}
    withheld: dict[str, str] = {}
    for key, indicator in counted.items():
        reasons = [_withheld_because(o, indicator, whole) for o in indicator.outputs]
        allowed = [o for o, r in zip(indicator.outputs, reasons, strict=True) if r is None]
        if allowed:
            usable[key] = indicator.model_copy(update={"outputs": allowed})
        else:
            withheld[key] = next(r for r in reasons if r is not None)
    while lacking := {k: v for k, v in usable.items() if set(v.made_of) & set(withheld)}:
        for key, indicator in lacking.items():
            gone = sorted(set(indicator.made_of) & set(withheld))[0]
            withheld[key] = f"{gone}, which it is made from, is withheld: {withheld[gone]}"
            del usable[key]
    return dict(sorted(usable.items())), dict(sorted(withheld.items()))


def _countable(
    candidates: dict[str, Indicator], declared: RegionDeclarations
) -> dict[str, Indicator]:
    """Return the indicators all of whose counts and inputs the region has."""
    available = available_counts(declared)
    found: dict[str, Indicator] = {}
    waiting = dict(candidates)
    while more := {
        key: indicator
        for key, indicator in waiting.items()
        if _own_measures(indicator) <= available and set(indicator.made_of) <= set(found)
    }:
        found |= more
        waiting = {k: v for k, v in waiting.items() if k not in more}
    return found


def _own_measures(indicator: Indicator) -> set[str]:
    measures = {m for t in (*indicator.terms, *indicator.populations) for m in t.measures}
    return measures | ({indicator.statistic} if indicator.statistic else set())


def _check_agreed(declared: RegionDeclarations, source: Source) -> None:
    """Check what an agreement says of one source against what the source's contract says."""
    path = declared.files[f"sources/{source.id}"]
    agreement, contract = declared.agreement_of(source), declared.contract_of(source)
    agreed = agreement.source(source.id)
    strange = sorted(
        {c.name for c in agreed.columns} - {c.name for c in contract.columns} if agreed else ()
    )
    if strange:
        raise ConfigurationError(
            f"{declared.files[f'agreements/{agreement.id}']}: sources.{source.id}: contract "
            f"{contract.id} has no column {', '.join(strange)}",
            "Use the contract's own column names; a name it does not know protects nothing",
        )
    kept = {c.name for c in agreed.columns if c.action == "keep"} if agreed else set()
    exposed = [c.name for c in contract.columns if c.identifier and c.name in kept]
    if exposed and contract.kind != "reference":
        raise ConfigurationError(
            f"{declared.files[f'agreements/{agreement.id}']}: sources.{source.id}: "
            f"{', '.join(exposed)} names a person or a property and cannot be kept as it is",
            "Drop it, pseudonymise it, or generalise it to a neighbourhood",
        )
    if contract.kind == "statistics" and agreement.kind != "open_licence":
        raise ConfigurationError(
            f"{path}: contract {contract.id} publishes statistics as they stand, which only an "
            f"open licence allows; {agreement.id} is none",
            "Send counts (kind: values), which are protected",
        )


def check_sources(declared: RegionDeclarations) -> None:
    """Hold every source to its agreement, its contract and the region.

    Raises
    ------
    ConfigurationError
    """
    districts = {d.lad24cd for d in declared.region.districts}
    for source in declared.sources.values():
        path = declared.files[f"sources/{source.id}"]
        agreement = declared.agreements.get(source.agreement)
        if agreement is None:
            raise ConfigurationError(
                f"{path}: agreement: there is no agreement {source.agreement}",
                f"Write agreements/{source.agreement}.yaml, or name one of "
                f"{', '.join(declared.agreements) or '(none yet)'}",
            )
        contract = declared.contracts.get(source.contract)
        if contract is None:
            raise ConfigurationError(
                f"{path}: contract: there is no contract {source.contract}",
                f"Write contracts/{source.contract}.yaml, or use one of the library's",
            )
        _check_agreed(declared, source)
        if source.lad24cd is not None and source.lad24cd not in districts:
            raise ConfigurationError(
                f"{path}: lad24cd: {source.lad24cd} is not a district of region.yaml",
                "Correct the code, or add the district",
            )
        unknown = sorted(set(source.headers) - {c.name for c in contract.columns})
        if unknown:
            raise ConfigurationError(
                f"{path}: headers: contract {contract.id} has no column {', '.join(unknown)}",
                "Use the contract's own column names as keys",
            )
        if contract.kind == "values" and source.cadence == "once" and source.period is None:
            raise ConfigurationError(
                f"{path}: period is missing", "Say which month these counts describe, as YYYY-MM"
            )
        if contract.locate and contract.locate.practice_weights:
            weights = contract.locate.practice_weights
            if weights not in declared.sources:
                raise ConfigurationError(
                    f"{path}: contract {contract.id} takes its weights from {weights}, "
                    "which is not a source of this region",
                    f"Add sources/{weights}.yaml",
                )
        if declared.region.synthetic == "no" and (source.synthetic or agreement.synthetic):
            raise ConfigurationError(
                f"{path}: synthetic sources cannot stand in a region of real records",
                "Set synthetic: records in region.yaml, or remove the source",
            )
        if declared.region.synthetic != "no" and agreement.kind != "open_licence" and not (
            source.synthetic and agreement.synthetic
        ):  # fmt: skip
            raise ConfigurationError(
                f"{path}: a synthetic region may hold no real records",
                "Set synthetic: true on the source and its agreement, or synthetic: no in "
                "region.yaml",
            )


def check_assessments(declared: RegionDeclarations) -> None:
    """Refuse an assessment of an agreement the region does not have.

    Raises
    ------
    ConfigurationError
    """
    for assessment in declared.assessments.values():
        unknown = sorted(set(assessment.agreements) - set(declared.agreements))
        if unknown:
            raise ConfigurationError(
                f"{declared.files[f'dpia/{assessment.id}']}: agreements: there is no "
                f"{', '.join(unknown)}",
                "Correct the id, or add the agreement's file",
            )


def check_areas(declared: RegionDeclarations, *, polygons: bool) -> None:
    """Refuse areas of one title, areas without their polygon, and levels given twice.

    Raises
    ------
    ConfigurationError
    """
    titles: dict[str, str] = {}
    for area in declared.areas.values():
        path = declared.files[f"areas/{area.id}"]
        same = titles.setdefault(area.title.casefold(), area.id)
        if same != area.id:
            raise ConfigurationError(
                f"{path}: title: the area {same} has the same title",
                "Give each area a title of its own; a reader sees nothing else",
            )
        if polygons and area.polygon is not None and not (path.parent / area.polygon).is_file():
            raise ConfigurationError(
                f"{path}: polygon: there is no file {area.polygon} beside it",
                f"Put the file there, or remove the area: 'lsoalink area remove {declared.root} "
                f"{area.id}'",
            )
    levels: dict[str, str] = {}
    for source in declared.reference_sources("area_lookups"):
        for level in declared.contract_of(source).levels:
            other = levels.setdefault(level.level, source.id)
            if other != source.id:
                raise ConfigurationError(
                    f"{declared.files[f'sources/{source.id}']}: the level {level.level} is already "
                    f"given by the source {other}",
                    "Keep one lookup for each level",
                )


def check_indicators(declared: RegionDeclarations) -> None:
    """Refuse an indicator that cannot be counted, or that an agreement does not let be published.

    Raises
    ------
    ConfigurationError
    """
    names: dict[str, str] = {}
    for indicator in declared.indicators.values():
        path = declared.files.get(f"indicators/{indicator.id}") or declared.files.get(
            f"catalogue/{indicator.id}", Path(indicator.id)
        )
        check_definition(indicator, declared, path)
        reasons = [_withheld_because(o, indicator, declared) for o in indicator.outputs]
        refused = [o for o, r in zip(indicator.outputs, reasons, strict=True) if r]
        if refused:
            raise ConfigurationError(
                f"{path}: outputs: {indicator.id} cannot be published by {refused[0].level} and "
                f"{refused[0].window}: {next(r for r in reasons if r)}",
                "Remove the output, or amend the agreement",
            )
        if indicator.name in names:
            raise ConfigurationError(
                f"{path}: name {indicator.name} is already taken by {names[indicator.name]}"
            )
        names[indicator.name] = indicator.id
