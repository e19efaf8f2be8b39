"""What the map page holds: one file, nothing fetched, nothing hidden that shows."""

import base64
import datetime as dt
import hashlib
import html
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from derived_samples import CLEARLY_WORST, MAY_BE, UNKNOWN, YEAR, with_derived
from published_numbers import told_by_map
from publishing_samples import HOSTILE_NAME

from governance.reports.self_contained import script_json
from indicators.composite.summaries import MAY_BE as MAY_BE_WORDS
from indicators.place.local import CLASSES, NOT_SIGNIFICANT
from indicators.service.classes import UNMET_NEED
from indicators.statistics.trends import TOO_FEW
from publishing.conform import conform_all
from publishing.dictionary_derived import DERIVED
from publishing.geopackage import areas_with_borders
from publishing.map_page import map_data, map_page

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def ready(tables):
    return conform_all(with_derived(tables))


@pytest.fixture(scope="module")
def ordered(ready, borders):
    return areas_with_borders(ready["areas"], borders)


@pytest.fixture(scope="module")
def page(ready, ordered, region, release):
    return map_page(ready, ordered, region, release)


@pytest.fixture(scope="module")
def data(ready, ordered):
    return map_data(ready, ordered)


def embedded(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found.group(1))


@pytest.mark.parametrize(
    "text", ["</script>", "<!--", "<script>", "&lt;", "\u2028", 'a"b', "]]>", "plain"]
)
def test_script_json_cannot_end_its_element(text):
    written = script_json({"name": text})
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written)["name"] == text


def test_a_hostile_name_stays_data(page):
    assert HOSTILE_NAME in embedded(page)["levels"]["lsoa21"]["names"]
    assert page.count("</script>") == 2
    assert 'alert("1")' not in re.sub(r'<script type="application/json".*?</script>', "", page)


def test_hostile_words_of_the_region_are_escaped(ready, ordered, region, release):
    hostile = region.model_copy(update={"title": HOSTILE_NAME})
    made = map_page(ready, ordered, hostile, release)
    assert html.escape(HOSTILE_NAME, quote=False) in made.replace("&#34;", '"')
    assert made.count("</script>") == 2


def test_the_page_fetches_nothing(page):
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert not re.search(r"<(link|img|iframe|object|embed|base|form [^>]*action)\b", page)
    assert not re.search(r"@import|url\((?!#)", page)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b", page)
    assert not re.search(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b", page)


def test_the_policy_allows_exactly_this_style_and_script(page):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1))
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL).group(1)
    for text in (style, script):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert " style=" not in page


def test_series_say_what_the_observations_say(data, ready):
    wanted = {
        (r["indicator_id"], r["geography_type"], str(r["period_end"]), r["geography_code"]): r
        for r in ready["observations"].to_pylist()
    }
    seen = 0
    for indicator, by_level in data["series"].items():
        for level, entries in by_level.items():
            for entry in entries:
                for i, code in enumerate(data["levels"][level]["codes"]):
                    row = wanted[indicator, level, entry["z"], code]
                    assert (entry["v"][i] is None) == (row["value"] is None)
                    if row["value"] is not None:
                        assert entry["v"][i] == pytest.approx(row["value"])
                    mark = entry.get("s", "." * (i + 1))[i]
                    status = "" if mark == "." else data["statuses"][ALPHABET.index(mark)]
                    assert status == (row["value_status"] or "")
                    seen += 1
    assert seen == len(wanted)


def test_an_area_without_a_row_is_not_available(ready, ordered):
    rows = ready["observations"]
    code = data_code = ready["areas"].column("lsoa21cd")[0].as_py()
    kept = rows.filter(pc.not_equal(rows.column("geography_code"), code))
    made = map_data({**ready, "observations": kept}, ordered)
    entry = made["series"]["D05"]["lsoa21"][0]
    place = made["levels"]["lsoa21"]["codes"].index(data_code)
    assert entry["v"][place] is None
    assert made["statuses"][ALPHABET.index(entry["s"][place])] == "[x]"


def test_the_latest_period_comes_first(data):
    for by_level in data["series"].values():
        for entries in by_level.values():
            ends = [e["z"] for e in entries]
            assert ends == sorted(ends, reverse=True)


def test_wider_areas_lie_in_their_district(data, ready):
    of = {r["msoa21cd"]: r["lad24cd"] for r in ready["areas"].to_pylist()}
    level = data["levels"]["msoa21"]
    districts = data["levels"]["lad24"]["codes"]
    assert [districts[d] for d in level["districts"]] == [of[c] for c in level["codes"]]


def test_detail_gives_way_to_the_budget(ready, ordered, region, release):
    full = map_page(ready, ordered, region, release)
    small = map_page(ready, ordered, region, release, budget=1)
    assert len(small) < len(full)
    left_out = embedded(small)["dropped"]
    assert left_out > 0
    assert f"{left_out} older series are left out" in small
    assert "left out" not in full


def test_a_page_of_a_large_region_stays_small(region, release):
    from publishing_samples import (
        make_areas,
        make_borders,
        make_indicators,
        make_observations,
        to_arrow,
    )

    borders = make_borders(600)
    areas = make_areas(borders)
    observations = make_observations(areas)
    frames = {
        "areas": areas,
        "indicators": make_indicators(),
        "observations": observations,
    }
    tables = to_arrow(frames)
    tables["notes"] = pa.table({"note_id": ["a"], "text": ["b"]})
    tables["indicators"] = with_derived(tables)["indicators"]
    from publishing.conform import conform
    from publishing.dictionary import RELEASE_TABLES

    ready = {k: conform(v, RELEASE_TABLES[k]) for k, v in tables.items()}
    made = map_page(ready, areas_with_borders(ready["areas"], borders), region, release)
    figures = int(np.sum(~observations["value"].isna()))
    assert len(made) < 150_000 + 600 * 200 + figures * 25


def kept(ready, table):
    """Rows of a derived table that the page holds: the latest, by one method or benchmark."""
    for row in ready[table].to_pylist():
        whole = row.get("geography_type") == "lad24"
        old = row.get("period_end", YEAR["period_end"]) < dt.date(2026, 1, 1)
        other = row.get("benchmark") == ("district" if whole else "region")
        if not (old or other or row.get("method") == "gi_star"):
            yield row


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("index_ranks", "rank areas rank_low rank_high p_worst_fifth class"),
        ("index_components", "score weight"),
        ("hotspots", "class neighbours_outside"),
        ("trends", "change_per_year lower_ci upper_ci change_unit direction value_status"),
        ("comparisons", "result"),
        ("need_and_service", "observed expected_age expected_need ratio lower upper need_score "
         "need_lower need_upper class coverage coverage_unit"),
    ],
)  # fmt: skip
def test_the_page_holds_what_derived_tables_say(data, ready, table, columns):
    told = {
        (t.indicator, t.area, t.more, t.column): t.content
        for t in told_by_map(data)
        if t.table == table and t.about == "area" and t.content is not None
    }
    by = ("method", "benchmark", "months", "component", "title")
    wanted = {}
    for row in kept(ready, table):
        area = row.get("geography_code") or row["lsoa21cd"]
        more = tuple(sorted((k, str(row[k])) for k in by if k in row))
        for column in columns.split():
            if row[column] is not None:
                wanted[row["indicator_id"], area, more, column] = row[column]

    assert set(told) == set(wanted)
    assert all(
        told[k] == (w if isinstance(w, str) else pytest.approx(w)) for k, w in wanted.items()
    )


def test_a_benchmark_is_held_once_for_each_district(data, ready):
    told = {
        (t.indicator, t.area): t.content
        for t in told_by_map(data)
        if t.table == "comparisons" and t.about == "district" and t.level == "lsoa21"
    }
    latest = [r for r in kept(ready, "comparisons") if r["geography_type"] == "lsoa21"]

    assert told == {(r["indicator_id"], r["lad24cd"]): r["benchmark_value"] for r in latest}
    assert {v for (_, district), v in told.items() if district == "E07000901"} == {12.3}


def test_columns_that_are_alike_everywhere_are_written_once(data):
    (block,) = data["derived"]["index_ranks"]["D02"]["lsoa21"]
    weights = [b["n"]["weight"] for b in data["derived"]["index_components"]["D02"]["lsoa21"]]

    assert len(block["n"]["rank"]) == 120
    assert (block["n"]["rank"][MAY_BE], block["n"]["rank"][CLEARLY_WORST]) == (37, 3)
    assert block["n"]["rank"][UNKNOWN] is None
    assert sorted(weights) == [0.25, 0.75]


def test_breaks_in_series_are_held(data):
    assert data["breaks"] == {
        "H01": [["2025-11", "a new form of case record"], ["2027-01", "a change still to come"]]
    }


def test_a_release_without_derived_tables_has_a_page(ready, ordered, region, release):
    derived = {t.name for t in DERIVED}
    empty = {name: t.slice(0, 0) if name in derived else t for name, t in ready.items()}
    made = map_page(empty, ordered, region, release)

    assert embedded(made)["derived"] == {}
    assert "index_ranks.csv" not in made


def test_the_script_knows_the_words_of_the_tables(page):
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL).group(1)
    moran = set(CLASSES["local_moran"]) - {NOT_SIGNIFICANT}
    for word in (MAY_BE_WORDS, UNMET_NEED, TOO_FEW, *moran):
        assert f'"{word}"' in script
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    for word in (UNMET_NEED, *moran):
        assert f".r-{word.replace(' ', '-')} {{" in style


def test_the_page_says_that_it_describes_areas(page):
    assert "describe areas, never people" in page
    for name in ("index_ranks", "index_components", "hotspots", "trends", "comparisons",
                 "need_and_service"):  # fmt: skip
        assert page.count(f'href="csv/{name}.csv"') == 2  # without scripts, and in the footer


def test_several_notes_on_one_figure_are_all_put_into_words(ready, ordered):
    rows = ready["observations"]
    place = rows.schema.get_field_index("note_id")
    two = pa.array(["includes_not_placed,another"] * rows.num_rows, pa.string())
    notes = pa.table({"note_id": ["includes_not_placed", "another"], "text": ["One.", "Two."]})
    tables = {**ready, "observations": rows.set_column(place, "note_id", two), "notes": notes}

    assert map_data(tables, ordered)["notes"] == ["One. Two."]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours as WCAG 2.2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_marks_over_the_shades_keep_their_contrast(page):
    """Every mark is a line of ink beside a line of white; either is seen on any shade."""
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    shades = re.findall(r"\.k\d \{ fill: (#\w{6})", style)
    inks = re.findall(r"\.r-[a-z-]+ \{ stroke: (#\w{6})", style)
    hatch = re.search(r'id="unsure-hatch".*?</pattern>', page, re.DOTALL).group(0)
    white, black = re.findall(r'stroke="(#\w+)"', hatch)

    assert (len(shades), len(inks), white) == (5, 5, "#fff")
    for ink in (*inks, black):
        assert contrast(ink, "#ffffff") >= 3
        assert all(max(contrast(ink, s), contrast("#ffffff", s)) >= 3 for s in shades)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
