"""The pages drawn by a real browser: pixels, because a count of elements proves nothing."""

from __future__ import annotations

import html
import re
import shutil
import struct
import subprocess
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from derived_samples import CLEARLY_WORST, HIGH, LOW, MAY_BE, UNKNOWN, WIDE, with_derived

from publishing.conform import conform_all
from publishing.geopackage import areas_with_borders
from publishing.map_page import map_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
RINGS = {
    "high among high": "#8b0a1a",
    "low among low": "#00564f",
    "unmet need candidate": "#5b1a8b",
}
SHADES = ("#dceaf7", "#a6cdef", "#6bace6", "#2073bc", "#12436d")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium binary on this machine")


def chromium(tmp_path: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=1500",
            f"--user-data-dir={tmp_path / 'profile'}", *arguments, url,
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


def read_png(path: Path) -> np.ndarray:
    """Decode an 8-bit RGB or RGBA PNG without interlacing into (height, width, 3)."""
    content = path.read_bytes()
    place, packed = 8, b""
    width = height = channels = 0
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kind = content[place + 4 : place + 8]
        body = content[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", body[:10])
            channels = {2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    raw = np.frombuffer(zlib.decompress(packed), dtype=np.uint8)
    rows = raw.reshape(height, 1 + width * channels)
    image = np.zeros((height, width, channels), dtype=np.int64)
    above = np.zeros((width, channels), dtype=np.int64)
    for y in range(height):
        line = rows[y, 1:].reshape(width, channels).astype(np.int64)
        above = _unfilter(int(rows[y, 0]), line, above)
        image[y] = above
    return image[:, :, :3]


def _unfilter(kind: int, line: np.ndarray, above: np.ndarray) -> np.ndarray:
    if kind == 0:
        return line
    if kind == 1:
        return np.cumsum(line, axis=0) % 256
    if kind == 2:
        return (line + above) % 256
    out = line.tolist()
    up = above.tolist()
    for x in range(len(out)):
        for c in range(len(out[x])):
            a = out[x - 1][c] if x else 0
            b, d = up[x][c], up[x - 1][c] if x else 0
            if kind == 3:
                guess = (a + b) // 2
            else:
                p = a + b - d
                guess = min((a, b, d), key=lambda v: abs(p - v))
            out[x][c] = (out[x][c] + guess) % 256
    return np.array(out)


def share(image: np.ndarray, colour: str) -> float:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return float(np.all(image == wanted, axis=2).mean())


@pytest.fixture(scope="module")
def map_file(tmp_path_factory, tables, borders, region, release):
    ready = conform_all(with_derived(tables))
    page = map_page(ready, areas_with_borders(ready["areas"], borders), region, release)
    path = tmp_path_factory.mktemp("pages") / "map.html"
    path.write_text(page, encoding="utf-8")
    return path


def test_the_map_is_drawn_in_all_its_shades(map_file, tmp_path):
    picture = tmp_path / "map.png"
    url = f"{map_file.as_uri()}#i=D05&g=lsoa21"
    chromium(tmp_path, url, f"--screenshot={picture}", "--window-size=640,1100")
    image = read_png(picture)
    # Fifths of 117 areas of a rectangle that fills most of the picture's width.
    shares = {s: share(image, s) for s in SHADES}
    assert all(found > 0.01 for found in shares.values()), shares
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><p>nothing drawn")
    chromium(tmp_path, blank.as_uri(), f"--screenshot={picture}", "--window-size=640,1100")
    assert all(share(read_png(picture), s) == 0 for s in SHADES)


def test_the_page_follows_its_address(map_file, tmp_path):
    url = f"{map_file.as_uri()}#i=H01&g=lad24&p=2026-06-30&a=E07000902"
    dom = chromium(tmp_path, url, "--dump-dom").stdout
    assert '<h2 id="map-title">Households owed a homelessness duty</h2>' in dom
    assert "April to June 2026 · per 1,000 households · 2024 local authority districts" in dom
    assert "Profile: Brookmere" in dom
    assert 'aria-label="Map of Households owed a homelessness duty, April to June 2026' in dom


def test_hidden_figures_are_said_in_words(map_file, tmp_path):
    url = f"{map_file.as_uri()}#i=H01&g=lsoa21"
    dom = chromium(tmp_path, url, "--dump-dom").stdout
    assert "[c] hidden to protect people: fewer than 5" in dom
    assert "[x] not available" in dom
    assert "[u] unreliable: too few people" in dom


def test_a_hostile_name_does_nothing(map_file, tmp_path):
    url = f"{map_file.as_uri()}#i=H01&g=lsoa21&a=E01990003"
    dom = chromium(tmp_path, url, "--dump-dom").stdout
    assert 'Profile: &lt;/script&gt;&lt;script&gt;alert("1")' in dom
    assert "<script>alert" not in dom


@pytest.fixture(scope="module")
def page_at(map_file, tmp_path_factory):
    """Return a function that gives the page as drawn at an address, its table opened."""
    folder = tmp_path_factory.mktemp("opened")
    text = map_file.read_text(encoding="utf-8")
    assert '<details id="table-details">' in text
    opened = folder / "opened.html"
    opened.write_text(
        text.replace('<details id="table-details">', '<details id="table-details" open>'),
        encoding="utf-8",
    )
    return cache(
        lambda address: chromium(folder, f"{opened.as_uri()}#{address}", "--dump-dom").stdout
    )


def drawn(tmp_path: Path, map_file: Path, address: str) -> np.ndarray:
    picture = tmp_path / "drawn.png"
    chromium(tmp_path, f"{map_file.as_uri()}#{address}", f"--screenshot={picture}",
             "--window-size=900,1300")  # fmt: skip
    return read_png(picture)


def part_of(dom: str, ident: str) -> str:
    """Return the text of an element without its tags, from its id to the end of its section."""
    start = dom.index(f'id="{ident}"')
    words = re.sub(r"<[^>]*>", " ", dom[dom.index(">", start) + 1 : dom.index("</section>", start)])
    return " ".join(html.unescape(words).split())


def test_an_index_is_told_with_its_uncertainty(page_at):
    dom = page_at(f"i=D02&g=lsoa21&a=E0199{MAY_BE:04d}")
    told = part_of(dom, "here")

    assert "Digital exclusion risk score" in told
    assert re.search(r"95% interval [\d.]+ to [\d.]+", told)
    assert "Rank 37 of 119, between 21 and 64 (90% interval)" in told
    assert "May be in the worst fifth (probability that it is in the worst fifth: 42%)" in told
    assert "learly" not in told
    assert "Digital skills 10.0 75%" in told
    assert "Broadband lines 62.5 25%" in told
    assert "an area, never a person" in told
    bars = re.findall(r'<rect[^>]*width="([\d.]+)"[^>]*class="bar"', dom)
    # The longest score of any area, 69.5, fills the 158 units.
    assert [float(b) for b in bars] == pytest.approx([158 * 62.5 / 69.5, 158 * 10 / 69.5])


def test_only_the_table_says_clearly(page_at):
    told = part_of(page_at(f"i=D02&g=lsoa21&a=E0199{CLEARLY_WORST:04d}"), "here")

    assert "Clearly worst fifth (probability that it is in the worst fifth: 97%)" in told
    assert "between 1 and 8.5" in told
    assert "Broadband lines not known 25%" in told


def test_an_area_without_a_score_has_no_rank(page_at):
    told = part_of(page_at(f"i=D02&g=lsoa21&a=E0199{UNKNOWN:04d}"), "here")

    assert "No figure shown" in told
    assert "Rank" not in told


def test_unsure_places_are_hatched(page_at):
    dom = page_at("i=D02&g=lsoa21")
    legend = part_of(dom, "legend")
    outline = re.search(r'<path id="unsure" d="([^"]*)"', dom).group(1)
    shapes = re.search(r'<g id="areas"[^>]*>(.*?)</g>', dom, re.DOTALL).group(1)
    paths = re.findall(r'<path d="([^"]*)"', shapes)

    assert outline == paths[MAY_BE] + paths[WIDE]
    assert "Place unsure" in legend
    assert "2 areas" in legend
    assert "url(#unsure-hatch)" in dom
    plain = page_at("i=D05&g=lsoa21")
    assert "Place unsure" not in part_of(plain, "legend")
    assert '<path id="unsure" d=""' in plain


def test_the_hatch_is_seen(map_file, tmp_path):
    address = "i=D02&g=lsoa21"
    hatched = drawn(tmp_path, map_file, address)
    bare = tmp_path / "bare.html"
    text = map_file.read_text(encoding="utf-8")
    assert '<path id="unsure"/>' in text
    bare.write_text(text.replace('<path id="unsure"/>', '<path id="unsure" visibility="hidden"/>'))

    changed = np.any(hatched != drawn(tmp_path, bare, address), axis=2)

    # Two of 120 areas, of which the lines cover about a quarter.
    assert 0.0005 < changed.mean() < 0.01


def test_clusters_are_outlined_when_asked(page_at, map_file, tmp_path):
    without = page_at("i=D02&g=lsoa21")
    dom = page_at("i=D02&g=lsoa21&c=1")
    legend = part_of(dom, "legend")

    assert 'id="clusters-field">' in without
    assert "High among high" not in part_of(without, "legend")
    for words, count in (("High among high", len(HIGH)), ("Low among low", len(LOW)),
                         ("High among low", 1), ("Low among high", 1)):  # fmt: skip
        assert re.search(rf"{words} {count} areas?\b", legend), legend
    assert "Without an outline: not significant" in legend
    assert "Hot spot" not in legend
    off = drawn(tmp_path, map_file, "i=D02&g=lsoa21")
    on = drawn(tmp_path, map_file, "i=D02&g=lsoa21&c=1")
    for kind in ("high among high", "low among low"):
        assert share(off, RINGS[kind]) == 0
        assert share(on, RINGS[kind]) > 0.0005


def test_clusters_are_offered_only_where_there_are_any(page_at):
    dom = page_at("i=H01&g=lsoa21&c=1")

    assert re.search(r'id="clusters-field" hidden', dom)
    assert "among" not in part_of(dom, "legend")


def test_a_neighbour_beyond_the_region_is_mentioned(page_at):
    told = part_of(page_at(f"i=D02&g=lsoa21&a=E0199{HIGH[0]:04d}"), "here")

    assert "High among high; 2 of its neighbours lie beyond the region" in told


def test_a_trend_is_told_in_words(page_at):
    rising = part_of(page_at("i=H01&g=lad24&a=E07000901"), "here")
    broken = part_of(page_at("i=H01&g=lad24&a=E07000902"), "here")

    assert "Rising: +4.2% a year (95% interval +1.1 to +7.4), October 2024 to September" in rising
    assert "Similar to the region's 8.7: the difference may be chance" in rising
    assert "No clear change: -1.5% a year" in broken
    assert "counted from the last break in series" in broken


def test_too_few_points_are_no_trend(page_at):
    dom = page_at("i=H01&g=lad24&a=E08000903")

    assert "Too few periods with a figure to tell a trend" in part_of(dom, "here")
    assert "a year (95% interval" not in part_of(dom, "profile-body")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("i=D05&g=lsoa21&a=E01990000", "Lower than {}'s {}, beyond chance (worse)"),
        ("i=D05&g=lsoa21&a=E01990001", "Higher than {}'s {}, beyond chance (better)"),
        ("i=C01&g=lsoa21&a=E01990000", "Higher than {}'s {}, beyond chance"),
        ("i=C01&g=lsoa21&a=E01990002", "Similar to {}'s {}: the difference may be chance"),
    ],
)
def test_a_figure_is_held_against_its_district(page_at, tables, address, words):
    area = next(a for a in tables["areas"].to_pylist() if a["lsoa21cd"] == address[-9:])
    district = area["lad24nm"]
    benchmark = "12.3" if area["lad24cd"] == "E07000901" else "13.3"

    told = part_of(page_at(address), "here")

    assert words.format(district, benchmark) in told


def test_unmet_need_candidates_are_named_and_marked(page_at, map_file, tmp_path, tables):
    first = tables["areas"].to_pylist()[0]["msoa21cd"]
    dom = page_at(f"i=H04&g=msoa21&a={first}")
    told, legend = part_of(dom, "here"), part_of(dom, "legend")

    assert "Unmet need candidate: need is clearly high and use clearly low" in told
    assert "50 counted where about 70.2 would be expected" in told
    assert "Counted over expected: 0.71 (95% interval 0.53 to 0.94)" in told
    assert "Reach of the service: 31.5 per 1,000 adults" in told
    assert "an area, never a person" in told
    assert "Unmet need candidate: need clearly high, use clearly low 1 area" in legend
    assert "These words describe areas, never people." in dom
    ring = RINGS["unmet need candidate"]
    assert share(drawn(tmp_path, map_file, "i=H04&g=msoa21"), ring) > 0.0005
    assert share(drawn(tmp_path, map_file, "i=H04&g=lsoa21"), ring) == 0


def test_a_break_in_series_is_in_the_key(page_at):
    now = part_of(page_at("i=H01&g=lsoa21"), "legend")
    before = part_of(page_at("i=H01&g=lsoa21&p=2025-10-31"), "legend")

    assert "[b] Break in series: figures from November 2025 on cannot be compared" in now
    assert "a new form of case record" in now
    assert "still to come" not in now
    assert "[b]" not in before


def test_the_table_holds_what_is_drawn(page_at, tables):
    first = tables["areas"].to_pylist()[0]["msoa21cd"]
    index = page_at("i=D02&g=lsoa21")
    need = page_at("i=H04&g=msoa21")
    trend = page_at("i=H01&g=lad24")
    rows = re.findall(r"<tr>(.*?)</tr>", index[index.index('id="table"') :], re.DOTALL)
    cells = next(re.findall(r"<td[^>]*>(.*?)</td>", r) for r in rows if f"E0199{MAY_BE:04d}" in r)

    assert cells[-8:] == ["37.0", "21.0", "64.0", "may be in the worst fifth", "yes", "62.5",
                          "10.0", "Not significant"]  # fmt: skip
    for title in ("Rank, 1 is the worst", "Component: Digital skills", "Cluster (local Moran)"):
        assert f">{title}</button>" in index
    row = next(r for r in re.findall(r"<tr>(.*?)</tr>", need, re.DOTALL) if f">{first}<" in r)
    assert "<td>unmet need candidate</td>" in row
    assert "<td>Rising: +4.2% a year" in trend
    assert "<td>similar to the region's 8.7" in trend
