"""What the map page holds: one file, nothing fetched, nothing hidden that shows."""

import base64
import hashlib
import html
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from publishing_samples import HOSTILE_NAME

from governance.reports.self_contained import script_json
from publishing.conform import conform_all
from publishing.geopackage import areas_with_borders
from publishing.map_page import map_data, map_page

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def ready(tables):
    return conform_all(tables)


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
    from publishing.conform import conform
    from publishing.dictionary import RELEASE_TABLES

    ready = {k: conform(v, RELEASE_TABLES[k]) for k, v in tables.items()}
    made = map_page(ready, areas_with_borders(ready["areas"], borders), region, release)
    figures = int(np.sum(~observations["value"].isna()))
    assert len(made) < 150_000 + 600 * 200 + figures * 25
