"""Several indicators may sum the same counts; the release is attacked and kept all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from region_factory import region_content, run_all

from publishing.protection.findings import read_statements
from publishing.release import ReleaseOutcome
from warehouse.workspace import Workspace

Released = tuple[Workspace, ReleaseOutcome]


@pytest.fixture
def released(make_mere: Callable[..., Workspace]) -> Released:
    """Release the region with the cases of T01 as a count of their own, T05."""
    content = region_content()
    first = content["indicators/T01.yaml"]
    content["indicators/T05.yaml"] = {
        **{k: v for k, v in first.items() if k not in ("denominator", "smoothing")},
        "id": "T05", "name": "cases_opened_count", "kind": "count", "multiplier": 1.0,
        "unit": "cases", "decimals": 0,
    }  # fmt: skip
    for name in ("DSA-TM-001", "DSA-TM-002"):
        agreement = content[f"agreements/{name}.yaml"]
        (output,) = [o for o in agreement["permitted_outputs"] if o["indicator"] == "T01"]
        agreement["permitted_outputs"].append({**output, "indicator": "T05"})
    mere = make_mere(content)
    return mere, run_all(mere)


def test_the_ledger_keeps_each_definition_once_and_every_figure_of_it(released: Released) -> None:
    said = read_statements(released[0])
    names = said.definitions.column("definition_id").to_pylist()
    assert len(names) == len(set(names))
    numerators = {
        d["definition_id"] for d in said.definitions.to_pylist()
        if (d["indicator_id"], d["term"]) == ("T01", "numerator")
    }  # fmt: skip
    assert numerators
    assert not {d["indicator_id"] for d in said.definitions.to_pylist()} & {"T05"}
    cells = [c for c in said.cells.to_pylist() if c["definition_id"] in numerators]
    assert {c["area_code"] for c in cells} >= {"E01990001", "E01990002"}


def test_the_count_shows_what_the_rate_shows(released: Released) -> None:
    from exposed_region import rows_of_release

    rows = rows_of_release(released[1].folder, "observations")
    shown = {
        (r["indicator_id"], r["geography_code"]): (r["numerator"], r["value_status"])
        for r in rows if r["indicator_id"] in ("T01", "T05")
    }  # fmt: skip
    areas = {area for _, area in shown}
    assert areas
    for area in areas:
        assert shown["T01", area] == shown["T05", area]
    counts = [r for r in rows if r["indicator_id"] == "T05" and r["value"]]
    assert counts
    # A count stands for itself, and has nothing below the line.
    assert all(float(r["value"]) == float(r["numerator"]) for r in counts)
    assert all(r["denominator"] == "" for r in counts)
