"""Everything a region declares, read and checked, and what can be asked of it.

Belongs here: lookups between the files of one region. Does not belong here: reading them
(``loader.py``) or checking them against each other (``consistency.py``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from declarations.agreements import Agreement
from declarations.areas import CustomArea
from declarations.base import Declaration
from declarations.contracts import Contract, Count, Source
from declarations.dpia import Assessment
from declarations.indicators import Indicator, Output
from declarations.permission import WINDOW_FREQUENCY, Use
from declarations.plausibility import PlausibilityCheck
from declarations.region import Region


@dataclass(frozen=True)
class RegionDeclarations:
    """Everything a region declares, read and checked.

    Attributes
    ----------
    root : Path
        The region's folder.
    region : Region
    agreements, contracts, sources, indicators : dict
        By identifier, in order of identifier.
    files : dict
        Path of each file, by folder and identifier.
    areas : dict
        The region's own areas, by identifier.
    assessments : dict
        Data protection impact assessments, by identifier.
    plausibility : dict
        The region's own checks across sources, by identifier.
    withheld : dict
        Of the shared indicators the region could count, those its agreements do not let it
        publish, with the reason.
    """

    root: Path
    region: Region
    agreements: dict[str, Agreement]
    contracts: dict[str, Contract]
    sources: dict[str, Source]
    indicators: dict[str, Indicator]
    files: dict[str, Path] = field(default_factory=dict)
    areas: dict[str, CustomArea] = field(default_factory=dict)
    assessments: dict[str, Assessment] = field(default_factory=dict)
    plausibility: dict[str, PlausibilityCheck] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)

    def contract_of(self, source: Source) -> Contract:
        """Return the contract a source is delivered under."""
        return self.contracts[source.contract]

    def agreement_of(self, source: Source) -> Agreement:
        """Return the agreement a source comes under."""
        return self.agreements[source.agreement]

    def sources_of_kind(self, *kinds: str) -> list[Source]:
        """Return the sources whose contract is of one of ``kinds``, in order."""
        return [s for s in self.sources.values() if self.contract_of(s).kind in kinds]

    def reference_source(self, role: str) -> Source | None:
        """Return the source with a reference role, or None where the region has none."""
        return next((s for s in self.sources.values() if self.contract_of(s).role == role), None)

    def reference_sources(self, role: str) -> list[Source]:
        """Return every source with a reference role, in order."""
        return [s for s in self.sources.values() if self.contract_of(s).role == role]

    def suppliers_of(self, measure: str) -> list[Source]:
        """Return the sources that count a measure."""
        return [
            s
            for s in self.sources.values()
            if any(c.measure == measure for c in self.contract_of(s).counts)
        ]

    def measures_of(self, indicator: Indicator) -> set[str]:
        """Return the measures or statistics an indicator is made of, through other indicators."""
        needs: set[str] = set()
        for part in self.behind(indicator):
            terms = [*part.terms, *part.populations]
            needs |= {m for t in terms for m in t.measures}
            needs |= {part.statistic} if part.statistic else set()
        return needs

    def behind(self, indicator: Indicator) -> list[Indicator]:
        """Return an indicator and all it is made of, each once; a circle is gone round once."""
        found = {indicator.id: indicator}
        waiting = [indicator]
        while waiting:
            for name in waiting.pop().made_of:
                part = self.indicators.get(name)
                if part is not None and name not in found:
                    found[name] = part
                    waiting.append(part)
        return list(found.values())

    def sources_behind(self, indicator: Indicator) -> list[Source]:
        """Return every source an indicator's figures come from, in order."""
        names = self.measures_of(indicator)
        found: dict[str, Source] = {}
        for source in self.sources.values():
            contract = self.contract_of(source)
            counted = {c.measure for c in contract.counts}
            if contract.kind == "statistics":
                counted |= {c.name for c in contract.columns}
            if counted & names:
                found[source.id] = source
        return list(found.values())

    def agreements_behind(self, indicator: Indicator) -> list[Agreement]:
        """Return every agreement an indicator's figures come under, in order."""
        names = sorted({s.agreement for s in self.sources_behind(indicator)})
        return [self.agreements[name] for name in names]

    def use_of(self, source: Source, indicator: Indicator, output: Output) -> Use:
        """Return how a source's data is published in one output of an indicator."""
        beside = tuple(
            a
            for a in self.agreements_behind(indicator)
            if a.kind != "open_licence" and a.id != source.agreement
        )
        return Use(
            source=source.id, indicator=indicator.id, level=output.level,
            frequency=WINDOW_FREQUENCY[output.window], profile=indicator.profile,
            beside=beside if self.agreement_of(source).kind != "open_licence" else (),
            purposes=tuple(indicator.purposes),
        )  # fmt: skip

    @cached_property
    def uses(self) -> dict[str, tuple[Use, ...]]:
        """Every way in which each source's data is published, by the source's identifier."""
        found: dict[str, list[Use]] = {name: [] for name in self.sources}
        for indicator in self.indicators.values():
            for source in self.sources_behind(indicator):
                found[source.id].extend(
                    self.use_of(source, indicator, output) for output in indicator.outputs
                )
        return {name: tuple(uses) for name, uses in found.items()}

    def measure(self, name: str) -> Count:
        """Return the declaration of a measure."""
        for contract in self.contracts.values():
            for count in contract.counts:
                if count.measure == name:
                    return count
        raise KeyError(name)

    @property
    def is_open(self) -> dict[str, bool]:
        """For each source, whether it comes under an open licence."""
        return {s.id: self.agreement_of(s).kind == "open_licence" for s in self.sources.values()}


def digest(*models: Declaration) -> str:
    """Return a short, stable hash of what the models say (not of how the file is laid out)."""
    text = json.dumps([m.model_dump(mode="json", by_alias=True) for m in models], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
