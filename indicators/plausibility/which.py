"""Which checks a region has, which of them apply, and whose counts they look at.

Belongs here: reasoning over declarations. Does not belong here: any count (``comparison.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from declarations.errors import ConfigurationError
from declarations.loader import read_checks
from declarations.plausibility import PlausibilityCheck, Side

if TYPE_CHECKING:
    from declarations.contracts import Source
    from declarations.declared import RegionDeclarations

CHECKS = Path(__file__).parent / "checks"
"""Folder of the bundled checks."""


def checks_of(declarations: RegionDeclarations) -> dict[str, PlausibilityCheck]:
    """Return the checks of a region: the bundled ones and its own, which win.

    Raises
    ------
    ConfigurationError
        If a check names a source the region does not have, or takes the last common month of a
        flow.
    """
    found = {**bundled_checks(), **declarations.plausibility}
    for check in found.values():
        _refuse_unsound(check, declarations)
    return dict(sorted(found.items()))


@cache
def bundled_checks() -> Mapping[str, PlausibilityCheck]:
    """Return the checks every region has, read once."""
    return read_checks(CHECKS)


def _refuse_unsound(check: PlausibilityCheck, declarations: RegionDeclarations) -> None:
    for side in check.sides:
        unknown = sorted(set(side.sources or ()) - set(declarations.sources))
        if unknown:
            raise ConfigurationError(
                f"plausibility/{check.id}: sources: there is no source {', '.join(unknown)}",
                "Correct the identifier, or add the source",
            )
        flows = [
            m
            for m in side.counts.measures
            if declarations.suppliers_of(m) and declarations.measure(m).additivity == "flow"
        ]
        if flows and check.period == "latest_common":
            raise ConfigurationError(
                f"plausibility/{check.id}: period: {', '.join(flows)} is a flow",
                "Write period: same_month, so that the same months are held against each other",
            )


def not_applicable(
    declarations: RegionDeclarations, checks: Mapping[str, PlausibilityCheck]
) -> list[dict[str, str]]:
    """Return the checks that do not apply to a region, with the reason.

    Returns
    -------
    list of dict
        ``check_id, title, meaning``, in order of identifier: to be listed as such, never as a pass.
    """
    found = []
    for check_id, check in sorted(checks.items()):
        lacking = lacking_of(check, declarations)
        if lacking:
            meaning = f"Does not apply: no source of this region counts {', '.join(lacking)}."
            found.append({"check_id": check_id, "title": check.title, "meaning": meaning})
    return found


def lacking_of(check: PlausibilityCheck, declarations: RegionDeclarations) -> list[str]:
    """Return the measures of a check that no source of the region counts."""
    return sorted(
        {
            measure
            for side in check.sides
            for measure in side.counts.measures
            if not suppliers(side, measure, declarations)
        }
    )


def only_open(check: PlausibilityCheck, declarations: RegionDeclarations) -> bool:
    """Whether a check looks at open data alone."""
    return all(
        declarations.is_open[source.id]
        for side in check.sides
        for measure in side.counts.measures
        for source in suppliers(side, measure, declarations)
    )


def suppliers(side: Side, measure: str, declarations: RegionDeclarations) -> list[Source]:
    """Return the sources that count a measure for a side."""
    return [
        s
        for s in declarations.suppliers_of(measure)
        if side.sources is None or s.id in side.sources
    ]


def sources_needed(
    declarations: RegionDeclarations, checks: Mapping[str, PlausibilityCheck]
) -> list[Source]:
    """Return the sources whose counts the checks that apply look at, in order of identifier."""
    found = {
        s.id: s
        for check in checks.values()
        if not lacking_of(check, declarations)
        for side in check.sides
        for measure in side.counts.measures
        for s in suppliers(side, measure, declarations)
    }
    return [found[key] for key in sorted(found)]


def places_of(
    check: PlausibilityCheck, declarations: RegionDeclarations
) -> list[tuple[str | None, tuple[str, ...]]]:
    """Return what is compared: each district, or the districts that both sides are given for."""
    districts = sorted(d.lad24cd for d in declarations.region.districts)
    if check.level == "lad24":
        return [(lad, (lad,)) for lad in districts]
    common = [lad for lad in districts if is_supplied(check, declarations, lad)]
    return [(None, tuple(common))]


def is_supplied(check: PlausibilityCheck, declarations: RegionDeclarations, lad: str) -> bool:
    """Whether sources are declared that give both sides for a district."""
    return all(
        any(s.lad24cd in (None, lad) for s in suppliers(side, measure, declarations))
        for side in check.sides
        for measure in side.counts.measures
    )
