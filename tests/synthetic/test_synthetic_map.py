"""The map: a valid coverage of irregular cells, grouped and named, in both vintages."""

import re

import numpy as np
import pytest
import shapely

from synthetic.grouping import connected, contiguous_groups
from synthetic.seeds import topic_rng
from synthetic.tessellation import tessellate


@pytest.mark.parametrize("seed", range(6))
def test_cells_tile_the_region(seed):
    made = tessellate(topic_rng(seed, "map"), 50, 2)
    assert len(made.polygons) == 50
    assert shapely.coverage_is_valid(made.polygons)
    assert shapely.is_valid(made.polygons).all()
    whole = shapely.union_all(made.polygons)
    assert whole.geom_type == "Polygon"
    assert whole.area == pytest.approx(shapely.area(made.polygons).sum())


def test_a_moved_cell_is_seen_as_an_invalid_coverage(world):
    moved = world.areas.polygons.copy()
    moved[0] = shapely.affinity.translate(moved[0], 50.0)
    assert not shapely.coverage_is_valid(moved)


def test_borders_are_irregular(world):
    vertices = shapely.get_num_coordinates(world.areas.polygons)
    assert np.percentile(vertices, 5) >= 40
    assert np.percentile(vertices, 95) <= 120
    # Cells of a grid would all have one area.
    areas = shapely.area(world.areas.polygons)
    assert areas.max() > 5 * areas.min()


def test_asked_numbers_are_met(world):
    lsoas = world.areas.lsoas
    assert len(lsoas) == 60
    assert lsoas["lad24cd"].nunique() == 5
    assert lsoas["population"].between(1000, 3000).all()
    assert lsoas["households"].between(400, 1200).all()


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        ("lsoa21cd", r"E0199\d{4}"),
        ("msoa21cd", r"E0299\d{4}"),
        ("wd24cd", r"E0599\d{4}"),
        ("lad24cd", r"E0899\d{4}"),
        ("lsoa21nm", r".* \d{3}[A-Z] \(synthetic\)"),
        ("msoa21nm", r".* \d{3} \(synthetic\)"),
        ("wd24nm", r".* \(synthetic\)"),
        ("lad24nm", r".* \(synthetic\)"),
    ],
)
def test_codes_and_names_are_marked(world, column, pattern):
    assert world.areas.lsoas[column].str.fullmatch(pattern).all()


def test_groups_hang_together_and_nest(world):
    lsoas, neighbours = world.areas.lsoas, world.areas.tessellation.neighbours
    for column in ("msoa21cd", "lad24cd", "wd24cd"):
        for _, rows in lsoas.groupby(column).indices.items():
            assert connected(rows.tolist(), neighbours)
    assert (lsoas.groupby("msoa21cd")["lad24cd"].nunique() == 1).all()
    assert (lsoas.groupby("wd24cd")["lad24cd"].nunique() == 1).all()
    assert (lsoas.groupby("wd24cd")["msoa21cd"].nunique() > 1).any()


def test_connected_tells_apart():
    path = [{1}, {0, 2}, {1}]
    assert connected([0, 1, 2], path)
    assert not connected([0, 2], path)


def test_groups_of_a_lattice_have_the_sizes_asked():
    side = 9
    centres = np.array([(x, y) for x in range(side) for y in range(side)], dtype=float)
    place = {(int(x), int(y)): at for at, (x, y) in enumerate(centres)}
    neighbours = [
        {
            place[x + dx, y + dy]
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
            if (x + dx, y + dy) in place
        }
        for x, y in place
    ]
    groups = contiguous_groups(range(side * side), centres, neighbours, 4, 6)
    assert sorted(cell for group in groups for cell in group) == list(range(side * side))
    assert all(4 <= len(group) <= 6 for group in groups)
    assert all(connected(group, neighbours) for group in groups)


def test_2011_areas_cover_the_same_ground(world):
    old = world.vintages.polygons11
    assert shapely.coverage_is_valid(old)
    assert shapely.area(old).sum() == pytest.approx(shapely.area(world.areas.polygons).sum())
    difference = shapely.union_all(old).symmetric_difference(
        shapely.union_all(world.areas.polygons)
    )
    assert difference.area < 1.0


def test_changes_mean_what_they_say(world):
    changes = world.vintages.changes
    new = dict(zip(world.areas.lsoas["lsoa21cd"], world.areas.polygons, strict=True))
    old = dict(zip(world.vintages.lsoas11["lsoa11cd"], world.vintages.polygons11, strict=True))
    assert set(changes["chgind"]) == {"U", "S", "M", "X"}
    for code, pair in changes.query("chgind == 'U'").set_index("lsoa11cd")["lsoa21cd"].items():
        assert code == pair
    for code, rows in changes.query("chgind == 'S'").groupby("lsoa11cd"):
        assert len(rows) in (2, 3)
        children = shapely.union_all([new[child] for child in rows["lsoa21cd"]])
        assert shapely.symmetric_difference(children, old[code]).area < 1.0
    for code, rows in changes.query("chgind == 'M'").groupby("lsoa21cd"):
        assert len(rows) == 2
        parts = shapely.union_all([old[part] for part in rows["lsoa11cd"]])
        assert shapely.symmetric_difference(parts, new[code]).area < 1.0
    crossing = changes.query("chgind == 'X'")
    assert (crossing.groupby("lsoa11cd").size() == 2).all()
    for _, row in crossing.iterrows():
        assert old[row["lsoa11cd"]].intersection(new[row["lsoa21cd"]]).area > 1.0
    changed = changes.query("chgind != 'U'")["lsoa11cd"]
    assert changed.str.fullmatch(r"E0198\d{4}").all()
    assert set(changes["lsoa21cd"]) == set(new)


def test_a_points_2011_area_is_the_one_it_lies_in(world):
    postcodes = world.places.postcodes
    polygons = world.vintages.polygons11[postcodes["lsoa11"]]
    inside = shapely.intersects_xy(
        shapely.buffer(polygons, 1.0), postcodes["easting"], postcodes["northing"]
    )
    assert inside.all()


def test_deprivation_is_alike_among_neighbours(world):
    value = world.areas.lsoas["deprivation"].to_numpy()
    pairs = np.array(sorted(world.areas.tessellation.shared_edges))
    assert np.corrcoef(value[pairs[:, 0]], value[pairs[:, 1]])[0, 1] > 0.2


def test_streams_are_apart():
    first = topic_rng(1, "a").random(5)
    assert first.tolist() == topic_rng(1, "a").random(5).tolist()
    assert first.tolist() != topic_rng(1, "b").random(5).tolist()
    assert first.tolist() != topic_rng(2, "a").random(5).tolist()
    assert re.fullmatch(r"PCG64", type(topic_rng(1, "a").bit_generator).__name__)
