"""The reference files of ONS: boundaries, changes between vintages, output areas, postcodes, UPRNs.

Belongs here: the region's geography in the layouts ONS publishes. Does not belong here: statistics
about the areas, which are ``open_tables``. Column names: domain dossier 1.6.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from synthetic.delivery import Extract
from synthetic.tables import Table, numbers
from synthetic.world import World

BOUNDARIES21 = "ons_lsoa21_boundaries"
BOUNDARIES11 = "ons_lsoa11_boundaries"
CHANGES = "ons_lsoa_changes"
OUTPUT_AREAS = "ons_output_areas"
POSTCODES = "ons_postcodes"
UPRNS = "ons_uprns"


def reference_extracts(world: World) -> Iterator[Extract]:
    """Yield the reference files, each delivered once."""
    lsoas = world.areas.lsoas
    columns = [
        "lsoa21cd",
        "lsoa21nm",
        "msoa21cd",
        "msoa21nm",
        "lad24cd",
        "lad24nm",
        "wd24cd",
        "wd24nm",
    ]
    yield Extract(
        BOUNDARIES21,
        None,
        "LSOA_2021_boundaries_BGC.geojson",
        body=_geojson("LSOA_2021_boundaries_BGC", world.areas.polygons, lsoas[columns]),
    )
    yield Extract(
        BOUNDARIES11,
        None,
        "LSOA_2011_boundaries_BGC.geojson",
        body=_geojson(
            "LSOA_2011_boundaries_BGC", world.vintages.polygons11, world.vintages.lsoas11
        ),
    )
    yield Extract(CHANGES, None, "LSOA11_LSOA21_LAD22_exact_fit.csv", _changes(world))
    yield Extract(OUTPUT_AREAS, None, "OA21_LSOA21_MSOA21_LAD24.csv", _output_areas(world))
    yield Extract(POSTCODES, None, "ONSPD_synthetic.csv", _postcodes(world))
    yield Extract(UPRNS, None, "ONSUD_synthetic.csv", _uprns(world))


def _geojson(name: str, polygons: NDArray[Any], properties: pd.DataFrame) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {key.upper(): value for key, value in record.items()},
            "geometry": {
                "type": "Polygon",
                "coordinates": [shapely.get_coordinates(polygon).tolist()],
            },
        }
        for polygon, record in zip(polygons, properties.to_dict("records"), strict=True)
    ]
    collection = {
        "type": "FeatureCollection",
        "name": f"{name} (synthetic)",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}},
        "features": features,
    }
    return json.dumps(collection, separators=(",", ":")).encode()


def _texts(frame: pd.DataFrame, names: dict[str, str]) -> Table:
    return {new: frame[old].to_numpy(dtype=object) for new, old in names.items()}


def _changes(world: World) -> Table:
    changes = world.vintages.changes
    table = _texts(
        changes,
        {
            "LSOA11CD": "lsoa11cd",
            "LSOA11NM": "lsoa11nm",
            "LSOA21CD": "lsoa21cd",
            "LSOA21NM": "lsoa21nm",
            "CHGIND": "chgind",
            "LAD22CD": "lad24cd",
            "LAD22NM": "lad24nm",
        },
    )
    table["LAD22NMW"] = np.full(len(changes), "", dtype=object)
    table["ObjectId"] = numbers(np.arange(1, len(changes) + 1))
    return table


def _output_areas(world: World) -> Table:
    oas = world.places.oas
    areas = world.areas.lsoas.iloc[oas["lsoa"].to_numpy()]
    table: Table = {"OA21CD": oas["oa21cd"].to_numpy(dtype=object)}
    for name in ("lsoa21cd", "lsoa21nm", "msoa21cd", "msoa21nm", "lad24cd", "lad24nm"):
        table[name.upper()] = areas[name].to_numpy(dtype=object)
    table["usual_residents"] = numbers(oas["residents"].to_numpy())
    return table


def to_wgs84(
    easting: NDArray[np.float64], northing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Convert EPSG:27700 metres to WGS84 longitude and latitude, degrees."""
    from pyproj import Transformer  # noqa: PLC0415 - pyproj is slow to import

    # Written as a pipeline of fixed parameters, so that the result does not depend on which
    # transformation grids are installed.
    pipeline = (
        "+proj=pipeline +step +inv +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 "
        "+y_0=-100000 +ellps=airy +step +proj=push +v_3 +step +proj=cart +ellps=airy "
        "+step +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 "
        "+s=-20.489 +convention=position_vector +step +inv +proj=cart +ellps=WGS84 "
        "+step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    return Transformer.from_pipeline(pipeline).transform(easting, northing)


def _postcodes(world: World) -> Table:
    frame = world.places.postcodes
    areas = world.areas.lsoas.iloc[frame["lsoa"].to_numpy()]
    easting = frame["easting"].to_numpy(dtype=np.float64)
    northing = frame["northing"].to_numpy(dtype=np.float64)
    longitude, latitude = to_wgs84(easting, northing)
    pcds = frame["pcds"].to_numpy(dtype=object)
    code11 = world.vintages.lsoas11["lsoa11cd"].to_numpy(dtype=object)
    return {
        # Seven characters: the outward code padded to four.
        "pcd7": np.array([f"{code[:-4]:<4}{code[-3:]}" for code in pcds.tolist()], dtype=object),
        "pcds": pcds,
        "dointr": frame["dointr"].to_numpy(dtype=object),
        "doterm": frame["doterm"].to_numpy(dtype=object),
        "lat": numbers(latitude, 6),
        "long": numbers(longitude, 6),
        "east1m": numbers(easting),
        "north1m": numbers(northing),
        "osgrdind": np.where(frame["live"], "1", "8").astype(object),
        "oa21cd": world.places.oas["oa21cd"].to_numpy(dtype=object)[frame["oa"]],
        "lsoa11cd": code11[frame["lsoa11"]],
        "lsoa21cd": areas["lsoa21cd"].to_numpy(dtype=object),
        "msoa21cd": areas["msoa21cd"].to_numpy(dtype=object),
        "lad25cd": areas["lad24cd"].to_numpy(dtype=object),
    }


def _uprns(world: World) -> Table:
    uprns = world.places.uprns
    order = np.argsort(uprns["uprn"], kind="stable")
    return {
        "UPRN": uprns["uprn"][order],
        "GRIDGB1E": numbers(uprns["easting"][order], 2),
        "GRIDGB1N": numbers(uprns["northing"][order], 2),
        "PCDS": world.places.postcodes["pcds"].to_numpy(dtype=object)[uprns["postcode"][order]],
        "OA21CD": world.places.oas["oa21cd"].to_numpy(dtype=object)[uprns["oa"][order]],
        "LSOA21CD": world.areas.lsoas["lsoa21cd"].to_numpy(dtype=object)[uprns["lsoa"][order]],
    }
