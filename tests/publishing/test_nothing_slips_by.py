"""No file of a release holds a sensitive count, or anything it can be computed from.

Every number of every file is read and compared with the true counts. That the reader can find one
is shown by planting one in each format in turn.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from exposed_region import EXPOSED, WITHHELD_NOTES, rows_of_release
from published_numbers import (
    MAP_KEYS,
    Said,
    Told,
    figures_of,
    map_of,
    number_of,
    tables_of,
    texts_of,
    told_by_map,
)
from region_factory import AREAS, rows_of

from governance.disclosure import protect_count
from indicators.tables import theme_table, themes
from publishing.release import ReleaseOutcome
from warehouse.workspace import Workspace

Released = tuple[Workspace, ReleaseOutcome]
Key = tuple[str, str, str]
WITHHELD_AREA, LARGE_AREA, SMALL_AREA = "E01990005", "E01990002", "E01990001"
KEYED = {
    "csv/observations.csv", "parquet/observations.parquet", "lsoalink.duckdb/observations",
    "lsoalink.duckdb/latest_observations", "lsoalink.gpkg/lsoa21_latest", "map.html",
    *(f"{f}combined_observations{e}" for f, e in
      (("csv/", ".csv"), ("parquet/", ".parquet"), ("lsoalink.duckdb/", ""))),
}  # fmt: skip
PLACES = {
    "rank": 1, "rank_low": 1, "rank_high": 1, "areas": 0, "p_worst_fifth": 3, "weight": 3,
    "neighbours_outside": 0, "change_per_year": 1, "lower_ci": 1, "upper_ci": 1,
    "observed": 0, "expected_age": 1, "expected_need": 1, "ratio": 2, "lower": 2, "upper": 2,
    "need_score": 2, "need_lower": 2, "need_upper": 2, "coverage": 1,
}  # fmt: skip
"""Decimals the map keeps of derived tables' columns; of others, those of the indicator."""
NAMES = {spoken: code for code, (name, _, _) in AREAS.items() for spoken in (code, name)}


class Truth:
    """The exact counts behind a release, and what is published of each cell."""

    def __init__(self, workspace: Workspace) -> None:
        declared = workspace.declared.indicators
        self.open_denominator = {"T01", "T02"}  # census residents
        self.multiplier = {name: declared[name].multiplier for name in declared}
        self.decimals = {name: declared[name].decimals for name in declared}
        self.exact: dict[Key, tuple[int | None, int | None]] = {}
        for theme in themes(workspace):
            for row in rows_of(workspace, theme_table(theme)):
                key = (row["indicator_id"], str(row["period_end"]), row["geography_code"])
                self.exact[key] = (row["numerator"], row["denominator"])


def faults_of(folder: Path, truth: Truth) -> list[str]:
    """Return everything in the files of a release that tells more than it may."""
    withheld = {
        (r["indicator_id"], r["period_end"], r["geography_code"])
        for r in rows_of_release(folder, "observations")
        if WITHHELD_NOTES & set(r["note_id"].split(","))
    }
    said = list(figures_of(folder))
    faults = [f for s in said if (f := _fault(s, truth, withheld))]
    faults += _disagreements(said)
    faults += _map_faults(folder, truth)
    faults += _text_faults(folder)
    faults += _sums_faults(folder, truth)
    return sorted(set(faults))


def _fault(said: Said, truth: Truth, withheld: set[Key]) -> str:
    key = (said.indicator, said.period_end, said.area)
    if said.number is None:
        return ""
    where = f"{said.file}: {said.figure} of {said.indicator} {said.area}"
    if key in withheld and said.figure != "denominator":
        return f"{where} is withheld"
    numerator, denominator = _exact(key, truth)
    if said.figure == "denominator":
        is_open = said.indicator in truth.open_denominator
        return "" if is_open or said.number == protect_count(denominator) else f"{where} is exact"
    shown = protect_count(numerator)
    if numerator is None and said.indicator in truth.open_denominator:
        return f"{where} was never known"
    if said.figure == "numerator":
        return "" if said.number == shown else f"{where} is not what its profile shows"
    if numerator is not None and shown is None:
        return f"{where} is of a hidden count"
    return ""


def _exact(key: Key, truth: Truth) -> tuple[int | None, int | None]:
    """Return the exact terms of a figure; those of a pair are the sums of its members'."""
    indicator, end, area = key
    found = [truth.exact.get((indicator, end, a), (None, None)) for a in area.split("+")]
    terms = []
    for place in (0, 1):
        values = [pair[place] for pair in found]
        known = [v for v in values if v is not None]
        terms.append(sum(known) if len(known) == len(values) else None)
    return terms[0], terms[1]


def _disagreements(said: list[Said]) -> list[str]:
    """Return every rate or limit that is not computed from the published counts in CSV."""
    faults = []
    shown = {s[1:5]: s.number for s in said if s.file.startswith("csv/")}
    for s in said:
        if s.figure in ("numerator", "denominator"):
            if s.number != shown[s[1:5]]:
                faults.append(f"{s.file}: {s.figure} of {s.indicator} {s.area} is not that in CSV")
            continue
        wanted = shown.get(s[1:5])
        close = wanted is not None and s.number is not None and abs(wanted - s.number) < 0.006
        if (wanted is None) != (s.number is None) or (wanted is not None and not close):
            faults.append(f"{s.file}: {s.figure} of {s.indicator} {s.area} is not that in CSV")
    for key, value in shown.items():
        indicator, end, area, figure = key
        if figure != "value" or value is None or indicator == "T04":
            continue
        above, below = (shown[indicator, end, area, f] for f in ("numerator", "denominator"))
        per = {"T01": 1000, "T02": 1000, "T03": 100}[indicator]
        if above is None or not below or abs(value - per * min(above / below, 9)) > 0.006:
            faults.append(f"csv: value of {indicator} {area} is not of the published counts")
    return faults


def _map_faults(folder: Path, truth: Truth) -> list[str]:
    """Return everything the map tells of derived tables that their CSV files do not."""
    data = map_of(folder)
    faults = [f"map.html: {key} is not known" for key in set(data) - MAP_KEYS]
    rows: dict[str, dict[tuple[str, ...], list[dict[str, str]]]] = {}
    for table in data["derived"]:
        rows[table] = {}
        for row in rows_of_release(folder, table):
            for area in (row.get("geography_code") or row["lsoa21cd"], f"in {row['lad24cd']}"):
                start = row.get("period_start") or row["first_period_start"]
                end = row.get("period_end") or row["last_period_end"]
                level = row.get("geography_type") or "lsoa21"
                key = (row["indicator_id"], level, area, start, end)
                rows[table].setdefault(key, []).append(row)
    for told in told_by_map(data):
        area = told.area if told.about == "area" else f"in {told.area}"
        places = PLACES.get(told.column, truth.decimals[told.indicator])
        found = {
            row.get(told.column)
            for row in rows[told.table].get((told.indicator, told.level, area, *told.period), [])
            if all(row[k] == v for k, v in told.more)
        }
        if not _follows(told, found, places):
            faults.append(f"map.html: {told.column} of {told.indicator} {told.area} is not in CSV")
    wanted = [[r["indicator_id"], r["period"], r["reason"]]
              for r in rows_of_release(folder, "series_breaks")]  # fmt: skip
    if sorted([k, *b] for k, v in data["breaks"].items() for b in v) != sorted(wanted):
        faults.append("map.html: breaks are not those in CSV")
    return faults


def _follows(told: Told, found: set[str | None], places: int) -> bool:
    """Whether a cell of the map is what all its rows in CSV say."""
    cells = found - {""} if told.about == "district" else found
    if told.content is None or not cells:
        return told.content is None and cells <= {""}
    if isinstance(told.content, str):
        return cells == {told.content}
    numbers = [number_of(cell) for cell in cells]
    return all(n is not None and abs(n - told.content) <= 0.5001 * 10**-places for n in numbers)


def _text_faults(folder: Path) -> list[str]:
    """Return every number beside an area in pages and JSON that cannot be recounted.

    Beside an area stand only how many of its figures are hidden, and how many counts wide the
    interval of a hidden one is; both follow from what is published.
    """
    observed = rows_of_release(folder, "observations")
    hidden = Counter(r["geography_code"] for r in observed if "[c]" in r["value_status"])
    widths = {4.0}
    faults = []
    for text in texts_of(folder, NAMES):
        names_figure = "T0" in text.words
        allowed = widths if names_figure else {float(hidden[text.area])}
        strange = set(text.numbers) - allowed
        if strange or len(text.numbers) > 1:
            faults.append(f"{text.file}: {len(text.numbers)} number(s) beside {text.area}")
    return faults


def _sums_faults(folder: Path, truth: Truth) -> list[str]:
    """Return every bound of the sums of areas that is narrower than the figures allow."""
    faults = []
    ((name, rows),) = [
        (name, rows) for name, rows in tables_of(folder) if name.endswith("/v_area_counts")
    ]
    members: dict[tuple[str, str], list[str]] = {}
    for row in rows_of_release(folder, "area_lookups"):
        members.setdefault((row["level"], row["area_code"]), []).append(row["lsoa21cd"])
    for row in rows:
        if row["measure"] != "numerator":
            continue
        low, high = number_of(row["lower"]) or 0, number_of(row["upper"])
        where = f"{name}: {row['indicator_id']} {row['area_code']}"
        inside = "+".join(members[row["level"], row["area_code"]])
        exact, _ = _exact((row["indicator_id"], str(row["period_end"]), inside), truth)
        if high is not None and high - low < 2:
            faults.append(f"{where} is narrow")
        if exact is not None and not low <= exact <= (exact if high is None else high):
            faults.append(f"{where} misses the truth")
    return faults


@pytest.fixture(scope="module")
def truth(exposed: Released) -> Truth:
    return Truth(exposed[0])


def test_nothing_slips_by(exposed: Released, truth: Truth) -> None:
    folder = exposed[1].folder

    assert truth.exact["T01", "2026-03-31", WITHHELD_AREA][0] == EXPOSED[WITHHELD_AREA]
    assert faults_of(folder, truth) == []


def test_nothing_slips_by_where_nothing_is_coarsened(finished: Any) -> None:
    assert faults_of(finished.outcome.folder, Truth(finished.workspace)) == []


def test_every_file_is_read(exposed: Released) -> None:
    """A file of a format nobody reads would be a hole: there is none."""
    folder = exposed[1].folder
    assert {s.file for s in figures_of(folder)} == KEYED
    read = {name.split("/")[0] if name.startswith("lsoalink.") else name
            for name, _ in tables_of(folder)}  # fmt: skip
    pages = {p.name for p in folder.iterdir() if p.suffix in (".html", ".json")}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there == read | pages
    # An image or a spreadsheet inside a page could hide numbers from a reader of text.
    for page in folder.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(img|canvas|object|iframe)\b|data:image|base64", text), page.name


def test_the_map_tells_of_derived_tables(exposed: Released) -> None:
    """That nothing differs would mean little if the map told nothing."""
    told = {t.table for t in told_by_map(map_of(exposed[1].folder)) if t.content is not None}
    assert told >= {"index_ranks", "index_components", "hotspots", "comparisons"}


def test_the_index_is_made_of_published_figures_alone(exposed: Released) -> None:
    """Recomputed from the CSV: the mean of percentile ranks of what is shown, nothing hidden."""
    rows = rows_of_release(exposed[1].folder, "observations")
    shown = {r["geography_code"] for r in rows if r["indicator_id"] in ("T01", "T03")
             and r["geography_type"] == "lsoa21" and r["value"]}  # fmt: skip
    index = {r["geography_code"]: r for r in rows if r["indicator_id"] == "T04"}

    assert index[WITHHELD_AREA]["value"] == ""
    assert {area for area, row in index.items() if row["value"]} <= shown


def writable(path: Path) -> Path:
    path.chmod(0o644)
    return path


def in_csv(folder: Path) -> None:
    path = writable(folder / "csv" / "observations.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(
        i for i, line in enumerate(lines) if f"{WITHHELD_AREA}," in line and ",T01," in line
    )
    assert ",none,all,," in lines[number]
    lines[number] = lines[number].replace(",none,all,,", ",none,all,22,")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def in_combined_csv(folder: Path) -> None:
    path = writable(folder / "csv" / "combined_observations.csv")
    text = path.read_text(encoding="utf-8")
    assert ",T01,25," in text
    path.write_text(text.replace(",T01,25,", ",T01,26,"), encoding="utf-8")


def in_rate(folder: Path) -> None:
    """Plant the exact rate: with the published denominator it gives the count back."""
    path = writable(folder / "csv" / "observations.csv")
    text = path.read_text(encoding="utf-8")
    exact = f"{1000 * 13 / 1615:.2f}"
    assert ",15,1615,9.29," in text
    path.write_text(text.replace(",15,1615,9.29,", f",15,1615,{exact},"), encoding="utf-8")


def in_parquet(folder: Path) -> None:
    path = writable(folder / "parquet" / "observations.parquet")
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE it AS FROM '{path}'")
        con.execute(
            "UPDATE it SET numerator = 3 WHERE indicator_id = 'T01' AND geography_code = ?",
            [SMALL_AREA],
        )
        path.unlink()
        con.execute(f"COPY it TO '{path}'")


def in_duckdb(folder: Path) -> None:
    with duckdb.connect(str(writable(folder / "lsoalink.duckdb"))) as con:
        con.execute(
            "UPDATE observations SET value = 12.87 WHERE indicator_id = 'T01' AND "
            "geography_code = ?", [WITHHELD_AREA],
        )  # fmt: skip


def in_duckdb_view(folder: Path) -> None:
    """Leave the table as it is, and let only the view people start from add a figure."""
    with duckdb.connect(str(writable(folder / "lsoalink.duckdb"))) as con:
        con.execute(
            "CREATE OR REPLACE VIEW latest_observations AS SELECT indicator_id, period_end, "
            "geography_code, 22 AS numerator FROM observations WHERE indicator_id = 'T01' AND "
            f"geography_code = '{WITHHELD_AREA}'"
        )


def in_sums(folder: Path) -> None:
    """Let the sums of areas be those of the exact counts."""
    with duckdb.connect(str(writable(folder / "lsoalink.duckdb"))) as con:
        con.execute("CREATE TABLE sums AS FROM v_area_counts")
        con.execute("UPDATE sums SET lower = 26, upper = 26 WHERE area_code = 'E02990003'")
        con.execute("CREATE OR REPLACE VIEW v_area_counts AS FROM sums")


def in_geopackage(folder: Path) -> None:
    with closing(sqlite3.connect(writable(folder / "lsoalink.gpkg"))) as lite:
        for (name,) in lite.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            lite.execute(f'DROP TRIGGER "{name}"')
        lite.execute(
            "UPDATE lsoa21_latest SET t01_value = 12.87 WHERE lsoa21cd = ?", [WITHHELD_AREA]
        )
        lite.commit()


def in_map_data(folder: Path) -> None:
    path = writable(folder / "map.html")
    text = path.read_text(encoding="utf-8")
    ((whole, data),) = [
        (m.group(0), m.group(1))
        for m in re.finditer(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', text, re.S)
    ]
    content = json.loads(data)
    place = content["levels"]["lsoa21"]["codes"].index(WITHHELD_AREA)
    content["series"]["T01"]["lsoa21"][0]["v"][place] = 12.87
    path.write_text(text.replace(whole, whole.replace(data, json.dumps(content))), encoding="utf-8")


def in_map_table(column: str) -> Callable[[Path], None]:
    """Plant a number beside the area that has none, in what the map holds of an index."""

    def plant(folder: Path) -> None:
        path = writable(folder / "map.html")
        text = path.read_text(encoding="utf-8")
        content = map_of(folder)
        place = content["levels"]["lsoa21"]["codes"].index(WITHHELD_AREA)
        (block,) = content["derived"]["index_ranks"]["T04"]["lsoa21"]
        numbers = [None] * len(AREAS)
        numbers[place] = 22
        block.setdefault("n", {})[column] = numbers
        start = text.index(">", text.index('type="application/json"')) + 1
        path.write_text(
            text[:start] + json.dumps(content) + text[text.index("</script>", start) :],
            encoding="utf-8",
        )

    return plant


def in_map_beside(folder: Path) -> None:
    path = writable(folder / "map.html")
    text = path.read_text(encoding="utf-8")
    assert '"breaks":{' in text
    path.write_text(text.replace('"breaks":{', '"remark":[22],"breaks":{'), encoding="utf-8")


def in_tooltip(page: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        path = writable(folder / page)
        words = f'<svg><path aria-label="{AREAS[WITHHELD_AREA][0]}: 22 cases"/></svg></body>'
        text = path.read_text(encoding="utf-8")
        assert "</body>" in text
        path.write_text(text.replace("</body>", words), encoding="utf-8")

    return plant


def in_words(page: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        path = writable(folder / page)
        words = f"<p>In {WITHHELD_AREA} there were 22.</p></body>"
        path.write_text(
            path.read_text(encoding="utf-8").replace("</body>", words), encoding="utf-8"
        )

    return plant


def in_json(name: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        path = writable(folder / name)
        content = json.loads(path.read_text(encoding="utf-8"))
        content["remark"] = {"area": WITHHELD_AREA, "count": 22}
        path.write_text(json.dumps(content), encoding="utf-8")

    return plant


PLANTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "csv": (in_csv, "csv/observations.csv: numerator of T01 E01990005 is withheld"),
    "combined": (in_combined_csv, "csv/combined_observations.csv: numerator of T01"),
    "rate": (in_rate, "csv: value of T01 E01990002"),
    "parquet": (in_parquet, "parquet/observations.parquet: numerator of T01 E01990001"),
    "duckdb": (in_duckdb, "lsoalink.duckdb/observations: value of T01 E01990005 is withheld"),
    "view": (in_duckdb_view, "lsoalink.duckdb/latest_observations: numerator of T01 E01990005"),
    "sums": (in_sums, "lsoalink.duckdb/v_area_counts: T01 E02990003 is narrow"),
    "geopackage": (in_geopackage, "lsoalink.gpkg/lsoa21_latest: value of T01 E01990005"),
    "map": (in_map_data, "map.html: value of T01 E01990005 is withheld"),
    "map's ranks": (in_map_table("rank"), "map.html: rank of T04 E01990005 is not in CSV"),
    "map's counts": (in_map_table("count"), "map.html: count of T04 E01990005 is not in CSV"),
    "beside the map": (in_map_beside, "map.html: remark is not known"),
    **{
        f"{kind} of {page}": (plant(page), f"{page}: 1 number(s) beside E01990005")
        for page in ("map.html", "quality.html", "certificate.html")
        for kind, plant in (("tooltip", in_tooltip), ("words", in_words))
    },
    "certificate": (in_json("certificate.json"), "certificate.json: 1 number(s) beside E01990005"),
    "manifest": (in_json("manifest.json"), "manifest.json: 1 number(s) beside E01990005"),
}


@pytest.mark.parametrize("where", PLANTS)
def test_a_planted_count_is_found(
    exposed: Released, truth: Truth, tmp_path: Path, where: str
) -> None:
    plant, expected = PLANTS[where]
    folder = tmp_path / "release"
    shutil.copytree(exposed[1].folder, folder)

    plant(folder)

    found = faults_of(folder, truth)
    assert any(fault.startswith(expected) for fault in found), found
