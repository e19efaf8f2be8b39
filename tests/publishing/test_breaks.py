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


def told(source: str, *vintages: str) -> list[dict[str, str]]:
    return [
        {"source_id": source, "period": f"2026-{month:02d}", "vintage": vintage}
        for month, vintage in enumerate(vintages, 1)
    ]


def test_another_vintage_is_a_break_and_the_same_is_none(tmp_path: Path) -> None:
    rows = told("residents", "2011", "2021", "2021")

    found = [row for row in break_rows(region(tmp_path), rows[::-1]) if row[0] == "T01"]

    assert [(row[1], row[2]) for row in found] == [("2026-02", "vintage")]
    assert "2021" in found[0][3]
    assert "2011" in found[0][3]


def test_the_vintage_of_shared_files_is_not_told(tmp_path: Path) -> None:
    """It is found from areas that exist in one vintage only: there would be a record in one."""
    assert break_rows(region(tmp_path), told("north_cases", "2011", "2021")) == []


def test_a_file_of_unknown_vintage_breaks_nothing(tmp_path: Path) -> None:
    assert break_rows(region(tmp_path), told("residents", "2021", "unknown", "2021")) == []
