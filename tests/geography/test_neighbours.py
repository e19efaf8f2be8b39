"""Who lies beside whom: drawings a reader can check by eye, and the real boundaries."""

import geopandas
import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph
from shapely.geometry import Polygon, box

from declarations.errors import GeographyError
from geography.boundaries.neighbours import KINDS, neighbours


def drawn(crs=27700, **shapes):
    """Areas by code, in the order written."""
    return geopandas.GeoDataFrame(
        {"lsoa21cd": list(shapes)}, geometry=list(shapes.values()), crs=crs
    )


def links(found, *, own=False):
    """What is linked: code and neighbour to kind and length."""
    return {
        (row["code"], row["neighbour"]): (row["kind"], row["border"])
        for row in found.table(own=own).to_pylist()
    }


def one_way(found):
    """As `links`, each link once and without its length."""
    return {pair: kind for pair, (kind, _) in links(found).items() if pair[0] < pair[1]}


def chessboard(size, side=100.0):
    """Squares a00 to a(n)(n), row and column in the code."""
    return drawn(
        **{
            f"a{row:02}{column:02}": shapely.affinity.translate(
                box(0, 0, side, side), column * side, row * side
            )
            for row in range(size)
            for column in range(size)
        }
    )


def test_borders_and_corners_are_told_apart_and_measured():
    areas = drawn(
        sw=box(0, 0, 100, 100), se=box(100, 0, 300, 100), nw=box(0, 100, 100, 150),
        ne=box(100, 100, 300, 150),
    )  # fmt: skip

    found = links(neighbours(areas))

    assert found["sw", "se"] == ("border", 100)
    assert found["ne", "se"] == ("border", 200)
    assert found["sw", "ne"] == ("corner", 0)
    assert len(found) == 12
    assert all(found[b, a] == how for (a, b), how in found.items())


def test_queen_counts_corners_and_rook_does_not():
    found = neighbours(chessboard(3))

    assert sorted(found.graph()["a0101"].index) == [
        "a0000", "a0001", "a0002", "a0100", "a0102", "a0200", "a0201", "a0202",
    ]  # fmt: skip
    assert sorted(found.graph("rook")["a0101"].index) == ["a0001", "a0100", "a0102", "a0201"]
    assert found.graph("rook", weigh_borders=True)["a0000"].to_dict() == {
        "a0001": 100.0, "a0100": 100.0,
    }  # fmt: skip


def test_the_order_of_the_rows_makes_no_difference():
    areas = chessboard(4)
    mixed = areas.sample(frac=1, random_state=3)

    assert neighbours(mixed).table().equals(neighbours(areas).table())


def test_a_hole_an_enclave_and_two_parts():
    ring = Polygon(box(0, 0, 300, 300).exterior, [box(100, 100, 200, 200).exterior])
    parts = shapely.MultiPolygon([box(300, 0, 400, 300), box(1000, 0, 1100, 300)])
    areas = drawn(enclave=box(100, 100, 200, 200), parts=parts, ring=ring)

    assert links(neighbours(areas)) == {
        ("enclave", "ring"): ("border", 400), ("ring", "enclave"): ("border", 400),
        ("ring", "parts"): ("border", 300), ("parts", "ring"): ("border", 300),
    }  # fmt: skip


def test_a_border_between_different_vertices_is_found_whole():
    left = Polygon([(0, 0), (100, 0), (100, 40), (100, 100), (0, 100)])
    areas = drawn(left=left, lower=box(100, 0, 200, 70), upper=box(100, 70, 200, 100))

    found = links(neighbours(areas))

    assert found["left", "lower"] == ("border", 70)
    assert found["left", "upper"] == ("border", 30)
    # The builder of libpysal that compares vertices sees no edge here.
    by_vertex = Graph.build_contiguity(areas.set_index("lsoa21cd"), rook=True)
    assert "left" in by_vertex.isolates


def test_a_border_partly_between_different_vertices_is_found_whole():
    left = Polygon([(0, 0), (100, 0), (100, 50), (100, 100), (0, 100)])
    right = Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100, 80), (100, 50)])

    assert links(neighbours(drawn(left=left, right=right)))["left", "right"] == ("border", 100)


def test_areas_that_overlap_are_neighbours():
    areas = drawn(a=box(0, 0, 100, 100), b=box(90, 30, 200, 70))

    found = neighbours(areas)

    assert one_way(found) == {("a", "b"): "border"}
    assert sorted(found.graph("rook")["a"].index) == ["b"]


def test_a_torn_border_needs_the_tolerance():
    areas = drawn(left=box(0, 0, 100, 100), right=box(100.5, 0, 200, 100))

    assert neighbours(areas).islands == ("left", "right")
    assert neighbours(areas, tolerance=0.4).islands == ("left", "right")
    found = neighbours(areas, tolerance=1)
    assert found.islands == ()
    assert one_way(found) == {("left", "right"): "border"}
    assert found.by_tolerance.all()
    # The line goes on round the ends of the other area, by less than the tolerance each.
    assert found.border == pytest.approx(100, abs=2)


def test_corners_stay_corners_whatever_the_tolerance():
    areas = drawn(sw=box(0, 0, 100, 100), ne=box(100, 100, 200, 200), e=box(200.5, 200.5, 300, 300))

    found = neighbours(areas, tolerance=1)

    assert one_way(found) == {("ne", "sw"): "corner", ("e", "ne"): "corner"}
    table = {(r["code"], r["neighbour"]): r["by_tolerance"] for r in found.table().to_pylist()}
    assert (table["ne", "sw"], table["ne", "e"]) == (False, True)
    assert found.graph("rook").isolates.tolist() == ["e", "ne", "sw"]


def test_a_border_that_meets_in_one_point_is_put_right_by_the_tolerance():
    left = Polygon([(0, 0), (100, 0), (100, 100), (0, 100)])
    right = Polygon([(100, 0), (200, 0), (200, 100), (100.4, 100)])

    assert one_way(neighbours(drawn(a=left, b=right))) == {("a", "b"): "corner"}
    assert one_way(neighbours(drawn(a=left, b=right), tolerance=1)) == {("a", "b"): "border"}


def test_islands_are_listed_and_joined_only_if_asked():
    areas = drawn(
        a=box(0, 0, 100, 100), b=box(100, 0, 200, 100), far=box(400, 0, 500, 100),
        lone=box(2000, 0, 2100, 100),
    )  # fmt: skip

    apart = neighbours(areas)
    assert apart.islands == ("far", "lone")
    assert one_way(apart) == {("a", "b"): "border"}
    assert apart.graph().isolates.tolist() == ["far", "lone"]

    joined = neighbours(areas, islands="nearest")
    assert joined.islands == ("far", "lone")
    assert one_way(joined) == {
        ("a", "b"): "border", ("b", "far"): "nearest", ("far", "lone"): "nearest",
    }  # fmt: skip
    assert joined.graph("rook").isolates.tolist() == []
    assert links(joined)["lone", "far"] == ("nearest", 0)


def test_two_islands_may_be_each_others_nearest_and_equals_go_by_code():
    areas = drawn(b=box(0, 0, 100, 100), c=box(200, 0, 300, 100), a=box(-200, 0, -100, 100))

    found = one_way(neighbours(areas, islands="nearest"))

    assert found == {("a", "b"): "nearest", ("b", "c"): "nearest"}


def test_one_area_has_no_neighbour():
    found = neighbours(drawn(a=box(0, 0, 1, 1)), islands="nearest")

    assert (found.islands, len(found.first), found.table().num_rows) == (("a",), 0, 0)
    assert found.graph().isolates.tolist() == ["a"]


def test_the_edge_of_a_region_has_its_true_neighbours():
    wide = chessboard(5)
    region = ["a0000", "a0001"]

    found = neighbours(wide, region=region)

    assert found.codes.tolist() == ["a0000", "a0001", "a0002", "a0100", "a0101", "a0102"]
    assert found.codes[found.in_region].tolist() == region
    whole = links(neighbours(wide))
    own = links(found, own=True)
    assert own == {pair: how for pair, how in whole.items() if pair[0] in region}
    assert own["a0001", "a0002"] == ("border", 100)
    assert found.graph(own=True)["a0000"].index.tolist() == ["a0001"]


@pytest.mark.parametrize(
    ("more", "columns"),
    [
        ({"orders": 0}, 1),
        ({"orders": 2}, 3),
        ({"orders": 0, "metres": 50.0}, 2),
        ({"orders": 1, "metres": 150.0}, 3),
    ],
)
def test_the_buffer_is_counted_in_steps_or_metres(more, columns):
    found = neighbours(chessboard(6), region=[f"a{row:02}00" for row in range(6)], **more)

    assert {code[3:] for code in found.codes} == {f"{c:02}" for c in range(columns)}


def test_an_island_of_the_region_is_joined_to_the_nearest_of_all():
    wide = drawn(own=box(0, 0, 100, 100), away=box(500, 0, 600, 100), next=box(600, 0, 700, 100))

    assert neighbours(wide, region=["own"]).codes.tolist() == ["own"]
    found = neighbours(wide, region=["own"], islands="nearest")

    assert links(found, own=True) == {("own", "away"): ("nearest", 0)}
    assert found.codes.tolist() == ["away", "own"]
    assert found.islands == ("own",)


def test_what_cannot_be_used_is_refused():
    square = box(0, 0, 1, 1)
    bow = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    for areas, words in (
        (drawn(a=square).rename(columns={"lsoa21cd": "code"}), "no column lsoa21cd"),
        (drawn(a=square).assign(lsoa21cd=None), "missing in 1 rows"),
        (drawn(a=square, b=square).assign(lsoa21cd="a"), "repeated in 1"),
        (drawn(a=square, b=None), "1 areas have no valid polygon"),
        (drawn(a=square, b=Polygon()), "1 areas have no valid polygon"),
        (drawn(a=bow), "1 areas have no valid polygon"),
        (drawn(a=shapely.Point(0, 0)), "1 areas have no valid polygon"),
        (drawn(a=square, crs=4326), "in degrees"),
    ):
        with pytest.raises(GeographyError, match=words):
            neighbours(areas)


@pytest.mark.parametrize("wrong", [{"orders": -1}, {"metres": -1.0}, {"tolerance": -0.1}])
def test_negative_numbers_are_refused(wrong):
    with pytest.raises(GeographyError, match="negative"):
        neighbours(chessboard(2), **wrong)


def test_a_region_that_is_not_among_the_boundaries_is_refused():
    with pytest.raises(GeographyError, match="2 areas of the region are not"):
        neighbours(chessboard(2), region=["a0000", "b", "c"])


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_random_coverages_agree_with_both_builders_of_libpysal(seed, count):
    """Symmetric, no link to itself, and the same links as from vertices and from relations."""
    points = shapely.MultiPoint(np.random.default_rng(seed).uniform(0, 1000, (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box(0, 0, 1000, 1000)))
    areas = drawn(**{f"a{i:03}": cell for i, cell in enumerate(cells)})
    frame = areas.set_index("lsoa21cd")

    found = neighbours(areas)

    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert all((b, a) in pairs and a != b for a, b in pairs)
    for strict in (False, True):
        for name, rook in (("queen", False), ("rook", True)):
            theirs = Graph.build_contiguity(frame, rook=rook, strict=strict)
            assert set(found.graph(name).adjacency.index) == set(theirs.adjacency.index)
    shared = shapely.length(
        shapely.intersection(
            frame.geometry[found.codes[found.first]].values,
            frame.geometry[found.codes[found.second]].values,
        )
    )
    assert found.border == pytest.approx(shared)


def test_weights_go_to_the_older_form_of_libpysal_and_are_standardised():
    graph = neighbours(chessboard(2)).graph()

    assert sorted(graph.to_W().neighbors["a0000"]) == ["a0001", "a0100", "a0101"]
    assert graph.transform("r")["a0000"].tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.open_data
def test_england_and_wales_as_libpysal_finds_them(open_data):
    path = open_data / "boundaries" / "boundaries_lsoa21_EW.parquet"
    areas = geopandas.read_parquet(path).to_crs(27700).rename(columns={"lsoa21_code": "lsoa21cd"})
    frame = areas.set_index("lsoa21cd").sort_index()

    found = neighbours(areas)

    # The Isles of Scilly are one LSOA; the other island areas have several.
    assert len(found.codes) == 35_672
    assert len(found.islands) == 1
    queen = set(found.graph().adjacency.index)
    assert queen == set(Graph.build_contiguity(frame, rook=False).adjacency.index)
    birmingham = {c for c, n in zip(areas["lsoa21cd"], areas["lsoa21_name"], strict=True)
                  if n.startswith("Birmingham")}  # fmt: skip
    local = neighbours(areas, region=birmingham)
    whole = {pair for pair in links(found) if pair[0] in birmingham}
    assert set(links(local, own=True)) == whole
    assert 0 < (~local.in_region).sum() < len(birmingham)
    near = frame.loc[local.codes]
    for strict in (False, True):
        theirs = Graph.build_contiguity(near, rook=True, strict=strict)
        assert set(local.graph("rook").adjacency.index) == set(theirs.adjacency.index)


def test_every_kind_has_a_name():
    found = neighbours(drawn(a=box(0, 0, 1, 1), b=box(1, 0, 2, 1), c=box(9, 9, 10, 10)),
                       islands="nearest")  # fmt: skip

    assert set(found.table().column("kind").to_pylist()) <= set(KINDS)
