"""``lsoalink area``: areas a region drew itself."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DataDir, RegionName

area_app = typer.Typer(
    no_args_is_help=True, help="Areas of the region's own, made of whole LSOAs, in every release."
)


class Rule(StrEnum):
    """Which LSOAs belong to a polygon."""

    MOST = "most"
    CENTRE = "centre"
    ANY = "any"


AreaId = Annotated[str, typer.Argument(metavar="ID", help="The area's id, see 'area list'.")]


@area_app.command(
    "add",
    epilog="Examples:  lsoalink area add my-region --id town-centre --title 'Town centre' "
    "--lsoa E01990001,E01990002   ·   lsoalink area add my-region --id canal --title 'Old canal' "
    "--polygon canal.geojson --rule centre",
)
def area_add(  # noqa: PLR0917 - options, each given by its name
    region: RegionName,
    area_id: Annotated[str, typer.Option("--id", help="Lower case, digits, hyphens.")],
    title: Annotated[str, typer.Option(help="The name it is published under.")],
    lsoa: Annotated[str | None, typer.Option(help="Codes of 2021 LSOAs, with commas.")] = None,
    lsoas: Annotated[Path | None, typer.Option(help="A CSV file with a column lsoa21cd.")] = None,
    polygon: Annotated[
        Path | None, typer.Option(help="GeoJSON, GeoPackage, FlatGeobuf or GeoParquet.")
    ] = None,
    rule: Annotated[
        Rule | None,
        typer.Option(
            help="LSOAs of a polygon: by most of their area (default), by a centre, or any with "
            "more than 1 % of the LSOA in it."
        ),
    ] = None,
    crs: Annotated[int | None, typer.Option(help="EPSG number, if the polygon has none.")] = None,
    description: Annotated[str, typer.Option(help="What the area is for.")] = "",
    owner: Annotated[
        str | None, typer.Option(help="Who answers for it. Default: the region's owner.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the area of this id.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Add an area, from a list of LSOAs or from a polygon, to a region's own folder."""
    from pipelines.areas import NewArea, add_area
    from pipelines.running import settings_for

    new = NewArea(
        id=area_id, title=title, description=description, owner=owner, lsoa=lsoa, lsoas=lsoas,
        polygon=polygon, rule=rule.value if rule else None, crs=crs,
    )  # fmt: skip
    add_area(region, settings_for(data_dir, None), new, force=force)


@area_app.command("list", epilog="Example: lsoalink area list arden")
def area_list(region: RegionName) -> None:
    """List the areas a region drew itself."""
    from pipelines.areas import list_areas

    list_areas(region)


@area_app.command("show", epilog="Example: lsoalink area show arden old-canal --geojson canal.json")
def area_show(
    region: RegionName,
    area_id: AreaId,
    geojson: Annotated[
        Path | None, typer.Option("--geojson", help="Write its border to this file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show an area's LSOAs, districts, residents and households."""
    from pipelines.areas import show_area
    from pipelines.running import settings_for

    show_area(region, settings_for(data_dir, None), area_id, geojson, force=force)


@area_app.command("remove", epilog="Example: lsoalink area remove my-region town-centre")
def area_remove(region: RegionName, area_id: AreaId) -> None:
    """Remove an area from a region's own folder; published releases keep it."""
    from pipelines.areas import remove_area

    remove_area(region, area_id)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(area_app, name="area")
