"""Where a series of figures breaks: what is declared, and what the deliveries show."""

from __future__ import annotations

from pathlib import Path

from region_factory import region_content, write_region

from declarations.declared import RegionDeclarations
from declarations.loader import load_region
from publishing.derived.breaks import break_rows


def region(tmp_path: Path, **changes: dict) -> RegionDeclarations:
    content = region_content()
    for file, keys in changes.items():
        content[file.replace("__", "/") + ".yaml"] |= keys
    return load_region(write_region(tmp_path / "region", content))


def test_a_region_without_breaks_has_none(tmp_path: Path) -> None:
    assert break_rows(region(tmp_path), []) == []


def test_a_declared_break_reaches_what_is_made_from_the_indicator(tmp_path: Path) -> None:
    changed = {"breaks": [{"period": "2026-02", "reason": "New form."}]}

    found = break_rows(region(tmp_path, indicators__T01=changed), [])

    assert found == [
        ("T01", "2026-02", "definition", "New form."),
        ("T04", "2026-02", "definition", "New form."),
    ]


def test_a_break_of_a_source_reaches_every_indicator_that_counts_it(tmp_path: Path) -> None:
    changed = {"breaks": [{"period": "2026-03", "reason": "New system."}]}

    found = break_rows(region(tmp_path, sources__north_cases=changed), [])

    assert [(row[0], row[1], row[2]) for row in found] == [
        ("T01", "2026-03", "source"), ("T02", "2026-03", "source"), ("T04", "2026-03", "source"),
    ]  # fmt: skip
    assert "New system." in found[0][3]


def test_another_vintage_is_a_break_and_the_same_is_none(tmp_path: Path) -> None:
    told = [
        {"source_id": "north_cases", "period": "2026-01", "vintage": "2011"},
        {"source_id": "north_cases", "period": "2026-02", "vintage": "2021"},
        {"source_id": "north_cases", "period": "2026-03", "vintage": "2021"},
    ]

    found = [row for row in break_rows(region(tmp_path), told[::-1]) if row[0] == "T01"]

    assert [(row[1], row[2]) for row in found] == [("2026-02", "vintage")]
    assert "2021" in found[0][3]
    assert "2011" in found[0][3]
