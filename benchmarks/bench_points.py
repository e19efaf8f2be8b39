"""Points in polygons: the locator against ``geopandas.sjoin(predicate="within")``, one core each.

Run ``python benchmarks/bench_points.py --points 10000000 --areas 35672`` from the repository. Areas
and points are made up, of a nation's size and shape (see ``realistic_areas``). Both get the same
points in this one process. The areas found must be the same: for every point that is within an
area, and, for points on a border or in no area, as the exact predicate ``intersects`` of GEOS
with the smallest code says. Adversarial points lie on vertices, on edges, and a millimetre off.
The run ends with an error if a single point differs.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import geopandas
import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from realistic_areas import make_areas, points_anywhere, points_of_residents

from geography.points import PointLocator

PART = 1_000_000


def peak():
    """Peak memory of this process so far, megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def adversarial(areas, count, seed=4):
    """Points on vertices, on edges (to the nearest number), and a millimetre off either."""
    rng = np.random.default_rng(seed)
    coordinates, ring = shapely.get_coordinates(
        shapely.get_exterior_ring(areas.geometry.values), return_index=True
    )
    first = rng.choice(np.flatnonzero(ring[1:] == ring[:-1]), count)
    along = rng.choice([0.0, 0.5, np.nan], count)
    along = np.where(np.isnan(along), rng.uniform(0, 1, count), along)[:, None]
    off = rng.choice([-1e-3, 0.0, 1e-3], (count, 2))
    points = coordinates[first] + along * (coordinates[first + 1] - coordinates[first]) + off
    return points[:, 0].copy(), points[:, 1].copy()


def by_predicate(tree, codes, x, y):
    """Smallest code of all areas that meet each point, by GEOS alone; codes in order."""
    found = np.full(len(x), len(codes))
    for start in range(0, len(x), PART):
        part = slice(start, start + PART)
        point, area = tree.query(shapely.points(x[part], y[part]), predicate="intersects")
        np.minimum.at(found[part], point, area)
    return np.append(codes, [None])[found]


def by_sjoin(points, areas):
    """Code of each point by geopandas; None where there is none."""
    joined = geopandas.sjoin(points, areas, how="left", predicate="within")
    return joined["lsoa21cd"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--areas", type=int, default=35_672)
    parser.add_argument("--adversarial", type=int, default=None, help="default: a tenth of points")
    args = parser.parse_args()
    started = time.perf_counter()
    areas = make_areas(args.areas)
    polygons = areas.geometry.to_numpy()
    codes = areas["lsoa21cd"].to_numpy(dtype=object)
    vertices = shapely.get_num_coordinates(polygons).mean()
    print(f"made {len(areas):,} areas of {vertices:.0f} vertices, "
          f"{time.perf_counter() - started:.1f} s")  # fmt: skip

    x, y = points_of_residents(areas, args.points)
    before = peak()
    began = time.perf_counter()
    locator = PointLocator(areas)
    building = time.perf_counter() - began
    began = time.perf_counter()
    found = locator.locate(x, y)
    locating = time.perf_counter() - began
    print(f"locator: {locating:.2f} s, and {building:.2f} s to build it; peak "
          f"{peak() - before:,.0f} MB above areas and points")  # fmt: skip

    began = time.perf_counter()
    frame = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(x, y), crs=27700)
    making = time.perf_counter() - began
    began = time.perf_counter()
    baseline = by_sjoin(frame, areas)
    joining = time.perf_counter() - began
    del frame
    print(f"sjoin of {args.points:,} points: {joining:.2f} s, and {making:.2f} s to make them "
          f"geometry; peak {peak() - before:,.0f} MB above")  # fmt: skip
    print(f"ratio, points against points: {joining / locating:.1f}; with all that each builds: "
          f"{(making + joining) / (building + locating):.1f}")  # fmt: skip

    print("comparing with the exact predicate", flush=True)
    # A point within two areas that overlap comes twice; the first code is the smallest.
    once = baseline[~baseline.index.duplicated()].to_numpy(dtype=object)
    within = np.array([isinstance(code, str) for code in once])
    wrong = int((once[within] != found[within]).sum())
    tree = shapely.STRtree(polygons)
    rest = np.flatnonzero(~within)
    wrong += int((by_predicate(tree, codes, x[rest], y[rest]) != found[rest]).sum())
    hard = args.adversarial or args.points // 10
    more = {"anywhere": points_anywhere(hard), "adversarial": adversarial(areas, hard)}
    for name, (px, py) in more.items():
        expected = by_predicate(tree, codes, px, py)
        began = time.perf_counter()
        ours = locator.locate(px, py)
        seconds = time.perf_counter() - began
        different = int((expected != ours).sum())
        wrong += different
        print(f"{len(px):,} points {name}: {different} differ, {seconds:.2f} s")
    print(f"{args.points:,} points of residents, {within.mean():.2%} within an area: "
          f"{wrong} differ in all")  # fmt: skip
    if wrong:
        sys.exit("The areas found are not the same")


if __name__ == "__main__":
    main()
