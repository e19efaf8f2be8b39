"""The JSON Schemas that editors use: valid themselves, and agreeing with the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from declarations.loader import FILE_KINDS, json_schemas

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "sources": "source", "agreements": "agreement", "contracts": "contract",
    "indicators": "indicator", "catalogue": "indicator", "areas": "area", "dpia": "dpia",
    "plausibility": "plausibility", "checks": "plausibility",
}  # fmt: skip


def bundled_files() -> list[tuple[str, Path]]:
    regions = ROOT / "pipelines" / "regions"
    files = [("region", path) for path in sorted(regions.glob("*/region.yaml"))]
    for folder in (
        *sorted(regions.glob("*/*")),
        ROOT / "expectations/contracts",
        ROOT / "indicators/catalogue",
        ROOT / "indicators/plausibility/checks",
    ):
        if folder.name in FOLDERS:
            files += [(FOLDERS[folder.name], path) for path in sorted(folder.glob("*.yaml"))]
    return files


def content_of(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a SafeLoader
    return json.loads(json.dumps(content, default=str))


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_a_schema_is_a_schema(kind: str) -> None:
    schema = json_schemas()[kind]

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert schema["type"] == "object"


def test_there_is_a_schema_for_every_kind_of_file() -> None:
    assert set(json_schemas()) == set(FILE_KINDS)


def test_the_schemas_accept_every_bundled_file() -> None:
    validators = {k: jsonschema.Draft202012Validator(s) for k, s in json_schemas().items()}
    files = bundled_files()

    faults = [
        f"{path.relative_to(ROOT)}: {error.message}"
        for kind, path in files
        for error in validators[kind].iter_errors(content_of(path))
    ]

    assert {kind for kind, _ in files} == set(FILE_KINDS)
    assert faults == []


def test_the_schemas_refuse_an_unknown_key() -> None:
    validator = jsonschema.Draft202012Validator(json_schemas()["region"])
    path = next(path for kind, path in bundled_files() if kind == "region")
    content = {**content_of(path), "districs": []}

    assert [error.validator for error in validator.iter_errors(content)] == ["additionalProperties"]
