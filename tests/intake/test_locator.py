"""The region's locator: its areas, and those beyond its edge where a tolerance is declared."""

from __future__ import annotations

from collections.abc import Callable

from region_factory import NORTH, receive, region_content

from intake.admission import admit
from intake.locator import point_locator
from intake.reference import build_reference
from intake.reference_plan import inputs_of
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]

NORTHERN = ["E01990001", "E01990002", "E01990003"]


def northern_half(make_mere: Make, tolerance: float) -> Workspace:
    """Return a region of the three northern squares; the boundary file has three more."""
    content = region_content(expected_lsoas=3, coast_tolerance=tolerance)
    content["region.yaml"]["districts"] = content["region.yaml"]["districts"][:1]
    for name in ("sources/south_cases.yaml", "agreements/DSA-TM-002.yaml"):
        del content[name]
    mere = make_mere(content)
    assert mere.declared.region.districts[0].lad24cd == NORTH
    for source in inputs_of(mere.declared, "areas"):
        receive(mere, source.id)
        admit(mere, source, "all")
    build_reference(mere, "areas")
    return mere


def test_without_a_tolerance_only_the_regions_areas_are_known(make_mere: Make) -> None:
    locator = point_locator(northern_half(make_mere, 0))

    assert locator.codes.tolist() == NORTHERN
    assert locator.tolerance == 0


def test_with_a_tolerance_the_neighbours_keep_their_points(make_mere: Make) -> None:
    mere = northern_half(make_mere, 20)
    locator = point_locator(mere)

    assert len(locator) == 6
    # Off the coast to the south; across the border to the north; in the region.
    codes, snapped = locator.locate_or_snap(
        [450_500, 450_500, 450_500], [269_990, 271_005, 270_500]
    )
    assert codes.tolist() == ["E01990001", "E01990004", "E01990001"]
    assert snapped.tolist() == [True, False, False]
    assert point_locator(mere) is locator
