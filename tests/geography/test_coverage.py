"""Whether areas meet: every fault on squares a reader can see, then on the real nation."""

import geopandas
import numpy as np
import pytest
import shapely

from declarations.errors import GeographyError
from geography.boundaries import read_boundaries
from geography.boundaries.coverage import CHECKS, check_coverage, simplify_for_map


def areas_of(**shapes):
    codes = list(shapes)
    return geopandas.GeoDataFrame(
        {"lsoa21cd": codes}, geometry=[shapes[code] for code in codes], crs=27700
    )


def square(left, bottom, width=1000.0, height=1000.0):
    return shapely.box(left, bottom, left + width, bottom + height)


def found(report):
    """Code, second code and area of each finding, by check."""
    return {
        check: [(f.code, f.other, f.area_m2) for f in report.of(check)]
        for check in CHECKS
        if report.of(check)
    }


def test_squares_that_meet_are_valid(squares):
    report = check_coverage(squares)
    assert report.valid
    assert (report.areas, report.findings, report.rows()) == (4, (), [])


def test_an_overlap_names_both_areas_and_its_ground():
    report = check_coverage(areas_of(b=square(900, 0), a=square(0, 0), c=square(1900, 0)))
    assert not report.valid
    assert report.of("overlap")[0].code == "a"
    assert report.of("overlap")[0].other == "b"
    assert report.area_of("overlap") == pytest.approx(100 * 1000)
    assert report.of("overlap")[0].width_m == pytest.approx(100, abs=1)
    assert {f.code for f in report.of("edges")} == {"a", "b"}


def test_the_same_area_twice_overlaps_itself_wholly():
    twice = geopandas.GeoDataFrame(
        {"lsoa21cd": ["a", "a"]}, geometry=[square(0, 0), square(0, 0)], crs=27700
    )
    assert found(check_coverage(twice))["overlap"] == [("a", "a", 1_000_000.0)]


def test_three_areas_on_one_ground_are_three_pairs():
    report = check_coverage(areas_of(a=square(0, 0), b=square(0, 0), c=square(0, 0)))
    assert [f[:2] for f in found(report)["overlap"]] == [("a", "b"), ("a", "c"), ("b", "c")]


def ring_around(hole):
    """Four areas around a hole in a square of 3 km."""
    left, bottom, right, top = hole
    return areas_of(
        a=shapely.box(0, 0, 3000, bottom),
        b=shapely.box(0, bottom, left, top),
        c=shapely.box(right, bottom, 3000, top),
        d=shapely.box(0, top, 3000, 3000),
    )


def test_a_hole_between_areas_is_a_gap_or_water_by_its_width():
    narrow = check_coverage(ring_around((1000, 1000, 2000, 1008)))
    assert [(f.area_m2, f.width_m) for f in narrow.of("gap")] == [
        (8000.0, pytest.approx(8, abs=0.1))
    ]
    assert {narrow.of("gap")[0].code, narrow.of("gap")[0].other} == {"a", "d"}
    assert not narrow.valid
    wide = check_coverage(ring_around((1000, 1000, 2000, 1500)))
    assert wide.of("gap") == ()
    assert [f.area_m2 for f in wide.of("opening")] == [500_000.0]
    assert check_coverage(ring_around((1000, 1000, 2000, 1008)), gap_width=5).of("gap") == ()


def test_a_thin_gap_that_is_open_at_its_ends_is_a_sliver():
    report = check_coverage(areas_of(a=square(0, 0), b=square(1000.5, 0)))
    assert [(f.code, f.other) for f in report.of("sliver")] == [("a", "b")]
    assert report.area_of("sliver") == pytest.approx(500, rel=0.01)
    assert check_coverage(areas_of(a=square(0, 0), b=square(1020, 0))).valid


def with_corner(y):
    """The second square, with a corner on its left border where the first one's strays from it."""
    return shapely.Polygon([(1000, 0), (2000, 0), (2000, 1000), (1000, 1000), (1000, y)])


@pytest.mark.parametrize("width", [1.5, 3, 9])
def test_a_strip_left_out_up_to_the_edge_is_a_gap(width):
    """Two areas that nowhere meet, and two that meet behind a strip of one width."""
    apart = check_coverage(areas_of(a=square(0, 0), b=square(1000 + width, 0)))
    strip = shapely.box(1000 - width, 400, 1000, 1000)
    meeting = check_coverage(areas_of(a=square(0, 0).difference(strip), b=with_corner(400)))
    for report, ground in ((apart, 1000 * width), (meeting, 600 * width)):
        assert not report.valid
        assert {f.check for f in report.findings} == {"gap"}
        assert [(f.code, f.other) for f in report.findings] == [("a", "b")]
        assert report.area_of("gap") == pytest.approx(ground, rel=0.02)
        assert report.of("gap")[0].width_m == pytest.approx(width, abs=0.1)


def test_a_gap_of_a_hundred_metres_by_three_is_found():
    areas = areas_of(a=shapely.box(0, 0, 100, 100), b=shapely.box(103, 0, 200, 100))
    assert found(check_coverage(areas)) == {"gap": [("a", "b", 300.0)]}
    assert check_coverage(areas, gap_width=2).valid


def test_an_inlet_that_narrows_to_where_its_banks_meet_is_listed_as_an_opening():
    inlet = shapely.Polygon([(1000, 800), (992, 1000), (1000, 1000)])
    areas = areas_of(a=square(0, 0).difference(inlet), b=with_corner(800))
    report = check_coverage(areas)
    assert report.valid
    assert [(f.code, f.other) for f in report.of("opening")] == [("a", "b")]
    assert report.area_of("opening") == pytest.approx(800, rel=0.01)


def test_a_thin_part_of_an_area_is_a_sliver():
    thin = shapely.MultiPolygon([square(0, 0), square(5000, 0, 2000, 0.4)])
    report = check_coverage(areas_of(a=thin, b=square(1000, 0)))
    assert [(f.code, f.other, f.area_m2) for f in report.of("sliver")] == [("a", "", 800.0)]
    assert check_coverage(areas_of(a=thin, b=square(1000, 0)), sliver_width=0.2).valid


def test_an_edge_with_a_corner_its_neighbour_lacks_is_said():
    split = shapely.Polygon([(1000, 0), (2000, 0), (2000, 1000), (1000, 1000), (1000, 400)])
    report = check_coverage(areas_of(a=square(0, 0), b=split))
    assert {f.check for f in report.findings} == {"edges"}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_shapes_that_are_no_areas_are_invalid_and_break_nothing():
    frame = areas_of(
        bow=shapely.Polygon([(0, 0), (2000, 2000), (2000, 0), (0, 2000)]),
        empty=shapely.Polygon(),
        line=shapely.LineString([(0, 0), (1, 1)]),
        missing=None,
        nowhere=shapely.Polygon([(0, 0), (float("nan"), 5), (9, 9)]),
        good=square(5000, 0),
    )
    report = check_coverage(frame)
    assert [f.code for f in report.of("validity")] == ["bow", "empty", "line", "missing", "nowhere"]
    assert set(found(report)) == {"validity"}
    only_bad = check_coverage(frame[frame["lsoa21cd"] == "line"])
    assert [f.check for f in only_bad.findings] == ["validity"]


def test_what_cannot_be_checked_is_refused(squares):
    with pytest.raises(GeographyError, match="no areas"):
        check_coverage(squares.iloc[:0])
    with pytest.raises(GeographyError, match="no column msoa21cd"):
        check_coverage(squares, code="msoa21cd")
    with pytest.raises(GeographyError, match="degrees"):
        check_coverage(squares.to_crs(4326))


def cells(seed):
    """A coverage of random cells with wavy borders, by cutting random walks."""
    rng = np.random.default_rng(seed)
    walks = [
        shapely.LineString(np.cumsum(rng.normal(0, 60, (80, 2)), axis=0) + rng.uniform(0, 2000, 2))
        for _ in range(10)
    ]
    cut = shapely.union_all([*walks, shapely.box(-500, -500, 2500, 2500).exterior], grid_size=0.01)
    faces = shapely.get_parts(shapely.polygonize([cut]))
    return geopandas.GeoDataFrame(
        {"lsoa21cd": [f"E{i:03d}" for i in range(len(faces))]}, geometry=faces, crs=27700
    )


@pytest.mark.parametrize("seed", range(3))
def test_what_is_found_does_not_depend_on_the_order_of_the_rows(seed):
    frame = cells(seed)
    shifted = frame.set_geometry(frame.geometry.where(frame.index % 7 != 3, frame.translate(4, 3)))
    report = check_coverage(shifted)
    assert report.of("overlap")
    rng = np.random.default_rng(seed)
    again = shifted.iloc[rng.permutation(len(shifted))]
    assert check_coverage(again) == report


@pytest.mark.parametrize("seed", range(3))
def test_ground_counted_twice_and_ground_left_out_add_up(seed):
    """Sum of areas = union + overlaps, where no three areas overlap; and holes complete it."""
    frame = cells(seed)
    moved = frame.set_geometry(frame.geometry.where(frame.index != 5, frame.translate(10, 10)))
    union = shapely.union_all(moved.geometry.to_numpy())
    overlap = sum(
        a.intersection(b).area
        for i, a in enumerate(moved.geometry)
        for b in moved.geometry[i + 1 :]
        if a.intersects(b)
    )
    report = check_coverage(moved)
    assert report.area_of("overlap") == pytest.approx(overlap, abs=2 * len(frame))
    holes = sum(shapely.Polygon(r).area for p in shapely.get_parts(union) for r in p.interiors)
    assert report.area_of("gap") + report.area_of("opening") == pytest.approx(holes, abs=50)


@pytest.mark.parametrize("seed", range(3))
def test_simplified_borders_stay_shared_and_no_area_vanishes(seed):
    frame = cells(seed)
    for tolerance in (20, 200, 5000):
        simple = simplify_for_map(frame, tolerance)
        assert check_coverage(simple, sliver_width=1e-9).valid
        assert (simple.area >= 0.1 * frame.area).all()
        assert shapely.get_num_coordinates(simple.geometry).sum() <= (
            shapely.get_num_coordinates(frame.geometry).sum()
        )


def test_islands_stay_and_a_tiny_area_keeps_its_ground():
    disc = shapely.Point(500, 500).buffer(3, quad_segs=16)
    land = square(0, 0).difference(disc)
    isles = [shapely.Point(3000 + 700 * i, 0).buffer(300 / 4**i, quad_segs=30) for i in range(4)]
    frame = areas_of(a=land, b=disc, c=shapely.MultiPolygon(isles))
    simple = simplify_for_map(frame, 1000)
    assert len(simple.geometry[2].geoms) == 4
    assert simple.area[1] >= 0.1 * disc.area
    assert simple.area[0] + simple.area[1] == pytest.approx(1_000_000)
    assert simplify_for_map(frame, 0).equals(frame)


def test_a_tolerance_that_would_lose_an_area_is_taken_smaller():
    frame = cells(1)
    crude = shapely.coverage_simplify(frame.geometry.to_numpy(), 5000)
    assert (shapely.area(crude) < 0.1 * frame.area).any()
    simple = simplify_for_map(frame, 5000)
    assert (simple.area >= 0.1 * frame.area).all()
    assert check_coverage(simple, sliver_width=1e-9).valid


def test_what_cannot_be_simplified_is_refused():
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    with pytest.raises(GeographyError, match="invalid geometry"):
        simplify_for_map(areas_of(a=bow), 1)
    with pytest.raises(GeographyError, match="negative"):
        simplify_for_map(areas_of(a=square(0, 0)), -1)


@pytest.mark.open_data
def test_the_nations_areas_are_checked(open_data):
    """The BSC boundaries of 2021 have three overlaps of a square metre; BGC Birmingham has none."""
    areas, _ = read_boundaries(
        open_data / "boundaries/boundaries_lsoa21_EW.parquet", {"lsoa21cd": "lsoa21_code"}
    )
    report = check_coverage(areas)
    assert report.areas == 35_672
    for finding in report.of("overlap"):
        first, second = (
            areas.geometry[areas["lsoa21cd"] == code].iloc[0]
            for code in (finding.code, finding.other)
        )
        assert first.intersection(second).area == pytest.approx(finding.area_m2, abs=0.2)
    assert 0 < report.area_of("overlap") < 10
    # The coast has many narrow inlets, which are no faults.
    assert len(report.of("gap")) < 5 < len(report.of("opening"))
    birmingham, _ = read_boundaries(
        open_data / "boundaries/lsoa21_bgc_birmingham.geojson", {"lsoa21cd": "lsoa21cd"}
    )
    assert check_coverage(birmingham).valid
    assert check_coverage(simplify_for_map(birmingham, 100)).valid
