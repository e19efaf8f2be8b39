"""The GeoPackage of a release, for QGIS and other desktop systems.

Belongs here: the layers and how indicators become columns. Does not belong here: the borders on the
map page (``map_geometry.py``), which are simplified; these are as given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from declarations.errors import GeographyError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa

AREA_LAYER = "lsoa21"
LATEST_LAYER = "lsoa21_latest"
COLUMN_LAYER = "lsoa21_latest_columns"
BRITISH_NATIONAL_GRID = 27700


def areas_with_borders(areas: pa.Table, boundaries: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Join areas to their borders, in the order of ``areas``.

    Raises
    ------
    GeographyError
        If an area has no border or two, or the borders are not on the British National Grid.
    """
    if boundaries.crs is None or boundaries.crs.to_epsg() != BRITISH_NATIONAL_GRID:
        raise GeographyError(
            "The boundaries are not on the British National Grid (EPSG:27700)",
            "Convert them before publishing",
        )
    codes = areas.column("lsoa21cd").to_pylist()
    borders = boundaries.loc[boundaries["lsoa21cd"].isin(codes), ["lsoa21cd", "geometry"]]
    doubled = int(borders["lsoa21cd"].duplicated().sum())
    absent = len(set(codes) - set(borders["lsoa21cd"]))
    if doubled or absent:
        raise GeographyError(
            f"{absent} area(s) of the release have no boundary and {doubled} have more than one",
            "Give exactly one boundary for each area",
        )
    ordered = borders.set_index("lsoa21cd").loc[codes].reset_index()
    return ordered[["lsoa21cd", "geometry"]]


def latest_by_indicator(observations: pd.DataFrame) -> pd.DataFrame:
    """Return the undivided LSOA rows of each indicator's latest period.

    Parameters
    ----------
    observations : pandas.DataFrame
        The observations table.
    """
    rows = observations[
        (observations["geography_type"] == "lsoa21") & (observations["breakdown_type"] == "none")
    ]
    latest = rows.groupby("indicator_id")["period_end"].transform("max")
    return rows[rows["period_end"] == latest]


def _wide(
    areas: pd.DataFrame, observations: pd.DataFrame, indicators: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd  # noqa: PLC0415 - heavy

    latest = latest_by_indicator(observations)
    columns: dict[str, pd.Series] = {}
    described = []
    for row in indicators.sort_values("indicator_id").itertuples():
        rows = latest[latest["indicator_id"] == row.indicator_id]
        if rows.empty:
            continue
        indexed = rows.set_index("geography_code").reindex(areas["lsoa21cd"])
        prefix = str(row.indicator_id).lower()
        for suffix, source, what in (
            ("value", "value", "value"),
            ("lower", "lower_ci", "lower 95% confidence limit"),
            ("upper", "upper_ci", "upper 95% confidence limit"),
            ("status", "value_status", "marker: empty for a plain value"),
        ):
            values = indexed[source]
            if suffix != "status":
                values = values.astype("float64").round(int(row.decimals))
            columns[f"{prefix}_{suffix}"] = values.reset_index(drop=True)
            described.append(
                {
                    "column_name": f"{prefix}_{suffix}",
                    "indicator_id": row.indicator_id,
                    "title": row.title,
                    "what": what,
                    "unit": "" if suffix == "status" else row.unit,
                    "period": rows["period_label"].iloc[0],
                }
            )
    names = ["lsoa21cd", "lsoa21nm", "msoa21cd", "lad24cd", "lad24nm"]
    wide = pd.concat([areas[names].reset_index(drop=True), pd.DataFrame(columns)], axis=1)
    fields = ["column_name", "indicator_id", "title", "what", "unit", "period"]
    return wide, pd.DataFrame(described, columns=fields)


def write_geopackage(
    path: Path,
    tables: Mapping[str, pa.Table],
    borders: gpd.GeoDataFrame,
    about: Mapping[str, str],
    as_of: dt.date,
) -> None:
    """Write the GeoPackage: areas, areas with the latest figures, and what each column means.

    Parameters
    ----------
    path : Path
        The file to write.
    tables : mapping of str to pyarrow.Table
        Conformed tables by name.
    borders : geopandas.GeoDataFrame
        ``lsoa21cd`` and geometry (EPSG:27700), in the order of the areas table.
    about : mapping of str to str
        Facts of the release, stored as metadata of the file and of every layer.
    as_of : datetime.date
        Date GDAL writes as the last change, instead of the clock's.
    """
    import geopandas as gpd  # noqa: PLC0415 - heavy
    import pyogrio  # noqa: PLC0415 - heavy

    areas = tables["areas"].to_pandas()
    wide, described = _wide(
        areas, tables["observations"].to_pandas(), tables["indicators"].to_pandas()
    )
    mark = f" {about['synthetic']}" if about.get("synthetic") else ""
    shape = borders.geometry.reset_index(drop=True)
    layers = (
        (AREA_LAYER, gpd.GeoDataFrame(areas, geometry=shape), "2021 LSOAs of the region."),
        (
            LATEST_LAYER,
            gpd.GeoDataFrame(wide, geometry=shape),
            "2021 LSOAs with the latest figure of each indicator; an empty value is never 0, see "
            f"its status column. Columns are explained in {COLUMN_LAYER}.",
        ),
        (COLUMN_LAYER, described, f"What each column of {LATEST_LAYER} means."),
    )
    stamp = f"{as_of.isoformat()}T00:00:00.000Z"
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        for number, (layer, frame, description) in enumerate(layers):
            pyogrio.write_dataframe(
                frame,
                path,
                layer=layer,
                driver="GPKG",
                append=number > 0,
                layer_options={"IDENTIFIER": layer, "DESCRIPTION": description + mark},
                layer_metadata=dict(about),
                dataset_metadata=dict(about) if number == 0 else None,
                geometry_type=None if layer == COLUMN_LAYER else "MultiPolygon",
                promote_to_multi=None if layer == COLUMN_LAYER else True,
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
