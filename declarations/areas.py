"""``areas/*.yaml``: an area a region draws itself, from a list of LSOAs or from a polygon.

Belongs here: the model of one file. Does not belong here: which LSOAs a polygon means
(``geography/custom_areas.py``), or whether the codes are the region's (``intake/area_lookups.py``).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from declarations.base import Declaration

AreaIdentifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
UNPRINTABLE = r"\x7f-\x9f\u2028\u2029\ufffe\uffff"
"""What YAML cannot hold or breaks a line at, besides the controls of ASCII."""

Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=rf"^[^\x00-\x1f{UNPRINTABLE}]+$"),
]
"""A text of one line."""

Text = Annotated[str, StringConstraints(pattern=rf"^[^\x00-\x08\x0b-\x1f{UNPRINTABLE}]*$")]
"""A text of any number of lines."""

LSOA = re.compile(r"[EW]01[0-9]{6}")
POLYGON_FORMATS = (".geojson", ".json", ".gpkg", ".fgb", ".parquet", ".geoparquet")
"""Formats of one file each; a Shapefile is several."""

Rule = Literal["centre", "any", "most"]


class CustomArea(Declaration):
    """An area of the region's own, made of whole 2021 LSOAs."""

    id: AreaIdentifier = Field(
        description="Names the area in every release: lower case, digits, hyphens."
    )
    title: Line = Field(description="The area's name as it is published.")
    description: Text = Field(default="", description="What the area is for, in a sentence or two.")
    owner: Line = Field(description="Who answers for the area: 'team:name' or an e-mail address.")
    lsoas: list[str] | None = Field(
        default=None, min_length=1, description="Codes of the 2021 LSOAs it is made of."
    )
    polygon: str | None = Field(
        default=None, description="A file with its border, beside this one, instead of a list."
    )
    rule: Rule = Field(
        default="most",
        description="Which LSOAs belong to a polygon. 'most': more than half of the LSOA's area "
        "lies in it. 'centre': a point on the LSOA's surface does. 'any': more than a sliver does.",
    )
    crs: int | None = Field(
        default=None, description="EPSG number of the polygon's coordinates, if it does not say."
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if (self.lsoas is None) == (self.polygon is None):
            raise ValueError("give either lsoas or polygon")
        if self.lsoas is not None:
            if self.model_fields_set & {"rule", "crs"}:
                raise ValueError("rule and crs go with a polygon")
            malformed = sum(1 for code in self.lsoas if not LSOA.fullmatch(code))
            if malformed:
                raise ValueError(
                    f"{malformed} of the lsoas are not codes of LSOAs (E01 or W01 and six digits)"
                )
            repeated = len(self.lsoas) - len(set(self.lsoas))
            if repeated:
                raise ValueError(f"{repeated} of the lsoas stand there more than once")
        if self.polygon is not None:
            plain = re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.polygon, re.ASCII)
            if not plain or not self.polygon.lower().endswith(POLYGON_FORMATS):
                raise ValueError(
                    "polygon is the plain name of a file beside this one, ending in "
                    f"{', '.join(POLYGON_FORMATS)}"
                )
        return self

    @property
    def fit(self) -> Literal["exact", "best_fit"]:
        """A list is the area; of a polygon the LSOAs are only the best fit."""
        return "exact" if self.lsoas is not None else "best_fit"
