"""``lsoalink indicators``: the list, what is held back and why, and the page of definitions."""

from __future__ import annotations

from pathlib import Path

import pytest
from region_factory import region_content, write_region

from declarations.errors import StorageError
from pipelines.cataloguing import list_indicators, write_catalogue


@pytest.fixture
def region(tmp_path: Path) -> str:
    return str(write_region(tmp_path / "region", region_content()))


def test_every_indicator_is_listed(region: str, capsys: pytest.CaptureFixture[str]) -> None:
    list_indicators(region)

    said = capsys.readouterr().out
    for name in ("T01", "T02", "T03", "T04"):
        assert name in said
    assert "LSOA quarter, MSOA quarter, district quarter" in said
    assert "composite index" in said
    assert "Every definition in full" in said
    # The region has no homelessness cases, and so nothing that is made from them.
    assert "not in this region: H02, since no source counts homelessness_duties_owed" in said
    assert "not in this region: H11, since it is made from H11a" in said


def test_the_page_holds_each_definition_in_full(region: str, tmp_path: Path) -> None:
    page = tmp_path / "indicators.md"
    write_catalogue(region, page)

    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Indicators of Testmere (synthetic region)")
    for name in ("T01", "T02", "T03", "T04"):
        assert f"\n### {name}\n" in text
    assert "| Numerator | `cases_opened` |" in text
    assert "| Denominator | `residents` |" in text
    assert "stock: the state at a period's end, never summed over time" in text
    assert "| Smoothed towards | the district |" in text
    # Each of the index's two inputs has half of the weight.
    assert text.count("| 50.0 % |") == 2


def test_a_page_needs_a_folder(region: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not a folder"):
        write_catalogue(region, tmp_path / "nowhere" / "indicators.md")
