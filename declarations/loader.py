"""Reading a region folder: every YAML file into its model.

Belongs here: file reading, errors that name file and key, JSON Schemas.
Does not belong here: the models, the checks between files (``consistency.py``), or anything that
reads an agency's data.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from declarations.agreements import Agreement
from declarations.areas import CustomArea
from declarations.base import Declaration
from declarations.consistency import (
    check_areas,
    check_assessments,
    check_indicators,
    check_sources,
    usable_indicators,
)
from declarations.contracts import Contract, Source
from declarations.declared import RegionDeclarations
from declarations.dpia import Assessment
from declarations.errors import ConfigurationError
from declarations.indicators import Indicator
from declarations.plausibility import PlausibilityCheck
from declarations.region import Region

Model = TypeVar("Model", bound=Declaration)

FILE_KINDS: dict[str, type[Declaration]] = {
    "region": Region,
    "agreement": Agreement,
    "contract": Contract,
    "source": Source,
    "indicator": Indicator,
    "area": CustomArea,
    "dpia": Assessment,
    "plausibility": PlausibilityCheck,
}
"""Every kind of file a region folder may hold, and the model it must fit."""

MAX_ERRORS_SHOWN = 4


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
        ``indicators``, ``areas``, ``dpia`` and ``plausibility``.
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
    declared = RegionDeclarations(
        root=folder, region=region, agreements=agreements, contracts=contracts, sources=sources,
        indicators=own, files=files, areas=_read_folder(folder / "areas", CustomArea, files),
        assessments=_read_folder(folder / "dpia", Assessment, files),
        plausibility=_read_folder(folder / "plausibility", PlausibilityCheck, files),
    )  # fmt: skip
    check_sources(declared)
    check_areas(declared, polygons=polygons)
    check_assessments(declared)
    if indicator_library is not None:
        catalogue_files: dict[str, Path] = {}
        catalogue = _read_folder(indicator_library, Indicator, catalogue_files)
        usable, withheld = usable_indicators({**catalogue, **own}, declared)
        files.update({f"catalogue/{k.split('/')[1]}": v for k, v in catalogue_files.items()})
        declared = replace(declared, indicators={**usable, **own}, withheld=withheld)
    check_indicators(declared)
    return declared


def read_checks(folder: Path) -> dict[str, PlausibilityCheck]:
    """Read a folder of checks across sources, by identifier.

    Raises
    ------
    ConfigurationError
        If a file is malformed.
    """
    return _read_folder(folder, PlausibilityCheck, {})


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every file kind, for editors."""
    return {
        kind: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(by_alias=True),
        }
        for kind, model in FILE_KINDS.items()
    }
