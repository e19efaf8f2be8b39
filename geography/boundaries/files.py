"""Opening a file of shapes: its format, its one layer, and whether it is geometry at all.

Belongs here: from a file to the shapes it holds, as they are. Does not belong here: whether its
content is what its ending says (`formats`), its coordinate system (`crs`), and what is made of the
shapes (`reading` for boundaries, `geography.custom_areas` for one polygon).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from declarations.errors import GeographyError
from geography.boundaries.crs import GEOPARQUET
from geography.boundaries.formats import check_format

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas
    from numpy.typing import NDArray


def load_shapes(path: Path, noun: str, layer: str | None = None) -> geopandas.GeoDataFrame:
    """Load the shapes of a file, and the columns beside them.

    Parameters
    ----------
    path : pathlib.Path
        A file that is there: GeoJSON, GeoPackage, Shapefile, FlatGeobuf or GeoParquet, told by its
        suffix. Compressed files are expanded before (``intake/containers.py``).
    noun : str
        What the file holds, for the message: ``boundaries`` or ``polygon``.
    layer : str, optional
        Layer of a file that has several.

    Returns
    -------
    geopandas.GeoDataFrame
        As the file has it: in its own coordinate system, nothing repaired.

    Raises
    ------
    GeographyError
        If the file is not of the format its ending says or cannot be read, has several layers of
        which none is named, or no geometry.
    """
    import geopandas  # noqa: PLC0415 (heavy)
    import pyogrio  # noqa: PLC0415 (heavy)
    from pyogrio.errors import (  # noqa: PLC0415 (heavy)
        DataLayerError,
        DataSourceError,
        FeatureError,
        GeometryError,
    )
    from pyproj.exceptions import CRSError  # noqa: PLC0415 (heavy)
    from shapely.errors import ShapelyError  # noqa: PLC0415 (heavy)

    check_format(path)
    try:
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            # The shapes are judged later, in words of our own.
            warnings.simplefilter("ignore", RuntimeWarning)
            if path.suffix.lower() in GEOPARQUET:
                frame = geopandas.read_parquet(path)
            else:
                chosen = _layer(pyogrio.list_layers(path), path, noun, layer)
                frame = geopandas.read_file(path, layer=chosen, engine="pyogrio")
    except (
        ValueError, OSError, LookupError, TypeError, NotImplementedError, DataLayerError,
        DataSourceError, FeatureError, GeometryError, CRSError, ShapelyError,
    ):  # fmt: skip
        # The library's own words may repeat what the file holds.
        raise GeographyError(
            f"The {noun} {path.name} cannot be read as geometry",
            "Ask for the file again, or save it anew as GeoJSON, GeoPackage, FlatGeobuf or "
            "GeoParquet",
        ) from None
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise GeographyError(
            f"There is no geometry in the {noun} {path.name}, only a table",
            "Give the file that holds the shapes",
        )
    return frame


def _layer(layers: NDArray[np.object_], path: Path, noun: str, wanted: str | None) -> str | None:
    """Return the layer to read: the one wanted, else the only one with shapes."""
    names = [str(name) for name, kind in layers if kind is not None]
    if wanted is None and len(names) > 1:
        raise GeographyError(
            f"There are {len(names)} layers in the {noun} {path.name}, and which of them to read "
            "is not said",
            f"Save one of them as a file of its own: {', '.join(names)}",
        )
    if wanted is not None and wanted not in names:
        raise GeographyError(
            f"There is no layer of the name that is given in the {noun} {path.name}",
            f"Name one of: {', '.join(names)}",
        )
    return wanted or next(iter(names), None)
