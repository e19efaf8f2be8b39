"""Which coordinate system a pair of columns is in, and the way to the British National Grid.

Belongs here: telling coordinate systems apart by their ranges, spotting exchanged, truncated and
empty coordinates, and projecting. Does not belong here: which area a point is in (`points`).

Ranges: Great Britain lies within longitude -9 to 2 and latitude 49 to 61 (degrees, WGS84), and
within easting 50,000 to 700,000 and northing 5,000 to 1,300,000 (metres, EPSG:27700), so the
systems cannot be mistaken for each other row by row. Nor can an exchanged longitude and latitude
be missed. An exchanged easting and northing mostly can: both often lie in both ranges, so a
locator must be asked whether the exchanged point is in an area. The Irish Grid lies inside the
British one by its numbers and cannot be told by range; it is refused by its code. Missing
positions are (0, 0), NULL, and ONS's latitude 99.999999 with longitude 0.

Without the Ordnance Survey's OSTN15 grid file the projection is right to about two to five metres:
far finer than an anonymised police map point, and the same for every point and boundary of a
region.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from declarations.contracts import IRISH_GRIDS
from declarations.errors import GeographyError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BNG = 27700
WGS84 = 4326

Kind = Literal["bng", "wgs84", "wgs84_swapped", "truncated", "web_mercator", "missing", "unknown"]
KINDS: tuple[Kind, ...] = (
    "bng",
    "wgs84",
    "wgs84_swapped",
    "truncated",
    "web_mercator",
    "missing",
    "unknown",
)
"""What one pair can be; `classify` gives positions in this tuple."""

DECISIVE_SHARE = 0.9
"""Share of the usable pairs one system needs to be the system of the columns."""


@dataclass(frozen=True)
class CrsDetection:
    """What the pairs of two coordinate columns are.

    Attributes
    ----------
    crs : str
        `bng`, `wgs84`, `wgs84_swapped`, `truncated`, `web_mercator`, `mixed` or `unknown`.
    counts : dict of str to int
        Pairs of each kind in `KINDS`.
    """

    crs: str
    counts: dict[str, int]


def classify(x: ArrayLike, y: ArrayLike) -> NDArray[np.int8]:
    """Kind of each coordinate pair.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        First and second coordinate as delivered; NaN for NULL.

    Returns
    -------
    ndarray of int8, shape (n,)
        Positions in `KINDS`.
    """
    first, second = coordinate_pair(x, y)
    with np.errstate(invalid="ignore"):
        missing = ~np.isfinite(first) | ~np.isfinite(second)
        missing |= (first == 0) & (second == 0)
        missing |= _no_position(first, second) | _no_position(second, first)
        whole = (first == np.rint(first)) & (second == np.rint(second))
        conditions = [
            missing,
            _between(first, 50_000, 700_000) & _between(second, 5_000, 1_300_000),
            whole & _between(first, -9, 2) & _between(second, 49, 61),
            _between(first, -9, 2) & _between(second, 49, 61),
            _between(first, 49, 61) & _between(second, -9, 2),
            _between(first, -1_100_000, 300_000) & _between(second, 6_200_000, 8_800_000),
            _between(first, 61.5, 70_000) & _between(second, 61.5, 130_000),
        ]
    kinds: tuple[Kind, ...] = (
        "missing",
        "bng",
        # Degrees without decimals are right to a hundred kilometres.
        "truncated",
        "wgs84",
        "wgs84_swapped",
        "web_mercator",
        "truncated",
    )
    choices = [np.int8(KINDS.index(kind)) for kind in kinds]
    return np.select(conditions, choices, np.int8(KINDS.index("unknown"))).astype(np.int8)


def detect_crs(x: ArrayLike, y: ArrayLike) -> CrsDetection:
    """Find the coordinate system of a pair of columns.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        The columns; NaN for NULL.

    Returns
    -------
    CrsDetection
        `mixed` where no kind holds nine tenths of the pairs that are not missing, `unknown` where
        all are missing.
    """
    found = np.bincount(classify(x, y), minlength=len(KINDS))
    counts: dict[str, int] = {kind: int(n) for kind, n in zip(KINDS, found, strict=True)}
    usable = sum(counts.values()) - counts["missing"]
    if not usable:
        return CrsDetection("unknown", counts)
    kind = max((k for k in KINDS if k != "missing"), key=lambda k: counts[k])
    return CrsDetection(kind if counts[kind] >= DECISIVE_SHARE * usable else "mixed", counts)


def require_supported_crs(epsg: int) -> int:
    """Refuse a declared coordinate system in which Great Britain cannot be given.

    Parameters
    ----------
    epsg : int
        The declared EPSG code.

    Returns
    -------
    int
        The same code.

    Raises
    ------
    GeographyError
        For an Irish grid, whose numbers look like British ones and lie elsewhere.
    """
    if epsg in IRISH_GRIDS:
        raise GeographyError(
            f"The coordinates are declared as EPSG:{epsg}, an Irish grid",
            "Convert them to the British National Grid (EPSG:27700) or leave those rows out",
        )
    return epsg


def to_bng(lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project longitude and latitude to the British National Grid.

    Parameters
    ----------
    lon, lat : array_like of float, shape (n,)
        Degrees, WGS84.

    Returns
    -------
    tuple of two ndarray of float64, shape (n,)
        Easting and northing in metres, infinite where the projection is not defined.
    """
    first, second = coordinate_pair(lon, lat)
    easting, northing = _transformer().transform(first, second)
    return np.asarray(easting, dtype=np.float64), np.asarray(northing, dtype=np.float64)


@lru_cache(maxsize=1)
def _transformer() -> Any:
    from pyproj import Transformer  # noqa: PLC0415 (heavy)

    return Transformer.from_crs(WGS84, BNG, always_xy=True)


def coordinate_pair(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two columns of coordinates as arrays of numbers, NaN where one is missing or masked.

    Raises
    ------
    GeographyError
        If they are no numbers, or differ in length.
    """
    first, second = (_numbers(column) for column in (x, y))
    if first.ndim != 1 or first.shape != second.shape:
        raise GeographyError("The two coordinate columns have different lengths")
    return first, second


def _numbers(column: ArrayLike) -> NDArray[np.float64]:
    try:
        # What lies under a mask is not there, whatever number it happens to be.
        masked = np.ma.atleast_1d(np.ma.asarray(column, dtype=np.float64))
    except (TypeError, ValueError):
        # The error would quote the text it met.
        raise GeographyError(
            "A coordinate column holds texts that are no numbers",
            "Give eastings and northings, or longitudes and latitudes, as numbers",
        ) from None
    return np.asarray(masked.filled(np.nan), dtype=np.float64)


def _between(a: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    return (a >= low) & (a <= high)


def _no_position(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (lat > 99.9) & (lat < 100.1) & (lon == 0)
