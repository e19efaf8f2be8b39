"""The pages drawn by a real browser: pixels, because a count of elements proves nothing."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from publishing.conform import conform_all
from publishing.geopackage import areas_with_borders
from publishing.map_page import map_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
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
    ready = conform_all(tables)
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
    assert "[u] withheld as unreliable" in dom


def test_a_hostile_name_does_nothing(map_file, tmp_path):
    url = f"{map_file.as_uri()}#i=H01&g=lsoa21&a=E01990003"
    dom = chromium(tmp_path, url, "--dump-dom").stdout
    assert 'Profile: &lt;/script&gt;&lt;script&gt;alert("1")' in dom
    assert "<script>alert" not in dom
