"""Reading a region folder: every YAML file into its model, and the checks between the files.

Belongs here: file reading, errors that name file and key, cross-file checks, JSON Schemas.
Does not belong here: the models, or anything that reads an agency's data.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from declarations.agreements import Agreement
from declarations.areas import CustomArea
from declarations.base import Declaration
from declarations.contracts import Contract, Count, Source
from declarations.errors import ConfigurationError
from declarations.indicators import Indicator
from declarations.region import Region

Model = TypeVar("Model", bound=Declaration)

FILE_KINDS: dict[str, type[Declaration]] = {
    "region": Region,
    "agreement": Agreement,
    "contract": Contract,
    "source": Source,
    "indicator": Indicator,
    "area": CustomArea,
}
"""Every kind of file a region folder may hold, and the model it must fit."""

MAX_ERRORS_SHOWN = 4

LEVELS = ("lsoa21", "msoa21", "lad24")
"""Levels of publication, the finest first."""


# The loader in C, where PyYAML has it, is ten times as fast.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_SafeLoader):
    """YAML's safe loader, refusing a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is a list or a mapping, not a text", key_node.start_mark
                )
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


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
    """

    root: Path
    region: Region
    agreements: dict[str, Agreement]
    contracts: dict[str, Contract]
    sources: dict[str, Source]
    indicators: dict[str, Indicator]
    files: dict[str, Path] = field(default_factory=dict)
    areas: dict[str, CustomArea] = field(default_factory=dict)

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


def read_declaration(path: Path, model: type[Model]) -> Model:
    """Read one YAML file into its model.

    Raises
    ------
    ConfigurationError
        Naming the file, the line or the key path, and the fix.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} does not exist", "Write it, or start from 'lsoalink init DIR'"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text", "Save it as UTF-8") from None
    return parse_declaration(text, path, model)


def parse_declaration(text: str, path: Path, model: type[Model]) -> Model:
    """Read the text of one YAML file into its model.

    Parameters
    ----------
    text : str
    path : Path
        Where it stands or is to stand, for the message.
    model : type of Declaration

    Raises
    ------
    ConfigurationError
        Naming the file, the line or the key path, and the fix.
    """
    try:
        content = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise ConfigurationError(f"{path} is not valid YAML{where}: {problem}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path} is empty or not a mapping of keys", "Start from 'lsoalink init DIR'"
        )
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(_describe(path, error)) from None


def _describe(path: Path, error: ValidationError) -> str:
    problems = []
    for item in error.errors()[:MAX_ERRORS_SHOWN]:
        key = ".".join(str(part) for part in item["loc"]) or "the file"
        if item["type"] == "extra_forbidden":
            text = "is not a key this file knows; remove it or correct its spelling"
        elif item["type"] == "missing":
            text = "is missing; add it"
        else:
            text = item["msg"].removeprefix("Value error, ")
        problems.append(f"{key}: {text}")
    more = error.error_count() - len(problems)
    tail = f" (and {more} more)" if more > 0 else ""
    return f"{path}: " + "; ".join(problems) + tail


def _read_folder(folder: Path, model: type[Model], files: dict[str, Path]) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for path in sorted(folder.glob("*.y*ml")):
        item = read_declaration(path, model)
        identifier: str = getattr(item, "id")  # noqa: B009 - every file model has one
        if identifier in found:
            raise ConfigurationError(
                f"{path}: id {identifier} is already taken by another file in {folder.name}/",
                "Give each file its own id",
            )
        found[identifier] = item
        files[f"{folder.name}/{identifier}"] = path
    return dict(sorted(found.items()))


def load_region(
    folder: Path,
    *,
    contract_library: Path | None = None,
    indicator_library: Path | None = None,
    polygons: bool = True,
) -> RegionDeclarations:
    """Read and check a region folder.

    Parameters
    ----------
    folder : Path
        Holds ``region.yaml`` and the folders ``sources``, ``agreements``, ``contracts``,
        ``indicators`` and ``areas``.
    contract_library, indicator_library : Path, optional
        Folders of contracts and indicators every region may use; the region's own files win. Of
        the library's indicators those are used whose measures the region counts.
    polygons : bool
        Refuse an area whose polygon is not there. The commands that mend such an area do without.

    Raises
    ------
    ConfigurationError
        If a file is missing or malformed, or the files contradict each other.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is not a folder", "Name a region folder")
    region = read_declaration(folder / "region.yaml", Region)
    files: dict[str, Path] = {"region": folder / "region.yaml"}
    agreements = _read_folder(folder / "agreements", Agreement, files)
    sources = _read_folder(folder / "sources", Source, files)
    contracts = _read_folder(folder / "contracts", Contract, files)
    if contract_library is not None:
        library_files: dict[str, Path] = {}
        library = _read_folder(contract_library, Contract, library_files)
        used = {s.contract for s in sources.values()}
        shared = {k: v for k, v in library.items() if k in used and k not in contracts}
        files.update({f"contracts/{k}": contract_library / f"{k}.yaml" for k in shared})
        contracts = dict(sorted({**contracts, **shared}.items()))
    own = _read_folder(folder / "indicators", Indicator, files)
    areas = _read_folder(folder / "areas", CustomArea, files)
    declared = RegionDeclarations(
        root=folder, region=region, agreements=agreements, contracts=contracts, sources=sources,
        indicators=own, files=files, areas=areas,
    )  # fmt: skip
    _check_sources(declared)
    _check_areas(declared, polygons=polygons)
    if indicator_library is not None:
        catalogue_files: dict[str, Path] = {}
        catalogue = _read_folder(indicator_library, Indicator, catalogue_files)
        usable = _usable({**catalogue, **own}, declared)
        files.update({f"catalogue/{k.split('/')[1]}": v for k, v in catalogue_files.items()})
        declared = RegionDeclarations(
            root=folder, region=region, agreements=agreements, contracts=contracts,
            sources=sources, indicators={**usable, **own}, files=files, areas=areas,
        )  # fmt: skip
    _check_indicators(declared)
    return declared


def _available(declared: RegionDeclarations) -> set[str]:
    names: set[str] = set()
    for source in declared.sources.values():
        contract = declared.contract_of(source)
        names |= {c.measure for c in contract.counts}
        if contract.kind == "statistics":
            names |= {c.name for c in contract.columns}
    return names


def _needs(indicator: Indicator) -> set[str]:
    terms = [t for t in (indicator.numerator, indicator.denominator) if t]
    needs = {m for t in terms for m in t.measures}
    return needs | ({indicator.statistic} if indicator.statistic else set())


def _finest_level(indicator: Indicator, declared: RegionDeclarations) -> int:
    """Return the position in LEVELS of the finest level every agreement behind it allows."""
    finest = 0
    for measure in _needs(indicator):
        for source in declared.suppliers_of(measure):
            agreed = declared.agreement_of(source).source(source.id)
            if agreed is not None:
                finest = max(finest, LEVELS.index(agreed.minimum_geography))
    return finest


def _usable(candidates: dict[str, Indicator], declared: RegionDeclarations) -> dict[str, Indicator]:
    available = _available(declared)
    usable = {
        k: v for k, v in candidates.items() if v.kind != "composite" and _needs(v) <= available
    }
    # Of the shared indicators, each is used only down to the level its agreements allow.
    for key, indicator in usable.items():
        finest = _finest_level(indicator, declared)
        allowed = [o for o in indicator.outputs if LEVELS.index(o.level) >= finest]
        usable[key] = indicator.model_copy(update={"outputs": allowed})
    usable = {k: v for k, v in usable.items() if v.outputs}
    for key, indicator in candidates.items():
        if indicator.kind == "composite" and {c.indicator for c in indicator.components} <= set(
            usable
        ):
            usable[key] = indicator
    return dict(sorted(usable.items()))


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


def _check_sources(declared: RegionDeclarations) -> None:
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


def _check_areas(declared: RegionDeclarations, *, polygons: bool) -> None:
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


def _check_indicators(declared: RegionDeclarations) -> None:
    available = _available(declared)
    names: dict[str, str] = {}
    for indicator in declared.indicators.values():
        path = declared.files.get(f"indicators/{indicator.id}") or declared.files.get(
            f"catalogue/{indicator.id}", Path(indicator.id)
        )
        missing = sorted(_needs(indicator) - available)
        if missing:
            raise ConfigurationError(
                f"{path}: no source of this region counts {', '.join(missing)}",
                "Correct the measure's name, or add a source whose contract counts it",
            )
        finest = _finest_level(indicator, declared)
        too_fine = [o.level for o in indicator.outputs if LEVELS.index(o.level) < finest]
        if too_fine:
            raise ConfigurationError(
                f"{path}: outputs: an agreement allows nothing finer than {LEVELS[finest]}, and "
                f"{indicator.id} is published at {', '.join(too_fine)}",
                "Remove the level, or amend minimum_geography of the agreement",
            )
        unknown = sorted({c.indicator for c in indicator.components} - set(declared.indicators))
        if unknown:
            raise ConfigurationError(f"{path}: components: there is no {', '.join(unknown)}")
        nested = [
            c.indicator
            for c in indicator.components
            if declared.indicators[c.indicator].kind == "composite"
        ]
        if nested:
            raise ConfigurationError(
                f"{path}: components: {', '.join(nested)} is itself a composite",
                "Build an index from indicators only",
            )
        if indicator.name in names:
            raise ConfigurationError(
                f"{path}: name {indicator.name} is already taken by {names[indicator.name]}"
            )
        names[indicator.name] = indicator.id


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every file kind, for editors."""
    return {
        kind: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(by_alias=True),
        }
        for kind, model in FILE_KINDS.items()
    }
