"""``docs/agreements.md`` says what is there: example, fields, warnings, controls."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import get_args

from declarations.agreements import Agreement, ColumnAction
from governance.agreement_text.lint import agreement_findings
from governance.agreement_text.reading import read_agreement
from governance.controls.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "agreements.md").read_text(encoding="utf-8")


def part(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_column(text: str) -> set[str]:
    rows = re.findall(r"^\| (`[^|]+`) \|", text, re.M)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_the_example_is_an_agreement_an_officer_would_sign(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    path = tmp_path / "DSA-NOR-001.yaml"
    path.write_text(example, encoding="utf-8")

    read = read_agreement(path)

    assert read.faults == ()
    assert read.agreement is not None
    found = agreement_findings(read.agreement, dt.date(2026, 11, 16))
    assert {f.code for f in found} == {"signatures_unbound"}


def test_every_field_of_an_agreement_is_explained() -> None:
    fields, actions = part("Fields").split("A column has a")

    assert first_column(fields) == set(Agreement.model_fields)
    assert first_column(actions) == set(get_args(ColumnAction))


def test_every_warning_is_listed() -> None:
    source = "".join(
        (ROOT / path).read_text(encoding="utf-8")
        for path in (
            "governance/agreement_text/lint.py",
            "governance/agreement_text/lint_region.py",
        )
    )
    raised = set(re.findall(r"warning\(\s*\"(\w+)\"", source)) | {"file_name"}
    raised |= set(re.findall(r"\(\"\w+\", \"(no_\w+)\",", source))

    assert set(re.findall(r"`([a-z_]+)`", part("Checking it").split("|---|---|")[1])) == raised


def test_every_control_is_listed() -> None:
    assert first_column(part("Impact assessments and live checks")) == set(CATALOGUE)
