"""The certificate of a release says what was found, and nothing that the release does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exposed_region import EXPOSED, rows_of_release
from region_factory import OPENED, SOUTH, region_content

from declarations.errors import DisclosureError
from publishing.manifest import read_manifest, verify_bundle
from publishing.release import ReleaseOutcome
from publishing.release_certificate import certificate_facts
from warehouse.workspace import Workspace

Released = tuple[Workspace, ReleaseOutcome]
FOUR, FIVE, SIX = "E01990004", "E01990005", "E01990006"
MINISTRY = {
    "id": "ministry", "title": "Cases by district", "publisher": "A ministry (synthetic)",
    "measures": ["cases_opened"],
}  # fmt: skip


def certificate(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    return content


def test_a_release_carries_its_certificate_under_its_manifest(exposed: Released) -> None:
    folder = exposed[1].folder
    listed = set(read_manifest(folder)["files"])

    assert {"certificate.json", "certificate.html"} <= listed
    assert verify_bundle(folder) == []
    said = certificate(folder)
    assert said["release"] == exposed[1].release_id
    assert said["result"]["failures"] == 0
    assert said["synthetic"].startswith("Synthetic data.")
    assert [p["name"] for p in said["profiles"]] == ["hide0-r5"]
    assert said["solver"]["name"] == "HiGHS"


def test_what_was_coarsened_is_listed_with_what_stands_for_it(exposed: Released) -> None:
    said = certificate(exposed[1].folder)

    listed = [(c["area_code"], c["indicator"], c["to"], c["to_code"]) for c in said["coarsened"]]
    assert listed == [(a, "T01", "pair", f"{FOUR}+{FIVE}") for a in (FOUR, FIVE)]
    assert said["information_lost"]["coarsened"] == len(listed)
    page = (exposed[1].folder / "certificate.html").read_text(encoding="utf-8")
    assert FOUR in page
    assert FIVE in page


def test_where_nothing_was_coarsened_nothing_is_listed(finished: Any) -> None:
    said = certificate(finished.outcome.folder)

    assert said["coarsened"] == []
    assert said["information_lost"]["coarsened"] == 0


def test_the_most_exposed_are_cells_that_are_hidden_and_have_no_value(exposed: Released) -> None:
    said = certificate(exposed[1].folder)
    hidden = {
        (r["geography_code"], r["indicator_id"])
        for r in rows_of_release(exposed[1].folder, "observations")
        if r["value_status"] == "[c]"
    }

    assert 0 < len(said["most_exposed"]) <= 10
    for cell in said["most_exposed"]:
        assert (cell["area_code"], cell["indicator"]) in hidden
        assert set(cell) == {"area_code", "area_name", "indicator", "period", "width"}
        assert cell["width"] is None or cell["width"] >= 4


def test_two_truths_behind_the_same_figures_have_the_same_certificate(
    release_of: Callable[..., Released],
) -> None:
    """A pair shown as 5 may be 3 and 4 or 1 and 6: the certificate must not say which.

    If it counted, or named, the small ones among the withheld, then two small ones that make 5 or
    more would both be known to be somebody.
    """
    found = []
    for changes in ({FOUR: 3, FIVE: 4}, {FOUR: 1, FIVE: 6}):
        folder = release_of(changes)[1].folder
        shown = [
            {k: v for k, v in r.items() if k != "release_id"}
            for name in ("observations", "combined_observations")
            for r in rows_of_release(folder, name)
        ]
        said = certificate(folder)
        for name in ("release", "candidate"):
            said.pop(name)
        # How long it was computed at says something of the counts too, so it is not compared here.
        said["solver"] = said["solver"]["name"]
        found.append((shown, said))

    (first, one), (second, other) = found
    assert first == second
    assert [r["numerator"] for r in first if r["geography_code"] == f"{FOUR}+{FIVE}"] == ["5"]
    assert one == other


def test_no_count_stands_in_the_certificate(exposed: Released) -> None:
    """Codes, dates and names left out, no exact count of the withheld pair is anywhere in it."""
    said = certificate(exposed[1].folder)
    exact = {EXPOSED[FIVE], OPENED[FOUR] + EXPOSED[FIVE]}

    def numbers(node: Any) -> set[float]:
        if isinstance(node, dict):
            return set().union(*(numbers(v) for k, v in node.items() if k != "cells"), set())
        if isinstance(node, list):
            return set().union(*map(numbers, node), set())
        return {float(node)} if isinstance(node, int | float) else set()

    coarsened = said["coarsened"]
    assert numbers({k: v for k, v in said.items() if k != "interval_widths"}) & exact == set()
    assert numbers(coarsened) == set()


def test_public_totals_and_what_they_expose_are_listed(
    release_of: Callable[..., Released],
) -> None:
    _, outcome = release_of(
        {FOUR: 1, FIVE: 0, SIX: 0}, content=region_content(public_totals=[MINISTRY])
    )
    said = certificate(outcome.folder)

    (total,) = said["assumed_known"]["public_totals"]
    assert total.startswith("Cases by district (A ministry (synthetic))")
    exposed_codes = {c["area_code"] for c in said["exposed_by_public_knowledge_alone"]}
    assert {SOUTH, FOUR, FIVE, SIX} <= exposed_codes
    assert said["result"]["failures"] == 0


def test_nothing_is_said_to_stand_for_a_figure_where_that_is_withheld_too(
    release_of: Callable[..., Released],
) -> None:
    _, outcome = release_of(
        {FOUR: 0, FIVE: 23, SIX: 1}, not_placed=0, content=region_content(public_totals=[MINISTRY])
    )
    shown = {
        r["geography_code"]
        for name in ("observations", "combined_observations")
        for r in rows_of_release(outcome.folder, name)
        if r["indicator_id"] == "T01" and r["numerator"]
    }
    listed = [c for c in certificate(outcome.folder)["coarsened"] if c["indicator"] == "T01"]

    assert {c["to_code"] for c in listed if c["to"] != "whole"} <= shown
    assert {c["to_code"] for c in listed if c["to"] == "whole"} == {""}


def test_a_release_that_was_never_attacked_has_no_certificate(mere: Workspace) -> None:
    with pytest.raises(DisclosureError, match="was not attacked"):
        certificate_facts(mere, {}, None)  # type: ignore[arg-type]
