"""``lsoalink area``: adding, listing, showing and removing the areas a region draws itself.

Belongs here: what these commands read, write and print. Does not belong here: which LSOAs an area
means (``geography/custom_areas.py``), or its figures, which every release has in ``v_area_counts``.
"""

from __future__ import annotations

import csv
import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from declarations.areas import LSOA, CustomArea
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError, StorageError
from declarations.loader import load_region, parse_declaration, read_declaration
from pipelines.console import say, show_table
from pipelines.regions import BUNDLED, CATALOGUE, CONTRACTS, find_region
from pipelines.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intake.area_lookups import RegionCodes, ResolvedArea

CODE_HEADINGS = ("lsoa21cd", "lsoa21_code", "lsoa21", "lsoa", "lsoa_code", "code")
LARGEST_LIST = 5_000_000
"""Bytes of a list of codes; every LSOA of England and Wales makes half a megabyte."""


@dataclass(frozen=True)
class NewArea:
    """What ``lsoalink area add`` was given."""

    id: str
    title: str
    description: str = ""
    owner: str | None = None
    lsoa: str | None = None
    lsoas: Path | None = None
    polygon: Path | None = None
    rule: str | None = None
    crs: int | None = None


def add_area(name: str, settings: Settings, new: NewArea, *, force: bool) -> None:
    """Write the declaration of an area into the region's folder, its polygon beside it.

    Raises
    ------
    ConfigurationError
        If the region is bundled, the area is there already, or an option will not do.
    GeographyError
        If its codes or its polygon are not the region's.
    """
    declared = _open(name)
    folder = _own_folder(declared, name)
    area = _declaration(declared, new)
    file = declared.files.get(f"areas/{area.id}", folder / f"{area.id}.yaml")
    holder = next((k for k, p in declared.files.items() if p == file), f"areas/{area.id}")
    if holder != f"areas/{area.id}":
        raise ConfigurationError(
            f"{_below(declared, file)} declares another area, {holder.removeprefix('areas/')}",
            f"Give another --id, or rename the file to {holder}.yaml first",
        )
    beside = folder / area.polygon if area.polygon else None
    taken = [p for p in (file, beside) if p is not None and p.exists() and p != new.polygon]
    if taken and not force:
        raise ConfigurationError(
            f"The area {area.id} is there already: {_below(declared, taken[0])}",
            "Give another --id, or --force to replace it",
        )
    others = [a.id for a in declared.areas.values() if a.id != area.id]
    same = [i for i in others if declared.areas[i].title.casefold() == area.title.casefold()]
    if same:
        raise ConfigurationError(
            f"The area {same[0]} has the same title", "Give each area a title of its own"
        )
    if beside and any(declared.areas[i].polygon == beside.name for i in others):
        raise ConfigurationError(f"Another area uses the file {beside.name}", "Give another --id")
    found = _checked(declared, settings, area, file, new.polygon)
    _write(declared, area, file, new.polygon)
    say(f"Wrote {_below(declared, file)}: {_described(found)}.")
    if found and _leaves_the_region(found):
        say(f"{found.outside_share:.0%} of the polygon lies outside the region's LSOAs.")
    say(f"Its figures are in v_area_counts from the next release on: lsoalink run {name}")


def list_areas(name: str) -> None:
    """Write the areas a region declares, and the files of areas that cannot be read."""
    there = _area_files(name)
    if not there.areas and not there.malformed:
        say(f"{there.region} has no areas of its own; 'lsoalink area add' makes one.")
        return
    if there.areas:
        show_table(
            "",
            ("area", "title", "made from", "owner", "file"),
            [
                (
                    a.id, a.title,
                    f"{len(a.lsoas)} LSOAs" if a.lsoas else f"{a.polygon}, rule {a.rule}",
                    a.owner, _below(there, there.files[f"areas/{a.id}"]),
                )
                for a in there.areas.values()
            ],
        )  # fmt: skip
    for path, problem in there.malformed.items():
        say(f"{problem}. No run is possible until then: {_how_to_mend(name, path)}.")


def show_area(
    name: str, settings: Settings, area_id: str, geojson: Path | None, *, force: bool
) -> None:
    """Write an area's LSOAs with their districts, residents and households; export its border.

    Raises
    ------
    ConfigurationError
        If there is no such area, or the file of the export is there already.
    StorageError
        If the region has not been run, so that its LSOAs are not known.
    """
    declared = _open(name)
    area = _known(declared.areas, area_id, declared.region.id)
    codes = _region_codes(declared, settings)
    if codes is None:
        raise StorageError(
            f"The LSOAs of {declared.region.id} are not known yet",
            f"Run 'lsoalink run {name}' first",
        )
    if geojson is not None and geojson.is_dir():
        raise ConfigurationError(
            f"{geojson} is a folder", f"Name a file: {geojson / f'{area.id}.geojson'}"
        )
    if geojson is not None and geojson.exists() and not force:
        raise ConfigurationError(f"{geojson} is there already", "Name another file, or add --force")
    from intake.area_lookups import resolve_area  # noqa: PLC0415

    found = resolve_area(area, declared.files[f"areas/{area.id}"], codes)
    rows = _facts(declared, settings, found.codes)
    say(f"{area.title} ({area.id}): {_described(found)}, {area.fit.replace('_', ' ')}.")
    if area.description:
        say(area.description)
    headings = ("lsoa21cd", "lsoa21nm", "lad24nm", "residents", "households")
    show_table("", headings, [tuple(row[h] for h in headings) for row in rows])
    districts = sorted({row["lad24nm"] for row in rows})
    totals = {h: [row[h] for row in rows] for h in ("residents", "households")}
    counted = [
        f"{sum(numbers):,} {what}" for what, numbers in totals.items() if None not in numbers
    ]
    say(
        f"{len(rows)} LSOAs in {', '.join(districts)}; "
        + (f"{' and '.join(counted)} at the census." if counted else "no census figures yet.")
    )
    if geojson is not None:
        _export(area, found, codes, geojson)
        say(f"Wrote {geojson}")


def remove_area(name: str, area_id: str) -> None:
    """Remove an area's declaration, and its polygon if no other area uses it.

    A file of an area that cannot be read goes by its own name in place of the id within it.

    Raises
    ------
    ConfigurationError
        If the region is bundled or has no such area.
    """
    there = _area_files(name)
    folder = _own_folder(there, name)
    malformed = next((p for p in there.malformed if p.stem == area_id), None)
    if area_id not in there.areas and malformed is not None:
        malformed.unlink()
        say(f"Removed {_below(there, malformed)}, which could not be read. No polygon was removed.")
        return
    area = _known(there.areas, area_id, there.region)
    file = there.files[f"areas/{area.id}"]
    file.unlink()
    gone = [_below(there, file)]
    shared = any(a.polygon == area.polygon for a in there.areas.values() if a.id != area.id)
    if area.polygon and not shared and (folder / area.polygon).is_file():
        # A file that cannot be read may still name it.
        if any(area.polygon.encode() in path.read_bytes() for path in there.malformed):
            say(f"{_below(there, folder / area.polygon)} stays: another file names it.")
        else:
            (folder / area.polygon).unlink()
            gone.append(_below(there, folder / area.polygon))
    say(f"Removed {' and '.join(gone)}. Releases that are published keep the area.")


@dataclass(frozen=True)
class _AreaFiles:
    """The files of a region's areas, each read by itself: a malformed one hides no other.

    ``malformed`` has what is wrong with each file that cannot be read.
    """

    root: Path
    areas: dict[str, CustomArea]
    files: dict[str, Path]
    malformed: dict[Path, str]

    @property
    def region(self) -> str:
        return self.root.resolve().name


def _area_files(name: str) -> _AreaFiles:
    root = find_region(name)
    there = _AreaFiles(root, {}, {}, {})
    for path in sorted((root / "areas").glob("*.y*ml")):
        try:
            area = read_declaration(path, CustomArea)
        except ConfigurationError as error:
            there.malformed[path] = error.problem.replace(str(path), _below(there, path))
            continue
        if area.id in there.areas:
            there.malformed[path] = f"{_below(there, path)} has the id of another file, {area.id}"
            continue
        there.areas[area.id] = area
        there.files[f"areas/{area.id}"] = path
    return there


def _how_to_mend(name: str, path: Path) -> str:
    return f"correct the file, or remove it with 'lsoalink area remove {name} {path.stem}'"


def _leaves_the_region(found: ResolvedArea) -> bool:
    from intake.area_lookups import OUTSIDE_SHARE  # noqa: PLC0415

    return found.outside_share > OUTSIDE_SHARE


def _open(name: str) -> RegionDeclarations:
    for path, problem in _area_files(name).malformed.items():
        fix = _how_to_mend(name, path)
        raise ConfigurationError(problem, fix[0].upper() + fix[1:])
    # Without the polygons: an area that lost its file must still be shown and replaced.
    return load_region(
        find_region(name), contract_library=CONTRACTS, indicator_library=CATALOGUE, polygons=False
    )


def _own_folder(declared: RegionDeclarations | _AreaFiles, name: str) -> Path:
    if declared.root.resolve().parent == BUNDLED.resolve():
        raise ConfigurationError(
            f"{name} is a bundled region, and its files are not changed",
            "Make a region of your own with 'lsoalink init DIR', and add the area there",
        )
    return declared.root / "areas"


def _below(declared: RegionDeclarations | _AreaFiles, path: Path) -> str:
    return str(path.relative_to(declared.root))


def _known(areas: Mapping[str, CustomArea], area_id: str, region: str) -> CustomArea:
    if area_id not in areas:
        there = ", ".join(areas) or "none yet"
        raise ConfigurationError(f"{region} has no area of this id", f"Its areas are: {there}")
    return areas[area_id]


def _declaration(declared: RegionDeclarations, new: NewArea) -> CustomArea:
    given = [o for o in (new.lsoa, new.lsoas, new.polygon) if o is not None]
    if len(given) != 1:
        raise ConfigurationError(
            "An area is made from a list of LSOAs or from a polygon",
            "Give one of --lsoa CODES, --lsoas FILE and --polygon FILE",
        )
    content: dict[str, Any] = {
        "id": new.id,
        "title": new.title,
        "description": new.description,
        "owner": new.owner or declared.region.owners[0],
        "rule": new.rule,
        "crs": new.crs,
    }
    if new.polygon is not None:
        content["polygon"] = f"{new.id}{new.polygon.suffix.lower()}"
    else:
        codes = _codes_of(new.lsoas) if new.lsoas else (new.lsoa or "").split(",")
        upper = (code.strip().upper() for code in codes)
        content["lsoas"] = sorted(dict.fromkeys(code for code in upper if code))
        if not content["lsoas"]:
            raise ConfigurationError("The list holds no code of an LSOA", "Name at least one")
    try:
        return CustomArea.model_validate({k: v for k, v in content.items() if v is not None})
    except ValidationError as error:
        raise ConfigurationError(*_in_words(error)) from None


def _in_words(error: ValidationError) -> tuple[str, str]:
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    if key == "id":
        return (
            "The --id of an area is 2 to 41 lower-case letters, digits and hyphens, a letter first",
            "Use for example --id town-centre",
        )
    if key in ("title", "owner"):
        return (
            f"The --{key} is not one line of 1 to 200 characters that can be printed",
            "Shorten it, fill it in, or leave out what is not text",
        )
    if key == "description":
        return (
            "The --description holds characters that cannot be printed",
            "Leave out what is not text",
        )
    words = str(first["msg"]).removeprefix("Value error, ")
    return (f"--{key}: {words}" if key else words[0].upper() + words[1:]), "Correct the option"


def _codes_of(file: Path) -> list[str]:
    """Return the codes of a CSV file: its column of LSOAs, or its first column if it has one."""
    if not file.is_file():
        raise ConfigurationError(f"There is no file {file}", "Name a CSV file with codes of LSOAs")
    if file.stat().st_size > LARGEST_LIST:
        raise ConfigurationError(f"{file} is too large for a list of codes", "Keep the codes only")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [row for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error):
        raise ConfigurationError(f"{file} cannot be read as CSV", "Save it as UTF-8 CSV") from None
    if not rows:
        return []
    headings = [cell.strip().lower() for cell in rows[0]]
    column = next((headings.index(h) for h in CODE_HEADINGS if h in headings), None)
    if column is None and any(LSOA.fullmatch(cell.upper()) for cell in headings):
        return [cell for row in rows for cell in row]
    if column is None:
        raise ConfigurationError(
            f"{file} has no column of LSOA codes", f"Head the column {CODE_HEADINGS[0]}"
        )
    return [row[column] for row in rows[1:] if len(row) > column]


def _table(declared: RegionDeclarations, settings: Settings, *parts: str) -> Path:
    return settings.data_dir.joinpath(declared.region.id, *parts)


def _region_codes(declared: RegionDeclarations, settings: Settings) -> RegionCodes | None:
    """Return the region's codes as its last run left them, or None before the first."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    from intake.area_lookups import RegionCodes  # noqa: PLC0415
    from intake.borders import borders_of  # noqa: PLC0415

    def column(path: Path, name: str) -> frozenset[str]:
        if not path.is_file():
            return frozenset()
        return frozenset(pq.read_table(path, columns=[name]).column(name).to_pylist()) - {None}

    areas = _table(declared, settings, "reference", "reference_areas", "all.parquet")
    changes = _table(declared, settings, "reference", "reference_lsoa_changes", "all.parquet")
    if not areas.is_file():
        return None
    return RegionCodes(
        region=column(areas, "lsoa21cd"),
        known=column(changes, "lsoa21cd"),
        known_2011=column(changes, "lsoa11cd"),
        borders=functools.cache(lambda: borders_of(areas)),
    )


def _checked(
    declared: RegionDeclarations,
    settings: Settings,
    area: CustomArea,
    file: Path,
    polygon: Path | None,
) -> ResolvedArea | None:
    """Return the area's LSOAs, or None where the region has not been run and they are not known."""
    from geography.custom_areas import match_polygon, read_polygon  # noqa: PLC0415
    from intake.area_lookups import ResolvedArea, resolve_area  # noqa: PLC0415

    codes = _region_codes(declared, settings)
    if polygon is None:
        return resolve_area(area, file, codes) if codes else None
    border = read_polygon(polygon, area.crs)
    if codes is None:
        return None
    match = match_polygon(border, codes.borders(), area.rule, polygon.name)
    return ResolvedArea(match.codes, match.outside_share)


def _described(found: ResolvedArea | None) -> str:
    if found is None:
        return "its LSOAs are checked by the next run, for the region has not been run yet"
    return f"{len(found.codes)} LSOAs"


def area_text(area: CustomArea) -> str:
    """Return the YAML of an area: commented, in one order, codes sorted."""
    lines = [
        "# yaml-language-server: $schema=../.schemas/area.json",
        "# An area of the region's own, made of whole 2021 LSOAs. 'lsoalink area show' says which.",
        f"id: {area.id}",
        f"title: {_quoted(area.title)}",
    ]
    if area.description:
        lines.append(f"description: {_quoted(area.description)}")
    lines.append(f"owner: {_quoted(area.owner)}")
    if area.lsoas is not None:
        lines += ["lsoas:", *(f"  - {code}" for code in sorted(area.lsoas))]
    else:
        lines.append(f"polygon: {_quoted(str(area.polygon))}")
        lines.append(f"rule: {area.rule}  # most, centre or any: which LSOAs belong to the polygon")
        if area.crs is not None:
            lines.append(f"crs: {area.crs}  # EPSG number of the polygon's coordinates")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A text of JSON is a text of YAML, whatever it holds.
    return json.dumps(text, ensure_ascii=False)


def _write(
    declared: RegionDeclarations, area: CustomArea, file: Path, polygon: Path | None
) -> None:
    from warehouse.lake import write_atomically  # noqa: PLC0415

    text = area_text(area)
    if parse_declaration(text, file, CustomArea) != area:
        raise ConfigurationError(
            f"{_below(declared, file)} would not say what was given",
            "Leave out of the title, the description and the owner what is not text",
        )
    before = declared.areas.get(area.id)
    others = {a.polygon for a in declared.areas.values() if a.id != area.id}
    if polygon is not None and area.polygon is not None:
        target = file.parent / area.polygon
        if target.resolve() != polygon.resolve():
            write_atomically(target, polygon.read_bytes())
    write_atomically(file, text.encode())
    if before and before.polygon and before.polygon not in {area.polygon, *others}:
        (file.parent / before.polygon).unlink(missing_ok=True)


def _facts(
    declared: RegionDeclarations, settings: Settings, codes: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return name, district and published census figures of each LSOA."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns = ["lsoa21cd", "lsoa21nm", "lad24nm"]
    areas = _table(declared, settings, "reference", "reference_areas", "all.parquet")
    known = {r["lsoa21cd"]: r for r in pq.read_table(areas, columns=columns).to_pylist()}
    release = _table(declared, settings, "published", "latest", "parquet", "areas.parquet")
    figures: dict[str, dict[str, Any]] = {}
    if release.is_file():
        census = ["lsoa21cd", "residents", "households"]
        figures = {r["lsoa21cd"]: r for r in pq.read_table(release, columns=census).to_pylist()}
    nothing = {"residents": None, "households": None}
    return [{**nothing, **known[code], **figures.get(code, {})} for code in codes]


def _export(area: CustomArea, found: ResolvedArea, codes: RegionCodes, target: Path) -> None:
    """Write the area's border, the outline of its LSOAs, as GeoJSON in longitude and latitude."""
    import geopandas  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    from warehouse.lake import write_atomically  # noqa: PLC0415

    borders = codes.borders()
    mine = borders[borders["lsoa21cd"].isin(found.codes)]
    outline = geopandas.GeoSeries([mine.geometry.union_all()], crs=borders.crs).to_crs(4326)
    feature = {
        "type": "Feature",
        "properties": {
            "id": area.id, "title": area.title, "fit": area.fit, "lsoas": list(found.codes),
        },
        "geometry": json.loads(shapely.to_geojson(outline.iloc[0])),
    }  # fmt: skip
    text = json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False)
    write_atomically(target, (text + "\n").encode())
