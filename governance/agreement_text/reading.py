"""Reading one agreement's file so that every fault is found, with its line.

Belongs here: the file's text, its lines, and the model's own rules. Does not belong here: the rules
beyond the model (``lint.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from declarations.agreements import Agreement
from governance.agreement_text.findings import Finding

MOST_BYTES = 1_000_000
"""An agreement is read by people; a file larger than this is something else."""


@dataclass(frozen=True)
class ReadAgreement:
    """One file: the agreement if it is one, the faults if not.

    Attributes
    ----------
    path : Path
    agreement : Agreement or None
    faults : tuple of Finding
    lines : dict
        Key path -> line, counted from 1.
    """

    path: Path
    agreement: Agreement | None
    faults: tuple[Finding, ...]
    lines: dict[str, int]

    def line_of(self, key: str) -> int | None:
        """Return the line of a key path, or of the nearest key above it that stands there."""
        parts = key.split(".")
        while parts:
            line = self.lines.get(".".join(parts))
            if line is not None:
                return line
            parts.pop()
        return None


def read_agreement(path: Path) -> ReadAgreement:
    """Read a file; whatever is wrong with it becomes a fault, never an exception."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return _unread(path, "it is larger than an agreement can be", "Name an agreement file")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return _unread(path, "the file does not exist", "Correct the name")
    except IsADirectoryError:
        return _unread(path, "this is a folder", "Name a file, or a region that is known")
    except (OSError, UnicodeDecodeError):
        return _unread(path, "it cannot be read as UTF-8 text", "Save it as UTF-8")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = f"this is not valid YAML: {getattr(error, 'problem', None) or 'unreadable'}"
        line = mark.line + 1 if mark else None
        return _unread(path, problem, "Correct the line; indent with blanks, not tabs", line)
    except RecursionError:
        return _unread(path, "it is nested too deeply", "Start from 'lsoalink init DIR'")
    if not isinstance(node, yaml.MappingNode) or not isinstance(content, dict):
        return _unread(path, "it is empty or not a mapping of keys", "Start from lsoalink init")
    lines = dict(_lines(node, ""))
    read = ReadAgreement(path, None, (), lines)
    faults = [*_doubled(node, "", path.name), *_model_faults(read, content)]
    if faults:
        return ReadAgreement(path, None, tuple(faults), lines)
    return ReadAgreement(path, Agreement.model_validate(content), (), lines)


def _unread(path: Path, problem: str, fix: str, line: int | None = None) -> ReadAgreement:
    fault = Finding("error", "unreadable", "", problem, fix, path.name, line)
    return ReadAgreement(path, None, (fault,), {})


def _children(node: yaml.Node, key: str) -> Iterator[tuple[str, yaml.Node, int]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            path = f"{key}.{name.value}" if key else str(name.value)
            yield path, value, name.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield f"{key}.{number}", value, value.start_mark.line + 1


def _lines(node: yaml.Node, key: str) -> Iterator[tuple[str, int]]:
    """Yield each key path with its line; entries of lists by number and by their own name."""
    for path, value, line in _children(node, key):
        yield path, line
        named = _name_of(value)
        yield from _lines(value, path)
        if named:
            alias = f"{key}.{named}"
            yield alias, line
            yield from _lines(value, alias)


def _name_of(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    for name, value in node.value:
        if name.value in ("id", "name", "indicator", "role", "agreement", "organisation"):
            return str(value.value) if isinstance(value, yaml.ScalarNode) else None
    return None


def _doubled(node: yaml.Node, key: str, file: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, value, line in _children(node, key):
        if path in seen:
            yield Finding(
                "error", "key_twice", path, "the key stands twice", "Keep one of the two", file,
                line,
            )  # fmt: skip
        seen.add(path)
        yield from _doubled(value, path, file)


def _model_faults(read: ReadAgreement, content: dict[Any, Any]) -> list[Finding]:
    try:
        Agreement.model_validate(content)
    except ValidationError as error:
        return [_fault(read, item) for item in error.errors(include_url=False)]
    return []


def _fault(read: ReadAgreement, item: Any) -> Finding:
    key = ".".join(str(part) for part in item["loc"])
    problem, fix = str(item["msg"]).removeprefix("Value error, "), "Correct the value"
    if item["type"] == "extra_forbidden":
        problem, fix = "this is not a key an agreement knows", "Remove it or correct its spelling"
    elif item["type"] == "missing":
        problem, fix = "the key is missing", "Add it"
    elif item["type"] == "value_error":
        fix = "Change what the sentence names"
    code = f"schema_{item['type']}"
    return Finding("error", code, key, problem, fix, read.path.name, read.line_of(key))
