"""``lsoalink area``: what it writes, what it refuses in one sentence, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from declarations.areas import CustomArea
from declarations.errors import ConfigurationError, GeographyError, LsoalinkError
from declarations.loader import load_region, read_declaration
from pipelines.areas import NewArea, add_area, area_text, list_areas, remove_area, show_area
from pipelines.regions import CATALOGUE, CONTRACTS
from pipelines.settings import Settings

ONE, TWO = "E01990001", "E01990002"
BNG = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}


class Region:
    """The finished made-up region's folder, copied, with its data."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.settings = folder, Settings(data_dir=data)

    def add(self, area_id: str = "north-end", *, force: bool = False, **more: Any) -> None:
        given = {"lsoa": ONE} if not {"lsoa", "lsoas", "polygon"} & set(more) else {}
        new = NewArea(**{"id": area_id, "title": area_id.upper(), **given, **more})
        add_area(str(self.folder), self.settings, new, force=force)

    def read(self, name: str = "north-end") -> CustomArea:
        return read_declaration(self.folder / "areas" / f"{name}.yaml", CustomArea)

    def files(self) -> set[str]:
        return {p.name for p in (self.folder / "areas").glob("*")}

    def draw(self, left: float, right: float, *, name: str = "drawn.geojson",
             crs: Any = BNG, kind: str = "Polygon") -> Path:  # fmt: skip
        low, high = 270_000, 271_000
        ring = [[left, low], [right, low], [right, high], [left, high], [left, low]]
        at = [ring] if kind == "Polygon" else ring
        feature = {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": kind, "coordinates": at},
        }
        content = {"type": "FeatureCollection", "features": [feature]} | (
            {"crs": crs} if crs else {}
        )
        path = self.folder.parent / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path


@pytest.fixture
def region(finished: Any, tmp_path: Path) -> Region:
    from region_factory import region_content, write_region

    return Region(write_region(tmp_path / "region", region_content()), finished.folder / "data")


@pytest.fixture
def fresh(tmp_path: Path) -> Region:
    """The same region before its first run."""
    from region_factory import region_content, write_region

    return Region(write_region(tmp_path / "region", region_content()), tmp_path / "data")


def test_a_list_is_written_as_a_declaration(region: Region, capsys: Any) -> None:
    region.add(title="North: the 'End' # 1", description='Why "not"?', lsoa=f"{TWO}, {ONE},{TWO}")

    area = region.read()
    assert area.lsoas == [ONE, TWO]
    assert (area.title, area.description) == ("North: the 'End' # 1", 'Why "not"?')
    assert area.owner == "team:tests"
    assert "Wrote areas/north-end.yaml: 2 LSOAs." in capsys.readouterr().out
    assert "north-end" in load_region(region.folder).areas


def test_the_same_area_is_the_same_text() -> None:
    given = {"id": "a1", "title": "A", "owner": "x", "lsoas": [TWO, ONE]}
    text = area_text(CustomArea.model_validate(given))

    assert text == area_text(CustomArea.model_validate(given | {"lsoas": [ONE, TWO]}))
    assert text.startswith("# yaml-language-server: $schema=../.schemas/area.json\n")
    assert list(yaml.safe_load(text)) == ["id", "title", "owner", "lsoas"]


@pytest.mark.parametrize(
    "text",
    [f"lsoa21cd\n{ONE}\n{TWO}\n", f"\ufeffname,LSOA21CD\nx,{ONE}\ny,{TWO}\n", f"{ONE}\n\n{TWO}\n",
     f"{ONE},{TWO}\n", f"lsoa\r\n {ONE.lower()} \r\n{TWO}\r\n"],
)  # fmt: skip
def test_codes_come_from_a_file(region: Region, text: str) -> None:
    path = region.folder.parent / "codes.csv"
    path.write_text(text, encoding="utf-8", newline="")

    region.add(lsoas=path)

    assert region.read().lsoas == [ONE, TWO]


def test_a_polygon_is_copied_beside_its_declaration(region: Region, capsys: Any) -> None:
    path = region.draw(450_400, 453_000)

    region.add("canal", polygon=path, rule="any")

    assert region.files() == {"canal.yaml", "canal.geojson"}
    assert (region.folder / "areas" / "canal.geojson").read_bytes() == path.read_bytes()
    assert (region.read("canal").polygon, region.read("canal").rule) == ("canal.geojson", "any")
    assert "3 LSOAs" in capsys.readouterr().out


def test_a_polygon_that_leaves_the_region_is_told(region: Region, capsys: Any) -> None:
    region.add("canal", polygon=region.draw(449_000, 451_000))

    assert "50% of the polygon lies outside the region's LSOAs." in capsys.readouterr().out


def refusals(region: Region) -> dict[str, tuple[dict[str, Any], type[LsoalinkError], str]]:
    folder = region.folder.parent
    (folder / "empty.csv").write_text("lsoa21cd\n", encoding="utf-8")
    (folder / "other.csv").write_text("name,colour\nx,red\n", encoding="utf-8")
    (folder / "latin.csv").write_bytes(b"lsoa21cd\n\xe9\xff\n")
    (folder / "text.geojson").write_text("no geometry", encoding="utf-8")
    (folder / "border.shp").write_bytes(b"x")
    wrong = region.draw(450_000, 451_000, name="wrong.geojson", crs=None)
    away = region.draw(500_000, 501_000, name="away.geojson")
    line = region.draw(450_000, 451_000, name="line.geojson", kind="LineString")
    config, geography = ConfigurationError, GeographyError
    return {
        "path in the id": ({"area_id": "../evil"}, config, "The --id of an area is"),
        "absolute id": ({"area_id": "/etc/evil"}, config, "The --id of an area is"),
        "no id": ({"area_id": ""}, config, "The --id of an area is"),
        "capitals": ({"area_id": "North"}, config, "The --id of an area is"),
        "newline": ({"area_id": "nor\nth"}, config, "The --id of an area is"),
        "no title": ({"title": ""}, config, "The --title is not one line"),
        "title of two lines": ({"title": "a\nb: c"}, config, "The --title is not one line"),
        "empty list": ({"lsoa": " , "}, config, "The list holds no code"),
        "no codes in the file": ({"lsoas": folder / "empty.csv"}, config, "holds no code"),
        "no column": ({"lsoas": folder / "other.csv"}, config, "has no column of LSOA codes"),
        "not UTF-8": ({"lsoas": folder / "latin.csv"}, config, "cannot be read as CSV"),
        "no file": ({"lsoas": folder / "none.csv"}, config, "There is no file"),
        "not a code": ({"lsoa": f"{ONE},E02990001"}, config, "1 of the lsoas are not codes"),
        "unknown": ({"lsoa": f"{ONE},E01999999"}, geography, "1 of the 2 codes in areas/"),
        "of 2011": ({"lsoa": "E01980002"}, geography, "are of 2011"),
        "two ways": ({"lsoa": ONE, "polygon": away}, config, "a list of LSOAs or from a polygon"),
        "rule of a list": ({"rule": "any"}, config, "Rule and crs go with a polygon"),
        "no polygon file": ({"polygon": folder / "none.geojson"}, geography, "is not there"),
        "Shapefile": ({"polygon": folder / "border.shp"}, config, "plain name of a file"),
        "no GeoJSON": ({"polygon": folder / "text.geojson"}, geography, "cannot be read"),
        "no polygon": ({"polygon": line}, geography, "holds no polygon"),
        "metres as degrees": ({"polygon": wrong}, geography, "coordinates are too large"),
        "another system": ({"polygon": away, "crs": 4326}, geography, "EPSG:27700"),
        "elsewhere": ({"polygon": away}, geography, "lies outside all of the region's LSOAs"),
    }  # fmt: skip


CASES = (
    "path in the id", "absolute id", "no id", "capitals", "newline", "no title",
    "title of two lines", "empty list", "no codes in the file", "no column", "not UTF-8",
    "no file", "not a code", "unknown", "of 2011", "two ways", "rule of a list",
    "no polygon file", "Shapefile", "no GeoJSON", "no polygon", "metres as degrees",
    "another system", "elsewhere",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_will_not_do_is_refused_and_nothing_is_written(region: Region, case: str) -> None:
    options, kind, message = refusals(region)[case]
    before = set(region.folder.parent.rglob("*"))

    with pytest.raises(kind, match=message) as caught:
        region.add(**options)

    assert "\n" not in str(caught.value)
    assert caught.value.fix
    assert set(region.folder.parent.rglob("*")) == before


def test_every_refusal_is_tried(region: Region) -> None:
    assert set(CASES) == set(refusals(region))


def test_an_area_is_not_replaced_without_force(region: Region) -> None:
    region.add("canal", polygon=region.draw(450_000, 451_000))
    before = {p: p.read_bytes() for p in (region.folder / "areas").iterdir()}

    with pytest.raises(ConfigurationError, match=r"is there already: areas/canal\.yaml"):
        region.add("canal")
    assert {p: p.read_bytes() for p in (region.folder / "areas").iterdir()} == before

    region.add("canal", force=True)
    assert region.read("canal").lsoas == [ONE]
    assert region.files() == {"canal.yaml"}


def test_a_title_is_taken_once(region: Region) -> None:
    region.add("north-end", title="The End")

    with pytest.raises(ConfigurationError, match="north-end has the same title"):
        region.add("south-end", title="the end")


@pytest.mark.parametrize("name", ["arden", "west-midlands"])
def test_a_bundled_region_is_not_changed(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(ConfigurationError, match=r"is a bundled region.*lsoalink init"):
        add_area(name, settings, NewArea("a1", "A", lsoa=ONE), force=True)
    with pytest.raises(ConfigurationError, match="is a bundled region"):
        remove_area(name, "heart-of-arden")


def test_before_the_first_run_the_codes_are_left_for_it(fresh: Region, capsys: Any) -> None:
    fresh.add()

    assert "are checked by the next run" in capsys.readouterr().out
    with pytest.raises(LsoalinkError, match="are not known yet"):
        show_area(str(fresh.folder), fresh.settings, "north-end", None, force=False)


def test_the_list_names_every_area(region: Region, capsys: Any) -> None:
    list_areas(str(region.folder))
    assert "has no areas of its own" in capsys.readouterr().out

    region.add()
    region.add("canal", polygon=region.draw(450_000, 451_000))
    capsys.readouterr()
    list_areas(str(region.folder))

    out = capsys.readouterr().out
    assert "NORTH-END" in out
    assert "1 LSOAs" in out
    assert "canal.geojson, rule most" in out


def test_an_area_is_shown_with_its_people(region: Region, capsys: Any) -> None:
    from region_factory import RESIDENTS

    region.add(lsoa=f"{ONE},{TWO}")
    capsys.readouterr()
    show_area(str(region.folder), region.settings, "north-end", None, force=False)

    out = capsys.readouterr().out
    assert "NORTH-END (north-end): 2 LSOAs, exact." in out
    assert f"{RESIDENTS[ONE] + RESIDENTS[TWO]:,} residents at the census" in out
    assert "North Mere (synthetic)" in out


def test_an_area_is_exported_as_its_outline(region: Region, tmp_path: Path) -> None:
    import shapely

    region.add(lsoa=f"{ONE},{TWO}")
    target = tmp_path / "out.geojson"
    show_area(str(region.folder), region.settings, "north-end", target, force=False)

    (feature,) = json.loads(target.read_text())["features"]
    assert feature["properties"]["lsoas"] == [ONE, TWO]
    shape = shapely.from_geojson(json.dumps(feature["geometry"]))
    assert shape.is_valid
    # Two squares of a kilometre side by side, in the Midlands, as longitude and latitude.
    assert -2 < shape.centroid.x < -1
    assert 52 < shape.centroid.y < 53
    with pytest.raises(ConfigurationError, match="is there already"):
        show_area(str(region.folder), region.settings, "north-end", target, force=False)
    show_area(str(region.folder), region.settings, "north-end", target, force=True)

    # What was exported can be given back.
    region.add("again", polygon=target)
    assert region.read("again").polygon == "again.geojson"


def test_an_area_is_removed_with_its_polygon(region: Region, capsys: Any) -> None:
    region.add("canal", polygon=region.draw(450_000, 451_000))
    region.add()

    remove_area(str(region.folder), "canal")

    assert region.files() == {"north-end.yaml"}
    assert "Removed areas/canal.yaml and areas/canal.geojson" in capsys.readouterr().out


@pytest.mark.parametrize("area_id", ["none", "../region", "north-end/../../region"])
def test_an_area_that_is_not_there_cannot_be_shown_or_removed(region: Region, area_id: str) -> None:
    region.add()
    before = region.files()

    for command in (
        lambda: remove_area(str(region.folder), area_id),
        lambda: show_area(str(region.folder), region.settings, area_id, None, force=False),
    ):
        with pytest.raises(ConfigurationError, match="has no area of this id"):
            command()
    assert region.files() == before


def test_the_starter_region_declares_its_area() -> None:
    folder = Path(__file__).parents[2] / "pipelines" / "starter"

    declared = load_region(folder, contract_library=CONTRACTS, indicator_library=CATALOGUE)

    assert list(declared.areas) == ["town-centre"]


@pytest.mark.parametrize("key", ["title", "description", "owner"])
@pytest.mark.parametrize("mark", ["\x7f", "\x9b", "\u2028", "\u2029", "\ud800", "\ufffe", "\uffff"])
def test_text_that_yaml_cannot_hold_is_refused(region: Region, key: str, mark: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--{key} "):
        region.add(**{key: f"a{mark}b"})

    assert region.files() == set()
    load_region(region.folder)


def test_what_does_not_read_back_is_not_written(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.areas.area_text", lambda _: 'title: "a\x9bb"\n')
    with pytest.raises(ConfigurationError, match="not valid YAML"):
        region.add("canal", polygon=region.draw(450_000, 451_000))
    assert region.files() == set()

    other = CustomArea(id="b1", title="B", owner="x", lsoas=[ONE])
    monkeypatch.setattr("pipelines.areas.area_text", lambda _: area_text(other))
    with pytest.raises(ConfigurationError, match="would not say what was given"):
        region.add("canal", polygon=region.draw(450_000, 451_000))
    assert region.files() == set()


def test_the_file_of_another_area_is_never_written_over(region: Region) -> None:
    region.add("north-end")
    areas = region.folder / "areas"
    (areas / "north-end.yaml").rename(areas / "other.yaml")
    before = (areas / "other.yaml").read_bytes()

    with pytest.raises(
        ConfigurationError, match=r"areas/other\.yaml declares another area"
    ) as told:
        region.add("other", force=True)

    assert "areas/north-end.yaml" in str(told.value)
    assert (areas / "other.yaml").read_bytes() == before
    region.add("north-end", title="New", force=True)
    assert region.files() == {"other.yaml"}


def test_a_polygon_two_areas_share_stays_when_one_gives_it_up(region: Region) -> None:
    region.add("canal", polygon=region.draw(450_000, 451_000))
    areas = region.folder / "areas"
    text = (areas / "canal.yaml").read_text(encoding="utf-8")
    second = text.replace("id: canal", "id: bank").replace("CANAL", "BANK")
    (areas / "bank.yaml").write_text(second, encoding="utf-8")

    region.add("canal", force=True)

    assert region.files() == {"canal.yaml", "bank.yaml", "canal.geojson"}


def test_an_area_whose_polygon_is_gone_is_mended_by_command(region: Region, capsys: Any) -> None:
    drawn = region.draw(450_000, 451_000)
    region.add("canal", polygon=drawn)
    lost = region.folder / "areas" / "canal.geojson"
    name = str(region.folder)

    lost.unlink()
    list_areas(name)
    assert "canal.geojson" in capsys.readouterr().out
    with pytest.raises(GeographyError, match=r"canal\.geojson is not there.*add --force"):
        show_area(name, region.settings, "canal", None, force=False)
    region.add("canal", polygon=drawn, force=True)
    assert lost.is_file()

    lost.unlink()
    region.add("canal", force=True)
    assert region.read("canal").lsoas == [ONE]

    region.add("canal", polygon=drawn, force=True)
    lost.unlink()
    capsys.readouterr()
    remove_area(name, "canal")
    assert "Removed areas/canal.yaml. " in capsys.readouterr().out
    assert region.files() == set()


MALFORMED = {
    "not YAML": "id: [\n",
    "not a mapping": "- a\n",
    "empty": "",
    "a key that is none": f"id: bad\ntitle: B\nowner: x\nlsoas: [{ONE}]\ncolour: red\n",
    "taken": f"id: canal\ntitle: B\nowner: x\nlsoas: [{ONE}]\n",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_an_area_that_cannot_be_read_hides_no_other(region: Region, capsys: Any, text: str) -> None:
    region.add("canal", polygon=region.draw(450_000, 451_000))
    bad, name = region.folder / "areas" / "worse.yaml", str(region.folder)
    bad.write_text(text, encoding="utf-8")
    capsys.readouterr()

    list_areas(name)
    out = capsys.readouterr().out
    assert "canal.geojson, rule most" in out
    assert "areas/worse.yaml" in out
    assert f"lsoalink area remove {name} worse" in out
    for command in (
        lambda: show_area(name, region.settings, "canal", None, force=False),
        lambda: region.add("north-end"),
    ):
        with pytest.raises(ConfigurationError, match=r"areas/worse\.yaml.*area remove .* worse"):
            command()

    remove_area(name, "worse")
    assert "Removed areas/worse.yaml, which could not be read" in capsys.readouterr().out
    assert region.files() == {"canal.yaml", "canal.geojson"}
    assert "canal" in load_region(region.folder).areas


def test_an_area_is_removed_beside_one_that_cannot_be_read(region: Region, capsys: Any) -> None:
    region.add("canal", polygon=region.draw(450_000, 451_000))
    region.add("bank", polygon=region.draw(450_000, 451_000))
    bad = region.folder / "areas" / "worse.yaml"
    bad.write_text("polygon: canal.geojson\nid: [\n", encoding="utf-8")
    capsys.readouterr()

    remove_area(str(region.folder), "bank")
    remove_area(str(region.folder), "canal")

    assert "canal.geojson stays: another file names it" in capsys.readouterr().out
    assert region.files() == {"worse.yaml", "canal.geojson"}


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_is_no_file_to_export_to(region: Region, tmp_path: Path, *, force: bool) -> None:
    region.add()

    with pytest.raises(ConfigurationError, match=r"is a folder.*north-end\.geojson"):
        show_area(str(region.folder), region.settings, "north-end", tmp_path, force=force)


@pytest.mark.end_to_end
def test_a_changed_area_reaches_the_next_release(starter: Any, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    def held() -> dict[str, set[str]]:
        ended = starter.run()
        assert ended.code == 0, ended.err
        found: dict[str, set[str]] = {}
        for row in pq.read_table(starter.latest / "parquet" / "area_lookups.parquet").to_pylist():
            if row["level"] == "custom":
                found.setdefault(row["area_code"], set()).add(row["lsoa21cd"])
        return found

    def command(name: str, *more: str | Path) -> None:
        ended = starter.lsoalink("area", name, starter.folder, *more)
        assert ended.code == 0, ended.err

    data = ("--data-dir", starter.data)
    before = held()
    whole = before["town-centre"]
    one = min(whole)
    assert len(whole) > 1

    command("add", "--id", "part", "--title", "Part", "--lsoa", one, *data)
    assert held() == before | {"part": {one}}

    command("show", "part", "--geojson", tmp_path / "part.geojson", *data)
    command("show", "town-centre", "--geojson", tmp_path / "whole.geojson", *data)
    drawn = ("--id", "canal", "--title", "Canal", "--polygon", tmp_path / "part.geojson")
    command("add", *drawn, *data)
    command("remove", "part")
    assert held() == before | {"canal": {one}}

    # Nothing but the bytes of the polygon changes.
    (tmp_path / "whole.geojson").replace(starter.folder / "areas" / "canal.geojson")
    assert held() == before | {"canal": whole}

    command("remove", "canal")
    assert held() == before
    assert starter.run().out.startswith("Nothing new")
